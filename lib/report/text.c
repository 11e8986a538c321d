/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_NAME_MIN 12
#define TEXT_GAP 2
#define TEXT_WORD_MAX ((size_t)TEXT_WIDTH * 4) /* bytes of a line of four-byte characters */

const char *
text_number(uint64_t value, char *out)
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value), at = 0;

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *
text_share(uint64_t part, uint64_t whole, char *out)
{
    uint64_t tenths;

    if (whole == 0) {
        snprintf(out, TEXT_NUMBER_MAX, "-");
        return out;
    }
    tenths = (uint64_t)(((unsigned __int128)part * 2000 + whole) / ((unsigned __int128)whole * 2)); /* half up */
    if (tenths == 0 && part > 0) {
        snprintf(out, TEXT_NUMBER_MAX, "< 0.1 %%");
        return out;
    }
    snprintf(out, TEXT_NUMBER_MAX, "%llu.%llu %%", (unsigned long long)(tenths / 10),
             (unsigned long long)(tenths % 10));
    return out;
}

size_t
text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

/* Bytes of the code point at text. */
static size_t
point_len(const char *text)
{
    size_t len = 1;

    while (((unsigned char)text[len] & 0xc0) == 0x80) {
        len++;
    }
    return len;
}

/* C0, DEL and C1: what a terminal may obey. */
static bool
is_control(const char *text)
{
    unsigned char first = (unsigned char)text[0], second = first == 0 ? 0 : (unsigned char)text[1];

    return first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0);
}

void
text_put(licet_buffer *out, const char *text, size_t width)
{
    bool cut = text_width(text) > width;

    for (size_t column = 0; *text != '\0' && column + cut < width; column++) {
        size_t len = point_len(text);

        if (is_control(text)) {
            licet_put_u8(out, '?');
        } else {
            licet_put_bytes(out, licet_bytes_of(text, len));
        }
        text += len;
    }
    if (cut && width > 0) {
        licet_put_format(out, "…");
    }
}

static void
put_spaces(licet_buffer *out, size_t n)
{
    while (n-- > 0) {
        licet_put_u8(out, ' ');
    }
}

void
text_put_padded(licet_buffer *out, const char *text, size_t width, bool right)
{
    size_t taken = text_width(text) < width ? text_width(text) : width;

    if (right) {
        put_spaces(out, width - taken);
    }
    text_put(out, text, width);
    if (!right) {
        put_spaces(out, width - taken);
    }
}

void
text_put_wrapped(licet_buffer *out, const char *text, size_t indent, size_t used)
{
    size_t column = used;
    bool begun = false;

    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        char word[TEXT_WORD_MAX + 1];
        size_t width;

        if (strncmp(text + len, " %", 2) == 0) { /* a number and its sign stay together */
            len += 1 + strcspn(text + len + 1, " ");
        }
        snprintf(word, sizeof(word), "%.*s", (int)(len < TEXT_WORD_MAX ? len : TEXT_WORD_MAX), text);
        width = text_width(word);
        if (begun && column + 1 + width > TEXT_WIDTH) {
            licet_put_u8(out, '\n');
            put_spaces(out, indent);
            column = indent;
        } else if (begun) {
            licet_put_u8(out, ' ');
            column++;
        }
        width = width < TEXT_WIDTH - column ? width : TEXT_WIDTH - column;
        text_put(out, word, width);
        column += width;
        begun = true;
        text += len + (text[len] == ' ');
    }
    licet_put_u8(out, '\n');
}

/* ---- table ---------------------------------------------------------------- */

void
text_table_init(text_table *table, size_t columns)
{
    memset(table, 0, sizeof(*table));
    table->columns = columns;
}

void
text_table_done(text_table *table)
{
    for (size_t i = 0; i < table->len; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    memset(table, 0, sizeof(*table));
}

void
text_table_cell(text_table *table, const char *text)
{
    char *copy;

    if (table->len == table->capacity) {
        size_t capacity = 2 * table->capacity + 64;
        char **cells = realloc(table->cells, capacity * sizeof(*cells));

        if (cells == NULL) {
            table->failed = true;
            return;
        }
        table->cells = cells;
        table->capacity = capacity;
    }
    copy = strdup(text);
    if (copy == NULL) {
        table->failed = true;
        return;
    }
    table->cells[table->len++] = copy;
}

void
text_table_number(text_table *table, uint64_t value)
{
    char text[TEXT_NUMBER_MAX];

    text_table_cell(table, text_number(value, text));
}

void
text_table_put(const text_table *table, licet_buffer *out)
{
    size_t widths[TEXT_COLUMNS_MAX] = {0}, others = 0;

    for (size_t i = 0; i < table->len; i++) {
        size_t width = text_width(table->cells[i]), column = i % table->columns;

        widths[column] = width > widths[column] ? width : widths[column];
    }
    for (size_t i = 1; i < table->columns; i++) {
        others += widths[i] + TEXT_GAP;
    }
    if (widths[0] + others + TEXT_GAP > TEXT_WIDTH) {
        widths[0] = others + TEXT_GAP + TEXT_NAME_MIN < TEXT_WIDTH ? TEXT_WIDTH - TEXT_GAP - others : TEXT_NAME_MIN;
    }
    for (size_t i = 0; i < table->len; i++) {
        size_t column = i % table->columns;
        bool last = column + 1 == table->columns;

        put_spaces(out, TEXT_GAP);
        if (last && table->left[column]) {
            text_put(out, table->cells[i], widths[column]);
        } else {
            text_put_padded(out, table->cells[i], widths[column], column > 0 && !table->left[column]);
        }
        if (last) {
            licet_put_u8(out, '\n');
        }
    }
}
