/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compile limits: the limits of a version and the counters they add up in.
 *
 *  (1) A counter's identity is agreement, clause, unit, span, over and what it is over, and not the amount: a changed
 *      'most' keeps what was counted.
 */
#include "compile.h"

#include <stdio.h>

/* (1) */
static bool
counter_of(compiler *c, const licet_terms_limit *limit, const licet_scalar *app, uint32_t *out_counter)
{
    char identity[LICET_IDENTITY_MAX], per[16] = "month";

    if (limit->per_kind == LICET_PER_SPAN) {
        snprintf(per, sizeof(per), "%us", limit->span_s);
    }
    snprintf(identity, sizeof(identity), "%s/%s/%s/%s/%s%s%s", (const char *)c->agreement->id.text.data,
             (const char *)limit->clause.text.data, (const char *)limit->unit.text.data, per,
             limit->over.value == LICET_OVER_APP ? "app" : "licensee", app == NULL ? "" : "/",
             app == NULL ? "" : (const char *)app->text.data);
    return c->options->counter_of(c->options->user, identity, 1, out_counter, c->err);
}

static bool
put_counters(compiler *c, const licet_terms_limit *limit, licet_range *out_counters)
{
    const licet_names *apps = &c->agreement->apps.app_names;
    bool each = limit->over.value != LICET_OVER_LICENSEE;
    uint32_t counter;

    *out_counters = (licet_range){ROWS(c, limit_counters, uint32_t), each ? apps->len : 1};
    for (uint32_t i = 0; i < out_counters->count; i++) {
        if (!counter_of(c, limit, each ? apps->sorted[i] : NULL, &counter)) {
            return false;
        }
        PUT(c, limit_counters, &counter);
    }
    return true;
}

bool
compile_limits(compiler *c, const licet_terms_version *version)
{
    for (uint32_t i = 0; i < version->limits.len; i++) {
        const licet_terms_limit *limit = LICET_TERMS_ROW(licet_terms_limit, version->limits, i);
        licet_image_limit row = {
            .clause = compile_clause(c, version, limit->clause.text),
            .kind = compile_kind(c, limit->unit.text),
            .most = limit->most.value,
            .weight = 1,
            .zone = LICET_NONE,
            .first_day = 1,
            .flow = LICET_NONE,
            .per = limit->per_kind,
            .span_s = limit->span_s,
            .over = (uint32_t)limit->over.value,
            .deduplicated = (uint32_t)limit->count.value,
            .endpoints = {ROWS(c, limit_endpoints, uint32_t), limit->endpoints.len},
        };
        for (uint32_t j = 0; j < limit->endpoints.len; j++) {
            const licet_scalar *name = LICET_TERMS_ROW(licet_scalar, limit->endpoints, j);
            uint32_t at = licet_names_find(&version->catalogue->endpoint_names, name->text);
            PUT(c, limit_endpoints, &c->endpoint_row[at]);
        }
        if (!put_counters(c, limit, &row.counters)) {
            return false;
        }
        PUT(c, limits, &row);
    }
    return true;
}
