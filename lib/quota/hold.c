/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hold: see hold.h. The swaps are full barriers, so what another process sees
 * after a death is a prefix of these steps.
 */
#include "hold.h"

#include "rolling.h"

static uint32_t
limits_of(const licet_slot *slot)
{
    return (uint32_t)gate_least(GATE_LOAD(&slot->limits_len), LICET_LIMITS_PER_REQUEST_MAX);
}

static void
intend(licet_slot *slot, uint32_t what)
{
    LICET_STEP(INTEND);
    GATE_STORE(&slot->intent, what);
    LICET_STEP(INTENDED);
}

static void
intent_done(licet_slot *slot)
{
    LICET_STEP(HOLD_DONE);
    GATE_STORE(&slot->intent, 0);
    LICET_STEP(INTENT_GONE);
}

/* ---- limits -------------------------------------------------------------------- */

uint64_t
hold_weigh(uint64_t units, uint64_t weight)
{
    uint64_t product;

    return __builtin_mul_overflow(units, weight, &product) ? GATE_TAKEN_END - 1
                                                           : gate_least(product, GATE_TAKEN_END - 1);
}

/* First row of the limit's counters, NULL: it has none here; and how many, 0: it is no rolling one. */
static gate_counter *
rows_of(const licet_gate *gate, const slot_limit *limit, uint32_t *out_buckets)
{
    uint32_t counter = GATE_LOAD(&limit->counter), buckets = GATE_LOAD(&limit->buckets);

    *out_buckets = buckets;
    if (counter >= gate->at.counters || buckets > LICET_BUCKETS_MAX || buckets > gate->at.counters - counter) {
        return NULL;
    }
    return gate_counter_at(gate, counter);
}

static counter_result
limit_take(gate_counter *rows, uint32_t buckets, counter_want want)
{
    return buckets == 0 ? counter_take(rows, want) : rolling_take(rows, buckets, want);
}

static void
limit_give(gate_counter *rows, uint32_t buckets, uint32_t window, uint64_t units, uint64_t held)
{
    counter_give(buckets == 0 ? rows : &rows[window % buckets], window, units, held);
}

/* Each mark is taken away before it is put elsewhere: a death leaks it. */
static void
move_window(gate_counter *rows, uint32_t buckets, slot_limit *limit, uint32_t window)
{
    uint64_t prior = limit->prior, held = limit->held;

    GATE_STORE(&limit->prior, 0);
    GATE_STORE(&limit->past, limit->past + prior);
    if (prior > 0) {
        limit_give(rows, buckets, limit->prior_window, 0, prior);
    }
    LICET_STEP(WINDOW_PAST);
    GATE_STORE(&limit->held, 0);
    GATE_STORE(&limit->prior_window, limit->window);
    LICET_STEP(WINDOW_BEGUN);
    GATE_STORE(&limit->prior, held);
    GATE_STORE(&limit->window, window);
    LICET_STEP(WINDOW_MOVED);
}

static void
object(hold_refusal *refusal, uint32_t i, const counter_result *result)
{
    if (result->over && !(refusal->over && result->taken)) {
        *refusal = (hold_refusal){.limit = i, .value = result->value, .over = result->taken};
    }
}

bool
hold_limit(const licet_gate *gate, licet_slot *slot, uint32_t i, uint64_t units, bool anyway, hold_refusal *out_refusal)
{
    slot_limit *limit = &slot->limits[i];
    counter_want want = {.window = limit->window,
                         .units = gate_least(units, GATE_TAKEN_END - 1),
                         .most = limit->most,
                         .anyway = anyway || (limit->flags & LIMIT_OBSERVE) != 0};
    uint32_t buckets;
    gate_counter *rows = rows_of(gate, limit, &buckets);

    if (rows == NULL) {
        return true;
    }
    intend(slot, SLOT_INTENT_LIMIT + i);
    counter_result result = limit_take(rows, buckets, want);
    LICET_STEP(LIMIT_TAKEN);
    object(out_refusal, i, &result);
    if (result.taken) {
        if (result.value.window != limit->window) {
            move_window(rows, buckets, limit, result.value.window);
        }
        GATE_STORE(&limit->held, limit->held + want.units);
    }
    intent_done(slot);
    return result.taken;
}

void
hold_undo_limit(const licet_gate *gate, licet_slot *slot, uint32_t i, uint64_t units)
{
    slot_limit *limit = &slot->limits[i];
    uint32_t buckets;
    gate_counter *rows = rows_of(gate, limit, &buckets);

    if (rows == NULL) {
        return;
    }
    units = gate_least(units, limit->held);
    intend(slot, SLOT_INTENT_LIMIT + i);
    GATE_STORE(&limit->held, limit->held - units);
    LICET_STEP(UNDONE);
    limit_give(rows, buckets, limit->window, units, units);
    intent_done(slot);
}

/* ---- leases --------------------------------------------------------------------- */

bool
hold_lease(const licet_gate *gate, licet_slot *slot, uint32_t kind, uint64_t units, lease_mode mode)
{
    uint32_t cell = GATE_LOAD(&slot->wide.cell);

    if (cell >= gate->at.cells) {
        return false;
    }
    if (kind == LICET_KIND_BYTE) { /* not lent: there are always some */
        return true;
    }
    intend(slot, SLOT_INTENT_LEASE + kind);
    bool taken = lease_take(gate, cell, kind, units, mode);
    LICET_STEP(LEASE_TAKEN);
    if (taken) {
        GATE_STORE(&slot->leased[kind], slot->leased[kind] + units);
    }
    intent_done(slot);
    return taken;
}

/* ---- both ------------------------------------------------------------------------ */

hold_outcome
hold_more(const licet_gate *gate, licet_slot *slot, uint32_t kind, uint64_t units, bool limits_anyway, lease_mode mode,
          hold_refusal *out_refusal)
{
    hold_outcome outcome = HOLD_TAKEN;
    uint32_t i = 0;

    for (; i < limits_of(slot) && outcome == HOLD_TAKEN; i++) {
        const slot_limit *limit = &slot->limits[i];
        if (limit->kind == kind &&
            !hold_limit(gate, slot, i, hold_weigh(units, limit->weight), limits_anyway, out_refusal)) {
            outcome = HOLD_LIMIT;
            break;
        }
    }
    if (outcome == HOLD_TAKEN && !hold_lease(gate, slot, kind, units, mode)) {
        outcome = HOLD_LEASE;
    }
    while (outcome != HOLD_TAKEN && i-- > 0) {
        if (slot->limits[i].kind == kind) {
            hold_undo_limit(gate, slot, i, hold_weigh(units, slot->limits[i].weight));
        }
    }
    return outcome;
}

typedef struct released {
    gate_counter *rows;
    uint32_t buckets, limit;
    uint64_t unused; /* of all marks together, not given back yet */
} released;

/* Of what is marked for a window unused units come back, and none is held any more. */
static void
release_mark(licet_slot *slot, released *of, uint64_t *mark, uint32_t window)
{
    uint64_t held = GATE_LOAD(mark), units = gate_least(held, of->unused);

    if (held == 0) {
        return;
    }
    of->unused -= units;
    intend(slot, SLOT_INTENT_LIMIT + of->limit);
    GATE_STORE(mark, 0);
    LICET_STEP(LIMIT_UNMARKED);
    limit_give(of->rows, of->buckets, window, units, held);
    intent_done(slot);
}

static uint64_t
sum_of(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* What was reserved last comes back first. */
static void
release_limit(const licet_gate *gate, licet_slot *slot, uint32_t i)
{
    slot_limit *limit = &slot->limits[i];
    released of = {.limit = i};
    uint32_t kind = GATE_LOAD(&limit->kind);
    uint64_t all = sum_of(sum_of(GATE_LOAD(&limit->held), GATE_LOAD(&limit->prior)), GATE_LOAD(&limit->past)), cost;

    of.rows = rows_of(gate, limit, &of.buckets);
    if (of.rows == NULL || kind >= LICET_KINDS_MAX) {
        return;
    }
    cost = (GATE_LOAD(&limit->flags) & LIMIT_CONCURRENT) != 0
               ? 0
               : hold_weigh(GATE_LOAD(&slot->charged[kind]), GATE_LOAD(&limit->weight));
    of.unused = all - gate_least(all, cost);
    release_mark(slot, &of, &limit->held, GATE_LOAD(&limit->window));
    release_mark(slot, &of, &limit->prior, GATE_LOAD(&limit->prior_window));
}

static void
release_lease(const licet_gate *gate, licet_slot *slot, uint32_t cell, uint32_t kind)
{
    uint64_t leased = GATE_LOAD(&slot->leased[kind]);

    if (leased == 0) {
        return;
    }
    uint64_t unused = leased - gate_least(leased, GATE_LOAD(&slot->charged[kind]));
    intend(slot, SLOT_INTENT_LEASE + kind);
    GATE_STORE(&slot->leased[kind], 0);
    LICET_STEP(LEASE_UNMARKED);
    if (unused > 0) {
        lease_give(gate, cell, kind, unused);
    }
    intent_done(slot);
}

void
hold_release(const licet_gate *gate, licet_slot *slot)
{
    uint32_t cell = GATE_LOAD(&slot->wide.cell);

    for (uint32_t i = limits_of(slot); i-- > 0;) {
        release_limit(gate, slot, i);
    }
    for (uint32_t kind = LICET_KINDS_MAX; kind-- > 0 && cell < gate->at.cells;) {
        release_lease(gate, slot, cell, kind);
    }
}
