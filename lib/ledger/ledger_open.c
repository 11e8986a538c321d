/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a ledger: which state counts, and what is cut. The invariants are
 * those of ledger_file.c.
 *
 *   slots 0, 1 ── greatest whole one ──► synced state ── does not fit ──► CORRUPT
 *                                             │ fits
 *   slot 2 ── whole, later ──► hash all since ──┬─ fits ──► in force
 *                                               └─ does not ──► the synced state is in force, the rest is cut
 */
#include "ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PENDING_MAX ((size_t)1 << 30) /* bytes of one part that may wait for a commit */

static bool
file_len(const char *path, uint64_t *out_len, bool *out_there, licet_error *err)
{
    struct stat st;
    *out_there = stat(path, &st) == 0;
    if (!*out_there && errno != ENOENT)
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    *out_len = *out_there ? (uint64_t)st.st_size : 0;
    return true;
}

/* The folder may be new: a synced commit in it is durable only when its name is. */
static bool
parent_sync(const licet_ledger *ledger, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    ledger_path(ledger->dir, "..", path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: could not be synced: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Files without a commit record are a new ledger only when nothing is in them. */
static bool
ledger_make(licet_ledger *ledger, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    uint8_t bytes[COMMIT_FILE];
    uint64_t len;
    bool there;
    ledger_commit empty = {.root = licet_empty_root()};
    for (unsigned part = 0; part < PARTS; part++) {
        ledger_part_path(ledger, part, path);
        if (!file_len(path, &len, &there, err))
            return false;
        if (len > 0)
            return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s/commit: missing, yet %s has %llu bytes", ledger->dir, path,
                              (unsigned long long)len);
        int fd = part < PARTS_KEPT_OPEN ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
        if (part < PARTS_KEPT_OPEN && fd < 0)
            return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: could not be made: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
    }
    for (unsigned slot = 0; slot < COMMIT_SLOTS; slot++)
        ledger_commit_write(&empty, slot, bytes + (size_t)slot * COMMIT_SLOT);
    ledger_path(ledger->dir, "commit", path);
    return licet_file_replace(path, licet_bytes_of(bytes, sizeof(bytes)), 0644, err) && parent_sync(ledger, err);
}

static bool
commit_open(licet_ledger *ledger, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    ledger_path(ledger->dir, "commit", path);
    ledger->commit_fd = open(path, (ledger->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (ledger->commit_fd < 0 && errno == ENOENT && !ledger->read_only) {
        if (!ledger_make(ledger, err))
            return false;
        ledger->commit_fd = open(path, O_RDWR | O_CLOEXEC);
    }
    if (ledger->commit_fd < 0)
        return LICET_FAIL(err, errno == ENOENT ? LICET_E_NOT_FOUND : LICET_E_SYSTEM, 0, "%s: %s", path,
                          strerror(errno));
    return true;
}

typedef struct slots {
    bool valid[COMMIT_SLOTS];
    ledger_commit commit[COMMIT_SLOTS];
} slots;

static bool
slots_read(licet_ledger *ledger, slots *out, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    uint8_t bytes[COMMIT_FILE];
    uint64_t len;
    bool there;
    ledger_path(ledger->dir, "commit", path);
    if (!file_len(path, &len, &there, err))
        return false;
    if (len != COMMIT_FILE)
        return LICET_FAIL(err, LICET_E_CORRUPT, len, "%s: %llu bytes: expected %d", path, (unsigned long long)len,
                          COMMIT_FILE);
    if (!licet_file_read_at(ledger->commit_fd, path, bytes, sizeof(bytes), 0, err))
        return false;
    for (unsigned slot = 0; slot < COMMIT_SLOTS; slot++)
        out->valid[slot] = ledger_commit_read(bytes + (size_t)slot * COMMIT_SLOT, slot, &out->commit[slot]);
    if (!out->valid[0] && !out->valid[1])
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: byte 0: neither of its two synced commit records is whole",
                          path);
    return true;
}

/* No file is shorter than the state says. */
static bool
lens_check(const licet_ledger *ledger, const ledger_commit *commit, licet_error *err)
{
    for (unsigned part = 0; part < PARTS; part++) {
        char path[LEDGER_PATH_MAX];
        uint64_t len, due = ledger_part_len(commit, part);
        bool there;
        ledger_part_path(ledger, part, path);
        if (!file_len(path, &len, &there, err))
            return false;
        if (len < due)
            return LICET_FAIL(err, LICET_E_CORRUPT, len, "%s: byte %llu: the file ends, its commit record says %llu",
                              path, (unsigned long long)len, (unsigned long long)due);
    }
    return true;
}

/* Reads the entries from byte start to byte end and hashes them onto the frontier; each must fit its place in tile-0
 * when compare says so. Exactly count of them must fill the range. */
typedef struct edge {
    uint64_t start, end, count;
} edge;

static bool
edge_fail(const licet_ledger *ledger, uint64_t index, uint64_t offset, const char *what, licet_error *err)
{
    return LICET_FAIL(err, LICET_E_CORRUPT, offset, "%s/entries: byte %llu: entry %llu %s", ledger->dir,
                      (unsigned long long)offset, (unsigned long long)index, what);
}

static bool
edge_entry(licet_ledger *ledger, licet_cursor *c, const edge *e, uint64_t index, licet_frontier *frontier,
           licet_error *err)
{
    uint64_t offset = e->start + c->pos;
    licet_bytes entry;
    licet_hash stored;
    if (!licet_take_text(c, &entry))
        return edge_fail(ledger, index, offset, "is cut", err);
    licet_hash leaf = licet_leaf_hash(entry);
    if (!ledger_part_read(ledger, PART_TILE_0, index * LICET_SHA256_LEN, stored.bytes, sizeof(stored.bytes), err))
        return false;
    if (memcmp(stored.bytes, leaf.bytes, sizeof(leaf.bytes)) != 0)
        return edge_fail(ledger, index, offset, "does not fit its hash in tile-0", err);
    if (frontier != NULL)
        licet_frontier_append(frontier, &leaf);
    return true;
}

/* By pieces, so that memory stays bounded; a piece always holds one whole entry at least. */
static bool
edge_walk(licet_ledger *ledger, edge e, uint64_t index, licet_frontier *frontier, licet_error *err)
{
    enum { PIECE = 1 << 20 };
    uint8_t *bytes = malloc(PIECE);
    bool ok = bytes != NULL;
    if (!ok)
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory to check its right edge", ledger->dir);
    while (ok && e.count > 0) {
        size_t len = e.end - e.start < PIECE ? (size_t)(e.end - e.start) : PIECE;
        ok = ledger_part_read(ledger, PART_ENTRIES, e.start, bytes, len, err);
        licet_cursor c = {{bytes, len}, 0};
        bool last = len == e.end - e.start;
        while (ok && e.count > 0 && (last || len - c.pos > LICET_ENTRY_MAX + 2)) {
            ok = edge_entry(ledger, &c, &e, index, frontier, err);
            index++;
            e.count--;
        }
        e.start += c.pos;
    }
    free(bytes);
    if (ok && e.start != e.end)
        return edge_fail(ledger, index, e.start, "is one more than the commit record says", err);
    return ok;
}

/* The synced state: root from the tiles, and the entries of the last bundle against their hashes. */
static bool
durable_check(licet_ledger *ledger, const ledger_commit *commit, licet_frontier *out_frontier, licet_error *err)
{
    ledger->now = *commit;
    if (!lens_check(ledger, commit, err) || !licet_tree_frontier(commit->size, ledger_node, ledger, out_frontier, err))
        return false;
    licet_hash root = licet_frontier_root(out_frontier);
    if (memcmp(root.bytes, commit->root.bytes, sizeof(root.bytes)) != 0)
        return LICET_FAIL(err, LICET_E_CORRUPT, 0,
                          "%s/tile-0: the hashes of its right edge give another root than the commit record has",
                          ledger->dir);
    edge e = {.count = commit->size % BUNDLE_ENTRIES};
    if (e.count > 0 && !ledger_bundle_range(ledger, commit->size / BUNDLE_ENTRIES, &e.start, &e.end, err))
        return false;
    return e.count == 0 || edge_walk(ledger, e, commit->size - e.count, NULL, err);
}

/* The bytes that entries since 'from' add to bundles and the higher tiles, against the files. Hash by hash: this runs
 * once, at opening. */
static bool
latest_tiles_check(licet_ledger *ledger, const ledger_commit *from, const ledger_commit *to)
{
    for (unsigned level = 1; level < TILE_LEVELS; level++) {
        uint64_t first = from->size >> (TILE_HEIGHT * level), end = to->size >> (TILE_HEIGHT * level);
        for (uint64_t i = first; i < end; i++) {
            licet_hash below[TILE_HASHES], stored;
            if (!ledger_part_read(ledger, PART_TILE_0 + level - 1, i * sizeof(below), (uint8_t *)below, sizeof(below),
                                  NULL) ||
                !ledger_part_read(ledger, PART_TILE_0 + level, i * sizeof(stored), stored.bytes, sizeof(stored), NULL))
                return false;
            licet_hash top = licet_tree_perfect(below, TILE_HEIGHT);
            if (memcmp(top.bytes, stored.bytes, sizeof(top.bytes)) != 0)
                return false;
        }
    }
    return true;
}

/* Each new offset of 'bundles' must be where a walk over 256 lengths arrives. */
static bool
latest_bundles_check(licet_ledger *ledger, const ledger_commit *from, const ledger_commit *to)
{
    for (uint64_t n = from->size / BUNDLE_ENTRIES; n < to->size / BUNDLE_ENTRIES; n++) {
        uint64_t start, end;
        if (!ledger_bundle_range(ledger, n, &start, &end, NULL) ||
            !edge_walk(ledger, (edge){start, end, BUNDLE_ENTRIES}, n * BUNDLE_ENTRIES, NULL, NULL))
            return false;
    }
    return true;
}

/* (3): everything since the synced state, hashed again. */
static bool
latest_check(licet_ledger *ledger, const ledger_commit *durable, const ledger_commit *latest, licet_frontier *frontier)
{
    licet_frontier trial = *frontier;
    if (latest->generation <= durable->generation || latest->size < durable->size ||
        latest->entries_len < durable->entries_len || latest->folded < durable->folded ||
        !lens_check(ledger, latest, NULL))
        return false;
    ledger->now = *latest;
    edge e = {durable->entries_len, latest->entries_len, latest->size - durable->size};
    bool ok = edge_walk(ledger, e, durable->size, &trial, NULL);
    licet_hash root = licet_frontier_root(&trial);
    ok = ok && memcmp(root.bytes, latest->root.bytes, sizeof(root.bytes)) == 0 &&
         latest_tiles_check(ledger, durable, latest) && latest_bundles_check(ledger, durable, latest);
    if (ok)
        *frontier = trial;
    else
        ledger->now = *durable;
    return ok;
}

/* Cuts every part to the adopted state; a higher tile file that has nothing goes. */
static bool
parts_cut(licet_ledger *ledger, licet_error *err)
{
    for (unsigned part = 0; part < PARTS; part++) {
        char path[LEDGER_PATH_MAX];
        uint64_t len, due = ledger_part_len(&ledger->now, part);
        bool there;
        ledger_part_path(ledger, part, path);
        if (!file_len(path, &len, &there, err))
            return false;
        if (part >= PARTS_KEPT_OPEN && due == 0) {
            if (there && unlink(path) != 0)
                return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: could not be removed: %s", path, strerror(errno));
            continue;
        }
        if (len > due && truncate(path, (off_t)due) != 0)
            return LICET_FAIL(err, LICET_E_SYSTEM, due, "%s: could not be cut to %llu bytes: %s", path,
                              (unsigned long long)due, strerror(errno));
        if (!ledger->now_durable || len > due)
            ledger->dirty |= 1u << part; /* also what a process that died had written, unsynced */
    }
    return true;
}

/* Slots that are torn, or tell of a state that was given up, get the adopted one. */
static bool
slots_mend(licet_ledger *ledger, const slots *s, bool latest_adopted, licet_error *err)
{
    bool mended = false;
    for (unsigned slot = 0; slot < COMMIT_SLOTS; slot++) {
        bool given_up = slot == COMMIT_LATEST && !latest_adopted && s->valid[slot] &&
                        s->commit[slot].generation > ledger->now.generation;
        if (s->valid[slot] && !given_up)
            continue;
        ledger_commit good = slot == COMMIT_LATEST ? ledger->now : s->commit[ledger->durable_slot];
        if (!ledger_slot_write(ledger, slot, &good, err))
            return false;
        mended = true;
    }
    return !mended || ledger_commit_sync(ledger, err);
}

static bool
open_locked(licet_ledger *ledger, licet_error *err)
{
    slots s;
    if (!slots_read(ledger, &s, err))
        return false;
    bool second = !s.valid[0] || (s.valid[1] && s.commit[1].generation > s.commit[0].generation);
    ledger->durable_slot = second ? 1 : 0;
    const ledger_commit *durable = &s.commit[ledger->durable_slot];
    if (!durable_check(ledger, durable, &ledger->frontier, err))
        return false;
    bool adopted = s.valid[COMMIT_LATEST] && latest_check(ledger, durable, &s.commit[COMMIT_LATEST], &ledger->frontier);
    ledger->now_durable = !adopted;
    if (ledger->read_only)
        return true;
    return parts_cut(ledger, err) && slots_mend(ledger, &s, adopted, err);
}

static void
ledger_free(licet_ledger *ledger)
{
    for (unsigned part = 0; part < PARTS_KEPT_OPEN; part++)
        if (ledger->fds[part] >= 0)
            close(ledger->fds[part]);
    if (ledger->commit_fd >= 0)
        close(ledger->commit_fd);
    for (unsigned part = 0; part < PARTS; part++)
        licet_buffer_done(&ledger->parts[part]);
    free(ledger->dir);
    free(ledger);
}

bool
licet_ledger_open(const char *dir, bool read_only, licet_ledger **out_ledger, licet_error *err)
{
    licet_ledger *ledger = NULL;
    if (strlen(dir) >= LEDGER_DIR_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "ledger folder of %zu bytes: expected less than %d", strlen(dir),
                          LEDGER_DIR_MAX);
    if (!read_only && !licet_dir_make(dir, 0755, err))
        return false;
    ledger = calloc(1, sizeof(*ledger));
    char *copy = strdup(dir);
    if (ledger == NULL || copy == NULL) {
        free(ledger);
        free(copy);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory to open the ledger", dir);
    }
    ledger->dir = copy;
    ledger->read_only = read_only;
    ledger->commit_fd = -1;
    for (unsigned part = 0; part < PARTS_KEPT_OPEN; part++)
        ledger->fds[part] = -1;
    for (unsigned part = 0; part < PARTS; part++)
        licet_buffer_init(&ledger->parts[part], PENDING_MAX);
    bool ok = commit_open(ledger, err) && ledger_lock(ledger, read_only ? LOCK_SH : LOCK_EX, err);
    if (ok) {
        ok = open_locked(ledger, err);
        ledger_unlock(ledger);
    }
    if (!ok) {
        ledger_free(ledger);
        return false;
    }
    *out_ledger = ledger;
    return true;
}

/* Entries that were appended and not committed are dropped. */
bool
licet_ledger_close(licet_ledger *ledger, licet_error *err)
{
    (void)err;
    if (ledger != NULL)
        ledger_free(ledger);
    return true;
}
