/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference keeps a plain list of rows. A row that counts is looked for
 * from the start of the list and added to; at the end the list is sorted and
 * printed. Quadratic, and easy to see through.
 */
#include "usage_ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REF_KEYS 11
#define REF_SUMS 11

/* In the order of the dump. */
enum {
    CONTEXTS,
    KINDS,
    VERSIONS,
    SUMS,
    AMOUNTS,
    CREDITS,
    GAPS,
    GAP_UNITS,
    PERIODS,
    PERIOD_UNITS,
    UNIDENTIFIED,
    REFUSED,
    CHANGES,
    ACCEPTANCES,
    DISCLOSURES,
    DISCLOSED_FILES
};
static const char *const names[] = {
    "contexts", "kinds",        "versions",     "sums",    "amounts", "credits",     "gaps",        "gap_units",
    "periods",  "period_units", "unidentified", "refused", "changes", "acceptances", "disclosures", "disclosed_files"};

typedef struct ref_row {
    int table;
    uint64_t keys[REF_KEYS], sums[REF_SUMS];
    unsigned keys_len, sums_len;
    licet_buffer tail;
} ref_row;

typedef struct ref {
    ref_row *rows;
    size_t len, capacity;
    licet_bytes kinds[256];
    uint64_t sequences[LICET_REFUSALS_MAX];
} ref;

/* The row with these keys, new and zero when it is not there. */
static ref_row *
row_of(ref *r, int table, const uint64_t *keys, unsigned keys_len, unsigned sums_len)
{
    ref_row *row;

    for (size_t i = 0; i < r->len; i++) {
        if (r->rows[i].table == table && memcmp(r->rows[i].keys, keys, keys_len * sizeof(*keys)) == 0) {
            return &r->rows[i];
        }
    }
    if (r->len == r->capacity) {
        r->capacity = 2 * r->capacity + 64;
        r->rows = realloc(r->rows, r->capacity * sizeof(*r->rows));
        if (r->rows == NULL) {
            abort();
        }
    }
    row = &r->rows[r->len++];
    memset(row, 0, sizeof(*row));
    row->table = table;
    row->keys_len = keys_len;
    row->sums_len = sums_len;
    memcpy(row->keys, keys, keys_len * sizeof(*keys));
    licet_buffer_init(&row->tail, 1 << 20);
    return row;
}

static void
put_text(ref_row *row, licet_bytes text)
{
    licet_put_u8(&row->tail, '\t');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] == '\\' || text.data[i] == 127) {
            licet_put_format(&row->tail, "\\x%02x", text.data[i]);
        } else {
            licet_put_u8(&row->tail, text.data[i]);
        }
    }
}

static void
put_hash(ref_row *row, const licet_hash *hash)
{
    char hex[2 * LICET_SHA256_LEN + 1];

    licet_hex(hash->bytes, LICET_SHA256_LEN, hex);
    licet_put_format(&row->tail, "\t%s", hex);
}

static bool
is_kind(const ref *r, unsigned kind, const char *prefix, licet_bytes rest)
{
    char name[600];

    snprintf(name, sizeof(name), "%s%.*s", prefix, (int)rest.len, (const char *)rest.data);
    return licet_bytes_equal_text(r->kinds[kind], name);
}

static uint64_t
most(uint64_t sum, uint64_t more)
{
    return sum + more > INT64_MAX ? INT64_MAX : sum + more; /* both are below 2^63 */
}

static void
add_receipt(ref *r, const licet_receipt *receipt)
{
    uint64_t keys[REF_KEYS] = {receipt->time_ms / 3600000,
                               receipt->context,
                               receipt->flow,
                               receipt->verdict,
                               0,
                               receipt->status,
                               receipt->ending,
                               receipt->basis,
                               receipt->unmetered,
                               receipt->observe};
    ref_row *row = row_of(r, SUMS, keys, 10, 2);

    row->sums[0] += receipt->part == 0 && (receipt->identity.gate != 0 || receipt->identity.epoch != 0);
    for (size_t i = 0; i < r->len && receipt->identity.gate == 0 && receipt->identity.epoch == 0; i++) {
        uint64_t *of = r->rows[i].sums; /* of its disclosure: what only the receipt says */

        if (r->rows[i].table == DISCLOSURES && of[0] == receipt->identity.sequence && of[8] == 0) {
            of[8] = receipt->context;
            of[9] = receipt->flow;
            of[10] = receipt->verdict;
        }
    }
    row->sums[1] = most(row->sums[1], receipt->bytes);
    for (size_t i = 0; i < receipt->units_len; i++) {
        uint64_t count = receipt->units[i].count, counted = 0;

        keys[10] = receipt->units[i].kind;
        row = row_of(r, AMOUNTS, keys, 11, 2);
        row->sums[0] = most(row->sums[0], count);
        if (!receipt->unmetered || r->kinds[keys[10]].len < 6 || memcmp(r->kinds[keys[10]].data, "held:", 5) != 0) {
            continue;
        }
        for (size_t j = 0; j < receipt->units_len; j++) {
            if (is_kind(r, receipt->units[i].kind, "held:", r->kinds[receipt->units[j].kind])) {
                counted = receipt->units[j].count;
            }
        }
        row->sums[1] = most(row->sums[1], count > counted ? count - counted : 0);
    }
}

static void
add_units(ref *r, int table, uint64_t entry, const licet_receipt_unit *units, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const uint64_t keys[] = {entry, units[i].kind};

        row_of(r, table, keys, 2, 1)->sums[0] = units[i].count;
    }
}

static void
add_disclosure(ref *r, uint64_t entry, const licet_disclosure *d)
{
    const uint64_t said[] = {d->identity.sequence, d->time_ms, d->counted, d->anyway, d->reason, d->unit, d->total,
                             d->distinct};

    memcpy(row_of(r, DISCLOSURES, &entry, 1, 11)->sums, said, sizeof(said));
    for (uint64_t i = 0; i < d->files_len; i++) {
        ref_row *row = row_of(r, DISCLOSED_FILES, (uint64_t[]){entry, i}, 2, 1);

        row->sums[0] = d->files[i].size;
        put_hash(row, &d->files[i].sha256);
    }
}

static bool
add_record(ref *r, uint64_t entry, licet_bytes bytes)
{
    licet_disclosure_file files[LICET_DISCLOSURE_FILES_MAX];
    licet_disclosure disclosure;
    licet_acceptance_record accepted;
    licet_context context;
    licet_version_record version;
    licet_gap gap;
    licet_period period;
    licet_unidentified unidentified;
    licet_refused refused;
    licet_change_record change;
    licet_duplicates credit;
    licet_bytes name;
    uint32_t number;
    uint8_t kind;
    ref_row *row;

    if (licet_context_decode(bytes, &number, &context, NULL)) {
        row = row_of(r, CONTEXTS, &(uint64_t){number}, 1, 0);
#define PUT_FIELD(field) put_text(row, context.field);
        LICET_CONTEXT_FIELDS(PUT_FIELD)
#undef PUT_FIELD
    } else if (licet_unit_decode(bytes, &kind, &name, NULL)) {
        put_text(row_of(r, KINDS, &(uint64_t){kind}, 1, 0), name);
        r->kinds[kind] = name;
    } else if (licet_version_decode(bytes, &version, NULL)) {
        row = row_of(r, VERSIONS, &entry, 1, 2);
        row->sums[0] = version.time_ms;
        row->sums[1] = version.image;
        put_text(row, version.version);
        put_text(row, version.catalogue);
        put_hash(row, &version.agreement_sha256);
        put_hash(row, &version.catalogue_sha256);
        put_hash(row, &version.apps_commitment);
        put_hash(row, &version.reason_commitment);
    } else if (licet_gap_decode(bytes, &gap, NULL)) {
        row = row_of(r, GAPS, &entry, 1, 6);
        memcpy(row->sums, (uint64_t[]){gap.cause, gap.gate, gap.epoch, gap.from_ms, gap.to_ms, gap.requests},
               6 * sizeof(uint64_t));
        add_units(r, GAP_UNITS, entry, gap.units, gap.units_len);
    } else if (licet_period_decode(bytes, &period, NULL)) {
        row = row_of(r, PERIODS, &entry, 1, 5);
        memcpy(row->sums,
               (uint64_t[]){period.from_ms, period.before_ms, period.entries, period.receipts, period.refused},
               5 * sizeof(uint64_t));
        add_units(r, PERIOD_UNITS, entry, period.units, period.units_len);
    } else if (licet_unidentified_decode(bytes, &unidentified, NULL)) {
        const uint64_t keys[] = {unidentified.minute, unidentified.reason};

        row_of(r, UNIDENTIFIED, keys, 2, 1)->sums[0] += unidentified.count;
    } else if (licet_refused_decode(bytes, &refused, NULL)) {
        memcpy(row_of(r, REFUSED, &entry, 1, 4)->sums,
               (uint64_t[]){refused.from_ms, refused.to_ms, refused.reason, refused.count}, 4 * sizeof(uint64_t));
    } else if (licet_duplicates_decode(bytes, &credit, NULL)) {
        const uint64_t keys[] = {credit.time_ms / 3600000, credit.context, credit.flow, credit.unit};

        row_of(r, CREDITS, keys, 4, 1)->sums[0] += credit.count;
    } else if (licet_change_decode(bytes, &change, NULL)) {
        row = row_of(r, CHANGES, &entry, 1, 7);
        memcpy(row->sums,
               (uint64_t[]){change.time_ms, change.from_ms, change.image, change.number, change.subject, change.action,
                            change.flags},
               7 * sizeof(uint64_t));
        put_text(row, change.id);
        put_hash(row, &change.document);
        put_hash(row, &change.words);
        put_hash(row, &change.who);
        put_hash(row, &change.as);
        put_hash(row, &change.approved);
    } else if (licet_acceptance_decode(bytes, &accepted, NULL)) {
        row = row_of(r, ACCEPTANCES, &entry, 1, 3);
        memcpy(row->sums, (uint64_t[]){accepted.time_ms, accepted.accepted_ms, accepted.party}, 3 * sizeof(uint64_t));
        put_text(row, accepted.version);
        put_text(row, accepted.catalogue);
        put_text(row, accepted.key);
        put_hash(row, &accepted.agreement_sha256);
        put_hash(row, &accepted.catalogue_sha256);
        put_hash(row, &accepted.public_key);
        put_hash(row, &accepted.note);
    } else if (licet_disclosure_decode(bytes, files, &disclosure, NULL)) {
        add_disclosure(r, entry, &disclosure);
    } else {
        return false;
    }
    return true;
}

static bool
add_entry(ref *r, uint64_t index, licet_bytes entry)
{
    licet_receipt receipt;
    licet_refusals run;

    if (licet_receipt_decode(entry, &receipt, NULL)) {
        add_receipt(r, &receipt);
        return true;
    }
    if (licet_refusals_decode(entry, r->sequences, &run, NULL)) {
        const uint64_t keys[REF_KEYS] = {
            run.first_ms / 3600000, run.context, run.flow, LICET_VERDICT_REFUSE, run.reason, run.status,
            LICET_ENDING_REFUSED,   0,           0,        run.observe};
        row_of(r, SUMS, keys, 10, 2)->sums[0] += run.count;
        return true;
    }
    return add_record(r, index, entry);
}

static int
compare(const void *left, const void *right)
{
    const ref_row *x = left, *y = right;

    if (x->table != y->table) {
        return x->table < y->table ? -1 : 1;
    }
    for (unsigned i = 0; i < x->keys_len; i++) {
        if (x->keys[i] != y->keys[i]) {
            return x->keys[i] < y->keys[i] ? -1 : 1;
        }
    }
    return 0;
}

bool
usage_ref_dump(const char *ledger, const licet_bytes *entries, size_t n, licet_buffer *out)
{
    ref *r = calloc(1, sizeof(*r));
    licet_fold_start start;
    bool ok = r != NULL && n > 0 && licet_fold_start_decode(entries[0], &start, NULL);

    for (size_t i = 1; ok && i < n; i++) {
        ok = add_entry(r, i, entries[i]);
    }
    if (ok) {
        licet_put_format(out, "ledgers\t%s\t%.*s\t%u\t%llu\t%zu\n", ledger, (int)start.party.len,
                         (const char *)start.party.data, (unsigned)start.fold_version,
                         (unsigned long long)start.time_ms, n);
        if (r->len > 0) {
            qsort(r->rows, r->len, sizeof(*r->rows), compare);
        }
    }
    for (size_t i = 0; r != NULL && i < r->len; i++) {
        ref_row *row = &r->rows[i];

        if (ok) {
            licet_put_format(out, "%s\t%s", names[row->table], ledger);
            for (unsigned j = 0; j < row->keys_len; j++) {
                licet_put_format(out, "\t%llu", (unsigned long long)row->keys[j]);
            }
            for (unsigned j = 0; j < row->sums_len; j++) {
                licet_put_format(out, "\t%llu", (unsigned long long)row->sums[j]);
            }
            licet_put_bytes(out, licet_buffer_view(&row->tail));
            licet_put_u8(out, '\n');
        }
        licet_buffer_done(&row->tail);
    }
    if (r != NULL) {
        free(r->rows);
    }
    free(r);
    return ok;
}
