/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Duplicates through the recorder: what was delivered twice is credited once,
 * limits that count deduplicated get it back, and kills of licetd between any
 * two steps neither lose a credit nor give one twice.
 */
#include "site_test.h"

#include "licet/seen.h"

#define POOL 3000u
#define IDS 8u

static void
dedup_site(site *s, uint64_t most)
{
    char text[2048];

    site_init(s, most);
    snprintf(text, sizeof(text),
             "agreement: " SITE_AGREEMENT "\n"
             "in_force: { from: 2020-01-01, then: continue }\n"
             "parties:\n  licensor: { legal_name: L, country: US }\n  licensee: { legal_name: M, country: US }\n"
             "catalogue: c@2020-01-01\n"
             "clauses:\n  CAP: { section: '1', says: A cap }\n  NO: { section: '2', says: No training }\n"
             "purposes: { allowed: [display], forbidden: { train-ai: NO }, not_named: record, not_declared: record }\n"
             "limits:\n  - { clause: CAP, unit: post, count: deduplicated, most: %llu, per: month, over: licensee }\n"
             "cannot_record: refuse\non_overrun: deliver\nmode: enforce\n",
             (unsigned long long)most);
    site_write(s, "agreements/" SITE_AGREEMENT "/2020-01-01.yaml", text);
    site_write(s, "catalogue/c@2020-01-01.yaml",
               "units: { post: { dedup: { by: id, per: month } } }\nunlisted: record\nendpoints:\n"
               "  - id: search\n    match: GET /search\n    count: { post: $.data }\n    ids: { post: $.data.id }\n"
               "    page: { post: { query: n, default: 10, most: 100 } }\n");
}

typedef struct delivered {
    uint64_t copies, distinct;
    bool seen[POOL];
} delivered;

/* A page of IDS ids out of the pool; false when it was not admitted. */
static bool
deliver(site_worker *w, uint64_t *random, delivered *d)
{
    licet_slot *slot = NULL;
    licet_verdict verdict;
    licet_settlement settlement = site_settlement(IDS);
    uint8_t ids[IDS * 12];
    size_t len = 0;
    char query[16];

    snprintf(query, sizeof(query), "n=%u", IDS);
    if (site_admit(w, query, "display", &slot, &verdict) != LICET_ADMITTED) {
        return false;
    }
    for (unsigned i = 0; i < IDS; i++) {
        *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        unsigned id = (unsigned)(*random >> 40) % POOL;
        int n = snprintf((char *)ids + len + 1, 11, "%u", id);
        ids[len] = (uint8_t)n;
        len += 1 + (size_t)n;
        d->copies++;
        d->distinct += d->seen[id] ? 0 : 1;
        d->seen[id] = true;
    }
    licet_slot_count(slot, 2, IDS);
    licet_slot_progress(slot, 200, 100);
    assert_true(licet_slot_ids(w->worker, slot, 2, IDS, licet_bytes_of(ids, len)));
    licet_slot_settle(w->worker, slot, &settlement);
    return true;
}

typedef struct counted {
    uint64_t posts, credited, records;
    uint8_t unit;
    uint64_t units_of[SITE_KEPT_MAX], credits_of[SITE_KEPT_MAX]; /* by sequence */
} counted;

static bool
on_entry(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    counted *c = user;
    licet_duplicates credit;
    licet_receipt receipt;
    licet_bytes name;
    uint8_t number;

    if (licet_unit_decode(entry, &number, &name, NULL) && licet_bytes_equal_text(name, "post")) {
        c->unit = number;
    } else if (licet_receipt_decode(entry, &receipt, NULL)) {
        for (size_t i = 0; i < receipt.units_len; i++) {
            if (receipt.units[i].kind == c->unit) {
                c->posts += receipt.units[i].count;
                assert_true(receipt.identity.sequence < SITE_KEPT_MAX);
                c->units_of[receipt.identity.sequence] += receipt.units[i].count;
            }
        }
    } else if (licet_duplicates_decode(entry, &credit, NULL)) {
        assert_int_equal(credit.unit, c->unit);
        c->credited += credit.count;
        c->records++;
        c->credits_of[credit.identity.sequence] += credit.count;
        assert_true(c->credits_of[credit.identity.sequence] <= c->units_of[credit.identity.sequence]);
    }
    return true;
}

static void
assert_counted(const site *s, const delivered *d)
{
    counted *c = calloc(1, sizeof(*c));
    licet_ledger_facts facts;
    licet_error err;
    char path[512];

    assert_non_null(c);
    snprintf(path, sizeof(path), "%s/data/ledger/" SITE_AGREEMENT, s->dir);
    must(licet_ledger_verify(path, &s->key, on_entry, c, &facts, &err));
    assert_int_equal(c->posts, d->copies);
    assert_int_equal(c->posts - c->credited, d->distinct);
    assert_true(c->records > 0);
    free(c);
}

/* Far more is delivered than the limit, and only what is new counts against it. */
static void
test_limit_gets_duplicates_back(void **state)
{
    delivered *d = calloc(1, sizeof(*d));
    uint64_t random = 1, work;
    licet_recorder *recorder = NULL;
    licet_counter_value used;
    licet_error err = {0};
    site_worker w;
    site s;

    dedup_site(&s, POOL + 200);
    must(site_open(&s, true, &recorder, &err));
    must(licet_recorder_round(recorder, site_now(), &work, &err));
    site_worker_join(&s, &w);
    for (unsigned i = 0; i < 1500; i++) {
        must(licet_recorder_round(recorder, site_now(), &work, &err));
        assert_true(deliver(&w, &random, d));
    }
    must(licet_recorder_sync(recorder, site_now(), &err));
    assert_true(d->copies > 2 * (POOL + 200));
    used = licet_gate_counter(w.gate, licet_image_counter_at(&w.image, &w.image.limits[0], 0));
    assert_int_equal(used.taken, d->distinct);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    assert_counted(&s, d);
    /* a new file takes its counters from the ledger, credits included */
    unlink(s.shm);
    must(site_open(&s, true, &recorder, &err));
    site_worker_join(&s, &w);
    used = licet_gate_counter(w.gate, licet_image_counter_at(&w.image, &w.image.limits[0], 0));
    assert_int_equal(used.taken, d->distinct);
    site_worker_close(&w);
    must(licet_recorder_close(recorder, site_now(), &err));
    free(d);
    site_done(&s);
}

/* The set goes, or half of it, or it is ahead of a ledger: what is credited afterwards is the same. */
static void
test_set_is_made_anew(void **state)
{
    static const char *const harms[] = {"none", "rm -rf %s/data/dedup", "rm %s/data/dedup/*.run",
                                        "printf x >> %s/data/dedup/manifest"};
    delivered *d = calloc(1, sizeof(*d));
    uint64_t random = 2, work;
    licet_recorder *recorder = NULL;
    licet_error err = {0};
    char command[400];
    site_worker w;
    site s;

    dedup_site(&s, 1000000);
    for (unsigned round = 0; round < sizeof(harms) / sizeof(harms[0]); round++) {
        if (round > 0) {
            snprintf(command, sizeof(command), harms[round], s.dir);
            assert_int_equal(system(command), 0);
        }
        must(site_open(&s, true, &recorder, &err));
        must(licet_recorder_round(recorder, site_now(), &work, &err));
        site_worker_join(&s, &w);
        for (unsigned i = 0; i < 100; i++) {
            assert_true(deliver(&w, &random, d));
            must(licet_recorder_round(recorder, site_now(), &work, &err));
        }
        site_worker_close(&w);
        must(licet_recorder_close(recorder, site_now(), &err));
        assert_counted(&s, d);
    }
    free(d);
    site_done(&s);
}

static void
test_kills(void **state)
{
    const char *text = getenv("LICET_KILLS");
    unsigned kills = text != NULL ? (unsigned)atoi(text) : 12;
    delivered *d = calloc(1, sizeof(*d));
    uint64_t random = 3;
    site_worker w;
    pid_t pid;
    site s;

    dedup_site(&s, 10000000);
    pid = site_recorder_start(&s);
    site_worker_join(&s, &w);
    for (unsigned kill_no = 0; kill_no < kills; kill_no++) {
        for (unsigned i = 0; i < 60 + kill_no % 7; i++) {
            if (!deliver(&w, &random, d)) {
                site_rest(1);
            }
            if (i % 16 == 0) {
                site_rest(1);
            }
        }
        site_kill(pid);
        for (unsigned i = 0; i < 8; i++) {
            deliver(&w, &random, d);
        }
        pid = site_recorder_start(&s);
        site_rest(120 + 37 * (kill_no % 5));
    }
    site_worker_close(&w);
    site_recorder_stop(&s, pid);
    assert_counted(&s, d);
    free(d);
    site_done(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_gets_duplicates_back),
        cmocka_unit_test(test_set_is_made_anew),
        cmocka_unit_test(test_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
