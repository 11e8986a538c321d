/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scan: the place in the plan. Which node a value stands at, what counts when
 * it begins, which members an object has had, and whether ids and counts
 * agree when a document ends; the invariants are those of scan.c.
 */
#ifndef LICET_METER_SCAN_PLACE_H
#define LICET_METER_SCAN_PLACE_H

#include "scan_state.h"

static inline bool
is_object(const state *s, unsigned i)
{
    return s->objects[i / 8] >> (i % 8) & 1;
}

static inline bool
in_object(const state *s)
{
    return s->depth > 0 && is_object(s, s->depth - 1u);
}

/* How the paths see the value that begins. */
typedef struct place {
    uint8_t node; /* LICET_PLAN_NONE: not at all */
    bool direct;  /* a name step or '$' led to it */
    bool element; /* of an array that a name step or '$' led to */
} place;

static inline place
place_of_value(const state *s)
{
    unsigned depth = s->depth;

    if (depth > s->active) {
        return (place){.node = LICET_PLAN_NONE};
    }
    if (depth == 0) {
        return (place){.node = 0, .direct = true};
    }
    if (is_object(s, depth - 1)) {
        return (place){.node = s->member, .direct = true};
    }
    return (place){.node = s->nodes[s->nodes_len - 1], .element = depth == 1 || is_object(s, depth - 2)};
}

static inline void
count_units(state *s, unsigned units)
{
    for (; units != 0; units &= units - 1) {
        s->count[__builtin_ctz(units)]++;
    }
}

/* A string, number or literal begins; tells whether it is an id, which a literal never is. */
static inline token
begin_scalar(pass *a)
{
    place v = place_of_value(a->s);
    const licet_plan_node *n;

    if (v.node == LICET_PLAN_NONE) {
        return OTHER_VALUE;
    }
    n = &a->plan->nodes[v.node];
    if (v.element) {
        count_units(a->s, n->count_units);
    }
    return n->id_units != 0 && (v.direct || v.element) ? ID : OTHER_VALUE;
}

/* Opens the container at p; false after a fault. */
static inline bool
open_container(pass *a, const uint8_t *p, bool object)
{
    state *s = a->s;
    place v = place_of_value(s);
    unsigned bit = s->depth % 8u;
    bool follow = false;

    if (v.node != LICET_PLAN_NONE) {
        const licet_plan_node *n = &a->plan->nodes[v.node];

        if (v.element || (v.direct && object)) {
            count_units(s, n->count_units);
        }
        follow = n->children != 0 || (!object && v.direct && (n->count_units | n->id_units) != 0);
    }
    if (s->depth == LICET_SCAN_DEPTH_MAX) {
        stop(a, LICET_UNMETERED_TOO_DEEP, 0, offset_of(a, p));
        return false;
    }
    s->objects[s->depth / 8] = (uint8_t)((s->objects[s->depth / 8] & ~(1u << bit)) | (unsigned)object << bit);
    s->depth++;
    if (follow) {
        s->active = s->depth;
        if (v.direct) {
            s->nodes[s->nodes_len++] = v.node;
        }
        if (object) {
            s->seen &= ~a->plan->nodes[v.node].children;
        }
    }
    return true;
}

static inline void
close_container(state *s)
{
    s->depth--;
    if (s->depth < s->active) {
        s->active = s->depth;
        if (s->depth == 0 || in_object(s)) {
            s->nodes_len--; /* it was direct */
        }
    }
}

/* Looks up the complete key of an object on a path; false after a fault. */
static inline bool
take_key(pass *a, const uint8_t *name, size_t len, uint64_t offset)
{
    state *s = a->s;

    s->member = licet_plan_child(a->plan, s->nodes[s->nodes_len - 1], name, len);
    if (s->member == LICET_PLAN_NONE) {
        return true;
    }
    if ((s->seen & licet_plan_bit(s->member)) != 0) {
        stop(a, LICET_UNMETERED_DUPLICATE_KEY, a->plan->nodes[s->member].through_unit, offset);
        return false;
    }
    s->seen |= licet_plan_bit(s->member);
    return true;
}

/* Units whose ids are taken at the value under way. */
static inline unsigned
id_units(const pass *a)
{
    return a->plan->nodes[place_of_value(a->s).node].id_units;
}

static inline void
tell_id(pass *a, const uint8_t *id, size_t len)
{
    for (unsigned units = id_units(a); units != 0; units &= units - 1) {
        unsigned unit = (unsigned)__builtin_ctz(units);

        a->s->ids[unit]++;
        if (a->on_id != NULL) {
            a->on_id(a->user, unit, licet_bytes_of(id, len));
        }
    }
}

/* The document ends before p: its ids must be as many as its units. Earlier documents agreed, so sums may be compared.
 * False after a fault. */
static inline bool
end_document(pass *a, const uint8_t *p)
{
    state *s = a->s;

    s->documents++;
    for (unsigned units = a->plan->units_with_ids; units != 0; units &= units - 1) {
        unsigned unit = (unsigned)__builtin_ctz(units);

        if (s->count[unit] != s->ids[unit]) {
            stop(a, LICET_UNMETERED_IDS_DIFFER, unit, offset_of(a, p));
            return false;
        }
    }
    return true;
}

#endif
