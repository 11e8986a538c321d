/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer's record: per ledger what was signed last, in a file opened once.
 *
 *  (1) A ledger has one place of 256 bytes for ever: two halves that are written in turn, each with its own checksum.
 *      A torn write spoils the half that was not in force.
 *  (2) The half with the greater turn is in force. When both halves of a place are spoilt the file is damaged and
 *      nothing is signed.
 *
 *   half (128 bytes, big-endian): name hash 32, turn u64, size u64, root 32, zeros 16, first 32 bytes of SHA-256 of
 *   the 96 bytes before it
 */
#include "signer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HALF ((size_t)128)
#define PLACE (2 * HALF)
#define SUMMED 96

typedef struct place {
    licet_hash name;
    uint64_t turn, size;
    licet_hash root;
} place;

struct signer_record {
    int fd;
    char *path;
    place *places;
    size_t len, capacity;
};

static licet_hash
name_hash(licet_bytes ledger)
{
    return licet_sha256(&ledger, 1);
}

static void
half_encode(const place *p, uint8_t out[HALF])
{
    licet_buffer b;
    licet_bytes summed = {out, SUMMED};
    licet_hash sum;

    memset(out, 0, HALF);
    licet_buffer_init(&b, HALF);
    if (licet_put_bytes(&b, licet_bytes_of(p->name.bytes, LICET_SHA256_LEN)) && licet_put_u64(&b, p->turn) &&
        licet_put_u64(&b, p->size) && licet_put_bytes(&b, licet_bytes_of(p->root.bytes, LICET_SHA256_LEN))) {
        memcpy(out, b.data, b.len);
        sum = licet_sha256(&summed, 1);
        memcpy(out + SUMMED, sum.bytes, HALF - SUMMED);
    }
    licet_buffer_done(&b);
}

static bool
half_decode(const uint8_t in[HALF], place *out)
{
    licet_cursor c = {{in, SUMMED}, 0};
    licet_bytes summed = {in, SUMMED}, name, root;
    licet_hash sum = licet_sha256(&summed, 1);

    if (memcmp(sum.bytes, in + SUMMED, HALF - SUMMED) != 0 || !licet_take_bytes(&c, LICET_SHA256_LEN, &name) ||
        !licet_take_u64(&c, &out->turn) || !licet_take_u64(&c, &out->size) ||
        !licet_take_bytes(&c, LICET_SHA256_LEN, &root)) {
        return false;
    }
    memcpy(out->name.bytes, name.data, LICET_SHA256_LEN);
    memcpy(out->root.bytes, root.data, LICET_SHA256_LEN);
    return true;
}

static bool
places_grow(signer_record *record, licet_error *err)
{
    size_t capacity = record->capacity == 0 ? 16 : record->capacity * 2;
    place *grown;

    if (record->len < record->capacity) {
        return true;
    }
    if (record->len >= SIGNER_LEDGERS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: holds %d ledgers, the most there may be", record->path,
                          SIGNER_LEDGERS_MAX);
    }
    grown = realloc(record->places, capacity * sizeof(*grown));
    if (grown == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for %zu ledgers", record->path, capacity);
    }
    record->places = grown;
    record->capacity = capacity;
    return true;
}

/* True for a place that the file grew by and that never was written: nothing was signed by it. */
static bool
never_written(const uint8_t bytes[PLACE])
{
    size_t i = 0;

    while (i < PLACE && bytes[i] == 0) {
        i++;
    }
    return i == PLACE;
}

static bool
place_read(signer_record *record, uint64_t at, bool last, licet_error *err)
{
    uint8_t bytes[PLACE];
    place halves[2];
    bool good[2];

    if (!places_grow(record, err) || !licet_file_read_at(record->fd, record->path, bytes, PLACE, at, err)) {
        return false;
    }
    if (last && never_written(bytes)) {
        return true;
    }
    good[0] = half_decode(bytes, &halves[0]);
    good[1] = half_decode(bytes + HALF, &halves[1]);
    if (!good[0] && !good[1]) {
        return LICET_FAIL(err, LICET_E_CORRUPT, at, "%s: both copies at byte %llu are damaged: nothing can be signed",
                          record->path, (unsigned long long)at);
    }
    record->places[record->len++] = good[0] && (!good[1] || halves[0].turn > halves[1].turn) ? halves[0] : halves[1];
    return true;
}

bool
signer_record_open(const char *path, signer_record **out_record, licet_error *err)
{
    signer_record *record = calloc(1, sizeof(*record));
    struct stat st;
    uint64_t size;
    bool ok = false;

    if (record == NULL || (record->path = strdup(path)) == NULL) {
        free(record);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory", path);
    }
    record->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (record->fd < 0 || fstat(record->fd, &st) != 0) {
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot open: %s", path, strerror(errno));
        goto done;
    }
    /* A place that was being added when the power went is shorter than a place, or empty: nothing was signed by it. */
    size = (uint64_t)st.st_size - (uint64_t)st.st_size % PLACE;
    for (uint64_t at = 0; at < size; at += PLACE) {
        if (!place_read(record, at, at + PLACE == size, err)) {
            goto done;
        }
    }
    *out_record = record;
    ok = true;
done:
    if (!ok) {
        signer_record_close(record);
    }
    return ok;
}

void
signer_record_close(signer_record *record)
{
    if (record == NULL) {
        return;
    }
    if (record->fd >= 0) {
        close(record->fd);
    }
    free(record->places);
    free(record->path);
    free(record);
}

static size_t
place_of(const signer_record *record, const licet_hash *name)
{
    size_t i = 0;

    while (i < record->len && memcmp(&record->places[i].name, name, sizeof(*name)) != 0) {
        i++;
    }
    return i;
}

bool
signer_record_last(signer_record *record, licet_bytes ledger, uint64_t *out_size, licet_hash *out_root)
{
    licet_hash name = name_hash(ledger);
    size_t i = place_of(record, &name);

    *out_size = 0;
    *out_root = licet_empty_root();
    if (i < record->len) {
        *out_size = record->places[i].size;
        *out_root = record->places[i].root;
    }
    return true;
}

bool
signer_record_store(signer_record *record, licet_bytes ledger, uint64_t size, const licet_hash *root, licet_error *err)
{
    licet_hash name = name_hash(ledger);
    size_t i = place_of(record, &name);
    bool first = i == record->len;
    place next = {name, first ? 1 : record->places[i].turn + 1, size, *root};
    uint8_t bytes[PLACE];

    if (first && !places_grow(record, err)) {
        return false;
    }
    half_encode(&next, bytes);
    /* The first time both halves are written, so that neither is ever empty. */
    half_encode(&next, bytes + HALF);
    if (!licet_file_write_at(record->fd, record->path, licet_bytes_of(bytes, first ? PLACE : HALF),
                             i * PLACE + (first ? 0 : (next.turn % 2) * HALF), err)) {
        return false;
    }
    if (fdatasync(record->fd) != 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot make it durable: %s", record->path, strerror(errno));
    }
    record->places[i] = next;
    record->len += first ? 1 : 0;
    return true;
}
