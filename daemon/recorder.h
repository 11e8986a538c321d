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

typedef struct licet_recorder_options {
    const char *dir; /* of the site */
    bool with_gate;  /* licetd: make or adopt the shared memory */
    uint64_t now_ms;
} licet_recorder_options;

/* Takes data/lock (CONFLICT when another process has it), starts the signer, recovers journal, ledgers and usage, and,
 * with_gate, maps the shared memory (or makes a new one with a raised epoch, and writes gap records for what the old
 * epoch's leases bound when it did not end in order). */
bool licet_recorder_open(const licet_recorder_options *options, licet_recorder **out_recorder, licet_error *err);
/* Reads the site's files, compiles and publishes what changed, and records it. mistakes as licet_site_load. words gets
 * the differences applied. */
bool licet_recorder_apply(licet_recorder *recorder, const char *reason, uint64_t now_ms, licet_mistakes *mistakes,
                          licet_buffer *words, licet_error *err);
/* One round: adopt the dead, drain, commit, fold, refill leases. *out_work is the number of entries it took. */
bool licet_recorder_round(licet_recorder *recorder, uint64_t now_ms, uint64_t *out_work, licet_error *err);
/* Drains everything published before the call, ticks, commits ledgers and usage, signs what grew: afterwards report and
 * verify see it. */
bool licet_recorder_sync(licet_recorder *recorder, uint64_t now_ms, licet_error *err);
/* Deletes usage.db and builds it anew from the ledgers. */
bool licet_recorder_rebuild(licet_recorder *recorder, licet_error *err);
/* Orderly end: sync, give back leases, stop entry, close. */
bool licet_recorder_close(licet_recorder *recorder, uint64_t now_ms, licet_error *err);

/* Views for the APIs; borrowed. */
licet_store *licet_recorder_store(licet_recorder *recorder);
licet_usage *licet_recorder_usage(licet_recorder *recorder);
licet_gate *licet_recorder_gate(licet_recorder *recorder);                       /* NULL without */
licet_ledger *licet_recorder_ledger(licet_recorder *recorder, const char *name); /* NULL: none */

#endif
