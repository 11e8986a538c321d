/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of what was handed over in files.
 */
#include "page.h"

#include <stdio.h>

#define COLUMNS 8

static const char *
what_of(const json_t *d, char *out, size_t len)
{
    if (json_is_null(page_at(d, "reason"))) {
        return "allowed";
    }
    snprintf(out, len, "%s: %s", json_is_true(page_at(d, "anyway")) ? "anyway" : "observed",
             page_words(d, "reason", "?"));
    return out;
}

void
page_put_disclosures(page *p)
{
    static const char *const heads[COLUMNS] = {"handed to", "at",    "class",    "country",
                                               "unit",      "gross", "distinct", "terms"};
    const json_t *d;
    text_table table;
    size_t i;

    if (json_array_size(page_at(p->root, "disclosures")) == 0) {
        return;
    }
    text_table_init(&table, COLUMNS);
    for (i = 0; i < COLUMNS; i++) {
        table.left[i] = i != 5 && i != 6;
        text_table_cell(&table, heads[i]);
    }
    json_array_foreach(page_at(p->root, "disclosures"), i, d)
    {
        char text[128], at[40];

        text_table_cell(&table, page_words(d, "recipient", "-"));
        text_table_cell(&table, page_time(d, "at", at, sizeof(at)));
        text_table_cell(&table, page_words(d, "class", "-"));
        text_table_cell(&table, page_words(d, "country", "-"));
        text_table_cell(&table, page_words(d, "unit", "?"));
        text_table_number(&table, page_number(d, "gross"));
        if (json_is_null(page_at(d, "distinct"))) {
            text_table_cell(&table, "declared");
        } else {
            text_table_number(&table, page_number(d, "distinct"));
        }
        text_table_cell(&table, what_of(d, text, sizeof(text)));
    }
    page_put_table(p, &table);
}
