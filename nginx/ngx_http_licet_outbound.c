/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outbound: the platform's token in place of what the caller showed.
 *
 *  (1) What the caller showed never goes up where an app has an outbound; without the token nothing goes up.
 *  (2) The token is read from its file by the worker, at most once a second, so that a new one needs no reload; what
 *      the file does not give any more is not used any more.
 *  (3) It is wiped with the image that named its file, and no message quotes it.
 */
#include "ngx_http_licet.h"

struct ngx_http_licet_token_s {
    ngx_msec_t read; /* when */
    unsigned good : 1;
    licet_outbound_token token;
};

void
ngx_http_licet_tokens_done(ngx_http_licet_image_t *image)
{
    uint32_t i;

    if (image->tokens == NULL) {
        return;
    }
    for (i = 0; i < image->image.header->outbounds_len; i++) {
        if (image->tokens[i] != NULL) {
            ngx_explicit_memzero(image->tokens[i], sizeof(ngx_http_licet_token_t));
            ngx_free(image->tokens[i]);
        }
    }
    ngx_free(image->tokens);
}

/* Within the site, which is two folders above its images: data/images. */
static bool
ngx_http_licet_token_path(const char *images, licet_bytes file, char path[NGX_MAX_PATH])
{
    size_t len = ngx_strlen(images);
    int up;

    if (file.len > 0 && file.data[0] == '/') {
        len = 0;
    } else {
        for (up = 0; up < 2; up++) {
            while (len > 0 && images[len - 1] == '/') {
                len--;
            }
            while (len > 0 && images[len - 1] != '/') {
                len--;
            }
        }
    }
    if (len + file.len >= NGX_MAX_PATH) {
        return false;
    }
    ngx_memcpy(path, images, len);
    ngx_memcpy(path + len, file.data, file.len);
    path[len + file.len] = '\0';
    return true;
}

static void
ngx_http_licet_token_read(ngx_http_licet_ctx_t *ctx, const licet_image_outbound *outbound,
                          ngx_http_licet_token_t *token, ngx_log_t *log)
{
    const licet_image *image = &ctx->caller.image->image;
    licet_bytes agreement = licet_image_text(image, image->header->agreement);
    licet_bytes id = licet_image_text(image, outbound->id);
    licet_error err = {LICET_E_NONE, NULL, 0, 0, "its path is too long"};
    char path[NGX_MAX_PATH];

    token->read = ngx_current_msec;
    token->good =
        ngx_http_licet_token_path(licet_gate_images(ctx->area->gate), licet_image_text(image, outbound->file), path) &&
        licet_outbound_read(path, &token->token, &err);
    if (!token->good) {
        ngx_explicit_memzero(&token->token, sizeof(token->token));
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "licet: agreement %*s: outbound %*s cannot be used, requests are refused: %s", agreement.len,
                      agreement.data, id.len, id.data, err.text);
    }
}

static const ngx_http_licet_token_t *
ngx_http_licet_token(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, uint32_t row)
{
    ngx_http_licet_image_t *image = ctx->caller.image;
    ngx_http_licet_token_t *token;

    if (image->tokens == NULL) {
        image->tokens =
            ngx_calloc(image->image.header->outbounds_len * sizeof(ngx_http_licet_token_t *), r->connection->log);
        if (image->tokens == NULL) {
            return NULL;
        }
    }
    token = image->tokens[row];
    if (token == NULL) {
        token = ngx_calloc(sizeof(ngx_http_licet_token_t), r->connection->log);
        if (token == NULL) {
            return NULL;
        }
        image->tokens[row] = token;
    } else if ((ngx_msec_t)(ngx_current_msec - token->read) < 1000) {
        return token->good ? token : NULL;
    }
    ngx_http_licet_token_read(ctx, &image->image.outbounds[row], token, r->connection->log);
    return token->good ? token : NULL;
}

bool
ngx_http_licet_outbound_ready(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    uint32_t row = ctx->caller.image->image.apps[ctx->caller.app].outbound;

    return row == LICET_NONE || ngx_http_licet_token(r, ctx, row) != NULL;
}

/* Headers in which a caller may have shown what the licensee gave it. */
static const char *const ngx_http_licet_shown[] = {"Authorization", "Proxy-Authorization", "X-API-Key",      "Api-Key",
                                                   "Signature",     "Signature-Input",     "Signature-Agent"};

/* The same to a server that takes '_' and '.' for '-'. */
static bool
ngx_http_licet_same_name(const ngx_str_t *key, const u_char *name, size_t len)
{
    size_t i;
    u_char a, b;

    if (key->len != len) {
        return false;
    }
    for (i = 0; i < len; i++) {
        a = ngx_tolower(key->data[i]);
        b = ngx_tolower(name[i]);
        if (a != b && !((a == '_' || a == '.') && b == '-')) {
            return false;
        }
    }
    return true;
}

bool
ngx_http_licet_outbound_drops(const ngx_http_licet_ctx_t *ctx, const ngx_table_elt_t *h)
{
    const licet_image *image = &ctx->caller.image->image;
    uint32_t row = image->apps[ctx->caller.app].outbound;
    licet_bytes header;
    ngx_uint_t i;

    if (row == LICET_NONE) {
        return false;
    }
    header = licet_image_text(image, image->outbounds[row].header);
    if (ngx_http_licet_same_name(&h->key, header.data, header.len)) {
        return true;
    }
    for (i = 0; i < sizeof(ngx_http_licet_shown) / sizeof(ngx_http_licet_shown[0]); i++) {
        if (ngx_http_licet_same_name(&h->key, (const u_char *)ngx_http_licet_shown[i],
                                     ngx_strlen(ngx_http_licet_shown[i]))) {
            return true;
        }
    }
    return false;
}

ngx_int_t
ngx_http_licet_outbound_push(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    const licet_image *image = &ctx->caller.image->image;
    uint32_t row = image->apps[ctx->caller.app].outbound;
    const ngx_http_licet_token_t *token;
    licet_bytes header, scheme;
    ngx_str_t value;
    u_char *name, *p;

    if (row == LICET_NONE) {
        return NGX_OK;
    }
    token = ngx_http_licet_token(r, ctx, row);
    if (token == NULL) {
        return NGX_ERROR; /* it went in this very millisecond */
    }
    header = licet_image_text(image, image->outbounds[row].header);
    scheme = licet_image_text(image, image->outbounds[row].scheme);
    name = ngx_pnalloc(r->pool, header.len + 1);
    value.data = ngx_pnalloc(r->pool, scheme.len + 1 + token->token.len);
    if (name == NULL || value.data == NULL) {
        return NGX_ERROR;
    }
    *ngx_cpymem(name, header.data, header.len) = '\0';
    p = ngx_cpymem(value.data, scheme.data, scheme.len);
    if (scheme.len > 0) {
        *p++ = ' ';
    }
    p = ngx_cpymem(p, token->token.text, token->token.len);
    value.len = (size_t)(p - value.data);
    return ngx_http_licet_push_in(r, (const char *)name, value);
}
