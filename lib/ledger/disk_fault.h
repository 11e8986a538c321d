/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails, for tests: the file under test is compiled with its system
 * calls replaced by these (#include of the .c behind this header).
 *
 *  (1) Files are real; beside them the shim keeps what was durable at each one's last sync, and the writes since.
 *  (2) disk_crash turns every file into its durable content plus a random part of the writes since: whole, missing,
 *      or torn at any sector; a file or name that was never synced may vanish.
 *  (3) A countdown makes the n-th call of a kind fail.
 */
#ifndef LICET_LEDGER_DISK_FAULT_H
#define LICET_LEDGER_DISK_FAULT_H

#include "ledger_test.h"

#include <errno.h>
#include <sys/uio.h>

#define DISK_FILES_MAX 64
#define DISK_WRITES_MAX 4096
#define DISK_SECTOR 512

typedef struct disk_write {
    unsigned file;
    uint64_t offset;
    uint8_t *data; /* NULL: the file was cut to offset */
    size_t len;
} disk_write;

typedef struct disk_file {
    char path[512];
    ino_t inode;
    bool named; /* the folder was synced since it was made */
    uint8_t *durable;
    size_t durable_len;
} disk_file;

typedef struct disk {
    disk_file files[DISK_FILES_MAX];
    unsigned files_len;
    disk_write writes[DISK_WRITES_MAX];
    unsigned writes_len;
    unsigned syncs, fail_sync, fail_write; /* fail the n-th from now; 0: never */
    bool full;                             /* a write failed: so do all that follow */
    bool short_writes;
    bool (*always_named)(const char *path); /* names that other code has synced; NULL: none */
    uint64_t seed;
} disk;

static disk the_disk; /* tests only: a shim of system calls has nowhere else to keep it */

static void
disk_forget_writes(unsigned file)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < the_disk.writes_len; i++) {
        if (the_disk.writes[i].file == file)
            free(the_disk.writes[i].data);
        else
            the_disk.writes[kept++] = the_disk.writes[i];
    }
    the_disk.writes_len = kept;
}

static void
disk_reset(uint64_t seed)
{
    for (unsigned i = 0; i < the_disk.files_len; i++) {
        disk_forget_writes(i);
        free(the_disk.files[i].durable);
    }
    bool (*always_named)(const char *path) = the_disk.always_named;
    memset(&the_disk, 0, sizeof(the_disk));
    the_disk.seed = seed;
    the_disk.always_named = always_named;
}

/* The shim's row of an open file; a new row when it was not seen yet: what it holds then counts as durable unless it
 * was made just now. */
static unsigned
disk_row(int fd)
{
    struct stat st;
    char link[64], path[512] = "";
    assert_int_equal(fstat(fd, &st), 0);
    for (unsigned i = 0; i < the_disk.files_len; i++)
        if (the_disk.files[i].inode == st.st_ino)
            return i;
    assert_true(the_disk.files_len < DISK_FILES_MAX);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    assert_true(readlink(link, path, sizeof(path) - 1) > 0);
    disk_file *file = &the_disk.files[the_disk.files_len];
    memcpy(file->path, path, sizeof(path));
    file->inode = st.st_ino;
    if (S_ISREG(st.st_mode)) {
        file->durable_len = (size_t)st.st_size;
        file->durable = malloc(file->durable_len + 1);
        assert_non_null(file->durable);
        assert_int_equal(pread(fd, file->durable, file->durable_len, 0), file->durable_len);
        file->named = file->durable_len > 0 || (the_disk.always_named != NULL && the_disk.always_named(path));
    }
    return the_disk.files_len++;
}

static bool
disk_due(unsigned *countdown)
{
    return *countdown > 0 && --*countdown == 0;
}

static void
disk_note(unsigned file, uint64_t offset, const uint8_t *data, size_t len)
{
    assert_true(the_disk.writes_len < DISK_WRITES_MAX);
    disk_write *w = &the_disk.writes[the_disk.writes_len++];
    *w = (disk_write){file, offset, NULL, len};
    if (data != NULL) {
        w->data = malloc(len + 1);
        assert_non_null(w->data);
        memcpy(w->data, data, len);
    }
}

/* ---- the calls ---------------------------------------------------------------------- */

static ssize_t
disk_pwrite(int fd, const void *data, size_t len, off_t offset)
{
    unsigned file = disk_row(fd);
    if (the_disk.full || disk_due(&the_disk.fail_write)) {
        the_disk.full = true;
        if (len > 1) { /* some of it arrives, and then the disk is full */
            disk_note(file, (uint64_t)offset, data, len / 2);
            (void)!pwrite(fd, data, len / 2, offset);
        }
        errno = ENOSPC;
        return -1;
    }
    if (the_disk.short_writes && len > 1)
        len = 1 + test_random(&the_disk.seed) % (len - 1);
    disk_note(file, (uint64_t)offset, data, len);
    return pwrite(fd, data, len, offset);
}

static inline ssize_t
disk_pwritev(int fd, const struct iovec *pieces, int n, off_t offset)
{
    ssize_t total = 0;
    for (int i = 0; i < n; i++) {
        ssize_t done =
            pieces[i].iov_len == 0 ? 0 : disk_pwrite(fd, pieces[i].iov_base, pieces[i].iov_len, offset + total);
        if (done < 0)
            return total > 0 ? total : -1;
        total += done;
        if ((size_t)done < pieces[i].iov_len)
            break;
    }
    return total;
}

static int
disk_fdatasync(int fd)
{
    struct stat st;
    unsigned row = disk_row(fd);
    the_disk.syncs++;
    if (disk_due(&the_disk.fail_sync)) {
        errno = EIO;
        return -1;
    }
    assert_int_equal(fstat(fd, &st), 0);
    if (S_ISDIR(st.st_mode)) {
        size_t len = strlen(the_disk.files[row].path);
        for (unsigned i = 0; i < the_disk.files_len; i++)
            if (strncmp(the_disk.files[i].path, the_disk.files[row].path, len) == 0)
                the_disk.files[i].named = true;
        return 0;
    }
    disk_file *file = &the_disk.files[row];
    free(file->durable);
    file->durable_len = (size_t)st.st_size;
    file->durable = malloc(file->durable_len + 1);
    assert_non_null(file->durable);
    assert_int_equal(pread(fd, file->durable, file->durable_len, 0), file->durable_len);
    disk_forget_writes(row);
    return 0;
}

static inline int
disk_ftruncate(int fd, off_t len)
{
    disk_note(disk_row(fd), (uint64_t)len, NULL, 0);
    return ftruncate(fd, len);
}

/* ---- power loss --------------------------------------------------------------------------- */

static void
disk_apply(const disk_write *w, bool gentle, uint8_t *bytes, size_t *len, size_t cap)
{
    uint64_t mode = gentle ? 3 : test_random(&the_disk.seed) % 4;
    if (mode == 0)
        return; /* lost */
    if (w->data == NULL) {
        *len = w->offset < *len ? (size_t)w->offset : *len;
        return;
    }
    size_t kept = mode == 1 ? test_random(&the_disk.seed) % (w->len + 1) : w->len; /* cut short, at any byte */
    assert_true(w->offset + w->len <= cap);
    if (w->offset + kept > *len) {
        memset(bytes + *len, 0, w->offset + kept - *len); /* the length arrived, the bytes perhaps not */
        *len = (size_t)(w->offset + kept);
    }
    for (size_t i = 0; i < kept; i += DISK_SECTOR - (w->offset + i) % DISK_SECTOR) {
        size_t n = DISK_SECTOR - (w->offset + i) % DISK_SECTOR;
        n = n < kept - i ? n : kept - i;
        if (mode != 2 || test_random(&the_disk.seed) % 2 == 0)
            memcpy(bytes + w->offset + i, w->data + i, n);
    }
}

static void
disk_crash(void)
{
    bool gentle = test_random(&the_disk.seed) % 4 == 0; /* only the process died: all writes arrive */
    for (unsigned f = 0; f < the_disk.files_len; f++) {
        disk_file *file = &the_disk.files[f];
        size_t cap = file->durable_len + 1, len = file->durable_len;
        if (file->durable == NULL)
            continue; /* a folder */
        if (!file->named && !gentle && test_random(&the_disk.seed) % 2 == 0) {
            unlink(file->path);
            continue;
        }
        for (unsigned i = 0; i < the_disk.writes_len; i++)
            if (the_disk.writes[i].file == f && the_disk.writes[i].offset + the_disk.writes[i].len > cap)
                cap = (size_t)(the_disk.writes[i].offset + the_disk.writes[i].len);
        uint8_t *bytes = calloc(1, cap + 1);
        assert_non_null(bytes);
        memcpy(bytes, file->durable, len);
        for (unsigned i = 0; i < the_disk.writes_len; i++)
            if (the_disk.writes[i].file == f)
                disk_apply(&the_disk.writes[i], gentle, bytes, &len, cap);
        if (access(file->path, F_OK) == 0) {
            test_cut(file->path, 0);
            test_poke(file->path, 0, bytes, len);
        }
        free(bytes);
    }
    disk_reset(the_disk.seed);
}

#endif
