/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflate: gzip and deflate, by zlib.
 *
 *  (1) gzip is one member after another (RFC 1952); zeros behind the last are
 *      padding, as gzip(1) takes them, anything else is not of the body.
 *  (2) deflate is zlib's form (RFC 1950) where its first two bytes are such a
 *      head, else raw (RFC 1951). A raw stream that begins so would be a
 *      stored block with padding that is not zero; nobody writes that.
 */
#include "inflate.h"

#include <zlib.h>

#define BITS_GZIP (15 + 16)
#define BITS_ZLIB 15
#define BITS_RAW (-15)

typedef struct zlib_stream {
    z_stream z;
    uint8_t head[2]; /* of deflate, until both are there */
    uint8_t head_len;
    bool told; /* the form of deflate is known */
    bool padding;
} zlib_stream;

static void *
zlib_alloc(void *z, unsigned items, unsigned size)
{
    return licet_inflate_alloc(z, (size_t)items * size);
}

static void
zlib_free(void *z, void *at)
{
    licet_inflate_release(z, at);
}

static bool
zlib_start(licet_inflate *z)
{
    zlib_stream *s = licet_inflate_alloc(z, sizeof(*s));

    if (s == NULL) {
        return false;
    }
    *s = (zlib_stream){.z = {.zalloc = zlib_alloc, .zfree = zlib_free, .opaque = z}};
    if (inflateInit2(&s->z, z->coding == LICET_CODING_GZIP ? BITS_GZIP : BITS_ZLIB) != Z_OK) {
        licet_inflate_release(z, s);
        return false;
    }
    s->told = z->coding == LICET_CODING_GZIP;
    z->stream = s;
    return true;
}

static void
zlib_stop(licet_inflate *z)
{
    zlib_stream *s = z->stream;

    if (s != NULL) {
        (void)inflateEnd(&s->z);
        licet_inflate_release(z, s);
    }
}

/* Takes input into the room behind *out_made. */
static licet_inflated
zlib_inflate(licet_inflate *z, licet_bytes *in, size_t *out_made)
{
    zlib_stream *s = z->stream;
    size_t room = INFLATE_ROOM - *out_made, most = in->len < UINT32_MAX ? in->len : UINT32_MAX;
    int rc;

    s->z.next_in = (z_const Bytef *)in->data;
    s->z.avail_in = (uInt)most;
    s->z.next_out = z->room + *out_made;
    s->z.avail_out = (uInt)room;
    rc = inflate(&s->z, Z_SYNC_FLUSH);
    *out_made += room - s->z.avail_out;
    *in = licet_bytes_of(in->data + (most - s->z.avail_in), in->len - (most - s->z.avail_in));
    switch (rc) {
    case Z_OK:
    case Z_BUF_ERROR: /* no input left, or no room */
        return LICET_INFLATED_MORE;
    case Z_STREAM_END:
        return LICET_INFLATED_WHOLE;
    case Z_MEM_ERROR:
        return LICET_INFLATED_TOO_FAR;
    default:
        return LICET_INFLATED_BAD;
    }
}

static bool
is_zlib_head(const uint8_t head[2])
{
    return (head[0] & 0x0f) == 8 && head[0] >> 4 <= 7 && (head[0] << 8 | head[1]) % 31 == 0;
}

/* The first two bytes of deflate. */
static licet_inflated
zlib_tell(licet_inflate *z, licet_bytes *in, size_t *out_made)
{
    zlib_stream *s = z->stream;
    licet_bytes head;

    while (s->head_len < 2 && in->len > 0) {
        s->head[s->head_len++] = *in->data;
        *in = licet_bytes_of(in->data + 1, in->len - 1);
    }
    if (s->head_len < 2) {
        return LICET_INFLATED_MORE;
    }
    s->told = true;
    if (inflateReset2(&s->z, is_zlib_head(s->head) ? BITS_ZLIB : BITS_RAW) != Z_OK) {
        return LICET_INFLATED_BAD;
    }
    head = licet_bytes_of(s->head, 2);
    return zlib_inflate(z, &head, out_made);
}

/* Behind a member, with something there. */
static licet_inflated
zlib_between(licet_inflate *z, licet_bytes *in)
{
    zlib_stream *s = z->stream;

    if (z->coding != LICET_CODING_GZIP) {
        return LICET_INFLATED_TRAILING;
    }
    while (in->len > 0 && *in->data == 0) {
        s->padding = true;
        *in = licet_bytes_of(in->data + 1, in->len - 1);
    }
    if (in->len == 0) {
        return LICET_INFLATED_WHOLE;
    }
    if (s->padding || *in->data != 0x1f) {
        return LICET_INFLATED_TRAILING;
    }
    return inflateReset(&s->z) == Z_OK ? LICET_INFLATED_MORE : LICET_INFLATED_BAD;
}

static licet_inflated
zlib_step(licet_inflate *z, licet_bytes *in, size_t *out_made)
{
    const zlib_stream *s = z->stream;
    licet_inflated state;

    if (z->state == LICET_INFLATED_WHOLE) {
        state = zlib_between(z, in);
        if (state != LICET_INFLATED_MORE) {
            return state;
        }
    }
    if (!s->told) {
        return zlib_tell(z, in, out_made);
    }
    return zlib_inflate(z, in, out_made);
}

const inflate_side licet_inflate_zlib = {zlib_start, zlib_step, zlib_stop};
