/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decide: each rule, its order, what observe mode changes and what is reserved, one line per case. A verdict is written
 * as text, so that a case shows all of it.
 */
#include "licet/decide.h"

#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { POST = 2, USER = 3 };
enum { OBSERVE = 1, UNLISTED = 2, NOT_NAMED = 4, NOT_DECLARED = 8, UPGRADE = 16, KEY = 32, LATER_OBSERVES = 64 };
enum { PAGES = 0, ALERTS = 1 };

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 65 bytes */
#define NOON "2022-11-01T12:00:00Z"
#define SEARCH "GET /2/tweets/search/recent?query=x&max_results=50"

static const struct decide_case {
    const char *name;
    unsigned what;
    uint32_t app;
    const char *request, *use_case, *purpose, *recipient, *time;
    const char *expected;
} cases[] = {
    {"the default use case", 0, PAGES, SEARCH, "", "", "", NOON,
     "allow none search UC-2 display public | request 1 post 50 user 100 | CAP 50 RATE 1 USERS 100"},
    {"another product's use case of the same app", 0, PAGES, SEARCH, "UC-1", "", "", NOON,
     "allow none search UC-1 display press | request 1 post 50 user 100 | CAP 50 RATE 1 USERS 100"},
    {"declared values win", 0, PAGES, SEARCH, "UC-2", "search", "Ministry of X", NOON,
     "allow none search UC-2 search Ministry of X | request 1 post 50 user 100 | CAP 50 RATE 1 USERS 100"},
    {"no default: unattributed", 0, ALERTS, SEARCH, "", "", "", NOON,
     "allow none search - - - | request 1 post 50 user 100 | CAP 50 RATE 1 USERS 100"},
    {"a byte limit reserves one byte", 0, PAGES, "GET /2/tweets?ids=1,2,3", "", "", "", NOON,
     "allow none lookup UC-2 display public | request 1 byte 1 post 3 | CAP 3 BYTES 1"},
    {"no page: one", 0, PAGES, "GET /2/tweets/17", "", "", "", NOON,
     "allow none one UC-2 display public | request 1 post 1 | CAP 1"},
    {"counts nothing", 0, PAGES, "GET /2/usage/tweets", "", "", "", NOON,
     "allow none usage UC-2 display public | request 1 |"},
    {"unlisted, recorded", 0, PAGES, "GET /1.1/x", "", "", "", NOON, "allow none - UC-2 display public | request 1 |"},
    {"HEAD is judged as GET", UNLISTED, PAGES, "HEAD /2/tweets/17", "", "", "", NOON,
     "allow none one UC-2 display public | request 1 post 1 | CAP 1"},
    {"another method is unlisted", UNLISTED, PAGES, "POST /2/tweets", "", "", "", NOON,
     "refuse endpoint-unlisted - UC-2 display public | |"},
    {"unlisted, refused", UNLISTED, PAGES, "GET /1.1/x", "", "", "", NOON,
     "refuse endpoint-unlisted - UC-2 display public | |"},
    {"unlisted, observed", UNLISTED | OBSERVE, PAGES, "GET /1.1/x", "", "", "", NOON,
     "observe endpoint-unlisted - UC-2 display public | request 1 |"},

    {"use case too long", 0, PAGES, SEARCH, LONG, "", "", NOON,
     "refuse declaration-too-long,use-case-unknown search - - - | |"},
    {"purpose too long is none", 0, PAGES, SEARCH, "", LONG, "", NOON,
     "refuse declaration-too-long search UC-2 - public | |"},
    {"recipient too long is none, observed", OBSERVE, PAGES, SEARCH, "", "", LONG, NOON,
     "observe declaration-too-long search UC-2 display - | request 1 post 50 user 100 | CAP 50 RATE 1 USERS 100"},

    {"before the first version", 0, PAGES, SEARCH, "", "", "", "2022-10-09T23:59:59.999Z",
     "refuse no-agreement-in-force,use-case-not-approved search UC-2 display public | |"},
    {"the first instant of it", 0, PAGES, SEARCH, "", "", "", "2022-10-10",
     "allow none search UC-2 display public | request 1 post 50 user 100 | CAP 50 RATE 1 USERS 100"},
    {"the last instant of it", 0, PAGES, SEARCH, "", "", "", "2023-10-09T23:59:59.999Z",
     "allow none search UC-2 display public | request 1 post 50 user 100 | CAP 50 RATE 1 USERS 100"},
    {"after its end", 0, PAGES, SEARCH, "", "", "", "2023-10-10",
     "refuse no-agreement-in-force search UC-2 display public | |"},
    {"without terms no limit and no purpose rule binds", OBSERVE, PAGES, SEARCH, "", "train-ai", "", "2023-10-10",
     "observe no-agreement-in-force search UC-2 train-ai public | request 1 post 50 user 100 |"},
    {"the mode of the version that ended last holds", LATER_OBSERVES, PAGES, SEARCH, "", "", "", "2025-01-01",
     "observe no-agreement-in-force search UC-2 display public | request 1 post 50 user 100 |"},
    {"and before the first that of the first", LATER_OBSERVES, PAGES, SEARCH, "", "", "", "2022-01-01",
     "refuse no-agreement-in-force,use-case-not-approved search UC-2 display public | |"},
    {"the second version judges in its time", LATER_OBSERVES, PAGES, SEARCH, "", "", "", "2023-12-01",
     "allow none search UC-2 display public | request 1 post 50 user 100 |"},

    {"credential before its time", KEY, PAGES, SEARCH, "", "", "", "2022-10-31T23:59:59.999Z",
     "refuse credential-ended search UC-2 display public | |"},
    {"credential from its first instant", KEY, PAGES, SEARCH, "", "", "", "2022-11-01",
     "allow none search UC-2 display public | request 1 post 50 user 100 | CAP 50 RATE 1 USERS 100"},
    {"credential at its end", KEY, PAGES, SEARCH, "", "", "", "2022-12-01",
     "refuse credential-ended search UC-2 display public | |"},
    {"another protocol where posts count", UPGRADE, PAGES, SEARCH, "", "", "", NOON,
     "refuse upgrade-refused search UC-2 display public | |"},
    {"another protocol at an unlisted endpoint", UPGRADE, PAGES, "GET /socket", "", "", "", NOON,
     "refuse upgrade-refused - UC-2 display public | |"},
    {"another protocol where nothing counts", UPGRADE, PAGES, "GET /2/usage/tweets", "", "", "", NOON,
     "allow none usage UC-2 display public | request 1 |"},

    {"use case nobody registered", 0, PAGES, SEARCH, "UC-99", "", "", NOON, "refuse use-case-unknown search - - - | |"},
    {"use case of a product the app does not feed", 0, ALERTS, SEARCH, "UC-2", "", "", NOON,
     "refuse use-case-unknown search - - - | |"},
    {"unknown use case, observed: unattributed, not the default", OBSERVE, PAGES, SEARCH, "UC-99", "", "", NOON,
     "observe use-case-unknown search - - - | request 1 post 50 user 100 | CAP 50 RATE 1 USERS 100"},
    {"use case of another letter case", 0, PAGES, SEARCH, "uc-2", "", "", NOON,
     "refuse use-case-unknown search - - - | |"},
    {"not approved yet", 0, PAGES, SEARCH, "UC-3", "", "", "2022-12-31T23:59:59.999Z",
     "refuse use-case-not-approved search UC-3 search - | |"},
    {"approved from this instant", 0, PAGES, SEARCH, "UC-3", "", "", "2023-01-01",
     "allow none search UC-3 search - | request 1 post 50 user 100 | CAP 50 RATE 1 USERS 100"},
    {"never approved", 0, PAGES, SEARCH, "UC-4", "", "", NOON,
     "refuse use-case-not-approved,purpose-forbidden search UC-4 train-ai - | |"},
    {"never approved, observed: it stays its use case", OBSERVE, PAGES, "GET /2/usage/tweets", "UC-4", "", "", NOON,
     "observe use-case-not-approved,purpose-forbidden usage UC-4 train-ai - | request 1 |"},

    {"forbidden purpose declared", 0, PAGES, SEARCH, "", "train-ai", "", NOON,
     "refuse purpose-forbidden by NO-TRAIN search UC-2 train-ai public | |"},
    {"forbidden purpose, observed", OBSERVE, PAGES, SEARCH, "", "train-ai", "", NOON,
     "observe purpose-forbidden by NO-TRAIN search UC-2 train-ai public | request 1 post 50 user 100 | "
     "CAP 50 RATE 1 USERS 100"},
    {"a declared purpose wins over the use case's", 0, PAGES, SEARCH, "UC-5", "display", "", NOON,
     "allow none search UC-5 display - | request 1 post 50 user 100 | CAP 50 RATE 1 USERS 100"},
    {"the use case's purpose is judged", 0, PAGES, SEARCH, "UC-5", "", "", NOON,
     "refuse purpose-forbidden by NO-TRAIN search UC-5 train-ai - | |"},
    {"purpose not named, recorded", 0, PAGES, "GET /2/tweets/1", "", "archive", "", NOON,
     "allow none one UC-2 archive public | request 1 post 1 | CAP 1"},
    {"purpose not named, refused", NOT_NAMED, PAGES, "GET /2/tweets/1", "", "archive", "", NOON,
     "refuse purpose-not-named one UC-2 archive public | |"},
    {"purpose not declared, recorded", 0, ALERTS, "GET /2/tweets/1", "", "", "", NOON,
     "allow none one - - - | request 1 post 1 | CAP 1"},
    {"purpose not declared, refused", NOT_DECLARED, ALERTS, "GET /2/tweets/1", "", "", "", NOON,
     "refuse purpose-not-declared one - - - | |"},
    {"the first rule gives the reason", UNLISTED | UPGRADE | KEY, PAGES, "GET /x", "UC-9", "train-ai", LONG,
     "2021-01-01",
     "refuse declaration-too-long,credential-ended,no-agreement-in-force,use-case-unknown,endpoint-unlisted,"
     "upgrade-refused - - train-ai - | |"},
};

static uint64_t
at(const char *time)
{
    uint64_t ms = 0;

    assert_true(licet_time_parse(licet_bytes_of_text(time), &ms));
    return ms;
}

static void
add_use_case(world *w, const char *id, uint32_t product, const char *purpose, const char *recipient, uint64_t approved)
{
    *WORLD_ADD(w, use_cases) = (licet_image_use_case){
        .id = world_text(w, id),
        .product = product,
        .purpose = world_text(w, purpose),
        .recipient = world_text(w, recipient),
        .approved = world_approved(w, approved),
    };
}

static void
add_limit(world *w, const char *clause, uint32_t kind, licet_per per, uint32_t span_s, licet_over over,
          uint32_t only_endpoint)
{
    licet_image_limit *limit = WORLD_ADD(w, limits);

    limit->clause = w->header.clauses_len;
    WORLD_ADD(w, clauses)->key = world_text(w, clause);
    limit->kind = kind;
    limit->most = 1000;
    limit->per = per;
    limit->span_s = span_s;
    limit->over = over;
    if (only_endpoint != LICET_NONE) {
        limit->endpoints = (licet_range){w->header.limit_endpoints_len, 1};
        *WORLD_ADD(w, limit_endpoints) = only_endpoint;
    }
    limit->weight = 1;
    limit->zone = LICET_NONE;
    limit->first_day = 1;
    limit->flow = LICET_NONE;
    world_counters(w, limit, over == LICET_OVER_APP ? 7 : 40 + w->header.limits_len, over == LICET_OVER_APP ? 2 : 1);
}

static void
build(world *w, unsigned what)
{
    licet_image_version *v;
    uint64_t signing;

    world_init(w);
    signing = at("2022-10-10");
    w->header.kinds_len = 4;
    *WORLD_ADD(w, products) = world_text(w, "Pages");
    *WORLD_ADD(w, products) = world_text(w, "Alerts");
    world_feed(w, 0);
    world_feed(w, 1);
    *WORLD_ADD(w, apps) = (licet_image_app){
        .id = world_text(w, "pages"), .default_use_case = 1, .products = {0, 2}, .before_ms = UINT64_MAX};
    *WORLD_ADD(w, apps) = (licet_image_app){
        .id = world_text(w, "alerts"), .default_use_case = LICET_NONE, .products = {1, 1}, .before_ms = UINT64_MAX};
    add_use_case(w, "UC-1", 1, "display", "press", signing);
    add_use_case(w, "UC-2", 0, "display", "public", signing);
    add_use_case(w, "UC-3", 0, "search", "", at("2023-01-01"));
    add_use_case(w, "UC-4", 0, "train-ai", "", UINT64_MAX);
    add_use_case(w, "UC-5", 0, "train-ai", "", signing);
    *WORLD_ADD(w, credentials) =
        (licet_image_credential){.recipient = LICET_NONE, .from_ms = at("2022-11-01"), .before_ms = at("2022-12-01")};

    world_endpoint(w, "lookup", "GET /2/tweets");
    world_count(w, POST, LICET_PAGE_ITEMS, "ids", 1, 100);
    world_endpoint(w, "usage", "GET /2/usage/tweets");
    world_endpoint(w, "one", "GET /2/tweets/{id}");
    world_count(w, POST, LICET_PAGE_NONE, "", 0, 0);
    world_endpoint(w, "search", "GET /2/tweets/search/recent");
    world_count(w, POST, LICET_PAGE_QUERY, "max_results", 10, 100);
    world_count(w, USER, LICET_PAGE_NUMBER, "", 100, 100);

    add_limit(w, "CAP", POST, LICET_PER_MONTH, 0, LICET_OVER_LICENSEE, LICET_NONE);
    add_limit(w, "RATE", LICET_KIND_REQUEST, LICET_PER_SPAN, 900, LICET_OVER_APP, 3);
    add_limit(w, "USERS", USER, LICET_PER_SPAN, 86400, LICET_OVER_LICENSEE, LICET_NONE);
    add_limit(w, "BYTES", LICET_KIND_BYTE, LICET_PER_SPAN, 3600, LICET_OVER_LICENSEE, 0);

    *WORLD_ADD(w, purposes) = (licet_image_purpose){.name = world_text(w, "display"), .forbidden_by = LICET_NONE};
    *WORLD_ADD(w, purposes) = (licet_image_purpose){.name = world_text(w, "search"), .forbidden_by = LICET_NONE};
    *WORLD_ADD(w, purposes) =
        (licet_image_purpose){.name = world_text(w, "train-ai"), .forbidden_by = w->header.clauses_len};
    WORLD_ADD(w, clauses)->key = world_text(w, "NO-TRAIN");

    world_sort(w); /* they are in order already; a row added at the wrong place would fail the cases */
    v = WORLD_ADD(w, versions);
    v->from_ms = signing;
    v->before_ms = at("2023-10-10");
    v->mode = what & OBSERVE ? LICET_MODE_OBSERVE : LICET_MODE_ENFORCE;
    v->unlisted = what & UNLISTED ? LICET_RULE_REFUSE : LICET_RULE_RECORD;
    v->purpose_not_named = what & NOT_NAMED ? LICET_RULE_REFUSE : LICET_RULE_RECORD;
    v->purpose_not_declared = what & NOT_DECLARED ? LICET_RULE_REFUSE : LICET_RULE_RECORD;
    v->use_case_clause = v->recipient_clause = v->acceptance_clause = v->embargo_clause = LICET_NONE;
    for (uint32_t i = 0; i < w->header.clauses_len; i++) {
        w->clauses[i].mode = LICET_MODE_ENFORCE;
    }
    for (uint32_t i = 0; i < w->header.apps_len; i++) {
        w->apps[i].recipient = LICET_NONE;
    }
    v->clauses.count = w->header.clauses_len;
    v->purposes.count = w->header.purposes_len;
    v->endpoints.count = w->header.endpoints_len;
    v->limits.count = w->header.limits_len;
    if (what & LATER_OBSERVES) {
        licet_image_version *second = WORLD_ADD(w, versions);

        *second = *v;
        second->from_ms = v->before_ms;
        second->before_ms = at("2024-10-10");
        second->mode = LICET_MODE_OBSERVE;
        second->limits.count = 0;
    }
}

/* Appends ' text', or the text alone at the start. */
static void
say(char *out, size_t cap, const char *format, ...)
{
    size_t len = strlen(out);
    va_list args;

    va_start(args, format);
    vsnprintf(out + len, cap - len, format, args);
    va_end(args);
}

static void
say_text(char *out, size_t cap, licet_bytes text)
{
    say(out, cap, " %.*s", text.len > 0 ? (int)text.len : 1, text.len > 0 ? (const char *)text.data : "-");
}

static void
write_verdict(const world *w, const licet_verdict *v, char *out, size_t cap)
{
    static const char *const kinds[] = {"request", "byte", "post", "user"};
    const char *comma = "";

    out[0] = '\0';
    say(out, cap, "%s ", licet_verdict_name(v->verdict));
    if (v->reasons == 0) {
        say(out, cap, "none");
    }
    if (v->reason != LICET_REASON_NONE) { /* the reason first, then what else refuses */
        say(out, cap, "%s", licet_reason_slug(v->reason));
        comma = ",";
    }
    for (unsigned r = 0; r < LICET_REASONS_LEN; r++) {
        if (v->reasons >> r & 1 && r != (unsigned)v->reason) {
            say(out, cap, "%s%s", comma, licet_reason_slug((licet_reason)r));
        }
    }
    if (v->clause != LICET_NONE) {
        say(out, cap, " by");
        say_text(out, cap, licet_image_text(&w->image, w->clauses[v->clause].key));
    }
    say_text(out, cap,
             v->endpoint == LICET_NONE ? licet_bytes_of(NULL, 0)
                                       : licet_image_text(&w->image, w->endpoints[v->endpoint].id));
    say_text(out, cap,
             v->use_case == LICET_NONE ? licet_bytes_of(NULL, 0)
                                       : licet_image_text(&w->image, w->use_cases[v->use_case].id));
    say_text(out, cap, v->purpose);
    say_text(out, cap, v->recipient);
    say(out, cap, " |");
    for (unsigned k = 0; k < 4; k++) {
        if (v->reserve[k] > 0) {
            say(out, cap, " %s %llu", kinds[k], (unsigned long long)v->reserve[k]);
        }
    }
    say(out, cap, " |");
    for (uint32_t i = 0; i < v->limits_len; i++) {
        say_text(out, cap, licet_image_text(&w->image, w->clauses[w->limits[v->limits[i].limit].clause].key));
        say(out, cap, " %llu", (unsigned long long)v->limits[i].amount);
    }
}

static licet_facts
facts_of(const struct decide_case *c)
{
    const char *path = strchr(c->request, ' ') + 1, *query = strchr(path, '?');

    return (licet_facts){
        .app = c->app,
        .credential = c->what & KEY ? 0 : LICET_NONE,
        .method = licet_bytes_of(c->request, (size_t)(path - 1 - c->request)),
        .path = query != NULL ? licet_bytes_of(path, (size_t)(query - path)) : licet_bytes_of_text(path),
        .query = licet_bytes_of_text(query != NULL ? query + 1 : ""),
        .use_case = licet_bytes_of_text(c->use_case),
        .purpose = licet_bytes_of_text(c->purpose),
        .recipient = licet_bytes_of_text(c->recipient),
        .upgrade = (c->what & UPGRADE) != 0,
        .time_ms = at(c->time),
    };
}

static void
test_cases(void **state)
{
    static world w;
    char got[1024];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        licet_facts facts = facts_of(&cases[i]);
        licet_verdict verdict;

        memset(&verdict, 0xa5, sizeof(verdict)); /* nothing may be left as it was */
        build(&w, cases[i].what);
        licet_decide(&w.image, &facts, &verdict);
        write_verdict(&w, &verdict, got, sizeof(got));
        if (strcmp(got, cases[i].expected) != 0) {
            fail_msg("%s:\n  got      %s\n  expected %s", cases[i].name, got, cases[i].expected);
        }
        for (uint32_t k = 4; k < LICET_KINDS_MAX; k++) {
            assert_int_equal(verdict.reserve[k], 0);
        }
        assert_int_equal(verdict.metered, strstr(cases[i].expected, " search ") != NULL ||
                                              strstr(cases[i].expected, " lookup ") != NULL ||
                                              strstr(cases[i].expected, " one ") != NULL);
    }
}

/* Counters: one for the licensee, one for each app; windows by span and by month. */
static void
test_counters_and_windows(void **state)
{
    static world w;
    licet_facts facts = facts_of(&cases[0]);
    licet_verdict verdict;

    build(&w, 0);
    licet_decide(&w.image, &facts, &verdict);
    assert_int_equal(verdict.limits[0].counter, w.limit_counters[w.limits[0].counters.first]);
    assert_int_equal(verdict.limits[0].window, (2022 - 1970) * 12 + 10);
    assert_int_equal(verdict.limits[1].counter, 7);
    assert_int_equal(verdict.limits[1].window, facts.time_ms / 1000 / 900);
    facts.app = ALERTS;
    licet_decide(&w.image, &facts, &verdict);
    assert_int_equal(verdict.limits[0].counter, w.limit_counters[w.limits[0].counters.first]);
    assert_int_equal(verdict.limits[1].counter, 8);
}

/* What was refused can be explained with the amounts it would have had. */
static void
test_amounts_of_a_refusal(void **state)
{
    static world w;
    licet_facts facts = facts_of(&cases[0]);
    licet_verdict verdict;
    char got[1024];

    build(&w, 0);
    facts.purpose = licet_bytes_of_text("train-ai");
    licet_decide(&w.image, &facts, &verdict);
    licet_decide_amounts(&w.image, &facts, &verdict);
    write_verdict(&w, &verdict, got, sizeof(got));
    assert_string_equal(got, "refuse purpose-forbidden by NO-TRAIN search UC-2 train-ai public | request 1 post 50 "
                             "user 100 | CAP 50 RATE 1 USERS 100");
}

static void
test_words(void **state)
{
    assert_string_equal(licet_reason_slug(LICET_REASON_CAP_REACHED), "cap-reached");
    assert_string_equal(licet_reason_title(LICET_REASON_CAP_REACHED), "The agreed amount is used up");
    assert_int_equal(licet_reason_status(LICET_REASON_CAP_REACHED), 429);
    assert_int_equal(licet_reason_status(LICET_REASON_NONE), 200);
    assert_string_equal(licet_reason_slug(LICET_REASON_UPGRADE_REFUSED), "upgrade-refused");
    assert_string_equal(licet_verdict_name(LICET_VERDICT_OPEN), "open");
    assert_string_equal(licet_reason_detail(LICET_REASON_QUOTA_HELD),
                        "Responses under way hold what is left; try again in a moment.");
    for (unsigned r = 0; r < LICET_REASONS_LEN; r++) { /* a slug names one reason alone and fits into a URL */
        const char *slug = licet_reason_slug((licet_reason)r);

        assert_int_equal(licet_reason_detail((licet_reason)r)[strlen(licet_reason_detail((licet_reason)r)) - 1], '.');
        assert_int_equal(strspn(slug, "abcdefghijklmnopqrstuvwxyz-"), strlen(slug));
        for (unsigned other = 0; other < r; other++) {
            assert_string_not_equal(slug, licet_reason_slug((licet_reason)other));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_counters_and_windows),
        cmocka_unit_test(test_amounts_of_a_refusal),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
