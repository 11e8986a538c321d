/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the usage rows. Every row is added to the total and to one
 * row of each list, so that each list adds up to the total by construction;
 * the tests prove it against another count.
 */
#include "gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS UINT64_C(3600000)
#define DAY_MS UINT64_C(86400000)
#define REFUSALS_MAX 65536

/* ---- names -------------------------------------------------------------- */

static licet_bytes
flow_name(licet_flow flow)
{
    return flow == LICET_FLOW_ACQUIRED ? LICET_BYTES_LITERAL("acquired") : LICET_BYTES_LITERAL("passed-on");
}

static licet_bytes
month_text(char *scratch, size_t len, uint32_t month)
{
    int written = snprintf(scratch, len, "%04u-%02u", 1970 + month / 12, 1 + month % 12);

    return licet_bytes_of(scratch, (size_t)written);
}

static licet_bytes
month_name(gathered *g, uint64_t hour_ms)
{
    return month_text(g->month, sizeof(g->month), licet_month_of(hour_ms));
}

/* Length of the well-formed UTF-8 sequence at text, or 0. */
static size_t
utf8_len(licet_bytes text)
{
    uint8_t first = text.data[0];
    size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;

    if (len == 0 || len > text.len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((text.data[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((first == 0xe0 && text.data[1] < 0xa0) || (first == 0xed && text.data[1] > 0x9f) ||
        (first == 0xf0 && text.data[1] < 0x90) || (first == 0xf4 && text.data[1] > 0x8f)) {
        return 0;
    }
    return len;
}

void
report_put_clean(licet_buffer *out, licet_bytes bytes)
{
    size_t len;

    for (size_t i = 0; i < bytes.len; i += len) {
        len = utf8_len(licet_bytes_of(bytes.data + i, bytes.len - i));
        if (len > 0) {
            licet_put_bytes(out, licet_bytes_of(bytes.data + i, len));
        } else {
            licet_put_format(out, "\\x%02x", bytes.data[i]);
            len = 1;
        }
    }
}

/* ---- what is registered ------------------------------------------------- */

typedef bool (*register_list)(gathered *g, tally_list *list, licet_error *err);

static bool
register_flows(gathered *g, tally_list *list, licet_error *err)
{
    (void)g;
    return tally_list_register(list, flow_name(LICET_FLOW_ACQUIRED), 0, err) &&
           tally_list_register(list, flow_name(LICET_FLOW_PASSED_ON), 1, err);
}

/* A function that registers the text of each row of a table of the image. */
#define REGISTER_TABLE(name, table, text)                                                                              \
    static bool name(gathered *g, tally_list *list, licet_error *err)                                                  \
    {                                                                                                                  \
        const licet_image *image = g->options->image;                                                                  \
                                                                                                                       \
        for (uint32_t i = 0; image != NULL && i < image->table##_len_of; i++) {                                        \
            if (!tally_list_register(list, licet_image_text(image, image->table[i] text), i, err)) {                   \
                return false;                                                                                          \
            }                                                                                                          \
        }                                                                                                              \
        return true;                                                                                                   \
    }
#define apps_len_of header->apps_len
#define products_len_of header->products_len
#define purposes_len_of header->purposes_len
#define use_cases_len_of header->use_cases_len
#define credentials_len_of header->credentials_len
#define recipients_len_of header->recipients_len
#define countries_len_of header->countries_len

REGISTER_TABLE(register_apps, apps, .id)
REGISTER_TABLE(register_products, products, )
REGISTER_TABLE(register_named_purposes, purposes, .name)
REGISTER_TABLE(register_used_purposes, use_cases, .purpose)
REGISTER_TABLE(register_use_cases, use_cases, .id)
REGISTER_TABLE(register_known_recipients, recipients, .id)
REGISTER_TABLE(register_used_recipients, use_cases, .recipient)
REGISTER_TABLE(register_countries, countries, )
REGISTER_TABLE(register_credentials, credentials, .id)

static bool
register_purposes(gathered *g, tally_list *list, licet_error *err)
{
    return register_named_purposes(g, list, err) && register_used_purposes(g, list, err);
}

static bool
register_recipients(gathered *g, tally_list *list, licet_error *err)
{
    return register_known_recipients(g, list, err) && register_used_recipients(g, list, err);
}

static bool
register_rungs(gathered *g, tally_list *list, licet_error *err)
{
    (void)g;
    for (uint32_t i = 0; i < REPORT_RUNGS_LEN; i++) {
        if (!tally_list_register(list, licet_bytes_of_text(report_rungs[i]), i, err)) {
            return false;
        }
    }
    return true;
}

static bool
register_months(gathered *g, tally_list *list, licet_error *err)
{
    const licet_report_options *o = g->options;
    char scratch[16];

    if (o->from_ms >= o->before_ms) {
        return true;
    }
    for (uint32_t month = licet_month_of(o->from_ms); month <= licet_month_of(o->before_ms - 1); month++) {
        if (!tally_list_register(list, month_text(scratch, sizeof(scratch), month), month, err)) {
            return false;
        }
    }
    return true;
}

/* ---- unit kinds --------------------------------------------------------------- */

/* Kinds that say something of a response and are no unit of the agreement, and requests, which have columns of their
 * own. */
static bool
is_unit(licet_bytes name)
{
    static const char *const prefixes[] = {"held:", "unmetered:", "observed:"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (name.len >= strlen(prefixes[i]) && memcmp(name.data, prefixes[i], strlen(prefixes[i])) == 0) {
            return false;
        }
    }
    return !licet_bytes_equal_text(name, "byte-acked") && !licet_bytes_equal_text(name, "request") &&
           !licet_bytes_equal_text(name, "byte");
}

static size_t
kind_of(const gathered *g, licet_bytes name)
{
    for (size_t i = 0; i < g->kinds_len; i++) {
        if (licet_bytes_equal(g->kinds[i], name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool
add_kind(void *user, licet_bytes name, licet_error *err)
{
    gathered *g = user;
    licet_buffer *text = &g->kind_names[g->kinds_len];

    if (!is_unit(name) || kind_of(g, name) != SIZE_MAX) {
        return true;
    }
    if (g->kinds_len == TALLY_KINDS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "more than %d units", TALLY_KINDS_MAX);
    }
    licet_buffer_init(text, 1024);
    if (!licet_put_bytes(text, name)) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the name of a unit");
    }
    g->kinds[g->kinds_len++] = licet_buffer_view(text);
    return true;
}

/* Units in the order of the image, then what the ledger counted once and the image does not any more. */
static bool
make_kinds(licet_usage *usage, gathered *g, licet_error *err)
{
    const licet_image *image = g->options->image;

    for (uint32_t i = LICET_KIND_BYTE + 1; image != NULL && i < image->header->kinds_len; i++) {
        if (!add_kind(g, licet_image_text(image, image->header->kinds[i]), err)) {
            return false;
        }
    }
    return licet_usage_kinds(usage, g->options->agreement, add_kind, g, err);
}

/* ---- rows ------------------------------------------------------------------------ */

/* What one usage row adds to a tally. */
static bool
add_to(tally *sums, const licet_usage_row *row, size_t kind, licet_error *err)
{
    if (row->unit.len > 0) {
        return kind == SIZE_MAX || tally_count(&sums->units[kind * TALLY_CELLS + row->basis], row->units, err);
    }
    return tally_count(row->verdict == LICET_VERDICT_REFUSE ? &sums->refused : &sums->delivered, row->requests, err) &&
           tally_count(&sums->bytes, row->bytes, err);
}

/* The place of a kind of refusals, made when it is not there. */
static bool
refusal_of(gathered *g, const licet_usage_row *row, uint8_t reason, size_t *out_place, licet_error *err)
{
    bool would_be = row->verdict == LICET_VERDICT_OBSERVE;
    uint16_t status = would_be ? 0 : row->status;
    licet_buffer clause;
    bool ok = false;

    licet_buffer_init(&clause, 1 << 20);
    report_put_clean(&clause, row->context.clause);
    licet_put_u8(&clause, '\0');
    if (clause.failed) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the name of a clause");
        goto done;
    }
    for (*out_place = 0; *out_place < g->refusals_len; (*out_place)++) {
        gathered_refusal *r = &g->refusals[*out_place];

        if (r->would_be == would_be && r->reason == reason && r->status == status &&
            strcmp(r->clause, (const char *)clause.data) == 0) {
            ok = true;
            goto done;
        }
    }
    if (g->refusals_len == g->refusals_capacity) {
        size_t capacity = 2 * g->refusals_capacity + 16;
        gathered_refusal *list = realloc(g->refusals, capacity * sizeof(*list));

        if (list == NULL || capacity > REFUSALS_MAX) {
            g->refusals = list == NULL ? g->refusals : list;
            LICET_FAIL(err, LICET_E_LIMIT, 0, "more than %d kinds of refusals", REFUSALS_MAX);
            goto done;
        }
        g->refusals = list;
        g->refusals_capacity = capacity;
    }
    g->refusals[g->refusals_len++] = (gathered_refusal){would_be, reason, status, (char *)clause.data, 0};
    clause.data = NULL;
    ok = true;
done:
    licet_buffer_done(&clause);
    return ok;
}

/* The reason that a unit kind 'observed:<reason>' names; NONE: it is another kind, or no reason of this version. */
static licet_reason
observed_reason(licet_bytes unit)
{
    for (unsigned i = 1; i < LICET_REASONS_LEN; i++) {
        char name[64];

        snprintf(name, sizeof(name), "observed:%s", licet_reason_slug((licet_reason)i));
        if (licet_bytes_equal_text(unit, name)) {
            return (licet_reason)i;
        }
    }
    return LICET_REASON_NONE;
}

/* Requests come first and without a reason; the units behind them say what the reasons were. */
static bool
add_refusal(gathered *g, const licet_usage_row *row, licet_error *err)
{
    licet_reason reason;
    size_t untold, told;
    uint64_t moved;

    if (row->unit.len == 0) {
        return row->requests == 0 || (refusal_of(g, row, row->reason, &untold, err) &&
                                      tally_count(&g->refusals[untold].requests, row->requests, err));
    }
    reason = observed_reason(row->unit);
    if (row->verdict != LICET_VERDICT_OBSERVE || reason == LICET_REASON_NONE) {
        return true;
    }
    if (!refusal_of(g, row, LICET_REASON_NONE, &untold, err) || !refusal_of(g, row, (uint8_t)reason, &told, err)) {
        return false;
    }
    moved = row->units < g->refusals[untold].requests ? row->units : g->refusals[untold].requests;
    g->refusals[untold].requests -= moved;
    return tally_count(&g->refusals[told].requests, moved, err);
}

/* Kinds of which none are left: the reason of each was told. */
static void
drop_empty_refusals(gathered *g)
{
    size_t kept = 0;

    for (size_t i = 0; i < g->refusals_len; i++) {
        if (g->refusals[i].requests > 0) {
            g->refusals[kept++] = g->refusals[i];
        } else {
            free(g->refusals[i].clause);
        }
    }
    g->refusals_len = kept;
}

static bool
add_unmetered(gathered *g, const licet_usage_row *row, size_t kind, licet_error *err)
{
    static const char reason[] = "unmetered:", held[] = "held:";

    if (row->unit.len == 0) {
        return tally_count(&g->unmetered_responses, row->requests, err) &&
               tally_count(&g->unmetered_bytes, row->bytes, err);
    }
    if (kind != SIZE_MAX) {
        return tally_count(&g->unmetered_units[kind], row->units, err);
    }
    if (row->unit.len > strlen(held) && memcmp(row->unit.data, held, strlen(held)) == 0) {
        kind = kind_of(g, licet_bytes_of(row->unit.data + strlen(held), row->unit.len - strlen(held)));
        return kind == SIZE_MAX || tally_count(&g->unmetered_beyond[kind], row->beyond, err);
    }
    for (unsigned i = 1; i < LICET_UNMETERED_LEN; i++) {
        char name[64];

        snprintf(name, sizeof(name), "%s%s", reason, licet_unmetered_slug((licet_unmetered)i));
        if (licet_bytes_equal_text(row->unit, name)) {
            return tally_count(&g->unmetered_by[i], row->units, err);
        }
    }
    return true;
}

static void
note_hour(gathered *g, uint64_t hour_ms)
{
    size_t day = (size_t)(hour_ms / DAY_MS - g->options->from_ms / DAY_MS);

    g->days[day / 8] |= (uint8_t)(1u << (day % 8));
    if (!g->any_hour) {
        g->first_ms = hour_ms;
    }
    if (!g->any_hour || hour_ms != g->last_hour_ms) {
        g->hours_with_rows++;
    }
    g->any_hour = true;
    g->last_ms = g->last_hour_ms = hour_ms;
}

static bool
add_to_lists(gathered *g, const licet_usage_row *row, size_t kind, size_t *out_app, licet_error *err)
{
    size_t at[LISTS_LEN];
    bool in_period = row->hour_ms >= g->options->from_ms && row->hour_ms < g->options->before_ms;

    if (!in_period) {
        return tally_list_row(&g->lists[LIST_APPS], row->context.app, out_app, err);
    }
#define ADD_TO_LIST(name, key, id, register)                                                                           \
    if (!tally_list_row(&g->lists[LIST_##name], id, &at[LIST_##name], err) ||                                          \
        !add_to(&g->lists[LIST_##name].rows[at[LIST_##name]].sums, row, kind, err)) {                                  \
        return false;                                                                                                  \
    }
    REPORT_LISTS(ADD_TO_LIST)
#undef ADD_TO_LIST
    *out_app = at[LIST_APPS];
    return true;
}

static bool
add_credit(void *user, const licet_usage_row *row, licet_error *err)
{
    gathered *g = user;
    size_t kind = kind_of(g, row->unit), app, at;

    if (!tally_list_row(&g->lists[LIST_APPS], row->context.app, &app, err)) {
        return false;
    }
    gathered_limits_credit(g, row, app);
    if (!gathered_charges_credit(g, row, err)) {
        return false;
    }
    if (kind == SIZE_MAX || row->hour_ms < g->options->from_ms || row->hour_ms >= g->options->before_ms) {
        return true;
    }
#define CREDIT_LIST(name, key, id, register)                                                                           \
    if (!tally_list_row(&g->lists[LIST_##name], id, &at, err) ||                                                       \
        !tally_count(&g->lists[LIST_##name].rows[at].sums.units[kind * TALLY_CELLS + TALLY_DUPLICATES], row->units,    \
                     err)) {                                                                                           \
        return false;                                                                                                  \
    }
    REPORT_LISTS(CREDIT_LIST)
#undef CREDIT_LIST
    return tally_count(&g->total.units[kind * TALLY_CELLS + TALLY_DUPLICATES], row->units, err);
}

/* Behind the rows of an hour what was credited of it, so that a limit's window has both when it ends. */
static bool
add_credits(gathered *g, uint64_t next_ms, licet_error *err)
{
    uint64_t hour_ms = g->credits_ms;

    g->credits_ms = next_ms;
    return hour_ms == UINT64_MAX || hour_ms == next_ms ||
           licet_usage_credits(g->usage, g->options->agreement, hour_ms, hour_ms + HOUR_MS, add_credit, g, err);
}

static bool
add_row(void *user, const licet_usage_row *row, licet_error *err)
{
    gathered *g = user;
    bool in_period = row->hour_ms >= g->options->from_ms && row->hour_ms < g->options->before_ms;
    size_t kind = row->unit.len > 0 ? kind_of(g, row->unit) : SIZE_MAX, app;

    if (!add_credits(g, row->hour_ms, err) || !add_to_lists(g, row, kind, &app, err) ||
        !gathered_limits_row(g, row, app, in_period, err) || !gathered_charges_row(g, row, err)) {
        return false;
    }
    if (!in_period) {
        return true;
    }
    note_hour(g, row->hour_ms);
    if ((row->verdict == LICET_VERDICT_REFUSE || row->verdict == LICET_VERDICT_OBSERVE) && !add_refusal(g, row, err)) {
        return false;
    }
    return add_to(&g->total, row, kind, err) && (!row->unmetered || add_unmetered(g, row, kind, err));
}

static int
compare_refusals(const void *left, const void *right)
{
    const gathered_refusal *x = left, *y = right;

    if (x->would_be != y->would_be) {
        return x->would_be ? 1 : -1;
    }
    if (x->reason != y->reason) {
        return x->reason < y->reason ? -1 : 1;
    }
    if (x->status != y->status) {
        return x->status < y->status ? -1 : 1;
    }
    return strcmp(x->clause, y->clause);
}

static bool
make_lists(gathered *g, licet_error *err)
{
    const licet_report_options *o = g->options;

#define MAKE_LIST(name, key, id, register)                                                                             \
    if (!tally_list_init(&g->lists[LIST_##name], g->kinds_len, err) || !register(g, &g->lists[LIST_##name], err)) {    \
        return false;                                                                                                  \
    }
    REPORT_LISTS(MAKE_LIST)
#undef MAKE_LIST
    g->days_len = (size_t)((o->before_ms + DAY_MS - 1) / DAY_MS - o->from_ms / DAY_MS);
    g->total.units = calloc(g->kinds_len * TALLY_CELLS + 1, sizeof(uint64_t));
    g->days = calloc(g->days_len / 8 + 1, 1);
    if (g->total.units == NULL || g->days == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a report");
    }
    return true;
}

bool
gathered_make(licet_usage *usage, const licet_report_options *options, gathered *g, licet_error *err)
{
    uint64_t from_ms, before_ms;

    memset(g, 0, sizeof(*g));
    g->options = options;
    g->usage = usage;
    g->credits_ms = UINT64_MAX;
    if (!make_kinds(usage, g, err) || !make_lists(g, err) || !gathered_limits_make(g, err) ||
        !gathered_charges_make(g, err)) {
        return false;
    }
    gathered_limits_span(g, &from_ms, &before_ms);
    gathered_charges_span(g, &from_ms, &before_ms);
    if (!licet_usage_each(usage, options->agreement, from_ms, before_ms, add_row, g, err) ||
        !add_credits(g, UINT64_MAX, err)) {
        return false;
    }
    gathered_limits_end(g);
    gathered_charges_end(g);
    drop_empty_refusals(g);
    if (g->refusals_len > 1) {
        qsort(g->refusals, g->refusals_len, sizeof(*g->refusals), compare_refusals);
    }
    return true;
}

void
gathered_done(gathered *g)
{
    for (size_t i = 0; i < LISTS_LEN; i++) {
        tally_list_done(&g->lists[i]);
    }
    for (size_t i = 0; i < g->kinds_len; i++) {
        licet_buffer_done(&g->kind_names[i]);
    }
    for (size_t i = 0; i < g->refusals_len; i++) {
        free(g->refusals[i].clause);
    }
    for (size_t i = 0; i < g->limits_len; i++) {
        free(g->limits[i].now);
    }
    free(g->refusals);
    free(g->limits);
    free(g->cards);
    free(g->charges);
    free(g->total.units);
    free(g->days);
    memset(g, 0, sizeof(*g));
}
