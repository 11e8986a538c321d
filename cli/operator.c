/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operator's API, the asking side: HTTP on a unix socket, by libcurl.
 */
#include "operator.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static size_t
take_body(char *data, size_t size, size_t n, void *user)
{
    licet_buffer *out = user;

    return licet_put_bytes(out, licet_bytes_of(data, size * n)) ? size * n : 0;
}

static bool
configure(CURL *curl, const char *socket, const char *method, const char *url, licet_bytes body, long timeout_ms,
          licet_buffer *out)
{
    return curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms > 0 ? timeout_ms : 60000L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, out) == CURLE_OK &&
           (strcmp(method, "POST") != 0 ||
            (curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.len) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.len > 0 ? (const char *)body.data : "") == CURLE_OK));
}

bool
licet_operator_call(const char *dir, const char *method, const char *path, licet_bytes body, long timeout_ms,
                    long *out_status, licet_buffer *out, licet_error *err)
{
    char socket[PATH_MAX], url[2048];
    CURL *curl = NULL;
    CURLcode rc;
    bool ok = false;

    if (snprintf(socket, sizeof(socket), "%s/data/operator.sock", dir) >= (int)sizeof(socket) ||
        snprintf(url, sizeof(url), "http://localhost%s", path) >= (int)sizeof(url)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: the name is too long", dir);
    }
    curl = curl_easy_init();
    if (curl == NULL || !configure(curl, socket, method, url, body, timeout_ms, out)) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to ask licetd");
        goto done;
    }
    rc = curl_easy_perform(curl);
    if (rc == CURLE_COULDNT_CONNECT || rc == CURLE_COULDNT_RESOLVE_HOST) {
        LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%s: no licetd answers there", socket);
        goto done;
    }
    if (rc != CURLE_OK) {
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s %s: %s", socket, method, path, curl_easy_strerror(rc));
        goto done;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, out_status);
    ok = true;
done:
    curl_easy_cleanup(curl);
    return ok;
}

bool
licet_operator_sync(const char *dir, licet_error *err)
{
    licet_buffer answer;
    licet_error local;
    long status = 0;
    bool ok;

    licet_buffer_init(&answer, 1 << 20);
    ok = licet_operator_call(dir, "POST", "/sync", (licet_bytes){NULL, 0}, 0, &status, &answer, &local);
    if (!ok && local.code == LICET_E_NOT_FOUND) {
        ok = true;
    } else if (!ok && err != NULL) {
        *err = local;
    } else if (ok && status != 200) {
        ok = LICET_FAIL(err, LICET_E_STATE, 0, "%s: licetd answered %ld to POST /sync: %.*s", dir, status,
                        (int)(answer.len < 200 ? answer.len : 200), answer.len > 0 ? (const char *)answer.data : "");
    }
    licet_buffer_done(&answer);
    return ok;
}
