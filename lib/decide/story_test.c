/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules on recipients, from YAML to verdict: the reference story's six texts and the version of 11 October 2024,
 * each rule as a table that reads like its clause, and the same event on both sides of each change. A verdict is
 * written as 'refuse X-GOV-NOTICE XII.C', with the section of the version in force.
 */
#include "licet/agreement.h"
#include "licet/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Sections moved twice: rate limits II.D to III.D, government XII.C to XV.C, and the licensor's name changed. */
static const struct text {
    const char *id, *before, *licensor, *government, *surveillance, *use_case, *embargo, *flow, *extra;
} texts[] = {
    {"2020-03-10", "2022-10-10", "Example Platform Inc.", "XII.C", "XII.C (2)", "Policy I", "XII.D", "Policy III", ""},
    {"2022-10-10", "2023-01-19", "Example Platform Inc.", "XII.C", "XII.C (2)", "Policy I", "XII.D", "Policy III", ""},
    {"2023-01-19", "2023-03-15", "Example Platform Inc.", "XII.C", "XII.C (2)", "Policy I", "XII.D", "Policy III", ""},
    {"2023-03-15", "2023-03-29", "Example Successor Corp.", "XII.C", "XII.C (2)", "Policy I", "XII.D", "Policy III",
     ""},
    {"2023-03-29", "2023-04-18", "Example Successor Corp.", "XV.C", "XV.C (2)", "Policy I", "XIV.D", "Policy III", ""},
    {"2023-04-18", "2024-10-11", "Example Successor Corp.", "XV.C", "XV.C (2)", "Policy I", "XIV.D", "Policy III", ""},
    {"2024-10-11", "2030-01-01", "Example Successor Corp.", "XV.C", "XV.C (2)", "Policy I", "XIV.D", "Policy III",
     "  - { needs: approval, clause: X-GOV-TIER, each: [entity], classes: [government, acting-for-government] }\n"},
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

#define DOC "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
static const char config[] = "party: licensor\nsite: story\ngate: 1\nflow: acquired\nupstream: https://api.internal\n"
                             "listen: 127.0.0.1:8640\nkey: data/key\nshared_memory: /dev/shm/licet-story\n";
static const char catalogue[] = "units: { post: {} }\nunlisted: record\nendpoints:\n"
                                "  - id: search\n    match: GET /2/tweets/search/recent\n    count: { post: $.data }\n"
                                "    page: { post: 100 }\n";
static const char apps[] =
    "apps:\n"
    "  pages: { products: [Pages], default_use_case: UC-2 }\n"
    "  fairfax: { products: [Fairfax], recipient: Ministry of X }\n"
    "  xbox: { products: [Pages] }\n"
    "use_cases:\n"
    "  UC-2: { product: Pages, purpose: display, recipient: public, approved: { by: J. Roe, role: licensing, from: "
    "2020-03-10 } }\n"
    "  UC-3: { product: Pages, purpose: search, approved: { by: J. Roe, role: licensing, from: 2023-02-01 } }\n"
    "  UC-4: { product: Fairfax, purpose: display, approved: { by: J. Roe, role: licensing, from: 2020-03-10 } }\n"
    "recipients:\n"
    "  public: { class: public }\n"
    "  Ministry of X:\n"
    "    class: government\n"
    "    country: US\n"
    "    accepted: { at: 2020-03-10, document: " DOC " }\n"
    "    notices:\n"
    "      - { use_case: UC-4, given: 2023-01-03, received: 2023-01-04T15:00:00Z, by: A. Poe, role: compliance, "
    "document: " DOC " }\n"
    "  Officer Doe: { class: person, entity: Ministry of X }\n"
    "  Ministry of Y:\n"
    "    class: government\n"
    "    country: US\n"
    "    accepted: { at: 2020-03-10, document: " DOC " }\n"
    "    notices:\n"
    "      - { use_case: all, given: 2022-11-01, by: A. Poe, role: compliance, objected: 2023-02-01, document: " DOC
    " }\n"
    "  Ministry of V:\n"
    "    class: government\n"
    "    country: US\n"
    "    accepted: { at: 2020-03-10, document: " DOC " }\n"
    "    notices:\n"
    "      - { use_case: all, given: 2022-11-01, by: A. Poe, role: compliance, objected: 2022-11-08, document: " DOC
    " }\n"
    "  Contractor Z:\n"
    "    class: acting-for-government\n"
    "    country: US\n"
    "    accepted: { at: 2020-03-10, document: " DOC " }\n"
    "    notices:\n"
    "      - { use_case: all, given: 2022-11-01, by: A. Poe, role: compliance, document: " DOC " }\n"
    "    approvals:\n"
    "      - { use_case: all, by: J. Roe, role: licensing, from: 2024-12-01, before: 2025-12-01, document: " DOC " }\n"
    "  Listening Post:\n"
    "    class: surveillance\n"
    "    accepted: { at: 2020-03-10, document: " DOC " }\n"
    "    notices:\n"
    "      - { use_case: all, given: 2022-11-01, by: A. Poe, role: compliance, document: " DOC " }\n"
    "  Denied Ltd: { class: embargoed, accepted: { at: 2020-03-10, document: " DOC " } }\n"
    "  Pyongyang News: { class: company, country: KP, accepted: { at: 2020-03-10, document: " DOC " } }\n"
    "  Reader of Pyongyang News: { class: person, country: US, entity: Pyongyang News }\n"
    "  Acme: { class: company, country: DE, accepted: { at: 2023-01-10T12:00:00Z, document: " DOC " } }\n"
    "  Beta: { class: company, country: DE, before: 2023-01-01, accepted: { at: 2020-03-10, document: " DOC " } }\n";

static char dir[64];

static void
write_file(const char *path, const char *text)
{
    char full[256];

    snprintf(full, sizeof(full), "%s/%s", dir, path);
    assert_true(licet_file_replace(full, licet_bytes_of_text(text), 0644, NULL));
}

static void
write_version(const struct text *t, bool enforce)
{
    char text[4096], path[128];

    snprintf(text, sizeof(text),
             "agreement: M-2022-7\nin_force: { from: %s, before: %s }\n"
             "calendar: { zone: UTC, business_days: us-federal }\n"
             "parties:\n  licensor: { legal_name: %s, country: US }\n"
             "  licensee: { legal_name: Meridian Corporation, country: US }\n"
             "catalogue: x@2020-01-01\n"
             "clauses:\n"
             "  X-USECASE: { section: %s, says: Describe the planned use and wait for its approval }\n"
             "  X-GOV-ID: { section: %s, says: Name each recipient }\n"
             "  X-GOV-NOTICE: { section: %s, says: Written notice of each government end user and use case }\n"
             "  X-GOV-SURV: { section: %s, says: Never to surveillance or intelligence }\n"
             "  X-GOV-TIER: { section: III.J, says: Government end users need an Enterprise plan }\n"
             "  X-SANCT: { section: %s, says: No embargoed country and no denied party }\n"
             "  X-FLOW: { section: %s, says: Recipients accept the terms before they receive }\n"
             "purposes: { allowed: [display, search] }\n"
             "use_cases: { not_declared: refuse, clause: X-USECASE }\n"
             "recipients: { not_declared: refuse, not_registered: refuse, clause: X-GOV-ID, must_accept: X-FLOW }\n"
             "embargo: { clause: X-SANCT, countries: [KP, SY] }\n"
             "government:\n"
             "  - { needs: never, clause: X-GOV-SURV, classes: [surveillance] }\n"
             "%s"
             "  - { needs: notice, clause: X-GOV-NOTICE, flow: passed-on, objection: 10 business days }\n"
             "cannot_record: refuse\nmode: %s\n",
             t->id, t->before, t->licensor, t->use_case, t->government, t->government, t->surveillance, t->embargo,
             t->flow, t->extra, enforce ? "enforce" : "observe");
    snprintf(path, sizeof(path), "agreements/M-2022-7/%s.yaml", t->id);
    write_file(path, text);
}

static bool
next_counter(void *user, const char *identity, uint32_t rows, uint32_t *out_counter, licet_error *err)
{
    *out_counter = *(uint32_t *)user;
    *(uint32_t *)user += rows;
    return true;
}

static void
remove_site(void)
{
    char path[256];

    for (size_t i = 0; i < TEXTS; i++) {
        snprintf(path, sizeof(path), "%s/agreements/M-2022-7/%s.yaml", dir, texts[i].id);
        unlink(path);
    }
    static const char *const others[] = {"licet.yaml", "catalogue/x@2020-01-01.yaml", "agreements/M-2022-7/apps.yaml"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, others[i]);
        unlink(path);
    }
    static const char *const folders[] = {"/agreements/M-2022-7", "/agreements", "/catalogue", ""};
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s%s", dir, folders[i]);
        rmdir(path);
    }
}

/* The story's site as an image in *blob. */
static void
make_image(bool enforce, licet_buffer *blob, licet_image *out_image)
{
    uint32_t counter = 0;
    licet_compile_options options = {.cell = 1, .number = 1, .counter_of = next_counter, .user = &counter};
    licet_mistakes mistakes = {0};
    licet_error err = {0};
    licet_site *site = NULL;
    char path[128];

    strcpy(dir, "/tmp/licet-story-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/agreements/M-2022-7", dir);
    assert_true(licet_dir_make(path, 0755, NULL));
    snprintf(path, sizeof(path), "%s/catalogue", dir);
    assert_true(licet_dir_make(path, 0755, NULL));
    write_file("licet.yaml", config);
    write_file("catalogue/x@2020-01-01.yaml", catalogue);
    write_file("agreements/M-2022-7/apps.yaml", apps);
    for (size_t i = 0; i < TEXTS; i++) {
        write_version(&texts[i], enforce);
    }
    if (!licet_site_load(dir, &mistakes, &site, &err)) {
        fail_msg("%s: %s:%u: %s", err.text, mistakes.len > 0 ? mistakes.list[0].file : "-",
                 mistakes.len > 0 ? mistakes.list[0].line : 0, mistakes.len > 0 ? mistakes.list[0].text : "-");
    }
    licet_mistakes_done(&mistakes);
    licet_buffer_init(blob, (size_t)1 << 24);
    if (!licet_site_compile(site, 0, &options, blob, &err) ||
        !licet_image_open(licet_buffer_view(blob), out_image, &err)) {
        fail_msg("%s", err.text);
    }
    licet_site_free(site);
    remove_site();
}

static uint32_t
app_named(const licet_image *image, const char *name)
{
    for (uint32_t i = 0; i < image->header->apps_len; i++) {
        if (licet_bytes_equal_text(licet_image_text(image, image->apps[i].id), name)) {
            return i;
        }
    }
    fail_msg("no app %s", name);
    return 0;
}

#define A LICET_FLOW_ACQUIRED
#define P LICET_FLOW_PASSED_ON

static const struct story_case {
    const char *app, *use_case, *purpose, *recipient;
    licet_flow flow;
    const char *at, *expected;
} cases[] = {
    /* X-USECASE: no approved use case for app and purpose, no data. */
    {"pages", "", "", "", A, "2022-12-01", "allow"},
    {"xbox", "", "", "public", A, "2022-12-01", "refuse X-USECASE Policy I use-case-not-declared"},
    {"xbox", "UC-2", "", "", A, "2022-12-01", "allow"},
    {"xbox", "UC-4", "", "public", A, "2022-12-01", "refuse X-USECASE Policy I use-case-unknown"},
    {"pages", "", "search", "", A, "2022-12-01", "refuse X-USECASE Policy I use-case-other-purpose"},
    {"pages", "UC-3", "", "public", A, "2023-01-31T23:59:59.999Z", "refuse X-USECASE Policy I use-case-not-approved"},
    {"pages", "UC-3", "", "public", A, "2023-02-01", "allow"},
    /* X-GOV-ID: each recipient is named and registered. */
    {"pages", "UC-3", "", "", A, "2023-03-01", "refuse X-GOV-ID XII.C recipient-not-declared"},
    {"pages", "UC-3", "", "", A, "2023-03-28T23:59:59.999Z", "refuse X-GOV-ID XII.C recipient-not-declared"},
    {"pages", "UC-3", "", "", A, "2023-03-29", "refuse X-GOV-ID XV.C recipient-not-declared"},
    {"pages", "", "", "Stranger", A, "2022-12-01", "refuse X-GOV-ID XII.C recipient-unknown"},
    {"pages", "", "", "Beta", A, "2022-12-31T23:59:59.999Z", "allow"},
    {"pages", "", "", "Beta", A, "2023-01-01", "refuse X-GOV-ID XII.C recipient-unknown"},
    /* X-FLOW: recipients accept the terms before they receive. */
    {"pages", "", "", "Acme", P, "2023-01-10T11:59:59.999Z", "refuse X-FLOW Policy III recipient-not-accepted"},
    {"pages", "", "", "Acme", P, "2023-01-10T12:00:00Z", "allow"},
    /* X-SANCT: no embargoed country and no denied party, in either flow, in every text; the section moved. */
    {"pages", "", "", "Denied Ltd", A, "2022-12-01", "refuse X-SANCT XII.D recipient-embargoed"},
    {"pages", "", "", "Denied Ltd", P, "2022-12-01", "refuse X-SANCT XII.D recipient-embargoed"},
    {"pages", "", "", "Pyongyang News", A, "2023-03-28T23:59:59.999Z", "refuse X-SANCT XII.D recipient-embargoed"},
    {"pages", "", "", "Pyongyang News", A, "2023-03-29", "refuse X-SANCT XIV.D recipient-embargoed"},
    {"pages", "", "", "Reader of Pyongyang News", P, "2022-12-01", "refuse X-SANCT XII.D recipient-embargoed"},
    /* X-GOV-SURV: never to surveillance, in either flow and whatever was notified. */
    {"pages", "", "", "Listening Post", A, "2023-06-01", "refuse X-GOV-SURV XV.C (2) government-never"},
    {"pages", "", "", "Listening Post", P, "2022-12-01", "refuse X-GOV-SURV XII.C (2) government-never"},
    {"pages", "", "", "Listening Post", P, "2025-06-01", "refuse X-GOV-SURV XV.C (2) government-never"},
    /* X-GOV-NOTICE: notice of each government and use case before passing on. Received on Wednesday 4 January 2023; ten
     * business days later, Martin Luther King's day left out, is Thursday 19 January, the day of a new text. */
    {"fairfax", "UC-4", "", "", A, "2022-12-01", "allow"},
    {"fairfax", "UC-4", "", "", P, "2022-10-09T23:59:59.999Z", "refuse X-GOV-NOTICE XII.C government-notice"},
    {"fairfax", "UC-4", "", "", P, "2022-10-10", "refuse X-GOV-NOTICE XII.C government-notice"},
    {"fairfax", "UC-4", "", "", P, "2023-01-18T23:59:59.999Z", "refuse X-GOV-NOTICE XII.C government-notice"},
    {"fairfax", "UC-4", "", "", P, "2023-01-19", "refuse X-GOV-NOTICE XII.C government-notice"},
    {"fairfax", "UC-4", "", "", P, "2023-01-19T23:59:59.999Z", "refuse X-GOV-NOTICE XII.C government-notice"},
    {"fairfax", "UC-4", "", "", P, "2023-01-20", "allow"},
    {"fairfax", "UC-4", "", "Officer Doe", P, "2023-01-19", "refuse X-GOV-NOTICE XII.C government-notice"},
    {"fairfax", "UC-4", "", "Officer Doe", P, "2023-01-20", "allow"},
    {"pages", "UC-2", "", "Ministry of X", P, "2023-02-01", "refuse X-GOV-NOTICE XII.C government-notice"},
    {"pages", "UC-2", "", "Ministry of X", P, "2023-03-14T23:59:59.999Z",
     "refuse X-GOV-NOTICE XII.C government-notice"},
    {"pages", "UC-2", "", "Ministry of X", P, "2023-03-15", "refuse X-GOV-NOTICE XII.C government-notice"},
    {"pages", "UC-2", "", "Ministry of X", P, "2023-03-28T23:59:59.999Z",
     "refuse X-GOV-NOTICE XII.C government-notice"},
    {"pages", "UC-2", "", "Ministry of X", P, "2023-03-29", "refuse X-GOV-NOTICE XV.C government-notice"},
    {"pages", "UC-2", "", "Ministry of X", P, "2023-04-18", "refuse X-GOV-NOTICE XV.C government-notice"},
    {"pages", "", "", "Contractor Z", P, "2022-11-16T23:59:59.999Z", "refuse X-GOV-NOTICE XII.C government-notice"},
    {"pages", "", "", "Contractor Z", P, "2022-11-17", "allow"},
    /* Who passes on as a government's app cannot declare itself to be the public. */
    {"fairfax", "UC-4", "", "public", P, "2022-12-01", "refuse X-GOV-NOTICE XII.C government-notice"},
    {"fairfax", "UC-4", "", "public", A, "2022-12-01", "allow"},
    /* X-GOV-VETO: the platform may object: before the period ends it never begins, later it ends. */
    {"pages", "", "", "Ministry of V", P, "2022-11-30", "refuse X-GOV-NOTICE XII.C government-notice"},
    {"pages", "", "", "Ministry of Y", P, "2022-11-17", "allow"},
    {"pages", "", "", "Ministry of Y", P, "2023-01-31T23:59:59.999Z", "allow"},
    {"pages", "", "", "Ministry of Y", P, "2023-02-01", "refuse X-GOV-NOTICE XII.C government-notice"},
    /* X-GOV-TIER: from 11 October 2024 governments need the plan, in both flows, for as long as it runs. */
    {"pages", "", "", "Contractor Z", A, "2024-10-10T23:59:59.999Z", "allow"},
    {"pages", "", "", "Contractor Z", A, "2024-10-11", "refuse X-GOV-TIER III.J government-approval"},
    {"pages", "", "", "Contractor Z", P, "2024-10-10T23:59:59.999Z", "allow"},
    {"pages", "", "", "Contractor Z", P, "2024-10-11", "refuse X-GOV-TIER III.J government-approval"},
    {"pages", "", "", "Contractor Z", P, "2024-12-01", "allow"},
    {"pages", "", "", "Contractor Z", P, "2025-11-30T23:59:59.999Z", "allow"},
    {"pages", "", "", "Contractor Z", P, "2025-12-01", "refuse X-GOV-TIER III.J government-approval"},
    {"pages", "", "", "Acme", P, "2024-10-11", "allow"},
    {"pages", "", "", "", P, "2030-01-01", "refuse - - no-agreement-in-force"},
};

static licet_facts
facts_of(const licet_image *image, const struct story_case *c)
{
    licet_facts facts = {.app = app_named(image, c->app),
                         .credential = LICET_NONE,
                         .method = LICET_BYTES_LITERAL("GET"),
                         .path = LICET_BYTES_LITERAL("/2/tweets/search/recent"),
                         .use_case = licet_bytes_of_text(c->use_case),
                         .purpose = licet_bytes_of_text(c->purpose),
                         .recipient = licet_bytes_of_text(c->recipient),
                         .flow = c->flow};

    assert_true(licet_time_parse(licet_bytes_of_text(c->at), &facts.time_ms));
    return facts;
}

static void
say(const licet_image *image, const licet_verdict *v, char *out, size_t room)
{
    licet_bytes key = LICET_BYTES_LITERAL("-"), section = LICET_BYTES_LITERAL("-");

    if (v->reason == LICET_REASON_NONE) {
        snprintf(out, room, "%s", licet_verdict_name(v->verdict));
        return;
    }
    if (v->clause != LICET_NONE) {
        key = licet_image_text(image, image->clauses[v->clause].key);
        section = licet_image_text(image, image->clauses[v->clause].section);
    }
    snprintf(out, room, "%s %.*s %.*s %s", licet_verdict_name(v->verdict), (int)key.len, (const char *)key.data,
             (int)section.len, (const char *)section.data, licet_reason_slug(v->reason));
}

/* In observe mode the same events are found and nothing is refused. */
static void
judge_all(bool enforce)
{
    unsigned failures = 0;
    licet_buffer blob;
    licet_image image;
    char got[256], expected[256];

    make_image(enforce, &blob, &image);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        licet_facts facts = facts_of(&image, &cases[i]);
        licet_verdict verdict;
        bool refused = strncmp(cases[i].expected, "refuse", 6) == 0;

        licet_decide(&image, &facts, &verdict);
        say(&image, &verdict, got, sizeof(got));
        snprintf(expected, sizeof(expected), "%s%s", refused && !enforce ? "observe" : "",
                 cases[i].expected + (refused && !enforce ? 6 : 0));
        if (strcmp(got, expected) != 0) {
            print_error("%s %s %s to \"%s\" at %s:\n  got      %s\n  expected %s\n", cases[i].app, cases[i].use_case,
                        cases[i].purpose, cases[i].recipient, cases[i].at, got, expected);
            failures++;
        }
    }
    licet_buffer_done(&blob);
    assert_int_equal(failures, 0);
}

static void
test_enforced(void **state)
{
    judge_all(true);
}

static void
test_observed(void **state)
{
    judge_all(false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enforced),
        cmocka_unit_test(test_observed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
