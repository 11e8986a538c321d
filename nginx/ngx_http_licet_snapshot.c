/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots: what the count was at a byte that has passed. A client that
 * leaves is charged as at the last byte that was handed on, and the scan is
 * ahead of that by all that is under way.
 *
 *   body        0         4k        8k        12k        m->offset
 *               |---------|---------|--<>---<>|----·········|
 *   snapshots   ^scan     ^scan     ^scan     ^scan           m->scan
 *                            ^ handed on: the scan of its snapshot, fed up to here
 *
 *  (1) One for each buffer under way, in the order of the body. What is in the
 *      TLS buffer is under way too, but its owner may have filled its buffer
 *      anew: over TLS they stand for pieces, and keep the bytes.
 *  (2) Small buffers, such as sub_filter makes, share a piece whose bytes are kept.
 *  (3) When all places are taken every other one is given up, and from then on one
 *      stands for twice as many buffers: a byte past its first buffer counts as at
 *      its end. Never below what the client got, and above by at most a
 *      thirty-second of what is under way, until that is little again.
 *  (4) Where a filter below recodes the body (gzip), bytes are not comparable. The
 *      count is marked each time recoded bytes come out: what they hold was
 *      counted by then.
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_SMALL 1024
#define NGX_HTTP_LICET_RECODED_MARKS 32

typedef struct {
    uint64_t to; /* recoded bytes */
    licet_scan_result result;
} ngx_http_licet_recoded_t;

struct ngx_http_licet_recode_s {
    ngx_uint_t len;
    ngx_http_licet_recoded_t marks[NGX_HTTP_LICET_RECODED_MARKS]; /* in the order of the body */
};

static ngx_http_licet_snapshot_t *
ngx_http_licet_snapshot_of(const ngx_http_licet_meter_t *m, ngx_uint_t i)
{
    return m->snapshots[(m->first + i) % NGX_HTTP_LICET_SNAPSHOTS];
}

/* ---- taking ---------------------------------------------------------------- */

/* Halves what is kept. */
static void
ngx_http_licet_snapshot_thin(ngx_http_licet_meter_t *m)
{
    ngx_http_licet_snapshot_t *kept[NGX_HTTP_LICET_SNAPSHOTS];
    ngx_uint_t i, half = NGX_HTTP_LICET_SNAPSHOTS / 2;

    for (i = 0; i < half; i++) {
        kept[i] = ngx_http_licet_snapshot_of(m, 2 * i);
        kept[half + i] = ngx_http_licet_snapshot_of(m, 2 * i + 1);
        kept[i]->to = kept[half + i]->to;
        kept[i]->parts += kept[half + i]->parts;
        kept[i]->exact = 0;
    }
    ngx_memcpy(m->snapshots, kept, sizeof(kept));
    m->first = 0;
    m->len = half;
    m->stride *= 2;
}

static ngx_http_licet_snapshot_t *
ngx_http_licet_snapshot_place(ngx_http_licet_ctx_t *ctx, bool copy)
{
    ngx_http_licet_meter_t *m = ctx->meter;
    ngx_http_licet_snapshot_t **s = &m->snapshots[(m->first + m->len) % NGX_HTTP_LICET_SNAPSHOTS];

    if ((ngx_uint_t)(s - m->snapshots) >= m->places) {
        *s = ngx_palloc(ctx->request->pool, sizeof(ngx_http_licet_snapshot_t));
        if (*s == NULL) {
            return NULL;
        }
        (*s)->copy = NULL;
        m->places++;
    }
    if (copy && (*s)->copy == NULL) {
        (*s)->copy = ngx_palloc(ctx->request->pool, NGX_HTTP_LICET_PIECE);
        if ((*s)->copy == NULL) {
            return NULL;
        }
    }
    return *s;
}

/* Puts bytes behind those of the newest piece, if they have room there. */
static bool
ngx_http_licet_snapshot_append(ngx_http_licet_meter_t *m, uint64_t from, const u_char *bytes, size_t len)
{
    ngx_http_licet_snapshot_t *s;

    if (m->len == 0) {
        return false;
    }
    s = ngx_http_licet_snapshot_of(m, m->len - 1);
    if (!s->copied || !s->exact || s->to != from || s->to - s->from + len > NGX_HTTP_LICET_PIECE) {
        return false;
    }
    ngx_memcpy(s->copy + (s->to - s->from), bytes, len);
    s->to += len;
    return true;
}

/* Lets the newest stand for these bytes too, where one stands for several buffers. */
static bool
ngx_http_licet_snapshot_extend(ngx_http_licet_meter_t *m, uint64_t end)
{
    ngx_http_licet_snapshot_t *s;

    if (m->len == 0) {
        return false;
    }
    s = ngx_http_licet_snapshot_of(m, m->len - 1);
    if (s->parts >= m->stride) {
        return false;
    }
    s->to = end;
    s->parts++;
    s->exact = 0;
    return true;
}

ngx_int_t
ngx_http_licet_snapshot_take(ngx_http_licet_ctx_t *ctx, uint64_t from, const u_char *bytes, size_t len, bool copy)
{
    ngx_http_licet_meter_t *m = ctx->meter;
    ngx_http_licet_snapshot_t *s;

    copy |= len < NGX_HTTP_LICET_SMALL;
    if ((copy && ngx_http_licet_snapshot_append(m, from, bytes, len)) ||
        ngx_http_licet_snapshot_extend(m, from + len)) {
        return NGX_OK;
    }
    if (m->len == NGX_HTTP_LICET_SNAPSHOTS) {
        ngx_http_licet_snapshot_thin(m);
    }
    s = ngx_http_licet_snapshot_place(ctx, copy);
    if (s == NULL) {
        return NGX_ERROR;
    }
    s->scan = m->scan;
    s->from = from;
    s->to = from + len;
    s->bytes = bytes;
    s->parts = 1;
    s->copied = copy;
    s->exact = 1;
    if (copy) {
        ngx_memcpy(s->copy, bytes, len);
        s->bytes = s->copy;
    }
    m->len++;
    return NGX_OK;
}

void
ngx_http_licet_snapshot_forget(ngx_http_licet_meter_t *m, uint64_t handed)
{
    while (m->len > 0 && m->snapshots[m->first]->to <= handed) {
        m->first = (m->first + 1) % NGX_HTTP_LICET_SNAPSHOTS;
        m->len--;
    }
    if (m->len < NGX_HTTP_LICET_SNAPSHOTS / 4 && m->stride > 1) {
        m->stride /= 2;
    }
}

void
ngx_http_licet_snapshot_back(ngx_http_licet_meter_t *m, uint64_t offset)
{
    ngx_http_licet_snapshot_t *s;

    while (m->len > 0) {
        s = ngx_http_licet_snapshot_of(m, m->len - 1);
        if (s->from < offset) {
            s->to = ngx_min(s->to, offset);
            return;
        }
        m->len--;
    }
}

/* ---- looking ----------------------------------------------------------------- */

/* The scan at body byte 'handed', which lies in the i-th. A buffer is read again only while it is under way. */
static void
ngx_http_licet_snapshot_in(const ngx_http_licet_ctx_t *ctx, ngx_uint_t i, uint64_t handed, bool memory,
                           licet_scan *out_scan)
{
    const ngx_http_licet_meter_t *m = ctx->meter;
    const ngx_http_licet_snapshot_t *s = ngx_http_licet_snapshot_of(m, i);

    if (handed == s->from || (s->exact && (s->copied || (memory && !ctx->tail.stale && ctx->tail.handed < s->to)))) {
        *out_scan = s->scan;
        licet_scan_feed(out_scan, ctx->plan->plan, licet_bytes_of(s->bytes, (size_t)(handed - s->from)), NULL, NULL);
    } else if (i + 1 < m->len) {
        *out_scan = ngx_http_licet_snapshot_of(m, i + 1)->scan;
    }
}

void
ngx_http_licet_snapshot_at(const ngx_http_licet_ctx_t *ctx, uint64_t handed, bool memory, licet_scan *out_scan)
{
    const ngx_http_licet_meter_t *m = ctx->meter;
    const ngx_http_licet_snapshot_t *s;
    ngx_uint_t i;

    for (i = 0; i < m->len; i++) {
        s = ngx_http_licet_snapshot_of(m, i);
        if (handed >= s->from && handed < s->to) {
            ngx_http_licet_snapshot_in(ctx, i, handed, memory, out_scan);
            return;
        }
    }
}

/* ---- recoded bodies ------------------------------------------------------------ */

static void
ngx_http_licet_recoded_thin(ngx_http_licet_recode_t *recode)
{
    ngx_uint_t i;

    recode->len = NGX_HTTP_LICET_RECODED_MARKS / 2;
    for (i = 0; i < recode->len; i++) {
        recode->marks[i] = recode->marks[2 * i + 1];
    }
}

ngx_int_t
ngx_http_licet_recoded_mark(ngx_http_licet_ctx_t *ctx)
{
    ngx_http_licet_meter_t *m = ctx->meter;
    ngx_http_licet_recode_t *recode = m->recode;

    if (m->inflate != NULL) {
        return NGX_OK; /* compressed anew: counted in full */
    }
    if (recode == NULL) {
        m->recode = recode = ngx_palloc(ctx->request->pool, sizeof(*recode));
        if (recode == NULL) {
            return NGX_ERROR;
        }
        ngx_memzero(&recode->marks[0], sizeof(recode->marks[0])); /* nothing, at byte 0 */
        recode->len = 1;
    }
    if (recode->len == NGX_HTTP_LICET_RECODED_MARKS) {
        ngx_http_licet_recoded_thin(recode);
    }
    recode->marks[recode->len].to = ctx->tail.in;
    licet_scan_look(m->waiting ? &m->before : &m->scan, &recode->marks[recode->len].result);
    recode->len++;
    return NGX_OK;
}

void
ngx_http_licet_recoded_forget(ngx_http_licet_meter_t *m, uint64_t handed)
{
    ngx_http_licet_recode_t *recode = m->recode;
    ngx_uint_t n = 0;

    while (n + 1 < recode->len && recode->marks[n].to < handed) {
        n++;
    }
    if (n > 0) {
        recode->len -= n;
        ngx_memmove(recode->marks, recode->marks + n, recode->len * sizeof(recode->marks[0]));
    }
}

void
ngx_http_licet_recoded_at(const ngx_http_licet_meter_t *m, uint64_t handed, licet_scan_result *out_result)
{
    ngx_uint_t i;

    for (i = 0; i < m->recode->len; i++) {
        if (m->recode->marks[i].to >= handed) {
            *out_result = m->recode->marks[i].result;
            return;
        }
    }
}
