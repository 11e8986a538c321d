/* SPDX-License-Identifier: Apache-2.0 */
/* Merkle tree: what lib/ledger needs beyond licet/ledger.h. */
#ifndef LICET_LEDGER_TREE_H
#define LICET_LEDGER_TREE_H

#include "licet/ledger.h"

#define TILE_HEIGHT 8
#define TILE_HASHES 256
#define TILE_LEVELS 8 /* 256^8 entries are more than can be counted */

/* Appends a leaf. tops[k] gets the root of the perfect subtree of height 8*(k+1) that this leaf completes; returns how
 * many there are. tops has room for TILE_LEVELS. */
unsigned licet_frontier_push(licet_frontier *frontier, const licet_hash *leaf, licet_hash *tops);
/* Root of 2^height hashes; destroys them. */
licet_hash licet_tree_perfect(licet_hash *hashes, unsigned height);
/* Verifies the hash of leaves [start, end) against the root of size leaves: the general form of the consistency proof,
 * which is start = 0. */
bool licet_subtree_verify(uint64_t start, uint64_t end, uint64_t size, const licet_proof *proof,
                          const licet_hash *subtree, const licet_hash *root);
/* Hash of a perfect node: at height, number position of that height. */
typedef bool (*licet_tree_node)(void *user, unsigned height, uint64_t position, licet_hash *out_hash, licet_error *err);
/* PATH(index, size) of RFC 6962 section 2.1.1, 0 <= index < size. */
bool licet_tree_inclusion(uint64_t index, uint64_t size, licet_tree_node node, void *user, licet_proof *out_proof,
                          licet_error *err);
/* PROOF(old_size, new_size) of section 2.1.2, 0 < old_size <= new_size. */
bool licet_tree_consistency(uint64_t old_size, uint64_t new_size, licet_tree_node node, void *user,
                            licet_proof *out_proof, licet_error *err);
/* The frontier of a size, from its perfect nodes. */
bool licet_tree_frontier(uint64_t size, licet_tree_node node, void *user, licet_frontier *out_frontier,
                         licet_error *err);
/* Root of leaves [start, end), end > start, where start is a multiple of a power of two >= end - start. */
bool licet_tree_range(uint64_t start, uint64_t end, licet_tree_node node, void *user, licet_hash *out_hash,
                      licet_error *err);

#endif
