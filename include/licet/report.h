/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Report: how much each app and product got, from the usage tables, with the
 * evidence it rests on. docs/format/report.schema.json is its schema.
 *
 *  (1) Every list has a row for each registered thing, zero included, and a row with id null for what has none; each
 * list adds up to the totals exactly. (2) Unidentified callers are another ledger's and in no total.
 */
#ifndef LICET_REPORT_H
#define LICET_REPORT_H

#include "licet/agreement.h"
#include "licet/base.h"
#include "licet/ledger.h"
#include "licet/usage.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_REPORT
#error "layer breach: report.h belongs to report/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum licet_edition { LICET_EDITION_INTERNAL, LICET_EDITION_COUNTERPARTY, LICET_EDITION_AUDITOR } licet_edition;

typedef struct licet_report_options {
    const licet_site *site;   /* may be NULL */
    const licet_image *image; /* newest recorded of the agreement: names of registered things; may be NULL */
    const char *agreement;
    uint64_t from_ms, before_ms; /* full hours, half-open */
    licet_edition edition;
    uint64_t as_of_ms;
    licet_checkpoint checkpoint; /* size 0 and origin empty: none signed yet */
    licet_bytes checkpoint_note;
    const char *dir; /* of the site, as it stands in the command that checks the evidence; NULL: the site's own */
} licet_report_options;

typedef struct licet_report licet_report; /* opaque; one json document inside */
bool licet_report_make(licet_usage *usage, const licet_report_options *options, licet_report **out_report,
                       licet_error *err);
void licet_report_free(licet_report *report);
/* Two-space indented JSON ending in LF; text for a terminal 100 columns wide. */
bool licet_report_json(const licet_report *report, licet_buffer *out, licet_error *err);
bool licet_report_text(const licet_report *report, licet_buffer *out, licet_error *err);

#ifdef __cplusplus
}
#endif

#endif
