/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Difference: what the files of the difference share; see difference.c.
 */
#ifndef LICET_AGREEMENT_DIFFERENCE_H
#define LICET_AGREEMENT_DIFFERENCE_H

#include "blob.h"
#include "names.h"

#include "licet/agreement.h"

#define SHOWN(bytes) (int)(bytes).len, (const char *)((bytes).len == 0 ? (const uint8_t *)"" : (bytes).data)

typedef struct differ {
    const licet_image *old_image, *new_image; /* old_image may be NULL */
    const licet_image_version *old_version, *new_version;
    licet_buffer *out;
    size_t line_at;                /* where the line under way begins */
    licet_difference_lines *lines; /* may be NULL */
    bool failed;
} differ;

typedef struct row_kind {
    /* Order of a row of a and a row of b by what names them. */
    int (*order)(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y);
    /* Lines for a row that came or went. */
    void (*show)(differ *d, char sign, const licet_image *image, uint32_t row);
    /* Lines for what changed between two rows of one name. */
    void (*compare)(differ *d, uint32_t old_row, uint32_t new_row);
} row_kind;

/* What a line is about. from_ms: when it takes effect, 0: with its applying. */
typedef struct about {
    licet_subject subject;
    licet_bytes id;
    uint64_t from_ms;
} about;

/* Ends the line under way. */
void differ_line(differ *d, licet_action action, const about *what);
/* The same for a line on a step in a use case's life. */
void differ_step(differ *d, licet_action action, const about *what, const licet_image_step *step);
/* As said of a sign: '+' added, '-' removed, '~' changed. */
licet_action differ_action(char sign);
/* Pairs the rows of two ranges by their order. */
void differ_match(differ *d, licet_range old_range, licet_range new_range, const row_kind *kind);

licet_bytes differ_text(const licet_image *image, licet_text text);
int differ_order(const licet_image *a, licet_text x, const licet_image *b, licet_text y);

/* A date where the time is a midnight, else a time; 'open' without end. */
typedef struct shown_time {
    char text[LICET_TIME_TEXT];
} shown_time;
shown_time differ_time(uint64_t ms);

/* '~ <subject> <id>: <field> <old> -> <new>' where the two differ. */
void differ_texts(differ *d, const about *what, const char *field, licet_text x, licet_text y);
void differ_words(differ *d, const about *what, const char *field, const char *x, const char *y);
void differ_numbers(differ *d, const about *what, const char *field, uint64_t x, uint64_t y);
/* ENDED where a before comes closer; it takes effect with the earlier of the two. */
void differ_froms(differ *d, const about *what, const char *field, uint64_t x, uint64_t y);
void differ_befores(differ *d, const about *what, const char *field, uint64_t x, uint64_t y);

/* Writes the whole of a row, without sign and line end. */
typedef void (*put_row)(licet_buffer *out, const licet_image *image, uint32_t row);
void differ_show_row(differ *d, char sign, put_row put, const about *what, const licet_image *image, uint32_t row);
/* A row has changed when what is shown of it has. */
void differ_as_shown(differ *d, put_row put, const about *what, uint32_t x, uint32_t y);

/* difference_version.c, _limits.c, _registry.c, _recipients.c */
extern const row_kind differ_versions, differ_limits, differ_zones, differ_payments, differ_products, differ_apps,
    differ_use_cases, differ_credentials, differ_recipients, differ_government, differ_embargoed;
licet_bytes differ_version_name(const differ *d);
/* The clauses that the version's rules on recipients cite, and those rules. */
void differ_recipient_rules(differ *d, const licet_image_version *a, const licet_image_version *b);
void differ_put_classes(licet_buffer *out, uint32_t classes);
const char *differ_flow(uint32_t flow);
const char *differ_rule(uint32_t rule);

#endif
