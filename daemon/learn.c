/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learn: what the recorder knows again after a start by reading its ledgers:
 * dictionaries, what was applied last, what the lease epoch recorded, and how
 * much of each limit's current window is used.
 *
 *  (1) Every entry of every ledger passes here once, in order, when the state is opened.
 *  (2) A receipt counts in the window of its own time, by the limits of the version that judged it.
 *  (3) A gap counts against every limit whose current window it may touch, with its whole bound (but for what may have
 *      gone up without a slot and most likely did not: cannot_record lets it through beyond limits): under-use, never
 *      over-use.
 *  (4) A counter that a new image brings begins with what its window has used already: what is in the ledger is summed
 *      before the image is published, what was decided by an older image and comes later is added when it comes.
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
    const licet_image_header *h = image->header;
    recorder_rows rows = {.version = LICET_NONE};
    licet_scope *scope = &rows.scope;

    scope->app = scope->credential = scope->product = scope->use_case = scope->recipient = scope->endpoint = LICET_NONE;
    for (uint32_t i = 0; i < h->apps_len; i++) {
        if (text_is(image, image->apps[i].id, context->app)) {
            scope->app = i;
        }
    }
    for (uint32_t i = 0; i < h->credentials_len; i++) {
        if (image->credentials[i].app == scope->app && text_is(image, image->credentials[i].id, context->credential)) {
            scope->credential = i;
        }
    }
    for (uint32_t i = 0; i < h->use_cases_len; i++) {
        if (text_is(image, image->use_cases[i].id, context->use_case)) {
            scope->use_case = i;
            scope->product = image->use_cases[i].product;
        }
    }
    for (uint32_t i = 0; i < h->recipients_len; i++) {
        if (text_is(image, image->recipients[i].id, context->recipient)) {
            scope->recipient = i;
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
            rows.scope.endpoint = row;
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
        uint32_t window = licet_window_of(image, limit, receipt->time_ms);
        uint32_t counter = licet_image_counter(image, limit, &rows.scope);

        if (counter == LICET_NONE || window != licet_window_of(image, limit, r->sums_now) ||
            !limit_covers(image, limit, rows.scope.endpoint)) {
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

/* Calls add for each counter of the limit: nobody knows whose they were. */
static void
charge_limit(licet_recorder *r, const licet_image *image, const licet_image_limit *limit, uint32_t window,
             uint64_t units, add_units add)
{
    for (uint32_t place = 0; place < limit->counters.count; place++) {
        add(r, licet_image_counter_at(image, limit, place), window, units, limit->most);
    }
}

static void
charge(licet_recorder *r, const recorder_book *book, const licet_gap *gap, uint64_t now_ms, add_units add)
{
    const licet_image *image = gap->cause != LICET_GAP_OUTAGE ? image_of(r, book) : NULL;

    for (uint32_t v = 0; image != NULL && v < image->header->versions_len; v++) {
        const licet_image_version *version = &image->versions[v];

        for (uint32_t i = 0; i < version->limits.count; i++) {
            const licet_image_limit *limit = &image->limits[version->limits.first + i];
            uint32_t window = licet_window_of(image, limit, now_ms);
            uint64_t units = gap_units(book, gap, licet_image_text(image, image->header->kinds[limit->kind]));

            if (units > 0 && window <= licet_window_of(image, limit, gap->to_ms) &&
                window >= licet_window_of(image, limit, gap->from_ms)) {
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

/* ---- counters that a new image brings ------------------------------------------------ */

/* Whether a receipt of these rows takes from the counter. */
static bool
takes_from(const licet_image *image, uint32_t version, const licet_scope *scope, uint32_t counter)
{
    const licet_range *limits = &image->versions[version].limits;

    for (uint32_t i = 0; i < limits->count; i++) {
        const licet_image_limit *limit = &image->limits[limits->first + i];

        if (licet_image_counter(image, limit, scope) == counter && limit_covers(image, limit, scope->endpoint)) {
            return true;
        }
    }
    return false;
}

static uint64_t
charged_wide(const licet_image *image, const licet_wide *w, licet_bytes kind)
{
    if (licet_bytes_equal_text(kind, "byte")) {
        return w->bytes;
    }
    for (uint32_t k = 0; k < image->header->kinds_len; k++) {
        if (text_is(image, image->header->kinds[k], kind)) {
            bool held = w->unmetered != LICET_UNMETERED_NONE && k > LICET_KIND_BYTE;

            return held && w->reserved[k] > w->units[k] ? w->reserved[k] : w->units[k];
        }
    }
    return 0;
}

/* If its batch is not committed the receipt comes again and is charged again: under-use. */
void
recorder_charge_late(licet_recorder *r, const licet_image *judged, const licet_wide *w)
{
    const licet_image *image = licet_store_image(r->store, w->cell);
    const licet_image_version *version;
    licet_context context = {.version = licet_image_text(judged, judged->versions[w->version].id)};
    licet_scope scope = licet_image_scope(judged, w->app, w->credential, w->use_case, w->registered, w->endpoint);
    recorder_rows rows;

    if (image == NULL || image->header->number == judged->header->number || w->verdict == LICET_VERDICT_REFUSE) {
        return;
    }
    context.app = licet_image_text(judged, judged->apps[w->app].id);
    if (w->endpoint != LICET_NONE) {
        context.endpoint = licet_image_text(judged, judged->endpoints[w->endpoint].id);
    }
    rows = rows_of(image, &context);
    if (rows.version == LICET_NONE) {
        return;
    }
    version = &image->versions[rows.version];
    for (uint32_t i = 0; i < version->limits.count; i++) {
        const licet_image_limit *limit = &image->limits[version->limits.first + i];
        uint32_t counter = licet_image_counter(image, limit, &rows.scope);

        if (counter != LICET_NONE && limit_covers(image, limit, rows.scope.endpoint) &&
            !takes_from(judged, w->version, &scope, counter)) {
            recorder_counter_add(r, counter, licet_window_of(image, limit, w->time_ms),
                                 charged_wide(judged, w, licet_image_text(image, image->header->kinds[limit->kind])),
                                 UINT64_MAX);
        }
    }
}

static bool
has_counter(const licet_image *image, uint32_t counter)
{
    for (uint32_t i = 0; i < image->header->limits_len; i++) {
        for (uint32_t place = 0; place < image->limits[i].counters.count; place++) {
            if (licet_image_counter_at(image, &image->limits[i], place) == counter) {
                return true;
            }
        }
    }
    return false;
}

/* Whether the image in force has a counter that the one counted by before has not. */
static bool
brings_counters(licet_recorder *r, const recorder_book *book, const licet_image *image)
{
    const licet_image *before = licet_store_image_number(r->store, book->counted);

    for (uint32_t i = 0; i < image->header->limits_len; i++) {
        for (uint32_t place = 0; place < image->limits[i].counters.count; place++) {
            if (before == NULL || !has_counter(before, licet_image_counter_at(image, &image->limits[i], place))) {
                return true;
            }
        }
    }
    return false;
}

typedef struct summing {
    licet_recorder *r;
    recorder_book *book;
} summing;

/* Of an entry that was learned before, only what counts against limits. */
static bool
on_sum(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    summing *s = user;
    licet_context context;
    licet_receipt receipt;
    licet_gap gap;
    uint32_t number;

    (void)index;
    switch (entry.len > 0 ? entry.data[0] : 0) {
    case LICET_ENTRY_CONTEXT:
        return licet_context_decode(entry, &number, &context, err) && learn_rows(s->r, s->book, number, &context, err);
    case LICET_ENTRY_RECEIPT:
        if (!licet_receipt_decode(entry, &receipt, err)) {
            return false;
        }
        sum_receipt(s->r, s->book, &receipt);
        return true;
    case LICET_ENTRY_GAP:
        if (!licet_gap_decode(entry, &gap, err)) {
            return false;
        }
        charge(s->r, s->book, &gap, s->r->sums_now, recorder_sum_add);
        return true;
    default:
        return true;
    }
}

static bool
sum_book(licet_recorder *r, recorder_book *book, licet_error *err)
{
    summing s = {r, book};

    return book->ledger == NULL || licet_ledger_each(book->ledger, 0, licet_ledger_size(book->ledger), on_sum, &s, err);
}

bool
recorder_sums_all(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    bool ok = recorder_tick(r, now_ms, false, err) && recorder_sums_begin(r, now_ms, err);

    for (uint32_t i = 1; ok && i < r->books_len; i++) {
        ok = sum_book(r, r->books[i], err);
    }
    return ok;
}

void
recorder_counted(licet_recorder *r)
{
    for (uint32_t i = 1; i < r->books_len; i++) {
        const licet_image *image = licet_store_image(r->store, i);

        r->books[i]->counted = image != NULL ? image->header->number : 0;
    }
}

bool
recorder_counters_seed(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    bool ok = true, all = r->sums != NULL; /* at a start: every ledger was summed */

    for (uint32_t i = 1; ok && !all && i < r->books_len; i++) {
        const licet_image *image = licet_store_image(r->store, i);

        if (image == NULL || image->header->number == r->books[i]->counted || !brings_counters(r, r->books[i], image)) {
            continue;
        }
        /* The tick makes everything journalled so far part of the ledger. */
        ok = r->sums != NULL || (recorder_tick(r, now_ms, false, err) && recorder_sums_begin(r, now_ms, err));
        ok = ok && sum_book(r, r->books[i], err);
    }
    if (ok) {
        recorder_counters_set(r);
        recorder_counted(r);
    }
    recorder_sums_end(r);
    return ok;
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
    if (gap.gate == r->config.gate && gap.epoch == r->lease_epoch) {
        recorder_gap_learn(book, &gap);
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
