/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Duplicates credited: which units of a receipt had been delivered before in
 * the window of their counting rule. docs/format/records.md has it to the
 * byte.
 *
 *  (1) It names the receipt it gives back to: identity, time, context and flow are those of that receipt, so that sums
 *      need nothing but the record.
 */
#include "codec.h"

static bool
duplicates_check(const licet_duplicates *record, licet_error *err)
{
    if (record->flow > LICET_FLOW_PASSED_ON)
        return LICET_FAIL(err, LICET_E_INVALID, 1, "duplicates credited: flow %u: expected 0 or 1",
                          (unsigned)record->flow);
    if (record->count == 0)
        return LICET_FAIL(err, LICET_E_INVALID, 37, "duplicates credited: count 0: expected no record at all");
    if (record->time_ms > U48_MAX || record->before_ms > U48_MAX || record->time_ms < record->from_ms ||
        record->time_ms >= record->before_ms)
        return LICET_FAIL(err, LICET_E_INVALID, 14,
                          "duplicates credited: time %llu: expected one of its window, from %llu and before %llu",
                          (unsigned long long)record->time_ms, (unsigned long long)record->from_ms,
                          (unsigned long long)record->before_ms);
    return true;
}

bool
licet_duplicates_encode(const licet_duplicates *record, licet_buffer *out, licet_error *err)
{
    size_t start = out->len;

    if (!duplicates_check(record, err))
        return false;
    licet_put_u8(out, LICET_ENTRY_DUPLICATES);
    licet_put_u8(out, (uint8_t)record->flow);
    licet_put_u16(out, record->identity.gate);
    licet_put_u32(out, record->identity.epoch);
    licet_put_uint(out, 6, record->identity.sequence);
    licet_put_uint(out, 6, record->time_ms);
    licet_put_u32(out, record->context);
    licet_put_u8(out, record->unit);
    licet_put_uint(out, 6, record->from_ms);
    licet_put_uint(out, 6, record->before_ms);
    licet_put_u64(out, record->count);
    if (out->failed) {
        out->len = start;
        return licet_codec_full(out, LICET_ENTRY_DUPLICATES, err);
    }
    return true;
}

bool
licet_duplicates_decode(licet_bytes entry, licet_duplicates *out_record, licet_error *err)
{
    licet_cursor c = {entry, 0};
    licet_duplicates record = {0};
    uint8_t flow;

    if (!licet_codec_begin(&c, LICET_ENTRY_DUPLICATES, err))
        return false;
    if (!licet_take_u8(&c, &flow) || !licet_take_u16(&c, &record.identity.gate) ||
        !licet_take_u32(&c, &record.identity.epoch) || !licet_take_uint(&c, 6, &record.identity.sequence))
        return licet_codec_short(&c, LICET_ENTRY_DUPLICATES, "flow and identity", err);
    if (!licet_take_uint(&c, 6, &record.time_ms) || !licet_take_u32(&c, &record.context) ||
        !licet_take_u8(&c, &record.unit))
        return licet_codec_short(&c, LICET_ENTRY_DUPLICATES, "time, context and unit kind", err);
    if (!licet_take_uint(&c, 6, &record.from_ms) || !licet_take_uint(&c, 6, &record.before_ms) ||
        !licet_take_u64(&c, &record.count))
        return licet_codec_short(&c, LICET_ENTRY_DUPLICATES, "window and count", err);
    record.flow = (licet_flow)flow;
    if (!duplicates_check(&record, err) || !licet_codec_end(&c, LICET_ENTRY_DUPLICATES, err))
        return false;
    *out_record = record;
    return true;
}
