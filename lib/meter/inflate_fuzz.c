/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a compressed body: however they are cut the fast inflater tells
 * the same, and the slow one agrees on what is whole. The first byte chooses
 * the coding ('1' gzip, '2' deflate, '3' br, '4' zstd), the second seeds the cuts.
 */
#include "inflate_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || size > 1024) {
        return 0;
    }
    if (!check_agree((licet_coding)(1 + (data[0] + 3u) % 4), licet_bytes_of(data + 2, size - 2), data[1])) {
        abort();
    }
    return 0;
}
