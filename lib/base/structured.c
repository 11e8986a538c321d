/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured fields (RFC 9651), reading: one pass, with a cursor that never passes the end.
 *
 *  (1) Each read_ function takes what its grammar says, or fails and says where.
 *  (2) Numbers are exact: an integer of 15 digits, a decimal of 12 and 3 as thousandths.
 *  (3) Base64 is canonical: another text of the same bytes would be another signature of the same request.
 */
#include "licet/structured.h"

#include <string.h>

typedef struct reader {
    licet_structured *out;
    const uint8_t *data;
    size_t len, pos;
    licet_error *err;
} reader;

#define WRONG(r, ...) LICET_FAIL((r)->err, LICET_E_INVALID, (r)->pos, __VA_ARGS__)

/* The byte in hand; -1 at the end. */
static int
peek(const reader *r)
{
    return r->pos < r->len ? r->data[r->pos] : -1;
}

static bool
take(reader *r, int c)
{
    if (peek(r) != c) {
        return false;
    }
    r->pos++;
    return true;
}

static bool
is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool
is_lower(int c)
{
    return c >= 'a' && c <= 'z';
}

static bool
is_alpha(int c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool
is_token(int c)
{
    return is_alpha(c) || is_digit(c) || (c > 0 && strchr("!#$%&'*+-.^_`|~:/", c) != NULL);
}

static void
skip_spaces(reader *r)
{
    while (take(r, ' ')) {
    }
}

static void
skip_blanks(reader *r)
{
    while (take(r, ' ') || take(r, '\t')) {
    }
}

static bool
put_text(reader *r, uint8_t c)
{
    if (r->out->text_len == r->out->text_room) {
        return LICET_FAIL(r->err, LICET_E_LIMIT, r->pos, "a structured field of more than %zu bytes of text",
                          r->out->text_room);
    }
    r->out->text[r->out->text_len++] = c;
    return true;
}

static bool
add_row(reader *r, licet_bytes key, uint32_t *out_row)
{
    licet_structured *out = r->out;

    if (out->len == out->room) {
        return LICET_FAIL(r->err, LICET_E_LIMIT, r->pos,
                          "a structured field of more than %u members, items and "
                          "parameters",
                          out->room);
    }
    out->rows[out->len] = (licet_structured_row){.kind = LICET_STRUCTURED_BOOLEAN, .rows = 1, .number = 1, .key = key};
    *out_row = out->len++;
    return true;
}

/* ---- bare items ------------------------------------------------------------ */

static bool
read_number(reader *r, licet_structured_row *row)
{
    bool negative = take(r, '-'), decimal = false;
    unsigned digits = 0, places = 0;
    int64_t value = 0;

    for (; is_digit(peek(r)) || (peek(r) == '.' && !decimal); r->pos++) {
        if (peek(r) == '.') {
            if (digits == 0 || digits > 12) {
                return WRONG(r, "a decimal of %u digits before the point: expected 1 to 12", digits);
            }
            decimal = true;
            continue;
        }
        if (decimal ? ++places > 3 : ++digits > 15) {
            return WRONG(r, "a number with too many digits: expected 15 at most, or 12 and 3");
        }
        value = value * 10 + (peek(r) - '0');
    }
    if (digits == 0 || (decimal && places == 0)) {
        return WRONG(r, "a number without a digit where one was expected");
    }
    for (; decimal && places < 3; places++) {
        value *= 10;
    }
    row->kind = decimal ? LICET_STRUCTURED_DECIMAL : LICET_STRUCTURED_INTEGER;
    row->number = negative ? -value : value;
    return true;
}

static bool
read_date(reader *r, licet_structured_row *row)
{
    r->pos++;
    if (!read_number(r, row)) {
        return false;
    }
    if (row->kind != LICET_STRUCTURED_INTEGER) {
        return WRONG(r, "a date with a fraction: expected whole seconds");
    }
    row->kind = LICET_STRUCTURED_DATE;
    return true;
}

static bool
read_string(reader *r, licet_structured_row *row)
{
    const size_t at = r->out->text_len;
    int c;

    r->pos++;
    for (; (c = peek(r)) != '"'; r->pos++) {
        if (c == '\\') {
            r->pos++;
            c = peek(r);
            if (c != '"' && c != '\\') {
                return WRONG(r, "a backslash in a string: expected a quote or a backslash behind it");
            }
        }
        if (c < 0x20 || c > 0x7e) {
            return WRONG(r, "a string that does not end, or with a byte that is not visible ASCII");
        }
        if (!put_text(r, (uint8_t)c)) {
            return false;
        }
    }
    r->pos++;
    row->kind = LICET_STRUCTURED_STRING;
    row->text = licet_bytes_of(r->out->text + at, r->out->text_len - at);
    return true;
}

static bool
read_token(reader *r, licet_structured_row *row)
{
    size_t from = r->pos;

    while (is_token(peek(r))) {
        r->pos++;
    }
    row->kind = LICET_STRUCTURED_TOKEN;
    row->text = licet_bytes_of(r->data + from, r->pos - from);
    return true;
}

static bool
read_bytes(reader *r, licet_structured_row *row)
{
    size_t from = ++r->pos, len;

    while (peek(r) >= 0 && peek(r) != ':') {
        r->pos++;
    }
    if (peek(r) < 0 || !licet_unbase64(licet_bytes_of(r->data + from, r->pos - from), r->out->text + r->out->text_len,
                                       r->out->text_room - r->out->text_len, &len)) {
        return WRONG(r, "a byte sequence: expected canonical base64 between colons");
    }
    r->pos++;
    row->kind = LICET_STRUCTURED_BYTES;
    row->text = licet_bytes_of(r->out->text + r->out->text_len, len);
    r->out->text_len += len;
    return true;
}

static bool
read_boolean(reader *r, licet_structured_row *row)
{
    r->pos++;
    if (peek(r) != '0' && peek(r) != '1') {
        return WRONG(r, "a boolean: expected ?0 or ?1");
    }
    row->kind = LICET_STRUCTURED_BOOLEAN;
    row->number = r->data[r->pos++] - '0';
    return true;
}

/* Length of the UTF-8 sequence at the head of text; 0: none that may be (RFC 3629). */
static size_t
utf8_len(const uint8_t *s, size_t len)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    if (n > len) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f)) {
        return 0;
    }
    return n;
}

static bool
is_utf8(licet_bytes text)
{
    for (size_t i = 0, n; i < text.len; i += n) {
        n = utf8_len(text.data + i, text.len - i);
        if (n == 0) {
            return false;
        }
    }
    return true;
}

static bool
read_display(reader *r, licet_structured_row *row)
{
    const size_t at = r->out->text_len;
    int c;

    r->pos++;
    if (!take(r, '"')) {
        return WRONG(r, "a display string: expected a quote behind %%");
    }
    for (; (c = peek(r)) != '"'; r->pos++) {
        uint8_t byte = (uint8_t)c;

        if (c < 0x20 || c > 0x7e) {
            return WRONG(r, "a display string that does not end, or with a byte that is not visible ASCII");
        }
        if (c == '%') {
            licet_bytes hex = licet_bytes_of(r->data + r->pos + 1, r->len - r->pos > 2 ? 2 : 0);
            if (hex.len == 0 || !licet_unhex(hex, &byte, 1) || (hex.data[0] >= 'A' && hex.data[0] <= 'F') ||
                (hex.data[1] >= 'A' && hex.data[1] <= 'F')) {
                return WRONG(r, "%% in a display string: expected two lower-case hex digits behind it");
            }
            r->pos += 2;
        }
        if (!put_text(r, byte)) {
            return false;
        }
    }
    r->pos++;
    row->kind = LICET_STRUCTURED_DISPLAY;
    row->text = licet_bytes_of(r->out->text + at, r->out->text_len - at);
    return is_utf8(row->text) ? true : WRONG(r, "a display string that is not UTF-8");
}

static bool
read_bare(reader *r, licet_structured_row *row)
{
    int c = peek(r);

    if (c == '-' || is_digit(c)) {
        return read_number(r, row);
    }
    if (is_alpha(c) || c == '*') {
        return read_token(r, row);
    }
    switch (c) {
    case '"':
        return read_string(r, row);
    case ':':
        return read_bytes(r, row);
    case '?':
        return read_boolean(r, row);
    case '@':
        return read_date(r, row);
    case '%':
        return read_display(r, row);
    default:
        return WRONG(r, "no item begins like this: expected a number, string, token, bytes, boolean, date or list");
    }
}

/* ---- what items are part of -------------------------------------------------- */

static bool
read_key(reader *r, licet_bytes *out_key)
{
    size_t from = r->pos;

    if (!is_lower(peek(r)) && peek(r) != '*') {
        return WRONG(r, "a key: expected a lower-case letter or *");
    }
    while (is_lower(peek(r)) || is_digit(peek(r)) || (peek(r) > 0 && strchr("_-.*", peek(r)) != NULL)) {
        r->pos++;
    }
    *out_key = licet_bytes_of(r->data + from, r->pos - from);
    return true;
}

static void
reverse(licet_structured_row *rows, uint32_t from, uint32_t to)
{
    for (; from + 1 < to; from++) {
        licet_structured_row row = rows[from];
        rows[from] = rows[--to];
        rows[to] = row;
    }
}

/* The row at 'made', just read, takes the place of one of the same key in first..made, if there is one. */
static bool
replace_equal(licet_structured *out, uint32_t first, uint32_t made)
{
    uint32_t at = first, old, new = out->len - made;

    while (at < made && !licet_bytes_equal(out->rows[at].key, out->rows[made].key)) {
        at += out->rows[at].rows;
    }
    if (at == made) {
        return false;
    }
    old = out->rows[at].rows;
    /* at: old others new; turned to new old others, each as it was; then without old */
    reverse(out->rows, at, out->len);
    reverse(out->rows, at, at + new);
    reverse(out->rows, at + new, out->len);
    memmove(out->rows + at + new, out->rows + at + new + old,
            (out->len - at - new - old) * sizeof(licet_structured_row));
    out->len -= old;
    return true;
}

static bool
read_parameters(reader *r, uint32_t row)
{
    uint32_t first = r->out->len, made;
    licet_bytes key;

    while (take(r, ';')) {
        skip_spaces(r);
        if (!read_key(r, &key) || !add_row(r, key, &made) || (take(r, '=') && !read_bare(r, &r->out->rows[made]))) {
            return false;
        }
        if (!replace_equal(r->out, first, made)) {
            r->out->rows[row].parameters++;
        }
    }
    r->out->rows[row].rows = r->out->len - row;
    return true;
}

static bool
read_inner(reader *r, uint32_t row)
{
    licet_bytes none = {NULL, 0};
    uint32_t item;

    r->pos++;
    for (;;) {
        skip_spaces(r);
        if (take(r, ')')) {
            break;
        }
        if (!add_row(r, none, &item) || !read_bare(r, &r->out->rows[item]) || !read_parameters(r, item)) {
            return false;
        }
        if (peek(r) != ' ' && peek(r) != ')') {
            return WRONG(r, "an inner list: expected a space or ) behind an item");
        }
    }
    r->out->rows[row].kind = LICET_STRUCTURED_INNER;
    r->out->rows[row].number = 0;
    r->out->rows[row].items = r->out->len - row - 1;
    return true;
}

/* One member: an item or an inner list, with parameters; of a dictionary also a key alone. */
static bool
read_member(reader *r, licet_structured_form form, uint32_t first)
{
    licet_bytes key = {NULL, 0};
    uint32_t row;
    bool has_value = true;

    if (form == LICET_STRUCTURED_DICTIONARY) {
        if (!read_key(r, &key)) {
            return false;
        }
        has_value = take(r, '=');
    }
    if (!add_row(r, key, &row) ||
        (has_value &&
         !(peek(r) == '(' && form != LICET_STRUCTURED_ITEM ? read_inner(r, row) : read_bare(r, &r->out->rows[row]))) ||
        !read_parameters(r, row)) {
        return false;
    }
    if (form == LICET_STRUCTURED_DICTIONARY) {
        (void)replace_equal(r->out, first, row);
    }
    return true;
}

static bool
read_members(reader *r, licet_structured_form form, uint32_t first)
{
    while (peek(r) >= 0) {
        if (!read_member(r, form, first)) {
            return false;
        }
        skip_blanks(r);
        if (peek(r) < 0) {
            return true;
        }
        if (!take(r, ',')) {
            return WRONG(r, "expected a comma between members");
        }
        skip_blanks(r);
        if (peek(r) < 0) {
            return WRONG(r, "a comma at the end");
        }
    }
    return true;
}

bool
licet_structured_read(licet_structured *value, licet_structured_form form, licet_bytes input, uint32_t *out_first,
                      licet_error *err)
{
    uint32_t first = value->len;
    size_t text = value->text_len;
    reader r = {value, input.data, input.len, 0, err};
    bool ok;

    skip_spaces(&r);
    while (r.len > r.pos && r.data[r.len - 1] == ' ') {
        r.len--;
    }
    ok = form == LICET_STRUCTURED_ITEM ? read_member(&r, form, first) : read_members(&r, form, first);
    if (ok && r.pos < r.len) {
        ok = WRONG(&r, "something behind the item");
    }
    if (!ok) {
        value->len = first;
        value->text_len = text;
        return false;
    }
    *out_first = first;
    return true;
}

const licet_structured_row *
licet_structured_member(const licet_structured *value, uint32_t first, uint32_t end, licet_bytes key)
{
    for (uint32_t i = first; i < end; i += value->rows[i].rows) {
        if (licet_bytes_equal(value->rows[i].key, key)) {
            return &value->rows[i];
        }
    }
    return NULL;
}

const licet_structured_row *
licet_structured_parameter(const licet_structured_row *row, const char *key)
{
    const licet_structured_row *parameters = row + 1 + row->items;

    for (uint32_t i = 0; i < row->parameters; i++) {
        if (licet_bytes_equal_text(parameters[i].key, key)) {
            return &parameters[i];
        }
    }
    return NULL;
}
