/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cell: see cell.h. Workers write taken, the wish and what went unrecorded;
 * licetd writes what is granted, kept, allowed and told.
 */
#include "cell.h"

#include "worker.h"

#define WISH_ONE_MOST (UINT64_C(1) << 32) /* so that no sum of those that wait goes round */

static void
want(const licet_gate *gate, uint32_t cell)
{
    uint64_t *word = gate_wanted_at(gate, cell / 64), bit = UINT64_C(1) << cell % 64;

    if ((GATE_LOAD_RELAXED(word) & bit) == 0) {
        __atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST);
    }
}

/* Bounded by licetd, which reads it. Admissions that are short wait side by side and want the sum; a body asks again
 * and again for all that it is short of, so of these the most. */
static void
wish(gate_cell *c, uint64_t units, lease_mode mode)
{
    if (mode == LEASE_ADMIT) {
        __atomic_fetch_add(&c->wish, gate_least(units, WISH_ONE_MOST), __ATOMIC_RELAXED);
    } else if (GATE_LOAD_RELAXED(&c->wish) < units) {
        GATE_STORE_RELAXED(&c->wish, units);
    }
}

bool
lease_take(const licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t units, lease_mode mode)
{
    gate_cell *c = gate_cell_at(gate, cell);
    uint64_t granted = GATE_LOAD(&c->granted[kind]), taken = GATE_LOAD_RELAXED(&c->taken[kind]), next;
    uint64_t kept = gate_least(GATE_LOAD_RELAXED(&c->kept[kind]), granted);
    uint64_t most = mode == LEASE_ADMIT ? granted - kept : granted;

    do {
        if (mode != LEASE_ANYWAY && (taken > most || most - taken < units)) {
            wish(c, units, mode);
            want(gate, cell);
            return false;
        }
        if (__builtin_add_overflow(taken, units, &next)) {
            next = UINT64_MAX;
        }
    } while (!__atomic_compare_exchange_n(&c->taken[kind], &taken, next, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    if (next > granted || granted - next < kept + GATE_LOAD_RELAXED(&c->step[kind]) / 2) {
        want(gate, cell);
    }
    return true;
}

void
lease_give(const licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t units)
{
    uint64_t *word = &gate_cell_at(gate, cell)->taken[kind], taken = GATE_LOAD_RELAXED(word), next;

    do {
        next = units > taken ? 0 : taken - units;
    } while (!__atomic_compare_exchange_n(word, &taken, next, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
}

/* ---- without a slot -------------------------------------------------------------- */

static gate_unrecorded
unrecorded_pack(uint64_t requests, uint64_t units)
{
    return (gate_unrecorded)units << 64 | requests;
}

static gate_unrecorded
unrecorded_load(gate_cell *c)
{
    return __sync_val_compare_and_swap(&c->unrecorded, 0, 0);
}

/* One unit more than there may be is as bad as a thousand: both are below their bounds, or nothing is added. */
static bool
unrecorded_next(const gate_cell *c, gate_unrecorded now, uint64_t requests, uint64_t units, gate_unrecorded *out_next)
{
    uint64_t most_requests = GATE_LOAD(&c->allowed_requests), most_units = GATE_LOAD(&c->allowed_units);
    uint64_t next_requests, next_units;

    if (__builtin_add_overflow((uint64_t)now, requests, &next_requests) ||
        __builtin_add_overflow((uint64_t)(now >> 64), units, &next_units) || next_requests > most_requests ||
        next_units > most_units) {
        return false;
    }
    *out_next = unrecorded_pack(next_requests, next_units);
    return true;
}

static bool
outage_take(gate_cell *c, uint64_t charge, uint64_t most)
{
    uint64_t used = GATE_LOAD_RELAXED(&c->outage_used);

    do {
        if (used > most || most - used < charge) {
            return false;
        }
    } while (
        !__atomic_compare_exchange_n(&c->outage_used, &used, used + charge, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    LICET_STEP(OUTAGE_TAKEN);
    return true;
}

bool
unrecorded_add(const licet_gate *gate, uint32_t cell, uint64_t requests, uint64_t units, uint64_t charge, uint64_t most)
{
    gate_cell *c = gate_cell_at(gate, cell);
    gate_unrecorded seen = unrecorded_load(c), was, next;

    if (!unrecorded_next(c, seen, requests, units, &next) || (most != UINT64_MAX && !outage_take(c, charge, most))) {
        return false;
    }
    for (;; seen = was) {
        if (!unrecorded_next(c, seen, requests, units, &next)) {
            return false; /* what was taken of the outage's allowance is wasted: nothing is left to use it for */
        }
        was = __sync_val_compare_and_swap(&c->unrecorded, seen, next);
        if (was == seen) {
            LICET_STEP(UNRECORDED);
            return true;
        }
    }
}

uint32_t
licet_gate_cells(const licet_gate *gate)
{
    return gate->at.cells;
}

static bool
lease_exists(const licet_gate *gate, uint32_t cell, uint32_t kind)
{
    return cell < gate->at.cells && kind < LICET_KINDS_MAX;
}

licet_lease_value
licet_gate_lease(const licet_gate *gate, uint32_t cell, uint32_t kind)
{
    if (!lease_exists(gate, cell, kind)) {
        return (licet_lease_value){0};
    }
    const gate_cell *c = gate_cell_at(gate, cell);
    return (licet_lease_value){.granted = GATE_LOAD(&c->granted[kind]), .taken = GATE_LOAD(&c->taken[kind])};
}

void
licet_gate_lease_grant(licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t granted)
{
    if (!lease_exists(gate, cell, kind)) {
        return;
    }
    gate_cell *c = gate_cell_at(gate, cell);
    uint64_t before = GATE_LOAD_RELAXED(&c->granted[kind]);
    if (granted > before) {
        GATE_STORE_RELAXED(&c->step[kind], granted - before);
        GATE_STORE(&c->granted[kind], granted);
    }
}

void
licet_gate_lease_restore(licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t granted)
{
    if (lease_exists(gate, cell, kind)) {
        GATE_STORE(&gate_cell_at(gate, cell)->granted[kind], granted);
    }
}

bool
licet_gate_lease_swap(licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t taken_from, uint64_t taken_to)
{
    return lease_exists(gate, cell, kind) &&
           __atomic_compare_exchange_n(&gate_cell_at(gate, cell)->taken[kind], &taken_from, taken_to, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

uint32_t
licet_gate_lease_wanted(licet_gate *gate, uint32_t *out_cells, uint32_t cap)
{
    uint32_t found = 0;

    for (uint32_t word = 0; word < (gate->at.cells + 63) / 64 && found < cap; word++) {
        if (GATE_LOAD_RELAXED(gate_wanted_at(gate, word)) == 0) {
            continue;
        }
        uint64_t bits = __atomic_exchange_n(gate_wanted_at(gate, word), 0, __ATOMIC_SEQ_CST), left = bits;
        for (; left != 0 && found < cap; left &= left - 1) {
            uint32_t cell = word * 64 + (uint32_t)__builtin_ctzll(left);
            if (cell < gate->at.cells) {
                out_cells[found++] = cell;
            }
        }
        if (left != 0) { /* no room for these: they stay wanted */
            __atomic_fetch_or(gate_wanted_at(gate, word), left, __ATOMIC_SEQ_CST);
        }
    }
    return found;
}

bool
licet_gate_lease_is_wanted(const licet_gate *gate)
{
    for (uint32_t word = 0; word < (gate->at.cells + 63) / 64; word++) {
        if (GATE_LOAD_RELAXED(gate_wanted_at(gate, word)) != 0) {
            return true;
        }
    }
    return false;
}

void
licet_gate_lease_keep(licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t kept)
{
    if (lease_exists(gate, cell, kind)) {
        GATE_STORE_RELAXED(&gate_cell_at(gate, cell)->kept[kind], kept);
    }
}

uint64_t
licet_gate_lease_wish(licet_gate *gate, uint32_t cell)
{
    return cell < gate->at.cells ? __atomic_exchange_n(&gate_cell_at(gate, cell)->wish, 0, __ATOMIC_RELAXED) : 0;
}

void
licet_gate_allow(licet_gate *gate, uint32_t cell, uint64_t requests, uint64_t units)
{
    if (cell < gate->at.cells) {
        gate_cell *c = gate_cell_at(gate, cell);

        GATE_STORE(&c->allowed_units, units);
        GATE_STORE(&c->allowed_requests, requests);
    }
}

void
licet_gate_unrecorded_all(const licet_gate *gate, uint32_t cell, uint64_t *out_requests, uint64_t *out_units)
{
    gate_unrecorded all = cell < gate->at.cells ? unrecorded_load(gate_cell_at(gate, cell)) : 0;

    *out_requests = (uint64_t)all;
    *out_units = (uint64_t)(all >> 64);
}

/* Nothing new since licetd looked last: the outage is over, its allowance is whole again. */
static void
outage_end(gate_cell *c)
{
    uint64_t used = GATE_LOAD(&c->outage_used);

    if (used != 0 && used == c->outage_seen) {
        __atomic_compare_exchange_n(&c->outage_used, &used, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    }
    GATE_STORE_RELAXED(&c->outage_seen, used);
}

bool
licet_gate_unrecorded(const licet_gate *gate, uint32_t cell, uint64_t *out_requests, uint64_t *out_units)
{
    if (cell >= gate->at.cells) {
        return false;
    }
    gate_cell *c = gate_cell_at(gate, cell);
    gate_unrecorded all = unrecorded_load(c);
    uint64_t requests = (uint64_t)all - GATE_LOAD_RELAXED(&c->told_requests);
    uint64_t units = (uint64_t)(all >> 64) - GATE_LOAD_RELAXED(&c->told_units);

    if (requests == 0 && units == 0) {
        outage_end(c);
        return false;
    }
    *out_requests = requests;
    *out_units = units;
    return true;
}

void
licet_gate_unrecorded_release(licet_gate *gate, uint32_t cell, uint64_t requests, uint64_t units)
{
    if (cell < gate->at.cells) {
        gate_cell *c = gate_cell_at(gate, cell);

        GATE_STORE_RELAXED(&c->told_requests, GATE_LOAD_RELAXED(&c->told_requests) + requests);
        GATE_STORE_RELAXED(&c->told_units, GATE_LOAD_RELAXED(&c->told_units) + units);
    }
}

void
licet_gate_unrecorded_told(licet_gate *gate, uint32_t cell, uint64_t requests, uint64_t units)
{
    uint64_t all_requests, all_units, told;

    if (cell >= gate->at.cells) {
        return;
    }
    gate_cell *c = gate_cell_at(gate, cell);
    licet_gate_unrecorded_all(gate, cell, &all_requests, &all_units);
    told = GATE_LOAD_RELAXED(&c->told_requests);
    if (requests > told && requests <= all_requests) {
        GATE_STORE_RELAXED(&c->told_requests, requests);
    }
    told = GATE_LOAD_RELAXED(&c->told_units);
    if (units > told && units <= all_units) {
        GATE_STORE_RELAXED(&c->told_units, units);
    }
}

bool
licet_gate_unrecorded_take(licet_gate *gate, uint32_t cell, uint64_t *out_requests, uint64_t *out_units)
{
    uint64_t requests, units;

    if (!licet_gate_unrecorded(gate, cell, &requests, &units)) {
        return false;
    }
    licet_gate_unrecorded_release(gate, cell, requests, units);
    *out_requests = requests;
    *out_units = units;
    return true;
}

/* ---- refusals without a receipt ---------------------------------------------- */

void
licet_worker_refused(licet_worker *worker, const licet_image *image, licet_reason reason)
{
    uint32_t cell = image->header->cell;

    if (cell < worker->gate->at.cells && (unsigned)reason < LICET_REASONS_LEN) {
        __atomic_fetch_add(&gate_cell_at(worker->gate, cell)->refused[reason], 1, __ATOMIC_RELAXED);
    }
}

uint64_t
licet_gate_refused(const licet_gate *gate, uint32_t cell, licet_reason reason)
{
    return cell < gate->at.cells && (unsigned)reason < LICET_REASONS_LEN
               ? GATE_LOAD(&gate_cell_at(gate, cell)->refused[reason])
               : 0;
}

void
licet_gate_refused_release(licet_gate *gate, uint32_t cell, licet_reason reason, uint64_t count)
{
    if (cell < gate->at.cells && (unsigned)reason < LICET_REASONS_LEN && count > 0) {
        __atomic_fetch_sub(&gate_cell_at(gate, cell)->refused[reason], count, __ATOMIC_SEQ_CST);
    }
}
