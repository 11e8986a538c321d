/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Site: loading, judging and compiling for the commands that read a site's files.
 */
#include "site.h"

#include "licet/decide.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS UINT64_C(3600000)

void
licet_cli_mistakes_print(const licet_mistakes *mistakes)
{
    for (size_t i = 0; i < mistakes->len; i++) {
        const licet_mistake *m = &mistakes->list[i];

        if (m->line == 0) {
            fprintf(stderr, "%s: %s\n", m->file, m->text);
        } else {
            fprintf(stderr, "%s:%u:%u: %s\n", m->file, m->line, m->column, m->text);
        }
    }
    fprintf(stderr, "%zu mistake%s\n", mistakes->len, licet_cli_plural(mistakes->len));
}

json_t *
licet_cli_mistakes_json(const licet_mistakes *mistakes)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mistakes->len; i++) {
        const licet_mistake *m = &mistakes->list[i];

        json_array_append_new(list, json_pack("{s:o, s:i, s:i, s:o}", "file",
                                              licet_cli_json_text(licet_bytes_of_text(m->file)), "line", (int)m->line,
                                              "column", (int)m->column, "text",
                                              licet_cli_json_text(licet_bytes_of_text(m->text))));
    }
    return list;
}

bool
licet_cli_site_arguments(const licet_command *command, int argc, char **argv, const char **out_dir, bool *out_json,
                         int *out_code)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int c;

    *out_json = false;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c != 'j') {
            *out_code = c == 'h' ? licet_cli_help(command)
                                 : licet_cli_misuse(command, "\"%s\": no such option", argv[optind - 1]);
            return false;
        }
        *out_json = true;
    }
    if (optind + 1 != argc) {
        *out_code = licet_cli_misuse(command, "expected one site, not %d", argc - optind);
        return false;
    }
    *out_dir = argv[optind];
    return true;
}

int
licet_cli_site_load(const licet_command *command, const char *dir, licet_site **out_site)
{
    licet_mistakes mistakes = {0};
    licet_error err = {0};
    int result = LICET_EXIT_OK;

    if (!licet_site_load(dir, &mistakes, out_site, &err) || !licet_examples_try(*out_site, &mistakes, &err)) {
        if (mistakes.len > 0) {
            licet_cli_mistakes_print(&mistakes);
            result = LICET_EXIT_NO;
        } else {
            result = licet_cli_error(command, &err);
        }
    }
    licet_mistakes_done(&mistakes);
    return result;
}

int
licet_cli_json_print(const licet_command *command, json_t *document)
{
    char *text = document == NULL ? NULL : json_dumps(document, JSON_INDENT(2));

    json_decref(document);
    if (text == NULL) {
        return licet_cli_fail(command, "no memory for the JSON document");
    }
    puts(text);
    free(text);
    return LICET_EXIT_OK;
}

json_t *
licet_cli_json_text(licet_bytes text)
{
    json_t *string = json_stringn((const char *)text.data, text.len);
    char *copy;

    if (string != NULL || text.len == 0) {
        return string != NULL ? string : json_string("");
    }
    copy = malloc(text.len); /* not UTF-8: bytes beyond ASCII are shown as '?' */
    for (size_t i = 0; copy != NULL && i < text.len; i++) {
        copy[i] = text.data[i] < 0x80 ? (char)text.data[i] : '?';
    }
    string = copy == NULL ? NULL : json_stringn(copy, text.len);
    free(copy);
    return string;
}

void
licet_cli_time(uint64_t ms, char out[LICET_TIME_TEXT])
{
    licet_time_format(ms, out);
    if (strcmp(out + 10, "T00:00:00.000Z") == 0) {
        out[10] = '\0';
    } else if (strcmp(out + 19, ".000Z") == 0) {
        out[19] = 'Z';
        out[20] = '\0';
    }
}

bool
licet_cli_hour(const licet_command *command, const char *name, const char *text, uint64_t *out_ms)
{
    char low[LICET_TIME_TEXT], high[LICET_TIME_TEXT];
    uint64_t ms;

    if (!licet_time_parse(licet_bytes_of_text(text), &ms)) {
        licet_cli_misuse(command, "--%s \"%s\": expected a time such as 2022-10-01 or 2022-10-01T06:00:00Z", name,
                         text);
        return false;
    }
    if (ms % HOUR_MS != 0) {
        licet_cli_time(ms / HOUR_MS * HOUR_MS, low);
        licet_cli_time((ms / HOUR_MS + 1) * HOUR_MS, high);
        licet_cli_misuse(command, "--%s \"%s\": not on a full hour; the nearest are %s and %s", name, text, low, high);
        return false;
    }
    *out_ms = ms;
    return true;
}

const char *
licet_cli_number(uint64_t number, char out[LICET_CLI_NUMBER_TEXT])
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, number), n = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            out[n++] = ',';
        }
        out[n++] = digits[i];
    }
    out[n] = '\0';
    return out;
}

const char *
licet_cli_plural(uint64_t number)
{
    return number == 1 ? "" : "s";
}
