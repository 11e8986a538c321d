/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page: how many units a request can bring at most, read from its query before it goes up.
 *
 * The query is application/x-www-form-urlencoded text: pairs between '&', the first '=' of a pair ends its name, %XX is
 * a byte. It is decoded byte by byte while it is compared; nothing is copied. ('+', a space, stays: names of parameters
 * have neither, and in a number both are faults.)
 *
 *  (1) Never less than the upstream may make of it. A parameter that occurs twice counts with its greatest value, since
 *      upstreams differ in which one they take; lists of items that occur twice are added up, since some join them.
 * What is no number, or above the most, is the most. Zero reserves one. (2) Never more than the catalogue's most.
 */
#include "licet/decide.h"

#include <string.h>

static int
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The decoded byte at *at, which lies before end; moves *at behind it. A '%' without two digits stands for itself. */
static inline uint8_t
next_byte(const uint8_t **at, const uint8_t *end)
{
    uint8_t c = *(*at)++;

    if (c == '%' && end - *at >= 2) {
        int high = hex_digit((*at)[0]), low = hex_digit((*at)[1]);

        if (high >= 0 && low >= 0) {
            *at += 2;
            return (uint8_t)(high << 4 | low);
        }
    }
    return c;
}

/* True when the pair has this name; *out_value is then what follows its '=', still encoded. */
static bool
pair_named(licet_bytes pair, licet_bytes name, licet_bytes *out_value)
{
    const uint8_t *at = pair.data, *end = pair.data + pair.len;

    for (size_t i = 0; i < name.len; i++) {
        if (at == end || *at == '=' || next_byte(&at, end) != name.data[i]) {
            return false;
        }
    }
    if (at != end && *at != '=') {
        return false;
    }
    at += at != end;
    *out_value = licet_bytes_of(at, (size_t)(end - at));
    return true;
}

/* The value as a decimal number, at most most; what is no number is the most. */
static uint64_t
number_in(licet_bytes value, uint64_t most)
{
    const uint8_t *at = value.data, *end = value.data + value.len;
    uint64_t number = 0;

    if (value.len == 0) {
        return most;
    }
    while (at != end) {
        uint8_t c = next_byte(&at, end);

        if (c < '0' || c > '9' || number > (UINT64_MAX - 9) / 10) {
            return most;
        }
        number = number * 10 + (uint64_t)(c - '0');
    }
    return number < most ? number : most;
}

static uint64_t
items_in(licet_bytes value)
{
    const uint8_t *at = value.data, *end = value.data + value.len;
    uint64_t items = value.len > 0;

    while (at != end) {
        items += next_byte(&at, end) == ',';
    }
    return items;
}

uint64_t
licet_page_of(const licet_image *image, const licet_image_count *count, licet_bytes query)
{
    licet_bytes name;
    uint64_t units = 0;
    bool found = false;

    if (count->page_from == LICET_PAGE_NONE) {
        return 1;
    }
    if (count->page_from == LICET_PAGE_NUMBER) {
        return count->page_most;
    }
    name = licet_image_text(image, count->page_query);
    for (size_t pos = 0; pos < query.len;) {
        const uint8_t *amp = memchr(query.data + pos, '&', query.len - pos);
        size_t end = amp != NULL ? (size_t)(amp - query.data) : query.len;
        licet_bytes value;

        if (pair_named(licet_bytes_of(query.data + pos, end - pos), name, &value)) {
            found = true;
            if (count->page_from == LICET_PAGE_ITEMS) {
                units += items_in(value); /* no overflow: there are fewer items than bytes of the query */
            } else {
                uint64_t number = number_in(value, count->page_most);

                units = number > units ? number : units;
            }
        }
        pos = end + 1;
    }
    if (!found) {
        units = count->page_default;
    }
    units = units > 0 ? units : 1;
    return units < count->page_most ? units : count->page_most;
}
