/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet count: its answer, as a table for people or as one line of JSON.
 *
 *  (1) Sums hold the units complete before a fault; what could not be metered
 *      is listed beside them with file, reason and byte.
 */
#include "count.h"
#include "site.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static licet_scan_result
sum_of(const count_job *j)
{
    licet_scan_result sum = {0};

    for (size_t i = 0; i < j->files_len; i++) {
        const licet_scan_result *r = &j->files[i].result;

        sum.documents += r->documents;
        sum.bytes += r->bytes;
        for (size_t k = 0; k < j->units_len; k++) {
            sum.count[k] += r->count[k];
            sum.ids[k] += r->ids[k];
        }
    }
    return sum;
}

static bool
names_a_unit(licet_unmetered reason)
{
    return reason == LICET_UNMETERED_DUPLICATE_KEY || reason == LICET_UNMETERED_IDS_DIFFER ||
           reason == LICET_UNMETERED_ID_TOO_LONG;
}

/* ---- output as JSON ----------------------------------------------------------------- */

/* A file's name; what is not UTF-8 cannot stand in JSON and becomes '?'. */
static json_t *
json_name(const char *name)
{
    json_t *text = json_string(name);
    char *ascii;

    if (text != NULL || (ascii = strdup(name)) == NULL) {
        return text;
    }
    for (char *c = ascii; *c != '\0'; c++) {
        *c = (*c & 0x80) != 0 ? '?' : *c;
    }
    text = json_string(ascii);
    free(ascii);
    return text;
}

static json_t *
json_unmetered(const count_job *j)
{
    json_t *list = json_array();

    for (size_t i = 0; i < j->files_len; i++) {
        const licet_scan_result *r = &j->files[i].result;
        json_t *item;

        if (r->reason == LICET_UNMETERED_NONE) {
            continue;
        }
        item = json_pack("{s:s,s:o,s:I}", "reason", licet_unmetered_slug(r->reason), "file",
                         json_name(j->files[i].name), "offset", (json_int_t)r->offset);
        if (names_a_unit(r->reason)) {
            json_object_set_new(item, "unit", json_string(j->units[r->unit].name));
        }
        if (r->reason == LICET_UNMETERED_IDS_DIFFER) {
            json_object_set_new(item, "count", json_integer((json_int_t)r->count[r->unit]));
            json_object_set_new(item, "ids", json_integer((json_int_t)r->ids[r->unit]));
        }
        json_array_append_new(list, item);
    }
    return list;
}

bool
count_print_document(json_t *document)
{
    char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);

    if (text != NULL) {
        puts(text);
    }
    json_decref(document);
    free(text);
    return text != NULL;
}

bool
count_print_json(const count_job *j)
{
    licet_scan_result sum = sum_of(j);
    json_t *units = json_object(), *ids = json_object(), *reserved = json_object(), *all;

    for (size_t i = 0; i < j->units_len; i++) {
        json_object_set_new(units, j->units[i].name, json_integer((json_int_t)sum.count[i]));
        json_object_set_new(reserved, j->units[i].name, json_integer((json_int_t)j->units[i].reserved));
        if (j->paths[i].has_ids) {
            json_object_set_new(
                ids, j->units[i].name,
                json_pack("{s:I,s:I}", "total", (json_int_t)sum.ids[i], "distinct", (json_int_t)j->units[i].distinct));
        }
    }
    all = json_pack("{s:I,s:o,s:o,s:I,s:o}", "documents", (json_int_t)sum.documents, "units", units, "ids", ids,
                    "bytes", (json_int_t)sum.bytes, "unmetered", json_unmetered(j));
    if (j->catalogue != NULL) {
        json_object_set_new(all, "endpoint", json_string(j->endpoint));
        json_object_set(all, "reserved", reserved);
    }
    json_decref(reserved);
    return count_print_document(all);
}

/* ---- output as text -------------------------------------------------------------------- */

static int
digits_of(uint64_t value)
{
    return snprintf(NULL, 0, "%" PRIu64, value);
}

static int
wider(int a, int b)
{
    return a > b ? a : b;
}

typedef struct widths {
    int name, documents, bytes, unit[LICET_SCAN_UNITS_MAX];
} widths;

static const char *
shown_name(const char *name)
{
    return strcmp(name, "-") == 0 ? "(standard input)" : name;
}

static void
print_row(const count_job *j, const widths *w, const char *name, const licet_scan_result *r)
{
    printf("%-*s  %*" PRIu64 "  %*" PRIu64, w->name, name, w->documents, r->documents, w->bytes, r->bytes);
    for (size_t i = 0; i < j->units_len; i++) {
        printf("  %*" PRIu64, w->unit[i], r->count[i]);
    }
    putchar('\n');
}

static void
print_table(const count_job *j, const licet_scan_result *sum)
{
    widths w = {
        (int)strlen("total"), (int)strlen("documents"), wider((int)strlen("bytes"), digits_of(sum->bytes)), {0}};

    w.documents = wider(w.documents, digits_of(sum->documents));
    for (size_t i = 0; i < j->files_len; i++) {
        w.name = wider(w.name, (int)strlen(shown_name(j->files[i].name)));
    }
    printf("%-*s  %*s  %*s", w.name, "file", w.documents, "documents", w.bytes, "bytes");
    for (size_t i = 0; i < j->units_len; i++) {
        w.unit[i] = wider((int)strlen(j->units[i].name), digits_of(sum->count[i]));
        printf("  %*s", w.unit[i], j->units[i].name);
    }
    putchar('\n');
    for (size_t i = 0; i < j->files_len; i++) {
        print_row(j, &w, shown_name(j->files[i].name), &j->files[i].result);
    }
    if (j->files_len > 1) {
        print_row(j, &w, "total", sum);
    }
}

/* What the first bytes say about a body that is no JSON. */
static const char *
hint_for(const count_file *f)
{
    static const struct {
        uint8_t first[4];
        size_t len;
        const char *hint;
    } hints[] = {
        {{0x1f, 0x8b}, 2, "; it is compressed by gzip, decompress it first"},
        {{0x28, 0xb5, 0x2f, 0xfd}, 4, "; it is compressed by zstd, decompress it first"},
        {{0xef, 0xbb, 0xbf}, 3, "; it begins with a byte order mark, which JSON does not have"},
        {{0xff, 0xfe}, 2, "; it is UTF-16, which JSON is not"},
        {{0xfe, 0xff}, 2, "; it is UTF-16, which JSON is not"},
        {{'<'}, 1, "; it looks like HTML or XML"},
    };

    for (size_t i = 0; f->result.offset == 0 && i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (memcmp(f->first, hints[i].first, hints[i].len) == 0) {
            return hints[i].hint;
        }
    }
    return "";
}

static void
print_unmetered(const count_job *j, const count_file *f)
{
    const licet_scan_result *r = &f->result;
    const char *name = j->units[r->unit].name;

    printf("unmetered: %s, byte %" PRIu64 ": ", shown_name(f->name), r->offset);
    switch (r->reason) {
    case LICET_UNMETERED_MALFORMED:
        printf("malformed: not JSON from here on%s\n", hint_for(f));
        break;
    case LICET_UNMETERED_INCOMPLETE:
        printf("incomplete: it ends inside a document\n");
        break;
    case LICET_UNMETERED_DUPLICATE_KEY:
        printf("duplicate-key: this member of a path of %s stands there for the second time\n", name);
        break;
    case LICET_UNMETERED_IDS_DIFFER:
        printf("ids-differ: %" PRIu64 " of %s, but %" PRIu64 " ids, up to here\n", r->count[r->unit], name,
               r->ids[r->unit]);
        break;
    case LICET_UNMETERED_ID_TOO_LONG:
        printf("id-too-long: an id of %s with more than %d bytes\n", name, LICET_SCAN_ID_MAX);
        break;
    case LICET_UNMETERED_TOO_DEEP:
        printf("too-deep: more than %d arrays and objects are open\n", LICET_SCAN_DEPTH_MAX);
        break;
    case LICET_UNMETERED_EMPTY:
        printf("empty: no document\n");
        break;
    default:
        printf("%s\n", licet_unmetered_slug(r->reason));
    }
}

/* search-recent: would reserve 100 posts */
static void
print_reserved(const count_job *j)
{
    char amount[LICET_CLI_NUMBER_TEXT];

    printf("%s: would reserve ", j->endpoint);
    for (size_t i = 0; i < j->units_len; i++) {
        const count_unit *u = &j->units[i];

        printf("%s%s %s%s", i > 0 ? ", " : "", licet_cli_number(u->reserved, amount), u->name,
               licet_cli_plural(u->reserved));
    }
    putchar('\n');
}

void
count_print_text(const count_job *j)
{
    licet_scan_result sum = sum_of(j);

    if (j->catalogue != NULL && j->units_len == 0) {
        printf("%s: nothing counts there but the request; the gate does not look into the body\n", j->endpoint);
        return;
    }
    if (j->catalogue != NULL) {
        print_reserved(j);
    }
    print_table(j, &sum);
    for (size_t i = 0; i < j->units_len; i++) {
        if (j->paths[i].has_ids) {
            printf("ids of %s: %" PRIu64 ", %" PRIu64 " distinct\n", j->units[i].name, sum.ids[i],
                   j->units[i].distinct);
        }
    }
    for (size_t i = 0; i < j->files_len; i++) {
        if (j->files[i].result.reason != LICET_UNMETERED_NONE) {
            print_unmetered(j, &j->files[i]);
        }
    }
}
