/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drain: from the rings of the workers to the journal, and the slots of dead
 * workers.
 *
 *  (1) The head of the receipt ring is read before that of the id ring: a response's ids are written first, so the
 *      batch that holds a receipt holds its ids.
 *  (2) Where to go on is what the last commit record says; the ring's own tail is only a hint that may lag behind it.
 *  (3) The receipts of a dead worker come through its ring like any other (licet_gate_adopt).
 */
#include "rooms.h"

#include <string.h>

#define BATCH_ENOUGH (RECORDER_BATCH_MAX / 4)
#define LOST_SEQUENCE (UINT64_C(1) << 47) /* receipts that cannot be read get sequences no worker gives */

static bool
stage_ids(licet_recorder *r, const licet_ids_chunk *chunk, licet_error *err)
{
    recorder_book *book = recorder_book_of(r, chunk->cell);
    const licet_image *image = book != NULL ? licet_store_image(r->store, chunk->cell) : NULL;
    licet_buffer *b = &r->scratch;
    uint8_t unit;

    if (image == NULL || chunk->kind >= image->header->kinds_len) {
        r->broken++;
        recorder_say(r, LICET_LOG_ERROR, "a worker left ids that make no sense (cell %u, kind %u); dropped",
                     chunk->cell, chunk->kind);
        return true;
    }
    if (!recorder_unit(r, book, licet_image_text(image, image->header->kinds[chunk->kind]), &unit, err)) {
        return false;
    }
    b->len = 0;
    if (!licet_journal_put_ids(b, book->cell, chunk->identity, unit, chunk->count, chunk->ids)) {
        b->failed = false;
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "a chunk of ids has %zu bytes", chunk->ids.len);
    }
    return recorder_stage(r, LICET_JOURNAL_IDS, licet_buffer_view(b), NULL, err);
}

static bool
drain_ids(licet_recorder *r, recorder_gate *gate, uint32_t a, uint64_t now_ms, licet_error *err)
{
    uint64_t head = licet_gate_ids_head(gate->gate, a), next;
    recorder_area *area = &gate->areas[a];
    licet_ids_chunk chunk;
    licet_error local;

    while (area->ids_staged < head) {
        r->scratch_ids.len = 0;
        if (!licet_gate_ids_peek(gate->gate, a, area->ids_staged, &r->scratch_ids, &chunk, &next, &local)) {
            r->broken++;
            recorder_say(r, LICET_LOG_ERROR, "the ids of area %u make no sense from %llu on; dropped: %s", a,
                         (unsigned long long)area->ids_staged, local.text);
            area->ids_staged = head;
            return true;
        }
        if (!stage_ids(r, &chunk, err)) {
            return false;
        }
        area->ids_staged = next;
        LICET_STEP(IDS_STAGED);
        if (r->batch.len >= BATCH_ENOUGH && !recorder_commit(r, now_ms, err)) { /* a ring may hold more than a batch */
            return false;
        }
    }
    return true;
}

/* Stands for an entry that cannot be read: its identity is made up, everything else unknown. */
static void
wide_lost(const licet_recorder *r, const recorder_gate *gate, uint32_t a, uint64_t position, uint64_t now_ms,
          licet_wide *out)
{
    memset(out, 0, sizeof(*out));
    out->identity.gate = r->config.gate;
    out->identity.epoch = gate->epoch;
    out->identity.sequence = LOST_SEQUENCE | (uint64_t)a << 32 | (position & UINT32_MAX);
    out->time_ms = now_ms;
    out->ending = LICET_ENDING_WORKER_DIED;
    out->bytes_acked = UINT64_MAX;
}

/* A head that is further from what was drained than the ring is long: one receipt stands for whatever was there, and
 * the ring goes on at its head. */
static bool
skip_to(licet_recorder *r, recorder_gate *gate, uint32_t a, uint64_t head, uint64_t now_ms, licet_error *err)
{
    recorder_area *area = &gate->areas[a];
    uint64_t position = area->ring_staged;
    licet_wide wide;

    recorder_say(r, LICET_LOG_ERROR, "area %u: its ring has its head at %llu, %llu was drained last; skipped", a,
                 (unsigned long long)head, (unsigned long long)position);
    area->ring_staged = head;
    wide_lost(r, gate, a, position, now_ms, &wide);
    return recorder_stage_wide(r, &wide, err);
}

/* Notes how much of a ring is waiting. */
static void
note_fill(licet_recorder *r, uint64_t waiting, uint32_t room)
{
    uint32_t fill = waiting < room ? (uint32_t)(waiting * RECORDER_FULL / room) : RECORDER_FULL;

    if (fill > r->fill) {
        r->fill = fill;
    }
}

static bool
drain_area(licet_recorder *r, recorder_gate *gate, uint32_t a, uint64_t now_ms, uint64_t *out_work, licet_error *err)
{
    recorder_area *area = &gate->areas[a];
    uint64_t head = licet_gate_head(gate->gate, a), taken = 0;
    licet_error local;
    licet_wide wide;

    note_fill(r, head - area->ring, gate->ring);
    note_fill(r, licet_gate_ids_head(gate->gate, a) - area->ids, gate->ring_ids);
    if (!drain_ids(r, gate, a, now_ms, err)) {
        return false;
    }
    if (head - area->ring_staged > gate->ring) {
        return skip_to(r, gate, a, head, now_ms, err);
    }
    while (area->ring_staged < head && taken < RECORDER_ROUND_MAX && r->batch.len < BATCH_ENOUGH) {
        if (!licet_gate_peek(gate->gate, a, area->ring_staged, &wide, &local)) {
            recorder_say(r, LICET_LOG_ERROR, "area %u, ring position %llu: %s", a,
                         (unsigned long long)area->ring_staged, local.text);
            wide_lost(r, gate, a, area->ring_staged, now_ms, &wide);
        }
        if (!recorder_stage_wide(r, &wide, err)) {
            return false;
        }
        area->ring_staged++;
        taken++;
        LICET_STEP(RECEIPT_STAGED);
    }
    *out_work += taken;
    return true;
}

static bool
drain_gate(licet_recorder *r, recorder_gate *gate, uint64_t now_ms, uint64_t *out_work, licet_error *err)
{
    for (uint32_t a = 0; a < gate->areas_len; a++) {
        if (!drain_area(r, gate, a, now_ms, out_work, err)) {
            return false;
        }
        if (r->batch.len >= BATCH_ENOUGH && !recorder_commit(r, now_ms, err)) {
            return false;
        }
    }
    return true;
}

bool
recorder_drain(licet_recorder *r, uint64_t now_ms, uint64_t *out_work, licet_error *err)
{
    r->fill = 0;
    if (!drain_gate(r, r->gate, now_ms, out_work, err)) {
        return false;
    }
    for (size_t i = 0; i < r->old_len; i++) {
        if (!drain_gate(r, r->old[i], now_ms, out_work, err)) {
            return false;
        }
    }
    return r->staged_len == 0 || recorder_commit(r, now_ms, err);
}

/* Notes the heads as they are (mark), or tells whether any is still ahead of what is journalled. */
static bool
gate_behind(recorder_gate *gate, bool mark)
{
    bool behind = false;

    for (uint32_t a = 0; a < gate->areas_len; a++) {
        if (mark) {
            gate->areas[a].sync_to = licet_gate_head(gate->gate, a);
        }
        behind = behind || gate->areas[a].ring < gate->areas[a].sync_to;
    }
    return behind;
}

static bool
behind(licet_recorder *r, bool mark)
{
    bool any = gate_behind(r->gate, mark);

    for (size_t i = 0; i < r->old_len; i++) {
        any = gate_behind(r->old[i], mark) || any;
    }
    return any;
}

bool
recorder_drain_all(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    uint64_t work = 0;

    for (bool more = behind(r, true); more; more = behind(r, false)) {
        if (!recorder_drain(r, now_ms, &work, err)) {
            return false;
        }
    }
    return true;
}

/* ---- dead workers --------------------------------------------------------------- */

static bool
on_adopted(void *user, uint32_t area, const licet_wide *wide)
{
    licet_recorder *r = user;

    recorder_say(r, LICET_LOG_WARNING, "area %u: its worker died; sequence %llu kept as \"%s\"", area,
                 (unsigned long long)wide->identity.sequence, licet_ending_text((licet_ending)wide->ending));
    return true;
}

static void
adopt_gate(licet_recorder *r, recorder_gate *gate, uint64_t now_ms)
{
    if (licet_gate_adopt(gate->gate, now_ms, on_adopted, r) > 0) {
        r->recount_due = true;
    }
}

void
recorder_adopt(licet_recorder *r, uint64_t now_ms)
{
    adopt_gate(r, r->gate, now_ms);
    for (size_t i = 0; i < r->old_len; i++) {
        adopt_gate(r, r->old[i], now_ms);
    }
}
