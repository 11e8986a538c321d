/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the test of inflate: bodies in every form that the codings know, made by
 * the libraries' own compressors.
 */
#ifndef LICET_METER_INFLATE_PACK_H
#define LICET_METER_INFLATE_PACK_H

#include "licet/inflate.h"

#include <brotli/encode.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

/* Appends one member or stream of zlib's to *out. */
static void
pack_zlib(int bits, int level, licet_bytes body, licet_buffer *out)
{
    z_stream z = {.next_in = (z_const Bytef *)body.data, .avail_in = (uInt)body.len};
    uint8_t room[4096];
    int rc = deflateInit2(&z, level, Z_DEFLATED, bits, 9, Z_DEFAULT_STRATEGY);

    while (rc == Z_OK) {
        z.next_out = room;
        z.avail_out = sizeof(room);
        rc = deflate(&z, Z_FINISH);
        licet_put_bytes(out, licet_bytes_of(room, sizeof(room) - z.avail_out));
    }
    if (rc != Z_STREAM_END || out->failed) {
        abort();
    }
    (void)deflateEnd(&z);
}

/* A stream of br; flush: a block of its own for each so many bytes, 0: as the encoder likes. */
static void
pack_br(unsigned quality, size_t flush, licet_bytes body, licet_buffer *out)
{
    BrotliEncoderState *e = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    size_t left, len, none = 0;
    const uint8_t *made;

    BrotliEncoderSetParameter(e, BROTLI_PARAM_QUALITY, quality);
    do {
        left = flush == 0 || body.len < flush ? body.len : flush;
        body.len -= left;
        do {
            if (!BrotliEncoderCompressStream(e, body.len == 0 ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH, &left,
                                             &body.data, &none, NULL, NULL)) {
                abort();
            }
            len = 0;
            made = BrotliEncoderTakeOutput(e, &len);
            licet_put_bytes(out, licet_bytes_of(made, len));
        } while (left > 0 || BrotliEncoderHasMoreOutput(e) || (body.len == 0 && !BrotliEncoderIsFinished(e)));
    } while (body.len > 0);
    if (out->failed) {
        abort();
    }
    BrotliEncoderDestroyInstance(e);
}

/* A frame of zstd; flush as above, without the size of the content in its head. */
static void
pack_zstd(int level, int window_log, size_t flush, licet_bytes body, licet_buffer *out)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_inBuffer in = {body.data, 0, 0};
    uint8_t room[4096];
    size_t rc;

    ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    if (window_log > 0) {
        ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log);
    }
    if (flush == 0) {
        ZSTD_CCtx_setPledgedSrcSize(c, body.len);
        flush = body.len + 1;
    }
    do {
        in.size = body.len - in.size < flush ? body.len : in.size + flush;
        do {
            ZSTD_outBuffer to = {room, sizeof(room), 0};

            rc = ZSTD_compressStream2(c, &to, &in, in.size == body.len ? ZSTD_e_end : ZSTD_e_flush);
            licet_put_bytes(out, licet_bytes_of(room, to.pos));
        } while (rc > 0 && !ZSTD_isError(rc));
    } while (in.size < body.len && !ZSTD_isError(rc));
    if (ZSTD_isError(rc) || out->failed) {
        abort();
    }
    ZSTD_freeCCtx(c);
}

static void
pack_gzip_9(licet_bytes body, licet_buffer *out)
{
    pack_zlib(31, 9, body, out);
}

static void
pack_gzip_stored(licet_bytes body, licet_buffer *out)
{
    pack_zlib(31, 0, body, out);
}

/* Three members, one of them empty, and padding. */
static void
pack_gzip_members(licet_bytes body, licet_buffer *out)
{
    size_t first = body.len / 3;

    pack_zlib(31, 6, licet_bytes_of(body.data, first), out);
    pack_zlib(31, 6, licet_bytes_of(body.data, 0), out);
    pack_zlib(31, 1, licet_bytes_of(body.data + first, body.len - first), out);
    licet_put_bytes(out, LICET_BYTES_LITERAL("\0\0\0"));
}

static void
pack_deflate(licet_bytes body, licet_buffer *out)
{
    pack_zlib(15, 6, body, out);
}

static void
pack_deflate_small_window(licet_bytes body, licet_buffer *out)
{
    pack_zlib(9, 6, body, out);
}

static void
pack_deflate_raw(licet_bytes body, licet_buffer *out)
{
    pack_zlib(-15, 6, body, out);
}

static void
pack_br_2(licet_bytes body, licet_buffer *out)
{
    pack_br(2, 0, body, out);
}

static void
pack_br_9(licet_bytes body, licet_buffer *out)
{
    pack_br(9, 0, body, out);
}

static void
pack_br_flushed(licet_bytes body, licet_buffer *out)
{
    pack_br(5, 700, body, out);
}

static void
pack_zstd_3(licet_bytes body, licet_buffer *out)
{
    pack_zstd(3, 0, 0, body, out);
}

static void
pack_zstd_flushed(licet_bytes body, licet_buffer *out)
{
    pack_zstd(9, 17, 700, body, out);
}

/* Frames, and what RFC 8878 lets one skip before, between and behind them. */
static void
pack_zstd_frames(licet_bytes body, licet_buffer *out)
{
    licet_bytes skipped = LICET_BYTES_LITERAL("\x50\x2a\x4d\x18\x03\0\0\0abc");
    size_t first = body.len / 2;

    licet_put_bytes(out, skipped);
    pack_zstd(1, 0, 0, licet_bytes_of(body.data, first), out);
    licet_put_bytes(out, skipped);
    pack_zstd(1, 0, 300, licet_bytes_of(body.data + first, body.len - first), out);
    licet_put_bytes(out, LICET_BYTES_LITERAL("\x5f\x2a\x4d\x18\0\0\0\0"));
}

static const struct pack {
    const char *name;
    licet_coding coding;
    void (*pack)(licet_bytes body, licet_buffer *out);
} packs[] = {
    {"gzip", LICET_CODING_GZIP, pack_gzip_9},
    {"gzip, stored", LICET_CODING_GZIP, pack_gzip_stored},
    {"gzip, members", LICET_CODING_GZIP, pack_gzip_members},
    {"deflate", LICET_CODING_DEFLATE, pack_deflate},
    {"deflate, small window", LICET_CODING_DEFLATE, pack_deflate_small_window},
    {"deflate, raw", LICET_CODING_DEFLATE, pack_deflate_raw},
    {"br 2", LICET_CODING_BR, pack_br_2},
    {"br 9", LICET_CODING_BR, pack_br_9},
    {"br, flushed", LICET_CODING_BR, pack_br_flushed},
    {"zstd", LICET_CODING_ZSTD, pack_zstd_3},
    {"zstd, flushed", LICET_CODING_ZSTD, pack_zstd_flushed},
    {"zstd, frames", LICET_CODING_ZSTD, pack_zstd_frames},
};
#define PACKS (sizeof(packs) / sizeof(packs[0]))

#endif
