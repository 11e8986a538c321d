/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: known instants, refusals, and every day of eight thousand years
 * against a calendar that is counted day by day.
 */
#include "licet/base.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY 86400000ull

static void
test_parse(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"2022-10-10", 1665360000000},
        {"2022-10-10T12:00:00.250Z", 1665403200250},
        {"2022-10-10t12:00:00.25z", 1665403200250},
        {"2022-10-10T12:00:00.2509999999999999999999Z", 1665403200250},
        {"2022-10-10T14:30:00+02:30", 1665403200000},
        {"2022-10-10T04:00:00-08:00", 1665403200000},
        {"1970-01-01T01:00:00+01:00", 0},
        {"2024-02-29", 1709164800000},
        {"2000-02-29T23:59:59Z", 951868799000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t ms;

        if (!licet_time_parse(licet_bytes_of_text(cases[i].text), &ms)) {
            fail_msg("%s: refused", cases[i].text);
        }
        if (ms != cases[i].ms) {
            fail_msg("%s: read as %llu", cases[i].text, (unsigned long long)ms);
        }
    }
}

static void
test_refused(void **state)
{
    static const char *const cases[] = {"",
                                        "2022",
                                        "2022-10",
                                        "2022-10-1",
                                        "2022-1-10",
                                        "22-10-10",
                                        "2022/10/10",
                                        "2022-13-01",
                                        "2022-00-01",
                                        "2022-10-00",
                                        "2022-10-32",
                                        "2022-09-31",
                                        "2022-02-29",
                                        "1900-02-29",
                                        "2100-02-29",
                                        "1969-12-31",
                                        "+2022-10-10",
                                        " 2022-10-10",
                                        "2022-10-10 ",
                                        "2022-10-10T",
                                        "2022-10-10T12:00Z",
                                        "2022-10-10T12:00:00",
                                        "2022-10-10 12:00:00Z",
                                        "2022-10-10T24:00:00Z",
                                        "2022-10-10T12:60:00Z",
                                        "2016-12-31T23:59:60Z",
                                        "2022-10-10T12:00:00.Z",
                                        "2022-10-10T12:00:00,5Z",
                                        "2022-10-10T12:00:00+0200",
                                        "2022-10-10T12:00:00+24:00",
                                        "2022-10-10T12:00:00+02:60",
                                        "2022-10-10T12:00:00+02",
                                        "2022-10-10T12:00:00ZZ",
                                        "2022-10-10T12:00:00.5",
                                        "1970-01-01T00:00:00+00:01",
                                        "9999-12-31T23:59:59-00:01",
                                        "2022-1O-10"};
    uint64_t ms = 5;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (licet_time_parse(licet_bytes_of_text(cases[i]), &ms)) {
            fail_msg("\"%s\": read as %llu", cases[i], (unsigned long long)ms);
        }
    }
    assert_int_equal(ms, 5);
}

static void
test_format(void **state)
{
    char text[LICET_TIME_TEXT];

    licet_time_format(1665403200250, text);
    assert_string_equal(text, "2022-10-10T12:00:00.250Z");
    licet_time_format(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    licet_time_format(253402300799999, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    licet_time_format(UINT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

/* The slow and obvious calendar. */
static unsigned
month_length(unsigned year, unsigned month)
{
    if (month == 2) {
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static void
test_every_day(void **state)
{
    unsigned year = 1970, month = 1, day = 1;

    for (uint64_t days = 0; year < 10000; days++) {
        char expected[LICET_TIME_TEXT + 32], text[LICET_TIME_TEXT];
        uint64_t ms = days * DAY + days * 7919 % DAY, back;
        unsigned long long clock = ms % DAY;

        snprintf(expected, sizeof(expected), "%04u-%02u-%02uT%02llu:%02llu:%02llu.%03lluZ", year, month, day,
                 clock / 3600000, clock / 60000 % 60, clock / 1000 % 60, clock % 1000);
        licet_time_format(ms, text);
        assert_string_equal(text, expected);
        assert_true(licet_time_parse(licet_bytes_of_text(text), &back));
        assert_true(back == ms);
        assert_int_equal(licet_month_of(ms), (year - 1970) * 12 + month - 1);
        if (day == 1) {
            assert_true(licet_month_start((year - 1970) * 12 + month - 1) == days * DAY);
        }
        if (day++ == month_length(year, month)) {
            day = 1;
            year += month == 12;
            month = month % 12 + 1;
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_every_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
