/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handed: a second opinion on what nginx gave to the sockets of its clients,
 * loaded into it by LD_PRELOAD. It knows nothing of the module, and the
 * module nothing of it.
 *
 *  (1) Each accepted connection has a log, $LICET_HANDED/<port of nginx>-<port of the client>, of records in the order
 * of events: kind u8, length u32 of this machine, bytes. Kinds: 'k' the kernel took these bytes; 'p' TLS took these
 * bytes and all of their records went to the kernel; 'c' the kernel took so many bytes of TLS (u64); 'e' closed. (2)
 * What is logged went through: the call's result counts, not its argument. (3) A log that cannot be written ends the
 * process: silence would read as 'nothing was handed on'.
 *
 * OpenSSL returns from SSL_write with a positive number once the socket has taken every record of it (nginx does not
 * allow partial writes), hence (1) of 'p'. A record that went out in part cannot be read by the client.
 */
/* else the headers call sendfile by its other name, and both are needed here */
#undef _FILE_OFFSET_BITS
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS 65536

typedef struct ssl_st SSL;

static struct {
    int log; /* 0: not a client's */
    int tls;
} of[DESCRIPTORS];

static char folder[400];

int SSL_set_fd(SSL *ssl, int fd);
int SSL_write(SSL *ssl, const void *bytes, int len);

/* ---- log ------------------------------------------------------------------ */

static int
logged(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS && of[fd].log != 0;
}

static void
put(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    long n;

    while (len > 0) {
        n = syscall(SYS_write, of[fd].log, at, len);
        if (n <= 0) {
            abort();
        }
        at += n;
        len -= (size_t)n;
    }
}

static void
put_head(int fd, char kind, uint32_t len)
{
    char head[5];

    head[0] = kind;
    memcpy(head + 1, &len, sizeof(len));
    put(fd, head, sizeof(head));
}

static void
put_record(int fd, char kind, const void *bytes, size_t len)
{
    put_head(fd, kind, (uint32_t)len);
    put(fd, bytes, len);
}

/* The kernel took the first 'taken' bytes of a vector. */
static void
took(int fd, const struct iovec *iov, size_t iovs, ssize_t taken)
{
    size_t left = (size_t)taken, part;
    uint64_t cipher = (uint64_t)taken;
    size_t i;

    if (taken <= 0 || !logged(fd)) {
        return;
    }
    if (of[fd].tls) {
        put_record(fd, 'c', &cipher, sizeof(cipher));
        return;
    }
    put_head(fd, 'k', (uint32_t)left);
    for (i = 0; i < iovs && left > 0; i++) {
        part = iov[i].iov_len < left ? iov[i].iov_len : left;
        put(fd, iov[i].iov_base, part);
        left -= part;
    }
}

static void
took_file(int fd, int file, off_t from, ssize_t taken)
{
    char bytes[65536];
    size_t left = (size_t)taken;
    ssize_t n;

    if (taken <= 0 || !logged(fd)) {
        return;
    }
    put_head(fd, 'k', (uint32_t)left);
    while (left > 0) {
        n = pread(file, bytes, left < sizeof(bytes) ? left : sizeof(bytes), from);
        if (n <= 0) {
            abort();
        }
        put(fd, bytes, (size_t)n);
        from += n;
        left -= (size_t)n;
    }
}

/* nginx empties the environment of its workers, hence at the start. */
__attribute__((constructor)) static void
remember(void)
{
    const char *named = getenv("LICET_HANDED");

    if (named != NULL) {
        snprintf(folder, sizeof(folder), "%s", named);
    }
}

/* ---- connections -------------------------------------------------------------- */

static void
begin(int fd)
{
    struct sockaddr_in peer, own;
    socklen_t len = sizeof(peer), own_len = sizeof(own);
    char path[512];
    int log;

    if (fd < 0 || fd >= DESCRIPTORS || folder[0] == '\0') {
        return;
    }
    of[fd].log = 0;
    of[fd].tls = 0;
    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 || peer.sin_family != AF_INET ||
        getsockname(fd, (struct sockaddr *)&own, &own_len) != 0) {
        return;
    }
    snprintf(path, sizeof(path), "%s/%u-%u", folder, (unsigned)ntohs(own.sin_port), (unsigned)ntohs(peer.sin_port));
    log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (log < 0) {
        abort();
    }
    of[fd].log = log;
}

int
accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    int accepted = (int)syscall(SYS_accept4, fd, address, len, flags);

    begin(accepted);
    return accepted;
}

int
accept(int fd, struct sockaddr *address, socklen_t *len)
{
    return accept4(fd, address, len, 0);
}

int
close(int fd)
{
    if (logged(fd)) {
        put_head(fd, 'e', 0);
        syscall(SYS_close, of[fd].log);
        of[fd].log = 0;
    }
    return (int)syscall(SYS_close, fd);
}

/* ---- what goes out --------------------------------------------------------------- */

ssize_t
write(int fd, const void *bytes, size_t len)
{
    ssize_t n = syscall(SYS_write, fd, bytes, len);

    took(fd, &(struct iovec){(void *)(uintptr_t)bytes, len}, 1, n);
    return n;
}

ssize_t
writev(int fd, const struct iovec *iov, int iovs)
{
    ssize_t n = syscall(SYS_writev, fd, iov, iovs);

    took(fd, iov, (size_t)iovs, n);
    return n;
}

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
    ssize_t n = syscall(SYS_sendto, fd, bytes, len, flags, NULL, 0);

    took(fd, &(struct iovec){(void *)(uintptr_t)bytes, len}, 1, n);
    return n;
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t n = syscall(SYS_sendmsg, fd, message, flags);

    took(fd, message->msg_iov, message->msg_iovlen, n);
    return n;
}

ssize_t
sendfile(int fd, int file, off_t *offset, size_t len)
{
    off_t from = offset != NULL ? *offset : lseek(file, 0, SEEK_CUR);
    ssize_t n = syscall(SYS_sendfile, fd, file, offset, len);

    took_file(fd, file, from, n);
    return n;
}

/* off_t has 64 bits wherever this is built */
_Static_assert(sizeof(off_t) == sizeof(off64_t), "sendfile64 takes what sendfile takes");

ssize_t
sendfile64(int fd, int file, off64_t *offset, size_t len)
{
    return sendfile(fd, file, offset, len);
}

/* ---- TLS ---------------------------------------------------------------------------- */

static void *
next(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    if (symbol == NULL) {
        abort();
    }
    return symbol;
}

int
SSL_set_fd(SSL *ssl, int fd)
{
    static int (*real)(SSL *, int);

    if (real == NULL) {
        *(void **)&real = next("SSL_set_fd");
    }
    if (logged(fd)) {
        of[fd].tls = 1;
    }
    return real(ssl, fd);
}

int
SSL_write(SSL *ssl, const void *bytes, int len)
{
    static int (*real)(SSL *, const void *, int);
    static int (*descriptor)(const SSL *);
    int n, fd;

    if (real == NULL) {
        *(void **)&real = next("SSL_write");
        *(void **)&descriptor = next("SSL_get_fd");
    }
    n = real(ssl, bytes, len);
    fd = descriptor(ssl);
    if (n > 0 && logged(fd)) {
        put_record(fd, 'p', bytes, (size_t)n);
    }
    return n;
}
