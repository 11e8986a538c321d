/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10):
 * the limits that bind a request, and what was left of them after its reservation.
 *
 *  (1) Values are Structured Fields (RFC 9651): a clause that could not stand
 *      in a string there is left out, the rest is said.
 *  (2) Requests and bytes are registered quota units; any other unit is told by
 *      the parameter licet-unit.
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_RATELIMIT_MAX (LICET_LIMITS_PER_REQUEST_MAX * 256) /* a key and a unit of 64 bytes, numbers */

/* A list in the making; it lies on the stack, for every response has two of them. */
typedef struct {
    u_char *last, *end;
    u_char text[NGX_HTTP_LICET_RATELIMIT_MAX];
} ngx_http_licet_list_t;

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
ngx_http_licet_ratelimit_unit(ngx_http_licet_list_t *out, const licet_image *image, uint32_t kind)
{
    licet_bytes unit;

    if (kind == LICET_KIND_BYTE) {
        out->last = ngx_slprintf(out->last, out->end, ";qu=\"content-bytes\"");
    } else if (kind != LICET_KIND_REQUEST) {
        unit = licet_image_text(image, image->header->kinds[kind]);
        out->last = ngx_slprintf(out->last, out->end, ";licet-unit=\"%*s\"", unit.len, unit.data);
    }
}

static void
ngx_http_licet_ratelimit_one(ngx_http_licet_list_t *policy, ngx_http_licet_list_t *state,
                             const ngx_http_licet_ctx_t *ctx, uint32_t i)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_verdict_limit *bound = &ctx->verdict.limits[i];
    const licet_image_limit *limit = &image->limits[bound->limit];
    licet_bytes key = licet_image_text(image, image->clauses[limit->clause].key);
    const char *comma = policy->last > policy->text ? ", " : "";
    uint64_t end, begin;

    if (!ngx_http_licet_sf_string(key)) {
        return;
    }
    end = licet_window_end_ms(limit->per, limit->span_s, bound->window);
    begin = bound->window > 0 ? licet_window_end_ms(limit->per, limit->span_s, bound->window - 1) : 0;
    policy->last = ngx_slprintf(policy->last, policy->end, "%s\"%*s\";q=%uL;w=%uL", comma, key.len, key.data,
                                limit->most, (end - begin) / 1000);
    ngx_http_licet_ratelimit_unit(policy, image, bound->kind);
    state->last = ngx_slprintf(state->last, state->end, "%s\"%*s\";r=%uL;t=%uL", comma, key.len, key.data,
                               ctx->remaining[i], end > ctx->now_ms ? (end - ctx->now_ms + 999) / 1000 : 0);
}

static ngx_int_t
ngx_http_licet_ratelimit_push(ngx_http_request_t *r, const char *name, const ngx_http_licet_list_t *list)
{
    ngx_str_t text;

    text.len = (size_t)(list->last - list->text);
    if (text.len == 0 || list->last == list->end) {
        return NGX_OK; /* nothing to say, or not all of it */
    }
    text.data = ngx_pnalloc(r->pool, text.len);
    if (text.data == NULL) {
        return NGX_ERROR;
    }
    ngx_memcpy(text.data, list->text, text.len);
    return ngx_http_licet_push_out(r, name, text);
}

ngx_int_t
ngx_http_licet_ratelimit(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    ngx_http_licet_list_t policy, state;
    uint32_t i;

    policy.last = policy.text;
    policy.end = policy.text + sizeof(policy.text);
    state.last = state.text;
    state.end = state.text + sizeof(state.text);
    for (i = 0; i < ctx->verdict.limits_len; i++) {
        ngx_http_licet_ratelimit_one(&policy, &state, ctx, i);
    }
    if (ngx_http_licet_ratelimit_push(r, "RateLimit-Policy", &policy) != NGX_OK) {
        return NGX_ERROR;
    }
    return ngx_http_licet_ratelimit_push(r, "RateLimit", &state);
}
