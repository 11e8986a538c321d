/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes: what key.c and note.c share. */
#ifndef LICET_LEDGER_NOTE_H
#define LICET_LEDGER_NOTE_H

#include "licet/ledger.h"

#define NOTE_MAX 1000000
#define NOTE_SIGNATURES_MAX 100

/* Valid UTF-8 without control bytes but LF. */
bool licet_note_text_check(licet_bytes note, licet_error *err);
bool licet_key_name_check(licet_bytes name, licet_error *err);
uint32_t licet_key_id(licet_bytes name, const uint8_t public_key[32]);
/* The text of a checkpoint, whoever signed it. */
bool licet_checkpoint_parse(licet_bytes text, licet_checkpoint *out_checkpoint, licet_error *err);

#endif
