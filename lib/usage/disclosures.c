/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading disclosures: what left in files, to whom, and whether a file went to somebody before.
 */
#include "usage_db.h"

#include <string.h>

static bool
ledger_of(licet_usage *usage, const char *ledger, uint64_t *out_id, bool *out_found, licet_error *err)
{
    sqlite3_stmt *find = usage->statements[USAGE_FIND_LEDGER];
    int step;

    if (!usage_bind_text(usage, find, 1, licet_bytes_of_text(ledger), err)) {
        return false;
    }
    step = sqlite3_step(find);
    *out_found = step == SQLITE_ROW;
    *out_id = *out_found ? usage_column_u64(find, 0) : 0;
    sqlite3_reset(find);
    return *out_found || step == SQLITE_DONE || usage_fail(usage, err, "cannot read ledgers");
}

static bool
read_files(licet_usage *usage, sqlite3_stmt *files, uint64_t ledger, uint64_t entry, licet_disclosure_file *list,
           uint32_t *out_len, licet_error *err)
{
    const uint64_t key[] = {ledger, entry};
    int step;

    *out_len = 0;
    if (!usage_bind(usage, files, key, 2, err)) {
        return false;
    }
    while ((step = sqlite3_step(files)) == SQLITE_ROW && *out_len < LICET_DISCLOSURE_FILES_MAX) {
        licet_bytes hash = usage_column(files, 1);
        licet_disclosure_file *file = &list[(*out_len)++];

        if (hash.len != LICET_SHA256_LEN) {
            sqlite3_reset(files);
            return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: a hash of a disclosed file has not 32 bytes", usage->path);
        }
        file->size = usage_column_u64(files, 0);
        memcpy(file->sha256.bytes, hash.data, hash.len);
    }
    sqlite3_reset(files);
    return step == SQLITE_DONE || usage_fail(usage, err, "cannot read the files of a disclosure");
}

/* One row of disclosures joined with its context and unit kind. */
static void
fill(sqlite3_stmt *row, licet_usage_disclosure *out)
{
    int column = 11;

    *out = (licet_usage_disclosure){.entry = usage_column_u64(row, 0),
                                    .sequence = usage_column_u64(row, 1),
                                    .time_ms = usage_column_u64(row, 2),
                                    .counted = sqlite3_column_int(row, 3) != 0,
                                    .anyway = sqlite3_column_int(row, 4) != 0,
                                    .reason = (uint8_t)sqlite3_column_int(row, 5),
                                    .total = usage_column_u64(row, 6),
                                    .distinct = usage_column_u64(row, 7),
                                    .flow = (licet_flow)sqlite3_column_int(row, 8),
                                    .verdict = (licet_verdict_kind)sqlite3_column_int(row, 9),
                                    .unit = usage_column(row, 10)};
#define READ_FIELD(name) out->context.name = usage_column(row, column++);
    LICET_CONTEXT_FIELDS(READ_FIELD)
#undef READ_FIELD
}

bool
licet_usage_disclosures(licet_usage *usage, const char *ledger, uint64_t from_ms, uint64_t before_ms,
                        licet_on_usage_disclosure on_disclosure, void *user, licet_error *err)
{
    static const char sql[] =
        "SELECT d.entry, d.sequence, d.time, d.counted, d.anyway, d.reason, d.total, d.distinct_ids, d.flow, d.verdict,"
        " k.name, c.app, c.credential, c.product, c.use_case, c.purpose, c.recipient, c.country, c.endpoint, c.version,"
        " c.catalogue, c.clause FROM disclosures AS d CROSS JOIN contexts AS c ON c.ledger = d.ledger AND c.context ="
        " d.context CROSS JOIN kinds AS k ON k.ledger = d.ledger AND k.kind = d.kind WHERE d.ledger = ?1 AND d.time >="
        " ?2 AND d.time < ?3 ORDER BY d.entry";
    static const char files_sql[] =
        "SELECT size, sha256 FROM disclosed_files WHERE ledger = ?1 AND entry = ?2 ORDER BY place";
    licet_disclosure_file list[LICET_DISCLOSURE_FILES_MAX];
    sqlite3_stmt *rows = NULL, *files = NULL;
    uint64_t values[3] = {0, from_ms, before_ms};
    int step = SQLITE_DONE;
    bool found, ok = ledger_of(usage, ledger, &values[0], &found, err);

    if (ok && found) {
        ok = usage_prepare(usage, sql, &rows, err) && usage_prepare(usage, files_sql, &files, err) &&
             usage_bind(usage, rows, values, 3, err);
    }
    while (ok && rows != NULL && (step = sqlite3_step(rows)) == SQLITE_ROW) {
        licet_usage_disclosure d;

        fill(rows, &d);
        d.files = list;
        ok = read_files(usage, files, values[0], d.entry, list, &d.files_len, err) && on_disclosure(user, &d, err);
    }
    if (ok && step != SQLITE_DONE) {
        ok = usage_fail(usage, err, "cannot read disclosures");
    }
    sqlite3_finalize(rows);
    sqlite3_finalize(files);
    return ok;
}

bool
licet_usage_disclosed(licet_usage *usage, const char *ledger, const licet_hash *sha256, licet_bytes recipient,
                      uint64_t *out_sequence, uint64_t *out_time_ms, bool *out_found, licet_error *err)
{
    static const char sql[] =
        "SELECT d.sequence, d.time FROM disclosed_files AS f CROSS JOIN disclosures AS d ON d.ledger = f.ledger AND"
        " d.entry = f.entry CROSS JOIN contexts AS c ON c.ledger = d.ledger AND c.context = d.context WHERE f.ledger ="
        " ?1 AND f.sha256 = ?2 AND c.recipient = ?3 ORDER BY d.entry DESC LIMIT 1";
    sqlite3_stmt *statement = NULL;
    uint64_t id;
    int step = SQLITE_DONE;
    bool ok = ledger_of(usage, ledger, &id, out_found, err);

    if (!ok || !*out_found) {
        return ok;
    }
    *out_found = false;
    ok = usage_prepare(usage, sql, &statement, err) && usage_bind(usage, statement, &id, 1, err) &&
         usage_bind_text(usage, statement, 3, recipient, err);
    if (ok && sqlite3_bind_blob(statement, 2, sha256->bytes, LICET_SHA256_LEN, SQLITE_TRANSIENT) != SQLITE_OK) {
        ok = usage_fail(usage, err, "cannot bind a hash");
    }
    if (ok && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        *out_sequence = usage_column_u64(statement, 0);
        *out_time_ms = usage_column_u64(statement, 1);
        *out_found = true;
    } else if (ok && step != SQLITE_DONE) {
        ok = usage_fail(usage, err, "cannot read disclosures");
    }
    sqlite3_finalize(statement);
    return ok;
}
