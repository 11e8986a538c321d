/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation: a response under way ends with the credential that asked for it.
 *
 *  (1) Each ctx knows when its credential and app end, from the image that admitted it and anew from each image that
 *      comes into force; one that is gone has ended.
 *  (2) Behind that time no buffer goes on: the response is cut before it, with the ending 'cut by revocation'. A
 * response whose upstream is silent stays until it says something. (3) Only what is enforced is cut: in observe mode an
 * ended credential reads on.
 */
#include "ngx_http_licet.h"

static uint64_t
ngx_http_licet_ends(const licet_image *image, uint32_t app, uint32_t credential)
{
    uint64_t ends = image->apps[app].before_ms;

    if (credential != LICET_NONE && image->credentials[credential].before_ms < ends) {
        ends = image->credentials[credential].before_ms;
    }
    return ends;
}

void
ngx_http_licet_revoke_begin(ngx_http_licet_ctx_t *ctx)
{
    ctx->ends_ms = ngx_http_licet_ends(&ctx->caller.image->image, ctx->caller.app, ctx->caller.credential);
}

/* Where the index in force has the caller of a response: cell and rows. False: no more. */
static bool
ngx_http_licet_revoke_find(const ngx_http_licet_ctx_t *ctx, const licet_index *index, uint32_t *out_cell,
                           uint32_t *out_app, uint32_t *out_credential)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_index_credential *credential;
    const licet_index_app *app;
    licet_bytes agreement, id;
    u_char name[2 * LICET_NAME_MAX + 1], *last;

    *out_credential = LICET_NONE;
    if (ctx->caller.credential != LICET_NONE) {
        credential = licet_index_by_hmac(index, image->credentials[ctx->caller.credential].hmac);
        if (credential == NULL) {
            return false;
        }
        *out_cell = credential->cell;
        *out_credential = credential->credential;
        return true;
    }
    agreement = licet_image_text(image, image->header->agreement);
    id = licet_image_text(image, image->apps[ctx->caller.app].id);
    if (agreement.len > LICET_NAME_MAX || id.len > LICET_NAME_MAX) {
        return false;
    }
    last = ngx_cpymem(name, agreement.data, agreement.len);
    *last++ = '/';
    last = ngx_cpymem(last, id.data, id.len);
    app = licet_index_by_app(index, licet_bytes_of(name, (size_t)(last - name)));
    if (app == NULL) {
        return false;
    }
    *out_cell = app->cell;
    *out_app = app->app;
    return true;
}

void
ngx_http_licet_revoke(ngx_http_licet_area_t *area, ngx_http_licet_view_t *view, ngx_log_t *log)
{
    ngx_queue_t *q;
    ngx_http_licet_ctx_t *ctx;
    ngx_http_licet_image_t *image;
    uint32_t cell = 0, app = 0, credential;

    for (q = ngx_queue_head(&area->live); q != ngx_queue_sentinel(&area->live); q = ngx_queue_next(q)) {
        ctx = ngx_queue_data(q, ngx_http_licet_ctx_t, live);
        if (!ngx_http_licet_revoke_find(ctx, &view->index, &cell, &app, &credential)) {
            ctx->ends_ms = 0;
            continue;
        }
        image = ngx_http_licet_image_of(view, cell, log);
        if (image == NULL) {
            continue; /* told to the log: what held before holds on */
        }
        if (credential != LICET_NONE) {
            app = image->image.credentials[credential].app;
        }
        ctx->ends_ms = ngx_http_licet_ends(&image->image, app, credential);
    }
}

bool
ngx_http_licet_revoked(const ngx_http_licet_ctx_t *ctx)
{
    return ngx_http_licet_now() >= ctx->ends_ms && ctx->result == LICET_VERDICT_ALLOW &&
           ctx->caller.image->image.versions[ctx->verdict.version].mode == LICET_MODE_ENFORCE;
}
