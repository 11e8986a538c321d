/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rolling: see rolling.h. Of a closed bucket two loads suffice, the window
 * first: closed it can only fall, and it is begun anew only after the bucket
 * that is being taken from was closed, so that the swap there fails.
 */
#include "rolling.h"

typedef struct rolling_view {
    gate_counter words[LICET_BUCKETS_MAX]; /* as read, by row */
    licet_counter_value value;             /* window: the present bucket; taken and held of all */
    bool before_closed;                    /* all the buckets before it are */
} rolling_view;

/* The window first, then the units. */
static gate_counter
look(const gate_counter *word)
{
    const uint64_t *half = (const uint64_t *)(const void *)word;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t high = GATE_LOAD(&half[1]), low = GATE_LOAD(&half[0]);
#else
    uint64_t high = GATE_LOAD(&half[0]), low = GATE_LOAD(&half[1]);
#endif
    return (gate_counter)high << 64 | low;
}

static void
present(const rolling_view *view, uint32_t n, uint32_t window, uint32_t *out_present)
{
    *out_present = window;
    for (uint32_t i = 0; i < n; i++) {
        licet_counter_value one = counter_unpack(view->words[i]);
        uint32_t least = one.closed && one.window < UINT32_MAX ? one.window + 1 : one.window; /* (4) */

        *out_present = least > *out_present ? least : *out_present;
    }
}

static void
view_of(const gate_counter *row, uint32_t n, uint32_t window, rolling_view *view)
{
    view->value = (licet_counter_value){0};
    view->before_closed = true;
    for (uint32_t i = 0; i < n; i++) {
        view->words[i] = look(&row[i]);
    }
    present(view, n, window, &view->value.window);
    for (uint32_t back = 0, at = view->value.window; back < n && back <= view->value.window; back++, at--) {
        licet_counter_value one = counter_unpack(view->words[at % n]);

        if (one.window == at) {
            view->value.taken += one.taken;
            view->value.held += one.held;
        }
        view->before_closed = view->before_closed && (back == 0 || (one.window == at && one.closed));
    }
}

/* (2). False when somebody was faster. */
static bool
close_before(gate_counter *row, uint32_t n, const rolling_view *view)
{
    uint32_t window = view->value.window;

    for (uint32_t back = 1; back < n && back <= window; back++) {
        uint32_t at = window - back;
        gate_counter seen = view->words[at % n];
        licet_counter_value one = counter_unpack(seen);

        if (one.window == at && one.closed) {
            continue;
        }
        one = one.window == at ? one : (licet_counter_value){.window = at};
        one.closed = true;
        if (!__sync_bool_compare_and_swap(&row[at % n], seen, counter_pack(one))) {
            return false;
        }
        LICET_STEP(BUCKET_CLOSED);
    }
    return true;
}

static bool
unchanged(const gate_counter *row, uint32_t n, const rolling_view *view)
{
    for (uint32_t i = 0; i < n; i++) {
        if (look(&row[i]) != view->words[i]) {
            return false;
        }
    }
    return true;
}

counter_result
rolling_take(gate_counter *row, uint32_t n, counter_want want)
{
    for (rolling_view view;;) {
        view_of(row, n, want.window, &view);
        licet_counter_value all = view.value;
        bool over = all.taken > want.most || want.units > want.most - all.taken;
        if (over && !want.anyway) {
            if (unchanged(row, n, &view)) {
                return (counter_result){.over = true, .value = all};
            }
            continue;
        }
        if (!view.before_closed) {
            (void)close_before(row, n, &view);
            continue;
        }
        gate_counter seen = view.words[all.window % n];
        licet_counter_value own = counter_unpack(seen);
        own = counter_more(own.window == all.window ? own : (licet_counter_value){.window = all.window}, want.units);
        if (__sync_bool_compare_and_swap(&row[all.window % n], seen, counter_pack(own))) {
            return (counter_result){.taken = true, .over = over, .value = counter_more(all, want.units)};
        }
    }
}

licet_counter_value
rolling_load(gate_counter *row, uint32_t n, uint32_t window)
{
    rolling_view view;

    view_of(row, n, window, &view);
    return counter_more(view.value, 0);
}

uint32_t
rolling_returns(gate_counter *row, uint32_t n, uint32_t window, uint64_t units)
{
    rolling_view view;
    uint64_t returned = 0;

    view_of(row, n, window, &view);
    for (uint32_t back = n - 1; back > 0; back--) {
        uint32_t at = view.value.window - back;
        licet_counter_value one = counter_unpack(view.words[at % n]);

        returned += back <= view.value.window && one.window == at ? one.taken : 0;
        if (returned >= units) {
            return at;
        }
    }
    return view.value.window;
}
