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
#define QUARANTINE_AT 32                  /* nonsense in one area; it fades */
#define LOST_SEQUENCE (UINT64_C(1) << 47) /* receipts that cannot be read get sequences no worker gives */

static bool
stage_ids(licet_recorder *r, const licet_ids_chunk *chunk, licet_error *err)
{
    recorder_book *book = recorder_book_of(r, chunk->cell);
    const licet_image *image = book != NULL ? licet_store_image(r->store, chunk->cell) : NULL;
    licet_buffer *b = &r->scratch;
    uint8_t unit;

    if (image == NULL || chunk->kind >= image->header->kinds_len) {
        recorder_damage(r, COUNTS_DAMAGE_IDS, "a worker left ids that make no sense (cell %u, kind %u); dropped",
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
            recorder_damage(r, COUNTS_DAMAGE_IDS, "the ids of area %u make no sense from %llu on; dropped: %s", a,
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

/* What an honest worker never writes. */
static uint64_t
nonsense(const licet_recorder *r)
{
    const uint64_t *damages = r->counts.damages;

    return damages[COUNTS_DAMAGE_ENTRY] + damages[COUNTS_DAMAGE_UNITS] + damages[COUNTS_DAMAGE_IDS] +
           damages[COUNTS_DAMAGE_HEAD];
}

/* A worker that writes nonsense again and again is not read any more while it lives: its ring fills and it can admit
 * nothing. Once it is gone what is in its ring is read as that of every dead worker. */
static void
quarantine(licet_recorder *r, recorder_gate *gate, uint32_t a)
{
    recorder_area *area = &gate->areas[a];

    if (area->damages < QUARANTINE_AT || area->quarantined) {
        return;
    }
    area->quarantined = true;
    area->owner = licet_gate_owner(gate->gate, a);
    licet_gate_suspect(gate->gate, a);
    r->counts.quarantines++;
    if (recorder_say_seldom(r)) {
        recorder_say(r, LICET_LOG_ERROR,
                     "area %u: its worker (process %llu) writes nonsense; nothing of it is read until that process is "
                     "gone",
                     a, (unsigned long long)area->owner);
    }
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
is_quarantined(const recorder_gate *gate, uint32_t a)
{
    recorder_area *area = &gate->areas[a];

    if (area->quarantined && (licet_gate_kept(gate->gate, a) || licet_gate_owner(gate->gate, a) != area->owner)) {
        area->quarantined = false;
        area->damages = 0;
    }
    return area->quarantined;
}

/* Reads on from where the area is staged to; what cannot be read is stood for. */
static uint32_t
read_chunk(licet_recorder *r, const recorder_gate *gate, uint32_t a, uint64_t head, uint64_t now_ms)
{
    uint64_t position = gate->areas[a].ring_staged;
    licet_error local;
    uint32_t len = 0;

    for (; len < RECORDER_CHUNK && position < head; position++, len++) {
        if (!licet_gate_peek(gate->gate, a, position, &r->wides[len], &local)) {
            recorder_damage(r, COUNTS_DAMAGE_ENTRY, "area %u, ring position %llu: %s", a, (unsigned long long)position,
                            local.text);
            wide_lost(r, gate, a, position, now_ms, &r->wides[len]);
        }
    }
    return len;
}

static bool
drain_ring(licet_recorder *r, recorder_gate *gate, uint32_t a, uint64_t now_ms, uint64_t *out_work, licet_error *err)
{
    recorder_area *area = &gate->areas[a];
    uint64_t head = licet_gate_head(gate->gate, a), taken = 0;
    uint32_t len;

    note_fill(r, head - area->ring, gate->ring);
    note_fill(r, licet_gate_ids_head(gate->gate, a) - area->ids, gate->ring_ids);
    if (!drain_ids(r, gate, a, now_ms, err)) {
        return false;
    }
    while (area->ring_staged < head && taken < RECORDER_ROUND_MAX && r->batch.len < BATCH_ENOUGH) {
        len = read_chunk(r, gate, a, head, now_ms);
        if (!recorder_stage_peers(r, len, err)) {
            return false;
        }
        for (uint32_t i = 0; i < len; i++) {
            if (!recorder_stage_wide(r, &r->wides[i], err)) {
                return false;
            }
            area->ring_staged++;
            taken++;
            LICET_STEP(RECEIPT_STAGED);
        }
    }
    *out_work += taken;
    return true;
}

/* A head out of reach is left alone: an honest worker's next receipt puts it right, a dead one's area is put in order.
 */
static bool
drain_area(licet_recorder *r, recorder_gate *gate, uint32_t a, uint64_t now_ms, uint64_t *out_work, licet_error *err)
{
    recorder_area *area = &gate->areas[a];
    uint64_t before = nonsense(r);
    bool ok = true;

    if (is_quarantined(gate, a)) {
        return true;
    }
    if (!licet_gate_plausible(gate->gate, a)) {
        if (!area->out_of_reach) {
            recorder_damage(r, COUNTS_DAMAGE_HEAD, "area %u: the head of a ring is out of reach; %llu was drained last",
                            a, (unsigned long long)area->ring);
        }
        area->out_of_reach = true;
    } else {
        area->out_of_reach = false;
        ok = drain_ring(r, gate, a, now_ms, out_work, err);
    }
    area->damages += (uint32_t)(nonsense(r) - before);
    quarantine(r, gate, a);
    return ok;
}

static bool
drain_gate(licet_recorder *r, recorder_gate *gate, uint64_t now_ms, uint32_t *moved, uint64_t *out_work,
           licet_error *err)
{
    for (uint32_t a = 0; a < gate->areas_len; a++) {
        if (!drain_area(r, gate, a, now_ms, out_work, err)) {
            return false;
        }
        *moved += recorder_area_moved(&gate->areas[a]) ? 1 : 0;
        if (r->batch.len >= BATCH_ENOUGH || *moved == LICET_JOURNAL_POSITIONS_MAX) {
            if (!recorder_commit(r, now_ms, err)) {
                return false;
            }
            *moved = 0;
        }
    }
    return true;
}

bool
recorder_drain(licet_recorder *r, uint64_t now_ms, uint64_t *out_work, licet_error *err)
{
    uint32_t moved = 0; /* areas, in the batch under way */

    if (!drain_gate(r, r->gate, now_ms, &moved, out_work, err)) {
        return false;
    }
    for (size_t i = 0; i < r->old_len; i++) {
        if (!drain_gate(r, r->old[i], now_ms, &moved, out_work, err)) {
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
        behind = behind || (gate->areas[a].ring < gate->areas[a].sync_to && !gate->areas[a].quarantined);
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
    uint64_t work = 0, before = UINT64_MAX;

    /* A head that goes back while it is waited for brings no more work: then there is nothing to wait for. */
    for (bool more = behind(r, true); more && work != before; more = behind(r, false)) {
        before = work;
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

    r->counts.adopted_slots++;
    if (recorder_say_seldom(r)) {
        recorder_say(r, LICET_LOG_WARNING, "area %u: its worker died; sequence %llu kept as \"%s\"", area,
                     (unsigned long long)wide->identity.sequence, licet_ending_text((licet_ending)wide->ending));
    }
    return true;
}

static void
adopt_gate(licet_recorder *r, recorder_gate *gate, uint64_t now_ms)
{
    licet_gate_faults before = licet_gate_faults_seen(gate->gate), after;
    uint32_t freed = licet_gate_adopt(gate->gate, now_ms, on_adopted, r);

    after = licet_gate_faults_seen(gate->gate);
    r->counts.leaks += after.leaks - before.leaks;
    if (after.damaged != before.damaged) {
        r->counts.damages[COUNTS_DAMAGE_SLOT] += after.damaged - before.damaged;
        recorder_damage(r, COUNTS_DAMAGE_SLOT, "%llu slots or heads of dead workers made no sense",
                        (unsigned long long)(after.damaged - before.damaged));
        r->counts.damages[COUNTS_DAMAGE_SLOT]--;
    }
    r->counts.adopted_areas += freed;
    r->recount_due = r->recount_due || freed > 0;
}

/* Old nonsense is forgiven by halves. */
void
recorder_damages_fade(recorder_gate *gate)
{
    for (uint32_t a = 0; a < gate->areas_len; a++) {
        gate->areas[a].damages /= 2;
    }
}

void
recorder_mend(licet_recorder *r, recorder_gate *gate)
{
    licet_gate_mended mended = licet_gate_mend(gate->gate);

    if (mended.stamps > 0) {
        recorder_damage(r, COUNTS_DAMAGE_STAMP, "somebody wrote over the header of the shared memory; put right");
    }
    if (mended.tails > 0) {
        recorder_damage(r, COUNTS_DAMAGE_TAIL, "somebody wrote over %u tails of rings; put right", mended.tails);
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
