/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a body: the fast and the slow scan tell the same, in one
 * piece, byte by byte and cut at random places. The first byte chooses the
 * plan, the second the form ('0' JSON, '1' NDJSON, '2' either), the third
 * seeds the cuts.
 */
#include "scan_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_plan p;
    licet_body_form form;
    licet_bytes body;

    if (size < 3 || size > 4096) {
        return 0;
    }
    check_plan_init(&p, (unsigned)data[0] % CHECK_PLANS);
    form = (licet_body_form)(data[1] % 3);
    body = licet_bytes_of(data + 3, size - 3);
    check_must(check_cuts(&p, form, body, 0, size), "whole");
    check_must(check_cuts(&p, form, body, 0, 1), "byte by byte");
    check_must(check_cuts(&p, form, body, data[2], 9), "random cuts");
    if (size < 64) {
        check_must(check_every_cut(&p, form, body), "every cut");
    }
    check_plan_done(&p);
    return 0;
}
