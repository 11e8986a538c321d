/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the two flows: what the peer's gate called the same responses, and what left in files.
 * docs/format/records.md has both to the byte.
 *
 *  (1) One value, one encoding: sequences rise, flags and counts that say nothing are refused.
 *  (2) Encoding writes a whole record or leaves the buffer's length as it was.
 */
#include "codec.h"

#include <string.h>

/* ---- the peer's decision ids --------------------------------------------------- */

#define PEERS_HEAD 9
#define PEER_LEN 22

static bool
peers_count_check(uint64_t count, licet_error *err)
{
    if (count < 1 || count > LICET_PEERS_MAX) {
        return LICET_FAIL(err, LICET_E_INVALID, 7, "peer's decision ids: count %llu: expected 1 to %d",
                          (unsigned long long)count, LICET_PEERS_MAX);
    }
    return true;
}

static bool
peer_check(uint64_t before, uint64_t sequence, uint32_t i, licet_error *err)
{
    if (sequence > U48_MAX || (i > 0 && sequence <= before)) {
        return LICET_FAIL(err, LICET_E_INVALID, PEERS_HEAD + (uint64_t)i * PEER_LEN,
                          "peer's decision ids: sequence %llu: expected more than %llu and less than 2^48",
                          (unsigned long long)sequence, (unsigned long long)before);
    }
    return true;
}

bool
licet_peers_encode(const licet_peers *peers, licet_buffer *out, licet_error *err)
{
    size_t start = out->len;
    uint64_t before = 0;

    if (!peers_count_check(peers->count, err)) {
        return false;
    }
    for (uint32_t i = 0; i < peers->count; i++) {
        if (!peer_check(before, peers->list[i].sequence, i, err)) {
            return false;
        }
        before = peers->list[i].sequence;
    }
    licet_put_u8(out, LICET_ENTRY_PEERS);
    licet_put_u16(out, peers->gate);
    licet_put_u32(out, peers->epoch);
    licet_put_u16(out, (uint16_t)peers->count);
    for (uint32_t i = 0; i < peers->count; i++) {
        licet_put_uint(out, 6, peers->list[i].sequence);
        licet_put_bytes(out, licet_bytes_of(peers->list[i].id, sizeof(peers->list[i].id)));
    }
    if (out->failed) {
        out->len = start;
        return licet_codec_full(out, LICET_ENTRY_PEERS, err);
    }
    return true;
}

bool
licet_peers_decode(licet_bytes entry, licet_peer *storage, licet_peers *out_peers, licet_error *err)
{
    licet_cursor c = {entry, 0};
    licet_peers peers = {.list = storage};
    licet_bytes id;
    uint64_t before = 0;
    uint16_t count;

    if (!licet_codec_begin(&c, LICET_ENTRY_PEERS, err)) {
        return false;
    }
    if (!licet_take_u16(&c, &peers.gate) || !licet_take_u32(&c, &peers.epoch) || !licet_take_u16(&c, &count)) {
        return licet_codec_short(&c, LICET_ENTRY_PEERS, "head", err);
    }
    if (!peers_count_check(count, err)) {
        return false;
    }
    peers.count = count;
    for (uint32_t i = 0; i < count; i++) {
        if (!licet_take_uint(&c, 6, &storage[i].sequence) || !licet_take_bytes(&c, sizeof(storage[i].id), &id)) {
            return licet_codec_short(&c, LICET_ENTRY_PEERS, "ids", err);
        }
        memcpy(storage[i].id, id.data, sizeof(storage[i].id));
        if (!peer_check(before, storage[i].sequence, i, err)) {
            return false;
        }
        before = storage[i].sequence;
    }
    if (!licet_codec_end(&c, LICET_ENTRY_PEERS, err)) {
        return false;
    }
    *out_peers = peers;
    return true;
}

const uint8_t *
licet_peers_find(const licet_peers *peers, licet_identity identity)
{
    uint32_t low = 0, high = peers->count;

    if (peers->count == 0 || peers->gate != identity.gate || peers->epoch != identity.epoch) {
        return NULL;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (peers->list[middle].sequence < identity.sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < peers->count && peers->list[low].sequence == identity.sequence ? peers->list[low].id : NULL;
}

/* ---- disclosure -------------------------------------------------------------------- */

#define FLAG_COUNTED 1u
#define FLAG_ANYWAY 2u

static bool
disclosure_check(const licet_disclosure *d, licet_error *err)
{
    if (d->identity.sequence > U48_MAX || d->time_ms > U48_MAX) {
        return LICET_FAIL(err, LICET_E_INVALID, 7, "disclosure: sequence %llu, time %llu: expected less than 2^48",
                          (unsigned long long)d->identity.sequence, (unsigned long long)d->time_ms);
    }
    if (d->reason >= LICET_REASONS_LEN) {
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 20, "disclosure: reason %u: this version knows those up to %d",
                          d->reason, LICET_REASONS_LEN - 1);
    }
    if (d->anyway && d->reason == LICET_REASON_NONE) {
        return LICET_FAIL(err, LICET_E_INVALID, 20,
                          "disclosure: recorded anyway for reason 0 (none): expected why not");
    }
    if (d->unit == 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 21, "disclosure: unit kind 0: expected one of the dictionary");
    }
    if (d->distinct > d->total || (!d->counted && d->distinct != 0)) {
        return LICET_FAIL(err, LICET_E_INVALID, 30,
                          "disclosure: %llu distinct of %llu: expected no more, and 0 uncounted",
                          (unsigned long long)d->distinct, (unsigned long long)d->total);
    }
    if (d->files_len < 1 || d->files_len > LICET_DISCLOSURE_FILES_MAX) {
        return LICET_FAIL(err, LICET_E_INVALID, 38, "disclosure: %u files: expected 1 to %d", d->files_len,
                          LICET_DISCLOSURE_FILES_MAX);
    }
    return true;
}

bool
licet_disclosure_encode(const licet_disclosure *d, licet_buffer *out, licet_error *err)
{
    size_t start = out->len;

    if (!disclosure_check(d, err)) {
        return false;
    }
    licet_put_u8(out, LICET_ENTRY_DISCLOSURE);
    licet_put_u16(out, d->identity.gate);
    licet_put_u32(out, d->identity.epoch);
    licet_put_uint(out, 6, d->identity.sequence);
    licet_put_uint(out, 6, d->time_ms);
    licet_put_u8(out, (uint8_t)((d->counted ? FLAG_COUNTED : 0) | (d->anyway ? FLAG_ANYWAY : 0)));
    licet_put_u8(out, d->reason);
    licet_put_u8(out, d->unit);
    licet_put_u64(out, d->total);
    licet_put_u64(out, d->distinct);
    licet_put_u16(out, (uint16_t)d->files_len);
    for (uint32_t i = 0; i < d->files_len; i++) {
        licet_put_u64(out, d->files[i].size);
        licet_put_bytes(out, licet_bytes_of(d->files[i].sha256.bytes, LICET_SHA256_LEN));
    }
    if (out->failed) {
        out->len = start;
        return licet_codec_full(out, LICET_ENTRY_DISCLOSURE, err);
    }
    return true;
}

static bool
take_files(licet_cursor *c, licet_disclosure_file *storage, uint32_t len, licet_error *err)
{
    licet_bytes hash;

    for (uint32_t i = 0; i < len; i++) {
        if (!licet_take_u64(c, &storage[i].size) || !licet_take_bytes(c, LICET_SHA256_LEN, &hash)) {
            return licet_codec_short(c, LICET_ENTRY_DISCLOSURE, "files", err);
        }
        memcpy(storage[i].sha256.bytes, hash.data, LICET_SHA256_LEN);
    }
    return licet_codec_end(c, LICET_ENTRY_DISCLOSURE, err);
}

bool
licet_disclosure_decode(licet_bytes entry, licet_disclosure_file *storage, licet_disclosure *out_disclosure,
                        licet_error *err)
{
    licet_cursor c = {entry, 0};
    licet_disclosure d = {.files = storage};
    uint16_t files;
    uint8_t flags;

    if (!licet_codec_begin(&c, LICET_ENTRY_DISCLOSURE, err)) {
        return false;
    }
    if (!licet_take_u16(&c, &d.identity.gate) || !licet_take_u32(&c, &d.identity.epoch) ||
        !licet_take_uint(&c, 6, &d.identity.sequence) || !licet_take_uint(&c, 6, &d.time_ms) ||
        !licet_take_u8(&c, &flags) || !licet_take_u8(&c, &d.reason) || !licet_take_u8(&c, &d.unit) ||
        !licet_take_u64(&c, &d.total) || !licet_take_u64(&c, &d.distinct) || !licet_take_u16(&c, &files)) {
        return licet_codec_short(&c, LICET_ENTRY_DISCLOSURE, "head", err);
    }
    if ((flags & ~(FLAG_COUNTED | FLAG_ANYWAY)) != 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 19, "disclosure: flags %02x: expected at most 03", flags);
    }
    d.counted = (flags & FLAG_COUNTED) != 0;
    d.anyway = (flags & FLAG_ANYWAY) != 0;
    d.files_len = files;
    if (!disclosure_check(&d, err) || !take_files(&c, storage, files, err)) {
        return false;
    }
    *out_disclosure = d;
    return true;
}
