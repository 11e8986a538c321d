/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registry change: one difference of what was applied, as an entry (docs/format/records.md, kind 24).
 *
 *  (1) One value, one encoding. (2) Decoded texts are views into the entry. (3) No name of a person is in it: words,
 * who, as and approved are salted commitments, zero where nothing was said.
 */
#include "codec.h"

#include <string.h>

static bool
change_check(const licet_change_record *record, licet_error *err)
{
    if (record->time_ms > U48_MAX || record->from_ms > U48_MAX) {
        return LICET_FAIL(err, LICET_E_INVALID, 1,
                          "registry change: time %llu ms, from %llu ms: expected less than 2^48",
                          (unsigned long long)record->time_ms, (unsigned long long)record->from_ms);
    }
    if (record->subject == 0 || record->subject >= LICET_SUBJECTS_END) {
        return LICET_FAIL(err, LICET_E_INVALID, 25, "registry change: subject %u: expected 1 to %u", record->subject,
                          LICET_SUBJECTS_END - 1);
    }
    if (record->action == 0 || record->action >= LICET_ACTIONS_END) {
        return LICET_FAIL(err, LICET_E_INVALID, 26, "registry change: action %u: expected 1 to %u", record->action,
                          LICET_ACTIONS_END - 1);
    }
    if ((record->flags & ~(LICET_CHANGE_BACK_DATED | LICET_CHANGE_FIRST)) != 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 27,
                          "registry change: flags 0x%02x: expected none but back-dated and first", record->flags);
    }
    if (record->id.len > LICET_NAME_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 28, "registry change: id of %zu bytes: expected at most %d",
                          record->id.len, LICET_NAME_MAX);
    }
    return true;
}

bool
licet_change_encode(const licet_change_record *record, licet_buffer *out, licet_error *err)
{
    const licet_hash *const hashes[] = {&record->document, &record->words, &record->who, &record->as,
                                        &record->approved};
    size_t start = out->len;

    if (!change_check(record, err)) {
        return false;
    }
    licet_put_u8(out, LICET_ENTRY_CHANGE);
    licet_put_uint(out, 6, record->time_ms);
    licet_put_uint(out, 6, record->from_ms);
    licet_put_u64(out, record->image);
    licet_put_u32(out, record->number);
    licet_put_u8(out, record->subject);
    licet_put_u8(out, record->action);
    licet_put_u8(out, record->flags);
    licet_put_text(out, record->id);
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        licet_put_bytes(out, licet_bytes_of(hashes[i]->bytes, sizeof(hashes[i]->bytes)));
    }
    if (out->failed) {
        out->len = start;
        return licet_codec_full(out, LICET_ENTRY_CHANGE, err);
    }
    return true;
}

bool
licet_change_decode(licet_bytes entry, licet_change_record *out_record, licet_error *err)
{
    licet_change_record record;
    licet_hash *const hashes[] = {&record.document, &record.words, &record.who, &record.as, &record.approved};
    licet_cursor c = {entry, 0};
    licet_bytes hash;

    if (!licet_codec_begin(&c, LICET_ENTRY_CHANGE, err)) {
        return false;
    }
    if (!licet_take_uint(&c, 6, &record.time_ms) || !licet_take_uint(&c, 6, &record.from_ms) ||
        !licet_take_u64(&c, &record.image) || !licet_take_u32(&c, &record.number) ||
        !licet_take_u8(&c, &record.subject) || !licet_take_u8(&c, &record.action) ||
        !licet_take_u8(&c, &record.flags) || !licet_take_text(&c, &record.id)) {
        return licet_codec_short(&c, LICET_ENTRY_CHANGE, "times, image, number, subject, action, flags and id", err);
    }
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        if (!licet_take_bytes(&c, LICET_SHA256_LEN, &hash)) {
            return licet_codec_short(&c, LICET_ENTRY_CHANGE, "hashes", err);
        }
        memcpy(hashes[i]->bytes, hash.data, LICET_SHA256_LEN);
    }
    if (!change_check(&record, err) || !licet_codec_end(&c, LICET_ENTRY_CHANGE, err)) {
        return false;
    }
    *out_record = record;
    return true;
}
