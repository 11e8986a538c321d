/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet up: licetd and an nginx of its own for one site, in the foreground.
 *
 *  (1) It is ready, and says so, only when licetd answers and nginx listens.
 *  (2) A licetd that dies is started again (the gate lives on without it); an nginx that dies ends the whole.
 *  (3) On SIGINT and SIGTERM nginx finishes what is under way, then licetd drains, signs and ends.
 */
#include "child.h"
#include "cli.h"
#include "nginxconf.h"
#include "operator.h"
#include "site.h"

#include "licet/agreement.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: licet up DIR [--workers N] [--print-nginx] [--json]\n"
    "\n"
    "Runs the site DIR in the foreground: licetd, and an nginx of its own that listens where licet.yaml says, meters\n"
    "what passes on its way to the upstream, and serves the licensee's API under /.well-known/licet/. A site with\n"
    "nothing recorded yet is applied first, with the reason 'first start'. Stop it with Ctrl-C.\n"
    "\n"
    "  --workers N     nginx workers; default: one for each processor, at most what licet.yaml allows\n"
    "  --print-nginx   print the nginx configuration and end; nothing is started\n"
    "  --json          print one JSON line with the addresses when ready\n"
    "\n"
    "When root starts it the workers run as the owner of DIR. Logs: DIR/data/nginx/error.log and access.log; licetd\n"
    "speaks on stderr.\n"
    "\n"
    "exit status: 0 stopped in order, 1 licet check would refuse the site, 2 it could not run\n";

extern const licet_command licet_command_up;

typedef struct up {
    char *dir; /* of argv */
    unsigned workers;
    bool print_nginx, json;
    char data[PATH_MAX], folder[PATH_MAX], conf[PATH_MAX], log[PATH_MAX];
    char module[PATH_MAX], licetd[PATH_MAX], user[64];
    licet_site *site;
    const licet_site_config *config;
    licet_child recorder, nginx;
} up;

static bool
join(char *out, const char *a, const char *b, licet_error *err)
{
    return snprintf(out, PATH_MAX, "%s/%s", a, b) < PATH_MAX
               ? true
               : LICET_FAIL(err, LICET_E_LIMIT, 0, "%s/%s: the name is too long", a, b);
}

static int
parse(up *u, int argc, char **argv)
{
    static const struct option options[] = {{"workers", required_argument, NULL, 'w'},
                                            {"print-nginx", no_argument, NULL, 'p'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    uint64_t workers = 0;
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'w':
            if (!licet_parse_u64(licet_bytes_of_text(optarg), &workers) || workers < 1 || workers > 256) {
                return licet_cli_misuse(&licet_command_up, "--workers \"%s\": expected a number from 1 to 256", optarg);
            }
            break;
        case 'p':
            u->print_nginx = true;
            break;
        case 'j':
            u->json = true;
            break;
        case 'h':
            licet_cli_help(&licet_command_up);
            return -1;
        default:
            return licet_cli_misuse(&licet_command_up, "%s: unknown or incomplete option", argv[optind - 1]);
        }
    }
    if (argc - optind != 1) {
        return licet_cli_misuse(&licet_command_up, "expected one DIR, got %d", argc - optind);
    }
    u->dir = argv[optind];
    u->workers = (unsigned)workers;
    return LICET_EXIT_OK;
}

/* The site is judged before anything is started. */
static int
load(up *u)
{
    int rc = licet_cli_site_load(&licet_command_up, u->dir, &u->site);

    if (rc != LICET_EXIT_OK) {
        return rc;
    }
    u->config = licet_site_config_view(u->site);
    if (u->workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        u->workers = cores > 0 && cores < 256 ? (unsigned)cores : 1;
    }
    /* A reload doubles the workers for a while: leave as many areas free. */
    if (u->workers * 2 > u->config->workers) {
        u->workers = u->config->workers >= 2 ? u->config->workers / 2 : 1;
    }
    return LICET_EXIT_OK;
}

static bool
prepare(up *u, licet_error *err)
{
    char real[PATH_MAX];
    licet_buffer conf;
    struct stat info;
    const struct passwd *owner;
    bool ok;

    if (realpath(u->dir, real) == NULL || stat(real, &info) != 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", u->dir, strerror(errno));
    }
    if (!join(u->data, real, "data", err) || !join(u->folder, u->data, "nginx", err) ||
        !join(u->conf, u->folder, "nginx.conf", err) || !join(u->log, u->folder, "error.log", err) ||
        !licet_program_find("licetd", u->licetd, err) ||
        !licet_program_find("ngx_http_licet_module.so", u->module, err)) {
        return false;
    }
    owner = geteuid() == 0 ? getpwuid(info.st_uid) : NULL;
    if (owner != NULL) {
        snprintf(u->user, sizeof(u->user), "%s", owner->pw_name);
    }
    licet_buffer_init(&conf, 1 << 16);
    ok = licet_nginx_conf(u->config, u->folder, u->data, u->module, owner != NULL ? u->user : NULL, u->workers, &conf,
                          err);
    if (ok && u->print_nginx) {
        fwrite(conf.data, 1, conf.len, stdout);
    } else if (ok) {
        ok = licet_dir_make(u->folder, 0750, err) && licet_file_replace(u->conf, licet_buffer_view(&conf), 0640, err);
        if (ok && owner != NULL && chown(u->folder, owner->pw_uid, owner->pw_gid) != 0) {
            ok = LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot be given to %s: %s", u->folder, u->user,
                            strerror(errno));
        }
    }
    licet_buffer_done(&conf);
    return ok;
}

static bool
recorder_answers(up *u)
{
    licet_buffer answer;
    licet_error err;
    long status = 0;
    bool ok;

    licet_buffer_init(&answer, 1 << 20);
    ok = licet_operator_call(u->dir, "GET", "/healthz", (licet_bytes){NULL, 0}, 2000, &status, &answer, &err) &&
         status == 200;
    licet_buffer_done(&answer);
    return ok;
}

static bool
start_recorder(up *u, licet_error *err)
{
    char *argv[] = {u->licetd, u->dir, NULL};

    if (!licet_child_start(&u->recorder, "licetd", argv, NULL, err)) {
        return false;
    }
    for (unsigned waited = 0; waited < 60000; waited += 20) {
        if (recorder_answers(u)) {
            return true;
        }
        if (!licet_child_running(&u->recorder)) {
            return LICET_FAIL(err, LICET_E_STATE, 0, "licetd ended before it was ready; what it said stands above");
        }
        licet_pause(20);
    }
    return LICET_FAIL(err, LICET_E_STATE, 0, "licetd did not answer within 60 s");
}

static uint16_t
listen_port(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    uint64_t port = 0;

    return licet_parse_u64(licet_bytes_of_text(colon != NULL ? colon + 1 : listen), &port) && port < 65536
               ? (uint16_t)port
               : 0;
}

static bool
start_nginx(up *u, licet_error *err)
{
    char *test[] = {"nginx", "-q", "-t", "-p", u->folder, "-c", u->conf, "-e", u->log, NULL};
    char *run[] = {"nginx", "-p", u->folder, "-c", u->conf, "-e", u->log, NULL};
    licet_buffer said;
    int code = 0;
    bool ok;

    licet_buffer_init(&said, 1 << 16);
    ok = licet_child_run(test, &said, &code, err);
    if (ok && code != 0) {
        ok = LICET_FAIL(err, LICET_E_STATE, 0, "nginx does not take the configuration: %.*s",
                        (int)(said.len < 380 ? said.len : 380), said.len > 0 ? (const char *)said.data : "");
    }
    licet_buffer_done(&said);
    if (!ok || !licet_child_start(&u->nginx, "nginx", run, NULL, err)) {
        return false;
    }
    for (unsigned waited = 0; waited < 10000; waited += 100) {
        if (licet_port_wait(listen_port(u->config->listen), 80)) {
            return true;
        }
        if (!licet_child_running(&u->nginx)) {
            break;
        }
    }
    return LICET_FAIL(err, LICET_E_STATE, 0, "nginx does not listen on %s; see %s", u->config->listen, u->log);
}

static void
say_ready(const up *u)
{
    if (u->json) {
        printf("{\"ready\":true,\"gate\":\"http://%s/\",\"api\":\"http://%s/.well-known/licet/\",\"nginx\":%ld,"
               "\"licetd\":%ld}\n",
               u->config->listen, u->config->listen, (long)u->nginx.pid, (long)u->recorder.pid);
    } else {
        printf("gate            http://%s/   to %s\n", u->config->listen, u->config->upstream);
        printf("licensee's API  http://%s/.well-known/licet/\n", u->config->listen);
        printf("see also        licet tail %s   licet report %s --all\n", u->dir, u->dir);
        printf("stop with Ctrl-C\n");
    }
    fflush(stdout);
}

/* Until a signal comes or nginx dies. Returns the exit code. */
static int
watch(up *u, const sigset_t *signals, licet_error *err)
{
    unsigned restarts = 0;

    for (;;) {
        struct timespec wait = {0, 200000000L};
        int signal = sigtimedwait(signals, NULL, &wait);

        if (signal == SIGINT || signal == SIGTERM) {
            return LICET_EXIT_OK;
        }
        if (!licet_child_running(&u->nginx)) {
            return licet_cli_fail(&licet_command_up, "nginx ended by itself; see %s", u->log);
        }
        if (!licet_child_running(&u->recorder)) {
            fprintf(stderr, "licet up: licetd ended (%s %d); starting it again\n",
                    WIFSIGNALED(u->recorder.status) ? "signal" : "exit code",
                    WIFSIGNALED(u->recorder.status) ? WTERMSIG(u->recorder.status) : WEXITSTATUS(u->recorder.status));
            licet_pause(restarts++ < 3 ? 50 : 1000);
            if (!start_recorder(u, err)) {
                return licet_cli_error(&licet_command_up, err);
            }
        }
    }
}

static int
serve(up *u, licet_error *err)
{
    sigset_t signals;
    int rc = LICET_EXIT_FAILED;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (recorder_answers(u)) {
        return licet_cli_fail(&licet_command_up,
                              "%s: a licetd runs already on this site; stop it first, or use your own nginx", u->dir);
    }
    if (licet_listen_free(u->config->listen, err) && start_recorder(u, err) && start_nginx(u, err)) {
        say_ready(u);
        rc = watch(u, &signals, err);
    } else {
        licet_cli_error(&licet_command_up, err);
    }
    licet_child_stop(&u->nginx, SIGQUIT, 10000);
    licet_child_stop(&u->recorder, SIGTERM, 30000);
    return rc;
}

static int
run(int argc, char **argv)
{
    licet_error err = {0};
    up u;
    int rc;

    memset(&u, 0, sizeof(u));
    rc = parse(&u, argc, argv);
    if (rc != LICET_EXIT_OK) {
        return rc < 0 ? LICET_EXIT_OK : rc;
    }
    rc = load(&u);
    if (rc == LICET_EXIT_OK) {
        if (!prepare(&u, &err)) {
            rc = licet_cli_error(&licet_command_up, &err);
        } else if (!u.print_nginx) {
            rc = serve(&u, &err);
        }
    }
    licet_site_free(u.site);
    return rc;
}

const licet_command licet_command_up = {"up", "run a site: licetd and an nginx of its own, in the foreground", usage,
                                        run};
