/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger on disk: flat files that only grow, and a commit record that says
 * how much of them counts.
 *
 *  (1) Files are written before the commit record that covers them. Appends wait in memory until commit, so that under
 *      the lock on 'commit' the files are exactly as long as the newest record says.
 *  (2) Slots 0 and 1 hold the last two synced commits, slot 2 the last one that was not: whatever a power loss does to
 *      bytes that were not synced, a synced state stays readable.
 *  (3) Opening believes an unsynced commit only after hashing everything since the synced one again. What does not
 *      fit is cut: the fold makes it anew from the journal.
 *  (4) A synced state whose right edge does not fit its record is CORRUPT; nothing is repaired.
 *  (5) The newest record has the greatest generation; size and folded never fall from one generation to the next.
 *
 * At most four files are held open: commit, entries, bundles, tile-0, the last three from their first use.
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

void
ledger_path(const char *dir, const char *name, char out[LEDGER_PATH_MAX])
{
    snprintf(out, LEDGER_PATH_MAX, "%s/%s", dir, name);
}

void
ledger_part_path(const licet_ledger *ledger, unsigned part, char out[LEDGER_PATH_MAX])
{
    char name[16];
    ledger_part_name(part, name);
    ledger_path(ledger->dir, name, out);
}

static bool
usable(const licet_ledger *ledger, licet_error *err)
{
    if (ledger->failed)
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: refused since a sync failed; open the ledger anew", ledger->dir);
    return true;
}

/* ---- files ------------------------------------------------------------------------ */

/* A descriptor of a part; *out_owned says whether the caller must close it. */
static bool
part_open(licet_ledger *ledger, unsigned part, int *out_fd, bool *out_owned, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    bool kept = part < PARTS_KEPT_OPEN;
    *out_owned = !kept;
    if (kept && ledger->fds[part] >= 0) {
        *out_fd = ledger->fds[part];
        return true;
    }
    ledger_part_path(ledger, part, path);
    int fd = open(path, (ledger->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !ledger->read_only) {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        ledger->dir_dirty = true;
    }
    if (fd < 0)
        return LICET_FAIL(err, errno == ENOENT ? LICET_E_CORRUPT : LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    if (kept)
        ledger->fds[part] = fd;
    *out_fd = fd;
    return true;
}

bool
ledger_part_read(licet_ledger *ledger, unsigned part, uint64_t offset, uint8_t *out, size_t len, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    int fd;
    bool owned;
    if (!part_open(ledger, part, &fd, &owned, err))
        return false;
    ledger_part_path(ledger, part, path);
    bool ok = licet_file_read_at(fd, path, out, len, offset, err);
    if (owned)
        close(fd);
    return ok;
}

static bool
part_write(licet_ledger *ledger, unsigned part, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    int fd;
    bool owned;
    if (ledger->parts[part].len == 0)
        return true;
    if (!part_open(ledger, part, &fd, &owned, err))
        return false;
    ledger_part_path(ledger, part, path);
    bool ok = licet_file_write_at(fd, path, licet_buffer_view(&ledger->parts[part]),
                                  ledger_part_len(&ledger->now, part), err);
    ledger->dirty |= 1u << part;
    if (owned)
        close(fd);
    return ok;
}

static bool
part_sync(licet_ledger *ledger, unsigned part, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    int fd;
    bool owned;
    if (!(ledger->dirty & 1u << part))
        return true;
    if (!part_open(ledger, part, &fd, &owned, err))
        return false;
    bool ok = fdatasync(fd) == 0;
    if (!ok) {
        ledger_part_path(ledger, part, path);
        ledger->failed = true;
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: could not be synced: %s", path, strerror(errno));
    } else {
        ledger->dirty &= ~(1u << part);
    }
    if (owned)
        close(fd);
    return ok;
}

bool
ledger_dir_sync(licet_ledger *ledger, licet_error *err)
{
    int fd = open(ledger->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok) {
        ledger->failed = true;
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: the folder could not be synced: %s", ledger->dir, strerror(errno));
    } else {
        ledger->dir_dirty = false;
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

bool
ledger_lock(const licet_ledger *ledger, int how, licet_error *err)
{
    while (flock(ledger->commit_fd, how) != 0)
        if (errno != EINTR)
            return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s/commit: could not be locked: %s", ledger->dir,
                              strerror(errno));
    return true;
}

void
ledger_unlock(const licet_ledger *ledger)
{
    flock(ledger->commit_fd, LOCK_UN);
}

bool
ledger_slot_write(licet_ledger *ledger, unsigned slot, const ledger_commit *commit, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    uint8_t bytes[COMMIT_SLOT];
    ledger_path(ledger->dir, "commit", path);
    ledger_commit_write(commit, slot, bytes);
    return licet_file_write_at(ledger->commit_fd, path, licet_bytes_of(bytes, sizeof(bytes)),
                               (uint64_t)slot * COMMIT_SLOT, err);
}

bool
ledger_commit_sync(licet_ledger *ledger, licet_error *err)
{
    if (fdatasync(ledger->commit_fd) != 0) {
        ledger->failed = true;
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s/commit: could not be synced: %s", ledger->dir, strerror(errno));
    }
    return true;
}

/* ---- appending ----------------------------------------------------------------------- */

static void
parts_drop(licet_ledger *ledger)
{
    for (unsigned part = 0; part < PARTS; part++)
        ledger->parts[part].len = 0;
    ledger->pending = 0;
}

/* Puts what one entry adds to each part into the buffers. len of a buffer is put back by the caller on failure. */
static bool
parts_put(licet_ledger *ledger, licet_bytes entry)
{
    licet_hash tops[TILE_LEVELS], leaf = licet_leaf_hash(entry);
    licet_frontier before = ledger->frontier;
    unsigned tops_len = licet_frontier_push(&ledger->frontier, &leaf, tops);
    bool ok = licet_put_text(&ledger->parts[PART_ENTRIES], entry) &&
              licet_put_bytes(&ledger->parts[PART_TILE_0], licet_bytes_of(leaf.bytes, sizeof(leaf.bytes)));
    if (ledger->frontier.size % BUNDLE_ENTRIES == 0)
        ok = ok &&
             licet_put_u64(&ledger->parts[PART_BUNDLES], ledger->now.entries_len + ledger->parts[PART_ENTRIES].len);
    for (unsigned i = 0; i < tops_len && i + 1 < TILE_LEVELS; i++)
        ok = ok &&
             licet_put_bytes(&ledger->parts[PART_TILE_0 + 1 + i], licet_bytes_of(tops[i].bytes, sizeof(tops[i].bytes)));
    if (!ok)
        ledger->frontier = before;
    return ok;
}

bool
licet_ledger_append(licet_ledger *ledger, licet_bytes entry, licet_error *err)
{
    size_t lens[PARTS];
    if (!usable(ledger, err))
        return false;
    if (ledger->read_only)
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: opened for reading: nothing can be appended", ledger->dir);
    if (entry.len > LICET_ENTRY_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "entry of %zu bytes: expected at most %d", entry.len, LICET_ENTRY_MAX);
    for (unsigned part = 0; part < PARTS; part++)
        lens[part] = ledger->parts[part].len;
    if (!parts_put(ledger, entry)) {
        for (unsigned part = 0; part < PARTS; part++) {
            ledger->parts[part].len = lens[part];
            ledger->parts[part].failed = false;
        }
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for entry %llu behind %llu that wait for a commit",
                          ledger->dir, (unsigned long long)ledger->frontier.size, (unsigned long long)ledger->pending);
    }
    ledger->pending++;
    return true;
}

/* Under the lock. Writing again after a failure writes the same bytes to the same places. */
static bool
commit_locked(licet_ledger *ledger, const ledger_commit *next, bool sync, licet_error *err)
{
    for (unsigned part = 0; part < PARTS; part++)
        if (!part_write(ledger, part, err))
            return false;
    if (!sync)
        return ledger_slot_write(ledger, COMMIT_LATEST, next, err);
    for (unsigned part = 0; part < PARTS; part++)
        if (!part_sync(ledger, part, err))
            return false;
    if (ledger->dir_dirty && !ledger_dir_sync(ledger, err))
        return false;
    return ledger_slot_write(ledger, 1 - ledger->durable_slot, next, err) && ledger_commit_sync(ledger, err);
}

bool
licet_ledger_commit(licet_ledger *ledger, uint64_t journal_number, bool sync, licet_error *err)
{
    if (!usable(ledger, err))
        return false;
    if (ledger->read_only)
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: opened for reading: nothing can be committed", ledger->dir);
    if (journal_number < ledger->now.folded)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "%s: folded to journal entry %llu: %llu is committed already",
                          ledger->dir, (unsigned long long)journal_number, (unsigned long long)ledger->now.folded);
    if (ledger->pending == 0 && journal_number == ledger->now.folded && (!sync || ledger->now_durable))
        return true;
    ledger_commit next = {ledger->now.generation + 1, ledger->frontier.size,
                          ledger->now.entries_len + ledger->parts[PART_ENTRIES].len, journal_number,
                          licet_frontier_root(&ledger->frontier)};
    if (!ledger_lock(ledger, LOCK_EX, err))
        return false;
    bool ok = commit_locked(ledger, &next, sync, err);
    ledger_unlock(ledger);
    if (!ok)
        return false;
    ledger->now = next;
    ledger->now_durable = sync;
    if (sync)
        ledger->durable_slot = 1 - ledger->durable_slot;
    parts_drop(ledger);
    return true;
}

/* ---- facts ---------------------------------------------------------------------------- */

uint64_t
licet_ledger_size(const licet_ledger *ledger)
{
    return ledger->now.size;
}

uint64_t
licet_ledger_folded(const licet_ledger *ledger)
{
    return ledger->now.folded;
}

licet_hash
licet_ledger_root(const licet_ledger *ledger)
{
    return ledger->now.root;
}

bool
licet_ledger_checkpoint_write(licet_ledger *ledger, licet_bytes note, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    if (!usable(ledger, err))
        return false;
    if (ledger->read_only)
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: opened for reading: no checkpoint can be written", ledger->dir);
    ledger_path(ledger->dir, "checkpoint", path);
    if (!ledger_lock(ledger, LOCK_EX, err))
        return false;
    bool ok = licet_file_replace(path, note, 0644, err);
    ledger_unlock(ledger);
    return ok;
}
