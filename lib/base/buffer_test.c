/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffer and cursor: what one writes the other reads; ends and ceilings.
 */
#include "licet/base.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_round_trip(void **state)
{
    licet_buffer b;
    licet_cursor c;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64, u48, varint;
    licet_bytes text, rest;

    licet_buffer_init(&b, 1000);
    assert_true(licet_put_u8(&b, 0xfe));
    assert_true(licet_put_u16(&b, 0x1234));
    assert_true(licet_put_u32(&b, 0xdeadbeef));
    assert_true(licet_put_u64(&b, UINT64_MAX - 1));
    assert_true(licet_put_uint(&b, 6, 0x010203040506));
    assert_true(licet_put_varint(&b, 300));
    assert_true(licet_put_text(&b, LICET_BYTES_LITERAL("text")));
    assert_true(licet_put_format(&b, "%d %s", 42, "words"));
    assert_memory_equal(b.data, "\xfe\x12\x34\xde\xad\xbe\xef\xff\xff\xff\xff\xff\xff\xff\xfe\x01\x02\x03\x04\x05\x06",
                        21);
    c = (licet_cursor){licet_buffer_view(&b), 0};
    assert_true(licet_take_u8(&c, &u8) && u8 == 0xfe);
    assert_true(licet_take_u16(&c, &u16) && u16 == 0x1234);
    assert_true(licet_take_u32(&c, &u32) && u32 == 0xdeadbeef);
    assert_true(licet_take_u64(&c, &u64) && u64 == UINT64_MAX - 1);
    assert_true(licet_take_uint(&c, 6, &u48) && u48 == 0x010203040506);
    assert_true(licet_take_varint(&c, &varint) && varint == 300);
    assert_true(licet_take_text(&c, &text) && licet_bytes_equal_text(text, "text"));
    assert_false(licet_cursor_at_end(&c));
    assert_true(licet_take_bytes(&c, 8, &rest) && licet_bytes_equal_text(rest, "42 words"));
    assert_true(licet_cursor_at_end(&c));
    assert_true(licet_take_bytes(&c, 0, &rest) && rest.len == 0);
    licet_buffer_done(&b);
    assert_null(b.data);
}

static void
test_varint(void **state)
{
    static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, 1ull << 63, UINT64_MAX};
    static const struct {
        const char *bytes;
        size_t len;
    } refused[] = {
        {"", 0},
        {"\x80", 1},
        {"\x80\x00", 2},                                     /* 0 in two bytes */
        {"\xff\x00", 2},                                     /* 127 in two bytes */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},    /* 65 bits */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11} /* 11 bytes */
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        licet_buffer b;
        uint64_t value;

        licet_buffer_init(&b, 10);
        assert_true(licet_put_varint(&b, values[i]));
        for (size_t len = 0; len <= b.len; len++) {
            licet_cursor c = {licet_bytes_of(b.data, len), 0};

            assert_int_equal(licet_take_varint(&c, &value), len == b.len);
            assert_int_equal(c.pos, len == b.len ? b.len : 0);
        }
        assert_true(value == values[i]);
        licet_buffer_done(&b);
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        licet_cursor c = {licet_bytes_of(refused[i].bytes, refused[i].len), 0};
        uint64_t value = 77;

        assert_false(licet_take_varint(&c, &value));
        assert_int_equal(value, 77);
        assert_int_equal(c.pos, 0);
    }
}

static void
test_cursor_ends(void **state)
{
    static const uint8_t data[] = {0, 5, 'a', 'b'};
    licet_cursor c = {licet_bytes_of(data, sizeof(data)), 0};
    licet_bytes view;
    uint64_t u64;
    uint8_t u8;

    assert_false(licet_take_text(&c, &view)); /* five bytes are promised, two are there */
    assert_int_equal(c.pos, 0);
    assert_false(licet_take_u64(&c, &u64));
    assert_false(licet_take_bytes(&c, SIZE_MAX, &view));
    assert_int_equal(c.pos, 0);
    assert_true(licet_take_bytes(&c, 4, &view));
    assert_false(licet_take_u8(&c, &u8));
}

static void
test_pieces_in_a_row(void **state)
{
    static const uint8_t bytes[] = {2, 'a', 'b', 0, 1, 'c', 9};
    licet_cursor c = {.in = licet_bytes_of(bytes, sizeof(bytes))};
    licet_bytes view = {NULL, 1};

    assert_true(licet_take_pieces(&c, 0, &view) && view.len == 0 && c.pos == 0);
    assert_true(licet_take_pieces(&c, 3, &view) && view.data == bytes && view.len == 6 && c.pos == 6);
    assert_false(licet_take_pieces(&c, 1, &view)); /* nine bytes are promised, none is there */
    assert_int_equal(c.pos, 6);
    c.in.len = 6;
    assert_false(licet_take_pieces(&c, 1, &view)); /* not even a length */
    for (size_t len = 0; len < 6; len++) {
        c = (licet_cursor){.in = licet_bytes_of(bytes, len)};
        assert_false(licet_take_pieces(&c, 3, &view));
        assert_int_equal(c.pos, 0);
    }
}

static void
test_ceiling(void **state)
{
    licet_buffer b;
    char longer[400];

    licet_buffer_init(&b, 5);
    assert_true(licet_put_u32(&b, 1));
    assert_false(licet_put_u16(&b, 2));
    assert_true(b.failed);
    assert_int_equal(b.len, 4);
    assert_false(licet_put_u8(&b, 3)); /* it would fit, but what came before is missing */
    assert_int_equal(b.len, 4);
    licet_buffer_done(&b);

    licet_buffer_init(&b, 1000);
    for (size_t i = 0; i < 1000; i++) {
        assert_true(licet_put_u8(&b, (uint8_t)i));
        assert_true(b.capacity <= 1000);
    }
    assert_false(licet_put_u8(&b, 0));
    assert_int_equal(b.len, 1000);
    assert_int_equal(b.data[999], 999 & 0xff);
    licet_buffer_done(&b);

    memset(longer, 'x', sizeof(longer));
    licet_buffer_init(&b, 399);
    assert_false(licet_put_format(&b, "%.*s", 400, longer));
    assert_int_equal(b.len, 0);
    licet_buffer_done(&b);
    licet_buffer_init(&b, 400);
    assert_true(licet_put_format(&b, "%.*s", 400, longer));
    assert_memory_equal(b.data, longer, 400);
    licet_buffer_done(&b);
}

static void
test_refusals(void **state)
{
    licet_buffer b;
    uint8_t *big = calloc(1, 65536);

    assert_non_null(big);
    licet_buffer_init(&b, 1 << 20);
    assert_true(licet_put_text(&b, licet_bytes_of(big, 65535)));
    assert_int_equal(b.len, 65537);
    assert_false(licet_put_text(&b, licet_bytes_of(big, 65536)));
    assert_true(b.failed);
    licet_buffer_done(&b);
    licet_buffer_init(&b, 100);
    assert_true(licet_put_uint(&b, 6, 0xffffffffffff));
    assert_false(licet_put_uint(&b, 6, 0x1000000000000));
    licet_buffer_done(&b);
    licet_buffer_init(&b, 0);
    assert_true(licet_put_bytes(&b, licet_bytes_of(NULL, 0)));
    assert_false(licet_put_u8(&b, 1));
    licet_buffer_done(&b);
    free(big);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_in_a_row), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_varint),
        cmocka_unit_test(test_cursor_ends),     cmocka_unit_test(test_ceiling),    cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
