/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acceptance: a party's signed word on a version, as an entry (docs/format/records.md, kind 25).
 *
 *  (1) One value, one encoding. (2) Decoded texts are views into the entry. (3) The signed note names a person: here
 * stands a salted commitment to it.
 */
#include "codec.h"

#include <string.h>

/* A key's name in bytes: of a note's signer, four names long. */
#define KEY_MAX ((size_t)4 * LICET_NAME_MAX)

static bool
acceptance_check(const licet_acceptance_record *record, licet_error *err)
{
    if (record->time_ms > U48_MAX || record->accepted_ms > U48_MAX) {
        return LICET_FAIL(err, LICET_E_INVALID, 1,
                          "acceptance: time %llu ms, accepted %llu ms: expected less than 2^48",
                          (unsigned long long)record->time_ms, (unsigned long long)record->accepted_ms);
    }
    if (record->party != LICET_PARTY_LICENSOR && record->party != LICET_PARTY_LICENSEE) {
        return LICET_FAIL(err, LICET_E_INVALID, 13, "acceptance: party %u: expected 1 (licensor) or 2 (licensee)",
                          record->party);
    }
    if (record->version.len == 0 || record->version.len > LICET_NAME_MAX || record->catalogue.len > LICET_NAME_MAX ||
        record->key.len > KEY_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 14,
                          "acceptance: version, catalogue and key of %zu, %zu and %zu bytes: "
                          "expected 1 to %d, at most %d and %d",
                          record->version.len, record->catalogue.len, record->key.len, LICET_NAME_MAX, LICET_NAME_MAX,
                          (int)KEY_MAX);
    }
    return true;
}

bool
licet_acceptance_encode(const licet_acceptance_record *record, licet_buffer *out, licet_error *err)
{
    const licet_hash *const hashes[] = {&record->agreement_sha256, &record->catalogue_sha256, &record->public_key,
                                        &record->note};
    size_t start = out->len;

    if (!acceptance_check(record, err)) {
        return false;
    }
    licet_put_u8(out, LICET_ENTRY_ACCEPTANCE);
    licet_put_uint(out, 6, record->time_ms);
    licet_put_uint(out, 6, record->accepted_ms);
    licet_put_u8(out, record->party);
    licet_put_text(out, record->version);
    licet_put_text(out, record->catalogue);
    licet_put_text(out, record->key);
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        licet_put_bytes(out, licet_bytes_of(hashes[i]->bytes, sizeof(hashes[i]->bytes)));
    }
    if (out->failed) {
        out->len = start;
        return licet_codec_full(out, LICET_ENTRY_ACCEPTANCE, err);
    }
    return true;
}

bool
licet_acceptance_decode(licet_bytes entry, licet_acceptance_record *out_record, licet_error *err)
{
    licet_acceptance_record record;
    licet_hash *const hashes[] = {&record.agreement_sha256, &record.catalogue_sha256, &record.public_key, &record.note};
    licet_cursor c = {entry, 0};
    licet_bytes hash;

    if (!licet_codec_begin(&c, LICET_ENTRY_ACCEPTANCE, err)) {
        return false;
    }
    if (!licet_take_uint(&c, 6, &record.time_ms) || !licet_take_uint(&c, 6, &record.accepted_ms) ||
        !licet_take_u8(&c, &record.party) || !licet_take_text(&c, &record.version) ||
        !licet_take_text(&c, &record.catalogue) || !licet_take_text(&c, &record.key)) {
        return licet_codec_short(&c, LICET_ENTRY_ACCEPTANCE, "times, party, version, catalogue and key", err);
    }
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        if (!licet_take_bytes(&c, LICET_SHA256_LEN, &hash)) {
            return licet_codec_short(&c, LICET_ENTRY_ACCEPTANCE, "hashes", err);
        }
        memcpy(hashes[i]->bytes, hash.data, LICET_SHA256_LEN);
    }
    if (!acceptance_check(&record, err) || !licet_codec_end(&c, LICET_ENTRY_ACCEPTANCE, err)) {
        return false;
    }
    *out_record = record;
    return true;
}
