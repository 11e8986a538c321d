/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settling: what was delivered, how it ended, once.
 *
 *  (1) A response is settled as soon as all of it is with the kernel; else in
 *      the log phase, else with the pool, else when the worker leaves.
 *  (2) Delivered is the count at the byte that was handed on, not at the byte
 *      that came from the upstream.
 *  (3) Outside 200..299 nothing was delivered; a 1xx in place of an answer is unmetered.
 */
#include "ngx_http_licet.h"

/* ---- how it ended ----------------------------------------------------------- */

static bool
ngx_http_licet_bodiless(const ngx_http_licet_ctx_t *ctx)
{
    return ctx->request->header_only || ctx->request->method == NGX_HTTP_HEAD ||
           (ctx->status < NGX_HTTP_OK && !ctx->counts) || ctx->status == NGX_HTTP_NO_CONTENT ||
           ctx->status == NGX_HTTP_NOT_MODIFIED;
}

/* nginx answered for an upstream that did not, or the upstream itself said no. */
static licet_ending
ngx_http_licet_ending_refused(const ngx_http_licet_ctx_t *ctx)
{
    const ngx_http_upstream_t *u = ctx->request->upstream;

    if (u != NULL && u->headers_in.status_n != ctx->status) {
        if (ctx->status == NGX_HTTP_GATEWAY_TIME_OUT) {
            return LICET_ENDING_UPSTREAM_TIMED_OUT;
        }
        if (ctx->status == NGX_HTTP_BAD_GATEWAY) {
            return LICET_ENDING_UPSTREAM_ABORTED;
        }
    }
    return LICET_ENDING_UPSTREAM_REFUSED;
}

/* nginx keeps a timer that is set anew within 300 ms, so that a time-out may come that much early; and the meter may
 * learn of the last bytes as much later. */
static bool
ngx_http_licet_silent(const ngx_http_licet_ctx_t *ctx, const ngx_http_upstream_t *u)
{
    ngx_msec_t patience, end = ngx_current_msec;

    if (u->conf == NULL) {
        return false;
    }
    if (u->state != NULL && u->state->response_time != (ngx_msec_t)-1) {
        end = u->start_time + u->state->response_time; /* HTTP/2 may take its time with what is left */
    }
    patience = u->conf->read_timeout;
    return (ngx_msec_int_t)(end - ctx->fed) >= 0 &&
           (ngx_msec_t)(end - ctx->fed) >= patience - ngx_min(2 * NGX_TIMER_LAZY_DELAY, patience / 2);
}

/* The same for what came through a pipe: its connection is closed by now, and says why while nobody else has it. */
static bool
ngx_http_licet_pipe_silent(const ngx_http_licet_ctx_t *ctx, const ngx_http_upstream_t *u)
{
    const ngx_event_pipe_t *p = u->pipe;

    if (p->upstream_eof) {
        return false;
    }
    if (p->upstream != NULL && p->upstream->fd == (ngx_socket_t)-1) {
        return p->upstream->read->timedout;
    }
    return ngx_http_licet_silent(ctx, u);
}

/* The upstream ended, or fell silent, before the body was whole. */
static bool
ngx_http_licet_upstream_broke(const ngx_http_licet_ctx_t *ctx, bool *out_silent)
{
    const ngx_http_upstream_t *u = ctx->request->upstream;

    *out_silent = false;
    if (u == NULL || ctx->meter->last) {
        return false;
    }
    if (u->buffering && u->pipe != NULL) {
        *out_silent = ngx_http_licet_pipe_silent(ctx, u);
        return u->pipe->upstream_error || (u->pipe->upstream_eof && u->pipe->length != -1);
    }
    *out_silent = ngx_http_licet_silent(ctx, u);
    return !ctx->request->connection->error;
}

/* HTTP/3 says it on the events of the stream alone. */
static bool
ngx_http_licet_client_gone(const ngx_connection_t *c)
{
    return c->error || c->read->error || c->write->error;
}

static licet_ending
ngx_http_licet_ending_body(const ngx_http_licet_ctx_t *ctx)
{
    const ngx_http_request_t *r = ctx->request;
    bool silent;

    if (ngx_http_licet_bodiless(ctx)) {
        return LICET_ENDING_NO_BODY;
    }
    if (ngx_http_licet_tail_complete(ctx)) {
        /* FastCGI and its kin may end in order before all that was promised has come */
        return r->headers_out.content_length_n > (off_t)ctx->tail.in ? LICET_ENDING_UPSTREAM_ABORTED
                                                                     : LICET_ENDING_COMPLETE;
    }
    if (r->connection->timedout) {
        return LICET_ENDING_SEND_TIMED_OUT;
    }
    if (ngx_http_licet_upstream_broke(ctx, &silent)) {
        return silent ? LICET_ENDING_UPSTREAM_TIMED_OUT : LICET_ENDING_UPSTREAM_ABORTED;
    }
    if (ngx_http_licet_client_gone(r->connection) || r->upstream == NULL || r->upstream->pipe == NULL ||
        r->upstream->pipe->downstream_error || ctx->meter->last) {
        return LICET_ENDING_CLIENT_CLOSED_BODY;
    }
    return LICET_ENDING_UPSTREAM_ABORTED;
}

static licet_ending
ngx_http_licet_ending(const ngx_http_licet_ctx_t *ctx, bool stopped)
{
    if (ctx->state == NGX_HTTP_LICET_REFUSED) {
        return LICET_ENDING_REFUSED;
    }
    if (ctx->meter != NULL && ctx->meter->cut) {
        return ctx->meter->revoked ? LICET_ENDING_CUT_BY_REVOCATION : LICET_ENDING_CUT_BY_LIMIT;
    }
    if (stopped) {
        return LICET_ENDING_GATE_STOPPED;
    }
    if (ctx->meter == NULL || !ctx->request->header_sent) {
        return LICET_ENDING_CLIENT_CLOSED_HEAD;
    }
    if (ctx->status >= NGX_HTTP_BAD_REQUEST) {
        return ngx_http_licet_ending_refused(ctx);
    }
    return ngx_http_licet_ending_body(ctx);
}

/* ---- what was delivered ------------------------------------------------------------ */

void
ngx_http_licet_delivered(ngx_http_licet_ctx_t *ctx, bool memory, ngx_http_licet_delivered_t *out_delivered)
{
    const ngx_http_licet_meter_t *m = ctx->meter;

    if (ctx->settled || ctx->told) {
        *out_delivered = ctx->delivered;
        return;
    }
    ngx_memzero(out_delivered, sizeof(*out_delivered));
    if (m == NULL || ctx->state != NGX_HTTP_LICET_ADMITTED) {
        return;
    }
    ngx_http_licet_tail_look(ctx);
    out_delivered->bytes = ngx_http_licet_tail_handed(ctx);
    if (!ctx->counts || !ctx->request->header_sent) {
        return;
    }
    out_delivered->units[LICET_KIND_REQUEST] = 1;
    out_delivered->unmetered = ctx->unmetered;
    if (m->scanning) {
        ngx_http_licet_meter_at(ctx, out_delivered->bytes, memory, out_delivered);
        if (m->last && m->offset == 0) {
            out_delivered->unmetered = LICET_UNMETERED_EMPTY;
        }
    } else if (m->offset == 0) {
        /* nothing came that could have been counted; a metered endpoint that owed something is another matter */
        out_delivered->unmetered = ctx->unmetered == LICET_UNMETERED_UNLISTED || !m->last ? LICET_UNMETERED_NONE
                                   : ctx->unmetered != LICET_UNMETERED_NONE               ? LICET_UNMETERED_EMPTY
                                                                                          : LICET_UNMETERED_NONE;
    }
    if (m->bytes_bound) {
        out_delivered->units[LICET_KIND_BYTE] = out_delivered->bytes;
    }
}

void
ngx_http_licet_settle(ngx_http_licet_ctx_t *ctx, bool memory, bool stopped)
{
    licet_settlement s;
    uint32_t i;

    if (ctx->slot == NULL) {
        return;
    }
    ngx_http_licet_delivered(ctx, memory, &ctx->delivered);
    ngx_memzero(&s, sizeof(s));
    s.ending = ngx_http_licet_ending(ctx, stopped);
    s.status =
        (uint16_t)(ctx->meter != NULL || ctx->state == NGX_HTTP_LICET_REFUSED ? ctx->status
                                                                              : ctx->request->headers_out.status);
    s.unmetered = ctx->delivered.unmetered;
    s.bytes = ctx->delivered.bytes;
    s.bytes_acked = s.ending == LICET_ENDING_CLIENT_CLOSED_BODY || s.ending == LICET_ENDING_SEND_TIMED_OUT
                        ? ngx_http_licet_tail_acked(ctx)
                        : UINT64_MAX;
    for (i = 0; i < LICET_KINDS_MAX; i++) {
        s.units[i] = ctx->delivered.units[i];
        s.ids[i] = ctx->delivered.ids[i];
    }
    s.duration_ms = (uint32_t)(ngx_current_msec - ctx->started);
    s.reason = ctx->reason;
    s.verdict = ctx->result;
    licet_slot_settle(ctx->area->worker, ctx->slot, &s);
    ctx->slot = NULL;
    ctx->settled = 1;
    ngx_queue_remove(&ctx->live);
}
