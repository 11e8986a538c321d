/* SPDX-License-Identifier: Apache-2.0 */
#include "licet/base.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void
test_equal(void **state)
{
    licet_bytes abc = LICET_BYTES_LITERAL("abc");
    licet_bytes none = {NULL, 0};

    assert_true(licet_bytes_equal(abc, licet_bytes_of("abcd", 3)));
    assert_false(licet_bytes_equal(abc, licet_bytes_of("abd", 3)));
    assert_false(licet_bytes_equal(abc, licet_bytes_of("ab", 2)));
    assert_true(licet_bytes_equal(none, licet_bytes_of("x", 0)));
    assert_true(licet_bytes_equal(none, licet_bytes_of_text(NULL)));
    assert_true(licet_bytes_equal_text(abc, "abc"));
    assert_false(licet_bytes_equal_text(abc, "abcd"));
    assert_true(licet_bytes_equal(LICET_BYTES_LITERAL("a\0b"), licet_bytes_of("a\0b", 3)));
}

static void
test_equal_secret(void **state)
{
    uint8_t a[32], b[32];

    memset(a, 7, sizeof(a));
    memcpy(b, a, sizeof(b));
    assert_true(licet_bytes_equal_secret(licet_bytes_of(a, 32), licet_bytes_of(b, 32)));
    for (size_t i = 0; i < sizeof(b); i++) {
        b[i] ^= 0x80;
        assert_false(licet_bytes_equal_secret(licet_bytes_of(a, 32), licet_bytes_of(b, 32)));
        b[i] ^= 0x80;
    }
    assert_false(licet_bytes_equal_secret(licet_bytes_of(a, 32), licet_bytes_of(b, 31)));
    assert_true(licet_bytes_equal_secret(licet_bytes_of(NULL, 0), licet_bytes_of(NULL, 0)));
}

static void
test_error(void **state)
{
    licet_error err;
    char longer[1024];

    errno = EIO;
    assert_false(LICET_FAIL(&err, LICET_E_INVALID, 17, "expected %s, not %d", "a", 3));
    assert_int_equal(errno, EIO);
    assert_int_equal(err.code, LICET_E_INVALID);
    assert_int_equal(err.offset, 17);
    assert_string_equal(err.text, "expected a, not 3");
    assert_non_null(strstr(err.file, "bytes_test.c"));
    assert_false(LICET_FAIL(NULL, LICET_E_INVALID, 0, "nobody listens"));

    /* a text that is cut says so, and is never cut inside a character: é at odd places */
    memset(longer, 'a', sizeof(longer));
    for (size_t i = 1; i + 2 < sizeof(longer); i += 2) {
        memcpy(longer + i, "é", 2);
    }
    longer[sizeof(longer) - 1] = '\0';
    LICET_FAIL(&err, LICET_E_LIMIT, 0, "%s", longer);
    assert_true(strlen(err.text) < sizeof(err.text));
    assert_string_equal(err.text + strlen(err.text) - strlen("é…"), "é…");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_equal_secret),
        cmocka_unit_test(test_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
