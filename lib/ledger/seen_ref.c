/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of seen ids in the most obvious way: a list in memory, searched from
 * its begin. Windows are never forgotten.
 */
#include "seen_ref.h"

#include <stdlib.h>
#include <string.h>

typedef struct seen_id {
    licet_seen_window window; /* scope: into bytes */
    licet_seen_copy copy;
    uint8_t id_len, id[255];
    uint8_t scope[LICET_SEEN_SCOPE_MAX];
} seen_id;

typedef struct seen_list {
    licet_seen base;
    seen_id **list;
    size_t len;
} seen_list;

static bool
same_window(const licet_seen_window *a, const licet_seen_window *b)
{
    return a->ledger == b->ledger && a->unit == b->unit && a->flow == b->flow && a->from_ms == b->from_ms &&
           a->before_ms == b->before_ms && licet_bytes_equal(a->scope, b->scope);
}

static bool
add_one(seen_list *s, const licet_seen_window *window, const licet_seen_copy *copy, licet_bytes id,
        licet_on_duplicate on_duplicate, void *user, licet_error *err)
{
    for (size_t i = 0; i < s->len; i++) {
        seen_id *there = s->list[i];
        licet_seen_copy later = *copy;
        if (!same_window(&there->window, window) || !licet_bytes_equal(licet_bytes_of(there->id, there->id_len), id))
            continue;
        if (licet_seen_order(copy, &there->copy) < 0) {
            later = there->copy;
            there->copy = *copy;
        }
        return on_duplicate(user, &later, err);
    }
    seen_id *next = calloc(1, sizeof(*next));
    seen_id **list = realloc(s->list, (s->len + 1) * sizeof(seen_id *));
    if (next == NULL || list == NULL)
        abort(); /* a judge without memory judges nothing */
    s->list = list;
    next->window = *window;
    next->copy = *copy;
    memcpy(next->scope, window->scope.data == NULL ? (const uint8_t *)"" : window->scope.data, window->scope.len);
    next->window.scope = licet_bytes_of(next->scope, window->scope.len);
    next->id_len = (uint8_t)id.len;
    memcpy(next->id, id.data == NULL ? (const uint8_t *)"" : id.data, id.len);
    list[s->len++] = next;
    return true;
}

static bool
add(licet_seen *seen, const licet_seen_window *window, const licet_seen_copy *copy, licet_bytes ids, uint32_t count,
    licet_on_duplicate on_duplicate, void *user, licet_error *err)
{
    licet_cursor c = {ids, 0};
    for (uint32_t i = 0; i < count; i++) {
        uint8_t len;
        licet_bytes id;
        if (!licet_take_u8(&c, &len) || !licet_take_bytes(&c, len, &id))
            return LICET_FAIL(err, LICET_E_INVALID, c.pos, "%u ids: the bytes end behind %u", count, i);
        if (!add_one((seen_list *)seen, window, copy, id, on_duplicate, user, err))
            return false;
    }
    return true;
}

static bool
past(licet_seen *seen, uint64_t time_ms, licet_error *err)
{
    (void)seen;
    (void)time_ms;
    (void)err;
    return true;
}

static bool
commit(licet_seen *seen, uint64_t folded, uint64_t resume, uint64_t tick_ms, licet_error *err)
{
    (void)err;
    seen->folded = folded;
    seen->resume = resume;
    seen->tick_ms = tick_ms;
    return true;
}

static bool
clear(licet_seen *seen, licet_error *err)
{
    seen_list *s = (seen_list *)seen;
    for (size_t i = 0; i < s->len; i++)
        free(s->list[i]);
    s->len = 0;
    return commit(seen, 0, 0, 0, err);
}

static bool
has(const licet_seen *seen, uint32_t ledger)
{
    const seen_list *s = (const seen_list *)seen;
    for (size_t i = 0; i < s->len; i++)
        if (s->list[i]->window.ledger == ledger)
            return true;
    return false;
}

static void
close_list(licet_seen *seen)
{
    clear(seen, NULL);
    free(((seen_list *)seen)->list);
    free(seen);
}

bool
seen_ref_open(licet_seen **out_seen, licet_error *err)
{
    static const licet_seen_ops ops = {add, past, commit, clear, has, close_list};
    seen_list *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a set");
    s->base.ops = &ops;
    *out_seen = &s->base;
    return true;
}
