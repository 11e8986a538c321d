/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Duties: how long content is kept, what is reported when, who may look, what follows a breach, and how it ends.
 *
 *  (1) Nothing here is decided by the gate. It is held typed, so that dates can be reckoned from it (deadline.c).
 *  (2) Two paragraphs on audits that differ are both kept; which of them a finding needs, the finding says.
 */
#include "terms.h"

#include <stdio.h>
#include <string.h>

#define QUOTED(scalar) licet_quote_of((scalar).text).text
#define COUNT_MAX LICET_DUE_COUNT_MAX

bool
licet_length_said(const licet_terms_length *length)
{
    return length->said.line != 0;
}

/* ---- lengths of time ------------------------------------------------------------------ */

enum { MAY_BE_UNLIMITED = 1, MAY_BE_IMMEDIATELY = 2, MAY_BE_REASONABLE = 4, MAY_HAVE_FROM = 8 };

/* The number before the first space; *text is what is behind it. */
static bool
take_count(licet_bytes *text, uint32_t *out_count)
{
    const uint8_t *space = text->len == 0 ? NULL : memchr(text->data, ' ', text->len);
    uint64_t value;
    size_t len;

    if (space == NULL) {
        return false;
    }
    len = (size_t)(space - text->data);
    if (!licet_schema_digits(licet_bytes_of(text->data, len), &value) || value == 0 || value > COUNT_MAX) {
        return false;
    }
    *out_count = (uint32_t)value;
    *text = licet_bytes_of(space + 1, text->len - len - 1);
    return true;
}

static bool
begins_with(licet_bytes text, const char *word)
{
    return text.len >= strlen(word) && memcmp(text.data, word, strlen(word)) == 0;
}

static bool
skip(licet_bytes *text, const char *word)
{
    if (!begins_with(*text, word)) {
        return false;
    }
    *text = licet_bytes_of(text->data + strlen(word), text->len - strlen(word));
    return true;
}

/* "day" or "days" and what follows. */
static bool
take_unit(licet_bytes *text, uint32_t *out_unit)
{
    static const struct {
        const char *word;
        uint32_t unit;
    } units[] = {
        {"hour", LICET_LENGTH_HOURS}, {"day", LICET_LENGTH_DAYS},     {"business day", LICET_LENGTH_BUSINESS_DAYS},
        {"week", LICET_LENGTH_WEEKS}, {"month", LICET_LENGTH_MONTHS}, {"year", LICET_LENGTH_YEARS}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        licet_bytes rest = *text;
        if (skip(&rest, units[i].word)) {
            skip(&rest, "s");
            if (rest.len == 0 || rest.data[0] == ' ') {
                *out_unit = units[i].unit;
                *text = rest;
                return true;
            }
        }
    }
    return false;
}

static bool
parse_length(licet_bytes text, uint64_t may, licet_terms_length *out)
{
    if (licet_bytes_equal_text(text, "unlimited") && (may & MAY_BE_UNLIMITED)) {
        out->kind = LICET_LENGTH_UNLIMITED;
        return true;
    }
    if (licet_bytes_equal_text(text, "immediately") && (may & MAY_BE_IMMEDIATELY)) {
        out->kind = LICET_LENGTH_IMMEDIATELY;
        return true;
    }
    if (licet_bytes_equal_text(text, "reasonable") && (may & MAY_BE_REASONABLE)) {
        out->kind = LICET_LENGTH_REASONABLE;
        return true;
    }
    out->kind = LICET_LENGTH_COUNT;
    if (!take_count(&text, &out->count) || !take_unit(&text, &out->unit)) {
        return false;
    }
    if ((may & MAY_HAVE_FROM) && skip(&text, " from ") && text.len > 0) {
        out->from = text;
        return true;
    }
    return text.len == 0;
}

static void
read_length(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    uint64_t may = field->most; /* of an OWN field: what else it may be */
    licet_terms_length length = {0};
    char expected[160];

    snprintf(expected, sizeof(expected), "a length of time such as 30 days, 10 business days or 24 hours%s%s%s%s",
             may & MAY_HAVE_FROM ? " from written request" : "", may & MAY_BE_UNLIMITED ? ", or unlimited" : "",
             may & MAY_BE_IMMEDIATELY ? ", or immediately" : "", may & MAY_BE_REASONABLE ? ", or reasonable" : "");
    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    length.said = licet_schema_keep(reader, &node->scalar);
    if (!licet_fits_text(length.said.text) || !parse_length(length.said.text, may, &length)) {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected %s", field->name,
                         licet_quote_of(node->scalar.text).text, expected);
        return;
    }
    *(licet_terms_length *)out = length;
}

/* refuse, continue, renew 12 months. */
void
licet_terms_read_then(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node,
                      void *out)
{
    static const char expected[] = "refuse, continue or a renewal such as renew 12 months";
    struct licet_terms_in_force *in_force = out;
    licet_bytes text;
    uint32_t count = 0, unit = LICET_LENGTH_DAYS;

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    text = node->scalar.text;
    if (licet_bytes_equal_text(text, "refuse")) {
        in_force->then.value = LICET_THEN_REFUSE;
    } else if (licet_bytes_equal_text(text, "continue")) {
        in_force->then.value = LICET_THEN_CONTINUE;
    } else if (skip(&text, "renew ") && take_count(&text, &count) && take_unit(&text, &unit) && text.len == 0 &&
               (unit == LICET_LENGTH_MONTHS || unit == LICET_LENGTH_YEARS) &&
               count * (unit == LICET_LENGTH_YEARS ? 12 : 1) <= LICET_RENEW_MONTHS_MAX) {
        in_force->then.value = LICET_THEN_RENEW;
        in_force->renew_months = count * (unit == LICET_LENGTH_YEARS ? 12 : 1);
    } else {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected %s", field->name,
                         licet_quote_of(node->scalar.text).text, expected);
        return;
    }
    in_force->then.said = licet_schema_keep(reader, &node->scalar);
}

/* "day 15 of next month", "business day 10 of next month", "30 days after", "10 business days after". */
static bool
parse_due(licet_bytes text, licet_due *out)
{
    licet_bytes rest = text;
    bool business = skip(&rest, "business ");

    if (skip(&rest, "day ")) {
        out->kind = business ? LICET_DUE_BUSINESS_DAY : LICET_DUE_DAY;
        out->unit = LICET_LENGTH_DAYS;
        return take_count(&rest, &out->count) && out->count <= (business ? 20u : 31u) &&
               licet_bytes_equal_text(rest, "of next month");
    }
    out->kind = LICET_DUE_AFTER;
    return take_count(&text, &out->count) && take_unit(&text, &out->unit) && licet_bytes_equal_text(text, " after");
}

static void
read_due(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    static const char expected[] = "day 15 of next month, business day 10 of next month or a length of time such as "
                                   "10 business days after";
    licet_terms_due due = {0};

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    if (!parse_due(node->scalar.text, &due.due)) {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected %s", field->name,
                         licet_quote_of(node->scalar.text).text, expected);
        return;
    }
    due.said = licet_schema_keep(reader, &node->scalar);
    *(licet_terms_due *)out = due;
}

/* "once in 12 months", "2 times in 1 year", "unlimited". */
static bool
parse_at_most(licet_bytes text, struct licet_terms_at_most *out)
{
    uint32_t unit;

    if (licet_bytes_equal_text(text, "unlimited")) {
        out->times = 0;
        return true;
    }
    if (skip(&text, "once in ")) {
        out->times = 1;
    } else if (!take_count(&text, &out->times) || !skip(&text, "times in ")) {
        return false;
    }
    if (!take_count(&text, &out->months) || !take_unit(&text, &unit) || text.len != 0 ||
        (unit != LICET_LENGTH_MONTHS && unit != LICET_LENGTH_YEARS)) {
        return false;
    }
    out->months *= unit == LICET_LENGTH_YEARS ? 12 : 1;
    return true;
}

static void
read_at_most(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node,
             void *out)
{
    static const char expected[] = "once in 12 months, 2 times in 12 months or unlimited";
    struct licet_terms_at_most at_most = {0};

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    if (!parse_at_most(node->scalar.text, &at_most)) {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected %s", field->name,
                         licet_quote_of(node->scalar.text).text, expected);
        return;
    }
    at_most.said = licet_schema_keep(reader, &node->scalar);
    *(struct licet_terms_at_most *)out = at_most;
}

/* ---- tables ---------------------------------------------------------------------------- */

static const licet_word covers[] = {{"week", LICET_COVERS_WEEK},
                                    {"month", LICET_COVERS_MONTH},
                                    {"quarter", LICET_COVERS_QUARTER},
                                    {"year", LICET_COVERS_YEAR},
                                    {NULL, 0}};
static const licet_word parties[] = {
    {"licensee", LICET_DUTY_OF_LICENSEE}, {"licensor", LICET_DUTY_OF_LICENSOR}, {NULL, 0}};
static const licet_word enders[] = {{"licensee", LICET_DUTY_OF_LICENSEE},
                                    {"licensor", LICET_DUTY_OF_LICENSOR},
                                    {"either", LICET_DUTY_OF_EITHER},
                                    {NULL, 0}};
static const licet_word waivers[] = {
    {"written", LICET_WAIVER_WRITTEN}, {"conduct", LICET_WAIVER_CONDUCT}, {"none", LICET_WAIVER_NONE}, {NULL, 0}};

#define LENGTH(name_, member, may)                                                                                     \
    {                                                                                                                  \
        .name = name_, .type = LICET_FIELD_OWN, AT(member), .read = read_length, .most = (may)                         \
    }

#define AT(member) .at = offsetof(licet_terms_affiliates, member)
static const licet_field affiliates_fields[] = {{.name = "test", .type = LICET_FIELD_TEXT, AT(test)},
                                                {.name = "included", .type = LICET_FIELD_NAMES, AT(included)},
                                                {.name = "disputed", .type = LICET_FIELD_NAMES, AT(disputed)},
                                                {.name = NULL}};
#undef AT
const licet_schema licet_schema_affiliates = {
    .noun = "affiliates", .size = sizeof(licet_terms_affiliates), .fields = affiliates_fields};

#define AT(member) .at = offsetof(licet_terms_retention, member)
static const licet_field retention_fields[] = {{.name = "clause", .type = LICET_FIELD_ID, AT(clause)},
                                               LENGTH("keep", keep, MAY_BE_UNLIMITED),
                                               LENGTH("delete", delete_, MAY_BE_IMMEDIATELY | MAY_HAVE_FROM),
                                               LENGTH("at_end", at_end, MAY_BE_IMMEDIATELY | MAY_HAVE_FROM),
                                               LENGTH("evidence", evidence, MAY_HAVE_FROM),
                                               {.name = NULL}};
#undef AT
const licet_schema licet_schema_retention = {
    .noun = "retention", .size = sizeof(licet_terms_retention), .fields = retention_fields};

#define AT(member) .at = offsetof(licet_terms_report, member)
static const licet_field report_fields[] = {
    {.name = "name", .type = LICET_FIELD_NAME, .required = true, AT(name)},
    {.name = "covers", .type = LICET_FIELD_WORD, .required = true, AT(covers), .words = covers},
    {.name = "due", .type = LICET_FIELD_OWN, .required = true, AT(due), .read = read_due},
    {.name = "by", .type = LICET_FIELD_WORD, AT(by), .words = parties},
    {.name = "clause", .type = LICET_FIELD_ID, AT(clause)},
    {.name = NULL}};
#undef AT
const licet_schema licet_schema_report = {
    .noun = "report", .title = "name", .size = sizeof(licet_terms_report), .fields = report_fields};

#define AT(member) .at = offsetof(licet_terms_audit, member)
static const licet_field audit_fields[] = {
    {.name = "clause", .type = LICET_FIELD_ID, AT(clause)},
    LENGTH("look_back", look_back, MAY_BE_UNLIMITED),
    {.name = "at_most", .type = LICET_FIELD_OWN, AT(at_most), .read = read_at_most},
    LENGTH("notice", notice, MAY_BE_REASONABLE),
    LENGTH("survives", survives, MAY_BE_UNLIMITED),
    {.name = "costs", .type = LICET_FIELD_TEXT, AT(costs)},
    {.name = NULL}};
#undef AT
const licet_schema licet_schema_audit = {
    .noun = "audit", .title = "clause", .size = sizeof(licet_terms_audit), .fields = audit_fields};

#define AT(member) .at = offsetof(licet_terms_breach, member)
static const licet_field breach_fields[] = {
    {.name = "clause", .type = LICET_FIELD_ID, AT(clause)},
    LENGTH("notice", notice, MAY_BE_IMMEDIATELY),
    LENGTH("cure", cure, MAY_HAVE_FROM),
    {.name = "waiver", .type = LICET_FIELD_WORD, AT(waiver), .words = waivers, .fallback = LICET_NONE},
    {.name = NULL}};
#undef AT
const licet_schema licet_schema_breach = {
    .noun = "breach", .size = sizeof(licet_terms_breach), .fields = breach_fields};

#define AT(member) .at = offsetof(licet_terms_termination, member)
static const licet_field termination_fields[] = {
    {.name = "clause", .type = LICET_FIELD_ID, AT(clause)},
    LENGTH("notice", notice, MAY_BE_IMMEDIATELY),
    {.name = "by", .type = LICET_FIELD_WORD, AT(by), .words = enders, .fallback = LICET_DUTY_OF_EITHER},
    {.name = NULL}};
#undef AT
const licet_schema licet_schema_termination = {
    .noun = "termination", .size = sizeof(licet_terms_termination), .fields = termination_fields};

/* One paragraph, or a list of them. */
void
licet_terms_read_audit(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node,
                       void *out)
{
    licet_rows *rows = out;
    licet_terms_audit *list;
    char inner[LICET_CONTEXT_MAX];
    uint32_t n = 0;

    if (node->kind != LICET_YAML_MAP && node->kind != LICET_YAML_LIST) {
        if (licet_schema_scalar(reader, context, field->name, node, "a mapping or a list of them")) {
            licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected a mapping or a list of them",
                             field->name, QUOTED(node->scalar));
        }
        return;
    }
    list = licet_arena_rows(reader->arena, node->kind == LICET_YAML_MAP ? 1 : (size_t)node->len + 1, sizeof(*list));
    if (list == NULL) {
        return;
    }
    rows->rows = list;
    for (const licet_yaml_node *child = node->kind == LICET_YAML_MAP ? node : node->first; child != NULL;
         child = child->next) {
        licet_terms_audit *audit = &list[n++];
        audit->key.line = child->scalar.line;
        audit->key.column = child->scalar.column;
        licet_context_of(inner, node->kind == LICET_YAML_MAP ? "%s%s: " : "%s%s %u: ", context, field->name, n);
        if (child->kind == LICET_YAML_MAP) {
            licet_schema_read(reader, inner, &licet_schema_audit, child, audit);
        } else if (licet_schema_scalar(reader, context, field->name, child, "a mapping")) {
            licet_reader_say(reader, &child->scalar, context, "%s \"%s\": expected a mapping", field->name,
                             QUOTED(child->scalar));
        }
        if (node->kind == LICET_YAML_MAP) {
            break;
        }
    }
    rows->len = n;
}

/* ---- checks ----------------------------------------------------------------------------- */

static void
check_clause(licet_reader *reader, const licet_terms_version *version, const char *context, const licet_scalar *clause)
{
    if (clause->line != 0 && licet_names_find(&version->clause_names, clause->text) == LICET_NONE) {
        licet_reader_say(reader, clause, context, "clause \"%s\" is not among the clauses of this version",
                         QUOTED(*clause));
    }
}

static void
check_affiliates(licet_reader *reader, const licet_terms_affiliates *affiliates)
{
    for (uint32_t i = 0; i < affiliates->disputed.len; i++) {
        const licet_scalar *name = LICET_TERMS_ROW(licet_scalar, affiliates->disputed, i);
        for (uint32_t j = 0; j < affiliates->included.len; j++) {
            if (licet_bytes_equal(LICET_TERMS_ROW(licet_scalar, affiliates->included, j)->text, name->text)) {
                licet_reader_say(reader, name, "parties: affiliates: ", "\"%s\" is both included and disputed",
                                 QUOTED(*name));
                break;
            }
        }
    }
}

static void
check_in_force(licet_reader *reader, const licet_terms_version *version)
{
    const struct licet_terms_in_force *in_force = &version->in_force;

    if (in_force->then.value == LICET_THEN_RENEW && in_force->before.said.line == 0) {
        licet_reader_say(reader, &in_force->then.said,
                         "in_force: ", "then \"%s\": expected with before, the end of the first term",
                         QUOTED(in_force->then.said));
    }
    if (in_force->terminated.said.line != 0 && in_force->terminated.value <= in_force->from.value) {
        licet_reader_say(reader, &in_force->terminated.said,
                         "in_force: ", "terminated \"%s\": expected a time after from \"%s\"",
                         QUOTED(in_force->terminated.said), QUOTED(in_force->from.said));
    }
    if (in_force->terminated.said.line != 0 && in_force->then.value == LICET_THEN_REFUSE &&
        in_force->terminated.value > in_force->before.value) {
        licet_reader_say(reader, &in_force->terminated.said,
                         "in_force: ", "terminated \"%s\": it ends with before \"%s\" already",
                         QUOTED(in_force->terminated.said), QUOTED(in_force->before.said));
    }
}

static void
check_reports(licet_reader *reader, const licet_terms_version *version)
{
    for (uint32_t i = 0; i < version->reports.len; i++) {
        const licet_terms_report *report = LICET_TERMS_ROW(licet_terms_report, version->reports, i);
        char context[LICET_CONTEXT_MAX];

        licet_context_of(context, "report %s: ", QUOTED(report->name));
        check_clause(reader, version, context, &report->clause);
        for (uint32_t j = 0; j < i; j++) {
            const licet_terms_report *other = LICET_TERMS_ROW(licet_terms_report, version->reports, j);
            if (report->name.line != 0 && licet_bytes_equal(other->name.text, report->name.text)) {
                licet_reader_say(reader, &report->name, "", "report \"%s\": an earlier one has this name (line %u)",
                                 QUOTED(report->name), other->name.line);
                break;
            }
        }
    }
}

/* "clause AUDIT" or "paragraph 2" */
static void
name_of_audit(const licet_terms_version *version, uint32_t i, char out[LICET_CONTEXT_MAX])
{
    const licet_terms_audit *audit = LICET_TERMS_ROW(licet_terms_audit, version->audits, i);

    if (audit->clause.line != 0) {
        licet_context_of(out, "clause %s", QUOTED(audit->clause));
    } else {
        licet_context_of(out, "paragraph %u", i + 1);
    }
}

static void
note_differing(licet_reader *notes, const licet_terms_version *version, uint32_t i, const char *what,
               const licet_scalar *first, const licet_scalar *said)
{
    char one[LICET_CONTEXT_MAX], other[LICET_CONTEXT_MAX];

    if (first->line == 0 || said->line == 0 || licet_bytes_equal(first->text, said->text)) {
        return;
    }
    name_of_audit(version, 0, one);
    name_of_audit(version, i, other);
    licet_reader_say(notes, said, "audit: ",
                     "%s says %s %s, but %s says %s (%s:%u:%u): both stand, and a finding must say which it needs",
                     other, what, QUOTED(*said), one, QUOTED(*first), notes->file, first->line, first->column);
}

static void
check_audits(licet_reader *reader, licet_reader *notes, const licet_terms_version *version)
{
    for (uint32_t i = 0; i < version->audits.len; i++) {
        const licet_terms_audit *audit = LICET_TERMS_ROW(licet_terms_audit, version->audits, i);
        const licet_terms_audit *first = LICET_TERMS_ROW(licet_terms_audit, version->audits, 0);

        check_clause(reader, version, "audit: ", &audit->clause);
        note_differing(notes, version, i, "look_back", &first->look_back.said, &audit->look_back.said);
        note_differing(notes, version, i, "at_most", &first->at_most.said, &audit->at_most.said);
    }
}

void
licet_terms_check_duties(licet_reader *reader, licet_reader *notes, const licet_terms_version *version)
{
    check_in_force(reader, version);
    check_affiliates(reader, &version->parties.affiliates);
    check_reports(reader, version);
    check_audits(reader, notes, version);
    check_clause(reader, version, "retention: ", &version->retention.clause);
    check_clause(reader, version, "breach: ", &version->breach.clause);
    check_clause(reader, version, "termination: ", &version->termination.clause);
}
