/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured fields (RFC 9651), writing: the one canonical text of a value. Signatures are over it (RFC 9421), so that
 * what a client wrote with other spaces is the same value.
 */
#include "licet/structured.h"

static void
put_decimal(licet_buffer *out, int64_t thousandths)
{
    uint64_t value = (uint64_t)(thousandths < 0 ? -thousandths : thousandths);
    uint64_t fraction = value % 1000;
    int places = 3;

    for (; places > 1 && fraction % 10 == 0; places--) {
        fraction /= 10;
    }
    licet_put_format(out, "%s%llu.%0*llu", thousandths < 0 ? "-" : "", (unsigned long long)(value / 1000), places,
                     (unsigned long long)fraction);
}

static void
put_string(licet_buffer *out, licet_bytes text)
{
    licet_put_u8(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            licet_put_u8(out, '\\');
        }
        licet_put_u8(out, text.data[i]);
    }
    licet_put_u8(out, '"');
}

static void
put_display(licet_buffer *out, licet_bytes text)
{
    licet_put_format(out, "%%\"");
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '%' || c == '"' || c < 0x20 || c > 0x7e) {
            licet_put_format(out, "%%%02x", c);
        } else {
            licet_put_u8(out, c);
        }
    }
    licet_put_u8(out, '"');
}

static void
put_bytes(licet_buffer *out, licet_bytes bytes)
{
    char group[5];

    licet_put_u8(out, ':');
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = licet_base64(bytes.data + i, bytes.len - i < 3 ? bytes.len - i : 3, group);
        licet_put_bytes(out, licet_bytes_of(group, n));
    }
    licet_put_u8(out, ':');
}

static void
put_bare(licet_buffer *out, const licet_structured_row *row)
{
    switch (row->kind) {
    case LICET_STRUCTURED_INTEGER:
        licet_put_format(out, "%lld", (long long)row->number);
        break;
    case LICET_STRUCTURED_DECIMAL:
        put_decimal(out, row->number);
        break;
    case LICET_STRUCTURED_STRING:
        put_string(out, row->text);
        break;
    case LICET_STRUCTURED_TOKEN:
        licet_put_bytes(out, row->text);
        break;
    case LICET_STRUCTURED_BYTES:
        put_bytes(out, row->text);
        break;
    case LICET_STRUCTURED_BOOLEAN:
        licet_put_format(out, "?%d", row->number != 0);
        break;
    case LICET_STRUCTURED_DATE:
        licet_put_format(out, "@%lld", (long long)row->number);
        break;
    case LICET_STRUCTURED_DISPLAY:
        put_display(out, row->text);
        break;
    case LICET_STRUCTURED_INNER: /* written by its own function */
        break;
    }
}

static bool
is_true(const licet_structured_row *row)
{
    return row->kind == LICET_STRUCTURED_BOOLEAN && row->number != 0;
}

static void
put_parameters(licet_buffer *out, const licet_structured_row *row)
{
    const licet_structured_row *parameters = row + 1 + row->items;

    for (uint32_t i = 0; i < row->parameters; i++) {
        licet_put_u8(out, ';');
        licet_put_bytes(out, parameters[i].key);
        if (!is_true(&parameters[i])) {
            licet_put_u8(out, '=');
            put_bare(out, &parameters[i]);
        }
    }
}

bool
licet_structured_put_row(licet_buffer *out, const licet_structured_row *row)
{
    if (row->kind == LICET_STRUCTURED_INNER) {
        licet_put_u8(out, '(');
        for (uint32_t i = 1; i <= row->items; i += row[i].rows) {
            if (i > 1) {
                licet_put_u8(out, ' ');
            }
            put_bare(out, &row[i]);
            put_parameters(out, &row[i]);
        }
        licet_put_u8(out, ')');
    } else {
        put_bare(out, row);
    }
    put_parameters(out, row);
    return !out->failed;
}

bool
licet_structured_put(licet_buffer *out, licet_structured_form form, const licet_structured_row *rows, uint32_t len)
{
    for (uint32_t i = 0; i < len; i += rows[i].rows) {
        if (i > 0) {
            licet_put_format(out, ", ");
        }
        if (form == LICET_STRUCTURED_DICTIONARY) {
            licet_put_bytes(out, rows[i].key);
            if (is_true(&rows[i])) {
                put_parameters(out, &rows[i]);
                continue;
            }
            licet_put_u8(out, '=');
        }
        licet_structured_put_row(out, &rows[i]);
    }
    return !out->failed;
}
