/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits: and calendar: of a version, budgets: of apps.yaml, and what they make of windows.
 *
 *  (1) Which window `per` means depends on the version's calendar: a day in a zone is another than one in UTC, and a
 *      month may begin on the day of a billing cycle. licet_terms_window_of says it once, for check and compiler.
 *  (2) Days and months in UTC are what they were before there were zones.
 */
#include "terms.h"
#include "zone.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400u
#define SPAN_MAX_S (UINT64_C(366) * DAY_S)

/* ---- per ------------------------------------------------------------------------------ */

static bool
parse_span(licet_bytes text, uint32_t *out_span_s)
{
    static const struct {
        uint8_t letter;
        uint64_t factor;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}};
    uint64_t value;

    if (text.len < 2 || !licet_schema_digits(licet_bytes_of(text.data, text.len - 1), &value)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (text.data[text.len - 1] == units[i].letter) {
            *out_span_s = value == 0 || value > SPAN_MAX_S / units[i].factor ? 0 : (uint32_t)(value * units[i].factor);
            return *out_span_s > 0;
        }
    }
    return false;
}

static bool
parse_per(licet_bytes text, uint32_t *out_per, uint32_t *out_span_s)
{
    static const char rolling[] = "rolling ";
    static const struct {
        const char *word;
        uint32_t per, span_s;
    } words[] = {{"second", LICET_PER_SPAN, 1}, {"minute", LICET_PER_SPAN, 60},         {"hour", LICET_PER_SPAN, 3600},
                 {"day", LICET_PER_DAY, 0},     {"month", LICET_PER_MONTH, 0},          {"year", LICET_PER_YEAR, 0},
                 {"term", LICET_PER_TERM, 0},   {"concurrent", LICET_PER_CONCURRENT, 0}};
    size_t len = strlen(rolling);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (licet_bytes_equal_text(text, words[i].word)) {
            *out_per = words[i].per;
            *out_span_s = words[i].span_s;
            return true;
        }
    }
    if (text.len > len && memcmp(text.data, rolling, len) == 0) {
        *out_per = LICET_PER_ROLLING;
        return parse_span(licet_bytes_of(text.data + len, text.len - len), out_span_s);
    }
    *out_per = LICET_PER_SPAN;
    return parse_span(text, out_span_s);
}

static void
read_per(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    static const char expected[] =
        "second, minute, hour, day, month, year, term, concurrent, a span such as 15m or rolling 30d";
    licet_terms_limit *limit = out;

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    if (!parse_per(node->scalar.text, &limit->per_kind, &limit->span_s)) {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected %s", field->name,
                         licet_quote_of(node->scalar.text).text, expected);
        return;
    }
    limit->per = licet_schema_keep(reader, &node->scalar);
}

/* Whole days of 7 to 62 are counted by days of UTC; of any other span, by the shortest of these with room for it. */
static uint32_t
bucket_of(uint32_t span_s)
{
    static const uint32_t lengths[] = {1,     2,     5,     10,    15,        30,        60,       120,
                                       300,   600,   900,   1800,  3600,      7200,      10800,    14400,
                                       21600, 28800, 43200, DAY_S, 2 * DAY_S, 3 * DAY_S, 7 * DAY_S};
    size_t i = 0;

    if (span_s % DAY_S == 0 && span_s >= 7 * DAY_S && span_s <= 62 * DAY_S) {
        return DAY_S;
    }
    while ((span_s + lengths[i] - 1) / lengths[i] + 1 > LICET_BUCKETS_MAX) {
        i++; /* SPAN_MAX_S has room in buckets of a week */
    }
    return lengths[i];
}

licet_terms_window
licet_terms_window_of(const struct licet_terms_calendar *calendar, const licet_terms_limit *limit)
{
    bool zoned = calendar->transitions_len > 0;
    licet_terms_window window = {.per = limit->per_kind, .span_s = limit->span_s, .first_day = 1};

    switch (limit->per_kind) {
    case LICET_PER_DAY:
        if (!zoned) { /* (2) */
            window.per = LICET_PER_SPAN;
            window.span_s = DAY_S;
        }
        break;
    case LICET_PER_MONTH:
        window.first_day = calendar->first_day > 0 ? calendar->first_day : 1;
        break;
    case LICET_PER_ROLLING:
        window.bucket_s = bucket_of(limit->span_s);
        break;
    default:
        break;
    }
    window.zoned =
        zoned && (window.per == LICET_PER_DAY || window.per == LICET_PER_MONTH || window.per == LICET_PER_YEAR);
    return window;
}

/* ---- calendar --------------------------------------------------------------------------- */

static void
read_zone(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    struct licet_terms_calendar *calendar = out;
    licet_error why = {0};
    licet_buffer rows;
    licet_bytes text;

    if (!licet_schema_scalar(reader, context, field->name, node, "a zone such as Europe/Berlin")) {
        return;
    }
    text = node->scalar.text;
    if (!licet_zone_fits(text)) {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected a zone such as UTC or Europe/Berlin",
                         field->name, licet_quote_of(text).text);
        return;
    }
    calendar->zone = licet_schema_keep(reader, &node->scalar);
    if (licet_bytes_equal_text(text, "UTC")) {
        return;
    }
    licet_buffer_init(&rows, LICET_ZONE_FILE_MAX);
    if (!licet_zone_read(LICET_ZONE_FOLDER, text, &rows, &why)) {
        reader->failed = reader->failed || why.code == LICET_E_MEMORY;
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": %s", field->name, licet_quote_of(text).text,
                         why.text);
    } else {
        calendar->transitions = (const void *)licet_arena_copy(reader->arena, licet_buffer_view(&rows)).data;
        calendar->transitions_len =
            calendar->transitions == NULL ? 0 : (uint32_t)(rows.len / sizeof(licet_image_transition));
    }
    licet_buffer_done(&rows);
}

static void
read_cycle_starts(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node,
                  void *out)
{
    static const char expected[] = "the date on which a cycle starts, such as 2022-10-15";
    struct licet_terms_calendar *calendar = out;
    licet_bytes text;
    uint64_t ms;

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    text = node->scalar.text;
    if (text.len != strlen("2022-10-15") || !licet_time_parse(text, &ms)) {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected %s", field->name,
                         licet_quote_of(text).text, expected);
        return;
    }
    calendar->cycle_starts = licet_schema_keep(reader, &node->scalar);
    calendar->first_day = (uint32_t)(text.data[8] - '0') * 10 + (uint32_t)(text.data[9] - '0');
}

static const licet_word months[] = {{"calendar", 0}, {"cycle", 1}, {NULL, 0}};

#define AT(member) .at = offsetof(struct licet_terms_calendar, member)
static const licet_field calendar_fields[] = {
    {.name = "zone", .type = LICET_FIELD_OWN, .at = 0, .read = read_zone},
    {.name = "month", .type = LICET_FIELD_WORD, AT(month), .words = months},
    {.name = "cycle_starts", .type = LICET_FIELD_OWN, .at = 0, .read = read_cycle_starts},
    {.name = "business_days",
     .type = LICET_FIELD_OWN,
     AT(business),
     .schema = &licet_schema_business,
     .read = licet_terms_read_business},
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_calendar_schema = {
    .noun = "calendar", .size = sizeof(struct licet_terms_calendar), .fields = calendar_fields};

/* ---- limits, budgets ------------------------------------------------------------------------ */

static const licet_word set_bys[] = {{"us", LICET_SET_BY_US}, {NULL, 0}};
static const licet_word overs[] = {{"licensee", LICET_OVER_LICENSEE},
                                   {"licensee and affiliates", LICET_OVER_LICENSEE},
                                   {"app", LICET_OVER_APP},
                                   {"credential", LICET_OVER_CREDENTIAL},
                                   {"product", LICET_OVER_PRODUCT},
                                   {"use case", LICET_OVER_USE_CASE},
                                   {"recipient", LICET_OVER_RECIPIENT},
                                   {"country", LICET_OVER_COUNTRY},
                                   {"endpoint", LICET_OVER_ENDPOINT},
                                   {NULL, 0}};

static bool
fits_class(licet_bytes text)
{
    return licet_terms_class(text) != LICET_NONE;
}

uint32_t
licet_terms_class(licet_bytes text)
{
    for (uint32_t kind = 0; kind < LICET_CLASSES_LEN; kind++) {
        if (licet_bytes_equal_text(text, licet_class_name(kind))) {
            return kind;
        }
    }
    return LICET_NONE;
}

#define AT(member) .at = offsetof(licet_terms_limit, member)
#define SHARED_FIELDS                                                                                                  \
    {.name = "unit", .type = LICET_FIELD_ID, .required = true, AT(unit)},                                              \
        {.name = "count", .type = LICET_FIELD_WORD, AT(count), .words = licet_terms_counts},                           \
        {.name = "most", .type = LICET_FIELD_NUMBER, .required = true, AT(most), .least = 0, .most = LICET_MOST_MAX},  \
        {.name = "per", .type = LICET_FIELD_OWN, .required = true, .at = 0, .read = read_per},                         \
        {.name = "over", .type = LICET_FIELD_WORD, .required = true, AT(over), .words = overs},                        \
        {.name = "endpoints", .type = LICET_FIELD_NAMES, AT(endpoints), .least = 1},                                   \
        {.name = "flow", .type = LICET_FIELD_WORD, AT(flow), .words = licet_terms_flows, .fallback = LICET_NONE},      \
        {.name = "purposes", .type = LICET_FIELD_NAMES, AT(purposes), .least = 1},                                     \
    {                                                                                                                  \
        .name = "recipients_of", .type = LICET_FIELD_NAMES, AT(recipients_of), .least = 1, .fits = fits_class,         \
        .expected = LICET_EXPECTED_CLASS                                                                               \
    }
static const licet_field limit_fields[] = {
    {.name = "clause", .type = LICET_FIELD_ID, .required = true, AT(clause)}, SHARED_FIELDS, {.name = NULL}};
static const licet_field budget_fields[] = {
    {.name = "name", .type = LICET_FIELD_ID, .required = true, AT(clause)},
    SHARED_FIELDS,
    {.name = "product", .type = LICET_FIELD_NAME, AT(product)},
    {.name = "app", .type = LICET_FIELD_ID, AT(app)},
    {.name = "set_by", .type = LICET_FIELD_WORD, AT(set_by), .words = set_bys, .fallback = LICET_SET_BY_US},
    {.name = NULL}};
#undef SHARED_FIELDS
#undef AT
const licet_schema licet_terms_limit_schema = {
    .noun = "limit", .title = "clause", .size = sizeof(licet_terms_limit), .fields = limit_fields};
const licet_schema licet_terms_budget_schema = {
    .noun = "budget", .title = "name", .size = sizeof(licet_terms_limit), .fields = budget_fields};
