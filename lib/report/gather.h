/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gather: one pass over the usage rows of an agreement fills every list, the
 * limits and what could not be metered.
 */
#ifndef LICET_REPORT_GATHER_H
#define LICET_REPORT_GATHER_H

#include "licet/meter.h"
#include "licet/report.h"
#include "tally.h"

/* enum, key in the JSON, what of a row it groups by (an expression of row), what an image registers (function) */
#define REPORT_LISTS(X)                                                                                                \
    X(FLOWS, flows, flow_name(row->flow), register_flows)                                                              \
    X(APPS, apps, row->context.app, register_apps)                                                                     \
    X(PRODUCTS, products, row->context.product, register_products)                                                     \
    X(PURPOSES, purposes, row->context.purpose, register_purposes)                                                     \
    X(USE_CASES, use_cases, row->context.use_case, register_use_cases)                                                 \
    X(RECIPIENTS, recipients, row->context.recipient, register_recipients)                                             \
    X(COUNTRIES, countries, row->context.country, register_countries)                                                  \
    X(GOVERNMENTS, governments, gathered_rung(g, row), register_rungs)                                                 \
    X(MONTHS, months, month_name(g, row->hour_ms), register_months)                                                    \
    X(CREDENTIALS, credentials, row->context.credential, register_credentials)

typedef enum report_list {
#define REPORT_LIST_ENUM(name, key, id, register) LIST_##name,
    REPORT_LISTS(REPORT_LIST_ENUM)
#undef REPORT_LIST_ENUM
        LISTS_LEN
} report_list;

/* Equal refusals, or passed requests that would have been refused. */
typedef struct gathered_refusal {
    bool would_be;
    uint8_t reason;  /* licet_reason; NONE: the receipts do not say (would_be) */
    uint16_t status; /* 0 for would_be */
    char *clause;    /* owned, escaped; empty: none */
    uint64_t requests;
} gathered_refusal;

/* Use of one limit. Windows come in the order of time, so that one value for each row of apps is enough. */
typedef struct gathered_limit {
    const licet_image_version *version;
    const licet_image_limit *limit;
    bool derivable;              /* windows are made of full hours */
    size_t kind;                 /* of gathered kinds; SIZE_MAX: request */
    uint64_t from_ms, before_ms; /* windows that overlap both the period and the version's time */
    uint64_t refused;            /* requests in the period */
    struct gathered_window {
        uint32_t window;
        uint64_t used;
    } * now; /* by row of apps; one for the licensee */
    size_t now_len;
    bool any;
    uint32_t highest_window;
    uint64_t highest;
    size_t highest_app; /* row of apps; TALLY_NONE */
} gathered_limit;

/* Periods of a rate card that the report's span touches: a block of lines for each, in the order of time. A block has a
 * line for each price, then one for each unit of the image, for what no price fits. */
typedef struct gathered_card {
    const licet_image_rate_card *card;
    uint32_t first_window, windows;
    size_t first_line, block;
} gathered_card;

/* Units of one line of charges in one period. */
typedef struct gathered_charge {
    uint64_t from_ms, before_ms; /* of the period */
    const licet_image_rate_card *card;
    const licet_image_price *price; /* NULL: no line fits */
    uint32_t kind;                  /* of the image */
    uint64_t gross, duplicates;
} gathered_charge;

typedef struct gathered {
    const licet_report_options *options;
    licet_bytes kinds[TALLY_KINDS_MAX]; /* units of the report; into the image or kind_names */
    size_t kinds_len;
    licet_buffer kind_names[TALLY_KINDS_MAX];
    tally total;
    tally_list lists[LISTS_LEN];
    gathered_refusal *refusals;
    size_t refusals_len, refusals_capacity;
    gathered_limit *limits;
    size_t limits_len;
    gathered_card *cards;
    size_t cards_len;
    gathered_charge *charges;
    size_t charges_len;
    uint64_t unmetered_responses, unmetered_bytes;
    uint64_t unmetered_units[TALLY_KINDS_MAX], unmetered_beyond[TALLY_KINDS_MAX];
    uint64_t unmetered_by[LICET_UNMETERED_LEN];
    uint8_t *days; /* a bit for each day of the period: it has a row */
    size_t days_len;
    uint64_t hours_with_rows, last_hour_ms, first_ms, last_ms;
    bool any_hour;
    licet_usage *usage;  /* while rows are added */
    uint64_t credits_ms; /* the hour whose credits are added behind its rows; UINT64_MAX: none */
    char month[16];      /* scratch of month_name */
} gathered;

/* Fills *g (any content before) from the tables; gathered_done in either case. */
bool gathered_make(licet_usage *usage, const licet_report_options *options, gathered *g, licet_error *err);
void gathered_done(gathered *g);

/* governments.c: on which of REPORT_RUNGS a row stands, or none: its recipient is known and no government. */
#define REPORT_RUNGS_LEN 4
extern const char *const report_rungs[REPORT_RUNGS_LEN];
licet_bytes gathered_rung(const gathered *g, const licet_usage_row *row);

/* limits.c */
bool gathered_limits_make(gathered *g, licet_error *err);
/* The span of time that limits need to see; at least the period. */
void gathered_limits_span(const gathered *g, uint64_t *from_ms, uint64_t *before_ms);
bool gathered_limits_row(gathered *g, const licet_usage_row *row, size_t app, bool in_period, licet_error *err);
/* A row of duplicates credited: limits that count deduplicated get them back, in the window under way. */
void gathered_limits_credit(gathered *g, const licet_usage_row *row, size_t app);
/* Ends the last windows. */
void gathered_limits_end(gathered *g);
/* charges.c: finds the periods of charging that the report's span touches; widens the span to them; adds a row; puts
 * the lines in order. */
bool gathered_charges_make(gathered *g, licet_error *err);
void gathered_charges_span(const gathered *g, uint64_t *from_ms, uint64_t *before_ms);
bool gathered_charges_row(gathered *g, const licet_usage_row *row, licet_error *err);
bool gathered_charges_credit(gathered *g, const licet_usage_row *row, licet_error *err);
void gathered_charges_end(gathered *g);
/* End of a version: its own, or where a later one begins. UINT64_MAX: open. */
uint64_t report_version_end(const licet_image *image, uint32_t version);

/* Bytes as text that is UTF-8 and holds no control characters: others as \xHH. Appends. */
void report_put_clean(licet_buffer *out, licet_bytes bytes);

#endif
