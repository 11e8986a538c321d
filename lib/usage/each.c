/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the tables for a report: rows of sums joined with their contexts,
 * each followed by the amounts of the same key. Both tables are read once, in
 * the order of their keys; nothing is sorted and nothing is kept.
 */
#include "usage_db.h"

#include <string.h>

#define KEY_COLUMNS 10 /* hour … observe: the key of sums behind the ledger */

static bool
check_span(uint64_t from_ms, uint64_t before_ms, licet_error *err)
{
    if (from_ms % USAGE_HOUR_MS != 0 || before_ms % USAGE_HOUR_MS != 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "a span from %llu before %llu ms: expected full hours",
                          (unsigned long long)from_ms, (unsigned long long)before_ms);
    }
    return true;
}

/* Id of a ledger; *out_found false: no such ledger. */
static bool
ledger_id(licet_usage *usage, const char *ledger, uint64_t *out_id, bool *out_found, licet_error *err)
{
    sqlite3_stmt *find = usage->statements[USAGE_FIND_LEDGER];
    int step;

    if (!usage_bind_text(usage, find, 1, licet_bytes_of_text(ledger), err)) {
        return false;
    }
    step = sqlite3_step(find);
    *out_found = step == SQLITE_ROW;
    if (*out_found) {
        *out_id = usage_column_u64(find, 0);
    }
    sqlite3_reset(find);
    return *out_found || step == SQLITE_DONE || usage_fail(usage, err, "cannot read ledgers");
}

/* Prepares sql and binds the ledger and what follows it. *out_statement is NULL when there is no such ledger. */
static bool
query(licet_usage *usage, const char *ledger, const char *sql, uint64_t from, uint64_t before,
      sqlite3_stmt **out_statement, licet_error *err)
{
    uint64_t values[3] = {0, from, before};
    sqlite3_stmt *statement = NULL;
    bool found;

    *out_statement = NULL;
    if (!ledger_id(usage, ledger, &values[0], &found, err)) {
        return false;
    }
    if (!found) {
        return true;
    }
    if (!usage_prepare(usage, sql, &statement, err) ||
        !usage_bind(usage, statement, values, sqlite3_bind_parameter_count(statement), err)) {
        sqlite3_finalize(statement);
        return false;
    }
    *out_statement = statement;
    return true;
}

/* ---- sums and amounts ----------------------------------------------------- */

typedef struct walk {
    licet_usage *usage;
    sqlite3_stmt *sums, *amounts;
    bool amount_left; /* amounts stands on a row */
} walk;

static bool
step_amounts(walk *w, licet_error *err)
{
    int step = sqlite3_step(w->amounts);

    w->amount_left = step == SQLITE_ROW;
    return w->amount_left || step == SQLITE_DONE || usage_fail(w->usage, err, "cannot read amounts");
}

static bool
same_key(const walk *w)
{
    for (int i = 0; i < KEY_COLUMNS; i++) {
        if (sqlite3_column_int64(w->sums, i) != sqlite3_column_int64(w->amounts, i)) {
            return false;
        }
    }
    return true;
}

static void
fill_row(sqlite3_stmt *sums, licet_usage_row *row)
{
    int column = KEY_COLUMNS + 2;

    *row = (licet_usage_row){
        .hour_ms = usage_column_u64(sums, 0) * USAGE_HOUR_MS,
        .flow = (licet_flow)sqlite3_column_int(sums, 2),
        .verdict = (licet_verdict_kind)sqlite3_column_int(sums, 3),
        .reason = (uint8_t)sqlite3_column_int(sums, 4),
        .status = (uint16_t)sqlite3_column_int(sums, 5),
        .ending = (licet_ending)sqlite3_column_int(sums, 6),
        .basis = (licet_basis)sqlite3_column_int(sums, 7),
        .unmetered = sqlite3_column_int(sums, 8) != 0,
        .observe = sqlite3_column_int(sums, 9) != 0,
        .requests = usage_column_u64(sums, KEY_COLUMNS),
        .bytes = usage_column_u64(sums, KEY_COLUMNS + 1),
    };
#define READ_FIELD(name) row->context.name = usage_column(sums, column++);
    LICET_CONTEXT_FIELDS(READ_FIELD)
#undef READ_FIELD
}

static bool
walk_row(walk *w, licet_on_usage on_row, void *user, licet_error *err)
{
    licet_usage_row row;

    fill_row(w->sums, &row);
    if (!on_row(user, &row, err)) {
        return false;
    }
    row.requests = row.bytes = 0;
    while (w->amount_left && same_key(w)) {
        row.unit = usage_column(w->amounts, KEY_COLUMNS);
        row.units = usage_column_u64(w->amounts, KEY_COLUMNS + 1);
        row.beyond = usage_column_u64(w->amounts, KEY_COLUMNS + 2);
        if (!on_row(user, &row, err) || !step_amounts(w, err)) {
            return false;
        }
    }
    return true;
}

bool
licet_usage_each(licet_usage *usage, const char *ledger, uint64_t from_ms, uint64_t before_ms, licet_on_usage on_row,
                 void *user, licet_error *err)
{
    static const char sums_sql[] =
        "SELECT s.hour, s.context, s.flow, s.verdict, s.reason, s.status, s.ending, s.basis, s.unmetered, s.observe,"
        " s.requests, s.bytes, c.app, c.credential, c.product, c.use_case, c.purpose, c.recipient, c.country,"
        " c.endpoint, c.version, c.catalogue, c.clause"
        " FROM sums AS s CROSS JOIN contexts AS c ON c.ledger = s.ledger AND c.context = s.context"
        " WHERE s.ledger = ?1 AND s.hour >= ?2 AND s.hour < ?3"
        " ORDER BY s.hour, s.context, s.flow, s.verdict, s.reason, s.status, s.ending, s.basis, s.unmetered, s.observe";
    static const char amounts_sql[] =
        "SELECT a.hour, a.context, a.flow, a.verdict, a.reason, a.status, a.ending, a.basis, a.unmetered, a.observe,"
        " k.name, a.amount, a.beyond FROM amounts AS a CROSS JOIN kinds AS k ON k.ledger = a.ledger AND k.kind = a.kind"
        " WHERE a.ledger = ?1 AND a.hour >= ?2 AND a.hour < ?3 ORDER BY a.hour, a.context, a.flow, a.verdict, a.reason,"
        " a.status, a.ending, a.basis, a.unmetered, a.observe, a.kind";
    walk w = {.usage = usage};
    uint64_t from = from_ms / USAGE_HOUR_MS, before = before_ms / USAGE_HOUR_MS;
    int step = SQLITE_DONE;
    bool ok = check_span(from_ms, before_ms, err) && query(usage, ledger, sums_sql, from, before, &w.sums, err) &&
              query(usage, ledger, amounts_sql, from, before, &w.amounts, err);

    if (ok && w.sums != NULL && w.amounts != NULL) {
        ok = step_amounts(&w, err);
        while (ok && (step = sqlite3_step(w.sums)) == SQLITE_ROW) {
            ok = walk_row(&w, on_row, user, err);
        }
        if (ok && step != SQLITE_DONE) {
            ok = usage_fail(usage, err, "cannot read sums");
        }
        if (ok && w.amount_left) {
            ok = LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: ledger %s has an amount without its sum; licet rebuild",
                            usage->path, ledger);
        }
    }
    sqlite3_finalize(w.sums);
    sqlite3_finalize(w.amounts);
    return ok;
}

bool
licet_usage_span(licet_usage *usage, const char *ledger, uint64_t *out_first_ms, uint64_t *out_last_ms,
                 licet_error *err)
{
    sqlite3_stmt *statement;
    bool ok = query(usage, ledger, "SELECT min(hour), max(hour) FROM sums WHERE ledger = ?1", 0, 0, &statement, err);

    if (ok) {
        *out_first_ms = *out_last_ms = 0;
    }
    if (ok && statement != NULL) {
        ok = sqlite3_step(statement) == SQLITE_ROW || usage_fail(usage, err, "cannot read sums");
        if (ok) {
            *out_first_ms = usage_column_u64(statement, 0) * USAGE_HOUR_MS;
            *out_last_ms = usage_column_u64(statement, 1) * USAGE_HOUR_MS;
        }
    }
    sqlite3_finalize(statement);
    return ok;
}

/* ---- records ---------------------------------------------------------------- */

bool
licet_usage_ledgers(licet_usage *usage, licet_on_usage_ledger on_ledger, void *user, licet_error *err)
{
    sqlite3_stmt *statement = NULL;
    char name[USAGE_LEDGER_NAME_MAX + 1];
    int step = SQLITE_DONE;
    bool ok = usage_prepare(usage, "SELECT name, applied FROM ledgers ORDER BY name", &statement, err);

    while (ok && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        licet_bytes text = usage_column(statement, 0);

        if (text.len > USAGE_LEDGER_NAME_MAX) {
            ok = LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: ledger name of %zu bytes: expected at most %d", usage->path,
                            text.len, USAGE_LEDGER_NAME_MAX);
        } else {
            memcpy(name, text.data, text.len);
            name[text.len] = '\0';
            ok = on_ledger(user, name, usage_column_u64(statement, 1), err);
        }
    }
    if (ok && step != SQLITE_DONE) {
        ok = usage_fail(usage, err, "cannot read ledgers");
    }
    sqlite3_finalize(statement);
    return ok;
}

bool
licet_usage_credits(licet_usage *usage, const char *ledger, uint64_t from_ms, uint64_t before_ms, licet_on_usage on_row,
                    void *user, licet_error *err)
{
    static const char sql[] =
        "SELECT d.hour, d.flow, k.name, d.amount, c.app, c.credential, c.product, c.use_case, c.purpose, c.recipient,"
        " c.country, c.endpoint, c.version, c.catalogue, c.clause FROM credits AS d"
        " CROSS JOIN contexts AS c ON c.ledger = d.ledger AND c.context = d.context"
        " CROSS JOIN kinds AS k ON k.ledger = d.ledger AND k.kind = d.kind"
        " WHERE d.ledger = ?1 AND d.hour >= ?2 AND d.hour < ?3 ORDER BY d.hour, d.context, d.flow, d.kind";
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    bool ok = check_span(from_ms, before_ms, err) &&
              query(usage, ledger, sql, from_ms / USAGE_HOUR_MS, before_ms / USAGE_HOUR_MS, &statement, err);

    while (ok && statement != NULL && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        int column = 4;
        licet_usage_row row = {.hour_ms = usage_column_u64(statement, 0) * USAGE_HOUR_MS,
                               .flow = (licet_flow)sqlite3_column_int(statement, 1),
                               .verdict = LICET_VERDICT_ALLOW,
                               .unit = usage_column(statement, 2),
                               .units = usage_column_u64(statement, 3)};
#define READ_FIELD(name) row.context.name = usage_column(statement, column++);
        LICET_CONTEXT_FIELDS(READ_FIELD)
#undef READ_FIELD
        ok = on_row(user, &row, err);
    }
    if (ok && step != SQLITE_DONE) {
        ok = usage_fail(usage, err, "cannot read credits");
    }
    sqlite3_finalize(statement);
    return ok;
}

bool
licet_usage_kinds(licet_usage *usage, const char *ledger, licet_on_usage_kind on_kind, void *user, licet_error *err)
{
    sqlite3_stmt *statement;
    int step = SQLITE_DONE;
    bool ok = query(usage, ledger, "SELECT name FROM kinds WHERE ledger = ?1 ORDER BY kind", 0, 0, &statement, err);

    while (ok && statement != NULL && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        ok = on_kind(user, usage_column(statement, 0), err);
    }
    if (ok && step != SQLITE_DONE) {
        ok = usage_fail(usage, err, "cannot read unit kinds");
    }
    sqlite3_finalize(statement);
    return ok;
}

static bool
read_hash(sqlite3_stmt *statement, int column, licet_hash *out_hash)
{
    licet_bytes blob = usage_column(statement, column);

    if (blob.len != LICET_SHA256_LEN) {
        return false;
    }
    memcpy(out_hash->bytes, blob.data, LICET_SHA256_LEN);
    return true;
}

bool
licet_usage_versions(licet_usage *usage, const char *ledger, licet_on_usage_version on_version, void *user,
                     licet_error *err)
{
    static const char sql[] = "SELECT entry, time, image, version, catalogue, agreement_sha256, catalogue_sha256,"
                              " apps_commitment, reason_commitment FROM versions WHERE ledger = ?1 ORDER BY entry";
    sqlite3_stmt *statement;
    int step = SQLITE_DONE;
    bool ok = query(usage, ledger, sql, 0, 0, &statement, err);

    while (ok && statement != NULL && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        licet_version_record record = {.time_ms = usage_column_u64(statement, 1),
                                       .image = usage_column_u64(statement, 2),
                                       .version = usage_column(statement, 3),
                                       .catalogue = usage_column(statement, 4)};

        if (!read_hash(statement, 5, &record.agreement_sha256) || !read_hash(statement, 6, &record.catalogue_sha256) ||
            !read_hash(statement, 7, &record.apps_commitment) || !read_hash(statement, 8, &record.reason_commitment)) {
            ok = LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: a hash of ledger %s has not 32 bytes", usage->path, ledger);
        } else {
            ok = on_version(user, usage_column_u64(statement, 0), &record, err);
        }
    }
    if (ok && step != SQLITE_DONE) {
        ok = usage_fail(usage, err, "cannot read versions");
    }
    sqlite3_finalize(statement);
    return ok;
}

bool
licet_usage_changes(licet_usage *usage, const char *ledger, licet_on_usage_change on_change, void *user,
                    licet_error *err)
{
    static const char sql[] = "SELECT entry, time, from_ms, image, number, subject, action, flags, id, document, words,"
                              " who, applied_by, approved_by FROM changes WHERE ledger = ?1 ORDER BY entry";
    sqlite3_stmt *statement;
    int step = SQLITE_DONE;
    bool ok = query(usage, ledger, sql, 0, 0, &statement, err);

    while (ok && statement != NULL && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        licet_change_record record = {.time_ms = usage_column_u64(statement, 1),
                                      .from_ms = usage_column_u64(statement, 2),
                                      .image = usage_column_u64(statement, 3),
                                      .number = (uint32_t)usage_column_u64(statement, 4),
                                      .subject = (uint8_t)usage_column_u64(statement, 5),
                                      .action = (uint8_t)usage_column_u64(statement, 6),
                                      .flags = (uint8_t)usage_column_u64(statement, 7),
                                      .id = usage_column(statement, 8)};
        licet_hash *const hashes[] = {&record.document, &record.words, &record.who, &record.as, &record.approved};

        for (int i = 0; ok && i < 5; i++) {
            ok = read_hash(statement, 9 + i, hashes[i]) ||
                 LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: a hash of ledger %s has not 32 bytes", usage->path, ledger);
        }
        ok = ok && on_change(user, usage_column_u64(statement, 0), &record, err);
    }
    if (ok && step != SQLITE_DONE) {
        ok = usage_fail(usage, err, "cannot read registry changes");
    }
    sqlite3_finalize(statement);
    return ok;
}

bool
licet_usage_acceptances(licet_usage *usage, const char *ledger, licet_on_usage_acceptance on_acceptance, void *user,
                        licet_error *err)
{
    static const char sql[] = "SELECT entry, time, accepted, party, version, catalogue, signed_by, agreement_sha256,"
                              " catalogue_sha256, public_key, note FROM acceptances WHERE ledger = ?1 ORDER BY entry";
    sqlite3_stmt *statement;
    int step = SQLITE_DONE;
    bool ok = query(usage, ledger, sql, 0, 0, &statement, err);

    while (ok && statement != NULL && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        licet_acceptance_record record = {.time_ms = usage_column_u64(statement, 1),
                                          .accepted_ms = usage_column_u64(statement, 2),
                                          .party = (uint8_t)usage_column_u64(statement, 3),
                                          .version = usage_column(statement, 4),
                                          .catalogue = usage_column(statement, 5),
                                          .key = usage_column(statement, 6)};
        licet_hash *const hashes[] = {&record.agreement_sha256, &record.catalogue_sha256, &record.public_key,
                                      &record.note};

        for (int i = 0; ok && i < 4; i++) {
            ok = read_hash(statement, 7 + i, hashes[i]) ||
                 LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: a hash of ledger %s has not 32 bytes", usage->path, ledger);
        }
        ok = ok && on_acceptance(user, usage_column_u64(statement, 0), &record, err);
    }
    if (ok && step != SQLITE_DONE) {
        ok = usage_fail(usage, err, "cannot read acceptances");
    }
    sqlite3_finalize(statement);
    return ok;
}

/* One gap and its units: names point into memory of the call. */
static bool
tell_gap(licet_usage *usage, sqlite3_stmt *gaps, sqlite3_stmt *units, uint64_t ledger, licet_on_usage_gap on_gap,
         void *user, licet_error *err)
{
    char names[LICET_KINDS_MAX][USAGE_KIND_NAME_MAX];
    licet_bytes views[LICET_KINDS_MAX];
    const uint64_t key[] = {ledger, usage_column_u64(gaps, 0)};
    licet_gap gap = {.cause = (licet_gap_cause)sqlite3_column_int(gaps, 1),
                     .gate = (uint16_t)sqlite3_column_int(gaps, 2),
                     .epoch = (uint32_t)sqlite3_column_int64(gaps, 3),
                     .from_ms = usage_column_u64(gaps, 4),
                     .to_ms = usage_column_u64(gaps, 5),
                     .requests = usage_column_u64(gaps, 6)};
    int step;

    if (!usage_bind(usage, units, key, 2, err)) {
        return false;
    }
    while ((step = sqlite3_step(units)) == SQLITE_ROW && gap.units_len < LICET_KINDS_MAX) {
        licet_bytes name = usage_column(units, 1);
        size_t i = gap.units_len++, len = name.len < sizeof(names[0]) ? name.len : sizeof(names[0]);

        gap.units[i] =
            (licet_receipt_unit){.kind = (uint8_t)sqlite3_column_int(units, 0), .count = usage_column_u64(units, 2)};
        memcpy(names[i], name.data, len);
        views[i] = licet_bytes_of(names[i], len);
    }
    sqlite3_reset(units);
    if (step != SQLITE_DONE) {
        return usage_fail(usage, err, "cannot read the units of a gap");
    }
    return on_gap(user, key[1], &gap, views, err);
}

bool
licet_usage_gaps(licet_usage *usage, const char *ledger, uint64_t from_ms, uint64_t before_ms,
                 licet_on_usage_gap on_gap, void *user, licet_error *err)
{
    /* A gap of no length still lies somewhere. */
    static const char sql[] = "SELECT entry, cause, gate, epoch, from_ms, to_ms, requests FROM gaps WHERE ledger = ?1"
                              " AND max(to_ms, from_ms + 1) > ?2 AND from_ms < ?3 ORDER BY entry";
    static const char units_sql[] =
        "SELECT g.kind, k.name, g.most FROM gap_units AS g CROSS JOIN kinds AS k ON k.ledger = g.ledger AND k.kind ="
        " g.kind WHERE g.ledger = ?1 AND g.entry = ?2 ORDER BY g.kind";
    sqlite3_stmt *gaps = NULL, *units = NULL;
    uint64_t id = 0;
    bool found = false;
    int step = SQLITE_DONE;
    bool ok = ledger_id(usage, ledger, &id, &found, err) && query(usage, ledger, sql, from_ms, before_ms, &gaps, err) &&
              usage_prepare(usage, units_sql, &units, err);

    while (ok && gaps != NULL && (step = sqlite3_step(gaps)) == SQLITE_ROW) {
        ok = tell_gap(usage, gaps, units, id, on_gap, user, err);
    }
    if (ok && step != SQLITE_DONE) {
        ok = usage_fail(usage, err, "cannot read gaps");
    }
    sqlite3_finalize(units);
    sqlite3_finalize(gaps);
    return ok;
}

/* Adds up rows of reason and requests, and tells each reason. SQLite's sum() would fail where ours stops. */
static bool
each_reason(licet_usage *usage, sqlite3_stmt *rows, const char *failure, licet_on_usage_unidentified on_reason,
            void *user, licet_error *err)
{
    uint64_t sums[256] = {0};
    bool ok = true;
    int step;

    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        uint64_t *sum = &sums[(uint8_t)sqlite3_column_int(rows, 0)];

        *sum = usage_sum_most(*sum, usage_column_u64(rows, 1));
    }
    if (step != SQLITE_DONE) {
        return usage_fail(usage, err, failure);
    }
    for (unsigned reason = 0; ok && reason < 256; reason++) {
        ok = sums[reason] == 0 || on_reason(user, (uint8_t)reason, sums[reason], err);
    }
    return ok;
}

bool
licet_usage_unidentified(licet_usage *usage, uint64_t from_ms, uint64_t before_ms,
                         licet_on_usage_unidentified on_reason, void *user, licet_error *err)
{
    static const char sql[] = "SELECT reason, requests FROM unidentified WHERE minute >= ?1 AND minute < ?2";
    const uint64_t span[] = {from_ms / USAGE_MINUTE_MS, before_ms / USAGE_MINUTE_MS};
    sqlite3_stmt *statement = NULL;
    bool ok = check_span(from_ms, before_ms, err) && usage_prepare(usage, sql, &statement, err) &&
              usage_bind(usage, statement, span, 2, err);

    ok = ok && each_reason(usage, statement, "cannot read unidentified callers", on_reason, user, err);
    sqlite3_finalize(statement);
    return ok;
}

bool
licet_usage_refused(licet_usage *usage, const char *ledger, uint64_t from_ms, uint64_t before_ms,
                    licet_on_usage_unidentified on_reason, void *user, licet_error *err)
{
    static const char sql[] = "SELECT reason, requests FROM refused WHERE ledger = ?1 AND to_ms >= ?2 AND to_ms < ?3";
    sqlite3_stmt *statement = NULL;
    bool ok = check_span(from_ms, before_ms, err) && query(usage, ledger, sql, from_ms, before_ms, &statement, err);

    ok = ok && (statement == NULL ||
                each_reason(usage, statement, "cannot read refusals without a receipt", on_reason, user, err));
    sqlite3_finalize(statement);
    return ok;
}
