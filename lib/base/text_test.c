/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text forms and digests, against the vectors of their standards (RFC 4648
 * section 10, FIPS 180-4, RFC 4231).
 */
#include "licet/base.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void
test_hex(void **state)
{
    static const uint8_t data[] = {0x00, 0x9f, 0xab, 0xff};
    static const char *const refused[] = {"", "009fabf", "009fabff0", "009fabff00", "009fabfg", "009fab:f", "009fab f"};
    char text[9];
    uint8_t back[4];

    licet_hex(data, sizeof(data), text);
    assert_string_equal(text, "009fabff");
    assert_true(licet_unhex(licet_bytes_of_text("009FabFf"), back, 4));
    assert_memory_equal(back, data, 4);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_false(licet_unhex(licet_bytes_of_text(refused[i]), back, 4));
    }
    assert_true(licet_unhex(licet_bytes_of_text(""), back, 0));
}

static void
test_base64(void **state)
{
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    static const char *const refused[] = {
        "Zg=", "Zg", "Zh==", "Zm9=", "Zg==Zg==", "=Zg=", "Z===", "Zm 9", "Zm9v\n", "Zm-_", "Zg=A", "===="};
    uint8_t back[16];
    char text[16];
    size_t len;

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        licet_bytes plain = licet_bytes_of_text(vectors[i][0]);

        assert_int_equal(licet_base64(plain.data, plain.len, text), strlen(vectors[i][1]));
        assert_string_equal(text, vectors[i][1]);
        assert_true(licet_unbase64(licet_bytes_of_text(text), back, plain.len, &len));
        assert_true(licet_bytes_equal(licet_bytes_of(back, len), plain));
        if (plain.len > 0) {
            assert_false(licet_unbase64(licet_bytes_of_text(text), back, plain.len - 1, &len));
        }
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (licet_unbase64(licet_bytes_of_text(refused[i]), back, sizeof(back), &len)) {
            fail_msg("%s: accepted", refused[i]);
        }
    }
    assert_int_equal(licet_base64((const uint8_t *)"\xfb\xff", 2, text), 4);
    assert_string_equal(text, "+/8=");
}

static void
test_u64(void **state)
{
    static const char *const refused[] = {"",
                                          "00",
                                          "01",
                                          "-1",
                                          "+1",
                                          " 1",
                                          "1 ",
                                          "0x1",
                                          "1.0",
                                          "1e3",
                                          "18446744073709551616",
                                          "99999999999999999999",
                                          "184467440737095516150"};
    uint64_t value = 5;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (licet_parse_u64(licet_bytes_of_text(refused[i]), &value)) {
            fail_msg("%s: accepted", refused[i]);
        }
    }
    assert_int_equal(value, 5);
    assert_true(licet_parse_u64(licet_bytes_of_text("0"), &value) && value == 0);
    assert_true(licet_parse_u64(licet_bytes_of_text("1234567890"), &value) && value == 1234567890);
    assert_true(licet_parse_u64(licet_bytes_of_text("18446744073709551615"), &value) && value == UINT64_MAX);
}

static void
assert_hash(licet_hash hash, const char *expected)
{
    char text[2 * LICET_SHA256_LEN + 1];

    licet_hex(hash.bytes, sizeof(hash.bytes), text);
    assert_string_equal(text, expected);
}

static void
test_sha256(void **state)
{
    licet_bytes pieces[] = {LICET_BYTES_LITERAL("a"), {NULL, 0}, LICET_BYTES_LITERAL("bc")};

    assert_hash(licet_sha256(NULL, 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_hash(licet_sha256(pieces, 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hash(licet_sha256(&LICET_BYTES_LITERAL("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), 1),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void
test_hmac(void **state)
{
    uint8_t key[131], data[50];

    memset(key, 0x0b, 20);
    assert_hash(licet_hmac_sha256(licet_bytes_of(key, 20), LICET_BYTES_LITERAL("Hi There")),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_hash(licet_hmac_sha256(LICET_BYTES_LITERAL("Jefe"), LICET_BYTES_LITERAL("what do ya want for nothing?")),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    memset(data, 0xdd, sizeof(data));
    assert_hash(licet_hmac_sha256(licet_bytes_of(key, 20), licet_bytes_of(data, 50)),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    assert_hash(licet_hmac_sha256(licet_bytes_of(key, 131),
                                  LICET_BYTES_LITERAL("Test Using Larger Than Block-Size Key - Hash Key First")),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_hash(licet_hmac_sha256(licet_bytes_of(NULL, 0), licet_bytes_of(NULL, 0)),
                "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void
test_random(void **state)
{
    uint8_t a[64] = {0}, b[64] = {0};

    assert_true(licet_random(a, sizeof(a), NULL));
    assert_true(licet_random(b, sizeof(b), NULL));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_true(licet_random(NULL, 0, NULL));
}

static void
test_base64url(void **state)
{
    static const char *const refused[] = {"A", "AAAAA", "AA==", "AAA=", "+_8A", "//8A", "AB", "AAB", "A A", "A\tAA"};
    static const uint8_t data[] = {0xfb, 0xff, 0xfe, 0x00, 0xff};
    char text[9];
    uint8_t back[8];
    size_t len;

    assert_int_equal(licet_base64url(data, 5, text), 7);
    assert_string_equal(text, "-__-AP8");
    for (size_t n = 0; n <= 5; n++) {
        size_t digits = licet_base64url(data, n, text);
        assert_true(licet_unbase64url(licet_bytes_of(text, digits), back, n, &len));
        assert_int_equal(len, n);
        assert_memory_equal(back, data, n);
        assert_true(n == 0 || !licet_unbase64url(licet_bytes_of(text, digits), back, n - 1, &len));
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_false(licet_unbase64url(licet_bytes_of_text(refused[i]), back, sizeof(back), &len));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex),    cmocka_unit_test(test_base64), cmocka_unit_test(test_base64url),
        cmocka_unit_test(test_u64),    cmocka_unit_test(test_sha256), cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
