/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counter: each rule as a line, then the swaps against the plain form over
 * random operations.
 */
#include "counter.h"

#include "world.h"

typedef struct take_case {
    const char *name;
    licet_counter_value before;
    counter_want want;
    bool taken, over;
    licet_counter_value after;
} take_case;

#define END56 (GATE_TAKEN_END - 1)
#define END39 (GATE_HELD_END - 1)

static const take_case take_cases[] = {
    {"first of all", {0, 0, 0, false}, {5, 10, 100, false}, true, false, {5, 10, 10, false}},
    {"same window", {5, 10, 10, false}, {5, 20, 100, false}, true, false, {5, 30, 30, false}},
    {"exactly the limit", {5, 90, 0, false}, {5, 10, 100, false}, true, false, {5, 100, 10, false}},
    {"one too many", {5, 91, 3, false}, {5, 10, 100, false}, false, true, {5, 91, 3, false}},
    {"one too many, anyway", {5, 91, 3, false}, {5, 10, 100, true}, true, true, {5, 101, 13, false}},
    {"later window begins at nothing", {5, 100, 7, false}, {6, 10, 100, false}, true, false, {6, 10, 10, false}},
    {"later window, more than the limit", {5, 100, 7, false}, {6, 101, 100, false}, false, true, {5, 100, 7, false}},
    {"earlier window is charged to the present one",
     {5, 60, 7, false},
     {4, 10, 100, false},
     true,
     false,
     {5, 70, 17, false}},
    {"earlier window resets nothing", {5, 95, 7, false}, {4, 10, 100, false}, false, true, {5, 95, 7, false}},
    {"a limit of nothing", {5, 0, 0, false}, {5, 1, 0, false}, false, true, {5, 0, 0, false}},
    {"taken does not wrap", {5, END56, 0, false}, {5, 10, 100, true}, true, true, {5, END56, 10, false}},
    {"held does not wrap", {5, 100, END39, false}, {5, 10, END39, false}, true, false, {5, 110, END39, false}},
    {"the largest window",
     {UINT32_MAX, 1, 1, false},
     {UINT32_MAX, 1, 2, false},
     true,
     false,
     {UINT32_MAX, 2, 2, false}},
};

typedef struct give_case {
    const char *name;
    licet_counter_value before;
    uint32_t window;
    uint64_t units, held;
    licet_counter_value after;
} give_case;

static const give_case give_cases[] = {
    {"what was not used", {5, 100, 30, false}, 5, 10, 30, {5, 90, 0, false}},
    {"nothing of it", {5, 100, 30, false}, 5, 0, 30, {5, 100, 0, false}},
    {"a window that is gone", {6, 100, 30, false}, 5, 10, 30, {6, 100, 30, false}},
    {"a window that never was", {5, 100, 30, false}, 6, 10, 30, {5, 100, 30, false}},
    {"never below nothing", {5, 7, 3, false}, 5, 10, 30, {5, 0, 0, false}},
};

static bool
same(licet_counter_value a, licet_counter_value b)
{
    return a.window == b.window && a.taken == b.taken && a.held == b.held && a.closed == b.closed;
}

static void
set(gate_counter *counter, licet_counter_value to)
{
    while (!counter_swap(counter, counter_load(counter), to)) {
    }
}

static void
test_take(void **state)
{
    alignas(16) gate_counter counter = 0;

    for (size_t i = 0; i < sizeof(take_cases) / sizeof(*take_cases); i++) {
        const take_case *c = &take_cases[i];
        set(&counter, c->before);
        counter_result result = counter_take(&counter, c->want);
        if (result.taken != c->taken || result.over != c->over || !same(counter_load(&counter), c->after)) {
            fail_msg("%s", c->name);
        }
    }
}

static void
test_give(void **state)
{
    alignas(16) gate_counter counter = 0;

    for (size_t i = 0; i < sizeof(give_cases) / sizeof(*give_cases); i++) {
        const give_case *c = &give_cases[i];
        set(&counter, c->before);
        counter_give(&counter, c->window, c->units, c->held);
        if (!same(counter_load(&counter), c->after)) {
            fail_msg("%s", c->name);
        }
    }
}

/* A refusal says what was there: what a caller is told of the later window is not the earlier one's. */
static void
test_refusal_tells(void **state)
{
    alignas(16) gate_counter counter = 0;

    set(&counter, (licet_counter_value){5, 100, 40, false});
    counter_result result = counter_take(&counter, (counter_want){5, 1, 100, false});
    assert_true(same(result.value, (licet_counter_value){5, 100, 40, false}));
    result = counter_take(&counter, (counter_want){6, 101, 100, false});
    assert_true(same(result.value, (licet_counter_value){6, 0, 0, false}));
}

static void
test_swap(void **state)
{
    alignas(16) gate_counter counter = 0;
    licet_counter_value a = {5, 10, 3, false}, b = {5, 8, 0, false};

    set(&counter, a);
    assert_false(counter_swap(&counter, b, a));
    assert_true(counter_swap(&counter, a, b));
    assert_true(same(counter_load(&counter), b));
    assert_false(counter_swap(&counter, b, (licet_counter_value){5, GATE_TAKEN_END, 0, false}));
    assert_false(counter_swap(&counter, b, (licet_counter_value){5, 0, GATE_HELD_END, false}));
}

static uint64_t
next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void
test_reference(void **state)
{
    alignas(16) gate_counter counter = 0;
    licet_counter_value plain = {0, 0, 0, false};
    uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

    for (int i = 0; i < 1000000; i++) {
        uint32_t window = plain.window + (uint32_t)(next(&seed) % 64 == 0) - (uint32_t)(next(&seed) % 32 == 0);
        uint64_t units = next(&seed) % (next(&seed) % 100 == 0 ? GATE_UNITS_END : 50);
        if (next(&seed) % 2 == 0) {
            counter_want want = {window, units, next(&seed) % 1000, next(&seed) % 4 == 0};
            counter_result fast = counter_take(&counter, want), slow = counter_ref_take(&plain, want);
            assert_true(fast.taken == slow.taken && fast.over == slow.over && same(fast.value, slow.value));
        } else {
            uint64_t held = next(&seed) % 50;
            counter_give(&counter, window, units, held);
            counter_ref_give(&plain, window, units, held);
        }
        if (!same(counter_load(&counter), plain)) {
            fail_msg("operation %d of seed 9e3779b97f4a7c15", i);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take), cmocka_unit_test(test_give),      cmocka_unit_test(test_refusal_tells),
        cmocka_unit_test(test_swap), cmocka_unit_test(test_reference),
    };

    return cmocka_run_group_tests_name("counter", tests, NULL, NULL);
}
