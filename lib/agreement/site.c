/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Site: the folder as a whole, from files to terms.
 *
 *  (1) Every file is read even when another holds a mistake; the list of mistakes is of the whole site.
 *  (2) A site is handed out only when that list is empty.
 *  (3) What is read stays byte for byte with the site (licet_site_source): what is recorded is what was judged.
 */
#include "listing.h"
#include "terms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ARENA_MAX ((size_t)4 << 30)

static bool
ends_with(const char *name, const char *ending)
{
    size_t len = strlen(name), n = strlen(ending);

    return len > n && strcmp(name + len - n, ending) == 0;
}

/* ---- one run ------------------------------------------------------------------------- */

typedef struct loader {
    const char *dir;
    licet_site *site;
    licet_mistakes *mistakes;
    licet_error *err;
} loader;

static bool
no_memory(loader *l)
{
    return LICET_FAIL(l->err, LICET_E_MEMORY, 0, "no memory to read the site %s", l->dir);
}

static bool
say(loader *l, const char *file, const char *format, const char *value)
{
    licet_reader reader = {.file = file, .arena = &l->site->arena, .mistakes = l->mistakes};
    char text[400];

    snprintf(text, sizeof(text), format, licet_quote_of(licet_bytes_of_text(value)).text);
    licet_reader_say(&reader, NULL, "", "%s", text);
    return !reader.failed || no_memory(l);
}

/* What the system said, without the path that stands before it already. */
static bool
say_unreadable(loader *l, const char *file, const char *path, const licet_error *why)
{
    licet_reader reader = {.file = file, .arena = &l->site->arena, .mistakes = l->mistakes};
    const char *text = why->text;
    size_t len = strlen(path);

    if (strncmp(text, path, len) == 0 && strncmp(text + len, ": ", 2) == 0) {
        text += len + 2;
    }
    licet_reader_say(&reader, NULL, "", "%s", why->code == LICET_E_LIMIT ? "larger than 4 MiB" : text);
    return !reader.failed || no_memory(l);
}

/* Reads the file itself. True with file->broken when it cannot be read and the reader was told. */
static bool
read_file(loader *l, licet_terms_file *file)
{
    licet_error why = {0};
    char path[LICET_LISTING_PATH_MAX];
    uint8_t *data = NULL;
    size_t len = 0;

    if (file->path == NULL) {
        return no_memory(l);
    }
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", l->dir, file->path) >= sizeof(path)) {
        return LICET_FAIL(l->err, LICET_E_LIMIT, 0, "%s: the path is too long", file->path);
    }
    if (!licet_file_read(path, LICET_YAML_SIZE_MAX, &data, &len, &why)) {
        file->broken = true;
        if (why.code == LICET_E_MEMORY) {
            return no_memory(l);
        }
        return say_unreadable(l, file->path, path, &why);
    }
    file->text = licet_arena_copy(&l->site->arena, licet_bytes_of(data, len));
    free(data);
    if (l->site->arena.failed) {
        return no_memory(l);
    }
    file->sha256 = licet_sha256(&file->text, 1);
    return true;
}

/* After a file was read into terms: was it memory, or mistakes? */
static bool
finish_file(loader *l, const licet_reader *reader, licet_terms_file *file, bool good)
{
    file->broken = !good;
    return (!reader->failed && !l->site->arena.failed) || no_memory(l);
}

static bool
load_config(loader *l)
{
    licet_terms_file file = {.path = "licet.yaml"};
    licet_reader reader = {.file = file.path, .arena = &l->site->arena, .mistakes = l->mistakes};

    if (!read_file(l, &file)) {
        return false;
    }
    return file.broken || finish_file(l, &reader, &file, licet_terms_read_config(&reader, file.text, &l->site->config));
}

/* name is <name>@<date>.yaml. */
static bool
load_catalogue(loader *l, const char *name, licet_terms_catalogue *catalogue)
{
    licet_arena *arena = &l->site->arena;
    licet_reader reader = {.arena = arena, .mistakes = l->mistakes};

    catalogue->name.text = licet_arena_copy(arena, licet_bytes_of(name, strlen(name) - strlen(".yaml")));
    catalogue->file.path = licet_arena_format(arena, "catalogue/%s", name);
    if (!read_file(l, &catalogue->file)) {
        return false;
    }
    reader.file = catalogue->file.path;
    if (catalogue->file.broken) {
        return true;
    }
    if (!finish_file(l, &reader, &catalogue->file,
                     licet_terms_read_catalogue(&reader, catalogue->file.text, catalogue))) {
        return false;
    }
    if (!catalogue->file.broken) {
        licet_terms_check_catalogue(&reader, catalogue);
    }
    return !reader.failed || no_memory(l);
}

static bool
is_catalogue_name(const char *name)
{
    const char *at = strchr(name, '@');
    uint64_t ms;

    return at != NULL && strlen(at) == strlen("@2022-10-10.yaml") && ends_with(name, ".yaml") &&
           licet_fits_id(licet_bytes_of(name, (size_t)(at - name))) &&
           licet_time_parse(licet_bytes_of(at + 1, 10), &ms);
}

static bool
load_catalogues(loader *l)
{
    licet_site *site = l->site;
    char folder[LICET_LISTING_PATH_MAX];
    licet_listing found = {0};
    bool good = false;

    snprintf(folder, sizeof(folder), "%s/catalogue", l->dir);
    if (!licet_listing_read(folder, &found, l->err)) {
        goto done;
    }
    site->catalogues = licet_arena_rows(&site->arena, found.len, sizeof(*site->catalogues));
    if (site->catalogues == NULL) {
        no_memory(l);
        goto done;
    }
    for (size_t i = 0; i < found.len; i++) {
        const char *name = found.list[i].name;
        if (found.list[i].folder || !(ends_with(name, ".yaml") || ends_with(name, ".yml"))) {
            continue;
        }
        if (!is_catalogue_name(name)) {
            const char *file = licet_arena_format(&site->arena, "catalogue/%s", name);
            if (file == NULL ||
                !say(l, file, "file name \"%s\": expected <name>@<date>.yaml such as x-api-v2@2022-10-10.yaml", name)) {
                goto done;
            }
        } else if (!load_catalogue(l, name, &site->catalogues[site->catalogues_len++])) {
            goto done;
        }
    }
    good = true;
done:
    licet_listing_done(&found);
    return good;
}

static int
compare_catalogue(const void *key, const void *row)
{
    return licet_bytes_order(*(const licet_bytes *)key, ((const licet_terms_catalogue *)row)->name.text);
}

static int
compare_catalogues(const void *left, const void *right)
{
    return licet_bytes_order(((const licet_terms_catalogue *)left)->name.text,
                             ((const licet_terms_catalogue *)right)->name.text);
}

/* ---- one agreement ----------------------------------------------------------------------- */

static bool
load_version(loader *l, const licet_terms_agreement *agreement, const char *name, licet_terms_version *version)
{
    licet_site *site = l->site;
    licet_reader reader = {.arena = &site->arena, .mistakes = l->mistakes};

    version->id.text = licet_arena_copy(&site->arena, licet_bytes_of(name, strlen(name) - strlen(".yaml")));
    version->file.path =
        licet_arena_format(&site->arena, "agreements/%s/%s", (const char *)agreement->id.text.data, name);
    if (!read_file(l, &version->file)) {
        return false;
    }
    reader.file = version->file.path;
    if (version->file.broken) {
        return true;
    }
    if (!finish_file(l, &reader, &version->file, licet_terms_read_version(&reader, version->file.text, version))) {
        return false;
    }
    if (!version->file.broken && version->catalogue_name.line != 0 && site->catalogues_len > 0) {
        version->catalogue = bsearch(&version->catalogue_name.text, site->catalogues, site->catalogues_len,
                                     sizeof(*site->catalogues), compare_catalogue);
    }
    return true;
}

static bool
load_apps(loader *l, licet_terms_agreement *agreement)
{
    licet_terms_apps *apps = &agreement->apps;
    licet_reader reader = {.arena = &l->site->arena, .mistakes = l->mistakes};

    agreement->has_apps = true;
    apps->file.path =
        licet_arena_format(&l->site->arena, "agreements/%s/apps.yaml", (const char *)agreement->id.text.data);
    if (!read_file(l, &apps->file)) {
        return false;
    }
    reader.file = apps->file.path;
    return apps->file.broken ||
           finish_file(l, &reader, &apps->file, licet_terms_read_apps(&reader, apps->file.text, apps));
}

static int
compare_versions(const void *left, const void *right)
{
    const licet_terms_version *a = left, *b = right;
    uint64_t x = a->in_force.from.value, y = b->in_force.from.value;

    return x != y ? (x > y) - (x < y) : licet_bytes_order(a->id.text, b->id.text);
}

static int
compare_sources(const void *left, const void *right)
{
    return strcmp(((const licet_source *)left)->path, ((const licet_source *)right)->path);
}

/* Versions and apps.yaml, and the catalogues they name, each once; in order of their paths. */
static bool
gather_sources(loader *l, licet_terms_agreement *agreement)
{
    size_t most = 2 * (size_t)agreement->versions_len + 1, n = 0, kept = 0;
    licet_source *sources = licet_arena_rows(&l->site->arena, most, sizeof(*sources));

    if (sources == NULL) {
        return no_memory(l);
    }
    for (uint32_t i = 0; i < agreement->versions_len; i++) {
        const licet_terms_version *version = &agreement->versions[i];
        sources[n++] = (licet_source){version->file.path, version->file.text, version->file.sha256};
        if (version->catalogue != NULL) {
            const licet_terms_file *file = &version->catalogue->file;
            sources[n++] = (licet_source){file->path, file->text, file->sha256};
        }
    }
    if (agreement->has_apps) {
        const licet_terms_file *file = &agreement->apps.file;
        sources[n++] = (licet_source){file->path, file->text, file->sha256};
    }
    qsort(sources, n, sizeof(*sources), compare_sources);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(sources[i].path, sources[kept - 1].path) != 0) {
            sources[kept++] = sources[i];
        }
    }
    agreement->sources = sources;
    agreement->sources_len = kept;
    return true;
}

static bool
is_version_name(const char *name)
{
    uint64_t ms;

    return strlen(name) == strlen("2022-10-10.yaml") && ends_with(name, ".yaml") &&
           licet_time_parse(licet_bytes_of(name, 10), &ms);
}

static bool
say_incomplete(loader *l, const licet_terms_agreement *agreement, const char *folder)
{
    if (agreement->versions_len == 0 &&
        !say(l, folder, "agreement %s has no version: expected a file such as 2022-10-10.yaml",
             (const char *)agreement->id.text.data)) {
        return false;
    }
    return agreement->has_apps ||
           say(l, folder, "agreement %s has no apps.yaml", (const char *)agreement->id.text.data);
}

static bool
load_files(loader *l, licet_terms_agreement *agreement, const char *folder, const licet_listing *found)
{
    for (size_t i = 0; i < found->len; i++) {
        const char *name = found->list[i].name;
        const char *file;
        if (found->list[i].folder || !(ends_with(name, ".yaml") || ends_with(name, ".yml"))) {
            continue;
        }
        if (strcmp(name, "apps.yaml") == 0) {
            if (!load_apps(l, agreement)) {
                return false;
            }
        } else if (is_version_name(name)) {
            if (!load_version(l, agreement, name, &agreement->versions[agreement->versions_len++])) {
                return false;
            }
        } else {
            file = licet_arena_format(&l->site->arena, "%s/%s", folder, name);
            if (file == NULL ||
                !say(l, file, "file name \"%s\": expected apps.yaml or <date>.yaml such as 2022-10-10.yaml", name)) {
                return false;
            }
        }
    }
    return true;
}

static bool
load_agreement(loader *l, const char *id, licet_terms_agreement *agreement)
{
    licet_arena *arena = &l->site->arena;
    const char *folder = licet_arena_format(arena, "agreements/%s", id);
    char path[LICET_LISTING_PATH_MAX];
    licet_listing found = {0};
    bool good = false;

    agreement->id.text = licet_arena_copy(arena, licet_bytes_of_text(id));
    if (arena->failed) {
        return no_memory(l);
    }
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", l->dir, folder) >= sizeof(path)) {
        return LICET_FAIL(l->err, LICET_E_LIMIT, 0, "%s: the path is too long", folder);
    }
    if (!licet_listing_read(path, &found, l->err)) {
        goto done;
    }
    agreement->versions = licet_arena_rows(arena, found.len, sizeof(*agreement->versions));
    if (agreement->versions == NULL) {
        no_memory(l);
        goto done;
    }
    if (!load_files(l, agreement, folder, &found) || !say_incomplete(l, agreement, folder)) {
        goto done;
    }
    if (agreement->versions_len > 1) {
        qsort(agreement->versions, agreement->versions_len, sizeof(*agreement->versions), compare_versions);
    }
    good = gather_sources(l, agreement);
done:
    licet_listing_done(&found);
    return good;
}

static bool
load_agreements(loader *l)
{
    licet_site *site = l->site;
    char folder[LICET_LISTING_PATH_MAX];
    licet_listing found = {0};
    bool good = false;

    snprintf(folder, sizeof(folder), "%s/agreements", l->dir);
    if (!licet_listing_read(folder, &found, l->err)) {
        goto done;
    }
    site->agreements = licet_arena_rows(&site->arena, found.len, sizeof(*site->agreements));
    if (site->agreements == NULL) {
        no_memory(l);
        goto done;
    }
    for (size_t i = 0; i < found.len; i++) {
        const char *id = found.list[i].name;
        const char *file;
        if (!found.list[i].folder) {
            continue;
        }
        if (licet_fits_id(licet_bytes_of_text(id)) && strcmp(id, "unidentified") != 0) {
            if (!load_agreement(l, id, &site->agreements[site->agreements_len++])) {
                goto done;
            }
            continue;
        }
        file = licet_arena_format(&site->arena, "agreements/%s", id);
        if (file == NULL ||
            !say(l, file,
                 strcmp(id, "unidentified") == 0 ? "agreement \"%s\": the name is reserved for callers nobody knows"
                                                 : "agreement \"%s\": expected " LICET_EXPECTED_ID,
                 id)) {
            goto done;
        }
    }
    if (site->agreements_len == 0) {
        good = say(l, "agreements", "%s", "no agreement: expected a folder such as agreements/M-2022-7");
        goto done;
    }
    good = true;
done:
    licet_listing_done(&found);
    return good;
}

/* ---- the site -------------------------------------------------------------------------------- */

static const char *
text_of(const licet_scalar *scalar)
{
    return scalar->line == 0 ? NULL : (const char *)scalar->text.data;
}

static bool
fill_upstreams(licet_site *site)
{
    const licet_rows *rows = &site->config.upstreams;
    licet_site_upstream *upstreams;

    if (rows->len == 0) {
        return true;
    }
    upstreams = licet_arena_rows(&site->arena, rows->len, sizeof(*upstreams));
    if (upstreams == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < rows->len; i++) {
        const licet_pair *pair = LICET_TERMS_ROW(licet_pair, *rows, i);
        upstreams[i] = (licet_site_upstream){text_of(&pair->key), text_of(&pair->value)};
    }
    site->view.upstreams = upstreams;
    site->view.upstreams_len = rows->len;
    return true;
}

static void
fill_view(licet_site *site)
{
    const licet_terms_config *config = &site->config;
    licet_site_config *view = &site->view;

    view->party = config->party.value == 0 ? "licensor" : "licensee";
    view->gate = (uint16_t)config->gate.value;
    view->flow = (licet_flow)config->flow.value;
    view->upstream = text_of(&config->upstream);
    view->listen = text_of(&config->listen);
    view->metrics = text_of(&config->metrics);
    view->key = text_of(&config->key);
    view->shared_memory = text_of(&config->shared_memory);
    view->identity = text_of(&config->identity);
    view->group = text_of(&config->group);
    view->workers = (uint32_t)config->workers.value;
    view->slots = (uint32_t)config->slots.value;
    view->site = text_of(&config->site);
}

static bool
load_all(loader *l)
{
    licet_site *site = l->site;

    if (!load_config(l) || !load_catalogues(l)) {
        return false;
    }
    if (site->catalogues_len > 1) { /* by name; the folder was in order of names with their ending */
        qsort(site->catalogues, site->catalogues_len, sizeof(*site->catalogues), compare_catalogues);
    }
    if (!load_agreements(l)) {
        return false;
    }
    if (!licet_terms_check_site(site, l->mistakes)) {
        return no_memory(l);
    }
    return true;
}

bool
licet_site_load(const char *dir, licet_mistakes *mistakes, licet_site **out_site, licet_error *err)
{
    licet_site *site = calloc(1, sizeof(*site));
    loader l = {.dir = dir, .site = site, .mistakes = mistakes, .err = err};
    struct stat info;
    bool good = false;

    if (site == NULL) {
        return no_memory(&l);
    }
    licet_arena_init(&site->arena, ARENA_MAX);
    if (strlen(dir) > LICET_LISTING_PATH_MAX / 2) {
        LICET_FAIL(err, LICET_E_LIMIT, 0, "%.40s...: the path is too long", dir);
        goto done;
    }
    if (stat(dir, &info) != 0) {
        LICET_FAIL(err, errno == ENOENT ? LICET_E_NOT_FOUND : LICET_E_SYSTEM, 0, "%s: %s", dir, strerror(errno));
        goto done;
    }
    if (!S_ISDIR(info.st_mode)) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "%s is no folder: expected a site", dir);
        goto done;
    }
    site->view.dir = (const char *)licet_arena_copy(&site->arena, licet_bytes_of_text(dir)).data;
    if (!load_all(&l)) {
        goto done;
    }
    licet_mistakes_sort(mistakes);
    licet_mistakes_sort(&site->notes);
    if (mistakes->len > 0) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "the files of %s hold %zu mistake%s", dir, mistakes->len,
                   mistakes->len == 1 ? "" : "s");
        goto done;
    }
    fill_view(site);
    if (!fill_upstreams(site)) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the upstreams of %s", dir);
        goto done;
    }
    *out_site = site;
    good = true;
done:
    if (!good) {
        licet_site_free(site);
    }
    return good;
}

void
licet_site_free(licet_site *site)
{
    if (site != NULL) {
        licet_mistakes_done(&site->notes);
        licet_arena_done(&site->arena);
        free(site);
    }
}

const licet_site_config *
licet_site_config_view(const licet_site *site)
{
    return &site->view;
}

size_t
licet_site_agreements(const licet_site *site)
{
    return site->agreements_len;
}

const char *
licet_site_agreement_id(const licet_site *site, size_t i)
{
    return (const char *)site->agreements[i].id.text.data;
}

size_t
licet_site_find(const licet_site *site, const char *agreement)
{
    licet_bytes id = licet_bytes_of_text(agreement);
    size_t low = 0, high = site->agreements_len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = licet_bytes_order(site->agreements[middle].id.text, id);
        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return SIZE_MAX;
}

const licet_mistakes *
licet_site_notes(const licet_site *site)
{
    return &site->notes;
}

size_t
licet_site_sources(const licet_site *site, size_t i)
{
    return site->agreements[i].sources_len;
}

licet_source
licet_site_source(const licet_site *site, size_t i, size_t j)
{
    return site->agreements[i].sources[j];
}
