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

/* A log line asks twice, for the length and for the text. */
static bool
ngx_http_licet_value_units(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, licet_bytes *out_value)
{
    u_char room[LICET_SCAN_UNITS_MAX * (LICET_NAME_MAX + NGX_INT64_LEN + 2) + 64], *copy;
    ngx_http_licet_text_t text = {room, room + sizeof(room)};
    ngx_http_licet_delivered_t delivered;
    const licet_image *image;
    ngx_uint_t i;

    if (ctx->caller.image == NULL || ctx->plan == NULL || ctx->plan->units == 0) {
        return false;
    }
    if (ctx->settled && ctx->units.len > 0) {
        *out_value = ctx->units;
        return true;
    }
    image = &ctx->caller.image->image;
    ngx_http_licet_delivered(ctx, true, &delivered);
    for (i = 0; i < ctx->plan->units; i++) {
        if (i > 0) {
            ngx_http_licet_put_literal(&text, ",");
        }
        ngx_http_licet_put(&text, licet_image_text(image, image->header->kinds[ctx->plan->kind[i]]));
        ngx_http_licet_put_literal(&text, "=");
        ngx_http_licet_put_number(&text, delivered.units[ctx->plan->kind[i]]);
    }
    if (delivered.unmetered != LICET_UNMETERED_NONE) {
        ngx_http_licet_put_literal(&text, ",unmetered=");
        ngx_http_licet_put(&text, licet_bytes_of_text(licet_unmetered_slug(delivered.unmetered)));
    }
    out_value->len = (size_t)(text.last - room);
    copy = text.last == text.end ? NULL : ngx_pnalloc(r->pool, out_value->len);
    if (copy == NULL) {
        return false;
    }
    ngx_memcpy(copy, room, out_value->len);
    out_value->data = copy;
    if (ctx->settled) {
        ctx->units = *out_value;
    }
    return true;
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
