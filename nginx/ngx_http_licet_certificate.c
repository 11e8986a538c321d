/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client certificates: what ssl_verify_client found good, by the SHA-256 of its DER.
 *
 *  (1) Whether a certificate is good is nginx's to say ($ssl_client_verify, which knows CRL and OCSP): without SUCCESS
 *      none was shown.
 *  (2) The whole certificate is the identity: a renewed one is another credential, with a time of its own.
 */
#include "ngx_http_licet.h"

#if (NGX_HTTP_SSL)

static bool
ngx_http_licet_verified(ngx_http_request_t *r)
{
    static ngx_str_t name = ngx_string("ssl_client_verify");
    ngx_http_variable_value_t *value;
    u_char low[sizeof("ssl_client_verify")];

    value = ngx_http_get_variable(r, &name, ngx_hash_strlow(low, name.data, name.len));
    return value != NULL && !value->not_found && value->len == sizeof("SUCCESS") - 1 &&
           ngx_strncmp(value->data, "SUCCESS", value->len) == 0;
}

licet_reason
ngx_http_licet_by_certificate(ngx_http_request_t *r, ngx_http_licet_view_t *view, ngx_http_licet_caller_t *out_caller)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    licet_buffer identity;
    licet_reason reason;
    X509 *certificate;
    int ok;

    if (r->connection->ssl == NULL || !ngx_http_licet_verified(r)) {
        return LICET_REASON_CREDENTIAL_MISSING;
    }
    certificate = SSL_get_peer_certificate(r->connection->ssl->connection);
    if (certificate == NULL) {
        return LICET_REASON_CREDENTIAL_MISSING;
    }
    ok = X509_digest(certificate, EVP_sha256(), digest, &len);
    X509_free(certificate);
    if (ok != 1 || len != LICET_SHA256_LEN) {
        return LICET_REASON_CANNOT_RECORD;
    }
    licet_buffer_init(&identity, LICET_IDENTITY_MAX);
    reason = licet_identity_certificate(&identity, digest)
                 ? ngx_http_licet_by_identity(r, view, licet_buffer_view(&identity),
                                              LICET_CREDENTIAL_CLIENT_CERTIFICATE, out_caller)
                 : LICET_REASON_CANNOT_RECORD;
    licet_buffer_done(&identity);
    return reason;
}

#else

licet_reason
ngx_http_licet_by_certificate(ngx_http_request_t *r, ngx_http_licet_view_t *view, ngx_http_licet_caller_t *out_caller)
{
    (void)r;
    (void)view;
    (void)out_caller;
    return LICET_REASON_CREDENTIAL_MISSING;
}

#endif
