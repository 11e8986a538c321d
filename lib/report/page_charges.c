/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charges as text: the answer on page one, and a table for each period.
 */
#include "page.h"

#include <stdio.h>
#include <string.h>

void
page_say_charges(const page *p, char *out, size_t len)
{
    const json_t *charges = page_at(p->root, "charges"), *period, *over = NULL;
    size_t i, under_way = 0;
    char from[40], before[40];

    json_array_foreach(charges, i, period)
    {
        over = json_is_true(page_at(period, "over")) ? period : over;
        under_way += json_is_true(page_at(period, "over")) ? 0 : 1;
    }
    if (json_array_size(charges) == 0) {
        snprintf(out, len, "no prices in force; nothing is charged");
        return;
    }
    if (over == NULL) {
        snprintf(out, len, "no period is over yet, see charges; what was paid is not kept");
        return;
    }
    snprintf(out, len, "%s %s due for %s to %s; %zu period%s in all, %zu not over; what was paid is not kept",
             page_words(over, "currency", "?"), page_words(over, "total", "?"),
             page_time(over, "from", from, sizeof(from)), page_time(over, "before", before, sizeof(before)),
             json_array_size(charges), json_array_size(charges) == 1 ? "" : "s", under_way);
}

static void
put_lines(text_table *table, const json_t *period)
{
    const json_t *line;
    size_t i;

    json_array_foreach(page_at(period, "lines"), i, line)
    {
        char name[256];

        snprintf(name, sizeof(name), "%s (%s, %s)", page_words(line, "line", "?"), page_words(line, "section", "-"),
                 page_words(line, "version", "?"));
        text_table_cell(table, name);
        text_table_cell(table, page_words(line, "unit", "?"));
        text_table_number(table, page_number(line, "gross"));
        text_table_number(table, page_number(line, "billable"));
        text_table_cell(table, page_words(line, "amount", "?"));
    }
    json_array_foreach(page_at(period, "unpriced"), i, line)
    {
        text_table_cell(table, "no price");
        text_table_cell(table, page_words(line, "unit", "?"));
        text_table_number(table, page_number(line, "units"));
        text_table_cell(table, "-");
        text_table_cell(table, "-");
    }
}

static void
put_row(text_table *table, const char *name, const char *amount)
{
    text_table_cell(table, name);
    text_table_cell(table, "");
    text_table_cell(table, "");
    text_table_cell(table, "");
    text_table_cell(table, amount);
}

static void
put_sums(text_table *table, const json_t *period)
{
    const json_t *rebate = page_at(period, "rebate"), *minimum = page_at(period, "minimum"), *surcharge;
    char name[128], amount[64];
    size_t i;

    if (json_is_object(rebate)) {
        snprintf(name, sizeof(name), "rebate of %s %%", page_words(rebate, "percent", "?"));
        snprintf(amount, sizeof(amount), "-%s", page_words(rebate, "amount", "?"));
        put_row(table, name, amount);
    }
    if (json_is_object(minimum)) {
        snprintf(name, sizeof(name), "to the minimum of %s", page_words(minimum, "least", "?"));
        put_row(table, name, page_words(minimum, "added", "?"));
    }
    json_array_foreach(page_at(period, "surcharges"), i, surcharge)
    {
        snprintf(name, sizeof(name), "%s, %s %%", page_words(surcharge, "name", "?"),
                 page_words(surcharge, "percent", "?"));
        put_row(table, name, page_words(surcharge, "amount", "?"));
    }
    snprintf(name, sizeof(name), "total, %s", page_words(period, "currency", "?"));
    put_row(table, name, page_words(period, "total", "?"));
}

void
page_put_charges(page *p)
{
    const json_t *period;
    size_t i;

    json_array_foreach(page_at(p->root, "charges"), i, period)
    {
        char head[128], from[40], before[40];
        text_table table;

        text_table_init(&table, 5);
        table.left[1] = true;
        snprintf(head, sizeof(head), "charges, %s to %s%s", page_time(period, "from", from, sizeof(from)),
                 page_time(period, "before", before, sizeof(before)),
                 json_is_true(page_at(period, "over")) ? "" : " (not over)");
        text_table_cell(&table, head);
        text_table_cell(&table, "unit");
        text_table_cell(&table, "delivered");
        text_table_cell(&table, "billable");
        text_table_cell(&table, "amount");
        put_lines(&table, period);
        put_sums(&table, period);
        page_put_table(p, &table);
    }
}
