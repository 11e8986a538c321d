/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gaps: what cannot be known, said with its bound; and what was refused
 * without a receipt, counted: callers nobody knows, and known ones of whom
 * nothing could be recorded.
 *
 *  (1) After a power loss a gap hides at most granted - recorded of the old epoch, per unit kind: nothing was handed
 *      out that was not granted durably before.
 *  (2) A gap of an epoch is written once per ledger, however often the start is interrupted.
 *  (3) No count from shared memory goes into a ledger that a table could not hold: an entry stays for ever.
 *  (4) What went up without a slot is written down from counters that were raised before it went up; after a power loss
 *      a second record states what was durable ahead for it and is not told.
 *  (5) It is told once: what is told already can be read from the ledger.
 */
#include "rooms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT_MOST ((UINT64_C(1) << 56) - 1) /* of one record; no counter holds more */

static uint64_t
within(uint64_t count)
{
    return count < COUNT_MOST ? count : COUNT_MOST;
}

static bool
stage_gap(licet_recorder *r, recorder_book *book, const licet_gap *gap, licet_error *err)
{
    licet_buffer entry;
    bool ok;

    licet_buffer_init(&entry, 1024);
    ok = licet_gap_encode(gap, &entry, err) && recorder_stage_entry(r, book, licet_buffer_view(&entry), err);
    licet_buffer_done(&entry);
    return ok;
}

/* Keeps units in rising order of kind. */
static void
gap_add(licet_gap *gap, uint8_t kind, uint64_t count)
{
    size_t i;

    if (count == 0 || gap->units_len >= LICET_KINDS_MAX) {
        return;
    }
    for (i = 0; i < gap->units_len; i++) {
        if (gap->units[i].kind == kind) { /* two that found no number of their own */
            gap->units[i].count = within(gap->units[i].count + within(count));
            return;
        }
    }
    for (i = gap->units_len; i > 0 && gap->units[i - 1].kind > kind; i--) {
        gap->units[i] = gap->units[i - 1];
    }
    gap->units[i] = (licet_receipt_unit){kind, within(count)};
    gap->units_len++;
}

/* A bound of every unit that the agreement counts; without any the requests alone are told. */
static bool
gap_all_units(licet_recorder *r, recorder_book *book, uint64_t units, licet_gap *gap, licet_error *err)
{
    const licet_image *image = licet_store_image(r->store, book->cell);
    uint8_t unit;

    for (uint32_t kind = LICET_KIND_BYTE + 1; image != NULL && units > 0 && kind < image->header->kinds_len; kind++) {
        if (!recorder_unit(r, book, licet_image_text(image, image->header->kinds[kind]), &unit, err)) {
            return false;
        }
        gap_add(gap, unit, units);
    }
    return true;
}

/* ---- when power was lost -------------------------------------------------------- */

/* A command that records alone after a power loss, before licetd starts again, ticks; the gap begins before it. So the
 * time of the last tick of the epoch that did not end is kept in data/lost until licetd has dealt with it. */
bool
recorder_lost_keep(licet_recorder *r, licet_error *err)
{
    char path[PATH_MAX], text[32];
    int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)r->last_tick);

    if (!recorder_path(r, path, err, "data/lost")) {
        return false;
    }
    return r->lease_epoch == 0 || r->lease_ended || access(path, F_OK) == 0 ||
           licet_file_replace(path, licet_bytes_of(text, (size_t)len), 0640, err);
}

static uint64_t
lost_since(licet_recorder *r)
{
    uint64_t since = r->last_tick, kept;
    char path[PATH_MAX];
    uint8_t *text = NULL;
    size_t len;

    if (recorder_path(r, path, NULL, "data/lost") && licet_file_read(path, 32, &text, &len, NULL)) {
        if (licet_parse_u64(licet_bytes_of(text, len), &kept) && kept < since) {
            since = kept;
        }
    }
    free(text);
    return since;
}

bool
recorder_lost_done(licet_recorder *r, licet_error *err)
{
    char path[PATH_MAX];

    return recorder_path(r, path, err, "data/lost") &&
           (unlink(path) == 0 || errno == ENOENT ||
            LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot remove: %s", path, strerror(errno)));
}

/* ---- power loss ------------------------------------------------------------- */

typedef struct losing {
    licet_recorder *r;
    licet_gap *gaps, *outages; /* by cell */
    licet_error *err;
    bool failed;
} losing;

static uint64_t
beyond(uint64_t granted, uint64_t recorded)
{
    return granted > recorded ? granted - recorded : 0;
}

static bool
on_grant(void *user, const licet_lease_grant *grant)
{
    losing *l = user;
    recorder_book *book = recorder_book_of(l->r, grant->cell);
    licet_bytes name = licet_bytes_of_text(grant->kind);
    uint64_t bound;
    uint8_t unit;

    if (book == NULL || book->ledger == NULL || book->gap_known || licet_bytes_equal_text(name, "byte")) {
        return true;
    }
    if (licet_bytes_equal_text(name, RECORDER_ALLOW_REQUESTS)) {
        l->outages[grant->cell].requests = beyond(grant->granted, book->told_requests);
        return true;
    }
    if (licet_bytes_equal_text(name, RECORDER_ALLOW_UNITS)) {
        l->failed =
            !gap_all_units(l->r, book, beyond(grant->granted, book->told_units), &l->outages[grant->cell], l->err);
        return !l->failed;
    }
    unit = recorder_unit_known(book, name);
    bound = beyond(grant->granted, unit != 0 ? book->recorded[unit] : 0);
    if (licet_bytes_equal_text(name, "request")) {
        l->gaps[grant->cell].requests = within(bound);
        return true;
    }
    if (bound > 0 && !recorder_unit(l->r, book, name, &unit, l->err)) {
        l->failed = true;
        return false;
    }
    gap_add(&l->gaps[grant->cell], unit, bound);
    return true;
}

/* Stages a gap of the epoch that power ended. */
static bool
power_gap(licet_recorder *r, recorder_book *book, licet_gap *gap, licet_gap_cause cause, uint64_t now_ms,
          licet_error *err)
{
    uint64_t since = lost_since(r);

    gap->cause = cause;
    gap->gate = r->config.gate;
    gap->epoch = r->lease_epoch;
    gap->from_ms = since < now_ms ? since : now_ms;
    gap->to_ms = now_ms;
    recorder_gap_learn(book, gap);
    recorder_charge_gap(r, book, gap);
    return stage_gap(r, book, gap, err);
}

static bool
power_gap_one(licet_recorder *r, recorder_book *book, licet_gap *gap, licet_gap *outage, uint64_t now_ms,
              licet_error *err)
{
    bool perhaps = outage->requests > 0 || outage->units_len > 0;

    if (gap->requests == 0 && gap->units_len == 0 && !perhaps) {
        return true;
    }
    recorder_say(r, LICET_LOG_WARNING,
                 "%s: power was lost in epoch %u; at most %llu requests are unknown, they lie in a gap record",
                 book->name, r->lease_epoch, (unsigned long long)gap->requests);
    if (perhaps) {
        recorder_say(
            r, LICET_LOG_WARNING,
            "%s: at most %llu more may have gone up without a slot (cannot_record) before it; another gap record",
            book->name, (unsigned long long)outage->requests);
    }
    return (!perhaps || power_gap(r, book, outage, LICET_GAP_OUTAGE, now_ms, err)) &&
           power_gap(r, book, gap, LICET_GAP_POWER_LOSS, now_ms, err);
}

bool
recorder_gap_power(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    losing l = {.r = r, .err = err};
    uint32_t epoch;
    bool ended, ok;

    l.gaps = calloc((size_t)r->books_len * 2, sizeof(*l.gaps));
    if (l.gaps == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for gap records");
    }
    l.outages = l.gaps + r->books_len;
    ok = r->lease_store->ops->each(r->lease_store, &epoch, &ended, on_grant, &l, err) && !l.failed;
    for (uint32_t i = 0; ok && i < r->books_len; i++) {
        ok = power_gap_one(r, r->books[i], &l.gaps[i], &l.outages[i], now_ms, err);
    }
    ok = ok && recorder_commit(r, now_ms, err);
    for (uint32_t i = 0; ok && i < 2 * r->books_len; i++) { /* outages lie behind the gaps */
        if (l.gaps[i].cause != 0) {
            counts_gap(&r->counts, i % r->books_len, &l.gaps[i], recorder_unit_name, r);
        }
    }
    free(l.gaps);
    return ok;
}

void
recorder_gap_learn(recorder_book *book, const licet_gap *gap)
{
    uint64_t units = 0;

    if (gap->cause == LICET_GAP_POWER_LOSS) {
        book->gap_known = true;
        return;
    }
    for (size_t i = 0; i < gap->units_len; i++) {
        units = gap->units[i].count > units ? gap->units[i].count : units;
    }
    book->told_requests += gap->requests;
    book->told_units += units;
}

/* What it was interrupted before: the file's workers are told, the counters charged. */
static void
told_one(licet_recorder *r, recorder_book *book, uint64_t now_ms)
{
    licet_gap gap = {.cause = LICET_GAP_WITHOUT_SLOT, .from_ms = now_ms, .to_ms = now_ms};
    uint64_t requests = 0, units = 0, requests_left = 0, units_left = 0;

    if (!licet_gate_unrecorded(r->gate->gate, book->cell, &requests, &units)) {
        return;
    }
    licet_gate_unrecorded_told(r->gate->gate, book->cell, book->told_requests, book->told_units);
    (void)licet_gate_unrecorded(r->gate->gate, book->cell, &requests_left, &units_left);
    gap.requests = within(beyond(requests, requests_left));
    if (gap_all_units(r, book, within(beyond(units, units_left)), &gap, NULL) &&
        (gap.requests > 0 || gap.units_len > 0)) {
        recorder_charge_gap(r, book, &gap);
    }
}

void
recorder_gap_told(licet_recorder *r, uint64_t now_ms)
{
    for (uint32_t i = 1; r->gate->epoch == r->lease_epoch && i < r->books_len; i++) {
        told_one(r, r->books[i], now_ms);
    }
}

/* ---- without a slot ------------------------------------------------------------ */

/* Reads, makes the record durable, charges, releases what was read: a death in between is made up for by what the
 * ledger says is told. */
static bool
unrecorded_one(licet_recorder *r, recorder_gate *gate, recorder_book *book, uint64_t now_ms, licet_error *err)
{
    licet_gap gap = {.cause = LICET_GAP_WITHOUT_SLOT, .gate = r->config.gate, .epoch = gate->epoch};
    uint64_t units = 0, requests = 0;

    if (book->cell >= licet_gate_cells(gate->gate) ||
        !licet_gate_unrecorded(gate->gate, book->cell, &requests, &units)) {
        return true;
    }
    gap.requests = within(requests);
    gap.from_ms = r->last_tick != 0 && r->last_tick < now_ms ? r->last_tick : now_ms;
    gap.to_ms = now_ms;
    recorder_say(r, LICET_LOG_WARNING, "%s: %llu requests went up without a slot, at most %llu units; gap record",
                 book->name, (unsigned long long)requests, (unsigned long long)units);
    if (!gap_all_units(r, book, within(units), &gap, err) || !stage_gap(r, book, &gap, err) ||
        !recorder_commit(r, now_ms, err)) {
        return false;
    }
    LICET_STEP(GAP_DURABLE);
    if (gate->epoch == r->lease_epoch) {
        recorder_gap_learn(book, &gap);
    }
    counts_gap(&r->counts, book->cell, &gap, recorder_unit_name, r);
    recorder_charge_gap(r, book, &gap);
    LICET_STEP(GAP_CHARGED);
    licet_gate_unrecorded_release(gate->gate, book->cell, requests, units);
    LICET_STEP(GAP_RELEASED);
    return true;
}

bool
recorder_gap_unrecorded_of(licet_recorder *r, recorder_gate *gate, uint64_t now_ms, licet_error *err)
{
    for (uint32_t i = 1; i < r->books_len; i++) {
        if (r->books[i]->ledger != NULL && !unrecorded_one(r, gate, r->books[i], now_ms, err)) {
            return false;
        }
    }
    return true;
}

bool
recorder_gap_unrecorded(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    for (size_t k = 0; k < r->old_len; k++) {
        if (!recorder_gap_unrecorded_of(r, r->old[k], now_ms, err)) {
            return false;
        }
    }
    return recorder_gap_unrecorded_of(r, r->gate, now_ms, err);
}

/* ---- unidentified ---------------------------------------------------------------- */

static bool
stage_unidentified(licet_recorder *r, uint32_t minute, uint8_t reason, uint64_t count, licet_error *err)
{
    licet_unidentified record = {minute, reason, count};
    licet_buffer entry;
    bool ok;

    licet_buffer_init(&entry, 64);
    ok = licet_unidentified_encode(&record, &entry, err) &&
         recorder_stage_entry(r, r->books[0], licet_buffer_view(&entry), err);
    licet_buffer_done(&entry);
    return ok;
}

/* Reads, makes the records durable, releases what was read: a death in between counts them twice, never not at all. */
static bool
unidentified_of(licet_recorder *r, licet_gate *gate, uint32_t minute, uint64_t now_ms, licet_error *err)
{
    uint64_t counts[LICET_REASONS_LEN] = {0};
    bool any = false;

    /* Nobody is refused for no reason: what is counted there makes no sense, and no record could hold it. */
    for (unsigned reason = LICET_REASON_NONE + 1; reason < LICET_REASONS_LEN; reason++) {
        counts[reason] = licet_gate_unidentified(gate, (licet_reason)reason);
        if (counts[reason] > 0) {
            any = true;
            if (!stage_unidentified(r, minute, (uint8_t)reason, within(counts[reason]), err)) {
                return false;
            }
        }
    }
    if (any && !recorder_commit(r, now_ms, err)) {
        return false;
    }
    for (unsigned reason = LICET_REASON_NONE + 1; reason < LICET_REASONS_LEN; reason++) {
        counts_add(&r->counts.unidentified[reason], within(counts[reason]));
        licet_gate_unidentified_release(gate, (licet_reason)reason, counts[reason]);
    }
    return true;
}

/* ---- refusals without a receipt ------------------------------------------------------ */

static bool
stage_refused(licet_recorder *r, recorder_book *book, const licet_refused *record, licet_error *err)
{
    licet_buffer entry;
    bool ok;

    licet_buffer_init(&entry, 64);
    ok = licet_refused_encode(record, &entry, err) && recorder_stage_entry(r, book, licet_buffer_view(&entry), err);
    licet_buffer_done(&entry);
    return ok;
}

/* As unidentified callers: read, made durable, released. */
static bool
refused_of(licet_recorder *r, licet_gate *gate, recorder_book *book, uint64_t now_ms, licet_error *err)
{
    uint64_t since = r->refused_ms != 0 ? r->refused_ms : r->last_tick, counts[LICET_REASONS_LEN] = {0};
    licet_refused record = {.from_ms = since < now_ms ? since : now_ms, .to_ms = now_ms};
    bool any = false;

    for (unsigned reason = LICET_REASON_NONE + 1; reason < LICET_REASONS_LEN; reason++) {
        counts[reason] = licet_gate_refused(gate, book->cell, (licet_reason)reason);
        if (counts[reason] > 0) {
            any = true;
            record.reason = (uint8_t)reason;
            record.count = within(counts[reason]);
            recorder_say(r, LICET_LOG_WARNING, "%s: %llu refusals (%s) could not be recorded one by one", book->name,
                         (unsigned long long)record.count, licet_reason_slug((licet_reason)reason));
            if (!stage_refused(r, book, &record, err)) {
                return false;
            }
            counts_tally *tally = counts_stage(&r->counts, book->cell);
            if (tally != NULL) {
                counts_add(&tally->refused[reason], record.count);
            }
        }
    }
    if (any && !recorder_commit(r, now_ms, err)) {
        return false;
    }
    for (unsigned reason = LICET_REASON_NONE + 1; any && reason < LICET_REASONS_LEN; reason++) {
        licet_gate_refused_release(gate, book->cell, (licet_reason)reason, counts[reason]);
    }
    return true;
}

static bool
refused_all(licet_recorder *r, licet_gate *gate, uint64_t now_ms, licet_error *err)
{
    for (uint32_t i = 1; i < r->books_len; i++) {
        if (r->books[i]->ledger != NULL && !refused_of(r, gate, r->books[i], now_ms, err)) {
            return false;
        }
    }
    return true;
}

/* ---- each minute -------------------------------------------------------------------- */

/* The counts stay in shared memory until their minute is over: a death of licetd loses none of them. */
bool
recorder_minute(licet_recorder *r, uint64_t now_ms, bool always, licet_error *err)
{
    uint32_t minute = (uint32_t)(now_ms / 60000), of = r->minute == 0 ? minute : r->minute;

    if (minute == r->minute && !always) {
        return true;
    }
    r->minute = minute;
    for (size_t k = 0; k < r->old_len; k++) {
        if (!unidentified_of(r, r->old[k]->gate, of, now_ms, err) || !refused_all(r, r->old[k]->gate, now_ms, err)) {
            return false;
        }
    }
    if (!unidentified_of(r, r->gate->gate, of, now_ms, err) || !refused_all(r, r->gate->gate, now_ms, err)) {
        return false;
    }
    r->refused_ms = now_ms;
    return true;
}
