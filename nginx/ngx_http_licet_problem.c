/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages that explain the problem types, below "problems/" of the place where licet_api is on: for whoever follows the
 * type of a refusal in a browser.
 *
 *  (1) They need no credential and tell nothing of anybody: the words are those of lib/decide, the same for all.
 *  (2) The directive licet_problems says where a type leads; without it a type is urn:licet:problem:<name>, which is
 * the same everywhere.
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_PROBLEM_PAGE 4096

static const char ngx_http_licet_problem_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>%s</title>\n<h1>%s</h1>\n";

/* The name behind the last "/problems/" of the path; len 0: it is no such path. */
static licet_bytes
ngx_http_licet_problem_name(ngx_http_request_t *r)
{
    static const char folder[] = "/problems/";
    size_t len = sizeof(folder) - 1, i;

    for (i = r->uri.len; i >= len; i--) {
        if (ngx_memcmp(r->uri.data + i - len, folder, len) == 0) {
            return licet_bytes_of(r->uri.data + i, r->uri.len - i);
        }
    }
    return licet_bytes_of(NULL, 0);
}

bool
ngx_http_licet_is_problem(ngx_http_request_t *r)
{
    return ngx_http_licet_problem_name(r).len > 0;
}

static ngx_int_t
ngx_http_licet_problem_send(ngx_http_request_t *r, u_char *page, size_t len)
{
    ngx_buf_t *b = ngx_calloc_buf(r->pool);
    ngx_chain_t out = {b, NULL};
    ngx_int_t rc;

    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    b->pos = b->start = page;
    b->last = b->end = page + len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = (off_t)len;
    ngx_str_set(&r->headers_out.content_type, "text/html; charset=utf-8");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    rc = ngx_http_send_header(r);
    return rc == NGX_ERROR || rc > NGX_OK || r->header_only ? rc : ngx_http_output_filter(r, &out);
}

ngx_int_t
ngx_http_licet_problem_page(ngx_http_request_t *r)
{
    licet_bytes name = ngx_http_licet_problem_name(r);
    u_char *page, *last, *end;
    unsigned i;

    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }
    for (i = 1; i < LICET_REASONS_LEN && !licet_bytes_equal_text(name, licet_reason_slug((licet_reason)i)); i++) {
    }
    if (i == LICET_REASONS_LEN) {
        return NGX_HTTP_NOT_FOUND;
    }
    page = ngx_pnalloc(r->pool, NGX_HTTP_LICET_PROBLEM_PAGE);
    if (page == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    end = page + NGX_HTTP_LICET_PROBLEM_PAGE;
    last = ngx_slprintf(page, end, ngx_http_licet_problem_head, licet_reason_title((licet_reason)i),
                        licet_reason_title((licet_reason)i));
    last = ngx_slprintf(last, end, "<p>%s</p>\n<dl>\n<dt>status</dt><dd>%ud</dd>\n<dt>type</dt><dd>%s</dd>\n</dl>\n",
                        licet_reason_detail((licet_reason)i), licet_reason_status((licet_reason)i),
                        licet_reason_slug((licet_reason)i));
    last =
        ngx_slprintf(last, end,
                     "<p>In the refusal <code>clause</code>, <code>agreement</code> and <code>in_force_from</code> say "
                     "which obligation, of which version; <code>decision</code> is what to ask the operator about; "
                     "<code>remaining</code>, <code>resets_at</code>, <code>retry_with</code> and the header "
                     "<code>Retry-After</code> say what would work, and when.</p>\n");
    ngx_http_finalize_request(r, ngx_http_licet_problem_send(r, page, (size_t)(last - page)));
    return NGX_DONE;
}
