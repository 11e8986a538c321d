/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a segment of the journal: the same code opens and replays. */
#ifndef LICET_LEDGER_JOURNAL_WALK_H
#define LICET_LEDGER_JOURNAL_WALK_H

#include "journal_format.h"

/* The caller sets chain and next behind journal_walk_begin, and frees data at the end of all segments. */
typedef struct journal_walk {
    const char *path;
    int fd;
    uint64_t len;  /* of the file */
    uint64_t pos;  /* of the next batch */
    uint64_t next; /* number its first entry must have */
    licet_hash chain;
    uint8_t *data; /* the batch read last: header, body, tail */
    size_t cap;
    batch_header header;
    const uint8_t *positions;
} journal_walk;

/* Begins a segment behind its header. */
bool journal_walk_begin(journal_walk *w, int fd, const char *path, licet_error *err);
/* The batch at pos, whole and checked, or one sentence about what is wrong with it. A SYSTEM or MEMORY error says
 * nothing about the bytes. */
bool journal_walk_next(journal_walk *w, licet_error *err);
/* The entries of the batch read last, those from 'from' on. */
bool journal_walk_entries(const journal_walk *w, uint64_t from, licet_on_journal_entry on_entry, void *user,
                          licet_error *err);

#endif
