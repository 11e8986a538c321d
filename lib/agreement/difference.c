/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Difference: two images of one agreement, as lines a person reads: '+' came, '-' went, '~' changed.
 *
 *  (1) Rows are matched by what names them (id, key), never by their place.
 *  (2) Two images whose bytes differ in more than their number give at least one line.
 *  (3) Names of persons are not in an image and so not in these lines.
 *  (4) Each line knows what it is about and when it takes effect, so that it can be recorded and judged.
 */
#include "difference.h"

#include <stdlib.h>

licet_bytes
differ_text(const licet_image *image, licet_text text)
{
    return licet_image_text(image, text);
}

shown_time
differ_time(uint64_t ms)
{
    shown_time shown = {"open"};

    if (ms == UINT64_MAX) {
        return shown;
    }
    licet_time_format(ms, shown.text);
    if (ms % 86400000 == 0) {
        shown.text[10] = '\0';
    }
    return shown;
}

/* ---- names of subjects and actions ---------------------------------------------------- */

const char *
licet_subject_name(uint32_t subject)
{
    static const char *const names[] = {
#define SUBJECT_NAME(number, name, text) [LICET_SUBJECT_##name] = (text),
        LICET_SUBJECTS(SUBJECT_NAME)
#undef SUBJECT_NAME
    };

    return subject < sizeof(names) / sizeof(names[0]) && names[subject] != NULL ? names[subject] : "?";
}

const char *
licet_action_name(uint32_t action)
{
    static const char *const names[] = {
#define ACTION_NAME(number, name, text) [LICET_ACTION_##name] = (text),
        LICET_ACTIONS(ACTION_NAME)
#undef ACTION_NAME
    };

    return action < sizeof(names) / sizeof(names[0]) && names[action] != NULL ? names[action] : "?";
}

/* ---- lines ------------------------------------------------------------------------------ */

licet_action
differ_action(char sign)
{
    return sign == '+' ? LICET_ACTION_ADDED : sign == '-' ? LICET_ACTION_REMOVED : LICET_ACTION_CHANGED;
}

void
licet_difference_lines_done(licet_difference_lines *lines)
{
    free(lines->list);
    *lines = (licet_difference_lines){.list = NULL};
}

static licet_difference_line *
line_add(licet_difference_lines *lines)
{
    if (lines->len == lines->capacity) {
        size_t capacity = lines->capacity == 0 ? 16 : lines->capacity * 2;
        licet_difference_line *grown = realloc(lines->list, capacity * sizeof(*grown));

        if (grown == NULL) {
            return NULL;
        }
        lines->list = grown;
        lines->capacity = capacity;
    }
    return &lines->list[lines->len++];
}

void
differ_line(differ *d, licet_action action, const about *what)
{
    licet_difference_line *line;
    size_t at = d->line_at;

    licet_put_format(d->out, "\n");
    d->line_at = d->out->len;
    if (d->lines == NULL) {
        return;
    }
    line = line_add(d->lines);
    if (line == NULL) {
        d->failed = true;
        return;
    }
    *line = (licet_difference_line){
        .at = at, .len = d->line_at - at - 1, .subject = what->subject, .action = action, .from_ms = what->from_ms};
    line->id_len = what->id.len < sizeof(line->id) ? what->id.len : sizeof(line->id);
    if (line->id_len > 0) {
        memcpy(line->id, what->id.data, line->id_len);
    }
}

void
differ_step(differ *d, licet_action action, const about *what, const licet_image_step *step)
{
    differ_line(d, action, what);
    if (d->lines != NULL && !d->failed) {
        licet_difference_line *line = &d->lines->list[d->lines->len - 1];
        line->step_ms = step->at_ms;
        line->has_step = true;
        memcpy(line->document.bytes, step->document, sizeof(line->document.bytes));
    }
}

/* ---- matching rows -------------------------------------------------------------------- */

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

void
differ_match(differ *d, licet_range old_range, licet_range new_range, const row_kind *kind)
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

int
differ_order(const licet_image *a, licet_text x, const licet_image *b, licet_text y)
{
    return licet_bytes_order(differ_text(a, x), differ_text(b, y));
}

/* ---- two values ------------------------------------------------------------------------- */

void
differ_texts(differ *d, const about *what, const char *field, licet_text x, licet_text y)
{
    licet_bytes old_text = differ_text(d->old_image, x), new_text = differ_text(d->new_image, y);

    if (!licet_bytes_equal(old_text, new_text)) {
        licet_put_format(d->out, "~ %s %.*s: %s \"%.*s\" -> \"%.*s\"", licet_subject_name(what->subject),
                         SHOWN(what->id), field, SHOWN(old_text), SHOWN(new_text));
        differ_line(d, LICET_ACTION_CHANGED, what);
    }
}

void
differ_words(differ *d, const about *what, const char *field, const char *x, const char *y)
{
    if (strcmp(x, y) != 0) {
        licet_put_format(d->out, "~ %s %.*s: %s %s -> %s", licet_subject_name(what->subject), SHOWN(what->id), field, x,
                         y);
        differ_line(d, LICET_ACTION_CHANGED, what);
    }
}

void
differ_numbers(differ *d, const about *what, const char *field, uint64_t x, uint64_t y)
{
    if (x != y) {
        licet_put_format(d->out, "~ %s %.*s: %s %llu -> %llu", licet_subject_name(what->subject), SHOWN(what->id),
                         field, (unsigned long long)x, (unsigned long long)y);
        differ_line(d, LICET_ACTION_CHANGED, what);
    }
}

static void
times(differ *d, const about *what, const char *field, uint64_t x, uint64_t y, licet_action action, const char *none)
{
    about from = *what;

    if (x != y) {
        from.from_ms = x == 0 || y == 0 ? x + y : x < y ? x : y;
        licet_put_format(d->out, "~ %s %.*s: %s %s -> %s", licet_subject_name(what->subject), SHOWN(what->id), field,
                         x == 0 ? none : differ_time(x).text, y == 0 ? none : differ_time(y).text);
        differ_line(d, action, &from);
    }
}

void
differ_froms(differ *d, const about *what, const char *field, uint64_t x, uint64_t y)
{
    times(d, what, field, x, y, LICET_ACTION_CHANGED, "the beginning");
}

void
differ_befores(differ *d, const about *what, const char *field, uint64_t x, uint64_t y)
{
    times(d, what, field, x, y, y < x ? LICET_ACTION_ENDED : LICET_ACTION_CHANGED, "the beginning");
}

void
differ_show_row(differ *d, char sign, put_row put, const about *what, const licet_image *image, uint32_t row)
{
    licet_put_format(d->out, "%c ", sign);
    put(d->out, image, row);
    differ_line(d, differ_action(sign), what);
}

void
differ_as_shown(differ *d, put_row put, const about *what, uint32_t x, uint32_t y)
{
    licet_buffer before, after;

    licet_buffer_init(&before, (size_t)1 << 20);
    licet_buffer_init(&after, (size_t)1 << 20);
    put(&before, d->old_image, x);
    put(&after, d->new_image, y);
    if (before.failed || after.failed) {
        d->failed = true;
    } else if (!licet_bytes_equal(licet_buffer_view(&before), licet_buffer_view(&after))) {
        licet_put_format(d->out, "~ %.*s", SHOWN(licet_buffer_view(&after)));
        differ_line(d, LICET_ACTION_CHANGED, what);
    }
    licet_buffer_done(&before);
    licet_buffer_done(&after);
}

/* ---- the whole ------------------------------------------------------------------------------------------ */

const char *
differ_flow(uint32_t flow)
{
    return flow == LICET_FLOW_PASSED_ON ? "passed-on" : flow == LICET_FLOW_ACQUIRED ? "acquired" : "both";
}

const char *
differ_rule(uint32_t rule)
{
    return rule == LICET_RULE_REFUSE ? "refuse" : "record";
}

static about
agreement_of(const licet_image *image)
{
    return (about){LICET_SUBJECT_AGREEMENT, differ_text(image, image->header->agreement), 0};
}

static void
compare_header(differ *d)
{
    const licet_image_header *a = d->old_image->header, *b = d->new_image->header;
    about what = agreement_of(d->new_image);

    differ_words(d, &what, "flow", differ_flow(a->flow), differ_flow(b->flow));
    differ_texts(d, &what, "licensor", a->licensor, b->licensor);
    differ_texts(d, &what, "licensee", a->licensee, b->licensee);
}

/* (2), bar the number: equal tables, or else the rows stand in another order. */
static void
mind_order(differ *d)
{
    about what = agreement_of(d->new_image);

    if (d->out->len == 0 && memcmp(d->old_image->header->sha256, d->new_image->header->sha256, LICET_SHA256_LEN) != 0) {
        licet_put_format(d->out, "~ agreement %.*s: the same terms in another order", SHOWN(what.id));
        differ_line(d, LICET_ACTION_CHANGED, &what);
    }
}

static void
show_new(differ *d)
{
    const licet_image_header *b = d->new_image->header;
    about what = agreement_of(d->new_image);

    licet_put_format(d->out, "+ agreement %.*s between %.*s and %.*s", SHOWN(what.id),
                     SHOWN(differ_text(d->new_image, b->licensor)), SHOWN(differ_text(d->new_image, b->licensee)));
    differ_line(d, LICET_ACTION_ADDED, &what);
}

bool
licet_image_difference(const licet_image *old_image, const licet_image *new_image, licet_buffer *out,
                       licet_difference_lines *lines, licet_error *err)
{
    differ d = {.old_image = old_image, .new_image = new_image, .out = out, .line_at = out->len, .lines = lines};
    const licet_image_header *b = new_image->header, none = {.flow = 0},
                             *a = old_image == NULL ? &none : old_image->header;

    if (old_image == NULL) {
        show_new(&d);
    } else {
        compare_header(&d);
    }
#define MATCH(table)                                                                                                   \
    differ_match(&d, (licet_range){0, a->table##_len}, (licet_range){0, b->table##_len}, &differ_##table)
    MATCH(versions);
    MATCH(zones);
    MATCH(payments);
    differ_match(&d, (licet_range){0, a->product_terms_len}, (licet_range){0, b->product_terms_len}, &differ_products);
    MATCH(recipients);
    MATCH(use_cases);
    MATCH(apps);
    MATCH(credentials);
#undef MATCH
    if (old_image != NULL) {
        mind_order(&d);
    }
    if (d.failed || out->failed) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the differences of an agreement");
    }
    return true;
}
