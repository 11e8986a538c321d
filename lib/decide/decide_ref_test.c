/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decide against its slow reference: random agreements, random requests, the same verdict to the last field. A world
 * has zones whose clocks are set forward and back, limits over everything and in every kind of window with every
 * filter, prepaid credit, products, apps, credentials, use cases, recipients and grants that hold for a time, and
 * versions that own their rows as in an image.
 *
 * The seed is printed; LICET_SEED in the environment repeats a run, LICET_WORLDS sets the number of worlds.
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
#define PRODUCTS 3
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

static uint32_t
any_clause(void)
{
    return chance(50) ? LICET_NONE : any(9);
}

/* ---- time ------------------------------------------------------------------------- */

static uint64_t first_day; /* of the world, since 1970 */

static uint64_t
day(uint32_t n)
{
    return (first_day + n) * DAY;
}

/* Now and then at a change of a clock, or close to it. */
static uint64_t
any_time(const world *w)
{
    uint64_t around = day(any(100));

    if (w->header.transitions_len > 0 && chance(30)) {
        around = w->transitions[any(w->header.transitions_len)].from_ms;
        around = around < day(0) ? day(0) : around;
        return around + any(3) - 1 + (chance(50) ? 0 : any(50) * UINT64_C(3600000));
    }
    return around + (chance(60) ? 0 : any((uint32_t)DAY));
}

/* Half-open, in the world's hundred days; each end open now and then. */
static void
any_life(uint64_t *out_from_ms, uint64_t *out_before_ms)
{
    *out_from_ms = chance(50) ? 0 : day(any(40));
    *out_before_ms = chance(50) ? UINT64_MAX : day(20 + any(80));
}

/* Clocks that are set forward and back, by half an hour to a whole day. */
static void
add_zones(world *w)
{
    static const int32_t by[] = {1800, -1800, 3600, -3600, 7200, -7200, 86400, -86400};

    for (uint32_t n = any(3); n > 0; n--) {
        licet_image_zone *zone = WORLD_ADD(w, zones);
        int32_t offset = (int32_t)any(100) * 900 - 43200;

        zone->transitions.first = w->header.transitions_len;
        for (uint32_t change = 0; change < 4; change++) {
            *WORLD_ADD(w, transitions) = (licet_image_transition){
                .from_ms = change == 0 ? 0 : day(30 * change - any(25)) + any(48) * UINT64_C(1800000),
                .offset_s = offset};
            offset += by[any(8)];
            offset = offset > 172800 ? 172800 : offset < -172800 ? -172800 : offset; /* as in an image */
            zone->transitions.count++;
        }
    }
}

/* ---- limits ------------------------------------------------------------------------- */

#define COUNTERS 200

/* How many counters a limit has by what it is over. */
static uint32_t
counters_over(const world *w, const licet_image_version *v, uint32_t over)
{
    const uint32_t n[] = {[LICET_OVER_LICENSEE] = 1,
                          [LICET_OVER_APP] = w->header.apps_len,
                          [LICET_OVER_CREDENTIAL] = w->header.credentials_len + 1,
                          [LICET_OVER_PRODUCT] = w->header.products_len + 1,
                          [LICET_OVER_USE_CASE] = w->header.use_cases_len + 1,
                          [LICET_OVER_RECIPIENT] = w->header.recipients_len + 1,
                          [LICET_OVER_COUNTRY] = w->header.countries_len + 1,
                          [LICET_OVER_ENDPOINT] = v->endpoints.count + 1};
    return n[over];
}

/* Of one row or of several. */
static licet_range
any_rows(uint32_t rows)
{
    uint32_t first = rows == 0 ? 0 : any(rows);

    return (licet_range){first, rows == 0 ? 0 : 1 + (chance(50) ? 0 : any(rows - first))};
}

static void
add_filters(world *w, const licet_image_version *v, licet_image_limit *limit)
{
    limit->flow = chance(60) ? LICET_NONE : any(2);
    limit->classes = chance(80) ? 0 : any(1u << LICET_CLASSES_LEN);
    limit->set_by = any(2);
    limit->endpoints.first = w->header.limit_endpoints_len;
    for (uint32_t e = chance(60) ? 0 : any(4); e > 0 && v->endpoints.count > 0; e--) {
        *WORLD_ADD(w, limit_endpoints) = v->endpoints.first + any(v->endpoints.count);
        limit->endpoints.count++;
    }
    limit->purposes.first = w->header.limit_purposes_len;
    for (uint32_t p = chance(80) ? 0 : any(4); p > 0; p--) {
        *WORLD_ADD(w, limit_purposes) = world_text(w, names[any(NAMES)]);
        limit->purposes.count++;
    }
    if (chance(20)) {
        limit->products = any_rows(w->header.products_len);
    }
    if (chance(20)) {
        limit->apps = any_rows(w->header.apps_len);
    }
}

static void
add_limits(world *w, licet_image_version *v)
{
    v->limits.first = w->header.limits_len;
    for (uint32_t n = any(LICET_LIMITS_PER_REQUEST_MAX + 1); n > 0; n--) {
        licet_image_limit *limit = WORLD_ADD(w, limits);

        v->limits.count++;
        limit->kind = any(w->header.kinds_len);
        limit->clause = any_clause();
        limit->most = any(1000);
        limit->weight = chance(50) ? 1 : chance(90) ? 1 + any(1000) : LICET_WEIGHT_MAX;
        limit->payments = chance(10);
        limit->per = any(LICET_PER_TERM + 1);
        limit->span_s = 1 + any(100000);
        limit->bucket_s = 1 + any(limit->span_s);
        limit->zone = w->header.zones_len == 0 || chance(30) ? LICET_NONE : any(w->header.zones_len);
        limit->first_day = 1 + any(31);
        limit->over = any(LICET_OVER_ENDPOINT + 1);
        limit->base = limit->over == LICET_OVER_ENDPOINT ? v->endpoints.first : 0;
        limit->counters.count = counters_over(w, v, limit->over);
        limit->counters.first = any(COUNTERS - limit->counters.count);
        add_filters(w, v, limit);
    }
}

static void
add_payments(world *w)
{
    for (uint32_t n = any(4), at = any(30); n > 0; n--, at += any(30)) {
        *WORLD_ADD(w, payments) = (licet_image_payment){.from_ms = day(at), .amount = any(1000000)};
    }
}

static void
add_endpoints(world *w)
{
    static const char *const matches[] = {"GET /a",       "GET /{x}",       "GET /a/b",    "GET /a/{x}",
                                          "GET /{x}/b",   "GET /{x}/{y}",   "POST /a",     "GET /a/b/c",
                                          "GET /a/{x}/c", "GET /{x}/b/{y}", "POST /{x}/b", "GET /"};

    for (uint32_t n = any(14); n > 0; n--) {
        world_endpoint(w, "e", matches[any(sizeof(matches) / sizeof(matches[0]))]);
        for (uint32_t kind = 2; kind < w->header.kinds_len; kind++) {
            if (chance(40)) {
                uint64_t most = chance(90) ? any(120) : LICET_WEIGHT_MAX; /* with a weight more than 64 bits hold */

                world_count(w, kind, (licet_page_from)any(4), chance(50) ? "n" : "ids", any(150), most);
            }
        }
    }
}

static void
add_recipients(world *w)
{
    static const char *const countries[] = {"DE", "KP", "US"};

    for (uint32_t i = 0; i < 9; i++) {
        *WORLD_ADD(w, clauses) = (licet_image_clause){.mode = chance(80) ? LICET_MODE_ENFORCE : LICET_MODE_OBSERVE};
    }
    for (uint32_t i = 0; i < 3; i++) {
        *WORLD_ADD(w, countries) = world_text(w, countries[i]);
    }
    *WORLD_ADD(w, embargoed) = world_text(w, "KP");
    *WORLD_ADD(w, embargoed) = world_text(w, "US");
    for (uint32_t i = 0; i < NAMES - 1; i++) {
        if (chance(50)) {
            licet_image_recipient *recipient = WORLD_ADD(w, recipients);

            recipient->id = world_text(w, names[i]);
            recipient->country_row = chance(25) ? LICET_NONE : any(3);
            if (recipient->country_row != LICET_NONE) {
                recipient->country = w->countries[recipient->country_row];
            }
            recipient->kind = any(LICET_CLASSES_LEN);
            any_life(&recipient->from_ms, &recipient->before_ms);
            recipient->accepted_ms = chance(40) ? UINT64_MAX : day(any(60));
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
                uint64_t from = day(any(60));

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

/* The version's part of a table: what the one before it left, the last all that is left. */
static licet_range
next_rows(uint32_t *at, uint32_t len, bool last)
{
    licet_range rows = {*at, last ? len - *at : any(len - *at + 1)};

    *at += rows.count;
    return rows;
}

static void
add_versions(world *w)
{
    uint32_t endpoints = 0, purposes = 0;
    uint64_t from = day(any(20));

    for (uint32_t n = 1 + any(3); n > 0; n--) {
        licet_image_version *v = WORLD_ADD(w, versions);

        v->from_ms = from;
        v->known_from_ms = from + any(3) * DAY;
        from += (1 + any(40)) * DAY / (1 + any(2)) + any(2);
        v->before_ms = chance(30) ? UINT64_MAX : chance(60) ? from : v->from_ms + (1 + any(10)) * DAY;
        v->before_ms = n > 1 && v->before_ms > from ? from : v->before_ms;
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
        v->purposes = next_rows(&purposes, w->header.purposes_len, n == 1);
        v->endpoints = next_rows(&endpoints, w->header.endpoints_len, n == 1);
        add_limits(w, v);
    }
}

static void
add_use_cases(world *w)
{
    for (uint32_t i = 0; i < NAMES; i++) {
        licet_image_use_case *use_case;

        if (chance(60)) {
            continue;
        }
        use_case = WORLD_ADD(w, use_cases);
        use_case->id = world_text(w, names[i]);
        use_case->purpose = world_text_bytes(w, chance(50) ? any_name() : licet_bytes_of(NULL, 0));
        use_case->recipient = world_text_bytes(w, chance(50) ? any_name() : licet_bytes_of(NULL, 0));
        use_case->product = any(PRODUCTS);
        use_case->approved.first = w->header.spans_len;
        for (uint32_t n = any(3), at = any(40); n > 0; n--) { /* approved, withdrawn, approved again */
            licet_image_span *span = WORLD_ADD(w, spans);
            span->from_ms = at < 10 ? 0 : day(at);
            at += 1 + any(30);
            span->before_ms = n == 1 && chance(60) ? UINT64_MAX : day(at);
            at += any(20);
            use_case->approved.count++;
        }
    }
}

static void
add_apps(world *w)
{
    for (uint32_t n = 1 + any(3); n > 0; n--) {
        licet_image_app *app = WORLD_ADD(w, apps);

        app->default_use_case = w->header.use_cases_len > 0 && chance(70) ? any(w->header.use_cases_len) : LICET_NONE;
        any_life(&app->from_ms, &app->before_ms);
        app->products.first = w->header.app_products_len;
        for (uint32_t product = 0; product < PRODUCTS; product++) {
            for (uint32_t spans = chance(60) ? 1 + any(2) : 0; spans > 0; spans--) {
                licet_image_app_product *fed = WORLD_ADD(w, app_products);
                fed->product = product;
                any_life(&fed->from_ms, &fed->before_ms);
                app->products.count++;
            }
        }
        for (uint32_t credentials = 1 + any(2); credentials > 0; credentials--) {
            licet_image_credential *credential = WORLD_ADD(w, credentials);
            credential->app = w->header.apps_len - 1;
            any_life(&credential->from_ms, &credential->before_ms);
        }
    }
}

static void
build(world *w)
{
    world_init(w);
    first_day = chance(10) ? 3 : 3 + any(40000);
    w->header.kinds_len = 2 + any(4);
    for (uint32_t i = 0; i < COUNTERS; i++) {
        *WORLD_ADD(w, limit_counters) = 1000 + i;
    }
    for (uint32_t i = 0; i < PRODUCTS; i++) {
        *WORLD_ADD(w, products) = world_text(w, names[i]);
    }
    for (uint32_t i = 0; i < NAMES; i++) { /* each name once at most, as in a version of an image */
        if (chance(30)) {
            *WORLD_ADD(w, purposes) = (licet_image_purpose){.name = world_text(w, names[i]),
                                                            .forbidden_by = chance(40) ? any(9) : LICET_NONE};
        }
    }
    add_zones(w);
    add_use_cases(w);
    add_recipients(w);
    add_endpoints(w);
    world_sort(w);
    add_apps(w);
    join_recipients(w);
    for (uint32_t i = 0; i < w->header.apps_len; i++) {
        w->apps[i].recipient = any_recipient(w);
    }
    for (uint32_t i = 0; i < w->header.credentials_len; i++) {
        w->credentials[i].recipient = any_recipient(w);
    }
    add_payments(w);
    add_versions(w);
}

static licet_facts
any_facts(const world *w)
{
    static const char *const methods[] = {"GET", "GET", "HEAD", "POST", "PUT"};
    static const char *const paths[] = {"/a",     "/b",     "/a/b", "/a/c", "/x/b", "/a/b/c",
                                        "/a/x/c", "/x/b/y", "/",    "/a/",  "//b"};
    static const char *const queries[] = {"", "n=5", "n=500", "ids=1,2,3", "n=5&ids=1%2C2", "%6e=7&n=x", "n=&ids=&n=0"};

    static licet_handed handed;

    handed = (licet_handed){.kind = any(w->header.kinds_len), .units = any(5000), .bytes = any(1 << 20)};
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
        .handed = chance(10) ? &handed : NULL,
        .time_ms = any_time(w),
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
        DIFFER(limits[i].most)
        DIFFER(limits[i].weight)
        DIFFER(limits[i].observe)
    }
#undef DIFFER
    return NULL;
}

/* Of the first limit in which two verdicts differ: what it is, and the clocks of its zone. */
static void
tell_limit(const world *w, const licet_facts *facts, const licet_verdict *fast, const licet_verdict *slow)
{
    for (uint32_t i = 0; i < fast->limits_len && i < slow->limits_len; i++) {
        const licet_verdict_limit *a = &fast->limits[i], *b = &slow->limits[i];
        const licet_image_limit *limit = &w->limits[a->limit];

        if (a->limit == b->limit && a->counter == b->counter && a->window == b->window && a->amount == b->amount) {
            continue;
        }
        print_message("limit %u and %u: over %u per %u day %u, counter %u and %u, window %u and %u at %llu\n", a->limit,
                      b->limit, limit->over, limit->per, limit->first_day, a->counter, b->counter, a->window, b->window,
                      (unsigned long long)facts->time_ms);
        for (uint32_t t = 0; limit->zone != LICET_NONE && t < w->zones[limit->zone].transitions.count; t++) {
            const licet_image_transition *change = &w->transitions[w->zones[limit->zone].transitions.first + t];
            print_message("    from %llu: %d s\n", (unsigned long long)change->from_ms, change->offset_s);
        }
        return;
    }
}

/* What the runs met: every reason, and limits by what they are. */
typedef struct met {
    uint32_t reasons[LICET_REASONS_LEN];
    uint32_t over[LICET_OVER_ENDPOINT + 1], none_of[LICET_OVER_ENDPOINT + 1], per[LICET_PER_TERM + 1];
    uint32_t zoned, filtered, payments, observed, beyond;
} met;

static void
meet(met *m, const world *w, const licet_verdict *v)
{
    m->reasons[v->reason]++;
    for (uint32_t i = 0; i < v->limits_len; i++) {
        const licet_image_limit *limit = &w->limits[v->limits[i].limit];

        m->over[limit->over]++;
        m->none_of[limit->over] += v->limits[i].counter == 1000 + limit->counters.first + limit->counters.count - 1;
        m->per[limit->per]++;
        m->zoned += limit->zone != LICET_NONE;
        m->filtered += (limit->classes != 0) + (limit->purposes.count > 0) + (limit->endpoints.count > 0) +
                           (limit->apps.count > 0) + (limit->products.count > 0) + (limit->flow != LICET_NONE) >=
                       3;
        m->payments += limit->payments;
        m->observed += v->limits[i].observe;
        m->beyond += v->limits[i].amount == UINT64_MAX;
    }
}

static void
met_all(const met *m)
{
    for (unsigned r = LICET_REASON_CREDENTIAL_ENDED; r <= LICET_REASON_ENDPOINT_UNLISTED; r++) {
        assert_true(m->reasons[r] > 100);
    }
    for (unsigned r = LICET_REASON_RECIPIENT_NOT_DECLARED; r <= LICET_REASON_GOVERNMENT_NEVER; r++) {
        assert_true(m->reasons[r] > 100);
    }
    assert_true(m->reasons[LICET_REASON_USE_CASE_NOT_DECLARED] > 100);
    assert_true(m->reasons[LICET_REASON_USE_CASE_OTHER_PURPOSE] > 100);
    assert_true(m->reasons[LICET_REASON_NONE] > 1000 && m->reasons[LICET_REASON_UPGRADE_REFUSED] > 100);
    for (unsigned i = 0; i <= LICET_OVER_ENDPOINT; i++) {
        assert_true(m->over[i] > 1000 && m->none_of[i] > 100 && m->none_of[i] <= m->over[i]);
    }
    for (unsigned i = 0; i <= LICET_PER_TERM; i++) {
        assert_true(m->per[i] > 1000);
    }
    assert_true(m->zoned > 1000 && m->filtered > 100 && m->payments > 1000 && m->observed > 1000 && m->beyond > 10);
}

static void
test_agree(void **state)
{
    static world w;
    static met m;
    const char *given = getenv("LICET_SEED"), *worlds = getenv("LICET_WORLDS");
    unsigned long rounds = worlds != NULL ? strtoul(worlds, NULL, 10) : 40000;

    seed = given != NULL ? strtoull(given, NULL, 10) : UINT64_C(20221010);
    seed = seed == 0 ? 1 : seed;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned long round = 0; round < rounds; round++) {
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
                tell_limit(&w, &facts, &fast, &slow);
                fail_msg("LICET_SEED=%llu LICET_WORLDS=1, request %u: %s differs (fast %s, slow %s)",
                         (unsigned long long)round_seed, n, differs, licet_reason_slug(fast.reason),
                         licet_reason_slug(slow.reason));
            }
            meet(&m, &w, &fast);
        }
    }
    if (rounds >= 10000) {
        met_all(&m);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agree)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
