/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The usage tables against their reference, over random ledgers, batches cut
 * anywhere, failures in mid-batch, and a reader beside the writer.
 */
#include "licet/usage.h"
#include "random_ledger.h"
#include "usage_ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define START_MS UINT64_C(1664582400000) /* 2022-10-01 */
#define HOUR_MS UINT64_C(3600000)
#define DAY_MS UINT64_C(86400000)

static licet_error last; /* of the call before */
static char folder[] = "/tmp/licet-usage-XXXXXX";

static const char *
path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static int
make_folder(void **state)
{
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
    char command[300];

    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    return system(command);
}

static licet_usage *
open_new(const char *name)
{
    licet_usage *usage;
    char path[300];

    snprintf(path, sizeof(path), "%s-wal", path_of(name));
    unlink(path);
    snprintf(path, sizeof(path), "%s-shm", path_of(name));
    unlink(path);
    unlink(path_of(name));
    if (!licet_usage_open(path_of(name), false, &usage, &last)) {
        fail_msg("%s", last.text);
    }
    return usage;
}

#define ok(call)                                                                                                       \
    do {                                                                                                               \
        if (!(call)) {                                                                                                 \
            fail_msg("%s:%d: %s: %s", __FILE__, __LINE__, #call, last.text);                                           \
        }                                                                                                              \
    } while (0)

/* Applies entries [from, before), in batches of a length drawn from seed (0: one batch). */
static void
apply_batches(licet_usage *usage, const random_ledger *r, size_t from, size_t before, uint64_t seed)
{
    size_t left = 0;

    for (size_t i = from; i < before; i++) {
        if (left == 0) {
            if (i > from) {
                ok(licet_usage_commit(usage, &last));
            }
            ok(licet_usage_begin(usage, &last));
            left = seed == 0 ? SIZE_MAX : 1 + random_next(&seed) % 100;
        }
        ok(licet_usage_apply(usage, r->name, i, r->entries[i], &last));
        left--;
    }
    if (from < before) {
        ok(licet_usage_commit(usage, &last));
    }
}

static licet_buffer
dump_of(licet_usage *usage)
{
    licet_buffer out;

    licet_buffer_init(&out, 64u << 20);
    ok(licet_usage_dump(usage, &out, &last));
    return out;
}

/* Fails with the first line that differs. */
static void
assert_same(const licet_buffer *a, const licet_buffer *b, uint64_t seed)
{
    size_t i = 0, line = 0;

    if (licet_bytes_equal(licet_buffer_view(a), licet_buffer_view(b))) {
        return;
    }
    while (i < a->len && i < b->len && a->data[i] == b->data[i]) {
        if (a->data[i++] == '\n') {
            line = i;
        }
    }
    fail_msg("seed %llu: dumps differ from byte %zu:\n%.*s\n----\n%.*s", (unsigned long long)seed, i,
             (int)(a->len - line < 200 ? a->len - line : 200), (const char *)a->data + line,
             (int)(b->len - line < 200 ? b->len - line : 200), (const char *)b->data + line);
}

/* Any batches, any order of two ledgers: the dump is that of the reference. */
static void
test_projection(void **state)
{
    static random_ledger a, b;

    for (uint64_t seed = 1; seed <= 12; seed++) {
        licet_usage *usage;
        licet_buffer expected, found;

        random_ledger_make(&a, "M-2022-7", seed, 50 + 150 * seed, START_MS);
        random_ledger_make(&b, "A-1", seed + 100, 300, START_MS);
        licet_buffer_init(&expected, 64u << 20);
        assert_true(usage_ref_dump("A-1", b.entries, b.len, &expected));
        assert_true(usage_ref_dump("M-2022-7", a.entries, a.len, &expected));
        for (unsigned way = 0; way < 4; way++) {
            usage = open_new("projection.db");
            if (way < 2) {
                apply_batches(usage, &a, 0, a.len, way == 0 ? 0 : seed);
                apply_batches(usage, &b, 0, b.len, way == 0 ? 0 : seed);
            } else {
                apply_batches(usage, &b, 0, b.len / 2, seed + way);
                apply_batches(usage, &a, 0, a.len / 3, seed + way);
                if (way == 3) {
                    ok(licet_usage_close(usage, &last));
                    ok(licet_usage_open(path_of("projection.db"), false, &usage, &last));
                }
                apply_batches(usage, &b, b.len / 2, b.len, seed * 3);
                apply_batches(usage, &a, a.len / 3, a.len, seed * 7);
            }
            found = dump_of(usage);
            assert_same(&expected, &found, seed);
            licet_buffer_done(&found);
            ok(licet_usage_close(usage, &last));
        }
        licet_buffer_done(&expected);
        random_ledger_done(&a);
        random_ledger_done(&b);
    }
}

/* A batch that fails leaves nothing behind, in the file or in memory. */
static void
test_failed_batch(void **state)
{
    static random_ledger r;
    licet_usage *usage = open_new("failed.db");
    licet_buffer before, after;
    uint64_t applied;
    licet_receipt stranger = {.context = 999, .status = 200, .identity = {1, 1, 1}};
    licet_buffer entry;

    random_ledger_make(&r, "M-2022-7", 5, 400, START_MS);
    apply_batches(usage, &r, 0, 200, 3);
    before = dump_of(usage);
    licet_buffer_init(&entry, 1000);
    assert_true(licet_receipt_encode(&stranger, &entry, NULL));

    ok(licet_usage_begin(usage, &last));
    for (size_t i = 200; i < 300; i++) {
        ok(licet_usage_apply(usage, r.name, i, r.entries[i], &last));
    }
    assert_false(licet_usage_apply(usage, r.name, 300, licet_buffer_view(&entry), &last));
    assert_int_equal(last.code, LICET_E_CORRUPT);
    assert_string_equal(last.text, "ledger M-2022-7, entry 300: context 999: no record of the ledger says what it is");
    assert_false(licet_usage_commit(usage, &last));
    assert_int_equal(last.code, LICET_E_STATE);
    after = dump_of(usage);
    assert_same(&before, &after, 5);
    ok(licet_usage_applied(usage, r.name, &applied, &last));
    assert_int_equal(applied, 200);

    apply_batches(usage, &r, 200, r.len, 9);
    licet_buffer_done(&before);
    licet_buffer_done(&after);
    licet_buffer_init(&before, 64u << 20);
    assert_true(usage_ref_dump(r.name, r.entries, r.len, &before));
    after = dump_of(usage);
    assert_same(&before, &after, 5);
    licet_buffer_done(&before);
    licet_buffer_done(&after);
    licet_buffer_done(&entry);
    random_ledger_done(&r);
    ok(licet_usage_close(usage, &last));
}

static void
test_order(void **state)
{
    static random_ledger r;
    licet_usage *usage = open_new("order.db");

    random_ledger_make(&r, "M-2022-7", 5, 40, START_MS);
    assert_false(licet_usage_apply(usage, r.name, 0, r.entries[0], &last));
    assert_int_equal(last.code, LICET_E_STATE);
    ok(licet_usage_begin(usage, &last));
    assert_false(licet_usage_begin(usage, &last));
    assert_int_equal(last.code, LICET_E_STATE);
    assert_false(licet_usage_apply(usage, r.name, 1, r.entries[1], &last));
    assert_string_equal(last.text, "ledger M-2022-7, entry 1: entry 0 comes next");
    ok(licet_usage_begin(usage, &last));
    assert_false(licet_usage_apply(usage, r.name, 0, r.entries[1], &last));
    assert_int_equal(last.code, LICET_E_CORRUPT);
    ok(licet_usage_begin(usage, &last));
    assert_false(licet_usage_apply(usage, "another", 0, r.entries[0], &last));
    assert_string_equal(last.text, "ledger another, entry 0: it is the ledger M-2022-7");
    ok(licet_usage_begin(usage, &last));
    ok(licet_usage_apply(usage, r.name, 0, r.entries[0], &last));
    assert_false(licet_usage_apply(usage, r.name, 1, r.entries[0], &last));
    assert_int_equal(last.code, LICET_E_CORRUPT);
    ok(licet_usage_begin(usage, &last));
    ok(licet_usage_apply(usage, r.name, 0, r.entries[0], &last));
    assert_false(licet_usage_apply(usage, r.name, 1, licet_bytes_of("\x7f", 1), &last));
    assert_int_equal(last.code, LICET_E_UNSUPPORTED);
    ok(licet_usage_begin(usage, &last));
    ok(licet_usage_apply(usage, r.name, 0, r.entries[0], &last));
    ok(licet_usage_commit(usage, &last));
    random_ledger_done(&r);
    ok(licet_usage_close(usage, &last));
}

/* A sum stops at 2^63 - 1: in one batch, and across batches. What was made up spoils no table. */
static void
test_overflow(void **state)
{
    licet_fold_start start = {.fold_version = LICET_FOLD_VERSION,
                              .ledger = LICET_BYTES_LITERAL("big"),
                              .party = LICET_BYTES_LITERAL("licensee")};
    licet_context context = {0};
    licet_receipt receipt = {.status = 200, .identity = {1, 1, 1}, .units_len = 1, .units = {{2, INT64_MAX / 2 + 1}}};
    licet_buffer entry, dump;

    licet_buffer_init(&entry, 10000);
    licet_buffer_init(&dump, 100000);
    for (unsigned way = 0; way < 2; way++) {
        licet_usage *usage = open_new("overflow.db");

        ok(licet_usage_begin(usage, &last));
        entry.len = 0;
        ok(licet_fold_start_encode(&start, &entry, &last));
        ok(licet_usage_apply(usage, "big", 0, licet_buffer_view(&entry), &last));
        entry.len = 0;
        ok(licet_context_encode(0, &context, &entry, &last));
        ok(licet_usage_apply(usage, "big", 1, licet_buffer_view(&entry), &last));
        entry.len = 0;
        ok(licet_unit_encode(2, LICET_BYTES_LITERAL("post"), &entry, &last));
        ok(licet_usage_apply(usage, "big", 2, licet_buffer_view(&entry), &last));
        entry.len = 0;
        ok(licet_receipt_encode(&receipt, &entry, &last));
        ok(licet_usage_apply(usage, "big", 3, licet_buffer_view(&entry), &last));
        for (uint64_t index = 4; index < 7; index++) {
            if (way == 1) {
                ok(licet_usage_commit(usage, &last));
                ok(licet_usage_begin(usage, &last));
            }
            ok(licet_usage_apply(usage, "big", index, licet_buffer_view(&entry), &last));
        }
        ok(licet_usage_commit(usage, &last));
        dump.len = 0;
        ok(licet_usage_dump(usage, &dump, &last));
        assert_non_null(
            memmem(dump.data, dump.len, "\t2\t9223372036854775807\t0\n", strlen("\t2\t9223372036854775807\t0\n")));
        ok(licet_usage_close(usage, &last));
    }
    licet_buffer_done(&entry);
    licet_buffer_done(&dump);
}

typedef struct seen {
    uint64_t rows, requests, bytes, posts, beyond, last_hour;
    uint64_t gaps, gap_units, unidentified, refused;
} seen;

static bool
see_row(void *user, const licet_usage_row *row, licet_error *err)
{
    seen *s = user;

    s->rows++;
    s->requests += row->requests;
    s->bytes += row->bytes;
    s->beyond += row->beyond;
    if (licet_bytes_equal_text(row->unit, "post")) {
        s->posts += row->units;
    }
    assert_true(row->hour_ms >= s->last_hour);
    s->last_hour = row->hour_ms;
    return true;
}

static bool
see_gap(void *user, uint64_t index, const licet_gap *gap, const licet_bytes *unit_names, licet_error *err)
{
    seen *s = user;

    s->gaps++;
    for (size_t i = 0; i < gap->units_len; i++) {
        assert_true(unit_names[i].len > 0);
        s->gap_units += gap->units[i].count;
    }
    return true;
}

static bool
see_unidentified(void *user, uint8_t reason, uint64_t count, licet_error *err)
{
    ((seen *)user)->unidentified += count;
    return true;
}

static bool
see_refused(void *user, uint8_t reason, uint64_t count, licet_error *err)
{
    assert_int_equal(reason, LICET_REASON_CANNOT_RECORD);
    ((seen *)user)->refused += count;
    return true;
}

/* What a span holds, counted straight from the entries. */
static seen
count_span(const random_ledger *r, uint64_t from, uint64_t before)
{
    static uint64_t sequences[LICET_REFUSALS_MAX];
    seen s = {0};

    for (size_t i = 0; i < r->len; i++) {
        licet_receipt receipt;
        licet_refusals run;
        licet_gap gap;
        licet_unidentified u;
        licet_refused refused;

        if (licet_receipt_decode(r->entries[i], &receipt, NULL) && receipt.time_ms >= from &&
            receipt.time_ms < before) {
            uint64_t post = 0, user = 0, held_post = 0, held_user = 0;

            s.requests += receipt.part == 0 && receipt.identity.gate != 0;
            s.bytes += receipt.bytes;
            for (size_t j = 0; j < receipt.units_len; j++) {
                uint64_t count = receipt.units[j].count;

                post += receipt.units[j].kind == 3 ? count : 0;
                user += receipt.units[j].kind == 4 ? count : 0;
                held_post += receipt.units[j].kind == 1 ? count : 0;
                held_user += receipt.units[j].kind == 20 ? count : 0;
            }
            s.posts += post;
            if (receipt.unmetered) {
                s.beyond += (held_post > post ? held_post - post : 0) + (held_user > user ? held_user - user : 0);
            }
        } else if (licet_refusals_decode(r->entries[i], sequences, &run, NULL) && run.first_ms >= from &&
                   run.first_ms < before) {
            s.requests += run.count;
        } else if (licet_gap_decode(r->entries[i], &gap, NULL) && gap.from_ms < before &&
                   (gap.to_ms > from || gap.from_ms >= from)) {
            s.gaps++;
            for (size_t j = 0; j < gap.units_len; j++) {
                s.gap_units += gap.units[j].count;
            }
        } else if (licet_unidentified_decode(r->entries[i], &u, NULL) && u.minute >= from / 60000 &&
                   u.minute < before / 60000) {
            s.unidentified += u.count;
        } else if (licet_refused_decode(r->entries[i], &refused, NULL) && refused.to_ms >= from &&
                   refused.to_ms < before) {
            s.refused += refused.count;
        }
    }
    return s;
}

static void
test_each(void **state)
{
    static random_ledger r;
    static const struct {
        uint64_t from, before;
    } spans[] = {{START_MS, START_MS + 70 * DAY_MS},
                 {0, 200000 * DAY_MS},
                 {START_MS + DAY_MS, START_MS + 2 * DAY_MS},
                 {START_MS + 5 * 3600000, START_MS + 900 * UINT64_C(3600000)},
                 {START_MS, START_MS}};
    licet_usage *usage = open_new("each.db");

    random_ledger_make(&r, "M-2022-7", 77, 3000, START_MS);
    apply_batches(usage, &r, 0, r.len, 4);
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        seen expected = count_span(&r, spans[i].from, spans[i].before), found = {0};

        ok(licet_usage_each(usage, r.name, spans[i].from, spans[i].before, see_row, &found, &last));
        ok(licet_usage_gaps(usage, r.name, spans[i].from, spans[i].before, see_gap, &found, &last));
        ok(licet_usage_unidentified(usage, spans[i].from, spans[i].before, see_unidentified, &found, &last));
        ok(licet_usage_refused(usage, r.name, spans[i].from, spans[i].before, see_refused, &found, &last));
        assert_int_equal(found.requests, expected.requests);
        assert_int_equal(found.bytes, expected.bytes);
        assert_int_equal(found.posts, expected.posts);
        assert_int_equal(found.beyond, expected.beyond);
        assert_int_equal(found.gaps, expected.gaps);
        assert_int_equal(found.gap_units, expected.gap_units);
        assert_int_equal(found.unidentified, expected.unidentified);
        assert_int_equal(found.refused, expected.refused);
        assert_true(i > 0 || found.refused > 0);
        assert_true(i > 0 || (found.beyond > 0 && found.gap_units > 0 && found.unidentified > 0));
    }
    assert_false(licet_usage_each(usage, r.name, START_MS + 1, START_MS + DAY_MS, see_row, NULL, &last));
    assert_int_equal(last.code, LICET_E_INVALID);
    ok(licet_usage_each(usage, "nobody", START_MS, START_MS + DAY_MS, see_row, NULL, &last));
    random_ledger_done(&r);
    ok(licet_usage_close(usage, &last));
}

/* A gap is told for every span it touches, also one it began before; a gap of no length lies in its hour. */
static void
test_gap_spans(void **state)
{
    static const struct {
        uint64_t from, before, gaps;
    } cases[] = {{START_MS - 2 * HOUR_MS, START_MS - HOUR_MS, 0},
                 {START_MS - HOUR_MS, START_MS, 1},
                 {START_MS, START_MS + HOUR_MS, 2},
                 {START_MS + HOUR_MS, START_MS + 2 * HOUR_MS, 1},
                 {START_MS + 2 * HOUR_MS, START_MS + DAY_MS, 0},
                 {START_MS - DAY_MS, START_MS + DAY_MS, 2}};
    licet_fold_start start = {.fold_version = LICET_FOLD_VERSION,
                              .ledger = LICET_BYTES_LITERAL("gaps"),
                              .party = LICET_BYTES_LITERAL("licensee")};
    licet_gap gaps[] = {
        {.cause = LICET_GAP_POWER_LOSS, .from_ms = START_MS - 600000, .to_ms = START_MS + HOUR_MS + 1, .requests = 1},
        {.cause = LICET_GAP_WITHOUT_SLOT, .from_ms = START_MS, .to_ms = START_MS, .requests = 2}};
    licet_usage *usage = open_new("gaps.db");
    licet_buffer entry;

    licet_buffer_init(&entry, 1000);
    ok(licet_usage_begin(usage, &last));
    ok(licet_fold_start_encode(&start, &entry, &last));
    ok(licet_usage_apply(usage, "gaps", 0, licet_buffer_view(&entry), &last));
    for (size_t i = 0; i < 2; i++) {
        entry.len = 0;
        ok(licet_gap_encode(&gaps[i], &entry, &last));
        ok(licet_usage_apply(usage, "gaps", i + 1, licet_buffer_view(&entry), &last));
    }
    ok(licet_usage_commit(usage, &last));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        seen found = {0};

        ok(licet_usage_gaps(usage, "gaps", cases[i].from, cases[i].before, see_gap, &found, &last));
        assert_int_equal(found.gaps, cases[i].gaps);
    }
    licet_buffer_done(&entry);
    ok(licet_usage_close(usage, &last));
}

/* A reader sees whole batches while the writer writes, and one view between begin and commit. */
static void
test_reader(void **state)
{
    static random_ledger r;
    licet_usage *usage = open_new("reader.db"), *reader;
    licet_buffer first, second;
    uint64_t applied;

    random_ledger_make(&r, "M-2022-7", 8, 600, START_MS);
    apply_batches(usage, &r, 0, 100, 0);
    ok(licet_usage_open(path_of("reader.db"), true, &reader, &last));
    ok(licet_usage_begin(reader, &last));
    first = dump_of(reader);
    ok(licet_usage_begin(usage, &last));
    for (size_t i = 100; i < 300; i++) {
        ok(licet_usage_apply(usage, r.name, i, r.entries[i], &last));
    }
    ok(licet_usage_commit(usage, &last));
    second = dump_of(reader);
    assert_same(&first, &second, 8);
    ok(licet_usage_commit(reader, &last));
    ok(licet_usage_applied(reader, r.name, &applied, &last));
    assert_int_equal(applied, 300);
    licet_buffer_done(&first);
    licet_buffer_done(&second);
    ok(licet_usage_close(usage, &last));
    ok(licet_usage_close(reader, &last));
    ok(licet_usage_open(path_of("reader.db"), true, &reader, &last)); /* nobody writes */
    ok(licet_usage_applied(reader, r.name, &applied, &last));
    assert_int_equal(applied, 300);
    ok(licet_usage_close(reader, &last));
    random_ledger_done(&r);
}

static void
test_open(void **state)
{
    licet_usage *usage;
    FILE *file;

    assert_false(licet_usage_open(path_of("nothing.db"), true, &usage, &last));
    assert_int_equal(last.code, LICET_E_NOT_FOUND);
    file = fopen(path_of("text.db"), "w");
    assert_non_null(file);
    for (int i = 0; i < 200; i++) {
        fputs("this is no database at all\n", file);
    }
    fclose(file);
    assert_false(licet_usage_open(path_of("text.db"), true, &usage, &last));
    assert_int_equal(last.code, LICET_E_CORRUPT);
    assert_false(licet_usage_open(path_of("text.db"), false, &usage, &last));
    assert_int_equal(last.code, LICET_E_CORRUPT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),         cmocka_unit_test(test_order),     cmocka_unit_test(test_projection),
        cmocka_unit_test(test_failed_batch), cmocka_unit_test(test_overflow),  cmocka_unit_test(test_each),
        cmocka_unit_test(test_reader),       cmocka_unit_test(test_gap_spans),
    };

    return cmocka_run_group_tests_name("usage", tests, make_folder, remove_folder);
}
