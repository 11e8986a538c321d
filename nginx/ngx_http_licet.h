/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's own header. It turns requests into facts and verdicts into
 * responses; what is decided, counted and taken is the library's.
 *
 *   gate (per FILE) ── area (a mapped file, joined) ── view (an index) ── image ── plan
 *                                     │
 *   request ── ctx (cleanup of the main request) ── slot
 *
 *  (1) A main request is handled once; its ctx hangs on a pool cleanup, for
 *      internal redirects and error pages empty r->ctx.
 *  (2) An open slot is settled exactly once: when all is handed on, in the
 *      log phase, with the pool, or when the worker leaves; whichever is first.
 *  (3) What a ctx refers to (area, view, image) lives until its pool is gone.
 *  (4) No secret is kept or logged: of a credential only its HMAC is computed.
 */
#ifndef NGX_HTTP_LICET_H
#define NGX_HTTP_LICET_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <stdatomic.h>

#include "licet/agreement.h"
#include "licet/base.h"
#include "licet/decide.h"
#include "licet/gate.h"
#include "licet/identity.h"
#include "licet/image.h"
#include "licet/inflate.h"
#include "licet/meter.h"

typedef struct ngx_http_licet_gate_s ngx_http_licet_gate_t;
typedef struct ngx_http_licet_area_s ngx_http_licet_area_t;
typedef struct ngx_http_licet_view_s ngx_http_licet_view_t;
typedef struct ngx_http_licet_image_s ngx_http_licet_image_t;
typedef struct ngx_http_licet_jwks_s ngx_http_licet_jwks_t;
typedef struct ngx_http_licet_token_s ngx_http_licet_token_t;
typedef struct ngx_http_licet_meter_s ngx_http_licet_meter_t;
typedef struct ngx_http_licet_inflate_s ngx_http_licet_inflate_t;
typedef struct ngx_http_licet_recode_s ngx_http_licet_recode_t;
typedef struct ngx_http_licet_shadow_s ngx_http_licet_shadow_t;
typedef struct ngx_http_licet_ctx_s ngx_http_licet_ctx_t;
typedef struct ngx_http_licet_nonces_s ngx_http_licet_nonces_t;

/* ---- configuration ----------------------------------------------------- */

typedef struct {
    ngx_array_t gates;               /* of ngx_http_licet_gate_t *, one per FILE */
    ngx_http_licet_nonces_t *nonces; /* NULL: no signatures are taken */
    size_t nonces_size;
    unsigned signatures : 1; /* they are on somewhere */
} ngx_http_licet_main_conf_t;

typedef struct {
    ngx_flag_t enable;
    ngx_str_t problems; /* licet_problems: what the types of refusals begin with; no data: urn:licet:problem: */
    ngx_uint_t flow;    /* licet_flow; NGX_CONF_UNSET_UINT: that of licet.yaml */
    ngx_flag_t api;
    ngx_http_licet_gate_t *gate;
    ngx_flag_t signatures;
    ngx_array_t *jwks;             /* of ngx_http_licet_jwks_t *; NULL: none */
    ngx_http_complex_value_t *app; /* NULL: not said; of an empty text: off */
    u_char *file;                  /* where 'on' was said, for messages */
    ngx_uint_t line;
} ngx_http_licet_loc_conf_t;

extern ngx_module_t ngx_http_licet_module;
extern ngx_module_t ngx_http_licet_meter_filter_module;
extern ngx_module_t ngx_http_licet_tail_filter_module;

ngx_int_t ngx_http_licet_add_variables(ngx_conf_t *cf);

/* ---- check (ngx_http_licet_check.c): what nginx -t can tell ----------------- */

ngx_int_t ngx_http_licet_check_order(ngx_conf_t *cf);
ngx_int_t ngx_http_licet_check_gates(ngx_conf_t *cf);
/* Once the configuration is whole, since "user" may stand behind http. */
ngx_int_t ngx_http_licet_check_workers(ngx_cycle_t *cycle);

/* ---- gate, area, view (ngx_http_licet_gate.c) ----------------------------- */

struct ngx_http_licet_gate_s {
    ngx_str_t path; /* with a NUL behind it */
    u_char *file;   /* where it was first named, for messages */
    ngx_uint_t line;
    ngx_http_licet_area_t *current; /* for new requests; NULL: licetd is not there yet */
    ngx_queue_t areas;              /* all of this process, the current one included */
    ngx_event_t timer;
    ngx_connection_t dummy; /* the timer's data: nginx logs a descriptor of it */
    licet_errc complained;  /* last failure told to the log */
    unsigned started : 1;
};

struct ngx_http_licet_area_s {
    ngx_queue_t link;
    licet_gate *gate;
    licet_worker *worker;
    ngx_http_licet_view_t *view; /* in force; NULL: nothing applied yet */
    ngx_queue_t views;           /* oldest first */
    ngx_queue_t live;            /* ctx with an open slot */
    licet_inflate_pool inflaters;
    ngx_uint_t users; /* ctx that refer to it */
    uint64_t bad;     /* a generation that could not be opened; 0: none */
};

struct ngx_http_licet_view_s {
    ngx_queue_t link;
    ngx_http_licet_area_t *area;
    uint64_t generation;
    licet_bytes blob; /* mapped */
    licet_index index;
    ngx_http_licet_image_t **images; /* one per row of index.images; NULL: not needed so far */
    ngx_uint_t users;                /* ctx that refer to it */
};

/* Begins to serve a gate in this process: joins, or tries again each second. */
void ngx_http_licet_gate_start(ngx_http_licet_gate_t *gate, ngx_log_t *log);
/* Settles what is open as 'gate stopped' and leaves. */
void ngx_http_licet_gate_stop(ngx_http_licet_gate_t *gate);
/* The newest index of the gate, used by the caller until _release; NULL when there is none. */
ngx_http_licet_view_t *ngx_http_licet_view_use(ngx_http_licet_gate_t *gate, ngx_log_t *log);
void ngx_http_licet_view_release(ngx_http_licet_view_t *view);

/* ---- image, plan (ngx_http_licet_image.c) ----------------------------------- */

/* What is counted at one endpoint. */
typedef struct {
    licet_plan *plan; /* NULL: nothing is counted */
    ngx_uint_t units;
    uint32_t kind[LICET_SCAN_UNITS_MAX];
    unsigned made : 1;
    unsigned bad : 1; /* the catalogue asks for what this version cannot count */
} ngx_http_licet_plan_t;

struct ngx_http_licet_image_s {
    ngx_uint_t users; /* views */
    licet_bytes blob; /* mapped */
    licet_image image;
    ngx_http_licet_plan_t *plans;    /* one per endpoint row */
    ngx_http_licet_token_t **tokens; /* one per outbound row, once one is used */
};

bool ngx_http_licet_map(const char *path, licet_bytes *out_blob, licet_error *err);
void ngx_http_licet_unmap(licet_bytes blob);
/* The image of a cell, opened when first needed; NULL when that fails (told to the log). */
ngx_http_licet_image_t *ngx_http_licet_image_of(ngx_http_licet_view_t *view, uint32_t cell, ngx_log_t *log);
void ngx_http_licet_image_release(ngx_http_licet_image_t *image);
/* NULL: the catalogue asks for what cannot be counted. endpoint may be LICET_NONE. */
const ngx_http_licet_plan_t *ngx_http_licet_plan_of(ngx_http_licet_image_t *image, uint32_t endpoint, ngx_log_t *log);

/* ---- request (ngx_http_licet_request.c) ---------------------------------------- */

typedef enum {
    NGX_HTTP_LICET_WAITING = 0, /* decided, not admitted yet */
    NGX_HTTP_LICET_ADMITTED,    /* has or had a slot */
    NGX_HTTP_LICET_OPEN,        /* let through without a slot */
    NGX_HTTP_LICET_REFUSED
} ngx_http_licet_state_e;

/* Who asks: what identification found. */
typedef struct {
    ngx_http_licet_image_t *image;
    uint32_t app, credential; /* rows; credential LICET_NONE: named by what stands in front */
} ngx_http_licet_caller_t;

/* The scan before a buffer under way, or a piece of one (ngx_http_licet_snapshot.c). */
#define NGX_HTTP_LICET_SNAPSHOTS 128 /* an even number */
#define NGX_HTTP_LICET_PIECE 4096

typedef struct {
    licet_scan scan; /* before the first byte */
    uint64_t from, to;
    const u_char *bytes; /* of [from, to) */
    u_char *copy;        /* room for a piece; NULL unless needed */
    ngx_uint_t parts;    /* buffers or pieces */
    unsigned copied : 1;
    unsigned exact : 1; /* 0: stands for several buffers; only the count at 'to' is known */
} ngx_http_licet_snapshot_t;

struct ngx_http_licet_meter_s {
    ngx_http_licet_inflate_t *inflate; /* NULL: the body is not compressed */
    ngx_table_elt_t *encoding;         /* of the head, as it was here */
    licet_scan scan;
    licet_scan before;               /* of the buffer in hand */
    uint64_t offset;                 /* body bytes seen above gzip */
    ngx_uint_t first, len, places;   /* of the ring of snapshots; places: those that were made */
    ngx_uint_t stride;               /* parts that one stands for from now on */
    ngx_http_licet_recode_t *recode; /* marks where a filter below changes the bytes; NULL: none came out */
    uint64_t count[LICET_KINDS_MAX];
    uint64_t reserved[LICET_KINDS_MAX];
    size_t ids_len;
    uint32_t ids_count, ids_kind;
    unsigned scanning : 1;
    unsigned waiting : 1; /* the buffer in hand is scanned, and waits for a lease */
    unsigned last : 1;    /* the end of the body was seen */
    unsigned ids_lost : 1;
    unsigned cut : 1;
    unsigned revoked : 1;     /* that was why */
    unsigned bytes_bound : 1; /* a limit counts bytes */
    /* from here on nothing is zeroed */
    ngx_http_licet_snapshot_t *snapshots[NGX_HTTP_LICET_SNAPSHOTS];
    u_char ids[2048]; /* batch of one kind */
};

#define NGX_HTTP_LICET_CHUNKS 32

typedef struct {
    ngx_http_licet_shadow_t *busy, **busy_last, *free;
    ngx_http_licet_shadow_t *empty;       /* passed on, and of no size from the start */
    uint64_t in;                          /* body bytes seen below gzip */
    uint64_t handed;                      /* of these, taken by what is below: kernel or TLS buffer */
    uint64_t ends[NGX_HTTP_LICET_CHUNKS]; /* where the last chunks end */
    ngx_uint_t chunks;
    unsigned stale : 1;   /* an owner filled a buffer anew that was under way */
    unsigned recoded : 1; /* a filter between meter and tail changes the bytes */
    unsigned last : 1;
} ngx_http_licet_tail_t;

/* What a response came to; the same for the receipt and for the variables. */
typedef struct {
    uint64_t units[LICET_KINDS_MAX];
    uint64_t ids[LICET_KINDS_MAX];
    uint64_t bytes;
    licet_unmetered unmetered;
} ngx_http_licet_delivered_t;

struct ngx_http_licet_ctx_s {
    ngx_http_request_t *request; /* the main one */
    ngx_http_licet_area_t *area; /* NULL once the worker has left */
    ngx_http_licet_view_t *view;
    ngx_http_licet_caller_t caller;
    const ngx_http_licet_plan_t *plan;
    ngx_http_licet_state_e state;
    licet_facts facts;
    licet_verdict verdict;
    licet_reason reason;       /* why refused, or would be */
    licet_verdict_kind result; /* final */
    uint64_t remaining[LICET_LIMITS_PER_REQUEST_MAX];
    uint64_t now_ms;         /* of admission */
    uint64_t ends_ms;        /* when credential or app end, by the newest image */
    ngx_msec_t started, fed; /* of the clock that only goes forward: admission, last byte from upstream */
    off_t read;              /* bytes that nginx had read from the upstream then */
    ngx_msec_t waiting;
    licet_slot *slot; /* NULL: none, or settled */
    ngx_queue_t live;
    u_char decision[LICET_DECISION_TEXT];
    ngx_http_licet_meter_t *meter; /* NULL before the head */
    ngx_http_licet_tail_t tail;
    licet_unmetered unmetered; /* known at the head */
    ngx_uint_t status;
    ngx_http_licet_delivered_t delivered; /* valid once settled or told */
    licet_bytes units;                    /* text of delivered, once asked for */
    ngx_chain_t *body_kept;               /* buffers that wait for a lease; the first is scanned already */
    ngx_event_t body_wait;
    ngx_msec_t body_since;
    unsigned body_short : 1;
    unsigned counts : 1; /* a 2xx */
    unsigned settled : 1;
    unsigned signature_used : 1; /* noted as used, by this request */
    unsigned told : 1;           /* delivered is valid before that: the connection failed */
    unsigned limits_known : 1;   /* remaining is filled */
};

/* Bytes and nginx strings. */
static inline licet_bytes
ngx_http_licet_bytes(ngx_str_t text)
{
    return (licet_bytes){text.data, text.len};
}

/* A text in the making, for what every response has: no allocation, no format. Once full (last == end) it stays so. */
typedef struct {
    u_char *last, *end;
} ngx_http_licet_text_t;

static inline void
ngx_http_licet_put(ngx_http_licet_text_t *text, licet_bytes bytes)
{
    if ((size_t)(text->end - text->last) <= bytes.len) {
        text->last = text->end;
    } else if (bytes.len > 0) {
        text->last = ngx_cpymem(text->last, bytes.data, bytes.len);
    }
}

#define ngx_http_licet_put_literal(text, literal)                                                                      \
    ngx_http_licet_put((text), licet_bytes_of("" literal, sizeof(literal) - 1))

static inline void
ngx_http_licet_put_number(ngx_http_licet_text_t *text, uint64_t number)
{
    u_char digits[NGX_INT64_LEN], *first = digits + sizeof(digits);

    do {
        *--first = (u_char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    ngx_http_licet_put(text, licet_bytes_of(first, (size_t)(digits + sizeof(digits) - first)));
}

uint64_t ngx_http_licet_now(void); /* ms since 1970 */

/* The ctx of the main request, or NULL; restores r->ctx after a redirect. */
ngx_http_licet_ctx_t *ngx_http_licet_find(ngx_http_request_t *r);
ngx_http_licet_ctx_t *ngx_http_licet_ctx_add(ngx_http_request_t *r);
/* First request header of that lower-case name, or NULL. */
ngx_table_elt_t *ngx_http_licet_header_in(ngx_http_request_t *r, const char *name);

#define NGX_HTTP_LICET_DROP_RANGE 1
#define NGX_HTTP_LICET_DROP_UPGRADE 2
#define NGX_HTTP_LICET_KEEP_ENCODING 4
/* Rebuilds the list that the upstream will see: without Licet-* and, of an app with an outbound (ctx may be NULL: of
 * none), without what the caller showed; accepting of what the client accepts only encodings
 * that are counted, and as flags say. */
ngx_int_t ngx_http_licet_rewrite_headers(ngx_http_request_t *r, const ngx_http_licet_ctx_t *ctx, ngx_uint_t flags);
ngx_int_t ngx_http_licet_push_in(ngx_http_request_t *r, const char *name, ngx_str_t value);
ngx_int_t ngx_http_licet_push_out(ngx_http_request_t *r, const char *name, ngx_str_t value);
/* Takes Licet-* out of a response's headers or trailers: what the upstream says there is never the client's. */
void ngx_http_licet_strip_out(ngx_list_t *headers);

/* ---- admit (ngx_http_licet_admit.c), identify (ngx_http_licet_identify.c) --------- */

/* NONE and *out_caller, or why not: CREDENTIAL_MISSING, CREDENTIAL_UNKNOWN, CANNOT_RECORD. */
licet_reason ngx_http_licet_identify(ngx_http_request_t *r, ngx_http_licet_loc_conf_t *lcf, ngx_http_licet_view_t *view,
                                     ngx_http_licet_caller_t *out_caller);
/* The caller of what identifies it, shown as this kind; UNKNOWN also where apps.yaml has it as another. */
licet_reason ngx_http_licet_by_identity(ngx_http_request_t *r, ngx_http_licet_view_t *view, licet_bytes identity,
                                        licet_credential_kind kind, ngx_http_licet_caller_t *out_caller);
/* Of one kind each; MISSING: nothing of the kind was shown. */
licet_reason ngx_http_licet_by_token(ngx_http_request_t *r, ngx_http_licet_loc_conf_t *lcf, ngx_http_licet_view_t *view,
                                     licet_bytes token, ngx_http_licet_caller_t *out_caller);
licet_reason ngx_http_licet_by_signature(ngx_http_request_t *r, ngx_http_licet_view_t *view,
                                         ngx_http_licet_caller_t *out_caller);
licet_reason ngx_http_licet_by_certificate(ngx_http_request_t *r, ngx_http_licet_view_t *view,
                                           ngx_http_licet_caller_t *out_caller);
licet_bytes ngx_http_licet_trim(licet_bytes text);
char *ngx_http_licet_set_jwks(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ---- nonces (ngx_http_licet_nonce_file.c, ngx_http_licet_nonces.c) ------------------- */

struct ngx_http_licet_nonces_s { /* begin of the file; the buckets follow */
    u_char magic[16];
    u_char boot[40];
    uint64_t size, made_s;
    _Atomic uint64_t closed; /* another file took its place */
    uint8_t reserved[48];
};

ngx_int_t ngx_http_licet_nonces_open(ngx_cycle_t *cycle, ngx_http_licet_main_conf_t *mcf);
/* NONE once; then REPLAYED; CANNOT_RECORD where the caller has no room to note it. */
licet_reason ngx_http_licet_nonce_use(ngx_http_licet_nonces_t *nonces, const licet_signature *signature,
                                      const ngx_http_licet_caller_t *caller, const uint8_t *key, uint64_t now_s);
ngx_int_t ngx_http_licet_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_licet_api(ngx_http_request_t *r, ngx_http_licet_loc_conf_t *lcf);

/* ---- problem: pages that explain the types of refusals ------------------------------ */

bool ngx_http_licet_is_problem(ngx_http_request_t *r);
ngx_int_t ngx_http_licet_problem_page(ngx_http_request_t *r);

/* ---- outbound (ngx_http_licet_outbound.c) ------------------------------------------ */

/* False (told to the log): the app has an outbound, and its token cannot be read. */
bool ngx_http_licet_outbound_ready(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx);
/* A request header in which the caller's own credential may stand, or that the token takes the place of. */
bool ngx_http_licet_outbound_drops(const ngx_http_licet_ctx_t *ctx, const ngx_table_elt_t *h);
/* Adds the token to the rebuilt list. */
ngx_int_t ngx_http_licet_outbound_push(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx);
void ngx_http_licet_tokens_done(ngx_http_licet_image_t *image);

/* ---- revocation (ngx_http_licet_revoke.c) --------------------------------------------- */

/* When the credential of an admitted request ends; anew for all that are under way in an area. */
void ngx_http_licet_revoke_begin(ngx_http_licet_ctx_t *ctx);
void ngx_http_licet_revoke(ngx_http_licet_area_t *area, ngx_http_licet_view_t *view, ngx_log_t *log);
/* Nothing more may go on. */
bool ngx_http_licet_revoked(const ngx_http_licet_ctx_t *ctx);

/* ---- refuse, ratelimit ---------------------------------------------------------------- */

/* Sends the problem document and finishes the request. ctx NULL: the caller is not known. Returns NGX_DONE. */
ngx_int_t ngx_http_licet_refuse(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, licet_reason reason, uint32_t clause,
                                const licet_shortage *shortage);
/* RateLimit-Policy and RateLimit for the limits that bind the request. */
ngx_int_t ngx_http_licet_ratelimit(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx);
/* x-rate-limit-* and the like, where the catalogue says so; limits_known. */
ngx_int_t ngx_http_licet_old_headers(ngx_http_request_t *r, const ngx_http_licet_ctx_t *ctx);

/* ---- waiting in the body ---------------------------------------------------------------- */

#define NGX_HTTP_LICET_BUFFERED 0x40 /* of connection->buffered; no filter of nginx has it */
/* False: it waited long enough, or cannot. */
bool ngx_http_licet_body_may_wait(const ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx);
/* Keeps the chain until the lease has more: NGX_AGAIN, or NGX_ERROR. */
ngx_int_t ngx_http_licet_body_keep(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, ngx_chain_t *in);
/* What was kept, before *in. */
ngx_int_t ngx_http_licet_body_take(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, ngx_chain_t **in);

/* ---- meter, tail, settle ---------------------------------------------------------------- */

/* Picks up what was handed on since the last look. */
void ngx_http_licet_tail_look(ngx_http_licet_ctx_t *ctx);
/* Body bytes handed to the kernel, less what lies in the TLS buffer. */
uint64_t ngx_http_licet_tail_handed(const ngx_http_licet_ctx_t *ctx);
/* All of the body was handed to the kernel. */
bool ngx_http_licet_tail_complete(const ngx_http_licet_ctx_t *ctx);
uint64_t ngx_http_licet_tail_acked(const ngx_http_licet_ctx_t *ctx);
/* A snapshot before the scan is fed [from, from + len); copy: its bytes will not stay where they are. */
ngx_int_t ngx_http_licet_snapshot_take(ngx_http_licet_ctx_t *ctx, uint64_t from, const u_char *bytes, size_t len,
                                       bool copy);
void ngx_http_licet_snapshot_forget(ngx_http_licet_meter_t *m, uint64_t handed);
/* Body bytes from 'offset' on do not go on. */
void ngx_http_licet_snapshot_back(ngx_http_licet_meter_t *m, uint64_t offset);
/* The scan at body byte 'handed'; left as it is where that byte is not under way. */
void ngx_http_licet_snapshot_at(const ngx_http_licet_ctx_t *ctx, uint64_t handed, bool memory, licet_scan *out_scan);
/* Notes what was counted when recoded bytes came out; forgets; what was counted at recoded byte 'handed'. */
ngx_int_t ngx_http_licet_recoded_mark(ngx_http_licet_ctx_t *ctx);
void ngx_http_licet_recoded_forget(ngx_http_licet_meter_t *m, uint64_t handed);
void ngx_http_licet_recoded_at(const ngx_http_licet_meter_t *m, uint64_t handed, licet_scan_result *out_result);
/* Forgets snapshots and marks that can no longer be needed. */
void ngx_http_licet_meter_forget(ngx_http_licet_ctx_t *ctx);
/* Units at body byte 'handed'; memory: the buffers under way may still be read. */
void ngx_http_licet_meter_at(const ngx_http_licet_ctx_t *ctx, uint64_t handed, bool memory,
                             ngx_http_licet_delivered_t *out_delivered);
void ngx_http_licet_on_id(void *user, unsigned unit, licet_bytes id);
void ngx_http_licet_delivered(ngx_http_licet_ctx_t *ctx, bool memory, ngx_http_licet_delivered_t *out_delivered);
/* Settles the slot if it is open. stopped: the worker leaves. */
void ngx_http_licet_settle(ngx_http_licet_ctx_t *ctx, bool memory, bool stopped);

/* ---- inflate (ngx_http_licet_inflate.c) ---------------------------------------------------- */

/* What the inflaters of one worker may take together; windows count in full, though only what is used of them is there.
 */
#define NGX_HTTP_LICET_INFLATERS (1024 * 1024 * 1024)

/* The coding of the response; false: one that is not counted, or several. */
bool ngx_http_licet_coding(const ngx_http_request_t *r, licet_coding *out_coding);
/* Makes ctx->meter->inflate; false (told to the log) where there is no room. */
bool ngx_http_licet_inflate_begin(ngx_http_licet_ctx_t *ctx, licet_coding coding);
/* Feeds the scan what the next bytes of the body hold. */
void ngx_http_licet_inflate_feed(ngx_http_licet_ctx_t *ctx, const u_char *bytes, size_t len);
/* The buffer in hand does not go on. */
void ngx_http_licet_inflate_uncount(ngx_http_licet_meter_t *m);
/* The end of the body is seen. */
void ngx_http_licet_inflate_last(ngx_http_licet_meter_t *m);
/* What is counted at body byte 'handed', or a little behind it. */
void ngx_http_licet_inflate_at(const ngx_http_licet_meter_t *m, uint64_t handed, licet_scan_result *out_result);
void ngx_http_licet_inflate_forget(ngx_http_licet_meter_t *m, uint64_t handed);
/* Gives back what an inflater may still hold. */
void ngx_http_licet_inflate_done(ngx_http_licet_ctx_t *ctx);

#endif
