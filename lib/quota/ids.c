/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id ring: see ring.h. Chunks of whole multiples of 8 bytes; bytes wrap at the
 * end of the ring without padding, so that what is reserved is what is needed.
 */
#include "ring.h"

#include <string.h>

static void
copy_in(const licet_gate *gate, uint32_t area, uint64_t position, const void *data, size_t len)
{
    size_t at = position & (gate->at.ring_ids - 1), first = gate->at.ring_ids - at < len ? gate->at.ring_ids - at : len;
    uint8_t *ring = gate_ids_at(gate, area);

    if (len > 0) {
        memcpy(ring + at, data, first);
        memcpy(ring, (const uint8_t *)data + first, len - first);
    }
}

static void
copy_out(const licet_gate *gate, uint32_t area, uint64_t position, void *data, size_t len)
{
    size_t at = position & (gate->at.ring_ids - 1), first = gate->at.ring_ids - at < len ? gate->at.ring_ids - at : len;
    const uint8_t *ring = gate_ids_at(gate, area);

    memcpy(data, ring + at, first);
    memcpy((uint8_t *)data + first, ring, len - first);
}

uint64_t
ids_chunk_size(uint64_t ids_len)
{
    return sizeof(gate_chunk) + (ids_len + 7) / 8 * 8;
}

void
ids_write(const licet_gate *gate, uint32_t area, uint64_t head, const gate_chunk *chunk, licet_bytes ids)
{
    static const uint8_t zeros[8];

    copy_in(gate, area, head, chunk, sizeof(*chunk));
    copy_in(gate, area, head + sizeof(*chunk), ids.data, ids.len);
    copy_in(gate, area, head + sizeof(*chunk) + ids.len, zeros, chunk->size - sizeof(*chunk) - ids.len);
}

uint64_t
licet_gate_ids_tail(const licet_gate *gate, uint32_t area)
{
    return area < gate->at.areas ? gate_ids_tail(gate, area) : 0;
}

uint64_t
licet_gate_ids_head(const licet_gate *gate, uint32_t area)
{
    if (area >= gate->at.areas) {
        return 0;
    }
    uint64_t head = GATE_LOAD(&gate_area_at(gate, area)->ids_head), tail = licet_gate_ids_tail(gate, area);
    return head - tail <= gate->at.ring_ids ? head : tail;
}

/* count times a length and that many bytes, and nothing behind. */
static bool
check_ids(licet_bytes ids, uint32_t count)
{
    licet_cursor cursor = {.in = ids};
    licet_bytes all;

    return licet_take_pieces(&cursor, count, &all) && licet_cursor_at_end(&cursor);
}

static bool
check_chunk(const licet_gate *gate, const gate_chunk *chunk, uint64_t position, uint64_t room, licet_error *err)
{
    if (chunk->size > room || chunk->ids_len > room || chunk->size != ids_chunk_size(chunk->ids_len)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, position, "id ring: chunk of %u bytes with %u bytes of ids in %llu",
                          chunk->size, chunk->ids_len, (unsigned long long)room);
    }
    if (chunk->gate != gate->gate || chunk->epoch != gate->epoch || chunk->sequence >= GATE_SEQUENCE_END ||
        chunk->cell >= gate->at.cells || chunk->kind >= LICET_KINDS_MAX) {
        return LICET_FAIL(err, LICET_E_CORRUPT, position,
                          "id ring: chunk of gate %u epoch %u sequence %llu cell %u kind %u: expected gate %u epoch %u",
                          chunk->gate, chunk->epoch, (unsigned long long)chunk->sequence, chunk->cell, chunk->kind,
                          gate->gate, gate->epoch);
    }
    return true;
}

bool
licet_gate_ids_peek(const licet_gate *gate, uint32_t area, uint64_t position, licet_buffer *buffer,
                    licet_ids_chunk *out_chunk, uint64_t *out_next, licet_error *err)
{
    gate_chunk chunk;
    uint64_t tail = licet_gate_ids_tail(gate, area), head = licet_gate_ids_head(gate, area), room = head - position;

    if (area >= gate->at.areas || position - tail >= head - tail) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, position, "id ring of area %u: nothing at position %llu", area,
                          (unsigned long long)position);
    }
    if (room < sizeof(chunk)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, position, "id ring: %llu bytes: expected a chunk",
                          (unsigned long long)room);
    }
    copy_out(gate, area, position, &chunk, sizeof(chunk));
    if (!check_chunk(gate, &chunk, position, room, err)) {
        return false;
    }
    buffer->len = 0;
    uint8_t piece[256];
    for (uint32_t at = 0; at < chunk.ids_len; at += (uint32_t)sizeof(piece)) {
        size_t len = chunk.ids_len - at < sizeof(piece) ? chunk.ids_len - at : sizeof(piece);
        copy_out(gate, area, position + sizeof(chunk) + at, piece, len);
        if (!licet_put_bytes(buffer, licet_bytes_of(piece, len))) {
            return LICET_FAIL(err, LICET_E_LIMIT, position, "id ring: chunk with %u bytes of ids: the buffer is full",
                              chunk.ids_len);
        }
    }
    if (!check_ids(licet_buffer_view(buffer), chunk.count)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, position, "id ring: %u ids do not fill %u bytes", chunk.count,
                          chunk.ids_len);
    }
    *out_chunk = (licet_ids_chunk){.identity = {.gate = chunk.gate, .epoch = chunk.epoch, .sequence = chunk.sequence},
                                   .cell = chunk.cell,
                                   .kind = chunk.kind,
                                   .count = chunk.count,
                                   .ids = licet_buffer_view(buffer)};
    *out_next = position + chunk.size;
    return true;
}

void
licet_gate_ids_release(licet_gate *gate, uint32_t area, uint64_t tail)
{
    uint64_t now = licet_gate_ids_tail(gate, area);

    if (area < gate->at.areas && tail - now <= licet_gate_ids_head(gate, area) - now) {
        if (gate->own != NULL) {
            gate->own->areas[area].ids_tail = tail;
        }
        GATE_STORE(&gate_area_at(gate, area)->ids_tail, tail);
    }
}
