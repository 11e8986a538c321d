/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails on demand, for a program that knows nothing of it:
 *
 *      LD_PRELOAD=licet-files-shim.so LICET_SHIM_UNDER=/site/data LICET_SHIM_CONTROL=/tmp/control licetd /site
 *
 * The control file holds words; it is read anew whenever it changed, so that a story fills and frees the "disk" while
 * the program runs. An empty file: everything works.
 *
 *      full           nothing grows: a write beyond what a file has allocated, fallocate and a longer file get ENOSPC;
 *                     what is allocated can be written, as on a real disk
 *      error=NAME     what 'full' answers: ENOSPC, EDQUOT, EIO, EROFS
 *      write=NAME sync=NAME open=NAME rename=NAME cut=NAME      that kind of call fails
 *      short          a write of n bytes writes half of them
 *      interrupted    every second write is EINTR
 *      slow=MS        a sync takes so long
 *      only=TEXT      only paths that hold TEXT
 *      nth=N          only the N-th matching call since the control file changed
 *
 *  (1) Only calls on files below LICET_SHIM_UNDER fail. Everything else goes through.
 *  (2) What fails has no effect, as far as the caller can tell.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

typedef enum kind { KIND_WRITE, KIND_SYNC, KIND_OPEN, KIND_RENAME, KIND_CUT, KIND_ROOM, KINDS } kind;

typedef struct control {
    char text[512];
    int error[KINDS];
    bool full, half, interrupted;
    int full_error;
    unsigned slow_ms, nth, calls, turn, fired;
    char only[128];
} control;

/* A shim has nowhere else to keep it. The lock holds through the look, not through the call. */
static control the_control;
static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;

static int
number_of(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {{"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EIO", EIO}, {"EROFS", EROFS}, {"EACCES", EACCES}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, name) == 0) {
            return names[i].number;
        }
    }
    fprintf(stderr, "files shim: error %s: not one it knows\n", name);
    abort();
}

static void
take_word(control *c, const char *word)
{
    static const char *const kinds[KINDS] = {"write=", "sync=", "open=", "rename=", "cut=", "room="};

    for (unsigned i = 0; i < KINDS; i++) {
        if (strncmp(word, kinds[i], strlen(kinds[i])) == 0) {
            c->error[i] = number_of(word + strlen(kinds[i]));
            return;
        }
    }
    if (strncmp(word, "error=", 6) == 0) {
        c->full_error = number_of(word + 6);
    } else if (strncmp(word, "slow=", 5) == 0) {
        c->slow_ms = (unsigned)strtoul(word + 5, NULL, 10);
    } else if (strncmp(word, "nth=", 4) == 0) {
        c->nth = (unsigned)strtoul(word + 4, NULL, 10);
    } else if (strncmp(word, "only=", 5) == 0) {
        snprintf(c->only, sizeof(c->only), "%s", word + 5);
    } else {
        c->full = c->full || strcmp(word, "full") == 0;
        c->half = c->half || strcmp(word, "short") == 0;
        c->interrupted = c->interrupted || strcmp(word, "interrupted") == 0;
    }
}

/* Reads the control file by plain system calls: the functions are ours. */
static void
control_read(void)
{
    const char *path = getenv("LICET_SHIM_CONTROL");
    char text[sizeof(the_control.text)] = {0}, words[sizeof(text)], *save = NULL;
    long fd = path != NULL ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        (void)!syscall(SYS_read, fd, text, sizeof(text) - 1);
        syscall(SYS_close, fd);
    }
    if (strcmp(text, the_control.text) == 0) {
        return;
    }
    memset(&the_control, 0, sizeof(the_control));
    the_control.full_error = ENOSPC;
    memcpy(the_control.text, text, sizeof(text));
    memcpy(words, text, sizeof(text));
    for (char *word = strtok_r(words, " \n", &save); word != NULL; word = strtok_r(NULL, " \n", &save)) {
        take_word(&the_control, word);
    }
}

static bool
concerns(const char *path)
{
    const char *under = getenv("LICET_SHIM_UNDER");

    return under != NULL && strncmp(path, under, strlen(under)) == 0 &&
           (the_control.only[0] == '\0' || strstr(path, the_control.only) != NULL);
}

static bool
path_of(int fd, char out[PATH_MAX])
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, out, PATH_MAX - 1);
    if (n <= 0) {
        return false;
    }
    out[n] = '\0';
    return out[0] == '/';
}

static bool
due(void)
{
    return the_control.nth == 0 || ++the_control.calls == the_control.nth;
}

unsigned licet_shim_fired(void);

/* Calls that failed since the control file changed: for a program that is linked with this. */
unsigned
licet_shim_fired(void)
{
    return the_control.fired;
}

/* The error that a call on the path shall have, or 0. end: the byte behind what it would write, or 0. */
static int
verdict(kind what, const char *path, int fd, off_t end, bool *out_half, unsigned *out_slow)
{
    struct stat st;
    int error = 0;

    pthread_mutex_lock(&the_lock);
    control_read();
    if (concerns(path)) {
        if (the_control.interrupted && what == KIND_WRITE && ++the_control.turn % 2 == 0) {
            error = EINTR;
        } else if (the_control.error[what] != 0 && due()) {
            error = the_control.error[what];
        } else if (the_control.full && end > 0 && fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
                   end > (off_t)st.st_blocks * 512 && due()) {
            error = the_control.full_error;
        }
        the_control.fired += error != 0 ? 1 : 0;
        if (out_half != NULL) {
            *out_half = the_control.half;
        }
        if (out_slow != NULL) {
            *out_slow = the_control.slow_ms;
        }
    }
    pthread_mutex_unlock(&the_lock);
    return error;
}

static int
verdict_fd(kind what, int fd, off_t end, bool *out_half, unsigned *out_slow)
{
    char path[PATH_MAX];
    int saved = errno, error = path_of(fd, path) ? verdict(what, path, fd, end, out_half, out_slow) : 0;

    errno = saved;
    return error;
}

#define NEXT(type, name)                                                                                               \
    static __typeof__(type) next;                                                                                      \
    if (next == NULL) {                                                                                                \
        *(void **)&next = dlsym(RTLD_NEXT, name);                                                                      \
    }

static int
fail(int error)
{
    errno = error;
    return -1;
}

/* ---- writing -------------------------------------------------------------------- */

static off_t
position(int fd)
{
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t
write(int fd, const void *data, size_t len)
{
    NEXT(ssize_t(*)(int, const void *, size_t), "write")
    bool half = false;
    off_t at = fd > 2 ? position(fd) : -1;
    int error = at >= 0 ? verdict_fd(KIND_WRITE, fd, at + (off_t)len, &half, NULL) : 0;

    return error != 0 ? fail(error) : next(fd, data, half && len > 1 ? len / 2 : len);
}

ssize_t
pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    NEXT(ssize_t(*)(int, const void *, size_t, off64_t), "pwrite64")
    bool half = false;
    int error = verdict_fd(KIND_WRITE, fd, at + (off_t)len, &half, NULL);

    return error != 0 ? fail(error) : next(fd, data, half && len > 1 ? len / 2 : len, at);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
    return pwrite64(fd, data, len, at);
}

static size_t
length_of(const struct iovec *pieces, int n)
{
    size_t len = 0;

    for (int i = 0; i < n; i++) {
        len += pieces[i].iov_len;
    }
    return len;
}

ssize_t
pwritev64(int fd, const struct iovec *pieces, int n, off64_t at)
{
    NEXT(ssize_t(*)(int, const struct iovec *, int, off64_t), "pwritev64")
    bool half = false;
    int error = verdict_fd(KIND_WRITE, fd, at + (off_t)length_of(pieces, n), &half, NULL);

    return error != 0 ? fail(error) : next(fd, pieces, half && n > 1 ? n - 1 : n, at);
}

ssize_t
pwritev(int fd, const struct iovec *pieces, int n, off_t at)
{
    return pwritev64(fd, pieces, n, at);
}

/* ---- syncs ------------------------------------------------------------------------ */

static int
sync_by(int (*next)(int), int fd)
{
    struct timespec pause;
    unsigned slow = 0;
    int error = verdict_fd(KIND_SYNC, fd, 0, NULL, &slow);

    if (slow > 0) {
        pause = (struct timespec){.tv_sec = slow / 1000, .tv_nsec = (long)(slow % 1000) * 1000000};
        nanosleep(&pause, NULL);
    }
    return error != 0 ? fail(error) : next(fd);
}

int
fsync(int fd)
{
    NEXT(int (*)(int), "fsync")
    return sync_by(next, fd);
}

int
fdatasync(int fd)
{
    NEXT(int (*)(int), "fdatasync")
    return sync_by(next, fd);
}

/* ---- sizes ------------------------------------------------------------------------- */

int
ftruncate64(int fd, off64_t len)
{
    NEXT(int (*)(int, off64_t), "ftruncate64")
    int error = verdict_fd(KIND_CUT, fd, len, NULL, NULL);

    return error != 0 ? fail(error) : next(fd, len);
}

int
ftruncate(int fd, off_t len)
{
    return ftruncate64(fd, len);
}

int
fallocate64(int fd, int mode, off64_t at, off64_t len)
{
    NEXT(int (*)(int, int, off64_t, off64_t), "fallocate64")
    int error = verdict_fd(KIND_ROOM, fd, at + len, NULL, NULL);

    return error != 0 ? fail(error) : next(fd, mode, at, len);
}

int
fallocate(int fd, int mode, off_t at, off_t len)
{
    return fallocate64(fd, mode, at, len);
}

int
posix_fallocate64(int fd, off64_t at, off64_t len)
{
    NEXT(int (*)(int, off64_t, off64_t), "posix_fallocate64")
    int error = verdict_fd(KIND_ROOM, fd, at + len, NULL, NULL);

    return error != 0 ? error : next(fd, at, len);
}

int
posix_fallocate(int fd, off_t at, off_t len)
{
    return posix_fallocate64(fd, at, len);
}

/* ---- names -------------------------------------------------------------------------- */

int
open64(const char *path, int flags, ...)
{
    NEXT(int (*)(const char *, int, ...), "open64")
    mode_t mode = 0;
    va_list args;
    int saved = errno, error;

    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    error = verdict(KIND_OPEN, path, -1, 0, NULL, NULL);
    errno = saved;
    return error != 0 ? fail(error) : next(path, flags, mode);
}

int
open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;

    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    return open64(path, flags, mode);
}

int
rename(const char *from, const char *to)
{
    NEXT(int (*)(const char *, const char *), "rename")
    int saved = errno, error = verdict(KIND_RENAME, to, -1, 0, NULL, NULL);

    errno = saved;
    return error != 0 ? fail(error) : next(from, to);
}
