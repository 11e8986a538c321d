/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of credential without a secret: what is said of one on the command line, and its canonical text.
 */
#ifndef LICET_CLI_CREDENTIAL_KINDS_H
#define LICET_CLI_CREDENTIAL_KINDS_H

#include "licet/identity.h"

#define LICET_KEY_TEXT 45

typedef struct licet_credential_proof {
    const char *certificate, *issuer, *subject, *agent, *jwk;
} licet_credential_proof;

/* True for bearer and api-key: licet makes the secret. */
bool licet_credential_has_secret(const char *kind);
/* INVALID, with a sentence: the kind is not known, or what was said is not what it needs. */
bool licet_credential_check(const char *kind, const licet_credential_proof *said, licet_error *err);
/* The canonical text of the identity, and of a signature its public key as apps.yaml has it; else key is empty. */
bool licet_credential_identity(const char *kind, const licet_credential_proof *said, licet_buffer *out,
                               char out_key[LICET_KEY_TEXT], licet_error *err);
/* What a caller does to show it, one line. */
const char *licet_credential_hint(const char *kind);

#endif
