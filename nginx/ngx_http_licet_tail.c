/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tail: the filter right below gzip. It sees how far the body was handed on.
 *
 *  (1) What is below gets shadow buffers: the same memory, our own positions.
 *      A buffer's owner may fill it anew as soon as it is empty, hence its
 *      position cannot be read later; a shadow's can.
 *  (2) Progress goes back to the owner's buffer each time it is looked at, or
 *      nothing upstream of us would ever be freed.
 *  (3) A shadow is used anew only when nothing below can still hold it.
 *  (4) connection->sent is not asked: it counts framing, and on HTTP/2 whole frames.
 *  (5) Bytes in the TLS buffer are not handed on. How many of them are body is
 *      reckoned from the end of what was made, for the framing of each chunk is
 *      known to the byte. Where it is not (more chunks than are kept), what is
 *      told may be too much, and is never below what the client got.
 */
#include "ngx_http_licet.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#define NGX_HTTP_LICET_LOWAT 16384
#define NGX_HTTP_LICET_CHUNK_END 5 /* the empty chunk and its line ends */
#define NGX_HTTP_LICET_LINE_END 2

struct ngx_http_licet_shadow_s {
    ngx_buf_t buf; /* first: what is below sees only this */
    ngx_buf_t *owner;
    u_char *pos; /* when it was last looked at */
    off_t file_pos;
    ngx_http_licet_shadow_t *next;
    ngx_chain_t link;
};

static ngx_http_output_header_filter_pt ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt ngx_http_next_body_filter;

/* A stream of QUIC: no socket of its own, and what is taken lies in a buffer of nginx until it is acknowledged. */
static bool
ngx_http_licet_over_quic(const ngx_connection_t *c)
{
#if (nginx_version >= 1025000 && (NGX_QUIC || NGX_COMPAT))
    return c->quic != NULL;
#else
    (void)c;
    return false;
#endif
}

/* ---- progress --------------------------------------------------------------- */

/* An owner that gave the response up may have filled its buffer anew: then only the shadow says what went. */
static uint64_t
ngx_http_licet_shadow_moved(ngx_http_licet_tail_t *t, ngx_http_licet_shadow_t *shadow)
{
    ngx_buf_t *from = shadow->owner, *to = &shadow->buf;
    bool memory = ngx_buf_in_memory(to);
    off_t moved = memory ? to->pos - shadow->pos : to->file_pos - shadow->file_pos;

    if (memory ? from->pos != shadow->pos : from->file_pos != shadow->file_pos) {
        t->stale = 1;
    } else if (memory) {
        from->pos = to->pos;
        from->file_pos += to->in_file ? moved : 0;
    } else {
        from->file_pos = to->file_pos;
    }
    shadow->pos = to->pos;
    shadow->file_pos = to->file_pos;
    return moved > 0 ? (uint64_t)moved : 0;
}

/* Nothing of the response lies below: neither in the write filter nor in a frame of HTTP/2. */
static bool
ngx_http_licet_tail_drained(const ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)
    if (r->stream != NULL && r->stream->queued != 0) {
        return false;
    }
#endif
    return r->out == NULL;
}

void
ngx_http_licet_tail_look(ngx_http_licet_ctx_t *ctx)
{
    ngx_http_licet_tail_t *t = &ctx->tail;
    ngx_http_licet_shadow_t *shadow, **to;

    while (t->busy != NULL) {
        shadow = t->busy;
        if (shadow->owner != NULL) {
            t->handed += ngx_http_licet_shadow_moved(t, shadow);
            if (ngx_buf_size(&shadow->buf) != 0) {
                return;
            }
        }
        t->busy = shadow->next;
        if (t->busy == NULL) {
            t->busy_last = &t->busy;
        }
        to = shadow->owner != NULL ? &t->free : &t->empty;
        shadow->next = *to;
        *to = shadow;
    }
    if (ngx_http_licet_tail_drained(ctx->request)) {
        /* an empty buffer shows no progress: it may lie below until nothing does */
        while (t->empty != NULL) {
            shadow = t->empty;
            t->empty = shadow->next;
            shadow->next = t->free;
            t->free = shadow;
        }
    }
}

#if (NGX_HTTP_SSL)
/* Body bytes among the last 'left' bytes of a chunked response as it was made: chunks from the newest back. */
static uint64_t
ngx_http_licet_tail_framed(const ngx_http_licet_tail_t *t, uint64_t left)
{
    uint64_t body = 0, end, start, size, part;
    ngx_uint_t i, kept = ngx_min(t->chunks, NGX_HTTP_LICET_CHUNKS);

    left -= t->last ? ngx_min(left, NGX_HTTP_LICET_CHUNK_END) : 0;
    for (i = 0; i < kept && left > 0; i++) {
        end = t->ends[(t->chunks - 1 - i) % NGX_HTTP_LICET_CHUNKS];
        if (i + 1 < kept) {
            start = t->ends[(t->chunks - 2 - i) % NGX_HTTP_LICET_CHUNKS];
        } else if (t->chunks <= NGX_HTTP_LICET_CHUNKS) {
            start = 0;
        } else {
            break; /* where it began is not kept any more */
        }
        left -= ngx_min(left, NGX_HTTP_LICET_LINE_END);
        part = ngx_min(left, end - start);
        body += part;
        left -= part;
        for (size = end - start; size > 0; size >>= 4) {
            left -= ngx_min(left, 1);
        }
        left -= ngx_min(left, NGX_HTTP_LICET_LINE_END);
    }
    return body;
}

/* Of what lies in the write filter and, behind it, in the TLS buffer: what the chunked body's end is away. */
static uint64_t
ngx_http_licet_tail_pending(const ngx_http_request_t *r, uint64_t held)
{
    const ngx_chain_t *cl;

    for (cl = r->out; cl != NULL; cl = cl->next) {
        held += (uint64_t)ngx_buf_size(cl->buf);
    }
    return held;
}
#endif

/* Bytes of this response's body that TLS holds back: the newest of what was handed down. */
static uint64_t
ngx_http_licet_tail_held(const ngx_http_licet_ctx_t *ctx)
{
#if (NGX_HTTP_SSL)
    const ngx_http_request_t *r = ctx->request;
    const ngx_http_licet_tail_t *t = &ctx->tail;
    const ngx_connection_t *c = r->connection;
    uint64_t held, made, out;

#if (NGX_HTTP_V2)
    if (r->stream != NULL) {
        return 0; /* the buffer is shared by all streams: what is in it counts as handed on */
    }
#endif
    if (c->ssl == NULL || ngx_http_licet_over_quic(c) || c->ssl->buf == NULL || c->ssl->buf->start == NULL) {
        return 0;
    }
    held = (uint64_t)(c->ssl->buf->last - c->ssl->buf->pos);
    if (held == 0 || !r->chunked || t->chunks == 0) {
        return held;
    }
    made = t->ends[(t->chunks - 1) % NGX_HTTP_LICET_CHUNKS];
    out = made - ngx_http_licet_tail_framed(t, ngx_http_licet_tail_pending(r, held));
    return t->handed > out ? t->handed - out : 0;
#else
    (void)ctx;
    return 0;
#endif
}

uint64_t
ngx_http_licet_tail_handed(const ngx_http_licet_ctx_t *ctx)
{
    uint64_t held = ngx_http_licet_tail_held(ctx);

    return ctx->tail.handed > held ? ctx->tail.handed - held : 0;
}

bool
ngx_http_licet_tail_complete(const ngx_http_licet_ctx_t *ctx)
{
    const ngx_http_request_t *r = ctx->request;

    return ctx->tail.last && ctx->tail.busy == NULL && ngx_http_licet_tail_held(ctx) == 0 &&
           (r->connection->buffered & NGX_LOWLEVEL_BUFFERED) == 0;
}

static bool
ngx_http_licet_tail_plain(const ngx_http_request_t *r)
{
    const ngx_connection_t *c = r->connection;

#if (NGX_HTTP_V2)
    if (r->stream != NULL) {
        return false;
    }
#endif
#if (NGX_HTTP_SSL)
    if (c->ssl != NULL) {
        return false;
    }
#endif
    return !ngx_http_licet_over_quic(c) && c->sockaddr != NULL &&
           (c->sockaddr->sa_family == AF_INET || c->sockaddr->sa_family == AF_INET6);
}

/* What of the body the client's kernel acknowledged; UINT64_MAX: not to be known (TLS, HTTP/2, no TCP). */
uint64_t
ngx_http_licet_tail_acked(const ngx_http_licet_ctx_t *ctx)
{
    const ngx_http_licet_tail_t *t = &ctx->tail;
    uint64_t unacked;
    int queued = 0;

    /* SIOCOUTQ and not TCP_INFO: it is right after a reset too, and needs no look at the start */
    if (!ngx_http_licet_tail_plain(ctx->request) || ioctl(ctx->request->connection->fd, SIOCOUTQ, &queued) != 0 ||
        queued < 0) {
        return UINT64_MAX;
    }
    unacked = (uint64_t)queued;
    return t->handed > unacked ? t->handed - unacked : 0;
}

/* ---- head ------------------------------------------------------------------------ */

static void
ngx_http_licet_tail_marked(void *data)
{
    (void)data; /* only its presence says something */
}

/* Once per connection: else the kernel takes megabytes ahead of a slow client, and an abort goes unseen. */
static void
ngx_http_licet_tail_lowat(ngx_http_request_t *r)
{
    ngx_connection_t *c = r->connection;
    ngx_pool_cleanup_t *cln;
    int lowat = NGX_HTTP_LICET_LOWAT;

#if (NGX_HTTP_V2)
    if (r->stream != NULL) {
        c = r->stream->connection->connection;
    }
#endif
    if (ngx_http_licet_over_quic(c) || c->sockaddr == NULL ||
        (c->sockaddr->sa_family != AF_INET && c->sockaddr->sa_family != AF_INET6)) {
        return;
    }
    for (cln = c->pool->cleanup; cln != NULL; cln = cln->next) {
        if (cln->handler == ngx_http_licet_tail_marked) {
            return;
        }
    }
    cln = ngx_pool_cleanup_add(c->pool, 0);
    if (cln == NULL) {
        return;
    }
    cln->handler = ngx_http_licet_tail_marked;
    if (setsockopt(c->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat)) != 0) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, ngx_socket_errno,
                      "licet: setsockopt(TCP_NOTSENT_LOWAT) failed");
    }
}

static ngx_int_t
ngx_http_licet_tail_header_filter(ngx_http_request_t *r)
{
    ngx_http_licet_ctx_t *ctx;
    ngx_int_t rc;

    ctx = r == r->main ? ngx_http_get_module_ctx(r, ngx_http_licet_module) : NULL;
    if (ctx == NULL || ctx->slot == NULL || ctx->meter == NULL) {
        return ngx_http_next_header_filter(r);
    }
    ctx->tail.recoded = ctx->meter->scanning && r->headers_out.content_encoding != ctx->meter->encoding;
    if (ctx->counts) {
        ngx_http_licet_tail_lowat(r);
    }
    rc = ngx_http_next_header_filter(r);
    if (ctx->counts && r->headers_out.status == NGX_HTTP_PARTIAL_CONTENT) {
        ctx->status =
            NGX_HTTP_PARTIAL_CONTENT; /* said below: the range filter made a part of a file that is not counted */
    }
    return rc;
}

/* ---- body ---------------------------------------------------------------------------- */

static ngx_http_licet_shadow_t *
ngx_http_licet_shadow(ngx_http_request_t *r, ngx_http_licet_tail_t *t, ngx_buf_t *b)
{
    ngx_http_licet_shadow_t *shadow = t->free;

    if (shadow != NULL) {
        t->free = shadow->next;
    } else {
        shadow = ngx_palloc(r->pool, sizeof(*shadow));
        if (shadow == NULL) {
            return NULL;
        }
    }
    shadow->buf = *b;
    shadow->buf.tag = (ngx_buf_tag_t)&ngx_http_licet_tail_filter_module;
    shadow->buf.shadow = NULL;
    /* an empty buffer's owner may use it anew at once */
    shadow->owner = ngx_buf_size(b) != 0 ? b : NULL;
    shadow->pos = b->pos;
    shadow->file_pos = b->file_pos;
    shadow->next = NULL;
    shadow->link.buf = &shadow->buf;
    shadow->link.next = NULL;
    return shadow;
}

/* Shadows of a chain, appended to the busy ones; *out_chain is what goes on. */
static ngx_int_t
ngx_http_licet_tail_shade(ngx_http_request_t *r, ngx_http_licet_tail_t *t, ngx_chain_t *in, ngx_chain_t **out_chain)
{
    ngx_http_licet_shadow_t *shadow;
    uint64_t before = t->in;

    for (; in != NULL; in = in->next) {
        shadow = ngx_http_licet_shadow(r, t, in->buf);
        if (shadow == NULL) {
            return NGX_ERROR;
        }
        t->in += (uint64_t)ngx_buf_size(in->buf);
        if (in->buf->last_buf) {
            t->last = 1;
        }
        *t->busy_last = shadow;
        t->busy_last = &shadow->next;
        *out_chain = &shadow->link;
        out_chain = &shadow->link.next;
    }
    *out_chain = NULL;
    if (t->in > before && !r->connection->error) { /* what comes after an error goes nowhere */
        t->ends[t->chunks++ % NGX_HTTP_LICET_CHUNKS] = t->in;
    }
    return NGX_OK;
}

/* Nothing more can go out, and buffers will be given up: what was delivered is told while they can be read. */
static void
ngx_http_licet_tail_error(ngx_http_licet_ctx_t *ctx)
{
#if (NGX_HTTP_V2)
    if (ctx->request->stream != NULL) {
        return; /* frames of a stream that failed may still go out */
    }
#endif
    if (ctx->request->connection->error && !ctx->told) {
        ngx_http_licet_delivered(ctx, true, &ctx->delivered);
        ctx->told = 1;
    }
}

static ngx_int_t
ngx_http_licet_tail_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_licet_ctx_t *ctx = ngx_http_get_module_ctx(r->main, ngx_http_licet_module);
    ngx_chain_t *out = NULL;
    uint64_t before;
    ngx_int_t rc;

    if (ctx == NULL || ctx->meter == NULL || (ctx->slot == NULL && ctx->tail.busy == NULL)) {
        return ngx_http_next_body_filter(r, in);
    }
    before = ctx->tail.in;
    if (ngx_http_licet_tail_shade(r->main, &ctx->tail, in, &out) != NGX_OK) {
        return NGX_ERROR;
    }
    if (ctx->tail.recoded && ctx->tail.in > before && ngx_http_licet_recoded_mark(ctx) != NGX_OK) {
        return NGX_ERROR;
    }
    rc = ngx_http_next_body_filter(r, out);
    ngx_http_licet_tail_look(ctx);
    if (ctx->slot != NULL) {
        licet_slot_progress(ctx->slot, (uint16_t)ctx->status, ngx_http_licet_tail_handed(ctx));
        ngx_http_licet_tail_error(ctx);
        if (rc != NGX_ERROR && ngx_http_licet_tail_complete(ctx)) {
            ngx_http_licet_settle(ctx, true, false);
        }
    }
    return rc;
}

/* ---- module -------------------------------------------------------------------------- */

static ngx_int_t
ngx_http_licet_tail_init(ngx_conf_t *cf)
{
    (void)cf;
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_licet_tail_header_filter;
    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_licet_tail_body_filter;
    return NGX_OK;
}

static ngx_http_module_t ngx_http_licet_tail_filter_module_ctx = {
    .postconfiguration = ngx_http_licet_tail_init,
};

ngx_module_t ngx_http_licet_tail_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_licet_tail_filter_module_ctx, /* module context */
    NULL,                                   /* module directives */
    NGX_HTTP_MODULE,                        /* module type */
    NULL,                                   /* init master */
    NULL,                                   /* init module */
    NULL,                                   /* init process */
    NULL,                                   /* init thread */
    NULL,                                   /* exit thread */
    NULL,                                   /* exit process */
    NULL,                                   /* exit master */
    NGX_MODULE_V1_PADDING,
};
