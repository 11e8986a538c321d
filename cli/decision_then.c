/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terms of a time: the image that was in force, from the store's files; or, once these are gone, compiled anew from
 * the files that were recorded when it was applied.
 *
 *  (1) Whichever it is, the hashes of its agreement and catalogue must be those that the ledger holds.
 *  (2) What is made anew stands in a folder of its own for as long as the compiler reads it.
 */
#include "decision.h"

#include "evidence.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REASON_MAX 65536

/* ---- a site of the recorded files (2) --------------------------------------------------- */

static bool
copy_file(const char *from, const char *to, licet_error *err)
{
    uint8_t *data = NULL;
    size_t len;
    bool ok = licet_file_read(from, LICET_SITE_FILE_MAX, &data, &len, err) &&
              licet_file_replace(to, licet_bytes_of(data, len), 0600, err);

    free(data);
    return ok;
}

static bool
join(char out[PATH_MAX], const char *dir, const char *name, licet_error *err)
{
    return licet_cli_path(dir, name, out, PATH_MAX, err);
}

/* Catalogues have a date behind '@' in their names, which no version of an agreement has. */
static bool
copy_recorded(const char *recorded, const char *terms, const char *catalogues, licet_error *err)
{
    DIR *folder = opendir(recorded);
    struct dirent *entry;
    char from[PATH_MAX], to[PATH_MAX];
    bool ok = true;

    if (folder == NULL) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%s: %s", recorded, strerror(errno));
    }
    while (ok && (entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name, *end = strrchr(name, '.');

        if (end != NULL && strcmp(end, ".yaml") == 0) {
            ok = join(from, recorded, name, err) &&
                 join(to, strchr(name, '@') != NULL ? catalogues : terms, name, err) && copy_file(from, to, err);
        }
    }
    closedir(folder);
    return ok;
}

/* Removes a folder of files; what is no folder any more is removed already. */
static void
remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char file[PATH_MAX];

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            licet_cli_path(path, entry->d_name, file, sizeof(file), NULL)) {
            unlink(file);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    rmdir(path);
}

typedef struct scratch {
    char root[PATH_MAX], catalogues[PATH_MAX], agreements[PATH_MAX], terms[PATH_MAX];
    bool made;
} scratch;

static bool
scratch_make(scratch *s, const char *agreement, licet_error *err)
{
    const char *base = getenv("TMPDIR");

    if (!join(s->root, base != NULL && base[0] == '/' ? base : "/tmp", "licet-explain-XXXXXX", err)) {
        return false;
    }
    s->made = mkdtemp(s->root) != NULL;
    if (!s->made) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", s->root, strerror(errno));
    }
    return join(s->catalogues, s->root, "catalogue", err) && join(s->agreements, s->root, "agreements", err) &&
           join(s->terms, s->agreements, agreement, err) && licet_dir_make(s->catalogues, 0700, err) &&
           licet_dir_make(s->agreements, 0700, err) && licet_dir_make(s->terms, 0700, err);
}

static void
scratch_remove(const scratch *s)
{
    if (s->made) {
        remove_folder(s->terms);
        remove_folder(s->agreements);
        remove_folder(s->catalogues);
        remove_folder(s->root);
    }
}

static bool
compile_site(const char *root, const char *agreement, licet_cli_image *out, licet_error *err)
{
    licet_mistakes mistakes = {0};
    licet_site *site = NULL;
    size_t at;
    bool ok = licet_site_load(root, &mistakes, &site, err);

    if (!ok && mistakes.len > 0) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "%s:%u: %s", mistakes.list[0].file, mistakes.list[0].line,
                   mistakes.list[0].text);
    }
    at = ok ? licet_site_find(site, agreement) : SIZE_MAX;
    ok = ok && (at != SIZE_MAX || LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "the recorded files hold no agreement"));
    ok = ok && licet_cli_image_compile(site, at, out, err);
    licet_mistakes_done(&mistakes);
    licet_site_free(site);
    return ok;
}

static bool
compile_recorded(const char *dir, const char *recorded, const char *agreement, licet_cli_image *out, licet_error *err)
{
    scratch s = {.made = false};
    char from[PATH_MAX], to[PATH_MAX];
    bool ok = scratch_make(&s, agreement, err) && join(from, dir, "licet.yaml", err) &&
              join(to, s.root, "licet.yaml", err) && copy_file(from, to, err) &&
              copy_recorded(recorded, s.terms, s.catalogues, err) && compile_site(s.root, agreement, out, err);

    scratch_remove(&s);
    return ok;
}

/* ---- the image --------------------------------------------------------------------------------- */

/* (1) */
static bool
is_as_recorded(const licet_image *image, const decision_record *record, const decision_applied *applied)
{
    for (uint32_t i = 0; applied->has_hashes && i < image->header->versions_len; i++) {
        const licet_image_version *version = &image->versions[i];

        if (licet_bytes_equal(licet_image_text(image, version->id), record->context.version)) {
            return memcmp(version->file_sha256, applied->agreement.bytes, LICET_SHA256_LEN) == 0 &&
                   memcmp(version->catalogue_sha256, applied->catalogue.bytes, LICET_SHA256_LEN) == 0;
        }
    }
    return true;
}

static char *
read_reason(const char *recorded)
{
    char path[PATH_MAX];
    uint8_t *data = NULL;
    size_t len;
    char *text = NULL;

    if (licet_cli_path(recorded, "reason", path, sizeof(path), NULL) &&
        licet_file_read(path, REASON_MAX, &data, &len, NULL)) {
        text = strndup((const char *)data, len);
    }
    free(data);
    return text;
}

void
decision_then(const char *dir, licet_store *store, const decision_record *record, const decision_applied *applied,
              decision_terms *out)
{
    char rest[PATH_MAX], recorded[PATH_MAX];
    licet_error err = {0};

    *out = (decision_terms){.number = applied->number, .time_ms = applied->time_ms};
    snprintf(rest, sizeof(rest), "data/recorded/%s/%llu", record->ledger, (unsigned long long)applied->number);
    if (applied->number == 0) {
        snprintf(out->why_not, sizeof(out->why_not), "the ledger holds no version that was applied by then");
        return;
    }
    if (!licet_cli_path(dir, rest, recorded, sizeof(recorded), &err)) {
        snprintf(out->why_not, sizeof(out->why_not), "%s", err.text);
        return;
    }
    out->reason = read_reason(recorded);
    out->image = licet_store_image_number(store, applied->number);
    if (out->image == NULL) {
        out->anew = compile_recorded(dir, recorded, record->ledger, &out->compiled, &err);
        out->image = out->anew ? &out->compiled.image : NULL;
    }
    if (out->image == NULL) {
        snprintf(out->why_not, sizeof(out->why_not), "image %llu is gone and cannot be made anew: %.200s",
                 (unsigned long long)applied->number, err.text);
    } else if (!is_as_recorded(out->image, record, applied)) {
        out->image = NULL;
        snprintf(out->why_not, sizeof(out->why_not),
                 "image %llu %s: its files are not those whose hashes the ledger holds",
                 (unsigned long long)applied->number, out->anew ? "was made anew from recorded files" : "is there");
    }
}

void
decision_terms_done(decision_terms *terms)
{
    if (terms->anew) {
        licet_cli_image_done(&terms->compiled);
    }
    free(terms->reason);
    *terms = (decision_terms){.image = NULL};
}
