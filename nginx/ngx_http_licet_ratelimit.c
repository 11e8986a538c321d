/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10):
 * the limits that bind a request, and what was left of them after its reservation.
 *
 *  (1) Values are Structured Fields (RFC 9651): a clause that could not stand
 *      in a string there is left out, the rest is said.
 *  (2) Where units are weighed, as those of a prepaid credit, what is told is how many of them fit. A limit without a
 *      window (a credit, what is under way at once) has neither w nor t.
 *  (3) Requests and bytes are registered quota units; any other unit is told by
 *      the parameter licet-unit.
 *  (3) What is under way at once has no window and is not told; the term has no end: no w, no t. Of a rolling window t
 *      is when room may return next.
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_RATELIMIT_MAX (LICET_LIMITS_PER_REQUEST_MAX * 256) /* a key and a unit of 64 bytes, numbers */

static bool
ngx_http_licet_sf_string(licet_bytes text)
{
    size_t i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7e || text.data[i] == '"' || text.data[i] == '\\') {
            return false;
        }
    }
    return text.len > 0;
}

static void
ngx_http_licet_ratelimit_unit(ngx_http_licet_text_t *out, const licet_image *image, uint32_t kind)
{
    if (kind == LICET_KIND_BYTE) {
        ngx_http_licet_put_literal(out, ";qu=\"content-bytes\"");
    } else if (kind != LICET_KIND_REQUEST) {
        ngx_http_licet_put_literal(out, ";licet-unit=\"");
        ngx_http_licet_put(out, licet_image_text(image, image->header->kinds[kind]));
        ngx_http_licet_put_literal(out, "\"");
    }
}

static void
ngx_http_licet_ratelimit_number(ngx_http_licet_text_t *out, char name, uint64_t number)
{
    u_char text[] = {';', (u_char)name, '='};

    ngx_http_licet_put(out, licet_bytes_of(text, sizeof(text)));
    ngx_http_licet_put_number(out, number);
}

/* ', "KEY";q=1' */
static void
ngx_http_licet_ratelimit_item(ngx_http_licet_text_t *out, bool first, licet_bytes key, char name, uint64_t number)
{
    if (!first) {
        ngx_http_licet_put_literal(out, ", ");
    }
    ngx_http_licet_put_literal(out, "\"");
    ngx_http_licet_put(out, key);
    ngx_http_licet_put_literal(out, "\"");
    ngx_http_licet_ratelimit_number(out, name, number);
}

/* (3) */
static void
ngx_http_licet_ratelimit_one(ngx_http_licet_text_t *policy, ngx_http_licet_text_t *state, bool first,
                             const ngx_http_licet_ctx_t *ctx, uint32_t i, licet_bytes key)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_verdict_limit *bound = &ctx->verdict.limits[i];
    const licet_image_limit *limit = &image->limits[bound->limit];
    uint64_t end = licet_window_end_ms(image, limit, bound->window);
    uint64_t begin = licet_window_begin_ms(image, limit, bound->window);

    ngx_http_licet_ratelimit_item(policy, first, key, 'q', bound->most / bound->weight);
    if (end != UINT64_MAX) {
        ngx_http_licet_ratelimit_number(policy, 'w',
                                        limit->per == LICET_PER_ROLLING ? limit->span_s : (end - begin) / 1000);
    }
    ngx_http_licet_ratelimit_unit(policy, image, bound->kind);
    ngx_http_licet_ratelimit_item(state, first, key, 'r', ctx->remaining[i] / bound->weight);
    if (end != UINT64_MAX) {
        ngx_http_licet_ratelimit_number(state, 't', end > ctx->now_ms ? (end - ctx->now_ms + 999) / 1000 : 0);
    }
}

static ngx_int_t
ngx_http_licet_ratelimit_push(ngx_http_request_t *r, const char *name, const ngx_http_licet_text_t *list, u_char *begin)
{
    ngx_str_t text;

    text.len = (size_t)(list->last - begin);
    if (text.len == 0 || list->last == list->end) {
        return NGX_OK; /* nothing to say, or not all of it */
    }
    text.data = ngx_pnalloc(r->pool, text.len);
    if (text.data == NULL) {
        return NGX_ERROR;
    }
    ngx_memcpy(text.data, begin, text.len);
    return ngx_http_licet_push_out(r, name, text);
}

ngx_int_t
ngx_http_licet_ratelimit(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    u_char policy_text[NGX_HTTP_LICET_RATELIMIT_MAX], state_text[NGX_HTTP_LICET_RATELIMIT_MAX];
    ngx_http_licet_text_t policy = {policy_text, policy_text + sizeof(policy_text)};
    ngx_http_licet_text_t state = {state_text, state_text + sizeof(state_text)};
    const licet_image *image = &ctx->caller.image->image;
    licet_bytes key;
    uint32_t i;

    for (i = 0; i < ctx->verdict.limits_len; i++) {
        key = licet_image_limit_name(image, &image->limits[ctx->verdict.limits[i].limit]);
        if (image->limits[ctx->verdict.limits[i].limit].per != LICET_PER_CONCURRENT /* which has no window */ &&
            ngx_http_licet_sf_string(key)) {
            ngx_http_licet_ratelimit_one(&policy, &state, policy.last == policy_text, ctx, i, key);
        }
    }
    if (ngx_http_licet_ratelimit_push(r, "RateLimit-Policy", &policy, policy_text) != NGX_OK) {
        return NGX_ERROR;
    }
    return ngx_http_licet_ratelimit_push(r, "RateLimit", &state, state_text);
}
