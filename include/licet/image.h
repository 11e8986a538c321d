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
 *  (5) Rows stand in an order that can be searched: versions by from_ms, apps and use_cases by id, the purposes of a
 *      version by name (bytes, the shorter first), its endpoints by method, number of segments, most literal segments,
 *      file order. licet_image_open sees to it.
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
#define LICET_IMAGE_FORMAT 1u
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

typedef enum licet_then { LICET_THEN_REFUSE = 0, LICET_THEN_CONTINUE = 1 } licet_then;
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
typedef enum licet_over { LICET_OVER_LICENSEE = 0, LICET_OVER_APP = 1 } licet_over;
typedef enum licet_per {
    LICET_PER_SPAN = 0,
    LICET_PER_MONTH = 1
} licet_per; /* span: span_s seconds, aligned to 1970 UTC; month: calendar, UTC */
typedef enum licet_page_from {
    LICET_PAGE_NONE = 0,
    LICET_PAGE_NUMBER = 1,
    LICET_PAGE_QUERY = 2,
    LICET_PAGE_ITEMS = 3
} licet_page_from;
typedef enum licet_credential_kind { LICET_CREDENTIAL_BEARER = 0, LICET_CREDENTIAL_API_KEY = 1 } licet_credential_kind;

typedef struct licet_image_clause {
    licet_text key, section, says;
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
    uint32_t clause; /* row of clauses */
    uint32_t kind;
    uint64_t most; /* units per window; < 2^40 */
    uint32_t per, span_s;
    uint32_t over;
    licet_range endpoints; /* of table limit_endpoints (u32 endpoint rows); count 0: all */
    uint32_t counters;     /* LICENSEE: the counter; APP: first row of table limit_counters, one per app row */
} licet_image_limit;

typedef struct licet_image_version {
    licet_text id;        /* name of its file without .yaml: 2022-10-10 */
    licet_text catalogue; /* x-api-v2@2022-10-10 */
    uint8_t file_sha256[32], catalogue_sha256[32];
    uint64_t from_ms, before_ms; /* half-open; before_ms UINT64_MAX: open */
    uint32_t then, mode, cannot_record, on_overrun;
    uint64_t allow_units; /* cannot_record: allow */
    uint32_t allow_kind;
    uint32_t unlisted, purpose_not_named, purpose_not_declared; /* licet_rule */
    uint32_t endpoints_matter;                                  /* reserved, 0 */
    licet_range clauses, purposes, endpoints, limits;
    uint32_t reserved; /* 0; no row has bytes that no field sets, or two equal images could differ */
} licet_image_version;

typedef struct licet_image_app {
    licet_text id, environment;
    uint32_t default_use_case; /* row of use_cases or LICET_NONE */
    licet_range products;      /* of table app_products (u32 product rows) */
    uint32_t reserved;
} licet_image_app;

typedef struct licet_image_credential {
    licet_text id;
    uint32_t app, kind;
    uint8_t hmac[32]; /* HMAC-SHA-256 of the secret under the site's credential key */
    uint64_t from_ms, before_ms;
} licet_image_credential;

typedef struct licet_image_use_case {
    licet_text id, purpose, recipient;
    uint32_t product; /* row of products */
    uint32_t reserved;
    uint64_t approved_from_ms; /* UINT64_MAX: not approved */
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
    X(limit_counters, uint32_t)                                                                                        \
    X(apps, licet_image_app)                                                                                           \
    X(app_products, uint32_t)                                                                                          \
    X(products, licet_text)                                                                                            \
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
 * it holds until its before_ms, or on when it says continue and no later version began. */
uint32_t licet_image_version_at(const licet_image *image, uint64_t time_ms);
/* Row of the endpoint that answers method and path (no query), or LICET_NONE. Most literal segments win, then file
 * order. */
uint32_t licet_image_endpoint_of(const licet_image *image, const licet_image_version *version, licet_bytes method,
                                 licet_bytes path);
/* The counter of a limit for an app row, or LICET_NONE. */
uint32_t licet_image_counter(const licet_image *image, const licet_image_limit *limit, uint32_t app);
/* Identity of the window that time_ms falls in: floor(seconds / span_s), or months since 1970-01; and its end. */
uint32_t licet_window_of(uint32_t per, uint32_t span_s, uint64_t time_ms);
uint64_t licet_window_end_ms(uint32_t per, uint32_t span_s, uint32_t window);

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
