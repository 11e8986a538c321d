/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ledger: a Merkle log per agreement, and the journal it is folded from.
 * Hashing is RFC 6962; checkpoint, signed note and tiles are C2SP's
 * (docs/format/ledger.md, docs/format/journal.md).
 *
 *  (1) The ledger is a fold of the journal: the same journal gives the same bytes, always and everywhere.
 *  (2) Only the journal is synced on the hot path. Ledger files are derived and recomputed after a crash.
 *  (3) A checkpoint is signed only when all it covers is durable; it never shrinks or forks.
 *  (4) licet_ledger_verify never repairs.
 */
#ifndef LICET_LEDGER_H
#define LICET_LEDGER_H

#include "licet/base.h"
#include "licet/receipt.h"
#include "licet/seen.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_LEDGER
#error "layer breach: ledger.h belongs to ledger/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Merkle tree (RFC 6962 section 2.1) --------------------------------- */

#define LICET_PROOF_MAX 64
licet_hash licet_leaf_hash(licet_bytes entry);
licet_hash licet_node_hash(const licet_hash *left, const licet_hash *right);
licet_hash licet_empty_root(void);

/* The frontier: one hash per set bit of size, largest subtree first. Plain value. */
typedef struct licet_frontier {
    uint64_t size;
    unsigned len;
    licet_hash hashes[64];
} licet_frontier;
void licet_frontier_init(licet_frontier *frontier);
void licet_frontier_append(licet_frontier *frontier, const licet_hash *leaf);
licet_hash licet_frontier_root(const licet_frontier *frontier);

typedef struct licet_proof {
    unsigned len;
    licet_hash hashes[LICET_PROOF_MAX];
} licet_proof;
/* Verifiers of RFC 9162 sections 2.1.3.2 and 2.1.4.2; false: reject. */
bool licet_inclusion_verify(uint64_t index, uint64_t size, const licet_hash *leaf, const licet_proof *proof,
                            const licet_hash *root);
bool licet_consistency_verify(uint64_t old_size, uint64_t new_size, const licet_proof *proof,
                              const licet_hash *old_root, const licet_hash *new_root);

/* ---- keys and signed notes -------------------------------------------------- */

#define LICET_KEY_NAME_MAX 255
typedef struct licet_verifier_key {
    char name[LICET_KEY_NAME_MAX + 1];
    uint32_t id;
    uint8_t public_key[32]; /* Ed25519 */
} licet_verifier_key;
typedef struct licet_signer_key {
    licet_verifier_key verifier;
    uint8_t seed[32];
} licet_signer_key;
/* A key from a seed, with its id computed; INVALID for a bad name. */
bool licet_signer_key_make(licet_bytes name, const uint8_t seed[32], licet_signer_key *out_key, licet_error *err);
/* Text forms 'name+hhhhhhhh+base64' and 'PRIVATE+KEY+name+hhhhhhhh+base64' without line end. */
bool licet_verifier_key_parse(licet_bytes text, licet_verifier_key *out_key, licet_error *err);
bool licet_signer_key_parse(licet_bytes text, licet_signer_key *out_key, licet_error *err);
bool licet_verifier_key_format(const licet_verifier_key *key, licet_buffer *out);
bool licet_signer_key_format(const licet_signer_key *key, licet_buffer *out);

typedef struct licet_checkpoint {
    char origin[LICET_KEY_NAME_MAX + 1];
    uint64_t size;
    licet_hash root;
} licet_checkpoint;
/* The three lines of a checkpoint's text. */
bool licet_checkpoint_format(const licet_checkpoint *checkpoint, licet_buffer *out);
/* Signs text (ending in LF) into a whole note. */
bool licet_note_sign(licet_bytes text, const licet_signer_key *key, licet_buffer *out, licet_error *err);
/* Parses a note and verifies it against the keys by the acceptance rule; *out_text is borrowed from the note. */
bool licet_note_open(licet_bytes note, const licet_verifier_key *keys, size_t n, licet_bytes *out_text,
                     licet_error *err);
/* Parses a note, verifies it against the keys by the acceptance rule, and its text as a checkpoint of the key's origin.
 */
bool licet_checkpoint_open(licet_bytes note, const licet_verifier_key *keys, size_t n, licet_checkpoint *out_checkpoint,
                           licet_error *err);

/* ---- journal --------------------------------------------------------------------- */

/* number, name: entries of the journal. */
#define LICET_JOURNAL_KINDS(X)                                                                                         \
    X(1, LEDGER, "ledger")   /* ledger number u32, name, party, time u48: a ledger begins */                           \
    X(2, ENTRY, "entry")     /* ledger number u32, entry bytes: appended by the fold as it is */                       \
    X(3, REFUSAL, "refusal") /* ledger number u32, reason u8, receipt bytes: gathered into runs until the next tick */ \
    X(4, TICK, "tick")       /* time u48: closes runs and, at a month's end, periods */                                \
    X(5, IDS, "ids")     /* ledger number u32, identity (2+4+6), unit kind u8, count u32, then (u8 length, bytes)* */  \
    X(6, EPOCH, "epoch") /* gate u16, epoch u32, time u48: a new shared memory */                                      \
    X(7, STOP, "stop")   /* time u48: an orderly end, everything drained */                                            \
    X(8, COMPARE, "compare") /* ledger u32, identity, unit kind u8, flow u8, time u48, context u32, from u48, before   \
                                u48, scope, count u32: so many ids of the receipt just journalled are compared with    \
                                those of this window and scope */
typedef enum licet_journal_kind {
#define LICET_JOURNAL_ENUM(number, name, text) LICET_JOURNAL_##name = number,
    LICET_JOURNAL_KINDS(LICET_JOURNAL_ENUM)
#undef LICET_JOURNAL_ENUM
} licet_journal_kind;

typedef struct licet_journal_entry {
    uint64_t number; /* dense, from 1 */
    licet_journal_kind kind;
    licet_bytes payload; /* borrowed */
} licet_journal_entry;

/* Payloads: one put for each kind appends it to out; name and party are u16 length and bytes. The caller checks
 * out->failed. docs/format/journal.md has them to the byte. */
bool licet_journal_put_ledger(licet_buffer *out, uint32_t ledger, licet_bytes name, licet_bytes party,
                              uint64_t time_ms);
bool licet_journal_put_entry(licet_buffer *out, uint32_t ledger, licet_bytes entry);
bool licet_journal_put_refusal(licet_buffer *out, uint32_t ledger, uint8_t reason, licet_bytes receipt);
bool licet_journal_put_time(licet_buffer *out, uint64_t time_ms); /* TICK and STOP */
/* ids: count times u8 length and bytes. */
bool licet_journal_put_ids(licet_buffer *out, uint32_t ledger, licet_identity identity, uint8_t kind, uint32_t count,
                           licet_bytes ids);
/* The window of the unit's counting rule that the receipt (copy) falls in. count 0: the ids are forgotten. */
bool licet_journal_put_compare(licet_buffer *out, const licet_seen_window *window, const licet_seen_copy *copy,
                               uint32_t count);
bool licet_journal_put_epoch(licet_buffer *out, uint16_t gate, uint32_t epoch, uint64_t time_ms);

/* A payload taken apart; only the fields of its kind are set. Views into the payload. */
typedef struct licet_journal_facts {
    licet_journal_kind kind;
    uint32_t ledger;
    licet_bytes name, party;
    licet_bytes entry; /* ENTRY: the entry; REFUSAL: the receipt; IDS: count times (u8 length, bytes), checked */
    uint8_t reason;
    uint64_t time_ms;
    licet_identity identity; /* IDS; EPOCH: gate and epoch */
    uint8_t unit, flow;      /* IDS, COMPARE: kind */
    uint32_t count, context;
    uint64_t from_ms, before_ms;
    licet_bytes scope;
} licet_journal_facts;
bool licet_journal_facts_of(const licet_journal_entry *entry, licet_journal_facts *out_facts, licet_error *err);

/* How far each area's rings were drained; part of the commit record. */
typedef struct licet_journal_position {
    uint32_t epoch;
    uint16_t area;
    uint64_t ring, ids;
} licet_journal_position;
#define LICET_JOURNAL_POSITIONS_MAX 512

/* The interface; journal_file.c is the local one. Handles are opaque to callers. */
typedef struct licet_journal licet_journal;
typedef bool (*licet_on_journal_entry)(void *user, const licet_journal_entry *entry, licet_error *err);
typedef struct licet_journal_ops {
    /* Adds an entry to the batch under way; durable only after commit. *out_number may be NULL. */
    bool (*append)(licet_journal *journal, licet_journal_kind kind, licet_bytes payload, uint64_t *out_number,
                   licet_error *err);
    /* Writes the batch and its commit record and makes both durable (fdatasync). An empty batch with unchanged
     * positions writes nothing. After a failed sync the journal refuses everything (LICET_E_STATE). */
    bool (*commit)(licet_journal *journal, const licet_journal_position *positions, size_t n, uint64_t time_ms,
                   licet_error *err);
    /* Calls on_entry for every committed entry with number >= from, in order. */
    bool (*replay)(licet_journal *journal, uint64_t from, licet_on_journal_entry on_entry, void *user,
                   licet_error *err);
    uint64_t (*next)(const licet_journal *journal); /* number the next entry gets */
    /* The positions of the last commit; borrowed until the next commit. */
    const licet_journal_position *(*positions)(const licet_journal *journal, size_t *out_n);
    uint64_t (*cut)(const licet_journal *journal); /* bytes of an unfinished batch that opening dropped */
    bool (*close)(licet_journal *journal, licet_error *err);
} licet_journal_ops;
struct licet_journal {
    const licet_journal_ops *ops;
};
/* Opens or makes dir with segments <16 hex digits of first number>.jnl. An unfinished batch at the very end is cut off
 * (and told by cut); a fault before the last commit record is CORRUPT with segment and byte. read_only never writes.
 * next is raised to at_least when the journal ends before it (a journal that lost its end). */
bool licet_journal_file_open(const char *dir, bool read_only, uint64_t at_least, licet_journal **out_journal,
                             licet_error *err);

/* ---- ledger ------------------------------------------------------------------------ */

typedef struct licet_ledger licet_ledger; /* one agreement's log on disk; opaque */

/* Opens or makes dir (data/ledger/<name>). Entries behind the newest valid commit record are cut (writing) or ignored
 * (reading); the right edge is recomputed and compared: CORRUPT with file and byte when they differ. */
bool licet_ledger_open(const char *dir, bool read_only, licet_ledger **out_ledger, licet_error *err);
bool licet_ledger_close(licet_ledger *ledger, licet_error *err);
bool licet_ledger_append(licet_ledger *ledger, licet_bytes entry, licet_error *err);
/* Writes what was appended and a commit record that names the journal number folded so far; sync: also fsync. */
bool licet_ledger_commit(licet_ledger *ledger, uint64_t journal_number, bool sync, licet_error *err);
uint64_t licet_ledger_size(const licet_ledger *ledger);   /* committed entries */
uint64_t licet_ledger_folded(const licet_ledger *ledger); /* journal number of the last commit record */
licet_hash licet_ledger_root(const licet_ledger *ledger); /* of size */
/* Entry i < size into buffer. */
bool licet_ledger_entry(licet_ledger *ledger, uint64_t index, licet_buffer *out, licet_error *err);
/* Calls on_entry for entries [from, before), in order; entry borrowed for the call; false from it stops with its err.
 */
typedef bool (*licet_on_entry)(void *user, uint64_t index, licet_bytes entry, licet_error *err);
bool licet_ledger_each(licet_ledger *ledger, uint64_t from, uint64_t before, licet_on_entry on_entry, void *user,
                       licet_error *err);
bool licet_ledger_inclusion(licet_ledger *ledger, uint64_t index, uint64_t size, licet_proof *out_proof,
                            licet_error *err);
bool licet_ledger_consistency(licet_ledger *ledger, uint64_t old_size, uint64_t new_size, licet_proof *out_proof,
                              licet_error *err);
/* The bytes of a path below the prefix as tlog-tiles names it: tile/<L>/<N>[.p/<W>], tile/entries/<N>[.p/<W>],
 * checkpoint. NOT_FOUND for what size does not imply, INVALID for a path that is not canonical. */
bool licet_ledger_resource(licet_ledger *ledger, const char *path, licet_buffer *out, licet_error *err);
/* The checkpoint file, replaced whole. */
bool licet_ledger_checkpoint_write(licet_ledger *ledger, licet_bytes note, licet_error *err);
bool licet_ledger_checkpoint_read(licet_ledger *ledger, licet_buffer *out, licet_error *err); /* NOT_FOUND: none yet */

/* Reads every byte of dir, recomputes everything from the entries, compares it with tiles, bundle index, commit record
 * and signed checkpoint, and decodes each entry. CORRUPT with the place (file and byte, or entry) at the first
 * difference. on_entry (may be NULL) sees each entry after it was checked. */
typedef struct licet_ledger_facts {
    uint64_t size, signed_size;
    licet_hash root;
    char origin[LICET_KEY_NAME_MAX + 1];
} licet_ledger_facts;
bool licet_ledger_verify(const char *dir, const licet_verifier_key *key, licet_on_entry on_entry, void *user,
                         licet_ledger_facts *out_facts, licet_error *err);

/* ---- fold --------------------------------------------------------------------------- */

/* From journal entries to ledger entries. The state that is not in the ledgers is the open runs of refusals: empty
 * after a tick, so that a fold may begin behind any tick. */
typedef struct licet_fold licet_fold;
/* Called for each ledger entry the fold makes. */
typedef bool (*licet_on_fold)(void *user, uint32_t ledger, licet_bytes entry, licet_error *err);
/* Called when a ledger begins: its number, name and party. */
typedef bool (*licet_on_fold_ledger)(void *user, uint32_t ledger, licet_bytes name, licet_bytes party,
                                     licet_error *err);
bool licet_fold_new(licet_on_fold_ledger on_ledger, licet_on_fold on_entry, void *user, licet_fold **out_fold,
                    licet_error *err);
void licet_fold_free(licet_fold *fold);
/* Gives back to a new fold what it knew of a ledger (running sums of the period): feed the ledger's number, name, party
 * and then each of its entries, in order, before the first licet_fold_feed. */
bool licet_fold_recall_ledger(licet_fold *fold, uint32_t ledger, licet_bytes name, licet_bytes party, licet_error *err);
bool licet_fold_recall(licet_fold *fold, uint32_t ledger, licet_bytes entry, licet_error *err);
/* The ledger has what the journal gives it up to this number (licet_ledger_folded): feeding passes over these entries
 * for this ledger, so that one replay serves ledgers that were committed at different numbers. */
bool licet_fold_recall_folded(licet_fold *fold, uint32_t ledger, uint64_t number, licet_error *err);
/* The set that compare entries are judged by; borrowed. Without one they are refused. What it has already
 * (seen->folded) is not added again; the fold must then be fed from seen->resume on. */
void licet_fold_use(licet_fold *fold, licet_seen *seen);
/* Commits the set as folded up to number, behind a tick. */
bool licet_fold_commit_seen(licet_fold *fold, uint64_t number, licet_error *err);
/* Ids of responses under way. */
uint64_t licet_fold_waiting(const licet_fold *fold);
/* Bytes of ids of responses under way, and which response has most of them. */
uint64_t licet_fold_gathered(const licet_fold *fold, uint32_t *out_ledger, licet_identity *out_identity,
                             uint8_t *out_unit);
/* After a false the fold refuses everything: its ledgers must be opened anew. */
bool licet_fold_feed(licet_fold *fold, const licet_journal_entry *entry, licet_error *err);
/* True when no run is open: the journal number fed last may be committed as folded. */
bool licet_fold_closed(const licet_fold *fold);

#ifdef __cplusplus
}
#endif

#endif
