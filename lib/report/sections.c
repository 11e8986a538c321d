/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sections of a report that say what was had: the agreement, the cross-tables,
 * limits and refusals. docs/format/report.md explains each key.
 */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static licet_bytes
text_of(const maker *m, licet_text text)
{
    return licet_image_text(m->g->options->image, text);
}

static void
put_hash(maker *m, json_t *object, const char *key, const uint8_t *hash)
{
    char hex[2 * LICET_SHA256_LEN + 1];

    licet_hex(hash, LICET_SHA256_LEN, hex);
    maker_put(m, object, key, json_string(hex));
}

/* ---- agreement ---------------------------------------------------------- */

/* Where the ledger first recorded a version with these very files. */
typedef struct recorded {
    licet_bytes version;
    const uint8_t *agreement, *catalogue;
    bool found;
    uint64_t entry, time_ms;
} recorded;

static bool
find_recorded(void *user, uint64_t index, const licet_version_record *record, licet_error *err)
{
    recorded *r = user;

    (void)err;
    if (!r->found && licet_bytes_equal(record->version, r->version) &&
        memcmp(record->agreement_sha256.bytes, r->agreement, LICET_SHA256_LEN) == 0 &&
        memcmp(record->catalogue_sha256.bytes, r->catalogue, LICET_SHA256_LEN) == 0) {
        r->found = true;
        r->entry = index;
        r->time_ms = record->time_ms;
    }
    return true;
}

static bool
put_recorded(maker *m, json_t *object, const licet_image_version *version, licet_error *err)
{
    recorded r = {
        .version = text_of(m, version->id), .agreement = version->file_sha256, .catalogue = version->catalogue_sha256};
    json_t *place;

    if (!licet_usage_versions(m->usage, m->g->options->agreement, find_recorded, &r, err)) {
        return false;
    }
    if (!r.found) {
        maker_put(m, object, "recorded", json_null());
        return true;
    }
    place = maker_object(m);
    maker_number(m, place, "entry", r.entry);
    maker_time(m, place, "at", r.time_ms);
    maker_put(m, object, "recorded", place);
    return true;
}

static json_t *
make_version(maker *m, uint32_t row, bool in_period, licet_error *err)
{
    const licet_image_version *version = &m->g->options->image->versions[row];
    json_t *object = maker_object(m);

    maker_text(m, object, "id", text_of(m, version->id));
    maker_time(m, object, "from", version->from_ms);
    maker_time(m, object, "before", report_version_end(m->g->options->image, row));
    maker_put(m, object, "mode", json_string(version->mode == LICET_MODE_OBSERVE ? "observe" : "enforce"));
    maker_text(m, object, "catalogue", text_of(m, version->catalogue));
    put_hash(m, object, "sha256", version->file_sha256);
    put_hash(m, object, "catalogue_sha256", version->catalogue_sha256);
    maker_put(m, object, "in_period", json_boolean(in_period));
    if (!put_recorded(m, object, version, err)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *
report_section_agreement(maker *m, licet_error *err)
{
    const licet_report_options *o = m->g->options;
    const licet_image *image = o->image;
    json_t *object = maker_object(m), *versions = maker_array(m), *accepted;
    licet_bytes catalogue = {NULL, 0};

    maker_put(m, object, "id", json_string(o->agreement));
    maker_text(m, object, "licensor", image == NULL ? catalogue : text_of(m, image->header->licensor));
    maker_text(m, object, "licensee", image == NULL ? catalogue : text_of(m, image->header->licensee));
    for (uint32_t i = 0; image != NULL && i < image->header->versions_len; i++) {
        bool in_period = image->versions[i].from_ms < o->before_ms && report_version_end(image, i) > o->from_ms;
        json_t *version = make_version(m, i, in_period, err);

        if (version == NULL) {
            json_decref(versions);
            json_decref(object);
            return NULL;
        }
        maker_add(m, versions, version);
        catalogue = in_period || i == 0 ? text_of(m, image->versions[i].catalogue) : catalogue;
    }
    maker_put(m, object, "versions", versions);
    maker_text(m, object, "catalogue", catalogue);
    accepted = report_section_accepted(m, err);
    if (accepted == NULL) {
        json_decref(object);
        return NULL;
    }
    maker_put(m, object, "accepted_by", accepted);
    return object;
}

/* ---- cross-tables ------------------------------------------------------------ */

static void
put_app(maker *m, json_t *object, uint32_t row)
{
    const licet_image *image = m->g->options->image;
    const licet_image_app *app = &image->apps[row];
    json_t *products = maker_array(m);

    for (uint32_t i = 0; i < app->products.count; i++) {
        licet_bytes name = text_of(m, image->products[image->app_products[app->products.first + i].product]);

        maker_add(m, products, json_stringn((const char *)name.data, name.len));
    }
    maker_put(m, object, "products", products);
    maker_text(m, object, "environment", text_of(m, app->environment));
}

static void
put_purpose(maker *m, json_t *object, licet_bytes id)
{
    const licet_image *image = m->g->options->image;
    json_t *forbidden = json_null();

    for (uint32_t i = 0; i < image->header->purposes_len; i++) {
        const licet_image_purpose *purpose = &image->purposes[i];

        if (purpose->forbidden_by != LICET_NONE && licet_bytes_equal(text_of(m, purpose->name), id)) {
            licet_bytes clause = text_of(m, image->clauses[purpose->forbidden_by].key);

            forbidden = json_stringn((const char *)clause.data, clause.len);
            break;
        }
    }
    maker_put(m, object, "forbidden_by", forbidden);
}

static void
put_use_case(maker *m, json_t *object, uint32_t row)
{
    const licet_image *image = m->g->options->image;
    const licet_image_use_case *use_case = &image->use_cases[row];

    maker_text(m, object, "product", text_of(m, image->products[use_case->product]));
    maker_text(m, object, "purpose", text_of(m, use_case->purpose));
    maker_text(m, object, "recipient", text_of(m, use_case->recipient));
    maker_time(m, object, "approved_from", licet_image_approved_from_ms(image, use_case));
}

static void
put_credential(maker *m, json_t *object, uint32_t row)
{
    const licet_image *image = m->g->options->image;
    const licet_image_credential *credential = &image->credentials[row];

    maker_text(m, object, "app", text_of(m, image->apps[credential->app].id));
    maker_put(m, object, "kind", json_string(credential->kind == LICET_CREDENTIAL_BEARER ? "bearer" : "api-key"));
    maker_time(m, object, "from", credential->from_ms);
    maker_time(m, object, "before", credential->before_ms);
}

/* What the registry says of a row. */
static void
put_registered(maker *m, json_t *object, report_list list, const tally_row *row)
{
    switch (list) {
    case LIST_APPS:
        put_app(m, object, row->source);
        break;
    case LIST_PURPOSES:
        put_purpose(m, object, row->id);
        break;
    case LIST_USE_CASES:
        put_use_case(m, object, row->source);
        break;
    case LIST_CREDENTIALS:
        put_credential(m, object, row->source);
        break;
    case LIST_MONTHS:
        maker_time(m, object, "from", licet_month_start(row->source));
        maker_time(m, object, "before", licet_month_start(row->source + 1));
        break;
    default:
        break;
    }
}

static bool
is_zero(const maker *m, const tally *sums)
{
    uint64_t any = sums->delivered | sums->refused | sums->bytes;

    for (size_t i = 0; i < m->g->kinds_len * TALLY_CELLS; i++) {
        any |= sums->units[i];
    }
    return any == 0;
}

json_t *
report_section_list(maker *m, report_list list, licet_error *err)
{
    const tally_list *rows = &m->g->lists[list];
    json_t *array = maker_array(m);
    size_t *order;

    if (!tally_list_order(rows, &order, err)) {
        json_decref(array);
        return NULL;
    }
    for (size_t i = 0; i < rows->len; i++) {
        const tally_row *row = &rows->rows[order[i]];
        json_t *object;

        if (!row->registered && order[i] != TALLY_NONE && is_zero(m, &row->sums)) {
            continue; /* met outside the period, for a window of a limit */
        }
        object = maker_object(m);
        maker_text(m, object, "id", row->id);
        if (order[i] != TALLY_NONE) {
            maker_put(m, object, "registered", json_boolean(row->registered));
        }
        if (row->registered) {
            put_registered(m, object, list, row);
        }
        maker_tally(m, object, &row->sums);
        maker_add(m, array, object);
    }
    free(order);
    return array;
}

json_t *
report_section_unattributed(maker *m, const json_t *use_cases)
{
    json_t *object = maker_object(m);
    char at[64];

    snprintf(at, sizeof(at), "/use_cases/%zu", json_array_size(use_cases) - 1); /* none comes last */
    maker_put(m, object, "at", json_string(at));
    maker_tally(m, object, &m->g->lists[LIST_USE_CASES].rows[TALLY_NONE].sums);
    return object;
}

/* ---- limits -------------------------------------------------------------------- */

static void
put_per(maker *m, json_t *object, const licet_image_limit *limit)
{
    char text[LICET_PER_TEXT];

    licet_limit_per(limit, text);
    maker_put(m, object, "per", json_string(text));
}

static json_t *
make_highest(maker *m, const gathered_limit *l)
{
    const licet_image_limit *limit = l->limit;
    json_t *object;

    if (!l->derivable || !l->any) {
        return json_null();
    }
    object = maker_object(m);
    maker_time(m, object, "from",
               l->highest_window == 0 ? 0 : licet_window_begin_ms(m->g->options->image, limit, l->highest_window));
    maker_time(m, object, "before", licet_window_end_ms(m->g->options->image, limit, l->highest_window));
    maker_text(m, object, "app", m->g->lists[LIST_APPS].rows[l->highest_app].id);
    maker_number(m, object, "used", l->highest);
    return object;
}

json_t *
report_section_limits(maker *m)
{
    const licet_image *image = m->g->options->image;
    json_t *array = maker_array(m);

    for (size_t i = 0; i < m->g->limits_len; i++) {
        const gathered_limit *l = &m->g->limits[i];
        bool own = l->limit->clause == LICET_NONE;
        json_t *object = maker_object(m), *endpoints = maker_array(m);

        maker_text(m, object, "clause", licet_image_limit_name(image, l->limit));
        maker_text(m, object, "section",
                   own ? licet_bytes_of(NULL, 0) : text_of(m, image->clauses[l->limit->clause].section));
        maker_put(m, object, "set_by", json_string(l->limit->set_by == LICET_SET_BY_US ? "us" : "contract"));
        maker_text(m, object, "version", text_of(m, l->version->id));
        maker_text(m, object, "unit", text_of(m, image->header->kinds[l->limit->kind]));
        put_per(m, object, l->limit);
        maker_put(m, object, "over", json_string(licet_over_name(l->limit->over)));
        for (uint32_t j = 0; j < l->limit->endpoints.count; j++) {
            uint32_t row = image->limit_endpoints[l->limit->endpoints.first + j];
            licet_bytes id = text_of(m, image->endpoints[row].id);

            maker_add(m, endpoints, json_stringn((const char *)id.data, id.len));
        }
        maker_put(m, object, "endpoints", endpoints);
        maker_number(m, object, "most", l->limit->most);
        maker_put(m, object, "derivable", json_boolean(l->derivable));
        maker_put(m, object, "highest", make_highest(m, l));
        maker_number(m, object, "refused", l->refused);
        maker_add(m, array, object);
    }
    return array;
}

/* ---- refusals --------------------------------------------------------------------- */

/* The section of a clause in the newest version that has it. */
static licet_bytes
report_section_of_clause(const maker *m, const char *key)
{
    const licet_image *image = m->g->options->image;
    licet_bytes section = {NULL, 0};

    for (uint32_t i = 0; image != NULL && i < image->header->clauses_len; i++) {
        if (licet_bytes_equal_text(text_of(m, image->clauses[i].key), key)) {
            section = text_of(m, image->clauses[i].section);
        }
    }
    return section;
}

json_t *
report_section_refusals(maker *m)
{
    json_t *array = maker_array(m);

    for (size_t i = 0; i < m->g->refusals_len; i++) {
        const gathered_refusal *r = &m->g->refusals[i];
        bool known = r->reason != LICET_REASON_NONE && r->reason < LICET_REASONS_LEN;
        json_t *object = maker_object(m);

        maker_put(m, object, "reason", known ? json_string(licet_reason_slug((licet_reason)r->reason)) : json_null());
        maker_put(m, object, "title", known ? json_string(licet_reason_title((licet_reason)r->reason)) : json_null());
        maker_text(m, object, "clause", licet_bytes_of_text(r->clause));
        maker_text(m, object, "section", report_section_of_clause(m, r->clause));
        maker_put(m, object, "status", r->would_be ? json_null() : json_integer(r->status));
        maker_put(m, object, "would_be", json_boolean(r->would_be));
        maker_number(m, object, "requests", r->requests);
        maker_add(m, array, object);
    }
    return array;
}
