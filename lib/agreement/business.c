/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Business days: holidays by rule, and deadlines; see business.h.
 */
#include "business.h"

#define MS_PER_HOUR UINT64_C(3600000)
#define MS_PER_DAY UINT64_C(86400000)
#define LAST_DAY 2932896u /* 9999-12-31 */
#define LAST_MS ((LAST_DAY + UINT64_C(1)) * MS_PER_DAY - 1)

enum { SUNDAY, MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY };

/* ---- dates ------------------------------------------------------------------------ */

static uint32_t
days_in_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

/* Years begin in March, so that the leap day is the last of its year. */
static uint32_t
day_number(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t y = month <= 2 ? year - 1 : year, m = (month + 9) % 12;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

bool
licet_day_of_date(uint32_t year, uint32_t month, uint32_t day, uint32_t *out_day)
{
    if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    *out_day = day_number(year, month, day);
    return true;
}

void
licet_date_of_day(uint32_t day, uint32_t *out_year, uint32_t *out_month, uint32_t *out_day)
{
    uint32_t z = day + 719468, era = z / 146097, of_era = z % 146097;
    uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month = (5 * of_year + 2) / 153;

    *out_day = of_year - (153 * month + 2) / 5 + 1;
    *out_month = month < 10 ? month + 3 : month - 9;
    *out_year = era * 400 + year_of_era + (*out_month <= 2);
}

uint32_t
licet_weekday(uint32_t day)
{
    return (day + THURSDAY) % 7;
}

/* The anonymous Gregorian computus (Meeus, Jones, Butcher). */
uint32_t
licet_easter(uint32_t year)
{
    uint32_t golden = year % 19, century = year / 100, rest = year % 100;
    uint32_t moved = (century - (century + 8) / 25 + 1) / 3;
    uint32_t epact = (19 * golden + century - century / 4 - moved + 15) % 30;
    uint32_t to_sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    uint32_t late = (golden + 11 * epact + 22 * to_sunday) / 451;
    uint32_t at = epact + to_sunday - 7 * late + 114;

    return day_number(year, at / 31, at % 31 + 1);
}

/* ---- holidays --------------------------------------------------------------------- */

static bool
weekend(uint32_t day)
{
    uint32_t weekday = licet_weekday(day);

    return weekday == SATURDAY || weekday == SUNDAY;
}

/* The n-th such weekday of its month; 0: the last. */
static bool
is_nth(uint32_t day, uint32_t weekday, uint32_t n)
{
    uint32_t year, month, of_month;

    licet_date_of_day(day, &year, &month, &of_month);
    return licet_weekday(day) == weekday &&
           (n == 0 ? of_month + 7 > days_in_month(year, month) : (of_month - 1) / 7 + 1 == n);
}

/* A federal holiday with a date of its own. */
static bool
is_federal_date(uint32_t year, uint32_t month, uint32_t day)
{
    return (month == 1 && day == 1) || (month == 6 && day == 19 && year >= 2021) || (month == 7 && day == 4) ||
           (month == 11 && day == 11) || (month == 12 && day == 25);
}

static bool
is_federal_on(uint32_t day)
{
    uint32_t year, month, of_month;

    licet_date_of_day(day, &year, &month, &of_month);
    return is_federal_date(year, month, of_month);
}

/* Of a working weekday: what falls on a Saturday is observed on the Friday before, on a Sunday on the Monday after. */
static bool
is_federal(uint32_t day)
{
    uint32_t year, month, of_month;

    licet_date_of_day(day, &year, &month, &of_month);
    if (is_federal_date(year, month, of_month) || (licet_weekday(day) == FRIDAY && is_federal_on(day + 1)) ||
        (licet_weekday(day) == MONDAY && day > 0 && is_federal_on(day - 1))) {
        return true;
    }
    switch (month) {
    case 1: /* Martin Luther King, Jr. */
    case 2: /* Washington's Birthday */
        return is_nth(day, MONDAY, 3);
    case 5: /* Memorial Day */
        return is_nth(day, MONDAY, 0);
    case 9: /* Labor Day */
        return is_nth(day, MONDAY, 1);
    case 10: /* Columbus Day */
        return is_nth(day, MONDAY, 2);
    case 11: /* Thanksgiving Day */
        return is_nth(day, THURSDAY, 4);
    default:
        return false;
    }
}

static bool
is_target(uint32_t day)
{
    uint32_t year, month, of_month, easter;

    licet_date_of_day(day, &year, &month, &of_month);
    easter = licet_easter(year);
    return (month == 1 && of_month == 1) || (month == 5 && of_month == 1) ||
           (month == 12 && (of_month == 25 || of_month == 26)) || day + 2 == easter || day == easter + 1;
}

static bool
is_listed(const licet_business_calendar *calendar, uint32_t day)
{
    uint32_t low = 0, high = calendar->holidays_len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (calendar->holidays[middle] == day) {
            return true;
        }
        low = calendar->holidays[middle] < day ? middle + 1 : low;
        high = calendar->holidays[middle] < day ? high : middle;
    }
    return false;
}

bool
licet_business_is(const licet_business_calendar *calendar, uint32_t day)
{
    if (weekend(day) || is_listed(calendar, day)) {
        return false;
    }
    switch (calendar->rule) {
    case LICET_BUSINESS_US_FEDERAL:
        return !is_federal(day);
    case LICET_BUSINESS_TARGET:
        return !is_target(day);
    case LICET_BUSINESS_MON_FRI:
        break;
    }
    return true;
}

uint32_t
licet_business_after(const licet_business_calendar *calendar, uint32_t day, uint32_t n)
{
    while (n > 0 && day < LAST_DAY) {
        day++;
        n -= licet_business_is(calendar, day);
    }
    return day;
}

/* ---- deadlines -------------------------------------------------------------------- */

static int64_t
offset_ms(const licet_business_calendar *calendar, uint64_t time_ms)
{
    return calendar->offset_of == NULL ? 0 : (int64_t)calendar->offset_of(calendar->user, time_ms) * 1000;
}

uint32_t
licet_business_day_of(const licet_business_calendar *calendar, uint64_t time_ms)
{
    int64_t local = (int64_t)(time_ms > LAST_MS ? LAST_MS : time_ms) + offset_ms(calendar, time_ms);

    return local < 0 ? 0 : (uint32_t)((uint64_t)local / MS_PER_DAY);
}

uint64_t
licet_business_day_start_ms(const licet_business_calendar *calendar, uint32_t day)
{
    int64_t local = (int64_t)(day * MS_PER_DAY), utc = local;

    for (int i = 0; i < 2; i++) { /* the offset is that of the start itself, which a change may lie before */
        utc = local - offset_ms(calendar, utc < 0 ? 0 : (uint64_t)utc);
    }
    return utc < 0 ? 0 : (uint64_t)utc;
}

/* The same day of the month so many months later, or the last of a shorter one. */
static uint32_t
months_after(uint32_t day, uint32_t months)
{
    uint32_t year, month, of_month, least;

    licet_date_of_day(day, &year, &month, &of_month);
    year += (month - 1 + months) / 12;
    month = (month - 1 + months) % 12 + 1;
    if (year > 9999) {
        return LAST_DAY;
    }
    least = days_in_month(year, month);
    return day_number(year, month, of_month < least ? of_month : least);
}

uint64_t
licet_period_end_ms(const licet_business_calendar *calendar, licet_period period, uint64_t from_ms)
{
    uint32_t day;

    if (period.count == 0 || from_ms > LAST_MS) {
        return from_ms;
    }
    day = licet_business_day_of(calendar, from_ms);
    switch ((licet_period_unit)period.unit) {
    case LICET_PERIOD_HOURS:
        return from_ms + period.count * MS_PER_HOUR;
    case LICET_PERIOD_DAYS:
        day += period.count;
        break;
    case LICET_PERIOD_BUSINESS_DAYS:
        day = licet_business_after(calendar, day, period.count);
        break;
    case LICET_PERIOD_MONTHS:
        day = months_after(day, period.count);
        break;
    case LICET_PERIOD_YEARS:
        day = months_after(day, period.count * 12);
        break;
    }
    return day >= LAST_DAY ? UINT64_MAX : licet_business_day_start_ms(calendar, day + 1);
}

bool
licet_period_parse(licet_bytes text, licet_period *out_period)
{
    static const char *const units[] = {"hour", "day", "business day", "month", "year"};
    uint64_t count;
    size_t digits = 0;

    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9') {
        digits++;
    }
    if (digits == text.len || text.data[digits] != ' ' || !licet_parse_u64(licet_bytes_of(text.data, digits), &count) ||
        count == 0 || count > LICET_PERIOD_COUNT_MAX) {
        return false;
    }
    text = licet_bytes_of(text.data + digits + 1, text.len - digits - 1);
    if (text.len > 0 && text.data[text.len - 1] == 's') {
        text.len--;
    }
    for (uint32_t unit = 0; unit < sizeof(units) / sizeof(units[0]); unit++) {
        if (licet_bytes_equal_text(text, units[unit])) {
            *out_period = (licet_period){(uint32_t)count, unit};
            return true;
        }
    }
    return false;
}
