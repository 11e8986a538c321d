/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gate: the file, its stamp, who owns its areas, and a new file in its place.
 */
#include "world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void
test_create_and_open(void **state)
{
    world w;
    licet_gate *other;
    licet_gate_options options;
    struct stat st;
    licet_error err;

    world_init(&w);
    assert_true(licet_gate_open(w.path, &other, &err));
    assert_int_equal(licet_gate_epoch(other), 9);
    assert_int_equal(licet_gate_areas(other), 3);
    assert_int_equal(licet_gate_cells(other), 3);
    assert_int_equal(licet_gate_counters(other), 5);
    assert_string_equal(licet_gate_images(other), "/nonexistent/images");
    assert_int_equal(licet_gate_decision_key(other)[15], 0x11);
    assert_int_equal(licet_gate_credential_key(other)[31], 0x22);
    licet_gate_options_of(other, &options);
    assert_int_equal(options.gate, 7);
    assert_int_equal(options.slots, 8);
    assert_int_equal(options.ring, 16);
    assert_int_equal(options.boot_id[0], 0x33);
    assert_int_equal(licet_gate_generation(other), 0);
    licet_gate_publish(w.gate, 12);
    licet_gate_alive(w.gate, WORLD_NOW);
    assert_int_equal(licet_gate_generation(other), 12);
    assert_int_equal(licet_gate_alive_ms(other), WORLD_NOW);
    assert_false(licet_gate_replaced(other));
    licet_gate_close(other);
    /* allocated in full: no page is missing, so none can be missing when it is written */
    assert_int_equal(stat(w.path, &st), 0);
    assert_true((uint64_t)st.st_blocks * 512 >= (uint64_t)st.st_size);
    assert_int_equal(st.st_mode & 07777, 0600);
    world_done(&w);
}

typedef struct option_case {
    const char *name;
    size_t at;
    uint32_t value;
    const char *text; /* within the message */
} option_case;

static const option_case option_cases[] = {
    {"no areas", offsetof(licet_gate_options, workers), 0, "worker areas 0: expected 1 to 1024"},
    {"slots no power of two", offsetof(licet_gate_options, slots), 24, "slots 24: expected a power of two"},
    {"ring no power of two", offsetof(licet_gate_options, ring), 24, "receipt ring entries 24"},
    {"ring smaller than slots", offsetof(licet_gate_options, ring), 4, "receipt ring entries 4"},
    {"id ring no power of two", offsetof(licet_gate_options, ring_ids), 1000, "id ring bytes 1000"},
    {"no cells", offsetof(licet_gate_options, cells), 0, "cells 0"},
    {"too many cells", offsetof(licet_gate_options, cells), 65537, "cells 65537"},
    {"too many counters", offsetof(licet_gate_options, counters), (1u << 24) + 1, "counters 16777217"},
};

static void
test_options(void **state)
{
    for (size_t i = 0; i < sizeof(option_cases) / sizeof(*option_cases); i++) {
        const option_case *c = &option_cases[i];
        licet_gate_options options = world_options(1);
        licet_gate *gate = NULL;
        licet_error err;
        memcpy((char *)&options + c->at, &c->value, sizeof(c->value));
        if (licet_gate_create("/tmp/licet-quota-never", &options, &gate, &err) || err.code != LICET_E_INVALID ||
            strstr(err.text, c->text) == NULL) {
            fail_msg("%s: %s", c->name, err.text);
        }
    }
}

/* Every byte of the stamp: changed, the file is refused. */
static void
test_stamp(void **state)
{
    world w;
    licet_gate *other = NULL;
    licet_error err;

    world_init(&w);
    size_t end = offsetof(gate_header, sha256) + LICET_SHA256_LEN;
    for (size_t at = 0; at < end; at++) {
        uint8_t *byte = (uint8_t *)w.gate->header + at;
        *byte ^= 0x40;
        bool of_layout = at >= 8 && at < 12;

        if (licet_gate_open(w.path, &other, &err) || err.code != (of_layout ? LICET_E_UNSUPPORTED : LICET_E_CORRUPT)) {
            fail_msg("byte %zu of the stamp was changed and nobody saw it", at);
        }
        *byte ^= 0x40;
    }
    assert_int_equal(truncate(w.path, 5000), 0);
    assert_false(licet_gate_open(w.path, &other, &err));
    assert_int_equal(err.code, LICET_E_CORRUPT);
    assert_int_equal(truncate(w.path, 0), 0);
    assert_false(licet_gate_open(w.path, &other, &err));
    assert_int_equal(err.code, LICET_E_CORRUPT);
    world_done(&w);
    assert_false(licet_gate_open(w.path, &other, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "is licetd running?"));
}

static void
test_create_fails(void **state)
{
    licet_gate_options options = world_options(1);
    licet_gate *gate = NULL;
    licet_error err;
    char path[600];

    assert_false(licet_gate_create("/nonexistent/gate", &options, &gate, &err));
    assert_int_equal(err.code, LICET_E_SYSTEM);
    memset(path, 'a', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_false(licet_gate_create(path, &options, &gate, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
}

/* ---- areas --------------------------------------------------------------------- */

static void
test_join(void **state)
{
    world w;
    licet_worker *workers[3], *more = NULL;
    licet_error err;

    world_init(&w);
    assert_int_equal(licet_gate_oldest_use(w.gate), UINT64_MAX);
    licet_gate_publish(w.gate, 5);
    for (uint32_t i = 0; i < 3; i++) {
        workers[i] = world_join(w.gate);
        assert_int_equal(licet_worker_area(workers[i]), i);
    }
    assert_false(licet_worker_join(w.gate, &more, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    assert_int_equal(licet_gate_oldest_use(w.gate), 5);
    licet_gate_publish(w.gate, 6);
    licet_worker_uses(workers[0], 6);
    assert_int_equal(licet_gate_oldest_use(w.gate), 5);
    licet_worker_uses(workers[1], 6);
    licet_worker_leave(workers[2], WORLD_NOW);
    assert_int_equal(licet_gate_oldest_use(w.gate), 6);
    assert_int_equal(licet_gate_owned(w.gate), 2);
    workers[2] = world_join(w.gate);
    assert_int_equal(licet_worker_area(workers[2]), 2);
    assert_int_equal(licet_gate_adopt(w.gate, WORLD_NOW, NULL, NULL), 0); /* all of them live */
    for (int i = 0; i < 3; i++) {
        licet_worker_leave(workers[i], WORLD_NOW);
    }
    world_done(&w);
}

/* Dies with two responses under way, one receipt undrained. */
static void
die(world *w)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        licet_worker *worker = world_join(w->gate);
        for (int i = 0; i < 3; i++) {
            licet_verdict verdict = world_verdict(w, 10, 3);
            licet_slot *slot = NULL;
            licet_worker_admit(worker, &w->image, &w->facts, &verdict, 0, WORLD_NOW, &slot, NULL, NULL);
            licet_slot_count(slot, WORLD_POST, 4);
            if (i == 0) {
                licet_settlement settlement = world_settlement(4);
                licet_slot_settle(worker, slot, &settlement);
            }
        }
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static bool
stop_at_once(void *user, uint32_t area, const licet_wide *wide)
{
    uint32_t *told = user;

    assert_int_equal(area, 0);
    assert_int_equal(wide->ending, LICET_ENDING_WORKER_DIED);
    assert_int_equal(wide->units[WORLD_POST], 4);
    assert_int_equal(wide->duration_ms, 30);
    (*told)++;
    return false;
}

static void
test_adopt(void **state)
{
    world w;
    uint32_t told = 0;
    world_sums sums = {0};

    world_init(&w);
    world_grant(&w, 100, 1000);
    die(&w);
    assert_int_equal(licet_gate_under_way(w.gate), 2);
    licet_worker *worker = world_join(w.gate); /* not into the area of the dead */
    assert_int_equal(licet_worker_area(worker), 1);
    assert_int_equal(licet_gate_adopt(w.gate, WORLD_NOW + 30, stop_at_once, &told), 0);
    assert_int_equal(told, 1);
    assert_int_equal(licet_gate_under_way(w.gate), 1);
    assert_int_equal(licet_gate_adopt(w.gate, WORLD_NOW + 30, stop_at_once, &told), 0);
    assert_int_equal(told, 2);
    assert_int_equal(licet_gate_under_way(w.gate), 0);
    assert_int_equal(licet_gate_adopt(w.gate, WORLD_NOW + 30, stop_at_once, &told), 0); /* its ring is not drained */
    assert_int_equal(licet_gate_owned(w.gate), 2);
    assert_int_equal(licet_gate_head(w.gate, 0), 3);
    world_drain(w.gate, &sums);
    assert_int_equal(licet_gate_adopt(w.gate, WORLD_NOW + 30, NULL, NULL), 1);
    assert_int_equal(told, 2);
    assert_int_equal(sums.receipts, 3);
    assert_int_equal(sums.posts, 12);
    assert_int_equal(licet_gate_counter(w.gate, 1).taken, 12);
    assert_int_equal(licet_gate_counter(w.gate, 1).held, 0);
    assert_int_equal(licet_gate_faults_of(w.gate).leaks, 0);
    licet_worker *again = world_join(w.gate);
    assert_int_equal(licet_worker_area(again), 0);
    licet_worker_leave(again, WORLD_NOW);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

/* A ring that is full when its worker dies: adoption waits for room, nothing is lost. */
static void
test_adopt_full_ring(void **state)
{
    licet_gate_options options = world_options(9);
    world w;
    world_sums sums = {0};

    options.slots = 2;
    options.ring = 2;
    world_init_with(&w, &options);
    world_grant(&w, 100, 1000);
    gate_area *area = gate_area_at(w.gate, 0);
    licet_worker *worker = world_join(w.gate);
    licet_verdict verdict = world_verdict(&w, 10, 3);
    licet_slot *slot = NULL;
    licet_settlement settlement = world_settlement(10);
    assert_int_equal(licet_worker_admit(worker, &w.image, &w.facts, &verdict, 0, WORLD_NOW, &slot, NULL, NULL), 0);
    licet_slot_settle(worker, slot, &settlement);
    licet_worker_leave(worker, WORLD_NOW);
    /* as a hostile worker could leave it: an open slot and no room for it */
    slot->state = SLOT_OPEN;
    area->head = area->tail + 2;
    *gate_entry_at(w.gate, 0, 1) = *gate_entry_at(w.gate, 0, 0);
    area->owner = 1;
    assert_int_equal(licet_gate_adopt(w.gate, WORLD_NOW, NULL, NULL), 0);
    assert_int_equal(licet_gate_under_way(w.gate), 1);
    world_drain(w.gate, &sums);
    assert_int_equal(licet_gate_adopt(w.gate, WORLD_NOW, NULL, NULL), 0);
    assert_int_equal(licet_gate_under_way(w.gate), 0);
    world_drain(w.gate, &sums);
    assert_int_equal(sums.receipts, 3);
    assert_int_equal(licet_gate_adopt(w.gate, WORLD_NOW, NULL, NULL), 1);
    world_done(&w);
}

/* ---- a new file --------------------------------------------------------------------- */

static void
test_replaced(void **state)
{
    world w;
    licet_gate_options options = world_options(10);
    licet_gate *newer = NULL, *mapped = NULL;
    licet_worker *late = NULL;
    licet_error err;
    world_sums old = {0}, fresh = {0};

    world_init(&w);
    world_grant(&w, 100, 1000);
    licet_worker *worker = world_join(w.gate);
    licet_verdict verdict = world_verdict(&w, 10, 3);
    licet_slot *slot = NULL;
    assert_int_equal(licet_worker_admit(worker, &w.image, &w.facts, &verdict, 0, WORLD_NOW, &slot, NULL, NULL), 0);
    assert_true(licet_gate_create(w.path, &options, &newer, &err));
    assert_true(licet_gate_replaced(w.gate));
    assert_false(licet_gate_replaced(newer));
    assert_false(licet_worker_join(w.gate, &late, &err));
    assert_int_equal(err.code, LICET_E_CONFLICT);
    assert_true(licet_gate_open(w.path, &mapped, &err));
    assert_int_equal(licet_gate_epoch(mapped), 10);
    licet_gate_lease_grant(newer, WORLD_CELL, LICET_KIND_REQUEST, 10);
    licet_gate_lease_grant(newer, WORLD_CELL, WORLD_POST, 100);
    late = world_join(mapped);
    licet_slot *second = NULL;
    assert_int_equal(licet_worker_admit(late, &w.image, &w.facts, &verdict, 0, WORLD_NOW, &second, NULL, NULL), 0);
    licet_settlement settlement = world_settlement(9);
    licet_slot_settle(worker, slot, &settlement); /* the old slot ends in the old file */
    licet_slot_settle(late, second, &settlement);
    world_drain(w.gate, &old);
    world_drain(newer, &fresh);
    assert_int_equal(old.receipts, 1);
    assert_int_equal(old.last.identity.epoch, 9);
    assert_int_equal(fresh.receipts, 1);
    assert_int_equal(fresh.last.identity.epoch, 10);
    assert_int_equal(licet_gate_owned(w.gate), 1);
    licet_worker_leave(worker, WORLD_NOW);
    assert_int_equal(licet_gate_owned(w.gate), 0);
    licet_worker_leave(late, WORLD_NOW);
    licet_gate_close(mapped);
    licet_gate_close(newer);
    world_done(&w);
}

static void
test_endings(void **state)
{
    assert_string_equal(licet_ending_text(LICET_ENDING_WORKER_DIED), "worker died");
    assert_string_equal(licet_ending_text((licet_ending)14), "unknown ending");
    assert_int_equal(LICET_ENDINGS_LEN, 14);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_and_open), cmocka_unit_test(test_options),  cmocka_unit_test(test_stamp),
        cmocka_unit_test(test_create_fails),    cmocka_unit_test(test_join),     cmocka_unit_test(test_adopt),
        cmocka_unit_test(test_adopt_full_ring), cmocka_unit_test(test_replaced), cmocka_unit_test(test_endings),
    };

    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
