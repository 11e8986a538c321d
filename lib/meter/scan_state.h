/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scan: its state, and what every part of it does with a fault or the end of
 * the bytes. See scan.c for the idea.
 */
#ifndef LICET_METER_SCAN_STATE_H
#define LICET_METER_SCAN_STATE_H

#include "plan.h"

#include <assert.h>

typedef enum mode {
    AT_ROOT,        /* a document may begin */
    AT_ROOT_GAP,    /* a document has ended, what must separate it from the next has not come */
    AT_VALUE,       /* a value must begin */
    AT_FIRST_VALUE, /* after '[': a value or ']' */
    AT_KEY,         /* after ',' in an object */
    AT_FIRST_KEY,   /* after '{': a key or '}' */
    AT_COLON,       /* after a key */
    AFTER_VALUE,    /* in a container: ',' or its end */
    IN_STRING,      /* token says what it is for */
    IN_ESCAPE,      /* after '\' */
    IN_HEX,         /* hex_left digits of \u to come */
    IN_NUMBER,      /* number says where */
    IN_LITERAL,     /* literal says where */
    STOPPED,        /* a fault, or the end */
} mode;

/* What the string or number under way is. */
typedef enum token {
    OTHER_KEY,   /* of an object on no path */
    OTHER_VALUE, /* neither kept nor looked at */
    PATH_KEY,    /* kept, to be looked up */
    ID,          /* kept, to be told */
} token;

typedef enum number {
    NUMBER_MINUS, /* '-' */
    NUMBER_ZERO,  /* '0', complete */
    NUMBER_INT,   /* complete */
    NUMBER_DOT,
    NUMBER_FRACTION, /* complete */
    NUMBER_E,
    NUMBER_SIGN,
    NUMBER_EXPONENT, /* complete */
    NUMBER_END,      /* the byte does not belong to it */
} number;

#define TOKEN_MAX LICET_SCAN_ID_MAX
#define TOKEN_TOO_LONG (TOKEN_MAX + 1) /* a key that can match nothing */

static_assert(LICET_SCAN_ID_MAX == LICET_PATH_NAME_MAX, "one buffer serves keys and ids");

typedef struct state {
    uint64_t documents, bytes;
    uint64_t count[LICET_SCAN_UNITS_MAX];
    uint64_t ids[LICET_SCAN_UNITS_MAX];
    uint64_t offset;      /* of the fault */
    uint64_t token_start; /* offset of the key or id that is kept */
    uint32_t seen;        /* set of nodes, see (4) */
    uint16_t depth;       /* containers open */
    uint16_t active;      /* those on a path */
    uint16_t surrogate;   /* a high one that waits for its low one, or 0 */
    uint16_t hex;         /* digits of \u so far */
    uint8_t hex_left;
    uint8_t mode, form, reason, unit, token, number;
    uint8_t literal, literal_at;
    uint8_t line_end;  /* seen where a document may begin */
    uint8_t member;    /* node that the key before the value leads to, or LICET_PLAN_NONE */
    uint8_t nodes_len; /* used part of nodes */
    uint8_t nodes[LICET_PATH_STEPS_MAX + 1];
    uint8_t kept_len; /* TOKEN_TOO_LONG: too much */
    uint8_t kept[TOKEN_MAX];
    uint8_t objects[(LICET_SCAN_DEPTH_MAX + 7) / 8]; /* a bit per open container: 1 object, 0 array */
} state;

static_assert(sizeof(state) <= LICET_SCAN_BYTES_MAX, "scan state");
static_assert(sizeof(licet_scan) == LICET_SCAN_BYTES_MAX, "scan state");

/* One call of feed or end. */
typedef struct pass {
    state *s;
    const licet_plan *plan;
    const uint8_t *start, *end; /* of the bytes fed */
    uint64_t base;              /* offset of start in the body */
    licet_on_id on_id;
    void *user;
} pass;

static inline uint64_t
offset_of(const pass *a, const uint8_t *p)
{
    return a->base + (uint64_t)(p - a->start);
}

/* Notes the first fault; nothing is looked at after it. Returns NULL, so that callers write 'return stop(…)'. */
static inline const uint8_t *
stop(pass *a, licet_unmetered reason, unsigned unit, uint64_t offset)
{
    a->s->reason = (uint8_t)reason;
    a->s->unit = (uint8_t)unit;
    a->s->offset = offset;
    a->s->mode = STOPPED;
    return NULL;
}

static inline const uint8_t *
malformed(pass *a, const uint8_t *p)
{
    return stop(a, LICET_UNMETERED_MALFORMED, 0, offset_of(a, p));
}

/* The bytes end here; the next feed goes on in this mode. */
static inline const uint8_t *
pause_in(pass *a, mode m)
{
    a->s->mode = (uint8_t)m;
    return NULL;
}

#endif
