/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meter: counts units and collects ids in a body while it passes.
 *
 *  (1) The body may be cut at any byte; the result does not depend on where.
 *  (2) State is one struct of fixed size, no recursion, nothing grows with
 *      the body. A scan can be copied by assignment: that is a snapshot.
 *  (3) A count is never guessed: malformed input, a member that occurs twice
 *      on a counted path, or ids that differ from the count make the body
 *      unmetered with a reason, and what was complete before is still told.
 *  (4) scan_ref.c parses the whole body first and must agree.
 *
 * What a path counts: the elements of an array, 1 for an object, 0 for anything else or nothing. A name step on an
 * array applies to each of its elements (of any depth of directly nested arrays). An id is a string or a number; where
 * an ids path leads to an array, each of its elements that is one. docs/format/paths.md has all of it.
 */
#ifndef LICET_METER_H
#define LICET_METER_H

#include "licet/agreement.h"
#include "licet/base.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_METER
#error "layer breach: meter.h belongs to meter/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LICET_SCAN_UNITS_MAX 8    /* units counted in one body */
#define LICET_SCAN_NODES_MAX 32   /* distinct name steps over all paths of one plan */
#define LICET_SCAN_DEPTH_MAX 1000 /* containers open at once */
#define LICET_SCAN_ID_MAX 64      /* bytes of one id; a longer one makes the body unmetered */
#define LICET_SCAN_BYTES_MAX 512  /* bound of sizeof(licet_scan) */

/* The paths of one endpoint, ready for the scan; immutable, may be shared by any number of scans. Plain value. */
typedef struct licet_plan_unit {
    const char *unit; /* borrowed name, for messages; may be NULL */
    licet_path count;
    licet_path ids;
    bool has_ids;
} licet_plan_unit;

typedef struct licet_plan licet_plan;
/* UNSUPPORTED/LIMIT when the paths need more than the maxima above. The plan is the caller's; free with
 * licet_plan_free. */
bool licet_plan_new(const licet_plan_unit *units, size_t n, licet_plan **out_plan, licet_error *err);
void licet_plan_free(licet_plan *plan);

typedef enum licet_body_form {
    LICET_BODY_JSON = 0,   /* one document */
    LICET_BODY_NDJSON = 1, /* documents one after the other, white space between (RFC 8259 texts; a line each) */
    LICET_BODY_AUTO = 2,   /* one document, or several with a line end between them */
} licet_body_form;

/* number, name, slug: why a body, or part of it, could not be metered. Kept in receipts as unit kind
 * 'unmetered:<slug>'. */
#define LICET_UNMETERED(X)                                                                                             \
    X(0, NONE, "none")                                                                                                 \
    X(1, MALFORMED, "malformed")         /* not JSON as RFC 8259 has it */                                             \
    X(2, INCOMPLETE, "incomplete")       /* the body ended inside a document */                                        \
    X(3, DUPLICATE_KEY, "duplicate-key") /* a member occurs twice on a counted path */                                 \
    X(4, IDS_DIFFER, "ids-differ")       /* count and ids of a unit disagree */                                        \
    X(5, ID_TOO_LONG, "id-too-long")                                                                                   \
    X(6, TOO_DEEP, "too-deep")                                                                                         \
    X(7, ENCODING, "encoding")          /* a Content-Encoding that is not counted, or several */                       \
    X(8, MEDIA_TYPE, "media-type")      /* not a form that is counted */                                               \
    X(9, UNLISTED, "unlisted")          /* no endpoint of the catalogue */                                             \
    X(10, EMPTY, "empty")               /* a 2xx that owed a body had none; a body without a document */               \
    X(11, IDS_LOST, "ids-lost")         /* counted, but the ids found no room */                                       \
    X(12, RANGE, "range")               /* 206: a slice of a document */                                               \
    X(13, BAD_ENCODING, "bad-encoding") /* not what Content-Encoding says, or damaged, or more behind its end */       \
    X(14, INFLATES_TOO_FAR, "inflates-too-far") /* to more bytes, or with more memory, than is allowed */

typedef enum licet_unmetered {
#define LICET_UNMETERED_ENUM(number, name, slug) LICET_UNMETERED_##name = number,
    LICET_UNMETERED(LICET_UNMETERED_ENUM)
#undef LICET_UNMETERED_ENUM
        LICET_UNMETERED_LEN
} licet_unmetered;

const char *licet_unmetered_slug(licet_unmetered reason);

/* Called for each complete id, unescaped bytes as UTF-8 for a string, the literal text for a number. Borrowed for the
 * call. May be NULL. */
typedef void (*licet_on_id)(void *user, unsigned unit, licet_bytes id);

/* Opaque fixed-size state, held by the caller; copy by assignment. */
typedef struct licet_scan {
    uint64_t opaque[LICET_SCAN_BYTES_MAX / 8];
} licet_scan;

typedef struct licet_scan_result {
    uint64_t documents;                   /* complete ones */
    uint64_t bytes;                       /* fed so far */
    uint64_t count[LICET_SCAN_UNITS_MAX]; /* complete elements so far; what is under way counts from its first byte (see
                                             licet_scan_feed) */
    uint64_t ids[LICET_SCAN_UNITS_MAX];
    licet_unmetered reason; /* first fault */
    unsigned unit;          /* of DUPLICATE_KEY, IDS_DIFFER, ID_TOO_LONG */
    uint64_t offset;        /* byte of the fault */
} licet_scan_result;

void licet_scan_init(licet_scan *scan, const licet_plan *plan, licet_body_form form);
/*
 * Feeds the next bytes. An element counts from its first byte (so that a count is never below what these bytes carry to
 * a client). After a fault further bytes are only added to 'bytes'. The plan must be the one of init.
 */
void licet_scan_feed(licet_scan *scan, const licet_plan *plan, licet_bytes bytes, licet_on_id on_id, void *user);
/* Says that the body ends here: the end is judged (INCOMPLETE, IDS_DIFFER). */
void licet_scan_end(licet_scan *scan, const licet_plan *plan, licet_on_id on_id, void *user);
/* The state of things at any time. */
void licet_scan_look(const licet_scan *scan, licet_scan_result *out_result);

#ifdef __cplusplus
}
#endif

#endif
