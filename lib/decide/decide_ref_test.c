/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decide against its slow reference: random agreements, random requests, the same verdict to the last field. The seed
 * is printed; LICET_TEST_SEED in the environment repeats a run.
 */
#include "decide_ref.h"

#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define DAY UINT64_C(86400000)

static uint64_t seed;

/* 0 .. below-1. */
static uint32_t
any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static bool
chance(uint32_t percent)
{
    return any(100) < percent;
}

/* A few names for everything, so that they meet; one at the limit of length, one beyond. */
#define NAMES 10
static const char *const names[NAMES] = {"a",
                                         "b",
                                         "ab",
                                         "display",
                                         "search",
                                         "train",
                                         "UC-1",
                                         "UC-2",
                                         "0123456789012345678901234567890123456789012345678901234567890123",
                                         "01234567890123456789012345678901234567890123456789012345678901234"};

static licet_bytes
any_name(void)
{
    return chance(10) ? licet_bytes_of(NULL, 0) : licet_bytes_of_text(names[any(NAMES)]);
}

static licet_range
any_range(uint32_t rows)
{
    uint32_t first = any(rows + 1);

    return (licet_range){first, any(rows - first + 1)};
}

static void
add_endpoints(world *w)
{
    static const char *const matches[] = {"GET /a",       "GET /{x}",       "GET /a/b",    "GET /a/{x}",
                                          "GET /{x}/b",   "GET /{x}/{y}",   "POST /a",     "GET /a/b/c",
                                          "GET /a/{x}/c", "GET /{x}/b/{y}", "POST /{x}/b", "GET /"};

    for (uint32_t n = any(8); n > 0; n--) {
        world_endpoint(w, "e", matches[any(sizeof(matches) / sizeof(matches[0]))]);
        for (uint32_t kind = 2; kind < w->header.kinds_len; kind++) {
            if (chance(40)) {
                uint64_t most = any(120);

                world_count(w, kind, (licet_page_from)any(4), chance(50) ? "n" : "ids", any(150), most);
            }
        }
    }
}

static void
add_limits(world *w)
{
    for (uint32_t n = any(12); n > 0; n--) {
        licet_image_limit *limit = WORLD_ADD(w, limits);

        limit->kind = any(w->header.kinds_len);
        limit->most = any(1000);
        limit->per = chance(40) ? LICET_PER_MONTH : LICET_PER_SPAN;
        limit->span_s = 1 + any(100000);
        limit->over = any(2);
        limit->endpoints.first = w->header.limit_endpoints_len;
        for (uint32_t e = any(4); e > 0 && w->header.endpoints_len > 0; e--) {
            *WORLD_ADD(w, limit_endpoints) = any(w->header.endpoints_len);
            limit->endpoints.count++;
        }
        limit->weight = 1 + any(3);
        limit->zone = LICET_NONE;
        limit->first_day = 1;
        limit->flow = LICET_NONE;
        world_counters(w, limit, any(1000), limit->over == LICET_OVER_APP ? w->header.apps_len : 1);
    }
}

static void
add_recipients(world *w)
{
    static const char *const countries[] = {"", "US", "KP", "DE"};

    for (uint32_t i = 0; i < 9; i++) {
        *WORLD_ADD(w, clauses) = (licet_image_clause){.mode = chance(80) ? LICET_MODE_ENFORCE : LICET_MODE_OBSERVE};
    }
    *WORLD_ADD(w, embargoed) = world_text(w, "KP");
    *WORLD_ADD(w, embargoed) = world_text(w, "US");
    for (uint32_t i = 0; i < NAMES - 1; i++) {
        if (chance(50)) {
            *WORLD_ADD(w, recipients) = (licet_image_recipient){
                .id = world_text(w, names[i]),
                .country = world_text(w, countries[any(4)]),
                .kind = any(LICET_CLASSES_LEN),
                .from_ms = chance(80) ? 0 : any(40) * DAY,
                .before_ms = chance(80) ? UINT64_MAX : (40 + any(50)) * DAY,
                .accepted_ms = chance(40) ? UINT64_MAX : any(60) * DAY,
            };
        }
    }
}

/* Each is part of a later one or of itself: chains without cycles. */
static void
join_recipients(world *w)
{
    uint32_t len = w->header.recipients_len;

    for (uint32_t i = len; i-- > 0;) {
        licet_image_recipient *recipient = &w->recipients[i];

        recipient->part_of = i + 1 < len && chance(50) ? i + 1 + any(len - i - 1) : i;
        recipient->entity = recipient->part_of == i ? i : w->recipients[recipient->part_of].entity;
    }
    for (uint32_t n = any(4); n > 0; n--) {
        licet_image_government *rule = WORLD_ADD(w, government);

        *rule = (licet_image_government){.clause = any(9),
                                         .needs = any(3),
                                         .flow = chance(50) ? LICET_NONE : any(2),
                                         .classes = any(1u << LICET_CLASSES_LEN),
                                         .grants = {w->header.grants_len, 0}};
        for (uint32_t i = 0; i < len; i++) {
            for (uint32_t grants = any(3); grants > 0 && w->header.grants_len < WORLD_ROWS; grants--) {
                uint64_t from = any(60) * DAY;

                *WORLD_ADD(w, grants) = (licet_image_grant){
                    .recipient = i,
                    .use_case = chance(40) || w->header.use_cases_len == 0 ? LICET_NONE : any(w->header.use_cases_len),
                    .from_ms = from,
                    .before_ms = chance(50) ? UINT64_MAX : from + any(30) * DAY};
                rule->grants.count++;
            }
        }
    }
}

static uint32_t
any_recipient(const world *w)
{
    return w->header.recipients_len == 0 || chance(60) ? LICET_NONE : any(w->header.recipients_len);
}

static uint32_t
any_clause(void)
{
    return chance(50) ? LICET_NONE : any(9);
}

static void
add_versions(world *w)
{
    uint64_t from = any(20) * DAY;

    for (uint32_t n = 1 + any(3); n > 0; n--) {
        licet_image_version *v = WORLD_ADD(w, versions);

        v->from_ms = from;
        from += (1 + any(20)) * DAY;
        v->before_ms = chance(30) ? UINT64_MAX : chance(60) ? from : v->from_ms + (1 + any(10)) * DAY;
        v->then = any(3);
        v->renew_months = v->then == LICET_THEN_RENEW ? 12 : 0;
        v->mode = any(2);
        v->unlisted = chance(30);
        v->purpose_not_named = chance(30);
        v->purpose_not_declared = chance(30);
        v->use_case_not_declared = chance(20);
        v->use_case_clause = any_clause();
        v->recipient_not_declared = chance(20);
        v->recipient_not_registered = chance(20);
        v->recipient_clause = any_clause();
        v->acceptance_clause = chance(70) ? LICET_NONE : any(9);
        v->embargo_clause = any_clause();
        v->embargoed = any_range(w->header.embargoed_len);
        v->government = any_range(w->header.government_len);
        v->purposes = any_range(w->header.purposes_len);
        v->endpoints = chance(70) ? (licet_range){0, w->header.endpoints_len} : any_range(w->header.endpoints_len);
        v->limits = chance(70) ? (licet_range){0, w->header.limits_len} : any_range(w->header.limits_len);
    }
}

static void
build(world *w)
{
    world_init(w);
    w->header.kinds_len = 2 + any(4);
    for (uint32_t i = 0; i < NAMES; i++) { /* each name once at most, as in an image */
        if (chance(30)) {
            *WORLD_ADD(w, purposes) = (licet_image_purpose){.name = world_text(w, names[i]),
                                                            .forbidden_by = chance(40) ? any(9) : LICET_NONE};
        }
    }
    for (uint32_t i = 0; i < NAMES; i++) {
        if (chance(60)) {
            continue;
        }
        *WORLD_ADD(w, use_cases) = (licet_image_use_case){
            .id = world_text(w, names[i]),
            .purpose = world_text_bytes(w, chance(50) ? any_name() : licet_bytes_of(NULL, 0)),
            .recipient = world_text_bytes(w, chance(50) ? any_name() : licet_bytes_of(NULL, 0)),
            .product = any(3),
            .approved = world_approved(w, chance(60)   ? 0
                                          : chance(50) ? any(80) * DAY
                                                       : UINT64_MAX),
        };
    }
    for (uint32_t n = 1 + any(3); n > 0; n--) {
        licet_image_app *app = WORLD_ADD(w, apps);

        app->default_use_case = w->header.use_cases_len > 0 && chance(70) ? any(w->header.use_cases_len) : LICET_NONE;
        app->from_ms = any(20) * DAY;
        app->before_ms = chance(60) ? UINT64_MAX : (20 + any(80)) * DAY;
        app->products.first = w->header.app_products_len;
        for (uint32_t product = 0; product < 3; product++) {
            if (chance(60)) {
                world_feed(w, product);
                if (chance(30)) {
                    licet_image_app_product *fed = &w->app_products[w->header.app_products_len - 1];
                    fed->from_ms = any(40) * DAY;
                    fed->before_ms = (20 + any(80)) * DAY;
                }
                app->products.count++;
            }
        }
        *WORLD_ADD(w, credentials) =
            (licet_image_credential){.from_ms = any(30) * DAY, .before_ms = (20 + any(80)) * DAY};
    }
    add_recipients(w);
    add_endpoints(w);
    world_sort(w);
    join_recipients(w);
    for (uint32_t i = 0; i < w->header.apps_len; i++) {
        w->apps[i].recipient = any_recipient(w);
    }
    for (uint32_t i = 0; i < w->header.credentials_len; i++) {
        w->credentials[i].recipient = any_recipient(w);
    }
    add_limits(w);
    add_versions(w);
}

static licet_facts
any_facts(const world *w)
{
    static const char *const methods[] = {"GET", "GET", "HEAD", "POST", "PUT"};
    static const char *const paths[] = {"/a",     "/b",     "/a/b", "/a/c", "/x/b", "/a/b/c",
                                        "/a/x/c", "/x/b/y", "/",    "/a/",  "//b"};
    static const char *const queries[] = {"", "n=5", "n=500", "ids=1,2,3", "n=5&ids=1%2C2", "%6e=7&n=x", "n=&ids=&n=0"};

    return (licet_facts){
        .app = any(w->header.apps_len),
        .credential = chance(50) ? LICET_NONE : any(w->header.credentials_len),
        .method = licet_bytes_of_text(methods[any(5)]),
        .path = licet_bytes_of_text(paths[any(sizeof(paths) / sizeof(paths[0]))]),
        .query = licet_bytes_of_text(queries[any(sizeof(queries) / sizeof(queries[0]))]),
        .use_case = chance(50) ? licet_bytes_of(NULL, 0) : any_name(),
        .purpose = chance(60) ? licet_bytes_of(NULL, 0) : any_name(),
        .recipient = chance(60) ? licet_bytes_of(NULL, 0) : any_name(),
        .flow = (licet_flow)any(2),
        .upgrade = chance(5),
        .time_ms = chance(80) ? any(90) * DAY : any(90) * DAY + any((uint32_t)DAY),
    };
}

/* The first field in which two verdicts differ, or NULL. */
static const char *
difference(const licet_verdict *a, const licet_verdict *b)
{
#define DIFFER(field)                                                                                                  \
    if (a->field != b->field) {                                                                                        \
        return #field;                                                                                                 \
    }
    DIFFER(verdict)
    DIFFER(reason)
    DIFFER(reasons)
    DIFFER(clause)
    DIFFER(version)
    DIFFER(endpoint)
    DIFFER(use_case)
    DIFFER(registered)
    DIFFER(product)
    DIFFER(metered)
    DIFFER(limits_len)
    if (!licet_bytes_equal(a->purpose, b->purpose)) {
        return "purpose";
    }
    if (!licet_bytes_equal(a->recipient, b->recipient)) {
        return "recipient";
    }
    for (uint32_t k = 0; k < LICET_KINDS_MAX; k++) {
        DIFFER(reserve[k])
    }
    for (uint32_t i = 0; i < a->limits_len; i++) {
        DIFFER(limits[i].limit)
        DIFFER(limits[i].counter)
        DIFFER(limits[i].kind)
        DIFFER(limits[i].window)
        DIFFER(limits[i].amount)
    }
#undef DIFFER
    return NULL;
}

static void
test_agree(void **state)
{
    static world w;
    const char *given = getenv("LICET_TEST_SEED");
    uint32_t seen[LICET_REASONS_LEN] = {0};

    seed = given != NULL ? strtoull(given, NULL, 10) : UINT64_C(20221010);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < 20000; round++) {
        uint64_t round_seed = seed;

        build(&w);
        for (unsigned n = 0; n < 20; n++) {
            licet_facts facts = any_facts(&w);
            licet_verdict fast, slow;
            const char *differs;

            licet_decide(&w.image, &facts, &fast);
            assert_true(licet_decide_ref(&w.image, &facts, &slow));
            differs = difference(&fast, &slow);
            if (differs != NULL) {
                fail_msg("LICET_TEST_SEED=%llu, request %u: %s differs (fast %s, slow %s)",
                         (unsigned long long)round_seed, n, differs, licet_reason_slug(fast.reason),
                         licet_reason_slug(slow.reason));
            }
            seen[fast.reason]++;
        }
    }
    /* The run met every reason that this function can give. */
    for (unsigned r = LICET_REASON_CREDENTIAL_ENDED; r <= LICET_REASON_ENDPOINT_UNLISTED; r++) {
        assert_true(seen[r] > 100);
    }
    for (unsigned r = LICET_REASON_RECIPIENT_NOT_DECLARED; r <= LICET_REASON_GOVERNMENT_NEVER; r++) {
        assert_true(seen[r] > 100);
    }
    assert_true(seen[LICET_REASON_USE_CASE_NOT_DECLARED] > 100 && seen[LICET_REASON_USE_CASE_OTHER_PURPOSE] > 100);
    assert_true(seen[LICET_REASON_NONE] > 1000 && seen[LICET_REASON_UPGRADE_REFUSED] > 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agree)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
