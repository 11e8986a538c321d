/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz: the three fields of a signature. None is good under a key that signed nothing. */
#include "licet/identity.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The lines of the input: signature-input, signature, signature-agent. */
static bool
field(void *user, licet_bytes name, licet_buffer *out)
{
    static const char *const names[] = {"signature-input", "signature", "signature-agent"};
    licet_bytes rest = *(licet_bytes *)user;

    for (size_t i = 0; i < 3; i++) {
        const uint8_t *end = rest.len > 0 ? memchr(rest.data, '\n', rest.len) : NULL;
        size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len;
        if (licet_bytes_equal_text(name, names[i])) {
            licet_put_bytes(out, licet_bytes_of(rest.data, len));
            return true;
        }
        rest = end != NULL ? licet_bytes_of(end + 1, rest.len - len - 1) : licet_bytes_of(rest.data, 0);
    }
    return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[LICET_KEY_LEN] = {1};
    static licet_signature signature;
    licet_bytes input = licet_bytes_of(data, size);
    licet_signed_request request = {LICET_BYTES_LITERAL("GET"),
                                    LICET_BYTES_LITERAL("https"),
                                    LICET_BYTES_LITERAL("api.test"),
                                    LICET_BYTES_LITERAL("/a"),
                                    LICET_BYTES_LITERAL("b=c&d"),
                                    true,
                                    field,
                                    &input};

    if (licet_signature_read(&request, 1000, &signature, NULL) == LICET_PROOF_GOOD &&
        licet_signature_verify(&signature, key)) {
        abort();
    }
    return 0;
}
