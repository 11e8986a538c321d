/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet count: the door to the meter. Files or standard input, one body each,
 * through the very scan that the gate runs.
 *
 *  (1) Nothing is printed unless every file was read to its end: a sum over
 *      some of the files would be a wrong answer.
 *  (2) Memory does not grow with the input, but for the set of distinct ids,
 *      which has a ceiling.
 *  (3) What could not be metered is listed with reason and byte; its units
 *      complete before the fault are in the sums.
 */
#include "count.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: licet count --unit NAME=PATH [--id PATH] [--unit ...] [--format auto|json|ndjson] [--strict]\n"
    "                   [--max-ids N] [--json] [FILE...]\n"
    "       licet count --catalogue NAME --request 'GET /path?query' [--format ...] [--strict] [--max-ids N] [--json]\n"
    "                   [FILE...]\n"
    "       licet count --suggest FILE [--json]\n"
    "\n"
    "Counts the units in API responses, with the scan that the gate runs. Without FILE, or for -, standard input.\n"
    "\n"
    "  --unit NAME=PATH  count what PATH leads to: the elements of an array, 1 for an object\n"
    "  --id PATH         ids of the --unit before it; count and ids of a document must agree\n"
    "  --catalogue NAME  count what a catalogue counts: one that licet brings along, such as x-api-v2, or the path of\n"
    "                    a .yaml file\n"
    "  --request R       the request that FILE answers, such as 'GET /2/tweets?ids=1,2'; says what it would reserve\n"
    "  --format FORMAT   json: one document; ndjson: a document a line; auto (default): either\n"
    "  --strict          exit 1 when anything could not be metered\n"
    "  --max-ids N       most distinct ids remembered; default: 10000000, some 40 bytes of memory each\n"
    "  --suggest FILE    propose units and ids for a page\n"
    "  --json            print one JSON document\n"
    "\n"
    "PATH is $ and name steps: $.data, $.includes.users, $['odd name']. A step on an array applies to each element.\n"
    "\n"
    "  licet count --unit post='$.data' --id '$.data.id' page.json\n"
    "  licet count --catalogue x-api-v2 --request 'GET /2/tweets/search/recent?query=x' page.json\n"
    "\n"
    "exit status: 0 counted; 1 with --strict when anything was unmetered, or the catalogue has a mistake or does not\n"
    "list the request; 2 it could not be counted\n";

enum { READ_SIZE = 256 * 1024 };

#define MAX_IDS_DEFAULT 10000000u
#define PROGRESS_FROM ((uint64_t)100 << 20) /* files from this size on show progress */

/* ---- the command line -------------------------------------------------------- */

/* Shows a refused path, as it stood behind option, with a caret under the byte at fault. */
static int
refuse_path(const char *option, const char *text, const licet_error *err)
{
    size_t column = 2 + strlen(option);

    licet_cli_error(&licet_command_count, err);
    for (size_t i = 0; i < err->offset && text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c == 0x7f) {
            return LICET_EXIT_FAILED; /* a caret would not stand where it should */
        }
        column += (c & 0xc0) != 0x80;
    }
    fprintf(stderr, "  %s%s\n%*s^\n", option, text, (int)column, "");
    return LICET_EXIT_FAILED;
}

static bool
is_name(const char *text, size_t len)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return len >= 1 && len <= COUNT_NAME_MAX && strspn(text, allowed) >= len;
}

/* --unit NAME=PATH; an exit code, LICET_EXIT_OK when it was taken. */
static int
take_unit(count_job *j, const char *text)
{
    const char *equals = strchr(text, '=');
    licet_error err = {0};
    count_unit *u;

    if (equals == NULL || !is_name(text, (size_t)(equals - text))) {
        return licet_cli_misuse(&licet_command_count,
                                "--unit %s: expected NAME=PATH with a NAME of at most %d letters, digits, . _ -", text,
                                COUNT_NAME_MAX);
    }
    if (j->units_len == LICET_SCAN_UNITS_MAX) {
        return licet_cli_misuse(&licet_command_count, "--unit %s: at most %d units are counted at once", text,
                                LICET_SCAN_UNITS_MAX);
    }
    u = &j->units[j->units_len];
    memcpy(u->name, text, (size_t)(equals - text));
    for (size_t i = 0; i < j->units_len; i++) {
        if (strcmp(j->units[i].name, u->name) == 0) {
            return licet_cli_misuse(&licet_command_count, "--unit %s: unit %s stands there twice", text, u->name);
        }
    }
    if (!licet_path_parse(licet_bytes_of_text(equals + 1), &j->paths[j->units_len].count, &err)) {
        char option[COUNT_NAME_MAX + 16];

        snprintf(option, sizeof(option), "--unit %s=", u->name);
        return refuse_path(option, equals + 1, &err);
    }
    j->paths[j->units_len].unit = u->name;
    j->units_len++;
    return LICET_EXIT_OK;
}

static int
take_id(count_job *j, const char *text)
{
    licet_error err = {0};
    licet_plan_unit *paths;
    count_unit *u;

    if (j->units_len == 0) {
        return licet_cli_misuse(&licet_command_count, "--id %s: no --unit before it", text);
    }
    u = &j->units[j->units_len - 1];
    paths = &j->paths[j->units_len - 1];
    if (u->ids_text != NULL) {
        return licet_cli_misuse(&licet_command_count, "--id %s: unit %s has --id %s already", text, u->name,
                                u->ids_text);
    }
    if (!licet_path_parse(licet_bytes_of_text(text), &paths->ids, &err)) {
        return refuse_path("--id ", text, &err);
    }
    u->ids_text = text;
    paths->has_ids = true;
    return LICET_EXIT_OK;
}

static int
take_format(count_job *j, const char *text)
{
    if (strcmp(text, "auto") == 0) {
        j->form = LICET_BODY_AUTO;
    } else if (strcmp(text, "json") == 0) {
        j->form = LICET_BODY_JSON;
    } else if (strcmp(text, "ndjson") == 0) {
        j->form = LICET_BODY_NDJSON;
    } else if (strcmp(text, "sse") == 0) {
        return licet_cli_misuse(&licet_command_count,
                                "--format sse: event streams are counted by a later version; expected auto, json or "
                                "ndjson");
    } else {
        return licet_cli_misuse(&licet_command_count, "--format %s: expected auto, json or ndjson", text);
    }
    return LICET_EXIT_OK;
}

enum {
    OPT_UNIT = 1,
    OPT_ID,
    OPT_FORMAT,
    OPT_STRICT,
    OPT_MAX_IDS,
    OPT_SUGGEST,
    OPT_JSON,
    OPT_HELP,
    OPT_CATALOGUE,
    OPT_REQUEST
};

static int
take_option(count_job *j, int option, const char *value)
{
    switch (option) {
    case OPT_UNIT:
        return take_unit(j, value);
    case OPT_ID:
        return take_id(j, value);
    case OPT_FORMAT:
        return take_format(j, value);
    case OPT_STRICT:
        j->strict = true;
        return LICET_EXIT_OK;
    case OPT_JSON:
        j->json = true;
        return LICET_EXIT_OK;
    case OPT_SUGGEST:
        j->suggest = value;
        return LICET_EXIT_OK;
    case OPT_MAX_IDS:
        if (!licet_parse_u64(licet_bytes_of_text(value), &j->max_ids) || j->max_ids == 0) {
            return licet_cli_misuse(&licet_command_count, "--max-ids %s: expected a number from 1 on", value);
        }
        return LICET_EXIT_OK;
    case OPT_CATALOGUE:
        j->catalogue = value;
        return LICET_EXIT_OK;
    default:
        j->request = value;
        return LICET_EXIT_OK;
    }
}

/* Units are named by one of three: --unit, --catalogue with --request, --suggest. */
static int
check_options(const count_job *j, bool files)
{
    bool by_catalogue = j->catalogue != NULL || j->request != NULL;

    if (j->suggest != NULL && (j->units_len > 0 || by_catalogue || files)) {
        return licet_cli_misuse(&licet_command_count, "--suggest takes one FILE and no --%s",
                                by_catalogue && j->units_len == 0 ? "catalogue" : "unit");
    }
    if (by_catalogue && j->units_len > 0) {
        return licet_cli_misuse(&licet_command_count, "--unit and --catalogue: expected either of them");
    }
    if (by_catalogue && j->request == NULL) {
        return licet_cli_misuse(&licet_command_count,
                                "--request is missing: expected the request that was answered, such as "
                                "'GET /2/tweets?ids=1,2'");
    }
    if (by_catalogue && j->catalogue == NULL) {
        return licet_cli_misuse(&licet_command_count, "--catalogue is missing: expected one, such as x-api-v2");
    }
    if (j->suggest == NULL && !by_catalogue && j->units_len == 0) {
        return licet_cli_misuse(&licet_command_count,
                                "nothing to count: expected --unit NAME=PATH such as --unit post='$.data'");
    }
    return LICET_EXIT_OK;
}

/* Reads the command line; *out_first is the first FILE in argv. An exit code, or -1 to go on. */
static int
take_options(count_job *j, int argc, char **argv, int *out_first)
{
    static const struct option options[] = {
        {"unit", required_argument, NULL, OPT_UNIT},
        {"id", required_argument, NULL, OPT_ID},
        {"format", required_argument, NULL, OPT_FORMAT},
        {"strict", no_argument, NULL, OPT_STRICT},
        {"max-ids", required_argument, NULL, OPT_MAX_IDS},
        {"suggest", required_argument, NULL, OPT_SUGGEST},
        {"json", no_argument, NULL, OPT_JSON},
        {"help", no_argument, NULL, OPT_HELP},
        {"catalogue", required_argument, NULL, OPT_CATALOGUE},
        {"request", required_argument, NULL, OPT_REQUEST},
        {NULL, 0, NULL, 0},
    };
    int option, code;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == OPT_HELP || option == 'h') {
            return licet_cli_help(&licet_command_count);
        }
        if (option == '?' || option == ':') {
            return licet_cli_misuse(&licet_command_count, "%s: %s", argv[optind - 1],
                                    option == ':' ? "expected a value after it" : "no option of this command");
        }
        code = take_option(j, option, optarg);
        if (code != LICET_EXIT_OK) {
            return code;
        }
    }
    code = check_options(j, optind < argc);
    if (code != LICET_EXIT_OK) {
        return code;
    }
    *out_first = optind;
    return -1;
}

/* ---- counting ------------------------------------------------------------------- */

static void
on_id(void *user, unsigned u, licet_bytes id)
{
    count_job *j = user;
    bool is_new = false;

    if (j->id_failed) {
        return;
    }
    if (!count_ids_add(&j->ids, u, id, &is_new, &j->err)) {
        j->id_failed = true;
    }
    j->units[u].distinct += is_new;
}

typedef struct progress {
    const char *name;
    uint64_t size; /* 0: shown never */
    uint64_t done;
    struct timespec began, shown;
} progress;

static double
seconds_between(struct timespec a, struct timespec b)
{
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* A line on stderr, five times a second at most. */
static void
show_progress(progress *p)
{
    struct timespec now;

    if (p->size == 0) {
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (seconds_between(p->shown, now) < 0.2) {
        return;
    }
    p->shown = now;
    fprintf(stderr, "\r\033[K%s: %.0f %%, %.0f MB/s", p->name, 100.0 * (double)p->done / (double)p->size,
            (double)p->done / 1e6 / seconds_between(p->began, now));
}

static void
end_progress(const progress *p)
{
    if (p->size > 0) {
        fputs("\r\033[K", stderr);
    }
}

static progress
begin_progress(int fd, const char *name)
{
    progress p = {.name = name};
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size > PROGRESS_FROM && isatty(STDERR_FILENO)) {
        p.size = (uint64_t)st.st_size;
        clock_gettime(CLOCK_MONOTONIC, &p.began);
        p.shown = p.began;
    }
    return p;
}

/* Feeds what fd gives to the scan, to its end. */
static bool
feed_all(count_job *j, int fd, count_file *f, licet_scan *scan, uint8_t *buffer)
{
    progress p = begin_progress(fd, f->name);
    bool ok = false;
    size_t first_len = 0;

    for (;;) {
        ssize_t n = read(fd, buffer, READ_SIZE);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            LICET_FAIL(&j->err, LICET_E_SYSTEM, 0, "%s: cannot read: %m", f->name);
            break;
        }
        if (n == 0) {
            ok = true;
            break;
        }
        for (ssize_t i = 0; i < n && first_len < sizeof(f->first); i++) {
            f->first[first_len++] = buffer[i];
        }
        if (j->plan != NULL) {
            licet_scan_feed(scan, j->plan, licet_bytes_of(buffer, (size_t)n), on_id, j);
        } else {
            f->result.bytes += (uint64_t)n;
        }
        if (j->id_failed) {
            break;
        }
        p.done += (uint64_t)n;
        show_progress(&p);
    }
    end_progress(&p);
    return ok;
}

static bool
count_one(count_job *j, count_file *f, uint8_t *buffer)
{
    bool is_stdin = strcmp(f->name, "-") == 0, ok;
    int fd = is_stdin ? STDIN_FILENO : open(f->name, O_RDONLY | O_CLOEXEC);
    licet_scan scan;

    if (fd < 0) {
        return LICET_FAIL(&j->err, LICET_E_SYSTEM, 0, "%s: cannot open: %m", f->name);
    }
    if (j->plan != NULL) {
        licet_scan_init(&scan, j->plan, j->form);
    }
    ok = feed_all(j, fd, f, &scan, buffer);
    if (ok && j->plan != NULL) {
        licet_scan_end(&scan, j->plan, on_id, j);
        licet_scan_look(&scan, &f->result);
        ok = !j->id_failed;
    }
    if (!is_stdin) {
        close(fd);
    }
    return ok;
}

static bool
count_files(count_job *j, char **names, size_t n)
{
    uint8_t *buffer = malloc(READ_SIZE);
    bool ok = false;

    j->files_len = n == 0 ? 1 : n;
    j->files = calloc(j->files_len, sizeof(*j->files));
    if (buffer == NULL || j->files == NULL) {
        LICET_FAIL(&j->err, LICET_E_MEMORY, 0, "no memory to read files");
        goto done;
    }
    for (size_t i = 0; i < j->files_len; i++) {
        j->files[i].name = n == 0 ? "-" : names[i];
        if (!count_one(j, &j->files[i], buffer)) {
            goto done;
        }
    }
    ok = true;
done:
    free(buffer);
    return ok;
}

static bool
all_metered(const count_job *j)
{
    for (size_t i = 0; i < j->files_len; i++) {
        if (j->files[i].result.reason != LICET_UNMETERED_NONE) {
            return false;
        }
    }
    return true;
}

static int
run_job(count_job *j, char **names, size_t n)
{
    bool printed = true;

    if ((j->units_len > 0 && !licet_plan_new(j->paths, j->units_len, &j->plan, &j->err)) ||
        !count_ids_init(&j->ids, j->max_ids, &j->err) || !count_files(j, names, n)) {
        return licet_cli_error(&licet_command_count, &j->err);
    }
    if (j->json) {
        printed = count_print_json(j);
    } else {
        count_print_text(j);
    }
    if (!printed || fflush(stdout) != 0) {
        return licet_cli_fail(&licet_command_count, "cannot write the result: %s",
                              printed ? strerror(errno) : "no memory");
    }
    return j->strict && !all_metered(j) ? LICET_EXIT_NO : LICET_EXIT_OK;
}

static int
run(int argc, char **argv)
{
    count_job j = {.form = LICET_BODY_AUTO, .max_ids = MAX_IDS_DEFAULT};
    int first = 0, code = take_options(&j, argc, argv, &first);

    if (code != -1) {
        return code;
    }
    if (j.suggest != NULL) {
        return count_suggest(j.suggest, j.json);
    }
    code = j.catalogue != NULL ? count_by_catalogue(&j) : LICET_EXIT_OK;
    if (code != LICET_EXIT_OK) {
        return code;
    }
    code = run_job(&j, argv + first, (size_t)(argc - first));
    licet_plan_free(j.plan);
    count_ids_done(&j.ids);
    free(j.files);
    return code;
}

const licet_command licet_command_count = {
    .name = "count",
    .summary = "count units and ids in API responses, as the gate does",
    .usage = usage,
    .run = run,
};
