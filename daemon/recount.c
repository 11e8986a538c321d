/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters: setting those of a new shared memory from the ledgers, and giving
 * back what the death of a worker leaked.
 *
 *  (1) Nothing is given back while a response is under way: then every held unit belongs to somebody.
 *  (2) A recount never leaves a counter below what the ledger says of its window: of what is held, some was delivered.
 *      Of a limit on what is under way at once nothing is left then, whatever the counter says.
 *  (3) Units that were delivered are added even beyond a limit; a gap's bound fills a limit and no more.
 */
#include "rooms.h"

#include <stdlib.h>

#define COUNTER_MOST ((UINT64_C(1) << 56) - 1)

/* What a counter is once units were added: never beyond most for their sake, but what is taken stays. */
static uint64_t
added(uint64_t taken, uint64_t units, uint64_t most)
{
    uint64_t sum = units < UINT64_MAX - taken ? taken + units : UINT64_MAX;

    return sum <= most ? sum : (taken > most ? taken : most);
}

void
recorder_counter_add(licet_recorder *r, uint32_t counter, uint32_t window, uint64_t units, uint64_t most)
{
    licet_gate *gate = r->gate != NULL ? r->gate->gate : NULL;
    licet_counter_value from, to;

    if (gate == NULL || counter >= licet_gate_counters(gate)) {
        return;
    }
    do {
        from = licet_gate_counter(gate, counter);
        to = from;
        if (from.window < window) {
            to = (licet_counter_value){.window = window};
        } else if (from.window > window) {
            return; /* the window is over */
        }
        to.taken = added(to.taken, units, most);
        to.taken = to.taken < COUNTER_MOST ? to.taken : COUNTER_MOST;
    } while (!licet_gate_counter_swap(gate, counter, from, to));
}

void
recorder_counter_raise(licet_recorder *r, uint32_t counter, uint32_t window, uint64_t taken)
{
    licet_counter_value now = r->gate != NULL ? licet_gate_counter(r->gate->gate, counter) : (licet_counter_value){0};
    uint64_t there = now.window == window ? now.taken : 0;

    if (taken > there) {
        recorder_counter_add(r, counter, window, taken - there, COUNTER_MOST);
    }
}

void
recorder_sum_add(licet_recorder *r, uint32_t counter, uint32_t window, uint64_t units, uint64_t most)
{
    if (r->sums != NULL && counter < r->sums_len) {
        recorder_sum *sum = &r->sums[counter];

        if (sum->window != window) {
            *sum = (recorder_sum){.window = window};
        }
        sum->units = added(sum->units, units, most);
    }
}

void
recorder_sum_take(licet_recorder *r, uint32_t counter, uint32_t window, uint64_t units)
{
    if (r->sums != NULL && counter < r->sums_len && r->sums[counter].window == window) {
        uint64_t there = r->sums[counter].units;

        r->sums[counter].units = there > units ? there - units : 0;
    }
}

void
recorder_counters_set(licet_recorder *r)
{
    for (uint32_t i = 0; r->sums != NULL && i < r->sums_len; i++) {
        if (r->sums[i].units > 0) {
            recorder_counter_raise(r, i, r->sums[i].window, r->sums[i].units);
        }
    }
}

/* ---- what a death leaked ------------------------------------------------------------ */

#define LEAKED_MOST 4096u /* counters mended at once; the others at the next look */

typedef struct leaked {
    uint32_t counter;
    bool concurrent;
    licet_counter_value value;
} leaked;

/* Which counters are of limits on what is under way at once. NULL: no memory. */
static bool *
concurrent_of(const licet_recorder *r, uint32_t len)
{
    bool *is = calloc(len > 0 ? len : 1, sizeof(*is));

    for (uint32_t cell = 1; is != NULL && cell < r->books_len; cell++) {
        const licet_image *image = licet_store_image(r->store, cell);

        for (uint32_t i = 0; image != NULL && i < image->header->limits_len; i++) {
            const licet_image_limit *limit = &image->limits[i];

            for (uint32_t place = 0; limit->per == LICET_PER_CONCURRENT && place < limit->counters.count; place++) {
                uint32_t counter = licet_image_counter_at(image, limit, place);

                is[counter < len ? counter : 0] |= counter < len;
            }
        }
    }
    return is;
}

/* In a replaced file something may be under way that the counters in force hold too. */
static bool
nothing_under_way(const licet_recorder *r)
{
    bool busy = licet_gate_under_way(r->gate->gate) != 0;

    for (size_t i = 0; i < r->old_len; i++) {
        busy = busy || licet_gate_under_way(r->old[i]->gate) != 0;
    }
    return !busy;
}

/* Counters with units held while nothing is under way. False when something was: their values mean nothing then. */
static bool
leaks_find(const licet_recorder *r, const bool *concurrent, leaked *list, uint32_t *out_len)
{
    const licet_gate *gate = r->gate->gate;
    uint64_t opened = licet_gate_opened(gate);

    *out_len = 0;
    if (licet_gate_under_way(gate) != 0) {
        return false;
    }
    for (uint32_t i = 0; i < licet_gate_counters(gate) && *out_len < LEAKED_MOST; i++) {
        licet_counter_value value = licet_gate_counter(gate, i);

        if (value.held > 0 || (concurrent[i] && value.taken > 0 && nothing_under_way(r))) {
            list[(*out_len)++] = (leaked){i, concurrent[i], value};
        }
    }
    return licet_gate_under_way(gate) == 0 && licet_gate_opened(gate) == opened;
}

/* What the counter should be. What is held was taken and never marked, or unmarked and never given back; of the latter
 * a part was delivered, and only the ledger knows how much. */
static licet_counter_value
mended(const licet_recorder *r, const leaked *leak)
{
    const recorder_sum *sum = leak->counter < r->sums_len ? &r->sums[leak->counter] : NULL;
    uint64_t recorded = sum != NULL && sum->window == leak->value.window ? sum->units : 0;
    licet_counter_value to = {.window = leak->value.window, .closed = leak->value.closed};

    if (leak->concurrent) {
        return to;
    }
    to.taken = leak->value.taken - (leak->value.held < leak->value.taken ? leak->value.held : leak->value.taken);
    if (to.taken < recorded) {
        to.taken = recorded < leak->value.taken ? recorded : leak->value.taken;
    }
    return to;
}

/* The swap fails when a worker touched the counter since it was read: later, then. */
static void
leaks_mend(licet_recorder *r, const leaked *list, uint32_t len)
{
    uint64_t units = 0;
    uint32_t counters = 0;

    for (uint32_t i = 0; i < len; i++) {
        licet_counter_value to = mended(r, &list[i]);

        if (!licet_gate_counter_swap(r->gate->gate, list[i].counter, list[i].value, to)) {
            r->recount_due = true;
            continue;
        }
        LICET_STEP(RECOUNTED);
        units += list[i].value.taken - to.taken;
        counters++;
    }
    recorder_say(r, LICET_LOG_INFO, "a dead worker had left units held in %u counters; %llu given back", counters,
                 (unsigned long long)units);
}

bool
recorder_recount(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    uint32_t len = 0;
    leaked *list;
    bool *concurrent, ok = true;

    if (!r->recount_due || licet_gate_under_way(r->gate->gate) != 0) {
        return true;
    }
    list = calloc(LEAKED_MOST, sizeof(*list));
    concurrent = concurrent_of(r, licet_gate_counters(r->gate->gate));
    if (list == NULL || concurrent == NULL) {
        free(list);
        free(concurrent);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a recount");
    }
    if (leaks_find(r, concurrent, list, &len)) {
        r->recount_due = len == LEAKED_MOST;
        if (len > 0) {
            ok = recorder_drain_all(r, now_ms, err) && recorder_sums_all(r, now_ms, err);
            if (ok) {
                leaks_mend(r, list, len);
            } else {
                r->recount_due = true;
            }
            recorder_sums_end(r);
        }
    }
    free(concurrent);
    free(list);
    return ok;
}
