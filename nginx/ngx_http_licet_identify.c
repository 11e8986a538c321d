/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks: the credential shown, or the app that what stands in front named.
 *
 *  (1) Of a credential only its HMAC is computed; it is neither kept nor logged.
 *  (2) Nobody is attributed by guess: a credential is known or it is not.
 *  (3) Where licet_app is set credentials are not looked at.
 *  (4) One credential decides: the bearer token, as a secret, then as a JWT; X-API-Key, Api-Key, the signature, the
 *      client certificate; of equal names the first; the first that is known. nginx refuses a second Authorization
 * itself.
 */
#include "ngx_http_licet.h"

licet_bytes
ngx_http_licet_trim(licet_bytes text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

/* The token of 'Authorization: Bearer token'; len 0: another scheme, or none. */
static licet_bytes
ngx_http_licet_bearer(ngx_http_request_t *r)
{
    static const size_t scheme = sizeof("Bearer ") - 1;
    licet_bytes none = {NULL, 0}, value;

    if (r->headers_in.authorization == NULL) {
        return none;
    }
    value = ngx_http_licet_bytes(r->headers_in.authorization->value);
    if (value.len <= scheme || ngx_strncasecmp((u_char *)value.data, (u_char *)"Bearer ", scheme) != 0) {
        return none;
    }
    return ngx_http_licet_trim((licet_bytes){value.data + scheme, value.len - scheme});
}

static licet_bytes
ngx_http_licet_key(ngx_http_request_t *r, const char *name)
{
    ngx_table_elt_t *h = ngx_http_licet_header_in(r, name);

    return h != NULL ? ngx_http_licet_trim(ngx_http_licet_bytes(h->value)) : (licet_bytes){NULL, 0};
}

licet_reason
ngx_http_licet_by_identity(ngx_http_request_t *r, ngx_http_licet_view_t *view, licet_bytes identity,
                           licet_credential_kind kind, ngx_http_licet_caller_t *out_caller)
{
    licet_hash hmac = licet_hmac_sha256(licet_bytes_of(licet_gate_credential_key(view->area->gate), 32), identity);
    const licet_index_credential *found = licet_index_by_hmac(&view->index, hmac.bytes);
    const licet_image_credential *credential;
    ngx_http_licet_image_t *image;

    if (found == NULL) {
        return LICET_REASON_CREDENTIAL_UNKNOWN;
    }
    image = ngx_http_licet_image_of(view, found->cell, r->connection->log);
    if (image == NULL || found->credential >= image->image.header->credentials_len) {
        return LICET_REASON_CANNOT_RECORD;
    }
    credential = &image->image.credentials[found->credential];
    if (credential->kind != (uint32_t)kind) {
        return LICET_REASON_CREDENTIAL_UNKNOWN;
    }
    out_caller->image = image;
    out_caller->credential = found->credential;
    out_caller->app = credential->app;
    return LICET_REASON_NONE;
}

/* What one kind says; true: nobody else is asked. Of several that nobody knows the first counts. */
static bool
ngx_http_licet_decides(licet_reason *reason, licet_reason said)
{
    if (said != LICET_REASON_CREDENTIAL_MISSING && said != *reason) {
        *reason = said;
    }
    return said != LICET_REASON_CREDENTIAL_MISSING && said != LICET_REASON_CREDENTIAL_UNKNOWN;
}

static licet_reason
ngx_http_licet_by_secret(ngx_http_request_t *r, ngx_http_licet_view_t *view, licet_bytes secret,
                         licet_credential_kind kind, ngx_http_licet_caller_t *out_caller)
{
    return secret.len > 0 ? ngx_http_licet_by_identity(r, view, secret, kind, out_caller)
                          : LICET_REASON_CREDENTIAL_MISSING;
}

/* The first that is known: what stands behind may ask for a token of its own beside the key. */
static licet_reason
ngx_http_licet_by_credential(ngx_http_request_t *r, ngx_http_licet_loc_conf_t *lcf, ngx_http_licet_view_t *view,
                             ngx_http_licet_caller_t *out_caller)
{
    licet_reason reason = LICET_REASON_CREDENTIAL_MISSING;
    licet_bytes bearer = ngx_http_licet_bearer(r);

    if (ngx_http_licet_decides(&reason,
                               ngx_http_licet_by_secret(r, view, bearer, LICET_CREDENTIAL_BEARER, out_caller)) ||
        (bearer.len > 0 && lcf->jwks != NULL &&
         ngx_http_licet_decides(&reason, ngx_http_licet_by_token(r, lcf, view, bearer, out_caller))) ||
        ngx_http_licet_decides(&reason, ngx_http_licet_by_secret(r, view, ngx_http_licet_key(r, "x-api-key"),
                                                                 LICET_CREDENTIAL_API_KEY, out_caller)) ||
        ngx_http_licet_decides(&reason, ngx_http_licet_by_secret(r, view, ngx_http_licet_key(r, "api-key"),
                                                                 LICET_CREDENTIAL_API_KEY, out_caller)) ||
        (lcf->signatures && ngx_http_licet_decides(&reason, ngx_http_licet_by_signature(r, view, out_caller)))) {
        return reason;
    }
    (void)ngx_http_licet_decides(&reason, ngx_http_licet_by_certificate(r, view, out_caller));
    return reason;
}

static licet_reason
ngx_http_licet_by_app(ngx_http_request_t *r, ngx_http_licet_loc_conf_t *lcf, ngx_http_licet_view_t *view,
                      ngx_http_licet_caller_t *out_caller)
{
    const licet_index_app *found;
    ngx_str_t name;

    if (ngx_http_complex_value(r, lcf->app, &name) != NGX_OK) {
        return LICET_REASON_CANNOT_RECORD;
    }
    if (name.len == 0) {
        return LICET_REASON_CREDENTIAL_MISSING;
    }
    found = licet_index_by_app(&view->index, ngx_http_licet_bytes(name));
    if (found == NULL) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "licet: licet_app \"%V\" names no app of this site", &name);
        return LICET_REASON_CREDENTIAL_UNKNOWN;
    }
    out_caller->image = ngx_http_licet_image_of(view, found->cell, r->connection->log);
    if (out_caller->image == NULL || found->app >= out_caller->image->image.header->apps_len) {
        return LICET_REASON_CANNOT_RECORD;
    }
    out_caller->app = found->app;
    out_caller->credential = LICET_NONE;
    return LICET_REASON_NONE;
}

licet_reason
ngx_http_licet_identify(ngx_http_request_t *r, ngx_http_licet_loc_conf_t *lcf, ngx_http_licet_view_t *view,
                        ngx_http_licet_caller_t *out_caller)
{
    return lcf->app != NULL && lcf->app->value.len > 0 ? ngx_http_licet_by_app(r, lcf, view, out_caller)
                                                       : ngx_http_licet_by_credential(r, lcf, view, out_caller);
}

/*
 * The licensee's API: who asks is found as at the gate, told to licetd by two headers that no client can send, and
 * nothing is metered.
 */
ngx_int_t
ngx_http_licet_api(ngx_http_request_t *r, ngx_http_licet_loc_conf_t *lcf)
{
    ngx_http_licet_view_t *view;
    ngx_http_licet_caller_t caller = {NULL, LICET_NONE, LICET_NONE};
    const licet_image_credential *credential;
    const licet_image *image;
    licet_reason reason;
    licet_bytes agreement, app;
    ngx_str_t texts[2];
    uint64_t now = ngx_http_licet_now();
    ngx_uint_t i;

    view = ngx_http_licet_view_use(lcf->gate, r->connection->log);
    if (view == NULL) {
        return ngx_http_licet_refuse(r, NULL, LICET_REASON_CANNOT_RECORD, LICET_NONE, NULL);
    }
    reason = ngx_http_licet_identify(r, lcf, view, &caller);
    if (reason == LICET_REASON_NONE && caller.credential != LICET_NONE) {
        credential = &caller.image->image.credentials[caller.credential];
        if (now < credential->from_ms || now >= credential->before_ms) {
            reason = LICET_REASON_CREDENTIAL_ENDED;
        }
    }
    if (reason != LICET_REASON_NONE) {
        licet_worker_unidentified(view->area->worker, reason);
        ngx_http_licet_view_release(view);
        return ngx_http_licet_refuse(r, NULL, reason, LICET_NONE, NULL);
    }
    image = &caller.image->image;
    agreement = licet_image_text(image, image->header->agreement);
    app = licet_image_text(image, image->apps[caller.app].id);
    /* copies, for the view is given back before the request is done */
    texts[0].len = agreement.len;
    texts[0].data = ngx_pnalloc(r->pool, agreement.len + 1);
    texts[1].len = app.len;
    texts[1].data = ngx_pnalloc(r->pool, app.len + 1);
    for (i = 0; i < 2; i++) {
        if (texts[i].data == NULL) {
            ngx_http_licet_view_release(view);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    ngx_memcpy(texts[0].data, agreement.data, agreement.len);
    ngx_memcpy(texts[1].data, app.data, app.len);
    ngx_http_licet_view_release(view);
    if (ngx_http_licet_rewrite_headers(r, NULL, NGX_HTTP_LICET_KEEP_ENCODING) != NGX_OK ||
        ngx_http_licet_push_in(r, "Licet-Agreement", texts[0]) != NGX_OK ||
        ngx_http_licet_push_in(r, "Licet-App", texts[1]) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return NGX_DECLINED;
}
