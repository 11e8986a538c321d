/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet disclose: records files that were handed over, through a running licetd or, when none runs, by itself.
 *
 *  (1) The files are read here, once, and never leave the machine; the recorder gets lengths, hashes and sums.
 *  (2) Whether the terms allow it the recorder judges, by what is recorded; nothing is recorded that they refuse,
 *      unless it is said that it happened anyway.
 *  (3) Asked twice, it records once.
 */
#include "disclose.h"

#include "operator.h"
#include "recorder.h"
#include "request.h"
#include "site.h"

#include "licet/decide.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: licet disclose DIR --app A --recipient R [--agreement X] [--use-case U] [--purpose P] [--unit NAME]\n"
    "                      [--at T] [--format F] [--column C] [--request R | --count PATH --id PATH]\n"
    "                      [--units N] [--max-ids N] [--dry-run] [--anyway] [--again] [--json] FILE...\n"
    "\n"
    "Records that FILEs were handed over to a recipient: how many ids are in them, for which app, use case and\n"
    "purpose, and their SHA-256. It is judged as content that is passed on: recipient, country, government and\n"
    "embargo rules and the limits of flow passed-on, of the version in force at that time. What the terms refuse is\n"
    "not recorded; what they only observe is, with a warning. The units count against those limits and are in the\n"
    "report. The files stay where they are.\n"
    "\n"
    "  --app A          the app (of agreement X, where several have one of that name) whose content it is\n"
    "  --recipient R    who got it; must be registered\n"
    "  --use-case U, --purpose P   for what; default: the app's use case and its purpose\n"
    "  --unit NAME      what an id is; needed where the agreement counts several kinds\n"
    "  --at T           when it was handed over, such as 2026-11-23T12:00:00Z; default: now\n"
    "  --format F       lines (an id a line), csv, json, ndjson; default: by the ending of the name, else lines\n"
    "  --column C       of CSV: the name of the column that holds the ids, or its number from 1 on; default: 1\n"
    "  --request R      of JSON: counted as the answer to this request, such as 'GET /2/tweets?ids=1', by the "
    "catalogue\n"
    "  --count PATH --id PATH   of JSON: what counts and its ids, as licet count has them\n"
    "  --units N        says how many units they hold, instead of counting\n"
    "  --max-ids N      most distinct ids remembered; default: 10000000, some 40 bytes of memory each\n"
    "  --dry-run        count and judge, record nothing\n"
    "  --anyway         it has happened: record it although the terms refuse it, with the reason\n"
    "  --again          record it although the same file went to the same recipient before\n"
    "  --json           print one JSON document\n"
    "\n"
    "exit status: 0 recorded, or recorded before, or (--dry-run) allowed; 1 refused; 2 it failed\n";

#define MAX_IDS_DEFAULT 10000000u

enum { OPT_FLAG = 1, OPT_TEXT, OPT_HELP };

typedef struct job {
    const char *dir, *agreement, *app, *recipient, *use_case, *purpose, *unit, *at, *format, *request, *count, *id,
        *units, *max_ids;
    int dry_run, anyway, again, json;
    licet_disclose wanted;
    disclose_reading reading;
    count_ids ids;
    licet_plan *plan;
    licet_store *store;
    const licet_image *image;
    char why_no_plan[200];
    licet_buffer answer;
    licet_error err;
} job;

/* ---- what is recorded of the agreement ------------------------------------------------------ */

static bool
has_app(const licet_image *image, const char *app)
{
    for (uint32_t i = 0; i < image->header->apps_len; i++) {
        if (licet_bytes_equal_text(licet_image_text(image, image->apps[i].id), app)) {
            return true;
        }
    }
    return false;
}

/* The agreement that is named, or the one that has the app. */
static bool
find_agreement(job *j)
{
    uint32_t found = 0;

    if (!licet_store_open(j->dir, true, &j->store, &j->err)) {
        return false;
    }
    for (uint32_t cell = 1; cell < licet_store_cells(j->store); cell++) {
        const licet_image *image = licet_store_image(j->store, cell);
        const char *name = licet_store_cell_name(j->store, cell);

        if (image == NULL || (j->agreement != NULL && strcmp(name, j->agreement) != 0) || !has_app(image, j->app)) {
            continue;
        }
        if (found != 0) {
            return LICET_FAIL(&j->err, LICET_E_CONFLICT, 0,
                              "--app \"%s\" exists under %s and %s: name one with --agreement", j->app,
                              licet_store_cell_name(j->store, found), name);
        }
        found = cell;
    }
    if (found == 0) {
        return LICET_FAIL(&j->err, LICET_E_NOT_FOUND, 0, "--app \"%s\": %s%s has no app of that name recorded", j->app,
                          j->agreement != NULL ? "agreement " : "", j->agreement != NULL ? j->agreement : "the site");
    }
    j->image = licet_store_image(j->store, found);
    j->wanted.agreement = licet_store_cell_name(j->store, found);
    return true;
}

/* The unit that is named, or the only one. */
static bool
find_unit(job *j)
{
    const licet_image *image = j->image;
    licet_buffer names;
    bool ok = false;

    licet_buffer_init(&names, 4096);
    for (uint32_t k = LICET_KIND_BYTE + 1; k < image->header->kinds_len; k++) {
        licet_bytes name = licet_image_text(image, image->header->kinds[k]);

        licet_put_format(&names, "%s%.*s", names.len > 0 ? ", " : "", (int)name.len, (const char *)name.data);
        if (j->unit == NULL ? image->header->kinds_len == LICET_KIND_BYTE + 2 : licet_bytes_equal_text(name, j->unit)) {
            j->wanted.unit = name;
            ok = true;
        }
    }
    if (!ok) {
        LICET_FAIL(&j->err, LICET_E_INVALID, 0, "--unit %s%s%s: expected one of %.*s",
                   j->unit == NULL ? "is missing" : "\"", j->unit == NULL ? "" : j->unit, j->unit == NULL ? "" : "\"",
                   (int)names.len, names.len > 0 ? (const char *)names.data : "");
    }
    licet_buffer_done(&names);
    return ok;
}

/* ---- how JSON is counted --------------------------------------------------------------------- */

static bool
plan_of(job *j, licet_bytes count, licet_bytes id)
{
    licet_plan_unit unit = {.has_ids = true};

    return licet_path_parse(count, &unit.count, &j->err) && licet_path_parse(id, &unit.ids, &j->err) &&
           licet_plan_new(&unit, 1, &j->plan, &j->err);
}

static bool
plan_by_request(job *j)
{
    const licet_image *image = j->image;
    licet_cli_request request = {0};
    uint32_t version = licet_image_version_at(image, j->wanted.time_ms), row = LICET_NONE;
    bool ok = licet_cli_request_read(j->request, &request, &j->err);

    if (ok) {
        version = version == LICET_NONE ? 0 : version;
        row = licet_decide_endpoint(image, &image->versions[version], request.method, request.path);
        ok = row != LICET_NONE ||
             LICET_FAIL(&j->err, LICET_E_INVALID, 0, "--request \"%s\": the catalogue does not list it", j->request);
    }
    licet_cli_request_done(&request);
    for (uint32_t i = 0; ok && i < image->endpoints[row].counts.count; i++) {
        const licet_image_count *count = &image->counts[image->endpoints[row].counts.first + i];

        if (licet_bytes_equal(licet_image_text(image, image->header->kinds[count->kind]), j->wanted.unit) &&
            count->ids.len > 0) {
            return plan_of(j, licet_image_text(image, count->path), licet_image_text(image, count->ids));
        }
    }
    return ok &&
           LICET_FAIL(&j->err, LICET_E_INVALID, 0, "--request \"%s\": the catalogue has no ids of unit %.*s there",
                      j->request, (int)j->wanted.unit.len, (const char *)j->wanted.unit.data);
}

static bool
make_plan(job *j)
{
    if (j->request != NULL) {
        return plan_by_request(j);
    }
    if (j->count != NULL) {
        return plan_of(j, licet_bytes_of_text(j->count), licet_bytes_of_text(j->id));
    }
    snprintf(j->why_no_plan, sizeof(j->why_no_plan),
             "nothing says where its ids are: expected --request, --count with --id, or --units");
    return true;
}

/* ---- the files ------------------------------------------------------------------------------- */

static bool
read_files(job *j, char **names, size_t n)
{
    disclose_reading *r = &j->reading;
    uint64_t most = MAX_IDS_DEFAULT;

    if (j->max_ids != NULL && (!licet_parse_u64(licet_bytes_of_text(j->max_ids), &most) || most == 0)) {
        return LICET_FAIL(&j->err, LICET_E_INVALID, 0, "--max-ids %s: expected a number from 1 on", j->max_ids);
    }
    r->files = calloc(n, sizeof(*r->files));
    if (r->files == NULL) {
        return LICET_FAIL(&j->err, LICET_E_MEMORY, 0, "no memory for %zu files", n);
    }
    if (!count_ids_init(&j->ids, most, &j->err)) {
        return false;
    }
    r->ids = &j->ids;
    r->plan = j->plan;
    r->why_no_plan = j->why_no_plan;
    for (size_t i = 0; i < n; i++) {
        if (!disclose_read(r, names[i], &j->err)) {
            return false;
        }
        for (uint32_t k = 0; k + 1 < r->files_len; k++) {
            if (memcmp(&r->files[k].sha256, &r->files[r->files_len - 1].sha256, sizeof(licet_hash)) == 0) {
                return LICET_FAIL(&j->err, LICET_E_INVALID, 0, "%s and %s are the same", names[k], names[i]);
            }
        }
    }
    return true;
}

static bool
amount(job *j)
{
    licet_disclose *w = &j->wanted;

    w->files = j->reading.files;
    w->files_len = j->reading.files_len;
    w->counted = j->units == NULL;
    w->total = j->reading.total;
    w->distinct = j->reading.distinct;
    if (j->units != NULL && !licet_parse_u64(licet_bytes_of_text(j->units), &w->total)) {
        return LICET_FAIL(&j->err, LICET_E_INVALID, 0, "--units %s: expected a number", j->units);
    }
    return w->total > 0 || LICET_FAIL(&j->err, LICET_E_INVALID, 0, "the files hold no ids: nothing to record");
}

/* ---- through licetd, or alone ------------------------------------------------------------------ */

static json_t *
text_json(licet_bytes text)
{
    return json_stringn(text.len > 0 ? (const char *)text.data : "", text.len);
}

static char *
request_text(const licet_disclose *w)
{
    json_t *files = json_array(), *root;
    char hex[2 * LICET_SHA256_LEN + 1], *text;

    for (uint32_t i = 0; i < w->files_len; i++) {
        licet_hex(w->files[i].sha256.bytes, LICET_SHA256_LEN, hex);
        json_array_append_new(files, json_pack("{s:I,s:s}", "size", (json_int_t)w->files[i].size, "sha256", hex));
    }
    root = json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:I,s:b,s:I,s:I,s:o,s:b,s:b,s:b}", "agreement", w->agreement, "app",
                     text_json(w->app), "use_case", text_json(w->use_case), "purpose", text_json(w->purpose),
                     "recipient", text_json(w->recipient), "unit", text_json(w->unit), "time", (json_int_t)w->time_ms,
                     "counted", w->counted, "units", (json_int_t)w->total, "distinct", (json_int_t)w->distinct, "files",
                     files, "dry_run", w->dry_run, "anyway", w->anyway, "again", w->again);
    text = root == NULL ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

static bool
ask(job *j)
{
    char *text = request_text(&j->wanted);
    json_t *problem;
    const char *detail;
    long status = 0;
    bool ok;

    if (text == NULL) {
        return LICET_FAIL(&j->err, LICET_E_INVALID, 0, "a text is not UTF-8, or there is no memory");
    }
    ok = licet_operator_call(j->dir, "POST", "/disclose", licet_bytes_of_text(text), 0, &status, &j->answer, &j->err);
    free(text);
    if (ok && status != 200) {
        problem = json_loadb((const char *)j->answer.data, j->answer.len, 0, NULL);
        detail = json_string_value(json_object_get(problem, "detail"));
        ok = LICET_FAIL(&j->err, status == 422 ? LICET_E_INVALID : LICET_E_STATE, 0, "%s%s",
                        status == 422 ? "" : "licetd could not: ", detail != NULL ? detail : "no reason given");
        json_decref(problem);
    }
    return ok;
}

static void
say(void *user, licet_recorder_level level, const char *text)
{
    (void)user;
    if (level > LICET_LOG_INFO) {
        fprintf(stderr, "licet disclose: %s\n", text);
    }
}

static bool
alone(job *j)
{
    licet_recorder_options options = {.dir = j->dir, .now_ms = licet_cli_now(), .log = say};
    licet_recorder *recorder = NULL;
    licet_error later;
    bool ok;

    if (!licet_recorder_open(&options, &recorder, &j->err)) {
        return false;
    }
    ok = licet_recorder_disclose(recorder, &j->wanted, options.now_ms, &j->answer, &j->err);
    if (!licet_recorder_close(recorder, options.now_ms, &later) && ok) {
        j->err = later;
        ok = false;
    }
    return ok;
}

/* ---- the answer -------------------------------------------------------------------------------- */

static const char *
word(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));

    return text != NULL ? text : "-";
}

/* Why the terms refuse it, or would. */
static void
tell_objection(const json_t *root, const char *how)
{
    bool clause = json_is_string(json_object_get(root, "clause"));

    fprintf(stderr, "licet disclose: %s%s%s%s%s%s: %s\n", how, word(root, "reason"), clause ? " by " : "",
            clause ? word(root, "clause") : "", clause ? ", " : "", clause ? word(root, "section") : "",
            word(root, "says"));
}

static void
tell_amount(const job *j, const json_t *root)
{
    char units[LICET_CLI_NUMBER_TEXT], distinct[LICET_CLI_NUMBER_TEXT];

    printf("%s %s", licet_cli_number(j->wanted.total, units), word(root, "unit"));
    if (j->wanted.counted) {
        printf(" (%s distinct)", licet_cli_number(j->wanted.distinct, distinct));
    } else {
        printf(" (declared)");
    }
    printf(" in %u file%s to %s (%s%s%s) under %s, version %s\n", j->wanted.files_len,
           licet_cli_plural(j->wanted.files_len), word(root, "recipient"), word(root, "class"),
           json_is_string(json_object_get(root, "country")) ? ", " : "",
           json_is_string(json_object_get(root, "country")) ? word(root, "country") : "", word(root, "agreement"),
           word(root, "version"));
}

static int
exit_of(const char *outcome, const json_t *root)
{
    if (strcmp(outcome, "recorded") == 0 || strcmp(outcome, "known") == 0) {
        return LICET_EXIT_OK;
    }
    return strcmp(outcome, "dry-run") == 0 && strcmp(word(root, "verdict"), "refuse") != 0 ? LICET_EXIT_OK
                                                                                           : LICET_EXIT_NO;
}

static int
tell(const job *j)
{
    json_t *root = json_loadb((const char *)j->answer.data, j->answer.len, 0, NULL);
    const char *outcome = word(root, "outcome"), *verdict = word(root, "verdict");
    bool known = strcmp(outcome, "known") == 0 || strcmp(outcome, "partly-known") == 0;
    bool anyway = strcmp(verdict, "refuse") == 0 && strcmp(outcome, "recorded") == 0;
    int code = exit_of(outcome, root);

    if (root == NULL) {
        return licet_cli_fail(&licet_command_disclose, "the recorder answered nothing that can be read");
    }
    if (!known && strcmp(verdict, "observe") == 0) {
        tell_objection(root, "warning: the terms are only observed and would refuse it: ");
    } else if (!known && strcmp(verdict, "refuse") == 0) {
        tell_objection(root, anyway ? "warning: recorded although the terms refuse it: " : "refused: ");
    }
    if (strcmp(outcome, "partly-known") == 0) {
        fprintf(stderr,
                "licet disclose: some of these files went to %s before, one of them at %s: name the others "
                "alone, or say --again\n",
                word(root, "recipient"), word(root, "recorded_for"));
    }
    if (j->json) {
        int printed = licet_cli_json_print(&licet_command_disclose, json_incref(root));

        code = printed == LICET_EXIT_OK ? code : printed;
    } else if (strcmp(outcome, "known") == 0) {
        printf("recorded before: handed over to %s at %s, decision %s; nothing was recorded (--again does)\n",
               word(root, "recipient"), word(root, "recorded_for"), word(root, "decision"));
    } else if (strcmp(outcome, "recorded") == 0) {
        tell_amount(j, root);
        printf("recorded, decision %s\n", word(root, "decision"));
    } else if (!known) {
        tell_amount(j, root);
        printf("%s; nothing was recorded\n", code == LICET_EXIT_OK ? "it would be recorded" : "refused");
    }
    json_decref(root);
    return code;
}

static int
disclose(job *j, char **names, size_t n)
{
    bool ok = find_agreement(j) && find_unit(j) && make_plan(j) && read_files(j, names, n) && amount(j);

    if (ok) {
        ok = ask(j);
        if (!ok && j->err.code == LICET_E_NOT_FOUND) {
            j->answer.len = 0;
            ok = alone(j);
        }
    }
    return ok ? tell(j) : licet_cli_error(&licet_command_disclose, &j->err);
}

/* ---- the command line --------------------------------------------------------------------------- */

static bool
form_named(job *j)
{
    static const char *const names[] = {
        [DISCLOSE_LINES] = "lines", [DISCLOSE_CSV] = "csv", [DISCLOSE_JSON] = "json", [DISCLOSE_NDJSON] = "ndjson"};

    j->reading.form = j->units != NULL ? DISCLOSE_NOTHING : DISCLOSE_AUTO;
    for (size_t i = DISCLOSE_LINES; j->format != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(j->format, names[i]) == 0) {
            j->reading.form = (disclose_form)i;
            return true;
        }
    }
    return j->format == NULL;
}

static int
check(job *j, int files)
{
    const licet_command *c = &licet_command_disclose;

    if (j->app == NULL || j->recipient == NULL) {
        return licet_cli_misuse(c, "--%s is missing", j->app == NULL ? "app" : "recipient");
    }
    if (!form_named(j)) {
        return licet_cli_misuse(c, "--format %s: expected lines, csv, json or ndjson", j->format);
    }
    if ((j->count == NULL) != (j->id == NULL) || (j->count != NULL && j->request != NULL)) {
        return licet_cli_misuse(c, "--count goes with --id, and without --request");
    }
    if (j->units != NULL &&
        (j->format != NULL || j->count != NULL || j->request != NULL || j->reading.column != NULL)) {
        return licet_cli_misuse(c, "--units says how many there are: expected nothing that says how to count");
    }
    if (j->reading.column != NULL && j->reading.column[0] == '\0') {
        return licet_cli_misuse(c, "--column: expected a name, or a number from 1 on");
    }
    if (j->at != NULL && !licet_time_parse(licet_bytes_of_text(j->at), &j->wanted.time_ms)) {
        return licet_cli_misuse(c, "--at \"%s\": expected a time such as 2022-10-10 or 2022-10-10T12:00:00Z", j->at);
    }
    if (files < 1 || files > LICET_DISCLOSURE_FILES_MAX) {
        return licet_cli_misuse(c, "expected a site and 1 to %d files, found %d", LICET_DISCLOSURE_FILES_MAX,
                                files < 0 ? 0 : files);
    }
    return LICET_EXIT_OK;
}

/* An exit code, or -1 to go on. */
static int
parse(job *j, int argc, char **argv)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {{"agreement", &j->agreement},
                 {"app", &j->app},
                 {"recipient", &j->recipient},
                 {"use-case", &j->use_case},
                 {"purpose", &j->purpose},
                 {"unit", &j->unit},
                 {"at", &j->at},
                 {"format", &j->format},
                 {"column", &j->reading.column},
                 {"request", &j->request},
                 {"count", &j->count},
                 {"id", &j->id},
                 {"units", &j->units},
                 {"max-ids", &j->max_ids}};
    const struct {
        const char *name;
        int *to;
    } flags[] = {{"dry-run", &j->dry_run}, {"anyway", &j->anyway}, {"again", &j->again}, {"json", &j->json}};
    enum { TEXTS = sizeof(texts) / sizeof(texts[0]), FLAGS = sizeof(flags) / sizeof(flags[0]) };
    struct option options[TEXTS + FLAGS + 2] = {0};
    int c, at = 0;

    for (size_t i = 0; i < TEXTS; i++) {
        options[i] = (struct option){texts[i].name, required_argument, NULL, OPT_TEXT};
    }
    for (size_t i = 0; i < FLAGS; i++) {
        options[TEXTS + i] = (struct option){flags[i].name, no_argument, flags[i].to, OPT_FLAG};
    }
    options[TEXTS + FLAGS] = (struct option){"help", no_argument, NULL, OPT_HELP};
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, &at)) != -1) {
        if (c == OPT_HELP) {
            return licet_cli_help(&licet_command_disclose);
        }
        if (c == '?') {
            return licet_cli_misuse(&licet_command_disclose,
                                    "\"%s\": no option of this command, or its value is missing", argv[optind - 1]);
        }
        if (c == OPT_TEXT) {
            *texts[at].to = optarg;
        }
    }
    j->dir = optind < argc ? argv[optind] : NULL;
    c = check(j, argc - optind - 1);
    return c == LICET_EXIT_OK ? -1 : c;
}

static licet_bytes
text_of(const char *text)
{
    return text == NULL ? licet_bytes_of(NULL, 0) : licet_bytes_of_text(text);
}

static int
run(int argc, char **argv)
{
    job j = {.wanted.time_ms = licet_cli_now()};
    int code = parse(&j, argc, argv);

    if (code != -1) {
        return code;
    }
    j.wanted.app = text_of(j.app);
    j.wanted.recipient = text_of(j.recipient);
    j.wanted.use_case = text_of(j.use_case);
    j.wanted.purpose = text_of(j.purpose);
    j.wanted.dry_run = j.dry_run != 0;
    j.wanted.anyway = j.anyway != 0;
    j.wanted.again = j.again != 0;
    licet_buffer_init(&j.answer, (size_t)1 << 20);
    code = disclose(&j, argv + optind + 1, (size_t)(argc - optind - 1));
    licet_buffer_done(&j.answer);
    licet_plan_free(j.plan);
    count_ids_done(&j.ids);
    free(j.reading.files);
    if (j.store != NULL) {
        licet_store_close(j.store);
    }
    return code;
}

const licet_command licet_command_disclose = {"disclose", "record files that were handed over", usage, run};
