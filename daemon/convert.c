/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convert: from the wide entry of a ring to the receipt of a ledger.
 *
 *  (1) Whatever a ring holds becomes exactly one receipt (or refusal): what makes no sense is an unmetered receipt with
 *      the empty context, and a line in the log. Nothing here can fail on its input.
 *  (2) Units are what was delivered. What an unmetered response stays charged with, the larger of its reservation and
 *      its units, is held:<kind>, written where it differs.
 *  (3) Why a request that was passed in observe mode would have been refused is observed:<reason>, as
 *      unmetered:<reason> says why a response is unmetered: neither is a unit of the agreement.
 *  (4) A receipt that would pass LICET_RECEIPT_MAX goes on in another part of the same identity, flagged by linked.
 */
#include "rooms.h"

#include <stdio.h>
#include <string.h>

#define U40_MAX ((UINT64_C(1) << 40) - 1)
#define U48_MAX ((UINT64_C(1) << 48) - 1)
#define STATUS_MAX 1023
#define UNITS_PLAUSIBLE (UINT64_C(1) << 32)
#define HEAD_LEN 37
#define UNITS_MAX (2 * LICET_KINDS_MAX + 4)

typedef struct units {
    licet_receipt_unit list[UNITS_MAX];
    size_t len;
} units;

static bool
row_fits(uint32_t row, uint32_t len)
{
    return row == LICET_NONE || row < len;
}

/* True when every row and number of the entry means something in that image. */
static bool
sensible(const licet_image *image, const licet_wide *w)
{
    const licet_image_header *h = image->header;

    return h->cell == w->cell && w->version < h->versions_len && row_fits(w->app, h->apps_len) &&
           row_fits(w->credential, h->credentials_len) && row_fits(w->use_case, h->use_cases_len) &&
           row_fits(w->endpoint, h->endpoints_len) && row_fits(w->clause, h->clauses_len) &&
           row_fits(w->registered, h->recipients_len) && w->app != LICET_NONE && w->verdict <= LICET_VERDICT_OPEN &&
           w->ending < LICET_ENDINGS_LEN && w->reason < LICET_REASONS_LEN && w->unmetered < LICET_UNMETERED_LEN &&
           w->flow <= LICET_FLOW_PASSED_ON && w->purpose_len <= LICET_NAME_MAX && w->recipient_len <= LICET_NAME_MAX &&
           w->status <= STATUS_MAX;
}

/* No lease lends more at once than 2^32 units, so no response can hold more; one that brought more in overrun would
 * have at least 8 GB. What says so would spoil the sums of years. */
static bool
plausible(const licet_wide *w)
{
    for (uint32_t kind = 0; kind < LICET_KINDS_MAX; kind++) {
        if (kind != LICET_KIND_BYTE && (w->units[kind] > UNITS_PLAUSIBLE || w->reserved[kind] > UNITS_PLAUSIBLE)) {
            return false;
        }
    }
    return true;
}

static bool
add_unit(licet_recorder *r, recorder_book *book, units *list, licet_bytes name, uint64_t count, licet_error *err)
{
    uint8_t number;
    size_t i;

    if (count == 0) {
        return true;
    }
    if (!recorder_unit(r, book, name, &number, err)) {
        return false;
    }
    for (i = 0; i < list->len; i++) {
        if (list->list[i].kind == number) { /* two that found no number of their own */
            counts_add(&list->list[i].count, count);
            return true;
        }
    }
    for (i = list->len; i > 0 && list->list[i - 1].kind > number; i--) {
        list->list[i] = list->list[i - 1];
    }
    list->list[i] = (licet_receipt_unit){number, count};
    list->len++;
    return true;
}

/* Units of one kind, and what stays charged where that is more. */
static bool
add_kind(licet_recorder *r, recorder_book *book, units *list, const licet_wide *w, const licet_image *image,
         uint32_t kind, licet_error *err)
{
    licet_bytes name = licet_image_text(image, image->header->kinds[kind]);
    char held[8 + LICET_NAME_MAX];
    int len;

    if (!add_unit(r, book, list, name, w->units[kind], err)) {
        return false;
    }
    if (w->unmetered == LICET_UNMETERED_NONE || w->reserved[kind] <= w->units[kind] || kind <= LICET_KIND_BYTE) {
        return true;
    }
    len = snprintf(held, sizeof(held), "held:%.*s", (int)name.len, (const char *)name.data);
    return add_unit(r, book, list, licet_bytes_of(held, (size_t)len), w->reserved[kind], err);
}

/* One of what a kind of its own says of the whole response. */
static bool
add_word(licet_recorder *r, recorder_book *book, units *list, const char *what, const char *slug, licet_error *err)
{
    char name[64];
    int len = snprintf(name, sizeof(name), "%s:%s", what, slug);

    return add_unit(r, book, list, licet_bytes_of(name, (size_t)len), 1, err);
}

static bool
collect(licet_recorder *r, recorder_book *book, const licet_image *image, const licet_wide *w, units *list,
        licet_error *err)
{
    if (image != NULL) {
        for (uint32_t kind = 0; kind < image->header->kinds_len; kind++) {
            if (kind != LICET_KIND_BYTE && !add_kind(r, book, list, w, image, kind, err)) {
                return false;
            }
        }
    } else if (!add_unit(r, book, list, LICET_BYTES_LITERAL("request"), 1, err)) {
        return false;
    }
    if (w->unmetered != LICET_UNMETERED_NONE &&
        !add_word(r, book, list, "unmetered", licet_unmetered_slug((licet_unmetered)w->unmetered), err)) {
        return false;
    }
    if (w->verdict == LICET_VERDICT_OBSERVE && w->reason != LICET_REASON_NONE &&
        !add_word(r, book, list, "observed", licet_reason_slug((licet_reason)w->reason), err)) {
        return false;
    }
    return w->bytes_acked == UINT64_MAX || w->bytes_acked == w->bytes ||
           add_unit(r, book, list, LICET_BYTES_LITERAL("byte-acked"), w->bytes_acked, err);
}

static size_t
varint_len(uint64_t value)
{
    size_t len = 1;

    while (value >= 0x80) {
        value >>= 7;
        len++;
    }
    return len;
}

/* How many units, from one on, fit into one receipt. */
static size_t
fitting(const units *list, size_t from)
{
    size_t n = 0, len = HEAD_LEN;

    while (from + n < list->len && n < LICET_RECEIPT_UNITS_MAX) {
        len += 1 + varint_len(list->list[from + n].count);
        if (len > LICET_RECEIPT_MAX) {
            break;
        }
        n++;
    }
    return n;
}

static bool
stage_receipt(licet_recorder *r, recorder_book *book, licet_receipt *receipt, licet_error *err)
{
    r->scratch.len = 0;
    return licet_receipt_encode(receipt, &r->scratch, err) &&
           recorder_stage_entry(r, book, licet_buffer_view(&r->scratch), err);
}

static bool
stage_parts(licet_recorder *r, recorder_book *book, licet_receipt *receipt, const units *list, licet_error *err)
{
    size_t at = 0;

    do {
        size_t n = fitting(list, at);

        memcpy(receipt->units, list->list + at, n * sizeof(list->list[0]));
        receipt->units_len = n;
        receipt->linked = at + n < list->len;
        if (!stage_receipt(r, book, receipt, err)) {
            return false;
        }
        for (size_t i = 0; i < n && receipt->identity.epoch == r->lease_epoch; i++) {
            counts_add(&book->recorded[receipt->units[i].kind], receipt->units[i].count);
        }
        at += n;
        receipt->part++;
        receipt->bytes = 0; /* they are in the first part */
    } while (at < list->len);
    return true;
}

static bool
stage_refusal(licet_recorder *r, recorder_book *book, const licet_receipt *receipt, uint8_t reason, licet_error *err)
{
    licet_buffer payload;
    bool ok;

    r->scratch.len = 0;
    if (!licet_receipt_encode(receipt, &r->scratch, err)) {
        return false;
    }
    licet_buffer_init(&payload, 512);
    ok = licet_journal_put_refusal(&payload, book->cell, reason, licet_buffer_view(&r->scratch))
             ? recorder_stage(r, LICET_JOURNAL_REFUSAL, licet_buffer_view(&payload), NULL, err)
             : LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a refusal");
    licet_buffer_done(&payload);
    return ok;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void
head_of(const licet_image *image, const licet_wide *w, licet_receipt *out)
{
    *out = (licet_receipt){
        .flow = (licet_flow)w->flow,
        .basis = LICET_BASIS_COUNTED,
        .verdict = (licet_verdict_kind)w->verdict,
        .unmetered = w->unmetered != LICET_UNMETERED_NONE,
        .observe = image != NULL && image->versions[w->version].mode == LICET_MODE_OBSERVE,
        .identity = w->identity,
        .time_ms = least(w->time_ms, U48_MAX),
        .duration_ms = w->duration_ms,
        .status = w->status,
        .ending = (licet_ending)w->ending,
        .bytes = least(w->bytes, U40_MAX),
    };
    out->identity.sequence &= U48_MAX;
}

/* What makes no sense, as a receipt that can be kept: nothing of it is believed but identity, time and bytes. */
static void
disbelieve(licet_recorder *r, licet_wide *w, counts_damage what)
{
    recorder_damage(r, what,
                    "a worker left a receipt that makes no sense (cell %u, image %llu, sequence %llu); kept as "
                    "unmetered",
                    w->cell, (unsigned long long)w->image, (unsigned long long)w->identity.sequence);
    w->verdict = LICET_VERDICT_ALLOW;
    w->reason = LICET_REASON_NONE;
    w->ending = w->ending < LICET_ENDINGS_LEN ? w->ending : LICET_ENDING_WORKER_DIED;
    w->unmetered = LICET_UNMETERED_MALFORMED;
    w->flow = w->flow <= LICET_FLOW_PASSED_ON ? w->flow : LICET_FLOW_ACQUIRED;
    w->status = w->status <= STATUS_MAX ? w->status : 0;
    w->purpose_len = w->recipient_len = 0;
    w->bytes_acked = UINT64_MAX;
}

static void
count(licet_recorder *r, const recorder_book *book, const licet_wide *w, const licet_receipt *receipt,
      const units *list)
{
    counts_tally *tally = counts_stage(&r->counts, book->cell);

    if (tally == NULL) {
        return;
    }
    if (w->verdict == LICET_VERDICT_REFUSE) {
        tally->refusals[w->reason]++;
        return;
    }
    tally->receipts[w->verdict][receipt->ending]++;
    counts_add(&tally->bytes, least(w->bytes, U40_MAX));
    tally->unmetered[w->unmetered]++;
    for (size_t i = 0; i < list->len; i++) {
        counts_add(&tally->units[list->list[i].kind], list->list[i].count);
    }
}

bool
recorder_stage_wide(licet_recorder *r, const licet_wide *in, licet_error *err)
{
    const licet_image *image = licet_store_image_number(r->store, in->image);
    recorder_book *book = recorder_book_of(r, in->cell);
    licet_wide w = *in;
    licet_receipt receipt;
    units list = {.len = 0};
    bool ok;

    if (w.identity.gate == 0) { /* of files handed over, which no worker does */
        w.identity.gate = r->config.gate;
        w.cell = 0;
    }
    if (book == NULL || image == NULL || w.cell == 0 || !sensible(image, &w)) {
        disbelieve(r, &w, image == NULL ? COUNTS_DAMAGE_IMAGE : COUNTS_DAMAGE_ENTRY);
        image = NULL;
        book = book != NULL ? book : recorder_book_of(r, 0);
    } else if (!plausible(&w)) {
        disbelieve(r, &w, COUNTS_DAMAGE_UNITS);
        image = NULL;
    }
    head_of(image, &w, &receipt);
    r->unmetered += w.unmetered != LICET_UNMETERED_NONE ? 1 : 0;
    if (!recorder_context(r, book, image, &w, &receipt.context, err)) {
        return false;
    }
    if (w.verdict == LICET_VERDICT_REFUSE) {
        ok = stage_refusal(r, book, &receipt, w.reason, err);
    } else {
        ok = collect(r, book, image, &w, &list, err) && stage_parts(r, book, &receipt, &list, err) &&
             (image == NULL || recorder_stage_compare(r, book, image, &w, &receipt, err));
    }
    if (ok) {
        count(r, book, &w, &receipt, &list);
    }
    if (ok && image != NULL) {
        recorder_charge_late(r, image, &w);
        recorder_recent_add(r, r->staged[r->staged_len - 1].number, &w);
    }
    return ok;
}

/* Names first, so that nothing comes between the two. */
bool
recorder_stage_handed(licet_recorder *r, recorder_book *book, const licet_image *image, const licet_wide *w,
                      const licet_disclosure *disclosure, licet_error *err)
{
    licet_receipt receipt;
    units list = {.len = 0};
    licet_buffer entry;
    bool ok;

    licet_buffer_init(&entry, LICET_ENTRY_MAX);
    head_of(image, w, &receipt);
    receipt.basis = disclosure->counted ? LICET_BASIS_COUNTED : LICET_BASIS_DECLARED;
    ok = recorder_context(r, book, image, w, &receipt.context, err) && collect(r, book, image, w, &list, err) &&
         licet_disclosure_encode(disclosure, &entry, err) &&
         recorder_stage_entry(r, book, licet_buffer_view(&entry), err) && stage_parts(r, book, &receipt, &list, err);
    licet_buffer_done(&entry);
    if (ok) {
        recorder_recent_add(r, r->staged[r->staged_len - 1].number, w);
    }
    return ok;
}
