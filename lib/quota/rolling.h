/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rolling: the units of the last so many buckets, in one counter for each of
 * them. Bucket w stands in row w modulo n; its counter's window is w.
 *
 *      row      0     1     2     3     4          n = 5, the present bucket is 12
 *      bucket  10    11   [12]    8     9          8 … 11 are closed, 12 is open
 *                                 ▲
 *                        13 comes here, once 9 … 12 are closed
 *
 *  (1) Units are taken from one bucket alone, the present one, by one swap: nothing is ever half taken, and a death
 *      leaves no sum behind that a later one must mend.
 *  (2) Before the first unit is taken from bucket w, each of the n - 1 before it is closed (one that nobody used begins
 *      closed): nothing is taken from a closed bucket, and closed it stays.
 *  (3) Hence whoever swaps the open bucket knows of the closed ones at least what is in them, for there it only falls:
 *      taken + units <= most holds over all workers, also of two whose clocks stand on both sides of a bucket's end.
 *  (4) The present bucket never falls back: a clock that was set back is charged to it. Where the last one is closed
 *      and no later one was begun (its worker died in between) the present one is the next.
 *  (5) Giving back, crediting, seeding from the ledger and following a replaced file are those of any counter, on the
 *      bucket's row. What the recorder adds to a closed bucket was delivered before and may pass the limit, as it may
 *      anywhere.
 */
#ifndef LICET_QUOTA_ROLLING_H
#define LICET_QUOTA_ROLLING_H

#include "counter.h"

/* n buckets from row on; want.window: the bucket of now. The value told is that of all buckets. */
counter_result rolling_take(gate_counter *row, uint32_t n, counter_want want);
/* What a taker of now would find. */
licet_counter_value rolling_load(gate_counter *row, uint32_t n, uint32_t window);
/* The bucket that must roll off, with those before it, so that so many units return; window if they never do. */
uint32_t rolling_returns(gate_counter *row, uint32_t n, uint32_t window, uint64_t units);

/* In the plainest form, for one process alone (rolling_ref.c): every take, never forgotten. */
#define ROLLING_REF_MAX 65536
typedef struct rolling_ref {
    struct {
        uint32_t bucket;
        uint64_t units, held;
    } list[ROLLING_REF_MAX];
    uint32_t len, n, present;
} rolling_ref;
counter_result rolling_ref_take(rolling_ref *ref, counter_want want);
/* units of a take (its place in the list) and all that it holds. */
void rolling_ref_give(rolling_ref *ref, uint32_t take, uint64_t units);

#endif
