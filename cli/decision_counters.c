/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the limits of a decision had used before it: each entry of the ledger is looked at, and each limit of it. Slow
 * and obvious; it shares nothing with the counters of the gate nor with how licetd makes them anew.
 *
 *  (1) A response counts in the window of its own time, by the limits of the version that judged it, where they stand
 *      in the same counter.
 *  (2) Earlier is what was admitted earlier: by time, then gate, epoch and sequence. What responses under way held at
 *      that time and did not deliver is in no ledger, and not in these figures.
 *  (3) A duplicate is taken off the response that it was credited to, whenever that became known.
 *  (4) A gap hides at most its bound: the figures are then said to be not exact.
 */
#include "decision.h"

#include <stdlib.h>
#include <string.h>

#define CONTEXTS_MAX (1u << 20)

/* For each limit of a judgement the limit by which a context counts in its counter; LICET_NONE: it does not. */
typedef struct counted {
    uint32_t limit[2][LICET_LIMITS_PER_REQUEST_MAX]; /* by flow */
} counted;

typedef struct counting {
    const decision_record *record;
    decision_judgement *judgement;
    counted *contexts; /* by number */
    size_t len;
} counting;

static bool
named(const licet_image *image, licet_text text, licet_bytes name)
{
    return name.len > 0 && licet_bytes_equal(licet_image_text(image, text), name);
}

#define FIND(image, table, field, name, out)                                                                           \
    do {                                                                                                               \
        *(out) = LICET_NONE;                                                                                           \
        for (uint32_t row_ = 0; row_ < (image)->header->table##_len; row_++) {                                         \
            *(out) = named((image), (image)->table[row_].field, (name)) ? row_ : *(out);                               \
        }                                                                                                              \
    } while (0)

static licet_scope
scope_of(const licet_image *image, const licet_context *context, const licet_image_version *version)
{
    uint32_t app, use_case, credential = LICET_NONE, endpoint = LICET_NONE;

    FIND(image, apps, id, context->app, &app);
    FIND(image, use_cases, id, context->use_case, &use_case);
    for (uint32_t i = 0; i < image->header->credentials_len; i++) {
        if (image->credentials[i].app == app && named(image, image->credentials[i].id, context->credential)) {
            credential = i;
        }
    }
    for (uint32_t i = version->endpoints.first; i < version->endpoints.first + version->endpoints.count; i++) {
        endpoint = named(image, image->endpoints[i].id, context->endpoint) ? i : endpoint;
    }
    return licet_image_scope(image, app, credential, use_case, licet_image_recipient_named(image, context->recipient),
                             endpoint);
}

/* (1) */
static void
count_context(const counting *c, const licet_context *context, counted *out)
{
    const licet_image *image = c->judgement->image;
    const licet_verdict *verdict = &c->judgement->explanation.amounts;
    const licet_image_version *version;
    licet_scope scope;
    uint32_t at;

    memset(out, 0xff, sizeof(*out)); /* LICET_NONE */
    FIND(image, versions, id, context->version, &at);
    if (at == LICET_NONE) {
        return;
    }
    version = &image->versions[at];
    scope = scope_of(image, context, version);
    for (uint32_t row = version->limits.first; row < version->limits.first + version->limits.count; row++) {
        const licet_image_limit *limit = &image->limits[row];
        uint32_t counter = licet_image_counter(image, limit, &scope);

        for (uint32_t i = 0; i < verdict->limits_len && counter != LICET_NONE; i++) {
            for (uint32_t flow = 0; flow < 2 && counter == verdict->limits[i].counter; flow++) {
                if (licet_image_limit_covers(image, limit, (licet_flow)flow, context->purpose, &scope)) {
                    out->limit[flow][i] = row;
                }
            }
        }
    }
}

static bool
learn_context(counting *c, licet_bytes entry, licet_error *err)
{
    licet_context context;
    uint32_t number;

    if (!licet_context_decode(entry, &number, &context, err)) {
        return false;
    }
    if (number >= CONTEXTS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "context %u: expected less than %u", number, CONTEXTS_MAX);
    }
    if (number >= c->len) {
        size_t len = (size_t)number * 2 + 64;
        counted *grown = realloc(c->contexts, len * sizeof(*grown));

        if (grown == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu contexts", len);
        }
        memset(grown + c->len, 0xff, (len - c->len) * sizeof(*grown));
        c->contexts = grown;
        c->len = len;
    }
    count_context(c, &context, &c->contexts[number]);
    return true;
}

/* ---- adding up -------------------------------------------------------------------------- */

static uint64_t
sum_of(uint64_t a, uint64_t b)
{
    return b < UINT64_MAX - a ? a + b : UINT64_MAX;
}

static uint64_t
weighed(const licet_image_limit *limit, uint64_t units)
{
    uint64_t product;

    return __builtin_mul_overflow(units, limit->weight, &product) ? UINT64_MAX : product;
}

/* What a receipt is charged with: its units, or what stays held of an unmetered one. */
static uint64_t
charged(const decision_record *record, const licet_receipt *receipt, licet_bytes kind)
{
    uint64_t most = licet_bytes_equal_text(kind, "byte") ? receipt->bytes : 0;

    for (size_t i = 0; i < receipt->units_len; i++) {
        const char *name = record->kinds[receipt->units[i].kind];

        name = name != NULL ? name : "";
        name += strncmp(name, "held:", 5) == 0 ? 5 : 0;
        if (licet_bytes_equal_text(kind, name) && receipt->units[i].count > most) {
            most = receipt->units[i].count;
        }
    }
    return most;
}

/* (2) Negative: a is earlier than the decision; 0: it is part of it. */
static int
order_of(const decision_record *record, uint64_t time_ms, licet_identity a)
{
    const licet_identity *b = &record->identity;

    if (a.gate == b->gate && a.epoch == b->epoch && a.sequence == b->sequence) {
        return 0;
    }
    if (time_ms != record->receipt.time_ms) {
        return time_ms < record->receipt.time_ms ? -1 : 1;
    }
    if (a.gate != b->gate) {
        return a.gate < b->gate ? -1 : 1;
    }
    if (a.epoch != b->epoch) {
        return a.epoch < b->epoch ? -1 : 1;
    }
    return a.sequence < b->sequence ? -1 : 1;
}

/* The use that a response of this context and time adds to, with the limit by which it does. */
static decision_use *
use_of(const counting *c, uint32_t i, uint32_t context, licet_flow flow, uint64_t time_ms,
       const licet_image_limit **out_limit)
{
    decision_use *use = &c->judgement->use[i];
    uint32_t row = context < c->len ? c->contexts[context].limit[flow == LICET_FLOW_PASSED_ON][i] : LICET_NONE;

    if (row == LICET_NONE || time_ms < use->begin_ms || time_ms >= use->end_ms) {
        return NULL;
    }
    *out_limit = &c->judgement->image->limits[row];
    return use;
}

static void
add_receipt(const counting *c, const licet_receipt *receipt)
{
    const licet_image *image = c->judgement->image;
    int order = order_of(c->record, receipt->time_ms, receipt->identity);
    const licet_image_limit *limit;

    if (receipt->verdict == LICET_VERDICT_REFUSE || order > 0 ||
        licet_image_version_at(image, receipt->time_ms) == LICET_NONE) {
        return;
    }
    for (uint32_t i = 0; i < c->judgement->explanation.amounts.limits_len; i++) {
        decision_use *use = use_of(c, i, receipt->context, receipt->flow, receipt->time_ms, &limit);
        uint64_t *to = use == NULL ? NULL : order < 0 ? &use->before : &use->own;

        if (to != NULL) {
            licet_bytes kind = licet_image_text(image, image->header->kinds[limit->kind]);

            *to = sum_of(*to, weighed(limit, charged(c->record, receipt, kind)));
        }
    }
}

/* (3) */
static void
add_credit(const counting *c, const licet_duplicates *credit)
{
    const licet_image *image = c->judgement->image;
    int order = order_of(c->record, credit->time_ms, credit->identity);
    const char *unit = c->record->kinds[credit->unit] != NULL ? c->record->kinds[credit->unit] : "";
    const licet_image_limit *limit;

    for (uint32_t i = 0; order <= 0 && i < c->judgement->explanation.amounts.limits_len; i++) {
        decision_use *use = use_of(c, i, credit->context, credit->flow, credit->time_ms, &limit);
        uint64_t units;

        if (use == NULL || limit->deduplicated == 0 ||
            !licet_bytes_equal_text(licet_image_text(image, image->header->kinds[limit->kind]), unit)) {
            continue;
        }
        units = weighed(limit, credit->count);
        if (order == 0) {
            use->own_credited = sum_of(use->own_credited, units);
        } else {
            use->before -= units < use->before ? units : use->before;
        }
    }
}

/* (4) Nobody knows whose the units were: every counter of the unit may have them. */
static void
add_gap(const counting *c, const licet_gap *gap)
{
    const licet_image *image = c->judgement->image;
    const licet_verdict *verdict = &c->judgement->explanation.amounts;

    for (uint32_t i = 0; i < verdict->limits_len; i++) {
        const licet_image_limit *limit = &image->limits[verdict->limits[i].limit];
        licet_bytes kind = licet_image_text(image, image->header->kinds[limit->kind]);
        decision_use *use = &c->judgement->use[i];
        uint64_t hidden = licet_bytes_equal_text(kind, "request") ? gap->requests : 0;

        for (size_t j = 0; j < gap->units_len; j++) {
            const char *name = c->record->kinds[gap->units[j].kind];

            hidden = name != NULL && licet_bytes_equal_text(kind, name) ? gap->units[j].count : hidden;
        }
        if (hidden > 0 && gap->from_ms <= c->record->receipt.time_ms && gap->from_ms < use->end_ms &&
            gap->to_ms >= use->begin_ms) {
            use->hidden = sum_of(use->hidden, weighed(limit, hidden));
            use->gaps++;
        }
    }
}

static bool
on_entry(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    counting *c = user;
    licet_receipt receipt;
    licet_duplicates credit;
    licet_gap gap;

    (void)index;
    switch (entry.len > 0 ? entry.data[0] : 0) {
    case LICET_ENTRY_CONTEXT:
        return learn_context(c, entry, err);
    case LICET_ENTRY_RECEIPT:
        if (!licet_receipt_decode(entry, &receipt, err)) {
            return false;
        }
        add_receipt(c, &receipt);
        return true;
    case LICET_ENTRY_DUPLICATES:
        if (!licet_duplicates_decode(entry, &credit, err)) {
            return false;
        }
        add_credit(c, &credit);
        return true;
    case LICET_ENTRY_GAP:
        if (!licet_gap_decode(entry, &gap, err)) {
            return false;
        }
        add_gap(c, &gap);
        return true;
    default:
        return true;
    }
}

bool
decision_count(licet_ledger *ledger, const decision_record *record, decision_judgement *const *judgements, size_t len,
               licet_error *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < len; i++) {
        decision_judgement *j = judgements[i];
        counting c = {.record = record, .judgement = j};

        if (j->image == NULL || !j->known) {
            continue;
        }
        for (uint32_t at = 0; at < j->explanation.amounts.limits_len; at++) {
            const licet_verdict_limit *bound = &j->explanation.amounts.limits[at];
            const licet_image_limit *limit = &j->image->limits[bound->limit];

            j->use[at] = (decision_use){.begin_ms = licet_window_begin_ms(j->image, limit, bound->window),
                                        .end_ms = licet_window_end_ms(j->image, limit, bound->window)};
        }
        ok = licet_ledger_each(ledger, 0, licet_ledger_size(ledger), on_entry, &c, err);
        free(c.contexts);
    }
    return ok;
}
