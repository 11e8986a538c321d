/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: an array of pointers, sorted; see names.h.
 */
#include "names.h"

#include "licet/image.h"

#include <stdlib.h>
#include <string.h>

int
licet_bytes_order(licet_bytes a, licet_bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int
compare(const void *left, const void *right)
{
    const licet_scalar *a = *(const licet_scalar *const *)left, *b = *(const licet_scalar *const *)right;
    int order = licet_bytes_order(a->text, b->text);

    return order != 0 ? order : (a > b) - (a < b);
}

bool
licet_names_build(licet_names *names, licet_arena *arena, const void *rows, uint32_t len, size_t stride)
{
    memset(names, 0, sizeof(*names));
    names->rows = rows;
    names->stride = stride;
    if (len == 0) {
        return true;
    }
    names->sorted = licet_arena_rows(arena, len, sizeof(*names->sorted));
    if (names->sorted == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < len; i++) {
        names->sorted[i] = (const licet_scalar *)(const void *)((const uint8_t *)rows + i * stride);
    }
    qsort(names->sorted, len, sizeof(*names->sorted), compare);
    names->len = len;
    return true;
}

uint32_t
licet_names_rank(const licet_names *names, licet_bytes name)
{
    uint32_t low = 0, high = names->len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (licet_bytes_order(names->sorted[middle]->text, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < names->len && licet_bytes_equal(names->sorted[low]->text, name) ? low : LICET_NONE;
}

uint32_t
licet_names_row(const licet_names *names, uint32_t rank)
{
    return (uint32_t)((size_t)((const uint8_t *)names->sorted[rank] - (const uint8_t *)names->rows) / names->stride);
}

uint32_t
licet_names_find(const licet_names *names, licet_bytes name)
{
    uint32_t rank = licet_names_rank(names, name);

    return rank == LICET_NONE ? LICET_NONE : licet_names_row(names, rank);
}
