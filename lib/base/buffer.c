/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffer: growing output that is born with its ceiling.
 *
 *  (1) len <= capacity <= ceiling.
 *  (2) A put appends everything or nothing. The first that cannot sets
 *      'failed', and from then on no put does anything: a writer may check
 *      once, at its end.
 *  (3) What is put must not lie in the buffer itself: growing may move it.
 */
#include "licet/base.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void
licet_buffer_init(licet_buffer *b, size_t ceiling)
{
    *b = (licet_buffer){.ceiling = ceiling};
}

void
licet_buffer_done(licet_buffer *b)
{
    free(b->data);
    *b = (licet_buffer){.ceiling = b->ceiling};
}

/* Room for len more bytes by doubling, so that n puts cost n copies altogether. */
static bool
grow(licet_buffer *b, size_t len)
{
    size_t capacity = b->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : b->capacity;
    uint8_t *data;

    while (capacity - b->len < len && capacity <= b->ceiling / 2) {
        capacity *= 2;
    }
    if (capacity - b->len < len || capacity > b->ceiling) {
        capacity = b->ceiling;
    }
    data = realloc(b->data, capacity);
    if (data == NULL) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

static inline bool
reserve(licet_buffer *b, size_t len)
{
    if (b->failed || len > b->ceiling - b->len) {
        b->failed = true;
        return false;
    }
    return b->capacity - b->len >= len || grow(b, len);
}

/* Big endian, n bytes: where n is a constant this becomes one store. */
static inline __attribute__((always_inline)) bool
put(licet_buffer *b, unsigned n, uint64_t value)
{
    if (!reserve(b, n)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        b->data[b->len + i] = (uint8_t)(value >> (8 * (n - 1 - i)));
    }
    b->len += n;
    return true;
}

bool
licet_put_uint(licet_buffer *b, unsigned n, uint64_t value)
{
    assert(n >= 1 && n <= 8);
    if (n < 8 && value >> (8 * n) != 0) {
        b->failed = true; /* cut digits would be another number */
        return false;
    }
    return n == 6 ? put(b, 6, value) : put(b, n, value); /* times and sequences have 6 bytes */
}

bool
licet_put_u8(licet_buffer *b, uint8_t value)
{
    return put(b, 1, value);
}

bool
licet_put_u16(licet_buffer *b, uint16_t value)
{
    return put(b, 2, value);
}

bool
licet_put_u32(licet_buffer *b, uint32_t value)
{
    return put(b, 4, value);
}

bool
licet_put_u64(licet_buffer *b, uint64_t value)
{
    return put(b, 8, value);
}

bool
licet_put_varint(licet_buffer *b, uint64_t value)
{
    uint8_t digits[10];
    size_t len = 0;

    while (value >= 0x80) {
        digits[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    digits[len++] = (uint8_t)value;
    return licet_put_bytes(b, licet_bytes_of(digits, len));
}

bool
licet_put_bytes(licet_buffer *b, licet_bytes bytes)
{
    if (!reserve(b, bytes.len)) {
        return false;
    }
    if (bytes.len > 0) {
        memcpy(b->data + b->len, bytes.data, bytes.len);
        b->len += bytes.len;
    }
    return true;
}

bool
licet_put_text(licet_buffer *b, licet_bytes text)
{
    if (text.len > UINT16_MAX || !reserve(b, 2 + text.len)) {
        b->failed = true;
        return false;
    }
    return licet_put_u16(b, (uint16_t)text.len) && licet_put_bytes(b, text);
}

bool
licet_put_format(licet_buffer *b, const char *format, ...)
{
    char small[256];
    char *text = small;
    int len;
    bool ok;
    va_list args;

    va_start(args, format);
    len = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (len < 0 || b->failed || (size_t)len > b->ceiling - b->len) {
        b->failed = true;
        return false;
    }
    if ((size_t)len >= sizeof(small)) {
        text = malloc((size_t)len + 1);
        if (text == NULL) {
            b->failed = true;
            return false;
        }
        va_start(args, format);
        vsnprintf(text, (size_t)len + 1, format, args);
        va_end(args);
    }
    ok = licet_put_bytes(b, licet_bytes_of(text, (size_t)len));
    if (text != small) {
        free(text);
    }
    return ok;
}

licet_bytes
licet_buffer_view(const licet_buffer *b)
{
    return (licet_bytes){b->data, b->len};
}
