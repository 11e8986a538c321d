/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decision id: the identity of a receipt, one AES-128 block away from the
 * public. It tells nothing about the volume of others, and whoever has the key
 * comes back to the receipt by arithmetic, without a table.
 */
#include "decision.h"

#include <string.h>

#define BLOCK 16

static void
pack(licet_identity identity, uint8_t out[BLOCK])
{
    memset(out, 0, BLOCK);
    for (unsigned i = 0; i < 2; i++) {
        out[i] = (uint8_t)(identity.gate >> (8 - 8 * i));
    }
    for (unsigned i = 0; i < 4; i++) {
        out[2 + i] = (uint8_t)(identity.epoch >> (24 - 8 * i));
    }
    for (unsigned i = 0; i < 6; i++) {
        out[6 + i] = (uint8_t)(identity.sequence >> (40 - 8 * i));
    }
}

static bool
unpack(const uint8_t block[BLOCK], licet_identity *out_identity)
{
    licet_cursor cursor = {.in = licet_bytes_of(block, BLOCK)};
    uint32_t zeros = 1;

    return licet_take_u16(&cursor, &out_identity->gate) && licet_take_u32(&cursor, &out_identity->epoch) &&
           licet_take_uint(&cursor, 6, &out_identity->sequence) && licet_take_u32(&cursor, &zeros) && zeros == 0;
}

EVP_CIPHER_CTX *
decision_cipher_new(const uint8_t key[16], bool encrypt)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();

    if (cipher != NULL && (EVP_CipherInit_ex2(cipher, EVP_aes_128_ecb(), key, NULL, encrypt, NULL) != 1 ||
                           EVP_CIPHER_CTX_set_padding(cipher, 0) != 1)) {
        EVP_CIPHER_CTX_free(cipher);
        cipher = NULL;
    }
    return cipher;
}

void
decision_write(EVP_CIPHER_CTX *cipher, licet_identity identity, char out[LICET_DECISION_TEXT])
{
    uint8_t block[BLOCK], sealed[BLOCK];
    int len = 0;

    pack(identity, block);
    out[0] = '\0';
    if (cipher != NULL && EVP_CipherUpdate(cipher, sealed, &len, block, BLOCK) == 1 && len == BLOCK) {
        licet_hex(sealed, BLOCK, out);
    }
}

void
licet_decision_id(const uint8_t key[16], licet_identity identity, char out[LICET_DECISION_TEXT])
{
    EVP_CIPHER_CTX *cipher = decision_cipher_new(key, true);

    decision_write(cipher, identity, out);
    EVP_CIPHER_CTX_free(cipher);
}

bool
licet_decision_identity(const uint8_t key[16], licet_bytes text, licet_identity *out_identity)
{
    uint8_t sealed[BLOCK], block[BLOCK];
    licet_identity identity = {0};
    int len = 0;

    if (text.len != (size_t)2 * BLOCK || !licet_unhex(text, sealed, BLOCK)) {
        return false;
    }
    EVP_CIPHER_CTX *cipher = decision_cipher_new(key, false);
    bool ok = cipher != NULL && EVP_CipherUpdate(cipher, block, &len, sealed, BLOCK) == 1 && len == BLOCK &&
              unpack(block, &identity);
    EVP_CIPHER_CTX_free(cipher);
    if (ok) {
        *out_identity = identity;
    }
    return ok;
}
