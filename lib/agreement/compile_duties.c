/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compile duties: the reports that a version demands, for those who tell the next dates from what was applied.
 */
#include "compile.h"

licet_range
compile_duties(compiler *c, const licet_terms_version *version)
{
    licet_range range = {ROWS(c, duties, licet_image_duty), version->reports.len};

    for (uint32_t i = 0; i < version->reports.len; i++) {
        const licet_terms_report *report = LICET_TERMS_ROW(licet_terms_report, version->reports, i);
        licet_image_duty row = {
            .name = compile_text(c, report->name.text),
            .said = compile_text(c, report->due.said.text),
            .clause = report->clause.line == 0 ? LICET_NONE : compile_clause(c, version, report->clause.text),
            .covers = (uint32_t)report->covers.value,
            .due_kind = report->due.due.kind,
            .due_count = report->due.due.count,
            .due_unit = report->due.due.unit,
            .by = (uint32_t)report->by.value,
        };
        PUT(c, duties, &row);
    }
    return range;
}
