/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of one batch: a list of sums and an open-addressing table of rows of
 * that list, twice as large, so that a probe ends.
 */
#include "sums.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SUMS_FIRST 64u

static_assert(sizeof(usage_key) == 24, "a key is three words without padding");

void
usage_sums_init(usage_sums *sums)
{
    memset(sums, 0, sizeof(*sums));
}

void
usage_sums_done(usage_sums *sums)
{
    free(sums->list);
    free(sums->table);
    memset(sums, 0, sizeof(*sums));
}

static uint32_t
key_hash(const usage_key *key)
{
    uint64_t words[3], hash = UINT64_C(0x9e3779b97f4a7c15);

    memcpy(words, key, sizeof(words));
    for (unsigned i = 0; i < 3; i++) {
        hash = (hash ^ words[i]) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    return (uint32_t)hash;
}

/* Place of the key in the table, or of the free cell where it belongs. */
static uint32_t
place_of(const usage_sums *sums, const usage_key *key)
{
    uint32_t mask = 2 * sums->capacity - 1;
    uint32_t place = key_hash(key) & mask;

    while (sums->table[place] != 0 && memcmp(&sums->list[sums->table[place] - 1].key, key, sizeof(*key)) != 0) {
        place = (place + 1) & mask;
    }
    return place;
}

static bool
grow(usage_sums *sums, licet_error *err)
{
    uint32_t capacity = sums->capacity == 0 ? SUMS_FIRST : 2 * sums->capacity;
    usage_sum *list;
    uint32_t *table;

    if (capacity > USAGE_SUMS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "a batch holds more than %u sums: flush it first", USAGE_SUMS_MAX);
    }
    list = realloc(sums->list, capacity * sizeof(*list));
    if (list == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u sums", capacity);
    }
    sums->list = list;
    table = calloc(2 * (size_t)capacity, sizeof(*table));
    if (table == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u sums", capacity);
    }
    free(sums->table);
    sums->table = table;
    sums->capacity = capacity;
    for (uint32_t i = 0; i < sums->len; i++) {
        sums->table[place_of(sums, &sums->list[i].key)] = i + 1;
    }
    return true;
}

bool
usage_sums_add(usage_sums *sums, const usage_key *key, uint64_t a, uint64_t b, bool *out_new, licet_error *err)
{
    uint32_t place;
    usage_sum *sum;

    if (sums->len == sums->capacity && !grow(sums, err)) {
        return false;
    }
    place = place_of(sums, key);
    *out_new = sums->table[place] == 0;
    if (*out_new) {
        sums->list[sums->len] = (usage_sum){.key = *key};
        sums->table[place] = ++sums->len;
    }
    sum = &sums->list[sums->table[place] - 1];
    sum->a = usage_sum_most(sum->a, a);
    sum->b = usage_sum_most(sum->b, b);
    return true;
}

#define COMPARE(field)                                                                                                 \
    if (x->field != y->field) {                                                                                        \
        return x->field < y->field ? -1 : 1;                                                                           \
    }

static int
compare(const void *left, const void *right)
{
    const usage_key *x = &((const usage_sum *)left)->key, *y = &((const usage_sum *)right)->key;

    COMPARE(ledger)
    COMPARE(hour)
    COMPARE(context)
    COMPARE(flow)
    COMPARE(verdict)
    COMPARE(reason)
    COMPARE(status)
    COMPARE(ending)
    COMPARE(basis)
    COMPARE(unmetered)
    COMPARE(observe)
    COMPARE(kind)
    return 0;
}

void
usage_sums_sort(usage_sums *sums)
{
    if (sums->len > 1) {
        qsort(sums->list, sums->len, sizeof(*sums->list), compare);
    }
}

void
usage_sums_clear(usage_sums *sums)
{
    sums->len = 0;
    if (sums->table != NULL) {
        memset(sums->table, 0, 2 * (size_t)sums->capacity * sizeof(*sums->table));
    }
}
