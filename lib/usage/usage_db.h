/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of usage/ share: the open database, its prepared statements
 * and what is kept in memory of each ledger.
 */
#ifndef LICET_USAGE_DB_H
#define LICET_USAGE_DB_H

#include "licet/usage.h"
#include "sums.h"

#include <sqlite3.h>

#define USAGE_LEDGER_NAME_MAX 64
#define USAGE_KIND_NAME_MAX 255
#define USAGE_LEDGERS_MAX 65536
#define USAGE_HOUR_MS UINT64_C(3600000)
#define USAGE_MINUTE_MS UINT64_C(60000)
#define USAGE_NO_KIND 256

/* A sum stops at its largest value: a receipt somebody made up must not keep the tables from being written. Where the
 * integers overflow SQLite adds as REAL, which is then the greater of the two. */
#define USAGE_ADD(column) "min(" #column " + excluded." #column ", 9223372036854775807)"

/* name, SQL: the statements that writing needs. Kept for the life of the handle. */
#define USAGE_STATEMENTS(X)                                                                                            \
    X(FIND_LEDGER, "SELECT id, applied FROM ledgers WHERE name = ?1")                                                  \
    X(FIND_KINDS, "SELECT kind, name FROM kinds WHERE ledger = ?1")                                                    \
    X(FIND_CONTEXT, "SELECT 1 FROM contexts WHERE ledger = ?1 AND context = ?2")                                       \
    X(ADD_LEDGER, "INSERT INTO ledgers(name, party, fold, began, applied) VALUES(?1, ?2, ?3, ?4, 0)")                  \
    X(SET_APPLIED, "UPDATE ledgers SET applied = ?2 WHERE id = ?1")                                                    \
    X(ADD_CONTEXT, "INSERT INTO contexts VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")              \
    X(ADD_KIND, "INSERT INTO kinds VALUES(?1, ?2, ?3)")                                                                \
    X(ADD_CHANGE, "INSERT INTO changes VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)")      \
    X(ADD_VERSION, "INSERT INTO versions VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                             \
    X(ADD_ACCEPTANCE, "INSERT INTO acceptances VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")             \
    X(ADD_DISCLOSURE, "INSERT INTO disclosures VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, 0)")              \
    X(NAME_DISCLOSURE, "UPDATE disclosures SET context = ?3, flow = ?4, verdict = ?5"                                  \
                       " WHERE ledger = ?1 AND sequence = ?2 AND context = 0")                                         \
    X(ADD_DISCLOSED_FILE, "INSERT INTO disclosed_files VALUES(?1, ?2, ?3, ?4, ?5)")                                    \
    X(ADD_GAP, "INSERT INTO gaps VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                              \
    X(ADD_GAP_UNIT, "INSERT INTO gap_units VALUES(?1, ?2, ?3, ?4)")                                                    \
    X(ADD_PERIOD, "INSERT INTO periods VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                            \
    X(ADD_PERIOD_UNIT, "INSERT INTO period_units VALUES(?1, ?2, ?3, ?4)")                                              \
    X(ADD_UNIDENTIFIED, "INSERT INTO unidentified VALUES(?1, ?2, ?3, ?4)"                                              \
                        " ON CONFLICT DO UPDATE SET requests = " USAGE_ADD(requests))                                  \
    X(ADD_REFUSED, "INSERT INTO refused VALUES(?1, ?2, ?3, ?4, ?5, ?6)")                                               \
    X(ADD_CREDIT, "INSERT INTO credits VALUES(?1, ?2, ?3, ?4, ?5, ?6)"                                                 \
                  " ON CONFLICT DO UPDATE SET amount = " USAGE_ADD(amount))                                            \
    X(ADD_SUM, "INSERT INTO sums VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"                       \
               " ON CONFLICT DO UPDATE SET requests = " USAGE_ADD(requests) ", bytes = " USAGE_ADD(bytes))             \
    X(ADD_AMOUNT, "INSERT INTO amounts VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"            \
                  " ON CONFLICT DO UPDATE SET amount = " USAGE_ADD(amount) ", beyond = " USAGE_ADD(beyond))

typedef enum usage_statement {
#define USAGE_STATEMENT_ENUM(name, sql) USAGE_##name,
    USAGE_STATEMENTS(USAGE_STATEMENT_ENUM)
#undef USAGE_STATEMENT_ENUM
        USAGE_STATEMENTS_LEN
} usage_statement;

/* One ledger, as far as applying needs it. */
typedef struct usage_ledger {
    char name[USAGE_LEDGER_NAME_MAX + 1];
    int64_t id;
    uint64_t applied, applied_stored;
    bool known[256];       /* unit kinds that the ledger named so far */
    bool holds[256];       /* of those: named 'held:<unit>' */
    uint16_t base_of[256]; /* of kind 'held:<unit>': the kind <unit>, once named; else USAGE_NO_KIND */
} usage_ledger;

struct licet_usage {
    sqlite3 *db;
    char *path;
    bool read_only, in_batch;
    sqlite3_stmt *statements[USAGE_STATEMENTS_LEN];
    usage_ledger *ledgers; /* those met by this handle */
    size_t ledgers_len, ledgers_capacity;
    uint32_t *names; /* open addressing: row of ledgers and one, or 0 */
    size_t names_len;
    size_t last; /* row of the ledger that was asked for last */
    usage_sums sums;
    uint64_t sequences[LICET_REFUSALS_MAX]; /* storage for decoding runs */
};

/* Fills err from the database handle's last failure; returns false. */
bool usage_fail(licet_usage *usage, licet_error *err, const char *what);
/* Prepares sql into *out_statement; the caller finalizes. */
bool usage_prepare(licet_usage *usage, const char *sql, sqlite3_stmt **out_statement, licet_error *err);
/* Binds n unsigned numbers from parameter 1 on; LIMIT when one does not fit into 63 bits. */
bool usage_bind(licet_usage *usage, sqlite3_stmt *statement, const uint64_t *values, int n, licet_error *err);
bool usage_bind_text(licet_usage *usage, sqlite3_stmt *statement, int parameter, licet_bytes text, licet_error *err);
/* Runs a statement that returns no row and resets it. */
bool usage_run(licet_usage *usage, sqlite3_stmt *statement, licet_error *err);
/* Text of a column, borrowed until the next step. */
licet_bytes usage_column(sqlite3_stmt *statement, int column);
uint64_t usage_column_u64(sqlite3_stmt *statement, int column);

/* Row of usage->ledgers, reading it in when this handle did not meet it yet. SIZE_MAX in *out_row: no such ledger. */
bool usage_ledger_find(licet_usage *usage, const char *name, size_t *out_row, licet_error *err);
/* Makes room for one more and returns its row, zeroed but for name and base_of. */
bool usage_ledger_add(licet_usage *usage, const char *name, size_t *out_row, licet_error *err);
/* Notes that kind has this name; the other rows of kinds are in the database. */
bool usage_ledger_name_kind(licet_usage *usage, usage_ledger *ledger, uint8_t kind, licet_bytes name, licet_error *err);
/* Writes what the sums hold into the tables; they are empty afterwards. */
bool usage_flush(licet_usage *usage, licet_error *err);
/* Drops the batch under way and all that memory holds of it. */
void usage_drop_batch(licet_usage *usage);

#endif
