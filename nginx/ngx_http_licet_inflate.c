/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies that come compressed: the bytes pass untouched, the scan reads a copy
 * that the library inflates beside them.
 *
 *   compressed   0        1k        2k        3k          m->offset
 *                |---------|---------|---------|-----·········|
 *   marks        ^0        ^20       ^61       ^97            units: m->scan
 *
 *  (1) An inflater is not copied: it holds a window of up to 16 MiB. So what is
 *      counted is written down at the end of each piece of the compressed body,
 *      and a page that was cut counts as at the first mark at or behind the last
 *      byte that was handed on: never below what the client got, at most one
 *      piece above.
 *  (2) A piece is 1 kB. Where more than 32 of them are under way every other mark
 *      is given up and pieces are twice as long: at most a sixteenth of what is
 *      under way.
 *  (3) Once the count has a fault nothing is inflated any more, and the inflater's
 *      memory is given back; so it is at the end of the body, and with the ctx.
 *  (4) What the inflaters of a worker take together has a ceiling: what it does
 *      not let in is passed and booked as unmetered.
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_MARKS 32
#define NGX_HTTP_LICET_COMPRESSED_PIECE 1024

typedef struct {
    uint64_t to; /* compressed bytes */
    licet_scan_result result;
} ngx_http_licet_mark_t;

struct ngx_http_licet_inflate_s {
    licet_inflate *z; /* NULL: over */
    licet_inflated state;
    licet_unmetered fault, fault_before; /* now, and before the buffer in hand */
    uint64_t at, marked, step;           /* compressed bytes inflated; where the last mark is; length of a piece */
    ngx_uint_t len;
    ngx_http_licet_mark_t marks[NGX_HTTP_LICET_MARKS]; /* in the order of the body */
};

/* ---- head ------------------------------------------------------------------ */

bool
ngx_http_licet_coding(const ngx_http_request_t *r, licet_coding *out_coding)
{
    static const ngx_str_t name = ngx_string("Content-Encoding");
    const ngx_list_part_t *part;
    const ngx_table_elt_t *h;
    licet_coding one;
    ngx_uint_t i;

    *out_coding = LICET_CODING_IDENTITY;
    for (part = &r->headers_out.headers.part; part != NULL; part = part->next) {
        h = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash == 0 || h[i].key.len != name.len ||
                ngx_strncasecmp(h[i].key.data, name.data, name.len) != 0) {
                continue;
            }
            if (!licet_coding_of(ngx_http_licet_bytes(h[i].value), &one) ||
                (one != LICET_CODING_IDENTITY && *out_coding != LICET_CODING_IDENTITY)) {
                return false;
            }
            *out_coding = ngx_max(*out_coding, one);
        }
    }
    return true;
}

bool
ngx_http_licet_inflate_begin(ngx_http_licet_ctx_t *ctx, licet_coding coding)
{
    static const licet_inflate_limits limits = LICET_INFLATE_LIMITS;
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    ngx_http_licet_inflate_t *f;

    f = ngx_palloc(ctx->request->pool, sizeof(*f));
    if (f == NULL) {
        return false;
    }
    ngx_memzero(f, offsetof(ngx_http_licet_inflate_t, marks) + sizeof(ngx_http_licet_mark_t));
    f->len = 1; /* nothing, at byte 0 */
    f->step = NGX_HTTP_LICET_COMPRESSED_PIECE;
    if (!licet_inflate_new(coding, &limits, &ctx->area->inflaters, &f->z, &err)) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0, "licet: a compressed body cannot be counted: %s",
                      err.text);
        return false;
    }
    ctx->meter->inflate = f;
    return true;
}

static void
ngx_http_licet_inflate_over(ngx_http_licet_inflate_t *f)
{
    licet_inflate_free(f->z);
    f->z = NULL;
}

void
ngx_http_licet_inflate_done(ngx_http_licet_ctx_t *ctx)
{
    if (ctx->meter != NULL && ctx->meter->inflate != NULL) {
        ngx_http_licet_inflate_over(ctx->meter->inflate);
    }
}

/* ---- marks -------------------------------------------------------------------- */

/* What is counted with all that was inflated. */
static void
ngx_http_licet_inflate_result(const ngx_http_licet_meter_t *m, licet_scan_result *out_result)
{
    licet_scan_look(&m->scan, out_result);
    if (m->inflate->fault != LICET_UNMETERED_NONE) {
        out_result->reason = m->inflate->fault; /* it came before any of the scan's */
    }
}

static void
ngx_http_licet_inflate_mark(ngx_http_licet_meter_t *m)
{
    ngx_http_licet_inflate_t *f = m->inflate;
    ngx_uint_t i;

    if (f->len == NGX_HTTP_LICET_MARKS) {
        for (i = 0; i < NGX_HTTP_LICET_MARKS / 2; i++) {
            f->marks[i] = f->marks[2 * i + 1];
        }
        f->len = NGX_HTTP_LICET_MARKS / 2;
        f->step *= 2;
    }
    f->marked = f->marks[f->len].to = f->at;
    ngx_http_licet_inflate_result(m, &f->marks[f->len].result);
    f->len++;
}

void
ngx_http_licet_inflate_forget(ngx_http_licet_meter_t *m, uint64_t handed)
{
    ngx_http_licet_inflate_t *f = m->inflate;
    ngx_uint_t n = 0;

    while (n < f->len && f->marks[n].to < handed) {
        n++;
    }
    if (n > 0) {
        f->len -= n;
        ngx_memmove(f->marks, f->marks + n, f->len * sizeof(f->marks[0]));
    }
    if (f->len < NGX_HTTP_LICET_MARKS / 4 && f->step > NGX_HTTP_LICET_COMPRESSED_PIECE) {
        f->step /= 2;
    }
}

void
ngx_http_licet_inflate_at(const ngx_http_licet_meter_t *m, uint64_t handed, licet_scan_result *out_result)
{
    const ngx_http_licet_inflate_t *f = m->inflate;
    ngx_uint_t i;

    for (i = 0; i < f->len; i++) {
        if (f->marks[i].to >= handed) {
            *out_result = f->marks[i].result;
            return;
        }
    }
    ngx_http_licet_inflate_result(m, out_result);
}

/* ---- body ------------------------------------------------------------------------ */

static void
ngx_http_licet_on_inflated(void *user, licet_bytes piece)
{
    ngx_http_licet_ctx_t *ctx = user;

    licet_scan_feed(&ctx->meter->scan, ctx->plan->plan, piece, ngx_http_licet_on_id, ctx);
}

static void
ngx_http_licet_inflate_piece(ngx_http_licet_ctx_t *ctx, licet_bytes piece)
{
    ngx_http_licet_inflate_t *f = ctx->meter->inflate;
    licet_scan_result result;

    f->state = licet_inflate_feed(f->z, piece, ngx_http_licet_on_inflated, ctx);
    licet_scan_look(&ctx->meter->scan, &result);
    if (result.reason == LICET_UNMETERED_NONE && f->state != LICET_INFLATED_MORE) {
        f->fault = licet_inflated_reason(f->state);
    }
    if (result.reason != LICET_UNMETERED_NONE || f->fault != LICET_UNMETERED_NONE) {
        ngx_http_licet_inflate_over(f);
    }
}

void
ngx_http_licet_inflate_feed(ngx_http_licet_ctx_t *ctx, const u_char *bytes, size_t len)
{
    ngx_http_licet_meter_t *m = ctx->meter;
    ngx_http_licet_inflate_t *f = m->inflate;
    uint64_t end;
    size_t piece;

    f->fault_before = f->fault;
    while (len > 0 && f->z != NULL) {
        end = ngx_max(f->marked + f->step, f->at + 1); /* a piece that became shorter may have ended already */
        piece = (size_t)ngx_min(len, end - f->at);
        ngx_http_licet_inflate_piece(ctx, licet_bytes_of(bytes, piece));
        f->at += piece;
        bytes += piece;
        len -= piece;
        if (f->at >= end) {
            ngx_http_licet_inflate_mark(m);
        }
    }
}

void
ngx_http_licet_inflate_uncount(ngx_http_licet_meter_t *m)
{
    ngx_http_licet_inflate_t *f = m->inflate;

    f->fault = f->fault_before;
    while (f->len > 0 && f->marks[f->len - 1].to > m->offset) {
        f->len--;
    }
}

void
ngx_http_licet_inflate_last(ngx_http_licet_meter_t *m)
{
    ngx_http_licet_inflate_t *f = m->inflate;

    if (f->z != NULL) {
        f->fault = licet_inflated_reason(f->state);
        ngx_http_licet_inflate_over(f);
    }
}
