/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operator's API: live control of a running site, on data/operator.sock.
 *
 *  (1) Whoever may open the socket (mode 0600) owns the site; there is no other authentication.
 *  (2) What changes something is a POST.
 */
#include "api.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_LINES 1000
#define WAIT_MOST_MS 30000
#define COUNTERS_TOLD 1000
#define WORDS_MAX ((size_t)1 << 20)

/* Takes the JSON value. */
static void
answer_json(http_answer *answer, json_t *json)
{
    char *dump = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    if (dump == NULL) {
        http_fail(answer, 500, "no memory for the answer");
    } else {
        licet_put_format(&answer->body, "%s\n", dump);
    }
    free(dump);
    json_decref(json);
}

static void
answer_error(http_answer *answer, const licet_error *err)
{
    http_fail(answer, err->code == LICET_E_STATE || err->code == LICET_E_CONFLICT ? 503 : 500, err->text);
}

static json_t *
ledgers_json(licet_recorder *recorder)
{
    json_t *list = json_array();
    uint64_t size, signed_size;
    const char *name;

    for (uint32_t i = 0; licet_recorder_ledger_at(recorder, i, &name, &size, &signed_size); i++) {
        json_array_append_new(list, json_pack("{s:s,s:I,s:I}", "ledger", name, "size", (json_int_t)size, "signed",
                                              (json_int_t)signed_size));
    }
    return list;
}

/* One counter of a limit in force, as it stands. NULL: none; and of the many counters over more than apps, those that
 * nothing was taken from. */
static json_t *
counter_json(licet_recorder *recorder, const licet_image *image, const licet_image_limit *limit, uint32_t place,
             uint64_t now_ms)
{
    licet_gate *gate = licet_recorder_gate(recorder);
    uint32_t counter = licet_image_counter_at(image, limit, place);
    licet_bytes clause = licet_image_limit_name(image, limit);
    licet_bytes agreement = licet_image_text(image, image->header->agreement);
    licet_bytes unit = licet_image_text(image, image->header->kinds[limit->kind]);
    licet_bytes name = licet_limit_place_name(image, limit, place);
    licet_counter_value value;
    char per[LICET_PER_TEXT];
    json_t *json;

    if (gate == NULL || counter == LICET_NONE || counter >= licet_gate_counters(gate)) {
        return NULL;
    }
    value = licet_gate_used(gate, limit, counter, licet_window_of(image, limit, now_ms));
    if (limit->over > LICET_OVER_APP && value.taken == 0) {
        return NULL;
    }
    licet_limit_per(limit, per);
    json = json_pack("{s:s%,s:s%,s:s,s:s%,s:s,s:s,s:o,s:I,s:I,s:I}", "agreement", (const char *)agreement.data,
                     agreement.len, "clause", (const char *)clause.data, clause.len, "set_by",
                     limit->set_by == LICET_SET_BY_US ? "us" : "contract", "unit", (const char *)unit.data, unit.len,
                     "per", per, "over", licet_over_name(limit->over), "of",
                     name.len > 0 ? json_stringn((const char *)name.data, name.len) : json_null(), "most",
                     (json_int_t)licet_image_most(image, limit, now_ms), "taken", (json_int_t)value.taken, "held",
                     (json_int_t)value.held);
    if (json != NULL) {
        json_object_set_new(
            json, "app", limit->over == LICET_OVER_APP ? json_stringn((const char *)name.data, name.len) : json_null());
    }
    return json;
}

static void
image_counters(licet_recorder *recorder, const licet_image *image, uint64_t now_ms, json_t *list)
{
    uint32_t row = licet_image_version_at(image, now_ms);

    for (uint32_t i = 0; row != LICET_NONE && i < image->versions[row].limits.count; i++) {
        const licet_image_limit *limit = &image->limits[image->versions[row].limits.first + i];

        for (uint32_t place = 0; place < limit->counters.count && json_array_size(list) < COUNTERS_TOLD; place++) {
            json_t *json = counter_json(recorder, image, limit, place, now_ms);

            if (json != NULL) {
                json_array_append_new(list, json);
            }
        }
    }
}

/* Counters of the limits in force now, the first COUNTERS_TOLD of them. */
static json_t *
counters_json(licet_recorder *recorder, uint64_t now_ms)
{
    licet_store *store = licet_recorder_store(recorder);
    json_t *list = json_array();

    for (uint32_t cell = 1; cell < licet_store_cells(store); cell++) {
        const licet_image *image = licet_store_image(store, cell);

        if (image != NULL) {
            image_counters(recorder, image, now_ms, list);
        }
    }
    return list;
}

static void
get_status(api_operator *api, const http_request *request, http_answer *answer)
{
    licet_recorder_status s;

    licet_recorder_status_get(api->recorder, &s);
    answer_json(answer,
                json_pack("{s:b,s:s?,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "recording", !s.stalled, "why",
                          s.stalled ? s.why : NULL, "epoch", (json_int_t)s.epoch, "generation",
                          (json_int_t)s.generation, "journal", (json_int_t)s.journal, "lag", (json_int_t)s.lag,
                          "workers", (json_int_t)s.workers, "under_way", (json_int_t)s.under_way, "unmetered",
                          (json_int_t)s.unmetered, "credited", (json_int_t)s.credited, "ids_waiting",
                          (json_int_t)s.ids_waiting, "broken", (json_int_t)s.broken, "ledgers",
                          ledgers_json(api->recorder), "counters", counters_json(api->recorder, request->now_ms)));
}

static void
get_healthz(api_operator *api, const http_request *request, http_answer *answer)
{
    licet_recorder_status s;

    (void)request;
    licet_recorder_status_get(api->recorder, &s);
    answer->type = "text/plain; charset=utf-8";
    answer->status = s.stalled ? 503 : 200;
    licet_put_format(&answer->body, "%s\n", s.stalled ? s.why : "ok");
}

static void
post_sync(api_operator *api, const http_request *request, http_answer *answer)
{
    licet_recorder_status s;
    licet_error err;

    if (!licet_recorder_sync(api->recorder, request->now_ms, &err)) {
        answer_error(answer, &err);
        return;
    }
    licet_recorder_status_get(api->recorder, &s);
    answer_json(answer,
                json_pack("{s:I,s:o}", "journal", (json_int_t)s.journal, "ledgers", ledgers_json(api->recorder)));
}

static json_t *
mistakes_json(const licet_mistakes *mistakes)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mistakes->len; i++) {
        const licet_mistake *m = &mistakes->list[i];

        json_array_append_new(list, json_pack("{s:s,s:i,s:i,s:s}", "file", m->file, "line", (int)m->line, "column",
                                              (int)m->column, "text", m->text));
    }
    return list;
}

static void
post_apply(api_operator *api, const http_request *request, http_answer *answer)
{
    const char *reason = http_query(request, "reason"), *remove = http_query(request, "remove");
    licet_recorder_request wanted = {.reason = reason,
                                     .permit = {.as = http_query(request, "as"),
                                                .approved_by = http_query(request, "approved-by"),
                                                .remove = remove != NULL && strcmp(remove, "1") == 0}};
    licet_mistakes mistakes = {NULL, 0, 0};
    licet_buffer words;
    licet_error err;

    if (reason == NULL || reason[0] == '\0') {
        http_fail(answer, 400, "apply needs a reason: POST /apply?reason=TEXT");
        return;
    }
    licet_buffer_init(&words, WORDS_MAX);
    if (licet_recorder_apply_as(api->recorder, &wanted, request->now_ms, &mistakes, &words, &err)) {
        answer_json(answer, json_pack("{s:I,s:s%}", "generation",
                                      (json_int_t)licet_store_generation(licet_recorder_store(api->recorder)),
                                      "changes", words.len > 0 ? (const char *)words.data : "", words.len));
    } else if (mistakes.len > 0) {
        answer->status = 422;
        answer->type = "application/problem+json";
        answer_json(answer, json_pack("{s:s,s:s,s:i,s:s,s:o}", "type", "about:blank", "title", "Unprocessable Content",
                                      "status", 422, "detail", "the site's files hold mistakes", "mistakes",
                                      mistakes_json(&mistakes)));
    } else {
        answer_error(answer, &err);
    }
    licet_mistakes_done(&mistakes);
    licet_buffer_done(&words);
}

static void
post_rebuild(api_operator *api, const http_request *request, http_answer *answer)
{
    licet_buffer dump;
    licet_error err;
    uint64_t rows = 0;

    licet_buffer_init(&dump, HTTP_ANSWER_MAX);
    if (!licet_recorder_sync(api->recorder, request->now_ms, &err) || !licet_recorder_rebuild(api->recorder, &err) ||
        !licet_usage_dump(licet_recorder_usage(api->recorder), &dump, &err)) {
        answer_error(answer, &err);
    } else {
        for (size_t i = 0; i < dump.len; i++) {
            rows += dump.data[i] == '\n' ? 1 : 0;
        }
        answer_json(answer, json_pack("{s:I}", "rows", (json_int_t)rows));
    }
    licet_buffer_done(&dump);
}

/* Decisions behind 'after'; without after only those that come from now on. */
static void
get_tail(api_operator *api, const http_request *request, http_answer *answer)
{
    uint64_t after, wait, last = licet_recorder_recent_last(api->recorder);
    licet_error err;

    if (!http_query_u64(request, "after", last, &after) || !http_query_u64(request, "wait", 0, &wait)) {
        http_fail(answer, 400, "after and wait are numbers");
        return;
    }
    wait = wait < WAIT_MOST_MS ? wait : WAIT_MOST_MS;
    answer->type = "application/x-ndjson";
    if (!licet_recorder_recent(api->recorder, after, TAIL_LINES, request->now_ms, &answer->body, &answer->after,
                               &err)) {
        answer_error(answer, &err);
        return;
    }
    answer->wait =
        answer->after == after && http_query(request, "after") != NULL && request->now_ms < request->since_ms + wait;
}

static void
post_accept(api_operator *api, const http_request *request, http_answer *answer)
{
    const char *agreement = http_query(request, "agreement");
    uint32_t recorded = 0;
    licet_error err;

    if (agreement == NULL) {
        http_fail(answer, 400, "accept needs an agreement: POST /accept?agreement=A");
    } else if (!licet_recorder_accept(api->recorder, agreement, request->now_ms, &recorded, &err)) {
        answer_error(answer, &err);
    } else {
        answer_json(answer, json_pack("{s:I}", "recorded", (json_int_t)recorded));
    }
}

static void
post_disclose(api_operator *api, const http_request *request, http_answer *answer)
{
    api_disclose_post(api->recorder, request, answer);
}

static void
get_metrics(api_operator *api, const http_request *request, http_answer *answer)
{
    api_metrics_get(api->recorder, request, answer);
}

void
api_operator_handle(void *user, const http_request *request, http_answer *answer)
{
    static const struct {
        const char *method, *path;
        void (*handle)(api_operator *, const http_request *, http_answer *);
    } routes[] = {
        {"GET", "/status", get_status},   {"GET", "/healthz", get_healthz},     {"POST", "/sync", post_sync},
        {"POST", "/apply", post_apply},   {"POST", "/rebuild", post_rebuild},   {"GET", "/tail", get_tail},
        {"GET", "/metrics", get_metrics}, {"POST", "/disclose", post_disclose}, {"POST", "/accept", post_accept},
    };
    bool known = false;

    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(request->path, routes[i].path) != 0) {
            continue;
        }
        known = true;
        if (strcmp(request->method, routes[i].method) == 0) {
            routes[i].handle(user, request, answer);
            return;
        }
    }
    http_fail(answer, known ? 405 : 404, known ? "wrong method" : "no such resource; docs/format/api.md lists them");
}
