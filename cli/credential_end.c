/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet credential end, list: when the keys of apps are valid.
 *
 *  (1) end gives a credential a before in apps.yaml; nothing is taken away. licet apply makes it effective.
 *  (2) apps.yaml is judged after the edit; if the site is not well with it, it gets back what it held.
 */
#include "credential.h"

#include "apps_edit.h"
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

typedef struct wanted {
    const char *dir, *id, *agreement;
    uint64_t before_ms;
    bool json;
    unsigned line;
    char file[PATH_MAX], path[PATH_MAX]; /* below dir; with dir */
} wanted;

/* 90s, 15m, 12h, 7d. */
static bool
parse_span(const char *text, uint64_t *out_ms)
{
    size_t len = strlen(text);
    uint64_t count, unit;

    if (len < 2 || !licet_parse_u64(licet_bytes_of(text, len - 1), &count) || count == 0 || count > 1000000) {
        return false;
    }
    unit = text[len - 1] == 's' ? 1000 : text[len - 1] == 'm' ? 60000 : text[len - 1] == 'h' ? 3600000 : 86400000;
    *out_ms = count * unit;
    return strchr("smhd", text[len - 1]) != NULL;
}

static int
misuse_of(int option, const char *value)
{
    if (option == 'o') {
        return licet_cli_misuse(&licet_command_credential,
                                "--overlap \"%s\": expected a span such as 90s, 15m, 12h, 7d", value);
    }
    return licet_cli_misuse(&licet_command_credential,
                            "--before \"%s\": expected a time such as 2022-10-10 or 2022-10-10T12:00:00Z", value);
}

/* LICET_EXIT_OK, -1 for help, or misuse. arguments: how many follow the verb. */
static int
parse(wanted *w, int argc, char **argv, int arguments, const char *expected)
{
    static const struct option options[] = {{"agreement", required_argument, NULL, 'a'},
                                            {"before", required_argument, NULL, 'b'},
                                            {"overlap", required_argument, NULL, 'o'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    uint64_t span;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'a') {
            w->agreement = optarg;
        } else if (option == 'b' && arguments == 2) {
            if (!licet_time_parse(licet_bytes_of_text(optarg), &w->before_ms)) {
                return misuse_of(option, optarg);
            }
        } else if (option == 'o' && arguments == 2) {
            if (!parse_span(optarg, &span)) {
                return misuse_of(option, optarg);
            }
            w->before_ms += span;
        } else if (option == 'j') {
            w->json = true;
        } else if (option == 'h') {
            return -1;
        } else {
            return licet_cli_misuse(&licet_command_credential, "\"%s\": no such option, or its value is missing",
                                    argv[optind - 1]);
        }
    }
    if (argc - optind != arguments + 1) {
        return licet_cli_misuse(&licet_command_credential, "%s: expected %s", argv[optind], expected);
    }
    w->dir = argv[optind + 1];
    w->id = arguments == 2 ? argv[optind + 2] : NULL;
    return LICET_EXIT_OK;
}

/* ---- end ---------------------------------------------------------------------- */

static bool
judge(const wanted *w, licet_error *err)
{
    licet_mistakes mistakes = {0};
    licet_site *site = NULL;
    bool ok = licet_site_load(w->dir, &mistakes, &site, err);

    if (!ok && mistakes.len > 0) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "%s:%u:%u: %s", mistakes.list[0].file, mistakes.list[0].line,
                   mistakes.list[0].column, mistakes.list[0].text);
    }
    licet_site_free(site);
    licet_mistakes_done(&mistakes);
    return ok;
}

/* Writes the file with the end in it; back to what it was when the site is not well with it. */
static bool
write_end(wanted *w, licet_bytes was, const licet_apps_file *file, licet_error *err)
{
    char before[LICET_TIME_TEXT], why[sizeof(err->text)];
    licet_error restore;
    struct stat info;
    licet_buffer text;
    bool ok;

    licet_cli_time(w->before_ms, before);
    licet_buffer_init(&text, LICET_APPS_MAX);
    ok = licet_apps_end_credential(file, w->id, before, &text, &w->line, err) &&
         (stat(w->path, &info) == 0 || LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", w->path, strerror(errno)));
    if (ok && (!licet_credential_replace(w->path, licet_buffer_view(&text), &info, err) || !judge(w, err))) {
        memcpy(why, err->text, sizeof(why));
        ok =
            LICET_FAIL(err, err->code, 0, "%.400s (%s)", why,
                       licet_credential_replace(w->path, was, &info, &restore) ? "apps.yaml is as it was"
                                                                               : "and apps.yaml could not be restored");
    }
    licet_buffer_done(&text);
    return ok;
}

/* Ends it where one agreement has it; *out_found counts them. */
static bool
end_in(wanted *w, const char *agreement, bool write, size_t *out_found, licet_error *err)
{
    licet_apps_file *file = NULL;
    uint8_t *text = NULL;
    size_t len = 0;
    bool ok = true;

    if (snprintf(w->file, sizeof(w->file), "agreements/%s/apps.yaml", agreement) >= (int)sizeof(w->file) ||
        snprintf(w->path, sizeof(w->path), "%s/%s", w->dir, w->file) >= (int)sizeof(w->path)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: the name is too long", w->dir);
    }
    if (access(w->path, F_OK) != 0) {
        return true;
    }
    ok = licet_file_read(w->path, LICET_APPS_MAX, &text, &len, err) &&
         licet_apps_open(licet_bytes_of(text, len), &file, err);
    if (ok && licet_apps_has_credential(file, NULL, w->id, NULL)) {
        (*out_found)++;
        ok = !write || write_end(w, licet_bytes_of(text, len), file, err);
    }
    licet_apps_close(file);
    free(text);
    return ok;
}

static bool
end_it(wanted *w, const licet_site *site, licet_error *err)
{
    const char *where = w->agreement;
    size_t found = 0, before;

    for (size_t i = 0; i < licet_site_agreements(site); i++) {
        const char *agreement = licet_site_agreement_id(site, i);

        before = found;
        if ((w->agreement == NULL || strcmp(w->agreement, agreement) == 0) &&
            !end_in(w, agreement, false, &found, err)) {
            return false;
        }
        where = found > before ? agreement : where;
    }
    if (found == 0) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0,
                          "credential \"%s\": no app has it; licet credential list %s shows all", w->id, w->dir);
    }
    if (found > 1) {
        return LICET_FAIL(err, LICET_E_CONFLICT, 0,
                          "credential \"%s\" exists under %zu agreements: name one with "
                          "--agreement",
                          w->id, found);
    }
    w->agreement = where;
    return end_in(w, where, true, &found, err);
}

static int
print_end(const wanted *w)
{
    char before[LICET_TIME_TEXT];

    licet_cli_time(w->before_ms, before);
    if (w->json) {
        return licet_cli_json_print(&licet_command_credential,
                                    json_pack("{s:s,s:s,s:s,s:s,s:i}", "agreement", w->agreement, "id", w->id, "before",
                                              before, "file", w->path, "line", (int)w->line));
    }
    printf("Credential %s under agreement %s is valid before %s. Written to %s:%u.\n\n"
           "Record it: licet apply %s --reason \"end of credential %s\"\n",
           w->id, w->agreement, before, w->path, w->line, w->dir, w->id);
    return LICET_EXIT_OK;
}

int
licet_credential_end(int argc, char **argv)
{
    wanted w = {.before_ms = licet_cli_now() / 1000 * 1000};
    licet_site *site = NULL;
    licet_error err = {0};
    int result = parse(&w, argc, argv, 2, "a site and the id of a credential"), lock;

    if (result != LICET_EXIT_OK) {
        return result < 0 ? licet_cli_help(&licet_command_credential) : result;
    }
    lock = open(w.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock >= 0) {
        flock(lock, LOCK_EX);
    }
    result = licet_cli_site_load(&licet_command_credential, w.dir, &site);
    if (result == LICET_EXIT_OK) {
        result = end_it(&w, site, &err) ? print_end(&w) : licet_cli_error(&licet_command_credential, &err);
    }
    licet_site_free(site);
    if (lock >= 0) {
        close(lock);
    }
    return result;
}

/* ---- list ------------------------------------------------------------------------ */

static const char *
state_of(const licet_image *image, const licet_image_credential *credential, uint64_t now)
{
    const licet_image_app *app = &image->apps[credential->app];

    if (now >= credential->before_ms || now >= app->before_ms) {
        return "ended";
    }
    return now < credential->from_ms || now < app->from_ms ? "not yet" : "valid";
}

static void
list_one(const licet_image *image, uint32_t row, uint64_t now, json_t *list)
{
    const licet_image_credential *credential = &image->credentials[row];
    licet_bytes id = licet_image_text(image, credential->id), agreement, app;
    char from[LICET_TIME_TEXT], before[LICET_TIME_TEXT] = "";

    agreement = licet_image_text(image, image->header->agreement);
    app = licet_image_text(image, image->apps[credential->app].id);
    licet_cli_time(credential->from_ms, from);
    if (credential->before_ms != UINT64_MAX) {
        licet_cli_time(credential->before_ms, before);
    }
    if (list == NULL) {
        printf("%.*s  %.*s  %.*s  from %s%s%s  %s\n", (int)agreement.len, (const char *)agreement.data, (int)app.len,
               (const char *)app.data, (int)id.len, (const char *)id.data, from, before[0] != '\0' ? " before " : "",
               before, state_of(image, credential, now));
        return;
    }
    json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:s,s:o,s:s}", "agreement", licet_cli_json_text(agreement),
                                          "app", licet_cli_json_text(app), "id", licet_cli_json_text(id), "from", from,
                                          "before", before[0] != '\0' ? json_string(before) : json_null(), "state",
                                          state_of(image, credential, now)));
}

int
licet_credential_list(int argc, char **argv)
{
    wanted w = {.before_ms = 0};
    licet_site *site = NULL;
    licet_error err = {0};
    uint64_t now = licet_cli_now();
    json_t *list = NULL;
    int result = parse(&w, argc, argv, 1, "a site");

    if (result != LICET_EXIT_OK) {
        return result < 0 ? licet_cli_help(&licet_command_credential) : result;
    }
    list = w.json ? json_array() : NULL;
    result = licet_cli_site_load(&licet_command_credential, w.dir, &site);
    for (size_t i = 0; result == LICET_EXIT_OK && i < licet_site_agreements(site); i++) {
        licet_cli_image compiled = {.blob = {0}};

        if (w.agreement != NULL && strcmp(w.agreement, licet_site_agreement_id(site, i)) != 0) {
            continue;
        }
        if (!licet_cli_image_compile(site, i, &compiled, &err)) {
            result = licet_cli_error(&licet_command_credential, &err);
            break;
        }
        for (uint32_t row = 0; row < compiled.image.header->credentials_len; row++) {
            list_one(&compiled.image, row, now, list);
        }
        licet_cli_image_done(&compiled);
    }
    if (result == LICET_EXIT_OK && list != NULL) {
        result = licet_cli_json_print(&licet_command_credential, json_pack("{s:O}", "credentials", list));
    }
    json_decref(list);
    licet_site_free(site);
    return result;
}
