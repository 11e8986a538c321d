/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Duplicates: which ids are compared with which, where the set of seen ids is,
 * and what a credit gives back.
 *
 *  (1) The window and scope of a response are decided here, before the journal, with the image that judged it; behind
 *      the journal no image is asked, so that a replay finds the same duplicates.
 *  (2) A response is charged with all its units when they are delivered. A credit comes behind the journal and gives
 *      back to the counters of limits that count deduplicated: what is in doubt is under-use, never over-use. A death
 *      between the two leaves what a batch would have given back charged until its window ends.
 *  (3) The set is committed behind the ledgers, and is made anew from the journal where it is lost, spoiled or ahead of
 *      a ledger.
 *  (4) Ids of responses under way wait in memory. Where they are too many, the response that has most is given up on:
 *      its units count gross, by an entry of the journal.
 */
#include "rooms.h"

#include <stdio.h>
#include <string.h>

#define GATHERED_MAX ((uint64_t)256 << 20)
#define SCOPE_MAX LICET_SEEN_SCOPE_MAX

/* ---- before the journal ---------------------------------------------------------------- */

static licet_bytes
scope_of(const licet_image *image, const licet_image_dedup *dedup, const licet_wide *w, char out[SCOPE_MAX + 1])
{
    licet_bytes app = licet_image_text(image, image->apps[w->app].id), credential = {NULL, 0};
    int len;

    if (dedup->over == LICET_OVER_LICENSEE) {
        return credential;
    }
    if (dedup->over == LICET_OVER_APP) {
        return app;
    }
    if (w->credential != LICET_NONE) {
        credential = licet_image_text(image, image->credentials[w->credential].id);
    }
    len = snprintf(out, SCOPE_MAX + 1, "%.*s/%.*s", (int)app.len, (const char *)app.data, (int)credential.len,
                   (const char *)credential.data);
    return licet_bytes_of(out, (size_t)len);
}

static bool
stage(licet_recorder *r, const licet_seen_window *window, const licet_seen_copy *copy, uint32_t count, licet_error *err)
{
    r->scratch.len = 0;
    if (!licet_journal_put_compare(&r->scratch, window, copy, count)) {
        r->scratch.failed = false;
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for ids to compare");
    }
    return recorder_stage(r, LICET_JOURNAL_COMPARE, licet_buffer_view(&r->scratch), NULL, err);
}

bool
recorder_stage_compare(licet_recorder *r, recorder_book *book, const licet_image *image, const licet_wide *w,
                       const licet_receipt *receipt, licet_error *err)
{
    const licet_image_version *version = &image->versions[w->version];
    licet_seen_copy copy = {receipt->time_ms, receipt->identity, receipt->context};
    char scope[SCOPE_MAX + 1];

    for (uint32_t i = 0; i < version->dedups.count && w->unmetered == LICET_UNMETERED_NONE; i++) {
        const licet_image_dedup *dedup = &image->dedups[version->dedups.first + i];
        licet_seen_window window = {
            .ledger = book->cell, .flow = (uint8_t)receipt->flow, .scope = scope_of(image, dedup, w, scope)};
        uint64_t units = w->units[dedup->kind];

        if (units == 0 || units > UINT32_MAX) {
            continue;
        }
        licet_image_dedup_window(image, dedup, copy.time_ms, &window.from_ms, &window.before_ms);
        if (!recorder_unit(r, book, licet_image_text(image, image->header->kinds[dedup->kind]), &window.unit, err) ||
            !stage(r, &window, &copy, (uint32_t)units, err)) {
            return false;
        }
    }
    return true;
}

/* (4) */
bool
recorder_gathered_bound(licet_recorder *r, licet_error *err)
{
    licet_seen_window window = {.before_ms = 1};
    licet_seen_copy copy = {.time_ms = 0};

    if (licet_fold_gathered(r->fold, &window.ledger, &copy.identity, &window.unit) <= GATHERED_MAX) {
        return true;
    }
    recorder_say(r, LICET_LOG_WARNING, "more ids of responses under way than fit: those of sequence %llu count gross",
                 (unsigned long long)copy.identity.sequence);
    return stage(r, &window, &copy, 0, err);
}

/* ---- the set ----------------------------------------------------------------------------- */

/* (3) */
static bool
is_ahead(const licet_recorder *r, const licet_seen *seen)
{
    for (uint32_t i = 0; i < r->books_len; i++) {
        const recorder_book *book = r->books[i];

        if (book->ledger == NULL ? seen->ops->has(seen, i) : book->folded < seen->folded) {
            return true;
        }
    }
    return false;
}

bool
recorder_seen_open(licet_recorder *r, licet_error *err)
{
    char path[PATH_MAX];
    licet_error why = {0};
    uint64_t seed;

    if (!recorder_path(r, path, err, "data/dedup") || !licet_random((uint8_t *)&seed, sizeof(seed), err)) {
        return false;
    }
    if (!licet_seen_file_open(path, seed, &r->seen, &why)) {
        if (why.code != LICET_E_CORRUPT && why.code != LICET_E_UNSUPPORTED) {
            return LICET_FAIL(err, why.code, 0, "%s", why.text);
        }
        recorder_say(r, LICET_LOG_WARNING, "%s; the set of seen ids is made anew from the journal", why.text);
        if (!licet_seen_file_remove(path, err) || !licet_seen_file_open(path, seed, &r->seen, err)) {
            return false;
        }
    }
    if (is_ahead(r, r->seen)) {
        recorder_say(r, LICET_LOG_WARNING, "%s: it knows more than a ledger; it is made anew from the journal", path);
        if (!r->seen->ops->clear(r->seen, err)) {
            return false;
        }
    }
    licet_fold_use(r->fold, r->seen);
    return true;
}

uint64_t
recorder_seen_needs(const licet_recorder *r)
{
    return r->seen->resume > 0 ? r->seen->resume - 1 : r->seen->folded;
}

/* ---- behind the journal --------------------------------------------------------------------- */

static uint64_t
weighed(const licet_image_limit *limit, uint64_t units)
{
    uint64_t product;

    return __builtin_mul_overflow(units, limit->weight, &product) ? UINT64_MAX : product;
}

typedef void (*give_units)(licet_recorder *r, uint32_t row, uint32_t window, uint64_t units);

static void
give(licet_recorder *r, const recorder_book *book, const licet_duplicates *credit, const recorder_rows *rows,
     uint64_t now_ms, give_units to)
{
    const licet_image *image = licet_store_image(r->store, book->cell);
    const char *unit =
        credit->unit >= 1 && credit->unit <= book->names.units_len ? book->names.units[credit->unit - 1] : "";
    const licet_range *limits =
        image != NULL && rows->version != LICET_NONE ? &image->versions[rows->version].limits : NULL;

    for (uint32_t i = 0; limits != NULL && i < limits->count; i++) {
        const licet_image_limit *limit = &image->limits[limits->first + i];
        licet_bytes kind = licet_image_text(image, image->header->kinds[limit->kind]);
        uint32_t row, window;

        if (limit->deduplicated != 0 && licet_bytes_equal_text(kind, unit) &&
            recorder_stands_in(image, limit, credit->flow, rows, credit->time_ms, now_ms, &row, &window)) {
            to(r, row, window, weighed(limit, credit->count));
        }
    }
}

static void
give_live(licet_recorder *r, uint32_t row, uint32_t window, uint64_t units)
{
    licet_gate_credit(r->gate->gate, row, window, units);
}

bool
recorder_credit(licet_recorder *r, recorder_book *book, licet_bytes entry, licet_error *err)
{
    const licet_image *image = licet_store_image(r->store, book->cell);
    licet_duplicates credit;
    licet_context context;
    recorder_rows rows;

    if (!licet_duplicates_decode(entry, &credit, err)) {
        return false;
    }
    r->credited += credit.count;
    if (r->gate == NULL || image == NULL || !recorder_names_context(&book->names, credit.context, &context)) {
        return true;
    }
    rows = recorder_rows_of(image, &context);
    give(r, book, &credit, &rows, r->round_ms, give_live);
    return true;
}

bool
recorder_sum_credit(licet_recorder *r, const recorder_book *book, licet_bytes entry, licet_error *err)
{
    licet_duplicates credit;

    if (!licet_duplicates_decode(entry, &credit, err)) {
        return false;
    }
    if (r->sums != NULL && credit.context < book->names.rows_len) {
        give(r, book, &credit, &book->names.rows[credit.context], r->sums_now, recorder_sum_take);
    }
    return true;
}
