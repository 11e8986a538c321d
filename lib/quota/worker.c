/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker: joins an area, leaves it, and what it keeps of it.
 *
 *  (1) An area belongs to who holds its lock. owner != 0 without a lock is a worker that died: licetd's to adopt.
 *  (2) owner is set after the lock is taken and cleared before it is given back, when every slot is FREE.
 */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
worker_entry_room(licet_worker *worker)
{
    uint32_t ring = worker->gate->at.ring;

    if (worker->head - worker->tail + worker->open >= ring) {
        worker->tail = GATE_LOAD(&worker->area->tail);
    }
    return worker->head - worker->tail + worker->open < ring;
}

bool
worker_ids_room(licet_worker *worker, uint64_t bytes)
{
    uint32_t ring = worker->gate->at.ring_ids;

    if (bytes > ring) {
        return false;
    }
    if (worker->ids_head - worker->ids_tail + worker->ids_reserved + bytes > ring) {
        worker->ids_tail = GATE_LOAD(&worker->area->ids_tail);
    }
    return worker->ids_head - worker->ids_tail + worker->ids_reserved + bytes <= ring;
}

void
worker_slot_back(licet_worker *worker, licet_slot *slot)
{
    worker->open--;
    worker->free_slots[worker->free_len++] = (uint32_t)(slot - worker->slots);
}

/* ---- joining ----------------------------------------------------------------- */

static void
worker_free(licet_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    if (worker->fd >= 0) {
        close(worker->fd); /* and with it the lock */
    }
    EVP_CIPHER_CTX_free(worker->cipher);
    free(worker->free_slots);
    free(worker->ids_left);
    free(worker);
}

static licet_worker *
worker_new(licet_gate *gate)
{
    licet_worker *worker = calloc(1, sizeof(*worker));

    if (worker == NULL) {
        return NULL;
    }
    worker->fd = -1;
    worker->gate = gate;
    worker->free_slots = calloc(gate->at.slots, sizeof(*worker->free_slots));
    worker->ids_left = calloc(gate->at.slots, sizeof(*worker->ids_left));
    worker->cipher = decision_cipher_new(gate->decision_key, true);
    if (worker->free_slots == NULL || worker->ids_left == NULL || worker->cipher == NULL) {
        worker_free(worker);
        return NULL;
    }
    return worker;
}

/* A description of the mapped file that this process alone holds. */
static bool
open_own(const licet_gate *gate, int *out_fd, licet_error *err)
{
    struct stat st;
    int fd = open(gate->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st) != 0) {
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: open: %s", gate->path, strerror(errno));
        goto failed;
    }
    if (st.st_dev != gate->dev || st.st_ino != gate->ino) {
        LICET_FAIL(err, LICET_E_CONFLICT, 0, "%s: replaced by a new file since it was mapped", gate->path);
        goto failed;
    }
    *out_fd = fd;
    return true;
failed:
    if (fd >= 0) {
        close(fd);
    }
    return false;
}

/* The lock is held: is the area in order? Fills what the worker keeps. */
static bool
look_over(licet_worker *worker)
{
    const licet_gate *gate = worker->gate;
    gate_area *area = worker->area;

    worker->head = GATE_LOAD(&area->head);
    worker->tail = GATE_LOAD(&area->tail);
    worker->ids_head = GATE_LOAD(&area->ids_head);
    worker->ids_tail = GATE_LOAD(&area->ids_tail);
    worker->opened = GATE_LOAD(&area->opened);
    if (worker->head - worker->tail > gate->at.ring || worker->ids_head - worker->ids_tail > gate->at.ring_ids) {
        return false;
    }
    worker->free_len = 0;
    for (uint32_t slot = gate->at.slots; slot-- > 0;) {
        if (GATE_LOAD(&worker->slots[slot].state) != SLOT_FREE) {
            return false;
        }
        worker->free_slots[worker->free_len++] = slot;
    }
    return true;
}

static bool
try_area(licet_worker *worker, uint32_t index)
{
    const licet_gate *gate = worker->gate;

    worker->index = index;
    worker->area = gate_area_at(gate, index);
    worker->slots = gate_slot_at(gate, index, 0);
    if (GATE_LOAD(&worker->area->owner) != 0 || !gate_lock(gate, worker->fd, index)) {
        return false;
    }
    LICET_STEP(JOIN_LOCKED);
    bool in_order = GATE_LOAD(&worker->area->owner) == 0 && look_over(worker);
    if (GATE_LOAD(&worker->area->owner) == 0) {
        /* Out of order it is left as if its worker had died: licetd puts it right. */
        GATE_STORE(&worker->area->uses, 0);
        __atomic_store_n(&worker->area->owner, (uint64_t)getpid(), __ATOMIC_SEQ_CST);
        LICET_STEP(JOIN_OWNED);
    }
    if (!in_order) {
        gate_unlock(gate, worker->fd, index);
        return false;
    }
    /* After owner: either licetd sees this worker, or this worker sees what licetd published before it looked. */
    __atomic_store_n(&worker->area->uses, licet_gate_generation(gate), __ATOMIC_SEQ_CST);
    LICET_STEP(JOIN_USES);
    return true;
}

static void
give_up_area(licet_worker *worker)
{
    LICET_STEP(LEAVE);
    __atomic_store_n(&worker->area->owner, 0, __ATOMIC_SEQ_CST);
    LICET_STEP(LEFT);
    worker_free(worker);
}

bool
licet_worker_join(licet_gate *gate, licet_worker **out_worker, licet_error *err)
{
    licet_worker *worker = worker_new(gate);
    uint32_t area = 0;

    if (worker == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for a worker", gate->path);
    }
    if (!open_own(gate, &worker->fd, err)) {
        worker_free(worker);
        return false;
    }
    while (area < gate->at.areas && !try_area(worker, area)) {
        area++;
    }
    if (area == gate->at.areas) {
        worker_free(worker);
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: all %u worker areas are taken", gate->path, gate->at.areas);
    }
    if (licet_gate_replaced(gate)) { /* licetd may have looked for owners before this one */
        give_up_area(worker);
        return LICET_FAIL(err, LICET_E_CONFLICT, 0, "%s: replaced by a new file since it was mapped", gate->path);
    }
    *out_worker = worker;
    return true;
}

void
licet_worker_leave(licet_worker *worker, uint64_t now_ms)
{
    if (worker == NULL) {
        return;
    }
    for (uint32_t slot = 0; slot < worker->gate->at.slots && worker->open > 0; slot++) {
        if (GATE_LOAD(&worker->slots[slot].state) != SLOT_FREE) {
            slot_stop(worker, &worker->slots[slot], now_ms);
        }
    }
    give_up_area(worker);
}

/* ---- small things ---------------------------------------------------------------- */

void
licet_worker_uses(licet_worker *worker, uint64_t generation)
{
    __atomic_store_n(&worker->area->uses, generation, __ATOMIC_SEQ_CST);
}

uint32_t
licet_worker_area(const licet_worker *worker)
{
    return worker->index;
}

void
licet_worker_decision_id(licet_worker *worker, licet_identity identity, char out[LICET_DECISION_TEXT])
{
    decision_write(worker->cipher, identity, out);
}

void
licet_worker_unidentified(licet_worker *worker, licet_reason reason)
{
    if ((unsigned)reason < LICET_REASONS_LEN) {
        __atomic_fetch_add(&worker->gate->header->unidentified[reason], 1, __ATOMIC_RELAXED);
    }
}
