/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Check limits: the limits of a version and the licensee's own budgets, which every version has.
 *
 *  (1) A limit that can never bind is a mistake: somebody relies on it.
 *  (2) A budget is one for all versions: it is no part of a version whose catalogue does not count its unit where it
 *      binds, and must be part of one at least.
 *  (3) No two limits of a version share a counter, and no request is bound by more limits than a verdict has room for.
 */
#include "limit_room.h"
#include "terms.h"

#include <stdlib.h>
#include <string.h>

#define QUOTED(scalar) licet_quote_of((scalar).text).text

/* A limit where it is judged. */
typedef struct judged {
    licet_reader *reader;
    const licet_terms_version *version;
    const licet_terms_limit *limit;
    bool budget;
    char context[LICET_CONTEXT_MAX];
} judged;

bool
licet_terms_is_unit(const licet_terms_catalogue *catalogue, licet_bytes unit)
{
    return licet_bytes_equal_text(unit, "request") || licet_bytes_equal_text(unit, "byte") ||
           licet_names_find(&catalogue->unit_names, unit) != LICET_NONE;
}

static bool
is_counted_everywhere(licet_bytes unit)
{
    return licet_bytes_equal_text(unit, "request") || licet_bytes_equal_text(unit, "byte");
}

static bool
names_unit(const licet_rows *pairs, licet_bytes unit)
{
    for (uint32_t i = 0; i < pairs->len; i++) {
        if (licet_bytes_equal(LICET_TERMS_ROW(licet_pair, *pairs, i)->key.text, unit)) {
            return true;
        }
    }
    return false;
}

/* An endpoint that the limit binds counts its unit. */
static bool
counts_somewhere(const licet_terms_version *version, const licet_terms_limit *limit)
{
    const licet_terms_catalogue *catalogue = version->catalogue;
    bool all = limit->endpoints.len == 0, always = is_counted_everywhere(limit->unit.text);

    for (uint32_t i = 0; i < (all ? catalogue->endpoints.len : limit->endpoints.len); i++) {
        uint32_t row = all ? i
                           : licet_names_find(&catalogue->endpoint_names,
                                              LICET_TERMS_ROW(licet_scalar, limit->endpoints, i)->text);
        if (row != LICET_NONE &&
            (always ||
             names_unit(&LICET_TERMS_ROW(licet_terms_endpoint, catalogue->endpoints, row)->count, limit->unit.text))) {
            return true;
        }
    }
    return all && always;
}

bool
licet_terms_has_budget(const licet_terms_version *version, const licet_terms_limit *budget)
{
    return licet_terms_is_unit(version->catalogue, budget->unit.text) && counts_somewhere(version, budget);
}

/* ---- one limit --------------------------------------------------------------------- */

static void
check_twice(judged *j, const char *field, const licet_rows *names)
{
    for (uint32_t i = 1; i < names->len && i < LICET_ENDPOINTS_MAX; i++) {
        const licet_scalar *name = LICET_TERMS_ROW(licet_scalar, *names, i);
        for (uint32_t k = 0; k < i; k++) {
            if (licet_bytes_equal(LICET_TERMS_ROW(licet_scalar, *names, k)->text, name->text)) {
                licet_reader_say(j->reader, name, j->context, "%s names \"%s\" twice", field, QUOTED(*name));
                break;
            }
        }
    }
}

/* False: one of them is not there, and what the limit binds is not known. */
static bool
check_endpoints(judged *j)
{
    const licet_terms_catalogue *catalogue = j->version->catalogue;
    bool good = true;

    for (uint32_t i = 0; i < j->limit->endpoints.len; i++) {
        const licet_scalar *name = LICET_TERMS_ROW(licet_scalar, j->limit->endpoints, i);
        if (licet_names_find(&catalogue->endpoint_names, name->text) == LICET_NONE) {
            licet_reader_say(j->reader, name, j->context, "endpoint \"%s\" is not in catalogue %s", QUOTED(*name),
                             QUOTED(j->version->catalogue_name));
            good = false;
        }
    }
    return good && !j->limit->endpoints.flawed;
}

/* What holds of the limit whatever the version. */
static void
check_alone(judged *j)
{
    const licet_terms_limit *limit = j->limit;
    bool request = licet_bytes_equal_text(limit->unit.text, "request");

    check_twice(j, "endpoints", &limit->endpoints);
    check_twice(j, "purposes", &limit->purposes);
    check_twice(j, "recipients_of", &limit->recipients_of);
    if (limit->unit.text.len == 0) {
        return;
    }
    if (limit->per.line != 0 && limit->per_kind == LICET_PER_CONCURRENT && !request) {
        licet_reader_say(j->reader, &limit->per, j->context,
                         "per \"concurrent\" of unit \"%s\": expected unit request; what is under way at once are "
                         "requests",
                         QUOTED(limit->unit));
    }
    if (limit->count.value == 1 && is_counted_everywhere(limit->unit.text)) {
        licet_reader_say(j->reader, &limit->count.said, j->context,
                         "count \"deduplicated\" of unit \"%s\": expected a unit that the catalogue deduplicates",
                         QUOTED(limit->unit));
    }
}

static void
check_deduplicated(judged *j, const licet_terms_version *version)
{
    const licet_terms_limit *limit = j->limit;

    if (limit->count.value == 1 && !is_counted_everywhere(limit->unit.text) && !version->catalogue->units.flawed &&
        !licet_terms_deduplicates(version->catalogue, limit->unit.text)) {
        licet_reader_say(j->reader, &limit->count.said, j->context,
                         "count \"deduplicated\": catalogue %s counts unit \"%s\" gross: expected dedup there, or "
                         "gross here",
                         QUOTED(version->catalogue_name), QUOTED(limit->unit));
    }
}

static void
check_counted(judged *j)
{
    const licet_terms_limit *limit = j->limit;

    if (!counts_somewhere(j->version, limit)) {
        licet_reader_say(j->reader, &limit->unit, j->context,
                         "no endpoint%s of catalogue %s counts unit \"%s\": the "
                         "limit can never bind",
                         limit->endpoints.len > 0 ? " it names" : "", QUOTED(j->version->catalogue_name),
                         QUOTED(limit->unit));
    } else {
        check_deduplicated(j, j->version);
    }
}

static bool
names_purpose(const struct licet_terms_purposes *purposes, licet_bytes name)
{
    for (uint32_t i = 0; i < purposes->allowed.len; i++) {
        if (licet_bytes_equal(LICET_TERMS_ROW(licet_scalar, purposes->allowed, i)->text, name)) {
            return true;
        }
    }
    return names_unit(&purposes->forbidden, name);
}

static void
check_purposes(judged *j)
{
    const struct licet_terms_purposes *purposes = &j->version->purposes;

    if (purposes->not_named.value == LICET_RULE_RECORD || purposes->allowed.flawed || purposes->forbidden.flawed) {
        return;
    }
    for (uint32_t i = 0; i < j->limit->purposes.len; i++) {
        const licet_scalar *name = LICET_TERMS_ROW(licet_scalar, j->limit->purposes, i);
        if (!names_purpose(purposes, name->text)) {
            licet_reader_say(j->reader, name, j->context,
                             "purpose \"%s\" is neither allowed nor forbidden in this version, which refuses it: the "
                             "limit can never bind for it",
                             QUOTED(*name));
        }
    }
}

static void
check_limit(judged *j, bool readable)
{
    const licet_terms_limit *limit = j->limit;

    check_alone(j);
    if (limit->clause.text.len > 0 && licet_names_find(&j->version->clause_names, limit->clause.text) == LICET_NONE) {
        licet_reader_say(j->reader, &limit->clause, j->context,
                         "clause \"%s\" is not among the clauses of this version", QUOTED(limit->clause));
    }
    check_purposes(j);
    if (!readable) {
        return;
    }
    if (limit->unit.text.len > 0 && !licet_terms_is_unit(j->version->catalogue, limit->unit.text)) {
        licet_reader_say(j->reader, &limit->unit, j->context,
                         "unit \"%s\": expected request, byte or a unit of catalogue %s", QUOTED(limit->unit),
                         QUOTED(j->version->catalogue_name));
        check_endpoints(j);
    } else if (check_endpoints(j) && limit->unit.text.len > 0) {
        check_counted(j);
    }
}

static void
check_budget(judged *j, const licet_terms_agreement *agreement)
{
    const licet_terms_apps *apps = &agreement->apps;
    const licet_terms_limit *limit = j->limit;
    bool part = agreement->versions_len == 0;

    check_alone(j);
    if (limit->product.line != 0 && licet_names_find(&apps->product_names, limit->product.text) == LICET_NONE) {
        licet_reader_say(j->reader, &limit->product, j->context,
                         "product \"%s\": no app feeds it: the budget can "
                         "never bind",
                         QUOTED(limit->product));
    }
    if (limit->app.line != 0 && licet_names_find(&apps->app_names, limit->app.text) == LICET_NONE) {
        licet_reader_say(j->reader, &limit->app, j->context,
                         "app \"%s\" is not among the apps: the budget can never "
                         "bind",
                         QUOTED(limit->app));
    }
    for (uint32_t i = 0; i < agreement->versions_len; i++) { /* (2) */
        const licet_terms_version *version = &agreement->versions[i];
        bool readable = !version->file.broken && version->catalogue != NULL && !version->catalogue->file.broken;
        part = part || !readable || licet_terms_has_budget(version, limit);
        if (readable && licet_terms_has_budget(version, limit)) {
            check_deduplicated(j, version);
        }
    }
    if (!part && limit->unit.text.len > 0) {
        licet_reader_say(j->reader, &limit->unit, j->context,
                         "no version's catalogue counts unit \"%s\" %s: the budget can never bind", QUOTED(limit->unit),
                         limit->endpoints.len > 0 ? "at the endpoints it names" : "at any endpoint");
    }
}

/* ---- counters that two would share ---------------------------------------------------- */

typedef struct placed {
    const licet_terms_limit *limit;
    licet_terms_window window;
} placed;

static int
compare_placed(const void *left, const void *right)
{
    const placed *a = left, *b = right;
    int order = licet_bytes_order(a->limit->clause.text, b->limit->clause.text);

#define ORDER(x) order = order != 0 ? order : (a->x > b->x) - (a->x < b->x)
    order = order != 0 ? order : licet_bytes_order(a->limit->unit.text, b->limit->unit.text);
    ORDER(window.per);
    ORDER(window.span_s);
    ORDER(limit->over.value);
#undef ORDER
    return order;
}

static int
compare_placed_by_place(const void *left, const void *right)
{
    const placed *a = left, *b = right;
    int order = compare_placed(a, b);

    return order != 0 ? order : (a->limit > b->limit) - (a->limit < b->limit);
}

static void
check_shared_counters(licet_reader *reader, const licet_terms_version *version, const licet_rows *limits, bool budgets)
{
    placed *sorted = calloc((size_t)limits->len + 1, sizeof(*sorted));
    const char *noun = budgets ? "budget" : "limit", *key = budgets ? "name" : "clause";
    uint32_t n = 0;

    if (sorted == NULL) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < limits->len; i++) {
        const licet_terms_limit *limit = LICET_TERMS_ROW(licet_terms_limit, *limits, i);
        if (limit->clause.text.len > 0 && limit->unit.text.len > 0 && limit->per.line != 0 &&
            limit->over.said.line != 0) {
            sorted[n++] = (placed){limit, licet_terms_window_of(&version->calendar, limit)};
        }
    }
    qsort(sorted, n, sizeof(*sorted), compare_placed_by_place);
    for (uint32_t i = 1; i < n; i++) {
        const licet_terms_limit *limit = sorted[i].limit;
        if (compare_placed(&sorted[i - 1], &sorted[i]) == 0) {
            licet_reader_say(reader, &limit->key, "",
                             "%s %s: a second %s with this %s, unit %s, per %s and over %s (line %u): they would share "
                             "one counter; give it a %s of its own",
                             noun, QUOTED(limit->clause), noun, key, QUOTED(limit->unit), QUOTED(limit->per),
                             QUOTED(limit->over.said), sorted[i - 1].limit->key.line, key);
        }
    }
    free(sorted);
}

/* ---- room in a verdict ------------------------------------------------------------------ */

static void
add_room(limit_room *room, const licet_terms_agreement *agreement, const licet_terms_version *version,
         const licet_terms_limit *limit)
{
    uint32_t row;

    if (limit->endpoints.len > 0) {
        for (uint32_t i = 0; i < limit->endpoints.len; i++) {
            row = licet_names_find(&version->catalogue->endpoint_names,
                                   LICET_TERMS_ROW(licet_scalar, limit->endpoints, i)->text);
            if (row != LICET_NONE) {
                limit_room_add(room, &room->endpoints, row);
            }
        }
    } else if (limit->product.line != 0) {
        row = licet_names_rank(&agreement->apps.product_names, limit->product.text);
        limit_room_add(room, &room->products, row);
    } else if (limit->app.line != 0) {
        row = licet_names_rank(&agreement->apps.app_names, limit->app.text);
        limit_room_add(room, &room->apps, row);
    } else {
        room->everywhere++;
    }
}

static void
check_room(licet_reader *reader, const licet_terms_agreement *agreement, const licet_terms_version *version)
{
    const licet_terms_apps *apps = &agreement->apps;
    const licet_scalar *at = version->limits.len > 0
                                 ? &LICET_TERMS_ROW(licet_terms_limit, version->limits, version->limits.len - 1)->key
                                 : &version->catalogue_name;
    limit_room *room = calloc(1, sizeof(*room));

    if (room == NULL) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < version->limits.len; i++) {
        add_room(room, agreement, version, LICET_TERMS_ROW(licet_terms_limit, version->limits, i));
    }
    for (uint32_t i = 0; i < apps->budgets.len; i++) {
        const licet_terms_limit *budget = LICET_TERMS_ROW(licet_terms_limit, apps->budgets, i);
        if (licet_terms_has_budget(version, budget)) {
            add_room(room, agreement, version, budget);
        }
    }
    room->everywhere += version->prices.prepaid.clause.line == 0 ? 0 : version->prices.lines.len;
    if (room->everywhere > LICET_LIMITS_PER_REQUEST_MAX) {
        licet_reader_say(reader, at, "", "%u limits bind every request: expected at most %u", room->everywhere,
                         LICET_LIMITS_PER_REQUEST_MAX);
    } else if (room->everywhere + room->endpoints.most > LICET_LIMITS_PER_REQUEST_MAX) {
        licet_reader_say(
            reader, at, "", "%u limits bind a request to endpoint %s: expected at most %u",
            room->everywhere + room->endpoints.most,
            QUOTED(LICET_TERMS_ROW(licet_terms_endpoint, version->catalogue->endpoints, room->endpoints.most_row)->id),
            LICET_LIMITS_PER_REQUEST_MAX);
    } else if (limit_room_most(room) > LICET_LIMITS_PER_REQUEST_MAX) {
        licet_reader_say(reader, at, "",
                         "%u limits, with those of a product and of an app, bind one request: expected "
                         "at most %u",
                         limit_room_most(room), LICET_LIMITS_PER_REQUEST_MAX);
    }
    free(room);
}

/* ---- a version, an agreement -------------------------------------------------------------- */

void
licet_terms_check_limits(licet_reader *reader, const licet_terms_agreement *agreement,
                         const licet_terms_version *version)
{
    bool readable = version->catalogue != NULL && !version->catalogue->file.broken;

    for (uint32_t i = 0; i < version->limits.len; i++) {
        const licet_terms_limit *limit = LICET_TERMS_ROW(licet_terms_limit, version->limits, i);
        judged j = {.reader = reader, .version = version, .limit = limit};
        if (limit->clause.text.len > 0) {
            licet_context_of(j.context, "limit %s: ", QUOTED(limit->clause));
        } else {
            licet_context_of(j.context, "limit %u: ", i + 1);
        }
        check_limit(&j, readable);
    }
    if (readable) {
        check_room(reader, agreement, version);
    }
    check_shared_counters(reader, version, &version->limits, false);
}

void
licet_terms_check_budgets(licet_reader *reader, const licet_terms_agreement *agreement)
{
    const licet_rows *budgets = &agreement->apps.budgets;

    for (uint32_t i = 0; i < budgets->len; i++) {
        const licet_terms_limit *limit = LICET_TERMS_ROW(licet_terms_limit, *budgets, i);
        judged j = {.reader = reader, .limit = limit, .budget = true};
        if (limit->clause.text.len > 0) {
            licet_context_of(j.context, "budget %s: ", QUOTED(limit->clause));
        } else {
            licet_context_of(j.context, "budget %u: ", i + 1);
        }
        check_budget(&j, agreement);
    }
    for (uint32_t i = 0; i < agreement->versions_len; i++) {
        if (!agreement->versions[i].file.broken) {
            check_shared_counters(reader, &agreement->versions[i], budgets, true);
        }
    }
}

void
licet_terms_check_calendar(licet_reader *reader, const licet_terms_version *version)
{
    const struct licet_terms_calendar *calendar = &version->calendar;

    if (calendar->month.value == 1 && calendar->cycle_starts.line == 0) {
        licet_reader_say(reader, &calendar->month.said, "calendar: ",
                         "month \"cycle\": field \"cycle_starts\" is missing, the date on which a cycle starts");
    }
    if (calendar->month.value == 0 && calendar->cycle_starts.line != 0) {
        licet_reader_say(reader, &calendar->cycle_starts,
                         "calendar: ", "cycle_starts \"%s\": expected month: cycle beside it",
                         QUOTED(calendar->cycle_starts));
    }
}
