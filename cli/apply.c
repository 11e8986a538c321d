/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet apply: records the site's files and makes them effective, through a
 * running licetd or, when none runs, by itself.
 *
 *  (1) There is no other way to change terms or registry.
 *  (2) Nothing is recorded while a file holds a mistake.
 *  (3) Alone it takes data/lock and leaves a signed checkpoint; the next licetd publishes to the workers.
 */
#include "operator.h"
#include "recorder.h"
#include "site.h"

#include "licet/decide.h"

#include <curl/curl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const licet_command licet_command_apply;

static const char usage[] =
    "usage: licet apply DIR --reason TEXT [--as 'NAME, ROLE' [--approved-by 'NAME, ROLE']] [--remove] [--json]\n"
    "\n"
    "Records what the files of the site DIR say, in the ledger of each agreement that changed, and makes it effective\n"
    "at once: through licetd where it runs, else by itself. Prints the changes in words.\n"
    "\n"
    "  --reason TEXT   why; kept with the record (the ledger holds a salted commitment to it)\n"
    "  --as WHO        who applies it, with the role: 'J. Roe, licensing'; kept as the reason is\n"
    "  --approved-by WHO\n"
    "                  a second person; needed where a change takes effect more than a day before now\n"
    "  --remove        record also that what was recorded is taken away; else it must be ended\n"
    "  --json          print generation and changes as one JSON document\n"
    "\n"
    "exit status: 0 recorded, or nothing differed; 1 the files hold mistakes or a change cannot be recorded as it\n"
    "is: nothing was recorded; 2 it failed\n";

typedef struct outcome {
    uint64_t generation;
    char *changes; /* owned; a line '<agreement>: <words>' per change */
    json_t *mistakes;
} outcome;

static size_t
lines_of(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += *text == '\n' ? 1 : 0;
    }
    return n;
}

static void
print_mistakes(const json_t *mistakes)
{
    size_t i;
    const json_t *m;

    json_array_foreach(mistakes, i, m)
    {
        long long line = (long long)json_integer_value(json_object_get(m, "line"));

        fputs(json_string_value(json_object_get(m, "file")), stderr);
        if (line > 0) {
            fprintf(stderr, ":%lld:%lld", line, (long long)json_integer_value(json_object_get(m, "column")));
        }
        fprintf(stderr, ": %s\n", json_string_value(json_object_get(m, "text")));
    }
    fprintf(stderr, "licet apply: %zu mistake%s; nothing was recorded\n", json_array_size(mistakes),
            licet_cli_plural(json_array_size(mistakes)));
}

/* As licet plan has them: lines by agreement, in the order they come. No id of an agreement has a colon. */
static json_t *
changes_json(const char *line)
{
    json_t *list = json_array(), *lines = NULL;
    licet_bytes before = {NULL, 0};

    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        licet_bytes id = licet_bytes_of(line, strcspn(line, ":"));
        size_t skip = id.len + 2 <= len ? id.len + 2 : len;

        if (before.data == NULL || !licet_bytes_equal(id, before)) {
            lines = json_array();
            json_array_append_new(list,
                                  json_pack("{s:o, s:o}", "agreement", licet_cli_json_text(id), "changes", lines));
            before = id;
        }
        json_array_append_new(lines, licet_cli_json_text(licet_bytes_of(line + skip, len - skip)));
        line += len + (line[len] == '\n');
    }
    return list;
}

static int
tell(const outcome *o, bool json)
{
    size_t n = lines_of(o->changes);

    if (json) {
        return licet_cli_json_print(
            &licet_command_apply,
            json_pack("{s:I,s:o}", "generation", (json_int_t)o->generation, "agreements", changes_json(o->changes)));
    }
    fputs(o->changes, stdout);
    if (n == 0) {
        printf("nothing differs from what is recorded\n");
    } else {
        printf("recorded %zu change%s, generation %llu\n", n, licet_cli_plural(n), (unsigned long long)o->generation);
    }
    return LICET_EXIT_OK;
}

/* ---- through licetd ------------------------------------------------------------ */

static bool
answer_take(long status, const licet_buffer *answer, outcome *out, licet_error *err)
{
    json_t *json = json_loadb((const char *)answer->data, answer->len, 0, NULL);
    const char *text = json_string_value(json_object_get(json, status == 200 ? "changes" : "detail"));
    bool ok = false;

    if (status == 200 && text != NULL) {
        out->generation = (uint64_t)json_integer_value(json_object_get(json, "generation"));
        out->changes = strdup(text);
        ok = out->changes != NULL || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the changes");
    } else if (status == 422) {
        out->mistakes = json_incref(json_object_get(json, "mistakes"));
        LICET_FAIL(err, LICET_E_INVALID, 0, "%s", text != NULL ? text : "the files hold mistakes");
    } else {
        LICET_FAIL(err, LICET_E_STATE, 0, "licetd answered %ld: %s", status, text != NULL ? text : "no reason given");
    }
    json_decref(json);
    return ok;
}

static bool
ask(const char *dir, const licet_recorder_request *request, outcome *out, licet_error *err)
{
    licet_buffer answer;
    const licet_permit *permit = &request->permit;
    char *escaped = curl_easy_escape(NULL, request->reason, 0), path[3800];
    char *as = curl_easy_escape(NULL, permit->as == NULL ? "" : permit->as, 0);
    char *by = curl_easy_escape(NULL, permit->approved_by == NULL ? "" : permit->approved_by, 0);
    long status = 0;
    bool ok = false;

    licet_buffer_init(&answer, (size_t)4 << 20);
    if (escaped == NULL || as == NULL || by == NULL ||
        snprintf(path, sizeof(path), "/apply?reason=%s%s%s%s%s%s", escaped, permit->as == NULL ? "" : "&as=", as,
                 permit->approved_by == NULL ? "" : "&approved-by=", by,
                 permit->remove ? "&remove=1" : "") >= (int)sizeof(path)) {
        LICET_FAIL(err, LICET_E_LIMIT, 0, "the reason is too long: %zu bytes", strlen(request->reason));
    } else {
        ok = licet_operator_call(dir, "POST", path, (licet_bytes){NULL, 0}, 0, &status, &answer, err) &&
             answer_take(status, &answer, out, err);
    }
    curl_free(escaped);
    curl_free(as);
    curl_free(by);
    licet_buffer_done(&answer);
    return ok;
}

/* ---- alone ------------------------------------------------------------------------ */

static void
say(void *user, licet_recorder_level level, const char *text)
{
    (void)user;
    if (level > LICET_LOG_INFO) {
        fprintf(stderr, "licet apply: %s\n", text);
    }
}

static bool
alone(const char *dir, const licet_recorder_request *request, outcome *out, licet_error *err)
{
    licet_recorder_options options = {.dir = dir, .now_ms = licet_cli_now(), .log = say};
    licet_recorder *recorder = NULL;
    licet_mistakes mistakes = {0};
    licet_buffer words;
    licet_error later;
    bool ok;

    licet_buffer_init(&words, (size_t)4 << 20);
    if (!licet_recorder_open(&options, &recorder, err)) {
        licet_buffer_done(&words);
        return false;
    }
    ok = licet_recorder_apply_as(recorder, request, options.now_ms, &mistakes, &words, err) &&
         (licet_put_u8(&words, 0) || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the changes"));
    if (ok) {
        out->generation = licet_store_generation(licet_recorder_store(recorder));
        out->changes = strdup((const char *)words.data);
        ok = out->changes != NULL || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the changes");
    } else if (mistakes.len > 0) {
        out->mistakes = licet_cli_mistakes_json(&mistakes);
    }
    if (!licet_recorder_close(recorder, options.now_ms, &later) && ok) {
        *err = later;
        ok = false;
    }
    licet_mistakes_done(&mistakes);
    licet_buffer_done(&words);
    return ok;
}

/* A site whose files hold mistakes cannot even be opened the first time; the list is worth more than one sentence. */
static bool
check_first(const char *dir, outcome *out, licet_error *err)
{
    licet_mistakes mistakes = {0};
    licet_site *site = NULL;
    bool ok = licet_site_load(dir, &mistakes, &site, err) && licet_examples_try(site, &mistakes, err);

    if (!ok && mistakes.len > 0) {
        out->mistakes = licet_cli_mistakes_json(&mistakes);
    }
    licet_site_free(site);
    licet_mistakes_done(&mistakes);
    return ok;
}

static int
apply(const char *dir, const licet_recorder_request *request, bool json)
{
    outcome o = {0};
    licet_error err = {0};
    int code;
    bool ok = licet_permit_check(&request->permit, &err) && check_first(dir, &o, &err);

    if (ok) {
        ok = ask(dir, request, &o, &err);
        if (!ok && err.code == LICET_E_NOT_FOUND) {
            ok = alone(dir, request, &o, &err);
        }
    }
    if (ok) {
        code = tell(&o, json);
    } else if (o.mistakes != NULL) {
        print_mistakes(o.mistakes);
        code = LICET_EXIT_NO;
        if (json) {
            licet_cli_json_print(&licet_command_apply, json_pack("{s:O}", "mistakes", o.mistakes));
        }
    } else {
        code = licet_cli_error(&licet_command_apply, &err);
    }
    free(o.changes);
    json_decref(o.mistakes);
    return code;
}

static int
run(int argc, char **argv)
{
    static const struct option options[] = {{"reason", required_argument, NULL, 'r'},
                                            {"as", required_argument, NULL, 'a'},
                                            {"approved-by", required_argument, NULL, 'b'},
                                            {"remove", no_argument, NULL, 'm'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    licet_recorder_request request = {.reason = NULL};
    bool json = false;
    int option;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'r':
            request.reason = optarg;
            break;
        case 'a':
            request.permit.as = optarg;
            break;
        case 'b':
            request.permit.approved_by = optarg;
            break;
        case 'm':
            request.permit.remove = true;
            break;
        case 'j':
            json = true;
            break;
        case 'h':
            return licet_cli_help(&licet_command_apply);
        default:
            return licet_cli_misuse(&licet_command_apply, "\"%s\" is no option, or lacks its value", argv[optind - 1]);
        }
    }
    if (argc - optind != 1) {
        return licet_cli_misuse(&licet_command_apply, "expected one site, found %d arguments", argc - optind);
    }
    if (request.reason == NULL || request.reason[0] == '\0') {
        return licet_cli_misuse(&licet_command_apply, "--reason is missing: say why this changes");
    }
    return apply(argv[optind], &request, json);
}

const licet_command licet_command_apply = {"apply", "record the site's files and make them effective", usage, run};
