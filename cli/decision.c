/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision that was made: found, judged once more by the terms of its time, and by those of today.
 *
 *  (1) The recorded outcome is what is told; what the rules of its time say stands beside it, and a difference between
 *      the two is said.
 *  (2) Of two images that may have judged it, for it came while one was applied, that one did which says what is
 *      recorded.
 */
#include "decision.h"

#include "evidence.h"
#include "operator.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX ((size_t)64 << 20)
#define LINES_SHOWN 16u

#define TEXT(t) (int)licet_image_text(image, (t)).len, (const char *)licet_image_text(image, (t)).data

/* ---- judging ------------------------------------------------------------------------------ */

/* Whether licet_decide gives this reason; the others are the gate's: limits, recording, callers nobody knows. */
static bool
is_of_rules(licet_reason reason)
{
    return reason >= LICET_REASON_NO_AGREEMENT && reason != LICET_REASON_RATE_LIMIT &&
           reason != LICET_REASON_CAP_REACHED && reason != LICET_REASON_QUOTA_HELD &&
           reason != LICET_REASON_CANNOT_RECORD && reason != LICET_REASON_CREDIT_USED &&
           reason != LICET_REASON_BUDGET_USED && reason != LICET_REASON_CONCURRENT &&
           reason != LICET_REASON_CREDENTIAL_REPLAYED && reason != LICET_REASON_OUTBOUND_MISSING;
}

static bool
is_of_amounts(licet_reason reason)
{
    return reason == LICET_REASON_RATE_LIMIT || reason == LICET_REASON_CAP_REACHED ||
           reason == LICET_REASON_QUOTA_HELD || reason == LICET_REASON_CREDIT_USED ||
           reason == LICET_REASON_BUDGET_USED;
}

/* Of a receipt nothing says that a use case was declared which is none, nor that another protocol was asked for; the
 * reason does. */
static decision_judgement *
judge(const decision_record *record, const licet_image *image, uint64_t time_ms, licet_error *err)
{
    decision_judgement *j = calloc(1, sizeof(*j));

    if (j == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to judge a decision");
        return NULL;
    }
    j->image = image;
    j->known = image != NULL &&
               licet_recorded_facts(image, &record->context, record->receipt.flow, time_ms, j->path, &j->facts);
    if (j->known) {
        if (record->reason == LICET_REASON_USE_CASE_UNKNOWN && j->facts.use_case.len == 0) {
            j->facts.use_case = LICET_BYTES_LITERAL("(not recorded)");
        }
        j->facts.upgrade = record->reason == LICET_REASON_UPGRADE_REFUSED;
        licet_explain_recorded(image, &j->facts, &j->explanation);
    }
    return j;
}

/* Whether the rules say what is recorded, as far as it tells. */
static bool
agrees(const decision_record *record, const decision_judgement *j)
{
    licet_reason recorded = is_of_rules(record->reason) ? record->reason : LICET_REASON_NONE;

    if (j->image == NULL || !j->known) {
        return false;
    }
    return (record->receipt.verdict == LICET_VERDICT_OBSERVE && !record->has_reason) ||
           recorded == LICET_REASON_DECLARATION_TOO_LONG || j->explanation.verdict.reason == recorded;
}

/* (2) */
static bool
judge_then(decision *d, licet_store *store, licet_error *err)
{
    decision_terms other = {.image = NULL};
    decision_judgement *judged = NULL;

    decision_then(d->dir, store, &d->record, &d->record.applied[0], &d->terms);
    d->then = judge(&d->record, d->terms.image, d->record.receipt.time_ms, err);
    if (d->then == NULL) {
        return false;
    }
    d->agrees = agrees(&d->record, d->then);
    if (d->agrees || d->record.applied[1].number == 0) {
        return true;
    }
    decision_then(d->dir, store, &d->record, &d->record.applied[1], &other);
    judged = judge(&d->record, other.image, d->record.receipt.time_ms, err);
    if (judged != NULL && agrees(&d->record, judged)) {
        decision_terms terms = d->terms;
        decision_judgement *then = d->then;

        d->terms = other;
        d->then = judged;
        d->agrees = true;
        /* A compiled image lies in its terms: these have moved. */
        d->terms.image = d->terms.anew ? &d->terms.compiled.image : d->terms.image;
        d->then->image = d->terms.image;
        other = terms;
        judged = then;
    }
    decision_terms_done(&other);
    free(judged);
    return judged != NULL || d->agrees;
}

/* ---- today's terms ---------------------------------------------------------------------------- */

uint64_t
decision_room(const licet_verdict_limit *bound, const decision_use *use)
{
    return bound->most > use->before ? bound->most - use->before : 0;
}

static void
say_reason(const licet_image *image, const licet_verdict *v, char *out, size_t size)
{
    int len;

    if (v->reason == LICET_REASON_NONE) {
        snprintf(out, size, "the rules would pass it");
        return;
    }
    len = snprintf(out, size, "it would be %s: %s",
                   v->verdict == LICET_VERDICT_REFUSE ? "refused" : "passed, and refused but for observe mode",
                   licet_reason_slug(v->reason));
    if (v->clause != LICET_NONE && len > 0 && (size_t)len < size) {
        snprintf(out + len, size - (size_t)len, ", clause %.*s (%.*s)", TEXT(image->clauses[v->clause].key),
                 TEXT(image->clauses[v->clause].section));
    }
}

static const licet_verdict_limit *
limit_named(const decision_judgement *j, licet_bytes name, const decision_use **out_use)
{
    for (uint32_t i = 0; j->known && i < j->explanation.amounts.limits_len; i++) {
        const licet_verdict_limit *bound = &j->explanation.amounts.limits[i];

        if (licet_bytes_equal(licet_image_limit_name(j->image, &j->image->limits[bound->limit]), name)) {
            *out_use = &j->use[i];
            return bound;
        }
    }
    return NULL;
}

static bool
is_short(const licet_verdict_limit *bound, const decision_use *use)
{
    uint64_t took = use->own > use->own_credited ? use->own - use->own_credited : 0;

    return !bound->observe && took > decision_room(bound, use);
}

/* What passed and would not fit today: a limit that is new or lower. */
static bool
say_short(decision *d)
{
    const decision_judgement *today = d->today;
    const licet_image *image = today->image;

    for (uint32_t i = 0; i < today->explanation.amounts.limits_len; i++) {
        const licet_verdict_limit *bound = &today->explanation.amounts.limits[i], *was;
        const licet_image_limit *limit = &image->limits[bound->limit];
        licet_bytes name = licet_image_limit_name(image, limit);
        const decision_use *use = NULL;

        if (limit->per == LICET_PER_CONCURRENT || !is_short(bound, &today->use[i])) {
            continue;
        }
        was = limit_named(d->then, name, &use);
        if (was != NULL && is_short(was, use)) {
            continue;
        }
        snprintf(d->difference.then, sizeof(d->difference.then),
                 "limit %.*s would have had room for %" PRIu64 " of the %" PRIu64 " that it took", (int)name.len,
                 (const char *)name.data, decision_room(bound, &today->use[i]) / bound->weight,
                 today->use[i].own / bound->weight);
        return true;
    }
    return false;
}

/* What a limit refused, and what that limit allows today. */
static bool
say_room(decision *d)
{
    licet_bytes clause = d->record.context.clause;
    const decision_use *then_use = NULL, *today_use = NULL;
    const licet_verdict_limit *then = limit_named(d->then, clause, &then_use);
    const licet_verdict_limit *today = limit_named(d->today, clause, &today_use);

    if (clause.len == 0 || then == NULL) {
        return false;
    }
    if (today == NULL) {
        snprintf(d->difference.then, sizeof(d->difference.then), "no limit %.*s binds it any more", (int)clause.len,
                 (const char *)clause.data);
        return true;
    }
    if (today->most <= then->most) {
        return false;
    }
    snprintf(d->difference.then, sizeof(d->difference.then),
             "limit %.*s allows %" PRIu64 ", not %" PRIu64 ": there would have been room for %" PRIu64, (int)clause.len,
             (const char *)clause.data, today->most / today->weight, then->most / then->weight,
             decision_room(today, today_use) / today->weight);
    return true;
}

static bool
id_is_its(const decision *d, licet_bytes id, licet_bytes entity)
{
    const licet_context *c = &d->record.context;
    licet_bytes ids[] = {c->app, c->credential, c->use_case, c->product, c->recipient, c->endpoint, entity};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (ids[i].len > 0 && licet_bytes_equal(ids[i], id)) {
            return true;
        }
    }
    return false;
}

static bool
may_concern(const decision *d, const licet_difference_line *line, licet_bytes entity)
{
    switch (line->subject) {
    case LICET_SUBJECT_ENDPOINT:
    case LICET_SUBJECT_GRANT:
    case LICET_SUBJECT_RECIPIENT:
    case LICET_SUBJECT_PRODUCT:
    case LICET_SUBJECT_APP:
    case LICET_SUBJECT_USE_CASE:
    case LICET_SUBJECT_CREDENTIAL:
        return id_is_its(d, licet_bytes_of(line->id, line->id_len), entity);
    default:
        return true;
    }
}

/* The entity that a recipient belongs to; len 0: none that is registered. */
static licet_bytes
entity_of(const decision *d)
{
    const licet_image *image = d->terms.image;
    uint32_t row = d->then->known ? d->then->explanation.verdict.registered : LICET_NONE;

    return row == LICET_NONE ? licet_bytes_of(NULL, 0)
                             : licet_image_text(image, image->recipients[image->recipients[row].entity].id);
}

static bool
tell_words(decision *d, licet_error *err)
{
    licet_difference_lines lines = {NULL, 0, 0};
    licet_buffer all;
    uint32_t shown = 0;
    bool ok;

    if (d->terms.image == NULL || d->in_force == NULL) {
        return true;
    }
    licet_buffer_init(&all, WORDS_MAX);
    ok = licet_image_difference(d->terms.image, d->in_force, &all, &lines, err);
    for (size_t i = 0; ok && i < lines.len; i++) {
        const licet_difference_line *line = &lines.list[i];

        if (!may_concern(d, line, entity_of(d))) {
            continue;
        }
        if (shown++ >= LINES_SHOWN) {
            d->difference.left_out++;
        } else {
            licet_put_bytes(&d->difference.words, licet_bytes_of(all.data + line->at, line->len));
            licet_put_u8(&d->difference.words, '\n');
        }
    }
    licet_difference_lines_done(&lines);
    licet_buffer_done(&all);
    return ok;
}

static bool
compare_today(decision *d, licet_error *err)
{
    decision_today *out = &d->difference;
    licet_reason was = is_of_rules(d->record.reason) ? d->record.reason : LICET_REASON_NONE;
    bool told = d->record.receipt.verdict != LICET_VERDICT_OBSERVE || d->record.has_reason;

    if (d->in_force == NULL || !d->today->known) {
        out->differs = out->differs_now = true;
        snprintf(out->then, sizeof(out->then), "%s",
                 d->in_force == NULL ? "the agreement is no longer there" : "the app is not registered");
        snprintf(out->now, sizeof(out->now), "%s", out->then);
        return tell_words(d, err);
    }
    if (told && was != LICET_REASON_DECLARATION_TOO_LONG) {
        out->differs = d->today->explanation.verdict.reason != was;
        say_reason(d->in_force, &d->today->explanation.verdict, out->then, sizeof(out->then));
        out->differs_now = d->now->explanation.verdict.reason != was;
        say_reason(d->in_force, &d->now->explanation.verdict, out->now, sizeof(out->now));
    }
    if (!out->differs && d->then->known && was == LICET_REASON_NONE) {
        out->differs = is_of_amounts(d->record.reason) ? say_room(d) : !d->record.refused && say_short(d);
    }
    return (!out->differs && !out->differs_now) || tell_words(d, err);
}

/* ---- what is shown ---------------------------------------------------------------------------------- */

void
decision_reserved(const decision *d, uint32_t kind, uint64_t *out_least, uint64_t *out_most)
{
    const licet_image *image = d->terms.image;
    const licet_verdict *v = &d->then->explanation.amounts;

    *out_least = *out_most = v->reserve[kind];
    for (uint32_t i = 0; v->endpoint != LICET_NONE && i < image->endpoints[v->endpoint].counts.count; i++) {
        const licet_image_count *count = &image->counts[image->endpoints[v->endpoint].counts.first + i];

        if (count->kind == kind && (count->page_from == LICET_PAGE_QUERY || count->page_from == LICET_PAGE_ITEMS)) {
            *out_least = 1;
            *out_most = count->page_most;
        }
    }
}

/* When the credential or app that it came with ended while it was under way; UINT64_MAX: nothing says so. */
static uint64_t
ended_ms(const decision *d, const char **out_what)
{
    const licet_image *image = d->in_force;
    uint64_t from = d->record.receipt.time_ms, until = from + d->record.receipt.duration_ms + 2000;
    const decision_judgement *j = d->today;

    if (image == NULL || !j->known) {
        return UINT64_MAX;
    }
    if (j->facts.credential != LICET_NONE && image->credentials[j->facts.credential].before_ms >= from &&
        image->credentials[j->facts.credential].before_ms <= until) {
        *out_what = "the credential";
        return image->credentials[j->facts.credential].before_ms;
    }
    *out_what = "the app";
    return image->apps[j->facts.app].before_ms >= from && image->apps[j->facts.app].before_ms <= until
               ? image->apps[j->facts.app].before_ms
               : UINT64_MAX;
}

void
decision_ending(const decision *d, char *out, size_t size)
{
    const licet_receipt *receipt = &d->record.receipt;
    const char *what = NULL;
    char time[LICET_TIME_TEXT];
    uint64_t ended;

    snprintf(out, size, "%s", licet_ending_text(receipt->ending));
    if (receipt->ending == LICET_ENDING_CUT_BY_REVOCATION) {
        ended = ended_ms(d, &what);
        if (ended != UINT64_MAX) {
            licet_cli_time(ended, time);
            snprintf(out, size, "%s: %s ended at %s", licet_ending_text(receipt->ending), what, time);
        }
    } else if (receipt->ending == LICET_ENDING_CUT_BY_LIMIT && d->record.context.clause.len > 0) {
        snprintf(out, size, "%s: %.*s", licet_ending_text(receipt->ending), (int)d->record.context.clause.len,
                 (const char *)d->record.context.clause.data);
    }
}

/* ---- finding it ---------------------------------------------------------------------------------------- */

static bool
open_ledger(const char *dir, const char *name, licet_ledger **out_ledger, licet_error *err)
{
    char rest[PATH_MAX], path[PATH_MAX];

    return licet_cli_path("data/ledger", name, rest, sizeof(rest), err) &&
           licet_cli_path(dir, rest, path, sizeof(path), err) && licet_ledger_open(path, true, out_ledger, err);
}

/* Opens the ledgers one by one; leaves the one that holds it open. */
static bool
find(decision *d, licet_identity identity, const licet_cli_names *names, licet_ledger **out_ledger, licet_error *err)
{
    for (size_t i = 0; i < names->len; i++) {
        licet_ledger *ledger = NULL;
        bool ok = open_ledger(d->dir, names->list[i], &ledger, err) &&
                  decision_find(ledger, names->list[i], identity, &d->record, err);

        if (ok && d->record.found) {
            *out_ledger = ledger;
            return true;
        }
        licet_ledger_close(ledger, NULL);
        if (!ok) {
            return false;
        }
        decision_record_done(&d->record);
    }
    return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "no ledger of %s holds this decision", d->dir);
}

static bool
explain(decision *d, licet_store *store, licet_ledger *ledger, licet_error *err)
{
    decision_judgement *counted[2];

    d->in_force = licet_store_image_of(store, d->record.ledger);
    if (!judge_then(d, store, err)) {
        return false;
    }
    d->today = judge(&d->record, d->in_force, d->record.receipt.time_ms, err);
    d->now = d->today == NULL ? NULL : judge(&d->record, d->in_force, licet_cli_now(), err);
    counted[0] = d->then;
    counted[1] = d->today;
    return d->now != NULL && decision_count(ledger, &d->record, counted, 2, err) &&
           decision_registry(d->dir, ledger, &d->record, entity_of(d), &d->changes, err) && compare_today(d, err);
}

static bool
read_id(const char *dir, const char *text, licet_identity *out_identity, licet_error *err)
{
    licet_gate_keys keys;
    bool ok;

    if (!licet_gate_keys_read(dir, false, &keys, err)) {
        return false;
    }
    ok = licet_decision_identity(keys.decision, licet_bytes_of_text(text), out_identity) ||
         LICET_FAIL(err, LICET_E_INVALID, 0,
                    "\"%.40s\": no decision id of %s: expected the 32 hex digits of Licet-Decision, as licet tail "
                    "--json shows them",
                    text, dir);
    explicit_bzero(&keys, sizeof(keys));
    return ok;
}

int
licet_cli_explain_decision(const licet_command *command, const char *dir, const char *id, bool json)
{
    decision d = {.dir = dir, .json = json};
    licet_cli_names names = {0};
    licet_ledger *ledger = NULL;
    licet_store *store = NULL;
    licet_identity identity;
    licet_error err = {0};
    int result = LICET_EXIT_OK;

    licet_buffer_init(&d.difference.words, WORDS_MAX);
    if (!licet_operator_sync(dir, &err) || !read_id(dir, id, &identity, &err) ||
        !licet_store_open(dir, true, &store, &err) || !licet_cli_ledgers(dir, &names, &err) ||
        !find(&d, identity, &names, &ledger, &err)) {
        result = licet_cli_error(command, &err);
        goto done;
    }
    snprintf(d.record.id, sizeof(d.record.id), "%s", id);
    if (!explain(&d, store, ledger, &err)) {
        result = licet_cli_error(command, &err);
        goto done;
    }
    if (json) {
        result = licet_cli_json_print(command, decision_json(&d));
    } else {
        decision_print(&d);
    }
    result = result == LICET_EXIT_OK && d.record.refused ? LICET_EXIT_NO : result;
done:
    free(d.then);
    free(d.today);
    free(d.now);
    decision_changes_done(&d.changes);
    decision_terms_done(&d.terms);
    decision_record_done(&d.record);
    licet_buffer_done(&d.difference.words);
    licet_ledger_close(ledger, NULL);
    licet_store_close(store);
    licet_cli_names_done(&names);
    return result;
}
