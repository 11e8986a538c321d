/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charge: see charge.h.
 */
#include "charge.h"

static licet_money
rounded(const licet_image_rate_card *card, licet_money amount)
{
    return licet_money_round(amount, card->round_digits, (licet_round)card->round_how);
}

/* percent is in billionths of a percent. */
static licet_money
share(const licet_image_rate_card *card, licet_money amount, uint64_t percent)
{
    licet_money hundred = (licet_money)100 * LICET_MONEY_ONE;

    /* in two steps, so that nothing overflows: whole hundreds of a billion, and what is left of them */
    return rounded(card, amount / hundred * percent + amount % hundred * percent / hundred);
}

uint64_t
charge_tier_units(const licet_image *image, const licet_image_price *price, uint32_t i, uint64_t units)
{
    const licet_image_tier *tier = &image->tiers[price->tiers.first + i];
    uint64_t begin = i == 0 ? 0 : tier[-1].to, end = tier->to < units ? tier->to : units;

    return end > begin ? end - begin : 0;
}

licet_money
charge_line(const licet_image *image, const licet_image_rate_card *card, const licet_image_price *price, uint64_t units)
{
    licet_money amount = 0;

    for (uint32_t i = 0; i < price->tiers.count; i++) {
        amount += (licet_money)charge_tier_units(image, price, i, units) * image->tiers[price->tiers.first + i].price;
    }
    return rounded(card, amount);
}

charge_sum
charge_period(const licet_image *image, const licet_image_rate_card *card, licet_money subtotal, bool over)
{
    charge_sum sum = {.subtotal = subtotal};

    for (uint32_t i = 0; i < card->rebates.count; i++) {
        const licet_image_rebate *rebate = &image->rebates[card->rebates.first + i];
        if (subtotal >= rebate->from) {
            sum.rebate = rebate;
        }
    }
    if (sum.rebate != NULL) {
        sum.rebate_amount = share(card, subtotal, sum.rebate->percent);
    }
    sum.due = subtotal - sum.rebate_amount;
    if (over && sum.due < card->minimum) {
        sum.minimum_added = card->minimum - sum.due;
        sum.due = card->minimum;
    }
    sum.total = sum.due;
    for (uint32_t i = 0; i < card->surcharges.count; i++) {
        sum.total += charge_surcharge(card, &image->surcharges[card->surcharges.first + i], sum.due);
    }
    return sum;
}

licet_money
charge_surcharge(const licet_image_rate_card *card, const licet_image_surcharge *surcharge, licet_money due)
{
    return share(card, due, surcharge->percent);
}
