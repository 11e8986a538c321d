/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines: the last moment at which something is still in time.
 *
 *  (1) A deadline is the end of a day, half-open: what happens before it is in time. The day from which it is reckoned
 *      does not count. Hours are the exception: they are exact.
 *  (2) Days are those of the zone. A month later is the day of the same number, or the last of a shorter month.
 *  (3) Business days are Monday to Friday that the caller does not name as holidays; if none comes within ten years
 *      there is no deadline (UINT64_MAX).
 */
#include "licet/agreement.h"

#define DAY_MS UINT64_C(86400000)
#define LAST_DAY UINT64_C(2932896) /* 9999-12-31 */
#define SEARCH_DAYS UINT64_C(3653)

/* ---- days of the zone ------------------------------------------------------------------ */

static int64_t
offset_ms(const licet_deadline_days *days, uint64_t time_ms)
{
    return days->image == NULL ? 0 : (int64_t)licet_zone_offset(days->image, days->zone, time_ms) * 1000;
}

static uint64_t
day_of(const licet_deadline_days *days, uint64_t time_ms)
{
    int64_t local = (int64_t)time_ms + offset_ms(days, time_ms);

    return local < 0 ? 0 : (uint64_t)local / DAY_MS;
}

/* When a day of the zone begins. */
static uint64_t
begin_of(const licet_deadline_days *days, uint64_t day)
{
    uint64_t local = day * DAY_MS;
    int64_t begin;

    if (day > LAST_DAY) {
        return UINT64_MAX;
    }
    begin = (int64_t)local - offset_ms(days, local);
    begin = (int64_t)local - offset_ms(days, begin < 0 ? 0 : (uint64_t)begin); /* the offset that holds then */
    return begin < 0 ? 0 : (uint64_t)begin;
}

static uint64_t
end_of(const licet_deadline_days *days, uint64_t day)
{
    return begin_of(days, day + 1);
}

static bool
is_business_day(const licet_deadline_days *days, uint64_t day)
{
    uint64_t weekday = (day + 3) % 7; /* 1970-01-01 was a Thursday; Monday is 0 */

    return weekday < 5 && (days->holiday == NULL || !days->holiday(days->user, day));
}

/* The n-th business day after a day; the last day of all: there is none. */
static uint64_t
business_day_after(const licet_deadline_days *days, uint64_t day, uint32_t n)
{
    uint64_t last = day + (uint64_t)n * 7 + SEARCH_DAYS;

    while (n > 0) {
        if (day >= last || day >= LAST_DAY) {
            return LAST_DAY;
        }
        n -= is_business_day(days, ++day);
    }
    return day;
}

/* ---- months of the zone ------------------------------------------------------------------ */

static uint64_t
month_first(uint64_t month) /* months since 1970-01 */
{
    return licet_month_start((uint32_t)month) / DAY_MS;
}

static uint64_t
month_of(uint64_t day)
{
    return licet_month_of(day * DAY_MS);
}

static uint64_t
months_after(uint64_t day, uint32_t n)
{
    uint64_t month = month_of(day), in_month = day - month_first(month), then = month + n;
    uint64_t len;

    if (day > LAST_DAY || then >= UINT64_C(8030) * 12) {
        return LAST_DAY + 1;
    }
    len = month_first(then + 1) - month_first(then);
    return month_first(then) + (in_month < len ? in_month : len - 1);
}

/* ---- what others call ------------------------------------------------------------------- */

uint64_t
licet_deadline(const licet_deadline_days *days, uint64_t from_ms, uint32_t count, licet_length_unit unit)
{
    uint64_t day = day_of(days, from_ms);

    switch (unit) {
    case LICET_LENGTH_HOURS:
        return from_ms + (uint64_t)count * 3600000;
    case LICET_LENGTH_BUSINESS_DAYS:
        return end_of(days, business_day_after(days, day, count));
    case LICET_LENGTH_WEEKS:
        return end_of(days, day + (uint64_t)count * 7);
    case LICET_LENGTH_MONTHS:
        return end_of(days, months_after(day, count));
    case LICET_LENGTH_YEARS:
        return end_of(days, months_after(day, count * 12));
    default:
        return end_of(days, day + count);
    }
}

uint64_t
licet_covers_begin(const licet_deadline_days *days, licet_covers covers, uint64_t time_ms, uint32_t n)
{
    uint64_t day = day_of(days, time_ms), month = month_of(day);

    switch (covers) {
    case LICET_COVERS_WEEK:
        day = (day + 3) / 7 * 7;
        return begin_of(days, (day < 3 ? 0 : day - 3) + (uint64_t)n * 7);
    case LICET_COVERS_QUARTER:
        return begin_of(days, month_first(month - month % 3 + (uint64_t)n * 3));
    case LICET_COVERS_YEAR:
        return begin_of(days, month_first(month - month % 12 + (uint64_t)n * 12));
    default:
        return begin_of(days, month_first(month + n));
    }
}

uint64_t
licet_due_of(const licet_deadline_days *days, licet_covers covers, const licet_due *due, uint64_t time_ms)
{
    uint64_t end = licet_covers_begin(days, covers, time_ms, 1);
    uint64_t day, first, len;

    if (end == UINT64_MAX || end == 0) {
        return UINT64_MAX;
    }
    if (due->kind == LICET_DUE_AFTER) { /* reckoned from the last day of the period */
        return licet_deadline(days, end - 1, due->count, (licet_length_unit)due->unit);
    }
    day = day_of(days, end - 1);
    first = month_first(month_of(day) + 1);
    if (due->kind == LICET_DUE_BUSINESS_DAY) {
        return end_of(days, business_day_after(days, first - 1, due->count));
    }
    len = month_first(month_of(day) + 2) - first;
    return end_of(days, first + (due->count < len ? due->count : len) - 1);
}
