/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading one segment batch by batch, each checked before anything of it is
 * believed.
 */
#include "journal_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool
walk_reserve(journal_walk *w, size_t len, licet_error *err)
{
    if (len <= w->cap)
        return true;
    uint8_t *more = realloc(w->data, len);
    if (more == NULL)
        return LICET_FAIL(err, LICET_E_MEMORY, w->pos, "%s: no memory for a batch of %zu bytes", w->path, len);
    w->data = more;
    w->cap = len;
    return true;
}

bool
journal_walk_begin(journal_walk *w, int fd, const char *path, licet_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    w->fd = fd;
    w->path = path;
    w->len = (uint64_t)st.st_size;
    w->pos = SEGMENT_HEADER;
    return true;
}

bool
journal_walk_next(journal_walk *w, licet_error *err)
{
    licet_hash chain;
    if (w->len - w->pos < BATCH_HEADER)
        return LICET_FAIL(err, LICET_E_CORRUPT, w->pos, "%s: byte %llu: %llu bytes: expected a batch", w->path,
                          (unsigned long long)w->pos, (unsigned long long)(w->len - w->pos));
    if (!walk_reserve(w, BATCH_HEADER, err) || !licet_file_read_at(w->fd, w->path, w->data, BATCH_HEADER, w->pos, err))
        return false;
    const char *fault = journal_batch_header_read(w->data, &w->header);
    if (fault == NULL && w->header.first != w->next)
        fault = "its first number does not follow";
    if (fault != NULL)
        return LICET_FAIL(err, LICET_E_CORRUPT, w->pos, "%s: byte %llu: batch header: %s", w->path,
                          (unsigned long long)w->pos, fault);
    size_t total = BATCH_HEADER + w->header.body_len + COMMIT_FIXED + POSITION_LEN * (size_t)w->header.positions;
    if (w->len - w->pos < total)
        return LICET_FAIL(err, LICET_E_CORRUPT, w->pos, "%s: byte %llu: batch of %zu bytes, the file ends after %llu",
                          w->path, (unsigned long long)w->pos, total, (unsigned long long)(w->len - w->pos));
    if (!walk_reserve(w, total, err) || !licet_file_read_at(w->fd, w->path, w->data, total, w->pos, err))
        return false;
    fault = journal_batch_check(w->data, total, &w->header, &w->chain, &chain);
    if (fault != NULL)
        return LICET_FAIL(err, LICET_E_CORRUPT, w->pos, "%s: byte %llu: batch of entry %llu: %s", w->path,
                          (unsigned long long)w->pos, (unsigned long long)w->header.first, fault);
    w->positions = w->data + BATCH_HEADER + w->header.body_len + COMMIT_MAGIC_LEN;
    w->chain = chain;
    w->next += w->header.count;
    w->pos += total;
    return true;
}

bool
journal_walk_entries(const journal_walk *w, uint64_t from, licet_on_journal_entry on_entry, void *user,
                     licet_error *err)
{
    licet_cursor c = {{w->data + BATCH_HEADER, w->header.body_len}, 0};
    for (uint64_t number = w->header.first; !licet_cursor_at_end(&c); number++) {
        licet_journal_entry entry = {.number = number};
        uint32_t len;
        uint8_t kind;
        if (!licet_take_u32(&c, &len) || !licet_take_u8(&c, &kind) || !licet_take_bytes(&c, len, &entry.payload))
            return LICET_FAIL(err, LICET_E_CORRUPT, c.pos, "%s: entry %llu is cut", w->path,
                              (unsigned long long)number);
        entry.kind = (licet_journal_kind)kind;
        if (number >= from && !on_entry(user, &entry, err))
            return false;
    }
    return true;
}
