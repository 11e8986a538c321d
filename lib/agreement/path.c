/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path: the part of RFC 9535 JSONPath that can be followed in one pass with
 * fixed memory: '$' and name steps.
 *
 *  (1) A path that is accepted means what RFC 9535 says it means, but for
 *      one thing said in docs/format/paths.md: a name step on an array
 *      applies to each of its elements.
 *  (2) What RFC 9535 has and this does not is UNSUPPORTED and named (index,
 *      slice, wildcard, filter, descendant, union, function); what RFC 9535
 *      has not is INVALID. The offset is the first byte at fault.
 *  (3) Names are kept decoded, as UTF-8 without surrogates.
 */
#include "licet/agreement.h"

#include <assert.h>
#include <string.h>

/* What is being read, and what has been said about it. */
typedef struct reader {
    licet_bytes text;
    size_t pos;
    licet_path path;
    licet_error *err;
} reader;

/* Room for the path as it stands in messages. */
enum { SHOWN_MAX = 96 };

/* The path for a message: control bytes shown as '?', cut when long. */
static void
show(licet_bytes text, char shown[SHOWN_MAX + 4])
{
    size_t len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;

    while (len < text.len && len > 0 && (text.data[len] & 0xc0) == 0x80) {
        len--; /* not inside a character */
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = text.data[i];

        shown[i] = byte < 0x20 || byte == 0x7f ? '?' : (char)byte;
    }
    memcpy(shown + len, len < text.len ? "…" : "", len < text.len ? 4 : 1);
}

static bool
refuse(reader *r, licet_errc code, size_t offset, const char *why)
{
    char shown[SHOWN_MAX + 4];

    show(r->text, shown);
    return LICET_FAIL(r->err, code, offset, "path \"%s\": byte %zu: %s", shown, offset, why);
}

/* A construct of RFC 9535 that cannot be followed here. */
static bool
refuse_construct(reader *r, size_t offset, const char *construct)
{
    char shown[SHOWN_MAX + 4];

    show(r->text, shown);
    return LICET_FAIL(r->err, LICET_E_UNSUPPORTED, offset,
                      "path \"%s\": byte %zu: %s is not supported; expected .name or ['name']", shown, offset,
                      construct);
}

static bool
at_end(const reader *r)
{
    return r->pos == r->text.len;
}

/* The next byte, or 0 at the end; a NUL in the text is refused wherever it stands, so the two cannot be confused. */
static uint8_t
peek(const reader *r)
{
    return at_end(r) ? 0 : r->text.data[r->pos];
}

static void
skip_space(reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' || peek(r) == '\r') {
        r->pos++;
    }
}

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* ASCII that may begin a name without quotes; what is not ASCII may, too. */
static bool
is_name_first(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

/* Length of the well-formed UTF-8 character at the cursor (Unicode, table 3-7), 0 if there is none. */
static size_t
utf8_len(const reader *r)
{
    const uint8_t *at = r->text.data + r->pos;
    size_t left = r->text.len - r->pos;
    uint8_t first = at[0], low = 0x80, high = 0xbf;
    size_t len;

    if (first < 0x80) {
        return 1;
    }
    len = first >= 0xc2 && first <= 0xdf ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
    if (len == 0 || left < len) {
        return 0;
    }
    low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : low;
    high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : high;
    if (at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

/* ---- the name of the step being read ------------------------------------ */

static bool
begin_name(reader *r, size_t offset)
{
    if (r->path.steps == LICET_PATH_STEPS_MAX) {
        return refuse(r, LICET_E_LIMIT, offset, "more than 8 steps");
    }
    r->path.name_len[r->path.steps] = 0;
    return true;
}

static bool
add_to_name(reader *r, size_t offset, const uint8_t *bytes, size_t len)
{
    uint8_t *name_len = &r->path.name_len[r->path.steps];

    if (len > (size_t)LICET_PATH_NAME_MAX - *name_len) {
        return refuse(r, LICET_E_LIMIT, offset, "a name of more than 64 bytes");
    }
    memcpy(r->path.name[r->path.steps] + *name_len, bytes, len);
    *name_len = (uint8_t)(*name_len + len);
    return true;
}

/* Takes the character at the cursor into the name as it stands. */
static bool
take_character(reader *r)
{
    size_t len = utf8_len(r);

    if (len == 0) {
        return refuse(r, LICET_E_INVALID, r->pos, "this is not UTF-8");
    }
    if (!add_to_name(r, r->pos, r->text.data + r->pos, len)) {
        return false;
    }
    r->pos += len;
    return true;
}

/* Adds a code point that is no surrogate. */
static bool
add_code_point(reader *r, size_t offset, uint32_t point)
{
    uint8_t bytes[4];
    size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = len; i > 1; i--) {
        bytes[i - 1] = (uint8_t)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    bytes[0] = (uint8_t)(lead[len] | point);
    return add_to_name(r, offset, bytes, len);
}

/* ---- quoted names ---------------------------------------------------------- */

static bool
take_hex4(reader *r, uint32_t *out_value)
{
    uint8_t bytes[2];

    if (r->text.len - r->pos < 4 || !licet_unhex(licet_bytes_of(r->text.data + r->pos, 4), bytes, 2)) {
        return refuse(r, LICET_E_INVALID, r->pos, "expected four hex digits after \\u");
    }
    r->pos += 4;
    *out_value = (uint32_t)bytes[0] << 8 | bytes[1];
    return true;
}

/* After '\u': one code point, from one or two of them. */
static bool
take_unicode_escape(reader *r, size_t start)
{
    uint32_t point = 0, low = 0;

    if (!take_hex4(r, &point)) {
        return false;
    }
    if (point >= 0xdc00 && point <= 0xdfff) {
        return refuse(r, LICET_E_INVALID, start, "a low surrogate without its high one");
    }
    if (point >= 0xd800 && point <= 0xdbff) {
        if (r->text.len - r->pos < 2 || r->text.data[r->pos] != '\\' || r->text.data[r->pos + 1] != 'u') {
            return refuse(r, LICET_E_INVALID, start, "a high surrogate without its low one");
        }
        r->pos += 2;
        if (!take_hex4(r, &low)) {
            return false;
        }
        if (low < 0xdc00 || low > 0xdfff) {
            return refuse(r, LICET_E_INVALID, start, "a high surrogate without its low one");
        }
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    return add_code_point(r, start, point);
}

static bool
take_escape(reader *r, uint8_t quote)
{
    static const char letters[] = "bfnrt/\\", meanings[] = "\b\f\n\r\t/\\";
    size_t start = r->pos++;
    uint8_t c = peek(r);
    const char *letter;

    if (at_end(r)) {
        return refuse(r, LICET_E_INVALID, start, "an escape that is cut off");
    }
    r->pos++;
    if (c == 'u') {
        return take_unicode_escape(r, start);
    }
    if (c == quote) {
        return add_to_name(r, start, &quote, 1);
    }
    letter = c == 0 ? NULL : strchr(letters, c);
    if (letter == NULL) {
        return refuse(r, LICET_E_INVALID, start, "no escape of RFC 9535");
    }
    return add_to_name(r, start, (const uint8_t *)&meanings[letter - letters], 1);
}

/* The string literal at the cursor, which stands on its quote. */
static bool
take_quoted(reader *r)
{
    size_t start = r->pos;
    uint8_t quote = r->text.data[r->pos++];

    if (!begin_name(r, start)) {
        return false;
    }
    while (!at_end(r) && peek(r) != quote) {
        if (peek(r) < 0x20) {
            return refuse(r, LICET_E_INVALID, r->pos, "a control character in a name must be escaped");
        }
        if (peek(r) == '\\' ? !take_escape(r, quote) : !take_character(r)) {
            return false;
        }
    }
    if (at_end(r)) {
        return refuse(r, LICET_E_INVALID, start, "this quote is never closed");
    }
    r->pos++;
    r->path.steps++;
    return true;
}

/* ---- segments ---------------------------------------------------------------- */

/* An integer as RFC 9535 has it: no leading zero, no -0. Nothing at all is allowed inside slices. */
static bool
take_int(reader *r)
{
    size_t start = r->pos;

    if (peek(r) == '-') {
        r->pos++;
    }
    if (peek(r) == '0' && r->pos == start) {
        r->pos++;
    } else if (peek(r) >= '1' && peek(r) <= '9') {
        while (is_digit(peek(r))) {
            r->pos++;
        }
    } else if (r->pos > start || is_digit(peek(r))) {
        return refuse(r, LICET_E_INVALID, start, "expected an integer");
    }
    return true;
}

/* [n] and [a:b:c] are told apart to be refused by their names; the cursor stands on the first byte after '['. */
static bool
refuse_numbers(reader *r)
{
    size_t start = r->pos;
    unsigned colons = 0;

    for (;;) {
        if (!take_int(r)) {
            return false;
        }
        skip_space(r);
        if (peek(r) != ':' || colons == 2) {
            break;
        }
        colons++;
        r->pos++;
        skip_space(r);
    }
    if (peek(r) != ']' && peek(r) != ',') {
        return refuse(r, LICET_E_INVALID, r->pos, "expected ]");
    }
    return refuse_construct(r, start, colons > 0 ? "a slice" : "an index");
}

/* ['name'] or ["name"]; the cursor stands after '['. */
static bool
take_bracket(reader *r)
{
    size_t open = r->pos - 1;
    uint8_t c;

    skip_space(r);
    c = peek(r);
    if (c == '*') {
        return refuse_construct(r, r->pos, "a wildcard");
    }
    if (c == '?') {
        return refuse_construct(r, r->pos, "a filter");
    }
    if (is_digit(c) || c == '-' || c == ':') {
        return refuse_numbers(r);
    }
    if (c != '\'' && c != '"') {
        return at_end(r) ? refuse(r, LICET_E_INVALID, open, "this bracket is never closed")
                         : refuse(r, LICET_E_INVALID, r->pos, "expected a name in quotes");
    }
    if (!take_quoted(r)) {
        return false;
    }
    skip_space(r);
    if (peek(r) == ',') {
        return refuse_construct(r, r->pos, "a union of several selectors");
    }
    if (peek(r) != ']') {
        return at_end(r) ? refuse(r, LICET_E_INVALID, open, "this bracket is never closed")
                         : refuse(r, LICET_E_INVALID, r->pos, "expected ]");
    }
    r->pos++;
    return true;
}

/* .name; the cursor stands after the dot. */
static bool
take_dotted(reader *r)
{
    size_t start = r->pos;

    if (peek(r) == '.') {
        return refuse_construct(r, r->pos - 1, "a descendant step");
    }
    if (peek(r) == '*') {
        return refuse_construct(r, r->pos, "a wildcard");
    }
    if (!is_name_first(peek(r))) {
        return refuse(r, LICET_E_INVALID, r->pos,
                      is_digit(peek(r)) ? "a name that begins with a digit needs brackets: ['…']"
                                        : "expected a name after the dot");
    }
    if (!begin_name(r, start)) {
        return false;
    }
    while (is_name_first(peek(r)) || is_digit(peek(r))) {
        if (!take_character(r)) {
            return false;
        }
    }
    if (peek(r) == '(') {
        return refuse_construct(r, start, "a function");
    }
    r->path.steps++;
    return true;
}

/* Whether the text begins like a function call, count(…) or so. */
static bool
begins_with_call(const reader *r)
{
    size_t i = 0;

    while (i < r->text.len && (r->text.data[i] == '_' || (r->text.data[i] >= 'a' && r->text.data[i] <= 'z') ||
                               (i > 0 && is_digit(r->text.data[i])))) {
        i++;
    }
    return i > 0 && i < r->text.len && r->text.data[i] == '(';
}

static bool
take_root(reader *r)
{
    if (peek(r) == '$') {
        r->pos++;
        return true;
    }
    if (begins_with_call(r)) {
        return refuse_construct(r, 0, "a function");
    }
    return refuse(r, LICET_E_INVALID, 0, "expected $");
}

bool
licet_path_parse(licet_bytes text, licet_path *out_path, licet_error *err)
{
    reader r = {.text = text, .err = err};

    if (!take_root(&r)) {
        return false;
    }
    while (!at_end(&r)) {
        size_t start = r.pos;
        uint8_t c;
        bool ok;

        skip_space(&r);
        c = peek(&r);
        if (c != '.' && c != '[') {
            return refuse(&r, LICET_E_INVALID, at_end(&r) ? start : r.pos, "expected .name or ['name']");
        }
        r.pos++;
        ok = c == '.' ? take_dotted(&r) : take_bracket(&r);
        if (!ok) {
            return false;
        }
    }
    assert(r.path.steps <= LICET_PATH_STEPS_MAX);
    *out_path = r.path;
    return true;
}
