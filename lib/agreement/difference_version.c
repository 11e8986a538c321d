/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Difference of versions: clauses, purposes, endpoints and what else one version says.
 */
#include "difference.h"

static const char *
mode_name(uint32_t mode)
{
    return mode == LICET_MODE_ENFORCE ? "enforce" : "observe";
}

static const char *
then_name(uint32_t then)
{
    return then == LICET_THEN_CONTINUE ? "continue" : then == LICET_THEN_RENEW ? "renew" : "refuse";
}

static const char *
overrun_name(uint32_t overrun)
{
    return overrun == LICET_OVERRUN_CUT ? "cut" : "deliver";
}

static void
put_cannot_record(licet_buffer *out, const licet_image *image, const licet_image_version *version)
{
    licet_bytes kind = differ_text(image, image->header->kinds[version->allow_kind]);

    if (version->cannot_record == LICET_CANNOT_RECORD_ALLOW) {
        licet_put_format(out, "allow %llu %.*s per outage", (unsigned long long)version->allow_units, SHOWN(kind));
    } else {
        licet_put_format(out, "%s", version->cannot_record == LICET_CANNOT_RECORD_OPEN ? "open" : "refuse");
    }
}

licet_bytes
differ_version_name(const differ *d)
{
    return d->new_version != NULL ? differ_text(d->new_image, d->new_version->id)
                                  : differ_text(d->old_image, d->old_version->id);
}

/* ---- clauses and purposes ---------------------------------------------------------------------- */

static int
clause_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return differ_order(a, a->clauses[x].key, b, b->clauses[y].key);
}

static about
clause_of(const licet_image *image, uint32_t row)
{
    return (about){LICET_SUBJECT_CLAUSE, differ_text(image, image->clauses[row].key), 0};
}

static void
clause_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_clause *clause = &image->clauses[row];
    about what = clause_of(image, row);

    licet_put_format(d->out, "%c clause %.*s (section %.*s)%s in version %.*s", sign, SHOWN(what.id),
                     SHOWN(differ_text(image, clause->section)),
                     clause->mode == LICET_MODE_OBSERVE ? ", observed," : "", SHOWN(differ_version_name(d)));
    differ_line(d, differ_action(sign), &what);
}

static void
clause_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_clause *a = &d->old_image->clauses[x], *b = &d->new_image->clauses[y];
    about what = clause_of(d->new_image, y);

    differ_texts(d, &what, "section", a->section, b->section);
    differ_texts(d, &what, "says", a->says, b->says);
    differ_words(d, &what, "mode", mode_name(a->mode), mode_name(b->mode));
}

static int
purpose_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return differ_order(a, a->purposes[x].name, b, b->purposes[y].name);
}

static licet_bytes
forbidden_by(const licet_image *image, const licet_image_purpose *purpose)
{
    return purpose->forbidden_by == LICET_NONE ? licet_bytes_of(NULL, 0)
                                               : differ_text(image, image->clauses[purpose->forbidden_by].key);
}

static void
purpose_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_purpose *purpose = &image->purposes[row];
    licet_bytes clause = forbidden_by(image, purpose);
    about what = {LICET_SUBJECT_PURPOSE, differ_text(image, purpose->name), 0};

    licet_put_format(d->out, "%c purpose %.*s %s%.*s in version %.*s", sign, SHOWN(what.id),
                     clause.len == 0 ? "allowed" : "forbidden by ", SHOWN(clause), SHOWN(differ_version_name(d)));
    differ_line(d, differ_action(sign), &what);
}

static void
purpose_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_purpose *a = &d->old_image->purposes[x], *b = &d->new_image->purposes[y];
    licet_bytes old_clause = forbidden_by(d->old_image, a), new_clause = forbidden_by(d->new_image, b);
    about what = {LICET_SUBJECT_PURPOSE, differ_text(d->new_image, b->name), 0};

    if (!licet_bytes_equal(old_clause, new_clause)) {
        licet_put_format(d->out, "~ purpose %.*s: %s%.*s -> %s%.*s", SHOWN(what.id),
                         old_clause.len == 0 ? "allowed" : "forbidden by ", SHOWN(old_clause),
                         new_clause.len == 0 ? "allowed" : "forbidden by ", SHOWN(new_clause));
        differ_line(d, LICET_ACTION_CHANGED, &what);
    }
}

/* ---- rows of its catalogue ---------------------------------------------------------------------- */

static int
endpoint_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return differ_order(a, a->endpoints[x].id, b, b->endpoints[y].id);
}

static void
put_match(licet_buffer *out, const licet_image *image, const licet_image_endpoint *endpoint)
{
    licet_put_format(out, "%.*s ", SHOWN(differ_text(image, endpoint->method)));
    for (uint32_t i = 0; i < endpoint->segments.count; i++) {
        const licet_image_segment *segment = &image->segments[endpoint->segments.first + i];
        licet_put_format(out, segment->placeholder ? "/{%.*s}" : "/%.*s", SHOWN(differ_text(image, segment->literal)));
    }
}

static void
put_counts(licet_buffer *out, const licet_image *image, const licet_image_endpoint *endpoint)
{
    static const char *const froms[] = {"none", "number", "query", "items"};

    for (uint32_t i = 0; i < endpoint->counts.count; i++) {
        const licet_image_count *count = &image->counts[endpoint->counts.first + i];
        licet_bytes ids = differ_text(image, count->ids), query = differ_text(image, count->page_query);
        licet_put_format(out, "; %.*s %.*s", SHOWN(differ_text(image, image->header->kinds[count->kind])),
                         SHOWN(differ_text(image, count->path)));
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

static void
put_endpoint(licet_buffer *out, const licet_image *image, uint32_t row)
{
    const licet_image_endpoint *endpoint = &image->endpoints[row];

    licet_put_format(out, "endpoint %.*s: ", SHOWN(differ_text(image, endpoint->id)));
    put_match(out, image, endpoint);
    put_counts(out, image, endpoint);
}

static void
endpoint_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    about what = {LICET_SUBJECT_ENDPOINT, differ_text(image, image->endpoints[row].id), 0};

    differ_show_row(d, sign, put_endpoint, &what, image, row);
}

static void
endpoint_compare(differ *d, uint32_t x, uint32_t y)
{
    about what = {LICET_SUBJECT_ENDPOINT, differ_text(d->new_image, d->new_image->endpoints[y].id), 0};

    differ_as_shown(d, put_endpoint, &what, x, y);
}

/* ---- versions -------------------------------------------------------------------------------------- */

static const row_kind clauses = {clause_order, clause_show, clause_compare};
static const row_kind purposes = {purpose_order, purpose_show, purpose_compare};
static const row_kind endpoints = {endpoint_order, endpoint_show, endpoint_compare};

static int
version_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return differ_order(a, a->versions[x].id, b, b->versions[y].id);
}

static about
version_of(const licet_image *image, uint32_t row, uint64_t from_ms)
{
    return (about){LICET_SUBJECT_VERSION, differ_text(image, image->versions[row].id), from_ms};
}

static void
put_tokens(licet_buffer *out, const licet_image *image, const licet_image_version *version)
{
    if (version->most_credentials == 0) {
        licet_put_format(out, "any number");
    } else {
        licet_put_format(out, "%u by %.*s", version->most_credentials,
                         SHOWN(differ_text(image, image->clauses[version->credentials_clause].key)));
    }
}

static void
version_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_version *version = &image->versions[row];
    about what = version_of(image, row, sign == '+' ? version->from_ms : 0);
    const licet_range none = {0, 0};
    bool came = sign == '+';

    licet_put_format(d->out, "%c version %.*s: in force from %s", sign, SHOWN(what.id),
                     differ_time(version->from_ms).text);
    if (version->before_ms != UINT64_MAX) {
        licet_put_format(d->out, " before %s, then %s", differ_time(version->before_ms).text, then_name(version->then));
    }
    if (version->known_from_ms != version->from_ms) {
        licet_put_format(d->out, ", known from %s", differ_time(version->known_from_ms).text);
    }
    licet_put_format(d->out,
                     "; %s; catalogue %.*s with %u endpoint%s, unlisted %s; cannot record: ", mode_name(version->mode),
                     SHOWN(differ_text(image, version->catalogue)), version->endpoints.count,
                     version->endpoints.count == 1 ? "" : "s", differ_rule(version->unlisted));
    put_cannot_record(d->out, image, version);
    licet_put_format(d->out, "; overrun: %s", overrun_name(version->on_overrun));
    if (version->most_credentials > 0) {
        licet_put_format(d->out, "; credentials of an app at a time: ");
        put_tokens(d->out, image, version);
    }
    differ_line(d, differ_action(sign), &what);
    d->old_version = came ? NULL : version;
    d->new_version = came ? version : NULL;
#define SHOW(table, kind) differ_match(d, came ? none : version->table, came ? version->table : none, &(kind))
    SHOW(clauses, clauses);
    SHOW(purposes, purposes);
    SHOW(limits, differ_limits);
    SHOW(government, differ_government);
    SHOW(embargoed, differ_embargoed);
#undef SHOW
}

static void
compare_rules(differ *d, const licet_image_version *a, const licet_image_version *b, const about *what)
{
    differ_froms(d, what, "from", a->from_ms, b->from_ms);
    differ_befores(d, what, "before", a->before_ms, b->before_ms);
    if (a->known_from_ms - a->from_ms != b->known_from_ms - b->from_ms) { /* without one it is known when it begins */
        differ_froms(d, what, "known from", a->known_from_ms, b->known_from_ms);
    }
    differ_words(d, what, "then", then_name(a->then), then_name(b->then));
    differ_numbers(d, what, "months of a renewal", a->renew_months, b->renew_months);
    differ_words(d, what, "mode", mode_name(a->mode), mode_name(b->mode));
    differ_words(d, what, "on_overrun", overrun_name(a->on_overrun), overrun_name(b->on_overrun));
    differ_words(d, what, "purposes not named", differ_rule(a->purpose_not_named), differ_rule(b->purpose_not_named));
    differ_words(d, what, "purposes not declared", differ_rule(a->purpose_not_declared),
                 differ_rule(b->purpose_not_declared));
    differ_words(d, what, "unlisted", differ_rule(a->unlisted), differ_rule(b->unlisted));
    differ_texts(d, what, "catalogue", a->catalogue, b->catalogue);
    differ_recipient_rules(d, a, b);
}

typedef void (*put_rule)(licet_buffer *out, const licet_image *image, const licet_image_version *version);

static void
compare_shown(differ *d, const about *what, const char *field, put_rule put)
{
    licet_buffer before, after;

    licet_buffer_init(&before, 256);
    licet_buffer_init(&after, 256);
    put(&before, d->old_image, d->old_version);
    put(&after, d->new_image, d->new_version);
    if (before.failed || after.failed) {
        d->failed = true;
    } else if (!licet_bytes_equal(licet_buffer_view(&before), licet_buffer_view(&after))) {
        licet_put_format(d->out, "~ version %.*s: %s %.*s -> %.*s", SHOWN(what->id), field,
                         SHOWN(licet_buffer_view(&before)), SHOWN(licet_buffer_view(&after)));
        differ_line(d, LICET_ACTION_CHANGED, what);
    }
    licet_buffer_done(&before);
    licet_buffer_done(&after);
}

static void
compare_files(differ *d, const licet_image_version *a, const licet_image_version *b, const about *what)
{
    if (memcmp(a->file_sha256, b->file_sha256, sizeof(a->file_sha256)) != 0) {
        licet_put_format(d->out, "~ version %.*s: its file has other text, its terms are the same", SHOWN(what->id));
        differ_line(d, LICET_ACTION_CHANGED, what);
    }
    if (memcmp(a->catalogue_sha256, b->catalogue_sha256, sizeof(a->catalogue_sha256)) != 0) {
        licet_put_format(d->out, "~ version %.*s: the file of its catalogue has other text, what counts is the same",
                         SHOWN(what->id));
        differ_line(d, LICET_ACTION_CHANGED, what);
    }
}

static void
version_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_version *a = &d->old_image->versions[x], *b = &d->new_image->versions[y];
    about what = version_of(d->new_image, y, 0);
    size_t before = d->out->len;

    d->old_version = a;
    d->new_version = b;
    compare_rules(d, a, b, &what);
    compare_shown(d, &what, "cannot_record", put_cannot_record);
    compare_shown(d, &what, "credentials of an app at a time", put_tokens);
    differ_match(d, a->clauses, b->clauses, &clauses);
    differ_match(d, a->purposes, b->purposes, &purposes);
    differ_match(d, a->limits, b->limits, &differ_limits);
    differ_match(d, a->government, b->government, &differ_government);
    differ_match(d, a->embargoed, b->embargoed, &differ_embargoed);
    differ_match(d, a->endpoints, b->endpoints, &endpoints);
    if (d->out->len == before) {
        compare_files(d, a, b, &what);
    }
}

const row_kind differ_versions = {version_order, version_show, version_compare};
