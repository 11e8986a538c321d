/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Business days against published dates: federal holidays as the Office of Personnel Management lists them, TARGET
 * closing days as the European Central Bank lists them, Easter as almanacs have it.
 */
#include "business.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint64_t
at(const char *time)
{
    uint64_t ms = 0;

    assert_true(licet_time_parse(licet_bytes_of_text(time), &ms));
    return ms;
}

static uint32_t
day_of(const char *date)
{
    return (uint32_t)(at(date) / 86400000);
}

static const char *
date_of(uint32_t day, char out[LICET_TIME_TEXT])
{
    licet_time_format(day * UINT64_C(86400000), out);
    out[10] = '\0';
    return out;
}

/* Every Monday to Friday of a year that is no business day, as 'MM-DD ' each. */
static void
days_off(licet_business_rule rule, uint32_t year, char *out)
{
    licet_business_calendar calendar = {.rule = rule};
    char date[LICET_TIME_TEXT], first[16];
    uint32_t day;

    snprintf(first, sizeof(first), "%u-01-01", year);
    out[0] = '\0';
    for (day = day_of(first); strncmp(date_of(day, date), first, 4) == 0; day++) {
        if (licet_weekday(day) % 6 != 0 && !licet_business_is(&calendar, day)) {
            strcat(strcat(out, date + 5), " ");
        }
    }
}

static void
test_published_holidays(void **state)
{
    static const struct {
        licet_business_rule rule;
        uint32_t year;
        const char *expected;
    } cases[] = {
        {LICET_BUSINESS_US_FEDERAL, 2015, "01-01 01-19 02-16 05-25 07-03 09-07 10-12 11-11 11-26 12-25 "},
        {LICET_BUSINESS_US_FEDERAL, 2020, "01-01 01-20 02-17 05-25 07-03 09-07 10-12 11-11 11-26 12-25 "},
        {LICET_BUSINESS_US_FEDERAL, 2021, "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31 "},
        {LICET_BUSINESS_US_FEDERAL, 2022, "01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26 "},
        {LICET_BUSINESS_US_FEDERAL, 2023, "01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25 "},
        {LICET_BUSINESS_US_FEDERAL, 2024, "01-01 01-15 02-19 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25 "},
        {LICET_BUSINESS_TARGET, 2021, "01-01 04-02 04-05 "},
        {LICET_BUSINESS_TARGET, 2022, "04-15 04-18 12-26 "},
        {LICET_BUSINESS_TARGET, 2023, "04-07 04-10 05-01 12-25 12-26 "},
        {LICET_BUSINESS_TARGET, 2024, "01-01 03-29 04-01 05-01 12-25 12-26 "},
        {LICET_BUSINESS_TARGET, 2025, "01-01 04-18 04-21 05-01 12-25 12-26 "},
        {LICET_BUSINESS_MON_FRI, 2024, ""},
    };
    char got[512];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        days_off(cases[i].rule, cases[i].year, got);
        assert_string_equal(got, cases[i].expected);
    }
}

static void
test_easter(void **state)
{
    static const char *const sundays[] = {"1981-04-19", "1999-04-04", "2000-04-23", "2008-03-23",
                                          "2011-04-24", "2019-04-21", "2022-04-17", "2023-04-09",
                                          "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25"};
    char date[LICET_TIME_TEXT];

    for (size_t i = 0; i < sizeof(sundays) / sizeof(sundays[0]); i++) {
        uint32_t day = day_of(sundays[i]), year, month, of_month, again;

        licet_date_of_day(day, &year, &month, &of_month);
        assert_string_equal(date_of(licet_easter(year), date), sundays[i]);
        assert_int_equal(licet_weekday(day), 0);
        assert_true(licet_day_of_date(year, month, of_month, &again));
        assert_int_equal(again, day);
    }
    for (uint32_t year = 1970; year < 2400; year++) {
        uint32_t easter = licet_easter(year), first, last;

        assert_true(licet_day_of_date(year, 3, 22, &first) && licet_day_of_date(year, 4, 25, &last));
        assert_int_equal(licet_weekday(easter), 0);
        assert_true(easter >= first && easter <= last);
    }
}

/* Dates and day numbers are each other's inverse, and agree with licet/base.h, over eight centuries. */
static void
test_dates(void **state)
{
    uint32_t year, month, day, back;
    char date[LICET_TIME_TEXT], wanted[48];

    for (uint32_t n = 0; n < 292200; n++) {
        licet_date_of_day(n, &year, &month, &day);
        assert_true(licet_day_of_date(year, month, day, &back));
        assert_int_equal(back, n);
        if (n % 97 == 0) {
            snprintf(wanted, sizeof(wanted), "%04u-%02u-%02u", year, month, day);
            assert_string_equal(date_of(n, date), wanted);
        }
    }
    assert_false(licet_day_of_date(2023, 2, 29, &back));
    assert_true(licet_day_of_date(2024, 2, 29, &back));
    assert_false(licet_day_of_date(2100, 2, 29, &back));
    assert_false(licet_day_of_date(1969, 12, 31, &back));
    assert_false(licet_day_of_date(2024, 13, 1, &back));
}

static void
test_periods(void **state)
{
    static const struct {
        const char *period;
        licet_business_rule rule;
        const char *from, *expected;
    } cases[] = {
        {"24 hours", LICET_BUSINESS_US_FEDERAL, "2022-12-23T18:00:00Z", "2022-12-24T18:00:00.000Z"},
        {"1 day", LICET_BUSINESS_MON_FRI, "2022-12-23T18:00:00Z", "2022-12-25T00:00:00.000Z"},
        {"30 days", LICET_BUSINESS_MON_FRI, "2024-02-01", "2024-03-03T00:00:00.000Z"},
        /* the letter of 18 May 2023: Memorial Day lies between */
        {"10 business days", LICET_BUSINESS_US_FEDERAL, "2023-05-18", "2023-06-03T00:00:00.000Z"},
        {"10 business days", LICET_BUSINESS_MON_FRI, "2023-05-18", "2023-06-02T00:00:00.000Z"},
        {"13 business days", LICET_BUSINESS_US_FEDERAL, "2023-05-18", "2023-06-08T00:00:00.000Z"},
        /* Christmas observed on Monday the 26th, New Year's Day on Monday the 2nd */
        {"5 business days", LICET_BUSINESS_US_FEDERAL, "2022-12-23T18:00:00Z", "2023-01-04T00:00:00.000Z"},
        {"5 business days", LICET_BUSINESS_TARGET, "2022-12-23T18:00:00Z", "2023-01-03T00:00:00.000Z"},
        {"1 business day", LICET_BUSINESS_TARGET, "2023-04-06", "2023-04-12T00:00:00.000Z"},
        /* given on a Saturday */
        {"1 business day", LICET_BUSINESS_US_FEDERAL, "2023-09-02T09:00:00Z", "2023-09-06T00:00:00.000Z"},
        {"30 business days", LICET_BUSINESS_US_FEDERAL, "2024-10-11", "2024-11-27T00:00:00.000Z"},
        {"1 month", LICET_BUSINESS_MON_FRI, "2023-01-31", "2023-03-01T00:00:00.000Z"},
        {"12 months", LICET_BUSINESS_MON_FRI, "2024-02-29", "2025-03-01T00:00:00.000Z"},
        {"2 years", LICET_BUSINESS_MON_FRI, "2023-05-18", "2025-05-19T00:00:00.000Z"},
    };
    licet_period period;
    char got[LICET_TIME_TEXT];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        licet_business_calendar calendar = {.rule = cases[i].rule};

        assert_true(licet_period_parse(licet_bytes_of_text(cases[i].period), &period));
        licet_time_format(licet_period_end_ms(&calendar, period, at(cases[i].from)), got);
        if (strcmp(got, cases[i].expected) != 0) {
            fail_msg("%s from %s: %s, expected %s", cases[i].period, cases[i].from, got, cases[i].expected);
        }
    }
}

static void
test_what_is_no_period(void **state)
{
    static const char *const wrong[] = {"",        "10",       "10 ",      "0 days",  "days",
                                        "-1 days", "1.5 days", "10  days", "10 week", "10001 days",
                                        "1day",    "10 dayss", "007 days"};
    licet_period period = {77, 77};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(licet_period_parse(licet_bytes_of_text(wrong[i]), &period));
    }
    assert_int_equal(period.count, 77);
    period = (licet_period){0, LICET_PERIOD_DAYS};
    assert_int_equal(licet_period_end_ms(&(licet_business_calendar){0}, period, 1234), 1234);
    period = (licet_period){LICET_PERIOD_COUNT_MAX, LICET_PERIOD_YEARS};
    assert_true(licet_period_end_ms(&(licet_business_calendar){0}, period, 1234) == UINT64_MAX);
}

/* Berlin: one hour east, two from 2023-03-26 01:00 UTC on. */
static int32_t
berlin(const void *user, uint64_t time_ms)
{
    return time_ms < *(const uint64_t *)user ? 3600 : 7200;
}

static void
test_zone_and_own_holidays(void **state)
{
    uint64_t spring = at("2023-03-26T01:00:00Z");
    uint32_t own[] = {day_of("2023-03-27"), day_of("2023-03-29")};
    licet_business_calendar calendar = {.offset_of = berlin, .user = &spring, .holidays = own, .holidays_len = 2};
    licet_period two = {2, LICET_PERIOD_BUSINESS_DAYS};
    char got[LICET_TIME_TEXT];

    assert_int_equal(licet_business_day_of(&calendar, at("2023-03-23T23:30:00Z")), day_of("2023-03-24"));
    assert_true(licet_business_day_start_ms(&calendar, day_of("2023-03-26")) == at("2023-03-25T23:00:00Z"));
    assert_true(licet_business_day_start_ms(&calendar, day_of("2023-03-27")) == at("2023-03-26T22:00:00Z"));
    /* Friday; Monday and Wednesday are off: Tuesday, Thursday */
    licet_time_format(licet_period_end_ms(&calendar, two, at("2023-03-23T23:30:00Z")), got);
    assert_string_equal(got, "2023-03-30T22:00:00.000Z");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_holidays),
        cmocka_unit_test(test_easter),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_periods),
        cmocka_unit_test(test_what_is_no_period),
        cmocka_unit_test(test_zone_and_own_holidays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
