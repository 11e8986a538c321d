/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Difference of limits, of the zones of their windows, and of payments in advance.
 *
 *  (1) A limit is named by its clause (or its own name), unit, window, and what it is over: what names its counter.
 */
#include "difference.h"

static void
put_per(licet_buffer *out, const licet_image_limit *limit)
{
    char per[LICET_PER_TEXT];

    licet_limit_per(limit, per);
    if (limit->per == LICET_PER_CONCURRENT) {
        licet_put_format(out, " at once");
    } else if (limit->per == LICET_PER_TERM) {
        licet_put_format(out, " for the whole term");
    } else {
        licet_put_format(out, " per %s", per);
    }
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* (1); what else tells two limits of one clause apart comes behind it. */
static int
limit_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    const licet_image_limit *l = &a->limits[x], *r = &b->limits[y];
    int order = licet_bytes_order(licet_image_limit_name(a, l), licet_image_limit_name(b, r));

    order = order != 0 ? order : differ_order(a, a->header->kinds[l->kind], b, b->header->kinds[r->kind]);
    order = order != 0 ? order : compare_numbers(l->per, r->per);
    order = order != 0 ? order : compare_numbers(l->span_s, r->span_s);
    order = order != 0 ? order : compare_numbers(l->over, r->over);
    order = order != 0 ? order : compare_numbers(l->flow, r->flow);
    return order != 0 ? order : compare_numbers(l->classes, r->classes);
}

static about
limit_of(const licet_image *image, uint32_t row)
{
    return (about){LICET_SUBJECT_LIMIT, licet_image_limit_name(image, &image->limits[row]), 0};
}

static void
put_limit_endpoints(licet_buffer *out, const licet_image *image, const licet_image_limit *limit)
{
    for (uint32_t i = 0; i < limit->endpoints.count; i++) {
        uint32_t row = image->limit_endpoints[limit->endpoints.first + i];
        licet_put_format(out, "%s%.*s", i == 0 ? " at " : ", ", SHOWN(differ_text(image, image->endpoints[row].id)));
    }
}

/* What a limit says beyond amount, window and endpoints. */
static void
put_rest(licet_buffer *out, const licet_image *image, uint32_t row)
{
    const licet_image_limit *limit = &image->limits[row];

    if (limit->zone != LICET_NONE) {
        licet_put_format(out, ", in %.*s", SHOWN(differ_text(image, image->zones[limit->zone].name)));
    }
    if (limit->first_day != 1) {
        licet_put_format(out, ", from day %u", limit->first_day);
    }
    if (limit->per == LICET_PER_ROLLING) {
        licet_put_format(out, ", in buckets of %us", limit->bucket_s);
    }
    if (limit->flow != LICET_NONE) {
        licet_put_format(out, ", flow %s", differ_flow(limit->flow));
    }
    if (limit->set_by == LICET_SET_BY_US) {
        licet_put_format(out, ", set by us");
    }
    if (limit->deduplicated != 0) {
        licet_put_format(out, ", deduplicated");
    }
    if (limit->classes != 0) {
        licet_put_format(out, ", for recipients of class ");
        differ_put_classes(out, limit->classes);
    }
    for (uint32_t i = 0; i < limit->purposes.count; i++) {
        licet_put_format(out, "%s%.*s", i == 0 ? ", for purpose " : ", ",
                         SHOWN(differ_text(image, image->limit_purposes[limit->purposes.first + i])));
    }
    for (uint32_t i = 0; i < limit->products.count; i++) {
        licet_put_format(out, "%s%.*s", i == 0 ? ", for product " : ", ",
                         SHOWN(differ_text(image, image->products[limit->products.first + i])));
    }
    for (uint32_t i = 0; i < limit->apps.count; i++) {
        licet_put_format(out, "%s%.*s", i == 0 ? ", for app " : ", ",
                         SHOWN(differ_text(image, image->apps[limit->apps.first + i].id)));
    }
    if (limit->weight != 1) {
        licet_put_format(out, ", %llu for each unit", (unsigned long long)limit->weight);
    }
    if (limit->payments != 0) {
        licet_put_format(out, ", prepaid");
    }
}

static void
limit_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_limit *limit = &image->limits[row];
    about what = limit_of(image, row);

    licet_put_format(d->out, "%c limit %.*s: %llu %.*s", sign, SHOWN(what.id), (unsigned long long)limit->most,
                     SHOWN(differ_text(image, image->header->kinds[limit->kind])));
    put_per(d->out, limit);
    licet_put_format(d->out, " over %s", licet_over_name(limit->over));
    put_limit_endpoints(d->out, image, limit);
    put_rest(d->out, image, row);
    licet_put_format(d->out, " in version %.*s", SHOWN(differ_version_name(d)));
    differ_line(d, differ_action(sign), &what);
}

static bool
same_limit_endpoints(differ *d, const licet_image_limit *a, const licet_image_limit *b)
{
    if (a->endpoints.count != b->endpoints.count) {
        return false;
    }
    for (uint32_t i = 0; i < a->endpoints.count; i++) {
        uint32_t x = d->old_image->limit_endpoints[a->endpoints.first + i];
        uint32_t y = d->new_image->limit_endpoints[b->endpoints.first + i];
        if (differ_order(d->old_image, d->old_image->endpoints[x].id, d->new_image, d->new_image->endpoints[y].id) !=
            0) {
            return false;
        }
    }
    return true;
}

static void
compare_rest(differ *d, uint32_t x, uint32_t y, const about *what)
{
    licet_buffer before, after;

    licet_buffer_init(&before, (size_t)1 << 16);
    licet_buffer_init(&after, (size_t)1 << 16);
    put_rest(&before, d->old_image, x);
    put_rest(&after, d->new_image, y);
    if (before.failed || after.failed) {
        d->failed = true;
    } else if (!licet_bytes_equal(licet_buffer_view(&before), licet_buffer_view(&after))) {
        licet_put_format(d->out, "~ limit %.*s of version %.*s: now%.*s", SHOWN(what->id),
                         SHOWN(differ_version_name(d)),
                         SHOWN(after.len == 0 ? LICET_BYTES_LITERAL(" without a condition")
                                              : licet_bytes_of(after.data + 1, after.len - 1)));
        differ_line(d, LICET_ACTION_CHANGED, what);
    }
    licet_buffer_done(&before);
    licet_buffer_done(&after);
}

static void
limit_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_limit *a = &d->old_image->limits[x], *b = &d->new_image->limits[y];
    about what = limit_of(d->new_image, y);

    if (a->most != b->most) {
        licet_put_format(d->out, "~ limit %.*s of version %.*s: most %llu -> %llu %.*s", SHOWN(what.id),
                         SHOWN(differ_version_name(d)), (unsigned long long)a->most, (unsigned long long)b->most,
                         SHOWN(differ_text(d->new_image, d->new_image->header->kinds[b->kind])));
        put_per(d->out, b);
        differ_line(d, LICET_ACTION_CHANGED, &what);
    }
    if (!same_limit_endpoints(d, a, b)) {
        licet_put_format(d->out, "~ limit %.*s of version %.*s: now binds", SHOWN(what.id),
                         SHOWN(differ_version_name(d)));
        if (b->endpoints.count == 0) {
            licet_put_format(d->out, " every endpoint");
        }
        put_limit_endpoints(d->out, d->new_image, b);
        differ_line(d, LICET_ACTION_CHANGED, &what);
    }
    compare_rest(d, x, y, &what);
}

const row_kind differ_limits = {limit_order, limit_show, limit_compare};

/* ---- zones ------------------------------------------------------------------------------ */

static int
zone_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return differ_order(a, a->zones[x].name, b, b->zones[y].name);
}

static void
zone_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    about what = {LICET_SUBJECT_ZONE, differ_text(image, image->zones[row].name), 0};

    licet_put_format(d->out, "%c zone %.*s", sign, SHOWN(what.id));
    differ_line(d, differ_action(sign), &what);
}

static void
zone_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_zone *a = &d->old_image->zones[x], *b = &d->new_image->zones[y];
    about what = {LICET_SUBJECT_ZONE, differ_text(d->new_image, b->name), 0};

    if (a->transitions.count != b->transitions.count ||
        memcmp(&d->old_image->transitions[a->transitions.first], &d->new_image->transitions[b->transitions.first],
               a->transitions.count * sizeof(licet_image_transition)) != 0) {
        licet_put_format(d->out, "~ zone %.*s: other offsets from UTC", SHOWN(what.id));
        differ_line(d, LICET_ACTION_CHANGED, &what);
    }
}

const row_kind differ_zones = {zone_order, zone_show, zone_compare};

/* ---- payments ---------------------------------------------------------------------------- */

static int
payment_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    int order = compare_numbers(a->payments[x].from_ms, b->payments[y].from_ms);

    return order != 0 ? order : compare_numbers(a->payments[x].amount, b->payments[y].amount);
}

static void
payment_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_payment *payment = &image->payments[row];
    shown_time from = differ_time(payment->from_ms);
    about what = {LICET_SUBJECT_PAYMENT, licet_bytes_of_text(from.text), payment->from_ms};

    licet_put_format(d->out, "%c payment of %llu.%06llu from %s", sign, (unsigned long long)(payment->amount / 1000000),
                     (unsigned long long)(payment->amount % 1000000), from.text);
    differ_line(d, differ_action(sign), &what);
}

static void
payment_compare(differ *d, uint32_t x, uint32_t y)
{
    (void)d;
    (void)x;
    (void)y; /* their order is all that a payment says */
}

const row_kind differ_payments = {payment_order, payment_show, payment_compare};
