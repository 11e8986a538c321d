/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prices: the rate card of a version, and the payments of a prepaid credit in apps.yaml.
 *
 *  (1) Money is read as exact decimals, never through a floating point number.
 *  (2) The short form { unit, first, at, beyond } is a line named by its unit with one or two tiers; no reader behind
 *      this file knows it.
 *  (3) The first line that fits a unit, its flow, its purpose and its time is its price. Usage tables hold hours, so a
 *      price begins and ends on a full hour.
 */
#include "terms.h"

#include <string.h>

#define QUOTED(scalar) licet_quote_of((scalar).text).text
#define HOUR_MS UINT64_C(3600000)
#define PERCENT_MOST (UINT64_C(1000) * LICET_MONEY_ONE)
#define LINES_MAX 256u
#define TIERS_MAX 32u

/* ---- fields with rules of their own ------------------------------------------------ */

static void
read_money(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    static const char expected[] = "an amount such as \"0.005\", with at most nine digits behind the point";
    licet_number *number = out;

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    if (!licet_money_parse(node->scalar.text, &number->value)) {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected %s", field->name, QUOTED(node->scalar),
                         expected);
    }
    number->said = licet_schema_keep(reader, &node->scalar);
}

/* "half-even cent" */
static bool
parse_round(licet_bytes text, licet_round *out_how, uint32_t *out_digits)
{
    static const char *const words[] = {
#define ROUND_WORD(number, name, word) word,
        LICET_ROUNDS(ROUND_WORD)
#undef ROUND_WORD
    };
    static const struct {
        const char *word;
        uint32_t digits;
    } to[] = {{" cent", 2}, {" whole", 0}, {" millionth", 6}};

    for (unsigned how = 0; how < LICET_ROUNDS_LEN; how++) {
        size_t len = strlen(words[how]);
        for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
            if (text.len == len + strlen(to[i].word) && memcmp(text.data, words[how], len) == 0 &&
                memcmp(text.data + len, to[i].word, strlen(to[i].word)) == 0) {
                *out_how = (licet_round)how;
                *out_digits = to[i].digits;
                return true;
            }
        }
    }
    return false;
}

static void
read_round(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    static const char expected[] =
        "half-even, half-up, down or up, and cent, whole or millionth, such as half-even cent";
    licet_terms_prices *prices = out;

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    if (!parse_round(node->scalar.text, &prices->round_how, &prices->round_digits)) {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected %s", field->name, QUOTED(node->scalar),
                         expected);
        return;
    }
    prices->round = licet_schema_keep(reader, &node->scalar);
}

static bool
fits_currency(licet_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < 'A' || text.data[i] > 'Z') {
            return false;
        }
    }
    return text.len == 3;
}

/* ---- tables --------------------------------------------------------------------------- */

static const licet_word periods[] = {
    {"month", LICET_PER_MONTH}, {"day", LICET_PER_DAY}, {"year", LICET_PER_YEAR}, {NULL, 0}};

#define MONEY(field_name, place, must)                                                                                 \
    {                                                                                                                  \
        .name = (field_name), .type = LICET_FIELD_OWN, .required = (must), .read = read_money, .at = (place)           \
    }

#define AT(member) .at = offsetof(licet_terms_tier, member)
static const licet_field tier_fields[] = {
    {.name = "to", .type = LICET_FIELD_NUMBER, AT(to), .least = 1, .most = INT64_MAX, .fallback = UINT64_MAX},
    MONEY("at", offsetof(licet_terms_tier, at), true),
    {.name = NULL}};
#undef AT
static const licet_schema tier_schema = {.noun = "tier", .size = sizeof(licet_terms_tier), .fields = tier_fields};

#define AT(member) .at = offsetof(licet_terms_price, member)
static const licet_field price_fields[] = {
    {.name = "line", .type = LICET_FIELD_ID, .required = true, AT(line)},
    {.name = "clause", .type = LICET_FIELD_ID, AT(clause)},
    {.name = "unit", .type = LICET_FIELD_ID, .required = true, AT(unit)},
    {.name = "count", .type = LICET_FIELD_WORD, AT(count), .words = licet_terms_counts},
    {.name = "flow", .type = LICET_FIELD_WORD, AT(flow), .words = licet_terms_flows, .fallback = LICET_NONE},
    {.name = "purposes", .type = LICET_FIELD_NAMES, AT(purposes), .least = 1},
    {.name = "from", .type = LICET_FIELD_TIME, AT(from), .fallback = 0},
    {.name = "before", .type = LICET_FIELD_TIME, AT(before), .fallback = UINT64_MAX},
    {.name = "included", .type = LICET_FIELD_NUMBER, AT(included), .least = 1, .most = INT64_MAX},
    MONEY("at", offsetof(licet_terms_price, at), false),
    {.name = "tiers", .type = LICET_FIELD_LIST, AT(tiers), .schema = &tier_schema},
    {.name = NULL}};
#undef AT
static const licet_schema price_schema = {
    .noun = "line", .title = "line", .size = sizeof(licet_terms_price), .fields = price_fields};

#define AT(member) .at = offsetof(licet_terms_surcharge, member)
static const licet_field surcharge_fields[] = {{.name = "name", .type = LICET_FIELD_NAME, .required = true, AT(name)},
                                               MONEY("percent", offsetof(licet_terms_surcharge, percent), true),
                                               {.name = NULL}};
#undef AT
static const licet_schema surcharge_schema = {
    .noun = "surcharge", .title = "name", .size = sizeof(licet_terms_surcharge), .fields = surcharge_fields};

static const licet_field rebate_fields[] = {MONEY("from", offsetof(licet_terms_rebate, from), true),
                                            MONEY("percent", offsetof(licet_terms_rebate, percent), true),
                                            {.name = NULL}};
static const licet_schema rebate_schema = {
    .noun = "rebate", .size = sizeof(licet_terms_rebate), .fields = rebate_fields};

#define AT(member) .at = offsetof(struct licet_terms_prepaid, member)
static const licet_field prepaid_fields[] = {{.name = "clause", .type = LICET_FIELD_ID, .required = true, AT(clause)},
                                             {.name = NULL}};
#undef AT
static const licet_schema prepaid_schema = {
    .noun = "prepaid", .size = sizeof(struct licet_terms_prepaid), .fields = prepaid_fields};

#define AT(member) .at = offsetof(licet_terms_prices, member)
static const licet_field prices_fields[] = {
    {.name = "currency",
     .type = LICET_FIELD_TEXT,
     .required = true,
     AT(currency),
     .fits = fits_currency,
     .expected = "three capital letters such as USD (ISO 4217)"},
    {.name = "per", .type = LICET_FIELD_WORD, AT(per), .words = periods, .fallback = LICET_PER_MONTH},
    {.name = "round", .type = LICET_FIELD_OWN, .required = true, .read = read_round},
    MONEY("minimum", offsetof(licet_terms_prices, minimum), false),
    {.name = "lines", .type = LICET_FIELD_LIST, AT(lines), .schema = &price_schema},
    {.name = "surcharges", .type = LICET_FIELD_LIST, AT(surcharges), .schema = &surcharge_schema},
    {.name = "rebates", .type = LICET_FIELD_LIST, AT(rebates), .schema = &rebate_schema},
    {.name = "prepaid", .type = LICET_FIELD_OBJECT, AT(prepaid), .schema = &prepaid_schema},
    {.name = "unit", .type = LICET_FIELD_ID, AT(unit)},
    {.name = "clause", .type = LICET_FIELD_ID, AT(clause)},
    {.name = "count", .type = LICET_FIELD_WORD, AT(count), .words = licet_terms_counts},
    {.name = "first", .type = LICET_FIELD_NUMBER, AT(first), .least = 1, .most = INT64_MAX},
    MONEY("at", offsetof(licet_terms_prices, at), false),
    MONEY("beyond", offsetof(licet_terms_prices, beyond), false),
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_prices_schema = {
    .noun = "prices", .size = sizeof(licet_terms_prices), .fields = prices_fields};

#define AT(member) .at = offsetof(licet_terms_payment, member)
static const licet_field payment_fields[] = {{.name = "from", .type = LICET_FIELD_TIME, .required = true, AT(from)},
                                             MONEY("amount", offsetof(licet_terms_payment, amount), true),
                                             {.name = "document", .type = LICET_FIELD_TEXT, AT(document)},
                                             {.name = NULL}};
#undef AT
const licet_schema licet_terms_payment_schema = {
    .noun = "payment", .size = sizeof(licet_terms_payment), .fields = payment_fields};

/* ---- the short form (2) ----------------------------------------------------------------- */

bool
licet_terms_prices_finish(licet_reader *reader, licet_terms_prices *prices)
{
    licet_terms_price *line;
    licet_terms_tier *tiers;

    if (prices->unit.line == 0) {
        const licet_scalar *lone = prices->first.said.line != 0    ? &prices->first.said
                                   : prices->at.said.line != 0     ? &prices->at.said
                                   : prices->beyond.said.line != 0 ? &prices->beyond.said
                                                                   : NULL;
        if (lone != NULL) {
            licet_reader_say(reader, lone, "prices: ", "first, at and beyond price one unit: expected a unit beside");
        }
        return true;
    }
    if (prices->lines.len > 0 || prices->lines.flawed) {
        licet_reader_say(reader, &prices->unit,
                         "prices: ", "unit \"%s\" beside lines: expected either one unit with its price, or lines",
                         QUOTED(prices->unit));
        return true;
    }
    if (prices->at.said.line == 0 || (prices->first.said.line != 0) != (prices->beyond.said.line != 0)) {
        licet_reader_say(reader, &prices->unit, "prices: ", "unit \"%s\": expected at, or first, at and beyond",
                         QUOTED(prices->unit));
        return true;
    }
    line = licet_arena_rows(reader->arena, 1, sizeof(*line));
    tiers = licet_arena_rows(reader->arena, 2, sizeof(*tiers));
    if (line == NULL || tiers == NULL) {
        return false;
    }
    *line = (licet_terms_price){.line = prices->unit,
                                .clause = prices->clause,
                                .unit = prices->unit,
                                .count = prices->count,
                                .flow = {.value = LICET_NONE},
                                .before = {.value = UINT64_MAX},
                                .at = prices->at};
    if (prices->first.said.line != 0) {
        tiers[0] = (licet_terms_tier){.key = prices->first.said, .to = prices->first, .at = prices->at};
        tiers[1] = (licet_terms_tier){.key = prices->beyond.said, .to = {.value = UINT64_MAX}, .at = prices->beyond};
        line->tiers = (licet_rows){.rows = tiers, .len = 2};
        line->at = (licet_number){0};
    }
    prices->lines = (licet_rows){.rows = line, .len = 1};
    return true;
}

/* ---- check ---------------------------------------------------------------------------------- */

static void
check_clause(licet_reader *reader, const char *context, const licet_terms_version *version, const licet_scalar *clause)
{
    if (clause->line != 0 && licet_names_find(&version->clause_names, clause->text) == LICET_NONE) {
        licet_reader_say(reader, clause, context, "clause \"%s\" is not among the clauses of this version",
                         QUOTED(*clause));
    }
}

static void
check_tiers(licet_reader *reader, const char *context, const licet_terms_price *price)
{
    uint64_t to = price->included.said.line != 0 ? price->included.value : 0;

    if (price->tiers.len > TIERS_MAX) {
        licet_reader_say(reader, &price->line, context, "%u tiers: expected at most %u", price->tiers.len, TIERS_MAX);
    }
    for (uint32_t i = 0; i < price->tiers.len; i++) {
        const licet_terms_tier *tier = LICET_TERMS_ROW(licet_terms_tier, price->tiers, i);
        if (tier->to.said.line != 0 && tier->to.value <= to) {
            licet_reader_say(reader, &tier->to.said, context, "to \"%s\": expected more than %llu, where it begins",
                             QUOTED(tier->to.said), (unsigned long long)to);
        }
        if (i + 1 < price->tiers.len && tier->to.said.line == 0) {
            licet_reader_say(reader, &tier->key, context, "a tier without to is the last: expected none behind it");
        }
        to = tier->to.value;
    }
    if (price->tiers.len > 0 && to != UINT64_MAX) {
        licet_reader_say(reader, &price->line, context,
                         "its tiers end at %llu: expected a last tier without to, for all beyond",
                         (unsigned long long)to);
    }
    if ((price->tiers.len > 0) == (price->at.said.line != 0) && !price->tiers.flawed) {
        licet_reader_say(reader, &price->line, context, "expected either at or tiers");
    }
}

static void
check_hours(licet_reader *reader, const char *context, const licet_terms_price *price)
{
    const licet_number *times[] = {&price->from, &price->before};

    for (size_t i = 0; i < 2; i++) {
        if (times[i]->said.line != 0 && times[i]->value % HOUR_MS != 0) {
            licet_reader_say(reader, &times[i]->said, context, "\"%s\": expected a full hour, for use is kept by hours",
                             QUOTED(times[i]->said));
        }
    }
    if (price->from.said.line != 0 && price->before.said.line != 0 && price->before.value <= price->from.value) {
        licet_reader_say(reader, &price->before.said, context, "before \"%s\": expected a time after from \"%s\"",
                         QUOTED(price->before.said), QUOTED(price->from.said));
    }
}

/* A prepaid credit is taken unit by unit as it is delivered: each must have one price, in millionths. */
static void
check_prepaid(licet_reader *reader, const char *context, const licet_terms_price *price)
{
    if (price->tiers.len > 0 || price->included.said.line != 0 || price->purposes.len > 0 ||
        price->from.said.line != 0 || price->before.said.line != 0) {
        licet_reader_say(reader, &price->line, context,
                         "prepaid credit needs one price for each unit: expected at alone, without tiers, included, "
                         "purposes, from and before");
    } else if (price->at.said.line != 0 && (price->at.value == 0 || price->at.value % 1000 != 0)) {
        licet_reader_say(reader, &price->at.said, context,
                         "at \"%s\": with prepaid credit expected more than 0 and at most six digits behind the point",
                         QUOTED(price->at.said));
    }
}

static void
check_price(licet_reader *reader, const licet_terms_version *version, uint32_t row)
{
    const licet_terms_price *price = LICET_TERMS_ROW(licet_terms_price, version->prices.lines, row);
    const licet_terms_catalogue *catalogue = version->catalogue;
    char context[LICET_CONTEXT_MAX];

    licet_context_of(context, "prices: line %s: ", QUOTED(price->line));
    check_clause(reader, context, version, &price->clause);
    if (catalogue != NULL && price->unit.line != 0 && !licet_bytes_equal_text(price->unit.text, "request") &&
        !licet_bytes_equal_text(price->unit.text, "byte") &&
        licet_names_find(&catalogue->unit_names, price->unit.text) == LICET_NONE) {
        licet_reader_say(reader, &price->unit, context, "unit \"%s\" is not in catalogue %s", QUOTED(price->unit),
                         QUOTED(version->catalogue_name));
    }
    check_tiers(reader, context, price);
    check_hours(reader, context, price);
    if (version->prices.prepaid.clause.line != 0) {
        check_prepaid(reader, context, price);
    }
    for (uint32_t i = 0; i < row && i < LINES_MAX; i++) {
        const licet_terms_price *before = LICET_TERMS_ROW(licet_terms_price, version->prices.lines, i);
        if (licet_bytes_equal(before->line.text, price->line.text) && price->line.line != 0) {
            licet_reader_say(reader, &price->line, context, "the name is taken already in line %u", before->line.line);
            return;
        }
    }
}

static void
check_percents(licet_reader *reader, const licet_terms_prices *prices)
{
    const licet_terms_rebate *last = NULL;

    for (uint32_t i = 0; i < prices->surcharges.len; i++) {
        const licet_terms_surcharge *surcharge = LICET_TERMS_ROW(licet_terms_surcharge, prices->surcharges, i);
        if (surcharge->percent.value > PERCENT_MOST) {
            licet_reader_say(reader, &surcharge->percent.said,
                             "prices: surcharge: ", "percent \"%s\": expected at most 1000",
                             QUOTED(surcharge->percent.said));
        }
    }
    for (uint32_t i = 0; i < prices->rebates.len; i++) {
        const licet_terms_rebate *rebate = LICET_TERMS_ROW(licet_terms_rebate, prices->rebates, i);
        if (rebate->percent.value > UINT64_C(100) * LICET_MONEY_ONE) {
            licet_reader_say(reader, &rebate->percent.said, "prices: rebate: ", "percent \"%s\": expected at most 100",
                             QUOTED(rebate->percent.said));
        }
        if (last != NULL && rebate->from.value <= last->from.value) {
            licet_reader_say(reader, &rebate->from.said,
                             "prices: rebate: ", "from \"%s\": expected more than \"%s\" before it",
                             QUOTED(rebate->from.said), QUOTED(last->from.said));
        }
        last = rebate;
    }
}

void
licet_terms_check_prices(licet_reader *reader, const licet_terms_version *version)
{
    const licet_terms_prices *prices = &version->prices;

    if (prices->currency.line == 0) {
        return;
    }
    if (prices->lines.len == 0 && !prices->lines.flawed && prices->unit.line == 0) {
        licet_reader_say(reader, &prices->currency,
                         "prices: ", "there is no line: expected a unit with its price, or lines");
    }
    if (prices->lines.len > LINES_MAX) {
        licet_reader_say(reader, &prices->currency, "prices: ", "%u lines: expected at most %u", prices->lines.len,
                         LINES_MAX);
        return;
    }
    check_clause(reader, "prices: prepaid: ", version, &prices->prepaid.clause);
    for (uint32_t i = 0; i < prices->lines.len; i++) {
        check_price(reader, version, i);
    }
    check_percents(reader, prices);
}

void
licet_terms_check_payments(licet_reader *reader, const licet_terms_apps *apps)
{
    for (uint32_t i = 0; i < apps->payments.len; i++) {
        const licet_terms_payment *payment = LICET_TERMS_ROW(licet_terms_payment, apps->payments, i);
        if (payment->amount.said.line != 0 && (payment->amount.value == 0 || payment->amount.value % 1000 != 0 ||
                                               payment->amount.value / 1000 > LICET_MOST_MAX)) {
            licet_reader_say(reader, &payment->amount.said, "payment: ",
                             "amount \"%s\": expected more than 0, at most six digits behind the point and at most "
                             "1099511.627775",
                             QUOTED(payment->amount.said));
        }
    }
    if (apps->payments.len > LICET_PAYMENTS_MAX) {
        licet_reader_say(reader, &LICET_TERMS_ROW(licet_terms_payment, apps->payments, 0)->key, "",
                         "%u payments: expected at most %u", apps->payments.len, LICET_PAYMENTS_MAX);
    }
}
