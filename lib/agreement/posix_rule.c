/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX rule: read from left to right, each number within its bounds; see posix_rule.h.
 */
#include "posix_rule.h"

#include <string.h>

#define DAY_S 86400

static bool
take_char(licet_cursor *c, char wanted)
{
    if (c->pos >= c->in.len || c->in.data[c->pos] != (uint8_t)wanted) {
        return false;
    }
    c->pos++;
    return true;
}

static bool
at_digit(const licet_cursor *c)
{
    return c->pos < c->in.len && c->in.data[c->pos] >= '0' && c->in.data[c->pos] <= '9';
}

static bool
take_number(licet_cursor *c, uint16_t least, uint16_t most, uint16_t *out)
{
    uint16_t value = 0;

    if (!at_digit(c)) {
        return false;
    }
    while (at_digit(c)) {
        value = (uint16_t)(value * 10 + (c->in.data[c->pos++] - '0'));
        if (value > most) {
            return false;
        }
    }
    *out = value;
    return value >= least;
}

/* CET, or <+03>: what is in it does not matter. */
static bool
take_name(licet_cursor *c)
{
    bool quoted = take_char(c, '<');
    size_t start = c->pos;

    while (c->pos < c->in.len) {
        uint8_t x = c->in.data[c->pos];
        bool letter = (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z');
        if (!letter && !(quoted && ((x >= '0' && x <= '9') || x == '+' || x == '-'))) {
            break;
        }
        c->pos++;
    }
    return c->pos - start >= 3 && (!quoted || take_char(c, '>'));
}

/* [+-]hh[:mm[:ss]] */
static bool
take_time(licet_cursor *c, uint16_t hours_max, int32_t *out_s)
{
    bool minus = take_char(c, '-');
    uint16_t hours, minutes = 0, seconds = 0;

    if (!minus) {
        take_char(c, '+');
    }
    if (!take_number(c, 0, hours_max, &hours) || (take_char(c, ':') && !take_number(c, 0, 59, &minutes)) ||
        (take_char(c, ':') && !take_number(c, 0, 59, &seconds))) {
        return false;
    }
    *out_s = (int32_t)hours * 3600 + (int32_t)minutes * 60 + (int32_t)seconds;
    *out_s = minus ? -*out_s : *out_s;
    return true;
}

static bool
take_day(licet_cursor *c, posix_day *out)
{
    *out = (posix_day){.time_s = 7200};
    if (!take_char(c, ',')) {
        return false;
    }
    if (take_char(c, 'M')) {
        out->form = 'M';
        if (!take_number(c, 1, 12, &out->month) || !take_char(c, '.') || !take_number(c, 1, 5, &out->week) ||
            !take_char(c, '.') || !take_number(c, 0, 6, &out->day)) {
            return false;
        }
    } else if (take_char(c, 'J')) {
        out->form = 'J';
        if (!take_number(c, 1, 365, &out->day)) {
            return false;
        }
    } else {
        out->form = 'N';
        if (!take_number(c, 0, 365, &out->day)) {
            return false;
        }
    }
    return !take_char(c, '/') || take_time(c, 167, &out->time_s);
}

bool
posix_rule_parse(licet_bytes text, posix_rule *out)
{
    licet_cursor c = {text, 0};

    memset(out, 0, sizeof(*out));
    if (!take_name(&c) || !take_time(&c, 24, &out->offset_s)) {
        return false;
    }
    out->offset_s = -out->offset_s; /* POSIX counts them west of Greenwich */
    if (licet_cursor_at_end(&c)) {
        return true;
    }
    out->summer = true;
    out->summer_offset_s = out->offset_s + 3600;
    if (!take_name(&c)) {
        return false;
    }
    if (c.pos < text.len && text.data[c.pos] != ',') {
        if (!take_time(&c, 24, &out->summer_offset_s)) {
            return false;
        }
        out->summer_offset_s = -out->summer_offset_s;
    }
    return take_day(&c, &out->begin) && take_day(&c, &out->end) && licet_cursor_at_end(&c);
}

static bool
is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Seconds from 1970 to the local begin of the day. */
static int64_t
day_of(const posix_day *day, int year)
{
    uint32_t january = (uint32_t)(year - 1970) * 12;
    int64_t year_s = (int64_t)(licet_month_start(january) / 1000);
    int64_t first, next, at;
    uint32_t weekday;

    if (day->form == 'N') {
        return year_s + (int64_t)day->day * DAY_S;
    }
    if (day->form == 'J') {
        return year_s + (int64_t)(day->day - 1 + (is_leap(year) && day->day >= 60)) * DAY_S;
    }
    first = (int64_t)(licet_month_start(january + day->month - 1) / 1000) / DAY_S;
    next = (int64_t)(licet_month_start(january + day->month) / 1000) / DAY_S;
    weekday = (uint32_t)((first + 4) % 7); /* 1970-01-01 was a Thursday */
    at = first + (day->day + 7 - weekday) % 7 + (int64_t)(day->week - 1) * 7;
    return (at >= next ? at - 7 : at) * DAY_S;
}

int64_t
posix_rule_begin(const posix_rule *rule, int year)
{
    return day_of(&rule->begin, year) + rule->begin.time_s - rule->offset_s;
}

int64_t
posix_rule_end(const posix_rule *rule, int year)
{
    return day_of(&rule->end, year) + rule->end.time_s - rule->summer_offset_s;
}
