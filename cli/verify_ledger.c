/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying one ledger: its files by licet_ledger_verify; then the usage tables
 * are made anew from the same entries and compared row by row, and the totals
 * of a report over all time are compared with sums that need no tables.
 */
#include "verify.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_ENTRIES 100000
#define PROGRESS_ENTRIES 500000
#define HOUR_MS UINT64_C(3600000)
#define REPORT_MAX ((size_t)256 << 20)

/* Sums straight from the entries. */
typedef struct direct {
    uint64_t delivered, refused, bytes;
    uint64_t units[256];
    char names[256][256];
    bool any;
    uint64_t first_ms, last_ms;
    bool overflow;
} direct;

typedef struct work {
    verify *v;
    verify_ledger *l;
    licet_usage *anew;
    uint64_t in_batch;
    direct *sums;
    uint64_t sequences[LICET_REFUSALS_MAX];
    verify_pending pending;
    verify_versions versions;
    verify_texts texts;
    licet_error text; /* the first clear text that differs: told where the ledger itself has no fault */
} work;

/* ---- sums without tables ----------------------------------------------------- */

static void
count(direct *d, uint64_t *sum, uint64_t value)
{
    d->overflow |= __builtin_add_overflow(*sum, value, sum);
}

static void
note_time(direct *d, uint64_t ms)
{
    d->first_ms = !d->any || ms < d->first_ms ? ms : d->first_ms;
    d->last_ms = !d->any || ms > d->last_ms ? ms : d->last_ms;
    d->any = true;
}

static bool
count_receipt(direct *d, licet_bytes entry, licet_error *err)
{
    licet_receipt receipt;

    if (!licet_receipt_decode(entry, &receipt, err)) {
        return false;
    }
    note_time(d, receipt.time_ms);
    count(d, receipt.verdict == LICET_VERDICT_REFUSE ? &d->refused : &d->delivered,
          receipt.part == 0 && !licet_receipt_is_handed(&receipt) ? 1 : 0);
    count(d, &d->bytes, receipt.bytes);
    for (size_t i = 0; i < receipt.units_len; i++) {
        count(d, &d->units[receipt.units[i].kind], receipt.units[i].count);
    }
    return true;
}

static bool
count_entry(work *w, licet_bytes entry, licet_error *err)
{
    direct *d = w->sums;
    licet_refusals run;
    licet_bytes name;
    uint8_t kind;

    switch (entry.len == 0 ? 0 : entry.data[0]) {
    case LICET_ENTRY_RECEIPT:
        return count_receipt(d, entry, err);
    case LICET_ENTRY_REFUSALS:
        if (!licet_refusals_decode(entry, w->sequences, &run, err)) {
            return false;
        }
        note_time(d, run.first_ms);
        count(d, &d->refused, run.count);
        return true;
    case LICET_ENTRY_UNIT:
        if (!licet_unit_decode(entry, &kind, &name, err)) {
            return false;
        }
        snprintf(d->names[kind], sizeof(d->names[kind]), "%.*s", (int)name.len, (const char *)name.data);
        return true;
    default:
        return true;
    }
}

/* ---- entries, as they are verified ---------------------------------------------- */

static bool
on_entry(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    work *w = user;
    licet_error why = {0};

    if (index % PROGRESS_ENTRIES == 0) {
        verify_progress(w->v, w->l->name, index);
    }
    if (!verify_disclosure(&w->pending, entry, &why)) {
        return LICET_FAIL(err, why.code, 0, "ledger %s, entry %llu: %.300s", w->l->name, (unsigned long long)index,
                          why.text);
    }
    if (w->text.code == LICET_E_NONE && (!verify_acceptance(w->v, w->l->name, &w->versions, entry, &why) ||
                                         !verify_change(w->v, w->l->name, &w->texts, entry, &why))) {
        LICET_FAIL(&w->text, why.code, 0, "ledger %s, entry %llu: %.400s", w->l->name, (unsigned long long)index,
                   why.text);
    }
    if (index >= w->l->applied) {
        return true;
    }
    if (!licet_usage_apply(w->anew, w->l->name, index, entry, err) || !count_entry(w, entry, err)) {
        return false;
    }
    if (++w->in_batch == BATCH_ENTRIES) {
        w->in_batch = 0;
        return licet_usage_commit(w->anew, err) && licet_usage_begin(w->anew, err);
    }
    return true;
}

/* ---- usage tables ------------------------------------------------------------------ */

/* The first row that differs, named with both forms. */
static bool
compare_lines(const work *w, licet_error *err)
{
    licet_usage_lines *found = NULL, *expected = NULL;
    licet_bytes a = {0}, b = {0};
    bool ok = licet_usage_lines_open(w->v->usage, w->l->name, &found, err) &&
              licet_usage_lines_open(w->anew, w->l->name, &expected, err);

    do {
        ok = ok && licet_usage_lines_next(found, &a, err) && licet_usage_lines_next(expected, &b, err);
        if (ok && ((a.data == NULL) != (b.data == NULL) || !licet_bytes_equal(a, b))) {
            ok = LICET_FAIL(err, LICET_E_CORRUPT, 0,
                            "%s/data/usage.db, ledger %s: row \"%.*s\" where the entries give \"%.*s\"; licet rebuild",
                            w->v->dir, w->l->name, a.data == NULL ? 8 : (int)(a.len < 160 ? a.len : 160),
                            a.data == NULL ? "(no row)" : (const char *)a.data,
                            b.data == NULL ? 8 : (int)(b.len < 160 ? b.len : 160),
                            b.data == NULL ? "(no row)" : (const char *)b.data);
        }
    } while (ok && a.data != NULL);
    licet_usage_lines_close(found);
    licet_usage_lines_close(expected);
    return ok;
}

static bool
equal(const work *w, const char *what, const json_t *told, uint64_t direct_sum, licet_error *err)
{
    uint64_t value = (uint64_t)json_integer_value(told);

    return value == direct_sum ||
           LICET_FAIL(err, LICET_E_CORRUPT, 0,
                      "ledger %s: a report over all time says %s %llu, its entries add up to %llu", w->l->name, what,
                      (unsigned long long)value, (unsigned long long)direct_sum);
}

static bool
compare_totals(const work *w, const json_t *totals, licet_error *err)
{
    const json_t *requests = json_object_get(totals, "requests"), *units = json_object_get(totals, "units");

    if (!equal(w, "requests delivered", json_object_get(requests, "delivered"), w->sums->delivered, err) ||
        !equal(w, "requests refused", json_object_get(requests, "refused"), w->sums->refused, err) ||
        !equal(w, "bytes", json_object_get(totals, "bytes"), w->sums->bytes, err)) {
        return false;
    }
    for (unsigned i = 0; i < 256; i++) {
        const json_t *amount = json_object_get(units, w->sums->names[i]);

        if (json_is_object(amount) &&
            !equal(w, w->sums->names[i], json_object_get(amount, "gross"), w->sums->units[i], err)) {
            return false;
        }
    }
    return true;
}

/* A report over all time from the tables made anew, against the direct sums. */
static bool
check_report(const work *w, licet_error *err)
{
    licet_report_options options = {.agreement = w->l->name,
                                    .from_ms = w->sums->first_ms / HOUR_MS * HOUR_MS,
                                    .before_ms = (w->sums->last_ms / HOUR_MS + 1) * HOUR_MS};
    licet_report *report = NULL;
    licet_buffer text;
    json_t *root = NULL;
    bool ok;

    licet_buffer_init(&text, REPORT_MAX);
    ok = !w->sums->overflow || LICET_FAIL(err, LICET_E_LIMIT, 0, "ledger %s: a sum exceeds 64 bits", w->l->name);
    ok = ok && licet_report_make(w->anew, &options, &report, err) && licet_report_json(report, &text, err);
    if (ok) {
        root = json_loadb((const char *)text.data, text.len, 0, NULL);
        ok = root != NULL ? compare_totals(w, json_object_get(root, "totals"), err)
                          : LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a report");
    }
    json_decref(root);
    licet_report_free(report);
    licet_buffer_done(&text);
    return ok;
}

/* The end of the tables made anew, and whether the site's say the same. */
static bool
check_usage(work *w, licet_error *err)
{
    if (w->v->usage == NULL || w->l->applied == 0) {
        return licet_usage_commit(w->anew, err);
    }
    if (w->l->applied > w->l->facts.size) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0,
                          "%s/data/usage.db, ledger %s: %llu entries are in it, the ledger has %llu", w->v->dir,
                          w->l->name, (unsigned long long)w->l->applied, (unsigned long long)w->l->facts.size);
    }
    return licet_usage_commit(w->anew, err) && compare_lines(w, err) && (!w->sums->any || check_report(w, err));
}

/* ---- former states ------------------------------------------------------------------- */

bool
verify_extends(const verify *v, const verify_ledger *l, uint64_t size, const licet_hash *root, const char *what,
               licet_error *err)
{
    licet_ledger *ledger = NULL;
    licet_proof proof;
    char rest[PATH_MAX], path[PATH_MAX];
    bool ok;

    if (size > l->facts.size) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "ledger %s: %s covers %llu entries, the ledger has %llu", l->name,
                          what, (unsigned long long)size, (unsigned long long)l->facts.size);
    }
    if (!licet_cli_path("data/ledger", l->name, rest, sizeof(rest), err) ||
        !licet_cli_path(v->dir, rest, path, sizeof(path), err) || !licet_ledger_open(path, true, &ledger, err)) {
        return false;
    }
    ok = licet_ledger_consistency(ledger, size, l->facts.size, &proof, err);
    if (ok && !licet_consistency_verify(size, l->facts.size, &proof, root, &l->facts.root)) {
        ok = LICET_FAIL(err, LICET_E_CORRUPT, 0, "ledger %s: its first %llu entries are not those of %s", l->name,
                        (unsigned long long)size, what);
    }
    licet_ledger_close(ledger, NULL);
    return ok;
}

/* ---- one ledger ------------------------------------------------------------------------ */

static bool
verify_files(work *w, licet_error *err)
{
    verify_ledger *l = w->l;
    char rest[PATH_MAX], path[PATH_MAX];

    if (!licet_cli_path("data/ledger", l->name, rest, sizeof(rest), err) ||
        !licet_cli_path(w->v->dir, rest, path, sizeof(path), err)) {
        return false;
    }
    if (licet_ledger_verify(path, &l->key, on_entry, w, &l->facts, err)) {
        return true;
    }
    if (err->code == LICET_E_NOT_FOUND) {
        err->code = LICET_E_CORRUPT; /* the ledger is there, and a file of it is not */
    }
    return false;
}

/* What the signer signed is in the ledger, and its checkpoint was not taken away. */
static bool
check_promise(const verify *v, const verify_ledger *l, licet_error *err)
{
    if (l->promised.size == 0) {
        return true;
    }
    if (l->facts.signed_size == 0) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0,
                          "ledger %s: its checkpoint is missing; the signer's record data/signed says that %llu entries"
                          " were signed",
                          l->name, (unsigned long long)l->promised.size);
    }
    return verify_extends(v, l, l->promised.size, &l->promised.root, "the signer's record data/signed", err);
}

bool
verify_one(verify *v, verify_ledger *l)
{
    work *w = calloc(1, sizeof(*w));
    licet_error err = {0};
    bool ok = false;

    if (w == NULL || (w->sums = calloc(1, sizeof(*w->sums))) == NULL) {
        LICET_FAIL(&err, LICET_E_MEMORY, 0, "no memory to verify ledger %s", l->name);
        goto done;
    }
    w->v = v;
    w->l = l;
    /* An empty path: a database on disk that no name leads to and that goes with the handle. */
    if (!licet_usage_open("", false, &w->anew, &err) || !licet_usage_begin(w->anew, &err)) {
        goto done;
    }
    l->verified = verify_files(w, &err);
    ok = l->verified && check_usage(w, &err) && check_promise(v, l, &err);
    if (ok && w->text.code != LICET_E_NONE) {
        err = w->text;
        ok = false;
    }
done:
    verify_progress_end(v);
    if (!ok) {
        verify_fault(v, &err);
    }
    if (w != NULL) {
        licet_usage_close(w->anew, NULL);
        free(w->sums);
        free(w->versions.list);
        verify_texts_done(&w->texts);
    }
    free(w);
    return ok;
}
