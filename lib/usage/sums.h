/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of one batch in memory, so that a thousand receipts of one hour and
 * context cost one row written.
 *
 *  (1) A key is held once; adding to it never wraps.
 *  (2) At most USAGE_SUMS_MAX keys: the caller flushes before there are more.
 */
#ifndef LICET_USAGE_SUMS_H
#define LICET_USAGE_SUMS_H

#include "licet/base.h"

#define USAGE_SUMS_MAX 65536u
#define USAGE_REQUESTS UINT16_MAX /* in place of a unit kind: requests and bytes */

/* All bytes count for equality: make it with {0} and set the fields. */
typedef struct usage_key {
    uint32_t ledger; /* row of the open database's ledgers */
    uint32_t hour, context;
    uint16_t status, kind;
    uint8_t flow, verdict, reason, ending, basis, unmetered, observe, zero;
} usage_key;

typedef struct usage_sum {
    usage_key key;
    uint64_t a, b; /* requests and bytes; or amount, and what stays charged beyond it */
} usage_sum;

typedef struct usage_sums {
    usage_sum *list;
    uint32_t *table; /* row of list and one, or 0: free */
    uint32_t len, capacity;
} usage_sums;

/* A sum stops at 2^63 - 1. */
static inline uint64_t
usage_sum_most(uint64_t sum, uint64_t more)
{
    return more > (uint64_t)INT64_MAX - sum ? (uint64_t)INT64_MAX : sum + more;
}

void usage_sums_init(usage_sums *sums);
void usage_sums_done(usage_sums *sums);
/* Adds; *out_new tells whether the key was not there before. LIMIT when the keys are too many. */
bool usage_sums_add(usage_sums *sums, const usage_key *key, uint64_t a, uint64_t b, bool *out_new, licet_error *err);
/* Puts the list into the order of the tables' keys; after it only usage_sums_clear may follow. */
void usage_sums_sort(usage_sums *sums);
void usage_sums_clear(usage_sums *sums);

#endif
