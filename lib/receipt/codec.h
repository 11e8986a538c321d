/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this room share: the ceilings of the fields and how a list
 * of units is judged. Private to lib/receipt.
 */
#ifndef LICET_RECEIPT_CODEC_H
#define LICET_RECEIPT_CODEC_H

#include "licet/receipt.h"

#define U48_MAX ((UINT64_C(1) << 48) - 1)
#define U40_MAX ((UINT64_C(1) << 40) - 1)
#define STATUS_MAX 1023

/* The first byte: reads it and fails when it is not kind. */
bool licet_codec_begin(licet_cursor *c, licet_entry_kind kind, licet_error *err);
/* The last check of every decoder: nothing may follow. */
bool licet_codec_end(const licet_cursor *c, licet_entry_kind kind, licet_error *err);
/* An entry ended inside the named field. */
bool licet_codec_short(const licet_cursor *c, licet_entry_kind kind, const char *field, licet_error *err);
/* out failed: at the ceiling of the caller's buffer or for want of memory. */
bool licet_codec_full(const licet_buffer *out, licet_entry_kind kind, licet_error *err);
/* Rising kinds and no count of zero, or one sentence about the first that is not so. */
bool licet_codec_units_check(const licet_receipt_unit *units, size_t len, licet_entry_kind kind, licet_error *err);
/* (kind u8, count u64) until the end of the entry, at most cap of them. */
bool licet_codec_totals(licet_cursor *c, licet_entry_kind kind, licet_receipt_unit *units, size_t cap, size_t *out_len,
                        licet_error *err);

#endif
