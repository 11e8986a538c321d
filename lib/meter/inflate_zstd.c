/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflate: zstd, by libzstd. Frames and skippable frames, one after another
 * (RFC 8878).
 *
 *  (1) The head of a frame is fed byte by byte. The library would else take what
 *      came before version 0.8 of the format, with windows of any size, where
 *      a call begins with its magic number; and it would inflate a frame that came
 *      whole at once, and give out nothing of it if it has a fault.
 *  (2) Where a call meets a fault, what it gave out before is lost. So a call gets
 *      no more than one block, and nothing while the last is not all given out.
 *  (3) The stable interface has no allocator. Memory is bounded by the window, at
 *      most 8 MiB (RFC 9659), and put on the account after each step.
 */
#include "inflate.h"

#include <zstd.h>
#include <zstd_errors.h>

#define WINDOW_LOG_MAX 23
#define FRAME_HEAD_MAX 18
#define BLOCK_HEAD 3

typedef struct zstd_stream {
    ZSTD_DStream *d;
    size_t bytes; /* of d, on the account */
    size_t next;  /* bytes that d asked for: the rest of a block and the head behind it */
    size_t head;  /* bytes of the frame so far, at most FRAME_HEAD_MAX */
    bool full;    /* there may be more to give out */
} zstd_stream;

static bool
zstd_account(licet_inflate *z, zstd_stream *s)
{
    size_t bytes = ZSTD_sizeof_DStream(s->d);

    if (bytes > s->bytes && !licet_inflate_charge(z, bytes - s->bytes)) {
        return false;
    }
    if (bytes < s->bytes) {
        licet_inflate_credit(z, s->bytes - bytes);
    }
    s->bytes = bytes;
    return true;
}

static bool
zstd_start(licet_inflate *z)
{
    zstd_stream *s = licet_inflate_alloc(z, sizeof(*s));

    if (s == NULL) {
        return false;
    }
    *s = (zstd_stream){.d = ZSTD_createDStream()};
    z->stream = s;
    return s->d != NULL && !ZSTD_isError(ZSTD_DCtx_setParameter(s->d, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)) &&
           zstd_account(z, s);
}

static void
zstd_stop(licet_inflate *z)
{
    zstd_stream *s = z->stream;

    if (s != NULL) {
        (void)ZSTD_freeDStream(s->d);
        licet_inflate_credit(z, s->bytes);
        licet_inflate_release(z, s);
    }
}

static licet_inflated
zstd_error(size_t rc)
{
    ZSTD_ErrorCode code = ZSTD_getErrorCode(rc);

    return code == ZSTD_error_frameParameter_windowTooLarge || code == ZSTD_error_memory_allocation
               ? LICET_INFLATED_TOO_FAR
               : LICET_INFLATED_BAD;
}

static licet_inflated
zstd_call(licet_inflate *z, licet_bytes *in, size_t most, size_t *out_made)
{
    zstd_stream *s = z->stream;
    ZSTD_inBuffer from = {in->data, in->len < most ? in->len : most, 0};
    ZSTD_outBuffer to = {z->room, INFLATE_ROOM, 0};
    size_t rc = ZSTD_decompressStream(s->d, &to, &from);

    if (ZSTD_isError(rc)) {
        return zstd_error(rc);
    }
    *out_made = to.pos;
    *in = licet_bytes_of(in->data + from.pos, in->len - from.pos);
    s->full = to.pos == INFLATE_ROOM && rc != 0;
    s->next = rc;
    s->head = rc == 0 ? 0 : s->head + from.pos < FRAME_HEAD_MAX ? s->head + from.pos : FRAME_HEAD_MAX;
    if (!zstd_account(z, s)) {
        return LICET_INFLATED_TOO_FAR;
    }
    return rc == 0 ? LICET_INFLATED_WHOLE : LICET_INFLATED_MORE;
}

static licet_inflated
zstd_step(licet_inflate *z, licet_bytes *in, size_t *out_made)
{
    const zstd_stream *s = z->stream;
    licet_inflated state;

    if (s->full) {
        state = zstd_call(z, in, 0, out_made);
        if (*out_made > 0 || in->len == 0) {
            return state;
        }
    }
    /* the magic numbers of frames and of skippable ones; the library looks at the rest */
    if (s->head == 0 && in->data[0] != 0x28 && (in->data[0] & 0xf0) != 0x50) {
        return z->state == LICET_INFLATED_WHOLE ? LICET_INFLATED_TRAILING : LICET_INFLATED_BAD;
    }
    if (s->head < FRAME_HEAD_MAX) {
        return zstd_call(z, in, 1, out_made);
    }
    return zstd_call(z, in, s->next > BLOCK_HEAD ? s->next - BLOCK_HEAD : s->next, out_made);
}

const inflate_side licet_inflate_zstd = {zstd_start, zstd_step, zstd_stop};
