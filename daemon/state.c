/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State: journal, ledgers, fold and everything derived from them, opened from
 * the disk, at the start and again after a failure.
 *
 *  (1) Ledgers are cut to their newest commit record, then the journal is replayed from the one that lags most.
 *  (2) Everything behind that is fed to the fold, which passes over what a ledger has already: nothing is folded or
 *      learned a second time.
 *  (3) A journal that ends before what a ledger has folded lost its end: the ledger is right, numbers go on behind it,
 *      and what else was lost is a gap, as after a power loss.
 */
#include "rooms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
book_free(recorder_book *book)
{
    if (book == NULL) {
        return;
    }
    if (book->ledger != NULL) {
        licet_ledger_close(book->ledger, NULL);
    }
    recorder_names_done(&book->names);
    free(book->accepted);
    free(book);
}

static bool
book_open(licet_recorder *r, recorder_book *book, licet_error *err)
{
    char path[PATH_MAX];

    if (!recorder_path(r, path, err, "data/ledger/%s", book->name)) {
        return false;
    }
    if (access(path, F_OK) != 0) {
        return errno == ENOENT || LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    }
    if (!licet_ledger_open(path, false, &book->ledger, err)) {
        return false;
    }
    book->folded = licet_ledger_folded(book->ledger);
    return true;
}

static bool
book_add(licet_recorder *r, uint32_t cell, licet_error *err)
{
    recorder_book *book = calloc(1, sizeof(*book));

    if (book == NULL || !recorder_names_init(&book->names, err)) {
        free(book);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for ledger %u", cell);
    }
    book->cell = cell;
    snprintf(book->name, sizeof(book->name), "%s", licet_store_cell_name(r->store, cell));
    r->books[r->books_len++] = book;
    return book_open(r, book, err) && recorder_seal_recall(r, book, err) &&
           (r->usage == NULL || licet_usage_applied(r->usage, book->name, &book->applied, err));
}

bool
recorder_books_grow(licet_recorder *r, licet_error *err)
{
    uint32_t cells = licet_store_cells(r->store);
    recorder_book **grown;

    if (cells <= r->books_len) {
        return true;
    }
    grown = realloc(r->books, cells * sizeof(recorder_book *));
    if (grown == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u ledgers", cells);
    }
    r->books = grown;
    while (r->books_len < cells) {
        if (!book_add(r, r->books_len, err)) {
            return false;
        }
    }
    return true;
}

/* ---- recall: the ledgers as they are ------------------------------------------- */

typedef struct recalling {
    licet_recorder *r;
    recorder_book *book;
} recalling;

static bool
on_recalled(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    recalling *c = user;
    licet_fold_start start;

    if (index == 0 && (!licet_fold_start_decode(entry, &start, err) ||
                       !licet_fold_recall_ledger(c->r->fold, c->book->cell, start.ledger, start.party, err))) {
        return false;
    }
    return licet_fold_recall(c->r->fold, c->book->cell, entry, err) && recorder_learn(c->r, c->book, entry, err);
}

static bool
books_recall(licet_recorder *r, licet_error *err)
{
    for (uint32_t i = 0; i < r->books_len; i++) {
        recalling c = {r, r->books[i]};

        if (c.book->ledger == NULL || licet_ledger_size(c.book->ledger) == 0) {
            continue;
        }
        if (!licet_ledger_each(c.book->ledger, 0, licet_ledger_size(c.book->ledger), on_recalled, &c, err) ||
            !licet_fold_recall_folded(r->fold, c.book->cell, c.book->folded, err)) {
            return false;
        }
    }
    return true;
}

/* ---- replay: the journal behind them ---------------------------------------------- */

typedef struct replaying {
    licet_recorder *r;
    uint64_t least, last; /* folded by every ledger; newest number seen */
} replaying;

static bool
on_replayed(void *user, const licet_journal_entry *entry, licet_error *err)
{
    replaying *p = user;
    licet_recorder *r = p->r;
    licet_journal_facts facts;

    if (!licet_journal_facts_of(entry, &facts, err)) {
        return false;
    }
    p->last = entry->number;
    if (entry->kind == LICET_JOURNAL_TICK || (entry->kind == LICET_JOURNAL_EPOCH && r->last_tick == 0)) {
        r->last_tick = facts.time_ms;
    }
    if (entry->number <= p->least) {
        return true;
    }
    r->dirty = true;
    r->feeding = entry->number;
    return licet_fold_feed(r->fold, entry, err);
}

static bool
on_last(void *user, const licet_journal_entry *entry, licet_error *err)
{
    uint64_t *last = user;

    (void)err;
    *last = entry->number;
    return true;
}

static void
folded_span(const licet_recorder *r, uint64_t *out_least, uint64_t *out_most)
{
    uint64_t least = UINT64_MAX, most = 0;

    for (uint32_t i = 0; i < r->books_len; i++) {
        uint64_t folded = r->books[i]->folded;

        least = folded < least ? folded : least;
        most = folded > most ? folded : most;
    }
    *out_least = least == UINT64_MAX ? 0 : least;
    *out_most = most;
}

static bool
journal_replay(licet_recorder *r, licet_error *err)
{
    replaying p = {.r = r};
    char path[PATH_MAX];
    uint64_t most;

    folded_span(r, &p.least, &most);
    p.least = recorder_seen_needs(r) < p.least ? recorder_seen_needs(r) : p.least;
    if (!recorder_path(r, path, err, "data/journal") ||
        !licet_journal_file_open(path, false, most + 1, &r->journal, err)) {
        return false;
    }
    if (r->journal->ops->cut(r->journal) > 0) {
        recorder_say(r, LICET_LOG_WARNING, "%s: %llu bytes of an unfinished batch at the end were cut off", path,
                     (unsigned long long)r->journal->ops->cut(r->journal));
    }
    /* From the tick that all ledgers have on: it tells the time. */
    if (!r->journal->ops->replay(r->journal, p.least > 0 ? p.least : 1, on_replayed, &p, err)) {
        return false;
    }
    if (p.last < most) {
        r->journal_lost = true;
        if (p.last == 0 && !r->journal->ops->replay(r->journal, 1, on_last, &p.last, err)) {
            return false;
        }
        recorder_say(r, LICET_LOG_ERROR, "%s: the journal ends at entry %llu, ledgers know %llu: it lost its end", path,
                     (unsigned long long)p.last, (unsigned long long)most);
    }
    return true;
}

/* ---- positions ------------------------------------------------------------------------- */

/* Where the journal says a gate was drained to: its commit record is the truth, also after a failed one. */
void
recorder_gate_positions(recorder_gate *gate, const licet_journal_position *positions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (positions[i].epoch == gate->epoch && positions[i].area < gate->areas_len) {
            recorder_area *area = &gate->areas[positions[i].area];

            area->ring = positions[i].ring > area->ring ? positions[i].ring : area->ring;
            area->ids = positions[i].ids > area->ids ? positions[i].ids : area->ids;
        }
    }
    for (uint32_t a = 0; a < gate->areas_len; a++) {
        gate->areas[a].ring_staged = gate->areas[a].ring;
        gate->areas[a].ids_staged = gate->areas[a].ids;
        licet_gate_drained(gate->gate, a, gate->areas[a].ring, gate->areas[a].ids);
    }
}

static void
positions_recall(licet_recorder *r)
{
    size_t n = 0;
    const licet_journal_position *positions = r->journal->ops->positions(r->journal, &n);

    r->positions_len = n < LICET_JOURNAL_POSITIONS_MAX ? n : LICET_JOURNAL_POSITIONS_MAX;
    if (n > 0) {
        memcpy(r->positions, positions, r->positions_len * sizeof(r->positions[0]));
    }
    if (r->gate != NULL) {
        recorder_gate_positions(r->gate, r->positions, r->positions_len);
    }
    for (size_t i = 0; i < r->old_len; i++) {
        recorder_gate_positions(r->old[i], r->positions, r->positions_len);
    }
}

bool
recorder_state_open(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    r->recovering = true;
    r->dirty = false;
    if (r->with_gate && r->gate == NULL && !recorder_sums_begin(r, now_ms, err)) {
        return false;
    }
    if (!licet_fold_new(recorder_on_fold_ledger, recorder_on_fold_entry, r, &r->fold, err) ||
        !recorder_books_grow(r, err) || !books_recall(r, err) || !recorder_seen_open(r, err) ||
        !journal_replay(r, err)) {
        return false;
    }
    r->recovering = false;
    while (r->recent_len > 0 &&
           r->recent[(r->recent_len - 1) % RECORDER_RECENT_LEN].number >= r->journal->ops->next(r->journal)) {
        r->recent_len--; /* never committed: it will come again */
    }
    positions_recall(r);
    return true;
}

void
recorder_state_close(licet_recorder *r)
{
    for (uint32_t i = 0; i < r->books_len; i++) {
        book_free(r->books[i]);
    }
    free(r->books);
    r->books = NULL;
    r->books_len = 0;
    licet_fold_free(r->fold);
    r->fold = NULL;
    if (r->seen != NULL) {
        r->seen->ops->close(r->seen);
        r->seen = NULL;
    }
    if (r->journal != NULL) {
        r->journal->ops->close(r->journal, NULL);
        r->journal = NULL;
    }
    r->staged_len = 0;
    counts_drop(&r->counts);
    r->batch.len = 0;
    r->batch.failed = false;
    if (r->cache != NULL) {
        memset(r->cache, 0, RECORDER_CACHE_LEN * sizeof(*r->cache));
    }
}
