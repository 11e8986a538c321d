/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A catalogue by itself is the catalogue of a site: the same endpoints, counts and mistakes.
 */
#include "test_site.h"

#define NAME "made/x.yaml"

static const char *
catalogue_text(void)
{
    for (size_t i = 0; i < TEST_FILES; i++) {
        if (strcmp(test_files[i].path, CATALOGUE) == 0) {
            return test_files[i].text;
        }
    }
    fail_msg("the test site has no catalogue");
    return "";
}

static bool
fixed_counter(void *user, const char *identity, uint32_t rows, uint32_t *out_counter, licet_error *err)
{
    (void)user;
    (void)identity;
    (void)err;
    *out_counter = 1;
    return true;
}

static void
open_lone(const char *text, licet_buffer *blob, licet_image *image)
{
    licet_mistakes mistakes = {0};
    licet_error err = {0};

    licet_buffer_init(blob, (size_t)1 << 24);
    if (!licet_catalogue_compile(NAME, licet_bytes_of_text(text), &mistakes, blob, &err) ||
        !licet_image_open(licet_buffer_view(blob), image, &err)) {
        fail_msg("%s; first: %s", err.text, mistakes.len > 0 ? mistakes.list[0].text : "-");
    }
    licet_mistakes_done(&mistakes);
}

static void
assert_same_text(const licet_image *a, licet_text x, const licet_image *b, licet_text y)
{
    assert_true(licet_bytes_equal(licet_image_text(a, x), licet_image_text(b, y)));
}

static void
assert_same_count(const licet_image *a, const licet_image_count *x, const licet_image *b, const licet_image_count *y)
{
    assert_same_text(a, a->header->kinds[x->kind], b, b->header->kinds[y->kind]);
    assert_same_text(a, x->path, b, y->path);
    assert_same_text(a, x->ids, b, y->ids);
    assert_int_equal(x->page_from, y->page_from);
    assert_same_text(a, x->page_query, b, y->page_query);
    assert_int_equal(x->page_default, y->page_default);
    assert_int_equal(x->page_most, y->page_most);
}

/* Every row of the catalogue in the image of the site stands in the lone one, in the same place. */
static void
test_same_as_in_a_site(void **state)
{
    licet_compile_options options = {.cell = 1, .number = 1, .counter_of = fixed_counter};
    licet_buffer lone_blob, site_blob;
    licet_image lone, whole;
    licet_error err = {0};
    licet_site *loaded;
    test_site site;

    open_lone(catalogue_text(), &lone_blob, &lone);
    test_site_init(&site);
    loaded = test_site_load(&site);
    licet_buffer_init(&site_blob, (size_t)1 << 24);
    assert_true(licet_site_compile(loaded, 0, &options, &site_blob, &err));
    assert_true(licet_image_open(licet_buffer_view(&site_blob), &whole, &err));

    assert_int_equal(lone.header->versions_len, 1);
    assert_int_equal(lone.versions[0].unlisted, LICET_RULE_RECORD);
    assert_int_equal(lone.header->limits_len + lone.header->apps_len + lone.header->clauses_len, 0);
    assert_int_equal(lone.header->kinds_len, 4);
    assert_int_equal(lone.header->endpoints_len, 3);
    assert_int_equal(lone.header->endpoints_len, whole.header->endpoints_len);
    assert_int_equal(lone.header->segments_len, whole.header->segments_len);
    assert_int_equal(lone.header->counts_len, whole.header->counts_len);
    for (uint32_t i = 0; i < lone.header->endpoints_len; i++) {
        assert_same_text(&lone, lone.endpoints[i].id, &whole, whole.endpoints[i].id);
        assert_same_text(&lone, lone.endpoints[i].method, &whole, whole.endpoints[i].method);
        assert_memory_equal(&lone.endpoints[i].segments, &whole.endpoints[i].segments, sizeof(licet_range));
        assert_memory_equal(&lone.endpoints[i].counts, &whole.endpoints[i].counts, sizeof(licet_range));
    }
    for (uint32_t i = 0; i < lone.header->segments_len; i++) {
        assert_same_text(&lone, lone.segments[i].literal, &whole, whole.segments[i].literal);
        assert_int_equal(lone.segments[i].placeholder, whole.segments[i].placeholder);
    }
    for (uint32_t i = 0; i < lone.header->counts_len; i++) {
        assert_same_count(&lone, &lone.counts[i], &whole, &whole.counts[i]);
    }
    licet_buffer_done(&lone_blob);
    licet_buffer_done(&site_blob);
    licet_site_free(loaded);
    test_site_done(&site);
}

/* Id of the endpoint that answers, or "". */
static void
assert_answers(const licet_image *image, const char *method, const char *path, const char *expected)
{
    uint32_t row =
        licet_image_endpoint_of(image, &image->versions[0], licet_bytes_of_text(method), licet_bytes_of_text(path));
    licet_bytes id = row == LICET_NONE ? licet_bytes_of_text("") : licet_image_text(image, image->endpoints[row].id);

    assert_true(licet_bytes_equal_text(id, expected));
}

static void
test_endpoints(void **state)
{
    licet_buffer blob;
    licet_image image;

    open_lone("units: { post: {} }\nunlisted: refuse\nendpoints:\n"
              "  - { id: any, match: \"GET /2/{kind}/{id}\", count: { post: $.data } }\n"
              "  - { id: one, match: \"GET /2/posts/{id}\", count: { post: $.data } }\n"
              "  - { id: figures, match: GET /2/posts/figures }\n",
              &blob, &image);
    assert_int_equal(image.versions[0].unlisted, LICET_RULE_REFUSE);
    assert_int_equal(licet_image_version_at(&image, 0), 0);
    assert_int_equal(licet_image_version_at(&image, UINT64_MAX - 1), 0);
    assert_answers(&image, "GET", "/2/users/7", "any");
    assert_answers(&image, "GET", "/2/posts/7", "one");
    assert_answers(&image, "GET", "/2/posts/figures", "figures");
    assert_answers(&image, "POST", "/2/posts/7", "");
    assert_answers(&image, "GET", "/2/posts/", "");
    assert_answers(&image, "GET", "/2/posts", "");
    licet_buffer_done(&blob);

    open_lone("units: {}\nunlisted: record\nendpoints: []\n", &blob, &image);
    assert_int_equal(image.header->endpoints_len, 0);
    assert_answers(&image, "GET", "/", "");
    licet_buffer_done(&blob);
}

static void
assert_mistakes(const char *text, size_t len, const char *expected)
{
    licet_mistakes mistakes = {0};
    licet_error err = {0};
    licet_buffer blob;
    char got[2048] = "";
    size_t at = 0;

    licet_buffer_init(&blob, (size_t)1 << 24);
    assert_false(licet_catalogue_compile(NAME, licet_bytes_of(text, len), &mistakes, &blob, &err));
    assert_int_equal(err.code, LICET_E_INVALID);
    assert_int_equal(blob.len, 0);
    for (size_t i = 0; i < mistakes.len; i++) {
        const licet_mistake *m = &mistakes.list[i];
        assert_string_equal(m->file, NAME);
        at += (size_t)snprintf(got + at, sizeof(got) - at, "%u:%u: %s\n", m->line, m->column, m->text);
        assert_true(at < sizeof(got));
    }
    assert_string_equal(got, expected);
    licet_buffer_done(&blob);
    licet_mistakes_done(&mistakes);
}

/* Those of the schema, those of the checks, both in one run, and a file that cannot be read at all. */
static void
test_mistakes(void **state)
{
    static const struct {
        const char *from, *to, *expected;
    } changes[] = {
        {"unlisted: record", "unlisted: maybe", "2:11: unlisted \"maybe\": expected record or refuse\n"},
        {"$.includes.users", "$.includes[0]",
         "6:48: endpoint search-recent: count: user \"$.includes[0]\": path \"$.includes[0]\": byte 11: an index is "
         "not "
         "supported; expected .name or ['name']\n"},
        {"units: { post: {}, user: {} }", "units: { user: {} }",
         "6:14: endpoint search-recent: count: unit \"post\": expected one of this catalogue's units\n"
         "11:14: endpoint post: count: unit \"post\": expected one of this catalogue's units\n"
         "15:14: endpoint lookup: count: unit \"post\": expected one of this catalogue's units\n"},
        {"GET /2/tweets/{id}", "GET /2/tweets",
         "14:12: endpoint lookup: match \"GET /2/tweets\": endpoint post in line 10 matches the same requests\n"},
        {NULL, "", "0:0: the file is empty\n"},
        {NULL, "[", "2:1: not YAML: did not find expected node content (while parsing a flow node)\n"},
    };
    char *large;

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char *text = test_replaced(catalogue_text(), changes[i].from, changes[i].to);
        assert_mistakes(text, strlen(text), changes[i].expected);
        free(text);
    }
    large = malloc(LICET_SITE_FILE_MAX + 1);
    assert_non_null(large);
    memset(large, '#', LICET_SITE_FILE_MAX + 1);
    assert_mistakes(large, LICET_SITE_FILE_MAX + 1, "0:0: 4194305 bytes: expected at most 4194304\n");
    free(large);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_in_a_site),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
