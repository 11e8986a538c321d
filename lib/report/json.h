/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in the making: jansson with one flag for all that may fail, so that a
 * section reads as what it says.
 */
#ifndef LICET_REPORT_JSON_H
#define LICET_REPORT_JSON_H

#include "gather.h"

#include <jansson.h>

/* NULL values and failures of jansson set *failed; the caller looks once, at the end. */
typedef struct maker {
    const gathered *g;
    licet_usage *usage;
    bool failed;
} maker;

json_t *maker_object(maker *m);
json_t *maker_array(maker *m);
void maker_put(maker *m, json_t *object, const char *key, json_t *value); /* takes value */
void maker_add(maker *m, json_t *array, json_t *value);                   /* takes value */
void maker_number(maker *m, json_t *object, const char *key, uint64_t value);
/* 'none' (empty) becomes null. */
void maker_text(maker *m, json_t *object, const char *key, licet_bytes text);
/* A time as 2022-10-10T00:00:00Z, with milliseconds where it has some; UINT64_MAX becomes null. */
void maker_time(maker *m, json_t *object, const char *key, uint64_t ms);
/* requests, units and bytes of a tally. */
void maker_tally(maker *m, json_t *object, const tally *sums);

/* sections.c: each returns what its key holds. */
json_t *report_section_agreement(maker *m, licet_error *err);
json_t *report_section_list(maker *m, report_list list, licet_error *err);
json_t *report_section_limits(maker *m);
json_t *report_section_refusals(maker *m);
json_t *report_section_unattributed(maker *m, const json_t *use_cases);
/* registry.c */
json_t *report_section_registry(maker *m, licet_error *err);
/* accepted.c */
json_t *report_section_accepted(maker *m, licet_error *err);
/* disclosures.c */
json_t *report_section_disclosures(maker *m, licet_error *err);
/* charges.c */
json_t *report_section_charges(maker *m);
/* unknown.c: what is not known. */
json_t *report_section_unmetered(maker *m);
json_t *report_section_gaps(maker *m, licet_error *err);
json_t *report_section_unidentified(maker *m, licet_error *err);
json_t *report_section_unrecorded(maker *m, licet_error *err);
json_t *report_section_coverage(maker *m, uint64_t applied);

struct licet_report {
    json_t *root;
    char *dir; /* of the site, for the command that checks; NULL: not known */
};

#endif
