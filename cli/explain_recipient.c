/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules on recipients found: who it is, whether it accepted the terms, embargo, each rule on governments.
 *
 *  (1) Nothing is judged here: what refuses is read from the verdict, or asked of the same functions that decide asks.
 */
#include "explain.h"
#include "site.h"

#include <string.h>

#define TEXT(t) (int)licet_image_text(image, (t)).len, (const char *)licet_image_text(image, (t)).data
#define BYTES(b) (int)(b).len, (const char *)(b).data

static const char *const class_names[LICET_CLASSES_LEN] = {
    "public", "person", "company", "academic", "government", "acting for a government", "surveillance", "embargoed"};

static bool
refuses(const licet_explanation *e, licet_reason reason)
{
    return (e->verdict.reasons >> reason & 1) != 0;
}

static bool
asks(const licet_image_version *version)
{
    return version->recipient_not_declared == LICET_RULE_REFUSE ||
           version->recipient_not_registered == LICET_RULE_REFUSE || version->acceptance_clause != LICET_NONE ||
           version->embargo_clause != LICET_NONE || version->government.count > 0;
}

static void
explain_who(const licet_image *image, const licet_facts *facts, licet_explanation *e)
{
    const licet_image_version *version = &image->versions[e->verdict.version];
    licet_bytes name = e->verdict.recipient;
    const licet_image_recipient *who;
    const char *outcome;

    if (name.len == 0) {
        licet_explain_add(e, "recipient", refuses(e, LICET_REASON_RECIPIENT_NOT_DECLARED) ? "refuse" : "record",
                          version->recipient_clause, "none is declared, and nothing else gives one");
        return;
    }
    outcome = refuses(e, LICET_REASON_RECIPIENT_UNKNOWN) ? "refuse" : "record";
    if (e->verdict.registered == LICET_NONE) {
        licet_explain_add(e, "recipient", outcome, version->recipient_clause, "%.*s is not registered", BYTES(name));
        return;
    }
    who = &image->recipients[e->verdict.registered];
    if (facts->time_ms < who->from_ms || facts->time_ms >= who->before_ms) {
        licet_explain_add(e, "recipient", outcome, version->recipient_clause, "%.*s is not registered at this time",
                          BYTES(name));
        return;
    }
    licet_explain_add(e, "recipient", "pass", LICET_NONE, "%.*s is registered as %s%s%.*s%s", BYTES(name),
                      class_names[who->kind], who->country.len > 0 ? ", country " : "", TEXT(who->country),
                      facts->recipient.len > 0 && !licet_bytes_equal(facts->recipient, name)
                          ? ": so says the credential, and what was declared is no part of it"
                          : "");
}

static void
explain_acceptance(const licet_image *image, const licet_facts *facts, licet_explanation *e)
{
    const licet_image_version *version = &image->versions[e->verdict.version];
    const licet_image_recipient *who = &image->recipients[e->verdict.registered];
    char accepted[LICET_TIME_TEXT];

    if (version->acceptance_clause == LICET_NONE) {
        return;
    }
    if (who->kind == LICET_CLASS_PUBLIC) {
        licet_explain_add(e, "acceptance", "skip", version->acceptance_clause, "the public accepts no terms");
    } else if (who->accepted_ms == UINT64_MAX) {
        licet_explain_add(e, "acceptance", "refuse", version->acceptance_clause, "%.*s has not accepted the terms",
                          TEXT(who->id));
    } else {
        licet_cli_time(who->accepted_ms, accepted);
        licet_explain_add(e, "acceptance", who->accepted_ms > facts->time_ms ? "refuse" : "pass",
                          version->acceptance_clause, "%.*s accepted the terms at %s", TEXT(who->id), accepted);
    }
}

static void
explain_embargo(const licet_image *image, licet_explanation *e)
{
    const licet_image_version *version = &image->versions[e->verdict.version];
    uint32_t embargoed = licet_image_embargoed(image, version, e->verdict.registered);

    if (embargoed != LICET_NONE) {
        licet_explain_add(e, "embargo", "refuse", version->embargo_clause, "%.*s lies in %.*s, which is embargoed",
                          TEXT(image->recipients[embargoed].id), TEXT(image->recipients[embargoed].country));
    } else if (refuses(e, LICET_REASON_RECIPIENT_EMBARGOED)) {
        licet_explain_add(e, "embargo", "refuse", version->embargo_clause, "it, or what it is part of, is embargoed");
    } else if (version->embargo_clause != LICET_NONE) {
        licet_explain_add(e, "embargo", "pass", version->embargo_clause, "neither it nor its country is embargoed");
    }
}

static void
explain_government(const licet_image *image, const licet_facts *facts, const licet_image_government *rule,
                   licet_explanation *e)
{
    static const char *const missing[] = {"no notice of it holds yet", "no approval of it holds", "it is never served"};
    const licet_image_recipient *entity = &image->recipients[image->recipients[e->verdict.registered].entity];
    char since[LICET_TIME_TEXT];
    uint32_t grant;

    if (!licet_image_government_binds(image, rule, facts->flow, e->verdict.registered)) {
        licet_explain_add(e, "government", "skip", rule->clause,
                          "it binds another flow or other classes of recipients");
        return;
    }
    grant = licet_image_grant_of(image, rule, e->verdict.registered, e->verdict.use_case, facts->time_ms);
    if (grant == LICET_NONE) {
        licet_explain_add(e, "government", "refuse", rule->clause, "%.*s: %s", TEXT(entity->id), missing[rule->needs]);
        return;
    }
    licet_cli_time(image->grants[grant].from_ms, since);
    licet_explain_add(e, "government", "pass", rule->clause, "%.*s: the %s holds from %s", TEXT(entity->id),
                      rule->needs == LICET_NEEDS_NOTICE ? "notice" : "approval", since);
}

void
licet_explain_recipient(const licet_image *image, const licet_facts *facts, licet_explanation *e)
{
    const licet_image_version *version = &image->versions[e->verdict.version];

    if (refuses(e, LICET_REASON_NO_AGREEMENT) || (!asks(version) && e->verdict.registered == LICET_NONE)) {
        return;
    }
    explain_who(image, facts, e);
    if (e->verdict.registered == LICET_NONE) {
        return;
    }
    explain_acceptance(image, facts, e);
    explain_embargo(image, e);
    for (uint32_t i = 0; i < version->government.count; i++) {
        explain_government(image, facts, &image->government[version->government.first + i], e);
    }
}
