/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decision: the cipher behind decision ids, kept by whoever makes many.
 */
#ifndef LICET_QUOTA_DECISION_H
#define LICET_QUOTA_DECISION_H

#include "licet/gate.h"

#include <openssl/evp.h>

/* NULL when libcrypto cannot; free with EVP_CIPHER_CTX_free. */
EVP_CIPHER_CTX *decision_cipher_new(const uint8_t key[16], bool encrypt);
/* Empty text when the cipher is NULL or fails. */
void decision_write(EVP_CIPHER_CTX *cipher, licet_identity identity, char out[LICET_DECISION_TEXT]);

#endif
