/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a path: refused with a place inside the text, or accepted and
 * then equal to what its own canonical spelling parses to.
 */
#include "licet/agreement.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* $['…'] for each step, everything but printable ASCII without quotes escaped or as it is. */
static void
spell(const licet_path *path, licet_buffer *out)
{
    licet_put_u8(out, '$');
    for (size_t i = 0; i < path->steps; i++) {
        licet_put_format(out, "['");
        for (size_t k = 0; k < path->name_len[i]; k++) {
            uint8_t c = (uint8_t)path->name[i][k];

            if (c < 0x20 || c == '\'' || c == '\\') {
                licet_put_format(out, "\\u%04X", c);
            } else {
                licet_put_u8(out, c);
            }
        }
        licet_put_format(out, "']");
    }
}

static bool
same(const licet_path *a, const licet_path *b)
{
    if (a->steps != b->steps) {
        return false;
    }
    for (size_t i = 0; i < a->steps; i++) {
        if (a->name_len[i] != b->name_len[i] || memcmp(a->name[i], b->name[i], a->name_len[i]) != 0) {
            return false;
        }
    }
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    licet_path path, again;
    licet_error err = {0};
    licet_buffer spelled;

    if (!licet_path_parse(licet_bytes_of(data, size), &path, &err)) {
        if (err.code == LICET_E_NONE || err.offset > size || err.text[0] == '\0') {
            abort();
        }
        return 0;
    }
    licet_buffer_init(&spelled, 8192);
    spell(&path, &spelled);
    if (spelled.failed || !licet_path_parse(licet_buffer_view(&spelled), &again, NULL) || !same(&path, &again)) {
        abort();
    }
    licet_buffer_done(&spelled);
    return 0;
}
