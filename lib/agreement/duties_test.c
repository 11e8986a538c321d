/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents and duties: each message with its place, contradictions as notes, terms that renew, and deadlines.
 */
#include "test_site.h"

#define AT "agreements/M-2022-7/2022-10-10.yaml:"
#define MODE "mode: enforce\n"
#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DOCUMENTS                                                                                                      \
    "documents:\n"                                                                                                     \
    "  - { title: Agreement, sha256: " SHA ", sections: roman }\n"                                                     \
    "  - { title: Policy, sha256: " SHA ", sections: none, date: 2022-07-01 }\n"
#define RATE "  RATE: { section: Order form 3, says: 450 searches in 15 minutes }\n"

static const struct change {
    const char *name, *from, *to;
    const char *mistakes, *notes;
} changes[] = {
    {"everything", MODE,
     MODE
     "known_from: 2022-11-01\n"
     "precedence: first\n" DOCUMENTS
     "retention: { keep: 30 days, delete: 24 hours from written request, at_end: 10 business days, clause: RATE }\n"
     "reports:\n"
     "  - { name: declaration, covers: month, due: day 15 of next month, by: licensee, clause: RATE }\n"
     "  - { name: review, covers: quarter, due: 10 business days after, by: licensor }\n"
     "audit: { look_back: 2 years, at_most: once in 12 months, notice: reasonable, survives: 1 year }\n"
     "breach: { notice: immediately, cure: 30 days, waiver: written }\n"
     "termination: { notice: 30 days, by: either }\n",
     "", ""},
    {"affiliates", "  licensee: { legal_name",
     "  affiliates: { test: half of the votes, included: [A, B], disputed: [C, B] }\n  licensee: { legal_name",
     AT "6:74: parties: affiliates: \"B\" is both included and disputed\n", ""},
    {"document without a hash", MODE, MODE "documents: [ { title: Agreement, sections: roman } ]\n",
     AT "19:14: document Agreement: field \"sha256\" is missing\n", ""},
    {"hash", MODE, MODE "documents: [ { title: Agreement, sha256: 9f2c, sections: roman } ]\n",
     AT "19:42: document Agreement: sha256 \"9f2c\": expected 64 lower-case hex digits, the SHA-256 of the document's "
        "file\n",
     ""},
    {"title twice", MODE,
     MODE "documents:\n  - { title: A, sha256: " SHA ", sections: roman }\n"
          "  - { title: A, sha256: " SHA ", sections: none }\n",
     AT "21:14: document \"A\": an earlier one has this title\n", ""},
    {"unknown document", RATE, "  RATE: { section: 3, says: Four, document: Policy }\n",
     AT "11:45: clause RATE: document \"Policy\" is not among the documents of this version\n", ""},
    {"document says an unknown clause", MODE,
     MODE "documents: [ { title: A, sha256: " SHA ", sections: roman, says: { HYD: 5 } } ]\n",
     AT "19:125: document A: says: clause \"HYD\" is not among the clauses of this version\n", ""},
    {"class", RATE, "  RATE: { section: 3, says: Four, class: Q }\n",
     AT "11:42: clause RATE: class \"Q\": expected G, M, A or P\n", ""},
    {"obligation without a key", RATE, "  \"\": { section: 3, says: Four }\n",
     AT
     "11:3: clause \"\": expected 1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first\n" AT
     "15:15: limit RATE: clause \"RATE\" is not among the clauses of this version\n",
     ""},
    {"version without a date", "from: 2022-10-10, ", "", AT "2:11: in_force: field \"from\" is missing\n", ""},
    {"renewal without an end", "before: 2023-10-10, then: refuse", "then: renew 12 months",
     AT "2:37: in_force: then \"renew 12 months\": expected with before, the end of the first term\n", ""},
    {"terminated before it began", "then: refuse", "then: continue, terminated: 2022-10-01",
     AT "2:79: in_force: terminated \"2022-10-01\": expected a time after from \"2022-10-10\"\n", ""},
    {"terminated after its end", "then: refuse", "then: refuse, terminated: 2024-10-01",
     AT "2:77: in_force: terminated \"2024-10-01\": it ends with before \"2023-10-10\" already\n", ""},
    {"length", MODE, MODE "retention: { keep: a month }\n",
     AT
     "19:20: retention: keep \"a month\": expected a length of time such as 30 days, 10 business days or 24 hours, or "
     "unlimited\n",
     ""},
    {"due", MODE, MODE "reports: [ { name: d, covers: month, due: the 15th } ]\n",
     AT
     "19:43: report d: due \"the 15th\": expected day 15 of next month, business day 10 of next month or a length of "
     "time such as 10 business days after\n",
     ""},
    {"report twice", MODE,
     MODE "reports:\n  - { name: d, covers: month, due: day 1 of next month }\n"
          "  - { name: d, covers: year, due: 2 weeks after }\n",
     AT "21:13: report \"d\": an earlier one has this name (line 20)\n", ""},
    {"audit", MODE, MODE "audit: { at_most: yearly }\n",
     AT "19:19: audit: at_most \"yearly\": expected once in 12 months, 2 times in 12 months or unlimited\n", ""},
    {"audit clause", MODE, MODE "audit: { clause: AUDIT }\n",
     AT "19:18: audit: clause \"AUDIT\" is not among the clauses of this version\n", ""},
    {"two paragraphs on audits", MODE,
     MODE "audit:\n  - { clause: RATE, look_back: 2 years, at_most: once in 12 months }\n"
          "  - { clause: NO-TRAIN, look_back: unlimited, at_most: unlimited }\n",
     "",
     AT "21:36: audit: clause NO-TRAIN says look_back unlimited, but clause RATE says 2 years (" AT
        "20:32): both stand, and a finding must say which it needs\n" AT
        "21:56: audit: clause NO-TRAIN says at_most unlimited, but clause RATE says once in 12 months (" AT
        "20:50): both stand, and a finding must say which it needs\n"},
    {"500 against 50,000: the first wins", RATE,
     "  RATE: { section: II, says: Hydrated, document: Agreement, value: 450,\n"
     "    also: [ { document: Policy, section: 3, value: 50_000 } ] }\n",
     "",
     AT "12:52: clause RATE: \"Policy\", section 3, says 50_000, but \"Agreement\", section II, says 450 (" AT
        "11:68): 450 holds, by precedence: first\n"},
    {"500 against 50,000: the limit must say what won", RATE,
     "  RATE: { section: II, says: Hydrated, document: Policy, value: 450,\n"
     "    also: [ { document: Agreement, section: 3, value: 50_000 } ] }\n",
     AT "16:42: limit RATE: most \"450\": \"Agreement\", section 3, says 50_000 (line 12:55), and that holds\n",
     AT "11:65: clause RATE: \"Policy\", section II, says 450, but \"Agreement\", section 3, says 50_000 (" AT
        "12:55): 50_000 holds, by precedence: first\n"},
    {"500 against 50,000: the strictest wins", RATE,
     "  RATE: { section: II, says: Hydrated, document: Policy, value: 450,\n"
     "    also: [ { document: Agreement, section: 3, value: 50_000 } ] }\nprecedence: strictest\n",
     "",
     AT "12:55: clause RATE: \"Agreement\", section 3, says 50_000, but \"Policy\", section II, says 450 (" AT
        "11:65): 450 holds, by precedence: strictest\n"},
    {"unlimited against approved only", RATE,
     RATE "  ACAD: { section: II, says: Academic ids, document: Agreement, value: unlimited,\n"
          "    also: [ { document: Policy, value: only if approved } ] }\nprecedence: strictest\n",
     "",
     AT "12:72: clause ACAD: \"Agreement\", section II, says unlimited, but \"Policy\" says only if approved (" AT
        "13:40): only if approved holds, by precedence: strictest\n"},
    {"two conditions", RATE,
     RATE "  ACAD: { section: II, says: Academic ids, document: Agreement, value: 500,\n"
          "    also: [ { document: Policy, value: only if approved } ] }\nprecedence: strictest\n",
     AT "13:40: clause ACAD: \"only if approved\" here and \"500\" in line 12: no machine tells which is stricter; "
        "precedence: first decides by the order of the documents\n",
     ""},
    {"the same number written otherwise", RATE,
     "  RATE: { section: II, says: Hydrated, document: Agreement, value: 450,\n"
     "    also: [ { document: Policy, value: 4_50 } ] }\n",
     "", ""},
};

static char *
text_of(const licet_mistakes *list)
{
    licet_buffer out;
    char *text;

    licet_buffer_init(&out, (size_t)1 << 20);
    for (size_t i = 0; list != NULL && i < list->len; i++) {
        licet_put_format(&out, "%s:%u:%u: %s\n", list->list[i].file, list->list[i].line, list->list[i].column,
                         list->list[i].text);
    }
    text = strndup(out.len == 0 ? "" : (const char *)out.data, out.len);
    licet_buffer_done(&out);
    assert_non_null(text);
    return text;
}

/* Where a case has documents in its clauses, they stand behind mode. */
static void
write_case(const test_site *site, const struct change *change)
{
    const char *base = "";
    char *text, *whole;

    for (size_t i = 0; i < TEST_FILES; i++) {
        base = strcmp(test_files[i].path, VERSION) == 0 ? test_files[i].text : base;
    }
    text = test_replaced(base, change->from, change->to);
    whole = strstr(text, "value: ") != NULL && strstr(text, "documents:") == NULL
                ? test_replaced(text, MODE, MODE DOCUMENTS)
                : strdup(text);
    assert_non_null(whole);
    test_write(site, VERSION, whole, strlen(whole));
    free(whole);
    free(text);
}

static unsigned
differ(const struct change *change, const char *what, const char *expected, const char *actual)
{
    if (strcmp(expected, actual) == 0) {
        return 0;
    }
    print_error("%s, %s:\n expected %s actual   %s", change->name, what, expected, actual);
    return 1;
}

static void
test_messages(void **state)
{
    unsigned failures = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        licet_mistakes mistakes = {0};
        licet_site *loaded = NULL;
        licet_error err = {0};
        test_site site;
        char *said, *noted;

        test_site_init(&site);
        write_case(&site, &changes[i]);
        assert_true(licet_site_load(site.dir, &mistakes, &loaded, &err) == (mistakes.len == 0));
        said = text_of(&mistakes);
        failures += differ(&changes[i], "mistakes", changes[i].mistakes, said);
        if (loaded != NULL) { /* notes of a site with mistakes are nobody's */
            noted = text_of(licet_site_notes(loaded));
            failures += differ(&changes[i], "notes", changes[i].notes, noted);
            free(noted);
        }
        free(said);
        licet_mistakes_done(&mistakes);
        licet_site_free(loaded);
        test_site_done(&site);
    }
    assert_int_equal(failures, 0);
}

/* ---- terms -------------------------------------------------------------------------- */

static uint64_t
ms(const char *text)
{
    uint64_t out = 0;

    assert_true(licet_time_parse(licet_bytes_of_text(text), &out));
    return out;
}

static bool
counter_of(void *user, const char *identity, uint32_t rows, uint32_t *out_counter, licet_error *err)
{
    uint32_t *next = user;

    (void)identity;
    (void)err;
    *out_counter = *next;
    *next += rows;
    return true;
}

typedef struct compiled {
    licet_buffer blob;
    licet_image image;
} compiled;

static void
compile_with(compiled *c, const char *in_force, const char *more)
{
    licet_compile_options options = {.cell = 1, .number = 1, .counter_of = counter_of};
    uint32_t next = 0;
    licet_error err = {0};
    test_site site;
    licet_site *loaded;
    char *text, *whole;

    options.user = &next;
    test_site_init(&site);
    text = test_replaced(test_files[2].text, "{ from: 2022-10-10, before: 2023-10-10, then: refuse }", in_force);
    whole = test_replaced(text, MODE, more);
    test_write(&site, VERSION, whole, strlen(whole));
    free(text);
    free(whole);
    loaded = test_site_load(&site);
    licet_buffer_init(&c->blob, (size_t)1 << 24);
    if (!licet_site_compile(loaded, 0, &options, &c->blob, &err) ||
        !licet_image_open(licet_buffer_view(&c->blob), &c->image, &err)) {
        fail_msg("%s", err.text);
    }
    licet_site_free(loaded);
    test_site_done(&site);
}

static void
test_renewal(void **state)
{
    compiled c;
    uint64_t from, before;

    (void)state;
    compile_with(&c, "{ from: 2022-01-31, before: 2023-01-31, then: renew 3 months }", MODE);
    assert_int_equal(c.image.versions[0].renew_months, 3);
    assert_int_equal(licet_image_version_at(&c.image, ms("2022-01-30T23:59:59Z")), LICET_NONE);
    assert_int_equal(licet_image_version_at(&c.image, ms("2049-01-01")), 0);
    licet_image_term_at(&c.image.versions[0], ms("2022-05-01"), &from, &before);
    assert_int_equal(from, ms("2022-01-31"));
    assert_int_equal(before, ms("2023-01-31"));
    licet_image_term_at(&c.image.versions[0], ms("2023-01-31"), &from, &before);
    assert_int_equal(from, ms("2023-01-31"));
    assert_int_equal(before, ms("2023-04-30")); /* April has no 31st, and the next term ends on the 31st again */
    licet_image_term_at(&c.image.versions[0], ms("2023-04-29T23:00:00Z"), &from, &before);
    assert_int_equal(from, ms("2023-01-31"));
    licet_image_term_at(&c.image.versions[0], ms("2023-04-30"), &from, &before);
    assert_int_equal(from, ms("2023-04-30"));
    assert_int_equal(before, ms("2023-07-31"));
    licet_buffer_done(&c.blob);

    compile_with(&c, "{ from: 2022-01-31, before: 2023-01-31, then: renew 1 year, terminated: 2024-03-01 }", MODE);
    assert_int_equal(licet_image_version_at(&c.image, ms("2024-02-29T23:59:59Z")), 0);
    assert_int_equal(licet_image_version_at(&c.image, ms("2024-03-01")), LICET_NONE);
    licet_buffer_done(&c.blob);

    compile_with(&c, "{ from: 2022-01-31, terminated: 2022-06-01 }", MODE);
    assert_int_equal(licet_image_version_at(&c.image, ms("2022-05-31T23:59:59Z")), 0);
    assert_int_equal(licet_image_version_at(&c.image, ms("2022-06-01")), LICET_NONE);
    licet_buffer_done(&c.blob);
}

static void
test_image(void **state)
{
    compiled c;
    const licet_image_duty *duty;

    (void)state;
    compile_with(&c, "{ from: 2022-10-10 }",
                 MODE "known_from: 2022-11-01\n"
                      "reports: [ { name: declaration, covers: month, due: day 15 of next month, clause: RATE } ]\n");
    assert_int_equal(c.image.versions[0].known_from_ms, ms("2022-11-01"));
    assert_true(
        licet_bytes_equal_text(licet_image_text(&c.image, c.image.versions[0].licensor), "Example Platform Inc."));
    assert_int_equal(c.image.versions[0].duties.count, 1);
    duty = &c.image.duties[0];
    assert_true(licet_bytes_equal_text(licet_image_text(&c.image, duty->name), "declaration"));
    assert_true(licet_bytes_equal_text(licet_image_text(&c.image, c.image.clauses[duty->clause].key), "RATE"));
    assert_int_equal(duty->covers, LICET_COVERS_MONTH);
    assert_int_equal(duty->due_kind, LICET_DUE_DAY);
    assert_int_equal(duty->due_count, 15);
    licet_buffer_done(&c.blob);
}

/* ---- deadlines ------------------------------------------------------------------------ */

static bool
holiday(const void *user, uint64_t day)
{
    return day == *(const uint64_t *)user;
}

static void
test_deadlines(void **state)
{
    uint64_t juneteenth = ms("2023-06-19") / 86400000;
    licet_deadline_days plain = {.zone = LICET_NONE};
    licet_deadline_days days = {.zone = LICET_NONE, .holiday = holiday, .user = &juneteenth};
    const struct {
        const char *from;
        uint32_t count;
        licet_length_unit unit;
        const char *end;
    } cases[] = {
        {"2023-05-18T09:00:00Z", 24, LICET_LENGTH_HOURS, "2023-05-19T09:00:00Z"},
        {"2023-05-18T09:00:00Z", 20, LICET_LENGTH_DAYS, "2023-06-08"},         /* to the end of 7 June */
        {"2023-06-16T23:00:00Z", 1, LICET_LENGTH_BUSINESS_DAYS, "2023-06-21"}, /* a Friday; Monday is off */
        {"2023-06-17", 1, LICET_LENGTH_BUSINESS_DAYS, "2023-06-21"},
        {"2023-06-12", 10, LICET_LENGTH_BUSINESS_DAYS, "2023-06-28"},
        {"2023-05-18", 2, LICET_LENGTH_WEEKS, "2023-06-02"},
        {"2023-01-31", 1, LICET_LENGTH_MONTHS, "2023-03-01"},
        {"2024-01-31", 1, LICET_LENGTH_MONTHS, "2024-03-01"},
        {"2024-02-29", 1, LICET_LENGTH_YEARS, "2025-03-01"},
        {"2023-12-15", 2, LICET_LENGTH_YEARS, "2025-12-16"},
    };
    const struct {
        licet_covers covers;
        licet_due due;
        const char *at, *end;
    } dues[] = {
        {LICET_COVERS_MONTH, {LICET_DUE_DAY, 15, LICET_LENGTH_DAYS}, "2023-05-31T23:59:59Z", "2023-06-16"},
        {LICET_COVERS_MONTH, {LICET_DUE_DAY, 31, LICET_LENGTH_DAYS}, "2023-01-10", "2023-03-01"},
        {LICET_COVERS_MONTH, {LICET_DUE_DAY, 15, LICET_LENGTH_DAYS}, "2022-12-01", "2023-01-16"},
        {LICET_COVERS_MONTH, {LICET_DUE_BUSINESS_DAY, 13, LICET_LENGTH_DAYS}, "2023-05-01", "2023-06-21"},
        {LICET_COVERS_QUARTER, {LICET_DUE_AFTER, 30, LICET_LENGTH_DAYS}, "2023-02-14", "2023-05-01"},
        {LICET_COVERS_YEAR, {LICET_DUE_AFTER, 1, LICET_LENGTH_MONTHS}, "2023-02-14", "2024-02-01"},
        {LICET_COVERS_WEEK, {LICET_DUE_AFTER, 2, LICET_LENGTH_BUSINESS_DAYS}, "2023-06-14", "2023-06-22"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(licet_deadline(&days, ms(cases[i].from), cases[i].count, cases[i].unit), ms(cases[i].end));
    }
    for (size_t i = 0; i < sizeof(dues) / sizeof(dues[0]); i++) {
        assert_int_equal(licet_due_of(&days, dues[i].covers, &dues[i].due, ms(dues[i].at)), ms(dues[i].end));
    }
    assert_int_equal(licet_deadline(&plain, ms("2023-06-16"), 1, LICET_LENGTH_BUSINESS_DAYS), ms("2023-06-20"));
    assert_int_equal(licet_covers_begin(&plain, LICET_COVERS_WEEK, ms("2023-06-18T12:00:00Z"), 0), ms("2023-06-12"));
    assert_int_equal(licet_deadline(&plain, ms("9999-12-30"), 10000, LICET_LENGTH_YEARS), UINT64_MAX);
}

/* A cure period of days against a calendar walked one by one. */
static void
test_deadlines_reference(void **state)
{
    licet_deadline_days plain = {.zone = LICET_NONE};
    uint64_t first = ms("2023-01-01") / 86400000;

    (void)state;
    for (uint64_t day = first; day < first + 400; day++) {
        for (uint32_t n = 1; n < 30; n++) {
            uint64_t at = day, left = n;
            while (left > 0) {
                at++;
                left -= (at + 4) % 7 != 0 && (at + 4) % 7 != 6; /* Sunday is 0 */
            }
            assert_int_equal(licet_deadline(&plain, day * 86400000 + 5, n, LICET_LENGTH_BUSINESS_DAYS),
                             (at + 1) * 86400000);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_renewal),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_deadlines_reference),
    };

    return cmocka_run_group_tests_name("duties", tests, NULL, NULL);
}
