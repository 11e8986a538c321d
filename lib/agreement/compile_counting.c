/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compile counting rules: one row for each unit of a version's catalogue that
 * is deduplicated. A unit that counts gross has none.
 */
#include "compile.h"

void
compile_counting(compiler *c, const licet_terms_version *version, licet_range *out_range)
{
    const licet_rows *units = &version->catalogue->units;

    *out_range = (licet_range){ROWS(c, dedups, licet_image_dedup), 0};
    for (uint32_t i = 0; i < units->len; i++) {
        const licet_terms_unit *unit = LICET_TERMS_ROW(licet_terms_unit, *units, i);
        licet_image_dedup row = {.kind = compile_kind(c, unit->key.text),
                                 .per = unit->dedup.per.value == LICET_DEDUP_DAY ? LICET_PER_DAY : LICET_PER_MONTH,
                                 .zone = LICET_NONE,
                                 .first_day = 1,
                                 .over = (uint32_t)unit->dedup.over.value};

        if (unit->dedup.per.value != LICET_DEDUP_NONE) {
            PUT(c, dedups, &row);
            out_range->count++;
        }
    }
}
