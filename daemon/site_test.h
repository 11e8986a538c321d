/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Site under test: a folder with one small agreement, a recorder and workers
 * in processes of their own, and what the ledger says afterwards.
 */
#ifndef LICET_DAEMON_SITE_TEST_H
#define LICET_DAEMON_SITE_TEST_H

#include "licet/gate.h"
#include "recorder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants the headers above first. */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define SITE_AGREEMENT "A-1"
#define SITE_MOST 1000000000 /* posts a month, unless a test says otherwise */
#define SITE_KEPT_MAX (1u << 22)

/* What workers and test share: what was delivered whole, by sequence, and when to end. */
typedef struct site_shared {
    volatile int stop, stop_recorder, slow;
    volatile uint64_t settled, refused, waited;
    uint64_t delivered;              /* units, atomically */
    uint16_t kept[SITE_KEPT_MAX];    /* units + 1 of settled responses by sequence; 0: not settled */
    uint8_t epoch_of[SITE_KEPT_MAX]; /* low byte of the epoch */
} site_shared;

typedef struct site {
    char dir[128], shm[128];
    licet_verifier_key key;
    site_shared *shared;
    unsigned seed;
} site;

static inline uint64_t
site_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline void
site_rest(unsigned ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&span, NULL);
}

#define must(call)                                                                                                     \
    do {                                                                                                               \
        if (!(call)) {                                                                                                 \
            fail_msg("%s:%d: %s: %s", __FILE__, __LINE__, #call, err.text);                                            \
        }                                                                                                              \
    } while (0)

static inline void
site_write(const site *s, const char *path, const char *text)
{
    char whole[512];
    licet_error err;

    snprintf(whole, sizeof(whole), "%s/%s", s->dir, path);
    must(licet_file_replace(whole, licet_bytes_of_text(text), 0600, &err));
}

static inline void
site_folder(const site *s, const char *path)
{
    char whole[512];
    licet_error err;

    snprintf(whole, sizeof(whole), "%s/%s", s->dir, path);
    must(licet_dir_make(whole, 0700, &err));
}

static inline void
site_config(const site *s)
{
    char text[512];

    snprintf(text, sizeof(text),
             "site: t\nparty: licensor\ngate: 1\nflow: acquired\nupstream: http://127.0.0.1:9\n"
             "listen: 127.0.0.1:9\nkey: data/key\nshared_memory: %s\nworkers: 4\nslots: 16\n",
             s->shm);
    site_write(s, "licet.yaml", text);
}

static inline void
site_limit_of(const site *s, const char *unit, uint64_t most, const char *per)
{
    char text[2048];

    snprintf(text, sizeof(text),
             "agreement: " SITE_AGREEMENT "\n"
             "in_force: { from: 2020-01-01, then: continue }\n"
             "parties:\n  licensor: { legal_name: L, country: US }\n  licensee: { legal_name: M, country: US }\n"
             "catalogue: c@2020-01-01\n"
             "clauses:\n  CAP: { section: '1', says: A cap }\n  NO: { section: '2', says: No training }\n"
             "purposes: { allowed: [display], forbidden: { train-ai: NO }, not_named: record, not_declared: record }\n"
             "limits:\n  - { clause: CAP, unit: %s, most: %llu, per: %s, over: licensee }\n"
             "cannot_record: refuse\non_overrun: deliver\nmode: enforce\n",
             unit, (unsigned long long)most, per);
    site_write(s, "agreements/" SITE_AGREEMENT "/2020-01-01.yaml", text);
}

static inline void
site_limit(const site *s, uint64_t most, const char *per)
{
    site_limit_of(s, "post", most, per);
}

static inline void
site_agreement(const site *s, uint64_t most)
{
    site_limit(s, most, "month");
}

static inline void
site_init(site *s, uint64_t most)
{
    uint8_t seed[32];
    const char *dir = getenv("LICET_TEST_DIR");
    licet_signer_key key;
    licet_buffer text;
    licet_error err;
    static unsigned number;

    memset(s, 0, sizeof(*s));
    snprintf(s->dir, sizeof(s->dir), "%s/licet-recorder-XXXXXX", dir != NULL && strlen(dir) < 64 ? dir : "/tmp");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->shm, sizeof(s->shm), "/dev/shm/licet-recorder-test-%ld-%u", (long)getpid(), number++);
    s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(s->shared, MAP_FAILED);
    s->seed = (unsigned)getpid();
    site_folder(s, "agreements/" SITE_AGREEMENT);
    site_folder(s, "catalogue");
    site_folder(s, "data");
    site_config(s);
    site_agreement(s, most);
    site_write(s, "catalogue/c@2020-01-01.yaml",
               "units: { post: {} }\nunlisted: record\nendpoints:\n"
               "  - id: search\n    match: GET /search\n    count: { post: $.data }\n    ids: { post: $.data.id }\n"
               "    page: { post: { query: n, default: 10, most: 100 } }\n");
    site_write(s, "agreements/" SITE_AGREEMENT "/apps.yaml",
               "apps:\n  reader:\n    products: [P]\n    environment: prod\n    default_use_case: UC-1\n"
               "    credentials: []\nuse_cases:\n  UC-1:\n    product: P\n    purpose: display\n    recipient: public\n"
               "    approved: { by: J. Roe, role: licensing, from: 2020-01-01 }\n");
    memset(seed, 7, sizeof(seed));
    must(licet_signer_key_make(LICET_BYTES_LITERAL("licet-t"), seed, &key, &err));
    licet_buffer_init(&text, 4096);
    assert_true(licet_signer_key_format(&key, &text) && licet_put_u8(&text, 0));
    site_write(s, "data/key", (const char *)text.data);
    licet_buffer_done(&text);
    must(licet_signer_key_make(LICET_BYTES_LITERAL("licet-t/" SITE_AGREEMENT), seed, &key, &err));
    s->key = key.verifier;
}

static inline int
site_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void
site_remove(const char *dir)
{
    nftw(dir, site_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void
site_done(site *s)
{
    munmap(s->shared, sizeof(*s->shared));
    unlink(s->shm);
    site_remove(s->dir);
}

/* ---- the recorder, in a process of its own ---------------------------------- */

static inline void
site_log(void *user, licet_recorder_level level, const char *text)
{
    (void)user;
    if (level == LICET_LOG_ERROR || getenv("LICET_TEST_LOG") != NULL) {
        fprintf(stderr, "# recorder: %s\n", text);
    }
}

static inline bool
site_open(const site *s, bool with_gate, licet_recorder **out_recorder, licet_error *err)
{
    licet_recorder_options options = {.dir = s->dir, .with_gate = with_gate, .now_ms = site_now(), .log = site_log};
    licet_mistakes mistakes = {0};
    bool ok = licet_recorder_open(&options, out_recorder, err);

    if (ok && licet_store_generation(licet_recorder_store(*out_recorder)) == 0) {
        ok = licet_recorder_apply(*out_recorder, "first start", site_now(), &mistakes, NULL, err);
        for (size_t i = 0; i < mistakes.len; i++) {
            fprintf(stderr, "# %s:%u: %s\n", mistakes.list[i].file, mistakes.list[i].line, mistakes.list[i].text);
        }
        licet_mistakes_done(&mistakes);
    }
    return ok;
}

/* Runs rounds until told to end. Never returns. */
static inline void
site_recorder_run(const site *s)
{
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    uint64_t work;
    bool ok;

    if (!site_open(s, true, &recorder, &err)) {
        fprintf(stderr, "# recorder cannot open: %s\n", err.text);
        _exit(2);
    }
    while (!s->shared->stop_recorder) {
        licet_recorder_round(recorder, site_now(), &work, &err);
        site_rest(1);
    }
    ok = licet_recorder_close(recorder, site_now(), &err);
    if (!ok) {
        fprintf(stderr, "# recorder cannot close: %s\n", err.text);
    }
    _exit(ok ? 0 : 3);
}

static inline pid_t
site_recorder_start(const site *s)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        site_recorder_run(s);
    }
    return pid;
}

static inline int
site_wait(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

static inline void
site_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    site_wait(pid);
}

static inline void
site_recorder_stop(const site *s, pid_t pid)
{
    int status;

    s->shared->stop_recorder = 1;
    status = site_wait(pid);
    s->shared->stop_recorder = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- a worker -------------------------------------------------------------------- */

typedef struct site_worker {
    licet_gate *gate;
    licet_worker *worker;
    uint8_t *blob;
    licet_image image;
} site_worker;

/* Maps gate and image once there are any. */
static inline bool
site_worker_open(const site *s, site_worker *w)
{
    char path[LICET_GATE_PATH_MAX + 64];
    licet_bytes index_bytes;
    uint8_t *index_blob = NULL;
    licet_index index;
    size_t len;
    uint64_t generation;

    memset(w, 0, sizeof(*w));
    if (!licet_gate_open(s->shm, &w->gate, NULL)) {
        return false;
    }
    generation = licet_gate_generation(w->gate);
    snprintf(path, sizeof(path), "%s/index-%llu", licet_gate_images(w->gate), (unsigned long long)generation);
    if (generation == 0 || !licet_file_read(path, 1 << 24, &index_blob, &len, NULL)) {
        goto failed;
    }
    index_bytes = licet_bytes_of(index_blob, len);
    if (!licet_index_open(index_bytes, &index, NULL) || index.header->images_len != 1) {
        goto failed;
    }
    snprintf(path, sizeof(path), "%s/image-%llu", licet_gate_images(w->gate),
             (unsigned long long)index.images[0].number);
    if (!licet_file_read(path, 1 << 24, &w->blob, &len, NULL) ||
        !licet_image_open(licet_bytes_of(w->blob, len), &w->image, NULL) ||
        !licet_worker_join(w->gate, &w->worker, NULL)) {
        goto failed;
    }
    licet_worker_uses(w->worker, generation);
    free(index_blob);
    return true;
failed:
    free(index_blob);
    free(w->blob);
    licet_gate_close(w->gate);
    memset(w, 0, sizeof(*w));
    return false;
}

static inline void
site_worker_join(const site *s, site_worker *w)
{
    for (int i = 0; i < 2000; i++) {
        if (site_worker_open(s, w)) {
            return;
        }
        site_rest(5);
    }
    fprintf(stderr, "# worker: no gate within 10 s\n");
    _exit(4);
}

static inline void
site_worker_close(site_worker *w)
{
    licet_worker_leave(w->worker, site_now());
    licet_gate_close(w->gate);
    free(w->blob);
}

static inline licet_facts
site_facts(const char *query, const char *purpose)
{
    return (licet_facts){.app = 0,
                         .credential = LICET_NONE,
                         .method = LICET_BYTES_LITERAL("GET"),
                         .path = LICET_BYTES_LITERAL("/search"),
                         .query = licet_bytes_of_text(query),
                         .purpose = licet_bytes_of_text(purpose),
                         .time_ms = site_now()};
}

static inline licet_settlement
site_settlement(uint64_t posts)
{
    licet_settlement settlement = {
        .status = 200, .ending = LICET_ENDING_COMPLETE, .bytes = 100 * posts, .bytes_acked = UINT64_MAX};

    settlement.units[LICET_KIND_REQUEST] = 1;
    settlement.units[2] = posts;
    settlement.ids[2] = posts;
    return settlement;
}

static inline licet_admission
site_admit(site_worker *w, const char *query, const char *purpose, licet_slot **out_slot, licet_verdict *out_verdict)
{
    licet_facts facts = site_facts(query, purpose);
    licet_shortage shortage;

    licet_decide(&w->image, &facts, out_verdict);
    return licet_worker_admit(w->worker, &w->image, &facts, out_verdict, 256, facts.time_ms, out_slot, &shortage, NULL);
}

/* One response of n posts as a worker of nginx would have it; true when it was delivered. */
static inline bool
site_deliver(const site *s, site_worker *w, unsigned n)
{
    char query[32];
    licet_slot *slot = NULL;
    licet_verdict verdict;
    licet_settlement settlement = site_settlement(n);
    licet_identity identity;
    uint8_t ids[256];

    snprintf(query, sizeof(query), "n=%u", n);
    if (site_admit(w, query, "display", &slot, &verdict) != LICET_ADMITTED) {
        s->shared->waited++;
        return false;
    }
    identity = licet_slot_identity(slot);
    for (size_t i = 0; i < sizeof(ids); i += 8) {
        memcpy(ids + i, "\007abcdefg", 8);
    }
    licet_slot_count(slot, 2, n);
    licet_slot_progress(slot, 200, 100 * n);
    if (s->shared->slow && n % 4 == 0) {
        site_rest(2); /* under way for a while */
    }
    licet_slot_ids(w->worker, slot, 2, 4, licet_bytes_of(ids, 32));
    licet_slot_settle(w->worker, slot, &settlement);
    if (identity.sequence < SITE_KEPT_MAX) {
        s->shared->kept[identity.sequence] = (uint16_t)(n + 1);
        s->shared->epoch_of[identity.sequence] = (uint8_t)identity.epoch;
    }
    __atomic_fetch_add(&s->shared->delivered, n, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&s->shared->settled, 1, __ATOMIC_SEQ_CST);
    return true;
}

static inline void
site_refuse(const site *s, site_worker *w)
{
    licet_slot *slot = NULL;
    licet_verdict verdict;
    licet_settlement settlement = {.status = 403,
                                   .ending = LICET_ENDING_REFUSED,
                                   .bytes_acked = UINT64_MAX,
                                   .reason = LICET_REASON_PURPOSE_FORBIDDEN,
                                   .verdict = LICET_VERDICT_REFUSE};

    if (site_admit(w, "n=10", "train-ai", &slot, &verdict) == LICET_ADMITTED) {
        licet_slot_settle(w->worker, slot, &settlement);
        __atomic_fetch_add(&s->shared->refused, 1, __ATOMIC_SEQ_CST);
    }
}

static inline pid_t
site_worker_start(const site *s, unsigned seed, bool fast)
{
    pid_t pid = fork();
    site_worker w;

    assert_true(pid >= 0);
    if (pid != 0) {
        return pid;
    }
    srandom(seed);
    site_worker_join(s, &w);
    while (!s->shared->stop) {
        if (!site_deliver(s, &w, 1 + (unsigned)random() % 100)) {
            site_rest(1);
        }
        if (random() % 16 == 0) {
            site_refuse(s, &w);
        }
        if (!fast && random() % 8 == 0) {
            site_rest(1);
        }
    }
    site_worker_close(&w);
    _exit(0);
}

/* ---- what the ledger says ------------------------------------------------------------ */

typedef struct site_ledger {
    char units[256][32];
    uint64_t receipts, refusals, gaps, versions, died, unmetered;
    uint64_t posts, gap_posts, gap_requests, held_posts;
    uint64_t gap_from_ms;
    uint8_t *seen; /* receipts by sequence, when not NULL */
    uint64_t twice;
    uint64_t sequences[LICET_REFUSALS_MAX];
} site_ledger;

static inline bool
site_on_entry(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    site_ledger *l = user;
    licet_receipt receipt;
    licet_refusals run;
    licet_gap gap;
    licet_bytes name;
    uint8_t number;

    (void)index;
    switch (entry.data[0]) {
    case LICET_ENTRY_UNIT:
        assert_true(licet_unit_decode(entry, &number, &name, err));
        snprintf(l->units[number], sizeof(l->units[number]), "%.*s", (int)name.len, (const char *)name.data);
        return true;
    case LICET_ENTRY_RECEIPT:
        assert_true(licet_receipt_decode(entry, &receipt, err));
        l->receipts += receipt.part == 0 ? 1 : 0;
        l->died += receipt.ending == LICET_ENDING_WORKER_DIED ? 1 : 0;
        l->unmetered += receipt.unmetered ? 1 : 0;
        if (l->seen != NULL && receipt.part == 0 && receipt.identity.sequence < SITE_KEPT_MAX) {
            l->twice += l->seen[receipt.identity.sequence]++ != 0 ? 1 : 0;
        }
        for (size_t i = 0; i < receipt.units_len; i++) {
            l->posts += strcmp(l->units[receipt.units[i].kind], "post") == 0 ? receipt.units[i].count : 0;
            l->held_posts += strcmp(l->units[receipt.units[i].kind], "held:post") == 0 ? receipt.units[i].count : 0;
        }
        return true;
    case LICET_ENTRY_REFUSALS:
        assert_true(licet_refusals_decode(entry, l->sequences, &run, err));
        l->refusals += run.count;
        return true;
    case LICET_ENTRY_VERSION:
        l->versions++;
        return true;
    case LICET_ENTRY_GAP:
        assert_true(licet_gap_decode(entry, &gap, err));
        l->gaps++;
        l->gap_requests += gap.requests;
        l->gap_from_ms = gap.from_ms;
        for (size_t i = 0; i < gap.units_len; i++) {
            l->gap_posts += strcmp(l->units[gap.units[i].kind], "post") == 0 ? gap.units[i].count : 0;
        }
        return true;
    default:
        return true;
    }
}

/* Verifies the ledger from outside, every byte, and counts. */
static inline void
site_read(const site *s, site_ledger *out)
{
    char path[512];
    licet_ledger_facts facts;
    licet_error err;

    snprintf(path, sizeof(path), "%s/data/ledger/" SITE_AGREEMENT, s->dir);
    must(licet_ledger_verify(path, &s->key, site_on_entry, out, &facts, &err));
    assert_int_equal(facts.size, facts.signed_size);
}

#endif
