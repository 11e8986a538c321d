/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Licensee's API: what a licensee may see of its own agreement, behind
 * /.well-known/licet/ of the gate.
 *
 *  (1) Who asks was authenticated by nginx, which sets Licet-Agreement and Licet-App itself; the socket is closed to
 *      everybody else (mode 0660 with the workers' group).
 *  (2) The agreement comes from that header alone: no path and no parameter reaches another's ledger, and what is not
 *      there looks the same as what is another's.
 *  (3) Faults are told in words of this file: what the libraries say names paths of the server.
 *  (4) Checkpoints are mutable, tiles and full bundles are for ever.
 */
#include "api.h"
#include "lines.h"
#include "usage_tweets.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "/.well-known/licet/"
#define LINES_BYTES ((size_t)1 << 20)
#define SCAN_MOST 100000 /* entries looked at for one answer */
#define READERS_MAX 64

typedef struct reader { /* dictionaries of one agreement's ledger */
    char agreement[LICET_NAME_MAX + 1];
    licet_lines *lines;
    uint64_t learned; /* entries */
} reader;

struct api_licensee {
    licet_recorder *recorder;
    licet_gate_keys keys;
    reader readers[READERS_MAX];
    size_t next; /* the reader to be given up next */
};

typedef struct asking {
    api_licensee *api;
    const http_request *request;
    http_answer *answer;
    const char *agreement, *app;
    const licet_image *image;
    licet_ledger *ledger;
} asking;

bool
api_licensee_new(licet_recorder *recorder, const char *dir, api_licensee **out_api, licet_error *err)
{
    api_licensee *api = calloc(1, sizeof(*api));

    if (api == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the licensee's API");
    }
    api->recorder = recorder;
    if (!licet_gate_keys_read(dir, false, &api->keys, err)) {
        free(api);
        return false;
    }
    *out_api = api;
    return true;
}

void
api_licensee_free(api_licensee *api)
{
    if (api != NULL) {
        for (size_t i = 0; i < READERS_MAX; i++) {
            licet_lines_free(api->readers[i].lines);
        }
        explicit_bzero(&api->keys, sizeof(api->keys));
        free(api);
    }
}

static void
answer_json(asking *a, json_t *json)
{
    char *dump = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    if (dump == NULL) {
        http_fail(a->answer, 500, "no memory for the answer");
    } else {
        licet_put_format(&a->answer->body, "%s\n", dump);
    }
    free(dump);
    json_decref(json);
}

static json_t *
text_json(const licet_image *image, licet_text text)
{
    licet_bytes bytes = licet_image_text(image, text);
    json_t *json = json_stringn((const char *)bytes.data, bytes.len);

    return json != NULL ? json : json_string("?");
}

static json_t *
time_json(uint64_t ms)
{
    char text[LICET_TIME_TEXT];

    if (ms == UINT64_MAX) {
        return json_null();
    }
    licet_time_format(ms, text);
    return json_string(text);
}

/* ---- agreement --------------------------------------------------------------- */

/* 900s for spans as ever; other windows as the files say them. */
static const char *
per_text(const licet_image_limit *limit, char out[LICET_PER_TEXT])
{
    if (limit->per == LICET_PER_SPAN) {
        snprintf(out, LICET_PER_TEXT, "%us", limit->span_s);
    } else {
        licet_limit_per(limit, out);
    }
    return out;
}

/* The licensee's own limits stand beside the contract's, under their name. */
static json_t *
limit_json(const licet_image *image, const licet_image_limit *limit)
{
    char per[LICET_PER_TEXT];
    bool own = limit->clause == LICET_NONE;
    licet_bytes name = licet_image_limit_name(image, limit);

    return json_pack("{s:o,s:o,s:s,s:o,s:I,s:s,s:s,s:s}", "clause",
                     own ? json_null() : json_stringn((const char *)name.data, name.len), "name",
                     json_stringn((const char *)name.data, name.len), "set_by",
                     limit->set_by == LICET_SET_BY_US ? "us" : "contract", "unit",
                     text_json(image, image->header->kinds[limit->kind]), "most", (json_int_t)limit->most, "per",
                     per_text(limit, per), "over", licet_over_name(limit->over), "count",
                     limit->deduplicated ? "deduplicated" : "gross");
}

static json_t *
version_json(const licet_image *image, const licet_image_version *version)
{
    json_t *limits = json_array();
    char hash[2 * LICET_SHA256_LEN + 1];

    for (uint32_t i = 0; i < version->limits.count; i++) {
        json_array_append_new(limits, limit_json(image, &image->limits[version->limits.first + i]));
    }
    licet_hex(version->file_sha256, LICET_SHA256_LEN, hash);
    return json_pack("{s:o,s:o,s:s,s:o,s:o,s:s,s:o}", "version", text_json(image, version->id), "catalogue",
                     text_json(image, version->catalogue), "sha256", hash, "from", time_json(version->from_ms),
                     "before", time_json(version->before_ms), "mode",
                     version->mode == LICET_MODE_OBSERVE ? "observe" : "enforce", "limits", limits);
}

static json_t *
apps_json(const licet_image *image)
{
    json_t *apps = json_array();

    for (uint32_t i = 0; i < image->header->apps_len; i++) {
        const licet_image_app *app = &image->apps[i];
        json_t *products = json_array();

        for (uint32_t p = 0; p < app->products.count; p++) {
            json_array_append_new(
                products, text_json(image, image->products[image->app_products[app->products.first + p].product]));
        }
        json_array_append_new(apps, json_pack("{s:o,s:o}", "app", text_json(image, app->id), "products", products));
    }
    return apps;
}

static void
get_agreement(asking *a)
{
    const licet_image *image = a->image;
    json_t *versions = json_array();
    licet_buffer key;
    licet_error err;

    licet_buffer_init(&key, 4096);
    if (!licet_recorder_verifier(a->api->recorder, a->agreement, &key, &err)) {
        http_fail(a->answer, 503, "the key of the ledger cannot be told now");
        json_decref(versions);
        licet_buffer_done(&key);
        return;
    }
    for (uint32_t i = 0; i < image->header->versions_len; i++) {
        json_array_append_new(versions, version_json(image, &image->versions[i]));
    }
    answer_json(a, json_pack("{s:s,s:o,s:o,s:o,s:o,s:s%}", "id", a->agreement, "licensor",
                             text_json(image, image->header->licensor), "licensee",
                             text_json(image, image->header->licensee), "versions", versions, "apps", apps_json(image),
                             "verifier_key", (const char *)key.data, key.len));
    licet_buffer_done(&key);
}

/* ---- usage ---------------------------------------------------------------------- */

typedef struct summing {
    json_t *apps; /* object: app -> sums */
} summing;

static void
add_to(json_t *object, const char *key, uint64_t n)
{
    json_t *value = json_object_get(object, key);

    json_object_set_new(object, key, json_integer((value != NULL ? json_integer_value(value) : 0) + (json_int_t)n));
}

static json_t *
app_sums(summing *s, licet_bytes app)
{
    char name[LICET_NAME_MAX + 1];
    json_t *sums;

    snprintf(name, sizeof(name), "%.*s", (int)app.len, (const char *)app.data);
    sums = json_object_get(s->apps, name);
    if (sums == NULL) {
        sums = json_pack("{s:i,s:i,s:i,s:{},s:{}}", "requests", 0, "refused", 0, "bytes", 0, "units", "duplicates");
        json_object_set_new(s->apps, name, sums);
    }
    return sums;
}

/* Names with a colon, such as held:post, and byte-acked say how a response went: no units of the agreement. */
static bool
is_unit(licet_bytes name)
{
    return memchr(name.data, ':', name.len) == NULL && !licet_bytes_equal_text(name, "byte-acked") &&
           !licet_bytes_equal_text(name, "request");
}

static bool
on_usage(void *user, const licet_usage_row *row, licet_error *err)
{
    json_t *sums = app_sums(user, row->context.app);
    char unit[300];

    if (sums == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for usage");
    }
    if (row->unit.len == 0) {
        add_to(sums, row->verdict == LICET_VERDICT_REFUSE ? "refused" : "requests", row->requests);
        add_to(sums, "bytes", row->bytes);
    } else if (is_unit(row->unit)) {
        snprintf(unit, sizeof(unit), "%.*s", (int)row->unit.len, (const char *)row->unit.data);
        add_to(json_object_get(sums, "units"), unit, row->units);
    }
    return true;
}

static bool
on_credits(void *user, const licet_usage_row *row, licet_error *err)
{
    json_t *sums = app_sums(user, row->context.app);
    char unit[300];

    if (sums == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for usage");
    }
    snprintf(unit, sizeof(unit), "%.*s", (int)row->unit.len, (const char *)row->unit.data);
    add_to(json_object_get(sums, "duplicates"), unit, row->units);
    return true;
}

/* A limit as it stands in shared memory. */
static json_t *
standing_json(asking *a, const licet_image_limit *limit, uint32_t place, uint64_t now_ms)
{
    licet_gate *gate = licet_recorder_gate(a->api->recorder);
    uint32_t counter = licet_image_counter_at(a->image, limit, place), window;
    uint64_t most = licet_image_most(a->image, limit, now_ms), taken, end;
    licet_bytes name = licet_limit_place_name(a->image, limit, place);
    json_t *json = limit_json(a->image, limit);

    if (gate == NULL || counter == LICET_NONE || counter >= licet_gate_counters(gate)) {
        return json;
    }
    window = licet_window_of(a->image, limit, now_ms);
    end = licet_window_end_ms(a->image, limit, window);
    taken = licet_gate_used(gate, limit, counter, window).taken;
    json_object_set_new(json, "of", name.len == 0 ? json_null() : json_stringn((const char *)name.data, name.len));
    json_object_set_new(json, "app",
                        limit->over == LICET_OVER_APP ? text_json(a->image, a->image->apps[place].id) : json_null());
    json_object_set_new(json, "remaining",
                        json_integer((json_int_t)((taken < most ? most - taken : 0) / limit->weight)));
    json_object_set_new(json, "until", end == UINT64_MAX ? json_null() : time_json(end));
    return json;
}

/* A counter that nothing was taken from is told of the licensee and of its apps; of the many others only where
 * something was. */
static bool
worth_telling(asking *a, const licet_image_limit *limit, uint32_t place, uint64_t now_ms)
{
    licet_gate *gate = licet_recorder_gate(a->api->recorder);
    uint32_t counter = licet_image_counter_at(a->image, limit, place);

    if (limit->over <= LICET_OVER_APP) {
        return true;
    }
    return gate != NULL && counter < licet_gate_counters(gate) &&
           licet_gate_used(gate, limit, counter, licet_window_of(a->image, limit, now_ms)).taken > 0;
}

static json_t *
limits_standing(asking *a, uint64_t now_ms)
{
    uint32_t row = licet_image_version_at(a->image, now_ms);
    json_t *list = json_array();

    for (uint32_t i = 0; row != LICET_NONE && i < a->image->versions[row].limits.count; i++) {
        const licet_image_limit *limit = &a->image->limits[a->image->versions[row].limits.first + i];

        for (uint32_t place = 0; place < limit->counters.count; place++) {
            if (worth_telling(a, limit, place, now_ms)) {
                json_array_append_new(list, standing_json(a, limit, place, now_ms));
            }
        }
    }
    return list;
}

static void
get_usage(asking *a)
{
    uint32_t month = licet_month_of(a->request->now_ms);
    summing s = {json_object()};
    licet_error err;

    if (licet_recorder_usage(a->api->recorder) == NULL) {
        http_fail(a->answer, 503, "the usage tables are being made anew");
        json_decref(s.apps);
        return;
    }
    if (!licet_usage_each(licet_recorder_usage(a->api->recorder), a->agreement, licet_month_start(month),
                          licet_month_start(month + 1), on_usage, &s, &err) ||
        !licet_usage_credits(licet_recorder_usage(a->api->recorder), a->agreement, licet_month_start(month),
                             licet_month_start(month + 1), on_credits, &s, &err)) {
        http_fail(a->answer, 500, "the usage tables cannot be read now");
        json_decref(s.apps);
        return;
    }
    answer_json(a, json_pack("{s:s,s:{s:o,s:o},s:o,s:o}", "agreement", a->agreement, "period", "from",
                             time_json(licet_month_start(month)), "before", time_json(licet_month_start(month + 1)),
                             "apps", s.apps, "limits", limits_standing(a, a->request->now_ms)));
}

/* ---- receipts ---------------------------------------------------------------------- */

static reader *
reader_of(asking *a, licet_error *err)
{
    api_licensee *api = a->api;
    reader *r = NULL;

    for (size_t i = 0; i < READERS_MAX; i++) {
        if (api->readers[i].lines != NULL && strcmp(api->readers[i].agreement, a->agreement) == 0) {
            if (api->readers[i].learned <= licet_ledger_size(a->ledger)) {
                return &api->readers[i];
            }
            api->next = i; /* the ledger was cut after a failure: it is read again */
        }
    }
    r = &api->readers[api->next++ % READERS_MAX];
    licet_lines_free(r->lines);
    memset(r, 0, sizeof(*r));
    snprintf(r->agreement, sizeof(r->agreement), "%s", a->agreement);
    return licet_lines_new(a->agreement, api->keys.decision, &r->lines, err) ? r : NULL;
}

typedef struct telling {
    reader *reader;
    licet_buffer *out;
    uint64_t last;
    bool learning, full;
} telling;

static bool
on_entry(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    telling *t = user;

    if (index >= t->reader->learned) {
        if (!licet_lines_learn(t->reader->lines, entry, err)) {
            return false;
        }
        t->reader->learned = index + 1;
    }
    if (t->learning || t->full) {
        return true;
    }
    t->last = index;
    t->full = t->out->len > LINES_BYTES;
    return licet_lines_put(t->reader->lines, index, entry, NULL, t->out, err);
}

static void
get_receipts(asking *a)
{
    uint64_t size = licet_ledger_size(a->ledger), after, from, before;
    const char *text = http_query(a->request, "after");
    telling t = {.out = &a->answer->body};
    licet_error err;

    if (!http_query_u64(a->request, "after", 0, &after)) {
        http_fail(a->answer, 400, "after is the index of an entry");
        return;
    }
    from = text != NULL && after < UINT64_MAX ? after + 1 : 0;
    before = from < size && size - from > SCAN_MOST ? from + SCAN_MOST : size;
    t.reader = reader_of(a, &err);
    t.last = after;
    t.learning = true;
    if (t.reader == NULL || (t.reader->learned < from && from <= size &&
                             !licet_ledger_each(a->ledger, t.reader->learned, from, on_entry, &t, &err))) {
        http_fail(a->answer, 500, "the ledger cannot be read now");
        return;
    }
    t.learning = false;
    if (from < before && !licet_ledger_each(a->ledger, from, before, on_entry, &t, &err)) {
        http_fail(a->answer, 500, "the ledger cannot be read now");
        return;
    }
    a->answer->type = "application/x-ndjson";
    a->answer->after = t.last;
}

/* ---- ledger --------------------------------------------------------------------------- */

static void
get_ledger(asking *a, const char *path)
{
    licet_error err;

    if (!licet_ledger_resource(a->ledger, path, &a->answer->body, &err)) {
        bool none = err.code == LICET_E_NOT_FOUND || err.code == LICET_E_INVALID;

        http_fail(a->answer, none ? 404 : 500,
                  none ? "the ledger has no such resource" : "the ledger cannot be read now");
        return;
    }
    if (strcmp(path, "checkpoint") == 0) {
        a->answer->type = "text/plain; charset=utf-8";
        a->answer->cache = "no-cache";
    } else {
        a->answer->type = "application/octet-stream";
        a->answer->cache = "public, max-age=604800, immutable";
    }
}

static const char *const *
parameters_of(const char *path)
{
    static const char *const none[] = {NULL}, *const receipts[] = {"after", NULL};

    return strcmp(path, "receipts") == 0       ? receipts
           : strcmp(path, "usage/tweets") == 0 ? usage_tweets_parameters
                                               : none;
}

void
api_licensee_handle(void *user, const http_request *request, http_answer *answer)
{
    asking a = {.api = user, .request = request, .answer = answer};
    const char *path = request->path, *other;
    const char *const *known;
    char text[160];

    a.agreement = http_header(request, "Licet-Agreement");
    a.app = http_header(request, "Licet-App");
    if (a.agreement == NULL || a.agreement[0] == '\0') {
        http_fail(answer, 401, "a credential of this agreement is needed");
        return;
    }
    a.image = licet_store_image_of(licet_recorder_store(a.api->recorder), a.agreement);
    a.ledger = licet_recorder_ledger(a.api->recorder, a.agreement);
    if (a.image == NULL || a.ledger == NULL) {
        http_fail(answer, 404, "no such resource");
        return;
    }
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        http_fail(answer, 405, "only GET is defined");
        return;
    }
    path += strncmp(path, PREFIX, strlen(PREFIX)) == 0 ? strlen(PREFIX) : 0;
    path += path == request->path && path[0] == '/' ? 1 : 0;
    known = parameters_of(path);
    other = http_query_other(request, known);
    if (other != NULL) {
        snprintf(text, sizeof(text), "parameter \"%.64s\" is not defined here: expected none%s%s%s%s%s%s", other,
                 known[0] != NULL ? " or " : "", known[0] != NULL ? known[0] : "",
                 known[0] != NULL && known[1] != NULL ? ", " : "", known[0] != NULL && known[1] != NULL ? known[1] : "",
                 known == usage_tweets_parameters ? ", " : "", known == usage_tweets_parameters ? known[2] : "");
        http_fail(answer, 400, text);
        return;
    }
    if (strcmp(path, "agreement") == 0) {
        get_agreement(&a);
    } else if (strcmp(path, "usage") == 0) {
        get_usage(&a);
    } else if (strcmp(path, "usage/tweets") == 0) {
        usage_tweets_answer(a.api->recorder, a.image, a.agreement, request, answer);
    } else if (strcmp(path, "receipts") == 0) {
        get_receipts(&a);
    } else if (strncmp(path, "ledger/", 7) == 0) {
        get_ledger(&a, path + 7);
    } else {
        http_fail(answer, 404, "no such resource");
    }
}
