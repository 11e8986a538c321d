/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sections of a report that say what is not known: what could not be metered,
 * gaps, callers nobody knows, refusals without a receipt, and days without a record. Unknown is never a
 * zero: each names its bound, or says that there is none.
 */
#include "json.h"

#include <string.h>

#define DAY_MS UINT64_C(86400000)

static void
put_unit_number(maker *m, json_t *object, licet_bytes kind, json_t *value)
{
    licet_buffer name;

    licet_buffer_init(&name, 4 * kind.len + 1);
    report_put_clean(&name, kind);
    licet_put_u8(&name, '\0');
    m->failed |= name.failed;
    maker_put(m, object, name.failed ? "" : (const char *)name.data, value);
    licet_buffer_done(&name);
}

/* ---- unmetered ---------------------------------------------------------- */

static json_t *
make_unmetered_reasons(maker *m)
{
    json_t *array = maker_array(m);
    uint64_t told = 0;

    for (unsigned i = 1; i <= LICET_UNMETERED_LEN; i++) {
        bool none = i == LICET_UNMETERED_LEN;
        json_t *object = maker_object(m);
        uint64_t rest = m->g->unmetered_responses > told ? m->g->unmetered_responses - told : 0;

        maker_put(m, object, "id", none ? json_null() : json_string(licet_unmetered_slug((licet_unmetered)i)));
        maker_number(m, object, "responses", none ? rest : m->g->unmetered_by[i]);
        told += none ? 0 : m->g->unmetered_by[i];
        maker_add(m, array, object);
    }
    return array;
}

json_t *
report_section_unmetered(maker *m)
{
    const gathered *g = m->g;
    json_t *object = maker_object(m), *units = maker_object(m);

    maker_number(m, object, "responses", g->unmetered_responses);
    maker_number(m, object, "bytes", g->unmetered_bytes);
    maker_put(m, object, "reasons", make_unmetered_reasons(m));
    for (size_t i = 0; i < g->kinds_len; i++) {
        json_t *amount = maker_object(m);

        m->failed |= g->unmetered_beyond[i] > INT64_MAX - g->unmetered_units[i];
        maker_number(m, amount, "counted", g->unmetered_units[i]);
        maker_number(m, amount, "charged", g->unmetered_units[i] + g->unmetered_beyond[i]);
        put_unit_number(m, units, g->kinds[i], amount);
    }
    maker_put(m, object, "units", units);
    return object;
}

/* ---- gaps ------------------------------------------------------------------ */

typedef struct gaps {
    maker *m;
    json_t *array;
} gaps;

static bool
add_gap(void *user, uint64_t index, const licet_gap *gap, const licet_bytes *unit_names, licet_error *err)
{
    gaps *list = user;
    maker *m = list->m;
    json_t *object = maker_object(m), *units = maker_object(m);

    (void)err;
    maker_number(m, object, "entry", index);
    maker_put(m, object, "cause", json_string(licet_gap_cause_text(gap->cause)));
    maker_number(m, object, "gate", gap->gate);
    maker_number(m, object, "epoch", gap->epoch);
    maker_time(m, object, "from", gap->from_ms);
    maker_time(m, object, "before", gap->to_ms);
    maker_number(m, object, "requests", gap->requests);
    for (size_t i = 0; i < gap->units_len; i++) {
        put_unit_number(m, units, unit_names[i], json_integer((json_int_t)gap->units[i].count));
    }
    maker_put(m, object, "units", units);
    maker_add(m, list->array, object);
    return true;
}

json_t *
report_section_gaps(maker *m, licet_error *err)
{
    const licet_report_options *o = m->g->options;
    gaps list = {m, maker_array(m)};

    if (!licet_usage_gaps(m->usage, o->agreement, o->from_ms, o->before_ms, add_gap, &list, err)) {
        json_decref(list.array);
        return NULL;
    }
    return list.array;
}

/* ---- unidentified -------------------------------------------------------------- */

typedef struct unidentified {
    maker *m;
    json_t *reasons;
    uint64_t requests;
} unidentified;

static bool
add_unidentified(void *user, uint8_t reason, uint64_t count, licet_error *err)
{
    unidentified *u = user;
    json_t *object = maker_object(u->m);

    maker_put(u->m, object, "reason",
              reason < LICET_REASONS_LEN ? json_string(licet_reason_slug((licet_reason)reason)) : json_null());
    maker_number(u->m, object, "requests", count);
    maker_add(u->m, u->reasons, object);
    return tally_count(&u->requests, count, err);
}

json_t *
report_section_unidentified(maker *m, licet_error *err)
{
    const licet_report_options *o = m->g->options;
    unidentified u = {m, maker_array(m), 0};
    json_t *object = maker_object(m);
    bool told = o->edition != LICET_EDITION_COUNTERPARTY; /* it is about others than the two parties */

    if (told && !licet_usage_unidentified(m->usage, o->from_ms, o->before_ms, add_unidentified, &u, err)) {
        json_decref(u.reasons);
        json_decref(object);
        return NULL;
    }
    maker_put(m, object, "ledger", json_string("unidentified"));
    maker_put(
        m, object, "statement",
        json_string("Callers nobody knows are counted in a ledger of their own; they are in no total of this report."));
    maker_put(m, object, "requests", told ? json_integer((json_int_t)u.requests) : json_null());
    maker_put(m, object, "reasons", u.reasons);
    return object;
}

/* ---- refusals without a receipt ---------------------------------------------------- */

json_t *
report_section_unrecorded(maker *m, licet_error *err)
{
    const licet_report_options *o = m->g->options;
    unidentified u = {m, maker_array(m), 0};
    json_t *object = maker_object(m);

    if (!licet_usage_refused(m->usage, o->agreement, o->from_ms, o->before_ms, add_unidentified, &u, err)) {
        json_decref(u.reasons);
        json_decref(object);
        return NULL;
    }
    maker_put(m, object, "statement",
              json_string("Refused while nothing could be recorded: nothing was delivered, the app is not known; in "
                          "no total of this report."));
    maker_number(m, object, "requests", u.requests);
    maker_put(m, object, "reasons", u.reasons);
    return object;
}

/* ---- coverage -------------------------------------------------------------------- */

/* Where a record may be looked for: from when a version is in force, where the terms are known. */
static uint64_t
first_expected_ms(const maker *m)
{
    const licet_report_options *o = m->g->options;
    uint64_t first = UINT64_MAX;

    for (uint32_t i = 0; o->image != NULL && i < o->image->header->versions_len; i++) {
        first = o->image->versions[i].from_ms < first ? o->image->versions[i].from_ms : first;
    }
    return first == UINT64_MAX || first < o->from_ms ? o->from_ms : first;
}

/* Spans of days in force in which no receipt and no refusal was recorded, up to as_of. */
static json_t *
make_silent(maker *m)
{
    const gathered *g = m->g;
    const licet_report_options *o = g->options;
    uint64_t first = o->from_ms / DAY_MS, until = o->before_ms < o->as_of_ms ? o->before_ms : o->as_of_ms;
    uint64_t expected = first_expected_ms(m);
    json_t *array = maker_array(m), *open = NULL;

    for (size_t i = 0; i < g->days_len && (first + i) * DAY_MS < until; i++) {
        uint64_t end = (first + i + 1) * DAY_MS;

        if (end <= expected || (g->days[i / 8] & (1u << (i % 8))) != 0) {
            open = NULL;
            continue;
        }
        if (open == NULL) {
            open = maker_object(m);
            maker_time(m, open, "from", (first + i) * DAY_MS < expected ? expected : (first + i) * DAY_MS);
            maker_add(m, array, open);
        }
        maker_time(m, open, "before", end < until ? end : until);
    }
    return array;
}

json_t *
report_section_coverage(maker *m, uint64_t applied)
{
    const gathered *g = m->g;
    json_t *object = maker_object(m);

    maker_number(m, object, "hours", (g->options->before_ms - g->options->from_ms) / 3600000);
    maker_number(m, object, "hours_with_records", g->hours_with_rows);
    maker_time(m, object, "first_hour", g->any_hour ? g->first_ms : UINT64_MAX);
    maker_time(m, object, "last_hour", g->any_hour ? g->last_ms : UINT64_MAX);
    maker_put(m, object, "days_without_records", make_silent(m));
    maker_number(m, object, "entries", applied);
    maker_number(m, object, "entries_signed", g->options->checkpoint.size);
    return object;
}
