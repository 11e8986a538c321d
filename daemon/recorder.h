/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorder: from rings to journal, ledgers, checkpoints and usage tables.
 * A library: licetd runs it for ever, commands that write run it for a moment.
 *
 *  (1) One process at a time holds data/lock.
 *  (2) A ring's tail moves only after the journal's commit record that covers it is durable.
 *  (3) A checkpoint is signed by the signer process alone, after the journal that its entries come from is durable.
 */
#ifndef LICET_RECORDER_H
#define LICET_RECORDER_H

#include "licet/agreement.h"
#include "licet/gate.h"
#include "licet/ledger.h"
#include "licet/store.h"
#include "licet/usage.h"

typedef struct licet_recorder licet_recorder;

typedef enum licet_recorder_level {
    LICET_LOG_INFO = 0,
    LICET_LOG_WARNING = 1, /* somebody should look, nothing is lost */
    LICET_LOG_ERROR = 2,   /* recording is impossible or was refused */
} licet_recorder_level;
/* One event in one line, without line end. */
typedef void (*licet_recorder_log_to)(void *user, licet_recorder_level level, const char *text);

typedef struct licet_recorder_options {
    const char *dir; /* of the site */
    bool with_gate;  /* licetd: make or adopt the shared memory */
    uint64_t now_ms;
    licet_recorder_log_to log; /* may be NULL */
    void *log_user;
} licet_recorder_options;

/* Takes data/lock (CONFLICT when another process has it), starts the signer, recovers journal, ledgers and usage, and,
 * with_gate, maps the shared memory (or makes a new one with a raised epoch, and writes gap records for what the old
 * epoch's leases bound when it did not end in order). */
bool licet_recorder_open(const licet_recorder_options *options, licet_recorder **out_recorder, licet_error *err);
/* Reads the site's files, compiles and publishes what changed, and records it. mistakes as licet_site_load, or what
 * licet_changes_judge has against the changes. words gets the differences applied, in lines '<agreement>: <words>'. */
typedef struct licet_recorder_request {
    const char *reason;
    licet_permit permit; /* its now_ms is not looked at */
} licet_recorder_request;
bool licet_recorder_apply_as(licet_recorder *recorder, const licet_recorder_request *request, uint64_t now_ms,
                             licet_mistakes *mistakes, licet_buffer *words, licet_error *err);
/* The same by nobody in particular. */
bool licet_recorder_apply(licet_recorder *recorder, const char *reason, uint64_t now_ms, licet_mistakes *mistakes,
                          licet_buffer *words, licet_error *err);
/* Records what the notes in agreements/A/accepted say of versions that are recorded; *out_recorded: how many were new.
 */
bool licet_recorder_accept(licet_recorder *recorder, const char *agreement, uint64_t now_ms, uint32_t *out_recorded,
                           licet_error *err);
/* What was handed over in files, and to whom. Texts are borrowed; len 0: none. */
typedef struct licet_disclose {
    const char *agreement;
    licet_bytes app, use_case, purpose, recipient, unit;
    uint64_t time_ms; /* of the handing over */
    bool counted;     /* ids in the files were counted, else the units are what somebody says */
    uint64_t total, distinct;
    const licet_disclosure_file *files;
    uint32_t files_len;
    bool dry_run, anyway, again; /* only judge; record what the terms refuse; record a file once more */
} licet_disclose;
/* Judges it by the terms of its time and records it where they allow it, only observe, or anyway. out_answer gets one
 * JSON object: docs/format/api.md. INVALID or LIMIT: it is not asked right. */
bool licet_recorder_disclose(licet_recorder *recorder, const licet_disclose *disclose, uint64_t now_ms,
                             licet_buffer *out_answer, licet_error *err);
/* One round: adopt the dead, drain, commit, fold, refill leases. *out_work is the number of entries it took. */
bool licet_recorder_round(licet_recorder *recorder, uint64_t now_ms, uint64_t *out_work, licet_error *err);
/* How far the workers had used up what they have, at the last round: of the fullest ring, or 256 when a lease ran dry;
 * in 1/256. */
uint32_t licet_recorder_fill(const licet_recorder *recorder);
/* Whether somebody waits for a lease that the next round can lend. */
bool licet_recorder_wanted(const licet_recorder *recorder);
/* Drains everything published before the call, ticks, commits ledgers and usage, signs what grew: afterwards report and
 * verify see it. */
bool licet_recorder_sync(licet_recorder *recorder, uint64_t now_ms, licet_error *err);
/* Deletes usage.db and builds it anew from the ledgers. When that fails there are no tables until the next tick that
 * can make them. */
bool licet_recorder_rebuild(licet_recorder *recorder, licet_error *err);
/* Removes images and indexes that no worker uses any more. */
void licet_recorder_prune(licet_recorder *recorder);
/* Orderly end: sync, give back leases, stop entry, close. */
bool licet_recorder_close(licet_recorder *recorder, uint64_t now_ms, licet_error *err);

/* Views for the APIs; borrowed. */
licet_store *licet_recorder_store(licet_recorder *recorder);
licet_usage *licet_recorder_usage(licet_recorder *recorder);                     /* NULL: a rebuild failed */
licet_gate *licet_recorder_gate(licet_recorder *recorder);                       /* NULL without */
licet_ledger *licet_recorder_ledger(licet_recorder *recorder, const char *name); /* NULL: none */

/* What the operator's API tells. */
typedef struct licet_recorder_status {
    uint32_t epoch;       /* 0: no gate */
    uint64_t generation;  /* index in force */
    uint64_t journal;     /* newest journal number */
    uint64_t lag;         /* finished receipts in the rings, not journalled yet */
    uint32_t workers;     /* areas that a worker has, or had and that are not adopted and drained yet */
    uint32_t under_way;   /* slots that are not free */
    uint64_t unmetered;   /* responses since licetd began */
    uint64_t credited;    /* duplicates since licetd began */
    uint64_t ids_waiting; /* ids of responses under way, to be compared when their receipts come */
    uint64_t broken;      /* ring entries that made no sense, since licetd began */
    bool stalled;         /* recording is impossible now; why says it */
    const char *why;
} licet_recorder_status;
void licet_recorder_status_get(licet_recorder *recorder, licet_recorder_status *out_status);
/* i-th ledger of the recorder (by cell): name, committed size, size of the newest signed checkpoint. False beyond. */
bool licet_recorder_ledger_at(licet_recorder *recorder, uint32_t i, const char **out_name, uint64_t *out_size,
                              uint64_t *out_signed);
/* Public key of a ledger's checkpoints, text form, into out. */
bool licet_recorder_verifier(licet_recorder *recorder, const char *name, licet_buffer *out, licet_error *err);

/* Everything there is to watch, in the format asked for (docs/format/metrics.md). False: out is full. */
typedef enum licet_metrics_format { LICET_METRICS_TEXT, LICET_METRICS_OPEN, LICET_METRICS_JSON } licet_metrics_format;
bool licet_recorder_metrics(licet_recorder *recorder, licet_metrics_format format, uint64_t now_ms, licet_buffer *out,
                            licet_error *err);

/* Decisions as they were journalled: the newest 10,000 are kept. Appends those with a number greater than after as JSON
 * lines, at most most of them; *out_last is the number of the last (after when none). */
bool licet_recorder_recent(licet_recorder *recorder, uint64_t after, uint32_t most, uint64_t now_ms, licet_buffer *out,
                           uint64_t *out_last, licet_error *err);
/* Journal number of the newest decision that licet_recorder_recent knows; 0: none. */
uint64_t licet_recorder_recent_last(const licet_recorder *recorder);

#endif
