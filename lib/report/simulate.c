/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulate: entries of a recorded ledger in, usage tables by other terms out.
 *
 *  (1) Receipts stand in a ledger in the order in which responses ended; they are judged in the order in which they
 *      began, as far as a heap of HEAP_LEN of them can put right.
 *  (2) A context of the simulated tables is a recorded one with another version and clause; it has a number of its own
 *      for each such triple, told before it is used. Unit kinds have numbers of their own too.
 */
#include "licet/simulate.h"

#include "licet/receipt.h"
#include "simulate_limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAP_LEN 8192u
#define CONTEXTS_MAX (1u << 20)
#define KINDS_LEN 256u
#define BATCH 100000u /* entries in one transaction */

/* What is judged: a receipt, or one request of a run of refusals. */
typedef struct event {
    uint64_t order; /* of coming, where times are equal */
    bool was_refused;
    licet_receipt receipt;
} event;

typedef struct told {                          /* (2) */
    uint32_t context, version, clause, number; /* number 0: free */
} told;

struct licet_simulator {
    licet_simulate_options o;
    const char *ledger;
    licet_usage *tables;
    simulate_limits *limits;
    licet_simulate_facts facts;
    licet_buffer entry;
    uint64_t written, seen;
    char *recorded_kinds[KINDS_LEN], *kinds[KINDS_LEN]; /* by number; NULL: none */
    unsigned kinds_len;
    uint8_t **contexts; /* recorded, by number, as their entries */
    size_t *contexts_size;
    uint32_t contexts_len;
    told *told;
    size_t told_len, told_used;
    event *heap;
    uint32_t heap_len;
    uint64_t *sequences; /* of a run */
};

/* ---- writing ------------------------------------------------------------------------ */

static bool
write_entry(licet_simulator *s, licet_error *err)
{
    bool ok = licet_usage_apply(s->tables, s->ledger, s->written, licet_buffer_view(&s->entry), err);

    s->written++;
    s->entry.len = 0;
    return ok && (s->written % BATCH != 0 || (licet_usage_commit(s->tables, err) && licet_usage_begin(s->tables, err)));
}

/* Number of a unit kind of the simulated tables, told before first use. */
static bool
kind_number(licet_simulator *s, const char *name, uint8_t *out_number, licet_error *err)
{
    unsigned i = 1;

    while (i <= s->kinds_len && strcmp(s->kinds[i], name) != 0) {
        i++;
    }
    *out_number = (uint8_t)i;
    if (i <= s->kinds_len) {
        return true;
    }
    if (i == KINDS_LEN) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "more than %u unit kinds", KINDS_LEN - 1);
    }
    s->kinds[i] = strdup(name);
    if (s->kinds[i] == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a unit kind");
    }
    s->kinds_len = i;
    return licet_unit_encode((uint8_t)i, licet_bytes_of_text(name), &s->entry, err) && write_entry(s, err);
}

static size_t
place_of(const licet_simulator *s, const told *key)
{
    uint64_t hash = (key->context * UINT64_C(0x9e3779b97f4a7c15)) ^ (key->version * UINT64_C(0xc2b2ae3d27d4eb4f)) ^
                    (key->clause * UINT64_C(0x165667b19e3779f9));
    size_t place = (size_t)(hash ^ hash >> 32) & (s->told_len - 1);

    while (s->told[place].number != 0 &&
           (s->told[place].context != key->context || s->told[place].version != key->version ||
            s->told[place].clause != key->clause)) {
        place = (place + 1) & (s->told_len - 1);
    }
    return place;
}

static bool
told_grow(licet_simulator *s, licet_error *err)
{
    size_t old_len = s->told_len;
    told *old = s->told;

    if (s->told_used * 2 < old_len) {
        return true;
    }
    s->told_len = old_len == 0 ? 1024 : old_len * 2;
    s->told = calloc(s->told_len, sizeof(*s->told));
    if (s->told == NULL || s->told_len > CONTEXTS_MAX) {
        free(s->told);
        s->told = old;
        s->told_len = old_len;
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "more than %u contexts, or no memory for them", CONTEXTS_MAX / 2);
    }
    for (size_t i = 0; i < old_len; i++) {
        if (old[i].number != 0) {
            s->told[place_of(s, &old[i])] = old[i];
        }
    }
    free(old);
    return true;
}

/* Number of the context that a recorded one becomes by a verdict. */
static bool
context_number(licet_simulator *s, uint32_t recorded, licet_context context, const licet_verdict *verdict,
               uint32_t *out_number, licet_error *err)
{
    const licet_image *image = s->o.image;
    told key = {.context = recorded, .version = verdict->version, .clause = verdict->clause};
    size_t place;

    if (!told_grow(s, err)) {
        return false;
    }
    place = place_of(s, &key);
    if (s->told[place].number != 0) {
        *out_number = s->told[place].number;
        return true;
    }
    context.version = licet_image_text(image, image->versions[verdict->version].id);
    context.catalogue = licet_image_text(image, image->versions[verdict->version].catalogue);
    context.clause = verdict->clause == LICET_NONE ? licet_bytes_of(NULL, 0)
                                                   : licet_image_text(image, image->clauses[verdict->clause].key);
    key.number = *out_number = (uint32_t)++s->told_used;
    s->told[place] = key;
    return licet_context_encode(key.number, &context, &s->entry, err) && write_entry(s, err);
}

/* ---- what a recorded request brought ----------------------------------------------------- */

/* What it delivered, or stays charged with, by the kinds of the image. */
static void
units_of(const licet_simulator *s, const event *e, uint64_t units[LICET_KINDS_MAX])
{
    const licet_image *image = s->o.image;

    memset(units, 0, LICET_KINDS_MAX * sizeof(units[0]));
    for (size_t i = 0; i < e->receipt.units_len; i++) {
        const char *name = s->recorded_kinds[e->receipt.units[i].kind];

        name = name != NULL && strncmp(name, "held:", 5) == 0 ? name + 5 : name;
        for (uint32_t k = 0; name != NULL && k < image->header->kinds_len; k++) {
            if (licet_bytes_equal_text(licet_image_text(image, image->header->kinds[k]), name) &&
                e->receipt.units[i].count > units[k]) {
                units[k] = e->receipt.units[i].count;
            }
        }
    }
    units[LICET_KIND_REQUEST] = e->receipt.part == 0 ? 1 : 0;
    units[LICET_KIND_BYTE] = e->receipt.bytes;
}

/* ---- judging --------------------------------------------------------------------------------- */

static licet_reason
reason_of(const licet_image_limit *limit)
{
    if (limit->payments) {
        return LICET_REASON_CREDIT_USED;
    }
    if (limit->set_by == LICET_SET_BY_US) {
        return LICET_REASON_BUDGET_USED;
    }
    return limit->kind == LICET_KIND_REQUEST ? LICET_REASON_RATE_LIMIT : LICET_REASON_CAP_REACHED;
}

/* The rules, then the limits. */
static bool
judge(licet_simulator *s, const event *e, const licet_facts *facts, licet_verdict *verdict, licet_error *err)
{
    const licet_image *image = s->o.image;
    uint64_t units[LICET_KINDS_MAX];
    uint32_t at, over;
    bool observed;

    licet_decide(image, facts, verdict);
    if (s->o.enforce && verdict->verdict == LICET_VERDICT_OBSERVE) {
        verdict->verdict = LICET_VERDICT_REFUSE;
    }
    if (verdict->verdict == LICET_VERDICT_REFUSE) {
        return true;
    }
    observed = image->versions[verdict->version].mode == LICET_MODE_OBSERVE && !s->o.enforce;
    units_of(s, e, units);
    if (!simulate_limits_take(s->limits, image, verdict, units, observed, s->o.enforce, &at, &over, err)) {
        return false;
    }
    if (at != LICET_NONE) {
        verdict->verdict = LICET_VERDICT_REFUSE;
    } else if (over != LICET_NONE && verdict->reason == LICET_REASON_NONE) {
        verdict->verdict = LICET_VERDICT_OBSERVE;
        at = over;
    }
    if (at != LICET_NONE) {
        verdict->reason = reason_of(&image->limits[verdict->limits[at].limit]);
        verdict->clause = image->limits[verdict->limits[at].limit].clause;
    }
    return true;
}

static bool
write_refusal(licet_simulator *s, const event *e, uint32_t context, licet_reason reason, licet_error *err)
{
    uint64_t sequence = e->receipt.identity.sequence;
    licet_refusals run = {.flow = e->receipt.flow,
                          .gate = e->receipt.identity.gate,
                          .epoch = e->receipt.identity.epoch,
                          .context = context,
                          .status = (uint16_t)licet_reason_status(reason),
                          .reason = (uint8_t)reason,
                          .first_ms = e->receipt.time_ms,
                          .last_ms = e->receipt.time_ms,
                          .count = 1,
                          .sequences = &sequence};

    return licet_refusals_encode(&run, &s->entry, err) && write_entry(s, err);
}

static int
compare_units(const void *left, const void *right)
{
    return ((const licet_receipt_unit *)left)->kind - ((const licet_receipt_unit *)right)->kind;
}

/* The receipt by its new names; why it would have been refused is said anew. */
static bool
write_receipt(licet_simulator *s, const event *e, uint32_t context, const licet_verdict *verdict, licet_error *err)
{
    licet_receipt receipt = e->receipt;
    char observed[64];

    receipt.context = context;
    receipt.verdict = verdict->verdict;
    receipt.units_len = 0;
    for (size_t i = 0; i < e->receipt.units_len; i++) {
        const char *name = s->recorded_kinds[e->receipt.units[i].kind];
        licet_receipt_unit unit = {.count = e->receipt.units[i].count};
        if (name == NULL || strncmp(name, "observed:", 9) == 0) {
            continue;
        }
        if (!kind_number(s, name, &unit.kind, err)) {
            return false;
        }
        receipt.units[receipt.units_len++] = unit;
    }
    if (verdict->verdict == LICET_VERDICT_OBSERVE && receipt.units_len < LICET_RECEIPT_UNITS_MAX) {
        snprintf(observed, sizeof(observed), "observed:%s", licet_reason_slug(verdict->reason));
        if (!kind_number(s, observed, &receipt.units[receipt.units_len].kind, err)) {
            return false;
        }
        receipt.units[receipt.units_len++].count = 1;
    }
    qsort(receipt.units, receipt.units_len, sizeof(receipt.units[0]), compare_units);
    return licet_receipt_encode(&receipt, &s->entry, err) && write_entry(s, err);
}

static bool
simulate(licet_simulator *s, const event *e, licet_error *err)
{
    char path[LICET_RECORDED_PATH];
    licet_context context;
    licet_verdict verdict = {.version = 0, .clause = LICET_NONE};
    licet_facts facts;
    uint32_t number;

    if (e->receipt.context >= s->contexts_len || s->contexts[e->receipt.context] == NULL ||
        !licet_context_decode(licet_bytes_of(s->contexts[e->receipt.context], s->contexts_size[e->receipt.context]),
                              &number, &context, err)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "context %u: no record of the ledger says what it is",
                          e->receipt.context);
    }
    s->facts.refusals += e->was_refused;
    s->facts.responses += !e->was_refused;
    if (!licet_recorded_facts(s->o.image, &context, e->receipt.flow, e->receipt.time_ms, path, &facts)) {
        verdict.verdict = LICET_VERDICT_REFUSE;
        verdict.reason = LICET_REASON_CREDENTIAL_UNKNOWN;
        s->facts.unknown += !e->was_refused;
    } else if (!judge(s, e, &facts, &verdict, err)) {
        return false;
    }
    if (e->was_refused && verdict.verdict != LICET_VERDICT_REFUSE) {
        s->facts.released++; /* what it would have brought is unknown */
        return true;
    }
    s->facts.refused += !e->was_refused && verdict.verdict == LICET_VERDICT_REFUSE;
    s->facts.passed += verdict.verdict != LICET_VERDICT_REFUSE;
    s->facts.would_refuse += verdict.verdict == LICET_VERDICT_OBSERVE;
    if (!context_number(s, e->receipt.context, context, &verdict, &number, err)) {
        return false;
    }
    return verdict.verdict == LICET_VERDICT_REFUSE ? write_refusal(s, e, number, verdict.reason, err)
                                                   : write_receipt(s, e, number, &verdict, err);
}

/* ---- the order of time (1) -------------------------------------------------------------------- */

static bool
comes_before(const event *a, const event *b)
{
    return a->receipt.time_ms != b->receipt.time_ms ? a->receipt.time_ms < b->receipt.time_ms : a->order < b->order;
}

static void
heap_swap(licet_simulator *s, uint32_t a, uint32_t b)
{
    event kept = s->heap[a];

    s->heap[a] = s->heap[b];
    s->heap[b] = kept;
}

static bool
heap_pop(licet_simulator *s, licet_error *err)
{
    event first = s->heap[0];
    uint32_t at = 0;

    s->heap[0] = s->heap[--s->heap_len];
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < s->heap_len; child++) {
            least = comes_before(&s->heap[child], &s->heap[least]) ? child : least;
        }
        if (least == at) {
            break;
        }
        heap_swap(s, at, least);
        at = least;
    }
    return simulate(s, &first, err);
}

static bool
heap_push(licet_simulator *s, const event *e, licet_error *err)
{
    uint32_t at;

    if (e->receipt.time_ms < s->o.from_ms || e->receipt.time_ms >= s->o.before_ms) {
        return true;
    }
    if (s->heap_len == HEAP_LEN && !heap_pop(s, err)) {
        return false;
    }
    at = s->heap_len++;
    s->heap[at] = *e;
    s->heap[at].order = s->seen++;
    while (at > 0 && comes_before(&s->heap[at], &s->heap[(at - 1) / 2])) {
        heap_swap(s, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
    return true;
}

/* ---- entries --------------------------------------------------------------------------------------- */

static bool
learn_kind(licet_simulator *s, licet_bytes entry, licet_error *err)
{
    licet_bytes name;
    uint8_t number;

    if (!licet_unit_decode(entry, &number, &name, err)) {
        return false;
    }
    free(s->recorded_kinds[number]);
    s->recorded_kinds[number] = strndup((const char *)name.data, name.len);
    return s->recorded_kinds[number] != NULL || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a unit kind");
}

static bool
learn_context(licet_simulator *s, licet_bytes entry, licet_error *err)
{
    licet_context context;
    uint32_t number;

    if (!licet_context_decode(entry, &number, &context, err)) {
        return false;
    }
    if (number >= CONTEXTS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "context %u: at most %u", number, CONTEXTS_MAX);
    }
    if (number >= s->contexts_len) {
        uint32_t len = number < 512 ? 1024 : number * 2;
        uint8_t **grown = realloc(s->contexts, len * sizeof(*grown));
        size_t *sizes = grown == NULL ? NULL : realloc(s->contexts_size, len * sizeof(*sizes));

        s->contexts = grown != NULL ? grown : s->contexts;
        s->contexts_size = sizes != NULL ? sizes : s->contexts_size;
        if (grown == NULL || sizes == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u contexts", len);
        }
        memset(s->contexts + s->contexts_len, 0, (len - s->contexts_len) * sizeof(*s->contexts));
        s->contexts_len = len;
    }
    free(s->contexts[number]);
    s->contexts[number] = malloc(entry.len);
    s->contexts_size[number] = entry.len;
    if (s->contexts[number] == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a context");
    }
    memcpy(s->contexts[number], entry.data, entry.len);
    return true;
}

/* Each request of a run, between its first and its last evenly. */
static bool
push_run(licet_simulator *s, licet_bytes entry, licet_error *err)
{
    licet_refusals run;

    if (!licet_refusals_decode(entry, s->sequences, &run, err)) {
        return false;
    }
    for (uint32_t i = 0; i < run.count; i++) {
        event e = {.was_refused = true,
                   .receipt = {.flow = run.flow,
                               .identity = {run.gate, run.epoch, run.sequences[i]},
                               .time_ms = run.first_ms +
                                          (run.count < 2 ? 0 : (run.last_ms - run.first_ms) * i / (run.count - 1)),
                               .context = run.context}};
        if (!heap_push(s, &e, err)) {
            return false;
        }
    }
    return true;
}

static bool
push_receipt(licet_simulator *s, licet_bytes entry, licet_error *err)
{
    event e = {.was_refused = false};

    if (!licet_receipt_decode(entry, &e.receipt, err)) {
        return false;
    }
    e.was_refused = e.receipt.verdict == LICET_VERDICT_REFUSE;
    return heap_push(s, &e, err);
}

bool
licet_simulator_entry(licet_simulator *s, licet_bytes entry, licet_error *err)
{
    if (entry.len == 0) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "an entry without a byte");
    }
    switch (entry.data[0]) {
    case LICET_ENTRY_RECEIPT:
        return push_receipt(s, entry, err);
    case LICET_ENTRY_REFUSALS:
        return push_run(s, entry, err);
    case LICET_ENTRY_CONTEXT:
        return learn_context(s, entry, err);
    case LICET_ENTRY_UNIT:
        return learn_kind(s, entry, err);
    default:
        return licet_entry_check(entry, err);
    }
}

bool
licet_simulator_end(licet_simulator *s, licet_simulate_facts *out_facts, licet_error *err)
{
    while (s->heap_len > 0) {
        if (!heap_pop(s, err)) {
            return false;
        }
    }
    *out_facts = s->facts;
    return licet_usage_commit(s->tables, err);
}

/* ---- life ------------------------------------------------------------------------------------------- */

static bool
begin(licet_simulator *s, licet_error *err)
{
    licet_fold_start start = {.fold_version = LICET_FOLD_VERSION,
                              .ledger = licet_bytes_of_text(s->ledger),
                              .party = LICET_BYTES_LITERAL("licensor"),
                              .time_ms = s->o.from_ms};

    return licet_usage_begin(s->tables, err) && licet_fold_start_encode(&start, &s->entry, err) && write_entry(s, err);
}

bool
licet_simulator_new(const licet_simulate_options *options, const char *ledger, licet_usage *tables,
                    licet_simulator **out_simulator, licet_error *err)
{
    licet_simulator *s = calloc(1, sizeof(*s));

    if (s == NULL || (s->heap = calloc(HEAP_LEN, sizeof(*s->heap))) == NULL ||
        (s->sequences = calloc(LICET_REFUSALS_MAX, sizeof(*s->sequences))) == NULL) {
        licet_simulator_free(s);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a simulation");
    }
    s->o = *options;
    s->ledger = ledger;
    s->tables = tables;
    licet_buffer_init(&s->entry, LICET_ENTRY_MAX);
    if (!simulate_limits_new(options->counters, &s->limits, err) || !begin(s, err)) {
        licet_simulator_free(s);
        return false;
    }
    *out_simulator = s;
    return true;
}

void
licet_simulator_free(licet_simulator *s)
{
    if (s == NULL) {
        return;
    }
    for (unsigned i = 0; i < KINDS_LEN; i++) {
        free(s->recorded_kinds[i]);
        free(s->kinds[i]);
    }
    for (uint32_t i = 0; i < s->contexts_len; i++) {
        free(s->contexts[i]);
    }
    free(s->contexts);
    free(s->contexts_size);
    free(s->told);
    free(s->heap);
    free(s->sequences);
    licet_buffer_done(&s->entry);
    simulate_limits_free(s->limits);
    free(s);
}
