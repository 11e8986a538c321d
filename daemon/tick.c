/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tick: about each second what was journalled becomes ledger, usage table and
 * signed checkpoint.
 *
 *  (1) A tick closes the open runs of refusals; only behind a tick may a ledger say how far it is folded.
 *  (2) Ticks never go back in time, even when the clock does.
 *  (3) A ledger that did not grow says so every TICKS_ALL ticks and at every start and end, so that a replay never has
 * to begin far behind.
 */
#include "rooms.h"

#define TICKS_ALL 64

static bool
ledgers_commit(licet_recorder *r, uint64_t number, bool all, licet_error *err)
{
    for (uint32_t i = 0; i < r->books_len; i++) {
        recorder_book *book = r->books[i];

        if (book->ledger == NULL || (!book->touched && !all)) {
            continue;
        }
        if (number > book->folded && !licet_ledger_commit(book->ledger, number, all, err)) {
            return false;
        }
        book->folded = number > book->folded ? number : book->folded;
        book->touched = false;
        LICET_STEP(LEDGER_COMMITTED);
    }
    return true;
}

typedef struct applying {
    licet_usage *usage;
    const char *name;
} applying;

static bool
apply_entry(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    applying *a = user;

    return licet_usage_apply(a->usage, a->name, index, entry, err);
}

static bool
usage_apply(licet_recorder *r, licet_error *err)
{
    for (uint32_t i = 0; i < r->books_len; i++) {
        recorder_book *book = r->books[i];
        applying a = {r->usage, book->name};
        uint64_t size = book->ledger != NULL ? licet_ledger_size(book->ledger) : 0;

        if (size > book->applied) {
            if (!licet_ledger_each(book->ledger, book->applied, size, apply_entry, &a, err)) {
                return false;
            }
            book->applied = size;
        }
    }
    return true;
}

/* Tables that know more of a ledger than the ledger itself were made from a journal that lost its end. */
static bool
usage_ahead(const licet_recorder *r)
{
    for (uint32_t i = 0; i < r->books_len; i++) {
        const recorder_book *book = r->books[i];

        if (book->applied > (book->ledger != NULL ? licet_ledger_size(book->ledger) : 0)) {
            return true;
        }
    }
    return false;
}

bool
recorder_usage_follow(licet_recorder *r, licet_error *err)
{
    if (r->usage == NULL) { /* a rebuild failed before */
        return licet_recorder_rebuild(r, err);
    }
    if (usage_ahead(r)) {
        recorder_say(r, LICET_LOG_WARNING, "the usage tables know more than the ledgers; they are rebuilt");
        return licet_recorder_rebuild(r, err);
    }
    if (licet_usage_begin(r->usage, err) && usage_apply(r, err)) {
        LICET_STEP(USAGE_APPLIED);
        if (licet_usage_commit(r->usage, err)) {
            LICET_STEP(USAGE_COMMITTED);
            return true;
        }
    }
    for (uint32_t i = 0; i < r->books_len; i++) {
        licet_usage_applied(r->usage, r->books[i]->name, &r->books[i]->applied, NULL);
    }
    return false;
}

/* The tables are a projection: what keeps them from being written keeps nothing from being recorded. It is said once,
 * tried again at each tick, and told to whoever asks for a sync. */
static void
usage_try(licet_recorder *r)
{
    licet_error why = {0};
    bool ok = recorder_usage_follow(r, &why) || (why.code == LICET_E_CORRUPT && licet_recorder_rebuild(r, &why));

    if (!ok && !r->usage_behind) {
        recorder_say(r, LICET_LOG_ERROR, "the usage tables cannot be brought up to date; recording goes on: %s",
                     why.text);
    } else if (ok && r->usage_behind) {
        recorder_say(r, LICET_LOG_INFO, "the usage tables are up to date again");
    }
    r->usage_behind = !ok;
}

bool
recorder_tick(licet_recorder *r, uint64_t now_ms, bool all, licet_error *err)
{
    uint64_t time = now_ms > r->last_tick ? now_ms : r->last_tick, number;

    if (!recorder_stage_time(r, LICET_JOURNAL_TICK, time, &number, err) || !recorder_commit(r, now_ms, err)) {
        return false;
    }
    LICET_STEP(TICKED);
    r->last_tick = time;
    r->dirty = false;
    r->ticks++;
    if (!licet_fold_closed(r->fold)) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "a run of refusals is open behind tick %llu",
                          (unsigned long long)number);
    }
    if (!ledgers_commit(r, number, all || r->ticks % TICKS_ALL == 0, err)) {
        return false;
    }
    if ((all || r->ticks % TICKS_ALL == 0) && !licet_fold_commit_seen(r->fold, number, err)) {
        return false;
    }
    usage_try(r);
    return recorder_seal(r, false, err);
}
