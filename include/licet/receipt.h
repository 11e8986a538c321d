/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipt: the entries of a ledger, encoded and decoded. docs/format/receipt.md
 * defines each to the byte; if page and code differ, the code is wrong.
 *
 *  (1) Encoding is canonical: one value has one encoding; decoding refuses any other.
 *  (2) A receipt is 37 bytes and its units; 54 or fewer as the rule, 118 at most.
 *  (3) Names (contexts, unit kinds) come before use, as dictionary records of the same ledger.
 */
#ifndef LICET_RECEIPT_H
#define LICET_RECEIPT_H

#include "licet/base.h"
#include "licet/gate.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_RECEIPT
#error "layer breach: receipt.h belongs to receipt/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LICET_RECEIPT_MAX 118
#define LICET_RECEIPT_UNITS_MAX 27 /* (118 - 37) / 3, one byte of kind and two of count each, rounded down */
#define LICET_ENTRY_MAX 65535

/* First byte of every ledger entry. Numbers are never reused. */
#define LICET_ENTRY_KINDS(X)                                                                                           \
    X(1, RECEIPT, "receipt")                                                                                           \
    X(2, REFUSALS, "run of equal refusals")                                                                            \
    X(16, FOLD, "fold version")         /* first entry of each ledger: its name, the rules of the fold */              \
    X(17, CONTEXT, "context")           /* dictionary: number -> tuple */                                              \
    X(18, UNIT, "unit kind")            /* dictionary: number -> name */                                               \
    X(19, VERSION, "agreement version") /* what was applied: hashes of its files, salted where people are named */     \
    X(20, GAP, "gap")                                                                                                  \
    X(21, PERIOD, "period close")                                                                                      \
    X(22, UNIDENTIFIED, "unidentified callers")                                                                        \
    X(23, REFUSED, "refusals without a receipt")                                                                       \
    X(24, CHANGE, "registry change")                                                                                   \
    X(25, ACCEPTANCE, "acceptance")                                                                                    \
    X(26, DUPLICATES, "duplicates credited")                                                                           \
    X(27, PEERS, "peer's decision ids")                                                                                \
    X(28, DISCLOSURE, "disclosure")

typedef enum licet_entry_kind {
#define LICET_ENTRY_ENUM(number, name, text) LICET_ENTRY_##name = number,
    LICET_ENTRY_KINDS(LICET_ENTRY_ENUM)
#undef LICET_ENTRY_ENUM
} licet_entry_kind;
const char *licet_entry_kind_text(uint8_t kind); /* NULL when unknown */

typedef enum licet_basis {
    LICET_BASIS_COUNTED = 0,
    LICET_BASIS_REPORTED = 1,
    LICET_BASIS_ESTIMATED = 2,
    LICET_BASIS_DECLARED = 3
} licet_basis;

typedef struct licet_receipt_unit {
    uint8_t kind; /* of the ledger's unit dictionary */
    uint64_t count;
} licet_receipt_unit;

typedef struct licet_receipt {
    licet_flow flow;
    licet_basis basis;
    licet_verdict_kind verdict;
    bool unmetered, observe;
    bool linked; /* more units follow in a linked record */
    licet_identity identity;
    uint64_t time_ms; /* < 2^48 */
    uint16_t part;
    uint32_t context;
    uint32_t duration_ms;
    uint16_t status; /* < 1024 */
    licet_ending ending;
    uint64_t bytes;   /* < 2^40 */
    size_t units_len; /* in rising order of kind, counts > 0 */
    licet_receipt_unit units[LICET_RECEIPT_UNITS_MAX];
} licet_receipt;

/* Of files handed over (a disclosure): no gate made it, and it is no request. */
static inline bool
licet_receipt_is_handed(const licet_receipt *receipt)
{
    return receipt->identity.gate == 0 && receipt->identity.epoch == 0;
}

bool licet_receipt_encode(const licet_receipt *receipt, licet_buffer *out, licet_error *err);
bool licet_receipt_decode(licet_bytes entry, licet_receipt *out_receipt, licet_error *err);

/* Equal refusals of one context and reason: how many, from when to when, which sequences (delta-encoded, rising). */
typedef struct licet_refusals {
    licet_flow flow;
    bool observe;
    uint16_t gate;
    uint32_t epoch;
    uint32_t context;
    uint16_t status;
    uint8_t reason; /* licet_reason */
    uint64_t first_ms, last_ms;
    uint32_t count;            /* 1..LICET_REFUSALS_MAX */
    const uint64_t *sequences; /* count of them, strictly rising; borrowed; on decode: into storage given */
} licet_refusals;
#define LICET_REFUSALS_MAX 4096
bool licet_refusals_encode(const licet_refusals *refusals, licet_buffer *out, licet_error *err);
/* storage has room for LICET_REFUSALS_MAX sequences. */
bool licet_refusals_decode(licet_bytes entry, uint64_t *storage, licet_refusals *out_refusals, licet_error *err);

/* number, name: the fields of a context, in the order of their encoding; each is text, empty: none. */
#define LICET_CONTEXT_FIELDS(X)                                                                                        \
    X(app)                                                                                                             \
    X(credential)                                                                                                      \
    X(product) X(use_case) X(purpose) X(recipient) X(country) X(endpoint) X(version) X(catalogue) X(clause)
typedef struct licet_context {
#define LICET_CONTEXT_FIELD(name) licet_bytes name;
    LICET_CONTEXT_FIELDS(LICET_CONTEXT_FIELD)
#undef LICET_CONTEXT_FIELD
} licet_context;
/* Context record: kind, number u32, then each field as u16 length and bytes. */
bool licet_context_encode(uint32_t number, const licet_context *context, licet_buffer *out, licet_error *err);
bool licet_context_decode(licet_bytes entry, uint32_t *out_number, licet_context *out_context, licet_error *err);

/* Unit record: kind, number u8, name. Names: request, <unit>, byte-acked, held:<unit>, unmetered:<reason>. */
bool licet_unit_encode(uint8_t number, licet_bytes name, licet_buffer *out, licet_error *err);
bool licet_unit_decode(licet_bytes entry, uint8_t *out_number, licet_bytes *out_name, licet_error *err);

/* Fold record: kind, fold version u16, ledger name, party (licensor|licensee), time u48 of start. */
typedef struct licet_fold_start {
    uint16_t fold_version;
    licet_bytes ledger, party;
    uint64_t time_ms;
} licet_fold_start;
#define LICET_FOLD_VERSION 1
bool licet_fold_start_encode(const licet_fold_start *start, licet_buffer *out, licet_error *err);
bool licet_fold_start_decode(licet_bytes entry, licet_fold_start *out_start, licet_error *err);

/* Version record: kind, time u48, image number u64, version id, catalogue, three hashes (agreement file, catalogue
 * file, salted commitment to apps.yaml), salted commitment to the reason text. */
typedef struct licet_version_record {
    uint64_t time_ms, image;
    licet_bytes version, catalogue;
    licet_hash agreement_sha256, catalogue_sha256, apps_commitment, reason_commitment;
} licet_version_record;
bool licet_version_encode(const licet_version_record *record, licet_buffer *out, licet_error *err);
bool licet_version_decode(licet_bytes entry, licet_version_record *out_record, licet_error *err);

/* Gap record: kind, cause u8 (1 power loss, 2 admitted without a slot, 3 the most that may have been admitted without a
 * slot and was not told before a power loss), gate u16, epoch u32, from u48, to u48, requests
 * u64 (greatest number hidden), then (unit kind u8, greatest number u64) for each kind. */
typedef enum licet_gap_cause {
    LICET_GAP_POWER_LOSS = 1,
    LICET_GAP_WITHOUT_SLOT = 2,
    LICET_GAP_OUTAGE = 3,
} licet_gap_cause;
const char *licet_gap_cause_text(licet_gap_cause cause);
typedef struct licet_gap {
    licet_gap_cause cause;
    uint16_t gate;
    uint32_t epoch;
    uint64_t from_ms, to_ms;
    uint64_t requests;
    size_t units_len;
    licet_receipt_unit units[LICET_KINDS_MAX];
} licet_gap;
bool licet_gap_encode(const licet_gap *gap, licet_buffer *out, licet_error *err);
bool licet_gap_decode(licet_bytes entry, licet_gap *out_gap, licet_error *err);

/* Period close: kind, from u48, before u48, entries u64 (size of the ledger before this entry), receipts u64, refused
 * u64, then (unit kind u8, total u64) for each kind delivered in the period. */
#define LICET_PERIOD_UNITS_MAX 256 /* every kind there can be */
typedef struct licet_period {
    uint64_t from_ms, before_ms, entries, receipts, refused;
    size_t units_len;
    licet_receipt_unit units[LICET_PERIOD_UNITS_MAX];
} licet_period;
bool licet_period_encode(const licet_period *period, licet_buffer *out, licet_error *err);
bool licet_period_decode(licet_bytes entry, licet_period *out_period, licet_error *err);

/* Unidentified: kind, minute u32 (since 1970), reason u8, count u64. */
typedef struct licet_unidentified {
    uint32_t minute;
    uint8_t reason;
    uint64_t count;
} licet_unidentified;
bool licet_unidentified_encode(const licet_unidentified *record, licet_buffer *out, licet_error *err);
bool licet_unidentified_decode(licet_bytes entry, licet_unidentified *out_record, licet_error *err);

/* Refusals without a receipt: kind, from u48, to u48 (not before from), reason u8, count u64. Known callers that were
 * refused while nothing about them could be recorded: nothing was delivered, and nobody knows which app asked for what.
 */
typedef struct licet_refused {
    uint64_t from_ms, to_ms;
    uint8_t reason;
    uint64_t count;
} licet_refused;
bool licet_refused_encode(const licet_refused *record, licet_buffer *out, licet_error *err);
bool licet_refused_decode(licet_bytes entry, licet_refused *out_record, licet_error *err);

/* Duplicates credited: kind, flow u8, identity (gate u16, epoch u32, sequence u48), time u48 and context u32 of the
 * receipt that is given back to, unit kind u8, from u48 and before u48 of the window of the counting rule, count u64:
 * so many of the receipt's units were delivered in the window before. */
typedef struct licet_duplicates {
    licet_flow flow;
    licet_identity identity;
    uint64_t time_ms; /* from_ms <= time_ms < before_ms */
    uint32_t context;
    uint8_t unit;
    uint64_t from_ms, before_ms;
    uint64_t count; /* > 0 */
} licet_duplicates;
bool licet_duplicates_encode(const licet_duplicates *record, licet_buffer *out, licet_error *err);
bool licet_duplicates_decode(licet_bytes entry, licet_duplicates *out_record, licet_error *err);
/* Registry change: kind, time u48, from u48 (when it takes effect; 0: with its applying), image u64, number u32 (of the
 * change among those of the image), subject u8, action u8 (licet_subject, licet_action), flags u8, id, SHA-256 of the
 * document that it names, four salted commitments: to its words, to who is named in the files (an approver), to who
 * applied it, to who approved that. */
#define LICET_CHANGE_LEN 190 /* bytes of one without its id */
#define LICET_CHANGE_BACK_DATED 1
#define LICET_CHANGE_FIRST 2 /* of what was recorded when the agreement began */
typedef struct licet_change_record {
    uint64_t time_ms, from_ms, image;
    uint32_t number;
    uint8_t subject, action, flags;
    licet_bytes id;
    licet_hash document, words, who, as, approved;
} licet_change_record;
bool licet_change_encode(const licet_change_record *record, licet_buffer *out, licet_error *err);
bool licet_change_decode(licet_bytes entry, licet_change_record *out_record, licet_error *err);

/* Acceptance: kind, time u48 of recording, accepted u48 (what the note says), party u8 (1 licensor, 2 licensee),
 * version, catalogue, name of the key, SHA-256 of the agreement file and of the catalogue file, public key, salted
 * commitment to the signed note. */
#define LICET_PARTY_LICENSOR 1
#define LICET_PARTY_LICENSEE 2
typedef struct licet_acceptance_record {
    uint64_t time_ms, accepted_ms;
    uint8_t party;
    licet_bytes version, catalogue, key;
    licet_hash agreement_sha256, catalogue_sha256, public_key, note;
} licet_acceptance_record;
bool licet_acceptance_encode(const licet_acceptance_record *record, licet_buffer *out, licet_error *err);
bool licet_acceptance_decode(licet_bytes entry, licet_acceptance_record *out_record, licet_error *err);

/* The peer's decision ids: kind, gate u16, epoch u32, count u16, then (own sequence u48, the peer's id 16 bytes) in
 * rising order of sequence. What the other party's gate called the same responses. The record stands before the
 * receipts that it names, and no other record of its kind between. */
typedef struct licet_peer {
    uint64_t sequence;
    uint8_t id[16];
} licet_peer;
typedef struct licet_peers {
    uint16_t gate;
    uint32_t epoch;
    uint32_t count;         /* 1..LICET_PEERS_MAX */
    const licet_peer *list; /* borrowed; on decode: into storage given */
} licet_peers;
#define LICET_PEERS_MAX 2048
bool licet_peers_encode(const licet_peers *peers, licet_buffer *out, licet_error *err);
/* storage has room for LICET_PEERS_MAX. */
bool licet_peers_decode(licet_bytes entry, licet_peer *storage, licet_peers *out_peers, licet_error *err);
/* The peer's id of a receipt, 16 bytes; NULL: none of these. */
const uint8_t *licet_peers_find(const licet_peers *peers, licet_identity identity);

/* Disclosure: kind, identity of its receipt (2+4+6), time u48 of the handing over, flags u8 (1: ids were counted, 2:
 * recorded although the terms refuse it), reason u8 (0, or why they refuse), unit kind u8, total u64, distinct u64 (0
 * where nothing was counted), files u16, then (size u64, SHA-256) for each. What left in files and not by the API; who
 * got it and what for stands in the receipt's context. */
#define LICET_DISCLOSURE_FILES_MAX 1024
typedef struct licet_disclosure_file {
    uint64_t size;
    licet_hash sha256;
} licet_disclosure_file;
typedef struct licet_disclosure {
    licet_identity identity;
    uint64_t time_ms;
    bool counted, anyway;
    uint8_t reason; /* licet_reason */
    uint8_t unit;   /* of the ledger's unit dictionary */
    uint64_t total, distinct;
    uint32_t files_len;                 /* 1..LICET_DISCLOSURE_FILES_MAX */
    const licet_disclosure_file *files; /* borrowed; on decode: into storage given */
} licet_disclosure;
bool licet_disclosure_encode(const licet_disclosure *disclosure, licet_buffer *out, licet_error *err);
/* storage has room for LICET_DISCLOSURE_FILES_MAX. */
bool licet_disclosure_decode(licet_bytes entry, licet_disclosure_file *storage, licet_disclosure *out_disclosure,
                             licet_error *err);

/* Decodes an entry of any kind and throws the result away: true when it is one. */
bool licet_entry_check(licet_bytes entry, licet_error *err);

#ifdef __cplusplus
}
#endif

#endif
