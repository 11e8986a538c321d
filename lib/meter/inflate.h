/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflate: what its door (inflate.c) and the three libraries' sides share.
 *
 *  (1) A side makes one step: it takes input until that is used up, the room
 *      for output is full, or an end is reached; it always gets on, or says
 *      why not.
 *  (2) All memory of a side is taken from the inflater's account first.
 */
#ifndef LICET_METER_INFLATE_H
#define LICET_METER_INFLATE_H

#include "licet/inflate.h"

#define INFLATE_ROOM 16384

typedef struct inflate_side {
    bool (*start)(licet_inflate *z); /* false: no memory */
    licet_inflated (*step)(licet_inflate *z, licet_bytes *in, size_t *out_made);
    void (*stop)(licet_inflate *z); /* also after a start that failed */
} inflate_side;

struct licet_inflate {
    const inflate_side *side;
    void *stream; /* the side's, NULL before its start */
    licet_coding coding;
    licet_inflated state;
    licet_inflate_limits limits;
    licet_inflate_pool *pool; /* may be NULL */
    size_t memory;            /* on the account */
    uint64_t in, out;
    uint8_t room[INFLATE_ROOM];
};

extern const inflate_side licet_inflate_zlib;
extern const inflate_side licet_inflate_br;
extern const inflate_side licet_inflate_zstd;

/* The account: false when a ceiling is reached. */
bool licet_inflate_charge(licet_inflate *z, size_t bytes);
void licet_inflate_credit(licet_inflate *z, size_t bytes);
/* Memory that pays for itself, zeroed; NULL when there is none or a ceiling is reached. */
void *licet_inflate_alloc(licet_inflate *z, size_t bytes);
void licet_inflate_release(licet_inflate *z, void *at);

#endif
