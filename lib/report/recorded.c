/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of a recorded request: what is known of one afterwards, for judging it once more.
 *
 *  (1) A receipt knows the endpoint of a request, not its path: any path will do that the endpoint answers.
 */
#include "licet/simulate.h"

#include <string.h>

static uint32_t
app_named(const licet_image *image, licet_bytes id)
{
    for (uint32_t i = 0; i < image->header->apps_len; i++) {
        if (licet_bytes_equal(licet_image_text(image, image->apps[i].id), id)) {
            return i;
        }
    }
    return LICET_NONE;
}

static uint32_t
credential_named(const licet_image *image, uint32_t app, licet_bytes id)
{
    for (uint32_t i = 0; i < image->header->credentials_len; i++) {
        if (image->credentials[i].app == app &&
            licet_bytes_equal(licet_image_text(image, image->credentials[i].id), id)) {
            return i;
        }
    }
    return LICET_NONE;
}

/* (1) */
static bool
path_of(const licet_image *image, licet_bytes endpoint, char path[LICET_RECORDED_PATH], licet_bytes *out_method,
        licet_bytes *out_path)
{
    for (uint32_t i = 0; i < image->header->endpoints_len; i++) {
        const licet_image_endpoint *e = &image->endpoints[i];
        size_t len = 0;
        if (!licet_bytes_equal(licet_image_text(image, e->id), endpoint)) {
            continue;
        }
        for (uint32_t j = 0; j < e->segments.count; j++) {
            const licet_image_segment *segment = &image->segments[e->segments.first + j];
            licet_bytes literal = licet_image_text(image, segment->literal);
            if (len + literal.len + 3 > LICET_RECORDED_PATH) {
                return false;
            }
            path[len++] = '/';
            memcpy(path + len, segment->placeholder ? (const uint8_t *)"-" : literal.data,
                   segment->placeholder ? 1 : literal.len);
            len += segment->placeholder ? 1 : literal.len;
        }
        *out_method = licet_image_text(image, e->method);
        *out_path = licet_bytes_of((const uint8_t *)path, len);
        return true;
    }
    return false;
}

bool
licet_recorded_facts(const licet_image *image, const licet_context *context, licet_flow flow, uint64_t time_ms,
                     char path[LICET_RECORDED_PATH], licet_facts *out_facts)
{
    *out_facts = (licet_facts){.app = app_named(image, context->app),
                               .method = LICET_BYTES_LITERAL("-"),
                               .path = LICET_BYTES_LITERAL("/"),
                               .query = licet_bytes_of(NULL, 0),
                               .use_case = context->use_case,
                               .purpose = context->purpose,
                               .recipient = context->recipient,
                               .flow = flow,
                               .time_ms = time_ms};
    if (out_facts->app == LICET_NONE) {
        return false;
    }
    out_facts->credential = credential_named(image, out_facts->app, context->credential);
    path_of(image, context->endpoint, path, &out_facts->method, &out_facts->path);
    return true;
}
