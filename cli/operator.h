/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operator's API of a running licetd, asked over data/operator.sock.
 *
 *  (1) No daemon is no error: licet_operator_call says so with LICET_E_NOT_FOUND, and most commands then go on alone.
 *  (2) An answer has a ceiling (64 MiB) and a time (timeout_ms).
 */
#ifndef LICET_OPERATOR_H
#define LICET_OPERATOR_H

#include "licet/base.h"

/* Sends METHOD path (with query) to the licetd of site dir. body may be empty. *out_status is the HTTP status; the body
 * of the answer goes to out (initialized). NOT_FOUND: no licetd answers there; SYSTEM: it broke off. timeout_ms 0: 60
 * s. */
bool licet_operator_call(const char *dir, const char *method, const char *path, licet_bytes body, long timeout_ms,
                         long *out_status, licet_buffer *out, licet_error *err);
/* POST /sync where licetd runs, so that what was delivered a moment ago is in ledger and tables; true also when none
 * runs. */
bool licet_operator_sync(const char *dir, licet_error *err);

#endif
