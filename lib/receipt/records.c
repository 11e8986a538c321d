/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: every entry of a ledger that is no receipt and no run of refusals.
 * docs/format/records.md has each to the byte.
 *
 *  (1) One value, one encoding, as for receipts.
 *  (2) Decoded texts are views into the entry.
 *  (3) Encoding writes a whole record or leaves the buffer's length as it was.
 */
#include "codec.h"

#include <string.h>

#define LEDGER_NAME_MAX 64
#define UNIT_NAME_MAX 255

/* The last step of every encoder: start is the buffer's length before it. */
static bool
finish(licet_buffer *out, size_t start, licet_entry_kind kind, licet_error *err)
{
    if (out->failed) {
        out->len = start;
        return licet_codec_full(out, kind, err);
    }
    if (out->len - start > LICET_ENTRY_MAX) {
        size_t len = out->len - start;
        out->len = start;
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s of %zu bytes: expected at most %d",
                          licet_entry_kind_text((uint8_t)kind), len, LICET_ENTRY_MAX);
    }
    return true;
}

static bool
entry_len_check(licet_bytes entry, licet_entry_kind kind, licet_error *err)
{
    if (entry.len > LICET_ENTRY_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s of %zu bytes: expected at most %d",
                          licet_entry_kind_text((uint8_t)kind), entry.len, LICET_ENTRY_MAX);
    return true;
}

static bool
begin(licet_cursor *c, licet_entry_kind kind, licet_error *err)
{
    return entry_len_check(c->in, kind, err) && licet_codec_begin(c, kind, err);
}

static bool
text_len_check(licet_bytes text, licet_entry_kind kind, const char *field, licet_error *err)
{
    if (text.len > LICET_ENTRY_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: field '%s' of %zu bytes: expected at most %d",
                          licet_entry_kind_text((uint8_t)kind), field, text.len, LICET_ENTRY_MAX);
    return true;
}

static bool
time_check(uint64_t time_ms, licet_entry_kind kind, licet_error *err)
{
    if (time_ms > U48_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "%s: time %llu ms: expected less than 2^48",
                          licet_entry_kind_text((uint8_t)kind), (unsigned long long)time_ms);
    return true;
}

/* ---- context ------------------------------------------------------------ */

bool
licet_context_encode(uint32_t number, const licet_context *context, licet_buffer *out, licet_error *err)
{
#define CONTEXT_CHECK(name)                                                                                            \
    if (!text_len_check(context->name, LICET_ENTRY_CONTEXT, #name, err))                                               \
        return false;
    LICET_CONTEXT_FIELDS(CONTEXT_CHECK)
#undef CONTEXT_CHECK
    size_t start = out->len;
    licet_put_u8(out, LICET_ENTRY_CONTEXT);
    licet_put_u32(out, number);
#define CONTEXT_PUT(name) licet_put_text(out, context->name);
    LICET_CONTEXT_FIELDS(CONTEXT_PUT)
#undef CONTEXT_PUT
    return finish(out, start, LICET_ENTRY_CONTEXT, err);
}

bool
licet_context_decode(licet_bytes entry, uint32_t *out_number, licet_context *out_context, licet_error *err)
{
    licet_cursor c = {entry, 0};
    uint32_t number;
    licet_context context;
    if (!begin(&c, LICET_ENTRY_CONTEXT, err))
        return false;
    if (!licet_take_u32(&c, &number))
        return licet_codec_short(&c, LICET_ENTRY_CONTEXT, "number", err);
#define CONTEXT_TAKE(name)                                                                                             \
    if (!licet_take_text(&c, &context.name))                                                                           \
        return licet_codec_short(&c, LICET_ENTRY_CONTEXT, #name, err);
    LICET_CONTEXT_FIELDS(CONTEXT_TAKE)
#undef CONTEXT_TAKE
    if (!licet_codec_end(&c, LICET_ENTRY_CONTEXT, err))
        return false;
    *out_number = number;
    *out_context = context;
    return true;
}

/* ---- unit kind ----------------------------------------------------------- */

static bool
unit_name_check(licet_bytes name, licet_error *err)
{
    if (name.len == 0 || name.len > UNIT_NAME_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 2, "unit kind: name of %zu bytes: expected 1 to %d", name.len,
                          UNIT_NAME_MAX);
    return true;
}

bool
licet_unit_encode(uint8_t number, licet_bytes name, licet_buffer *out, licet_error *err)
{
    if (!unit_name_check(name, err))
        return false;
    size_t start = out->len;
    licet_put_u8(out, LICET_ENTRY_UNIT);
    licet_put_u8(out, number);
    licet_put_text(out, name);
    return finish(out, start, LICET_ENTRY_UNIT, err);
}

bool
licet_unit_decode(licet_bytes entry, uint8_t *out_number, licet_bytes *out_name, licet_error *err)
{
    licet_cursor c = {entry, 0};
    uint8_t number;
    licet_bytes name;
    if (!begin(&c, LICET_ENTRY_UNIT, err))
        return false;
    if (!licet_take_u8(&c, &number) || !licet_take_text(&c, &name))
        return licet_codec_short(&c, LICET_ENTRY_UNIT, "number and name", err);
    if (!unit_name_check(name, err) || !licet_codec_end(&c, LICET_ENTRY_UNIT, err))
        return false;
    *out_number = number;
    *out_name = name;
    return true;
}

/* ---- fold version --------------------------------------------------------- */

static bool
name_byte(uint8_t b, bool first)
{
    bool alnum = (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z');
    return alnum || (!first && (b == '.' || b == '_' || b == '-'));
}

static bool
fold_start_check(const licet_fold_start *start, licet_error *err)
{
    if (start->fold_version == 0)
        return LICET_FAIL(err, LICET_E_INVALID, 1, "fold version 0: expected at least 1");
    if (start->ledger.len == 0 || start->ledger.len > LEDGER_NAME_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 3, "fold version: ledger name of %zu bytes: expected 1 to %d",
                          start->ledger.len, LEDGER_NAME_MAX);
    for (size_t i = 0; i < start->ledger.len; i++)
        if (!name_byte(start->ledger.data[i], i == 0))
            return LICET_FAIL(err, LICET_E_INVALID, 5 + i,
                              "fold version: byte 0x%02x in the ledger name: expected [A-Za-z0-9][A-Za-z0-9._-]*",
                              start->ledger.data[i]);
    if (!licet_bytes_equal_text(start->party, "licensor") && !licet_bytes_equal_text(start->party, "licensee"))
        return LICET_FAIL(err, LICET_E_INVALID, 0, "fold version: party \"%.*s\": expected licensor or licensee",
                          (int)(start->party.len < 40 ? start->party.len : 40), (const char *)start->party.data);
    return time_check(start->time_ms, LICET_ENTRY_FOLD, err);
}

bool
licet_fold_start_encode(const licet_fold_start *start, licet_buffer *out, licet_error *err)
{
    if (!fold_start_check(start, err))
        return false;
    size_t begin_at = out->len;
    licet_put_u8(out, LICET_ENTRY_FOLD);
    licet_put_u16(out, start->fold_version);
    licet_put_text(out, start->ledger);
    licet_put_text(out, start->party);
    licet_put_uint(out, 6, start->time_ms);
    return finish(out, begin_at, LICET_ENTRY_FOLD, err);
}

bool
licet_fold_start_decode(licet_bytes entry, licet_fold_start *out_start, licet_error *err)
{
    licet_cursor c = {entry, 0};
    licet_fold_start start;
    if (!begin(&c, LICET_ENTRY_FOLD, err))
        return false;
    if (!licet_take_u16(&c, &start.fold_version) || !licet_take_text(&c, &start.ledger) ||
        !licet_take_text(&c, &start.party) || !licet_take_uint(&c, 6, &start.time_ms))
        return licet_codec_short(&c, LICET_ENTRY_FOLD, "version, ledger, party and time", err);
    if (!fold_start_check(&start, err) || !licet_codec_end(&c, LICET_ENTRY_FOLD, err))
        return false;
    *out_start = start;
    return true;
}

/* ---- agreement version ------------------------------------------------------ */

static bool
take_hash(licet_cursor *c, licet_hash *out)
{
    licet_bytes bytes;
    if (!licet_take_bytes(c, sizeof(out->bytes), &bytes))
        return false;
    memcpy(out->bytes, bytes.data, sizeof(out->bytes));
    return true;
}

static void
put_hash(licet_buffer *out, const licet_hash *hash)
{
    licet_put_bytes(out, licet_bytes_of(hash->bytes, sizeof(hash->bytes)));
}

bool
licet_version_encode(const licet_version_record *record, licet_buffer *out, licet_error *err)
{
    if (!time_check(record->time_ms, LICET_ENTRY_VERSION, err) ||
        !text_len_check(record->version, LICET_ENTRY_VERSION, "version", err) ||
        !text_len_check(record->catalogue, LICET_ENTRY_VERSION, "catalogue", err))
        return false;
    size_t start = out->len;
    licet_put_u8(out, LICET_ENTRY_VERSION);
    licet_put_uint(out, 6, record->time_ms);
    licet_put_u64(out, record->image);
    licet_put_text(out, record->version);
    licet_put_text(out, record->catalogue);
    put_hash(out, &record->agreement_sha256);
    put_hash(out, &record->catalogue_sha256);
    put_hash(out, &record->apps_commitment);
    put_hash(out, &record->reason_commitment);
    return finish(out, start, LICET_ENTRY_VERSION, err);
}

bool
licet_version_decode(licet_bytes entry, licet_version_record *out_record, licet_error *err)
{
    licet_cursor c = {entry, 0};
    licet_version_record record;
    if (!begin(&c, LICET_ENTRY_VERSION, err))
        return false;
    if (!licet_take_uint(&c, 6, &record.time_ms) || !licet_take_u64(&c, &record.image) ||
        !licet_take_text(&c, &record.version) || !licet_take_text(&c, &record.catalogue))
        return licet_codec_short(&c, LICET_ENTRY_VERSION, "time, image, version and catalogue", err);
    if (!take_hash(&c, &record.agreement_sha256) || !take_hash(&c, &record.catalogue_sha256) ||
        !take_hash(&c, &record.apps_commitment) || !take_hash(&c, &record.reason_commitment))
        return licet_codec_short(&c, LICET_ENTRY_VERSION, "hashes", err);
    if (!licet_codec_end(&c, LICET_ENTRY_VERSION, err))
        return false;
    *out_record = record;
    return true;
}

/* ---- gap ----------------------------------------------------------------------- */

const char *
licet_gap_cause_text(licet_gap_cause cause)
{
    static const char *const texts[] = {"?", "power loss", "admitted without a slot",
                                        "power loss, perhaps admitted without a slot"};

    return texts[(unsigned)cause < sizeof(texts) / sizeof(texts[0]) ? (unsigned)cause : 0];
}

static bool
gap_check(const licet_gap *gap, licet_error *err)
{
    if (gap->cause < LICET_GAP_POWER_LOSS || gap->cause > LICET_GAP_OUTAGE)
        return LICET_FAIL(err, LICET_E_INVALID, 1, "gap: cause %u: expected 1, 2 or 3", (unsigned)gap->cause);
    if (gap->from_ms > gap->to_ms)
        return LICET_FAIL(err, LICET_E_INVALID, 8, "gap from %llu to %llu ms: expected not falling",
                          (unsigned long long)gap->from_ms, (unsigned long long)gap->to_ms);
    return time_check(gap->to_ms, LICET_ENTRY_GAP, err);
}

static void
put_totals(licet_buffer *out, const licet_receipt_unit *units, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        licet_put_u8(out, units[i].kind);
        licet_put_u64(out, units[i].count);
    }
}

static bool
totals_check(const licet_receipt_unit *units, size_t len, size_t max, licet_entry_kind kind, licet_error *err)
{
    if (len > max)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s names %zu unit kinds: expected at most %zu",
                          licet_entry_kind_text((uint8_t)kind), len, max);
    return licet_codec_units_check(units, len, kind, err);
}

bool
licet_gap_encode(const licet_gap *gap, licet_buffer *out, licet_error *err)
{
    if (!gap_check(gap, err) || !totals_check(gap->units, gap->units_len, LICET_KINDS_MAX, LICET_ENTRY_GAP, err))
        return false;
    size_t start = out->len;
    licet_put_u8(out, LICET_ENTRY_GAP);
    licet_put_u8(out, (uint8_t)gap->cause);
    licet_put_u16(out, gap->gate);
    licet_put_u32(out, gap->epoch);
    licet_put_uint(out, 6, gap->from_ms);
    licet_put_uint(out, 6, gap->to_ms);
    licet_put_u64(out, gap->requests);
    put_totals(out, gap->units, gap->units_len);
    return finish(out, start, LICET_ENTRY_GAP, err);
}

bool
licet_gap_decode(licet_bytes entry, licet_gap *out_gap, licet_error *err)
{
    licet_cursor c = {entry, 0};
    licet_gap gap;
    uint8_t cause;
    if (!begin(&c, LICET_ENTRY_GAP, err))
        return false;
    if (!licet_take_u8(&c, &cause) || !licet_take_u16(&c, &gap.gate) || !licet_take_u32(&c, &gap.epoch) ||
        !licet_take_uint(&c, 6, &gap.from_ms) || !licet_take_uint(&c, 6, &gap.to_ms) ||
        !licet_take_u64(&c, &gap.requests))
        return licet_codec_short(&c, LICET_ENTRY_GAP, "head", err);
    gap.cause = (licet_gap_cause)cause;
    if (!gap_check(&gap, err) ||
        !licet_codec_totals(&c, LICET_ENTRY_GAP, gap.units, LICET_KINDS_MAX, &gap.units_len, err))
        return false;
    *out_gap = gap;
    return true;
}

/* ---- period close --------------------------------------------------------------- */

static bool
period_check(const licet_period *period, licet_error *err)
{
    if (period->from_ms >= period->before_ms)
        return LICET_FAIL(err, LICET_E_INVALID, 1, "period close from %llu before %llu ms: expected rising",
                          (unsigned long long)period->from_ms, (unsigned long long)period->before_ms);
    return time_check(period->before_ms, LICET_ENTRY_PERIOD, err);
}

bool
licet_period_encode(const licet_period *period, licet_buffer *out, licet_error *err)
{
    if (!period_check(period, err) ||
        !totals_check(period->units, period->units_len, LICET_PERIOD_UNITS_MAX, LICET_ENTRY_PERIOD, err))
        return false;
    size_t start = out->len;
    licet_put_u8(out, LICET_ENTRY_PERIOD);
    licet_put_uint(out, 6, period->from_ms);
    licet_put_uint(out, 6, period->before_ms);
    licet_put_u64(out, period->entries);
    licet_put_u64(out, period->receipts);
    licet_put_u64(out, period->refused);
    put_totals(out, period->units, period->units_len);
    return finish(out, start, LICET_ENTRY_PERIOD, err);
}

bool
licet_period_decode(licet_bytes entry, licet_period *out_period, licet_error *err)
{
    licet_cursor c = {entry, 0};
    licet_period period;
    if (!begin(&c, LICET_ENTRY_PERIOD, err))
        return false;
    if (!licet_take_uint(&c, 6, &period.from_ms) || !licet_take_uint(&c, 6, &period.before_ms) ||
        !licet_take_u64(&c, &period.entries) || !licet_take_u64(&c, &period.receipts) ||
        !licet_take_u64(&c, &period.refused))
        return licet_codec_short(&c, LICET_ENTRY_PERIOD, "head", err);
    if (!period_check(&period, err) ||
        !licet_codec_totals(&c, LICET_ENTRY_PERIOD, period.units, LICET_PERIOD_UNITS_MAX, &period.units_len, err))
        return false;
    *out_period = period;
    return true;
}

/* ---- unidentified callers ---------------------------------------------------------- */

static bool
unidentified_check(const licet_unidentified *record, licet_error *err)
{
    if (record->reason == LICET_REASON_NONE)
        return LICET_FAIL(err, LICET_E_INVALID, 5, "unidentified callers: reason 0 (none): expected why it refused");
    if (record->reason >= LICET_REASONS_LEN)
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 5,
                          "unidentified callers: reason %u: this version knows those up to %d", record->reason,
                          LICET_REASONS_LEN - 1);
    if (record->count == 0)
        return LICET_FAIL(err, LICET_E_INVALID, 6, "unidentified callers: count 0: expected no record at all");
    return true;
}

bool
licet_unidentified_encode(const licet_unidentified *record, licet_buffer *out, licet_error *err)
{
    if (!unidentified_check(record, err))
        return false;
    size_t start = out->len;
    licet_put_u8(out, LICET_ENTRY_UNIDENTIFIED);
    licet_put_u32(out, record->minute);
    licet_put_u8(out, record->reason);
    licet_put_u64(out, record->count);
    return finish(out, start, LICET_ENTRY_UNIDENTIFIED, err);
}

bool
licet_unidentified_decode(licet_bytes entry, licet_unidentified *out_record, licet_error *err)
{
    licet_cursor c = {entry, 0};
    licet_unidentified record;
    if (!begin(&c, LICET_ENTRY_UNIDENTIFIED, err))
        return false;
    if (!licet_take_u32(&c, &record.minute) || !licet_take_u8(&c, &record.reason) || !licet_take_u64(&c, &record.count))
        return licet_codec_short(&c, LICET_ENTRY_UNIDENTIFIED, "minute, reason and count", err);
    if (!unidentified_check(&record, err) || !licet_codec_end(&c, LICET_ENTRY_UNIDENTIFIED, err))
        return false;
    *out_record = record;
    return true;
}

/* ---- refusals without a receipt -------------------------------------------------------- */

static bool
refused_check(const licet_refused *record, licet_error *err)
{
    if (record->to_ms < record->from_ms)
        return LICET_FAIL(err, LICET_E_INVALID, 7, "refusals without a receipt: to %llu before from %llu",
                          (unsigned long long)record->to_ms, (unsigned long long)record->from_ms);
    if (record->reason == LICET_REASON_NONE)
        return LICET_FAIL(err, LICET_E_INVALID, 13,
                          "refusals without a receipt: reason 0 (none): expected why it refused");
    if (record->reason >= LICET_REASONS_LEN)
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 13,
                          "refusals without a receipt: reason %u: this version knows those up to %d", record->reason,
                          LICET_REASONS_LEN - 1);
    if (record->count == 0)
        return LICET_FAIL(err, LICET_E_INVALID, 14, "refusals without a receipt: count 0: expected no record at all");
    return time_check(record->to_ms, LICET_ENTRY_REFUSED, err);
}

bool
licet_refused_encode(const licet_refused *record, licet_buffer *out, licet_error *err)
{
    if (!refused_check(record, err))
        return false;
    size_t start = out->len;
    licet_put_u8(out, LICET_ENTRY_REFUSED);
    licet_put_uint(out, 6, record->from_ms);
    licet_put_uint(out, 6, record->to_ms);
    licet_put_u8(out, record->reason);
    licet_put_u64(out, record->count);
    return finish(out, start, LICET_ENTRY_REFUSED, err);
}

bool
licet_refused_decode(licet_bytes entry, licet_refused *out_record, licet_error *err)
{
    licet_cursor c = {entry, 0};
    licet_refused record;
    if (!begin(&c, LICET_ENTRY_REFUSED, err))
        return false;
    if (!licet_take_uint(&c, 6, &record.from_ms) || !licet_take_uint(&c, 6, &record.to_ms) ||
        !licet_take_u8(&c, &record.reason) || !licet_take_u64(&c, &record.count))
        return licet_codec_short(&c, LICET_ENTRY_REFUSED, "from, to, reason and count", err);
    if (!refused_check(&record, err) || !licet_codec_end(&c, LICET_ENTRY_REFUSED, err))
        return false;
    *out_record = record;
    return true;
}

/* ---- any entry ------------------------------------------------------------------------- */

bool
licet_entry_check(licet_bytes entry, licet_error *err)
{
    union {
        licet_receipt receipt;
        struct {
            licet_refusals run;
            uint64_t sequences[LICET_REFUSALS_MAX];
        } refusals;
        licet_fold_start fold;
        licet_context context;
        licet_version_record version;
        licet_gap gap;
        licet_period period;
        licet_unidentified unidentified;
        licet_refused refused;
        licet_duplicates duplicates;
        licet_change_record change;
        licet_acceptance_record acceptance;
        struct {
            licet_peers record;
            licet_peer list[LICET_PEERS_MAX];
        } peers;
        struct {
            licet_disclosure record;
            licet_disclosure_file files[LICET_DISCLOSURE_FILES_MAX];
        } disclosure;
    } out;
    uint32_t number;
    uint8_t kind;
    licet_bytes name;
    if (entry.len == 0)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "entry of 0 bytes: expected at least its kind");
    switch (entry.data[0]) {
    case LICET_ENTRY_RECEIPT:
        return licet_receipt_decode(entry, &out.receipt, err);
    case LICET_ENTRY_REFUSALS:
        return licet_refusals_decode(entry, out.refusals.sequences, &out.refusals.run, err);
    case LICET_ENTRY_FOLD:
        return licet_fold_start_decode(entry, &out.fold, err);
    case LICET_ENTRY_CONTEXT:
        return licet_context_decode(entry, &number, &out.context, err);
    case LICET_ENTRY_UNIT:
        return licet_unit_decode(entry, &kind, &name, err);
    case LICET_ENTRY_VERSION:
        return licet_version_decode(entry, &out.version, err);
    case LICET_ENTRY_GAP:
        return licet_gap_decode(entry, &out.gap, err);
    case LICET_ENTRY_PERIOD:
        return licet_period_decode(entry, &out.period, err);
    case LICET_ENTRY_UNIDENTIFIED:
        return licet_unidentified_decode(entry, &out.unidentified, err);
    case LICET_ENTRY_REFUSED:
        return licet_refused_decode(entry, &out.refused, err);
    case LICET_ENTRY_DUPLICATES:
        return licet_duplicates_decode(entry, &out.duplicates, err);
    case LICET_ENTRY_CHANGE:
        return licet_change_decode(entry, &out.change, err);
    case LICET_ENTRY_ACCEPTANCE:
        return licet_acceptance_decode(entry, &out.acceptance, err);
    case LICET_ENTRY_PEERS:
        return licet_peers_decode(entry, out.peers.list, &out.peers.record, err);
    case LICET_ENTRY_DISCLOSURE:
        return licet_disclosure_decode(entry, out.disclosure.files, &out.disclosure.record, err);
    default:
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "entry of kind %u: this version does not know it",
                          entry.data[0]);
    }
}
