/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflate: the copy is what the compressor was given, however the body is cut;
 * what is damaged never passes for whole; bombs end at the ceiling. And what
 * matters in the end: a compressed page counts what the same page counts plain.
 */
#include "inflate_check.h"
#include "inflate_pack.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const licet_inflate_limits wide = {.memory = 64u << 20, .floor = 64u << 20, .ratio = 1 << 20};

/* ---- bodies ----------------------------------------------------------------------- */

/* A page of n posts as pages are: alike, but not the same. */
static void
make_page(unsigned n, licet_buffer *out)
{
    uint64_t seed = 88172645463325252u;

    licet_put_format(out, "{\"data\":[");
    for (unsigned i = 0; i < n; i++) {
        licet_put_format(out, "%s{\"id\":\"%u\",\"text\":\"post %u of a page \\u00e9 %016llx\"}", i > 0 ? "," : "",
                         1000 + i, i, (unsigned long long)check_random(&seed));
    }
    licet_put_format(out, "],\"meta\":{\"result_count\":%u}}", n);
}

static void
make_noise(size_t len, licet_buffer *out)
{
    uint64_t seed = 88172645463325252u;

    for (size_t i = 0; i < len; i++) {
        licet_put_u8(out, (uint8_t)(check_random(&seed) >> 32));
    }
}

/* The i-th body of those that are tried in every form; false: there are no more. */
static bool
make_body(unsigned i, licet_buffer *out)
{
    licet_buffer_init(out, 1 << 24);
    switch (i) {
    case 0:
        return true;
    case 1:
        return licet_put_u8(out, '7');
    case 2:
        make_page(1, out);
        return true;
    case 3:
        make_page(40, out);
        return true;
    case 4:
        make_noise(70000, out);
        return true;
    case 5:
        make_page(6000, out);
        return true;
    default:
        return false;
    }
}

static licet_buffer
packed(const struct pack *p, licet_bytes body)
{
    licet_buffer out;

    licet_buffer_init(&out, 1 << 24);
    p->pack(body, &out);
    return out;
}

/* ---- whole bodies ------------------------------------------------------------------- */

static void
must_be(const struct pack *p, unsigned i, const char *how, inflated got, licet_bytes body)
{
    if (got.state != LICET_INFLATED_WHOLE || !licet_bytes_equal(licet_buffer_view(&got.out), body)) {
        fail_msg("%s, body %u, %s: state %d, %zu bytes of %zu", p->name, i, how, (int)got.state, got.out.len, body.len);
    }
    licet_buffer_done(&got.out);
}

static void
test_whole(void **state)
{
    licet_buffer body, slow;

    for (unsigned i = 0; make_body(i, &body); i++) {
        licet_bytes plain = licet_buffer_view(&body);

        for (size_t k = 0; k < PACKS; k++) {
            licet_buffer in = packed(&packs[k], plain);
            licet_bytes bytes = licet_buffer_view(&in);

            must_be(&packs[k], i, "whole", check_run(packs[k].coding, &wide, bytes, 0, bytes.len), plain);
            must_be(&packs[k], i, "byte by byte", check_run(packs[k].coding, &wide, bytes, 0, 1), plain);
            must_be(&packs[k], i, "cut", check_run(packs[k].coding, &wide, bytes, 7 + i, 40), plain);
            must_be(&packs[k], i, "cut wide", check_run(packs[k].coding, &wide, bytes, 9 + i, 9000), plain);
            licet_buffer_init(&slow, 1 << 24);
            assert_true(licet_inflate_ref(packs[k].coding, bytes, &slow));
            assert_true(licet_bytes_equal(licet_buffer_view(&slow), plain));
            licet_buffer_done(&slow);
            licet_buffer_done(&in);
        }
        licet_buffer_done(&body);
    }
}

/* Every ordinary page lies within the ceilings that the gate uses. */
static void
test_limits_of_the_gate(void **state)
{
    licet_inflate_limits limits = LICET_INFLATE_LIMITS;
    licet_buffer body;

    licet_buffer_init(&body, 1 << 24);
    make_page(100000, &body);
    for (size_t k = 0; k < PACKS; k++) {
        licet_buffer in = packed(&packs[k], licet_buffer_view(&body));
        inflated got = check_run(packs[k].coding, &limits, licet_buffer_view(&in), 0, 1024);

        assert_in_range(got.memory, 1, limits.memory);
        must_be(&packs[k], 0, "by the gate's limits", got, licet_buffer_view(&body));
        licet_buffer_done(&in);
    }
    licet_buffer_done(&body);
}

/* ---- parts and damage ----------------------------------------------------------------- */

/* Cut anywhere, a body is not whole, and what came is the beginning of the page. */
static void
test_truncated(void **state)
{
    licet_buffer body;

    licet_buffer_init(&body, 1 << 20);
    make_page(12, &body);
    for (size_t k = 0; k < PACKS; k++) {
        licet_buffer in = packed(&packs[k], licet_buffer_view(&body));
        unsigned ends = 0;

        for (size_t len = 0; len < in.len; len++) {
            inflated got = check_run(packs[k].coding, &wide, licet_bytes_of(in.data, len), 0, 64);

            assert_true(is_prefix(licet_buffer_view(&got.out), licet_buffer_view(&body)));
            if (got.state != LICET_INFLATED_MORE && got.state != LICET_INFLATED_WHOLE) {
                fail_msg("%s: cut at %zu of %zu: state %d", packs[k].name, len, in.len, (int)got.state);
            }
            ends += got.state == LICET_INFLATED_WHOLE;
            licet_buffer_done(&got.out);
            assert_true(check_agree(packs[k].coding, licet_bytes_of(in.data, len), len));
        }
        /* only between members and frames: two and a padding of two, three and one before the first */
        assert_int_equal(ends, strstr(packs[k].name, "members") != NULL  ? 5
                               : strstr(packs[k].name, "frames") != NULL ? 4
                                                                         : 0);
        licet_buffer_done(&in);
    }
    licet_buffer_done(&body);
}

/* Any byte changed in any of several ways: fast and slow agree whether it is whole, and on all bytes if it is. */
static void
test_damaged(void **state)
{
    static const uint8_t masks[] = {0x01, 0x10, 0xff};
    licet_buffer body;
    unsigned told = 0;

    licet_buffer_init(&body, 1 << 20);
    make_page(5, &body);
    for (size_t k = 0; k < PACKS; k++) {
        licet_buffer in = packed(&packs[k], licet_buffer_view(&body));

        for (size_t at = 0; at < in.len; at++) {
            for (size_t m = 0; m < sizeof(masks); m++) {
                inflated got;

                in.data[at] ^= masks[m];
                if (!check_agree(packs[k].coding, licet_buffer_view(&in), at + 1)) {
                    fail_msg("%s: byte %zu changed by %02x", packs[k].name, at, masks[m]);
                }
                got = check_run(packs[k].coding, &wide, licet_buffer_view(&in), 0, 64);
                told += got.state != LICET_INFLATED_WHOLE;
                licet_buffer_done(&got.out);
                in.data[at] ^= masks[m];
            }
        }
        licet_buffer_done(&in);
    }
    licet_buffer_done(&body);
    assert_true(told > 1000); /* br and raw deflate have no checksum */
}

#define TEXT(s) sizeof(s) - 1, s

static const struct {
    const char *name;
    licet_coding coding;
    licet_inflated state;
    size_t len;
    const char *bytes;
} endings[] = {
    {"plain text as gzip", LICET_CODING_GZIP, LICET_INFLATED_BAD, TEXT("{\"data\":[]}")},
    {"plain text as deflate", LICET_CODING_DEFLATE, LICET_INFLATED_BAD, TEXT("{\"data\":[{\"id\":\"1\"}]}")},
    {"plain text as br", LICET_CODING_BR, LICET_INFLATED_BAD, TEXT("{\"data\":[{\"id\":\"1\"}]}")},
    {"plain text as zstd", LICET_CODING_ZSTD, LICET_INFLATED_BAD, TEXT("{\"data\":[]}")},
    {"an empty gzip", LICET_CODING_GZIP, LICET_INFLATED_WHOLE,
     TEXT("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0")},
    {"text behind gzip", LICET_CODING_GZIP, LICET_INFLATED_TRAILING,
     TEXT("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0{\"data\":[1]}")},
    {"text behind padding", LICET_CODING_GZIP, LICET_INFLATED_TRAILING,
     TEXT("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\x1f\x8b")},
    {"a reserved flag of gzip", LICET_CODING_GZIP, LICET_INFLATED_BAD,
     TEXT("\x1f\x8b\x08\x80\0\0\0\0\0\x03\x03\0\0\0")},
    {"an empty raw deflate", LICET_CODING_DEFLATE, LICET_INFLATED_WHOLE, TEXT("\x03\0")},
    {"one byte of deflate", LICET_CODING_DEFLATE, LICET_INFLATED_MORE, TEXT("\x78")},
    {"an empty zlib", LICET_CODING_DEFLATE, LICET_INFLATED_WHOLE, TEXT("\x78\x9c\x03\0\0\0\0\x01")},
    {"a zero behind zlib", LICET_CODING_DEFLATE, LICET_INFLATED_TRAILING, TEXT("\x78\x9c\x03\0\0\0\0\x01\0")},
    {"zlib with a dictionary", LICET_CODING_DEFLATE, LICET_INFLATED_BAD, TEXT("\x78\xbb\0\0\0\x01\x03\0")},
    {"an empty br", LICET_CODING_BR, LICET_INFLATED_WHOLE, TEXT("\x06")},
    {"two br", LICET_CODING_BR, LICET_INFLATED_TRAILING, TEXT("\x06\x06")},
    {"a large window of br", LICET_CODING_BR, LICET_INFLATED_BAD, TEXT("\x11\x1e\x03\x03\x03")},
    {"an empty zstd", LICET_CODING_ZSTD, LICET_INFLATED_WHOLE, TEXT("\x28\xb5\x2f\xfd\x20\0\x01\0\0")},
    {"text behind zstd", LICET_CODING_ZSTD, LICET_INFLATED_TRAILING, TEXT("\x28\xb5\x2f\xfd\x20\0\x01\0\0x")},
    {"a skippable frame", LICET_CODING_ZSTD, LICET_INFLATED_WHOLE, TEXT("\x51\x2a\x4d\x18\x01\0\0\0x")},
    {"zstd before its format was fixed", LICET_CODING_ZSTD, LICET_INFLATED_BAD, TEXT("\x27\xb5\x2f\xfd\x20\0\x01\0\0")},
    {"the same behind one byte", LICET_CODING_ZSTD, LICET_INFLATED_BAD,
     TEXT("\x28\x27\xb5\x2f\xfd\x20\0\x01\0\0\0\0\0\0\0\0\0\0")},
    {"the same behind a wrong head", LICET_CODING_ZSTD, LICET_INFLATED_BAD,
     TEXT("\x28\xb5\x2f\xfd\x88\x00\x25\xb5\x2f\xfd\x20\0\x01\0\0\0\0\0\0\0")},
    {"zstd with a dictionary", LICET_CODING_ZSTD, LICET_INFLATED_BAD, TEXT("\x28\xb5\x2f\xfd\x21\x07\0\x01\0\0")},
    {"a window of 8 MiB", LICET_CODING_ZSTD, LICET_INFLATED_WHOLE, TEXT("\x28\xb5\x2f\xfd\0\x68\x01\0\0")},
    {"a window over 8 MiB", LICET_CODING_ZSTD, LICET_INFLATED_TOO_FAR, TEXT("\x28\xb5\x2f\xfd\0\x69\x01\0\0")},
};

static void
test_endings(void **state)
{
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        licet_bytes in = licet_bytes_of(endings[i].bytes, endings[i].len);
        inflated whole = check_run(endings[i].coding, &wide, in, 0, in.len);

        if (whole.state != endings[i].state || !check_agree(endings[i].coding, in, i + 1)) {
            fail_msg("%s: state %d, expected %d", endings[i].name, (int)whole.state, (int)endings[i].state);
        }
        licet_buffer_done(&whole.out);
    }
    assert_int_equal(licet_inflated_reason(LICET_INFLATED_WHOLE), LICET_UNMETERED_NONE);
    assert_int_equal(licet_inflated_reason(LICET_INFLATED_MORE), LICET_UNMETERED_INCOMPLETE);
    assert_string_equal(licet_unmetered_slug(licet_inflated_reason(LICET_INFLATED_BAD)), "bad-encoding");
    assert_string_equal(licet_unmetered_slug(licet_inflated_reason(LICET_INFLATED_TRAILING)), "bad-encoding");
    assert_string_equal(licet_unmetered_slug(licet_inflated_reason(LICET_INFLATED_TOO_FAR)), "inflates-too-far");
}

/* ---- ceilings ----------------------------------------------------------------------------- */

#define BOMB (1u << 30)

/* A gigabyte of zeros as gzip: what one megabyte makes after a full flush, again and again. */
static void
bomb_gzip(licet_buffer *out)
{
    z_stream z = {.next_in = NULL};
    licet_buffer zeros;
    uint8_t room[8192];
    size_t head = 0;

    licet_buffer_init(&zeros, 1 << 20);
    while (zeros.len < 1 << 20) {
        licet_put_u64(&zeros, 0);
    }
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    for (unsigned round = 0; round < 2; round++) {
        z.next_in = zeros.data;
        z.avail_in = (uInt)zeros.len;
        z.next_out = room;
        z.avail_out = sizeof(room);
        assert_int_equal(deflate(&z, Z_FULL_FLUSH), Z_OK);
        assert_true(z.avail_out > 0);
        head = sizeof(room) - z.avail_out;
        for (unsigned n = round == 0 ? 1 : BOMB / (1 << 20) - 1; n > 0; n--) {
            licet_put_bytes(out, licet_bytes_of(room, head));
        }
    }
    (void)deflateEnd(&z);
    licet_buffer_done(&zeros);
}

static void
bomb_zstd(licet_buffer *out)
{
    static const uint8_t block[] = {0x02, 0, 0x10, 0}; /* run of 128 KiB of one byte, not the last */

    licet_put_bytes(out, LICET_BYTES_LITERAL("\x28\xb5\x2f\xfd\0\x68"));
    for (unsigned n = BOMB >> 17; n > 0; n--) {
        licet_put_bytes(out, licet_bytes_of(block, sizeof(block)));
    }
}

static void
bomb_br(licet_buffer *out)
{
    BrotliEncoderState *e = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    static const uint8_t zeros[1 << 20];
    const uint8_t *from, *made;
    size_t left, len, none = 0;

    BrotliEncoderSetParameter(e, BROTLI_PARAM_QUALITY, 2);
    for (unsigned n = BOMB / sizeof(zeros); n > 0; n--) {
        from = zeros;
        left = sizeof(zeros);
        while (left > 0 || BrotliEncoderHasMoreOutput(e)) {
            assert_true(BrotliEncoderCompressStream(e, n == 1 ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS,
                                                    &left, &from, &none, NULL, NULL));
            len = 0;
            made = BrotliEncoderTakeOutput(e, &len);
            licet_put_bytes(out, licet_bytes_of(made, len));
        }
    }
    BrotliEncoderDestroyInstance(e);
}

static void
test_bombs(void **state)
{
    static const struct {
        licet_coding coding;
        void (*make)(licet_buffer *out);
    } bombs[] = {{LICET_CODING_GZIP, bomb_gzip}, {LICET_CODING_BR, bomb_br}, {LICET_CODING_ZSTD, bomb_zstd}};
    licet_inflate_limits limits = LICET_INFLATE_LIMITS;
    licet_buffer in;

    for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
        inflated got;

        licet_buffer_init(&in, 1 << 24);
        bombs[i].make(&in);
        assert_true(in.len < BOMB / 500);
        got = check_run(bombs[i].coding, &limits, licet_buffer_view(&in), 0, 1024);
        print_message("%zu bytes of a gigabyte: ended after %zu, at most %zu of memory\n", in.len, got.out.len,
                      got.memory);
        assert_int_equal(got.state, LICET_INFLATED_TOO_FAR);
        assert_in_range(got.out.len, limits.floor, limits.floor + limits.ratio * in.len + (16 << 10));
        assert_in_range(got.memory, 1, limits.memory);
        licet_buffer_done(&got.out);

        /* however much comes at once, no more of it is made than is allowed for what came */
        got = check_run(bombs[i].coding, &limits, licet_buffer_view(&in), 0, in.len);
        assert_in_range(got.out.len, limits.floor, limits.floor + limits.ratio * in.len + (16 << 10));
        licet_buffer_done(&got.out);
        licet_buffer_done(&in);
    }
}

/* With any ceiling of memory a body is whole or ends as too far, and all of it is given back. */
static void
test_every_ceiling_of_memory(void **state)
{
    licet_buffer body;
    unsigned ended = 0;

    licet_buffer_init(&body, 1 << 20);
    make_page(300, &body);
    for (size_t k = 0; k < PACKS; k++) {
        licet_buffer in = packed(&packs[k], licet_buffer_view(&body));
        licet_inflated last = LICET_INFLATED_MORE;

        for (size_t most = 0; last != LICET_INFLATED_WHOLE; most += most < 100000 ? 500 : 100000) {
            licet_inflate_pool pool = {most, 0};
            licet_inflate *z = NULL;
            licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};

            assert_in_range(most, 0, 32u << 20);
            if (!licet_inflate_new(packs[k].coding, &wide, &pool, &z, &err)) {
                assert_int_equal(err.code, LICET_E_LIMIT);
                assert_int_equal(pool.used, 0);
                continue;
            }
            last = licet_inflate_feed(z, licet_buffer_view(&in), NULL, NULL);
            if (last != LICET_INFLATED_WHOLE) {
                ended++;
                assert_int_equal(last, LICET_INFLATED_TOO_FAR);
            }
            licet_inflate_free(z);
            assert_int_equal(pool.used, 0);
        }
        licet_buffer_done(&in);
    }
    licet_buffer_done(&body);
    assert_true(ended > 10);
    licet_inflate_free(NULL);
    assert_false(licet_inflate_new(LICET_CODING_IDENTITY, &wide, NULL, NULL, NULL));
    assert_false(licet_inflate_new(LICET_CODING_LEN, &wide, NULL, NULL, NULL));
}

/* ---- what it is for -------------------------------------------------------------------------- */

typedef struct reader {
    licet_scan scan;
    licet_plan *plan;
} reader;

static void
read_piece(void *user, licet_bytes piece)
{
    reader *r = user;

    licet_scan_feed(&r->scan, r->plan, piece, NULL, NULL);
}

static licet_plan *
make_plan(const char *count, const char *ids)
{
    licet_plan_unit unit = {.unit = "post", .has_ids = true};
    licet_plan *plan = NULL;

    assert_true(licet_path_parse(licet_bytes_of_text(count), &unit.count, NULL));
    assert_true(licet_path_parse(licet_bytes_of_text(ids), &unit.ids, NULL));
    assert_true(licet_plan_new(&unit, 1, &plan, NULL));
    return plan;
}

static unsigned files_seen;

/* Counts of the compressed file are those of the plain one. */
static void
check_counts(const char *path, licet_bytes plain)
{
    static const char *const plans[][2] = {{"$.data", "$.data.id"}, {"$", "$.id"}};
    static const size_t forms[] = {0, 6, 9};
    licet_body_form form =
        strstr(path, "ndjson") != NULL || strstr(path, "jsonl") != NULL ? LICET_BODY_NDJSON : LICET_BODY_JSON;
    licet_scan_result expected, got;
    reader r;

    for (size_t k = 0; k < sizeof(forms) / sizeof(forms[0]); k++) {
        const struct pack *p = &packs[forms[k]];
        licet_buffer in = packed(p, plain);

        for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
            licet_inflate *z = NULL;
            licet_inflated state = LICET_INFLATED_MORE;

            r.plan = make_plan(plans[i][0], plans[i][1]);
            licet_scan_init(&r.scan, r.plan, form);
            read_piece(&r, plain);
            licet_scan_end(&r.scan, r.plan, NULL, NULL);
            licet_scan_look(&r.scan, &expected);
            licet_scan_init(&r.scan, r.plan, form);
            assert_true(licet_inflate_new(p->coding, &wide, NULL, &z, NULL));
            for (size_t at = 0; at < in.len; at += 1024) {
                state = licet_inflate_feed(z, licet_bytes_of(in.data + at, in.len - at < 1024 ? in.len - at : 1024),
                                           read_piece, &r);
            }
            licet_inflate_free(z);
            licet_scan_end(&r.scan, r.plan, NULL, NULL);
            licet_scan_look(&r.scan, &got);
            if (state != LICET_INFLATED_WHOLE || memcmp(&got, &expected, sizeof(got)) != 0) {
                fail_msg("%s by %s: state %d, %llu units at byte %llu, expected %llu at %llu", path, p->name,
                         (int)state, (unsigned long long)got.count[0], (unsigned long long)got.bytes,
                         (unsigned long long)expected.count[0], (unsigned long long)expected.bytes);
            }
            licet_plan_free(r.plan);
        }
        licet_buffer_done(&in);
    }
    files_seen++;
}

static int
on_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    uint8_t *data = NULL;
    size_t len = 0;

    (void)st;
    (void)ftw;
    if (type == FTW_F) {
        assert_true(licet_file_read(path, 1 << 26, &data, &len, NULL));
        check_counts(path, licet_bytes_of(data, len));
        free(data);
    }
    return 0;
}

static void
test_counts(void **state)
{
    licet_buffer body;

    for (unsigned i = 0; make_body(i, &body); i++) {
        check_counts(i == 4 ? "noise" : "page", licet_buffer_view(&body));
        licet_buffer_done(&body);
    }
}

/* Every recorded page. */
static void
test_recorded(void **state)
{
    const char *data = getenv("LICET_TEST_DATA"), *root = getenv("LICET_SOURCE_ROOT");
    char path[4096];
    struct stat st;

    if (data != NULL) {
        snprintf(path, sizeof(path), "%s/01-api-json", data);
    } else {
        snprintf(path, sizeof(path), "%s/../shared/data/01-api-json", root == NULL ? "." : root);
    }
    if (stat(path, &st) != 0) {
        print_message("%s is not there\n", path);
        skip();
    }
    files_seen = 0;
    assert_int_equal(nftw(path, on_file, 16, FTW_PHYS), 0);
    print_message("%u files of %s\n", files_seen, path);
    assert_true(files_seen > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_limits_of_the_gate),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_endings),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_every_ceiling_of_memory),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
