/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes: borrowed views and how they compare.
 *
 *  (1) A view with len 0 equals any other with len 0, wherever they point.
 *  (2) Comparing secrets takes a time that depends on their lengths alone.
 */
#include "licet/base.h"

#include <string.h>

licet_bytes
licet_bytes_of(const void *data, size_t len)
{
    return (licet_bytes){data, len};
}

licet_bytes
licet_bytes_of_text(const char *text)
{
    return text == NULL ? (licet_bytes){NULL, 0} : (licet_bytes){(const uint8_t *)text, strlen(text)};
}

bool
licet_bytes_equal(licet_bytes a, licet_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
licet_bytes_equal_text(licet_bytes a, const char *text)
{
    return licet_bytes_equal(a, licet_bytes_of_text(text));
}

bool
licet_bytes_equal_secret(licet_bytes a, licet_bytes b)
{
    /* volatile, so that no compiler may leave the loop at the first difference */
    volatile uint8_t difference = 0;

    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        difference = (uint8_t)(difference | (a.data[i] ^ b.data[i]));
    }
    return difference == 0;
}
