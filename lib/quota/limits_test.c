/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of every kind, from admission to the end of the response: weighed
 * ones and a prepaid credit, rolling windows, what is under way at once, a
 * clause that is only observed; all of them together or none; and a thousand
 * requests at a limit of fifty, in 1, 2 and 8 processes, one of them killed.
 */
#include "world.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define DAY_MS UINT64_C(86400000)
#define USER_KIND 3u
#define ROLLING_ROW 10u /* its buckets are the counters from here on */
#define CREDIT 2u       /* counter */
#define AT_ONCE 3u

/* posts in 30 days; posts and users of one credit; requests at once; posts each day, only observed */
enum { ROLLING, CREDIT_POSTS, CREDIT_USERS, CONCURRENT, OBSERVED, KINDS_OF_LIMITS };

typedef struct rich {
    world w;
    licet_image_limit limits[KINDS_OF_LIMITS];
    licet_worker *worker;
} rich;

static void
rich_limits(rich *r)
{
    static const licet_image_limit plain = {.zone = LICET_NONE, .first_day = 1, .weight = 1, .clause = 4};

    for (int i = 0; i < KINDS_OF_LIMITS; i++) {
        r->limits[i] = plain;
        r->limits[i].kind = WORLD_POST;
        r->limits[i].most = UINT64_C(1) << 39;
    }
    r->limits[ROLLING].per = LICET_PER_ROLLING;
    r->limits[ROLLING].span_s = 30 * 86400;
    r->limits[ROLLING].bucket_s = 86400;
    r->limits[CREDIT_POSTS].per = r->limits[CREDIT_USERS].per = LICET_PER_TERM;
    r->limits[CREDIT_POSTS].payments = r->limits[CREDIT_USERS].payments = 1;
    r->limits[CREDIT_POSTS].weight = 5000; /* half a cent */
    r->limits[CREDIT_USERS].weight = 10000;
    r->limits[CREDIT_USERS].kind = USER_KIND;
    r->limits[CONCURRENT].per = LICET_PER_CONCURRENT;
    r->limits[CONCURRENT].kind = LICET_KIND_REQUEST;
    r->limits[OBSERVED].per = LICET_PER_DAY;
}

static void
rich_init(rich *r, uint32_t workers)
{
    licet_gate_options options = world_options(3);

    memset(r, 0, sizeof(*r));
    options.counters = 64;
    options.workers = workers;
    options.slots = 64;
    options.ring = 2048;
    world_init_with(&r->w, &options);
    rich_limits(r);
    r->w.header.limits_len = KINDS_OF_LIMITS;
    r->w.header.kinds_len = 4;
    r->w.image.limits = r->limits;
    world_grant(&r->w, UINT64_C(1) << 32, UINT64_C(1) << 41);
    licet_gate_lease_grant(r->w.gate, WORLD_CELL, USER_KIND, UINT64_C(1) << 32);
}

static void
rich_done(rich *r)
{
    if (r->worker != NULL) {
        licet_worker_leave(r->worker, WORLD_NOW);
    }
    world_done(&r->w);
}

static licet_verdict
rich_verdict(const rich *r, uint64_t posts, uint64_t users, uint64_t now_ms)
{
    static const uint32_t counters[] = {ROLLING_ROW, CREDIT, CREDIT, AT_ONCE, 4};
    licet_verdict verdict = world_verdict(&r->w, posts, 0);

    verdict.reserve[USER_KIND] = users;
    verdict.limits_len = KINDS_OF_LIMITS;
    for (uint32_t i = 0; i < KINDS_OF_LIMITS; i++) {
        const licet_image_limit *limit = &r->limits[i];
        uint64_t amount;
        if (__builtin_mul_overflow(verdict.reserve[limit->kind], limit->weight, &amount)) {
            amount = UINT64_MAX;
        }
        verdict.limits[i] = (licet_verdict_limit){.limit = i,
                                                  .counter = counters[i],
                                                  .kind = limit->kind,
                                                  .window = licet_window_of(&r->w.image, limit, now_ms),
                                                  .amount = amount,
                                                  .most = limit->most,
                                                  .weight = limit->weight,
                                                  .observe = i == OBSERVED};
    }
    return verdict;
}

static licet_slot *
ask(rich *r, uint64_t posts, uint64_t users, uint64_t now_ms, licet_shortage *out_shortage, bool *out_would)
{
    licet_verdict verdict = rich_verdict(r, posts, users, now_ms);
    licet_slot *slot = NULL;

    if (licet_worker_admit(r->worker, &r->w.image, &r->w.facts, &verdict, 0, now_ms, &slot, out_shortage, out_would) !=
        LICET_ADMITTED) {
        return NULL;
    }
    return slot;
}

static licet_slot *
must_ask(rich *r, uint64_t posts, uint64_t users, uint64_t now_ms)
{
    licet_shortage shortage;
    bool would;
    licet_slot *slot = ask(r, posts, users, now_ms, &shortage, &would);

    assert_non_null(slot);
    assert_false(would);
    return slot;
}

static void
end(rich *r, licet_slot *slot, uint64_t posts, uint64_t users, licet_ending ending)
{
    licet_settlement settlement = world_settlement(posts);

    settlement.units[USER_KIND] = users;
    settlement.ending = ending;
    licet_slot_settle(r->worker, slot, &settlement);
    world_sums sums = {0};
    world_drain(r->w.gate, &sums);
}

static licet_counter_value
used(const rich *r, uint32_t limit, uint32_t counter, uint64_t now_ms)
{
    return licet_gate_used(r->w.gate, &r->limits[limit], counter,
                           licet_window_of(&r->w.image, &r->limits[limit], now_ms));
}

static licet_reason
refused(rich *r, uint64_t posts, uint64_t users, uint64_t now_ms, licet_shortage *out_shortage)
{
    licet_verdict verdict = rich_verdict(r, posts, users, now_ms);
    licet_slot *slot = NULL;

    if (licet_worker_admit(r->worker, &r->w.image, &r->w.facts, &verdict, 0, now_ms, &slot, out_shortage, NULL) !=
        LICET_NO_UNITS) {
        return LICET_REASON_NONE;
    }
    return licet_shortage_reason(&r->w.image, &verdict, out_shortage);
}

/* ---- weights ---------------------------------------------------------------------- */

static void
test_prepaid_credit(void **state)
{
    licet_shortage shortage;
    rich r;

    rich_init(&r, 1);
    r.worker = world_join(r.w.gate);
    r.limits[CREDIT_POSTS].most = r.limits[CREDIT_USERS].most = 1000000; /* one unit of money */
    licet_slot *slot = must_ask(&r, 100, 20, WORLD_NOW);                 /* 0.50 and 0.20 */
    assert_int_equal(used(&r, CREDIT_POSTS, CREDIT, WORLD_NOW).taken, 700000);
    assert_int_equal(refused(&r, 41, 10, WORLD_NOW, &shortage), LICET_REASON_QUOTA_HELD); /* 0.205 and 0.10 */
    assert_int_equal(shortage.held, 700000 + 205000); /* its own first part too: it was taken when the second refused */
    assert_int_equal(used(&r, CREDIT_POSTS, CREDIT, WORLD_NOW).taken, 700000); /* all or nothing */
    end(&r, slot, 80, 20, LICET_ENDING_COMPLETE);
    assert_int_equal(used(&r, CREDIT_POSTS, CREDIT, WORLD_NOW).taken, 600000);
    assert_int_equal(used(&r, CREDIT_POSTS, CREDIT, WORLD_NOW).held, 0);
    assert_int_equal(refused(&r, 81, 0, WORLD_NOW, &shortage), LICET_REASON_CREDIT_USED);
    assert_int_equal(shortage.remaining, 400000);
    assert_true(shortage.reset_ms == UINT64_MAX); /* no waiting helps */
    slot = must_ask(&r, 80, 0, WORLD_NOW);
    assert_false(licet_slot_top_up(r.worker, slot, WORLD_POST, 81));
    assert_true(licet_slot_overrun(r.worker, slot, WORLD_POST, 90));
    end(&r, slot, 90, 0, LICET_ENDING_COMPLETE);
    assert_int_equal(used(&r, CREDIT_POSTS, CREDIT, WORLD_NOW).taken, 1050000);
    r.limits[CREDIT_POSTS].most = r.limits[CREDIT_USERS].most = 2000000; /* paid again: at once */
    end(&r, must_ask(&r, 100, 0, WORLD_NOW), 100, 0, LICET_ENDING_COMPLETE);
    r.limits[CREDIT_POSTS].most = r.limits[CREDIT_USERS].most = 1; /* lowered: nothing below nothing */
    assert_int_equal(refused(&r, 1, 0, WORLD_NOW, &shortage), LICET_REASON_CREDIT_USED);
    assert_int_equal(shortage.remaining, 0);
    rich_done(&r);
}

static void
test_no_weight_overflows(void **state)
{
    licet_shortage shortage;
    rich r;

    rich_init(&r, 1);
    r.worker = world_join(r.w.gate);
    r.limits[CREDIT_POSTS].weight = LICET_WEIGHT_MAX;
    r.limits[CREDIT_POSTS].most = UINT64_C(1) << 55;
    assert_int_equal(refused(&r, UINT64_C(1) << 39, 0, WORLD_NOW, &shortage), LICET_REASON_CREDIT_USED);
    assert_int_equal(used(&r, CREDIT_POSTS, CREDIT, WORLD_NOW).taken, 0);
    licet_slot *slot = must_ask(&r, 1 << 15, 0, WORLD_NOW); /* all of it */
    assert_int_equal(used(&r, CREDIT_POSTS, CREDIT, WORLD_NOW).taken, UINT64_C(1) << 55);
    assert_int_equal(refused(&r, 1, 0, WORLD_NOW, &shortage), LICET_REASON_QUOTA_HELD);
    end(&r, slot, 1, 0, LICET_ENDING_COMPLETE);
    assert_int_equal(used(&r, CREDIT_POSTS, CREDIT, WORLD_NOW).taken, LICET_WEIGHT_MAX);
    rich_done(&r);
}

/* ---- rolling ------------------------------------------------------------------------- */

static void
test_room_returns(void **state)
{
    licet_shortage shortage;
    rich r;

    rich_init(&r, 1);
    r.worker = world_join(r.w.gate);
    r.limits[ROLLING].most = 1500000;
    for (uint64_t day = 0; day < 3; day++) {
        end(&r, must_ask(&r, 500000, 0, WORLD_NOW + day * DAY_MS), 500000, 0, LICET_ENDING_COMPLETE);
    }
    uint64_t today = WORLD_NOW + 2 * DAY_MS, begin = WORLD_NOW / DAY_MS * DAY_MS;
    assert_int_equal(refused(&r, 1, 0, today, &shortage), LICET_REASON_CAP_REACHED);
    assert_true(shortage.reset_ms == begin + 31 * DAY_MS);
    assert_int_equal(refused(&r, 500001, 0, today, &shortage), LICET_REASON_CAP_REACHED);
    assert_true(shortage.reset_ms == begin + 32 * DAY_MS);
    assert_int_equal(refused(&r, 1, 0, begin + 31 * DAY_MS - 1, &shortage), LICET_REASON_CAP_REACHED);
    end(&r, must_ask(&r, 500000, 0, begin + 31 * DAY_MS), 499999, 0, LICET_ENDING_COMPLETE);
    end(&r, must_ask(&r, 1, 0, begin + 31 * DAY_MS), 1, 0, LICET_ENDING_COMPLETE);
    assert_int_equal(refused(&r, 1, 0, begin + 31 * DAY_MS, &shortage), LICET_REASON_CAP_REACHED);
    rich_done(&r);
}

/* A stream over three buckets: what it reserved last comes back first, each part to its own bucket. */
static void
test_stream_over_buckets(void **state)
{
    uint64_t next_day = WORLD_NOW + DAY_MS, third_day = WORLD_NOW + 2 * DAY_MS;
    rich r;

    rich_init(&r, 1);
    r.worker = world_join(r.w.gate);
    licet_slot *stream = must_ask(&r, 10, 0, WORLD_NOW);
    end(&r, must_ask(&r, 1, 0, next_day), 1, 0, LICET_ENDING_COMPLETE);
    assert_true(licet_slot_top_up(r.worker, stream, WORLD_POST, 30)); /* 20 of the second day */
    assert_int_equal(used(&r, ROLLING, ROLLING_ROW, next_day).taken, 31);
    assert_int_equal(used(&r, ROLLING, ROLLING_ROW, next_day).held, 30);
    assert_int_equal(used(&r, ROLLING, ROLLING_ROW, WORLD_NOW + 31 * DAY_MS).taken, 21);
    end(&r, must_ask(&r, 1, 0, third_day), 1, 0, LICET_ENDING_COMPLETE);
    assert_true(licet_slot_top_up(r.worker, stream, WORLD_POST, 60)); /* 30 of the third */
    end(&r, stream, 25, 0, LICET_ENDING_CLIENT_CLOSED_BODY);
    assert_int_equal(used(&r, ROLLING, ROLLING_ROW, third_day).held, 0);
    assert_int_equal(used(&r, ROLLING, ROLLING_ROW, third_day).taken, 2 + 25);
    assert_int_equal(used(&r, ROLLING, ROLLING_ROW, WORLD_NOW + 31 * DAY_MS).taken, 2 + 15);
    rich_done(&r);
}

static void
test_duplicates_credited(void **state)
{
    rich r;

    rich_init(&r, 1);
    r.worker = world_join(r.w.gate);
    end(&r, must_ask(&r, 100, 0, WORLD_NOW), 100, 0, LICET_ENDING_COMPLETE);
    end(&r, must_ask(&r, 50, 0, WORLD_NOW + DAY_MS), 50, 0, LICET_ENDING_COMPLETE);
    licet_slot *held = must_ask(&r, 30, 0, WORLD_NOW + DAY_MS);
    uint32_t bucket = licet_window_of(&r.w.image, &r.limits[ROLLING], WORLD_NOW);
    licet_gate_credit(r.w.gate, licet_image_counter_row(&r.limits[ROLLING], ROLLING_ROW, bucket), bucket, 40);
    assert_int_equal(used(&r, ROLLING, ROLLING_ROW, WORLD_NOW + DAY_MS).taken, 60 + 50 + 30);
    bucket++;
    licet_gate_credit(r.w.gate, licet_image_counter_row(&r.limits[ROLLING], ROLLING_ROW, bucket), bucket, 1000);
    assert_int_equal(used(&r, ROLLING, ROLLING_ROW, WORLD_NOW + DAY_MS).taken, 60 + 30); /* what is held stays */
    bucket -= 40;                                                                        /* rolled off */
    licet_gate_credit(r.w.gate, licet_image_counter_row(&r.limits[ROLLING], ROLLING_ROW, bucket), bucket, 40);
    assert_int_equal(used(&r, ROLLING, ROLLING_ROW, WORLD_NOW + DAY_MS).taken, 60 + 30);
    end(&r, held, 30, 0, LICET_ENDING_COMPLETE);
    rich_done(&r);
}

/* ---- at once ------------------------------------------------------------------------------ */

static void
test_at_once(void **state)
{
    static const licet_ending endings[] = {LICET_ENDING_COMPLETE, LICET_ENDING_CLIENT_CLOSED_BODY,
                                           LICET_ENDING_UPSTREAM_ABORTED};
    licet_shortage shortage;
    licet_slot *slots[3];
    rich r;

    rich_init(&r, 1);
    r.worker = world_join(r.w.gate);
    r.limits[CONCURRENT].most = 3;
    for (int i = 0; i < 3; i++) {
        slots[i] = must_ask(&r, 5, 0, WORLD_NOW);
    }
    assert_int_equal(refused(&r, 5, 0, WORLD_NOW, &shortage), LICET_REASON_CONCURRENT);
    assert_int_equal(used(&r, ROLLING, ROLLING_ROW, WORLD_NOW).taken, 15); /* the refused one took nothing */
    for (int i = 0; i < 3; i++) {
        end(&r, slots[i], 5, 0, endings[i]);
        assert_int_equal(used(&r, CONCURRENT, AT_ONCE, WORLD_NOW).taken, 2 - i);
    }
    slots[0] = must_ask(&r, 5, 0, WORLD_NOW);
    licet_worker_leave(r.worker, WORLD_NOW); /* the gate stops */
    assert_int_equal(used(&r, CONCURRENT, AT_ONCE, WORLD_NOW).taken, 0);
    r.worker = world_join(r.w.gate);
    rich_done(&r);
}

static void
test_at_once_after_a_death(void **state)
{
    world_sums sums = {0};
    int status;
    rich r;

    rich_init(&r, 2);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        r.worker = world_join(r.w.gate);
        (void)must_ask(&r, 5, 0, WORLD_NOW);
        (void)must_ask(&r, 5, 0, WORLD_NOW);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(used(&r, CONCURRENT, AT_ONCE, WORLD_NOW).taken, 2);
    licet_gate_adopt(r.w.gate, WORLD_NOW, NULL, NULL);
    world_drain(r.w.gate, &sums);
    assert_int_equal(sums.receipts, 2);
    assert_int_equal(used(&r, CONCURRENT, AT_ONCE, WORLD_NOW).taken, 0);
    licet_gate_adopt(r.w.gate, WORLD_NOW, NULL, NULL);
    rich_done(&r);
}

/* ---- observed ---------------------------------------------------------------------------------- */

static void
test_one_clause_is_observed(void **state)
{
    licet_shortage shortage;
    bool would;
    rich r;

    rich_init(&r, 1);
    r.worker = world_join(r.w.gate);
    r.limits[OBSERVED].most = 10;
    licet_slot *slot = ask(&r, 11, 0, WORLD_NOW, &shortage, &would);
    assert_non_null(slot);
    assert_true(would);
    assert_int_equal(shortage.limit, OBSERVED);
    assert_int_equal(slot->wide.verdict, LICET_VERDICT_OBSERVE);
    assert_int_equal(slot->wide.clause, 4);
    end(&r, slot, 11, 0, LICET_ENDING_COMPLETE);
    assert_int_equal(used(&r, OBSERVED, 4, WORLD_NOW).taken, 11);
    r.limits[ROLLING].most = 11; /* the others still refuse */
    assert_int_equal(refused(&r, 1, 0, WORLD_NOW, &shortage), LICET_REASON_CAP_REACHED);
    assert_int_equal(shortage.limit, ROLLING);
    assert_int_equal(used(&r, OBSERVED, 4, WORLD_NOW).taken, 11);
    rich_done(&r);
}

static void
test_reasons(void **state)
{
    licet_shortage shortage;
    rich r;

    rich_init(&r, 1);
    r.worker = world_join(r.w.gate);
    r.limits[ROLLING].most = 100;
    r.limits[ROLLING].set_by = LICET_SET_BY_US;
    assert_int_equal(refused(&r, 101, 0, WORLD_NOW, &shortage), LICET_REASON_BUDGET_USED);
    licet_slot *slot = must_ask(&r, 95, 0, WORLD_NOW);
    assert_int_equal(refused(&r, 50, 0, WORLD_NOW, &shortage), LICET_REASON_QUOTA_HELD);
    licet_verdict verdict = rich_verdict(&r, 50, 0, WORLD_NOW);
    assert_int_equal(licet_shortage_fits(&verdict, &shortage, NULL), 5);
    uint64_t remaining[KINDS_OF_LIMITS] = {5, 4 * 5000, 0, 0, 2};
    assert_int_equal(licet_shortage_fits(&verdict, &shortage, remaining), 4); /* what is observed binds nobody */
    end(&r, slot, 95, 0, LICET_ENDING_COMPLETE);
    r.limits[ROLLING].kind = LICET_KIND_REQUEST;
    r.limits[ROLLING].set_by = LICET_SET_BY_CONTRACT;
    r.limits[ROLLING].most = 95;
    assert_int_equal(refused(&r, 50, 0, WORLD_NOW, &shortage), LICET_REASON_RATE_LIMIT);
    rich_done(&r);
}

/* ---- a thousand at fifty --------------------------------------------------------------------------- */

#define REQUESTS 1000u
#define MOST 50u

typedef struct crowd {
    uint32_t go, asked, admitted;
} crowd;

static void
ask_for(rich *r, crowd *c, uint32_t requests)
{
    licet_shortage shortage;

    r->worker = world_join(r->w.gate);
    while (__atomic_load_n(&c->go, __ATOMIC_ACQUIRE) == 0) {
    }
    for (uint32_t i = 0; i < requests; i++) {
        licet_slot *slot = ask(r, 1, 0, WORLD_NOW, &shortage, NULL);
        __atomic_fetch_add(&c->admitted, slot != NULL, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&c->asked, 1, __ATOMIC_SEQ_CST);
        if (slot != NULL) { /* none of it comes back */
            licet_settlement settlement = world_settlement(1);
            licet_slot_settle(r->worker, slot, &settlement);
        }
    }
    licet_worker_leave(r->worker, WORLD_NOW);
    _exit(0);
}

/* which: the limit of fifty; killed: one of them is, in the middle. */
static void
thousand(uint32_t workers, uint32_t which, bool killed)
{
    crowd *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    world_sums sums = {0};
    pid_t pids[9];
    rich r;

    assert_true(c != MAP_FAILED);
    rich_init(&r, 9);
    r.limits[which].most = MOST * r.limits[which].weight;
    for (uint32_t i = 0; i < workers + killed; i++) {
        fflush(NULL);
        pids[i] = fork();
        if (pids[i] == 0) {
            ask_for(&r, c, REQUESTS / workers);
        }
    }
    __atomic_store_n(&c->go, 1, __ATOMIC_RELEASE);
    while (killed && __atomic_load_n(&c->asked, __ATOMIC_ACQUIRE) < 5) {
    }
    for (uint32_t i = 0; i < workers + killed; i++) {
        if (killed && i == workers) {
            kill(pids[i], SIGKILL);
        }
        assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
    }
    for (int i = 0; i < 3; i++) {
        licet_gate_adopt(r.w.gate, WORLD_NOW, NULL, NULL);
        world_drain(r.w.gate, &sums);
    }
    uint64_t left =
        MOST - used(&r, which, which == ROLLING ? ROLLING_ROW : CREDIT, WORLD_NOW).taken / r.limits[which].weight;
    assert_true(c->admitted <= MOST && sums.posts <= MOST);
    if (!killed) {
        assert_int_equal(c->admitted, MOST);
        assert_int_equal(sums.posts, MOST);
        assert_int_equal(left, 0);
    } else {
        /* what the dead one had taken and not delivered came back, or leaked, at most one of it, and is told of */
        assert_true(sums.posts + left + licet_gate_faults_of(r.w.gate).leaks >= MOST);
    }
    munmap(c, sizeof(*c));
    world_done(&r.w);
}

static void
test_thousand_at_fifty(void **state)
{
    static const uint32_t workers[] = {1, 2, 8};

    for (int i = 0; i < 3; i++) {
        thousand(workers[i], ROLLING, false);
        thousand(workers[i], CREDIT_POSTS, false);
        for (int round = 0; round < 10; round++) {
            thousand(workers[i], ROLLING, true);
            thousand(workers[i], CREDIT_POSTS, true);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prepaid_credit),
        cmocka_unit_test(test_no_weight_overflows),
        cmocka_unit_test(test_room_returns),
        cmocka_unit_test(test_stream_over_buckets),
        cmocka_unit_test(test_duplicates_credited),
        cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_at_once_after_a_death),
        cmocka_unit_test(test_one_clause_is_observed),
        cmocka_unit_test(test_reasons),
#if !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(test_thousand_at_fifty),
#endif
    };

    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
