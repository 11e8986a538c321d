/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks that every decoder of this room makes, in one place, so that all
 * entries refuse the same things with the same words.
 */
#include "codec.h"

const char *
licet_entry_kind_text(uint8_t kind)
{
    switch (kind) {
#define ENTRY_TEXT(number, name, text)                                                                                 \
    case number:                                                                                                       \
        return text;
        LICET_ENTRY_KINDS(ENTRY_TEXT)
#undef ENTRY_TEXT
    default:
        return NULL;
    }
}

bool
licet_codec_begin(licet_cursor *c, licet_entry_kind kind, licet_error *err)
{
    uint8_t first;
    if (!licet_take_u8(c, &first))
        return LICET_FAIL(err, LICET_E_INVALID, 0, "entry of 0 bytes: expected kind %d (%s)", (int)kind,
                          licet_entry_kind_text((uint8_t)kind));
    if (first != (uint8_t)kind)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "entry of kind %u: expected %d (%s)", first, (int)kind,
                          licet_entry_kind_text((uint8_t)kind));
    return true;
}

bool
licet_codec_end(const licet_cursor *c, licet_entry_kind kind, licet_error *err)
{
    if (!licet_cursor_at_end(c))
        return LICET_FAIL(err, LICET_E_INVALID, c->pos, "%s: %zu bytes follow its last field: expected none",
                          licet_entry_kind_text((uint8_t)kind), c->in.len - c->pos);
    return true;
}

bool
licet_codec_short(const licet_cursor *c, licet_entry_kind kind, const char *field, licet_error *err)
{
    return LICET_FAIL(err, LICET_E_INVALID, c->pos, "%s of %zu bytes ends inside its field '%s'",
                      licet_entry_kind_text((uint8_t)kind), c->in.len, field);
}

bool
licet_codec_full(const licet_buffer *out, licet_entry_kind kind, licet_error *err)
{
    if (out->len >= out->ceiling || out->ceiling - out->len < LICET_ENTRY_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, out->len, "%s does not fit the %zu bytes that its buffer may hold",
                          licet_entry_kind_text((uint8_t)kind), out->ceiling);
    return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a %s", licet_entry_kind_text((uint8_t)kind));
}

bool
licet_codec_units_check(const licet_receipt_unit *units, size_t len, licet_entry_kind kind, licet_error *err)
{
    for (size_t i = 0; i < len; i++) {
        if (units[i].count == 0)
            return LICET_FAIL(err, LICET_E_INVALID, 0, "%s: unit kind %u has count 0: expected it left out",
                              licet_entry_kind_text((uint8_t)kind), units[i].kind);
        if (i > 0 && units[i].kind <= units[i - 1].kind)
            return LICET_FAIL(err, LICET_E_INVALID, 0, "%s: unit kind %u behind %u: expected rising order",
                              licet_entry_kind_text((uint8_t)kind), units[i].kind, units[i - 1].kind);
    }
    return true;
}

bool
licet_codec_totals(licet_cursor *c, licet_entry_kind kind, licet_receipt_unit *units, size_t cap, size_t *out_len,
                   licet_error *err)
{
    size_t len = 0;
    while (!licet_cursor_at_end(c)) {
        if (len == cap)
            return LICET_FAIL(err, LICET_E_LIMIT, c->pos, "%s names more than %zu unit kinds",
                              licet_entry_kind_text((uint8_t)kind), cap);
        if (!licet_take_u8(c, &units[len].kind) || !licet_take_u64(c, &units[len].count))
            return licet_codec_short(c, kind, "units", err);
        len++;
    }
    if (!licet_codec_units_check(units, len, kind, err))
        return false;
    *out_len = len;
    return true;
}
