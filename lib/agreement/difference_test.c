/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What plan says of each kind of change: one change of the test site a line, and the whole words that come of it.
 */
#include "test_site.h"

static const struct change {
    const char *name, *file, *from, *to, *expected;
} changes[] = {
    {"nothing", VERSION, "mode: enforce", "mode: enforce", ""},
    {"comment", VERSION, "mode: enforce", "mode: enforce # as agreed",
     "~ version 2022-10-10: its file has other text, its terms are the same\n"},
    {"comment in the catalogue", CATALOGUE, "unlisted: record", "unlisted: record # as agreed",
     "~ version 2022-10-10: the file of its catalogue has other text, what counts is the same\n"},
    {"comment in apps.yaml", APPS, "apps:\n", "# ours\napps:\n", ""},
    {"licensee", VERSION, "Meridian Corporation", "Meridian Inc.",
     "~ agreement M-2022-7: licensee \"Meridian Corporation\" -> \"Meridian Inc.\"\n"
     "~ version 2022-10-10: its file has other text, its terms are the same\n"},
    {"in force", VERSION, "{ from: 2022-10-10, before: 2023-10-10, then: refuse }", "{ from: 2022-10-11T06:00:00Z }",
     "~ version 2022-10-10: from 2022-10-10 -> 2022-10-11T06:00:00.000Z\n"
     "~ version 2022-10-10: before 2023-10-10 -> open\n"},
    {"then", VERSION, "then: refuse", "then: continue", "~ version 2022-10-10: then refuse -> continue\n"},
    {"mode", VERSION, "mode: enforce", "mode: observe", "~ version 2022-10-10: mode enforce -> observe\n"},
    {"on_overrun", VERSION, "on_overrun: deliver", "on_overrun: cut",
     "~ version 2022-10-10: on_overrun deliver -> cut\n"},
    {"purposes", VERSION, "allowed: [display, search],", "not_named: record, not_declared: refuse, allowed: [display],",
     "~ version 2022-10-10: purposes not named refuse -> record\n"
     "~ version 2022-10-10: purposes not declared record -> refuse\n"
     "- purpose search allowed in version 2022-10-10\n"},
    {"purpose forbidden", VERSION, "[display, search], forbidden: { train",
     "[display], forbidden: { search: RATE, train", "~ purpose search: allowed -> forbidden by RATE\n"},
    {"cannot_record", VERSION, "{ allow: 10_000 posts, per: outage }", "refuse",
     "~ version 2022-10-10: cannot_record allow 10000 post per outage -> refuse\n"},
    {"clause", VERSION, "section: II.A.g, says: No training", "section: III.A, says: No pre-training",
     "~ clause NO-TRAIN: section \"II.A.g\" -> \"III.A\"\n"
     "~ clause NO-TRAIN: says \"No training of foundation models\" -> \"No pre-training of foundation models\"\n"},
    {"limit endpoints", VERSION, "[search-recent]", "[post, search-recent]",
     "~ limit RATE of version 2022-10-10: now binds at post, search-recent\n"},
    {"limit everywhere", VERSION, ", endpoints: [search-recent]", "",
     "~ limit RATE of version 2022-10-10: now binds every endpoint\n"},
    {"limit per", VERSION, "per: 15m", "per: day",
     "- limit RATE: 450 request per 15m over app at search-recent in version 2022-10-10\n"
     "+ limit RATE: 450 request per day over app at search-recent in version 2022-10-10\n"},
    {"unlisted", CATALOGUE, "unlisted: record", "unlisted: refuse",
     "~ version 2022-10-10: unlisted record -> refuse\n"},
    {"endpoint", CATALOGUE, "  - id: post\n    match: GET /2/tweets/{id}\n",
     "  - id: one\n    match: GET /2/tweets/{id}\n",
     "+ endpoint one: GET /2/tweets/{id}; post $.data page number 1..1\n"
     "- endpoint post: GET /2/tweets/{id}; post $.data page number 1..1\n"},
    {"endpoint page", CATALOGUE, "most: 100 } }\n  - id: post", "most: 500 } }\n  - id: post",
     "~ endpoint search-recent: GET /2/tweets/search/recent; post $.data ids $.data.id page query max_results 10..500; "
     "user $.includes.users\n"},
    {"app", APPS, "products: [Feed, Pages], environment: staging", "products: [Feed]", "~ app feed (Feed, prod)\n"},
    {"outbound", APPS, "use_cases:", "outbound: { id: OUT-1, file: secrets/x }\nuse_cases:",
     "~ app feed (Feed, Pages, staging, sends OUT-1 as Authorization: Bearer and the token of secrets/x)\n"
     "~ app pages (Pages, prod, by default UC-2, sends OUT-1 as Authorization: Bearer and the token of secrets/x)\n"},
    {"app gone", APPS, "  feed: {", "  news: {",
     "- app feed (Feed, Pages, staging)\n+ app news (Feed, Pages, staging)\n"},
    {"use case", APPS, "  UC-3: { product: Feed, purpose: search }", "  UC-3: { product: Pages, purpose: display }",
     "~ use case UC-3: product \"Feed\" -> \"Pages\"\n~ use case UC-3: purpose \"search\" -> \"display\"\n"},
    {"use case approved", APPS, "purpose: search }",
     "purpose: search, approved: { by: J. Roe, role: licensing, from: 2026-12-01 } }",
     "+ use case UC-3: approved from 2026-12-01\n"},
    {"use case new", APPS, "  UC-3:",
     "  UC-4: { product: Pages, purpose: display, approved: { by: J. Roe, role: licensing, from: 2026-12-01 } }\n  "
     "UC-3:",
     "+ use case UC-4 (product Pages, purpose display) approved from 2026-12-01\n"},
    {"use case drafted", APPS, "purpose: search }",
     "purpose: search, life: [ { state: draft, at: 2026-12-01, by: A, role: B } ] }",
     "+ use case UC-3: draft from 2026-12-01\n"},
    {"use case changed and approved again", APPS, "approved: { by: J. Roe, role: licensing, from: 2022-10-10 }",
     "life: [ { state: approved, at: 2022-10-10, by: J. Roe, role: licensing }, { state: changed, at: 2023-01-01, by: "
     "A, role: B }, { state: approved, at: 2023-02-01, by: A, role: B } ]",
     "+ use case UC-2: changed, not approved any more from 2023-01-01\n+ use case UC-2: approved from 2023-02-01\n"},
    {"use case approved by another", APPS, "J. Roe", "J. Doe",
     "~ use case UC-2: approved from 2022-10-10, by another or in other words\n"},
    {"use case ends", APPS, "from: 2022-10-10 } }\n", "from: 2022-10-10, before: 2023-01-01 } }\n",
     "+ use case UC-2: withdrawn from 2023-01-01\n"},
    {"use case described", APPS, "purpose: search }", "purpose: search, description: Searching }",
     "~ use case UC-3: its description has other words\n"},
    {"app ends", APPS, "environment: staging", "environment: staging, before: 2026-12-01",
     "~ app feed: before open -> 2026-12-01\n"},
    {"app has an owner", APPS, "environment: staging", "environment: staging, owner: News, contact: a@example.org",
     "~ app feed: owner, contact or description have other words\n"},
    {"product over time", APPS, "[Feed, Pages]",
     "[{ name: Feed, before: 2026-12-01 }, { name: Pages, from: 2026-12-01 }]",
     "~ app feed (Feed before 2026-12-01, Pages from 2026-12-01, staging)\n"},
    {"product registered", APPS,
     "use_cases:", "products: { Feed: { before: 2026-12-01 }, Pages: { owner: News } }\nuse_cases:",
     "+ product Feed before 2026-12-01\n+ product Pages\n~ app feed (Feed before 2026-12-01, Pages, staging)\n"},
    {"credential environment", APPS, "kind: bearer", "kind: bearer, environment: dev",
     "~ credential K-1: environment prod -> dev\n"},
    {"tokens", VERSION, "mode: enforce\n", "mode: enforce\ncredentials: { most_per_app: 2, clause: RATE }\n",
     "~ version 2022-10-10: credentials of an app at a time any number -> 2 by RATE\n"},
    {"credential", APPS, "kind: bearer, from: 2022-10-10", "kind: api-key, from: 2022-10-10, before: 2023-01-01",
     "~ credential K-1: kind bearer -> api-key\n~ credential K-1: before open -> 2023-01-01\n"},
    {"credential secret", APPS, "hmac_sha256: 00", "hmac_sha256: ff", "~ credential K-1: another secret\n"},
    {"credential kind", APPS, "kind: bearer", "kind: http-signature, key: JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs",
     "~ credential K-1: kind bearer -> http-signature\n~ credential K-1: another key\n"},
    {"credential id", APPS, "id: K-1", "id: K-2",
     "- credential K-1 of app pages (bearer) from 2022-10-10\n+ credential K-2 of app pages (bearer) from "
     "2022-10-10\n"},
};

static bool
counter_of(void *user, const char *identity, uint32_t rows, uint32_t *out_counter, licet_error *err)
{
    (void)user;
    (void)identity;
    (void)err;
    *out_counter = 0;
    return true;
}

static void
compile(const test_site *site, licet_buffer *out, licet_image *image)
{
    licet_compile_options options = {.cell = 1, .number = 1, .counter_of = counter_of};
    licet_site *loaded = test_site_load(site);

    licet_buffer_init(out, (size_t)1 << 24);
    assert_true(licet_site_compile(loaded, 0, &options, out, NULL));
    assert_true(licet_image_open(licet_buffer_view(out), image, NULL));
    licet_site_free(loaded);
}

static void
test_words(void **state)
{
    licet_buffer before, after, words;
    licet_image old_image, new_image;
    unsigned failures = 0;
    test_site site;

    test_site_init(&site);
    compile(&site, &before, &old_image);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        test_change(&site, changes[i].file, changes[i].from, changes[i].to);
        compile(&site, &after, &new_image);
        licet_buffer_init(&words, (size_t)1 << 20);
        assert_true(licet_image_difference(&old_image, &new_image, &words, NULL, NULL));
        licet_put_u8(&words, 0);
        if (strcmp((const char *)words.data, changes[i].expected) != 0) {
            print_error("%s:\n%s instead of\n%s", changes[i].name, (const char *)words.data, changes[i].expected);
            failures++;
        }
        licet_buffer_done(&words);
        licet_buffer_done(&after);
        test_change(&site, changes[i].file, NULL, "");
        for (size_t j = 0; j < TEST_FILES; j++) {
            test_write(&site, test_files[j].path, test_files[j].text, strlen(test_files[j].text));
        }
    }
    licet_buffer_done(&before);
    test_site_done(&site);
    assert_int_equal(failures, 0);
}

/* Whatever the bytes say, the words are not empty. */
static void
test_order(void **state)
{
    licet_buffer before, after, words;
    licet_image old_image, new_image;
    test_site site;

    test_site_init(&site);
    test_change(&site, APPS, "[Feed, Pages]", "[Feed, Pages, A, B]");
    compile(&site, &before, &old_image);
    test_change(&site, APPS, "[Feed, Pages]", "[Feed, Pages, B, A]");
    compile(&site, &after, &new_image);
    licet_buffer_init(&words, 4096);
    assert_true(licet_image_difference(&old_image, &new_image, &words, NULL, NULL));
    licet_put_u8(&words, 0);
    assert_string_equal((const char *)words.data, "~ app feed (Feed, Pages, B, A, staging)\n");
    licet_buffer_done(&words);
    licet_buffer_done(&before);
    licet_buffer_done(&after);
    test_site_done(&site);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
