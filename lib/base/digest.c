/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests: SHA-256 and HMAC-SHA-256 over libcrypto, and random bytes.
 *
 *  (1) Hashing allocates nothing and cannot fail, hence its plain result.
 *      That is why the SHA256_ functions are called and not EVP, whose
 *      contexts live on the heap and cost more than a small message.
 *  (2) Key material on the stack is wiped before return.
 */
#define OPENSSL_API_COMPAT 0x10100000L /* SHA256_Init and its kin are only discouraged since 3.0, see (1) */

#include "licet/base.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/random.h>

enum { SHA256_BLOCK = 64 };

licet_hash
licet_sha256(const licet_bytes *pieces, size_t n)
{
    SHA256_CTX context;
    licet_hash hash;

    SHA256_Init(&context);
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].len > 0) {
            SHA256_Update(&context, pieces[i].data, pieces[i].len);
        }
    }
    SHA256_Final(hash.bytes, &context);
    OPENSSL_cleanse(&context, sizeof(context));
    return hash;
}

licet_hash
licet_hmac_sha256(licet_bytes key, licet_bytes message)
{
    uint8_t block[SHA256_BLOCK] = {0};
    uint8_t inner_pad[SHA256_BLOCK], outer_pad[SHA256_BLOCK];
    licet_hash hash;

    if (key.len > SHA256_BLOCK) {
        hash = licet_sha256(&key, 1);
        memcpy(block, hash.bytes, sizeof(hash.bytes));
    } else if (key.len > 0) {
        memcpy(block, key.data, key.len);
    }
    for (size_t i = 0; i < SHA256_BLOCK; i++) {
        inner_pad[i] = block[i] ^ 0x36;
        outer_pad[i] = block[i] ^ 0x5c;
    }
    hash = licet_sha256((licet_bytes[]){{inner_pad, SHA256_BLOCK}, message}, 2);
    hash = licet_sha256((licet_bytes[]){{outer_pad, SHA256_BLOCK}, {hash.bytes, sizeof(hash.bytes)}}, 2);
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(inner_pad, sizeof(inner_pad));
    OPENSSL_cleanse(outer_pad, sizeof(outer_pad));
    return hash;
}

bool
licet_random(uint8_t *out, size_t len, licet_error *err)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = getrandom(out + done, len - done, 0);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return LICET_FAIL(err, LICET_E_SYSTEM, 0, "getrandom: %m");
        }
        done += (size_t)n;
    }
    return true;
}
