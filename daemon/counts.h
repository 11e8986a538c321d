/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts: what this process has recorded, for those who watch it.
 *
 *  (1) A count rises once what it counts is durable, never before: what a failed commit dropped was not counted and
 *      comes again.
 *  (2) No count ever falls while the process lives, nor passes its largest value.
 *  (3) Memory: one tally for each agreement that had traffic, and one for each that has some in the batch under way.
 */
#ifndef LICET_DAEMON_COUNTS_H
#define LICET_DAEMON_COUNTS_H

#include "licet/gate.h"
#include "licet/receipt.h"

#define COUNTS_COMMIT_BUCKETS 11 /* upper bounds in counts_commit_bounds_us; what is above is in the sum alone */
extern const uint32_t counts_commit_bounds_us[COUNTS_COMMIT_BUCKETS];

/* What was damaged in shared memory, name: label. */
#define COUNTS_DAMAGES(X)                                                                                              \
    X(ENTRY, "entry")     /* of a receipt ring, unreadable or without sense */                                         \
    X(UNITS, "units")     /* more units than a response can bring */                                                   \
    X(IMAGE, "image")     /* a receipt of an image that is not there */                                                \
    X(SLOT, "slot")       /* of a worker that died */                                                                  \
    X(IDS, "ids")         /* a chunk of an id ring */                                                                  \
    X(HEAD, "head")       /* a ring's head out of reach */                                                             \
    X(STAMP, "stamp")     /* the header or licetd's own words in it */                                                 \
    X(TAIL, "tail")       /* licetd's own words in an area */                                                          \
    X(COUNTER, "counter") /* a count no record could hold */

typedef enum counts_damage {
#define COUNTS_DAMAGE_ENUM(name, label) COUNTS_DAMAGE_##name,
    COUNTS_DAMAGES(COUNTS_DAMAGE_ENUM)
#undef COUNTS_DAMAGE_ENUM
        COUNTS_DAMAGES_LEN
} counts_damage;

/* Of one agreement. */
typedef struct counts_tally {
    uint64_t receipts[LICET_VERDICT_OPEN + 1][LICET_ENDINGS_LEN]; /* refusals are not in here */
    uint64_t refusals[LICET_REASONS_LEN];                         /* recorded one by one */
    uint64_t refused[LICET_REASONS_LEN];                          /* without a receipt */
    uint64_t unmetered[LICET_UNMETERED_LEN];
    uint64_t bytes;
    uint64_t units[256]; /* by unit number of the ledger */
} counts_tally;

/* Of one agreement and cause: gap records and the most they hide. */
#define COUNTS_CAUSES 4
typedef struct counts_gaps {
    uint64_t records, requests, units[256];
} counts_gaps;

typedef struct counts_agreement {
    counts_tally durable;
    uint32_t staged;                  /* 1 + its place among the staged tallies; 0: none */
    char *units[256];                 /* names by unit number, once they are durable */
    counts_gaps *gaps[COUNTS_CAUSES]; /* by cause; NULL: none */
} counts_agreement;

typedef struct counts_staged {
    uint32_t cell;
    counts_tally tally;
} counts_staged;

typedef struct recorder_counts {
    counts_agreement **agreements; /* by cell; NULL: no traffic yet */
    uint32_t agreements_len;
    counts_staged *staged; /* of the batch under way */
    uint32_t staged_len, staged_capacity;
    uint64_t unidentified[LICET_REASONS_LEN]; /* durable */
    uint64_t commits, commits_failed, commit_ns, entries, commit_buckets[COUNTS_COMMIT_BUCKETS];
    uint64_t stalls, adopted_slots, adopted_areas, leaks, quarantines, damages[COUNTS_DAMAGES_LEN], log_dropped;
    uint64_t applies, applies_refused, applied_ms, apply_ns;
} recorder_counts;

void counts_add(uint64_t *count, uint64_t more);
/* The tally to add to before a commit, good until the next call; NULL: no memory (what is told is then too little; what
 * is recorded is not). */
counts_tally *counts_stage(recorder_counts *counts, uint32_t cell);
/* Name of a unit number of a cell; NULL: not known. */
typedef const char *(*counts_unit_name)(void *user, uint32_t cell, unsigned number);
/* A gap record that is durable. */
void counts_gap(recorder_counts *counts, uint32_t cell, const licet_gap *gap, counts_unit_name units_of, void *user);
/* A commit succeeded. */
void counts_settle(recorder_counts *counts, uint64_t took_ns, uint64_t entries, counts_unit_name units_of, void *user);
/* A commit failed, or the state is opened anew: what was staged is gone. */
void counts_drop(recorder_counts *counts);
void counts_done(recorder_counts *counts);

#endif
