/* SPDX-License-Identifier: Apache-2.0 */
/* The set of seen ids as a list that is searched from its begin; judges seen_file.c. */
#ifndef LICET_LEDGER_SEEN_REF_H
#define LICET_LEDGER_SEEN_REF_H

#include "licet/seen.h"

bool seen_ref_open(licet_seen **out_seen, licet_error *err);

#endif
