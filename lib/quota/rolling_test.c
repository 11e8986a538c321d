/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rolling: the vectors of a published agreement (1,500,000 ids for each
 * recipient in 30 days), each rule as a test, then random operations against
 * the plain list, and threads whose clocks stand on both sides of a bucket's end.
 */
#include "rolling.h"

#include "world.h"

#include <pthread.h>

#define DAYS 31u /* 30 days touch 31 calendar days */
#define IDS UINT64_C(1500000)

typedef struct rows {
    alignas(16) gate_counter row[LICET_BUCKETS_MAX];
} rows;

static bool
take(rows *r, uint32_t n, uint32_t bucket, uint64_t units, uint64_t most)
{
    return rolling_take(r->row, n, (counter_want){.window = bucket, .units = units, .most = most}).taken;
}

static uint64_t
used(rows *r, uint32_t n, uint32_t bucket)
{
    return rolling_load(r->row, n, bucket).taken;
}

static void
test_million_and_a_half(void **state)
{
    rows r = {0};
    uint32_t day = 19675;

    for (uint32_t i = 0; i < 3; i++) { /* half a million on each of three days */
        assert_true(take(&r, DAYS, day + i, 500000, IDS));
    }
    assert_int_equal(used(&r, DAYS, day + 2), IDS);
    assert_false(take(&r, DAYS, day + 2, 1, IDS));
    assert_false(take(&r, DAYS, day + 30, 1, IDS)); /* the first day still counts */
    assert_int_equal(rolling_returns(r.row, DAYS, day + 30, 1), day);
    assert_int_equal(rolling_returns(r.row, DAYS, day + 30, 500001), day + 1);
    assert_false(take(&r, DAYS, day + 31, 500001, IDS));
    assert_true(take(&r, DAYS, day + 31, 500000, IDS));
    assert_false(take(&r, DAYS, day + 31, 1, IDS));
    assert_true(take(&r, DAYS, day + 32, 500000, IDS));
    assert_int_equal(used(&r, DAYS, day + 32), IDS);
    assert_int_equal(used(&r, DAYS, day + 32 + 31), 0);
}

/* One by one: the last passes, one more does not. */
static void
test_one_by_one(void **state)
{
    rows r = {0};

    for (uint64_t i = 0; i < IDS; i++) {
        if (!take(&r, DAYS, 19675 + (uint32_t)(i / 50001), 1, IDS)) {
            fail_msg("id %llu of %llu was refused", (unsigned long long)i + 1, (unsigned long long)IDS);
        }
    }
    assert_false(take(&r, DAYS, 19675 + 30, 1, IDS));
}

static void
test_clock_set_back(void **state)
{
    rows r = {0};

    assert_true(take(&r, 4, 100, 50, 100));
    assert_true(take(&r, 4, 98, 30, 100)); /* charged to the present */
    assert_int_equal(used(&r, 4, 98), 80);
    assert_int_equal(used(&r, 4, 103), 80);
    assert_int_equal(used(&r, 4, 104), 0);
    assert_false(take(&r, 4, 98, 21, 100));
}

/* Closed for a later bucket that was never begun: its worker died. */
static void
test_closed_and_not_begun(void **state)
{
    rows r = {0};
    licet_counter_value value;

    assert_true(take(&r, 4, 100, 50, 100));
    value = counter_load(&r.row[0]);
    value.closed = true;
    r.row[0] = counter_pack(value);
    counter_result result = rolling_take(r.row, 4, (counter_want){.window = 100, .units = 50, .most = 100});
    assert_true(result.taken);
    assert_int_equal(result.value.window, 101);
    assert_int_equal(used(&r, 4, 103), 100);
    assert_int_equal(used(&r, 4, 104), 50);
}

/* What stood in a row before, however long ago, is not taken for what belongs there now. */
static void
test_long_idle(void **state)
{
    rows r = {0};

    for (uint32_t later = 1; later < 2000; later++) {
        assert_true(take(&r, 7, 50000 * later, 100, 100));
        assert_false(take(&r, 7, 50000 * later + 6, 1, 100));
    }
}

static void
test_given_back_to_its_bucket(void **state)
{
    rows r = {0};

    assert_true(take(&r, 4, 100, 60, 100));
    assert_true(take(&r, 4, 101, 40, 100));
    counter_give(&r.row[100 % 4], 100, 25, 60);
    assert_int_equal(used(&r, 4, 101), 75);
    assert_int_equal(used(&r, 4, 104), 40);
    counter_give(&r.row[100 % 4], 96, 10, 10); /* rolled off */
    assert_int_equal(used(&r, 4, 101), 75);
    assert_true(take(&r, 4, 101, 25, 100));
    assert_false(take(&r, 4, 101, 1, 100));
}

/* ---- against the list ------------------------------------------------------------- */

static uint64_t
next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void
compare(uint64_t seed, uint32_t n)
{
    static rolling_ref ref;
    rows r = {0};
    uint32_t now = (uint32_t)(seed % 3) * 1000;

    ref.len = 0;
    ref.n = n;
    ref.present = 0;
    for (int i = 0; i < 3000; i++) {
        uint64_t dice = next(&seed) % 16;
        now += dice == 0 ? (uint32_t)(next(&seed) % (2 * n)) : dice == 1;
        if (dice < 10 || ref.len == 0) {
            counter_want want = {.window = now - (now > 5 && dice == 9 ? 5 : 0),
                                 .units = 1 + next(&seed) % 50,
                                 .most = 100 + next(&seed) % 900,
                                 .anyway = next(&seed) % 8 == 0};
            counter_result fast = rolling_take(r.row, n, want), slow = rolling_ref_take(&ref, want);
            if (fast.taken != slow.taken || fast.over != slow.over || fast.value.window != slow.value.window ||
                fast.value.taken != slow.value.taken || fast.value.held != slow.value.held) {
                fail_msg("operation %d, %u buckets", i, n);
            }
        } else {
            uint32_t at = (uint32_t)(next(&seed) % ref.len);
            uint64_t units = next(&seed) % (ref.list[at].units + 1), held = ref.list[at].held;
            uint32_t bucket = ref.list[at].bucket;
            counter_give(&r.row[bucket % n], bucket, units, held);
            rolling_ref_give(&ref, at, units);
        }
    }
}

static void
test_reference(void **state)
{
    for (uint32_t n = 2; n <= LICET_BUCKETS_MAX; n++) {
        compare(UINT64_C(0x9e3779b97f4a7c15) + n, n);
    }
}

/* ---- races --------------------------------------------------------------------------- */

#define RACERS 4u
#define RACE_BUCKETS 5u
#define RACE_TAKES 60000u
#define RACE_MOST 40u
#define RACE_SPAN 64u

/* Buckets go by fast, and each thread's clock is off by one bucket at times: what is delivered in any five of them may
 * not pass the limit, by each taker's own account of where it was charged. */
typedef struct race {
    rows r;
    uint32_t now, done;
    uint64_t delivered[RACE_TAKES * RACERS / RACE_SPAN + 64];
} race;

static void *
racer(void *user)
{
    race *all = user;
    uint64_t seed = UINT64_C(0xdeadbeef12345678) ^ (uint64_t)(uintptr_t)&seed;

    for (uint32_t i = 0; i < RACE_TAKES; i++) {
        uint32_t now = __atomic_add_fetch(&all->now, 1, __ATOMIC_RELAXED) / RACE_SPAN + 10;
        uint64_t units = 1 + next(&seed) % 4, back = next(&seed) % (units + 1);
        counter_want want = {.window = now - (next(&seed) % 8 == 0), .units = units, .most = RACE_MOST};
        counter_result result = rolling_take(all->r.row, RACE_BUCKETS, want);
        if (!result.taken) {
            continue;
        }
        assert_true(result.value.window < sizeof(all->delivered) / sizeof(*all->delivered));
        __atomic_fetch_add(&all->delivered[result.value.window], units - back, __ATOMIC_RELAXED);
        counter_give(&all->r.row[result.value.window % RACE_BUCKETS], result.value.window, back, units);
    }
    return NULL;
}

static void
test_races(void **state)
{
    race *all = calloc(1, sizeof(*all));
    pthread_t threads[RACERS];
    uint64_t most = 0, total = 0;

    assert_non_null(all);
    for (uint32_t i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, racer, all), 0);
    }
    for (uint32_t i = 0; i < RACERS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (uint32_t last = RACE_BUCKETS; last < sizeof(all->delivered) / sizeof(*all->delivered); last++) {
        uint64_t sum = 0;
        for (uint32_t back = 0; back < RACE_BUCKETS; back++) {
            sum += all->delivered[last - back];
        }
        most = sum > most ? sum : most;
        total += all->delivered[last];
    }
    assert_true(most <= RACE_MOST);
    assert_true(most >= RACE_MOST - 4); /* the limit was reached */
    for (uint32_t i = 0; i < RACE_BUCKETS; i++) {
        assert_int_equal(counter_load(&all->r.row[i]).held, 0);
    }
    print_message("%llu units, at most %llu in five buckets\n", (unsigned long long)total, (unsigned long long)most);
    free(all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_million_and_a_half), cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_clock_set_back),     cmocka_unit_test(test_closed_and_not_begun),
        cmocka_unit_test(test_long_idle),          cmocka_unit_test(test_given_back_to_its_bucket),
        cmocka_unit_test(test_reference),          cmocka_unit_test(test_races),
    };

    return cmocka_run_group_tests_name("rolling", tests, NULL, NULL);
}
