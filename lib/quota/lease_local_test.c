/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases of the node: what was granted is there again; a cut end is dropped,
 * a damaged middle is told of with its byte.
 */
#include "licet/lease.h"

#include "world.h"

#include <sys/stat.h>

typedef struct folder {
    char dir[64], path[96];
} folder;

static void
folder_init(folder *f)
{
    snprintf(f->dir, sizeof(f->dir), "/tmp/licet-leases-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/leases", f->dir);
}

static void
folder_done(const folder *f)
{
    unlink(f->path);
    assert_int_equal(rmdir(f->dir), 0);
}

static licet_lease_store *
open_store(const folder *f)
{
    licet_lease_store *store = NULL;
    licet_error err;

    if (!licet_lease_local_open(f->path, &store, &err)) {
        fail_msg("%s", err.text);
    }
    return store;
}

static bool
put_text(void *user, const licet_lease_grant *grant)
{
    char *text = user;
    size_t len = strlen(text);

    snprintf(text + len, 256 - len, "%u/%s=%llu ", grant->cell, grant->kind, (unsigned long long)grant->granted);
    return true;
}

static void
assert_totals(licet_lease_store *store, uint32_t epoch, bool ended, const char *expected)
{
    char text[256] = "";
    uint32_t e = 99;
    bool over = !ended;

    assert_true(store->ops->each(store, &e, &over, put_text, text, NULL));
    assert_int_equal(e, epoch);
    assert_int_equal(over, ended);
    assert_string_equal(text, expected);
}

static void
grant(licet_lease_store *store, uint32_t epoch, uint32_t cell, const char *kind, uint64_t granted)
{
    licet_lease_grant one = {.cell = cell, .granted = granted};
    licet_error err;

    snprintf(one.kind, sizeof(one.kind), "%s", kind);
    if (!store->ops->grant(store, epoch, &one, 1, &err)) {
        fail_msg("%s", err.text);
    }
}

static void
test_life(void **state)
{
    folder f;
    licet_error err;

    folder_init(&f);
    licet_lease_store *store = open_store(&f);
    assert_totals(store, 0, false, "");
    licet_lease_grant early = {.cell = 1, .kind = "post", .granted = 5};
    assert_false(store->ops->grant(store, 1, &early, 1, &err)); /* no epoch yet */
    assert_int_equal(err.code, LICET_E_STATE);
    assert_true(store->ops->begin(store, 4, &err));
    grant(store, 4, 2, "post", 100);
    grant(store, 4, 1, "post", 50);
    grant(store, 4, 1, "article", 10);
    grant(store, 4, 2, "post", 300);
    assert_false(store->ops->grant(store, 4, &early, 1, &err)); /* falls */
    assert_int_equal(err.code, LICET_E_INVALID);
    assert_false(store->ops->grant(store, 3, &early, 1, &err));
    assert_false(store->ops->begin(store, 4, &err));
    store->ops->close(store);

    store = open_store(&f);
    assert_totals(store, 4, false, "1/article=10 1/post=50 2/post=300 ");
    assert_true(store->ops->end(store, 4, &err));
    early.granted = 500;
    assert_false(store->ops->grant(store, 4, &early, 1, &err)); /* ended */
    store->ops->close(store);

    store = open_store(&f);
    assert_totals(store, 4, true, "1/article=10 1/post=50 2/post=300 ");
    assert_true(store->ops->begin(store, 5, &err));
    assert_totals(store, 5, false, "");
    store->ops->close(store);
    store = open_store(&f);
    assert_totals(store, 5, false, "");
    store->ops->close(store);
    folder_done(&f);
}

/* The file cut at every byte: what was granted before the cut is there, and the store goes on. */
static void
test_cut_everywhere(void **state)
{
    folder f;
    uint64_t ends[4];
    struct stat st;
    uint8_t *whole = NULL;
    size_t len;

    folder_init(&f);
    licet_lease_store *store = open_store(&f);
    assert_true(store->ops->begin(store, 4, NULL));
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(stat(f.path, &st), 0);
        ends[i] = (uint64_t)st.st_size;
        grant(store, 4, i, "post", 100 + i);
    }
    store->ops->close(store);
    assert_true(licet_file_read(f.path, 1 << 20, &whole, &len, NULL));
    for (size_t cut = ends[0]; cut <= len; cut++) {
        char expected[256] = "";
        assert_true(licet_file_replace(f.path, licet_bytes_of(whole, cut), 0600, NULL));
        for (uint32_t i = 0; i < 4; i++) {
            if (cut >= (i < 3 ? ends[i + 1] : len)) {
                put_text(expected, &(licet_lease_grant){.cell = i, .kind = "post", .granted = 100 + i});
            }
        }
        store = open_store(&f);
        assert_totals(store, 4, false, expected);
        grant(store, 4, 9, "user", 7);
        store->ops->close(store);
        put_text(expected, &(licet_lease_grant){.cell = 9, .kind = "user", .granted = 7});
        store = open_store(&f);
        assert_totals(store, 4, false, expected);
        store->ops->close(store);
    }
    free(whole);
    folder_done(&f);
}

/* Every byte but those of the last record, changed: damage, with the byte where its record begins. */
static void
test_damage_everywhere(void **state)
{
    folder f;
    uint8_t *whole = NULL;
    size_t len;
    struct stat st;
    licet_lease_store *store;
    licet_error err;

    folder_init(&f);
    store = open_store(&f);
    assert_true(store->ops->begin(store, 4, NULL));
    grant(store, 4, 1, "post", 100);
    assert_int_equal(stat(f.path, &st), 0);
    grant(store, 4, 2, "post", 100);
    store->ops->close(store);
    assert_true(licet_file_read(f.path, 1 << 20, &whole, &len, NULL));
    for (off_t at = 0; at < st.st_size; at++) {
        whole[at] ^= 0x10;
        assert_true(licet_file_replace(f.path, licet_bytes_of(whole, len), 0600, NULL));
        if (licet_lease_local_open(f.path, &store, &err) || err.code != LICET_E_CORRUPT || err.offset > (uint64_t)at ||
            (uint64_t)at - err.offset > 64) {
            fail_msg("byte %lld changed, and nobody saw it there", (long long)at);
        }
        whole[at] ^= 0x10;
    }
    free(whole);
    folder_done(&f);
}

static void
test_stays_small(void **state)
{
    folder f;
    struct stat st;

    folder_init(&f);
    licet_lease_store *store = open_store(&f);
    assert_true(store->ops->begin(store, 1, NULL));
    licet_lease_grant *grants = calloc(1000, sizeof(*grants));
    for (uint64_t round = 1; round <= 120; round++) {
        for (uint32_t i = 0; i < 1000; i++) {
            grants[i] = (licet_lease_grant){.cell = i, .kind = "post", .granted = round * 1000};
        }
        assert_true(store->ops->grant(store, 1, grants, 1000, NULL));
        assert_int_equal(stat(f.path, &st), 0);
        assert_true(st.st_size < (2 << 20));
    }
    store->ops->close(store);
    store = open_store(&f);
    uint32_t epoch;
    bool ended;
    char text[256] = "";
    assert_true(store->ops->each(store, &epoch, &ended, put_text, text, NULL));
    assert_non_null(strstr(text, "0/post=120000 1/post=120000 "));
    store->ops->close(store);
    free(grants);
    folder_done(&f);
}

static void
test_bad_grants(void **state)
{
    folder f;
    licet_error err;
    licet_lease_grant bad = {.cell = 1, .granted = 5};

    folder_init(&f);
    licet_lease_store *store = open_store(&f);
    assert_true(store->ops->begin(store, 1, NULL));
    assert_false(store->ops->grant(store, 1, &bad, 1, &err));
    assert_int_equal(err.code, LICET_E_INVALID);
    memset(bad.kind, 'k', sizeof(bad.kind)); /* no end */
    assert_false(store->ops->grant(store, 1, &bad, 1, &err));
    assert_int_equal(err.code, LICET_E_INVALID);
    assert_true(store->ops->grant(store, 1, NULL, 0, &err));
    store->ops->close(store);
    assert_true(licet_file_replace(f.path, LICET_BYTES_LITERAL("something else"), 0600, NULL));
    assert_false(licet_lease_local_open(f.path, &store, &err));
    assert_int_equal(err.code, LICET_E_CORRUPT);
    assert_false(licet_lease_local_open("/nonexistent/leases", &store, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    folder_done(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_damage_everywhere),
        cmocka_unit_test(test_stays_small),
        cmocka_unit_test(test_bad_grants),
    };

    return cmocka_run_group_tests_name("lease_local", tests, NULL, NULL);
}
