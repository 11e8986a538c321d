/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kill: a worker dies at each step of each of its ways, licetd adopts what it
 * left (and dies itself at each step of that), and the books must be right.
 *
 *  (1) What was let go up has exactly one receipt, with at least the units counted; what never opened has none.
 *  (2) Nothing is given back twice: what a counter has taken is never less than what its receipts are charged.
 *  (3) A leak is at most one hold, and is told of; without one the figures are equal and nothing is held.
 *  (4) No limit is passed, but by an overrun.
 *  (5) The same with other kinds of limits in the same places: a weighed one, one on what is under way at once, and a
 *      rolling one over two buckets, in which nothing is ever half taken.
 *
 * The sources with steps are compiled into this test, so that licet_step is its own. The last test needs no steps: it
 * lets the worker go on by one machine instruction at a time, and judges each state of the memory as if it had died
 * there.
 */
#define LICET_TEST_STEPS
#include "admit.c"   // NOLINT(bugprone-suspicious-include): see above
#include "hold.c"    // NOLINT(bugprone-suspicious-include)
#include "rolling.c" // NOLINT(bugprone-suspicious-include)
#include "slot.c"    // NOLINT(bugprone-suspicious-include)

#include "world.h"

#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define PAGE_POSTS 20u

/* Told by the child while it lives. */
typedef struct progress {
    uint32_t steps, die_at; /* die_at 0: live */
    uint32_t last;          /* step reached last */
    uint32_t admitted, settled;
    uint64_t counted;
    bool may_overrun, left;
} progress;

static progress *told;
static jmp_buf *grave; /* where a death in this process ends; NULL: the process itself does */

void
licet_step(enum licet_step_number number)
{
    told->last = number;
    told->steps++;
    if (told->steps == told->die_at && grave != NULL) {
        longjmp(*grave, 1);
    }
    if (told->steps == told->die_at) {
        _exit(9);
    }
}

/* ---- two kinds of limits ------------------------------------------------------------- */

#define WEIGHT 3u
#define THIRD 3u /* counter of the third limit */
static bool other_kinds;

static void
kinds_of_limits(world *w)
{
    if (other_kinds) {
        w->limits[0].weight = WEIGHT;
        w->limits[0].most *= WEIGHT;
        w->limits[1].per = LICET_PER_CONCURRENT;
        w->limits[2].per = LICET_PER_ROLLING;
        w->limits[2].bucket_s = w->limits[2].span_s;
    }
}

/* What the third limit's counter holds in a window, put there. */
static void
put_third(world *w, uint32_t window, uint64_t taken)
{
    uint32_t row = licet_image_counter_row(&w->limits[2], THIRD, window);

    licet_gate_counter_swap(w->gate, row, licet_gate_counter(w->gate, row),
                            (licet_counter_value){window, taken, 0, false});
}

static licet_counter_value
used(world *w, uint32_t i)
{
    return i == 2 && other_kinds ? licet_gate_used(w->gate, &w->limits[2], THIRD, 19675)
                                 : licet_gate_counter(w->gate, i + 1);
}

/* ---- the ways of a worker ------------------------------------------------------ */

static licet_slot *
ask(world *w, licet_worker *worker, licet_verdict verdict)
{
    licet_slot *slot = NULL;
    licet_shortage shortage;

    (void)licet_worker_admit(worker, &w->image, &w->facts, &verdict, 64, WORLD_NOW, &slot, &shortage, NULL);
    return slot;
}

static licet_slot *
admit(world *w, licet_worker *worker, licet_verdict verdict)
{
    licet_slot *slot = ask(w, worker, verdict);

    if (slot == NULL) {
        abort();
    }
    told->admitted++;
    return slot;
}

static void
count(licet_slot *slot, uint64_t posts)
{
    licet_slot_count(slot, WORLD_POST, posts);
    told->counted = posts;
    LICET_STEP(COUNTED);
}

static void
settle(licet_worker *worker, licet_slot *slot, licet_settlement settlement)
{
    licet_slot_settle(worker, slot, &settlement);
    told->settled++;
    LICET_STEP(SLOT_FREE);
}

static void
way_plain(world *w, licet_worker *worker)
{
    licet_slot *slot = admit(w, worker, world_verdict(w, PAGE_POSTS, 3));

    licet_slot_progress(slot, 200, 1);
    count(slot, 5);
    count(slot, 12);
    settle(worker, slot, world_settlement(12));
}

static void
way_top_up(world *w, licet_worker *worker)
{
    licet_slot *slot = admit(w, worker, world_verdict(w, PAGE_POSTS, 3));

    count(slot, 20);
    assert_true(licet_slot_top_up(worker, slot, WORLD_POST, 35));
    count(slot, 31);
    settle(worker, slot, world_settlement(31));
}

static void
way_refused_by_third_limit(world *w, licet_worker *worker)
{
    put_third(w, 19675, 790);
    assert_null(ask(w, worker, world_verdict(w, PAGE_POSTS, 3)));
}

static void
way_lease_empty(world *w, licet_worker *worker)
{
    assert_null(ask(w, worker, world_verdict(w, 700, 3)));
}

static void
way_overrun(world *w, licet_worker *worker)
{
    told->may_overrun = true;
    put_third(w, 19675, 780);
    licet_slot *slot = admit(w, worker, world_verdict(w, PAGE_POSTS, 3));
    assert_false(licet_slot_top_up(worker, slot, WORLD_POST, 30));
    licet_slot_overrun(worker, slot, WORLD_POST, 30);
    count(slot, 28);
    settle(worker, slot, world_settlement(33));
}

static void
way_unmetered(world *w, licet_worker *worker)
{
    licet_slot *slot = admit(w, worker, world_verdict(w, PAGE_POSTS, 3));
    licet_settlement settlement = world_settlement(7);

    count(slot, 7);
    settlement.unmetered = LICET_UNMETERED_MALFORMED;
    settle(worker, slot, settlement);
}

static void
way_window_moves(world *w, licet_worker *worker)
{
    licet_slot *slot = admit(w, worker, world_verdict(w, PAGE_POSTS, 3));

    count(slot, 20);
    put_third(w, 19676, 0);
    assert_true(licet_slot_top_up(worker, slot, WORLD_POST, 30));
    count(slot, 26);
    settle(worker, slot, world_settlement(26));
}

static void
way_refusal(world *w, licet_worker *worker)
{
    licet_verdict verdict = world_verdict(w, PAGE_POSTS, 3);

    verdict.verdict = LICET_VERDICT_REFUSE;
    verdict.reason = LICET_REASON_PURPOSE_FORBIDDEN;
    licet_slot *slot = admit(w, worker, verdict);
    settle(worker, slot,
           (licet_settlement){.status = 403,
                              .ending = LICET_ENDING_REFUSED,
                              .verdict = LICET_VERDICT_REFUSE,
                              .reason = LICET_REASON_PURPOSE_FORBIDDEN,
                              .bytes_acked = UINT64_MAX});
}

static void
way_leave(world *w, licet_worker *worker)
{
    licet_slot *slot = admit(w, worker, world_verdict(w, PAGE_POSTS, 3));

    licet_slot_progress(slot, 200, 1);
    count(slot, 3);
    licet_worker_leave(worker, WORLD_NOW + 5);
    told->left = true;
    told->settled++;
}

static void
way_ids(world *w, licet_worker *worker)
{
    licet_slot *slot = admit(w, worker, world_verdict(w, PAGE_POSTS, 2));

    assert_true(licet_slot_ids(worker, slot, WORLD_POST, 2, LICET_BYTES_LITERAL("\003abc\002de")));
    count(slot, 2);
    settle(worker, slot, world_settlement(2));
}

/* The later slot settles first: dead in between, the earlier one must not take its position. */
static void
way_two(world *w, licet_worker *worker)
{
    licet_slot *a = admit(w, worker, world_verdict(w, PAGE_POSTS, 3));
    licet_slot *b = admit(w, worker, world_verdict(w, 10, 3));

    licet_slot_progress(a, 200, 1);
    count(a, 5);
    settle(worker, b, world_settlement(7));
    told->counted = 5 + 7; /* settled for good, and counted */
    settle(worker, a, world_settlement(6));
    told->counted = 6 + 7;
}

typedef struct kill_way {
    const char *name;
    void (*go)(world *w, licet_worker *worker);
    uint32_t receipts;    /* when it comes to its end */
    uint32_t most;        /* receipts, wherever it dies */
    uint64_t used_before; /* of the third limit, put there by the way */
    uint64_t past;        /* posts charged to a window of the third limit that is gone */
} kill_way;

static const kill_way ways[] = {
    {"plain", way_plain, 1, 1, 0, 0},
    {"top up", way_top_up, 1, 1, 0, 0},
    {"refused by the third limit", way_refused_by_third_limit, 0, 1, 790, 0},
    {"lease empty", way_lease_empty, 0, 1, 0, 0},
    {"overrun", way_overrun, 1, 1, 780, 0},
    {"unmetered", way_unmetered, 1, 1, 0, 0},
    {"window moves", way_window_moves, 1, 1, 0, PAGE_POSTS},
    {"refusal", way_refusal, 1, 1, 0, 0},
    {"leave", way_leave, 1, 1, 0, 0},
    {"ids", way_ids, 1, 1, 0, 0},
    {"two under way", way_two, 2, 2, 0, 0},
};

/* ---- the books afterwards ---------------------------------------------------------- */

static char place[160]; /* for the messages */

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fail_msg("%s (step %u): %s", place, told->last, #condition);                                               \
        }                                                                                                              \
    } while (0)

/* taken >= charged, and equal without a leak; where the window moved, what was charged before lies in the old one. */
static void
check_taken(uint64_t taken, uint64_t before, uint64_t charged, uint64_t past, bool leaked, uint64_t largest)
{
    uint64_t least_taken = charged > past ? charged - past : 0;

    MUST(taken >= before);
    taken -= before;
    MUST(taken >= least_taken);
    MUST(taken <= (leaked ? charged + largest : charged));
}

static void
check_books(world *w, const kill_way *way, bool finished)
{
    world_sums sums = {0};
    licet_gate_faults faults;

    for (int i = 0; i < 3; i++) {
        licet_gate_adopt(w->gate, WORLD_NOW + 10, NULL, NULL);
        world_drain(w->gate, &sums);
    }
    faults = licet_gate_faults_of(w->gate);
    MUST(licet_gate_under_way(w->gate) == 0);
    MUST(licet_gate_owned(w->gate) == 0);
    MUST(faults.damaged == 0);
    MUST(faults.leaks <= 2); /* the worker's, and that of a licetd that died adopting it */
    MUST(sums.receipts >= told->admitted && sums.receipts <= way->most);
    MUST(!finished || sums.receipts == way->receipts);
    MUST(sums.posts >= told->counted);
    MUST(told->settled < way->most || sums.last.ending != LICET_ENDING_WORKER_DIED);
    for (uint32_t i = 0; i < WORLD_LIMITS; i++) {
        licet_counter_value value = used(w, i);
        uint64_t weight = w->limits[i].weight, at_once = w->limits[i].per == LICET_PER_CONCURRENT;
        uint64_t charged = at_once ? 0 : weight * (w->limits[i].kind == WORLD_POST ? sums.posts : sums.requests);
        uint64_t before = i == 2 && value.taken >= way->used_before ? way->used_before : 0;
        bool limited = !(way->go == way_ids && i == 2) && way->go != way_refusal;
        bool moved = i == 2 && way->past != 0 && value.window == 19676 && !other_kinds; /* a bucket still counts */
        MUST(told->may_overrun || value.taken <= w->limits[i].most);
        MUST(value.held == 0 || faults.leaks > 0);
        MUST(value.held <= 700 * weight);
        if (limited) {
            check_taken(value.taken, before, charged, moved ? way->past : 0, faults.leaks > 0, 700 * weight);
        }
    }
    licet_lease_value posts = licet_gate_lease(w->gate, WORLD_CELL, WORLD_POST);
    MUST(posts.taken <= posts.granted);
    check_taken(posts.taken, 0, sums.posts, 0, faults.leaks > 0, 700);
}

/* After all that a new worker finds every area in order. */
static void
check_joins(world *w)
{
    licet_worker *workers[3];

    told->die_at = 0;
    for (int i = 0; i < 3; i++) {
        workers[i] = world_join(w->gate);
        licet_slot *slot = admit(w, workers[i], world_verdict(w, 1, 1));
        licet_slot_settle(workers[i], slot, &(licet_settlement){.ending = LICET_ENDING_COMPLETE});
    }
    for (int i = 0; i < 3; i++) {
        licet_worker_leave(workers[i], WORLD_NOW);
    }
}

/* ---- dying ------------------------------------------------------------------------------ */

typedef struct errand {
    world *w;
    const kill_way *way;
    licet_worker *worker;
    licet_gate *gate;
} errand;

static void
work(errand *e)
{
    e->worker = world_join(e->w->gate);
    e->way->go(e->w, e->worker);
}

/* As a licetd would: through a mapping and a description of its own. */
static void
adopt(errand *e)
{
    assert_true(licet_gate_open(e->w->path, &e->gate, NULL));
    licet_gate_adopt(e->gate, WORLD_NOW + 10, NULL, NULL);
}

/* Runs in a process of its own that may die; true when it came to its end. */
static bool
run_process(void (*go)(errand *), errand *e, uint32_t die_at)
{
    int status;

    told->die_at = die_at;
    told->steps = 0;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        go(e);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9));
    return WEXITSTATUS(status) == 0;
}

/* What the kernel and the heap lose with a process. */
static void
bury(errand *e)
{
    if (e->worker != NULL && !told->left) {
        close(e->worker->fd);
        EVP_CIPHER_CTX_free(e->worker->cipher);
        free(e->worker->free_slots);
        free(e->worker->ids_left);
        free(e->worker);
    }
    licet_gate_close(e->gate);
    e->worker = NULL;
    e->gate = NULL;
}

/* The same in this process, a hundred times as fast: death is a jump, and what a death frees is freed. */
static bool
run_here(void (*go)(errand *), errand *e, uint32_t die_at)
{
    jmp_buf here;
    volatile bool ended = false;

    told->die_at = die_at;
    told->steps = 0;
    grave = &here;
    if (setjmp(here) == 0) {
        go(e);
        ended = true;
    }
    grave = NULL;
    bury(e);
    return ended;
}

static void
begin(errand *e)
{
    world_init(e->w);
    kinds_of_limits(e->w);
    world_grant(e->w, 100, 690);
    memset(told, 0, sizeof(*told));
}

static void
test_worker_dies_everywhere(void **state)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        bool finished = false;
        uint32_t die_at = 1;
        for (; !finished; die_at++) {
            world w;
            errand e = {.w = &w, .way = &ways[i]};
            begin(&e);
            snprintf(place, sizeof(place), "%s, dies at step %u", ways[i].name, die_at);
            finished = run_process(work, &e, die_at);
            check_books(&w, &ways[i], finished);
            check_joins(&w);
            world_done(&w);
        }
        assert_true(die_at > 10); /* the hook is there */
    }
}

static void
test_licetd_dies_everywhere(void **state)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        bool finished = false;
        for (uint32_t die_at = 1; !finished; die_at++) {
            bool adopted = false;
            for (uint32_t again_at = 1; !adopted; again_at++) {
                world w;
                errand e = {.w = &w, .way = &ways[i]};
                begin(&e);
                snprintf(place, sizeof(place), "%s, dies at step %u, licetd at %u", ways[i].name, die_at, again_at);
                finished = run_here(work, &e, die_at);
                adopted = run_here(adopt, &e, again_at);
                check_books(&w, &ways[i], finished);
                world_done(&w);
            }
        }
    }
}

/* ---- at every instruction ------------------------------------------------------------------ */

static void
traced(errand *e)
{
    e->worker = world_join(e->w->gate);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        _exit(3);
    }
    raise(SIGSTOP);
    e->way->go(e->w, e->worker);
    _exit(0);
}

/* One instruction further; false when the child is gone. */
static bool
single_step(pid_t pid)
{
    int status;

    assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status)) {
        assert_int_equal(WEXITSTATUS(status), 0);
        return false;
    }
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    return true;
}

/* The number of different states of the memory; 0 when this process may not trace. */
static uint32_t
judge_every_state(errand *e, world *copy)
{
    size_t size = e->w->gate->at.size;
    uint64_t instructions = 0;
    uint32_t states = 0;
    int status;

    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        traced(e);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status)) {
        return 0;
    }
    uint8_t *seen = calloc(1, size);
    while (single_step(pid)) {
        instructions++;
        if (memcmp(seen, e->w->gate->map, size) == 0) {
            continue;
        }
        states++;
        memcpy(seen, e->w->gate->map, size);
        memcpy(copy->gate->map, seen, size);
        snprintf(place, sizeof(place), "%s, dies after %llu instructions", e->way->name,
                 (unsigned long long)instructions);
        check_books(copy, e->way, false);
    }
    free(seen);
    return states;
}

static void
test_worker_dies_at_every_instruction(void **state)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        world w, copy;
        errand e = {.w = &w, .way = &ways[i]};
        begin(&e);
        world_init(&copy);
        kinds_of_limits(&copy);
        uint32_t states = judge_every_state(&e, &copy);
        world_done(&copy);
        world_done(&w);
        if (states == 0) {
            print_message("this process may not trace\n");
            skip();
        }
        print_message("%s: %u states of the memory\n", ways[i].name, states);
        assert_true(states > 30);
    }
}

/* ---- the page that tells the steps ------------------------------------------------------------ */

static void
test_page_tells_steps(void **state)
{
    static const struct {
        unsigned number;
        const char *name, *text;
    } steps[] = {
#define STEP_ROW(number, name, text) {number, #name, text},
        LICET_STEPS(STEP_ROW)
#undef STEP_ROW
    };
    char path[PATH_MAX], line[256];
    uint8_t *page = NULL;
    size_t len;

    snprintf(path, sizeof(path), "%s/docs/format/gate.md", getenv("LICET_SOURCE_ROOT"));
    assert_true(licet_file_read(path, 1 << 20, &page, &len, NULL));
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        snprintf(line, sizeof(line), "| %u | %s | %s |\n", steps[i].number, steps[i].name, steps[i].text);
        if (memmem(page, len, line, strlen(line)) == NULL) {
            fail_msg("docs/format/gate.md does not say: %s", line);
        }
        assert_true(i == 0 || steps[i].number > steps[i - 1].number);
    }
    free(page);
}

static int
other_kinds_of_limits(void **state)
{
    other_kinds = true;
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_tells_steps),
        cmocka_unit_test(test_worker_dies_at_every_instruction),
        cmocka_unit_test(test_worker_dies_everywhere),
        cmocka_unit_test(test_licetd_dies_everywhere),
    };
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_worker_dies_at_every_instruction),
        cmocka_unit_test(test_worker_dies_everywhere),
        cmocka_unit_test(test_licetd_dies_everywhere),
    };
    int failed;

    told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED) {
        return 1;
    }
    failed = cmocka_run_group_tests_name("kill", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("kill, other kinds of limits", others, other_kinds_of_limits, NULL);
}
