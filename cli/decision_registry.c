/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who permitted it: the registry changes of a ledger that concern a use case, a recipient or its entity, and were
 * recorded by the time of a decision.
 *
 *  (1) A clear text is told only when the ledger commits to it: SHA-256 of salt and text.
 */
#include "decision.h"

#include "evidence.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SALT_LEN 32
#define TEXTS_MAX ((size_t)512 << 20)

typedef struct gathering {
    const decision_record *record;
    licet_bytes entity;
    decision_changes *out;
} gathering;

static void
change_done(decision_change *change)
{
    free(change->words);
    free(change->who);
    free(change->as);
    free(change->approved);
}

static bool
concerns(const gathering *g, const licet_change_record *change)
{
    if (change->time_ms > g->record->receipt.time_ms || change->id.len == 0) {
        return false;
    }
    switch (change->subject) {
    case LICET_SUBJECT_USE_CASE:
        return licet_bytes_equal(change->id, g->record->context.use_case);
    case LICET_SUBJECT_RECIPIENT:
    case LICET_SUBJECT_GRANT:
        return licet_bytes_equal(change->id, g->record->context.recipient) || licet_bytes_equal(change->id, g->entity);
    default:
        return false;
    }
}

static bool
on_entry(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    gathering *g = user;
    decision_changes *out = g->out;
    licet_change_record change;

    (void)index;
    if (entry.len == 0 || entry.data[0] != LICET_ENTRY_CHANGE) {
        return true;
    }
    if (!licet_change_decode(entry, &change, err)) {
        return false;
    }
    if (!concerns(g, &change)) {
        return true;
    }
    if (out->len == DECISION_CHANGES_MAX) {
        out->left_out++;
        memmove(out->list, out->list + 1, (out->len - 1) * sizeof(*out->list));
        out->len--;
    }
    out->list[out->len] = (decision_change){.record = change};
    snprintf(out->list[out->len].id, sizeof(out->list[out->len].id), "%.*s", (int)change.id.len,
             (const char *)change.id.data);
    out->list[out->len].record.id = licet_bytes_of(NULL, 0);
    out->len++;
    return true;
}

/* ---- clear texts ---------------------------------------------------------------- */

/* The next field of a line, up to a TAB. */
static licet_bytes
field_of(licet_bytes *line)
{
    const uint8_t *tab = line->len == 0 ? NULL : memchr(line->data, '\t', line->len);
    size_t len = tab != NULL ? (size_t)(tab - line->data) : line->len;
    licet_bytes field = licet_bytes_of(line->data, len);

    *line = tab != NULL ? licet_bytes_of(tab + 1, line->len - len - 1) : licet_bytes_of(NULL, 0);
    return field;
}

typedef struct text_place {
    const char *name;
    const licet_hash *commitment;
    char **to;
} text_place;

static bool
is_zero(const licet_hash *hash)
{
    static const licet_hash zero;

    return memcmp(hash, &zero, sizeof(zero)) == 0;
}

/* (1) */
static void
take_line(decision_change *change, const text_place *places, size_t len, licet_bytes line)
{
    licet_bytes name = field_of(&line), hex = field_of(&line);
    uint8_t salt[SALT_LEN];
    licet_bytes pieces[2] = {{salt, SALT_LEN}, line};
    licet_hash hash;

    for (size_t i = 0; i < len; i++) {
        if (!licet_bytes_equal_text(name, places[i].name) || *places[i].to != NULL) {
            continue;
        }
        if (hex.len != 2 * (size_t)SALT_LEN || !licet_unhex(hex, salt, SALT_LEN)) {
            change->differs = true;
            continue;
        }
        hash = licet_sha256(pieces, 2);
        if (memcmp(&hash, places[i].commitment, sizeof(hash)) != 0) {
            change->differs = true;
        } else {
            *places[i].to = strndup((const char *)line.data, line.len);
        }
    }
}

static void
read_texts(const char *dir, const char *ledger, decision_change *change)
{
    const text_place places[] = {{"words", &change->record.words, &change->words},
                                 {"who", &change->record.who, &change->who},
                                 {"as", &change->record.as, &change->as},
                                 {"approved", &change->record.approved, &change->approved}};
    char rest[PATH_MAX], path[PATH_MAX];
    uint8_t *data = NULL;
    size_t len = 0, at = 0;

    snprintf(rest, sizeof(rest), "data/recorded/%s/%llu/changes", ledger, (unsigned long long)change->record.image);
    if (licet_cli_path(dir, rest, path, sizeof(path), NULL) && licet_file_read(path, TEXTS_MAX, &data, &len, NULL)) {
        while (at < len) {
            const uint8_t *end = memchr(data + at, '\n', len - at);
            size_t line_len = end != NULL ? (size_t)(end - (data + at)) : len - at;
            licet_bytes line = licet_bytes_of(data + at, line_len), number = field_of(&line);
            uint64_t value;

            if (licet_parse_u64(number, &value) && value == change->record.number) {
                take_line(change, places, sizeof(places) / sizeof(places[0]), line);
            }
            at += line_len + 1;
        }
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        change->erased = change->erased || (*places[i].to == NULL && !is_zero(places[i].commitment));
    }
    free(data);
}

bool
decision_registry(const char *dir, licet_ledger *ledger, const decision_record *record, licet_bytes entity,
                  decision_changes *out, licet_error *err)
{
    gathering g = {record, entity, out};

    *out = (decision_changes){.list = calloc(DECISION_CHANGES_MAX, sizeof(*out->list))};
    if (out->list == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for registry changes");
    }
    if (!licet_ledger_each(ledger, 0, licet_ledger_size(ledger), on_entry, &g, err)) {
        return false;
    }
    for (size_t i = 0; i < out->len; i++) {
        read_texts(dir, record->ledger, &out->list[i]);
    }
    return true;
}

void
decision_changes_done(decision_changes *changes)
{
    for (size_t i = 0; i < changes->len; i++) {
        change_done(&changes->list[i]);
    }
    free(changes->list);
    *changes = (decision_changes){.list = NULL};
}
