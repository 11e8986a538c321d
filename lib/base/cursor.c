/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursor: reading untrusted bytes, checked against their end at each step.
 *
 *  (1) pos <= in.len, always.
 *  (2) A step that fails leaves the cursor and the output as they were.
 *  (3) Each value has one encoding: a varint in a longer form is refused.
 */
#include "licet/base.h"

#include <assert.h>

static bool
has(const licet_cursor *c, size_t len)
{
    assert(c->pos <= c->in.len);
    return c->in.len - c->pos >= len;
}

bool
licet_take_uint(licet_cursor *c, unsigned n, uint64_t *out_value)
{
    uint64_t value = 0;

    assert(n >= 1 && n <= 8);
    if (!has(c, n)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        value = value << 8 | c->in.data[c->pos + i];
    }
    c->pos += n;
    *out_value = value;
    return true;
}

bool
licet_take_u8(licet_cursor *c, uint8_t *out_value)
{
    uint64_t value;

    if (!licet_take_uint(c, 1, &value)) {
        return false;
    }
    *out_value = (uint8_t)value;
    return true;
}

bool
licet_take_u16(licet_cursor *c, uint16_t *out_value)
{
    uint64_t value;

    if (!licet_take_uint(c, 2, &value)) {
        return false;
    }
    *out_value = (uint16_t)value;
    return true;
}

bool
licet_take_u32(licet_cursor *c, uint32_t *out_value)
{
    uint64_t value;

    if (!licet_take_uint(c, 4, &value)) {
        return false;
    }
    *out_value = (uint32_t)value;
    return true;
}

bool
licet_take_u64(licet_cursor *c, uint64_t *out_value)
{
    return licet_take_uint(c, 8, out_value);
}

bool
licet_take_varint(licet_cursor *c, uint64_t *out_value)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 10 && has(c, i + 1); i++) {
        uint8_t byte = c->in.data[c->pos + i];

        if (i == 9 && byte > 1) {
            return false; /* more than 64 bits */
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            if (byte == 0 && i > 0) {
                return false; /* a shorter form exists */
            }
            c->pos += i + 1;
            *out_value = value;
            return true;
        }
    }
    return false;
}

bool
licet_take_bytes(licet_cursor *c, size_t len, licet_bytes *out_value)
{
    if (!has(c, len)) {
        return false;
    }
    *out_value = len == 0 ? (licet_bytes){NULL, 0} : (licet_bytes){c->in.data + c->pos, len};
    c->pos += len;
    return true;
}

bool
licet_take_text(licet_cursor *c, licet_bytes *out_value)
{
    size_t start = c->pos;
    uint16_t len;

    if (!licet_take_u16(c, &len)) {
        return false;
    }
    if (!licet_take_bytes(c, len, out_value)) {
        c->pos = start;
        return false;
    }
    return true;
}

bool
licet_cursor_at_end(const licet_cursor *c)
{
    return c->pos == c->in.len;
}
