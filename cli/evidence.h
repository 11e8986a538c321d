/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence of a site: where its ledgers lie and the keys that sign them.
 */
#ifndef LICET_CLI_EVIDENCE_H
#define LICET_CLI_EVIDENCE_H

#include "cli.h"

#include "licet/ledger.h"

/* dir/rest; LIMIT when it is too long for out. */
bool licet_cli_path(const char *dir, const char *rest, char *out, size_t len, licet_error *err);

/* The site's key: from data/key.pub, else the public part of data/key. NOT_FOUND when there is neither. */
bool licet_cli_site_key(const char *dir, licet_verifier_key *out_key, licet_error *err);
/* The key of one ledger: the same public key under the name '<site key>/<ledger>'. */
bool licet_cli_ledger_key(const licet_verifier_key *site, const char *ledger, licet_verifier_key *out_key,
                          licet_error *err);

/* Names of the folders below data/ledger, sorted. */
typedef struct licet_cli_names {
    char **list; /* owned */
    size_t len, capacity;
} licet_cli_names;
bool licet_cli_ledgers(const char *dir, licet_cli_names *out_names, licet_error *err);
void licet_cli_names_done(licet_cli_names *names);

#endif
