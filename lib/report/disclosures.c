/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disclosures: what left in files in the period, to whom, and what the terms said of it.
 *
 *  (1) Their units are in totals and lists already, of flow passed-on; here they stand one by one.
 *  (2) Class and country are those of the registry now; the country in the ledger goes before.
 */
#include "json.h"

static json_t *
files_json(maker *m, const licet_usage_disclosure *d)
{
    json_t *list = maker_array(m);

    for (uint32_t i = 0; i < d->files_len; i++) {
        json_t *file = maker_object(m);
        char hex[2 * LICET_SHA256_LEN + 1];

        licet_hex(d->files[i].sha256.bytes, LICET_SHA256_LEN, hex);
        maker_number(m, file, "size", d->files[i].size);
        maker_put(m, file, "sha256", json_string(hex));
        maker_add(m, list, file);
    }
    return list;
}

typedef struct telling {
    maker *m;
    json_t *list;
} telling;

static bool
on_disclosure(void *user, const licet_usage_disclosure *d, licet_error *err)
{
    telling *t = user;
    maker *m = t->m;
    const licet_image *image = m->g->options->image;
    uint32_t row = image == NULL ? LICET_NONE : licet_image_recipient_named(image, d->context.recipient);
    licet_bytes country = d->context.country;
    bool known = d->reason != LICET_REASON_NONE && d->reason < LICET_REASONS_LEN;
    json_t *object = maker_object(m);

    (void)err;
    if (country.len == 0 && row != LICET_NONE) {
        country = licet_image_text(image, image->recipients[row].country);
    }
    maker_number(m, object, "entry", d->entry);
    maker_time(m, object, "at", d->time_ms);
    maker_text(m, object, "recipient", d->context.recipient);
    maker_put(m, object, "class",
              row == LICET_NONE ? json_null() : json_string(licet_class_name(image->recipients[row].kind)));
    maker_text(m, object, "country", country);
    maker_text(m, object, "app", d->context.app);
    maker_text(m, object, "product", d->context.product);
    maker_text(m, object, "use_case", d->context.use_case);
    maker_text(m, object, "purpose", d->context.purpose);
    maker_text(m, object, "version", d->context.version);
    maker_text(m, object, "unit", d->unit);
    maker_number(m, object, "gross", d->total);
    maker_put(m, object, "distinct", d->counted ? json_integer((json_int_t)d->distinct) : json_null());
    maker_put(m, object, "basis", json_string(d->counted ? "counted" : "declared"));
    maker_put(m, object, "verdict", json_string(licet_verdict_name(d->verdict)));
    maker_put(m, object, "reason", known ? json_string(licet_reason_slug((licet_reason)d->reason)) : json_null());
    maker_text(m, object, "clause", d->context.clause);
    maker_put(m, object, "anyway", json_boolean(d->anyway));
    maker_put(m, object, "files", files_json(m, d));
    maker_add(m, t->list, object);
    return true;
}

json_t *
report_section_disclosures(maker *m, licet_error *err)
{
    const licet_report_options *o = m->g->options;
    telling t = {m, maker_array(m)};

    if (!licet_usage_disclosures(m->usage, o->agreement, o->from_ms, o->before_ms, on_disclosure, &t, err)) {
        json_decref(t.list);
        return NULL;
    }
    return t.list;
}
