/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manual pages of section 5 against the tables of the schema: each key of each mapping stands in its page under the
 * place of its mapping (.Ss limits[]), with whether it is required, its default and its type in the words of the
 * messages, and with an example; and no page has a key that no table has. What a page says is therefore what check
 * says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "licet/image.h"
#include "terms.h"

#define PAGE_MAX ((size_t)1 << 20)
#define SCHEMAS_MAX 64u
#define LINE_MAX_LEN 512u

typedef struct place {
    const licet_schema *schema;
    char path[160];
} place;

typedef struct walk {
    const char *page;
    char *text;
    place places[SCHEMAS_MAX];
    size_t places_len, seen, faults;
} walk;

/* ---- the words of a field ------------------------------------------------------------------ */

static void
put_words(const licet_word *words, char *out, size_t room)
{
    size_t total = 0, n = 0, len = 0;

    for (const licet_word *word = words; word->word != NULL; word++) {
        total += word->value != LICET_WORD_LATER;
    }
    for (const licet_word *word = words; word->word != NULL; word++) {
        if (word->value != LICET_WORD_LATER && len < room) {
            n++;
            len += (size_t)snprintf(out + len, room - len, "%s%s",
                                    n == 1       ? ""
                                    : n == total ? " or "
                                                 : ", ",
                                    word->word);
        }
    }
}

/* What must stand in the line below the key; empty: the field has rules of its own. */
static void
put_type(const licet_field *field, char *out, size_t room)
{
    out[0] = '\0';
    switch (field->type) {
    case LICET_FIELD_TEXT:
        snprintf(out, room, "%s", field->fits != NULL ? field->expected : LICET_EXPECTED_TEXT);
        break;
    case LICET_FIELD_NAME:
        snprintf(out, room, "%s", LICET_EXPECTED_NAME);
        break;
    case LICET_FIELD_ID:
        snprintf(out, room, "%s", LICET_EXPECTED_ID);
        break;
    case LICET_FIELD_WORD:
        put_words(field->words, out, room);
        break;
    case LICET_FIELD_NUMBER:
        snprintf(out, room, "a whole number from %llu to %llu", (unsigned long long)field->least,
                 (unsigned long long)field->most);
        break;
    case LICET_FIELD_TIME:
        snprintf(out, room, "a date such as 2022-10-10 or a time such as 2022-10-10T12:00:00Z");
        break;
    case LICET_FIELD_NAMES:
        snprintf(out, room, "a list%s, each %s", field->least > 0 ? " of at least one" : "",
                 field->fits != NULL ? field->expected : LICET_EXPECTED_NAME);
        break;
    case LICET_FIELD_PAIRS:
        snprintf(out, room, "a mapping of names, each to %s",
                 field->fits != NULL ? field->expected : LICET_EXPECTED_NAME);
        break;
    case LICET_FIELD_OBJECT:
        snprintf(out, room, "a mapping");
        break;
    case LICET_FIELD_LIST:
        snprintf(out, room, "a list of mappings");
        break;
    case LICET_FIELD_MAP:
        snprintf(out, room, "a mapping of mappings, each key %s",
                 field->schema->key_fits != NULL ? field->schema->key_expected : LICET_EXPECTED_NAME);
        break;
    default:
        break;
    }
}

static void
put_state(const licet_field *field, char *out, size_t room)
{
    snprintf(out, room, "%s", field->required ? "required" : "optional");
    if (field->required || field->fallback == LICET_NONE || field->fallback == UINT64_MAX) {
        return;
    }
    if (field->type == LICET_FIELD_WORD) {
        for (const licet_word *word = field->words; word->word != NULL; word++) {
            if (word->value == field->fallback) {
                snprintf(out, room, "default %s", word->word);
                return;
            }
        }
    } else if (field->type == LICET_FIELD_NUMBER && field->fallback != 0) {
        snprintf(out, room, "default %llu", (unsigned long long)field->fallback);
    }
}

/* ---- the page ------------------------------------------------------------------------------------ */

static char *
page_read(const char *name)
{
    const char *root = getenv("LICET_SOURCE_ROOT");
    char path[4096];
    char *text = calloc(1, PAGE_MAX);
    FILE *file;

    snprintf(path, sizeof(path), "%s/docs/man/%s", root != NULL ? root : ".", name);
    file = fopen(path, "re");
    if (file == NULL) {
        fail_msg("%s cannot be read", path);
    }
    assert_non_null(text);
    assert_true(fread(text, 1, PAGE_MAX, file) < PAGE_MAX - 1);
    assert_int_equal(fclose(file), 0);
    return text;
}

static const char *
line_after(const char *line)
{
    const char *end = strchr(line, '\n');

    return end == NULL ? line + strlen(line) : end + 1;
}

static bool
begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

static void
line_of(const char *line, char out[LINE_MAX_LEN])
{
    size_t len = (size_t)(line_after(line) - line);

    len -= len > 0 && line[len - 1] == '\n' ? 1 : 0;
    len = len < LINE_MAX_LEN ? len : LINE_MAX_LEN - 1;
    memcpy(out, line, len);
    out[len] = '\0';
}

/* The first line behind ".Ss path"; NULL: there is no such place. */
static const char *
place_of(const char *text, const char *path)
{
    char wanted[LINE_MAX_LEN], line[LINE_MAX_LEN];

    snprintf(wanted, sizeof(wanted), ".Ss %s", path);
    for (const char *at = text; *at != '\0'; at = line_after(at)) {
        line_of(at, line);
        if (strcmp(line, wanted) == 0) {
            return line_after(at);
        }
    }
    return NULL;
}

/* ".It Cm key Pq state" within a place. */
static const char *
key_of(const char *from, const char *key)
{
    char wanted[LINE_MAX_LEN];

    snprintf(wanted, sizeof(wanted), ".It Cm %s Pq ", key);
    for (const char *at = from; at != NULL && *at != '\0' && !begins(at, ".Ss ") && !begins(at, ".Sh ");
         at = line_after(at)) {
        if (begins(at, wanted)) {
            return at;
        }
    }
    return NULL;
}

static void
fault(walk *w, const char *path, const char *key, const char *what, const char *expected)
{
    print_error("docs/man/%s: %s: %s: %s%s\n", w->page, path, key, what, expected);
    w->faults++;
}

static void
check_key(walk *w, const char *path, const licet_field *field)
{
    char state[128], type[LINE_MAX_LEN], line[LINE_MAX_LEN], wanted[LINE_MAX_LEN + 160];
    const char *at = key_of(place_of(w->text, path), field->name);
    bool example = false;
    size_t len;

    put_state(field, state, sizeof(state));
    put_type(field, type, sizeof(type));
    if (getenv("LICET_SHOW") != NULL) {
        printf("%s\t%s\t%s\t%s\t%s\n", w->page, path, field->name, state, type);
        return;
    }
    if (at == NULL) {
        fault(w, path, field->name, "the key is missing: expected .It Cm with ", state);
        return;
    }
    line_of(at, line);
    snprintf(wanted, sizeof(wanted), ".It Cm %s Pq %s", field->name, state);
    if (strcmp(line, wanted) != 0 && (field->type != LICET_FIELD_OWN || !begins(line, ".It Cm "))) {
        fault(w, path, field->name, "expected ", wanted);
    }
    line_of(line_after(at), line);
    len = strlen(type);
    if (len > 0 && (strncmp(line, type, len) != 0 || strcmp(line + len, ".") != 0)) {
        fault(w, path, field->name, "the next line is not its type: expected ", type);
    }
    for (at = line_after(at); *at != '\0' && !begins(at, ".It ") && !begins(at, ".El"); at = line_after(at)) {
        example = example || begins(at, ".Dl ");
    }
    if (!example) {
        fault(w, path, field->name, "no example ", "(.Dl)");
    }
}

static void
check_schema(walk *w, const licet_schema *schema, const char *path)
{
    assert_true(w->places_len < SCHEMAS_MAX);
    for (size_t i = 0; i < w->places_len; i++) {
        if (w->places[i].schema == schema) {
            return; /* it is told where it stands first */
        }
    }
    w->places[w->places_len].schema = schema;
    snprintf(w->places[w->places_len++].path, sizeof(w->places->path), "%s", path);
    for (const licet_field *field = schema->fields; field->name != NULL; field++) {
        if (field->type != LICET_FIELD_LATER) {
            check_key(w, path, field);
            w->seen++;
        }
    }
}

/* Each schema is put behind the ones before it, so that the list is its own queue. */
static void
check_below(walk *w, const place *from)
{
    const licet_schema *schema = from->schema;
    char path[160];

    for (const licet_field *field = schema->fields; field->name != NULL; field++) {
        if (field->schema == NULL || field->type == LICET_FIELD_LATER) {
            continue;
        }
        snprintf(path, sizeof(path), "%s%s%s%s", strcmp(from->path, "The file") == 0 ? "" : from->path,
                 strcmp(from->path, "The file") == 0 ? "" : ".", field->name,
                 field->type == LICET_FIELD_LIST  ? "[]"
                 : field->type == LICET_FIELD_MAP ? ".*"
                                                  : "");
        check_schema(w, field->schema, path);
    }
}

/* No key of the page is unknown. */
static size_t
check_page(walk *w)
{
    char path[LINE_MAX_LEN] = "", line[LINE_MAX_LEN], key[LINE_MAX_LEN];
    size_t keys = 0;

    for (const char *at = w->text; *at != '\0'; at = line_after(at)) {
        bool known = false;

        line_of(at, line);
        if (begins(line, ".Ss ")) {
            snprintf(path, sizeof(path), "%s", line + strlen(".Ss "));
        }
        if (!begins(line, ".It Cm ") || sscanf(line, ".It Cm %511s Pq", key) != 1 || strstr(line, " Pq ") == NULL) {
            continue;
        }
        keys++;
        for (size_t i = 0; i < w->places_len; i++) {
            const licet_field *field = w->places[i].schema->fields;

            while (field->name != NULL && strcmp(field->name, key) != 0) {
                field++;
            }
            known = known || (field->name != NULL && strcmp(w->places[i].path, path) == 0);
        }
        if (!known) {
            fault(w, path, key, "no table of the schema has ", "this key");
        }
    }
    return keys;
}

static size_t
check_manual(const char *page, const licet_schema *root)
{
    walk w = {.page = page, .text = page_read(page)};
    size_t keys, faults;

    check_schema(&w, root, "The file");
    for (size_t i = 0; i < w.places_len; i++) {
        check_below(&w, &w.places[i]);
    }
    keys = check_page(&w);
    if (keys != w.seen && w.faults == 0 && getenv("LICET_SHOW") == NULL) {
        fault(&w, "the page", "keys", "some stand there twice, or not at all", "");
    }
    faults = w.faults;
    free(w.text);
    return faults;
}

static void
test_manuals(void **state)
{
    size_t faults = check_manual("licet-site.5", &licet_terms_config_schema) +
                    check_manual("licet-catalogue.5", &licet_terms_catalogue_schema) +
                    check_manual("licet-agreement.5", &licet_terms_version_schema) +
                    check_manual("licet-apps.5", &licet_terms_apps_schema);

    assert_int_equal(faults, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_manuals)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
