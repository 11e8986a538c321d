/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learn: what the recorder knows again after a start by reading its ledgers:
 * dictionaries, what was applied last, what the lease epoch recorded, and how
 * much of each limit's current window is used.
 *
 *  (1) Every entry of every ledger passes here once, in order, when the state is opened.
 *  (2) A receipt counts in the window of its own time, by the limits of the version that judged it.
 *  (3) A gap counts against every limit whose current window it may touch, with its whole bound: under-use, never
 *      over-use.
 */
#include "rooms.h"

#include <stdlib.h>
#include <string.h>

static const licet_image *
image_of(licet_recorder *r, const recorder_book *book)
{
    return licet_store_image(r->store, book->cell);
}

static bool
text_is(const licet_image *image, licet_text text, licet_bytes wanted)
{
    return licet_bytes_equal(licet_image_text(image, text), wanted);
}

/* Which rows of the image in force a context names; LICET_NONE: none (any more). */
static recorder_rows
rows_of(const licet_image *image, const licet_context *context)
{
    recorder_rows rows = {LICET_NONE, LICET_NONE, LICET_NONE};
    const licet_image_header *h = image->header;

    for (uint32_t i = 0; i < h->apps_len; i++) {
        if (text_is(image, image->apps[i].id, context->app)) {
            rows.app = i;
        }
    }
    for (uint32_t i = 0; i < h->versions_len; i++) {
        if (text_is(image, image->versions[i].id, context->version)) {
            rows.version = i;
        }
    }
    if (rows.version == LICET_NONE || context->endpoint.len == 0) {
        return rows;
    }
    for (uint32_t i = 0; i < image->versions[rows.version].endpoints.count; i++) {
        uint32_t row = image->versions[rows.version].endpoints.first + i;

        if (text_is(image, image->endpoints[row].id, context->endpoint)) {
            rows.endpoint = row;
        }
    }
    return rows;
}

static bool
learn_rows(licet_recorder *r, recorder_book *book, uint32_t number, const licet_context *context, licet_error *err)
{
    recorder_names *names = &book->names;
    const licet_image *image = image_of(r, book);

    if (r->sums == NULL || image == NULL) {
        return true;
    }
    if (number >= names->rows_len) {
        size_t len = names->rows_len == 0 ? 64 : names->rows_len * 2;
        recorder_rows *grown = realloc(names->rows, len * sizeof(*grown));

        if (grown == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu contexts", len);
        }
        memset(grown + names->rows_len, 0xff, (len - names->rows_len) * sizeof(*grown)); /* LICET_NONE */
        names->rows = grown;
        names->rows_len = len;
    }
    names->rows[number] = rows_of(image, context);
    return true;
}

static bool
learn_context(licet_recorder *r, recorder_book *book, licet_bytes entry, licet_error *err)
{
    licet_context context;
    uint32_t number;

    return recorder_names_learn_context(&book->names, entry, &number, err) &&
           licet_context_decode(entry, &number, &context, err) && learn_rows(r, book, number, &context, err);
}

/* ---- sums of windows ----------------------------------------------------------- */

static bool
limit_covers(const licet_image *image, const licet_image_limit *limit, uint32_t endpoint)
{
    for (uint32_t i = 0; i < limit->endpoints.count; i++) {
        if (image->limit_endpoints[limit->endpoints.first + i] == endpoint) {
            return true;
        }
    }
    return limit->endpoints.count == 0;
}

/* What a receipt took of a kind: its units, or what it stays charged with. */
static uint64_t
charged(const recorder_book *book, const licet_receipt *receipt, licet_bytes kind)
{
    uint64_t most = 0;

    if (licet_bytes_equal_text(kind, "byte")) {
        return receipt->bytes;
    }
    for (size_t i = 0; i < receipt->units_len; i++) {
        unsigned number = receipt->units[i].kind;
        const char *name = number >= 1 && number <= book->names.units_len ? book->names.units[number - 1] : "";

        if (strncmp(name, "held:", 5) == 0) {
            name += 5;
        }
        if (licet_bytes_equal_text(kind, name) && receipt->units[i].count > most) {
            most = receipt->units[i].count;
        }
    }
    return most;
}

static void
sum_receipt(licet_recorder *r, recorder_book *book, const licet_receipt *receipt)
{
    const licet_image *image = image_of(r, book);
    const licet_image_version *version;
    recorder_rows rows;

    if (r->sums == NULL || image == NULL || receipt->context >= book->names.rows_len) {
        return;
    }
    rows = book->names.rows[receipt->context];
    if (rows.version == LICET_NONE) {
        return;
    }
    version = &image->versions[rows.version];
    for (uint32_t i = 0; i < version->limits.count; i++) {
        const licet_image_limit *limit = &image->limits[version->limits.first + i];
        uint32_t window = licet_window_of(limit->per, limit->span_s, receipt->time_ms);
        uint32_t counter = licet_image_counter(image, limit, rows.app);

        if (counter == LICET_NONE || window != licet_window_of(limit->per, limit->span_s, r->sums_now) ||
            !limit_covers(image, limit, rows.endpoint)) {
            continue;
        }
        recorder_sum_add(r, counter, window,
                         charged(book, receipt, licet_image_text(image, image->header->kinds[limit->kind])),
                         UINT64_MAX);
    }
}

static uint64_t
gap_units(const recorder_book *book, const licet_gap *gap, licet_bytes kind)
{
    uint8_t number = recorder_unit_known(book, kind);

    if (licet_bytes_equal_text(kind, "request")) {
        return gap->requests;
    }
    for (size_t i = 0; i < gap->units_len; i++) {
        if (gap->units[i].kind == number) {
            return gap->units[i].count;
        }
    }
    return 0;
}

typedef void (*add_units)(licet_recorder *r, uint32_t counter, uint32_t window, uint64_t units, uint64_t most);

/* Calls add for each counter of the limit: one, or one per app. */
static void
charge_limit(licet_recorder *r, const licet_image *image, const licet_image_limit *limit, uint32_t window,
             uint64_t units, add_units add)
{
    uint32_t apps = limit->over == LICET_OVER_APP ? image->header->apps_len : 1;

    for (uint32_t app = 0; app < apps; app++) {
        uint32_t counter = licet_image_counter(image, limit, app);

        if (counter != LICET_NONE) {
            add(r, counter, window, units, limit->most);
        }
    }
}

static void
charge(licet_recorder *r, const recorder_book *book, const licet_gap *gap, uint64_t now_ms, add_units add)
{
    const licet_image *image = image_of(r, book);

    for (uint32_t v = 0; image != NULL && v < image->header->versions_len; v++) {
        const licet_image_version *version = &image->versions[v];

        for (uint32_t i = 0; i < version->limits.count; i++) {
            const licet_image_limit *limit = &image->limits[version->limits.first + i];
            uint32_t window = licet_window_of(limit->per, limit->span_s, now_ms);
            uint64_t units = gap_units(book, gap, licet_image_text(image, image->header->kinds[limit->kind]));

            if (units > 0 && window <= licet_window_of(limit->per, limit->span_s, gap->to_ms) &&
                window >= licet_window_of(limit->per, limit->span_s, gap->from_ms)) {
                charge_limit(r, image, limit, window, units, add);
            }
        }
    }
}

void
recorder_charge_gap(licet_recorder *r, recorder_book *book, const licet_gap *gap)
{
    charge(r, book, gap, gap->to_ms, r->sums != NULL ? recorder_sum_add : recorder_counter_add);
}

/* ---- entries ------------------------------------------------------------------------ */

static bool
learn_receipt(licet_recorder *r, recorder_book *book, licet_bytes entry, licet_error *err)
{
    licet_receipt receipt;

    if (!licet_receipt_decode(entry, &receipt, err)) {
        return false;
    }
    if (receipt.identity.gate == r->config.gate && receipt.identity.epoch == r->lease_epoch) {
        for (size_t i = 0; i < receipt.units_len; i++) {
            book->recorded[receipt.units[i].kind] += receipt.units[i].count;
        }
    }
    sum_receipt(r, book, &receipt);
    return true;
}

static bool
learn_gap(licet_recorder *r, recorder_book *book, licet_bytes entry, licet_error *err)
{
    licet_gap gap;

    if (!licet_gap_decode(entry, &gap, err)) {
        return false;
    }
    if (gap.cause == LICET_GAP_POWER_LOSS && gap.gate == r->config.gate && gap.epoch == r->lease_epoch) {
        book->gap_known = true;
    }
    if (r->sums != NULL) {
        charge(r, book, &gap, r->sums_now, recorder_sum_add);
    }
    return true;
}

static bool
learn_version(recorder_book *book, licet_bytes entry, licet_error *err)
{
    licet_version_record record;

    if (!licet_version_decode(entry, &record, err)) {
        return false;
    }
    book->image = record.image > book->image ? record.image : book->image;
    return true;
}

bool
recorder_learn(licet_recorder *r, recorder_book *book, licet_bytes entry, licet_error *err)
{
    if (entry.len == 0) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "ledger %s holds an empty entry", book->name);
    }
    switch (entry.data[0]) {
    case LICET_ENTRY_RECEIPT:
        return learn_receipt(r, book, entry, err);
    case LICET_ENTRY_CONTEXT:
        return learn_context(r, book, entry, err);
    case LICET_ENTRY_UNIT:
        return recorder_names_learn_unit(&book->names, entry, err);
    case LICET_ENTRY_VERSION:
        return learn_version(book, entry, err);
    case LICET_ENTRY_GAP:
        return learn_gap(r, book, entry, err);
    default:
        return true;
    }
}

bool
recorder_sums_begin(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    recorder_sums_end(r);
    r->sums_len = licet_store_counters(r->store);
    r->sums = calloc(r->sums_len > 0 ? r->sums_len : 1, sizeof(*r->sums));
    r->sums_now = now_ms;
    return r->sums != NULL || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u counters", r->sums_len);
}

void
recorder_sums_end(licet_recorder *r)
{
    free(r->sums);
    r->sums = NULL;
    for (uint32_t i = 0; i < r->books_len; i++) {
        free(r->books[i]->names.rows);
        r->books[i]->names.rows = NULL;
        r->books[i]->names.rows_len = 0;
    }
}
