/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals: problem details (RFC 9457) that say which clause, and what would work.
 *
 *  (1) Each refusal of a known caller that can be recorded has a receipt; it
 *      is settled before the document goes out, so that a slow reader holds nothing. One that cannot is counted.
 *  (2) Text of an agreement is written as JSON only through the escaper.
 *  (3) The document never depends on error_page: it is the contract.
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_PROBLEM_MAX 8192

/* ---- JSON ---------------------------------------------------------------- */

static void
ngx_http_licet_json_text(licet_buffer *out, licet_bytes text)
{
    size_t i, run = 0; /* what needs no escape goes in runs */

    licet_put_u8(out, '"');
    for (i = 0; i < text.len; i++) {
        if (text.data[i] >= 0x20 && text.data[i] != '"' && text.data[i] != '\\' && text.data[i] != 0x7f) {
            continue;
        }
        licet_put_bytes(out, licet_bytes_of(text.data + run, i - run));
        licet_put_format(out, "\\u%04x", text.data[i]);
        run = i + 1;
    }
    licet_put_bytes(out, licet_bytes_of(text.data + run, text.len - run));
    licet_put_u8(out, '"');
}

static void
ngx_http_licet_json_member(licet_buffer *out, const char *name, licet_bytes value)
{
    licet_put_format(out, ",\"%s\":", name);
    ngx_http_licet_json_text(out, value);
}

/* ---- what is said ------------------------------------------------------------ */

/* 'max_results<=60': the page that what is left has room for; len 0 when there is none. */
static void
ngx_http_licet_retry_with(licet_buffer *out, const ngx_http_licet_ctx_t *ctx, const licet_shortage *shortage)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_verdict_limit *bound = &ctx->verdict.limits[shortage->limit];
    uint64_t fits = licet_shortage_fits(&ctx->verdict, shortage, ctx->limits_known ? ctx->remaining : NULL);
    const licet_image_endpoint *e;
    const licet_image_count *count;
    licet_bytes query;
    uint32_t i;

    if (ctx->verdict.endpoint == LICET_NONE) {
        return;
    }
    e = &image->endpoints[ctx->verdict.endpoint];
    for (i = 0; fits > 0 && i < e->counts.count; i++) {
        count = &image->counts[e->counts.first + i];
        if (count->kind == bound->kind &&
            (count->page_from == LICET_PAGE_QUERY || count->page_from == LICET_PAGE_ITEMS) &&
            fits < bound->amount / bound->weight) {
            query = licet_image_text(image, count->page_query);
            licet_put_format(out, ",\"retry_with\":\"%.*s<=%llu\"", (int)query.len, (const char *)query.data,
                             (unsigned long long)fits);
            return;
        }
    }
}

static void
ngx_http_licet_problem_agreement(licet_buffer *out, const ngx_http_licet_ctx_t *ctx, uint32_t clause)
{
    const licet_image *image = &ctx->caller.image->image;
    char from[LICET_TIME_TEXT];

    ngx_http_licet_json_member(out, "agreement", licet_image_text(image, image->header->agreement));
    if (clause != LICET_NONE) {
        ngx_http_licet_json_member(out, "clause", licet_image_text(image, image->clauses[clause].key));
        ngx_http_licet_json_member(out, "section", licet_image_text(image, image->clauses[clause].section));
    }
    if (image->header->versions_len > 0) {
        licet_time_format(image->versions[ctx->verdict.version].from_ms, from);
        ngx_http_licet_json_member(out, "in_force_from", licet_bytes_of_text(from));
    }
}

/* Which limit, what is left of it, what responses under way hold of the rest, and when there is more. */
static void
ngx_http_licet_problem_shortage(licet_buffer *out, const ngx_http_licet_ctx_t *ctx, const licet_shortage *shortage)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_verdict_limit *bound = &ctx->verdict.limits[shortage->limit];
    char reset[LICET_TIME_TEXT];

    ngx_http_licet_json_member(out, "limit", licet_image_limit_name(image, &image->limits[bound->limit]));
    ngx_http_licet_json_member(out, "unit", licet_image_text(image, image->header->kinds[bound->kind]));
    licet_put_format(out, ",\"remaining\":%llu", (unsigned long long)(shortage->remaining / bound->weight));
    if (shortage->held > 0) {
        licet_put_format(out, ",\"held\":%llu", (unsigned long long)(shortage->held / bound->weight));
    }
    if (shortage->reset_ms != UINT64_MAX) {
        licet_time_format(shortage->reset_ms, reset);
        ngx_http_licet_json_member(out, "resets_at", licet_bytes_of_text(reset));
    }
    ngx_http_licet_retry_with(out, ctx, shortage);
}

/* 'Responses under way hold 95 of the 100 …': the sentence of a refusal that only they cause. */
static licet_bytes
ngx_http_licet_held_text(char *out, size_t size, const ngx_http_licet_ctx_t *ctx, const licet_shortage *shortage)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_verdict_limit *bound = &ctx->verdict.limits[shortage->limit];
    licet_bytes unit = licet_image_text(image, image->header->kinds[bound->kind]);
    int len;

    len =
        snprintf(out, size, "%llu units (%.*s) are held by responses under way; %llu are left. Try again in a moment.",
                 (unsigned long long)(shortage->held / bound->weight), (int)unit.len, (const char *)unit.data,
                 (unsigned long long)(shortage->remaining / bound->weight));
    return licet_bytes_of(out, (size_t)len < size ? (size_t)len : size - 1);
}

static void
ngx_http_licet_problem(licet_buffer *out, const ngx_str_t *types, const ngx_http_licet_ctx_t *ctx, licet_reason reason,
                       uint32_t clause, const licet_shortage *shortage)
{
    bool known = ctx != NULL && ctx->caller.image != NULL;
    const licet_image *image = known ? &ctx->caller.image->image : NULL;
    licet_bytes says = {NULL, 0};
    char held[256];

    if (known && clause != LICET_NONE && reason != LICET_REASON_QUOTA_HELD) {
        says = licet_image_text(image, image->clauses[clause].says);
    }
    if (known && shortage != NULL && reason == LICET_REASON_QUOTA_HELD) {
        says = ngx_http_licet_held_text(held, sizeof(held), ctx, shortage);
    }
    if (says.len == 0) {
        says = licet_bytes_of_text(licet_reason_detail(reason));
    }
    licet_put_format(out, "{\"type\":\"%.*s%s\",\"title\":\"%s\",\"status\":%u", (int)types->len,
                     (const char *)types->data, licet_reason_slug(reason), licet_reason_title(reason),
                     licet_reason_status(reason));
    ngx_http_licet_json_member(out, "detail", says);
    if (known) {
        ngx_http_licet_problem_agreement(out, ctx, clause);
    }
    if (ctx != NULL && ctx->decision[0] != '\0') {
        ngx_http_licet_json_member(out, "decision", licet_bytes_of_text((const char *)ctx->decision));
    }
    if (known && shortage != NULL) {
        ngx_http_licet_problem_shortage(out, ctx, shortage);
    }
    licet_put_format(out, "}\n");
}

/* ---- the response ---------------------------------------------------------------- */

/* Seconds after which asking again may help; 0: waiting does not help. */
static uint64_t
ngx_http_licet_retry_after(licet_reason reason, const licet_shortage *shortage)
{
    uint64_t now = ngx_http_licet_now();

    if (reason == LICET_REASON_QUOTA_HELD || reason == LICET_REASON_CONCURRENT ||
        reason == LICET_REASON_CANNOT_RECORD) {
        return 1;
    }
    if (shortage == NULL || shortage->reset_ms == UINT64_MAX) {
        return 0;
    }
    return shortage->reset_ms > now ? (shortage->reset_ms - now + 999) / 1000 : 1;
}

static ngx_int_t
ngx_http_licet_refusal_head(ngx_http_request_t *r, licet_reason reason, const licet_shortage *shortage, size_t len)
{
    static ngx_str_t bearer = ngx_string("Bearer");
    /* RFC 9421 section 5.1: what a signature has to cover */
    static ngx_str_t accepted = ngx_string("sig1=(\"@method\" \"@path\" \"@authority\" \"signature-agent\";"
                                           "key=\"sig1\");created;expires;tag=\"web-bot-auth\"");
    ngx_http_licet_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_licet_module);
    uint64_t after = ngx_http_licet_retry_after(reason, shortage);
    ngx_str_t text;

    r->headers_out.status = licet_reason_status(reason);
    r->headers_out.content_length_n = (off_t)len;
    ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    if (licet_reason_status(reason) == NGX_HTTP_UNAUTHORIZED) {
        if (ngx_http_licet_push_out(r, "WWW-Authenticate", bearer) != NGX_OK ||
            (lcf->signatures && ngx_http_licet_push_out(r, "Accept-Signature", accepted) != NGX_OK)) {
            return NGX_ERROR;
        }
    }
    if (after > 0) {
        text.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
        if (text.data == NULL) {
            return NGX_ERROR;
        }
        text.len = (size_t)(ngx_sprintf(text.data, "%uL", after) - text.data);
        return ngx_http_licet_push_out(r, "Retry-After", text);
    }
    return NGX_OK;
}

static ngx_int_t
ngx_http_licet_refusal_send(ngx_http_request_t *r, licet_reason reason, const licet_shortage *shortage,
                            licet_bytes document)
{
    ngx_chain_t out;
    ngx_buf_t *b;
    ngx_int_t rc;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    b = ngx_create_temp_buf(r->pool, document.len);
    if (b == NULL || ngx_http_licet_refusal_head(r, reason, shortage, document.len) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    b->last = ngx_cpymem(b->last, document.data, document.len);
    b->last_buf = 1;
    b->last_in_chain = 1;
    out.buf = b;
    out.next = NULL;
    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    return ngx_http_output_filter(r, &out);
}

static void
ngx_http_licet_refusal_log(ngx_http_request_t *r, const ngx_http_licet_ctx_t *ctx, licet_reason reason)
{
    const licet_image *image;
    licet_bytes agreement, app;

    if (ctx == NULL || ctx->caller.image == NULL) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "licet: refused, %s", licet_reason_slug(reason));
        return;
    }
    image = &ctx->caller.image->image;
    agreement = licet_image_text(image, image->header->agreement);
    app = licet_image_text(image, image->apps[ctx->caller.app].id);
    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "licet: refused, %s, agreement %*s, app %*s, decision %s",
                  licet_reason_slug(reason), agreement.len, agreement.data, app.len, app.data,
                  ctx->decision[0] != '\0' ? (const char *)ctx->decision : "not recorded");
}

ngx_int_t
ngx_http_licet_refuse(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, licet_reason reason, uint32_t clause,
                      const licet_shortage *shortage)
{
    ngx_http_licet_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_licet_module);
    bool recorded = ctx != NULL && ctx->slot != NULL;
    licet_buffer document;
    ngx_int_t rc;

    if (ctx != NULL) {
        ctx->state = NGX_HTTP_LICET_REFUSED;
        ctx->result = LICET_VERDICT_REFUSE;
        ctx->reason = reason;
        ctx->status = licet_reason_status(reason);
        if (ctx->slot != NULL && ctx->decision[0] == '\0') {
            licet_worker_decision_id(ctx->area->worker, licet_slot_identity(ctx->slot), (char *)ctx->decision);
        }
        ngx_http_licet_settle(ctx, false, false);
    }
    if (ctx != NULL && ctx->caller.image != NULL && !recorded) {
        licet_worker_refused(ctx->area->worker, &ctx->caller.image->image, reason);
    }
    ngx_http_licet_refusal_log(r, ctx, reason);
    licet_buffer_init(&document, NGX_HTTP_LICET_PROBLEM_MAX);
    ngx_http_licet_problem(&document, &lcf->problems, ctx, reason, clause, shortage);
    rc = document.failed ? NGX_HTTP_INTERNAL_SERVER_ERROR
                         : ngx_http_licet_refusal_send(r, reason, shortage, licet_buffer_view(&document));
    licet_buffer_done(&document);
    ngx_http_finalize_request(r, rc);
    return NGX_DONE;
}
