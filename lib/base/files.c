/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: whole reads and whole writes, with the path in every error.
 *
 *  (1) A replaced file is at any instant, also after power loss, the old one
 *      or the new one, whole.
 *  (2) Interrupted and short calls are repeated; what comes back as success
 *      is complete.
 *  (3) A missing file or folder is LICET_E_NOT_FOUND, any other refusal of
 *      the system LICET_E_SYSTEM.
 */
#include "licet/base.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What went wrong in the last system call, from errno. */
static bool
fail_call(licet_error *err, const char *what, const char *path)
{
    return LICET_FAIL(err, errno == ENOENT ? LICET_E_NOT_FOUND : LICET_E_SYSTEM, 0, "%s: %s: %m", path, what);
}

/* Reads up to len bytes at the file's position or, with offset, there; less only at the end of the file. */
static bool
read_full(int fd, const char *path, uint8_t *out, size_t len, const uint64_t *offset, size_t *out_len, licet_error *err)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = offset == NULL ? read(fd, out + done, len - done)
                                   : pread(fd, out + done, len - done, (off_t)(*offset + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_call(err, "cannot read", path);
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    *out_len = done;
    return true;
}

/* Reads to the end, which may have moved since the size was asked for. */
static bool
read_to_end(int fd, const char *path, size_t expected, size_t ceiling, uint8_t **out_data, size_t *out_len,
            licet_error *err)
{
    size_t capacity = (expected < ceiling ? expected : ceiling) + 1;
    size_t len = 0, got = 0;
    uint8_t *data = NULL, *grown;
    bool ok = false;

    for (;;) {
        grown = realloc(data, capacity + 1);
        if (grown == NULL) {
            LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for %zu bytes", path, capacity + 1);
            goto done;
        }
        data = grown;
        if (!read_full(fd, path, data + len, capacity - len, NULL, &got, err)) {
            goto done;
        }
        len += got;
        if (len > ceiling) {
            LICET_FAIL(err, LICET_E_LIMIT, ceiling, "%s: larger than the %zu bytes that are read here", path, ceiling);
            goto done;
        }
        if (len < capacity) {
            break;
        }
        capacity = capacity > ceiling / 2 ? ceiling + 1 : capacity * 2;
    }
    data[len] = '\0';
    *out_data = data;
    *out_len = len;
    data = NULL;
    ok = true;
done:
    free(data);
    return ok;
}

bool
licet_file_read(const char *path, size_t ceiling, uint8_t **out_data, size_t *out_len, licet_error *err)
{
    struct stat st;
    bool ok = false;
    /* O_NONBLOCK: opening a pipe would wait for its writer before it could be refused */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        return fail_call(err, "cannot open", path);
    }
    if (fstat(fd, &st) != 0) {
        fail_call(err, "cannot look at", path);
    } else if (!S_ISREG(st.st_mode)) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "%s: not a regular file", path);
    } else if ((uint64_t)st.st_size > ceiling) {
        LICET_FAIL(err, LICET_E_LIMIT, ceiling, "%s: %lld bytes, more than the %zu that are read here", path,
                   (long long)st.st_size, ceiling);
    } else {
        ok = read_to_end(fd, path, (size_t)st.st_size, ceiling, out_data, out_len, err);
    }
    close(fd);
    return ok;
}

bool
licet_file_read_at(int fd, const char *path, uint8_t *out, size_t len, uint64_t offset, licet_error *err)
{
    size_t got = 0;

    if (offset > INT64_MAX - len) {
        return LICET_FAIL(err, LICET_E_INVALID, offset, "%s: no file reaches byte %llu", path,
                          (unsigned long long)offset);
    }
    if (!read_full(fd, path, out, len, &offset, &got, err)) {
        return false;
    }
    if (got < len) {
        return LICET_FAIL(err, LICET_E_CORRUPT, offset + got, "%s: ends at byte %llu, expected %zu bytes from %llu",
                          path, (unsigned long long)(offset + got), len, (unsigned long long)offset);
    }
    return true;
}

bool
licet_file_write_at(int fd, const char *path, licet_bytes content, uint64_t offset, licet_error *err)
{
    size_t done = 0;

    if (offset > INT64_MAX - content.len) {
        return LICET_FAIL(err, LICET_E_INVALID, offset, "%s: no file reaches byte %llu", path,
                          (unsigned long long)offset);
    }
    while (done < content.len) {
        ssize_t n = pwrite(fd, content.data + done, content.len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_call(err, "cannot write", path);
        }
        if (n == 0) {
            return LICET_FAIL(err, LICET_E_SYSTEM, offset + done, "%s: the system takes no more bytes", path);
        }
        done += (size_t)n;
    }
    return true;
}

/* Makes the entry of path in its folder durable. */
static bool
sync_folder(const char *path, licet_error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    bool ok = false;
    int fd = -1;

    if (folder == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for its folder's name", path);
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        fail_call(err, "cannot sync folder", folder);
        goto done;
    }
    ok = true;
done:
    if (fd >= 0) {
        close(fd);
    }
    free(folder);
    return ok;
}

/* A new file beside path; *out_name is malloc'ed. */
static bool
open_beside(const char *path, unsigned mode, char **out_name, int *out_fd, licet_error *err)
{
    uint8_t random[8];
    char suffix[2 * sizeof(random) + 1];
    char *name;
    int fd;

    if (!licet_random(random, sizeof(random), err)) {
        return false;
    }
    licet_hex(random, sizeof(random), suffix);
    if (asprintf(&name, "%s.%s.new", path, suffix) < 0) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for a name beside it", path);
    }
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
    if (fd < 0) {
        fail_call(err, "cannot create", name);
        free(name);
        return false;
    }
    *out_name = name;
    *out_fd = fd;
    return true;
}

bool
licet_file_replace(const char *path, licet_bytes content, unsigned mode, licet_error *err)
{
    char *name = NULL;
    int fd = -1;
    bool ok = false, created = false;

    if (!open_beside(path, mode, &name, &fd, err)) {
        return false;
    }
    created = true;
    if (!licet_file_write_at(fd, name, content, 0, err)) {
        goto done;
    }
    if (fsync(fd) != 0) {
        fail_call(err, "cannot sync", name);
        goto done;
    }
    if (rename(name, path) != 0) {
        fail_call(err, "cannot replace", path);
        goto done;
    }
    created = false;
    ok = sync_folder(path, err);
done:
    close(fd);
    if (created) {
        unlink(name);
    }
    free(name);
    return ok;
}

static bool
make_one(const char *path, unsigned mode, licet_error *err)
{
    struct stat st;

    if (mkdir(path, (mode_t)mode) == 0) {
        return true;
    }
    if (errno != EEXIST) {
        return fail_call(err, "cannot make folder", path);
    }
    if (stat(path, &st) != 0) {
        return fail_call(err, "cannot look at", path);
    }
    if (!S_ISDIR(st.st_mode)) {
        return LICET_FAIL(err, LICET_E_CONFLICT, 0, "%s: exists and is not a folder", path);
    }
    return true;
}

bool
licet_dir_make(const char *path, unsigned mode, licet_error *err)
{
    char *part = strdup(path);
    bool ok = false;

    if (part == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for its name", path);
    }
    for (char *at = part + 1; part[0] != '\0' && *at != '\0'; at++) {
        if (*at == '/' && at[-1] != '/') {
            *at = '\0';
            if (!make_one(part, mode, err)) {
                goto done;
            }
            *at = '/';
        }
    }
    ok = make_one(part, mode, err);
done:
    free(part);
    return ok;
}
