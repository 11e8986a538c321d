/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identity: who proves what without a shared secret: client certificates, JSON web tokens, HTTP message signatures.
 *
 *  (1) Each proof ends in one canonical text; the site's keyed hash of it is what apps.yaml holds and the index finds:
 *        cert:<SHA-256 of the DER, hex>   jwt:<issuer> LF <claim>   sig:<agent URL> LF <key id>
 *  (2) What is read here was sent by a stranger: every size has a ceiling, and what is malformed is refused as a whole.
 *  (3) An algorithm is the key's, never the message's.
 *  (4) There is no clock: the caller says what time it is.
 */
#ifndef LICET_IDENTITY_H
#define LICET_IDENTITY_H

#include "licet/base.h"
#include "licet/structured.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_IDENTITY
#error "layer breach: licet/identity.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LICET_IDENTITY_MAX 2048  /* bytes of a canonical text */
#define LICET_IDENTITY_SKEW_S 30 /* clocks may differ by so much */
#define LICET_KEY_LEN 32         /* of an Ed25519 public key */
#define LICET_THUMBPRINT_LEN 43  /* characters of a JWK's SHA-256 thumbprint */

typedef enum licet_proof {
    LICET_PROOF_NONE, /* nothing of the kind was sent */
    LICET_PROOF_GOOD,
    LICET_PROOF_ENDED, /* it was good, or will be */
    LICET_PROOF_WRONG
} licet_proof;

/* ---- canonical texts --------------------------------------------------------- */

bool licet_identity_certificate(licet_buffer *out, const uint8_t sha256[LICET_SHA256_LEN]);
bool licet_identity_jwt(licet_buffer *out, licet_bytes issuer, licet_bytes claim, licet_error *err);
bool licet_identity_signature(licet_buffer *out, licet_bytes agent, licet_bytes key_id, licet_error *err);
/* An https URL with its host in lower case and without a bare slash at its end; no user, no fragment. */
bool licet_identity_agent(licet_buffer *out, licet_bytes url, licet_error *err);
/* RFC 7638 and RFC 8037 of an Ed25519 key, base64url with a NUL. */
void licet_key_thumbprint(const uint8_t key[LICET_KEY_LEN], char out[LICET_THUMBPRINT_LEN + 1]);

/* ---- HTTP message signatures (RFC 9421), profile Web Bot Auth ------------------ */

typedef struct licet_signed_request {
    licet_bytes method, scheme, authority; /* authority: as in Host */
    licet_bytes path, query;               /* as on the wire; query without its question mark */
    bool has_query;
    /* Appends the value of a field: its lines, trimmed, joined by ", ". False: the request has none. */
    bool (*field)(void *user, licet_bytes lower_name, licet_buffer *out);
    void *user;
} licet_signed_request;

#define LICET_SIGNATURE_TEXT 8192 /* bytes of the three fields together */
#define LICET_SIGNATURE_ROWS 96

typedef struct licet_signature {      /* large: not for a stack that is small */
    licet_bytes agent, key_id, nonce; /* agent: canonical; nonce: data NULL when there is none */
    licet_bytes bytes;                /* 64 */
    licet_bytes base;                 /* what was signed */
    uint64_t created_s, expires_s;
    /* what the above points into */
    licet_structured value;
    licet_structured_row rows[LICET_SIGNATURE_ROWS];
    uint8_t text[LICET_SIGNATURE_TEXT], fields[LICET_SIGNATURE_TEXT], agent_text[LICET_IDENTITY_MAX];
    uint8_t base_text[2 * LICET_SIGNATURE_TEXT];
} licet_signature;

/* Reads the request's one signature with tag "web-bot-auth" and makes its base. GOOD says only that the form and the
 * times are right: the key is the caller's to find, by agent and key_id together. */
licet_proof licet_signature_read(const licet_signed_request *request, uint64_t now_s, licet_signature *out,
                                 licet_error *err);
/* True when the key is the one named by key_id and signed the base. */
bool licet_signature_verify(const licet_signature *signature, const uint8_t key[LICET_KEY_LEN]);
/* The signature base (RFC 9421 section 2.5) for the inner list 'params' of Signature-Input. */
bool licet_signature_base(const licet_signed_request *request, const licet_structured_row *params, licet_buffer *out,
                          licet_error *err);

/* ---- JSON web tokens (RFC 7519) --------------------------------------------------- */

#define LICET_JWKS_MAX 65536
#define LICET_JWKS_KEYS_MAX 32
#define LICET_JWT_MAX 8192

typedef struct licet_jwks licet_jwks;

/* A set of public keys (RFC 7517): RSA of 2048 to 8192 bits for RS256, P-256 for ES256, Ed25519 for EdDSA; keys of
 * other kinds and uses are passed over. A set without one that can be used is refused. */
bool licet_jwks_read(licet_bytes json, licet_jwks **out_set, licet_error *err);
void licet_jwks_free(licet_jwks *set);
/* The Ed25519 public key of a JWK, or of a set that holds one such key. */
bool licet_jwk_ed25519(licet_bytes json, uint8_t out_key[LICET_KEY_LEN], licet_error *err);

typedef struct licet_jwt_rules {
    licet_bytes issuer, audience, claim; /* claim: which one names the caller, such as sub */
} licet_jwt_rules;

/* Judges a token whole; GOOD: out_identity has its canonical text. NONE: it is no JWT, or one of another issuer. */
licet_proof licet_jwt_check(licet_bytes token, const licet_jwks *set, const licet_jwt_rules *rules, uint64_t now_s,
                            licet_buffer *out_identity, licet_error *err);

#ifdef __cplusplus
}
#endif

#endif
