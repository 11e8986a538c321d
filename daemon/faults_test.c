/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder when what it stands on fails: a death in the middle of a
 * replacement, a full tmpfs, a signer that hangs, a clock set back, a lost
 * checkpoint, shared memory that lies.
 */
#include "licet/lease.h"
#include "rooms.h"
#include "site_test.h"

#include "../lib/quota/layout.h"

#include <sys/resource.h>

static const uint32_t CELL = 1, POST = 2;

static void
config_slots(const site *s, unsigned workers, unsigned slots)
{
    char text[600];

    snprintf(text, sizeof(text),
             "site: t\nparty: licensor\ngate: 1\nflow: acquired\nupstream: http://127.0.0.1:9\n"
             "listen: 127.0.0.1:9\nkey: data/key\nshared_memory: %s\nworkers: %u\nslots: %u\n",
             s->shm, workers, slots);
    site_write(s, "licet.yaml", text);
}

static void
limit_files(rlim_t most)
{
    struct rlimit limit = {.rlim_cur = most, .rlim_max = RLIM_INFINITY};

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
rounds(licet_recorder *recorder, unsigned n)
{
    licet_error err = {0};
    uint64_t work;

    for (unsigned i = 0; i < n; i++) {
        must(licet_recorder_round(recorder, site_now() + 2000 * (uint64_t)i, &work, &err));
    }
}

static uint64_t
cap_taken(licet_recorder *recorder)
{
    const licet_image *image = licet_store_image_of(licet_recorder_store(recorder), SITE_AGREEMENT);

    assert_non_null(image);
    return licet_gate_counter(licet_recorder_gate(recorder), licet_image_counter(image, &image->limits[0], 0)).taken;
}

/* ---- a replaced file ------------------------------------------------------------ */

static bool
on_post(void *user, const licet_lease_grant *grant)
{
    if (grant->cell == CELL && strcmp(grant->kind, "post") == 0) {
        *(uint64_t *)user = grant->granted;
    }
    return true;
}

/* What the lease store would let a gap record say of posts. */
static uint64_t
bound_of(const site *s)
{
    licet_lease_store *store = NULL;
    licet_error err = {0};
    uint64_t granted = 0;
    uint32_t epoch;
    bool ended;
    char path[300];

    snprintf(path, sizeof(path), "%s/data/leases", s->dir);
    must(licet_lease_local_open(path, &store, &err));
    must(store->ops->each(store, &epoch, &ended, on_post, &granted, &err));
    store->ops->close(store);
    return granted;
}

static uint64_t
left_in(licet_gate *gate)
{
    licet_lease_value lease = licet_gate_lease(gate, CELL, POST);

    return lease.granted > lease.taken ? lease.granted - lease.taken : 0;
}

/* Nothing of the new epoch is recorded yet: the bound must hold what both files can still give, and what is under way
 * in the old one. */
static void
check_bound(const site *s, licet_recorder *recorder, licet_gate *old, uint64_t under_way)
{
    uint64_t lent = left_in(licet_recorder_gate(recorder)) + left_in(old) + under_way, bound = bound_of(s);

    print_message("# bound %llu, lent %llu\n", (unsigned long long)bound, (unsigned long long)lent);
    assert_true(bound >= lent);
}

static void
test_a_replaced_file_lends_no_more_than_its_bound(void **state)
{
    licet_settlement settlement = site_settlement(7);
    licet_recorder *recorder = NULL;
    licet_slot *slot = NULL;
    licet_error err = {0};
    licet_verdict verdict;
    site_worker before;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &before);
    assert_true(site_deliver(&s, &before, 5));
    assert_int_equal(site_admit(&before, "n=10", "display", &slot, &verdict), LICET_ADMITTED);
    must(licet_recorder_close(recorder, site_now(), &err));
    config_slots(&s, 4, 64);
    must(site_open(&s, true, &recorder, &err));
    assert_true(licet_gate_replaced(before.gate));
    assert_true(left_in(licet_recorder_gate(recorder)) > 0);
    check_bound(&s, recorder, before.gate, 10);
    licet_slot_settle(before.worker, slot, &settlement);
    site_worker_close(&before);
    rounds(recorder, 3);
    must(licet_recorder_close(recorder, site_now() + 6000, &err));
    site_done(&s);
}

/* One buffer can bring more units than a step has. A response under way in a replaced file gets them as one in the file
 * in force does, and is not cut. */
static void
test_a_replaced_file_lends_more_than_a_step(void **state)
{
    licet_settlement settlement = site_settlement(7);
    licet_recorder *recorder = NULL;
    licet_slot *slot = NULL;
    licet_error err = {0};
    licet_verdict verdict;
    site_worker before;
    uint64_t more, work;
    unsigned tries = 0;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &before);
    assert_int_equal(site_admit(&before, "n=10", "display", &slot, &verdict), LICET_ADMITTED);
    must(licet_recorder_close(recorder, site_now(), &err));
    config_slots(&s, 4, 64);
    must(site_open(&s, true, &recorder, &err));
    more = 10 + 3 * (left_in(before.gate) + left_in(licet_recorder_gate(recorder)));
    while (!licet_slot_overrun(before.worker, slot, POST, more) && tries++ < 20) {
        must(licet_recorder_round(recorder, site_now() + 2000 * (uint64_t)tries, &work, &err));
    }
    print_message("# %llu units lent on after %u rounds\n", (unsigned long long)more, tries);
    assert_true(tries > 0 && tries < 20);
    check_bound(&s, recorder, before.gate, more);
    licet_slot_settle(before.worker, slot, &settlement);
    site_worker_close(&before);
    rounds(recorder, 3);
    must(licet_recorder_close(recorder, site_now() + 60000, &err));
    site_done(&s);
}

/* A replaced file admits nothing more; what responses under way in it take is taken from the same limit. */
static void
test_what_is_taken_in_a_replaced_file_counts(void **state)
{
    licet_recorder *recorder = NULL;
    licet_slot *slot = NULL, *refused = NULL;
    licet_error err = {0};
    licet_verdict verdict;
    licet_settlement settlement = site_settlement(1);
    site_worker before, after;
    uint64_t work;
    site s;

    (void)state;
    site_init(&s, 300);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &before);
    assert_true(site_deliver(&s, &before, 100));
    assert_int_equal(site_admit(&before, "n=100", "display", &slot, &verdict), LICET_ADMITTED);
    must(licet_recorder_close(recorder, site_now(), &err));
    config_slots(&s, 4, 64);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &after);
    assert_int_equal(cap_taken(recorder), 200);
    assert_int_equal(site_admit(&before, "n=1", "display", &refused, &verdict), LICET_LEASE_EMPTY);
    assert_true(licet_slot_top_up(before.worker, slot, POST, 200));
    must(licet_recorder_round(recorder, site_now() + 100, &work, &err));
    assert_int_equal(cap_taken(recorder), 300);
    assert_false(site_deliver(&s, &after, 100));
    licet_slot_settle(before.worker, slot, &settlement); /* 199 come back */
    must(licet_recorder_round(recorder, site_now() + 200, &work, &err));
    assert_int_equal(cap_taken(recorder), 101);
    assert_true(site_deliver(&s, &after, 199));
    site_worker_close(&before);
    site_worker_close(&after);
    rounds(recorder, 3);
    assert_int_equal(cap_taken(recorder), 300);
    must(licet_recorder_close(recorder, site_now() + 6000, &err));
    site_done(&s);
}

/* How far a replacement had come when licetd died. */
enum { LINKED, EPOCH_BEGUN, FILE_MADE };

static void
half_replace(const site *s, licet_gate *old, int how_far)
{
    licet_lease_store *store = NULL;
    licet_gate_options options;
    licet_gate *made = NULL;
    licet_error err = {0};
    char path[300], name[300];

    snprintf(name, sizeof(name), "%s.1", s->shm);
    assert_int_equal(link(s->shm, name), 0);
    if (how_far == LINKED) {
        return;
    }
    site_write(s, "data/epoch", "2\n");
    snprintf(path, sizeof(path), "%s/data/leases", s->dir);
    must(licet_lease_local_open(path, &store, &err));
    must(store->ops->begin(store, 2, &err));
    store->ops->close(store);
    if (how_far == FILE_MADE) {
        licet_gate_options_of(old, &options);
        options.epoch = 2;
        options.mode = 0660;
        options.gid = -1;
        must(licet_gate_create(s->shm, &options, &made, &err));
        licet_gate_close(made);
    }
}

static void
check_half_replaced(int how_far)
{
    site_ledger *l = calloc(1, sizeof(*l));
    licet_settlement settlement = site_settlement(90);
    licet_recorder *recorder = NULL;
    licet_slot *slot = NULL;
    licet_error err = {0};
    licet_verdict verdict;
    site_worker before;
    site s;

    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &before);
    assert_true(site_deliver(&s, &before, 5));
    must(licet_recorder_close(recorder, site_now(), &err));
    assert_true(site_deliver(&s, &before, 7)); /* in the ring */
    assert_int_equal(site_admit(&before, "n=100", "display", &slot, &verdict), LICET_ADMITTED);
    half_replace(&s, before.gate, how_far);
    must(site_open(&s, true, &recorder, &err));
    assert_true(cap_taken(recorder) >= 5 + 7 + 100);
    if (how_far != LINKED) {
        check_bound(&s, recorder, before.gate, 7 + 100);
    }
    licet_slot_settle(before.worker, slot, &settlement);
    site_worker_close(&before);
    rounds(recorder, 3);
    assert_true(cap_taken(recorder) >= 5 + 7 + 90);
    must(licet_recorder_close(recorder, site_now() + 6000, &err));
    site_read(&s, l);
    assert_int_equal(l->receipts, 3);
    assert_int_equal(l->posts, 5 + 7 + 90);
    assert_int_equal(l->gaps, 0);
    free(l);
    site_done(&s);
}

static void
test_a_death_behind_the_second_name(void **state)
{
    (void)state;
    check_half_replaced(LINKED);
}

static void
test_a_death_before_the_new_file(void **state)
{
    (void)state;
    check_half_replaced(EPOCH_BEGUN);
}

static void
test_a_death_behind_the_new_file(void **state)
{
    (void)state;
    check_half_replaced(FILE_MADE);
}

/* Enough apps with a limit each that the file in force has too few counters. */
static void
many_apps(const site *s)
{
    licet_buffer text;

    licet_buffer_init(&text, 1 << 22);
    licet_put_format(&text, "apps:\n");
    for (unsigned i = 0; i < 5000; i++) {
        licet_put_format(&text,
                         "  a%u:\n    products: [P]\n    environment: prod\n    default_use_case: UC-1\n"
                         "    credentials: []\n",
                         i);
    }
    licet_put_format(&text, "use_cases:\n  UC-1:\n    product: P\n    purpose: display\n    recipient: public\n"
                            "    approved: { by: J. Roe, role: licensing, from: 2020-01-01 }\n");
    assert_true(licet_put_u8(&text, 0));
    site_write(s, "agreements/" SITE_AGREEMENT "/apps.yaml", (const char *)text.data);
    licet_buffer_done(&text);
}

static void
limit_over_app(const site *s)
{
    char path[300];
    uint8_t *text = NULL;
    size_t len;
    licet_buffer out;
    licet_error err = {0};
    const char *at;

    snprintf(path, sizeof(path), "%s/agreements/" SITE_AGREEMENT "/2020-01-01.yaml", s->dir);
    must(licet_file_read(path, 1 << 20, &text, &len, &err));
    licet_buffer_init(&out, 1 << 20);
    at = memmem(text, len, "over: licensee", 14);
    assert_non_null(at);
    licet_put_format(&out, "%.*sover: app%.*s", (int)(at - (const char *)text), (const char *)text,
                     (int)(len - (size_t)(at - (const char *)text) - 14), at + 14);
    assert_true(licet_put_u8(&out, 0));
    site_write(s, "agreements/" SITE_AGREEMENT "/2020-01-01.yaml", (const char *)out.data);
    licet_buffer_done(&out);
    free(text);
}

#define GATES 5
#define AREAS 256u

static bool
told(const licet_recorder *r, uint32_t epoch, uint16_t area, uint64_t ring)
{
    for (size_t i = 0; i < r->positions_len; i++) {
        if (r->positions[i].epoch == epoch && r->positions[i].area == area) {
            return r->positions[i].ring == ring;
        }
    }
    return false;
}

/* More areas, over all files, than a commit record has room for: those that the batch moves come first, and a batch
 * that moves too many is refused instead of forgetting one. */
static void
test_more_areas_than_a_record_tells(void **state)
{
    licet_recorder *r = calloc(1, sizeof(*r));
    recorder_gate gates[GATES] = {{0}};
    licet_error err = {0};

    (void)state;
    for (uint32_t g = 0; g < GATES; g++) {
        gates[g] = (recorder_gate){.epoch = g + 1, .areas_len = AREAS};
        gates[g].areas = calloc(AREAS, sizeof(*gates[g].areas));
        for (uint32_t a = 0; a < AREAS; a++) {
            gates[g].areas[a] = (recorder_area){.ring = 5, .ring_staged = 5};
        }
    }
    r->gate = &gates[GATES - 1];
    for (uint32_t g = 0; g + 1 < GATES; g++) {
        r->old[r->old_len++] = &gates[g];
    }
    for (uint32_t a = 0; a < 200; a++) {
        gates[3].areas[a].ring_staged = 6;
        gates[2].areas[AREAS - 1 - a].ring_staged = 7;
    }
    must(recorder_positions_collect(r, &err));
    assert_int_equal(r->positions_len, LICET_JOURNAL_POSITIONS_MAX);
    for (uint32_t a = 0; a < 200; a++) {
        assert_true(told(r, 4, (uint16_t)a, 6));
        assert_true(told(r, 3, (uint16_t)(AREAS - 1 - a), 7));
    }
    for (uint32_t a = 0; a < AREAS; a++) {
        gates[1].areas[a].ring_staged = 8;
    }
    assert_false(recorder_positions_collect(r, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    for (uint32_t g = 0; g < GATES; g++) {
        free(gates[g].areas);
    }
    free(r);
}

static const licet_recorder_request other_apps = {.reason = "other apps", .permit = {.remove = true}};

static void
test_no_room_for_a_larger_file(void **state)
{
    licet_recorder *recorder = NULL;
    licet_recorder_status status;
    licet_mistakes mistakes = {0};
    licet_error err = {0};
    site_worker w;
    uint64_t work;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    many_apps(&s);
    limit_over_app(&s);
    limit_files((rlim_t)12 << 20);
    assert_false(licet_recorder_apply_as(recorder, &other_apps, site_now(), &mistakes, NULL, &err));
    print_message("# %s\n", err.text);
    assert_int_equal(mistakes.len, 0);
    limit_files(RLIM_INFINITY);
    assert_false(licet_gate_replaced(w.gate));
    for (unsigned i = 0; i < 1000; i++) { /* more than was lent: the file in force goes on */
        assert_true(site_deliver(&s, &w, 100));
        must(licet_recorder_round(recorder, site_now(), &work, &err));
    }
    licet_recorder_status_get(recorder, &status);
    assert_false(status.stalled);
    must(licet_recorder_apply_as(recorder, &other_apps, site_now(), &mistakes, NULL, &err));
    assert_true(licet_gate_replaced(w.gate));
    assert_true(licet_gate_generation(licet_recorder_gate(recorder)) > 0);
    site_worker_close(&w);
    rounds(recorder, 3);
    must(licet_recorder_close(recorder, site_now() + 6000, &err));
    site_done(&s);
}

/* ---- the signer -------------------------------------------------------------------- */

static pid_t
child_of_this(void)
{
    char path[64], text[64] = {0};
    FILE *f;

    snprintf(path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
    f = fopen(path, "re");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    return (pid_t)strtol(text, NULL, 10);
}

static uint64_t
checkpoint_size(const site *s)
{
    licet_checkpoint checkpoint;
    licet_error err = {0};
    uint8_t *text = NULL;
    char path[300];
    size_t len;

    snprintf(path, sizeof(path), "%s/data/ledger/" SITE_AGREEMENT "/checkpoint", s->dir);
    must(licet_file_read(path, 65536, &text, &len, &err));
    must(licet_checkpoint_open(licet_bytes_of(text, len), &s->key, 1, &checkpoint, &err));
    free(text);
    return checkpoint.size;
}

static void
test_a_signer_that_dies_is_started_again(void **state)
{
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    site_worker w;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 5));
    kill(child_of_this(), SIGKILL);
    site_rest(20);
    must(licet_recorder_sync(recorder, site_now(), &err));
    assert_int_equal(checkpoint_size(&s), licet_ledger_size(licet_recorder_ledger(recorder, SITE_AGREEMENT)));
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_done(&s);
}

/* A late answer belongs to an earlier question: it must never become another ledger's checkpoint. */
static void
test_a_signer_that_hangs_is_not_believed_late(void **state)
{
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    site_worker w;
    pid_t signer;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 5));
    licet_worker_unidentified(w.worker, LICET_REASON_CREDENTIAL_UNKNOWN);
    signer = child_of_this();
    kill(signer, SIGSTOP);
    (void)licet_recorder_sync(recorder, site_now(), &err); /* ten seconds of patience */
    kill(signer, SIGCONT);
    site_rest(100);
    assert_true(site_deliver(&s, &w, 5));
    licet_worker_unidentified(w.worker, LICET_REASON_CREDENTIAL_UNKNOWN);
    must(licet_recorder_sync(recorder, site_now(), &err));
    assert_int_equal(checkpoint_size(&s), licet_ledger_size(licet_recorder_ledger(recorder, SITE_AGREEMENT)));
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_done(&s);
}

/* licetd died behind the signer's record and before the ledger's checkpoint. */
static void
test_a_checkpoint_that_lags_is_signed_again(void **state)
{
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    uint8_t *before = NULL;
    site_worker w;
    char path[300];
    size_t len;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    snprintf(path, sizeof(path), "%s/data/ledger/" SITE_AGREEMENT "/checkpoint", s.dir);
    must(licet_recorder_sync(recorder, site_now(), &err));
    must(licet_file_read(path, 65536, &before, &len, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 5));
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    must(licet_file_replace(path, licet_bytes_of(before, len), 0644, &err));
    must(site_open(&s, false, &recorder, &err));
    assert_int_equal(checkpoint_size(&s), licet_ledger_size(licet_recorder_ledger(recorder, SITE_AGREEMENT)));
    must(licet_recorder_close(recorder, site_now(), &err));
    free(before);
    site_done(&s);
}

/* ---- the tables ----------------------------------------------------------------------- */

static void
test_tables_that_could_not_be_rebuilt_are_made_later(void **state)
{
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    licet_buffer dump;
    site_worker w;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    licet_buffer_init(&dump, 1 << 20);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 5));
    must(licet_recorder_sync(recorder, site_now(), &err));
    limit_files(1);
    assert_false(licet_recorder_rebuild(recorder, &err));
    limit_files(RLIM_INFINITY);
    assert_true(site_deliver(&s, &w, 5));
    must(licet_recorder_sync(recorder, site_now(), &err));
    must(licet_usage_dump(licet_recorder_usage(recorder), &dump, &err));
    assert_true(dump.len > 0);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    licet_buffer_done(&dump);
    site_done(&s);
}

static void
test_spoiled_tables_stop_nothing(void **state)
{
    licet_recorder *recorder = NULL;
    licet_buffer dump, again;
    licet_error err = {0};
    char path[256];
    site_worker w;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    licet_buffer_init(&dump, 1 << 20);
    licet_buffer_init(&again, 1 << 20);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 5));
    must(licet_recorder_close(recorder, site_now(), &err));
    assert_true(snprintf(path, sizeof(path), "%s/data/usage.db", s.dir) < (int)sizeof(path));
    must(licet_file_replace(path, LICET_BYTES_LITERAL("this is no database, and longer than its header would be"), 0640,
                            &err));
    must(site_open(&s, true, &recorder, &err));
    assert_true(site_deliver(&s, &w, 5));
    must(licet_recorder_sync(recorder, site_now(), &err));
    must(licet_usage_dump(licet_recorder_usage(recorder), &dump, &err));
    must(licet_recorder_rebuild(recorder, &err));
    must(licet_usage_dump(licet_recorder_usage(recorder), &again, &err));
    assert_true(dump.len > 0 && licet_bytes_equal(licet_buffer_view(&dump), licet_buffer_view(&again)));
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    licet_buffer_done(&dump);
    licet_buffer_done(&again);
    site_done(&s);
}

/* ---- the clock ----------------------------------------------------------------------- */

static void
test_a_clock_set_back_does_not_keep_it_stalled(void **state)
{
    licet_recorder *recorder = NULL;
    licet_recorder_status status;
    licet_error err = {0};
    site_worker w;
    uint64_t work, now = site_now();
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 5));
    limit_files(1);
    assert_false(licet_recorder_round(recorder, now, &work, &err));
    limit_files(RLIM_INFINITY);
    for (unsigned i = 0; i < 3; i++) {
        must(licet_recorder_round(recorder, now - 3600000 + 1000 * (uint64_t)i, &work, &err));
    }
    licet_recorder_status_get(recorder, &status);
    assert_false(status.stalled);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_done(&s);
}

/* ---- shared memory --------------------------------------------------------------------- */

/* A head and a tail that agree with each other and not with what licetd drained. */
static void
test_a_head_out_of_reach_makes_no_receipts(void **state)
{
    licet_recorder *recorder = NULL;
    licet_recorder_status status;
    licet_error err = {0};
    gate_header *header;
    gate_area *area;
    site_worker w;
    uint64_t work, all = 0;
    struct stat st;
    int fd;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 5));
    must(licet_recorder_round(recorder, site_now(), &work, &err));
    fd = open(s.shm, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    header = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(header, MAP_FAILED);
    area = (gate_area *)(void *)((char *)header + header->areas_at + licet_worker_area(w.worker) * header->area_size);
    area->tail = UINT64_C(1) << 50;
    area->head = area->tail + 3;
    for (unsigned i = 0; i < 5; i++) {
        must(licet_recorder_round(recorder, site_now(), &work, &err));
        all += work;
    }
    print_message("# %llu made up\n", (unsigned long long)all);
    assert_true(all <= header->ring);
    licet_recorder_status_get(recorder, &status);
    assert_true(status.broken > 0);
    munmap(header, (size_t)st.st_size);
    close(fd);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_done(&s);
}

static gate_header *
map_gate(const site *s, size_t *out_len)
{
    int fd = open(s->shm, O_RDWR | O_CLOEXEC);
    gate_header *header;
    struct stat st;

    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    header = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(header, MAP_FAILED);
    close(fd);
    *out_len = (size_t)st.st_size;
    return header;
}

/* Somebody grants for ever, takes more than there is, and writes over the stamp: licetd knows what it wrote. */
static void
test_what_licetd_alone_writes_is_put_right(void **state)
{
    licet_recorder *recorder = NULL;
    uint64_t work, now = site_now(), granted;
    licet_gate *gate = NULL;
    licet_error err = {0};
    gate_header *header;
    gate_cell *cell;
    site_worker w;
    size_t len;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_true(site_deliver(&s, &w, 5));
    must(licet_recorder_round(recorder, now, &work, &err));
    header = map_gate(&s, &len);
    cell = (gate_cell *)(void *)((char *)header + header->cells_at) + CELL;
    granted = cell->granted[POST];
    cell->granted[POST] = UINT64_MAX;
    header->sha256[0] ^= 0xff;
    header->generation = 77;
    must(licet_recorder_round(recorder, now + 2000, &work, &err));
    assert_true(cell->granted[POST] >= granted && cell->granted[POST] < granted * 4);
    cell->taken[POST] = UINT64_C(1) << 62;
    must(licet_recorder_round(recorder, now + 4000, &work, &err));
    assert_true(cell->taken[POST] <= cell->granted[POST] && cell->granted[POST] < granted * 8);
    assert_int_not_equal(header->generation, 77);
    must(licet_gate_open(s.shm, &gate, &err)); /* its stamp is in order */
    licet_gate_close(gate);
    if (!site_deliver(&s, &w, 5)) { /* the lease is dry after that: it asks for more and gets it */
        must(licet_recorder_round(recorder, now + 4100, &work, &err));
        assert_true(site_deliver(&s, &w, 5));
    }
    munmap(header, len);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, now + 5000, &err));
    site_done(&s);
}

/* Head and tail set back, the owner wiped out: the area is free for another worker once this one is gone, and of that
 * one nothing is lost. */
static void
test_a_head_set_back_keeps_no_area(void **state)
{
    licet_recorder *recorder = NULL;
    uint64_t work, now = site_now(), before;
    licet_error err = {0};
    gate_header *header;
    gate_area *area;
    site_worker w;
    size_t len;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    header = map_gate(&s, &len);
    for (int way = 0; way < 3; way++) {
        site_worker_join(&s, &w);
        for (int i = 0; i < 6; i++) {
            assert_true(site_deliver(&s, &w, 5));
        }
        must(licet_recorder_round(recorder, now += 100, &work, &err));
        assert_int_equal(work, 6);
        area =
            (gate_area *)(void *)((char *)header + header->areas_at + licet_worker_area(w.worker) * header->area_size);
        assert_int_equal(licet_worker_area(w.worker), 0);
        site_worker_close(&w);
        area->owner = 4711; /* a death */
        area->head -= 2;
        area->tail -= way == 0 ? 0 : (way == 1 ? 2 : 5);
        for (int i = 0; i < 4; i++) {
            must(licet_recorder_round(recorder, now += 100, &work, &err));
        }
        assert_int_equal(area->owner, 0);
    }
    must(licet_recorder_sync(recorder, now, &err)); /* and no sync waits for what was set back */
    before = licet_ledger_size(licet_recorder_ledger(recorder, SITE_AGREEMENT));
    site_worker_join(&s, &w);
    for (int i = 0; i < 6; i++) {
        assert_true(site_deliver(&s, &w, 5));
    }
    must(licet_recorder_sync(recorder, now, &err));
    assert_int_equal(licet_ledger_size(licet_recorder_ledger(recorder, SITE_AGREEMENT)), before + 6);
    munmap(header, len);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, now, &err));
    site_done(&s);
}

/* No table could hold such counts, and an entry of a ledger stays for ever. */
static void
test_counts_out_of_reason_poison_no_ledger(void **state)
{
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    gate_header *header;
    gate_cell *cell;
    site_worker w;
    struct stat st;
    int fd;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    fd = open(s.shm, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    header = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(header, MAP_FAILED);
    cell = (gate_cell *)(void *)((char *)header + header->cells_at) + CELL;
    header->unidentified[LICET_REASON_NONE] = 1;
    header->unidentified[LICET_REASON_CREDENTIAL_UNKNOWN] = UINT64_MAX;
    cell->unrecorded = ~(gate_unrecorded)0;
    must(licet_recorder_sync(recorder, site_now(), &err));
    assert_true(cell->told_requests == UINT64_MAX && cell->told_units == UINT64_MAX);
    site_refuse(&s, &w); /* the limit is used up by such a bound */
    must(licet_recorder_sync(recorder, site_now(), &err));
    munmap(header, (size_t)st.st_size);
    close(fd);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_done(&s);
}

/* Known callers refused while nothing could be recorded are one record of their agreement, in the tables too. */
static bool
refused_is(void *user, uint8_t reason, uint64_t count, licet_error *err)
{
    (void)err;
    assert_int_equal(reason, LICET_REASON_CANNOT_RECORD);
    *(uint64_t *)user += count;
    return true;
}

static void
test_refusals_without_a_receipt_are_counted(void **state)
{
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    uint64_t size, work, count = 0, now = site_now() / 60000 * 60000 + 30000;
    site_worker w;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    must(licet_recorder_round(recorder, now, &work, &err));
    site_worker_join(&s, &w);
    size = licet_ledger_size(licet_recorder_ledger(recorder, SITE_AGREEMENT));
    for (int i = 0; i < 5; i++) {
        licet_worker_refused(w.worker, &w.image, LICET_REASON_CANNOT_RECORD);
    }
    must(licet_recorder_round(recorder, now + 2000, &work, &err)); /* the minute is not over */
    assert_int_equal(licet_ledger_size(licet_recorder_ledger(recorder, SITE_AGREEMENT)), size);
    must(licet_recorder_round(recorder, now + 31000, &work, &err));
    assert_int_equal(licet_ledger_size(licet_recorder_ledger(recorder, SITE_AGREEMENT)), size + 1);
    must(licet_recorder_sync(recorder, now + 32000, &err));
    must(licet_usage_refused(licet_recorder_usage(recorder), SITE_AGREEMENT, 0, now / 3600000 * 3600000 + 7200000,
                             refused_is, &count, &err));
    assert_int_equal(count, 5);
    assert_int_equal(licet_gate_refused(licet_recorder_gate(recorder), CELL, LICET_REASON_CANNOT_RECORD), 0);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, now + 33000, &err));
    site_done(&s);
}

/* A replaced file is removed when it is drained, and does not wait for the end of the minute that it counted in. */
static void
test_refusals_in_a_replaced_file_are_counted(void **state)
{
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    uint64_t work, count = 0, now = site_now() / 60000 * 60000 + 30000;
    site_worker w;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    must(licet_recorder_close(recorder, now, &err));
    config_slots(&s, 4, 64);
    must(site_open(&s, true, &recorder, &err));
    must(licet_recorder_round(recorder, now, &work, &err));
    assert_true(licet_gate_replaced(w.gate));
    for (int i = 0; i < 5; i++) {
        licet_worker_refused(w.worker, &w.image, LICET_REASON_CANNOT_RECORD);
    }
    site_worker_close(&w);
    for (uint64_t i = 1; i <= 5; i++) {
        must(licet_recorder_round(recorder, now + i * 2000, &work, &err));
    }
    must(licet_recorder_sync(recorder, now + 11000, &err));
    must(licet_usage_refused(licet_recorder_usage(recorder), SITE_AGREEMENT, 0, now / 3600000 * 3600000 + 7200000,
                             refused_is, &count, &err));
    assert_int_equal(count, 5);
    must(licet_recorder_close(recorder, now + 12000, &err));
    site_done(&s);
}

/* More ids than one batch of the journal holds. */
static void
test_a_large_ring_of_ids_is_drained(void **state)
{
    static uint8_t ids[255 * 256];
    licet_settlement settlement = site_settlement(7);
    licet_recorder *recorder = NULL;
    licet_slot *slot = NULL;
    licet_error err = {0};
    licet_verdict verdict;
    uint64_t work, most = UINT64_C(100) << 20;
    site_worker w;
    site s;

    (void)state;
    site_init(&s, SITE_MOST);
    config_slots(&s, 1, 65536);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    assert_int_equal(site_admit(&w, "n=10", "display", &slot, &verdict), LICET_ADMITTED);
    for (unsigned i = 0; i < 255; i++) {
        ids[i * 256] = 255;
    }
    for (uint64_t put = 0; put < most; put += sizeof(ids)) {
        assert_true(licet_slot_ids(w.worker, slot, POST, 255, licet_bytes_of(ids, sizeof(ids))));
    }
    licet_slot_settle(w.worker, slot, &settlement);
    must(licet_recorder_round(recorder, site_now(), &work, &err));
    assert_int_equal(work, 1);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    site_done(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_replaced_file_lends_no_more_than_its_bound),
        cmocka_unit_test(test_a_replaced_file_lends_more_than_a_step),
        cmocka_unit_test(test_what_is_taken_in_a_replaced_file_counts),
        cmocka_unit_test(test_a_death_behind_the_second_name),
        cmocka_unit_test(test_a_death_before_the_new_file),
        cmocka_unit_test(test_a_death_behind_the_new_file),
        cmocka_unit_test(test_more_areas_than_a_record_tells),
        cmocka_unit_test(test_no_room_for_a_larger_file),
        cmocka_unit_test(test_a_signer_that_dies_is_started_again),
        cmocka_unit_test(test_a_checkpoint_that_lags_is_signed_again),
        cmocka_unit_test(test_tables_that_could_not_be_rebuilt_are_made_later),
        cmocka_unit_test(test_spoiled_tables_stop_nothing),
        cmocka_unit_test(test_a_clock_set_back_does_not_keep_it_stalled),
        cmocka_unit_test(test_a_head_out_of_reach_makes_no_receipts),
        cmocka_unit_test(test_what_licetd_alone_writes_is_put_right),
        cmocka_unit_test(test_a_head_set_back_keeps_no_area),
        cmocka_unit_test(test_counts_out_of_reason_poison_no_ledger),
        cmocka_unit_test(test_refusals_without_a_receipt_are_counted),
        cmocka_unit_test(test_refusals_in_a_replaced_file_are_counted),
        cmocka_unit_test(test_a_large_ring_of_ids_is_drained),
        cmocka_unit_test(test_a_signer_that_hangs_is_not_believed_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
