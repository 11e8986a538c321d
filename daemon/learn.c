/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learn: what the recorder knows again after a start by reading its ledgers:
 * dictionaries, what was applied last, what the lease epoch recorded, and how
 * much of each limit's current window is used.
 *
 *  (1) Every entry of every ledger passes here once, in order, when the state is opened.
 *  (2) A receipt counts in the window of its own time, by the limits of the version that judged it, with the weight and
 *      in the bucket that the gate charged. What is under way at once is in no ledger: such counters begin at nothing.
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

/* The row with this id in a table whose rows begin with their id and stand in its order; LICET_NONE: none. */
static uint32_t
row_named(const licet_image *image, const void *table, size_t row_size, uint32_t len, licet_bytes id)
{
    uint32_t low = 0, high = len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        licet_bytes there = licet_image_text(image, *(const licet_text *)((const char *)table + middle * row_size));
        size_t shared = there.len < id.len ? there.len : id.len;
        int order = shared == 0 ? 0 : memcmp(there.data, id.data, shared);

        order = order != 0 ? order : (there.len > id.len) - (there.len < id.len);
        if (order == 0) {
            return middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return LICET_NONE;
}
#define ROW_NAMED(image, table, id)                                                                                    \
    row_named((image), (image)->table, sizeof(*(image)->table), (image)->header->table##_len, (id))

static uint32_t
endpoint_named(const licet_image *image, const licet_image_version *version, licet_bytes id)
{
    for (uint32_t i = 0; id.len > 0 && i < version->endpoints.count; i++) {
        uint32_t row = version->endpoints.first + i;

        if (text_is(image, image->endpoints[row].id, id)) {
            return row;
        }
    }
    return LICET_NONE;
}

/* Which rows of the image in force a context names; LICET_NONE: none (any more). Of a purpose, whether some limit names
 * it: to all others it is the same. */
recorder_rows
recorder_rows_of(const licet_image *image, const licet_context *context)
{
    const licet_image_header *h = image->header;
    recorder_rows rows = {.version = LICET_NONE, .purpose = LICET_NONE};
    licet_scope *scope = &rows.scope;

    scope->app = ROW_NAMED(image, apps, context->app);
    scope->use_case = ROW_NAMED(image, use_cases, context->use_case);
    scope->recipient = ROW_NAMED(image, recipients, context->recipient);
    scope->product = scope->use_case == LICET_NONE ? LICET_NONE : image->use_cases[scope->use_case].product;
    scope->credential = scope->endpoint = LICET_NONE;
    for (uint32_t i = 0; i < h->credentials_len && context->credential.len > 0; i++) {
        if (image->credentials[i].app == scope->app && text_is(image, image->credentials[i].id, context->credential)) {
            scope->credential = i;
        }
    }
    for (uint32_t i = 0; i < h->limit_purposes_len; i++) {
        if (text_is(image, image->limit_purposes[i], context->purpose)) {
            rows.purpose = i;
        }
    }
    for (uint32_t i = 0; i < h->versions_len; i++) {
        if (text_is(image, image->versions[i].id, context->version)) {
            rows.version = i;
            scope->endpoint = endpoint_named(image, &image->versions[i], context->endpoint);
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
    names->rows[number] = recorder_rows_of(image, context);
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

static licet_bytes
purpose_of(const licet_image *image, const recorder_rows *rows)
{
    return rows->purpose == LICET_NONE ? licet_bytes_of(NULL, 0)
                                       : licet_image_text(image, image->limit_purposes[rows->purpose]);
}

static uint64_t
weighed(const licet_image_limit *limit, uint64_t units)
{
    uint64_t product;

    return __builtin_mul_overflow(units, limit->weight, &product) ? UINT64_MAX : product;
}

/* The counter and window that units of a time stand in now; false: in none any more, or none at all. */
static bool
stands_in(const licet_image *image, const licet_image_limit *limit, uint32_t counter, uint64_t time_ms, uint64_t now_ms,
          uint32_t *out_row, uint32_t *out_window)
{
    uint32_t window = licet_window_of(image, limit, time_ms), now = licet_window_of(image, limit, now_ms);
    uint32_t buckets = licet_image_buckets(limit);

    if (counter == LICET_NONE || limit->per == LICET_PER_CONCURRENT ||
        (buckets == 0 ? window != now : window > now || now - window >= buckets)) {
        return false;
    }
    *out_row = licet_image_counter_row(limit, counter, window);
    *out_window = window;
    return true;
}

bool
recorder_stands_in(const licet_image *image, const licet_image_limit *limit, licet_flow flow, const recorder_rows *rows,
                   uint64_t time_ms, uint64_t now_ms, uint32_t *out_row, uint32_t *out_window)
{
    return licet_image_limit_covers(image, limit, flow, purpose_of(image, rows), &rows->scope) &&
           stands_in(image, limit, licet_image_counter(image, limit, &rows->scope), time_ms, now_ms, out_row,
                     out_window);
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
    if (rows.version == LICET_NONE || licet_image_version_at(image, receipt->time_ms) == LICET_NONE) {
        return;
    }
    version = &image->versions[rows.version];
    for (uint32_t i = 0; i < version->limits.count; i++) {
        const licet_image_limit *limit = &image->limits[version->limits.first + i];
        licet_bytes kind = licet_image_text(image, image->header->kinds[limit->kind]);
        uint32_t row, window;

        if (recorder_stands_in(image, limit, receipt->flow, &rows, receipt->time_ms, r->sums_now, &row, &window)) {
            recorder_sum_add(r, row, window, weighed(limit, charged(book, receipt, kind)), UINT64_MAX);
        }
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

/* The last moment of a gap that counts now: nobody knows when in it the units went. False: none does. */
static bool
gap_counts(const licet_image *image, const licet_image_limit *limit, const licet_gap *gap, uint64_t now_ms,
           uint64_t *out_time_ms)
{
    uint32_t now = licet_window_of(image, limit, now_ms), from = licet_window_of(image, limit, gap->from_ms);

    *out_time_ms = gap->to_ms < now_ms ? gap->to_ms : now_ms;
    return from <= now && (licet_image_buckets(limit) > 0 || now <= licet_window_of(image, limit, gap->to_ms));
}

/* Calls add for each counter of the limit: nobody knows whose they were. */
static void
charge_limit(licet_recorder *r, const licet_image *image, const licet_image_limit *limit, const licet_gap *gap,
             uint64_t now_ms, uint64_t units, add_units add)
{
    uint64_t time_ms, most = licet_image_most(image, limit, now_ms);
    uint32_t row, window;

    if (units == 0 || !gap_counts(image, limit, gap, now_ms, &time_ms)) {
        return;
    }
    for (uint32_t place = 0; place < limit->counters.count; place++) {
        if (stands_in(image, limit, licet_image_counter_at(image, limit, place), time_ms, now_ms, &row, &window)) {
            add(r, row, window, weighed(limit, units), most);
        }
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

            charge_limit(r, image, limit, gap, now_ms,
                         gap_units(book, gap, licet_image_text(image, image->header->kinds[limit->kind])), add);
        }
    }
}

void
recorder_charge_gap(licet_recorder *r, recorder_book *book, const licet_gap *gap)
{
    charge(r, book, gap, gap->to_ms, r->sums != NULL ? recorder_sum_add : recorder_counter_add);
}

/* ---- counters that a new image brings ------------------------------------------------ */

/* Whether a receipt of this scope takes from the counter. */
static bool
takes_from(const licet_image *image, const licet_wide *w, const licet_scope *scope, uint32_t counter)
{
    const licet_range *limits = &image->versions[w->version].limits;
    licet_bytes purpose = licet_bytes_of(w->purpose, w->purpose_len);

    for (uint32_t i = 0; i < limits->count; i++) {
        const licet_image_limit *limit = &image->limits[limits->first + i];

        if (licet_image_counter(image, limit, scope) == counter &&
            licet_image_limit_covers(image, limit, (licet_flow)w->flow, purpose, scope)) {
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

/* The rows of the image in force for what an older one judged. */
static recorder_rows
rows_late(const licet_image *image, const licet_image *judged, const licet_wide *w)
{
    licet_context context = {.version = licet_image_text(judged, judged->versions[w->version].id),
                             .app = licet_image_text(judged, judged->apps[w->app].id),
                             .purpose = licet_bytes_of(w->purpose, w->purpose_len),
                             .recipient = licet_bytes_of(w->recipient, w->recipient_len)};

    if (w->endpoint != LICET_NONE) {
        context.endpoint = licet_image_text(judged, judged->endpoints[w->endpoint].id);
    }
    if (w->credential != LICET_NONE) {
        context.credential = licet_image_text(judged, judged->credentials[w->credential].id);
    }
    if (w->use_case != LICET_NONE) {
        context.use_case = licet_image_text(judged, judged->use_cases[w->use_case].id);
    }
    return recorder_rows_of(image, &context);
}

/* If its batch is not committed the receipt comes again and is charged again: under-use. */
void
recorder_charge_late(licet_recorder *r, const licet_image *judged, const licet_wide *w)
{
    const licet_image *image = licet_store_image(r->store, w->cell);
    const licet_image_version *version;
    licet_scope scope = licet_image_scope(judged, w->app, w->credential, w->use_case, w->registered, w->endpoint);
    recorder_rows rows;

    if (image == NULL || image->header->number == judged->header->number || w->verdict == LICET_VERDICT_REFUSE) {
        return;
    }
    rows = rows_late(image, judged, w);
    if (rows.version == LICET_NONE) {
        return;
    }
    version = &image->versions[rows.version];
    for (uint32_t i = 0; i < version->limits.count; i++) {
        const licet_image_limit *limit = &image->limits[version->limits.first + i];
        licet_bytes kind = licet_image_text(image, image->header->kinds[limit->kind]);
        uint32_t row, window;

        if (recorder_stands_in(image, limit, (licet_flow)w->flow, &rows, w->time_ms, w->time_ms, &row, &window) &&
            !takes_from(judged, w, &scope, licet_image_counter(image, limit, &rows.scope))) {
            recorder_counter_add(r, row, window, weighed(limit, charged_wide(judged, w, kind)), UINT64_MAX);
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
    case LICET_ENTRY_DUPLICATES:
        return recorder_sum_credit(s->r, s->book, entry, err);
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

bool
recorder_sums_book(licet_recorder *r, recorder_book *book, uint64_t time_ms, uint64_t now_ms, licet_error *err)
{
    return recorder_tick(r, now_ms, false, err) && recorder_sums_begin(r, time_ms, err) && sum_book(r, book, err);
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

static bool
learn_change(recorder_book *book, licet_bytes entry, licet_error *err)
{
    licet_change_record record;

    if (!licet_change_decode(entry, &record, err)) {
        return false;
    }
    book->changes_image = record.image;
    book->changes_next = record.number + 1;
    return true;
}

static bool
learn_disclosure(licet_recorder *r, licet_bytes entry, licet_error *err)
{
    licet_disclosure_file files[LICET_DISCLOSURE_FILES_MAX];
    licet_disclosure record;

    if (!licet_disclosure_decode(entry, files, &record, err)) {
        return false;
    }
    r->disclosed = record.identity.sequence > r->disclosed ? record.identity.sequence : r->disclosed;
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
    case LICET_ENTRY_DUPLICATES:
        return recorder_sum_credit(r, book, entry, err);
    case LICET_ENTRY_CHANGE:
        return learn_change(book, entry, err);
    case LICET_ENTRY_ACCEPTANCE:
        return recorder_learn_acceptance(book, entry, err);
    case LICET_ENTRY_DISCLOSURE:
        return learn_disclosure(r, entry, err);
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
