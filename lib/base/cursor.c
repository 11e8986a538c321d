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

/* Big endian, n bytes: where n is a constant this becomes one load. */
static inline __attribute__((always_inline)) bool
take(licet_cursor *c, unsigned n, uint64_t *out_value)
{
    uint64_t value = 0;

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
licet_take_uint(licet_cursor *c, unsigned n, uint64_t *out_value)
{
    assert(n >= 1 && n <= 8);
    return n == 6 ? take(c, 6, out_value) : take(c, n, out_value); /* times and sequences have 6 bytes */
}

bool
licet_take_u8(licet_cursor *c, uint8_t *out_value)
{
    if (!has(c, 1)) {
        return false;
    }
    *out_value = c->in.data[c->pos++];
    return true;
}

bool
licet_take_u16(licet_cursor *c, uint16_t *out_value)
{
    uint64_t value;

    if (!take(c, 2, &value)) {
        return false;
    }
    *out_value = (uint16_t)value;
    return true;
}

bool
licet_take_u32(licet_cursor *c, uint32_t *out_value)
{
    uint64_t value;

    if (!take(c, 4, &value)) {
        return false;
    }
    *out_value = (uint32_t)value;
    return true;
}

bool
licet_take_u64(licet_cursor *c, uint64_t *out_value)
{
    return take(c, 8, out_value);
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
licet_take_pieces(licet_cursor *c, uint32_t count, licet_bytes *out_value)
{
    size_t pos = c->pos, len = c->in.len;

    for (uint32_t i = 0; i < count; i++) {
        if (pos >= len || len - pos - 1 < c->in.data[pos]) {
            return false;
        }
        pos += 1 + (size_t)c->in.data[pos];
    }
    *out_value = pos == c->pos ? (licet_bytes){NULL, 0} : (licet_bytes){c->in.data + c->pos, pos - c->pos};
    c->pos = pos;
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
