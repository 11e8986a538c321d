/* SPDX-License-Identifier: Apache-2.0 */
/*
 * World: an image laid out in memory by a test, without the compiler of agreement/. Tables have fixed room; a row is
 * added by writing it behind the last one, and tables that an image holds in order are sorted by world_sort. For tests
 * of decide/ only.
 */
#ifndef LICET_DECIDE_WORLD_H
#define LICET_DECIDE_WORLD_H

#include "licet/decide.h"

#include <assert.h>
#include <string.h>

#define WORLD_ROWS 256
#define WORLD_STRINGS 16384

typedef struct world {
    licet_image image;
    licet_image_header header;
#define WORLD_TABLE(name, type) type name[WORLD_ROWS];
/* clang-format off: one row is one table */
#define WORLD_TABLES(X)                                                                                                \
    X(versions, licet_image_version)                                                                                   \
    X(clauses, licet_image_clause)                                                                                     \
    X(purposes, licet_image_purpose)                                                                                   \
    X(endpoints, licet_image_endpoint)                                                                                 \
    X(segments, licet_image_segment)                                                                                   \
    X(counts, licet_image_count)                                                                                       \
    X(limits, licet_image_limit)                                                                                       \
    X(limit_endpoints, uint32_t)                                                                                       \
    X(limit_purposes, licet_text)                                                                                      \
    X(limit_counters, uint32_t)                                                                                        \
    X(zones, licet_image_zone)                                                                                         \
    X(transitions, licet_image_transition)                                                                             \
    X(rate_cards, licet_image_rate_card)                                                                               \
    X(prices, licet_image_price)                                                                                       \
    X(price_purposes, licet_text)                                                                                      \
    X(tiers, licet_image_tier)                                                                                         \
    X(surcharges, licet_image_surcharge)                                                                               \
    X(rebates, licet_image_rebate)                                                                                     \
    X(payments, licet_image_payment)                                                                                   \
    X(embargoed, licet_text)                                                                                           \
    X(dedups, licet_image_dedup)                                                                                       \
    X(government, licet_image_government)                                                                              \
    X(grants, licet_image_grant)                                                                                       \
    X(duties, licet_image_duty)                                                                                        \
    X(recipients, licet_image_recipient)                                                                               \
    X(countries, licet_text)                                                                                           \
    X(spans, licet_image_span)                                                                                         \
    X(apps, licet_image_app)                                                                                           \
    X(app_products, licet_image_app_product)                                                                           \
    X(outbounds, licet_image_outbound)                                                                                 \
    X(products, licet_text)                                                                                            \
    X(product_terms, licet_image_product)                                                                              \
    X(steps, licet_image_step)                                                                                         \
    X(credentials, licet_image_credential)                                                                             \
    X(use_cases, licet_image_use_case)
    /* clang-format on */
    WORLD_TABLES(WORLD_TABLE)
    uint8_t strings[WORLD_STRINGS];
} world;

static inline void
world_init(world *w)
{
    memset(&w->header, 0, sizeof(w->header));
    memset(&w->image, 0, sizeof(w->image));
    w->image.header = &w->header;
#define WORLD_POINT(name, type) w->image.name = w->name;
    WORLD_TABLES(WORLD_POINT)
    w->image.strings = w->strings;
    memcpy(w->header.magic, LICET_IMAGE_MAGIC, 8);
    w->header.format = LICET_IMAGE_FORMAT;
    w->header.cell = 1;
    w->header.kinds_len = 2;
}

static inline licet_text
world_text_bytes(world *w, licet_bytes bytes)
{
    licet_text text = {w->header.strings_len, (uint32_t)bytes.len};

    assert(w->header.strings_len + bytes.len <= WORLD_STRINGS);
    if (bytes.len > 0) {
        memcpy(w->strings + text.offset, bytes.data, bytes.len);
    }
    w->header.strings_len += text.len;
    return text;
}

static inline licet_text
world_text(world *w, const char *text)
{
    return world_text_bytes(w, licet_bytes_of(text, strlen(text)));
}

/* The next free row of a table, zeroed. */
#define WORLD_ADD(w, name)                                                                                             \
    (assert((w)->header.name##_len < WORLD_ROWS), memset(&(w)->name[(w)->header.name##_len], 0, sizeof((w)->name[0])), \
     &(w)->name[(w)->header.name##_len++])

/* Gives a limit its counters: one for the licensee, or one for each of n rows. */
static inline void
world_counters(world *w, licet_image_limit *limit, uint32_t first, uint32_t n)
{
    limit->counters = (licet_range){w->header.limit_counters_len, n};
    for (uint32_t i = 0; i < n; i++) {
        *WORLD_ADD(w, limit_counters) = first + i;
    }
}

/* The product of an app, without end. */
static inline void
world_feed(world *w, uint32_t product)
{
    *WORLD_ADD(w, app_products) = (licet_image_app_product){.product = product, .before_ms = UINT64_MAX};
}

/* The time from when on a use case is approved, without end; UINT64_MAX: never. */
static inline licet_range
world_approved(world *w, uint64_t from_ms)
{
    licet_range approved = {w->header.spans_len, from_ms != UINT64_MAX};

    if (from_ms != UINT64_MAX) {
        *WORLD_ADD(w, spans) = (licet_image_span){from_ms, UINT64_MAX};
    }
    return approved;
}

/* Adds an endpoint such as "GET /2/tweets/{id}"; its counts are those added after it (world_count). */
static inline licet_image_endpoint *
world_endpoint(world *w, const char *id, const char *match)
{
    licet_image_endpoint *e = WORLD_ADD(w, endpoints);
    const char *path = strchr(match, ' ') + 1;

    e->id = world_text(w, id);
    e->method = world_text_bytes(w, licet_bytes_of(match, (size_t)(path - 1 - match)));
    e->segments.first = w->header.segments_len;
    e->counts.first = w->header.counts_len;
    while (*path == '/') {
        size_t len = strcspn(path + 1, "/");
        licet_image_segment *s = WORLD_ADD(w, segments);

        s->placeholder = path[1] == '{';
        s->literal = world_text_bytes(w, licet_bytes_of(path + 1, s->placeholder ? 0 : len));
        e->segments.count++;
        path += 1 + len;
    }
    return e;
}

/* Adds a count to the endpoint added last. */
static inline licet_image_count *
world_count(world *w, uint32_t kind, licet_page_from from, const char *query, uint64_t page_default, uint64_t most)
{
    licet_image_count *c = WORLD_ADD(w, counts);

    w->endpoints[w->header.endpoints_len - 1].counts.count++;
    c->kind = kind;
    c->path = world_text(w, "$.data");
    c->page_from = from;
    c->page_query = world_text(w, query);
    c->page_default = page_default;
    c->page_most = most;
    return c;
}

static inline int
world_name_order(const world *w, licet_text a, licet_text b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = memcmp(w->strings + a.offset, w->strings + b.offset, shared);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static inline uint32_t
world_literals(const world *w, const licet_image_endpoint *e)
{
    uint32_t literals = 0;

    for (uint32_t i = 0; i < e->segments.count; i++) {
        literals += !w->segments[e->segments.first + i].placeholder;
    }
    return literals;
}

/* By method, number of segments, most literal segments; what is equal stays in its order. */
static inline bool
world_endpoint_before(const world *w, const licet_image_endpoint *a, const licet_image_endpoint *b)
{
    int order = world_name_order(w, a->method, b->method);

    if (order != 0 || a->segments.count != b->segments.count) {
        return order != 0 ? order < 0 : a->segments.count < b->segments.count;
    }
    return world_literals(w, a) > world_literals(w, b);
}

#define WORLD_SORT(w, table, is_before)                                                                                \
    for (uint32_t world_i = 1; world_i < (w)->header.table##_len; world_i++) {                                         \
        for (uint32_t world_j = world_i; world_j > 0; world_j--) {                                                     \
            __typeof__(&(w)->table[0]) b = &(w)->table[world_j - 1], a = b + 1;                                        \
            __typeof__(*a) world_row = *a;                                                                             \
            if (!(is_before)) {                                                                                        \
                break;                                                                                                 \
            }                                                                                                          \
            *a = *b;                                                                                                   \
            *b = world_row;                                                                                            \
        }                                                                                                              \
    }

/* Puts endpoints, use cases and purposes into the order of an image; before rows of them are named by number. */
static inline void
world_sort(world *w)
{
    WORLD_SORT(w, endpoints, world_endpoint_before(w, a, b))
    WORLD_SORT(w, recipients, world_name_order(w, a->id, b->id) < 0)
    WORLD_SORT(w, use_cases, world_name_order(w, a->id, b->id) < 0)
    WORLD_SORT(w, purposes, world_name_order(w, a->name, b->name) < 0)
}

#endif
