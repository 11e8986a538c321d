/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer signs what extends, refuses what shrinks or forks, and knows it
 * again after a start and after a torn write.
 */
#include "signer/signer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants the headers above first. */
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#define LEAVES 20

typedef struct world {
    char dir[64], key[96], record[96];
    licet_verifier_key verifier;
    licet_signer *signer;
    licet_hash leaves[LEAVES];
} world;

#define must(call)                                                                                                     \
    do {                                                                                                               \
        if (!(call)) {                                                                                                 \
            fail_msg("%s: %s", #call, err.text);                                                                       \
        }                                                                                                              \
    } while (0)

/* RFC 6962 section 2.1, as it stands there. */
static licet_hash
root_of(const licet_hash *leaves, uint64_t n)
{
    licet_frontier frontier;

    licet_frontier_init(&frontier);
    for (uint64_t i = 0; i < n; i++) {
        licet_frontier_append(&frontier, &leaves[i]);
    }
    return licet_frontier_root(&frontier);
}

/* PROOF and SUBPROOF of RFC 6962 section 2.1.2; the trees here are small. */
static void
subproof(uint64_t m, const licet_hash *leaves, uint64_t n, bool whole, licet_proof *out)
{
    uint64_t k = 1;

    if (m == n) {
        if (!whole) {
            out->hashes[out->len++] = root_of(leaves, n);
        }
        return;
    }
    while (k * 2 < n) {
        k *= 2;
    }
    if (m <= k) {
        subproof(m, leaves, k, whole, out);
        out->hashes[out->len++] = root_of(leaves + k, n - k);
    } else {
        subproof(m - k, leaves + k, n - k, false, out);
        out->hashes[out->len++] = root_of(leaves, k);
    }
}

static bool
sign(world *w, const licet_hash *leaves, uint64_t old, uint64_t size, licet_checkpoint *out, licet_error *err)
{
    licet_proof proof = {.len = 0};
    licet_hash root = root_of(leaves, size);
    licet_buffer note;
    bool ok;

    if (old > 0 && old < size) {
        subproof(old, leaves, size, true, &proof);
    }
    licet_buffer_init(&note, 65536);
    ok = licet_signer_sign(w->signer, "A-1", old, size, &root, &proof, &note, err) &&
         licet_checkpoint_open(licet_buffer_view(&note), &w->verifier, 1, out, err);
    licet_buffer_done(&note);
    return ok;
}

static int
setup(void **state)
{
    world *w = calloc(1, sizeof(*w));
    licet_signer_key key;
    licet_error err = {0};
    licet_buffer text;
    uint8_t seed[32];

    assert_non_null(w);
    strcpy(w->dir, "/tmp/licet-signer-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->key, sizeof(w->key), "%s/key", w->dir);
    snprintf(w->record, sizeof(w->record), "%s/signed", w->dir);
    memset(seed, 3, sizeof(seed));
    must(licet_signer_key_make(LICET_BYTES_LITERAL("licet-t"), seed, &key, &err));
    licet_buffer_init(&text, 4096);
    assert_true(licet_signer_key_format(&key, &text));
    must(licet_file_replace(w->key, licet_buffer_view(&text), 0600, &err));
    licet_buffer_done(&text);
    must(licet_signer_key_make(LICET_BYTES_LITERAL("licet-t/A-1"), seed, &key, &err));
    w->verifier = key.verifier;
    for (unsigned i = 0; i < LEAVES; i++) {
        uint8_t byte = (uint8_t)i;

        w->leaves[i] = licet_leaf_hash(licet_bytes_of(&byte, 1));
    }
    must(licet_signer_start(w->key, w->record, &w->signer, &err));
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    world *w = *state;

    licet_signer_stop(w->signer);
    unlink(w->key);
    unlink(w->record);
    rmdir(w->dir);
    free(w);
    return 0;
}

static void
test_signs_what_extends(void **state)
{
    world *w = *state;
    licet_checkpoint checkpoint;
    licet_error err = {0};
    licet_hash root;
    uint64_t old = 0, size;

    for (size = 1; size <= LEAVES; size += size < 5 ? 1 : 3) {
        must(sign(w, w->leaves, old, size, &checkpoint, &err));
        assert_int_equal(checkpoint.size, size);
        assert_string_equal(checkpoint.origin, "licet-t/A-1");
        must(licet_signer_last(w->signer, "A-1", &old, &root, &err));
        assert_int_equal(old, size);
    }
    must(licet_signer_last(w->signer, "A-2", &old, &root, &err));
    assert_int_equal(old, 0);
}

static void
test_signs_the_same_again(void **state)
{
    world *w = *state;
    licet_checkpoint checkpoint;
    licet_error err = {0};

    must(sign(w, w->leaves, 0, 7, &checkpoint, &err));
    must(sign(w, w->leaves, 7, 7, &checkpoint, &err));
}

static void
refused(world *w, const licet_hash *leaves, uint64_t old, uint64_t size, const char *sentence)
{
    licet_checkpoint checkpoint;
    licet_error err = {0};

    assert_false(sign(w, leaves, old, size, &checkpoint, &err));
    assert_int_equal(err.code, LICET_E_STATE);
    if (strstr(err.text, sentence) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, sentence);
    }
}

static void
test_refuses_to_shrink_or_fork(void **state)
{
    world *w = *state;
    licet_checkpoint checkpoint;
    licet_hash other[LEAVES];
    licet_error err = {0};

    memcpy(other, w->leaves, sizeof(other));
    other[2].bytes[0] ^= 1;
    must(sign(w, w->leaves, 0, 7, &checkpoint, &err));
    refused(w, w->leaves, 7, 6, "would shrink it");
    refused(w, other, 7, 12, "does not extend");
    refused(w, other, 7, 7, "does not extend");
    refused(w, w->leaves, 5, 12, "the proof begins at 5");
    refused(w, w->leaves, 0, 12, "the proof begins at 0");
    must(sign(w, w->leaves, 7, 12, &checkpoint, &err));
}

static void
again(world *w)
{
    licet_error err = {0};

    licet_signer_stop(w->signer);
    w->signer = NULL;
    must(licet_signer_start(w->key, w->record, &w->signer, &err));
}

static void
test_knows_it_again(void **state)
{
    world *w = *state;
    licet_checkpoint checkpoint;
    licet_error err = {0};

    must(sign(w, w->leaves, 0, 7, &checkpoint, &err));
    again(w);
    refused(w, w->leaves, 7, 6, "would shrink it");
    must(sign(w, w->leaves, 7, 9, &checkpoint, &err));
}

static void
spoil(const world *w, off_t at)
{
    int fd = open(w->record, O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "spoilt", 6, at), 6);
    close(fd);
}

static void
test_a_torn_write_spoils_one_half(void **state)
{
    world *w = *state;
    licet_checkpoint checkpoint;
    licet_error err = {0};
    licet_hash root;
    uint64_t size = 0;

    must(sign(w, w->leaves, 0, 7, &checkpoint, &err));
    must(sign(w, w->leaves, 7, 9, &checkpoint, &err)); /* turn 2: the first half */
    spoil(w, 40);
    again(w);
    must(licet_signer_last(w->signer, "A-1", &size, &root, &err));
    assert_int_equal(size, 7);
    licet_signer_stop(w->signer);
    w->signer = NULL;
    spoil(w, 128 + 40);
    assert_false(licet_signer_start(w->key, w->record, &w->signer, &err));
    assert_non_null(strstr(err.text, "both copies at byte 0 are damaged"));
}

static void
test_says_why_it_cannot_begin(void **state)
{
    world *w = *state;
    licet_signer *other = NULL;
    licet_error err = {0};

    assert_false(licet_signer_start("/nonexistent/key", w->record, &other, &err));
    assert_non_null(strstr(err.text, "/nonexistent/key"));
    must(licet_file_replace(w->key, LICET_BYTES_LITERAL("no key"), 0600, &err));
    assert_false(licet_signer_start(w->key, w->record, &other, &err));
    assert_non_null(strstr(err.text, w->key));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(signs_what_extends), TEST(signs_the_same_again),         TEST(refuses_to_shrink_or_fork),
        TEST(knows_it_again),     TEST(a_torn_write_spoils_one_half), TEST(says_why_it_cannot_begin),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
