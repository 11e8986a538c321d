/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision that was made, for people.
 *
 *  (1) Amounts are units of the limit's kind, whatever it weighs them with.
 */
#include "decision.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TEXT(t) (int)licet_image_text(image, (t)).len, (const char *)licet_image_text(image, (t)).data
#define BYTES(b) (int)(b).len, (const char *)(b).data

/* What strangers declared is shown without what a terminal would obey. */
static void
print_safe(licet_bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        putchar(value.data[i] < 0x20 || value.data[i] > 0x7e ? '?' : value.data[i]);
    }
}

static void
print_fact(const char *name, licet_bytes value, const char *none)
{
    if (value.len > 0) {
        printf("  %-10s ", name);
        print_safe(value);
        printf("\n");
    } else {
        printf("  %-10s %s\n", name, none);
    }
}

static void
print_facts(const decision_record *record)
{
    const licet_context *c = &record->context;

    printf("  %-10s %.*s, by %.*s\n", "version", BYTES(c->version), BYTES(c->catalogue));
    printf("  %-10s %s\n", "flow", record->receipt.flow == LICET_FLOW_PASSED_ON ? "passed-on" : "acquired");
    print_fact("endpoint", c->endpoint, "none that the catalogue lists");
    print_fact("app", c->app, "none");
    print_fact("credential", c->credential, "none: somebody in front named the app");
    print_fact("use case", c->use_case, "none");
    print_fact("product", c->product, "none");
    print_fact("purpose", c->purpose, "none");
    print_fact("recipient", c->recipient, "none");
    if (c->country.len > 0) {
        print_fact("country", c->country, "none");
    }
}

static void
print_says(const licet_image *image, uint32_t clause)
{
    if (clause != LICET_NONE && image->clauses[clause].says.len > 0) {
        printf("    \"%.*s\"\n", TEXT(image->clauses[clause].says));
    }
}

static void
print_rules(const decision *d)
{
    const licet_image *image = d->terms.image;
    const licet_explanation *e = &d->then->explanation;
    char time[LICET_TIME_TEXT];

    if (image == NULL || !d->then->known) {
        printf("\nrules in force then\n  not known: %s\n",
               image == NULL ? d->terms.why_not : "the terms of that time name no such app");
        return;
    }
    licet_cli_time(d->terms.time_ms, time);
    printf("\nrules in force then: image %" PRIu64 ", applied %s%s%s%s%s\n", d->terms.number, time,
           d->terms.reason != NULL ? " (" : "", d->terms.reason != NULL ? d->terms.reason : "",
           d->terms.reason != NULL ? ")" : "", d->terms.anew ? ", made anew from the recorded files" : "");
    for (size_t i = 0; i < e->rules_len; i++) {
        const licet_rule_finding *rule = &e->rules[i];

        printf("  %-7s %-16s ", strcmp(rule->outcome, "refuse") == 0 ? "REFUSE" : rule->outcome, rule->rule);
        print_safe(licet_bytes_of_text(rule->text));
        if (rule->clause != LICET_NONE) {
            printf(" by %.*s (%.*s)", TEXT(image->clauses[rule->clause].key),
                   TEXT(image->clauses[rule->clause].section));
        }
        printf("\n");
        print_says(image, rule->clause);
    }
    if (!d->agrees) {
        printf("  these rules say %s, which is not what is recorded\n", licet_reason_slug(e->verdict.reason));
    } else if (d->record.reason == LICET_REASON_DECLARATION_TOO_LONG) {
        printf("  what was declared is not recorded, for it was too long to be one\n");
    }
}

/* ---- who permitted it -------------------------------------------------------------- */

static bool
has_document(const decision_change *change)
{
    static const licet_hash zero;

    return memcmp(&change->record.document, &zero, sizeof(zero)) != 0;
}

static void
print_change(const decision_change *change)
{
    char time[LICET_TIME_TEXT], hex[2 * LICET_SHA256_LEN + 1];

    licet_cli_time(change->record.time_ms, time);
    if (change->words != NULL) {
        printf("  %s\n", change->words);
    } else {
        printf("  %s %s %s\n", licet_subject_name(change->record.subject), change->id,
               licet_action_name(change->record.action));
    }
    printf("    recorded %s with image %" PRIu64, time, change->record.image);
    printf("%s%s%s%s", change->as != NULL ? ", by " : "", change->as != NULL ? change->as : "",
           change->approved != NULL ? ", approved by " : "", change->approved != NULL ? change->approved : "");
    printf("%s\n", (change->record.flags & LICET_CHANGE_BACK_DATED) != 0 ? ", back-dated" : "");
    if (change->who != NULL) {
        printf("    named for it: %s\n", change->who);
    }
    if (has_document(change)) {
        licet_hex(change->record.document.bytes, LICET_SHA256_LEN, hex);
        printf("    document sha256 %s\n", hex);
    }
    if (change->differs) {
        printf("    a text that is kept of it is not the one that the ledger commits to\n");
    } else if (change->erased) {
        printf("    some of its texts are erased\n");
    }
}

static void
print_changes(const decision *d)
{
    if (d->record.context.use_case.len == 0 && d->record.context.recipient.len == 0) {
        return;
    }
    printf("\nwhat was recorded of its use case and recipient by then\n");
    if (d->changes.left_out > 0) {
        printf("  %" PRIu64 " older change%s\n", d->changes.left_out, licet_cli_plural(d->changes.left_out));
    }
    for (size_t i = 0; i < d->changes.len; i++) {
        print_change(&d->changes.list[i]);
    }
    if (d->changes.len == 0) {
        printf("  nothing\n");
    }
}

/* ---- limits -------------------------------------------------------------------------- */

static void
print_hidden(const licet_verdict_limit *bound, const decision_use *use)
{
    char hidden[LICET_CLI_NUMBER_TEXT];

    if (use->gaps > 0) {
        printf("    not exact: %" PRIu32 " gap%s in this window hide%s %s more at most\n", use->gaps,
               licet_cli_plural(use->gaps), use->gaps == 1 ? "s" : "",
               licet_cli_number(use->hidden / bound->weight, hidden));
    }
}

static void
print_limit(const decision *d, uint32_t i)
{
    const licet_image *image = d->terms.image;
    const licet_verdict_limit *bound = &d->then->explanation.amounts.limits[i];
    const licet_image_limit *limit = &image->limits[bound->limit];
    const decision_use *use = &d->then->use[i];
    licet_bytes name = licet_image_limit_name(image, limit);
    uint64_t took = use->own > use->own_credited ? use->own - use->own_credited : 0;
    char per[LICET_PER_TEXT], before[LICET_CLI_NUMBER_TEXT], after[LICET_CLI_NUMBER_TEXT], most[LICET_CLI_NUMBER_TEXT];
    char begin[LICET_TIME_TEXT], end[LICET_TIME_TEXT];

    licet_limit_per(limit, per);
    printf("  %.*s: %s %.*s per %s over the %s", BYTES(name), licet_cli_number(bound->most / bound->weight, most),
           TEXT(image->header->kinds[limit->kind]), per, licet_over_name(limit->over));
    if (limit->clause == LICET_NONE) {
        printf(" (our own)%s\n", bound->observe ? " only observed" : "");
    } else {
        printf(" (%.*s)%s\n", TEXT(image->clauses[limit->clause].section), bound->observe ? " only observed" : "");
    }
    if (limit->per == LICET_PER_CONCURRENT) {
        printf("    what was under way at once is not recorded\n");
        return;
    }
    printf("    %s before, %s after", licet_cli_number(use->before / bound->weight, before),
           licet_cli_number((use->before + took) / bound->weight, after));
    if (limit->per != LICET_PER_TERM) {
        licet_cli_time(use->begin_ms, begin);
        licet_cli_time(use->end_ms, end);
        printf(", from %s before %s", begin, end);
    }
    printf("\n");
    print_hidden(bound, use);
    if (limit->clause != LICET_NONE) {
        print_says(image, limit->clause);
    }
}

static void
print_limits(const decision *d)
{
    if (d->terms.image == NULL || !d->then->known) {
        return;
    }
    printf("\nlimits%s, by what is recorded\n", d->record.refused ? " that would bind" : " that bound it");
    for (uint32_t i = 0; i < d->then->explanation.amounts.limits_len; i++) {
        print_limit(d, i);
    }
    if (d->then->explanation.amounts.limits_len == 0) {
        printf("  none\n");
    }
}

/* ---- units ----------------------------------------------------------------------------- */

static void
print_reserved(const decision *d, uint32_t kind, uint64_t charged)
{
    char a[LICET_CLI_NUMBER_TEXT], b[LICET_CLI_NUMBER_TEXT];
    uint64_t least, most;

    decision_reserved(d, kind, &least, &most);
    if (most == 0) {
        return;
    }
    if (least == most) {
        printf(", reserved %s", licet_cli_number(most, a));
    } else {
        printf(", reserved %s to %s by the page it asked for, which is not recorded", licet_cli_number(least, a),
               licet_cli_number(most, b));
    }
    if (charged > most) {
        printf(", topped up by %s", licet_cli_number(charged - most, a));
    } else if (most > charged) {
        printf(", given back %s%s", licet_cli_number(most - charged, a), least == most ? "" : " at most");
    }
}

/* The kinds of the terms of then: what was reserved of each beside what came of it. */
static void
print_kinds(const decision *d, const licet_image *image)
{
    char number[LICET_CLI_NUMBER_TEXT];

    for (uint32_t kind = 0; kind < image->header->kinds_len; kind++) {
        char name[LICET_NAME_MAX + 1];
        uint64_t counted, held, least, most;

        snprintf(name, sizeof(name), "%.*s", TEXT(image->header->kinds[kind]));
        counted = decision_units(&d->record, "", name);
        held = decision_units(&d->record, "held:", name);
        decision_reserved(d, kind, &least, &most);
        if (counted == 0 && held == 0 && most == 0) {
            continue;
        }
        printf("  %-14s counted %s", name, licet_cli_number(counted, number));
        if (held > counted) {
            printf(", stays charged with %s", licet_cli_number(held, number));
        }
        print_reserved(d, kind, held > counted ? held : counted);
        printf("\n");
    }
}

static void
print_units(const decision *d)
{
    const licet_image *image = d->then->known ? d->terms.image : NULL;
    const decision_record *record = &d->record;
    char number[LICET_CLI_NUMBER_TEXT];

    printf("\nunits\n");
    if (record->refused) {
        printf("  none: what is refused reserves nothing\n");
        return;
    }
    if (image != NULL) {
        print_kinds(d, image);
    }
    for (unsigned i = 0; i < DECISION_KINDS; i++) {
        const char *name = record->kinds[i] != NULL ? record->kinds[i] : "";

        if (strncmp(name, "unmetered:", 10) == 0 && record->units[i] > 0) {
            printf("  unmetered: %s\n", name + 10);
        } else if (image == NULL && record->units[i] > 0 && strncmp(name, "observed:", 9) != 0) {
            printf("  %-14s counted %s\n", name, licet_cli_number(record->units[i], number));
        }
        if (record->credited[i] > 0) {
            printf("  %-14s %s credited back as duplicates\n", name, licet_cli_number(record->credited[i], number));
        }
    }
}

/* ---- outcome ------------------------------------------------------------------------------ */

/* The sentence of the clause that is recorded, in the terms of then. */
static void
print_detail(const decision *d)
{
    const licet_image *image = d->terms.image;
    licet_bytes key = d->record.context.clause;

    for (uint32_t i = 0; image != NULL && key.len > 0 && i < image->header->clauses_len; i++) {
        const licet_image_version *version =
            d->then->known ? &image->versions[d->then->explanation.verdict.version] : NULL;

        if (version != NULL && i >= version->clauses.first && i < version->clauses.first + version->clauses.count &&
            licet_bytes_equal(licet_image_text(image, image->clauses[i].key), key)) {
            print_says(image, i);
            return;
        }
    }
    printf("    \"%s\"\n", licet_reason_detail(d->record.reason));
}

static void
print_outcome(const decision *d)
{
    const decision_record *record = &d->record;
    const licet_receipt *receipt = &record->receipt;
    char ending[300], bytes[LICET_CLI_NUMBER_TEXT], hex[LICET_DECISION_TEXT];

    printf("\noutcome\n");
    if (record->refused) {
        printf("  refused: %u %s", receipt->status, licet_reason_slug(record->reason));
    } else {
        decision_ending(d, ending, sizeof(ending));
        printf("  %s: %u, %s, %s bytes in %" PRIu32 " ms",
               receipt->verdict == LICET_VERDICT_OBSERVE ? "passed, by observe mode" : "passed", receipt->status,
               ending, licet_cli_number(receipt->bytes, bytes), receipt->duration_ms);
    }
    if (!record->refused && record->reason != LICET_REASON_NONE) {
        printf("; would have been refused: %s", licet_reason_slug(record->reason));
    }
    if (record->context.clause.len > 0) {
        printf(", clause %.*s", BYTES(record->context.clause));
    }
    printf("\n");
    if (record->reason != LICET_REASON_NONE) {
        print_detail(d);
    }
    if (record->run > 1) {
        char first[LICET_TIME_TEXT];

        licet_cli_time(record->first_ms, first);
        printf("    one of %" PRIu32 " equal refusals from %s on\n", record->run, first);
    }
    if (record->disclosed) {
        printf("  a file handed over: %" PRIu64 " units, %" PRIu64 " different\n", record->disclosure.total,
               record->disclosure.distinct);
    }
    if (record->has_peer) {
        licet_hex(record->peer, sizeof(record->peer), hex);
        printf("  the platform calls the same response %s\n", hex);
    }
}

static void
print_today(const decision *d)
{
    const decision_today *today = &d->difference;
    licet_bytes rest = licet_buffer_view(&today->words);

    printf("\ntoday's terms\n");
    if (!today->differs && !today->differs_now) {
        printf("  would decide the same\n");
        return;
    }
    if (today->differs) {
        printf("  at that time: %s\n", today->then);
    }
    if (today->differs_now) {
        printf("  now: %s\n", today->now);
    }
    if (rest.len > 0) {
        printf("  what changed since\n");
    }
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len;

        printf("    %.*s\n", (int)len, (const char *)rest.data);
        rest = end != NULL ? licet_bytes_of(rest.data + len + 1, rest.len - len - 1) : licet_bytes_of(NULL, 0);
    }
    if (today->left_out > 0) {
        printf("    and %" PRIu64 " more\n", today->left_out);
    }
}

void
decision_print(const decision *d)
{
    char at[LICET_TIME_TEXT];

    licet_cli_time(d->record.receipt.time_ms, at);
    printf("decision %s\nof agreement %s at %s, entry %" PRIu64 " of its ledger\n", d->record.id, d->record.ledger, at,
           d->record.index);
    printf("\nfacts, as recorded\n");
    print_facts(&d->record);
    print_rules(d);
    print_changes(d);
    print_limits(d);
    print_units(d);
    print_outcome(d);
    print_today(d);
}
