/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The APIs of licetd (docs/format/api.md).
 */
#ifndef LICET_DAEMON_API_H
#define LICET_DAEMON_API_H

#include "http.h"
#include "recorder.h"

/* data/operator.sock: whoever owns the site. */
typedef struct api_operator {
    licet_recorder *recorder;
} api_operator;
void api_operator_handle(void *user, const http_request *request, http_answer *answer);
#define API_BODY_MAX ((size_t)1 << 18) /* LICET_DISCLOSURE_FILES_MAX files and what is said of them */
void api_disclose_post(licet_recorder *recorder, const http_request *request, http_answer *answer);

/* data/metrics.sock: whoever watches; user is the recorder. */
void api_metrics_handle(void *user, const http_request *request, http_answer *answer);
void api_metrics_get(licet_recorder *recorder, const http_request *request, http_answer *answer);

/* data/api.sock: nginx, which has authenticated the caller and names it by Licet-Agreement and Licet-App. */
typedef struct api_licensee api_licensee;
bool api_licensee_new(licet_recorder *recorder, const char *dir, api_licensee **out_api, licet_error *err);
void api_licensee_free(api_licensee *api);
void api_licensee_handle(void *user, const http_request *request, http_answer *answer);

#endif
