/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Show: one version of an agreement in plain sentences, each beside its section.
 *
 *  (1) What the gate decides by is told from the image, so that what is shown is what is enforced; what it does not
 *      decide (documents, duties, ends) from the file.
 *  (2) Every table of the image that belongs to a version has its sentences; silence of the file is told where it
 *      matters (no limit, no audit).
 */
#include "terms.h"

#include "licet/money.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE_MAX 8192u
#define TEXT(scalar) (int)(scalar).text.len, (const char *)(scalar).text.data
#define BYTES(bytes) (int)(bytes).len, (const char *)(bytes).data

typedef struct teller {
    const licet_terms_version *terms;
    const licet_image *image;
    const licet_image_version *version;
    licet_sentence_taker take;
    void *user;
    const char *part;
    bool going;
} teller;

static licet_bytes
text_of(const teller *t, licet_text text)
{
    return licet_image_text(t->image, text);
}

/* One sentence; clause is a row of the image or LICET_NONE. */
static void say(teller *t, uint32_t clause, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void
say(teller *t, uint32_t clause, const char *format, ...)
{
    char text[SENTENCE_MAX];
    licet_sentence sentence = {.part = t->part};
    va_list list;
    int len;

    va_start(list, format);
    len = vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    if (!t->going || len < 0) {
        return;
    }
    sentence.text = licet_bytes_of(text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
    if (clause != LICET_NONE) {
        sentence.clause = text_of(t, t->image->clauses[clause].key);
        sentence.section = text_of(t, t->image->clauses[clause].section);
    }
    t->going = t->take(t->user, &sentence);
}

/* Row of a clause that the file cites. */
static uint32_t
clause_of(const teller *t, const licet_scalar *key)
{
    for (uint32_t i = 0; key->line != 0 && i < t->version->clauses.count; i++) {
        uint32_t row = t->version->clauses.first + i;
        if (licet_bytes_equal(text_of(t, t->image->clauses[row].key), key->text)) {
            return row;
        }
    }
    return LICET_NONE;
}

/* ---- words ----------------------------------------------------------------------------- */

typedef struct words {
    char text[256];
} words;
/* Names one by one. What has no room is told by its number: "a, b and 40 more". */
typedef struct names {
    char text[2048];
    uint32_t left_out;
} names;

/* 2,000,000 */
static words
number_of(uint64_t number)
{
    char digits[24];
    words out = {""};
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number), n = 0;

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            out.text[n++] = ',';
        }
        out.text[n++] = digits[i];
    }
    out.text[n] = '\0';
    return out;
}

/* 2022-10-10, or with the time where it is not midnight. */
static words
time_of(uint64_t ms)
{
    char text[LICET_TIME_TEXT];
    words out = {""};

    licet_time_format(ms, text);
    snprintf(out.text, sizeof(out.text), "%.*s%s", ms % 86400000 == 0 ? 10 : 16, text, ms % 86400000 == 0 ? "" : "Z");
    return out;
}

static const char *
plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static words
zone_of(const teller *t, uint32_t zone)
{
    licet_bytes name = zone == LICET_NONE ? LICET_BYTES_LITERAL("UTC") : text_of(t, t->image->zones[zone].name);
    words out;

    snprintf(out.text, sizeof(out.text), "%.*s", BYTES(name));
    return out;
}

static words
span_of(uint32_t seconds)
{
    static const struct {
        uint32_t seconds;
        const char *one;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    words out = {""};

    for (size_t i = 0; i < 4; i++) {
        if (seconds % units[i].seconds == 0 && seconds > 0) {
            uint32_t n = seconds / units[i].seconds;
            snprintf(out.text, sizeof(out.text), "%u %s%s", n, units[i].one, plural(n));
            break;
        }
    }
    return out;
}

/* "in each calendar month (UTC)" */
static words
window_of(const teller *t, uint32_t per, uint32_t span_s, uint32_t zone, uint32_t first_day)
{
    words out = {""}, span = span_of(span_s), name = zone_of(t, zone);

    switch ((licet_per)per) {
    case LICET_PER_SPAN:
        snprintf(out.text, sizeof(out.text), "in each %.64s", span_s == 86400 ? "day (UTC)" : span.text);
        break;
    case LICET_PER_DAY:
        snprintf(out.text, sizeof(out.text), "in each day (%.64s)", name.text);
        break;
    case LICET_PER_MONTH:
        if (first_day == 1) {
            snprintf(out.text, sizeof(out.text), "in each calendar month (%.64s)", name.text);
        } else {
            snprintf(out.text, sizeof(out.text), "in each billing month that begins on day %u (%.64s)", first_day,
                     name.text);
        }
        break;
    case LICET_PER_YEAR:
        snprintf(out.text, sizeof(out.text), "in each calendar year (%.64s)", name.text);
        break;
    case LICET_PER_ROLLING:
        snprintf(out.text, sizeof(out.text), "in any %.64s, rolling", span.text);
        break;
    case LICET_PER_CONCURRENT:
        snprintf(out.text, sizeof(out.text), "under way at once");
        break;
    case LICET_PER_TERM:
        snprintf(out.text, sizeof(out.text), "as long as the agreement lasts");
        break;
    }
    return out;
}

static const char *
over_of(uint32_t over)
{
    static const char *const overs[] = {"over everything the licensee and its included affiliates get",
                                        "for each app",
                                        "for each credential",
                                        "for each product",
                                        "for each use case",
                                        "for each recipient entity, with all its people",
                                        "for each country of recipients",
                                        "for each endpoint"};

    return over < sizeof(overs) / sizeof(overs[0]) ? overs[over] : "";
}

static const char *
class_of(uint32_t kind)
{
    static const char *const classes[LICET_CLASSES_LEN] = {"the public",
                                                           "persons",
                                                           "companies",
                                                           "academic institutions",
                                                           "governments",
                                                           "whoever acts for a government",
                                                           "surveillance or intelligence services",
                                                           "embargoed parties"};

    return classes[kind];
}

static const char *
flow_of(uint32_t flow)
{
    return flow == LICET_FLOW_ACQUIRED    ? " of what is acquired"
           : flow == LICET_FLOW_PASSED_ON ? " of what is passed on"
                                          : "";
}

/* "a, b and c" */
static void
list_add(names *out, uint32_t i, uint32_t n, licet_bytes name)
{
    size_t len = strlen(out->text);

    if (out->left_out > 0 || len + name.len + 40 > sizeof(out->text)) {
        out->left_out++;
    } else {
        snprintf(out->text + len, sizeof(out->text) - len, "%s%.*s",
                 i == 0       ? ""
                 : i + 1 == n ? " and "
                              : ", ",
                 BYTES(name));
    }
    if (i + 1 == n && out->left_out > 0) {
        len = strlen(out->text);
        snprintf(out->text + len, sizeof(out->text) - len, " and %u more", out->left_out);
    }
}

static names
classes_of(uint32_t classes)
{
    names out = {"", 0};
    uint32_t n = (uint32_t)__builtin_popcount(classes), at = 0;

    for (uint32_t i = 0; i < LICET_CLASSES_LEN; i++) {
        if (classes >> i & 1) {
            list_add(&out, at++, n, licet_bytes_of_text(class_of(i)));
        }
    }
    return out;
}

/* ---- head: parties, documents, term ------------------------------------------------------ */

static void
tell_party(teller *t, const char *what, const licet_terms_party *party)
{
    say(t, LICET_NONE, "%s: %.*s, %.*s%s%.*s%s%.*s.", what, TEXT(party->legal_name), TEXT(party->country),
        party->address.line != 0 ? ", " : "", TEXT(party->address), party->role.line != 0 ? "; " : "",
        TEXT(party->role));
}

static names
names_of(const licet_rows *rows)
{
    names out = {"", 0};

    for (uint32_t i = 0; i < rows->len; i++) {
        list_add(&out, i, rows->len, LICET_TERMS_ROW(licet_scalar, *rows, i)->text);
    }
    return out;
}

static void
tell_parties(teller *t)
{
    const licet_terms_affiliates *affiliates = &t->terms->parties.affiliates;

    t->part = "Parties";
    tell_party(t, "Licensor", &t->terms->parties.licensor);
    tell_party(t, "Licensee", &t->terms->parties.licensee);
    if (affiliates->test.line != 0) {
        say(t, LICET_NONE, "An affiliate is: %.*s.", TEXT(affiliates->test));
    }
    if (affiliates->included.len > 0) {
        say(t, LICET_NONE, "Counted with the licensee: %s.", names_of(&affiliates->included).text);
    }
    if (affiliates->disputed.len > 0) {
        say(t, LICET_NONE, "Disputed whether they count: %s.", names_of(&affiliates->disputed).text);
    }
}

static void
tell_documents(teller *t)
{
    const licet_rows *documents = &t->terms->documents;

    t->part = "Documents";
    for (uint32_t i = 0; i < documents->len; i++) {
        const licet_terms_incorporated *document = LICET_TERMS_ROW(licet_terms_incorporated, *documents, i);
        say(t, LICET_NONE, "%u. %.*s%s%.10s%s%.*s; SHA-256 %.*s.", i + 1, TEXT(document->title),
            document->date.said.line != 0 ? " of " : "",
            document->date.said.line != 0 ? time_of(document->date.value).text : "",
            document->url.line != 0 ? ", " : "", TEXT(document->url), TEXT(document->sha256));
    }
    if (documents->len > 1) {
        say(t, LICET_NONE, "Where two differ, %s.",
            t->terms->precedence.value == LICET_PRECEDENCE_FIRST ? "the one named first holds" : "the strictest holds");
    }
}

static void
tell_term(teller *t)
{
    const licet_image_version *version = t->version;
    const struct licet_terms_in_force *in_force = &t->terms->in_force;

    t->part = "Term";
    say(t, LICET_NONE, "In force from %s%s%s.", time_of(version->from_ms).text,
        version->before_ms == UINT64_MAX ? ", without an end" : " before ",
        version->before_ms == UINT64_MAX ? "" : time_of(version->before_ms).text);
    if (version->known_from_ms > version->from_ms) {
        say(t, LICET_NONE, "Back-dated: the parties know it from %s only. What happened between is judged by it.",
            time_of(version->known_from_ms).text);
    } else if (version->known_from_ms < version->from_ms) {
        say(t, LICET_NONE, "Known from %s.", time_of(version->known_from_ms).text);
    }
    if (in_force->terminated.said.line != 0) {
        say(t, LICET_NONE, "Terminated: it ends at %s, and then everything is refused until a later version begins.",
            time_of(in_force->terminated.value).text);
    } else if (version->then == LICET_THEN_RENEW) {
        say(t, LICET_NONE,
            "At its end it renews itself for %u months at a time, until a later version begins or it is "
            "terminated.",
            version->renew_months);
    } else if (version->before_ms != UINT64_MAX) {
        say(t, LICET_NONE, "At its end %s until a later version begins.",
            version->then == LICET_THEN_CONTINUE ? "it goes on as it is" : "everything is refused");
    }
}

/* What other documents say of a clause. */
static void
tell_also(teller *t, uint32_t row, const licet_terms_clause *clause)
{
    if (clause->also.len > 0 && clause->value.line != 0) {
        say(t, row, "%s%.*s%s says %.*s.", clause->document.line != 0 ? "\"" : "", TEXT(clause->document),
            clause->document.line != 0 ? "\"" : "The first document", TEXT(clause->value));
    }
    for (uint32_t i = 0; i < clause->also.len; i++) {
        const licet_terms_also *also = LICET_TERMS_ROW(licet_terms_also, clause->also, i);
        say(t, row, "\"%.*s\"%s%.*s says %.*s.", TEXT(also->document), also->section.line != 0 ? ", section " : "",
            TEXT(also->section), TEXT(also->value));
    }
}

/* ---- what may be had ----------------------------------------------------------------------- */

static const char *
enforcement_of(uint64_t class)
{
    return class == 'G'   ? " [the gate refuses]"
           : class == 'M' ? " [the meter counts and flags]"
           : class == 'A' ? " [the licensee attests]"
                          : " [policy]";
}

static void
tell_clauses(teller *t)
{
    static const char *const severities[] = {"", ", low", ", medium", ", high"};

    t->part = "Clauses";
    for (uint32_t i = 0; i < t->terms->clauses.len; i++) {
        const licet_terms_clause *clause = LICET_TERMS_ROW(licet_terms_clause, t->terms->clauses, i);
        uint32_t row = t->version->clauses.first + i;
        say(t, row, "%.*s.%s%s%s", TEXT(clause->says),
            clause->class.said.line == 0 ? "" : enforcement_of(clause->class.value),
            clause->severity.said.line == 0 ? "" : severities[clause->severity.value],
            t->image->clauses[row].mode == LICET_MODE_OBSERVE
                ? " Observed only: what it refuses is passed and recorded."
                : "");
        tell_also(t, row, clause);
    }
}

static void
tell_purposes(teller *t)
{
    const licet_image_version *version = t->version;

    t->part = "Purposes";
    for (uint32_t i = 0; i < version->purposes.count; i++) {
        const licet_image_purpose *purpose = &t->image->purposes[version->purposes.first + i];
        say(t, purpose->forbidden_by, "%.*s: %s.", BYTES(text_of(t, purpose->name)),
            purpose->forbidden_by == LICET_NONE ? "allowed" : "forbidden");
    }
    say(t, LICET_NONE, "A purpose that is not named: %s. None declared: %s.",
        version->purpose_not_named == LICET_RULE_REFUSE ? "refused" : "passed and recorded",
        version->purpose_not_declared == LICET_RULE_REFUSE ? "refused" : "passed and recorded");
}

static void
tell_recipients(teller *t)
{
    const licet_image_version *version = t->version;
    names countries = {"", 0};

    t->part = "Recipients";
    say(t, version->recipient_clause, "A request without a recipient: %s. One whose recipient is not registered: %s.",
        version->recipient_not_declared == LICET_RULE_REFUSE ? "refused" : "passed and recorded",
        version->recipient_not_registered == LICET_RULE_REFUSE ? "refused" : "passed and recorded");
    if (version->acceptance_clause != LICET_NONE) {
        say(t, version->acceptance_clause, "A recipient gets nothing before it accepted the terms.");
    }
    for (uint32_t i = 0; i < version->embargoed.count; i++) {
        list_add(&countries, i, version->embargoed.count,
                 text_of(t, t->image->embargoed[version->embargoed.first + i]));
    }
    if (version->embargo_clause != LICET_NONE || version->embargoed.count > 0) {
        say(t, version->embargo_clause, "Never to embargoed parties%s%s.",
            countries.text[0] == '\0' ? "" : ", nor to recipients in ", countries.text);
    }
    for (uint32_t i = 0; i < version->government.count; i++) {
        const licet_image_government *rule = &t->image->government[version->government.first + i];
        say(t, rule->clause, "For %s%s: %s.", classes_of(rule->classes).text, flow_of(rule->flow),
            rule->needs == LICET_NEEDS_NEVER      ? "never"
            : rule->needs == LICET_NEEDS_APPROVAL ? "only after the licensor's approval"
                                                  : "only after a written notice");
    }
}

static void
tell_limit(teller *t, const licet_image_limit *limit)
{
    licet_bytes unit = text_of(t, t->image->header->kinds[limit->kind]);
    names purposes = {"", 0}, endpoints = {"", 0}, classes = classes_of(limit->classes);

    for (uint32_t i = 0; i < limit->endpoints.count; i++) {
        uint32_t row = t->image->limit_endpoints[limit->endpoints.first + i];
        list_add(&endpoints, i, limit->endpoints.count, text_of(t, t->image->endpoints[row].id));
    }
    for (uint32_t i = 0; i < limit->purposes.count; i++) {
        list_add(&purposes, i, limit->purposes.count, text_of(t, t->image->limit_purposes[limit->purposes.first + i]));
    }
    if (limit->payments) {
        say(t, limit->clause, "Prepaid: %.*s is refused when what was paid is used up.", BYTES(unit));
        return;
    }
    say(t, limit->clause, "%s%.*s%sAt most %s %.*s%s%s %s, %s%s%s%s%s%s%s%s.",
        limit->set_by == LICET_SET_BY_US ? "Set by ourselves, " : "", BYTES(text_of(t, limit->name)),
        limit->set_by == LICET_SET_BY_US ? ": " : "", number_of(limit->most).text, BYTES(unit), plural(limit->most),
        flow_of(limit->flow), window_of(t, limit->per, limit->span_s, limit->zone, limit->first_day).text,
        over_of(limit->over), endpoints.text[0] == '\0' ? "" : ", at ", endpoints.text,
        purposes.text[0] == '\0' ? "" : ", for ", purposes.text, limit->classes == 0 ? "" : ", to ", classes.text,
        limit->deduplicated ? "; each counts once, as the catalogue says" : "");
}

static void
tell_limits(teller *t)
{
    const licet_image_version *version = t->version;

    t->part = "Limits";
    for (uint32_t i = 0; i < version->limits.count; i++) {
        tell_limit(t, &t->image->limits[version->limits.first + i]);
    }
    if (version->limits.count == 0) {
        say(t, LICET_NONE, "None: any amount may be had.");
    }
    if (version->most_credentials > 0) {
        say(t, version->credentials_clause, "At most %u credential%s of one app valid at a time.",
            version->most_credentials, plural(version->most_credentials));
    }
}

static void
tell_counting(teller *t)
{
    const licet_image_version *version = t->version;

    t->part = "Counting";
    say(t, LICET_NONE, "What counts is in catalogue %.*s. Endpoints it does not list: %s.",
        BYTES(text_of(t, version->catalogue)),
        version->unlisted == LICET_RULE_REFUSE ? "refused" : "passed and recorded");
    for (uint32_t i = 0; i < version->dedups.count; i++) {
        const licet_image_dedup *dedup = &t->image->dedups[version->dedups.first + i];
        say(t, LICET_NONE, "The same %.*s counts once %s, %s.", BYTES(text_of(t, t->image->header->kinds[dedup->kind])),
            window_of(t, dedup->per, 0, dedup->zone, dedup->first_day).text, over_of(dedup->over));
    }
}

/* ---- money ------------------------------------------------------------------------------------ */

static words
money_of(uint64_t amount)
{
    char text[LICET_MONEY_TEXT];
    words out;

    licet_money_format(amount, 2, text);
    snprintf(out.text, sizeof(out.text), "%s", text);
    return out;
}

static words
percent_of(uint64_t billionths)
{
    char text[LICET_MONEY_TEXT];
    words out;

    licet_money_format(billionths, 0, text);
    snprintf(out.text, sizeof(out.text), "%s", text);
    return out;
}

static void
tell_price(teller *t, const licet_image_rate_card *card, const licet_image_price *price)
{
    licet_bytes unit = text_of(t, t->image->header->kinds[price->kind]), currency = text_of(t, card->currency);
    names purposes = {"", 0};
    uint64_t from = 0;

    for (uint32_t i = 0; i < price->purposes.count; i++) {
        list_add(&purposes, i, price->purposes.count, text_of(t, t->image->price_purposes[price->purposes.first + i]));
    }
    for (uint32_t i = 0; i < price->tiers.count; i++) {
        const licet_image_tier *tier = &t->image->tiers[price->tiers.first + i];
        say(t, price->clause, "%.*s: %.*s %s for each %.*s%s%s%s%s%s%s%s%s%s%s%s.", BYTES(text_of(t, price->name)),
            BYTES(currency), money_of(tier->price).text, BYTES(unit), flow_of(price->flow),
            purposes.text[0] == '\0' ? "" : " for ", purposes.text, from > 0 ? " beyond " : "",
            from > 0 ? number_of(from).text : "", tier->to != UINT64_MAX ? " up to " : "",
            tier->to != UINT64_MAX ? number_of(tier->to).text : "",
            price->from_ms > t->version->from_ms ? ", from " : "",
            price->from_ms > t->version->from_ms ? time_of(price->from_ms).text : "",
            price->before_ms < t->version->before_ms ? ", before " : "",
            price->before_ms < t->version->before_ms ? time_of(price->before_ms).text : "");
        from = tier->to;
    }
}

static void
tell_prices(teller *t)
{
    uint32_t row = (uint32_t)(t->version - t->image->versions);

    t->part = "Prices";
    for (uint32_t i = 0; i < t->image->header->rate_cards_len; i++) {
        const licet_image_rate_card *card = &t->image->rate_cards[i];
        if (card->version != row) {
            continue;
        }
        for (uint32_t j = 0; j < card->prices.count; j++) {
            tell_price(t, card, &t->image->prices[card->prices.first + j]);
        }
        for (uint32_t j = 0; j < card->surcharges.count; j++) {
            const licet_image_surcharge *surcharge = &t->image->surcharges[card->surcharges.first + j];
            say(t, LICET_NONE, "%.*s: %s %% on what is due, a line of its own.", BYTES(text_of(t, surcharge->name)),
                percent_of(surcharge->percent).text);
        }
        for (uint32_t j = 0; j < card->rebates.count; j++) {
            const licet_image_rebate *rebate = &t->image->rebates[card->rebates.first + j];
            say(t, LICET_NONE, "Rebate of %s %% on all of it from %.*s %s on.", percent_of(rebate->percent).text,
                BYTES(text_of(t, card->currency)), money_of(rebate->from).text);
        }
        if (card->minimum > 0) {
            say(t, LICET_NONE, "At least %.*s %s is due %s.", BYTES(text_of(t, card->currency)),
                money_of(card->minimum).text, window_of(t, card->per, 0, card->zone, card->first_day).text);
        }
        if (card->prepaid_clause != LICET_NONE) {
            say(t, card->prepaid_clause, "Prepaid: what is delivered is taken from what was paid.");
        }
    }
}

/* ---- duties and ends ----------------------------------------------------------------------------- */

static void
tell_length(teller *t, uint32_t clause, const char *before, const licet_terms_length *length, const char *after)
{
    if (licet_length_said(length)) {
        say(t, clause, "%s%.*s%s.", before, TEXT(length->said), after);
    }
}

static void
tell_retention(teller *t)
{
    const licet_terms_retention *retention = &t->terms->retention;
    uint32_t clause = clause_of(t, &retention->clause);

    t->part = "Keeping and deleting";
    tell_length(t, clause, "Content may be kept: ", &retention->keep, "");
    tell_length(t, clause, "Time to delete what must be deleted: ", &retention->delete_, "");
    tell_length(t, clause, "Time to delete everything when the agreement ends: ", &retention->at_end, "");
    tell_length(t, clause, "Time to give evidence of the deletion: ", &retention->evidence, "");
}

static void
tell_reports(teller *t)
{
    static const char *const covers[] = {"week", "month", "quarter", "year"};

    t->part = "Reports owed";
    for (uint32_t i = 0; i < t->terms->reports.len; i++) {
        const licet_terms_report *report = LICET_TERMS_ROW(licet_terms_report, t->terms->reports, i);
        say(t, clause_of(t, &report->clause), "%.*s: of the %s, for each %s, due %.*s.", TEXT(report->name),
            report->by.value == LICET_DUTY_OF_LICENSEE ? "licensee" : "licensor", covers[report->covers.value],
            TEXT(report->due.said));
    }
}

static void
tell_audits(teller *t)
{
    t->part = "Audit";
    for (uint32_t i = 0; i < t->terms->audits.len; i++) {
        const licet_terms_audit *audit = LICET_TERMS_ROW(licet_terms_audit, t->terms->audits, i);
        uint32_t clause = clause_of(t, &audit->clause);

        tell_length(t, clause, "An audit may look back: ", &audit->look_back, "");
        if (audit->at_most.said.line != 0) {
            say(t, clause, "How often: %.*s.", TEXT(audit->at_most.said));
        }
        tell_length(t, clause, "Notice before it: ", &audit->notice, "");
        tell_length(t, clause, "The right lasts after the end: ", &audit->survives, "");
        if (audit->costs.line != 0) {
            say(t, clause, "Costs: %.*s.", TEXT(audit->costs));
        }
    }
    if (t->terms->audits.len > 1) {
        say(t, LICET_NONE, "The text holds %u paragraphs on audits; a finding says which of them it needs.",
            t->terms->audits.len);
    }
}

static void
tell_ends(teller *t)
{
    static const char *const waivers[] = {"only in writing", "by conduct too", "not at all"};
    static const char *const enders[] = {"The licensee", "The licensor", "Either party"};
    const licet_terms_breach *breach = &t->terms->breach;
    const licet_terms_termination *end = &t->terms->termination;

    t->part = "Breach and end";
    tell_length(t, clause_of(t, &breach->clause), "A breach is told: ", &breach->notice, "");
    tell_length(t, clause_of(t, &breach->clause), "Time to cure it: ", &breach->cure, "");
    if (breach->waiver.said.line != 0) {
        say(t, clause_of(t, &breach->clause), "It may be waived %s.", waivers[breach->waiver.value]);
    }
    if (licet_length_said(&end->notice)) {
        say(t, clause_of(t, &end->clause), "%s may end the agreement with notice: %.*s.", enders[end->by.value],
            TEXT(end->notice.said));
    }
}

static void
tell_gate(teller *t)
{
    const licet_image_version *version = t->version;
    licet_bytes kind = text_of(t, t->image->header->kinds[version->allow_kind]);

    t->part = "At the gate";
    say(t, LICET_NONE, "%s",
        version->mode == LICET_MODE_ENFORCE
            ? "What the terms refuse is refused."
            : "Observed only: nothing is refused, and what would have been is recorded.");
    if (version->cannot_record == LICET_CANNOT_RECORD_ALLOW) {
        say(t, LICET_NONE,
            "While nothing can be recorded, up to %s %.*s%s of an outage pass; then requests are refused.",
            number_of(version->allow_units).text, BYTES(kind), plural(version->allow_units));
    } else {
        say(t, LICET_NONE, "While nothing can be recorded, requests %s.",
            version->cannot_record == LICET_CANNOT_RECORD_OPEN ? "pass, within a bound that is recorded afterwards"
                                                               : "are refused");
    }
    say(t, LICET_NONE, "A page that outgrows what is left is %s.",
        version->on_overrun == LICET_OVERRUN_CUT ? "cut" : "delivered whole");
}

bool
licet_site_sentences(const licet_site *site, size_t agreement, const licet_image *image, uint32_t version,
                     licet_sentence_taker take, void *user)
{
    static void (*const parts[])(teller *) = {
        tell_parties,  tell_documents, tell_term,    tell_clauses,   tell_purposes, tell_recipients, tell_limits,
        tell_counting, tell_prices,    tell_reports, tell_retention, tell_audits,   tell_ends,       tell_gate};
    teller t = {.terms = &site->agreements[agreement].versions[version],
                .image = image,
                .version = &image->versions[version],
                .take = take,
                .user = user,
                .going = true};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && t.going; i++) {
        parts[i](&t);
    }
    return t.going;
}
