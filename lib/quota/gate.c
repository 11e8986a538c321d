/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gate: makes, maps and reads the shared-memory file, and the words of its
 * header page.
 */
#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
licet_ending_text(licet_ending ending)
{
    static const char *const texts[] = {
#define ENDING_TEXT(number, name, text) [number] = text,
        LICET_ENDINGS(ENDING_TEXT)
#undef ENDING_TEXT
    };

    return (unsigned)ending < LICET_ENDINGS_LEN ? texts[ending] : "unknown ending";
}

static bool
fail_system(licet_error *err, const char *what, const char *path)
{
    return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s: %s", path, what, strerror(errno));
}

static bool
path_fits(const char *path, size_t room, licet_error *err)
{
    if (strlen(path) >= room) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: path of %zu bytes: expected fewer than %zu", path, strlen(path),
                          room);
    }
    return true;
}

static licet_gate *
gate_new(const gate_geometry *geometry, const char *path, licet_error *err)
{
    licet_gate *gate = calloc(1, sizeof(*gate));

    if (gate != NULL) {
        gate->fd = -1;
        gate->at = *geometry;
        gate->kept = calloc(geometry->areas, sizeof(*gate->kept));
    }
    if (gate == NULL || gate->kept == NULL) {
        licet_gate_close(gate);
        LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for the handle", path);
        return NULL;
    }
    memcpy(gate->path, path, strlen(path) + 1);
    return gate;
}

static bool
map_file(licet_gate *gate, const char *path, licet_error *err)
{
    struct stat st;

    if (fstat(gate->fd, &st) != 0) {
        return fail_system(err, "fstat", path);
    }
    gate->dev = st.st_dev;
    gate->ino = st.st_ino;
    void *map = mmap(NULL, gate->at.size, PROT_READ | PROT_WRITE, MAP_SHARED, gate->fd, 0);
    if (map == MAP_FAILED) {
        return fail_system(err, "mmap", path);
    }
    gate->map = map;
    gate->header = map;
    return true;
}

void
licet_gate_close(licet_gate *gate)
{
    if (gate == NULL) {
        return;
    }
    if (gate->map != NULL) {
        munmap(gate->map, gate->at.size);
    }
    if (gate->fd >= 0) {
        close(gate->fd); /* and with it the locks it holds */
    }
    free(gate->kept);
    free(gate->own);
    free(gate);
}

/* ---- making --------------------------------------------------------------- */

static licet_hash
stamp_sum(const gate_header *header)
{
    size_t from = offsetof(gate_header, layout), to = offsetof(gate_header, sha256);
    licet_bytes bytes = licet_bytes_of((const uint8_t *)header + from, to - from);

    return licet_sha256(&bytes, 1);
}

static void
stamp(gate_header *header, const licet_gate_options *options, const gate_geometry *at)
{
    header->layout = GATE_LAYOUT;
    header->header_size = GATE_PAGE;
    header->size = at->size;
    header->gate = options->gate;
    header->epoch = options->epoch;
    header->areas = at->areas;
    header->slots = at->slots;
    header->ring = at->ring;
    header->ring_ids = at->ring_ids;
    header->cells = at->cells;
    header->counters = at->counters;
    header->counter_size = sizeof(gate_counter);
    header->cell_size = sizeof(gate_cell);
    header->slot_size = sizeof(licet_slot);
    header->entry_size = sizeof(gate_entry);
    header->counters_at = at->counters_at;
    header->cells_at = at->cells_at;
    header->wanted_at = at->wanted_at;
    header->areas_at = at->areas_at;
    header->area_size = at->area_size;
    header->slots_at = at->slots_at;
    header->ring_at = at->ring_at;
    header->ids_at = at->ids_at;
    memcpy(header->boot_id, options->boot_id, sizeof(header->boot_id));
    memcpy(header->decision_key, options->decision_key, sizeof(header->decision_key));
    memcpy(header->credential_key, options->credential_key, sizeof(header->credential_key));
    memcpy(header->images, options->images, strlen(options->images) + 1);
    licet_hash sum = stamp_sum(header);
    memcpy(header->sha256, sum.bytes, sizeof(header->sha256));
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memcpy(header->magic, GATE_MAGIC, sizeof(header->magic));
}

/* The handle keeps its own copy of what the header says. */
static void
remember(licet_gate *gate)
{
    const gate_header *header = gate->header;

    gate->gate = (uint16_t)header->gate;
    gate->epoch = header->epoch;
    memcpy(gate->boot_id, header->boot_id, sizeof(gate->boot_id));
    memcpy(gate->decision_key, header->decision_key, sizeof(gate->decision_key));
    memcpy(gate->credential_key, header->credential_key, sizeof(gate->credential_key));
    memcpy(gate->images, header->images, sizeof(gate->images));
    gate->images[sizeof(gate->images) - 1] = '\0';
}

static bool
allocate(licet_gate *gate, const licet_gate_options *options, const char *path, licet_error *err)
{
    int code = posix_fallocate(gate->fd, 0, (off_t)gate->at.size);

    if (code != 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: allocating %llu bytes: %s", path,
                          (unsigned long long)gate->at.size, strerror(code));
    }
    if (options->gid >= 0 && fchown(gate->fd, (uid_t)-1, (gid_t)options->gid) != 0) {
        return fail_system(err, "giving it to its group", path);
    }
    if (fchmod(gate->fd, (mode_t)options->mode) != 0) {
        return fail_system(err, "setting its mode", path);
    }
    return true;
}

bool
licet_gate_create(const char *path, const licet_gate_options *options, licet_gate **out_gate, licet_error *err)
{
    char beside[LICET_GATE_PATH_MAX];
    gate_geometry geometry;
    licet_gate *gate = NULL;
    bool made = false, ok = false;

    if (!path_fits(path, sizeof(beside) - 4, err) || !path_fits(options->images, LICET_GATE_PATH_MAX, err) ||
        !gate_geometry_of(options, &geometry, err) || (gate = gate_new(&geometry, path, err)) == NULL) {
        return false;
    }
    snprintf(beside, sizeof(beside), "%s.new", path);
    unlink(beside); /* left by a death in the middle; one process at a time makes files here */
    gate->fd = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (gate->fd < 0) {
        fail_system(err, "open", beside);
        goto done;
    }
    made = true;
    if (!allocate(gate, options, beside, err) || !map_file(gate, beside, err)) {
        goto done;
    }
    stamp(gate->header, options, &geometry);
    remember(gate);
    if (rename(beside, path) != 0) {
        fail_system(err, "rename", path);
        goto done;
    }
    ok = true;
    *out_gate = gate;
done:
    if (!ok) {
        if (made) {
            unlink(beside);
        }
        licet_gate_close(gate);
    }
    return ok;
}

/* ---- mapping --------------------------------------------------------------- */

static licet_gate_options
options_of(const gate_header *header)
{
    return (licet_gate_options){.workers = header->areas,
                                .slots = header->slots,
                                .ring = header->ring,
                                .ring_ids = header->ring_ids,
                                .cells = header->cells,
                                .counters = header->counters};
}

static bool
same_layout(const gate_header *header, const gate_geometry *at)
{
    return header->header_size == GATE_PAGE && header->size == at->size &&
           header->counter_size == sizeof(gate_counter) && header->cell_size == sizeof(gate_cell) &&
           header->slot_size == sizeof(licet_slot) && header->entry_size == sizeof(gate_entry) &&
           header->counters_at == at->counters_at && header->cells_at == at->cells_at &&
           header->wanted_at == at->wanted_at && header->areas_at == at->areas_at &&
           header->area_size == at->area_size && header->slots_at == at->slots_at && header->ring_at == at->ring_at &&
           header->ids_at == at->ids_at && header->ring != 0 && header->ring_ids != 0 && header->gate <= UINT16_MAX;
}

static bool
read_stamp(int fd, const char *path, gate_geometry *out_geometry, licet_error *err)
{
    gate_header header;
    struct stat st;
    ssize_t got = pread(fd, &header, sizeof(header), 0);

    if (got < 0 || fstat(fd, &st) != 0) {
        return fail_system(err, "reading its stamp", path);
    }
    if (got != (ssize_t)sizeof(header) || memcmp(header.magic, GATE_MAGIC, sizeof(header.magic)) != 0) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: no stamp of a licet gate", path);
    }
    if (header.layout != GATE_LAYOUT) {
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 8,
                          "%s: layout %u: expected %u: nginx's module and licetd must be of one version", path,
                          header.layout, GATE_LAYOUT);
    }
    licet_gate_options options = options_of(&header);
    licet_hash sum = stamp_sum(&header);
    if (memcmp(header.sha256, sum.bytes, sizeof(sum.bytes)) != 0 || !gate_geometry_of(&options, out_geometry, NULL) ||
        !same_layout(&header, out_geometry)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 12, "%s: its stamp contradicts itself", path);
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != out_geometry->size) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: %llu bytes: expected %llu", path,
                          (unsigned long long)st.st_size, (unsigned long long)out_geometry->size);
    }
    return true;
}

bool
licet_gate_open(const char *path, licet_gate **out_gate, licet_error *err)
{
    gate_geometry geometry;
    licet_gate *gate = NULL;

    if (!path_fits(path, LICET_GATE_PATH_MAX, err)) {
        return false;
    }
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT
                   ? LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%s: no shared memory there: is licetd running?", path)
                   : fail_system(err, "open", path);
    }
    if (!read_stamp(fd, path, &geometry, err) || (gate = gate_new(&geometry, path, err)) == NULL) {
        close(fd);
        return false;
    }
    gate->fd = fd;
    if (!map_file(gate, path, err)) {
        licet_gate_close(gate);
        return false;
    }
    remember(gate);
    *out_gate = gate;
    return true;
}

bool
licet_gate_foreign(const char *path, uint32_t *out_layout, uint8_t out_boot_id[16])
{
    gate_header header;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool foreign = fd >= 0 && pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
                   memcmp(header.magic, GATE_MAGIC, sizeof(header.magic)) == 0 && header.layout != GATE_LAYOUT;

    if (fd >= 0) {
        close(fd);
    }
    if (foreign) {
        *out_layout = header.layout;
        memcpy(out_boot_id, header.boot_id, sizeof(header.boot_id));
    }
    return foreign;
}

bool
licet_gate_replaced(const licet_gate *gate)
{
    struct stat st;

    return stat(gate->path, &st) == 0 && (st.st_dev != gate->dev || st.st_ino != gate->ino);
}

/* ---- words of the header ----------------------------------------------------- */

const uint8_t *
licet_gate_decision_key(const licet_gate *gate)
{
    return gate->decision_key;
}

const uint8_t *
licet_gate_credential_key(const licet_gate *gate)
{
    return gate->credential_key;
}

const char *
licet_gate_images(const licet_gate *gate)
{
    return gate->images;
}

uint32_t
licet_gate_epoch(const licet_gate *gate)
{
    return gate->epoch;
}

void
licet_gate_options_of(const licet_gate *gate, licet_gate_options *out_options)
{
    *out_options = (licet_gate_options){.gate = gate->gate,
                                        .epoch = gate->epoch,
                                        .workers = gate->at.areas,
                                        .slots = gate->at.slots,
                                        .ring = gate->at.ring,
                                        .ring_ids = gate->at.ring_ids,
                                        .cells = gate->at.cells,
                                        .counters = gate->at.counters,
                                        .images = gate->images,
                                        .gid = -1};
    memcpy(out_options->boot_id, gate->boot_id, sizeof(gate->boot_id));
    memcpy(out_options->decision_key, gate->decision_key, sizeof(gate->decision_key));
    memcpy(out_options->credential_key, gate->credential_key, sizeof(gate->credential_key));
}

uint64_t
licet_gate_generation(const licet_gate *gate)
{
    return __atomic_load_n(&gate->header->generation, __ATOMIC_SEQ_CST);
}

bool
licet_gate_is_shut(const licet_gate *gate)
{
    return GATE_LOAD(&gate->header->shut) != 0;
}

void
licet_gate_shut(licet_gate *gate)
{
    if (gate->own != NULL) {
        gate->own->shut = 1;
    }
    __atomic_store_n(&gate->header->shut, 1, __ATOMIC_SEQ_CST);
}

void
licet_gate_publish(licet_gate *gate, uint64_t generation)
{
    if (gate->own != NULL) {
        gate->own->generation = generation;
    }
    __atomic_store_n(&gate->header->generation, generation, __ATOMIC_SEQ_CST);
}

uint64_t
licet_gate_alive_ms(const licet_gate *gate)
{
    return GATE_LOAD(&gate->header->alive_ms);
}

void
licet_gate_alive(licet_gate *gate, uint64_t now_ms)
{
    GATE_STORE(&gate->header->alive_ms, now_ms);
}

uint32_t
licet_gate_areas(const licet_gate *gate)
{
    return gate->at.areas;
}

licet_gate_faults
licet_gate_faults_of(const licet_gate *gate)
{
    return (licet_gate_faults){.leaks = GATE_LOAD(&gate->header->leaks), .damaged = GATE_LOAD(&gate->header->damaged)};
}

uint64_t
licet_gate_unidentified(const licet_gate *gate, licet_reason reason)
{
    return (unsigned)reason < LICET_REASONS_LEN ? GATE_LOAD(&gate->header->unidentified[reason]) : 0;
}

void
licet_gate_unidentified_release(licet_gate *gate, licet_reason reason, uint64_t count)
{
    if ((unsigned)reason < LICET_REASONS_LEN && count > 0) {
        __atomic_fetch_sub(&gate->header->unidentified[reason], count, __ATOMIC_SEQ_CST);
    }
}
