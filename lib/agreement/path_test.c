/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path: what is read, and each refusal with its code, its word and its byte.
 */
#include "licet/agreement.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Names joined by '|', to be compared as one text. */
static void
join(const licet_path *path, char *out)
{
    for (size_t i = 0; i < path->steps; i++) {
        if (i > 0) {
            *out++ = '|';
        }
        memcpy(out, path->name[i], path->name_len[i]);
        out += path->name_len[i];
    }
    *out = '\0';
}

static void
test_accepted(void **state)
{
    static const struct {
        const char *text, *names;
        unsigned steps;
    } cases[] = {
        {"$", "", 0},
        {"$.data", "data", 1},
        {"$.includes.users", "includes|users", 2},
        {"$['data']", "data", 1},
        {"$[\"data\"]", "data", 1},
        {"$['data'][\"id\"]", "data|id", 2},
        {"$.data['id'].x", "data|id|x", 3},
        {"$[ 'data' ]", "data", 1},
        {"$ .data\t['id']", "data|id", 2},
        {"$['']", "", 1},
        {"$['a.b']", "a.b", 1},
        {"$['a\\'b']", "a'b", 1},
        {"$[\"a\\\"b\"]", "a\"b", 1},
        {"$['a\"b']", "a\"b", 1},
        {"$['\\b\\f\\n\\r\\t\\/\\\\']", "\b\f\n\r\t/\\", 1},
        {"$['d\\u0061ta']", "data", 1},
        {"$['\\u00e9\\u20AC']", "é€", 1},
        {"$['\\ud83d\\ude00']", "😀", 1},
        {"$.é€😀", "é€😀", 1},
        {"$._a1", "_a1", 1},
        {"$.a.b.c.d.e.f.g.h", "a|b|c|d|e|f|g|h", 8},
        {"$.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl",
         "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl", 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        licet_path path;
        licet_error err = {0};
        char names[600];

        if (!licet_path_parse(licet_bytes_of_text(cases[i].text), &path, &err)) {
            fail_msg("%s: refused: %s", cases[i].text, err.text);
        }
        join(&path, names);
        if (path.steps != cases[i].steps || strcmp(names, cases[i].names) != 0) {
            fail_msg("%s: read as %u steps %s", cases[i].text, path.steps, names);
        }
    }
}

static void
test_refused(void **state)
{
    static const struct {
        const char *text;
        licet_errc code;
        uint64_t offset;
        const char *word;
    } cases[] = {
        /* known to RFC 9535, not followed here */
        {"$.data[0]", LICET_E_UNSUPPORTED, 7, "an index"},
        {"$.data[-1]", LICET_E_UNSUPPORTED, 7, "an index"},
        {"$.data[ 12 ]", LICET_E_UNSUPPORTED, 8, "an index"},
        {"$.data[0,1]", LICET_E_UNSUPPORTED, 7, "an index"},
        {"$.data[1:2]", LICET_E_UNSUPPORTED, 7, "a slice"},
        {"$.data[:]", LICET_E_UNSUPPORTED, 7, "a slice"},
        {"$.data[::-1]", LICET_E_UNSUPPORTED, 7, "a slice"},
        {"$.data[ 1 : 2 : 3 ]", LICET_E_UNSUPPORTED, 8, "a slice"},
        {"$.data[?@.id]", LICET_E_UNSUPPORTED, 7, "a filter"},
        {"$.data[?(@.id==1)]", LICET_E_UNSUPPORTED, 7, "a filter"},
        {"$.data[*]", LICET_E_UNSUPPORTED, 7, "a wildcard"},
        {"$.data.*", LICET_E_UNSUPPORTED, 7, "a wildcard"},
        {"$..data", LICET_E_UNSUPPORTED, 1, "a descendant step"},
        {"$.a..['b']", LICET_E_UNSUPPORTED, 3, "a descendant step"},
        {"$['a','b']", LICET_E_UNSUPPORTED, 5, "a union"},
        {"$['a' , 0]", LICET_E_UNSUPPORTED, 6, "a union"},
        {"$.data.length()", LICET_E_UNSUPPORTED, 7, "a function"},
        {"count($.data)", LICET_E_UNSUPPORTED, 0, "a function"},
        /* ceilings */
        {"$.a.b.c.d.e.f.g.h.i", LICET_E_LIMIT, 18, "8 steps"},
        {"$.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm", LICET_E_LIMIT, 66, "64 bytes"},
        {"$['abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk\\u00e9']", LICET_E_LIMIT, 66, "64 bytes"},
        /* not RFC 9535 */
        {"", LICET_E_INVALID, 0, "expected $"},
        {"data", LICET_E_INVALID, 0, "expected $"},
        {" $", LICET_E_INVALID, 0, "expected $"},
        {"@.data", LICET_E_INVALID, 0, "expected $"},
        {"$data", LICET_E_INVALID, 1, "expected .name"},
        {"$ ", LICET_E_INVALID, 1, "expected .name"},
        {"$.data ", LICET_E_INVALID, 6, "expected .name"},
        {"$.", LICET_E_INVALID, 2, "name after the dot"},
        {"$. data", LICET_E_INVALID, 2, "name after the dot"},
        {"$.data.", LICET_E_INVALID, 7, "name after the dot"},
        {"$.1a", LICET_E_INVALID, 2, "begins with a digit"},
        {"$.data-x", LICET_E_INVALID, 6, "expected .name"},
        {"$.data]", LICET_E_INVALID, 6, "expected .name"},
        {"$[", LICET_E_INVALID, 1, "bracket is never closed"},
        {"$[]", LICET_E_INVALID, 2, "name in quotes"},
        {"$[data]", LICET_E_INVALID, 2, "name in quotes"},
        {"$['data", LICET_E_INVALID, 2, "quote is never closed"},
        {"$['data'", LICET_E_INVALID, 1, "bracket is never closed"},
        {"$['data'x]", LICET_E_INVALID, 8, "expected ]"},
        {"$['a\nb']", LICET_E_INVALID, 4, "control character"},
        {"$['a\\xb']", LICET_E_INVALID, 4, "no escape"},
        {"$['a\\\"b']", LICET_E_INVALID, 4, "no escape"},
        {"$['a\\", LICET_E_INVALID, 4, "cut off"},
        {"$['\\u12g4']", LICET_E_INVALID, 5, "four hex digits"},
        {"$['\\u12", LICET_E_INVALID, 5, "four hex digits"},
        {"$['\\ud83d']", LICET_E_INVALID, 3, "high surrogate"},
        {"$['\\ud83d\\u0041']", LICET_E_INVALID, 3, "high surrogate"},
        {"$['\\ude00']", LICET_E_INVALID, 3, "low surrogate"},
        {"$.a\xff", LICET_E_INVALID, 3, "not UTF-8"},
        {"$.\xc0\x80", LICET_E_INVALID, 2, "not UTF-8"},
        {"$['\xed\xa0\x80']", LICET_E_INVALID, 3, "not UTF-8"},
        {"$.\xf4\x90\x80\x80", LICET_E_INVALID, 2, "not UTF-8"},
        {"$[01]", LICET_E_INVALID, 3, "expected ]"},
        {"$[-0]", LICET_E_INVALID, 2, "an integer"},
        {"$[-]", LICET_E_INVALID, 2, "an integer"},
        {"$[1.5]", LICET_E_INVALID, 3, "expected ]"},
        {"$[1:2:3:4]", LICET_E_INVALID, 7, "expected ]"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        licet_path path;
        licet_error err = {0};

        if (licet_path_parse(licet_bytes_of_text(cases[i].text), &path, &err)) {
            fail_msg("%s: accepted", cases[i].text);
        }
        if (err.code != cases[i].code || err.offset != cases[i].offset || strstr(err.text, cases[i].word) == NULL) {
            fail_msg("%s: code %d, byte %llu: %s", cases[i].text, err.code, (unsigned long long)err.offset, err.text);
        }
    }
}

static void
test_message(void **state)
{
    licet_path path;
    licet_error err = {0};

    assert_false(licet_path_parse(licet_bytes_of_text("$.data[0]"), &path, &err));
    assert_string_equal(err.text, "path \"$.data[0]\": byte 7: an index is not supported; expected .name or ['name']");
    /* bytes that would spoil a terminal do not get there */
    assert_false(licet_path_parse(LICET_BYTES_LITERAL("$.a\0\x1b["), &path, &err));
    assert_string_equal(err.text, "path \"$.a??[\": byte 3: expected .name or ['name']");
    assert_int_equal(err.offset, 3);
}

static void
test_output_only_on_success(void **state)
{
    licet_path path;

    memset(&path, 0x5a, sizeof(path));
    assert_false(licet_path_parse(licet_bytes_of_text("$.a.b["), &path, NULL));
    assert_int_equal(path.steps, 0x5a);
    assert_int_equal(path.name_len[0], 0x5a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_output_only_on_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
