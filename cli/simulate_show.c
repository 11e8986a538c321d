/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two simulations beside each other: requests, units, refusals, limits and money.
 */
#include "simulate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_WIDTH 46
#define CELL_WIDTH 17

static void
put_cells(const char *name, const char *a, const char *b, const char *difference)
{
    printf("  %-*.*s %*s %*s %*s\n", NAME_WIDTH, NAME_WIDTH, name, CELL_WIDTH, a, CELL_WIDTH, b, CELL_WIDTH,
           difference);
}

static void
put_numbers(const char *name, uint64_t a, uint64_t b)
{
    char x[LICET_CLI_NUMBER_TEXT], y[LICET_CLI_NUMBER_TEXT], z[LICET_CLI_NUMBER_TEXT], difference[40] = "";

    if (a != b) {
        snprintf(difference, sizeof(difference), "%c%s", a < b ? '+' : '-', licet_cli_number(a < b ? b - a : a - b, z));
    }
    put_cells(name, licet_cli_number(a, x), licet_cli_number(b, y), difference);
}

static uint64_t
number_at(const json_t *object, const char *a, const char *b)
{
    object = json_object_get(object, a);
    return (uint64_t)json_integer_value(b == NULL ? object : json_object_get(object, b));
}

/* ---- units ------------------------------------------------------------------------ */

static void
put_units(const json_t *before, const json_t *after)
{
    json_t *x = json_object_get(json_object_get(before, "totals"), "units"), *amount;
    const json_t *y = json_object_get(json_object_get(after, "totals"), "units");
    const char *unit;

    json_object_foreach(x, unit, amount)
    {
        uint64_t a = number_at(amount, "gross", NULL), b = number_at(json_object_get(y, unit), "gross", NULL);

        if (a > 0 || b > 0) {
            put_numbers(unit, a, b);
        }
    }
}

/* ---- refusals: a key for each reason and clause ------------------------------------- */

/* {"<reason> (<clause>)": requests, …}; what would be refused in observe mode too. */
static json_t *
refusals_of(const json_t *report)
{
    json_t *all = json_object();
    const json_t *refusal;
    size_t i;

    json_array_foreach(json_object_get(report, "refusals"), i, refusal)
    {
        const char *reason = json_string_value(json_object_get(refusal, "reason"));
        const char *clause = json_string_value(json_object_get(refusal, "clause"));
        char key[512];

        snprintf(key, sizeof(key), "%s%s%s%s%s", reason != NULL ? reason : "?", clause != NULL ? " (" : "",
                 clause != NULL ? clause : "", clause != NULL ? ")" : "",
                 json_is_true(json_object_get(refusal, "would_be")) ? ", observed" : "");
        json_object_set_new(all, key,
                            json_integer(json_integer_value(json_object_get(all, key)) +
                                         json_integer_value(json_object_get(refusal, "requests"))));
    }
    return all;
}

/* Both objects' keys as one: {key: [before, after]}. */
static json_t *
pairs_of(json_t *before, json_t *after, json_t *(*none)(void))
{
    json_t *pairs = json_object(), *value;
    const char *key;

    json_object_foreach(before, key, value)
    {
        json_t *other = json_object_get(after, key);
        json_object_set_new(pairs, key, json_pack("[O,o]", value, other != NULL ? json_incref(other) : none()));
    }
    json_object_foreach(after, key, value)
    {
        if (json_object_get(before, key) == NULL) {
            json_object_set_new(pairs, key, json_pack("[o,O]", none(), value));
        }
    }
    json_decref(before);
    json_decref(after);
    return pairs;
}

static json_t *
zero(void)
{
    return json_integer(0);
}

static json_t *
nothing(void)
{
    return json_string("-");
}

/* ---- money: a key for each period ------------------------------------------------------ */

static json_t *
charges_of(const json_t *report)
{
    json_t *all = json_object();
    const json_t *period;
    size_t i;

    json_array_foreach(json_object_get(report, "charges"), i, period)
    {
        const char *from = json_string_value(json_object_get(period, "from"));
        char key[64];

        snprintf(key, sizeof(key), "%s from %.10s", json_string_value(json_object_get(period, "currency")),
                 from != NULL ? from : "?");
        json_object_set(all, key, json_object_get(period, "total"));
    }
    return all;
}

/* ---- both forms ---------------------------------------------------------------------------- */

void
simulate_print(const char *agreement, const simulated *before, const simulated *after)
{
    const json_t *period = json_object_get(before->report, "period");
    json_t *refusals = pairs_of(refusals_of(before->report), refusals_of(after->report), zero);
    json_t *charges = pairs_of(charges_of(before->report), charges_of(after->report), nothing), *pair;
    char head[64];
    const char *key;

    printf("%s, %s before %s\n\n", agreement, json_string_value(json_object_get(period, "from")),
           json_string_value(json_object_get(period, "before")));
    snprintf(head, sizeof(head), "terms in %.*s", CELL_WIDTH - 9, after->terms);
    put_cells("", "terms recorded", head, "difference");
    put_numbers("responses that pass", before->facts.passed, after->facts.passed);
    put_numbers("  of them, refused if enforced", before->facts.would_refuse, after->facts.would_refuse);
    put_numbers("responses refused", before->facts.refused, after->facts.refused);
    put_numbers("  of them, of apps these terms do not know", before->facts.unknown, after->facts.unknown);
    put_numbers("refusals released, what they bring is unknown", before->facts.released, after->facts.released);
    put_units(before->report, after->report);
    if (json_object_size(refusals) > 0) {
        printf("\n  refused for\n");
    }
    json_object_foreach(refusals, key, pair)
    {
        put_numbers(key, (uint64_t)json_integer_value(json_array_get(pair, 0)),
                    (uint64_t)json_integer_value(json_array_get(pair, 1)));
    }
    if (json_object_size(charges) > 0) {
        printf("\n  charges\n");
    }
    json_object_foreach(charges, key, pair)
    {
        const char *a = json_string_value(json_array_get(pair, 0)), *b = json_string_value(json_array_get(pair, 1));
        put_cells(key, a, b, strcmp(a, b) == 0 ? "" : "differs");
    }
    json_decref(refusals);
    json_decref(charges);
}

static json_t *
one_json(const simulated *s)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "terms", s->terms, "responses",
                     (json_int_t)s->facts.responses, "passed", (json_int_t)s->facts.passed, "would_refuse",
                     (json_int_t)s->facts.would_refuse, "refused", (json_int_t)s->facts.refused, "refusals",
                     (json_int_t)s->facts.refusals, "released", (json_int_t)s->facts.released, "unknown_apps",
                     (json_int_t)s->facts.unknown, "report", s->report);
}

json_t *
simulate_json(const char *agreement, const simulated *before, const simulated *after)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "agreement", agreement, "recorded", one_json(before), "changed",
                     one_json(after), "refusals",
                     pairs_of(refusals_of(before->report), refusals_of(after->report), zero), "charges",
                     pairs_of(charges_of(before->report), charges_of(after->report), nothing));
}
