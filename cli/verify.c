/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet verify: reads every byte of the ledgers of a site and says whether all
 * of it hangs together. It never repairs and never writes.
 *
 *  (1) Every fault is said on stderr with its place; after one in a ledger the
 *      others are still verified.
 *  (2) Exit 1 when anything differs; 2 when nothing differs but something
 *      could not be read.
 */
#include "verify.h"

#include "operator.h"
#include "site.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: licet verify DIR [--since CHECKPOINT] [--json]\n"
    "\n"
    "Proves the records of the site DIR: reads every entry of every ledger, recomputes the Merkle trees, checks the\n"
    "signed checkpoints, makes the usage tables and a report's totals anew and compares them, folds the journal anew,\n"
    "and looks that the signer's record promises nothing the ledgers do not hold.\n"
    "\n"
    "  --since CHECKPOINT  a checkpoint file kept from before: what it covers must still be there, unchanged\n"
    "  --json              print one JSON document\n"
    "\n"
    "exit status: 0 verified, 1 something differs (the place is on stderr), 2 something could not be read\n";

#define CHECKPOINT_MAX 65536

void
verify_fault(verify *v, const licet_error *err)
{
    bool unreadable = err->code == LICET_E_SYSTEM || err->code == LICET_E_MEMORY || err->code == LICET_E_NOT_FOUND ||
                      err->code == LICET_E_UNSUPPORTED;

    v->unreadable |= unreadable;
    v->differs |= !unreadable;
    json_array_append_new(v->faults, licet_cli_json_text(licet_bytes_of_text(err->text)));
    licet_cli_error(&licet_command_verify, err);
}

void
verify_progress(const verify *v, const char *what, uint64_t done)
{
    char number[LICET_CLI_NUMBER_TEXT];

    if (v->progress && done > 0) {
        fprintf(stderr, "\r%s: %s entries", what, licet_cli_number(done, number));
    }
}

void
verify_progress_end(const verify *v)
{
    if (v->progress) {
        fputs("\r\033[K", stderr);
    }
}

/* ---- the parts -------------------------------------------------------------------- */

/* One view of the tables for the whole run. No tables is no fault: they can be made at any time. */
static void
open_usage(verify *v)
{
    licet_error err = {0};
    char path[PATH_MAX];

    if (!licet_cli_path(v->dir, "data/usage.db", path, sizeof(path), &err)) {
        verify_fault(v, &err);
        return;
    }
    if (access(path, F_OK) != 0) {
        fprintf(stderr, "licet verify: %s: not there; nothing to compare\n", path);
        return;
    }
    if (!licet_usage_open(path, true, &v->usage, &err) || !licet_usage_begin(v->usage, &err)) {
        verify_fault(v, &err);
        licet_usage_close(v->usage, NULL);
        v->usage = NULL;
    }
}

/* Tables of a ledger that is not there. */
static bool
on_usage_ledger(void *user, const char *ledger, uint64_t applied, licet_error *err)
{
    verify *v = user;

    for (size_t i = 0; i < v->names.len; i++) {
        if (strcmp(v->names.list[i], ledger) == 0) {
            v->ledgers[i].applied = applied;
            return true;
        }
    }
    return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s/data/usage.db: it has %llu entries of ledger %s, which is not there",
                      v->dir, (unsigned long long)applied, ledger);
}

static bool
prepare(verify *v, licet_error *err)
{
    licet_verifier_key site;

    if (!licet_cli_ledgers(v->dir, &v->names, err) || !licet_cli_site_key(v->dir, &site, err)) {
        return false;
    }
    v->ledgers = calloc(v->names.len + 1, sizeof(*v->ledgers));
    if (v->ledgers == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu ledgers", v->names.len);
    }
    verify_signed_read(v);
    for (size_t i = 0; i < v->names.len; i++) {
        v->ledgers[i].name = v->names.list[i];
        if (!licet_cli_ledger_key(&site, v->names.list[i], &v->ledgers[i].key, err)) {
            return false;
        }
        verify_signed_of(v, &v->ledgers[i]);
    }
    open_usage(v);
    return v->usage == NULL || licet_usage_ledgers(v->usage, on_usage_ledger, v, err);
}

/* Text, a blank line and a signature. */
static bool
is_note(licet_bytes note)
{
    static const char between[] = "\n\n\xe2\x80\x94 ";

    return memmem(note.data, note.len, between, sizeof(between) - 1) != NULL;
}

/* A checkpoint that somebody kept: of which ledger it is says its origin. */
static bool
check_since(verify *v, licet_error *err)
{
    licet_checkpoint checkpoint = {0};
    licet_error local = {0};
    uint8_t *note = NULL;
    size_t len, i;
    bool ok = licet_file_read(v->since, CHECKPOINT_MAX, &note, &len, err);

    if (!ok && err->code == LICET_E_INVALID) {
        err->code = LICET_E_UNSUPPORTED; /* no regular file: nothing was read that could differ */
    }
    if (ok && !is_note(licet_bytes_of(note, len))) {
        ok = LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "%s: no checkpoint: expected a text with a signature", v->since);
    }
    for (i = 0; ok && i < v->names.len; i++) {
        if (licet_checkpoint_open(licet_bytes_of(note, len), &v->ledgers[i].key, 1, &checkpoint, &local)) {
            break;
        }
    }
    if (ok && i == v->names.len) {
        ok = LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: no checkpoint that a ledger of %s signed: %.300s", v->since,
                        v->dir, local.text);
    }
    if (ok && !v->ledgers[i].verified) {
        ok = LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: ledger %s could not be verified, so nothing can be said of it",
                        v->since, v->ledgers[i].name);
    }
    ok = ok && verify_extends(v, &v->ledgers[i], checkpoint.size, &checkpoint.root, v->since, err);
    free(note);
    return ok;
}

/* ---- output ------------------------------------------------------------------------ */

static void
print_line(const verify *v, const verify_ledger *l)
{
    char size[LICET_CLI_NUMBER_TEXT], other[LICET_CLI_NUMBER_TEXT], root[64];

    if (!l->verified) {
        printf("ledger %s: not verified\n", l->name);
        return;
    }
    licet_base64(l->facts.root.bytes, LICET_SHA256_LEN, root);
    printf("ledger %s: %s entries, root %s, ", l->name, licet_cli_number(l->facts.size, size), root);
    if (l->facts.signed_size == 0) {
        printf("not signed yet");
    } else {
        printf("signed by %s", l->facts.origin);
        if (l->facts.signed_size < l->facts.size) {
            printf(" up to %s", licet_cli_number(l->facts.signed_size, other));
        }
    }
    if (v->usage != NULL && l->applied < l->facts.size) {
        printf(", %s of them in the usage tables", licet_cli_number(l->applied, other));
    }
    printf(": %s\n", l->ok ? "verified" : "not verified");
}

static json_t *
ledger_json(const verify *v, const verify_ledger *l)
{
    char root[64];

    licet_base64(l->facts.root.bytes, LICET_SHA256_LEN, root);
    return json_pack("{s:s, s:b, s:I, s:o, s:I, s:o, s:o, s:o}", "ledger", l->name, "verified", l->ok, "entries",
                     (json_int_t)l->facts.size, "root", l->verified ? json_string(root) : json_null(), "signed_entries",
                     (json_int_t)l->facts.signed_size, "signed_by",
                     l->facts.signed_size > 0 ? json_string(l->facts.origin) : json_null(), "usage_entries",
                     v->usage == NULL ? json_null() : json_integer((json_int_t)l->applied), "journal_entries",
                     v->journal_read ? json_integer((json_int_t)l->journalled) : json_null());
}

static json_t *
journal_json(const verify *v)
{
    return v->journal_read ? json_pack("{s:I, s:b, s:b}", "entries", (json_int_t)v->journal_entries, "whole",
                                       v->journal_whole, "lost_end", v->journal_lost_end)
                           : json_null();
}

static void
print_journal(const verify *v)
{
    char number[LICET_CLI_NUMBER_TEXT];

    if (v->erased > 0) {
        printf("clear texts: %s erased, of which the ledgers keep the commitments\n",
               licet_cli_number(v->erased, number));
    }

    if (v->journal_read) {
        printf("journal: %s entries folded anew%s\n", licet_cli_number(v->journal_entries, number),
               v->journal_hole       ? "; it lost its end once, what lies behind that was not compared"
               : v->journal_lost_end ? "; it lost its end, the ledgers have more"
                                     : "");
    }
}

/* ---- command line --------------------------------------------------------------------- */

static bool
parse(verify *v, int argc, char **argv, int *out_exit)
{
    static const struct option long_options[] = {{"since", required_argument, NULL, 's'},
                                                 {"json", no_argument, NULL, 'j'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {NULL, 0, NULL, 0}};
    struct stat st;
    int c;

    *out_exit = LICET_EXIT_FAILED;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 's':
            v->since = optarg;
            break;
        case 'j':
            v->json = true;
            break;
        case 'h':
            *out_exit = licet_cli_help(&licet_command_verify);
            return false;
        default:
            licet_cli_misuse(&licet_command_verify, "\"%s\": no option of this command, or its value is missing",
                             argv[optind - 1]);
            return false;
        }
    }
    if (optind + 1 != argc) {
        licet_cli_misuse(&licet_command_verify, "expected one site, found %d", argc - optind);
        return false;
    }
    v->dir = argv[optind];
    if (strncmp(v->dir, "http://", 7) == 0 || strncmp(v->dir, "https://", 8) == 0) {
        licet_cli_misuse(&licet_command_verify, "%s: a later version verifies a URL; this one verifies a site's folder",
                         v->dir);
        return false;
    }
    if (stat(v->dir, &st) == 0 && !S_ISDIR(st.st_mode)) {
        licet_cli_misuse(&licet_command_verify,
                         "%s: a later version verifies bundles; this one verifies a site's folder", v->dir);
        return false;
    }
    return true;
}

static void
verify_all(verify *v, json_t *ledgers)
{
    licet_error err = {0};

    if (!prepare(v, &err)) {
        verify_fault(v, &err);
        return;
    }
    for (size_t i = 0; i < v->names.len; i++) {
        v->ledgers[i].ok = verify_one(v, &v->ledgers[i]);
    }
    verify_journal(v);
    if (v->since != NULL && !check_since(v, &err)) {
        verify_fault(v, &err);
    }
    for (size_t i = 0; i < v->names.len; i++) {
        if (v->json) {
            json_array_append_new(ledgers, ledger_json(v, &v->ledgers[i]));
        } else {
            print_line(v, &v->ledgers[i]);
        }
    }
    if (!v->json) {
        print_journal(v);
    }
}

static int
run(int argc, char **argv)
{
    verify v = {.progress = isatty(STDERR_FILENO) != 0};
    licet_error err = {0};
    json_t *ledgers;
    int result;

    if (!parse(&v, argc, argv, &result)) {
        return result;
    }
    v.faults = json_array();
    ledgers = json_array();
    if (!licet_operator_sync(v.dir, &err)) {
        verify_fault(&v, &err);
    }
    verify_all(&v, ledgers);
    result = v.differs ? LICET_EXIT_NO : v.unreadable ? LICET_EXIT_FAILED : LICET_EXIT_OK;
    if (v.json && licet_cli_json_print(&licet_command_verify,
                                       json_pack("{s:b, s:O, s:o, s:I, s:O}", "verified", result == LICET_EXIT_OK,
                                                 "ledgers", ledgers, "journal", journal_json(&v), "erased",
                                                 (json_int_t)v.erased, "faults", v.faults)) != LICET_EXIT_OK) {
        result = LICET_EXIT_FAILED;
    }
    json_decref(ledgers);
    json_decref(v.faults);
    licet_usage_close(v.usage, NULL);
    licet_cli_names_done(&v.names);
    free(v.ledgers);
    free(v.record);
    return result;
}

const licet_command licet_command_verify = {"verify", "prove the ledgers, the tables and the signatures", usage, run};
