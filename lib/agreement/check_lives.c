/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Check lives: what apps.yaml says over time.
 *
 *  (1) Times are half-open, and one that ends ends after it begins.
 *  (2) An app feeds a product once at a time.
 *  (3) The steps of a use case follow each other in time and as this table allows:
 *
 *        nothing, withdrawn   ──► draft, submitted, approved
 *        draft                ──► submitted, withdrawn
 *        submitted            ──► approved, changed, rejected, withdrawn
 *        approved             ──► changed, withdrawn, rejected
 *        changed              ──► submitted, approved, rejected, withdrawn
 *        rejected             ──► changed, submitted, withdrawn
 *
 *  (4) No app has more credentials valid at one time than each version in force then allows.
 */
#include "terms.h"

#include <stdio.h>
#include <stdlib.h>

#define QUOTED(scalar) licet_quote_of((scalar).text).text
#define BIT(state) (1u << LICET_USE_CASE_##state)

static void
check_span(licet_reader *reader, const char *context, const licet_number *from, const licet_number *before)
{
    if (from->said.line != 0 && before->said.line != 0 && before->value <= from->value) {
        licet_reader_say(reader, &before->said, context, "before \"%s\": expected a time after from \"%s\"",
                         QUOTED(before->said), QUOTED(from->said));
    }
}

/* ---- products ------------------------------------------------------------------ */

static void
check_fed(licet_reader *reader, const char *context, const licet_terms_apps *apps, const licet_terms_app *app,
          uint32_t i)
{
    const licet_terms_fed *fed = LICET_TERMS_ROW(licet_terms_fed, app->products, i);
    char inner[LICET_CONTEXT_MAX];

    licet_context_of(inner, "%sproduct %s: ", context, QUOTED(fed->name));
    check_span(reader, inner, &fed->from, &fed->before);
    if (apps->registered.len > 0 && licet_names_find(&apps->registered_names, fed->name.text) == LICET_NONE) {
        licet_reader_say(reader, &fed->name, context, "product \"%s\" is not among the products of this file",
                         QUOTED(fed->name));
    }
    for (uint32_t j = 0; j < i && i < LICET_ENDPOINTS_MAX; j++) {
        const licet_terms_fed *other = LICET_TERMS_ROW(licet_terms_fed, app->products, j);
        if (licet_bytes_equal(other->name.text, fed->name.text) && other->from.value < fed->before.value &&
            fed->from.value < other->before.value) {
            licet_reader_say(reader, &fed->name, context, "products names \"%s\" twice%s", QUOTED(fed->name),
                             fed->from.said.line != 0 || fed->before.said.line != 0 ? " for the same time" : "");
            break;
        }
    }
}

/* ---- tokens: (4) ------------------------------------------------------------------ */

static int
compare_from(const void *left, const void *right)
{
    const licet_terms_credential *a = *(const licet_terms_credential *const *)left;
    const licet_terms_credential *b = *(const licet_terms_credential *const *)right;
    int order = (a->from.value > b->from.value) - (a->from.value < b->from.value);

    return order != 0 ? order : (a > b) - (a < b);
}

static int
compare_before(const void *left, const void *right)
{
    const licet_terms_credential *a = *(const licet_terms_credential *const *)left;
    const licet_terms_credential *b = *(const licet_terms_credential *const *)right;
    int order = (a->before.value > b->before.value) - (a->before.value < b->before.value);

    return order != 0 ? order : (a > b) - (a < b);
}

/* from and before are the app's credentials by when they begin and by when they end. */
static void
check_tokens_of(licet_reader *reader, const licet_terms_version *version, const licet_terms_app *app,
                const licet_terms_credential **from, const licet_terms_credential **before)
{
    const licet_number *end = &version->in_force.before;
    uint32_t ended = 0;

    for (uint32_t begun = 0; begun < app->credentials.len; begun++) {
        uint64_t at = from[begun]->from.value;

        at = at < version->in_force.from.value ? version->in_force.from.value : at;
        if (at >= end->value) {
            return;
        }
        while (ended < app->credentials.len && before[ended]->before.value <= at) {
            ended++;
        }
        if (begun + 1 > ended && begun + 1 - ended > version->tokens.most_per_app.value) {
            licet_reader_say(reader, &from[begun]->id, "",
                             "app %s: credential %s is one of %u that are valid at one time: version %s allows %llu "
                             "an app (%s)",
                             QUOTED(app->key), QUOTED(from[begun]->id), begun + 1 - ended, QUOTED(version->id),
                             (unsigned long long)version->tokens.most_per_app.value, QUOTED(version->tokens.clause));
            return;
        }
    }
}

static void
check_tokens(licet_reader *reader, const licet_terms_agreement *agreement, const licet_terms_app *app)
{
    uint32_t len = app->credentials.len;
    const licet_terms_credential **from = calloc(2 * (size_t)len + 1, sizeof(*from)), **before = from + len;

    if (from == NULL) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < len; i++) {
        from[i] = before[i] = LICET_TERMS_ROW(licet_terms_credential, app->credentials, i);
    }
    qsort(from, len, sizeof(*from), compare_from);
    qsort(before, len, sizeof(*before), compare_before);
    for (uint32_t i = 0; i < agreement->versions_len; i++) {
        const licet_terms_version *version = &agreement->versions[i];
        if (!version->file.broken && version->tokens.most_per_app.value > 0) {
            check_tokens_of(reader, version, app, from, before);
        }
    }
    free(from);
}

static void
check_app(licet_reader *reader, const licet_terms_agreement *agreement, const licet_terms_app *app)
{
    char context[LICET_CONTEXT_MAX];

    licet_context_of(context, "app %s: ", QUOTED(app->key));
    check_span(reader, context, &app->from, &app->before);
    for (uint32_t i = 0; i < app->products.len; i++) {
        check_fed(reader, context, &agreement->apps, app, i);
    }
    check_tokens(reader, agreement, app);
}

/* ---- use cases --------------------------------------------------------------------- */

/* What may follow a state; LICET_USE_CASE_STATES_LEN stands for none so far. (3) */
static const uint32_t follows[LICET_USE_CASE_STATES_LEN + 1] = {
    [LICET_USE_CASE_DRAFT] = BIT(SUBMITTED) | BIT(WITHDRAWN),
    [LICET_USE_CASE_SUBMITTED] = BIT(APPROVED) | BIT(CHANGED) | BIT(REJECTED) | BIT(WITHDRAWN),
    [LICET_USE_CASE_APPROVED] = BIT(CHANGED) | BIT(WITHDRAWN) | BIT(REJECTED),
    [LICET_USE_CASE_CHANGED] = BIT(SUBMITTED) | BIT(APPROVED) | BIT(REJECTED) | BIT(WITHDRAWN),
    [LICET_USE_CASE_WITHDRAWN] = BIT(DRAFT) | BIT(SUBMITTED) | BIT(APPROVED),
    [LICET_USE_CASE_REJECTED] = BIT(CHANGED) | BIT(SUBMITTED) | BIT(WITHDRAWN),
    [LICET_USE_CASE_STATES_LEN] = BIT(DRAFT) | BIT(SUBMITTED) | BIT(APPROVED),
};

static void
say_not_followed(licet_reader *reader, const char *context, const licet_terms_step *step, uint64_t before)
{
    char expected[128];
    size_t len = 0;

    for (unsigned state = 0; state < LICET_USE_CASE_STATES_LEN; state++) {
        if ((follows[before] >> state & 1) != 0) {
            bool last = follows[before] >> (state + 1) == 0;
            len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%s%s",
                                    len == 0 ? ""
                                    : last   ? " or "
                                             : ", ",
                                    licet_terms_state_name(state));
        }
    }
    if (before == LICET_USE_CASE_STATES_LEN) {
        licet_reader_say(reader, &step->state.said, context, "life begins with \"%s\": expected %s",
                         QUOTED(step->state.said), expected);
    } else {
        licet_reader_say(reader, &step->state.said, context, "\"%s\" follows %s: expected %s", QUOTED(step->state.said),
                         licet_terms_state_name(before), expected);
    }
}

static void
check_life(licet_reader *reader, const char *context, const licet_terms_use_case *use_case)
{
    const licet_terms_step *before = NULL;

    for (uint32_t i = 0; i < use_case->life.len; i++) {
        const licet_terms_step *step = LICET_TERMS_ROW(licet_terms_step, use_case->life, i);
        uint64_t state = before == NULL ? LICET_USE_CASE_STATES_LEN : before->state.value;

        if (step->state.said.line == 0 || step->at.said.line == 0) {
            return;
        }
        if ((follows[state] >> step->state.value & 1) == 0) {
            say_not_followed(reader, context, step, state);
            return;
        }
        if (before != NULL && step->at.value <= before->at.value) {
            licet_reader_say(reader, &step->at.said, context, "%s at \"%s\": expected a time after %s at \"%s\"",
                             licet_terms_state_name(step->state.value), QUOTED(step->at.said),
                             licet_terms_state_name(before->state.value), QUOTED(before->at.said));
        }
        before = step;
    }
}

static void
check_use_case(licet_reader *reader, const licet_terms_use_case *use_case)
{
    char context[LICET_CONTEXT_MAX];

    licet_context_of(context, "use case %s: ", QUOTED(use_case->key));
    check_span(reader, context, &use_case->approved.from, &use_case->approved.before);
    if (use_case->life.len > 0 && use_case->approved.from.said.line != 0) {
        licet_reader_say(reader, &use_case->key, context,
                         "has both approved and life: approved is the short form of "
                         "a life, expected one of them");
    }
    check_life(reader, context, use_case);
}

void
licet_terms_check_lives(licet_reader *reader, const licet_terms_agreement *agreement)
{
    const licet_terms_apps *apps = &agreement->apps;
    char context[LICET_CONTEXT_MAX];

    for (uint32_t i = 0; i < apps->registered.len; i++) {
        const licet_terms_product *product = LICET_TERMS_ROW(licet_terms_product, apps->registered, i);
        licet_context_of(context, "product %s: ", QUOTED(product->key));
        check_span(reader, context, &product->from, &product->before);
    }
    for (uint32_t i = 0; i < apps->apps.len; i++) {
        check_app(reader, agreement, LICET_TERMS_ROW(licet_terms_app, apps->apps, i));
    }
    for (uint32_t i = 0; i < apps->use_cases.len; i++) {
        check_use_case(reader, LICET_TERMS_ROW(licet_terms_use_case, apps->use_cases, i));
    }
}
