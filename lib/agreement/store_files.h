/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store files: what store.c (reading) and store_apply.c (the next generation) share.
 */
#ifndef LICET_AGREEMENT_STORE_FILES_H
#define LICET_AGREEMENT_STORE_FILES_H

#include "number_table.h"

#include "licet/store.h"

#define LICET_STORE_PATH_MAX 4096
#define LICET_STORE_FILE_MAX ((size_t)1 << 30) /* of an image or an index */

typedef struct licet_mapping {
    licet_image image;
    uint64_t number;
    void *data;
    size_t len;
} licet_mapping;

struct licet_store {
    char data[LICET_STORE_PATH_MAX], images[LICET_STORE_PATH_MAX];
    bool read_only;
    uint64_t generation;
    licet_numbers cells, counters;
    licet_mapping **mapped; /* owned; by number */
    size_t mapped_len, mapped_capacity;
    const licet_mapping **in_force; /* of each cell, NULL: none */
    uint32_t in_force_len;
};

bool licet_store_join(char out[LICET_STORE_PATH_MAX], const char *folder, const char *name, licet_error *err);
/* folder/kind-number. */
bool licet_store_join_number(char out[LICET_STORE_PATH_MAX], const char *folder, const char *kind, uint64_t number,
                             licet_error *err);
bool licet_store_system_failed(const char *path, licet_error *err);
/* Maps a whole file to read; munmap it. */
bool licet_store_map_file(const char *path, void **out_data, size_t *out_len, licet_error *err);
/* Of an image that never came in force: its file is gone. */
void licet_store_unmap_image(licet_store *store, uint64_t number);
/* The image of a number, mapped until the store is closed; NULL and *err. */
const licet_mapping *licet_store_map_image(licet_store *store, uint64_t number, licet_error *err);
/* Room in in_force for every cell. */
bool licet_store_grow(licet_store *store, licet_error *err);

#endif
