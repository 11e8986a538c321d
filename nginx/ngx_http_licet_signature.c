/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet_signatures on: requests signed by RFC 9421 in the Web Bot Auth profile.
 *
 *      fields ─► form, times ─► key of (agent, key id) ─► signature ─► used before?
 *
 *  (1) The key is found by the pair, never by the key id alone, and is the registry's: nothing is fetched.
 *  (2) What costs comes last: a stranger's signature costs a parse and one hash.
 *  (3) A request judged twice (its gate was shut meanwhile) uses its signature once.
 */
#include "ngx_http_licet.h"

static bool
ngx_http_licet_signed_field(void *user, licet_bytes name, licet_buffer *out)
{
    ngx_http_request_t *r = user;
    ngx_list_part_t *part;
    ngx_table_elt_t *h;
    licet_bytes value;
    bool found = false;
    ngx_uint_t i;

    for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        h = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len != name.len || ngx_memcmp(h[i].lowcase_key, name.data, name.len) != 0) {
                continue;
            }
            value = ngx_http_licet_trim(ngx_http_licet_bytes(h[i].value));
            if (found) {
                licet_put_format(out, ", ");
            }
            licet_put_bytes(out, value);
            found = true;
        }
    }
    return found;
}

static licet_signed_request
ngx_http_licet_signed_request(ngx_http_request_t *r)
{
    licet_bytes target = ngx_http_licet_bytes(r->unparsed_uri);
    const uint8_t *mark = target.len > 0 ? memchr(target.data, '?', target.len) : NULL;
    licet_signed_request request = {
        .method = ngx_http_licet_bytes(r->method_name),
        .scheme = licet_bytes_of_text("http"),
        .authority = r->headers_in.host != NULL ? ngx_http_licet_bytes(r->headers_in.host->value)
                                                : ngx_http_licet_bytes(r->headers_in.server),
        .path = target,
        .field = ngx_http_licet_signed_field,
        .user = r,
    };

#if (NGX_HTTP_SSL)
    if (r->connection->ssl != NULL) {
        request.scheme = licet_bytes_of_text("https");
    }
#endif
    if (mark != NULL) {
        request.path.len = (size_t)(mark - target.data);
        request.query = licet_bytes_of(mark + 1, target.len - request.path.len - 1);
        request.has_query = true;
    }
    return request;
}

/* The credential of (agent, key id), if its key signed this. */
static licet_reason
ngx_http_licet_by_pair(ngx_http_request_t *r, ngx_http_licet_view_t *view, const licet_signature *signature,
                       ngx_http_licet_caller_t *out_caller)
{
    licet_buffer identity;
    licet_reason reason = LICET_REASON_CREDENTIAL_UNKNOWN;

    licet_buffer_init(&identity, LICET_IDENTITY_MAX);
    if (licet_identity_signature(&identity, signature->agent, signature->key_id, NULL)) {
        reason = ngx_http_licet_by_identity(r, view, licet_buffer_view(&identity), LICET_CREDENTIAL_HTTP_SIGNATURE,
                                            out_caller);
    }
    licet_buffer_done(&identity);
    if (reason == LICET_REASON_NONE &&
        !licet_signature_verify(signature, out_caller->image->image.credentials[out_caller->credential].key)) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "licet: a signature was not accepted: it is not that of the key registered for its agent");
        reason = LICET_REASON_CREDENTIAL_UNKNOWN;
    }
    return reason;
}

static licet_reason
ngx_http_licet_use_once(ngx_http_request_t *r, ngx_http_licet_view_t *view, const licet_signature *signature,
                        const ngx_http_licet_caller_t *caller)
{
    ngx_http_licet_main_conf_t *mcf = ngx_http_get_module_main_conf(r, ngx_http_licet_module);
    ngx_http_licet_ctx_t *ctx = ngx_http_licet_find(r);
    licet_reason reason;
    licet_bytes id;

    if (ctx != NULL && ctx->signature_used) {
        return LICET_REASON_NONE;
    }
    if (mcf->nonces == NULL || atomic_load(&mcf->nonces->closed)) {
        ngx_log_error(
            NGX_LOG_WARN, r->connection->log, 0,
            "licet: a signature was refused, for this nginx has no memory of used ones, or another one took it "
            "over with another size");
        return LICET_REASON_CANNOT_RECORD;
    }
    reason = ngx_http_licet_nonce_use(mcf->nonces, signature, caller, licet_gate_credential_key(view->area->gate),
                                      (uint64_t)ngx_time());
    if (reason == LICET_REASON_CANNOT_RECORD) {
        id = licet_image_text(&caller->image->image, caller->image->image.credentials[caller->credential].id);
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "licet: a signature of credential \"%*s\" was refused, for its nonce has no room: raise "
                      "licet_signature_nonces, or have requests signed for a shorter time",
                      id.len, id.data);
    }
    if (ctx != NULL && reason == LICET_REASON_NONE) {
        ctx->signature_used = 1;
    }
    return reason;
}

licet_reason
ngx_http_licet_by_signature(ngx_http_request_t *r, ngx_http_licet_view_t *view, ngx_http_licet_caller_t *out_caller)
{
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    licet_signed_request request;
    licet_signature *signature;
    licet_reason reason = LICET_REASON_CREDENTIAL_MISSING;

    if (ngx_http_licet_header_in(r, "signature-input") == NULL) {
        return reason;
    }
    signature = ngx_alloc(sizeof(licet_signature), r->connection->log);
    if (signature == NULL) {
        return LICET_REASON_CANNOT_RECORD;
    }
    request = ngx_http_licet_signed_request(r);
    switch (licet_signature_read(&request, (uint64_t)ngx_time(), signature, &err)) {
    case LICET_PROOF_NONE:
        break;
    case LICET_PROOF_GOOD:
        reason = ngx_http_licet_by_pair(r, view, signature, out_caller);
        reason = reason == LICET_REASON_NONE ? ngx_http_licet_use_once(r, view, signature, out_caller) : reason;
        break;
    case LICET_PROOF_ENDED:
        reason = LICET_REASON_CREDENTIAL_ENDED;
        break;
    case LICET_PROOF_WRONG:
        reason = LICET_REASON_CREDENTIAL_UNKNOWN;
        break;
    }
    if (err.code != LICET_E_NONE) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "licet: a signature was not accepted: %s", err.text);
    }
    ngx_free(signature);
    return reason;
}
