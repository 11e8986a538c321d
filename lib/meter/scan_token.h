/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scan: strings, numbers and literals, which may be cut anywhere. Each take
 * goes on where the state says and returns the place behind the token, or
 * NULL where the bytes end or a fault is.
 */
#ifndef LICET_METER_SCAN_TOKEN_H
#define LICET_METER_SCAN_TOKEN_H

#include "scan_state.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The rest of a string, after its quote or anywhere inside. */
const uint8_t *licet_scan_take_string(pass *a, const uint8_t *p);
/* What follows '\'. */
const uint8_t *licet_scan_take_escape(pass *a, const uint8_t *p);
/* The hex digits of \u that are to come. */
const uint8_t *licet_scan_take_hex(pass *a, const uint8_t *p);
/* The rest of a number after its first byte. */
const uint8_t *licet_scan_take_number(pass *a, const uint8_t *p);
/* The rest of a literal. */
const uint8_t *licet_scan_take_literal(pass *a, const uint8_t *p);
/* Appends bytes to what is kept; false after a fault. */
bool licet_scan_keep(pass *a, const uint8_t *bytes, size_t len);

static inline void
begin_kept(pass *a, token t, const uint8_t *p)
{
    a->s->token = (uint8_t)t;
    a->s->token_start = offset_of(a, p);
    a->s->kept_len = 0;
    a->s->surrogate = 0;
}

static inline bool
is_kept(const state *s)
{
    return s->token >= PATH_KEY;
}

static inline bool
number_is_complete(number n)
{
    return n == NUMBER_ZERO || n == NUMBER_INT || n == NUMBER_FRACTION || n == NUMBER_EXPONENT;
}

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/* The first byte from p on that is '"', '\' or a control character, or end; a word at a time. */
static inline const uint8_t *
skip_plain_words(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 8) {
        uint64_t word, quote, backslash, found;

        memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        quote = word ^ ONES * '"';
        backslash = word ^ ONES * '\\';
        /* each term has the high bit of every byte it looks for; a borrow can only err above its first true byte */
        found = ((word - ONES * 0x20) & ~word) | ((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash);
        found &= HIGHS;
        if (found != 0) {
            return p + __builtin_ctzll(found) / 8;
        }
        p += 8;
    }
    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20) {
        p++;
    }
    return p;
}

#ifdef __SSE2__
/* Bit i: byte i ends a run of plain bytes. */
static inline unsigned
plain_ends(const uint8_t *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control));
}

/* Bit i: byte i is no white space. */
static inline unsigned
not_space(const uint8_t *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i space = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')), tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    __m128i feed = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')), back = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'));

    return 0xffffu & ~(unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(space, tab), _mm_or_si128(feed, back)));
}
#endif

/* The same, 16 bytes at a time where the machine can; the words do what is left. */
static inline const uint8_t *
skip_plain(const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
    while (end - p >= 16) {
        unsigned ends = plain_ends(p);

        if (ends != 0) {
            return p + __builtin_ctz(ends);
        }
        p += 16;
    }
#endif
    return skip_plain_words(p, end);
}

#endif
