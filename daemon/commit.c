/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commit: from the batch to the journal, then to the fold.
 *
 *  (1) The fold is fed after the journal's commit returned, in the order of the journal numbers.
 *  (2) The positions of the rings are part of the same commit record as the entries taken from them; tails move after.
 *  (3) A batch has a ceiling, in bytes and in areas that it moves; who stages asks for a commit before it is reached.
 */
#include "rooms.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

bool
recorder_stage(licet_recorder *r, licet_journal_kind kind, licet_bytes payload, uint64_t *out_number, licet_error *err)
{
    uint64_t number;
    size_t at = r->batch.len;

    if (r->staged_len == r->staged_capacity) {
        size_t capacity = r->staged_capacity == 0 ? 1024 : r->staged_capacity * 2;
        recorder_staged *grown = realloc(r->staged, capacity * sizeof(*grown));

        if (grown == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a batch of %zu entries", capacity);
        }
        r->staged = grown;
        r->staged_capacity = capacity;
    }
    if (!licet_put_bytes(&r->batch, payload)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "a batch of entries has grown beyond %zu bytes", RECORDER_BATCH_MAX);
    }
    if (!r->journal->ops->append(r->journal, kind, payload, &number, err)) {
        return false;
    }
    r->staged[r->staged_len++] = (recorder_staged){number, at, payload.len, kind};
    if (kind != LICET_JOURNAL_TICK) {
        r->dirty = true;
    }
    if (out_number != NULL) {
        *out_number = number;
    }
    return true;
}

bool
recorder_stage_entry(licet_recorder *r, recorder_book *book, licet_bytes entry, licet_error *err)
{
    uint8_t small[512];
    licet_buffer payload;
    bool ok;

    if (entry.len <= sizeof(small) - 4) { /* every receipt: no allocation */
        small[0] = (uint8_t)(book->cell >> 24);
        small[1] = (uint8_t)(book->cell >> 16);
        small[2] = (uint8_t)(book->cell >> 8);
        small[3] = (uint8_t)book->cell;
        memcpy(small + 4, entry.data, entry.len);
        return recorder_stage(r, LICET_JOURNAL_ENTRY, licet_bytes_of(small, entry.len + 4), NULL, err);
    }
    licet_buffer_init(&payload, LICET_ENTRY_MAX + 4);
    ok = licet_journal_put_entry(&payload, book->cell, entry)
             ? recorder_stage(r, LICET_JOURNAL_ENTRY, licet_buffer_view(&payload), NULL, err)
             : LICET_FAIL(err, LICET_E_LIMIT, 0, "an entry of %zu bytes: at most %d", entry.len, LICET_ENTRY_MAX);
    licet_buffer_done(&payload);
    return ok;
}

bool
recorder_stage_time(licet_recorder *r, licet_journal_kind kind, uint64_t time_ms, uint64_t *out_number,
                    licet_error *err)
{
    licet_buffer payload;
    bool ok;

    licet_buffer_init(&payload, 16);
    ok = licet_journal_put_time(&payload, time_ms)
             ? recorder_stage(r, kind, licet_buffer_view(&payload), out_number, err)
             : LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a time");
    licet_buffer_done(&payload);
    return ok;
}

/* Of the areas that the batch moved, or of the others. False when there is no room. */
static bool
put_positions(licet_recorder *r, const recorder_gate *gate, bool moved)
{
    for (uint32_t a = 0; a < gate->areas_len; a++) {
        const recorder_area *area = &gate->areas[a];

        if (recorder_area_moved(area) != moved || (area->ring_staged == 0 && area->ids_staged == 0)) {
            continue;
        }
        if (r->positions_len == LICET_JOURNAL_POSITIONS_MAX) {
            return false;
        }
        r->positions[r->positions_len++] =
            (licet_journal_position){gate->epoch, (uint16_t)a, area->ring_staged, area->ids_staged};
    }
    return true;
}

/* Without a gate those of the last commit stay as they are. What the batch moves must be told in its commit record; of
 * an area that it does not move the tail in shared memory tells the same, and is believed where a record is full. */
bool
recorder_positions_collect(licet_recorder *r, licet_error *err)
{
    bool all = true;

    if (r->gate == NULL) {
        return true;
    }
    r->positions_len = 0;
    all = put_positions(r, r->gate, true);
    for (size_t i = 0; i < r->old_len; i++) {
        all = put_positions(r, r->old[i], true) && all;
    }
    if (!all) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "a batch from more than %d areas of workers",
                          LICET_JOURNAL_POSITIONS_MAX);
    }
    put_positions(r, r->gate, false);
    for (size_t i = 0; i < r->old_len; i++) {
        put_positions(r, r->old[i], false);
    }
    return true;
}

/* Makes the tails of a gate follow what is durable now. */
static void
release(recorder_gate *gate)
{
    for (uint32_t a = 0; a < gate->areas_len; a++) {
        recorder_area *area = &gate->areas[a];

        if (area->ids_staged != area->ids) {
            area->ids = area->ids_staged;
            licet_gate_drained(gate->gate, a, area->ring, area->ids);
            LICET_STEP(IDS_RELEASED);
        }
        if (area->ring_staged != area->ring) {
            area->ring = area->ring_staged;
            licet_gate_drained(gate->gate, a, area->ring, area->ids);
            LICET_STEP(RING_RELEASED);
        }
    }
}

static uint64_t
monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool
recorder_commit(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    uint64_t began = monotonic_ns();

    LICET_STEP(COMMIT);
    if (!recorder_positions_collect(r, err)) {
        return false;
    }
    if (!r->journal->ops->commit(r->journal, r->positions, r->positions_len, now_ms, err)) {
        r->counts.commits_failed++;
        return false;
    }
    counts_settle(&r->counts, monotonic_ns() - began, r->staged_len, recorder_unit_name, r);
    LICET_STEP(COMMITTED);
    r->committed_ms = now_ms;
    if (r->gate != NULL) {
        release(r->gate);
        for (size_t i = 0; i < r->old_len; i++) {
            release(r->old[i]);
        }
    }
    for (size_t i = 0; i < r->staged_len; i++) {
        const recorder_staged *s = &r->staged[i];
        licet_journal_entry entry = {s->number, s->kind, {r->batch.data + s->at, s->len}};

        r->feeding = s->number;
        if (!licet_fold_feed(r->fold, &entry, err)) {
            return false;
        }
        LICET_STEP(FED);
    }
    r->staged_len = 0;
    r->batch.len = 0;
    return true;
}

bool
recorder_on_fold_ledger(void *user, uint32_t ledger, licet_bytes name, licet_bytes party, licet_error *err)
{
    licet_recorder *r = user;
    recorder_book *book = recorder_book_of(r, ledger);
    char path[PATH_MAX];

    (void)party;
    if (book == NULL || !licet_bytes_equal_text(name, book->name)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0,
                          "journal entry %llu begins ledger %u as \"%.*s\", data/cells has \"%s\"",
                          (unsigned long long)r->feeding, ledger, (int)name.len, (const char *)name.data,
                          book != NULL ? book->name : "no such cell");
    }
    return book->ledger != NULL || (recorder_path(r, path, err, "data/ledger/%s", book->name) &&
                                    licet_ledger_open(path, false, &book->ledger, err));
}

bool
recorder_on_fold_entry(void *user, uint32_t ledger, licet_bytes entry, licet_error *err)
{
    licet_recorder *r = user;
    recorder_book *book = recorder_book_of(r, ledger);

    if (book == NULL || book->ledger == NULL) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "journal entry %llu belongs to ledger %u, which never began",
                          (unsigned long long)r->feeding, ledger);
    }
    if (r->feeding <= book->folded) {
        return true;
    }
    book->touched = true;
    if (!licet_ledger_append(book->ledger, entry, err)) {
        return false;
    }
    if (r->recovering) {
        return recorder_learn(r, book, entry, err);
    }
    return entry.data[0] != LICET_ENTRY_DUPLICATES || recorder_credit(r, book, entry, err);
}
