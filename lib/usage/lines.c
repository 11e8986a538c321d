/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ordered dump: every row of every table as a line of text, ledger by
 * ledger in order of their names, the tables in the order below, rows in the
 * order of their keys. Columns are separated by tabs; a ledger is told by its
 * name, as its number depends on which ledger was met first.
 *
 *  (1) The dump depends on the entries applied alone, not on batches or time.
 *  (2) One line, one row: bytes that would break that are written \xHH.
 */
#include "usage_db.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (4u << 20) /* eleven texts of 64 kB, each byte as four */

/* table, columns behind the ledger, in the order of the key */
#define DUMP_TABLES(X)                                                                                                 \
    X(contexts,                                                                                                        \
      "context, app, credential, product, use_case, purpose, recipient, country, endpoint, version, catalogue, "       \
      "clause",                                                                                                        \
      "context")                                                                                                       \
    X(kinds, "kind, name", "kind")                                                                                     \
    X(versions,                                                                                                        \
      "entry, time, image, version, catalogue, agreement_sha256, catalogue_sha256, apps_commitment, "                  \
      "reason_commitment",                                                                                             \
      "entry")                                                                                                         \
    X(sums, "hour, context, flow, verdict, reason, status, ending, basis, unmetered, observe, requests, bytes",        \
      "hour, context, flow, verdict, reason, status, ending, basis, unmetered, observe")                               \
    X(amounts,                                                                                                         \
      "hour, context, flow, verdict, reason, status, ending, basis, unmetered, observe, kind, amount, beyond",         \
      "hour, context, flow, verdict, reason, status, ending, basis, unmetered, observe, kind")                         \
    X(credits, "hour, context, flow, kind, amount", "hour, context, flow, kind")                                       \
    X(gaps, "entry, cause, gate, epoch, from_ms, to_ms, requests", "entry")                                            \
    X(gap_units, "entry, kind, most", "entry, kind")                                                                   \
    X(periods, "entry, from_ms, before_ms, entries, receipts, refused", "entry")                                       \
    X(period_units, "entry, kind, amount", "entry, kind")                                                              \
    X(unidentified, "minute, reason, requests", "minute, reason")                                                      \
    X(refused, "entry, from_ms, to_ms, reason, requests", "entry")                                                     \
    X(changes,                                                                                                         \
      "entry, time, from_ms, image, number, subject, action, flags, id, document, words, who, applied_by, "            \
      "approved_by",                                                                                                   \
      "entry")                                                                                                         \
    X(acceptances,                                                                                                     \
      "entry, time, accepted, party, version, catalogue, signed_by, agreement_sha256, catalogue_sha256, public_key, "  \
      "note",                                                                                                          \
      "entry")                                                                                                         \
    X(disclosures,                                                                                                     \
      "entry, sequence, time, counted, anyway, reason, kind, total, distinct_ids, context, flow, verdict", "entry")    \
    X(disclosed_files, "entry, place, size, sha256", "entry, place")

static const struct {
    const char *name, *sql;
} tables[] = {
#define DUMP_TABLE(name, columns, order) {#name, "SELECT " columns " FROM " #name " WHERE ledger = ?1 ORDER BY " order},
    DUMP_TABLES(DUMP_TABLE)
#undef DUMP_TABLE
};
#define TABLES_LEN (sizeof(tables) / sizeof(tables[0]))

struct licet_usage_lines {
    licet_usage *usage;
    sqlite3_stmt *ledgers, *rows; /* rows: of the present table, or NULL */
    size_t table;
    uint64_t ledger;
    char name[USAGE_LEDGER_NAME_MAX + 1];
    bool in_ledger;
    licet_buffer line;
};

bool
licet_usage_lines_open(licet_usage *usage, const char *ledger, licet_usage_lines **out_lines, licet_error *err)
{
    static const char sql[] =
        "SELECT id, name, party, fold, began, applied FROM ledgers WHERE ?1 IS NULL OR name = ?1 ORDER BY name";
    licet_usage_lines *lines = calloc(1, sizeof(*lines));

    if (lines == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a dump");
    }
    lines->usage = usage;
    licet_buffer_init(&lines->line, LINE_MAX_BYTES);
    if (!usage_prepare(usage, sql, &lines->ledgers, err) ||
        (ledger != NULL && !usage_bind_text(usage, lines->ledgers, 1, licet_bytes_of_text(ledger), err))) {
        licet_usage_lines_close(lines);
        return false;
    }
    *out_lines = lines;
    return true;
}

void
licet_usage_lines_close(licet_usage_lines *lines)
{
    if (lines != NULL) {
        sqlite3_finalize(lines->rows);
        sqlite3_finalize(lines->ledgers);
        licet_buffer_done(&lines->line);
        free(lines);
    }
}

static void
put_escaped(licet_buffer *out, licet_bytes text)
{
    size_t plain = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];

        if (byte < 0x20 || byte == '\\' || byte == 0x7f) {
            licet_put_bytes(out, licet_bytes_of(text.data + plain, i - plain));
            licet_put_format(out, "\\x%02x", byte);
            plain = i + 1;
        }
    }
    licet_put_bytes(out, licet_bytes_of(text.data == NULL ? NULL : text.data + plain, text.len - plain));
}

static void
put_blob(licet_buffer *out, licet_bytes blob)
{
    for (size_t i = 0; i < blob.len; i++) {
        licet_put_format(out, "%02x", blob.data[i]);
    }
}

static void
put_columns(licet_buffer *out, sqlite3_stmt *row, int first)
{
    for (int i = first; i < sqlite3_column_count(row); i++) {
        licet_put_u8(out, '\t');
        switch (sqlite3_column_type(row, i)) {
        case SQLITE_INTEGER:
            licet_put_format(out, "%lld", (long long)sqlite3_column_int64(row, i));
            break;
        case SQLITE_BLOB:
            put_blob(out, usage_column(row, i));
            break;
        default:
            put_escaped(out, usage_column(row, i));
            break;
        }
    }
}

/* Steps to the next ledger; its own row is a line too. False in *out_found: there is none. */
static bool
next_ledger(licet_usage_lines *lines, bool *out_found, licet_error *err)
{
    int step = sqlite3_step(lines->ledgers);
    licet_bytes name;

    *out_found = step == SQLITE_ROW;
    if (step != SQLITE_ROW && step != SQLITE_DONE) {
        return usage_fail(lines->usage, err, "cannot read ledgers");
    }
    if (*out_found) {
        name = usage_column(lines->ledgers, 1);
        if (name.len > USAGE_LEDGER_NAME_MAX) {
            return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: ledger name of %zu bytes: expected at most %d",
                              lines->usage->path, name.len, USAGE_LEDGER_NAME_MAX);
        }
        lines->ledger = usage_column_u64(lines->ledgers, 0);
        memset(lines->name, 0, sizeof(lines->name));
        memcpy(lines->name, name.data, name.len);
        lines->in_ledger = true;
        lines->table = 0;
        licet_put_format(&lines->line, "ledgers");
        put_columns(&lines->line, lines->ledgers, 1);
    }
    return true;
}

/* The next row of the tables of this ledger; none left: in_ledger is false afterwards. */
static bool
next_row(licet_usage_lines *lines, licet_error *err)
{
    while (lines->table < TABLES_LEN) {
        int step;

        if (lines->rows == NULL && (!usage_prepare(lines->usage, tables[lines->table].sql, &lines->rows, err) ||
                                    !usage_bind(lines->usage, lines->rows, &lines->ledger, 1, err))) {
            return false;
        }
        step = sqlite3_step(lines->rows);
        if (step == SQLITE_ROW) {
            licet_put_format(&lines->line, "%s\t", tables[lines->table].name);
            put_escaped(&lines->line, licet_bytes_of_text(lines->name));
            put_columns(&lines->line, lines->rows, 0);
            return true;
        }
        if (step != SQLITE_DONE) {
            return usage_fail(lines->usage, err, "cannot read a table");
        }
        sqlite3_finalize(lines->rows);
        lines->rows = NULL;
        lines->table++;
    }
    lines->in_ledger = false;
    return true;
}

bool
licet_usage_lines_next(licet_usage_lines *lines, licet_bytes *out_line, licet_error *err)
{
    bool found = true;

    lines->line.len = 0;
    if (lines->in_ledger && !next_row(lines, err)) {
        return false;
    }
    if (!lines->in_ledger && !next_ledger(lines, &found, err)) {
        return false;
    }
    if (lines->line.failed) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: a row is longer than %u bytes as text", lines->usage->path,
                          LINE_MAX_BYTES);
    }
    *out_line = found ? licet_buffer_view(&lines->line) : (licet_bytes){0};
    return true;
}

bool
licet_usage_dump(licet_usage *usage, licet_buffer *out, licet_error *err)
{
    licet_usage_lines *lines = NULL;
    licet_bytes line;
    bool ok = licet_usage_lines_open(usage, NULL, &lines, err);

    while (ok && (ok = licet_usage_lines_next(lines, &line, err)) && line.data != NULL) {
        licet_put_bytes(out, line);
        licet_put_u8(out, '\n');
    }
    if (ok && out->failed) {
        ok = LICET_FAIL(err, LICET_E_LIMIT, 0, "the dump of %s is longer than %zu bytes", usage->path, out->ceiling);
    }
    licet_usage_lines_close(lines);
    return ok;
}
