/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers in which a platform told what is left before RateLimit was standardized, where its catalogue says so: its
 * clients wait by them.
 *
 *  (1) They tell of one limit: the one that refuses, else the limit of requests that has the least left. Where no limit
 *      of requests binds, what the upstream says is left as it is.
 *  (2) A refused request that may come again at once (others hold what is left) is told a second, as Retry-After is.
 *  (3) What the upstream says in these headers is replaced: a client must not see two.
 */
#include "ngx_http_licet.h"

static const char *const ngx_http_licet_x_headers[] = {"x-rate-limit-limit", "x-rate-limit-remaining",
                                                       "x-rate-limit-reset"};
static const char *const ngx_http_licet_reddit_headers[] = {"x-ratelimit-used", "x-ratelimit-remaining",
                                                            "x-ratelimit-reset"};

static uint32_t
ngx_http_licet_telling_limit(const ngx_http_licet_ctx_t *ctx)
{
    uint32_t i, found = LICET_NONE;
    bool refused = ctx->verdict.verdict == LICET_VERDICT_REFUSE;

    for (i = 0; i < ctx->verdict.limits_len; i++) {
        const licet_verdict_limit *bound = &ctx->verdict.limits[i];
        if (refused && ctx->remaining[i] < bound->amount) {
            return i;
        }
        if (bound->kind == LICET_KIND_REQUEST && bound->window != 0 &&
            (found == LICET_NONE || ctx->remaining[i] < ctx->remaining[found])) {
            found = i;
        }
    }
    return found;
}

/* When the client may come again, or the window ends: ms. */
static uint64_t
ngx_http_licet_reset_ms(const ngx_http_licet_ctx_t *ctx, uint32_t i)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_verdict_limit *bound = &ctx->verdict.limits[i];
    uint64_t end = licet_window_end_ms(image, &image->limits[bound->limit], bound->window);
    bool soon = ctx->verdict.verdict == LICET_VERDICT_REFUSE &&
                (ctx->verdict.reason == LICET_REASON_QUOTA_HELD || ctx->verdict.reason == LICET_REASON_CONCURRENT);

    return soon || end == UINT64_MAX ? ctx->now_ms + 1000 : ngx_max(end, ctx->now_ms);
}

static void
ngx_http_licet_drop_out(ngx_http_request_t *r, const char *name)
{
    ngx_list_part_t *part;
    ngx_table_elt_t *h;
    ngx_uint_t i;
    size_t len = ngx_strlen(name);

    for (part = &r->headers_out.headers.part; part != NULL; part = part->next) {
        h = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == len && ngx_strncasecmp(h[i].key.data, (u_char *)name, len) == 0) {
                h[i].hash = 0;
            }
        }
    }
}

static ngx_int_t
ngx_http_licet_put_old(ngx_http_request_t *r, const char *name, uint64_t value)
{
    ngx_str_t text;

    ngx_http_licet_drop_out(r, name);
    text.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (text.data == NULL) {
        return NGX_ERROR;
    }
    text.len = (size_t)(ngx_sprintf(text.data, "%uL", value) - text.data);
    return ngx_http_licet_push_out(r, name, text);
}

ngx_int_t
ngx_http_licet_old_headers(ngx_http_request_t *r, const ngx_http_licet_ctx_t *ctx)
{
    const licet_image *image = &ctx->caller.image->image;
    uint32_t form = image->versions[ctx->verdict.version].rate_limit_headers;
    uint32_t i = form == LICET_RATE_LIMIT_HEADERS_NONE ? LICET_NONE : ngx_http_licet_telling_limit(ctx);
    bool x = form == LICET_RATE_LIMIT_HEADERS_X;
    const char *const *names = x ? ngx_http_licet_x_headers : ngx_http_licet_reddit_headers;
    uint64_t most, left, reset, values[3];
    ngx_uint_t n;

    if (i == LICET_NONE) {
        return NGX_OK;
    }
    most = ctx->verdict.limits[i].most;
    left = ctx->verdict.verdict == LICET_VERDICT_REFUSE ? 0 : ctx->remaining[i];
    reset = ngx_http_licet_reset_ms(ctx, i);
    values[0] = x ? most : most - ngx_min(most, ctx->remaining[i]);
    values[1] = left;
    values[2] = ((x ? reset : reset - ctx->now_ms) + 999) / 1000;
    for (n = 0; n < 3; n++) {
        if (ngx_http_licet_put_old(r, names[n], values[n]) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
