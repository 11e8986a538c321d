/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential: what credential.c and credential_end.c share.
 */
#ifndef LICET_CLI_CREDENTIAL_H
#define LICET_CLI_CREDENTIAL_H

#include "cli.h"

#include <sys/stat.h>

extern const licet_command licet_command_credential;

#define LICET_APPS_MAX ((size_t)4 << 20)

/* Replaces apps.yaml, keeping owner and mode. */
bool licet_credential_replace(const char *path, licet_bytes text, const struct stat *was, licet_error *err);
/* argv[1] is the verb. */
int licet_credential_end(int argc, char **argv);
int licet_credential_list(int argc, char **argv);

#endif
