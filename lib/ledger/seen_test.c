/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the set of seen ids: the files against the list of seen_ref.c on
 * random logs, in any order and over any number of openings, and the four
 * counting rules on one log.
 */
#include "ledger_test.h"

#include "licet/image.h"
#include "seen_ref.h"
#include "seen_run.h"

#include <dirent.h>
#include <fcntl.h>

#define DAY UINT64_C(86400000)
#define T0 UINT64_C(1664582400000) /* 2022-10-01 */

/* ---- a random log -------------------------------------------------------------------- */

typedef struct page { /* one response */
    licet_seen_copy copy;
    unsigned app;
    uint32_t count;
    size_t len;
    uint8_t ids[512];
} page;

static uint64_t
next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static page
random_page(uint64_t *state, uint64_t i, uint64_t times, unsigned different)
{
    page p = {.copy = {T0 + next(state) % times, {1, 7, i}, (uint32_t)(i % 5)}, .app = (unsigned)(next(state) % 3)};

    p.count = 1 + (uint32_t)(next(state) % 12);
    for (uint32_t n = 0; n < p.count; n++) {
        char id[40];
        int len = snprintf(id, sizeof(id), "%0*llu", next(state) % 40 == 0 ? 30 : 1,
                           (unsigned long long)(next(state) % different));
        p.ids[p.len++] = (uint8_t)len;
        memcpy(p.ids + p.len, id, (size_t)len);
        p.len += (size_t)len;
    }
    return p;
}

typedef struct credits { /* what was credited, by sequence */
    uint64_t *of, total;
    size_t len;
} credits;

static bool
on_credit(void *user, const licet_seen_copy *copy, licet_error *err)
{
    credits *c = user;
    assert_true(copy->identity.sequence < c->len);
    c->of[copy->identity.sequence]++;
    c->total++;
    return true;
}

static void
add(licet_seen *seen, const licet_image_dedup *rule, const page *p, credits *to)
{
    static const char *const apps[] = {"a", "b", "pages"};
    licet_seen_window w = {.ledger = 3, .unit = 2};

    if (rule->over == LICET_OVER_APP)
        w.scope = licet_bytes_of_text(apps[p->app]);
    licet_image_dedup_window(NULL, rule, p->copy.time_ms, &w.from_ms, &w.before_ms);
    MUST(seen->ops->add(seen, &w, &p->copy, licet_bytes_of(p->ids, p->len), p->count, on_credit, to, oops));
}

static credits
credits_new(size_t len)
{
    credits c = {calloc(len, sizeof(uint64_t)), 0, len};
    assert_non_null(c.of);
    return c;
}

static void
dir_of(char out[64])
{
    snprintf(out, 64, "/tmp/licet-seen-XXXXXX");
    assert_non_null(mkdtemp(out));
    strcat(out, "/set");
}

static void
dir_gone(char *dir)
{
    MUST(licet_seen_file_remove(dir, oops));
    assert_int_equal(rmdir(dir), 0);
    *strrchr(dir, '/') = '\0';
    assert_int_equal(rmdir(dir), 0);
}

static const licet_image_dedup DAILY = {
    .per = LICET_PER_DAY, .zone = LICET_NONE, .first_day = 1, .over = LICET_OVER_LICENSEE};
static const licet_image_dedup DAILY_APP = {
    .per = LICET_PER_DAY, .zone = LICET_NONE, .first_day = 1, .over = LICET_OVER_APP};
static const licet_image_dedup CYCLE = {
    .per = LICET_PER_MONTH, .zone = LICET_NONE, .first_day = 10, .over = LICET_OVER_LICENSEE};

/* ---- tests ---------------------------------------------------------------------------- */

/* What is committed and opened again knows what it knew; what was not is gone, and may be added again. */
static void
test_against_the_list(void **state)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t random = seed;
        size_t pages = 600;
        credits fast = credits_new(pages), slow = credits_new(pages);
        const licet_image_dedup *rule = seed % 3 == 0 ? &CYCLE : seed % 3 == 1 ? &DAILY : &DAILY_APP;
        licet_seen *file, *list;
        char dir[64];

        dir_of(dir);
        MUST(licet_seen_file_open(dir, seed, &file, oops));
        MUST(seen_ref_open(&list, oops));
        for (size_t i = 0; i < pages; i++) {
            page p = random_page(&random, i, 4 * DAY, 400);
            add(file, rule, &p, &fast);
            add(list, rule, &p, &slow);
            if (next(&random) % 40 == 0)
                MUST(file->ops->commit(file, i + 1, i + 2, T0, oops));
            if (next(&random) % 150 == 0) {
                MUST(file->ops->commit(file, i + 1, i + 2, T0 + i, oops));
                file->ops->close(file);
                MUST(licet_seen_file_open(dir, seed + i, &file, oops));
                assert_int_equal(file->folded, i + 1);
                assert_int_equal(file->resume, i + 2);
                assert_int_equal(file->tick_ms, T0 + i);
            }
        }
        assert_true(slow.total > 0);
        for (size_t i = 0; i < pages; i++)
            if (fast.of[i] != slow.of[i])
                fail_msg("seed %llu: response %zu is credited %llu, the list says %llu", (unsigned long long)seed, i,
                         (unsigned long long)fast.of[i], (unsigned long long)slow.of[i]);
        assert_true(file->ops->has(file, 3));
        assert_false(file->ops->has(file, 4));
        file->ops->close(file);
        list->ops->close(list);
        dir_gone(dir);
        free(fast.of);
        free(slow.of);
    }
}

/* Which copies are credited does not depend on the order in which they come. */
static void
test_any_order(void **state)
{
    enum { PAGES = 200 };
    page *pages = calloc(PAGES, sizeof(*pages));
    uint64_t random = 5;
    credits first = credits_new(PAGES);

    for (size_t i = 0; i < PAGES; i++)
        pages[i] = random_page(&random, i, 2 * DAY, 150);
    for (unsigned round = 0; round < 6; round++) {
        credits now = credits_new(PAGES);
        licet_seen *seen;
        char dir[64];
        dir_of(dir);
        MUST(licet_seen_file_open(dir, round, &seen, oops));
        for (size_t i = 0; i < PAGES; i++)
            add(seen, &DAILY, &pages[i], round == 0 ? &first : &now);
        if (round > 0)
            assert_memory_equal(now.of, first.of, PAGES * sizeof(*now.of));
        for (size_t i = PAGES - 1; i > 0; i--) {
            size_t j = next(&random) % (i + 1);
            page other = pages[i];
            pages[i] = pages[j];
            pages[j] = other;
        }
        seen->ops->close(seen);
        dir_gone(dir);
        free(now.of);
    }
    free(first.of);
    free(pages);
}

/* One log, four rules (none, cycle, day, day for each app), four totals. */
static void
test_four_rules(void **state)
{
    const licet_image_dedup *rules[] = {NULL, &CYCLE, &DAILY, &DAILY_APP};
    uint64_t totals[4];

    for (unsigned r = 0; r < 4; r++) {
        uint64_t random = 11, gross = 0;
        credits c = credits_new(400);
        licet_seen *seen;
        MUST(seen_ref_open(&seen, oops));
        for (size_t i = 0; i < c.len; i++) {
            page p = random_page(&random, i, 20 * DAY, 900);
            gross += p.count;
            if (rules[r] != NULL)
                add(seen, rules[r], &p, &c);
        }
        totals[r] = gross - c.total;
        seen->ops->close(seen);
        free(c.of);
    }
    assert_true(totals[0] > totals[3] && totals[3] > totals[2] && totals[2] > totals[1]);
}

/* A set of which a byte changed is not opened. */
static void
test_flipped_bytes(void **state)
{
    uint64_t random = 3;
    credits c = credits_new(50);
    licet_seen *seen;
    char dir[64];
    DIR *d;

    dir_of(dir);
    MUST(licet_seen_file_open(dir, 1, &seen, oops));
    for (size_t i = 0; i < c.len; i++) {
        page p = random_page(&random, i, DAY, 100);
        add(seen, &DAILY, &p, &c);
    }
    MUST(seen->ops->commit(seen, 9, 10, T0, oops));
    seen->ops->close(seen);
    d = opendir(dir);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[400];
        struct stat st;
        uint8_t byte;
        int fd;
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        fd = open(path, O_RDWR);
        assert_true(fd >= 0 && fstat(fd, &st) == 0);
        for (off_t at = 0; at < st.st_size; at += 1 + st.st_size / 97) {
            licet_error err = {0};
            assert_int_equal(pread(fd, &byte, 1, at), 1);
            byte ^= 0x10;
            assert_int_equal(pwrite(fd, &byte, 1, at), 1);
            if (licet_seen_file_open(dir, 1, &seen, &err))
                fail_msg("%s: byte %lld flipped, and it is opened", e->d_name, (long long)at);
            assert_true(err.code == LICET_E_CORRUPT || err.code == LICET_E_UNSUPPORTED);
            byte ^= 0x10;
            assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        }
        close(fd);
    }
    closedir(d);
    MUST(licet_seen_file_open(dir, 1, &seen, oops));
    assert_int_equal(seen->folded, 9);
    seen->ops->close(seen);
    dir_gone(dir);
    free(c.of);
}

/* Windows long past are forgotten with their ids, the others stay. */
static void
test_past(void **state)
{
    credits c = credits_new(8);
    page p = {.copy = {T0, {1, 7, 1}, 0}, .count = 1, .len = 2, .ids = {1, 'x'}};
    licet_seen *seen;
    char dir[64];

    dir_of(dir);
    MUST(licet_seen_file_open(dir, 1, &seen, oops));
    add(seen, &DAILY, &p, &c);
    p.copy = (licet_seen_copy){T0 + 40 * DAY, {1, 7, 2}, 0};
    add(seen, &DAILY, &p, &c);
    MUST(seen->ops->past(seen, T0 + DAY + LICET_SEEN_KEEP_MS - 1, oops));
    MUST(seen->ops->commit(seen, 1, 2, T0, oops));
    p.copy = (licet_seen_copy){T0 + 5, {1, 7, 3}, 0};
    add(seen, &DAILY, &p, &c);
    assert_int_equal(c.of[3], 1);
    MUST(seen->ops->past(seen, T0 + DAY + LICET_SEEN_KEEP_MS, oops));
    MUST(seen->ops->commit(seen, 2, 3, T0, oops));
    p.copy = (licet_seen_copy){T0 + 6, {1, 7, 4}, 0};
    add(seen, &DAILY, &p, &c);
    assert_int_equal(c.of[4], 0);
    p.copy = (licet_seen_copy){T0 + 40 * DAY + 6, {1, 7, 5}, 0};
    add(seen, &DAILY, &p, &c);
    assert_int_equal(c.of[5], 1);
    MUST(seen->ops->clear(seen, oops));
    assert_false(seen->ops->has(seen, 3));
    seen->ops->close(seen);
    dir_gone(dir);
    free(c.of);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_the_list), cmocka_unit_test(test_any_order), cmocka_unit_test(test_four_rules),
        cmocka_unit_test(test_flipped_bytes),    cmocka_unit_test(test_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
