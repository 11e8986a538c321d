/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the local journal: its bytes against docs/format/journal.md, every
 * byte changed, every length, and disks that lose what was not synced.
 */
#include "disk_fault.h"

#define pwritev disk_pwritev
#define fdatasync disk_fdatasync
#define fsync disk_fdatasync
#define ftruncate disk_ftruncate
#include "journal_file.c"
#undef pwritev
#undef fdatasync
#undef fsync
#undef ftruncate

#include "../receipt/vectors.h"

static licet_journal *
open_journal(const char *dir, bool read_only)
{
    licet_journal *j = NULL;
    MUST(licet_journal_file_open(dir, read_only, 0, &j, oops));
    return j;
}

static void
close_journal(licet_journal *j)
{
    MUST(j->ops->close(j, oops));
}

/* Entry n has n % 50 bytes, all of them n. */
static void
append_numbered(licet_journal *j, uint64_t number)
{
    uint8_t bytes[64];
    uint64_t got = 0;
    memset(bytes, (int)(number & 0xff), sizeof(bytes));
    MUST(j->ops->append(j, number % 2 ? LICET_JOURNAL_ENTRY : LICET_JOURNAL_IDS, licet_bytes_of(bytes, number % 50),
                        &got, oops));
    assert_true(got == number);
}

static void
commit_numbered(licet_journal *j, uint64_t first, uint64_t before)
{
    licet_journal_position positions[] = {{1, 0, before * 10, before * 20}, {1, 1, 5, 6}};
    for (uint64_t n = first; n < before; n++)
        append_numbered(j, n);
    MUST(j->ops->commit(j, positions, 2, 1000 + before, oops));
}

typedef struct seen {
    uint64_t next;
    bool strict;
} seen;

static bool
see(void *user, const licet_journal_entry *entry, licet_error *err)
{
    seen *s = user;
    if (entry->number != s->next)
        return LICET_FAIL(err, LICET_E_STATE, 0, "entry %llu, expected %llu", (unsigned long long)entry->number,
                          (unsigned long long)s->next);
    s->next++;
    if (!s->strict)
        return true;
    bool ok = entry->payload.len == entry->number % 50 &&
              entry->kind == (entry->number % 2 ? LICET_JOURNAL_ENTRY : LICET_JOURNAL_IDS);
    for (size_t i = 0; i < entry->payload.len; i++)
        ok = ok && entry->payload.data[i] == (uint8_t)entry->number;
    return ok || LICET_FAIL(err, LICET_E_STATE, 0, "entry %llu differs", (unsigned long long)entry->number);
}

static void
expect_entries(licet_journal *j, uint64_t from, uint64_t before)
{
    seen s = {from, true};
    MUST(j->ops->replay(j, from, see, &s, oops));
    assert_true(s.next == before);
}

static void
segment_file(const char *dir, uint64_t first, char out[4096])
{
    snprintf(out, 4096, "%s/%016llx.jnl", dir, (unsigned long long)first);
}

/* ---- the page ------------------------------------------------------------------------- */

static void
test_bytes_of_the_page(void **state)
{
    char *dir = test_dir_new(), path[4096];
    vectors *all = calloc(1, sizeof(*all));
    size_t len;
    assert_non_null(all);
    vectors_read("docs/format/journal.md", all);
    disk_reset(1);
    licet_journal *j = open_journal(dir, false);
    licet_journal_position positions[] = {{7, 0, 2, 0}};
    MUST(j->ops->append(j, LICET_JOURNAL_EPOCH, licet_bytes_of("\0\1\0\0\0\7\1\x83\xc1\xc4\x22\xfa", 12), NULL, oops));
    MUST(j->ops->append(j, LICET_JOURNAL_TICK, licet_bytes_of("\1\x83\xc1\xc4\x22\xfb", 6), NULL, oops));
    MUST(j->ops->commit(j, positions, 1, TEST_T, oops));
    MUST(j->ops->commit(j, NULL, 0, TEST_T, oops));
    close_journal(j);
    segment_file(dir, 1, path);
    uint8_t *data = test_read(path, &len);
    vector *v = vectors_find(all, "segment");
    if (v == NULL || v->len != len || memcmp(v->bytes, data, len) != 0) {
        for (size_t i = 0; i < len; i++)
            fprintf(stderr, "%02x%s", data[i], i % 32 == 31 ? "\n" : "");
        fail_msg("the segment of %zu bytes above is not that of the page", len);
    }
    free(data);
    free(all);
    test_dir_free(dir);
}

static void
test_payloads_of_the_page(void **state)
{
    vectors *all = calloc(1, sizeof(*all));
    static const char *const names[] = {"payload-ledger", "payload-entry", "payload-refusal", "payload-tick",
                                        "payload-ids",    "payload-epoch", "payload-stop",    "payload-compare"};
    licet_identity identity = {1, 7, 4711};
    assert_non_null(all);
    vectors_read("docs/format/journal.md", all);
    for (unsigned i = 0; i < 8; i++) {
        licet_buffer out;
        licet_journal_facts f;
        licet_buffer_init(&out, 1000);
        vector *v = vectors_find(all, names[i]);
        assert_non_null(v);
        switch (i + 1) {
        case LICET_JOURNAL_LEDGER:
            licet_journal_put_ledger(&out, 3, LICET_BYTES_LITERAL("M-2022-7"), LICET_BYTES_LITERAL("licensor"), TEST_T);
            break;
        case LICET_JOURNAL_ENTRY:
            licet_journal_put_entry(&out, 3, licet_bytes_of("\x12\2\0\4post", 8));
            break;
        case LICET_JOURNAL_REFUSAL:
            licet_journal_put_refusal(&out, 3, LICET_REASON_CAP_REACHED, licet_bytes_of("\1\2", 2));
            break;
        case LICET_JOURNAL_IDS:
            licet_journal_put_ids(&out, 3, identity, 2, 2,
                                  licet_bytes_of("\2"
                                                 "41"
                                                 "\2"
                                                 "42",
                                                 6));
            break;
        case LICET_JOURNAL_COMPARE: {
            licet_seen_window window = {3, 2, 0, 1665360000000ULL, 1665446400000ULL, LICET_BYTES_LITERAL("pages")};
            licet_seen_copy copy = {TEST_T, identity, 3};
            licet_journal_put_compare(&out, &window, &copy, 2);
            break;
        }
        case LICET_JOURNAL_EPOCH:
            licet_journal_put_epoch(&out, 1, 7, TEST_T);
            break;
        default:
            licet_journal_put_time(&out, TEST_T);
        }
        if (out.failed || out.len != v->len || memcmp(out.data, v->bytes, v->len) != 0)
            fail_msg("%s differs from the page", names[i]);
        licet_journal_entry entry = {1, (licet_journal_kind)(i + 1), licet_buffer_view(&out)};
        MUST(licet_journal_facts_of(&entry, &f, oops));
        for (size_t cut = 0; cut < out.len; cut++) { /* a cut payload is refused, but where the rest is an entry */
            entry.payload.len = cut;
            bool rest = (i + 1 == LICET_JOURNAL_ENTRY && cut >= 4) || (i + 1 == LICET_JOURNAL_REFUSAL && cut >= 5);
            assert_int_equal(licet_journal_facts_of(&entry, &f, NULL), rest);
        }
        licet_buffer_done(&out);
    }
    for (size_t i = 0; i < all->len; i++)
        if (!all->list[i].used && !all->list[i].refused && strcmp(all->list[i].name, "segment") != 0)
            fail_msg("vector %s of the page is not tested", all->list[i].name);
    free(all);
}

/* ---- writing and reading ------------------------------------------------------------------ */

static void
test_batches(void **state)
{
    char *dir = test_dir_new();
    size_t n;
    disk_reset(1);
    licet_journal *j = open_journal(dir, false);
    assert_int_equal(j->ops->next(j), 1);
    assert_true(j->ops->positions(j, &n) != NULL && n == 0);
    commit_numbered(j, 1, 100);
    expect_entries(j, 1, 100);
    append_numbered(j, 100); /* not committed: nobody sees it */
    assert_int_equal(j->ops->next(j), 101);
    expect_entries(j, 1, 100);
    commit_numbered(j, 101, 300);
    expect_entries(j, 77, 300);
    unsigned syncs = the_disk.syncs;
    const licet_journal_position *p = j->ops->positions(j, &n);
    assert_true(n == 2 && p[0].ring == 3000 && p[0].ids == 6000 && p[1].area == 1);
    MUST(j->ops->commit(j, p, n, 5, oops)); /* nothing new: nothing written */
    assert_int_equal(the_disk.syncs, syncs);
    MUST(j->ops->commit(j, p, 1, 5, oops)); /* other positions alone are worth a batch */
    assert_int_equal(the_disk.syncs, syncs + 1);
    append_numbered(j, 300);
    close_journal(j);
    j = open_journal(dir, false);
    assert_int_equal(j->ops->next(j), 300);
    assert_int_equal(j->ops->cut(j), 0);
    p = j->ops->positions(j, &n);
    assert_true(n == 1 && p[0].ring == 3000);
    syncs = the_disk.syncs;
    commit_numbered(j, 300, 1300);
    assert_int_equal(the_disk.syncs, syncs + 1); /* one sync a batch */
    expect_entries(j, 1, 1300);
    expect_entries(j, 1299, 1300);
    expect_entries(j, 1300, 1300);
    licet_journal *reader = open_journal(dir, true);
    expect_entries(reader, 1, 1300);
    licet_error err = {0};
    assert_false(reader->ops->append(reader, LICET_JOURNAL_TICK, (licet_bytes){NULL, 0}, NULL, &err));
    assert_int_equal(err.code, LICET_E_STATE);
    close_journal(reader);
    close_journal(j);
    test_dir_free(dir);
}

static void
test_segments(void **state)
{
    enum { BIG = 9 << 20 };
    char *dir = test_dir_new(), path[4096];
    uint8_t *bytes = calloc(1, BIG);
    uint64_t next = 1;
    assert_non_null(bytes);
    disk_reset(1);
    licet_journal *j = open_journal(dir, false);
    for (unsigned i = 0; i < 16; i++) {
        MUST(j->ops->append(j, LICET_JOURNAL_IDS, licet_bytes_of(bytes, BIG), NULL, oops));
        MUST(j->ops->commit(j, NULL, 0, 1, oops));
        next++;
    }
    close_journal(j);
    for (uint64_t first = 1; first <= 15; first += 7) {
        struct stat st;
        segment_file(dir, first, path);
        assert_int_equal(stat(path, &st), 0);
        assert_true(st.st_size <= SEGMENT_MAX);
    }
    for (unsigned round = 0; round < 2; round++) {
        seen s = {round == 0 ? 1 : 9, false};
        j = open_journal(dir, round == 1);
        assert_true(j->ops->next(j) == next);
        MUST(j->ops->replay(j, s.next, see, &s, oops));
        assert_true(s.next == next);
        close_journal(j);
    }
    segment_file(dir, 8, path); /* the one in the middle */
    licet_error err = {0};
    uint8_t byte = 0xff;
    test_poke(path, 30000000, &byte, 1);
    assert_false(licet_journal_file_open(dir, true, 0, &j, &err));
    assert_int_equal(err.code, LICET_E_CORRUPT);
    assert_non_null(strstr(err.text, "0000000000000008.jnl: byte "));
    unlink(path);
    assert_false(licet_journal_file_open(dir, true, 0, &j, &err));
    assert_int_equal(err.code, LICET_E_CORRUPT);
    assert_non_null(strstr(err.text, "000000000000000f.jnl"));
    free(bytes);
    test_dir_free(dir);
}

static void
test_ceilings(void **state)
{
    char *dir = test_dir_new();
    licet_error err = {0};
    uint8_t *bytes = calloc(1, BATCH_BODY_MAX);
    licet_journal_position positions[LICET_JOURNAL_POSITIONS_MAX + 1] = {{0, 0, 0, 0}};
    assert_non_null(bytes);
    disk_reset(1);
    licet_journal *j = open_journal(dir, false);
    assert_false(j->ops->append(j, LICET_JOURNAL_IDS, licet_bytes_of(bytes, BATCH_BODY_MAX), NULL, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    MUST(j->ops->append(j, LICET_JOURNAL_IDS, licet_bytes_of(bytes, BATCH_BODY_MAX - 5), NULL, oops));
    assert_false(j->ops->append(j, LICET_JOURNAL_IDS, licet_bytes_of(bytes, 0), NULL, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    assert_false(j->ops->commit(j, positions, LICET_JOURNAL_POSITIONS_MAX + 1, 1, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    MUST(j->ops->commit(j, positions, LICET_JOURNAL_POSITIONS_MAX, 1, oops));
    for (unsigned i = 0; i < BATCH_ENTRIES_MAX; i++)
        MUST(j->ops->append(j, LICET_JOURNAL_IDS, (licet_bytes){NULL, 0}, NULL, oops));
    assert_false(j->ops->append(j, LICET_JOURNAL_IDS, (licet_bytes){NULL, 0}, NULL, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    MUST(j->ops->commit(j, NULL, 0, 1, oops));
    close_journal(j);
    j = open_journal(dir, true);
    assert_int_equal(j->ops->next(j), BATCH_ENTRIES_MAX + 2);
    close_journal(j);
    free(bytes);
    test_dir_free(dir);
}

/* A journal that lost its end to a power loss the ledgers survived: numbers go on behind what they name. */
static void
test_raised_numbers(void **state)
{
    char *dir = test_dir_new();
    licet_journal *j = NULL;
    disk_reset(1);
    for (unsigned empty = 0; empty < 2; empty++) {
        uint64_t first = empty ? 50 : 10;
        if (!empty) {
            j = open_journal(dir, false);
            commit_numbered(j, 1, 10);
            close_journal(j);
        }
        MUST(licet_journal_file_open(dir, false, empty ? 100 : 50, &j, oops));
        first = empty ? 100 : 50;
        assert_true(j->ops->next(j) == first);
        if (!empty)
            expect_entries(j, 1, 10);
        commit_numbered(j, first, first + 5);
        commit_numbered(j, first + 5, first + 9);
        close_journal(j);
        MUST(licet_journal_file_open(dir, false, 3, &j, oops));
        assert_true(j->ops->next(j) == first + 9);
        expect_entries(j, first, first + 9);
        close_journal(j);
    }
    test_dir_free(dir);
}

/* ---- faults ------------------------------------------------------------------------------- */

/* Opens a copy of the journal's only segment cut to len bytes; the entries of whole batches must all be there. */
static void
test_every_length(void **state)
{
    char *dir = test_dir_new(), path[4096];
    size_t len, ends[5] = {SEGMENT_HEADER};
    uint64_t firsts[5] = {1, 4, 5, 5, 30};
    disk_reset(1);
    licet_journal *j = open_journal(dir, false);
    segment_file(dir, 1, path);
    for (unsigned i = 1; i < 5; i++) {
        commit_numbered(j, firsts[i - 1], firsts[i]);
        if (i == 3)
            MUST(j->ops->commit(j, NULL, 0, 9, oops));
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        ends[i] = (size_t)st.st_size;
    }
    close_journal(j);
    uint8_t *data = test_read(path, &len);
    assert_true(len == ends[4]);
    for (size_t cut = 0; cut <= len; cut++)
        for (unsigned read_only = 0; read_only < 2; read_only++) {
            unsigned whole = 0;
            while (whole < 4 && ends[whole + 1] <= cut)
                whole++;
            test_write(path, data, cut);
            disk_reset(1);
            j = open_journal(dir, read_only == 1);
            size_t start = cut < SEGMENT_HEADER ? 0 : ends[whole];
            /* the batch with other positions alone stands between the ends */
            if (!(j->ops->cut(j) <= cut - start))
                fail_msg("cut at %zu: %llu dropped", cut, (unsigned long long)j->ops->cut(j));
            assert_true(j->ops->next(j) == firsts[whole]);
            expect_entries(j, 1, firsts[whole]);
            if (read_only == 0) { /* and it goes on from there */
                commit_numbered(j, firsts[whole], firsts[whole] + 3);
                close_journal(j);
                j = open_journal(dir, true);
                expect_entries(j, 1, firsts[whole] + 3);
                assert_int_equal(j->ops->cut(j), 0);
            }
            close_journal(j);
        }
    free(data);
    test_dir_free(dir);
}

/* A changed byte is CORRUPT with its place; only in the last batch it cannot be told from an unfinished write. */
static void
test_every_byte_changed(void **state)
{
    char *dir = test_dir_new(), path[4096], place[4200];
    size_t len;
    struct stat st;
    disk_reset(1);
    licet_journal *j = open_journal(dir, false);
    segment_file(dir, 1, path);
    commit_numbered(j, 1, 12);
    commit_numbered(j, 12, 40);
    assert_int_equal(stat(path, &st), 0);
    commit_numbered(j, 40, 60);
    close_journal(j);
    uint8_t *data = test_read(path, &len);
    for (size_t i = 0; i < len; i++) {
        licet_error err = {0};
        uint8_t changed = data[i] ^ (uint8_t)(1u << (i % 8));
        test_poke(path, i, &changed, 1);
        bool ok = licet_journal_file_open(dir, true, 0, &j, &err);
        if (i < (size_t)st.st_size) {
            snprintf(place, sizeof(place), "%s: byte ", path);
            if (ok || err.code != LICET_E_CORRUPT || strstr(err.text, place) == NULL)
                fail_msg("byte %zu: %s", i, ok ? "not found" : err.text);
        } else {
            assert_true(ok);
            assert_int_equal(j->ops->next(j), 40);
            assert_int_equal(j->ops->cut(j), len - (size_t)st.st_size);
            close_journal(j);
        }
        test_poke(path, i, &data[i], 1);
    }
    free(data);
    test_dir_free(dir);
}

/* Every batch that commit acknowledged is there after any power loss, and at most the one under way besides. */
static void
test_power_loss(void **state)
{
    for (uint64_t seed = 1; seed <= 400; seed++) {
        char *dir = test_dir_new();
        uint64_t acknowledged = 1, random = seed * 0x9e3779b97f4a7c15ULL;
        unsigned crashes = 0;
        disk_reset(seed * 77 + 1);
        licet_journal *j = open_journal(dir, false);
        while (crashes < 5) {
            uint64_t next = acknowledged + test_random(&random) % 60;
            the_disk.short_writes = test_random(&random) % 4 == 0;
            bool crash = test_random(&random) % 4 == 0;
            licet_journal_position position = {1, 0, next, 0};
            licet_error err = {0};
            for (uint64_t n = acknowledged; n < next; n++)
                append_numbered(j, n);
            if (crash && test_random(&random) % 3 == 0)
                the_disk.fail_write = 1 + (unsigned)(test_random(&random) % 3);
            else if (crash)
                the_disk.fail_sync = 1 + (unsigned)(test_random(&random) % 3);
            if (j->ops->commit(j, &position, 1, next, &err))
                acknowledged = next;
            else
                assert_true(crash);
            if (!crash)
                continue;
            close_journal(j);
            disk_crash();
            crashes++;
            j = open_journal(dir, false);
            uint64_t there = j->ops->next(j);
            if (there != acknowledged && there != next)
                fail_msg("seed %llu: %llu entries acknowledged, %llu tried, %llu there", (unsigned long long)seed,
                         (unsigned long long)acknowledged, (unsigned long long)next, (unsigned long long)there);
            expect_entries(j, 1, there);
            acknowledged = there;
        }
        close_journal(j);
        test_dir_free(dir);
    }
}

static void
test_failed_sync_refuses(void **state)
{
    char *dir = test_dir_new();
    licet_error err = {0};
    seen s = {1, true};
    disk_reset(1);
    licet_journal *j = open_journal(dir, false);
    commit_numbered(j, 1, 10);
    append_numbered(j, 10);
    the_disk.fail_sync = 1;
    assert_false(j->ops->commit(j, NULL, 0, 1, &err));
    assert_int_equal(err.code, LICET_E_SYSTEM);
    assert_false(j->ops->commit(j, NULL, 0, 1, &err));
    assert_int_equal(err.code, LICET_E_STATE);
    assert_false(j->ops->append(j, LICET_JOURNAL_TICK, (licet_bytes){NULL, 0}, NULL, &err));
    assert_int_equal(err.code, LICET_E_STATE);
    assert_false(j->ops->replay(j, 1, see, &s, &err));
    assert_int_equal(err.code, LICET_E_STATE);
    close_journal(j);
    j = open_journal(dir, false); /* what was not synced is not there, however whole it lies in the page cache */
    assert_int_equal(j->ops->next(j), 10);
    expect_entries(j, 1, 10);
    close_journal(j);
    test_dir_free(dir);
}

/* Who died between write and sync acknowledged nothing; who finds the batch makes it durable before it counts. */
static void
test_what_is_found_is_synced(void **state)
{
    char *dir = test_dir_new(), path[4096];
    size_t whole, durable;
    disk_reset(1);
    licet_journal *j = open_journal(dir, false);
    commit_numbered(j, 1, 10);
    close_journal(j);
    segment_file(dir, 1, path);
    uint8_t *first = test_read(path, &durable);
    j = open_journal(dir, false);
    commit_numbered(j, 10, 20);
    close_journal(j);
    uint8_t *both = test_read(path, &whole);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && durable < whole);
    assert_int_equal(disk_ftruncate(fd, (off_t)durable), 0);
    assert_int_equal(disk_fdatasync(fd), 0);
    struct iovec batch = {both + durable, whole - durable};
    assert_int_equal(disk_pwritev(fd, &batch, 1, (off_t)durable), batch.iov_len);
    close(fd);
    j = open_journal(dir, false);
    assert_int_equal(j->ops->next(j), 20);
    assert_int_equal(the_disk.writes_len, 0); /* none that a power loss could take */
    close_journal(j);
    free(first);
    free(both);
    test_dir_free(dir);
}

/* A full disk takes nothing away: the batch is kept and goes through once there is room. */
static void
test_failed_write_is_kept(void **state)
{
    char *dir = test_dir_new();
    disk_reset(1);
    licet_journal *j = open_journal(dir, false);
    commit_numbered(j, 1, 10);
    for (unsigned n = 10; n < 20; n++)
        append_numbered(j, n);
    for (unsigned piece = 1; piece <= 3; piece++) {
        licet_error err = {0};
        the_disk.fail_write = piece;
        if (j->ops->commit(j, NULL, 0, 1, &err))
            fail_msg("write %u did not fail", piece);
        assert_int_equal(err.code, LICET_E_SYSTEM);
        the_disk.full = false;
        licet_journal *reader = open_journal(dir, true);
        expect_entries(reader, 1, 10);
        assert_int_equal(reader->ops->cut(reader), 0);
        close_journal(reader);
    }
    commit_numbered(j, 20, 30);
    expect_entries(j, 1, 30);
    close_journal(j);
    test_dir_free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_of_the_page),
        cmocka_unit_test(test_payloads_of_the_page),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_raised_numbers),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_power_loss),
        cmocka_unit_test(test_failed_sync_refuses),
        cmocka_unit_test(test_what_is_found_is_synced),
        cmocka_unit_test(test_failed_write_is_kept),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
