/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker: this process's hold on one area. What only the worker itself needs
 * lies on its heap; what must survive it lies in the area.
 *
 *  (1) head + open <= tail + ring: each open slot has its entry in the receipt ring.
 *  (2) ids_head + ids_reserved <= ids_tail + ring_ids: so has each reserved byte of ids.
 */
#ifndef LICET_QUOTA_WORKER_H
#define LICET_QUOTA_WORKER_H

#include "decision.h"
#include "layout.h"

struct licet_worker {
    licet_gate *gate;
    gate_area *area;
    licet_slot *slots;
    EVP_CIPHER_CTX *cipher;
    int fd; /* its own open file description: the lock of the area */
    uint32_t index;
    uint32_t open;                   /* slots not FREE */
    uint64_t opened;                 /* since the file was made */
    uint64_t head, tail;             /* tail: as last read */
    uint64_t ids_head, ids_tail;     /* the same for ids */
    uint64_t ids_reserved;           /* over all open slots */
    uint64_t sequence, sequence_end; /* identities taken and not yet given */
    uint32_t free_len;               /* free_slots[0..free_len) are FREE, the one used last at the end */
    uint32_t *free_slots;
    uint32_t *ids_left; /* per slot: of its reserved id bytes */
};

/* True when the rings have room for one more entry, or for so many more bytes of ids. */
bool worker_entry_room(licet_worker *worker);
bool worker_ids_room(licet_worker *worker, uint64_t bytes);
/* A slot that is FREE again. */
void worker_slot_back(licet_worker *worker, licet_slot *slot);

/* Makes the receipt final as far as it is known: counts become the units, and stay charged. */
void slot_end_as(licet_slot *slot, licet_ending ending, uint64_t now_ms);
/* Publishes the receipt of a slot at head, gives back what it does not need, frees it. */
void slot_publish(const licet_gate *gate, uint32_t area, licet_slot *slot, uint64_t head);
/* Gives back what is marked and not charged, and frees the slot. */
void slot_free(const licet_gate *gate, licet_slot *slot);
/* Settles a slot that its worker leaves behind in order. */
void slot_stop(licet_worker *worker, licet_slot *slot, uint64_t now_ms);

#endif
