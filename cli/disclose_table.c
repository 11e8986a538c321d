/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids of a table: one a line, or a column of CSV (RFC 4180), byte by byte.
 *
 *  (1) Memory is one field of at most 255 bytes; only the column asked for is kept.
 *  (2) An empty id is no id: empty lines and empty fields count nothing.
 *  (3) What is no CSV is refused with its row: a quote inside a field, a column that a row has not.
 */
#include "disclose.h"

#define MARK_OVER 4 /* of marked */

void
disclose_table_init(disclose_table *table, bool lines, const char *column)
{
    uint64_t number = 0;

    *table = (disclose_table){.column = column, .lines = lines, .wanted = 0};
    if (!lines && column != NULL) {
        table->header = !licet_parse_u64(licet_bytes_of_text(column), &number) || number == 0;
        table->wanted = table->header ? UINT64_MAX : number - 1;
    }
}

static bool
keeps(const disclose_table *table)
{
    return table->at == table->wanted || (table->header && table->row == 0);
}

static void
put(disclose_table *table, uint8_t byte)
{
    table->begun = table->in_field = true;
    if (!keeps(table)) {
        return;
    }
    if (table->len == sizeof(table->field)) {
        table->too_long = true;
        return;
    }
    table->field[table->len++] = (char)byte;
}

static bool
end_field(disclose_table *table, disclose_on_id on_id, void *user, licet_error *err)
{
    licet_bytes id = licet_bytes_of(table->field, table->len);
    bool ok = true;

    if (keeps(table) && table->too_long) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "row %llu: an id of more than %zu bytes",
                          (unsigned long long)table->row + 1, sizeof(table->field));
    }
    if (table->header && table->row == 0) {
        if (table->wanted == UINT64_MAX && licet_bytes_equal_text(id, table->column)) {
            table->wanted = table->at;
        }
    } else if (table->at == table->wanted && id.len > 0) {
        ok = on_id(user, id, err);
    }
    table->at++;
    table->len = 0;
    table->too_long = table->closed = table->in_field = false;
    return ok;
}

static bool
end_row(disclose_table *table, disclose_on_id on_id, void *user, licet_error *err)
{
    bool empty = !table->begun && table->at == 0;

    if (!end_field(table, on_id, user, err)) {
        return false;
    }
    if (table->header && table->row == 0 && table->wanted == UINT64_MAX) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "its first line has no column \"%s\"", table->column);
    }
    if (!empty && !table->lines && table->wanted >= table->at) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "row %llu: %llu columns: expected at least %llu",
                          (unsigned long long)table->row + 1, (unsigned long long)table->at,
                          (unsigned long long)table->wanted + 1);
    }
    table->row++;
    table->at = 0;
    table->begun = false;
    return true;
}

static bool
feed_quoted(disclose_table *table, uint8_t byte)
{
    if (byte == '"') {
        table->quoted = false;
        table->closed = true;
    } else {
        put(table, byte);
    }
    return true;
}

static bool
no_csv(const disclose_table *table, licet_error *err)
{
    return LICET_FAIL(err, LICET_E_INVALID, 0, "row %llu: a quote within a field: expected CSV (RFC 4180)",
                      (unsigned long long)table->row + 1);
}

/* Of CSV, outside quotes. */
static bool
feed_plain(disclose_table *table, uint8_t byte, disclose_on_id on_id, void *user, licet_error *err)
{
    if (byte == ',') {
        table->begun = true;
        return end_field(table, on_id, user, err);
    }
    if (byte == '"' && table->closed) { /* two of them are one */
        table->closed = false;
        table->quoted = true;
        put(table, byte);
        return true;
    }
    if (byte == '"' && !table->in_field) {
        table->quoted = table->begun = table->in_field = true;
        return true;
    }
    if (byte == '"' || table->closed) {
        return no_csv(table, err);
    }
    put(table, byte);
    return true;
}

/* A carriage return before a line end is part of it. */
static bool
feed_byte(disclose_table *table, uint8_t byte, disclose_on_id on_id, void *user, licet_error *err)
{
    if (table->quoted) {
        return feed_quoted(table, byte);
    }
    if (byte == '\n') {
        table->returned = false;
        return end_row(table, on_id, user, err);
    }
    if (table->returned && table->closed) {
        return no_csv(table, err);
    }
    if (table->returned) {
        put(table, '\r');
    }
    table->returned = byte == '\r';
    if (table->returned) {
        return true;
    }
    if (table->lines) {
        put(table, byte);
        return true;
    }
    return feed_plain(table, byte, on_id, user, err);
}

static const uint8_t mark[] = {0xef, 0xbb, 0xbf};

/* What looked like a byte order mark and is none. */
static bool
feed_mark(disclose_table *table, disclose_on_id on_id, void *user, licet_error *err)
{
    size_t n = table->marked;

    table->marked = MARK_OVER;
    for (size_t i = 0; n < MARK_OVER && i < n; i++) {
        if (!feed_byte(table, mark[i], on_id, user, err)) {
            return false;
        }
    }
    return true;
}

bool
disclose_table_feed(disclose_table *table, licet_bytes bytes, disclose_on_id on_id, void *user, licet_error *err)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (table->marked < sizeof(mark) && bytes.data[i] == mark[table->marked]) {
            table->marked = table->marked + 1 == sizeof(mark) ? MARK_OVER : table->marked + 1;
            continue;
        }
        if ((table->marked != MARK_OVER && !feed_mark(table, on_id, user, err)) ||
            !feed_byte(table, bytes.data[i], on_id, user, err)) {
            return false;
        }
    }
    return true;
}

bool
disclose_table_end(disclose_table *table, disclose_on_id on_id, void *user, licet_error *err)
{
    if (table->marked != MARK_OVER && !feed_mark(table, on_id, user, err)) {
        return false;
    }
    if (table->quoted) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "row %llu: the file ends within quotes",
                          (unsigned long long)table->row + 1);
    }
    return (!table->begun && table->at == 0 && table->row > 0) || end_row(table, on_id, user, err);
}
