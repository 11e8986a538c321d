/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cell: what belongs to one agreement in shared memory. Its leases, the wish
 * for more of them, and what was let through without a slot.
 *
 *  (1) taken <= granted, but for overruns, which are taken whether there are any or not.
 *  (2) A wish is set after the lease was found short and cleared before the lease is read: none is lost.
 */
#ifndef LICET_QUOTA_CELL_H
#define LICET_QUOTA_CELL_H

#include "layout.h"

/* Takes units of a kind; 'anyway' beyond what is granted too. Sets the wish when less than half of a step is left. */
bool lease_take(const licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t units, bool anyway);
void lease_give(const licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t units);
/* Counts a request without a slot. allowed: units of the outage's allowance, or UINT64_MAX; false when used up. */
bool unrecorded_add(const licet_gate *gate, uint32_t cell, uint64_t units, uint64_t charge, uint64_t allowed);

#endif
