/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layout: the shared-memory file to the byte (docs/format/gate.md), and the
 * handle of a mapping of it. If page and code differ, the code is wrong.
 *
 *  (1) What bounds an index is read from the handle, never from the mapping: another process may write the mapping.
 *  (2) Words that different processes write lie on different cache lines.
 *  (3) Every word that two processes share is read and written by the __atomic and __sync built-ins alone.
 */
#ifndef LICET_QUOTA_LAYOUT_H
#define LICET_QUOTA_LAYOUT_H

#include "licet/gate.h"
#include "licet/step.h"

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <sys/types.h>

#define GATE_MAGIC "LICETGAT"
#define GATE_LAYOUT 3u
#define GATE_LINE 64u
#define GATE_PAGE 4096u

#define GATE_AREAS_MAX 1024u
#define GATE_SLOTS_MAX 65536u
#define GATE_RING_MAX (1u << 20)
#define GATE_IDS_MAX (1u << 30)
#define GATE_COUNTERS_MAX (1u << 24)

#define GATE_REASONS 32 /* room for LICET_REASONS_LEN and more to come */
#define GATE_SEQUENCE_END (UINT64_C(1) << 48)
#define GATE_SEQUENCE_BLOCK 256u           /* identities a worker takes at once */
#define GATE_UNITS_END (UINT64_C(1) << 40) /* ends what one response can hold or bring */
#define GATE_TAKEN_END (UINT64_C(1) << 56) /* ends the taken units of a counter; weighed ones */
#define GATE_HELD_END (UINT64_C(1) << 39)  /* ends the held units of a counter */

typedef struct gate_header {
    char magic[8]; /* stored last */
    uint32_t layout, header_size;
    uint64_t size;
    uint8_t boot_id[16];
    uint32_t gate, epoch;
    uint32_t areas, slots, ring, ring_ids, cells, counters;
    uint32_t counter_size, cell_size, slot_size, entry_size;
    uint64_t counters_at, cells_at, wanted_at, areas_at; /* from the start of the file */
    uint64_t area_size, slots_at, ring_at, ids_at;       /* the last three from the start of an area */
    uint8_t decision_key[16], credential_key[32];
    char images[LICET_GATE_PATH_MAX];
    uint8_t sha256[LICET_SHA256_LEN];       /* of all above but the magic */
    alignas(GATE_LINE) uint64_t generation; /* licetd */
    uint64_t shut;                          /* licetd: 1 once another file is in force; never undone */
    alignas(GATE_LINE) uint64_t alive_ms;   /* licetd */
    alignas(GATE_LINE) uint64_t sequence;   /* workers: fetch_add of a block */
    alignas(GATE_LINE) uint64_t leaks;      /* licetd: adopted slots that may have leaked */
    uint64_t damaged;                       /* licetd: slots and ring heads that made no sense */
    alignas(GATE_LINE) uint64_t unidentified[GATE_REASONS];
} gate_header;
static_assert(sizeof(gate_header) <= GATE_PAGE, "header page");
static_assert(LICET_REASONS_LEN <= GATE_REASONS, "reasons");

/* A limit counter: one integer of 128 bits, taken | held << 56 | closed << 95 | window << 96. */
typedef unsigned __int128 gate_counter;
static_assert(sizeof(gate_counter) == 16, "counter");

/* What went up without a slot since the file was made, as one integer of 128 bits: requests | units << 64. */
typedef unsigned __int128 gate_unrecorded;

/* What belongs to one agreement. */
typedef struct gate_cell {
    alignas(GATE_LINE) uint64_t granted[LICET_KINDS_MAX]; /* licetd */
    uint64_t step[LICET_KINDS_MAX];                       /* licetd: by how much granted rose last */
    uint64_t kept[LICET_KINDS_MAX];                       /* licetd: of granted, for responses under way alone */
    alignas(GATE_LINE) uint64_t taken[LICET_KINDS_MAX];   /* workers */
    alignas(GATE_LINE) gate_unrecorded unrecorded;        /* workers */
    uint64_t outage_used;                                 /* workers: of 'allow N' in this outage */
    uint64_t wish;                                        /* workers: most units that a lease was short of */
    alignas(GATE_LINE) uint64_t allowed_requests;         /* licetd: most of unrecorded, durable before */
    uint64_t allowed_units;                               /* licetd */
    uint64_t told_requests, told_units;                   /* licetd: of unrecorded, in gap records */
    uint64_t outage_seen;                                 /* licetd: outage_used when it last looked */
    alignas(GATE_LINE) uint64_t refused[GATE_REASONS];    /* workers: refusals without a receipt, by reason */
} gate_cell;
static_assert(sizeof(gate_cell) == 896, "cell");

/* The first bytes of an area. The lock of the area is on its first byte. */
typedef struct gate_area {
    alignas(GATE_LINE) uint64_t owner;  /* worker: its pid, set after the lock is taken; 0: free and in order */
    uint64_t uses;                      /* worker: oldest generation of the index it uses */
    alignas(GATE_LINE) uint64_t opened; /* worker: slots opened so far, raised before the slot is OPEN */
    uint64_t head, ids_head;            /* producer: the worker, or licetd once it holds the lock */
    alignas(GATE_LINE) uint64_t tail;   /* licetd */
    uint64_t ids_tail;                  /* licetd */
} gate_area;
static_assert(sizeof(gate_area) == 192, "area");

typedef enum slot_state { SLOT_FREE = 0, SLOT_OPEN = 1, SLOT_SETTLING = 2 } slot_state;
#define SLOT_STATE_BITS 8
#define SLOT_OBSERVE 1u /* flag: limits are counted, not held to */

#define LIMIT_OBSERVE 1u    /* flag: its clause is only observed, units are taken beyond it */
#define LIMIT_CONCURRENT 2u /* flag: all that is held comes back, whatever was delivered */
/* A limit of a response under way; amounts are weighed units. What may be given back is held, in window, or prior, in
 * prior_window. */
typedef struct slot_limit {
    uint32_t counter, kind;
    uint32_t window, prior_window;
    uint32_t buckets; /* counters of a rolling limit, in a row; 0: it is no rolling one */
    uint32_t flags;
    uint64_t most;
    uint64_t weight; /* of one unit */
    uint64_t held;   /* the mark: taken from the counter in window */
    uint64_t prior;  /* the same in prior_window, which was the counter's when it was taken */
    uint64_t past;   /* taken before, from windows that are gone */
} slot_limit;
static_assert(sizeof(slot_limit) == 64, "slot limit");

struct licet_slot {
    alignas(GATE_LINE) uint64_t state; /* slot_state, and the ring position << SLOT_STATE_BITS while SETTLING */
    uint32_t intent;                   /* hold under way: 1 + index of a limit, 17 + kind of a lease; 0: none */
    uint32_t flags;
    uint32_t limits_len, reserved;
    uint64_t leased[LICET_KINDS_MAX];  /* the marks: taken from the leases of the agreement */
    uint64_t charged[LICET_KINDS_MAX]; /* what stays taken; final when SETTLING */
    slot_limit limits[LICET_LIMITS_PER_REQUEST_MAX];
    licet_wide wide; /* the receipt as far as it is known; final when SETTLING */
};
#define SLOT_INTENT_LIMIT 1u
#define SLOT_INTENT_LEASE (1u + LICET_LIMITS_PER_REQUEST_MAX)

/* An entry of the receipt ring. */
typedef struct gate_entry {
    alignas(GATE_LINE) licet_wide wide;
} gate_entry;

/* Head of a chunk of the id ring; the ids follow, then zeros to a multiple of 8. It may wrap at any byte. */
typedef struct gate_chunk {
    uint32_t size, ids_len; /* of the whole chunk; of the ids */
    uint32_t cell;
    uint16_t kind, gate;
    uint32_t count, epoch;
    uint64_t sequence;
} gate_chunk;
static_assert(sizeof(gate_chunk) == 32, "chunk");

/* Sizes and places, computed from the seven numbers alone. */
typedef struct gate_geometry {
    uint32_t areas, slots, ring, ring_ids, cells, counters;
    uint64_t counters_at, cells_at, wanted_at, areas_at;
    uint64_t area_size, slots_at, ring_at, ids_at;
    uint64_t size;
} gate_geometry;

/* INVALID names the number that is out of its range. */
bool gate_geometry_of(const licet_gate_options *options, gate_geometry *out_geometry, licet_error *err);

/* The words that licetd alone writes, as it knows them (own.c). */
typedef struct gate_own_area {
    uint64_t tail, ids_tail;
    bool suspect; /* to be adopted as soon as its lock is free, whatever its words say */
} gate_own_area;
typedef struct gate_own {
    uint8_t stamp[offsetof(gate_header, generation)];
    uint64_t generation, shut;
    licet_gate_faults faults;
    gate_own_area areas[];
} gate_own;

struct licet_gate {
    int fd; /* licetd locks the areas of the dead through it */
    uint8_t *map;
    gate_header *header;
    gate_geometry at;
    uint16_t gate;
    uint32_t epoch;
    uint8_t boot_id[16], decision_key[16], credential_key[32];
    char images[LICET_GATE_PATH_MAX];
    char path[LICET_GATE_PATH_MAX];
    dev_t dev;
    ino_t ino;
    uint8_t *kept; /* per area, gate_kept */
    gate_own *own; /* licetd; NULL in a worker */
};
typedef enum gate_kept { KEPT_NOT = 0, KEPT_LOCKED = 1, KEPT_DRAINING = 2 } gate_kept;

static inline gate_counter *
gate_counter_at(const licet_gate *gate, uint32_t counter)
{
    return (gate_counter *)(void *)(gate->map + gate->at.counters_at) + counter;
}

static inline gate_cell *
gate_cell_at(const licet_gate *gate, uint32_t cell)
{
    return (gate_cell *)(void *)(gate->map + gate->at.cells_at) + cell;
}

static inline uint64_t *
gate_wanted_at(const licet_gate *gate, uint32_t word)
{
    return (uint64_t *)(void *)(gate->map + gate->at.wanted_at) + word;
}

static inline gate_area *
gate_area_at(const licet_gate *gate, uint32_t area)
{
    return (gate_area *)(void *)(gate->map + gate->at.areas_at + area * gate->at.area_size);
}

static inline licet_slot *
gate_slot_at(const licet_gate *gate, uint32_t area, uint32_t slot)
{
    return (licet_slot *)(void *)((uint8_t *)gate_area_at(gate, area) + gate->at.slots_at) + slot;
}

static inline licet_wide *
gate_entry_at(const licet_gate *gate, uint32_t area, uint64_t position)
{
    gate_entry *ring = (gate_entry *)(void *)((uint8_t *)gate_area_at(gate, area) + gate->at.ring_at);
    return &ring[position & (gate->at.ring - 1)].wide;
}

static inline uint8_t *
gate_ids_at(const licet_gate *gate, uint32_t area)
{
    return (uint8_t *)gate_area_at(gate, area) + gate->at.ids_at;
}

/* How far the rings are drained. */
static inline uint64_t
gate_tail(const licet_gate *gate, uint32_t area)
{
    return gate->own != NULL ? gate->own->areas[area].tail
                             : __atomic_load_n(&gate_area_at(gate, area)->tail, __ATOMIC_ACQUIRE);
}

static inline uint64_t
gate_ids_tail(const licet_gate *gate, uint32_t area)
{
    return gate->own != NULL ? gate->own->areas[area].ids_tail
                             : __atomic_load_n(&gate_area_at(gate, area)->ids_tail, __ATOMIC_ACQUIRE);
}

/* Offset in the file of the byte whose lock is the area's. */
static inline off_t
gate_lock_at(const licet_gate *gate, uint32_t area)
{
    return (off_t)(gate->at.areas_at + area * gate->at.area_size);
}

/* Takes or gives an area's lock through this open file description; false when somebody else has it. */
bool gate_lock(const licet_gate *gate, int fd, uint32_t area);
void gate_unlock(const licet_gate *gate, int fd, uint32_t area);

static inline uint64_t
gate_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Shared words. */
#define GATE_LOAD(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define GATE_STORE(p, value) __atomic_store_n((p), (value), __ATOMIC_RELEASE)
#define GATE_LOAD_RELAXED(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define GATE_STORE_RELAXED(p, value) __atomic_store_n((p), (value), __ATOMIC_RELAXED)

#endif
