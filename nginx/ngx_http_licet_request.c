/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's ctx and its headers, both ways.
 *
 *  (1) The ctx is found through the pool cleanup of the main request, for
 *      internal redirects, named locations and error pages empty r->ctx.
 *  (2) Request headers are taken away by building the list anew: proxy, fastcgi,
 *      uwsgi and grpc pass on whatever is in it, whatever its hash says. The old
 *      elements stay where they are, since r->headers_in points into them (gzip
 *      still has to know what the client accepts).
 *  (3) Of encodings the upstream is asked for none that is not counted.
 */
#include "ngx_http_licet.h"

#include <ctype.h>

uint64_t
ngx_http_licet_now(void)
{
    ngx_time_t *tp = ngx_timeofday();

    return (uint64_t)tp->sec * 1000 + (uint64_t)tp->msec;
}

static void
ngx_http_licet_cleanup(void *data)
{
    ngx_http_licet_ctx_t *ctx = data;

    /* the log phase came first unless nginx skipped it; buffers may be gone by now */
    ngx_http_licet_settle(ctx, false, false);
    ngx_http_licet_inflate_done(ctx);
    if (ctx->view != NULL) {
        ngx_http_licet_view_release(ctx->view);
        ctx->view = NULL;
    }
}

ngx_http_licet_ctx_t *
ngx_http_licet_find(ngx_http_request_t *r)
{
    ngx_http_licet_ctx_t *ctx;
    ngx_pool_cleanup_t *cln;

    r = r->main;
    ctx = ngx_http_get_module_ctx(r, ngx_http_licet_module);
    if (ctx != NULL) {
        return ctx;
    }
    for (cln = r->pool->cleanup; cln != NULL; cln = cln->next) {
        if (cln->handler == ngx_http_licet_cleanup) {
            ngx_http_set_ctx(r, cln->data, ngx_http_licet_module);
            return cln->data;
        }
    }
    return NULL;
}

ngx_http_licet_ctx_t *
ngx_http_licet_ctx_add(ngx_http_request_t *r)
{
    ngx_http_licet_ctx_t *ctx;
    ngx_pool_cleanup_t *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_licet_ctx_t));
    if (cln == NULL) {
        return NULL;
    }
    ctx = cln->data;
    ngx_memzero(ctx, sizeof(*ctx));
    ctx->request = r;
    ctx->tail.busy_last = &ctx->tail.busy;
    ctx->verdict.clause = ctx->verdict.endpoint = ctx->verdict.use_case = LICET_NONE;
    cln->handler = ngx_http_licet_cleanup;
    ngx_http_set_ctx(r, ctx, ngx_http_licet_module);
    return ctx;
}

ngx_table_elt_t *
ngx_http_licet_header_in(ngx_http_request_t *r, const char *name)
{
    size_t len = ngx_strlen(name);
    ngx_list_part_t *part;
    ngx_table_elt_t *h;
    ngx_uint_t i;

    for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        h = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == len && ngx_memcmp(h[i].lowcase_key, name, len) == 0) {
                return &h[i];
            }
        }
    }
    return NULL;
}

static bool
ngx_http_licet_named(const ngx_table_elt_t *h, const char *name)
{
    return h->key.len == ngx_strlen(name) && ngx_strncasecmp(h->key.data, (u_char *)name, h->key.len) == 0;
}

/*
 * Licet- and whatever a server behind may take for it: to CGI, WSGI and PHP 'Licet_App' and 'Licet.App' are the same
 * name as 'Licet-App', and nginx passes such names on where underscores_in_headers or ignore_invalid_headers say so.
 */
static bool
ngx_http_licet_ours(const ngx_table_elt_t *h)
{
    static const size_t len = sizeof("Licet") - 1;

    return h->key.len > len && ngx_strncasecmp(h->key.data, (u_char *)"Licet", len) == 0 && !isalnum(h->key.data[len]);
}

static bool
ngx_http_licet_dropped(const ngx_table_elt_t *h, ngx_uint_t flags)
{
    if (ngx_http_licet_ours(h)) {
        return true;
    }
    if (!(flags & NGX_HTTP_LICET_KEEP_ENCODING) && ngx_http_licet_named(h, "Accept-Encoding")) {
        return true;
    }
    if ((flags & NGX_HTTP_LICET_DROP_RANGE) &&
        (ngx_http_licet_named(h, "Range") || ngx_http_licet_named(h, "If-Range"))) {
        return true;
    }
    return (flags & NGX_HTTP_LICET_DROP_UPGRADE) && ngx_http_licet_named(h, "Upgrade");
}

ngx_int_t
ngx_http_licet_push_in(ngx_http_request_t *r, const char *name, ngx_str_t value)
{
    ngx_table_elt_t *h;

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }
    ngx_memzero(h, sizeof(*h));
    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *)name;
    h->value = value;
    h->lowcase_key = ngx_pnalloc(r->pool, h->key.len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }
    h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);
    return NGX_OK;
}

/* All that a list accepts, joined; returns its length. to NULL: only that. */
static size_t
ngx_http_licet_accepted(const ngx_list_part_t *part, u_char *to)
{
    const ngx_table_elt_t *h;
    size_t len = 0;
    ngx_uint_t i;

    for (; part != NULL; part = part->next) {
        h = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (!ngx_http_licet_named(&h[i], "Accept-Encoding")) {
                continue;
            }
            len += h[i].value.len + 1;
            if (to != NULL) {
                to = ngx_cpymem(to, h[i].value.data, h[i].value.len);
                *to++ = ',';
            }
        }
    }
    return len;
}

/* Adds Accept-Encoding: of what the old list accepts, what is counted. */
static ngx_int_t
ngx_http_licet_offer(ngx_http_request_t *r, const ngx_list_part_t *old)
{
    size_t len = ngx_http_licet_accepted(old, NULL);
    ngx_str_t offer;
    u_char *accept;

    accept = ngx_pnalloc(r->pool, len + LICET_CODING_OFFER_ROOM(len));
    if (accept == NULL) {
        return NGX_ERROR;
    }
    (void)ngx_http_licet_accepted(old, accept);
    offer.data = accept + len;
    offer.len = licet_coding_offer(licet_bytes_of(accept, len), (char *)offer.data);
    return ngx_http_licet_push_in(r, "Accept-Encoding", offer);
}

ngx_int_t
ngx_http_licet_rewrite_headers(ngx_http_request_t *r, const ngx_http_licet_ctx_t *ctx, ngx_uint_t flags)
{
    ngx_list_part_t old = r->headers_in.headers.part, *part;
    ngx_table_elt_t *h, *to;
    ngx_uint_t i;

    if (ngx_list_init(&r->headers_in.headers, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) {
        return NGX_ERROR;
    }
    for (part = &old; part != NULL; part = part->next) {
        h = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_licet_dropped(&h[i], flags) || (ctx != NULL && ngx_http_licet_outbound_drops(ctx, &h[i]))) {
                continue;
            }
            to = ngx_list_push(&r->headers_in.headers);
            if (to == NULL) {
                return NGX_ERROR;
            }
            *to = h[i];
        }
    }
    if (flags & NGX_HTTP_LICET_DROP_RANGE) {
        r->headers_in.range = NULL;
        r->headers_in.if_range = NULL;
    }
    if (flags & NGX_HTTP_LICET_DROP_UPGRADE) {
        r->headers_in.upgrade = NULL;
    }
    /* without the header any encoding would be welcome */
    return (flags & NGX_HTTP_LICET_KEEP_ENCODING) ? NGX_OK : ngx_http_licet_offer(r, &old);
}

ngx_int_t
ngx_http_licet_push_out(ngx_http_request_t *r, const char *name, ngx_str_t value)
{
    ngx_table_elt_t *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }
    ngx_memzero(h, sizeof(*h));
    h->hash = 1;
    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *)name;
    h->value = value;
    return NGX_OK;
}

void
ngx_http_licet_strip_out(ngx_list_t *headers)
{
    ngx_list_part_t *part;
    ngx_table_elt_t *h;
    ngx_uint_t i;

    for (part = &headers->part; part != NULL; part = part->next) {
        h = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_licet_ours(&h[i])) {
                h[i].hash = 0;
            }
        }
    }
}
