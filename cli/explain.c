/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet explain: what would become of a request, rule by rule, with the clauses that say so; or, with a decision id,
 * what became of one (decision.h).
 *
 *  (1) It asks licet_decide, as the gate does. Whether units are left only the running gate knows; explain names the
 *      limits that would be asked and how much of each.
 */
#include "explain.h"
#include "decision.h"
#include "request.h"
#include "site.h"

#include "licet/store.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: licet explain DIR --app A --request 'GET /path?query' [--use-case U] [--purpose P] [--recipient R]\n"
    "                     [--at T] [--agreement X] [--recorded] [--json]\n"
    "       licet explain DIR DECISION [--json]\n"
    "\n"
    "Says what would become of a request: each rule in order with what it found and the clause that says so, the\n"
    "limits that bind with what would be reserved, and the sentence that a refused caller reads. Nothing is asked of\n"
    "the network and nothing is counted.\n"
    "\n"
    "With DECISION, the 32 hex digits of Licet-Decision, says of a decision that was made: the facts as they are\n"
    "recorded, the rules in force then, who permitted it, what its limits had used before and after, what it brought\n"
    "and how it ended, and whether today's terms would decide the same.\n"
    "\n"
    "  --app A          the app that asks\n"
    "  --request R      method and path as the client sends them, such as 'GET /2/tweets?ids=1,2'\n"
    "  --use-case U, --purpose P, --recipient R   declared with Licet-Use-Case, Licet-Purpose, Licet-Recipient\n"
    "  --flow acquired|passed-on   that the gate stands in (that of licet.yaml)\n"
    "  --at T           at this time, such as 2022-10-10 or 2022-10-10T12:00:00Z; default: now\n"
    "  --agreement X    where apps of that name exist under several agreements\n"
    "  --recorded       by what is recorded; default: by the files as they are now\n"
    "  --json           print it as one JSON document\n"
    "\n"
    "exit status: 0 allowed, also where it would be refused but for observe mode; 1 refused; 2 it could not tell\n";

extern const licet_command licet_command_explain;

/* What the command line asks. */
typedef struct question {
    const char *dir, *app, *request, *use_case, *purpose, *recipient, *agreement, *flow;
    const char *decision; /* that was made; NULL: none, a request is asked about */
    uint64_t at_ms;
    bool recorded, json;
    licet_cli_request parts; /* of request */
    licet_facts facts;
} question;

/* Where the image comes from; one of files and store is in use. */
typedef struct origin {
    licet_site *site;
    licet_store *store;
    licet_cli_image compiled;
    bool has_compiled;
    const licet_image *image;
    const char *agreement;
} origin;

/* ---- which agreement, which app --------------------------------------------------- */

static uint32_t
app_named(const licet_image *image, const char *name)
{
    for (uint32_t i = 0; i < image->header->apps_len; i++) {
        if (licet_bytes_equal_text(licet_image_text(image, image->apps[i].id), name)) {
            return i;
        }
    }
    return LICET_NONE;
}

/* The i-th agreement of the origin; *out_image NULL: it has no image. false beyond the last. */
static bool
agreement_at(origin *o, size_t i, const char **out_name, const licet_image **out_image, bool *out_failed,
             licet_error *err)
{
    *out_failed = false;
    if (o->store != NULL) {
        if (i + 1 >= licet_store_cells(o->store)) {
            return false;
        }
        *out_name = licet_store_cell_name(o->store, (uint32_t)i + 1); /* cell 0 is 'unidentified' */
        *out_image = licet_store_image(o->store, (uint32_t)i + 1);
        return true;
    }
    if (o->has_compiled) {
        licet_cli_image_done(&o->compiled);
        o->has_compiled = false;
    }
    if (i >= licet_site_agreements(o->site)) {
        return false;
    }
    *out_name = licet_site_agreement_id(o->site, i);
    o->has_compiled = licet_cli_image_compile(o->site, i, &o->compiled, err);
    *out_failed = !o->has_compiled;
    *out_image = o->has_compiled ? &o->compiled.image : NULL;
    return true;
}

static void
put_apps(licet_buffer *names, const char *agreement, const licet_image *image, bool with_agreement)
{
    for (uint32_t i = 0; i < image->header->apps_len; i++) {
        licet_bytes id = licet_image_text(image, image->apps[i].id);

        licet_put_format(names, "%s%s%s%.*s", names->len > 0 ? ", " : "", with_agreement ? agreement : "",
                         with_agreement ? "/" : "", (int)id.len, (const char *)id.data);
    }
}

static bool
several(const origin *o)
{
    return o->store != NULL ? licet_store_cells(o->store) > 2 : licet_site_agreements(o->site) > 1;
}

/* Finds the one agreement with this app and leaves its image in o. */
static bool
find_app(const question *q, origin *o, licet_error *err)
{
    size_t found = SIZE_MAX, matches = 0;
    licet_buffer apps, agreements;
    const licet_image *image;
    const char *name;
    bool failed = false, known = false, ok;

    licet_buffer_init(&apps, 65536);
    licet_buffer_init(&agreements, 65536);
    for (size_t i = 0; !failed && agreement_at(o, i, &name, &image, &failed, err); i++) {
        if (q->agreement == NULL) {
            known = true;
        } else {
            licet_put_format(&agreements, "%s%s", agreements.len > 0 ? ", " : "", name);
            known = known || strcmp(q->agreement, name) == 0;
        }
        if (image == NULL || (q->agreement != NULL && strcmp(q->agreement, name) != 0)) {
            continue;
        }
        put_apps(&apps, name, image, q->agreement == NULL && several(o));
        if (app_named(image, q->app) != LICET_NONE) {
            if (q->agreement == NULL) {
                licet_put_format(&agreements, "%s%s", agreements.len > 0 ? ", " : "", name);
            }
            found = i;
            matches++;
        }
    }
    if (failed) {
        ok = false;
    } else if (!known && q->agreement == NULL) {
        ok = LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%s has no agreement%s", q->dir, q->recorded ? " recorded yet" : "");
    } else if (!known) {
        ok = LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "--agreement \"%s\": expected one of %.*s", q->agreement,
                        (int)agreements.len, agreements.len > 0 ? (const char *)agreements.data : "");
    } else if (matches == 0) {
        ok = LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "--app \"%s\": expected one of %.*s", q->app, (int)apps.len,
                        apps.len > 0 ? (const char *)apps.data : "");
    } else if (matches > 1) {
        ok = LICET_FAIL(err, LICET_E_CONFLICT, 0, "--app \"%s\" exists under %.*s: name one with --agreement", q->app,
                        (int)agreements.len, (const char *)agreements.data);
    } else {
        ok = agreement_at(o, found, &o->agreement, &o->image, &failed, err) && !failed;
    }
    licet_buffer_done(&apps);
    licet_buffer_done(&agreements);
    return ok;
}

/* ---- the request ----------------------------------------------------------------------- */

/* The request and what is declared with it, into facts. */
static bool
read_request(question *q, licet_error *err)
{
    if (!licet_cli_request_read(q->request, &q->parts, err)) {
        return false;
    }
    q->facts.method = q->parts.method;
    q->facts.path = q->parts.path;
    q->facts.query = q->parts.query;
    q->facts.use_case = licet_bytes_of_text(q->use_case);
    q->facts.purpose = licet_bytes_of_text(q->purpose);
    q->facts.recipient = licet_bytes_of_text(q->recipient);
    q->facts.time_ms = q->at_ms;
    q->facts.credential = LICET_NONE;
    if (q->flow[0] != '\0' && strcmp(q->flow, "acquired") != 0 && strcmp(q->flow, "passed-on") != 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "--flow \"%s\": expected acquired or passed-on", q->flow);
    }
    return true;
}

/* ---- the command line -------------------------------------------------------------------------- */

static int
parse(question *q, int argc, char **argv)
{
    static const struct option options[] = {{"app", required_argument, NULL, 'a'},
                                            {"request", required_argument, NULL, 'r'},
                                            {"use-case", required_argument, NULL, 'u'},
                                            {"purpose", required_argument, NULL, 'p'},
                                            {"recipient", required_argument, NULL, 'c'},
                                            {"at", required_argument, NULL, 't'},
                                            {"flow", required_argument, NULL, 'f'},
                                            {"agreement", required_argument, NULL, 'g'},
                                            {"recorded", no_argument, NULL, 'd'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const struct {
        int letter;
        const char **to;
    } texts[] = {{'a', &q->app},       {'r', &q->request},   {'u', &q->use_case}, {'p', &q->purpose},
                 {'c', &q->recipient}, {'g', &q->agreement}, {'f', &q->flow}};
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            if (texts[i].letter == c) {
                *texts[i].to = optarg;
            }
        }
        if (c == 't' && !licet_time_parse(licet_bytes_of_text(optarg), &q->at_ms)) {
            return licet_cli_misuse(&licet_command_explain,
                                    "--at \"%s\": expected a time such as 2022-10-10 or 2022-10-10T12:00:00Z", optarg);
        }
        q->recorded = q->recorded || c == 'd';
        q->json = q->json || c == 'j';
        if (c == 'h') {
            return -1;
        }
        if (c == '?') {
            return licet_cli_misuse(&licet_command_explain, "\"%s\": no such option, or its value is missing",
                                    argv[optind - 1]);
        }
    }
    if (optind + 2 == argc) {
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            if (q->recorded || (*texts[i].to != NULL && (*texts[i].to)[0] != '\0')) {
                return licet_cli_misuse(&licet_command_explain,
                                        "\"%s\": a decision that was made is recorded whole; expected no other option "
                                        "than --json",
                                        argv[optind + 1]);
            }
        }
        q->dir = argv[optind];
        q->decision = argv[optind + 1];
        return LICET_EXIT_OK;
    }
    if (optind + 1 != argc) {
        return licet_cli_misuse(&licet_command_explain, "expected one site, not %d", argc - optind);
    }
    if (q->app[0] == '\0') {
        return licet_cli_misuse(&licet_command_explain, "--app is missing: expected the app that asks");
    }
    if (q->request[0] == '\0') {
        return licet_cli_misuse(&licet_command_explain,
                                "--request is missing: expected a request such as 'GET /2/tweets?ids=1,2'");
    }
    q->dir = argv[optind];
    return LICET_EXIT_OK;
}

static int
explain(question *q)
{
    licet_explanation explanation;
    licet_explain_view shown = {
        .request = q->request, .app = q->app, .recorded = q->recorded, .facts = &q->facts, .explanation = &explanation};
    licet_error err = {0};
    origin o = {.site = NULL};
    int result = LICET_EXIT_OK, printed = LICET_EXIT_OK;

    if (!read_request(q, &err)) {
        return licet_cli_misuse(&licet_command_explain, "%s", err.text);
    }
    if (q->recorded) {
        if (!licet_store_open(q->dir, true, &o.store, &err)) {
            result = licet_cli_error(&licet_command_explain, &err);
        }
    } else if (licet_cli_site_load(&licet_command_explain, q->dir, &o.site) != LICET_EXIT_OK) {
        result = LICET_EXIT_FAILED; /* 1 would say: refused */
    }
    if (result == LICET_EXIT_OK && !find_app(q, &o, &err)) {
        result = licet_cli_error(&licet_command_explain, &err);
    }
    if (result == LICET_EXIT_OK) {
        q->facts.app = app_named(o.image, q->app);
        q->facts.flow = q->flow[0] == '\0'                  ? (licet_flow)o.image->header->flow
                        : strcmp(q->flow, "passed-on") == 0 ? LICET_FLOW_PASSED_ON
                                                            : LICET_FLOW_ACQUIRED;
        licet_explain(o.image, &q->facts, &explanation);
        shown.image = o.image;
        shown.agreement = o.agreement;
        if (q->json) {
            printed = licet_cli_json_print(&licet_command_explain, licet_explain_json(&shown));
        } else {
            licet_explain_print(&shown);
        }
        result = printed != LICET_EXIT_OK                              ? printed
                 : explanation.verdict.verdict == LICET_VERDICT_REFUSE ? LICET_EXIT_NO
                                                                       : LICET_EXIT_OK;
    }
    if (o.has_compiled) {
        licet_cli_image_done(&o.compiled);
    }
    if (o.store != NULL) {
        licet_store_close(o.store);
    }
    licet_site_free(o.site);
    return result;
}

static int
run(int argc, char **argv)
{
    question q = {.dir = "",
                  .app = "",
                  .request = "",
                  .use_case = "",
                  .purpose = "",
                  .recipient = "",
                  .flow = "",
                  .at_ms = licet_cli_now()};
    int result = parse(&q, argc, argv);

    if (result == LICET_EXIT_OK && q.decision != NULL) {
        result = licet_cli_explain_decision(&licet_command_explain, q.dir, q.decision, q.json);
    } else if (result == LICET_EXIT_OK) {
        result = explain(&q);
    } else if (result < 0) {
        result = licet_cli_help(&licet_command_explain);
    }
    licet_cli_request_done(&q.parts);
    return result;
}

const licet_command licet_command_explain = {"explain", "say what would become of a request or became of one, and why",
                                             usage, run};
