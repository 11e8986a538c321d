/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gather: ids of responses whose receipt has not come yet.
 *
 *  (1) What is here is what the journal's ids entries of a response brought since it began: a fold that begins at the
 *      entry ledger_gather_first tells knows the same.
 */
#ifndef LICET_LEDGER_GATHER_H
#define LICET_LEDGER_GATHER_H

#include "licet/ledger.h"

typedef struct ledger_gather ledger_gather;
typedef struct ledger_gathered {
    struct ledger_gathered *next; /* in its bucket */
    uint32_t ledger;
    uint8_t unit;
    licet_identity identity;
    uint64_t first; /* journal number */
    uint64_t count;
    licet_buffer ids; /* count times u8 length, bytes */
} ledger_gathered;

ledger_gather *ledger_gather_new(void);
void ledger_gather_free(ledger_gather *gather);
bool ledger_gather_add(ledger_gather *gather, uint64_t number, const licet_journal_facts *facts, licet_error *err);
/* NULL: none. */
ledger_gathered *ledger_gather_find(const ledger_gather *gather, uint32_t ledger, licet_identity identity,
                                    uint8_t unit);
/* Forgets the ids of a response, of every unit. */
void ledger_gather_drop(ledger_gather *gather, uint32_t ledger, licet_identity identity);
bool ledger_gather_empty(const ledger_gather *gather);
/* Least journal number of an entry of which something is here; 0: none. */
uint64_t ledger_gather_first(const ledger_gather *gather);
/* Ids. */
uint64_t ledger_gather_count(const ledger_gather *gather);
/* Bytes of ids; *out_largest: of the response that has most, NULL when there are none. */
uint64_t ledger_gather_bytes(const ledger_gather *gather, const ledger_gathered **out_largest);

#endif
