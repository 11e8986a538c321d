/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store: what of a site was applied. Cells, counters, keys, images and their
 * index, as files of data/ (docs/format/site.md).
 *
 *   data/gate.key              decision and credential key, text, mode 0600
 *   data/cells                 <cell> TAB <agreement> LF, append only; cell 0 is 'unidentified'
 *   data/counters              <counter> TAB <identity> LF, append only
 *   data/images/image-<n>      images; index-<generation>; 'current' holds the generation in decimal
 *
 *  (1) A cell and a counter keep their number for ever.
 *  (2) current is replaced whole after everything it names is durable.
 *  (3) One process writes (it holds data/lock); any may read.
 */
#ifndef LICET_STORE_H
#define LICET_STORE_H

#include "licet/agreement.h"
#include "licet/base.h"
#include "licet/image.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_AGREEMENT
#error "layer breach: store.h belongs to agreement/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct licet_gate_keys {
    uint8_t decision[16], credential[32];
} licet_gate_keys;
/* Reads data/gate.key below site dir; create: makes it with random keys when it is not there. */
bool licet_gate_keys_read(const char *dir, bool create, licet_gate_keys *out_keys, licet_error *err);

typedef struct licet_store licet_store;
/* Opens dir/data (made when writing). Maps the images of the generation in force. */
bool licet_store_open(const char *dir, bool read_only, licet_store **out_store, licet_error *err);
void licet_store_close(licet_store *store);
uint64_t licet_store_generation(const licet_store *store); /* 0: nothing applied yet */
/* Cells known, cell 0 included; the agreement's name of one (NULL beyond). */
uint32_t licet_store_cells(const licet_store *store);
const char *licet_store_cell_name(const licet_store *store, uint32_t cell);
uint32_t licet_store_counters(const licet_store *store);
const char *licet_store_counter_identity(const licet_store *store, uint32_t counter);
/* The image in force of a cell, or NULL. Valid until the next apply or close. */
const licet_image *licet_store_image(const licet_store *store, uint32_t cell);
const licet_image *licet_store_image_of(const licet_store *store, const char *agreement);
/* An image by number, also one no longer in force as long as its file is there; mapped until close. */
const licet_image *licet_store_image_number(licet_store *store, uint64_t number);
/* Path of the images folder, absolute. */
const char *licet_store_images(const licet_store *store);

/*
 * Compiles every agreement of site whose sources or flow differ from its image in force, writes images and a new index,
 * makes it current. *out_changed: cells that changed (malloc'ed; free with free). Nothing changed: no new generation.
 * prepare: what plan does; compiles and compares but writes nothing.
 */
typedef struct licet_store_change {
    uint32_t cell;         /* LICET_NONE in a plan for an agreement not recorded yet */
    const char *agreement; /* lives with the site */
    char *words;           /* licet_image_difference; owned */
    licet_difference_lines lines;
    bool first; /* nothing of the agreement was recorded before */
    bool gone;  /* the site has it no more */
} licet_store_change;
typedef struct licet_store_changes {
    licet_store_change *list;
    size_t len;
} licet_store_changes;
void licet_store_changes_done(licet_store_changes *changes);
bool licet_store_plan(licet_store *store, const licet_site *site, licet_store_changes *out_changes, licet_error *err);
bool licet_store_apply(licet_store *store, const licet_site *site, licet_store_changes *out_changes, licet_error *err);
/* The same, but nothing becomes current unless judge says yes. */
typedef bool (*licet_store_judge)(void *user, const licet_store_changes *changes, licet_error *err);
bool licet_store_apply_judged(licet_store *store, const licet_site *site, licet_store_judge judge, void *user,
                              licet_store_changes *out_changes, licet_error *err);

/* Who applies, and what is permitted with it. */
#define LICET_WHO_MAX 200
#define LICET_GRACE_MS (UINT64_C(24) * 3600 * 1000) /* what takes effect no longer ago is not back-dated */
typedef struct licet_permit {
    const char *as, *approved_by; /* 'name, role'; NULL: not said */
    bool remove;                  /* what was recorded may be taken away */
    uint64_t now_ms;
} licet_permit;
/* The names are names, and of two persons. */
bool licet_permit_check(const licet_permit *permit, licet_error *err);
bool licet_difference_back_dated(const licet_difference_line *line, uint64_t now_ms);
/* False (INVALID) with a mistake for each change that cannot be recorded as it is. */
bool licet_changes_judge(const licet_store_changes *changes, const licet_permit *permit, licet_mistakes *mistakes,
                         licet_error *err);
/* Removes index and image files older than generation (what every worker has left behind and no ring entry names). */
void licet_store_prune(licet_store *store, uint64_t oldest_generation, uint64_t oldest_image);

#ifdef __cplusplus
}
#endif

#endif
