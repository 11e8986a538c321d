/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision that was made, as JSON. Amounts are units of the limit's kind, as in the words.
 */
#include "decision.h"

#include <string.h>

static json_t *
text(const char *value)
{
    return value != NULL ? licet_cli_json_text(licet_bytes_of_text(value)) : json_null();
}

static json_t *
bytes(licet_bytes value)
{
    return value.len > 0 ? licet_cli_json_text(value) : json_null();
}

static json_t *
number(uint64_t value)
{
    return json_integer(value <= INT64_MAX ? (json_int_t)value : INT64_MAX);
}

static json_t *
time_of(uint64_t ms)
{
    char out[LICET_TIME_TEXT];

    if (ms == UINT64_MAX) {
        return json_null();
    }
    licet_time_format(ms, out);
    return json_string(out);
}

static json_t *
facts(const decision_record *record)
{
    json_t *out = json_object();

    json_object_set_new(out, "flow",
                        json_string(record->receipt.flow == LICET_FLOW_PASSED_ON ? "passed-on" : "acquired"));
#define SET(name) json_object_set_new(out, #name, bytes(record->context.name));
    LICET_CONTEXT_FIELDS(SET)
#undef SET
    return out;
}

static json_t *
terms(const decision *d)
{
    if (d->terms.image == NULL || !d->then->known) {
        return json_pack("{s:o, s:o}", "image", d->terms.number == 0 ? json_null() : number(d->terms.number), "why_not",
                         text(d->terms.image == NULL ? d->terms.why_not : "the terms of that time name no such app"));
    }
    return json_pack("{s:o, s:o, s:o, s:s, s:b, s:o, s:s}", "image", number(d->terms.number), "applied",
                     time_of(d->terms.time_ms), "why", text(d->terms.reason), "from",
                     d->terms.anew ? "recorded files" : "store", "agrees", d->agrees, "rules",
                     licet_explain_rules_json(d->terms.image, &d->then->explanation), "says",
                     licet_reason_slug(d->then->explanation.verdict.reason));
}

static json_t *
changes(const decision *d)
{
    static const licet_hash zero;
    json_t *out = json_array();

    for (size_t i = 0; i < d->changes.len; i++) {
        const decision_change *c = &d->changes.list[i];
        char hex[2 * LICET_SHA256_LEN + 1];

        licet_hex(c->record.document.bytes, LICET_SHA256_LEN, hex);
        json_array_append_new(
            out, json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "subject",
                           licet_subject_name(c->record.subject), "id", text(c->id), "action",
                           licet_action_name(c->record.action), "recorded", time_of(c->record.time_ms), "image",
                           number(c->record.image), "from",
                           c->record.from_ms == 0 ? json_null() : time_of(c->record.from_ms), "back_dated",
                           (c->record.flags & LICET_CHANGE_BACK_DATED) != 0, "words", text(c->words), "who",
                           text(c->who), "as", text(c->as), "approved_by", text(c->approved), "document",
                           memcmp(&c->record.document, &zero, sizeof(zero)) == 0 ? json_null() : json_string(hex),
                           "erased", c->erased, "differs", c->differs));
    }
    return out;
}

static json_t *
limit(const decision *d, uint32_t i)
{
    const licet_image *image = d->terms.image;
    const licet_verdict_limit *bound = &d->then->explanation.amounts.limits[i];
    const licet_image_limit *row = &image->limits[bound->limit];
    const decision_use *use = &d->then->use[i];
    uint64_t took = use->own > use->own_credited ? use->own - use->own_credited : 0;
    bool known = row->per != LICET_PER_CONCURRENT;
    char per[LICET_PER_TEXT];

    licet_limit_per(row, per);
    return json_pack(
        "{s:o, s:o, s:s, s:o, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "name",
        licet_cli_json_text(licet_image_limit_name(image, row)), "clause",
        licet_explain_clause_json(image, row->clause), "set_by", row->set_by == LICET_SET_BY_US ? "us" : "contract",
        "unit", licet_cli_json_text(licet_image_text(image, image->header->kinds[row->kind])), "per", per, "over",
        licet_over_name(row->over), "observe", bound->observe, "most", number(bound->most / bound->weight), "from",
        known ? time_of(use->begin_ms) : json_null(), "before_time", known ? time_of(use->end_ms) : json_null(),
        "before", known ? number(use->before / bound->weight) : json_null(), "after",
        known ? number((use->before + took) / bound->weight) : json_null(), "exact", known && use->gaps == 0, "hidden",
        number(use->hidden / bound->weight));
}

static json_t *
limits(const decision *d)
{
    json_t *out = json_array();

    for (uint32_t i = 0; d->then->known && i < d->then->explanation.amounts.limits_len; i++) {
        json_array_append_new(out, limit(d, i));
    }
    return out;
}

static json_t *
reserved(const decision *d, const char *name)
{
    const licet_image *image = d->then->known ? d->terms.image : NULL;
    uint64_t least, most;

    for (uint32_t kind = 0; image != NULL && kind < image->header->kinds_len; kind++) {
        if (licet_bytes_equal_text(licet_image_text(image, image->header->kinds[kind]), name)) {
            decision_reserved(d, kind, &least, &most);
            return json_pack("{s:o, s:o}", "least", number(least), "most", number(most));
        }
    }
    return json_null();
}

/* Every recorded kind that is one of units: what it counted, what stays held, what was credited. */
static json_t *
units(const decision *d)
{
    const decision_record *record = &d->record;
    json_t *out = json_object();

    for (unsigned i = 0; i < DECISION_KINDS; i++) {
        const char *name = record->kinds[i];

        if (name == NULL || (record->units[i] == 0 && record->credited[i] == 0) || strncmp(name, "observed:", 9) == 0) {
            continue;
        }
        json_object_set_new(out, name,
                            json_pack("{s:o, s:o, s:o}", "counted", number(record->units[i]), "reserved",
                                      reserved(d, name), "credited", number(record->credited[i])));
    }
    return out;
}

static json_t *
outcome(const decision *d)
{
    const decision_record *record = &d->record;
    const licet_receipt *receipt = &record->receipt;
    char ending[300], hex[LICET_DECISION_TEXT];

    decision_ending(d, ending, sizeof(ending));
    licet_hex(record->peer, sizeof(record->peer), hex);
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:o, s:o, s:i, s:o, s:o}", "verdict",
                     licet_verdict_name(receipt->verdict), "reason", licet_reason_slug(record->reason), "status",
                     (int)receipt->status, "ending", licet_ending_text(receipt->ending), "ended", ending, "bytes",
                     number(receipt->bytes), "duration_ms", number(receipt->duration_ms), "equal_refusals",
                     (int)record->run, "peer", record->has_peer ? json_string(hex) : json_null(), "disclosed",
                     record->disclosed ? json_pack("{s:o, s:o}", "total", number(record->disclosure.total), "distinct",
                                                   number(record->disclosure.distinct))
                                       : json_null());
}

static json_t *
today(const decision *d)
{
    const decision_today *t = &d->difference;
    licet_bytes rest = licet_buffer_view(&t->words);
    json_t *lines = json_array();

    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len;

        json_array_append_new(lines, licet_cli_json_text(licet_bytes_of(rest.data, len)));
        rest = end != NULL ? licet_bytes_of(rest.data + len + 1, rest.len - len - 1) : licet_bytes_of(NULL, 0);
    }
    return json_pack("{s:b, s:o, s:o, s:o, s:o}", "same", !t->differs && !t->differs_now, "at_that_time",
                     t->differs ? text(t->then) : json_null(), "now", t->differs_now ? text(t->now) : json_null(),
                     "changes", lines, "changes_left_out", number(t->left_out));
}

json_t *
decision_json(const decision *d)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "decision", d->record.id, "agreement",
                     d->record.ledger, "entry", number(d->record.index), "at", time_of(d->record.receipt.time_ms),
                     "facts", facts(&d->record), "terms", terms(d), "registry", changes(d), "limits", limits(d),
                     "units", units(d), "outcome", outcome(d), "today", today(d));
}
