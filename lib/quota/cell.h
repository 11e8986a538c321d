/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cell: what belongs to one agreement in shared memory. Its leases, the wish
 * for more of them, and what was let through without a slot.
 *
 *  (1) taken <= granted: what is lent is durable before it is taken. Admissions leave what is kept back for responses
 *      under way. (Only the end of a response takes beyond, should its last count exceed all that was reserved.)
 *  (2) A wish is set after the lease was found short and cleared before the lease is read: none is lost.
 *  (3) unrecorded <= allowed, both numbers at once: what goes up without a slot has a durable bound before it goes up.
 */
#ifndef LICET_QUOTA_CELL_H
#define LICET_QUOTA_CELL_H

#include "layout.h"

typedef enum lease_mode {
    LEASE_ADMIT,     /* leaves what is kept back */
    LEASE_UNDER_WAY, /* takes all that is granted */
    LEASE_ANYWAY,    /* beyond it too: it was delivered */
} lease_mode;

/* Takes units of a kind. Sets the wish when it is short, or less than half of a step is left. */
bool lease_take(const licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t units, lease_mode mode);
void lease_give(const licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t units);
/* Counts requests (or, with 0, more units of one that has a slot) that nothing else bounds. most: units of this
 * outage's 'allow N', or UINT64_MAX; false when it or what is durable ahead is used up. */
bool unrecorded_add(const licet_gate *gate, uint32_t cell, uint64_t requests, uint64_t units, uint64_t charge,
                    uint64_t most);

#endif
