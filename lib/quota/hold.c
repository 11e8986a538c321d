/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hold: see hold.h. The swaps are full barriers, so what another process sees
 * after a death is a prefix of these steps.
 */
#include "hold.h"

#include "counter.h"

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

/* The counter has gone on to another window: what was taken before is out of reach, and the mark begins anew. */
static void
move_window(slot_limit *limit, uint32_t window)
{
    GATE_STORE(&limit->past, limit->past + limit->held);
    LICET_STEP(WINDOW_PAST);
    GATE_STORE(&limit->held, 0);
    LICET_STEP(WINDOW_BEGUN);
    GATE_STORE(&limit->window, window);
    LICET_STEP(WINDOW_MOVED);
}

bool
hold_limit(const licet_gate *gate, licet_slot *slot, uint32_t i, uint64_t units, bool anyway, hold_refusal *out_refusal)
{
    slot_limit *limit = &slot->limits[i];
    counter_want want = {.window = limit->window, .units = units, .most = limit->most, .anyway = anyway};

    if (limit->counter >= gate->at.counters) {
        return true;
    }
    intend(slot, SLOT_INTENT_LIMIT + i);
    counter_result result = counter_take(gate_counter_at(gate, limit->counter), want);
    LICET_STEP(LIMIT_TAKEN);
    if (result.over) {
        *out_refusal = (hold_refusal){.limit = i, .value = result.value, .over = result.taken};
    }
    if (result.taken) {
        if (result.value.window != limit->window) {
            move_window(limit, result.value.window);
        }
        GATE_STORE(&limit->held, limit->held + units);
    }
    intent_done(slot);
    return result.taken;
}

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

void
hold_undo_limit(const licet_gate *gate, licet_slot *slot, uint32_t i, uint64_t units)
{
    slot_limit *limit = &slot->limits[i];

    if (limit->counter >= gate->at.counters) {
        return;
    }
    intend(slot, SLOT_INTENT_LIMIT + i);
    GATE_STORE(&limit->held, limit->held - units);
    LICET_STEP(UNDONE);
    counter_give(gate_counter_at(gate, limit->counter), limit->window, units, units);
    intent_done(slot);
}

hold_outcome
hold_more(const licet_gate *gate, licet_slot *slot, uint32_t kind, uint64_t units, bool limits_anyway, lease_mode mode,
          hold_refusal *out_refusal)
{
    hold_outcome outcome = HOLD_TAKEN;
    uint32_t i = 0;

    for (; i < limits_of(slot) && outcome == HOLD_TAKEN; i++) {
        if (slot->limits[i].kind == kind && !hold_limit(gate, slot, i, units, limits_anyway, out_refusal)) {
            outcome = HOLD_LIMIT;
            break;
        }
    }
    if (outcome == HOLD_TAKEN && !hold_lease(gate, slot, kind, units, mode)) {
        outcome = HOLD_LEASE;
    }
    while (outcome != HOLD_TAKEN && i-- > 0) {
        if (slot->limits[i].kind == kind) {
            hold_undo_limit(gate, slot, i, units);
        }
    }
    return outcome;
}

static void
release_limit(const licet_gate *gate, licet_slot *slot, uint32_t i)
{
    slot_limit *limit = &slot->limits[i];
    uint64_t held = GATE_LOAD(&limit->held), past = GATE_LOAD(&limit->past), all;
    uint32_t counter = GATE_LOAD(&limit->counter), kind = GATE_LOAD(&limit->kind), window = GATE_LOAD(&limit->window);

    if (held == 0 || counter >= gate->at.counters || kind >= LICET_KINDS_MAX) {
        return;
    }
    if (__builtin_add_overflow(held, past, &all)) {
        all = UINT64_MAX;
    }
    uint64_t unused = all - gate_least(all, GATE_LOAD(&slot->charged[kind]));
    intend(slot, SLOT_INTENT_LIMIT + i);
    GATE_STORE(&limit->held, 0);
    LICET_STEP(LIMIT_UNMARKED);
    counter_give(gate_counter_at(gate, counter), window, gate_least(held, unused), held);
    intent_done(slot);
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
