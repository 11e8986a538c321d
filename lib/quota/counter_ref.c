/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counter, in the plainest form: three numbers and the rules of counter.h,
 * for one process alone. counter_test.c holds the swaps to it.
 */
#include "counter.h"

counter_result
counter_ref_take(licet_counter_value *value, counter_want want)
{
    licet_counter_value begun = *value;

    if (want.window > value->window) {
        begun.window = want.window;
        begun.taken = 0;
        begun.held = 0;
    }
    if (begun.taken + want.units > want.most && !want.anyway) {
        return (counter_result){.taken = false, .over = true, .value = begun};
    }
    counter_result result = {.taken = true, .over = begun.taken + want.units > want.most};
    begun.taken += want.units;
    begun.held += want.units;
    if (begun.taken >= GATE_TAKEN_END) {
        begun.taken = GATE_TAKEN_END - 1;
    }
    if (begun.held >= GATE_HELD_END) {
        begun.held = GATE_HELD_END - 1;
    }
    *value = begun;
    result.value = begun;
    return result;
}

void
counter_ref_give(licet_counter_value *value, uint32_t window, uint64_t units, uint64_t held)
{
    if (value->window != window) {
        return;
    }
    value->taken = units > value->taken ? 0 : value->taken - units;
    value->held = held > value->held ? 0 : value->held - held;
}
