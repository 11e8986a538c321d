/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Report: all sections, read from one view of the tables.
 */
#include "licet/report.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_SCHEMA "licet-report-1"
#define REPORT_SPAN_MAX_MS (UINT64_C(1) << 48)
#define HOUR_MS UINT64_C(3600000)

static const char *
edition_name(licet_edition edition)
{
    switch (edition) {
    case LICET_EDITION_COUNTERPARTY:
        return "counterparty";
    case LICET_EDITION_AUDITOR:
        return "auditor";
    default:
        return "internal";
    }
}

static json_t *
report_section_report(maker *m)
{
    const licet_report_options *o = m->g->options;
    json_t *object = maker_object(m);
    char from[LICET_TIME_TEXT], before[LICET_TIME_TEXT], id[256];

    licet_time_format(o->from_ms, from);
    licet_time_format(o->before_ms, before);
    snprintf(id, sizeof(id), "%s/%.13s/%.13s/%s", o->agreement, from, before, edition_name(o->edition));
    maker_put(m, object, "id", json_string(id));
    maker_number(m, object, "revision", 1);
    maker_put(m, object, "edition", json_string(edition_name(o->edition)));
    maker_time(m, object, "as_of", o->as_of_ms);
    maker_put(m, object, "signed_by", json_null()); /* reports are not signed by this version; the evidence is */
    return object;
}

static json_t *
report_section_period(maker *m)
{
    json_t *object = maker_object(m);

    maker_time(m, object, "from", m->g->options->from_ms);
    maker_time(m, object, "before", m->g->options->before_ms);
    maker_put(m, object, "zone", json_string("UTC"));
    return object;
}

static json_t *
report_section_evidence(maker *m)
{
    const licet_report_options *o = m->g->options;
    json_t *object = maker_object(m);
    char root[64];

    licet_base64(o->checkpoint.root.bytes, LICET_SHA256_LEN, root);
    maker_text(m, object, "origin", licet_bytes_of_text(o->checkpoint.origin));
    maker_number(m, object, "size", o->checkpoint.size);
    maker_put(m, object, "root", o->checkpoint.origin[0] == '\0' ? json_null() : json_string(root));
    maker_text(m, object, "checkpoint", o->checkpoint_note);
    return object;
}

/* False when a section could not be made: its maker said why. */
static bool
take(maker *m, json_t *root, const char *key, json_t *section)
{
    if (section == NULL) {
        return false;
    }
    maker_put(m, root, key, section);
    return true;
}

static bool
take_list(maker *m, json_t *root, report_list list, licet_error *err)
{
    static const char *const keys[] = {
#define LIST_KEY(name, key, id, register) #key,
        REPORT_LISTS(LIST_KEY)
#undef LIST_KEY
    };

    return take(m, root, keys[list], report_section_list(m, list, err));
}

static json_t *
report_section_totals(maker *m)
{
    json_t *totals = maker_object(m);

    maker_tally(m, totals, &m->g->total);
    return totals;
}

/* In the order of DESIGN.md, section 7. */
static bool
make_sections(maker *m, json_t *root, uint64_t applied, licet_error *err)
{
    maker_put(m, root, "schema", json_string(REPORT_SCHEMA));
    maker_put(m, root, "report", report_section_report(m));
    if (!take(m, root, "agreement", report_section_agreement(m, err))) {
        return false;
    }
    maker_put(m, root, "period", report_section_period(m));
    maker_put(m, root, "totals", report_section_totals(m));
    for (report_list list = LIST_FLOWS; list <= LIST_GOVERNMENTS; list++) {
        if (!take_list(m, root, list, err)) {
            return false;
        }
    }
    if (!take_list(m, root, LIST_MONTHS, err)) {
        return false;
    }
    maker_put(m, root, "limits", report_section_limits(m));
    maker_put(m, root, "refusals", report_section_refusals(m));
    if (!take_list(m, root, LIST_CREDENTIALS, err)) {
        return false;
    }
    if (!take(m, root, "disclosures", report_section_disclosures(m, err))) {
        return false;
    }
    maker_put(m, root, "charges", report_section_charges(m));
    maker_put(m, root, "findings", maker_array(m)); /* leads are not looked for by this version */
    maker_put(m, root, "unattributed", report_section_unattributed(m, json_object_get(root, "use_cases")));
    if (!take(m, root, "unidentified", report_section_unidentified(m, err))) {
        return false;
    }
    if (!take(m, root, "unrecorded_refusals", report_section_unrecorded(m, err))) {
        return false;
    }
    maker_put(m, root, "unmetered", report_section_unmetered(m));
    if (!take(m, root, "gaps", report_section_gaps(m, err))) {
        return false;
    }
    if (!take(m, root, "registry", report_section_registry(m, err))) {
        return false;
    }
    maker_put(m, root, "coverage", report_section_coverage(m, applied));
    maker_put(m, root, "evidence", report_section_evidence(m));
    return !m->failed || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a report, or a sum beyond 63 bits");
}

static bool
check_options(const licet_report_options *o, licet_error *err)
{
    if (o->from_ms % HOUR_MS != 0 || o->before_ms % HOUR_MS != 0 || o->from_ms >= o->before_ms ||
        o->before_ms > REPORT_SPAN_MAX_MS) {
        return LICET_FAIL(err, LICET_E_INVALID, 0,
                          "a report from %llu before %llu ms: expected full hours, the first "
                          "before the second",
                          (unsigned long long)o->from_ms, (unsigned long long)o->before_ms);
    }
    return true;
}

/* All inside one view of the tables. */
static bool
make_in_view(licet_usage *usage, const licet_report_options *options, json_t *root, licet_error *err)
{
    gathered *g = calloc(1, sizeof(*g));
    maker m = {.g = g, .usage = usage, .failed = root == NULL};
    uint64_t applied = 0;
    bool ok = false;

    if (g == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a report");
    }
    ok = licet_usage_applied(usage, options->agreement, &applied, err) && gathered_make(usage, options, g, err) &&
         make_sections(&m, root, applied, err);
    gathered_done(g);
    free(g);
    return ok;
}

bool
licet_report_make(licet_usage *usage, const licet_report_options *options, licet_report **out_report, licet_error *err)
{
    licet_report *report = calloc(1, sizeof(*report));
    licet_error ignored;
    const char *dir;
    bool ok = false;

    if (report == NULL || (report->root = json_object()) == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a report");
        goto done;
    }
    dir = options->dir != NULL || options->site == NULL ? options->dir : licet_site_config_view(options->site)->dir;
    if (dir != NULL && (report->dir = strdup(dir)) == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a report");
        goto done;
    }
    if (!check_options(options, err) || !licet_usage_begin(usage, err)) {
        goto done;
    }
    ok = make_in_view(usage, options, report->root, err);
    if (!licet_usage_commit(usage, ok ? err : &ignored)) {
        ok = false;
    }
done:
    if (ok) {
        *out_report = report;
    } else {
        licet_report_free(report);
    }
    return ok;
}

void
licet_report_free(licet_report *report)
{
    if (report != NULL) {
        json_decref(report->root);
        free(report->dir);
        free(report);
    }
}

bool
licet_report_json(const licet_report *report, licet_buffer *out, licet_error *err)
{
    char *text = json_dumps(report->root, JSON_INDENT(2));
    bool ok;

    if (text == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the text of a report");
    }
    ok = licet_put_bytes(out, licet_bytes_of_text(text)) && licet_put_u8(out, '\n');
    free(text);
    return ok || LICET_FAIL(err, LICET_E_LIMIT, 0, "the report is longer than %zu bytes", out->ceiling);
}
