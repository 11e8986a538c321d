/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding a decision: its entries in a ledger, and what the ledger says of the time.
 *
 *  (1) The first pass knows the identity alone; the second knows the number of its context, the third its time and what
 *      the context says.
 *  (2) A response may stand in several receipts (of a stream that settled in part, of more units than one takes): they
 *      are added up, and the last tells how it ended.
 */
#include "decision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct finding {
    decision_record *out;
    uint64_t *sequences; /* of a run */
    licet_peer *peers;
    licet_disclosure_file *files;
} finding;

static bool
is_it(const decision_record *record, licet_identity identity)
{
    return identity.gate == record->identity.gate && identity.epoch == record->identity.epoch &&
           identity.sequence == record->identity.sequence;
}

/* ---- the first pass ---------------------------------------------------------------- */

static bool
learn_kind(decision_record *record, licet_bytes entry, licet_error *err)
{
    licet_bytes name;
    uint8_t number;

    if (!licet_unit_decode(entry, &number, &name, err)) {
        return false;
    }
    free(record->kinds[number]);
    record->kinds[number] = strndup((const char *)name.data, name.len);
    return record->kinds[number] != NULL || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a unit kind");
}

/* (2) */
static bool
take_receipt(decision_record *record, uint64_t index, licet_bytes entry, licet_error *err)
{
    licet_receipt receipt;

    if (!licet_receipt_decode(entry, &receipt, err)) {
        return false;
    }
    if (!is_it(record, receipt.identity)) {
        return true;
    }
    for (size_t i = 0; i < receipt.units_len; i++) {
        uint64_t *sum = &record->units[receipt.units[i].kind];

        *sum = receipt.units[i].count < UINT64_MAX - *sum ? *sum + receipt.units[i].count : UINT64_MAX;
    }
    if (!record->found) {
        record->index = index;
        record->receipt = receipt;
    } else {
        record->receipt.bytes += receipt.bytes;
        record->receipt.part = receipt.part;
        record->receipt.ending = receipt.ending;
        record->receipt.status = receipt.status;
        record->receipt.unmetered = record->receipt.unmetered || receipt.unmetered;
        record->receipt.duration_ms =
            receipt.duration_ms > record->receipt.duration_ms ? receipt.duration_ms : record->receipt.duration_ms;
    }
    record->found = true;
    return true;
}

static bool
take_run(finding *f, uint64_t index, licet_bytes entry, licet_error *err)
{
    decision_record *record = f->out;
    licet_refusals run;

    if (!licet_refusals_decode(entry, f->sequences, &run, err)) {
        return false;
    }
    for (uint32_t i = 0; i < run.count; i++) {
        if (is_it(record, (licet_identity){run.gate, run.epoch, run.sequences[i]})) {
            record->found = record->refused = record->has_reason = true;
            record->index = index;
            record->run = run.count;
            record->first_ms = run.first_ms;
            record->reason = (licet_reason)run.reason;
            record->receipt = (licet_receipt){.flow = run.flow,
                                              .verdict = LICET_VERDICT_REFUSE,
                                              .observe = run.observe,
                                              .identity = record->identity,
                                              .time_ms = run.last_ms,
                                              .context = run.context,
                                              .status = run.status,
                                              .ending = LICET_ENDING_REFUSED};
        }
    }
    return true;
}

static bool
take_peer(finding *f, licet_bytes entry, licet_error *err)
{
    licet_peers peers;
    const uint8_t *id;

    if (!licet_peers_decode(entry, f->peers, &peers, err)) {
        return false;
    }
    id = licet_peers_find(&peers, f->out->identity);
    if (id != NULL) {
        memcpy(f->out->peer, id, sizeof(f->out->peer));
        f->out->has_peer = true;
    }
    return true;
}

static bool
take_disclosure(finding *f, licet_bytes entry, licet_error *err)
{
    licet_disclosure disclosure;

    if (!licet_disclosure_decode(entry, f->files, &disclosure, err)) {
        return false;
    }
    if (is_it(f->out, disclosure.identity)) {
        f->out->disclosure = disclosure;
        f->out->disclosure.files = NULL;
        f->out->disclosed = true;
    }
    return true;
}

static bool
on_identity(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    finding *f = user;

    switch (entry.len > 0 ? entry.data[0] : 0) {
    case LICET_ENTRY_RECEIPT:
        return take_receipt(f->out, index, entry, err);
    case LICET_ENTRY_REFUSALS:
        return take_run(f, index, entry, err);
    case LICET_ENTRY_UNIT:
        return learn_kind(f->out, entry, err);
    case LICET_ENTRY_PEERS:
        return take_peer(f, entry, err);
    case LICET_ENTRY_DISCLOSURE:
        return take_disclosure(f, entry, err);
    default:
        return true;
    }
}

/* ---- the second and third pass ----------------------------------------------------------- */

static bool
take_context(decision_record *record, licet_bytes entry, licet_error *err)
{
    licet_context context;
    uint32_t number;

    if (!licet_context_decode(entry, &number, &context, err)) {
        return false;
    }
    if (number != record->receipt.context) {
        return true;
    }
    record->context_entry.len = 0;
    if (!licet_put_bytes(&record->context_entry, entry)) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a context");
    }
    return licet_context_decode(licet_buffer_view(&record->context_entry), &number, &record->context, err);
}

/* Version records of one image stand together, one for each version. */
static bool
take_version(decision_record *record, licet_bytes entry, licet_error *err)
{
    licet_version_record version;

    if (!licet_version_decode(entry, &version, err)) {
        return false;
    }
    if (version.time_ms > record->receipt.time_ms) {
        return true;
    }
    if (version.image != record->applied[0].number) {
        record->applied[1] = record->applied[0];
        record->applied[0] = (decision_applied){.number = version.image, .time_ms = version.time_ms};
    }
    if (licet_bytes_equal(version.version, record->context.version)) {
        record->applied[0].has_hashes = true;
        record->applied[0].agreement = version.agreement_sha256;
        record->applied[0].catalogue = version.catalogue_sha256;
    }
    return true;
}

static bool
take_credit(decision_record *record, licet_bytes entry, licet_error *err)
{
    licet_duplicates credit;

    if (!licet_duplicates_decode(entry, &credit, err)) {
        return false;
    }
    if (is_it(record, credit.identity)) {
        record->credited[credit.unit] += credit.count;
    }
    return true;
}

static bool
on_context(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    (void)index;
    return entry.len == 0 || entry.data[0] != LICET_ENTRY_CONTEXT || take_context(user, entry, err);
}

static bool
on_time(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    (void)index;
    switch (entry.len > 0 ? entry.data[0] : 0) {
    case LICET_ENTRY_VERSION:
        return take_version(user, entry, err);
    case LICET_ENTRY_DUPLICATES:
        return take_credit(user, entry, err);
    default:
        return true;
    }
}

/* ---- all of them ------------------------------------------------------------------------------ */

static void
find_reason(decision_record *record)
{
    for (unsigned i = 0; !record->refused && i < DECISION_KINDS; i++) {
        for (unsigned reason = 1; record->units[i] > 0 && reason < LICET_REASONS_LEN; reason++) {
            if (strncmp(record->kinds[i] != NULL ? record->kinds[i] : "", "observed:", 9) == 0 &&
                strcmp(record->kinds[i] + 9, licet_reason_slug((licet_reason)reason)) == 0) {
                record->reason = (licet_reason)reason;
                record->has_reason = true;
            }
        }
    }
}

bool
decision_find(licet_ledger *ledger, const char *name, licet_identity identity, decision_record *out, licet_error *err)
{
    finding f = {.out = out,
                 .sequences = calloc(LICET_REFUSALS_MAX, sizeof(*f.sequences)),
                 .peers = calloc(LICET_PEERS_MAX, sizeof(*f.peers)),
                 .files = calloc(LICET_DISCLOSURE_FILES_MAX, sizeof(*f.files))};
    uint64_t size = licet_ledger_size(ledger);
    bool ok = f.sequences != NULL && f.peers != NULL && f.files != NULL;

    *out = (decision_record){.ledger = name, .identity = identity};
    licet_buffer_init(&out->context_entry, LICET_ENTRY_MAX);
    if (!ok) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to read ledger %s", name);
    }
    ok = ok && licet_ledger_each(ledger, 0, size, on_identity, &f, err);
    if (ok && out->found) {
        find_reason(out);
        ok = licet_ledger_each(ledger, 0, size, on_context, out, err) &&
             licet_ledger_each(ledger, 0, size, on_time, out, err);
        ok = ok && (out->context_entry.len > 0 ||
                    LICET_FAIL(err, LICET_E_CORRUPT, 0, "ledger %s: no record says what context %u is", name,
                               out->receipt.context));
    }
    free(f.sequences);
    free(f.peers);
    free(f.files);
    return ok;
}

void
decision_record_done(decision_record *record)
{
    for (unsigned i = 0; i < DECISION_KINDS; i++) {
        free(record->kinds[i]);
    }
    licet_buffer_done(&record->context_entry);
    *record = (decision_record){.found = false};
}

uint64_t
decision_units(const decision_record *record, const char *prefix, const char *kind)
{
    size_t len = strlen(prefix);

    if (len == 0 && strcmp(kind, "byte") == 0) {
        return record->receipt.bytes;
    }
    for (unsigned i = 0; i < DECISION_KINDS; i++) {
        const char *name = record->kinds[i] != NULL ? record->kinds[i] : "";

        if (strncmp(name, prefix, len) == 0 && strcmp(name + len, kind) == 0) {
            return record->units[i];
        }
    }
    return 0;
}
