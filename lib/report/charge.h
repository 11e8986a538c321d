/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charge: what units cost at a price, and what a period costs in all.
 *
 *  (1) A line's amount is exact until it is rounded once, by the rate card's rule; every further amount is made of
 *      rounded ones and rounded once itself. So the lines as shown add up to the subtotal as shown.
 *  (2) Order: lines, rebate, minimum, surcharges. The rebate is the percentage of the highest step that the subtotal
 *      reaches, of all of it; the minimum is compared with what is left; surcharges are on what is then due.
 */
#ifndef LICET_REPORT_CHARGE_H
#define LICET_REPORT_CHARGE_H

#include "licet/image.h"
#include "licet/money.h"

/* Units that fall into a tier of a price, of so many in the period; i < price->tiers.count. */
uint64_t charge_tier_units(const licet_image *image, const licet_image_price *price, uint32_t i, uint64_t units);
/* What so many units of the period cost, rounded. */
licet_money charge_line(const licet_image *image, const licet_image_rate_card *card, const licet_image_price *price,
                        uint64_t units);

typedef struct charge_sum {
    licet_money subtotal;
    const licet_image_rebate *rebate; /* the step reached, or NULL */
    licet_money rebate_amount;
    licet_money minimum_added; /* to reach the minimum; 0 while the period is not over */
    licet_money due;           /* what surcharges are on */
    licet_money total;
} charge_sum;

/* over: the period has ended. */
charge_sum charge_period(const licet_image *image, const licet_image_rate_card *card, licet_money subtotal, bool over);
/* Amount of a surcharge on what is due. */
licet_money charge_surcharge(const licet_image_rate_card *card, const licet_image_surcharge *surcharge,
                             licet_money due);

#endif
