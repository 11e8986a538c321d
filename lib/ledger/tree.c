/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merkle tree of RFC 6962 section 2.1: hashing, the frontier an appender keeps,
 * proofs from stored nodes, and the verifiers of RFC 9162.
 *
 *  (1) An odd right edge is promoted as it is: no padding, no leaf twice.
 *  (2) The frontier has one hash per set bit of its size, largest subtree first.
 *  (3) A verifier accepts no surplus hash: it ends exactly at the top.
 *
 * tree_ref.c is the recursive definition and judges this file.
 */
/* The one-shot EVP interface of OpenSSL 3 looks its algorithm up for every digest, which costs more than the two
 * compressions of a node. The older interface does not, and is the same code beneath. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tree.h"

#include <assert.h>
#include <openssl/sha.h>
#include <string.h>

static_assert(SHA256_DIGEST_LENGTH == LICET_SHA256_LEN, "digest");

static void
hash3(uint8_t prefix, const void *a, size_t a_len, const void *b, size_t b_len, licet_hash *out)
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, &prefix, 1);
    if (a_len > 0)
        SHA256_Update(&ctx, a, a_len);
    if (b_len > 0)
        SHA256_Update(&ctx, b, b_len);
    SHA256_Final(out->bytes, &ctx);
}

licet_hash
licet_leaf_hash(licet_bytes entry)
{
    licet_hash out;
    hash3(0, entry.data, entry.len, NULL, 0, &out);
    return out;
}

licet_hash
licet_node_hash(const licet_hash *left, const licet_hash *right)
{
    licet_hash out;
    hash3(1, left->bytes, sizeof(left->bytes), right->bytes, sizeof(right->bytes), &out);
    return out;
}

licet_hash
licet_empty_root(void)
{
    SHA256_CTX ctx;
    licet_hash out;
    SHA256_Init(&ctx);
    SHA256_Final(out.bytes, &ctx);
    return out;
}

static bool
same(const licet_hash *a, const licet_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* ---- frontier -------------------------------------------------------------- */

void
licet_frontier_init(licet_frontier *frontier)
{
    frontier->size = 0;
    frontier->len = 0;
}

unsigned
licet_frontier_push(licet_frontier *frontier, const licet_hash *leaf, licet_hash *tops)
{
    licet_hash hash = *leaf;
    unsigned tops_len = 0;
    for (unsigned height = 0; frontier->size >> height & 1; height++) {
        hash = licet_node_hash(&frontier->hashes[--frontier->len], &hash);
        if (tops != NULL && (height + 1) % TILE_HEIGHT == 0)
            tops[tops_len++] = hash;
    }
    frontier->hashes[frontier->len++] = hash;
    frontier->size++;
    return tops_len;
}

void
licet_frontier_append(licet_frontier *frontier, const licet_hash *leaf)
{
    licet_frontier_push(frontier, leaf, NULL);
}

licet_hash
licet_frontier_root(const licet_frontier *frontier)
{
    if (frontier->len == 0)
        return licet_empty_root();
    licet_hash hash = frontier->hashes[frontier->len - 1];
    for (unsigned i = frontier->len - 1; i > 0; i--)
        hash = licet_node_hash(&frontier->hashes[i - 1], &hash);
    return hash;
}

licet_hash
licet_tree_perfect(licet_hash *hashes, unsigned height)
{
    for (size_t n = (size_t)1 << height; n > 1; n /= 2)
        for (size_t i = 0; i < n / 2; i++)
            hashes[i] = licet_node_hash(&hashes[2 * i], &hashes[2 * i + 1]);
    return hashes[0];
}

/* ---- proofs from stored nodes ---------------------------------------------------- */

static unsigned
bit_length(uint64_t x)
{
    return x == 0 ? 0 : 64 - (unsigned)__builtin_clzll(x);
}

bool
licet_tree_frontier(uint64_t size, licet_tree_node node, void *user, licet_frontier *out_frontier, licet_error *err)
{
    uint64_t done = 0;
    licet_frontier_init(out_frontier);
    for (unsigned height = bit_length(size); height-- > 0;) {
        if (!(size >> height & 1))
            continue;
        if (!node(user, height, done >> height, &out_frontier->hashes[out_frontier->len++], err))
            return false;
        done += (uint64_t)1 << height;
    }
    out_frontier->size = size;
    return true;
}

bool
licet_tree_range(uint64_t start, uint64_t end, licet_tree_node node, void *user, licet_hash *out_hash, licet_error *err)
{
    licet_hash parts[64];
    unsigned len = 0;
    while (start < end) {
        unsigned height = bit_length(end - start) - 1;
        assert(height < 64); /* start < end: there is a bit */
        if (!node(user, height, start >> height, &parts[len++], err))
            return false;
        start += (uint64_t)1 << height;
    }
    while (len > 1) {
        parts[len - 2] = licet_node_hash(&parts[len - 2], &parts[len - 1]);
        len--;
    }
    *out_hash = parts[0];
    return true;
}

/* One step of the walk down: which child holds what is proved, and the sibling that the proof names. */
typedef struct sibling {
    uint64_t start, end;
} sibling;

static uint64_t
split_of(uint64_t n)
{
    assert(n > 1); /* a single leaf has no children */
    return (uint64_t)1 << (bit_length(n - 1) - 1);
}

/* The siblings were found from the top; a proof lists them from the bottom. */
static bool
proof_fill(const sibling *siblings, unsigned len, licet_tree_node node, void *user, licet_proof *out_proof,
           licet_error *err)
{
    licet_proof proof = {.len = 0};
    while (len > 0) {
        len--;
        if (!licet_tree_range(siblings[len].start, siblings[len].end, node, user, &proof.hashes[proof.len++], err))
            return false;
    }
    *out_proof = proof;
    return true;
}

bool
licet_tree_inclusion(uint64_t index, uint64_t size, licet_tree_node node, void *user, licet_proof *out_proof,
                     licet_error *err)
{
    sibling siblings[LICET_PROOF_MAX];
    unsigned len = 0;
    uint64_t start = 0, end = size;
    assert(index < size);
    while (end - start > 1) {
        uint64_t middle = start + split_of(end - start);
        if (index < middle) {
            siblings[len++] = (sibling){middle, end};
            end = middle;
        } else {
            siblings[len++] = (sibling){start, middle};
            start = middle;
        }
    }
    return proof_fill(siblings, len, node, user, out_proof, err);
}

bool
licet_tree_consistency(uint64_t old_size, uint64_t new_size, licet_tree_node node, void *user, licet_proof *out_proof,
                       licet_error *err)
{
    sibling siblings[LICET_PROOF_MAX + 1];
    unsigned len = 0;
    uint64_t start = 0, end = new_size;
    assert(old_size > 0 && old_size <= new_size);
    while (end != old_size) {
        uint64_t middle = start + split_of(end - start);
        if (old_size <= middle) {
            siblings[len++] = (sibling){middle, end};
            end = middle;
        } else {
            siblings[len++] = (sibling){start, middle};
            start = middle;
        }
    }
    if (start != 0) /* the old root is not a node of the new tree: the proof names its last part */
        siblings[len++] = (sibling){start, end};
    return proof_fill(siblings, len, node, user, out_proof, err);
}

/* ---- verifiers -------------------------------------------------------------------------- */

bool
licet_inclusion_verify(uint64_t index, uint64_t size, const licet_hash *leaf, const licet_proof *proof,
                       const licet_hash *root)
{
    if (index >= size || proof->len > LICET_PROOF_MAX)
        return false;
    uint64_t fn = index, sn = size - 1;
    licet_hash r = *leaf;
    for (unsigned i = 0; i < proof->len; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            r = licet_node_hash(&proof->hashes[i], &r);
            while (fn != 0 && !(fn & 1)) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = licet_node_hash(&r, &proof->hashes[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && same(&r, root);
}

/* [start, end) is a node of some tree: start is a multiple of the smallest power of two that is not below its length.
 */
static bool
subtree_valid(uint64_t start, uint64_t end, uint64_t size)
{
    if (start >= end || end > size)
        return false;
    unsigned height = bit_length(end - start - 1);
    return height >= 64 ? start == 0 : (start & (((uint64_t)1 << height) - 1)) == 0;
}

typedef struct walk {
    uint64_t fn, sn, tn;
} walk;

static void
walk_up(walk *w)
{
    w->fn >>= 1;
    w->sn >>= 1;
    w->tn >>= 1;
}

bool
licet_subtree_verify(uint64_t start, uint64_t end, uint64_t size, const licet_proof *proof, const licet_hash *subtree,
                     const licet_hash *root)
{
    if (!subtree_valid(start, end, size) || proof->len > LICET_PROOF_MAX)
        return false;
    walk w = {start, end - 1, size - 1};
    unsigned used = 0;
    while (w.fn != w.sn && (w.sn == w.tn || (w.sn & 1)))
        walk_up(&w);
    if (w.fn != w.sn && proof->len == 0)
        return false;
    licet_hash fr = w.fn == w.sn ? *subtree : proof->hashes[used++];
    licet_hash sr = fr;
    for (; used < proof->len; used++) {
        const licet_hash *p = &proof->hashes[used];
        if (w.tn == 0)
            return false;
        if ((w.sn & 1) || w.sn == w.tn) {
            if (w.fn < w.sn)
                fr = licet_node_hash(p, &fr);
            sr = licet_node_hash(p, &sr);
            while (w.sn != 0 && !(w.sn & 1))
                walk_up(&w);
        } else {
            sr = licet_node_hash(&sr, p);
        }
        walk_up(&w);
    }
    return w.tn == 0 && same(&fr, subtree) && same(&sr, root);
}

bool
licet_consistency_verify(uint64_t old_size, uint64_t new_size, const licet_proof *proof, const licet_hash *old_root,
                         const licet_hash *new_root)
{
    if (old_size > new_size)
        return false;
    if (old_size == new_size)
        return proof->len == 0 && same(old_root, new_root);
    if (old_size == 0) {
        licet_hash empty = licet_empty_root();
        return proof->len == 0 && same(old_root, &empty);
    }
    if (proof->len == 0)
        return false;
    return licet_subtree_verify(0, old_size, new_size, proof, old_root, new_root);
}
