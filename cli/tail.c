/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet tail: decisions, as they happen or from the beginning.
 *
 *  (1) As they happen they come from licetd, which keeps the newest; --all reads the ledgers, with licetd or without.
 *  (2) A run of refusals is told as the refusals it stands for.
 *  (3) The text form shows eight digits of the decision id; --json shows all 32.
 */
#include "operator.h"
#include "recorder.h"
#include "site.h"

#include "lines.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const licet_command licet_command_tail;

static const char usage[] =
    "usage: licet tail DIR [--json] [--all] [--once] [--agreement A]\n"
    "\n"
    "Prints one line for each decision of the site DIR as it is recorded: time, app, use case, endpoint, status, what "
    "was\n"
    "delivered or why it was refused, what is left, and the first digits of the decision id. Ends with Ctrl-C.\n"
    "\n"
    "  --all           from the beginning, out of the ledgers; works without licetd too\n"
    "  --once          end when everything recorded so far is printed\n"
    "  --agreement A   only this agreement\n"
    "  --json          one JSON object per line, with the whole decision id, units, ending and verdict\n"
    "\n"
    "exit status: 0 ended, 2 it failed\n";

#define LINES_MAX ((size_t)16 << 20)
#define WAIT_MS 10000

typedef struct tailing {
    const char *dir, *agreement;
    bool json, all, once;
    uint64_t after; /* journal number of the last decision printed while following */
    json_t *sizes;  /* of the ledgers when following began; NULL: unknown */
} tailing;

/* ---- one line ----------------------------------------------------------------- */

static const char *
field(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "-";
}

static void
print_units(const json_t *object)
{
    json_t *units = json_object_get(object, "units");
    char number[LICET_CLI_NUMBER_TEXT];
    const char *name, *separator = "  ";
    json_t *count;
    bool any = false;

    json_object_foreach(units, name, count)
    {
        uint64_t n = (uint64_t)json_integer_value(count);

        if (strncmp(name, "held:", 5) != 0 && strcmp(name, "byte-acked") != 0) { /* what was delivered alone */
            printf("%s%s %s%s", separator, licet_cli_number(n, number), name, licet_cli_plural(n));
            separator = ", ";
            any = true;
        }
    }
    if (!any) {
        printf("  %s bytes", licet_cli_number((uint64_t)json_integer_value(json_object_get(object, "bytes")), number));
    }
}

/* Why it was, or would have been, refused, where that is known. */
static void
print_reason(const json_t *object)
{
    if (strcmp(field(object, "reason"), "none") == 0) {
        return;
    }
    printf(": %s", field(object, "reason"));
    if (json_is_string(json_object_get(object, "clause"))) {
        printf(" (%s)", field(object, "clause"));
    }
}

static void
print_text(const json_t *object)
{
    const char *time = field(object, "time"), *verdict = field(object, "verdict");
    const json_t *remaining = json_object_get(object, "remaining");
    char number[LICET_CLI_NUMBER_TEXT];

    printf("%.8s  %s  %s  %s  %lld", strlen(time) > 11 ? time + 11 : time, field(object, "app"),
           field(object, "use_case"), field(object, "endpoint"),
           (long long)json_integer_value(json_object_get(object, "status")));
    if (strcmp(verdict, "refuse") == 0) {
        printf("  refused");
        print_reason(object);
    } else {
        print_units(object);
    }
    if (json_is_integer(remaining)) {
        printf("  %s left", licet_cli_number((uint64_t)json_integer_value(remaining), number));
    }
    if (strcmp(verdict, "open") == 0) {
        printf("  open");
    } else if (strcmp(verdict, "observe") == 0) {
        printf("  observe");
        print_reason(object);
    }
    if (json_is_string(json_object_get(object, "unmetered"))) {
        printf("  unmetered: %s", field(object, "unmetered"));
    }
    if (strcmp(field(object, "ending"), "complete") != 0 && strcmp(verdict, "refuse") != 0) {
        printf("  %s", field(object, "ending"));
    }
    printf("  %.8s\n", field(object, "decision"));
}

/* One JSON line from licetd or from a ledger. */
static bool
print_line(tailing *t, licet_bytes line, licet_error *err)
{
    json_t *object = json_loadb((const char *)line.data, line.len, 0, NULL);
    const json_t *number = json_object_get(object, "number");

    if (object == NULL) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "not a decision: %.*s", (int)(line.len < 100 ? line.len : 100),
                          (const char *)line.data);
    }
    if (json_is_integer(number)) {
        t->after = (uint64_t)json_integer_value(number);
    }
    if (t->agreement == NULL || strcmp(field(object, "agreement"), t->agreement) == 0) {
        if (t->json) {
            printf("%.*s\n", (int)line.len, (const char *)line.data);
        } else {
            print_text(object);
        }
    }
    json_decref(object);
    return true;
}

static bool
print_lines(tailing *t, licet_bytes lines, licet_error *err)
{
    size_t at = 0;

    while (at < lines.len) {
        const uint8_t *end = memchr(lines.data + at, '\n', lines.len - at);
        size_t len = end != NULL ? (size_t)(end - (lines.data + at)) : lines.len - at;

        if (len > 0 && !print_line(t, licet_bytes_of(lines.data + at, len), err)) {
            return false;
        }
        at += len + 1;
    }
    fflush(stdout);
    return true;
}

/* ---- as they happen ------------------------------------------------------------- */

/* Where following begins: behind what is journalled now. sync: with that much in the ledgers, whose sizes are kept, so
 * that what the ledgers tell and what follows meet without overlap. */
static bool
newest(tailing *t, bool sync, licet_error *err)
{
    const char *method = sync ? "POST" : "GET", *path = sync ? "/sync" : "/status";
    licet_buffer answer;
    json_t *json = NULL;
    long status = 0;
    bool ok;

    licet_buffer_init(&answer, (size_t)16 << 20);
    ok = licet_operator_call(t->dir, method, path, (licet_bytes){NULL, 0}, 0, &status, &answer, err);
    if (ok) {
        json = json_loadb((const char *)answer.data, answer.len, 0, NULL);
        ok = json_is_integer(json_object_get(json, "journal")) ||
             LICET_FAIL(err, LICET_E_STATE, 0, "licetd answered %ld to %s %s: %s", status, method, path,
                        json_is_string(json_object_get(json, "detail"))
                            ? json_string_value(json_object_get(json, "detail"))
                            : "no reason given");
        t->after = (uint64_t)json_integer_value(json_object_get(json, "journal"));
        json_decref(t->sizes);
        t->sizes = json_incref(json_object_get(json, "ledgers"));
    }
    json_decref(json);
    licet_buffer_done(&answer);
    return ok;
}

/* How much of a ledger is printed before following. */
static uint64_t
size_of(const tailing *t, const char *name, uint64_t size)
{
    const json_t *ledger;
    size_t i;

    json_array_foreach(t->sizes, i, ledger)
    {
        uint64_t told = (uint64_t)json_integer_value(json_object_get(ledger, "size"));

        if (strcmp(json_string_value(json_object_get(ledger, "ledger")), name) == 0 && told < size) {
            return told;
        }
    }
    return size;
}

static bool
follow(tailing *t, licet_error *err)
{
    licet_buffer answer;
    char path[128];
    long status = 0;
    bool ok = true;

    do {
        licet_buffer_init(&answer, LINES_MAX);
        snprintf(path, sizeof(path), "/tail?after=%llu&wait=%d", (unsigned long long)t->after, t->once ? 0 : WAIT_MS);
        ok = licet_operator_call(t->dir, "GET", path, (licet_bytes){NULL, 0}, 60000, &status, &answer, err) &&
             (status == 200 || LICET_FAIL(err, LICET_E_STATE, 0, "licetd answered %ld to GET /tail", status)) &&
             print_lines(t, licet_buffer_view(&answer), err);
        if (t->once && answer.len == 0) {
            ok = false;
            err->code = LICET_E_NONE;
        }
        licet_buffer_done(&answer);
    } while (ok);
    return err->code == LICET_E_NONE;
}

/* ---- from the ledgers --------------------------------------------------------------- */

typedef struct reading {
    tailing *t;
    licet_lines *lines;
    licet_buffer out;
} reading;

static bool
on_entry(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    reading *r = user;

    if (!licet_lines_learn(r->lines, entry, err) || !licet_lines_put(r->lines, index, entry, NULL, &r->out, err)) {
        return false;
    }
    if (r->out.len > 0) {
        bool ok = print_lines(r->t, licet_buffer_view(&r->out), err);

        r->out.len = 0;
        return ok;
    }
    return true;
}

static bool
print_ledger(tailing *t, const licet_gate_keys *keys, const char *name, licet_error *err)
{
    char path[PATH_MAX];
    licet_ledger *ledger = NULL;
    reading r = {.t = t};
    bool ok;

    if (snprintf(path, sizeof(path), "%s/data/ledger/%s", t->dir, name) >= (int)sizeof(path)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: too long a name", t->dir);
    }
    licet_buffer_init(&r.out, LINES_MAX);
    ok = licet_ledger_open(path, true, &ledger, err) && licet_lines_new(name, keys->decision, &r.lines, err) &&
         licet_ledger_each(ledger, 0, size_of(t, name, licet_ledger_size(ledger)), on_entry, &r, err);
    licet_lines_free(r.lines);
    licet_buffer_done(&r.out);
    if (ledger != NULL) {
        licet_ledger_close(ledger, NULL);
    }
    return ok;
}

static bool
print_ledgers(tailing *t, licet_error *err)
{
    char path[PATH_MAX];
    struct dirent **names = NULL;
    licet_gate_keys keys;
    bool ok = true;
    int n;

    if (!licet_gate_keys_read(t->dir, false, &keys, err)) {
        return false;
    }
    if (snprintf(path, sizeof(path), "%s/data/ledger", t->dir) >= (int)sizeof(path)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: too long a name", t->dir);
    }
    n = scandir(path, &names, NULL, alphasort);
    if (n < 0) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%s: nothing is recorded yet: %s", path, strerror(errno));
    }
    for (int i = 0; i < n; i++) {
        if (ok && names[i]->d_name[0] != '.' && (t->agreement == NULL || strcmp(names[i]->d_name, t->agreement) == 0)) {
            ok = print_ledger(t, &keys, names[i]->d_name, err);
        }
        free(names[i]);
    }
    free(names);
    explicit_bzero(&keys, sizeof(keys));
    return ok;
}

static bool
run_tail(tailing *t, licet_error *err)
{
    bool lives = newest(t, t->all, err);

    if (!lives && err->code != LICET_E_NOT_FOUND) {
        return false;
    }
    if (!lives && !t->all) {
        return LICET_FAIL(err, LICET_E_STATE, 0,
                          "%s: licetd does not run there, so nothing happens; --all prints what is recorded", t->dir);
    }
    if (t->all) {
        if (!print_ledgers(t, err)) {
            return false;
        }
    } else if (t->once) {
        t->after = 0; /* what licetd still keeps */
    }
    err->code = LICET_E_NONE;
    return (t->all && (t->once || !lives)) || follow(t, err);
}

static int
run(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"all", no_argument, NULL, 'a'},
        {"once", no_argument, NULL, 'o'}, {"agreement", required_argument, NULL, 'A'},
        {"help", no_argument, NULL, 'h'}, {0}};
    tailing t = {0};
    licet_error err = {0};
    int option, code;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'j':
            t.json = true;
            break;
        case 'a':
            t.all = true;
            break;
        case 'o':
            t.once = true;
            break;
        case 'A':
            t.agreement = optarg;
            break;
        case 'h':
            return licet_cli_help(&licet_command_tail);
        default:
            return licet_cli_misuse(&licet_command_tail, "\"%s\" is no option, or lacks its value", argv[optind - 1]);
        }
    }
    if (argc - optind != 1) {
        return licet_cli_misuse(&licet_command_tail, "expected one site, found %d arguments", argc - optind);
    }
    t.dir = argv[optind];
    code = run_tail(&t, &err) ? LICET_EXIT_OK : licet_cli_error(&licet_command_tail, &err);
    json_decref(t.sizes);
    return code;
}

const licet_command licet_command_tail = {"tail", "decisions, as they happen or from the beginning", usage, run};
