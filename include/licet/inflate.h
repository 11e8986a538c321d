/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflate: content codings of HTTP, and a bounded copy of what a compressed
 * body holds, made while the body itself passes untouched.
 *
 *  (1) The body may be cut at any byte; the copy of a whole one does not depend
 *      on where. At any time it is all that a streaming decoder makes of what
 *      came: of a zstd block nothing before it is complete.
 *  (2) Output, memory of one inflater and memory of all that share a pool have
 *      ceilings. Reaching one is a state of its own and ends the copy: a bomb
 *      costs what an ordinary page costs.
 *  (3) What is not the coding it claims to be, or is damaged, or has something
 *      behind its end, never passes for whole.
 *  (4) inflate_ref.c inflates whole bodies by the libraries' one-shot calls
 *      and must agree.
 *
 * Codings (RFC 9110 section 8.4.1, RFC 7932, RFC 8878): gzip of any number of members, and zeros behind the last as
 * gzip(1) takes them; deflate in zlib's form, or raw as some servers send it; br with windows up to 16 MiB; zstd of any
 * number of frames, skippable ones too, with windows up to 8 MiB (RFC 9659). Several, one over the other, are not
 * counted.
 */
#ifndef LICET_INFLATE_H
#define LICET_INFLATE_H

#include "licet/base.h"
#include "licet/meter.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_METER
#error "layer breach: inflate.h belongs to meter/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum licet_coding {
    LICET_CODING_IDENTITY = 0,
    LICET_CODING_GZIP, /* x-gzip too */
    LICET_CODING_DEFLATE,
    LICET_CODING_BR,
    LICET_CODING_ZSTD,
    LICET_CODING_LEN
} licet_coding;

/* The coding that Content-Encoding names; several such headers: their values joined by commas. False: one that is not
 * counted, or more than one besides identity. */
bool licet_coding_of(licet_bytes content_encoding, licet_coding *out_coding);

/* Room that licet_coding_offer needs for an Accept-Encoding of len bytes. */
#define LICET_CODING_OFFER_ROOM(len) (2 * (len) + 128)
/*
 * What may be asked of an upstream for a client that sent this Accept-Encoding (several headers: joined by commas):
 * the codings that are counted, in the client's order and with its weights, '*' written out as those of them that it
 * does not name otherwise. What breaks the grammar is left out. Where nothing acceptable is left, or nothing came:
 * identity. Returns the length.
 */
size_t licet_coding_offer(licet_bytes accept_encoding, char *out);

typedef struct licet_inflate_limits {
    size_t memory;  /* bytes, of one inflater */
    uint64_t floor; /* bytes of output that any body may have */
    uint64_t ratio; /* and so many more for each byte of input */
} licet_inflate_limits;

/* brotli's largest window while it grows; a page of 8 MiB, however well it compresses; 128 times is more than pages of
 * distinct items reach and a tenth of what gzip can. */
#define LICET_INFLATE_LIMITS ((licet_inflate_limits){.memory = 32u << 20, .floor = 8u << 20, .ratio = 128})

/* Memory of several inflaters together; the caller's, and older than any of them. */
typedef struct licet_inflate_pool {
    size_t most, used;
} licet_inflate_pool;

typedef enum licet_inflated {
    LICET_INFLATED_MORE = 0, /* not at an end */
    LICET_INFLATED_WHOLE,    /* at an end, there may be another member or frame */
    LICET_INFLATED_BAD,      /* damaged, or not this coding */
    LICET_INFLATED_TRAILING, /* whole, but something else stands behind it */
    LICET_INFLATED_TOO_FAR,  /* more output or memory than is allowed */
} licet_inflated;

typedef struct licet_inflate licet_inflate;

/* The next bytes of the copy, borrowed for the call. */
typedef void (*licet_on_inflated)(void *user, licet_bytes piece);

/* UNSUPPORTED for identity, LIMIT or MEMORY where there is no room. pool may be NULL. */
bool licet_inflate_new(licet_coding coding, const licet_inflate_limits *limits, licet_inflate_pool *pool,
                       licet_inflate **out_inflate, licet_error *err);
void licet_inflate_free(licet_inflate *z);
/* Feeds the next bytes of the body. After BAD, TRAILING and TOO_FAR nothing is looked at any more. */
licet_inflated licet_inflate_feed(licet_inflate *z, licet_bytes bytes, licet_on_inflated on_inflated, void *user);
/* Why a body that ends in this state could not be metered; NONE: it is whole. */
licet_unmetered licet_inflated_reason(licet_inflated state);

#ifdef __cplusplus
}
#endif

#endif
