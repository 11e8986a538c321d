/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report as text: what its two files share. Everything is read from the
 * JSON document.
 */
#ifndef LICET_REPORT_PAGE_H
#define LICET_REPORT_PAGE_H

#include "json.h"
#include "text.h"

#define UNITS_SHOWN_MAX 5

typedef struct page {
    const json_t *root;
    licet_buffer *out;
    licet_buffer line; /* of the answer in the making */
    const char *units[UNITS_SHOWN_MAX];
    size_t units_len, units_had;
} page;

/* Reading the document: a member, its number, its text (none: when it is null). */
const json_t *page_at(const json_t *object, const char *key);
uint64_t page_number(const json_t *object, const char *key);
/* Of two bounds; UINT64_MAX where there is none any more. */
uint64_t page_sum(uint64_t a, uint64_t b);
const char *page_words(const json_t *object, const char *key, const char *none);
uint64_t page_units(const json_t *row, const char *unit);
/* Times on full days as dates. */
const char *page_time(const json_t *object, const char *key, char *out, size_t len);

/* Prints and ends a table, after an empty line. */
void page_put_table(page *p, text_table *table);
/* page_charges.c: the answer on page one in words; a table for each period. */
void page_say_charges(const page *p, char *out, size_t len);
void page_put_charges(page *p);
/* page_disclosures.c */
void page_put_disclosures(page *p);
/* page_tables.c: all that follows page one. dir: of the site, for the command that checks. */
void page_put_tables(page *p, const char *dir);

#endif
