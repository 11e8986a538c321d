/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fold: from journal entries to ledger entries, by rules that fold version 1
 * names (docs/format/journal.md, "The fold").
 *
 *  (1) What comes out depends on the journal entries alone: not on how they are cut into batches, not on a clock, not
 *      on where the fold began, as long as it began behind a tick (or stop) and recalled its ledgers.
 *  (2) The only state that is not in the ledgers are the open runs of refusals, which a tick empties, and what serves
 *      deduplication: the set of seen ids, and ids of responses under way (gather.h). A fold that begins in the middle
 *      needs that set as it was, and the journal from where the set says.
 *  (3) Every entry that goes out was decoded: a ledger never holds what its reader would refuse.
 *
 * fold_ref.c says the same in the most obvious way and judges this file.
 */
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "gather.h"
#include "runs.h"
#include "sums.h"

#define FOLD_LEDGERS_MAX 1048576 /* numbers a ledger may have; a dense table */

typedef struct fold_ledger {
    char *name;
    uint64_t folded; /* journal entries up to this one are in it already */
    ledger_sums sums;
} fold_ledger;

struct licet_fold {
    licet_on_fold_ledger on_ledger;
    licet_on_fold on_entry;
    void *user;
    bool failed;
    uint64_t number;       /* of the journal entry under way */
    fold_ledger **ledgers; /* by number; NULL: none */
    size_t ledgers_cap;
    ledger_runs *runs;
    ledger_gather *gather;
    licet_seen *seen; /* NULL: none */
    uint64_t tick_ms; /* time of the newest tick */
    struct {          /* whose receipt was the entry before: its ids go when something else follows */
        bool any;
        uint32_t ledger;
        licet_identity identity;
    } settled;
    licet_buffer scratch; /* the record under way */
};

bool
licet_fold_new(licet_on_fold_ledger on_ledger, licet_on_fold on_entry, void *user, licet_fold **out_fold,
               licet_error *err)
{
    licet_fold *fold = calloc(1, sizeof(*fold));
    ledger_runs *runs = ledger_runs_new();
    ledger_gather *gather = ledger_gather_new();
    if (fold == NULL || runs == NULL || gather == NULL) {
        free(fold);
        free(gather);
        ledger_runs_free(runs);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a fold");
    }
    fold->on_ledger = on_ledger;
    fold->on_entry = on_entry;
    fold->user = user;
    fold->runs = runs;
    fold->gather = gather;
    licet_buffer_init(&fold->scratch, 2 * (size_t)LICET_ENTRY_MAX);
    *out_fold = fold;
    return true;
}

void
licet_fold_free(licet_fold *fold)
{
    if (fold == NULL)
        return;
    for (size_t i = 0; i < fold->ledgers_cap; i++) {
        if (fold->ledgers[i] == NULL)
            continue;
        ledger_sums_done(&fold->ledgers[i]->sums);
        free(fold->ledgers[i]->name);
        free(fold->ledgers[i]);
    }
    free(fold->ledgers);
    ledger_runs_free(fold->runs);
    ledger_gather_free(fold->gather);
    licet_buffer_done(&fold->scratch);
    free(fold);
}

/* ---- ledgers ------------------------------------------------------------------------- */

static fold_ledger *
ledger_find(const licet_fold *fold, uint32_t number)
{
    return number < fold->ledgers_cap ? fold->ledgers[number] : NULL;
}

static bool
ledger_known(const licet_fold *fold, uint32_t number, fold_ledger **out_ledger, licet_error *err)
{
    *out_ledger = ledger_find(fold, number);
    if (*out_ledger == NULL)
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "ledger number %u was not begun before it is named", number);
    return true;
}

static bool
ledgers_reserve(licet_fold *fold, uint32_t number, licet_error *err)
{
    size_t cap = fold->ledgers_cap == 0 ? 64 : fold->ledgers_cap;
    if (number < fold->ledgers_cap)
        return true;
    if (number >= FOLD_LEDGERS_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "ledger number %u: expected less than %d", number, FOLD_LEDGERS_MAX);
    while (cap <= number)
        cap *= 2;
    fold_ledger **more = realloc(fold->ledgers, cap * sizeof(*more));
    if (more == NULL)
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu ledgers", cap);
    memset(more + fold->ledgers_cap, 0, (cap - fold->ledgers_cap) * sizeof(*more));
    fold->ledgers = more;
    fold->ledgers_cap = cap;
    return true;
}

/* Two numbers for one name would mix two logs in one folder. */
static bool
name_free(const licet_fold *fold, licet_bytes name, licet_error *err)
{
    for (size_t i = 0; i < fold->ledgers_cap; i++)
        if (fold->ledgers[i] != NULL && licet_bytes_equal_text(name, fold->ledgers[i]->name))
            return LICET_FAIL(err, LICET_E_CONFLICT, 0, "ledger \"%.*s\" was begun before, as number %zu",
                              (int)(name.len < 64 ? name.len : 64), (const char *)name.data, i);
    return true;
}

static bool
ledger_add(licet_fold *fold, uint32_t number, licet_bytes name, fold_ledger **out_ledger, licet_error *err)
{
    if (ledger_find(fold, number) != NULL)
        return LICET_FAIL(err, LICET_E_CONFLICT, 0, "ledger number %u was begun before, as \"%s\"", number,
                          ledger_find(fold, number)->name);
    if (!ledgers_reserve(fold, number, err) || !name_free(fold, name, err))
        return false;
    fold_ledger *ledger = calloc(1, sizeof(*ledger));
    char *text = ledger == NULL ? NULL : malloc(name.len + 1);
    if (text == NULL) {
        free(ledger);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a ledger");
    }
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    ledger->name = text;
    ledger_sums_init(&ledger->sums);
    fold->ledgers[number] = ledger;
    *out_ledger = ledger;
    return true;
}

/* What the journal entry under way gives this ledger is in it already. */
static bool
passes_over(const licet_fold *fold, const fold_ledger *ledger)
{
    return fold->number <= ledger->folded;
}

/* ---- going out ------------------------------------------------------------------------- */

static bool
emit(licet_fold *fold, uint32_t number, licet_bytes entry, licet_error *err)
{
    return ledger_sums_add(&ledger_find(fold, number)->sums, entry, err) &&
           fold->on_entry(fold->user, number, entry, err);
}

static bool
emit_run(void *user, uint32_t number, const licet_refusals *run, licet_error *err)
{
    licet_fold *fold = user;
    if (passes_over(fold, ledger_find(fold, number)))
        return true;
    fold->scratch.len = 0;
    return licet_refusals_encode(run, &fold->scratch, err) &&
           emit(fold, number, licet_buffer_view(&fold->scratch), err);
}

static bool
emit_period(licet_fold *fold, uint32_t number, const ledger_sums *sums, uint64_t time_ms, licet_error *err)
{
    licet_period period;
    ledger_sums_close(sums, time_ms, &period);
    fold->scratch.len = 0;
    return licet_period_encode(&period, &fold->scratch, err) &&
           emit(fold, number, licet_buffer_view(&fold->scratch), err);
}

/* ---- duplicates ---------------------------------------------------------------------------- */

typedef struct fold_to {
    licet_fold *fold;
    uint32_t ledger;
} fold_to;

static bool
emit_credit(void *user, const licet_duplicates *credit, licet_error *err)
{
    fold_to *to = user;

    if (passes_over(to->fold, ledger_find(to->fold, to->ledger)))
        return true;
    to->fold->scratch.len = 0;
    return licet_duplicates_encode(credit, &to->fold->scratch, err) &&
           emit(to->fold, to->ledger, licet_buffer_view(&to->fold->scratch), err);
}

/* Fewer ids than units: some were lost, and which is unknown; then none is compared. */
static bool
feed_compare(licet_fold *fold, const licet_journal_facts *f, licet_error *err)
{
    const ledger_gathered *g = ledger_gather_find(fold->gather, f->ledger, f->identity, f->unit);
    fold_ledger *ledger;
    fold_to to = {fold, f->ledger};

    if (!ledger_known(fold, f->ledger, &ledger, err))
        return false;
    if (fold->seen == NULL)
        return LICET_FAIL(err, LICET_E_STATE, 0, "ids to compare, and no set of seen ids");
    if (f->time_ms < f->from_ms || f->time_ms >= f->before_ms || f->scope.len > LICET_SEEN_SCOPE_MAX ||
        f->flow > LICET_FLOW_PASSED_ON)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "ids to compare in a window that their receipt is not in");
    if (f->count == 0) {
        ledger_gather_drop(fold->gather, f->ledger, f->identity);
        return true;
    }
    if (fold->number <= fold->seen->folded || g == NULL || g->count < f->count ||
        f->before_ms + LICET_SEEN_KEEP_MS <= fold->tick_ms)
        return true;
    return ledger_compare(fold->seen, f, licet_buffer_view(&g->ids), emit_credit, &to, err);
}

static bool
same_identity(licet_identity a, licet_identity b)
{
    return a.gate == b.gate && a.epoch == b.epoch && a.sequence == b.sequence;
}

/* The ids of a response go when anything follows its receipt, all its parts, that does not compare them. */
static void
gather_follow(licet_fold *fold, const licet_journal_facts *f)
{
    licet_receipt receipt;
    bool is_receipt = f->kind == LICET_JOURNAL_ENTRY && f->entry.len > 0 && f->entry.data[0] == LICET_ENTRY_RECEIPT;

    if (ledger_gather_empty(fold->gather)) {
        fold->settled.any = false;
        return;
    }
    if (f->kind == LICET_JOURNAL_COMPARE && fold->settled.any && f->ledger == fold->settled.ledger &&
        same_identity(f->identity, fold->settled.identity))
        return;
    is_receipt = is_receipt && licet_receipt_decode(f->entry, &receipt, NULL);
    if (fold->settled.any &&
        !(is_receipt && f->ledger == fold->settled.ledger && same_identity(receipt.identity, fold->settled.identity))) {
        ledger_gather_drop(fold->gather, fold->settled.ledger, fold->settled.identity);
        fold->settled.any = false;
    }
    if (is_receipt) {
        fold->settled.any = true;
        fold->settled.ledger = f->ledger;
        fold->settled.identity = receipt.identity;
    }
}

void
licet_fold_use(licet_fold *fold, licet_seen *seen)
{
    fold->seen = seen;
    fold->tick_ms = seen->tick_ms;
}

bool
licet_fold_commit_seen(licet_fold *fold, uint64_t number, licet_error *err)
{
    uint64_t first = ledger_gather_first(fold->gather);

    return fold->seen->ops->commit(fold->seen, number, first > 0 ? first : number + 1, fold->tick_ms, err);
}

uint64_t
licet_fold_waiting(const licet_fold *fold)
{
    return ledger_gather_count(fold->gather);
}

uint64_t
licet_fold_gathered(const licet_fold *fold, uint32_t *out_ledger, licet_identity *out_identity, uint8_t *out_unit)
{
    const ledger_gathered *largest;
    uint64_t bytes = ledger_gather_bytes(fold->gather, &largest);

    if (largest != NULL) {
        *out_ledger = largest->ledger;
        *out_identity = largest->identity;
        *out_unit = largest->unit;
    }
    return bytes;
}

/* ---- coming in ---------------------------------------------------------------------------- */

static bool
feed_ledger(licet_fold *fold, const licet_journal_facts *f, licet_error *err)
{
    fold_ledger *ledger = ledger_find(fold, f->ledger);
    if (ledger != NULL && passes_over(fold, ledger))
        return true;
    licet_fold_start start = {LICET_FOLD_VERSION, f->name, f->party, f->time_ms};
    fold->scratch.len = 0;
    return licet_fold_start_encode(&start, &fold->scratch, err) && ledger_add(fold, f->ledger, f->name, &ledger, err) &&
           fold->on_ledger(fold->user, f->ledger, f->name, f->party, err) &&
           emit(fold, f->ledger, licet_buffer_view(&fold->scratch), err);
}

static bool
feed_entry(licet_fold *fold, const licet_journal_facts *f, licet_error *err)
{
    fold_ledger *ledger;
    if (!ledger_known(fold, f->ledger, &ledger, err))
        return false;
    if (passes_over(fold, ledger))
        return true;
    if (f->entry.len > 0 && (f->entry.data[0] == LICET_ENTRY_FOLD || f->entry.data[0] == LICET_ENTRY_PERIOD))
        return LICET_FAIL(err, LICET_E_INVALID, 0, "entry of kind %u: expected one that the fold does not make itself",
                          f->entry.data[0]);
    return emit(fold, f->ledger, f->entry, err);
}

/* Also for a ledger that has it: runs are closed when all of them together grow too large, and where that is must not
 * depend on where the fold began. emit_run passes over it. */
static bool
feed_refusal(licet_fold *fold, const licet_journal_facts *f, licet_error *err)
{
    fold_ledger *ledger;
    licet_receipt receipt;
    if (!ledger_known(fold, f->ledger, &ledger, err) || !licet_receipt_decode(f->entry, &receipt, err))
        return false;
    if (receipt.verdict != LICET_VERDICT_REFUSE)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "refusal whose receipt has verdict %u: expected 1 (refuse)",
                          (unsigned)receipt.verdict);
    return ledger_runs_add(fold->runs, f->ledger, f->reason, &receipt, emit_run, fold, err);
}

static bool
feed_tick(licet_fold *fold, uint64_t time_ms, licet_error *err)
{
    if (fold->seen != NULL && fold->number > fold->seen->folded && time_ms > fold->tick_ms) {
        fold->tick_ms = time_ms;
        if (!fold->seen->ops->past(fold->seen, time_ms, err))
            return false;
    }
    if (!ledger_runs_close(fold->runs, emit_run, fold, err))
        return false;
    for (size_t i = 0; i < fold->ledgers_cap; i++) {
        fold_ledger *ledger = fold->ledgers[i];
        if (ledger == NULL || passes_over(fold, ledger) || !ledger_sums_due(&ledger->sums, time_ms))
            continue;
        if (!emit_period(fold, (uint32_t)i, &ledger->sums, time_ms, err))
            return false;
    }
    return true;
}

static bool
feed_facts(licet_fold *fold, const licet_journal_facts *f, licet_error *err)
{
    switch (f->kind) {
    case LICET_JOURNAL_LEDGER:
        return feed_ledger(fold, f, err);
    case LICET_JOURNAL_ENTRY:
        return feed_entry(fold, f, err);
    case LICET_JOURNAL_REFUSAL:
        return feed_refusal(fold, f, err);
    case LICET_JOURNAL_TICK:
    case LICET_JOURNAL_STOP:
        return feed_tick(fold, f->time_ms, err);
    case LICET_JOURNAL_IDS:
        return fold->seen == NULL || ledger_gather_add(fold->gather, fold->number, f, err);
    case LICET_JOURNAL_COMPARE:
        return feed_compare(fold, f, err);
    case LICET_JOURNAL_EPOCH:
        return true;
    }
    return false;
}

/* Says which journal entry it was, in front of the sentence about what. */
static bool
feed_failed(licet_fold *fold, licet_error *err)
{
    fold->failed = true;
    if (err != NULL) {
        char text[sizeof(err->text)];
        memcpy(text, err->text, sizeof(text));
        text[sizeof(text) - 40] = '\0';
        licet_error_set(err, err->code, err->file, err->line, err->offset, "journal entry %llu: %s",
                        (unsigned long long)fold->number, text);
    }
    return false;
}

bool
licet_fold_feed(licet_fold *fold, const licet_journal_entry *entry, licet_error *err)
{
    licet_journal_facts facts;
    if (fold->failed)
        return LICET_FAIL(err, LICET_E_STATE, 0, "the fold failed before and takes nothing more");
    if (!licet_journal_facts_of(entry, &facts, err)) {
        fold->failed = true;
        return false;
    }
    fold->number = entry->number;
    gather_follow(fold, &facts);
    return feed_facts(fold, &facts, err) || feed_failed(fold, err);
}

bool
licet_fold_recall_ledger(licet_fold *fold, uint32_t number, licet_bytes name, licet_bytes party, licet_error *err)
{
    fold_ledger *ledger;
    (void)party; /* it stands in the ledger's first entry */
    return ledger_add(fold, number, name, &ledger, err);
}

bool
licet_fold_recall(licet_fold *fold, uint32_t number, licet_bytes entry, licet_error *err)
{
    fold_ledger *ledger;
    return ledger_known(fold, number, &ledger, err) && ledger_sums_add(&ledger->sums, entry, err);
}

bool
licet_fold_recall_folded(licet_fold *fold, uint32_t number, uint64_t folded, licet_error *err)
{
    fold_ledger *ledger;
    if (!ledger_known(fold, number, &ledger, err))
        return false;
    ledger->folded = folded;
    return true;
}

bool
licet_fold_closed(const licet_fold *fold)
{
    return ledger_runs_empty(fold->runs);
}
