/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disclose: files that were handed over, judged as content that is passed on, and recorded.
 *
 *  (1) The terms of the time of the handing over judge; the image is the one in force now. Limits are asked what they
 *      have left then: of a window that is under way the counters of the gate, else the ledger.
 *  (2) The disclosure, and behind it its receipt, are in one batch of the journal: both or neither (records.md, 28).
 *  (3) What was recorded counts against the limits of its flow at once; after a start the ledger says the same.
 *  (4) A file that went to this recipient before is told and not recorded again, unless that is asked for.
 */
#include "lines.h"
#include "rooms.h"

#include "licet/decide.h"

#include <string.h>

#define TOTAL_MAX                                                                                                      \
    ((UINT64_C(1) << 32) - 1) /* of units, as of one response: what is more would spoil the sums of years */
#define BYTES_MAX ((UINT64_C(1) << 40) - 1)

typedef struct disclosing {
    licet_recorder *r;
    const licet_disclose *d;
    uint64_t now_ms;
    recorder_book *book;
    const licet_image *image;
    licet_handed handed;
    licet_facts facts;
    licet_verdict verdict;
    licet_wide wide;
    licet_error *err;
} disclosing;

/* ---- what is asked ---------------------------------------------------------------------- */

static bool
app_of(disclosing *c)
{
    for (uint32_t i = 0; i < c->image->header->apps_len; i++) {
        if (licet_bytes_equal(licet_image_text(c->image, c->image->apps[i].id), c->d->app)) {
            c->facts.app = i;
            return true;
        }
    }
    return LICET_FAIL(c->err, LICET_E_INVALID, 0, "agreement %s has no app \"%.*s\"", c->book->name, (int)c->d->app.len,
                      (const char *)c->d->app.data);
}

static bool
kind_of(disclosing *c)
{
    for (uint32_t i = LICET_KIND_BYTE + 1; i < c->image->header->kinds_len; i++) {
        if (licet_bytes_equal(licet_image_text(c->image, c->image->header->kinds[i]), c->d->unit)) {
            c->handed.kind = i;
            return true;
        }
    }
    return LICET_FAIL(c->err, LICET_E_INVALID, 0, "agreement %s counts no \"%.*s\"", c->book->name, (int)c->d->unit.len,
                      (const char *)c->d->unit.data);
}

static bool
amounts_check(disclosing *c)
{
    const licet_disclose *d = c->d;

    if (d->total > TOTAL_MAX || d->distinct > d->total) {
        return LICET_FAIL(c->err, LICET_E_LIMIT, 0,
                          "%llu units, %llu of them distinct: expected at most %llu, and no more",
                          (unsigned long long)d->total, (unsigned long long)d->distinct, (unsigned long long)TOTAL_MAX);
    }
    if (d->files_len < 1 || d->files_len > LICET_DISCLOSURE_FILES_MAX) {
        return LICET_FAIL(c->err, LICET_E_LIMIT, 0, "%u files: expected 1 to %d", d->files_len,
                          LICET_DISCLOSURE_FILES_MAX);
    }
    for (uint32_t i = 0; i < d->files_len; i++) {
        if (d->files[i].size > BYTES_MAX - c->handed.bytes) {
            return LICET_FAIL(c->err, LICET_E_LIMIT, 0, "the files have more than %llu bytes together",
                              (unsigned long long)BYTES_MAX);
        }
        c->handed.bytes += d->files[i].size;
    }
    c->handed.units = d->total;
    return true;
}

static bool
time_check(disclosing *c)
{
    char at[LICET_TIME_TEXT], now[LICET_TIME_TEXT];

    if (c->d->time_ms <= c->now_ms) {
        return true;
    }
    licet_time_format(c->d->time_ms, at);
    licet_time_format(c->now_ms, now);
    return LICET_FAIL(c->err, LICET_E_INVALID, 0, "handed over at %s: expected a time that has come; it is %s", at,
                      now);
}

static bool
prepare(disclosing *c)
{
    licet_recorder *r = c->r;
    const licet_disclose *d = c->d;

    c->book = recorder_book_named(r, d->agreement);
    c->image = c->book != NULL && c->book->cell != 0 ? licet_store_image(r->store, c->book->cell) : NULL;
    if (c->image == NULL) {
        return LICET_FAIL(c->err, LICET_E_INVALID, 0, "agreement \"%s\": nothing of it is recorded", d->agreement);
    }
    c->facts = (licet_facts){.credential = LICET_NONE,
                             .use_case = d->use_case,
                             .purpose = d->purpose,
                             .recipient = d->recipient,
                             .flow = LICET_FLOW_PASSED_ON,
                             .time_ms = d->time_ms,
                             .handed = &c->handed};
    if (!app_of(c) || !kind_of(c) || !amounts_check(c) || !time_check(c)) {
        return false;
    }
    if (licet_image_recipient_named(c->image, d->recipient) == LICET_NONE) {
        return LICET_FAIL(c->err, LICET_E_INVALID, 0,
                          "recipient \"%.*s\": agreement %s has nobody of that name registered", (int)d->recipient.len,
                          (const char *)d->recipient.data, c->book->name);
    }
    return true;
}

/* ---- limits ----------------------------------------------------------------------------- */

static licet_reason
reason_of(const licet_image_limit *limit)
{
    if (limit->payments) {
        return LICET_REASON_CREDIT_USED;
    }
    return limit->set_by == LICET_SET_BY_US ? LICET_REASON_BUDGET_USED : LICET_REASON_CAP_REACHED;
}

/* Every limit can be asked at the gate: none of their windows is over. */
static bool
is_live(const disclosing *c)
{
    for (uint32_t i = 0; i < c->verdict.limits_len; i++) {
        const licet_image_limit *limit = &c->image->limits[c->verdict.limits[i].limit];

        if (licet_window_of(c->image, limit, c->now_ms) != c->verdict.limits[i].window) {
            return false;
        }
    }
    return c->r->gate != NULL;
}

static uint64_t
taken_of(const disclosing *c, const licet_verdict_limit *bound, bool live)
{
    const licet_image_limit *limit = &c->image->limits[bound->limit];
    uint32_t buckets = licet_image_buckets(limit), n = buckets == 0 ? 1 : buckets;
    uint64_t sum = 0;

    if (live) {
        return bound->counter < licet_gate_counters(c->r->gate->gate)
                   ? licet_gate_used(c->r->gate->gate, limit, bound->counter, bound->window).taken
                   : 0;
    }
    for (uint32_t i = 0; i < n && i <= bound->window; i++) {
        uint32_t row = licet_image_counter_row(limit, bound->counter, bound->window - i);

        if (row < c->r->sums_len && c->r->sums[row].window == bound->window - i) {
            sum = c->r->sums[row].units > UINT64_MAX - sum ? UINT64_MAX : sum + c->r->sums[row].units;
        }
    }
    return sum;
}

/* The first limit that has too little left refuses; one that is only observed, where no other does. */
static void
limits_ask(disclosing *c, bool live)
{
    licet_verdict *v = &c->verdict;

    for (uint32_t i = 0; i < v->limits_len; i++) {
        const licet_verdict_limit *bound = &v->limits[i];
        const licet_image_limit *limit = &c->image->limits[bound->limit];
        uint64_t taken;

        if (limit->per == LICET_PER_CONCURRENT || bound->counter == LICET_NONE) {
            continue;
        }
        taken = taken_of(c, bound, live);
        if (bound->amount <= bound->most && taken <= bound->most - bound->amount) {
            continue;
        }
        if (v->verdict == LICET_VERDICT_ALLOW || (v->verdict == LICET_VERDICT_OBSERVE && !bound->observe)) {
            v->verdict = bound->observe || c->image->versions[v->version].mode == LICET_MODE_OBSERVE
                             ? LICET_VERDICT_OBSERVE
                             : LICET_VERDICT_REFUSE;
            v->reason = reason_of(limit);
            v->clause = limit->clause;
        }
        v->reasons |= UINT32_C(1) << reason_of(limit);
    }
}

/* (1) */
static bool
judge(disclosing *c)
{
    bool live;

    licet_decide(c->image, &c->facts, &c->verdict);
    if (c->verdict.verdict == LICET_VERDICT_REFUSE) {
        licet_decide_amounts(c->image, &c->facts, &c->verdict); /* counted all the same where it is recorded */
        return true;
    }
    live = is_live(c);
    if (!live && c->verdict.limits_len > 0 && !recorder_sums_book(c->r, c->book, c->d->time_ms, c->now_ms, c->err)) {
        recorder_sums_end(c->r);
        return false;
    }
    limits_ask(c, live);
    recorder_sums_end(c->r);
    return true;
}

/* ---- recording ---------------------------------------------------------------------------- */

static void
fill_wide(disclosing *c)
{
    const licet_verdict *v = &c->verdict;
    licet_wide *w = &c->wide;

    *w =
        (licet_wide){.identity = {0, 0, c->r->disclosed + 1},
                     .time_ms = c->d->time_ms,
                     .image = c->image->header->number,
                     .cell = c->book->cell,
                     .version = v->version,
                     .app = c->facts.app,
                     .credential = LICET_NONE,
                     .use_case = v->use_case,
                     .endpoint = LICET_NONE,
                     .clause = v->clause,
                     .registered = v->registered,
                     .verdict = (uint8_t)(v->reason == LICET_REASON_NONE ? LICET_VERDICT_ALLOW : LICET_VERDICT_OBSERVE),
                     .reason = (uint8_t)v->reason,
                     .flow = LICET_FLOW_PASSED_ON,
                     .bytes = c->handed.bytes,
                     .bytes_acked = UINT64_MAX};
    w->units[c->handed.kind] = c->handed.units;
    w->ids[c->handed.kind] = c->d->distinct;
    w->purpose_len = (uint8_t)v->purpose.len;
    w->recipient_len = (uint8_t)v->recipient.len;
    if (v->purpose.len > 0) {
        memcpy(w->purpose, v->purpose.data, v->purpose.len);
    }
    if (v->recipient.len > 0) {
        memcpy(w->recipient, v->recipient.data, v->recipient.len);
    }
}

/* (3) */
static void
charge(disclosing *c)
{
    licet_context context = {.version = licet_image_text(c->image, c->image->versions[c->verdict.version].id),
                             .app = c->d->app,
                             .purpose = c->verdict.purpose,
                             .recipient = c->verdict.recipient};
    recorder_rows rows;

    if (c->verdict.use_case != LICET_NONE) {
        context.use_case = licet_image_text(c->image, c->image->use_cases[c->verdict.use_case].id);
    }
    rows = recorder_rows_of(c->image, &context);
    for (uint32_t i = 0; i < c->verdict.limits_len; i++) {
        const licet_verdict_limit *bound = &c->verdict.limits[i];
        uint32_t row, window;

        if (recorder_stands_in(c->image, &c->image->limits[bound->limit], LICET_FLOW_PASSED_ON, &rows, c->d->time_ms,
                               c->now_ms, &row, &window)) {
            recorder_counter_add(c->r, row, window, bound->amount, UINT64_MAX);
        }
    }
}

/* (2) */
static bool
stage(disclosing *c)
{
    licet_disclosure record = {.identity = c->wide.identity,
                               .time_ms = c->d->time_ms,
                               .counted = c->d->counted,
                               .anyway = c->verdict.verdict == LICET_VERDICT_REFUSE,
                               .reason = (uint8_t)c->verdict.reason,
                               .total = c->d->total,
                               .distinct = c->d->distinct,
                               .files_len = c->d->files_len,
                               .files = c->d->files};

    return recorder_unit(c->r, c->book, c->d->unit, &record.unit, c->err) &&
           recorder_stage_handed(c->r, c->book, c->image, &c->wide, &record, c->err);
}

static bool
record(disclosing *c)
{
    licet_recorder *r = c->r;

    fill_wide(c);
    if (!stage(c) || !recorder_commit(r, c->now_ms, c->err)) {
        recorder_stall(r, c->err); /* what was staged is forgotten, and the state opened anew */
        return false;
    }
    r->disclosed = c->wide.identity.sequence;
    charge(c);
    if (!recorder_tick(r, c->now_ms, false, c->err) || !recorder_seal(r, true, c->err)) {
        return false;
    }
    recorder_say(r, LICET_LOG_INFO, "disclosed: %llu units in %u files under agreement %s",
                 (unsigned long long)c->d->total, c->d->files_len, c->book->name);
    return true;
}

/* ---- the answer ------------------------------------------------------------------------------- */

static void
put_time(licet_buffer *out, const char *key, uint64_t ms)
{
    char time[LICET_TIME_TEXT];

    licet_time_format(ms, time);
    licet_put_format(out, ",\"%s\":\"%s\"", key, time);
}

static void
put_text(licet_buffer *out, const char *key, licet_bytes text)
{
    licet_put_u8(out, ',');
    if (text.len == 0) {
        licet_put_format(out, "\"%s\":null", key);
    } else {
        licet_lines_put_string(out, key, text);
    }
}

static void
put_decision(const disclosing *c, const char *key, uint64_t sequence, licet_buffer *out)
{
    char decision[LICET_DECISION_TEXT];

    licet_decision_id(c->r->keys.decision, (licet_identity){0, 0, sequence}, decision);
    licet_put_format(out, ",\"%s\":\"%s\"", key, decision);
}

static bool
answer(const disclosing *c, const char *outcome, uint64_t sequence, uint64_t before_ms, licet_buffer *out)
{
    const licet_image *image = c->image;
    const licet_verdict *v = &c->verdict;
    const licet_image_clause *clause = v->clause == LICET_NONE ? NULL : &image->clauses[v->clause];
    const licet_image_recipient *who = v->registered == LICET_NONE ? NULL : &image->recipients[v->registered];
    licet_bytes none = {NULL, 0};

    licet_put_format(out, "{\"outcome\":\"%s\",\"verdict\":\"%s\",\"reason\":\"%s\"", outcome,
                     licet_verdict_name(v->verdict), licet_reason_slug(v->reason));
    put_text(out, "agreement", licet_bytes_of_text(c->book->name));
    put_text(out, "version", licet_image_text(image, image->versions[v->version].id));
    put_text(out, "clause", clause == NULL ? none : licet_image_text(image, clause->key));
    put_text(out, "section", clause == NULL ? none : licet_image_text(image, clause->section));
    put_text(out, "says",
             clause != NULL && clause->says.len > 0 ? licet_image_text(image, clause->says)
             : v->reason != LICET_REASON_NONE       ? licet_bytes_of_text(licet_reason_detail(v->reason))
                                                    : none);
    put_text(out, "app", c->d->app);
    put_text(out, "product", v->product == LICET_NONE ? none : licet_image_text(image, image->products[v->product]));
    put_text(out, "use_case",
             v->use_case == LICET_NONE ? none : licet_image_text(image, image->use_cases[v->use_case].id));
    put_text(out, "purpose", v->purpose);
    put_text(out, "recipient", v->recipient);
    put_text(out, "class", who == NULL ? none : licet_bytes_of_text(licet_class_name(who->kind)));
    put_text(out, "country", who == NULL ? none : licet_image_text(image, who->country));
    put_text(out, "unit", c->d->unit);
    licet_put_format(out, ",\"units\":%llu,\"distinct\":", (unsigned long long)c->d->total);
    licet_put_format(out, c->d->counted ? "%llu" : "null", (unsigned long long)c->d->distinct);
    put_time(out, "time", c->d->time_ms);
    if (sequence > 0) {
        put_decision(c, "decision", sequence, out);
    }
    if (before_ms > 0) {
        put_time(out, "recorded_for", before_ms);
    }
    licet_put_bytes(out, LICET_BYTES_LITERAL("}\n"));
    return !out->failed || LICET_FAIL(c->err, LICET_E_MEMORY, 0, "no memory for an answer");
}

/* ---- all of it -------------------------------------------------------------------------------- */

/* (4) Of each file, whether it is known; *out_some: of any. */
static bool
look_up(disclosing *c, uint32_t *out_known, uint64_t *out_sequence, uint64_t *out_time_ms)
{
    *out_known = 0;
    if (c->r->usage == NULL) {
        return LICET_FAIL(c->err, LICET_E_STATE, 0,
                          "there are no usage tables to look the files up in; try again, or "
                          "run licet rebuild");
    }
    for (uint32_t i = 0; i < c->d->files_len; i++) {
        uint64_t sequence, time_ms;
        bool found;

        if (!licet_usage_disclosed(c->r->usage, c->book->name, &c->d->files[i].sha256, c->verdict.recipient, &sequence,
                                   &time_ms, &found, c->err)) {
            return false;
        }
        if (found) {
            (*out_known)++;
            *out_sequence = sequence;
            *out_time_ms = time_ms;
        }
    }
    return true;
}

static bool
disclose(disclosing *c, licet_buffer *out)
{
    uint64_t sequence = 0, time_ms = 0;
    uint32_t known;

    if (!licet_recorder_sync(c->r, c->now_ms, c->err) || !prepare(c) || !judge(c) ||
        !look_up(c, &known, &sequence, &time_ms)) {
        return false;
    }
    if (known > 0 && !c->d->again) {
        return answer(c, known == c->d->files_len ? "known" : "partly-known", sequence, time_ms, out);
    }
    if (c->d->dry_run) {
        return answer(c, "dry-run", 0, 0, out);
    }
    if (c->verdict.verdict == LICET_VERDICT_REFUSE && !c->d->anyway) {
        return answer(c, "refused", 0, 0, out);
    }
    return record(c) && answer(c, "recorded", c->wide.identity.sequence, 0, out);
}

bool
licet_recorder_disclose(licet_recorder *r, const licet_disclose *d, uint64_t now_ms, licet_buffer *out_answer,
                        licet_error *err)
{
    disclosing c = {.r = r, .d = d, .now_ms = now_ms, .err = err};

    return disclose(&c, out_answer);
}
