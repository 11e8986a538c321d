/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store: the applied state of a site as files of data/, opened and read.
 *
 *  (1) Images that were mapped stay mapped until close: a reader that holds an older one keeps reading it.
 *  (2) current is read before the tables: what it names was in them before it was written.
 */
#include "store_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_MODE 0750

/* ---- paths and files ---------------------------------------------------------------- */

bool
licet_store_join(char out[LICET_STORE_PATH_MAX], const char *folder, const char *name, licet_error *err)
{
    if ((size_t)snprintf(out, LICET_STORE_PATH_MAX, "%s/%s", folder, name) >= LICET_STORE_PATH_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%.80s...: the path is too long", folder);
    }
    return true;
}

bool
licet_store_join_number(char out[LICET_STORE_PATH_MAX], const char *folder, const char *kind, uint64_t number,
                        licet_error *err)
{
    char name[40];

    snprintf(name, sizeof(name), "%s-%llu", kind, (unsigned long long)number);
    return licet_store_join(out, folder, name, err);
}

bool
licet_store_system_failed(const char *path, licet_error *err)
{
    return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
}

/* ---- licet_mapping images -------------------------------------------------------------------- */

bool
licet_store_map_file(const char *path, void **out_data, size_t *out_len, licet_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    void *data = MAP_FAILED;
    bool good = false;

    if (fd < 0 || fstat(fd, &info) != 0) {
        if (errno == ENOENT) {
            LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%s: %s", path, strerror(errno));
        } else {
            licet_store_system_failed(path, err);
        }
        goto done;
    }
    if (!S_ISREG(info.st_mode) || info.st_size <= 0 || (uint64_t)info.st_size > LICET_STORE_FILE_MAX) {
        LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: %lld bytes cannot be", path, (long long)info.st_size);
        goto done;
    }
    data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
        licet_store_system_failed(path, err);
        goto done;
    }
    *out_data = data;
    *out_len = (size_t)info.st_size;
    good = true;
done:
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* Puts the file's path before what licet_image_open or licet_index_open said. */
static bool
name_path(const char *path, const licet_error *why, licet_error *err)
{
    return LICET_FAIL(err, why->code, why->offset, "%s: %s", path, why->text);
}

static size_t
mapped_place(const licet_store *store, uint64_t number)
{
    size_t low = 0, high = store->mapped_len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->mapped[middle]->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool
keep_mapping(licet_store *store, licet_mapping *found, licet_error *err)
{
    size_t place;

    if (store->mapped_len == store->mapped_capacity) {
        size_t capacity = store->mapped_capacity == 0 ? 64 : store->mapped_capacity * 2;
        licet_mapping **list = realloc(store->mapped, capacity * sizeof(*list));
        if (list == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu images", capacity);
        }
        store->mapped = list;
        store->mapped_capacity = capacity;
    }
    place = mapped_place(store, found->number);
    memmove(store->mapped + place + 1, store->mapped + place, (store->mapped_len - place) * sizeof(licet_mapping *));
    store->mapped[place] = found;
    store->mapped_len++;
    return true;
}

const licet_mapping *
licet_store_map_image(licet_store *store, uint64_t number, licet_error *err)
{
    size_t place = mapped_place(store, number);
    char path[LICET_STORE_PATH_MAX];
    licet_error why = {0};
    licet_mapping *found;

    if (place < store->mapped_len && store->mapped[place]->number == number) {
        return store->mapped[place];
    }
    found = calloc(1, sizeof(*found));
    if (found == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for image %llu", (unsigned long long)number);
        return NULL;
    }
    found->number = number;
    if (!licet_store_join_number(path, store->images, "image", number, err) ||
        !licet_store_map_file(path, &found->data, &found->len, err)) {
        goto failed;
    }
    if (!licet_image_open(licet_bytes_of(found->data, found->len), &found->image, &why)) {
        name_path(path, &why, err);
        goto failed;
    }
    if (found->image.header->number != number) {
        LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: its header says number %llu", path,
                   (unsigned long long)found->image.header->number);
        goto failed;
    }
    if (keep_mapping(store, found, err)) {
        return found;
    }
failed:
    if (found->data != NULL) {
        munmap(found->data, found->len);
    }
    free(found);
    return NULL;
}

void
licet_store_unmap_image(licet_store *store, uint64_t number)
{
    size_t place = mapped_place(store, number);
    licet_mapping *found = place < store->mapped_len ? store->mapped[place] : NULL;

    if (found == NULL || found->number != number) {
        return;
    }
    munmap(found->data, found->len);
    free(found);
    store->mapped_len--;
    memmove(store->mapped + place, store->mapped + place + 1, (store->mapped_len - place) * sizeof(*store->mapped));
}

/* ---- open ----------------------------------------------------------------------------------- */

bool
licet_store_grow(licet_store *store, licet_error *err)
{
    const licet_mapping **list;

    if (store->in_force_len >= store->cells.len) {
        return true;
    }
    list = realloc(store->in_force, store->cells.len * sizeof(*list));
    if (list == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u cells", store->cells.len);
    }
    memset(list + store->in_force_len, 0, (store->cells.len - store->in_force_len) * sizeof(*list));
    store->in_force = list;
    store->in_force_len = store->cells.len;
    return true;
}

static bool
map_row(licet_store *store, const char *path, const licet_index_image *row, licet_error *err)
{
    const licet_mapping *found;
    licet_bytes agreement;

    if (row->cell >= store->cells.len) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: names cell %u, which data/cells does not have", path,
                          row->cell);
    }
    found = licet_store_map_image(store, row->number, err);
    if (found == NULL) {
        return false;
    }
    agreement = licet_image_text(&found->image, found->image.header->agreement);
    if (found->image.header->cell != row->cell || !licet_bytes_equal_text(agreement, store->cells.names[row->cell])) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: image %llu is not that of cell %u", path,
                          (unsigned long long)row->number, row->cell);
    }
    store->in_force[row->cell] = found;
    return true;
}

static bool
map_generation(licet_store *store, licet_error *err)
{
    char path[LICET_STORE_PATH_MAX];
    licet_error why = {0};
    licet_index index;
    void *data = NULL;
    size_t len = 0;
    bool good = false;

    if (!licet_store_join_number(path, store->images, "index", store->generation, err) ||
        !licet_store_map_file(path, &data, &len, err)) {
        return false;
    }
    if (!licet_index_open(licet_bytes_of(data, len), &index, &why)) {
        name_path(path, &why, err);
        goto done;
    }
    for (uint32_t i = 0; i < index.header->images_len; i++) {
        if (!map_row(store, path, &index.images[i], err)) {
            goto done;
        }
    }
    good = true;
done:
    munmap(data, len);
    return good;
}

static bool
read_current(licet_store *store, licet_error *err)
{
    char path[LICET_STORE_PATH_MAX];
    uint8_t *data = NULL;
    size_t len = 0;
    bool good = true;

    if (!licet_store_join(path, store->images, "current", err)) {
        return false;
    }
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return true;
    }
    if (!licet_file_read(path, 64, &data, &len, err)) {
        return false;
    }
    if (len < 2 || data[len - 1] != '\n' || !licet_parse_u64(licet_bytes_of(data, len - 1), &store->generation) ||
        store->generation == 0) {
        good = LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: expected the number of a generation", path);
    }
    free(data);
    return good;
}

static bool
load_tables(licet_store *store, licet_error *err)
{
    char path[LICET_STORE_PATH_MAX];
    uint32_t cell;

    if (!licet_store_join(path, store->data, "cells", err) || !licet_numbers_load(&store->cells, path, err) ||
        !licet_numbers_of(&store->cells, "unidentified", &cell, err)) {
        return false;
    }
    if (cell != 0) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: cell 0: expected unidentified", path);
    }
    if (store->read_only) {
        store->cells.durable = store->cells.len; /* cell 0 stands whether its line was written yet or not */
    } else if (!licet_numbers_append(&store->cells, path, err)) {
        return false;
    }
    return licet_store_join(path, store->data, "counters", err) && licet_numbers_load(&store->counters, path, err);
}

bool
licet_store_open(const char *dir, bool read_only, licet_store **out_store, licet_error *err)
{
    licet_store *store = calloc(1, sizeof(*store));
    char *absolute = NULL;
    bool good = false;

    if (store == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the store of %s", dir);
    }
    licet_numbers_init(&store->cells);
    licet_numbers_init(&store->counters);
    store->read_only = read_only;
    absolute = realpath(dir, NULL);
    if (absolute == NULL) {
        LICET_FAIL(err, errno == ENOENT ? LICET_E_NOT_FOUND : LICET_E_SYSTEM, 0, "%s: %s", dir, strerror(errno));
        goto done;
    }
    if (!licet_store_join(store->data, absolute, "data", err) ||
        !licet_store_join(store->images, store->data, "images", err)) {
        goto done;
    }
    if (!read_only && (!licet_dir_make(store->data, DIR_MODE, err) || !licet_dir_make(store->images, DIR_MODE, err))) {
        goto done;
    }
    /* (2) */
    if (!read_current(store, err) || !load_tables(store, err) || !licet_store_grow(store, err)) {
        goto done;
    }
    if (store->generation != 0 && !map_generation(store, err)) {
        goto done;
    }
    *out_store = store;
    good = true;
done:
    free(absolute);
    if (!good) {
        licet_store_close(store);
    }
    return good;
}

void
licet_store_close(licet_store *store)
{
    if (store == NULL) {
        return;
    }
    for (size_t i = 0; i < store->mapped_len; i++) {
        munmap(store->mapped[i]->data, store->mapped[i]->len);
        free(store->mapped[i]);
    }
    free(store->mapped);
    free(store->in_force);
    licet_numbers_done(&store->cells);
    licet_numbers_done(&store->counters);
    free(store);
}

/* ---- views ------------------------------------------------------------------------------------ */

uint64_t
licet_store_generation(const licet_store *store)
{
    return store->generation;
}

uint32_t
licet_store_cells(const licet_store *store)
{
    return store->cells.len;
}

const char *
licet_store_cell_name(const licet_store *store, uint32_t cell)
{
    return cell < store->cells.len ? store->cells.names[cell] : NULL;
}

uint32_t
licet_store_counters(const licet_store *store)
{
    return store->counters.len;
}

const char *
licet_store_counter_identity(const licet_store *store, uint32_t counter)
{
    return counter < store->counters.len ? store->counters.names[counter] : NULL;
}

const licet_image *
licet_store_image(const licet_store *store, uint32_t cell)
{
    return cell < store->in_force_len && store->in_force[cell] != NULL ? &store->in_force[cell]->image : NULL;
}

const licet_image *
licet_store_image_of(const licet_store *store, const char *agreement)
{
    uint32_t cell = licet_numbers_find(&store->cells, agreement);

    return cell == LICET_NONE ? NULL : licet_store_image(store, cell);
}

const licet_image *
licet_store_image_number(licet_store *store, uint64_t number)
{
    const licet_mapping *found = licet_store_map_image(store, number, NULL);

    return found == NULL ? NULL : &found->image;
}

const char *
licet_store_images(const licet_store *store)
{
    return store->images;
}

void
licet_store_changes_done(licet_store_changes *changes)
{
    for (size_t i = 0; i < changes->len; i++) {
        free(changes->list[i].words);
        licet_difference_lines_done(&changes->list[i].lines);
    }
    free(changes->list);
    memset(changes, 0, sizeof(*changes));
}
