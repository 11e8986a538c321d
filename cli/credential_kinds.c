/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet credential new for a client certificate, a JWT or a signature: what identifies it, from files that hold no
 * secret. apps.yaml gets the keyed hash of it, as of every other kind.
 */
#include "credential_kinds.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define CERTIFICATE_MAX 65536

static const struct kind {
    const char *name;
    bool secret;
    unsigned needs; /* bits, in the order of licet_credential_proof */
    const char *options, *hint;
} kinds[] = {
    {"bearer", true, 0, "no --certificate, --issuer, --subject, --agent or --jwk", NULL},
    {"api-key", true, 0, "no --certificate, --issuer, --subject, --agent or --jwk", NULL},
    {"client-certificate", false, 1, "--certificate FILE alone", "connect with the certificate (ssl_verify_client)"},
    {"jwt", false, 2 | 4, "--issuer URL and --subject NAME", "send the token as Authorization: Bearer (licet_jwks)"},
    {"http-signature", false, 8 | 16, "--agent URL and --jwk FILE", "sign each request (licet_signatures on)"},
};

static const struct kind *
kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

bool
licet_credential_has_secret(const char *kind)
{
    const struct kind *k = kind_of(kind);

    return k != NULL && k->secret;
}

const char *
licet_credential_hint(const char *kind)
{
    const struct kind *k = kind_of(kind);

    return k != NULL ? k->hint : NULL;
}

bool
licet_credential_check(const char *kind, const licet_credential_proof *said, licet_error *err)
{
    const struct kind *k = kind_of(kind);
    unsigned has = (said->certificate != NULL ? 1 : 0) | (said->issuer != NULL ? 2 : 0) |
                   (said->subject != NULL ? 4 : 0) | (said->agent != NULL ? 8 : 0) | (said->jwk != NULL ? 16 : 0);

    if (k == NULL) {
        return LICET_FAIL(err, LICET_E_INVALID, 0,
                          "--kind \"%s\": expected bearer, api-key, client-certificate, jwt or http-signature", kind);
    }
    return has == k->needs ? true : LICET_FAIL(err, LICET_E_INVALID, 0, "--kind %s: expected %s", kind, k->options);
}

static bool
certificate_identity(const char *path, licet_buffer *out, licet_error *err)
{
    uint8_t *text = NULL, digest[EVP_MAX_MD_SIZE];
    X509 *certificate = NULL;
    unsigned len = 0;
    BIO *bio = NULL;
    size_t text_len;
    bool ok = licet_file_read(path, CERTIFICATE_MAX, &text, &text_len, err);

    if (ok) {
        bio = BIO_new_mem_buf(text, (int)text_len);
        certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
        if (certificate == NULL || X509_digest(certificate, EVP_sha256(), digest, &len) != 1 ||
            len != LICET_SHA256_LEN) {
            ok = LICET_FAIL(err, LICET_E_INVALID, 0, "%s: expected a certificate in PEM", path);
        }
    }
    ok = ok && licet_identity_certificate(out, digest);
    X509_free(certificate);
    BIO_free(bio);
    free(text);
    return ok;
}

static bool
signature_identity(const char *agent, const char *path, licet_buffer *out, char out_key[LICET_KEY_TEXT],
                   licet_error *err)
{
    char id[LICET_THUMBPRINT_LEN + 1];
    uint8_t *text = NULL, key[LICET_KEY_LEN];
    licet_buffer url;
    size_t len = 0;
    bool ok;

    licet_buffer_init(&url, LICET_IDENTITY_MAX);
    ok = licet_identity_agent(&url, licet_bytes_of_text(agent), err) &&
         licet_file_read(path, LICET_JWKS_MAX, &text, &len, err);
    if (ok && !licet_jwk_ed25519(licet_bytes_of(text, len), key, err)) {
        char why[sizeof(err->text)];
        memcpy(why, err->text, sizeof(why));
        ok = LICET_FAIL(err, LICET_E_INVALID, 0, "%.200s: %.250s", path, why);
    }
    if (ok) {
        licet_key_thumbprint(key, id);
        (void)licet_base64url(key, sizeof(key), out_key);
        ok = licet_identity_signature(out, licet_buffer_view(&url), licet_bytes_of_text(id), err);
    }
    licet_buffer_done(&url);
    free(text);
    return ok;
}

bool
licet_credential_identity(const char *kind, const licet_credential_proof *said, licet_buffer *out,
                          char out_key[LICET_KEY_TEXT], licet_error *err)
{
    out_key[0] = '\0';
    if (strcmp(kind, "client-certificate") == 0) {
        return certificate_identity(said->certificate, out, err);
    }
    if (strcmp(kind, "jwt") == 0) {
        return licet_identity_jwt(out, licet_bytes_of_text(said->issuer), licet_bytes_of_text(said->subject), err);
    }
    return signature_identity(said->agent, said->jwk, out, out_key, err);
}
