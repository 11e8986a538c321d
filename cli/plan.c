/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet plan: what licet apply would change, in words; nothing is written.
 */
#include "site.h"

#include "licet/store.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: licet plan DIR [--json]\n"
    "\n"
    "Compares the files of the site DIR with what is recorded and says in words what licet apply would change.\n"
    "Nothing is written.\n"
    "\n"
    "  --json   print the changes as one JSON document\n"
    "\n"
    "exit status: 0 nothing to do, or the changes are printed; 1 licet check finds mistakes; 2 it could not tell\n";

extern const licet_command licet_command_plan;

static void
print_words(const char *dir, const licet_store_changes *changes, const licet_mistakes *against)
{
    size_t lines = 0;

    for (size_t i = 0; i < changes->len; i++) {
        const licet_store_change *change = &changes->list[i];

        printf("%s%s:%s\n", i > 0 ? "\n" : "", change->agreement,
               change->cell == LICET_NONE ? " not recorded yet" : "");
        for (size_t j = 0; j < change->lines.len; j++) {
            printf("  %.*s\n", (int)change->lines.list[j].len, change->words + change->lines.list[j].at);
        }
        lines += change->lines.len;
    }
    if (changes->len == 0) {
        printf("Nothing to do: what is recorded is what the files say.\n");
    } else if (against->len > 0) {
        printf("\n%zu change%s. licet apply does not record them as they are:\n", lines, licet_cli_plural(lines));
        for (size_t i = 0; i < against->len; i++) {
            printf("  %s: %s\n", against->list[i].file, against->list[i].text);
        }
    } else {
        printf("\n%zu change%s. Record %s: licet apply %s --reason TEXT\n", lines, licet_cli_plural(lines),
               lines == 1 ? "it" : "them", dir);
    }
}

static int
print_json(const licet_store_changes *changes, const licet_mistakes *against)
{
    json_t *list = json_array(), *document;

    for (size_t i = 0; i < changes->len; i++) {
        const licet_store_change *change = &changes->list[i];
        json_t *words = json_array();

        for (size_t j = 0; j < change->lines.len; j++) {
            const licet_difference_line *line = &change->lines.list[j];
            json_array_append_new(words, licet_cli_json_text(licet_bytes_of(change->words + line->at, line->len)));
        }
        json_array_append_new(list, json_pack("{s:s, s:b, s:o}", "agreement", change->agreement, "new",
                                              change->cell == LICET_NONE, "changes", words));
    }
    document = json_pack("{s:o}", "agreements", list);
    if (against->len > 0) {
        json_object_set_new(document, "refused", licet_cli_mistakes_json(against));
    }
    return licet_cli_json_print(&licet_command_plan, document);
}

static int
plan(const char *dir, bool json)
{
    licet_permit permit = {.now_ms = licet_cli_now()};
    licet_store_changes changes = {0};
    licet_mistakes against = {0};
    licet_store *store = NULL;
    licet_site *site = NULL;
    licet_error err = {0};
    int result = licet_cli_site_load(&licet_command_plan, dir, &site);

    if (result != LICET_EXIT_OK) {
        goto done;
    }
    if (!licet_store_open(dir, true, &store, &err) || !licet_store_plan(store, site, &changes, &err) ||
        (!licet_changes_judge(&changes, &permit, &against, &err) && err.code != LICET_E_INVALID)) {
        result = licet_cli_error(&licet_command_plan, &err);
    } else if (json) {
        result = print_json(&changes, &against);
    } else {
        print_words(dir, &changes, &against);
    }
done:
    licet_mistakes_done(&against);
    licet_store_changes_done(&changes);
    if (store != NULL) {
        licet_store_close(store);
    }
    licet_site_free(site);
    return result;
}

static int
run(int argc, char **argv)
{
    const char *dir;
    bool json;
    int code;

    return licet_cli_site_arguments(&licet_command_plan, argc, argv, &dir, &json, &code) ? plan(dir, json) : code;
}

const licet_command licet_command_plan = {"plan", "say what apply would change", usage, run};
