/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON web tokens in the compact form (RFC 7515, RFC 7519), judged by RFC 8725.
 *
 *      size, form ─► header ─► issuer ─► key by kid ─► algorithm is the key's ─► signature ─► audience, times ─► claim
 *
 *  (1) "none", HMAC and whatever else is not the key's own algorithm never verify anything.
 *  (2) Members named twice, critical extensions and tokens without an end are refused.
 *  (3) Nothing of a claim but the issuer is used before the signature is good.
 */
#include "jwks.h"

#include <jansson.h>
#include <openssl/ecdsa.h>
#include <string.h>

#define SEGMENT_MAX (LICET_JWT_MAX / 4 * 3 + 3)

typedef struct token {
    licet_bytes head, body, signed_part;
    uint8_t signature[1024];
    size_t signature_len;
} token;

static bool
split(licet_bytes text, token *out)
{
    const uint8_t *first, *second;
    licet_bytes last;

    if (text.len == 0 || text.len > LICET_JWT_MAX) {
        return false;
    }
    first = memchr(text.data, '.', text.len);
    if (first == NULL) {
        return false;
    }
    second = memchr(first + 1, '.', text.len - (size_t)(first + 1 - text.data));
    if (second == NULL) {
        return false;
    }
    out->head = licet_bytes_of(text.data, (size_t)(first - text.data));
    out->body = licet_bytes_of(first + 1, (size_t)(second - first - 1));
    out->signed_part = licet_bytes_of(text.data, (size_t)(second - text.data));
    last = licet_bytes_of(second + 1, text.len - (size_t)(second + 1 - text.data));
    return licet_unbase64url(last, out->signature, sizeof(out->signature), &out->signature_len);
}

static json_t *
load(licet_bytes segment)
{
    uint8_t text[SEGMENT_MAX];
    json_t *root;
    size_t len;

    if (!licet_unbase64url(segment, text, sizeof(text), &len)) {
        return NULL;
    }
    root = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
    if (root != NULL && !json_is_object(root)) {
        json_decref(root);
        root = NULL;
    }
    return root;
}

static bool
is_text(const json_t *value, licet_bytes wanted)
{
    return json_is_string(value) &&
           licet_bytes_equal(licet_bytes_of(json_string_value(value), json_string_length(value)), wanted);
}

/* The key that the header names; without a kid the only one of its algorithm. */
static const licet_jwk *
choose_key(const licet_jwks *set, const json_t *header, licet_error *err)
{
    const json_t *id = json_object_get(header, "kid"), *algorithm = json_object_get(header, "alg");
    const licet_jwk *found = NULL;
    size_t matches = 0;

    if (json_object_get(header, "crit") != NULL) {
        LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "the token has a critical extension: expected none");
        return NULL;
    }
    for (size_t i = 0; i < set->len; i++) {
        const licet_jwk *key = &set->keys[i];
        if (is_text(algorithm, licet_bytes_of_text(key->algorithm)) &&
            (id == NULL || (key->has_id && is_text(id, licet_bytes_of_text(key->id))))) {
            found = key;
            matches++;
        }
    }
    if (matches != 1) {
        LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%zu keys of the set fit the token's kid and alg: expected one", matches);
        return NULL;
    }
    return found;
}

/* r and s of 32 bytes each (RFC 7518 section 3.4), as DER. */
static bool
ecdsa_der(const token *t, uint8_t out[80], size_t *out_len)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = NULL, *s = NULL;
    uint8_t *to = out;
    int len = -1;

    if (signature != NULL && t->signature_len == 64) {
        r = BN_bin2bn(t->signature, 32, NULL);
        s = BN_bin2bn(t->signature + 32, 32, NULL);
        if (r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1) {
            r = s = NULL;
            len = i2d_ECDSA_SIG(signature, NULL) <= 80 ? i2d_ECDSA_SIG(signature, &to) : -1;
        }
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(signature);
    *out_len = len > 0 ? (size_t)len : 0;
    return len > 0;
}

static bool
verify(const token *t, const licet_jwk *key)
{
    const EVP_MD *digest = strcmp(key->algorithm, "EdDSA") == 0 ? NULL : EVP_sha256();
    const uint8_t *signature = t->signature;
    size_t len = t->signature_len;
    uint8_t der[80];
    EVP_MD_CTX *ctx;
    bool good;

    if (strcmp(key->algorithm, "ES256") == 0) {
        if (!ecdsa_der(t, der, &len)) {
            return false;
        }
        signature = der;
    }
    ctx = EVP_MD_CTX_new();
    good = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key->key) == 1 &&
           EVP_DigestVerify(ctx, signature, len, t->signed_part.data, t->signed_part.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

/* NumericDate: seconds, whole or not, rounded down. */
static bool
date_of(const json_t *value, uint64_t *out_s)
{
    double real;

    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *out_s = (uint64_t)json_integer_value(value);
        return true;
    }
    real = json_is_real(value) ? json_real_value(value) : -1;
    if (real < 0 || real > 1e15) {
        return false;
    }
    *out_s = (uint64_t)real;
    return true;
}

static licet_proof
judge_times(const json_t *claims, uint64_t now_s, licet_error *err)
{
    const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");
    uint64_t before = 0, from = 0;

    if (!date_of(exp, &before) || (nbf != NULL && !date_of(nbf, &from))) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "exp and nbf: expected a time when the token ends, in seconds since 1970");
        return LICET_PROOF_WRONG;
    }
    if (now_s >= before + LICET_IDENTITY_SKEW_S || from > now_s + LICET_IDENTITY_SKEW_S) {
        LICET_FAIL(err, LICET_E_STATE, 0, "the token is valid from %llu before %llu, now it is %llu",
                   (unsigned long long)from, (unsigned long long)before, (unsigned long long)now_s);
        return LICET_PROOF_ENDED;
    }
    return LICET_PROOF_GOOD;
}

static bool
is_for(const json_t *claims, licet_bytes audience)
{
    const json_t *aud = json_object_get(claims, "aud");

    if (!json_is_array(aud)) {
        return is_text(aud, audience);
    }
    for (size_t i = 0; i < json_array_size(aud); i++) {
        if (is_text(json_array_get(aud, i), audience)) {
            return true;
        }
    }
    return false;
}

static licet_proof
judge_claims(const json_t *claims, const licet_jwt_rules *rules, uint64_t now_s, licet_buffer *out_identity,
             licet_error *err)
{
    char name[64];
    const json_t *claim = NULL;
    licet_proof proof;

    if (!is_for(claims, rules->audience)) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "aud: the token is for somebody else");
        return LICET_PROOF_WRONG;
    }
    if (rules->claim.len < sizeof(name)) {
        memcpy(name, rules->claim.data, rules->claim.len);
        name[rules->claim.len] = '\0';
        claim = json_object_get(claims, name);
    }
    if (!json_is_string(claim)) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "the claim that names the caller is no string, or is not there");
        return LICET_PROOF_WRONG;
    }
    proof = judge_times(claims, now_s, err);
    if (proof == LICET_PROOF_GOOD &&
        !licet_identity_jwt(out_identity, rules->issuer,
                            licet_bytes_of(json_string_value(claim), json_string_length(claim)), err)) {
        proof = LICET_PROOF_WRONG;
    }
    return proof;
}

licet_proof
licet_jwt_check(licet_bytes text, const licet_jwks *set, const licet_jwt_rules *rules, uint64_t now_s,
                licet_buffer *out_identity, licet_error *err)
{
    json_t *header = NULL, *claims = NULL;
    licet_proof proof = LICET_PROOF_NONE;
    const licet_jwk *key;
    token t;

    if (!split(text, &t) || (header = load(t.head)) == NULL || (claims = load(t.body)) == NULL ||
        !is_text(json_object_get(claims, "iss"), rules->issuer)) {
        goto done;
    }
    proof = LICET_PROOF_WRONG;
    key = choose_key(set, header, err);
    if (key == NULL) {
        goto done;
    }
    if (!verify(&t, key)) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "the token's signature is not the key's");
        goto done;
    }
    proof = judge_claims(claims, rules, now_s, out_identity, err);
done:
    json_decref(header);
    json_decref(claims);
    return proof;
}
