/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image: the compiled form of one agreement, all its versions and its
 * registry, as one position-independent blob that workers map read-only.
 *
 *  (1) An image is immutable. A change is a new image with a greater number.
 *  (2) licet_image_open checks every offset, index and count against the
 *      blob once; after it the accessors need no checks.
 *  (3) Tables are flat arrays of the structs below, 8-byte aligned, in the
 *      byte order of the machine: an image is a cache made from the files of
 *      the site, never evidence and never moved between machines.
 *  (4) Text is (offset, length) into one string area, no NUL.
 *  (5) Rows stand in an order that can be searched: versions by from_ms, apps, use_cases and recipients by id, the
 * purposes of a version by name (bytes, the shorter first), its endpoints by method, number of segments, most literal
 * segments, file order. licet_image_open sees to it.
 */
#ifndef LICET_IMAGE_H
#define LICET_IMAGE_H

#include "licet/base.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_AGREEMENT
#error "layer breach: image.h belongs to agreement/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LICET_IMAGE_MAGIC "LICETIMG"
#define LICET_IMAGE_FORMAT 2u
#define LICET_NONE UINT32_MAX /* 'no such row' in every index field */

/* Unit kinds of one image. 0 and 1 are fixed, the rest are the units of its catalogues. */
#define LICET_KINDS_MAX 16
#define LICET_KIND_REQUEST 0
#define LICET_KIND_BYTE 1
/* Most limits that may apply to one request; licet check refuses more. */
#define LICET_LIMITS_PER_REQUEST_MAX 16
/* Longest value of a Licet-Use-Case, Licet-Purpose or Licet-Recipient header and of such a name in the files, in bytes.
 */
#define LICET_NAME_MAX 64

typedef struct licet_text {
    uint32_t offset, len;
} licet_text;
typedef struct licet_range { /* rows [first, first+count) of a table */
    uint32_t first, count;
} licet_range;

typedef enum licet_then { LICET_THEN_REFUSE = 0, LICET_THEN_CONTINUE = 1, LICET_THEN_RENEW = 2 } licet_then;
typedef enum licet_mode { LICET_MODE_OBSERVE = 0, LICET_MODE_ENFORCE = 1 } licet_mode;
typedef enum licet_cannot_record {
    LICET_CANNOT_RECORD_REFUSE = 0,
    LICET_CANNOT_RECORD_ALLOW = 1, /* allow N units of one kind, per outage */
    LICET_CANNOT_RECORD_OPEN = 2,
} licet_cannot_record;
typedef enum licet_on_overrun { LICET_OVERRUN_DELIVER = 0, LICET_OVERRUN_CUT = 1 } licet_on_overrun;
typedef enum licet_rule {
    LICET_RULE_RECORD = 0,
    LICET_RULE_REFUSE = 1
} licet_rule; /* unlisted, not_named, not_declared */
typedef enum licet_flow { LICET_FLOW_ACQUIRED = 0, LICET_FLOW_PASSED_ON = 1 } licet_flow;
/* Over what a limit adds up: one counter for all, or one for each. Each but LICENSEE and APP has a further counter for
 * what has none (no use case, a recipient nobody registered), so that nothing escapes a limit by leaving it out. */
typedef enum licet_over {
    LICET_OVER_LICENSEE = 0,
    LICET_OVER_APP = 1,
    LICET_OVER_CREDENTIAL = 2,
    LICET_OVER_PRODUCT = 3,
    LICET_OVER_USE_CASE = 4,
    LICET_OVER_RECIPIENT = 5, /* the entity, with all its people */
    LICET_OVER_COUNTRY = 6,   /* of the recipient */
    LICET_OVER_ENDPOINT = 7,
} licet_over;
/* The window in which units add up. */
typedef enum licet_per {
    LICET_PER_SPAN = 0,  /* span_s seconds, aligned to 1970 UTC */
    LICET_PER_MONTH = 1, /* in the zone; begins on first_day (a billing cycle), or on the last day of a shorter month */
    LICET_PER_DAY = 2,   /* calendar day in the zone */
    LICET_PER_YEAR = 3,  /* calendar year in the zone */
    LICET_PER_ROLLING = 4,    /* the last span_s seconds, in buckets of bucket_s: what lies in a bucket that the span
                                 touches counts, so that the limit holds over every span_s seconds */
    LICET_PER_CONCURRENT = 5, /* no window: what is under way at once */
    LICET_PER_TERM = 6,       /* no window: for as long as the agreement lasts */
} licet_per;
#define LICET_BUCKETS_MAX 64 /* of a rolling window, the one under way included */
typedef enum licet_set_by { LICET_SET_BY_CONTRACT = 0, LICET_SET_BY_US = 1 } licet_set_by;
typedef enum licet_recipient_class {
    LICET_CLASS_PUBLIC = 0,
    LICET_CLASS_PERSON = 1,
    LICET_CLASS_COMPANY = 2,
    LICET_CLASS_ACADEMIC = 3,
    LICET_CLASS_GOVERNMENT = 4,
    LICET_CLASS_FOR_GOVERNMENT = 5, /* whoever acts for one */
    LICET_CLASS_SURVEILLANCE = 6,   /* whose first task is surveillance or intelligence */
    LICET_CLASS_EMBARGOED = 7,
} licet_recipient_class;
#define LICET_CLASSES_LEN 8
/* Headers in which a platform told what is left before RateLimit was standardized, and its clients still look for. */
typedef enum licet_rate_limit_headers {
    LICET_RATE_LIMIT_HEADERS_NONE = 0,
    LICET_RATE_LIMIT_HEADERS_X = 1,      /* x-rate-limit-limit, -remaining, -reset: Unix time in seconds */
    LICET_RATE_LIMIT_HEADERS_REDDIT = 2, /* x-ratelimit-used, -remaining, -reset: seconds from now */
} licet_rate_limit_headers;
typedef enum licet_needs { LICET_NEEDS_NOTICE = 0, LICET_NEEDS_APPROVAL = 1, LICET_NEEDS_NEVER = 2 } licet_needs;
typedef enum licet_page_from {
    LICET_PAGE_NONE = 0,
    LICET_PAGE_NUMBER = 1,
    LICET_PAGE_QUERY = 2,
    LICET_PAGE_ITEMS = 3
} licet_page_from;
typedef enum licet_credential_kind {
    LICET_CREDENTIAL_BEARER = 0,
    LICET_CREDENTIAL_API_KEY = 1,
    LICET_CREDENTIAL_CLIENT_CERTIFICATE = 2,
    LICET_CREDENTIAL_JWT = 3,
    LICET_CREDENTIAL_HTTP_SIGNATURE = 4,
} licet_credential_kind;
#define LICET_CREDENTIAL_KINDS_LEN 5

typedef struct licet_image_clause {
    licet_text key, section, says;
    uint32_t mode; /* licet_mode: OBSERVE: what it refuses is passed and recorded, whatever the version's mode is */
    uint32_t reserved;
} licet_image_clause;

typedef struct licet_image_purpose {
    licet_text name;
    uint32_t forbidden_by; /* row of clauses, or LICET_NONE: allowed */
    uint32_t reserved;
} licet_image_purpose;

/* One unit counted at one endpoint. */
typedef struct licet_image_count {
    uint32_t kind;      /* >= 2 */
    licet_text path;    /* JSONPath of what counts */
    licet_text ids;     /* JSONPath of the ids; len 0: none */
    uint32_t page_from; /* licet_page_from */
    licet_text page_query;
    uint64_t page_default, page_most; /* NUMBER: both the number */
} licet_image_count;

typedef struct licet_image_segment { /* of an endpoint's path; a placeholder matches any one non-empty segment */
    licet_text literal;
    uint32_t placeholder; /* 0 or 1 */
    uint32_t reserved;
} licet_image_segment;

typedef struct licet_image_endpoint {
    licet_text id, method;
    licet_range segments; /* of table segments */
    licet_range counts;   /* of table counts */
} licet_image_endpoint;

typedef struct licet_image_limit {
    uint32_t clause; /* row of clauses; LICET_NONE: the licensee's own, with a name */
    uint32_t kind;
    licet_text name; /* of the licensee's own; len 0: the clause's key */
    uint64_t most;   /* of weighed units per window; <= LICET_MOST_MAX */
    uint64_t weight; /* of one unit: 1, or of a prepaid credit its price in millionths of the currency; <=
                        LICET_WEIGHT_MAX */
    uint32_t per, span_s, bucket_s;
    uint32_t zone;         /* row of zones, or LICET_NONE: UTC */
    uint32_t first_day;    /* 1..31, of MONTH */
    uint32_t over;         /* licet_over */
    uint32_t flow;         /* licet_flow, or LICET_NONE: both */
    uint32_t set_by;       /* licet_set_by; those set by us stand first */
    uint32_t deduplicated; /* 1: duplicates are credited back */
    uint32_t classes;      /* bit 1 << licet_recipient_class; 0: all, and no recipient too */
    licet_range endpoints; /* of table limit_endpoints (u32 endpoint rows); count 0: all */
    licet_range purposes;  /* of table limit_purposes (names); count 0: all, and none too */
    licet_range counters;  /* of table limit_counters; one row for LICENSEE */
    uint32_t base;         /* ENDPOINT: the row of endpoints that counters begins with; else 0 */
    uint32_t payments;     /* 1: a prepaid credit: most is the sum of the payments of the image so far */
    licet_range products;  /* rows of products that it binds; count 0: all, and none too */
    licet_range apps;      /* rows of apps that it binds; count 0: all */
} licet_image_limit;
#define LICET_WEIGHT_MAX (UINT64_C(1) << 40)

/* A counting rule: within a window and over a scope each id of a unit counts once. A unit without a row counts gross.
 */
typedef struct licet_image_dedup {
    uint32_t kind;
    uint32_t per;       /* LICET_PER_DAY or LICET_PER_MONTH */
    uint32_t zone;      /* row of zones, or LICET_NONE: UTC */
    uint32_t first_day; /* 1..31, of MONTH: the billing cycle's */
    uint32_t over;      /* licet_over: LICENSEE, APP or CREDENTIAL */
    uint32_t reserved;
} licet_image_dedup;

/* A zone of the tz database: its offsets from UTC from a time on, in order; the first row holds for all time before. */
typedef struct licet_image_zone {
    licet_text name; /* Europe/Berlin */
    licet_range transitions;
} licet_image_zone;
typedef struct licet_image_transition {
    uint64_t from_ms;
    int32_t offset_s; /* east of UTC */
    uint32_t reserved;
} licet_image_transition;

#define LICET_PAYMENTS_MAX 256u
/* Money paid in advance: part of the prepaid credit from then on. */
typedef struct licet_image_payment {
    uint64_t from_ms;
    uint64_t amount; /* millionths of the currency */
} licet_image_payment;

/* What a version costs. Money is in billionths of the currency's unit (money.h). */
typedef struct licet_image_rate_card {
    uint32_t version;              /* row of versions; one rate card each at most, in their order */
    uint32_t round_how;            /* licet_round */
    uint32_t round_digits;         /* behind the point */
    uint32_t per, zone, first_day; /* period of charging: as in a limit; MONTH, DAY or YEAR */
    licet_text currency;           /* USD */
    uint64_t minimum;              /* least of a period */
    licet_range prices, surcharges, rebates;
    uint32_t prepaid_clause; /* LICET_NONE: not prepaid */
    uint32_t reserved;
} licet_image_rate_card;
typedef struct licet_image_price { /* the first that fits prices a unit */
    licet_text name;
    uint32_t clause; /* or LICET_NONE */
    uint32_t kind;
    uint32_t flow;         /* licet_flow, or LICET_NONE: both */
    uint32_t deduplicated; /* 1: duplicates are not charged */
    uint64_t from_ms, before_ms;
    licet_range tiers;    /* at least one; the last has no end */
    licet_range purposes; /* of table price_purposes; count 0: all, and none too */
} licet_image_price;
typedef struct licet_image_tier {
    uint64_t to; /* units of the period, from its begin; UINT64_MAX: all beyond */
    uint64_t price;
} licet_image_tier;
typedef struct licet_image_surcharge {
    licet_text name;
    uint64_t percent; /* billionths of a percent */
} licet_image_surcharge;
typedef struct licet_image_rebate { /* of all that a period costs, by the highest that it reaches */
    uint64_t from;
    uint64_t percent;
} licet_image_rebate;

/* A rule on government recipients. */
typedef struct licet_image_government {
    uint32_t clause;
    uint32_t needs;   /* licet_needs */
    uint32_t flow;    /* licet_flow, or LICET_NONE: both */
    uint32_t classes; /* bit 1 << licet_recipient_class */
    licet_range grants;
} licet_image_government;
/* From when to when a rule is met for a recipient: a notice whose objection period has passed without one, an approval.
 * Deadlines are reckoned when the image is compiled. Sorted by recipient, use case, from. */
typedef struct licet_image_grant {
    uint32_t recipient; /* row of recipients: an entity */
    uint32_t use_case;  /* row of use_cases, or LICET_NONE: whatever the use case */
    uint64_t from_ms, before_ms;
} licet_image_grant;

typedef struct licet_image_version {
    licet_text id;        /* name of its file without .yaml: 2022-10-10 */
    licet_text catalogue; /* x-api-v2@2022-10-10 */
    uint8_t file_sha256[32], catalogue_sha256[32];
    uint64_t from_ms, before_ms; /* half-open; before_ms UINT64_MAX: open */
    uint32_t then, mode, cannot_record, on_overrun;
    uint64_t allow_units; /* cannot_record: allow */
    uint32_t allow_kind;
    uint32_t unlisted, purpose_not_named, purpose_not_declared; /* licet_rule */
    uint32_t renew_months;                                      /* THEN_RENEW; else 0 */
    licet_range clauses, purposes, endpoints, limits;
    uint32_t recipient_not_declared;   /* licet_rule */
    uint64_t known_from_ms;            /* when the parties knew it; after from_ms: back-dated */
    uint32_t recipient_not_registered; /* licet_rule */
    uint32_t recipient_clause;         /* row of clauses that these two cite, or LICET_NONE */
    uint32_t acceptance_clause;        /* recipients must have accepted the terms; LICET_NONE: they need not */
    uint32_t embargo_clause;           /* what refuses embargoed recipients and countries cites, or LICET_NONE */
    licet_range embargoed;             /* of table embargoed: countries */
    licet_range government;            /* of table government */
    licet_range dedups;                /* of table dedups, one row for a unit at most */
    uint32_t most_credentials;         /* of one app that are valid at one time; 0: any number */
    uint32_t credentials_clause;       /* row of clauses that says so, or LICET_NONE */
    uint32_t rate_limit_headers;       /* licet_rate_limit_headers, of the catalogue */
    uint32_t reserved;                 /* 0 */
    licet_range duties;                /* of table duties */
    licet_text licensor, licensee;     /* legal names: the parties are part of the version */
    uint32_t use_case_not_declared;    /* licet_rule; REFUSE: each request needs an approved use case of its purpose */
    uint32_t use_case_clause;          /* row of clauses that reasons about use cases cite, or LICET_NONE */
    /* no row has bytes that no field sets, or two equal images could differ */
} licet_image_version;

/* A report that a party owes, and when: numbers of licet_covers, licet_due and licet_duty_of (agreement.h). */
typedef struct licet_image_duty {
    licet_text name;
    licet_text said;    /* when, in the words of the file */
    uint32_t clause;    /* row of clauses, or LICET_NONE */
    uint32_t covers;    /* licet_covers */
    uint32_t due_kind;  /* licet_due_kind */
    uint32_t due_count; /* 1..10000 */
    uint32_t due_unit;  /* licet_length_unit */
    uint32_t by;        /* licet_duty_of */
} licet_image_duty;
#define LICET_DUE_COUNT_MAX 10000u
#define LICET_RENEW_MONTHS_MAX 1200u

/* of says, a number that changes with owner, contact and description, which are persons' and not in an image: the first
 * eight bytes of a hash; 0: nothing is said. */
typedef struct licet_image_app {
    licet_text id, environment;
    uint32_t default_use_case;   /* row of use_cases or LICET_NONE */
    licet_range products;        /* of table app_products */
    uint32_t outbound;           /* row of outbounds, or LICET_NONE: what the caller shows goes up */
    uint64_t from_ms, before_ms; /* outside of it none of its credentials is valid */
    uint64_t says;
    uint32_t recipient; /* row of recipients that its requests are for by default, or LICET_NONE */
    uint32_t reserved;
} licet_image_app;

typedef struct licet_image_product { /* one that apps.yaml registers; by product */
    uint32_t product;                /* row of products */
    uint32_t reserved;
    uint64_t from_ms, before_ms; /* no app feeds it outside of it */
    uint64_t says;
} licet_image_product;

typedef enum licet_environment {
    LICET_ENVIRONMENT_PROD = 0,
    LICET_ENVIRONMENT_STAGING = 1,
    LICET_ENVIRONMENT_DEV = 2,
} licet_environment;

/* The platform's token, which goes up in place of what the caller showed. It is read from a file when it is used and is
 * never part of an image. */
typedef struct licet_image_outbound {
    licet_text id, header;
    licet_text scheme; /* before the token, with a space; len 0: none */
    licet_text file;   /* relative to the site, or absolute */
} licet_image_outbound;

typedef struct licet_image_app_product { /* an app feeds a product from a time to a time */
    uint32_t product;                    /* row of products */
    uint32_t reserved;
    uint64_t from_ms, before_ms;
} licet_image_app_product;

typedef struct licet_image_credential {
    licet_text id;
    uint32_t app, kind;
    uint8_t hmac[32]; /* HMAC-SHA-256 of what is shown, under the site's credential key */
    uint8_t key[32];  /* HTTP_SIGNATURE: the Ed25519 public key; else 0 */
    uint64_t from_ms, before_ms;
    uint32_t recipient;   /* row of recipients: where content is passed on who shows it is that one or one of its own,
                             else its requests are for it by default; or LICET_NONE */
    uint32_t environment; /* licet_environment */
} licet_image_credential;

/* Who gets the content in the end. */
typedef struct licet_image_recipient {
    licet_text id;
    licet_text country;   /* two letters, its own or of what it is part of; len 0: not known */
    uint32_t entity;      /* row of the entity it belongs to in the end, itself if it is one */
    uint32_t kind;        /* licet_recipient_class */
    uint32_t country_row; /* of countries, or LICET_NONE */
    uint32_t part_of;     /* row of what it is part of, itself if it is an entity; the chain ends with it */
    uint64_t from_ms, before_ms;
    uint64_t accepted_ms; /* when it, or what it is part of, accepted the terms; UINT64_MAX: it did not */
} licet_image_recipient;

typedef struct licet_image_span { /* half-open */
    uint64_t from_ms, before_ms;
} licet_image_span;

typedef enum licet_use_case_state {
    LICET_USE_CASE_DRAFT = 0,
    LICET_USE_CASE_SUBMITTED = 1,
    LICET_USE_CASE_APPROVED = 2,
    LICET_USE_CASE_CHANGED = 3, /* needs a new approval */
    LICET_USE_CASE_WITHDRAWN = 4,
    LICET_USE_CASE_REJECTED = 5,
} licet_use_case_state;
#define LICET_USE_CASE_STATES_LEN 6

typedef struct licet_image_step { /* in the life of a use case */
    uint64_t at_ms;
    uint64_t says; /* as of an app: who, in which role, and why */
    uint32_t state;
    uint32_t has_document;
    uint8_t document[32]; /* SHA-256 of what was approved; 0: none is named */
} licet_image_step;

typedef struct licet_image_use_case {
    licet_text id, purpose, recipient;
    uint32_t product; /* row of products */
    uint32_t reserved;
    licet_range approved; /* of table spans, in order: when it was approved */
    licet_range life;     /* of table steps, in order of time */
    uint64_t says;        /* as of an app: its description */
} licet_image_use_case;

typedef struct licet_image_header {
    char magic[8];
    uint32_t format, flow; /* licet_flow of the site */
    uint64_t size;         /* of the whole blob in bytes */
    uint64_t number;       /* greater for each image of the site */
    uint8_t sha256[32];    /* of everything behind this struct */
    uint32_t cell;      /* the agreement's row in shared memory and its ledger number, from 1 (0 is 'unidentified') */
    uint32_t kinds_len; /* 2..LICET_KINDS_MAX */
    licet_text kinds[LICET_KINDS_MAX];
    licet_text agreement, licensor, licensee;
    /* table offsets in bytes from the start of the blob, and row counts */
#define LICET_IMAGE_TABLES(X)                                                                                          \
    X(versions, licet_image_version)                                                                                   \
    X(clauses, licet_image_clause)                                                                                     \
    X(purposes, licet_image_purpose)                                                                                   \
    X(endpoints, licet_image_endpoint)                                                                                 \
    X(segments, licet_image_segment)                                                                                   \
    X(counts, licet_image_count)                                                                                       \
    X(limits, licet_image_limit)                                                                                       \
    X(limit_endpoints, uint32_t)                                                                                       \
    X(limit_purposes, licet_text)                                                                                      \
    X(limit_counters, uint32_t)                                                                                        \
    X(dedups, licet_image_dedup)                                                                                       \
    X(zones, licet_image_zone)                                                                                         \
    X(transitions, licet_image_transition)                                                                             \
    X(rate_cards, licet_image_rate_card)                                                                               \
    X(prices, licet_image_price)                                                                                       \
    X(price_purposes, licet_text)                                                                                      \
    X(tiers, licet_image_tier)                                                                                         \
    X(surcharges, licet_image_surcharge)                                                                               \
    X(rebates, licet_image_rebate)                                                                                     \
    X(payments, licet_image_payment)                                                                                   \
    X(embargoed, licet_text)                                                                                           \
    X(government, licet_image_government)                                                                              \
    X(grants, licet_image_grant)                                                                                       \
    X(duties, licet_image_duty)                                                                                        \
    X(recipients, licet_image_recipient)                                                                               \
    X(countries, licet_text)                                                                                           \
    X(spans, licet_image_span)                                                                                         \
    X(apps, licet_image_app)                                                                                           \
    X(app_products, licet_image_app_product)                                                                           \
    X(outbounds, licet_image_outbound)                                                                                 \
    X(products, licet_text)                                                                                            \
    X(product_terms, licet_image_product)                                                                              \
    X(steps, licet_image_step)                                                                                         \
    X(credentials, licet_image_credential)                                                                             \
    X(use_cases, licet_image_use_case)                                                                                 \
    X(strings, uint8_t)
#define LICET_IMAGE_TABLE_FIELD(name, type) uint32_t name##_at, name##_len;
    LICET_IMAGE_TABLES(LICET_IMAGE_TABLE_FIELD)
} licet_image_header;

/* An opened image: pointers into the blob. Valid as long as the blob is mapped. */
typedef struct licet_image {
    const licet_image_header *header;
#define LICET_IMAGE_TABLE_POINTER(name, type) const type *name;
    LICET_IMAGE_TABLES(LICET_IMAGE_TABLE_POINTER)
} licet_image;

/* Checks the whole blob (8-byte aligned) and points *out_image into it. Errors: CORRUPT. */
bool licet_image_open(licet_bytes blob, licet_image *out_image, licet_error *err);
/* Text of the image as bytes. */
licet_bytes licet_image_text(const licet_image *image, licet_text text);
/* Row of versions in force at time_ms, or LICET_NONE. The latest version whose from_ms <= time_ms wins;
 * it holds until its before_ms, or on when it says continue or renew and no later version began. */
uint32_t licet_image_version_at(const licet_image *image, uint64_t time_ms);
/* The term of a version that a time in it falls in: the first, until before_ms, or of a renewed one its renewal; a term
 * without an end ends at UINT64_MAX. */
void licet_image_term_at(const licet_image_version *version, uint64_t time_ms, uint64_t *out_from_ms,
                         uint64_t *out_before_ms);
/* Row of the endpoint that answers method and path (no query), or LICET_NONE. Most literal segments win, then file
 * order. */
uint32_t licet_image_endpoint_of(const licet_image *image, const licet_image_version *version, licet_bytes method,
                                 licet_bytes path);
#define LICET_PART_OF_MAX 8u /* steps from a recipient to its entity */
/* Classes of a recipient and of what it is part of, as bits 1 << licet_recipient_class. */
uint32_t licet_image_classes(const licet_image *image, uint32_t recipient);
/* Row of the recipient with this name, or LICET_NONE. */
uint32_t licet_image_recipient_named(const licet_image *image, licet_bytes name);
/* Whether a recipient is another or a part of it. */
bool licet_image_recipient_within(const licet_image *image, uint32_t recipient, uint32_t whole);
/* The first of the recipient and what it is part of that lies in an embargoed country, or LICET_NONE. */
uint32_t licet_image_embargoed(const licet_image *image, const licet_image_version *version, uint32_t recipient);
/* Whether a rule on governments asks something of a flow and a recipient. */
bool licet_image_government_binds(const licet_image *image, const licet_image_government *rule, licet_flow flow,
                                  uint32_t recipient);
/* The grant by which a recipient and a use case (row, or LICET_NONE) meet a rule at a time, or LICET_NONE. */
uint32_t licet_image_grant_of(const licet_image *image, const licet_image_government *rule, uint32_t recipient,
                              uint32_t use_case, uint64_t time_ms);
/* When a use case was first approved, UINT64_MAX: never; and whether it is at a time. */
uint64_t licet_image_approved_from_ms(const licet_image *image, const licet_image_use_case *use_case);
bool licet_image_approved_at(const licet_image *image, const licet_image_use_case *use_case, uint64_t time_ms);

/* What a request belongs to, as rows of an image; LICET_NONE: to none. */
typedef struct licet_scope {
    uint32_t app, credential, product, use_case, recipient, endpoint;
} licet_scope;
/* Of a response: the product is that of the use case. */
licet_scope licet_image_scope(const licet_image *image, uint32_t app, uint32_t credential, uint32_t use_case,
                              uint32_t recipient, uint32_t endpoint);
/* Place of a scope among the counters of a limit, < limit->counters.count. */
uint32_t licet_image_counter_place(const licet_image *image, const licet_image_limit *limit, const licet_scope *scope);
/* The counter of a limit for a scope. Of a ROLLING limit the first of a row of counters, one for each of its buckets.
 */
uint32_t licet_image_counter(const licet_image *image, const licet_image_limit *limit, const licet_scope *scope);
/* The counter at a place, < limit->counters.count. */
uint32_t licet_image_counter_at(const licet_image *image, const licet_image_limit *limit, uint32_t place);
/* Rows of shared memory that one counter of a limit takes: 1, of a ROLLING one one for each bucket. */
uint32_t licet_image_counter_rows(const licet_image_limit *limit);
/* Which of these rows the units of a window (licet_window_of) stand in. */
uint32_t licet_image_counter_row(const licet_image_limit *limit, uint32_t counter, uint32_t window);
/* Whether a limit binds what belongs to a scope, in a flow and for a purpose (len 0: none): all but its unit. */
bool licet_image_limit_covers(const licet_image *image, const licet_image_limit *limit, licet_flow flow,
                              licet_bytes purpose, const licet_scope *scope);
/* Buckets of a ROLLING limit, the one under way included; 0 of any other. */
uint32_t licet_image_buckets(const licet_image_limit *limit);
/* What a limit allows at a time: most, or of a prepaid credit the payments made so far. */
uint64_t licet_image_most(const licet_image *image, const licet_image_limit *limit, uint64_t time_ms);
/* Key of the limit's clause, or the name of the licensee's own limit. */
licet_bytes licet_image_limit_name(const licet_image *image, const licet_image_limit *limit);
#define LICET_PER_TEXT 32
/* As the files write it: month, day, 15m, rolling 30d, concurrent. */
void licet_limit_per(const licet_image_limit *limit, char out[LICET_PER_TEXT]);
const char *licet_over_name(uint32_t over);  /* licensee, app, use case */
const char *licet_class_name(uint32_t kind); /* of a licet_recipient_class: acting-for-government */
/* What the counter at a place is of: an app's id, a product; empty: of what has none, or of the licensee. */
licet_bytes licet_limit_place_name(const licet_image *image, const licet_image_limit *limit, uint32_t place);

/*
 * Window of a limit that a time falls in, as a number that rises with time (of ROLLING: the number of the bucket; of
 * CONCURRENT and TERM: 0), and when it begins and ends. The window of a ROLLING limit begins buckets - 1 before its
 * bucket and ends with it: room may return then. CONCURRENT and TERM begin at 0 and end at UINT64_MAX.
 */
uint32_t licet_window_of(const licet_image *image, const licet_image_limit *limit, uint64_t time_ms);
uint64_t licet_window_begin_ms(const licet_image *image, const licet_image_limit *limit, uint32_t window);
uint64_t licet_window_end_ms(const licet_image *image, const licet_image_limit *limit, uint32_t window);
/* The counting rule of a kind in a version, or NULL: gross; and the window of a rule that a time falls in. */
const licet_image_dedup *licet_image_dedup_of(const licet_image *image, const licet_image_version *version,
                                              uint32_t kind);
void licet_image_dedup_window(const licet_image *image, const licet_image_dedup *dedup, uint64_t time_ms,
                              uint64_t *out_from_ms, uint64_t *out_before_ms);
/* Seconds east of UTC in a zone (row, or LICET_NONE: UTC) at a time. */
int32_t licet_zone_offset(const licet_image *image, uint32_t zone, uint64_t time_ms);

/* ---- index: who shows which credential, over all agreements ------------- */

#define LICET_INDEX_MAGIC "LICETIDX"

typedef struct licet_index_credential { /* sorted by hmac */
    uint8_t hmac[32];
    uint32_t cell, credential; /* agreement cell; row of its image */
} licet_index_credential;

typedef struct licet_index_app { /* sorted by name bytes */
    licet_text name;             /* 'app' where unique in the site, and always 'agreement/app' */
    uint32_t cell, app;
} licet_index_app;

typedef struct licet_index_image { /* sorted by cell */
    uint64_t number;               /* its file is image-<number> beside the index */
    uint32_t cell, reserved;
} licet_index_image;

typedef struct licet_index_header {
    char magic[8];
    uint32_t format, reserved;
    uint64_t size, generation;
    uint8_t sha256[32]; /* of everything behind this struct */
    uint32_t credentials_at, credentials_len, apps_at, apps_len, images_at, images_len, strings_at, strings_len;
} licet_index_header;

typedef struct licet_index {
    const licet_index_header *header;
    const licet_index_credential *credentials;
    const licet_index_app *apps;
    const licet_index_image *images;
    const uint8_t *strings;
} licet_index;

bool licet_index_open(licet_bytes blob, licet_index *out_index, licet_error *err);
/* Finds by HMAC in constant time for the last comparison; NULL when unknown. */
const licet_index_credential *licet_index_by_hmac(const licet_index *index, const uint8_t hmac[32]);
const licet_index_app *licet_index_by_app(const licet_index *index, licet_bytes name);

#ifdef __cplusplus
}
#endif

#endif
