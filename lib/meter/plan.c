/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plan: builds the tree of name steps, see plan.h; and the slugs of reasons.
 */
#include "plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(LICET_SCAN_UNITS_MAX <= 8, "sets of units are bytes");
static_assert(LICET_SCAN_NODES_MAX <= 32, "sets of nodes are 32 bits");

static bool
add_node(licet_plan *plan, unsigned parent, const licet_path *path, unsigned step, unsigned unit, uint8_t *out_node,
         licet_error *err)
{
    licet_plan_node *p = &plan->nodes[parent], *n;
    uint8_t len = path->name_len[step];

    if (plan->nodes_len > LICET_SCAN_NODES_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "the paths of one endpoint have more than %d distinct names",
                          LICET_SCAN_NODES_MAX);
    }
    n = &plan->nodes[plan->nodes_len];
    n->name_len = len;
    n->through_unit = (uint8_t)unit;
    memcpy(n->name, path->name[step], len);
    p->children |= licet_plan_bit(plan->nodes_len);
    p->child_lens |= 1ull << (len & 63);
    *out_node = (uint8_t)plan->nodes_len++;
    return true;
}

/* Enters a path of a unit and gives the node at its end. */
static bool
add_path(licet_plan *plan, const licet_path *path, unsigned unit, licet_plan_node **out_end, licet_error *err)
{
    uint8_t node = 0;

    assert(path->steps <= LICET_PATH_STEPS_MAX);
    for (unsigned i = 0; i < path->steps; i++) {
        uint8_t child = licet_plan_child(plan, node, (const uint8_t *)path->name[i], path->name_len[i]);

        assert(path->name_len[i] <= LICET_PATH_NAME_MAX);
        if (child == LICET_PLAN_NONE && !add_node(plan, node, path, i, unit, &child, err)) {
            return false;
        }
        node = child;
    }
    *out_end = &plan->nodes[node];
    return true;
}

bool
licet_plan_new(const licet_plan_unit *units, size_t n, licet_plan **out_plan, licet_error *err)
{
    licet_plan *plan = NULL;
    licet_plan_node *end;
    bool ok = false;

    if (n > LICET_SCAN_UNITS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%zu units in one body, at most %d are counted", n,
                          LICET_SCAN_UNITS_MAX);
    }
    plan = calloc(1, sizeof(*plan));
    if (plan == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the paths of an endpoint");
    }
    plan->nodes_len = 1;
    for (unsigned i = 0; i < n; i++) {
        if (!add_path(plan, &units[i].count, i, &end, err)) {
            goto done;
        }
        end->count_units |= (uint8_t)(1u << i);
        if (!units[i].has_ids) {
            continue;
        }
        if (!add_path(plan, &units[i].ids, i, &end, err)) {
            goto done;
        }
        end->id_units |= (uint8_t)(1u << i);
        plan->units_with_ids |= (uint8_t)(1u << i);
    }
    *out_plan = plan;
    plan = NULL;
    ok = true;
done:
    free(plan);
    return ok;
}

void
licet_plan_free(licet_plan *plan)
{
    free(plan);
}

const char *
licet_unmetered_slug(licet_unmetered reason)
{
    static const char *const slugs[] = {
#define SLUG(number, name, slug) [number] = slug,
        LICET_UNMETERED(SLUG)
#undef SLUG
    };

    return (unsigned)reason < LICET_UNMETERED_LEN ? slugs[reason] : "unknown";
}
