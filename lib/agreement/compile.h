/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compile: what the files of the compiler share; see compile.c.
 *
 *  (1) A row is put behind the last of its table; a range names rows that follow each other.
 *  (2) Texts go to one string area, each time anew: rows own their texts.
 */
#ifndef LICET_AGREEMENT_COMPILE_H
#define LICET_AGREEMENT_COMPILE_H

#include "terms.h"

enum {
#define TABLE_ENUM(name, type) TABLE_##name,
    LICET_IMAGE_TABLES(TABLE_ENUM)
#undef TABLE_ENUM
        TABLES_LEN
};

typedef struct compiler {
    const licet_site *site;
    const licet_terms_agreement *agreement;
    const licet_compile_options *options;
    licet_error *err;
    licet_buffer tables[TABLES_LEN];
    licet_bytes kinds[LICET_KINDS_MAX];
    uint32_t kinds_len;
    uint32_t outbound; /* row + 1 of the outbound of all apps that have none of their own; 0: not put yet */
    /* of the version under way */
    uint32_t first_clause;
    uint32_t *endpoint_row; /* image row of each row of its catalogue; owned */
} compiler;

/* Rows that a table has so far. */
#define ROWS(c, table, type) ((uint32_t)((c)->tables[TABLE_##table].len / sizeof(type)))
#define PUT(c, table, row) licet_put_bytes(&(c)->tables[TABLE_##table], licet_bytes_of((row), sizeof(*(row))))

/* compile.c */
licet_text compile_text(compiler *c, licet_bytes bytes);
uint32_t compile_kind(const compiler *c, licet_bytes name);
/* Row of a clause of the version under way; it is there. */
uint32_t compile_clause(const compiler *c, const licet_terms_version *version, licet_bytes key);

/* compile_limits.c: the budgets of apps.yaml and the limits of a version, each in the order of their file. The registry
 * is compiled before; endpoints are the rows of the version's catalogue. */
bool compile_limits(compiler *c, const licet_terms_version *version, licet_range endpoints);
/* Row of the zone of a version's calendar, put when it is new; LICET_NONE: UTC. */
uint32_t compile_zone(compiler *c, const licet_terms_version *version);

/* compile_prices.c: the rate card of a version, and a prepaid credit as limits; payments. */
bool compile_prices(compiler *c, const licet_terms_version *version);
void compile_payments(compiler *c);
/* compile_counting.c: which units of a version are deduplicated. */
void compile_counting(compiler *c, const licet_terms_version *version, licet_range *out_range);
/* compile_duties.c: what is reported when. */
licet_range compile_duties(compiler *c, const licet_terms_version *version);

/* compile_recipients.c: what a version says of recipients, with the grants that meet its rules; and the recipients. */
bool compile_recipient_rules(compiler *c, const licet_terms_version *version, licet_image_version *row);
void compile_recipients(compiler *c);
/* Row of a recipient, or LICET_NONE where it is not said. */
uint32_t compile_recipient(const compiler *c, const licet_scalar *name);

/* compile_registry.c: apps.yaml; rows by name. */
void compile_registry(compiler *c);

/* compile_outbound.c: row of the token that goes up for an app, put there when it is not yet; or LICET_NONE. */
uint32_t compile_outbound(compiler *c, const licet_terms_app *app);

#endif
