/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decide: from facts and an image to a verdict.
 *
 *  (1) licet_decide is a pure function: no clock, no memory, no counters.
 *      Whether units are left is asked of quota/ afterwards, with the limits
 *      that the verdict names.
 *  (2) Each refusal names its reason, and its clause where a clause is why.
 *  (3) In observe mode the verdict is 'observe' with what would have been
 *      refused; nothing is refused.
 */
#ifndef LICET_DECIDE_H
#define LICET_DECIDE_H

#include "licet/agreement.h"
#include "licet/base.h"
#include "licet/image.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_DECIDE
#error "layer breach: decide.h belongs to decide/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* number, name, slug (last part of the problem type, stable), HTTP status, title */
#define LICET_REASONS(X)                                                                                               \
    X(0, NONE, "none", 200, "Allowed")                                                                                 \
    X(1, CREDENTIAL_MISSING, "credential-missing", 401, "A credential is needed")                                      \
    X(2, CREDENTIAL_UNKNOWN, "credential-unknown", 401, "The credential is not known")                                 \
    X(3, CREDENTIAL_ENDED, "credential-ended", 401, "The credential is not valid now")                                 \
    X(4, NO_AGREEMENT, "no-agreement-in-force", 402, "No agreement is in force")                                       \
    X(5, DECLARATION_TOO_LONG, "declaration-too-long", 403, "A declared value is too long")                            \
    X(6, USE_CASE_UNKNOWN, "use-case-unknown", 403, "The use case is not registered")                                  \
    X(7, USE_CASE_NOT_APPROVED, "use-case-not-approved", 403, "The use case is not approved")                          \
    X(8, PURPOSE_FORBIDDEN, "purpose-forbidden", 403, "The purpose is forbidden")                                      \
    X(9, PURPOSE_NOT_NAMED, "purpose-not-named", 403, "The agreement does not name the purpose")                       \
    X(10, PURPOSE_NOT_DECLARED, "purpose-not-declared", 403, "No purpose was declared")                                \
    X(11, ENDPOINT_UNLISTED, "endpoint-unlisted", 403, "The catalogue does not list the endpoint")                     \
    X(12, RATE_LIMIT, "rate-limit", 429, "Too many requests")                                                          \
    X(13, CAP_REACHED, "cap-reached", 429, "The agreed amount is used up")                                             \
    X(14, QUOTA_HELD, "quota-held", 429, "Responses under way hold what is left")                                      \
    X(15, CANNOT_RECORD, "cannot-record", 503, "The request cannot be recorded")                                       \
    X(16, UPGRADE_REFUSED, "upgrade-refused", 403, "A metered endpoint cannot be upgraded")                            \
    X(17, RECIPIENT_NOT_DECLARED, "recipient-not-declared", 403, "No recipient was declared")                          \
    X(18, RECIPIENT_UNKNOWN, "recipient-unknown", 403, "The recipient is not registered")                              \
    X(19, RECIPIENT_NOT_ACCEPTED, "recipient-not-accepted", 403, "The recipient has not accepted the terms")           \
    X(20, RECIPIENT_EMBARGOED, "recipient-embargoed", 403, "The recipient or its country is embargoed")                \
    X(21, GOVERNMENT_NOTICE, "government-notice", 403, "A notice of the government recipient is missing")              \
    X(22, GOVERNMENT_APPROVAL, "government-approval", 403, "An approval of the government recipient is missing")       \
    X(23, GOVERNMENT_NEVER, "government-never", 403, "The agreement allows no such government recipient")              \
    X(24, CREDIT_USED, "credit-used", 402, "The prepaid credit is used up")                                            \
    X(25, BUDGET_USED, "budget-used", 429, "The licensee's own budget is used up")                                     \
    X(26, CONCURRENT, "too-many-at-once", 429, "Too many responses are under way")                                     \
    X(27, CREDENTIAL_REPLAYED, "credential-replayed", 401, "The signature was used before")                            \
    X(28, OUTBOUND_MISSING, "outbound-missing", 503, "The gate has no credential to go on with")                       \
    X(29, USE_CASE_NOT_DECLARED, "use-case-not-declared", 403, "No use case was declared")                             \
    X(30, USE_CASE_OTHER_PURPOSE, "use-case-other-purpose", 403, "The use case is approved for another purpose")

typedef enum licet_reason {
#define LICET_REASON_ENUM(number, name, slug, status, title) LICET_REASON_##name = number,
    LICET_REASONS(LICET_REASON_ENUM)
#undef LICET_REASON_ENUM
        LICET_REASONS_LEN
} licet_reason;

const char *licet_reason_slug(licet_reason reason);
const char *licet_reason_title(licet_reason reason);
unsigned licet_reason_status(licet_reason reason);
/* The sentence a refused caller reads where no clause says one. */
const char *licet_reason_detail(licet_reason reason);

typedef enum licet_verdict_kind { /* two bits in a receipt */
                                  LICET_VERDICT_ALLOW = 0,
                                  LICET_VERDICT_REFUSE = 1,
                                  LICET_VERDICT_OBSERVE = 2, /* passed, would have been refused */
                                  LICET_VERDICT_OPEN = 3,    /* passed, nothing could be recorded */
} licet_verdict_kind;

const char *licet_verdict_name(licet_verdict_kind verdict); /* allow, refuse, observe, open */

/* What is handed over in files: there is no endpoint and no request, and how much it is is known. */
typedef struct licet_handed {
    uint32_t kind;         /* of the units; row of the image's kinds */
    uint64_t units, bytes; /* in all files together */
} licet_handed;

/* What is known when a request comes in. All bytes are borrowed for the call. */
typedef struct licet_facts {
    uint32_t app;                             /* row of the image */
    uint32_t credential;                      /* row, or LICET_NONE when somebody in front named the app */
    licet_bytes method;                       /* GET */
    licet_bytes path;                         /* without query */
    licet_bytes query;                        /* without '?' */
    licet_bytes use_case, purpose, recipient; /* declared; len 0: not */
    licet_flow flow;                          /* that the gate stands in */
    bool upgrade;                             /* asks for another protocol */
    uint64_t time_ms;
    const licet_handed *handed; /* files, handed over by somebody who says to whom; NULL: a request */
} licet_facts;

typedef struct licet_verdict_limit {
    uint32_t limit;   /* row of the image */
    uint32_t counter; /* in shared memory */
    uint32_t kind;
    uint32_t window; /* licet_window_of at time_ms */
    uint64_t amount; /* reserved from it: reserve[kind] times weight */
    uint64_t most;   /* licet_image_most at time_ms */
    uint64_t weight; /* of one unit */
    bool observe;    /* its clause is only observed: what goes beyond is passed and recorded */
} licet_verdict_limit;

typedef struct licet_verdict {
    licet_verdict_kind verdict;        /* ALLOW, REFUSE or OBSERVE */
    licet_reason reason;               /* why refused, or would be; NONE when allowed */
    uint32_t reasons;                  /* bit 1 << reason for each rule that refuses, the first and the others */
    uint32_t clause;                   /* row of the image, or LICET_NONE */
    uint32_t version;                  /* row; the earliest when none is in force */
    uint32_t endpoint;                 /* row or LICET_NONE: unlisted */
    uint32_t use_case;                 /* row or LICET_NONE: unattributed */
    licet_bytes purpose;               /* in effect: declared, else the use case's; borrowed from facts or image */
    licet_bytes recipient;             /* in effect: declared, else the credential's, the app's, the use case's */
    uint32_t registered;               /* row of the recipient in effect, or LICET_NONE: nobody registered it */
    uint32_t product;                  /* row, of the use case; or LICET_NONE */
    bool metered;                      /* the endpoint counts something in bodies */
    uint64_t reserve[LICET_KINDS_MAX]; /* units to reserve before the request goes up */
    uint32_t limits_len;
    licet_verdict_limit limits[LICET_LIMITS_PER_REQUEST_MAX]; /* those that bind this request */
} licet_verdict;

/* Judges. A refusal reserves nothing: reserve is zero and no limit is named. */
/* Row of the endpoint that judges method and path (no query), or LICET_NONE: unlisted. HEAD is GET without the body
 * (RFC 9110 section 9.3.2) and is judged as the GET it stands for, unless the catalogue lists a HEAD of its own. */
uint32_t licet_decide_endpoint(const licet_image *image, const licet_image_version *version, licet_bytes method,
                               licet_bytes path);

void licet_decide(const licet_image *image, const licet_facts *facts, licet_verdict *out_verdict);

/* Tries the examples of a site's versions. False with a mistake for each that does not hold (err: INVALID), or with err
 * alone. */
bool licet_examples_try(const licet_site *site, licet_mistakes *mistakes, licet_error *err);

/* Fills reserve and limits of a verdict of licet_decide as if it had not been refused; for explaining one that was. */
void licet_decide_amounts(const licet_image *image, const licet_facts *facts, licet_verdict *verdict);

/*
 * Most units of a counted row that this query can bring, never less than the upstream may make of it: the parameter's
 * greatest value (items of all its values added up), the most when it is no number or above the most, the default
 * when it is absent; at least 1, at most the most. No page: 1.
 */
uint64_t licet_page_of(const licet_image *image, const licet_image_count *count, licet_bytes query);

#ifdef __cplusplus
}
#endif

#endif
