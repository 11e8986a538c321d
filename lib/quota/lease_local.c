/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases of this node in one file (data/leases, docs/format/leases.md).
 *
 *      file    magic 8, then records
 *      record  magic u32, length u32, body, first 8 bytes of SHA-256 of all before in the record
 *      body    BEGIN epoch | GRANT epoch, n, n × (cell, kind, granted) | END epoch
 *
 *  (1) grant returns after fdatasync of one record with all its totals: all of them or none.
 *  (2) A total never falls within an epoch.
 *  (3) Reading stops at the first record that is not whole. If a whole one lies behind it, the file is damaged and says
 *      where; if none does, the rest is a write that was cut, and is dropped.
 *  (4) A failed write is taken back. After a failed sync nobody knows what is on the disk, and a later sync that
 *      succeeds says nothing about it: the record is cut off, and before anything else is done the file is written
 * anew, whole, from what was acknowledged. (5) The file is rewritten whole before it grows beyond its ceiling; where
 * that fails for want of room, appending goes on in what was allocated ahead. (6) Room is allocated ahead of the end: a
 * total can still be raised when the disk is full.
 */
#include "licet/gate.h"
#include "licet/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAGIC "LICETLEA"
#define RECORD_MAGIC UINT32_C(0x4c534531) /* LSE1 */
#define RECORD_HEAD 8u
#define RECORD_SUM 8u
#define MAGIC_LEN 8u
#define KIND_MAX 64u
#define TOTALS_MAX ((size_t)LICET_GATE_CELLS_MAX * LICET_KINDS_MAX)
#define BODY_MAX (128u << 20) /* every total in one record */
#define FILE_MAX_BYTES (256u << 20)
#define COMPACT_AT (1u << 20) /* grows at least so far before it is rewritten */
#define COMPACT_TIMES 4u      /* and to so many times what the totals alone need */
#define AHEAD (256u << 10)    /* allocated behind the end */

enum { BODY_BEGIN = 1, BODY_GRANT = 2, BODY_END = 3 };

typedef struct lease_local {
    licet_lease_store store; /* first: a licet_lease_store pointer is one of these */
    char *path;
    int fd;
    uint64_t end; /* of the last whole record */
    uint64_t compact_at;
    uint64_t room;  /* where what is allocated ends */
    uint32_t epoch; /* 0: none begun */
    bool ended, broken;
    licet_lease_grant *totals; /* sorted by cell, then kind */
    size_t totals_len, totals_room;
} lease_local;

/* ---- totals ------------------------------------------------------------------ */

static int
compare_total(const licet_lease_grant *a, uint32_t cell, const char *kind)
{
    if (a->cell != cell) {
        return a->cell < cell ? -1 : 1;
    }
    return strcmp(a->kind, kind);
}

/* Index of the total, or where it belongs. */
static size_t
find_total(const lease_local *local, uint32_t cell, const char *kind, bool *out_found)
{
    size_t low = 0, high = local->totals_len;

    *out_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_total(&local->totals[middle], cell, kind);
        if (order == 0) {
            *out_found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Room for n more totals: before anything is written, so that what is durable is also known. */
static bool
reserve_totals(lease_local *local, size_t n, licet_error *err)
{
    size_t room = local->totals_room ? local->totals_room : 64;

    if (n > TOTALS_MAX || local->totals_len + n > TOTALS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: %zu totals and %zu more: expected at most %zu", local->path,
                          local->totals_len, n, TOTALS_MAX);
    }
    while (room < local->totals_len + n) {
        room *= 2;
    }
    if (room == local->totals_room) {
        return true;
    }
    licet_lease_grant *more = realloc(local->totals, room * sizeof(*more));
    if (more == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for %zu totals", local->path, room);
    }
    local->totals = more;
    local->totals_room = room;
    return true;
}

/* A total never falls: of two the greater is kept. */
static void
set_total(lease_local *local, const licet_lease_grant *grant)
{
    bool found;
    size_t at = find_total(local, grant->cell, grant->kind, &found);

    if (!found) {
        memmove(&local->totals[at + 1], &local->totals[at], (local->totals_len - at) * sizeof(*local->totals));
        local->totals[at] = *grant;
        local->totals_len++;
    } else if (local->totals[at].granted < grant->granted) {
        local->totals[at].granted = grant->granted;
    }
}

static bool
rises(const lease_local *local, const licet_lease_grant *grant, licet_error *err)
{
    bool found;
    size_t at = find_total(local, grant->cell, grant->kind, &found);

    if (found && grant->granted < local->totals[at].granted) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "%s: lease of cell %u, %s, falls from %llu to %llu", local->path,
                          grant->cell, grant->kind, (unsigned long long)local->totals[at].granted,
                          (unsigned long long)grant->granted);
    }
    return true;
}

/* ---- writing ------------------------------------------------------------------- */

static void
put_sum(licet_buffer *out, size_t from)
{
    licet_bytes record = {out->data + from, out->len - from};
    licet_hash sum = out->failed ? (licet_hash){{0}} : licet_sha256(&record, 1);

    licet_put_bytes(out, licet_bytes_of(sum.bytes, RECORD_SUM));
}

static void
put_mark(licet_buffer *out, uint8_t type, uint32_t epoch)
{
    size_t from = out->len;

    licet_put_u32(out, RECORD_MAGIC);
    licet_put_u32(out, 5);
    licet_put_u8(out, type);
    licet_put_u32(out, epoch);
    put_sum(out, from);
}

static void
put_grants(licet_buffer *out, uint32_t epoch, const licet_lease_grant *grants, size_t n)
{
    size_t from = out->len, body = 9;

    for (size_t i = 0; i < n; i++) {
        body += 4 + 2 + strlen(grants[i].kind) + 8;
    }
    licet_put_u32(out, RECORD_MAGIC);
    licet_put_u32(out, (uint32_t)body);
    licet_put_u8(out, BODY_GRANT);
    licet_put_u32(out, epoch);
    licet_put_u32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        licet_put_u32(out, grants[i].cell);
        licet_put_text(out, licet_bytes_of_text(grants[i].kind));
        licet_put_u64(out, grants[i].granted);
    }
    put_sum(out, from);
}

static bool
check_written(lease_local *local, const licet_buffer *out, licet_error *err)
{
    if (out->failed) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for a record", local->path);
    }
    return true;
}

/* Asks for room behind the end; a file system that cannot, or has none, is no fault: the write will tell. */
static void
allocate_ahead(lease_local *local)
{
    if (local->end + AHEAD / 2 > local->room &&
        fallocate(local->fd, FALLOC_FL_KEEP_SIZE, (off_t)local->end, AHEAD) == 0) {
        local->room = local->end + AHEAD;
    }
}

static bool
append(lease_local *local, const licet_buffer *out, licet_error *err)
{
    if (!check_written(local, out, err)) {
        return false;
    }
    if (!licet_file_write_at(local->fd, local->path, licet_buffer_view(out), local->end, err)) {
        local->broken = ftruncate(local->fd, (off_t)local->end) != 0;
        local->room = 0; /* cutting gives back what was allocated behind */
        allocate_ahead(local);
        return false;
    }
    if (fdatasync(local->fd) != 0) {
        LICET_FAIL(err, LICET_E_SYSTEM, local->end, "%s: fdatasync: %s", local->path, strerror(errno));
        local->broken = true;
        (void)!ftruncate(local->fd, (off_t)local->end); /* or a reader would find it in the page cache and believe it */
        return false;
    }
    local->end += out->len;
    allocate_ahead(local);
    return true;
}

static bool
reopen(lease_local *local, licet_error *err)
{
    if (local->fd >= 0) {
        close(local->fd);
    }
    local->fd = open(local->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (local->fd < 0) {
        local->broken = true;
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: open: %s", local->path, strerror(errno));
    }
    return true;
}

/* Writes the file whole: the epoch, if one is begun, and its totals. */
static bool
rewrite(lease_local *local, uint32_t epoch, const licet_lease_grant *totals, size_t n, bool ended, licet_error *err)
{
    licet_buffer out;
    bool ok = false;

    licet_buffer_init(&out, FILE_MAX_BYTES);
    licet_put_bytes(&out, LICET_BYTES_LITERAL(FILE_MAGIC));
    if (epoch != 0) {
        put_mark(&out, BODY_BEGIN, epoch);
    }
    if (n > 0) {
        put_grants(&out, epoch, totals, n);
    }
    if (ended) {
        put_mark(&out, BODY_END, epoch);
    }
    if (!check_written(local, &out, err)) {
        goto done;
    }
    if (!licet_file_replace(local->path, licet_buffer_view(&out), 0600, err)) {
        local->broken = true; /* the old file or the new one: only reading tells */
        goto done;
    }
    if (!reopen(local, err)) {
        goto done;
    }
    local->end = out.len;
    local->compact_at = out.len * COMPACT_TIMES > COMPACT_AT ? out.len * COMPACT_TIMES : COMPACT_AT;
    local->broken = false;
    local->room = 0;
    allocate_ahead(local);
    ok = true;
done:
    licet_buffer_done(&out);
    return ok;
}

/* ---- reading ------------------------------------------------------------------- */

/* The body of the whole record at pos, or false. */
static bool
whole_record(licet_bytes file, uint64_t pos, licet_bytes *out_body)
{
    licet_cursor cursor = {.in = file, .pos = pos};
    uint32_t magic, len;
    licet_bytes body, sum;

    if (!licet_take_u32(&cursor, &magic) || magic != RECORD_MAGIC || !licet_take_u32(&cursor, &len) || len > BODY_MAX ||
        !licet_take_bytes(&cursor, len, &body) || !licet_take_bytes(&cursor, RECORD_SUM, &sum)) {
        return false;
    }
    licet_bytes record = {file.data + pos, RECORD_HEAD + len};
    licet_hash expected = licet_sha256(&record, 1);
    *out_body = body;
    return memcmp(expected.bytes, sum.data, RECORD_SUM) == 0;
}

static bool
whole_record_behind(licet_bytes file, uint64_t pos)
{
    static const uint8_t magic[4] = {0x4c, 0x53, 0x45, 0x31};
    licet_bytes body;

    for (uint64_t at = pos + 1; at + sizeof(magic) <= file.len; at++) {
        const uint8_t *found = memmem(file.data + at, file.len - at, magic, sizeof(magic));
        if (found == NULL) {
            return false;
        }
        at = (uint64_t)(found - file.data);
        if (whole_record(file, at, &body)) {
            return true;
        }
    }
    return false;
}

static bool
take_grant(licet_cursor *cursor, licet_lease_grant *out_grant)
{
    licet_bytes kind;

    memset(out_grant, 0, sizeof(*out_grant));
    if (!licet_take_u32(cursor, &out_grant->cell) || !licet_take_text(cursor, &kind) || kind.len == 0 ||
        kind.len > KIND_MAX || memchr(kind.data, 0, kind.len) != NULL || !licet_take_u64(cursor, &out_grant->granted)) {
        return false;
    }
    memcpy(out_grant->kind, kind.data, kind.len);
    return true;
}

static bool
read_grants(lease_local *local, licet_cursor *cursor, uint64_t offset, licet_error *err)
{
    uint32_t n;

    if (!licet_take_u32(cursor, &n)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, offset, "%s: byte %llu: grants without their number", local->path,
                          (unsigned long long)offset);
    }
    for (uint32_t i = 0; i < n; i++) {
        licet_lease_grant grant;
        if (!take_grant(cursor, &grant)) {
            return LICET_FAIL(err, LICET_E_CORRUPT, offset, "%s: byte %llu: grant %u of %u is not whole", local->path,
                              (unsigned long long)offset, i, n);
        }
        if (!reserve_totals(local, 1, err)) {
            return false;
        }
        set_total(local, &grant);
    }
    return true;
}

static bool
read_body(lease_local *local, licet_bytes body, uint64_t offset, licet_error *err)
{
    licet_cursor cursor = {.in = body};
    uint32_t epoch;
    uint8_t type;

    if (!licet_take_u8(&cursor, &type) || !licet_take_u32(&cursor, &epoch)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, offset, "%s: byte %llu: a record without type and epoch", local->path,
                          (unsigned long long)offset);
    }
    if (type == BODY_BEGIN && local->epoch == 0 && epoch != 0) {
        local->epoch = epoch;
    } else if (type == BODY_GRANT && epoch == local->epoch && epoch != 0 && !local->ended) {
        if (!read_grants(local, &cursor, offset, err)) {
            return false;
        }
    } else if (type == BODY_END && epoch == local->epoch && epoch != 0) {
        local->ended = true;
    } else {
        return LICET_FAIL(err, LICET_E_CORRUPT, offset, "%s: byte %llu: record of type %u and epoch %u in epoch %u",
                          local->path, (unsigned long long)offset, type, epoch, local->epoch);
    }
    if (!licet_cursor_at_end(&cursor)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, offset, "%s: byte %llu: a record has more than its type needs",
                          local->path, (unsigned long long)offset);
    }
    return true;
}

static bool
drop_tail(lease_local *local, uint64_t size, licet_error *err)
{
    if (local->end == size) {
        return true;
    }
    if (ftruncate(local->fd, (off_t)local->end) != 0 || fdatasync(local->fd) != 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, local->end, "%s: cutting a torn record off: %s", local->path,
                          strerror(errno));
    }
    return true;
}

static bool
read_file(lease_local *local, licet_error *err)
{
    uint8_t *data = NULL;
    size_t len;
    licet_bytes file, body;
    bool ok = false;

    if (!licet_file_read(local->path, FILE_MAX_BYTES, &data, &len, err)) {
        return false;
    }
    file = licet_bytes_of(data, len);
    if (len < MAGIC_LEN || memcmp(data, FILE_MAGIC, MAGIC_LEN) != 0) {
        LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: byte 0: not a file of leases", local->path);
        goto done;
    }
    local->end = MAGIC_LEN;
    while (local->end < len && whole_record(file, local->end, &body)) {
        if (!read_body(local, body, local->end, err)) {
            goto done;
        }
        local->end += RECORD_HEAD + body.len + RECORD_SUM;
    }
    if (local->end < len && whole_record_behind(file, local->end)) {
        LICET_FAIL(err, LICET_E_CORRUPT, local->end, "%s: byte %llu: a record is damaged, and whole ones follow",
                   local->path, (unsigned long long)local->end);
        goto done;
    }
    local->compact_at = local->end * COMPACT_TIMES > COMPACT_AT ? local->end * COMPACT_TIMES : COMPACT_AT;
    ok = reopen(local, err) && drop_tail(local, len, err);
    if (ok) {
        allocate_ahead(local);
    }
done:
    free(data);
    return ok;
}

/* ---- the store ------------------------------------------------------------------- */

static lease_local *
local_of(licet_lease_store *store)
{
    return (lease_local *)(void *)store;
}

/* What is held in memory was acknowledged; the file is believed again once all of it was written anew. */
static bool
usable(lease_local *local, licet_error *err)
{
    return !local->broken || rewrite(local, local->epoch, local->totals, local->totals_len, local->ended, err);
}

static bool
check_grants(const lease_local *local, const licet_lease_grant *grants, size_t n, licet_error *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strnlen(grants[i].kind, sizeof(grants[i].kind));
        if (len == 0 || len > KIND_MAX) {
            return LICET_FAIL(err, LICET_E_INVALID, 0, "%s: lease of cell %u: unit name of %zu bytes: expected 1 to %u",
                              local->path, grants[i].cell, len, KIND_MAX);
        }
        if (!rises(local, &grants[i], err)) {
            return false;
        }
    }
    return true;
}

static bool
still_named(const lease_local *local)
{
    struct stat named, held;

    return stat(local->path, &named) == 0 && fstat(local->fd, &held) == 0 && named.st_ino == held.st_ino &&
           named.st_dev == held.st_dev;
}

static bool
compact(lease_local *local, licet_error *err)
{
    if (local->end < local->compact_at ||
        rewrite(local, local->epoch, local->totals, local->totals_len, local->ended, err)) {
        return true;
    }
    if (local->fd < 0 || !still_named(local) || local->end > FILE_MAX_BYTES / 2) {
        return false;
    }
    local->broken = false; /* nothing happened to the file that is there */
    local->compact_at += COMPACT_AT / 4;
    return true;
}

static bool
local_grant(licet_lease_store *store, uint32_t epoch, const licet_lease_grant *grants, size_t n, licet_error *err)
{
    lease_local *local = local_of(store);
    licet_buffer out;
    bool ok = false;

    licet_buffer_init(&out, BODY_MAX);
    if (!usable(local, err)) {
        goto done;
    }
    if (epoch == 0 || epoch != local->epoch || local->ended) {
        LICET_FAIL(err, LICET_E_STATE, 0, "%s: leases of epoch %u: expected epoch %u, begun and not ended", local->path,
                   epoch, local->epoch);
        goto done;
    }
    if (!check_grants(local, grants, n, err) || !reserve_totals(local, n, err) || !compact(local, err)) {
        goto done;
    }
    put_grants(&out, epoch, grants, n);
    if (n > 0 && !append(local, &out, err)) {
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        set_total(local, &grants[i]);
    }
    ok = true;
done:
    licet_buffer_done(&out);
    return ok;
}

static bool
local_each(licet_lease_store *store, uint32_t *out_epoch, bool *out_ended,
           bool (*on_grant)(void *user, const licet_lease_grant *grant), void *user, licet_error *err)
{
    lease_local *local = local_of(store);

    if (!usable(local, err)) {
        return false;
    }
    *out_epoch = local->epoch;
    *out_ended = local->ended;
    for (size_t i = 0; i < local->totals_len; i++) {
        if (!on_grant(user, &local->totals[i])) {
            break;
        }
    }
    return true;
}

static bool
local_begin(licet_lease_store *store, uint32_t epoch, licet_error *err)
{
    lease_local *local = local_of(store);

    if (!usable(local, err)) {
        return false;
    }
    if (epoch <= local->epoch) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: epoch %u begins after epoch %u: expected a later one",
                          local->path, epoch, local->epoch);
    }
    if (!rewrite(local, epoch, NULL, 0, false, err)) {
        return false; /* of the old epoch or the new one: what is written anew next is of the old one, as if it failed
                       */
    }
    local->epoch = epoch;
    local->ended = false;
    local->totals_len = 0;
    return true;
}

static bool
local_end(licet_lease_store *store, uint32_t epoch, licet_error *err)
{
    lease_local *local = local_of(store);
    licet_buffer out;

    if (!usable(local, err)) {
        return false;
    }
    if (epoch == 0 || epoch != local->epoch) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: epoch %u ends: expected epoch %u", local->path, epoch,
                          local->epoch);
    }
    licet_buffer_init(&out, BODY_MAX);
    put_mark(&out, BODY_END, epoch);
    bool ok = local->ended || append(local, &out, err);
    licet_buffer_done(&out);
    local->ended = local->ended || ok;
    return ok;
}

static void
local_close(licet_lease_store *store)
{
    lease_local *local = local_of(store);

    if (store == NULL) {
        return;
    }
    if (local->fd >= 0) {
        close(local->fd);
    }
    free(local->totals);
    free(local->path);
    free(local);
}

static const licet_lease_ops local_ops = {
    .grant = local_grant, .each = local_each, .begin = local_begin, .end = local_end, .close = local_close};

bool
licet_lease_local_open(const char *path, licet_lease_store **out_store, licet_error *err)
{
    lease_local *local = calloc(1, sizeof(*local));
    struct stat st;

    if (local != NULL) {
        local->store.ops = &local_ops;
        local->fd = -1;
        local->path = strdup(path);
    }
    if (local == NULL || local->path == NULL) {
        free(local);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for the store", path);
    }
    bool there = stat(path, &st) == 0;
    if (!there && errno != ENOENT) {
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: stat: %s", path, strerror(errno));
        local_close(&local->store);
        return false;
    }
    if (!(there ? read_file(local, err) : rewrite(local, 0, NULL, 0, false, err))) {
        local_close(&local->store);
        return false;
    }
    *out_store = &local->store;
    return true;
}
