/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Use against limits, from the hours of the usage tables.
 *
 *  (1) A window that is made of full hours is counted exactly and as a whole,
 *      also where the period cuts it. A shorter one is not kept in the tables:
 *      its use is not known here, and not guessed.
 *  (2) What counts against a limit is what was delivered, and of unmetered
 *      responses what stays charged beyond that.
 *  (3) A version inherits what its windows held before it, and answers for
 *      nothing that a later version let through.
 */
#include "gather.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_MS UINT64_C(3600000)
#define LIMIT_SPAN_MAX_MS (UINT64_C(1) << 48)

uint64_t
report_version_end(const licet_image *image, uint32_t version)
{
    const licet_image_version *v = &image->versions[version];
    uint64_t end = v->then == LICET_THEN_REFUSE ? v->before_ms : UINT64_MAX;

    for (uint32_t i = 0; i < image->header->versions_len; i++) {
        const licet_image_version *other = &image->versions[i];

        if (other->from_ms > v->from_ms && other->from_ms < end) {
            end = other->from_ms;
        }
    }
    return end;
}

static uint64_t
window_start_ms(const licet_image *image, const licet_image_limit *limit, uint32_t window)
{
    return licet_window_begin_ms(image, limit, window);
}

static size_t
find_kind(const gathered *g, uint32_t kind)
{
    const licet_image *image = g->options->image;
    licet_bytes name = licet_image_text(image, image->header->kinds[kind]);

    for (size_t i = 0; i < g->kinds_len; i++) {
        if (licet_bytes_equal(g->kinds[i], name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* The tables keep full hours of UTC by app: what they tell of a limit, and no guess of what they do not. */
static bool
hours_tell(const licet_image *image, const licet_image_limit *limit)
{
    bool whole = limit->per == LICET_PER_MONTH || limit->per == LICET_PER_YEAR ||
                 (limit->per == LICET_PER_SPAN && limit->span_s % 3600 == 0);

    return whole && (limit->zone == LICET_NONE || image->header->zones_len == 0) && limit->over <= LICET_OVER_APP &&
           limit->flow != LICET_FLOW_PASSED_ON && limit->classes == 0 && limit->purposes.count == 0 &&
           limit->products.count == 0 && limit->apps.count == 0;
}

/* The limit of a version that is in force within [from, before) of the period. */
static void
make_limit(const gathered *g, const licet_image_version *version, const licet_image_limit *limit, uint64_t from,
           uint64_t before, gathered_limit *out)
{
    const licet_image *image = g->options->image;

    *out = (gathered_limit){.version = version, .limit = limit, .kind = find_kind(g, limit->kind)};
    out->derivable = hours_tell(image, limit);
    out->from_ms = from;
    out->before_ms = before;
    if (out->derivable) {
        out->from_ms = window_start_ms(image, limit, licet_window_of(image, limit, from));
        out->before_ms = licet_window_end_ms(image, limit, licet_window_of(image, limit, before - 1));
        if (out->before_ms > LIMIT_SPAN_MAX_MS) {
            out->before_ms = LIMIT_SPAN_MAX_MS / HOUR_MS * HOUR_MS;
        }
    }
}

bool
gathered_limits_make(gathered *g, licet_error *err)
{
    const licet_image *image = g->options->image;

    if (image == NULL || image->header->limits_len == 0) {
        return true;
    }
    g->limits = calloc(image->header->limits_len, sizeof(*g->limits));
    if (g->limits == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u limits", image->header->limits_len);
    }
    for (uint32_t v = 0; v < image->header->versions_len; v++) {
        const licet_image_version *version = &image->versions[v];
        uint64_t end = report_version_end(image, v);
        uint64_t from = version->from_ms > g->options->from_ms ? version->from_ms : g->options->from_ms;
        uint64_t before = end < g->options->before_ms ? end : g->options->before_ms;

        for (uint32_t i = 0; from < before && i < version->limits.count && g->limits_len < image->header->limits_len;
             i++) {
            make_limit(g, version, &image->limits[version->limits.first + i], from, before,
                       &g->limits[g->limits_len++]);
        }
    }
    return true;
}

void
gathered_limits_span(const gathered *g, uint64_t *from_ms, uint64_t *before_ms)
{
    *from_ms = g->options->from_ms;
    *before_ms = g->options->before_ms;
    for (size_t i = 0; i < g->limits_len; i++) {
        const gathered_limit *l = &g->limits[i];

        if (l->derivable) {
            *from_ms = l->from_ms < *from_ms ? l->from_ms : *from_ms;
            *before_ms = l->before_ms > *before_ms ? l->before_ms : *before_ms;
        }
    }
    *from_ms = *from_ms / HOUR_MS * HOUR_MS;
    *before_ms = (*before_ms + HOUR_MS - 1) / HOUR_MS * HOUR_MS;
}

static bool
endpoint_of(const gathered *g, const licet_image_limit *limit, licet_bytes endpoint)
{
    const licet_image *image = g->options->image;

    for (uint32_t i = 0; i < limit->endpoints.count; i++) {
        uint32_t row = image->limit_endpoints[limit->endpoints.first + i];

        if (licet_bytes_equal(licet_image_text(image, image->endpoints[row].id), endpoint)) {
            return true;
        }
    }
    return limit->endpoints.count == 0;
}

/* What a row adds to a limit's window. */
static uint64_t
amount_of(const gathered *g, const gathered_limit *l, const licet_usage_row *row)
{
    static const char held[] = "held:";
    const char *unit = (const char *)row->unit.data;

    if (l->limit->kind == LICET_KIND_REQUEST) {
        return licet_bytes_equal_text(row->unit, "request") ? row->units : 0;
    }
    if (l->kind == SIZE_MAX || row->unit.len == 0) {
        return 0;
    }
    if (licet_bytes_equal(row->unit, g->kinds[l->kind])) {
        return row->units;
    }
    if (row->unit.len > strlen(held) && memcmp(unit, held, strlen(held)) == 0 &&
        licet_bytes_equal(licet_bytes_of(unit + strlen(held), row->unit.len - strlen(held)), g->kinds[l->kind])) {
        return row->beyond;
    }
    return 0;
}

/* When the version that admitted a row is in force from; 0: no version of the image, which none here is later than. */
static uint64_t
admitted_from_ms(const licet_image *image, const licet_usage_row *row)
{
    for (uint32_t i = 0; i < image->header->versions_len; i++) {
        if (licet_bytes_equal(licet_image_text(image, image->versions[i].id), row->context.version)) {
            return image->versions[i].from_ms;
        }
    }
    return 0;
}

static void
end_window(gathered_limit *l, size_t place)
{
    if (l->now[place].used > l->highest) {
        l->any = true;
        l->highest = l->now[place].used;
        l->highest_window = l->now[place].window;
        l->highest_app = l->limit->over == LICET_OVER_APP ? place : TALLY_NONE;
    }
    l->now[place].used = 0;
}

static bool
use(gathered_limit *l, size_t place, uint32_t window, uint64_t amount, licet_error *err)
{
    if (place >= l->now_len) {
        size_t len = 2 * place + 8;
        struct gathered_window *now = realloc(l->now, len * sizeof(*now));

        if (now == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the windows of %zu apps", len);
        }
        memset(now + l->now_len, 0, (len - l->now_len) * sizeof(*now));
        l->now = now;
        l->now_len = len;
    }
    if (l->now[place].window != window) {
        end_window(l, place);
        l->now[place].window = window;
    }
    return tally_count(&l->now[place].used, amount, err);
}

static bool
is_limit_refusal(const gathered *g, const gathered_limit *l, const licet_usage_row *row)
{
    const licet_image *image = g->options->image;

    return row->unit.len == 0 && row->verdict == LICET_VERDICT_REFUSE &&
           (row->reason == LICET_REASON_RATE_LIMIT || row->reason == LICET_REASON_CAP_REACHED ||
            row->reason == LICET_REASON_QUOTA_HELD) &&
           l->limit->clause != LICET_NONE &&
           licet_bytes_equal(row->context.clause, licet_image_text(image, image->clauses[l->limit->clause].key)) &&
           licet_bytes_equal(row->context.version, licet_image_text(image, l->version->id));
}

bool
gathered_limits_row(gathered *g, const licet_usage_row *row, size_t app, bool in_period, licet_error *err)
{
    uint64_t admitted_from = g->limits_len > 0 ? admitted_from_ms(g->options->image, row) : 0;

    for (size_t i = 0; i < g->limits_len; i++) {
        gathered_limit *l = &g->limits[i];
        uint64_t amount;

        if (in_period && is_limit_refusal(g, l, row) && !tally_count(&l->refused, row->requests, err)) {
            return false;
        }
        if (!l->derivable || row->hour_ms < l->from_ms || row->hour_ms >= l->before_ms ||
            admitted_from > l->version->from_ms) {
            continue;
        }
        amount = amount_of(g, l, row);
        if (amount > 0 && endpoint_of(g, l->limit, row->context.endpoint) &&
            !use(l, l->limit->over == LICET_OVER_APP ? app : TALLY_NONE,
                 licet_window_of(g->options->image, l->limit, row->hour_ms), amount, err)) {
            return false;
        }
    }
    return true;
}

void
gathered_limits_credit(gathered *g, const licet_usage_row *row, size_t app)
{
    uint64_t admitted_from = g->limits_len > 0 ? admitted_from_ms(g->options->image, row) : 0;

    for (size_t i = 0; i < g->limits_len; i++) {
        gathered_limit *l = &g->limits[i];
        size_t place = l->limit->over == LICET_OVER_APP ? app : TALLY_NONE;
        uint64_t amount = l->limit->deduplicated != 0 ? amount_of(g, l, row) : 0;

        if (amount > 0 && l->derivable && row->hour_ms >= l->from_ms && row->hour_ms < l->before_ms &&
            admitted_from <= l->version->from_ms && endpoint_of(g, l->limit, row->context.endpoint) &&
            place < l->now_len && l->now[place].window == licet_window_of(g->options->image, l->limit, row->hour_ms)) {
            l->now[place].used -= amount < l->now[place].used ? amount : l->now[place].used;
        }
    }
}

void
gathered_limits_end(gathered *g)
{
    for (size_t i = 0; i < g->limits_len; i++) {
        for (size_t place = 0; place < g->limits[i].now_len; place++) {
            end_window(&g->limits[i], place);
        }
    }
}
