/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of the journal: segment header, batch header, commit record.
 *
 *  (1) The hash of a commit record covers the hash before it, the batch header, the body and the positions: all bytes
 *      of all batches lie in one chain.
 *  (2) Every byte of a segment is covered: by its header's check or by the chain.
 */
#include "journal_format.h"

#include <string.h>

#define SEGMENT_CHECKED 56 /* bytes before the check */
#define FORMAT 1u
static const uint8_t SEGMENT_MAGIC[8] = {'L', 'I', 'C', 'E', 'T', 'J', 'N', 'L'};
static const uint8_t BATCH_MAGIC[4] = {'L', 'J', 'B', 'T'};
static const uint8_t COMMIT_MAGIC[4] = {'L', 'J', 'C', 'M'};

static uint8_t *
store(uint8_t *at, unsigned n, uint64_t value)
{
    while (n-- > 0)
        *at++ = (uint8_t)(value >> (8 * n));
    return at;
}

static uint64_t
load(const uint8_t *at, unsigned n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | *at++;
    return value;
}

/* ---- segment ------------------------------------------------------------------- */

static void
header_check_of(const uint8_t *header, uint8_t out[8])
{
    licet_bytes piece = {header, SEGMENT_CHECKED};
    licet_hash h = licet_sha256(&piece, 1);
    memcpy(out, h.bytes, 8);
}

void
journal_segment_header(uint64_t first, const licet_hash *chain, uint8_t out[SEGMENT_HEADER])
{
    memcpy(out, SEGMENT_MAGIC, 8);
    store(out + 8, 4, FORMAT);
    store(out + 12, 4, SEGMENT_HEADER);
    store(out + 16, 8, first);
    memcpy(out + 24, chain->bytes, 32);
    header_check_of(out, out + SEGMENT_CHECKED);
}

bool
journal_segment_header_whole(const uint8_t header[SEGMENT_HEADER])
{
    uint8_t check[8];
    header_check_of(header, check);
    return memcmp(header + SEGMENT_CHECKED, check, 8) == 0;
}

const char *
journal_segment_header_check(const uint8_t header[SEGMENT_HEADER], uint64_t first, const licet_hash *chain)
{
    if (memcmp(header, SEGMENT_MAGIC, 8) != 0)
        return "expected LICETJNL";
    if (!journal_segment_header_whole(header))
        return "its check does not fit";
    if (load(header + 8, 4) != FORMAT)
        return "another format: expected 1";
    if (load(header + 12, 4) != SEGMENT_HEADER)
        return "another length: expected 64";
    if (load(header + 16, 8) != first)
        return "its first number is not that of its name";
    if (memcmp(header + 24, chain->bytes, 32) != 0)
        return "it does not follow the last commit record of the segment before";
    return NULL;
}

void
journal_segment_header_chain(const uint8_t header[SEGMENT_HEADER], licet_hash *out_chain)
{
    memcpy(out_chain->bytes, header + 24, 32);
}

/* ---- batch ----------------------------------------------------------------------- */

void
journal_batch_header(const batch_header *h, uint8_t out[BATCH_HEADER])
{
    memcpy(out, BATCH_MAGIC, 4);
    store(out + 4, 4, h->body_len);
    store(out + 8, 8, h->first);
    store(out + 16, 8, h->time_ms);
    store(out + 24, 4, h->count);
    store(out + 28, 4, h->positions);
}

const char *
journal_batch_header_read(const uint8_t in[BATCH_HEADER], batch_header *out)
{
    if (memcmp(in, BATCH_MAGIC, 4) != 0)
        return "expected LJBT";
    out->body_len = (uint32_t)load(in + 4, 4);
    out->first = load(in + 8, 8);
    out->time_ms = load(in + 16, 8);
    out->count = (uint32_t)load(in + 24, 4);
    out->positions = (uint32_t)load(in + 28, 4);
    if (out->body_len > BATCH_BODY_MAX)
        return "body of more than 64 MiB";
    if (out->count > BATCH_ENTRIES_MAX)
        return "more than 1000000 entries";
    if (out->positions > LICET_JOURNAL_POSITIONS_MAX)
        return "more than 512 positions";
    return NULL;
}

void
journal_commit_record(const licet_hash *chain, const uint8_t header[BATCH_HEADER], licet_bytes body,
                      const licet_journal_position *positions, size_t n, uint8_t *out, licet_hash *out_chain)
{
    uint8_t *at = out;
    memcpy(at, COMMIT_MAGIC, 4);
    at += 4;
    for (size_t i = 0; i < n; i++) {
        at = store(at, 4, positions[i].epoch);
        at = store(at, 2, positions[i].area);
        at = store(at, 8, positions[i].ring);
        at = store(at, 8, positions[i].ids);
    }
    licet_bytes pieces[] = {{chain->bytes, 32}, {header, BATCH_HEADER}, body, {out, (size_t)(at - out)}};
    *out_chain = licet_sha256(pieces, 4);
    memcpy(at, out_chain->bytes, 32);
}

licet_journal_position
journal_position_read(const uint8_t in[POSITION_LEN])
{
    return (licet_journal_position){(uint32_t)load(in, 4), (uint16_t)load(in + 4, 2), load(in + 6, 8),
                                    load(in + 14, 8)};
}

/* As many entries as the header says, and nothing else, fill the body. */
static bool
body_check(licet_bytes body, uint32_t count)
{
    licet_cursor c = {body, 0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t len;
        uint8_t kind;
        licet_bytes payload;
        if (!licet_take_u32(&c, &len) || !licet_take_u8(&c, &kind) || !licet_take_bytes(&c, len, &payload))
            return false;
    }
    return licet_cursor_at_end(&c);
}

const char *
journal_batch_check(const uint8_t *batch, size_t len, const batch_header *h, const licet_hash *chain,
                    licet_hash *out_chain)
{
    size_t hash_at = len - LICET_SHA256_LEN;
    licet_bytes body = {batch + BATCH_HEADER, h->body_len};
    licet_bytes pieces[] = {{chain->bytes, 32}, {batch, hash_at}};
    if (memcmp(body.data + body.len, COMMIT_MAGIC, 4) != 0)
        return "expected LJCM behind its body";
    *out_chain = licet_sha256(pieces, 2);
    if (memcmp(out_chain->bytes, batch + hash_at, LICET_SHA256_LEN) != 0)
        return "its hash does not fit";
    if (!body_check(body, h->count))
        return "its body is not the number of entries it says";
    return NULL;
}

/* A whole batch at the beginning of these bytes, which follows chain. */
static bool
whole_at(const uint8_t *bytes, size_t len, const licet_hash *chain)
{
    batch_header h;
    licet_hash found;
    if (len < BATCH_HEADER || journal_batch_header_read(bytes, &h) != NULL)
        return false;
    size_t total = BATCH_HEADER + h.body_len + COMMIT_FIXED + POSITION_LEN * (size_t)h.positions;
    return total <= len && journal_batch_check(bytes, total, &h, chain, &found) == NULL;
}

/* If only the hash of the first batch was changed, what follows it follows the hash it should have. */
static bool
whole_behind_first(const uint8_t *bytes, size_t len, const licet_hash *chain)
{
    batch_header h;
    if (len < BATCH_HEADER || journal_batch_header_read(bytes, &h) != NULL)
        return false;
    size_t total = BATCH_HEADER + h.body_len + COMMIT_FIXED + POSITION_LEN * (size_t)h.positions;
    if (total > len)
        return false;
    licet_bytes pieces[] = {{chain->bytes, 32}, {bytes, total - LICET_SHA256_LEN}};
    licet_hash due = licet_sha256(pieces, 2);
    return whole_at(bytes + total, len - total, &due);
}

bool
journal_find_batch(const uint8_t *bytes, size_t len, const licet_hash *chain)
{
    const uint8_t *at = bytes, *end = bytes + len;
    if (whole_behind_first(bytes, len, chain))
        return true;
    while (at < end && (at = memmem(at, (size_t)(end - at), BATCH_MAGIC, 4)) != NULL) {
        licet_hash before;
        if (at - bytes >= LICET_SHA256_LEN) {
            memcpy(before.bytes, at - LICET_SHA256_LEN, 32);
            if (whole_at(at, (size_t)(end - at), &before))
                return true;
        }
        at++;
    }
    return false;
}
