/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receipt of one response, or of one part of a long one.
 *
 *  (1) One value, one encoding: every bit of the 37 bytes has a meaning, units rise by kind, no count is zero, each
 *      count has its shortest form. Hence decoding and encoding again gives the same bytes, for any bytes accepted.
 *  (2) Encoding writes a whole receipt or leaves the buffer as it was.
 *
 * flags, from the lowest bit:  0 flow | 1-2 basis | 3-4 verdict | 5 unmetered | 6 observe | 7 linked
 */
#include "codec.h"

#include <assert.h>

#define HEAD_LEN 37

static_assert(LICET_ENDINGS_LEN <= 64, "an ending has six bits");
static_assert(LICET_BASIS_DECLARED < 4 && LICET_VERDICT_OPEN < 4 && LICET_FLOW_PASSED_ON < 2, "bits of the flags");

static uint8_t
flags_of(const licet_receipt *r)
{
    return (uint8_t)((unsigned)r->flow | (unsigned)r->basis << 1 | (unsigned)r->verdict << 3 |
                     (unsigned)r->unmetered << 5 | (unsigned)r->observe << 6 | (unsigned)r->linked << 7);
}

static void
flags_to(uint8_t flags, licet_receipt *r)
{
    r->flow = (licet_flow)(flags & 1);
    r->basis = (licet_basis)(flags >> 1 & 3);
    r->verdict = (licet_verdict_kind)(flags >> 3 & 3);
    r->unmetered = flags >> 5 & 1;
    r->observe = flags >> 6 & 1;
    r->linked = flags >> 7 & 1;
}

static bool
enums_check(const licet_receipt *r, licet_error *err)
{
    if ((unsigned)r->flow > 1)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "receipt: flow %u: expected 0 or 1", (unsigned)r->flow);
    if ((unsigned)r->basis > 3)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "receipt: basis %u: expected 0 to 3", (unsigned)r->basis);
    if ((unsigned)r->verdict > 3)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "receipt: verdict %u: expected 0 to 3", (unsigned)r->verdict);
    if ((unsigned)r->ending >= LICET_ENDINGS_LEN)
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 31, "receipt: ending %u: this version knows 0 to %d",
                          (unsigned)r->ending, LICET_ENDINGS_LEN - 1);
    return true;
}

static bool
fields_check(const licet_receipt *r, licet_error *err)
{
    if (!enums_check(r, err))
        return false;
    if (r->identity.sequence > U48_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "receipt: sequence %llu: expected less than 2^48",
                          (unsigned long long)r->identity.sequence);
    if (r->time_ms > U48_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "receipt: time %llu ms: expected less than 2^48",
                          (unsigned long long)r->time_ms);
    if (r->status > STATUS_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "receipt: status %u: expected less than 1024", r->status);
    if (r->bytes > U40_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "receipt: %llu bytes: expected less than 2^40",
                          (unsigned long long)r->bytes);
    if (r->units_len > LICET_RECEIPT_UNITS_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "receipt: %zu unit kinds: expected at most %d", r->units_len,
                          LICET_RECEIPT_UNITS_MAX);
    return licet_codec_units_check(r->units, r->units_len, LICET_ENTRY_RECEIPT, err);
}

static uint8_t *
store(uint8_t *at, unsigned n, uint64_t value)
{
    while (n-- > 0)
        *at++ = (uint8_t)(value >> (8 * n));
    return at;
}

static uint8_t *
store_varint(uint8_t *at, uint64_t value)
{
    for (; value > 127; value >>= 7)
        *at++ = (uint8_t)(value | 128);
    *at++ = (uint8_t)value;
    return at;
}

/* Written into a fixed array first: (2), and one copy into the buffer instead of forty. */
bool
licet_receipt_encode(const licet_receipt *r, licet_buffer *out, licet_error *err)
{
    uint8_t bytes[HEAD_LEN + 11 * LICET_RECEIPT_UNITS_MAX];
    if (!fields_check(r, err))
        return false;
    uint8_t *at = bytes;
    *at++ = LICET_ENTRY_RECEIPT;
    *at++ = flags_of(r);
    at = store(at, 2, r->identity.gate);
    at = store(at, 4, r->identity.epoch);
    at = store(at, 6, r->identity.sequence);
    at = store(at, 6, r->time_ms);
    at = store(at, 2, r->part);
    at = store(at, 4, r->context);
    at = store(at, 4, r->duration_ms);
    at = store(at, 2, (uint64_t)r->status << 6 | (uint64_t)r->ending);
    at = store(at, 5, r->bytes);
    for (size_t i = 0; i < r->units_len; i++) {
        *at++ = r->units[i].kind;
        at = store_varint(at, r->units[i].count);
    }
    size_t len = (size_t)(at - bytes);
    if (len > LICET_RECEIPT_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "receipt of %zu bytes with %zu unit kinds: expected at most %d bytes",
                          len, r->units_len, LICET_RECEIPT_MAX);
    if (!licet_put_bytes(out, licet_bytes_of(bytes, len)))
        return licet_codec_full(out, LICET_ENTRY_RECEIPT, err);
    return true;
}

static uint64_t
load(const uint8_t *at, unsigned n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | *at++;
    return value;
}

/* head has HEAD_LEN bytes: the caller took them from the cursor. */
static void
head_decode(const uint8_t *head, licet_receipt *r)
{
    flags_to(head[1], r);
    r->identity.gate = (uint16_t)load(head + 2, 2);
    r->identity.epoch = (uint32_t)load(head + 4, 4);
    r->identity.sequence = load(head + 8, 6);
    r->time_ms = load(head + 14, 6);
    r->part = (uint16_t)load(head + 20, 2);
    r->context = (uint32_t)load(head + 22, 4);
    r->duration_ms = (uint32_t)load(head + 26, 4);
    r->status = (uint16_t)(load(head + 30, 2) >> 6);
    r->ending = (licet_ending)(head[31] & 63);
    r->bytes = load(head + 32, 5);
}

static bool
units_decode(licet_cursor *c, licet_receipt *r, licet_error *err)
{
    while (!licet_cursor_at_end(c)) {
        licet_receipt_unit *unit = &r->units[r->units_len];
        if (r->units_len == LICET_RECEIPT_UNITS_MAX)
            return LICET_FAIL(err, LICET_E_LIMIT, c->pos, "receipt names more than %d unit kinds",
                              LICET_RECEIPT_UNITS_MAX);
        size_t start = c->pos;
        if (!licet_take_u8(c, &unit->kind))
            return licet_codec_short(c, LICET_ENTRY_RECEIPT, "unit kind", err);
        if (!licet_take_varint(c, &unit->count))
            return LICET_FAIL(err, LICET_E_INVALID, c->pos,
                              "receipt: count of unit kind %u is cut, longer than needed or over 64 bits", unit->kind);
        r->units_len++;
        if (!licet_codec_units_check(r->units + r->units_len - (r->units_len > 1 ? 2 : 1), r->units_len > 1 ? 2 : 1,
                                     LICET_ENTRY_RECEIPT, err)) {
            if (err != NULL)
                err->offset = start;
            return false;
        }
    }
    return true;
}

bool
licet_receipt_decode(licet_bytes entry, licet_receipt *out_receipt, licet_error *err)
{
    licet_cursor c = {entry, 0};
    licet_bytes head;
    licet_receipt r;
    if (entry.len > LICET_RECEIPT_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "receipt of %zu bytes: expected at most %d", entry.len,
                          LICET_RECEIPT_MAX);
    if (!licet_codec_begin(&c, LICET_ENTRY_RECEIPT, err))
        return false;
    c.pos = 0;
    if (!licet_take_bytes(&c, HEAD_LEN, &head))
        return LICET_FAIL(err, LICET_E_INVALID, entry.len, "receipt of %zu bytes: expected at least %d", entry.len,
                          HEAD_LEN);
    head_decode(head.data, &r);
    r.units_len = 0;
    if (!enums_check(&r, err) || !units_decode(&c, &r, err))
        return false;
    *out_receipt = r;
    return true;
}
