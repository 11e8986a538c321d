/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of licet verify share: what is verified, and what was found
 * to be wrong.
 */
#ifndef LICET_CLI_VERIFY_H
#define LICET_CLI_VERIFY_H

#include "evidence.h"

#include "licet/report.h"
#include "licet/usage.h"

#include <jansson.h>

extern const licet_command licet_command_verify;

/* What the signer's record says of one ledger. */
typedef struct verify_signed {
    uint64_t size; /* 0: nothing */
    licet_hash root;
} verify_signed;

/* One ledger: what was read of it. */
typedef struct verify_ledger {
    const char *name;
    licet_verifier_key key;
    licet_ledger_facts facts;
    bool verified; /* its own files are whole and of one piece */
    bool ok;       /* and so is all that hangs on it */
    uint64_t applied;
    verify_signed promised; /* read before the ledger, so that a running licetd cannot be ahead */
    uint64_t journalled;    /* entries that the journal gives */
    bool journal_seen;
} verify_ledger;

typedef struct verify {
    const char *dir, *since;
    bool json, progress;
    bool differs, unreadable;
    json_t *faults; /* of text; also on stderr as they are found */
    licet_cli_names names;
    verify_ledger *ledgers;
    licet_usage *usage; /* of the site, one view of it; NULL: no usage tables */
    uint8_t *record;    /* data/signed, NULL: none or not readable */
    size_t record_len;
    uint64_t erased; /* clear texts that are not there */
    uint64_t journal_entries;
    bool journal_whole;    /* no number is missing from 1 on, and it gives all that the ledgers have */
    bool journal_hole;     /* it lost its end once and went on behind it: the rest was not compared */
    bool journal_lost_end; /* the ledgers have more than it gives, with or without a hole */
    bool journal_read;
} verify;

/* Notes what is wrong. Codes that say 'could not be read' make the exit status 2, all others 1. */
void verify_fault(verify *v, const licet_error *err);
void verify_progress(const verify *v, const char *what, uint64_t done);
/* Ends the line of progress. */
void verify_progress_end(const verify *v);

/* verify_disclosure.c: entry by entry; what the next one must be the receipt of. False: it is not. */
typedef struct verify_pending {
    bool is;
    licet_disclosure disclosure;
    licet_disclosure_file files[LICET_DISCLOSURE_FILES_MAX];
} verify_pending;
bool verify_disclosure(verify_pending *pending, licet_bytes entry, licet_error *err);
/* verify_acceptance.c: entry by entry; the versions that were recorded so far. */
typedef struct verify_version {
    licet_hash agreement, catalogue;
} verify_version;
typedef struct verify_versions {
    verify_version *list; /* owned */
    size_t len;
} verify_versions;
bool verify_acceptance(verify *v, const char *ledger, verify_versions *known, licet_bytes entry, licet_error *err);
/* verify_texts.c: entry by entry; the clear texts of the image that the last registry change was of. */
typedef struct verify_texts {
    uint64_t image;
    char path[4096];
    uint8_t *data; /* owned; NULL: erased whole */
    size_t len, at;
} verify_texts;
bool verify_change(verify *v, const char *ledger, verify_texts *texts, licet_bytes entry, licet_error *err);
void verify_texts_done(verify_texts *texts);
/* verify_ledger.c: a ledger's files, the usage tables, the signer's record. False: a fault was noted. */
bool verify_one(verify *v, verify_ledger *l);
/* Checks that a former state (of a kept checkpoint, of the signer's record) is a beginning of the ledger. */
bool verify_extends(const verify *v, const verify_ledger *l, uint64_t size, const licet_hash *root, const char *what,
                    licet_error *err);
/* verify_signed.c: data/signed. */
void verify_signed_read(verify *v);
void verify_signed_of(const verify *v, verify_ledger *l);
/* verify_journal.c: folds data/journal anew and compares. */
void verify_journal(verify *v);

#endif
