/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text forms of bytes and numbers: hex, base64, decimal.
 *
 *  (1) Writing gives one form; reading base64 and decimal accepts that form
 *      alone, so equal values have equal texts.
 */
#include "licet/base.h"

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
licet_hex(const uint8_t *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = '\0';
}

static int
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
licet_unhex(licet_bytes text, uint8_t *out, size_t len)
{
    if (text.len / 2 != len || text.len % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text.data[2 * i]);
        int low = hex_digit(text.data[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

size_t
licet_base64(const uint8_t *data, size_t len, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t group = (uint32_t)data[i] << 16;

        if (left > 1) {
            group |= (uint32_t)data[i + 1] << 8;
        }
        if (left > 2) {
            group |= data[i + 2];
        }
        out[n++] = base64_digits[group >> 18];
        out[n++] = base64_digits[group >> 12 & 63];
        out[n++] = left > 1 ? base64_digits[group >> 6 & 63] : '=';
        out[n++] = left > 2 ? base64_digits[group & 63] : '=';
    }
    out[n] = '\0';
    return n;
}

static int
base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Reads the n digits of one group, 2 to 4, into n-1 bytes; refuses padding bits that are not zero. */
static bool
unbase64_group(const uint8_t *text, unsigned n, uint8_t bytes[3])
{
    uint32_t group = 0;

    for (unsigned i = 0; i < 4; i++) {
        int digit = i < n ? base64_digit(text[i]) : 0;

        if (digit < 0) {
            return false;
        }
        group = group << 6 | (uint32_t)digit;
    }
    bytes[0] = (uint8_t)(group >> 16);
    bytes[1] = (uint8_t)(group >> 8);
    bytes[2] = (uint8_t)group;
    return (n > 2 || bytes[1] == 0) && (n > 3 || bytes[2] == 0);
}

bool
licet_unbase64(licet_bytes text, uint8_t *out, size_t cap, size_t *out_len)
{
    size_t n = 0;

    if (text.len % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i += 4) {
        unsigned digits = 4;
        uint8_t bytes[3];

        if (i + 4 == text.len && text.data[i + 3] == '=') {
            digits = text.data[i + 2] == '=' ? 2 : 3;
        }
        if (!unbase64_group(text.data + i, digits, bytes) || cap - n < digits - 1) {
            return false;
        }
        for (unsigned k = 0; k + 1 < digits; k++) {
            out[n++] = bytes[k];
        }
    }
    *out_len = n;
    return true;
}

/* RFC 4648 section 5: the digits 62 and 63 are written so that a URL can hold them, and there is no padding. */
size_t
licet_base64url(const uint8_t *data, size_t len, char *out)
{
    size_t n = licet_base64(data, len, out);

    for (size_t i = 0; i < n; i++) {
        if (out[i] == '=') {
            n = i;
        } else {
            out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
        }
    }
    out[n] = '\0';
    return n;
}

bool
licet_unbase64url(licet_bytes text, uint8_t *out, size_t cap, size_t *out_len)
{
    size_t n = 0;

    if (text.len % 4 == 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i += 4) {
        unsigned digits = text.len - i < 4 ? (unsigned)(text.len - i) : 4;
        uint8_t group[4], bytes[3];

        for (unsigned k = 0; k < digits; k++) {
            uint8_t c = text.data[i + k];
            group[k] = c == '-' ? '+' : c == '_' ? '/' : c == '+' || c == '/' ? 0 : c;
        }
        if (!unbase64_group(group, digits, bytes) || cap - n < digits - 1) {
            return false;
        }
        for (unsigned k = 0; k + 1 < digits; k++) {
            out[n++] = bytes[k];
        }
    }
    *out_len = n;
    return true;
}

bool
licet_parse_u64(licet_bytes text, uint64_t *out_value)
{
    uint64_t value = 0;

    if (text.len == 0 || (text.len > 1 && text.data[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value)) {
            return false;
        }
    }
    *out_value = value;
    return true;
}
