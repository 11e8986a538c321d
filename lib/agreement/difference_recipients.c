/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Difference of recipients and of what a version says of them.
 */
#include "difference.h"

/* ---- recipients ---------------------------------------------------------------------------- */

void
differ_put_classes(licet_buffer *out, uint32_t set)
{
    bool first = true;

    for (unsigned class = 0; class < LICET_CLASSES_LEN; class ++) {
        if ((set >> class & 1) != 0) {
            licet_put_format(out, "%s%s", first ? "" : ", ", licet_class_name(class));
            first = false;
        }
    }
}

static int
recipient_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return differ_order(a, a->recipients[x].id, b, b->recipients[y].id);
}

static about
recipient_of(const licet_image *image, uint32_t row)
{
    return (about){LICET_SUBJECT_RECIPIENT, differ_text(image, image->recipients[row].id), 0};
}

static void
put_recipient(licet_buffer *out, const licet_image *image, uint32_t row)
{
    const licet_image_recipient *recipient = &image->recipients[row];
    licet_bytes country = differ_text(image, recipient->country);

    licet_put_format(out, "recipient %.*s (%s%s%.*s", SHOWN(differ_text(image, recipient->id)),
                     licet_class_name(recipient->kind), country.len > 0 ? ", " : "", SHOWN(country));
    if (recipient->entity != row) {
        licet_put_format(out, ", of %.*s", SHOWN(differ_text(image, image->recipients[recipient->entity].id)));
    }
    licet_put_format(out, ")");
    if (recipient->accepted_ms != UINT64_MAX) {
        licet_put_format(out, " accepted the terms %s", differ_time(recipient->accepted_ms).text);
    }
}

static void
recipient_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_recipient *recipient = &image->recipients[row];
    about what = recipient_of(image, row);

    what.from_ms = sign == '+' ? recipient->from_ms : 0;
    licet_put_format(d->out, "%c ", sign);
    put_recipient(d->out, image, row);
    if (recipient->from_ms != 0) {
        licet_put_format(d->out, " from %s", differ_time(recipient->from_ms).text);
    }
    if (recipient->before_ms != UINT64_MAX) {
        licet_put_format(d->out, " before %s", differ_time(recipient->before_ms).text);
    }
    differ_line(d, differ_action(sign), &what);
}

static void
recipient_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_recipient *a = &d->old_image->recipients[x], *b = &d->new_image->recipients[y];
    about what = recipient_of(d->new_image, y), shown = what;

    if (a->accepted_ms != b->accepted_ms) {
        shown.from_ms = a->accepted_ms < b->accepted_ms ? a->accepted_ms : b->accepted_ms;
    }
    differ_as_shown(d, put_recipient, &shown, x, y);
    differ_froms(d, &what, "from", a->from_ms, b->from_ms);
    differ_befores(d, &what, "before", a->before_ms, b->before_ms);
}

const row_kind differ_recipients = {recipient_order, recipient_show, recipient_compare};

/* ---- what a version says of recipients -------------------------------------------------------- */

static licet_bytes
clause_of(const licet_image *image, uint32_t row)
{
    return row == LICET_NONE ? LICET_BYTES_LITERAL("none") : differ_text(image, image->clauses[row].key);
}

static void
compare_clauses(differ *d, const char *field, uint32_t x, uint32_t y)
{
    about what = {LICET_SUBJECT_VERSION, differ_version_name(d), 0};
    licet_bytes was = clause_of(d->old_image, x), is = clause_of(d->new_image, y);

    if (!licet_bytes_equal(was, is)) {
        licet_put_format(d->out, "~ version %.*s: %s %.*s -> %.*s", SHOWN(what.id), field, SHOWN(was), SHOWN(is));
        differ_line(d, LICET_ACTION_CHANGED, &what);
    }
}

void
differ_recipient_rules(differ *d, const licet_image_version *a, const licet_image_version *b)
{
    about what = {LICET_SUBJECT_VERSION, differ_version_name(d), 0};

    differ_words(d, &what, "use cases not declared", differ_rule(a->use_case_not_declared),
                 differ_rule(b->use_case_not_declared));
    compare_clauses(d, "clause of use cases", a->use_case_clause, b->use_case_clause);
    differ_words(d, &what, "recipients not declared", differ_rule(a->recipient_not_declared),
                 differ_rule(b->recipient_not_declared));
    differ_words(d, &what, "recipients not registered", differ_rule(a->recipient_not_registered),
                 differ_rule(b->recipient_not_registered));
    compare_clauses(d, "clause of recipients", a->recipient_clause, b->recipient_clause);
    compare_clauses(d, "clause of their acceptance", a->acceptance_clause, b->acceptance_clause);
    compare_clauses(d, "clause of embargoes", a->embargo_clause, b->embargo_clause);
}

/* ---- embargoed countries ------------------------------------------------------------------------ */

static int
embargoed_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return differ_order(a, a->embargoed[x], b, b->embargoed[y]);
}

static void
embargoed_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    about what = {LICET_SUBJECT_EMBARGO, differ_text(image, image->embargoed[row]), 0};

    licet_put_format(d->out, "%c embargo on %.*s in version %.*s", sign, SHOWN(what.id), SHOWN(differ_version_name(d)));
    differ_line(d, differ_action(sign), &what);
}

static void
embargoed_compare(differ *d, uint32_t x, uint32_t y)
{
    (void)d;
    (void)x;
    (void)y; /* a country is all that a row says */
}

const row_kind differ_embargoed = {embargoed_order, embargoed_show, embargoed_compare};

/* ---- grants: notices and approvals that hold ------------------------------------------------------ */

static licet_bytes
grant_use_case(const licet_image *image, const licet_image_grant *grant)
{
    return grant->use_case == LICET_NONE ? licet_bytes_of(NULL, 0)
                                         : differ_text(image, image->use_cases[grant->use_case].id);
}

static int
grant_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    const licet_image_grant *l = &a->grants[x], *r = &b->grants[y];
    int order = differ_order(a, a->recipients[l->recipient].id, b, b->recipients[r->recipient].id);

    order = order != 0 ? order : licet_bytes_order(grant_use_case(a, l), grant_use_case(b, r));
    return order != 0 ? order : (l->from_ms > r->from_ms) - (l->from_ms < r->from_ms);
}

static void
grant_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_grant *grant = &image->grants[row];
    about what = {LICET_SUBJECT_GRANT, differ_text(image, image->recipients[grant->recipient].id),
                  sign == '+' ? grant->from_ms : 0};
    licet_bytes use_case = grant_use_case(image, grant);

    licet_put_format(d->out, "%c granted to recipient %.*s%s%.*s from %s", sign, SHOWN(what.id),
                     use_case.len > 0 ? " for use case " : "", SHOWN(use_case), differ_time(grant->from_ms).text);
    if (grant->before_ms != UINT64_MAX) {
        licet_put_format(d->out, " before %s", differ_time(grant->before_ms).text);
    }
    licet_put_format(d->out, " in version %.*s", SHOWN(differ_version_name(d)));
    differ_line(d, differ_action(sign), &what);
}

static void
grant_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_grant *a = &d->old_image->grants[x], *b = &d->new_image->grants[y];
    about what = {LICET_SUBJECT_GRANT, differ_text(d->new_image, d->new_image->recipients[b->recipient].id), 0};

    differ_befores(d, &what, "before", a->before_ms, b->before_ms);
}

static const row_kind grants = {grant_order, grant_show, grant_compare};

/* ---- rules on government recipients --------------------------------------------------------------- */

static int
government_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    const licet_image_government *l = &a->government[x], *r = &b->government[y];
    int order = differ_order(a, a->clauses[l->clause].key, b, b->clauses[r->clause].key);

    order = order != 0 ? order : (l->needs > r->needs) - (l->needs < r->needs);
    order = order != 0 ? order : (l->flow > r->flow) - (l->flow < r->flow);
    return order != 0 ? order : (l->classes > r->classes) - (l->classes < r->classes);
}

static void
government_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    static const char *const needs[] = {[LICET_NEEDS_NOTICE] = "a notice is needed for",
                                        [LICET_NEEDS_APPROVAL] = "an approval is needed for",
                                        [LICET_NEEDS_NEVER] = "never for"};
    const licet_image_government *rule = &image->government[row];
    const licet_range none = {0, 0};
    about what = {LICET_SUBJECT_GOVERNMENT, differ_text(image, image->clauses[rule->clause].key), 0};

    licet_put_format(d->out, "%c rule %.*s: %s ", sign, SHOWN(what.id), needs[rule->needs]);
    differ_put_classes(d->out, rule->classes);
    if (rule->flow != LICET_NONE) {
        licet_put_format(d->out, ", flow %s", differ_flow(rule->flow));
    }
    licet_put_format(d->out, " in version %.*s", SHOWN(differ_version_name(d)));
    differ_line(d, differ_action(sign), &what);
    differ_match(d, sign == '+' ? none : rule->grants, sign == '+' ? rule->grants : none, &grants);
}

static void
government_compare(differ *d, uint32_t x, uint32_t y)
{
    differ_match(d, d->old_image->government[x].grants, d->new_image->government[y].grants, &grants);
}

const row_kind differ_government = {government_order, government_show, government_compare};
