/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of the demo: asks for pages as an ordinary API client does and
 * keeps its own books, with libcurl and jansson and nothing of licet's.
 */
#include "demo.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HANG_UP_AFTER 40000 /* bytes of the large page it reads before it leaves */

typedef struct page {
    char *data;
    size_t len, capacity;
    size_t leave_at; /* 0: reads to the end */
} page;

void
licet_demo_clients(licet_demo_client clients[LICET_DEMO_APPS + 1])
{
    static const struct {
        const char *app, *product, *use_case, *purpose;
        licet_demo_habit habit;
        unsigned requests, page;
    } plan[LICET_DEMO_APPS + 1] = {
        {"console-social", "Console", "UC-1", "display", LICET_DEMO_READS, 150, 20},
        {"search-pages", "Search", "UC-2", "search", LICET_DEMO_READS, 180, 25},
        {"search-pages-2", "Search", "UC-2", "search", LICET_DEMO_HANGS_UP, 90, 25},
        {"cloud-insight", "Cloud", "UC-3", "display", LICET_DEMO_READS, 120, 10},
        {"flow-builder", "Flows", "UC-4", "display", LICET_DEMO_READS, 140, 30},
        {"ads-local", "Ads", "UC-5", "display", LICET_DEMO_RUNS_DRY, 400, 60},
        {"ads-global", "Ads", "UC-5", "display", LICET_DEMO_READS, 160, 15},
        {"flow-model", "Flows", "UC-4", "display", LICET_DEMO_FORBIDDEN, 60, 10},
        {"a caller without a key", "", "", "", LICET_DEMO_STRANGER, 40, 10},
    };

    memset(clients, 0, (LICET_DEMO_APPS + 1) * sizeof(*clients));
    for (size_t i = 0; i < LICET_DEMO_APPS + 1; i++) {
        clients[i].app = plan[i].app;
        clients[i].product = plan[i].product;
        clients[i].use_case = plan[i].use_case;
        clients[i].purpose = plan[i].purpose;
        clients[i].habit = plan[i].habit;
        clients[i].requests = plan[i].requests;
        clients[i].page = plan[i].page;
    }
}

static size_t
take_body(char *data, size_t size, size_t n, void *user)
{
    page *p = user;
    size_t more = size * n;

    if (p->leave_at > 0 && p->len >= p->leave_at) {
        return 0; /* hangs up */
    }
    if (p->len + more > p->capacity) {
        size_t capacity = (p->len + more) * 2;
        char *grown = capacity < (64u << 20) ? realloc(p->data, capacity) : NULL;
        if (grown == NULL) {
            return 0;
        }
        p->data = grown;
        p->capacity = capacity;
    }
    memcpy(p->data + p->len, data, more);
    p->len += more;
    return more;
}

/* A small receive window, so that what it leaves unread stays with the gate. */
static int
small_window(void *user, curl_socket_t fd, curlsocktype purpose)
{
    int bytes = 8192;

    (void)user;
    (void)purpose;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    return CURL_SOCKOPT_OK;
}

static struct curl_slist *
headers_of(const licet_demo_client *client, bool forbidden)
{
    char line[256];
    struct curl_slist *headers = NULL;

    snprintf(line, sizeof(line), "Authorization: Bearer %s", client->secret);
    headers = curl_slist_append(headers, line);
    if (forbidden) {
        headers = curl_slist_append(headers, "Licet-Purpose: train-ai");
    }
    return headers;
}

/* One request. *out_status 0: it hung up. */
static bool
ask(licet_demo_client *client, CURL *curl, unsigned posts, bool forbidden, bool leave, page *body, long *out_status)
{
    struct curl_slist *headers = headers_of(client, forbidden);
    char url[256];
    CURLcode rc;

    snprintf(url, sizeof(url), "%s/2/tweets/search/%s?query=weather&max_results=%u", client->base,
             leave ? "all" : "recent", posts);
    body->len = 0;
    body->leave_at = leave ? HANG_UP_AFTER : 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (leave) {
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 4096L);
        curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, small_window);
    }
    rc = curl_easy_perform(curl);
    atomic_fetch_add(&client->asked, 1);
    if (leave) {
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 0L);
        curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, NULL);
    }
    curl_slist_free_all(headers);
    *out_status = 0;
    if (rc == CURLE_WRITE_ERROR && leave) {
        return true;
    }
    if (rc != CURLE_OK) {
        snprintf(client->text, sizeof(client->text), "%s: %s", url, curl_easy_strerror(rc));
        return false;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, out_status);
    return true;
}

static unsigned long
posts_of(const page *body)
{
    json_t *root = json_loadb(body->data, body->len, 0, NULL);
    json_t *data = json_object_get(root, "data");
    unsigned long posts = json_is_array(data) ? json_array_size(data) : json_is_object(data) ? 1 : 0;

    json_decref(root);
    return posts;
}

/* Posts begun in the part of a page that was received: the demo's posts begin with this text and nothing else does. */
static unsigned long
posts_begun(const page *body)
{
    static const char begin[] = "{\"id\":\"17";
    unsigned long posts = 0;

    for (size_t i = 0; i + sizeof(begin) - 1 <= body->len; i++) {
        posts += memcmp(body->data + i, begin, sizeof(begin) - 1) == 0;
    }
    return posts;
}

/* What a refusal says would work: the number in retry_with, or 0. */
static unsigned
retry_with(const page *body, bool *out_held)
{
    json_t *root = json_loadb(body->data, body->len, 0, NULL);
    const char *text = json_string_value(json_object_get(root, "retry_with"));
    const char *type = json_string_value(json_object_get(root, "type"));
    const char *sign = text != NULL ? strstr(text, "<=") : NULL;
    unsigned posts = sign != NULL ? (unsigned)strtoul(sign + 2, NULL, 10) : 0;

    *out_held = type != NULL && strstr(type, "quota-held") != NULL;
    json_decref(root);
    return posts;
}

/* Books one answer; true when the client wants to go on. *posts is what it asks for next. */
static bool
book(licet_demo_client *client, const page *body, long status, unsigned *posts)
{
    bool held;

    if (status == 0) {
        atomic_fetch_add(&client->cut_posts, posts_begun(body));
        return true;
    }
    if (status == 200) {
        atomic_fetch_add(&client->delivered, 1);
        atomic_fetch_add(&client->posts, posts_of(body));
        return true;
    }
    atomic_fetch_add(&client->refused, 1);
    if (client->habit == LICET_DEMO_RUNS_DRY && status == 429) {
        unsigned fewer = retry_with(body, &held);
        if (held) {
            return true;
        }
        *posts = fewer;
        return fewer > 0;
    }
    if (client->habit == LICET_DEMO_STRANGER && status == 401) {
        return true;
    }
    if (client->habit == LICET_DEMO_FORBIDDEN && status == 403) {
        return true;
    }
    client->failed = true;
    snprintf(client->text, sizeof(client->text), "answered %ld: %.*s", status, (int)(body->len < 160 ? body->len : 160),
             body->len > 0 ? body->data : "");
    return false;
}

void *
licet_demo_client_run(void *argument)
{
    licet_demo_client *client = argument;
    page body = {NULL, 0, 0, 0};
    CURL *curl = curl_easy_init();
    unsigned posts = client->page;

    if (curl == NULL) {
        client->failed = true;
        return NULL;
    }
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    for (unsigned i = 0; i < client->requests && !atomic_load(&client->stop); i++) {
        bool forbidden = client->habit == LICET_DEMO_FORBIDDEN && i % 20 == 19;
        bool leave = client->habit == LICET_DEMO_HANGS_UP && i == client->requests / 2;
        long status;

        if (!ask(client, curl, leave ? LICET_DEMO_LARGE_PAGE : posts, forbidden, leave, &body, &status)) {
            client->failed = true;
            break;
        }
        if (!book(client, &body, status, &posts)) {
            break;
        }
        licet_pause(client->pace_ms);
    }
    curl_easy_cleanup(curl);
    free(body.data);
    return NULL;
}
