/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store, prune: removing files of generations that everybody has left.
 *
 *  (1) An image stays that is in force, that an index which stays names, or whose number the caller still needs.
 *  (2) It is housekeeping: what cannot be removed now is removed another time, so failures are not reported.
 */
#include "store_files.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct kept {
    uint64_t *numbers; /* owned, sorted after gathering */
    size_t len, capacity;
    bool failed;
} kept;

static void
keep(kept *list, uint64_t number)
{
    if (list->len == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        uint64_t *numbers = realloc(list->numbers, capacity * sizeof(*numbers));
        if (numbers == NULL) {
            list->failed = true;
            return;
        }
        list->numbers = numbers;
        list->capacity = capacity;
    }
    list->numbers[list->len++] = number;
}

static int
compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static bool
number_behind(const char *name, const char *prefix, uint64_t *out_number)
{
    size_t len = strlen(prefix);

    return strncmp(name, prefix, len) == 0 && licet_parse_u64(licet_bytes_of_text(name + len), out_number);
}

/* The images that an index names; one that cannot be read keeps them all. */
static void
keep_index(const licet_store *store, uint64_t generation, kept *list)
{
    char path[LICET_STORE_PATH_MAX];
    licet_index index;
    void *data;
    size_t len;

    if (!licet_store_join_number(path, store->images, "index", generation, NULL) ||
        !licet_store_map_file(path, &data, &len, NULL)) {
        list->failed = true;
        return;
    }
    if (licet_index_open(licet_bytes_of(data, len), &index, NULL)) {
        for (uint32_t i = 0; i < index.header->images_len; i++) {
            keep(list, index.images[i].number);
        }
    } else {
        list->failed = true;
    }
    munmap(data, len);
}

static bool
gather(const licet_store *store, uint64_t oldest_generation, kept *list)
{
    DIR *dir = opendir(store->images);
    struct dirent *found;
    uint64_t number;

    if (dir == NULL) {
        return false;
    }
    while ((found = readdir(dir)) != NULL) {
        if (number_behind(found->d_name, "index-", &number) &&
            (number >= oldest_generation || number == store->generation)) {
            keep_index(store, number, list);
        }
    }
    closedir(dir);
    if (list->len > 1) {
        qsort(list->numbers, list->len, sizeof(*list->numbers), compare_numbers);
    }
    return !list->failed;
}

static bool
may_go(const licet_store *store, const kept *list, const char *name, uint64_t oldest_generation, uint64_t oldest_image)
{
    uint64_t number;

    if (number_behind(name, "index-", &number)) {
        return number < oldest_generation && number != store->generation;
    }
    return number_behind(name, "image-", &number) && number < oldest_image &&
           (list->len == 0 ||
            bsearch(&number, list->numbers, list->len, sizeof(*list->numbers), compare_numbers) == NULL);
}

void
licet_store_prune(licet_store *store, uint64_t oldest_generation, uint64_t oldest_image)
{
    kept list = {.numbers = NULL};
    struct dirent *found;
    DIR *dir = NULL;

    if (store->read_only || !gather(store, oldest_generation, &list)) {
        goto done;
    }
    dir = opendir(store->images);
    if (dir == NULL) {
        goto done;
    }
    while ((found = readdir(dir)) != NULL) {
        if (may_go(store, &list, found->d_name, oldest_generation, oldest_image)) {
            unlinkat(dirfd(dir), found->d_name, 0);
        }
    }
    closedir(dir);
done:
    free(list.numbers);
}
