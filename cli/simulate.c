/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet simulate: a recorded period judged by the terms that are recorded and by those in the files, side by side.
 *
 *  (1) Both are simulated, so that what the method leaves out (licet/simulate.h) is left out of both.
 *  (2) Nothing is written but two temporary tables without a name.
 */
#include "simulate.h"

#include "evidence.h"
#include "operator.h"

#include "licet/ledger.h"
#include "licet/report.h"
#include "licet/store.h"
#include "licet/usage.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const licet_command licet_command_simulate;

#define DOCUMENT_MAX ((size_t)256 << 20)
#define HOUR_MS UINT64_C(3600000)

static const char usage[] =
    "usage: licet simulate DIR AGREEMENT [--with DIR] [--from T] [--before T] [--enforce] [--json]\n"
    "\n"
    "Judges what is recorded of an agreement once more: by the terms that are recorded and in force, and by those in "
    "the\n"
    "files of the site DIR as they stand now, which may differ and need not be applied. Tells what would differ, in\n"
    "decisions, units and money. Nothing is recorded and nothing is changed.\n"
    "\n"
    "  --with DIR     take the changed terms from this site instead\n"
    "  --from T       begin, on a full hour; the first hour that is recorded if not given\n"
    "  --before T     end, on a full hour and not included; the end of what is recorded if not given\n"
    "  --enforce      as if every version and every clause enforced\n"
    "  --json         print both results as JSON\n"
    "\n"
    "A request counts against limits what it delivered. A request that was refused brought nothing, and what it would\n"
    "have brought is not guessed: it is told as released. Maxima of what is under way at once are not judged.\n"
    "\n"
    "exit status: 0 simulated, 1 the files have mistakes, 2 it failed\n";

typedef struct options {
    const char *dir, *with, *agreement;
    uint64_t from_ms, before_ms;
    bool has_from, has_before, enforce, json;
} options;

/* ---- the changed terms ------------------------------------------------------------- */

static bool
compile(const licet_site *site, const char *agreement, licet_cli_image *out_image, licet_error *err)
{
    size_t at = licet_site_find(site, agreement);

    if (at == SIZE_MAX) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "the files have no agreement \"%s\"", agreement);
    }
    return licet_cli_image_compile(site, at, out_image, err);
}

/* ---- one simulation -------------------------------------------------------------------- */

typedef struct recorded {
    licet_store *store;
    licet_ledger *ledger;
} recorded;

static bool
on_entry(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    (void)index;
    return licet_simulator_entry(user, entry, err);
}

static json_t *
document(licet_usage *tables, const options *o, const licet_image *image, licet_error *err)
{
    licet_report_options wanted = {.image = image,
                                   .agreement = o->agreement,
                                   .from_ms = o->from_ms,
                                   .before_ms = o->before_ms,
                                   .as_of_ms = licet_cli_now(),
                                   .dir = o->dir};
    licet_report *report = NULL;
    licet_buffer text;
    json_t *root = NULL;

    licet_buffer_init(&text, DOCUMENT_MAX);
    if (licet_report_make(tables, &wanted, &report, err) && licet_report_json(report, &text, err)) {
        root = json_loadb((const char *)text.data, text.len, 0, NULL);
        if (root == NULL) {
            LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a report");
        }
    }
    licet_buffer_done(&text);
    licet_report_free(report);
    return root;
}

static bool
run_one(const recorded *r, const options *o, const licet_image *image, uint32_t counters, simulated *out,
        licet_error *err)
{
    licet_simulate_options wanted = {
        .image = image, .counters = counters, .enforce = o->enforce, .from_ms = o->from_ms, .before_ms = o->before_ms};
    licet_simulator *simulator = NULL;
    licet_usage *tables = NULL;
    bool ok = licet_usage_open("", false, &tables, err) &&
              licet_simulator_new(&wanted, o->agreement, tables, &simulator, err) &&
              licet_ledger_each(r->ledger, 0, licet_ledger_size(r->ledger), on_entry, simulator, err) &&
              licet_simulator_end(simulator, &out->facts, err);

    out->report = ok ? document(tables, o, image, err) : NULL;
    licet_simulator_free(simulator);
    licet_usage_close(tables, NULL);
    return out->report != NULL;
}

/* ---- what is recorded ---------------------------------------------------------------------- */

static bool
fill_span(options *o, licet_error *err)
{
    char path[PATH_MAX];
    licet_usage *tables = NULL;
    uint64_t first, last;
    bool ok = licet_cli_path(o->dir, "data/usage.db", path, sizeof(path), err) &&
              licet_usage_open(path, true, &tables, err) && licet_usage_span(tables, o->agreement, &first, &last, err);

    licet_usage_close(tables, NULL);
    if (!ok) {
        return false;
    }
    if (first == 0 && last == 0) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%s: nothing is recorded of agreement %s", o->dir, o->agreement);
    }
    o->from_ms = o->has_from ? o->from_ms : first;
    o->before_ms = o->has_before ? o->before_ms : last + HOUR_MS;
    return o->from_ms < o->before_ms ||
           LICET_FAIL(err, LICET_E_INVALID, 0, "the end of the period is not after its begin");
}

static bool
open_recorded(const options *o, recorded *r, const licet_image **out_image, licet_error *err)
{
    char rest[PATH_MAX], path[PATH_MAX];

    if (!licet_operator_sync(o->dir, err) || !licet_store_open(o->dir, true, &r->store, err)) {
        return false;
    }
    *out_image = licet_store_image_of(r->store, o->agreement);
    if (*out_image == NULL) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0,
                          "%s: no agreement \"%s\" is recorded; licet report %s --all names "
                          "them",
                          o->dir, o->agreement, o->dir);
    }
    return licet_cli_path("data/ledger", o->agreement, rest, sizeof(rest), err) &&
           licet_cli_path(o->dir, rest, path, sizeof(path), err) && licet_ledger_open(path, true, &r->ledger, err);
}

static int
show(const options *o, const simulated *before, const simulated *after)
{
    if (o->json) {
        return licet_cli_json_print(&licet_command_simulate, simulate_json(o->agreement, before, after));
    }
    simulate_print(o->agreement, before, after);
    return LICET_EXIT_OK;
}

static int
run_both(options *o, const licet_site *site)
{
    simulated before = {.terms = "recorded"}, after = {.terms = o->with};
    recorded r = {NULL, NULL};
    const licet_image *image;
    licet_cli_image changed = {.counters = 0};
    licet_error err = {0};
    int result;

    if (open_recorded(o, &r, &image, &err) && fill_span(o, &err) && compile(site, o->agreement, &changed, &err) &&
        run_one(&r, o, image, licet_store_counters(r.store), &before, &err) &&
        run_one(&r, o, &changed.image, changed.counters, &after, &err)) {
        result = show(o, &before, &after);
    } else {
        result = licet_cli_error(&licet_command_simulate, &err);
    }
    json_decref(before.report);
    json_decref(after.report);
    licet_cli_image_done(&changed);
    licet_ledger_close(r.ledger, NULL);
    licet_store_close(r.store);
    return result;
}

/* ---- the command line ------------------------------------------------------------------------ */

static bool
parse(options *o, int argc, char **argv, int *out_exit)
{
    static const struct option names[] = {{"with", required_argument, NULL, 'w'},
                                          {"from", required_argument, NULL, 'f'},
                                          {"before", required_argument, NULL, 'b'},
                                          {"enforce", no_argument, NULL, 'e'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const licet_command *command = &licet_command_simulate;
    bool ok = true;
    int c;

    *out_exit = LICET_EXIT_FAILED;
    opterr = 0;
    while (ok && (c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'w':
            o->with = optarg;
            break;
        case 'f':
            ok = o->has_from = licet_cli_hour(command, "from", optarg, &o->from_ms);
            break;
        case 'b':
            ok = o->has_before = licet_cli_hour(command, "before", optarg, &o->before_ms);
            break;
        case 'e':
            o->enforce = true;
            break;
        case 'j':
            o->json = true;
            break;
        case 'h':
            *out_exit = licet_cli_help(command);
            return false;
        default:
            licet_cli_misuse(command, "\"%s\": no option of this command, or its value is missing", argv[optind - 1]);
            return false;
        }
    }
    if (ok && optind + 2 != argc) {
        licet_cli_misuse(command, "expected one site and one agreement, found %d", argc - optind);
        return false;
    }
    if (ok) {
        o->dir = argv[optind];
        o->agreement = argv[optind + 1];
        o->with = o->with != NULL ? o->with : o->dir;
    }
    return ok;
}

static int
run(int argc, char **argv)
{
    options o = {.dir = NULL};
    licet_site *site = NULL;
    int result;

    if (!parse(&o, argc, argv, &result)) {
        return result;
    }
    result = licet_cli_site_load(&licet_command_simulate, o.with, &site);
    if (result == LICET_EXIT_OK) {
        result = run_both(&o, site);
    }
    licet_site_free(site);
    return result;
}

const licet_command licet_command_simulate = {"simulate", "what changed terms would make of a recorded period", usage,
                                              run};
