/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seen: which ids were delivered in a window already; the set behind exact
 * deduplication. docs/format/seen.md has the files of the local one.
 *
 *  (1) Exact: ids are kept whole and compared whole. Nothing is estimated.
 *  (2) Derived: what it holds follows from the journal alone; a set that is lost is made anew from there.
 *  (3) Of the copies of an id that one counts whose receipt is the earliest by time, then gate, epoch and sequence;
 *      which copies are credited in the end does not depend on the order in which they came.
 *  (4) It is never ahead of a ledger: it is committed behind the ledgers, and opened anew where it is ahead of one.
 */
#ifndef LICET_SEEN_H
#define LICET_SEEN_H

#include "licet/base.h"
#include "licet/gate.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_LEDGER
#error "layer breach: seen.h belongs to ledger/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A window is kept so long after its end; ids of a receipt that comes later are not compared. */
#define LICET_SEEN_KEEP_MS (UINT64_C(35) * 86400000)
#define LICET_SEEN_SCOPE_MAX (2 * LICET_NAME_MAX + 1) /* bytes of a scope */

/* Which set of ids: a window of a counting rule, over a scope (none: the licensee; an app; app/credential). */
typedef struct licet_seen_window {
    uint32_t ledger;
    uint8_t unit, flow;
    uint64_t from_ms, before_ms;
    licet_bytes scope;
} licet_seen_window;

/* The receipt that a copy came with. */
typedef struct licet_seen_copy {
    uint64_t time_ms;
    licet_identity identity;
    uint32_t context;
} licet_seen_copy;
/* By time, then gate, epoch, sequence: negative, 0 or positive. */
int licet_seen_order(const licet_seen_copy *a, const licet_seen_copy *b);

/* Called for each copy that is a duplicate: of the receipt that does not count. */
typedef bool (*licet_on_duplicate)(void *user, const licet_seen_copy *copy, licet_error *err);

typedef struct licet_seen licet_seen;
typedef struct licet_seen_ops {
    /* The first count of ids (u8 length, bytes) came with copy. */
    bool (*add)(licet_seen *seen, const licet_seen_window *window, const licet_seen_copy *copy, licet_bytes ids,
                uint32_t count, licet_on_duplicate on_duplicate, void *user, licet_error *err);
    /* Windows that ended LICET_SEEN_KEEP_MS before may be forgotten. */
    bool (*past)(licet_seen *seen, uint64_t time_ms, licet_error *err);
    /* Makes durable what was added, with how far the journal is in it (folded), from which number it must be read again
     * (resume: ids of responses under way) and the time of the last tick. */
    bool (*commit)(licet_seen *seen, uint64_t folded, uint64_t resume, uint64_t tick_ms, licet_error *err);
    /* Forgets everything, as if nothing had been added ever. */
    bool (*clear)(licet_seen *seen, licet_error *err);
    /* Whether anything of a ledger is in it. */
    bool (*has)(const licet_seen *seen, uint32_t ledger);
    void (*close)(licet_seen *seen); /* without committing */
} licet_seen_ops;
struct licet_seen {
    const licet_seen_ops *ops;
    uint64_t folded, resume, tick_ms; /* of the last commit; 0: none */
};

/* The set of a site in a folder, made when missing. UNSUPPORTED or CORRUPT: to be removed and made anew. seed is any
 * number that strangers do not know; what comes out does not depend on it. */
bool licet_seen_file_open(const char *dir, uint64_t seed, licet_seen **out_seen, licet_error *err);
/* Removes what such a folder holds. */
bool licet_seen_file_remove(const char *dir, licet_error *err);

#ifdef __cplusplus
}
#endif

#endif
