/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet demo: the reference story on loopback, from an empty site to a
 * verified report. See demo.h for what holds.
 */
#include "demo.h"
#include "cli.h"
#include "operator.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: licet demo [--once] [--site DIR] [--seconds N] [--json]\n"
    "\n"
    "Plays the reference story on loopback: a platform with an X-like v2 API, one licensee with eight apps over five\n"
    "products, and a caller without a key; all of it synthetic. One app runs into its cap, one asks for a forbidden\n"
    "purpose, one hangs up in the middle of a page. Then it prints the report, verifies the ledger, compares every\n"
    "figure with what the clients counted, and stays up for you to look around.\n"
    "\n"
    "  --once       end after the comparison; exit 0 only if every figure agrees\n"
    "  --site DIR   make the site in DIR and keep it; default: a temporary folder that is removed at the end\n"
    "  --seconds N  how long the apps read, about; default 6\n"
    "  --json       one JSON document with the comparison; implies --once\n"
    "\n"
    "exit status: 0 every figure agrees, 1 one does not, 2 the demo could not run\n";

extern const licet_command licet_command_demo;

typedef struct demo {
    bool once, json, temporary;
    unsigned seconds;
    char dir[PATH_MAX], platform[PATH_MAX], self[PATH_MAX];
    char day[11], month_from[32], month_before[32];
    uint16_t gate_port, api_port, page_port;
    licet_demo_client clients[LICET_DEMO_APPS + 1];
    licet_child nginx, site;
    unsigned long differ; /* figures that do not agree */
    json_t *report;       /* owned */
    json_t *rows;         /* the comparison, owned */
    char verified[256];
} demo;

static int
parse(demo *d, int argc, char **argv)
{
    static const struct option options[] = {
        {"once", no_argument, NULL, 'o'},          {"site", required_argument, NULL, 's'},
        {"seconds", required_argument, NULL, 'n'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    uint64_t seconds;
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'o':
            d->once = true;
            break;
        case 's':
            if (snprintf(d->dir, sizeof(d->dir), "%s", optarg) >= (int)sizeof(d->dir)) {
                return licet_cli_misuse(&licet_command_demo, "--site: the name is too long");
            }
            break;
        case 'n':
            if (!licet_parse_u64(licet_bytes_of_text(optarg), &seconds) || seconds < 1 || seconds > 600) {
                return licet_cli_misuse(&licet_command_demo, "--seconds \"%s\": expected a number from 1 to 600",
                                        optarg);
            }
            d->seconds = (unsigned)seconds;
            break;
        case 'j':
            d->json = d->once = true;
            break;
        case 'h':
            licet_cli_help(&licet_command_demo);
            return -1;
        default:
            return licet_cli_misuse(&licet_command_demo, "%s: unknown or incomplete option", argv[optind - 1]);
        }
    }
    return optind == argc ? LICET_EXIT_OK
                          : licet_cli_misuse(&licet_command_demo, "\"%s\": no argument is expected", argv[optind]);
}

static void
say(const demo *d, const char *format, ...)
{
    va_list args;

    if (d->json) {
        return;
    }
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fflush(stdout);
}

/* Runs licet itself with these words; its output into out. False when the exit code is not 0. */
static bool
licet(demo *d, licet_buffer *out, licet_error *err, char *const words[])
{
    char *argv[16] = {d->self};
    int code = 0;

    for (size_t i = 0; i < 14 && words[i] != NULL; i++) {
        argv[i + 1] = words[i];
    }
    out->len = 0;
    if (!licet_child_run(argv, out, &code, err)) {
        return false;
    }
    return code == 0 ? true
                     : LICET_FAIL(err, LICET_E_STATE, 0, "licet %s ended with %d: %.*s", words[0], code,
                                  (int)(out->len < 400 ? out->len : 400), out->len > 0 ? (const char *)out->data : "");
}

static bool
choose_folder(demo *d, licet_error *err)
{
    ssize_t len = readlink("/proc/self/exe", d->self, sizeof(d->self) - 1);
    char folder[] = "/tmp/licet-demo-XXXXXX";

    if (len <= 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "/proc/self/exe: %s", strerror(errno));
    }
    d->self[len] = '\0';
    if (d->dir[0] == '\0') {
        if (mkdtemp(folder) == NULL || chmod(folder, 0755) != 0) {
            return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", folder, strerror(errno));
        }
        d->temporary = true;
        snprintf(d->dir, sizeof(d->dir), "%s/site", folder);
        snprintf(d->platform, sizeof(d->platform), "%s/platform", folder);
        return licet_dir_make(d->platform, 0755, err);
    }
    if (access(d->dir, F_OK) == 0 && rmdir(d->dir) != 0) {
        return LICET_FAIL(err, LICET_E_CONFLICT, 0, "%s: is there already and not empty; name a new folder", d->dir);
    }
    if (d->dir[0] != '/') {
        char here[PATH_MAX], whole[PATH_MAX];
        if (getcwd(here, sizeof(here)) == NULL ||
            snprintf(whole, sizeof(whole), "%s/%s", here, d->dir) >= (int)sizeof(whole)) {
            return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: the name is too long", d->dir);
        }
        memcpy(d->dir, whole, sizeof(whole));
    }
    if (snprintf(d->platform, sizeof(d->platform), "%s.platform", d->dir) >= (int)sizeof(d->platform)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: the name is too long", d->dir);
    }
    return licet_dir_make(d->platform, 0755, err);
}

static void
set_dates(demo *d)
{
    char text[LICET_TIME_TEXT];
    uint64_t now = licet_cli_now();
    uint32_t month = licet_month_of(now);

    licet_time_format(now, text);
    snprintf(d->day, sizeof(d->day), "%.10s", text);
    licet_time_format(licet_month_start(month), d->month_from);
    licet_time_format(licet_month_start(month + 1), d->month_before);
}

static bool
replace_listen(demo *d, licet_error *err)
{
    char path[PATH_MAX];
    uint8_t *text = NULL;
    size_t len = 0;
    licet_buffer out;
    bool ok;
    char *line, *rest = NULL;

    if (snprintf(path, sizeof(path), "%s/licet.yaml", d->dir) >= (int)sizeof(path) ||
        !licet_file_read(path, 1 << 20, &text, &len, err)) {
        return false;
    }
    licet_buffer_init(&out, 1 << 20);
    for (line = strtok_r((char *)text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "listen:", 7) == 0) {
            licet_put_format(&out, "listen: 127.0.0.1:%u\n", d->gate_port);
        } else {
            licet_put_format(&out, "%s\n", line);
        }
    }
    ok = licet_file_replace(path, licet_buffer_view(&out), 0640, err);
    licet_buffer_done(&out);
    free(text);
    return ok;
}

static bool
give_keys(demo *d, licet_buffer *out, licet_error *err)
{
    for (size_t i = 0; i < LICET_DEMO_APPS; i++) {
        char app[64];
        char *words[] = {"credential", "new", d->dir, app, "--json", NULL};
        json_t *answer;
        const char *secret;

        snprintf(app, sizeof(app), "%s", d->clients[i].app);
        if (!licet(d, out, err, words)) {
            return false;
        }
        answer = json_loadb((const char *)out->data, out->len, 0, NULL);
        secret = json_string_value(json_object_get(answer, "secret"));
        if (secret == NULL) {
            json_decref(answer);
            return LICET_FAIL(err, LICET_E_STATE, 0, "licet credential new --json printed no secret");
        }
        snprintf(d->clients[i].secret, sizeof(d->clients[i].secret), "%s", secret);
        json_decref(answer);
    }
    snprintf(d->clients[LICET_DEMO_APPS].secret, sizeof(d->clients[0].secret), "lct_nobody-gave-this-key");
    return true;
}

static bool
make_site(demo *d, licet_buffer *out, licet_error *err)
{
    char upstream[64];
    char *init[] = {"init",     d->dir,        "--upstream",         upstream, "--catalogue",
                    "x-api-v2", "--agreement", LICET_DEMO_AGREEMENT, NULL};
    char *check[] = {"check", d->dir, NULL};

    d->gate_port = licet_port_free(8640);
    d->page_port = licet_port_free(8641);
    d->api_port = licet_port_free(8642);
    if (d->gate_port == 0 || d->page_port == 0 || d->api_port == 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "no free port on 127.0.0.1");
    }
    snprintf(upstream, sizeof(upstream), "http://127.0.0.1:%u", d->api_port);
    set_dates(d);
    licet_demo_clients(d->clients);
    return licet(d, out, err, init) && replace_listen(d, err) &&
           licet_demo_site_write(d->dir, d->day, d->clients, err) && give_keys(d, out, err) &&
           licet(d, out, err, check);
}

static bool
start_platform(demo *d, licet_error *err)
{
    char conf[PATH_MAX + 16], log[PATH_MAX + 16];
    char *argv[] = {"nginx", "-p", d->platform, "-c", conf, "-e", log, NULL};
    const struct passwd *self = geteuid() == 0 ? getpwuid(0) : NULL;

    snprintf(conf, sizeof(conf), "%s/nginx.conf", d->platform);
    snprintf(log, sizeof(log), "%s/error.log", d->platform);
    if (!licet_demo_platform_write(d->platform, d->api_port, d->page_port, self != NULL ? self->pw_name : "", err) ||
        !licet_child_start(&d->nginx, "platform", argv, log, err)) {
        return false;
    }
    return licet_port_wait(d->api_port, 10000)
               ? true
               : LICET_FAIL(err, LICET_E_STATE, 0, "the platform's nginx does not listen; see %s", log);
}

static bool
start_site(demo *d, licet_error *err)
{
    char log[PATH_MAX + 16];
    char *argv[] = {d->self, "up", d->dir, NULL};

    snprintf(log, sizeof(log), "%s/up.log", d->platform);
    if (!licet_child_start(&d->site, "licet up", argv, log, err)) {
        return false;
    }
    for (unsigned waited = 0; waited < 30000; waited += 100) {
        if (licet_port_wait(d->gate_port, 80)) {
            return true;
        }
        if (!licet_child_running(&d->site)) {
            break;
        }
    }
    return LICET_FAIL(err, LICET_E_STATE, 0, "licet up did not start; see %s", log);
}

static void
show_progress(const demo *d, unsigned ms, bool last)
{
    unsigned long asked = 0, posts = 0, refused = 0;

    for (size_t i = 0; i <= LICET_DEMO_APPS; i++) {
        asked += atomic_load(&d->clients[i].asked);
        posts += atomic_load(&d->clients[i].posts);
        refused += atomic_load(&d->clients[i].refused);
    }
    say(d, "%s  %4.1f s   %6lu requests   %8lu posts   %4lu refused%s", isatty(STDOUT_FILENO) ? "\r" : "",
        (double)ms / 1000, asked, posts, refused, last || !isatty(STDOUT_FILENO) ? "\n" : "");
}

/* True when somebody asked us to end (the signals are blocked for all threads, and looked at here). */
static bool
told_to_end(void)
{
    struct timespec at_once = {0, 0};
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return sigtimedwait(&signals, NULL, &at_once) > 0;
}

/* Lets the nine clients read at once. */
static bool
play(demo *d, licet_error *err)
{
    pthread_t threads[LICET_DEMO_APPS + 1];
    bool joined[LICET_DEMO_APPS + 1] = {false};
    unsigned ms = 0;
    bool running = true;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    for (size_t i = 0; i <= LICET_DEMO_APPS; i++) {
        licet_demo_client *client = &d->clients[i];
        unsigned requests = client->habit == LICET_DEMO_RUNS_DRY ? LICET_DEMO_CAP / client->page + 4 : client->requests;

        snprintf(client->base, sizeof(client->base), "http://127.0.0.1:%u", d->gate_port);
        client->pace_ms = d->seconds * 1000 / requests;
        if (pthread_create(&threads[i], NULL, licet_demo_client_run, client) != 0) {
            return LICET_FAIL(err, LICET_E_SYSTEM, 0, "no thread for %s", client->app);
        }
    }
    for (; running; ms += 100) {
        licet_pause(100);
        if (told_to_end()) {
            for (size_t i = 0; i <= LICET_DEMO_APPS; i++) {
                atomic_store(&d->clients[i].stop, true);
            }
        }
        running = false;
        for (size_t i = 0; i <= LICET_DEMO_APPS; i++) {
            joined[i] = joined[i] || pthread_tryjoin_np(threads[i], NULL) == 0; /* a thread is joined once */
            running = running || !joined[i];
        }
        if (isatty(STDOUT_FILENO) || ms % 1000 == 0) {
            show_progress(d, ms, false);
        }
    }
    show_progress(d, ms, true);
    if (atomic_load(&d->clients[0].stop)) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "stopped before its end");
    }
    for (size_t i = 0; i <= LICET_DEMO_APPS; i++) {
        if (d->clients[i].failed) {
            return LICET_FAIL(err, LICET_E_STATE, 0, "client %s: %s", d->clients[i].app, d->clients[i].text);
        }
    }
    return true;
}

static bool
write_page(demo *d, const licet_buffer *text, licet_error *err)
{
    char path[PATH_MAX + 32];
    licet_buffer page;
    bool ok;

    licet_buffer_init(&page, 8 << 20);
    licet_put_format(&page, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>licet demo: the "
                            "report</title>\n<style>body{margin:2rem auto;max-width:62rem;font:15px/1.5 system-ui,"
                            "sans-serif}pre{overflow-x:auto;padding:1rem;background:#f6f6f4}</style></head><body>\n"
                            "<h1>The report of the demo</h1><p>As text below, or <a href=\"/report.txt\">as a text "
                            "file</a>, or <a href=\"/report.json\">as JSON</a>.</p>\n<pre>");
    for (size_t i = 0; i < text->len; i++) {
        const char c = (char)text->data[i];
        if (c == '<' || c == '>' || c == '&') {
            licet_put_format(&page, "&#%d;", c);
        } else {
            licet_put_u8(&page, (uint8_t)c);
        }
    }
    licet_put_format(&page, "</pre></body></html>\n");
    snprintf(path, sizeof(path), "%s/page/report.html", d->platform);
    ok = licet_file_replace(path, licet_buffer_view(&page), 0644, err);
    snprintf(path, sizeof(path), "%s/page/report.txt", d->platform);
    ok = ok && licet_file_replace(path, licet_buffer_view(text), 0644, err);
    licet_buffer_done(&page);
    return ok;
}

static bool
make_report(demo *d, licet_buffer *out, licet_error *err)
{
    char *text[] = {"report",   d->dir,          "--agreement", LICET_DEMO_AGREEMENT, "--from", d->month_from,
                    "--before", d->month_before, NULL};
    char *json[] = {"report",        d->dir,   "--agreement", LICET_DEMO_AGREEMENT, "--from", d->month_from, "--before",
                    d->month_before, "--json", NULL};
    char path[PATH_MAX + 32];

    if (!licet_operator_sync(d->dir, err) || !licet(d, out, err, text)) {
        return false;
    }
    say(d, "\n%.*s\n", (int)out->len, (const char *)out->data);
    if (!write_page(d, out, err) || !licet(d, out, err, json)) {
        return false;
    }
    snprintf(path, sizeof(path), "%s/page/report.json", d->platform);
    if (!licet_file_replace(path, licet_buffer_view(out), 0644, err)) {
        return false;
    }
    d->report = json_loadb((const char *)out->data, out->len, 0, NULL);
    return d->report != NULL ? true : LICET_FAIL(err, LICET_E_STATE, 0, "licet report --json printed no JSON");
}

static bool
verify(demo *d, licet_buffer *out, licet_error *err)
{
    char *words[] = {"verify", d->dir, NULL};

    if (!licet(d, out, err, words)) {
        return false;
    }
    say(d, "%.*s", (int)out->len, (const char *)out->data);
    return true;
}

/* Row of a list of the report by its id. */
static json_t *
row_of(json_t *list, const char *id)
{
    size_t i;
    json_t *row;

    json_array_foreach(list, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "id"));
        if (name != NULL && strcmp(name, id) == 0) {
            return row;
        }
    }
    return NULL;
}

static json_int_t
posts_in(json_t *row)
{
    return json_integer_value(json_object_get(json_object_get(json_object_get(row, "units"), "post"), "gross"));
}

static json_int_t
requests_in(json_t *row, const char *what)
{
    return json_integer_value(json_object_get(json_object_get(row, "requests"), what));
}

/* One figure: what the client counted against what the report says. A page that was hung up on may count more than the
 * client got to read (what lay in its receive window was delivered), never less, and never the whole page. */
static void
compare(demo *d, const char *who, const char *what, unsigned long counted, json_int_t reported,
        unsigned long may_exceed)
{
    bool agrees = reported >= (json_int_t)counted && reported <= (json_int_t)counted + (json_int_t)may_exceed;

    if (!agrees) {
        d->differ++;
    }
    json_array_append_new(d->rows, json_pack("{s:s, s:s, s:I, s:I, s:I, s:b}", "who", who, "figure", what, "counted",
                                             (json_int_t)counted, "reported", reported, "may_exceed",
                                             (json_int_t)may_exceed, "agrees", agrees));
    if (!agrees) {
        say(d, "  DIFFERS  %s: %s: the client counted %lu, the report says %" JSON_INTEGER_FORMAT "\n", who, what,
            counted, reported);
    }
}

static void
compare_all(demo *d)
{
    json_t *apps = json_object_get(d->report, "apps");
    json_t *totals = json_object_get(d->report, "totals");
    unsigned long posts = 0, refused = 0, spare = 0;
    json_int_t of_apps = 0;

    for (size_t i = 0; i < LICET_DEMO_APPS; i++) {
        licet_demo_client *client = &d->clients[i];
        unsigned long got = atomic_load(&client->posts) + atomic_load(&client->cut_posts);
        bool hung_up = client->habit == LICET_DEMO_HANGS_UP;
        unsigned long more = hung_up ? LICET_DEMO_LARGE_PAGE - 1 - atomic_load(&client->cut_posts) : 0;
        json_t *row = row_of(apps, client->app);

        compare(d, client->app, "posts", got, posts_in(row), more);
        compare(d, client->app, "responses delivered", atomic_load(&client->delivered) + (hung_up ? 1 : 0),
                requests_in(row, "delivered"), 0);
        compare(d, client->app, "refused", atomic_load(&client->refused), requests_in(row, "refused"), 0);
        posts += got;
        spare += more;
        refused += atomic_load(&client->refused);
        of_apps += posts_in(row);
    }
    compare(d, "all apps", "posts", posts, posts_in(totals), spare);
    compare(d, "all apps", "refused", refused, requests_in(totals, "refused"), 0);
    compare(d, "report", "posts of its apps against its total", (unsigned long)of_apps, posts_in(totals), 0);
    compare(d, "app with a cap", "posts of the app that ran dry", LICET_DEMO_CAP, posts_in(row_of(apps, "ads-local")),
            0);
}

/* The table a person reads: what each client counted beside what the report says. */
static void
show_comparison(demo *d)
{
    json_t *apps = json_object_get(d->report, "apps");
    json_t *totals = json_object_get(d->report, "totals");
    char entries[32];

    say(d, "\n  %-24s %-9s %10s %10s %8s\n", "app", "product", "its count", "report", "refused");
    for (size_t i = 0; i < LICET_DEMO_APPS; i++) {
        licet_demo_client *client = &d->clients[i];
        say(d, "  %-24s %-9s %10lu %10" JSON_INTEGER_FORMAT " %8lu%s\n", client->app, client->product,
            atomic_load(&client->posts) + atomic_load(&client->cut_posts), posts_in(row_of(apps, client->app)),
            atomic_load(&client->refused),
            client->habit == LICET_DEMO_HANGS_UP    ? "   hung up in mid-page: the rest lay in its receive window"
            : client->habit == LICET_DEMO_RUNS_DRY  ? "   ran into its cap"
            : client->habit == LICET_DEMO_FORBIDDEN ? "   asked for train-ai (NO-TRAIN)"
                                                    : "");
    }
    say(d, "  %-24s %-9s %10s %10s %8lu   in no total\n", d->clients[LICET_DEMO_APPS].app, "", "", "",
        atomic_load(&d->clients[LICET_DEMO_APPS].refused));
    snprintf(entries, sizeof(entries), "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(json_object_get(d->report, "evidence"), "size")));
    say(d,
        "\n  %" JSON_INTEGER_FORMAT " requests · %" JSON_INTEGER_FORMAT " posts delivered · %" JSON_INTEGER_FORMAT
        " refused · %" JSON_INTEGER_FORMAT " unmetered · ledger verified (%s entries) · %s\n",
        requests_in(totals, "delivered") + requests_in(totals, "refused"), posts_in(totals),
        requests_in(totals, "refused"),
        json_integer_value(json_object_get(json_object_get(d->report, "unmetered"), "responses")), entries,
        d->differ == 0 ? "every figure agrees with its client's own count" : "NOT EVERY FIGURE AGREES");
}

static void
stay(demo *d)
{
    sigset_t signals;
    int signal;

    say(d,
        "\n  gate             http://127.0.0.1:%u/   try: curl -H 'Authorization: Bearer %s' "
        "'http://127.0.0.1:%u/2/tweets/search/recent?max_results=10'\n"
        "  licensee's API   http://127.0.0.1:%u/.well-known/licet/usage\n"
        "  report           http://127.0.0.1:%u/report\n"
        "  site             %s%s\n"
        "  stop with Ctrl-C\n",
        d->gate_port, d->clients[0].secret, d->gate_port, d->gate_port, d->page_port, d->dir,
        d->temporary ? " (removed at the end; --site DIR keeps it)" : "");
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigwait(&signals, &signal);
    say(d, "\n");
}

static void
clean_up(demo *d, int rc)
{
    char folder[PATH_MAX];

    licet_child_stop(&d->site, SIGTERM, 40000);
    licet_child_stop(&d->nginx, SIGTERM, 5000);
    json_decref(d->report);
    json_decref(d->rows);
    if (d->temporary && d->dir[0] != '\0') {
        snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(d->dir, '/') - d->dir), d->dir);
        if (rc == LICET_EXIT_OK) {
            char *argv[] = {"rm", "-rf", "--", folder, NULL};
            int code;
            licet_child_run(argv, NULL, &code, NULL);
            if (d->once) {
                say(d,
                    "  its site is removed again; licet demo --once --site DIR keeps it for licet verify and report\n");
            }
        } else {
            fprintf(stderr, "licet demo: what it made is kept in %s\n", folder);
        }
    }
}

static bool
tell(demo *d, licet_buffer *out, licet_error *err)
{
    if (!make_report(d, out, err) || !verify(d, out, err)) {
        return false;
    }
    compare_all(d);
    show_comparison(d);
    if (d->json) {
        json_t *whole = json_pack("{s:b, s:O, s:s}", "agrees", d->differ == 0, "figures", d->rows, "site", d->dir);
        json_dumpf(whole, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(whole);
    }
    return true;
}

static int
run(int argc, char **argv)
{
    licet_error err = {0};
    licet_buffer out;
    sigset_t signals;
    demo d;
    int rc;

    memset(&d, 0, sizeof(d));
    d.seconds = 6;
    d.rows = json_array();
    rc = parse(&d, argc, argv);
    if (rc != LICET_EXIT_OK) {
        json_decref(d.rows);
        return rc < 0 ? LICET_EXIT_OK : rc;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    licet_buffer_init(&out, 64 << 20);
    say(&d, "licet demo: eight apps over five products, one platform; all of it synthetic, all on loopback\n");
    if (choose_folder(&d, &err) && make_site(&d, &out, &err) && start_platform(&d, &err) && start_site(&d, &err) &&
        play(&d, &err) && tell(&d, &out, &err)) {
        rc = d.differ == 0 ? LICET_EXIT_OK : LICET_EXIT_NO;
        if (!d.once) {
            stay(&d);
        }
    } else {
        rc = licet_cli_error(&licet_command_demo, &err);
    }
    clean_up(&d, rc);
    licet_buffer_done(&out);
    return rc;
}

const licet_command licet_command_demo = {"demo", "the reference story on loopback, from empty site to verified report",
                                          usage, run};
