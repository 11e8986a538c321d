/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP on a unix socket, by libmicrohttpd in the one thread of licetd.
 *
 *  (1) A body is read and dropped, at most HTTP_BODY_MAX bytes of it; a server that was told to keeps it.
 *  (2) An answer that must wait suspends its connection; http_wake lets all of them be asked again.
 */
#ifndef LICET_DAEMON_HTTP_H
#define LICET_DAEMON_HTTP_H

#include "licet/base.h"

#include <microhttpd.h>

#define HTTP_BODY_MAX 65536
#define HTTP_ANSWER_MAX ((size_t)64 << 20)

typedef struct http_request {
    struct MHD_Connection *connection;
    const char *method, *path;
    uint64_t now_ms;
    uint64_t since_ms; /* when it came in */
    licet_bytes body;  /* where bodies are kept */
} http_request;

typedef struct http_answer {
    unsigned status;
    const char *type;  /* media type */
    const char *cache; /* Cache-Control; NULL: no-store */
    uint64_t after;    /* Licet-After: where a reader goes on; UINT64_MAX: none */
    licet_buffer body;
    bool wait; /* nothing yet: ask again when woken */
} http_answer;

typedef void (*http_handler)(void *user, const http_request *request, http_answer *answer);

typedef struct http_server http_server;
/* Listens on path (made anew). gid -1: the process's. */
bool http_open(const char *path, unsigned mode, int gid, http_handler handler, void *user, http_server **out_server,
               licet_error *err);
/* From now on bodies of at most so many bytes are kept; a longer one ends its connection. */
void http_keep_bodies(http_server *server, size_t most);
void http_close(http_server *server);
/* To be watched for reading. */
int http_fd(const http_server *server);
/* Serves what is there. */
void http_run(http_server *server, uint64_t now_ms);
/* Milliseconds until http_run must be called even if nothing is readable; at most most. */
unsigned http_patience(const http_server *server, unsigned most);
void http_wake(http_server *server);

/* Value of a query parameter or a header; NULL: not there. */
const char *http_query(const http_request *request, const char *name);
const char *http_header(const http_request *request, const char *name);
/* A number from the query, or otherwise. False: there, but no number. */
bool http_query_u64(const http_request *request, const char *name, uint64_t otherwise, uint64_t *out_value);
/* The first query parameter that is not among the known ones, whose list NULL ends; NULL: there is none. */
const char *http_query_other(const http_request *request, const char *const *known);
/* A problem document (RFC 9457) with text as its detail. */
void http_fail(http_answer *answer, unsigned status, const char *text);

#endif
