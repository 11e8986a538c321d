/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification of a ledger on disk, in one pass over its entries.
 *
 *  (1) Every byte of every file is read and compared with what the entries give, or covered by a hash or signature.
 *  (2) The place of the first difference is named: file and byte, and the entry where there is one.
 *  (3) Nothing is written. What is judged is the state at the moment of the call: the lock on 'commit' is held while
 *      lengths, commit records and checkpoint are taken; afterwards files only grow behind that state.
 */
#include "ledger_file.h"
#include "note.h"
#include "sums.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STREAM_PIECE ((size_t)1 << 18) /* more than the longest entry */

/* ---- a file, read from its first byte to its last ------------------------------------- */

typedef struct stream {
    int fd;
    char path[LEDGER_PATH_MAX];
    uint64_t due;    /* bytes it must have */
    uint64_t filled; /* bytes of the file that were read into data so far */
    size_t pos, len; /* in data */
    uint8_t *data;
} stream;

static uint64_t
stream_at(const stream *s)
{
    return s->filled - (s->len - s->pos);
}

/* A view of the next n bytes, n <= STREAM_PIECE, valid until the next call. */
static bool
stream_take(stream *s, size_t n, const uint8_t **out, licet_error *err)
{
    if (s->len - s->pos < n) {
        memmove(s->data, s->data + s->pos, s->len - s->pos);
        s->len -= s->pos;
        s->pos = 0;
        uint64_t left = s->due - s->filled;
        size_t more = left < STREAM_PIECE - s->len ? (size_t)left : STREAM_PIECE - s->len;
        if (s->len + more < n)
            return LICET_FAIL(err, LICET_E_CORRUPT, s->due, "%s: byte %llu: the file ends inside what begins at %llu",
                              s->path, (unsigned long long)s->due, (unsigned long long)stream_at(s));
        if (!licet_file_read_at(s->fd, s->path, s->data + s->len, more, s->filled, err))
            return false;
        s->len += more;
        s->filled += more;
    }
    *out = s->data + s->pos;
    s->pos += n;
    return true;
}

/* The next bytes of the file must be these. */
static bool
stream_expect(stream *s, const void *bytes, size_t n, uint64_t entry, licet_error *err)
{
    const uint8_t *have;
    uint64_t at = stream_at(s);
    if (!stream_take(s, n, &have, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (have[i] != ((const uint8_t *)bytes)[i])
            return LICET_FAIL(err, LICET_E_CORRUPT, at + i,
                              "%s: byte %llu: differs from what entry %llu and those before it give", s->path,
                              (unsigned long long)(at + i), (unsigned long long)entry);
    return true;
}

/* ---- the pass ---------------------------------------------------------------------------- */

typedef struct check {
    const char *dir;
    int commit_fd;
    ledger_commit commits[COMMIT_SLOTS];
    const ledger_commit *newest;
    stream parts[PARTS];
    bool signed_there;
    licet_checkpoint signed_state;
    uint8_t *note;
    size_t note_len;
    licet_frontier frontier;
    ledger_sums sums;
} check;

static bool
root_expect(const check *c, const licet_hash *root, const char *file, uint64_t offset, const char *what,
            licet_error *err)
{
    licet_hash have = licet_frontier_root(&c->frontier);
    if (memcmp(have.bytes, root->bytes, sizeof(have.bytes)) != 0)
        return LICET_FAIL(err, LICET_E_CORRUPT, offset,
                          "%s/%s: byte %llu: %s of size %llu has another root than entries", c->dir, file,
                          (unsigned long long)offset, what, (unsigned long long)c->frontier.size);
    return true;
}

/* Whatever claims to know a state of the present size. */
static bool
claims_check(const check *c, licet_error *err)
{
    for (unsigned slot = 0; slot < COMMIT_SLOTS; slot++) {
        const ledger_commit *commit = &c->commits[slot];
        uint64_t offset = (uint64_t)slot * COMMIT_SLOT;
        if (commit->size != c->frontier.size)
            continue;
        if (!root_expect(c, &commit->root, "commit", offset, "the commit record", err))
            return false;
        if (commit->entries_len != stream_at(&c->parts[PART_ENTRIES]))
            return LICET_FAIL(err, LICET_E_CORRUPT, offset + 24,
                              "%s/commit: byte %llu: %llu bytes of entries, those of size %llu have %llu", c->dir,
                              (unsigned long long)(offset + 24), (unsigned long long)commit->entries_len,
                              (unsigned long long)commit->size, (unsigned long long)stream_at(&c->parts[PART_ENTRIES]));
    }
    return !c->signed_there || c->signed_state.size != c->frontier.size ||
           root_expect(c, &c->signed_state.root, "checkpoint", 0, "the signed checkpoint", err);
}

static bool
entry_fail(const check *c, uint64_t offset, const licet_error *cause, licet_error *err)
{
    return LICET_FAIL(err, cause->code == LICET_E_INVALID ? LICET_E_CORRUPT : cause->code, offset,
                      "%s/entries: byte %llu: entry %llu: %.300s", c->dir, (unsigned long long)offset,
                      (unsigned long long)c->frontier.size, cause->text);
}

/* What entry adds to tiles and bundles, against the files. */
static bool
parts_expect(check *c, licet_bytes entry, uint64_t offset, licet_error *err)
{
    licet_hash tops[TILE_LEVELS], leaf = licet_leaf_hash(entry);
    const uint8_t *have;
    uint64_t index = c->frontier.size;
    if (!stream_take(&c->parts[PART_TILE_0], sizeof(leaf.bytes), &have, err))
        return false;
    if (memcmp(have, leaf.bytes, sizeof(leaf.bytes)) != 0)
        return LICET_FAIL(err, LICET_E_CORRUPT, offset,
                          "%s/entries: byte %llu: entry %llu does not fit its hash at byte %llu of tile-0: one of the "
                          "two was changed",
                          c->dir, (unsigned long long)offset, (unsigned long long)index,
                          (unsigned long long)(index * sizeof(leaf.bytes)));
    unsigned tops_len = licet_frontier_push(&c->frontier, &leaf, tops);
    for (unsigned i = 0; i < tops_len && i + 1 < TILE_LEVELS; i++)
        if (!stream_expect(&c->parts[PART_TILE_0 + 1 + i], tops[i].bytes, sizeof(tops[i].bytes), index, err))
            return false;
    if (c->frontier.size % BUNDLE_ENTRIES != 0)
        return true;
    uint8_t end[8];
    for (unsigned i = 0; i < 8; i++)
        end[i] = (uint8_t)(stream_at(&c->parts[PART_ENTRIES]) >> (56 - 8 * i));
    return stream_expect(&c->parts[PART_BUNDLES], end, sizeof(end), index, err);
}

static bool
entry_check(check *c, licet_on_entry on_entry, void *user, licet_error *err)
{
    stream *s = &c->parts[PART_ENTRIES];
    uint64_t offset = stream_at(s), index = c->frontier.size;
    licet_error cause = {0};
    const uint8_t *bytes;
    if (!stream_take(s, 2, &bytes, err))
        return false;
    licet_bytes entry = {NULL, (size_t)bytes[0] << 8 | bytes[1]};
    if (!stream_take(s, entry.len, &entry.data, err) || !parts_expect(c, entry, offset, err))
        return false;
    if (!ledger_sums_add(&c->sums, entry, &cause)) {
        c->frontier.size = index; /* for the message only: the pass ends here */
        return entry_fail(c, offset, &cause, err);
    }
    return claims_check(c, err) && (on_entry == NULL || on_entry(user, index, entry, err));
}

static bool
entries_check(check *c, licet_on_entry on_entry, void *user, licet_error *err)
{
    licet_frontier_init(&c->frontier);
    ledger_sums_init(&c->sums);
    if (!claims_check(c, err))
        return false;
    while (c->frontier.size < c->newest->size)
        if (!entry_check(c, on_entry, user, err))
            return false;
    uint64_t at = stream_at(&c->parts[PART_ENTRIES]);
    if (at != c->newest->entries_len)
        return LICET_FAIL(err, LICET_E_CORRUPT, at, "%s/entries: byte %llu: %llu bytes behind the last of %llu entries",
                          c->dir, (unsigned long long)at, (unsigned long long)(c->newest->entries_len - at),
                          (unsigned long long)c->newest->size);
    return true;
}

/* ---- taking the state ---------------------------------------------------------------------- */

/* Of two records the later one has not less of anything. */
static bool
commits_order(const check *c, licet_error *err)
{
    for (unsigned a = 0; a < COMMIT_SLOTS; a++)
        for (unsigned b = 0; b < COMMIT_SLOTS; b++) {
            const ledger_commit *x = &c->commits[a], *y = &c->commits[b];
            bool falls = x->generation <= y->generation &&
                         (x->size > y->size || x->entries_len > y->entries_len || x->folded > y->folded);
            if (falls)
                return LICET_FAIL(err, LICET_E_CORRUPT, (uint64_t)b * COMMIT_SLOT,
                                  "%s/commit: byte %u: generation %llu has less than generation %llu", c->dir,
                                  b * COMMIT_SLOT, (unsigned long long)y->generation,
                                  (unsigned long long)x->generation);
        }
    return true;
}

static bool
commits_take(check *c, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    uint8_t bytes[COMMIT_FILE];
    struct stat st;
    ledger_path(c->dir, "commit", path);
    if (fstat(c->commit_fd, &st) != 0)
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    if (st.st_size != COMMIT_FILE)
        return LICET_FAIL(err, LICET_E_CORRUPT, st.st_size, "%s: byte %llu: the file has %llu bytes: expected %d", path,
                          (unsigned long long)(st.st_size < COMMIT_FILE ? st.st_size : COMMIT_FILE),
                          (unsigned long long)st.st_size, COMMIT_FILE);
    if (!licet_file_read_at(c->commit_fd, path, bytes, sizeof(bytes), 0, err))
        return false;
    c->newest = &c->commits[0];
    for (unsigned slot = 0; slot < COMMIT_SLOTS; slot++) {
        if (!ledger_commit_read(bytes + (size_t)slot * COMMIT_SLOT, slot, &c->commits[slot]))
            return LICET_FAIL(err, LICET_E_CORRUPT, (uint64_t)slot * COMMIT_SLOT,
                              "%s: byte %u: the commit record does not fit its own hash", path, slot * COMMIT_SLOT);
        if (c->commits[slot].generation > c->newest->generation)
            c->newest = &c->commits[slot];
    }
    return commits_order(c, err);
}

static bool
part_take(check *c, unsigned part, licet_error *err)
{
    stream *s = &c->parts[part];
    char name[16];
    struct stat st;
    ledger_part_name(part, name);
    ledger_path(c->dir, name, s->path);
    s->due = ledger_part_len(c->newest, part);
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0 && errno == ENOENT && part > PART_TILE_0 && s->due == 0)
        return true; /* higher tiles have a file from their first hash */
    if (s->fd < 0 || fstat(s->fd, &st) != 0)
        return LICET_FAIL(err, errno == ENOENT ? LICET_E_CORRUPT : LICET_E_SYSTEM, 0, "%s: %s", s->path,
                          strerror(errno));
    if ((uint64_t)st.st_size == s->due && (part <= PART_TILE_0 || s->due > 0))
        return true;
    uint64_t at = (uint64_t)st.st_size < s->due ? (uint64_t)st.st_size : s->due;
    return LICET_FAIL(err, LICET_E_CORRUPT, at, "%s: byte %llu: the file has %llu bytes, its commit record says %llu",
                      s->path, (unsigned long long)at, (unsigned long long)st.st_size, (unsigned long long)s->due);
}

static bool
note_take(check *c, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    licet_error cause = {0};
    ledger_path(c->dir, "checkpoint", path);
    if (licet_file_read(path, NOTE_MAX, &c->note, &c->note_len, &cause)) {
        c->signed_there = true;
        return true;
    }
    if (cause.code == LICET_E_NOT_FOUND)
        return true;
    if (err != NULL)
        *err = cause;
    return false;
}

static bool
state_take(check *c, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    ledger_path(c->dir, "commit", path);
    c->commit_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (c->commit_fd < 0)
        return LICET_FAIL(err, errno == ENOENT ? LICET_E_NOT_FOUND : LICET_E_SYSTEM, 0, "%s: %s", path,
                          strerror(errno));
    while (flock(c->commit_fd, LOCK_SH) != 0)
        if (errno != EINTR)
            return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: could not be locked: %s", path, strerror(errno));
    bool ok = commits_take(c, err);
    for (unsigned part = 0; ok && part < PARTS; part++)
        ok = part_take(c, part, err);
    ok = ok && note_take(c, err);
    flock(c->commit_fd, LOCK_UN);
    return ok;
}

static bool
checkpoint_check(check *c, const licet_verifier_key *key, licet_error *err)
{
    licet_error cause = {0};
    if (!c->signed_there)
        return true;
    if (!licet_checkpoint_open(licet_bytes_of(c->note, c->note_len), key, 1, &c->signed_state, &cause))
        return LICET_FAIL(err, cause.code == LICET_E_INVALID ? LICET_E_CORRUPT : cause.code, cause.offset,
                          "%s/checkpoint: byte %llu: %.300s", c->dir, (unsigned long long)cause.offset, cause.text);
    if (c->signed_state.size > c->newest->size)
        return LICET_FAIL(err, LICET_E_CORRUPT, 0,
                          "%s/checkpoint: byte 0: signed at size %llu, the ledger has %llu entries: it was cut", c->dir,
                          (unsigned long long)c->signed_state.size, (unsigned long long)c->newest->size);
    return true;
}

static void
check_done(check *c)
{
    for (unsigned part = 0; part < PARTS; part++) {
        if (c->parts[part].fd >= 0)
            close(c->parts[part].fd);
        free(c->parts[part].data);
    }
    if (c->commit_fd >= 0)
        close(c->commit_fd);
    free(c->note);
    ledger_sums_done(&c->sums);
    free(c);
}

static bool
streams_ready(check *c, licet_error *err)
{
    for (unsigned part = 0; part < PARTS; part++) {
        if (c->parts[part].due == 0 && part > PART_TILE_0)
            continue;
        c->parts[part].data = malloc(STREAM_PIECE);
        if (c->parts[part].data == NULL)
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory to verify it", c->dir);
    }
    return true;
}

bool
licet_ledger_verify(const char *dir, const licet_verifier_key *key, licet_on_entry on_entry, void *user,
                    licet_ledger_facts *out_facts, licet_error *err)
{
    check *c = NULL;
    bool ok = false;
    if (strlen(dir) >= LEDGER_DIR_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "ledger folder of %zu bytes: expected less than %d", strlen(dir),
                          LEDGER_DIR_MAX);
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory to verify it", dir);
    c->dir = dir;
    c->commit_fd = -1;
    for (unsigned part = 0; part < PARTS; part++)
        c->parts[part].fd = -1;
    ok = state_take(c, err) && checkpoint_check(c, key, err) && streams_ready(c, err) &&
         entries_check(c, on_entry, user, err);
    if (ok) {
        memset(out_facts, 0, sizeof(*out_facts));
        out_facts->size = c->newest->size;
        out_facts->root = c->newest->root;
        if (c->signed_there) {
            out_facts->signed_size = c->signed_state.size;
            memcpy(out_facts->origin, c->signed_state.origin, sizeof(out_facts->origin));
        }
    }
    check_done(c);
    return ok;
}
