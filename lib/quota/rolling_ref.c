/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rolling, in the plainest form: the list of all takes, and a sum over those
 * whose bucket lies in the window. rolling_test.c holds the counters to it.
 */
#include "rolling.h"

static licet_counter_value
sum(const rolling_ref *ref, uint32_t window)
{
    licet_counter_value value = {.window = window};

    for (uint32_t i = 0; i < ref->len; i++) {
        if (ref->list[i].bucket <= window && window - ref->list[i].bucket < ref->n) {
            value.taken += ref->list[i].units;
            value.held += ref->list[i].held;
        }
    }
    return value;
}

counter_result
rolling_ref_take(rolling_ref *ref, counter_want want)
{
    uint32_t window = want.window > ref->present ? want.window : ref->present;
    licet_counter_value before = sum(ref, window);
    counter_result result = {.over = before.taken + want.units > want.most, .value = before};

    result.taken = !result.over || want.anyway;
    if (result.taken) {
        assert(ref->len < ROLLING_REF_MAX);
        ref->present = window;
        ref->list[ref->len].bucket = window;
        ref->list[ref->len].units = want.units;
        ref->list[ref->len++].held = want.units;
        result.value = sum(ref, window);
    }
    return result;
}

void
rolling_ref_give(rolling_ref *ref, uint32_t take, uint64_t units)
{
    ref->list[take].units -= units;
    ref->list[take].held = 0;
}
