/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting in the body: a page that outgrew its reservation, and the lease has
 * no more at the moment. Nothing is handed on that is not durable as granted,
 * so its buffers wait above gzip until licetd has lent more.
 *
 *      buffer ─► count ─┬─► on to gzip
 *                 ▲     ├─► short: kept here ─► 5 ms ─┐
 *                 └─────┼─────────────────────────────┘ 1 s at most, then cannot_record:
 *                       └─► open, allow N: stated as a gap; refuse: cut
 *
 *  (1) Buffers that wait stay in order; what comes behind them waits too. Their owner sees them as busy.
 *  (2) nginx knows by the connection's buffered flag that there is more; it is this timer that goes on, not a write
 *      event, for the client may have read everything.
 *  (3) The timer dies with the request's pool.
 *  (4) It waits ten times as long as an admission does: a response that is cut is dearer than one that is late, and a
 *      slow disk can take some hundred milliseconds for one sync.
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_BODY_STEP 5        /* ms between attempts */
#define NGX_HTTP_LICET_BODY_PATIENCE 1000 /* ms */

static void
ngx_http_licet_body_over(ngx_event_t *ev)
{
    ngx_http_licet_ctx_t *ctx = ev->data;
    ngx_http_request_t *r = ctx->request;
    ngx_connection_t *c = r->connection;

    ngx_http_set_log_request(c->log, r);
    if (ngx_http_output_filter(r, NULL) == NGX_ERROR && r->upstream != NULL && r->upstream->pipe != NULL) {
        r->upstream->pipe->downstream_error = 1; /* everybody else asks for output again, and meets the error */
    }
    r->write_event_handler(r);
    ngx_http_run_posted_requests(c);
}

static void
ngx_http_licet_body_forget(void *data)
{
    ngx_http_licet_ctx_t *ctx = data;

    if (ctx->body_wait.timer_set) {
        ngx_del_timer(&ctx->body_wait);
    }
}

bool
ngx_http_licet_body_may_wait(const ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    if (r != r->main || r->postponed != NULL || r->connection->error || ngx_exiting) {
        return false; /* parts of several requests come through here one after the other */
    }
    if (!ctx->body_short) {
        ctx->body_short = 1;
        ctx->body_since = ngx_current_msec;
    }
    return (ngx_msec_t)(ngx_current_msec - ctx->body_since) < NGX_HTTP_LICET_BODY_PATIENCE;
}

ngx_int_t
ngx_http_licet_body_keep(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_pool_cleanup_t *cleanup;

    if (ngx_chain_add_copy(r->pool, &ctx->body_kept, in) != NGX_OK) {
        return NGX_ERROR;
    }
    if (ctx->body_wait.data == NULL) {
        cleanup = ngx_pool_cleanup_add(r->pool, 0);
        if (cleanup == NULL) {
            return NGX_ERROR;
        }
        cleanup->handler = ngx_http_licet_body_forget;
        cleanup->data = ctx;
        ctx->body_wait.handler = ngx_http_licet_body_over;
        ctx->body_wait.data = ctx;
        ctx->body_wait.log = r->connection->log;
        ctx->body_wait.cancelable = 1;
    }
    if (!ctx->body_wait.timer_set) {
        ngx_add_timer(&ctx->body_wait, NGX_HTTP_LICET_BODY_STEP);
    }
    r->connection->buffered |= NGX_HTTP_LICET_BUFFERED;
    return NGX_AGAIN;
}

ngx_int_t
ngx_http_licet_body_take(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, ngx_chain_t **in)
{
    if (ctx->body_kept == NULL) {
        return NGX_OK;
    }
    if (ngx_chain_add_copy(r->pool, &ctx->body_kept, *in) != NGX_OK) {
        return NGX_ERROR;
    }
    *in = ctx->body_kept;
    ctx->body_kept = NULL;
    r->connection->buffered &= 0xff & ~NGX_HTTP_LICET_BUFFERED;
    return NGX_OK;
}
