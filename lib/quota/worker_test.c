/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker: what an admission takes, what a settlement gives back, and what is
 * refused without harm.
 */
#include "world.h"

static licet_slot *
admit_as(world *w, licet_worker *worker, const licet_verdict *verdict, licet_admission expected,
         licet_shortage *out_shortage, bool *out_would)
{
    licet_slot *slot = NULL;
    licet_admission got =
        licet_worker_admit(worker, &w->image, &w->facts, verdict, 0, WORLD_NOW, &slot, out_shortage, out_would);

    assert_int_equal(got, expected);
    return slot;
}

static licet_slot *
admit(world *w, licet_worker *worker, uint64_t posts, uint32_t limits)
{
    licet_verdict verdict = world_verdict(w, posts, limits);

    return admit_as(w, worker, &verdict, LICET_ADMITTED, NULL, NULL);
}

static bool
is_counter(world *w, uint32_t counter, uint64_t taken, uint64_t held)
{
    licet_counter_value value = licet_gate_counter(w->gate, counter);

    return value.taken == taken && value.held == held;
}

static void
assert_counter(world *w, uint32_t counter, uint64_t taken, uint64_t held)
{
    licet_counter_value value = licet_gate_counter(w->gate, counter);

    assert_int_equal(value.taken, taken);
    assert_int_equal(value.held, held);
}

static void
assert_lease(world *w, uint32_t kind, uint64_t taken)
{
    assert_int_equal(licet_gate_lease(w->gate, WORLD_CELL, kind).taken, taken);
}

static void
settle(licet_worker *worker, licet_slot *slot, uint64_t posts)
{
    licet_settlement settlement = world_settlement(posts);

    licet_slot_settle(worker, slot, &settlement);
}

/* ---- settling ------------------------------------------------------------------- */

typedef struct settle_case {
    const char *name;
    uint64_t reserve, units;
    licet_unmetered unmetered;
    licet_verdict_kind verdict;
    uint64_t charged;
} settle_case;

static const settle_case settle_cases[] = {
    {"a full page", 20, 20, LICET_UNMETERED_NONE, LICET_VERDICT_ALLOW, 20},
    {"a short page", 20, 7, LICET_UNMETERED_NONE, LICET_VERDICT_ALLOW, 7},
    {"an empty page", 20, 0, LICET_UNMETERED_NONE, LICET_VERDICT_ALLOW, 0},
    {"a longer page than reserved", 20, 33, LICET_UNMETERED_NONE, LICET_VERDICT_ALLOW, 33},
    {"unmetered stays charged its reservation", 20, 7, LICET_UNMETERED_MALFORMED, LICET_VERDICT_ALLOW, 20},
    {"unmetered with more than that", 20, 25, LICET_UNMETERED_MALFORMED, LICET_VERDICT_ALLOW, 25},
    {"refused after all", 20, 0, LICET_UNMETERED_NONE, LICET_VERDICT_REFUSE, 0},
    {"refused and unmetered", 20, 0, LICET_UNMETERED_EMPTY, LICET_VERDICT_REFUSE, 0},
    {"nothing reserved, some came", 0, 4, LICET_UNMETERED_NONE, LICET_VERDICT_ALLOW, 4},
};

static void
test_settle(void **state)
{
    for (size_t i = 0; i < sizeof(settle_cases) / sizeof(*settle_cases); i++) {
        const settle_case *c = &settle_cases[i];
        world w;
        world_init(&w);
        world_grant(&w, 100, 1000);
        licet_worker *worker = world_join(w.gate);
        licet_slot *slot = admit(&w, worker, c->reserve, 3);
        assert_counter(&w, 1, c->reserve, c->reserve);
        assert_counter(&w, 2, 1, 1);
        assert_lease(&w, WORLD_POST, c->reserve);
        licet_settlement settlement = world_settlement(c->units);
        settlement.unmetered = c->unmetered;
        settlement.verdict = c->verdict;
        settlement.units[LICET_KIND_REQUEST] = c->verdict != LICET_VERDICT_REFUSE;
        licet_slot_settle(worker, slot, &settlement);
        uint64_t requests = c->verdict != LICET_VERDICT_REFUSE;
        if (!is_counter(&w, 1, c->charged, 0) || !is_counter(&w, 2, requests, 0) || !is_counter(&w, 3, c->charged, 0) ||
            licet_gate_lease(w.gate, WORLD_CELL, WORLD_POST).taken != c->charged ||
            licet_gate_lease(w.gate, WORLD_CELL, LICET_KIND_REQUEST).taken != requests) {
            fail_msg("%s", c->name);
        }
        assert_false(licet_gate_busy(w.gate));
        licet_worker_leave(worker, WORLD_NOW);
        world_done(&w);
    }
}

static void
test_receipt(void **state)
{
    world w;
    licet_wide wide;
    licet_error err;

    world_init(&w);
    world_grant(&w, 100, 1000);
    licet_worker *worker = world_join(w.gate);
    licet_verdict verdict = world_verdict(&w, 20, 2);
    verdict.endpoint = 6;
    verdict.use_case = 8;
    licet_slot *slot = admit_as(&w, worker, &verdict, LICET_ADMITTED, NULL, NULL);
    licet_identity identity = licet_slot_identity(slot);
    licet_settlement settlement = world_settlement(18);
    settlement.ids[WORLD_POST] = 18;
    settlement.ending = LICET_ENDING_CLIENT_CLOSED_BODY;
    settlement.bytes_acked = 1000;
    licet_slot_settle(worker, slot, &settlement);

    assert_int_equal(licet_gate_head(w.gate, licet_worker_area(worker)), 1);
    assert_true(licet_gate_peek(w.gate, licet_worker_area(worker), 0, &wide, &err));
    world_same_identity(wide.identity, identity);
    assert_int_equal(wide.identity.gate, 7);
    assert_int_equal(wide.identity.epoch, 9);
    assert_int_equal(wide.time_ms, WORLD_NOW);
    assert_int_equal(wide.image, 41);
    assert_int_equal(wide.cell, WORLD_CELL);
    assert_int_equal(wide.app, 2);
    assert_int_equal(wide.credential, 3);
    assert_int_equal(wide.endpoint, 6);
    assert_int_equal(wide.use_case, 8);
    assert_int_equal(wide.clause, LICET_NONE);
    assert_int_equal(wide.duration_ms, 12);
    assert_int_equal(wide.status, 200);
    assert_int_equal(wide.ending, LICET_ENDING_CLIENT_CLOSED_BODY);
    assert_int_equal(wide.bytes, 1800);
    assert_int_equal(wide.bytes_acked, 1000);
    assert_int_equal(wide.units[WORLD_POST], 18);
    assert_int_equal(wide.reserved[WORLD_POST], 20);
    assert_int_equal(wide.ids[WORLD_POST], 18);
    assert_int_equal(wide.purpose_len, 7);
    assert_memory_equal(wide.purpose, "display", 7);
    assert_int_equal(wide.recipient_len, 6);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

/* ---- refusing --------------------------------------------------------------------- */

static void
test_all_or_none(void **state)
{
    world w;
    licet_shortage shortage;

    world_init(&w);
    world_grant(&w, 100, 5000);
    licet_worker *worker = world_join(w.gate);
    licet_slot *first = admit(&w, worker, 790, 3);
    licet_verdict verdict = world_verdict(&w, 20, 3);
    admit_as(&w, worker, &verdict, LICET_NO_UNITS, &shortage, NULL);
    assert_int_equal(shortage.limit, 2);
    assert_int_equal(shortage.remaining, 10);
    assert_int_equal(shortage.held, 790);
    assert_int_equal(shortage.reset_ms, UINT64_C(19676) * 86400000);
    assert_counter(&w, 1, 790, 790); /* the month's limit gave its 20 back */
    assert_counter(&w, 2, 1, 1);
    assert_lease(&w, WORLD_POST, 790);
    settle(worker, first, 790);
    admit_as(&w, worker, &verdict, LICET_NO_UNITS, &shortage, NULL);
    assert_int_equal(shortage.held, 0); /* used up for good */
    verdict = world_verdict(&w, 10, 3);
    settle(worker, admit_as(&w, worker, &verdict, LICET_ADMITTED, NULL, NULL), 10);
    assert_counter(&w, 3, 800, 0);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

static void
test_lease(void **state)
{
    world w;
    uint32_t cells[3];

    world_init(&w);
    world_grant(&w, 100, 100);
    licet_worker *worker = world_join(w.gate);
    assert_int_equal(licet_gate_lease_wanted(w.gate, cells, 3), 0);
    settle(worker, admit(&w, worker, 50, 3), 50);
    assert_int_equal(licet_gate_lease_wanted(w.gate, cells, 3), 0);
    settle(worker, admit(&w, worker, 1, 3), 1); /* less than half is left */
    assert_int_equal(licet_gate_lease_wanted(w.gate, cells, 3), 1);
    assert_int_equal(cells[0], WORLD_CELL);
    assert_int_equal(licet_gate_lease_wanted(w.gate, cells, 3), 0);
    licet_verdict verdict = world_verdict(&w, 50, 3);
    admit_as(&w, worker, &verdict, LICET_LEASE_EMPTY, NULL, NULL);
    assert_counter(&w, 1, 51, 0);
    assert_lease(&w, LICET_KIND_REQUEST, 2);
    assert_int_equal(licet_gate_lease_wanted(w.gate, cells, 0), 0); /* no room: it stays wanted */
    assert_int_equal(licet_gate_lease_wanted(w.gate, cells, 3), 1);
    assert_false(licet_gate_lease_is_wanted(w.gate));
    assert_int_equal(licet_gate_lease_wish(w.gate, WORLD_CELL), 50);
    for (int i = 0; i < 3; i++) { /* who waits side by side wants the sum */
        admit_as(&w, worker, &verdict, LICET_LEASE_EMPTY, NULL, NULL);
    }
    assert_true(licet_gate_lease_is_wanted(w.gate));
    assert_int_equal(licet_gate_lease_wish(w.gate, WORLD_CELL), 150);
    assert_int_equal(licet_gate_lease_wish(w.gate, WORLD_CELL), 0);
    licet_gate_lease_grant(w.gate, WORLD_CELL, WORLD_POST, 200);
    licet_gate_lease_grant(w.gate, WORLD_CELL, WORLD_POST, 150); /* never falls */
    assert_int_equal(licet_gate_lease(w.gate, WORLD_CELL, WORLD_POST).granted, 200);
    settle(worker, admit_as(&w, worker, &verdict, LICET_ADMITTED, NULL, NULL), 50);
    assert_true(licet_gate_lease_swap(w.gate, WORLD_CELL, WORLD_POST, 101, 90));
    assert_false(licet_gate_lease_swap(w.gate, WORLD_CELL, WORLD_POST, 101, 90));
    assert_lease(&w, WORLD_POST, 90);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

static void
test_observe(void **state)
{
    world w;
    bool would = true;
    licet_wide wide;
    licet_error err;

    world_init(&w);
    world_grant(&w, 100, 2000);
    w.version.mode = LICET_MODE_OBSERVE;
    licet_worker *worker = world_join(w.gate);
    licet_verdict verdict = world_verdict(&w, 790, 3);
    settle(worker, admit_as(&w, worker, &verdict, LICET_ADMITTED, NULL, &would), 790);
    assert_false(would);
    verdict = world_verdict(&w, 100, 3);
    licet_slot *slot = admit_as(&w, worker, &verdict, LICET_ADMITTED, NULL, &would);
    assert_true(would);
    assert_true(licet_slot_top_up(worker, slot, WORLD_POST, 400));
    assert_int_equal(licet_slot_reserved(slot, WORLD_POST), 400);
    assert_false(licet_slot_top_up(worker, slot, WORLD_POST, 4000)); /* never beyond the lease */
    licet_settlement settlement = world_settlement(300);
    settlement.verdict = LICET_VERDICT_OBSERVE;
    licet_slot_settle(worker, slot, &settlement);
    assert_counter(&w, 3, 1090, 0);
    assert_true(licet_gate_peek(w.gate, 0, 1, &wide, &err));
    assert_int_equal(wide.clause, 6); /* of the limit that would have refused */

    /* What would have been refused anyway keeps its reason, which has no clause. */
    licet_gate_lease_grant(w.gate, WORLD_CELL, WORLD_POST, 2100);
    verdict = world_verdict(&w, 100, 3);
    verdict.verdict = LICET_VERDICT_OBSERVE;
    verdict.reason = LICET_REASON_PURPOSE_NOT_DECLARED;
    verdict.clause = LICET_NONE;
    slot = admit_as(&w, worker, &verdict, LICET_ADMITTED, NULL, &would);
    assert_true(would);
    settlement.reason = verdict.reason;
    licet_slot_settle(worker, slot, &settlement);
    assert_true(licet_gate_peek(w.gate, 0, 2, &wide, &err));
    assert_int_equal(wide.verdict, LICET_VERDICT_OBSERVE);
    assert_int_equal(wide.reason, verdict.reason);
    assert_int_equal(wide.clause, LICET_NONE);
    verdict = world_verdict(&w, 1000, 3);
    admit_as(&w, worker, &verdict, LICET_LEASE_EMPTY, NULL, NULL);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

static void
test_top_up(void **state)
{
    world w;

    world_init(&w);
    world_grant(&w, 100, 5000);
    licet_worker *worker = world_join(w.gate);
    licet_slot *slot = admit(&w, worker, 700, 3);
    assert_true(licet_slot_top_up(worker, slot, WORLD_POST, 600)); /* has more */
    assert_true(licet_slot_top_up(worker, slot, WORLD_POST, 800));
    assert_false(licet_slot_top_up(worker, slot, WORLD_POST, 801));
    assert_counter(&w, 1, 800, 800);
    assert_counter(&w, 3, 800, 800);
    assert_lease(&w, WORLD_POST, 800);
    licet_verdict verdict = world_verdict(&w, 700, 3);
    assert_int_equal(licet_slot_remaining(worker, slot, &w.image, &verdict, 0), 200);
    assert_int_equal(licet_slot_remaining(worker, slot, &w.image, &verdict, 2), 0);
    licet_slot_overrun(worker, slot, WORLD_POST, 830);
    assert_counter(&w, 3, 830, 830);
    settle(worker, slot, 820);
    assert_counter(&w, 1, 820, 0);
    assert_counter(&w, 3, 820, 0);
    assert_lease(&w, WORLD_POST, 820);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

/* The day ends under way: the top-up belongs to the new day, what was reserved stays in the old one. */
static void
test_window_moves(void **state)
{
    world w;

    world_init(&w);
    world_grant(&w, 100, 5000);
    licet_worker *worker = world_join(w.gate);
    licet_slot *slot = admit(&w, worker, 20, 3);
    licet_verdict tomorrow = world_verdict(&w, 5, 3);
    tomorrow.limits[2].window++;
    settle(worker, admit_as(&w, worker, &tomorrow, LICET_ADMITTED, NULL, NULL), 5);
    assert_counter(&w, 3, 5, 0);
    assert_true(licet_slot_top_up(worker, slot, WORLD_POST, 30));
    assert_counter(&w, 3, 15, 10);
    assert_counter(&w, 1, 35, 30);
    settle(worker, slot, 26);
    assert_counter(&w, 3, 11, 0);
    assert_counter(&w, 1, 31, 0);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

static void
test_cannot_record(void **state)
{
    world w;
    licet_slot *slots[8];

    world_init(&w);
    world_grant(&w, 100, 5000);
    licet_worker *worker = world_join(w.gate);
    licet_verdict verdict = world_verdict(&w, 1, 3);
    for (int i = 0; i < 8; i++) {
        slots[i] = admit(&w, worker, 1, 3);
    }
    admit_as(&w, worker, &verdict, LICET_CANNOT_RECORD, NULL, NULL); /* no slot */
    for (int i = 0; i < 8; i++) {
        settle(worker, slots[i], 1);
    }
    for (int i = 0; i < 7; i++) {
        settle(worker, admit(&w, worker, 1, 3), 1);
    }
    slots[0] = admit(&w, worker, 1, 3);
    admit_as(&w, worker, &verdict, LICET_CANNOT_RECORD, NULL, NULL); /* 15 entries, one reserved, of 16 */
    licet_gate_release(w.gate, 0, 1);
    settle(worker, slots[0], 1);
    settle(worker, admit(&w, worker, 1, 3), 1);
    admit_as(&w, worker, &verdict, LICET_CANNOT_RECORD, NULL, NULL);
    licet_gate_release(w.gate, 0, 17);
    settle(worker, admit(&w, worker, 1, 3), 1);

    /* what the file has no row for */
    licet_verdict bad = verdict;
    bad.limits[1].counter = 5;
    admit_as(&w, worker, &bad, LICET_CANNOT_RECORD, NULL, NULL);
    bad = verdict;
    bad.limits[1].counter = LICET_NONE;
    admit_as(&w, worker, &bad, LICET_CANNOT_RECORD, NULL, NULL);
    bad = verdict;
    bad.limits[0].kind = LICET_KINDS_MAX;
    admit_as(&w, worker, &bad, LICET_CANNOT_RECORD, NULL, NULL);
    bad = verdict;
    bad.limits_len = LICET_LIMITS_PER_REQUEST_MAX + 1;
    admit_as(&w, worker, &bad, LICET_CANNOT_RECORD, NULL, NULL);
    bad = verdict;
    bad.reserve[5] = UINT64_C(1) << 40;
    admit_as(&w, worker, &bad, LICET_CANNOT_RECORD, NULL, NULL);
    w.header.cell = 3;
    admit_as(&w, worker, &verdict, LICET_CANNOT_RECORD, NULL, NULL);
    w.header.cell = WORLD_CELL;
    assert_false(licet_gate_busy(w.gate));
    assert_counter(&w, 3, 18, 0);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

/* A cut name could be somebody else's. */
static void
test_long_name(void **state)
{
    world w;
    uint8_t name[LICET_NAME_MAX + 1];
    world_sums sums = {0};

    world_init(&w);
    memset(name, 'a', sizeof(name));
    licet_worker *worker = world_join(w.gate);
    licet_verdict verdict = world_verdict(&w, 1, 3);
    verdict.verdict = LICET_VERDICT_REFUSE;
    verdict.reason = LICET_REASON_DECLARATION_TOO_LONG;
    verdict.purpose = licet_bytes_of(name, LICET_NAME_MAX + 1);
    verdict.recipient = licet_bytes_of(name, LICET_NAME_MAX);
    licet_slot *slot = admit_as(&w, worker, &verdict, LICET_ADMITTED, NULL, NULL); /* no lease is needed */
    licet_settlement settlement = {
        .status = 403, .ending = LICET_ENDING_REFUSED, .verdict = LICET_VERDICT_REFUSE, .reason = verdict.reason};
    licet_slot_settle(worker, slot, &settlement);
    world_drain(w.gate, &sums);
    assert_int_equal(sums.receipts, 1);
    assert_int_equal(sums.last.purpose_len, 0);
    assert_int_equal(sums.last.recipient_len, LICET_NAME_MAX);
    assert_int_equal(sums.last.reason, LICET_REASON_DECLARATION_TOO_LONG);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

/* ---- without a slot ------------------------------------------------------------------ */

static void
test_unrecorded(void **state)
{
    world w;
    uint64_t requests = 0, units = 0;

    world_init(&w);
    licet_worker *worker = world_join(w.gate);
    licet_verdict verdict = world_verdict(&w, 1, 3);
    assert_false(licet_gate_unrecorded_take(w.gate, WORLD_CELL, &requests, &units));
    assert_false(licet_worker_unrecorded(worker, &w.image, &verdict, 1)); /* nothing is durable ahead */
    licet_gate_allow(w.gate, WORLD_CELL, 100, 1000);
    assert_true(licet_worker_unrecorded(worker, &w.image, &verdict, 100));
    assert_true(licet_worker_unrecorded(worker, &w.image, &verdict, 30));
    assert_true(licet_gate_unrecorded(w.gate, WORLD_CELL, &requests, &units));
    assert_int_equal(requests, 2);
    assert_int_equal(units, 130);
    assert_true(licet_worker_unrecorded(worker, &w.image, &verdict, 7)); /* between reading and releasing */
    licet_gate_unrecorded_release(w.gate, WORLD_CELL, requests, units);
    assert_true(licet_gate_unrecorded_take(w.gate, WORLD_CELL, &requests, &units));
    assert_int_equal(requests, 1);
    assert_int_equal(units, 7);
    assert_false(licet_gate_unrecorded_take(w.gate, WORLD_CELL, &requests, &units));

    w.version.cannot_record = LICET_CANNOT_RECORD_REFUSE;
    assert_false(licet_worker_unrecorded(worker, &w.image, &verdict, 1));
    w.version.cannot_record = LICET_CANNOT_RECORD_ALLOW;
    w.version.allow_units = 100;
    w.version.allow_kind = WORLD_POST;
    assert_true(licet_worker_unrecorded(worker, &w.image, &verdict, 60));
    assert_false(licet_worker_unrecorded(worker, &w.image, &verdict, 60));
    assert_true(licet_worker_unrecorded(worker, &w.image, &verdict, 40));
    assert_true(licet_gate_unrecorded_take(w.gate, WORLD_CELL, &requests, &units));
    assert_int_equal(units, 100);
    assert_false(licet_worker_unrecorded(worker, &w.image, &verdict, 1)); /* the outage goes on */
    assert_false(licet_gate_unrecorded_take(w.gate, WORLD_CELL, &requests, &units));
    assert_false(licet_gate_unrecorded_take(w.gate, WORLD_CELL, &requests, &units));
    assert_true(licet_worker_unrecorded(worker, &w.image, &verdict, 100)); /* it is over: a new one may begin */

    licet_gate_unrecorded_all(w.gate, WORLD_CELL, &requests, &units);
    assert_int_equal(requests, 6);
    assert_int_equal(units, 337);
    licet_gate_unrecorded_told(w.gate, WORLD_CELL, 7, 338); /* more than there was: not believed */
    licet_gate_unrecorded_told(w.gate, WORLD_CELL, 6, 300);
    assert_true(licet_gate_unrecorded(w.gate, WORLD_CELL, &requests, &units));
    assert_int_equal(requests, 0);
    assert_int_equal(units, 37);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

/* Nothing is admitted to a file that is shut; what is under way goes on. */
static void
test_shut(void **state)
{
    world w;
    licet_verdict verdict;

    world_init(&w);
    world_grant(&w, 100, 100);
    licet_worker *worker = world_join(w.gate);
    licet_slot *slot = admit(&w, worker, 20, 3);
    licet_gate_shut(w.gate);
    assert_true(licet_gate_is_shut(w.gate));
    verdict = world_verdict(&w, 20, 3);
    admit_as(&w, worker, &verdict, LICET_LEASE_EMPTY, NULL, NULL);
    assert_counter(&w, 1, 20, 20);
    assert_true(licet_slot_top_up(worker, slot, WORLD_POST, 25));
    settle(worker, slot, 25);
    assert_counter(&w, 1, 25, 0);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

/* Refusals of a known caller without a slot are counted for its agreement alone, and told until they are released. */
static void
test_refused(void **state)
{
    world w;

    world_init(&w);
    licet_worker *worker = world_join(w.gate);
    licet_worker_refused(worker, &w.image, LICET_REASON_CANNOT_RECORD);
    licet_worker_refused(worker, &w.image, LICET_REASON_CANNOT_RECORD);
    licet_worker_refused(worker, &w.image, LICET_REASON_CAP_REACHED);
    licet_worker_refused(worker, &w.image, (licet_reason)99);
    assert_int_equal(licet_gate_refused(w.gate, WORLD_CELL, LICET_REASON_CANNOT_RECORD), 2);
    assert_int_equal(licet_gate_refused(w.gate, WORLD_CELL, LICET_REASON_CAP_REACHED), 1);
    assert_int_equal(licet_gate_refused(w.gate, WORLD_CELL - 1, LICET_REASON_CANNOT_RECORD), 0);
    licet_gate_refused_release(w.gate, WORLD_CELL, LICET_REASON_CANNOT_RECORD, 1);
    assert_int_equal(licet_gate_refused(w.gate, WORLD_CELL, LICET_REASON_CANNOT_RECORD), 1);
    assert_int_equal(licet_gate_refused(w.gate, WORLD_CELL, (licet_reason)99), 0);
    assert_int_equal(licet_gate_refused(w.gate, UINT32_MAX, LICET_REASON_CANNOT_RECORD), 0);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

static void
test_unidentified(void **state)
{
    world w;

    world_init(&w);
    licet_worker *worker = world_join(w.gate);
    licet_worker_unidentified(worker, LICET_REASON_CREDENTIAL_MISSING);
    licet_worker_unidentified(worker, LICET_REASON_CREDENTIAL_MISSING);
    licet_worker_unidentified(worker, (licet_reason)99);
    assert_int_equal(licet_gate_unidentified(w.gate, LICET_REASON_CREDENTIAL_MISSING), 2);
    assert_int_equal(licet_gate_unidentified(w.gate, LICET_REASON_CREDENTIAL_MISSING), 2); /* until it is released */
    licet_gate_unidentified_release(w.gate, LICET_REASON_CREDENTIAL_MISSING, 1);
    assert_int_equal(licet_gate_unidentified(w.gate, LICET_REASON_CREDENTIAL_MISSING), 1);
    licet_gate_unidentified_release(w.gate, LICET_REASON_CREDENTIAL_MISSING, 1);
    assert_int_equal(licet_gate_unidentified(w.gate, LICET_REASON_CREDENTIAL_MISSING), 0);
    assert_int_equal(licet_gate_unidentified(w.gate, LICET_REASON_CREDENTIAL_UNKNOWN), 0);
    assert_int_equal(licet_gate_unidentified(w.gate, (licet_reason)99), 0);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

static void
test_leave(void **state)
{
    world w;
    world_sums sums = {0};

    world_init(&w);
    world_grant(&w, 100, 1000);
    licet_worker *worker = world_join(w.gate);
    licet_slot *slot = admit(&w, worker, 20, 3);
    licet_slot_progress(slot, 200, 500);
    licet_slot_count(slot, WORLD_POST, 5);
    admit(&w, worker, 20, 3); /* nothing went up */
    assert_int_equal(licet_gate_under_way(w.gate), 2);
    licet_worker_leave(worker, WORLD_NOW + 70);
    assert_int_equal(licet_gate_under_way(w.gate), 0);
    assert_int_equal(licet_gate_owned(w.gate), 0);
    world_drain(w.gate, &sums);
    assert_int_equal(sums.receipts, 2);
    assert_int_equal(sums.posts, 5);
    assert_int_equal(sums.requests, 1);
    assert_int_equal(sums.last.ending, LICET_ENDING_GATE_STOPPED);
    assert_int_equal(sums.last.duration_ms, 70);
    assert_counter(&w, 1, 5, 0);
    assert_counter(&w, 2, 1, 0);
    world_done(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settle),       cmocka_unit_test(test_receipt),       cmocka_unit_test(test_all_or_none),
        cmocka_unit_test(test_lease),        cmocka_unit_test(test_observe),       cmocka_unit_test(test_top_up),
        cmocka_unit_test(test_window_moves), cmocka_unit_test(test_cannot_record), cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_unrecorded),   cmocka_unit_test(test_unidentified),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_leave),        cmocka_unit_test(test_shut),
    };

    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
