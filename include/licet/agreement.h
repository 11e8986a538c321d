/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agreement: the files of a site, read against a schema, judged as a whole,
 * and compiled to images.
 *
 *  (1) Every mistake of every file is reported in one run, with file, line
 *      and column; nothing is compiled while one is left.
 *  (2) A field this version does not know is a mistake; a field that a later
 *      version brings is refused by name. Nothing is ignored.
 *  (3) Every scalar has the type its schema says (country NO is Norway).
 */
#ifndef LICET_AGREEMENT_H
#define LICET_AGREEMENT_H

#include "licet/base.h"
#include "licet/image.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_AGREEMENT
#error "layer breach: agreement.h belongs to agreement/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* One mistake in one file. */
typedef struct licet_mistake {
    char *file;            /* relative to the site */
    unsigned line, column; /* from 1; 0: the file as a whole */
    char *text;
} licet_mistake;

typedef struct licet_mistakes {
    licet_mistake *list; /* owned; in order of file, line, column */
    size_t len, capacity;
} licet_mistakes;

void licet_mistakes_done(licet_mistakes *mistakes);
/* False when memory ran out. */
bool licet_mistakes_add(licet_mistakes *mistakes, const char *file, unsigned line, unsigned column, const char *text);
/* Orders by file, line, column, text; equal ones become one. */
void licet_mistakes_sort(licet_mistakes *mistakes);

/* A site read and checked; opaque, one arena, immutable. */
typedef struct licet_site licet_site;

/* Where the requests of one agreement go. */
typedef struct licet_site_upstream {
    const char *agreement, *url;
} licet_site_upstream;

/* licet.yaml */
typedef struct licet_site_config {
    const char *dir;   /* as given */
    const char *party; /* licensor or licensee */
    uint16_t gate;     /* 1..65535 */
    licet_flow flow;
    const char *upstream;                 /* http://… or https://…, no path */
    const licet_site_upstream *upstreams; /* of agreements that have one of their own */
    size_t upstreams_len;
    const char *listen;        /* 127.0.0.1:8640 */
    const char *metrics;       /* where licet up serves /metrics, on loopback; NULL: nowhere */
    const char *key;           /* path of the checkpoint key, relative to the site */
    const char *shared_memory; /* absolute path */
    const char *identity;      /* nginx variable such as $http_x_consumer_id, or NULL: credentials */
    const char *group;         /* group that workers belong to, or NULL: this process's */
    uint32_t workers;          /* worker areas in shared memory, 1..256 */
    uint32_t slots;            /* slots per worker, 16..65536, a power of two */
    const char *site;          /* id of the site, in key names */
} licet_site_config;

/*
 * Reads dir: licet.yaml, catalogue/, agreements/. True with *out_site when the files could be read and hold no
 * mistake; false with *mistakes filled when they hold any (err: INVALID), or with err alone when dir cannot be read.
 */
bool licet_site_load(const char *dir, licet_mistakes *mistakes, licet_site **out_site, licet_error *err);
void licet_site_free(licet_site *site);
const licet_site_config *licet_site_config_view(const licet_site *site);
size_t licet_site_agreements(const licet_site *site);
/* Id of the i-th agreement (order of their names). */
const char *licet_site_agreement_id(const licet_site *site, size_t i);
/* Index by id, or SIZE_MAX. */
size_t licet_site_find(const licet_site *site, const char *agreement);

/* What is well formed and must still be known, such as documents that contradict each other: in order of file, line and
 * column, as long as the site. */
const licet_mistakes *licet_site_notes(const licet_site *site);

/* A file that makes up agreement i: its versions, its catalogues, apps.yaml; for recording what was applied. */
typedef struct licet_source {
    const char *path; /* relative to the site */
    licet_bytes text;
    licet_hash sha256;
} licet_source;
size_t licet_site_sources(const licet_site *site, size_t i);
licet_source licet_site_source(const licet_site *site, size_t i, size_t j);

/* Who took the step in a use case's life of agreement i that begins at a time, 'by, role', into out. False: no such
 * step is named. */
bool licet_site_step_who(const licet_site *site, size_t i, licet_bytes use_case, uint64_t at_ms, licet_buffer *out);

/* Gives the number of the counter with this identity text, the same for ever, the first of so many rows in a row; the
 * caller keeps the table. */
typedef bool (*licet_counter_of)(void *user, const char *identity, uint32_t rows, uint32_t *out_counter,
                                 licet_error *err);

/* What a version of agreement i says would become of a request; decide/ tries it. Texts live as long as the site. */
typedef struct licet_example {
    const char *file;
    licet_bytes version;
    unsigned line, column, number; /* its place, and its number in the version from 1 */
    licet_bytes app, request, use_case, purpose, recipient, clause; /* len 0: not said */
    uint32_t flow;                                                  /* licet_flow, or LICET_NONE: not said */
    uint32_t expect;                                                /* licet_verdict_kind: ALLOW, REFUSE or OBSERVE */
    uint64_t at_ms;
} licet_example;
size_t licet_site_examples(const licet_site *site, size_t i);
licet_example licet_site_example(const licet_site *site, size_t i, size_t j);

typedef struct licet_compile_options {
    uint32_t cell;   /* the agreement's cell, >= 1 */
    uint64_t number; /* of the image */
    licet_counter_of counter_of;
    void *user;
    const licet_image *before; /* in force until now: its kinds keep their numbers. NULL: there is none */
} licet_compile_options;

/* Compiles agreement i into out (initialized, empty). */
bool licet_site_compile(const licet_site *site, size_t i, const licet_compile_options *options, licet_buffer *out,
                        licet_error *err);

#define LICET_SITE_FILE_MAX ((size_t)4 << 20) /* bytes of one file of a site */

/*
 * Compiles the text of one catalogue, without an agreement, into out (initialized, empty): an image of one version, in
 * which the kinds, the endpoints, their counts and 'unlisted' are the catalogue's and nothing else means anything.
 * file names the text in mistakes. False with *mistakes filled when it holds any (err: INVALID), or with err alone.
 */
bool licet_catalogue_compile(const char *file, licet_bytes text, licet_mistakes *mistakes, licet_buffer *out,
                             licet_error *err);

#define LICET_OUTBOUND_TOKEN_MAX 4096

typedef struct licet_outbound_token {
    size_t len;
    uint8_t text[LICET_OUTBOUND_TOKEN_MAX]; /* visible characters; wipe it when done */
} licet_outbound_token;

/* Reads the token that goes up in place of the caller's credential. The file must be there and a secret (mode 0600 or
 * 0640). No error quotes what is in it. */
bool licet_outbound_read(const char *path, licet_outbound_token *out_token, licet_error *err);

/* Builds an index over opened images into out. images and their count; generation as given. */
bool licet_index_build(const licet_image *images, size_t n, uint64_t generation, licet_buffer *out, licet_error *err);

/* number, name, text: what a difference is about, and what was done. Numbers stand in ledgers: they stay. */
#define LICET_SUBJECTS(X)                                                                                              \
    X(1, AGREEMENT, "agreement")                                                                                       \
    X(2, VERSION, "version")                                                                                           \
    X(3, CLAUSE, "clause")                                                                                             \
    X(4, PURPOSE, "purpose")                                                                                           \
    X(5, LIMIT, "limit")                                                                                               \
    X(6, ENDPOINT, "endpoint")                                                                                         \
    X(7, GOVERNMENT, "rule on government")                                                                             \
    X(8, GRANT, "grant")                                                                                               \
    X(9, RECIPIENT, "recipient")                                                                                       \
    X(10, PRODUCT, "product")                                                                                          \
    X(11, APP, "app")                                                                                                  \
    X(12, USE_CASE, "use case")                                                                                        \
    X(13, CREDENTIAL, "credential")                                                                                    \
    X(14, PAYMENT, "payment")                                                                                          \
    X(15, ZONE, "zone")                                                                                                \
    X(16, EMBARGO, "embargo")
typedef enum licet_subject {
#define LICET_SUBJECT_ENUM(number, name, text) LICET_SUBJECT_##name = number,
    LICET_SUBJECTS(LICET_SUBJECT_ENUM)
#undef LICET_SUBJECT_ENUM
        LICET_SUBJECTS_END
} licet_subject;

#define LICET_ACTIONS(X)                                                                                               \
    X(1, ADDED, "added")                                                                                               \
    X(2, CHANGED, "changed")                                                                                           \
    X(3, REMOVED, "removed")                                                                                           \
    X(4, ENDED, "ended")                                                                                               \
    X(5, DRAFTED, "drafted")                                                                                           \
    X(6, SUBMITTED, "submitted")                                                                                       \
    X(7, APPROVED, "approved")                                                                                         \
    X(8, REOPENED, "reopened") /* changed: to be approved anew */                                                      \
    X(9, WITHDRAWN, "withdrawn")                                                                                       \
    X(10, REJECTED, "rejected")
typedef enum licet_action {
#define LICET_ACTION_ENUM(number, name, text) LICET_ACTION_##name = number,
    LICET_ACTIONS(LICET_ACTION_ENUM)
#undef LICET_ACTION_ENUM
        LICET_ACTIONS_END
} licet_action;
const char *licet_subject_name(uint32_t subject);
const char *licet_action_name(uint32_t action);

/* One line of a difference. */
typedef struct licet_difference_line {
    size_t at, len;           /* in the words, without its end */
    uint32_t subject, action; /* licet_subject, licet_action */
    char id[LICET_NAME_MAX];
    size_t id_len;
    uint64_t from_ms;    /* when it takes effect; 0: with its applying */
    uint64_t step_ms;    /* of the step in a use case's life that it is about */
    licet_hash document; /* that the step names; 0: none */
    bool has_step;
} licet_difference_line;
typedef struct licet_difference_lines {
    licet_difference_line *list; /* owned */
    size_t len, capacity;
} licet_difference_lines;
void licet_difference_lines_done(licet_difference_lines *lines);

/* What differs between two images of one agreement, in words, one line per change, each ending in LF:
 * '+ use case UC-3 (product Pages, purpose display) approved from 2026-12-01'. old may be NULL: everything is new.
 * lines (zeroed, or NULL) tells of each what it is about. */
bool licet_image_difference(const licet_image *old_image, const licet_image *new_image, licet_buffer *out,
                            licet_difference_lines *lines, licet_error *err);

/* ---- in plain words ------------------------------------------------------- */

/* One sentence of an agreement, for people. Borrowed for the call. */
typedef struct licet_sentence {
    const char *part;            /* heading: Limits */
    licet_bytes clause, section; /* key and section of the clause that says so; len 0: none */
    licet_bytes text;
} licet_sentence;
typedef bool (*licet_sentence_taker)(void *user, const licet_sentence *sentence);

/* Tells version (row) of agreement i, of which image is the compiled form, in the order in which it is read. False when
 * the taker said so. */
bool licet_site_sentences(const licet_site *site, size_t agreement, const licet_image *image, uint32_t version,
                          licet_sentence_taker take, void *user);

/* ---- deadlines ------------------------------------------------------------ */

typedef enum licet_length_unit {
    LICET_LENGTH_HOURS = 0,
    LICET_LENGTH_DAYS = 1,
    LICET_LENGTH_BUSINESS_DAYS = 2,
    LICET_LENGTH_WEEKS = 3,
    LICET_LENGTH_MONTHS = 4,
    LICET_LENGTH_YEARS = 5,
} licet_length_unit;
typedef enum licet_covers {
    LICET_COVERS_WEEK = 0, /* begins on Monday */
    LICET_COVERS_MONTH = 1,
    LICET_COVERS_QUARTER = 2,
    LICET_COVERS_YEAR = 3
} licet_covers;
typedef enum licet_due_kind {
    LICET_DUE_DAY = 0,          /* the count-th day of the month after the period */
    LICET_DUE_BUSINESS_DAY = 1, /* its count-th business day */
    LICET_DUE_AFTER = 2,        /* count of unit after the period */
} licet_due_kind;
typedef struct licet_due {
    uint32_t kind, count, unit;
} licet_due;
typedef enum licet_duty_of {
    LICET_DUTY_OF_LICENSEE = 0,
    LICET_DUTY_OF_LICENSOR = 1,
    LICET_DUTY_OF_EITHER = 2
} licet_duty_of;

/* The days that deadlines are reckoned in. A business day is Monday to Friday and no holiday. */
typedef struct licet_deadline_days {
    const licet_image *image;                        /* of the zone; NULL: UTC */
    uint32_t zone;                                   /* row of zones, or LICET_NONE: UTC */
    bool (*holiday)(const void *user, uint64_t day); /* days since 1970-01-01; NULL: there is none */
    const void *user;
} licet_deadline_days;

/* The end of the last day on which what takes so long from a time is still in time: the day of the time itself does not
 * count, the last day counts to its midnight in the zone. Hours are exact. UINT64_MAX: beyond year 9999. */
uint64_t licet_deadline(const licet_deadline_days *days, uint64_t from_ms, uint32_t count, licet_length_unit unit);
/* Begin of the n-th period that begins after (n > 0) or the one that holds (n = 0) a time. */
uint64_t licet_covers_begin(const licet_deadline_days *days, licet_covers covers, uint64_t time_ms, uint32_t n);
/* The end of the day on which a report on the period that holds a time is due. */
uint64_t licet_due_of(const licet_deadline_days *days, licet_covers covers, const licet_due *due, uint64_t time_ms);

/* ---- JSONPath, the part of RFC 9535 that catalogues use ------------------ */

#define LICET_PATH_STEPS_MAX 8
#define LICET_PATH_NAME_MAX 64

/* One parsed path: names from the root down. '$' alone has none. */
typedef struct licet_path {
    uint8_t steps;
    uint8_t name_len[LICET_PATH_STEPS_MAX];
    char name[LICET_PATH_STEPS_MAX][LICET_PATH_NAME_MAX];
} licet_path;

/* $, .name, ['name'] and ["name"]. Whatever else RFC 9535 has is refused by name (UNSUPPORTED), whatever it has not is
 * INVALID; offset is the byte at fault. */
bool licet_path_parse(licet_bytes text, licet_path *out_path, licet_error *err);

#ifdef __cplusplus
}
#endif

#endif
