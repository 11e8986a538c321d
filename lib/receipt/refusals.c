/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of equal refusals: one record for many refused requests that differ in
 * sequence and time alone, with each sequence kept so that every decision id
 * can be explained.
 *
 *  (1) Sequences rise strictly: the first stands as u48, the others as differences of at least 1.
 *  (2) count is that of the sequences, 1 to LICET_REFUSALS_MAX.
 */
#include "codec.h"

#define FLAG_FLOW 1u
#define FLAG_OBSERVE 2u

static bool
reason_check(uint8_t reason, licet_error *err)
{
    if (reason == LICET_REASON_NONE)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "run of equal refusals: reason 0 (none): expected why it refused");
    if (reason >= LICET_REASONS_LEN)
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0,
                          "run of equal refusals: reason %u: this version knows those up to %d", reason,
                          LICET_REASONS_LEN - 1);
    return true;
}

static bool
fields_check(const licet_refusals *r, licet_error *err)
{
    if (!reason_check(r->reason, err))
        return false;
    if ((unsigned)r->flow > 1)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "run of equal refusals: flow %u: expected 0 or 1",
                          (unsigned)r->flow);
    if (r->status > STATUS_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "run of equal refusals: status %u: expected less than 1024",
                          r->status);
    if (r->first_ms > r->last_ms || r->last_ms > U48_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 0,
                          "run of equal refusals: from %llu to %llu ms: expected not falling and less than 2^48",
                          (unsigned long long)r->first_ms, (unsigned long long)r->last_ms);
    if (r->count == 0 || r->count > LICET_REFUSALS_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "run of equal refusals: count %u: expected 1 to %d", r->count,
                          LICET_REFUSALS_MAX);
    return true;
}

static bool
sequences_check(const licet_refusals *r, licet_error *err)
{
    for (uint32_t i = 1; i < r->count; i++)
        if (r->sequences[i] <= r->sequences[i - 1])
            return LICET_FAIL(err, LICET_E_INVALID, 0,
                              "run of equal refusals: sequence %llu behind %llu: expected rising order",
                              (unsigned long long)r->sequences[i], (unsigned long long)r->sequences[i - 1]);
    if (r->sequences[r->count - 1] > U48_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "run of equal refusals: sequence %llu: expected less than 2^48",
                          (unsigned long long)r->sequences[r->count - 1]);
    return true;
}

bool
licet_refusals_encode(const licet_refusals *r, licet_buffer *out, licet_error *err)
{
    if (!fields_check(r, err) || !sequences_check(r, err))
        return false;
    size_t start = out->len;
    licet_put_u8(out, LICET_ENTRY_REFUSALS);
    licet_put_u8(out, (uint8_t)((r->flow == LICET_FLOW_PASSED_ON ? FLAG_FLOW : 0) | (r->observe ? FLAG_OBSERVE : 0)));
    licet_put_u16(out, r->gate);
    licet_put_u32(out, r->epoch);
    licet_put_u32(out, r->context);
    licet_put_u16(out, r->status);
    licet_put_u8(out, r->reason);
    licet_put_uint(out, 6, r->first_ms);
    licet_put_uint(out, 6, r->last_ms);
    licet_put_u16(out, (uint16_t)r->count);
    licet_put_uint(out, 6, r->sequences[0]);
    for (uint32_t i = 1; i < r->count; i++)
        licet_put_varint(out, r->sequences[i] - r->sequences[i - 1]);
    if (out->failed) {
        out->len = start;
        return licet_codec_full(out, LICET_ENTRY_REFUSALS, err);
    }
    return true;
}

static bool
head_decode(licet_cursor *c, licet_refusals *r, licet_error *err)
{
    uint8_t flags;
    uint16_t count;
    if (!licet_take_u8(c, &flags) || !licet_take_u16(c, &r->gate) || !licet_take_u32(c, &r->epoch) ||
        !licet_take_u32(c, &r->context) || !licet_take_u16(c, &r->status) || !licet_take_u8(c, &r->reason) ||
        !licet_take_uint(c, 6, &r->first_ms) || !licet_take_uint(c, 6, &r->last_ms) || !licet_take_u16(c, &count))
        return licet_codec_short(c, LICET_ENTRY_REFUSALS, "head", err);
    if (flags & ~(FLAG_FLOW | FLAG_OBSERVE))
        return LICET_FAIL(err, LICET_E_INVALID, 1, "run of equal refusals: flags 0x%02x: expected bits 0 and 1 alone",
                          flags);
    r->flow = flags & FLAG_FLOW ? LICET_FLOW_PASSED_ON : LICET_FLOW_ACQUIRED;
    r->observe = (flags & FLAG_OBSERVE) != 0;
    r->count = count;
    return fields_check(r, err);
}

static bool
sequences_decode(licet_cursor *c, uint32_t count, uint64_t *sequences, licet_error *err)
{
    if (!licet_take_uint(c, 6, &sequences[0]))
        return licet_codec_short(c, LICET_ENTRY_REFUSALS, "first sequence", err);
    for (uint32_t i = 1; i < count; i++) {
        uint64_t step;
        if (!licet_take_varint(c, &step))
            return LICET_FAIL(err, LICET_E_INVALID, c->pos,
                              "run of equal refusals: step to sequence %u of %u is cut, longer than needed or over 64 "
                              "bits",
                              i + 1, count);
        if (step == 0 || step > U48_MAX - sequences[i - 1])
            return LICET_FAIL(err, LICET_E_INVALID, c->pos,
                              "run of equal refusals: step %llu from sequence %llu: expected at least 1 and a sequence "
                              "below 2^48",
                              (unsigned long long)step, (unsigned long long)sequences[i - 1]);
        sequences[i] = sequences[i - 1] + step;
    }
    return true;
}

bool
licet_refusals_decode(licet_bytes entry, uint64_t *storage, licet_refusals *out_refusals, licet_error *err)
{
    licet_cursor c = {entry, 0};
    licet_refusals r = {0};
    if (!licet_codec_begin(&c, LICET_ENTRY_REFUSALS, err) || !head_decode(&c, &r, err) ||
        !sequences_decode(&c, r.count, storage, err) || !licet_codec_end(&c, LICET_ENTRY_REFUSALS, err))
        return false;
    r.sequences = storage;
    *out_refusals = r;
    return true;
}
