/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated limits: see simulate_limits.h.
 *
 *  (1) A counter never goes back to an earlier window: what comes late counts in the window it has reached.
 *  (2) A rolling window is the sum of its buckets, kept one by one.
 */
#include "simulate_limits.h"

#include <assert.h>
#include <stdlib.h>

typedef struct bucket {
    uint32_t window;
    uint64_t taken;
} bucket;

struct simulate_limits {
    uint32_t counters;
    bucket *now;      /* by counter */
    bucket **rolling; /* by counter: LICET_BUCKETS_MAX of them, NULL: no rolling limit came */
};

bool
simulate_limits_new(uint32_t counters, simulate_limits **out_limits, licet_error *err)
{
    simulate_limits *limits = calloc(1, sizeof(*limits));

    if (limits != NULL) {
        limits->counters = counters;
        limits->now = calloc((size_t)counters + 1, sizeof(*limits->now));
        limits->rolling = calloc((size_t)counters + 1, sizeof(*limits->rolling));
    }
    if (limits == NULL || limits->now == NULL || limits->rolling == NULL) {
        simulate_limits_free(limits);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u counters", counters);
    }
    *out_limits = limits;
    return true;
}

void
simulate_limits_free(simulate_limits *limits)
{
    for (uint32_t i = 0; limits != NULL && limits->rolling != NULL && i < limits->counters; i++) {
        free(limits->rolling[i]);
    }
    if (limits != NULL) {
        free(limits->now);
        free(limits->rolling);
    }
    free(limits);
}

/* The bucket that a rolling limit adds to, and what its window holds; the ring is indexed by the bucket's number. */
static bucket *
rolling_of(bucket *ring, const licet_image_limit *limit, uint32_t window, uint64_t *out_used)
{
    uint32_t buckets = licet_image_buckets(limit);
    bucket *at;

    assert(buckets > 0);                     /* the limit is ROLLING */
    for (uint32_t i = 0; i < buckets; i++) { /* (1) */
        window = ring[i].window > window ? ring[i].window : window;
    }
    at = &ring[window % buckets];
    if (at->window != window) {
        *at = (bucket){.window = window};
    }
    *out_used = 0;
    for (uint32_t i = 0; i < buckets; i++) {
        *out_used += ring[i].window + buckets > window ? ring[i].taken : 0;
    }
    return at;
}

static bucket *
bucket_of(simulate_limits *limits, const licet_image *image, const licet_verdict_limit *bound, uint64_t *out_used,
          licet_error *err)
{
    const licet_image_limit *limit = &image->limits[bound->limit];
    bucket *now;

    if (bound->counter >= limits->counters) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "counter %u: there are %u", bound->counter, limits->counters);
        return NULL;
    }
    if (limit->per == LICET_PER_ROLLING) {
        bucket **ring = &limits->rolling[bound->counter];
        if (*ring == NULL && (*ring = calloc(LICET_BUCKETS_MAX, sizeof(**ring))) == NULL) {
            LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the buckets of a limit");
            return NULL;
        }
        return rolling_of(*ring, limit, bound->window, out_used);
    }
    now = &limits->now[bound->counter];
    if (bound->window > now->window) {
        *now = (bucket){.window = bound->window};
    }
    *out_used = now->taken;
    return now;
}

bool
simulate_limits_take(simulate_limits *limits, const licet_image *image, const licet_verdict *verdict,
                     const uint64_t units[LICET_KINDS_MAX], bool anyway, bool enforce, uint32_t *out_short,
                     uint32_t *out_over, licet_error *err)
{
    bucket *taken[LICET_LIMITS_PER_REQUEST_MAX];
    uint64_t amounts[LICET_LIMITS_PER_REQUEST_MAX], used;

    *out_short = *out_over = LICET_NONE;
    for (uint32_t i = 0; i < verdict->limits_len; i++) {
        const licet_verdict_limit *bound = &verdict->limits[i];
        bool pass = anyway || (bound->observe && !enforce);

        taken[i] = NULL;
        amounts[i] = units[bound->kind] * bound->weight;
        if (image->limits[bound->limit].per == LICET_PER_CONCURRENT || amounts[i] == 0) {
            continue;
        }
        taken[i] = bucket_of(limits, image, bound, &used, err);
        if (taken[i] == NULL) {
            return false;
        }
        if (used + amounts[i] > bound->most && !pass) {
            *out_short = i;
            while (i-- > 0) {
                if (taken[i] != NULL) {
                    taken[i]->taken -= amounts[i];
                }
            }
            return true;
        }
        if (used + amounts[i] > bound->most && *out_over == LICET_NONE) {
            *out_over = i;
        }
        taken[i]->taken += amounts[i];
    }
    return true;
}
