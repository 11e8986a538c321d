/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow reference of the usage tables: the dump of one ledger written
 * straight from its entries, without a database, a batch or a hash table.
 * Decoding is shared; how entries become rows is said a second time.
 */
#ifndef LICET_USAGE_REF_H
#define LICET_USAGE_REF_H

#include "licet/usage.h"

/* Appends the dump of a ledger whose entries are given in order; false: they break the rules. */
bool usage_ref_dump(const char *ledger, const licet_bytes *entries, size_t n, licet_buffer *out);

#endif
