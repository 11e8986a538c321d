/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: any bytes as a ledger entry. What a decoder accepts must be
 * written again as the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "again.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    licet_error err;
    licet_buffer out;
    licet_bytes in = {data, size};
    licet_buffer_init(&out, 1 << 18);
    if (licet_entry_check(in, &err) && (!again(in, &out, &err) || out.len != size || memcmp(out.data, data, size) != 0))
        abort();
    licet_buffer_done(&out);
    return 0;
}
