/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terms of documents and duties: what a version says beside what the gate decides, as structs.
 *
 *  (1) A struct keeps the words as they were said beside what they mean: what is shown is what was signed.
 *  (2) Line 0 of said: the file does not say it. Nothing is assumed in its place.
 */
#ifndef LICET_AGREEMENT_TERMS_DUTIES_H
#define LICET_AGREEMENT_TERMS_DUTIES_H

#include "schema.h"

#include "licet/agreement.h"

/* A length of time: 30 days, 24 hours from written request, unlimited. */
typedef struct licet_terms_length {
    licet_scalar said;
    licet_bytes from; /* behind "from"; len 0: nothing */
    enum licet_length_kind {
        LICET_LENGTH_COUNT,       /* count of unit */
        LICET_LENGTH_UNLIMITED,   /* no end */
        LICET_LENGTH_IMMEDIATELY, /* at once */
        LICET_LENGTH_REASONABLE,  /* what the parties find so: no deadline can be reckoned */
    } kind;
    uint32_t count, unit; /* licet_length_unit */
} licet_terms_length;

/* When a report is due after the period it covers. */
typedef struct licet_terms_due {
    licet_scalar said;
    licet_due due;
} licet_terms_due;

typedef struct licet_terms_incorporated {
    licet_scalar key; /* place of the row; no text */
    licet_scalar title, sha256, url;
    licet_number sections, date; /* licet_sections; date's fallback 0: not said */
    licet_rows says;             /* licet_pair: clause, value */
} licet_terms_incorporated;
typedef enum licet_sections {
    LICET_SECTIONS_NONE = 0,
    LICET_SECTIONS_ROMAN = 1,
    LICET_SECTIONS_ARABIC = 2
} licet_sections;

/* What another document says of the same clause. */
typedef struct licet_terms_also {
    licet_scalar key; /* place of the row; no text */
    licet_scalar document, section, value;
} licet_terms_also;

typedef enum licet_precedence { LICET_PRECEDENCE_FIRST = 0, LICET_PRECEDENCE_STRICTEST = 1 } licet_precedence;

typedef struct licet_terms_affiliates {
    licet_scalar test;
    licet_rows included, disputed; /* licet_scalar */
} licet_terms_affiliates;

typedef struct licet_terms_retention {
    licet_terms_length keep, delete_, at_end, evidence;
    licet_scalar clause;
} licet_terms_retention;

typedef struct licet_terms_report {
    licet_scalar key; /* place of the row; no text */
    licet_scalar name, clause;
    licet_number covers; /* licet_covers */
    licet_terms_due due;
    licet_number by; /* licet_duty_of */
} licet_terms_report;

/* One paragraph on audits; a text may hold two that differ, and both are kept. */
typedef struct licet_terms_audit {
    licet_scalar key; /* place of the row; no text */
    licet_scalar clause, costs;
    licet_terms_length look_back, notice, survives;
    struct licet_terms_at_most {
        licet_scalar said;
        uint32_t times, months; /* times 0: unlimited */
    } at_most;
} licet_terms_audit;

typedef struct licet_terms_breach {
    licet_scalar clause;
    licet_terms_length notice, cure;
    licet_number waiver; /* licet_waiver */
} licet_terms_breach;
typedef enum licet_waiver { LICET_WAIVER_WRITTEN = 0, LICET_WAIVER_CONDUCT = 1, LICET_WAIVER_NONE = 2 } licet_waiver;

typedef struct licet_terms_termination {
    licet_scalar clause;
    licet_terms_length notice;
    licet_number by; /* licet_duty_of */
} licet_terms_termination;

struct licet_terms_version;
struct licet_terms_clause;

extern const licet_schema licet_schema_incorporated, licet_schema_also, licet_schema_affiliates;
extern const licet_schema licet_schema_retention, licet_schema_report, licet_schema_breach, licet_schema_termination;
extern const licet_schema licet_schema_audit, licet_schema_business;
extern const licet_word licet_words_precedence[], licet_words_class[], licet_words_severity[];

/* Read functions of fields: then, and audit, which is one paragraph or a list of them. */
void licet_terms_read_then(licet_reader *reader, const char *context, const licet_field *field,
                           const licet_yaml_node *node, void *out);
void licet_terms_read_audit(licet_reader *reader, const char *context, const licet_field *field,
                            const licet_yaml_node *node, void *out);

/* Titles, hashes and what the documents say of clauses; contradictions go to notes. */
void licet_terms_check_documents(licet_reader *reader, licet_reader *notes, const struct licet_terms_version *version);
/* Clauses that duties cite, affiliates, times; audit paragraphs that differ go to notes. */
void licet_terms_check_duties(licet_reader *reader, licet_reader *notes, const struct licet_terms_version *version);

/* "30 days", "24 hours from written request", as said. False: no text. */
bool licet_length_said(const licet_terms_length *length);

#endif
