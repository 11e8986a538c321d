/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables, for log_format and whatever else operators use them for.
 *
 *   $licet_agreement  $licet_app       who asked; empty for a caller nobody knows
 *   $licet_verdict                     allow, refuse, observe, open
 *   $licet_units                       post=20,user=7: what was delivered so far; at log time, what the receipt says.
 *                                      With ,unmetered=<reason> the figures are not the whole truth.
 *   $licet_decision                    32 hex digits
 */
#include "ngx_http_licet.h"

typedef bool (*ngx_http_licet_value_pt)(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, licet_bytes *out_value);

static bool
ngx_http_licet_value_agreement(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, licet_bytes *out_value)
{
    (void)r;
    if (ctx->caller.image == NULL) {
        return false;
    }
    *out_value = licet_image_text(&ctx->caller.image->image, ctx->caller.image->image.header->agreement);
    return true;
}

static bool
ngx_http_licet_value_app(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, licet_bytes *out_value)
{
    (void)r;
    if (ctx->caller.image == NULL) {
        return false;
    }
    *out_value = licet_image_text(&ctx->caller.image->image, ctx->caller.image->image.apps[ctx->caller.app].id);
    return true;
}

static bool
ngx_http_licet_value_verdict(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, licet_bytes *out_value)
{
    (void)r;
    if (ctx->state == NGX_HTTP_LICET_WAITING) {
        return false;
    }
    *out_value = licet_bytes_of_text(licet_verdict_name(ctx->result));
    return true;
}

static bool
ngx_http_licet_value_decision(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, licet_bytes *out_value)
{
    (void)r;
    *out_value = licet_bytes_of_text((const char *)ctx->decision);
    return out_value->len > 0;
}

static bool
ngx_http_licet_value_units(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, licet_bytes *out_value)
{
    ngx_http_licet_delivered_t delivered;
    const licet_image *image;
    licet_buffer text;
    licet_bytes name;
    u_char *copy;
    ngx_uint_t i;

    if (ctx->caller.image == NULL || ctx->plan == NULL || ctx->plan->units == 0) {
        return false;
    }
    image = &ctx->caller.image->image;
    ngx_http_licet_delivered(ctx, true, &delivered);
    licet_buffer_init(&text, 1024);
    for (i = 0; i < ctx->plan->units; i++) {
        name = licet_image_text(image, image->header->kinds[ctx->plan->kind[i]]);
        licet_put_format(&text, "%s%.*s=%llu", i > 0 ? "," : "", (int)name.len, (const char *)name.data,
                         (unsigned long long)delivered.units[ctx->plan->kind[i]]);
    }
    if (delivered.unmetered != LICET_UNMETERED_NONE) {
        licet_put_format(&text, ",unmetered=%s", licet_unmetered_slug(delivered.unmetered));
    }
    copy = text.failed ? NULL : ngx_pnalloc(r->pool, text.len);
    if (copy != NULL) {
        ngx_memcpy(copy, text.data, text.len);
        *out_value = licet_bytes_of(copy, text.len);
    }
    licet_buffer_done(&text);
    return copy != NULL;
}

static const ngx_http_licet_value_pt ngx_http_licet_values[] = {
    ngx_http_licet_value_agreement, ngx_http_licet_value_app,      ngx_http_licet_value_verdict,
    ngx_http_licet_value_units,     ngx_http_licet_value_decision,
};

static ngx_int_t
ngx_http_licet_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_licet_ctx_t *ctx = ngx_http_licet_find(r);
    licet_bytes value = {NULL, 0};

    if (ctx == NULL || !ngx_http_licet_values[data](r, ctx, &value)) {
        v->not_found = 1;
        return NGX_OK;
    }
    v->data = (u_char *)value.data;
    v->len = (unsigned)value.len & 0xfffffff;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;
    return NGX_OK;
}

static ngx_http_variable_t ngx_http_licet_variables[] = {
    {ngx_string("licet_agreement"), NULL, ngx_http_licet_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("licet_app"), NULL, ngx_http_licet_variable, 1, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("licet_verdict"), NULL, ngx_http_licet_variable, 2, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("licet_units"), NULL, ngx_http_licet_variable, 3, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("licet_decision"), NULL, ngx_http_licet_variable, 4, NGX_HTTP_VAR_NOCACHEABLE, 0},
};

ngx_int_t
ngx_http_licet_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t *var, *v;
    ngx_uint_t i;

    for (i = 0; i < sizeof(ngx_http_licet_variables) / sizeof(ngx_http_licet_variables[0]); i++) {
        v = &ngx_http_licet_variables[i];
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }
        var->get_handler = v->get_handler;
        var->data = v->data;
    }
    return NGX_OK;
}
