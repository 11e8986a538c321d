/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recursive definition, word for word, slow and obviously right. Sizes are
 * ours (tests), so recursion to the depth of the tree is harmless.
 */
#include "tree_ref.h"

licet_hash
licet_ref_leaf(licet_bytes entry)
{
    const uint8_t zero = 0;
    licet_bytes pieces[] = {{&zero, 1}, entry};
    return licet_sha256(pieces, 2);
}

licet_hash
licet_ref_node(licet_hash left, licet_hash right)
{
    const uint8_t one = 1;
    licet_bytes pieces[] = {{&one, 1}, {left.bytes, 32}, {right.bytes, 32}};
    return licet_sha256(pieces, 3);
}

/* The largest power of two smaller than n, n >= 2. */
static uint64_t
split(uint64_t n)
{
    uint64_t k = 1;
    while (k * 2 < n)
        k *= 2;
    return k;
}

licet_hash
licet_ref_root(const licet_hash *leaves, uint64_t n)
{
    if (n == 0)
        return licet_sha256(NULL, 0);
    if (n == 1)
        return leaves[0];
    uint64_t k = split(n);
    return licet_ref_node(licet_ref_root(leaves, k), licet_ref_root(leaves + k, n - k));
}

static void
add(licet_proof *proof, licet_hash hash)
{
    proof->hashes[proof->len++] = hash;
}

void
licet_ref_path(uint64_t index, const licet_hash *leaves, uint64_t n, licet_proof *proof)
{
    if (n == 1)
        return;
    uint64_t k = split(n);
    if (index < k) {
        licet_ref_path(index, leaves, k, proof);
        add(proof, licet_ref_root(leaves + k, n - k));
    } else {
        licet_ref_path(index - k, leaves + k, n - k, proof);
        add(proof, licet_ref_root(leaves, k));
    }
}

void
licet_ref_subtree(uint64_t start, uint64_t end, const licet_hash *leaves, uint64_t n, bool whole, licet_proof *proof)
{
    if (start == 0 && end == n) {
        if (!whole)
            add(proof, licet_ref_root(leaves, n));
        return;
    }
    uint64_t k = split(n);
    if (end <= k) {
        licet_ref_subtree(start, end, leaves, k, whole, proof);
        add(proof, licet_ref_root(leaves + k, n - k));
    } else if (start >= k) {
        licet_ref_subtree(start - k, end - k, leaves + k, n - k, whole, proof);
        add(proof, licet_ref_root(leaves, k));
    } else {
        licet_ref_subtree(0, end - k, leaves + k, n - k, false, proof);
        add(proof, licet_ref_root(leaves, k));
    }
}
