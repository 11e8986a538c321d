/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <string.h>

json_t *
maker_object(maker *m)
{
    json_t *object = json_object();

    m->failed |= object == NULL;
    return object;
}

json_t *
maker_array(maker *m)
{
    json_t *array = json_array();

    m->failed |= array == NULL;
    return array;
}

void
maker_put(maker *m, json_t *object, const char *key, json_t *value)
{
    m->failed |= json_object_set_new(object, key, value) != 0;
}

void
maker_add(maker *m, json_t *array, json_t *value)
{
    m->failed |= json_array_append_new(array, value) != 0;
}

void
maker_number(maker *m, json_t *object, const char *key, uint64_t value)
{
    maker_put(m, object, key, json_integer((json_int_t)value));
}

void
maker_text(maker *m, json_t *object, const char *key, licet_bytes text)
{
    licet_buffer clean;

    if (text.len == 0) {
        maker_put(m, object, key, json_null());
        return;
    }
    licet_buffer_init(&clean, 4 * text.len);
    report_put_clean(&clean, text);
    m->failed |= clean.failed;
    maker_put(m, object, key, clean.failed ? NULL : json_stringn((const char *)clean.data, clean.len));
    licet_buffer_done(&clean);
}

void
maker_time(maker *m, json_t *object, const char *key, uint64_t ms)
{
    char text[LICET_TIME_TEXT];

    if (ms == UINT64_MAX) {
        maker_put(m, object, key, json_null());
        return;
    }
    licet_time_format(ms, text);
    if (ms % 1000 == 0) {
        memcpy(strchr(text, '.'), "Z", 2);
    }
    maker_put(m, object, key, json_string(text));
}

/* {"gross", "deduplicated", "billable", "basis"}: deduplicated is gross without the duplicates that were credited, and
 * what a counting rule leaves is billable. */
static json_t *
make_amount(maker *m, const uint64_t *by_basis)
{
    static const char *const names[TALLY_BASES] = {"counted", "reported", "estimated", "declared"};
    json_t *amount = maker_object(m), *basis = maker_object(m);
    uint64_t gross = 0, left;

    for (unsigned i = 0; i < TALLY_BASES; i++) {
        m->failed |= by_basis[i] > INT64_MAX - gross;
        gross += by_basis[i];
        maker_number(m, basis, names[i], by_basis[i]);
    }
    left = gross > by_basis[TALLY_DUPLICATES] ? gross - by_basis[TALLY_DUPLICATES] : 0;
    maker_number(m, amount, "gross", gross);
    maker_number(m, amount, "deduplicated", left);
    maker_number(m, amount, "billable", left);
    maker_put(m, amount, "basis", basis);
    return amount;
}

void
maker_tally(maker *m, json_t *object, const tally *sums)
{
    json_t *requests = maker_object(m), *units = maker_object(m);

    maker_number(m, requests, "delivered", sums->delivered);
    maker_number(m, requests, "refused", sums->refused);
    maker_put(m, object, "requests", requests);
    for (size_t i = 0; i < m->g->kinds_len; i++) {
        licet_buffer name;

        licet_buffer_init(&name, 4 * m->g->kinds[i].len + 1);
        report_put_clean(&name, m->g->kinds[i]);
        licet_put_u8(&name, '\0');
        m->failed |= name.failed;
        maker_put(m, units, name.failed ? "" : (const char *)name.data, make_amount(m, &sums->units[i * TALLY_CELLS]));
        licet_buffer_done(&name);
    }
    maker_put(m, object, "units", units);
    maker_number(m, object, "bytes", sums->bytes);
}
