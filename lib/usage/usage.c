/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The usage database: its tables, its transactions, and what memory keeps of
 * each ledger. docs/format/usage.md describes the tables.
 *
 *  (1) Write-ahead logging: readers never stop the recorder, nor it them. The
 *      -wal and -shm files stay after closing, so that who may only read the
 *      folder can open the tables.
 *  (2) Nothing is synced but at checkpoints of the log: what a power loss
 *      takes is a tail of whole batches, and the ledgers give it back.
 *  (3) After a failure in a batch, memory and database are as before it.
 */
#include "usage_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USAGE_APPLICATION_ID 0x4c434555 /* LCEU */
#define USAGE_FORMAT 5
#define USAGE_BUSY_MS 10000

static const char schema[] =
    "CREATE TABLE ledgers(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, party TEXT NOT NULL, fold INTEGER NOT "
    "NULL,"
    " began INTEGER NOT NULL, applied INTEGER NOT NULL) STRICT;"
    "CREATE TABLE contexts(ledger INTEGER NOT NULL, context INTEGER NOT NULL, app TEXT NOT NULL, credential TEXT NOT "
    "NULL,"
    " product TEXT NOT NULL, use_case TEXT NOT NULL, purpose TEXT NOT NULL, recipient TEXT NOT NULL,"
    " country TEXT NOT NULL, endpoint TEXT NOT NULL, version TEXT NOT NULL, catalogue TEXT NOT NULL,"
    " clause TEXT NOT NULL, PRIMARY KEY(ledger, context)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE kinds(ledger INTEGER NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL,"
    " PRIMARY KEY(ledger, kind), UNIQUE(ledger, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sums(ledger INTEGER NOT NULL, hour INTEGER NOT NULL, context INTEGER NOT NULL, flow INTEGER NOT NULL,"
    " verdict INTEGER NOT NULL, reason INTEGER NOT NULL, status INTEGER NOT NULL, ending INTEGER NOT NULL,"
    " basis INTEGER NOT NULL, unmetered INTEGER NOT NULL, observe INTEGER NOT NULL, requests INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, PRIMARY KEY(ledger, hour, context, flow, verdict, reason, status, ending, basis, "
    "unmetered,"
    " observe)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE amounts(ledger INTEGER NOT NULL, hour INTEGER NOT NULL, context INTEGER NOT NULL, flow INTEGER NOT "
    "NULL,"
    " verdict INTEGER NOT NULL, reason INTEGER NOT NULL, status INTEGER NOT NULL, ending INTEGER NOT NULL,"
    " basis INTEGER NOT NULL, unmetered INTEGER NOT NULL, observe INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " amount INTEGER NOT NULL, beyond INTEGER NOT NULL, PRIMARY KEY(ledger, hour, context, flow, verdict, reason, "
    "status,"
    " ending, basis, unmetered, observe, kind)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE versions(ledger INTEGER NOT NULL, entry INTEGER NOT NULL, time INTEGER NOT NULL, image INTEGER NOT "
    "NULL,"
    " version TEXT NOT NULL, catalogue TEXT NOT NULL, agreement_sha256 BLOB NOT NULL, catalogue_sha256 BLOB NOT NULL,"
    " apps_commitment BLOB NOT NULL, reason_commitment BLOB NOT NULL, PRIMARY KEY(ledger, entry)) STRICT, WITHOUT "
    "ROWID;"
    "CREATE TABLE gaps(ledger INTEGER NOT NULL, entry INTEGER NOT NULL, cause INTEGER NOT NULL, gate INTEGER NOT NULL,"
    " epoch INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, requests INTEGER NOT NULL,"
    " PRIMARY KEY(ledger, entry)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE gap_units(ledger INTEGER NOT NULL, entry INTEGER NOT NULL, kind INTEGER NOT NULL, most INTEGER NOT "
    "NULL,"
    " PRIMARY KEY(ledger, entry, kind)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE periods(ledger INTEGER NOT NULL, entry INTEGER NOT NULL, from_ms INTEGER NOT NULL,"
    " before_ms INTEGER NOT NULL, entries INTEGER NOT NULL, receipts INTEGER NOT NULL, refused INTEGER NOT NULL,"
    " PRIMARY KEY(ledger, entry)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE period_units(ledger INTEGER NOT NULL, entry INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " amount INTEGER NOT NULL, PRIMARY KEY(ledger, entry, kind)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE unidentified(ledger INTEGER NOT NULL, minute INTEGER NOT NULL, reason INTEGER NOT NULL,"
    " requests INTEGER NOT NULL, PRIMARY KEY(ledger, minute, reason)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE refused(ledger INTEGER NOT NULL, entry INTEGER NOT NULL, from_ms INTEGER NOT NULL,"
    " to_ms INTEGER NOT NULL, reason INTEGER NOT NULL, requests INTEGER NOT NULL, PRIMARY KEY(ledger, entry)) STRICT,"
    " WITHOUT ROWID;"
    "CREATE TABLE credits(ledger INTEGER NOT NULL, hour INTEGER NOT NULL, context INTEGER NOT NULL, flow INTEGER NOT "
    "NULL,"
    " kind INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY(ledger, hour, context, flow, kind)) STRICT,"
    " WITHOUT ROWID;"
    "CREATE TABLE changes(ledger INTEGER NOT NULL, entry INTEGER NOT NULL, time INTEGER NOT NULL,"
    " from_ms INTEGER NOT NULL, image INTEGER NOT NULL, number INTEGER NOT NULL, subject INTEGER NOT NULL,"
    " action INTEGER NOT NULL, flags INTEGER NOT NULL, id TEXT NOT NULL, document BLOB NOT NULL, words BLOB NOT NULL,"
    " who BLOB NOT NULL, applied_by BLOB NOT NULL, approved_by BLOB NOT NULL, PRIMARY KEY(ledger, entry)) STRICT,"
    " WITHOUT ROWID;"
    "CREATE TABLE acceptances(ledger INTEGER NOT NULL, entry INTEGER NOT NULL, time INTEGER NOT NULL,"
    " accepted INTEGER NOT NULL, party INTEGER NOT NULL, version TEXT NOT NULL, catalogue TEXT NOT NULL,"
    " signed_by TEXT NOT NULL, agreement_sha256 BLOB NOT NULL, catalogue_sha256 BLOB NOT NULL,"
    " public_key BLOB NOT NULL, note BLOB NOT NULL, PRIMARY KEY(ledger, entry)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE disclosures(ledger INTEGER NOT NULL, entry INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    " time INTEGER NOT NULL, counted INTEGER NOT NULL, anyway INTEGER NOT NULL, reason INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, total INTEGER NOT NULL, distinct_ids INTEGER NOT NULL, context INTEGER NOT NULL,"
    " flow INTEGER NOT NULL, verdict INTEGER NOT NULL, PRIMARY KEY(ledger, entry), UNIQUE(ledger, sequence)) STRICT,"
    " WITHOUT ROWID;"
    "CREATE TABLE disclosed_files(ledger INTEGER NOT NULL, entry INTEGER NOT NULL, place INTEGER NOT NULL,"
    " size INTEGER NOT NULL, sha256 BLOB NOT NULL, PRIMARY KEY(ledger, entry, place)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX disclosed_by_hash ON disclosed_files(ledger, sha256);";

static const char *const statement_sql[] = {
#define STATEMENT_SQL(name, sql) (sql),
    USAGE_STATEMENTS(STATEMENT_SQL)
#undef STATEMENT_SQL
};

/* ---- statements --------------------------------------------------------- */

bool
usage_fail(licet_usage *usage, licet_error *err, const char *what)
{
    licet_errc code = LICET_E_SYSTEM;

    switch (sqlite3_errcode(usage->db) & 0xff) {
    case SQLITE_CONSTRAINT:
        if (sqlite3_extended_errcode(usage->db) == SQLITE_CONSTRAINT_DATATYPE) {
            return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: %s: a sum is greater than 9223372036854775807", usage->path,
                              what);
        }
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: %s: named a second time: %s", usage->path, what,
                          sqlite3_errmsg(usage->db));
    case SQLITE_NOMEM:
        code = LICET_E_MEMORY;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        code = LICET_E_CORRUPT;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        code = LICET_E_CONFLICT;
        break;
    default:
        break;
    }
    return LICET_FAIL(err, code, 0, "%s: %s: %s", usage->path, what, sqlite3_errmsg(usage->db));
}

bool
usage_prepare(licet_usage *usage, const char *sql, sqlite3_stmt **out_statement, licet_error *err)
{
    if (sqlite3_prepare_v2(usage->db, sql, -1, out_statement, NULL) != SQLITE_OK) {
        return usage_fail(usage, err, "cannot prepare a statement");
    }
    return true;
}

bool
usage_bind(licet_usage *usage, sqlite3_stmt *statement, const uint64_t *values, int n, licet_error *err)
{
    for (int i = 0; i < n; i++) {
        if (values[i] > INT64_MAX) {
            return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: %llu does not fit: expected at most 9223372036854775807",
                              usage->path, (unsigned long long)values[i]);
        }
        if (sqlite3_bind_int64(statement, i + 1, (sqlite3_int64)values[i]) != SQLITE_OK) {
            return usage_fail(usage, err, "cannot bind a number");
        }
    }
    return true;
}

bool
usage_bind_text(licet_usage *usage, sqlite3_stmt *statement, int parameter, licet_bytes text, licet_error *err)
{
    const char *data = text.len == 0 ? "" : (const char *)text.data;

    if (sqlite3_bind_text64(statement, parameter, data, text.len, SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK) {
        return usage_fail(usage, err, "cannot bind a text");
    }
    return true;
}

bool
usage_run(licet_usage *usage, sqlite3_stmt *statement, licet_error *err)
{
    bool ok = sqlite3_step(statement) == SQLITE_DONE || usage_fail(usage, err, "cannot write");

    sqlite3_reset(statement);
    return ok;
}

licet_bytes
usage_column(sqlite3_stmt *statement, int column)
{
    const void *data = sqlite3_column_blob(statement, column); /* of a text too: its bytes, no conversion */

    return licet_bytes_of(data, (size_t)sqlite3_column_bytes(statement, column));
}

uint64_t
usage_column_u64(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

static bool
execute(licet_usage *usage, const char *sql, licet_error *err)
{
    return sqlite3_exec(usage->db, sql, NULL, NULL, NULL) == SQLITE_OK || usage_fail(usage, err, "cannot execute");
}

/* A number that the database tells of itself (PRAGMA). */
static bool
ask(licet_usage *usage, const char *sql, uint64_t *out_value, licet_error *err)
{
    sqlite3_stmt *statement = NULL;
    bool ok = usage_prepare(usage, sql, &statement, err);

    if (ok) {
        ok = sqlite3_step(statement) == SQLITE_ROW || usage_fail(usage, err, "cannot read");
    }
    if (ok) {
        *out_value = usage_column_u64(statement, 0);
    }
    sqlite3_finalize(statement);
    return ok;
}

/* ---- opening ------------------------------------------------------------ */

/* Makes the tables in an empty file; refuses what is not ours. */
static bool
check_tables(licet_usage *usage, licet_error *err)
{
    uint64_t application, format, tables;
    char text[160];

    if (!ask(usage, "PRAGMA application_id", &application, err) || !ask(usage, "PRAGMA user_version", &format, err) ||
        !ask(usage, "SELECT count(*) FROM sqlite_schema", &tables, err)) {
        return false;
    }
    if (tables == 0 && application == 0 && !usage->read_only) {
        snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = %d;", USAGE_APPLICATION_ID,
                 USAGE_FORMAT);
        return execute(usage, "BEGIN IMMEDIATE", err) && execute(usage, schema, err) && execute(usage, text, err) &&
               execute(usage, "COMMIT", err);
    }
    if (application != USAGE_APPLICATION_ID) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: application id %llu: expected the usage tables of licet",
                          usage->path, (unsigned long long)application);
    }
    if (format != USAGE_FORMAT) {
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "%s: format %llu: expected %d; licet rebuild makes it anew",
                          usage->path, (unsigned long long)format, USAGE_FORMAT);
    }
    return true;
}

static bool
configure(licet_usage *usage, licet_error *err)
{
    int keep = 1;

    sqlite3_extended_result_codes(usage->db, 1);
    sqlite3_busy_timeout(usage->db, USAGE_BUSY_MS);
    if (usage->read_only) {
        return true;
    }
    sqlite3_file_control(usage->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    return execute(
        usage, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864;", err);
}

static bool
prepare_statements(licet_usage *usage, licet_error *err)
{
    unsigned len = usage->read_only ? USAGE_ADD_LEDGER : USAGE_STATEMENTS_LEN;

    for (unsigned i = 0; i < len; i++) {
        if (sqlite3_prepare_v3(usage->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &usage->statements[i],
                               NULL) != SQLITE_OK) {
            return usage_fail(usage, err, "its tables are not those of licet");
        }
    }
    return true;
}

/* Makes the file where there is none: what an agreement uses is not for everybody to read. An empty path: a database
 * on disk without a name. */
static bool
claim(const char *path, licet_error *err)
{
    int fd;

    if (path[0] == '\0') {
        return true;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    }
    close(fd);
    return true;
}

static void
usage_free(licet_usage *usage)
{
    for (unsigned i = 0; i < USAGE_STATEMENTS_LEN; i++) {
        sqlite3_finalize(usage->statements[i]);
    }
    sqlite3_close(usage->db);
    usage_sums_done(&usage->sums);
    free(usage->ledgers);
    free(usage->names);
    free(usage->path);
    free(usage);
}

bool
licet_usage_open(const char *path, bool read_only, licet_usage **out_usage, licet_error *err)
{
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    licet_usage *usage = calloc(1, sizeof(*usage));
    bool ok = false;

    if (usage == NULL || (usage->path = strdup(path)) == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to open %s", path);
        goto done;
    }
    usage->read_only = read_only;
    usage_sums_init(&usage->sums);
    if (!read_only && !claim(path, err)) {
        goto done;
    }
    if (sqlite3_open_v2(path, &usage->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        if (usage->db == NULL) {
            LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to open %s", path);
        } else if (read_only && sqlite3_errcode(usage->db) == SQLITE_CANTOPEN) {
            LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%s: there are no usage tables, or they cannot be opened", path);
        } else {
            usage_fail(usage, err, "cannot open");
        }
        goto done;
    }
    ok = configure(usage, err) && check_tables(usage, err) && prepare_statements(usage, err);
done:
    if (ok) {
        *out_usage = usage;
    } else if (usage != NULL) {
        usage_free(usage);
    }
    return ok;
}

bool
licet_usage_close(licet_usage *usage, licet_error *err)
{
    bool ok = true;

    if (usage == NULL) {
        return true;
    }
    if (usage->in_batch && !usage->read_only) {
        ok = LICET_FAIL(err, LICET_E_STATE, 0, "%s: closed inside a batch, which is dropped", usage->path);
    }
    usage_free(usage);
    return ok;
}

/* ---- ledgers in memory -------------------------------------------------- */

/* Place of a name in the table, or of the free cell where it belongs. */
static size_t
place_of(const licet_usage *usage, const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t place;

    for (const char *c = name; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    }
    place = (size_t)(hash ^ hash >> 32) & (usage->names_len - 1);
    while (usage->names[place] != 0 && strcmp(usage->ledgers[usage->names[place] - 1].name, name) != 0) {
        place = (place + 1) & (usage->names_len - 1);
    }
    return place;
}

static void
forget_ledgers(licet_usage *usage)
{
    usage->ledgers_len = 0;
    if (usage->names != NULL) {
        memset(usage->names, 0, usage->names_len * sizeof(*usage->names));
    }
}

/* Room for one ledger more; the table of names stays at most half full. */
static bool
grow_ledgers(licet_usage *usage, licet_error *err)
{
    size_t capacity = usage->ledgers_capacity == 0 ? 16 : 2 * usage->ledgers_capacity;
    usage_ledger *list = realloc(usage->ledgers, capacity * sizeof(*list));
    uint32_t *names;

    if (list == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu ledgers", capacity);
    }
    usage->ledgers = list;
    names = calloc(2 * capacity, sizeof(*names));
    if (names == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu ledgers", capacity);
    }
    free(usage->names);
    usage->names = names;
    usage->names_len = 2 * capacity;
    usage->ledgers_capacity = capacity;
    for (size_t i = 0; i < usage->ledgers_len; i++) {
        names[place_of(usage, usage->ledgers[i].name)] = (uint32_t)i + 1;
    }
    return true;
}

bool
usage_ledger_add(licet_usage *usage, const char *name, size_t *out_row, licet_error *err)
{
    usage_ledger *ledger;

    if (strlen(name) == 0 || strlen(name) > USAGE_LEDGER_NAME_MAX) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "ledger name of %zu bytes: expected 1 to %d", strlen(name),
                          USAGE_LEDGER_NAME_MAX);
    }
    if (usage->ledgers_len == USAGE_LEDGERS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: more than %d ledgers", usage->path, USAGE_LEDGERS_MAX);
    }
    if (usage->ledgers_len == usage->ledgers_capacity && !grow_ledgers(usage, err)) {
        return false;
    }
    ledger = &usage->ledgers[usage->ledgers_len];
    memset(ledger, 0, sizeof(*ledger));
    memcpy(ledger->name, name, strlen(name));
    for (unsigned i = 0; i < 256; i++) {
        ledger->base_of[i] = USAGE_NO_KIND;
    }
    usage->names[place_of(usage, name)] = (uint32_t)usage->ledgers_len + 1;
    *out_row = usage->ledgers_len++;
    return true;
}

/* Of 'held:<unit>' the unit; none otherwise. */
static licet_bytes
held_unit(licet_bytes name)
{
    static const char prefix[] = "held:";
    size_t len = sizeof(prefix) - 1;

    if (name.len <= len || memcmp(name.data, prefix, len) != 0) {
        return (licet_bytes){0};
    }
    return licet_bytes_of(name.data + len, name.len - len);
}

bool
usage_ledger_name_kind(licet_usage *usage, usage_ledger *ledger, uint8_t kind, licet_bytes name, licet_error *err)
{
    sqlite3_stmt *find = usage->statements[USAGE_FIND_KINDS];
    uint64_t id = (uint64_t)ledger->id;
    int step;

    if (!usage_bind(usage, find, &id, 1, err)) {
        return false;
    }
    while ((step = sqlite3_step(find)) == SQLITE_ROW) {
        uint8_t other = (uint8_t)usage_column_u64(find, 0);
        licet_bytes other_name = usage_column(find, 1), unit = held_unit(name), other_unit = held_unit(other_name);

        if (unit.len > 0 && licet_bytes_equal(unit, other_name)) {
            ledger->base_of[kind] = other;
        }
        if (other_unit.len > 0 && licet_bytes_equal(other_unit, name)) {
            ledger->base_of[other] = kind;
        }
    }
    sqlite3_reset(find);
    if (step != SQLITE_DONE) {
        return usage_fail(usage, err, "cannot read unit kinds");
    }
    ledger->known[kind] = true;
    ledger->holds[kind] = held_unit(name).len > 0;
    return true;
}

static bool
recall_kinds(licet_usage *usage, usage_ledger *ledger, licet_error *err)
{
    uint8_t kinds[256];
    char names[256][USAGE_KIND_NAME_MAX];
    size_t lens[256], len = 0;
    sqlite3_stmt *find = usage->statements[USAGE_FIND_KINDS];
    uint64_t id = (uint64_t)ledger->id;
    int step;

    if (!usage_bind(usage, find, &id, 1, err)) {
        return false;
    }
    while ((step = sqlite3_step(find)) == SQLITE_ROW && len < 256) {
        licet_bytes name = usage_column(find, 1);

        kinds[len] = (uint8_t)usage_column_u64(find, 0);
        lens[len] = name.len < sizeof(names[0]) ? name.len : sizeof(names[0]);
        memcpy(names[len], name.data, lens[len]);
        len++;
    }
    sqlite3_reset(find);
    if (step != SQLITE_DONE) {
        return usage_fail(usage, err, "cannot read unit kinds");
    }
    for (size_t i = 0; i < len; i++) {
        if (!usage_ledger_name_kind(usage, ledger, kinds[i], licet_bytes_of(names[i], lens[i]), err)) {
            return false;
        }
    }
    return true;
}

static bool
recall(licet_usage *usage, const char *name, size_t *out_row, licet_error *err)
{
    sqlite3_stmt *find = usage->statements[USAGE_FIND_LEDGER];
    uint64_t applied = 0;
    int64_t id = 0;
    int step;

    if (!usage_bind_text(usage, find, 1, licet_bytes_of_text(name), err)) {
        return false;
    }
    step = sqlite3_step(find);
    if (step == SQLITE_ROW) {
        id = sqlite3_column_int64(find, 0);
        applied = usage_column_u64(find, 1);
    }
    sqlite3_reset(find);
    if (step == SQLITE_DONE) {
        *out_row = SIZE_MAX;
        return true;
    }
    if (step != SQLITE_ROW) {
        return usage_fail(usage, err, "cannot read ledgers");
    }
    if (!usage_ledger_add(usage, name, out_row, err)) {
        return false;
    }
    usage->ledgers[*out_row].id = id;
    usage->ledgers[*out_row].applied = usage->ledgers[*out_row].applied_stored = applied;
    if (!recall_kinds(usage, &usage->ledgers[*out_row], err)) {
        forget_ledgers(usage);
        return false;
    }
    return true;
}

bool
usage_ledger_find(licet_usage *usage, const char *name, size_t *out_row, licet_error *err)
{
    if (usage->last < usage->ledgers_len && strcmp(usage->ledgers[usage->last].name, name) == 0) {
        *out_row = usage->last;
        return true;
    }
    if (usage->ledgers_len > 0 && usage->names[place_of(usage, name)] != 0) {
        *out_row = usage->last = usage->names[place_of(usage, name)] - 1;
        return true;
    }
    return recall(usage, name, out_row, err);
}

bool
licet_usage_applied(licet_usage *usage, const char *ledger, uint64_t *out_size, licet_error *err)
{
    size_t row;

    if (usage->read_only) {
        forget_ledgers(usage); /* somebody else moves them */
    }
    if (!usage_ledger_find(usage, ledger, &row, err)) {
        return false;
    }
    *out_size = row == SIZE_MAX ? 0 : usage->ledgers[row].applied;
    return true;
}

/* ---- batches ------------------------------------------------------------- */

void
usage_drop_batch(licet_usage *usage)
{
    for (unsigned i = 0; i < USAGE_STATEMENTS_LEN; i++) {
        if (usage->statements[i] != NULL) {
            sqlite3_reset(usage->statements[i]);
        }
    }
    sqlite3_exec(usage->db, "ROLLBACK", NULL, NULL, NULL);
    usage_sums_clear(&usage->sums);
    forget_ledgers(usage); /* read in again when next met */
    usage->in_batch = false;
}

bool
licet_usage_begin(licet_usage *usage, licet_error *err)
{
    if (usage->in_batch) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: a batch is under way already", usage->path);
    }
    if (!execute(usage, usage->read_only ? "BEGIN" : "BEGIN IMMEDIATE", err)) {
        return false;
    }
    usage->in_batch = true;
    return true;
}

bool
licet_usage_commit(licet_usage *usage, licet_error *err)
{
    if (!usage->in_batch) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: no batch is under way, or a failure dropped it", usage->path);
    }
    if (!usage->read_only && !usage_flush(usage, err)) {
        usage_drop_batch(usage);
        return false;
    }
    if (!execute(usage, "COMMIT", err)) {
        usage_drop_batch(usage);
        return false;
    }
    for (size_t i = 0; i < usage->ledgers_len; i++) {
        usage->ledgers[i].applied_stored = usage->ledgers[i].applied;
    }
    usage->in_batch = false;
    return true;
}
