/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admission, in the PRECONTENT phase: identify, decide, reserve, open a slot.
 *
 *      identify ─► decide ─► admit ─┬─► admitted ──────────► on to the upstream
 *          │          ▲             ├─► refused ───────────► problem document
 *          ▼          └── 5 ms ─────┼── lease empty or no room, 100 ms at most
 *         401                       └─► cannot record ─┬───► open, without a slot
 *                                                      └───► 503
 *
 *  (1) A main request is admitted once, whatever redirects follow.
 *  (2) While it waits for a lease, a slot or room it holds no slot and no units.
 *  (3) Each attempt decides anew, so that limits are taken in the window of now.
 *  (4) Where nothing can be recorded the agreement's version in force says what happens.
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_STEP 5       /* ms between attempts */
#define NGX_HTTP_LICET_PATIENCE 100 /* ms */
#define NGX_HTTP_LICET_ID_ROOM 24   /* bytes of id ring for one unit: a number of 20 digits and its frame */
#define NGX_HTTP_LICET_ID_MORE 1024

static ngx_int_t ngx_http_licet_admit(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx);

/* Room in the id ring: for the reservation, and some for what the page may outgrow it by. */
static uint32_t
ngx_http_licet_ids_room(const ngx_http_licet_ctx_t *ctx)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_image_endpoint *e;
    const licet_image_count *count;
    uint64_t room = 0, units;
    uint32_t i;

    if (ctx->plan->plan == NULL || ctx->verdict.verdict == LICET_VERDICT_REFUSE) {
        return 0;
    }
    e = &image->endpoints[ctx->verdict.endpoint];
    for (i = 0; i < e->counts.count; i++) {
        count = &image->counts[e->counts.first + i];
        if (count->ids.len > 0) {
            units = ngx_min(ctx->verdict.reserve[count->kind], 4096);
            room += units * NGX_HTTP_LICET_ID_ROOM + NGX_HTTP_LICET_ID_MORE;
        }
    }
    return (uint32_t)room;
}

/* The largest page of the endpoint over all its units; false, and the unit, when one has none. */
static bool
ngx_http_licet_most_units(const ngx_http_licet_ctx_t *ctx, uint64_t *out_most, uint32_t *out_kind)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_image_endpoint *e;
    const licet_image_count *count;
    uint32_t i;

    *out_most = 0;
    if (ctx->verdict.endpoint == LICET_NONE) {
        return true;
    }
    e = &image->endpoints[ctx->verdict.endpoint];
    for (i = 0; i < e->counts.count; i++) {
        count = &image->counts[e->counts.first + i];
        if (count->page_from == LICET_PAGE_NONE) {
            *out_kind = count->kind;
            return false;
        }
        *out_most = ngx_max(*out_most, count->page_most);
    }
    return true;
}

static ngx_int_t
ngx_http_licet_pass(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    ngx_uint_t flags = ctx->verdict.metered ? NGX_HTTP_LICET_DROP_RANGE : NGX_HTTP_LICET_KEEP_ENCODING;
    if (ctx->facts.upgrade && (ctx->verdict.metered || ctx->verdict.endpoint == LICET_NONE)) {
        /* observe mode lets it through, but not past the meter */
        flags |= NGX_HTTP_LICET_DROP_UPGRADE;
    }
    if (ngx_http_licet_rewrite_headers(r, ctx, flags) != NGX_OK || ngx_http_licet_outbound_push(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return NGX_DECLINED;
}

static ngx_int_t
ngx_http_licet_cannot_record(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    const licet_image *image = &ctx->caller.image->image;
    const licet_image_version *version = &image->versions[ctx->verdict.version];
    licet_bytes agreement = licet_image_text(image, image->header->agreement);
    licet_bytes unit, endpoint;
    uint32_t kind;
    uint64_t most = 0;

    if (ctx->verdict.verdict == LICET_VERDICT_REFUSE) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0, "licet: agreement %*s: a refusal (%s) could not be recorded",
                      agreement.len, agreement.data, licet_reason_slug(ctx->verdict.reason));
        return ngx_http_licet_refuse(r, ctx, ctx->verdict.reason, ctx->verdict.clause, NULL);
    }
    if (version->cannot_record != LICET_CANNOT_RECORD_REFUSE && !ngx_http_licet_most_units(ctx, &most, &kind)) {
        unit = licet_image_text(image, image->header->kinds[kind]);
        endpoint = licet_image_text(image, image->endpoints[ctx->verdict.endpoint].id);
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "licet: agreement %*s: unit %*s of endpoint %*s has no page: no gap could state how much went up",
                      agreement.len, agreement.data, unit.len, unit.data, endpoint.len, endpoint.data);
    } else if (version->cannot_record != LICET_CANNOT_RECORD_REFUSE &&
               licet_worker_unrecorded(ctx->area->worker, image, &ctx->verdict, most)) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "licet: agreement %*s: let through without a receipt, at most %uL units", agreement.len,
                      agreement.data, most);
        ctx->state = NGX_HTTP_LICET_OPEN;
        ctx->result = LICET_VERDICT_OPEN;
        return ngx_http_licet_pass(r, ctx);
    }
    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "licet: agreement %*s: refused, for the request cannot be recorded", agreement.len, agreement.data);
    return ngx_http_licet_refuse(r, ctx, LICET_REASON_CANNOT_RECORD, LICET_NONE, NULL);
}

/* ---- limits ------------------------------------------------------------------- */

/* What is left of each limit now, after this request's reservation if it got one. A counter whose window lies ahead of
 * the clock, which was set back, is what binds. */
static void
ngx_http_licet_remaining(ngx_http_licet_ctx_t *ctx)
{
    const licet_image *image = &ctx->caller.image->image;
    licet_verdict_limit *bound;
    licet_counter_value value;
    uint32_t i;

    for (i = 0; i < ctx->verdict.limits_len; i++) {
        bound = &ctx->verdict.limits[i];
        value = licet_gate_used(ctx->area->gate, &image->limits[bound->limit], bound->counter, bound->window);
        bound->window = value.window;
        ctx->remaining[i] = bound->most > value.taken ? bound->most - value.taken : 0;
    }
    ctx->limits_known = 1;
}

static ngx_int_t
ngx_http_licet_short(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, const licet_shortage *shortage)
{
    const licet_image *image = &ctx->caller.image->image;
    licet_shortage ignored;
    licet_slot *slot = NULL;

    ctx->verdict.verdict = LICET_VERDICT_REFUSE;
    ctx->verdict.reason = licet_shortage_reason(image, &ctx->verdict, shortage);
    ctx->verdict.clause = image->limits[ctx->verdict.limits[shortage->limit].limit].clause;
    if (licet_worker_admit(ctx->area->worker, image, &ctx->facts, &ctx->verdict, 0, ctx->now_ms, &slot, &ignored,
                           NULL) == LICET_ADMITTED) {
        ctx->slot = slot;
        ngx_queue_insert_tail(&ctx->area->live, &ctx->live);
        ngx_http_licet_revoke_begin(ctx);
        ngx_http_licet_remaining(ctx);
        return ngx_http_licet_refuse(r, ctx, ctx->verdict.reason, ctx->verdict.clause, shortage);
    }
    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0, "licet: a refusal (%s) could not be recorded",
                  licet_reason_slug(ctx->verdict.reason));
    return ngx_http_licet_refuse(r, ctx, ctx->verdict.reason, ctx->verdict.clause, shortage);
}

/* ---- waiting for a lease or for room ---------------------------------------------------------- */

static void
ngx_http_licet_wait_over(ngx_http_request_t *r)
{
    ngx_event_t *wev = r->connection->write;

    if (wev->delayed) {
        if (ngx_handle_write_event(wev, 0) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        }
        return;
    }
    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }
    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}

static ngx_int_t
ngx_http_licet_wait(ngx_http_request_t *r)
{
    if (r->connection->read->ready) {
        ngx_post_event(r->connection->read, &ngx_posted_events);
    } else if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_licet_wait_over;
    r->connection->write->delayed = 1;
    ngx_add_timer(r->connection->write, NGX_HTTP_LICET_STEP);
    return NGX_AGAIN;
}

/* ---- admission ----------------------------------------------------------------------- */

static ngx_int_t
ngx_http_licet_admitted(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx, licet_slot *slot, bool would_refuse,
                        const licet_shortage *shortage)
{
    licet_shortage others;

    ctx->slot = slot;
    ngx_queue_insert_tail(&ctx->area->live, &ctx->live);
    ngx_http_licet_revoke_begin(ctx);
    licet_worker_decision_id(ctx->area->worker, licet_slot_identity(slot), (char *)ctx->decision);
    ngx_http_licet_remaining(ctx);
    if (ctx->verdict.verdict == LICET_VERDICT_REFUSE) {
        return ngx_http_licet_refuse(r, ctx, ctx->verdict.reason, ctx->verdict.clause, NULL);
    }
    ctx->state = NGX_HTTP_LICET_ADMITTED;
    ctx->result = ctx->verdict.verdict;
    ctx->reason = ctx->verdict.reason;
    if (would_refuse) {
        ctx->result = LICET_VERDICT_OBSERVE;
        if (ctx->reason == LICET_REASON_NONE && shortage->limit < ctx->verdict.limits_len) {
            /* it was taken all the same: what this request holds itself is in nobody's way */
            others = *shortage;
            others.held -= ngx_min(others.held, ctx->verdict.limits[shortage->limit].amount);
            ctx->reason = licet_shortage_reason(&ctx->caller.image->image, &ctx->verdict, &others);
        }
    }
    return ngx_http_licet_pass(r, ctx);
}

/* Without the platform's token nothing may go up, whatever the terms say: a refusal as any other, recorded too. */
static void
ngx_http_licet_withhold(licet_verdict *verdict)
{
    verdict->verdict = LICET_VERDICT_REFUSE;
    verdict->reason = LICET_REASON_OUTBOUND_MISSING;
    verdict->reasons |= 1u << LICET_REASON_OUTBOUND_MISSING;
    verdict->clause = LICET_NONE;
    verdict->limits_len = 0;
    ngx_memzero(verdict->reserve, sizeof(verdict->reserve));
}

static ngx_int_t
ngx_http_licet_admit(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    const licet_image *image = &ctx->caller.image->image;
    licet_shortage shortage = {LICET_NONE, 0, 0, 0};
    licet_admission admission;
    licet_slot *slot = NULL;
    bool would_refuse = false;

    ctx->now_ms = ctx->facts.time_ms = ngx_http_licet_now();
    licet_decide(image, &ctx->facts, &ctx->verdict);
    if (ctx->verdict.verdict != LICET_VERDICT_REFUSE && !ngx_http_licet_outbound_ready(r, ctx)) {
        ngx_http_licet_withhold(&ctx->verdict);
    }
    ctx->plan = ngx_http_licet_plan_of(ctx->caller.image, ctx->verdict.endpoint, r->connection->log);
    if (ctx->plan == NULL) {
        return ngx_http_licet_refuse(r, ctx, LICET_REASON_CANNOT_RECORD, LICET_NONE, NULL);
    }
    admission = licet_worker_admit(ctx->area->worker, image, &ctx->facts, &ctx->verdict, ngx_http_licet_ids_room(ctx),
                                   ctx->now_ms, &slot, &shortage, &would_refuse);
    switch (admission) {
    case LICET_ADMITTED:
        return ngx_http_licet_admitted(r, ctx, slot, would_refuse, &shortage);
    case LICET_NO_UNITS:
        return ngx_http_licet_short(r, ctx, &shortage);
    case LICET_LEASE_EMPTY:
    case LICET_CANNOT_RECORD: /* a slot or room in a ring is often free again after a few milliseconds */
        break;
    }
    if ((ngx_msec_t)(ngx_current_msec - ctx->started) < NGX_HTTP_LICET_PATIENCE) {
        return ngx_http_licet_wait(r);
    }
    return ngx_http_licet_cannot_record(r, ctx);
}

static void
ngx_http_licet_facts(ngx_http_request_t *r, ngx_http_licet_ctx_t *ctx)
{
    static const char *const names[] = {"licet-use-case", "licet-purpose", "licet-recipient"};
    licet_bytes *declared[] = {&ctx->facts.use_case, &ctx->facts.purpose, &ctx->facts.recipient};
    ngx_http_licet_loc_conf_t *lcf;
    ngx_table_elt_t *h;
    ngx_uint_t i;

    ctx->facts.app = ctx->caller.app;
    ctx->facts.credential = ctx->caller.credential;
    ctx->facts.method = ngx_http_licet_bytes(r->method_name);
    ctx->facts.path = ngx_http_licet_bytes(r->uri);
    ctx->facts.query = ngx_http_licet_bytes(r->args);
    ctx->facts.upgrade = r->headers_in.upgrade != NULL;
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_licet_module);
    ctx->facts.flow =
        (licet_flow)(lcf->flow != NGX_CONF_UNSET_UINT ? lcf->flow : ctx->caller.image->image.header->flow);
    for (i = 0; i < 3; i++) {
        h = ngx_http_licet_header_in(r, names[i]);
        if (h != NULL) {
            *declared[i] = ngx_http_licet_bytes(h->value);
        }
    }
}

static ngx_int_t
ngx_http_licet_judge(ngx_http_request_t *r, ngx_http_licet_loc_conf_t *lcf, ngx_http_licet_ctx_t *ctx)
{
    licet_reason reason;

    ctx->area = ctx->view->area;
    reason = ngx_http_licet_identify(r, lcf, ctx->view, &ctx->caller);
    if (reason != LICET_REASON_NONE) {
        ctx->caller.image = NULL;
        licet_worker_unidentified(ctx->area->worker, reason);
        return ngx_http_licet_refuse(r, ctx, reason, LICET_NONE, NULL);
    }
    ngx_http_licet_facts(r, ctx);
    return ngx_http_licet_admit(r, ctx);
}

static ngx_int_t
ngx_http_licet_begin(ngx_http_request_t *r, ngx_http_licet_loc_conf_t *lcf)
{
    ngx_http_licet_ctx_t *ctx;

    ctx = ngx_http_licet_ctx_add(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ctx->started = ngx_current_msec;
    ctx->caller.credential = LICET_NONE;
    ctx->view = ngx_http_licet_view_use(lcf->gate, r->connection->log);
    if (ctx->view == NULL) {
        return ngx_http_licet_refuse(r, ctx, LICET_REASON_CANNOT_RECORD, LICET_NONE, NULL);
    }
    return ngx_http_licet_judge(r, lcf, ctx);
}

/* Waited: once more, and by the file in force where the one it waited for was shut meanwhile. */
static ngx_int_t
ngx_http_licet_again(ngx_http_request_t *r, ngx_http_licet_loc_conf_t *lcf, ngx_http_licet_ctx_t *ctx)
{
    ngx_http_licet_view_t *view;

    if (!licet_gate_is_shut(ctx->area->gate)) {
        return ngx_http_licet_admit(r, ctx);
    }
    view = ngx_http_licet_view_use(lcf->gate, r->connection->log);
    if (view == NULL) {
        return ngx_http_licet_admit(r, ctx);
    }
    ngx_http_licet_view_release(ctx->view);
    ctx->view = view;
    return ngx_http_licet_judge(r, lcf, ctx);
}

/*
 * A subrequest is part of its main request. Where that is not gated, what a gated location would add to the response
 * would escape; requests whose body goes nowhere (auth_request, mirror) or into memory are not concerned.
 */
static ngx_int_t
ngx_http_licet_subrequest(ngx_http_request_t *r)
{
    if (r->header_only || r->background || r->subrequest_in_memory || ngx_http_licet_find(r) != NULL) {
        return NGX_DECLINED;
    }
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "licet: subrequest to a gated location from one that is not: \"licet on\" is needed there too");
    return NGX_HTTP_FORBIDDEN;
}

ngx_int_t
ngx_http_licet_handler(ngx_http_request_t *r)
{
    ngx_http_licet_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_licet_module);
    ngx_http_licet_ctx_t *ctx;

    if (!lcf->enable && !lcf->api) {
        return NGX_DECLINED;
    }
    if (r != r->main) {
        return lcf->api ? NGX_DECLINED : ngx_http_licet_subrequest(r);
    }
    ctx = ngx_http_licet_find(r);
    if (ctx != NULL) {
        return ctx->state == NGX_HTTP_LICET_WAITING ? ngx_http_licet_again(r, lcf, ctx) : NGX_DECLINED;
    }
    if (!lcf->api) {
        return ngx_http_licet_begin(r, lcf);
    }
    return ngx_http_licet_is_problem(r) ? ngx_http_licet_problem_page(r) : ngx_http_licet_api(r, lcf);
}
