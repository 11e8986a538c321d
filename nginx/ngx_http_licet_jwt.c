/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet_jwks FILE issuer=URL audience=NAME [claim=sub]: bearer tokens of an identity provider, by its key set.
 *
 *  (1) nginx -t fails without a file that can be used, an issuer or an audience: a token for another service is no
 *      credential here.
 *  (2) Each worker looks at the file at most once a second, when a token comes, and reads it when it changed. One that
 *      cannot be read or used is told to the log once, and the keys that were good stay.
 *  (3) A token is neither kept nor logged; why it was refused is.
 */
#include "ngx_http_licet.h"

struct ngx_http_licet_jwks_s {
    ngx_str_t path; /* with a NUL behind it */
    licet_jwt_rules rules;
    licet_jwks *set;
    time_t looked;
    ino_t inode;
    struct timespec changed;
    off_t size;
};

static bool
ngx_http_licet_jwks_load(ngx_http_licet_jwks_t *jwks, const struct stat *info, licet_error *err)
{
    licet_jwks *set = NULL;
    uint8_t *text = NULL;
    size_t len = 0;
    bool ok;

    jwks->inode = info->st_ino;
    jwks->changed = info->st_mtim;
    jwks->size = info->st_size;
    ok = licet_file_read((const char *)jwks->path.data, LICET_JWKS_MAX, &text, &len, err) &&
         licet_jwks_read(licet_bytes_of(text, len), &set, err);
    free(text);
    if (ok) {
        licet_jwks_free(jwks->set);
        jwks->set = set;
    }
    return ok;
}

static void
ngx_http_licet_jwks_look(ngx_http_licet_jwks_t *jwks, ngx_log_t *log)
{
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    struct stat info;

    if (jwks->looked == ngx_time()) {
        return;
    }
    jwks->looked = ngx_time();
    if (stat((const char *)jwks->path.data, &info) != 0) {
        if (jwks->inode != 0) {
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno, "licet: licet_jwks \"%V\" is gone: its last keys stay",
                          &jwks->path);
        }
        jwks->inode = 0;
        return;
    }
    if (info.st_ino == jwks->inode && info.st_size == jwks->size && info.st_mtim.tv_sec == jwks->changed.tv_sec &&
        info.st_mtim.tv_nsec == jwks->changed.tv_nsec) {
        return;
    }
    if (ngx_http_licet_jwks_load(jwks, &info, &err)) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0, "licet: licet_jwks \"%V\" was read anew", &jwks->path);
    } else {
        ngx_log_error(NGX_LOG_ERR, log, 0, "licet: licet_jwks \"%V\" cannot be used, its last keys stay: %s",
                      &jwks->path, err.text);
    }
}

licet_reason
ngx_http_licet_by_token(ngx_http_request_t *r, ngx_http_licet_loc_conf_t *lcf, ngx_http_licet_view_t *view,
                        licet_bytes token, ngx_http_licet_caller_t *out_caller)
{
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    ngx_http_licet_jwks_t **jwks = lcf->jwks->elts;
    licet_reason reason = LICET_REASON_CREDENTIAL_MISSING;
    licet_proof proof = LICET_PROOF_NONE;
    licet_buffer identity;
    ngx_uint_t i;

    licet_buffer_init(&identity, LICET_IDENTITY_MAX);
    for (i = 0; i < lcf->jwks->nelts && proof == LICET_PROOF_NONE; i++) {
        ngx_http_licet_jwks_look(jwks[i], r->connection->log);
        proof = licet_jwt_check(token, jwks[i]->set, &jwks[i]->rules, (uint64_t)ngx_time(), &identity, &err);
    }
    if (proof == LICET_PROOF_GOOD) {
        reason = ngx_http_licet_by_identity(r, view, licet_buffer_view(&identity), LICET_CREDENTIAL_JWT, out_caller);
    } else if (proof != LICET_PROOF_NONE) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "licet: a token was not accepted: %s", err.text);
        reason = proof == LICET_PROOF_ENDED ? LICET_REASON_CREDENTIAL_ENDED : LICET_REASON_CREDENTIAL_UNKNOWN;
    }
    licet_buffer_done(&identity);
    return reason;
}

/* ---- the directive ------------------------------------------------------------------ */

static void
ngx_http_licet_jwks_cleanup(void *data)
{
    ngx_http_licet_jwks_t *jwks = data;

    licet_jwks_free(jwks->set);
}

/* Of "issuer=URL" what stands behind the sign; false: another parameter. */
static bool
ngx_http_licet_parameter(const ngx_str_t *value, const char *name, licet_bytes *out)
{
    size_t len = ngx_strlen(name);

    if (value->len <= len || ngx_strncmp(value->data, name, len) != 0) {
        return false;
    }
    *out = licet_bytes_of(value->data + len, value->len - len);
    return true;
}

char *
ngx_http_licet_set_jwks(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_licet_loc_conf_t *lcf = conf;
    ngx_str_t *value = cf->args->elts, path = value[1];
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    ngx_http_licet_jwks_t *jwks, **slot;
    ngx_pool_cleanup_t *cln;
    struct stat info;
    ngx_uint_t i;

    (void)cmd;
    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_licet_jwks_t));
    if (cln == NULL || ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }
    jwks = cln->data;
    ngx_memzero(jwks, sizeof(*jwks));
    cln->handler = ngx_http_licet_jwks_cleanup;
    jwks->path = path;
    jwks->rules.claim = licet_bytes_of_text("sub");
    for (i = 2; i < cf->args->nelts; i++) {
        if (!ngx_http_licet_parameter(&value[i], "issuer=", &jwks->rules.issuer) &&
            !ngx_http_licet_parameter(&value[i], "audience=", &jwks->rules.audience) &&
            !ngx_http_licet_parameter(&value[i], "claim=", &jwks->rules.claim)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "licet_jwks: parameter \"%V\": expected issuer=, audience= or claim= and a value",
                               &value[i]);
            return NGX_CONF_ERROR;
        }
    }
    if (jwks->rules.issuer.len == 0 || jwks->rules.audience.len == 0) {
        return "needs issuer= and audience=: without them a token for another service would be taken";
    }
    for (i = 0; lcf->jwks != NULL && i < lcf->jwks->nelts; i++) {
        slot = (ngx_http_licet_jwks_t **)lcf->jwks->elts + i;
        if (licet_bytes_equal((*slot)->rules.issuer, jwks->rules.issuer)) {
            return "has the issuer of another one here: expected one key set for each issuer";
        }
    }
    if (stat((const char *)path.data, &info) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "licet_jwks \"%V\": expected a file with a JWK set", &path);
        return NGX_CONF_ERROR;
    }
    if (!ngx_http_licet_jwks_load(jwks, &info, &err)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "licet_jwks \"%V\": %s", &path, err.text);
        return NGX_CONF_ERROR;
    }
    if (lcf->jwks == NULL) {
        lcf->jwks = ngx_array_create(cf->pool, 1, sizeof(ngx_http_licet_jwks_t *));
    }
    slot = lcf->jwks != NULL ? ngx_array_push(lcf->jwks) : NULL;
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }
    *slot = jwks;
    return NGX_CONF_OK;
}
