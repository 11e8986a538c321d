/* SPDX-License-Identifier: Apache-2.0 */
/* What a compare entry of the journal finds: the credits for duplicates. */
#ifndef LICET_LEDGER_COMPARE_H
#define LICET_LEDGER_COMPARE_H

#include "licet/ledger.h"

typedef bool (*ledger_on_credit)(void *user, const licet_duplicates *credit, licet_error *err);

/* Adds the first facts->count of ids to the set; then calls on_credit for each receipt that is credited, the earliest
 * first. */
bool ledger_compare(licet_seen *seen, const licet_journal_facts *facts, licet_bytes ids, ledger_on_credit on_credit,
                    void *user, licet_error *err);

#endif
