/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated limits: the counters of an image in plain memory, for one thread; the slow and obvious form of what quota/
 * does in shared memory.
 */
#ifndef LICET_REPORT_SIMULATE_LIMITS_H
#define LICET_REPORT_SIMULATE_LIMITS_H

#include "licet/decide.h"

typedef struct simulate_limits simulate_limits;

bool simulate_limits_new(uint32_t counters, simulate_limits **out_limits, licet_error *err);
void simulate_limits_free(simulate_limits *limits);
/*
 * Takes units[kind] from every limit that binds: all or none. *out_short is then the place among verdict->limits of the
 * first that has not so many, and nothing was taken; LICET_NONE: taken. Limits that are only observed, and all of them
 * with anyway, are taken beyond: *out_over is the first of those, LICET_NONE: none. False: no memory.
 */
bool simulate_limits_take(simulate_limits *limits, const licet_image *image, const licet_verdict *verdict,
                          const uint64_t units[LICET_KINDS_MAX], bool anyway, bool enforce, uint32_t *out_short,
                          uint32_t *out_over, licet_error *err);

#endif
