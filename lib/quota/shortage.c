/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shortage: what a refusal by a limit is called, and which page would have fitted.
 *
 *  (1) Held: what is asked would fit if all that is under way came back, or nothing but that is in the way. A limit on
 *      what is under way at once is never 'held': it means just that.
 *  (2) Where several limits bind a kind the smallest page they all have room for is told.
 */
#include "licet/gate.h"

licet_reason
licet_shortage_reason(const licet_image *image, const licet_verdict *verdict, const licet_shortage *shortage)
{
    const licet_verdict_limit *bound = &verdict->limits[shortage->limit];
    const licet_image_limit *limit = &image->limits[bound->limit];

    if (limit->per == LICET_PER_CONCURRENT) {
        return LICET_REASON_CONCURRENT;
    }
    if (shortage->held > 0 && (shortage->remaining == 0 || shortage->remaining + shortage->held >= bound->amount)) {
        return LICET_REASON_QUOTA_HELD;
    }
    if (limit->set_by == LICET_SET_BY_US) {
        return LICET_REASON_BUDGET_USED;
    }
    if (limit->payments) {
        return LICET_REASON_CREDIT_USED;
    }
    return limit->kind == LICET_KIND_REQUEST ? LICET_REASON_RATE_LIMIT : LICET_REASON_CAP_REACHED;
}

uint64_t
licet_shortage_fits(const licet_verdict *verdict, const licet_shortage *shortage, const uint64_t *remaining)
{
    const licet_verdict_limit *short_of = &verdict->limits[shortage->limit];
    uint64_t fits = shortage->remaining / short_of->weight;

    for (uint32_t i = 0; i < verdict->limits_len && remaining != NULL; i++) {
        const licet_verdict_limit *bound = &verdict->limits[i];
        uint64_t units = remaining[i] / bound->weight;

        if (bound->kind == short_of->kind && !bound->observe && units < fits) {
            fits = units;
        }
    }
    return fits;
}
