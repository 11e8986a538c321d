/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes of licet check: what the files may say and what will surprise somebody
 * all the same. No note changes an exit status.
 */
#ifndef LICET_CLI_CHECK_NOTES_H
#define LICET_CLI_CHECK_NOTES_H

#include "licet/agreement.h"
#include "licet/image.h"

typedef void (*licet_check_note)(void *user, const char *text);

/* Of the version in force at now; none in force: nothing. */
void licet_check_agreement(const licet_image *image, uint64_t now, licet_check_note note, void *user);
/* Of the tokens that an agreement names: each must be there, and a secret. It is read, and nothing of it is told. */
void licet_check_outbounds(const char *dir, const licet_image *image, licet_check_note note, void *user);
/* Of what licet.yaml names and this machine has not. */
void licet_check_machine(const licet_site_config *config, licet_check_note note, void *user);

#endif
