/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Business days: which days count, and when a period of hours, days, business days, months or years ends.
 *
 *  (1) Holidays are reckoned by their rules where rules exist: federal holidays of the United States (5 U.S.C. 6103, as
 *      they stand since 1986, Juneteenth since 2021), closing days of TARGET (as they stand since 2002). Before these
 *      years the same rules are applied.
 *  (2) The day on which a period begins does not count. A period of days ends with its last day: the deadline is the
 *      first millisecond after it, in the calendar's zone. Hours are counted exactly.
 *  (3) Days are numbers from 1970-01-01, a Thursday.
 */
#ifndef LICET_AGREEMENT_BUSINESS_H
#define LICET_AGREEMENT_BUSINESS_H

#include "licet/base.h"

typedef enum licet_business_rule {
    LICET_BUSINESS_MON_FRI = 0, /* every Monday to Friday */
    LICET_BUSINESS_US_FEDERAL = 1,
    LICET_BUSINESS_TARGET = 2,
} licet_business_rule;

#define LICET_HOLIDAYS_MAX 1024u /* that a site adds to a rule */

typedef struct licet_business_calendar {
    licet_business_rule rule;
    const uint32_t *holidays; /* days off beside the rule's, in order; borrowed */
    uint32_t holidays_len;
    /* Seconds east of UTC at a time; NULL: UTC. */
    int32_t (*offset_of)(const void *user, uint64_t time_ms);
    const void *user;
} licet_business_calendar;

typedef enum licet_period_unit {
    LICET_PERIOD_HOURS = 0,
    LICET_PERIOD_DAYS = 1,
    LICET_PERIOD_BUSINESS_DAYS = 2,
    LICET_PERIOD_MONTHS = 3,
    LICET_PERIOD_YEARS = 4,
} licet_period_unit;

typedef struct licet_period {
    uint32_t count; /* 0: no period */
    uint32_t unit;  /* licet_period_unit */
} licet_period;

#define LICET_PERIOD_COUNT_MAX 10000u
#define LICET_EXPECTED_PERIOD "a period such as 24 hours, 30 days, 10 business days, 3 months or 2 years"

/* "10 business days"; the singular is read too. */
bool licet_period_parse(licet_bytes text, licet_period *out_period);

/* Day number of a date, and the date of a day number. False: no such date, or before 1970. */
bool licet_day_of_date(uint32_t year, uint32_t month, uint32_t day, uint32_t *out_day);
void licet_date_of_day(uint32_t day, uint32_t *out_year, uint32_t *out_month, uint32_t *out_day);
/* 0 is Sunday. */
uint32_t licet_weekday(uint32_t day);
/* Easter Sunday of the western churches. */
uint32_t licet_easter(uint32_t year);

bool licet_business_is(const licet_business_calendar *calendar, uint32_t day);
/* The n-th business day after a day; of 0 the day itself. */
uint32_t licet_business_after(const licet_business_calendar *calendar, uint32_t day, uint32_t n);
/* The day that a time falls in, in the calendar's zone; and the first millisecond of a day there. */
uint32_t licet_business_day_of(const licet_business_calendar *calendar, uint64_t time_ms);
uint64_t licet_business_day_start_ms(const licet_business_calendar *calendar, uint32_t day);
/* When a period that begins at a time has passed. (2) UINT64_MAX and what lies beyond 9999 end at UINT64_MAX. */
uint64_t licet_period_end_ms(const licet_business_calendar *calendar, licet_period period, uint64_t from_ms);

#endif
