/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids: open addressing over one block of text, hashed by SipHash-2-4
 * (Aumasson and Bernstein, 2012) under a key of this run.
 *
 *  (1) At most half of the slots are taken.
 *  (2) A slot's 24 bits of hash spare most looks into the text.
 */
#include "count_ids.h"

#include <stdlib.h>
#include <string.h>

#define PLACE_BITS 40
#define PLACE_MASK ((1ull << PLACE_BITS) - 1)

enum { FIRST_CAPACITY = 1024 };

bool
count_ids_init(count_ids *set, size_t most, licet_error *err)
{
    *set = (count_ids){.most = most, .capacity = FIRST_CAPACITY};
    licet_buffer_init(&set->text, PLACE_MASK - 1);
    if (!licet_random((uint8_t *)set->key, sizeof(set->key), err)) {
        return false;
    }
    set->slots = calloc(set->capacity, sizeof(*set->slots));
    return set->slots != NULL || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a set of ids");
}

void
count_ids_done(count_ids *set)
{
    free(set->slots);
    set->slots = NULL;
    licet_buffer_done(&set->text);
}

static uint64_t
rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void
sip_rounds(uint64_t v[4], unsigned rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

/* Of an entry as it stands in text. */
static uint64_t
hash_entry(const count_ids *set, const uint8_t *entry, size_t len)
{
    uint64_t v[4] = {set->key[0] ^ 0x736f6d6570736575ull, set->key[1] ^ 0x646f72616e646f6dull,
                     set->key[0] ^ 0x6c7967656e657261ull, set->key[1] ^ 0x7465646279746573ull};
    uint64_t word;

    for (size_t i = 0; i < len + 1; i += 8) {
        size_t left = len - i;

        if (left >= 8) {
            memcpy(&word, entry + i, 8);
        } else { /* the last word carries the length */
            word = (uint64_t)len << 56;
            for (size_t k = 0; k < left; k++) {
                word |= (uint64_t)entry[i + k] << (8 * k);
            }
        }
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static const uint8_t *
entry_of(const count_ids *set, uint64_t slot)
{
    return set->text.data + (slot & PLACE_MASK) - 1;
}

/* Both begin with unit and length, so nothing behind the shorter one is read. */
static bool
is_entry(const uint8_t *a, const uint8_t *b)
{
    return a[0] == b[0] && a[1] == b[1] && memcmp(a + 2, b + 2, a[1]) == 0;
}

static bool
grow(count_ids *set, licet_error *err)
{
    size_t capacity = set->capacity * 2;
    uint64_t *slots = calloc(capacity, sizeof(*slots));

    if (slots == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for more than %zu distinct ids", set->len);
    }
    for (size_t i = 0; i < set->capacity; i++) {
        const uint8_t *entry;
        size_t at;

        if (set->slots[i] == 0) {
            continue;
        }
        entry = entry_of(set, set->slots[i]);
        at = hash_entry(set, entry, 2 + (size_t)entry[1]) & (capacity - 1);
        while (slots[at] != 0) {
            at = (at + 1) & (capacity - 1);
        }
        slots[at] = set->slots[i];
    }
    free(set->slots);
    set->slots = slots;
    set->capacity = capacity;
    return true;
}

bool
count_ids_add(count_ids *set, unsigned unit, licet_bytes id, bool *out_new, licet_error *err)
{
    uint8_t entry[2 + 255] = {(uint8_t)unit, (uint8_t)id.len};
    size_t len = 2 + id.len, at;
    uint64_t hash, tag;

    if (id.len > 255 || unit > 255) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "an id of %zu bytes, at most 255 are kept", id.len);
    }
    if (id.len > 0) {
        memcpy(entry + 2, id.data, id.len);
    }
    hash = hash_entry(set, entry, len);
    tag = hash & ~PLACE_MASK;
    for (at = hash & (set->capacity - 1); set->slots[at] != 0; at = (at + 1) & (set->capacity - 1)) {
        if ((set->slots[at] & ~PLACE_MASK) == tag && is_entry(entry_of(set, set->slots[at]), entry)) {
            *out_new = false;
            return true;
        }
    }
    if (set->len == set->most) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "more than %zu distinct ids; --max-ids raises the ceiling", set->most);
    }
    set->slots[at] = tag | (set->text.len + 1);
    if (!licet_put_bytes(&set->text, licet_bytes_of(entry, len))) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for more than %zu distinct ids", set->len);
    }
    set->len++;
    *out_new = true;
    return set->len <= set->capacity / 2 || grow(set, err);
}
