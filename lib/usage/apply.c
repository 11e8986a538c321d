/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applying entries: what each kind of entry adds to the tables.
 *
 *  (1) Entry 0 of a ledger is its fold record, and no other entry is.
 *  (2) Contexts and unit kinds are known before a receipt names them; what is
 *      not known is CORRUPT with the entry's index.
 *  (3) Receipts and runs go through the sums of the batch; records, which are
 *      few, go into the tables at once.
 *  (4) A response in several parts is one request: its first part (0) counts. A disclosure is none.
 */
#include "usage_db.h"

#include <stdio.h>
#include <string.h>

#define SUMS_PER_ENTRY_MAX (LICET_RECEIPT_UNITS_MAX + 1)

typedef struct applying {
    licet_usage *usage;
    uint32_t row;
    usage_ledger *ledger;
    uint64_t index;
    licet_bytes entry;
} applying;

/* Says where: err holds what was wrong with the entry. */
static bool
fail_at(const applying *a, licet_error *err)
{
    licet_error cause;

    if (err != NULL) {
        cause = *err;
        snprintf(err->text, sizeof(err->text), "ledger %s, entry %llu: %.400s", a->ledger->name,
                 (unsigned long long)a->index, cause.text);
    }
    return false;
}

static bool
context_known(applying *a, uint32_t context, licet_error *err)
{
    sqlite3_stmt *find = a->usage->statements[USAGE_FIND_CONTEXT];
    const uint64_t key[] = {(uint64_t)a->ledger->id, context};
    int step;

    if (!usage_bind(a->usage, find, key, 2, err)) {
        return false;
    }
    step = sqlite3_step(find);
    sqlite3_reset(find);
    if (step == SQLITE_ROW) {
        return true;
    }
    if (step != SQLITE_DONE) {
        return usage_fail(a->usage, err, "cannot read contexts");
    }
    return LICET_FAIL(err, LICET_E_CORRUPT, 0, "context %u: no record of the ledger says what it is", context);
}

/* Adds to one key of the batch. A key that is new to it must name a context that is known; the amounts of a receipt
 * follow its requests, which were looked at. */
static bool
add(applying *a, const usage_key *key, uint64_t first, uint64_t second, licet_error *err)
{
    bool is_new;

    return usage_sums_add(&a->usage->sums, key, first, second, &is_new, err) &&
           (!is_new || key->kind != USAGE_REQUESTS || context_known(a, key->context, err));
}

static uint64_t
receipt_units(const licet_receipt *receipt, unsigned kind)
{
    for (size_t i = 0; i < receipt->units_len; i++) {
        if (receipt->units[i].kind == kind) {
            return receipt->units[i].count;
        }
    }
    return 0;
}

/* Of held units: what stays charged beyond the units counted. */
static uint64_t
beyond_of(const applying *a, const licet_receipt *receipt, const licet_receipt_unit *unit)
{
    unsigned base = a->ledger->base_of[unit->kind];
    uint64_t counted = base == USAGE_NO_KIND ? 0 : receipt_units(receipt, base);

    return receipt->unmetered && a->ledger->holds[unit->kind] && unit->count > counted ? unit->count - counted : 0;
}

/* (4) A disclosure's receipt is none. */
static bool
is_request(const licet_receipt *receipt)
{
    return receipt->part == 0 && !licet_receipt_is_handed(receipt);
}

/* The disclosure before it says what, its receipt for whom. */
static bool
name_context(applying *a, const licet_receipt *receipt, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_NAME_DISCLOSURE];
    const uint64_t row[] = {(uint64_t)a->ledger->id, receipt->identity.sequence, receipt->context, receipt->flow,
                            receipt->verdict};

    return usage_bind(a->usage, statement, row, 5, err) && usage_run(a->usage, statement, err);
}

static bool
apply_receipt(applying *a, licet_error *err)
{
    licet_receipt receipt;
    usage_key key = {0};

    if (!licet_receipt_decode(a->entry, &receipt, err)) {
        return false;
    }
    key.ledger = a->row;
    key.hour = (uint32_t)(receipt.time_ms / USAGE_HOUR_MS);
    key.context = receipt.context;
    key.status = receipt.status;
    key.kind = USAGE_REQUESTS;
    key.flow = (uint8_t)receipt.flow;
    key.verdict = (uint8_t)receipt.verdict;
    key.ending = (uint8_t)receipt.ending;
    key.basis = (uint8_t)receipt.basis;
    key.unmetered = receipt.unmetered;
    key.observe = receipt.observe;
    if (!add(a, &key, is_request(&receipt) ? 1 : 0, receipt.bytes, err) ||
        (licet_receipt_is_handed(&receipt) && !name_context(a, &receipt, err))) {
        return false;
    }
    for (size_t i = 0; i < receipt.units_len; i++) {
        const licet_receipt_unit *unit = &receipt.units[i];

        if (!a->ledger->known[unit->kind]) {
            return LICET_FAIL(err, LICET_E_CORRUPT, 0, "unit kind %u: no record of the ledger says what it is",
                              (unsigned)unit->kind);
        }
        key.kind = unit->kind;
        if (!add(a, &key, unit->count, beyond_of(a, &receipt, unit), err)) {
            return false;
        }
    }
    return true;
}

/* All of a run counts in the hour of its first refusal: it never spans more than a tick of the recorder. */
static bool
apply_refusals(applying *a, licet_error *err)
{
    licet_refusals run;
    usage_key key = {0};

    if (!licet_refusals_decode(a->entry, a->usage->sequences, &run, err)) {
        return false;
    }
    key.ledger = a->row;
    key.hour = (uint32_t)(run.first_ms / USAGE_HOUR_MS);
    key.context = run.context;
    key.status = run.status;
    key.kind = USAGE_REQUESTS;
    key.flow = (uint8_t)run.flow;
    key.verdict = LICET_VERDICT_REFUSE;
    key.reason = run.reason;
    key.ending = LICET_ENDING_REFUSED;
    key.observe = run.observe;
    return add(a, &key, run.count, 0, err);
}

static bool
apply_context(applying *a, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_ADD_CONTEXT];
    licet_context context;
    uint32_t number;
    uint64_t key[2];
    int parameter = 3;

    if (!licet_context_decode(a->entry, &number, &context, err)) {
        return false;
    }
    key[0] = (uint64_t)a->ledger->id;
    key[1] = number;
    if (!usage_bind(a->usage, statement, key, 2, err)) {
        return false;
    }
#define BIND_FIELD(name)                                                                                               \
    if (!usage_bind_text(a->usage, statement, parameter++, context.name, err)) {                                       \
        return false;                                                                                                  \
    }
    LICET_CONTEXT_FIELDS(BIND_FIELD)
#undef BIND_FIELD
    return usage_run(a->usage, statement, err);
}

static bool
apply_unit(applying *a, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_ADD_KIND];
    licet_bytes name;
    uint8_t kind;
    uint64_t key[2];

    if (!licet_unit_decode(a->entry, &kind, &name, err)) {
        return false;
    }
    key[0] = (uint64_t)a->ledger->id;
    key[1] = kind;
    return usage_bind(a->usage, statement, key, 2, err) && usage_bind_text(a->usage, statement, 3, name, err) &&
           usage_ledger_name_kind(a->usage, a->ledger, kind, name, err) && usage_run(a->usage, statement, err);
}

static bool
apply_version(applying *a, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_ADD_VERSION];
    licet_version_record record;
    uint64_t numbers[4];

    if (!licet_version_decode(a->entry, &record, err)) {
        return false;
    }
    const licet_hash *const hashes[] = {&record.agreement_sha256, &record.catalogue_sha256, &record.apps_commitment,
                                        &record.reason_commitment};
    numbers[0] = (uint64_t)a->ledger->id;
    numbers[1] = a->index;
    numbers[2] = record.time_ms;
    numbers[3] = record.image;
    if (!usage_bind(a->usage, statement, numbers, 4, err) ||
        !usage_bind_text(a->usage, statement, 5, record.version, err) ||
        !usage_bind_text(a->usage, statement, 6, record.catalogue, err)) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        if (sqlite3_bind_blob(statement, 7 + i, hashes[i]->bytes, LICET_SHA256_LEN, SQLITE_TRANSIENT) != SQLITE_OK) {
            return usage_fail(a->usage, err, "cannot bind a hash");
        }
    }
    return usage_run(a->usage, statement, err);
}

/* The units of a gap or a period: one row each. */
static bool
apply_units_of(applying *a, usage_statement name, const licet_receipt_unit *units, size_t len, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[name];

    for (size_t i = 0; i < len; i++) {
        const uint64_t row[] = {(uint64_t)a->ledger->id, a->index, units[i].kind, units[i].count};

        if (!a->ledger->known[units[i].kind]) {
            return LICET_FAIL(err, LICET_E_CORRUPT, 0, "unit kind %u: no record of the ledger says what it is",
                              (unsigned)units[i].kind);
        }
        if (!usage_bind(a->usage, statement, row, 4, err) || !usage_run(a->usage, statement, err)) {
            return false;
        }
    }
    return true;
}

static bool
apply_gap(applying *a, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_ADD_GAP];
    licet_gap gap;

    if (!licet_gap_decode(a->entry, &gap, err)) {
        return false;
    }
    const uint64_t row[] = {
        (uint64_t)a->ledger->id, a->index, gap.cause, gap.gate, gap.epoch, gap.from_ms, gap.to_ms, gap.requests};
    return usage_bind(a->usage, statement, row, 8, err) && usage_run(a->usage, statement, err) &&
           apply_units_of(a, USAGE_ADD_GAP_UNIT, gap.units, gap.units_len, err);
}

static bool
apply_period(applying *a, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_ADD_PERIOD];
    licet_period period;

    if (!licet_period_decode(a->entry, &period, err)) {
        return false;
    }
    const uint64_t row[] = {(uint64_t)a->ledger->id, a->index,        period.from_ms, period.before_ms,
                            period.entries,          period.receipts, period.refused};
    return usage_bind(a->usage, statement, row, 7, err) && usage_run(a->usage, statement, err) &&
           apply_units_of(a, USAGE_ADD_PERIOD_UNIT, period.units, period.units_len, err);
}

static bool
apply_unidentified(applying *a, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_ADD_UNIDENTIFIED];
    licet_unidentified record;

    if (!licet_unidentified_decode(a->entry, &record, err)) {
        return false;
    }
    const uint64_t row[] = {(uint64_t)a->ledger->id, record.minute, record.reason, record.count};
    return usage_bind(a->usage, statement, row, 4, err) && usage_run(a->usage, statement, err);
}

static bool
apply_refused(applying *a, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_ADD_REFUSED];
    licet_refused record;

    if (!licet_refused_decode(a->entry, &record, err)) {
        return false;
    }
    const uint64_t row[] = {(uint64_t)a->ledger->id, a->index,    record.from_ms, record.to_ms,
                            record.reason,           record.count};
    return usage_bind(a->usage, statement, row, 6, err) && usage_run(a->usage, statement, err);
}

static bool
apply_duplicates(applying *a, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_ADD_CREDIT];
    licet_duplicates record;

    if (!licet_duplicates_decode(a->entry, &record, err)) {
        return false;
    }
    if (!a->ledger->known[record.unit]) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "unit kind %u: no record of the ledger says what it is",
                          (unsigned)record.unit);
    }
    const uint64_t row[] = {(uint64_t)a->ledger->id,
                            record.time_ms / USAGE_HOUR_MS,
                            record.context,
                            record.flow,
                            record.unit,
                            record.count};
    return usage_bind(a->usage, statement, row, 6, err) && usage_run(a->usage, statement, err);
}

static bool
apply_change(applying *a, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_ADD_CHANGE];
    licet_change_record record;

    if (!licet_change_decode(a->entry, &record, err)) {
        return false;
    }
    const licet_hash *const hashes[] = {&record.document, &record.words, &record.who, &record.as, &record.approved};
    const uint64_t numbers[] = {(uint64_t)a->ledger->id, a->index,       record.time_ms, record.from_ms, record.image,
                                record.number,           record.subject, record.action,  record.flags};
    if (!usage_bind(a->usage, statement, numbers, 9, err) ||
        !usage_bind_text(a->usage, statement, 10, record.id, err)) {
        return false;
    }
    for (int i = 0; i < 5; i++) {
        if (sqlite3_bind_blob(statement, 11 + i, hashes[i]->bytes, LICET_SHA256_LEN, SQLITE_TRANSIENT) != SQLITE_OK) {
            return usage_fail(a->usage, err, "cannot bind a hash");
        }
    }
    return usage_run(a->usage, statement, err);
}

static bool
apply_acceptance(applying *a, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_ADD_ACCEPTANCE];
    licet_acceptance_record record;

    if (!licet_acceptance_decode(a->entry, &record, err)) {
        return false;
    }
    const licet_hash *const hashes[] = {&record.agreement_sha256, &record.catalogue_sha256, &record.public_key,
                                        &record.note};
    const uint64_t numbers[] = {(uint64_t)a->ledger->id, a->index, record.time_ms, record.accepted_ms, record.party};
    if (!usage_bind(a->usage, statement, numbers, 5, err) ||
        !usage_bind_text(a->usage, statement, 6, record.version, err) ||
        !usage_bind_text(a->usage, statement, 7, record.catalogue, err) ||
        !usage_bind_text(a->usage, statement, 8, record.key, err)) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        if (sqlite3_bind_blob(statement, 9 + i, hashes[i]->bytes, LICET_SHA256_LEN, SQLITE_TRANSIENT) != SQLITE_OK) {
            return usage_fail(a->usage, err, "cannot bind a hash");
        }
    }
    return usage_run(a->usage, statement, err);
}

/* Its units stand in its receipt, which comes next. */
static bool
apply_disclosure(applying *a, licet_error *err)
{
    sqlite3_stmt *statement = a->usage->statements[USAGE_ADD_DISCLOSURE];
    licet_disclosure_file files[LICET_DISCLOSURE_FILES_MAX];
    licet_disclosure d;

    if (!licet_disclosure_decode(a->entry, files, &d, err)) {
        return false;
    }
    if (!a->ledger->known[d.unit]) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "unit kind %u: no record of the ledger says what it is",
                          (unsigned)d.unit);
    }
    const uint64_t row[] = {(uint64_t)a->ledger->id,
                            a->index,
                            d.identity.sequence,
                            d.time_ms,
                            d.counted,
                            d.anyway,
                            d.reason,
                            d.unit,
                            d.total,
                            d.distinct};
    if (!usage_bind(a->usage, statement, row, 10, err) || !usage_run(a->usage, statement, err)) {
        return false;
    }
    statement = a->usage->statements[USAGE_ADD_DISCLOSED_FILE];
    for (uint32_t i = 0; i < d.files_len; i++) {
        const uint64_t file[] = {(uint64_t)a->ledger->id, a->index, i, files[i].size};

        if (!usage_bind(a->usage, statement, file, 4, err)) {
            return false;
        }
        if (sqlite3_bind_blob(statement, 5, files[i].sha256.bytes, LICET_SHA256_LEN, SQLITE_TRANSIENT) != SQLITE_OK) {
            return usage_fail(a->usage, err, "cannot bind a hash");
        }
        if (!usage_run(a->usage, statement, err)) {
            return false;
        }
    }
    return true;
}

static bool
apply_fold(applying *a, licet_error *err)
{
    return LICET_FAIL(err, LICET_E_CORRUPT, 0, "a fold record at entry %llu: expected it at entry 0 alone",
                      (unsigned long long)a->index);
}

/* What adds nothing to any table: the peer's ids. */
static bool
apply_nothing(applying *a, licet_error *err)
{
    return licet_entry_check(a->entry, err);
}

typedef bool (*apply_entry)(applying *a, licet_error *err);
static const struct {
    uint8_t kind;
    apply_entry apply;
} appliers[] = {
    {LICET_ENTRY_RECEIPT, apply_receipt},
    {LICET_ENTRY_REFUSALS, apply_refusals},
    {LICET_ENTRY_FOLD, apply_fold},
    {LICET_ENTRY_CONTEXT, apply_context},
    {LICET_ENTRY_UNIT, apply_unit},
    {LICET_ENTRY_VERSION, apply_version},
    {LICET_ENTRY_GAP, apply_gap},
    {LICET_ENTRY_PERIOD, apply_period},
    {LICET_ENTRY_UNIDENTIFIED, apply_unidentified},
    {LICET_ENTRY_REFUSED, apply_refused},
    {LICET_ENTRY_CHANGE, apply_change},
    {LICET_ENTRY_ACCEPTANCE, apply_acceptance},
    {LICET_ENTRY_PEERS, apply_nothing},
    {LICET_ENTRY_DISCLOSURE, apply_disclosure},
    {LICET_ENTRY_DUPLICATES, apply_duplicates},
};

static bool
apply_any(applying *a, licet_error *err)
{
    if (a->entry.len == 0) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "it is empty");
    }
    for (size_t i = 0; i < sizeof(appliers) / sizeof(appliers[0]); i++) {
        if (appliers[i].kind == a->entry.data[0]) {
            return appliers[i].apply(a, err);
        }
    }
    return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "kind %u: no kind of entry that this version knows",
                      (unsigned)a->entry.data[0]);
}

/* Entry 0: the ledger begins. */
static bool
begin_ledger(licet_usage *usage, const char *name, licet_bytes entry, size_t *out_row, licet_error *err)
{
    sqlite3_stmt *statement = usage->statements[USAGE_ADD_LEDGER];
    licet_fold_start start;

    if (entry.len == 0 || entry.data[0] != LICET_ENTRY_FOLD) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "ledger %s, entry 0: kind %d: expected a fold record", name,
                          entry.len == 0 ? -1 : entry.data[0]);
    }
    if (!licet_fold_start_decode(entry, &start, err)) {
        return false;
    }
    if (start.fold_version != LICET_FOLD_VERSION) {
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "ledger %s, entry 0: fold version %u: expected %d", name,
                          (unsigned)start.fold_version, LICET_FOLD_VERSION);
    }
    if (!licet_bytes_equal_text(start.ledger, name)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "ledger %s, entry 0: it is the ledger %.*s", name,
                          (int)start.ledger.len, (const char *)start.ledger.data);
    }
    if (!usage_ledger_add(usage, name, out_row, err) ||
        !usage_bind_text(usage, statement, 1, licet_bytes_of_text(name), err) ||
        !usage_bind_text(usage, statement, 2, start.party, err) ||
        sqlite3_bind_int64(statement, 3, start.fold_version) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 4, (sqlite3_int64)start.time_ms) != SQLITE_OK ||
        !usage_run(usage, statement, err)) {
        return false;
    }
    usage->ledgers[*out_row].id = sqlite3_last_insert_rowid(usage->db);
    return true;
}

static bool
apply(licet_usage *usage, const char *name, uint64_t index, licet_bytes entry, licet_error *err)
{
    applying a = {.usage = usage, .index = index, .entry = entry};
    uint64_t expected;
    size_t row;

    if (usage->sums.len + SUMS_PER_ENTRY_MAX > USAGE_SUMS_MAX && !usage_flush(usage, err)) {
        return false;
    }
    if (!usage_ledger_find(usage, name, &row, err)) {
        return false;
    }
    expected = row == SIZE_MAX ? 0 : usage->ledgers[row].applied;
    if (index != expected) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "ledger %s, entry %llu: entry %llu comes next", name,
                          (unsigned long long)index, (unsigned long long)expected);
    }
    if (index == 0) {
        if (row == SIZE_MAX && !begin_ledger(usage, name, entry, &row, err)) {
            return false;
        }
        usage->ledgers[row].applied = 1;
        return true;
    }
    a.row = (uint32_t)row;
    a.ledger = &usage->ledgers[row];
    if (!apply_any(&a, err)) {
        return fail_at(&a, err);
    }
    a.ledger->applied++;
    return true;
}

bool
licet_usage_apply(licet_usage *usage, const char *ledger, uint64_t index, licet_bytes entry, licet_error *err)
{
    if (!usage->in_batch || usage->read_only) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: no batch is under way, or a failure dropped it", usage->path);
    }
    if (!apply(usage, ledger, index, entry, err)) {
        usage_drop_batch(usage);
        return false;
    }
    return true;
}

/* ---- flush ---------------------------------------------------------------- */

static bool
flush_sum(licet_usage *usage, const usage_sum *sum, licet_error *err)
{
    const usage_key *k = &sum->key;
    uint64_t row[14] = {(uint64_t)usage->ledgers[k->ledger].id,
                        k->hour,
                        k->context,
                        k->flow,
                        k->verdict,
                        k->reason,
                        k->status,
                        k->ending,
                        k->basis,
                        k->unmetered,
                        k->observe};
    bool requests = k->kind == USAGE_REQUESTS;
    sqlite3_stmt *statement = usage->statements[requests ? USAGE_ADD_SUM : USAGE_ADD_AMOUNT];
    int n = 11;

    if (!requests) {
        row[n++] = k->kind;
    }
    row[n++] = sum->a;
    row[n++] = sum->b;
    return usage_bind(usage, statement, row, n, err) && usage_run(usage, statement, err);
}

bool
usage_flush(licet_usage *usage, licet_error *err)
{
    usage_sums_sort(&usage->sums);
    for (uint32_t i = 0; i < usage->sums.len; i++) {
        if (!flush_sum(usage, &usage->sums.list[i], err)) {
            return false;
        }
    }
    usage_sums_clear(&usage->sums);
    for (size_t i = 0; i < usage->ledgers_len; i++) {
        usage_ledger *ledger = &usage->ledgers[i];
        const uint64_t row[] = {(uint64_t)ledger->id, ledger->applied};
        sqlite3_stmt *statement = usage->statements[USAGE_SET_APPLIED];

        if (ledger->applied != ledger->applied_stored &&
            (!usage_bind(usage, statement, row, 2, err) || !usage_run(usage, statement, err))) {
            return false;
        }
    }
    return true;
}
