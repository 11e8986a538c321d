/* SPDX-License-Identifier: Apache-2.0 */
/* The recursive definition of the tree (RFC 6962 section 2.1), over all leaf hashes in memory: judge of tree.c. */
#ifndef LICET_LEDGER_TREE_REF_H
#define LICET_LEDGER_TREE_REF_H

#include "licet/ledger.h"

licet_hash licet_ref_leaf(licet_bytes entry);
licet_hash licet_ref_node(licet_hash left, licet_hash right);
licet_hash licet_ref_root(const licet_hash *leaves, uint64_t n);
/* Each appends to proof, from the leaf upward. */
void licet_ref_path(uint64_t index, const licet_hash *leaves, uint64_t n, licet_proof *proof);
/* SUBP(start, end, D[n], whole); the consistency proof is start = 0. */
void licet_ref_subtree(uint64_t start, uint64_t end, const licet_hash *leaves, uint64_t n, bool whole,
                       licet_proof *proof);

#endif
