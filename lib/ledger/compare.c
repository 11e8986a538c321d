/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compare: the ids of one response against those that count in its window.
 *
 *  (1) Credits come out in the order of the receipts they name, one for each: the same set and the same ids give the
 *      same credits.
 */
#include "compare.h"

#include <stdlib.h>

typedef struct credited {
    licet_seen_copy copy;
    uint64_t count;
} credited;

typedef struct comparing {
    licet_seen_copy copy;
    uint64_t own;   /* duplicates credited to the response itself */
    credited *list; /* to others, that came earlier and were later */
    size_t len, capacity;
} comparing;

static bool
list_add(comparing *c, const licet_seen_copy *copy, uint64_t count, licet_error *err)
{
    if (c->len == c->capacity) {
        size_t capacity = 2 * c->capacity + 16;
        credited *list = realloc(c->list, capacity * sizeof(*list));
        if (list == NULL)
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu credits", capacity);
        c->list = list;
        c->capacity = capacity;
    }
    c->list[c->len++] = (credited){*copy, count};
    return true;
}

static bool
on_duplicate(void *user, const licet_seen_copy *copy, licet_error *err)
{
    comparing *c = user;

    if (licet_seen_order(copy, &c->copy) != 0)
        return list_add(c, copy, 1, err);
    c->own++;
    return true;
}

static int
compare_credited(const void *left, const void *right)
{
    return licet_seen_order(&((const credited *)left)->copy, &((const credited *)right)->copy);
}

static bool
credits_out(const comparing *c, const licet_journal_facts *f, ledger_on_credit on_credit, void *user, licet_error *err)
{
    for (size_t i = 0, n; i < c->len; i = n) {
        licet_duplicates credit = {.flow = (licet_flow)f->flow,
                                   .identity = c->list[i].copy.identity,
                                   .time_ms = c->list[i].copy.time_ms,
                                   .context = c->list[i].copy.context,
                                   .unit = f->unit,
                                   .from_ms = f->from_ms,
                                   .before_ms = f->before_ms};
        for (n = i; n < c->len && compare_credited(&c->list[i], &c->list[n]) == 0; n++)
            credit.count += c->list[n].count;
        if (!on_credit(user, &credit, err))
            return false;
    }
    return true;
}

bool
ledger_compare(licet_seen *seen, const licet_journal_facts *f, licet_bytes ids, ledger_on_credit on_credit, void *user,
               licet_error *err)
{
    licet_seen_window window = {f->ledger, f->unit, f->flow, f->from_ms, f->before_ms, f->scope};
    comparing c = {.copy = {f->time_ms, f->identity, f->context}};
    bool ok = seen->ops->add(seen, &window, &c.copy, ids, f->count, on_duplicate, &c, err);

    if (ok && c.own > 0)
        ok = list_add(&c, &c.copy, c.own, err);
    if (ok) {
        if (c.len > 1)
            qsort(c.list, c.len, sizeof(*c.list), compare_credited);
        ok = credits_out(&c, f, on_credit, user, err);
    }
    free(c.list);
    return ok;
}
