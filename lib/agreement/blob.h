/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blob: the bounds that images and indexes share. All arithmetic is in 64 bits, from 32-bit inputs.
 */
#ifndef LICET_AGREEMENT_BLOB_H
#define LICET_AGREEMENT_BLOB_H

#include "licet/image.h"

#include <string.h>

/* len rows of size bytes at at lie behind the header and within the blob, aligned to 8. */
static inline bool
licet_blob_table(uint32_t at, uint32_t len, size_t size, size_t header_len, size_t blob_len)
{
    return at % 8 == 0 && at >= header_len && at <= blob_len && (uint64_t)len * size <= blob_len - at;
}

static inline bool
licet_blob_text(licet_text text, uint32_t strings_len, uint32_t most)
{
    return text.len <= most && text.offset <= strings_len && text.len <= strings_len - text.offset;
}

static inline bool
licet_blob_range(licet_range range, uint32_t rows)
{
    return range.first <= rows && range.count <= rows - range.first;
}

static inline int
licet_blob_order(const uint8_t *strings, licet_text a, licet_text b)
{
    uint32_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(strings + a.offset, strings + b.offset, len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

#endif
