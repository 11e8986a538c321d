/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key sets (RFC 7517) for libcrypto. Debian's libjwt and libcjose know no EdDSA, and take the algorithm from the token.
 *
 *  (1) The algorithm follows from the key: a token that names another one is refused (RFC 8725 section 3.1).
 *  (2) Private and symmetric keys do not belong here, and are never used.
 */
#include "jwks.h"

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

static licet_bytes
text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_string(value) ? licet_bytes_of(json_string_value(value), json_string_length(value))
                                 : (licet_bytes){NULL, 0};
}

static bool
number_of(const json_t *jwk, const char *name, uint8_t *out, size_t cap, size_t *out_len)
{
    licet_bytes text = text_of(jwk, name);

    return text.len > 0 && licet_unbase64url(text, out, cap, out_len) && *out_len > 0;
}

static EVP_PKEY *
key_from(const char *type, OSSL_PARAM_BLD *made)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *params = made != NULL ? OSSL_PARAM_BLD_to_param(made) : NULL;
    EVP_PKEY *key = NULL;

    if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *
rsa_key(const json_t *jwk)
{
    uint8_t n[1024], e[8];
    size_t n_len, e_len;
    OSSL_PARAM_BLD *made;
    EVP_PKEY *key = NULL;
    BIGNUM *bn_n, *bn_e;

    if (!number_of(jwk, "n", n, sizeof(n), &n_len) || !number_of(jwk, "e", e, sizeof(e), &e_len)) {
        return NULL;
    }
    made = OSSL_PARAM_BLD_new();
    bn_n = BN_bin2bn(n, (int)n_len, NULL);
    bn_e = BN_bin2bn(e, (int)e_len, NULL);
    if (made != NULL && bn_n != NULL && bn_e != NULL && BN_num_bits(bn_n) >= 2048 && BN_is_odd(bn_e) &&
        !BN_is_one(bn_e) && OSSL_PARAM_BLD_push_BN(made, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
        OSSL_PARAM_BLD_push_BN(made, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1) {
        key = key_from("RSA", made);
    }
    OSSL_PARAM_BLD_free(made);
    BN_free(bn_n);
    BN_free(bn_e);
    return key;
}

static EVP_PKEY *
p256_key(const json_t *jwk)
{
    uint8_t point[65] = {4};
    OSSL_PARAM_BLD *made;
    EVP_PKEY *key = NULL;
    size_t x, y;

    if (!number_of(jwk, "x", point + 1, 32, &x) || !number_of(jwk, "y", point + 33, 32, &y) || x != 32 || y != 32) {
        return NULL;
    }
    made = OSSL_PARAM_BLD_new();
    if (made != NULL && OSSL_PARAM_BLD_push_utf8_string(made, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(made, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1) {
        key = key_from("EC", made);
    }
    OSSL_PARAM_BLD_free(made);
    return key;
}

static bool
ed25519_bytes(const json_t *jwk, uint8_t out_key[LICET_KEY_LEN])
{
    size_t len;

    return licet_bytes_equal_text(text_of(jwk, "kty"), "OKP") &&
           licet_bytes_equal_text(text_of(jwk, "crv"), "Ed25519") &&
           number_of(jwk, "x", out_key, LICET_KEY_LEN, &len) && len == LICET_KEY_LEN;
}

/* The key for libcrypto and its algorithm; NULL: of another kind or use, or not whole. */
static EVP_PKEY *
key_of(const json_t *jwk, const char **out_algorithm)
{
    licet_bytes type = text_of(jwk, "kty"), use = text_of(jwk, "use"), algorithm = text_of(jwk, "alg");
    uint8_t raw[LICET_KEY_LEN];
    EVP_PKEY *key = NULL;

    if (use.len > 0 && !licet_bytes_equal_text(use, "sig")) {
        return NULL;
    }
    if (licet_bytes_equal_text(type, "RSA")) {
        *out_algorithm = "RS256";
    } else if (licet_bytes_equal_text(type, "EC") && licet_bytes_equal_text(text_of(jwk, "crv"), "P-256")) {
        *out_algorithm = "ES256";
    } else if (ed25519_bytes(jwk, raw)) {
        *out_algorithm = "EdDSA";
    } else {
        return NULL;
    }
    if (algorithm.len > 0 && !licet_bytes_equal_text(algorithm, *out_algorithm)) {
        return NULL;
    }
    if (**out_algorithm == 'R') {
        key = rsa_key(jwk);
    } else if (**out_algorithm == 'E' && (*out_algorithm)[1] == 'S') {
        key = p256_key(jwk);
    } else {
        key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
    }
    return key;
}

static bool
add_key(licet_jwks *set, const json_t *jwk, licet_error *err)
{
    const json_t *id = json_object_get(jwk, "kid");
    licet_jwk row = {.has_id = id != NULL};

    if (id != NULL && (!json_is_string(id) || json_string_length(id) > LICET_KEY_ID_MAX)) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "kid: expected a string of %d bytes at most", LICET_KEY_ID_MAX);
    }
    if (id != NULL) {
        memcpy(row.id, json_string_value(id), json_string_length(id));
    }
    row.key = key_of(jwk, &row.algorithm);
    if (row.key == NULL) {
        return true;
    }
    if (set->len == LICET_JWKS_KEYS_MAX) {
        EVP_PKEY_free(row.key);
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "more than %d keys", LICET_JWKS_KEYS_MAX);
    }
    set->keys[set->len++] = row;
    return true;
}

static json_t *
load(licet_bytes text, licet_error *err)
{
    json_error_t error = {0};
    json_t *root = NULL;

    if (text.len <= LICET_JWKS_MAX) {
        root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    }
    if (root == NULL) {
        LICET_FAIL(err, LICET_E_INVALID, (uint64_t)(error.position > 0 ? error.position : 0),
                   "no JSON of %d bytes at most: %s", LICET_JWKS_MAX,
                   text.len > LICET_JWKS_MAX ? "longer" : error.text);
    }
    return root;
}

bool
licet_jwks_read(licet_bytes json, licet_jwks **out_set, licet_error *err)
{
    json_t *root = load(json, err), *keys = json_object_get(root, "keys");
    licet_jwks *set = calloc(1, sizeof(*set));
    bool ok = root != NULL;

    if (ok && set == NULL) {
        ok = LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a set of keys");
    } else if (ok && !json_is_array(keys)) {
        ok = LICET_FAIL(err, LICET_E_INVALID, 0, "no member \"keys\": expected a JWK set (RFC 7517)");
    }
    for (size_t i = 0; ok && i < json_array_size(keys); i++) {
        ok = add_key(set, json_array_get(keys, i), err);
    }
    if (ok && set->len == 0) {
        ok = LICET_FAIL(err, LICET_E_INVALID, 0,
                        "no key that can be used: expected RSA of 2048 bits or more, P-256 or Ed25519, for signatures");
    }
    if (ok) {
        *out_set = set;
    } else {
        licet_jwks_free(set);
    }
    json_decref(root);
    return ok;
}

void
licet_jwks_free(licet_jwks *set)
{
    for (size_t i = 0; set != NULL && i < set->len; i++) {
        EVP_PKEY_free(set->keys[i].key);
    }
    free(set);
}

bool
licet_jwk_ed25519(licet_bytes json, uint8_t out_key[LICET_KEY_LEN], licet_error *err)
{
    json_t *root = load(json, err), *keys = json_object_get(root, "keys"), *jwk = root;
    bool ok = root != NULL;

    if (json_is_array(keys)) {
        jwk = json_array_size(keys) == 1 ? json_array_get(keys, 0) : NULL;
    }
    if (ok && !ed25519_bytes(jwk, out_key)) {
        ok = LICET_FAIL(err, LICET_E_INVALID, 0,
                        "no Ed25519 public key: expected one JWK with kty OKP, crv Ed25519 and x");
    }
    json_decref(root);
    return ok;
}
