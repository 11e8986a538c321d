/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Money: see money.h.
 */
#include "licet/money.h"

#include <assert.h>
#include <string.h>

static bool
digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool
licet_money_parse(licet_bytes text, uint64_t *out_amount)
{
    uint64_t amount = 0;
    unsigned behind = 0;
    bool point = false;

    if (text.len == 0 || !digit(text.data[0]) || !digit(text.data[text.len - 1]) ||
        (text.data[0] == '0' && text.len > 1 && text.data[1] != '.')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c == '_' && !point && digit(text.data[i - 1]) && digit(text.data[i + 1])) {
            continue;
        }
        if (!digit(c) || behind == LICET_MONEY_DIGITS || amount > (uint64_t)(INT64_MAX - (c - '0')) / 10) {
            return false;
        }
        amount = amount * 10 + (uint64_t)(c - '0');
        behind += point;
    }
    for (; behind < LICET_MONEY_DIGITS; behind++) {
        if (amount > INT64_MAX / 10) {
            return false;
        }
        amount *= 10;
    }
    *out_amount = amount;
    return true;
}

void
licet_money_format(licet_money amount, unsigned digits, char out[LICET_MONEY_TEXT])
{
    char text[LICET_MONEY_TEXT];
    size_t at = sizeof(text);
    unsigned behind = LICET_MONEY_DIGITS;

    while (behind > digits && amount % 10 == 0) {
        amount /= 10;
        behind--;
    }
    for (unsigned n = 0; n < behind; n++, amount /= 10) {
        text[--at] = (char)('0' + (int)(amount % 10));
    }
    if (behind > 0) {
        text[--at] = '.';
    }
    do {
        text[--at] = (char)('0' + (int)(amount % 10));
        amount /= 10;
    } while (amount > 0 && at > 0);
    memcpy(out, text + at, sizeof(text) - at);
    out[sizeof(text) - at] = '\0';
}

licet_money
licet_money_round(licet_money amount, unsigned digits, licet_round how)
{
    uint64_t step = 1, rest;
    bool up = false;

    assert(digits <= LICET_MONEY_DIGITS);
    for (unsigned n = digits; n < LICET_MONEY_DIGITS; n++) {
        step *= 10;
    }
    rest = (uint64_t)(amount % step);
    amount /= step;
    switch (how) {
    case LICET_ROUND_HALF_EVEN:
        up = rest * 2 > step || (rest * 2 == step && amount % 2 == 1);
        break;
    case LICET_ROUND_HALF_UP:
        up = rest * 2 >= step && rest > 0;
        break;
    case LICET_ROUND_UP:
        up = rest > 0;
        break;
    default:
        break;
    }
    return (amount + up) * step;
}
