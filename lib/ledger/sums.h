/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of a period and names given: what fold and verify both compute from the
 * entries of one ledger, in order.
 *
 *  (1) The first entry is the fold version, and no other is.
 *  (2) A period close covers the entries since the one before; its figures are the sums of these entries.
 *  (3) Contexts and unit kinds are given before they are named, and once.
 *  (4) A sum stops at LEDGER_SUM_MOST.
 */
#ifndef LICET_LEDGER_SUMS_H
#define LICET_LEDGER_SUMS_H

#include "names.h"

#define LEDGER_SUM_MOST ((uint64_t)INT64_MAX) /* where a sum stops */

typedef struct ledger_sums {
    uint64_t entries; /* seen so far */
    uint64_t from_ms; /* where the open period begins */
    bool any;         /* an entry stands in the open period */
    uint64_t receipts, refused;
    uint64_t units[256];
    ledger_names names;
} ledger_sums;

void ledger_sums_init(ledger_sums *sums);
void ledger_sums_done(ledger_sums *sums);
/* Decodes the next entry and adds it; INVALID for one that breaks (1) to (3) or its own format. */
bool ledger_sums_add(ledger_sums *sums, licet_bytes entry, licet_error *err);
/* Does a tick of that time close the open period? */
bool ledger_sums_due(const ledger_sums *sums, uint64_t tick_ms);
/* The close that stands for the entries so far, with the month of tick_ms not in it. */
void ledger_sums_close(const ledger_sums *sums, uint64_t tick_ms, licet_period *out_period);

#endif
