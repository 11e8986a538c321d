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

/* Every line of words, a little to the right. */
static void
print_indented(const char *words)
{
    while (*words != '\0') {
        int len = (int)strcspn(words, "\n");

        printf("  %.*s\n", len, words);
        words += len;
        words += *words == '\n';
    }
}

static size_t
lines_of(const char *words)
{
    size_t lines = 0;

    for (; *words != '\0'; words++) {
        lines += *words == '\n' || words[1] == '\0';
    }
    return lines;
}

static void
print_words(const char *dir, const licet_store_changes *changes)
{
    size_t lines = 0;

    for (size_t i = 0; i < changes->len; i++) {
        const licet_store_change *change = &changes->list[i];

        printf("%s%s:%s\n", i > 0 ? "\n" : "", change->agreement,
               change->cell == LICET_NONE ? " not recorded yet" : "");
        print_indented(change->words);
        lines += lines_of(change->words);
    }
    if (changes->len == 0) {
        printf("Nothing to do: what is recorded is what the files say.\n");
    } else {
        printf("\n%zu change%s. Record %s: licet apply %s --reason TEXT\n", lines, licet_cli_plural(lines),
               lines == 1 ? "it" : "them", dir);
    }
}

static int
print_json(const licet_store_changes *changes)
{
    json_t *list = json_array();

    for (size_t i = 0; i < changes->len; i++) {
        const licet_store_change *change = &changes->list[i];
        json_t *words = json_array();

        for (const char *line = change->words; *line != '\0';) {
            size_t len = strcspn(line, "\n");

            json_array_append_new(words, licet_cli_json_text(licet_bytes_of(line, len)));
            line += len + (line[len] == '\n');
        }
        json_array_append_new(list, json_pack("{s:s, s:b, s:o}", "agreement", change->agreement, "new",
                                              change->cell == LICET_NONE, "changes", words));
    }
    return licet_cli_json_print(&licet_command_plan, json_pack("{s:o}", "agreements", list));
}

static int
plan(const char *dir, bool json)
{
    licet_store_changes changes = {0};
    licet_store *store = NULL;
    licet_site *site = NULL;
    licet_error err = {0};
    int result = licet_cli_site_load(&licet_command_plan, dir, &site);

    if (result != LICET_EXIT_OK) {
        goto done;
    }
    if (!licet_store_open(dir, true, &store, &err) || !licet_store_plan(store, site, &changes, &err)) {
        result = licet_cli_error(&licet_command_plan, &err);
    } else if (json) {
        result = print_json(&changes);
    } else {
        print_words(dir, &changes);
    }
done:
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
