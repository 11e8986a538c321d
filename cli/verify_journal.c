/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal against the ledgers: it is folded anew from its first entry, and
 * what comes out must be how each ledger begins. A journal that lost its end
 * in a power loss has a hole in its numbers; what lies behind it cannot be
 * compared and is said so.
 */
#include "verify.h"

#include "site.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_ENTRIES 500000

typedef struct folded {
    uint32_t number;
    verify_ledger *l; /* NULL: no ledger of this name was verified */
    licet_frontier frontier;
} folded;

typedef struct journal_work {
    verify *v;
    licet_fold *fold;
    folded *list;
    size_t len, capacity;
    uint64_t next;
    bool hole;
} journal_work;

static bool
on_ledger(void *user, uint32_t number, licet_bytes name, licet_bytes party, licet_error *err)
{
    journal_work *w = user;
    folded *f;

    (void)party;
    if (w->len == w->capacity) {
        size_t capacity = 2 * w->capacity + 16;
        folded *list = realloc(w->list, capacity * sizeof(*list));

        if (list == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu ledgers", capacity);
        }
        w->list = list;
        w->capacity = capacity;
    }
    f = &w->list[w->len++];
    memset(f, 0, sizeof(*f));
    f->number = number;
    licet_frontier_init(&f->frontier);
    for (size_t i = 0; i < w->v->names.len; i++) {
        if (licet_bytes_equal_text(name, w->v->ledgers[i].name)) {
            f->l = &w->v->ledgers[i];
            f->l->journal_seen = true;
        }
    }
    return f->l != NULL ||
           LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s/data/journal: it begins a ledger %.*s, which is not there",
                      w->v->dir, (int)(name.len < 64 ? name.len : 64), (const char *)name.data);
}

static bool
on_folded(void *user, uint32_t number, licet_bytes entry, licet_error *err)
{
    journal_work *w = user;

    for (size_t i = 0; i < w->len; i++) {
        folded *f = &w->list[i];
        licet_hash leaf;

        if (f->number == number) {
            if (f->l->verified && f->frontier.size < f->l->facts.size) {
                leaf = licet_leaf_hash(entry);
                licet_frontier_append(&f->frontier, &leaf);
            }
            return true;
        }
    }
    return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s/data/journal: an entry for ledger number %u, which never began",
                      w->v->dir, number);
}

static bool
on_journal(void *user, const licet_journal_entry *entry, licet_error *err)
{
    journal_work *w = user;

    w->hole |= entry->number != w->next;
    if (w->hole) {
        return true;
    }
    if (w->next % PROGRESS_ENTRIES == 0) {
        verify_progress(w->v, "journal", w->next);
    }
    w->next++;
    return licet_fold_feed(w->fold, entry, err);
}

/* What the journal gave of each ledger is how that ledger begins. */
static void
compare(journal_work *w)
{
    for (size_t i = 0; i < w->len; i++) {
        folded *f = &w->list[i];
        licet_error err = {0};
        licet_hash root = licet_frontier_root(&f->frontier);

        f->l->journalled = f->frontier.size;
        if (f->l->verified && !verify_extends(w->v, f->l, f->frontier.size, &root, "the journal data/journal", &err)) {
            verify_fault(w->v, &err);
        }
    }
}

/* A power loss takes the journal's end, and the ledgers keep what they have: no fault, but said. */
static void
note_lost_end(verify *v)
{
    char has[LICET_CLI_NUMBER_TEXT], gives[LICET_CLI_NUMBER_TEXT];

    for (size_t i = 0; i < v->names.len; i++) {
        const verify_ledger *l = &v->ledgers[i];

        if (l->verified && l->journalled < l->facts.size) {
            v->journal_lost_end = true;
            fprintf(stderr, "licet verify: %s/data/journal: it lost its end: ledger %s has %s entries, it gives %s\n",
                    v->dir, l->name, licet_cli_number(l->facts.size, has), licet_cli_number(l->journalled, gives));
        }
    }
}

/* Duplicates are found anew, with a set of their own in a folder that is gone afterwards. */
static bool
seen_begin(licet_fold *fold, char path[PATH_MAX], licet_seen **out_seen, licet_error *err)
{
    const char *base = getenv("TMPDIR");

    snprintf(path, PATH_MAX, "%s/licet-verify-XXXXXX", base != NULL && base[0] != '\0' ? base : "/tmp");
    if (mkdtemp(path) == NULL) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    }
    if (!licet_seen_file_open(path, (uint64_t)getpid(), out_seen, err)) {
        rmdir(path);
        return false;
    }
    licet_fold_use(fold, *out_seen);
    return true;
}

static void
seen_end(const char *path, licet_seen *seen)
{
    if (seen != NULL) {
        seen->ops->close(seen);
        licet_seen_file_remove(path, NULL);
        rmdir(path);
    }
}

void
verify_journal(verify *v)
{
    journal_work w = {.v = v, .next = 1};
    licet_journal *journal = NULL;
    licet_seen *seen = NULL;
    licet_error err = {0};
    char path[PATH_MAX], ids[PATH_MAX];
    bool ok = licet_cli_path(v->dir, "data/journal", path, sizeof(path), &err);

    if (ok && access(path, R_OK | X_OK) != 0) {
        fprintf(stderr, "licet verify: %s: not there; nothing to compare\n", path);
        return; /* who verifies another's site has not got it */
    }
    ok = ok && licet_journal_file_open(path, true, 0, &journal, &err) &&
         licet_fold_new(on_ledger, on_folded, &w, &w.fold, &err) && seen_begin(w.fold, ids, &seen, &err) &&
         journal->ops->replay(journal, 1, on_journal, &w, &err);
    verify_progress_end(v);
    v->journal_read = ok;
    v->journal_entries = w.next - 1;
    if (ok) {
        compare(&w);
        note_lost_end(v);
    } else {
        verify_fault(v, &err);
    }
    v->journal_hole = w.hole;
    v->journal_whole = ok && !w.hole && !v->journal_lost_end;
    licet_fold_free(w.fold);
    seen_end(ids, seen);
    if (journal != NULL) {
        journal->ops->close(journal, NULL);
    }
    free(w.list);
}
