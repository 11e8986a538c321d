/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Window: which span of time the units of a limit add up in.
 *
 *  (1) A window is a number that rises with time, also where a zone sets its clocks back over midnight: window n holds
 *      every instant from its begin to the begin of n + 1, and the begin is the first instant whose local time is not
 *      before the first of the day, month or year.
 *  (2) Local time is computed as if it were UTC, with an offset looked up in the image; nothing is asked of the system.
 */
#include "licet/image.h"

#include <assert.h>

#define DAY_MS UINT64_C(86400000)
#define MONTHS_PER_YEAR 12

/* ---- zones ---------------------------------------------------------------- */

/* Row of the transition in force at time_ms, of a zone that has at least one. */
static uint32_t
transition_at(const licet_image *image, const licet_image_zone *zone, uint64_t time_ms)
{
    uint32_t low = zone->transitions.first, high = low + zone->transitions.count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (image->transitions[middle].from_ms <= time_ms) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

int32_t
licet_zone_offset(const licet_image *image, uint32_t zone, uint64_t time_ms)
{
    return zone == LICET_NONE ? 0 : image->transitions[transition_at(image, &image->zones[zone], time_ms)].offset_s;
}

static uint64_t
shift(uint64_t ms, int64_t by_ms)
{
    return by_ms < 0 && ms < (uint64_t)-by_ms ? 0 : ms + (uint64_t)by_ms;
}

static uint64_t
to_local(const licet_image *image, uint32_t zone, uint64_t time_ms)
{
    return shift(time_ms, (int64_t)licet_zone_offset(image, zone, time_ms) * 1000);
}

/* The first instant whose local time is not before local_ms. */
static uint64_t
from_local(const licet_image *image, uint32_t zone, uint64_t local_ms)
{
    const licet_image_zone *z;
    uint64_t at;

    if (zone == LICET_NONE) {
        return local_ms;
    }
    z = &image->zones[zone];
    for (uint32_t row = transition_at(image, z, shift(local_ms, -(int64_t)(2 * DAY_MS)));; row++) {
        const licet_image_transition *t = &image->transitions[row];
        at = shift(local_ms, -(int64_t)t->offset_s * 1000);
        if (row > z->transitions.first && at < t->from_ms) { /* the clock was set forward over it */
            at = t->from_ms;
        }
        if (row + 1 == z->transitions.first + z->transitions.count || at < t[1].from_ms) {
            return at;
        }
    }
}

/* ---- local periods ---------------------------------------------------------- */

/* Begin of a billing month in local time: its first day, or the last of a shorter month. */
static uint64_t
month_begin(uint32_t month, uint32_t first_day)
{
    uint64_t start = licet_month_start(month), days = (licet_month_start(month + 1) - start) / DAY_MS;

    return start + (first_day < days ? first_day - 1 : days - 1) * DAY_MS;
}

static uint64_t
local_begin(const licet_image_limit *limit, uint32_t window)
{
    switch (limit->per) {
    case LICET_PER_MONTH:
        return month_begin(window, limit->first_day);
    case LICET_PER_YEAR:
        return licet_month_start(window * MONTHS_PER_YEAR);
    default:
        return window * DAY_MS;
    }
}

static uint32_t
local_window(const licet_image_limit *limit, uint64_t local_ms)
{
    uint32_t month;

    switch (limit->per) {
    case LICET_PER_MONTH:
        month = licet_month_of(local_ms);
        return month > 0 && local_ms < month_begin(month, limit->first_day) ? month - 1 : month;
    case LICET_PER_YEAR:
        return licet_month_of(local_ms) / MONTHS_PER_YEAR;
    default:
        return (uint32_t)(local_ms / DAY_MS);
    }
}

/* ---- windows ------------------------------------------------------------------ */

uint32_t
licet_window_of(const licet_image *image, const licet_image_limit *limit, uint64_t time_ms)
{
    uint32_t window;

    assert((limit->per != LICET_PER_SPAN || limit->span_s > 0) &&
           (limit->per != LICET_PER_ROLLING || limit->bucket_s > 0)); /* licet_image_open saw to it */
    switch (limit->per) {
    case LICET_PER_SPAN:
        return (uint32_t)(time_ms / 1000 / limit->span_s);
    case LICET_PER_ROLLING:
        return (uint32_t)(time_ms / 1000 / limit->bucket_s);
    case LICET_PER_CONCURRENT:
    case LICET_PER_TERM:
        return 0;
    default:
        window = local_window(limit, to_local(image, limit->zone, time_ms));
        /* the clock was set back over the begin of the next one */
        return limit->zone != LICET_NONE && from_local(image, limit->zone, local_begin(limit, window + 1)) <= time_ms
                   ? window + 1
                   : window;
    }
}

uint64_t
licet_window_begin_ms(const licet_image *image, const licet_image_limit *limit, uint32_t window)
{
    uint32_t back;

    switch (limit->per) {
    case LICET_PER_SPAN:
        return (uint64_t)window * limit->span_s * 1000;
    case LICET_PER_ROLLING:
        back = licet_image_buckets(limit) - 1;
        return window > back ? (uint64_t)(window - back) * limit->bucket_s * 1000 : 0;
    case LICET_PER_CONCURRENT:
    case LICET_PER_TERM:
        return 0;
    default:
        return from_local(image, limit->zone, local_begin(limit, window));
    }
}

uint64_t
licet_window_end_ms(const licet_image *image, const licet_image_limit *limit, uint32_t window)
{
    switch (limit->per) {
    case LICET_PER_SPAN:
        return ((uint64_t)window + 1) * limit->span_s * 1000;
    case LICET_PER_ROLLING:
        return ((uint64_t)window + 1) * limit->bucket_s * 1000;
    case LICET_PER_CONCURRENT:
    case LICET_PER_TERM:
        return UINT64_MAX;
    default:
        return from_local(image, limit->zone, local_begin(limit, window + 1));
    }
}

/* ---- counting rules ------------------------------------------------------------- */

const licet_image_dedup *
licet_image_dedup_of(const licet_image *image, const licet_image_version *version, uint32_t kind)
{
    for (uint32_t i = 0; i < version->dedups.count; i++) {
        const licet_image_dedup *dedup = &image->dedups[version->dedups.first + i];

        if (dedup->kind == kind) {
            return dedup;
        }
    }
    return NULL;
}

void
licet_image_dedup_window(const licet_image *image, const licet_image_dedup *dedup, uint64_t time_ms,
                         uint64_t *out_from_ms, uint64_t *out_before_ms)
{
    licet_image_limit same = {.per = dedup->per, .zone = dedup->zone, .first_day = dedup->first_day};
    uint32_t window = licet_window_of(image, &same, time_ms);

    *out_from_ms = licet_window_begin_ms(image, &same, window);
    *out_before_ms = licet_window_end_ms(image, &same, window);
}
