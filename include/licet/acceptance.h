/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acceptance: a party's signed word that a version of an agreement, with its catalogue, is what it agreed to.
 *
 *  (1) What is signed are the hashes of the two files: one byte changed, and nobody accepted it. The catalogue holds
 * the counting rules. (2) It is a C2SP signed note in agreements/A/accepted/<version>.<party>.note, its key's public
 * part beside it in <version>.<party>.key.
 */
#ifndef LICET_ACCEPTANCE_H
#define LICET_ACCEPTANCE_H

#include "licet/image.h"
#include "licet/ledger.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_LEDGER
#error "layer breach: acceptance.h belongs to ledger/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LICET_ACCEPTANCE_TEXT_MAX 256

typedef struct licet_acceptance {
    char agreement[LICET_NAME_MAX + 1], version[LICET_NAME_MAX + 1], catalogue[LICET_NAME_MAX + 1];
    char party[16]; /* licensor or licensee */
    char as[LICET_ACCEPTANCE_TEXT_MAX + 1];
    char time[LICET_TIME_TEXT];
    uint8_t agreement_sha256[LICET_SHA256_LEN], catalogue_sha256[LICET_SHA256_LEN];
} licet_acceptance;

/* The text that is signed. */
bool licet_acceptance_format(const licet_acceptance *accepted, licet_buffer *out);
bool licet_acceptance_parse(licet_bytes text, licet_acceptance *out_accepted, licet_error *err);
/* agreements/A/accepted/<version>.<party><ending> below dir. */
bool licet_acceptance_path(const char *dir, const licet_acceptance *accepted, const char *ending, char *out, size_t len,
                           licet_error *err);
/* Of a version, by a party. NOT_FOUND: that party has not accepted it; else why the note does not hold. */
bool licet_acceptance_read(const char *dir, const licet_image *image, const licet_image_version *version,
                           const char *party, licet_acceptance *out_accepted, licet_verifier_key *out_key,
                           licet_error *err);
/* What is accepted are these very files. */
bool licet_acceptance_is_of(const licet_acceptance *accepted, const licet_image_version *version);

#ifdef __cplusplus
}
#endif

#endif
