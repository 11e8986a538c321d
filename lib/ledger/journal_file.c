/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local journal: segments of batches. docs/format/journal.md has the bytes.
 *
 *  (1) A batch is one write and one fdatasync; its commit record carries a hash that chains all batches of all
 * segments. (2) There is one batch under way: hence what a crash leaves unfinished lies at the very end of the last
 * segment, and no whole batch stands behind it. (3) Opening cuts what (2) describes and nothing else; any other fault
 * is CORRUPT with segment and byte. (4) After a failed sync nobody knows what is on the disk: the journal refuses
 * everything until it is opened anew. A failed write is taken back and may be tried again; its entries are kept. (5)
 * Numbers are dense within what was ever acknowledged. Only opening with at_least raises them, and then the next
 *      segment says so in its header.
 *  (6) Nothing is ever pruned.
 *  (7) Room for a batch, and some more, is allocated before it is written, where the file system can: a full disk is
 * met before a batch begins, and what is allocated can still be written then.
 */
#include "licet/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "journal_walk.h"

#define SEGMENT_NAME "%s/%016llx.jnl"
#define PATH_MAX_LEN 4096
#define ROOM_AHEAD (UINT64_C(1) << 20)

typedef struct segment {
    uint64_t first; /* number of its first entry */
} segment;

typedef struct journal {
    licet_journal face; /* first: the handle that callers hold */
    char dir[PATH_MAX_LEN - 64];
    bool read_only;
    bool failed;             /* (4) */
    int fd;                  /* last segment; -1: none yet */
    uint64_t end;            /* bytes of the last segment that are committed */
    uint64_t room;           /* where what is allocated of it ends, as far as known */
    uint64_t next_committed; /* number behind the last committed entry */
    uint64_t cut;            /* bytes dropped by opening */
    licet_hash chain;        /* hash of the last commit record */
    segment *segments;       /* in rising order */
    size_t segments_len, segments_cap;
    bool raised;       /* the next batch begins a segment, (5) */
    licet_buffer body; /* entries of the batch under way */
    uint32_t count;    /* of them */
    size_t positions_len;
    licet_journal_position positions[LICET_JOURNAL_POSITIONS_MAX];
    uint8_t tail[COMMIT_FIXED + POSITION_LEN * LICET_JOURNAL_POSITIONS_MAX];
} journal;

static journal *
journal_of(licet_journal *face)
{
    return (journal *)face;
}

static const journal *
journal_of_const(const licet_journal *face)
{
    return (const journal *)face;
}

static void
segment_path(const journal *j, uint64_t first, char *out)
{
    snprintf(out, PATH_MAX_LEN, SEGMENT_NAME, j->dir, (unsigned long long)first);
}

static const char *
why(void)
{
    return strerror(errno);
}

static bool
usable(const journal *j, licet_error *err)
{
    if (j->failed)
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: refused since a sync failed; open the journal anew", j->dir);
    return true;
}

/* ---- writing --------------------------------------------------------------------- */

static bool
journal_append(licet_journal *face, licet_journal_kind kind, licet_bytes payload, uint64_t *out_number,
               licet_error *err)
{
    journal *j = journal_of(face);
    if (!usable(j, err))
        return false;
    if (j->read_only)
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: opened for reading: nothing can be appended", j->dir);
    if (j->count == BATCH_ENTRIES_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: a batch holds at most %d entries; commit first", j->dir,
                          BATCH_ENTRIES_MAX);
    if (payload.len > BATCH_BODY_MAX - ENTRY_HEAD || j->body.len > BATCH_BODY_MAX - ENTRY_HEAD - payload.len)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: a batch holds at most %d bytes; commit first", j->dir,
                          BATCH_BODY_MAX);
    size_t start = j->body.len;
    licet_put_u32(&j->body, (uint32_t)payload.len);
    licet_put_u8(&j->body, (uint8_t)kind);
    licet_put_bytes(&j->body, payload);
    if (j->body.failed) {
        j->body.len = start;
        j->body.failed = false; /* what was there is whole: a smaller entry may fit, or memory come back */
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for an entry of %zu bytes", j->dir, payload.len);
    }
    if (out_number != NULL)
        *out_number = j->next_committed + j->count;
    j->count++;
    return true;
}

static bool
dir_sync(const char *dir, licet_error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: the folder could not be synced: %s", dir, why());
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool
segments_add(journal *j, uint64_t first, licet_error *err)
{
    if (j->segments_len == j->segments_cap) {
        size_t cap = j->segments_cap == 0 ? 16 : 2 * j->segments_cap;
        if (cap > SEGMENTS_MAX)
            return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: more than %d segments", j->dir, SEGMENTS_MAX);
        segment *more = realloc(j->segments, cap * sizeof(*more));
        if (more == NULL)
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for %zu segments", j->dir, cap);
        j->segments = more;
        j->segments_cap = cap;
    }
    j->segments[j->segments_len++].first = first;
    return true;
}

/* A new segment counts only when its header and its name are durable. */
static bool
segment_begin(journal *j, licet_error *err)
{
    char path[PATH_MAX_LEN];
    uint8_t header[SEGMENT_HEADER];
    int fd = -1;
    segment_path(j, j->next_committed, path);
    journal_segment_header(j->next_committed, &j->chain, header);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: could not be made: %s", path, why());
    if (!licet_file_write_at(fd, path, licet_bytes_of(header, sizeof(header)), 0, err))
        goto undo;
    if (fsync(fd) != 0) {
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: could not be synced: %s; nothing more is taken", path, why());
        j->failed = true;
        goto undo;
    }
    if (!dir_sync(j->dir, err) || !segments_add(j, j->next_committed, err))
        goto undo;
    if (j->fd >= 0) {
        (void)!ftruncate(j->fd, (off_t)j->end); /* gives back what was allocated behind its end */
        close(j->fd);
    }
    j->fd = fd;
    j->end = SEGMENT_HEADER;
    j->room = 0;
    j->raised = false;
    return true;
undo:
    close(fd);
    unlink(path);
    return false;
}

static bool
positions_same(const journal *j, const licet_journal_position *positions, size_t n)
{
    if (n != j->positions_len)
        return false;
    for (size_t i = 0; i < n; i++)
        if (positions[i].epoch != j->positions[i].epoch || positions[i].area != j->positions[i].area ||
            positions[i].ring != j->positions[i].ring || positions[i].ids != j->positions[i].ids)
            return false;
    return true;
}

/* All of the pieces at the end of the segment; a short write goes on where it stopped. */
static bool
pieces_write(journal *j, struct iovec *pieces, int n, licet_error *err)
{
    uint64_t at = j->end;
    while (n > 0) {
        ssize_t done = pwritev(j->fd, pieces, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return LICET_FAIL(err, LICET_E_SYSTEM, at, "%s/%016llx.jnl: write at %llu failed: %s", j->dir,
                              (unsigned long long)j->segments[j->segments_len - 1].first, (unsigned long long)at,
                              done == 0 ? "nothing written" : why());
        at += (uint64_t)done;
        while (n > 0 && (size_t)done >= pieces[0].iov_len) {
            done -= (ssize_t)pieces[0].iov_len;
            pieces++;
            n--;
        }
        if (n > 0) {
            pieces[0].iov_base = (uint8_t *)pieces[0].iov_base + done;
            pieces[0].iov_len -= (size_t)done;
        }
    }
    return true;
}

/* (4): takes a failed write back, or refuses everything when that fails too. */
static void
write_undo(journal *j)
{
    j->room = 0;
    if (ftruncate(j->fd, (off_t)j->end) != 0)
        j->failed = true;
}

/* (7): what a file system cannot do is no fault, but a disk that is full is one. */
static bool
room_make(journal *j, uint64_t total, licet_error *err)
{
    if (j->end + total <= j->room)
        return true;
    if (fallocate(j->fd, FALLOC_FL_KEEP_SIZE, (off_t)j->end, (off_t)(total + ROOM_AHEAD)) == 0) {
        j->room = j->end + total + ROOM_AHEAD;
        return true;
    }
    if (fallocate(j->fd, FALLOC_FL_KEEP_SIZE, (off_t)j->end, (off_t)total) == 0) {
        j->room = j->end + total;
        return true;
    }
    return (errno != ENOSPC && errno != EDQUOT) ||
           LICET_FAIL(err, LICET_E_SYSTEM, j->end, "%s: no room for a batch of %llu bytes: %s", j->dir,
                      (unsigned long long)total, why());
}

static bool
batch_write(journal *j, uint8_t header[BATCH_HEADER], size_t tail_len, licet_error *err)
{
    struct iovec pieces[3] = {{header, BATCH_HEADER}, {j->body.data, j->body.len}, {j->tail, tail_len}};
    if (j->body.len == 0)
        pieces[1].iov_base = j->tail; /* no bytes, but a valid address */
    if (!pieces_write(j, pieces, 3, err)) {
        write_undo(j);
        return false;
    }
    if (fdatasync(j->fd) != 0) {
        j->failed = true;
        write_undo(j); /* or an opening anew would find it in the page cache and take it for durable */
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: the batch could not be synced: %s; nothing more is taken",
                          j->dir, why());
    }
    return true;
}

static bool
journal_commit(licet_journal *face, const licet_journal_position *positions, size_t n, uint64_t time_ms,
               licet_error *err)
{
    journal *j = journal_of(face);
    uint8_t header[BATCH_HEADER];
    licet_hash chain;
    if (!usable(j, err))
        return false;
    if (n > LICET_JOURNAL_POSITIONS_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: %zu positions: expected at most %d", j->dir, n,
                          LICET_JOURNAL_POSITIONS_MAX);
    if (j->count == 0 && positions_same(j, positions, n))
        return true;
    if (j->read_only)
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: opened for reading: nothing can be committed", j->dir);
    size_t tail_len = COMMIT_FIXED + POSITION_LEN * n;
    uint64_t total = BATCH_HEADER + j->body.len + tail_len;
    if (j->fd < 0 || j->raised || (j->end > SEGMENT_HEADER && j->end + total > SEGMENT_MAX))
        if (!segment_begin(j, err))
            return false;
    batch_header h = {(uint32_t)j->body.len, (uint32_t)n, j->next_committed, time_ms, j->count};
    journal_batch_header(&h, header);
    journal_commit_record(&j->chain, header, licet_buffer_view(&j->body), positions, n, j->tail, &chain);
    if (!room_make(j, total, err) || !batch_write(j, header, tail_len, err))
        return false;
    j->end += total;
    j->chain = chain;
    j->next_committed += j->count;
    j->count = 0;
    j->body.len = 0;
    if (n > 0)
        memmove(j->positions, positions, n * sizeof(*positions)); /* callers may hand back our own view */
    j->positions_len = n;
    return true;
}

/* ---- reading -------------------------------------------------------------------------- */

/* Opens a segment and checks its header against what must come before it. */
static bool
segment_open(const journal *j, size_t index, bool writable, const licet_hash *chain, uint64_t next, journal_walk *w,
             char *path, licet_error *err)
{
    uint8_t header[SEGMENT_HEADER];
    uint64_t first = j->segments[index].first;
    segment_path(j, first, path);
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0)
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: could not be opened: %s", path, why());
    if (!journal_walk_begin(w, fd, path, err))
        goto fail;
    if (w->len < SEGMENT_HEADER) {
        LICET_FAIL(err, LICET_E_CORRUPT, w->len, "%s: byte %llu: the segment header is cut", path,
                   (unsigned long long)w->len);
        goto fail;
    }
    if (!licet_file_read_at(fd, path, header, sizeof(header), 0, err))
        goto fail;
    const char *fault = journal_segment_header_check(header, first, chain);
    if (fault == NULL && first < next)
        fault = "it begins before the segment before it ends";
    if (fault != NULL) {
        LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: byte 0: segment header: %s", path, fault);
        goto fail;
    }
    w->chain = *chain;
    w->next = first;
    return true;
fail:
    close(fd);
    w->fd = -1;
    return false;
}

static bool
journal_replay(licet_journal *face, uint64_t from, licet_on_journal_entry on_entry, void *user, licet_error *err)
{
    journal *j = journal_of(face);
    journal_walk w = {.fd = -1};
    licet_hash chain = {{0}};
    char path[PATH_MAX_LEN];
    size_t index = 0;
    bool ok = true;
    if (!usable(j, err))
        return false;
    while (index + 1 < j->segments_len && j->segments[index + 1].first <= from)
        index++;
    if (index > 0) { /* the chain before it was checked at opening: believe the header */
        uint8_t header[SEGMENT_HEADER];
        segment_path(j, j->segments[index].first, path);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ok = fd >= 0 && licet_file_read_at(fd, path, header, sizeof(header), 0, err);
        if (fd < 0)
            LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: could not be opened: %s", path, why());
        else
            close(fd);
        if (ok)
            journal_segment_header_chain(header, &chain);
    }
    for (; ok && index < j->segments_len; index++) {
        ok = segment_open(j, index, false, &chain, 0, &w, path, err);
        if (!ok)
            break;
        if (index + 1 == j->segments_len)
            w.len = j->end; /* what was committed when it was opened or since */
        while (ok && w.pos < w.len)
            ok = journal_walk_next(&w, err) && (w.next <= from || journal_walk_entries(&w, from, on_entry, user, err));
        close(w.fd);
        chain = w.chain;
    }
    free(w.data);
    return ok;
}

/* ---- opening ---------------------------------------------------------------------------- */

static int
segment_compare(const void *a, const void *b)
{
    const segment *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* <16 lower-case hex digits>.jnl */
static bool
segment_name(const char *name, uint64_t *out_first)
{
    uint8_t bytes[8];
    if (strlen(name) != 20 || strcmp(name + 16, ".jnl") != 0 || strspn(name, "0123456789abcdef") != 16 ||
        !licet_unhex(licet_bytes_of(name, 16), bytes, 8))
        return false;
    *out_first = 0;
    for (unsigned i = 0; i < 8; i++)
        *out_first = *out_first << 8 | bytes[i];
    return true;
}

static bool
segments_list(journal *j, licet_error *err)
{
    DIR *dir = opendir(j->dir);
    bool ok = true;
    struct dirent *entry;
    if (dir == NULL)
        return LICET_FAIL(err, errno == ENOENT ? LICET_E_NOT_FOUND : LICET_E_SYSTEM, 0, "%s: %s", j->dir, why());
    while (ok && (entry = readdir(dir)) != NULL) {
        uint64_t first;
        if (segment_name(entry->d_name, &first))
            ok = segments_add(j, first, err);
    }
    closedir(dir);
    if (j->segments_len > 1)
        qsort(j->segments, j->segments_len, sizeof(*j->segments), segment_compare);
    return ok;
}

/* Is there a whole batch behind the faulty one at w->pos? */
static bool
whole_batch_behind(journal_walk *w, bool *out_found, licet_error *err)
{
    uint64_t from = w->pos;
    size_t len = (size_t)(w->len - from);
    uint8_t *bytes = malloc(len + 1);
    *out_found = false;
    if (bytes == NULL)
        return LICET_FAIL(err, LICET_E_MEMORY, from, "%s: no memory for %zu bytes", w->path, len);
    bool ok = licet_file_read_at(w->fd, w->path, bytes, len, from, err);
    if (ok)
        *out_found = journal_find_batch(bytes, len, &w->chain);
    free(bytes);
    return ok;
}

/* A fault at w->pos of the last segment: cut it if it can be the rest of one unfinished write, else CORRUPT, with *err
 * as walk_next left it. */
static bool
tail_cut(journal *j, journal_walk *w, licet_error *err)
{
    uint64_t rest = w->len - w->pos;
    licet_error system = {0};
    bool found;
    if (rest > BATCH_MAX)
        return false;
    if (!whole_batch_behind(w, &found, &system)) {
        if (err != NULL)
            *err = system;
        return false;
    }
    if (found)
        return false;
    j->cut += rest;
    w->len = w->pos;
    if (j->read_only)
        return true;
    if (ftruncate(w->fd, (off_t)w->pos) != 0 || fdatasync(w->fd) != 0)
        return LICET_FAIL(err, LICET_E_SYSTEM, w->pos, "%s: the unfinished batch could not be cut: %s", w->path, why());
    return true;
}

static bool
segment_walk(journal *j, journal_walk *w, bool last, licet_error *err)
{
    licet_error fault = {0};
    while (w->pos < w->len) {
        if (journal_walk_next(w, &fault)) {
            j->positions_len = w->header.positions;
            for (size_t i = 0; i < j->positions_len; i++)
                j->positions[i] = journal_position_read(w->positions + POSITION_LEN * i);
        } else if (fault.code != LICET_E_CORRUPT || !last || !tail_cut(j, w, &fault)) {
            if (err != NULL)
                *err = fault;
            return false;
        }
    }
    return true;
}

/* A segment whose header never became durable holds nothing that was acknowledged. */
static bool
unborn_drop(journal *j, licet_error *err)
{
    char path[PATH_MAX_LEN];
    uint8_t header[SEGMENT_HEADER];
    struct stat st;
    if (j->segments_len == 0)
        return true;
    segment_path(j, j->segments[j->segments_len - 1].first, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: could not be opened: %s", path, why());
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool unborn = st.st_size < SEGMENT_HEADER;
    if (st.st_size == SEGMENT_HEADER && licet_file_read_at(fd, path, header, sizeof(header), 0, NULL))
        unborn = !journal_segment_header_whole(header);
    close(fd);
    if (!unborn)
        return true;
    j->cut += (uint64_t)st.st_size;
    j->segments_len--;
    if (!j->read_only && (unlink(path) != 0 || !dir_sync(j->dir, err)))
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: the unfinished segment could not be removed: %s", path, why());
    return true;
}

/* A process that died between write and sync leaves a whole batch in the page cache: what is taken for committed is
 * made durable first, since nothing may be written to this segment again. */
static bool
walked_sync(const journal_walk *w, licet_error *err)
{
    return fdatasync(w->fd) == 0 || LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: could not be synced: %s", w->path, why());
}

static bool
segments_walk(journal *j, licet_error *err)
{
    journal_walk w = {.fd = -1};
    licet_hash chain = {{0}};
    char path[PATH_MAX_LEN];
    bool ok = true;
    j->next_committed = 1;
    for (size_t i = 0; ok && i < j->segments_len; i++) {
        bool last = i + 1 == j->segments_len;
        ok = segment_open(j, i, last && !j->read_only, &chain, j->next_committed, &w, path, err);
        if (!ok)
            break;
        ok = segment_walk(j, &w, last, err) && (!last || j->read_only || walked_sync(&w, err));
        chain = w.chain;
        j->next_committed = w.next;
        j->end = w.pos;
        if (last && ok && !j->read_only)
            j->fd = w.fd;
        else
            close(w.fd);
    }
    j->chain = chain;
    free(w.data);
    return ok;
}

static uint64_t
journal_next(const licet_journal *face)
{
    const journal *j = journal_of_const(face);
    return j->next_committed + j->count;
}

static const licet_journal_position *
journal_positions(const licet_journal *face, size_t *out_n)
{
    const journal *j = journal_of_const(face);
    *out_n = j->positions_len;
    return j->positions;
}

static uint64_t
journal_cut(const licet_journal *face)
{
    return journal_of_const(face)->cut;
}

static void
journal_free(journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    licet_buffer_done(&j->body);
    free(j->segments);
    free(j);
}

/* Entries that were never committed are dropped: nobody was told that they are durable. */
static bool
journal_close(licet_journal *face, licet_error *err)
{
    (void)err;
    if (face != NULL)
        journal_free(journal_of(face));
    return true;
}

static const licet_journal_ops JOURNAL_FILE_OPS = {
    .append = journal_append,
    .commit = journal_commit,
    .replay = journal_replay,
    .next = journal_next,
    .positions = journal_positions,
    .cut = journal_cut,
    .close = journal_close,
};

/* The folder itself may be new: what is in it is durable only when its name is. */
static bool
parent_sync(const journal *j, licet_error *err)
{
    char path[PATH_MAX_LEN];
    snprintf(path, sizeof(path), "%s/..", j->dir);
    return dir_sync(path, err);
}

bool
licet_journal_file_open(const char *dir, bool read_only, uint64_t at_least, licet_journal **out_journal,
                        licet_error *err)
{
    journal *j = NULL;
    if (strlen(dir) >= sizeof(j->dir))
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "journal folder of %zu bytes: expected less than %zu", strlen(dir),
                          sizeof(j->dir));
    if (!read_only && !licet_dir_make(dir, 0700, err))
        return false;
    j = calloc(1, sizeof(*j));
    if (j == NULL)
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory to open the journal", dir);
    j->face.ops = &JOURNAL_FILE_OPS;
    j->fd = -1;
    j->read_only = read_only;
    memcpy(j->dir, dir, strlen(dir) + 1);
    licet_buffer_init(&j->body, BATCH_BODY_MAX);
    if (!read_only && !parent_sync(j, err)) {
        journal_free(j);
        return false;
    }
    if (!segments_list(j, err) || !unborn_drop(j, err) || !segments_walk(j, err)) {
        journal_free(j);
        return false;
    }
    if (j->next_committed < at_least) {
        j->next_committed = at_least;
        j->raised = true;
    }
    *out_journal = &j->face;
    return true;
}
