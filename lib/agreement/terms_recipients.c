/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recipients as the files say them: who they are, in apps.yaml; what the agreement asks of them, in a version; and the
 * examples that show it.
 */
#include "terms.h"

#include <string.h>

bool
licet_fits_country(licet_bytes text)
{
    return text.len == 2 && text.data[0] >= 'A' && text.data[0] <= 'Z' && text.data[1] >= 'A' && text.data[1] <= 'Z';
}

static const licet_word classes[] = {{"public", LICET_CLASS_PUBLIC},
                                     {"person", LICET_CLASS_PERSON},
                                     {"company", LICET_CLASS_COMPANY},
                                     {"academic", LICET_CLASS_ACADEMIC},
                                     {"government", LICET_CLASS_GOVERNMENT},
                                     {"acting-for-government", LICET_CLASS_FOR_GOVERNMENT},
                                     {"surveillance", LICET_CLASS_SURVEILLANCE},
                                     {"embargoed", LICET_CLASS_EMBARGOED},
                                     {NULL, 0}};
#define EXPECTED_CLASS "public, person, company, academic, government, acting-for-government, surveillance or embargoed"
static const licet_word rules[] = {{"record", LICET_RULE_RECORD}, {"refuse", LICET_RULE_REFUSE}, {NULL, 0}};
static const licet_word needs[] = {
    {"notice", LICET_NEEDS_NOTICE}, {"approval", LICET_NEEDS_APPROVAL}, {"never", LICET_NEEDS_NEVER}, {NULL, 0}};
static const licet_word silences[] = {{"consent", 0}, {"refusal", 1}, {NULL, 0}};
static const licet_word verdicts[] = {{"allow", 0}, {"refuse", 1}, {"observe", 2}, {NULL, 0}}; /* licet_verdict_kind */

/* ---- fields with rules of their own ------------------------------------------------ */

void
licet_terms_read_document(licet_reader *reader, const char *context, const licet_field *field,
                          const licet_yaml_node *node, void *out)
{
    static const char expected[] = "64 hex digits, the SHA-256 of the document";
    licet_terms_document *document = out;

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    if (!licet_unhex(node->scalar.text, document->sha256.bytes, sizeof(document->sha256.bytes))) {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected %s", field->name,
                         licet_quote_of(node->scalar.text).text, expected);
        return;
    }
    document->at = licet_schema_keep(reader, &node->scalar);
}

/* A date as a day number. */
static bool
take_day(licet_bytes text, uint32_t *out_day)
{
    uint64_t ms;

    if (text.len != 10 || !licet_time_parse(text, &ms)) {
        return false;
    }
    *out_day = (uint32_t)(ms / 86400000);
    return true;
}

static void
read_holidays(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node,
              void *out)
{
    static const char expected[] = "a date such as 2026-12-24";
    licet_business_calendar *calendar = out;
    uint32_t *days, n = 0;

    if (!licet_schema_list(reader, context, field->name, node)) {
        return;
    }
    if (node->len > LICET_HOLIDAYS_MAX) {
        licet_reader_say(reader, &node->scalar, context, "%s names %u days: expected at most %u", field->name,
                         node->len, LICET_HOLIDAYS_MAX);
        return;
    }
    days = licet_arena_rows(reader->arena, (size_t)node->len + 1, sizeof(*days));
    for (const licet_yaml_node *child = node->first; days != NULL && child != NULL; child = child->next) {
        uint32_t day, at = n;

        if (!licet_schema_scalar(reader, context, field->name, child, expected)) {
            continue;
        }
        if (!take_day(child->scalar.text, &day)) {
            licet_reader_say(reader, &child->scalar, context, "%s \"%s\": expected %s", field->name,
                             licet_quote_of(child->scalar.text).text, expected);
            continue;
        }
        for (; at > 0 && days[at - 1] > day; at--) { /* into order */
            days[at] = days[at - 1];
        }
        days[at] = day;
        n++;
    }
    calendar->holidays = days;
    calendar->holidays_len = n;
}

static const licet_word calendars[] = {{"mon-fri", LICET_BUSINESS_MON_FRI},
                                       {"us-federal", LICET_BUSINESS_US_FEDERAL},
                                       {"target", LICET_BUSINESS_TARGET},
                                       {NULL, 0}};

typedef struct calendar_terms {
    licet_number rule;
    licet_business_calendar calendar;
} calendar_terms;

static const licet_field calendar_fields[] = {
    {.name = "rule", .type = LICET_FIELD_WORD, .at = offsetof(calendar_terms, rule), .words = calendars},
    {.name = "holidays",
     .type = LICET_FIELD_OWN,
     .required = true,
     .at = offsetof(calendar_terms, calendar),
     .read = read_holidays},
    {.name = NULL}};
const licet_schema licet_schema_business = {.noun = "business_days", .fields = calendar_fields};

void
licet_terms_read_business(licet_reader *reader, const char *context, const licet_field *field,
                          const licet_yaml_node *node, void *out)
{
    static const char expected[] =
        "mon-fri, us-federal, target, a list of holidays or {rule: target, holidays: [2026-12-24]}";
    licet_terms_business *business = out;
    calendar_terms both = {.rule = {.value = 0}};
    char inner[LICET_CONTEXT_MAX];

    if (node->kind == LICET_YAML_LIST) {
        read_holidays(reader, context, field, node, &business->calendar);
    } else if (node->kind == LICET_YAML_MAP) {
        licet_context_of(inner, "%s%s: ", context, field->name);
        licet_schema_read(reader, inner, &licet_schema_business, node, &both);
        business->calendar = both.calendar;
        business->calendar.rule = (licet_business_rule)both.rule.value;
    } else {
        const licet_word *word = calendars;

        if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
            return;
        }
        while (word->word != NULL && !licet_bytes_equal_text(node->scalar.text, word->word)) {
            word++;
        }
        if (word->word == NULL) {
            licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected %s", field->name,
                             licet_quote_of(node->scalar.text).text, expected);
            return;
        }
        business->calendar.rule = (licet_business_rule)word->value;
    }
    business->said = licet_schema_keep(reader, &node->scalar);
    business->said.line = node->scalar.line;
}

/* Bits 1 << value of the words of a list. */
static bool
read_bits(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node,
          const licet_word *words, const char *expected, uint32_t *out_bits)
{
    uint32_t bits = 0;
    bool good = licet_schema_list(reader, context, field->name, node);

    for (const licet_yaml_node *child = node->first; good && child != NULL; child = child->next) {
        const licet_word *word = words;

        if (!licet_schema_scalar(reader, context, field->name, child, expected)) {
            return false;
        }
        while (word->word != NULL && !licet_bytes_equal_text(child->scalar.text, word->word)) {
            word++;
        }
        if (word->word == NULL) {
            licet_reader_say(reader, &child->scalar, context, "%s \"%s\": expected %s", field->name,
                             licet_quote_of(child->scalar.text).text, expected);
            return false;
        }
        bits |= UINT32_C(1) << word->value;
    }
    *out_bits = bits;
    return good;
}

static void
read_classes(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node,
             void *out)
{
    licet_terms_government *rule = out;
    uint32_t bits;

    if (!read_bits(reader, context, field, node, classes, EXPECTED_CLASS, &bits)) {
        return;
    }
    if (bits == 0) {
        licet_reader_say(reader, &node->scalar, context, "%s is empty: expected at least one", field->name);
    }
    rule->classes = bits;
}

static void
read_each(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    static const licet_word words[] = {{"entity", 0}, {"use-case", 1}, {NULL, 0}};
    licet_terms_government *rule = out;
    uint32_t bits;

    if (!read_bits(reader, context, field, node, words, "entity or use-case", &bits)) {
        return;
    }
    if ((bits & 1) == 0) {
        licet_reader_say(reader, &node->scalar, context,
                         "each: expected [entity], or [entity, use-case]: a notice is given for an entity");
        return;
    }
    rule->entity_only = (bits & 2) == 0;
}

static void
read_objection(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node,
               void *out)
{
    licet_terms_government *rule = out;

    if (!licet_schema_scalar(reader, context, field->name, node, LICET_EXPECTED_PERIOD)) {
        return;
    }
    if (!licet_period_parse(node->scalar.text, &rule->period)) {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected " LICET_EXPECTED_PERIOD, field->name,
                         licet_quote_of(node->scalar.text).text);
        return;
    }
    rule->objection = licet_schema_keep(reader, &node->scalar);
}

/* ---- tables of apps.yaml ------------------------------------------------------------- */

#define DOCUMENT_FIELD(is_required)                                                                                    \
    {                                                                                                                  \
        .name = "document", .type = LICET_FIELD_OWN, .required = (is_required), AT(document),                          \
        .read = licet_terms_read_document                                                                              \
    }

#define AT(member) .at = offsetof(struct licet_terms_accepted, member)
static const licet_field accepted_fields[] = {
    {.name = "at", .type = LICET_FIELD_TIME, .required = true, AT(at), .fallback = UINT64_MAX},
    DOCUMENT_FIELD(true),
    {.name = "by", .type = LICET_FIELD_TEXT, AT(by)},
    {.name = NULL}};
#undef AT
static const licet_schema accepted_schema = {
    .noun = "accepted", .size = sizeof(struct licet_terms_accepted), .fields = accepted_fields};

#define AT(member) .at = offsetof(licet_terms_notice, member)
static const licet_field notice_fields[] = {
    {.name = "use_case", .type = LICET_FIELD_NAME, .required = true, AT(use_case)},
    {.name = "given", .type = LICET_FIELD_TIME, .required = true, AT(given), .fallback = UINT64_MAX},
    {.name = "received", .type = LICET_FIELD_TIME, AT(received), .fallback = UINT64_MAX},
    DOCUMENT_FIELD(true),
    {.name = "by", .type = LICET_FIELD_TEXT, .required = true, AT(by)},
    {.name = "role", .type = LICET_FIELD_TEXT, .required = true, AT(role)},
    {.name = "objected", .type = LICET_FIELD_TIME, AT(objected), .fallback = UINT64_MAX},
    {.name = NULL}};
#undef AT
static const licet_schema notice_schema = {
    .noun = "notice", .size = sizeof(licet_terms_notice), .fields = notice_fields};

#define AT(member) .at = offsetof(licet_terms_approval, member)
static const licet_field approval_fields[] = {
    {.name = "use_case", .type = LICET_FIELD_NAME, .required = true, AT(use_case)},
    {.name = "by", .type = LICET_FIELD_TEXT, .required = true, AT(by)},
    {.name = "role", .type = LICET_FIELD_TEXT, .required = true, AT(role)},
    {.name = "from", .type = LICET_FIELD_TIME, .required = true, AT(from), .fallback = UINT64_MAX},
    {.name = "before", .type = LICET_FIELD_TIME, AT(before), .fallback = UINT64_MAX},
    DOCUMENT_FIELD(true),
    {.name = NULL}};
#undef AT
static const licet_schema approval_schema = {
    .noun = "approval", .size = sizeof(licet_terms_approval), .fields = approval_fields};

#define AT(member) .at = offsetof(licet_terms_recipient, member)
static const licet_field recipient_fields[] = {
    {.name = "class", .type = LICET_FIELD_WORD, .required = true, AT(kind), .words = classes},
    {.name = "country",
     .type = LICET_FIELD_TEXT,
     AT(country),
     .fits = licet_fits_country,
     .expected = LICET_EXPECTED_COUNTRY},
    {.name = "entity", .type = LICET_FIELD_NAME, AT(entity)},
    {.name = "from", .type = LICET_FIELD_TIME, AT(from)},
    {.name = "before", .type = LICET_FIELD_TIME, AT(before), .fallback = UINT64_MAX},
    {.name = "accepted", .type = LICET_FIELD_OBJECT, AT(accepted), .schema = &accepted_schema},
    {.name = "notices", .type = LICET_FIELD_LIST, AT(notices), .schema = &notice_schema},
    {.name = "approvals", .type = LICET_FIELD_LIST, AT(approvals), .schema = &approval_schema},
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_recipient_schema = {.noun = "recipient",
                                                   .size = sizeof(licet_terms_recipient),
                                                   .fields = recipient_fields,
                                                   .key_fits = licet_fits_name,
                                                   .key_expected = LICET_EXPECTED_NAME};

/* ---- tables of a version ---------------------------------------------------------------- */

#define AT(member) .at = offsetof(struct licet_terms_recipient_rules, member)
static const licet_field recipients_fields[] = {
    {.name = "not_declared", .type = LICET_FIELD_WORD, AT(not_declared), .words = rules, .fallback = LICET_RULE_RECORD},
    {.name = "not_registered",
     .type = LICET_FIELD_WORD,
     AT(not_registered),
     .words = rules,
     .fallback = LICET_RULE_RECORD},
    {.name = "clause", .type = LICET_FIELD_ID, AT(clause)},
    {.name = "must_accept", .type = LICET_FIELD_ID, AT(must_accept)},
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_recipients_schema = {
    .noun = "recipients", .size = sizeof(struct licet_terms_recipient_rules), .fields = recipients_fields};

#define AT(member) .at = offsetof(struct licet_terms_use_case_rules, member)
static const licet_field use_cases_fields[] = {
    {.name = "not_declared", .type = LICET_FIELD_WORD, AT(not_declared), .words = rules, .fallback = LICET_RULE_RECORD},
    {.name = "clause", .type = LICET_FIELD_ID, AT(clause)},
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_use_cases_schema = {
    .noun = "use_cases", .size = sizeof(struct licet_terms_use_case_rules), .fields = use_cases_fields};

#define AT(member) .at = offsetof(struct licet_terms_embargo, member)
static const licet_field embargo_fields[] = {{.name = "clause", .type = LICET_FIELD_ID, .required = true, AT(clause)},
                                             {.name = "countries",
                                              .type = LICET_FIELD_NAMES,
                                              AT(countries),
                                              .fits = licet_fits_country,
                                              .expected = LICET_EXPECTED_COUNTRY},
                                             {.name = NULL}};
#undef AT
const licet_schema licet_terms_embargo_schema = {
    .noun = "embargo", .size = sizeof(struct licet_terms_embargo), .fields = embargo_fields};

#define AT(member) .at = offsetof(licet_terms_government, member)
static const licet_field government_fields[] = {
    {.name = "needs", .type = LICET_FIELD_WORD, .required = true, AT(needs), .words = needs},
    {.name = "clause", .type = LICET_FIELD_ID, .required = true, AT(clause)},
    {.name = "flow", .type = LICET_FIELD_WORD, AT(flow), .words = licet_terms_flows, .fallback = LICET_NONE},
    {.name = "each", .type = LICET_FIELD_OWN, .at = 0, .read = read_each},
    {.name = "classes", .type = LICET_FIELD_OWN, .at = 0, .read = read_classes},
    {.name = "objection", .type = LICET_FIELD_OWN, .at = 0, .read = read_objection},
    {.name = "silence", .type = LICET_FIELD_WORD, AT(silence), .words = silences},
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_government_schema = {
    .noun = "government", .title = "needs", .size = sizeof(licet_terms_government), .fields = government_fields};

#define AT(member) .at = offsetof(licet_terms_example, member)
static const licet_field example_fields[] = {
    {.name = "app", .type = LICET_FIELD_ID, AT(app)},
    {.name = "request", .type = LICET_FIELD_TEXT, AT(request)},
    {.name = "use_case", .type = LICET_FIELD_NAME, AT(use_case)},
    {.name = "purpose", .type = LICET_FIELD_NAME, AT(purpose)},
    {.name = "recipient", .type = LICET_FIELD_NAME, AT(recipient)},
    {.name = "flow", .type = LICET_FIELD_WORD, AT(flow), .words = licet_terms_flows, .fallback = LICET_NONE},
    {.name = "at", .type = LICET_FIELD_TIME, .required = true, AT(at)},
    {.name = "expect", .type = LICET_FIELD_WORD, .required = true, AT(expect), .words = verdicts},
    {.name = "clause", .type = LICET_FIELD_ID, AT(clause)},
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_example_schema = {
    .noun = "example", .size = sizeof(licet_terms_example), .fields = example_fields};

/* ---- names ---------------------------------------------------------------------------------- */

bool
licet_terms_recipients_finish(licet_arena *arena, licet_terms_apps *apps)
{
    uint32_t len = apps->recipients.len, n = 0;
    licet_scalar *all = licet_arena_rows(arena, (size_t)len + 1, sizeof(*all));
    licet_names sorted;

    apps->countries = licet_arena_rows(arena, (size_t)len + 1, sizeof(*apps->countries));
    if (all == NULL || apps->countries == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < len; i++) {
        const licet_terms_recipient *recipient = LICET_TERMS_ROW(licet_terms_recipient, apps->recipients, i);
        if (recipient->country.line != 0) {
            all[n++] = recipient->country;
        }
    }
    if (!licet_names_build(&sorted, arena, all, n, sizeof(*all))) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || !licet_bytes_equal(sorted.sorted[i]->text, sorted.sorted[i - 1]->text)) {
            apps->countries[apps->countries_len++] = *sorted.sorted[i];
        }
    }
    return licet_names_build(&apps->recipient_names, arena, apps->recipients.rows, len,
                             sizeof(licet_terms_recipient)) &&
           licet_names_build(&apps->country_names, arena, apps->countries, apps->countries_len, sizeof(licet_scalar));
}

const licet_terms_recipient *
licet_terms_part_of(const licet_terms_apps *apps, const licet_terms_recipient *recipient)
{
    uint32_t row =
        recipient->entity.line == 0 ? LICET_NONE : licet_names_find(&apps->recipient_names, recipient->entity.text);

    return row == LICET_NONE ? NULL : LICET_TERMS_ROW(licet_terms_recipient, apps->recipients, row);
}
