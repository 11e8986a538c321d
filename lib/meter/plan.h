/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plan: the paths of one endpoint as a tree of name steps.
 *
 *  (1) Node 0 is '$'. Each other node is one name below its parent; paths
 *      with a common beginning share its nodes.
 *  (2) Node i, from 1 on, owns bit i-1 in every set of nodes.
 */
#ifndef LICET_METER_PLAN_H
#define LICET_METER_PLAN_H

#include "licet/meter.h"

/* No node: what is here lies on no path. */
#define LICET_PLAN_NONE 0xff

typedef struct licet_plan_node {
    uint32_t children;    /* set of nodes */
    uint8_t count_units;  /* set of units whose count path ends here */
    uint8_t id_units;     /* set of units whose ids path ends here */
    uint8_t through_unit; /* the first unit that has a path through here or ending here */
    uint8_t name_len;
    uint64_t child_lens; /* which lengths, modulo 64, the names of the children have */
    char name[LICET_PATH_NAME_MAX];
} licet_plan_node;

struct licet_plan {
    unsigned nodes_len;
    uint8_t units_with_ids; /* set of units */
    licet_plan_node nodes[LICET_SCAN_NODES_MAX + 1];
};

/* The bit of a node other than the root. */
static inline uint32_t
licet_plan_bit(unsigned node)
{
    return 1u << (node - 1);
}

/* The child of node with this name, or LICET_PLAN_NONE. */
static inline uint8_t
licet_plan_child(const licet_plan *plan, unsigned node, const uint8_t *name, size_t len)
{
    const licet_plan_node *n = &plan->nodes[node];

    if ((n->child_lens >> (len & 63) & 1) == 0) {
        return LICET_PLAN_NONE;
    }
    for (uint32_t left = n->children; left != 0; left &= left - 1) {
        unsigned child = (unsigned)__builtin_ctz(left) + 1;
        const licet_plan_node *c = &plan->nodes[child];

        if (c->name_len == len && __builtin_memcmp(c->name, name, len) == 0) {
            return (uint8_t)child;
        }
    }
    return LICET_PLAN_NONE;
}

#endif
