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

#define NGX_HTTP_LICET_RATELIMIT_MAX 4096

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
ngx_http_licet_ratelimit_unit(licet_buffer *out, const licet_image *image, uint32_t kind)
{
    licet_bytes unit;

    if (kind == LICET_KIND_BYTE) {
        licet_put_format(out, ";qu=\"content-bytes\"");
    } else if (kind != LICET_KIND_REQUEST) {
        unit = licet_image_text(image, image->header->kinds[kind]);
        licet_put_format(out, ";licet-unit=\"%.*s\"", (int)unit.len, (const char *)unit.data);
    }
}

static ngx_int_t
ngx_http_licet_ratelimit_push(ngx_http_request_t *r, const char *name, licet_buffer *value)
{
    ngx_str_t text;

    if (value->failed || value->len == 0) {
        return NGX_OK;
    }
    text.len = value->len;
    text.data = ngx_pnalloc(r->pool, value->len);
    if (text.data == NULL) {
        return NGX_ERROR;
    }
    ngx_memcpy(text.data, value->data, value->len);
    return ngx_http_licet_push_out(r, name, text);
}

ngx_int_t
ngx_http_licet_ratelimit(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_verdict_limit *bound;
    const licet_image_limit *limit;
    licet_buffer policy, state;
    uint64_t end, begin;
    licet_bytes key;
    ngx_int_t rc;
    uint32_t i;

    licet_buffer_init(&policy, NGX_HTTP_LICET_RATELIMIT_MAX);
    licet_buffer_init(&state, NGX_HTTP_LICET_RATELIMIT_MAX);
    for (i = 0; i < ctx->verdict.limits_len; i++) {
        bound = &ctx->verdict.limits[i];
        limit = &image->limits[bound->limit];
        key = licet_image_text(image, image->clauses[limit->clause].key);
        if (!ngx_http_licet_sf_string(key)) {
            continue;
        }
        end = licet_window_end_ms(limit->per, limit->span_s, bound->window);
        begin = bound->window > 0 ? licet_window_end_ms(limit->per, limit->span_s, bound->window - 1) : 0;
        licet_put_format(&policy, "%s\"%.*s\";q=%llu;w=%llu", policy.len > 0 ? ", " : "", (int)key.len,
                         (const char *)key.data, (unsigned long long)limit->most,
                         (unsigned long long)((end - begin) / 1000));
        ngx_http_licet_ratelimit_unit(&policy, image, bound->kind);
        licet_put_format(&state, "%s\"%.*s\";r=%llu;t=%llu", state.len > 0 ? ", " : "", (int)key.len,
                         (const char *)key.data, (unsigned long long)ctx->remaining[i],
                         (unsigned long long)(end > ctx->now_ms ? (end - ctx->now_ms + 999) / 1000 : 0));
    }
    rc = ngx_http_licet_ratelimit_push(r, "RateLimit-Policy", &policy);
    if (rc == NGX_OK) {
        rc = ngx_http_licet_ratelimit_push(r, "RateLimit", &state);
    }
    licet_buffer_done(&policy);
    licet_buffer_done(&state);
    return rc;
}
