/* SPDX-License-Identifier: Apache-2.0 */
/* A set of public keys, each with the one algorithm that it is good for. */
#ifndef LICET_IDENTITY_JWKS_H
#define LICET_IDENTITY_JWKS_H

#include "licet/identity.h"

#include <openssl/evp.h>

#define LICET_KEY_ID_MAX 128

typedef struct licet_jwk {
    const char *algorithm; /* RS256, ES256 or EdDSA */
    char id[LICET_KEY_ID_MAX + 1];
    bool has_id;
    EVP_PKEY *key;
} licet_jwk;

struct licet_jwks {
    licet_jwk keys[LICET_JWKS_KEYS_MAX];
    size_t len;
};

#endif
