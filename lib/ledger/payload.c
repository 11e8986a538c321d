/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payloads of journal entries: written by the recorder, read by the fold.
 * docs/format/journal.md has them to the byte.
 */
#include "licet/ledger.h"

bool
licet_journal_put_ledger(licet_buffer *out, uint32_t ledger, licet_bytes name, licet_bytes party, uint64_t time_ms)
{
    return licet_put_u32(out, ledger) && licet_put_text(out, name) && licet_put_text(out, party) &&
           licet_put_uint(out, 6, time_ms);
}

bool
licet_journal_put_entry(licet_buffer *out, uint32_t ledger, licet_bytes entry)
{
    return licet_put_u32(out, ledger) && licet_put_bytes(out, entry);
}

bool
licet_journal_put_refusal(licet_buffer *out, uint32_t ledger, uint8_t reason, licet_bytes receipt)
{
    return licet_put_u32(out, ledger) && licet_put_u8(out, reason) && licet_put_bytes(out, receipt);
}

bool
licet_journal_put_time(licet_buffer *out, uint64_t time_ms)
{
    return licet_put_uint(out, 6, time_ms);
}

bool
licet_journal_put_ids(licet_buffer *out, uint32_t ledger, licet_identity identity, uint8_t kind, uint32_t count,
                      licet_bytes ids)
{
    return licet_put_u32(out, ledger) && licet_put_u16(out, identity.gate) && licet_put_u32(out, identity.epoch) &&
           licet_put_uint(out, 6, identity.sequence) && licet_put_u8(out, kind) && licet_put_u32(out, count) &&
           licet_put_bytes(out, ids);
}

bool
licet_journal_put_epoch(licet_buffer *out, uint16_t gate, uint32_t epoch, uint64_t time_ms)
{
    return licet_put_u16(out, gate) && licet_put_u32(out, epoch) && licet_put_uint(out, 6, time_ms);
}

bool
licet_journal_put_compare(licet_buffer *out, const licet_seen_window *window, const licet_seen_copy *copy,
                          uint32_t count)
{
    return licet_put_u32(out, window->ledger) && licet_put_u16(out, copy->identity.gate) &&
           licet_put_u32(out, copy->identity.epoch) && licet_put_uint(out, 6, copy->identity.sequence) &&
           licet_put_u8(out, window->unit) && licet_put_u8(out, window->flow) &&
           licet_put_uint(out, 6, copy->time_ms) && licet_put_u32(out, copy->context) &&
           licet_put_uint(out, 6, window->from_ms) && licet_put_uint(out, 6, window->before_ms) &&
           licet_put_text(out, window->scope) && licet_put_u32(out, count);
}

/* ---- reading ------------------------------------------------------------------------- */

static const char *
kind_text(licet_journal_kind kind)
{
    switch (kind) {
#define KIND_TEXT(number, name, text)                                                                                  \
    case LICET_JOURNAL_##name:                                                                                         \
        return text;
        LICET_JOURNAL_KINDS(KIND_TEXT)
#undef KIND_TEXT
    }
    return "unknown";
}

static void
take_rest(licet_cursor *c, licet_bytes *out)
{
    *out = (licet_bytes){c->in.data + c->pos, c->in.len - c->pos};
    c->pos = c->in.len;
}

static bool
take_ids(licet_cursor *c, licet_journal_facts *f)
{
    if (!licet_take_u32(c, &f->ledger) || !licet_take_u16(c, &f->identity.gate) ||
        !licet_take_u32(c, &f->identity.epoch) || !licet_take_uint(c, 6, &f->identity.sequence) ||
        !licet_take_u8(c, &f->unit) || !licet_take_u32(c, &f->count))
        return false;
    return licet_take_pieces(c, f->count, &f->entry);
}

static bool
take_compare(licet_cursor *c, licet_journal_facts *f)
{
    return licet_take_u32(c, &f->ledger) && licet_take_u16(c, &f->identity.gate) &&
           licet_take_u32(c, &f->identity.epoch) && licet_take_uint(c, 6, &f->identity.sequence) &&
           licet_take_u8(c, &f->unit) && licet_take_u8(c, &f->flow) && licet_take_uint(c, 6, &f->time_ms) &&
           licet_take_u32(c, &f->context) && licet_take_uint(c, 6, &f->from_ms) &&
           licet_take_uint(c, 6, &f->before_ms) && licet_take_text(c, &f->scope) && licet_take_u32(c, &f->count);
}

static bool
take_fields(licet_cursor *c, licet_journal_facts *f)
{
    switch (f->kind) {
    case LICET_JOURNAL_LEDGER:
        return licet_take_u32(c, &f->ledger) && licet_take_text(c, &f->name) && licet_take_text(c, &f->party) &&
               licet_take_uint(c, 6, &f->time_ms);
    case LICET_JOURNAL_ENTRY:
        if (!licet_take_u32(c, &f->ledger))
            return false;
        take_rest(c, &f->entry);
        return true;
    case LICET_JOURNAL_REFUSAL:
        if (!licet_take_u32(c, &f->ledger) || !licet_take_u8(c, &f->reason))
            return false;
        take_rest(c, &f->entry);
        return true;
    case LICET_JOURNAL_TICK:
    case LICET_JOURNAL_STOP:
        return licet_take_uint(c, 6, &f->time_ms);
    case LICET_JOURNAL_IDS:
        return take_ids(c, f);
    case LICET_JOURNAL_COMPARE:
        return take_compare(c, f);
    case LICET_JOURNAL_EPOCH:
        return licet_take_u16(c, &f->identity.gate) && licet_take_u32(c, &f->identity.epoch) &&
               licet_take_uint(c, 6, &f->time_ms);
    }
    return false;
}

bool
licet_journal_facts_of(const licet_journal_entry *entry, licet_journal_facts *out_facts, licet_error *err)
{
    licet_cursor c = {entry->payload, 0};
    licet_journal_facts f = {.kind = entry->kind};
    if ((unsigned)entry->kind < LICET_JOURNAL_LEDGER || (unsigned)entry->kind > LICET_JOURNAL_COMPARE)
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "journal entry %llu is of kind %u: this version knows 1 to 8",
                          (unsigned long long)entry->number, (unsigned)entry->kind);
    if (!take_fields(&c, &f))
        return LICET_FAIL(err, LICET_E_CORRUPT, c.pos,
                          "journal entry %llu (%s) of %zu bytes ends inside a field at %zu",
                          (unsigned long long)entry->number, kind_text(entry->kind), entry->payload.len, c.pos);
    if (!licet_cursor_at_end(&c))
        return LICET_FAIL(err, LICET_E_CORRUPT, c.pos, "journal entry %llu (%s): %zu bytes follow its last field",
                          (unsigned long long)entry->number, kind_text(entry->kind), c.in.len - c.pos);
    *out_facts = f;
    return true;
}
