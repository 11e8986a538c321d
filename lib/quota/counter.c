/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counter: see counter.h. __sync built-ins, because on 16 bytes they compile
 * to cmpxchg16b itself (the __atomic ones call libatomic, which may lock),
 * return what was there, and are full barriers: a mark stored after a take is
 * never seen before it.
 */
#include "counter.h"

#include "rolling.h"

#if !defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_16)
#error "a limit counter needs a 16-byte compare-and-swap (x86-64: -mcx16)"
#endif

#define TAKEN_BITS 56
#define CLOSED_BIT 95
#define WINDOW_BIT 96

gate_counter
counter_pack(licet_counter_value value)
{
    return (gate_counter)value.taken | (gate_counter)value.held << TAKEN_BITS |
           (gate_counter)value.closed << CLOSED_BIT | (gate_counter)value.window << WINDOW_BIT;
}

licet_counter_value
counter_unpack(gate_counter word)
{
    return (licet_counter_value){
        .window = (uint32_t)(word >> WINDOW_BIT),
        .taken = (uint64_t)word & (GATE_TAKEN_END - 1),
        .held = (uint64_t)(word >> TAKEN_BITS) & (GATE_HELD_END - 1),
        .closed = (word >> CLOSED_BIT & 1) != 0,
    };
}

licet_counter_value
counter_more(licet_counter_value now, uint64_t units)
{
    now.taken = gate_least(now.taken + units, GATE_TAKEN_END - 1);
    now.held = gate_least(now.held + units, GATE_HELD_END - 1);
    return now;
}

/* A first guess in two loads: possibly torn. */
static gate_counter
guess(const gate_counter *counter)
{
    const uint64_t *half = (const uint64_t *)(const void *)counter;
    uint64_t first = GATE_LOAD_RELAXED(&half[0]), second = GATE_LOAD_RELAXED(&half[1]);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (gate_counter)second << 64 | first;
#else
    return (gate_counter)first << 64 | second;
#endif
}

counter_result
counter_take(gate_counter *counter, counter_want want)
{
    gate_counter seen = guess(counter), was;

    for (;; seen = was) {
        licet_counter_value now = counter_unpack(seen);
        if (want.window > now.window) {
            now = (licet_counter_value){.window = want.window};
        }
        bool over = now.taken + want.units > want.most;
        if (over && !want.anyway) {
            was = __sync_val_compare_and_swap(counter, seen, seen);
            if (was == seen) {
                return (counter_result){.over = true, .value = now};
            }
            continue;
        }
        now = counter_more(now, want.units);
        was = __sync_val_compare_and_swap(counter, seen, counter_pack(now));
        if (was == seen) {
            return (counter_result){.taken = true, .over = over, .value = now};
        }
    }
}

void
counter_give(gate_counter *counter, uint32_t window, uint64_t units, uint64_t held)
{
    gate_counter seen = guess(counter), was;

    for (;; seen = was) {
        licet_counter_value now = counter_unpack(seen);
        gate_counter next = seen;
        if (now.window == window) {
            now.taken -= gate_least(units, now.taken);
            now.held -= gate_least(held, now.held);
            next = counter_pack(now);
        }
        was = __sync_val_compare_and_swap(counter, seen, next);
        if (was == seen) {
            return;
        }
    }
}

licet_counter_value
counter_load(gate_counter *counter)
{
    gate_counter seen = guess(counter);

    return counter_unpack(__sync_val_compare_and_swap(counter, seen, seen));
}

bool
counter_swap(gate_counter *counter, licet_counter_value from, licet_counter_value to)
{
    if (to.taken >= GATE_TAKEN_END || to.held >= GATE_HELD_END) {
        return false;
    }
    return __sync_bool_compare_and_swap(counter, counter_pack(from), counter_pack(to));
}

/* ---- the counters of a gate ---------------------------------------------------- */

uint32_t
licet_gate_counters(const licet_gate *gate)
{
    return gate->at.counters;
}

licet_counter_value
licet_gate_counter(const licet_gate *gate, uint32_t counter)
{
    return counter < gate->at.counters ? counter_load(gate_counter_at(gate, counter)) : (licet_counter_value){0};
}

licet_counter_value
licet_gate_used(const licet_gate *gate, const licet_image_limit *limit, uint32_t counter, uint32_t window)
{
    uint32_t buckets = licet_image_buckets(limit);
    licet_counter_value value;

    if (counter >= gate->at.counters || buckets > gate->at.counters - counter) {
        return (licet_counter_value){.window = window};
    }
    if (buckets > 0) {
        return rolling_load(gate_counter_at(gate, counter), buckets, window);
    }
    value = licet_gate_counter(gate, counter);
    return value.window >= window ? value : (licet_counter_value){.window = window};
}

bool
licet_gate_counter_swap(licet_gate *gate, uint32_t counter, licet_counter_value from, licet_counter_value to)
{
    return counter < gate->at.counters && counter_swap(gate_counter_at(gate, counter), from, to);
}

void
licet_gate_credit(licet_gate *gate, uint32_t counter, uint32_t window, uint64_t units)
{
    licet_counter_value from, to;

    do {
        from = licet_gate_counter(gate, counter);
        if (counter >= gate->at.counters || from.window != window) {
            return;
        }
        to = from;
        to.taken -= gate_least(units, to.taken - gate_least(to.held, to.taken));
    } while (!licet_gate_counter_swap(gate, counter, from, to));
}
