/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gates in a worker: joining the shared memory, following its replacement,
 * and keeping each index until its last request is gone.
 *
 *      no area ──join──► current ──file replaced──► retired ──last user gone──► left
 *
 *  (1) A worker joins by itself, in its own process: what it joins dies with it.
 *  (2) While there is no licetd the worker tries again each second; the first
 *      failure and each new kind of failure are told to the log, once.
 *  (3) New requests take the newest area and view; what is under way stays
 *      in the one it began with.
 *  (4) licet_worker_uses says the oldest view that is still used.
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_RETRY 1000 /* ms */

/* ---- views --------------------------------------------------------------- */

static void
ngx_http_licet_view_free(ngx_http_licet_view_t *view)
{
    ngx_uint_t i;

    if (view->images != NULL) {
        for (i = 0; i < view->index.header->images_len; i++) {
            if (view->images[i] != NULL) {
                ngx_http_licet_image_release(view->images[i]);
            }
        }
        ngx_free(view->images);
    }
    ngx_http_licet_unmap(view->blob);
    ngx_free(view);
}

static void
ngx_http_licet_view_tell(ngx_http_licet_area_t *area)
{
    ngx_http_licet_view_t *oldest;

    if (!ngx_queue_empty(&area->views)) {
        oldest = ngx_queue_data(ngx_queue_head(&area->views), ngx_http_licet_view_t, link);
        licet_worker_uses(area->worker, oldest->generation);
    }
}

static void
ngx_http_licet_view_drop(ngx_http_licet_view_t *view)
{
    ngx_http_licet_area_t *area = view->area;

    if (view->users > 0 || view == area->view) {
        return;
    }
    ngx_queue_remove(&view->link);
    ngx_http_licet_view_free(view);
    ngx_http_licet_view_tell(area);
}

/* Images that did not change are shared with the view before: both tables are sorted by cell. */
static void
ngx_http_licet_view_inherit(ngx_http_licet_view_t *view, const ngx_http_licet_view_t *old)
{
    uint32_t i, j = 0, n = view->index.header->images_len, m = old->index.header->images_len;

    for (i = 0; i < n; i++) {
        while (j < m && old->index.images[j].cell < view->index.images[i].cell) {
            j++;
        }
        if (j < m && old->index.images[j].cell == view->index.images[i].cell &&
            old->index.images[j].number == view->index.images[i].number && old->images[j] != NULL) {
            view->images[i] = old->images[j];
            view->images[i]->users++;
        }
    }
}

static ngx_http_licet_view_t *
ngx_http_licet_view_open(ngx_http_licet_area_t *area, uint64_t generation, ngx_log_t *log, licet_error *err)
{
    char path[LICET_GATE_PATH_MAX + 40];
    ngx_http_licet_view_t *view;

    view = ngx_calloc(sizeof(*view), log);
    if (view == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for index %llu", (unsigned long long)generation);
        return NULL;
    }
    view->area = area;
    view->generation = generation;
    (void)ngx_snprintf((u_char *)path, sizeof(path), "%s/index-%uL%Z", licet_gate_images(area->gate), generation);
    if (!ngx_http_licet_map(path, &view->blob, err)) {
        ngx_free(view);
        return NULL;
    }
    if (!licet_index_open(view->blob, &view->index, err)) {
        goto failed;
    }
    view->images = ngx_calloc((view->index.header->images_len + 1) * sizeof(ngx_http_licet_image_t *), log);
    if (view->images == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the images of index %llu", (unsigned long long)generation);
        goto failed;
    }
    return view;

failed:

    ngx_http_licet_unmap(view->blob);
    ngx_free(view);
    return NULL;
}

/*
 * Follows the generation that licetd published. What cannot be opened is told once and the old view stays; it is tried
 * again each second, and not by each request.
 */
static void
ngx_http_licet_area_follow(ngx_http_licet_area_t *area, bool again, ngx_log_t *log)
{
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    uint64_t generation = licet_gate_generation(area->gate);
    ngx_http_licet_view_t *view, *old = area->view;

    if (generation == 0 || (old != NULL && old->generation == generation) || (area->bad == generation && !again)) {
        return;
    }
    view = ngx_http_licet_view_open(area, generation, log, &err);
    if (view == NULL) {
        if (area->bad != generation) {
            ngx_log_error(NGX_LOG_ERR, log, 0, "licet: index %uL cannot be used, %s: %s", generation,
                          old != NULL ? "the one before stays in force" : "requests are answered by 503", err.text);
        }
        area->bad = generation;
        return;
    }
    area->bad = 0;
    if (old != NULL) {
        ngx_http_licet_view_inherit(view, old);
    }
    ngx_queue_insert_tail(&area->views, &view->link);
    area->view = view;
    if (old != NULL) {
        ngx_http_licet_view_drop(old);
    }
    ngx_http_licet_view_tell(area);
    ngx_http_licet_revoke(area, view, log);
    ngx_log_error(NGX_LOG_INFO, log, 0, "licet: index %uL is in force, %uD agreements", generation,
                  view->index.header->images_len);
}

/* ---- areas ---------------------------------------------------------------- */

static void
ngx_http_licet_area_free(ngx_http_licet_area_t *area)
{
    ngx_queue_t *q;

    while (!ngx_queue_empty(&area->views)) {
        q = ngx_queue_head(&area->views);
        ngx_queue_remove(q);
        ngx_http_licet_view_free(ngx_queue_data(q, ngx_http_licet_view_t, link));
    }
    if (area->worker != NULL) {
        licet_worker_leave(area->worker, ngx_http_licet_now());
    }
    if (area->gate != NULL) {
        licet_gate_close(area->gate);
    }
    ngx_free(area);
}

/* ready: only a file that has a generation. */
static ngx_http_licet_area_t *
ngx_http_licet_area_join(const char *path, bool ready, ngx_log_t *log, licet_error *err)
{
    ngx_http_licet_area_t *area;

    area = ngx_calloc(sizeof(*area), log);
    if (area == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to join %s", path);
        return NULL;
    }
    ngx_queue_init(&area->views);
    ngx_queue_init(&area->live);
    area->inflaters.most = NGX_HTTP_LICET_INFLATERS;
    if (!licet_gate_open(path, &area->gate, err)) {
        goto failed;
    }
    if (ready && licet_gate_generation(area->gate) == 0) {
        LICET_FAIL(err, LICET_E_STATE, 0, "%s has no generation yet", path);
        goto failed;
    }
    if (!licet_worker_join(area->gate, &area->worker, err)) {
        goto failed;
    }
    return area;

failed:
    ngx_http_licet_area_free(area);
    return NULL;
}

static void
ngx_http_licet_gate_join(ngx_http_licet_gate_t *gate, ngx_log_t *log)
{
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    ngx_http_licet_area_t *area;
    ngx_uint_t level;

    area = ngx_http_licet_area_join((const char *)gate->path.data, gate->current != NULL, log, &err);
    if (area == NULL && err.code == LICET_E_STATE) {
        return; /* licetd is about to publish it; the one before stays in use until then */
    }
    if (area == NULL) {
        if (gate->complained != err.code) {
            gate->complained = err.code;
            level = err.code == LICET_E_NOT_FOUND ? NGX_LOG_WARN : NGX_LOG_ERR;
            ngx_log_error(level, log, 0, "licet: %s: %s; trying again each second",
                          gate->current != NULL ? "the new gate cannot be joined, the old one stays in use"
                                                : "there is no gate, requests are answered by 503",
                          err.text);
        }
        return;
    }
    gate->complained = LICET_E_NONE;
    ngx_queue_insert_tail(&gate->areas, &area->link);
    gate->current = area;
    ngx_http_licet_area_follow(area, true, log);
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "licet: joined gate \"%V\", epoch %uD, index %uL", &gate->path,
                  licet_gate_epoch(area->gate), licet_gate_generation(area->gate));
}

/* Leaves what was replaced once nothing refers to it. */
static void
ngx_http_licet_gate_retire(ngx_http_licet_gate_t *gate, ngx_log_t *log)
{
    ngx_queue_t *q, *next;
    ngx_http_licet_area_t *area;

    for (q = ngx_queue_head(&gate->areas); q != ngx_queue_sentinel(&gate->areas); q = next) {
        next = ngx_queue_next(q);
        area = ngx_queue_data(q, ngx_http_licet_area_t, link);
        if (area != gate->current && area->users == 0) {
            ngx_queue_remove(q);
            ngx_log_error(NGX_LOG_NOTICE, log, 0, "licet: left a replaced gate, epoch %uD",
                          licet_gate_epoch(area->gate));
            ngx_http_licet_area_free(area);
        }
    }
}

/* What is under way in replaced files ends with its credential too. */
static void
ngx_http_licet_gate_revoke(ngx_http_licet_gate_t *gate, ngx_log_t *log)
{
    ngx_queue_t *q;
    ngx_http_licet_area_t *area;

    for (q = ngx_queue_head(&gate->areas); q != ngx_queue_sentinel(&gate->areas); q = ngx_queue_next(q)) {
        area = ngx_queue_data(q, ngx_http_licet_area_t, link);
        if (area != gate->current) {
            ngx_http_licet_revoke(area, gate->current->view, log);
        }
    }
}

static void
ngx_http_licet_gate_look(ngx_http_licet_gate_t *gate, ngx_log_t *log)
{
    if (gate->current == NULL || licet_gate_replaced(gate->current->gate)) {
        ngx_http_licet_gate_join(gate, log);
    }
    ngx_http_licet_gate_retire(gate, log);
    if (gate->current != NULL) {
        ngx_http_licet_area_follow(gate->current, true, log);
        if (gate->current->view != NULL) {
            ngx_http_licet_gate_revoke(gate, log);
        }
    }
}

static void
ngx_http_licet_gate_tick(ngx_event_t *ev)
{
    ngx_connection_t *dummy = ev->data;
    ngx_http_licet_gate_t *gate = dummy->data;

    ngx_http_licet_gate_look(gate, ev->log);
    ngx_add_timer(ev, NGX_HTTP_LICET_RETRY);
}

void
ngx_http_licet_gate_start(ngx_http_licet_gate_t *gate, ngx_log_t *log)
{
    gate->started = 1;
    ngx_queue_init(&gate->areas);
    ngx_memzero(&gate->timer, sizeof(ngx_event_t));
    gate->timer.handler = ngx_http_licet_gate_tick;
    gate->dummy.data = gate;
    gate->dummy.fd = (ngx_socket_t)-1;
    gate->timer.data = &gate->dummy;
    gate->timer.log = log;
    gate->timer.cancelable = 1;
    ngx_http_licet_gate_look(gate, log);
    ngx_add_timer(&gate->timer, NGX_HTTP_LICET_RETRY);
}

void
ngx_http_licet_gate_stop(ngx_http_licet_gate_t *gate)
{
    ngx_queue_t *q;
    ngx_http_licet_area_t *area;
    ngx_http_licet_ctx_t *ctx;

    if (!gate->started) {
        return;
    }
    if (gate->timer.timer_set) {
        ngx_del_timer(&gate->timer);
    }
    for (q = ngx_queue_head(&gate->areas); q != ngx_queue_sentinel(&gate->areas); q = ngx_queue_next(q)) {
        area = ngx_queue_data(q, ngx_http_licet_area_t, link);
        while (!ngx_queue_empty(&area->live)) {
            ctx = ngx_queue_data(ngx_queue_head(&area->live), ngx_http_licet_ctx_t, live);
            ngx_http_licet_settle(ctx, true, true);
        }
        /* The mappings stay: requests under way may still name their image. The process ends with the worker. */
        licet_worker_leave(area->worker, ngx_http_licet_now());
        area->worker = NULL;
    }
    gate->current = NULL;
    gate->started = 0;
}

/* ---- for requests ------------------------------------------------------------ */

ngx_http_licet_view_t *
ngx_http_licet_view_use(ngx_http_licet_gate_t *gate, ngx_log_t *log)
{
    ngx_http_licet_area_t *area;

    if (!gate->started) {
        /* without a master a reload makes a new configuration and no new process */
        ngx_http_licet_gate_start(gate, ngx_cycle->log);
    }
    if (gate->current != NULL && licet_gate_is_shut(gate->current->gate)) {
        ngx_http_licet_gate_look(gate, log);
    }
    area = gate->current;
    if (area == NULL) {
        return NULL;
    }
    ngx_http_licet_area_follow(area, false, log);
    if (area->view == NULL) {
        return NULL;
    }
    area->users++;
    area->view->users++;
    return area->view;
}

void
ngx_http_licet_view_release(ngx_http_licet_view_t *view)
{
    view->area->users--;
    view->users--;
    if (view->area->worker != NULL) {
        ngx_http_licet_view_drop(view);
    }
}
