/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters: setting those of a new shared memory from the ledgers, and giving
 * back what the death of a worker leaked.
 *
 *  (1) Nothing is given back while a response is under way: then every held unit belongs to somebody.
 *  (2) Units that were delivered are added even beyond a limit; a gap's bound fills a limit and no more.
 */
#include "rooms.h"

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
    } while (!licet_gate_counter_swap(gate, counter, from, to));
}

void
recorder_counter_give(licet_recorder *r, uint32_t counter, uint32_t window, uint64_t units)
{
    licet_counter_value from, to;

    do {
        from = licet_gate_counter(r->gate->gate, counter);
        if (from.window != window) {
            return;
        }
        to = from;
        to.taken -= units < to.taken - to.held ? units : to.taken - to.held;
    } while (!licet_gate_counter_swap(r->gate->gate, counter, from, to));
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
recorder_counters_set(licet_recorder *r)
{
    for (uint32_t i = 0; r->sums != NULL && i < r->sums_len; i++) {
        if (r->sums[i].units > 0) {
            recorder_counter_raise(r, i, r->sums[i].window, r->sums[i].units);
        }
    }
}

/* The value is read while nothing is under way, so what is marked held in it was leaked by a death; the swap fails if a
 * worker touched the counter since (licet_gate_opened tells that none came and went before it was read). */
static bool
give_back(licet_gate *gate, uint32_t counter, uint64_t opened, uint64_t *out_units)
{
    licet_counter_value from = licet_gate_counter(gate, counter), to = from;

    *out_units = 0;
    if (from.held == 0) {
        return true;
    }
    if (licet_gate_under_way(gate) != 0 || licet_gate_opened(gate) != opened) {
        return false;
    }
    to.taken -= from.held < from.taken ? from.held : from.taken;
    to.held = 0;
    if (!licet_gate_counter_swap(gate, counter, from, to)) {
        return false;
    }
    LICET_STEP(RECOUNTED);
    *out_units = from.held;
    return true;
}

void
recorder_recount(licet_recorder *r)
{
    licet_gate *gate = r->gate->gate;
    uint64_t opened = licet_gate_opened(gate), units = 0, given;
    uint32_t counters = licet_gate_counters(gate), mended = 0;
    bool all = true;

    if (!r->recount_due || licet_gate_under_way(gate) != 0) {
        return;
    }
    for (uint32_t i = 0; all && i < counters; i++) {
        all = give_back(gate, i, opened, &given);
        units += given;
        mended += given > 0 ? 1 : 0;
    }
    r->recount_due = !all;
    if (mended > 0) {
        recorder_say(r, LICET_LOG_INFO, "a dead worker had left %llu units held in %u counters; given back",
                     (unsigned long long)units, mended);
    }
}
