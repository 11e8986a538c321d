/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured fields against the vectors of the HTTP working group (LICET_TEST_DATA), and what a stranger sends. What a
 * vector says may fail fails here: canonical base64 is asked for.
 */
#include "licet/structured.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define ROWS 2048
#define TEXT 65536

typedef struct room {
    licet_structured value;
    licet_structured_row rows[ROWS];
    uint8_t text[TEXT];
} room;

static room *
fresh(void)
{
    static room r;

    r.value = (licet_structured){r.rows, ROWS, 0, r.text, TEXT, 0};
    return &r;
}

/* RFC 4648 section 6, as the vectors write bytes. */
static void
base32(licet_bytes bytes, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    size_t n = 0;

    for (size_t i = 0; i < bytes.len; i += 5) {
        size_t left = bytes.len - i < 5 ? bytes.len - i : 5, used = (left * 8 + 4) / 5;
        uint64_t group = 0;
        for (size_t k = 0; k < 5; k++) {
            group = group << 8 | (k < left ? bytes.data[i + k] : 0);
        }
        for (size_t k = 0; k < 8; k++) {
            out[n++] = k < used ? digits[group >> (35 - 5 * k) & 31] : '=';
        }
    }
    out[n] = '\0';
}

static json_t *
typed(const char *type, json_t *value)
{
    return json_pack("{s:s, s:o}", "__type", type, "value", value);
}

static json_t *
bare_json(const licet_structured_row *row)
{
    char text[512];

    switch (row->kind) {
    case LICET_STRUCTURED_INTEGER:
        return json_integer(row->number);
    case LICET_STRUCTURED_DECIMAL:
        return json_real((double)row->number / 1000);
    case LICET_STRUCTURED_STRING:
        return json_stringn((const char *)row->text.data, row->text.len);
    case LICET_STRUCTURED_TOKEN:
        return typed("token", json_stringn((const char *)row->text.data, row->text.len));
    case LICET_STRUCTURED_BYTES:
        base32(row->text, text);
        return typed("binary", json_string(text));
    case LICET_STRUCTURED_BOOLEAN:
        return json_boolean(row->number != 0);
    case LICET_STRUCTURED_DATE:
        return typed("date", json_integer(row->number));
    case LICET_STRUCTURED_DISPLAY:
        return typed("displaystring", json_stringn((const char *)row->text.data, row->text.len));
    case LICET_STRUCTURED_INNER:
        break;
    }
    return json_null();
}

/* [value, parameters], as the vectors have it. */
static json_t *
row_json(const licet_structured_row *row)
{
    const licet_structured_row *parameter = row + 1 + row->items;
    json_t *value, *parameters = json_array();

    if (row->kind == LICET_STRUCTURED_INNER) {
        value = json_array();
        for (uint32_t i = 1; i <= row->items; i += row[i].rows) {
            json_array_append_new(value, row_json(&row[i]));
        }
    } else {
        value = bare_json(row);
    }
    for (uint32_t i = 0; i < row->parameters; i++) {
        json_array_append_new(
            parameters, json_pack("[o, o]", json_stringn((const char *)parameter[i].key.data, parameter[i].key.len),
                                  bare_json(&parameter[i])));
    }
    return json_pack("[o, o]", value, parameters);
}

static json_t *
value_json(const licet_structured *value, licet_structured_form form)
{
    json_t *all = json_array();

    if (form == LICET_STRUCTURED_ITEM) {
        json_decref(all);
        return row_json(value->rows);
    }
    for (uint32_t i = 0; i < value->len; i += value->rows[i].rows) {
        json_t *row = row_json(&value->rows[i]);
        if (form == LICET_STRUCTURED_DICTIONARY) {
            row = json_pack("[o, o]", json_stringn((const char *)value->rows[i].key.data, value->rows[i].key.len), row);
        }
        json_array_append_new(all, row);
    }
    return all;
}

/* Field lines, or canonical ones, joined. */
static void
joined(const json_t *lines, licet_buffer *out)
{
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        licet_put_format(out, "%s", i > 0 ? ", " : "");
        licet_put_bytes(out, licet_bytes_of(json_string_value(line), json_string_length(line)));
    }
}

static void
check_vector(const char *file, const json_t *vector)
{
    const char *name = json_string_value(json_object_get(vector, "name"));
    const char *type = json_string_value(json_object_get(vector, "header_type"));
    licet_structured_form form = strcmp(type, "item") == 0   ? LICET_STRUCTURED_ITEM
                                 : strcmp(type, "list") == 0 ? LICET_STRUCTURED_LIST
                                                             : LICET_STRUCTURED_DICTIONARY;
    bool must_fail = json_is_true(json_object_get(vector, "must_fail"));
    bool can_fail = json_is_true(json_object_get(vector, "can_fail"));
    const json_t *canonical = json_object_get(vector, "canonical");
    room *r = fresh();
    licet_buffer raw, wanted, written;
    licet_error err = {0};
    uint32_t first;
    bool ok;

    licet_buffer_init(&raw, 1 << 20);
    licet_buffer_init(&wanted, 1 << 20);
    licet_buffer_init(&written, 1 << 20);
    joined(json_object_get(vector, "raw"), &raw);
    ok = licet_structured_read(&r->value, form, licet_buffer_view(&raw), &first, &err);
    if (ok == must_fail && !(can_fail && !ok)) {
        fail_msg("%s: %s: %s", file, name, ok ? "was read" : err.text);
    }
    if (ok) {
        json_t *got = value_json(&r->value, form), *expected = json_object_get(vector, "expected");
        if (!json_equal(got, expected)) {
            fail_msg("%s: %s: %s", file, name, json_dumps(got, JSON_COMPACT));
        }
        json_decref(got);
        joined(canonical != NULL ? canonical : json_object_get(vector, "raw"), &wanted);
        assert_true(licet_structured_put(&written, form, r->rows, r->value.len));
        if (!licet_bytes_equal(licet_buffer_view(&written), licet_buffer_view(&wanted))) {
            fail_msg("%s: %s: written as %.*s", file, name, (int)written.len, (const char *)written.data);
        }
    }
    licet_buffer_done(&raw);
    licet_buffer_done(&wanted);
    licet_buffer_done(&written);
}

static void
test_vectors(void **state)
{
    static const char *const files[] = {"binary",     "boolean",        "date",       "dictionary", "display-string",
                                        "examples",   "item",           "list",       "listlist",   "number",
                                        "param-dict", "param-listlist", "param-list", "string",     "token"};
    const char *data = getenv("LICET_TEST_DATA"), *root = getenv("LICET_SOURCE_ROOT");
    size_t vectors = 0;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[4096];
        json_error_t error;
        json_t *all;

        snprintf(path, sizeof(path), "%s%s/06-signatures/structured-field-tests/%s.json",
                 data != NULL   ? data
                 : root != NULL ? root
                                : ".",
                 data != NULL ? "" : "/../shared/data", files[i]);
        all = json_load_file(path, 0, &error);
        if (all == NULL) {
            print_message("SKIP %s is not there\n", path);
            skip();
        }
        for (size_t k = 0; k < json_array_size(all); k++, vectors++) {
            check_vector(files[i], json_array_get(all, k));
        }
        json_decref(all);
    }
    print_message("%zu vectors\n", vectors);
    assert_true(vectors > 200);
}

/* Without any data: value, its canonical text; NULL: it must fail. */
static void
test_by_hand(void **state)
{
    static const struct {
        licet_structured_form form;
        const char *text, *canonical;
    } cases[] = {
        {LICET_STRUCTURED_DICTIONARY,
         "  a=1 ,\tb;x , c=( \"y\"  z;q=-1.50 );d=:AAE=:  ", "a=1, b;x, c=(\"y\" z;q=-1.5);d=:AAE=:"},
        {LICET_STRUCTURED_DICTIONARY, "a=(1 2);x;y, b=2, c, a=3;z", "a=3;z, b=2, c"},
        {LICET_STRUCTURED_DICTIONARY, "a=1, b=2, a=(1 2 3);x;x=?0", "a=(1 2 3);x=?0, b=2"},
        {LICET_STRUCTURED_DICTIONARY, "", ""},
        {LICET_STRUCTURED_LIST, "(), (a), 999999999999999, 999999999999.999, @-1, ?0",
         "(), (a), 999999999999999, 999999999999.999, @-1, ?0"},
        {LICET_STRUCTURED_ITEM, "%\"f%c3%bc%25\"", "%\"f%c3%bc%25\""},
        {LICET_STRUCTURED_ITEM, "", NULL},
        {LICET_STRUCTURED_ITEM, "(1)", NULL},
        {LICET_STRUCTURED_ITEM, "1 2", NULL},
        {LICET_STRUCTURED_ITEM, "\t1", NULL},
        {LICET_STRUCTURED_ITEM, "1000000000000000", NULL},
        {LICET_STRUCTURED_ITEM, "1000000000000.1", NULL},
        {LICET_STRUCTURED_ITEM, "1.", NULL},
        {LICET_STRUCTURED_ITEM, "-", NULL},
        {LICET_STRUCTURED_ITEM, "%\"%c3\"", NULL},
        {LICET_STRUCTURED_ITEM, "%\"%ed%a0%80\"", NULL},
        {LICET_STRUCTURED_ITEM, ":AAF=:", NULL},
        {LICET_STRUCTURED_ITEM, ":AAE:", NULL},
        {LICET_STRUCTURED_ITEM, ":AAE=", NULL},
        {LICET_STRUCTURED_ITEM, "\"a\\", NULL},
        {LICET_STRUCTURED_LIST, "1,", NULL},
        {LICET_STRUCTURED_LIST, "((1))", NULL},
        {LICET_STRUCTURED_LIST, "(1", NULL},
        {LICET_STRUCTURED_LIST, "(1,2)", NULL},
        {LICET_STRUCTURED_DICTIONARY, "A=1", NULL},
        {LICET_STRUCTURED_DICTIONARY, "a=", NULL},
        {LICET_STRUCTURED_DICTIONARY, "a =1", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        room *r = fresh();
        licet_buffer written;
        licet_error err = {0};
        uint32_t first;
        bool ok = licet_structured_read(&r->value, cases[i].form, licet_bytes_of_text(cases[i].text), &first, &err);

        if (ok != (cases[i].canonical != NULL)) {
            fail_msg("\"%s\": %s", cases[i].text, ok ? "was read" : err.text);
        }
        if (!ok) {
            assert_int_equal(err.code, LICET_E_INVALID);
            assert_int_equal(r->value.len, 0);
            continue;
        }
        licet_buffer_init(&written, 4096);
        assert_true(licet_structured_put(&written, cases[i].form, r->rows, r->value.len));
        licet_put_u8(&written, '\0');
        assert_string_equal((const char *)written.data, cases[i].canonical);
        licet_buffer_done(&written);
    }
}

/* A full room is a failure with a name, at whatever row or byte it comes; nothing is written behind its end. */
static void
test_room(void **state)
{
    static const char text[] = "a=(1 \"xy\";p=\"q\");r=:AAE=:, b=%\"z\"";
    licet_structured_row rows[7];
    uint8_t bytes[8];
    licet_error err = {0};
    uint32_t first;

    for (uint32_t n = 0; n <= 6; n++) {
        licet_structured value = {rows, n, 0, bytes, 6, 0};
        bool ok = licet_structured_read(&value, LICET_STRUCTURED_DICTIONARY, licet_bytes_of_text(text), &first, &err);
        assert_int_equal(ok, n == 6);
        assert_true(ok || err.code == LICET_E_LIMIT);
    }
    for (size_t n = 0; n < 6; n++) {
        licet_structured value = {rows, 7, 0, bytes, n, 0};
        assert_false(
            licet_structured_read(&value, LICET_STRUCTURED_DICTIONARY, licet_bytes_of_text(text), &first, &err));
    }
}

static void
test_look_up(void **state)
{
    room *r = fresh();
    const licet_structured_row *a;
    uint32_t first;

    assert_true(licet_structured_read(&r->value, LICET_STRUCTURED_DICTIONARY,
                                      LICET_BYTES_LITERAL("x=1;k=9, a=(1;k=2 3);k=4;l"), &first, NULL));
    a = licet_structured_member(&r->value, first, r->value.len, LICET_BYTES_LITERAL("a"));
    assert_non_null(a);
    assert_int_equal(licet_structured_parameter(a, "k")->number, 4);
    assert_int_equal(licet_structured_parameter(a, "l")->number, 1);
    assert_null(licet_structured_parameter(a, "m"));
    assert_null(licet_structured_member(&r->value, first, r->value.len, LICET_BYTES_LITERAL("k")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors), cmocka_unit_test(test_by_hand),
                                       cmocka_unit_test(test_room), cmocka_unit_test(test_look_up)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
