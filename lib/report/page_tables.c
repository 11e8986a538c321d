/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables behind page one, what is not known, and the evidence.
 */
#include "page.h"

#include <stdio.h>

void
page_put_table(page *p, text_table *table)
{
    p->out->failed |= table->failed;
    licet_put_u8(p->out, '\n');
    text_table_put(table, p->out);
    text_table_done(table);
}

/* Rows with nothing in them are shown when they are registered, or are all there is. */
static bool
worth_showing(const json_t *row)
{
    const json_t *requests = page_at(row, "requests");

    return json_is_string(page_at(row, "id")) || page_number(requests, "delivered") > 0 ||
           page_number(requests, "refused") > 0 || page_number(row, "bytes") > 0;
}

static void
put_list(page *p, const char *key, const char *title, const char *none)
{
    const json_t *row;
    text_table table;
    size_t i, shown = 0;

    text_table_init(&table, 4 + p->units_len);
    text_table_cell(&table, title);
    text_table_cell(&table, "delivered");
    text_table_cell(&table, "refused");
    for (i = 0; i < p->units_len; i++) {
        text_table_cell(&table, p->units[i]);
    }
    text_table_cell(&table, "bytes");
    json_array_foreach(page_at(p->root, key), i, row)
    {
        char name[512];

        if (!worth_showing(row)) {
            continue;
        }
        shown++;
        snprintf(name, sizeof(name), "%s%s%s%s%s", page_words(row, "id", none),
                 json_is_string(page_at(row, "app")) ? " (" : "", page_words(row, "app", ""),
                 json_is_string(page_at(row, "app")) ? ")" : "",
                 json_is_false(page_at(row, "registered")) ? " (not registered)" : "");
        text_table_cell(&table, name);
        text_table_number(&table, page_number(page_at(row, "requests"), "delivered"));
        text_table_number(&table, page_number(page_at(row, "requests"), "refused"));
        for (size_t j = 0; j < p->units_len; j++) {
            text_table_number(&table, page_units(row, p->units[j]));
        }
        text_table_number(&table, page_number(row, "bytes"));
    }
    if (shown > 0) {
        page_put_table(p, &table);
    } else {
        text_table_done(&table);
    }
}

static void
put_limits(page *p)
{
    const json_t *limit;
    text_table table;
    size_t i;

    if (json_array_size(page_at(p->root, "limits")) == 0) {
        return;
    }
    text_table_init(&table, 7);
    table.left[2] = table.left[3] = table.left[4] = true;
    for (i = 0; i < 7; i++) {
        text_table_cell(&table, (const char *[]){"limit", "most", "unit", "per", "over", "highest use", "refused"}[i]);
    }
    json_array_foreach(page_at(p->root, "limits"), i, limit)
    {
        char name[256];

        snprintf(name, sizeof(name), "%s (%s, %s)", page_words(limit, "clause", "?"), page_words(limit, "section", "-"),
                 page_words(limit, "version", "?"));
        text_table_cell(&table, name);
        text_table_number(&table, page_number(limit, "most"));
        text_table_cell(&table, page_words(limit, "unit", "?"));
        text_table_cell(&table, page_words(limit, "per", "?"));
        text_table_cell(&table, page_words(limit, "over", "?"));
        if (json_is_false(page_at(limit, "derivable"))) {
            text_table_cell(&table, "not kept");
        } else {
            text_table_number(&table, page_number(page_at(limit, "highest"), "used"));
        }
        text_table_number(&table, page_number(limit, "refused"));
    }
    page_put_table(p, &table);
}

static void
put_refusals(page *p)
{
    const json_t *refusal;
    text_table table;
    size_t i;

    if (json_array_size(page_at(p->root, "refusals")) == 0) {
        return;
    }
    text_table_init(&table, 4);
    table.left[1] = table.left[2] = true;
    text_table_cell(&table, "refused for");
    text_table_cell(&table, "clause");
    text_table_cell(&table, "status");
    text_table_cell(&table, "requests");
    json_array_foreach(page_at(p->root, "refusals"), i, refusal)
    {
        char status[32] = "passed", name[128];
        bool would_be = json_is_true(page_at(refusal, "would_be"));

        snprintf(name, sizeof(name), "%s%s", page_words(refusal, "reason", "(reason not kept)"),
                 would_be ? " (would be refused)" : "");
        text_table_cell(&table, name);
        text_table_cell(&table, page_words(refusal, "clause", "-"));
        if (json_is_integer(page_at(refusal, "status"))) {
            snprintf(status, sizeof(status), "%llu", (unsigned long long)page_number(refusal, "status"));
        }
        text_table_cell(&table, status);
        text_table_number(&table, page_number(refusal, "requests"));
    }
    page_put_table(p, &table);
}

static void
put_unmetered(page *p)
{
    const json_t *unmetered = page_at(p->root, "unmetered"), *reason, *amount;
    const char *unit;
    text_table table;
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX];
    size_t i;

    if (page_number(unmetered, "responses") == 0) {
        return;
    }
    text_table_init(&table, 2);
    text_table_cell(&table, "unmetered because");
    text_table_cell(&table, "responses");
    json_array_foreach(page_at(unmetered, "reasons"), i, reason)
    {
        if (page_number(reason, "responses") > 0) {
            text_table_cell(&table, page_words(reason, "id", "(reason not kept)"));
            text_table_number(&table, page_number(reason, "responses"));
        }
    }
    page_put_table(p, &table);
    json_object_foreach(json_object_get(unmetered, "units"), unit, amount)
    {
        if (page_number(amount, "charged") > 0) {
            licet_put_format(p->out, "  of these %s %s were counted, %s stay charged\n",
                             text_number(page_number(amount, "counted"), a), unit,
                             text_number(page_number(amount, "charged"), b));
        }
    }
}

/* What a gap can hide of each unit, where it can hide any. */
static void
put_gap_units(page *p, const json_t *gap)
{
    const char *unit, *separator = "";
    const json_t *amount;
    licet_buffer line;
    char a[TEXT_NUMBER_MAX];

    licet_buffer_init(&line, 1 << 20);
    licet_put_format(&line, "entry %s hides at most ", text_number(page_number(gap, "entry"), a));
    json_object_foreach(json_object_get(page_at(p->root, "totals"), "units"), unit, amount)
    {
        uint64_t most = page_number(page_at(gap, "units"), unit);

        if (most > 0) {
            licet_put_format(&line, "%s%s %s", separator, text_number(most, a), unit);
            separator = ", ";
        }
    }
    licet_put_u8(&line, '\0');
    p->out->failed |= line.failed;
    if (!line.failed && separator[0] != '\0') {
        licet_put_format(p->out, "  ");
        text_put_wrapped(p->out, (const char *)line.data, 4, 2);
    }
    licet_buffer_done(&line);
}

static void
put_gaps(page *p)
{
    const json_t *gap;
    text_table table;
    size_t i;

    if (json_array_size(page_at(p->root, "gaps")) == 0) {
        return;
    }
    text_table_init(&table, 5);
    table.left[1] = table.left[2] = true;
    for (i = 0; i < 5; i++) {
        text_table_cell(&table, (const char *[]){"gap", "from", "before", "most requests", "entry"}[i]);
    }
    json_array_foreach(page_at(p->root, "gaps"), i, gap)
    {
        text_table_cell(&table, page_words(gap, "cause", "?"));
        text_table_cell(&table, page_words(gap, "from", "?"));
        text_table_cell(&table, page_words(gap, "before", "?"));
        text_table_number(&table, page_number(gap, "requests"));
        text_table_number(&table, page_number(gap, "entry"));
    }
    page_put_table(p, &table);
    json_array_foreach(page_at(p->root, "gaps"), i, gap)
    {
        put_gap_units(p, gap);
    }
}

static void
put_unidentified(page *p)
{
    const json_t *unidentified = page_at(p->root, "unidentified"), *reason;
    char a[TEXT_NUMBER_MAX];
    size_t i;

    if (json_is_null(page_at(unidentified, "requests"))) {
        licet_put_format(p->out, "\n  %s\n", page_words(unidentified, "statement", ""));
        return;
    }
    licet_put_format(p->out, "\n  callers nobody knows: %s requests, in a ledger of their own and in no total\n",
                     text_number(page_number(unidentified, "requests"), a));
    json_array_foreach(page_at(unidentified, "reasons"), i, reason)
    {
        licet_put_format(p->out, "    %s %s\n", text_number(page_number(reason, "requests"), a),
                         page_words(reason, "reason", "?"));
    }
}

static void
put_unrecorded(page *p)
{
    const json_t *unrecorded = page_at(p->root, "unrecorded_refusals"), *reason;
    char a[TEXT_NUMBER_MAX];
    size_t i;

    if (page_number(unrecorded, "requests") == 0) {
        return;
    }
    licet_put_format(p->out, "\n  refused while nothing could be recorded: %s requests, in no total\n",
                     text_number(page_number(unrecorded, "requests"), a));
    json_array_foreach(page_at(unrecorded, "reasons"), i, reason)
    {
        licet_put_format(p->out, "    %s %s\n", text_number(page_number(reason, "requests"), a),
                         page_words(reason, "reason", "?"));
    }
}

static void
put_evidence(page *p, const char *dir)
{
    const json_t *evidence = page_at(p->root, "evidence"), *coverage = page_at(p->root, "coverage");
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX];

    licet_put_format(p->out, "\nevidence\n");
    if (json_is_string(page_at(evidence, "checkpoint"))) {
        licet_put_format(p->out, "  ledger %s, %s entries (%s in these figures)\n  root   %s\n",
                         page_words(evidence, "origin", "?"), text_number(page_number(evidence, "size"), a),
                         text_number(page_number(coverage, "entries"), b), page_words(evidence, "root", "?"));
    } else {
        licet_put_format(p->out, "  no checkpoint was signed yet; %s entries in these figures\n",
                         text_number(page_number(coverage, "entries"), b));
    }
    licet_put_format(p->out, "  check  licet verify %s\n", dir);
}

void
page_put_tables(page *p, const char *dir)
{
    put_list(p, "apps", "app", "(no app)");
    put_list(p, "products", "product", "(no product)");
    put_list(p, "purposes", "purpose", "(no purpose)");
    put_list(p, "use_cases", "use case", "(no use case)");
    put_list(p, "recipients", "recipient", "(no recipient)");
    put_list(p, "countries", "country", "(no country)");
    put_list(p, "governments", "government", "(no government)");
    put_list(p, "flows", "flow", "(no flow)");
    put_list(p, "months", "month", "(no month)");
    put_list(p, "credentials", "credential", "(no credential)");
    if (p->units_had > p->units_len) {
        licet_put_format(p->out, "\n  %zu units more are in the JSON form\n", p->units_had - p->units_len);
    }
    put_limits(p);
    page_put_disclosures(p);
    page_put_charges(p);
    put_refusals(p);
    put_unmetered(p);
    put_gaps(p);
    put_unrecorded(p);
    put_unidentified(p);
    put_evidence(p, dir);
}
