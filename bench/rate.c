/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate: asks for one page at a fixed rate, and tells how long the answers took.
 *
 *      rate PORT PATH KEY RATE CONNECTIONS SECONDS
 *
 *  (1) The i-th request is due at begin + i / RATE, whatever became of those before it, and its time runs from when it
 *      was due: a server that stalls is charged for every request that waited (no coordinated omission).
 *  (2) One thread, no allocation while it runs. Requests find an idle connection or wait for one, in order.
 *  (3) Every answer must be a 200 of the same length; anything else ends the run with exit code 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define HEAD_MAX 8192
#define SECOND UINT64_C(1000000000)

typedef struct connection {
    int fd;
    uint64_t due;  /* of the request under way */
    size_t length; /* of its body; known once the head is complete */
    size_t have;   /* bytes of the body so far */
    size_t head_len;
    bool in_body;
    char head[HEAD_MAX];
} connection;

typedef struct run {
    connection connections[CONNECTIONS_MAX];
    uint32_t idle[CONNECTIONS_MAX], idle_len, len;
    char request[2048];
    size_t request_len;
    uint64_t begin, gap_ns, wanted, sent, done;
    size_t length; /* of every body */
    uint64_t hash; /* FNV-1a of the first body */
    uint64_t *took;
    int epoll;
} run;

static uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void
fail(const char *what)
{
    fprintf(stderr, "rate: %s: %s\n", what, errno != 0 ? strerror(errno) : "not what was expected");
    exit(1);
}

static void
open_connection(run *r, uint32_t i, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    connection *c = &r->connections[i];
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) {
        fail("connect");
    }
    r->idle[r->idle_len++] = i;
}

/* Sends every request that is due and finds a connection. */
static void
send_due(run *r, uint64_t now)
{
    while (r->sent < r->wanted && r->idle_len > 0 && r->begin + r->sent * r->gap_ns <= now) {
        connection *c = &r->connections[r->idle[--r->idle_len]];

        c->due = r->begin + r->sent++ * r->gap_ns;
        c->head_len = c->have = 0;
        c->in_body = false;
        if (write(c->fd, r->request, r->request_len) != (ssize_t)r->request_len) {
            fail("write");
        }
    }
}

/* The head is complete: its status and length. Gives what of the body came with it. */
static size_t
read_head(connection *c, const char *end)
{
    const char *length;

    if (strncmp(c->head, "HTTP/1.1 200", 12) != 0) {
        errno = 0;
        fail("status");
    }
    length = strcasestr(c->head, "\r\nContent-Length:");
    if (length == NULL || length > end) {
        errno = 0;
        fail("Content-Length");
    }
    c->length = strtoul(length + sizeof("\r\nContent-Length:") - 1, NULL, 10);
    c->in_body = true;
    return c->head_len - (size_t)(end + 4 - c->head);
}

static void
take_body(run *r, connection *c, const char *bytes, size_t len)
{
    if (c->due == r->begin) { /* only the first is looked at */
        for (size_t i = 0; i < len; i++) {
            r->hash = (r->hash ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
        }
    }
    c->have += len;
}

static void
finish(run *r, uint32_t i)
{
    connection *c = &r->connections[i];

    if (r->length == 0) {
        r->length = c->length;
    }
    if (c->have != c->length || c->length != r->length) {
        errno = 0;
        fail("length of a body");
    }
    r->took[r->done++] = now_ns() - c->due;
    r->idle[r->idle_len++] = i;
}

static void
receive(run *r, uint32_t i)
{
    static char bytes[65536];
    connection *c = &r->connections[i];
    ssize_t n;

    if (c->in_body) {
        n = read(c->fd, bytes, sizeof(bytes));
        if (n > 0) {
            take_body(r, c, bytes, (size_t)n);
        }
    } else {
        n = read(c->fd, c->head + c->head_len, sizeof(c->head) - 1 - c->head_len);
        if (n > 0) {
            char *end;
            c->head_len += (size_t)n;
            c->head[c->head_len] = '\0';
            end = strstr(c->head, "\r\n\r\n");
            if (end != NULL) {
                size_t len = read_head(c, end);
                take_body(r, c, end + 4, len);
            }
        }
    }
    if (n <= 0) {
        fail("read");
    }
    if (c->in_body && c->have >= c->length) {
        finish(r, i);
    }
}

static void
serve(run *r)
{
    struct epoll_event events[64];

    r->begin = now_ns() + SECOND / 100;
    while (r->done < r->wanted) {
        struct timespec wait = {.tv_sec = 1};
        int n;

        send_due(r, now_ns());
        if (r->sent < r->wanted && r->idle_len > 0) {
            uint64_t next = r->begin + r->sent * r->gap_ns, now = now_ns();

            wait = (struct timespec){.tv_nsec = next > now ? (long)(next - now < SECOND ? next - now : SECOND - 1) : 0};
        }
        n = epoll_pwait2(r->epoll, events, 64, &wait, NULL);
        if (n < 0 && errno != EINTR) {
            fail("epoll_pwait2");
        }
        for (int k = 0; k < n; k++) {
            receive(r, events[k].data.u32);
        }
    }
}

static int
by_time(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

static double
percentile(const run *r, unsigned permille)
{
    uint64_t at = (r->done - 1) * permille / 1000;

    return (double)r->took[at] / 1000;
}

static void
print(run *r)
{
    qsort(r->took, r->done, sizeof(*r->took), by_time);
    printf("{\"requests\":%llu,\"bytes\":%zu,\"checksum\":\"%016llx\",\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%"
           ".1f,"
           "\"max\":%.1f}\n",
           (unsigned long long)r->done, r->length, (unsigned long long)r->hash, percentile(r, 500), percentile(r, 900),
           percentile(r, 990), percentile(r, 999), percentile(r, 1000));
}

int
main(int argc, char **argv)
{
    run *r = calloc(1, sizeof(*r));
    double rate = argc == 7 ? strtod(argv[4], NULL) : 0, seconds = argc == 7 ? strtod(argv[6], NULL) : 0;
    unsigned long connections = argc == 7 ? strtoul(argv[5], NULL, 10) : 0;
    int len;

    if (r == NULL || rate < 1 || rate > 1e6 || seconds <= 0 || seconds > 600 || connections < 1 ||
        connections > CONNECTIONS_MAX) {
        fprintf(stderr, "usage: rate PORT PATH KEY RATE CONNECTIONS SECONDS\n");
        free(r);
        return 2;
    }
    len = snprintf(r->request, sizeof(r->request), "GET %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n",
                   argv[2], argv[3]);
    r->request_len = len > 0 && (size_t)len < sizeof(r->request) ? (size_t)len : 0;
    r->gap_ns = (uint64_t)((double)SECOND / rate);
    r->wanted = (uint64_t)(rate * seconds);
    r->hash = UINT64_C(0xcbf29ce484222325);
    r->took = calloc(r->wanted + 1, sizeof(*r->took));
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    prctl(PR_SET_TIMERSLACK, 1UL);
    if (r->request_len == 0 || r->took == NULL || r->epoll < 0 || r->wanted == 0) {
        fail("begin");
    }
    for (r->len = 0; r->len < connections; r->len++) {
        open_connection(r, r->len, (uint16_t)strtoul(argv[1], NULL, 10));
    }
    serve(r);
    print(r);
    free(r->took);
    free(r);
    return 0;
}
