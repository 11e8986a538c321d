/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compile: the checked terms of one agreement become an image.
 *
 *  (1) The same terms, cell, counters and kinds before give the same bytes but for the image's number: whether
 *      something changed is a comparison of two blobs.
 *  (2) Order within the tables is that of image.c (3).
 *  (3) Kinds stand where the image before has them, then in the order in which versions first name them: leases, ids
 *      under way and slots know a kind by its number, whatever image is in force. A kind that nothing names any more
 *      keeps its number.
 */
#include "compile.h"
#include "blob.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLE_MAX ((size_t)256 << 20)

/* (1): rows are written as they lie in memory, so none may have padding, whose bytes nobody sets. */
#define T sizeof(licet_text)
#define R sizeof(licet_range)
#define H sizeof(licet_hash)
#define L sizeof(uint64_t)
#define N sizeof(uint32_t)
static_assert(sizeof(licet_image_clause) == 3 * T + 2 * N, "padding");
static_assert(sizeof(licet_image_purpose) == T + 2 * N, "padding");
static_assert(sizeof(licet_image_count) == 3 * T + 2 * N + 2 * L, "padding");
static_assert(sizeof(licet_image_segment) == T + 2 * N, "padding");
static_assert(sizeof(licet_image_endpoint) == 2 * T + 2 * R, "padding");
static_assert(sizeof(licet_image_limit) == T + 5 * R + 14 * N + 2 * L, "padding");
static_assert(sizeof(licet_image_dedup) == 6 * N, "padding");
static_assert(sizeof(licet_image_zone) == T + R, "padding");
static_assert(sizeof(licet_image_transition) == L + 2 * N, "padding");
static_assert(sizeof(licet_image_rate_card) == 8 * N + T + L + 3 * R, "padding");
static_assert(sizeof(licet_image_price) == T + 4 * N + 2 * L + 2 * R, "padding");
static_assert(sizeof(licet_image_tier) == 2 * L, "padding");
static_assert(sizeof(licet_image_surcharge) == T + L, "padding");
static_assert(sizeof(licet_image_rebate) == 2 * L, "padding");
static_assert(sizeof(licet_image_payment) == 2 * L, "padding");
static_assert(sizeof(licet_image_government) == 4 * N + R, "padding");
static_assert(sizeof(licet_image_grant) == 2 * N + 2 * L, "padding");
static_assert(sizeof(licet_image_recipient) == 2 * T + 4 * N + 3 * L, "padding");
static_assert(sizeof(licet_image_duty) == 2 * T + 6 * N, "padding");
static_assert(sizeof(licet_image_span) == 2 * L, "padding");
static_assert(sizeof(licet_image_app_product) == 2 * N + 2 * L, "padding");
static_assert(sizeof(licet_image_version) ==
                  2 * T + 2 * H + 2 * L + 4 * N + L + 5 * N + 4 * R + N + L + 4 * N + 4 * R + 2 * T + 6 * N,
              "padding");
static_assert(sizeof(licet_image_app) == 2 * T + R + 2 * N + 3 * L + 2 * N, "padding");
static_assert(sizeof(licet_image_product) == 2 * N + 3 * L, "padding");
static_assert(sizeof(licet_image_step) == 2 * L + 2 * N + H, "padding");
static_assert(sizeof(licet_image_outbound) == 4 * T, "padding");
static_assert(sizeof(licet_image_credential) == T + 2 * N + 2 * H + 2 * L + 2 * N, "padding");
static_assert(sizeof(licet_image_use_case) == 3 * T + 2 * N + 2 * R + L, "padding");
static_assert(sizeof(licet_image_header) == L + 2 * N + 2 * L + H + 2 * N + (LICET_KINDS_MAX + 3) * T + TABLES_LEN * R,
              "padding");
#undef T
#undef R
#undef H
#undef L
#undef N

licet_text
compile_text(compiler *c, licet_bytes bytes)
{
    licet_buffer *strings = &c->tables[TABLE_strings];
    licet_text text = {(uint32_t)strings->len, (uint32_t)bytes.len};

    licet_put_bytes(strings, bytes);
    return text;
}

/* ---- kinds ------------------------------------------------------------------------ */

static bool
add_kind(compiler *c, licet_bytes name)
{
    for (uint32_t i = 0; i < c->kinds_len; i++) {
        if (licet_bytes_equal(c->kinds[i], name)) {
            return true;
        }
    }
    if (c->kinds_len == LICET_KINDS_MAX) {
        return LICET_FAIL(c->err, LICET_E_LIMIT, 0,
                          "agreement %s: unit %.*s: with those of earlier images there are more than %d units",
                          (const char *)c->agreement->id.text.data, (int)name.len, (const char *)name.data,
                          LICET_KINDS_MAX);
    }
    c->kinds[c->kinds_len++] = name;
    return true;
}

static bool
gather_kinds(compiler *c)
{
    const licet_image *before = c->options->before;

    for (uint32_t i = 0; before != NULL && i < before->header->kinds_len; i++) {
        if (!add_kind(c, licet_image_text(before, before->header->kinds[i]))) {
            return false;
        }
    }
    if (!add_kind(c, LICET_BYTES_LITERAL("request")) || !add_kind(c, LICET_BYTES_LITERAL("byte"))) {
        return false;
    }
    for (uint32_t i = 0; i < c->agreement->versions_len; i++) {
        const licet_rows *units = &c->agreement->versions[i].catalogue->units;
        for (uint32_t j = 0; j < units->len; j++) {
            if (!add_kind(c, LICET_TERMS_ROW(licet_terms_unit, *units, j)->key.text)) {
                return false;
            }
        }
    }
    return true;
}

uint32_t
compile_kind(const compiler *c, licet_bytes name)
{
    uint32_t i = 0;

    while (i + 1 < c->kinds_len && !licet_bytes_equal(c->kinds[i], name)) {
        i++;
    }
    return i;
}

/* ---- catalogue ---------------------------------------------------------------------- */

static uint32_t
literals_of(const licet_terms_match *match)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < match->segments_len; i++) {
        n += !match->segments[i].placeholder;
    }
    return n;
}

static int
compare_endpoints(const void *left, const void *right)
{
    const licet_terms_endpoint *a = *(const licet_terms_endpoint *const *)left;
    const licet_terms_endpoint *b = *(const licet_terms_endpoint *const *)right;
    uint32_t x = literals_of(&a->match), y = literals_of(&b->match);
    int order = licet_bytes_order(a->match.method, b->match.method);

    if (order == 0) {
        order = (a->match.segments_len > b->match.segments_len) - (a->match.segments_len < b->match.segments_len);
    }
    if (order == 0) {
        order = (x < y) - (x > y);
    }
    return order != 0 ? order : (a > b) - (a < b);
}

static void
put_counts(compiler *c, const licet_terms_endpoint *endpoint)
{
    for (uint32_t i = 0; i < endpoint->count.len; i++) {
        const licet_pair *count = LICET_TERMS_ROW(licet_pair, endpoint->count, i);
        licet_image_count row = {.kind = compile_kind(c, count->key.text), .path = compile_text(c, count->value.text)};
        for (uint32_t j = 0; j < endpoint->ids.len; j++) {
            const licet_pair *ids = LICET_TERMS_ROW(licet_pair, endpoint->ids, j);
            if (licet_bytes_equal(ids->key.text, count->key.text)) {
                row.ids = compile_text(c, ids->value.text);
            }
        }
        for (uint32_t j = 0; j < endpoint->page.len; j++) {
            const licet_terms_page *page = LICET_TERMS_ROW(licet_terms_page, endpoint->page, j);
            if (licet_bytes_equal(page->key.text, count->key.text)) {
                row.page_from = page->from;
                row.page_query = compile_text(c, page->query.text);
                row.page_default = page->fallback.value;
                row.page_most = page->most.value;
            }
        }
        PUT(c, counts, &row);
    }
}

static void
put_endpoint(compiler *c, const licet_terms_endpoint *endpoint)
{
    licet_image_endpoint row = {
        .id = compile_text(c, endpoint->id.text),
        .method = compile_text(c, endpoint->match.method),
        .segments = {ROWS(c, segments, licet_image_segment), endpoint->match.segments_len},
        .counts = {ROWS(c, counts, licet_image_count), endpoint->count.len},
    };

    for (uint32_t i = 0; i < endpoint->match.segments_len; i++) {
        const licet_terms_segment *segment = &endpoint->match.segments[i];
        licet_image_segment out = {.literal = compile_text(c, segment->literal), .placeholder = segment->placeholder};
        PUT(c, segments, &out);
    }
    put_counts(c, endpoint);
    PUT(c, endpoints, &row);
}

static bool
put_endpoints(compiler *c, const licet_terms_catalogue *catalogue, licet_range *out_range)
{
    uint32_t len = catalogue->endpoints.len;
    const licet_terms_endpoint *list = catalogue->endpoints.rows;
    const licet_terms_endpoint **sorted = calloc((size_t)len + 1, sizeof(*sorted));

    free(c->endpoint_row);
    c->endpoint_row = calloc((size_t)len + 1, sizeof(*c->endpoint_row));
    if (sorted == NULL || c->endpoint_row == NULL) {
        free(sorted);
        return LICET_FAIL(c->err, LICET_E_MEMORY, 0, "no memory for %u endpoints", len);
    }
    for (uint32_t i = 0; i < len; i++) {
        sorted[i] = &list[i];
    }
    qsort(sorted, len, sizeof(*sorted), compare_endpoints);
    *out_range = (licet_range){ROWS(c, endpoints, licet_image_endpoint), len};
    for (uint32_t i = 0; i < len; i++) {
        c->endpoint_row[sorted[i] - list] = out_range->first + i;
        put_endpoint(c, sorted[i]);
    }
    free(sorted);
    return true;
}

/* ---- one version ----------------------------------------------------------------------- */

static void
put_clauses(compiler *c, const licet_terms_version *version)
{
    c->first_clause = ROWS(c, clauses, licet_image_clause);
    for (uint32_t i = 0; i < version->clauses.len; i++) {
        const licet_terms_clause *clause = LICET_TERMS_ROW(licet_terms_clause, version->clauses, i);
        licet_image_clause row = {.key = compile_text(c, clause->key.text),
                                  .section = compile_text(c, clause->section.text),
                                  .says = compile_text(c, clause->says.text),
                                  .mode = (uint32_t)clause->mode.value};
        PUT(c, clauses, &row);
    }
}

uint32_t
compile_clause(const compiler *c, const licet_terms_version *version, licet_bytes key)
{
    return c->first_clause + licet_names_find(&version->clause_names, key);
}

typedef struct named_purpose {
    licet_bytes name;
    uint32_t forbidden_by;
} named_purpose;

static int
compare_purposes(const void *left, const void *right)
{
    return licet_bytes_order(((const named_purpose *)left)->name, ((const named_purpose *)right)->name);
}

static bool
put_purposes(compiler *c, const licet_terms_version *version, licet_range *out_range)
{
    const licet_rows *allowed = &version->purposes.allowed, *forbidden = &version->purposes.forbidden;
    uint32_t len = allowed->len + forbidden->len;
    named_purpose *list = calloc((size_t)len + 1, sizeof(*list));

    if (list == NULL) {
        return LICET_FAIL(c->err, LICET_E_MEMORY, 0, "no memory for %u purposes", len);
    }
    for (uint32_t i = 0; i < allowed->len; i++) {
        list[i] = (named_purpose){LICET_TERMS_ROW(licet_scalar, *allowed, i)->text, LICET_NONE};
    }
    for (uint32_t i = 0; i < forbidden->len; i++) {
        const licet_pair *pair = LICET_TERMS_ROW(licet_pair, *forbidden, i);
        list[allowed->len + i] = (named_purpose){pair->key.text, compile_clause(c, version, pair->value.text)};
    }
    qsort(list, len, sizeof(*list), compare_purposes);
    *out_range = (licet_range){ROWS(c, purposes, licet_image_purpose), len};
    for (uint32_t i = 0; i < len; i++) {
        licet_image_purpose row = {.name = compile_text(c, list[i].name), .forbidden_by = list[i].forbidden_by};
        PUT(c, purposes, &row);
    }
    free(list);
    return true;
}

/* A version that was terminated ends there, whatever was to follow its term. */
static uint64_t
end_of(const licet_terms_version *version)
{
    const struct licet_terms_in_force *in_force = &version->in_force;

    return in_force->terminated.said.line != 0 ? in_force->terminated.value : in_force->before.value;
}

static bool
put_version(compiler *c, const licet_terms_version *version)
{
    const licet_terms_cannot_record *cannot = &version->cannot_record;
    licet_bytes unit;
    licet_image_version row = {
        .id = compile_text(c, version->id.text),
        .catalogue = compile_text(c, version->catalogue->name.text),
        .from_ms = version->in_force.from.value,
        .before_ms = end_of(version),
        .then = end_of(version) == version->in_force.before.value ? (uint32_t)version->in_force.then.value
                                                                  : LICET_THEN_REFUSE,
        .mode = (uint32_t)version->mode.value,
        .cannot_record = cannot->what,
        .on_overrun = (uint32_t)version->on_overrun.value,
        .unlisted = (uint32_t)version->catalogue->unlisted.value,
        .rate_limit_headers = (uint32_t)version->catalogue->rate_limit_headers.value,
        .purpose_not_named = (uint32_t)version->purposes.not_named.value,
        .purpose_not_declared = (uint32_t)version->purposes.not_declared.value,
        .clauses = {ROWS(c, clauses, licet_image_clause), version->clauses.len},
        .limits = {ROWS(c, limits, licet_image_limit), version->limits.len},
        .known_from_ms = version->known_from.said.line != 0 ? version->known_from.value : version->in_force.from.value,
        .licensor = compile_text(c, version->parties.licensor.legal_name.text),
        .licensee = compile_text(c, version->parties.licensee.legal_name.text),
        .credentials_clause = LICET_NONE,
    };

    memcpy(row.file_sha256, version->file.sha256.bytes, sizeof(row.file_sha256));
    memcpy(row.catalogue_sha256, version->catalogue->file.sha256.bytes, sizeof(row.catalogue_sha256));
    if (cannot->what == LICET_CANNOT_RECORD_ALLOW && licet_terms_allow_unit(version, &unit)) {
        row.allow_units = cannot->units;
        row.allow_kind = compile_kind(c, unit);
    }
    row.renew_months = row.then == LICET_THEN_RENEW ? version->in_force.renew_months : 0;
    put_clauses(c, version);
    row.most_credentials = (uint32_t)version->tokens.most_per_app.value;
    if (row.most_credentials > 0) {
        row.credentials_clause = compile_clause(c, version, version->tokens.clause.text);
    }
    compile_counting(c, version, &row.dedups);
    row.duties = compile_duties(c, version);
    if (!put_purposes(c, version, &row.purposes) || !put_endpoints(c, version->catalogue, &row.endpoints) ||
        !compile_limits(c, version, row.endpoints) || !compile_prices(c, version)) {
        return false;
    }
    row.limits.count = ROWS(c, limits, licet_image_limit) - row.limits.first;
    if (!compile_recipient_rules(c, version, &row)) {
        return false;
    }
    PUT(c, versions, &row);
    return true;
}

/* ---- the blob -------------------------------------------------------------------------------- */

static void
put_table(const licet_buffer *table, size_t size, licet_buffer *out, uint32_t *out_at, uint32_t *out_len)
{
    static const uint8_t zeros[8] = {0};

    licet_put_bytes(out, licet_bytes_of(zeros, (8 - out->len % 8) % 8));
    *out_at = (uint32_t)out->len;
    *out_len = (uint32_t)(table->len / size);
    licet_put_bytes(out, licet_buffer_view(table));
}

static bool
write_image(compiler *c, licet_buffer *out)
{
    const licet_terms_version *last = &c->agreement->versions[c->agreement->versions_len - 1];
    licet_image_header header = {.format = LICET_IMAGE_FORMAT,
                                 .flow = c->site->view.flow,
                                 .number = c->options->number,
                                 .cell = c->options->cell,
                                 .kinds_len = c->kinds_len};
    bool failed = false;
    licet_bytes body;
    licet_hash hash;

    memcpy(header.magic, LICET_IMAGE_MAGIC, sizeof(header.magic));
    for (uint32_t i = 0; i < c->kinds_len; i++) {
        header.kinds[i] = compile_text(c, c->kinds[i]);
    }
    header.agreement = compile_text(c, c->agreement->id.text);
    header.licensor = compile_text(c, last->parties.licensor.legal_name.text);
    header.licensee = compile_text(c, last->parties.licensee.legal_name.text);
    licet_put_bytes(out, licet_bytes_of(&header, sizeof(header)));
#define PUT_TABLE(name, type)                                                                                          \
    put_table(&c->tables[TABLE_##name], sizeof(type), out, &header.name##_at, &header.name##_len);                     \
    failed = failed || c->tables[TABLE_##name].failed;
    LICET_IMAGE_TABLES(PUT_TABLE)
#undef PUT_TABLE
    if (failed || out->failed || out->len > UINT32_MAX) {
        return LICET_FAIL(c->err, LICET_E_LIMIT, 0, "agreement %s: its image needs more memory than there is",
                          (const char *)c->agreement->id.text.data);
    }
    header.size = out->len;
    body = licet_bytes_of(out->data + sizeof(header), out->len - sizeof(header));
    hash = licet_sha256(&body, 1);
    memcpy(header.sha256, hash.bytes, sizeof(header.sha256));
    memcpy(out->data, &header, sizeof(header));
    return true;
}

bool
licet_site_compile(const licet_site *site, size_t i, const licet_compile_options *options, licet_buffer *out,
                   licet_error *err)
{
    compiler c = {.site = site, .agreement = &site->agreements[i], .options = options, .err = err};
    bool good = false;

    for (int t = 0; t < TABLES_LEN; t++) {
        licet_buffer_init(&c.tables[t], TABLE_MAX);
    }
    if (!gather_kinds(&c)) {
        goto done;
    }
    compile_registry(&c); /* first: limits count over its rows */
    compile_recipients(&c);
    for (uint32_t v = 0; v < c.agreement->versions_len; v++) {
        if (!put_version(&c, &c.agreement->versions[v])) {
            goto done;
        }
    }
    compile_payments(&c);
    good = write_image(&c, out);
done:
    free(c.endpoint_row);
    for (int t = 0; t < TABLES_LEN; t++) {
        licet_buffer_done(&c.tables[t]);
    }
    return good;
}
