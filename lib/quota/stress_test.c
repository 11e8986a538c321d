/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stress: several workers in processes of their own admit, top up, overrun
 * and settle against the same limits, some of them die, while licetd drains,
 * grants and adopts. At no time is a limit passed; at the end the counters
 * hold what the receipts add up to.
 *
 * The same with workers in threads of one process, on one mapping: there the
 * thread sanitizer sees every access of both sides (tools/check.sh runs it so).
 */
#include "world.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define WORKERS 4
#define ROUNDS 20000
#define GRANT_STEP 4000u

typedef struct tally {
    uint64_t posts[WORKERS], requests[WORKERS]; /* settled by those that lived */
    uint64_t refused[WORKERS];
} tally;

static uint64_t
next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static licet_gate_options
stress_options(void)
{
    licet_gate_options options = world_options(3);

    options.workers = WORKERS * 2;
    options.slots = 16;
    options.ring = 64;
    options.ring_ids = 4096;
    return options;
}

static void
rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

static licet_admission
admit(world *w, licet_worker *worker, uint64_t posts, licet_slot **out_slot)
{
    licet_verdict verdict = world_verdict(w, posts, 3);
    licet_shortage shortage;

    return licet_worker_admit(worker, &w->image, &w->facts, &verdict, 40, WORLD_NOW, out_slot, &shortage, NULL);
}

static uint64_t
finish(licet_worker *worker, licet_slot *slot, uint64_t *seed)
{
    uint64_t reserved = licet_slot_reserved(slot, WORLD_POST), units = next(seed) % (reserved + 1);

    if (next(seed) % 4 == 0 && licet_slot_top_up(worker, slot, WORLD_POST, reserved + 5)) {
        units = reserved + next(seed) % 6;
    }
    licet_slot_count(slot, WORLD_POST, units);
    (void)licet_slot_ids(worker, slot, WORLD_POST, 1, LICET_BYTES_LITERAL("\005abcde"));
    licet_settlement settlement = world_settlement(units);
    licet_slot_settle(worker, slot, &settlement);
    return units;
}

/* Up to four responses under way at once; left: they stay so, for the worker will die. */
static licet_worker *
work(world *w, uint32_t me, tally *sum, bool left)
{
    uint64_t seed = 0x1234567 + me * 977, most_rounds = left ? 500 + next(&seed) % 2000 : ROUNDS;
    licet_worker *worker = world_join(w->gate);
    licet_slot *under_way[4] = {NULL};

    for (uint64_t round = 0; round < most_rounds; round++) {
        licet_slot **place = &under_way[next(&seed) % 4];
        if (*place != NULL) {
            sum->posts[me] += finish(worker, *place, &seed);
            sum->requests[me]++;
            *place = NULL;
            continue;
        }
        licet_admission admission = admit(w, worker, 1 + next(&seed) % 20, place);
        if (admission == LICET_NO_UNITS) {
            sum->refused[me]++;
        }
        if (admission != LICET_ADMITTED) {
            *place = NULL;
            rest();
        }
    }
    for (int i = 0; i < 4 && !left; i++) {
        if (under_way[i] != NULL) {
            sum->posts[me] += finish(worker, under_way[i], &seed);
            sum->requests[me]++;
        }
    }
    return worker;
}

static void
work_in_process(world *w, uint32_t me, tally *sum, bool dies)
{
    licet_worker *worker = work(w, me, sum, dies);

    if (!dies) {
        licet_worker_leave(worker, WORLD_NOW);
    }
    _exit(0);
}

typedef struct crew {
    world *w;
    tally *sum;
    uint32_t hired, done;
} crew;

static void *
work_in_thread(void *user)
{
    crew *c = user;

    licet_worker_leave(work(c->w, __atomic_fetch_add(&c->hired, 1, __ATOMIC_RELAXED), c->sum, false), WORLD_NOW);
    __atomic_fetch_add(&c->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void
refill(licet_gate *gate)
{
    uint32_t cells[4], wanted = licet_gate_lease_wanted(gate, cells, 4);
    static const uint32_t kinds[] = {LICET_KIND_REQUEST, WORLD_POST};

    for (uint32_t i = 0; i < wanted; i++) {
        for (uint32_t k = 0; k < 2; k++) {
            licet_lease_value value = licet_gate_lease(gate, cells[i], kinds[k]);
            assert_true(value.taken <= value.granted);
            licet_gate_lease_grant(gate, cells[i], kinds[k], value.taken + GRANT_STEP);
        }
    }
}

static void
assert_within(world *w)
{
    for (uint32_t i = 0; i < WORLD_LIMITS; i++) {
        licet_counter_value value = licet_gate_counter(w->gate, i + 1);
        assert_true(value.taken <= w->limits[i].most);
        assert_true(value.held <= value.taken);
    }
}

/* After all have left: what the counters hold is what the receipts add up to. */
static void
check_books(world *w, const tally *sum, world_sums *sums, bool dying, uint64_t most)
{
    uint64_t posts = 0, requests = 0, refused = 0;

    for (int i = 0; i < 3; i++) {
        licet_gate_adopt(w->gate, WORLD_NOW, NULL, NULL);
        world_drain(w->gate, sums);
    }
    assert_int_equal(licet_gate_under_way(w->gate), 0);
    assert_int_equal(licet_gate_owned(w->gate), 0);
    for (uint32_t i = 0; i < WORKERS; i++) {
        posts += sum->posts[i];
        requests += sum->requests[i];
        refused += sum->refused[i];
    }
    assert_true(requests > 1000);
    assert_true(sums->receipts >= requests);
    assert_true(sums->posts >= posts);
    if (!dying) {
        assert_int_equal(sums->receipts, requests);
        assert_int_equal(sums->posts, posts);
    }
    if (most < 100000) {
        assert_true(refused > 0); /* the limit was reached */
        assert_true(sums->posts > most - 200);
    }
    for (uint32_t i = 0; i < WORLD_LIMITS; i++) {
        licet_counter_value value = licet_gate_counter(w->gate, i + 1);
        assert_int_equal(value.held, 0);
        assert_int_equal(value.taken, w->limits[i].kind == WORLD_POST ? sums->posts : sums->requests);
    }
    assert_int_equal(licet_gate_lease(w->gate, WORLD_CELL, WORLD_POST).taken, sums->posts);
    assert_int_equal(licet_gate_lease(w->gate, WORLD_CELL, LICET_KIND_REQUEST).taken, sums->requests);
    assert_int_equal(licet_gate_faults_of(w->gate).leaks, 0);
}

static void
serve(world *w, world_sums *sums)
{
    refill(w->gate);
    world_drain(w->gate, sums);
    licet_gate_adopt(w->gate, WORLD_NOW, NULL, NULL);
    assert_within(w);
}

/* Limits of a stress: 'most' posts, the others out of reach. */
static void
limits(world *w, uint64_t most)
{
    w->limits[0].most = most;
    w->limits[1].most = UINT64_C(1) << 39;
    w->limits[2].most = UINT64_C(1) << 39;
    world_grant(w, GRANT_STEP, GRANT_STEP);
}

static void
run(bool dying, uint64_t most)
{
    licet_gate_options options = stress_options();
    tally *sum = mmap(NULL, sizeof(*sum), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    world w;
    world_sums sums = {0};
    uint32_t alive = WORKERS;

    assert_true(sum != MAP_FAILED);
    world_init_with(&w, &options);
    limits(&w, most);
    for (uint32_t i = 0; i < WORKERS; i++) {
        fflush(NULL);
        if (fork() == 0) {
            work_in_process(&w, i, sum, dying && i % 2 == 0);
        }
    }
    while (alive > 0) {
        int status;
        serve(&w, &sums);
        while (waitpid(-1, &status, WNOHANG) > 0) {
            assert_int_equal(status, 0);
            alive--;
        }
    }
    check_books(&w, sum, &sums, dying, most);
    munmap(sum, sizeof(*sum));
    world_done(&w);
}

static void
test_unlimited(void **state)
{
    run(false, UINT64_C(1) << 39);
}

static void
test_limit_reached(void **state)
{
    run(false, 20000);
}

static void
test_workers_die(void **state)
{
    run(true, UINT64_C(1) << 39);
}

static void
test_workers_die_at_limit(void **state)
{
    run(true, 20000);
}

static void
test_threads(void **state)
{
    licet_gate_options options = stress_options();
    pthread_t threads[WORKERS];
    world_sums sums = {0};
    tally sum = {0};
    world w;
    crew all = {.w = &w, .sum = &sum};

    world_init_with(&w, &options);
    limits(&w, 20000);
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work_in_thread, &all), 0);
    }
    while (__atomic_load_n(&all.done, __ATOMIC_ACQUIRE) < WORKERS) {
        serve(&w, &sums);
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
    }
    check_books(&w, &sum, &sums, false, 20000);
    world_done(&w);
}

/* SIGKILL at any moment: never below what the receipts say, never beyond the limit, and leaks are told of. */
static void
test_killed(void **state)
{
    licet_gate_options options = stress_options();
    uint64_t seed = 99, killed = 0, leaks = 0;
    tally *sum = mmap(NULL, sizeof(*sum), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(sum != MAP_FAILED);
    for (int round = 0; round < 60; round++) {
        world w;
        world_sums sums = {0};
        pid_t pids[WORKERS];
        world_init_with(&w, &options);
        w.limits[0].most = 5000;
        w.limits[1].most = w.limits[2].most = UINT64_C(1) << 39;
        world_grant(&w, 1 << 20, 1 << 20);
        for (uint32_t i = 0; i < WORKERS; i++) {
            fflush(NULL);
            pids[i] = fork();
            if (pids[i] == 0) {
                work_in_process(&w, i, sum, false);
            }
        }
        for (uint32_t i = 0; i < WORKERS; i++) {
            nanosleep(&(struct timespec){.tv_nsec = (long)(next(&seed) % 2000000)}, NULL);
            world_drain(w.gate, &sums);
            kill(pids[i], SIGKILL);
        }
        for (uint32_t i = 0; i < WORKERS; i++) {
            int status;
            waitpid(pids[i], &status, 0);
            killed += WIFSIGNALED(status);
        }
        for (int i = 0; i < 4; i++) {
            licet_gate_adopt(w.gate, WORLD_NOW, NULL, NULL);
            world_drain(w.gate, &sums);
        }
        assert_int_equal(licet_gate_under_way(w.gate), 0);
        licet_gate_faults faults = licet_gate_faults_of(w.gate);
        assert_int_equal(faults.damaged, 0);
        assert_true(faults.leaks <= WORKERS);
        leaks += faults.leaks;
        licet_counter_value value = licet_gate_counter(w.gate, 1);
        assert_true(value.taken <= 5000);
        assert_true(value.taken >= sums.posts);
        if (faults.leaks == 0) {
            assert_int_equal(value.taken, sums.posts);
            assert_int_equal(value.held, 0);
        } else {
            assert_true(value.taken - sums.posts <= 25 * faults.leaks);
        }
        world_done(&w);
    }
    assert_true(killed > 100);
    print_message("%llu workers killed, %llu holds leaked or nearly\n", (unsigned long long)killed,
                  (unsigned long long)leaks);
    munmap(sum, sizeof(*sum));
}

/* The thread sanitizer does a 16-byte compare-and-swap under a lock of its process: between processes it is none. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STRESS_THREADS_ONLY
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define STRESS_THREADS_ONLY
#endif

int
main(void)
{
    const struct CMUnitTest processes[] = {
        cmocka_unit_test(test_unlimited),   cmocka_unit_test(test_limit_reached),
        cmocka_unit_test(test_workers_die), cmocka_unit_test(test_workers_die_at_limit),
        cmocka_unit_test(test_killed),
    };
    const struct CMUnitTest threads[] = {cmocka_unit_test(test_threads)};
    int failed = 0;

#ifndef STRESS_THREADS_ONLY
    failed = cmocka_run_group_tests_name("stress, processes", processes, NULL, NULL);
#else
    (void)processes;
#endif
    return failed + cmocka_run_group_tests_name("stress, threads", threads, NULL, NULL);
}
