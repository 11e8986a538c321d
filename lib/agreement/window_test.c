/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows and zones against the C library: offsets of the zones that we read ourselves, and each begin of a window held
 * against its definition, the first instant whose local time has come so far.
 *
 * The C library takes its zone from the environment, which belongs to this test alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "zone.h"

#define HOUR_MS UINT64_C(3600000)
#define END_MS UINT64_C(4102444800000) /* 2100-01-01: the C library and we know the same rules until then */

/* Summer time north and south, half hours, clocks changed at midnight, days that never were, offsets that moved. */
static const char *const zones[] = {"UTC",
                                    "Europe/Berlin",
                                    "America/New_York",
                                    "America/Sao_Paulo",
                                    "Asia/Beirut",
                                    "Pacific/Apia",
                                    "Australia/Lord_Howe",
                                    "Asia/Kolkata",
                                    "America/Havana",
                                    "Africa/Casablanca",
                                    "Pacific/Kiritimati"};
#define ZONES (sizeof(zones) / sizeof(zones[0]))

typedef struct zoned {
    licet_buffer rows;
    licet_image_zone zone;
    licet_image image;
} zoned;

static void
zoned_init(zoned *z, const char *name)
{
    licet_error err = {0};

    memset(z, 0, sizeof(*z));
    licet_buffer_init(&z->rows, 1 << 20);
    if (!licet_zone_read(LICET_ZONE_FOLDER, licet_bytes_of_text(name), &z->rows, &err)) {
        fail_msg("%s: %s", name, err.text);
    }
    z->zone.transitions.count = (uint32_t)(z->rows.len / sizeof(licet_image_transition));
    z->image.zones = &z->zone;
    z->image.transitions = (const licet_image_transition *)(const void *)z->rows.data;
    setenv("TZ", name, 1);
    tzset();
}

static uint64_t
random_ms(unsigned *seed)
{
    uint64_t high = (uint64_t)rand_r(seed), low = (uint64_t)rand_r(seed);

    return (high << 31 | low) % END_MS;
}

static struct tm
local_of(uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;

    assert_non_null(localtime_r(&seconds, &local));
    return local;
}

static void
test_offsets(void **state)
{
    unsigned seed = 11;

    for (size_t i = 0; i < ZONES; i++) {
        zoned z;

        zoned_init(&z, zones[i]);
        for (int n = 0; n < 20000; n++) {
            uint64_t at = random_ms(&seed);
            long expected = local_of(at).tm_gmtoff;
            if (licet_zone_offset(&z.image, 0, at) != expected) {
                fail_msg("%s at %llu: %d, the C library has %ld", zones[i], (unsigned long long)at,
                         licet_zone_offset(&z.image, 0, at), expected);
            }
        }
        for (uint32_t t = 1; t < z.zone.transitions.count; t++) { /* on both sides of each change */
            uint64_t at = z.image.transitions[t].from_ms;
            if (at >= END_MS) {
                break;
            }
            assert_int_equal(licet_zone_offset(&z.image, 0, at), local_of(at).tm_gmtoff);
            assert_int_equal(licet_zone_offset(&z.image, 0, at - 1), local_of(at - 1000).tm_gmtoff);
        }
        licet_buffer_done(&z.rows);
    }
}

/* ---- windows ----------------------------------------------------------------------- */

static int
days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month] + (month == 1 && leap ? 1 : 0);
}

static int64_t
day_number(int year, int month, int day)
{
    int64_t days = day - 1;

    for (int y = 1970; y < year; y++) {
        days += days_in(y, 1) == 29 ? 366 : 365;
    }
    for (int m = 0; m < month; m++) {
        days += days_in(year, m);
    }
    return days;
}

/* Which window the local date of an instant lies in, by the calendar alone. */
static int64_t
calendar_window(const licet_image_limit *limit, uint64_t ms)
{
    struct tm local = local_of(ms);
    int year = local.tm_year + 1900, first = (int)limit->first_day, days = days_in(year, local.tm_mon);
    int64_t month = (int64_t)(year - 1970) * 12 + local.tm_mon;

    switch (limit->per) {
    case LICET_PER_MONTH:
        return local.tm_mday < (first < days ? first : days) ? month - 1 : month;
    case LICET_PER_YEAR:
        return year - 1970;
    default:
        return day_number(year, local.tm_mon, local.tm_mday);
    }
}

static void
check_window(const zoned *z, const char *name, const licet_image_limit *limit, uint64_t at)
{
    uint32_t window = licet_window_of(&z->image, limit, at);
    uint64_t begin = licet_window_begin_ms(&z->image, limit, window),
             end = licet_window_end_ms(&z->image, limit, window);

    uint32_t next = licet_window_of(&z->image, limit, end); /* not window + 1 where a zone left a day out */

    if (at < begin || at >= end || next <= window || licet_window_begin_ms(&z->image, limit, next) != end ||
        licet_window_of(&z->image, limit, begin) != window || licet_window_of(&z->image, limit, end - 1) != window) {
        fail_msg("%s, per %u from day %u: window %u from %llu before %llu does not hold %llu alone", name, limit->per,
                 limit->first_day, window, (unsigned long long)begin, (unsigned long long)end, (unsigned long long)at);
    }
    /* the begin is the first instant whose local time has come to this window */
    if (calendar_window(limit, begin) < window) {
        fail_msg("%s: window %u begins at %llu, before its time", name, window, (unsigned long long)begin);
    }
    for (uint64_t back = 1000; back <= 30 * HOUR_MS && begin > back; back += back < HOUR_MS ? 179000 : HOUR_MS / 2) {
        if (calendar_window(limit, begin - back) >= window) {
            fail_msg("%s: window %u begins at %llu, yet %llu ms earlier it had come", name, window,
                     (unsigned long long)begin, (unsigned long long)back);
        }
    }
}

static void
test_windows(void **state)
{
    static const uint32_t first_days[] = {1, 15, 29, 30, 31};
    unsigned seed = 7;

    for (size_t i = 0; i < ZONES; i++) {
        zoned z;

        zoned_init(&z, zones[i]);
        for (int n = 0; n < 300; n++) {
            uint64_t at = 2 * 24 * HOUR_MS * 366 + random_ms(&seed) / 2;
            licet_image_limit limit = {.per = LICET_PER_DAY, .zone = 0, .first_day = 1};

            check_window(&z, zones[i], &limit, at);
            limit.per = LICET_PER_YEAR;
            check_window(&z, zones[i], &limit, at);
            limit.per = LICET_PER_MONTH;
            for (size_t f = 0; f < sizeof(first_days) / sizeof(first_days[0]); f++) {
                limit.first_day = first_days[f];
                check_window(&z, zones[i], &limit, at);
            }
        }
        for (uint32_t t = 1; t < z.zone.transitions.count; t++) { /* around each change of the clock */
            uint64_t at = z.image.transitions[t].from_ms;
            licet_image_limit limit = {.per = LICET_PER_DAY, .zone = 0, .first_day = 1};
            for (uint64_t n = 0; n < 8 && at > 1000 * HOUR_MS && at < END_MS / 2; n++) {
                check_window(&z, zones[i], &limit, at + n * HOUR_MS / 2 - 2 * HOUR_MS);
            }
        }
        licet_buffer_done(&z.rows);
    }
}

/* ---- spans that no zone touches -------------------------------------------------------- */

/* 30 days in buckets of a day: a bucket counts as long as the span touches it. */
static void
test_rolling(void **state)
{
    static const uint64_t day = 24 * HOUR_MS;
    licet_image_limit limit = {
        .per = LICET_PER_ROLLING, .span_s = 30 * 86400, .bucket_s = 86400, .zone = LICET_NONE, .first_day = 1};

    assert_int_equal(licet_image_buckets(&limit), 31);
    for (uint64_t at = 100 * day; at < 103 * day; at += day / 7) {
        uint32_t window = licet_window_of(NULL, &limit, at);
        assert_int_equal(window, at / day);
        assert_int_equal(licet_window_begin_ms(NULL, &limit, window), (window - 30) * day);
        assert_int_equal(licet_window_end_ms(NULL, &limit, window), (window + 1) * day);
        assert_true(at - licet_window_begin_ms(NULL, &limit, window) >= 30 * day); /* never less than the span */
    }
}

static void
test_without_end(void **state)
{
    static const uint32_t pers[] = {LICET_PER_TERM, LICET_PER_CONCURRENT};

    for (size_t i = 0; i < 2; i++) {
        licet_image_limit limit = {.per = pers[i], .zone = LICET_NONE, .first_day = 1};
        assert_int_equal(licet_window_of(NULL, &limit, END_MS), 0);
        assert_int_equal(licet_window_begin_ms(NULL, &limit, 0), 0);
        assert_int_equal(licet_window_end_ms(NULL, &limit, 0), UINT64_MAX);
    }
}

/* ---- hostile files -------------------------------------------------------------------------- */

/* Every byte of a real file changed in turn, and every length: refused, or read without a step outside. */
static void
test_spoiled(void **state)
{
    licet_buffer rows;
    uint8_t *data;
    size_t len;
    unsigned read = 0;

    assert_true(licet_file_read(LICET_ZONE_FOLDER "/Europe/Berlin", LICET_ZONE_FILE_MAX, &data, &len, NULL));
    licet_buffer_init(&rows, 1 << 20);
    for (size_t i = 0; i < len; i++) {
        for (int n = 0; n < 3; n++) {
            uint8_t was = data[i];
            data[i] = (uint8_t)(n == 0 ? 0xff : n == 1 ? 0 : was ^ 0x80);
            rows.len = 0;
            read += licet_zone_parse(licet_bytes_of(data, len), &rows, NULL);
            data[i] = was;
        }
        uint8_t *cut = malloc(i + 1); /* so that a read behind the end is seen by a sanitizer */
        assert_non_null(cut);
        memcpy(cut, data, i);
        rows.len = 0;
        assert_false(licet_zone_parse(licet_bytes_of(cut, i), &rows, NULL));
        free(cut);
    }
    assert_true(read > 0);
    free(data);
    licet_buffer_done(&rows);
}

static void
test_names(void **state)
{
    static const char *const bad[] = {"",  "/etc/passwd", "../x", "Europe/../x", "Europe/", "Europe//Berlin",
                                      ".", "a b",         "1A"};
    licet_buffer rows;
    licet_error err;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(licet_zone_fits(licet_bytes_of_text(bad[i])));
    }
    for (size_t i = 0; i < ZONES; i++) {
        assert_true(licet_zone_fits(licet_bytes_of_text(zones[i])));
    }
    licet_buffer_init(&rows, 1 << 20);
    assert_false(licet_zone_read(LICET_ZONE_FOLDER, LICET_BYTES_LITERAL("Europe/Atlantis"), &rows, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    licet_buffer_done(&rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offsets),     cmocka_unit_test(test_windows), cmocka_unit_test(test_rolling),
        cmocka_unit_test(test_without_end), cmocka_unit_test(test_spoiled), cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
