/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents: what a version incorporates, and where two of them say different things of one clause.
 *
 *  (1) A document ranks by its place in the list; a clause that names none is of the first. 'precedence: first' lets
 * the first win, 'precedence: strictest' the value that allows least; of two statements of one document the one that
 *      stands first in the file wins.
 *  (2) Values are whole numbers, 'unlimited' or a condition in words. The least number is the strictest; anything is
 *      stricter than 'unlimited'; which of two conditions, or of a condition and a number, allows less, no machine
 *      tells: that is a mistake, and 'first' decides it.
 *  (3) Each statement that loses is a note that quotes both with their places. What a limit of the contract enforces
 *      under the clause is what won.
 */
#include "terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUOTED(scalar) licet_quote_of((scalar).text).text

/* ---- tables ------------------------------------------------------------------------- */

const licet_word licet_words_precedence[] = {
    {"first", LICET_PRECEDENCE_FIRST}, {"strictest", LICET_PRECEDENCE_STRICTEST}, {NULL, 0}};
const licet_word licet_words_class[] = {{"G", 'G'}, {"M", 'M'}, {"A", 'A'}, {"P", 'P'}, {NULL, 0}};
const licet_word licet_words_severity[] = {{"low", 1}, {"medium", 2}, {"high", 3}, {NULL, 0}};
static const licet_word sections[] = {
    {"roman", LICET_SECTIONS_ROMAN}, {"arabic", LICET_SECTIONS_ARABIC}, {"none", LICET_SECTIONS_NONE}, {NULL, 0}};

static bool
fits_sha256(licet_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return text.len == (size_t)2 * LICET_SHA256_LEN;
}

#define AT(member) .at = offsetof(licet_terms_incorporated, member)
static const licet_field document_fields[] = {
    {.name = "title", .type = LICET_FIELD_NAME, .required = true, AT(title)},
    {.name = "sha256",
     .type = LICET_FIELD_TEXT,
     .required = true,
     AT(sha256),
     .fits = fits_sha256,
     .expected = "64 lower-case hex digits, the SHA-256 of the document's file"},
    {.name = "sections", .type = LICET_FIELD_WORD, .required = true, AT(sections), .words = sections},
    {.name = "date", .type = LICET_FIELD_TIME, AT(date)},
    {.name = "url", .type = LICET_FIELD_TEXT, AT(url)},
    {.name = "says", .type = LICET_FIELD_PAIRS, AT(says)},
    {.name = NULL}};
#undef AT
const licet_schema licet_schema_incorporated = {
    .noun = "document", .title = "title", .size = sizeof(licet_terms_incorporated), .fields = document_fields};

#define AT(member) .at = offsetof(licet_terms_also, member)
static const licet_field also_fields[] = {
    {.name = "document", .type = LICET_FIELD_NAME, .required = true, AT(document)},
    {.name = "section", .type = LICET_FIELD_TEXT, AT(section)},
    {.name = "value", .type = LICET_FIELD_NAME, .required = true, AT(value)},
    {.name = NULL}};
#undef AT
const licet_schema licet_schema_also = {
    .noun = "also", .title = "document", .size = sizeof(licet_terms_also), .fields = also_fields};

/* ---- what is said, and where -------------------------------------------------------- */

/* One document's word on one clause. */
typedef struct statement {
    const licet_scalar *value;
    licet_bytes document, section;
    uint32_t rank;
} statement;

static uint32_t
document_of(const licet_terms_version *version, licet_bytes title)
{
    for (uint32_t i = 0; i < version->documents.len; i++) {
        if (licet_bytes_equal(LICET_TERMS_ROW(licet_terms_incorporated, version->documents, i)->title.text, title)) {
            return i;
        }
    }
    return LICET_NONE;
}

static licet_bytes
title_of(const licet_terms_version *version, uint32_t rank)
{
    return version->documents.len == 0
               ? LICET_BYTES_LITERAL("this agreement")
               : LICET_TERMS_ROW(licet_terms_incorporated, version->documents, rank)->title.text;
}

/* Into list, which has room; returns how many. Of an unknown document: not said here, it is a mistake of its own. */
static uint32_t
gather(const licet_terms_version *version, const licet_terms_clause *clause, statement *list)
{
    uint32_t n = 0, rank;

    if (clause->value.line != 0) {
        rank = clause->document.line == 0 ? 0 : document_of(version, clause->document.text);
        if (rank != LICET_NONE) {
            list[n++] = (statement){&clause->value, title_of(version, rank), clause->section.text, rank};
        }
    }
    for (uint32_t i = 0; i < clause->also.len; i++) {
        const licet_terms_also *also = LICET_TERMS_ROW(licet_terms_also, clause->also, i);
        rank = document_of(version, also->document.text);
        if (also->value.line != 0 && rank != LICET_NONE) {
            list[n++] = (statement){&also->value, also->document.text, also->section.text, rank};
        }
    }
    for (uint32_t i = 0; i < version->documents.len; i++) {
        const licet_terms_incorporated *document = LICET_TERMS_ROW(licet_terms_incorporated, version->documents, i);
        for (uint32_t j = 0; j < document->says.len; j++) {
            const licet_pair *pair = LICET_TERMS_ROW(licet_pair, document->says, j);
            if (licet_bytes_equal(pair->key.text, clause->key.text)) {
                list[n++] = (statement){&pair->value, document->title.text, {NULL, 0}, i};
            }
        }
    }
    return n;
}

/* ---- which holds -------------------------------------------------------------------- */

static bool
is_unlimited(licet_bytes value)
{
    return licet_bytes_equal_text(value, "unlimited");
}

static bool
same_value(licet_bytes a, licet_bytes b)
{
    uint64_t x, y;

    return licet_bytes_equal(a, b) || (licet_schema_digits(a, &x) && licet_schema_digits(b, &y) && x == y);
}

/* Less than 0: a allows less. False: nobody can tell. */
static bool
compare_strictness(licet_bytes a, licet_bytes b, int *out_order)
{
    uint64_t x, y;

    if (same_value(a, b)) {
        *out_order = 0;
    } else if (is_unlimited(a) || is_unlimited(b)) {
        *out_order = is_unlimited(a) ? 1 : -1;
    } else if (licet_schema_digits(a, &x) && licet_schema_digits(b, &y)) {
        *out_order = x < y ? -1 : 1;
    } else {
        return false;
    }
    return true;
}

/* The one that holds; NULL: a mistake was said. */
static const statement *
winner_of(licet_reader *reader, const licet_terms_version *version, const licet_terms_clause *clause,
          const statement *list, uint32_t len)
{
    const statement *best = &list[0];
    int order;

    for (uint32_t i = 1; i < len; i++) {
        if (version->precedence.value == LICET_PRECEDENCE_FIRST) {
            best = list[i].rank < best->rank ? &list[i] : best;
        } else if (!compare_strictness(list[i].value->text, best->value->text, &order)) {
            licet_reader_say(reader, list[i].value, "",
                             "clause %s: \"%s\" here and \"%s\" in line %u: no machine tells which is stricter; "
                             "precedence: first decides by the order of the documents",
                             QUOTED(clause->key), QUOTED(*list[i].value), QUOTED(*best->value), best->value->line);
            return NULL;
        } else if (order < 0 || (order == 0 && list[i].rank < best->rank)) {
            best = &list[i];
        }
    }
    return best;
}

/* "Restricted uses", section 3, */
typedef struct source_text {
    char text[2 * sizeof(licet_quote) + 24];
} source_text;

static source_text
source_of(const statement *from)
{
    source_text out;
    licet_quote document = licet_quote_of(from->document), section = licet_quote_of(from->section);

    if (from->section.len == 0) {
        snprintf(out.text, sizeof(out.text), "\"%s\"", document.text);
    } else {
        snprintf(out.text, sizeof(out.text), "\"%s\", section %s,", document.text, section.text);
    }
    return out;
}

static void
note_loser(licet_reader *notes, const licet_terms_version *version, const licet_terms_clause *clause,
           const statement *winner, const statement *loser)
{
    licet_reader_say(
        notes, loser->value, "", "clause %s: %s says %s, but %s says %s (%s:%u:%u): %s holds, by precedence: %s",
        QUOTED(clause->key), source_of(loser).text, QUOTED(*loser->value), source_of(winner).text,
        QUOTED(*winner->value), notes->file, winner->value->line, winner->value->column, QUOTED(*winner->value),
        version->precedence.value == LICET_PRECEDENCE_FIRST ? "first" : "strictest");
}

/* A limit of the clause allows what won. */
static void
check_limits(licet_reader *reader, const licet_terms_version *version, const licet_terms_clause *clause,
             const statement *winner)
{
    uint64_t value = 0;
    bool number = licet_schema_digits(winner->value->text, &value);

    if (!number && !is_unlimited(winner->value->text)) {
        return; /* a condition in words: no limit tells whether it is met */
    }
    for (uint32_t i = 0; i < version->limits.len; i++) {
        const licet_terms_limit *limit = LICET_TERMS_ROW(licet_terms_limit, version->limits, i);
        if (limit->clause.line == 0 || !licet_bytes_equal(limit->clause.text, clause->key.text) ||
            limit->most.said.line == 0 || (number && limit->most.value == value)) {
            continue;
        }
        licet_reader_say(reader, &limit->most.said, "",
                         "limit %s: most \"%s\": %s says %s (line %u:%u), and that holds", QUOTED(limit->clause),
                         QUOTED(limit->most.said), source_of(winner).text, QUOTED(*winner->value), winner->value->line,
                         winner->value->column);
    }
}

static void
check_clause(licet_reader *reader, licet_reader *notes, const licet_terms_version *version,
             const licet_terms_clause *clause, statement *list)
{
    uint32_t len = gather(version, clause, list);
    const statement *winner = len == 0 ? NULL : winner_of(reader, version, clause, list, len);

    for (uint32_t i = 0; i < len && winner != NULL; i++) {
        if (!same_value(list[i].value->text, winner->value->text)) {
            note_loser(notes, version, clause, winner, &list[i]);
        }
    }
    if (winner != NULL) {
        check_limits(reader, version, clause, winner);
    }
}

static void
check_titles(licet_reader *reader, const licet_terms_version *version)
{
    for (uint32_t i = 0; i < version->documents.len; i++) {
        const licet_terms_incorporated *document = LICET_TERMS_ROW(licet_terms_incorporated, version->documents, i);
        if (document->title.line != 0 && document_of(version, document->title.text) < i) {
            licet_reader_say(reader, &document->title, "", "document \"%s\": an earlier one has this title",
                             QUOTED(document->title));
        }
        for (uint32_t j = 0; j < document->says.len; j++) {
            const licet_pair *pair = LICET_TERMS_ROW(licet_pair, document->says, j);
            if (licet_names_find(&version->clause_names, pair->key.text) == LICET_NONE) {
                licet_reader_say(reader, &pair->key, "",
                                 "document %s: says: clause \"%s\" is not among the clauses of this version",
                                 QUOTED(document->title), QUOTED(pair->key));
            }
        }
    }
}

static void
check_named(licet_reader *reader, const licet_terms_version *version, const licet_terms_clause *clause,
            const licet_scalar *title)
{
    if (title->line != 0 && document_of(version, title->text) == LICET_NONE) {
        licet_reader_say(reader, title, "", "clause %s: document \"%s\" is not among the documents of this version",
                         QUOTED(clause->key), QUOTED(*title));
    }
}

void
licet_terms_check_documents(licet_reader *reader, licet_reader *notes, const licet_terms_version *version)
{
    size_t most = 1 + (size_t)version->documents.len;
    statement *list;

    check_titles(reader, version);
    for (uint32_t i = 0; i < version->clauses.len; i++) {
        const licet_terms_clause *clause = LICET_TERMS_ROW(licet_terms_clause, version->clauses, i);
        most = clause->also.len > most ? clause->also.len : most;
        check_named(reader, version, clause, &clause->document);
        for (uint32_t j = 0; j < clause->also.len; j++) {
            check_named(reader, version, clause, &LICET_TERMS_ROW(licet_terms_also, clause->also, j)->document);
        }
    }
    list = calloc(2 * most + 1, sizeof(*list)); /* its own, of 'also', one of each document */
    if (list == NULL) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < version->clauses.len; i++) {
        check_clause(reader, notes, version, LICET_TERMS_ROW(licet_terms_clause, version->clauses, i), list);
    }
    free(list);
}
