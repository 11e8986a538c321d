/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Money: text to amount and back, and every way of rounding at and beside its ties.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "licet/money.h"

static void
test_text(void **state)
{
    static const struct {
        const char *text, *again;
        uint64_t amount;
    } good[] = {
        {"0", "0", 0},
        {"0.005", "0.005", 5000000},
        {"42_000.00", "42000", UINT64_C(42000) * LICET_MONEY_ONE},
        {"0.000000001", "0.000000001", 1},
        {"1.10", "1.1", 1100000000},
        {"9223372036.854775807", "9223372036.854775807", INT64_MAX},
    };
    static const char *const bad[] = {"",
                                      ".5",
                                      "5.",
                                      "-1",
                                      "+1",
                                      "1e3",
                                      "01",
                                      "1..2",
                                      "1,5",
                                      "_1",
                                      "1__0",
                                      "1_.0",
                                      "1.0_0",
                                      "0x1",
                                      " 1",
                                      "1 ",
                                      "0.0000000001",
                                      "9223372036.854775808",
                                      "99999999999999999999"};
    char text[LICET_MONEY_TEXT];
    uint64_t amount;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(licet_money_parse(licet_bytes_of_text(good[i].text), &amount));
        assert_int_equal(amount, good[i].amount);
        licet_money_format(amount, 0, text);
        assert_string_equal(text, good[i].again);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(licet_money_parse(licet_bytes_of_text(bad[i]), &amount));
    }
}

static void
test_format(void **state)
{
    char text[LICET_MONEY_TEXT];

    licet_money_format(UINT64_C(5) * LICET_MONEY_ONE, 2, text);
    assert_string_equal(text, "5.00");
    licet_money_format(1, 2, text);
    assert_string_equal(text, "0.000000001");
    licet_money_format(~(licet_money)0, 2, text);
    assert_string_equal(text, "340282366920938463463374607431.768211455");
    /* 26 billion posts at the list price of the story */
    licet_money_format((licet_money)UINT64_C(26000000000) * 5000000, 2, text);
    assert_string_equal(text, "130000000.00");
}

static void
test_round(void **state)
{
    static const struct {
        const char *amount, *half_even, *half_up, *down, *up;
    } cases[] = {
        {"1.004", "1.00", "1.00", "1.00", "1.01"}, {"1.005", "1.00", "1.01", "1.00", "1.01"},
        {"1.015", "1.02", "1.02", "1.01", "1.02"}, {"1.005000001", "1.01", "1.01", "1.00", "1.01"},
        {"1.00", "1.00", "1.00", "1.00", "1.00"},  {"0.004999999", "0.00", "0.00", "0.00", "0.01"},
        {"0.995", "1.00", "1.00", "0.99", "1.00"},
    };
    char text[LICET_MONEY_TEXT];
    uint64_t amount;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const wanted[] = {cases[i].half_even, cases[i].half_up, cases[i].down, cases[i].up};
        assert_true(licet_money_parse(licet_bytes_of_text(cases[i].amount), &amount));
        for (unsigned how = 0; how < LICET_ROUNDS_LEN; how++) {
            licet_money_format(licet_money_round(amount, 2, (licet_round)how), 2, text);
            assert_string_equal(text, wanted[how]);
        }
        assert_true(licet_money_round(amount, 9, LICET_ROUND_UP) == amount);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_format),
                                       cmocka_unit_test(test_round)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
