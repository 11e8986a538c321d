/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the demo writes: the terms and apps of its agreement, and the platform
 * (pages as an X-like v2 API sends them, served by an nginx).
 */
#include "demo.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIRST_ID UINT64_C(1700000000000000000) /* each post of the demo has an id from here on: 19 digits */

static bool
write_text(const char *dir, const char *name, licet_buffer *text, licet_error *err)
{
    char path[PATH_MAX];
    bool ok;

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s/%s: the name is too long", dir, name);
    }
    ok = text->failed ? LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %s", name)
                      : licet_file_replace(path, licet_buffer_view(text), 0644, err);
    text->len = 0;
    return ok;
}

static void
put_agreement(const char *day, licet_buffer *out)
{
    licet_put_format(out,
                     "# The agreement of licet demo. Everything here is synthetic.\n"
                     "agreement: " LICET_DEMO_AGREEMENT "\n"
                     "in_force: { from: %s, then: refuse }\n"
                     "parties:\n"
                     "  licensor: { legal_name: Demo Platform (synthetic), country: US }\n"
                     "  licensee: { legal_name: Demo Licensee (synthetic), country: US }\n"
                     "catalogue: x-api-v2@2022-10-10\n"
                     "clauses:\n"
                     "  NO-TRAIN:  { section: II.A.g, says: No training of foundation models }\n"
                     "  CAP-MONTH: { section: Order form 2, says: Two million posts a month over all apps }\n"
                     "  CAP-APP:   { section: Order form 3, says: Five thousand posts a day for each app }\n"
                     "  RATE:      { section: II.D, says: Nine hundred searches in fifteen minutes for each app }\n"
                     "purposes: { allowed: [display, search], forbidden: { train-ai: NO-TRAIN }, not_named: refuse, "
                     "not_declared: record }\n"
                     "limits:\n"
                     "  - { clause: CAP-MONTH, unit: post, most: 2_000_000, per: month, over: licensee }\n"
                     "  - { clause: CAP-APP, unit: post, most: %d, per: day, over: app }\n"
                     "  - { clause: RATE, unit: request, most: 900, per: 15m, over: app, endpoints: [search-recent] }\n"
                     "cannot_record: refuse\n"
                     "on_overrun: deliver\n"
                     "mode: enforce\n",
                     day, LICET_DEMO_CAP);
}

static void
put_apps(const char *day, const licet_demo_client *clients, licet_buffer *out)
{
    static const struct {
        const char *id, *product, *purpose;
    } use_cases[] = {
        {"UC-1", "Console", "display"}, {"UC-2", "Search", "search"}, {"UC-3", "Cloud", "display"},
        {"UC-4", "Flows", "display"},   {"UC-5", "Ads", "display"},
    };

    licet_put_format(out, "# Eight apps over five products; keys are added by licet credential new.\napps:\n");
    for (size_t i = 0; i < LICET_DEMO_APPS; i++) {
        licet_put_format(out, "  %s:\n    products: [%s]\n    environment: prod\n    default_use_case: %s\n",
                         clients[i].app, clients[i].product, clients[i].use_case);
    }
    licet_put_format(out, "use_cases:\n");
    for (size_t i = 0; i < sizeof(use_cases) / sizeof(use_cases[0]); i++) {
        licet_put_format(out,
                         "  %s: { product: %s, purpose: %s, recipient: public, approved: { by: J. Doe, role: "
                         "licensing, from: %s } }\n",
                         use_cases[i].id, use_cases[i].product, use_cases[i].purpose, day);
    }
}

bool
licet_demo_site_write(const char *dir, const char *day, const licet_demo_client *clients, licet_error *err)
{
    char name[256];
    licet_buffer text;
    bool ok;

    licet_buffer_init(&text, 1 << 20);
    put_agreement(day, &text);
    snprintf(name, sizeof(name), "agreements/" LICET_DEMO_AGREEMENT "/%s.yaml", day);
    ok = write_text(dir, name, &text, err);
    if (ok) {
        put_apps(day, clients, &text);
        ok = write_text(dir, "agreements/" LICET_DEMO_AGREEMENT "/apps.yaml", &text, err);
    }
    licet_buffer_done(&text);
    return ok;
}

static void
put_post(unsigned i, licet_buffer *out)
{
    licet_put_format(
        out,
        "{\"id\":\"%" PRIu64 "\",\"author_id\":\"2%07u\",\"created_at\":\"2026-01-%02uT12:%02u:00.000Z\","
        "\"lang\":\"en\",\"edit_history_tweet_ids\":[\"%" PRIu64 "\"],"
        "\"text\":\"Synthetic post %u: rain over the harbour \\u2014 \\\"data\\\":[{}] is only text here. "
        "Wind from the west, pressure falling, gulls loud.\","
        "\"public_metrics\":{\"retweet_count\":%u,\"reply_count\":%u,\"like_count\":%u,\"quote_count\":0}}",
        FIRST_ID + i, i % 40, 1 + i % 28, i % 60, FIRST_ID + i, i, i % 7, i % 5, i % 90);
}

/* A page of n posts, their authors beside them, as a v2 search answers. */
static void
put_page(unsigned n, licet_buffer *out)
{
    licet_put_format(out, "{\"data\":[");
    for (unsigned i = 0; i < n; i++) {
        licet_put_format(out, "%s", i > 0 ? "," : "");
        put_post(i, out);
    }
    licet_put_format(out, "],\"includes\":{\"users\":[");
    for (unsigned i = 0; i < n && i < 40; i++) {
        licet_put_format(out, "%s{\"id\":\"2%07u\",\"name\":\"Synthetic author %u\",\"username\":\"author_%u\"}",
                         i > 0 ? "," : "", i, i, i);
    }
    licet_put_format(out, "]},\"meta\":{\"result_count\":%u,\"next_token\":\"demo%u\"}}\n", n, n);
}

static bool
write_pages(const char *folder, licet_error *err)
{
    char dir[PATH_MAX], name[64];
    licet_buffer text;
    bool ok;

    if (snprintf(dir, sizeof(dir), "%s/pages", folder) >= (int)sizeof(dir) || !licet_dir_make(dir, 0755, err)) {
        return false;
    }
    licet_buffer_init(&text, 4 << 20);
    ok = true;
    for (unsigned n = 1; ok && n <= 100; n++) {
        put_page(n, &text);
        snprintf(name, sizeof(name), "search-%u.json", n);
        ok = write_text(dir, name, &text, err);
    }
    if (ok) {
        put_page(LICET_DEMO_LARGE_PAGE, &text);
        snprintf(name, sizeof(name), "search-%d.json", LICET_DEMO_LARGE_PAGE);
        ok = write_text(dir, name, &text, err);
    }
    licet_buffer_done(&text);
    return ok;
}

bool
licet_demo_platform_write(const char *folder, uint16_t api_port, uint16_t page_port, const char *user, licet_error *err)
{
    static const char *const kinds[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    char path[PATH_MAX];
    licet_buffer text;
    bool ok;

    if (snprintf(path, sizeof(path), "%s/page", folder) >= (int)sizeof(path) || !licet_dir_make(path, 0755, err) ||
        !write_pages(folder, err)) {
        return false;
    }
    licet_buffer_init(&text, 1 << 16);
    licet_put_format(&text, "# The platform of licet demo: synthetic pages as an X-like v2 API sends them.\n");
    if (user[0] != '\0') {
        licet_put_format(&text, "user %s;\n", user);
    }
    licet_put_format(&text,
                     "worker_processes 1;\npid \"%s/nginx.pid\";\nerror_log \"%s/error.log\" warn;\ndaemon off;\n"
                     "events { worker_connections 1024; }\nhttp {\n    access_log off;\n"
                     "    keepalive_requests 100000;\n    default_type application/json;\n",
                     folder, folder);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        licet_put_format(&text, "    %s_temp_path \"%s/%s\";\n", kinds[i], folder, kinds[i]);
    }
    licet_put_format(&text,
                     "    server {\n        listen 127.0.0.1:%u;\n        root \"%s/pages\";\n"
                     "        location ~ ^/2/tweets/search/(recent|all)$ {\n"
                     "            try_files /search-$arg_max_results.json /search-10.json =404;\n        }\n"
                     "        location / { return 404 '{\"title\":\"Not Found Error\"}'; }\n    }\n"
                     "    server {\n        listen 127.0.0.1:%u;\n        root \"%s/page\";\n"
                     "        location = / { return 302 /report; }\n"
                     "        location = /report { default_type text/html; try_files /report.html =404; }\n"
                     "        location = /report.txt { default_type 'text/plain; charset=utf-8'; }\n"
                     "        location = /report.json { default_type application/json; }\n    }\n}\n",
                     api_port, folder, page_port, folder);
    ok = write_text(folder, "nginx.conf", &text, err);
    licet_buffer_done(&text);
    return ok;
}
