/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of a ledger on a disk that loses what was not synced: after any power
 * loss it opens, nothing that was committed with sync is missing, and what is
 * there is a beginning of what was appended.
 */
#include "disk_fault.h"

#include "ledger_file.h"

static bool disk_write_at(int fd, const char *path, licet_bytes content, uint64_t offset, licet_error *err);

#define licet_file_write_at disk_write_at
#define fdatasync disk_fdatasync
#define fsync disk_fdatasync
#include "ledger_file.c"
#include "ledger_open.c"
#undef licet_file_write_at
#undef fdatasync
#undef fsync

/* As lib/base writes: short writes are tried again, errors are told. */
static bool
disk_write_at(int fd, const char *path, licet_bytes content, uint64_t offset, licet_error *err)
{
    while (content.len > 0) {
        ssize_t n = disk_pwrite(fd, content.data, content.len, (off_t)offset);
        if (n <= 0)
            return LICET_FAIL(err, LICET_E_SYSTEM, offset, "%s: %s", path, strerror(errno));
        content.data += n;
        content.len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

static void
append(licet_ledger *ledger, uint64_t from, uint64_t before)
{
    licet_buffer entry;
    licet_buffer_init(&entry, 1 << 16);
    for (uint64_t i = from; i < before; i++) {
        test_entry(i, &entry);
        MUST(licet_ledger_append(ledger, licet_buffer_view(&entry), oops));
    }
    licet_buffer_done(&entry);
}

static licet_hash
root_of(uint64_t size)
{
    licet_buffer entry;
    licet_frontier frontier;
    licet_buffer_init(&entry, 1 << 16);
    licet_frontier_init(&frontier);
    for (uint64_t i = 0; i < size; i++) {
        test_entry(i, &entry);
        licet_hash leaf = licet_leaf_hash(licet_buffer_view(&entry));
        licet_frontier_append(&frontier, &leaf);
    }
    licet_buffer_done(&entry);
    return licet_frontier_root(&frontier);
}

static void
expect_verified(const char *dir, uint64_t size)
{
    licet_verifier_key key = {.name = "none"};
    licet_ledger_facts facts;
    licet_hash root = root_of(size);
    MUST(licet_ledger_verify(dir, &key, NULL, NULL, &facts, oops));
    assert_true(facts.size == size);
    assert_memory_equal(facts.root.bytes, root.bytes, 32);
}

typedef struct run_state {
    uint64_t synced, written; /* sizes that the last good synced commit and the last tried one had */
    uint64_t random;
} run_state;

/* Commits until one fails, or some rounds are over. */
static void
work(licet_ledger *ledger, run_state *s)
{
    unsigned rounds = 1 + (unsigned)(test_random(&s->random) % 8);
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t size = licet_ledger_size(ledger), next = size + test_random(&s->random) % 300;
        bool sync = test_random(&s->random) % 3 == 0;
        licet_error err = {0};
        append(ledger, size, next);
        the_disk.short_writes = test_random(&s->random) % 4 == 0;
        if (i + 1 == rounds && test_random(&s->random) % 2 == 0)
            the_disk.fail_write = 1 + (unsigned)(test_random(&s->random) % 5);
        if (i + 1 == rounds && test_random(&s->random) % 2 == 0)
            the_disk.fail_sync = 1 + (unsigned)(test_random(&s->random) % 5);
        s->written = next;
        if (!licet_ledger_commit(ledger, next, sync, &err)) {
            assert_int_equal(err.code, LICET_E_SYSTEM);
            return;
        }
        assert_true(licet_ledger_size(ledger) == next);
        if (sync)
            s->synced = next;
    }
}

static void
test_power_loss(void **state)
{
    unsigned fell_back = 0, kept_more = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        char *dir = test_dir_new();
        licet_ledger *ledger = NULL;
        run_state s = {0, 0, seed * 0x9e3779b97f4a7c15ULL};
        disk_reset(seed);
        for (unsigned crash = 0; crash < 4; crash++) {
            MUST(licet_ledger_open(dir, false, &ledger, oops));
            uint64_t size = licet_ledger_size(ledger);
            licet_hash root = licet_ledger_root(ledger), expected = root_of(size);
            if (size < s.synced || size > s.written)
                fail_msg("seed %llu: %llu entries, %llu were synced, %llu written", (unsigned long long)seed,
                         (unsigned long long)size, (unsigned long long)s.synced, (unsigned long long)s.written);
            assert_memory_equal(root.bytes, expected.bytes, 32);
            assert_true(licet_ledger_folded(ledger) == size);
            fell_back += size < s.written;
            kept_more += size > s.synced;
            expect_verified(dir, size); /* opened for writing it is in order again, to the byte */
            s.synced = size; /* what opening adopted it must find again, synced or not: nothing was lost since */
            if (test_random(&s.random) % 3 == 0) {
                MUST(licet_ledger_close(ledger, oops));
                MUST(licet_ledger_open(dir, false, &ledger, oops));
                assert_true(licet_ledger_size(ledger) == size);
            }
            s.synced = ledger->now_durable ? size : 0;
            work(ledger, &s);
            MUST(licet_ledger_close(ledger, oops));
            disk_crash();
        }
        test_dir_free(dir);
    }
    if (fell_back < 20 || kept_more < 20) /* both ways out must be met */
        fail_msg("fell back %u times, kept more %u times", fell_back, kept_more);
}

/* A full disk: the commit fails, what waits is kept, and goes through when there is room. */
static void
test_failed_write_is_kept(void **state)
{
    for (unsigned write = 1; write <= 6; write++)
        for (unsigned sync = 0; sync < 2; sync++) {
            char *dir = test_dir_new();
            licet_ledger *ledger = NULL;
            licet_error err = {0};
            disk_reset(write);
            MUST(licet_ledger_open(dir, false, &ledger, oops));
            append(ledger, 0, 250);
            MUST(licet_ledger_commit(ledger, 1, true, oops));
            append(ledger, 250, 600);
            the_disk.fail_write = write;
            bool ok = licet_ledger_commit(ledger, 2, sync == 1, &err);
            assert_true(ok == (write == 6)); /* five writes: entries, bundles, two tiles, slot */
            the_disk.full = false;
            the_disk.fail_write = 0;
            assert_int_equal(licet_ledger_size(ledger), ok ? 600 : 250);
            append(ledger, 600, 700);
            MUST(licet_ledger_commit(ledger, 3, sync == 1, oops));
            expect_verified(dir, 700);
            MUST(licet_ledger_close(ledger, oops));
            test_dir_free(dir);
        }
}

static void
test_failed_sync_refuses(void **state)
{
    for (unsigned sync = 1; sync <= 4; sync++) {
        char *dir = test_dir_new();
        licet_ledger *ledger = NULL;
        licet_error err = {0};
        disk_reset(sync);
        MUST(licet_ledger_open(dir, false, &ledger, oops));
        append(ledger, 0, 250);
        MUST(licet_ledger_commit(ledger, 1, true, oops));
        append(ledger, 250, 300);
        the_disk.fail_sync = sync;
        assert_false(licet_ledger_commit(ledger, 2, true, &err));
        assert_int_equal(err.code, LICET_E_SYSTEM);
        assert_false(licet_ledger_commit(ledger, 2, true, &err));
        assert_int_equal(err.code, LICET_E_STATE);
        assert_false(licet_ledger_append(ledger, LICET_BYTES_LITERAL("x"), &err));
        assert_int_equal(err.code, LICET_E_STATE);
        MUST(licet_ledger_close(ledger, oops));
        disk_crash();
        MUST(licet_ledger_open(dir, false, &ledger, oops));
        assert_true(licet_ledger_size(ledger) == 250 || licet_ledger_size(ledger) == 300);
        MUST(licet_ledger_close(ledger, oops));
        test_dir_free(dir);
    }
}

/* The first files are made together with the commit record, whose replacing syncs the folder. */
static bool
made_with_the_folder(const char *path)
{
    const char *tile = strstr(path, "/tile-");
    return tile == NULL || strcmp(tile, "/tile-0") == 0;
}

int
main(void)
{
    the_disk.always_named = made_with_the_folder;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_loss),
        cmocka_unit_test(test_failed_write_is_kept),
        cmocka_unit_test(test_failed_sync_refuses),
    };
    return cmocka_run_group_tests_name("ledger-disk", tests, NULL, NULL);
}
