/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terms: what the files of a site say, as structs, before they are compiled.
 *
 *  (1) Each struct mirrors one mapping of the files; its schema table stands in the terms_*.c that reads the file.
 *  (2) A value keeps its place, so that a later check can name it.
 */
#ifndef LICET_AGREEMENT_TERMS_H
#define LICET_AGREEMENT_TERMS_H

#include "business.h"
#include "names.h"
#include "schema.h"
#include "terms_duties.h"

#include "licet/agreement.h"
#include "licet/money.h"

#define LICET_COUNTS_PER_ENDPOINT_MAX 8u              /* LICET_SCAN_UNITS_MAX of meter/, which this room does not see */
#define LICET_PATH_NODES_MAX 32u                      /* LICET_SCAN_NODES_MAX */
#define LICET_ENDPOINTS_MAX 4096u                     /* of one catalogue */
#define LICET_IDENTITY_MAX (8 * (LICET_NAME_MAX + 1)) /* bytes of a counter's identity */
#define LICET_SEGMENTS_MAX 32u                        /* of one endpoint */
#define LICET_MOST_MAX ((UINT64_C(1) << 40) - 1)

/* One file as it was read. */
typedef struct licet_terms_file {
    const char *path; /* relative to the site */
    licet_bytes text;
    licet_hash sha256;
    bool broken; /* a mistake in it, or it could not be read: what refers to it is not judged */
} licet_terms_file;

/* ---- licet.yaml -------------------------------------------------------------- */

typedef struct licet_terms_config {
    licet_number party, gate, flow, workers, slots;
    licet_rows upstreams; /* licet_pair: agreement, where its requests go */
    licet_scalar upstream, listen, metrics, key, shared_memory, site, identity, group;
} licet_terms_config;

/* ---- catalogue/<name>@<date>.yaml -------------------------------------------- */

typedef enum licet_terms_dedup_per {
    LICET_DEDUP_NONE = 0,
    LICET_DEDUP_DAY = 1,
    LICET_DEDUP_MONTH = 2,
} licet_terms_dedup_per;

typedef struct licet_terms_dedup {
    licet_number by, per, zone, over; /* per: absent: NONE */
} licet_terms_dedup;

typedef struct licet_terms_unit {
    licet_scalar key;
    licet_terms_dedup dedup;
} licet_terms_unit;

typedef struct licet_terms_page {
    licet_scalar key; /* unit */
    licet_page_from from;
    licet_scalar query;
    licet_number items, fallback, most; /* as said; from NUMBER: both the number */
} licet_terms_page;

typedef struct licet_terms_segment {
    licet_bytes literal; /* its name in braces taken off, for a placeholder */
    bool placeholder;
} licet_terms_segment;

typedef struct licet_terms_match {
    licet_scalar said;
    licet_bytes method;
    licet_terms_segment *segments;
    uint32_t segments_len;
} licet_terms_match;

typedef struct licet_terms_endpoint {
    licet_scalar id; /* its first member names the row, as a key does */
    licet_terms_match match;
    licet_rows count, ids; /* licet_pair: unit, path */
    licet_rows page;       /* licet_terms_page */
} licet_terms_endpoint;

typedef struct licet_terms_catalogue {
    licet_terms_file file;
    licet_scalar name; /* x-api-v2@2022-10-10 */
    licet_rows units;  /* licet_terms_unit */
    licet_number unlisted, rate_limit_headers;
    licet_rows endpoints; /* licet_terms_endpoint */
    licet_names unit_names, endpoint_names;
} licet_terms_catalogue;

/* ---- agreements/<agreement>/<date>.yaml --------------------------------------- */

typedef struct licet_terms_party {
    licet_scalar legal_name, country, address, role;
} licet_terms_party;

typedef struct licet_terms_clause {
    licet_scalar key, section, says;
    licet_scalar document, value; /* title of the document it is of; what that one says */
    licet_rows also;              /* licet_terms_also */
    licet_number class, severity; /* line 0: not said */
    licet_number mode;
} licet_terms_clause;

/* A limit of a version, or a budget of apps.yaml. */
typedef struct licet_terms_limit {
    licet_scalar key;    /* place of the row; no text */
    licet_scalar clause; /* of a budget: its name */
    licet_scalar unit;
    licet_number most, over, count, flow; /* flow: fallback LICET_NONE */
    licet_scalar per;
    uint32_t per_kind, span_s;                     /* licet_per as said; see licet_terms_window_of */
    licet_rows endpoints, purposes, recipients_of; /* licet_scalar */
    licet_scalar product, app;                     /* of a budget */
    licet_number set_by;                           /* of a budget */
} licet_terms_limit;

/* What `per` means in a version. */
typedef struct licet_terms_window {
    uint32_t per, span_s, bucket_s, first_day; /* as in licet_image_limit */
    bool zoned;                                /* in the zone of the calendar, which is not UTC */
} licet_terms_window;

typedef struct licet_terms_cannot_record {
    licet_scalar said; /* line 0: the field is missing */
    licet_cannot_record what;
    uint64_t units;
    licet_scalar unit; /* with ALLOW */
} licet_terms_cannot_record;

/* Prices; money in billionths. */
typedef struct licet_terms_tier {
    licet_scalar key; /* place of the row; no text */
    licet_number to;  /* fallback UINT64_MAX: all beyond */
    licet_number at;
} licet_terms_tier;

typedef struct licet_terms_price {
    licet_scalar line; /* its name */
    licet_scalar clause, unit;
    licet_number count, flow, from, before, included, at;
    licet_rows purposes; /* licet_scalar */
    licet_rows tiers;    /* licet_terms_tier */
} licet_terms_price;

typedef struct licet_terms_surcharge {
    licet_scalar name;
    licet_number percent; /* billionths of a percent */
} licet_terms_surcharge;

typedef struct licet_terms_rebate {
    licet_scalar key; /* place of the row; no text */
    licet_number from, percent;
} licet_terms_rebate;

typedef struct licet_terms_prices {
    licet_scalar currency; /* line 0: no prices */
    licet_number per;
    licet_scalar round;
    licet_round round_how;
    uint32_t round_digits;
    licet_number minimum;
    licet_rows lines; /* licet_terms_price; the short form is one, named by its unit */
    licet_rows surcharges, rebates;
    struct licet_terms_prepaid {
        licet_scalar clause;
    } prepaid;
    /* the short form */
    licet_scalar unit, clause;
    licet_number count, first, at, beyond;
} licet_terms_prices;

/* calendar.business_days; said.line 0: not said. */
typedef struct licet_terms_business {
    licet_scalar said;
    licet_business_calendar calendar;
} licet_terms_business;

typedef struct licet_terms_government {
    licet_scalar key; /* place of the row; no text */
    licet_number needs, flow, silence;
    licet_scalar clause, objection;
    licet_period period;
    bool entity_only; /* each: [entity] */
    uint32_t classes; /* 0: those of LICET_CLASSES_OF_GOVERNMENT */
} licet_terms_government;
#define LICET_CLASSES_OF_GOVERNMENT                                                                                    \
    (UINT32_C(1) << LICET_CLASS_GOVERNMENT | UINT32_C(1) << LICET_CLASS_FOR_GOVERNMENT |                               \
     UINT32_C(1) << LICET_CLASS_SURVEILLANCE)
#define LICET_CLASSES_OF_GOVERNMENT                                                                                    \
    (UINT32_C(1) << LICET_CLASS_GOVERNMENT | UINT32_C(1) << LICET_CLASS_FOR_GOVERNMENT |                               \
     UINT32_C(1) << LICET_CLASS_SURVEILLANCE)

typedef struct licet_terms_example {
    licet_scalar key; /* place of the row; no text */
    licet_scalar app, request, use_case, purpose, recipient, clause;
    licet_number flow, at, expect;
} licet_terms_example;

typedef struct licet_terms_version {
    licet_terms_file file;
    licet_scalar id; /* 2022-10-10 */
    licet_scalar agreement, catalogue_name;
    struct licet_terms_in_force {
        licet_number from, before, then, terminated;
        uint32_t renew_months;
    } in_force;
    licet_number known_from; /* fallback 0: when it came into force */
    struct licet_terms_parties {
        licet_terms_party licensor, licensee;
        licet_terms_affiliates affiliates;
    } parties;
    licet_rows documents; /* licet_terms_document, in order of precedence */
    licet_number precedence;
    struct licet_terms_calendar {
        licet_scalar zone; /* line 0: UTC */
        licet_number month;
        licet_scalar cycle_starts;
        uint32_t first_day; /* of a cycle; 0: none */
        uint32_t transitions_len;
        const licet_image_transition *transitions; /* of the zone; UTC has none */
        licet_terms_business business;
    } calendar;
    licet_rows clauses; /* licet_terms_clause */
    struct licet_terms_purposes {
        licet_rows allowed;   /* licet_scalar */
        licet_rows forbidden; /* licet_pair: purpose, clause */
        licet_number not_named, not_declared;
    } purposes;
    struct licet_terms_recipient_rules {
        licet_number not_declared, not_registered;
        licet_scalar clause, must_accept;
    } recipients;
    struct licet_terms_use_case_rules {
        licet_number not_declared;
        licet_scalar clause;
    } use_cases;
    struct licet_terms_embargo {
        licet_scalar clause;
        licet_rows countries; /* licet_scalar */
    } embargo;
    licet_rows government; /* licet_terms_government */
    licet_rows examples;   /* licet_terms_example */
    licet_rows limits;     /* licet_terms_limit */
    licet_terms_cannot_record cannot_record;
    licet_number on_overrun, mode;
    licet_terms_prices prices;
    struct licet_terms_tokens {
        licet_number most_per_app; /* 0: any number */
        licet_scalar clause;
    } tokens;
    licet_terms_retention retention;
    licet_rows reports; /* licet_terms_report */
    licet_rows audits;  /* licet_terms_audit */
    licet_terms_breach breach;
    licet_terms_termination termination;
    const licet_terms_catalogue *catalogue; /* NULL: not there */
    licet_names clause_names;
} licet_terms_version;

/* ---- agreements/<agreement>/apps.yaml ------------------------------------------ */

typedef struct licet_terms_credential {
    licet_scalar id;
    licet_number kind, from, before, environment; /* environment: fallback UINT64_MAX, the app's */
    uint8_t hmac[LICET_SHA256_LEN], key[32];
    licet_scalar hmac_at, key_at; /* line 0: missing or not readable */
    bool has_key;                 /* said, readable or not */
    licet_scalar recipient;
} licet_terms_credential;

extern const licet_word licet_terms_environments[];
extern const licet_schema licet_terms_credential_schema;
/* Says what the fields of one credential must not be together. */
void licet_terms_credential_check(licet_reader *reader, const char *context, const licet_terms_credential *credential);

/* The platform's token: what goes up in place of the caller's credential. */
typedef struct licet_terms_outbound {
    licet_scalar id; /* line 0: none */
    licet_scalar header, scheme, file;
} licet_terms_outbound;
extern const licet_schema licet_outbound_schema; /* terms_outbound.c */

typedef struct licet_terms_app {
    licet_scalar key;
    licet_rows products; /* licet_terms_fed */
    licet_number environment, from, before;
    licet_scalar default_use_case, owner, contact, description, recipient;
    licet_rows credentials; /* licet_terms_credential */
    licet_terms_outbound outbound;
} licet_terms_app;

/* A product that an app feeds for a time. */
typedef struct licet_terms_fed {
    licet_scalar name;
    licet_number from, before;
} licet_terms_fed;

typedef struct licet_terms_product {
    licet_scalar key, owner, contact, description;
    licet_number from, before;
} licet_terms_product;

/* A SHA-256 in hex; at.line 0: none. */
typedef struct licet_terms_document {
    licet_hash sha256;
    licet_scalar at;
} licet_terms_document;

typedef struct licet_terms_step {
    licet_scalar key; /* place of the row; no text */
    licet_number state, at;
    licet_scalar by, role, says;
    licet_terms_document document;
} licet_terms_step;

typedef struct licet_terms_use_case {
    licet_scalar key, product, purpose, recipient, description;
    struct licet_terms_approved {
        licet_scalar by, role, says;
        licet_number from, before; /* from: fallback UINT64_MAX: not approved */
        licet_terms_document document;
    } approved;
    licet_rows life; /* licet_terms_step; approved says it in short */
} licet_terms_use_case;

typedef struct licet_terms_notice {
    licet_scalar key; /* place of the row; no text */
    licet_scalar use_case, by, role;
    licet_number given, received, objected; /* fallback UINT64_MAX: not said */
    licet_terms_document document;
} licet_terms_notice;

typedef struct licet_terms_approval {
    licet_scalar key; /* place of the row; no text */
    licet_scalar use_case, by, role;
    licet_number from, before;
    licet_terms_document document;
} licet_terms_approval;

typedef struct licet_terms_recipient {
    licet_scalar key, country, entity;
    licet_number kind, from, before;
    struct licet_terms_accepted {
        licet_number at; /* fallback UINT64_MAX: not accepted */
        licet_terms_document document;
        licet_scalar by;
    } accepted;
    licet_rows notices;   /* licet_terms_notice */
    licet_rows approvals; /* licet_terms_approval */
} licet_terms_recipient;

typedef struct licet_terms_payment {
    licet_scalar key; /* place of the row; no text */
    licet_number from, amount;
    licet_scalar document;
} licet_terms_payment;

typedef struct licet_terms_apps {
    licet_terms_file file;
    licet_rows payments;   /* licet_terms_payment */
    licet_rows budgets;    /* licet_terms_limit */
    licet_rows apps;       /* licet_terms_app */
    licet_rows use_cases;  /* licet_terms_use_case */
    licet_rows registered; /* licet_terms_product */
    licet_rows recipients; /* licet_terms_recipient */
    licet_names recipient_names, country_names;
    licet_scalar *countries; /* of recipients, once, sorted */
    uint32_t countries_len;
    licet_names app_names, use_case_names, product_names, registered_names;
    licet_scalar *products;        /* every app's and every registered one, once, sorted */
    licet_terms_outbound outbound; /* of every app that has none of its own */
    uint32_t products_len;
} licet_terms_apps;

/* ---- the site ------------------------------------------------------------------- */

typedef struct licet_terms_agreement {
    licet_scalar id;
    licet_terms_version *versions; /* by from, then name */
    uint32_t versions_len;
    licet_terms_apps apps;
    bool has_apps;
    licet_source *sources;
    size_t sources_len;
} licet_terms_agreement;

struct licet_site {
    licet_arena arena;
    licet_site_config view;
    licet_terms_config config;
    licet_terms_catalogue *catalogues; /* by name */
    uint32_t catalogues_len;
    licet_terms_agreement *agreements; /* by id */
    uint32_t agreements_len;
    licet_mistakes notes; /* owned */
};

/* Each reads text into a zeroed struct; mistakes go to the reader. False: broken, nothing more can be said of it. */
bool licet_terms_read_config(licet_reader *reader, licet_bytes text, licet_terms_config *out);
bool licet_terms_read_catalogue(licet_reader *reader, licet_bytes text, licet_terms_catalogue *out);
bool licet_terms_read_version(licet_reader *reader, licet_bytes text, licet_terms_version *out);
/* terms_limits.c */
extern const licet_schema licet_terms_calendar_schema, licet_terms_limit_schema, licet_terms_budget_schema;
licet_terms_window licet_terms_window_of(const struct licet_terms_calendar *calendar, const licet_terms_limit *limit);
/* licet_recipient_class of a word, or LICET_NONE. */
uint32_t licet_terms_class(licet_bytes text);
#define LICET_EXPECTED_CLASS                                                                                           \
    "public, person, company, academic, government, acting-for-government, surveillance or embargoed"
/* check_limits.c */
void licet_terms_check_limits(licet_reader *reader, const licet_terms_agreement *agreement,
                              const licet_terms_version *version);
void licet_terms_check_calendar(licet_reader *reader, const licet_terms_version *version);
void licet_terms_check_budgets(licet_reader *reader, const licet_terms_agreement *agreement);
/* A budget is part of a version whose catalogue counts its unit where it binds. */
bool licet_terms_has_budget(const licet_terms_version *version, const licet_terms_limit *budget);
bool licet_terms_is_unit(const licet_terms_catalogue *catalogue, licet_bytes unit);
/* Words that several files have, each in one meaning; terms_config.c. */
extern const licet_word licet_terms_flows[];  /* licet_flow */
extern const licet_word licet_terms_counts[]; /* 1: deduplicated */

/* terms_prices.c */
extern const licet_schema licet_terms_prices_schema, licet_terms_payment_schema;
/* After a version was read: the short form of its prices becomes a line. False: memory. */
bool licet_terms_prices_finish(licet_reader *reader, licet_terms_prices *prices);
void licet_terms_check_prices(licet_reader *reader, const licet_terms_version *version);
void licet_terms_check_payments(licet_reader *reader, const licet_terms_apps *apps);
bool licet_terms_read_apps(licet_reader *reader, licet_bytes text, licet_terms_apps *out);
/* What the four share: text to tree to struct. */
bool licet_terms_read(licet_reader *reader, licet_bytes text, const licet_schema *schema, void *out);

/* terms_recipients.c */
extern const licet_schema licet_terms_recipient_schema, licet_terms_recipients_schema, licet_terms_use_cases_schema,
    licet_terms_embargo_schema, licet_terms_government_schema, licet_terms_example_schema;
void licet_terms_read_business(licet_reader *reader, const char *context, const licet_field *field,
                               const licet_yaml_node *node, void *out);
void licet_terms_read_document(licet_reader *reader, const char *context, const licet_field *field,
                               const licet_yaml_node *node, void *out);
bool licet_fits_country(licet_bytes text);
#define LICET_EXPECTED_COUNTRY "a country of two capital letters such as US (ISO 3166-1)"
#define LICET_USE_CASE_ALL "all" /* of a notice or an approval */
/* After apps.yaml was read: names of recipients and their countries. False: memory. */
bool licet_terms_recipients_finish(licet_arena *arena, licet_terms_apps *apps);
/* What a recipient is part of, or NULL; and the entity at the end of its chain, after licet check. */
const licet_terms_recipient *licet_terms_part_of(const licet_terms_apps *apps, const licet_terms_recipient *recipient);
/* check_recipients.c */
void licet_terms_check_recipients(licet_reader *reader, const licet_terms_apps *apps);
void licet_terms_check_recipient_rules(licet_reader *reader, const licet_terms_agreement *agreement,
                                       const licet_terms_version *version);

/* A path as licet.yaml and apps.yaml may say one: within the site, or absolute. */
bool licet_fits_inner_path(licet_bytes text);
bool licet_fits_absolute_path(licet_bytes text);
/* The token that goes up for an app: its own, or the agreement's. NULL: none. */
const licet_terms_outbound *licet_terms_outbound_of(const licet_terms_apps *apps, const licet_terms_app *app);
/* How it is shown, where apps.yaml leaves that out: Authorization: Bearer. Scheme len 0: none. */
licet_bytes licet_terms_outbound_header(const licet_terms_outbound *outbound);
licet_bytes licet_terms_outbound_scheme(const licet_terms_outbound *outbound);
void licet_terms_check_outbound(licet_reader *reader, const licet_terms_apps *apps);

/* terms_counting.c: the counting rules of a catalogue's units. */
/* The four files of a site. */
extern const licet_schema licet_terms_config_schema, licet_terms_catalogue_schema, licet_terms_version_schema,
    licet_terms_apps_schema;
extern const licet_schema licet_terms_dedup_schema;
bool licet_terms_deduplicates(const licet_terms_catalogue *catalogue, licet_bytes unit);
void licet_terms_check_counting(licet_reader *reader, const char *context, const licet_terms_catalogue *catalogue,
                                const licet_terms_endpoint *endpoint);
/* Checks within one catalogue, after it was read. */
void licet_terms_check_catalogue(licet_reader *reader, licet_terms_catalogue *catalogue);
/* The unit that 'allow: 10_000 posts' means: posts, or else post. False: the catalogue has neither. */
bool licet_terms_allow_unit(const licet_terms_version *version, licet_bytes *out_unit);
/* Checks across the files of the whole site; versions are linked to their catalogues. False: memory. */
bool licet_terms_check_site(licet_site *site, licet_mistakes *mistakes);
/* Checks of apps.yaml over time: what an app feeds, lives of use cases, how many credentials are valid at a time. */
void licet_terms_check_lives(licet_reader *reader, const licet_terms_agreement *agreement);
const char *licet_terms_state_name(uint64_t state); /* of a use case: licet_use_case_state */

#define LICET_TERMS_ROW(type, list, i) (&((type *)(list).rows)[i])

#endif
