/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recipients: what licet check says of them by its text, and the grants that notices and approvals become.
 */
#include "test_site.h"

#include "licet/image.h"

#define DOC "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct change {
    const char *name, *file;
    const char *to; /* in place of use_cases: of apps.yaml, or of mode: enforce of the version */
    const char *expected;
} changes[] = {
    {"all of it", APPS,
     "recipients:\n"
     "  public: { class: public }\n"
     "  Ministry of X:\n"
     "    class: government\n"
     "    country: NO\n"
     "    accepted: { at: 2022-10-01, document: " DOC ", by: A. Poe }\n"
     "    notices: [ { use_case: UC-2, given: 2022-10-01, received: 2022-10-03, by: A, role: b, document: " DOC " } ]\n"
     "    approvals: [ { use_case: all, by: A, role: b, from: 2022-10-01, before: 2023-01-01, document: " DOC " } ]\n"
     "  Officer: { class: person, entity: Ministry of X }\n"
     "use_cases:",
     ""},
    {"class", APPS, "recipients:\n  X: { class: ministry }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:10:15: recipient X: class \"ministry\": expected public, person, company, "
     "academic, "
     "government, acting-for-government, surveillance or embargoed\n"},
    {"class missing", APPS, "recipients:\n  X: { country: US }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:10:6: recipient X: field \"class\" is missing\n"},
    {"country", APPS, "recipients:\n  X: { class: company, country: Norway }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:10:33: recipient X: country \"Norway\": expected a country of two capital letters "
     "such as US (ISO 3166-1)\n"},
    {"validity", APPS, "recipients:\n  X: { class: company, from: 2023-01-01, before: 2022-01-01 }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:10:50: recipient X: before \"2022-01-01\": expected a time after from "
     "\"2023-01-01\"\n"},
    {"entity unknown", APPS, "recipients:\n  X: { class: person, entity: Y }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:10:31: recipient X: entity \"Y\" is not among the recipients\n"},
    {"entity itself", APPS, "recipients:\n  X: { class: person, entity: X }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:10:31: recipient X: entity \"X\" is part of X itself\n"},
    {"entities in a circle", APPS,
     "recipients:\n  X: { class: person, entity: Y }\n  Y: { class: person, entity: X }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:10:31: recipient X: entity \"Y\" is part of X itself\n"
     "agreements/M-2022-7/apps.yaml:11:31: recipient Y: entity \"X\" is part of Y itself\n"},
    {"notices of a person", APPS,
     "recipients:\n  Y: { class: government }\n  X: { class: person, entity: Y, notices: [ { use_case: all, given: "
     "2022-10-01, by: A, role: b, document: " DOC " } ] }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:11:3: recipient X: notices are given for an entity: expected them with Y\n"},
    {"notice", APPS,
     "recipients:\n  Y: { class: government, notices: [ { use_case: UC-9, given: 2022-10-02, received: 2022-10-01, "
     "objected: 2022-10-01, by: A, role: b, document: abc } ] }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:10:50: recipient Y: notice 1: use_case \"UC-9\": expected all, or one of "
     "use_cases\n"
     "agreements/M-2022-7/apps.yaml:10:85: recipient Y: notice 1: received \"2022-10-01\": expected a time not before "
     "given \"2022-10-02\"\n"
     "agreements/M-2022-7/apps.yaml:10:107: recipient Y: notice 1: objected \"2022-10-01\": expected a time not before "
     "given \"2022-10-02\"\n"
     "agreements/M-2022-7/apps.yaml:10:145: recipient Y: notice 1: document \"abc\": expected 64 hex digits, the "
     "SHA-256 of the document\n"},
    {"government rule", VERSION,
     "mode: enforce\ngovernment:\n  - { needs: approval, clause: GOV, objection: 10 days, silence: consent }",
     "agreements/M-2022-7/2022-10-10.yaml:20:32: government 1: clause \"GOV\" is not among the clauses of this "
     "version\n"
     "agreements/M-2022-7/2022-10-10.yaml:20:48: government 1: objection goes with needs: notice\n"
     "agreements/M-2022-7/2022-10-10.yaml:20:66: government 1: silence goes with needs: notice\n"},
    {"business days of no calendar", VERSION,
     "mode: enforce\ngovernment: [ { needs: notice, clause: RATE, objection: 10 business days } ]",
     "agreements/M-2022-7/2022-10-10.yaml:19:57: government 1: objection \"10 business days\": expected "
     "calendar.business_days to say which days count\n"},
    {"objection", VERSION, "mode: enforce\ngovernment: [ { needs: notice, clause: RATE, objection: soon } ]",
     "agreements/M-2022-7/2022-10-10.yaml:19:57: government notice: objection \"soon\": expected a period such as 24 "
     "hours, 30 days, 10 business days, 3 months or 2 years\n"},
    {"each", VERSION, "mode: enforce\ngovernment: [ { needs: notice, clause: RATE, each: [use-case] } ]",
     "agreements/M-2022-7/2022-10-10.yaml:19:52: government notice: each: expected [entity], or [entity, use-case]: a "
     "notice is given for an entity\n"},
    {"classes", VERSION, "mode: enforce\ngovernment: [ { needs: notice, clause: RATE, classes: [army] } ]",
     "agreements/M-2022-7/2022-10-10.yaml:19:56: government notice: classes \"army\": expected public, person, "
     "company, "
     "academic, government, acting-for-government, surveillance or embargoed\n"},
    {"clauses", VERSION,
     "mode: enforce\nrecipients: { clause: A, must_accept: B }\nuse_cases: { clause: C }\nembargo: { clause: D, "
     "countries: [KP, Syria] }",
     "agreements/M-2022-7/2022-10-10.yaml:19:23: recipients: clause \"A\" is not among the clauses of this version\n"
     "agreements/M-2022-7/2022-10-10.yaml:19:39: recipients: must_accept \"B\" is not among the clauses of this "
     "version\n"
     "agreements/M-2022-7/2022-10-10.yaml:20:22: use_cases: clause \"C\" is not among the clauses of this version\n"
     "agreements/M-2022-7/2022-10-10.yaml:21:20: embargo: clause \"D\" is not among the clauses of this version\n"
     "agreements/M-2022-7/2022-10-10.yaml:21:39: embargo: countries \"Syria\": expected a country of two capital "
     "letters such as US (ISO 3166-1)\n"},
    {"example", VERSION, "mode: enforce\nexamples: [ { app: nobody, at: 2022-11-01, expect: deny, clause: A } ]",
     "agreements/M-2022-7/2022-10-10.yaml:19:20: example 1: app \"nobody\" is not in apps.yaml\n"
     "agreements/M-2022-7/2022-10-10.yaml:19:52: example 1: expect \"deny\": expected allow, refuse or observe\n"
     "agreements/M-2022-7/2022-10-10.yaml:19:66: example 1: clause \"A\" is not among the clauses of this version\n"},
};

static void
test_messages(void **state)
{
    unsigned failures = 0;

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        licet_mistakes mistakes = {0};
        licet_error err = {0};
        licet_site *loaded = NULL;
        char got[4096] = "";
        test_site site;

        test_site_init(&site);
        test_change(&site, changes[i].file, strcmp(changes[i].file, APPS) == 0 ? "use_cases:" : "mode: enforce",
                    changes[i].to);
        licet_site_load(site.dir, &mistakes, &loaded, &err);
        for (size_t j = 0; j < mistakes.len; j++) {
            size_t len = strlen(got);

            snprintf(got + len, sizeof(got) - len, "%s:%u:%u: %s\n", mistakes.list[j].file, mistakes.list[j].line,
                     mistakes.list[j].column, mistakes.list[j].text);
        }
        if (strcmp(got, changes[i].expected) != 0) {
            print_error("%s:\n expected\n%s actual\n%s", changes[i].name, changes[i].expected, got);
            failures++;
        }
        licet_mistakes_done(&mistakes);
        licet_site_free(loaded);
        test_site_done(&site);
    }
    assert_int_equal(failures, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_messages)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
