/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Governments: the four rungs of what is known of a delivery to one.
 *
 *  (1) A row of the usage tables is judged at the begin of its hour: what was notified within the hour counts as before
 *      notice for all of it.
 *  (2) Whoever is no government by the registry stands on no rung; whom the registry does not have stands on the last.
 */
#include "gather.h"

#include <string.h>

enum { NOTIFIED, BEFORE_NOTICE, POSSIBLE, UNKNOWN };

const char *const report_rungs[REPORT_RUNGS_LEN] = {
    [NOTIFIED] = "notified", [BEFORE_NOTICE] = "before-notice", [POSSIBLE] = "possible", [UNKNOWN] = "unknown"};

#define GOVERNMENTS                                                                                                    \
    (UINT32_C(1) << LICET_CLASS_GOVERNMENT | UINT32_C(1) << LICET_CLASS_FOR_GOVERNMENT |                               \
     UINT32_C(1) << LICET_CLASS_SURVEILLANCE)

static uint32_t
use_case_named(const licet_image *image, licet_bytes name)
{
    for (uint32_t i = 0; i < image->header->use_cases_len; i++) {
        if (licet_bytes_equal(licet_image_text(image, image->use_cases[i].id), name)) {
            return i;
        }
    }
    return LICET_NONE;
}

static bool
is_notified(const licet_image *image, uint32_t recipient, uint32_t use_case, uint64_t time_ms)
{
    uint32_t row = licet_image_version_at(image, time_ms);

    for (uint32_t i = 0; row != LICET_NONE && i < image->versions[row].government.count; i++) {
        const licet_image_government *rule = &image->government[image->versions[row].government.first + i];
        if (licet_image_grant_of(image, rule, recipient, use_case, time_ms) != LICET_NONE) {
            return true;
        }
    }
    return false;
}

licet_bytes
gathered_rung(const gathered *g, const licet_usage_row *row)
{
    const licet_image *image = g->options->image;
    licet_bytes name = row->context.recipient;
    uint32_t recipient = image == NULL ? LICET_NONE : licet_image_recipient_named(image, name);

    if (recipient == LICET_NONE) {
        return licet_bytes_equal_text(name, "public") ? licet_bytes_of(NULL, 0)
                                                      : licet_bytes_of_text(report_rungs[UNKNOWN]);
    }
    if ((licet_image_classes(image, recipient) & GOVERNMENTS) == 0) {
        return licet_bytes_of(NULL, 0);
    }
    return licet_bytes_of_text(
        report_rungs[is_notified(image, recipient, use_case_named(image, row->context.use_case), row->hour_ms)
                         ? NOTIFIED
                         : BEFORE_NOTICE]);
}
