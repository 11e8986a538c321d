/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report as text: page one answers the twelve questions in their order, as
 * far as this version has data; then the tables; at the end the evidence and
 * the one command that checks it. It is written from the JSON document alone,
 * so that the two forms cannot differ.
 */
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_INDENT 25

/* ---- reading the document ----------------------------------------------- */

const json_t *
page_at(const json_t *object, const char *key)
{
    return json_object_get(object, key);
}

uint64_t
page_number(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(page_at(object, key));
}

const char *
page_words(const json_t *object, const char *key, const char *none)
{
    const char *text = json_string_value(page_at(object, key));

    return text == NULL ? none : text;
}

uint64_t
page_units(const json_t *row, const char *unit)
{
    return page_number(page_at(page_at(row, "units"), unit), "gross");
}

const char *
page_time(const json_t *object, const char *key, char *out, size_t len)
{
    const char *text = page_words(object, key, "open");
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
    const json_t *agreement = page_at(p->root, "agreement"), *version, *accepted;
    char from[40], before[40];
    size_t i;
    bool any = false;

    json_array_foreach(page_at(agreement, "versions"), i, version)
    {
        if (json_is_true(page_at(version, "in_period"))) {
            bool open = json_is_null(page_at(version, "before"));

            say(p, "version %s (%s mode), in force from %s%s%s, catalogue %s", page_words(version, "id", "?"),
                page_words(version, "mode", "?"), page_time(version, "from", from, sizeof(from)),
                open ? ", without an end" : " before ",
                open ? "" : page_time(version, "before", before, sizeof(before)),
                page_words(version, "catalogue", "none"));
            answer(p, 1, any ? NULL : "terms");
            any = true;
        }
    }
    json_array_foreach(page_at(agreement, "accepted_by"), i, accepted)
    {
        bool named = json_is_string(page_at(accepted, "as"));

        if (json_is_null(page_at(accepted, "at"))) {
            say(p, "version %s: not accepted by the %s", page_words(accepted, "version", "?"),
                page_words(accepted, "party", "?"));
        } else {
            say(p, "version %s: accepted by the %s%s%s on %s, key %s", page_words(accepted, "version", "?"),
                page_words(accepted, "party", "?"), named ? ", " : "", page_words(accepted, "as", ""),
                page_time(accepted, "at", from, sizeof(from)), page_words(accepted, "key", "?"));
        }
        answer(p, 1, NULL);
    }
    if (!any) {
        say(p, "no version was in force in the period");
        answer(p, 1, "terms");
    }
}

static void
answer_amount(page *p)
{
    const json_t *totals = page_at(p->root, "totals"), *basis;
    static const char *const names[] = {"counted", "reported", "estimated", "declared"};
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX], c[TEXT_NUMBER_MAX];

    say(p, "%s requests delivered, %s refused; %s bytes of content",
        text_number(page_number(page_at(totals, "requests"), "delivered"), a),
        text_number(page_number(page_at(totals, "requests"), "refused"), b),
        text_number(page_number(totals, "bytes"), c));
    answer(p, 2, "how much");
    for (size_t i = 0; i < p->units_len; i++) {
        const json_t *amount = page_at(page_at(totals, "units"), p->units[i]);
        bool first = true;

        say(p, "%s %s", text_number(page_number(amount, "gross"), a), p->units[i]);
        basis = page_at(amount, "basis");
        for (size_t j = 0; j < 4; j++) {
            if (page_number(basis, names[j]) > 0) {
                say(p, "%s%s %s", first ? " (" : ", ", names[j], text_number(page_number(basis, names[j]), b));
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

    if (json_array_size(page_at(p->root, "limits")) == 0) {
        say(p, "no limit in force");
        answer(p, 3, "more than agreed");
        return;
    }
    json_array_foreach(page_at(p->root, "limits"), i, limit)
    {
        over += page_number(page_at(limit, "highest"), "used") > page_number(limit, "most");
        shorter += json_is_false(page_at(limit, "derivable"));
    }
    say(p, "%s", over > 0 ? "yes" : "no, in windows of an hour or more");
    if (shorter > 0) {
        say(p, "; %zu limit%s on shorter windows: held at the gate, not kept here", shorter, shorter == 1 ? "" : "s");
    }
    answer(p, 3, "more than agreed");
    json_array_foreach(page_at(p->root, "limits"), i, limit)
    {
        highest = page_at(limit, "highest");
        if (json_is_object(highest)) {
            say(p, "%s: at most %s of %s %s per %s over %s (%s), from %s%s%s", page_words(limit, "clause", "?"),
                text_number(page_number(highest, "used"), a), text_number(page_number(limit, "most"), b),
                page_words(limit, "unit", "?"), page_words(limit, "per", "?"), page_words(limit, "over", "?"),
                text_share(page_number(highest, "used"), page_number(limit, "most"), c),
                page_time(highest, "from", from, sizeof(from)), json_is_string(page_at(highest, "app")) ? ", app " : "",
                page_words(highest, "app", ""));
            answer(p, 3, NULL);
        }
    }
}

static void
answer_products(page *p)
{
    const json_t *row;
    const char *unit = p->units_len > 0 ? p->units[0] : NULL;
    const json_t *totals = page_at(p->root, "totals"), *unattributed = page_at(p->root, "unattributed");
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX];
    uint64_t all = unit != NULL ? page_units(totals, unit) : page_number(page_at(totals, "requests"), "delivered");
    size_t i;
    bool any = false;

    json_array_foreach(page_at(p->root, "products"), i, row)
    {
        uint64_t amount = unit != NULL ? page_units(row, unit) : page_number(page_at(row, "requests"), "delivered");

        if (json_is_string(page_at(row, "id")) || amount > 0) {
            say(p, "%s%s %s (%s)", any ? "; " : "", page_words(row, "id", "no product"), text_number(amount, a),
                text_share(amount, all, b));
            any = true;
        }
    }
    say(p, "%s%s", any ? " " : "none registered", !any ? "" : unit != NULL ? unit : "requests");
    answer(p, 4, "per product");
    all = unit != NULL ? page_units(unattributed, unit) : page_number(page_at(unattributed, "requests"), "delivered");
    say(p, "under no use case: %s (%s)", text_number(all, a),
        text_share(all, unit != NULL ? page_units(totals, unit) : page_number(page_at(totals, "requests"), "delivered"),
                   b));
    answer(p, 4, NULL);
}

static void
answer_use_cases(page *p)
{
    const json_t *row;
    uint64_t registered = 0, approved = 0, forbidden_delivered = 0, forbidden_refused = 0;
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX];
    size_t i;

    json_array_foreach(page_at(p->root, "use_cases"), i, row)
    {
        registered += json_is_true(page_at(row, "registered"));
        approved += json_is_string(page_at(row, "approved_from"));
    }
    json_array_foreach(page_at(p->root, "purposes"), i, row)
    {
        if (json_is_string(page_at(row, "forbidden_by"))) {
            forbidden_delivered += page_number(page_at(row, "requests"), "delivered");
            forbidden_refused += page_number(page_at(row, "requests"), "refused");
        }
    }
    say(p, "%s approved of %s registered; forbidden purposes: ", text_number(approved, a), text_number(registered, b));
    say(p, "%s requests delivered, %s refused", text_number(forbidden_delivered, a), text_number(forbidden_refused, b));
    answer(p, 5, "use cases");
}

uint64_t
page_sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* The most that all gaps together can hide of each unit. */
static void
say_hidden_units(page *p)
{
    const char *unit;
    const json_t *amount, *gap;
    char a[TEXT_NUMBER_MAX];
    size_t i;

    json_object_foreach(json_object_get(page_at(p->root, "totals"), "units"), unit, amount)
    {
        uint64_t most = 0;

        json_array_foreach(page_at(p->root, "gaps"), i, gap)
        {
            most = page_sum(most, page_number(page_at(gap, "units"), unit));
        }
        if (most > 0) {
            say(p, ", %s %s", text_number(most, a), unit);
        }
    }
}

static void
answer_hidden(page *p)
{
    const json_t *gap, *unmetered = page_at(p->root, "unmetered"), *span;
    uint64_t requests = 0, days = 0;
    char a[TEXT_NUMBER_MAX], b[TEXT_NUMBER_MAX], from[40], before[40];
    size_t i;

    json_array_foreach(page_at(p->root, "gaps"), i, gap)
    {
        requests = page_sum(requests, page_number(gap, "requests"));
    }
    say(p, "gaps: %zu, hiding at most %s requests", json_array_size(page_at(p->root, "gaps")),
        text_number(requests, a));
    say_hidden_units(p);
    say(p, "; unmetered responses: %s", text_number(page_number(unmetered, "responses"), b));
    answer(p, 10, "most that is hidden");
    json_array_foreach(page_at(page_at(p->root, "coverage"), "days_without_records"), i, span)
    {
        if (days++ < 5) {
            say(p, "%s%s to %s", days == 1 ? "no record on whole days: " : ", ",
                page_time(span, "from", from, sizeof(from)), page_time(span, "before", before, sizeof(before)));
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
    const json_t *evidence = page_at(p->root, "evidence");
    char a[TEXT_NUMBER_MAX];

    if (json_is_null(page_at(evidence, "checkpoint"))) {
        say(p, "no checkpoint was signed yet");
    } else {
        say(p, "%s entries, by %s; the evidence is at the end", text_number(page_number(evidence, "size"), a),
            page_words(evidence, "origin", "?"));
    }
    answer(p, 11, "sealed");
}

static void
answer_governments(page *p)
{
    uint64_t requests[REPORT_RUNGS_LEN] = {0};
    const json_t *row;
    char n[REPORT_RUNGS_LEN][32];
    size_t i;

    json_array_foreach(page_at(p->root, "governments"), i, row)
    {
        for (size_t rung = 0; rung < REPORT_RUNGS_LEN; rung++) {
            if (strcmp(page_words(row, "id", ""), report_rungs[rung]) == 0) {
                requests[rung] = page_number(page_at(row, "requests"), "delivered");
            }
        }
    }
    for (size_t rung = 0; rung < REPORT_RUNGS_LEN; rung++) {
        text_number(requests[rung], n[rung]);
    }
    say(p,
        "%s requests notified before passing on; %s confirmed, before notice; %s possible, under review; %s with the "
        "recipient unknown",
        n[0], n[1], n[2], n[3]);
    answer(p, 6, "governments");
}

static void
put_page_one(page *p)
{
    const json_t *credential;
    size_t i, registered = 0;
    char due[256];

    answer_terms(p);
    answer_amount(p);
    answer_limits(p);
    answer_products(p);
    answer_use_cases(p);
    answer_governments(p);
    say(p, "not answered: this version keeps no holdings");
    answer(p, 7, "held and destroyed");
    page_say_charges(p, due, sizeof(due));
    say(p, "%s", due);
    answer(p, 8, "due, paid, open");
    json_array_foreach(page_at(p->root, "credentials"), i, credential)
    {
        registered += json_is_true(page_at(credential, "registered"));
    }
    say(p, "%zu credential%s registered, see below; findings upheld: none", registered, registered == 1 ? "" : "s");
    answer(p, 9, "credentials");
    answer_hidden(p);
    answer_sealed(p);
    say(p, "not answered: this version keeps no due dates");
    answer(p, 12, "next dates");
}

static void
put_head(page *p)
{
    const json_t *report = page_at(p->root, "report"), *agreement = page_at(p->root, "agreement"), *period;
    char from[40], before[40], line[512];

    period = page_at(p->root, "period");
    snprintf(line, sizeof(line), "report on agreement %s, edition %s, revision %llu", page_words(agreement, "id", "?"),
             page_words(report, "edition", "?"), (unsigned long long)page_number(report, "revision"));
    text_put(p->out, line, TEXT_WIDTH);
    licet_put_u8(p->out, '\n');
    if (json_is_string(page_at(agreement, "licensor"))) {
        snprintf(line, sizeof(line), "%s (licensor), %s (licensee)", page_words(agreement, "licensor", "?"),
                 page_words(agreement, "licensee", "?"));
        text_put(p->out, line, TEXT_WIDTH);
        licet_put_u8(p->out, '\n');
    }
    licet_put_format(p->out, "from %s before %s, %s; as of %s\n\n", page_time(period, "from", from, sizeof(from)),
                     page_time(period, "before", before, sizeof(before)), page_words(period, "zone", "?"),
                     page_words(report, "as_of", "?"));
}

/* Units that were had, as many as fit; of an empty report the first one, so that its zero is seen. */
static void
choose_units(page *p)
{
    const char *unit;
    const json_t *amount;

    json_object_foreach(json_object_get(page_at(p->root, "totals"), "units"), unit, amount)
    {
        if (p->units[0] == NULL) {
            p->units[0] = unit;
        }
        if (page_number(amount, "gross") > 0) {
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
    page_put_tables(&p, report->dir == NULL ? "DIR" : report->dir);
    licet_buffer_done(&p.line);
    return !out->failed || LICET_FAIL(err, LICET_E_LIMIT, 0, "the report is longer than %zu bytes", out->ceiling);
}
