/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Check recipients: what apps.yaml says of them, and what a version asks of them, among themselves.
 *
 *  (1) Chains of 'entity' are followed LICET_PART_OF_MAX steps at most: a longer one and a cycle are told apart by
 *      meeting the first recipient again.
 */
#include "terms.h"

#define GOVERNMENT_MAX 16u /* rules of one version: each is judged at each request */
#define QUOTED(scalar) licet_quote_of((scalar).text).text

/* ---- apps.yaml -------------------------------------------------------------------- */

static void
check_chain(licet_reader *reader, const char *context, const licet_terms_apps *apps,
            const licet_terms_recipient *recipient)
{
    const licet_terms_recipient *at = recipient;

    for (uint32_t steps = 0; at != NULL; steps++, at = licet_terms_part_of(apps, at)) {
        if (steps > 0 && at == recipient) {
            licet_reader_say(reader, &recipient->entity, context, "entity \"%s\" is part of %s itself",
                             QUOTED(recipient->entity), QUOTED(recipient->key));
            return;
        }
        if (steps > LICET_PART_OF_MAX) {
            licet_reader_say(reader, &recipient->entity, context,
                             "entity \"%s\": expected at most %u steps from a recipient to its entity",
                             QUOTED(recipient->entity), LICET_PART_OF_MAX);
            return;
        }
    }
}

static void
check_use_case(licet_reader *reader, const char *context, const licet_terms_apps *apps, const licet_scalar *name)
{
    if (name->line != 0 && !licet_bytes_equal_text(name->text, LICET_USE_CASE_ALL) &&
        licet_names_find(&apps->use_case_names, name->text) == LICET_NONE) {
        licet_reader_say(reader, name, context, "use_case \"%s\": expected all, or one of use_cases", QUOTED(*name));
    }
}

static void
check_order(licet_reader *reader, const char *context, const char *what, const licet_number *later,
            const char *than_what, const licet_number *earlier, bool may_be_equal)
{
    if (later->said.line != 0 && earlier->said.line != 0 &&
        (later->value < earlier->value || (later->value == earlier->value && !may_be_equal))) {
        licet_reader_say(reader, &later->said, context, "%s \"%s\": expected a time %s %s \"%s\"", what,
                         QUOTED(later->said), may_be_equal ? "not before" : "after", than_what, QUOTED(earlier->said));
    }
}

static void
check_grants(licet_reader *reader, const licet_terms_apps *apps, const licet_terms_recipient *recipient)
{
    char context[LICET_CONTEXT_MAX];

    for (uint32_t i = 0; i < recipient->notices.len; i++) {
        const licet_terms_notice *notice = LICET_TERMS_ROW(licet_terms_notice, recipient->notices, i);
        licet_context_of(context, "recipient %s: notice %u: ", QUOTED(recipient->key), i + 1);
        check_use_case(reader, context, apps, &notice->use_case);
        check_order(reader, context, "received", &notice->received, "given", &notice->given, true);
        check_order(reader, context, "objected", &notice->objected, "given", &notice->given, true);
    }
    for (uint32_t i = 0; i < recipient->approvals.len; i++) {
        const licet_terms_approval *approval = LICET_TERMS_ROW(licet_terms_approval, recipient->approvals, i);
        licet_context_of(context, "recipient %s: approval %u: ", QUOTED(recipient->key), i + 1);
        check_use_case(reader, context, apps, &approval->use_case);
        check_order(reader, context, "before", &approval->before, "from", &approval->from, false);
    }
}

static void
check_recipient(licet_reader *reader, const licet_terms_apps *apps, const licet_terms_recipient *recipient)
{
    const licet_rows *lists[] = {&recipient->notices, &recipient->approvals};
    static const char *const nouns[] = {"notices", "approvals"};
    char context[LICET_CONTEXT_MAX];

    licet_context_of(context, "recipient %s: ", QUOTED(recipient->key));
    check_order(reader, context, "before", &recipient->before, "from", &recipient->from, false);
    if (recipient->entity.line != 0) {
        if (licet_terms_part_of(apps, recipient) == NULL) {
            licet_reader_say(reader, &recipient->entity, context, "entity \"%s\" is not among the recipients",
                             QUOTED(recipient->entity));
        } else {
            check_chain(reader, context, apps, recipient);
        }
        for (size_t i = 0; i < 2; i++) {
            if (lists[i]->len > 0) {
                licet_reader_say(reader, &recipient->key, context, "%s are given for an entity: expected them with %s",
                                 nouns[i], QUOTED(recipient->entity));
            }
        }
    }
    check_grants(reader, apps, recipient);
}

static void
check_named(licet_reader *reader, const char *context, const licet_terms_apps *apps, const licet_scalar *name)
{
    if (name->line != 0 && licet_names_find(&apps->recipient_names, name->text) == LICET_NONE) {
        licet_reader_say(reader, name, context, "recipient \"%s\" is not among the recipients", QUOTED(*name));
    }
}

void
licet_terms_check_recipients(licet_reader *reader, const licet_terms_apps *apps)
{
    char context[LICET_CONTEXT_MAX];
    uint32_t all = licet_names_find(&apps->use_case_names, LICET_BYTES_LITERAL(LICET_USE_CASE_ALL));

    for (uint32_t i = 0; i < apps->recipients.len; i++) {
        check_recipient(reader, apps, LICET_TERMS_ROW(licet_terms_recipient, apps->recipients, i));
    }
    if (apps->recipients.len > 0 && all != LICET_NONE) {
        licet_reader_say(reader, &LICET_TERMS_ROW(licet_terms_use_case, apps->use_cases, all)->key, "",
                         "use case \"all\": expected another name: in notices and approvals it means every use case");
    }
    for (uint32_t i = 0; i < apps->apps.len; i++) {
        const licet_terms_app *app = LICET_TERMS_ROW(licet_terms_app, apps->apps, i);
        licet_context_of(context, "app %s: ", QUOTED(app->key));
        check_named(reader, context, apps, &app->recipient);
        for (uint32_t j = 0; j < app->credentials.len; j++) {
            const licet_terms_credential *credential = LICET_TERMS_ROW(licet_terms_credential, app->credentials, j);
            licet_context_of(context, "app %s: credential %s: ", QUOTED(app->key), QUOTED(credential->id));
            check_named(reader, context, apps, &credential->recipient);
        }
    }
}

/* ---- a version ---------------------------------------------------------------------- */

static void
check_clause(licet_reader *reader, const char *context, const char *field, const licet_terms_version *version,
             const licet_scalar *key)
{
    if (key->line != 0 && licet_names_find(&version->clause_names, key->text) == LICET_NONE) {
        licet_reader_say(reader, key, context, "%s \"%s\" is not among the clauses of this version", field,
                         QUOTED(*key));
    }
}

static void
check_government(licet_reader *reader, const licet_terms_version *version, const licet_terms_government *rule,
                 uint32_t number)
{
    char context[LICET_CONTEXT_MAX];

    licet_context_of(context, "government %u: ", number);
    check_clause(reader, context, "clause", version, &rule->clause);
    if (rule->needs.said.line != 0 && rule->needs.value != LICET_NEEDS_NOTICE) {
        if (rule->objection.line != 0) {
            licet_reader_say(reader, &rule->objection, context, "objection goes with needs: notice");
        }
        if (rule->silence.said.line != 0) {
            licet_reader_say(reader, &rule->silence.said, context, "silence goes with needs: notice");
        }
    }
    if (rule->objection.line != 0 && rule->period.unit == LICET_PERIOD_BUSINESS_DAYS &&
        version->calendar.business.said.line == 0) {
        licet_reader_say(reader, &rule->objection, context,
                         "objection \"%s\": expected calendar.business_days to say which days count",
                         QUOTED(rule->objection));
    }
}

static void
check_examples(licet_reader *reader, const licet_terms_agreement *agreement, const licet_terms_version *version)
{
    char context[LICET_CONTEXT_MAX];

    for (uint32_t i = 0; i < version->examples.len; i++) {
        const licet_terms_example *example = LICET_TERMS_ROW(licet_terms_example, version->examples, i);
        licet_context_of(context, "example %u: ", i + 1);
        check_clause(reader, context, "clause", version, &example->clause);
        if (example->app.line != 0 && agreement->has_apps && !agreement->apps.file.broken &&
            licet_names_find(&agreement->apps.app_names, example->app.text) == LICET_NONE) {
            licet_reader_say(reader, &example->app, context, "app \"%s\" is not in apps.yaml", QUOTED(example->app));
        }
    }
}

void
licet_terms_check_recipient_rules(licet_reader *reader, const licet_terms_agreement *agreement,
                                  const licet_terms_version *version)
{
    check_clause(reader, "recipients: ", "clause", version, &version->recipients.clause);
    check_clause(reader, "recipients: ", "must_accept", version, &version->recipients.must_accept);
    check_clause(reader, "use_cases: ", "clause", version, &version->use_cases.clause);
    check_clause(reader, "embargo: ", "clause", version, &version->embargo.clause);
    for (uint32_t i = 0; i < version->government.len; i++) {
        check_government(reader, version, LICET_TERMS_ROW(licet_terms_government, version->government, i), i + 1);
    }
    if (version->government.len > GOVERNMENT_MAX) {
        licet_reader_say(reader, &LICET_TERMS_ROW(licet_terms_government, version->government, 0)->key, "",
                         "government has %u rules: expected at most %u", version->government.len, GOVERNMENT_MAX);
    }
    check_examples(reader, agreement, version);
}
