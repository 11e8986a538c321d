/* SPDX-License-Identifier: Apache-2.0 */
/*
 * World: what the tests of quota/ share: a small shared-memory file in a
 * folder of its own, an agreement with three limits, and the verdicts on it.
 */
#ifndef LICET_QUOTA_WORLD_H
#define LICET_QUOTA_WORLD_H

#include "layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants the headers above first. */
#include <cmocka.h>
#include <stdio.h>

#define WORLD_CELL 1u
#define WORLD_POST 2u /* unit kind */
#define WORLD_NOW UINT64_C(1700000000000)
#define WORLD_LIMITS 3u

typedef struct world {
    char dir[64], path[96];
    licet_gate *gate;
    licet_image_header header;
    licet_image_version version;
    licet_image_limit limits[WORLD_LIMITS]; /* posts per month; requests per minute; posts per day */
    licet_image image;
    licet_facts facts;
} world;

static inline licet_gate_options
world_options(uint32_t epoch)
{
    licet_gate_options options = {.gate = 7,
                                  .epoch = epoch,
                                  .workers = 3,
                                  .slots = 8,
                                  .ring = 16,
                                  .ring_ids = 1024,
                                  .cells = 3,
                                  .counters = 5,
                                  .images = "/nonexistent/images",
                                  .mode = 0600,
                                  .gid = -1};

    memset(options.decision_key, 0x11, sizeof(options.decision_key));
    memset(options.credential_key, 0x22, sizeof(options.credential_key));
    memset(options.boot_id, 0x33, sizeof(options.boot_id));
    return options;
}

static inline void
world_image(world *w)
{
    w->header = (licet_image_header){
        .number = 41, .cell = WORLD_CELL, .kinds_len = 3, .versions_len = 1, .limits_len = WORLD_LIMITS};
    w->version = (licet_image_version){.mode = LICET_MODE_ENFORCE, .cannot_record = LICET_CANNOT_RECORD_OPEN};
    w->limits[0] = (licet_image_limit){.zone = LICET_NONE,
                                       .first_day = 1,
                                       .weight = 1,
                                       .clause = 4,
                                       .kind = WORLD_POST,
                                       .most = 1000,
                                       .per = LICET_PER_MONTH};
    w->limits[1] = (licet_image_limit){.zone = LICET_NONE,
                                       .first_day = 1,
                                       .weight = 1,
                                       .clause = 5,
                                       .kind = LICET_KIND_REQUEST,
                                       .most = 500,
                                       .per = LICET_PER_SPAN,
                                       .span_s = 60};
    w->limits[2] = (licet_image_limit){.zone = LICET_NONE,
                                       .first_day = 1,
                                       .weight = 1,
                                       .clause = 6,
                                       .kind = WORLD_POST,
                                       .most = 800,
                                       .per = LICET_PER_SPAN,
                                       .span_s = 86400};
    w->image = (licet_image){.header = &w->header, .versions = &w->version, .limits = w->limits};
    w->facts = (licet_facts){.app = 2, .credential = 3, .time_ms = WORLD_NOW};
}

static inline void
world_init_with(world *w, const licet_gate_options *options)
{
    licet_error err;

    memset(w, 0, sizeof(*w));
    snprintf(w->dir, sizeof(w->dir), "%s/licet-quota-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(w->dir));
    assert_true(snprintf(w->path, sizeof(w->path), "%s/gate", w->dir) < (int)sizeof(w->path));
    if (!licet_gate_create(w->path, options, &w->gate, &err)) {
        fail_msg("%s", err.text);
    }
    world_image(w);
}

static inline void
world_init(world *w)
{
    licet_gate_options options = world_options(9);

    world_init_with(w, &options);
}

static inline void
world_done(world *w)
{
    licet_gate_close(w->gate);
    unlink(w->path);
    assert_int_equal(rmdir(w->dir), 0);
}

static inline void
world_grant(world *w, uint64_t requests, uint64_t posts)
{
    licet_gate_lease_grant(w->gate, WORLD_CELL, LICET_KIND_REQUEST, requests);
    licet_gate_lease_grant(w->gate, WORLD_CELL, WORLD_POST, posts);
}

static inline licet_worker *
world_join(licet_gate *gate)
{
    licet_worker *worker = NULL;
    licet_error err;

    if (!licet_worker_join(gate, &worker, &err)) {
        fail_msg("%s", err.text);
    }
    return worker;
}

/* A page of posts under the first 'limits' of the three limits. */
static inline licet_verdict
world_verdict(const world *w, uint64_t posts, uint32_t limits)
{
    licet_verdict verdict = {.verdict = LICET_VERDICT_ALLOW,
                             .clause = LICET_NONE,
                             .use_case = LICET_NONE,
                             .purpose = LICET_BYTES_LITERAL("display"),
                             .recipient = LICET_BYTES_LITERAL("public"),
                             .metered = true,
                             .limits_len = limits};

    verdict.reserve[LICET_KIND_REQUEST] = 1;
    verdict.reserve[WORLD_POST] = posts;
    for (uint32_t i = 0; i < limits; i++) {
        const licet_image_limit *limit = &w->limits[i];
        verdict.limits[i] = (licet_verdict_limit){.limit = i,
                                                  .most = w->limits[i].most,
                                                  .weight = limit->weight,
                                                  .counter = i + 1,
                                                  .kind = limit->kind,
                                                  .window = limit->per == LICET_PER_MONTH ? 646
                                                            : limit->span_s == 60         ? 28333333
                                                                                          : 19675,
                                                  .amount = verdict.reserve[limit->kind] * limit->weight};
    }
    return verdict;
}

static inline licet_settlement
world_settlement(uint64_t posts)
{
    licet_settlement settlement = {.status = 200,
                                   .ending = LICET_ENDING_COMPLETE,
                                   .bytes = 100 * posts,
                                   .bytes_acked = UINT64_MAX,
                                   .duration_ms = 12,
                                   .verdict = LICET_VERDICT_ALLOW};

    settlement.units[LICET_KIND_REQUEST] = 1;
    settlement.units[WORLD_POST] = posts;
    return settlement;
}

static inline void
world_same_identity(licet_identity a, licet_identity b)
{
    assert_int_equal(a.gate, b.gate);
    assert_int_equal(a.epoch, b.epoch);
    assert_int_equal(a.sequence, b.sequence);
}

/* Takes every receipt out of every ring; adds up what they are charged. */
typedef struct world_sums {
    uint32_t receipts;
    uint64_t requests, posts;
    licet_wide last;
} world_sums;

static inline void
world_drain(licet_gate *gate, world_sums *sums)
{
    for (uint32_t area = 0; area < licet_gate_areas(gate); area++) {
        uint64_t at = licet_gate_tail(gate, area), head = licet_gate_head(gate, area);
        for (; at < head; at++) {
            licet_error err;
            if (!licet_gate_peek(gate, area, at, &sums->last, &err)) {
                fail_msg("%s", err.text);
            }
            const licet_wide *wide = &sums->last;
            bool all = wide->unmetered != LICET_UNMETERED_NONE && wide->verdict != LICET_VERDICT_REFUSE;
            uint64_t reserved = all ? wide->reserved[WORLD_POST] : 0, posts = wide->units[WORLD_POST];
            sums->posts += posts > reserved ? posts : reserved;
            sums->requests += wide->units[LICET_KIND_REQUEST];
            sums->receipts++;
        }
        licet_gate_release(gate, area, head);
        licet_gate_ids_release(gate, area, licet_gate_ids_head(gate, area));
    }
}

#endif
