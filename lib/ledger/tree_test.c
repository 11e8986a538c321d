/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the tree: published vectors (leaves are the ASCII decimal index),
 * then agreement with the recursive definition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"
#include "tree_ref.h"

#define SIZES_MAX 300

static licet_hash
hash_of(const char *hex)
{
    licet_hash h;
    if (!licet_unhex(licet_bytes_of_text(hex), h.bytes, 32))
        fail_msg("bad vector %s", hex);
    return h;
}

static void
expect_hash(const char *what, licet_hash got, const char *hex)
{
    char text[65];
    licet_hex(got.bytes, 32, text);
    if (strcmp(text, hex) != 0)
        fail_msg("%s: got %s, expected %s", what, text, hex);
}

static licet_hash
decimal_leaf(uint64_t index)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)index);
    return licet_leaf_hash(licet_bytes_of(text, (size_t)len));
}

static licet_hash *
decimal_leaves(uint64_t n)
{
    licet_hash *leaves = calloc(n + 1, sizeof(*leaves));
    assert_non_null(leaves);
    for (uint64_t i = 0; i < n; i++)
        leaves[i] = decimal_leaf(i);
    return leaves;
}

/* ---- vectors ------------------------------------------------------------------- */

static const char *const LEAVES[] = {
    "db3426e878068d28d269b6c87172322ce5372b65756d0789001d34835f601c03",
    "2215e8ac4e2b871c2a48189e79738c956c081e23ac2f2415bf77da199dfd920c",
    "fa61e3dec3439589f4784c893bf321d0084f04c572c7af2b68e3f3360a35b486",
    "906c5d2485cae722073a430f4d04fe1767507592cef226629aeadb85a2ec909d",
    "11e1f558223f4c71b6be1cecfd1f0de87146d2594877c27b29ec519f9040213c",
    "53304f5e3fd4bcd20b39abdef2fe118031cc5ae8217bcea008dea7e27869348a",
    "3bf9c81c231cae70b678d3f3038f9f4f6d6b9d7adcf9b378f25919ae53d17686",
    "797427cf8368051fe7b8e3e9d5ade9c5bc9d0cf96f4f3fad2a1e1d7848368188",
};

static void
test_leaf_and_node_vectors(void **state)
{
    uint8_t bytes[65535];
    licet_hash l0 = decimal_leaf(0), l1 = decimal_leaf(1);
    for (uint64_t i = 0; i < sizeof(LEAVES) / sizeof(LEAVES[0]); i++)
        expect_hash("leaf", decimal_leaf(i), LEAVES[i]);
    expect_hash("node", licet_node_hash(&l0, &l1), "cb00989d94a569c0a678ae042b63dcd4625db96440517f37a6eb7976ea24ed4b");
    expect_hash("leaf of nothing", licet_leaf_hash((licet_bytes){NULL, 0}),
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    for (unsigned i = 0; i < 119; i++)
        bytes[i] = (uint8_t)i;
    expect_hash("54 bytes", licet_leaf_hash((licet_bytes){bytes, 54}),
                "66e78c94beb028a07211b62d4dae7fe1b607afc6e088fb6ecb69375d79b3abd1");
    expect_hash("55 bytes", licet_leaf_hash((licet_bytes){bytes, 55}),
                "5c57828c6496b5bebee064ab94381ff360d9f79677927bdde280566bcc9b78bc");
    expect_hash("118 bytes", licet_leaf_hash((licet_bytes){bytes, 118}),
                "ae0b90abb722187740242f9402f54a4051e6b0e6a9d63ea6de0161e1b38eae72");
    expect_hash("119 bytes", licet_leaf_hash((licet_bytes){bytes, 119}),
                "06061fd677bed172f635e5b83119f200422154b0c886700c393c023c8294af21");
    memset(bytes, 0x5a, sizeof(bytes));
    expect_hash("65535 bytes", licet_leaf_hash((licet_bytes){bytes, sizeof(bytes)}),
                "6f21e24950c7f4d1c4b94efe1a42b23dec7213b1caf4d662b2d05cf1f731dd58");
    memcpy(bytes, l0.bytes, 32);
    memcpy(bytes + 32, l1.bytes, 32);
    expect_hash("leaf of two hashes", licet_leaf_hash((licet_bytes){bytes, 64}),
                "df311959f8f1692c5b977bd750f8241be7823573acd6e76dba923e1ecbaade77");
}

static const struct {
    uint64_t size;
    const char *root;
} ROOTS[] = {
    {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {1, "db3426e878068d28d269b6c87172322ce5372b65756d0789001d34835f601c03"},
    {2, "cb00989d94a569c0a678ae042b63dcd4625db96440517f37a6eb7976ea24ed4b"},
    {3, "725d5230db68f557470dc35f1d8865813acd7ebb07ad152774141decbae71327"},
    {4, "9f4a3fc20d4162dc37d4e23d907848731a76043ffff6d69288bf1abfbcff478e"},
    {5, "b6748f6ed7a99de7da84fd97e1a3bac6fab8999f4a43695cab9528a2de431147"},
    {6, "32805cc5e94134743d0aa580ef2ee332687b687fc2e4e2f72fee1cc712e0ba0c"},
    {7, "a3e23b32ccb6bf96d092d165d8aa546e09829de8f03b0e8957581d1e16b92bdf"},
    {8, "3b85a9626c1ccb64c6b95ec7fa64888defe2cf12e39e77e10812ce5fcb9cb58e"},
    {13, "2520e1f2087a43eef012fea4774dc1568c8710a9cfa7f7e5094725f9e7ea19a2"},
    {255, "32f85bcaa87d7bcd05728f09e9aeba350ba6a2f733830087f0597682848be5cb"},
    {256, "828515d033c19d8c901f37eccb8aed919667703486f8d2fff1cf7040321c5db1"},
    {257, "1eda049a4351d86f76252bd7ec0b7746ad75b7fa0316ad5f541dbda458a312c4"},
    {511, "5f3d69e102370be409122d11a2e605e6b653b071b8b4b4bd2833fae40652f11d"},
    {512, "d4b2162495ca609dc06390d353ca0c55107765c609e0226eb747d89105dc8d55"},
    {65535, "74f13a0e1a75689372efb990cf68c664e44c763d9304844955b2eaff624e8df1"},
    {65536, "f025d06ed804859fd274a1bdacadd6e48ea87634aa91e1edb20143f9498cd02b"},
    {65537, "dc8795a25fd4bd52a0b84f639fd3139ba160824023d188e428eb5db0f3ce221a"},
    {70000, "1a4cdfcb66374a0c0dcbef49acbd4976d13ee864fb3cb241fc943cad04f02f7e"},
};

static void
test_root_vectors(void **state)
{
    licet_frontier frontier;
    size_t at = 0;
    licet_frontier_init(&frontier);
    for (uint64_t size = 0; at < sizeof(ROOTS) / sizeof(ROOTS[0]); size++) {
        if (size > 0) {
            licet_hash leaf = decimal_leaf(size - 1);
            licet_frontier_append(&frontier, &leaf);
        }
        if (ROOTS[at].size == size)
            expect_hash("root", licet_frontier_root(&frontier), ROOTS[at++].root);
    }
}

typedef struct path_case {
    uint64_t from, to; /* index and size, or old and new size */
    const char *hashes[8];
} path_case;

static licet_proof
proof_of(const char *const *hashes)
{
    licet_proof proof = {.len = 0};
    while (hashes[proof.len] != NULL) {
        proof.hashes[proof.len] = hash_of(hashes[proof.len]);
        proof.len++;
    }
    return proof;
}

static licet_hash
root_of(uint64_t size)
{
    licet_hash *leaves = decimal_leaves(size);
    licet_hash root = licet_ref_root(leaves, size);
    free(leaves);
    return root;
}

static const path_case INCLUSIONS[] = {
    {5,
     7,
     {"11e1f558223f4c71b6be1cecfd1f0de87146d2594877c27b29ec519f9040213c",
      "3bf9c81c231cae70b678d3f3038f9f4f6d6b9d7adcf9b378f25919ae53d17686",
      "9f4a3fc20d4162dc37d4e23d907848731a76043ffff6d69288bf1abfbcff478e", NULL}},
    {6,
     7,
     {"d2737dce8a7df1d7d5cf4d5f52d274802c71bfe20a2e078682e71c182d398c90",
      "9f4a3fc20d4162dc37d4e23d907848731a76043ffff6d69288bf1abfbcff478e", NULL}},
    {2,
     8,
     {"906c5d2485cae722073a430f4d04fe1767507592cef226629aeadb85a2ec909d",
      "cb00989d94a569c0a678ae042b63dcd4625db96440517f37a6eb7976ea24ed4b",
      "31f2973ab63e19375dfe0d165a92ebd9a13d28b5e6fc78072c4068bd7bbfbc37", NULL}},
    {0, 1, {NULL}},
};

static const path_case CONSISTENCIES[] = {
    {3,
     7,
     {"fa61e3dec3439589f4784c893bf321d0084f04c572c7af2b68e3f3360a35b486",
      "906c5d2485cae722073a430f4d04fe1767507592cef226629aeadb85a2ec909d",
      "cb00989d94a569c0a678ae042b63dcd4625db96440517f37a6eb7976ea24ed4b",
      "973f083957c7359fb1943acf9e6689bca6ca5ea7197d808aad3c14498689efe0", NULL}},
    {4, 7, {"973f083957c7359fb1943acf9e6689bca6ca5ea7197d808aad3c14498689efe0", NULL}},
    {6,
     8,
     {"d2737dce8a7df1d7d5cf4d5f52d274802c71bfe20a2e078682e71c182d398c90",
      "f384a00ff1483ad123c05cb5035c9bfa46a2d925548a5fa36acf1776c9b0f448",
      "9f4a3fc20d4162dc37d4e23d907848731a76043ffff6d69288bf1abfbcff478e", NULL}},
    {7, 7, {NULL}},
};

/* ---- proofs from leaves in memory ----------------------------------------------- */

typedef struct memory_tree {
    const licet_hash *leaves;
    uint64_t n;
} memory_tree;

static bool
memory_node(void *user, unsigned height, uint64_t position, licet_hash *out_hash, licet_error *err)
{
    const memory_tree *tree = user;
    uint64_t width = 1ULL << height;
    assert_true((position + 1) * width <= tree->n); /* nobody may ask for a node that is not perfect */
    *out_hash = licet_ref_root(tree->leaves + position * width, width);
    return true;
}

static void
expect_proof(const char *what, const licet_proof *got, const licet_proof *expected)
{
    if (got->len != expected->len || memcmp(got->hashes, expected->hashes, 32 * got->len) != 0)
        fail_msg("%s: proof differs", what);
}

static void
test_inclusion_vectors(void **state)
{
    for (size_t i = 0; i < sizeof(INCLUSIONS) / sizeof(INCLUSIONS[0]); i++) {
        const path_case *c = &INCLUSIONS[i];
        licet_proof proof = proof_of(c->hashes), made;
        licet_hash root = root_of(c->to), leaf = decimal_leaf(c->from);
        licet_hash *leaves = decimal_leaves(c->to);
        memory_tree tree = {leaves, c->to};
        assert_true(licet_inclusion_verify(c->from, c->to, &leaf, &proof, &root));
        assert_true(licet_tree_inclusion(c->from, c->to, memory_node, &tree, &made, NULL));
        expect_proof("inclusion", &made, &proof);
        free(leaves);
    }
}

static void
test_inclusion_refused(void **state)
{
    const path_case *c = NULL;
    for (size_t i = 0; i < sizeof(INCLUSIONS) / sizeof(INCLUSIONS[0]); i++)
        if (INCLUSIONS[i].from == 6 && INCLUSIONS[i].to == 7)
            c = &INCLUSIONS[i];
    assert_non_null(c);
    licet_proof proof = proof_of(c->hashes), other;
    licet_hash root = root_of(7), leaf = decimal_leaf(6);
    assert_true(licet_inclusion_verify(6, 7, &leaf, &proof, &root));
    assert_false(licet_inclusion_verify(5, 7, &leaf, &proof, &root));
    assert_false(licet_inclusion_verify(6, 8, &leaf, &proof, &root));
    assert_false(licet_inclusion_verify(7, 7, &leaf, &proof, &root));
    other = proof;
    other.hashes[other.len++] = root;
    assert_false(licet_inclusion_verify(6, 7, &leaf, &other, &root));
    other = proof;
    other.len--;
    assert_false(licet_inclusion_verify(6, 7, &leaf, &other, &root));
    assert_false(licet_inclusion_verify(0, 0, &leaf, &other, &root));
}

static void
test_inclusion_lengths(void **state)
{
    static const struct {
        uint64_t index;
        unsigned len;
    } lengths[] = {{0, 17}, {12345, 17}, {65535, 17}, {65536, 14}, {69999, 9}};
    licet_hash *leaves = decimal_leaves(70000);
    memory_tree tree = {leaves, 70000};
    licet_hash root = licet_ref_root(leaves, 70000);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        licet_proof proof;
        assert_true(licet_tree_inclusion(lengths[i].index, 70000, memory_node, &tree, &proof, NULL));
        assert_int_equal(proof.len, lengths[i].len);
        assert_true(licet_inclusion_verify(lengths[i].index, 70000, &leaves[lengths[i].index], &proof, &root));
    }
    free(leaves);
}

static void
test_consistency_vectors(void **state)
{
    for (size_t i = 0; i < sizeof(CONSISTENCIES) / sizeof(CONSISTENCIES[0]); i++) {
        const path_case *c = &CONSISTENCIES[i];
        licet_proof proof = proof_of(c->hashes), made;
        licet_hash old_root = root_of(c->from), new_root = root_of(c->to);
        licet_hash *leaves = decimal_leaves(c->to);
        memory_tree tree = {leaves, c->to};
        assert_true(licet_consistency_verify(c->from, c->to, &proof, &old_root, &new_root));
        assert_true(licet_tree_consistency(c->from, c->to, memory_node, &tree, &made, NULL));
        expect_proof("consistency", &made, &proof);
        free(leaves);
    }
}

static void
test_consistency_refused(void **state)
{
    licet_hash r3 = root_of(3), r4 = root_of(4), r7 = root_of(7), r8 = root_of(8), empty = licet_empty_root();
    licet_proof p37 = proof_of(CONSISTENCIES[0].hashes), p47 = proof_of(CONSISTENCIES[1].hashes), other = {.len = 0};
    assert_true(CONSISTENCIES[0].from == 3 && CONSISTENCIES[1].from == 4);
    other.len = 2;
    other.hashes[0] = r4;
    other.hashes[1] = p47.hashes[0];
    assert_false(licet_consistency_verify(4, 7, &other, &r4, &r7));
    assert_false(licet_consistency_verify(3, 7, &p37, &r7, &r3));
    other.len = 0;
    assert_false(licet_consistency_verify(8, 7, &other, &r8, &r7));
    assert_true(licet_consistency_verify(7, 7, &other, &r7, &r7));
    assert_false(licet_consistency_verify(7, 7, &other, &r7, &r8));
    assert_false(licet_consistency_verify(3, 7, &other, &r3, &r7));
    assert_true(licet_consistency_verify(0, 7, &other, &empty, &r7));
    assert_false(licet_consistency_verify(0, 7, &other, &r3, &r7));
    other.len = 1;
    other.hashes[0] = r7;
    assert_false(licet_consistency_verify(7, 7, &other, &r7, &r7));
    assert_false(licet_consistency_verify(0, 7, &other, &empty, &r7));
    other = p37;
    other.len--;
    assert_false(licet_consistency_verify(3, 7, &other, &r3, &r7));
    other = p37;
    other.hashes[other.len] = other.hashes[other.len - 1];
    other.len++;
    assert_false(licet_consistency_verify(3, 7, &other, &r3, &r7));
}

static void
test_subtree_vectors(void **state)
{
    licet_hash a = hash_of("96b29c97461c0c1dff7a1e0528b2f80ed70e7a5d363a1267f49f6aa822ce20ae");
    licet_hash root14 = hash_of("b2985dcc386c0054afec7eb026fbde89884f94c0e8cc64b3a78cfd051d2da71b");
    const char *const first[] = {"14d7ff06c97daecfad7a749f4e5906a74ae8606d72d0c92697b7f9fe8c5a6bb4",
                                 "bfee87eb94a2778bda67282ca105e1637febe6bd21b074bda56e7fd14d19dc68",
                                 "5b663a362601be3f3bac6431f9f61546fec111f629c96443d7b67cc0bdd5c945",
                                 "3b85a9626c1ccb64c6b95ec7fa64888defe2cf12e39e77e10812ce5fcb9cb58e", NULL};
    licet_hash b = hash_of("d2737dce8a7df1d7d5cf4d5f52d274802c71bfe20a2e078682e71c182d398c90");
    const char *const second[] = {"3bf9c81c231cae70b678d3f3038f9f4f6d6b9d7adcf9b378f25919ae53d17686",
                                  "9f4a3fc20d4162dc37d4e23d907848731a76043ffff6d69288bf1abfbcff478e", NULL};
    licet_proof pa = proof_of(first), pb = proof_of(second);
    licet_hash root7 = root_of(7), r14 = root_of(14);
    assert_memory_equal(&root14, &r14, 32);
    assert_true(licet_subtree_verify(8, 13, 14, &pa, &a, &root14));
    assert_true(licet_subtree_verify(4, 6, 7, &pb, &b, &root7));
    assert_false(licet_subtree_verify(8, 13, 14, &pa, &b, &root14));
    assert_false(licet_subtree_verify(4, 7, 7, &pb, &b, &root7));
    assert_false(licet_subtree_verify(2, 6, 7, &pb, &b, &root7)); /* no node of any tree */
    assert_false(licet_subtree_verify(6, 6, 7, &pb, &b, &root7));
}

/* ---- agreement with the definition ------------------------------------------------ */

static void
test_roots_agree(void **state)
{
    licet_hash *leaves = decimal_leaves(SIZES_MAX);
    licet_frontier frontier, found;
    licet_frontier_init(&frontier);
    for (uint64_t n = 0; n <= SIZES_MAX; n++) {
        licet_hash expected = licet_ref_root(leaves, n), got = licet_frontier_root(&frontier);
        memory_tree tree = {leaves, n};
        assert_memory_equal(&got, &expected, 32);
        assert_true(licet_tree_frontier(n, memory_node, &tree, &found, NULL));
        assert_int_equal(found.len, frontier.len);
        assert_int_equal(found.size, frontier.size);
        assert_memory_equal(found.hashes, frontier.hashes, 32 * frontier.len);
        if (n < SIZES_MAX) {
            licet_hash tops[TILE_LEVELS];
            unsigned tops_len = licet_frontier_push(&frontier, &leaves[n], tops);
            assert_int_equal(tops_len, n == 255 ? 1 : 0);
            if (tops_len == 1) {
                licet_hash top = licet_ref_root(leaves, 256);
                assert_memory_equal(&tops[0], &top, 32);
            }
        }
    }
    free(leaves);
}

static void
test_inclusions_agree(void **state)
{
    licet_hash *leaves = decimal_leaves(SIZES_MAX);
    for (uint64_t n = 1; n <= SIZES_MAX; n++) {
        memory_tree tree = {leaves, n};
        licet_hash root = licet_ref_root(leaves, n);
        for (uint64_t i = 0; i<n; i += n> 130 ? 7 : 1) {
            licet_proof expected = {.len = 0}, got;
            licet_ref_path(i, leaves, n, &expected);
            assert_true(licet_tree_inclusion(i, n, memory_node, &tree, &got, NULL));
            expect_proof("inclusion", &got, &expected);
            assert_true(licet_inclusion_verify(i, n, &leaves[i], &got, &root));
            if (got.len > 0) {
                got.hashes[(i + n) % got.len].bytes[i % 32] ^= 1;
                assert_false(licet_inclusion_verify(i, n, &leaves[i], &got, &root));
            }
        }
    }
    free(leaves);
}

static void
test_consistencies_agree(void **state)
{
    licet_hash *leaves = decimal_leaves(SIZES_MAX);
    licet_hash roots[SIZES_MAX + 1];
    for (uint64_t n = 0; n <= SIZES_MAX; n++)
        roots[n] = licet_ref_root(leaves, n);
    for (uint64_t n = 1; n <= SIZES_MAX; n++) {
        memory_tree tree = {leaves, n};
        for (uint64_t m = 1; m <= n; m++) {
            licet_proof expected = {.len = 0}, got;
            licet_ref_subtree(0, m, leaves, n, true, &expected);
            assert_true(licet_tree_consistency(m, n, memory_node, &tree, &got, NULL));
            expect_proof("consistency", &got, &expected);
            assert_true(licet_consistency_verify(m, n, &got, &roots[m], &roots[n]));
            assert_false(licet_consistency_verify(m, n, &got, &roots[m - 1], &roots[n]));
        }
    }
    free(leaves);
}

static void
test_subtrees_agree(void **state)
{
    licet_hash *leaves = decimal_leaves(70);
    for (uint64_t n = 1; n <= 70; n++)
        for (uint64_t s = 0; s < n; s++)
            for (uint64_t e = s + 1; e <= n; e++) {
                uint64_t width = 1;
                while (width < e - s)
                    width *= 2;
                licet_hash root = licet_ref_root(leaves, n), part = licet_ref_root(leaves + s, e - s);
                licet_proof proof = {.len = 0};
                if (s % width != 0) {
                    assert_false(licet_subtree_verify(s, e, n, &proof, &part, &root));
                    continue;
                }
                licet_ref_subtree(s, e, leaves, n, true, &proof);
                if (!licet_subtree_verify(s, e, n, &proof, &part, &root))
                    fail_msg("[%u,%u) of %u", (unsigned)s, (unsigned)e, (unsigned)n);
            }
    free(leaves);
}

static void
test_proofs_of_great_sizes(void **state)
{
    licet_hash any = licet_empty_root();
    licet_proof proof = {.len = LICET_PROOF_MAX};
    assert_false(licet_inclusion_verify(UINT64_MAX - 1, UINT64_MAX, &any, &proof, &any));
    assert_false(licet_consistency_verify(1, UINT64_MAX, &proof, &any, &any));
    assert_false(licet_subtree_verify(0, UINT64_MAX, UINT64_MAX, &proof, &any, &any));
    proof.len = LICET_PROOF_MAX + 1;
    assert_false(licet_inclusion_verify(0, UINT64_MAX, &any, &proof, &any));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaf_and_node_vectors), cmocka_unit_test(test_root_vectors),
        cmocka_unit_test(test_inclusion_vectors),     cmocka_unit_test(test_inclusion_refused),
        cmocka_unit_test(test_inclusion_lengths),     cmocka_unit_test(test_consistency_vectors),
        cmocka_unit_test(test_consistency_refused),   cmocka_unit_test(test_subtree_vectors),
        cmocka_unit_test(test_roots_agree),           cmocka_unit_test(test_inclusions_agree),
        cmocka_unit_test(test_consistencies_agree),   cmocka_unit_test(test_subtrees_agree),
        cmocka_unit_test(test_proofs_of_great_sizes),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
