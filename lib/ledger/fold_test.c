/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the fold: rules one by one, then random journals against fold_ref.c,
 * from the beginning and from behind any tick.
 */
#include "ledger_test.h"

#include "fold_ref.h"
#include "runs.h"
#include "seen_ref.h"

#define MONTH 2678400000ULL /* 31 days: the next month at the latest */
#define OCTOBER 1664582400000ULL
#define NOVEMBER 1667260800000ULL

/* ---- a journal and what comes out of it ----------------------------------------------- */

typedef struct journal_list {
    licet_journal_entry *entries;
    size_t len, cap;
} journal_list;

static void
list_add(journal_list *list, licet_journal_kind kind, const licet_buffer *payload)
{
    if (list->len == list->cap) {
        list->cap = list->cap == 0 ? 256 : 2 * list->cap;
        list->entries = realloc(list->entries, list->cap * sizeof(*list->entries));
        assert_non_null(list->entries);
    }
    uint8_t *copy = malloc(payload->len + 1);
    assert_non_null(copy);
    assert_false(payload->failed);
    memcpy(copy, payload->data, payload->len);
    list->entries[list->len] = (licet_journal_entry){list->len + 1, kind, {copy, payload->len}};
    list->len++;
}

static void
list_free(journal_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        free((void *)(uintptr_t)list->entries[i].payload.data);
    free(list->entries);
    memset(list, 0, sizeof(*list));
}

#define ADD(list, kind, call)                                                                                          \
    do {                                                                                                               \
        licet_buffer payload;                                                                                          \
        licet_buffer_init(&payload, 1 << 17);                                                                          \
        assert_true(call);                                                                                             \
        list_add(list, kind, &payload);                                                                                \
        licet_buffer_done(&payload);                                                                                   \
    } while (0)

static void
add_ledger(journal_list *list, uint32_t number, const char *name, uint64_t time_ms)
{
    ADD(list, LICET_JOURNAL_LEDGER,
        licet_journal_put_ledger(&payload, number, licet_bytes_of_text(name), LICET_BYTES_LITERAL("licensor"),
                                 time_ms));
    licet_context context = {.app = LICET_BYTES_LITERAL("pages")};
    licet_buffer entry;
    licet_buffer_init(&entry, 1000);
    for (uint32_t i = 0; i < 4; i++) {
        entry.len = 0;
        MUST(licet_context_encode(i, &context, &entry, oops));
        ADD(list, LICET_JOURNAL_ENTRY, licet_journal_put_entry(&payload, number, licet_buffer_view(&entry)));
        entry.len = 0;
        MUST(licet_unit_encode((uint8_t)i, LICET_BYTES_LITERAL("post"), &entry, oops));
        ADD(list, LICET_JOURNAL_ENTRY, licet_journal_put_entry(&payload, number, licet_buffer_view(&entry)));
    }
    licet_buffer_done(&entry);
}

static void
add_time(journal_list *list, licet_journal_kind kind, uint64_t time_ms)
{
    ADD(list, kind, licet_journal_put_time(&payload, time_ms));
}

static void
add_receipt(journal_list *list, uint32_t ledger, const licet_receipt *receipt)
{
    licet_buffer entry;
    licet_buffer_init(&entry, 1000);
    MUST(licet_receipt_encode(receipt, &entry, oops));
    ADD(list, LICET_JOURNAL_ENTRY, licet_journal_put_entry(&payload, ledger, licet_buffer_view(&entry)));
    licet_buffer_done(&entry);
}

static licet_receipt
refused(uint64_t sequence)
{
    return (licet_receipt){.verdict = LICET_VERDICT_REFUSE,
                           .identity = {1, 1, sequence},
                           .time_ms = TEST_T + sequence,
                           .context = 1,
                           .status = 429,
                           .ending = LICET_ENDING_REFUSED};
}

static void
add_refusal(journal_list *list, uint32_t ledger, uint8_t reason, const licet_receipt *receipt)
{
    licet_buffer entry;
    licet_buffer_init(&entry, 1000);
    MUST(licet_receipt_encode(receipt, &entry, oops));
    ADD(list, LICET_JOURNAL_REFUSAL, licet_journal_put_refusal(&payload, ledger, reason, licet_buffer_view(&entry)));
    licet_buffer_done(&entry);
}

/* What went out: ledger number u32, length u32, bytes; one after the other. */
typedef struct outcome {
    licet_buffer bytes;
    size_t len;
    size_t at[1 << 16];
} outcome;

static outcome *
outcome_new(void)
{
    outcome *o = calloc(1, sizeof(*o));
    assert_non_null(o);
    licet_buffer_init(&o->bytes, 1 << 28);
    return o;
}

static void
outcome_free(outcome *o)
{
    licet_buffer_done(&o->bytes);
    free(o);
}

static bool
on_entry(void *user, uint32_t ledger, licet_bytes entry, licet_error *err)
{
    outcome *o = user;
    assert_true(o->len < sizeof(o->at) / sizeof(o->at[0]));
    o->at[o->len++] = o->bytes.len;
    return licet_put_u32(&o->bytes, ledger) && licet_put_u32(&o->bytes, (uint32_t)entry.len) &&
           licet_put_bytes(&o->bytes, entry);
}

static bool
on_ledger(void *user, uint32_t ledger, licet_bytes name, licet_bytes party, licet_error *err)
{
    return licet_bytes_equal_text(party, "licensor") && name.len > 0;
}

static licet_bytes
entry_at(const outcome *o, size_t i, uint32_t *out_ledger)
{
    licet_cursor c = {licet_buffer_view(&o->bytes), o->at[i]};
    uint32_t len = 0;
    licet_bytes entry = {NULL, 0};
    assert_true(i < o->len && licet_take_u32(&c, out_ledger) && licet_take_u32(&c, &len) &&
                licet_take_bytes(&c, len, &entry));
    return entry;
}

static outcome *
fold_all(const journal_list *list)
{
    outcome *o = outcome_new();
    licet_fold *fold = NULL;
    MUST(licet_fold_new(on_ledger, on_entry, o, &fold, oops));
    for (size_t i = 0; i < list->len; i++)
        MUST(licet_fold_feed(fold, &list->entries[i], oops));
    licet_fold_free(fold);
    return o;
}

static outcome *
fold_ref_all(const journal_list *list)
{
    outcome *o = outcome_new();
    MUST(licet_fold_ref(list->entries, list->len, on_entry, o, oops));
    return o;
}

static void
expect_same(const outcome *a, const outcome *b, const char *what, uint64_t seed)
{
    for (size_t i = 0; i < a->len && i < b->len; i++) {
        uint32_t x, y;
        licet_bytes p = entry_at(a, i, &x), q = entry_at(b, i, &y);
        if (x != y || !licet_bytes_equal(p, q))
            fail_msg("%s, seed %llu: entry %zu differs: ledger %u kind %u of %zu bytes, ledger %u kind %u of %zu bytes",
                     what, (unsigned long long)seed, i, x, p.data[0], p.len, y, q.data[0], q.len);
    }
    if (a->len != b->len)
        fail_msg("%s, seed %llu: %zu entries against %zu", what, (unsigned long long)seed, a->len, b->len);
}

/* ---- rules ------------------------------------------------------------------------------- */

static void
test_start_and_entries(void **state)
{
    journal_list list = {0};
    licet_fold_start start;
    uint32_t ledger;
    add_ledger(&list, 3, "M-1", TEST_T);
    licet_receipt r = test_receipt(5);
    add_receipt(&list, 3, &r);
    outcome *o = fold_all(&list);
    assert_int_equal(o->len, 10);
    MUST(licet_fold_start_decode(entry_at(o, 0, &ledger), &start, oops));
    assert_true(ledger == 3 && start.time_ms == TEST_T && start.fold_version == 1);
    assert_true(licet_bytes_equal_text(start.ledger, "M-1") && licet_bytes_equal_text(start.party, "licensor"));
    MUST(licet_receipt_decode(entry_at(o, 9, &ledger), &r, oops));
    assert_int_equal(r.identity.sequence, 5);
    outcome_free(o);
    list_free(&list);
}

static void
test_runs(void **state)
{
    static const uint64_t order[] = {9, 3, 7, 3, 100};
    journal_list list = {0};
    licet_refusals run;
    uint64_t storage[LICET_REFUSALS_MAX];
    uint32_t ledger;
    add_ledger(&list, 0, "M-1", TEST_T);
    for (size_t i = 0; i < 5; i++) {
        licet_receipt r = refused(order[i]);
        add_refusal(&list, 0, order[i] == 100 ? LICET_REASON_RATE_LIMIT : LICET_REASON_CAP_REACHED, &r);
    }
    outcome *o = fold_all(&list);
    assert_int_equal(o->len, 9); /* nothing before the tick */
    outcome_free(o);
    add_time(&list, LICET_JOURNAL_TICK, TEST_T);
    add_time(&list, LICET_JOURNAL_TICK, TEST_T);
    licet_receipt late = refused(200);
    add_refusal(&list, 0, LICET_REASON_CAP_REACHED, &late);
    add_time(&list, LICET_JOURNAL_STOP, TEST_T);
    o = fold_all(&list);
    assert_int_equal(o->len, 12);
    MUST(licet_refusals_decode(entry_at(o, 9, &ledger), storage, &run, oops));
    assert_true(run.count == 3 && storage[0] == 3 && storage[1] == 7 && storage[2] == 9);
    assert_true(run.first_ms == TEST_T + 3 && run.last_ms == TEST_T + 9 && run.reason == LICET_REASON_CAP_REACHED);
    MUST(licet_refusals_decode(entry_at(o, 10, &ledger), storage, &run, oops));
    assert_true(run.count == 1 && storage[0] == 100 && run.reason == LICET_REASON_RATE_LIMIT);
    MUST(licet_refusals_decode(entry_at(o, 11, &ledger), storage, &run, oops));
    assert_true(run.count == 1 && storage[0] == 200);
    outcome_free(o);
    list_free(&list);
}

static void
test_longest_run(void **state)
{
    journal_list list = {0};
    licet_refusals run;
    uint64_t storage[LICET_REFUSALS_MAX];
    uint32_t ledger;
    add_ledger(&list, 0, "M-1", TEST_T);
    for (uint64_t i = 0; i < 2 * LICET_REFUSALS_MAX + 5; i++) {
        licet_receipt r = refused(i ^ 1);
        add_refusal(&list, 0, LICET_REASON_CAP_REACHED, &r);
    }
    add_time(&list, LICET_JOURNAL_TICK, TEST_T);
    outcome *o = fold_all(&list);
    assert_int_equal(o->len, 12);
    for (size_t i = 0; i < 3; i++) {
        MUST(licet_refusals_decode(entry_at(o, 9 + i, &ledger), storage, &run, oops));
        assert_int_equal(run.count, i < 2 ? LICET_REFUSALS_MAX : 5);
        assert_int_equal(storage[0], i * LICET_REFUSALS_MAX);
        assert_true(run.first_ms == TEST_T + i * LICET_REFUSALS_MAX);
    }
    outcome_free(o);
    list_free(&list);
}

/* More runs than memory is meant for: all are given out, none is lost. */
static void
test_many_runs(void **state)
{
    journal_list list = {0};
    uint64_t storage[LICET_REFUSALS_MAX], count = 0;
    add_ledger(&list, 0, "M-1", TEST_T);
    for (uint64_t i = 0; i < RUNS_MAX + 10; i++) {
        licet_receipt r = refused(i);
        r.identity.epoch = (uint32_t)i;
        add_refusal(&list, 0, LICET_REASON_CAP_REACHED, &r);
    }
    outcome *before = fold_all(&list);
    assert_int_equal(before->len, 9 + RUNS_MAX);
    add_time(&list, LICET_JOURNAL_TICK, TEST_T);
    outcome *o = fold_all(&list);
    assert_int_equal(o->len, 9 + RUNS_MAX + 10);
    for (size_t i = 9; i < o->len; i++) {
        licet_refusals run;
        uint32_t ledger;
        MUST(licet_refusals_decode(entry_at(o, i, &ledger), storage, &run, oops));
        count += run.count;
    }
    assert_int_equal(count, RUNS_MAX + 10);
    outcome_free(before);
    outcome_free(o);
    list_free(&list);
}

static void
test_periods(void **state)
{
    journal_list list = {0};
    licet_period period;
    uint32_t ledger;
    add_ledger(&list, 0, "M-1", TEST_T); /* October 2022 */
    add_ledger(&list, 1, "M-2", NOVEMBER);
    licet_receipt a = test_receipt(9), b = test_receipt(19), no = refused(4);
    b.time_ms = TEST_T - MONTH * 3; /* imported: booked now */
    add_receipt(&list, 0, &a);
    add_receipt(&list, 0, &b);
    add_receipt(&list, 0, &no);
    add_time(&list, LICET_JOURNAL_TICK, NOVEMBER - 1);
    size_t october = list.len;
    for (uint64_t i = 0; i < 3; i++) {
        no = refused(50 + i);
        add_refusal(&list, 0, LICET_REASON_CAP_REACHED, &no);
    }
    add_time(&list, LICET_JOURNAL_TICK, NOVEMBER);
    add_time(&list, LICET_JOURNAL_TICK, NOVEMBER + 1);
    add_time(&list, LICET_JOURNAL_TICK, NOVEMBER - 5); /* a clock that went back */
    add_time(&list, LICET_JOURNAL_TICK, NOVEMBER + MONTH);
    outcome *o = fold_all(&list);
    assert_int_equal(o->len, 18 + 3 + 1 + 1 + 1);
    (void)october;
    MUST(licet_period_decode(entry_at(o, 22, &ledger), &period, oops));
    assert_true(ledger == 0 && period.from_ms == OCTOBER && period.before_ms == NOVEMBER);
    assert_true(period.entries == 13 && period.receipts == 2 && period.refused == 4);
    assert_true(period.units_len == 2 && period.units[0].count == 2 && period.units[1].count == 30);
    MUST(licet_period_decode(entry_at(o, 23, &ledger), &period, oops)); /* ledger 0 had nothing in November */
    assert_true(ledger == 1 && period.from_ms == NOVEMBER && period.entries == 9 && period.receipts == 0);
    outcome_free(o);
    list_free(&list);
}

static void
test_refused_entries(void **state)
{
    journal_list list = {0};
    add_ledger(&list, 0, "M-1", TEST_T);
    size_t good = list.len;
    licet_receipt r = test_receipt(1);
    licet_buffer entry;
    licet_period period = {.before_ms = 1};
    licet_buffer_init(&entry, 1000);
    add_receipt(&list, 7, &r); /* unknown ledger */
    ADD(&list, LICET_JOURNAL_ENTRY, licet_journal_put_entry(&payload, 0, LICET_BYTES_LITERAL("\x63")));
    ADD(&list, LICET_JOURNAL_ENTRY, licet_journal_put_entry(&payload, 0, (licet_bytes){NULL, 0}));
    MUST(licet_period_encode(&period, &entry, oops));
    ADD(&list, LICET_JOURNAL_ENTRY, licet_journal_put_entry(&payload, 0, licet_buffer_view(&entry)));
    add_refusal(&list, 0, LICET_REASON_CAP_REACHED, &r); /* allowed */
    r.context = 99;
    add_receipt(&list, 0, &r); /* context before its record */
    ADD(&list, LICET_JOURNAL_LEDGER,
        licet_journal_put_ledger(&payload, 0, LICET_BYTES_LITERAL("M-3"), LICET_BYTES_LITERAL("licensor"), 1));
    ADD(&list, LICET_JOURNAL_LEDGER,
        licet_journal_put_ledger(&payload, 2, LICET_BYTES_LITERAL("M-1"), LICET_BYTES_LITERAL("licensor"), 1));
    ADD(&list, LICET_JOURNAL_LEDGER,
        licet_journal_put_ledger(&payload, 2, LICET_BYTES_LITERAL("../x"), LICET_BYTES_LITERAL("licensor"), 1));
    ADD(&list, LICET_JOURNAL_LEDGER,
        licet_journal_put_ledger(&payload, UINT32_MAX, LICET_BYTES_LITERAL("M-3"), LICET_BYTES_LITERAL("licensor"), 1));
    ADD(&list, (licet_journal_kind)8, licet_journal_put_time(&payload, 1));
    ADD(&list, LICET_JOURNAL_TICK, licet_put_u8(&payload, 1));
    for (size_t bad = good; bad < list.len; bad++) {
        outcome *o = outcome_new();
        licet_fold *fold = NULL;
        licet_error err = {0};
        MUST(licet_fold_new(on_ledger, on_entry, o, &fold, oops));
        for (size_t i = 0; i < good; i++)
            MUST(licet_fold_feed(fold, &list.entries[i], oops));
        if (licet_fold_feed(fold, &list.entries[bad], &err))
            fail_msg("entry %zu behind the good ones was folded", bad - good);
        if (strstr(err.text, "journal entry ") == NULL)
            fail_msg("no journal number in: %s", err.text);
        assert_false(licet_fold_feed(fold, &list.entries[0], &err));
        assert_int_equal(err.code, LICET_E_STATE);
        licet_fold_free(fold);
        outcome_free(o);
    }
    licet_buffer_done(&entry);
    list_free(&list);
}

/* ---- random journals ------------------------------------------------------------------------ */

static void
random_journal(uint64_t seed, journal_list *list, size_t len)
{
    uint64_t now = TEST_T;
    uint32_t ledgers = 0;
    while (list->len < len || ledgers == 0) {
        uint64_t dice = test_random(&seed) % 100;
        uint32_t ledger = ledgers == 0 ? 0 : (uint32_t)(test_random(&seed) % ledgers) * 3;
        if (ledgers == 0 || (dice < 2 && ledgers < 5)) {
            char name[16];
            snprintf(name, sizeof(name), "M-%u", ledgers);
            add_ledger(list, ledgers++ * 3, name, now);
        } else if (dice < 50) {
            licet_receipt r = test_receipt(test_random(&seed) % 100000);
            r.verdict = (licet_verdict_kind)(test_random(&seed) % 4);
            r.context = (uint32_t)(test_random(&seed) % 4);
            r.time_ms = now - test_random(&seed) % 1000000;
            add_receipt(list, ledger, &r);
        } else if (dice < 88) {
            licet_receipt r = refused(test_random(&seed) % 300);
            r.context = (uint32_t)(test_random(&seed) % 2);
            r.identity.gate = (uint16_t)(test_random(&seed) % 2);
            r.identity.epoch = (uint32_t)(test_random(&seed) % 2);
            r.observe = test_random(&seed) % 8 == 0;
            r.flow = (licet_flow)(test_random(&seed) % 2);
            r.status = test_random(&seed) % 2 ? 429 : 403;
            r.time_ms = now - test_random(&seed) % 10000;
            add_refusal(list, ledger, (uint8_t)(1 + test_random(&seed) % 2), &r);
        } else if (dice < 97) {
            now += test_random(&seed) % 10 == 0 ? test_random(&seed) % (2 * MONTH) : test_random(&seed) % 100000;
            if (test_random(&seed) % 20 == 0)
                now -= 5000000;
            add_time(list, test_random(&seed) % 5 ? LICET_JOURNAL_TICK : LICET_JOURNAL_STOP, now);
        } else {
            licet_identity identity = {1, 1, 1};
            ADD(list, LICET_JOURNAL_IDS,
                licet_journal_put_ids(&payload, ledger, identity, 1, 1, licet_bytes_of("\1x", 2)));
            ADD(list, LICET_JOURNAL_EPOCH, licet_journal_put_epoch(&payload, 1, 2, now));
        }
    }
}

static void
test_agrees_with_reference(void **state)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        journal_list list = {0};
        random_journal(seed * 0x9e3779b97f4a7c15ULL, &list, 50 + seed * 20);
        outcome *fast = fold_all(&list), *slow = fold_ref_all(&list);
        assert_true(fast->len > 10);
        expect_same(fast, slow, "reference", seed);
        outcome_free(fast);
        outcome_free(slow);
        list_free(&list);
    }
    journal_list list = {0}; /* runs that grow full, with repeated sequences */
    uint64_t seed = 12345;
    add_ledger(&list, 0, "M-1", TEST_T);
    for (unsigned i = 0; i < 9000; i++) {
        licet_receipt r = refused(test_random(&seed) % 7000);
        add_refusal(&list, 0, LICET_REASON_CAP_REACHED, &r);
    }
    add_time(&list, LICET_JOURNAL_TICK, TEST_T);
    outcome *fast = fold_all(&list), *slow = fold_ref_all(&list);
    expect_same(fast, slow, "full runs", 12345);
    outcome_free(fast);
    outcome_free(slow);
    list_free(&list);
}

/* Begin behind tick number 'cut', with ledger k folded up to the tick behind it by k * 2 closed points: the rest comes
 * out as in one go. */
static void
fold_from(const journal_list *list, size_t cut, uint64_t seed, const outcome *expected)
{
    outcome *o = outcome_new();
    licet_fold *fold = NULL;
    size_t points[64], points_len = 0;
    for (size_t i = cut; i < list->len && points_len < 64; i++)
        if (i == cut || list->entries[i - 1].kind == LICET_JOURNAL_TICK ||
            list->entries[i - 1].kind == LICET_JOURNAL_STOP)
            points[points_len++] = i;
    /* what each ledger has at its own point, from a fold of the beginning */
    uint64_t folded[16];
    size_t from = list->len;
    for (uint32_t k = 0; k < 16; k++) {
        folded[k] = points[test_random(&seed) % points_len];
        from = folded[k] < from ? (size_t)folded[k] : from;
    }
    MUST(licet_fold_new(on_ledger, on_entry, o, &fold, oops));
    bool begun[16] = {false};
    size_t due = 0;
    for (uint32_t k = 0; k < 16; k++) {
        journal_list head = *list;
        head.len = (size_t)folded[k];
        outcome *part = fold_all(&head);
        for (size_t i = 0; i < part->len; i++) {
            uint32_t number;
            licet_bytes entry = entry_at(part, i, &number);
            char name[16];
            if (number != k)
                continue;
            snprintf(name, sizeof(name), "M-%u", k / 3);
            if (!begun[k])
                MUST(licet_fold_recall_ledger(fold, k, licet_bytes_of_text(name), LICET_BYTES_LITERAL("licensor"),
                                              oops));
            begun[k] = true;
            MUST(licet_fold_recall(fold, k, entry, oops));
            on_entry(o, number, entry, NULL);
        }
        if (begun[k])
            MUST(licet_fold_recall_folded(fold, k, folded[k], oops));
        outcome_free(part);
    }
    assert_true(licet_fold_closed(fold));
    for (size_t i = from; i < list->len; i++)
        MUST(licet_fold_feed(fold, &list->entries[i], oops));
    licet_fold_free(fold);
    /* ledger by ledger the same entries in the same order */
    for (uint32_t k = 0; k < 16; k++) {
        size_t at = 0;
        for (size_t i = 0; i < expected->len; i++) {
            uint32_t number, other = 0;
            licet_bytes entry = entry_at(expected, i, &number), got = {NULL, 0};
            if (number != k)
                continue;
            for (; at < o->len; at++) {
                got = entry_at(o, at, &other);
                if (other == k)
                    break;
            }
            if (at == o->len || !licet_bytes_equal(entry, got))
                fail_msg("begun behind %zu: ledger %u differs", cut, k);
            at++;
            due++;
        }
    }
    assert_true(due == o->len);
    outcome_free(o);
}

static void
test_begins_behind_any_tick(void **state)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        journal_list list = {0};
        random_journal(seed * 0xabcdef12345ULL, &list, 600);
        outcome *expected = fold_all(&list);
        for (size_t i = 1; i < list.len; i++)
            if (list.entries[i - 1].kind == LICET_JOURNAL_TICK || list.entries[i - 1].kind == LICET_JOURNAL_STOP)
                fold_from(&list, i, seed * 77 + i, expected);
        outcome_free(expected);
        list_free(&list);
    }
}

/* ---- duplicates -------------------------------------------------------------------------- */

enum { RESPONSES = 120, PER_RESPONSE = 6, DIFFERENT = 60 };

typedef struct response {
    licet_receipt receipt;
    unsigned ids[PER_RESPONSE], delivered;
    bool given_up;
} response;

/* The credit of each copy by looking at all others: the earliest of an id in a day counts. */
static void
credits_by_looking(const response *all, uint64_t *out)
{
    memset(out, 0, RESPONSES * sizeof(*out));
    for (unsigned i = 0; i < RESPONSES; i++)
        for (unsigned n = 0; n < all[i].delivered && !all[i].given_up; n++) {
            bool first = true;
            for (unsigned j = 0; j < RESPONSES; j++)
                for (unsigned m = 0; m < all[j].delivered && !all[j].given_up; m++) {
                    const licet_receipt *x = &all[i].receipt, *y = &all[j].receipt;
                    bool earlier = y->time_ms != x->time_ms ? y->time_ms < x->time_ms
                                   : i != j                 ? y->identity.sequence < x->identity.sequence
                                                            : m < n;
                    if (all[i].ids[n] == all[j].ids[m] && x->time_ms / 86400000 == y->time_ms / 86400000 && earlier)
                        first = false;
                }
            out[i] += first ? 0 : 1;
        }
}

static void
add_ids(journal_list *list, const response *r, unsigned from, unsigned to)
{
    uint8_t ids[PER_RESPONSE * 4];
    size_t len = 0;
    for (unsigned n = from; n < to; n++)
        len += (size_t)snprintf((char *)ids + len, 4, "\2%02u", r->ids[n]);
    ADD(list, LICET_JOURNAL_IDS,
        licet_journal_put_ids(&payload, 1, r->receipt.identity, 1, to - from, licet_bytes_of(ids, len)));
}

static void
add_compare(journal_list *list, const response *r, unsigned count)
{
    uint64_t day = r->receipt.time_ms / 86400000 * 86400000;
    licet_seen_window window = {.ledger = 1, .unit = 1, .from_ms = day, .before_ms = day + 86400000};
    licet_seen_copy copy = {r->receipt.time_ms, r->receipt.identity, r->receipt.context};
    ADD(list, LICET_JOURNAL_COMPARE, licet_journal_put_compare(&payload, &window, &copy, count));
}

/* Ids in two pieces, those of the next response between them; ticks here and there. */
static void
duplicates_journal(journal_list *list, response *all, uint64_t seed)
{
    uint64_t random = seed;
    add_ledger(list, 1, "M-2022-7", OCTOBER);
    for (unsigned i = 0; i < RESPONSES; i++) {
        response *r = &all[i];
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        *r = (response){.receipt = {.identity = {1, 7, i},
                                    .time_ms = TEST_T + (random >> 33) % 172800000,
                                    .context = (uint32_t)(random >> 40) % 3,
                                    .status = 200,
                                    .units_len = 1},
                        .delivered = 1 + (unsigned)(random >> 45) % PER_RESPONSE,
                        .given_up = (random >> 50) % 16 == 0};
        r->receipt.units[0] = (licet_receipt_unit){1, r->delivered};
        for (unsigned n = 0; n < PER_RESPONSE; n++)
            r->ids[n] = (unsigned)((random >> (20 + n)) % DIFFERENT);
    }
    add_ids(list, &all[0], 0, 2);
    for (unsigned i = 0; i < RESPONSES; i++) {
        add_ids(list, &all[i], 2, PER_RESPONSE);
        if (i + 1 < RESPONSES)
            add_ids(list, &all[i + 1], 0, 2);
        if (i % 11 == 5)
            add_time(list, LICET_JOURNAL_TICK, TEST_T + 1000 * i);
        if (all[i].given_up)
            add_compare(list, &all[i], 0);
        add_receipt(list, 1, &all[i].receipt);
        add_compare(list, &all[i], all[i].delivered);
    }
    add_time(list, LICET_JOURNAL_TICK, TEST_T + 200000);
}

typedef struct found {
    uint64_t of[RESPONSES];
    size_t entries;
} found;

static bool
on_found(void *user, uint32_t ledger, licet_bytes entry, licet_error *err)
{
    found *f = user;
    licet_duplicates credit;
    f->entries++;
    if (licet_duplicates_decode(entry, &credit, NULL))
        f->of[credit.identity.sequence] += credit.count;
    return true;
}

static bool
on_begun(void *user, uint32_t ledger, licet_bytes name, licet_bytes party, licet_error *err)
{
    return true;
}

static void
test_duplicates_are_found(void **state)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        response *all = calloc(RESPONSES, sizeof(*all));
        uint64_t wanted[RESPONSES];
        journal_list list = {0};
        found f = {0};
        licet_seen *seen;
        licet_fold *fold;
        assert_non_null(all);
        duplicates_journal(&list, all, seed);
        credits_by_looking(all, wanted);
        MUST(seen_ref_open(&seen, oops));
        MUST(licet_fold_new(on_begun, on_found, &f, &fold, oops));
        licet_fold_use(fold, seen);
        for (size_t i = 0; i < list.len; i++)
            MUST(licet_fold_feed(fold, &list.entries[i], oops));
        assert_memory_equal(f.of, wanted, sizeof(wanted));
        assert_int_equal(licet_fold_waiting(fold), 0);
        licet_fold_free(fold);
        seen->ops->close(seen);
        list_free(&list);
        free(all);
    }
}

/* A fold that stops behind a tick and goes on with its set, fed from where that says, credits the same. */
static void
test_duplicates_behind_any_tick(void **state)
{
    response *all = calloc(RESPONSES, sizeof(*all));
    uint64_t wanted[RESPONSES];
    journal_list list = {0};

    assert_non_null(all);
    duplicates_journal(&list, all, 4);
    credits_by_looking(all, wanted);
    for (size_t stop = 0; stop < list.len; stop++) {
        found f = {0};
        licet_seen *seen;
        licet_fold *fold, *again;
        if (list.entries[stop].kind != LICET_JOURNAL_TICK)
            continue;
        MUST(seen_ref_open(&seen, oops));
        MUST(licet_fold_new(on_begun, on_found, &f, &fold, oops));
        licet_fold_use(fold, seen);
        for (size_t i = 0; i <= stop; i++)
            MUST(licet_fold_feed(fold, &list.entries[i], oops));
        MUST(licet_fold_commit_seen(fold, list.entries[stop].number, oops));
        licet_fold_free(fold);
        assert_true(seen->resume <= seen->folded + 1);
        MUST(licet_fold_new(on_begun, on_found, &f, &again, oops));
        MUST(
            licet_fold_recall_ledger(again, 1, LICET_BYTES_LITERAL("M-2022-7"), LICET_BYTES_LITERAL("licensor"), oops));
        /* the ledger as it is: what the first fold gave it */
        licet_fold_start start = {LICET_FOLD_VERSION, LICET_BYTES_LITERAL("M-2022-7"), LICET_BYTES_LITERAL("licensor"),
                                  OCTOBER};
        licet_buffer entry;
        licet_buffer_init(&entry, 1000);
        MUST(licet_fold_start_encode(&start, &entry, oops));
        MUST(licet_fold_recall(again, 1, licet_buffer_view(&entry), oops));
        licet_buffer_done(&entry);
        for (size_t i = 0; i <= stop; i++)
            if (list.entries[i].kind == LICET_JOURNAL_ENTRY)
                MUST(licet_fold_recall(
                    again, 1, licet_bytes_of(list.entries[i].payload.data + 4, list.entries[i].payload.len - 4), oops));
        MUST(licet_fold_recall_folded(again, 1, list.entries[stop].number, oops));
        licet_fold_use(again, seen);
        for (size_t i = (size_t)seen->resume - 1; i < list.len; i++)
            MUST(licet_fold_feed(again, &list.entries[i], oops));
        assert_memory_equal(f.of, wanted, sizeof(wanted));
        licet_fold_free(again);
        seen->ops->close(seen);
    }
    list_free(&list);
    free(all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_and_entries),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_longest_run),
        cmocka_unit_test(test_many_runs),
        cmocka_unit_test(test_periods),
        cmocka_unit_test(test_refused_entries),
        cmocka_unit_test(test_agrees_with_reference),
        cmocka_unit_test(test_begins_behind_any_tick),
        cmocka_unit_test(test_duplicates_are_found),
        cmocka_unit_test(test_duplicates_behind_any_tick),
    };
    return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
