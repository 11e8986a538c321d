/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each rule found, in the order of licet_decide. Nothing is judged here: whether a rule refuses is read from the
 * verdict, this only finds the words.
 */
#include "explain.h"
#include "site.h"

#include <stdio.h>
#include <string.h>

static bool
refuses(const licet_verdict *verdict, licet_reason reason)
{
    return (verdict->reasons >> reason & 1) != 0;
}

void
licet_explain_add(licet_explanation *e, const char *rule, const char *outcome, uint32_t clause, const char *format, ...)
{
    licet_rule_finding *finding;
    va_list args;

    if (e->rules_len == LICET_RULES_MAX) {
        return;
    }
    finding = &e->rules[e->rules_len++];

    finding->rule = rule;
    finding->outcome = outcome;
    finding->clause = clause;
    va_start(args, format);
    vsnprintf(finding->text, sizeof(finding->text), format, args);
    va_end(args);
}

#define TEXT(t) (int)licet_image_text(image, (t)).len, (const char *)licet_image_text(image, (t)).data
#define BYTES(b) (int)(b).len, (const char *)(b).data

static void
explain_declarations(const licet_facts *facts, licet_explanation *e)
{
    const struct {
        const char *name;
        licet_bytes value;
    } declared[] = {{"use case", facts->use_case}, {"purpose", facts->purpose}, {"recipient", facts->recipient}};
    bool any = false;

    for (size_t i = 0; i < sizeof(declared) / sizeof(declared[0]); i++) {
        any = any || declared[i].value.len > 0;
        if (declared[i].value.len > LICET_NAME_MAX) {
            licet_explain_add(e, "declared values", "refuse", LICET_NONE, "the %s has %zu bytes: expected at most %d",
                              declared[i].name, declared[i].value.len, LICET_NAME_MAX);
            return;
        }
    }
    licet_explain_add(e, "declared values", "pass", LICET_NONE,
                      e->in_effect ? "those in effect have at most %d bytes"
                      : any        ? "none is longer than %d bytes"
                                   : "none is declared",
                      LICET_NAME_MAX);
}

static void
explain_version(const licet_image *image, const licet_facts *facts, licet_explanation *e)
{
    const licet_image_version *version = &image->versions[e->verdict.version];
    char from[LICET_TIME_TEXT], before[LICET_TIME_TEXT], at[LICET_TIME_TEXT];

    licet_cli_time(version->from_ms, from);
    licet_cli_time(facts->time_ms, at);
    if (refuses(&e->verdict, LICET_REASON_NO_AGREEMENT)) {
        licet_explain_add(e, "version", "refuse", LICET_NONE,
                          "none is in force at %s; counted by the catalogue of the earliest, %.*s", at,
                          TEXT(version->id));
    } else if (version->before_ms == UINT64_MAX) {
        licet_explain_add(e, "version", "pass", LICET_NONE, "%.*s is in force, from %s", TEXT(version->id), from);
    } else {
        licet_cli_time(version->before_ms, before);
        licet_explain_add(e, "version", "pass", LICET_NONE, "%.*s is in force, from %s before %s%s", TEXT(version->id),
                          from, before, facts->time_ms >= version->before_ms ? ", and continues" : "");
    }
}

static void
explain_endpoint(const licet_image *image, const licet_facts *facts, licet_explanation *e)
{
    const licet_image_version *version = &image->versions[e->verdict.version];

    if (e->verdict.endpoint != LICET_NONE) {
        licet_explain_add(e, "endpoint", "pass", LICET_NONE, "%.*s lists it as %.*s%s", TEXT(version->catalogue),
                          TEXT(image->endpoints[e->verdict.endpoint].id),
                          e->verdict.metered ? "" : ", where nothing counts but the request");
    } else if (e->in_effect) {
        licet_explain_add(e, "endpoint", refuses(&e->verdict, LICET_REASON_ENDPOINT_UNLISTED) ? "refuse" : "record",
                          LICET_NONE, "%.*s did not list it", TEXT(version->catalogue));
    } else {
        licet_explain_add(e, "endpoint", refuses(&e->verdict, LICET_REASON_ENDPOINT_UNLISTED) ? "refuse" : "record",
                          LICET_NONE, "%.*s does not list %.*s %.*s%s", TEXT(version->catalogue), BYTES(facts->method),
                          BYTES(facts->path),
                          version->unlisted == LICET_RULE_REFUSE ? "" : ": what it brings is booked as unmetered");
    }
}

/* Why a use case is unknown: nobody registered it, or it is of a product the app does not feed. */
static void
explain_unknown_use_case(const licet_image *image, const licet_facts *facts, licet_explanation *e)
{
    const licet_image_app *app = &image->apps[facts->app];
    uint32_t row = facts->use_case.len == 0 ? app->default_use_case : LICET_NONE;

    for (uint32_t i = 0; row == LICET_NONE && i < image->header->use_cases_len; i++) {
        if (licet_bytes_equal(licet_image_text(image, image->use_cases[i].id), facts->use_case)) {
            row = i;
        }
    }
    if (row == LICET_NONE) {
        licet_explain_add(e, "use case", "refuse", LICET_NONE, "\"%.*s\" is not registered", BYTES(facts->use_case));
    } else {
        licet_explain_add(e, "use case", "refuse", LICET_NONE, "%.*s is of product %.*s, which app %.*s does not feed",
                          TEXT(image->use_cases[row].id), TEXT(image->products[image->use_cases[row].product]),
                          TEXT(app->id));
    }
}

static void
explain_use_case(const licet_image *image, const licet_facts *facts, licet_explanation *e)
{
    const licet_image_use_case *use_case;
    const char *whose = e->in_effect ? "in effect" : facts->use_case.len > 0 ? "declared" : "the app's default";
    char approved[LICET_TIME_TEXT];
    uint32_t clause = image->versions[e->verdict.version].use_case_clause;

    if (refuses(&e->verdict, LICET_REASON_USE_CASE_UNKNOWN)) {
        explain_unknown_use_case(image, facts, e);
        return;
    }
    if (refuses(&e->verdict, LICET_REASON_USE_CASE_NOT_DECLARED)) {
        licet_explain_add(e, "use case", "refuse", clause, "none is declared and the app has no default");
        return;
    }
    if (e->verdict.use_case == LICET_NONE) {
        licet_explain_add(e, "use case", "record", LICET_NONE,
                          "none is declared and the app has no default: unattributed");
        return;
    }
    use_case = &image->use_cases[e->verdict.use_case];
    if (licet_image_approved_from_ms(image, use_case) == UINT64_MAX) {
        licet_explain_add(e, "use case", "refuse", clause, "%.*s (%s) is not approved", TEXT(use_case->id), whose);
        return;
    }
    if (refuses(&e->verdict, LICET_REASON_USE_CASE_OTHER_PURPOSE)) {
        licet_explain_add(e, "use case", "refuse", clause, "%.*s (%s) is for purpose %.*s, not for %.*s",
                          TEXT(use_case->id), whose, TEXT(use_case->purpose), BYTES(facts->purpose));
    }
    licet_cli_time(licet_image_approved_from_ms(image, use_case), approved);
    if (refuses(&e->verdict, LICET_REASON_USE_CASE_NOT_APPROVED)) {
        licet_explain_add(e, "use case", "refuse", clause, "%.*s (%s) is not approved before %s", TEXT(use_case->id),
                          whose, approved);
    } else {
        licet_explain_add(e, "use case", "pass", LICET_NONE, "%.*s (%s) is approved from %s", TEXT(use_case->id), whose,
                          approved);
    }
}

/* The clause that forbids the purpose in effect. */
static uint32_t
forbidding_clause(const licet_image *image, const licet_explanation *e)
{
    licet_range purposes = image->versions[e->verdict.version].purposes;

    for (uint32_t i = purposes.first; i < purposes.first + purposes.count; i++) {
        if (licet_bytes_equal(licet_image_text(image, image->purposes[i].name), e->verdict.purpose)) {
            return image->purposes[i].forbidden_by;
        }
    }
    return LICET_NONE;
}

static bool
is_named(const licet_image *image, const licet_explanation *e)
{
    licet_range purposes = image->versions[e->verdict.version].purposes;

    for (uint32_t i = purposes.first; i < purposes.first + purposes.count; i++) {
        if (licet_bytes_equal(licet_image_text(image, image->purposes[i].name), e->verdict.purpose)) {
            return true;
        }
    }
    return false;
}

static void
explain_purpose(const licet_image *image, const licet_facts *facts, licet_explanation *e)
{
    const licet_verdict *v = &e->verdict;
    const char *whose = e->in_effect ? "in effect" : facts->purpose.len > 0 ? "declared" : "of the use case";

    if (refuses(v, LICET_REASON_NO_AGREEMENT)) {
        licet_explain_add(e, "purpose", "skip", LICET_NONE, "no terms are in force that could name it");
    } else if (facts->purpose.len > LICET_NAME_MAX) {
        licet_explain_add(e, "purpose", "skip", LICET_NONE, "the declared one is too long to be one");
    } else if (v->purpose.len == 0) {
        licet_explain_add(e, "purpose", refuses(v, LICET_REASON_PURPOSE_NOT_DECLARED) ? "refuse" : "record", LICET_NONE,
                          "none is declared, and no use case gives one");
    } else if (refuses(v, LICET_REASON_PURPOSE_FORBIDDEN)) {
        licet_explain_add(e, "purpose", "refuse", forbidding_clause(image, e), "%.*s (%s) is forbidden",
                          BYTES(v->purpose), whose);
    } else if (!is_named(image, e)) {
        licet_explain_add(e, "purpose", refuses(v, LICET_REASON_PURPOSE_NOT_NAMED) ? "refuse" : "record", LICET_NONE,
                          "%.*s (%s) is neither allowed nor forbidden", BYTES(v->purpose), whose);
    } else {
        licet_explain_add(e, "purpose", "pass", LICET_NONE, "%.*s (%s) is allowed", BYTES(v->purpose), whose);
    }
}

static void
explain(const licet_image *image, const licet_facts *facts, licet_explanation *out)
{
    licet_decide(image, facts, &out->verdict);
    out->observe = out->verdict.verdict == LICET_VERDICT_OBSERVE;
    out->amounts = out->verdict;
    if (out->verdict.verdict == LICET_VERDICT_REFUSE) {
        licet_decide_amounts(image, facts, &out->amounts);
    }
    explain_declarations(facts, out);
    explain_version(image, facts, out);
    explain_endpoint(image, facts, out);
    explain_use_case(image, facts, out);
    explain_purpose(image, facts, out);
    licet_explain_recipient(image, facts, out);
}

void
licet_explain(const licet_image *image, const licet_facts *facts, licet_explanation *out)
{
    memset(out, 0, sizeof(*out));
    explain(image, facts, out);
}

void
licet_explain_recorded(const licet_image *image, const licet_facts *facts, licet_explanation *out)
{
    memset(out, 0, sizeof(*out));
    out->in_effect = true;
    explain(image, facts, out);
}
