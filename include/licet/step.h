/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step: numbered places between two stores, where a process may die. In a
 * build of the tests (LICET_TEST_STEPS) each calls licet_step, which the test
 * defines and which may end the process there; in every other build it is
 * nothing. docs/format/gate.md, section 6, tells them in order.
 *
 *  (1) A number is for ever: a test that fails names it, and the page says where that is.
 */
#ifndef LICET_STEP_H
#define LICET_STEP_H

#include "licet/base.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_QUOTA
#error "layer breach: step.h belongs to quota/"
#endif

/* number, name, text */
#define LICET_STEPS(X)                                                                                                 \
    /* the worker: admission */                                                                                        \
    X(1, SLOT_CHOSEN, "a free slot is chosen, nothing is stored")                                                      \
    X(2, SLOT_FILLED, "receipt and limits are in the slot, which is still FREE")                                       \
    X(3, SLOT_OPEN, "the slot is OPEN")                                                                                \
    X(4, OPENED, "it is counted in 'opened'")                                                                          \
    X(5, INTEND, "about to tell which hold comes next")                                                                \
    X(6, INTENDED, "the intent is stored")                                                                             \
    X(7, LIMIT_TAKEN, "units are taken from the counter (or refused), not marked")                                     \
    X(8, WINDOW_PAST, "the counter is in a new window: what was held before the last one is past")                     \
    X(9, WINDOW_BEGUN, "the mark begins anew; what was held has none")                                                 \
    X(10, WINDOW_MOVED, "what was held is marked as prior, the slot has the new window")                               \
    X(11, LEASE_TAKEN, "units are taken from the lease (or refused), not marked")                                      \
    X(12, HOLD_DONE, "marked or given back; the intent still stands")                                                  \
    X(13, INTENT_GONE, "the intent is taken away")                                                                     \
    X(14, RESERVED, "the reservation of a kind is stored")                                                             \
    X(15, UNDONE, "a hold is unmarked, for another limit refused; not given back")                                     \
    /* the worker: under way */                                                                                        \
    X(16, COUNTED, "a count is stored, the bytes are not handed on")                                                   \
    X(17, PROGRESSED, "status and bytes handed on are stored")                                                         \
    X(18, TOPPED_UP, "the raised reservation is stored")                                                               \
    X(19, IDS_WRITTEN, "a chunk of ids is written, not published")                                                     \
    X(20, IDS_PUBLISHED, "the head of the id ring is behind it")                                                       \
    /* the worker, or licetd for a dead one: settling */                                                               \
    X(21, UNITS_FINAL, "the units of a kind are final")                                                                \
    X(22, RECEIPT_FINAL, "the receipt and what it is charged are final")                                               \
    X(23, ENTRY_WRITTEN, "it is in the ring, not published")                                                           \
    X(24, SETTLING, "the slot is SETTLING at that position")                                                           \
    X(25, PUBLISHED, "the head of the ring is behind it")                                                              \
    X(26, LIMIT_UNMARKED, "the mark of a limit is gone, its units are not given back")                                 \
    X(27, LEASE_UNMARKED, "the mark of a lease is gone, its units are not given back")                                 \
    X(28, HOLDS_GONE, "everything is given back")                                                                      \
    X(29, SLOT_FREE, "the slot is FREE")                                                                               \
    /* the worker: coming, going, without a slot */                                                                    \
    X(30, JOIN_LOCKED, "the lock of the area is taken")                                                                \
    X(31, JOIN_OWNED, "the area has an owner")                                                                         \
    X(32, JOIN_USES, "it tells which generation it uses")                                                              \
    X(33, LEAVE, "every slot is settled; the area still has an owner")                                                 \
    X(34, LEFT, "the area has no owner; the lock is still held")                                                       \
    X(35, OUTAGE_TAKEN, "of 'allow N' something is taken, the request is not added")                                   \
    X(36, UNRECORDED, "the request is added, nothing went up")                                                         \
    X(37, BUCKET_CLOSED, "a bucket of a rolling limit is closed, the later one not begun")                             \
    /* licetd: adoption */                                                                                             \
    X(50, ADOPT_LOCKED, "the area of a dead worker is locked")                                                         \
    X(51, ADOPT_DRAINED, "its slots are free, its rings empty; it still has an owner")                                 \
    X(52, ADOPT_FREED, "it has no owner; the lock is still held")                                                      \
    /* licetd: the way of a receipt */                                                                                 \
    X(55, IDS_STAGED, "a chunk of ids is in the batch")                                                                \
    X(56, RECEIPT_STAGED, "a receipt is in the batch")                                                                 \
    X(57, COMMIT, "the batch is whole, nothing of it is durable")                                                      \
    X(58, COMMITTED, "the batch is durable, with the positions of the rings")                                          \
    X(59, IDS_RELEASED, "the tail of an id ring has moved")                                                            \
    X(60, RING_RELEASED, "the tail of a receipt ring has moved")                                                       \
    X(61, FED, "an entry was folded into its ledger, which is not committed")                                          \
    X(62, TICKED, "the tick is durable")                                                                               \
    X(63, LEDGER_COMMITTED, "a ledger has its commit record")                                                          \
    X(64, USAGE_APPLIED, "the usage tables have the entries, not committed")                                           \
    X(65, USAGE_COMMITTED, "the usage tables are committed")                                                           \
    X(66, SEAL, "about to ask the signer")                                                                             \
    X(67, SIGNED, "the signer has signed, the checkpoint is not in the ledger's folder")                               \
    X(68, SEALED, "the checkpoint is in the ledger's folder")                                                          \
    /* licetd: leases, recount, what went up without a slot */                                                         \
    X(70, GRANT, "more is about to be lent")                                                                           \
    X(71, GRANT_DURABLE, "it is in the lease store, the workers have not got it")                                      \
    X(72, GRANTED, "the workers have it")                                                                              \
    X(73, RECOUNTED, "what a death leaked in a counter is given back")                                                 \
    X(74, GAP_DURABLE, "a gap record of what went up without a slot is durable, not charged")                          \
    X(75, GAP_CHARGED, "it is charged, the count is not released")                                                     \
    X(76, GAP_RELEASED, "the count is released")                                                                       \
    /* licetd: a new shared-memory file */                                                                             \
    X(80, OLD_NAMED, "the file in force has its second name")                                                          \
    X(81, EPOCH_RAISED, "data/epoch is raised")                                                                        \
    X(82, EPOCH_JOURNALLED, "the journal has the epoch")                                                               \
    X(83, EPOCH_LEASES, "the lease store has begun it")                                                                \
    X(84, EPOCH_FILE, "the new file has its name")                                                                     \
    X(88, HANDED_OVER, "counters and leases are over, no generation is published")                                     \
    X(89, GENERATION, "the generation is published in the new file")                                                   \
    X(90, LENT_ON, "units of the new file are taken for the old one, which has not got them")                          \
    X(91, OLD_DONE, "the old file is drained, its second name still there")                                            \
    X(92, OLD_SHUT, "the replaced file is shut, what it took last is not taken over (before 89)")

enum licet_step_number {
#define LICET_STEP_ENUM(number, name, text) LICET_STEP_##name = number,
    LICET_STEPS(LICET_STEP_ENUM)
#undef LICET_STEP_ENUM
        LICET_STEPS_END
};

#ifdef LICET_TEST_STEPS
void licet_step(enum licet_step_number number);
#define LICET_STEP(name) licet_step(LICET_STEP_##name)
#else
#define LICET_STEP(name) ((void)0)
#endif

#endif
