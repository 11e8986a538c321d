/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layout: sizes and places of the shared-memory file, from seven numbers; and
 * the locks that say who owns an area.
 */
#include "layout.h"

#include <fcntl.h>

#define RING_DEFAULT 4096u
#define IDS_DEFAULT (4u << 20)
#define IDS_PER_SLOT 2048u /* of the default */

static uint64_t
round_up(uint64_t value, uint64_t to)
{
    return (value + to - 1) / to * to;
}

static bool
within(const char *name, uint64_t value, uint64_t least, uint64_t most, bool power, licet_error *err)
{
    if (value < least || value > most || (power && (value & (value - 1)) != 0)) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "shared memory: %s %llu: expected %s%llu to %llu", name,
                          (unsigned long long)value, power ? "a power of two, " : "", (unsigned long long)least,
                          (unsigned long long)most);
    }
    return true;
}

static uint32_t
default_ring(uint32_t slots)
{
    return slots * 2 > RING_DEFAULT ? slots * 2 : RING_DEFAULT;
}

static uint32_t
default_ids(uint32_t slots)
{
    return slots * IDS_PER_SLOT > IDS_DEFAULT ? slots * IDS_PER_SLOT : IDS_DEFAULT;
}

bool
gate_geometry_of(const licet_gate_options *options, gate_geometry *out_geometry, licet_error *err)
{
    gate_geometry g = {.areas = options->workers,
                       .slots = options->slots,
                       .ring = options->ring,
                       .ring_ids = options->ring_ids,
                       .cells = options->cells,
                       .counters = options->counters};

    if (!within("worker areas", g.areas, 1, GATE_AREAS_MAX, false, err) ||
        !within("slots", g.slots, 1, GATE_SLOTS_MAX, true, err)) {
        return false;
    }
    g.ring = g.ring != 0 ? g.ring : default_ring(g.slots);
    g.ring_ids = g.ring_ids != 0 ? g.ring_ids : default_ids(g.slots);
    if (!within("receipt ring entries", g.ring, g.slots, GATE_RING_MAX, true, err) ||
        !within("id ring bytes", g.ring_ids, GATE_LINE, GATE_IDS_MAX, true, err) ||
        !within("cells", g.cells, 1, LICET_GATE_CELLS_MAX, false, err) ||
        !within("counters", g.counters, 0, GATE_COUNTERS_MAX, false, err)) {
        return false;
    }
    g.counters_at = GATE_PAGE;
    g.cells_at = round_up(g.counters_at + (uint64_t)g.counters * sizeof(gate_counter), GATE_PAGE);
    g.wanted_at = g.cells_at + (uint64_t)g.cells * sizeof(gate_cell);
    g.areas_at = round_up(g.wanted_at + round_up(g.cells, 64) / 8, GATE_PAGE);
    g.slots_at = sizeof(gate_area);
    g.ring_at = g.slots_at + (uint64_t)g.slots * sizeof(licet_slot);
    g.ids_at = g.ring_at + (uint64_t)g.ring * sizeof(gate_entry);
    g.area_size = round_up(g.ids_at + g.ring_ids, GATE_PAGE);
    g.size = g.areas_at + g.areas * g.area_size;
    *out_geometry = g;
    return true;
}

static bool
lock_as(const licet_gate *gate, int fd, uint32_t area, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = gate_lock_at(gate, area), .l_len = 1};

    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool
gate_lock(const licet_gate *gate, int fd, uint32_t area)
{
    return lock_as(gate, fd, area, F_WRLCK);
}

void
gate_unlock(const licet_gate *gate, int fd, uint32_t area)
{
    (void)lock_as(gate, fd, area, F_UNLCK);
}
