/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An explained decision: the verdict of licet_decide beside the words that tell how it came about. explain.c makes
 * facts from a command line, explain_rules.c says what each rule found, explain_show.c prints it.
 */
#ifndef LICET_EXPLAIN_H
#define LICET_EXPLAIN_H

#include "licet/base.h"
#include "licet/decide.h"

#include <jansson.h>

#define LICET_RULES_MAX 32

/* What one rule found. */
typedef struct licet_rule_finding {
    const char *rule;    /* endpoint */
    const char *outcome; /* pass, record (it passes, and is noted), skip (does not apply), refuse */
    uint32_t clause;     /* row of the image, or LICET_NONE */
    char text[400];
} licet_rule_finding;

typedef struct licet_explanation {
    licet_verdict verdict;
    bool observe;          /* a refusal is only noted */
    bool in_effect;        /* facts are of a receipt: what was in effect, whoever said it */
    licet_verdict amounts; /* with reserve and limits, also where it was refused */
    licet_rule_finding rules[LICET_RULES_MAX];
    size_t rules_len;
} licet_explanation;

/* Adds what a rule found; explain_rules.c. */
void licet_explain_add(licet_explanation *e, const char *rule, const char *outcome, uint32_t clause, const char *format,
                       ...) __attribute__((format(printf, 5, 6)));
/* What the rules on recipients found, where a version has any or somebody registered the recipient. */
void licet_explain_recipient(const licet_image *image, const licet_facts *facts, licet_explanation *e);

/* Decides and explains. */
void licet_explain(const licet_image *image, const licet_facts *facts, licet_explanation *out);
/* The same of facts that a receipt has. */
void licet_explain_recorded(const licet_image *image, const licet_facts *facts, licet_explanation *out);

/* What is shown of it. */
typedef struct licet_explain_view {
    const char *request, *app, *agreement;
    bool recorded; /* by what is recorded, not by the files */
    const licet_image *image;
    const licet_facts *facts;
    const licet_explanation *explanation;
} licet_explain_view;

void licet_explain_print(const licet_explain_view *view);
/* New references. */
json_t *licet_explain_json(const licet_explain_view *view);
json_t *licet_explain_rules_json(const licet_image *image, const licet_explanation *e);
json_t *licet_explain_clause_json(const licet_image *image, uint32_t clause); /* null: none */

#endif
