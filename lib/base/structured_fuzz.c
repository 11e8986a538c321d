/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz: any value that is read can be written, and what is written is read as the same value and written the same. */
#include "licet/structured.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS 64
#define TEXT 4096

/* Input: one byte form, then the value. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static licet_structured_row rows[ROWS], again[ROWS];
    static uint8_t text[TEXT], text_again[TEXT];
    licet_structured value = {rows, ROWS, 0, text, TEXT, 0}, back = {again, ROWS, 0, text_again, TEXT, 0};
    licet_structured_form form;
    licet_buffer first, second;
    uint32_t at;

    if (size < 1 || size > TEXT) {
        return 0;
    }
    form = (licet_structured_form)(data[0] % 3);
    if (!licet_structured_read(&value, form, licet_bytes_of(data + 1, size - 1), &at, NULL)) {
        return 0;
    }
    licet_buffer_init(&first, 4 * TEXT);
    licet_buffer_init(&second, 4 * TEXT);
    if (!licet_structured_put(&first, form, rows, value.len) || first.len > TEXT) {
        goto done;
    }
    if (!licet_structured_read(&back, form, licet_buffer_view(&first), &at, NULL) || back.len != value.len ||
        !licet_structured_put(&second, form, again, back.len) ||
        !licet_bytes_equal(licet_buffer_view(&first), licet_buffer_view(&second))) {
        abort();
    }
done:
    licet_buffer_done(&first);
    licet_buffer_done(&second);
    return 0;
}
