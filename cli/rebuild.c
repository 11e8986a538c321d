/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet rebuild: deletes the usage tables and makes them anew from the ledgers.
 */
#include "operator.h"
#include "recorder.h"
#include "site.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

extern const licet_command licet_command_rebuild;

static const char usage[] = "usage: licet rebuild DIR [--json]\n"
                            "\n"
                            "Deletes the usage tables of the site DIR and builds them anew from its ledgers: through "
                            "licetd where it runs, else\n"
                            "by itself. The tables are then the same to the byte. Prints how many rows they have.\n"
                            "\n"
                            "  --json   print the number of rows as JSON\n"
                            "\n"
                            "exit status: 0 rebuilt, 2 it failed\n";

#define DUMP_MAX ((size_t)1 << 30)

static bool
ask(const char *dir, uint64_t *out_rows, licet_error *err)
{
    licet_buffer answer;
    json_t *json = NULL;
    const char *text;
    long status = 0;
    bool ok;

    licet_buffer_init(&answer, (size_t)1 << 20);
    ok = licet_operator_call(dir, "POST", "/rebuild", (licet_bytes){NULL, 0}, 3600000, &status, &answer, err);
    if (ok) {
        json = json_loadb((const char *)answer.data, answer.len, 0, NULL);
        *out_rows = (uint64_t)json_integer_value(json_object_get(json, "rows"));
        text = json_string_value(json_object_get(json, "detail"));
        ok = status == 200 || LICET_FAIL(err, LICET_E_STATE, 0, "licetd answered %ld: %s", status,
                                         text != NULL ? text : "no reason given");
    }
    json_decref(json);
    licet_buffer_done(&answer);
    return ok;
}

static bool
rows_of(licet_usage *usage_tables, uint64_t *out_rows, licet_error *err)
{
    licet_buffer dump;
    bool ok;

    licet_buffer_init(&dump, DUMP_MAX);
    ok = licet_usage_dump(usage_tables, &dump, err);
    *out_rows = 0;
    for (size_t i = 0; i < dump.len; i++) {
        *out_rows += dump.data[i] == '\n' ? 1 : 0;
    }
    licet_buffer_done(&dump);
    return ok;
}

static bool
alone(const char *dir, uint64_t *out_rows, licet_error *err)
{
    licet_recorder_options options = {.dir = dir, .now_ms = licet_cli_now()};
    licet_recorder *recorder = NULL;
    licet_error later;
    bool ok;

    if (!licet_recorder_open(&options, &recorder, err)) {
        return false;
    }
    ok = licet_recorder_rebuild(recorder, err) && rows_of(licet_recorder_usage(recorder), out_rows, err);
    if (!licet_recorder_close(recorder, options.now_ms, &later) && ok) {
        *err = later;
        ok = false;
    }
    return ok;
}

static int
rebuild(const char *dir, bool json)
{
    licet_error err = {0};
    uint64_t rows = 0;
    char number[LICET_CLI_NUMBER_TEXT];
    bool ok = ask(dir, &rows, &err);

    if (!ok && err.code == LICET_E_NOT_FOUND) {
        ok = alone(dir, &rows, &err);
    }
    if (!ok) {
        return licet_cli_error(&licet_command_rebuild, &err);
    }
    if (json) {
        return licet_cli_json_print(&licet_command_rebuild, json_pack("{s:I}", "rows", (json_int_t)rows));
    }
    printf("rebuilt the usage tables: %s row%s\n", licet_cli_number(rows, number), licet_cli_plural(rows));
    return LICET_EXIT_OK;
}

static int
run(int argc, char **argv)
{
    const char *dir;
    bool json;
    int code;

    return licet_cli_site_arguments(&licet_command_rebuild, argc, argv, &dir, &json, &code) ? rebuild(dir, json) : code;
}

const licet_command licet_command_rebuild = {"rebuild", "make the usage tables anew from the ledgers", usage, run};
