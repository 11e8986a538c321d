/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counter: the units of one limit in its present window, in 16 bytes that
 * change by compare-and-swap as one.
 *
 *  (1) The window of a counter only rises. A later window begins at nothing in the same swap that takes the first
 *      units of it; an earlier one (a clock that was set back) is charged to the present window and resets nothing.
 *  (2) A refusal is judged on a value that was the counter's at one instant; a torn read is only ever a first guess.
 *  (3) Nothing is given back to a window that is gone; nothing falls below zero; nothing wraps.
 */
#ifndef LICET_QUOTA_COUNTER_H
#define LICET_QUOTA_COUNTER_H

#include "layout.h"

typedef struct counter_want {
    uint32_t window;
    uint64_t units; /* < 2^56 */
    uint64_t most;
    bool anyway; /* take beyond the limit too */
} counter_want;

typedef struct counter_result {
    bool taken, over;          /* taken at all; beyond the limit */
    licet_counter_value value; /* taken: as it is now; else as it was when it refused (for the window wanted) */
} counter_result;

counter_result counter_take(gate_counter *counter, counter_want want);
/* Gives back: units from taken, held from held. */
void counter_give(gate_counter *counter, uint32_t window, uint64_t units, uint64_t held);
licet_counter_value counter_load(gate_counter *counter);
bool counter_swap(gate_counter *counter, licet_counter_value from, licet_counter_value to);

/* The parts of a counter, and back. */
gate_counter counter_pack(licet_counter_value value);
licet_counter_value counter_unpack(gate_counter word);
/* units more, taken and held; sums stop at their largest value. */
licet_counter_value counter_more(licet_counter_value now, uint64_t units);

/* The same in the plainest form, for one process alone (counter_ref.c): the tests compare. */
counter_result counter_ref_take(licet_counter_value *value, counter_want want);
void counter_ref_give(licet_counter_value *value, uint32_t window, uint64_t units, uint64_t held);

#endif
