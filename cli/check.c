/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet check: judges the files of a site. Every mistake of every file in one run; what is well formed and will still
 * surprise somebody is a note (check_notes.c).
 */
#include "check_notes.h"
#include "licet/acceptance.h"
#include "site.h"

#include "licet/decide.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: licet check DIR [--json]\n"
    "\n"
    "Reads every file of the site DIR and prints each mistake as file:line:column: what is wrong and what was\n"
    "expected. All well: one line for each agreement, and a note for what is well formed and may surprise all the\n"
    "same: a use case that is always refused, documents that contradict each other, a key or a group that is not\n"
    "on this machine. Nothing is written.\n"
    "\n"
    "  --json   print agreements, notes and mistakes as one JSON document\n"
    "\n"
    "exit status: 0 no mistake, 1 at least one, 2 the site could not be read\n";

extern const licet_command licet_command_check;

static json_t *
text_of(const licet_image *image, licet_text text)
{
    return licet_cli_json_text(licet_image_text(image, text));
}

/* "1 version (2026-11-23)" or "3 versions (2022-10-10, …)" */
static void
print_versions(const licet_image *image)
{
    uint32_t n = image->header->versions_len;

    printf("%u version%s (", n, licet_cli_plural(n));
    for (uint32_t i = 0; i < n; i++) {
        licet_bytes id = licet_image_text(image, image->versions[i].id);

        printf("%s%.*s", i > 0 ? ", " : "", (int)id.len, (const char *)id.data);
    }
    printf(")");
}

/* Where notes go: printed as they come, or kept for the document. */
typedef struct notes {
    json_t *list; /* NULL: printed */
    const char *indent;
} notes;

static void
on_note(void *user, const char *text)
{
    notes *n = user;

    if (n->list != NULL) {
        json_array_append_new(n->list, licet_cli_json_text(licet_bytes_of_text(text)));
    } else {
        printf("%snote: %s\n", n->indent, text);
    }
}

static void
print_agreement(const char *agreement, const licet_image *image, uint64_t now)
{
    const licet_image_header *h = image->header;
    uint32_t row = licet_image_version_at(image, now);
    const licet_image_version *version = row != LICET_NONE ? &image->versions[row] : NULL;

    printf("%s: ", agreement);
    print_versions(image);
    printf(", %u app%s, %u use case%s, %u credential%s", h->apps_len, licet_cli_plural(h->apps_len), h->use_cases_len,
           licet_cli_plural(h->use_cases_len), h->credentials_len, licet_cli_plural(h->credentials_len));
    if (version == NULL) {
        printf(", none in force now\n");
        return;
    }
    printf(", %u limit%s, %s\n", version->limits.count, licet_cli_plural(version->limits.count),
           version->mode == LICET_MODE_ENFORCE ? "enforce" : "observe");
}

static json_t *
version_json(const licet_image *image, uint32_t row, uint64_t now)
{
    const licet_image_version *version = &image->versions[row];
    char from[LICET_TIME_TEXT], before[LICET_TIME_TEXT];

    licet_time_format(version->from_ms, from);
    if (version->before_ms != UINT64_MAX) {
        licet_time_format(version->before_ms, before);
    }
    return json_pack("{s:o, s:s, s:o, s:b, s:o, s:s, s:i, s:i, s:i}", "id", text_of(image, version->id), "from", from,
                     "before", version->before_ms != UINT64_MAX ? json_string(before) : json_null(), "in_force",
                     licet_image_version_at(image, now) == row, "catalogue", text_of(image, version->catalogue), "mode",
                     version->mode == LICET_MODE_ENFORCE ? "enforce" : "observe", "clauses",
                     (int)version->clauses.count, "limits", (int)version->limits.count, "endpoints",
                     (int)version->endpoints.count);
}

static json_t *
agreement_json(const char *agreement, const licet_image *image, uint64_t now)
{
    const licet_image_header *h = image->header;
    json_t *versions = json_array();

    for (uint32_t i = 0; i < h->versions_len; i++) {
        json_array_append_new(versions, version_json(image, i, now));
    }
    return json_pack("{s:s, s:o, s:i, s:i, s:i, s:i}", "agreement", agreement, "versions", versions, "apps",
                     (int)h->apps_len, "products", (int)h->products_len, "use_cases", (int)h->use_cases_len,
                     "credentials", (int)h->credentials_len);
}

/* Acceptances that hold no longer. */
static void
tell_accepted(const char *dir, const licet_image *image, notes *n)
{
    static const char *const parties[] = {"licensor", "licensee"};
    char text[1024];

    for (uint32_t i = 0; i < 2 * image->header->versions_len; i++) {
        const licet_image_version *version = &image->versions[i / 2];
        licet_bytes id = licet_image_text(image, version->id);
        licet_verifier_key key;
        licet_error err = {0};
        licet_acceptance accepted;

        if (!licet_acceptance_read(dir, image, version, parties[i % 2], &accepted, &key, &err)) {
            if (err.code == LICET_E_NOT_FOUND) {
                continue;
            }
            snprintf(text, sizeof(text), "version %.*s: the note of the %s does not hold: %.500s", (int)id.len,
                     (const char *)id.data, parties[i % 2], err.text);
            on_note(n, text);
        } else if (!licet_acceptance_is_of(&accepted, version)) {
            snprintf(text, sizeof(text), "version %.*s or its catalogue has changed since the %s accepted it at %s",
                     (int)id.len, (const char *)id.data, parties[i % 2], accepted.time);
            on_note(n, text);
        }
    }
}

/* What the files say that somebody must know, with its place. */
static void
tell_notes(const licet_site *site, notes *n)
{
    const licet_mistakes *list = licet_site_notes(site);
    char text[2048];

    for (size_t i = 0; i < list->len; i++) {
        const licet_mistake *note = &list->list[i];

        snprintf(text, sizeof(text), "%s:%u:%u: %s", note->file, note->line, note->column, note->text);
        on_note(n, text);
    }
}

/* Says each agreement, or adds it to list. */
static bool
tell(const licet_site *site, json_t *list, json_t *said, licet_error *err)
{
    uint64_t now = licet_cli_now();
    notes n = {said, "  "};

    for (size_t i = 0; i < licet_site_agreements(site); i++) {
        licet_cli_image compiled;

        if (!licet_cli_image_compile(site, i, &compiled, err)) {
            return false;
        }
        if (list != NULL) {
            json_array_append_new(list, agreement_json(licet_site_agreement_id(site, i), &compiled.image, now));
        } else {
            print_agreement(licet_site_agreement_id(site, i), &compiled.image, now);
        }
        licet_check_agreement(&compiled.image, now, on_note, &n);
        tell_accepted(licet_site_config_view(site)->dir, &compiled.image, &n);
        licet_check_outbounds(licet_site_config_view(site)->dir, &compiled.image, on_note, &n);
        licet_cli_image_done(&compiled);
    }
    if (list == NULL && licet_site_agreements(site) == 0) {
        printf("no agreement yet\n");
    }
    n.indent = "";
    tell_notes(site, &n);
    licet_check_machine(licet_site_config_view(site), on_note, &n);
    return true;
}

static int
check(const char *dir, bool json)
{
    licet_mistakes mistakes = {0};
    licet_site *site = NULL;
    json_t *agreements = json ? json_array() : NULL, *said = json ? json_array() : NULL;
    licet_error err = {0};
    int result = LICET_EXIT_OK, printed;
    bool ok = licet_site_load(dir, &mistakes, &site, &err) && licet_examples_try(site, &mistakes, &err) &&
              tell(site, agreements, said, &err);

    if (!ok && mistakes.len == 0) {
        json_decref(agreements);
        json_decref(said);
        result = licet_cli_error(&licet_command_check, &err);
        goto done;
    }
    result = ok ? LICET_EXIT_OK : LICET_EXIT_NO;
    if (json) {
        printed = licet_cli_json_print(&licet_command_check,
                                       json_pack("{s:b, s:o, s:o, s:o}", "ok", ok, "agreements", agreements, "notes",
                                                 said, "mistakes", licet_cli_mistakes_json(&mistakes)));
        result = printed != LICET_EXIT_OK ? printed : result;
    } else if (!ok) {
        licet_cli_mistakes_print(&mistakes);
    }
done:
    licet_site_free(site);
    licet_mistakes_done(&mistakes);
    return result;
}

static int
run(int argc, char **argv)
{
    const char *dir;
    bool json;
    int code;

    return licet_cli_site_arguments(&licet_command_check, argc, argv, &dir, &json, &code) ? check(dir, json) : code;
}

const licet_command licet_command_check = {"check", "judge the files of a site", usage, run};
