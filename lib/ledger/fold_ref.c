/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fold by looking again and again at everything: what is in a period is
 * found by reading the ledger's entries so far, what is in a run by searching
 * all refusals since the last tick. Limits of memory (runs.h) are not modelled
 * beyond the greatest length of a record.
 */
#include "fold_ref.h"

#include <stdlib.h>
#include <string.h>

typedef struct out_entry {
    uint32_t ledger;
    licet_bytes bytes; /* owned */
} out_entry;

typedef struct refusal {
    uint32_t ledger;
    uint8_t reason;
    licet_receipt receipt;
    bool done;
} refusal;

typedef struct ref {
    licet_on_fold on_entry;
    void *user;
    out_entry *outs;
    size_t outs_len;
    refusal *refusals; /* since the last tick */
    size_t refusals_len;
    uint32_t *ledgers; /* numbers in use */
    size_t ledgers_len;
} ref;

static void *
grow(void *list, size_t len, size_t item)
{
    void *more = realloc(list, (len + 1) * item);
    if (more == NULL)
        abort(); /* a judge without memory judges nothing */
    return more;
}

static bool
out(ref *r, uint32_t ledger, licet_bytes entry, licet_error *err)
{
    uint8_t *copy = malloc(entry.len + 1);
    if (copy == NULL)
        abort();
    memcpy(copy, entry.data, entry.len);
    r->outs = grow(r->outs, r->outs_len, sizeof(*r->outs));
    r->outs[r->outs_len++] = (out_entry){ledger, {copy, entry.len}};
    return r->on_entry(r->user, ledger, entry, err);
}

/* ---- runs ----------------------------------------------------------------------------- */

static bool
equal_refusals(const refusal *a, const refusal *b)
{
    return a->ledger == b->ledger && a->reason == b->reason && a->receipt.context == b->receipt.context &&
           a->receipt.status == b->receipt.status && a->receipt.observe == b->receipt.observe &&
           a->receipt.flow == b->receipt.flow && a->receipt.identity.gate == b->receipt.identity.gate &&
           a->receipt.identity.epoch == b->receipt.identity.epoch;
}

static bool
before(const refusal *a, const refusal *b)
{
    const licet_receipt *x = &a->receipt, *y = &b->receipt;
    if (a->ledger != b->ledger)
        return a->ledger < b->ledger;
    if (x->identity.gate != y->identity.gate)
        return x->identity.gate < y->identity.gate;
    if (x->identity.epoch != y->identity.epoch)
        return x->identity.epoch < y->identity.epoch;
    if (x->identity.sequence != y->identity.sequence)
        return x->identity.sequence < y->identity.sequence;
    if (x->context != y->context)
        return x->context < y->context;
    if (x->status != y->status)
        return x->status < y->status;
    if (a->reason != b->reason)
        return a->reason < b->reason;
    if (x->observe != y->observe)
        return x->observe < y->observe;
    return x->flow < y->flow;
}

/* The least refusal that is not in a run yet; NULL: none. */
static refusal *
least(ref *r)
{
    refusal *found = NULL;
    for (size_t i = 0; i < r->refusals_len; i++)
        if (!r->refusals[i].done && (found == NULL || before(&r->refusals[i], found)))
            found = &r->refusals[i];
    return found;
}

/* The record of all refusals up to the end of the list that equal the given one. */
static bool
run_out(ref *r, const refusal *like, licet_error *err)
{
    uint64_t *sequences = calloc(r->refusals_len + 1, sizeof(*sequences));
    licet_refusals run = {.flow = like->receipt.flow,
                          .observe = like->receipt.observe,
                          .gate = like->receipt.identity.gate,
                          .epoch = like->receipt.identity.epoch,
                          .context = like->receipt.context,
                          .status = like->receipt.status,
                          .reason = like->reason,
                          .first_ms = UINT64_MAX,
                          .sequences = sequences};
    const refusal key = *like;
    const uint32_t ledger = like->ledger;
    licet_buffer buffer;
    if (sequences == NULL)
        abort();
    for (size_t i = 0; i < r->refusals_len; i++) {
        refusal *other = &r->refusals[i];
        if (other->done || !equal_refusals(other, &key))
            continue;
        other->done = true;
        if (other->receipt.time_ms < run.first_ms)
            run.first_ms = other->receipt.time_ms;
        if (other->receipt.time_ms > run.last_ms)
            run.last_ms = other->receipt.time_ms;
        uint32_t at = 0; /* insertion, each once */
        while (at < run.count && sequences[at] < other->receipt.identity.sequence)
            at++;
        if (at < run.count && sequences[at] == other->receipt.identity.sequence)
            continue;
        memmove(sequences + at + 1, sequences + at, (run.count - at) * sizeof(*sequences));
        sequences[at] = other->receipt.identity.sequence;
        run.count++;
    }
    licet_buffer_init(&buffer, 1 << 20);
    bool ok = licet_refusals_encode(&run, &buffer, err) && out(r, ledger, licet_buffer_view(&buffer), err);
    licet_buffer_done(&buffer);
    free(sequences);
    return ok;
}

static int
sequence_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* How many different sequences the run of this refusal has by now. */
static size_t
run_len(const ref *r, const refusal *like)
{
    uint64_t *sequences = calloc(r->refusals_len + 1, sizeof(*sequences));
    size_t len = 0, different = 0;
    if (sequences == NULL)
        abort();
    for (size_t i = 0; i < r->refusals_len; i++)
        if (!r->refusals[i].done && equal_refusals(&r->refusals[i], like))
            sequences[len++] = r->refusals[i].receipt.identity.sequence;
    qsort(sequences, len, sizeof(*sequences), sequence_compare);
    for (size_t i = 0; i < len; i++)
        different += i == 0 || sequences[i] != sequences[i - 1];
    free(sequences);
    return different;
}

/* ---- periods --------------------------------------------------------------------------- */

/* The period of a ledger from its entries, read from the first. False: nothing to close. */
static bool
period_of(const ref *r, uint32_t ledger, uint64_t tick_ms, licet_period *period)
{
    static uint64_t storage[LICET_REFUSALS_MAX];
    uint64_t units[256] = {0};
    bool any = false;
    *period = (licet_period){.before_ms = licet_month_start(licet_month_of(tick_ms))};
    for (size_t i = 0; i < r->outs_len; i++) {
        licet_bytes entry = r->outs[i].bytes;
        licet_receipt receipt;
        licet_refusals run;
        licet_fold_start start;
        licet_period closed;
        if (r->outs[i].ledger != ledger)
            continue;
        period->entries++;
        if (licet_fold_start_decode(entry, &start, NULL)) {
            period->from_ms = licet_month_start(licet_month_of(start.time_ms));
            continue;
        }
        if (licet_period_decode(entry, &closed, NULL)) {
            period->from_ms = closed.before_ms;
            period->receipts = period->refused = 0;
            memset(units, 0, sizeof(units));
            any = false;
            continue;
        }
        any = true;
        if (licet_refusals_decode(entry, storage, &run, NULL))
            period->refused += run.count;
        if (!licet_receipt_decode(entry, &receipt, NULL))
            continue;
        if (receipt.verdict == LICET_VERDICT_REFUSE) {
            period->refused++;
            continue;
        }
        period->receipts++;
        for (size_t k = 0; k < receipt.units_len; k++) {
            uint64_t *sum = &units[receipt.units[k].kind], count = receipt.units[k].count;
            *sum = count > (uint64_t)INT64_MAX - *sum ? (uint64_t)INT64_MAX : *sum + count;
        }
    }
    for (unsigned kind = 0; kind < 256; kind++)
        if (units[kind] > 0)
            period->units[period->units_len++] = (licet_receipt_unit){(uint8_t)kind, units[kind]};
    return any && period->before_ms > period->from_ms;
}

static bool
tick(ref *r, uint64_t time_ms, licet_error *err)
{
    for (refusal *next = least(r); next != NULL; next = least(r))
        if (!run_out(r, next, err))
            return false;
    r->refusals_len = 0;
    uint64_t done = 0; /* ledgers with a number below it have had their turn */
    for (size_t turn = 0; turn < r->ledgers_len; turn++) {
        uint64_t number = UINT64_MAX;
        licet_period period;
        licet_buffer buffer;
        for (size_t i = 0; i < r->ledgers_len; i++)
            if (r->ledgers[i] >= done && r->ledgers[i] < number)
                number = r->ledgers[i];
        done = number + 1;
        if (!period_of(r, (uint32_t)number, time_ms, &period))
            continue;
        licet_buffer_init(&buffer, 1 << 17);
        bool ok =
            licet_period_encode(&period, &buffer, err) && out(r, (uint32_t)number, licet_buffer_view(&buffer), err);
        licet_buffer_done(&buffer);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- entries ------------------------------------------------------------------------------ */

static bool
begin(ref *r, const licet_journal_facts *f, licet_error *err)
{
    licet_fold_start start = {1, f->name, f->party, f->time_ms};
    licet_buffer buffer;
    r->ledgers = grow(r->ledgers, r->ledgers_len, sizeof(*r->ledgers));
    r->ledgers[r->ledgers_len++] = f->ledger;
    licet_buffer_init(&buffer, 1 << 17);
    bool ok = licet_fold_start_encode(&start, &buffer, err) && out(r, f->ledger, licet_buffer_view(&buffer), err);
    licet_buffer_done(&buffer);
    return ok;
}

static bool
refuse(ref *r, const licet_journal_facts *f, licet_error *err)
{
    refusal next = {.ledger = f->ledger, .reason = f->reason};
    if (!licet_receipt_decode(f->entry, &next.receipt, err))
        return false;
    r->refusals = grow(r->refusals, r->refusals_len, sizeof(*r->refusals));
    r->refusals[r->refusals_len++] = next;
    return r->refusals_len < LICET_REFUSALS_MAX || run_len(r, &next) < LICET_REFUSALS_MAX || run_out(r, &next, err);
}

static bool
one(ref *r, const licet_journal_entry *entry, licet_error *err)
{
    licet_journal_facts f;
    if (!licet_journal_facts_of(entry, &f, err))
        return false;
    if (f.kind == LICET_JOURNAL_LEDGER)
        return begin(r, &f, err);
    if (f.kind == LICET_JOURNAL_ENTRY)
        return out(r, f.ledger, f.entry, err);
    if (f.kind == LICET_JOURNAL_REFUSAL)
        return refuse(r, &f, err);
    if (f.kind == LICET_JOURNAL_TICK || f.kind == LICET_JOURNAL_STOP)
        return tick(r, f.time_ms, err);
    return true;
}

bool
licet_fold_ref(const licet_journal_entry *entries, size_t n, licet_on_fold on_entry, void *user, licet_error *err)
{
    ref r = {.on_entry = on_entry, .user = user};
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++)
        ok = one(&r, &entries[i], err);
    for (size_t i = 0; i < r.outs_len; i++)
        free((void *)r.outs[i].bytes.data);
    free(r.outs);
    free(r.refusals);
    free(r.ledgers);
    return ok;
}
