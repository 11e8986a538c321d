/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipt ring: see ring.h.
 */
#include "ring.h"

#include <string.h>

static bool
below(const char *name, uint64_t value, uint64_t end, licet_error *err)
{
    if (value >= end) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "receipt in shared memory: %s %llu: expected less than %llu", name,
                          (unsigned long long)value, (unsigned long long)end);
    }
    return true;
}

static bool
check_identity(const licet_gate *gate, const licet_identity *identity, licet_error *err)
{
    if (identity->gate != gate->gate || identity->epoch != gate->epoch) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "receipt in shared memory: gate %u epoch %u: expected %u and %u",
                          identity->gate, identity->epoch, gate->gate, gate->epoch);
    }
    return below("sequence", identity->sequence, GATE_SEQUENCE_END, err);
}

bool
wide_check(const licet_gate *gate, const licet_wide *wide, licet_error *err)
{
    if (!check_identity(gate, &wide->identity, err) || !below("time", wide->time_ms, GATE_SEQUENCE_END, err) ||
        !below("cell", wide->cell, gate->at.cells, err) || !below("status", wide->status, 1024, err) ||
        !below("ending", wide->ending, LICET_ENDINGS_LEN, err) ||
        !below("verdict", wide->verdict, LICET_VERDICT_OPEN + 1, err) ||
        !below("reason", wide->reason, LICET_REASONS_LEN, err) ||
        !below("unmetered", wide->unmetered, LICET_UNMETERED_LEN, err) ||
        !below("flow", wide->flow, LICET_FLOW_PASSED_ON + 1, err) || !below("peer's flag", wide->has_peer, 2, err) ||
        !below("purpose length", wide->purpose_len, LICET_NAME_MAX + 1, err) ||
        !below("recipient length", wide->recipient_len, LICET_NAME_MAX + 1, err) ||
        !below("bytes", wide->bytes, GATE_UNITS_END, err) ||
        !below("bytes acknowledged", wide->bytes_acked == UINT64_MAX ? 0 : wide->bytes_acked, GATE_UNITS_END, err)) {
        return false;
    }
    for (uint32_t kind = 0; kind < LICET_KINDS_MAX; kind++) {
        if (!below("units", wide->units[kind], GATE_UNITS_END, err) ||
            !below("reserved units", wide->reserved[kind], GATE_UNITS_END, err) ||
            !below("ids", wide->ids[kind], GATE_UNITS_END, err)) {
            return false;
        }
    }
    return true;
}

void
ring_write(const licet_gate *gate, uint32_t area, uint64_t head, const licet_wide *wide)
{
    memcpy(gate_entry_at(gate, area, head), wide, sizeof(*wide));
}

uint64_t
licet_gate_tail(const licet_gate *gate, uint32_t area)
{
    return area < gate->at.areas ? gate_tail(gate, area) : 0;
}

uint64_t
licet_gate_head(const licet_gate *gate, uint32_t area)
{
    if (area >= gate->at.areas) {
        return 0;
    }
    uint64_t head = GATE_LOAD(&gate_area_at(gate, area)->head), tail = licet_gate_tail(gate, area);
    return head - tail <= gate->at.ring ? head : tail;
}

bool
licet_gate_peek(const licet_gate *gate, uint32_t area, uint64_t position, licet_wide *out_wide, licet_error *err)
{
    if (area >= gate->at.areas ||
        position - licet_gate_tail(gate, area) >= licet_gate_head(gate, area) - licet_gate_tail(gate, area)) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "receipt ring of area %u: nothing at position %llu", area,
                          (unsigned long long)position);
    }
    memcpy(out_wide, gate_entry_at(gate, area, position), sizeof(*out_wide)); /* first the copy, then the check */
    return wide_check(gate, out_wide, err);
}

void
licet_gate_release(licet_gate *gate, uint32_t area, uint64_t tail)
{
    if (area < gate->at.areas &&
        tail - licet_gate_tail(gate, area) <= licet_gate_head(gate, area) - licet_gate_tail(gate, area)) {
        if (gate->own != NULL) {
            gate->own->areas[area].tail = tail;
        }
        GATE_STORE(&gate_area_at(gate, area)->tail, tail);
    }
}
