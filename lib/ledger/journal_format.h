/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of the journal, apart from files: docs/format/journal.md. Each
 * check returns NULL, or in a few words what is wrong.
 */
#ifndef LICET_LEDGER_JOURNAL_FORMAT_H
#define LICET_LEDGER_JOURNAL_FORMAT_H

#include "licet/ledger.h"

#define SEGMENT_HEADER 64
#define SEGMENT_MAX 67108864 /* 64 MiB */
#define SEGMENTS_MAX 1048576
#define BATCH_HEADER 32
#define BATCH_BODY_MAX 67108864 /* 64 MiB */
#define BATCH_ENTRIES_MAX 1000000
#define ENTRY_HEAD 5
#define POSITION_LEN 22
#define COMMIT_MAGIC_LEN 4
#define COMMIT_FIXED (COMMIT_MAGIC_LEN + LICET_SHA256_LEN)
#define BATCH_MAX (BATCH_HEADER + BATCH_BODY_MAX + COMMIT_FIXED + POSITION_LEN * LICET_JOURNAL_POSITIONS_MAX)

void journal_segment_header(uint64_t first, const licet_hash *chain, uint8_t out[SEGMENT_HEADER]);
/* Does the header carry its own check? False: it was never written whole. */
bool journal_segment_header_whole(const uint8_t header[SEGMENT_HEADER]);
const char *journal_segment_header_check(const uint8_t header[SEGMENT_HEADER], uint64_t first, const licet_hash *chain);
void journal_segment_header_chain(const uint8_t header[SEGMENT_HEADER], licet_hash *out_chain);

typedef struct batch_header {
    uint32_t body_len, positions;
    uint64_t first, time_ms;
    uint32_t count;
} batch_header;
void journal_batch_header(const batch_header *h, uint8_t out[BATCH_HEADER]);
/* Magic and ceilings. */
const char *journal_batch_header_read(const uint8_t in[BATCH_HEADER], batch_header *out);
/* Writes magic, positions and hash to out; *out_chain gets the hash. */
void journal_commit_record(const licet_hash *chain, const uint8_t header[BATCH_HEADER], licet_bytes body,
                           const licet_journal_position *positions, size_t n, uint8_t *out, licet_hash *out_chain);
/* A whole batch of len bytes, header already read: entries, positions and hash. */
const char *journal_batch_check(const uint8_t *batch, size_t len, const batch_header *h, const licet_hash *chain,
                                licet_hash *out_chain);
licet_journal_position journal_position_read(const uint8_t in[POSITION_LEN]);
/* These bytes begin with a faulty batch that should follow chain: is there a whole batch behind it? Whole batches carry
 * their own proof, since the hash they follow is the last thing that stands before them. */
bool journal_find_batch(const uint8_t *bytes, size_t len, const licet_hash *chain);

#endif
