/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow and obvious scan: reads the whole body into a tree, then asks of
 * each value whether a path leads to it. Judges the fast one, serves no
 * request.
 */
#ifndef LICET_METER_SCAN_REF_H
#define LICET_METER_SCAN_REF_H

#include "licet/meter.h"

/* What feeding bytes at once, and with 'ended' the end, must result in. False when memory is short. */
bool licet_scan_ref(const licet_plan_unit *units, size_t n, licet_body_form form, licet_bytes bytes, bool ended,
                    licet_on_id on_id, void *user, licet_scan_result *out_result);

#endif
