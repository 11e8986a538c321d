/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflate: the door. It holds the bounds; each library's side only decodes.
 *
 *  (1) out <= floor + ratio * in + one room, at any time.
 *  (2) memory <= limits.memory and pool->used <= pool->most, but for zstd, which is asked afterwards what it took:
 *      by at most one window (8 MiB) over.
 */
#include "inflate.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* ---- the account ------------------------------------------------------------ */

bool
licet_inflate_charge(licet_inflate *z, size_t bytes)
{
    licet_inflate_pool *pool = z->pool;

    if (bytes > z->limits.memory - z->memory || (pool != NULL && bytes > pool->most - pool->used)) {
        return false;
    }
    z->memory += bytes;
    if (pool != NULL) {
        pool->used += bytes;
    }
    return true;
}

void
licet_inflate_credit(licet_inflate *z, size_t bytes)
{
    z->memory -= bytes;
    if (z->pool != NULL) {
        z->pool->used -= bytes;
    }
}

/* What stands before each piece of memory: its size, for the libraries do not say it when they give it back. */
typedef union head {
    size_t bytes;
    max_align_t align;
} head;

void *
licet_inflate_alloc(licet_inflate *z, size_t bytes)
{
    head *h;

    if (bytes > SIZE_MAX - sizeof(*h) || !licet_inflate_charge(z, bytes + sizeof(*h))) {
        return NULL;
    }
    h = malloc(bytes + sizeof(*h));
    if (h == NULL) {
        licet_inflate_credit(z, bytes + sizeof(*h));
        return NULL;
    }
    h->bytes = bytes + sizeof(*h);
    return h + 1;
}

void
licet_inflate_release(licet_inflate *z, void *at)
{
    head *h = at;

    if (h != NULL) {
        h--;
        licet_inflate_credit(z, h->bytes);
        free(h);
    }
}

/* ---- life --------------------------------------------------------------------- */

static const inflate_side *const sides[LICET_CODING_LEN] = {
    [LICET_CODING_GZIP] = &licet_inflate_zlib,
    [LICET_CODING_DEFLATE] = &licet_inflate_zlib,
    [LICET_CODING_BR] = &licet_inflate_br,
    [LICET_CODING_ZSTD] = &licet_inflate_zstd,
};

bool
licet_inflate_new(licet_coding coding, const licet_inflate_limits *limits, licet_inflate_pool *pool,
                  licet_inflate **out_inflate, licet_error *err)
{
    licet_inflate *z;

    if ((unsigned)coding >= LICET_CODING_LEN || sides[coding] == NULL) {
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "content coding %d: expected one that compresses", (int)coding);
    }
    z = malloc(sizeof(*z));
    if (z == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to inflate a body");
    }
    memset(z, 0, offsetof(licet_inflate, room));
    z->side = sides[coding];
    z->coding = coding;
    z->limits = *limits;
    z->pool = pool;
    if (!licet_inflate_charge(z, sizeof(*z))) {
        free(z);
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "inflaters may take no more memory");
    }
    if (!z->side->start(z)) {
        licet_inflate_free(z);
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "inflaters may take no more memory");
    }
    *out_inflate = z;
    return true;
}

void
licet_inflate_free(licet_inflate *z)
{
    if (z == NULL) {
        return;
    }
    z->side->stop(z);
    licet_inflate_credit(z, sizeof(*z));
    free(z);
}

/* ---- feeding --------------------------------------------------------------------- */

static bool
is_over(licet_inflated state)
{
    return state != LICET_INFLATED_MORE && state != LICET_INFLATED_WHOLE;
}

static bool
is_too_far(const licet_inflate *z)
{
    const licet_inflate_limits *l = &z->limits;

    /* not multiplied: neither side can overflow */
    return z->out > l->floor && (l->ratio == 0 || (z->out - l->floor) / l->ratio >= z->in + 1);
}

licet_inflated
licet_inflate_feed(licet_inflate *z, licet_bytes bytes, licet_on_inflated on_inflated, void *user)
{
    licet_bytes in = bytes;
    size_t made = 0, before;

    if (is_over(z->state)) {
        return z->state;
    }
    z->in += bytes.len;
    while (in.len > 0 || (made == INFLATE_ROOM && z->state == LICET_INFLATED_MORE)) {
        before = in.len;
        made = 0;
        z->state = z->side->step(z, &in, &made);
        z->out += made;
        if (made > 0 && on_inflated != NULL) {
            on_inflated(user, licet_bytes_of(z->room, made));
        }
        if (is_over(z->state)) {
            break;
        }
        if (is_too_far(z)) {
            z->state = LICET_INFLATED_TOO_FAR;
            break;
        }
        if (made == 0 && in.len == before && before > 0) {
            z->state = LICET_INFLATED_BAD; /* a side that does not get on */
            break;
        }
    }
    return z->state;
}

licet_unmetered
licet_inflated_reason(licet_inflated state)
{
    switch (state) {
    case LICET_INFLATED_WHOLE:
        return LICET_UNMETERED_NONE;
    case LICET_INFLATED_MORE:
        return LICET_UNMETERED_INCOMPLETE;
    case LICET_INFLATED_TOO_FAR:
        return LICET_UNMETERED_INFLATES_TOO_FAR;
    case LICET_INFLATED_BAD:
    case LICET_INFLATED_TRAILING:
        break;
    }
    return LICET_UNMETERED_BAD_ENCODING;
}
