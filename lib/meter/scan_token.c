/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scan: strings, numbers and literals; see scan_token.h.
 *
 *  (1) What is kept is decoded as it comes and never longer than an id may
 *      be: more is a fault for an id and no match for a key.
 *  (2) A high surrogate waits in the state until what follows tells whether
 *      it has its other half.
 */
#include "scan_token.h"
#include "scan_place.h"

/* ---- keys and ids that are kept ---------------------------------------------- */

bool
licet_scan_keep(pass *a, const uint8_t *bytes, size_t len)
{
    state *s = a->s;

    if (s->kept_len == TOKEN_TOO_LONG) {
        return true;
    }
    if (len > TOKEN_MAX - (size_t)s->kept_len) {
        if (s->token == ID) {
            stop(a, LICET_UNMETERED_ID_TOO_LONG, (unsigned)__builtin_ctz(id_units(a)), s->token_start);
            return false;
        }
        s->kept_len = TOKEN_TOO_LONG;
        return true;
    }
    memcpy(s->kept + s->kept_len, bytes, len);
    s->kept_len = (uint8_t)(s->kept_len + len);
    return true;
}

static bool
keep_code_point(pass *a, uint32_t point)
{
    uint8_t bytes[4];

    if (point < 0x80) {
        bytes[0] = (uint8_t)point;
        return licet_scan_keep(a, bytes, 1);
    }
    if (point < 0x800) {
        bytes[0] = (uint8_t)(0xc0 | point >> 6);
        bytes[1] = (uint8_t)(0x80 | (point & 0x3f));
        return licet_scan_keep(a, bytes, 2);
    }
    if (point < 0x10000) {
        bytes[0] = (uint8_t)(0xe0 | point >> 12);
        bytes[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        bytes[2] = (uint8_t)(0x80 | (point & 0x3f));
        return licet_scan_keep(a, bytes, 3);
    }
    bytes[0] = (uint8_t)(0xf0 | point >> 18);
    bytes[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    bytes[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    bytes[3] = (uint8_t)(0x80 | (point & 0x3f));
    return licet_scan_keep(a, bytes, 4);
}

/* A high surrogate still waits, and something else follows. */
static bool
keep_lone_surrogate(pass *a)
{
    if (a->s->surrogate == 0) {
        return true;
    }
    a->s->surrogate = 0;
    return keep_code_point(a, 0xfffd);
}

/* The code unit of a complete \u escape. */
static bool
keep_code_unit(pass *a, uint16_t code)
{
    state *s = a->s;
    uint32_t high = s->surrogate;

    if (code >= 0xdc00 && code <= 0xdfff) {
        s->surrogate = 0;
        return keep_code_point(a, high == 0 ? 0xfffd : 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00u));
    }
    if (!keep_lone_surrogate(a)) {
        return false;
    }
    if (code >= 0xd800 && code <= 0xdbff) {
        s->surrogate = code;
        return true;
    }
    return keep_code_point(a, code);
}

/* ---- tokens -------------------------------------------------------------------- */

static int
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What a letter after '\' stands for; 0: nothing. */
static uint8_t
escape_meaning(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

const uint8_t *
licet_scan_take_hex(pass *a, const uint8_t *p)
{
    state *s = a->s;

    for (; s->hex_left > 0; s->hex_left--, p++) {
        int digit;

        if (p == a->end) {
            return pause_in(a, IN_HEX);
        }
        digit = hex_digit(*p);
        if (digit < 0) {
            return malformed(a, p);
        }
        s->hex = (uint16_t)(s->hex << 4 | digit);
    }
    return is_kept(s) && !keep_code_unit(a, s->hex) ? NULL : p;
}

const uint8_t *
licet_scan_take_escape(pass *a, const uint8_t *p)
{
    state *s = a->s;
    uint8_t meaning;

    if (p == a->end) {
        return pause_in(a, IN_ESCAPE);
    }
    if (*p == 'u') {
        s->hex = 0;
        s->hex_left = 4;
        return licet_scan_take_hex(a, p + 1);
    }
    meaning = escape_meaning(*p);
    if (meaning == 0) {
        return malformed(a, p);
    }
    if (is_kept(s) && (!keep_lone_surrogate(a) || !licet_scan_keep(a, &meaning, 1))) {
        return NULL;
    }
    return p + 1;
}

const uint8_t *
licet_scan_take_string(pass *a, const uint8_t *p)
{
    for (;;) {
        const uint8_t *from = p;

        p = skip_plain(p, a->end);
        if (is_kept(a->s) && p > from && (!keep_lone_surrogate(a) || !licet_scan_keep(a, from, (size_t)(p - from)))) {
            return NULL;
        }
        if (p == a->end) {
            return pause_in(a, IN_STRING);
        }
        if (*p == '"') {
            return is_kept(a->s) && !keep_lone_surrogate(a) ? NULL : p + 1;
        }
        if (*p != '\\') {
            return malformed(a, p);
        }
        p = licet_scan_take_escape(a, p + 1);
        if (p == NULL) {
            return NULL;
        }
    }
}

static number
number_after(number n, uint8_t c)
{
    bool digit = c >= '0' && c <= '9', e = c == 'e' || c == 'E';

    switch (n) {
    case NUMBER_MINUS:
        return c == '0' ? NUMBER_ZERO : digit ? NUMBER_INT : NUMBER_END;
    case NUMBER_ZERO:
        return c == '.' ? NUMBER_DOT : e ? NUMBER_E : NUMBER_END;
    case NUMBER_INT:
        return digit ? NUMBER_INT : c == '.' ? NUMBER_DOT : e ? NUMBER_E : NUMBER_END;
    case NUMBER_DOT:
        return digit ? NUMBER_FRACTION : NUMBER_END;
    case NUMBER_FRACTION:
        return digit ? NUMBER_FRACTION : e ? NUMBER_E : NUMBER_END;
    case NUMBER_E:
        return digit ? NUMBER_EXPONENT : c == '+' || c == '-' ? NUMBER_SIGN : NUMBER_END;
    default:
        return digit ? NUMBER_EXPONENT : NUMBER_END;
    }
}

const uint8_t *
licet_scan_take_number(pass *a, const uint8_t *p)
{
    state *s = a->s;
    const uint8_t *from = p;
    number n = (number)s->number;

    if (n == NUMBER_INT) { /* most are nothing else */
        while (p < a->end && (uint8_t)(*p - '0') <= 9) {
            p++;
        }
        if (p < a->end && *p != '.' && (*p | 0x20) != 'e' && s->token != ID) {
            return p;
        }
    }
    while (p < a->end) {
        number next = number_after(n, *p);

        if (next == NUMBER_END) {
            break;
        }
        n = next;
        p++;
    }
    if (s->token == ID && !licet_scan_keep(a, from, (size_t)(p - from))) {
        return NULL;
    }
    if (p == a->end) {
        s->number = (uint8_t)n;
        return pause_in(a, IN_NUMBER);
    }
    if (!number_is_complete(n)) {
        return malformed(a, p);
    }
    if (s->token == ID) {
        tell_id(a, s->kept, s->kept_len);
    }
    return p;
}

static const char *const literals[] = {"true", "false", "null"};

const uint8_t *
licet_scan_take_literal(pass *a, const uint8_t *p)
{
    state *s = a->s;
    const char *text = literals[s->literal];

    for (; text[s->literal_at] != '\0'; s->literal_at++, p++) {
        if (p == a->end) {
            return pause_in(a, IN_LITERAL);
        }
        if (*p != (uint8_t)text[s->literal_at]) {
            return malformed(a, p);
        }
    }
    return p;
}
