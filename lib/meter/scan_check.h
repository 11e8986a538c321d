/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the test and the fuzz target of scan: plans of several shapes, and what
 * one run of the fast or the slow scan told.
 */
#ifndef LICET_METER_SCAN_CHECK_H
#define LICET_METER_SCAN_CHECK_H

#include "licet/meter.h"
#include "scan_ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A plan as text: "name=count path[ ids path]", one unit each, NULL behind the last. */
static const char *const check_plans[][9] = {
    {NULL},
    {"post=$.data $.data.id", "user=$.includes.users $.includes.users.id", NULL},
    {"status=$ $.id", NULL},
    {"a=$.a", "c=$.a.b.c $.a.b.c", "b=$.a.b", NULL},
    {"user=$.ids $.ids", NULL},
    {"1=$.a.a.a.a.a.a.a.a $.a.a.a.a.a.a.a.a", "2=$.a", "3=$.a.a $.a.a.b", "4=$.b", "5=$.b.a", "6=$.a.b.a", "7=$",
     "8=$.a $.b", NULL},
    {"x=$['d\\u00e9'] $['d\\u00e9']['']", "y=$['\\ud83d\\ude00']", NULL},
    {"x=$.id $.id", "y=$.data.id $.id", NULL},
    {"x=$['0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef']", NULL},
};
#define CHECK_PLANS (sizeof(check_plans) / sizeof(check_plans[0]))

typedef struct check_plan {
    licet_plan_unit units[LICET_SCAN_UNITS_MAX];
    size_t n;
    licet_plan *plan;
} check_plan;

static void
check_must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "scan_check: %s\n", what);
        abort();
    }
}

static void
check_plan_init(check_plan *p, unsigned index)
{
    memset(p, 0, sizeof(*p));
    for (; check_plans[index][p->n] != NULL; p->n++) {
        const char *text = check_plans[index][p->n];
        const char *count = strchr(text, '=') + 1, *ids = strchr(count, ' ');
        size_t len = ids == NULL ? strlen(count) : (size_t)(ids - count);
        licet_plan_unit *u = &p->units[p->n];

        u->unit = text;
        u->has_ids = ids != NULL;
        check_must(licet_path_parse(licet_bytes_of(count, len), &u->count, NULL), "count path");
        check_must(ids == NULL || licet_path_parse(licet_bytes_of_text(ids + 1), &u->ids, NULL), "ids path");
    }
    check_must(licet_plan_new(p->units, p->n, &p->plan, NULL), "plan");
}

static void
check_plan_done(check_plan *p)
{
    licet_plan_free(p->plan);
}

/* Result and all ids in order. */
typedef struct observed {
    licet_scan_result result;
    licet_buffer ids;
} observed;

static void
observe_id(void *user, unsigned unit, licet_bytes id)
{
    licet_buffer *ids = user;

    licet_put_u8(ids, (uint8_t)unit);
    licet_put_text(ids, id);
}

static void
observed_init(observed *o)
{
    licet_buffer_init(&o->ids, 1u << 28);
}

static void
observed_done(observed *o)
{
    licet_buffer_done(&o->ids);
}

static void
observe_ref(observed *o, const check_plan *p, licet_body_form form, licet_bytes body, bool ended)
{
    o->ids.len = 0;
    check_must(licet_scan_ref(p->units, p->n, form, body, ended, observe_id, &o->ids, &o->result), "memory");
}

/* Feeds one piece; from a copy of its very size, so that a sanitizer sees a read beyond it. */
static void
observe_piece(observed *o, licet_scan *scan, const check_plan *p, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len == 0 ? 1 : len);

    check_must(copy != NULL, "memory");
    if (len > 0) {
        memcpy(copy, data, len);
    }
    licet_scan_feed(scan, p->plan, licet_bytes_of(copy, len), observe_id, &o->ids);
    free(copy);
    licet_scan_look(scan, &o->result);
}

static void
observe_end(observed *o, licet_scan *scan, const check_plan *p)
{
    licet_scan_end(scan, p->plan, observe_id, &o->ids);
    licet_scan_look(scan, &o->result);
}

static bool
observed_same(const observed *a, const observed *b)
{
    const licet_scan_result *x = &a->result, *y = &b->result;

    return x->documents == y->documents && x->bytes == y->bytes && memcmp(x->count, y->count, sizeof(x->count)) == 0 &&
           memcmp(x->ids, y->ids, sizeof(x->ids)) == 0 && x->reason == y->reason && x->unit == y->unit &&
           x->offset == y->offset && licet_bytes_equal(licet_buffer_view(&a->ids), licet_buffer_view(&b->ids));
}

static void
observed_print(const char *who, const observed *o)
{
    fprintf(stderr, "%s: documents %llu bytes %llu reason %s unit %u offset %llu; counts", who,
            (unsigned long long)o->result.documents, (unsigned long long)o->result.bytes,
            licet_unmetered_slug(o->result.reason), o->result.unit, (unsigned long long)o->result.offset);
    for (unsigned i = 0; i < LICET_SCAN_UNITS_MAX; i++) {
        fprintf(stderr, " %llu/%llu", (unsigned long long)o->result.count[i], (unsigned long long)o->result.ids[i]);
    }
    fprintf(stderr, "; %zu bytes of ids\n", o->ids.len);
}

/* A small generator with its state in the caller's hand (splitmix64). */
static uint64_t
check_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* Compares the fast scan with the slow one, cut at random places; most pieces have at most 'longest' bytes. */
static bool
check_cuts(const check_plan *p, licet_body_form form, licet_bytes body, uint64_t seed, size_t longest)
{
    observed slow, fast;
    licet_scan scan;
    bool same;

    observed_init(&slow);
    observed_init(&fast);
    observe_ref(&slow, p, form, body, true);
    licet_scan_init(&scan, p->plan, form);
    for (size_t at = 0, len; at < body.len; at += len) {
        len = longest == 1 ? 1 : 1 + check_random(&seed) % longest;
        len = len > body.len - at ? body.len - at : len;
        observe_piece(&fast, &scan, p, body.data + at, len);
    }
    observe_end(&fast, &scan, p);
    same = observed_same(&slow, &fast);
    if (!same) {
        observed_print("slow", &slow);
        observed_print("fast", &fast);
    }
    observed_done(&slow);
    observed_done(&fast);
    return same;
}

/* The same with a cut at every place; what is known before the cut is compared, too. From a snapshot of the state. */
static inline bool
check_every_cut(const check_plan *p, licet_body_form form, licet_bytes body)
{
    observed slow, fast, part;
    licet_scan before, after;
    bool same = true;

    observed_init(&slow);
    observed_init(&fast);
    observed_init(&part);
    observe_ref(&slow, p, form, body, true);
    licet_scan_init(&before, p->plan, form);
    for (size_t cut = 0; same && cut <= body.len; cut++) {
        size_t ids_len = fast.ids.len;

        after = before;
        observe_piece(&fast, &after, p, body.data + cut, body.len - cut);
        observe_end(&fast, &after, p);
        same = observed_same(&slow, &fast);
        if (!same) {
            fprintf(stderr, "cut at %zu:\n", cut);
            observed_print("slow", &slow);
            observed_print("fast", &fast);
        }
        fast.ids.len = ids_len;
        licet_scan_look(&before, &fast.result);
        observe_ref(&part, p, form, licet_bytes_of(body.data, cut), false);
        if (same && !observed_same(&part, &fast)) {
            fprintf(stderr, "before byte %zu:\n", cut);
            observed_print("slow", &part);
            observed_print("fast", &fast);
            same = false;
        }
        if (cut < body.len) {
            observe_piece(&fast, &before, p, body.data + cut, 1);
        }
    }
    observed_done(&slow);
    observed_done(&fast);
    observed_done(&part);
    return same;
}

#endif
