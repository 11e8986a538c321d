/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meter: the filter right above gzip. It counts units and ids in the body as
 * it passes, after everything that changes a body and before compression.
 *
 *  (1) The count so far is in the slot before the bytes that carry it go on.
 *  (2) A page that outgrows its reservation tops it up first; when the limit
 *      has no more the agreement says: deliver, or cut before the buffer.
 *      Observe delivers. When the lease has no more the buffer waits for it,
 *      and then cannot_record applies: nothing leaves beyond a durable bound.
 *  (3) A snapshot of the scan stands at the start of each buffer under way, so
 *      that the count at any byte of it can be told when the client leaves.
 *  (4) What cannot be counted is passed with its reason, never as zero.
 *  (5) A response of a gated location that nobody admitted does not leave.
 *  (6) A body without a page reserves ahead: a quarter of what it brought, at most 64 units or 64 KiB, so that a stream
 *      does not go to the counters for each unit. Near a limit it reserves what it brings and no more.
 *  (7) What comes compressed is counted in a copy (ngx_http_licet_inflate.c).
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_AHEAD_UNITS 64
#define NGX_HTTP_LICET_AHEAD_BYTES 65536

static ngx_http_output_header_filter_pt ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt ngx_http_next_body_filter;

/* ---- head ------------------------------------------------------------------ */

static bool
ngx_http_licet_token(ngx_str_t value, const char *name)
{
    return value.len == ngx_strlen(name) && ngx_strncasecmp(value.data, (u_char *)name, value.len) == 0;
}

static bool
ngx_http_licet_ends(ngx_str_t value, const char *end)
{
    size_t len = ngx_strlen(end);

    return value.len > len && ngx_strncasecmp(value.data + value.len - len, (u_char *)end, len) == 0;
}

/* The form of a media type; false: not one that is counted. */
static bool
ngx_http_licet_form(ngx_str_t type, licet_body_form *out_form)
{
    static const char *const lines[] = {"application/x-ndjson", "application/ndjson", "application/jsonl",
                                        "application/x-jsonlines", "application/json-lines"};
    u_char *semicolon = ngx_strlchr(type.data, type.data + type.len, ';');
    ngx_uint_t i;

    if (semicolon != NULL) {
        type.len = (size_t)(semicolon - type.data);
    }
    while (type.len > 0 && type.data[type.len - 1] == ' ') {
        type.len--;
    }
    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (ngx_http_licet_token(type, lines[i])) {
            *out_form = LICET_BODY_NDJSON;
            return true;
        }
    }
    *out_form = LICET_BODY_JSON;
    return ngx_http_licet_token(type, "application/json") || ngx_http_licet_token(type, "text/json") ||
           ngx_http_licet_ends(type, "+json");
}

static bool
ngx_http_licet_upgraded(const ngx_http_request_t *r)
{
    return r->upstream != NULL && r->upstream->upgrade;
}

/* What of this response is counted, judged by its head. */
static void
ngx_http_licet_meter_begin(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, ngx_http_licet_meter_t *m)
{
    licet_body_form form;
    licet_coding coding;

    /* nginx takes a 1xx that asks for nothing for the answer, and passes what follows it on as its body */
    ctx->counts =
        ctx->status < NGX_HTTP_SPECIAL_RESPONSE && (ctx->status >= NGX_HTTP_OK || !ngx_http_licet_upgraded(r));
    if (!ctx->counts || r->method == NGX_HTTP_HEAD || ctx->status == NGX_HTTP_NO_CONTENT) {
        return;
    }
    if (ctx->verdict.endpoint == LICET_NONE) {
        ctx->unmetered = LICET_UNMETERED_UNLISTED;
    } else if (ctx->plan->plan == NULL) {
        return;
    } else if (ctx->status == NGX_HTTP_PARTIAL_CONTENT) {
        ctx->unmetered = LICET_UNMETERED_RANGE;
    } else if (!ngx_http_licet_coding(r, &coding)) {
        ctx->unmetered = LICET_UNMETERED_ENCODING;
    } else if (!ngx_http_licet_form(r->headers_out.content_type, &form)) {
        ctx->unmetered = LICET_UNMETERED_MEDIA_TYPE;
    } else if (coding != LICET_CODING_IDENTITY && !ngx_http_licet_inflate_begin(ctx, coding)) {
        ctx->unmetered = LICET_UNMETERED_INFLATES_TOO_FAR;
    } else {
        licet_scan_init(&m->scan, ctx->plan->plan, form);
        m->scanning = 1;
        r->filter_need_in_memory = 1;
        r->main_filter_need_in_memory = 1;
    }
}

/* What the gate behind this one calls the response: one header of exactly 32 hex digits. What came from a cache of ours
 * was decided there before, for another request. */
static void
ngx_http_licet_keep_peer(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    static const size_t name = sizeof("Licet-Decision") - 1;
    const ngx_table_elt_t *h, *found = NULL;
    const ngx_list_part_t *part;
    uint8_t peer[16];
    ngx_uint_t i, n = 0;

    if (ctx->slot == NULL || r->upstream == NULL) {
        return;
    }
    for (part = &r->headers_out.headers.part; part != NULL; part = part->next) {
        h = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash != 0 && h[i].key.len == name &&
                ngx_strncasecmp(h[i].key.data, (u_char *)"Licet-Decision", name) == 0) {
                found = &h[i];
                n++;
            }
        }
    }
    licet_slot_peer(ctx->slot,
                    n == 1 && !r->cached && licet_unhex(ngx_http_licet_bytes(found->value), peer, 16) ? peer : NULL);
}

static ngx_int_t
ngx_http_licet_decorate(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    ngx_str_t decision = {LICET_DECISION_TEXT - 1, ctx->decision};

    ngx_http_licet_keep_peer(r, ctx);
    ngx_http_licet_strip_out(&r->headers_out.headers);
    if (ctx->decision[0] != '\0' && ngx_http_licet_push_out(r, "Licet-Decision", decision) != NGX_OK) {
        return NGX_ERROR;
    }
    if (!ctx->limits_known) {
        return NGX_OK;
    }
    return ngx_http_licet_old_headers(r, ctx) == NGX_OK ? ngx_http_licet_ratelimit(r, ctx) : NGX_ERROR;
}

/* Errors and redirects of nginx's own carry nothing licensed; what an upstream or a content handler made does. */
static bool
ngx_http_licet_harmless(const ngx_http_request_t *r)
{
    return r->filter_finalize || (r->upstream == NULL && (r->headers_out.status >= NGX_HTTP_SPECIAL_RESPONSE ||
                                                          r->headers_out.status == NGX_HTTP_NO_CONTENT));
}

static ngx_int_t
ngx_http_licet_unadmitted(ngx_http_request_t *r)
{
    ngx_http_licet_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_licet_module);

    if (!lcf->enable || lcf->api || ngx_http_licet_harmless(r)) {
        return ngx_http_next_header_filter(r);
    }
    ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                  "licet: a response of a gated location was not admitted and is withheld: answer before the content "
                  "phase (\"return\", \"empty_gif\") only where \"licet off\" is said");
    return ngx_http_filter_finalize_request(r, &ngx_http_licet_meter_filter_module, NGX_HTTP_INTERNAL_SERVER_ERROR);
}

static ngx_int_t
ngx_http_licet_meter_header_filter(ngx_http_request_t *r)
{
    ngx_http_licet_ctx_t *ctx;
    uint32_t i;

    if (r != r->main || r->post_action) {
        return ngx_http_next_header_filter(r);
    }
    ctx = ngx_http_licet_find(r);
    if (ctx == NULL) {
        return ngx_http_licet_unadmitted(r);
    }
    if (ngx_http_licet_decorate(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }
    if (ctx->slot == NULL) {
        return ngx_http_next_header_filter(r);
    }
    if (ctx->meter == NULL) {
        /* the places at the end need no zeros */
        ctx->meter = ngx_palloc(r->pool, sizeof(ngx_http_licet_meter_t));
        if (ctx->meter == NULL) {
            return NGX_ERROR;
        }
        ngx_memzero(ctx->meter, offsetof(ngx_http_licet_meter_t, snapshots));
        ctx->meter->stride = 1;
        for (i = 0; i < LICET_KINDS_MAX; i++) {
            ctx->meter->reserved[i] = ctx->verdict.reserve[i];
        }
        for (i = 0; i < ctx->verdict.limits_len; i++) {
            ctx->meter->bytes_bound |= ctx->verdict.limits[i].kind == LICET_KIND_BYTE;
        }
    }
    /* an error page in place of a head that a filter withdrew begins anew */
    ngx_http_licet_inflate_done(ctx);
    ctx->meter->inflate = NULL;
    ctx->meter->encoding = r->headers_out.content_encoding;
    ctx->meter->scanning = 0;
    ctx->unmetered = LICET_UNMETERED_NONE;
    ctx->status = r->headers_out.status;
    ctx->fed = ngx_current_msec;
    ngx_http_licet_meter_begin(r, ctx, ctx->meter);
    licet_slot_progress(ctx->slot, (uint16_t)ctx->status, 0);
    return ngx_http_next_header_filter(r);
}

/* ---- ids --------------------------------------------------------------------- */

static void
ngx_http_licet_ids_flush(ngx_http_licet_ctx_t *ctx)
{
    ngx_http_licet_meter_t *m = ctx->meter;

    if (m->ids_count > 0 &&
        !licet_slot_ids(ctx->area->worker, ctx->slot, m->ids_kind, m->ids_count, licet_bytes_of(m->ids, m->ids_len))) {
        m->ids_lost = 1;
    }
    m->ids_count = 0;
    m->ids_len = 0;
}

void
ngx_http_licet_on_id(void *user, unsigned unit, licet_bytes id)
{
    ngx_http_licet_ctx_t *ctx = user;
    ngx_http_licet_meter_t *m = ctx->meter;
    uint32_t kind = ctx->plan->kind[unit];

    if (id.len > LICET_SCAN_ID_MAX) {
        return; /* the scan says so */
    }
    if (m->ids_kind != kind || m->ids_len + 1 + id.len > sizeof(m->ids)) {
        ngx_http_licet_ids_flush(ctx);
        m->ids_kind = kind;
    }
    m->ids[m->ids_len++] = (u_char)id.len;
    ngx_memcpy(m->ids + m->ids_len, id.data, id.len);
    m->ids_len += id.len;
    m->ids_count++;
}

/* ---- scanning ------------------------------------------------------------------- */

void
ngx_http_licet_meter_forget(ngx_http_licet_ctx_t *ctx)
{
    ngx_http_licet_meter_t *m = ctx->meter;
    uint64_t handed = ngx_http_licet_tail_handed(ctx);

    if (m->inflate != NULL) {
        ngx_http_licet_inflate_forget(m, handed);
    } else if (!ctx->tail.recoded) {
        ngx_http_licet_snapshot_forget(m, handed);
    } else if (m->recode != NULL) {
        ngx_http_licet_recoded_forget(m, handed);
    }
}

static bool
ngx_http_licet_over_tls(const ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)
    if (r->stream != NULL) {
        return false; /* what is in the TLS buffer counts as handed on there */
    }
#endif
#if (NGX_HTTP_SSL)
    return r->connection->ssl != NULL;
#else
    return false;
#endif
}

/* Feeds one buffer, with a snapshot before each part of it that may have to be told apart. */
static ngx_int_t
ngx_http_licet_feed(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, const u_char *bytes, size_t len)
{
    ngx_http_licet_meter_t *m = ctx->meter;
    bool copy = ngx_http_licet_over_tls(r);
    size_t done = 0, piece;

    if (m->inflate != NULL) {
        ngx_http_licet_inflate_feed(ctx, bytes, len);
        return NGX_OK;
    }
    while (done < len) {
        piece = copy ? ngx_min(len - done, NGX_HTTP_LICET_PIECE) : len;
        if (!ctx->tail.recoded &&
            ngx_http_licet_snapshot_take(ctx, m->offset + done, bytes + done, piece, copy) != NGX_OK) {
            return NGX_ERROR;
        }
        licet_scan_feed(&m->scan, ctx->plan->plan, licet_bytes_of(bytes + done, piece), ngx_http_licet_on_id, ctx);
        done += piece;
    }
    return NGX_OK;
}

static void
ngx_http_licet_units(const ngx_http_licet_ctx_t *ctx, const licet_scan_result *result, ngx_http_licet_delivered_t *out)
{
    ngx_uint_t i;

    for (i = 0; i < ctx->plan->units; i++) {
        out->units[ctx->plan->kind[i]] += result->count[i];
        out->ids[ctx->plan->kind[i]] += result->ids[i];
    }
    out->unmetered = result->reason;
}

void
ngx_http_licet_meter_at(const ngx_http_licet_ctx_t *ctx, uint64_t handed, bool memory,
                        ngx_http_licet_delivered_t *out_delivered)
{
    const ngx_http_licet_meter_t *m = ctx->meter;
    licet_scan_result result;
    licet_scan scan = m->waiting ? m->before : m->scan; /* all of it: never below what the client got */
    bool part = handed < m->offset && !ctx->tail.recoded && ctx->tail.in == m->offset;

    if (part && m->inflate == NULL) {
        ngx_http_licet_snapshot_at(ctx, handed, memory, &scan);
    }
    licet_scan_look(&scan, &result);
    if (m->inflate != NULL) {
        ngx_http_licet_inflate_at(m, part ? handed : m->waiting ? m->offset : UINT64_MAX, &result);
    } else if (ctx->tail.recoded && m->recode != NULL && !(ctx->tail.last && handed == ctx->tail.in)) {
        ngx_http_licet_recoded_at(m, handed, &result);
    }
    ngx_http_licet_units(ctx, &result, out_delivered);
    if (m->ids_lost && out_delivered->unmetered == LICET_UNMETERED_NONE) {
        out_delivered->unmetered = LICET_UNMETERED_IDS_LOST;
    }
}

/* ---- body ------------------------------------------------------------------------- */

/* How much more than it brought a body reserves where nobody knows its size: a quarter, and no more than a little. */
static uint64_t
ngx_http_licet_ahead(const ngx_http_licet_ctx_t *ctx, uint32_t kind, uint64_t units)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_image_count *count;
    licet_range counts = {0, 0};
    uint32_t i;

    if (kind == LICET_KIND_BYTE) {
        return ngx_min(units / 4, NGX_HTTP_LICET_AHEAD_BYTES);
    }
    if (ctx->verdict.endpoint != LICET_NONE) {
        counts = image->endpoints[ctx->verdict.endpoint].counts;
    }
    for (i = 0; i < counts.count; i++) {
        count = &image->counts[counts.first + i];
        if (count->kind == kind && count->page_from == LICET_PAGE_NONE) {
            return ngx_min(units / 4, NGX_HTTP_LICET_AHEAD_UNITS);
        }
    }
    return 0;
}

/* NGX_OK, NGX_AGAIN: the lease is short, NGX_DECLINED: the buffer must not go on. */
static ngx_int_t
ngx_http_licet_reserve(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, uint32_t kind, uint64_t units)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_image_version *version = &image->versions[ctx->verdict.version];
    bool cut = version->on_overrun == LICET_OVERRUN_CUT && version->mode == LICET_MODE_ENFORCE;
    ngx_http_licet_meter_t *m = ctx->meter;
    licet_worker *worker = ctx->area->worker;
    uint64_t ahead;

    if (units <= m->reserved[kind]) {
        return NGX_OK;
    }
    ahead = ngx_http_licet_ahead(ctx, kind, units);
    if (ahead > 0 && licet_slot_top_up(worker, ctx->slot, kind, units + ahead)) {
        ctx->body_short = 0;
        m->reserved[kind] = units + ahead;
        return NGX_OK;
    }
    if (!licet_slot_top_up(worker, ctx->slot, kind, units) &&
        (cut || !licet_slot_overrun(worker, ctx->slot, kind, units))) {
        if (cut && !licet_slot_lease_short(worker, ctx->slot, kind, units)) {
            return NGX_DECLINED;
        }
        if (ngx_http_licet_body_may_wait(r, ctx)) {
            return NGX_AGAIN;
        }
        if (!licet_slot_unrecorded(worker, ctx->slot, image, kind, units)) {
            return NGX_DECLINED;
        }
    } else {
        ctx->body_short = 0; /* only then is the next shortage a new one */
    }
    m->reserved[kind] = units;
    return NGX_OK;
}

/* Stores what the next len bytes bring. NGX_OK, NGX_AGAIN: not yet, NGX_DECLINED: cut before them. */
static ngx_int_t
ngx_http_licet_count(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, size_t len)
{
    ngx_http_licet_meter_t *m = ctx->meter;
    ngx_http_licet_delivered_t now = {.bytes = 0};
    licet_scan_result result;
    uint32_t kind;
    ngx_int_t rc;

    if (m->scanning) {
        licet_scan_look(&m->scan, &result);
        ngx_http_licet_units(ctx, &result, &now);
        for (kind = 2; kind < LICET_KINDS_MAX; kind++) {
            if (now.units[kind] > m->count[kind]) {
                rc = ngx_http_licet_reserve(r, ctx, kind, now.units[kind]);
                if (rc != NGX_OK) {
                    return rc;
                }
                m->count[kind] = now.units[kind];
                licet_slot_count(ctx->slot, kind, now.units[kind]);
            }
        }
        ngx_http_licet_ids_flush(ctx);
    }
    if (m->bytes_bound && ctx->counts) {
        rc = ngx_http_licet_reserve(r, ctx, LICET_KIND_BYTE, m->offset + len);
        if (rc != NGX_OK) {
            return rc;
        }
        licet_slot_count(ctx->slot, LICET_KIND_BYTE, m->offset + len);
    }
    return NGX_OK;
}

/* The buffer in hand does not go on: the scan stands where it stood before it. */
static void
ngx_http_licet_uncount(ngx_http_licet_meter_t *m)
{
    m->cut = 1;
    m->ids_count = 0;
    m->ids_len = 0;
    m->scan = m->before;
    if (m->inflate != NULL) {
        ngx_http_licet_inflate_uncount(m);
    }
    ngx_http_licet_snapshot_back(m, m->offset);
}

/* The end of the main request's body is seen. */
static void
ngx_http_licet_meter_last(ngx_http_licet_ctx_t *ctx)
{
    ngx_http_licet_meter_t *m = ctx->meter;

    m->last = 1;
    if (m->inflate != NULL) {
        ngx_http_licet_inflate_last(m);
    }
    if (m->scanning && m->offset > 0) {
        licet_scan_end(&m->scan, ctx->plan->plan, ngx_http_licet_on_id, ctx);
        ngx_http_licet_ids_flush(ctx);
    }
}

/* Notes when the upstream was last heard of: what a slow client takes from buffers is no sign of it. */
static void
ngx_http_licet_meter_fed(ngx_http_licet_ctx_t *ctx)
{
    const ngx_http_upstream_t *u = ctx->request->upstream;

    if (u != NULL && u->buffering && u->pipe != NULL) {
        if (u->pipe->read_length == ctx->read) {
            return;
        }
        ctx->read = u->pipe->read_length;
    }
    ctx->fed = ngx_current_msec;
}

/* One buffer. NGX_OK, NGX_AGAIN: it waits, NGX_DECLINED: cut before it, NGX_ERROR. */
static ngx_int_t
ngx_http_licet_meter_buffer(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, ngx_buf_t *b)
{
    ngx_http_licet_meter_t *m = ctx->meter;
    off_t size = ngx_buf_size(b);
    ngx_int_t rc;

    if (size > 0) {
        if (m->scanning && !ngx_buf_in_memory(b)) {
            ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0, "licet: a file buffer reached the meter");
            return NGX_ERROR;
        }
        if (!m->waiting) {
            m->before = m->scan;
            if (m->scanning && ngx_http_licet_feed(r->main, ctx, b->pos, (size_t)size) != NGX_OK) {
                return NGX_ERROR;
            }
        }
        rc = ngx_http_licet_count(r, ctx, (size_t)size);
        m->waiting = rc == NGX_AGAIN;
        if (rc == NGX_DECLINED) {
            ngx_http_licet_uncount(m);
        }
        if (rc != NGX_OK) {
            return rc;
        }
        m->offset += (uint64_t)size;
        ngx_http_licet_meter_fed(ctx);
    }
    if (b->last_buf && !m->last) {
        ngx_http_licet_meter_last(ctx);
    }
    return NGX_OK;
}

/* Hands on what came before 'end', then ends the connection. */
static ngx_int_t
ngx_http_licet_cut(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, ngx_chain_t *in, const ngx_chain_t *end)
{
    const licet_image *image = &ctx->caller.image->image;
    licet_bytes agreement = licet_image_text(image, image->header->agreement);
    ngx_chain_t *first = NULL, **last = &first, *cl;

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "licet: agreement %*s: response cut, decision %s: %s",
                  agreement.len, agreement.data, ctx->decision,
                  ctx->meter->revoked ? "its credential has ended" : "no units left");
    for (; in != end; in = in->next) {
        cl = ngx_alloc_chain_link(r->pool);
        if (cl == NULL) {
            return NGX_ERROR;
        }
        cl->buf = in->buf;
        cl->buf->flush = 1;
        *last = cl;
        last = &cl->next;
    }
    *last = NULL;
    if (first != NULL) {
        (void)ngx_http_next_body_filter(r, first);
    }
    r->keepalive = 0;
    r->main->connection->error = 1;
    r->main->connection->buffered |= NGX_HTTP_LICET_BUFFERED; /* who asks for output next comes here and is told */
    return NGX_ERROR;
}

/* Hands on what came before 'end'; the rest waits. */
static ngx_int_t
ngx_http_licet_meter_wait(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, ngx_chain_t *in, ngx_chain_t *end)
{
    ngx_chain_t *first = NULL, **last = &first, *cl;
    ngx_int_t rc = ngx_http_licet_body_keep(r, ctx, end);

    for (; rc == NGX_AGAIN && in != end; in = in->next) {
        cl = ngx_alloc_chain_link(r->pool);
        if (cl == NULL) {
            return NGX_ERROR;
        }
        cl->buf = in->buf;
        *last = cl;
        last = &cl->next;
    }
    *last = NULL;
    if (rc == NGX_AGAIN && first != NULL && ngx_http_next_body_filter(r, first) == NGX_ERROR) {
        return NGX_ERROR;
    }
    return rc;
}

static ngx_int_t
ngx_http_licet_meter_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_licet_ctx_t *ctx = ngx_http_get_module_ctx(r->main, ngx_http_licet_module);
    ngx_chain_t *cl;
    ngx_int_t rc;

    if (ctx != NULL) {
        ngx_http_licet_strip_out(&r->main->headers_out.trailers); /* they come with the end of the body */
    }
    if (ctx == NULL || ctx->slot == NULL || ctx->meter == NULL || r->main->post_action) {
        return ngx_http_next_body_filter(r, in);
    }
    if (ctx->meter->cut || ngx_http_licet_body_take(r, ctx, &in) != NGX_OK) {
        return NGX_ERROR;
    }
    if (in != NULL && ngx_buf_size(in->buf) > 0 && ngx_http_licet_revoked(ctx)) {
        ctx->meter->cut = ctx->meter->revoked = 1;
        return ngx_http_licet_cut(r, ctx, in, in);
    }
    for (cl = in; cl != NULL; cl = cl->next) {
        rc = ngx_http_licet_meter_buffer(r, ctx, cl->buf);
        if (rc == NGX_DECLINED) {
            return ngx_http_licet_cut(r, ctx, in, cl);
        }
        if (rc == NGX_AGAIN) {
            return ngx_http_licet_meter_wait(r, ctx, in, cl);
        }
        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }
    rc = ngx_http_next_body_filter(r, in);
    if (ctx->slot != NULL) {
        ngx_http_licet_meter_forget(ctx);
    }
    return rc;
}

/* ---- module -------------------------------------------------------------------------- */

static ngx_int_t
ngx_http_licet_meter_init(ngx_conf_t *cf)
{
    (void)cf;
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_licet_meter_header_filter;
    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_licet_meter_body_filter;
    return NGX_OK;
}

static ngx_http_module_t ngx_http_licet_meter_filter_module_ctx = {
    .postconfiguration = ngx_http_licet_meter_init,
};

ngx_module_t ngx_http_licet_meter_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_licet_meter_filter_module_ctx, /* module context */
    NULL,                                    /* module directives */
    NGX_HTTP_MODULE,                         /* module type */
    NULL,                                    /* init master */
    NULL,                                    /* init module */
    NULL,                                    /* init process */
    NULL,                                    /* init thread */
    NULL,                                    /* exit thread */
    NULL,                                    /* exit process */
    NULL,                                    /* exit master */
    NGX_MODULE_V1_PADDING,
};
