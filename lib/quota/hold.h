/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hold: what one slot has taken from limits and leases, with marks that
 * survive the death of whoever took it.
 *
 *      intent = which          a leak from here on is told of
 *      swap   units taken
 *      mark   += units         from here on they come back
 *      intent = none
 *                 … and back:
 *      intent = which
 *      mark   = 0              from here on they leak
 *      swap   units given back
 *      intent = none
 *
 *  A limit's mark is for one window. Where the counter has gone on, what was held becomes prior, with its window: of a
 *  rolling limit both still count. What was prior stays taken for good.
 *
 *  (1) Marked after it is taken, unmarked before it is given back: a death between leaks, it never gives back twice.
 *  (2) Every index comes from shared memory and is checked here, where it is used.
 *  (3) The owner of the slot calls: the worker, or licetd when it holds the lock of the area.
 */
#ifndef LICET_QUOTA_HOLD_H
#define LICET_QUOTA_HOLD_H

#include "cell.h"

typedef enum hold_outcome { HOLD_TAKEN, HOLD_LIMIT, HOLD_LEASE } hold_outcome;

typedef struct hold_refusal {
    uint32_t limit; /* index into the slot's limits */
    licet_counter_value value;
    bool over; /* taken beyond some limit; the first such is 'limit' */
} hold_refusal;

/* Weighed units of a limit, as many as a counter can tell. */
uint64_t hold_weigh(uint64_t units, uint64_t weight);
/* Takes weighed units from limit i of the slot. */
bool hold_limit(const licet_gate *gate, licet_slot *slot, uint32_t i, uint64_t units, bool anyway,
                hold_refusal *out_refusal);
bool hold_lease(const licet_gate *gate, licet_slot *slot, uint32_t kind, uint64_t units, lease_mode mode);
/* Gives weighed units back that were held a moment ago. */
void hold_undo_limit(const licet_gate *gate, licet_slot *slot, uint32_t i, uint64_t units);
/* Takes units of one kind, weighed, from every limit of that kind and from the lease: all or none. */
hold_outcome hold_more(const licet_gate *gate, licet_slot *slot, uint32_t kind, uint64_t units, bool limits_anyway,
                       lease_mode mode, hold_refusal *out_refusal);
/* Gives back whatever is marked and not charged. */
void hold_release(const licet_gate *gate, licet_slot *slot);

#endif
