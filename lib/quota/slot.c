/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slot: one response under way, from OPEN to FREE.
 *
 *                 worker: admit                worker: settle             worker
 *       FREE ───────────────────► OPEN ─────────────────────► SETTLING(p) ──────► FREE
 *            fill, then store      │   receipt final,          │  head = p + 1,
 *                                  │   entry p written         │  give back
 *                                  │                           │
 *       the worker dies:           ▼                           ▼
 *                       licetd: receipt             head <= p: licetd publishes the receipt as it is
 *                       'worker died', then         head >  p: it is published already
 *                       as the worker does          and then gives back what is still marked, FREE
 *
 *  (1) Only the holder of the area's lock changes a slot: its worker, or licetd once the worker is gone.
 *  (2) FREE: nothing is marked. OPEN: what is marked may come back. SETTLING(p): the receipt and what it is charged are
 *      final, and are the entry at ring position p.
 *  (3) Publishing comes before giving back: units are charged by the counter until the receipt can be seen.
 */
#include "hold.h"
#include "ring.h"
#include "worker.h"

#include <string.h>

#define DURATION_MOST (UINT64_C(24) * 3600 * 1000) /* of a response that no live worker ended */

static uint64_t
greatest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

licet_identity
licet_slot_identity(const licet_slot *slot)
{
    return slot->wide.identity;
}

uint64_t
licet_slot_reserved(const licet_slot *slot, uint32_t kind)
{
    return kind < LICET_KINDS_MAX ? slot->wide.reserved[kind] : 0;
}

/* ---- while it is open ------------------------------------------------------ */

static bool
raise_to(licet_worker *worker, licet_slot *slot, uint32_t kind, uint64_t to, bool limits_anyway, lease_mode mode)
{
    hold_refusal refusal = {0};

    if (kind >= LICET_KINDS_MAX) {
        return false;
    }
    to = gate_least(to, GATE_UNITS_END - 1);
    uint64_t now = slot->wide.reserved[kind];
    if (to <= now) {
        return true;
    }
    if (hold_more(worker->gate, slot, kind, to - now, limits_anyway, mode, &refusal) != HOLD_TAKEN) {
        return false;
    }
    GATE_STORE(&slot->wide.reserved[kind], to);
    LICET_STEP(TOPPED_UP);
    return true;
}

bool
licet_slot_top_up(licet_worker *worker, licet_slot *slot, uint32_t kind, uint64_t to)
{
    return raise_to(worker, slot, kind, to, (slot->flags & SLOT_OBSERVE) != 0, LEASE_UNDER_WAY);
}

bool
licet_slot_overrun(licet_worker *worker, licet_slot *slot, uint32_t kind, uint64_t to)
{
    return raise_to(worker, slot, kind, to, true, LEASE_UNDER_WAY);
}

bool
licet_slot_lease_short(const licet_worker *worker, const licet_slot *slot, uint32_t kind, uint64_t to)
{
    licet_lease_value lease = licet_gate_lease(worker->gate, slot->wide.cell, kind);
    uint64_t now = licet_slot_reserved(slot, kind),
             left = lease.granted > lease.taken ? lease.granted - lease.taken : 0;

    return kind != LICET_KIND_BYTE && to > now && left < to - now;
}

bool
licet_slot_unrecorded(licet_worker *worker, licet_slot *slot, const licet_image *image, uint32_t kind, uint64_t to)
{
    uint64_t now = licet_slot_reserved(slot, kind);

    if (kind >= LICET_KINDS_MAX || slot->wide.version >= image->header->versions_len ||
        slot->wide.cell >= worker->gate->at.cells) {
        return false;
    }
    const licet_image_version *version = &image->versions[slot->wide.version];
    bool allow = version->cannot_record == LICET_CANNOT_RECORD_ALLOW;
    uint64_t more = gate_least(to, GATE_UNITS_END - 1) - gate_least(to, now);
    if (version->cannot_record == LICET_CANNOT_RECORD_REFUSE ||
        !unrecorded_add(worker->gate, slot->wide.cell, 0, more, version->allow_kind == LICET_KIND_REQUEST ? 0 : more,
                        allow ? version->allow_units : UINT64_MAX)) {
        return false;
    }
    return raise_to(worker, slot, kind, to, true, LEASE_ANYWAY);
}

void
licet_slot_count(licet_slot *slot, uint32_t kind, uint64_t units)
{
    if (kind < LICET_KINDS_MAX) {
        GATE_STORE(&slot->wide.units[kind], gate_least(units, GATE_UNITS_END - 1));
        LICET_STEP(COUNTED);
    }
}

void
licet_slot_progress(licet_slot *slot, uint16_t status, uint64_t bytes)
{
    GATE_STORE(&slot->wide.status, status < 1024 ? status : 0);
    GATE_STORE(&slot->wide.bytes, gate_least(bytes, GATE_UNITS_END - 1));
    LICET_STEP(PROGRESSED);
}

/* A death in between leaves the flag off: no id, never half of one. */
void
licet_slot_peer(licet_slot *slot, const uint8_t peer[16])
{
    GATE_STORE(&slot->wide.has_peer, 0);
    if (peer != NULL) {
        memcpy(slot->wide.peer, peer, sizeof(slot->wide.peer));
        GATE_STORE(&slot->wide.has_peer, 1);
    }
}

bool
licet_slot_ids(licet_worker *worker, licet_slot *slot, uint32_t kind, uint32_t count, licet_bytes ids)
{
    const licet_gate *gate = worker->gate;
    uint32_t *left = &worker->ids_left[slot - worker->slots];
    uint64_t size = ids_chunk_size(ids.len), reserved = gate_least(size, *left);

    if (count == 0) {
        return true;
    }
    if (kind >= LICET_KINDS_MAX || ids.len > gate->at.ring_ids || !worker_ids_room(worker, size - reserved)) {
        return false;
    }
    gate_chunk chunk = {.size = (uint32_t)size,
                        .ids_len = (uint32_t)ids.len,
                        .cell = slot->wide.cell,
                        .kind = (uint16_t)kind,
                        .gate = slot->wide.identity.gate,
                        .count = count,
                        .epoch = slot->wide.identity.epoch,
                        .sequence = slot->wide.identity.sequence};
    ids_write(gate, worker->index, worker->ids_head, &chunk, ids);
    worker->ids_head += size;
    worker->ids_reserved -= reserved;
    *left -= (uint32_t)reserved;
    LICET_STEP(IDS_WRITTEN);
    GATE_STORE(&worker->area->ids_head, worker->ids_head);
    LICET_STEP(IDS_PUBLISHED);
    return true;
}

/* ---- its end ---------------------------------------------------------------- */

/* What stays taken: the units, and of an unmetered response the reservation where that is larger. */
static void
charge(licet_slot *slot)
{
    bool all = slot->wide.unmetered != LICET_UNMETERED_NONE && slot->wide.verdict != LICET_VERDICT_REFUSE;

    for (uint32_t kind = 0; kind < LICET_KINDS_MAX; kind++) {
        uint64_t units = slot->wide.units[kind];
        GATE_STORE(&slot->charged[kind], all ? greatest(units, slot->wide.reserved[kind]) : units);
    }
}

/* By two readings of the wall clock, which may have been set in between: what cannot be is told as unknown. */
static uint32_t
duration(uint64_t from_ms, uint64_t to_ms)
{
    return to_ms > from_ms && to_ms - from_ms <= DURATION_MOST ? (uint32_t)(to_ms - from_ms) : 0;
}

void
slot_end_as(licet_slot *slot, licet_ending ending, uint64_t now_ms)
{
    licet_wide *wide = &slot->wide;
    uint64_t handed_on = wide->status | wide->bytes;

    for (uint32_t kind = 0; kind < LICET_KINDS_MAX; kind++) {
        handed_on |= wide->units[kind];
    }
    if (handed_on != 0 && wide->verdict != LICET_VERDICT_REFUSE && wide->units[LICET_KIND_REQUEST] == 0) {
        GATE_STORE(&wide->units[LICET_KIND_REQUEST], 1);
    }
    wide->ending = (uint8_t)ending;
    wide->duration_ms = duration(wide->time_ms, now_ms);
    wide->bytes_acked = UINT64_MAX;
    charge(slot);
}

void
slot_publish(const licet_gate *gate, uint32_t area, licet_slot *slot, uint64_t head)
{
    LICET_STEP(RECEIPT_FINAL);
    ring_write(gate, area, head, &slot->wide);
    LICET_STEP(ENTRY_WRITTEN);
    __atomic_store_n(&slot->state, SLOT_SETTLING | head << SLOT_STATE_BITS, __ATOMIC_SEQ_CST);
    LICET_STEP(SETTLING);
    __atomic_store_n(&gate_area_at(gate, area)->head, head + 1, __ATOMIC_SEQ_CST);
    LICET_STEP(PUBLISHED);
    slot_free(gate, slot);
}

void
slot_free(const licet_gate *gate, licet_slot *slot)
{
    hold_release(gate, slot);
    LICET_STEP(HOLDS_GONE);
    __atomic_store_n(&slot->state, SLOT_FREE, __ATOMIC_SEQ_CST);
    LICET_STEP(SLOT_FREE);
}

static void
finish(licet_worker *worker, licet_slot *slot)
{
    uint32_t index = (uint32_t)(slot - worker->slots);

    slot_publish(worker->gate, worker->index, slot, worker->head);
    worker->head++;
    worker->ids_reserved -= worker->ids_left[index];
    worker->ids_left[index] = 0;
    worker_slot_back(worker, slot);
}

void
licet_slot_settle(licet_worker *worker, licet_slot *slot, const licet_settlement *settlement)
{
    licet_wide *wide = &slot->wide;

    for (uint32_t kind = 0; kind < LICET_KINDS_MAX; kind++) {
        uint64_t units = gate_least(settlement->units[kind], GATE_UNITS_END - 1);
        (void)raise_to(worker, slot, kind, units, true,
                       LEASE_ANYWAY); /* no more than was reserved, or so it should be */
        GATE_STORE(&wide->units[kind], units);
        LICET_STEP(UNITS_FINAL);
        wide->ids[kind] = gate_least(settlement->ids[kind], GATE_UNITS_END - 1);
    }
    wide->status = settlement->status < 1024 ? settlement->status : 0;
    wide->ending = (uint8_t)settlement->ending;
    wide->unmetered = (uint8_t)settlement->unmetered;
    wide->verdict = (uint8_t)settlement->verdict;
    wide->reason = (uint8_t)settlement->reason;
    wide->duration_ms = settlement->duration_ms;
    wide->bytes = gate_least(settlement->bytes, GATE_UNITS_END - 1);
    wide->bytes_acked =
        settlement->bytes_acked == UINT64_MAX ? UINT64_MAX : gate_least(settlement->bytes_acked, GATE_UNITS_END - 1);
    charge(slot);
    finish(worker, slot);
}

void
slot_stop(licet_worker *worker, licet_slot *slot, uint64_t now_ms)
{
    slot_end_as(slot, LICET_ENDING_GATE_STOPPED, now_ms);
    finish(worker, slot);
}
