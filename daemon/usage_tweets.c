/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage in the two shapes that X published of GET /2/usage/tweets: by client app in its specification, where every
 * number is a string, and by day in its guide, where numbers are numbers.
 *
 *  (1) What is told is the unit of the agreement's first cap over the licensee, without the duplicates that were
 * credited where that cap counts deduplicated. project is the agreement, client app its app. (2) Days are of UTC and
 * whole; the last one is today, as far as it is in the tables. (3) project_usage is what stands in the cap's window
 * now, and cap_reset_day the day of the month on which it ends.
 */
#include "usage_tweets.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS UINT64_C(86400000)
#define DAYS_MOST 90
#define DAYS_DEFAULT 7

const char *const usage_tweets_parameters[] = {"days", "usage.fields", "shape", NULL};

typedef struct app_days {
    char app[LICET_NAME_MAX + 1];
    uint64_t units[DAYS_MOST];
} app_days;

typedef struct telling {
    const licet_image *image;
    const licet_image_limit *cap; /* NULL: there is none */
    licet_bytes unit;
    uint64_t first_day; /* since 1970 */
    uint32_t days;
    uint64_t window_begin_ms, window_units;
    app_days *apps;
    size_t len;
    bool credit;
} telling;

/* ---- what is summed ---------------------------------------------------------------- */

/* The first limit of a catalogue's unit over the licensee in a month, day or year that is in force. */
static const licet_image_limit *
cap_of(const licet_image *image, uint64_t now_ms)
{
    uint32_t row = licet_image_version_at(image, now_ms);

    for (uint32_t i = 0; row != LICET_NONE && i < image->versions[row].limits.count; i++) {
        const licet_image_limit *limit = &image->limits[image->versions[row].limits.first + i];

        if (limit->kind > LICET_KIND_BYTE && limit->over == LICET_OVER_LICENSEE &&
            (limit->per == LICET_PER_MONTH || limit->per == LICET_PER_DAY || limit->per == LICET_PER_YEAR)) {
            return limit;
        }
    }
    return NULL;
}

static app_days *
app_of(telling *t, licet_bytes name)
{
    app_days *grown;

    for (size_t i = 0; i < t->len; i++) {
        if (licet_bytes_equal_text(name, t->apps[i].app)) {
            return &t->apps[i];
        }
    }
    grown = realloc(t->apps, (t->len + 1) * sizeof(*grown));
    if (grown == NULL) {
        return NULL;
    }
    t->apps = grown;
    memset(&grown[t->len], 0, sizeof(*grown));
    snprintf(grown[t->len].app, sizeof(grown[t->len].app), "%.*s", (int)name.len, (const char *)name.data);
    return &grown[t->len++];
}

static void
add(uint64_t *sum, uint64_t units, bool credit)
{
    *sum = !credit ? *sum + units : *sum > units ? *sum - units : 0;
}

static bool
on_row(void *user, const licet_usage_row *row, licet_error *err)
{
    telling *t = user;
    uint64_t day = row->hour_ms / DAY_MS;
    app_days *app;

    if (!licet_bytes_equal(row->unit, t->unit)) {
        return true;
    }
    if (row->hour_ms >= t->window_begin_ms) {
        add(&t->window_units, row->units, t->credit);
    }
    if (day < t->first_day || day - t->first_day >= t->days) {
        return true;
    }
    app = app_of(t, row->context.app);
    if (app == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for usage");
    }
    add(&app->units[day - t->first_day], row->units, t->credit);
    return true;
}

static bool
gather(telling *t, licet_usage *usage, const char *agreement, uint64_t now_ms, licet_error *err)
{
    uint64_t from = t->first_day * DAY_MS, before = (now_ms / DAY_MS + 1) * DAY_MS;

    for (uint32_t i = 0; i < t->image->header->apps_len; i++) { /* zero included */
        if (app_of(t, licet_image_text(t->image, t->image->apps[i].id)) == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for usage");
        }
    }
    if (t->cap != NULL && t->window_begin_ms < from) {
        from = t->window_begin_ms / 3600000 * 3600000;
    }
    if (!licet_usage_each(usage, agreement, from, before, on_row, t, err)) {
        return false;
    }
    t->credit = true;
    return t->cap == NULL || !t->cap->deduplicated ||
           licet_usage_credits(usage, agreement, from, before, on_row, t, err);
}

/* ---- the two shapes -------------------------------------------------------------------- */

static json_t *
number(bool text, uint64_t value)
{
    char digits[24];

    if (!text) {
        return json_integer((json_int_t)value);
    }
    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    return json_string(digits);
}

static json_t *
date(const telling *t, uint32_t day)
{
    char text[LICET_TIME_TEXT];

    licet_time_format((t->first_day + day) * DAY_MS, text);
    return json_string(text);
}

static uint64_t
day_units(const telling *t, uint32_t day)
{
    uint64_t units = 0;

    for (size_t i = 0; t->apps != NULL && i < t->len; i++) {
        units += t->apps[i].units[day];
    }
    return units;
}

/* [{date, usage}] of one app, or of all. */
static json_t *
by_day(const telling *t, const app_days *app)
{
    json_t *list = json_array();

    for (uint32_t day = 0; day < t->days; day++) {
        json_array_append_new(list, json_pack("{s:o,s:o}", "date", date(t, day), "usage",
                                              number(true, app != NULL ? app->units[day] : day_units(t, day))));
    }
    return list;
}

static json_t *
spec_shape(const telling *t, const char *agreement)
{
    json_t *apps = json_array();

    for (size_t i = 0; i < t->len; i++) {
        json_array_append_new(apps, json_pack("{s:s,s:o,s:o}", "client_app_id", t->apps[i].app, "usage",
                                              by_day(t, &t->apps[i]), "usage_result_count", number(true, t->days)));
    }
    return json_pack("{s:{s:s,s:o},s:o}", "daily_project_usage", "project_id", agreement, "usage", by_day(t, NULL),
                     "daily_client_app_usage", apps);
}

static json_t *
guide_shape(const telling *t)
{
    json_t *days = json_array();

    for (uint32_t day = 0; day < t->days; day++) {
        json_t *apps = json_array();

        for (size_t i = 0; i < t->len; i++) {
            json_array_append_new(apps, json_pack("{s:s,s:o}", "app_id", t->apps[i].app, "tweets_consumed",
                                                  number(false, t->apps[i].units[day])));
        }
        json_array_append_new(days, json_pack("{s:o,s:o}", "date", date(t, day), "usage", apps));
    }
    return json_pack("{s:o}", "daily_project_usage", days);
}

/* The day of the month on which the cap's window ends, in the cap's zone. */
static uint32_t
reset_day(const telling *t, uint64_t now_ms)
{
    uint64_t end = licet_window_end_ms(t->image, t->cap, licet_window_of(t->image, t->cap, now_ms));
    uint64_t local = end + (uint64_t)((int64_t)licet_zone_offset(t->image, t->cap->zone, end) * 1000);

    return (uint32_t)((local - licet_month_start(licet_month_of(local))) / DAY_MS + 1);
}

static void
put_project(const telling *t, const char *agreement, bool text, uint64_t now_ms, json_t *data)
{
    json_object_set_new(data, "project_id", json_string(agreement));
    if (t->cap != NULL) {
        json_object_set_new(data, "project_cap", number(text, licet_image_most(t->image, t->cap, now_ms)));
        json_object_set_new(data, "cap_reset_day", number(text, reset_day(t, now_ms)));
        json_object_set_new(data, "project_usage", number(text, t->window_units));
    }
}

/* Keeps the members that usage.fields names; project_id is always told. */
static bool
keep_fields(json_t *data, const char *fields)
{
    static const char *const names[] = {"project_id",    "project_cap",         "project_usage",
                                        "cap_reset_day", "daily_project_usage", "daily_client_app_usage"};
    bool asked[6] = {true};
    size_t n = sizeof(names) / sizeof(names[0]);

    while (fields != NULL && *fields != '\0') {
        size_t len = strcspn(fields, ","), i = 0;
        while (i < n && (strlen(names[i]) != len || strncmp(fields, names[i], len) != 0)) {
            i++;
        }
        if (i == n) {
            return false;
        }
        asked[i] = true;
        fields += len + (fields[len] == ',');
    }
    for (size_t i = 0; i < n; i++) {
        if (!asked[i]) {
            json_object_del(data, names[i]);
        }
    }
    return true;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static bool
read_query(const http_request *request, uint64_t *out_days, bool *out_guide, http_answer *answer)
{
    const char *shape = http_query(request, "shape");

    if (!http_query_u64(request, "days", DAYS_DEFAULT, out_days) || *out_days < 1 || *out_days > DAYS_MOST) {
        http_fail(answer, 400, "days is a number from 1 to 90");
        return false;
    }
    if (shape != NULL && strcmp(shape, "spec") != 0 && strcmp(shape, "guide") != 0) {
        http_fail(answer, 400, "shape is spec or guide");
        return false;
    }
    *out_guide = shape != NULL && strcmp(shape, "guide") == 0;
    return true;
}

static void
put_answer(http_answer *answer, json_t *data)
{
    json_t *root = json_pack("{s:o}", "data", data);
    char *text = root == NULL ? NULL : json_dumps(root, JSON_COMPACT);

    if (text == NULL || !licet_put_format(&answer->body, "%s\n", text)) {
        http_fail(answer, 500, "the usage tables cannot be read now");
    }
    free(text);
    json_decref(root);
}

void
usage_tweets_answer(licet_recorder *recorder, const licet_image *image, const char *agreement,
                    const http_request *request, http_answer *answer)
{
    telling t = {.image = image, .cap = cap_of(image, request->now_ms)};
    const char *fields = http_query(request, "usage.fields");
    licet_error err;
    uint64_t days;
    json_t *data;
    bool guide;

    if (!read_query(request, &days, &guide, answer)) {
        return;
    }
    t.days = (uint32_t)days;
    t.first_day = request->now_ms / DAY_MS + 1 - days;
    t.window_begin_ms = UINT64_MAX;
    t.unit = LICET_BYTES_LITERAL("post");
    if (t.cap != NULL) {
        t.unit = licet_image_text(image, image->header->kinds[t.cap->kind]);
        t.window_begin_ms = licet_window_begin_ms(image, t.cap, licet_window_of(image, t.cap, request->now_ms));
    }
    if (licet_recorder_usage(recorder) == NULL) {
        http_fail(answer, 503, "the usage tables are being made anew");
    } else if (!gather(&t, licet_recorder_usage(recorder), agreement, request->now_ms, &err)) {
        http_fail(answer, 500, "the usage tables cannot be read now");
    } else {
        data = guide ? guide_shape(&t) : spec_shape(&t, agreement);
        put_project(&t, agreement, !guide, request->now_ms, data);
        if (fields != NULL && !keep_fields(data, fields)) {
            json_decref(data);
            http_fail(answer, 400, "usage.fields names a field that there is not");
        } else {
            put_answer(answer, data);
        }
    }
    free(t.apps);
}
