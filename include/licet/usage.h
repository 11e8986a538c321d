/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: sums by hour and all dimensions, in SQLite; a projection of the ledgers.
 *
 *  (1) Everything here can be deleted and rebuilt from the ledgers; the ordered dump is then identical to the byte.
 *  (2) An entry is applied once: the table keeps how far each ledger was applied, in the same transaction.
 */
#ifndef LICET_USAGE_H
#define LICET_USAGE_H

#include "licet/base.h"
#include "licet/ledger.h"
#include "licet/receipt.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_USAGE
#error "layer breach: usage.h belongs to usage/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct licet_usage licet_usage; /* an open usage.db; opaque */

/* Opens or (writing) makes the tables. NOT_FOUND: none to read; CORRUPT: no tables of licet; UNSUPPORTED: of another
 * version, to be rebuilt. An empty path when writing: tables on disk without a name, gone when closed. */
bool licet_usage_open(const char *path, bool read_only, licet_usage **out_usage, licet_error *err);
bool licet_usage_close(licet_usage *usage, licet_error *err);
/* Entries of ledger applied so far. */
bool licet_usage_applied(licet_usage *usage, const char *ledger, uint64_t *out_size, licet_error *err);
/* Applies entry index of ledger; index must be what applied says. Inside begin and commit. A failed apply or commit
 * drops the whole batch. On a read-only handle begin and commit hold one view of the tables for all that is read
 * between them. */
bool licet_usage_begin(licet_usage *usage, licet_error *err);
bool licet_usage_apply(licet_usage *usage, const char *ledger, uint64_t index, licet_bytes entry, licet_error *err);
bool licet_usage_commit(licet_usage *usage, licet_error *err);
/* Every row of every table in a fixed order as text; the same for the same ledgers. */
bool licet_usage_dump(licet_usage *usage, licet_buffer *out, licet_error *err);
/* The same line by line, without line ends, of one ledger or (NULL) of all. *out_line is borrowed until the next call;
 * its data is NULL behind the last line. */
typedef struct licet_usage_lines licet_usage_lines;
bool licet_usage_lines_open(licet_usage *usage, const char *ledger, licet_usage_lines **out_lines, licet_error *err);
bool licet_usage_lines_next(licet_usage_lines *lines, licet_bytes *out_line, licet_error *err);
void licet_usage_lines_close(licet_usage_lines *lines);
/* The ledgers that have tables, in order of their names. */
typedef bool (*licet_on_usage_ledger)(void *user, const char *ledger, uint64_t applied, licet_error *err);
bool licet_usage_ledgers(licet_usage *usage, licet_on_usage_ledger on_ledger, void *user, licet_error *err);

/* One sum for a report: dimensions as text (empty: none), amounts. Rows come in the order of hour, number of the
 * context, flow, verdict, reason, status, ending, basis, unmetered, observe; of equal ones first the row with requests
 * and bytes, then a row for each unit kind in order of its number. */
typedef struct licet_usage_row {
    uint64_t hour_ms;
    licet_context context; /* borrowed for the call */
    licet_flow flow;
    licet_verdict_kind verdict;
    uint8_t reason; /* licet_reason of refusals */
    uint16_t status;
    licet_ending ending;
    licet_basis basis;
    bool unmetered;
    bool observe;
    uint64_t requests, bytes; /* when unit is empty */
    licet_bytes unit;         /* else: name of the unit kind */
    uint64_t units;
    uint64_t beyond; /* of unit 'held:<unit>', unmetered: what stays charged beyond the units counted */
} licet_usage_row;
typedef bool (*licet_on_usage)(void *user, const licet_usage_row *row, licet_error *err);
/* Rows of a ledger with from_ms <= hour < before_ms. Both on full hours. */
bool licet_usage_each(licet_usage *usage, const char *ledger, uint64_t from_ms, uint64_t before_ms,
                      licet_on_usage on_row, void *user, licet_error *err);
/* Duplicates credited, in the same form: units are those credited, verdict is ALLOW; of the dimensions behind flow
 * nothing is said. In the order of hour, context, flow, kind; each hour has rows of licet_usage_each too. */
bool licet_usage_credits(licet_usage *usage, const char *ledger, uint64_t from_ms, uint64_t before_ms,
                         licet_on_usage on_row, void *user, licet_error *err);
/* Names of the unit kinds that a ledger defined, in order of their numbers. */
typedef bool (*licet_on_usage_kind)(void *user, licet_bytes name, licet_error *err);
bool licet_usage_kinds(licet_usage *usage, const char *ledger, licet_on_usage_kind on_kind, void *user,
                       licet_error *err);
/* The hours of a ledger's first and last row; both 0 when it has none. */
bool licet_usage_span(licet_usage *usage, const char *ledger, uint64_t *out_first_ms, uint64_t *out_last_ms,
                      licet_error *err);
/* Version records of a ledger, in order of their entries. */
typedef bool (*licet_on_usage_version)(void *user, uint64_t index, const licet_version_record *record,
                                       licet_error *err);
bool licet_usage_versions(licet_usage *usage, const char *ledger, licet_on_usage_version on_version, void *user,
                          licet_error *err);
/* Registry changes of a ledger, in order. */
typedef bool (*licet_on_usage_change)(void *user, uint64_t entry, const licet_change_record *record, licet_error *err);
bool licet_usage_changes(licet_usage *usage, const char *ledger, licet_on_usage_change on_change, void *user,
                         licet_error *err);
/* Acceptances of a ledger, in order. */
typedef bool (*licet_on_usage_acceptance)(void *user, uint64_t entry, const licet_acceptance_record *record,
                                          licet_error *err);
bool licet_usage_acceptances(licet_usage *usage, const char *ledger, licet_on_usage_acceptance on_acceptance,
                             void *user, licet_error *err);
/* What left in files: the disclosures of a ledger with from_ms <= time < before_ms, in the order of their entries.
 * Their units are in the rows of licet_usage_each as well. */
typedef struct licet_usage_disclosure {
    uint64_t entry, sequence, time_ms;
    bool counted, anyway;
    uint8_t reason; /* licet_reason: why the terms refuse it, or would; 0: they do not */
    licet_flow flow;
    licet_verdict_kind verdict;
    licet_context context; /* borrowed for the call, as all below */
    licet_bytes unit;
    uint64_t total, distinct; /* distinct 0 where nothing was counted */
    uint32_t files_len;
    const licet_disclosure_file *files;
} licet_usage_disclosure;
typedef bool (*licet_on_usage_disclosure)(void *user, const licet_usage_disclosure *disclosure, licet_error *err);
bool licet_usage_disclosures(licet_usage *usage, const char *ledger, uint64_t from_ms, uint64_t before_ms,
                             licet_on_usage_disclosure on_disclosure, void *user, licet_error *err);
/* The newest disclosure of this very file to this recipient. */
bool licet_usage_disclosed(licet_usage *usage, const char *ledger, const licet_hash *sha256, licet_bytes recipient,
                           uint64_t *out_sequence, uint64_t *out_time_ms, bool *out_found, licet_error *err);
/* Gap records of a ledger that overlap the span. */
typedef bool (*licet_on_usage_gap)(void *user, uint64_t index, const licet_gap *gap, const licet_bytes *unit_names,
                                   licet_error *err);
bool licet_usage_gaps(licet_usage *usage, const char *ledger, uint64_t from_ms, uint64_t before_ms,
                      licet_on_usage_gap on_gap, void *user, licet_error *err);
/* Unidentified callers per reason in the span. */
typedef bool (*licet_on_usage_unidentified)(void *user, uint8_t reason, uint64_t count, licet_error *err);
bool licet_usage_unidentified(licet_usage *usage, uint64_t from_ms, uint64_t before_ms,
                              licet_on_usage_unidentified on_reason, void *user, licet_error *err);
/* Refusals without a receipt of a ledger, per reason, in records that end in the span. */
bool licet_usage_refused(licet_usage *usage, const char *ledger, uint64_t from_ms, uint64_t before_ms,
                         licet_on_usage_unidentified on_reason, void *user, licet_error *err);

#ifdef __cplusplus
}
#endif

#endif
