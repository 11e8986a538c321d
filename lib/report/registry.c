/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registry: who changed and approved what, and when, from the registry changes of the ledger.
 *
 *  (1) Changes recorded in the period; of use cases, grants and recipients those before it too: permissions outlive the
 *      file that named them.
 *  (2) A clear text is told only where its commitment is the record's. One that was erased is null.
 *  (3) Names of persons are for the internal edition.
 */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX ((size_t)512 << 20)

/* The clear texts of one image. */
typedef struct clear {
    uint64_t image; /* 0: none read */
    uint8_t *text;
    size_t len, at; /* at: records come in order, so the search goes on where it stood */
} clear;

typedef struct telling {
    maker *m;
    json_t *list;
    clear clear;
} telling;

static void
clear_open(telling *t, uint64_t image)
{
    const licet_report_options *o = t->m->g->options;
    char path[4096];
    licet_error ignored;

    free(t->clear.text);
    t->clear = (clear){.image = image};
    if (o->dir == NULL || snprintf(path, sizeof(path), "%s/data/recorded/%s/%llu/changes", o->dir, o->agreement,
                                   (unsigned long long)image) >= (int)sizeof(path)) {
        return;
    }
    if (!licet_file_read(path, TEXTS_MAX, &t->clear.text, &t->clear.len, &ignored)) {
        t->clear.text = NULL; /* erased, or the ledger came without it */
    }
}

/* Fields of a line: number, field, salt, text. False: no line. */
static bool
next_line(const clear *c, size_t *at, licet_bytes fields[4])
{
    licet_bytes rest = licet_bytes_of(c->text + *at, c->len - *at);
    const uint8_t *end = rest.len == 0 ? NULL : memchr(rest.data, '\n', rest.len);

    if (end == NULL) {
        return false;
    }
    rest.len = (size_t)(end - rest.data);
    *at += rest.len + 1;
    for (size_t i = 0; i < 4; i++) {
        const uint8_t *tab = i < 3 && rest.len > 0 ? memchr(rest.data, '\t', rest.len) : NULL;
        size_t len = tab == NULL ? rest.len : (size_t)(tab - rest.data);

        fields[i] = licet_bytes_of(rest.data, len);
        rest = tab == NULL ? licet_bytes_of(NULL, 0) : licet_bytes_of(tab + 1, rest.len - len - 1);
    }
    return true;
}

/* (2) */
static json_t *
clear_text(telling *t, uint32_t number, const char *field, const licet_hash *commitment)
{
    licet_bytes fields[4], pieces[2];
    uint8_t salt[32];
    uint64_t line = 0;
    size_t at = t->clear.at;
    licet_hash hash;

    while (t->clear.text != NULL && next_line(&t->clear, &at, fields) && licet_parse_u64(fields[0], &line) &&
           line <= number) {
        if (line < number) {
            t->clear.at = at;
            continue;
        }
        if (licet_bytes_equal_text(fields[1], field) && licet_unhex(fields[2], salt, sizeof(salt))) {
            pieces[0] = licet_bytes_of(salt, sizeof(salt));
            pieces[1] = fields[3];
            hash = licet_sha256(pieces, 2);
            if (memcmp(hash.bytes, commitment->bytes, sizeof(hash.bytes)) == 0) {
                return json_stringn((const char *)fields[3].data, fields[3].len);
            }
        }
    }
    return json_null();
}

static bool
is_told(const telling *t, const licet_change_record *record)
{
    const licet_report_options *o = t->m->g->options;
    bool permission = record->subject == LICET_SUBJECT_USE_CASE || record->subject == LICET_SUBJECT_GRANT ||
                      record->subject == LICET_SUBJECT_RECIPIENT;

    return record->time_ms < o->before_ms && (permission || record->time_ms >= o->from_ms);
}

static bool
on_change(void *user, uint64_t entry, const licet_change_record *record, licet_error *err)
{
    static const licet_hash none = {{0}};
    telling *t = user;
    maker *m = t->m;
    bool internal = m->g->options->edition == LICET_EDITION_INTERNAL;
    json_t *object;
    char hex[2 * LICET_SHA256_LEN + 1];

    (void)err;
    if (!is_told(t, record)) {
        return true;
    }
    if (t->clear.image != record->image || record->number == 0) {
        clear_open(t, record->image);
    }
    object = maker_object(m);
    maker_number(m, object, "entry", entry);
    maker_time(m, object, "at", record->time_ms);
    maker_time(m, object, "from", record->from_ms == 0 ? record->time_ms : record->from_ms);
    maker_put(m, object, "subject", json_string(licet_subject_name(record->subject)));
    maker_text(m, object, "id", record->id);
    maker_put(m, object, "action", json_string(licet_action_name(record->action)));
    maker_put(m, object, "back_dated", json_boolean((record->flags & LICET_CHANGE_BACK_DATED) != 0));
    licet_hex(record->document.bytes, sizeof(record->document.bytes), hex);
    maker_put(m, object, "document",
              memcmp(&record->document, &none, sizeof(none)) == 0 ? json_null() : json_string(hex));
    maker_put(m, object, "words", clear_text(t, record->number, "words", &record->words));
    maker_put(m, object, "who", internal ? clear_text(t, record->number, "who", &record->who) : json_null());
    maker_put(m, object, "applied_by", internal ? clear_text(t, record->number, "as", &record->as) : json_null());
    maker_put(m, object, "approved_by",
              internal ? clear_text(t, record->number, "approved", &record->approved) : json_null());
    maker_add(m, t->list, object);
    return true;
}

json_t *
report_section_registry(maker *m, licet_error *err)
{
    telling t = {.m = m, .list = maker_array(m)};
    bool ok = licet_usage_changes(m->usage, m->g->options->agreement, on_change, &t, err);

    free(t.clear.text);
    if (!ok) {
        json_decref(t.list);
        return NULL;
    }
    return t.list;
}
