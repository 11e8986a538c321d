/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow, obvious inflater: a body is in memory as a whole, member by member
 * or frame by frame, and each is inflated by one call into a buffer that is
 * large enough; if it was not, by another into one twice as large.
 */
#include "inflate_ref.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

typedef enum outcome {
    DONE,
    TOO_SMALL,
    WRONG,
} outcome;

/* One member, frame or stream at the beginning of in; *out_used is how much of in it is. */
typedef outcome (*inflate_one)(licet_bytes in, uint8_t *out, size_t room, size_t *out_len, size_t *out_used);

static outcome
one_zlib(int bits, licet_bytes in, uint8_t *out, size_t room, size_t *out_len, size_t *out_used)
{
    z_stream z = {
        .next_in = (z_const Bytef *)in.data, .avail_in = (uInt)in.len, .next_out = out, .avail_out = (uInt)room};
    int rc = inflateInit2(&z, bits);

    rc = rc == Z_OK ? inflate(&z, Z_FINISH) : rc;
    *out_len = room - z.avail_out;
    *out_used = in.len - z.avail_in;
    (void)inflateEnd(&z);
    return rc == Z_STREAM_END ? DONE : rc == Z_BUF_ERROR && z.avail_out == 0 ? TOO_SMALL : WRONG;
}

static outcome
one_gzip(licet_bytes in, uint8_t *out, size_t room, size_t *out_len, size_t *out_used)
{
    return one_zlib(31, in, out, room, out_len, out_used);
}

static outcome
one_deflate(licet_bytes in, uint8_t *out, size_t room, size_t *out_len, size_t *out_used)
{
    bool zlib = in.len >= 2 && (in.data[0] & 15) == 8 && in.data[0] < 0x80 && (in.data[0] * 256 + in.data[1]) % 31 == 0;

    return one_zlib(zlib ? 15 : -15, in, out, room, out_len, out_used);
}

static outcome
one_br(licet_bytes in, uint8_t *out, size_t room, size_t *out_len, size_t *out_used)
{
    BrotliDecoderState *d = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    BrotliDecoderResult rc;
    size_t left = in.len, room_left = room;

    /* as BrotliDecoderDecompress, which does not say how much it used */
    rc = BrotliDecoderDecompressStream(d, &left, &in.data, &room_left, &out, NULL);
    BrotliDecoderDestroyInstance(d);
    *out_len = room - room_left;
    *out_used = in.len - left;
    return rc == BROTLI_DECODER_RESULT_SUCCESS             ? DONE
           : rc == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT ? TOO_SMALL
                                                           : WRONG;
}

static outcome
one_zstd(licet_bytes in, uint8_t *out, size_t room, size_t *out_len, size_t *out_used)
{
    bool known = in.len >= 4 && in.data[1] == 0xb5 && in.data[2] == 0x2f && in.data[3] == 0xfd && in.data[0] == 0x28;
    bool skippable =
        in.len >= 4 && in.data[0] >> 4 == 5 && in.data[1] == 0x2a && in.data[2] == 0x4d && in.data[3] == 0x18;
    ZSTD_DStream *d = ZSTD_createDStream();
    ZSTD_inBuffer from = {in.data, 0, 0};
    ZSTD_outBuffer to = {out, room, 0};
    size_t rc = 1;

    ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, 27);
    /* the head byte by byte: else a frame that came whole goes another way, which takes other damaged blocks for good
     */
    while ((known || skippable) && rc != 0 && !ZSTD_isError(rc) && from.pos == from.size && from.size < in.len) {
        from.size = from.size < 18 ? from.size + 1 : in.len;
        rc = ZSTD_decompressStream(d, &to, &from);
    }
    ZSTD_freeDStream(d);
    *out_len = to.pos;
    *out_used = from.pos;
    return rc == 0 ? DONE : !ZSTD_isError(rc) && to.pos == room ? TOO_SMALL : WRONG;
}

static bool
all_zeros(licet_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] != 0) {
            return false;
        }
    }
    return true;
}

bool
licet_inflate_ref(licet_coding coding, licet_bytes body, licet_buffer *out)
{
    static const inflate_one ones[LICET_CODING_LEN] = {
        [LICET_CODING_GZIP] = one_gzip,
        [LICET_CODING_DEFLATE] = one_deflate,
        [LICET_CODING_BR] = one_br,
        [LICET_CODING_ZSTD] = one_zstd,
    };
    bool repeats = coding == LICET_CODING_GZIP || coding == LICET_CODING_ZSTD, first = true;
    size_t room = 4 * body.len + 64, len, used;
    uint8_t *piece = NULL;
    outcome how = WRONG;

    do {
        if (!first && coding == LICET_CODING_GZIP && all_zeros(body)) {
            break;
        }
        do {
            free(piece);
            piece = malloc(room);
            len = used = 0;
            how = piece == NULL ? WRONG : ones[coding](body, piece, room, &len, &used);
            room *= how == TOO_SMALL ? 2 : 1;
        } while (how == TOO_SMALL && room <= 2 * out->ceiling + 64);
        if (how != DONE || !licet_put_bytes(out, licet_bytes_of(piece, len))) {
            how = WRONG;
            break;
        }
        body = licet_bytes_of(body.data + used, body.len - used);
        first = false;
    } while (repeats && body.len > 0);
    free(piece);
    return how == DONE && (body.len == 0 || (coding == LICET_CODING_GZIP && all_zeros(body)));
}
