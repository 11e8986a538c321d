/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines: receipts of a ledger as JSON lines, one object per response; runs of
 * refusals are unfolded into their sequences.
 *
 *  (1) Dictionary records are learned in the order of the ledger, before the receipts that use them.
 *  (2) The decision id is made from the identity with the gate's key: lines are for those who may know it.
 */
#ifndef LICET_DAEMON_LINES_H
#define LICET_DAEMON_LINES_H

#include "licet/receipt.h"

typedef struct licet_lines licet_lines;
bool licet_lines_new(const char *agreement, const uint8_t decision_key[16], licet_lines **out_lines, licet_error *err);
void licet_lines_free(licet_lines *lines);
/* Learns a dictionary record; other entries are no matter. */
bool licet_lines_learn(licet_lines *lines, licet_bytes entry, licet_error *err);
/* Appends the lines of entry index to out: none for what is no receipt. app (may be NULL): only this one's. */
bool licet_lines_put(licet_lines *lines, uint64_t index, licet_bytes entry, const char *app, licet_buffer *out,
                     licet_error *err);
/* "key":"text", with what is no printable ASCII as '?'. */
void licet_lines_put_string(licet_buffer *out, const char *key, licet_bytes text);

#endif
