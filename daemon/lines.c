/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines: see lines.h.
 */
#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXTS_MAX (1u << 21)

typedef struct copy {
    uint8_t *data;
    size_t len;
} copy;

struct licet_lines {
    char agreement[LICET_NAME_MAX + 1];
    uint8_t key[16];
    copy *contexts; /* context records by number */
    size_t contexts_len;
    copy units[256];
    uint64_t sequences[LICET_REFUSALS_MAX];
    licet_peers peers; /* of the last record of them */
    licet_peer peers_list[LICET_PEERS_MAX];
};

bool
licet_lines_new(const char *agreement, const uint8_t decision_key[16], licet_lines **out_lines, licet_error *err)
{
    licet_lines *lines = calloc(1, sizeof(*lines));

    if (lines == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to read ledger %s", agreement);
    }
    snprintf(lines->agreement, sizeof(lines->agreement), "%s", agreement);
    memcpy(lines->key, decision_key, sizeof(lines->key));
    *out_lines = lines;
    return true;
}

void
licet_lines_free(licet_lines *lines)
{
    if (lines == NULL) {
        return;
    }
    for (size_t i = 0; i < lines->contexts_len; i++) {
        free(lines->contexts[i].data);
    }
    for (size_t i = 0; i < 256; i++) {
        free(lines->units[i].data);
    }
    free(lines->contexts);
    explicit_bzero(lines->key, sizeof(lines->key));
    free(lines);
}

static bool
keep(copy *place, licet_bytes bytes, licet_error *err)
{
    uint8_t *data = malloc(bytes.len > 0 ? bytes.len : 1);

    if (data == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a dictionary record");
    }
    memcpy(data, bytes.data, bytes.len);
    free(place->data);
    *place = (copy){data, bytes.len};
    return true;
}

static bool
learn_context(licet_lines *lines, licet_bytes entry, licet_error *err)
{
    licet_context context;
    uint32_t number;

    if (!licet_context_decode(entry, &number, &context, err)) {
        return false;
    }
    if (number >= CONTEXTS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "context %u: expected less than %u", number, CONTEXTS_MAX);
    }
    if (number >= lines->contexts_len) {
        size_t len = (size_t)number * 2 + 64;
        copy *grown = realloc(lines->contexts, len * sizeof(*grown));

        if (grown == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu contexts", len);
        }
        memset(grown + lines->contexts_len, 0, (len - lines->contexts_len) * sizeof(*grown));
        lines->contexts = grown;
        lines->contexts_len = len;
    }
    return keep(&lines->contexts[number], entry, err);
}

bool
licet_lines_learn(licet_lines *lines, licet_bytes entry, licet_error *err)
{
    licet_bytes name;
    uint8_t number;

    if (entry.len > 0 && entry.data[0] == LICET_ENTRY_CONTEXT) {
        return learn_context(lines, entry, err);
    }
    if (entry.len > 0 && entry.data[0] == LICET_ENTRY_UNIT) {
        return licet_unit_decode(entry, &number, &name, err) && keep(&lines->units[number], name, err);
    }
    if (entry.len > 0 && entry.data[0] == LICET_ENTRY_PEERS) {
        return licet_peers_decode(entry, lines->peers_list, &lines->peers, err);
    }
    return true;
}

void
licet_lines_put_string(licet_buffer *out, const char *key, licet_bytes text)
{
    licet_put_format(out, "\"%s\":\"", key);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];

        if (c == '"' || c == '\\') {
            licet_put_u8(out, '\\');
            licet_put_u8(out, c);
        } else {
            licet_put_u8(out, c < 0x20 || c > 0x7e ? '?' : c);
        }
    }
    licet_put_u8(out, '"');
}

static void
put_name(licet_buffer *out, const char *key, licet_bytes text)
{
    licet_put_u8(out, ',');
    if (text.len == 0) {
        licet_put_format(out, "\"%s\":null", key);
    } else {
        licet_lines_put_string(out, key, text);
    }
}

static bool
context_of(const licet_lines *lines, uint32_t number, licet_context *out, licet_error *err)
{
    uint32_t same;

    if (number >= lines->contexts_len || lines->contexts[number].data == NULL) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "ledger %s: context %u was never said", lines->agreement, number);
    }
    return licet_context_decode(licet_bytes_of(lines->contexts[number].data, lines->contexts[number].len), &same, out,
                                err);
}

/* What the peer's own gate called the response; nothing where it did not say. */
static void
put_peer(const uint8_t *id, licet_buffer *out)
{
    char text[LICET_DECISION_TEXT];

    if (id != NULL) {
        licet_hex(id, 16, text);
        licet_put_format(out, ",\"peer\":\"%s\"", text);
    }
}

/* What every line begins with. */
static void
put_head(const licet_lines *lines, uint64_t index, licet_identity identity, uint64_t time_ms,
         const licet_context *context, licet_buffer *out)
{
    char time[LICET_TIME_TEXT], decision[LICET_DECISION_TEXT];

    licet_time_format(time_ms, time);
    licet_decision_id(lines->key, identity, decision);
    licet_put_format(out, "{\"index\":%llu,\"time\":\"%s\",\"decision\":\"%s\"", (unsigned long long)index, time,
                     decision);
    put_peer(licet_peers_find(&lines->peers, identity), out);
    put_name(out, "agreement", licet_bytes_of_text(lines->agreement));
    put_name(out, "app", context->app);
    put_name(out, "product", context->product);
    put_name(out, "use_case", context->use_case);
    put_name(out, "purpose", context->purpose);
    put_name(out, "recipient", context->recipient);
    put_name(out, "endpoint", context->endpoint);
    put_name(out, "clause", context->clause);
}

static bool
starts_with(licet_bytes name, const char *prefix)
{
    size_t len = strlen(prefix);

    return name.len > len && memcmp(name.data, prefix, len) == 0;
}

/* Why a request would have been refused that was passed in observe mode; 'none' where the receipt does not say. */
static licet_bytes
observed_reason(const licet_lines *lines, const licet_receipt *receipt)
{
    for (size_t i = 0; i < receipt->units_len; i++) {
        const copy *unit = &lines->units[receipt->units[i].kind];
        licet_bytes name = {unit->data, unit->len};

        if (starts_with(name, "observed:")) {
            return licet_bytes_of(name.data + 9, name.len - 9);
        }
    }
    return LICET_BYTES_LITERAL("none");
}

static void
put_units(const licet_lines *lines, const licet_receipt *receipt, licet_buffer *out)
{
    licet_bytes unmetered = {NULL, 0};
    bool first = true;

    licet_put_bytes(out, LICET_BYTES_LITERAL(",\"units\":{"));
    for (size_t i = 0; i < receipt->units_len; i++) {
        const copy *unit = &lines->units[receipt->units[i].kind];
        licet_bytes name = {unit->data, unit->len};

        if (starts_with(name, "unmetered:")) {
            unmetered = licet_bytes_of(name.data + 10, name.len - 10);
        } else if (!licet_bytes_equal_text(name, "request") && !starts_with(name, "observed:")) {
            licet_put_format(out, "%s\"%.*s\":%llu", first ? "" : ",", (int)name.len, (const char *)name.data,
                             (unsigned long long)receipt->units[i].count);
            first = false;
        }
    }
    licet_put_u8(out, '}');
    licet_put_format(out, ",\"remaining\":null,\"ending\":\"%s\"", licet_ending_text(receipt->ending));
    put_name(out, "unmetered", unmetered);
    if (receipt->part > 0) {
        licet_put_format(out, ",\"part\":%u", receipt->part);
    }
    licet_put_bytes(out, LICET_BYTES_LITERAL("}\n"));
}

static bool
put_receipt(const licet_lines *lines, uint64_t index, licet_bytes entry, const char *app, licet_buffer *out,
            licet_error *err)
{
    licet_receipt receipt;
    licet_context context;

    if (!licet_receipt_decode(entry, &receipt, err) || !context_of(lines, receipt.context, &context, err)) {
        return false;
    }
    if (app != NULL && !licet_bytes_equal_text(context.app, app)) {
        return true;
    }
    put_head(lines, index, receipt.identity, receipt.time_ms, &context, out);
    licet_put_format(out, ",\"status\":%u,\"verdict\":\"%s\"", receipt.status, licet_verdict_name(receipt.verdict));
    put_name(out, "reason", observed_reason(lines, &receipt));
    licet_put_format(out, ",\"bytes\":%llu", (unsigned long long)receipt.bytes);
    put_units(lines, &receipt, out);
    return true;
}

static bool
put_refusals(licet_lines *lines, uint64_t index, licet_bytes entry, const char *app, licet_buffer *out,
             licet_error *err)
{
    licet_refusals run;
    licet_context context;

    if (!licet_refusals_decode(entry, lines->sequences, &run, err) || !context_of(lines, run.context, &context, err)) {
        return false;
    }
    if (app != NULL && !licet_bytes_equal_text(context.app, app)) {
        return true;
    }
    for (uint32_t i = 0; i < run.count; i++) {
        licet_identity identity = {run.gate, run.epoch, run.sequences[i]};

        put_head(lines, index, identity, i == 0 ? run.first_ms : run.last_ms, &context, out);
        licet_put_format(out,
                         ",\"status\":%u,\"verdict\":\"refuse\",\"reason\":\"%s\",\"bytes\":0,\"units\":{},"
                         "\"remaining\":null,\"ending\":\"refused\",\"unmetered\":null}\n",
                         run.status, licet_reason_slug((licet_reason)run.reason));
    }
    return true;
}

bool
licet_lines_put(licet_lines *lines, uint64_t index, licet_bytes entry, const char *app, licet_buffer *out,
                licet_error *err)
{
    bool ok = true;

    if (entry.len > 0 && entry.data[0] == LICET_ENTRY_RECEIPT) {
        ok = put_receipt(lines, index, entry, app, out, err);
    } else if (entry.len > 0 && entry.data[0] == LICET_ENTRY_REFUSALS) {
        ok = put_refusals(lines, index, entry, app, out, err);
    }
    return ok &&
           (!out->failed || LICET_FAIL(err, LICET_E_LIMIT, 0, "the lines take more than %zu bytes", out->ceiling));
}
