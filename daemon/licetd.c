/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licetd: the recorder of one site, in the foreground, under a service manager
 * or `licet up`.
 *
 *  (1) One thread. A round of the recorder, then whoever asks on the three sockets, then a sleep of up to 20 ms: a
 * batch costs a sync whatever its size, so it is left to gather, and nothing of a response waits for it. The sleep is
 *      halved each time a ring is found fuller than a quarter or a lease nearly dry.
 *  (2) SIGTERM and SIGINT end it in order: everything drained, signed, leases given back where no worker is left.
 *  (3) One event is one line on stderr: time, level, text.
 */
#include "api.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_OK = 0, EXIT_FAILED = 2 };
#define SLEEP_MOST_MS 20
#define NAP_MS 4     /* who waits for a lease asks again every 5 ms */
#define FILL_MOST 64 /* 1/256 */
#define WAKE_MS 200
#define WATCHDOG_MS 1000
#define PRUNE_MS 60000

static const char usage_text[] =
    "usage: licetd DIR\n"
    "       licetd --help | --version\n\n"
    "Runs the recorder of the site in DIR in the foreground: makes the shared memory of the nginx workers,\n"
    "journals what they deliver, keeps ledgers and usage tables, has checkpoints signed, and answers on\n"
    "DIR/data/operator.sock, DIR/data/api.sock and DIR/data/metrics.sock. SIGTERM and SIGINT end it in order.\n\n"
    "One line per event goes to stderr. Exit codes: 0 ended in order, 2 could not do its job.\n"
    "man licetd tells more.\n";

typedef struct running {
    licet_recorder *recorder;
    api_operator operator_api;
    api_licensee *licensee_api;
    http_server *operator_server, *licensee_server, *metrics_server;
    int signals;
    bool end;
    uint64_t woken_ms, notified_ms, pruned_ms;
} running;

static uint64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
log_line(void *user, licet_recorder_level level, const char *text)
{
    static const char *const names[] = {"info", "warning", "error"};
    char time[LICET_TIME_TEXT];

    (void)user;
    licet_time_format(now_ms(), time);
    fprintf(stderr, "%s licetd %s: %s\n", time, names[level], text);
}

/* sd_notify(3) without its library: a datagram to the socket that the service manager named. */
static void
notify(const char *state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len;
    int fd;

    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path)) {
        return;
    }
    len = strlen(path);
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
        close(fd);
    }
}

static bool
signals_open(running *run, licet_error *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    run->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return run->signals >= 0 || LICET_FAIL(err, LICET_E_SYSTEM, 0, "cannot take signals: %s", strerror(errno));
}

static void
signals_take(running *run)
{
    struct signalfd_siginfo info;

    while (read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            log_line(NULL, LICET_LOG_INFO, "SIGHUP: there is nothing to read anew; licet apply records changes");
        } else {
            run->end = true;
        }
    }
}

static int
group_of(const char *name)
{
    const struct group *group = name != NULL ? getgrnam(name) : NULL;

    return group != NULL ? (int)group->gr_gid : -1;
}

/* The workers' group, as licet.yaml names it now; without it (or with mistakes in the files) the process's own. */
static int
workers_group(const char *dir)
{
    licet_mistakes mistakes = {NULL, 0, 0};
    licet_site *site = NULL;
    int gid = -1;

    if (licet_site_load(dir, &mistakes, &site, NULL)) {
        gid = group_of(licet_site_config_view(site)->group);
    }
    licet_site_free(site);
    licet_mistakes_done(&mistakes);
    return gid;
}

static bool
sockets_open(running *run, const char *dir, licet_error *err)
{
    char path[4096];
    int gid;

    run->operator_api.recorder = run->recorder;
    snprintf(path, sizeof(path), "%s/data/operator.sock", dir);
    if (!http_open(path, 0600, -1, api_operator_handle, &run->operator_api, &run->operator_server, err) ||
        !api_licensee_new(run->recorder, dir, &run->licensee_api, err)) {
        return false;
    }
    http_keep_bodies(run->operator_server, API_BODY_MAX);
    snprintf(path, sizeof(path), "%s/data/api.sock", dir);
    gid = workers_group(dir);
    if (!http_open(path, 0660, gid, api_licensee_handle, run->licensee_api, &run->licensee_server, err)) {
        return false;
    }
    snprintf(path, sizeof(path), "%s/data/metrics.sock", dir);
    return http_open(path, 0660, gid, api_metrics_handle, run->recorder, &run->metrics_server, err);
}

static bool
first_start(running *run, const char *dir, licet_error *err)
{
    licet_mistakes mistakes = {NULL, 0, 0};
    bool ok;

    if (licet_store_generation(licet_recorder_store(run->recorder)) > 0) {
        return true;
    }
    ok = licet_recorder_apply(run->recorder, "first start", now_ms(), &mistakes, NULL, err);
    for (size_t i = 0; i < mistakes.len; i++) {
        fprintf(stderr, "%s/%s:%u:%u: %s\n", dir, mistakes.list[i].file, mistakes.list[i].line, mistakes.list[i].column,
                mistakes.list[i].text);
    }
    licet_mistakes_done(&mistakes);
    return ok;
}

static bool
start(running *run, const char *dir, licet_error *err)
{
    licet_recorder_options options = {.dir = dir, .with_gate = true, .now_ms = now_ms(), .log = log_line};

    return signals_open(run, err) && licet_recorder_open(&options, &run->recorder, err) && first_start(run, dir, err) &&
           sockets_open(run, dir, err);
}

/* Waits until somebody asks, be it for a lease, a signal comes or the time is over. */
static void
rest(running *run, unsigned most)
{
    struct pollfd fds[4] = {{run->signals, POLLIN, 0},
                            {http_fd(run->operator_server), POLLIN, 0},
                            {http_fd(run->licensee_server), POLLIN, 0},
                            {http_fd(run->metrics_server), POLLIN, 0}};
    int came;
    unsigned nap, patience = http_patience(run->licensee_server, http_patience(run->operator_server, most));

    patience = http_patience(run->metrics_server, patience);
    do {
        nap = patience < NAP_MS ? patience : NAP_MS;
        patience -= nap;
        came = poll(fds, 4, (int)nap);
    } while (came == 0 && patience > 0 && !licet_recorder_wanted(run->recorder));
    if (came > 0 && (fds[0].revents & POLLIN) != 0) {
        signals_take(run);
    }
}

static void
serve(running *run, uint64_t now, uint64_t work)
{
    if (work > 0 || now >= run->woken_ms + WAKE_MS || now < run->woken_ms) {
        run->woken_ms = now;
        http_wake(run->operator_server);
    }
    http_run(run->operator_server, now);
    http_run(run->licensee_server, now);
    http_run(run->metrics_server, now);
    if (now >= run->notified_ms + WATCHDOG_MS || now < run->notified_ms) {
        run->notified_ms = now;
        notify("WATCHDOG=1");
    }
    if (now >= run->pruned_ms + PRUNE_MS || now < run->pruned_ms) {
        run->pruned_ms = now;
        licet_recorder_prune(run->recorder);
    }
}

/* How long to sleep after a round. */
static unsigned
pace(unsigned slept_ms, uint32_t fill)
{
    if (fill > FILL_MOST) {
        return slept_ms > 1 ? slept_ms / 2 : 1;
    }
    return slept_ms < SLEEP_MOST_MS ? slept_ms + 1 : SLEEP_MOST_MS;
}

static void
loop(running *run)
{
    unsigned sleep_ms = 1;
    licet_error err;

    while (!run->end) {
        uint64_t work = 0, now = now_ms();

        licet_recorder_round(run->recorder, now, &work, &err);
        serve(run, now, work);
        sleep_ms = pace(sleep_ms, licet_recorder_fill(run->recorder));
        rest(run, sleep_ms);
    }
}

static int
run_site(const char *dir)
{
    running run = {.signals = -1};
    licet_error err;
    int code = EXIT_OK;
    char line[600];

    if (!start(&run, dir, &err)) {
        log_line(NULL, LICET_LOG_ERROR, err.text);
        code = EXIT_FAILED;
    } else {
        snprintf(line, sizeof(line), "ready: %.400s, process %ld, version " LICET_BUILD, dir, (long)getpid());
        log_line(NULL, LICET_LOG_INFO, line);
        notify("READY=1");
        loop(&run);
        notify("STOPPING=1");
    }
    http_close(run.operator_server);
    http_close(run.licensee_server);
    http_close(run.metrics_server);
    api_licensee_free(run.licensee_api);
    if (!licet_recorder_close(run.recorder, now_ms(), &err)) {
        log_line(NULL, LICET_LOG_ERROR, err.text);
        code = EXIT_FAILED;
    } else if (code == EXIT_OK) {
        log_line(NULL, LICET_LOG_INFO, "ended in order");
    }
    if (run.signals >= 0) {
        close(run.signals);
    }
    return code;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage_text, stdout);
        return EXIT_OK;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("licetd " LICET_BUILD);
        return EXIT_OK;
    }
    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr, "licetd: expected the folder of a site\nsee licetd --help\n");
        return EXIT_FAILED;
    }
    return run_site(argv[1]);
}
