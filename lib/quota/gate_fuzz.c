/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz: a process that writes whatever it likes wherever it likes. The input
 * is a list of (place u24, length u8, bytes) written over a file with responses
 * under way: header, counters, leases, slots, rings, heads; before licetd looks
 * and between any two of its looks. licetd adopts, peeks, drains and mends all
 * the while; afterwards no slot and no area is left behind, and a worker joins
 * and serves. Nothing may crash, hang or read out of bounds.
 */
#include "layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW UINT64_C(1700000000000)

#define must(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "gate_fuzz.c:%d: %s\n", __LINE__, #condition);                                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static licet_gate *
make(const char *path)
{
    licet_gate_options options = {.gate = 7,
                                  .epoch = 9,
                                  .workers = 2,
                                  .slots = 4,
                                  .ring = 8,
                                  .ring_ids = 256,
                                  .cells = 3,
                                  .counters = 4,
                                  .images = "/nonexistent",
                                  .mode = 0600,
                                  .gid = -1};
    licet_gate *gate = NULL;

    must(licet_gate_create(path, &options, &gate, NULL));
    for (uint32_t kind = 0; kind < 3; kind++) {
        licet_gate_lease_grant(gate, 1, kind, 1000);
    }
    return gate;
}

static licet_verdict
verdict_of(uint64_t posts)
{
    licet_verdict verdict = {.clause = LICET_NONE, .limits_len = 2};

    verdict.reserve[LICET_KIND_REQUEST] = 1;
    verdict.reserve[2] = posts;
    verdict.limits[0] =
        (licet_verdict_limit){.counter = 1, .kind = 2, .window = 5, .amount = posts, .most = 500, .weight = 1};
    verdict.limits[1] = (licet_verdict_limit){
        .counter = 3, .kind = LICET_KIND_REQUEST, .window = 5, .amount = 1, .most = 500, .weight = 1};
    return verdict;
}

static licet_slot *
admit(licet_worker *worker)
{
    static const licet_image_header header = {.cell = 1, .kinds_len = 3, .limits_len = 1, .versions_len = 1};
    static const licet_image_limit limit = {
        .zone = LICET_NONE, .first_day = 1, .weight = 1, .kind = 2, .most = 1000, .per = LICET_PER_MONTH};
    static const licet_image_version version = {.mode = LICET_MODE_ENFORCE};
    const licet_image image = {.header = &header, .limits = &limit, .versions = &version};
    licet_verdict verdict = verdict_of(10);
    licet_facts facts = {.app = 0};
    licet_shortage shortage;
    licet_slot *slot = NULL;

    licet_admission admission = licet_worker_admit(worker, &image, &facts, &verdict, 32, NOW, &slot, &shortage, NULL);
    return admission == LICET_ADMITTED ? slot : NULL;
}

static void
serve(licet_worker *worker, licet_slot *slot)
{
    licet_settlement settlement = {.status = 200, .bytes_acked = UINT64_MAX};

    if (slot == NULL) {
        return;
    }
    (void)licet_slot_top_up(worker, slot, 2, 15);
    licet_slot_count(slot, 2, 12);
    (void)licet_slot_ids(worker, slot, 2, 1, LICET_BYTES_LITERAL("\003abc"));
    settlement.units[2] = 12;
    licet_slot_settle(worker, slot, &settlement);
}

/* What the hostile process writes, record by record: before licetd looks, and between any two of its looks. */
typedef struct script {
    const uint8_t *data;
    size_t size;
} script;

static bool
scribble(const licet_gate *gate, script *s)
{
    size_t room = gate->at.size;

    if (s->size < 4) {
        return false;
    }
    size_t at = (size_t)(s->data[0] | s->data[1] << 8 | s->data[2] << 16) % room;
    size_t len = s->data[3] < s->size - 4 ? s->data[3] : s->size - 4;
    memcpy(gate->map + at, s->data + 4, len < room - at ? len : room - at);
    s->data += 4 + len;
    s->size -= 4 + len;
    return true;
}

/* Words that move: heads forward and back, a state, an owner, tails that are not his to write. */
static void
scribble_words(const licet_gate *gate, script *s)
{
    gate_area *area = gate_area_at(gate, s->size > 4 ? s->data[4] % gate->at.areas : 0);
    uint64_t *words[] = {&area->head, &area->ids_head, &area->tail, &area->ids_tail, &area->owner, &area->uses};
    uint64_t value;

    if (s->size >= 14) {
        memcpy(&value, s->data + 6, sizeof(value));
        uint64_t *word = words[s->data[5] % 6];
        GATE_STORE(word, s->data[13] % 2 ? value : GATE_LOAD(word) + (s->data[13] % 16) - 8);
    }
    (void)scribble(gate, s);
}

/* As the recorder: what is between tail and head when it looks, each entry copied and judged, then drained. */
static void
drain(licet_gate *gate, script *s)
{
    licet_buffer buffer;

    licet_buffer_init(&buffer, 4096);
    for (uint32_t area = 0; area < licet_gate_areas(gate); area++) {
        uint64_t tail = licet_gate_tail(gate, area), head = licet_gate_head(gate, area), at = tail;
        must(head - tail <= gate->at.ring);
        for (; at < head; at++) {
            licet_wide wide;
            if (licet_gate_peek(gate, area, at, &wide, NULL)) {
                must(wide.cell < 3 && wide.ending < LICET_ENDINGS_LEN && wide.purpose_len <= LICET_NAME_MAX);
            }
            scribble_words(gate, s);
        }
        uint64_t ids_head = licet_gate_ids_head(gate, area), next = licet_gate_ids_tail(gate, area);
        licet_ids_chunk chunk;
        must(ids_head - next <= gate->at.ring_ids);
        while (next < ids_head && licet_gate_ids_peek(gate, area, next, &buffer, &chunk, &next, NULL)) {
            must(chunk.ids.len <= 256 && chunk.count <= chunk.ids.len);
            scribble_words(gate, s);
        }
        licet_gate_drained(gate, area, head, ids_head);
        must(licet_gate_tail(gate, area) == head);
        (void)licet_gate_plausible(gate, area);
    }
    licet_buffer_done(&buffer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char dir[64], path[80];
    licet_worker *worker = NULL;
    uint64_t requests, units;
    uint32_t cells[3];

    snprintf(dir, sizeof(dir), "%s/licet-gate-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(dir) != NULL);
    snprintf(path, sizeof(path), "%s/gate", dir);
    licet_gate *gate = make(path);
    must(licet_gate_serve(gate, NULL));
    must(licet_worker_join(gate, &worker, NULL));
    serve(worker, admit(worker));
    admit(worker);
    admit(worker);
    /* its lock goes, its area stays as it is: a death. The owner word alone says so, as long as it says anything. */
    uint64_t owner = GATE_LOAD(&gate_area_at(gate, 0)->owner);
    licet_slot *open[2] = {gate_slot_at(gate, 0, 0), gate_slot_at(gate, 0, 1)};
    uint8_t kept[2][sizeof(licet_slot)];
    memcpy(kept[0], open[0], sizeof(kept[0]));
    memcpy(kept[1], open[1], sizeof(kept[1]));
    licet_worker_leave(worker, NOW);
    memcpy(open[0], kept[0], sizeof(kept[0]));
    memcpy(open[1], kept[1], sizeof(kept[1]));
    GATE_STORE(&gate_area_at(gate, 0)->owner, owner);
    script s = {data, size};
    for (int i = 0; i < 4; i++) {
        (void)scribble(gate, &s);
    }
    drain(gate, &s);
    while (s.size >= 4) {
        licet_gate_adopt(gate, NOW, NULL, NULL);
        scribble_words(gate, &s);
        drain(gate, &s);
        licet_gate_mend(gate);
        scribble_words(gate, &s);
    }
    for (uint32_t area = 0; area < 2; area++) { /* now it is gone; its traces must not keep an area for ever */
        licet_gate_suspect(gate, area);
    }
    for (int i = 0; i < 8; i++) {
        licet_gate_adopt(gate, NOW, NULL, NULL);
        drain(gate, &s);
    }
    licet_gate_mend(gate);
    must(licet_gate_mend(gate).stamps == 0 && licet_gate_owned(gate) == 0);
    must(licet_gate_under_way(gate) == 0);
    for (uint32_t cell = 0; cell < 4; cell++) {
        if (licet_gate_unrecorded_take(gate, cell, &requests, &units)) {
            must(requests > 0 || units > 0);
        }
    }
    must(licet_gate_lease_wanted(gate, cells, 3) <= 3);
    for (int i = 0; i < 4 && !licet_worker_join(gate, &worker, NULL); i++) {
        licet_gate_adopt(gate, NOW, NULL, NULL); /* an area out of order is put right on the way */
        drain(gate, &s);
        worker = NULL;
    }
    must(worker != NULL);
    for (int i = 0; i < 12; i++) {
        serve(worker, admit(worker));
    }
    licet_worker_leave(worker, NOW);
    drain(gate, &s);
    must(licet_gate_owned(gate) <= 1);
    licet_gate_close(gate);
    unlink(path);
    rmdir(dir);
    return 0;
}
