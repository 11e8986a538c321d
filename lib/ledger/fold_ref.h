/* SPDX-License-Identifier: Apache-2.0 */
/* The fold said in the most obvious way: judge of fold.c, for journals that fit in memory. */
#ifndef LICET_LEDGER_FOLD_REF_H
#define LICET_LEDGER_FOLD_REF_H

#include "licet/ledger.h"

/* All n entries of a journal from its beginning; on_entry gets what the ledgers hold, in order. */
bool licet_fold_ref(const licet_journal_entry *entries, size_t n, licet_on_fold on_entry, void *user, licet_error *err);

#endif
