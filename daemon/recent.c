/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recent decisions, for those who watch: a ring of the newest, as they were
 * journalled, told as JSON lines.
 *
 *  (1) The ring is bounded; what is told is a courtesy, the ledger is the truth.
 *  (2) What is left of a limit is looked up only while somebody watches.
 */
#include "lines.h"
#include "rooms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_MS 5000

bool
recorder_recent_init(licet_recorder *r, licet_error *err)
{
    r->recent = calloc(RECORDER_RECENT_LEN, sizeof(*r->recent));
    return r->recent != NULL || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for recent decisions");
}

/* What is left of the counted limit that has the least left; UINT64_MAX when none binds. Requests only when no limit
 * on counted units binds. */
static uint64_t
remaining(licet_recorder *r, const licet_image *image, const licet_wide *w)
{
    const licet_image_version *version = &image->versions[w->version];
    licet_scope scope = licet_image_scope(image, w->app, w->credential, w->use_case, w->registered, w->endpoint);
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; i < version->limits.count; i++) {
        const licet_image_limit *limit = &image->limits[version->limits.first + i];
        uint32_t counter = licet_image_counter(image, limit, &scope);
        uint64_t taken, most, left;

        if (limit->kind <= LICET_KIND_BYTE || counter == LICET_NONE || counter >= licet_gate_counters(r->gate->gate) ||
            !licet_image_limit_covers(image, limit, (licet_flow)w->flow, licet_bytes_of(w->purpose, w->purpose_len),
                                      &scope)) {
            continue;
        }
        taken = licet_gate_used(r->gate->gate, limit, counter, licet_window_of(image, limit, w->time_ms)).taken;
        most = licet_image_most(image, limit, w->time_ms);
        left = (taken < most ? most - taken : 0) / limit->weight;
        least = left < least ? left : least;
    }
    return least;
}

void
recorder_recent_add(licet_recorder *r, uint64_t number, const licet_wide *wide)
{
    recorder_recent *recent = &r->recent[r->recent_len++ % RECORDER_RECENT_LEN];
    const licet_image *image;

    recent->number = number;
    recent->wide = *wide;
    recent->remaining = UINT64_MAX;
    if (r->gate == NULL || wide->time_ms > r->watched_until) {
        return;
    }
    image = licet_store_image_number(r->store, wide->image);
    if (image != NULL) {
        recent->remaining = remaining(r, image, wide);
    }
}

uint64_t
licet_recorder_recent_last(const licet_recorder *r)
{
    return r->recent_len > 0 ? r->recent[(r->recent_len - 1) % RECORDER_RECENT_LEN].number : 0;
}

/* ---- JSON --------------------------------------------------------------------------- */

static void
put_row(licet_buffer *out, const licet_image *image, const char *key, uint32_t row, const licet_text *text)
{
    if (row == LICET_NONE) {
        licet_put_format(out, "\"%s\":null,", key);
    } else {
        licet_lines_put_string(out, key, licet_image_text(image, *text));
        licet_put_u8(out, ',');
    }
}

/* Texts that came with the request or stand in the image; null: none. */
static void
put_name(licet_buffer *out, const char *key, licet_bytes name)
{
    if (name.len == 0) {
        licet_put_format(out, "\"%s\":null,", key);
    } else {
        licet_lines_put_string(out, key, name);
        licet_put_u8(out, ',');
    }
}

static licet_bytes
product_of(const licet_image *image, const licet_wide *w)
{
    uint32_t product = w->use_case == LICET_NONE ? LICET_NONE : image->use_cases[w->use_case].product;

    return product == LICET_NONE ? (licet_bytes){NULL, 0} : licet_image_text(image, image->products[product]);
}

static void
put_units(licet_buffer *out, const licet_image *image, const licet_wide *w)
{
    bool first = true;

    licet_put_bytes(out, LICET_BYTES_LITERAL("\"units\":{"));
    for (uint32_t kind = LICET_KIND_BYTE + 1; kind < image->header->kinds_len; kind++) {
        licet_bytes name = licet_image_text(image, image->header->kinds[kind]);

        if (w->units[kind] > 0) {
            licet_put_format(out, "%s\"%.*s\":%llu", first ? "" : ",", (int)name.len, (const char *)name.data,
                             (unsigned long long)w->units[kind]);
            first = false;
        }
    }
    licet_put_bytes(out, LICET_BYTES_LITERAL("},"));
}

static void
put_line(licet_recorder *r, const recorder_recent *recent, const licet_image *image, licet_buffer *out)
{
    const licet_wide *w = &recent->wide;
    char time[LICET_TIME_TEXT], decision[LICET_DECISION_TEXT];

    licet_time_format(w->time_ms, time);
    licet_decision_id(r->keys.decision, w->identity, decision);
    licet_put_format(out, "{\"number\":%llu,\"time\":\"%s\",\"decision\":\"%s\",", (unsigned long long)recent->number,
                     time, decision);
    if (w->has_peer == 1) {
        licet_hex(w->peer, sizeof(w->peer), decision);
        licet_put_format(out, "\"peer\":\"%s\",", decision);
    }
    licet_lines_put_string(out, "agreement", licet_image_text(image, image->header->agreement));
    licet_put_u8(out, ',');
    put_row(out, image, "app", w->app, &image->apps[w->app].id);
    put_name(out, "product", product_of(image, w));
    put_row(out, image, "use_case", w->use_case, w->use_case == LICET_NONE ? NULL : &image->use_cases[w->use_case].id);
    put_name(out, "purpose", licet_bytes_of(w->purpose, w->purpose_len));
    put_name(out, "recipient", licet_bytes_of(w->recipient, w->recipient_len));
    put_row(out, image, "endpoint", w->endpoint, w->endpoint == LICET_NONE ? NULL : &image->endpoints[w->endpoint].id);
    put_row(out, image, "clause", w->clause, w->clause == LICET_NONE ? NULL : &image->clauses[w->clause].key);
    licet_put_format(out, "\"status\":%u,\"verdict\":\"%s\",\"reason\":\"%s\",\"bytes\":%llu,", w->status,
                     licet_verdict_name((licet_verdict_kind)w->verdict), licet_reason_slug((licet_reason)w->reason),
                     (unsigned long long)w->bytes);
    put_units(out, image, w);
    if (recent->remaining == UINT64_MAX) {
        licet_put_bytes(out, LICET_BYTES_LITERAL("\"remaining\":null,"));
    } else {
        licet_put_format(out, "\"remaining\":%llu,", (unsigned long long)recent->remaining);
    }
    licet_put_format(out, "\"ending\":\"%s\",", licet_ending_text((licet_ending)w->ending));
    if (w->unmetered == LICET_UNMETERED_NONE) {
        licet_put_bytes(out, LICET_BYTES_LITERAL("\"unmetered\":null}\n"));
    } else {
        licet_put_format(out, "\"unmetered\":\"%s\"}\n", licet_unmetered_slug((licet_unmetered)w->unmetered));
    }
}

/* The oldest kept one with a greater number; numbers rise. */
static uint64_t
first_behind(const licet_recorder *r, uint64_t after)
{
    uint64_t low = r->recent_len > RECORDER_RECENT_LEN ? r->recent_len - RECORDER_RECENT_LEN : 0, high = r->recent_len;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (r->recent[middle % RECORDER_RECENT_LEN].number > after) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

bool
licet_recorder_recent(licet_recorder *r, uint64_t after, uint32_t most, uint64_t now_ms, licet_buffer *out,
                      uint64_t *out_last, licet_error *err)
{
    uint64_t at = first_behind(r, after);

    r->watched_until = now_ms + WATCH_MS;
    *out_last = after;
    for (uint32_t n = 0; at < r->recent_len && n < most; at++, n++) {
        const recorder_recent *recent = &r->recent[at % RECORDER_RECENT_LEN];
        const licet_image *image = licet_store_image_number(r->store, recent->wide.image);

        if (image != NULL) {
            put_line(r, recent, image, out);
        }
        *out_last = recent->number;
    }
    return !out->failed || LICET_FAIL(err, LICET_E_LIMIT, 0, "the decisions take more than %zu bytes", out->ceiling);
}
