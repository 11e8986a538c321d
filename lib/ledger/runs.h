/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs: refusals gathered by all that they share, until somebody closes them.
 *
 *  (1) The order in which refusals come within a run does not matter; a sequence that comes twice counts once.
 *  (2) A run is given out when it has LICET_REFUSALS_MAX sequences, all are when RUNS_MAX or RUNS_SEQUENCES_MAX is
 *      reached: memory is bounded whatever comes.
 */
#ifndef LICET_LEDGER_RUNS_H
#define LICET_LEDGER_RUNS_H

#include "licet/ledger.h"

#define RUNS_MAX 16384
#define RUNS_SEQUENCES_MAX 1048576

typedef struct ledger_runs ledger_runs;
typedef bool (*on_run)(void *user, uint32_t ledger, const licet_refusals *run, licet_error *err);

ledger_runs *ledger_runs_new(void);
void ledger_runs_free(ledger_runs *runs);
bool ledger_runs_add(ledger_runs *runs, uint32_t ledger, uint8_t reason, const licet_receipt *refused, on_run emit,
                     void *user, licet_error *err);
/* Gives out all runs, by ledger, gate, epoch and first sequence, and forgets them. */
bool ledger_runs_close(ledger_runs *runs, on_run emit, void *user, licet_error *err);
bool ledger_runs_empty(const ledger_runs *runs);

#endif
