/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted run of seen ids in a file; docs/format/seen.md. */
#ifndef LICET_LEDGER_SEEN_RUN_H
#define LICET_LEDGER_SEEN_RUN_H

#include "licet/seen.h"

#define SEEN_ID_MAX 255
#define SEEN_KEY_MAX (4 + SEEN_ID_MAX) /* number of the window u32, id */

typedef struct seen_key {
    size_t len;
    uint8_t bytes[SEEN_KEY_MAX];
} seen_key;
/* As memcmp, the shorter first. */
int seen_key_order(licet_bytes a, licet_bytes b);

typedef struct seen_run {
    uint64_t number; /* names the file */
    uint8_t *map;    /* the whole file */
    size_t size;
    uint64_t len; /* records */
    uint32_t width;
} seen_run;

/* The i-th record: its key, borrowed, and its copy. */
licet_bytes seen_run_key(const seen_run *run, uint64_t i);
licet_seen_copy seen_run_copy(const seen_run *run, uint64_t i);
uint32_t seen_run_window(const seen_run *run, uint64_t i);
bool seen_run_find(const seen_run *run, licet_bytes key, licet_seen_copy *out_copy);

/* A run under way: records in rising order of keys, at most most of them. Kept by seen_run_end. */
typedef struct seen_writer {
    char *path;
    seen_run run;
    int fd;
} seen_writer;
bool seen_run_begin(const char *dir, uint64_t number, uint64_t most, uint32_t width, seen_writer *out,
                    licet_error *err);
void seen_run_put(seen_writer *writer, licet_bytes key, const licet_seen_copy *copy);
/* Makes it durable. The writer is gone after either. */
bool seen_run_end(seen_writer *writer, seen_run *out_run, licet_error *err);

/* Maps a run and checks all of it: CORRUPT, NOT_FOUND. */
bool seen_run_open(const char *dir, uint64_t number, seen_run *out_run, licet_error *err);
void seen_run_close(seen_run *run);

#endif
