/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids: an exact set of the ids of several units, with a ceiling.
 *
 *  (1) An id is at most 255 bytes; the set of each unit is its own.
 *  (2) Where an id goes depends on a random key, so that nobody can write
 *      ids which make the set slow.
 */
#ifndef LICET_COUNT_IDS_H
#define LICET_COUNT_IDS_H

#include "licet/base.h"

typedef struct count_ids {
    uint64_t key[2];
    uint64_t *slots; /* 0: free; else 24 bits of hash and 40 bits of place in text, plus 1 */
    size_t capacity; /* of slots, a power of two */
    size_t len, most;
    licet_buffer text; /* unit u8, length u8, bytes; one after the other */
} count_ids;

/* most: ids it may ever hold. */
bool count_ids_init(count_ids *set, size_t most, licet_error *err);
void count_ids_done(count_ids *set);
/* Adds an id of a unit; *out_new tells whether it was not there. LIMIT when the set is full. */
bool count_ids_add(count_ids *set, unsigned unit, licet_bytes id, bool *out_new, licet_error *err);

#endif
