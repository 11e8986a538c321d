/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz: key sets and tokens. No token is good, for nobody signed any. */
#include "licet/identity.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char keys[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"e\","
                               "\"x\":\"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs\"}]}";
    static const licet_jwt_rules rules = {LICET_BYTES_LITERAL("i"), LICET_BYTES_LITERAL("a"),
                                          LICET_BYTES_LITERAL("sub")};
    licet_jwks *set = NULL;
    licet_buffer identity;

    if (licet_jwks_read(licet_bytes_of(data, size), &set, NULL)) {
        licet_jwks_free(set);
    }
    set = NULL;
    if (!licet_jwks_read(licet_bytes_of_text(keys), &set, NULL)) {
        abort();
    }
    licet_buffer_init(&identity, LICET_IDENTITY_MAX);
    if (licet_jwt_check(licet_bytes_of(data, size), set, &rules, 1, &identity, NULL) == LICET_PROOF_GOOD) {
        abort();
    }
    licet_buffer_done(&identity);
    licet_jwks_free(set);
    return 0;
}
