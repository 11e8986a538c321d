/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables and numbers for a terminal of 100 columns.
 *
 *  (1) No line is longer than TEXT_WIDTH characters; names are cut with an
 *      ellipsis, numbers never.
 *  (2) What callers wrote reaches the terminal without control characters.
 */
#ifndef LICET_REPORT_TEXT_H
#define LICET_REPORT_TEXT_H

#include "licet/base.h"

#define TEXT_WIDTH 100
#define TEXT_COLUMNS_MAX 10
#define TEXT_NUMBER_MAX 32

/* 1234567 as 1,234,567. out has room for TEXT_NUMBER_MAX. */
const char *text_number(uint64_t value, char *out);
/* part of whole as "4.8 %", rounded down; "-" when whole is 0. */
const char *text_share(uint64_t part, uint64_t whole, char *out);
/* Columns of a terminal that text takes, one a code point. */
size_t text_width(const char *text);
/* text without control characters, at most width columns. */
void text_put(licet_buffer *out, const char *text, size_t width);
/* The same, padded to width; right: on the right side. */
void text_put_padded(licet_buffer *out, const char *text, size_t width, bool right);
/* text broken at spaces into lines, each begun with indent spaces but the first, for which 'used' columns are taken. */
void text_put_wrapped(licet_buffer *out, const char *text, size_t indent, size_t used);

/* A table: cells row by row, printed with the widths they need. The first column, names, gives way. */
typedef struct text_table {
    size_t columns;
    bool left[TEXT_COLUMNS_MAX]; /* besides the first */
    char **cells;                /* owned */
    size_t len, capacity;
    bool failed;
} text_table;
void text_table_init(text_table *table, size_t columns);
void text_table_done(text_table *table);
void text_table_cell(text_table *table, const char *text);
void text_table_number(text_table *table, uint64_t value);
/* The first row is the head. */
void text_table_put(const text_table *table, licet_buffer *out);

#endif
