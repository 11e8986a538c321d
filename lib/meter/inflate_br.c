/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflate: br, by libbrotlidec. One stream and nothing behind it (RFC 7932).
 * Windows over 16 MiB are an extension that HTTP does not have; the decoder
 * refuses them unless asked.
 *
 * What the decoder holds back it gives out when its input ends, but not when it meets a fault. So its input is cut
 * small: no more than what one such piece brings is missing before a fault.
 */
#include "inflate.h"

#include <brotli/decode.h>

#define PIECE 512

static void *
br_alloc(void *z, size_t bytes)
{
    return licet_inflate_alloc(z, bytes);
}

static void
br_free(void *z, void *at)
{
    licet_inflate_release(z, at);
}

static bool
br_start(licet_inflate *z)
{
    z->stream = BrotliDecoderCreateInstance(br_alloc, br_free, z);
    return z->stream != NULL;
}

static void
br_stop(licet_inflate *z)
{
    if (z->stream != NULL) {
        BrotliDecoderDestroyInstance(z->stream);
    }
}

static licet_inflated
br_error(const licet_inflate *z)
{
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(z->stream);

    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
               ? LICET_INFLATED_TOO_FAR
               : LICET_INFLATED_BAD;
}

static licet_inflated
br_step(licet_inflate *z, licet_bytes *in, size_t *out_made)
{
    uint8_t *out = z->room;
    size_t room = INFLATE_ROOM, most = in->len < PIECE ? in->len : PIECE, left = most;
    BrotliDecoderResult result;

    if (z->state == LICET_INFLATED_WHOLE) {
        return LICET_INFLATED_TRAILING;
    }
    result = BrotliDecoderDecompressStream(z->stream, &left, &in->data, &room, &out, NULL);
    in->len -= most - left;
    *out_made = INFLATE_ROOM - room;
    switch (result) {
    case BROTLI_DECODER_RESULT_SUCCESS:
        return LICET_INFLATED_WHOLE;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
        return LICET_INFLATED_MORE;
    case BROTLI_DECODER_RESULT_ERROR:
        break;
    }
    return br_error(z);
}

const inflate_side licet_inflate_br = {br_start, br_step, br_stop};
