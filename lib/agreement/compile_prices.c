/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compile prices: the rate card of a version; a prepaid credit as limits; payments.
 *
 *  (1) 'included' is a first tier at no price.
 *  (2) A prepaid credit is a limit for each priced unit, all on one counter that never begins anew, whose most are the
 *      payments made so far: a unit takes its price from it, in millionths. A response is admitted only if all of it
 *      can be paid, and what was not delivered comes back.
 *  (3) The counter's identity is agreement, 'credit' and currency: another price or version goes on with what is left.
 */
#include "compile.h"

#include <stdio.h>
#include <stdlib.h>

#define MICRO UINT64_C(1000) /* billionths in a millionth */

/* ---- rate card ------------------------------------------------------------------- */

static void
put_tier(compiler *c, uint64_t to, uint64_t price)
{
    licet_image_tier row = {to, price};

    PUT(c, tiers, &row);
}

static licet_range
put_tiers(compiler *c, const licet_terms_price *price)
{
    licet_range tiers = {.first = ROWS(c, tiers, licet_image_tier)};

    if (price->included.said.line != 0) {
        put_tier(c, price->included.value, 0);
    }
    for (uint32_t i = 0; i < price->tiers.len; i++) {
        const licet_terms_tier *tier = LICET_TERMS_ROW(licet_terms_tier, price->tiers, i);
        put_tier(c, tier->to.value, tier->at.value);
    }
    if (price->tiers.len == 0) {
        put_tier(c, UINT64_MAX, price->at.value);
    }
    tiers.count = ROWS(c, tiers, licet_image_tier) - tiers.first;
    return tiers;
}

static uint32_t
clause_or_none(const compiler *c, const licet_terms_version *version, const licet_scalar *clause)
{
    return clause->line == 0 ? LICET_NONE : compile_clause(c, version, clause->text);
}

static void
put_price(compiler *c, const licet_terms_version *version, const licet_terms_price *price)
{
    licet_image_price row = {
        .name = compile_text(c, price->line.text),
        .clause = clause_or_none(c, version, &price->clause),
        .kind = compile_kind(c, price->unit.text),
        .flow = (uint32_t)price->flow.value,
        .deduplicated = (uint32_t)price->count.value,
        .from_ms = price->from.value,
        .before_ms = price->before.value,
        .tiers = put_tiers(c, price),
        .purposes = {ROWS(c, price_purposes, licet_text), price->purposes.len},
    };

    for (uint32_t i = 0; i < price->purposes.len; i++) {
        licet_text name = compile_text(c, LICET_TERMS_ROW(licet_scalar, price->purposes, i)->text);
        PUT(c, price_purposes, &name);
    }
    PUT(c, prices, &row);
}

static void
put_percents(compiler *c, const licet_terms_prices *prices)
{
    for (uint32_t i = 0; i < prices->surcharges.len; i++) {
        const licet_terms_surcharge *surcharge = LICET_TERMS_ROW(licet_terms_surcharge, prices->surcharges, i);
        licet_image_surcharge row = {compile_text(c, surcharge->name.text), surcharge->percent.value};
        PUT(c, surcharges, &row);
    }
    for (uint32_t i = 0; i < prices->rebates.len; i++) {
        const licet_terms_rebate *rebate = LICET_TERMS_ROW(licet_terms_rebate, prices->rebates, i);
        licet_image_rebate row = {rebate->from.value, rebate->percent.value};
        PUT(c, rebates, &row);
    }
}

/* ---- prepaid credit (2) -------------------------------------------------------------- */

static bool
put_credit(compiler *c, const licet_terms_version *version)
{
    const licet_terms_prices *prices = &version->prices;
    char identity[LICET_IDENTITY_MAX];
    uint32_t counter;

    snprintf(identity, sizeof(identity), "%s/credit/%.3s", (const char *)c->agreement->id.text.data,
             (const char *)prices->currency.text.data);
    if (!c->options->counter_of(c->options->user, identity, 1, &counter, c->err)) {
        return false;
    }
    for (uint32_t i = 0; i < prices->lines.len; i++) {
        const licet_terms_price *price = LICET_TERMS_ROW(licet_terms_price, prices->lines, i);
        licet_image_limit row = {
            .clause = compile_clause(c, version, prices->prepaid.clause.text),
            .kind = compile_kind(c, price->unit.text),
            .weight = price->at.value / MICRO,
            .per = LICET_PER_TERM,
            .zone = LICET_NONE,
            .first_day = 1,
            .over = LICET_OVER_LICENSEE,
            .flow = (uint32_t)price->flow.value,
            .deduplicated = (uint32_t)price->count.value,
            .endpoints = {ROWS(c, limit_endpoints, uint32_t), 0},
            .purposes = {ROWS(c, limit_purposes, licet_text), 0},
            .counters = {ROWS(c, limit_counters, uint32_t), 1},
            .payments = 1,
        };
        PUT(c, limit_counters, &counter);
        PUT(c, limits, &row);
    }
    return true;
}

bool
compile_prices(compiler *c, const licet_terms_version *version)
{
    const licet_terms_prices *prices = &version->prices;
    licet_image_rate_card row = {
        .version = ROWS(c, versions, licet_image_version),
        .round_how = prices->round_how,
        .round_digits = prices->round_digits,
        .per = (uint32_t)prices->per.value,
        .zone = LICET_NONE,
        .first_day = 1,
        .minimum = prices->minimum.value,
        .prices = {ROWS(c, prices, licet_image_price), prices->lines.len},
        .surcharges = {ROWS(c, surcharges, licet_image_surcharge), prices->surcharges.len},
        .rebates = {ROWS(c, rebates, licet_image_rebate), prices->rebates.len},
        .prepaid_clause = clause_or_none(c, version, &prices->prepaid.clause),
    };

    if (prices->currency.line == 0) {
        return true;
    }
    row.currency = compile_text(c, prices->currency.text);
    for (uint32_t i = 0; i < prices->lines.len; i++) {
        put_price(c, version, LICET_TERMS_ROW(licet_terms_price, prices->lines, i));
    }
    put_percents(c, prices);
    PUT(c, rate_cards, &row);
    return prices->prepaid.clause.line == 0 || put_credit(c, version);
}

/* ---- payments -------------------------------------------------------------------------- */

static int
compare_payments(const void *left, const void *right)
{
    const licet_image_payment *a = left, *b = right;

    return a->from_ms != b->from_ms ? (a->from_ms > b->from_ms) - (a->from_ms < b->from_ms)
                                    : (a->amount > b->amount) - (a->amount < b->amount);
}

void
compile_payments(compiler *c)
{
    const licet_rows *payments = &c->agreement->apps.payments;
    licet_buffer *table = &c->tables[TABLE_payments];

    for (uint32_t i = 0; i < payments->len; i++) {
        const licet_terms_payment *payment = LICET_TERMS_ROW(licet_terms_payment, *payments, i);
        licet_image_payment row = {payment->from.value, payment->amount.value / MICRO};
        PUT(c, payments, &row);
    }
    if (!table->failed && table->len > 0) {
        qsort(table->data, table->len / sizeof(licet_image_payment), sizeof(licet_image_payment), compare_payments);
    }
}
