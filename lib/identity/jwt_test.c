/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens signed here by keys made here, and what must not pass: another algorithm than the key's, none, HMAC with the
 * public key, other issuers and audiences, times, members named twice.
 */
#include "licet/identity.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1700000000u

typedef struct world {
    EVP_PKEY *rsa, *ec, *ed;
    licet_jwks *set;
    char jwks[4096];
} world;

static void
base64url_bn(EVP_PKEY *key, const char *name, int len, char *out)
{
    uint8_t bytes[512];
    BIGNUM *bn = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &bn), 1);
    if (len == 0) {
        len = BN_num_bytes(bn);
    }
    assert_int_equal(BN_bn2binpad(bn, bytes, len), len);
    licet_base64url(bytes, (size_t)len, out);
    BN_free(bn);
}

static int
setup(void **state)
{
    static world w;
    char n[512], e[16], x[64], y[64], edx[64];
    uint8_t raw[32];
    size_t len = sizeof(raw);

    w.rsa = EVP_RSA_gen(2048);
    w.ec = EVP_EC_gen("P-256");
    w.ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    base64url_bn(w.rsa, OSSL_PKEY_PARAM_RSA_N, 0, n);
    base64url_bn(w.rsa, OSSL_PKEY_PARAM_RSA_E, 0, e);
    base64url_bn(w.ec, OSSL_PKEY_PARAM_EC_PUB_X, 32, x);
    base64url_bn(w.ec, OSSL_PKEY_PARAM_EC_PUB_Y, 32, y);
    assert_int_equal(EVP_PKEY_get_raw_public_key(w.ed, raw, &len), 1);
    licet_base64url(raw, len, edx);
    snprintf(w.jwks, sizeof(w.jwks),
             "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r\",\"use\":\"sig\",\"n\":\"%s\",\"e\":\"%s\"},"
             "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"c\",\"alg\":\"ES256\",\"x\":\"%s\",\"y\":\"%s\"},"
             "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"d\",\"x\":\"%s\"},"
             "{\"kty\":\"oct\",\"kid\":\"h\",\"k\":\"AAAA\"},"
             "{\"kty\":\"RSA\",\"kid\":\"enc\",\"use\":\"enc\",\"n\":\"%s\",\"e\":\"%s\"}]}",
             n, e, x, y, edx, n, e);
    assert_true(licet_jwks_read(licet_bytes_of_text(w.jwks), &w.set, NULL));
    *state = &w;
    return 0;
}

static int
teardown(void **state)
{
    world *w = *state;

    licet_jwks_free(w->set);
    EVP_PKEY_free(w->rsa);
    EVP_PKEY_free(w->ec);
    EVP_PKEY_free(w->ed);
    return 0;
}

/* ES256 has r and s, not DER. */
static size_t
raw_ecdsa(uint8_t *signature, size_t len)
{
    const uint8_t *from = signature;
    ECDSA_SIG *made = d2i_ECDSA_SIG(NULL, &from, (long)len);

    BN_bn2binpad(ECDSA_SIG_get0_r(made), signature, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(made), signature + 32, 32);
    ECDSA_SIG_free(made);
    return 64;
}

/* key NULL: HMAC with the text of the key set. */
static void
sign(const world *w, EVP_PKEY *key, const char *header, const char *claims, char *out)
{
    uint8_t signature[512];
    size_t n = licet_base64url((const uint8_t *)header, strlen(header), out), len = sizeof(signature);
    EVP_MD_CTX *ctx;

    out[n++] = '.';
    n += licet_base64url((const uint8_t *)claims, strlen(claims), out + n);
    if (key == NULL) {
        licet_hash hash = licet_hmac_sha256(licet_bytes_of_text(w->jwks), licet_bytes_of(out, n));
        memcpy(signature, hash.bytes, len = sizeof(hash.bytes));
    } else {
        ctx = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestSignInit(ctx, NULL, key == w->ed ? NULL : EVP_sha256(), NULL, key), 1);
        assert_int_equal(EVP_DigestSign(ctx, signature, &len, (const uint8_t *)out, n), 1);
        EVP_MD_CTX_free(ctx);
        len = key == w->ec ? raw_ecdsa(signature, len) : len;
    }
    out[n++] = '.';
    licet_base64url(signature, len, out + n);
}

static licet_proof
check(const world *w, const char *token, char identity[LICET_IDENTITY_MAX])
{
    static const licet_jwt_rules rules = {LICET_BYTES_LITERAL("https://id.test"), LICET_BYTES_LITERAL("api"),
                                          LICET_BYTES_LITERAL("sub")};
    licet_error err = {0};
    licet_buffer out;
    licet_proof proof;

    licet_buffer_init(&out, LICET_IDENTITY_MAX);
    proof = licet_jwt_check(licet_bytes_of_text(token), w->set, &rules, NOW, &out, &err);
    identity[0] = '\0';
    if (proof == LICET_PROOF_GOOD) {
        memcpy(identity, out.data, out.len);
        identity[out.len] = '\0';
    }
    licet_buffer_done(&out);
    return proof;
}

#define ISS "\"iss\":\"https://id.test\""
#define GOOD "{" ISS ",\"sub\":\"app-1\",\"aud\":\"api\",\"exp\":1700000060}"

static void
test_algorithms(void **state)
{
    const world *w = *state;
    const struct {
        EVP_PKEY *key;
        const char *header;
        licet_proof proof;
    } cases[] = {
        {w->rsa, "{\"alg\":\"RS256\",\"kid\":\"r\"}", LICET_PROOF_GOOD},
        {w->rsa, "{\"alg\":\"RS256\"}", LICET_PROOF_GOOD},
        {w->ec, "{\"alg\":\"ES256\",\"kid\":\"c\",\"typ\":\"JWT\"}", LICET_PROOF_GOOD},
        {w->ed, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", LICET_PROOF_GOOD},
        {w->rsa, "{\"alg\":\"RS512\",\"kid\":\"r\"}", LICET_PROOF_WRONG},
        {w->rsa, "{\"alg\":\"ES256\",\"kid\":\"r\"}", LICET_PROOF_WRONG},
        {w->rsa, "{\"alg\":\"RS256\",\"kid\":\"enc\"}", LICET_PROOF_WRONG},
        {w->rsa, "{\"alg\":\"RS256\",\"kid\":\"d\"}", LICET_PROOF_WRONG},
        {w->rsa, "{\"alg\":\"RS256\",\"kid\":1}", LICET_PROOF_WRONG},
        {w->rsa, "{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[\"b64\"],\"b64\":false}", LICET_PROOF_WRONG},
        {w->ec, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", LICET_PROOF_WRONG},
        {NULL, "{\"alg\":\"HS256\",\"kid\":\"r\"}", LICET_PROOF_WRONG},
        {NULL, "{\"alg\":\"HS256\",\"kid\":\"h\"}", LICET_PROOF_WRONG},
        {NULL, "{\"alg\":\"RS256\",\"kid\":\"r\"}", LICET_PROOF_WRONG},
        {NULL, "{\"alg\":\"none\"}", LICET_PROOF_WRONG},
        {NULL, "{\"alg\":\"None\",\"kid\":\"r\"}", LICET_PROOF_WRONG},
        {NULL, "{}", LICET_PROOF_WRONG},
        {w->rsa, "{\"alg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"r\"}", LICET_PROOF_NONE},
        {w->rsa, "[\"RS256\"]", LICET_PROOF_NONE},
    };
    char token[4096], identity[LICET_IDENTITY_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        licet_proof proof;
        sign(w, cases[i].key, cases[i].header, GOOD, token);
        proof = check(w, token, identity);
        if (proof != cases[i].proof) {
            fail_msg("%s: proof %d", cases[i].header, proof);
        }
        if (proof == LICET_PROOF_GOOD) {
            assert_string_equal(identity, "jwt:https://id.test\napp-1");
            token[strlen(token) - 4] = token[strlen(token) - 4] == 'A' ? 'B' : 'A';
            assert_int_equal(check(w, token, identity), LICET_PROOF_WRONG);
            *strrchr(token, '.') = '\0';
            assert_int_equal(check(w, token, identity), LICET_PROOF_NONE);
            strcat(token, ".");
            assert_int_equal(check(w, token, identity), LICET_PROOF_WRONG);
        }
    }
}

static void
test_claims(void **state)
{
    static const struct {
        const char *claims;
        licet_proof proof;
    } cases[] = {
        {"{" ISS ",\"sub\":\"a\",\"aud\":[\"x\",\"api\"],\"exp\":1700000060,\"nbf\":1700000000}", LICET_PROOF_GOOD},
        {"{" ISS ",\"sub\":\"a\",\"aud\":\"api\",\"exp\":1699999971}", LICET_PROOF_GOOD},
        {"{" ISS ",\"sub\":\"a\",\"aud\":\"api\",\"exp\":1699999970}", LICET_PROOF_ENDED},
        {"{" ISS ",\"sub\":\"a\",\"aud\":\"api\",\"exp\":1700000060.5,\"nbf\":1700000030.9}", LICET_PROOF_GOOD},
        {"{" ISS ",\"sub\":\"a\",\"aud\":\"api\",\"exp\":1700000060,\"nbf\":1700000031}", LICET_PROOF_ENDED},
        {"{" ISS ",\"sub\":\"a\",\"aud\":\"api\"}", LICET_PROOF_WRONG},
        {"{" ISS ",\"sub\":\"a\",\"aud\":\"api\",\"exp\":\"1700000060\"}", LICET_PROOF_WRONG},
        {"{" ISS ",\"sub\":\"a\",\"aud\":\"api\",\"exp\":1e300}", LICET_PROOF_WRONG},
        {"{" ISS ",\"sub\":\"a\",\"aud\":\"api\",\"exp\":-1}", LICET_PROOF_WRONG},
        {"{" ISS ",\"sub\":\"a\",\"aud\":\"other\",\"exp\":1700000060}", LICET_PROOF_WRONG},
        {"{" ISS ",\"sub\":\"a\",\"aud\":[],\"exp\":1700000060}", LICET_PROOF_WRONG},
        {"{" ISS ",\"sub\":\"a\",\"exp\":1700000060}", LICET_PROOF_WRONG},
        {"{" ISS ",\"aud\":\"api\",\"exp\":1700000060}", LICET_PROOF_WRONG},
        {"{" ISS ",\"sub\":7,\"aud\":\"api\",\"exp\":1700000060}", LICET_PROOF_WRONG},
        {"{" ISS ",\"sub\":\"\",\"aud\":\"api\",\"exp\":1700000060}", LICET_PROOF_WRONG},
        {"{" ISS ",\"sub\":\"a\\nb\",\"aud\":\"api\",\"exp\":1700000060}", LICET_PROOF_WRONG},
        {"{\"iss\":\"https://id.test/\",\"sub\":\"a\",\"aud\":\"api\",\"exp\":1700000060}", LICET_PROOF_NONE},
        {"{" ISS ",\"sub\":\"a\",\"sub\":\"b\",\"aud\":\"api\",\"exp\":1700000060}", LICET_PROOF_NONE},
    };
    const world *w = *state;
    char token[4096], identity[LICET_IDENTITY_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        licet_proof proof;
        sign(w, w->ed, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", cases[i].claims, token);
        proof = check(w, token, identity);
        if (proof != cases[i].proof) {
            fail_msg("%s: proof %d", cases[i].claims, proof);
        }
    }
}

static void
test_no_token(void **state)
{
    static const char *const texts[] = {
        "", ".", "..", "...", "a.b", "secret", "e30.e30.", "e30.e30.e30.e30", "e30=.e30.AAAA"};
    char identity[LICET_IDENTITY_MAX], *large = malloc(LICET_JWT_MAX + 2);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(check(*state, texts[i], identity), LICET_PROOF_NONE);
    }
    memset(large, 'A', LICET_JWT_MAX + 1);
    large[LICET_JWT_MAX + 1] = '\0';
    large[100] = large[200] = '.';
    assert_int_equal(check(*state, large, identity), LICET_PROOF_NONE);
    free(large);
}

static void
test_key_sets(void **state)
{
    static const char *const refused[] = {
        "",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[1,null]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"RS256\","
        "\"x\":\"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs\"}]}",
        "{\"keys\":[],\"keys\":[]}"};
    uint8_t key[LICET_KEY_LEN];

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        licet_jwks *set = NULL;
        licet_error err = {0};
        if (licet_jwks_read(licet_bytes_of_text(refused[i]), &set, &err)) {
            fail_msg("%s was read", refused[i]);
        }
        assert_int_equal(err.code, LICET_E_INVALID);
    }
    assert_true(licet_jwk_ed25519(
        LICET_BYTES_LITERAL(
            "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs\"}"),
        key, NULL));
    assert_int_equal(key[0], 0x26);
    assert_false(
        licet_jwk_ed25519(LICET_BYTES_LITERAL("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}"), key, NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_algorithms), cmocka_unit_test(test_claims),
                                       cmocka_unit_test(test_no_token), cmocka_unit_test(test_key_sets)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
