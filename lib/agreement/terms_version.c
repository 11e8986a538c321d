/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agreements/<agreement>/<date>.yaml: one version of the terms.
 */
#include "terms.h"

#include <stdio.h>
#include <string.h>

/* ---- fields with rules of their own ----------------------------------------------- */

/* "10_000 posts". */
static bool
parse_allow(licet_bytes text, uint64_t *out_units, licet_bytes *out_unit)
{
    const uint8_t *space = text.len == 0 ? NULL : memchr(text.data, ' ', text.len);
    size_t len;

    if (space == NULL) {
        return false;
    }
    len = (size_t)(space - text.data);
    *out_unit = licet_bytes_of(space + 1, text.len - len - 1);
    return licet_schema_digits(licet_bytes_of(text.data, len), out_units) && *out_units > 0 &&
           *out_units <= LICET_MOST_MAX && licet_fits_id(*out_unit);
}

static void
read_allow(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    static const char expected[] = "a number and a unit such as 10_000 posts";
    licet_terms_cannot_record *terms = out;
    licet_scalar said;

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    said = licet_schema_keep(reader, &node->scalar);
    if (!parse_allow(said.text, &terms->units, &terms->unit.text)) {
        licet_reader_say(reader, &said, context, "%s \"%s\": expected %s", field->name, licet_quote_of(said.text).text,
                         expected);
        return;
    }
    terms->unit.line = said.line;
    terms->unit.column = said.column;
}

static const licet_word outages[] = {{"outage", 0}, {NULL, 0}};
static const licet_field allow_fields[] = {
    {.name = "allow", .type = LICET_FIELD_OWN, .required = true, .at = 0, .read = read_allow},
    {.name = "per",
     .type = LICET_FIELD_WORD,
     .required = true,
     .at = sizeof(licet_terms_cannot_record), /* behind it, see read_cannot_record */
     .words = outages},
    {.name = NULL}};
static const licet_schema allow_schema = {.noun = "cannot_record", .fields = allow_fields};

static void
read_cannot_record(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node,
                   void *out)
{
    static const char expected[] = "refuse, open or {allow: 10_000 posts, per: outage}";
    struct {
        licet_terms_cannot_record terms;
        licet_number per;
    } both = {.per = {.value = 0}};
    licet_terms_cannot_record *terms = out;
    char inner[LICET_CONTEXT_MAX];

    if (node->kind == LICET_YAML_MAP) {
        licet_context_of(inner, "%s%s: ", context, field->name);
        licet_schema_read(reader, inner, &allow_schema, node, &both);
        *terms = both.terms;
        terms->what = LICET_CANNOT_RECORD_ALLOW;
        terms->said = licet_schema_keep(reader, &node->scalar);
        return;
    }
    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    if (licet_bytes_equal_text(node->scalar.text, "refuse")) {
        terms->what = LICET_CANNOT_RECORD_REFUSE;
    } else if (licet_bytes_equal_text(node->scalar.text, "open")) {
        terms->what = LICET_CANNOT_RECORD_OPEN;
    } else {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected %s", field->name,
                         licet_quote_of(node->scalar.text).text, expected);
        return;
    }
    terms->said = licet_schema_keep(reader, &node->scalar);
}

static bool
fits_catalogue(licet_bytes text)
{
    const uint8_t *at = text.len == 0 ? NULL : memchr(text.data, '@', text.len);
    licet_bytes date;
    uint64_t ms;

    if (at == NULL || text.len > LICET_NAME_MAX) {
        return false;
    }
    date = licet_bytes_of(at + 1, text.len - (size_t)(at - text.data) - 1);
    return licet_fits_id(licet_bytes_of(text.data, (size_t)(at - text.data))) && date.len == 10 &&
           licet_time_parse(date, &ms);
}

/* ---- tables --------------------------------------------------------------------------- */

static const licet_word rules[] = {{"record", LICET_RULE_RECORD}, {"refuse", LICET_RULE_REFUSE}, {NULL, 0}};
static const licet_word overruns[] = {{"deliver", LICET_OVERRUN_DELIVER}, {"cut", LICET_OVERRUN_CUT}, {NULL, 0}};
static const licet_word modes[] = {{"observe", LICET_MODE_OBSERVE}, {"enforce", LICET_MODE_ENFORCE}, {NULL, 0}};

#define AT(member) .at = offsetof(struct licet_terms_in_force, member)
static const licet_field in_force_fields[] = {
    {.name = "from", .type = LICET_FIELD_TIME, .required = true, AT(from)},
    {.name = "before", .type = LICET_FIELD_TIME, AT(before), .fallback = UINT64_MAX},
    {.name = "then", .type = LICET_FIELD_OWN, .at = 0, .read = licet_terms_read_then},
    {.name = "terminated", .type = LICET_FIELD_TIME, AT(terminated), .fallback = UINT64_MAX},
    {.name = NULL}};
#undef AT
static const licet_schema in_force_schema = {
    .noun = "in_force", .size = sizeof(struct licet_terms_in_force), .fields = in_force_fields};

#define AT(member) .at = offsetof(licet_terms_party, member)
static const licet_field party_fields[] = {
    {.name = "legal_name", .type = LICET_FIELD_TEXT, .required = true, AT(legal_name)},
    {.name = "country",
     .type = LICET_FIELD_TEXT,
     .required = true,
     AT(country),
     .fits = licet_fits_country,
     .expected = LICET_EXPECTED_COUNTRY},
    {.name = "address", .type = LICET_FIELD_TEXT, AT(address)},
    {.name = "role", .type = LICET_FIELD_TEXT, AT(role)},
    {.name = NULL}};
#undef AT
static const licet_schema party_schema = {.noun = "party", .size = sizeof(licet_terms_party), .fields = party_fields};

#define AT(member) .at = offsetof(struct licet_terms_parties, member)
static const licet_field parties_fields[] = {
    {.name = "licensor", .type = LICET_FIELD_OBJECT, .required = true, AT(licensor), .schema = &party_schema},
    {.name = "licensee", .type = LICET_FIELD_OBJECT, .required = true, AT(licensee), .schema = &party_schema},
    {.name = "affiliates", .type = LICET_FIELD_OBJECT, AT(affiliates), .schema = &licet_schema_affiliates},
    {.name = NULL}};
#undef AT
static const licet_schema parties_schema = {
    .noun = "parties", .size = sizeof(struct licet_terms_parties), .fields = parties_fields};

#define AT(member) .at = offsetof(licet_terms_clause, member)
static const licet_field clause_fields[] = {
    {.name = "section", .type = LICET_FIELD_TEXT, .required = true, AT(section)},
    {.name = "says", .type = LICET_FIELD_TEXT, .required = true, AT(says)},
    {.name = "class", .type = LICET_FIELD_WORD, AT(class), .words = licet_words_class},
    {.name = "severity", .type = LICET_FIELD_WORD, AT(severity), .words = licet_words_severity},
    {.name = "document", .type = LICET_FIELD_TEXT, AT(document)},
    {.name = "value", .type = LICET_FIELD_NAME, AT(value)},
    {.name = "also", .type = LICET_FIELD_LIST, AT(also), .schema = &licet_schema_also},
    {.name = "mode", .type = LICET_FIELD_WORD, AT(mode), .words = modes, .fallback = LICET_MODE_ENFORCE},
    {.name = NULL}};
#undef AT
static const licet_schema clause_schema = {.noun = "clause",
                                           .size = sizeof(licet_terms_clause),
                                           .fields = clause_fields,
                                           .key_fits = licet_fits_id,
                                           .key_expected = LICET_EXPECTED_ID};

#define AT(member) .at = offsetof(struct licet_terms_purposes, member)
static const licet_field purposes_fields[] = {
    {.name = "allowed", .type = LICET_FIELD_NAMES, AT(allowed)},
    {.name = "forbidden", .type = LICET_FIELD_PAIRS, AT(forbidden)},
    {.name = "not_named", .type = LICET_FIELD_WORD, AT(not_named), .words = rules, .fallback = LICET_RULE_REFUSE},
    {.name = "not_declared", .type = LICET_FIELD_WORD, AT(not_declared), .words = rules, .fallback = LICET_RULE_RECORD},
    {.name = NULL}};
#undef AT
static const licet_schema purposes_schema = {
    .noun = "purposes", .size = sizeof(struct licet_terms_purposes), .fields = purposes_fields};

#define AT(member) .at = offsetof(struct licet_terms_tokens, member)
static const licet_field tokens_fields[] = {
    {.name = "most_per_app", .type = LICET_FIELD_NUMBER, .required = true, AT(most_per_app), .least = 1, .most = 65535},
    {.name = "clause", .type = LICET_FIELD_NAME, .required = true, AT(clause)},
    {.name = NULL}};
#undef AT
static const licet_schema tokens_schema = {
    .noun = "credentials", .size = sizeof(struct licet_terms_tokens), .fields = tokens_fields};

#define AT(member) .at = offsetof(licet_terms_version, member)
static const licet_field version_fields[] = {
    {.name = "agreement", .type = LICET_FIELD_ID, .required = true, AT(agreement)},
    {.name = "in_force", .type = LICET_FIELD_OBJECT, .required = true, AT(in_force), .schema = &in_force_schema},
    {.name = "known_from", .type = LICET_FIELD_TIME, AT(known_from)},
    {.name = "calendar", .type = LICET_FIELD_OBJECT, AT(calendar), .schema = &licet_terms_calendar_schema},
    {.name = "parties", .type = LICET_FIELD_OBJECT, .required = true, AT(parties), .schema = &parties_schema},
    {.name = "documents", .type = LICET_FIELD_LIST, AT(documents), .schema = &licet_schema_incorporated},
    {.name = "precedence", .type = LICET_FIELD_WORD, AT(precedence), .words = licet_words_precedence},
    {.name = "catalogue",
     .type = LICET_FIELD_TEXT,
     .required = true,
     AT(catalogue_name),
     .fits = fits_catalogue,
     .expected = "a name and a date such as x-api-v2@2022-10-10"},
    {.name = "clauses", .type = LICET_FIELD_MAP, AT(clauses), .schema = &clause_schema},
    {.name = "purposes", .type = LICET_FIELD_OBJECT, AT(purposes), .schema = &purposes_schema},
    {.name = "use_cases", .type = LICET_FIELD_OBJECT, AT(use_cases), .schema = &licet_terms_use_cases_schema},
    {.name = "recipients", .type = LICET_FIELD_OBJECT, AT(recipients), .schema = &licet_terms_recipients_schema},
    {.name = "embargo", .type = LICET_FIELD_OBJECT, AT(embargo), .schema = &licet_terms_embargo_schema},
    {.name = "government", .type = LICET_FIELD_LIST, AT(government), .schema = &licet_terms_government_schema},
    {.name = "limits", .type = LICET_FIELD_LIST, AT(limits), .schema = &licet_terms_limit_schema},
    {.name = "prices", .type = LICET_FIELD_OBJECT, AT(prices), .schema = &licet_terms_prices_schema},
    {.name = "retention", .type = LICET_FIELD_OBJECT, AT(retention), .schema = &licet_schema_retention},
    {.name = "reports", .type = LICET_FIELD_LIST, AT(reports), .schema = &licet_schema_report},
    {.name = "audit",
     .type = LICET_FIELD_OWN,
     AT(audits),
     .schema = &licet_schema_audit,
     .read = licet_terms_read_audit},
    {.name = "breach", .type = LICET_FIELD_OBJECT, AT(breach), .schema = &licet_schema_breach},
    {.name = "termination", .type = LICET_FIELD_OBJECT, AT(termination), .schema = &licet_schema_termination},
    {.name = "cannot_record",
     .type = LICET_FIELD_OWN,
     .required = true,
     AT(cannot_record),
     .schema = &allow_schema,
     .read = read_cannot_record},
    {.name = "on_overrun",
     .type = LICET_FIELD_WORD,
     AT(on_overrun),
     .words = overruns,
     .fallback = LICET_OVERRUN_DELIVER},
    {.name = "mode", .type = LICET_FIELD_WORD, AT(mode), .words = modes, .fallback = LICET_MODE_OBSERVE},
    {.name = "credentials", .type = LICET_FIELD_OBJECT, AT(tokens), .schema = &tokens_schema},
    {.name = "examples", .type = LICET_FIELD_LIST, AT(examples), .schema = &licet_terms_example_schema},
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_version_schema = {
    .noun = "version", .size = sizeof(licet_terms_version), .fields = version_fields};

bool
licet_terms_read_version(licet_reader *reader, licet_bytes text, licet_terms_version *out)
{
    return licet_terms_read(reader, text, &licet_terms_version_schema, out) &&
           licet_terms_prices_finish(reader, &out->prices) &&
           licet_names_build(&out->clause_names, reader->arena, out->clauses.rows, out->clauses.len,
                             sizeof(licet_terms_clause));
}
