/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet agreement: what its subcommands share.
 */
#ifndef LICET_CLI_AGREEMENT_H
#define LICET_CLI_AGREEMENT_H

#include "site.h"

extern const licet_command licet_command_agreement;

typedef struct licet_agreement_options {
    const char *dir, *agreement;
    bool json, has_at;
    uint64_t at_ms;
    const char *version, *as, *key, *note, *verifier; /* of accept; NULL: not given */
} licet_agreement_options;

int licet_agreement_show(const licet_agreement_options *options);
int licet_agreement_accept(const licet_agreement_options *options);

#endif
