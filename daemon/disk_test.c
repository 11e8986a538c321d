/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder on a disk whose n-th call fails, for each n in turn: at its
 * work, at its start, and at its end. Afterwards, on a disk that works, every
 * response has one receipt and the ledger verifies.
 *
 *  LICET_FAULTS_EVERY=N tries every N-th call (default 11, of a random phase; with LICET_KILLS at 1,000 or more, as
 *  make nightly sets it, every one).
 */
#include "site_test.h"

unsigned licet_shim_fired(void); /* tests/shim/files.c: calls that failed since the control file changed */

#define CALLS_MOST 2000u
#define ROUNDS 4u

static char control[64];

static void
disk_does(const char *words)
{
    FILE *f = fopen(control, "we");

    assert_non_null(f);
    assert_true(fputs(words, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static unsigned
every(void)
{
    const char *text = getenv("LICET_FAULTS_EVERY"), *kills = getenv("LICET_KILLS");
    unsigned n = text != NULL ? (unsigned)strtoul(text, NULL, 10) : 11;

    return text == NULL && kills != NULL && strtoul(kills, NULL, 10) >= 1000 ? 1 : n > 0 ? n : 1;
}

/* Works while calls fail. Errors are expected; what was delivered is what counts. */
static void
work(const site *s, licet_recorder *recorder, site_worker *w, uint64_t from)
{
    licet_error err = {0};
    uint64_t taken;

    for (unsigned i = 0; i < ROUNDS; i++) {
        assert_true(site_deliver(s, w, 7 + i));
        (void)licet_recorder_round(recorder, from + 1100 * (uint64_t)i, &taken, &err);
        (void)licet_recorder_sync(recorder, from + 1100 * (uint64_t)i + 50, &err);
    }
}

/* On a disk that works again. */
static void
check(site *s, const char *words, unsigned deliveries)
{
    site_ledger *l = calloc(1, sizeof(*l));
    licet_recorder *recorder = NULL;
    licet_error err = {0};

    assert_non_null(l);
    disk_does("");
    if (!site_open(s, true, &recorder, &err) || !licet_recorder_sync(recorder, site_now() + 60000, &err) ||
        !licet_recorder_close(recorder, site_now() + 61000, &err)) {
        fail_msg("%s: %s", words, err.text);
    }
    site_read(s, l);
    if (l->receipts != deliveries || l->posts != s->shared->delivered || l->gaps != 0) {
        fail_msg("%s: %llu receipts of %u, %llu posts of %llu, %llu gaps", words, (unsigned long long)l->receipts,
                 deliveries, (unsigned long long)l->posts, (unsigned long long)s->shared->delivered,
                 (unsigned long long)l->gaps);
    }
    free(l);
}

typedef enum moment { AT_WORK, AT_START, AT_END } moment;

/* True when the call failed: there was one. */
static bool
one(const char *words, moment when)
{
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    unsigned deliveries = 1, fired;
    uint64_t taken;
    site_worker w;
    site s;

    site_init(&s, SITE_MOST);
    setenv("LICET_SHIM_UNDER", s.dir, 1);
    disk_does("");
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 5));
    if (when == AT_START) {
        site_worker_close(&w);
        must(licet_recorder_close(recorder, site_now(), &err));
        disk_does(words);
        if (site_open(&s, true, &recorder, &err)) {
            (void)licet_recorder_close(recorder, site_now() + 1000, &err);
        }
    } else {
        if (when == AT_WORK) {
            disk_does(words);
        }
        work(&s, recorder, &w, site_now());
        deliveries += ROUNDS;
        site_worker_close(&w);
        if (when == AT_END) {
            must(licet_recorder_round(recorder, site_now() + 10000, &taken, &err));
            disk_does(words);
        }
        (void)licet_recorder_close(recorder, site_now() + 20000, &err);
    }
    fired = licet_shim_fired();
    check(&s, words, deliveries);
    site_done(&s);
    return fired > 0;
}

static void
in_turn(const char *what, moment when)
{
    unsigned step = every(), phase = step > 1 ? (unsigned)(site_now() / 7) % step : 0, tried = 0, n = 1 + phase;
    char words[64];

    do {
        assert_true(n < CALLS_MOST);
        snprintf(words, sizeof(words), "%s nth=%u", what, n);
        tried++;
        n += step;
    } while (one(words, when));
    print_message("# used %s: %u calls failed in turn, every %u from %u\n", what, tried - 1, step, 1 + phase);
}

static const char *const faults[] = {"write=EIO", "write=ENOSPC", "sync=EIO", "open=EIO", "rename=EIO", "cut=EIO"};

static void
all(moment when)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        in_turn(faults[i], when);
    }
}

static void
test_at_work(void **state)
{
    (void)state;
    all(AT_WORK);
}

static void
test_at_start(void **state)
{
    (void)state;
    all(AT_START);
}

static void
test_at_end(void **state)
{
    (void)state;
    all(AT_END);
}

static void
test_short_and_interrupted(void **state)
{
    (void)state;
    (void)one("short", AT_WORK);
    (void)one("interrupted", AT_WORK);
    (void)one("short", AT_START);
    (void)one("full", AT_WORK);
    (void)one("full error=EDQUOT", AT_END);
    (void)one("full", AT_START);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_work),
        cmocka_unit_test(test_at_start),
        cmocka_unit_test(test_at_end),
        cmocka_unit_test(test_short_and_interrupted),
    };
    int failed;

    snprintf(control, sizeof(control), "/tmp/licet-disk-test-%ld", (long)getpid());
    setenv("LICET_SHIM_CONTROL", control, 1);
    if (access("/dev/shm", W_OK) == 0) {
        setenv("LICET_TEST_DIR", "/dev/shm", 1); /* syncs that cost nothing: it is about calls, not about disks */
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(control);
    return failed;
}
