/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings: many times around, chunks of ids across the end, and entries that no
 * worker wrote.
 */
#include "ring.h"

#include "world.h"

static void
test_receipts_around(void **state)
{
    world w;
    licet_wide wide;
    licet_error err;
    uint64_t seen = 0;

    world_init(&w);
    world_grant(&w, 1000, 1000);
    w.limits[1].most = 1000;
    licet_worker *worker = world_join(w.gate);
    for (uint64_t i = 0; i < 200; i++) {
        licet_verdict verdict = world_verdict(&w, 1, 3);
        licet_settlement settlement = world_settlement(1);
        licet_slot *slot = NULL;
        assert_int_equal(licet_worker_admit(worker, &w.image, &w.facts, &verdict, 0, WORLD_NOW + i, &slot, NULL, NULL),
                         0);
        licet_slot_settle(worker, slot, &settlement);
        if (i % 7 == 6) {
            uint64_t head = licet_gate_head(w.gate, 0);
            assert_int_equal(head, i + 1);
            for (uint64_t at = licet_gate_tail(w.gate, 0); at < head; at++, seen++) {
                assert_true(licet_gate_peek(w.gate, 0, at, &wide, &err));
                assert_int_equal(wide.time_ms, WORLD_NOW + seen);
            }
            licet_gate_release(w.gate, 0, head);
        }
    }
    uint64_t head = licet_gate_head(w.gate, 0), tail = licet_gate_tail(w.gate, 0);
    assert_false(licet_gate_peek(w.gate, 0, head, &wide, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    assert_false(licet_gate_peek(w.gate, 0, tail - 1, &wide, &err));
    assert_false(licet_gate_peek(w.gate, 3, 0, &wide, &err));
    licet_gate_release(w.gate, 0, head + 1); /* nothing of that */
    licet_gate_release(w.gate, 0, tail - 1);
    licet_gate_release(w.gate, 3, 1);
    assert_int_equal(licet_gate_tail(w.gate, 0), tail);
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

/* ---- ids ------------------------------------------------------------------------- */

static licet_slot *
admit_ids(world *w, licet_worker *worker, uint32_t room, licet_admission expected)
{
    licet_verdict verdict = world_verdict(w, 1, 3);
    licet_slot *slot = NULL;

    assert_int_equal(licet_worker_admit(worker, &w->image, &w->facts, &verdict, room, WORLD_NOW, &slot, NULL, NULL),
                     expected);
    return slot;
}

static size_t
make_ids(uint8_t *out, uint32_t count, uint32_t seed)
{
    size_t len = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint8_t one = (uint8_t)(1 + (seed + i) % 20);
        out[len++] = one;
        memset(out + len, (int)('a' + (seed + i) % 26), one);
        len += one;
    }
    return len;
}

static void
test_ids_around(void **state)
{
    world w;
    licet_buffer buffer;
    licet_ids_chunk chunk;
    licet_error err;
    uint64_t next = 0;
    uint8_t ids[512];

    world_init(&w);
    world_grant(&w, 1000, 1000);
    w.limits[1].most = 1000;
    licet_buffer_init(&buffer, 1024);
    licet_worker *worker = world_join(w.gate);
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t count = 1 + i % 23;
        size_t len = make_ids(ids, count, i);
        licet_slot *slot = admit_ids(&w, worker, (uint32_t)len, LICET_ADMITTED);
        licet_identity identity = licet_slot_identity(slot);
        assert_true(licet_slot_ids(worker, slot, WORLD_POST, count, licet_bytes_of(ids, len)));
        licet_slot_settle(worker, slot, &(licet_settlement){.ending = LICET_ENDING_COMPLETE});
        uint64_t at = licet_gate_ids_tail(w.gate, 0);
        if (!licet_gate_ids_peek(w.gate, 0, at, &buffer, &chunk, &next, &err)) {
            fail_msg("%s", err.text);
        }
        world_same_identity(chunk.identity, identity);
        assert_int_equal(chunk.cell, WORLD_CELL);
        assert_int_equal(chunk.kind, WORLD_POST);
        assert_int_equal(chunk.count, count);
        assert_int_equal(chunk.ids.len, len);
        assert_memory_equal(chunk.ids.data, ids, len);
        assert_int_equal(next, licet_gate_ids_head(w.gate, 0));
        assert_int_equal(next % 8, 0);
        assert_false(licet_gate_ids_peek(w.gate, 0, next, &buffer, &chunk, &next, &err));
        licet_gate_ids_release(w.gate, 0, next);
        licet_gate_release(w.gate, 0, licet_gate_head(w.gate, 0));
    }
    assert_true(next > UINT64_C(10) * 1024);
    licet_worker_leave(worker, WORLD_NOW);
    licet_buffer_done(&buffer);
    world_done(&w);
}

static void
test_ids_room(void **state)
{
    world w;
    uint8_t ids[1024];

    world_init(&w);
    world_grant(&w, 1000, 1000);
    size_t len = make_ids(ids, 40, 3);
    licet_worker *worker = world_join(w.gate); /* 1,024 bytes of ids */
    admit_ids(&w, worker, 1024, LICET_CANNOT_RECORD);
    licet_slot *a = admit_ids(&w, worker, (uint32_t)len, LICET_ADMITTED);
    licet_slot *b = admit_ids(&w, worker, 0, LICET_ADMITTED);
    admit_ids(&w, worker, 600, LICET_CANNOT_RECORD);
    /* what is reserved for a is not to be had for b, however often b asks */
    for (int i = 0; i < 100; i++) {
        (void)licet_slot_ids(worker, b, WORLD_POST, 1, LICET_BYTES_LITERAL("\007abcdefg"));
    }
    assert_false(licet_slot_ids(worker, b, WORLD_POST, 1, LICET_BYTES_LITERAL("\007abcdefg")));
    assert_true(licet_slot_ids(worker, a, WORLD_POST, 40, licet_bytes_of(ids, len)));
    assert_true(licet_slot_ids(worker, b, WORLD_POST, 0, (licet_bytes){NULL, 0})); /* none is no chunk */
    assert_false(licet_slot_ids(worker, b, LICET_KINDS_MAX, 1, LICET_BYTES_LITERAL("\001a")));
    licet_slot_settle(worker, a, &(licet_settlement){0});
    licet_slot_settle(worker, b, &(licet_settlement){0});
    licet_gate_ids_release(w.gate, 0, licet_gate_ids_head(w.gate, 0));
    a = admit_ids(&w, worker, 600, LICET_ADMITTED); /* everything came back */
    licet_slot_settle(worker, a, &(licet_settlement){0});
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

/* ---- hostile entries --------------------------------------------------------------- */

typedef struct spoil {
    const char *name;
    size_t at, len;
    uint64_t value;
} spoil;

#define SPOIL(field, v)                                                                                                \
    {                                                                                                                  \
#field, offsetof(licet_wide, field), sizeof(((licet_wide *)0)->field), v                                       \
    }

static const spoil spoils[] = {
    SPOIL(identity.gate, 8),
    SPOIL(identity.epoch, 8),
    SPOIL(identity.sequence, UINT64_C(1) << 48),
    SPOIL(time_ms, UINT64_C(1) << 48),
    SPOIL(cell, 3),
    SPOIL(status, 1024),
    SPOIL(ending, LICET_ENDINGS_LEN),
    SPOIL(verdict, 4),
    SPOIL(reason, LICET_REASONS_LEN),
    SPOIL(unmetered, LICET_UNMETERED_LEN),
    SPOIL(flow, 2),
    SPOIL(purpose_len, LICET_NAME_MAX + 1),
    SPOIL(recipient_len, 255),
    SPOIL(bytes, UINT64_C(1) << 40),
    SPOIL(bytes_acked, UINT64_MAX - 1),
    SPOIL(units[15], UINT64_C(1) << 40),
    SPOIL(reserved[0], UINT64_MAX),
    SPOIL(ids[3], UINT64_C(1) << 40),
};

static void
test_hostile_receipts(void **state)
{
    world w;
    licet_wide wide;
    licet_error err;

    world_init(&w);
    world_grant(&w, 10, 10);
    licet_worker *worker = world_join(w.gate);
    licet_slot *slot = admit_ids(&w, worker, 0, LICET_ADMITTED);
    licet_slot_settle(worker, slot, &(licet_settlement){.bytes_acked = UINT64_MAX});
    licet_wide *entry = gate_entry_at(w.gate, 0, 0), good = *entry;
    for (size_t i = 0; i < sizeof(spoils) / sizeof(*spoils); i++) {
        *entry = good;
        memcpy((uint8_t *)entry + spoils[i].at, &spoils[i].value, spoils[i].len);
        if (licet_gate_peek(w.gate, 0, 0, &wide, &err) || err.code != LICET_E_CORRUPT) {
            fail_msg("%s %llu was taken", spoils[i].name, (unsigned long long)spoils[i].value);
        }
    }
    *entry = good;
    assert_true(licet_gate_peek(w.gate, 0, 0, &wide, &err));
    /* a head beyond the ring tells nothing */
    gate_area_at(w.gate, 0)->head = 17;
    assert_int_equal(licet_gate_head(w.gate, 0), 0);
    gate_area_at(w.gate, 0)->head = 1;
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

static void
test_hostile_ids(void **state)
{
    static const gate_chunk bad[] = {
        {.size = 40, .ids_len = 3, .cell = 9, .kind = 2, .gate = 7, .count = 1, .epoch = 9},
        {.size = 40, .ids_len = 3, .cell = 1, .kind = 16, .gate = 7, .count = 1, .epoch = 9},
        {.size = 40, .ids_len = 3, .cell = 1, .kind = 2, .gate = 6, .count = 1, .epoch = 9},
        {.size = 40, .ids_len = 3, .cell = 1, .kind = 2, .gate = 7, .count = 1, .epoch = 8},
        {.size = 40, .ids_len = 3, .cell = 1, .kind = 2, .gate = 7, .count = 2, .epoch = 9},
        {.size = 40, .ids_len = 3, .cell = 1, .kind = 2, .gate = 7, .count = UINT32_MAX, .epoch = 9},
        {.size = 40, .ids_len = 2, .cell = 1, .kind = 2, .gate = 7, .count = 1, .epoch = 9},
        {.size = 0, .ids_len = 3, .cell = 1, .kind = 2, .gate = 7, .count = 1, .epoch = 9},
        {.size = 48, .ids_len = 3, .cell = 1, .kind = 2, .gate = 7, .count = 1, .epoch = 9},
        {.size = 32, .ids_len = UINT32_MAX, .cell = 1, .kind = 2, .gate = 7, .count = 1, .epoch = 9},
        {.size = 40, .ids_len = 3, .cell = 1, .kind = 2, .gate = 7, .count = 1, .epoch = 9, .sequence = UINT64_MAX},
    };
    world w;
    licet_buffer buffer;
    licet_ids_chunk chunk;
    licet_error err;
    uint64_t next;

    world_init(&w);
    licet_buffer_init(&buffer, 1024);
    gate_area *area = gate_area_at(w.gate, 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        gate_chunk good = {.size = 40, .ids_len = 3, .cell = 1, .kind = 2, .gate = 7, .count = 1, .epoch = 9};
        ids_write(w.gate, 0, 0, &good, LICET_BYTES_LITERAL("\002ab"));
        area->ids_head = 40;
        assert_true(licet_gate_ids_peek(w.gate, 0, 0, &buffer, &chunk, &next, &err));
        memcpy(gate_ids_at(w.gate, 0), &bad[i], sizeof(bad[i]));
        if (licet_gate_ids_peek(w.gate, 0, 0, &buffer, &chunk, &next, &err) || err.code != LICET_E_CORRUPT) {
            fail_msg("chunk %zu was taken", i);
        }
    }
    area->ids_head = 8; /* not even a chunk's head */
    assert_false(licet_gate_ids_peek(w.gate, 0, 0, &buffer, &chunk, &next, &err));
    assert_int_equal(err.code, LICET_E_CORRUPT);
    area->ids_head = 0;
    licet_buffer_done(&buffer);
    world_done(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receipts_around),  cmocka_unit_test(test_ids_around),  cmocka_unit_test(test_ids_room),
        cmocka_unit_test(test_hostile_receipts), cmocka_unit_test(test_hostile_ids),
    };

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
