/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: what compile makes of the test site, the questions asked of it, and that no spoiled blob is opened.
 */
#include "test_site.h"

#include "endpoint_ref.h"

typedef struct counters {
    char *names[64];
    uint32_t len;
} counters;

static bool
counter_of(void *user, const char *identity, uint32_t rows, uint32_t *out_counter, licet_error *err)
{
    counters *all = user;

    (void)err;
    for (uint32_t i = 0; i < all->len; i++) {
        if (strcmp(all->names[i], identity) == 0) {
            *out_counter = i;
            return true;
        }
    }
    assert_true(all->len < 64);
    all->names[all->len] = strdup(identity);
    *out_counter = all->len++;
    return true;
}

/* A site, compiled and opened. */
typedef struct fixture {
    test_site site;
    licet_site *loaded;
    licet_buffer blob;
    licet_image image;
    counters counters;
} fixture;

static void
compile(fixture *f, uint64_t number)
{
    licet_compile_options options = {.cell = 7, .number = number, .counter_of = counter_of, .user = &f->counters};
    licet_error err = {0};

    licet_site_free(f->loaded);
    f->loaded = test_site_load(&f->site);
    licet_buffer_done(&f->blob);
    licet_buffer_init(&f->blob, (size_t)1 << 24);
    if (!licet_site_compile(f->loaded, 0, &options, &f->blob, &err) ||
        !licet_image_open(licet_buffer_view(&f->blob), &f->image, &err)) {
        fail_msg("%s", err.text);
    }
}

static void
fixture_init(fixture *f)
{
    memset(f, 0, sizeof(*f));
    licet_buffer_init(&f->blob, 1);
    test_site_init(&f->site);
    compile(f, 3);
}

static void
fixture_done(fixture *f)
{
    for (uint32_t i = 0; i < f->counters.len; i++) {
        free(f->counters.names[i]);
    }
    licet_buffer_done(&f->blob);
    licet_site_free(f->loaded);
    test_site_done(&f->site);
}

static void
assert_text(const fixture *f, licet_text text, const char *expected)
{
    licet_bytes bytes = licet_image_text(&f->image, text);

    if (!licet_bytes_equal_text(bytes, expected)) {
        fail_msg("\"%.*s\", expected \"%s\"", (int)bytes.len, (const char *)bytes.data, expected);
    }
}

static uint64_t
at(const char *time)
{
    uint64_t ms = 0;

    assert_true(licet_time_parse(licet_bytes_of_text(time), &ms));
    return ms;
}

/* ---- what compile makes ------------------------------------------------------------- */

static void
test_terms(void **state)
{
    fixture f;

    fixture_init(&f);
    const licet_image_header *header = f.image.header;
    const licet_image_version *version = &f.image.versions[0];
    assert_int_equal(header->cell, 7);
    assert_int_equal(header->number, 3);
    assert_int_equal(header->flow, LICET_FLOW_ACQUIRED);
    assert_text(&f, header->agreement, "M-2022-7");
    assert_text(&f, header->licensor, "Example Platform Inc.");
    assert_int_equal(header->kinds_len, 4);
    assert_text(&f, header->kinds[0], "request");
    assert_text(&f, header->kinds[1], "byte");
    assert_text(&f, header->kinds[2], "post");
    assert_text(&f, header->kinds[3], "user");
    assert_int_equal(header->versions_len, 1);
    assert_text(&f, version->id, "2022-10-10");
    assert_text(&f, version->catalogue, "x-api-v2@2022-10-10");
    assert_int_equal(version->from_ms, at("2022-10-10"));
    assert_int_equal(version->before_ms, at("2023-10-10"));
    assert_int_equal(version->mode, LICET_MODE_ENFORCE);
    assert_int_equal(version->cannot_record, LICET_CANNOT_RECORD_ALLOW);
    assert_int_equal(version->allow_units, 10000);
    assert_int_equal(version->allow_kind, 2);
    assert_int_equal(version->unlisted, LICET_RULE_RECORD);
    assert_int_equal(version->purpose_not_named, LICET_RULE_REFUSE);
    assert_int_equal(version->purpose_not_declared, LICET_RULE_RECORD);
    assert_int_equal(version->purposes.count, 3);
    assert_text(&f, f.image.purposes[2].name, "train-ai");
    assert_text(&f, f.image.clauses[f.image.purposes[2].forbidden_by].key, "NO-TRAIN");
    assert_int_equal(f.image.purposes[0].forbidden_by, LICET_NONE);
    assert_int_equal(version->limits.count, 2);
    assert_int_equal(f.image.limits[0].most, 2000000);
    assert_int_equal(f.image.limits[0].per, LICET_PER_MONTH);
    assert_int_equal(f.image.limits[0].over, LICET_OVER_LICENSEE);
    assert_int_equal(f.image.limits[1].kind, LICET_KIND_REQUEST);
    assert_int_equal(f.image.limits[1].span_s, 900);
    assert_int_equal(f.image.limits[1].endpoints.count, 1);
    assert_text(&f, f.image.endpoints[f.image.limit_endpoints[0]].id, "search-recent");
    fixture_done(&f);
}

static void
test_registry(void **state)
{
    fixture f;

    fixture_init(&f);
    assert_int_equal(f.image.header->apps_len, 2);
    assert_text(&f, f.image.apps[0].id, "feed");
    assert_text(&f, f.image.apps[0].environment, "staging");
    assert_int_equal(f.image.apps[0].default_use_case, LICET_NONE);
    assert_int_equal(f.image.apps[0].products.count, 2);
    assert_text(&f, f.image.apps[1].id, "pages");
    assert_text(&f, f.image.apps[1].environment, "prod");
    assert_text(&f, f.image.use_cases[f.image.apps[1].default_use_case].id, "UC-2");
    assert_int_equal(f.image.header->products_len, 2);
    assert_int_equal(f.image.header->credentials_len, 1);
    assert_int_equal(f.image.credentials[0].app, 1);
    assert_int_equal(f.image.credentials[0].before_ms, UINT64_MAX);
    assert_int_equal(f.image.credentials[0].hmac[1], 0x11);
    assert_text(&f, f.image.products[f.image.use_cases[1].product], "Feed");
    assert_int_equal(licet_image_approved_from_ms(&f.image, &f.image.use_cases[0]), at("2022-10-10"));
    assert_int_equal(licet_image_approved_from_ms(&f.image, &f.image.use_cases[1]), UINT64_MAX);
    assert_text(&f, f.image.use_cases[0].recipient, "public");
    fixture_done(&f);
}

static void
test_counts(void **state)
{
    fixture f;

    fixture_init(&f);
    for (uint32_t i = 0; i < f.image.header->endpoints_len; i++) {
        const licet_image_endpoint *endpoint = &f.image.endpoints[i];
        const licet_image_count *count = &f.image.counts[endpoint->counts.first];
        if (licet_bytes_equal_text(licet_image_text(&f.image, endpoint->id), "search-recent")) {
            assert_int_equal(endpoint->counts.count, 2);
            assert_text(&f, count->path, "$.data");
            assert_text(&f, count->ids, "$.data.id");
            assert_int_equal(count->page_from, LICET_PAGE_QUERY);
            assert_text(&f, count->page_query, "max_results");
            assert_int_equal(count->page_default, 10);
            assert_int_equal(count->page_most, 100);
            assert_int_equal(count[1].kind, 3);
            assert_int_equal(count[1].page_from, LICET_PAGE_NONE);
        } else if (licet_bytes_equal_text(licet_image_text(&f.image, endpoint->id), "post")) {
            assert_int_equal(count->page_from, LICET_PAGE_NUMBER);
            assert_int_equal(count->page_default, 1);
            assert_int_equal(count->page_most, 1);
        } else {
            assert_int_equal(count->page_from, LICET_PAGE_ITEMS);
            assert_int_equal(count->page_most, 100);
        }
    }
    fixture_done(&f);
}

static uint32_t
counter_of_app(const licet_image *image, uint32_t limit, uint32_t app)
{
    licet_scope scope = licet_image_scope(image, app, LICET_NONE, LICET_NONE, LICET_NONE, LICET_NONE);

    return licet_image_counter(image, &image->limits[limit], &scope);
}

/* A counter is the same whatever 'most' says, and one for each app where the limit is over app. */
static void
test_counters(void **state)
{
    fixture f;

    fixture_init(&f);
    assert_int_equal(f.counters.len, 3);
    assert_string_equal(f.counters.names[0], "M-2022-7/CAP-MONTH/post/month/licensee");
    assert_string_equal(f.counters.names[1], "M-2022-7/RATE/request/900s/app/feed");
    assert_string_equal(f.counters.names[2], "M-2022-7/RATE/request/900s/app/pages");
    assert_int_equal(counter_of_app(&f.image, 0, 1), 0);
    assert_int_equal(counter_of_app(&f.image, 1, 0), 1);
    assert_int_equal(counter_of_app(&f.image, 1, 1), 2);
    test_change(&f.site, VERSION, "most: 450, per: 15m", "most: 900, per: 900s");
    compile(&f, 4);
    assert_int_equal(f.counters.len, 3);
    assert_int_equal(f.image.limits[1].most, 900);
    test_change(&f.site, VERSION, "most: 450, per: 15m", "most: 450, per: 30m");
    compile(&f, 5);
    assert_int_equal(f.counters.len, 5);
    fixture_done(&f);
}

/* The same files give the same bytes; only the number differs. */
static void
test_compile_again(void **state)
{
    licet_buffer first;
    fixture f;

    fixture_init(&f);
    licet_buffer_init(&first, (size_t)1 << 24);
    assert_true(licet_put_bytes(&first, licet_buffer_view(&f.blob)));
    compile(&f, 3);
    assert_true(licet_bytes_equal(licet_buffer_view(&first), licet_buffer_view(&f.blob)));
    compile(&f, 4);
    ((licet_image_header *)(void *)f.blob.data)->number = 3;
    assert_true(licet_bytes_equal(licet_buffer_view(&first), licet_buffer_view(&f.blob)));
    licet_buffer_done(&first);
    fixture_done(&f);
}

/* ---- questions ------------------------------------------------------------------------- */

static void
test_version_at(void **state)
{
    fixture f;
    char *text;

    fixture_init(&f);
    assert_int_equal(licet_image_version_at(&f.image, at("2022-10-10") - 1), LICET_NONE);
    assert_int_equal(licet_image_version_at(&f.image, at("2022-10-10")), 0);
    assert_int_equal(licet_image_version_at(&f.image, at("2023-10-10") - 1), 0);
    assert_int_equal(licet_image_version_at(&f.image, at("2023-10-10")), LICET_NONE);
    test_change(&f.site, VERSION, "then: refuse", "then: continue");
    text = test_replaced(test_files[2].text, "{ from: 2022-10-10, before: 2023-10-10, then: refuse }",
                         "{ from: 2024-01-01 }");
    test_write(&f.site, "agreements/M-2022-7/2024-01-01.yaml", text, strlen(text));
    free(text);
    compile(&f, 4);
    assert_int_equal(licet_image_version_at(&f.image, at("2023-12-31")), 0);
    assert_int_equal(licet_image_version_at(&f.image, at("2024-01-01")), 1);
    assert_int_equal(licet_image_version_at(&f.image, UINT64_MAX - 1), 1);
    fixture_done(&f);
}

static void
assert_endpoint(const fixture *f, const char *method, const char *path, const char *expected)
{
    licet_bytes m = licet_bytes_of_text(method), p = licet_bytes_of_text(path);
    uint32_t row = licet_image_endpoint_of(&f->image, &f->image.versions[0], m, p);

    assert_int_equal(row, licet_endpoint_ref(&f->image, &f->image.versions[0], m, p));
    if (expected == NULL
            ? row != LICET_NONE
            : row == LICET_NONE ||
                  !licet_bytes_equal_text(licet_image_text(&f->image, f->image.endpoints[row].id), expected)) {
        fail_msg("%s %s: row %u, expected %s", method, path, row, expected == NULL ? "none" : expected);
    }
}

static void
test_endpoint_of(void **state)
{
    fixture f;

    fixture_init(&f);
    test_change(&f.site, CATALOGUE, "endpoints:\n",
                "endpoints:\n"
                "  - { id: root, match: GET / }\n"
                "  - { id: any, match: 'GET /{a}/{b}' }\n"
                "  - { id: right, match: 'GET /{a}/x' }\n"
                "  - { id: left, match: 'GET /y/{b}' }\n"
                "  - { id: both, match: GET /y/x }\n"
                "  - { id: second, match: 'GET /{a}/x/k' }\n"
                "  - { id: third, match: 'GET /y/{b}/k' }\n"
                "  - { id: folder, match: 'GET /{a}/' }\n"
                "  - { id: new, match: POST /2/tweets }\n");
    compile(&f, 4);
    assert_endpoint(&f, "GET", "/", "root");
    assert_endpoint(&f, "GET", "", NULL);
    assert_endpoint(&f, "GET", "x", NULL);
    assert_endpoint(&f, "GET", "/y/x", "both");
    assert_endpoint(&f, "GET", "/y/z", "left");
    assert_endpoint(&f, "GET", "/z/x", "right");
    assert_endpoint(&f, "GET", "/z/z", "any");
    assert_endpoint(&f, "GET", "/y/x/k", "second"); /* as literal as third: the first in the file */
    assert_endpoint(&f, "GET", "//z", NULL);
    assert_endpoint(&f, "GET", "/z/", "folder");
    assert_endpoint(&f, "GET", "/2/tweets", "lookup");
    assert_endpoint(&f, "GET", "/2/tweets/", NULL);
    assert_endpoint(&f, "POST", "/2/tweets", "new");
    assert_endpoint(&f, "PUT", "/2/tweets", NULL);
    assert_endpoint(&f, "get", "/2/tweets", NULL);
    assert_endpoint(&f, "GET", "/2/tweets/19", "post");
    assert_endpoint(&f, "GET", "/2/tweets/search", "post");
    assert_endpoint(&f, "GET", "/2/tweets/search/recent", "search-recent");
    assert_endpoint(&f, "GET", "/2/tweets/search/recent/", NULL);
    assert_endpoint(&f, "GET", "/2/Tweets/search/recent", NULL);
    fixture_done(&f);
}

/* Random catalogues over few letters and random paths: the search agrees with the definition. */
static void
test_endpoint_of_agrees(void **state)
{
    static const char *const parts[] = {"a", "b", "{p}", "{q}"};
    unsigned seed = 20260101;
    fixture f;

    fixture_init(&f);
    for (unsigned round = 0; round < 20; round++) {
        char rows[4096] = "", path[64];
        licet_mistakes mistakes = {0};
        licet_site *loaded = NULL;
        for (unsigned i = 0; i < 12; i++) {
            char row[128];
            size_t len =
                (size_t)snprintf(row, sizeof(row), "  - { id: e%u, match: '%s ", i, rand_r(&seed) % 2 ? "GET" : "PUT");
            for (unsigned n = 1 + (unsigned)rand_r(&seed) % 3; n > 0; n--) {
                len += (size_t)snprintf(row + len, sizeof(row) - len, "/%s", parts[rand_r(&seed) % 4]);
            }
            snprintf(row + len, sizeof(row) - len, "' }\n");
            strcat(rows, row);
            char text[5000];
            snprintf(text, sizeof(text), "endpoints:\n%s", rows);
            test_change(&f.site, CATALOGUE, "endpoints:\n", text);
            if (!licet_site_load(f.site.dir, &mistakes, &loaded, NULL)) { /* an equal pattern: without it */
                rows[strlen(rows) - strlen(row)] = '\0';
            }
            licet_mistakes_done(&mistakes);
            licet_site_free(loaded);
            loaded = NULL;
        }
        char text[5000];
        snprintf(text, sizeof(text), "endpoints:\n%s", rows);
        test_change(&f.site, CATALOGUE, "endpoints:\n", text);
        compile(&f, 4 + round);
        for (unsigned i = 0; i < 500; i++) {
            size_t len = 0;
            for (unsigned n = (unsigned)rand_r(&seed) % 5; n > 0; n--) {
                len += (size_t)snprintf(path + len, sizeof(path) - len, "/%.1s", &"ab c"[rand_r(&seed) % 4]);
            }
            path[len] = '\0';
            licet_bytes p = licet_bytes_of_text(path), m = licet_bytes_of_text(rand_r(&seed) % 2 ? "GET" : "PUT");
            assert_int_equal(licet_image_endpoint_of(&f.image, f.image.versions, m, p),
                             licet_endpoint_ref(&f.image, f.image.versions, m, p));
        }
    }
    fixture_done(&f);
}

static void
test_windows(void **state)
{
    static const struct {
        uint32_t per, span_s;
        const char *time;
        uint32_t window;
        const char *end;
    } cases[] = {
        {LICET_PER_SPAN, 1, "1970-01-01T00:00:00.999Z", 0, "1970-01-01T00:00:01Z"},
        {LICET_PER_SPAN, 900, "1970-01-01T00:15:00Z", 1, "1970-01-01T00:30:00Z"},
        {LICET_PER_SPAN, 900, "1970-01-01T00:14:59.999Z", 0, "1970-01-01T00:15:00Z"},
        {LICET_PER_SPAN, 86400, "2022-10-10T23:59:59.999Z", 19275, "2022-10-11"},
        {LICET_PER_SPAN, 604800, "1970-01-08", 1, "1970-01-15"},
        {LICET_PER_MONTH, 0, "1970-01-31T23:59:59.999Z", 0, "1970-02-01"},
        {LICET_PER_MONTH, 0, "2024-02-29", 649, "2024-03-01"},
        {LICET_PER_MONTH, 0, "2022-12-31T23:59:59.999Z", 635, "2023-01-01"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        licet_image_limit limit = {.per = cases[i].per, .span_s = cases[i].span_s, .zone = LICET_NONE, .first_day = 1};

        assert_int_equal(licet_window_of(NULL, &limit, at(cases[i].time)), cases[i].window);
        assert_int_equal(licet_window_end_ms(NULL, &limit, cases[i].window), at(cases[i].end));
        assert_int_equal(licet_window_begin_ms(NULL, &limit, cases[i].window + 1), at(cases[i].end));
        assert_int_equal(licet_window_of(NULL, &limit, at(cases[i].end)), cases[i].window + 1);
    }
}

/* ---- blobs that are no images -------------------------------------------------------------- */

static void
seal(uint8_t *blob, size_t len)
{
    licet_image_header *header = (licet_image_header *)(void *)blob;
    licet_bytes body = licet_bytes_of(blob + sizeof(*header), len - sizeof(*header));
    licet_hash hash = licet_sha256(&body, 1);

    header->size = len;
    memcpy(header->sha256, hash.bytes, sizeof(header->sha256));
}

/* Every byte behind the header is under the hash, every byte of the header that means something is checked. */
static void
test_spoiled(void **state)
{
    licet_image image;
    licet_error err = {0};
    fixture f;

    fixture_init(&f);
    for (size_t i = sizeof(licet_image_header); i < f.blob.len; i++) {
        f.blob.data[i] ^= 1;
        assert_false(licet_image_open(licet_buffer_view(&f.blob), &image, &err));
        assert_int_equal(err.code, LICET_E_CORRUPT);
        f.blob.data[i] ^= 1;
    }
    for (size_t len = 0; len < f.blob.len; len++) {
        assert_false(licet_image_open(licet_bytes_of(f.blob.data, len), &image, &err));
    }
    assert_true(licet_image_open(licet_buffer_view(&f.blob), &image, &err));
    fixture_done(&f);
}

/* Asks everything of an image that an accessor can be asked; the sanitizers watch. */
static uint64_t
ask_all(const licet_image *image)
{
    uint64_t sum = 0;

    for (uint32_t v = 0; v < image->header->versions_len; v++) {
        const licet_image_version *version = &image->versions[v];
        sum += licet_image_endpoint_of(image, version, LICET_BYTES_LITERAL("GET"), LICET_BYTES_LITERAL("/2/tweets/1"));
        for (uint32_t i = 0; i < version->limits.count; i++) {
            const licet_image_limit *limit = &image->limits[version->limits.first + i];
            licet_scope scope = licet_image_scope(image, 0, LICET_NONE, LICET_NONE, LICET_NONE, LICET_NONE);
            sum += licet_image_counter(image, limit, &scope) + licet_image_limit_name(image, limit).len;
        }
        for (uint32_t i = 0; i < version->endpoints.count; i++) {
            sum += licet_image_text(image, image->endpoints[version->endpoints.first + i].id).data[0];
        }
    }
    return sum + licet_image_version_at(image, at("2022-12-01"));
}

/* Words overwritten at random with the hash made good again: refused, or every accessor stays inside. */
static void
test_hostile(void **state)
{
    static const uint32_t values[] = {0, 1, 2, 7, 255, 4096, 65535, 0x7fffffff, 0xfffffff0, UINT32_MAX};
    unsigned seed = 7, opened = 0, refused = 0;
    uint64_t sum = 0;
    licet_image image;
    fixture f;

    fixture_init(&f);
    uint8_t *copy = aligned_alloc(8, (f.blob.len + 7) / 8 * 8);
    assert_non_null(copy);
    for (size_t word = 0; word + 4 <= f.blob.len; word += 4) {
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            memcpy(copy, f.blob.data, f.blob.len);
            memcpy(copy + word, &values[i], 4);
            if (rand_r(&seed) % 4 == 0) {
                size_t other = (size_t)rand_r(&seed) % (f.blob.len / 4) * 4;
                memcpy(copy + other, &values[rand_r(&seed) % 10], 4);
            }
            seal(copy, f.blob.len);
            if (licet_image_open(licet_bytes_of(copy, f.blob.len), &image, NULL)) {
                sum += ask_all(&image);
                opened++;
            } else {
                refused++;
            }
        }
    }
    assert_true(opened > 100 && refused > 1000);
    assert_true(sum != 0);
    free(copy);
    fixture_done(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),         cmocka_unit_test(test_registry),
        cmocka_unit_test(test_counts),        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_compile_again), cmocka_unit_test(test_version_at),
        cmocka_unit_test(test_endpoint_of),   cmocka_unit_test(test_endpoint_of_agrees),
        cmocka_unit_test(test_windows),       cmocka_unit_test(test_spoiled),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
