/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scan: what is counted, told and refused, case by case; then the fast scan
 * against the slow one wherever a body may be cut, over cases, the corpus,
 * generated bodies and, where it is there, the real data.
 */
#include "scan_check.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <sys/stat.h>

#include <cmocka.h>

#define J LICET_BODY_JSON
#define N LICET_BODY_NDJSON
#define A LICET_BODY_AUTO
#define OK LICET_UNMETERED_NONE
#define BAD LICET_UNMETERED_MALFORMED
#define CUT LICET_UNMETERED_INCOMPLETE
#define TWICE LICET_UNMETERED_DUPLICATE_KEY
#define DIFFER LICET_UNMETERED_IDS_DIFFER
#define LONG LICET_UNMETERED_ID_TOO_LONG
#define EMPTY LICET_UNMETERED_EMPTY

#define X64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Written by hand: neither scan is asked what is right. The ids of all units in order, each ended by ';'. */
static const struct scan_case {
    const char *name;
    unsigned plan;
    licet_body_form form;
    const char *body;
    uint64_t documents, count[3];
    const char *ids;
    licet_unmetered reason;
    unsigned unit;
    uint64_t offset;
} scan_cases[] = {
    /* what a path counts */
    {"array", 1, J, "{\"data\":[{\"id\":\"1\"},{\"id\":\"2\"}]}", 1, {2}, "1;2;", OK, 0, 0},
    {"object", 1, J, "{\"data\":{\"id\":\"1\"}}", 1, {1}, "1;", OK, 0, 0},
    {"empty array", 1, J, "{\"data\":[]}", 1, {0}, "", OK, 0, 0},
    {"empty object counts 1", 3, J, "{\"a\":{}}", 1, {1}, "", OK, 0, 0},
    {"scalars count 0", 3, J, "{\"a\":\"x\"}", 1, {0}, "", OK, 0, 0},
    {"null counts 0", 1, J, "{\"data\":null}", 1, {0}, "", OK, 0, 0},
    {"number counts 0", 3, J, "{\"a\":17}", 1, {0}, "", OK, 0, 0},
    {"nothing there", 1, J, "{\"meta\":{\"data\":[1,2]}}", 1, {0}, "", OK, 0, 0},
    {"not deeper", 1, J, "{\"x\":{\"data\":[{\"id\":\"1\"}]}}", 1, {0}, "", OK, 0, 0},
    {"elements of any type", 3, J, "{\"a\":[1,\"x\",null,true,false,{},[],[1,2]]}", 1, {8}, "", OK, 0, 0},
    {"two units",
     1,
     J,
     "{\"includes\":{\"users\":[{\"id\":\"u\"}]},\"data\":[{\"id\":\"1\"},{\"id\":\"2\"}]}",
     1,
     {2, 1},
     "u;1;2;",
     OK,
     0,
     0},
    {"root array", 2, J, "[{\"id\":\"1\"},{\"id\":\"2\"}]", 1, {2}, "1;2;", OK, 0, 0},
    {"root object", 2, J, "{\"id\":\"1\"}", 1, {1}, "1;", OK, 0, 0},
    {"root scalar", 2, J, "\"x\"", 1, {0}, "", OK, 0, 0},
    {"root number", 2, J, "12", 1, {0}, "", OK, 0, 0},
    {"step over arrays", 3, J, "{\"a\":[{\"b\":[1,2]},[[{\"b\":{}}]],3]}", 1, {3, 0, 3}, "", OK, 0, 0},
    {"arrays in arrays count once", 3, J, "{\"a\":[[1,2],[3]]}", 1, {2}, "", OK, 0, 0},
    {"white space", 1, J, " \r\n\t{ \"data\" : [ { \"id\" : 1 } , { \"id\" : 2 } ] } \n", 1, {2}, "1;2;", OK, 0, 0},
    /* ids */
    {"number ids", 2, J, "[{\"id\":-1.50E+3},{\"id\":0}]", 1, {2}, "-1.50E+3;0;", OK, 0, 0},
    {"ids of 64 bytes", 1, J, "{\"data\":{\"id\":\"" X64 "\"}}", 1, {1}, X64 ";", OK, 0, 0},
    {"id of 65 bytes", 1, J, "{\"data\":{\"id\":\"" X64 "x\"}}", 0, {1}, "", LONG, 0, 14},
    {"number id of 65 digits",
     2,
     J,
     "{\"id\":1000000000000000000000000000000000000000000000000000000000000000000}",
     0,
     {1},
     "",
     LONG,
     0,
     6},
    {"escapes in an id",
     1,
     J,
     "{\"data\":{\"id\":\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00z\"}}",
     1,
     {1},
     "a\"\\/\b\f\n\r\té😀z;",
     OK,
     0,
     0},
    {"lone surrogates",
     1,
     J,
     "{\"data\":{\"id\":\"\\ude00\\ud83dA\\ud83d\\ud83d\\u0041\\ud83d\"}}",
     1,
     {1},
     "��A��A�;",
     OK,
     0,
     0},
    {"escapes count decoded",
     1,
     J,
     "{\"data\":{\"id\":\"\\u0030\\u0031"
     "23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}}",
     1,
     {1},
     X64 ";",
     OK,
     0,
     0},
    {"empty id", 1, J, "{\"data\":{\"id\":\"\"}}", 1, {1}, ";", OK, 0, 0},
    {"array of ids", 4, J, "{\"ids\":[1,\"2\"]}", 1, {2}, "1;2;", OK, 0, 0},
    {"null is no id", 4, J, "{\"ids\":[1,null]}", 1, {2}, "1;", DIFFER, 0, 16},
    {"two ids for one", 1, J, "{\"data\":[{\"id\":[\"1\",\"2\"]}]}", 1, {1}, "1;2;", DIFFER, 0, 27},
    {"ids in deeper arrays are none", 4, J, "{\"ids\":[[1]]}", 1, {1}, "", DIFFER, 0, 13},
    {"object is no id", 1, J, "{\"data\":{\"id\":{\"id\":\"1\"}}}", 1, {1}, "", DIFFER, 0, 26},
    {"an id is missing", 1, J, "{\"data\":[{\"id\":\"1\"},{}]}", 1, {2}, "1;", DIFFER, 0, 24},
    {"second unit differs", 1, J, "{\"includes\":{\"users\":[1]}} ", 1, {0, 1}, "", DIFFER, 1, 26},
    {"one place, two units", 7, J, "{\"id\":[1],\"data\":{\"id\":{}}}", 1, {1, 1}, "1;1;", OK, 0, 0},
    /* keys */
    {"escaped key", 1, J, "{\"d\\u0061t\\u0061\":[{\"\\u0069d\":\"1\"}]}", 1, {1}, "1;", OK, 0, 0},
    {"surrogate pair in a key", 6, J, "{\"\\uD83D\\uDE00\":[1,2],\"dé\":{\"\":7}}", 1, {1, 2}, "7;", OK, 0, 0},
    {"keys are compared whole",
     1,
     J,
     "{\"dat\":[1],\"datas\":[1],\"Data\":[1],\"\":[1],\"data\\u0000\":[1]}",
     1,
     {0},
     "",
     OK,
     0,
     0},
    {"long keys match nothing", 1, J, "{\"" X64 X64 "data\":[1],\"\\u0061" X64 "\":1}", 1, {0}, "", OK, 0, 0},
    {"a key of 64 bytes", 8, J, "{\"" X64 "\":[1]}", 1, {1}, "", OK, 0, 0},
    {"a key of 65 bytes", 8, J, "{\"" X64 "x\":[1]}", 1, {0}, "", OK, 0, 0},
    {"a key of 64 bytes with an escape",
     8,
     J,
     "{\"\\u0030"
     "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\":[1]}",
     1,
     {1},
     "",
     OK,
     0,
     0},
    {"a key of 65 bytes with an escape", 8, J, "{\"" X64 "\\u0030\":[1]}", 1, {0}, "", OK, 0, 0},
    {"duplicate", 1, J, "{\"data\":[{\"id\":1}],\"data\":[{\"id\":2}]}", 0, {1}, "1;", TWICE, 0, 19},
    {"duplicate by escapes", 1, J, "{\"data\":1,\"dat\\u0061\":2}", 0, {0}, "", TWICE, 0, 10},
    {"duplicate id", 1, J, "{\"data\":[{\"id\":1,\"id\":1}]}", 0, {1}, "1;", TWICE, 0, 17},
    {"duplicate before its end", 1, J, "{\"data\":1,\"data", 0, {0}, "", CUT, 0, 15},
    {"duplicate of the second unit", 1, J, "{\"includes\":{},\"includes\":{}}", 0, {0}, "", TWICE, 1, 15},
    {"duplicate on no path", 1, J, "{\"x\":1,\"x\":2,\"data\":[{\"id\":1,\"y\":1,\"y\":2}]}", 1, {1}, "1;", OK, 0, 0},
    {"the same name elsewhere", 3, J, "{\"a\":{\"a\":1},\"b\":1,\"x\":{\"a\":1}}", 1, {1, 0, 0}, "", OK, 0, 0},
    {"each element afresh", 1, J, "{\"data\":[{\"id\":1},{\"id\":2},[{\"id\":3}]]}", 1, {3}, "1;2;3;", OK, 0, 0},
    /* grammar */
    {"nothing", 1, J, "", 0, {0}, "", EMPTY, 0, 0},
    {"space", 1, J, " \n ", 0, {0}, "", EMPTY, 0, 3},
    {"byte order mark", 1, J, "\xef\xbb\xbf{}", 0, {0}, "", BAD, 0, 0},
    {"cut in an array", 3, J, "{\"a\":[1,2,", 0, {2}, "", CUT, 0, 10},
    {"an element counts from its first byte", 3, J, "{\"a\":[1,-", 0, {2}, "", CUT, 0, 9},
    {"an id only when complete", 2, J, "{\"id\":12", 0, {1}, "", CUT, 0, 8},
    {"cut in a string", 1, J, "{\"data\":[{\"id\":\"1", 0, {1}, "", CUT, 0, 17},
    {"trailing comma in array", 3, J, "{\"a\":[1,]}", 0, {1}, "", BAD, 0, 8},
    {"trailing comma in object", 3, J, "{\"a\":[1],}", 0, {1}, "", BAD, 0, 9},
    {"control character in string", 3, J, "{\"a\":[\"\x1f\"]}", 0, {1}, "", BAD, 0, 7},
    {"DEL in string", 3, J, "{\"a\":[\"\x7f\"]}", 1, {1}, "", OK, 0, 0},
    {"bytes that are no UTF-8", 3, J, "{\"a\":[\"\xff\xc0\"]}", 1, {1}, "", OK, 0, 0},
    {"unknown escape", 3, J, "{\"a\":\"\\x\"}", 0, {0}, "", BAD, 0, 7},
    {"short escape", 3, J, "{\"a\":\"\\u12\"}", 0, {0}, "", BAD, 0, 10},
    {"leading zero", 3, J, "{\"a\":[01]}", 0, {1}, "", BAD, 0, 7},
    {"minus alone", 3, J, "{\"a\":[-]}", 0, {1}, "", BAD, 0, 7},
    {"dot without digits", 3, J, "{\"a\":[1.]}", 0, {1}, "", BAD, 0, 8},
    {"exponent without digits", 3, J, "{\"a\":[1e+]}", 0, {1}, "", BAD, 0, 9},
    {"plus", 3, J, "{\"a\":[+1]}", 0, {0}, "", BAD, 0, 6},
    {"numbers", 3, J, "{\"a\":[0,-0,1,10,0.5,1E5,1e-5,-1.25e+10]}", 1, {8}, "", OK, 0, 0},
    {"literal cut short", 3, J, "{\"a\":[tru]}", 0, {1}, "", BAD, 0, 9},
    {"wrong literal", 3, J, "{\"a\":[nil]}", 0, {1}, "", BAD, 0, 7},
    {"brackets crossed", 3, J, "{\"a\":[1}", 0, {1}, "", BAD, 0, 7},
    {"too many brackets", 1, J, "{}}", 1, {0}, "", BAD, 0, 2},
    {"key without quotes", 1, J, "{a:1}", 0, {0}, "", BAD, 0, 1},
    {"no colon", 1, J, "{\"a\" 1}", 0, {0}, "", BAD, 0, 5},
    {"comment", 1, J, "{}//", 1, {0}, "", BAD, 0, 2},
    {"single quotes", 1, J, "['a']", 0, {0}, "", BAD, 0, 1},
    {"no comma", 3, J, "{\"a\":[1 2]}", 0, {1}, "", BAD, 0, 8},
    {"an id, then junk", 2, J, "{\"id\":12x", 0, {1}, "12;", BAD, 0, 8},
    /* forms */
    {"two documents are not one", 2, J, "{\"id\":1}\n{\"id\":2}", 1, {1}, "1;", BAD, 0, 9},
    {"lines", 2, N, "{\"id\":1}\n{\"id\":2}\n", 2, {2}, "1;2;", OK, 0, 0},
    {"heartbeats", 2, N, "\r\n\r\n{\"x\":{\"id\":0},\"id\":1}\r\n\r\n{\"id\":2}\r\n\n", 2, {2}, "1;2;", OK, 0, 0},
    {"nothing but heartbeats", 2, N, "\r\n\r\n", 0, {0}, "", OK, 0, 0},
    {"no line at all", 2, N, "", 0, {0}, "", OK, 0, 0},
    {"a space is enough", 2, N, "{\"id\":1} {\"id\":2}", 2, {2}, "1;2;", OK, 0, 0},
    {"nothing between", 2, N, "{\"id\":1}{\"id\":2}", 1, {1}, "1;", BAD, 0, 8},
    {"the last line is cut", 2, N, "{\"id\":1}\n{\"id\":2", 1, {2}, "1;", CUT, 0, 16},
    {"the second line differs", 2, N, "{\"id\":1}\n{}\n{\"id\":3}", 2, {2}, "1;", DIFFER, 0, 11},
    {"numbers on lines", 2, N, "1\n2", 2, {0}, "", OK, 0, 0},
    {"number cut in the last line", 2, N, "1\n2.", 1, {0}, "", CUT, 0, 4},
    {"one document", 2, A, " {\"id\":1} ", 1, {1}, "1;", OK, 0, 0},
    {"pretty document", 2, A, "{\n \"id\":\n 1\n}\n", 1, {1}, "1;", OK, 0, 0},
    {"documents on lines", 2, A, "{\"id\":1}\r{\"id\":2} \n {\"id\":3}", 3, {3}, "1;2;3;", OK, 0, 0},
    {"documents on one line", 2, A, "{\"id\":1} {\"id\":2}", 1, {1}, "1;", BAD, 0, 9},
    {"nothing, form unknown", 2, A, " ", 0, {0}, "", EMPTY, 0, 1},
    {"heartbeat, form unknown", 2, A, "\n", 0, {0}, "", OK, 0, 0},
};
#define SCAN_CASES (sizeof(scan_cases) / sizeof(scan_cases[0]))

static void
join_id(void *user, unsigned unit, licet_bytes id)
{
    (void)unit;
    licet_put_bytes(user, id);
    licet_put_u8(user, ';');
}

static void
test_cases(void **state)
{
    for (size_t i = 0; i < SCAN_CASES; i++) {
        const struct scan_case *c = &scan_cases[i];
        licet_bytes body = licet_bytes_of_text(c->body);
        licet_scan_result r;
        licet_buffer ids;
        licet_scan scan;
        check_plan p;

        check_plan_init(&p, c->plan);
        licet_buffer_init(&ids, 1000);
        licet_scan_init(&scan, p.plan, c->form);
        licet_scan_feed(&scan, p.plan, body, join_id, &ids);
        licet_scan_end(&scan, p.plan, join_id, &ids);
        licet_scan_look(&scan, &r);
        if (r.documents != c->documents || memcmp(r.count, c->count, sizeof(c->count)) != 0 || r.reason != c->reason ||
            r.unit != c->unit || r.offset != c->offset || r.bytes != body.len ||
            !licet_bytes_equal_text(licet_buffer_view(&ids), c->ids)) {
            fail_msg("%s: documents %llu counts %llu %llu %llu ids %.*s reason %s unit %u offset %llu", c->name,
                     (unsigned long long)r.documents, (unsigned long long)r.count[0], (unsigned long long)r.count[1],
                     (unsigned long long)r.count[2], (int)ids.len, (const char *)ids.data,
                     licet_unmetered_slug(r.reason), r.unit, (unsigned long long)r.offset);
        }
        licet_buffer_done(&ids);
        check_plan_done(&p);
    }
}

static void
test_cases_cut(void **state)
{
    for (size_t i = 0; i < SCAN_CASES; i++) {
        const struct scan_case *c = &scan_cases[i];
        check_plan p;

        for (unsigned plan = 0; plan < CHECK_PLANS; plan++) {
            check_plan_init(&p, plan);
            if (!check_every_cut(&p, c->form, licet_bytes_of_text(c->body)) ||
                !check_cuts(&p, c->form, licet_bytes_of_text(c->body), i, 5)) {
                fail_msg("%s, plan %u: fast and slow differ", c->name, plan);
            }
            check_plan_done(&p);
        }
    }
}

static void
test_depth(void **state)
{
    static char body[2100];
    licet_scan_result r;
    licet_scan scan;
    check_plan p;

    check_plan_init(&p, 2);
    for (unsigned depth = 999; depth <= 1001; depth++) {
        memset(body, '[', depth);
        memset(body + depth, ']', depth);
        licet_scan_init(&scan, p.plan, J);
        licet_scan_feed(&scan, p.plan, licet_bytes_of(body, (size_t)depth * 2), NULL, NULL);
        licet_scan_end(&scan, p.plan, NULL, NULL);
        licet_scan_look(&scan, &r);
        assert_int_equal(r.reason, depth > 1000 ? LICET_UNMETERED_TOO_DEEP : DIFFER);
        assert_int_equal(r.offset, depth > 1000 ? 1000 : 2 * depth);
        assert_int_equal(r.count[0], 1);
        assert_true(check_cuts(&p, J, licet_bytes_of(body, (size_t)depth * 2), depth, 100));
    }
    check_plan_done(&p);
}

/* Members of the same name on a path 1,000 containers deep, and what is behind them. */
static void
test_depth_of_arrays_on_a_path(void **state)
{
    static const char inside[] = "{\"id\":1,\"id\":2}";
    licet_buffer body;
    check_plan p;
    licet_scan_result r;
    licet_scan scan;

    licet_buffer_init(&body, 4096);
    for (unsigned i = 0; i < 999; i++) {
        licet_put_u8(&body, '[');
    }
    licet_put_bytes(&body, licet_bytes_of_text(inside));
    check_plan_init(&p, 2);
    licet_scan_init(&scan, p.plan, J);
    licet_scan_feed(&scan, p.plan, licet_buffer_view(&body), NULL, NULL);
    licet_scan_look(&scan, &r);
    assert_int_equal(r.reason, TWICE);
    assert_int_equal(r.offset, 999 + 8);
    check_plan_done(&p);
    licet_buffer_done(&body);
}

static void
test_after_a_fault(void **state)
{
    licet_scan_result r;
    licet_scan scan;
    check_plan p;

    check_plan_init(&p, 3);
    licet_scan_init(&scan, p.plan, J);
    licet_scan_feed(&scan, p.plan, LICET_BYTES_LITERAL("{\"a\":[1,x"), NULL, NULL);
    licet_scan_feed(&scan, p.plan, LICET_BYTES_LITERAL(",1,1]}"), NULL, NULL);
    licet_scan_end(&scan, p.plan, NULL, NULL);
    licet_scan_end(&scan, p.plan, NULL, NULL);
    licet_scan_look(&scan, &r);
    assert_int_equal(r.count[0], 1);
    assert_int_equal(r.bytes, 15);
    assert_int_equal(r.reason, BAD);
    assert_int_equal(r.offset, 8);
    check_plan_done(&p);
}

static void
test_plan_limits(void **state)
{
    licet_plan_unit units[9];
    licet_error err = {0};
    licet_plan *plan = NULL;
    char text[64];

    memset(units, 0, sizeof(units));
    assert_false(licet_plan_new(units, 9, &plan, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    for (int i = 0; i < 8; i++) { /* 8 units with 4 names of their own each: 32 */
        snprintf(text, sizeof(text), "$.a%d.b%d.c%d.d%d", i, i, i, i);
        assert_true(licet_path_parse(licet_bytes_of_text(text), &units[i].count, NULL));
        units[i].ids = units[i].count;
        units[i].has_ids = true;
    }
    assert_true(licet_plan_new(units, 8, &plan, &err));
    licet_plan_free(plan);
    assert_true(licet_path_parse(LICET_BYTES_LITERAL("$.a7.b7.c7.d7.e7"), &units[7].ids, NULL));
    assert_false(licet_plan_new(units, 8, &plan, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    assert_non_null(strstr(err.text, "32"));
    licet_plan_free(NULL);
}

static void
test_slugs(void **state)
{
    assert_string_equal(licet_unmetered_slug(LICET_UNMETERED_NONE), "none");
    assert_string_equal(licet_unmetered_slug(LICET_UNMETERED_IDS_DIFFER), "ids-differ");
    assert_string_equal(licet_unmetered_slug(LICET_UNMETERED_RANGE), "range");
    assert_string_equal(licet_unmetered_slug((licet_unmetered)99), "unknown");
}

/* Each byte at each place of a string, in and off the path: strings are read by eight bytes at a time. */
static void
test_every_byte_in_a_string(void **state)
{
    char body[64];
    check_plan p;

    check_plan_init(&p, 1);
    for (unsigned place = 0; place < 20; place++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            for (unsigned key = 0; key < 2; key++) {
                int len = snprintf(body, sizeof(body), "{\"%s\":{\"id\":\"abcdefghijklmnopqrst\"}}",
                                   key == 0 ? "data" : "other");

                body[len - 3 - 20 + (int)place] = (char)byte;
                if (!check_cuts(&p, J, licet_bytes_of(body, (size_t)len), byte, (size_t)len) ||
                    !check_cuts(&p, J, licet_bytes_of(body, (size_t)len), byte, 7)) {
                    fail_msg("byte 0x%02x at %u of a string", byte, place);
                }
            }
        }
    }
    check_plan_done(&p);
}

/* ---- generated bodies ---------------------------------------------------------- */

/* A value of few names and many shapes; now and then a byte is wrong. Explicit stack of closers, no recursion. */
static void
generate(licet_buffer *out, uint64_t *seed, unsigned size)
{
    static const char *const keys[] = {"\"data\"",           "\"id\"",         "\"a\"",   "\"b\"",    "\"c\"",
                                       "\"includes\"",       "\"users\"",      "\"ids\"", "\"\"",     "\"d\\u00e9\"",
                                       "\"\\ud83d\\ude00\"", "\"d\\u0061ta\"", "\"x\"",   "\"other\""};
    static const char *const scalars[] = {
        "1",     "-0.5e+7",     "\"1\"",       "\"a\\n\\\"b\"",       "null",
        "true",  "false",       "\"\"",        "1234567890123456789", "\"\\ud83d\\ude00 \\ud83d\"",
        "\"é\"", "\"" X64 "\"", "\"" X64 "x\""};
    char closers[64];
    unsigned depth = 0;
    bool comma = false;

    licet_put_u8(out, '{');
    closers[depth++] = '}';
    for (unsigned i = 0; i < size && depth > 0; i++) {
        uint64_t r = check_random(seed);

        if (r % 5 == 0) {
            licet_put_u8(out, (uint8_t)closers[--depth]);
            comma = true;
            continue;
        }
        licet_put_format(out, "%s%s", comma ? "," : "", r % 31 == 0 ? " \n" : "");
        if (closers[depth - 1] == '}') {
            licet_put_format(out, "%s:", keys[(r >> 8) % (sizeof(keys) / sizeof(keys[0]))]);
        }
        comma = true;
        if (r % 2 == 0 && depth < sizeof(closers)) {
            licet_put_u8(out, r >> 40 & 1 ? '{' : '[');
            closers[depth++] = r >> 40 & 1 ? '}' : ']';
            comma = false;
        } else {
            licet_put_format(out, "%s", scalars[(r >> 16) % ((r >> 32) % 8 == 0 ? 13 : 11)]);
        }
        if (r % 499 == 0) {
            licet_put_u8(out, (uint8_t)(r >> 48));
        }
    }
    while (depth > 0) {
        licet_put_u8(out, (uint8_t)closers[--depth]);
    }
}

static void
test_generated(void **state)
{
    uint64_t seed;

    assert_true(licet_random((uint8_t *)&seed, sizeof(seed), NULL));
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t first = seed;
        licet_body_form form = (licet_body_form)(i % 3);
        licet_buffer body;
        check_plan p;

        licet_buffer_init(&body, 1 << 20);
        for (unsigned documents = i % 4; documents > 0; documents--) {
            generate(&body, &seed, i % 7 == 0 ? 2000 : 40);
            licet_put_u8(&body, '\n');
        }
        check_plan_init(&p, i % (unsigned)CHECK_PLANS);
        if (!check_cuts(&p, form, licet_buffer_view(&body), seed, 1 + i % 300) ||
            (body.len < 200 && !check_every_cut(&p, form, licet_buffer_view(&body)))) {
            fail_msg("seed %llu, plan %u, form %d: fast and slow differ on %.*s", (unsigned long long)first,
                     i % (unsigned)CHECK_PLANS, form, (int)body.len, (const char *)body.data);
        }
        check_plan_done(&p);
        licet_buffer_done(&body);
    }
}

/* A page of 1 MB as platforms send them, against the slow scan and in pieces of network size. */
static void
test_large(void **state)
{
    licet_buffer body;
    check_plan p;
    observed seen;

    licet_buffer_init(&body, 1 << 23);
    licet_put_format(&body, "{\"data\":[");
    for (unsigned i = 0; body.len < 1 << 20; i++) {
        licet_put_format(
            &body, "%s{\"id\":\"%llu\",\"text\":\"a line\\nand \\u00e9 %u\",\"public_metrics\":{\"like_count\":%u}}",
            i == 0 ? "" : ",", 1500000000000000000ull + i * 7919ull, i, i % 100);
    }
    licet_put_format(&body, "],\"includes\":{\"users\":[{\"id\":\"1\"}]},\"meta\":{\"result_count\":1}}");
    check_plan_init(&p, 1);
    observed_init(&seen);
    observe_ref(&seen, &p, J, licet_buffer_view(&body), true);
    assert_int_equal(seen.result.reason, OK);
    assert_true(seen.result.count[0] > 9000);
    assert_int_equal(seen.result.count[1], 1);
    assert_true(check_cuts(&p, J, licet_buffer_view(&body), 1, body.len));
    assert_true(check_cuts(&p, J, licet_buffer_view(&body), 2, 16384));
    assert_true(check_cuts(&p, J, licet_buffer_view(&body), 3, 64));
    observed_done(&seen);
    check_plan_done(&p);
    licet_buffer_done(&body);
}

/* ---- files ------------------------------------------------------------------------ */

static const char *
source_root(void)
{
    const char *root = getenv("LICET_SOURCE_ROOT");

    return root == NULL ? "." : root;
}

static unsigned files_seen, files_failed;

/* Cuts for one file of the world; every cut where it is small. */
static void
check_file(const char *path, size_t size)
{
    static const licet_body_form forms[] = {J, N, A};
    licet_error err = {0};
    uint8_t *data = NULL;
    size_t len;
    check_plan p;
    bool same = true;

    if (!licet_file_read(path, 1 << 26, &data, &len, &err)) {
        fail_msg("%s", err.text);
    }
    for (unsigned i = 0; same && i < CHECK_PLANS; i++) {
        check_plan_init(&p, i);
        if (size > 100000 && i != 1 && i != 2) {
            check_plan_done(&p);
            continue;
        }
        for (unsigned form = size > 100000 ? 2 : 0; same && form < 3; form++) {
            same = check_cuts(&p, forms[form], licet_bytes_of(data, len), i, len + 1) &&
                   check_cuts(&p, forms[form], licet_bytes_of(data, len), i, size > 100000 ? 3000 : 50) &&
                   (len > 80 || check_every_cut(&p, forms[form], licet_bytes_of(data, len)));
        }
        check_plan_done(&p);
    }
    files_seen++;
    files_failed += !same;
    if (!same) {
        print_error("%s: fast and slow differ\n", path);
    }
    free(data);
}

static int
on_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type == FTW_F) {
        check_file(path, (size_t)st->st_size);
    }
    return 0;
}

static void
test_corpus(void **state)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/tests/corpus/scan", source_root());
    files_seen = files_failed = 0;
    assert_int_equal(nftw(path, on_file, 16, FTW_PHYS), 0);
    assert_true(files_seen >= 10);
    assert_int_equal(files_failed, 0);
}

static bool
data_folder(const char *below, char *out, size_t size)
{
    const char *data = getenv("LICET_TEST_DATA");
    struct stat st;

    if (data != NULL) {
        snprintf(out, size, "%s/%s", data, below);
    } else {
        snprintf(out, size, "%s/../shared/data/%s", source_root(), below);
    }
    return stat(out, &st) == 0;
}

/* Everything recorded: the two scans agree. */
static void
test_recorded(void **state)
{
    char path[4096];

    if (!data_folder("01-api-json", path, sizeof(path))) {
        print_message("%s is not there\n", path);
        skip();
    }
    files_seen = files_failed = 0;
    assert_int_equal(nftw(path, on_file, 16, FTW_PHYS), 0);
    print_message("%u files of %s\n", files_seen, path);
    assert_int_equal(files_failed, 0);
}

static unsigned accepted, refused, either;

/* Names say what a parser must do: y_ accept, n_ refuse, i_ as it likes. */
static int
on_parsing_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    const char *name = path + ftw->base;
    licet_scan_result r;
    licet_scan scan;
    check_plan p;
    uint8_t *data;
    size_t len;

    (void)st;
    if (type != FTW_F) {
        return 0;
    }
    assert_true(licet_file_read(path, 1 << 24, &data, &len, NULL));
    check_plan_init(&p, 0);
    licet_scan_init(&scan, p.plan, J);
    licet_scan_feed(&scan, p.plan, licet_bytes_of(data, len), NULL, NULL);
    licet_scan_end(&scan, p.plan, NULL, NULL);
    licet_scan_look(&scan, &r);
    accepted += name[0] == 'y';
    refused += name[0] == 'n';
    either += name[0] == 'i';
    if ((name[0] == 'y' && r.reason != OK) || (name[0] == 'n' && r.reason == OK)) {
        print_error("%s: %s at byte %llu\n", name, licet_unmetered_slug(r.reason), (unsigned long long)r.offset);
        files_failed++;
    }
    check_plan_done(&p);
    free(data);
    return 0;
}

static void
test_parsing_suite(void **state)
{
    char path[4096];

    if (!data_folder("01-api-json/torture/nst-test_parsing", path, sizeof(path))) {
        print_message("%s is not there\n", path);
        skip();
    }
    files_failed = 0;
    assert_int_equal(nftw(path, on_parsing_file, 16, FTW_PHYS), 0);
    print_message("%u must be accepted, %u refused, %u either\n", accepted, refused, either);
    assert_true(accepted > 0 && refused > 0);
    assert_int_equal(files_failed, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),         cmocka_unit_test(test_cases_cut),
        cmocka_unit_test(test_depth),         cmocka_unit_test(test_depth_of_arrays_on_a_path),
        cmocka_unit_test(test_after_a_fault), cmocka_unit_test(test_plan_limits),
        cmocka_unit_test(test_slugs),         cmocka_unit_test(test_every_byte_in_a_string),
        cmocka_unit_test(test_generated),     cmocka_unit_test(test_large),
        cmocka_unit_test(test_corpus),        cmocka_unit_test(test_parsing_suite),
        cmocka_unit_test(test_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
