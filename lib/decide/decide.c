/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decide: the rules, in the order in which a refused caller learns of them.
 *
 *   1 the declared values are not too long        DECLARATION_TOO_LONG
 *   2 a version of the agreement is in force      NO_AGREEMENT
 *   3 app and credential are valid at that time   CREDENTIAL_ENDED
 *   4 no other protocol where something counts     UPGRADE_REFUSED
 *   5 the catalogue lists the endpoint            ENDPOINT_UNLISTED
 *   6 the use case is registered and approved     USE_CASE_UNKNOWN, USE_CASE_NOT_APPROVED
 *     where the agreement asks for one:           USE_CASE_NOT_DECLARED, USE_CASE_OTHER_PURPOSE
 *   7 the purpose in effect is allowed            PURPOSE_FORBIDDEN, _NOT_NAMED, _NOT_DECLARED
 *   8 the recipient is declared and registered    RECIPIENT_NOT_DECLARED, RECIPIENT_UNKNOWN
 *   9 it has accepted the terms                   RECIPIENT_NOT_ACCEPTED
 *  10 nothing of it is embargoed                  RECIPIENT_EMBARGOED
 *  11 each rule on governments, in their order     GOVERNMENT_NOTICE, _APPROVAL, _NEVER
 *
 *  (1) Every rule is judged, whatever the rules before it said: the first that refuses gives reason and clause, all of
 *      them are in `reasons`, and a refusal too tells its endpoint and use case.
 *  (2) Nothing is attributed by guess: a declared use case that is unknown or not the app's leaves the request
 *      unattributed; the app's default is for requests that declare none.
 *  (3) Where no version is in force, there are no terms: the earliest version's catalogue tells what counts, no limit
 *      and no purpose rule binds. The mode is that of the version that ended last, so that an enforced agreement
 *      does not open when it ends; before the first, it is the first's.
 *  (4) A refusal reserves nothing.
 *  (6) The recipient in effect is the declared one, else that of the credential or the app, else that of the use case.
 *      Where content is passed on, who shows a credential that names a recipient cannot declare itself to be another:
 *      it may name a part of it, and any other name is not believed. Of files it is ours to say who gets them.
 *  (7) A recipient that is registered for another time is judged by rules 9 to 11 all the same: an end of its entry
 * does not make a government a stranger. One that nobody registered is judged by rule 8 alone. (8) What a clause of
 * mode observe refuses is passed and recorded, unless another rule refuses too; the reason is then that of the other.
 *  (5) Straight-line reads of the image: no allocation, no copy of a text.
 */
#include "licet/decide.h"

#include <assert.h>
#include <string.h>

/* Notes that a rule refuses. (8) The verdict under way is that of an enforced version. */
static void
object(const licet_image *image, licet_verdict *verdict, licet_reason reason, uint32_t clause)
{
    licet_verdict_kind kind = clause != LICET_NONE && image->clauses[clause].mode == LICET_MODE_OBSERVE
                                  ? LICET_VERDICT_OBSERVE
                                  : LICET_VERDICT_REFUSE;

    verdict->reasons |= UINT32_C(1) << reason;
    if (verdict->verdict == LICET_VERDICT_ALLOW ||
        (verdict->verdict == LICET_VERDICT_OBSERVE && kind == LICET_VERDICT_REFUSE)) {
        verdict->verdict = kind;
        verdict->reason = reason;
        verdict->clause = clause;
    }
}

static bool
objected(const licet_verdict *verdict, licet_reason reason)
{
    return (verdict->reasons & UINT32_C(1) << reason) != 0;
}

static bool
fits(licet_bytes declared)
{
    return declared.len <= LICET_NAME_MAX;
}

/* <0, 0, >0: the image's name stands before, is, stands behind this one; the order of its tables. */
static int
name_order(const licet_image *image, licet_text text, licet_bytes name)
{
    size_t shared = text.len < name.len ? text.len : name.len;
    int order = shared == 0 ? 0 : memcmp(image->strings + text.offset, name.data, shared);

    return order != 0 ? order : (text.len > name.len) - (text.len < name.len);
}

/* The row with this id among use cases, or LICET_NONE. */
static uint32_t
use_case_named(const licet_image *image, licet_bytes id)
{
    uint32_t low = 0, high = image->header->use_cases_len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = name_order(image, image->use_cases[middle].id, id);

        if (order == 0) {
            return middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return LICET_NONE;
}

/* The row with this name among the version's purposes, or LICET_NONE. */
static uint32_t
purpose_named(const licet_image *image, const licet_image_version *version, licet_bytes name)
{
    uint32_t low = version->purposes.first, high = low + version->purposes.count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = name_order(image, image->purposes[middle].name, name);

        if (order == 0) {
            return middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return LICET_NONE;
}

static bool
app_feeds(const licet_image *image, const licet_image_app *app, uint32_t product, uint64_t time_ms)
{
    for (uint32_t i = 0; i < app->products.count; i++) {
        const licet_image_app_product *fed = &image->app_products[app->products.first + i];
        if (fed->product == product && fed->from_ms <= time_ms && time_ms < fed->before_ms) {
            return true;
        }
    }
    return false;
}

static void
judge_declarations(const licet_image *image, const licet_facts *facts, licet_verdict *verdict)
{
    if (!fits(facts->use_case) || !fits(facts->purpose) || !fits(facts->recipient)) {
        object(image, verdict, LICET_REASON_DECLARATION_TOO_LONG, LICET_NONE);
    }
}

/* The version that judges; *out_mode is the mode that holds at the time. */
static const licet_image_version *
judge_time(const licet_image *image, const licet_facts *facts, licet_verdict *verdict, uint32_t *out_mode)
{
    const licet_image_version *versions = image->versions, *latest = NULL;
    uint32_t row = licet_image_version_at(image, facts->time_ms), earliest = 0;

    if (row != LICET_NONE) {
        verdict->version = row;
        *out_mode = versions[row].mode;
        return &versions[row];
    }
    assert(image->header->versions_len > 0);
    for (uint32_t i = 0; i < image->header->versions_len; i++) {
        if (versions[i].from_ms < versions[earliest].from_ms) {
            earliest = i;
        }
        if (versions[i].from_ms <= facts->time_ms && (latest == NULL || versions[i].from_ms >= latest->from_ms)) {
            latest = &versions[i];
        }
    }
    verdict->version = earliest;
    *out_mode = latest != NULL ? latest->mode : versions[earliest].mode;
    object(image, verdict, LICET_REASON_NO_AGREEMENT, LICET_NONE);
    return &versions[earliest];
}

static void
judge_credential(const licet_image *image, const licet_facts *facts, licet_verdict *verdict)
{
    const licet_image_app *app = &image->apps[facts->app];
    const licet_image_credential *credential;
    bool ended = facts->time_ms < app->from_ms || facts->time_ms >= app->before_ms;

    if (facts->credential != LICET_NONE) {
        credential = &image->credentials[facts->credential];
        ended = ended || facts->time_ms < credential->from_ms || facts->time_ms >= credential->before_ms;
    }
    if (ended) {
        object(image, verdict, LICET_REASON_CREDENTIAL_ENDED, LICET_NONE);
    }
}

uint32_t
licet_decide_endpoint(const licet_image *image, const licet_image_version *version, licet_bytes method,
                      licet_bytes path)
{
    uint32_t row = licet_image_endpoint_of(image, version, method, path);

    return row == LICET_NONE && licet_bytes_equal_text(method, "HEAD")
               ? licet_image_endpoint_of(image, version, LICET_BYTES_LITERAL("GET"), path)
               : row;
}

static void
judge_endpoint(const licet_image *image, const licet_image_version *version, const licet_facts *facts,
               licet_verdict *verdict)
{
    if (facts->handed != NULL) {
        verdict->endpoint = LICET_NONE;
        verdict->metered = true;
        return;
    }
    verdict->endpoint = licet_decide_endpoint(image, version, facts->method, facts->path);
    verdict->metered = verdict->endpoint != LICET_NONE && image->endpoints[verdict->endpoint].counts.count > 0;
    if (facts->upgrade && (verdict->metered || verdict->endpoint == LICET_NONE)) { /* nobody could count behind it */
        object(image, verdict, LICET_REASON_UPGRADE_REFUSED, LICET_NONE);
    }
    if (verdict->endpoint == LICET_NONE && version->unlisted == LICET_RULE_REFUSE) {
        object(image, verdict, LICET_REASON_ENDPOINT_UNLISTED, LICET_NONE);
    }
}

static void
judge_use_case(const licet_image *image, const licet_image_version *version, const licet_facts *facts,
               licet_verdict *verdict)
{
    bool in_force = !objected(verdict, LICET_REASON_NO_AGREEMENT);
    bool needed = in_force && version->use_case_not_declared == LICET_RULE_REFUSE;
    uint32_t clause = in_force ? version->use_case_clause : LICET_NONE;
    const licet_image_app *app = &image->apps[facts->app];
    bool declared = facts->use_case.len > 0;
    uint32_t row = app->default_use_case;

    if (declared) {
        row = fits(facts->use_case) ? use_case_named(image, facts->use_case) : LICET_NONE;
    }
    if (row != LICET_NONE && !app_feeds(image, app, image->use_cases[row].product, facts->time_ms)) {
        row = LICET_NONE;
        declared = true; /* a default of a product the app does not feed is as wrong as a declared one */
    }
    verdict->use_case = row;
    verdict->product = row == LICET_NONE ? LICET_NONE : image->use_cases[row].product;
    if (row == LICET_NONE) {
        if (declared) {
            object(image, verdict, LICET_REASON_USE_CASE_UNKNOWN, clause);
        } else if (needed) {
            object(image, verdict, LICET_REASON_USE_CASE_NOT_DECLARED, clause);
        }
        return;
    }
    if (!licet_image_approved_at(image, &image->use_cases[row], facts->time_ms)) {
        object(image, verdict, LICET_REASON_USE_CASE_NOT_APPROVED, clause);
    }
    if (needed && facts->purpose.len > 0 && fits(facts->purpose) &&
        name_order(image, image->use_cases[row].purpose, facts->purpose) != 0) {
        object(image, verdict, LICET_REASON_USE_CASE_OTHER_PURPOSE, clause);
    }
}

/* Declared, else the use case's. One that is too long is none. */
static licet_bytes
purpose_in_effect(const licet_image *image, const licet_facts *facts, uint32_t use_case)
{
    if (facts->purpose.len > 0) {
        return fits(facts->purpose) ? facts->purpose : licet_bytes_of(NULL, 0);
    }
    return use_case == LICET_NONE ? licet_bytes_of(NULL, 0)
                                  : licet_image_text(image, image->use_cases[use_case].purpose);
}

/* (6) */
static void
find_recipient(const licet_image *image, const licet_facts *facts, licet_verdict *verdict)
{
    licet_bytes none = licet_bytes_of(NULL, 0), name = fits(facts->recipient) ? facts->recipient : none;
    uint32_t declared = name.len > 0 ? licet_image_recipient_named(image, name) : LICET_NONE;
    uint32_t shown = facts->credential == LICET_NONE ? image->apps[facts->app].recipient
                                                     : image->credentials[facts->credential].recipient;
    bool bound = facts->flow == LICET_FLOW_PASSED_ON && facts->handed == NULL && shown != LICET_NONE &&
                 !(declared != LICET_NONE && licet_image_recipient_within(image, declared, shown));

    verdict->recipient = name;
    verdict->registered = declared;
    if (bound || (facts->recipient.len == 0 && shown != LICET_NONE)) {
        verdict->recipient = licet_image_text(image, image->recipients[shown].id);
        verdict->registered = shown;
    } else if (facts->recipient.len == 0 && verdict->use_case != LICET_NONE) {
        verdict->recipient = licet_image_text(image, image->use_cases[verdict->use_case].recipient);
        verdict->registered = licet_image_recipient_named(image, verdict->recipient);
    }
}

static void
judge_governments(const licet_image *image, const licet_image_version *version, const licet_facts *facts,
                  licet_verdict *verdict)
{
    static const licet_reason reasons[] = {[LICET_NEEDS_NOTICE] = LICET_REASON_GOVERNMENT_NOTICE,
                                           [LICET_NEEDS_APPROVAL] = LICET_REASON_GOVERNMENT_APPROVAL,
                                           [LICET_NEEDS_NEVER] = LICET_REASON_GOVERNMENT_NEVER};

    for (uint32_t i = 0; i < version->government.count; i++) {
        const licet_image_government *rule = &image->government[version->government.first + i];

        if (licet_image_government_binds(image, rule, facts->flow, verdict->registered) &&
            licet_image_grant_of(image, rule, verdict->registered, verdict->use_case, facts->time_ms) == LICET_NONE) {
            object(image, verdict, reasons[rule->needs], rule->clause);
        }
    }
}

static void
judge_recipient(const licet_image *image, const licet_image_version *version, const licet_facts *facts,
                licet_verdict *verdict)
{
    const licet_image_recipient *recipient;
    bool in_time;

    if (verdict->recipient.len == 0) {
        if (fits(facts->recipient) && version->recipient_not_declared == LICET_RULE_REFUSE) {
            object(image, verdict, LICET_REASON_RECIPIENT_NOT_DECLARED, version->recipient_clause);
        }
        return;
    }
    recipient = verdict->registered == LICET_NONE ? NULL : &image->recipients[verdict->registered];
    in_time = recipient != NULL && recipient->from_ms <= facts->time_ms && facts->time_ms < recipient->before_ms;
    if (!in_time && version->recipient_not_registered == LICET_RULE_REFUSE) {
        object(image, verdict, LICET_REASON_RECIPIENT_UNKNOWN, version->recipient_clause);
    }
    if (recipient == NULL) {
        return;
    }
    if (version->acceptance_clause != LICET_NONE && recipient->kind != LICET_CLASS_PUBLIC &&
        recipient->accepted_ms > facts->time_ms) {
        object(image, verdict, LICET_REASON_RECIPIENT_NOT_ACCEPTED, version->acceptance_clause);
    }
    if ((licet_image_classes(image, verdict->registered) >> LICET_CLASS_EMBARGOED & 1) != 0 ||
        licet_image_embargoed(image, version, verdict->registered) != LICET_NONE) {
        object(image, verdict, LICET_REASON_RECIPIENT_EMBARGOED, version->embargo_clause);
    }
    judge_governments(image, version, facts, verdict);
}

static void
judge_purpose(const licet_image *image, const licet_image_version *version, const licet_facts *facts,
              licet_verdict *verdict)
{
    uint32_t row;

    if (verdict->purpose.len == 0) {
        if (fits(facts->purpose) && version->purpose_not_declared == LICET_RULE_REFUSE) {
            object(image, verdict, LICET_REASON_PURPOSE_NOT_DECLARED, LICET_NONE);
        }
        return;
    }
    row = purpose_named(image, version, verdict->purpose);
    if (row == LICET_NONE) {
        if (version->purpose_not_named == LICET_RULE_REFUSE) {
            object(image, verdict, LICET_REASON_PURPOSE_NOT_NAMED, LICET_NONE);
        }
    } else if (image->purposes[row].forbidden_by != LICET_NONE) {
        object(image, verdict, LICET_REASON_PURPOSE_FORBIDDEN, image->purposes[row].forbidden_by);
    }
}

/* Reserves what the request can bring; returns a bit for each kind that is counted here. */
static uint32_t
reserve_units(const licet_image *image, const licet_facts *facts, licet_verdict *verdict)
{
    uint32_t counted = UINT32_C(1) << LICET_KIND_REQUEST | UINT32_C(1) << LICET_KIND_BYTE;

    memset(verdict->reserve, 0, sizeof(verdict->reserve));
    if (facts->handed != NULL) {
        verdict->reserve[LICET_KIND_BYTE] = facts->handed->bytes;
        verdict->reserve[facts->handed->kind] = facts->handed->units;
        return UINT32_C(1) << LICET_KIND_BYTE | UINT32_C(1) << facts->handed->kind;
    }
    verdict->reserve[LICET_KIND_REQUEST] = 1;
    if (verdict->endpoint != LICET_NONE) {
        licet_range counts = image->endpoints[verdict->endpoint].counts;

        for (uint32_t i = 0; i < counts.count; i++) {
            const licet_image_count *count = &image->counts[counts.first + i];

            counted |= UINT32_C(1) << count->kind;
            verdict->reserve[count->kind] = licet_page_of(image, count, facts->query);
        }
    }
    return counted;
}

/* As many as can be told: no limit allows so many. */
static uint64_t
weighed(uint64_t units, uint64_t weight)
{
    uint64_t product;

    return __builtin_mul_overflow(units, weight, &product) ? UINT64_MAX : product;
}

void
licet_decide_amounts(const licet_image *image, const licet_facts *facts, licet_verdict *verdict)
{
    licet_range limits = image->versions[verdict->version].limits;
    licet_scope scope = licet_image_scope(image, facts->app, facts->credential, verdict->use_case, verdict->registered,
                                          verdict->endpoint);
    uint32_t counted = reserve_units(image, facts, verdict);

    verdict->limits_len = 0;
    if (objected(verdict, LICET_REASON_NO_AGREEMENT)) {
        return;
    }
    for (uint32_t row = limits.first; row < limits.first + limits.count; row++) {
        const licet_image_limit *limit = &image->limits[row];
        licet_verdict_limit *bound;

        if ((counted >> limit->kind & 1) == 0 ||
            !licet_image_limit_covers(image, limit, facts->flow, verdict->purpose, &scope)) {
            continue;
        }
        if (limit->kind == LICET_KIND_BYTE && facts->handed == NULL) {
            verdict->reserve[LICET_KIND_BYTE] = 1; /* nobody knows the size yet: like a unit without a page */
        }
        assert(verdict->limits_len < LICET_LIMITS_PER_REQUEST_MAX); /* check refuses an agreement with more */
        bound = &verdict->limits[verdict->limits_len++];
        bound->limit = row;
        bound->counter = licet_image_counter(image, limit, &scope);
        bound->kind = limit->kind;
        bound->window = licet_window_of(image, limit, facts->time_ms);
        bound->weight = limit->weight;
        bound->amount = weighed(verdict->reserve[limit->kind], limit->weight);
        bound->most = licet_image_most(image, limit, facts->time_ms);
        bound->observe = limit->clause != LICET_NONE && image->clauses[limit->clause].mode == LICET_MODE_OBSERVE;
    }
}

void
licet_decide(const licet_image *image, const licet_facts *facts, licet_verdict *out_verdict)
{
    const licet_image_version *version;
    uint32_t mode;

    assert(facts->app < image->header->apps_len);
    out_verdict->verdict = LICET_VERDICT_ALLOW;
    out_verdict->reason = LICET_REASON_NONE;
    out_verdict->reasons = 0;
    out_verdict->clause = LICET_NONE;

    judge_declarations(image, facts, out_verdict);
    version = judge_time(image, facts, out_verdict, &mode);
    judge_credential(image, facts, out_verdict);
    judge_endpoint(image, version, facts, out_verdict);
    judge_use_case(image, version, facts, out_verdict);
    out_verdict->purpose = purpose_in_effect(image, facts, out_verdict->use_case);
    find_recipient(image, facts, out_verdict);
    if (!objected(out_verdict, LICET_REASON_NO_AGREEMENT)) {
        judge_purpose(image, version, facts, out_verdict);
        judge_recipient(image, version, facts, out_verdict);
    }

    if (out_verdict->verdict == LICET_VERDICT_REFUSE && mode == LICET_MODE_OBSERVE) {
        out_verdict->verdict = LICET_VERDICT_OBSERVE;
    }
    if (out_verdict->verdict == LICET_VERDICT_REFUSE) {
        memset(out_verdict->reserve, 0, sizeof(out_verdict->reserve));
        out_verdict->limits_len = 0;
    } else {
        licet_decide_amounts(image, facts, out_verdict);
    }
}
