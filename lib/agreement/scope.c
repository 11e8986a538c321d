/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope: which counter of a limit a request adds to, and how much the limit allows.
 *
 *  (1) What belongs to no row of the dimension (no use case, a recipient nobody registered) has a counter of its own,
 *      the last: leaving something out is no way past a limit.
 *  (2) A person's units are its entity's.
 */
#include "licet/image.h"

/* Row of the dimension that a limit is over; LICET_NONE: none. */
static uint32_t
row_of(const licet_image *image, const licet_image_limit *limit, const licet_scope *scope)
{
    switch ((licet_over)limit->over) {
    case LICET_OVER_APP:
        return scope->app;
    case LICET_OVER_CREDENTIAL:
        return scope->credential;
    case LICET_OVER_PRODUCT:
        return scope->product;
    case LICET_OVER_USE_CASE:
        return scope->use_case;
    case LICET_OVER_RECIPIENT:
        return scope->recipient == LICET_NONE ? LICET_NONE : image->recipients[scope->recipient].entity;
    case LICET_OVER_COUNTRY:
        return scope->recipient == LICET_NONE ? LICET_NONE : image->recipients[scope->recipient].country_row;
    case LICET_OVER_ENDPOINT:
        return scope->endpoint;
    case LICET_OVER_LICENSEE:
        break;
    }
    return 0;
}

licet_scope
licet_image_scope(const licet_image *image, uint32_t app, uint32_t credential, uint32_t use_case, uint32_t recipient,
                  uint32_t endpoint)
{
    return (licet_scope){.app = app,
                         .credential = credential,
                         .product = use_case == LICET_NONE ? LICET_NONE : image->use_cases[use_case].product,
                         .use_case = use_case,
                         .recipient = recipient,
                         .endpoint = endpoint};
}

uint32_t
licet_image_counter_place(const licet_image *image, const licet_image_limit *limit, const licet_scope *scope)
{
    uint32_t row = row_of(image, limit, scope), last = limit->counters.count - 1;

    return row == LICET_NONE || row < limit->base || row - limit->base > last ? last : row - limit->base;
}

uint32_t
licet_image_counter(const licet_image *image, const licet_image_limit *limit, const licet_scope *scope)
{
    return limit->counters.count == 0
               ? LICET_NONE
               : licet_image_counter_at(image, limit, licet_image_counter_place(image, limit, scope));
}

uint32_t
licet_image_counter_at(const licet_image *image, const licet_image_limit *limit, uint32_t place)
{
    return image->limit_counters[limit->counters.first + place];
}

uint32_t
licet_image_buckets(const licet_image_limit *limit)
{
    return limit->per == LICET_PER_ROLLING ? (limit->span_s + limit->bucket_s - 1) / limit->bucket_s + 1 : 0;
}

uint32_t
licet_image_counter_rows(const licet_image_limit *limit)
{
    uint32_t buckets = licet_image_buckets(limit);

    return buckets > 0 ? buckets : 1;
}

uint32_t
licet_image_counter_row(const licet_image_limit *limit, uint32_t counter, uint32_t window)
{
    return counter + window % licet_image_counter_rows(limit);
}

static bool
purpose_binds(const licet_image *image, const licet_image_limit *limit, licet_bytes purpose)
{
    for (uint32_t i = 0; i < limit->purposes.count; i++) {
        if (licet_bytes_equal(licet_image_text(image, image->limit_purposes[limit->purposes.first + i]), purpose)) {
            return true;
        }
    }
    return limit->purposes.count == 0;
}

static bool
endpoint_binds(const licet_image *image, const licet_image_limit *limit, uint32_t endpoint)
{
    for (uint32_t i = 0; i < limit->endpoints.count; i++) {
        if (image->limit_endpoints[limit->endpoints.first + i] == endpoint) {
            return true;
        }
    }
    return limit->endpoints.count == 0;
}

/* LICET_NONE lies in no range. */
static bool
row_binds(licet_range rows, uint32_t row)
{
    return rows.count == 0 || row - rows.first < rows.count;
}

bool
licet_image_limit_covers(const licet_image *image, const licet_image_limit *limit, licet_flow flow, licet_bytes purpose,
                         const licet_scope *scope)
{
    if (limit->flow != LICET_NONE && limit->flow != (uint32_t)flow) {
        return false;
    }
    if (limit->classes != 0 &&
        (scope->recipient == LICET_NONE || (limit->classes & licet_image_classes(image, scope->recipient)) == 0)) {
        return false;
    }
    return row_binds(limit->products, scope->product) && row_binds(limit->apps, scope->app) &&
           endpoint_binds(image, limit, scope->endpoint) && purpose_binds(image, limit, purpose);
}

uint64_t
licet_image_most(const licet_image *image, const licet_image_limit *limit, uint64_t time_ms)
{
    uint64_t paid = 0;

    if (!limit->payments) {
        return limit->most;
    }
    for (uint32_t i = 0; i < image->header->payments_len && image->payments[i].from_ms <= time_ms; i++) {
        paid += image->payments[i].amount;
    }
    return paid;
}

licet_bytes
licet_image_limit_name(const licet_image *image, const licet_image_limit *limit)
{
    return licet_image_text(image, limit->clause == LICET_NONE ? limit->name : image->clauses[limit->clause].key);
}
