/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commit records of a ledger, and what a state says about the files' lengths.
 *
 *  (1) A record names its slot and carries a SHA-256 over all its other bytes: no byte of it can change unseen.
 *  (2) The length of every file but the checkpoint follows from one record: no byte of any file is unused.
 */
#include "ledger_file.h"

#include <stdio.h>
#include <string.h>

#define CHECKED 72
static const uint8_t MAGIC[7] = {'L', 'I', 'C', 'E', 'T', 'L', 'C'}; /* and the digit of the slot */

static uint8_t *
store64(uint8_t *at, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        *at++ = (uint8_t)(value >> (56 - 8 * i));
    return at;
}

static uint64_t
load64(const uint8_t *at)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

static void
check_of(const uint8_t *slot, uint8_t out[32])
{
    licet_bytes piece = {slot, CHECKED};
    licet_hash hash = licet_sha256(&piece, 1);
    memcpy(out, hash.bytes, 32);
}

void
ledger_commit_write(const ledger_commit *commit, unsigned slot, uint8_t out[COMMIT_SLOT])
{
    memcpy(out, MAGIC, sizeof(MAGIC));
    out[7] = (uint8_t)('0' + slot);
    uint8_t *at = store64(out + 8, commit->generation);
    at = store64(at, commit->size);
    at = store64(at, commit->entries_len);
    at = store64(at, commit->folded);
    memcpy(at, commit->root.bytes, 32);
    check_of(out, out + CHECKED);
}

bool
ledger_commit_read(const uint8_t in[COMMIT_SLOT], unsigned slot, ledger_commit *out_commit)
{
    uint8_t check[32];
    check_of(in, check);
    if (memcmp(in, MAGIC, sizeof(MAGIC)) != 0 || in[7] != '0' + slot || memcmp(in + CHECKED, check, 32) != 0)
        return false;
    out_commit->generation = load64(in + 8);
    out_commit->size = load64(in + 16);
    out_commit->entries_len = load64(in + 24);
    out_commit->folded = load64(in + 32);
    memcpy(out_commit->root.bytes, in + 40, 32);
    return out_commit->size <= LEDGER_SIZE_MAX && out_commit->entries_len <= LEDGER_SIZE_MAX;
}

uint64_t
ledger_part_len(const ledger_commit *commit, unsigned part)
{
    if (part == PART_ENTRIES)
        return commit->entries_len;
    if (part == PART_BUNDLES)
        return 8 * (commit->size / BUNDLE_ENTRIES);
    unsigned shift = TILE_HEIGHT * (part - PART_TILE_0);
    return LICET_SHA256_LEN * (commit->size >> shift);
}

void
ledger_part_name(unsigned part, char out[16])
{
    if (part == PART_ENTRIES)
        memcpy(out, "entries", 8);
    else if (part == PART_BUNDLES)
        memcpy(out, "bundles", 8);
    else
        snprintf(out, 16, "tile-%u", part - PART_TILE_0);
}
