/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charges: what the use of each period costs at the prices in force then, from the hours of the usage tables.
 *
 *  (1) A period is that of the rate card of the version in force (a month, a billing cycle), and is charged as a whole
 *      also where the report's span cuts it: tiers and minimum are the period's.
 *  (2) A unit is charged by the version that judged it, at the first line that fits its flow, its purpose and its hour.
 *      What no line fits is told as unpriced; what came while no version was in force is in no charge.
 *  (3) What is charged is what was delivered and, of unmetered responses, what stays charged beyond that; where the
 *      line counts deduplicated, without the duplicates that were credited.
 *      A period without use is charged too: its minimum is due.
 *  (4) Lines of two versions in one period stand beside each other, each with tiers of its own; rounding, rebates,
 *      minimum and surcharges are those of the later version.
 */
#include "charge.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_MS UINT64_C(3600000)
#define CHARGES_SPAN_MAX_MS (UINT64_C(1) << 48)
#define LINES_MAX (1u << 16)

/* ---- gathering --------------------------------------------------------------------- */

/* The card's period as a limit without units: for the arithmetic of windows. */
static licet_image_limit
period_of(const licet_image_rate_card *card)
{
    return (licet_image_limit){.per = card->per, .zone = card->zone, .first_day = card->first_day};
}

/* The periods of a card that its version and a span touch. False: none. */
static bool
card_windows(const licet_image *image, const licet_image_rate_card *card, licet_image_span span, uint32_t *out_first,
             uint32_t *out_last)
{
    licet_image_limit period = period_of(card);
    uint64_t end = report_version_end(image, card->version), start = image->versions[card->version].from_ms;
    uint64_t from = start > span.from_ms ? start : span.from_ms, before = end < span.before_ms ? end : span.before_ms;

    if (from >= before) {
        return false;
    }
    *out_first = licet_window_of(image, &period, from);
    *out_last = licet_window_of(image, &period, before - 1);
    return true;
}

/* The report's span, widened to whole periods: what another version did in such a period belongs to its sum. */
static licet_image_span
whole_periods(const gathered *g)
{
    const licet_image *image = g->options->image;
    licet_image_span asked = {g->options->from_ms, g->options->before_ms}, whole = asked;
    uint32_t first, last;

    for (uint32_t i = 0; i < image->header->rate_cards_len; i++) {
        licet_image_limit period = period_of(&image->rate_cards[i]);

        if (card_windows(image, &image->rate_cards[i], asked, &first, &last)) {
            uint64_t from = licet_window_begin_ms(image, &period, first);
            uint64_t before = licet_window_end_ms(image, &period, last);

            whole.from_ms = from < whole.from_ms ? from : whole.from_ms;
            whole.before_ms = before > whole.before_ms ? before : whole.before_ms;
        }
    }
    return whole;
}

static void
fill_block(const licet_image *image, const gathered_card *c, uint32_t window, gathered_charge *block)
{
    licet_image_limit period = period_of(c->card);
    gathered_charge line = {.card = c->card,
                            .from_ms = licet_window_begin_ms(image, &period, window),
                            .before_ms = licet_window_end_ms(image, &period, window)};

    for (size_t i = 0; i < c->block; i++) {
        block[i] = line;
        if (i < c->card->prices.count) {
            block[i].price = &image->prices[c->card->prices.first + i];
            block[i].kind = block[i].price->kind;
        } else {
            block[i].kind = (uint32_t)(i - c->card->prices.count);
        }
    }
}

bool
gathered_charges_make(gathered *g, licet_error *err)
{
    const licet_image *image = g->options->image;
    licet_image_span span;
    uint32_t first, last;

    if (image == NULL || image->header->rate_cards_len == 0) {
        return true;
    }
    span = whole_periods(g);
    g->cards = calloc(image->header->rate_cards_len, sizeof(*g->cards));
    if (g->cards == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u rate cards", image->header->rate_cards_len);
    }
    for (uint32_t i = 0; i < image->header->rate_cards_len; i++) {
        const licet_image_rate_card *card = &image->rate_cards[i];
        size_t block = (size_t)card->prices.count + image->header->kinds_len;
        if (!card_windows(image, card, span, &first, &last)) {
            continue;
        }
        if ((last - first + 1) > (LINES_MAX - g->charges_len) / block) {
            return LICET_FAIL(err, LICET_E_LIMIT, 0, "more than %u lines of charges: ask for a shorter period",
                              LINES_MAX);
        }
        g->cards[g->cards_len++] = (gathered_card){card, first, last - first + 1, g->charges_len, block};
        g->charges_len += (last - first + 1) * block;
    }
    g->charges = calloc(g->charges_len + 1, sizeof(*g->charges));
    if (g->charges == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu lines of charges", g->charges_len);
    }
    for (size_t i = 0; i < g->cards_len; i++) {
        for (uint32_t w = 0; w < g->cards[i].windows; w++) {
            fill_block(image, &g->cards[i], g->cards[i].first_window + w,
                       &g->charges[g->cards[i].first_line + w * g->cards[i].block]);
        }
    }
    return true;
}

void
gathered_charges_span(const gathered *g, uint64_t *from_ms, uint64_t *before_ms)
{
    for (size_t i = 0; i < g->charges_len; i++) {
        uint64_t from = g->charges[i].from_ms / HOUR_MS * HOUR_MS, before = g->charges[i].before_ms;

        before = before < CHARGES_SPAN_MAX_MS ? (before + HOUR_MS - 1) / HOUR_MS * HOUR_MS : CHARGES_SPAN_MAX_MS;
        *from_ms = from < *from_ms ? from : *from_ms;
        *before_ms = before > *before_ms ? before : *before_ms;
    }
}

/* The version that judged a row, if one was in force then. */
static uint32_t
version_of(const licet_image *image, const licet_usage_row *row)
{
    for (uint32_t i = 0; i < image->header->versions_len; i++) {
        if (licet_bytes_equal(licet_image_text(image, image->versions[i].id), row->context.version)) {
            bool began = row->hour_ms + HOUR_MS > image->versions[i].from_ms;
            return began && row->hour_ms < report_version_end(image, i) ? i : LICET_NONE;
        }
    }
    return LICET_NONE;
}

static bool
price_fits(const licet_image *image, const licet_image_price *price, uint32_t kind, const licet_usage_row *row)
{
    if (price->kind != kind || (price->flow != LICET_NONE && price->flow != row->flow) ||
        row->hour_ms < price->from_ms || row->hour_ms >= price->before_ms) {
        return false;
    }
    for (uint32_t i = 0; i < price->purposes.count; i++) {
        if (licet_bytes_equal(licet_image_text(image, image->price_purposes[price->purposes.first + i]),
                              row->context.purpose)) {
            return true;
        }
    }
    return price->purposes.count == 0;
}

/* The unit kind of the image that a row speaks of and how many of it are charged; false: none. */
static bool
charged_units(const licet_image *image, const licet_usage_row *row, uint32_t *out_kind, uint64_t *out_units)
{
    static const char held[] = "held:";
    licet_bytes name = row->unit;
    bool is_held = name.len > strlen(held) && memcmp(name.data, held, strlen(held)) == 0;

    if (row->verdict == LICET_VERDICT_REFUSE) {
        return false;
    }
    if (name.len == 0) {
        *out_kind = LICET_KIND_BYTE;
        *out_units = row->bytes;
        return row->bytes > 0;
    }
    if (is_held) {
        name = licet_bytes_of(name.data + strlen(held), name.len - strlen(held));
    }
    for (uint32_t k = 0; k < image->header->kinds_len; k++) {
        if (k != LICET_KIND_BYTE && licet_bytes_equal(licet_image_text(image, image->header->kinds[k]), name)) {
            *out_kind = k;
            *out_units = is_held ? row->beyond : row->units;
            return *out_units > 0;
        }
    }
    return false;
}

/* The line of a block that units of a kind belong to, by the hour, flow and purpose of their row. */
static gathered_charge *
line_of(const licet_image *image, const gathered_card *c, gathered_charge *block, uint32_t kind,
        const licet_usage_row *row)
{
    for (uint32_t i = 0; i < c->card->prices.count; i++) {
        if (price_fits(image, block[i].price, kind, row)) {
            return &block[i];
        }
    }
    return &block[c->card->prices.count + kind];
}

static bool
add_row(gathered *g, const licet_usage_row *row, bool credit, licet_error *err)
{
    const licet_image *image = g->options->image;
    uint32_t version, kind;
    uint64_t units;

    if (g->cards_len == 0 || !charged_units(image, row, &kind, &units)) {
        return true;
    }
    version = version_of(image, row);
    for (size_t i = 0; i < g->cards_len; i++) {
        const gathered_card *c = &g->cards[i];
        licet_image_limit period = period_of(c->card);
        uint32_t window;
        if (c->card->version != version) {
            continue;
        }
        window = licet_window_of(image, &period, row->hour_ms);
        if (window >= c->first_window && window - c->first_window < c->windows) {
            gathered_charge *block = &g->charges[c->first_line + (window - c->first_window) * c->block];
            gathered_charge *line = line_of(image, c, block, kind, row);
            return tally_count(credit ? &line->duplicates : &line->gross, units, err);
        }
    }
    return true;
}

bool
gathered_charges_row(gathered *g, const licet_usage_row *row, licet_error *err)
{
    return add_row(g, row, false, err);
}

bool
gathered_charges_credit(gathered *g, const licet_usage_row *row, licet_error *err)
{
    return add_row(g, row, true, err);
}

static int
compare_lines(const void *left, const void *right)
{
    const gathered_charge *a = left, *b = right;
    uint64_t x[] = {a->from_ms, a->before_ms, a->card->version, a->price == NULL, a->kind};
    uint64_t y[] = {b->from_ms, b->before_ms, b->card->version, b->price == NULL, b->kind};

    if (a->from_ms == b->from_ms && a->card == b->card && a->price != NULL && b->price != NULL) {
        return (a->price > b->price) - (a->price < b->price);
    }
    for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) {
        if (x[i] != y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    return 0;
}

void
gathered_charges_end(gathered *g)
{
    if (g->charges_len > 1) {
        qsort(g->charges, g->charges_len, sizeof(*g->charges), compare_lines);
    }
}

/* ---- showing -------------------------------------------------------------------------- */

static void
put_money(maker *m, json_t *object, const char *key, licet_money amount, unsigned digits)
{
    char text[LICET_MONEY_TEXT];

    licet_money_format(amount, digits, text);
    maker_put(m, object, key, json_string(text));
}

static void
put_tiers(maker *m, json_t *object, const gathered_charge *line, uint64_t units)
{
    const licet_image *image = m->g->options->image;
    json_t *tiers = maker_array(m);

    for (uint32_t i = 0; i < line->price->tiers.count; i++) {
        const licet_image_tier *tier = &image->tiers[line->price->tiers.first + i];
        uint64_t within = charge_tier_units(image, line->price, i, units);
        json_t *row = maker_object(m);

        maker_put(m, row, "to", tier->to == UINT64_MAX ? json_null() : json_integer((json_int_t)tier->to));
        put_money(m, row, "price", tier->price, 0);
        maker_number(m, row, "units", within);
        put_money(m, row, "amount", (licet_money)within * tier->price, 0);
        maker_add(m, tiers, row);
    }
    maker_put(m, object, "tiers", tiers);
}

static uint64_t
billable(const gathered_charge *line)
{
    return line->price->deduplicated ? line->gross - line->duplicates : line->gross;
}

static json_t *
make_line(maker *m, const gathered_charge *line, licet_money *subtotal)
{
    const licet_image *image = m->g->options->image;
    const licet_image_price *price = line->price;
    licet_money amount = charge_line(image, line->card, price, billable(line));
    json_t *object = maker_object(m);

    maker_text(m, object, "line", licet_image_text(image, price->name));
    maker_text(m, object, "version", licet_image_text(image, image->versions[line->card->version].id));
    maker_text(m, object, "clause",
               price->clause == LICET_NONE ? licet_bytes_of(NULL, 0)
                                           : licet_image_text(image, image->clauses[price->clause].key));
    maker_text(m, object, "section",
               price->clause == LICET_NONE ? licet_bytes_of(NULL, 0)
                                           : licet_image_text(image, image->clauses[price->clause].section));
    maker_text(m, object, "unit", licet_image_text(image, image->header->kinds[line->kind]));
    if (price->from_ms > 0) {
        maker_time(m, object, "from", price->from_ms);
    } else {
        maker_put(m, object, "from", json_null());
    }
    maker_time(m, object, "before", price->before_ms);
    maker_number(m, object, "gross", line->gross);
    maker_number(m, object, "duplicates", line->duplicates);
    maker_number(m, object, "billable", billable(line));
    put_tiers(m, object, line, billable(line));
    put_money(m, object, "amount", amount, line->card->round_digits);
    *subtotal += amount;
    return object;
}

static json_t *
make_unpriced(maker *m, const gathered_charge *line)
{
    const licet_image *image = m->g->options->image;
    json_t *object = maker_object(m);

    maker_text(m, object, "unit", licet_image_text(image, image->header->kinds[line->kind]));
    maker_text(m, object, "version", licet_image_text(image, image->versions[line->card->version].id));
    maker_number(m, object, "units", line->gross);
    return object;
}

static void
put_sum(maker *m, json_t *object, const licet_image_rate_card *card, const charge_sum *sum)
{
    const licet_image *image = m->g->options->image;
    unsigned digits = card->round_digits;
    json_t *surcharges = maker_array(m), *row;

    put_money(m, object, "subtotal", sum->subtotal, digits);
    row = sum->rebate == NULL ? json_null() : maker_object(m);
    if (sum->rebate != NULL) {
        put_money(m, row, "from", sum->rebate->from, 0);
        put_money(m, row, "percent", sum->rebate->percent, 0);
        put_money(m, row, "amount", sum->rebate_amount, digits);
    }
    maker_put(m, object, "rebate", row);
    row = card->minimum == 0 ? json_null() : maker_object(m);
    if (card->minimum != 0) {
        put_money(m, row, "least", card->minimum, digits);
        put_money(m, row, "added", sum->minimum_added, digits);
    }
    maker_put(m, object, "minimum", row);
    for (uint32_t i = 0; i < card->surcharges.count; i++) {
        const licet_image_surcharge *surcharge = &image->surcharges[card->surcharges.first + i];
        row = maker_object(m);
        maker_text(m, row, "name", licet_image_text(image, surcharge->name));
        put_money(m, row, "percent", surcharge->percent, 0);
        put_money(m, row, "amount", charge_surcharge(card, surcharge, sum->due), digits);
        maker_add(m, surcharges, row);
    }
    maker_put(m, object, "surcharges", surcharges);
    put_money(m, object, "total", sum->total, digits);
}

/* All lines from first on that are of its period; *out_next is the first that is not. (4) */
static json_t *
make_period(maker *m, size_t first, size_t *out_next)
{
    const licet_image *image = m->g->options->image;
    const gathered_charge *lines = m->g->charges;
    const licet_image_rate_card *card = lines[first].card;
    json_t *object = maker_object(m), *list = maker_array(m), *unpriced = maker_array(m);
    bool over = lines[first].before_ms <= m->g->options->as_of_ms;
    licet_money subtotal = 0;
    charge_sum sum;
    size_t i = first;

    for (; i < m->g->charges_len && lines[i].from_ms == lines[first].from_ms &&
           lines[i].before_ms == lines[first].before_ms;
         i++) {
        card = lines[i].card->version > card->version ? lines[i].card : card;
        if (lines[i].price == NULL) {
            if (lines[i].gross == 0 || lines[i].kind <= LICET_KIND_BYTE) {
                continue; /* requests and bytes are in every response, and unpriced as the rule */
            }
            maker_add(m, unpriced, make_unpriced(m, &lines[i]));
        } else {
            maker_add(m, list, make_line(m, &lines[i], &subtotal));
        }
    }
    *out_next = i;
    sum = charge_period(image, card, subtotal, over);
    maker_time(m, object, "from", lines[first].from_ms);
    maker_time(m, object, "before", lines[first].before_ms);
    maker_put(m, object, "over", json_boolean(over));
    maker_text(m, object, "version", licet_image_text(image, image->versions[card->version].id));
    maker_text(m, object, "currency", licet_image_text(image, card->currency));
    maker_put(m, object, "lines", list);
    maker_put(m, object, "unpriced", unpriced);
    put_sum(m, object, card, &sum);
    return object;
}

json_t *
report_section_charges(maker *m)
{
    json_t *list = maker_array(m);

    for (size_t i = 0; i < m->g->charges_len;) {
        maker_add(m, list, make_period(m, i, &i));
    }
    return list;
}
