/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: which numbers of a ledger's dictionary are given.
 *
 *  (1) A number is given once, and before any entry names it (licet/receipt.h, invariant 3).
 */
#ifndef LICET_LEDGER_NAMES_H
#define LICET_LEDGER_NAMES_H

#include "licet/ledger.h"

typedef struct ledger_names {
    uint64_t units[4];  /* a bit for each unit kind */
    uint32_t *contexts; /* hash table of numbers; NUMBER_FREE: free */
    size_t contexts_cap, contexts_len;
    bool greatest; /* context 2^32-1 is given: the table uses that value for free places */
} ledger_names;

void ledger_names_done(ledger_names *names);
bool ledger_names_give_context(ledger_names *names, uint32_t number, licet_error *err);
bool ledger_names_give_unit(ledger_names *names, uint8_t number, licet_error *err);
bool ledger_names_context(const ledger_names *names, uint32_t number, licet_error *err);
bool ledger_names_units(const ledger_names *names, const licet_receipt_unit *units, size_t len, licet_error *err);

#endif
