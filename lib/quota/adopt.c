/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adopt: what licetd does for a worker that died, at whatever instruction.
 *
 *  slot          found                     licetd
 *  FREE          –                         nothing was taken
 *  OPEN          receipt sane              receipt 'worker died' with the counts stored goes into the ring; charged
 * that OPEN          receipt makes no sense    damaged; freed, what it held leaks SETTLING(p)   head <= p the receipt
 * as its worker left it goes into the ring SETTLING(p)   head > p                  is published any           marked
 * marked - charged is given back, unmarked first any           intent                    one hold may be taken and not
 * marked, or unmarked and not given back: a leak
 *
 *  (1) licetd becomes the producer of the area: the same states, the same order, so that its own death in the middle
 *      is one more death of the same kind.
 *  (2) What it reads is hostile: copied, then checked; a mark can at most lower a counter to nothing.
 *  (3) SETTLING before OPEN: at most one slot is SETTLING at the head, and until it is done nothing else is published.
 *  (4) The area is given to nobody else before its rings are drained.
 */
#include "ring.h"
#include "worker.h"

#include <string.h>

typedef struct adoption {
    licet_gate *gate;
    uint32_t area;
    uint64_t now_ms;
    licet_on_adopted adopted;
    void *user;
} adoption;

typedef enum adopted_slot { ADOPTED, ADOPTED_STOP, ADOPTED_NO_ROOM } adopted_slot;

bool
licet_gate_plausible(const licet_gate *gate, uint32_t area)
{
    return area < gate->at.areas &&
           GATE_LOAD(&gate_area_at(gate, area)->head) - gate_tail(gate, area) <= gate->at.ring &&
           GATE_LOAD(&gate_area_at(gate, area)->ids_head) - gate_ids_tail(gate, area) <= gate->at.ring_ids;
}

/* An area without an owner that is in order is free. */
static bool
in_order(const licet_gate *gate, uint32_t area)
{
    return GATE_LOAD(&gate_area_at(gate, area)->owner) == 0 && licet_gate_plausible(gate, area) &&
           (gate->own == NULL || !gate->own->areas[area].suspect);
}

static void
tell_leak(const licet_gate *gate)
{
    __atomic_fetch_add(&gate->header->leaks, 1, __ATOMIC_SEQ_CST);
    if (gate->own != NULL) {
        gate->own->faults.leaks++;
    }
}

static void
tell_damage(const licet_gate *gate)
{
    __atomic_fetch_add(&gate->header->damaged, 1, __ATOMIC_SEQ_CST);
    if (gate->own != NULL) {
        gate->own->faults.damaged++;
    }
}

/* A head that passed its ring tells nothing: what lies there is given up, and told. */
static void
repair_heads(const licet_gate *gate, uint32_t index)
{
    gate_area *area = gate_area_at(gate, index);

    if (!licet_gate_plausible(gate, index)) {
        tell_damage(gate);
        GATE_STORE(&area->head, gate_tail(gate, index));
        GATE_STORE(&area->ids_head, gate_ids_tail(gate, index));
    }
}

static bool
published(const licet_gate *gate, uint64_t state, uint64_t head)
{
    uint64_t position = state >> SLOT_STATE_BITS;

    return (state & 0xff) == SLOT_SETTLING && position < head && head - position <= gate->at.ring;
}

static void
drop_slot(const licet_gate *gate, licet_slot *slot)
{
    tell_damage(gate);
    tell_leak(gate);
    __atomic_store_n(&slot->state, SLOT_FREE, __ATOMIC_SEQ_CST);
}

static adopted_slot
adopt_slot(const adoption *a, licet_slot *slot)
{
    gate_area *area = gate_area_at(a->gate, a->area);
    uint64_t state = GATE_LOAD(&slot->state), head = GATE_LOAD(&area->head);
    licet_wide wide;

    if (state == SLOT_FREE) {
        return ADOPTED;
    }
    if (published(a->gate, state, head)) {
        if (GATE_LOAD(&slot->intent) != 0) {
            tell_leak(a->gate);
        }
        slot_free(a->gate, slot);
        return ADOPTED;
    }
    memcpy(&wide, &slot->wide, sizeof(wide));
    if ((state != SLOT_OPEN && (state & 0xff) != SLOT_SETTLING) || !wide_check(a->gate, &wide, NULL)) {
        drop_slot(a->gate, slot);
        return ADOPTED;
    }
    if (head - gate_tail(a->gate, a->area) >= a->gate->at.ring) {
        return ADOPTED_NO_ROOM;
    }
    if (GATE_LOAD(&slot->intent) != 0) {
        tell_leak(a->gate);
    }
    if (state == SLOT_OPEN) {
        slot_end_as(slot, LICET_ENDING_WORKER_DIED, a->now_ms);
    }
    memcpy(&wide, &slot->wide, sizeof(wide));
    slot_publish(a->gate, a->area, slot, head);
    return a->adopted == NULL || a->adopted(a->user, a->area, &wide) ? ADOPTED : ADOPTED_STOP;
}

/* True when no slot is left; *out_go_on false when the callback wants no more. */
static bool
adopt_slots(const adoption *a, bool settling, bool *out_go_on)
{
    for (uint32_t i = 0; i < a->gate->at.slots; i++) {
        licet_slot *slot = gate_slot_at(a->gate, a->area, i);
        if (settling && (GATE_LOAD(&slot->state) & 0xff) != SLOT_SETTLING) {
            continue;
        }
        adopted_slot outcome = adopt_slot(a, slot);
        if (outcome != ADOPTED) {
            *out_go_on = outcome != ADOPTED_STOP;
            return false;
        }
    }
    return true;
}

/* The one that is SETTLING first: what is published for another would take its position, and it would seem to be
 * published already. */
static bool
adopt_area(const adoption *a, bool *out_go_on)
{
    repair_heads(a->gate, a->area); /* as below: a head out of reach would look like a full ring for ever */
    return adopt_slots(a, true, out_go_on) && adopt_slots(a, false, out_go_on);
}

/* Locks an area that needs adoption; false when there is nothing to do, or its worker lives. */
static bool
keep_area(licet_gate *gate, uint32_t index)
{
    if (gate->kept[index] != KEPT_NOT) {
        return true;
    }
    if (in_order(gate, index) || !gate_lock(gate, gate->fd, index)) {
        return false;
    }
    if (in_order(gate, index)) { /* it left in order meanwhile */
        gate_unlock(gate, gate->fd, index);
        return false;
    }
    LICET_STEP(ADOPT_LOCKED);
    repair_heads(gate, index);
    gate->kept[index] = KEPT_LOCKED;
    return true;
}

static bool
give_free(licet_gate *gate, uint32_t index)
{
    gate_area *area = gate_area_at(gate, index);

    repair_heads(gate, index); /* nobody but licetd has business here now, and yet somebody may write */
    if (GATE_LOAD(&area->head) != gate_tail(gate, index) || GATE_LOAD(&area->ids_head) != gate_ids_tail(gate, index)) {
        return false;
    }
    GATE_STORE(&area->tail, gate_tail(gate, index));
    GATE_STORE(&area->ids_tail, gate_ids_tail(gate, index));
    if (gate->own != NULL) {
        gate->own->areas[index].suspect = false;
    }
    LICET_STEP(ADOPT_DRAINED);
    __atomic_store_n(&area->owner, 0, __ATOMIC_SEQ_CST);
    LICET_STEP(ADOPT_FREED);
    gate->kept[index] = KEPT_NOT;
    gate_unlock(gate, gate->fd, index);
    return true;
}

uint32_t
licet_gate_adopt(licet_gate *gate, uint64_t now_ms, licet_on_adopted adopted, void *user)
{
    uint32_t freed = 0;
    bool go_on = true;

    for (uint32_t index = 0; index < gate->at.areas && go_on; index++) {
        adoption a = {.gate = gate, .area = index, .now_ms = now_ms, .adopted = adopted, .user = user};
        if (!keep_area(gate, index)) {
            continue;
        }
        if (gate->kept[index] == KEPT_LOCKED && adopt_area(&a, &go_on)) {
            gate->kept[index] = KEPT_DRAINING;
        }
        if (gate->kept[index] == KEPT_DRAINING && give_free(gate, index)) {
            freed++;
        }
    }
    return freed;
}

/* ---- looking over all areas ------------------------------------------------------ */

uint64_t
licet_gate_oldest_use(const licet_gate *gate)
{
    uint64_t oldest = UINT64_MAX;

    for (uint32_t index = 0; index < gate->at.areas; index++) {
        gate_area *area = gate_area_at(gate, index);
        bool undrained = GATE_LOAD(&area->head) != gate_tail(gate, index);
        if (__atomic_load_n(&area->owner, __ATOMIC_SEQ_CST) != 0 || undrained) {
            uint64_t uses = __atomic_load_n(&area->uses, __ATOMIC_SEQ_CST);
            oldest = uses < oldest ? uses : oldest;
        }
    }
    return oldest;
}

uint32_t
licet_gate_owned(const licet_gate *gate)
{
    uint32_t owned = 0;

    for (uint32_t index = 0; index < gate->at.areas; index++) {
        owned += __atomic_load_n(&gate_area_at(gate, index)->owner, __ATOMIC_SEQ_CST) != 0;
    }
    return owned;
}

uint32_t
licet_gate_under_way(const licet_gate *gate)
{
    uint32_t under_way = 0;

    for (uint32_t index = 0; index < gate->at.areas; index++) {
        if (__atomic_load_n(&gate_area_at(gate, index)->owner, __ATOMIC_SEQ_CST) == 0) {
            continue;
        }
        for (uint32_t slot = 0; slot < gate->at.slots; slot++) {
            under_way +=
                __atomic_load_n(&gate_slot_at(gate, index, slot)->state, __ATOMIC_SEQ_CST) != (uint64_t)SLOT_FREE;
        }
    }
    return under_way;
}

bool
licet_gate_busy(const licet_gate *gate)
{
    return licet_gate_under_way(gate) != 0;
}

uint64_t
licet_gate_opened(const licet_gate *gate)
{
    uint64_t opened = 0;

    for (uint32_t index = 0; index < gate->at.areas; index++) {
        opened += __atomic_load_n(&gate_area_at(gate, index)->opened, __ATOMIC_SEQ_CST);
    }
    return opened;
}
