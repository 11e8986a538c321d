/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: rows found by their first member, a licet_scalar, without reading them all.
 *
 *  (1) Sorted by bytes, then by place in the file; of equal names the first in the file is found.
 */
#ifndef LICET_AGREEMENT_NAMES_H
#define LICET_AGREEMENT_NAMES_H

#include "schema.h"

typedef struct licet_names {
    const licet_scalar **sorted;
    uint32_t len;
    const void *rows;
    size_t stride;
} licet_names;

/* Order of two texts: by bytes, the shorter first. */
int licet_bytes_order(licet_bytes a, licet_bytes b);
/* False when memory ran out (arena->failed). */
bool licet_names_build(licet_names *names, licet_arena *arena, const void *rows, uint32_t len, size_t stride);
/* Row of a name, or LICET_NONE. */
uint32_t licet_names_find(const licet_names *names, licet_bytes name);

/* Its place in the sorted order (of equal names, the first's), or LICET_NONE. */
uint32_t licet_names_rank(const licet_names *names, licet_bytes name);
/* The row that stands at a place of the sorted order. */
uint32_t licet_names_row(const licet_names *names, uint32_t rank);

#endif
