/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signer: the process that holds the key. It signs a checkpoint only if it
 * extends the last one it signed for that ledger.
 *
 *  (1) The key is read in the signer alone; the recorder never sees it.
 *  (2) What was signed is on disk (data/signed) before the signature leaves the signer.
 *  (3) A checkpoint that shrinks or forks is refused with a sentence.
 *  (4) After its start the signer opens nothing; it keeps its record file and one socket, and dies with its parent.
 *
 * One question, one answer, each one message on a SOCK_SEQPACKET pair:
 *
 *   question  kind u8 (1 last, 2 sign, 3 key), ledger name (u16 length, bytes); for sign: old size u64, new size u64,
 *             root 32 bytes, proof: count u8 and 32 bytes each
 *   answer    kind u8 (0 refused, 1 done), then: a sentence | last: size u64, root | sign: the signed note |
 *             key: the verifier key's text
 */
#ifndef LICET_SIGNER_H
#define LICET_SIGNER_H

#include "licet/ledger.h"

typedef struct licet_signer licet_signer;

#define SIGNER_MESSAGE_MAX 8192
#define SIGNER_LEDGERS_MAX 65536

/* Forks the signer; call before any thread is started. key: path of the key file, record: path of data/signed. Fails
 * with the signer's own sentence when it cannot begin. */
bool licet_signer_start(const char *key, const char *record, licet_signer **out_signer, licet_error *err);
void licet_signer_stop(licet_signer *signer);
/* False once its process ended. */
bool licet_signer_lives(const licet_signer *signer);
/* What was signed last for a ledger; size 0: nothing yet. */
bool licet_signer_last(licet_signer *signer, const char *ledger, uint64_t *out_size, licet_hash *out_root,
                       licet_error *err);
/* Signs size and root, which extend old_size by the proof. out gets the signed note. STATE: the signer refuses. */
bool licet_signer_sign(licet_signer *signer, const char *ledger, uint64_t old_size, uint64_t size,
                       const licet_hash *root, const licet_proof *proof, licet_buffer *out, licet_error *err);
/* Text form of the verifier key of a ledger. */
bool licet_signer_verifier(licet_signer *signer, const char *ledger, licet_buffer *out, licet_error *err);

/* ---- the record file (record.c) ---------------------------------------------- */

typedef struct signer_record signer_record;
bool signer_record_open(const char *path, signer_record **out_record, licet_error *err);
void signer_record_close(signer_record *record);
/* Size 0 when nothing was signed for the ledger. */
bool signer_record_last(signer_record *record, licet_bytes ledger, uint64_t *out_size, licet_hash *out_root);
/* Durable on return. */
bool signer_record_store(signer_record *record, licet_bytes ledger, uint64_t size, const licet_hash *root,
                         licet_error *err);

#endif
