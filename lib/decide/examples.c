/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Examples: what the versions of a site say would happen, tried on the image that they compile to.
 *
 *  (1) An example that does not hold is a mistake of its file, at its line.
 *  (2) 'refuse' is also what a version or a clause in observe mode would have refused; 'observe' is that alone.
 *  (3) What an example leaves out: the app is the first that feeds the product of the use case (else the first of all),
 *      the request is one to the first endpoint of its catalogue, the flow that of licet.yaml.
 */
#include "licet/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_MAX ((size_t)256 << 20)
#define REQUEST_MAX 2048

static bool
next_counter(void *user, const char *identity, uint32_t rows, uint32_t *out_counter, licet_error *err)
{
    uint32_t *next = user;

    (void)identity;
    (void)err;
    *out_counter = *next;
    *next += rows;
    return true;
}

static bool
feeds(const licet_image *image, uint32_t app, uint32_t product, uint64_t time_ms)
{
    licet_range products = image->apps[app].products;

    for (uint32_t i = products.first; i < products.first + products.count; i++) {
        const licet_image_app_product *fed = &image->app_products[i];
        if (fed->product == product && fed->from_ms <= time_ms && time_ms < fed->before_ms) {
            return true;
        }
    }
    return false;
}

/* (3) */
static uint32_t
app_of(const licet_image *image, const licet_example *example)
{
    uint32_t product = LICET_NONE;

    for (uint32_t i = 0; i < image->header->use_cases_len; i++) {
        if (licet_bytes_equal(licet_image_text(image, image->use_cases[i].id), example->use_case)) {
            product = image->use_cases[i].product;
        }
    }
    for (uint32_t i = 0; i < image->header->apps_len; i++) {
        if (example->app.len > 0 ? licet_bytes_equal(licet_image_text(image, image->apps[i].id), example->app)
                                 : product != LICET_NONE && feeds(image, i, product, example->at_ms)) {
            return i;
        }
    }
    return 0;
}

/* A request that the first endpoint of the version answers. */
static void
request_of(const licet_image *image, const licet_image_version *version, char *out, size_t room)
{
    const licet_image_endpoint *endpoint = &image->endpoints[version->endpoints.first];
    licet_bytes method = licet_image_text(image, endpoint->method);
    int len;

    if (version->endpoints.count == 0) {
        snprintf(out, room, "GET /");
        return;
    }
    len = snprintf(out, room, "%.*s ", (int)method.len, (const char *)method.data);
    for (uint32_t i = 0; i < endpoint->segments.count && (size_t)len < room; i++) {
        const licet_image_segment *segment = &image->segments[endpoint->segments.first + i];
        licet_bytes literal =
            segment->placeholder ? LICET_BYTES_LITERAL("x") : licet_image_text(image, segment->literal);
        len += snprintf(out + len, room - (size_t)len, "/%.*s", (int)literal.len, (const char *)literal.data);
    }
}

static licet_facts
facts_of(const licet_image *image, const licet_example *example, licet_bytes request)
{
    const uint8_t *space = memchr(request.data, ' ', request.len), *end = request.data + request.len, *query;
    licet_facts facts = {.app = app_of(image, example),
                         .credential = LICET_NONE,
                         .use_case = example->use_case,
                         .purpose = example->purpose,
                         .recipient = example->recipient,
                         .flow =
                             example->flow == LICET_NONE ? (licet_flow)image->header->flow : (licet_flow)example->flow,
                         .time_ms = example->at_ms};

    if (space != NULL) {
        query = memchr(space, '?', (size_t)(end - space));
        facts.method = licet_bytes_of(request.data, (size_t)(space - request.data));
        facts.path = licet_bytes_of(space + 1, (size_t)((query == NULL ? end : query) - space - 1));
        facts.query = query == NULL ? licet_bytes_of(NULL, 0) : licet_bytes_of(query + 1, (size_t)(end - query - 1));
    }
    return facts;
}

static bool
holds(const licet_image *image, const licet_example *example, const licet_verdict *verdict)
{
    bool refused = verdict->verdict == LICET_VERDICT_REFUSE, observed = verdict->verdict == LICET_VERDICT_OBSERVE;

    if (example->clause.len > 0 &&
        (verdict->clause == LICET_NONE ||
         !licet_bytes_equal(licet_image_text(image, image->clauses[verdict->clause].key), example->clause))) {
        return false;
    }
    switch (example->expect) {
    case LICET_VERDICT_ALLOW:
        return verdict->verdict == LICET_VERDICT_ALLOW;
    case LICET_VERDICT_REFUSE:
        return refused || observed;
    default:
        return observed;
    }
}

static bool
try_one(const licet_image *image, const licet_example *example, licet_mistakes *mistakes)
{
    uint32_t row = licet_image_version_at(image, example->at_ms);
    char text[1024], scratch[REQUEST_MAX], at[LICET_TIME_TEXT];
    licet_bytes key = {NULL, 0}, request = example->request;
    licet_verdict verdict;
    licet_facts facts;

    if (row == LICET_NONE || !licet_bytes_equal(licet_image_text(image, image->versions[row].id), example->version)) {
        licet_time_format(example->at_ms, at);
        snprintf(text, sizeof(text), "example %u: at %s: this version is not in force then", example->number, at);
        return licet_mistakes_add(mistakes, example->file, example->line, example->column, text);
    }
    if (request.len == 0) {
        request_of(image, &image->versions[row], scratch, sizeof(scratch));
        request = licet_bytes_of_text(scratch);
    }
    facts = facts_of(image, example, request);
    licet_decide(image, &facts, &verdict);
    if (holds(image, example, &verdict)) {
        return true;
    }
    if (verdict.clause != LICET_NONE) {
        key = licet_image_text(image, image->clauses[verdict.clause].key);
    }
    snprintf(text, sizeof(text), "example %u: expected %s%s%.*s, but it is %s%s%.*s%s%s%s", example->number,
             licet_verdict_name((licet_verdict_kind)example->expect), example->clause.len > 0 ? " by " : "",
             (int)example->clause.len, (const char *)example->clause.data, licet_verdict_name(verdict.verdict),
             key.len > 0 ? " by " : "", (int)key.len, (const char *)key.data,
             verdict.reason != LICET_REASON_NONE ? " (" : "",
             verdict.reason != LICET_REASON_NONE ? licet_reason_slug(verdict.reason) : "",
             verdict.reason != LICET_REASON_NONE ? ")" : "");
    return licet_mistakes_add(mistakes, example->file, example->line, example->column, text);
}

static bool
try_agreement(const licet_site *site, size_t agreement, licet_mistakes *mistakes, licet_error *err)
{
    uint32_t counter = 0;
    licet_compile_options options = {.cell = 1, .number = 1, .counter_of = next_counter, .user = &counter};
    licet_buffer blob;
    licet_image image;
    bool good;

    licet_buffer_init(&blob, IMAGE_MAX);
    good = licet_site_compile(site, agreement, &options, &blob, err) &&
           licet_image_open(licet_buffer_view(&blob), &image, err);
    for (size_t i = 0; good && image.header->apps_len > 0 && i < licet_site_examples(site, agreement); i++) {
        licet_example example = licet_site_example(site, agreement, i);

        good = try_one(&image, &example, mistakes) || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a mistake");
    }
    licet_buffer_done(&blob);
    return good;
}

bool
licet_examples_try(const licet_site *site, licet_mistakes *mistakes, licet_error *err)
{
    for (size_t i = 0; i < licet_site_agreements(site); i++) {
        if (licet_site_examples(site, i) > 0 && !try_agreement(site, i, mistakes, err)) {
            return false;
        }
    }
    licet_mistakes_sort(mistakes);
    return mistakes->len == 0 ||
           LICET_FAIL(err, LICET_E_INVALID, 0, "%zu example%s of the site do%s not hold", mistakes->len,
                      mistakes->len == 1 ? "" : "s", mistakes->len == 1 ? "es" : "");
}
