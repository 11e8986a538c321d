/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet report: how much each app and product got, with the evidence it rests
 * on. Reads tables and ledger of a site and never writes; a running licetd is
 * asked first to bring them up to date.
 */
#include "cli.h"
#include "evidence.h"
#include "operator.h"
#include "site.h"

#include "licet/report.h"
#include "licet/store.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: licet report DIR --agreement A [--from T] [--before T] [--for EDITION] [--format text|json]\n"
    "       licet report DIR --all [--from T] [--before T] [--format text|json]\n"
    "\n"
    "Says how much each app, product, purpose and recipient of an agreement got in a period, what was refused and "
    "why,\n"
    "what is not known, and by which evidence anybody can check it.\n"
    "\n"
    "  --agreement A    the agreement\n"
    "  --all            one line for each agreement of the site\n"
    "  --from T         begin of the period: 2022-10-01 or 2022-10-01T06:00:00Z; on a full hour\n"
    "  --before T       its end, not in it. Default of both: the present calendar month, UTC\n"
    "  --for EDITION    internal (default), counterparty (tells nothing of others) or auditor\n"
    "  --format FORMAT  text (default) or json\n"
    "  --json           the same as --format json\n"
    "\n"
    "exit status: 0 the report is printed, 2 it could not be made\n";

extern const licet_command licet_command_report;

#define REPORT_MAX ((size_t)256 << 20)
#define CHECKPOINT_MAX 65536

typedef struct options {
    const char *dir, *agreement;
    bool all, json, has_from, has_before;
    uint64_t from_ms, before_ms, now_ms;
    licet_edition edition;
} options;

/* What one report reads. */
typedef struct reading {
    const options *o;
    licet_store *store;
    licet_usage *usage;
} reading;

/* ---- command line ------------------------------------------------------------ */

static bool
parse_edition(const char *text, licet_edition *out_edition)
{
    static const char *const names[] = {"internal", "counterparty", "auditor"};

    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out_edition = (licet_edition)i;
            return true;
        }
    }
    licet_cli_misuse(&licet_command_report, "--for \"%s\": expected internal, counterparty or auditor", text);
    return false;
}

static bool
parse_format(const char *text, bool *out_json)
{
    if (strcmp(text, "html") == 0 || strcmp(text, "csv") == 0) {
        licet_cli_misuse(&licet_command_report, "--format %s: a later version has it; this one has text and json",
                         text);
        return false;
    }
    if (strcmp(text, "text") != 0 && strcmp(text, "json") != 0) {
        licet_cli_misuse(&licet_command_report, "--format \"%s\": expected text or json", text);
        return false;
    }
    *out_json = strcmp(text, "json") == 0;
    return true;
}

/* The present month, or the month that the one given bound leads to. */
static bool
fill_period(options *o)
{
    if (!o->has_before) {
        o->before_ms = licet_month_start(licet_month_of(o->now_ms) + 1);
    }
    if (!o->has_from) {
        o->from_ms =
            licet_month_start(licet_month_of(o->has_before && o->before_ms > 0 ? o->before_ms - 1 : o->now_ms));
    }
    if (o->from_ms >= o->before_ms) {
        char from[LICET_TIME_TEXT], before[LICET_TIME_TEXT];

        licet_cli_time(o->from_ms, from);
        licet_cli_time(o->before_ms, before);
        licet_cli_misuse(&licet_command_report, "from %s before %s: no time lies between", from, before);
        return false;
    }
    return true;
}

/* False when it was said what is wrong, or help was printed (*out_exit). */
static bool
parse(options *o, int argc, char **argv, int *out_exit)
{
    static const struct option long_options[] = {{"agreement", required_argument, NULL, 'a'},
                                                 {"all", no_argument, NULL, 'A'},
                                                 {"from", required_argument, NULL, 'f'},
                                                 {"before", required_argument, NULL, 'b'},
                                                 {"for", required_argument, NULL, 'e'},
                                                 {"format", required_argument, NULL, 'F'},
                                                 {"json", no_argument, NULL, 'j'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {NULL, 0, NULL, 0}};
    bool ok = true;
    int c;

    *out_exit = LICET_EXIT_FAILED;
    opterr = 0;
    while (ok && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 'a':
            o->agreement = optarg;
            break;
        case 'A':
            o->all = true;
            break;
        case 'f':
            ok = o->has_from = licet_cli_hour(&licet_command_report, "from", optarg, &o->from_ms);
            break;
        case 'b':
            ok = o->has_before = licet_cli_hour(&licet_command_report, "before", optarg, &o->before_ms);
            break;
        case 'e':
            ok = parse_edition(optarg, &o->edition);
            break;
        case 'F':
            ok = parse_format(optarg, &o->json);
            break;
        case 'j':
            o->json = true;
            break;
        case 'h':
            *out_exit = licet_cli_help(&licet_command_report);
            return false;
        default:
            licet_cli_misuse(&licet_command_report, "\"%s\": no option of this command, or its value is missing",
                             argv[optind - 1]);
            return false;
        }
    }
    if (!ok) {
        return false;
    }
    if (optind + 1 != argc) {
        licet_cli_misuse(&licet_command_report, "expected one site, found %d", argc - optind);
        return false;
    }
    o->dir = argv[optind];
    if ((o->agreement == NULL) == !o->all) {
        licet_cli_misuse(&licet_command_report, "expected either --agreement A or --all");
        return false;
    }
    return fill_period(o);
}

/* ---- one report --------------------------------------------------------------- */

/* The signed checkpoint of the ledger, if there is one; it must be of this site's key. */
static bool
read_checkpoint(const char *dir, const char *agreement, licet_buffer *note, licet_checkpoint *out_checkpoint,
                licet_error *err)
{
    licet_verifier_key site, key;
    licet_ledger *ledger = NULL;
    licet_error local = {0};
    char rest[PATH_MAX], path[PATH_MAX];
    bool ok = false;

    memset(out_checkpoint, 0, sizeof(*out_checkpoint));
    if (!licet_cli_path("data/ledger", agreement, rest, sizeof(rest), err) ||
        !licet_cli_path(dir, rest, path, sizeof(path), err)) {
        return false;
    }
    if (!licet_ledger_open(path, true, &ledger, err)) {
        return false;
    }
    if (!licet_ledger_checkpoint_read(ledger, note, &local)) {
        ok = local.code == LICET_E_NOT_FOUND || LICET_FAIL(err, local.code, 0, "%.400s", local.text);
    } else {
        ok = licet_cli_site_key(dir, &site, err) && licet_cli_ledger_key(&site, agreement, &key, err) &&
             licet_checkpoint_open(licet_buffer_view(note), &key, 1, out_checkpoint, err);
    }
    licet_ledger_close(ledger, NULL);
    return ok;
}

static bool
make(const reading *r, const char *agreement, licet_report **out_report, licet_error *err)
{
    licet_report_options wanted = {.dir = r->o->dir,
                                   .image = licet_store_image_of(r->store, agreement),
                                   .agreement = agreement,
                                   .from_ms = r->o->from_ms,
                                   .before_ms = r->o->before_ms,
                                   .edition = r->o->edition,
                                   .as_of_ms = r->o->now_ms};
    licet_buffer note;
    bool ok;

    if (wanted.image == NULL) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0,
                          "%s: no agreement \"%s\" is recorded; licet report %s --all names them", r->o->dir, agreement,
                          r->o->dir);
    }
    licet_buffer_init(&note, CHECKPOINT_MAX);
    ok = read_checkpoint(r->o->dir, agreement, &note, &wanted.checkpoint, err);
    wanted.checkpoint_note = licet_buffer_view(&note);
    ok = ok && licet_report_make(r->usage, &wanted, out_report, err);
    licet_buffer_done(&note);
    return ok;
}

static bool
print(const options *o, const licet_report *report, licet_error *err)
{
    licet_buffer out;
    bool ok;

    licet_buffer_init(&out, REPORT_MAX);
    ok = o->json ? licet_report_json(report, &out, err) : licet_report_text(report, &out, err);
    if (ok && (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0)) {
        ok = LICET_FAIL(err, LICET_E_SYSTEM, 0, "the report could not be written to standard output");
    }
    licet_buffer_done(&out);
    return ok;
}

/* ---- all agreements ------------------------------------------------------------- */

/* The report's document, to take the totals from. */
static json_t *
document(const licet_report *report, licet_error *err)
{
    licet_buffer out;
    json_t *root = NULL;

    licet_buffer_init(&out, REPORT_MAX);
    if (licet_report_json(report, &out, err)) {
        root = json_loadb((const char *)out.data, out.len, 0, NULL);
        if (root == NULL) {
            LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a report");
        }
    }
    licet_buffer_done(&out);
    return root;
}

static void
print_line(const char *agreement, const json_t *totals)
{
    char a[LICET_CLI_NUMBER_TEXT], b[LICET_CLI_NUMBER_TEXT];
    const json_t *requests = json_object_get(totals, "requests"), *amount;
    const char *unit;

    printf("%s: %s delivered, %s refused", agreement,
           licet_cli_number((uint64_t)json_integer_value(json_object_get(requests, "delivered")), a),
           licet_cli_number((uint64_t)json_integer_value(json_object_get(requests, "refused")), b));
    json_object_foreach(json_object_get(totals, "units"), unit, amount)
    {
        if (json_integer_value(json_object_get(amount, "gross")) > 0) {
            printf(", %s %s", licet_cli_number((uint64_t)json_integer_value(json_object_get(amount, "gross")), a),
                   unit);
        }
    }
    putchar('\n');
}

static bool
add_line(const reading *r, const char *agreement, json_t *list, licet_error *err)
{
    licet_report *report = NULL;
    json_t *root;

    if (!make(r, agreement, &report, err)) {
        return false;
    }
    root = document(report, err);
    licet_report_free(report);
    if (root == NULL) {
        return false;
    }
    if (r->o->json) {
        json_array_append_new(list,
                              json_pack("{s:s, s:O, s:O}", "agreement", agreement, "period",
                                        json_object_get(root, "period"), "totals", json_object_get(root, "totals")));
    } else {
        print_line(agreement, json_object_get(root, "totals"));
    }
    json_decref(root);
    return true;
}

static int
report_all(const reading *r)
{
    json_t *list = json_array();
    licet_error err = {0};
    bool ok = true, any = false;

    for (uint32_t cell = 1; ok && cell < licet_store_cells(r->store); cell++) {
        const char *agreement = licet_store_cell_name(r->store, cell);

        if (agreement != NULL && licet_store_image(r->store, cell) != NULL) {
            ok = add_line(r, agreement, list, &err);
            any = true;
        }
    }
    if (!ok) {
        json_decref(list);
        return licet_cli_error(&licet_command_report, &err);
    }
    if (r->o->json) {
        return licet_cli_json_print(&licet_command_report, json_pack("{s:o}", "agreements", list));
    }
    json_decref(list);
    if (!any) {
        fprintf(stderr, "licet report: %s: no agreement is recorded\n", r->o->dir);
    }
    return LICET_EXIT_OK;
}

static int
report_one(const reading *r)
{
    licet_report *report = NULL;
    licet_error err = {0};
    int result = LICET_EXIT_OK;

    if (!make(r, r->o->agreement, &report, &err) || !print(r->o, report, &err)) {
        result = licet_cli_error(&licet_command_report, &err);
    }
    licet_report_free(report);
    return result;
}

static int
run(int argc, char **argv)
{
    options o = {.now_ms = licet_cli_now()};
    reading r = {.o = &o};
    licet_error err = {0};
    char path[PATH_MAX];
    int result;

    if (!parse(&o, argc, argv, &result)) {
        return result;
    }
    if (!licet_operator_sync(o.dir, &err) || !licet_cli_path(o.dir, "data/usage.db", path, sizeof(path), &err) ||
        !licet_store_open(o.dir, true, &r.store, &err) || !licet_usage_open(path, true, &r.usage, &err)) {
        result = licet_cli_error(&licet_command_report, &err);
    } else {
        result = o.all ? report_all(&r) : report_one(&r);
    }
    licet_usage_close(r.usage, NULL);
    licet_store_close(r.store);
    return result;
}

const licet_command licet_command_report = {"report", "how much each app and product got, and the evidence for it",
                                            usage, run};
