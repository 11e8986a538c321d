/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tally: requests, bytes and units by basis; and lists of tallies by name,
 * from which every cross-table of a report is made.
 *
 *  (1) A list holds its registered names in the order given, whatever else was
 *      met behind them, and exactly one row for 'none'.
 *  (2) Sums never leave 63 bits: adding fails instead.
 */
#ifndef LICET_REPORT_TALLY_H
#define LICET_REPORT_TALLY_H

#include "licet/base.h"
#include "licet/receipt.h"

#define TALLY_KINDS_MAX 256
#define TALLY_ROWS_MAX (1u << 20)
#define TALLY_BASES 4
#define TALLY_NONE 0 /* row of what has no name */

typedef struct tally {
    uint64_t delivered, refused, bytes;
    uint64_t *units; /* [kind * TALLY_CELLS + basis] */
} tally;

/* Of a kind: units by basis, then those of them that were credited as duplicates. */
#define TALLY_DUPLICATES TALLY_BASES
#define TALLY_CELLS (TALLY_BASES + 1)

/* Sum += value; LIMIT beyond 2^63-1. */
bool tally_count(uint64_t *sum, uint64_t value, licet_error *err);

typedef struct tally_row {
    licet_bytes id; /* in the list's arena; none for TALLY_NONE */
    bool registered;
    uint32_t source; /* row of the image that it was registered from */
    tally sums;
} tally_row;

typedef struct tally_list {
    size_t kinds;
    tally_row *rows;
    size_t len, capacity, registered;
    uint32_t *table; /* open addressing, row and one */
    size_t table_len;
} tally_list;

bool tally_list_init(tally_list *list, size_t kinds, licet_error *err);
void tally_list_done(tally_list *list);
/* The row of id, made when it is not there. An empty id is TALLY_NONE. */
bool tally_list_row(tally_list *list, licet_bytes id, size_t *out_row, licet_error *err);
/* The same for a registered thing; a name registered twice keeps its first source. */
bool tally_list_register(tally_list *list, licet_bytes id, uint32_t source, licet_error *err);
/* Order in which rows are shown: registered ones as they came, the others by their bytes, none last. Indices of rows,
 * malloc'ed, list->len of them. */
bool tally_list_order(const tally_list *list, size_t **out_order, licet_error *err);

#endif
