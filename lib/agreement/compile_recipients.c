/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compile recipients: who they are, what a version asks of them, and from when to when each rule on governments is met.
 *
 *  (1) A notice grants from the end of the objection period that began when it was received (else: given) until it is
 *      objected to. Where silence means refusal a notice alone grants nothing.
 *  (2) An approval grants for as long as it holds, of a rule that asks for a notice too: it is an answer to one.
 *  (3) Where a rule asks for no notice of each use case, what was given for one holds for all of its entity.
 */
#include "compile.h"

#include <stdlib.h>

uint32_t
compile_recipient(const compiler *c, const licet_scalar *name)
{
    return name->line == 0 ? LICET_NONE : licet_names_rank(&c->agreement->apps.recipient_names, name->text);
}

static const licet_terms_recipient *
recipient_of_rank(const licet_terms_apps *apps, uint32_t rank)
{
    return LICET_TERMS_ROW(licet_terms_recipient, apps->recipients, licet_names_row(&apps->recipient_names, rank));
}

/* ---- recipients ------------------------------------------------------------------- */

static void
put_recipient(compiler *c, uint32_t rank)
{
    const licet_terms_apps *apps = &c->agreement->apps;
    const licet_terms_recipient *recipient = recipient_of_rank(apps, rank), *entity = recipient, *next;
    const licet_scalar *country = NULL;
    licet_image_recipient row = {.id = compile_text(c, recipient->key.text),
                                 .kind = (uint32_t)recipient->kind.value,
                                 .country_row = LICET_NONE,
                                 .part_of = rank,
                                 .from_ms = recipient->from.value,
                                 .before_ms = recipient->before.value,
                                 .accepted_ms = UINT64_MAX};

    for (const licet_terms_recipient *at = recipient; at != NULL; at = next) {
        next = licet_terms_part_of(apps, at);
        entity = at;
        country = country == NULL && at->country.line != 0 ? &at->country : country;
        row.accepted_ms = at->accepted.at.value < row.accepted_ms ? at->accepted.at.value : row.accepted_ms;
    }
    row.entity = licet_names_rank(&apps->recipient_names, entity->key.text);
    if (recipient->entity.line != 0) {
        row.part_of = licet_names_rank(&apps->recipient_names, recipient->entity.text);
    }
    if (country != NULL) {
        row.country = compile_text(c, country->text);
        row.country_row = licet_names_rank(&apps->country_names, country->text);
    }
    PUT(c, recipients, &row);
}

void
compile_recipients(compiler *c)
{
    const licet_terms_apps *apps = &c->agreement->apps;

    for (uint32_t i = 0; i < apps->country_names.len; i++) {
        licet_text name = compile_text(c, apps->country_names.sorted[i]->text);
        PUT(c, countries, &name);
    }
    for (uint32_t i = 0; i < apps->recipient_names.len; i++) {
        put_recipient(c, i);
    }
}

/* ---- grants ------------------------------------------------------------------------ */

static int
compare_grants(const void *left, const void *right)
{
    const licet_image_grant *a = left, *b = right;
    int order = (a->recipient > b->recipient) - (a->recipient < b->recipient);

    order = order != 0 ? order : (a->use_case > b->use_case) - (a->use_case < b->use_case);
    order = order != 0 ? order : (a->from_ms > b->from_ms) - (a->from_ms < b->from_ms);
    return order != 0 ? order : (a->before_ms > b->before_ms) - (a->before_ms < b->before_ms);
}

static uint32_t
use_case_of(const compiler *c, const licet_terms_government *rule, const licet_scalar *name)
{
    return rule->entity_only || licet_bytes_equal_text(name->text, LICET_USE_CASE_ALL)
               ? LICET_NONE
               : licet_names_rank(&c->agreement->apps.use_case_names, name->text);
}

/* (1) */
static uint32_t
grants_of_notices(const compiler *c, const licet_business_calendar *calendar, const licet_terms_government *rule,
                  uint32_t rank, licet_image_grant *out)
{
    const licet_rows *notices = &recipient_of_rank(&c->agreement->apps, rank)->notices;
    uint32_t n = 0;

    for (uint32_t i = 0; i < notices->len && rule->needs.value == LICET_NEEDS_NOTICE && rule->silence.value == 0; i++) {
        const licet_terms_notice *notice = LICET_TERMS_ROW(licet_terms_notice, *notices, i);
        uint64_t began = notice->received.said.line != 0 ? notice->received.value : notice->given.value;
        licet_image_grant grant = {.recipient = rank,
                                   .use_case = use_case_of(c, rule, &notice->use_case),
                                   .from_ms = licet_period_end_ms(calendar, rule->period, began),
                                   .before_ms = notice->objected.value};
        if (grant.from_ms < grant.before_ms) {
            out[n++] = grant;
        }
    }
    return n;
}

/* (2) */
static uint32_t
grants_of_approvals(const compiler *c, const licet_terms_government *rule, uint32_t rank, licet_image_grant *out)
{
    const licet_rows *approvals = &recipient_of_rank(&c->agreement->apps, rank)->approvals;

    for (uint32_t i = 0; i < approvals->len; i++) {
        const licet_terms_approval *approval = LICET_TERMS_ROW(licet_terms_approval, *approvals, i);
        out[i] = (licet_image_grant){.recipient = rank,
                                     .use_case = use_case_of(c, rule, &approval->use_case),
                                     .from_ms = approval->from.value,
                                     .before_ms = approval->before.value};
    }
    return approvals->len;
}

static bool
put_grants(compiler *c, const licet_business_calendar *calendar, const licet_terms_government *rule,
           licet_range *out_range)
{
    const licet_terms_apps *apps = &c->agreement->apps;
    licet_image_grant *grants;
    uint32_t most = 0, n = 0;

    *out_range = (licet_range){ROWS(c, grants, licet_image_grant), 0};
    if (rule->needs.value == LICET_NEEDS_NEVER) {
        return true;
    }
    for (uint32_t i = 0; i < apps->recipient_names.len; i++) {
        const licet_terms_recipient *recipient = recipient_of_rank(apps, i);
        most += recipient->notices.len + recipient->approvals.len;
    }
    grants = calloc((size_t)most + 1, sizeof(*grants));
    if (grants == NULL) {
        return LICET_FAIL(c->err, LICET_E_MEMORY, 0, "no memory for %u notices and approvals", most);
    }
    for (uint32_t i = 0; i < apps->recipient_names.len; i++) {
        n += grants_of_notices(c, calendar, rule, i, grants + n);
        n += grants_of_approvals(c, rule, i, grants + n);
    }
    qsort(grants, n, sizeof(*grants), compare_grants);
    for (uint32_t i = 0; i < n; i++) {
        PUT(c, grants, &grants[i]);
    }
    out_range->count = n;
    free(grants);
    return true;
}

/* ---- a version ------------------------------------------------------------------------ */

static uint32_t
clause_or_none(const compiler *c, const licet_terms_version *version, const licet_scalar *key)
{
    return key->line == 0 ? LICET_NONE : compile_clause(c, version, key->text);
}

bool
compile_recipient_rules(compiler *c, const licet_terms_version *version, licet_image_version *row)
{
    row->use_case_not_declared = (uint32_t)version->use_cases.not_declared.value;
    row->use_case_clause = clause_or_none(c, version, &version->use_cases.clause);
    row->recipient_not_declared = (uint32_t)version->recipients.not_declared.value;
    row->recipient_not_registered = (uint32_t)version->recipients.not_registered.value;
    row->recipient_clause = clause_or_none(c, version, &version->recipients.clause);
    row->acceptance_clause = clause_or_none(c, version, &version->recipients.must_accept);
    row->embargo_clause = clause_or_none(c, version, &version->embargo.clause);
    row->embargoed = (licet_range){ROWS(c, embargoed, licet_text), version->embargo.countries.len};
    for (uint32_t i = 0; i < version->embargo.countries.len; i++) {
        licet_text country = compile_text(c, LICET_TERMS_ROW(licet_scalar, version->embargo.countries, i)->text);
        PUT(c, embargoed, &country);
    }
    row->government = (licet_range){ROWS(c, government, licet_image_government), version->government.len};
    for (uint32_t i = 0; i < version->government.len; i++) {
        const licet_terms_government *rule = LICET_TERMS_ROW(licet_terms_government, version->government, i);
        licet_image_government out = {.clause = compile_clause(c, version, rule->clause.text),
                                      .needs = (uint32_t)rule->needs.value,
                                      .flow = (uint32_t)rule->flow.value,
                                      .classes = rule->classes != 0 ? rule->classes : LICET_CLASSES_OF_GOVERNMENT};
        if (!put_grants(c, &version->calendar.business.calendar, rule, &out.grants)) {
            return false;
        }
        PUT(c, government, &out);
    }
    return true;
}
