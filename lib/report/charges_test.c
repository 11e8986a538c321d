/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charges: tiers, rounding, rebates, minimum and surcharges against figures worked out by hand, and what a report makes
 * of a ledger: each event at its own day's price, whole periods, and what no price fits.
 */
#include "hand_ledger.h"

#include "charge.h"

#include <jansson.h>

#define ONE LICET_MONEY_ONE
#define NOVEMBER (START_MS + 31 * DAY_MS)

static struct {
    licet_image_header header;
    licet_image_version versions[2];
    licet_image_clause clauses[1];
    licet_image_rate_card rate_cards[2];
    licet_image_price prices[4];
    licet_image_tier tiers[8];
    licet_text price_purposes[1];
    licet_image_surcharge surcharges[1];
    licet_image_rebate rebates[4];
    uint8_t strings[1024];
    uint32_t strings_len;
} blob;
static licet_image image;

static licet_text
text(const char *words)
{
    licet_text at = {blob.strings_len, (uint32_t)strlen(words)};

    memcpy(blob.strings + at.offset, words, at.len);
    blob.strings_len += at.len;
    return at;
}

static licet_image_price
price(const char *name, uint32_t kind, uint32_t first_tier, uint32_t tiers)
{
    return (licet_image_price){.name = text(name),
                               .clause = 0,
                               .kind = kind,
                               .flow = LICET_NONE,
                               .before_ms = UINT64_MAX,
                               .tiers = {first_tier, tiers}};
}

/* Version 0 of October and November: posts for training 1.00 each, others 0.005 until 12 November and 0.01 from then
 * on; of the cheaper the first 10 are included. Version 1 from 20 November: everything 0.02, 3 for at least. */
static void
make_image(void)
{
    memset(&blob, 0, sizeof(blob));
    blob.header.agreement = text("M-2022-7");
    blob.header.licensor = text("Example Platform Inc.");
    blob.header.licensee = text("Meridian Corporation");
    blob.header.kinds_len = 4;
    blob.header.kinds[0] = text("request");
    blob.header.kinds[1] = text("byte");
    blob.header.kinds[2] = text("post");
    blob.header.kinds[3] = text("user");
    blob.clauses[0] = (licet_image_clause){text("FEE"), text("Order form 4"), text("What it costs"), 1, 0};
    for (uint32_t v = 0; v < 2; v++) {
        blob.versions[v] = (licet_image_version){.id = text(v == 0 ? "2022-10-01" : "2022-11-20"),
                                                 .catalogue = text("x-api-v2@2022-10-01"),
                                                 .from_ms = v == 0 ? START_MS : NOVEMBER + 19 * DAY_MS,
                                                 .before_ms = v == 0 ? NOVEMBER + 19 * DAY_MS : UINT64_MAX,
                                                 .recipient_clause = LICET_NONE,
                                                 .acceptance_clause = LICET_NONE,
                                                 .embargo_clause = LICET_NONE};
        blob.rate_cards[v] = (licet_image_rate_card){.version = v,
                                                     .round_how = LICET_ROUND_HALF_EVEN,
                                                     .round_digits = 2,
                                                     .per = LICET_PER_MONTH,
                                                     .zone = LICET_NONE,
                                                     .first_day = 1,
                                                     .currency = text("USD"),
                                                     .minimum = v == 0 ? 0 : 3 * ONE,
                                                     .prices = {v == 0 ? 0 : 3, v == 0 ? 3 : 1},
                                                     .surcharges = {0, v},
                                                     .rebates = {0, 0},
                                                     .prepaid_clause = LICET_NONE};
    }
    blob.tiers[0] = (licet_image_tier){UINT64_MAX, ONE};
    blob.tiers[1] = (licet_image_tier){10, 0};
    blob.tiers[2] = (licet_image_tier){UINT64_MAX, 5 * ONE / 1000};
    blob.tiers[3] = (licet_image_tier){UINT64_MAX, ONE / 100};
    blob.tiers[4] = (licet_image_tier){UINT64_MAX, 2 * ONE / 100};
    blob.prices[0] = price("TRAIN", 2, 0, 1);
    blob.price_purposes[0] = text("train-ai");
    blob.prices[0].purposes = (licet_range){0, 1};
    blob.prices[1] = price("OLD", 2, 1, 2);
    blob.prices[1].before_ms = NOVEMBER + 11 * DAY_MS;
    blob.prices[2] = price("NEW", 2, 3, 1);
    blob.prices[2].from_ms = NOVEMBER + 11 * DAY_MS;
    blob.prices[3] = price("ALL", 2, 4, 1);
    blob.surcharges[0] = (licet_image_surcharge){text("DST"), 5 * ONE / 2};
    blob.rebates[0] = (licet_image_rebate){0, 0};
    blob.rebates[1] = (licet_image_rebate){200 * ONE, 10 * ONE};
    blob.rebates[2] = (licet_image_rebate){500 * ONE, 15 * ONE};
    blob.rebates[3] = (licet_image_rebate){1000 * ONE, 20 * ONE};
    image.header = &blob.header;
#define POINT(name)                                                                                                    \
    image.name = blob.name;                                                                                            \
    blob.header.name##_len = (uint32_t)(sizeof(blob.name) / sizeof(blob.name[0]));
    POINT(versions)
    POINT(clauses)
    POINT(rate_cards)
    POINT(prices)
    POINT(tiers)
    POINT(price_purposes)
    POINT(surcharges)
    POINT(rebates)
    POINT(strings)
#undef POINT
}

/* ---- arithmetic --------------------------------------------------------------------- */

static void
assert_money(licet_money amount, const char *expected)
{
    char shown[LICET_MONEY_TEXT];

    licet_money_format(amount, 2, shown);
    assert_string_equal(shown, expected);
}

static void
test_tiers(void **state)
{
    static const struct {
        uint64_t units;
        const char *amount;
    } cases[] = {{0, "0.00"},  {10, "0.00"}, {11, "0.00"},  {12, "0.01"},
                 {13, "0.02"}, {14, "0.02"}, {210, "1.00"}, {UINT64_C(26000000010), "130000000.00"}};

    make_image();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_money(charge_line(&image, &blob.rate_cards[0], &blob.prices[1], cases[i].units), cases[i].amount);
        assert_int_equal(charge_tier_units(&image, &blob.prices[1], 0, cases[i].units) +
                             charge_tier_units(&image, &blob.prices[1], 1, cases[i].units),
                         cases[i].units);
    }
}

/* The rebate that a platform publishes: 1,000 spent bring 200 back, whatever the steps were on the way. */
static void
test_rebates(void **state)
{
    static const struct {
        uint64_t spent;
        const char *rebate;
    } cases[] = {{0, "0.00"},    {199, "0.00"},   {200, "20.00"},   {499, "49.90"},
                 {500, "75.00"}, {999, "149.85"}, {1000, "200.00"}, {12345, "2469.00"}};
    charge_sum sum;

    make_image();
    blob.rate_cards[0].rebates = (licet_range){0, 4};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sum = charge_period(&image, &blob.rate_cards[0], (licet_money)cases[i].spent * ONE, true);
        assert_money(sum.rebate_amount, cases[i].rebate);
        assert_true(sum.total == sum.subtotal - sum.rebate_amount);
    }
}

static void
test_minimum_and_surcharge(void **state)
{
    charge_sum sum;

    make_image();
    sum = charge_period(&image, &blob.rate_cards[1], ONE, true);
    assert_money(sum.minimum_added, "2.00");
    assert_money(sum.total, "3.08"); /* 3.075, a tie: to the even cent */
    sum = charge_period(&image, &blob.rate_cards[1], ONE, false);
    assert_money(sum.minimum_added, "0.00");
    assert_money(sum.total, "1.02"); /* 1.025 */
    sum = charge_period(&image, &blob.rate_cards[1], 4 * ONE, true);
    assert_money(sum.total, "4.10");
    /* nothing overflows at the largest amount there can be */
    sum = charge_period(&image, &blob.rate_cards[1], (licet_money)INT64_MAX * INT64_MAX, true);
    assert_true(sum.total > sum.subtotal);
}

/* ---- from a ledger ---------------------------------------------------------------------- */

static void
receipt(random_ledger *r, uint32_t context, uint64_t time_ms, uint8_t kind, uint64_t units)
{
    hand_receipt(r, (licet_receipt){.verdict = LICET_VERDICT_ALLOW,
                                    .context = context,
                                    .time_ms = time_ms,
                                    .bytes = 100,
                                    .units = {{1, 1}, {kind, units}},
                                    .units_len = 2});
}

static json_t *
charges_of(random_ledger *r, uint64_t from_ms, uint64_t before_ms)
{
    licet_report_options options = {.image = &image,
                                    .agreement = "M-2022-7",
                                    .from_ms = from_ms,
                                    .before_ms = before_ms,
                                    .as_of_ms = NOVEMBER + 60 * DAY_MS};
    licet_usage *usage = hand_tables(r);
    licet_report *report;
    licet_buffer out;
    json_t *root;

    ok(licet_report_make(usage, &options, &report, &last));
    licet_buffer_init(&out, 64u << 20);
    ok(licet_report_json(report, &out, &last));
    root = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    licet_buffer_done(&out);
    licet_report_free(report);
    ok(licet_usage_close(usage, &last));
    return root;
}

static void
write_ledger(random_ledger *r)
{
    hand_begin(r);
    for (uint32_t i = 1; i <= 3; i++) {
        hand_context_of(r, i,
                        (licet_context){.app = licet_bytes_of_text("pages"),
                                        .purpose = licet_bytes_of_text(i == 2 ? "train-ai" : "display"),
                                        .version = licet_bytes_of_text(i == 3 ? "2022-11-20" : "2022-10-01")});
    }
    hand_kind(r, 1, "request");
    hand_kind(r, 2, "post");
    hand_kind(r, 3, "user");
    receipt(r, 1, START_MS + DAY_MS, 2, 30);
    receipt(r, 2, START_MS + DAY_MS, 2, 3);
    receipt(r, 1, START_MS + DAY_MS, 3, 7);
    receipt(r, 1, NOVEMBER + 11 * DAY_MS - 1, 2, 210);
    receipt(r, 1, NOVEMBER + 11 * DAY_MS, 2, 100);
    receipt(r, 3, NOVEMBER + 19 * DAY_MS, 2, 50);
}

/* "line gross billable amount;…" of a period, then what the sum is made of. */
static void
assert_period(const json_t *period, const char *expected)
{
    licet_buffer said;
    const json_t *line;
    json_t *minimum = json_object_get(period, "minimum");
    size_t i;

    licet_buffer_init(&said, 4096);
    json_array_foreach(json_object_get(period, "lines"), i, line)
    {
        licet_put_format(&said, "%s %lld %s; ", json_string_value(json_object_get(line, "line")),
                         json_integer_value(json_object_get(line, "gross")),
                         json_string_value(json_object_get(line, "amount")));
    }
    json_array_foreach(json_object_get(period, "unpriced"), i, line)
    {
        licet_put_format(&said, "unpriced %s %lld; ", json_string_value(json_object_get(line, "unit")),
                         json_integer_value(json_object_get(line, "units")));
    }
    licet_put_format(&said, "%s + %s = %s%c", json_string_value(json_object_get(period, "subtotal")),
                     json_is_null(minimum) ? "-" : json_string_value(json_object_get(minimum, "added")),
                     json_string_value(json_object_get(period, "total")), '\0');
    assert_string_equal((const char *)said.data, expected);
    licet_buffer_done(&said);
}

static void
test_report(void **state)
{
    static random_ledger r;
    json_t *root, *charges;

    make_image();
    write_ledger(&r);
    root = charges_of(&r, START_MS, NOVEMBER + 61 * DAY_MS);
    charges = json_object_get(root, "charges");
    assert_int_equal(json_array_size(charges), 3);
    assert_period(json_array_get(charges, 0),
                  "TRAIN 3 3.00; OLD 30 0.10; NEW 0 0.00; unpriced user 7; 3.10 + - = 3.10");
    assert_period(json_array_get(charges, 1),
                  "TRAIN 0 0.00; OLD 210 1.00; NEW 100 1.00; ALL 50 1.00; 3.00 + 0.00 = 3.08");
    assert_period(json_array_get(charges, 2), "ALL 0 0.00; 0.00 + 0.00 = 0.00"); /* December is not over */
    json_decref(root);
    random_ledger_done(&r);
}

/* A span of one day charges its month as a whole. */
static void
test_whole_periods(void **state)
{
    static random_ledger r;
    json_t *root, *charges;

    make_image();
    write_ledger(&r);
    root = charges_of(&r, NOVEMBER + 20 * DAY_MS, NOVEMBER + 21 * DAY_MS);
    charges = json_object_get(root, "charges");
    assert_int_equal(json_array_size(charges), 1);
    assert_period(json_array_get(charges, 0),
                  "TRAIN 0 0.00; OLD 210 1.00; NEW 100 1.00; ALL 50 1.00; 3.00 + 0.00 = 3.08");
    json_decref(root);
    random_ledger_done(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tiers), cmocka_unit_test(test_rebates),
                                       cmocka_unit_test(test_minimum_and_surcharge), cmocka_unit_test(test_report),
                                       cmocka_unit_test(test_whole_periods)};

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
