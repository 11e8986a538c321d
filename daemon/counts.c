/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts: see counts.h.
 */
#include "counts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const uint32_t counts_commit_bounds_us[COUNTS_COMMIT_BUCKETS] = {100,   250,   500,    1000,   2500,   5000,
                                                                 10000, 25000, 100000, 500000, 2500000};

void
counts_add(uint64_t *count, uint64_t more)
{
    if (__builtin_add_overflow(*count, more, count)) {
        *count = UINT64_MAX;
    }
}

static bool
agreements_grow(recorder_counts *counts, uint32_t cell)
{
    uint32_t len = cell + 1 > 2 * counts->agreements_len ? cell + 1 : 2 * counts->agreements_len;
    counts_agreement **grown;

    if (cell < counts->agreements_len) {
        return true;
    }
    grown = realloc(counts->agreements, len * sizeof(counts_agreement *));
    if (grown == NULL) {
        return false;
    }
    memset(grown + counts->agreements_len, 0, (len - counts->agreements_len) * sizeof(counts_agreement *));
    counts->agreements = grown;
    counts->agreements_len = len;
    return true;
}

static counts_agreement *
agreement_of(recorder_counts *counts, uint32_t cell)
{
    if (cell >= LICET_GATE_CELLS_MAX || !agreements_grow(counts, cell)) {
        return NULL;
    }
    if (counts->agreements[cell] == NULL) {
        counts->agreements[cell] = calloc(1, sizeof(counts_agreement));
    }
    return counts->agreements[cell];
}

static bool
staged_grow(recorder_counts *counts)
{
    uint32_t capacity = counts->staged_capacity == 0 ? 16 : 2 * counts->staged_capacity;
    counts_staged *grown;

    if (counts->staged_len < counts->staged_capacity) {
        return true;
    }
    grown = realloc(counts->staged, capacity * sizeof(*grown));
    if (grown != NULL) {
        counts->staged = grown;
        counts->staged_capacity = capacity;
    }
    return grown != NULL;
}

counts_tally *
counts_stage(recorder_counts *counts, uint32_t cell)
{
    counts_agreement *agreement = agreement_of(counts, cell);

    if (agreement == NULL) {
        return NULL;
    }
    if (agreement->staged == 0) {
        if (!staged_grow(counts)) {
            return NULL;
        }
        memset(&counts->staged[counts->staged_len], 0, sizeof(counts->staged[0]));
        counts->staged[counts->staged_len].cell = cell;
        agreement->staged = ++counts->staged_len;
    }
    return &counts->staged[agreement->staged - 1].tally;
}

static void
keep_name(counts_agreement *agreement, uint32_t cell, unsigned number, counts_unit_name units_of, void *user)
{
    if (agreement->units[number] == NULL) {
        const char *name = units_of(user, cell, number);

        agreement->units[number] = name != NULL ? strdup(name) : NULL;
    }
}

static void
settle_one(counts_agreement *agreement, const counts_tally *tally)
{
    uint64_t *durable = (uint64_t *)&agreement->durable;
    const uint64_t *staged = (const uint64_t *)tally;

    static_assert(sizeof(counts_tally) % sizeof(uint64_t) == 0, "a tally is counts alone");
    for (size_t i = 0; i < sizeof(counts_tally) / sizeof(uint64_t); i++) {
        counts_add(&durable[i], staged[i]);
    }
    agreement->staged = 0;
}

void
counts_settle(recorder_counts *counts, uint64_t took_ns, uint64_t entries, counts_unit_name units_of, void *user)
{
    for (uint32_t i = 0; i < counts->staged_len; i++) {
        const counts_staged *staged = &counts->staged[i];
        counts_agreement *agreement = counts->agreements[staged->cell];

        for (unsigned number = 0; number < 256; number++) {
            if (staged->tally.units[number] > 0) {
                keep_name(agreement, staged->cell, number, units_of, user);
            }
        }
        settle_one(agreement, &staged->tally);
    }
    counts->staged_len = 0;
    counts->commits++;
    counts_add(&counts->entries, entries);
    counts_add(&counts->commit_ns, took_ns);
    for (unsigned i = 0; i < COUNTS_COMMIT_BUCKETS; i++) {
        counts->commit_buckets[i] += took_ns <= (uint64_t)counts_commit_bounds_us[i] * 1000;
    }
}

void
counts_drop(recorder_counts *counts)
{
    for (uint32_t i = 0; i < counts->staged_len; i++) {
        counts->agreements[counts->staged[i].cell]->staged = 0;
    }
    counts->staged_len = 0;
}

void
counts_gap(recorder_counts *counts, uint32_t cell, const licet_gap *gap, counts_unit_name units_of, void *user)
{
    counts_agreement *agreement = agreement_of(counts, cell);
    unsigned cause = (unsigned)gap->cause;
    counts_gaps *gaps;

    if (agreement == NULL || cause >= COUNTS_CAUSES) {
        return;
    }
    if (agreement->gaps[cause] == NULL) {
        agreement->gaps[cause] = calloc(1, sizeof(counts_gaps));
    }
    gaps = agreement->gaps[cause];
    if (gaps == NULL) {
        return;
    }
    gaps->records++;
    counts_add(&gaps->requests, gap->requests);
    for (size_t i = 0; i < gap->units_len; i++) {
        keep_name(agreement, cell, gap->units[i].kind, units_of, user);
        counts_add(&gaps->units[gap->units[i].kind], gap->units[i].count);
    }
}

void
counts_done(recorder_counts *counts)
{
    for (uint32_t i = 0; i < counts->agreements_len; i++) {
        for (unsigned number = 0; counts->agreements[i] != NULL && number < 256; number++) {
            free(counts->agreements[i]->units[number]);
        }
        for (unsigned cause = 0; counts->agreements[i] != NULL && cause < COUNTS_CAUSES; cause++) {
            free(counts->agreements[i]->gaps[cause]);
        }
        free(counts->agreements[i]);
    }
    free(counts->agreements);
    free(counts->staged);
    memset(counts, 0, sizeof(*counts));
}
