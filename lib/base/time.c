/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: milliseconds since 1970 in UTC, their text, and calendar months.
 *
 *  (1) Days are counted in the proleptic Gregorian calendar with years that
 *      begin in March, so that the leap day is the last of its year.
 *  (2) Times before 1970 and after 9999 have no text and are not read;
 *      format shows the last millisecond of 9999 for anything later.
 *  (3) There are no leap seconds: a second of 60 is refused. Digits beyond
 *      milliseconds are read and dropped.
 */
#include "licet/base.h"

#include <stdio.h>

#define MS_PER_DAY 86400000ull
#define LAST_MS 253402300799999ull /* 9999-12-31T23:59:59.999Z */

typedef struct date {
    uint32_t year, month, day;
} date;

/* Days from 1970-01-01 to a date of 1970 or later. */
static uint64_t
days_from_date(date d)
{
    uint64_t year = d.month <= 2 ? d.year - 1 : d.year;
    uint64_t month = (d.month + 9) % 12; /* March is 0 */
    uint64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;

    return 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

static date
date_from_days(uint64_t days)
{
    uint64_t z = days + 719468; /* days since 0000-03-01 */
    uint64_t era = z / 146097;  /* 400 years */
    uint64_t day_of_era = z % 146097;
    uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t month = (5 * day_of_year + 2) / 153;
    date d;

    d.day = (uint32_t)(day_of_year - (153 * month + 2) / 5 + 1);
    d.month = (uint32_t)(month < 10 ? month + 3 : month - 9);
    d.year = (uint32_t)(era * 400 + year_of_era + (d.month <= 2));
    return d;
}

static uint32_t
days_in_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

/* n decimal digits, at most 9. */
static bool
take_digits(licet_cursor *c, unsigned n, uint32_t *out_value)
{
    licet_bytes digits;
    uint32_t value = 0;

    if (!licet_take_bytes(c, n, &digits)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') {
            return false;
        }
        value = value * 10 + (uint32_t)(digits.data[i] - '0');
    }
    *out_value = value;
    return true;
}

/* One byte, compared without case of letters. */
static bool
take_mark(licet_cursor *c, uint8_t mark)
{
    uint8_t byte;

    if (!licet_take_u8(c, &byte)) {
        return false;
    }
    return byte == mark || (mark >= 'A' && mark <= 'Z' && byte == mark + 32);
}

static bool
next_is(const licet_cursor *c, uint8_t mark)
{
    return c->pos < c->in.len && c->in.data[c->pos] == mark;
}

static bool
take_date(licet_cursor *c, date *out_date)
{
    date d;

    if (!take_digits(c, 4, &d.year) || !take_mark(c, '-') || !take_digits(c, 2, &d.month) || !take_mark(c, '-') ||
        !take_digits(c, 2, &d.day)) {
        return false;
    }
    if (d.year < 1970 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > days_in_month(d.year, d.month)) {
        return false;
    }
    *out_date = d;
    return true;
}

static bool
take_fraction(licet_cursor *c, uint32_t *out_ms)
{
    uint32_t ms = 0, scale = 100;
    size_t start = c->pos;

    for (; c->pos < c->in.len && c->in.data[c->pos] >= '0' && c->in.data[c->pos] <= '9'; c->pos++) {
        ms += (uint32_t)(c->in.data[c->pos] - '0') * scale;
        scale /= 10;
    }
    *out_ms = ms;
    return c->pos > start;
}

static bool
take_clock(licet_cursor *c, uint64_t *out_ms)
{
    uint32_t hour, minute, second, ms = 0;

    if (!take_digits(c, 2, &hour) || !take_mark(c, ':') || !take_digits(c, 2, &minute) || !take_mark(c, ':') ||
        !take_digits(c, 2, &second)) {
        return false;
    }
    if (next_is(c, '.') && (!take_mark(c, '.') || !take_fraction(c, &ms))) {
        return false;
    }
    if (hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *out_ms = ((hour * 60ull + minute) * 60 + second) * 1000 + ms;
    return true;
}

/* Z, +hh:mm or -hh:mm; milliseconds to take away. */
static bool
take_offset(licet_cursor *c, int64_t *out_ms)
{
    uint32_t hour, minute;
    bool east = next_is(c, '+');

    if (!east && !next_is(c, '-')) {
        *out_ms = 0;
        return take_mark(c, 'Z');
    }
    c->pos++;
    if (!take_digits(c, 2, &hour) || !take_mark(c, ':') || !take_digits(c, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *out_ms = (int64_t)(hour * 60 + minute) * 60000 * (east ? 1 : -1);
    return true;
}

bool
licet_time_parse(licet_bytes text, uint64_t *out_ms)
{
    licet_cursor c = {text, 0};
    uint64_t clock = 0;
    int64_t offset = 0, ms;
    date d;

    if (!take_date(&c, &d)) {
        return false;
    }
    if (!licet_cursor_at_end(&c)) {
        if (!take_mark(&c, 'T') || !take_clock(&c, &clock) || !take_offset(&c, &offset) || !licet_cursor_at_end(&c)) {
            return false;
        }
    }
    ms = (int64_t)(days_from_date(d) * MS_PER_DAY + clock) - offset;
    if (ms < 0 || (uint64_t)ms > LAST_MS) {
        return false;
    }
    *out_ms = (uint64_t)ms;
    return true;
}

static char *
put_digits(char *at, unsigned n, uint64_t value)
{
    for (unsigned i = n; i > 0; i--) {
        at[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + n;
}

void
licet_time_format(uint64_t ms, char out[LICET_TIME_TEXT])
{
    uint64_t day;
    date d;
    char *at = out;

    ms = ms > LAST_MS ? LAST_MS : ms;
    d = date_from_days(ms / MS_PER_DAY);
    day = ms % MS_PER_DAY;
    at = put_digits(at, 4, d.year);
    *at++ = '-';
    at = put_digits(at, 2, d.month);
    *at++ = '-';
    at = put_digits(at, 2, d.day);
    *at++ = 'T';
    at = put_digits(at, 2, day / 3600000);
    *at++ = ':';
    at = put_digits(at, 2, day / 60000 % 60);
    *at++ = ':';
    at = put_digits(at, 2, day / 1000 % 60);
    *at++ = '.';
    at = put_digits(at, 3, day % 1000);
    *at++ = 'Z';
    *at = '\0';
}

uint32_t
licet_month_of(uint64_t ms)
{
    date d = date_from_days(ms / MS_PER_DAY);

    return (d.year - 1970) * 12 + d.month - 1;
}

uint64_t
licet_month_start(uint32_t month)
{
    return days_from_date((date){1970 + month / 12, month % 12 + 1, 1}) * MS_PER_DAY;
}
