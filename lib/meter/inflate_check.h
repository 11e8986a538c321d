/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the test and the fuzz target of inflate: one run of the fast inflater
 * over a body cut in pieces, and its agreement with the slow one.
 */
#ifndef LICET_METER_INFLATE_CHECK_H
#define LICET_METER_INFLATE_CHECK_H

#include "inflate_ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct inflated {
    licet_inflated state;
    licet_buffer out;
    size_t memory; /* most that was taken at any time between two pieces */
} inflated;

static void
keep_piece(void *user, licet_bytes piece)
{
    licet_put_bytes(user, piece);
}

static uint64_t
check_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* Pieces of at most 'most' bytes; seed 0: of exactly so many. */
static inflated
check_run(licet_coding coding, const licet_inflate_limits *limits, licet_bytes body, uint64_t seed, size_t most)
{
    licet_inflate_pool pool = {SIZE_MAX, 0};
    inflated got = {.state = LICET_INFLATED_MORE};
    licet_inflate *z = NULL;
    size_t len;

    licet_buffer_init(&got.out, (size_t)1 << 31);
    if (!licet_inflate_new(coding, limits, &pool, &z, NULL)) {
        abort();
    }
    while (body.len > 0) {
        len = seed == 0 ? most : 1 + (size_t)(check_random(&seed) % most);
        len = len < body.len ? len : body.len;
        got.state = licet_inflate_feed(z, licet_bytes_of(body.data, len), keep_piece, &got.out);
        got.memory = pool.used > got.memory ? pool.used : got.memory;
        body = licet_bytes_of(body.data + len, body.len - len);
    }
    licet_inflate_free(z);
    if (pool.used != 0) {
        abort();
    }
    return got;
}

static bool
is_prefix(licet_bytes a, licet_bytes b)
{
    return a.len <= b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/*
 * The same state however it is cut, the same bytes if it is whole, as much as one of them has if it is not; and the
 * slow one says whole of the same bodies, and the same bytes.
 */
static bool
check_agree(licet_coding coding, licet_bytes body, uint64_t seed)
{
    static const char *const states[] = {"more", "whole", "bad", "trailing", "too far"};
    licet_inflate_limits limits = {.memory = 64u << 20, .floor = 64u << 20, .ratio = 1 << 20};
    inflated runs[3] = {check_run(coding, &limits, body, 0, body.len + 1), check_run(coding, &limits, body, 0, 1),
                        check_run(coding, &limits, body, seed | 1, 50)};
    licet_bytes first = licet_buffer_view(&runs[0].out), other;
    licet_buffer slow;
    bool ok = true, slow_whole, whole = runs[0].state == LICET_INFLATED_WHOLE;

    for (size_t i = 1; i < 3; i++) {
        other = licet_buffer_view(&runs[i].out);
        ok = ok && runs[i].state == runs[0].state && (!whole || other.len == first.len) &&
             (is_prefix(first, other) || is_prefix(other, first));
    }
    licet_buffer_init(&slow, 64u << 20);
    slow_whole = licet_inflate_ref(coding, body, &slow);
    if (runs[0].state != LICET_INFLATED_TOO_FAR) { /* the slow one has no ceiling of memory */
        ok = ok && slow_whole == whole && (!whole || licet_bytes_equal(licet_buffer_view(&slow), first));
    }
    if (!ok) {
        fprintf(stderr, "coding %d, %zu bytes: %s %zu, %s %zu, %s %zu; slow: %zu\n", (int)coding, body.len,
                states[runs[0].state], runs[0].out.len, states[runs[1].state], runs[1].out.len, states[runs[2].state],
                runs[2].out.len, slow.len);
    }
    for (size_t i = 0; i < 3; i++) {
        licet_buffer_done(&runs[i].out);
    }
    licet_buffer_done(&slow);
    return ok;
}

#endif
