/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store, the next generation: what of the site's files differs from what was applied, and making it so.
 *
 *      apply:  compile ──► image-<n> …  (named by nobody yet)
 *              cells, counters appended and synced
 *              images synced ──► index-<g> synced ──► folder synced
 *              current replaced  ◄── only now the generation exists
 *
 *  (1) A crash before the last step leaves files that no index in force names; their numbers are not used again.
 *  (2) A number in cells or counters is durable before an image that uses it is named by current.
 *  (3) plan does the same up to the comparison and takes back the numbers it gave.
 */
#include "store_files.h"
#include "terms.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0640
#define NO_GROUP ((gid_t)-1)

/* ---- files -------------------------------------------------------------------------------------- */

static bool
sync_path(const char *path, licet_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    good = good || licet_store_system_failed(path, err);
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* Writes a new file with the store's mode and group, not yet synced. */
static bool
write_file(const char *path, licet_bytes content, gid_t group, licet_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    bool good = false;

    if (fd < 0 || fchmod(fd, FILE_MODE) != 0 || (group != NO_GROUP && fchown(fd, (uid_t)-1, group) != 0)) {
        licet_store_system_failed(path, err);
    } else {
        good = licet_file_write_at(fd, path, content, 0, err);
    }
    if (fd >= 0 && close(fd) != 0 && good) {
        good = licet_store_system_failed(path, err);
    }
    return good;
}

/* ---- the next generation -------------------------------------------------------------------------- */

typedef struct change_run {
    licet_store *store;
    const licet_site *site;
    bool write;
    gid_t group;
    uint64_t next_image, next_generation;
    const licet_mapping **next; /* of each cell in the new generation; owned */
    uint32_t next_len;
    uint64_t *written; /* numbers of new image files; owned */
    size_t written_len;
    licet_store_changes changes;
    licet_store_judge judge; /* may be NULL */
    void *judge_user;
    licet_error *err;
} change_run;

/* Further rows of a counter have names too, '<identity>#<row>', so that each number has one for ever. */
static bool
number_of(void *user, const char *identity, uint32_t rows, uint32_t *out_counter, licet_error *err)
{
    change_run *run = user;
    char name[LICET_IDENTITY_MAX + 16];
    uint32_t next;

    if (!licet_numbers_of(&run->store->counters, identity, out_counter, err)) {
        return false;
    }
    for (uint32_t row = 1; row < rows; row++) {
        snprintf(name, sizeof(name), "%s#%u", identity, row);
        if (!licet_numbers_of(&run->store->counters, name, &next, err)) {
            return false;
        }
        if (next != *out_counter + row) {
            return LICET_FAIL(err, LICET_E_CORRUPT, 0, "data/counters: %s has number %u: expected %u", name, next,
                              *out_counter + row);
        }
    }
    return true;
}

/* (1): the next numbers lie above every file that is there. */
static bool
find_next_numbers(change_run *run)
{
    DIR *dir = opendir(run->store->images);
    struct dirent *found;

    if (dir == NULL) {
        return licet_store_system_failed(run->store->images, run->err);
    }
    run->next_image = 1;
    run->next_generation = run->store->generation + 1;
    while ((found = readdir(dir)) != NULL) {
        uint64_t number;
        if (strncmp(found->d_name, "image-", 6) == 0 &&
            licet_parse_u64(licet_bytes_of_text(found->d_name + 6), &number) && number >= run->next_image) {
            run->next_image = number + 1;
        } else if (strncmp(found->d_name, "index-", 6) == 0 &&
                   licet_parse_u64(licet_bytes_of_text(found->d_name + 6), &number) && number >= run->next_generation) {
            run->next_generation = number + 1;
        }
    }
    closedir(dir);
    if (run->store->mapped_len > 0) { /* nor is one used again whose file went away while it is mapped */
        uint64_t last = run->store->mapped[run->store->mapped_len - 1]->number;
        run->next_image = run->next_image > last ? run->next_image : last + 1;
    }
    return true;
}

static bool
find_group(change_run *run)
{
    const char *name = licet_site_config_view(run->site)->group;
    struct group entry, *found = NULL;
    char buffer[16384];
    int failed;

    run->group = NO_GROUP;
    if (name == NULL) {
        return true;
    }
    failed = getgrnam_r(name, &entry, buffer, sizeof(buffer), &found);
    if (found == NULL) {
        return LICET_FAIL(run->err, LICET_E_NOT_FOUND, 0, "licet.yaml: group \"%s\": %s", name,
                          failed != 0 ? strerror(failed) : "this machine has no such group");
    }
    run->group = found->gr_gid;
    return true;
}

static bool
add_change(change_run *run, uint32_t cell, const char *agreement, const licet_buffer *words,
           licet_difference_lines *lines)
{
    licet_store_change *list = realloc(run->changes.list, (run->changes.len + 1) * sizeof(*list));
    char *copy;

    if (list != NULL) {
        run->changes.list = list;
    }
    copy = list == NULL || words->failed ? NULL : strndup(words->len == 0 ? "" : (const char *)words->data, words->len);
    if (copy == NULL) {
        return LICET_FAIL(run->err, LICET_E_MEMORY, 0, "no memory for the changes of agreement %s", agreement);
    }
    list[run->changes.len++] =
        (licet_store_change){.cell = cell, .agreement = agreement, .words = copy, .lines = *lines};
    *lines = (licet_difference_lines){.list = NULL};
    return true;
}

static bool
write_image(change_run *run, const licet_buffer *blob)
{
    char path[LICET_STORE_PATH_MAX];

    if (!licet_store_join_number(path, run->store->images, "image", run->next_image, run->err)) {
        return false;
    }
    run->written[run->written_len++] = run->next_image;
    return write_file(path, licet_buffer_view(blob), run->group, run->err);
}

/* An agreement whose compiled form is another than the one in force. */
static bool
take_change(change_run *run, uint32_t cell, bool is_new, const char *agreement, licet_buffer *blob)
{
    const licet_mapping *old = cell < run->store->in_force_len ? run->store->in_force[cell] : NULL;
    licet_difference_lines lines = {.list = NULL};
    licet_image image;
    licet_buffer words;
    bool good = false;

    licet_buffer_init(&words, (size_t)64 << 20);
    ((licet_image_header *)(void *)blob->data)->number = run->next_image;
    if (!licet_image_open(licet_buffer_view(blob), &image, run->err) ||
        !licet_image_difference(old == NULL ? NULL : &old->image, &image, &words, &lines, run->err) ||
        !add_change(run, is_new && !run->write ? LICET_NONE : cell, agreement, &words, &lines)) {
        goto done;
    }
    run->changes.list[run->changes.len - 1].first = old == NULL;
    if (run->write) {
        if (!write_image(run, blob)) {
            goto done;
        }
        run->next[cell] = licet_store_map_image(run->store, run->next_image, run->err);
        if (run->next[cell] == NULL) {
            goto done;
        }
    }
    run->next_image++;
    good = true;
done:
    licet_difference_lines_done(&lines);
    licet_buffer_done(&words);
    return good;
}

static bool
compare_agreement(change_run *run, size_t i)
{
    licet_store *store = run->store;
    const char *agreement = licet_site_agreement_id(run->site, i);
    bool is_new = licet_numbers_find(&store->cells, agreement) == LICET_NONE;
    licet_compile_options options = {.counter_of = number_of, .user = run};
    const licet_mapping *old;
    licet_buffer blob;
    bool good = false;

    if (!licet_numbers_of(&store->cells, agreement, &options.cell, run->err)) {
        return false;
    }
    old = options.cell < store->in_force_len ? store->in_force[options.cell] : NULL;
    options.number = old != NULL ? old->number : run->next_image;
    options.before = old != NULL ? &old->image : NULL;
    licet_buffer_init(&blob, LICET_STORE_FILE_MAX);
    if (!licet_site_compile(run->site, i, &options, &blob, run->err)) {
        goto done;
    }
    if (old != NULL && old->len == blob.len && memcmp(old->data, blob.data, blob.len) == 0) {
        if (run->write) {
            run->next[options.cell] = old;
        }
        good = true;
        goto done;
    }
    good = take_change(run, options.cell, is_new, agreement, &blob);
done:
    licet_buffer_done(&blob);
    return good;
}

/* The one line of an agreement that went. */
static bool
differ_gone(licet_difference_lines *lines, const char *name, size_t words_len, licet_error *err)
{
    lines->list = calloc(1, sizeof(*lines->list));
    if (lines->list == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the changes of agreement %s", name);
    }
    lines->len = lines->capacity = 1;
    lines->list[0] = (licet_difference_line){
        .len = words_len - 1, .subject = LICET_SUBJECT_AGREEMENT, .action = LICET_ACTION_REMOVED};
    lines->list[0].id_len = strnlen(name, sizeof(lines->list[0].id));
    memcpy(lines->list[0].id, name, lines->list[0].id_len);
    return true;
}

/* Agreements in force that the site has no more. */
static bool
compare_removed(change_run *run)
{
    for (uint32_t cell = 1; cell < run->store->in_force_len; cell++) {
        const char *name = run->store->cells.names[cell];
        licet_difference_lines lines = {.list = NULL};
        licet_buffer words;
        bool good;
        if (run->store->in_force[cell] == NULL || licet_site_find(run->site, name) != SIZE_MAX) {
            continue;
        }
        licet_buffer_init(&words, 1024);
        licet_put_format(&words, "- agreement %s\n", name);
        good = differ_gone(&lines, name, words.len, run->err) && add_change(run, cell, name, &words, &lines);
        licet_buffer_done(&words);
        licet_difference_lines_done(&lines);
        if (!good) {
            return false;
        }
        run->changes.list[run->changes.len - 1].gone = true;
    }
    return true;
}

static bool
compare_all(change_run *run)
{
    size_t len = licet_site_agreements(run->site);

    if (run->write) {
        run->next_len = run->store->cells.len + (uint32_t)len;
        run->next = calloc(run->next_len, sizeof(*run->next));
        run->written = calloc(len + 1, sizeof(*run->written));
        if (run->next == NULL || run->written == NULL) {
            return LICET_FAIL(run->err, LICET_E_MEMORY, 0, "no memory for %zu agreements", len);
        }
    }
    for (size_t i = 0; i < len; i++) {
        if (!compare_agreement(run, i)) {
            return false;
        }
    }
    return compare_removed(run);
}

static bool
append_tables(change_run *run)
{
    licet_store *store = run->store;
    char cells[LICET_STORE_PATH_MAX], counters[LICET_STORE_PATH_MAX];

    return licet_store_join(cells, store->data, "cells", run->err) &&
           licet_store_join(counters, store->data, "counters", run->err) &&
           licet_numbers_append(&store->cells, cells, run->err) &&
           licet_numbers_append(&store->counters, counters, run->err) && sync_path(store->data, run->err);
}

static bool
sync_images(change_run *run)
{
    char path[LICET_STORE_PATH_MAX];

    for (size_t i = 0; i < run->written_len; i++) {
        if (!licet_store_join_number(path, run->store->images, "image", run->written[i], run->err) ||
            !sync_path(path, run->err)) {
            return false;
        }
    }
    return true;
}

static bool
write_index(change_run *run)
{
    licet_image *images = calloc((size_t)run->next_len + 1, sizeof(*images));
    char path[LICET_STORE_PATH_MAX];
    licet_buffer blob;
    size_t n = 0;
    bool good = false;

    licet_buffer_init(&blob, LICET_STORE_FILE_MAX);
    if (images == NULL) {
        LICET_FAIL(run->err, LICET_E_MEMORY, 0, "no memory for the index");
        goto done;
    }
    for (uint32_t cell = 0; cell < run->next_len; cell++) {
        if (run->next[cell] != NULL) {
            images[n++] = run->next[cell]->image;
        }
    }
    good = licet_index_build(images, n, run->next_generation, &blob, run->err) &&
           licet_store_join_number(path, run->store->images, "index", run->next_generation, run->err) &&
           write_file(path, licet_buffer_view(&blob), run->group, run->err) && sync_path(path, run->err) &&
           sync_path(run->store->images, run->err);
done:
    licet_buffer_done(&blob);
    free(images);
    return good;
}

static bool
write_current(change_run *run)
{
    char path[LICET_STORE_PATH_MAX], fresh[LICET_STORE_PATH_MAX], text[32];
    int len = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)run->next_generation);

    if (!licet_store_join(path, run->store->images, "current", run->err) ||
        !licet_store_join(fresh, run->store->images, "current.new", run->err) ||
        !write_file(fresh, licet_bytes_of(text, (size_t)len), run->group, run->err) || !sync_path(fresh, run->err)) {
        return false;
    }
    if (rename(fresh, path) != 0) {
        return licet_store_system_failed(path, run->err);
    }
    return sync_path(run->store->images, run->err);
}

static bool
set_group(change_run *run)
{
    const char *folders[] = {run->store->data, run->store->images};

    for (size_t i = 0; i < 2; i++) {
        struct stat info;
        if (stat(folders[i], &info) != 0) {
            return licet_store_system_failed(folders[i], run->err);
        }
        if (run->group != NO_GROUP && info.st_gid != run->group && chown(folders[i], (uid_t)-1, run->group) != 0) {
            return LICET_FAIL(run->err, LICET_E_SYSTEM, 0, "%s: group %s: %s", folders[i],
                              licet_site_config_view(run->site)->group, strerror(errno));
        }
    }
    return true;
}

static void
remove_written(change_run *run)
{
    char path[LICET_STORE_PATH_MAX];

    for (size_t i = 0; i < run->written_len; i++) {
        if (licet_store_join_number(path, run->store->images, "image", run->written[i], NULL)) {
            unlink(path);
        }
        licet_store_unmap_image(run->store, run->written[i]);
    }
}

static bool
publish(change_run *run)
{
    licet_store *store = run->store;

    if (!append_tables(run) || !licet_store_grow(store, run->err) || !sync_images(run) || !write_index(run)) {
        remove_written(run);
        return false;
    }
    if (!write_current(run)) { /* whether it took is not known: everything it names stays */
        return false;
    }
    for (uint32_t cell = 0; cell < store->in_force_len; cell++) {
        store->in_force[cell] = cell < run->next_len ? run->next[cell] : NULL;
    }
    store->generation = run->next_generation;
    return true;
}

static bool
run_changes(change_run *run, licet_store_changes *out_changes)
{
    bool good = false;

    if (run->write) {
        if (!find_group(run) || !set_group(run) || !find_next_numbers(run)) {
            goto done;
        }
    } else {
        run->next_image = UINT64_MAX / 2; /* a number that no file gets */
    }
    if (!compare_all(run)) {
        remove_written(run);
        goto done;
    }
    if (run->judge != NULL && !run->judge(run->judge_user, &run->changes, run->err)) {
        remove_written(run);
        goto done;
    }
    if (run->write && run->changes.len > 0 && !publish(run)) {
        goto done;
    }
    *out_changes = run->changes;
    memset(&run->changes, 0, sizeof(run->changes));
    good = true;
done:
    licet_numbers_forget(&run->store->cells);
    licet_numbers_forget(&run->store->counters);
    licet_store_changes_done(&run->changes);
    free(run->next);
    free(run->written);
    return good;
}

bool
licet_store_plan(licet_store *store, const licet_site *site, licet_store_changes *out_changes, licet_error *err)
{
    change_run run = {.store = store, .site = site, .write = false, .err = err};

    return run_changes(&run, out_changes);
}

bool
licet_store_apply(licet_store *store, const licet_site *site, licet_store_changes *out_changes, licet_error *err)
{
    return licet_store_apply_judged(store, site, NULL, NULL, out_changes, err);
}

bool
licet_store_apply_judged(licet_store *store, const licet_site *site, licet_store_judge judge, void *user,
                         licet_store_changes *out_changes, licet_error *err)
{
    change_run run = {.store = store, .site = site, .write = true, .judge = judge, .judge_user = user, .err = err};

    if (store->read_only) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: opened for reading only", store->data);
    }
    return run_changes(&run, out_changes);
}
