/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing: readdir, sorted; see listing.h.
 */
#include "listing.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ENTRIES_MAX 100000u

void
licet_listing_done(licet_listing *names)
{
    for (size_t i = 0; i < names->len; i++) {
        free(names->list[i].name);
    }
    free(names->list);
    memset(names, 0, sizeof(*names));
}

static int
compare_entries(const void *left, const void *right)
{
    return strcmp(((const licet_entry *)left)->name, ((const licet_entry *)right)->name);
}

static bool
add_entry(licet_listing *names, const char *folder, const char *name, licet_error *err)
{
    char path[LICET_LISTING_PATH_MAX];
    struct stat info;

    if (names->len == ENTRIES_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: more than %u entries", folder, ENTRIES_MAX);
    }
    if (names->len == names->capacity) {
        size_t capacity = names->capacity == 0 ? 16 : names->capacity * 2;
        licet_entry *list = realloc(names->list, capacity * sizeof(*list));
        if (list == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to list %s", folder);
        }
        names->list = list;
        names->capacity = capacity;
    }
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s/%s: the path is too long", folder, name);
    }
    if (stat(path, &info) != 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    }
    names->list[names->len].name = strdup(name);
    names->list[names->len].folder = S_ISDIR(info.st_mode);
    if (names->list[names->len].name == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to list %s", folder);
    }
    names->len++;
    return true;
}

bool
licet_listing_read(const char *folder, licet_listing *out, licet_error *err)
{
    DIR *dir = opendir(folder);
    struct dirent *found;
    bool good = true;

    memset(out, 0, sizeof(*out));
    if (dir == NULL) {
        return errno == ENOENT || LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", folder, strerror(errno));
    }
    while (good) {
        errno = 0;
        found = readdir(dir);
        if (found == NULL) {
            good = errno == 0 || LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", folder, strerror(errno));
            break;
        }
        size_t len = strlen(found->d_name);
        if (found->d_name[0] != '.' && found->d_name[len - 1] != '~') {
            good = add_entry(out, folder, found->d_name, err);
        }
    }
    closedir(dir);
    if (good && out->len > 1) {
        qsort(out->list, out->len, sizeof(*out->list), compare_entries);
    }
    return good;
}
