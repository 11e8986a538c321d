/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exposition: metrics as text, in the format that was asked for.
 *
 *  (1) A family is begun once, its samples follow it.
 *  (2) Numbers are exact: a value is an integer and how many of its digits stand behind the point.
 *  (3) A counter's name is given without _total; each format adds it where it wants it.
 */
#ifndef LICET_DAEMON_EXPOSITION_H
#define LICET_DAEMON_EXPOSITION_H

#include "licet/base.h"
#include "recorder.h"

typedef enum exposition_type {
    EXPOSITION_COUNTER,
    EXPOSITION_GAUGE,
    EXPOSITION_INFO,
    EXPOSITION_HISTOGRAM
} exposition_type;

typedef struct exposition {
    licet_buffer *out;
    licet_metrics_format format;
    exposition_type type;
    const char *name;
    bool any_family, any_sample;
} exposition;

void exposition_begin(exposition *e, licet_buffer *out, licet_metrics_format format);
void exposition_family(exposition *e, exposition_type type, const char *name, const char *help);
/* A sample: decimals of the digits of value stand behind the point. Then label names and values, ending with NULL. */
void exposition_put(exposition *e, uint64_t value, unsigned decimals, ...) __attribute__((sentinel));
/* A sample of the family's name and a suffix: of histograms. */
void exposition_put_part(exposition *e, const char *suffix, uint64_t value, unsigned decimals, ...)
    __attribute__((sentinel));
void exposition_end(exposition *e);

#endif
