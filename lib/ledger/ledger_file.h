/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of one ledger: what writing, reading and verifying share.
 * docs/format/ledger.md has the bytes.
 */
#ifndef LICET_LEDGER_LEDGER_FILE_H
#define LICET_LEDGER_LEDGER_FILE_H

#include "licet/ledger.h"
#include "tree.h"

#include <assert.h>

#define COMMIT_SLOT 104
#define COMMIT_SLOTS 3
#define COMMIT_FILE 312 /* all slots */
#define COMMIT_LATEST 2 /* slot of commits that were not synced; 0 and 1 take turns for those that were */
#define LEDGER_PATH_MAX 4096
#define LEDGER_DIR_MAX (LEDGER_PATH_MAX - 64)
#define BUNDLE_ENTRIES 256
#define LEDGER_SIZE_MAX ((uint64_t)INT64_MAX)

static_assert(COMMIT_FILE == COMMIT_SLOT * COMMIT_SLOTS, "the commit file is its slots");

/* The files whose length follows from a commit record. */
typedef enum ledger_part { PART_ENTRIES, PART_BUNDLES, PART_TILE_0 } ledger_part;
#define PARTS (PART_TILE_0 + TILE_LEVELS)
#define PARTS_KEPT_OPEN (PART_TILE_0 + 1) /* higher tiles change once in 256 entries: opened when needed */

/* One state of a ledger. */
typedef struct ledger_commit {
    uint64_t generation, size, entries_len, folded;
    licet_hash root;
} ledger_commit;

void ledger_commit_write(const ledger_commit *commit, unsigned slot, uint8_t out[COMMIT_SLOT]);
bool ledger_commit_read(const uint8_t in[COMMIT_SLOT], unsigned slot, ledger_commit *out_commit);
/* Bytes that part has in this state. */
uint64_t ledger_part_len(const ledger_commit *commit, unsigned part);
/* entries, bundles, tile-0 … tile-7 */
void ledger_part_name(unsigned part, char out[16]);

struct licet_ledger {
    char *dir; /* shorter than LEDGER_DIR_MAX */
    bool read_only;
    bool failed;               /* a sync failed: refuses everything */
    int commit_fd;             /* held open: it carries the lock */
    int fds[PARTS_KEPT_OPEN];  /* -1: not open yet */
    ledger_commit now;         /* what was committed last */
    bool now_durable;          /* by a synced commit */
    unsigned durable_slot;     /* 0 or 1: where the last synced commit stands */
    uint32_t dirty;            /* parts written since they were synced, a bit each */
    bool dir_dirty;            /* a file was made since the folder was synced */
    licet_frontier frontier;   /* committed and pending */
    uint64_t pending;          /* entries appended since */
    licet_buffer parts[PARTS]; /* their bytes */
};

/* What opening shares with committing. */
void ledger_part_path(const licet_ledger *ledger, unsigned part, char out[LEDGER_PATH_MAX]);
bool ledger_lock(const licet_ledger *ledger, int how, licet_error *err); /* LOCK_SH or LOCK_EX of flock(2) */
void ledger_unlock(const licet_ledger *ledger);
bool ledger_slot_write(licet_ledger *ledger, unsigned slot, const ledger_commit *commit, licet_error *err);
bool ledger_commit_sync(licet_ledger *ledger, licet_error *err);
bool ledger_dir_sync(licet_ledger *ledger, licet_error *err);
void ledger_path(const char *dir, const char *name, char out[LEDGER_PATH_MAX]);
/* Reads exactly len bytes of a part; an early end is CORRUPT with file and byte. */
bool ledger_part_read(licet_ledger *ledger, unsigned part, uint64_t offset, uint8_t *out, size_t len, licet_error *err);
/* A licet_tree_node: perfect nodes from the tile files. */
bool ledger_node(void *user, unsigned height, uint64_t position, licet_hash *out_hash, licet_error *err);
/* Byte range in 'entries' of bundle n, as far as it is committed. */
bool ledger_bundle_range(licet_ledger *ledger, uint64_t n, uint64_t *out_start, uint64_t *out_end, licet_error *err);

/* What a path below the prefix names. */
typedef enum tile_kind { TILE_CHECKPOINT, TILE_OF_HASHES, TILE_BUNDLE } tile_kind;
typedef struct tile_path {
    tile_kind kind;
    unsigned level; /* of TILE_OF_HASHES */
    uint64_t n;
    unsigned width; /* 1..256; 256: full */
} tile_path;
/* Parses a path of tlog-tiles; INVALID for any other spelling. */
bool tile_path_parse(const char *path, tile_path *out_tile, licet_error *err);
#define TILE_PATH_TEXT 64
/* The one spelling. */
void tile_path_format(const tile_path *tile, char out[TILE_PATH_TEXT]);

#endif
