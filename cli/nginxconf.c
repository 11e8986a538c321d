/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nginx configuration of a site: one server that listens where licet.yaml
 * says, meters everything on its way to the upstream, and hands the licensee's
 * API to licetd; and a second one for whoever watches, where licet.yaml says so.
 *
 *  (1) A value of licet.yaml gets into the configuration only if it cannot end
 *      the word it stands in.
 *  (2) An upstream over TLS is verified; nothing here turns that off.
 */
#include "nginxconf.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const char ca_bundle[] = "/etc/ssl/certs/ca-certificates.crt";

static bool
word(const char *name, const char *value, licet_error *err)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (*c <= ' ' || *c == 0x7f || strchr(";{}\"'\\#", *c) != NULL) {
            return LICET_FAIL(err, LICET_E_INVALID, 0,
                              "%s \"%s\": the character '%c' cannot stand in an nginx configuration", name, value, *c);
        }
    }
    return true;
}

/* Files a worker may open: what this process could give itself, and never a number the system would refuse. */
static unsigned
files_allowed(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return 1024;
    }
    return files.rlim_max < 65536 ? (unsigned)files.rlim_max : 65536;
}

static void
put_main(const char *folder, const char *module, const char *user, unsigned workers, licet_buffer *out)
{
    unsigned files = files_allowed(); /* a connection of a gate takes two, and up to two more for a temporary file */

    licet_put_format(out, "# Made by licet up; it is written anew at each start.\n");
    licet_put_format(out, "load_module \"%s\";\n", module);
    if (user != NULL) {
        licet_put_format(out, "user %s;\n", user);
    }
    licet_put_format(out,
                     "worker_processes %u;\n"
                     "worker_rlimit_nofile %u;\n"
                     "pid \"%s/nginx.pid\";\n"
                     "error_log \"%s/error.log\" notice;\n"
                     "daemon off;\n\n"
                     "events {\n    worker_connections %u;\n}\n\n",
                     workers, files, folder, folder, files / 4);
}

static void
put_paths(const char *folder, licet_buffer *out)
{
    static const char *const kinds[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        licet_put_format(out, "    %s_temp_path \"%s/%s\";\n", kinds[i], folder, kinds[i]);
    }
}

static bool
is_tls(const char *url)
{
    return strncmp(url, "https://", 8) == 0;
}

/* Host and port of an upstream; the name in its certificate. */
static const char *
host_of(const char *url)
{
    return url + (is_tls(url) ? 8 : 7);
}

static void
put_upstream(const char *name, const char *url, licet_buffer *out)
{
    const char *host = host_of(url);

    licet_put_format(out, "    upstream %s {\n        server %s%s;\n        keepalive 64;\n    }\n", name, host,
                     is_tls(url) && strchr(host, ':') == NULL ? ":443" : "");
}

static const char *
upstream_name(size_t i, char name[40])
{
    snprintf(name, 40, "licet_upstream_%zu", i + 1);
    return name;
}

/* Which upstream, host and certificate by the agreement that the gate found: a key of the licensee's belongs to one. A
 * backslash before a name tells nginx that it is no word of its own. */
static void
put_maps(const licet_site_config *config, licet_buffer *out)
{
    char name[40];

    licet_put_format(out, "\n    map $licet_agreement $licet_to {\n        default %s://licet_upstream;\n",
                     is_tls(config->upstream) ? "https" : "http");
    for (size_t i = 0; i < config->upstreams_len; i++) {
        licet_put_format(out, "        \\\\%s %s://%s;\n", config->upstreams[i].agreement,
                         is_tls(config->upstreams[i].url) ? "https" : "http", upstream_name(i, name));
    }
    licet_put_format(out, "    }\n    map $licet_agreement $licet_to_host {\n        default %s;\n",
                     host_of(config->upstream));
    for (size_t i = 0; i < config->upstreams_len; i++) {
        licet_put_format(out, "        \\\\%s %s;\n", config->upstreams[i].agreement,
                         host_of(config->upstreams[i].url));
    }
    licet_put_format(out, "    }\n    map $licet_agreement $licet_to_name {\n        default %.*s;\n",
                     (int)strcspn(host_of(config->upstream), ":/"), host_of(config->upstream));
    for (size_t i = 0; i < config->upstreams_len; i++) {
        const char *host = host_of(config->upstreams[i].url);
        licet_put_format(out, "        \\\\%s %.*s;\n", config->upstreams[i].agreement, (int)strcspn(host, ":/"), host);
    }
    licet_put_format(out, "    }\n");
}

static void
put_tls(const char *name, size_t len, licet_buffer *out)
{
    licet_put_format(out,
                     "            proxy_ssl_server_name on;\n"
                     "            proxy_ssl_name %.*s;\n"
                     "            proxy_ssl_verify on;\n"
                     "            proxy_ssl_verify_depth 3;\n"
                     "            proxy_ssl_trusted_certificate %s;\n",
                     (int)len, name, ca_bundle);
}

static void
put_server(const licet_site_config *config, const char *data, licet_buffer *out)
{
    bool several = config->upstreams_len > 0, tls = is_tls(config->upstream);
    char name[40];

    put_upstream("licet_upstream", config->upstream, out);
    for (size_t i = 0; i < config->upstreams_len; i++) {
        put_upstream(upstream_name(i, name), config->upstreams[i].url, out);
        tls = tls || is_tls(config->upstreams[i].url);
    }
    if (several) {
        put_maps(config, out);
    }
    licet_put_format(out, "\n    server {\n        listen %s;\n\n", config->listen);
    if (config->identity != NULL) {
        licet_put_format(out, "        licet_app %s;\n\n", config->identity);
    }
    licet_put_format(out, "        location / {\n            licet on;\n");
    if (several) {
        licet_put_format(out, "            proxy_pass $licet_to;\n");
    } else {
        licet_put_format(out, "            proxy_pass %s://licet_upstream;\n", tls ? "https" : "http");
    }
    licet_put_format(out,
                     "            proxy_http_version 1.1;\n"
                     "            proxy_set_header Connection \"\";\n"
                     "            proxy_set_header Host %s;\n",
                     several ? "$licet_to_host" : host_of(config->upstream));
    if (tls && several) {
        put_tls("$licet_to_name", strlen("$licet_to_name"), out);
    } else if (tls) {
        put_tls(host_of(config->upstream), strcspn(host_of(config->upstream), ":/"), out);
    }
    licet_put_format(
        out,
        "        }\n\n"
        "        location /.well-known/licet/ {\n"
        "            licet_api on;\n"
        "            proxy_pass \"http://unix:%s/api.sock\";\n"
        "            error_page 502 504 =503 @licetd_away;\n"
        "        }\n\n"
        "        location @licetd_away {\n"
        "            default_type application/problem+json;\n"
        "            add_header Retry-After 5 always;\n"
        "            return 503 '{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
        "\"detail\":\"licetd does not answer; what passes the gate is recorded all the same\"}\\n';\n"
        "        }\n"
        "    }\n",
        data);
}

/* On an address of its own: on the clients' one, whatever stands in front of the gate on this machine would be let in,
 * and with it everybody. */
static void
put_metrics(const licet_site_config *config, const char *data, licet_buffer *out)
{
    licet_put_format(out,
                     "\n    server {\n        listen %s;\n        access_log off;\n\n"
                     "        location = /metrics {\n"
                     "            allow 127.0.0.0/8;\n"
                     "            allow ::1;\n"
                     "            deny all;\n"
                     "            proxy_pass \"http://unix:%s/metrics.sock\";\n"
                     "        }\n"
                     "        location / {\n            return 404;\n        }\n"
                     "    }\n",
                     config->metrics, data);
}

bool
licet_nginx_conf(const licet_site_config *config, const char *folder, const char *data, const char *module,
                 const char *user, unsigned workers, licet_buffer *out, licet_error *err)
{
    if (!word("upstream", config->upstream, err) || !word("listen", config->listen, err) ||
        !word("shared_memory", config->shared_memory, err) ||
        (config->metrics != NULL && !word("metrics", config->metrics, err)) ||
        (config->identity != NULL && !word("identity", config->identity, err))) {
        return false;
    }
    for (size_t i = 0; i < config->upstreams_len; i++) {
        if (!word("upstreams", config->upstreams[i].url, err)) {
            return false;
        }
    }
    if (strpbrk(folder, "\"\\\n") != NULL || strpbrk(data, "\"\\\n") != NULL) {
        return LICET_FAIL(err, LICET_E_INVALID, 0,
                          "%s: a folder with a quote, a backslash or a line end cannot be named to nginx", folder);
    }
    put_main(folder, module, user, workers, out);
    licet_put_format(out, "http {\n");
    put_paths(folder, out);
    licet_put_format(out,
                     "    log_format licet '$remote_addr [$time_iso8601] \"$request\" $status $body_bytes_sent '\n"
                     "                     'app=$licet_app verdict=$licet_verdict units=$licet_units '\n"
                     "                     'decision=$licet_decision';\n"
                     "    access_log \"%s/access.log\" licet;\n"
                     "    keepalive_requests 100000;\n"
                     "    licet_gate %s;\n\n",
                     folder, config->shared_memory);
    put_server(config, data, out);
    if (config->metrics != NULL) {
        put_metrics(config, data, out);
    }
    licet_put_format(out, "}\n");
    return out->failed ? LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the nginx configuration") : true;
}
