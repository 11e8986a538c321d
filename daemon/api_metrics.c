/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics over HTTP: GET /metrics on data/metrics.sock, which nginx's group
 * may open, and on the operator's socket.
 *
 *  (1) Nothing but this one page is behind data/metrics.sock.
 *  (2) The format is what the query names, else what Accept asks for, else Prometheus' text.
 */
#include "api.h"

#include <string.h>

static const struct {
    const char *name, *media, *type;
    licet_metrics_format format;
} formats[] = {
    {"openmetrics", "application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8",
     LICET_METRICS_OPEN},
    {"json", "application/json", "application/json", LICET_METRICS_JSON},
    {"text", "text/plain", "text/plain; version=0.0.4; charset=utf-8", LICET_METRICS_TEXT},
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

/* FORMATS: the query names none of them. */
static size_t
format_of(const http_request *request)
{
    const char *named = http_query(request, "format"), *accept = http_header(request, "Accept");

    for (size_t i = 0; named != NULL && i < FORMATS; i++) {
        if (strcmp(named, formats[i].name) == 0) {
            return i;
        }
    }
    for (size_t i = 0; named == NULL && accept != NULL && i < FORMATS; i++) {
        if (strstr(accept, formats[i].media) != NULL) {
            return i;
        }
    }
    return named != NULL ? FORMATS : FORMATS - 1;
}

void
api_metrics_get(licet_recorder *recorder, const http_request *request, http_answer *answer)
{
    size_t format = format_of(request);
    licet_error err;

    if (format == FORMATS) {
        http_fail(answer, 400, "format is text, openmetrics or json");
        return;
    }
    answer->type = formats[format].type;
    if (!licet_recorder_metrics(recorder, formats[format].format, request->now_ms, &answer->body, &err)) {
        http_fail(answer, 500, err.text);
    }
}

void
api_metrics_handle(void *user, const http_request *request, http_answer *answer)
{
    if (strcmp(request->path, "/metrics") != 0) {
        http_fail(answer, 404, "there is nothing here but /metrics");
    } else if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        http_fail(answer, 405, "wrong method");
    } else {
        api_metrics_get(user, request, answer);
    }
}
