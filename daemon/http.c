/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP: see http.h.
 */
#include "http.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define IDLE_S 60

typedef struct http_exchange { /* one request of a connection */
    struct MHD_Connection *connection;
    uint64_t since_ms;
    size_t body_len;
    licet_buffer body;          /* where bodies are kept */
    struct http_exchange *next; /* of those that wait */
} http_exchange;

struct http_server {
    struct MHD_Daemon *daemon;
    http_handler handler;
    void *user;
    uint64_t now_ms;
    http_exchange *waiting;
    size_t body_most; /* 0: bodies are dropped */
    bool closing;     /* nobody waits any more: libmicrohttpd cannot end with suspended connections */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

const char *
http_query(const http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

typedef struct stranger {
    const char *const *known;
    const char *found;
} stranger;

static enum MHD_Result
on_parameter(void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
    stranger *s = user;

    (void)kind;
    (void)value;
    for (size_t i = 0; s->known[i] != NULL; i++) {
        if (strcmp(name, s->known[i]) == 0) {
            return MHD_YES;
        }
    }
    s->found = name;
    return MHD_NO;
}

const char *
http_query_other(const http_request *request, const char *const *known)
{
    stranger s = {.known = known};

    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, on_parameter, &s);
    return s.found;
}

const char *
http_header(const http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool
http_query_u64(const http_request *request, const char *name, uint64_t otherwise, uint64_t *out_value)
{
    const char *text = http_query(request, name);

    *out_value = otherwise;
    return text == NULL || licet_parse_u64(licet_bytes_of_text(text), out_value);
}

void
http_fail(http_answer *answer, unsigned status, const char *text)
{
    json_t *json = json_pack("{s:s,s:s,s:i,s:s}", "type", "about:blank", "title", MHD_get_reason_phrase_for(status),
                             "status", (int)status, "detail", text);
    char *dump = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    answer->status = status;
    answer->type = "application/problem+json";
    answer->cache = NULL;
    answer->body.len = 0;
    answer->body.failed = false;
    licet_put_format(&answer->body, "%s\n",
                     dump != NULL ? dump : "{\"type\":\"about:blank\",\"detail\":\"no memory\"}");
    free(dump);
    json_decref(json);
}

static enum MHD_Result
send_answer(struct MHD_Connection *connection, http_answer *answer)
{
    struct MHD_Response *response;
    enum MHD_Result result;
    char after[24];

    if (answer->body.failed) {
        http_fail(answer, 500, "the answer is too long");
    }
    response = MHD_create_response_from_buffer(answer->body.len, answer->body.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", answer->type);
    MHD_add_response_header(response, "Cache-Control", answer->cache != NULL ? answer->cache : "no-store");
    if (answer->after != UINT64_MAX) {
        snprintf(after, sizeof(after), "%llu", (unsigned long long)answer->after);
        MHD_add_response_header(response, "Licet-After", after);
    }
    result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
on_request(void *user, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
           const char *upload, size_t *upload_len, void **state)
{
    http_server *server = user;
    http_exchange *exchange = *state;
    http_answer answer = {.status = 200, .type = "application/json", .after = UINT64_MAX};
    http_request request;
    enum MHD_Result result;

    (void)version;
    if (exchange == NULL) {
        exchange = calloc(1, sizeof(*exchange));
        if (exchange != NULL) {
            exchange->connection = connection;
            exchange->since_ms = server->now_ms;
            licet_buffer_init(&exchange->body, server->body_most);
        }
        *state = exchange;
        return exchange != NULL ? MHD_YES : MHD_NO;
    }
    exchange->body_len += *upload_len;
    if (server->body_most > 0 ? !licet_put_bytes(&exchange->body, licet_bytes_of(upload, *upload_len))
                              : exchange->body_len > HTTP_BODY_MAX) {
        return MHD_NO;
    }
    if (*upload_len > 0) {
        *upload_len = 0;
        return MHD_YES;
    }
    licet_buffer_init(&answer.body, HTTP_ANSWER_MAX);
    request =
        (http_request){connection, method, url, server->now_ms, exchange->since_ms, licet_buffer_view(&exchange->body)};
    server->handler(server->user, &request, &answer);
    if (answer.wait && !server->closing) {
        exchange->next = server->waiting;
        server->waiting = exchange;
        MHD_suspend_connection(connection);
        result = MHD_YES;
    } else {
        result = send_answer(connection, &answer);
    }
    licet_buffer_done(&answer.body);
    return result;
}

static void
forget(http_server *server, http_exchange *exchange)
{
    for (http_exchange **at = &server->waiting; *at != NULL; at = &(*at)->next) {
        if (*at == exchange) {
            *at = exchange->next;
            return;
        }
    }
}

static void
on_completed(void *user, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    if (*state != NULL) {
        forget(user, *state);
        licet_buffer_done(&((http_exchange *)*state)->body);
        free(*state);
        *state = NULL;
    }
}

void
http_keep_bodies(http_server *server, size_t most)
{
    server->body_most = most;
}

void
http_wake(http_server *server)
{
    while (server->waiting != NULL) {
        http_exchange *exchange = server->waiting;

        server->waiting = exchange->next;
        MHD_resume_connection(exchange->connection);
    }
}

/* ---- opening --------------------------------------------------------------- */

static bool
listen_on(const char *path, unsigned mode, int gid, int *out_fd, licet_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t before;
    int fd, rc;

    if (strlen(path) >= sizeof(address.sun_path)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0,
                          "%s: the path of a unix socket has at most %zu bytes; use a shorter "
                          "name for the site",
                          path, sizeof(address.sun_path) - 1);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot make a socket: %s", path, strerror(errno));
    }
    unlink(path); /* of a licetd that died; data/lock says that there is no other */
    before = umask(0777 & ~mode);
    rc = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    umask(before);
    if (rc != 0 || listen(fd, CONNECTIONS_MAX) != 0 || (gid >= 0 && chown(path, (uid_t)-1, (gid_t)gid) != 0) ||
        chmod(path, mode) != 0) {
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot listen: %s", path, strerror(errno));
        close(fd);
        return false;
    }
    *out_fd = fd;
    return true;
}

bool
http_open(const char *path, unsigned mode, int gid, http_handler handler, void *user, http_server **out_server,
          licet_error *err)
{
    http_server *server = calloc(1, sizeof(*server));
    int fd;

    if (server == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory", path);
    }
    if (!listen_on(path, mode, gid, &fd, err)) {
        free(server);
        return false;
    }
    server->handler = handler;
    server->user = user;
    memcpy(server->path, path, strlen(path) + 1); /* it fits: listen_on saw to it */
    server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server,
                                      MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
                                      MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                                      server, MHD_OPTION_END);
    if (server->daemon == NULL) {
        close(fd);
        unlink(path);
        free(server);
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot serve HTTP there", path);
    }
    *out_server = server;
    return true;
}

void
http_close(http_server *server)
{
    if (server != NULL) {
        server->closing = true;
        http_wake(server);
        MHD_run(server->daemon);
        MHD_stop_daemon(server->daemon);
        unlink(server->path);
        free(server);
    }
}

int
http_fd(const http_server *server)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    return info != NULL ? info->epoll_fd : -1;
}

unsigned
http_patience(const http_server *server, unsigned most)
{
    MHD_UNSIGNED_LONG_LONG timeout;

    return MHD_get_timeout(server->daemon, &timeout) == MHD_YES && timeout < most ? (unsigned)timeout : most;
}

void
http_run(http_server *server, uint64_t now_ms)
{
    server->now_ms = now_ms;
    MHD_run(server->daemon);
}
