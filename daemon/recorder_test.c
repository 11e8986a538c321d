/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder under a fake worker: exactly once through crashes, bounds after
 * a power loss, what a full disk and a hostile worker do.
 */
#include "rooms.h"
#include "site_test.h"

#include <sys/resource.h>

#define KILLS 20

static site_ledger *
ledger_new(bool seen)
{
    site_ledger *l = calloc(1, sizeof(*l));

    assert_non_null(l);
    if (seen) {
        l->seen = calloc(SITE_KEPT_MAX, 1);
        assert_non_null(l->seen);
    }
    return l;
}

static void
ledger_free(site_ledger *l)
{
    free(l->seen);
    free(l);
}

static void
test_first_start_records_the_agreement(void **state)
{
    site_ledger *l = ledger_new(false), *again = ledger_new(false);
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, false, &recorder, &err));
    must(licet_recorder_close(recorder, site_now(), &err));
    site_read(&s, l);
    assert_int_equal(l->versions, 1);
    must(site_open(&s, false, &recorder, &err));
    must(licet_recorder_close(recorder, site_now(), &err));
    site_read(&s, again);
    assert_int_equal(again->versions, 1);
    ledger_free(l);
    ledger_free(again);
    site_done(&s);
}

static void
test_apply_records_what_changed_and_why(void **state)
{
    site_ledger *l = ledger_new(false);
    licet_recorder *recorder = NULL;
    licet_mistakes mistakes = {0};
    licet_error err = {0};
    licet_buffer words;
    char path[512];
    uint8_t *text = NULL;
    struct stat st;
    size_t len;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    licet_buffer_init(&words, 1 << 20);
    must(site_open(&s, false, &recorder, &err));
    site_agreement(&s, 77);
    must(licet_recorder_apply(recorder, "amendment 3", site_now(), &mistakes, &words, &err));
    assert_true(words.len > 0);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_read(&s, l);
    assert_int_equal(l->versions, 2);
    snprintf(path, sizeof(path), "%s/data/recorded/" SITE_AGREEMENT "/2/reason", s.dir);
    must(licet_file_read(path, 4096, &text, &len, &err));
    assert_string_equal((const char *)text, "amendment 3");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    free(text);
    licet_buffer_done(&words);
    ledger_free(l);
    site_done(&s);
}

static uint64_t
changes_of(licet_recorder *r)
{
    licet_ledger *ledger = recorder_book_of(r, 1)->ledger;
    uint64_t n = 0;

    for (uint64_t i = 0; i < licet_ledger_size(ledger); i++) {
        licet_buffer entry;
        licet_error err;

        licet_buffer_init(&entry, LICET_ENTRY_MAX);
        assert_true(licet_ledger_entry(ledger, i, &entry, &err));
        n += entry.data[0] == LICET_ENTRY_CHANGE;
        licet_buffer_done(&entry);
    }
    return n;
}

/* As after a death between the changes and the version records that say that the image is recorded. */
static void
test_changes_are_recorded_once(void **state)
{
    const licet_recorder_request request = {.reason = "interrupted"};
    uint8_t *before, *after;
    size_t before_len, after_len;
    licet_recorder *r = NULL;
    licet_error err = {0};
    char path[PATH_MAX];
    uint64_t n;
    site s;

    site_init(&s, 1000);
    assert_true(site_open(&s, false, &r, &err));
    assert_true(licet_recorder_apply(r, "first", site_now(), &(licet_mistakes){0}, NULL, &err));
    n = changes_of(r);
    assert_true(n > 2);
    snprintf(path, sizeof(path), "%s/data/recorded/%s/1/changes", s.dir, recorder_book_of(r, 1)->name);
    assert_true(licet_file_read(path, 1 << 20, &before, &before_len, &err));
    recorder_book_of(r, 1)->image = 0;
    assert_true(recorder_publish_missing(r, NULL, &request, site_now(), &err));
    assert_true(licet_recorder_sync(r, site_now(), &err));
    assert_int_equal(changes_of(r), n);
    assert_true(licet_file_read(path, 1 << 20, &after, &after_len, &err));
    assert_int_equal(before_len, after_len);
    assert_memory_equal(before, after, before_len);
    free(after);

    /* and the ledger tells it after a start */
    assert_true(licet_recorder_close(r, site_now(), &err));
    assert_true(site_open(&s, false, &r, &err));
    assert_int_equal(recorder_book_of(r, 1)->changes_next, n);
    recorder_book_of(r, 1)->image = 0;
    recorder_book_of(r, 1)->changes_next = (uint32_t)n - 1; /* all but the last one were durable */
    assert_true(recorder_publish_missing(r, NULL, &request, site_now(), &err));
    assert_true(licet_recorder_sync(r, site_now(), &err));
    assert_int_equal(changes_of(r), n + 1);
    assert_true(licet_file_read(path, 1 << 20, &after, &after_len, &err));
    assert_memory_equal(before, after, before_len / 2); /* the clear texts of those that stand */
    free(before);
    free(after);
    assert_true(licet_recorder_close(r, site_now(), &err));
    site_done(&s);
}

static void
test_mistakes_record_nothing(void **state)
{
    licet_recorder *recorder = NULL;
    licet_mistakes mistakes = {0};
    licet_error err = {0};
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, false, &recorder, &err));
    site_write(&s, "agreements/" SITE_AGREEMENT "/apps.yaml", "apps: 3\n");
    assert_false(licet_recorder_apply(recorder, "typo", site_now(), &mistakes, NULL, &err));
    assert_true(mistakes.len > 0);
    assert_int_equal(licet_store_generation(licet_recorder_store(recorder)), 1);
    licet_mistakes_done(&mistakes);
    must(licet_recorder_close(recorder, site_now(), &err));
    /* Somebody is still editing: the recorder starts with what was applied. */
    must(site_open(&s, false, &recorder, &err));
    must(licet_recorder_close(recorder, site_now(), &err));
    site_done(&s);
}

static void
test_lock_names_its_holder(void **state)
{
    licet_recorder *first = NULL, *second = NULL;
    licet_error err = {0};
    char pid[32];
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, false, &first, &err));
    assert_false(site_open(&s, false, &second, &err));
    assert_int_equal(err.code, LICET_E_CONFLICT);
    snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    assert_non_null(strstr(err.text, pid));
    must(licet_recorder_close(first, site_now(), &err));
    site_done(&s);
}

/* ---- a limit that comes in mid-window ------------------------------------------- */

static uint64_t
taken_of(licet_recorder *recorder, uint32_t limit)
{
    const licet_image *image = licet_store_image_of(licet_recorder_store(recorder), SITE_AGREEMENT);

    return licet_gate_counter(licet_recorder_gate(recorder), licet_image_counter(image, &image->limits[limit], 0))
        .taken;
}

static void
apply_again(licet_recorder *recorder, const char *reason)
{
    licet_mistakes mistakes = {0};
    licet_error err = {0};

    must(licet_recorder_apply(recorder, reason, site_now(), &mistakes, NULL, &err));
    licet_mistakes_done(&mistakes);
}

static void
test_a_new_limit_begins_with_what_its_window_used(void **state)
{
    licet_recorder *recorder = NULL;
    licet_settlement settlement = site_settlement(9);
    licet_error err = {0};
    licet_slot *slot = NULL;
    licet_verdict verdict;
    site_worker before, after;
    uint64_t work;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &before);
    assert_true(site_deliver(&s, &before, 100));
    must(licet_recorder_round(recorder, site_now(), &work, &err)); /* journalled, in no ledger yet */
    assert_true(site_deliver(&s, &before, 5));                     /* in the ring */
    assert_int_equal(site_admit(&before, "n=50", "display", &slot, &verdict), LICET_ADMITTED);
    site_limit(&s, 150, "30d");
    apply_again(recorder, "by 30 days");
    assert_int_equal(taken_of(recorder, 0), 100);
    licet_slot_settle(before.worker, slot, &settlement); /* judged by the older image */
    must(licet_recorder_round(recorder, site_now(), &work, &err));
    assert_int_equal(taken_of(recorder, 0), 114);
    site_worker_join(&s, &after);
    assert_false(site_deliver(&s, &after, 37));
    assert_true(site_deliver(&s, &after, 36));
    must(licet_recorder_round(recorder, site_now(), &work, &err));
    assert_int_equal(taken_of(recorder, 0), 150);

    /* The old limit comes back: meanwhile its counter stood still. */
    site_limit(&s, SITE_MOST, "month");
    apply_again(recorder, "by the month");
    assert_int_equal(taken_of(recorder, 0), 150);
    site_worker_close(&before);
    site_worker_close(&after);
    must(licet_recorder_close(recorder, site_now(), &err));
    must(site_open(&s, true, &recorder, &err));
    assert_int_equal(taken_of(recorder, 0), 150);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_done(&s);
}

static uint64_t
used_of(licet_recorder *recorder)
{
    const licet_image *image = licet_store_image_of(licet_recorder_store(recorder), SITE_AGREEMENT);
    const licet_image_limit *limit = &image->limits[0];

    return licet_gate_used(licet_recorder_gate(recorder), limit, licet_image_counter(image, limit, 0),
                           licet_window_of(image, limit, site_now()))
        .taken;
}

/* Each kind of window, in mid-life and in a new shared-memory file: what the ledger says of it counts. */
static void
test_every_window_begins_with_what_it_used(void **state)
{
    static const char *const pers[] = {"rolling 30d", "year", "term"};
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    uint64_t work, used = 40;
    site_worker w;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 40));
    site_worker_close(&w);
    must(licet_recorder_round(recorder, site_now(), &work, &err));
    for (size_t i = 0; i < sizeof(pers) / sizeof(*pers); i++) {
        site_limit(&s, used + 30, pers[i]);
        apply_again(recorder, pers[i]);
        assert_int_equal(used_of(recorder), used);
        site_worker_join(&s, &w);
        assert_false(site_deliver(&s, &w, 31));
        assert_true(site_deliver(&s, &w, 30));
        used += 30;
        site_worker_close(&w);
        must(licet_recorder_round(recorder, site_now(), &work, &err));
        must(licet_recorder_close(recorder, site_now(), &err)); /* in order: its file goes */
        must(site_open(&s, true, &recorder, &err));
        assert_int_equal(used_of(recorder), used);
        site_worker_join(&s, &w);
        assert_false(site_deliver(&s, &w, 1));
        site_worker_close(&w);
    }
    must(licet_recorder_close(recorder, site_now(), &err));
    site_done(&s);
}

/* What was under way at once is in no ledger: it begins at nothing, and a death gives it back. */
static void
test_at_once_begins_at_nothing(void **state)
{
    licet_recorder *recorder = NULL;
    licet_slot *slot = NULL;
    licet_verdict verdict;
    licet_error err = {0};
    uint64_t work;
    site_worker w;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 40));
    site_worker_close(&w);
    must(licet_recorder_round(recorder, site_now(), &work, &err));
    site_limit_of(&s, "request", 1, "concurrent");
    apply_again(recorder, "at once");
    assert_int_equal(used_of(recorder), 0);
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 50));
    assert_true(site_deliver(&s, &w, 50));
    assert_int_equal(site_admit(&w, "n=50", "display", &slot, &verdict), LICET_ADMITTED);
    assert_int_equal(used_of(recorder), 1);
    assert_false(site_deliver(&s, &w, 1));
    site_worker_close(&w); /* the gate stops with it under way */
    must(licet_recorder_round(recorder, site_now(), &work, &err));
    assert_int_equal(used_of(recorder), 0);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_done(&s);
}

/* Applied without licetd, while workers go on by the shared memory that it left. */
static void
test_a_limit_applied_without_licetd_begins_so_too(void **state)
{
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    site_worker w;
    uint64_t work;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 70));
    must(licet_recorder_close(recorder, site_now(), &err));
    assert_true(site_deliver(&s, &w, 7));
    must(site_open(&s, false, &recorder, &err));
    site_limit(&s, 150, "30d");
    apply_again(recorder, "by 30 days");
    must(licet_recorder_close(recorder, site_now(), &err));
    must(site_open(&s, true, &recorder, &err));
    assert_int_equal(taken_of(recorder, 0), 70);
    must(licet_recorder_round(recorder, site_now(), &work, &err));
    assert_int_equal(taken_of(recorder, 0), 77);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_done(&s);
}

/* ---- exactly once ------------------------------------------------------------- */

static void
check_kept(const site *s, const site_ledger *l)
{
    uint64_t missing = 0;

    for (size_t i = 0; i < SITE_KEPT_MAX; i++) {
        missing += s->shared->kept[i] != 0 && l->seen[i] == 0 ? 1 : 0;
    }
    assert_int_equal(missing, 0);
    assert_int_equal(l->twice, 0);
}

/* Taken units of the cap once no worker is left, nothing is under way and the recount has been. */
static uint64_t
counter_when_quiet(const site *s)
{
    licet_counter_value value = {.held = 1};
    licet_gate *gate = NULL;
    licet_error err = {0};

    must(licet_gate_open(s->shm, &gate, &err));
    for (int i = 0; i < 500 && (value.held != 0 || licet_gate_owned(gate) != 0 || licet_gate_busy(gate)); i++) {
        site_rest(20);
        value = (licet_counter_value){0};
        for (uint32_t c = 0; c < licet_gate_counters(gate); c++) {
            licet_counter_value one = licet_gate_counter(gate, c);

            value.taken += one.taken;
            value.held += one.held;
        }
    }
    assert_int_equal(value.held, 0);
    assert_int_equal(licet_gate_owned(gate), 0);
    licet_gate_close(gate);
    return value.taken;
}

static void
test_kills_lose_and_double_nothing(void **state)
{
    site_ledger *l = ledger_new(true);
    pid_t recorder, workers[2];
    uint64_t taken;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    s.shared->slow = 1;
    print_message("# seed %u\n", s.seed);
    srandom(s.seed);
    recorder = site_recorder_start(&s);
    for (unsigned i = 0; i < 2; i++) {
        workers[i] = site_worker_start(&s, s.seed + i, false);
    }
    for (unsigned round = 0; round < KILLS; round++) {
        site_rest(20 + (unsigned)random() % 120);
        if (random() % 3 == 0) {
            unsigned i = (unsigned)random() % 2;

            site_kill(workers[i]);
            workers[i] = site_worker_start(&s, s.seed + 100 + round, false);
        } else {
            site_kill(recorder);
            site_rest((unsigned)random() % 30);
            recorder = site_recorder_start(&s);
        }
    }
    site_rest(200);
    s.shared->stop = 1;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(site_wait(workers[i]), 0);
    }
    taken = counter_when_quiet(&s);
    site_recorder_stop(&s, recorder);
    site_read(&s, l);
    print_message("# %llu settled, %llu receipts, %llu of dead workers, %llu refusals, %llu gaps\n",
                  (unsigned long long)s.shared->settled, (unsigned long long)l->receipts, (unsigned long long)l->died,
                  (unsigned long long)l->refusals, (unsigned long long)l->gaps);
    check_kept(&s, l);
    assert_true(s.shared->settled > 100);
    assert_true(l->refusals >= s.shared->refused);
    assert_int_equal(l->gaps, 0);
    assert_int_equal(taken, l->posts);     /* no reservation stays behind, none was given back twice */
    assert_true(access(s.shm, F_OK) != 0); /* ended in order: the file is gone */
    ledger_free(l);
    site_done(&s);
}

static void
test_a_cap_holds_through_kills(void **state)
{
    const uint64_t most = 20000;
    site_ledger *l = ledger_new(true);
    pid_t recorder, worker[2];
    site s;

    (void)state;
    site_init(&s, most);
    srandom(s.seed);
    recorder = site_recorder_start(&s);
    worker[0] = site_worker_start(&s, 1, false);
    worker[1] = site_worker_start(&s, 2, false);
    for (unsigned round = 0; round < 8; round++) {
        site_rest(20 + (unsigned)random() % 60);
        if (round % 2 == 0) {
            site_kill(recorder);
            recorder = site_recorder_start(&s);
        } else {
            site_kill(worker[0]);
            worker[0] = site_worker_start(&s, 3 + round, false);
        }
    }
    site_rest(1500);
    s.shared->stop = 1;
    site_wait(worker[0]);
    site_wait(worker[1]);
    site_recorder_stop(&s, recorder);
    site_read(&s, l);
    check_kept(&s, l);
    print_message("# %llu of %llu posts\n", (unsigned long long)l->posts, (unsigned long long)most);
    assert_true(l->posts <= most);
    assert_true(l->posts >= most - 200); /* what pages of up to 100 could not fill */
    ledger_free(l);
    site_done(&s);
}

/* ---- power loss ------------------------------------------------------------------ */

static const char *copy_from, *copy_to;

static int
copy_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    char to[512];
    licet_error err = {0};
    uint8_t *data = NULL;
    size_t len;

    (void)ftw;
    snprintf(to, sizeof(to), "%s%s", copy_to, path + strlen(copy_from));
    if (flag == FTW_D) {
        return mkdir(to, 0700) != 0 && errno != EEXIST;
    }
    if (!S_ISREG(st->st_mode)) {
        return 0;
    }
    must(licet_file_read(path, (size_t)1 << 30, &data, &len, &err));
    must(licet_file_replace(to, licet_bytes_of(data, len), 0600, &err));
    free(data);
    return 0;
}

static void
copy_site(const site *from, site *to, unsigned number)
{
    *to = *from;
    snprintf(to->dir, sizeof(to->dir), "%.100s-%u", from->dir, number);
    snprintf(to->shm, sizeof(to->shm), "%.100s-%u", from->shm, number);
    copy_from = from->dir;
    copy_to = to->dir;
    assert_int_equal(nftw(from->dir, copy_one, 16, FTW_PHYS), 0);
    site_config(to);
}

static char last_segment[512];

static int
find_segment(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (flag == FTW_F && strstr(path, ".jnl") != NULL && strcmp(path, last_segment) > 0) {
        snprintf(last_segment, sizeof(last_segment), "%s", path);
    }
    return 0;
}

/* A recorder started on a copy whose journal was cut: what is missing lies in the gap, the counter was charged. */
static void
check_cut(const site *from, unsigned number, off_t cut, uint64_t delivered, uint64_t most, uint64_t stopped_ms)
{
    site_ledger *l = ledger_new(false);
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    const licet_image *image;
    licet_counter_value value;
    struct stat st;
    char path[512];
    site copy;

    copy_site(from, &copy, number);
    last_segment[0] = '\0';
    snprintf(path, sizeof(path), "%s/data/journal", copy.dir);
    assert_int_equal(nftw(path, find_segment, 16, FTW_PHYS), 0);
    assert_int_equal(stat(last_segment, &st), 0);
    assert_int_equal(truncate(last_segment, st.st_size > cut ? st.st_size - cut : 0), 0);
    if (number % 2 == 1) { /* somebody applies before licetd runs again: the gap begins before that all the same */
        must(site_open(&copy, false, &recorder, &err));
        must(licet_recorder_close(recorder, site_now(), &err));
    }
    must(site_open(&copy, true, &recorder, &err));
    must(licet_recorder_sync(recorder, site_now(), &err));
    site_read(&copy, l);
    image = licet_store_image_of(licet_recorder_store(recorder), SITE_AGREEMENT);
    assert_non_null(image);
    value = licet_gate_counter(licet_recorder_gate(recorder), licet_image_counter(image, &image->limits[0], 0));
    print_message("# cut %lld: delivered %llu, known %llu, gap %llu, counter %llu\n", (long long)cut,
                  (unsigned long long)delivered, (unsigned long long)l->posts, (unsigned long long)l->gap_posts,
                  (unsigned long long)value.taken);
    assert_int_equal(l->gaps, 1);
    assert_true(l->gap_from_ms <= stopped_ms);
    assert_true(l->posts <= delivered);
    assert_true(l->posts + l->gap_posts >= delivered);
    assert_true(value.taken >= delivered);
    assert_true(value.taken <= most);
    must(licet_recorder_close(recorder, site_now(), &err));
    ledger_free(l);
    unlink(copy.shm);
    site_remove(copy.dir);
}

static void
test_power_loss_is_a_gap_with_its_bound(void **state)
{
    static const off_t cuts[] = {0, 1, 7, 40, 64, 100, 333, 1000, 2500, 4096, 10000, 30000};
    const uint64_t most = 30000000;
    pid_t recorder, worker;
    uint64_t delivered, stopped_ms;
    site s;

    (void)state;
    site_init(&s, most);
    recorder = site_recorder_start(&s);
    worker = site_worker_start(&s, 5, false);
    site_rest(2300);
    kill(recorder, SIGSTOP);
    stopped_ms = site_now();
    site_rest(100);
    s.shared->stop = 1;
    assert_int_equal(site_wait(worker), 0);
    delivered = s.shared->delivered;
    assert_true(delivered > 0);
    for (unsigned i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        check_cut(&s, i, cuts[i], delivered, most, stopped_ms);
    }
    kill(recorder, SIGCONT);
    site_recorder_stop(&s, recorder);
    site_done(&s);
}

/* ---- a replaced file ------------------------------------------------------------------ */

static void
test_a_replaced_file_is_drained(void **state)
{
    site_ledger *l = ledger_new(true);
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    licet_settlement settlement = site_settlement(7);
    licet_slot *slot = NULL;
    licet_verdict verdict;
    licet_counter_value value;
    const licet_image *image;
    site_worker before, after;
    char old[300], text[600];
    uint64_t work;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &before);
    assert_true(site_deliver(&s, &before, 5));
    assert_int_equal(site_admit(&before, "n=10", "display", &slot, &verdict), LICET_ADMITTED);
    must(licet_recorder_close(recorder, site_now(), &err)); /* a worker is left: the file stays */
    assert_int_equal(access(s.shm, F_OK), 0);
    snprintf(text, sizeof(text),
             "site: t\nparty: licensor\ngate: 1\nflow: acquired\nupstream: http://127.0.0.1:9\n"
             "listen: 127.0.0.1:9\nkey: data/key\nshared_memory: %s\nworkers: 4\nslots: 64\n",
             s.shm);
    site_write(&s, "licet.yaml", text);
    must(site_open(&s, true, &recorder, &err));
    assert_true(licet_gate_replaced(before.gate));
    snprintf(old, sizeof(old), "%s.1", s.shm);
    assert_int_equal(access(old, F_OK), 0);
    site_worker_join(&s, &after);
    assert_true(site_deliver(&s, &after, 11));
    licet_slot_settle(before.worker, slot, &settlement); /* old slots finish in the old file */
    site_worker_close(&before);
    for (int i = 0; i < 3; i++) {
        must(licet_recorder_round(recorder, site_now() + 2000 * (uint64_t)i, &work, &err));
    }
    assert_int_not_equal(access(old, F_OK), 0);
    image = licet_store_image_of(licet_recorder_store(recorder), SITE_AGREEMENT);
    value = licet_gate_counter(licet_recorder_gate(recorder), licet_image_counter(image, &image->limits[0], 0));
    assert_true(value.taken >= 5 + 7 + 11);
    site_worker_close(&after);
    must(licet_recorder_close(recorder, site_now() + 6000, &err));
    site_read(&s, l);
    assert_int_equal(l->receipts, 3);
    assert_int_equal(l->posts, 5 + 7 + 11);
    assert_int_equal(l->gaps, 0);
    ledger_free(l);
    site_done(&s);
}

/* ---- a full disk ---------------------------------------------------------------------- */

static void
limit_files(rlim_t most)
{
    struct rlimit limit = {.rlim_cur = most, .rlim_max = RLIM_INFINITY};

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
test_a_full_disk_stops_lending_and_mends(void **state)
{
    site_ledger *l = ledger_new(true);
    licet_recorder_status status;
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    site_worker w;
    uint64_t work, before;
    site s;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 3));
    must(licet_recorder_round(recorder, site_now(), &work, &err));
    assert_int_equal(work, 1);
    limit_files(1);
    assert_true(site_deliver(&s, &w, 5));
    assert_false(licet_recorder_round(recorder, site_now(), &work, &err));
    licet_recorder_status_get(recorder, &status);
    assert_true(status.stalled);
    for (before = 0; site_deliver(&s, &w, 100) && before < 100000; before++) {
        must(licet_recorder_round(recorder, site_now(), &work, &err));
    }
    assert_true(before < 100000); /* it ran dry */
    limit_files(RLIM_INFINITY);
    must(licet_recorder_sync(recorder, site_now(), &err));
    licet_recorder_status_get(recorder, &status);
    assert_false(status.stalled);
    must(licet_recorder_round(recorder, site_now() + 100, &work, &err));
    assert_true(site_deliver(&s, &w, 100));
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_read(&s, l);
    check_kept(&s, l);
    assert_int_equal(l->receipts, s.shared->settled);
    ledger_free(l);
    site_done(&s);
}

/* ---- a hostile worker ------------------------------------------------------------------- */

static void
test_rows_that_make_no_sense_are_kept_as_unmetered(void **state)
{
    site_ledger *l = ledger_new(false);
    licet_recorder_status status;
    licet_recorder *recorder = NULL;
    licet_settlement settlement = site_settlement(3);
    licet_error err = {0};
    licet_slot *slot = NULL;
    licet_shortage shortage;
    licet_verdict verdict;
    licet_facts facts = site_facts("n=3", "display");
    site_worker w;
    uint64_t work;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    licet_decide(&w.image, &facts, &verdict);
    verdict.endpoint = 77777;
    assert_int_equal(licet_worker_admit(w.worker, &w.image, &facts, &verdict, 0, site_now(), &slot, &shortage, NULL),
                     LICET_ADMITTED);
    licet_slot_settle(w.worker, slot, &settlement);
    must(licet_recorder_round(recorder, site_now(), &work, &err));
    licet_recorder_status_get(recorder, &status);
    assert_int_equal(status.broken, 1);
    assert_true(site_deliver(&s, &w, 4));
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_read(&s, l);
    assert_int_equal(l->receipts, 2);
    assert_int_equal(l->unmetered, 1);
    assert_int_equal(l->posts, 4);
    ledger_free(l);
    site_done(&s);
}

static void
test_an_unmetered_response_stays_charged_with_its_reservation(void **state)
{
    site_ledger *l = ledger_new(false);
    licet_recorder *recorder = NULL;
    licet_settlement settlement = site_settlement(3);
    licet_error err = {0};
    licet_slot *slot = NULL;
    licet_verdict verdict;
    site_worker w;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_int_equal(site_admit(&w, "n=50", "display", &slot, &verdict), LICET_ADMITTED);
    settlement.unmetered = LICET_UNMETERED_INCOMPLETE;
    licet_slot_settle(w.worker, slot, &settlement);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_read(&s, l);
    assert_int_equal(l->posts, 3);
    assert_int_equal(l->held_posts, 50);
    assert_int_equal(l->unmetered, 1);
    ledger_free(l);
    site_done(&s);
}

static void
test_rebuild_gives_the_same_tables(void **state)
{
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    licet_buffer first, again;
    site_worker w;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    licet_buffer_init(&first, 1 << 24);
    licet_buffer_init(&again, 1 << 24);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    for (unsigned i = 1; i < 50; i++) {
        assert_true(site_deliver(&s, &w, i));
        site_refuse(&s, &w);
    }
    site_worker_close(&w);
    must(licet_recorder_sync(recorder, site_now(), &err));
    must(licet_usage_dump(licet_recorder_usage(recorder), &first, &err));
    must(licet_recorder_rebuild(recorder, &err));
    must(licet_usage_dump(licet_recorder_usage(recorder), &again, &err));
    assert_true(first.len > 0);
    assert_true(licet_bytes_equal(licet_buffer_view(&first), licet_buffer_view(&again)));
    must(licet_recorder_close(recorder, site_now(), &err));
    licet_buffer_done(&first);
    licet_buffer_done(&again);
    site_done(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_start_records_the_agreement),
        cmocka_unit_test(test_apply_records_what_changed_and_why),
        cmocka_unit_test(test_changes_are_recorded_once),
        cmocka_unit_test(test_mistakes_record_nothing),
        cmocka_unit_test(test_lock_names_its_holder),
        cmocka_unit_test(test_a_new_limit_begins_with_what_its_window_used),
        cmocka_unit_test(test_every_window_begins_with_what_it_used),
        cmocka_unit_test(test_at_once_begins_at_nothing),
        cmocka_unit_test(test_a_limit_applied_without_licetd_begins_so_too),
        cmocka_unit_test(test_rows_that_make_no_sense_are_kept_as_unmetered),
        cmocka_unit_test(test_an_unmetered_response_stays_charged_with_its_reservation),
        cmocka_unit_test(test_rebuild_gives_the_same_tables),
        cmocka_unit_test(test_a_replaced_file_is_drained),
        cmocka_unit_test(test_a_full_disk_stops_lending_and_mends),
        cmocka_unit_test(test_kills_lose_and_double_nothing),
        cmocka_unit_test(test_a_cap_holds_through_kills),
        cmocka_unit_test(test_power_loss_is_a_gap_with_its_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
