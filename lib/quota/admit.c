/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admit: from a verdict to an OPEN slot with everything reserved, or to the
 * reason why not.
 *
 *  (1) Room in both rings and the slot come first, then OPEN, then units: whatever was taken has a slot that says so.
 *  (2) All limits and all leases, or none.
 *  (3) Nothing of the image or the verdict leads out of bounds: what the file has no row for cannot be recorded.
 */
#include "hold.h"
#include "ring.h"
#include "rolling.h"
#include "worker.h"

#include <string.h>

#define IDS_PER_CHUNK 256u /* bytes of ids that a chunk is taken to bring at least, when room is reserved */

static bool
fits(const licet_gate *gate, const licet_image *image, const licet_verdict *verdict)
{
    if (image->header->cell >= gate->at.cells || verdict->limits_len > LICET_LIMITS_PER_REQUEST_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < verdict->limits_len; i++) {
        const licet_verdict_limit *limit = &verdict->limits[i];
        if (limit->counter >= gate->at.counters || limit->kind >= LICET_KINDS_MAX ||
            limit->limit >= image->header->limits_len ||
            licet_image_counter_rows(&image->limits[limit->limit]) > gate->at.counters - limit->counter) {
            return false;
        }
    }
    for (uint32_t kind = 0; kind < LICET_KINDS_MAX; kind++) {
        if (verdict->reserve[kind] >= GATE_UNITS_END) {
            return false;
        }
    }
    return true;
}

static uint64_t
ids_need(uint32_t ids_room)
{
    uint64_t chunks = (ids_room + IDS_PER_CHUNK - 1) / IDS_PER_CHUNK;

    return ((uint64_t)ids_room + 7) / 8 * 8 + chunks * sizeof(gate_chunk);
}

static bool
next_sequence(licet_worker *worker, uint64_t *out_sequence)
{
    if (worker->sequence == worker->sequence_end) {
        uint64_t first = __atomic_fetch_add(&worker->gate->header->sequence, GATE_SEQUENCE_BLOCK, __ATOMIC_SEQ_CST);
        if (first > GATE_SEQUENCE_END - GATE_SEQUENCE_BLOCK) {
            return false;
        }
        worker->sequence = first;
        worker->sequence_end = first + GATE_SEQUENCE_BLOCK;
    }
    *out_sequence = worker->sequence++;
    return true;
}

/* ---- filling ------------------------------------------------------------------ */

static bool
observed(const licet_image *image, const licet_verdict *verdict)
{
    return verdict->version < image->header->versions_len &&
           image->versions[verdict->version].mode == LICET_MODE_OBSERVE;
}

/* A name longer than may be is not in effect: a part of it could be somebody else's. */
static uint8_t
put_name(uint8_t out[LICET_NAME_MAX], licet_bytes name)
{
    if (name.len == 0 || name.len > LICET_NAME_MAX) {
        return 0;
    }
    memcpy(out, name.data, name.len);
    return (uint8_t)name.len;
}

static void
fill_wide(const licet_gate *gate, licet_wide *wide, const licet_image *image, const licet_facts *facts,
          const licet_verdict *verdict, uint64_t sequence, uint64_t now_ms)
{
    memset(wide, 0, sizeof(*wide));
    wide->identity.gate = gate->gate;
    wide->identity.epoch = gate->epoch;
    wide->identity.sequence = sequence;
    wide->time_ms = now_ms;
    wide->image = image->header->number;
    wide->cell = image->header->cell;
    wide->version = verdict->version;
    wide->app = facts->app;
    wide->credential = facts->credential;
    wide->use_case = verdict->use_case;
    wide->endpoint = verdict->endpoint;
    wide->clause = verdict->clause;
    wide->registered = verdict->registered;
    wide->verdict = (uint8_t)verdict->verdict;
    wide->reason = (uint8_t)verdict->reason;
    wide->flow = (uint8_t)facts->flow;
    wide->purpose_len = put_name(wide->purpose, verdict->purpose);
    wide->recipient_len = put_name(wide->recipient, verdict->recipient);
    wide->bytes_acked = UINT64_MAX;
}

static void
fill_holds(licet_slot *slot, const licet_image *image, const licet_verdict *verdict)
{
    bool refused = verdict->verdict == LICET_VERDICT_REFUSE;

    slot->intent = 0;
    slot->flags = observed(image, verdict) ? SLOT_OBSERVE : 0;
    slot->limits_len = refused ? 0 : verdict->limits_len;
    memset(slot->leased, 0, sizeof(slot->leased));
    memset(slot->charged, 0, sizeof(slot->charged));
    for (uint32_t i = 0; i < slot->limits_len; i++) {
        const licet_verdict_limit *limit = &verdict->limits[i];
        const licet_image_limit *row = &image->limits[limit->limit];
        slot->limits[i] = (slot_limit){.counter = limit->counter,
                                       .kind = limit->kind,
                                       .window = limit->window,
                                       .buckets = licet_image_buckets(row),
                                       .flags = (limit->observe ? LIMIT_OBSERVE : 0) |
                                                (row->per == LICET_PER_CONCURRENT ? LIMIT_CONCURRENT : 0),
                                       .most = limit->most,
                                       .weight = limit->weight};
    }
}

/* ---- taking -------------------------------------------------------------------- */

/* When there is room for amount again, by the clock alone. */
static uint64_t
room_ms(const licet_gate *gate, const licet_image *image, const licet_verdict_limit *bound, licet_counter_value value)
{
    const licet_image_limit *limit = &image->limits[bound->limit];
    uint32_t buckets = licet_image_buckets(limit), window = value.window;
    uint64_t wanted = bound->amount > bound->most ? bound->most : bound->amount;

    if (buckets > 0 && value.taken + wanted > bound->most) {
        window =
            rolling_returns(gate_counter_at(gate, bound->counter), buckets, window, value.taken + wanted - bound->most);
        window += window < value.window ? buckets - 1 : 0; /* the last whose sum has that bucket in it */
    }
    return licet_window_end_ms(image, limit, window);
}

static void
say_shortage(const licet_gate *gate, const licet_image *image, const licet_verdict *verdict,
             const hold_refusal *refusal, licet_shortage *out_shortage)
{
    const licet_verdict_limit *bound = &verdict->limits[refusal->limit];
    licet_counter_value value = refusal->value;

    *out_shortage = (licet_shortage){.limit = refusal->limit,
                                     .remaining = bound->most > value.taken ? bound->most - value.taken : 0,
                                     .held = value.held,
                                     .reset_ms = room_ms(gate, image, bound, value)};
}

static licet_admission
take_all(const licet_gate *gate, licet_slot *slot, const licet_verdict *verdict, hold_refusal *refusal)
{
    bool observe = (slot->flags & SLOT_OBSERVE) != 0;

    for (uint32_t i = 0; i < slot->limits_len; i++) {
        uint64_t amount = verdict->limits[i].amount;
        if (amount > 0 && !hold_limit(gate, slot, i, amount, observe, refusal)) {
            return LICET_NO_UNITS;
        }
    }
    for (uint32_t kind = 0; kind < LICET_KINDS_MAX; kind++) {
        uint64_t amount = verdict->reserve[kind];
        if (amount == 0) {
            continue;
        }
        if (!hold_lease(gate, slot, kind, amount, LEASE_ADMIT)) {
            return LICET_LEASE_EMPTY;
        }
        GATE_STORE(&slot->wide.reserved[kind], amount);
        LICET_STEP(RESERVED);
    }
    return LICET_ADMITTED;
}

static licet_slot *
open_slot(licet_worker *worker, const licet_image *image, const licet_facts *facts, const licet_verdict *verdict,
          uint64_t ids_bytes, uint64_t now_ms)
{
    uint64_t sequence;

    if (!fits(worker->gate, image, verdict) || worker->free_len == 0 || !worker_entry_room(worker) ||
        !worker_ids_room(worker, ids_bytes) || !next_sequence(worker, &sequence)) {
        return NULL;
    }
    licet_slot *slot = &worker->slots[worker->free_slots[--worker->free_len]];
    worker->open++;
    LICET_STEP(SLOT_CHOSEN);
    fill_wide(worker->gate, &slot->wide, image, facts, verdict, sequence, now_ms);
    fill_holds(slot, image, verdict);
    LICET_STEP(SLOT_FILLED);
    __atomic_store_n(&slot->state, SLOT_OPEN, __ATOMIC_SEQ_CST);
    LICET_STEP(SLOT_OPEN);
    GATE_STORE(&worker->area->opened, ++worker->opened);
    LICET_STEP(OPENED);
    return slot;
}

licet_admission
licet_worker_admit(licet_worker *worker, const licet_image *image, const licet_facts *facts,
                   const licet_verdict *verdict, uint32_t ids_room, uint64_t now_ms, licet_slot **out_slot,
                   licet_shortage *out_shortage, bool *out_would_refuse)
{
    hold_refusal refusal = {0};
    licet_admission admission = LICET_ADMITTED;
    uint64_t ids_bytes = ids_need(ids_room);
    licet_slot *slot;

    if (licet_gate_is_shut(worker->gate)) {
        return LICET_LEASE_EMPTY;
    }
    slot = open_slot(worker, image, facts, verdict, ids_bytes, now_ms);
    if (slot == NULL) {
        return LICET_CANNOT_RECORD;
    }
    if (verdict->verdict != LICET_VERDICT_REFUSE) {
        admission = take_all(worker->gate, slot, verdict, &refusal);
    }
    if (admission != LICET_ADMITTED) {
        if (admission == LICET_NO_UNITS && out_shortage != NULL) {
            say_shortage(worker->gate, image, verdict, &refusal, out_shortage);
        }
        slot_free(worker->gate, slot); /* it is charged nothing: all comes back */
        worker_slot_back(worker, slot);
        return admission;
    }
    if (refusal.over) {
        if (slot->wide.verdict == LICET_VERDICT_ALLOW) { /* else it would have been refused for another reason before */
            slot->wide.clause = image->limits[verdict->limits[refusal.limit].limit].clause;
        }
        slot->wide.verdict = LICET_VERDICT_OBSERVE;
        if (out_shortage != NULL) {
            say_shortage(worker->gate, image, verdict, &refusal, out_shortage);
        }
    }
    if (out_would_refuse != NULL) {
        *out_would_refuse = refusal.over;
    }
    worker->ids_reserved += ids_bytes;
    worker->ids_left[slot - worker->slots] = (uint32_t)ids_bytes;
    *out_slot = slot;
    return LICET_ADMITTED;
}

uint64_t
licet_slot_remaining(licet_worker *worker, const licet_slot *slot, const licet_image *image,
                     const licet_verdict *verdict, uint32_t i)
{
    if (i >= verdict->limits_len || i >= slot->limits_len || verdict->limits[i].limit >= image->header->limits_len) {
        return 0;
    }
    const licet_verdict_limit *bound = &verdict->limits[i];
    uint64_t taken = licet_gate_used(worker->gate, &image->limits[bound->limit], bound->counter, bound->window).taken,
             most = slot->limits[i].most;
    return most > taken ? most - taken : 0;
}

bool
licet_worker_unrecorded(licet_worker *worker, const licet_image *image, const licet_verdict *verdict,
                        uint64_t most_units)
{
    uint32_t cell = image->header->cell;

    if (cell >= worker->gate->at.cells || verdict->version >= image->header->versions_len) {
        return false;
    }
    const licet_image_version *version = &image->versions[verdict->version];
    if (version->cannot_record == LICET_CANNOT_RECORD_REFUSE) {
        return false;
    }
    bool allow = version->cannot_record == LICET_CANNOT_RECORD_ALLOW;
    uint64_t charge = version->allow_kind == LICET_KIND_REQUEST ? 1 : most_units;
    return unrecorded_add(worker->gate, cell, 1, most_units, charge, allow ? version->allow_units : UINT64_MAX);
}
