/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report as text: page one answers the twelve questions in their order, as
 * far as this version has data; then the tables; at the end the evidence and
 * the one command that checks it. It is written from the JSON document alone,
 * so that the two forms cannot differ.
 */
#include "json.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_INDENT 25
#define UNITS_SHOWN_MAX 5

typedef struct page {
    const json_t *root;
    licet_buffer *out;
    licet_buffer line; /* of the answer in the making */
    const char *units[UNITS_SHOWN_MAX];
    size_t units_len, units_had;
} page;

/* ---- reading the document ----------------------------------------------- */

static const json_t *
at(const json_t *object, const char *key)
{
    return json_object_get(object, key);
}

static uint64_t
number(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(at(object, key));
}

static const char *
words(const json_t *object, const char *key, const char *none)
{
    const char *text = json_string_value(at(object, key));

    return text == NULL ? none : text;
}

static uint64_t
units_of(const json_t *row, const char *unit)
{
    return number(at(at(row, "units"), unit), "gross");
}

/* Times on full days as dates. */
static const char *
short_time(const json_t *object, const char *key, char *out, size_t len)
{
    const char *text = words(object, key, "open");
    const char *midnight = strstr(text, "T00:00:00Z");

    snprintf(out, len, "%.*s", midnight == NULL ? (int)strlen(text) : (int)(midnight - text), text);
    return out;
}

/* ---- answers ------------------------------------------------------------------ */

static void say(page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
say(page *p, const char *format, ...)
{
    char text[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    licet_put_bytes(&p->line, licet_bytes_of_text(text));
}

/* Ends a line of an answer; a title for its first line. */
static void
answer(page *p, unsigned n, const char *title)
{
    char head[64] = "";

    if (title != NULL) {
        snprintf(head, sizeof(head), "%2u  %s", n, title);
    }
    text_put_padded(p->out, head, ANSWER_INDENT, false);
    licet_put_u8(&p->line, '\0');
    p->out->failed |= p->line.failed;
    if (!p->line.failed) {
        text_put_wrapped(p->out, (const char *)p->line.data, ANSWER_INDENT, ANSWER_INDENT);
    }
    p->line.len = 0;
}

static void
answer_terms(page *p)
{
    const json_t *agreement = at(p->root, "agreement"), *version;
    char from[40], before[40];
    size_t i;
    bool any = false;

    json_array_foreach(at(agreement, "versions"), i, version)
    {
        if (json_is_true(at(version, "in_period"))) {
            bool open = json_is_null(at(version, "before"));

            say(p, "version %s (%s mode), in force from %s%s%s, catalogue %s", words(version, "id", "?"),
                words(version, "mode", "?"), short_time(version, "from", from, sizeof(from)),
                open ? ", without an end" : " before ",
                open ? "" : short_time(version, "before", before, sizeof(before)), words(version, "catalogue", "none"));
            answer(p, 1, any ? NULL : "terms");
            any = true;
        }
    }
    say(p, "%s", any ? "accepted by: not recorded by this version" : "no version was in force in the period");
    answer(p, 1, any ? NULL : "terms");
}

static void
answer_amount(page *p)
{
    const json_t *totals = at(p->root, "totals"), *basis;
    static const char *const names[] = {"counted", "reported", "estimated", "declared"};
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX], c[TEXT_NUMBER_MAX];

    say(p, "%s requests delivered, %s refused; %s bytes of content",
        text_number(number(at(totals, "requests"), "delivered"), a),
        text_number(number(at(totals, "requests"), "refused"), b), text_number(number(totals, "bytes"), c));
    answer(p, 2, "how much");
    for (size_t i = 0; i < p->units_len; i++) {
        const json_t *amount = at(at(totals, "units"), p->units[i]);
        bool first = true;

        say(p, "%s %s", text_number(number(amount, "gross"), a), p->units[i]);
        basis = at(amount, "basis");
        for (size_t j = 0; j < 4; j++) {
            if (number(basis, names[j]) > 0) {
                say(p, "%s%s %s", first ? " (" : ", ", names[j], text_number(number(basis, names[j]), b));
                first = false;
            }
        }
        say(p, "%s", first ? "" : ")");
        answer(p, 2, NULL);
    }
}

static void
answer_limits(page *p)
{
    const json_t *limit, *highest;
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX], c[TEXT_NUMBER_MAX], from[40];
    size_t i, over = 0, shorter = 0;

    if (json_array_size(at(p->root, "limits")) == 0) {
        say(p, "no limit in force");
        answer(p, 3, "more than agreed");
        return;
    }
    json_array_foreach(at(p->root, "limits"), i, limit)
    {
        over += number(at(limit, "highest"), "used") > number(limit, "most");
        shorter += json_is_false(at(limit, "derivable"));
    }
    say(p, "%s", over > 0 ? "yes" : "no, in windows of an hour or more");
    if (shorter > 0) {
        say(p, "; %zu limit%s on shorter windows: held at the gate, not kept here", shorter, shorter == 1 ? "" : "s");
    }
    answer(p, 3, "more than agreed");
    json_array_foreach(at(p->root, "limits"), i, limit)
    {
        highest = at(limit, "highest");
        if (json_is_object(highest)) {
            say(p, "%s: at most %s of %s %s per %s over %s (%s), from %s%s%s", words(limit, "clause", "?"),
                text_number(number(highest, "used"), a), text_number(number(limit, "most"), b),
                words(limit, "unit", "?"), words(limit, "per", "?"), words(limit, "over", "?"),
                text_share(number(highest, "used"), number(limit, "most"), c),
                short_time(highest, "from", from, sizeof(from)), json_is_string(at(highest, "app")) ? ", app " : "",
                words(highest, "app", ""));
            answer(p, 3, NULL);
        }
    }
}

static void
answer_products(page *p)
{
    const json_t *row;
    const char *unit = p->units_len > 0 ? p->units[0] : NULL;
    const json_t *totals = at(p->root, "totals"), *unattributed = at(p->root, "unattributed");
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX];
    uint64_t all = unit != NULL ? units_of(totals, unit) : number(at(totals, "requests"), "delivered");
    size_t i;
    bool any = false;

    json_array_foreach(at(p->root, "products"), i, row)
    {
        uint64_t amount = unit != NULL ? units_of(row, unit) : number(at(row, "requests"), "delivered");

        if (json_is_string(at(row, "id")) || amount > 0) {
            say(p, "%s%s %s (%s)", any ? "; " : "", words(row, "id", "no product"), text_number(amount, a),
                text_share(amount, all, b));
            any = true;
        }
    }
    say(p, "%s%s", any ? " " : "none registered", !any ? "" : unit != NULL ? unit : "requests");
    answer(p, 4, "per product");
    all = unit != NULL ? units_of(unattributed, unit) : number(at(unattributed, "requests"), "delivered");
    say(p, "under no use case: %s (%s)", text_number(all, a),
        text_share(all, unit != NULL ? units_of(totals, unit) : number(at(totals, "requests"), "delivered"), b));
    answer(p, 4, NULL);
}

static void
answer_use_cases(page *p)
{
    const json_t *row;
    uint64_t registered = 0, approved = 0, forbidden_delivered = 0, forbidden_refused = 0;
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX];
    size_t i;

    json_array_foreach(at(p->root, "use_cases"), i, row)
    {
        registered += json_is_true(at(row, "registered"));
        approved += json_is_string(at(row, "approved_from"));
    }
    json_array_foreach(at(p->root, "purposes"), i, row)
    {
        if (json_is_string(at(row, "forbidden_by"))) {
            forbidden_delivered += number(at(row, "requests"), "delivered");
            forbidden_refused += number(at(row, "requests"), "refused");
        }
    }
    say(p, "%s approved of %s registered; forbidden purposes: ", text_number(approved, a), text_number(registered, b));
    say(p, "%s requests delivered, %s refused", text_number(forbidden_delivered, a), text_number(forbidden_refused, b));
    answer(p, 5, "use cases");
}

static void
answer_hidden(page *p)
{
    const json_t *gap, *unmetered = at(p->root, "unmetered"), *span;
    uint64_t requests = 0, days = 0;
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX], from[40], before[40];
    size_t i;

    json_array_foreach(at(p->root, "gaps"), i, gap)
    {
        requests += number(gap, "requests");
    }
    say(p, "gaps: %zu, hiding at most %s requests; unmetered responses: %s", json_array_size(at(p->root, "gaps")),
        text_number(requests, a), text_number(number(unmetered, "responses"), b));
    answer(p, 10, "most that is hidden");
    json_array_foreach(at(at(p->root, "coverage"), "days_without_records"), i, span)
    {
        if (days++ < 5) {
            say(p, "%s%s to %s", days == 1 ? "no record on whole days: " : ", ",
                short_time(span, "from", from, sizeof(from)), short_time(span, "before", before, sizeof(before)));
        }
    }
    if (days > 5) {
        say(p, " and %llu spans more", (unsigned long long)days - 5);
    }
    say(p, "%s", days == 0 ? "a record on every day" : "");
    answer(p, 10, NULL);
}

static void
answer_sealed(page *p)
{
    const json_t *evidence = at(p->root, "evidence");
    char a[TEXT_NUMBER_MAX];

    if (json_is_null(at(evidence, "checkpoint"))) {
        say(p, "no checkpoint was signed yet");
    } else {
        say(p, "%s entries, by %s; the evidence is at the end", text_number(number(evidence, "size"), a),
            words(evidence, "origin", "?"));
    }
    answer(p, 11, "sealed");
}

static void
put_page_one(page *p)
{
    const json_t *credential;
    size_t i, registered = 0;

    answer_terms(p);
    answer_amount(p);
    answer_limits(p);
    answer_products(p);
    answer_use_cases(p);
    say(p, "not answered: this version does not tell which recipients are governments");
    answer(p, 6, "governments");
    say(p, "not answered: this version keeps no holdings");
    answer(p, 7, "held and destroyed");
    say(p, "not answered: this version applies no prices");
    answer(p, 8, "due, paid, open");
    json_array_foreach(at(p->root, "credentials"), i, credential)
    {
        registered += json_is_true(at(credential, "registered"));
    }
    say(p, "%zu credential%s registered, see below; findings upheld: none", registered, registered == 1 ? "" : "s");
    answer(p, 9, "credentials");
    answer_hidden(p);
    answer_sealed(p);
    say(p, "not answered: this version keeps no due dates");
    answer(p, 12, "next dates");
}

/* ---- tables ------------------------------------------------------------------- */

/* Prints and ends a table, after an empty line. */
static void
put_table(page *p, text_table *table)
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
    const json_t *requests = at(row, "requests");

    return json_is_string(at(row, "id")) || number(requests, "delivered") > 0 || number(requests, "refused") > 0 ||
           number(row, "bytes") > 0;
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
    json_array_foreach(at(p->root, key), i, row)
    {
        char name[512];

        if (!worth_showing(row)) {
            continue;
        }
        shown++;
        snprintf(name, sizeof(name), "%s%s%s%s%s", words(row, "id", none), json_is_string(at(row, "app")) ? " (" : "",
                 words(row, "app", ""), json_is_string(at(row, "app")) ? ")" : "",
                 json_is_false(at(row, "registered")) ? " (not registered)" : "");
        text_table_cell(&table, name);
        text_table_number(&table, number(at(row, "requests"), "delivered"));
        text_table_number(&table, number(at(row, "requests"), "refused"));
        for (size_t j = 0; j < p->units_len; j++) {
            text_table_number(&table, units_of(row, p->units[j]));
        }
        text_table_number(&table, number(row, "bytes"));
    }
    if (shown > 0) {
        put_table(p, &table);
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

    if (json_array_size(at(p->root, "limits")) == 0) {
        return;
    }
    text_table_init(&table, 7);
    table.left[2] = table.left[3] = table.left[4] = true;
    for (i = 0; i < 7; i++) {
        text_table_cell(&table, (const char *[]){"limit", "most", "unit", "per", "over", "highest use", "refused"}[i]);
    }
    json_array_foreach(at(p->root, "limits"), i, limit)
    {
        char name[256];

        snprintf(name, sizeof(name), "%s (%s, %s)", words(limit, "clause", "?"), words(limit, "section", "-"),
                 words(limit, "version", "?"));
        text_table_cell(&table, name);
        text_table_number(&table, number(limit, "most"));
        text_table_cell(&table, words(limit, "unit", "?"));
        text_table_cell(&table, words(limit, "per", "?"));
        text_table_cell(&table, words(limit, "over", "?"));
        if (json_is_false(at(limit, "derivable"))) {
            text_table_cell(&table, "not kept");
        } else {
            text_table_number(&table, number(at(limit, "highest"), "used"));
        }
        text_table_number(&table, number(limit, "refused"));
    }
    put_table(p, &table);
}

static void
put_refusals(page *p)
{
    const json_t *refusal;
    text_table table;
    size_t i;

    if (json_array_size(at(p->root, "refusals")) == 0) {
        return;
    }
    text_table_init(&table, 4);
    table.left[1] = table.left[2] = true;
    text_table_cell(&table, "refused for");
    text_table_cell(&table, "clause");
    text_table_cell(&table, "status");
    text_table_cell(&table, "requests");
    json_array_foreach(at(p->root, "refusals"), i, refusal)
    {
        char status[32] = "passed";

        text_table_cell(&table, json_is_true(at(refusal, "would_be")) ? "(would be refused)"
                                                                      : words(refusal, "reason", "not kept"));
        text_table_cell(&table, words(refusal, "clause", "-"));
        if (json_is_integer(at(refusal, "status"))) {
            snprintf(status, sizeof(status), "%llu", (unsigned long long)number(refusal, "status"));
        }
        text_table_cell(&table, status);
        text_table_number(&table, number(refusal, "requests"));
    }
    put_table(p, &table);
}

static void
put_unmetered(page *p)
{
    const json_t *unmetered = at(p->root, "unmetered"), *reason, *amount;
    const char *unit;
    text_table table;
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX];
    size_t i;

    if (number(unmetered, "responses") == 0) {
        return;
    }
    text_table_init(&table, 2);
    text_table_cell(&table, "unmetered because");
    text_table_cell(&table, "responses");
    json_array_foreach(at(unmetered, "reasons"), i, reason)
    {
        if (number(reason, "responses") > 0) {
            text_table_cell(&table, words(reason, "id", "(reason not kept)"));
            text_table_number(&table, number(reason, "responses"));
        }
    }
    put_table(p, &table);
    json_object_foreach((json_t *)(uintptr_t)at(unmetered, "units"), unit, amount)
    {
        if (number(amount, "charged") > 0) {
            licet_put_format(p->out, "  of these %s %s were counted, %s stay charged\n",
                             text_number(number(amount, "counted"), a), unit,
                             text_number(number(amount, "charged"), b));
        }
    }
}

static void
put_gaps(page *p)
{
    const json_t *gap;
    text_table table;
    size_t i;

    if (json_array_size(at(p->root, "gaps")) == 0) {
        return;
    }
    text_table_init(&table, 5);
    table.left[1] = table.left[2] = true;
    for (i = 0; i < 5; i++) {
        text_table_cell(&table, (const char *[]){"gap", "from", "before", "most requests", "entry"}[i]);
    }
    json_array_foreach(at(p->root, "gaps"), i, gap)
    {
        text_table_cell(&table, words(gap, "cause", "?"));
        text_table_cell(&table, words(gap, "from", "?"));
        text_table_cell(&table, words(gap, "before", "?"));
        text_table_number(&table, number(gap, "requests"));
        text_table_number(&table, number(gap, "entry"));
    }
    put_table(p, &table);
}

static void
put_unidentified(page *p)
{
    const json_t *unidentified = at(p->root, "unidentified"), *reason;
    char a[TEXT_NUMBER_MAX];
    size_t i;

    if (json_is_null(at(unidentified, "requests"))) {
        licet_put_format(p->out, "\n  %s\n", words(unidentified, "statement", ""));
        return;
    }
    licet_put_format(p->out, "\n  callers nobody knows: %s requests, in a ledger of their own and in no total\n",
                     text_number(number(unidentified, "requests"), a));
    json_array_foreach(at(unidentified, "reasons"), i, reason)
    {
        licet_put_format(p->out, "    %s %s\n", text_number(number(reason, "requests"), a),
                         words(reason, "reason", "?"));
    }
}

static void
put_evidence(page *p, const char *dir)
{
    const json_t *evidence = at(p->root, "evidence"), *coverage = at(p->root, "coverage");
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX];

    licet_put_format(p->out, "\nevidence\n");
    if (json_is_string(at(evidence, "checkpoint"))) {
        licet_put_format(p->out, "  ledger %s, %s entries (%s in these figures)\n  root   %s\n",
                         words(evidence, "origin", "?"), text_number(number(evidence, "size"), a),
                         text_number(number(coverage, "entries"), b), words(evidence, "root", "?"));
    } else {
        licet_put_format(p->out, "  no checkpoint was signed yet; %s entries in these figures\n",
                         text_number(number(coverage, "entries"), b));
    }
    licet_put_format(p->out, "  check  licet verify %s\n", dir);
}

static void
put_head(page *p)
{
    const json_t *report = at(p->root, "report"), *agreement = at(p->root, "agreement"), *period;
    char from[40], before[40], line[512];

    period = at(p->root, "period");
    snprintf(line, sizeof(line), "report on agreement %s, edition %s, revision %llu", words(agreement, "id", "?"),
             words(report, "edition", "?"), (unsigned long long)number(report, "revision"));
    text_put(p->out, line, TEXT_WIDTH);
    licet_put_u8(p->out, '\n');
    if (json_is_string(at(agreement, "licensor"))) {
        snprintf(line, sizeof(line), "%s (licensor), %s (licensee)", words(agreement, "licensor", "?"),
                 words(agreement, "licensee", "?"));
        text_put(p->out, line, TEXT_WIDTH);
        licet_put_u8(p->out, '\n');
    }
    licet_put_format(p->out, "from %s before %s, %s; as of %s\n\n", short_time(period, "from", from, sizeof(from)),
                     short_time(period, "before", before, sizeof(before)), words(period, "zone", "?"),
                     words(report, "as_of", "?"));
}

/* Units that were had, as many as fit; of an empty report the first one, so that its zero is seen. */
static void
choose_units(page *p)
{
    const char *unit;
    const json_t *amount;

    json_object_foreach((json_t *)(uintptr_t)at(at(p->root, "totals"), "units"), unit, amount)
    {
        if (p->units[0] == NULL) {
            p->units[0] = unit;
        }
        if (number(amount, "gross") > 0) {
            p->units_had++;
            if (p->units_len < UNITS_SHOWN_MAX) {
                p->units[p->units_len++] = unit;
            }
        }
    }
    if (p->units_len == 0 && p->units[0] != NULL) {
        p->units_len = p->units_had = 1;
    }
}

bool
licet_report_text(const licet_report *report, licet_buffer *out, licet_error *err)
{
    page p = {.root = report->root, .out = out};

    licet_buffer_init(&p.line, 1 << 20);
    choose_units(&p);
    put_head(&p);
    put_page_one(&p);
    put_list(&p, "apps", "app", "(no app)");
    put_list(&p, "products", "product", "(no product)");
    put_list(&p, "purposes", "purpose", "(no purpose)");
    put_list(&p, "use_cases", "use case", "(no use case)");
    put_list(&p, "recipients", "recipient", "(no recipient)");
    put_list(&p, "flows", "flow", "(no flow)");
    put_list(&p, "months", "month", "(no month)");
    put_list(&p, "credentials", "credential", "(no credential)");
    if (p.units_had > p.units_len) {
        licet_put_format(out, "\n  %zu units more are in the JSON form\n", p.units_had - p.units_len);
    }
    put_limits(&p);
    put_refusals(&p);
    put_unmetered(&p);
    put_gaps(&p);
    put_unidentified(&p);
    put_evidence(&p, report->dir == NULL ? "DIR" : report->dir);
    licet_buffer_done(&p.line);
    return !out->failed || LICET_FAIL(err, LICET_E_LIMIT, 0, "the report is longer than %zu bytes", out->ceiling);
}
