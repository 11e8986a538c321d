/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sorted run of seen ids: records of one width, searched by halves in a
 * mapped file. docs/format/seen.md has it to the byte.
 *
 *  (1) A run is written once and never changed. Its room is allocated before it is written, so that a full disk is an
 *      error and not a signal.
 *  (2) What is opened was hashed: a run that is not what was written is CORRUPT and made anew from the journal.
 */
#include "seen_run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "LICETSEN"
#define FORMAT 1u
#define HEADER 56 /* magic, format u32, width u32, records u64, SHA-256 of all behind it */
#define COPY 22   /* time u48, gate u16, epoch u32, sequence u48, context u32 */

static size_t
stride_of(uint32_t width)
{
    return 1 + (size_t)width + COPY;
}

int
seen_key_order(licet_bytes a, licet_bytes b)
{
    int by = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

    return by != 0 ? by : (a.len > b.len) - (a.len < b.len);
}

static const uint8_t *
record(const seen_run *run, uint64_t i)
{
    return run->map + HEADER + i * stride_of(run->width);
}

licet_bytes
seen_run_key(const seen_run *run, uint64_t i)
{
    const uint8_t *at = record(run, i);

    return licet_bytes_of(at + 1, at[0]);
}

static uint64_t
number_at(const uint8_t *at, unsigned len)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < len; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static void
number_to(uint8_t *at, unsigned len, uint64_t value)
{
    for (unsigned i = 0; i < len; i++) {
        at[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
    }
}

licet_seen_copy
seen_run_copy(const seen_run *run, uint64_t i)
{
    const uint8_t *at = record(run, i) + 1 + run->width;

    return (licet_seen_copy){
        .time_ms = number_at(at, 6),
        .identity = {(uint16_t)number_at(at + 6, 2), (uint32_t)number_at(at + 8, 4), number_at(at + 12, 6)},
        .context = (uint32_t)number_at(at + 18, 4)};
}

uint32_t
seen_run_window(const seen_run *run, uint64_t i)
{
    return (uint32_t)number_at(record(run, i) + 1, 4);
}

bool
seen_run_find(const seen_run *run, licet_bytes key, licet_seen_copy *out_copy)
{
    uint64_t low = 0, high = run->len;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int by = seen_key_order(seen_run_key(run, middle), key);
        if (by == 0) {
            *out_copy = seen_run_copy(run, middle);
            return true;
        }
        if (by < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

/* ---- writing --------------------------------------------------------------------- */

static bool
system_fail(const char *path, const char *what, licet_error *err)
{
    return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s: %s", path, what, strerror(errno));
}

static bool
path_of(const char *dir, uint64_t number, char out[PATH_MAX], licet_error *err)
{
    int len = snprintf(out, PATH_MAX, "%s/%016llx.run", dir, (unsigned long long)number);

    return (len > 0 && len < PATH_MAX) || LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: the path is too long", dir);
}

bool
seen_run_begin(const char *dir, uint64_t number, uint64_t most, uint32_t width, seen_writer *out, licet_error *err)
{
    char path[PATH_MAX];
    seen_writer w = {.run = {.number = number, .width = width}, .fd = -1};
    int rc;

    if (!path_of(dir, number, path, err)) {
        return false;
    }
    if (most > (UINT64_MAX >> 16) / stride_of(width)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: a run of %llu ids", path, (unsigned long long)most);
    }
    w.run.size = HEADER + most * stride_of(width);
    w.path = strdup(path);
    if (w.path == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a path");
    }
    w.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    rc = w.fd < 0 ? errno : posix_fallocate(w.fd, 0, (off_t)w.run.size); /* (1) */
    if (rc == 0) {
        w.run.map = mmap(NULL, w.run.size, PROT_READ | PROT_WRITE, MAP_SHARED, w.fd, 0);
        rc = w.run.map == MAP_FAILED ? errno : 0;
    }
    if (rc != 0) {
        errno = rc;
        system_fail(path, "cannot be written", err);
        if (w.fd >= 0) {
            close(w.fd);
        }
        unlink(path);
        free(w.path);
        return false;
    }
    *out = w;
    return true;
}

void
seen_run_put(seen_writer *w, licet_bytes key, const licet_seen_copy *copy)
{
    uint8_t *at = w->run.map + HEADER + w->run.len++ * stride_of(w->run.width);

    at[0] = (uint8_t)key.len;
    memcpy(at + 1, key.data, key.len); /* what is behind it is zero: the file is new */
    at += 1 + w->run.width;
    number_to(at, 6, copy->time_ms);
    number_to(at + 6, 2, copy->identity.gate);
    number_to(at + 8, 4, copy->identity.epoch);
    number_to(at + 12, 6, copy->identity.sequence);
    number_to(at + 18, 4, copy->context);
}

static licet_hash
hash_of(const seen_run *run)
{
    licet_bytes body = licet_bytes_of(run->map + HEADER, run->size - HEADER);

    return licet_sha256(&body, 1);
}

bool
seen_run_end(seen_writer *w, seen_run *out_run, licet_error *err)
{
    size_t mapped = w->run.size;
    licet_hash hash;
    bool ok;

    w->run.size = HEADER + w->run.len * stride_of(w->run.width);
    memcpy(w->run.map, MAGIC, 8);
    number_to(w->run.map + 8, 4, FORMAT);
    number_to(w->run.map + 12, 4, w->run.width);
    number_to(w->run.map + 16, 8, w->run.len);
    hash = hash_of(&w->run);
    memcpy(w->run.map + 24, hash.bytes, sizeof(hash.bytes));
    ok = msync(w->run.map, w->run.size, MS_SYNC) == 0 && munmap(w->run.map, mapped) == 0 &&
         ftruncate(w->fd, (off_t)w->run.size) == 0 && fsync(w->fd) == 0;
    if (!ok) {
        system_fail(w->path, "cannot be made durable", err);
    } else {
        w->run.map = mmap(NULL, w->run.size, PROT_READ, MAP_SHARED, w->fd, 0);
        ok = w->run.map != MAP_FAILED || system_fail(w->path, "cannot be mapped", err);
    }
    close(w->fd);
    if (!ok) {
        unlink(w->path);
    } else {
        *out_run = w->run;
    }
    free(w->path);
    return ok;
}

/* ---- opening --------------------------------------------------------------------- */

static bool
check(const seen_run *run, const char *path, licet_error *err)
{
    licet_hash hash;

    if (run->size < HEADER || memcmp(run->map, MAGIC, 8) != 0 || number_at(run->map + 8, 4) != FORMAT ||
        run->width < 4 || run->width > SEEN_KEY_MAX || (run->size - HEADER) % stride_of(run->width) != 0 ||
        (run->size - HEADER) / stride_of(run->width) != run->len || run->len == 0) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: %zu bytes: no run of this version", path, run->size);
    }
    hash = hash_of(run);
    if (memcmp(hash.bytes, run->map + 24, sizeof(hash.bytes)) != 0) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 24, "%s: it does not have the SHA-256 that it says", path);
    }
    for (uint64_t i = 0; i < run->len; i++) {
        licet_bytes key = seen_run_key(run, i);
        if (key.len < 4 || key.len > run->width || (i > 0 && seen_key_order(seen_run_key(run, i - 1), key) >= 0)) {
            return LICET_FAIL(err, LICET_E_CORRUPT, HEADER + i * stride_of(run->width), "%s: record %llu cannot be",
                              path, (unsigned long long)i);
        }
    }
    return true;
}

bool
seen_run_open(const char *dir, uint64_t number, seen_run *out_run, licet_error *err)
{
    seen_run run = {.number = number};
    char path[PATH_MAX];
    struct stat st;
    bool ok;
    int fd;

    if (!path_of(dir, number, path, err)) {
        return false;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return LICET_FAIL(err, errno == ENOENT ? LICET_E_CORRUPT : LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    }
    ok = fstat(fd, &st) == 0 || system_fail(path, "cannot be read", err);
    if (ok && st.st_size < HEADER) {
        ok = LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: %lld bytes: no run", path, (long long)st.st_size);
    }
    if (ok) {
        run.size = (size_t)st.st_size;
        run.map = mmap(NULL, run.size, PROT_READ, MAP_SHARED, fd, 0);
        ok = run.map != MAP_FAILED || system_fail(path, "cannot be mapped", err);
    }
    close(fd);
    if (!ok) {
        return false;
    }
    run.width = (uint32_t)number_at(run.map + 12, 4);
    run.len = number_at(run.map + 16, 8);
    if (!check(&run, path, err)) {
        seen_run_close(&run);
        return false;
    }
    *out_run = run;
    return true;
}

void
seen_run_close(seen_run *run)
{
    if (run->map != NULL) {
        munmap(run->map, run->size);
        run->map = NULL;
    }
}
