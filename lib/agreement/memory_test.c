/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory fails: the n-th allocation gives nothing, for every n, while a site is read, planned and applied. Each run
 * ends with an error and everything freed, or it did the whole; a site is never half applied, and no list of mistakes
 * is short in silence.
 *
 * The test's own malloc stands before the C library's. Sanitizers bring a malloc of their own; there the test is
 * skipped.
 */
#include "test_site.h"

#include "licet/store.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#ifndef OWN_MALLOC
#define OWN_MALLOC 1
#endif

#if OWN_MALLOC
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *old, size_t size);
void free(void *data);
void __libc_free(void *data);

static long live;            /* allocations not freed */
static long calls_left = -1; /* until the one that fails; -1: none does */
static bool failed;

static bool
fails_now(void)
{
    if (calls_left < 0) {
        return false;
    }
    if (calls_left-- > 0) {
        return false;
    }
    failed = true;
    return true;
}

static void *
counted(void *data)
{
    live += data != NULL;
    return data;
}

void *
malloc(size_t size)
{
    return fails_now() ? NULL : counted(__libc_malloc(size));
}

void *
calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : counted(__libc_calloc(n, size));
}

void *
realloc(void *old, size_t size)
{
    if (fails_now()) {
        return NULL;
    }
    return old == NULL ? counted(__libc_realloc(old, size)) : __libc_realloc(old, size);
}

void
free(void *data)
{
    live -= data != NULL;
    __libc_free(data);
}

static void
fail_after(long calls)
{
    calls_left = calls;
    failed = false;
}

/* Every n until a run needs fewer allocations. */
static void
test_load(void **state)
{
    test_site site;
    long n = 0;

    test_site_init(&site);
    test_change(&site, CONFIG, "gate: 1", "gate: 0"); /* so that mistakes need memory, too */
    do {
        licet_mistakes mistakes = {0};
        licet_site *loaded = NULL;
        licet_error err = {0};
        long before = live;
        fail_after(n);
        bool good = licet_site_load(site.dir, &mistakes, &loaded, &err);
        bool hit = failed;
        calls_left = -1;
        assert_false(good);
        if (err.code == LICET_E_INVALID) {
            assert_int_equal(mistakes.len, 1);
        } else if (!hit) {
            fail_msg("allocation %ld: %s", n, err.text);
        }
        licet_mistakes_done(&mistakes);
        assert_int_equal(live, before);
        n++;
        if (!hit) {
            break;
        }
    } while (n < 100000);
    assert_true(n > 100 && n < 100000);
    test_site_done(&site);
}

static void
test_apply(void **state)
{
    test_site site;
    bool hit = true;
    long n = 0;

    test_site_init(&site);
    licet_site *loaded = test_site_load(&site);
    for (; hit && n < 100000; n++) {
        char text[64];
        licet_store *store = NULL;
        licet_store_changes changes = {0};
        licet_error err = {0};
        snprintf(text, sizeof(text), "most: %ld", 1000 + n);
        test_change(&site, VERSION, "most: 2_000_000", text);
        licet_site_free(loaded);
        loaded = test_site_load(&site);
        long before = live;
        assert_true(licet_store_open(site.dir, false, &store, NULL));
        uint64_t generation = licet_store_generation(store);
        fail_after(n);
        bool good = licet_store_apply(store, loaded, &changes, &err);
        hit = failed;
        calls_left = -1;
        licet_store_changes_done(&changes);
        licet_store_close(store);
        store = NULL;
        assert_int_equal(live, before);
        if (!good && !hit) {
            fail_msg("allocation %ld: %s", n, err.text);
        }
        assert_true(licet_store_open(site.dir, true, &store, NULL));
        assert_true(good ? licet_store_generation(store) > generation : licet_store_generation(store) == generation);
        if (generation != 0 || good) {
            assert_non_null(licet_store_image_of(store, "M-2022-7"));
        }
        licet_store_close(store);
    }
    assert_true(n > 20 && n < 100000);
    licet_site_free(loaded);
    test_site_done(&site);
}
#else
static void
test_load(void **state)
{
    skip();
}

static void
test_apply(void **state)
{
    skip();
}
#endif

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_load), cmocka_unit_test(test_apply)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
