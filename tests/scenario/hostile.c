/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile: a worker that was taken over. It joins the shared memory as a
 * worker does and then writes what no worker would write, phase by phase, each
 * told on stdout, until it is killed. tests/e2e/hostile-worker.test.mjs runs it.
 *
 *   hostile SHM CELL SEED
 *
 *  (1) It lies about the agreement in CELL alone, and writes over its own area, areas nobody has, licetd's words and
 * the header: whoever can write the file can write everything, and what that means SECURITY.md says. The other workers'
 *      areas, cells and counters it leaves alone, so that the others' books can be held to their clients'.
 */
#include "../../lib/quota/layout.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MADE_UP 20000 /* receipts of the flood */

typedef struct hostile {
    gate_header *header;
    uint8_t *map;
    uint32_t area, cell;
    uint64_t random;
    licet_wide receipt; /* one that an honest worker wrote */
} hostile;

static uint64_t
next(hostile *h)
{
    h->random ^= h->random << 13;
    h->random ^= h->random >> 7;
    h->random ^= h->random << 17;
    return h->random;
}

static void
rest(unsigned us)
{
    struct timespec span = {.tv_nsec = (long)us * 1000};

    nanosleep(&span, NULL);
}

static gate_area *
area_at(const hostile *h, uint32_t area)
{
    return (gate_area *)(void *)(h->map + h->header->areas_at + area * h->header->area_size);
}

static licet_wide *
entry_at(const hostile *h, uint32_t area, uint64_t position)
{
    gate_entry *ring = (gate_entry *)(void *)((uint8_t *)area_at(h, area) + h->header->ring_at);

    return &ring[position & (h->header->ring - 1)].wide;
}

static void
noise(hostile *h, void *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)at)[i] = (uint8_t)next(h);
    }
}

/* What an honest worker wrote for the agreement lies in its ring still. */
static bool
find_receipt(hostile *h)
{
    for (uint32_t area = 0; area < h->header->areas; area++) {
        for (uint32_t i = 0; i < h->header->ring; i++) {
            const licet_wide *wide = entry_at(h, area, i);

            if (wide->cell == h->cell && wide->image != 0 && wide->verdict == LICET_VERDICT_ALLOW) {
                h->receipt = *wide;
                return true;
            }
        }
    }
    return false;
}

static void
publish(hostile *h, const licet_wide *wide)
{
    gate_area *area = area_at(h, h->area);

    while (GATE_LOAD(&area->head) - GATE_LOAD(&area->tail) >= h->header->ring) {
        rest(200);
    }
    *entry_at(h, h->area, GATE_LOAD(&area->head)) = *wide;
    GATE_STORE(&area->head, GATE_LOAD(&area->head) + 1);
}

/* Receipts that could be true, each of the most there may be. */
static void
flood(hostile *h)
{
    licet_wide wide = h->receipt;

    for (int i = 0; i < MADE_UP; i++) {
        wide.identity.sequence = (UINT64_C(1) << 46) + (uint64_t)i;
        wide.bytes = GATE_UNITS_END - 1;
        wide.units[2] = UINT64_C(1) << 32;
        publish(h, &wide);
    }
}

/* The words licetd alone should write, those of a lease, what went unrecorded, wishes of every agreement. */
static void
words(hostile *h)
{
    gate_cell *cell = (gate_cell *)(void *)(h->map + h->header->cells_at) + h->cell;
    gate_area *area = area_at(h, h->area);
    size_t stamp = offsetof(gate_header, sha256);

    for (int i = 0; i < 300; i++) {
        cell->granted[2] = next(h);
        cell->taken[2] = next(h);
        cell->refused[LICET_REASON_CANNOT_RECORD] = next(h);
        area->tail = next(h);
        area->ids_tail = next(h);
        area->uses = next(h);
        noise(h, (uint8_t *)h->header + stamp, sizeof(h->header->sha256));
        h->header->alive_ms = 0;
        memset(h->map + h->header->wanted_at, 0xff, (h->header->cells + 63) / 64 * 8);
        noise(h, area_at(h, h->header->areas - 1), sizeof(gate_area)); /* nobody's area */
        rest(3000);
    }
    for (int i = 0; i < 30; i++) { /* licetd puts its tails right each second; what follows stands on them */
        rest(100000);
    }
}

/* Heads forward and back, and what licetd finds between them. */
static void
heads(hostile *h)
{
    gate_area *area = area_at(h, h->area);

    for (int i = 0; i < 200; i++) {
        uint64_t head = GATE_LOAD(&area->head);

        GATE_STORE(&area->head, i % 3 == 0 ? head - next(h) % 8 : (i % 3 == 1 ? head + next(h) % 8 : next(h)));
        GATE_STORE(&area->ids_head, GATE_LOAD(&area->ids_tail) + next(h) % 512);
        noise(h, entry_at(h, h->area, head), sizeof(licet_wide));
        rest(2000);
        GATE_STORE(&area->head, GATE_LOAD(&area->tail));
    }
}

/* Slots and ring full of noise, and more units than any response can bring. */
static void
nonsense(hostile *h)
{
    licet_wide wide = h->receipt;

    for (uint32_t slot = 0; slot < h->header->slots; slot++) {
        noise(h, (uint8_t *)area_at(h, h->area) + h->header->slots_at + slot * sizeof(licet_slot), sizeof(licet_slot));
    }
    for (int i = 0; i < 2000; i++) {
        if (i % 2 == 0) {
            wide.units[2] = GATE_UNITS_END - 1;
        } else {
            noise(h, &wide, sizeof(wide));
        }
        gate_area *area = area_at(h, h->area);
        uint64_t head = GATE_LOAD(&area->tail) + (uint64_t)i % h->header->ring;
        *entry_at(h, h->area, head) = wide;
        GATE_STORE(&area->head, head + 1);
        wide = h->receipt;
        rest(100);
    }
}

static void
say(const char *phase)
{
    puts(phase);
    (void)fflush(stdout);
}

int
main(int argc, char **argv)
{
    hostile h = {.random = argc == 4 ? strtoull(argv[3], NULL, 10) | 1 : 1};
    licet_worker *worker = NULL;
    licet_gate *gate = NULL;
    licet_error err = {0};
    struct stat st;

    if (argc != 4) {
        fputs("usage: hostile SHM CELL SEED\n", stderr);
        return 2;
    }
    if (!licet_gate_open(argv[1], &gate, &err) || !licet_worker_join(gate, &worker, &err)) {
        fprintf(stderr, "hostile: %s\n", err.text);
        return 2;
    }
    int fd = open(argv[1], O_RDWR | O_CLOEXEC);
    h.map = fd >= 0 && fstat(fd, &st) == 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                                           : MAP_FAILED;
    if (h.map == MAP_FAILED) {
        perror("hostile");
        return 2;
    }
    h.header = (gate_header *)(void *)h.map;
    h.area = licet_worker_area(worker);
    h.cell = (uint32_t)strtoul(argv[2], NULL, 10);
    if (!find_receipt(&h)) {
        fputs("hostile: no receipt of that agreement to take as a model\n", stderr);
        return 2;
    }
    say("joined");
    flood(&h);
    say("flood");
    words(&h);
    say("words");
    heads(&h);
    say("heads");
    nonsense(&h);
    GATE_STORE(&area_at(&h, h.area)->head, GATE_LOAD(&area_at(&h, h.area)->tail) - 3);
    say("nonsense");
    for (;;) {
        rest(100000);
    }
}
