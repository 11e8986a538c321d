/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layout: docs/format/gate.md against the code. Every field of every table of
 * the page must lie where the page says, and every field of the code must be
 * on the page.
 */
#include "world.h"

typedef struct licet_slot slot_struct;

typedef struct field {
    const char *of, *name;
    size_t offset, size;
    bool seen;
} field;

#define FIELD(type, of, name)                                                                                          \
    {                                                                                                                  \
        of, #name, offsetof(type, name), sizeof(((type *)0)->name), false                                              \
    }
#define HEADER(name) FIELD(gate_header, "gate_header", name)
#define CELL(name) FIELD(gate_cell, "gate_cell", name)
#define AREA(name) FIELD(gate_area, "gate_area", name)
#define SLOT(name) FIELD(slot_struct, "licet_slot", name)
#define LIMIT(name) FIELD(slot_limit, "slot_limit", name)
#define WIDE(name) FIELD(licet_wide, "licet_wide", name)
#define CHUNK(name) FIELD(gate_chunk, "gate_chunk", name)

static field fields[] = {
    HEADER(magic),
    HEADER(layout),
    HEADER(header_size),
    HEADER(size),
    HEADER(boot_id),
    HEADER(gate),
    HEADER(epoch),
    HEADER(areas),
    HEADER(slots),
    HEADER(ring),
    HEADER(ring_ids),
    HEADER(cells),
    HEADER(counters),
    HEADER(counter_size),
    HEADER(cell_size),
    HEADER(slot_size),
    HEADER(entry_size),
    HEADER(counters_at),
    HEADER(cells_at),
    HEADER(wanted_at),
    HEADER(areas_at),
    HEADER(area_size),
    HEADER(slots_at),
    HEADER(ring_at),
    HEADER(ids_at),
    HEADER(decision_key),
    HEADER(credential_key),
    HEADER(images),
    HEADER(sha256),
    HEADER(generation),
    HEADER(shut),
    HEADER(alive_ms),
    HEADER(sequence),
    HEADER(leaks),
    HEADER(damaged),
    HEADER(unidentified),
    CELL(granted),
    CELL(step),
    CELL(kept),
    CELL(taken),
    CELL(unrecorded),
    CELL(outage_used),
    CELL(wish),
    CELL(allowed_requests),
    CELL(allowed_units),
    CELL(told_requests),
    CELL(told_units),
    CELL(outage_seen),
    CELL(refused),
    AREA(owner),
    AREA(uses),
    AREA(opened),
    AREA(head),
    AREA(ids_head),
    AREA(tail),
    AREA(ids_tail),
    SLOT(state),
    SLOT(intent),
    SLOT(flags),
    SLOT(limits_len),
    SLOT(reserved),
    SLOT(leased),
    SLOT(charged),
    SLOT(limits),
    SLOT(wide),
    LIMIT(counter),
    LIMIT(kind),
    LIMIT(window),
    LIMIT(prior_window),
    LIMIT(buckets),
    LIMIT(flags),
    LIMIT(most),
    LIMIT(weight),
    LIMIT(held),
    LIMIT(prior),
    LIMIT(past),
    WIDE(identity),
    WIDE(time_ms),
    WIDE(image),
    WIDE(cell),
    WIDE(version),
    WIDE(app),
    WIDE(credential),
    WIDE(use_case),
    WIDE(endpoint),
    WIDE(clause),
    WIDE(registered),
    WIDE(duration_ms),
    WIDE(status),
    WIDE(ending),
    WIDE(verdict),
    WIDE(reason),
    WIDE(unmetered),
    WIDE(flow),
    WIDE(purpose_len),
    WIDE(recipient_len),
    WIDE(purpose),
    WIDE(recipient),
    WIDE(has_peer),
    WIDE(peer),
    WIDE(bytes),
    WIDE(bytes_acked),
    WIDE(units),
    WIDE(reserved),
    WIDE(ids),
    CHUNK(size),
    CHUNK(ids_len),
    CHUNK(cell),
    CHUNK(kind),
    CHUNK(gate),
    CHUNK(count),
    CHUNK(epoch),
    CHUNK(sequence),
};
#define FIELDS (sizeof(fields) / sizeof(*fields))

static field *
find(const char *of, const char *name)
{
    for (size_t i = 0; i < FIELDS; i++) {
        if (strcmp(fields[i].of, of) == 0 && strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

/* '| offset | size | gate_header | |' names the struct of the rows that follow. */
static void
check_line(const char *line, char of[32])
{
    char name[32], offset[12], size[12];

    if (sscanf(line, "| offset | size | %31s |", name) == 1) {
        memcpy(of, name, sizeof(name));
        return;
    }
    if (sscanf(line, "| %11[0-9] | %11[0-9] | %31s |", offset, size, name) != 3) {
        return;
    }
    field *f = find(of, name);
    if (f == NULL) {
        fail_msg("%s.%s is on the page and not in the code", of, name);
    } else if (f->offset != strtoul(offset, NULL, 10) || f->size != strtoul(size, NULL, 10)) {
        fail_msg("%s.%s is on the page at %s, %s bytes; in the code at %zu, %zu bytes", of, name, offset, size,
                 f->offset, f->size);
    } else {
        f->seen = true;
    }
}

static void
test_page(void **state)
{
    const char *root = getenv("LICET_SOURCE_ROOT");
    char path[4096], of[32] = "", *rest = NULL;
    uint8_t *text = NULL;
    size_t len;
    licet_error err;

    snprintf(path, sizeof(path), "%s/docs/format/gate.md", root != NULL ? root : ".");
    if (!licet_file_read(path, 1 << 20, &text, &len, &err)) {
        fail_msg("%s", err.text);
    }
    for (char *line = strtok_r((char *)text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        check_line(line, of);
    }
    for (size_t i = 0; i < FIELDS; i++) {
        if (!fields[i].seen) {
            fail_msg("%s.%s is not on the page", fields[i].of, fields[i].name);
        }
    }
    free(text);
}

/* The sizes that the page gives in words. */
static void
test_sizes(void **state)
{
    assert_int_equal(sizeof(gate_counter), 16);
    assert_int_equal(sizeof(gate_cell), 896);
    assert_int_equal(sizeof(gate_area), 192);
    assert_int_equal(sizeof(slot_limit), 64);
    assert_int_equal(sizeof(slot_struct), 1984);
    assert_int_equal(sizeof(licet_wide), 624);
    assert_int_equal(sizeof(gate_entry), 640);
    assert_int_equal(sizeof(gate_chunk), 32);
}

static void
test_geometry(void **state)
{
    licet_gate_options options = world_options(1);
    gate_geometry at;

    assert_true(gate_geometry_of(&options, &at, NULL));
    assert_int_equal(at.counters_at, 4096);
    assert_int_equal(at.cells_at, 8192);
    assert_int_equal(at.wanted_at, UINT64_C(8192) + UINT64_C(3) * 896);
    assert_int_equal(at.areas_at, 12288);
    assert_int_equal(at.slots_at, 192);
    assert_int_equal(at.ring_at, UINT64_C(192) + UINT64_C(8) * 1984);
    assert_int_equal(at.ids_at, at.ring_at + UINT64_C(16) * 640);
    assert_int_equal(at.area_size, 28672);
    assert_int_equal(at.size, UINT64_C(12288) + UINT64_C(3) * 28672);
    options.ring = options.ring_ids = 0;
    assert_true(gate_geometry_of(&options, &at, NULL));
    assert_int_equal(at.ring, 4096);
    assert_int_equal(at.ring_ids, 4 << 20);
    options.slots = 65536;
    assert_true(gate_geometry_of(&options, &at, NULL));
    assert_int_equal(at.ring, 131072);
    assert_int_equal(at.ring_ids, 128 << 20);
    options.workers = 1024;
    options.cells = 65536;
    options.counters = 1 << 24;
    assert_true(gate_geometry_of(&options, &at, NULL)); /* the largest: nothing wraps */
    assert_true(at.size > UINT64_C(1) << 38 && at.size < UINT64_C(1) << 40);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_geometry),
    };

    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
