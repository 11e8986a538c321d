/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of a request, a second time: which bind it, which window and counter they add to and how much they take,
 * written from the words of image.h and sharing nothing with scope.c and window.c.
 *
 *  (1) A window is never left backwards: where a clock is set back, an instant lies in the window of the furthest local
 *      time that was shown until then. Local dates are found by counting years and months from 1970.
 *  (2) Each counter is found by asking who the request is of, then by looking that one up in the table of all of them.
 */
#include "decide_ref.h"

#include <string.h>

#define DAY UINT64_C(86400000)

static bool
same(const licet_image *image, licet_text text, licet_bytes bytes)
{
    return text.len == bytes.len && (text.len == 0 || memcmp(image->strings + text.offset, bytes.data, text.len) == 0);
}

static bool
is_in(uint32_t row, licet_range range)
{
    return row != LICET_NONE && row >= range.first && row < (uint64_t)range.first + range.count;
}

/* ---- windows --------------------------------------------------------------- */

/* The furthest that clocks of the zone have shown up to a time, in ms since 1970 as if they were UTC's. */
static uint64_t
furthest_shown(const licet_image *image, uint32_t zone, uint64_t time)
{
    const licet_image_transition *changes;
    int64_t offset, furthest;

    if (zone == LICET_NONE) {
        return time;
    }
    changes = image->transitions + image->zones[zone].transitions.first;
    offset = changes[0].offset_s;
    furthest = INT64_MIN;
    for (uint32_t i = 1; i < image->zones[zone].transitions.count; i++) {
        if (changes[i].from_ms <= time) {
            int64_t until_then = (int64_t)changes[i].from_ms - 1 + offset * 1000;

            furthest = until_then > furthest ? until_then : furthest;
            offset = changes[i].offset_s;
        }
    }
    furthest = (int64_t)time + offset * 1000 > furthest ? (int64_t)time + offset * 1000 : furthest;
    return furthest > 0 ? (uint64_t)furthest : 0;
}

static uint32_t
days_of_month(uint32_t year, uint32_t month)
{
    static const uint32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 1 && leap ? 29 : days[month];
}

static uint32_t
window_of(const licet_image *image, const licet_image_limit *limit, uint64_t time)
{
    uint32_t days, day, year = 1970, month = 0, first;

    if (limit->per == LICET_PER_SPAN) {
        return (uint32_t)(time / (UINT64_C(1000) * limit->span_s));
    }
    if (limit->per == LICET_PER_ROLLING) {
        return (uint32_t)(time / (UINT64_C(1000) * limit->bucket_s));
    }
    if (limit->per == LICET_PER_CONCURRENT || limit->per == LICET_PER_TERM) {
        return 0;
    }
    days = day = (uint32_t)(furthest_shown(image, limit->zone, time) / DAY);
    while (day >= days_of_month(year, month)) {
        day -= days_of_month(year, month);
        month = (month + 1) % 12;
        year += month == 0;
    }
    if (limit->per == LICET_PER_DAY) {
        return days;
    }
    if (limit->per == LICET_PER_YEAR) {
        return year - 1970;
    }
    first = limit->first_day < days_of_month(year, month) ? limit->first_day : days_of_month(year, month);
    month += (year - 1970) * 12;
    return day + 1 < first && month > 0 ? month - 1 : month;
}

/* ---- which limits --------------------------------------------------------------- */

static bool
endpoint_fits(const licet_image *image, const licet_image_limit *limit, uint32_t endpoint)
{
    bool here = limit->endpoints.count == 0;

    for (uint32_t i = 0; i < limit->endpoints.count; i++) {
        here = here || image->limit_endpoints[limit->endpoints.first + i] == endpoint;
    }
    return here;
}

static bool
purpose_fits(const licet_image *image, const licet_image_limit *limit, licet_bytes purpose)
{
    bool fits = limit->purposes.count == 0;

    for (uint32_t i = 0; i < limit->purposes.count; i++) {
        fits = fits || same(image, image->limit_purposes[limit->purposes.first + i], purpose);
    }
    return fits;
}

/* Some of the recipient or of what it is part of has one of the classes. */
static bool
class_fits(const licet_image *image, const licet_image_limit *limit, uint32_t recipient)
{
    bool fits = limit->classes == 0;

    for (uint32_t i = 0; recipient != LICET_NONE && i <= LICET_PART_OF_MAX; i++) {
        fits = fits || (limit->classes & 1u << image->recipients[recipient].kind) != 0;
        recipient = image->recipients[recipient].part_of;
    }
    return fits;
}

static bool
binds(const licet_image *image, const licet_image_limit *limit, const licet_facts *facts, const licet_verdict *v)
{
    bool flow = limit->flow == LICET_NONE || limit->flow == (uint32_t)facts->flow;
    bool app = limit->apps.count == 0 || is_in(facts->app, limit->apps);
    bool product = limit->products.count == 0 || is_in(v->product, limit->products);

    return flow && app && product && endpoint_fits(image, limit, v->endpoint) &&
           purpose_fits(image, limit, v->purpose) && class_fits(image, limit, v->registered);
}

/* ---- which counter, and how much ---------------------------------------------------- */

static uint32_t
country_of(const licet_image *image, uint32_t recipient)
{
    licet_text country = image->recipients[recipient].country;

    for (uint32_t i = 0; i < image->header->countries_len; i++) {
        if (same(image, image->countries[i], licet_bytes_of(image->strings + country.offset, country.len))) {
            return i;
        }
    }
    return LICET_NONE;
}

static uint32_t
counter_of(const licet_image *image, const licet_image_limit *limit, const licet_facts *facts, const licet_verdict *v)
{
    const uint32_t *counters = image->limit_counters + limit->counters.first;
    uint32_t who = LICET_NONE, all = 0;

    switch ((licet_over)limit->over) {
    case LICET_OVER_LICENSEE:
        return counters[0];
    case LICET_OVER_APP:
        return counters[facts->app];
    case LICET_OVER_CREDENTIAL:
        who = facts->credential;
        all = image->header->credentials_len;
        break;
    case LICET_OVER_PRODUCT:
        who = v->product;
        all = image->header->products_len;
        break;
    case LICET_OVER_USE_CASE:
        who = v->use_case;
        all = image->header->use_cases_len;
        break;
    case LICET_OVER_RECIPIENT: /* with all that is part of it */
        who = v->registered;
        for (uint32_t i = 0; who != LICET_NONE && i < LICET_PART_OF_MAX; i++) {
            who = image->recipients[who].part_of;
        }
        all = image->header->recipients_len;
        break;
    case LICET_OVER_COUNTRY:
        who = v->registered == LICET_NONE ? LICET_NONE : country_of(image, v->registered);
        all = image->header->countries_len;
        break;
    case LICET_OVER_ENDPOINT:
        who = v->endpoint == LICET_NONE ? LICET_NONE : v->endpoint - image->versions[v->version].endpoints.first;
        all = image->versions[v->version].endpoints.count;
        break;
    }
    return counters[who == LICET_NONE ? all : who];
}

static uint64_t
most_of(const licet_image *image, const licet_image_limit *limit, uint64_t time)
{
    uint64_t paid = 0;

    for (uint32_t i = 0; i < image->header->payments_len; i++) {
        paid += image->payments[i].from_ms <= time ? image->payments[i].amount : 0;
    }
    return limit->payments ? paid : limit->most;
}

static uint64_t
times(uint64_t units, uint64_t weight)
{
    __extension__ unsigned __int128 product = (unsigned __int128)units * weight;

    return product > UINT64_MAX ? UINT64_MAX : (uint64_t)product;
}

bool
licet_amounts_ref(const licet_image *image, const licet_facts *facts, bool in_force, licet_verdict *v)
{
    bool counted[LICET_KINDS_MAX] = {[LICET_KIND_REQUEST] = true, [LICET_KIND_BYTE] = true};
    licet_range limits = image->versions[v->version].limits;

    if (facts->handed != NULL) {
        counted[LICET_KIND_REQUEST] = facts->handed->kind == LICET_KIND_REQUEST;
        counted[facts->handed->kind] = true;
        v->reserve[LICET_KIND_BYTE] = facts->handed->bytes;
        v->reserve[facts->handed->kind] = facts->handed->units;
    } else {
        v->reserve[LICET_KIND_REQUEST] = 1;
    }
    for (uint32_t i = 0; v->endpoint != LICET_NONE && i < image->endpoints[v->endpoint].counts.count; i++) {
        const licet_image_count *count = &image->counts[image->endpoints[v->endpoint].counts.first + i];

        counted[count->kind] = true;
        if (!licet_page_ref(image, count, facts->query, &v->reserve[count->kind])) {
            return false;
        }
    }
    for (uint32_t row = 0; in_force && row < image->header->limits_len; row++) {
        const licet_image_limit *limit = &image->limits[row];
        bool observed = limit->clause != LICET_NONE && image->clauses[limit->clause].mode == LICET_MODE_OBSERVE;

        if (!is_in(row, limits) || !counted[limit->kind] || !binds(image, limit, facts, v)) {
            continue;
        }
        if (limit->kind == LICET_KIND_BYTE && facts->handed == NULL) {
            v->reserve[LICET_KIND_BYTE] = 1;
        }
        v->limits[v->limits_len++] = (licet_verdict_limit){.limit = row,
                                                           .counter = counter_of(image, limit, facts, v),
                                                           .kind = limit->kind,
                                                           .window = window_of(image, limit, facts->time_ms),
                                                           .amount = times(v->reserve[limit->kind], limit->weight),
                                                           .most = most_of(image, limit, facts->time_ms),
                                                           .weight = limit->weight,
                                                           .observe = observed};
    }
    return true;
}
