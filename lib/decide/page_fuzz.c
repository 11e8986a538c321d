/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz: the page size read from any query, fast and slow, for each form of page; they must agree. */
#include "licet/decide.h"

#include "decide_ref.h"
#include "world.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Input: one byte most, one byte default, then the query. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w;

    if (size < 2) {
        return 0;
    }
    for (int from = LICET_PAGE_NONE; from <= LICET_PAGE_ITEMS; from++) {
        licet_image_count *count;
        uint64_t slow = 0;

        world_init(&w);
        world_endpoint(&w, "e", "GET /");
        count = world_count(&w, 2, (licet_page_from)from, "ids", data[1], data[0]);
        if (!licet_page_ref(&w.image, count, licet_bytes_of(data + 2, size - 2), &slow)) {
            return 0;
        }
        if (licet_page_of(&w.image, count, licet_bytes_of(data + 2, size - 2)) != slow) {
            abort();
        }
    }
    return 0;
}
