/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prices: each message about them, and what the compiler makes of the two forms and of a prepaid credit.
 */
#include "test_site.h"

#include "licet/money.h"

#define PLACE "agreements/M-2022-7/2022-10-10.yaml:"
/* Each is put behind the last line of the version, which is line 18. */
#define HEAD "prices: { currency: USD, round: half-even cent, "

static const struct {
    const char *name, *prices, *expected;
} cases[] = {
    {"no mapping", "prices: x\n", PLACE "19:9: prices \"x\": expected a mapping\n"},
    {"nothing priced", "prices: { currency: USD, round: half-even cent }\n",
     PLACE "19:21: prices: there is no line: expected a unit with its price, or lines\n"},
    {"currency", "prices: { currency: usd, round: half-even cent, unit: post, at: \"1\" }\n",
     PLACE "19:21: prices: currency \"usd\": expected three capital letters such as USD (ISO 4217)\n"},
    {"round", "prices: { currency: USD, round: half cent, unit: post, at: \"1\" }\n",
     PLACE "19:33: prices: round \"half cent\": expected half-even, half-up, down or up, and cent, whole or millionth, "
           "such as half-even cent\n"},
    {"round missing", "prices: { currency: USD, unit: post, at: \"1\" }\n",
     PLACE "19:9: prices: field \"round\" is missing\n"},
    {"money", HEAD "unit: post, at: 5e-3 }\n",
     PLACE "19:65: prices: at \"5e-3\": expected an amount such as \"0.005\", with at most nine digits behind the "
           "point\n"},
    {"money too fine", HEAD "unit: post, at: \"0.0000000001\" }\n",
     PLACE "19:65: prices: at \"0.0000000001\": expected an amount such as \"0.005\", with at most nine digits behind "
           "the point\n"},
    {"per", HEAD "per: week, unit: post, at: \"1\" }\n",
     PLACE "19:54: prices: per \"week\": expected month, day or year\n"},
    {"unit", HEAD "unit: quote, at: \"1\" }\n",
     PLACE "19:55: prices: line quote: unit \"quote\" is not in catalogue x-api-v2@2022-10-10\n"},
    {"clause", HEAD "unit: post, clause: FEE, at: \"1\" }\n",
     PLACE "19:69: prices: line post: clause \"FEE\" is not among the clauses of this version\n"},
    {"first without beyond", HEAD "unit: post, first: 5, at: \"1\" }\n",
     PLACE "19:55: prices: unit \"post\": expected at, or first, at and beyond\n"},
    {"at without a unit", HEAD "at: \"1\", lines: [ { line: A, unit: post, at: \"1\" } ] }\n",
     PLACE "19:53: prices: first, at and beyond price one unit: expected a unit beside\n"},
    {"both forms", HEAD "unit: post, at: \"1\", lines: [ { line: A, unit: post, at: \"1\" } ] }\n",
     PLACE "19:55: prices: unit \"post\" beside lines: expected either one unit with its price, or lines\n"},
    {"neither at nor tiers", HEAD "lines: [ { line: A, unit: post } ] }\n",
     PLACE "19:66: prices: line A: expected either at or tiers\n"},
    {"at and tiers", HEAD "lines: [ { line: A, unit: post, at: \"1\", tiers: [ { at: \"1\" } ] } ] }\n",
     PLACE "19:66: prices: line A: expected either at or tiers\n"},
    {"tiers end", HEAD "lines: [ { line: A, unit: post, tiers: [ { to: 5, at: \"1\" } ] } ] }\n",
     PLACE "19:66: prices: line A: its tiers end at 5: expected a last tier without to, for all beyond\n"},
    {"tiers fall",
     HEAD "lines: [ { line: A, unit: post, tiers: [ { to: 5, at: \"1\" }, { to: 5, at: \"1\" }, "
          "{ at: \"1\" } ] } ] }\n",
     PLACE "19:116: prices: line A: to \"5\": expected more than 5, where it begins\n"},
    {"tier behind the last", HEAD "lines: [ { line: A, unit: post, tiers: [ { at: \"1\" }, { at: \"2\" } ] } ] }\n",
     PLACE "19:90: prices: line A: a tier without to is the last: expected none behind it\n"},
    {"included beyond a tier",
     HEAD "lines: [ { line: A, unit: post, included: 9, tiers: [ { to: 5, at: \"1\" }, "
          "{ at: \"1\" } ] } ] }\n",
     PLACE "19:109: prices: line A: to \"5\": expected more than 9, where it begins\n"},
    {"half an hour", HEAD "lines: [ { line: A, unit: post, at: \"1\", from: 2023-01-01T00:30:00Z } ] }\n",
     PLACE "19:96: prices: line A: \"2023-01-01T00:30:00Z\": expected a full hour, for use is kept by hours\n"},
    {"before from", HEAD "lines: [ { line: A, unit: post, at: \"1\", from: 2023-01-01, before: 2023-01-01 } ] }\n",
     PLACE "19:116: prices: line A: before \"2023-01-01\": expected a time after from \"2023-01-01\"\n"},
    {"twice", HEAD "lines: [ { line: A, unit: post, at: \"1\" }, { line: A, unit: user, at: \"1\" } ] }\n",
     PLACE "19:100: prices: line A: the name is taken already in line 19\n"},
    {"prepaid clause", HEAD "prepaid: { clause: X }, unit: post, at: \"1\" }\n",
     PLACE "19:68: prices: prepaid: clause \"X\" is not among the clauses of this version\n"},
    {"prepaid tiers", HEAD "prepaid: { clause: RATE }, unit: post, first: 5, at: \"1\", beyond: \"2\" }\n",
     PLACE "19:82: prices: line post: prepaid credit needs one price for each unit: expected at alone, without tiers, "
           "included, purposes, from and before\n"},
    {"prepaid too fine", HEAD "prepaid: { clause: RATE }, unit: post, at: \"0.0000001\" }\n",
     PLACE
     "19:92: prices: line post: at \"0.0000001\": with prepaid credit expected more than 0 and at most six digits "
     "behind the point\n"},
    {"surcharge", HEAD "unit: post, at: \"1\", surcharges: [ { name: DST, percent: \"1000.1\" } ] }\n",
     PLACE "19:106: prices: surcharge: percent \"1000.1\": expected at most 1000\n"},
    {"rebates fall",
     HEAD "unit: post, at: \"1\", rebates: [ { from: \"2\", percent: \"1\" }, { from: \"2\", percent: "
          "\"2\" } ] }\n",
     PLACE "19:118: prices: rebate: from \"2\": expected more than \"2\" before it\n"},
};

static void
test_messages(void **state)
{
    unsigned failed = 0;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        licet_mistakes mistakes = {0};
        licet_site *loaded = NULL;
        licet_buffer said;
        test_site site;
        char to[1024];

        test_site_init(&site);
        snprintf(to, sizeof(to), "mode: enforce\n%s", cases[i].prices);
        test_change(&site, VERSION, "mode: enforce\n", to);
        licet_buffer_init(&said, 1 << 16);
        assert_false(licet_site_load(site.dir, &mistakes, &loaded, NULL));
        for (size_t j = 0; j < mistakes.len; j++) {
            const licet_mistake *m = &mistakes.list[j];
            licet_put_format(&said, "%s:%u:%u: %s\n", m->file, m->line, m->column, m->text);
        }
        licet_put_u8(&said, '\0');
        if (strcmp((const char *)said.data, cases[i].expected) != 0) {
            print_error("%s:\nexpected %sgot      %s", cases[i].name, cases[i].expected, (const char *)said.data);
            failed++;
        }
        licet_buffer_done(&said);
        licet_mistakes_done(&mistakes);
        test_site_done(&site);
    }
    assert_int_equal(failed, 0);
}

/* ---- what is compiled ----------------------------------------------------------------- */

typedef struct compiled {
    test_site site;
    licet_site *loaded;
    licet_buffer blob;
    licet_image image;
    uint32_t counters;
    char last[128];
} compiled;

static bool
counter_of(void *user, const char *identity, uint32_t rows, uint32_t *out_counter, licet_error *err)
{
    compiled *c = user;

    (void)err;
    *out_counter = c->counters;
    c->counters += rows;
    snprintf(c->last, sizeof(c->last), "%s", identity);
    return true;
}

static void
compile(compiled *c, const char *prices, const char *payments)
{
    licet_compile_options options = {.cell = 1, .number = 1, .counter_of = counter_of, .user = c};
    licet_error err = {0};
    char to[1024];

    memset(c, 0, sizeof(*c));
    test_site_init(&c->site);
    snprintf(to, sizeof(to), "mode: enforce\n%s", prices);
    test_change(&c->site, VERSION, "mode: enforce\n", to);
    if (payments != NULL) {
        snprintf(to, sizeof(to), "%sapps:\n", payments);
        test_change(&c->site, APPS, "apps:\n", to);
    }
    c->loaded = test_site_load(&c->site);
    licet_buffer_init(&c->blob, (size_t)1 << 24);
    if (!licet_site_compile(c->loaded, 0, &options, &c->blob, &err) ||
        !licet_image_open(licet_buffer_view(&c->blob), &c->image, &err)) {
        fail_msg("%s", err.text);
    }
}

static void
compiled_done(compiled *c)
{
    licet_buffer_done(&c->blob);
    licet_site_free(c->loaded);
    test_site_done(&c->site);
}

static void
test_short_form(void **state)
{
    compiled c;

    compile(&c, HEAD "unit: post, first: 500_000, at: \"0\", beyond: \"0.005\", minimum: \"100\" }\n", NULL);
    assert_int_equal(c.image.header->rate_cards_len, 1);
    assert_int_equal(c.image.rate_cards[0].minimum, UINT64_C(100) * LICET_MONEY_ONE);
    assert_int_equal(c.image.rate_cards[0].round_how, LICET_ROUND_HALF_EVEN);
    assert_int_equal(c.image.rate_cards[0].round_digits, 2);
    assert_int_equal(c.image.header->prices_len, 1);
    assert_int_equal(c.image.prices[0].tiers.count, 2);
    assert_int_equal(c.image.tiers[0].to, 500000);
    assert_int_equal(c.image.tiers[0].price, 0);
    assert_int_equal(c.image.tiers[1].to, UINT64_MAX);
    assert_int_equal(c.image.tiers[1].price, 5000000);
    assert_int_equal(c.image.header->limits_len, 2); /* those of the site */
    compiled_done(&c);
}

static void
test_lines(void **state)
{
    compiled c;

    compile(&c,
            HEAD
            "lines: [ { line: TRAIN, clause: NO-TRAIN, unit: post, purposes: [train-ai], flow: acquired, at: \"1\" },"
            " { line: POST, unit: post, count: deduplicated, included: 10, at: \"0.005\", before: 2023-01-01 } ],"
            " surcharges: [ { name: DST, percent: \"2.5\" } ], rebates: [ { from: \"200\", percent: \"10\" } ] }\n",
            NULL);
    assert_int_equal(c.image.header->prices_len, 2);
    assert_int_equal(c.image.prices[0].purposes.count, 1);
    assert_int_equal(c.image.prices[0].flow, LICET_FLOW_ACQUIRED);
    assert_int_equal(c.image.prices[1].flow, LICET_NONE);
    assert_int_equal(c.image.prices[1].deduplicated, 1);
    assert_int_equal(c.image.prices[1].tiers.count, 2);
    assert_int_equal(c.image.tiers[c.image.prices[1].tiers.first].to, 10);
    assert_int_equal(c.image.surcharges[0].percent, UINT64_C(2500000000));
    assert_int_equal(c.image.rebates[0].from, UINT64_C(200) * LICET_MONEY_ONE);
    compiled_done(&c);
}

/* Every priced unit takes from one counter; what may be taken is what was paid so far. */
static void
test_prepaid(void **state)
{
    const licet_image_limit *post, *user;
    compiled c;

    compile(&c,
            HEAD "prepaid: { clause: RATE }, lines: [ { line: P, unit: post, at: \"0.005\" }, { line: U, unit: user, "
                 "at: \"0.01\" } ] }\n",
            "payments:\n  - { from: 2022-12-01, amount: \"50\" }\n  - { from: 2022-10-10, amount: \"100.5\" }\n");
    assert_int_equal(c.image.header->limits_len, 4);
    post = &c.image.limits[2];
    user = &c.image.limits[3];
    assert_string_equal(c.last, "M-2022-7/credit/USD");
    assert_int_equal(post->weight, 5000);
    assert_int_equal(user->weight, 10000);
    assert_int_equal(licet_image_counter_at(&c.image, post, 0), licet_image_counter_at(&c.image, user, 0));
    assert_int_equal(licet_image_most(&c.image, post, 0), 0);
    assert_int_equal(licet_image_most(&c.image, post, c.image.versions[0].from_ms), 100500000);
    assert_int_equal(licet_image_most(&c.image, user, UINT64_C(1669852800000)), 150500000);
    assert_int_equal(licet_window_of(&c.image, post, UINT64_C(1669852800000)), 0);
    compiled_done(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_messages), cmocka_unit_test(test_short_form),
                                       cmocka_unit_test(test_lines), cmocka_unit_test(test_prepaid)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
