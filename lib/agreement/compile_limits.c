/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compile limits: the budgets of the licensee and the limits of a version, and the counters they add up in.
 *
 *  (1) A counter's identity is agreement, clause or name, unit, window, over and what it is over; not the amount and
 *      not what the limit binds: when those change what was counted stays. docs/format/site.md section 6 has the form.
 *  (2) What is there once it was counted keeps its identity through every later version of licet.
 *  (3) The rows a limit is over are those of the image's own tables: the registry is compiled before.
 */
#include "compile.h"

#include <stdio.h>

/* Budgets have a mark that no clause can have. */
static const char budget_mark[] = "us:";

static licet_bytes
text_of(const compiler *c, licet_text text)
{
    const licet_buffer *strings = &c->tables[TABLE_strings];

    return text.offset > strings->len || text.len > strings->len - text.offset /* memory ran out: see write_image */
               ? licet_bytes_of(NULL, 0)
               : licet_bytes_of(strings->data + text.offset, text.len);
}

#define TABLE_ROW(c, table, type, row) (&((const type *)(const void *)(c)->tables[TABLE_##table].data)[row])

/* What stands at a place of a dimension; nothing at the place behind its rows. */
static licet_bytes
name_of(const compiler *c, uint32_t over, uint32_t base, uint32_t place, uint32_t rows)
{
    if (place >= rows) {
        return licet_bytes_of(NULL, 0);
    }
    switch ((licet_over)over) {
    case LICET_OVER_APP:
        return text_of(c, TABLE_ROW(c, apps, licet_image_app, place)->id);
    case LICET_OVER_CREDENTIAL:
        return text_of(c, TABLE_ROW(c, credentials, licet_image_credential, place)->id);
    case LICET_OVER_PRODUCT:
        return text_of(c, *TABLE_ROW(c, products, licet_text, place));
    case LICET_OVER_USE_CASE:
        return text_of(c, TABLE_ROW(c, use_cases, licet_image_use_case, place)->id);
    case LICET_OVER_RECIPIENT: /* a person's place is its entity's, and has that one's counter */
        return text_of(c, TABLE_ROW(c, recipients, licet_image_recipient,
                                    TABLE_ROW(c, recipients, licet_image_recipient, place)->entity)
                              ->id);
    case LICET_OVER_COUNTRY:
        return text_of(c, *TABLE_ROW(c, countries, licet_text, place));
    case LICET_OVER_ENDPOINT:
        return text_of(c, TABLE_ROW(c, endpoints, licet_image_endpoint, base + place)->id);
    case LICET_OVER_LICENSEE:
        break;
    }
    return licet_bytes_of(NULL, 0);
}

static uint32_t
rows_of(const compiler *c, uint32_t over, licet_range endpoints)
{
    switch ((licet_over)over) {
    case LICET_OVER_APP:
        return ROWS(c, apps, licet_image_app);
    case LICET_OVER_CREDENTIAL:
        return ROWS(c, credentials, licet_image_credential);
    case LICET_OVER_PRODUCT:
        return ROWS(c, products, licet_text);
    case LICET_OVER_USE_CASE:
        return ROWS(c, use_cases, licet_image_use_case);
    case LICET_OVER_RECIPIENT:
        return ROWS(c, recipients, licet_image_recipient);
    case LICET_OVER_COUNTRY:
        return ROWS(c, countries, licet_text);
    case LICET_OVER_ENDPOINT:
        return endpoints.count;
    case LICET_OVER_LICENSEE:
        break;
    }
    return 0;
}

/* (1): month, 900s, month:15@Europe/Berlin, rolling:2592000s. */
static void
window_identity(const licet_terms_version *version, const licet_terms_window *window, char *out, size_t room)
{
    static const char *const words[] = {[LICET_PER_MONTH] = "month",
                                        [LICET_PER_DAY] = "day",
                                        [LICET_PER_YEAR] = "year",
                                        [LICET_PER_CONCURRENT] = "concurrent",
                                        [LICET_PER_TERM] = "term"};
    char day[16] = "";

    if (window->per == LICET_PER_SPAN || window->per == LICET_PER_ROLLING) {
        snprintf(out, room, "%s%us", window->per == LICET_PER_SPAN ? "" : "rolling:", window->span_s);
        return;
    }
    if (window->first_day > 1) {
        snprintf(day, sizeof(day), ":%u", window->first_day);
    }
    snprintf(out, room, "%s%s%s%s", words[window->per], day, window->zoned ? "@" : "",
             window->zoned ? (const char *)version->calendar.zone.text.data : "");
}

static bool
put_counters(compiler *c, const licet_terms_version *version, const licet_terms_limit *limit, bool budget,
             licet_range endpoints, licet_image_limit *row)
{
    licet_terms_window window = licet_terms_window_of(&version->calendar, limit);
    uint32_t rows = rows_of(c, row->over, endpoints), counter;
    char identity[LICET_IDENTITY_MAX], per[LICET_NAME_MAX + 32];

    window_identity(version, &window, per, sizeof(per));
    row->base = row->over == LICET_OVER_ENDPOINT ? endpoints.first : 0;
    row->counters = (licet_range){ROWS(c, limit_counters, uint32_t), rows + (row->over != LICET_OVER_APP)};
    for (uint32_t place = 0; place < row->counters.count; place++) {
        licet_bytes name = name_of(c, row->over, row->base, place, rows);
        snprintf(identity, sizeof(identity), "%s/%s%s/%s/%s/%s%s%.*s", (const char *)c->agreement->id.text.data,
                 budget ? budget_mark : "", (const char *)limit->clause.text.data, (const char *)limit->unit.text.data,
                 per, licet_over_name(row->over), name.len == 0 ? "" : "/", (int)name.len,
                 name.len == 0 ? "" : (const char *)name.data);
        if (!c->options->counter_of(c->options->user, identity, licet_image_counter_rows(row), &counter, c->err)) {
            return false;
        }
        PUT(c, limit_counters, &counter);
    }
    return true;
}

static void
put_filters(compiler *c, const licet_terms_version *version, const licet_terms_limit *limit, licet_image_limit *row)
{
    const licet_terms_apps *apps = &c->agreement->apps;

    for (uint32_t i = 0; i < limit->endpoints.len; i++) {
        const licet_scalar *name = LICET_TERMS_ROW(licet_scalar, limit->endpoints, i);
        uint32_t at = licet_names_find(&version->catalogue->endpoint_names, name->text);
        if (at != LICET_NONE) { /* a budget may name one that only another version's catalogue has */
            PUT(c, limit_endpoints, &c->endpoint_row[at]);
            row->endpoints.count++;
        }
    }
    for (uint32_t i = 0; i < limit->purposes.len; i++) {
        licet_text name = compile_text(c, LICET_TERMS_ROW(licet_scalar, limit->purposes, i)->text);
        PUT(c, limit_purposes, &name);
    }
    for (uint32_t i = 0; i < limit->recipients_of.len; i++) {
        row->classes |= UINT32_C(1) << licet_terms_class(LICET_TERMS_ROW(licet_scalar, limit->recipients_of, i)->text);
    }
    if (limit->product.line != 0) {
        row->products = (licet_range){licet_names_rank(&apps->product_names, limit->product.text), 1};
    }
    if (limit->app.line != 0) {
        row->apps = (licet_range){licet_names_rank(&apps->app_names, limit->app.text), 1};
    }
}

static bool
put_limit(compiler *c, const licet_terms_version *version, const licet_terms_limit *limit, bool budget,
          licet_range endpoints)
{
    licet_terms_window window = licet_terms_window_of(&version->calendar, limit);
    licet_image_limit row = {
        .clause = budget ? LICET_NONE : compile_clause(c, version, limit->clause.text),
        .kind = compile_kind(c, limit->unit.text),
        .name = {.offset = 0, .len = 0},
        .most = limit->most.value,
        .weight = 1,
        .per = window.per,
        .span_s = window.span_s,
        .bucket_s = window.bucket_s,
        .zone = window.zoned ? compile_zone(c, version) : LICET_NONE,
        .first_day = window.first_day,
        .over = (uint32_t)limit->over.value,
        .flow = (uint32_t)limit->flow.value,
        .set_by = budget ? LICET_SET_BY_US : LICET_SET_BY_CONTRACT,
        .deduplicated = (uint32_t)limit->count.value,
        .endpoints = {ROWS(c, limit_endpoints, uint32_t), 0},
        .purposes = {ROWS(c, limit_purposes, licet_text), limit->purposes.len},
    };

    if (budget) {
        row.name = compile_text(c, limit->clause.text);
    }
    put_filters(c, version, limit, &row);
    return put_counters(c, version, limit, budget, endpoints, &row) && (PUT(c, limits, &row) || true);
}

uint32_t
compile_zone(compiler *c, const licet_terms_version *version)
{
    const struct licet_terms_calendar *calendar = &version->calendar;
    licet_image_zone row = {.transitions = {ROWS(c, transitions, licet_image_transition), calendar->transitions_len}};
    uint32_t zones = ROWS(c, zones, licet_image_zone);

    if (calendar->transitions_len == 0) {
        return LICET_NONE;
    }
    for (uint32_t i = 0; i < zones; i++) {
        if (licet_bytes_equal(text_of(c, TABLE_ROW(c, zones, licet_image_zone, i)->name), calendar->zone.text)) {
            return i;
        }
    }
    row.name = compile_text(c, calendar->zone.text);
    for (uint32_t i = 0; i < calendar->transitions_len; i++) {
        PUT(c, transitions, &calendar->transitions[i]);
    }
    PUT(c, zones, &row);
    return zones;
}

bool
compile_limits(compiler *c, const licet_terms_version *version, licet_range endpoints)
{
    const licet_rows *budgets = &c->agreement->apps.budgets;

    for (uint32_t i = 0; i < budgets->len; i++) {
        const licet_terms_limit *budget = LICET_TERMS_ROW(licet_terms_limit, *budgets, i);
        if (licet_terms_has_budget(version, budget) && !put_limit(c, version, budget, true, endpoints)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < version->limits.len; i++) {
        if (!put_limit(c, version, LICET_TERMS_ROW(licet_terms_limit, version->limits, i), false, endpoints)) {
            return false;
        }
    }
    return true;
}
