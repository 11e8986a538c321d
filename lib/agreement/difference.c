/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Difference: two images of one agreement, as lines a person reads: '+' came, '-' went, '~' changed.
 *
 *  (1) Rows are matched by what names them (id, key), never by their place.
 *  (2) Two images whose bytes differ in more than their number give at least one line.
 *  (3) Names of persons are not in an image and so not in these lines.
 */
#include "blob.h"
#include "names.h"

#include "licet/agreement.h"

#include <stdlib.h>

#define SHOWN(bytes) (int)(bytes).len, (const char *)((bytes).len == 0 ? (const uint8_t *)"" : (bytes).data)

typedef struct differ {
    const licet_image *old_image, *new_image; /* old_image may be NULL */
    const licet_image_version *old_version, *new_version;
    licet_buffer *out;
    bool failed;
} differ;

static licet_bytes
text_of(const licet_image *image, licet_text text)
{
    return licet_image_text(image, text);
}

/* A date where the time is a midnight, else a time. */
typedef struct shown_time {
    char text[LICET_TIME_TEXT];
} shown_time;

static shown_time
time_of(uint64_t ms)
{
    shown_time shown;

    licet_time_format(ms, shown.text);
    if (ms % 86400000 == 0) {
        shown.text[10] = '\0';
    }
    return shown;
}

/* ---- matching rows -------------------------------------------------------------------- */

typedef struct row_kind {
    /* Order of a row of a and a row of b by what names them. */
    int (*order)(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y);
    /* One line for a row that came or went. */
    void (*show)(differ *d, char sign, const licet_image *image, uint32_t row);
    /* Lines for what changed between two rows of one name. */
    void (*compare)(differ *d, uint32_t old_row, uint32_t new_row);
} row_kind;

typedef struct sort_by {
    const licet_image *image;
    const row_kind *kind;
} sort_by;

static int
compare_rows(const void *left, const void *right, void *user)
{
    const sort_by *by = user;
    uint32_t x = *(const uint32_t *)left, y = *(const uint32_t *)right;
    int order = by->kind->order(by->image, x, by->image, y);

    return order != 0 ? order : (x > y) - (x < y);
}

static uint32_t *
sorted_rows(differ *d, const licet_image *image, licet_range range, const row_kind *kind)
{
    uint32_t *rows = calloc((size_t)range.count + 1, sizeof(*rows));
    sort_by by = {image, kind};

    if (rows == NULL) {
        d->failed = true;
        return NULL;
    }
    for (uint32_t i = 0; i < range.count; i++) {
        rows[i] = range.first + i;
    }
    qsort_r(rows, range.count, sizeof(*rows), compare_rows, &by);
    return rows;
}

static void
match_rows(differ *d, licet_range old_range, licet_range new_range, const row_kind *kind)
{
    uint32_t *old_rows = sorted_rows(d, d->old_image, old_range, kind);
    uint32_t *new_rows = sorted_rows(d, d->new_image, new_range, kind);
    uint32_t i = 0, j = 0;

    while (!d->failed && (i < old_range.count || j < new_range.count)) {
        int order = i == old_range.count   ? 1
                    : j == new_range.count ? -1
                                           : kind->order(d->old_image, old_rows[i], d->new_image, new_rows[j]);
        if (order < 0) {
            kind->show(d, '-', d->old_image, old_rows[i++]);
        } else if (order > 0) {
            kind->show(d, '+', d->new_image, new_rows[j++]);
        } else {
            kind->compare(d, old_rows[i++], new_rows[j++]);
        }
    }
    free(old_rows);
    free(new_rows);
}

static int
text_order(const licet_image *a, licet_text x, const licet_image *b, licet_text y)
{
    return licet_bytes_order(text_of(a, x), text_of(b, y));
}

static bool
same_text(differ *d, licet_text x, licet_text y)
{
    return text_order(d->old_image, x, d->new_image, y) == 0;
}

/* ---- names of values ------------------------------------------------------------------------ */

static const char *
rule_name(uint32_t rule)
{
    return rule == LICET_RULE_REFUSE ? "refuse" : "record";
}

static const char *
mode_name(uint32_t mode)
{
    return mode == LICET_MODE_ENFORCE ? "enforce" : "observe";
}

static const char *
then_name(uint32_t then)
{
    return then == LICET_THEN_CONTINUE ? "continue" : "refuse";
}

static const char *
overrun_name(uint32_t overrun)
{
    return overrun == LICET_OVERRUN_CUT ? "cut" : "deliver";
}

static const char *
credential_kind_name(uint32_t kind)
{
    static const char *const names[LICET_CREDENTIAL_KINDS_LEN] = {"bearer", "api-key", "client-certificate", "jwt",
                                                                  "http-signature"};

    return names[kind];
}

/* month, or the span in its largest whole unit. */
static void
put_per(licet_buffer *out, uint32_t per, uint32_t span_s)
{
    static const struct {
        uint32_t seconds;
        char unit;
        const char *one;
    } units[] = {{86400, 'd', "day"}, {3600, 'h', "hour"}, {60, 'm', "minute"}, {1, 's', "second"}};

    if (per == LICET_PER_MONTH) {
        licet_put_format(out, "month");
        return;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (span_s == units[i].seconds) {
            licet_put_format(out, "%s", units[i].one);
            return;
        }
        if (span_s % units[i].seconds == 0) {
            licet_put_format(out, "%u%c", span_s / units[i].seconds, units[i].unit);
            return;
        }
    }
}

static void
put_cannot_record(licet_buffer *out, const licet_image *image, const licet_image_version *version)
{
    licet_bytes kind = text_of(image, image->header->kinds[version->allow_kind]);

    if (version->cannot_record == LICET_CANNOT_RECORD_ALLOW) {
        licet_put_format(out, "allow %llu %.*s per outage", (unsigned long long)version->allow_units, SHOWN(kind));
    } else {
        licet_put_format(out, "%s", version->cannot_record == LICET_CANNOT_RECORD_OPEN ? "open" : "refuse");
    }
}

/* '~ <noun> <name>: <field> <old> -> <new>' for two texts. */
static void
compare_text(differ *d, const char *noun, licet_bytes name, const char *field, licet_text x, licet_text y)
{
    licet_bytes old_text = text_of(d->old_image, x), new_text = text_of(d->new_image, y);

    if (!licet_bytes_equal(old_text, new_text)) {
        licet_put_format(d->out, "~ %s %.*s: %s \"%.*s\" -> \"%.*s\"\n", noun, SHOWN(name), field, SHOWN(old_text),
                         SHOWN(new_text));
    }
}

static void
compare_word(differ *d, const char *noun, licet_bytes name, const char *field, const char *x, const char *y)
{
    if (strcmp(x, y) != 0) {
        licet_put_format(d->out, "~ %s %.*s: %s %s -> %s\n", noun, SHOWN(name), field, x, y);
    }
}

static void
compare_time(differ *d, const char *noun, licet_bytes name, const char *field, uint64_t x, uint64_t y)
{
    compare_word(d, noun, name, field, x == UINT64_MAX ? "open" : time_of(x).text,
                 y == UINT64_MAX ? "open" : time_of(y).text);
}

/* ---- rows of a version ------------------------------------------------------------------------ */

static licet_bytes
version_name(const differ *d)
{
    return d->new_version != NULL ? text_of(d->new_image, d->new_version->id)
                                  : text_of(d->old_image, d->old_version->id);
}

static int
clause_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return text_order(a, a->clauses[x].key, b, b->clauses[y].key);
}

static void
clause_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_clause *clause = &image->clauses[row];

    licet_put_format(d->out, "%c clause %.*s (section %.*s) in version %.*s\n", sign,
                     SHOWN(text_of(image, clause->key)), SHOWN(text_of(image, clause->section)),
                     SHOWN(version_name(d)));
}

static void
clause_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_clause *a = &d->old_image->clauses[x], *b = &d->new_image->clauses[y];
    licet_bytes key = text_of(d->new_image, b->key);

    compare_text(d, "clause", key, "section", a->section, b->section);
    compare_text(d, "clause", key, "says", a->says, b->says);
}

static int
purpose_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return text_order(a, a->purposes[x].name, b, b->purposes[y].name);
}

static licet_bytes
forbidden_by(const licet_image *image, const licet_image_purpose *purpose)
{
    return purpose->forbidden_by == LICET_NONE ? licet_bytes_of(NULL, 0)
                                               : text_of(image, image->clauses[purpose->forbidden_by].key);
}

static void
purpose_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_purpose *purpose = &image->purposes[row];
    licet_bytes clause = forbidden_by(image, purpose);

    licet_put_format(d->out, "%c purpose %.*s %s%.*s in version %.*s\n", sign, SHOWN(text_of(image, purpose->name)),
                     clause.len == 0 ? "allowed" : "forbidden by ", SHOWN(clause), SHOWN(version_name(d)));
}

static void
purpose_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_purpose *a = &d->old_image->purposes[x], *b = &d->new_image->purposes[y];
    licet_bytes old_clause = forbidden_by(d->old_image, a), new_clause = forbidden_by(d->new_image, b);

    if (!licet_bytes_equal(old_clause, new_clause)) {
        licet_put_format(d->out, "~ purpose %.*s: %s%.*s -> %s%.*s\n", SHOWN(text_of(d->new_image, b->name)),
                         old_clause.len == 0 ? "allowed" : "forbidden by ", SHOWN(old_clause),
                         new_clause.len == 0 ? "allowed" : "forbidden by ", SHOWN(new_clause));
    }
}

static int
limit_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    const licet_image_limit *l = &a->limits[x], *r = &b->limits[y];
    int order = text_order(a, a->clauses[l->clause].key, b, b->clauses[r->clause].key);

    order = order != 0 ? order : text_order(a, a->header->kinds[l->kind], b, b->header->kinds[r->kind]);
    order = order != 0 ? order : (l->per > r->per) - (l->per < r->per);
    order = order != 0 ? order : (l->span_s > r->span_s) - (l->span_s < r->span_s);
    return order != 0 ? order : (l->over > r->over) - (l->over < r->over);
}

static void
put_limit_endpoints(licet_buffer *out, const licet_image *image, const licet_image_limit *limit)
{
    for (uint32_t i = 0; i < limit->endpoints.count; i++) {
        uint32_t row = image->limit_endpoints[limit->endpoints.first + i];
        licet_put_format(out, "%s%.*s", i == 0 ? " at " : ", ", SHOWN(text_of(image, image->endpoints[row].id)));
    }
}

static void
limit_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_limit *limit = &image->limits[row];

    licet_put_format(d->out, "%c limit %.*s: %llu %.*s per ", sign,
                     SHOWN(text_of(image, image->clauses[limit->clause].key)), (unsigned long long)limit->most,
                     SHOWN(text_of(image, image->header->kinds[limit->kind])));
    put_per(d->out, limit->per, limit->span_s);
    licet_put_format(d->out, " over %s", limit->over == LICET_OVER_APP ? "app" : "licensee");
    put_limit_endpoints(d->out, image, limit);
    licet_put_format(d->out, " in version %.*s\n", SHOWN(version_name(d)));
}

static bool
same_limit_endpoints(differ *d, const licet_image_limit *a, const licet_image_limit *b)
{
    if (a->endpoints.count != b->endpoints.count) {
        return false;
    }
    for (uint32_t i = 0; i < a->endpoints.count; i++) {
        uint32_t x = d->old_image->limit_endpoints[a->endpoints.first + i];
        uint32_t y = d->new_image->limit_endpoints[b->endpoints.first + i];
        if (!same_text(d, d->old_image->endpoints[x].id, d->new_image->endpoints[y].id)) {
            return false;
        }
    }
    return true;
}

static void
limit_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_limit *a = &d->old_image->limits[x], *b = &d->new_image->limits[y];
    licet_bytes clause = text_of(d->new_image, d->new_image->clauses[b->clause].key);

    if (a->most != b->most) {
        licet_put_format(d->out, "~ limit %.*s of version %.*s: most %llu -> %llu %.*s per ", SHOWN(clause),
                         SHOWN(version_name(d)), (unsigned long long)a->most, (unsigned long long)b->most,
                         SHOWN(text_of(d->new_image, d->new_image->header->kinds[b->kind])));
        put_per(d->out, b->per, b->span_s);
        licet_put_format(d->out, "\n");
    }
    if (!same_limit_endpoints(d, a, b)) {
        licet_put_format(d->out, "~ limit %.*s of version %.*s: now binds", SHOWN(clause), SHOWN(version_name(d)));
        if (b->endpoints.count == 0) {
            licet_put_format(d->out, " every endpoint");
        }
        put_limit_endpoints(d->out, d->new_image, b);
        licet_put_format(d->out, "\n");
    }
}

/* ---- rows of its catalogue ---------------------------------------------------------------------- */

static int
endpoint_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return text_order(a, a->endpoints[x].id, b, b->endpoints[y].id);
}

static void
put_match(licet_buffer *out, const licet_image *image, const licet_image_endpoint *endpoint)
{
    licet_put_format(out, "%.*s ", SHOWN(text_of(image, endpoint->method)));
    for (uint32_t i = 0; i < endpoint->segments.count; i++) {
        const licet_image_segment *segment = &image->segments[endpoint->segments.first + i];
        licet_put_format(out, segment->placeholder ? "/{%.*s}" : "/%.*s", SHOWN(text_of(image, segment->literal)));
    }
}

static void
put_counts(licet_buffer *out, const licet_image *image, const licet_image_endpoint *endpoint)
{
    static const char *const froms[] = {"none", "number", "query", "items"};

    for (uint32_t i = 0; i < endpoint->counts.count; i++) {
        const licet_image_count *count = &image->counts[endpoint->counts.first + i];
        licet_bytes ids = text_of(image, count->ids), query = text_of(image, count->page_query);
        licet_put_format(out, "; %.*s %.*s", SHOWN(text_of(image, image->header->kinds[count->kind])),
                         SHOWN(text_of(image, count->path)));
        if (ids.len > 0) {
            licet_put_format(out, " ids %.*s", SHOWN(ids));
        }
        if (count->page_from != LICET_PAGE_NONE) {
            licet_put_format(out, " page %s %.*s%s%llu..%llu", froms[count->page_from], SHOWN(query),
                             query.len > 0 ? " " : "", (unsigned long long)count->page_default,
                             (unsigned long long)count->page_most);
        }
    }
}

/* Writes the whole of a row, without sign and line end. */
typedef void (*put_row)(licet_buffer *out, const licet_image *image, uint32_t row);

static void
show_row(differ *d, char sign, put_row put, const licet_image *image, uint32_t row)
{
    licet_put_format(d->out, "%c ", sign);
    put(d->out, image, row);
    licet_put_format(d->out, "\n");
}

/* A row has changed when what is shown of it has. */
static void
compare_as_shown(differ *d, put_row put, uint32_t x, uint32_t y)
{
    licet_buffer before, after;

    licet_buffer_init(&before, (size_t)1 << 20);
    licet_buffer_init(&after, (size_t)1 << 20);
    put(&before, d->old_image, x);
    put(&after, d->new_image, y);
    if (before.failed || after.failed) {
        d->failed = true;
    } else if (!licet_bytes_equal(licet_buffer_view(&before), licet_buffer_view(&after))) {
        licet_put_format(d->out, "~ %.*s\n", SHOWN(licet_buffer_view(&after)));
    }
    licet_buffer_done(&before);
    licet_buffer_done(&after);
}

static void
put_endpoint(licet_buffer *out, const licet_image *image, uint32_t row)
{
    const licet_image_endpoint *endpoint = &image->endpoints[row];

    licet_put_format(out, "endpoint %.*s: ", SHOWN(text_of(image, endpoint->id)));
    put_match(out, image, endpoint);
    put_counts(out, image, endpoint);
}

static void
endpoint_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    show_row(d, sign, put_endpoint, image, row);
}

static void
endpoint_compare(differ *d, uint32_t x, uint32_t y)
{
    compare_as_shown(d, put_endpoint, x, y);
}

/* ---- versions -------------------------------------------------------------------------------------- */

static const row_kind clauses = {clause_order, clause_show, clause_compare};
static const row_kind purposes = {purpose_order, purpose_show, purpose_compare};
static const row_kind limits = {limit_order, limit_show, limit_compare};
static const row_kind endpoints = {endpoint_order, endpoint_show, endpoint_compare};

static int
version_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return text_order(a, a->versions[x].id, b, b->versions[y].id);
}

static void
version_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_version *version = &image->versions[row];
    const licet_range none = {0, 0};
    bool came = sign == '+';

    licet_put_format(d->out, "%c version %.*s: in force from %s", sign, SHOWN(text_of(image, version->id)),
                     time_of(version->from_ms).text);
    if (version->before_ms != UINT64_MAX) {
        licet_put_format(d->out, " before %s, then %s", time_of(version->before_ms).text, then_name(version->then));
    }
    licet_put_format(d->out,
                     "; %s; catalogue %.*s with %u endpoint%s, unlisted %s; cannot record: ", mode_name(version->mode),
                     SHOWN(text_of(image, version->catalogue)), version->endpoints.count,
                     version->endpoints.count == 1 ? "" : "s", rule_name(version->unlisted));
    put_cannot_record(d->out, image, version);
    licet_put_format(d->out, "; overrun: %s\n", overrun_name(version->on_overrun));
    d->old_version = came ? NULL : version;
    d->new_version = came ? version : NULL;
    match_rows(d, came ? none : version->clauses, came ? version->clauses : none, &clauses);
    match_rows(d, came ? none : version->purposes, came ? version->purposes : none, &purposes);
    match_rows(d, came ? none : version->limits, came ? version->limits : none, &limits);
}

static void
compare_rules(differ *d, const licet_image_version *a, const licet_image_version *b)
{
    licet_bytes name = version_name(d);

    compare_time(d, "version", name, "from", a->from_ms, b->from_ms);
    compare_time(d, "version", name, "before", a->before_ms, b->before_ms);
    compare_word(d, "version", name, "then", then_name(a->then), then_name(b->then));
    compare_word(d, "version", name, "mode", mode_name(a->mode), mode_name(b->mode));
    compare_word(d, "version", name, "on_overrun", overrun_name(a->on_overrun), overrun_name(b->on_overrun));
    compare_word(d, "version", name, "purposes not named", rule_name(a->purpose_not_named),
                 rule_name(b->purpose_not_named));
    compare_word(d, "version", name, "purposes not declared", rule_name(a->purpose_not_declared),
                 rule_name(b->purpose_not_declared));
    compare_word(d, "version", name, "unlisted", rule_name(a->unlisted), rule_name(b->unlisted));
    compare_text(d, "version", name, "catalogue", a->catalogue, b->catalogue);
}

static void
compare_cannot_record(differ *d, const licet_image_version *a, const licet_image_version *b)
{
    licet_buffer before, after;

    licet_buffer_init(&before, 256);
    licet_buffer_init(&after, 256);
    put_cannot_record(&before, d->old_image, a);
    put_cannot_record(&after, d->new_image, b);
    if (before.failed || after.failed) {
        d->failed = true;
    } else if (!licet_bytes_equal(licet_buffer_view(&before), licet_buffer_view(&after))) {
        licet_put_format(d->out, "~ version %.*s: cannot_record %.*s -> %.*s\n", SHOWN(version_name(d)),
                         SHOWN(licet_buffer_view(&before)), SHOWN(licet_buffer_view(&after)));
    }
    licet_buffer_done(&before);
    licet_buffer_done(&after);
}

static void
version_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_version *a = &d->old_image->versions[x], *b = &d->new_image->versions[y];
    size_t before = d->out->len;

    d->old_version = a;
    d->new_version = b;
    compare_rules(d, a, b);
    compare_cannot_record(d, a, b);
    match_rows(d, a->clauses, b->clauses, &clauses);
    match_rows(d, a->purposes, b->purposes, &purposes);
    match_rows(d, a->limits, b->limits, &limits);
    match_rows(d, a->endpoints, b->endpoints, &endpoints);
    if (d->out->len != before) {
        return;
    }
    if (memcmp(a->file_sha256, b->file_sha256, sizeof(a->file_sha256)) != 0) {
        licet_put_format(d->out, "~ version %.*s: its file has other text, its terms are the same\n",
                         SHOWN(version_name(d)));
    }
    if (memcmp(a->catalogue_sha256, b->catalogue_sha256, sizeof(a->catalogue_sha256)) != 0) {
        licet_put_format(d->out, "~ version %.*s: the file of its catalogue has other text, what counts is the same\n",
                         SHOWN(version_name(d)));
    }
}

/* ---- registry ------------------------------------------------------------------------------------------ */

static int
app_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return text_order(a, a->apps[x].id, b, b->apps[y].id);
}

static void
put_app(licet_buffer *out, const licet_image *image, uint32_t row)
{
    const licet_image_app *app = &image->apps[row];

    licet_put_format(out, "app %.*s (", SHOWN(text_of(image, app->id)));
    for (uint32_t i = 0; i < app->products.count; i++) {
        licet_text product = image->products[image->app_products[app->products.first + i].product];
        licet_put_format(out, "%.*s, ", SHOWN(text_of(image, product)));
    }
    licet_put_format(out, "%.*s", SHOWN(text_of(image, app->environment)));
    if (app->default_use_case != LICET_NONE) {
        licet_put_format(out, ", by default %.*s", SHOWN(text_of(image, image->use_cases[app->default_use_case].id)));
    }
    if (app->outbound != LICET_NONE) {
        const licet_image_outbound *o = &image->outbounds[app->outbound];
        licet_put_format(out, ", sends %.*s as %.*s: %.*s%sthe token of %.*s", SHOWN(text_of(image, o->id)),
                         SHOWN(text_of(image, o->header)), SHOWN(text_of(image, o->scheme)),
                         o->scheme.len > 0 ? " and " : "", SHOWN(text_of(image, o->file)));
    }
    licet_put_format(out, ")");
}

static void
app_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    show_row(d, sign, put_app, image, row);
}

static void
app_compare(differ *d, uint32_t x, uint32_t y)
{
    compare_as_shown(d, put_app, x, y);
}

static int
use_case_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return text_order(a, a->use_cases[x].id, b, b->use_cases[y].id);
}

static void
use_case_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_use_case *use_case = &image->use_cases[row];
    licet_bytes recipient = text_of(image, use_case->recipient);

    licet_put_format(d->out, "%c use case %.*s (product %.*s, purpose %.*s", sign, SHOWN(text_of(image, use_case->id)),
                     SHOWN(text_of(image, image->products[use_case->product])),
                     SHOWN(text_of(image, use_case->purpose)));
    if (recipient.len > 0) {
        licet_put_format(d->out, ", recipient %.*s", SHOWN(recipient));
    }
    if (licet_image_approved_from_ms(image, use_case) == UINT64_MAX) {
        licet_put_format(d->out, ") not approved\n");
    } else {
        licet_put_format(d->out, ") approved from %s\n", time_of(licet_image_approved_from_ms(image, use_case)).text);
    }
}

static void
use_case_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_use_case *a = &d->old_image->use_cases[x], *b = &d->new_image->use_cases[y];
    licet_bytes id = text_of(d->new_image, b->id);

    compare_text(d, "use case", id, "product", d->old_image->products[a->product], d->new_image->products[b->product]);
    compare_text(d, "use case", id, "purpose", a->purpose, b->purpose);
    compare_text(d, "use case", id, "recipient", a->recipient, b->recipient);
    compare_word(d, "use case", id, "approved from",
                 licet_image_approved_from_ms(d->old_image, a) == UINT64_MAX
                     ? "never"
                     : time_of(licet_image_approved_from_ms(d->old_image, a)).text,
                 licet_image_approved_from_ms(d->new_image, b) == UINT64_MAX
                     ? "never"
                     : time_of(licet_image_approved_from_ms(d->new_image, b)).text);
}

static int
credential_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return text_order(a, a->credentials[x].id, b, b->credentials[y].id);
}

static void
credential_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_credential *credential = &image->credentials[row];

    licet_put_format(d->out, "%c credential %.*s of app %.*s (%s) from %s", sign, SHOWN(text_of(image, credential->id)),
                     SHOWN(text_of(image, image->apps[credential->app].id)), credential_kind_name(credential->kind),
                     time_of(credential->from_ms).text);
    if (credential->before_ms != UINT64_MAX) {
        licet_put_format(d->out, " before %s", time_of(credential->before_ms).text);
    }
    licet_put_format(d->out, "\n");
}

static void
credential_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_credential *a = &d->old_image->credentials[x], *b = &d->new_image->credentials[y];
    licet_bytes id = text_of(d->new_image, b->id);

    compare_text(d, "credential", id, "app", d->old_image->apps[a->app].id, d->new_image->apps[b->app].id);
    compare_word(d, "credential", id, "kind", credential_kind_name(a->kind), credential_kind_name(b->kind));
    compare_time(d, "credential", id, "from", a->from_ms, b->from_ms);
    compare_time(d, "credential", id, "before", a->before_ms, b->before_ms);
    if (memcmp(a->hmac, b->hmac, sizeof(a->hmac)) != 0) {
        licet_put_format(d->out, "~ credential %.*s: another %s\n", SHOWN(id),
                         b->kind <= LICET_CREDENTIAL_API_KEY ? "secret" : "identity");
    }
    if (memcmp(a->key, b->key, sizeof(a->key)) != 0) {
        licet_put_format(d->out, "~ credential %.*s: another key\n", SHOWN(id));
    }
}

/* ---- the whole ------------------------------------------------------------------------------------------ */

static void
compare_header(differ *d)
{
    static const char *const flows[] = {"acquired", "passed-on"};
    const licet_image_header *a = d->old_image->header, *b = d->new_image->header;
    licet_bytes name = text_of(d->new_image, b->agreement);

    compare_word(d, "agreement", name, "flow", flows[a->flow], flows[b->flow]);
    compare_text(d, "agreement", name, "licensor", a->licensor, b->licensor);
    compare_text(d, "agreement", name, "licensee", a->licensee, b->licensee);
}

/* (2), bar the number: equal tables, or else the rows stand in another order. */
static void
mind_order(differ *d)
{
    if (d->out->len == 0 && memcmp(d->old_image->header->sha256, d->new_image->header->sha256, LICET_SHA256_LEN) != 0) {
        licet_put_format(d->out, "~ agreement %.*s: the same terms in another order\n",
                         SHOWN(text_of(d->new_image, d->new_image->header->agreement)));
    }
}

bool
licet_image_difference(const licet_image *old_image, const licet_image *new_image, licet_buffer *out, licet_error *err)
{
    static const row_kind versions = {version_order, version_show, version_compare};
    static const row_kind use_cases = {use_case_order, use_case_show, use_case_compare};
    static const row_kind apps = {app_order, app_show, app_compare};
    static const row_kind credentials = {credential_order, credential_show, credential_compare};
    differ d = {.old_image = old_image, .new_image = new_image, .out = out};
    const licet_image_header *b = new_image->header, none = {.flow = 0},
                             *a = old_image == NULL ? &none : old_image->header;

    if (old_image == NULL) {
        licet_put_format(out, "+ agreement %.*s between %.*s and %.*s\n", SHOWN(text_of(new_image, b->agreement)),
                         SHOWN(text_of(new_image, b->licensor)), SHOWN(text_of(new_image, b->licensee)));
    } else {
        compare_header(&d);
    }
#define WHOLE(header, table) ((licet_range){0, (header)->table##_len})
    match_rows(&d, WHOLE(a, versions), WHOLE(b, versions), &versions);
    match_rows(&d, WHOLE(a, use_cases), WHOLE(b, use_cases), &use_cases);
    match_rows(&d, WHOLE(a, apps), WHOLE(b, apps), &apps);
    match_rows(&d, WHOLE(a, credentials), WHOLE(b, credentials), &credentials);
#undef WHOLE
    if (old_image != NULL) {
        mind_order(&d);
    }
    if (d.failed || out->failed) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the differences of an agreement");
    }
    return true;
}
