/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of equal refusals, see runs.h. An open hash table of indices into an array; both live until the next close. */
#include "runs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TABLE (2 * RUNS_MAX) /* a power of two; half full at most */

typedef struct run_key {
    uint32_t ledger, context, epoch;
    uint16_t gate, status;
    uint8_t reason, observe, flow, zero; /* no padding: compared and hashed as bytes */
} run_key;

typedef struct run {
    run_key key;
    uint64_t first_ms, last_ms;
    uint32_t count, cap;
    uint64_t *sequences;
} run;

struct ledger_runs {
    size_t len, sequences; /* runs; sequences in all of them */
    run list[RUNS_MAX];
    uint32_t table[TABLE]; /* index + 1; 0: free */
};

static_assert(sizeof(run_key) == 20, "run_key has no padding");
static_assert((TABLE & (TABLE - 1)) == 0, "TABLE is a power of two");

ledger_runs *
ledger_runs_new(void)
{
    return calloc(1, sizeof(ledger_runs));
}

static void
runs_clear(ledger_runs *runs)
{
    if (runs->len == 0)
        return;
    for (size_t i = 0; i < runs->len; i++)
        free(runs->list[i].sequences);
    memset(runs->table, 0, sizeof(runs->table));
    runs->len = 0;
    runs->sequences = 0;
}

void
ledger_runs_free(ledger_runs *runs)
{
    if (runs == NULL)
        return;
    runs_clear(runs);
    free(runs);
}

bool
ledger_runs_empty(const ledger_runs *runs)
{
    return runs->sequences == 0;
}

/* FNV-1a: the keys are numbers of our own, and the table is small. */
static uint32_t
key_hash(const run_key *key)
{
    uint8_t bytes[sizeof(*key)];
    uint32_t hash = 2166136261u;
    memcpy(bytes, key, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static run *
run_find(ledger_runs *runs, const run_key *key, uint32_t *out_place)
{
    uint32_t place = key_hash(key) & (TABLE - 1);
    while (runs->table[place] != 0) {
        run *r = &runs->list[runs->table[place] - 1];
        if (memcmp(&r->key, key, sizeof(*key)) == 0)
            return r;
        place = (place + 1) & (TABLE - 1);
    }
    *out_place = place;
    return NULL;
}

static int
sequence_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Rising and each once. */
static void
run_settle(ledger_runs *runs, run *r)
{
    uint32_t kept = 1;
    if (r->count < 2)
        return;
    qsort(r->sequences, r->count, sizeof(*r->sequences), sequence_compare);
    for (uint32_t i = 1; i < r->count; i++)
        if (r->sequences[i] != r->sequences[kept - 1])
            r->sequences[kept++] = r->sequences[i];
    runs->sequences -= r->count - kept;
    r->count = kept;
}

static bool
run_emit(const run *r, on_run emit, void *user, licet_error *err)
{
    licet_refusals record = {.flow = (licet_flow)r->key.flow,
                             .observe = r->key.observe,
                             .gate = r->key.gate,
                             .epoch = r->key.epoch,
                             .context = r->key.context,
                             .status = r->key.status,
                             .reason = r->key.reason,
                             .first_ms = r->first_ms,
                             .last_ms = r->last_ms,
                             .count = r->count,
                             .sequences = r->sequences};
    return emit(user, r->key.ledger, &record, err);
}

#define ORDER(x, y)                                                                                                    \
    if ((x) != (y))                                                                                                    \
    return (x) < (y) ? -1 : 1

/* Total: two runs differ in their key at least. Settled, not empty. */
static int
run_compare(const void *a, const void *b)
{
    const run *x = a, *y = b;
    ORDER(x->key.ledger, y->key.ledger);
    ORDER(x->key.gate, y->key.gate);
    ORDER(x->key.epoch, y->key.epoch);
    ORDER(x->sequences[0], y->sequences[0]);
    ORDER(x->key.context, y->key.context);
    ORDER(x->key.status, y->key.status);
    ORDER(x->key.reason, y->key.reason);
    ORDER(x->key.observe, y->key.observe);
    ORDER(x->key.flow, y->key.flow);
    return 0;
}

bool
ledger_runs_close(ledger_runs *runs, on_run emit, void *user, licet_error *err)
{
    size_t kept = 0;
    bool ok = true;
    for (size_t i = 0; i < runs->len; i++) {
        run_settle(runs, &runs->list[i]);
        if (runs->list[i].count == 0)
            free(runs->list[i].sequences); /* given out when it was full */
        else
            runs->list[kept++] = runs->list[i];
    }
    if (runs->len > 0)
        memset(runs->table, 0, sizeof(runs->table));
    runs->len = kept;
    if (kept > 1)
        qsort(runs->list, kept, sizeof(runs->list[0]), run_compare);
    for (size_t i = 0; ok && i < kept; i++)
        ok = run_emit(&runs->list[i], emit, user, err);
    runs_clear(runs);
    return ok;
}

static run *
run_begin(ledger_runs *runs, const run_key *key, uint32_t place)
{
    run *r = &runs->list[runs->len];
    *r = (run){.key = *key, .first_ms = UINT64_MAX};
    runs->table[place] = (uint32_t)++runs->len;
    return r;
}

static bool
sequence_add(ledger_runs *runs, run *r, const licet_receipt *refused, licet_error *err)
{
    if (r->count == r->cap) {
        uint32_t cap = r->cap == 0 ? 8 : 2 * r->cap;
        uint64_t *more = realloc(r->sequences, cap * sizeof(*more));
        if (more == NULL)
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a run of %u refusals", cap);
        r->sequences = more;
        r->cap = cap;
    }
    r->sequences[r->count++] = refused->identity.sequence;
    runs->sequences++;
    r->first_ms = refused->time_ms < r->first_ms ? refused->time_ms : r->first_ms;
    r->last_ms = refused->time_ms > r->last_ms ? refused->time_ms : r->last_ms;
    return true;
}

static bool
run_full(ledger_runs *runs, run *r, on_run emit, void *user, licet_error *err)
{
    run_settle(runs, r);
    if (r->count < LICET_REFUSALS_MAX)
        return true;
    if (!run_emit(r, emit, user, err))
        return false;
    runs->sequences -= r->count;
    r->count = 0;
    r->first_ms = UINT64_MAX;
    r->last_ms = 0;
    return true;
}

bool
ledger_runs_add(ledger_runs *runs, uint32_t ledger, uint8_t reason, const licet_receipt *refused, on_run emit,
                void *user, licet_error *err)
{
    run_key key = {ledger,
                   refused->context,
                   refused->identity.epoch,
                   refused->identity.gate,
                   refused->status,
                   reason,
                   refused->observe,
                   (uint8_t)refused->flow,
                   0};
    uint32_t place = 0;
    run *r = run_find(runs, &key, &place);
    if ((r == NULL && runs->len == RUNS_MAX) || runs->sequences == RUNS_SEQUENCES_MAX) {
        if (!ledger_runs_close(runs, emit, user, err))
            return false;
        r = run_find(runs, &key, &place);
    }
    if (r == NULL)
        r = run_begin(runs, &key, place);
    if (!sequence_add(runs, r, refused, err))
        return false;
    return r->count < LICET_REFUSALS_MAX || run_full(runs, r, emit, user, err);
}
