/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue/<name>@<date>.yaml: the platform's endpoints and what counts in each response.
 *
 *  (1) An endpoint counts at most LICET_COUNTS_PER_ENDPOINT_MAX units over at most LICET_PATH_NODES_MAX distinct path
 *      steps, so that the meter's state has a fixed size.
 */
#include "terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- match: "GET /2/tweets/{id}" ----------------------------------------------- */

static bool
is_token(licet_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((text.data[i] < 'A' || text.data[i] > 'Z') && text.data[i] != '-' && text.data[i] != '_') {
            return false;
        }
    }
    return text.len >= 1 && text.len <= 16;
}

/* One segment between slashes; false with a sentence in *out_wrong. */
static bool
read_segment(licet_bytes text, licet_terms_segment *out, const char **out_wrong)
{
    bool open = text.len > 0 && text.data[0] == '{', close = text.len > 0 && text.data[text.len - 1] == '}';
    const uint8_t *data = text.data;

    out->placeholder = open && close && text.len > 2;
    out->literal = out->placeholder ? licet_bytes_of(data + 1, text.len - 2) : text;
    for (size_t i = 0; i < out->literal.len; i++) {
        uint8_t c = out->literal.data[i];
        if (c == '{' || c == '}') {
            *out_wrong = "each placeholder such as {id} to be a whole segment";
            return false;
        }
        if (c <= 0x20 || c == 0x7f) {
            *out_wrong = "a path without spaces";
            return false;
        }
    }
    return true;
}

static bool
split_match(licet_reader *reader, licet_bytes text, licet_terms_match *match, const char **out_wrong)
{
    const uint8_t *space = text.len == 0 ? NULL : memchr(text.data, ' ', text.len);
    size_t start, slashes = 0, n = 0;

    *out_wrong = "a method, a space and a path such as GET /2/tweets/{id}";
    if (space == NULL || (size_t)(space - text.data) + 1 >= text.len || space[1] != '/') {
        return false;
    }
    match->method = licet_bytes_of(text.data, (size_t)(space - text.data));
    if (!is_token(match->method)) {
        return false;
    }
    if (memchr(text.data, '?', text.len) != NULL || memchr(text.data, '#', text.len) != NULL) {
        *out_wrong = "a path without its query, which is ignored";
        return false;
    }
    start = match->method.len + 2;
    for (size_t i = start; i < text.len; i++) {
        slashes += text.data[i] == '/';
    }
    if (slashes + 1 > LICET_SEGMENTS_MAX) {
        *out_wrong = "at most 32 segments";
        return false;
    }
    match->segments = licet_arena_rows(reader->arena, slashes + 1, sizeof(*match->segments));
    if (match->segments == NULL) {
        return false;
    }
    for (size_t i = start; i <= text.len; i++) {
        if (i == text.len || text.data[i] == '/') {
            if (!read_segment(licet_bytes_of(text.data + start, i - start), &match->segments[n++], out_wrong)) {
                return false;
            }
            start = i + 1;
        }
    }
    match->segments_len = (uint32_t)n;
    return true;
}

static void
read_match(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    licet_terms_match *match = out;
    licet_scalar said;
    const char *wrong;

    if (!licet_schema_scalar(reader, context, field->name, node, "a method and a path such as GET /2/tweets/{id}")) {
        return;
    }
    said = licet_schema_keep(reader, &node->scalar);
    if (said.text.len > LICET_TEXT_MAX || !split_match(reader, said.text, match, &wrong)) {
        licet_reader_say(reader, &said, context, "%s \"%s\": expected %s", field->name, licet_quote_of(said.text).text,
                         said.text.len > LICET_TEXT_MAX ? "at most 1024 bytes" : wrong);
        match->segments_len = 0;
        return;
    }
    match->said = said;
}

/* ---- page -------------------------------------------------------------------------- */

static bool
fits_query(licet_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= 0x20 || text.data[i] >= 0x7f || strchr("&=#?%+", text.data[i]) != NULL) {
            return false;
        }
    }
    return text.len >= 1 && text.len <= LICET_NAME_MAX;
}

static const licet_word items[] = {{"comma", 0}, {NULL, 0}};

#define AT(member) .at = offsetof(licet_terms_page, member)
static const licet_field page_fields[] = {
    {.name = "query",
     .type = LICET_FIELD_TEXT,
     .required = true,
     AT(query),
     .fits = fits_query,
     .expected = "the name of a query parameter such as max_results"},
    {.name = "items", .type = LICET_FIELD_WORD, AT(items), .words = items, .fallback = LICET_NONE},
    {.name = "default", .type = LICET_FIELD_NUMBER, AT(fallback), .least = 0, .most = LICET_MOST_MAX},
    {.name = "most", .type = LICET_FIELD_NUMBER, .required = true, AT(most), .least = 1, .most = LICET_MOST_MAX},
    {.name = NULL}};
#undef AT
static const licet_schema page_schema = {.noun = "page", .size = sizeof(licet_terms_page), .fields = page_fields};

static void
check_page(licet_reader *reader, const char *context, const licet_yaml_node *node, const licet_terms_page *page)
{
    if (page->items.said.line != 0) {
        if (page->fallback.said.line != 0) {
            licet_reader_say(reader, &page->fallback.said, context,
                             "default \"%s\": expected none beside items, where each item counts",
                             licet_quote_of(page->fallback.said.text).text);
        }
    } else if (page->fallback.said.line == 0) {
        licet_reader_say(reader, &node->scalar, context, "field \"default\" is missing");
    } else if (page->most.said.line != 0 && page->fallback.value > page->most.value) {
        licet_reader_say(reader, &page->fallback.said, context, "default \"%s\": expected at most %llu, the most",
                         licet_quote_of(page->fallback.said.text).text, (unsigned long long)page->most.value);
    }
}

static void
read_page_of(licet_reader *reader, const char *context, const licet_yaml_node *node, licet_terms_page *page)
{
    char inner[LICET_CONTEXT_MAX];
    licet_quote unit = licet_quote_of(node->key.text);
    size_t mistakes = reader->mistakes->len;

    page->key = licet_schema_keep(reader, &node->key);
    if (node->kind == LICET_YAML_SCALAR) {
        page->from = LICET_PAGE_NUMBER;
        licet_schema_number(reader, context, unit.text, node, 1, LICET_MOST_MAX, &page->most.value);
        page->fallback.value = page->most.value;
        return;
    }
    if (node->kind != LICET_YAML_MAP) {
        licet_schema_scalar(reader, context, unit.text, node, "a number or {query, default, most}");
        return;
    }
    licet_context_of(inner, "%s%s: ", context, unit.text);
    licet_schema_read(reader, inner, &page_schema, node, page);
    page->from = page->items.said.line != 0 ? LICET_PAGE_ITEMS : LICET_PAGE_QUERY;
    if (reader->mistakes->len == mistakes) {
        check_page(reader, inner, node, page);
    }
}

static void
read_page(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    char inner[LICET_CONTEXT_MAX];
    licet_rows *rows = out;
    licet_terms_page *page;

    if (node->kind != LICET_YAML_MAP) {
        if (node->kind != LICET_YAML_BAD) {
            licet_reader_say(reader, &node->scalar, context, "%s: expected a mapping of units", field->name);
        }
        return;
    }
    page = node->len == 0 ? NULL : licet_arena_rows(reader->arena, node->len, sizeof(*page));
    if (page == NULL) {
        return;
    }
    rows->rows = page;
    rows->len = node->len;
    licet_context_of(inner, "%s%s: ", context, field->name);
    for (const licet_yaml_node *child = node->first; child != NULL; child = child->next) {
        read_page_of(reader, inner, child, page++);
    }
}

/* ---- tables ------------------------------------------------------------------------- */

static bool
fits_unit(licet_bytes text)
{
    return licet_fits_id(text) && !licet_bytes_equal_text(text, "request") && !licet_bytes_equal_text(text, "byte") &&
           !licet_bytes_equal_text(text, "byte-acked");
}

static const licet_word rules[] = {{"record", LICET_RULE_RECORD}, {"refuse", LICET_RULE_REFUSE}, {NULL, 0}};

static const licet_field unit_fields[] = {{.name = "dedup",
                                           .type = LICET_FIELD_OBJECT,
                                           .at = offsetof(licet_terms_unit, dedup),
                                           .schema = &licet_terms_dedup_schema},
                                          {.name = NULL}};
static const licet_schema unit_schema = {.noun = "unit",
                                         .size = sizeof(licet_terms_unit),
                                         .fields = unit_fields,
                                         .key_fits = fits_unit,
                                         .key_expected = LICET_EXPECTED_ID
                                         ", and not request, byte or byte-acked, which the gate counts by itself"};

#define AT(member) .at = offsetof(licet_terms_endpoint, member)
static const licet_field endpoint_fields[] = {
    {.name = "id", .type = LICET_FIELD_ID, .required = true, AT(id)},
    {.name = "match", .type = LICET_FIELD_OWN, .required = true, AT(match), .read = read_match},
    {.name = "count",
     .type = LICET_FIELD_PAIRS,
     AT(count),
     .fits = licet_fits_text,
     .expected = "a path such as $.data"},
    {.name = "ids",
     .type = LICET_FIELD_PAIRS,
     AT(ids),
     .fits = licet_fits_text,
     .expected = "a path such as $.data.id"},
    {.name = "page", .type = LICET_FIELD_OWN, AT(page), .schema = &page_schema, .read = read_page},
    {.name = NULL}};
#undef AT
static const licet_schema endpoint_schema = {
    .noun = "endpoint", .title = "id", .size = sizeof(licet_terms_endpoint), .fields = endpoint_fields};

static const licet_word rate_limit_headers[] = {{"none", LICET_RATE_LIMIT_HEADERS_NONE},
                                                {"x", LICET_RATE_LIMIT_HEADERS_X},
                                                {"reddit", LICET_RATE_LIMIT_HEADERS_REDDIT},
                                                {NULL, 0}};

#define AT(member) .at = offsetof(licet_terms_catalogue, member)
static const licet_field catalogue_fields[] = {
    {.name = "units", .type = LICET_FIELD_MAP, AT(units), .schema = &unit_schema},
    {.name = "unlisted", .type = LICET_FIELD_WORD, .required = true, AT(unlisted), .words = rules},
    {.name = "rate_limit_headers", .type = LICET_FIELD_WORD, AT(rate_limit_headers), .words = rate_limit_headers},
    {.name = "endpoints", .type = LICET_FIELD_LIST, .required = true, AT(endpoints), .schema = &endpoint_schema},
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_catalogue_schema = {
    .noun = "catalogue", .size = sizeof(licet_terms_catalogue), .fields = catalogue_fields};

/* ---- checks within one catalogue ------------------------------------------------------ */

/* The steps of an endpoint's paths, each distinct prefix once. */
typedef struct path_nodes {
    licet_path paths[2 * LICET_COUNTS_PER_ENDPOINT_MAX];
    unsigned paths_len, nodes;
} path_nodes;

static void
add_path(path_nodes *nodes, const licet_path *path)
{
    unsigned shared = 0;

    for (unsigned i = 0; i < nodes->paths_len; i++) {
        const licet_path *other = &nodes->paths[i];
        unsigned same = 0;
        while (same < path->steps && same < other->steps && path->name_len[same] == other->name_len[same] &&
               memcmp(path->name[same], other->name[same], path->name_len[same]) == 0) {
            same++;
        }
        shared = same > shared ? same : shared;
    }
    nodes->nodes += path->steps - shared;
    if (nodes->paths_len < sizeof(nodes->paths) / sizeof(nodes->paths[0])) {
        nodes->paths[nodes->paths_len++] = *path;
    }
}

static void
check_path(licet_reader *reader, const char *context, const licet_pair *pair, path_nodes *nodes)
{
    licet_scalar at = pair->value;
    licet_error err = {0};
    licet_path path;

    if (licet_path_parse(at.text, &path, &err)) {
        add_path(nodes, &path);
        return;
    }
    if (at.text_column != 0 && err.offset <= at.text.len) { /* point at the character at fault */
        at.column = at.text_column;
        for (size_t i = 0; i < err.offset; i++) {
            at.column += (at.text.data[i] & 0xc0) != 0x80;
        }
    }
    licet_reader_say(reader, &at, context, "%s \"%s\": %s", licet_quote_of(pair->key.text).text,
                     licet_quote_of(at.text).text, err.text);
}

static bool
counts_unit(const licet_terms_endpoint *endpoint, licet_bytes unit)
{
    for (uint32_t i = 0; i < endpoint->count.len; i++) {
        if (licet_bytes_equal(LICET_TERMS_ROW(licet_pair, endpoint->count, i)->key.text, unit)) {
            return true;
        }
    }
    return false;
}

static void
check_counts(licet_reader *reader, const char *context, const licet_terms_catalogue *catalogue,
             const licet_terms_endpoint *endpoint)
{
    char inner[LICET_CONTEXT_MAX];
    path_nodes nodes = {.paths_len = 0};

    if (endpoint->count.len > LICET_COUNTS_PER_ENDPOINT_MAX) {
        licet_reader_say(reader, &LICET_TERMS_ROW(licet_pair, endpoint->count, LICET_COUNTS_PER_ENDPOINT_MAX)->key,
                         context, "count names %u units: expected at most %u at one endpoint", endpoint->count.len,
                         LICET_COUNTS_PER_ENDPOINT_MAX);
        return;
    }
    licet_context_of(inner, "%scount: ", context);
    for (uint32_t i = 0; i < endpoint->count.len; i++) {
        const licet_pair *pair = LICET_TERMS_ROW(licet_pair, endpoint->count, i);
        if (licet_names_find(&catalogue->unit_names, pair->key.text) == LICET_NONE) {
            licet_reader_say(reader, &pair->key, inner, "unit \"%s\": expected one of this catalogue's units",
                             licet_quote_of(pair->key.text).text);
        }
        check_path(reader, inner, pair, &nodes);
    }
    licet_context_of(inner, "%sids: ", context);
    for (uint32_t i = 0; i < endpoint->ids.len; i++) {
        const licet_pair *pair = LICET_TERMS_ROW(licet_pair, endpoint->ids, i);
        if (!counts_unit(endpoint, pair->key.text)) {
            licet_reader_say(reader, &pair->key, inner, "unit \"%s\": expected a unit that this endpoint counts",
                             licet_quote_of(pair->key.text).text);
        } else {
            check_path(reader, inner, pair, &nodes);
        }
    }
    if (nodes.nodes > LICET_PATH_NODES_MAX) {
        licet_reader_say(reader, &endpoint->id, context, "its paths have %u distinct steps: expected at most %u",
                         nodes.nodes, LICET_PATH_NODES_MAX);
    }
    licet_context_of(inner, "%spage: ", context);
    for (uint32_t i = 0; i < endpoint->page.len; i++) {
        const licet_terms_page *page = LICET_TERMS_ROW(licet_terms_page, endpoint->page, i);
        if (!counts_unit(endpoint, page->key.text)) {
            licet_reader_say(reader, &page->key, inner, "unit \"%s\": expected a unit that this endpoint counts",
                             licet_quote_of(page->key.text).text);
        }
    }
}

/* Equal patterns: the same method and segments, whatever the placeholders are called. */
static int
compare_patterns(const licet_terms_match *a, const licet_terms_match *b)
{
    int order = licet_bytes_order(a->method, b->method);

    if (order == 0) {
        order = (a->segments_len > b->segments_len) - (a->segments_len < b->segments_len);
    }
    for (uint32_t i = 0; order == 0 && i < a->segments_len; i++) {
        const licet_terms_segment *x = &a->segments[i], *y = &b->segments[i];
        order = (int)x->placeholder - (int)y->placeholder;
        if (order == 0 && !x->placeholder) {
            order = licet_bytes_order(x->literal, y->literal);
        }
    }
    return order;
}

static int
compare_endpoints(const void *left, const void *right)
{
    const licet_terms_endpoint *a = *(const licet_terms_endpoint *const *)left;
    const licet_terms_endpoint *b = *(const licet_terms_endpoint *const *)right;
    int order = compare_patterns(&a->match, &b->match);

    return order != 0 ? order : (a > b) - (a < b);
}

static void
check_patterns(licet_reader *reader, const licet_terms_catalogue *catalogue)
{
    uint32_t len = catalogue->endpoints.len, n = 0;
    const licet_terms_endpoint **sorted = calloc(len + 1, sizeof(*sorted)), *first = NULL;

    if (sorted == NULL) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < len; i++) {
        const licet_terms_endpoint *endpoint = LICET_TERMS_ROW(licet_terms_endpoint, catalogue->endpoints, i);
        if (endpoint->match.segments_len > 0) {
            sorted[n++] = endpoint;
        }
    }
    qsort(sorted, n, sizeof(*sorted), compare_endpoints);
    for (uint32_t i = 0; i < n; i++) {
        if (first == NULL || compare_patterns(&first->match, &sorted[i]->match) != 0) {
            first = sorted[i];
            continue;
        }
        licet_reader_say(reader, &sorted[i]->match.said, "",
                         "endpoint %s: match \"%s\": endpoint %s in line %u matches the same requests",
                         licet_quote_of(sorted[i]->id.text).text, licet_quote_of(sorted[i]->match.said.text).text,
                         licet_quote_of(first->id.text).text, first->match.said.line);
    }
    free(sorted);
}

static void
check_ids(licet_reader *reader, const licet_names *names)
{
    for (uint32_t i = 1; i < names->len; i++) {
        const licet_scalar *here = names->sorted[i];
        uint32_t first = licet_names_find(names, here->text);
        const licet_terms_endpoint *other =
            (const licet_terms_endpoint *)(const void *)((const uint8_t *)names->rows + first * names->stride);
        if (here->text.len > 0 && &other->id != here) {
            licet_reader_say(reader, here, "", "endpoint %s: id \"%s\" is taken already in line %u",
                             licet_quote_of(here->text).text, licet_quote_of(here->text).text, other->id.line);
        }
    }
}

void
licet_terms_check_catalogue(licet_reader *reader, licet_terms_catalogue *catalogue)
{
    char context[LICET_CONTEXT_MAX];

    if (catalogue->units.len > LICET_KINDS_MAX - 2) {
        licet_reader_say(reader, &LICET_TERMS_ROW(licet_terms_unit, catalogue->units, LICET_KINDS_MAX - 2)->key, "",
                         "%u units: expected at most %u beside request and byte", catalogue->units.len,
                         LICET_KINDS_MAX - 2);
    }
    if (catalogue->endpoints.len > LICET_ENDPOINTS_MAX) {
        licet_reader_say(reader, &LICET_TERMS_ROW(licet_terms_endpoint, catalogue->endpoints, LICET_ENDPOINTS_MAX)->id,
                         "", "%u endpoints: expected at most %u", catalogue->endpoints.len, LICET_ENDPOINTS_MAX);
    }
    check_ids(reader, &catalogue->endpoint_names);
    for (uint32_t i = 0; i < catalogue->endpoints.len; i++) {
        const licet_terms_endpoint *endpoint = LICET_TERMS_ROW(licet_terms_endpoint, catalogue->endpoints, i);
        if (endpoint->id.text.len > 0) {
            licet_context_of(context, "endpoint %s: ", licet_quote_of(endpoint->id.text).text);
        } else {
            licet_context_of(context, "endpoint %u: ", i + 1);
        }
        check_counts(reader, context, catalogue, endpoint);
        licet_terms_check_counting(reader, context, catalogue, endpoint);
    }
    check_patterns(reader, catalogue);
}

bool
licet_terms_read_catalogue(licet_reader *reader, licet_bytes text, licet_terms_catalogue *out)
{
    return licet_terms_read(reader, text, &licet_terms_catalogue_schema, out) &&
           licet_names_build(&out->unit_names, reader->arena, out->units.rows, out->units.len,
                             sizeof(licet_terms_unit)) &&
           licet_names_build(&out->endpoint_names, reader->arena, out->endpoints.rows, out->endpoints.len,
                             sizeof(licet_terms_endpoint));
}
