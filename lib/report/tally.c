/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

bool
tally_count(uint64_t *sum, uint64_t value, licet_error *err)
{
    if (value > INT64_MAX || *sum > INT64_MAX - value) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "a sum of the report is greater than 9223372036854775807");
    }
    *sum += value;
    return true;
}

static size_t
hash_of(licet_bytes id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < id.len; i++) {
        hash = (hash ^ id.data[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)(hash ^ (hash >> 32));
}

static size_t
place_of(const tally_list *list, licet_bytes id)
{
    size_t place = hash_of(id) & (list->table_len - 1);

    while (list->table[place] != 0 && !licet_bytes_equal(list->rows[list->table[place] - 1].id, id)) {
        place = (place + 1) & (list->table_len - 1);
    }
    return place;
}

/* Room for one row more; the table stays at most half full. */
static bool
grow(tally_list *list, licet_error *err)
{
    size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
    tally_row *rows;
    uint32_t *table;

    if (capacity > TALLY_ROWS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "a list of the report has more than %u rows", TALLY_ROWS_MAX);
    }
    rows = realloc(list->rows, capacity * sizeof(*rows));
    if (rows == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu rows of a report", capacity);
    }
    list->rows = rows;
    table = calloc(2 * capacity, sizeof(*table));
    if (table == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu rows of a report", capacity);
    }
    free(list->table);
    list->table = table;
    list->table_len = 2 * capacity;
    list->capacity = capacity;
    for (size_t i = 0; i < list->len; i++) {
        table[place_of(list, list->rows[i].id)] = (uint32_t)i + 1;
    }
    return true;
}

static bool
add_row(tally_list *list, licet_bytes id, size_t *out_row, licet_error *err)
{
    size_t units = list->kinds * TALLY_CELLS * sizeof(uint64_t);
    uint8_t *memory;
    tally_row *row;

    if (list->len == list->capacity && !grow(list, err)) {
        return false;
    }
    memory = calloc(1, units + id.len + 1); /* units first: they want the alignment */
    if (memory == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a row of a report");
    }
    row = &list->rows[list->len];
    *row = (tally_row){.id = {memory + units, id.len}, .source = UINT32_MAX};
    row->sums.units = (uint64_t *)(void *)memory;
    if (id.len > 0) {
        memcpy(memory + units, id.data, id.len);
    }
    list->table[place_of(list, id)] = (uint32_t)list->len + 1;
    *out_row = list->len++;
    return true;
}

bool
tally_list_init(tally_list *list, size_t kinds, licet_error *err)
{
    size_t none;

    memset(list, 0, sizeof(*list));
    list->kinds = kinds;
    return add_row(list, (licet_bytes){NULL, 0}, &none, err);
}

void
tally_list_done(tally_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        free(list->rows[i].sums.units);
    }
    free(list->rows);
    free(list->table);
    memset(list, 0, sizeof(*list));
}

bool
tally_list_row(tally_list *list, licet_bytes id, size_t *out_row, licet_error *err)
{
    size_t place = place_of(list, id);

    if (list->table[place] != 0) {
        *out_row = list->table[place] - 1;
        return true;
    }
    return add_row(list, id, out_row, err);
}

bool
tally_list_register(tally_list *list, licet_bytes id, uint32_t source, licet_error *err)
{
    size_t row;

    if (!tally_list_row(list, id, &row, err)) {
        return false;
    }
    if (row != TALLY_NONE && !list->rows[row].registered) {
        list->rows[row].registered = true;
        list->rows[row].source = source;
        list->registered++;
    }
    return true;
}

typedef struct ordered {
    size_t row;
    bool registered;
    licet_bytes id;
} ordered;

static int
compare(const void *left, const void *right)
{
    const ordered *x = left, *y = right;
    size_t len = x->id.len < y->id.len ? x->id.len : y->id.len;
    int order;

    if ((x->row == TALLY_NONE) != (y->row == TALLY_NONE)) {
        return x->row == TALLY_NONE ? 1 : -1;
    }
    if (x->registered != y->registered) {
        return x->registered ? -1 : 1;
    }
    if (x->registered) {
        return x->row < y->row ? -1 : x->row > y->row;
    }
    order = len == 0 ? 0 : memcmp(x->id.data, y->id.data, len);
    return order != 0 ? order : x->id.len < y->id.len ? -1 : x->id.len > y->id.len;
}

bool
tally_list_order(const tally_list *list, size_t **out_order, licet_error *err)
{
    ordered *rows = malloc(list->len * sizeof(*rows));
    size_t *order = malloc(list->len * sizeof(*order));

    if (rows == NULL || order == NULL) {
        free(rows);
        free(order);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to order %zu rows", list->len);
    }
    for (size_t i = 0; i < list->len; i++) {
        rows[i] = (ordered){i, list->rows[i].registered, list->rows[i].id};
    }
    qsort(rows, list->len, sizeof(*rows), compare);
    for (size_t i = 0; i < list->len; i++) {
        order[i] = rows[i].row;
    }
    free(rows);
    *out_order = order;
    return true;
}
