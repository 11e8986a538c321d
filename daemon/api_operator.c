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

static void
get_status(api_operator *api, const http_request *request, http_answer *answer)
{
    licet_recorder_status s;

    (void)request;
    licet_recorder_status_get(api->recorder, &s);
    answer_json(answer, json_pack("{s:b,s:s?,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "recording", !s.stalled, "why",
                                  s.stalled ? s.why : NULL, "epoch", (json_int_t)s.epoch, "generation",
                                  (json_int_t)s.generation, "journal", (json_int_t)s.journal, "lag", (json_int_t)s.lag,
                                  "workers", (json_int_t)s.workers, "under_way", (json_int_t)s.under_way, "unmetered",
                                  (json_int_t)s.unmetered, "broken", (json_int_t)s.broken, "ledgers",
                                  ledgers_json(api->recorder)));
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
    licet_error err;

    if (!licet_recorder_sync(api->recorder, request->now_ms, &err)) {
        answer_error(answer, &err);
        return;
    }
    answer_json(answer, json_pack("{s:o}", "ledgers", ledgers_json(api->recorder)));
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
    const char *reason = http_query(request, "reason");
    licet_mistakes mistakes = {NULL, 0, 0};
    licet_buffer words;
    licet_error err;

    if (reason == NULL || reason[0] == '\0') {
        http_fail(answer, 400, "apply needs a reason: POST /apply?reason=TEXT");
        return;
    }
    licet_buffer_init(&words, WORDS_MAX);
    if (licet_recorder_apply(api->recorder, reason, request->now_ms, &mistakes, &words, &err)) {
        answer_json(answer, json_pack("{s:I,s:s%}", "generation",
                                      (json_int_t)licet_store_generation(licet_recorder_store(api->recorder)),
                                      "changes", words.len > 0 ? (const char *)words.data : "", words.len));
    } else if (mistakes.len > 0) {
        answer->status = 422;
        answer_json(answer, json_pack("{s:s,s:o}", "error", "the site's files hold mistakes", "mistakes",
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

void
api_operator_handle(void *user, const http_request *request, http_answer *answer)
{
    static const struct {
        const char *method, *path;
        void (*handle)(api_operator *, const http_request *, http_answer *);
    } routes[] = {
        {"GET", "/status", get_status}, {"GET", "/healthz", get_healthz},   {"POST", "/sync", post_sync},
        {"POST", "/apply", post_apply}, {"POST", "/rebuild", post_rebuild}, {"GET", "/tail", get_tail},
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
