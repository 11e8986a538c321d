/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publish: from the site's files to images in force, and the record of it in
 * each agreement's ledger.
 *
 *  (1) A generation is published to the workers after the version records of what it holds are durable.
 *  (2) A version record holds hashes; people's names (apps.yaml, the reason) only as salted commitments:
 *      SHA-256(salt of 32 bytes || text). Salts and clear texts lie in data/recorded/<agreement>/<image>/, mode 0600,
 *      from where they can be erased.
 *  (3) An image in force without its version record (a death in between) is recorded at the next start.
 */
#include "rooms.h"

#include "licet/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define TEXT_MAX ((size_t)16 << 20)

/* ---- clear texts -------------------------------------------------------------- */

static const char *
base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

bool
recorder_keep_text(const licet_recorder *r, const recorder_book *book, uint64_t image, const char *name,
                   licet_bytes text, licet_error *err)
{
    char path[PATH_MAX];

    return recorder_path(r, path, err, "data/recorded/%s/%llu/%s", book->name, (unsigned long long)image, name) &&
           licet_file_replace(path, text, 0600, err);
}

bool
recorder_commit_to(licet_bytes text, uint8_t salt[RECORDER_SALT_LEN], licet_hash *out_commitment, licet_error *err)
{
    licet_bytes pieces[2] = {{salt, RECORDER_SALT_LEN}, text};

    if (!licet_random(salt, RECORDER_SALT_LEN, err)) {
        return false;
    }
    *out_commitment = licet_sha256(pieces, 2);
    return true;
}

/* Commits to a text: its salt goes to out_line as '<name> <hex>' LF. */
static bool
commit_to(const char *name, licet_bytes text, licet_buffer *salts, licet_hash *out_commitment, licet_error *err)
{
    uint8_t salt[RECORDER_SALT_LEN];
    char hex[2 * RECORDER_SALT_LEN + 1];

    if (!recorder_commit_to(text, salt, out_commitment, err)) {
        return false;
    }
    licet_hex(salt, sizeof(salt), hex);
    return licet_put_format(salts, "%s %s\n", name, hex) || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for salts");
}

typedef struct recording {
    licet_hash apps, reason;
} recording;

/* Writes everything that the version record commits to. site NULL: only the reason is known. */
static bool
record_texts(licet_recorder *r, const recorder_book *book, uint64_t image, const licet_site *site, const char *reason,
             recording *out, licet_error *err)
{
    size_t at = site != NULL ? licet_site_find(site, book->name) : SIZE_MAX, n;
    licet_bytes apps = {NULL, 0};
    char path[PATH_MAX];
    licet_buffer salts;
    bool ok;

    licet_buffer_init(&salts, 4096);
    n = at != SIZE_MAX ? licet_site_sources(site, at) : 0;
    ok = recorder_path(r, path, err, "data/recorded/%s/%llu", book->name, (unsigned long long)image) &&
         licet_dir_make(path, 0700, err);
    for (size_t j = 0; ok && j < n; j++) {
        licet_source source = licet_site_source(site, at, j);

        if (strcmp(base_of(source.path), "apps.yaml") == 0) {
            apps = source.text;
        }
        ok = recorder_keep_text(r, book, image, base_of(source.path), source.text, err);
    }
    ok = ok && recorder_keep_text(r, book, image, "reason", licet_bytes_of_text(reason), err) &&
         commit_to("apps", apps, &salts, &out->apps, err) &&
         commit_to("reason", licet_bytes_of_text(reason), &salts, &out->reason, err) &&
         recorder_keep_text(r, book, image, "salts", licet_buffer_view(&salts), err);
    licet_buffer_done(&salts);
    return ok;
}

/* ---- version records ------------------------------------------------------------- */

static bool
stage_version(licet_recorder *r, recorder_book *book, const licet_image *image, uint32_t row, const recording *texts,
              uint64_t now_ms, licet_error *err)
{
    const licet_image_version *version = &image->versions[row];
    licet_version_record record = {
        .time_ms = now_ms,
        .image = image->header->number,
        .version = licet_image_text(image, version->id),
        .catalogue = licet_image_text(image, version->catalogue),
        .apps_commitment = texts->apps,
        .reason_commitment = texts->reason,
    };
    licet_buffer entry;
    bool ok;

    memcpy(record.agreement_sha256.bytes, version->file_sha256, LICET_SHA256_LEN);
    memcpy(record.catalogue_sha256.bytes, version->catalogue_sha256, LICET_SHA256_LEN);
    licet_buffer_init(&entry, 4096);
    ok = licet_version_encode(&record, &entry, err) && recorder_stage_entry(r, book, licet_buffer_view(&entry), err);
    licet_buffer_done(&entry);
    return ok;
}

/* What changed, then one record for each version that the image holds: those say that all of it is recorded. */
static bool
record_image(licet_recorder *r, recorder_book *book, const licet_image *image, const licet_site *site,
             const licet_recorder_request *request, uint64_t now_ms, licet_error *err)
{
    recording texts;
    uint32_t accepted;

    if (!record_texts(r, book, image->header->number, site, request->reason, &texts, err) ||
        !recorder_changes(r, book, image, site, request, now_ms, err)) {
        return false;
    }
    for (uint32_t row = 0; row < image->header->versions_len; row++) {
        if (!stage_version(r, book, image, row, &texts, now_ms, err)) {
            return false;
        }
    }
    book->image = image->header->number;
    return recorder_accept(r, book, image, now_ms, &accepted, err);
}

static bool
stage_ledger(licet_recorder *r, const recorder_book *book, uint64_t now_ms, licet_error *err)
{
    licet_buffer payload;
    bool ok;

    licet_buffer_init(&payload, 1024);
    ok = licet_journal_put_ledger(&payload, book->cell, licet_bytes_of_text(book->name),
                                  licet_bytes_of_text(r->config.party), now_ms) &&
         recorder_stage(r, LICET_JOURNAL_LEDGER, licet_buffer_view(&payload), NULL, err);
    licet_buffer_done(&payload);
    return ok;
}

static bool
ledgers_begin(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    if (!recorder_books_grow(r, err)) {
        return false;
    }
    for (uint32_t i = 0; i < r->books_len; i++) {
        if (r->books[i]->ledger == NULL && !stage_ledger(r, r->books[i], now_ms, err)) {
            return false;
        }
    }
    return r->staged_len == 0 || recorder_commit(r, now_ms, err);
}

static bool
publish_missing(licet_recorder *r, const licet_site *site, const licet_recorder_request *request, uint64_t now_ms,
                licet_error *err)
{
    if (!ledgers_begin(r, now_ms, err)) {
        return false;
    }
    for (uint32_t i = 1; i < r->books_len; i++) {
        recorder_book *book = r->books[i];
        const licet_image *image = licet_store_image(r->store, i);

        if (image != NULL && image->header->number > book->image &&
            !record_image(r, book, image, site, request, now_ms, err)) {
            return false;
        }
    }
    return r->staged_len == 0 || recorder_commit(r, now_ms, err);
}

/* What was staged for an agreement before a failure is forgotten: else a later batch would record its changes, and the
 * next attempt once more. */
bool
recorder_publish_missing(licet_recorder *r, const licet_site *site, const licet_recorder_request *request,
                         uint64_t now_ms, licet_error *err)
{
    bool ok = publish_missing(r, site, request, now_ms, err);

    if (!ok && r->staged_len > 0) {
        recorder_stall(r, err);
    }
    return ok;
}

/* ---- apply --------------------------------------------------------------------------- */

/* Each line behind the name of its agreement. */
static bool
words_put(const licet_store_changes *changes, licet_buffer *words, licet_error *err)
{
    bool ok = true;

    for (size_t i = 0; words != NULL && i < changes->len; i++) {
        const char *line = changes->list[i].words;

        while (ok && line != NULL && *line != '\0') {
            size_t len = strcspn(line, "\n");

            ok = licet_put_format(words, "%s: %.*s\n", changes->list[i].agreement, (int)len, line);
            line += len + (line[len] == '\n');
        }
    }
    return ok || LICET_FAIL(err, LICET_E_LIMIT, 0, "the differences take more than %zu bytes", words->ceiling);
}

/* To the workers: room for what is new, what its windows have used, units for it, then the generation. */
static bool
to_workers(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    if (r->gate == NULL) {
        return true;
    }
    if (!recorder_gate_fits(r)) {
        return recorder_gate_replace(r, now_ms, err);
    }
    if (!recorder_counters_seed(r, now_ms, err) || !recorder_leases_all(r, err)) {
        return false;
    }
    licet_gate_publish(r->gate->gate, licet_store_generation(r->store));
    return true;
}

static uint64_t
monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

typedef struct judging {
    licet_permit permit;
    licet_mistakes *mistakes;
} judging;

static bool
judge(void *user, const licet_store_changes *changes, licet_error *err)
{
    judging *j = user;

    return licet_changes_judge(changes, &j->permit, j->mistakes, err);
}

static bool
apply(licet_recorder *r, const licet_recorder_request *request, uint64_t now_ms, licet_mistakes *mistakes,
      licet_buffer *words, licet_error *err)
{
    judging j = {request->permit, mistakes};
    licet_store_changes changes = {NULL, 0};
    licet_site *site = NULL;
    bool ok = false;

    if (r->stalled) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "cannot record: %s", r->why);
    }
    j.permit.now_ms = now_ms;
    if (!licet_permit_check(&j.permit, err) || !licet_site_load(r->dir, mistakes, &site, err)) {
        return false;
    }
    if (!licet_examples_try(site, mistakes, err) || !recorder_config_write(r, err) ||
        !licet_store_apply_judged(r->store, site, judge, &j, &changes, err) ||
        !recorder_publish_missing(r, site, request, now_ms, err) || !to_workers(r, now_ms, err) ||
        !recorder_tick(r, now_ms, false, err) || !recorder_seal(r, true, err)) {
        goto done;
    }
    recorder_say(r, LICET_LOG_INFO, "applied: %zu agreement%s changed, generation %llu (%s)", changes.len,
                 changes.len == 1 ? "" : "s", (unsigned long long)licet_store_generation(r->store), request->reason);
    ok = words_put(&changes, words, err);
done:
    licet_store_changes_done(&changes);
    licet_site_free(site);
    return ok;
}

bool
licet_recorder_apply(licet_recorder *r, const char *reason, uint64_t now_ms, licet_mistakes *mistakes,
                     licet_buffer *words, licet_error *err)
{
    licet_recorder_request request = {.reason = reason};

    return licet_recorder_apply_as(r, &request, now_ms, mistakes, words, err);
}

bool
licet_recorder_apply_as(licet_recorder *r, const licet_recorder_request *request, uint64_t now_ms,
                        licet_mistakes *mistakes, licet_buffer *words, licet_error *err)
{
    uint64_t began = monotonic_ns();

    if (!apply(r, request, now_ms, mistakes, words, err)) {
        r->counts.applies_refused++;
        return false;
    }
    r->counts.applies++;
    r->counts.applied_ms = now_ms;
    r->counts.apply_ns = monotonic_ns() - began;
    return true;
}

/* Images of generations that every worker has left behind. Receipts name images until they are journalled: only while
 * nothing is under way and the rings are empty. */
void
licet_recorder_prune(licet_recorder *r)
{
    uint64_t oldest = r->gate != NULL ? licet_gate_oldest_use(r->gate->gate) : 0, image = UINT64_MAX;

    if (r->gate == NULL || r->stalled || r->old_len > 0 || licet_gate_under_way(r->gate->gate) > 0) {
        return;
    }
    for (uint32_t a = 0; a < r->gate->areas_len; a++) {
        if (r->gate->areas[a].ring != licet_gate_head(r->gate->gate, a)) {
            return;
        }
    }
    if (oldest > licet_store_generation(r->store)) {
        oldest = licet_store_generation(r->store);
    }
    for (uint32_t i = 1; i < r->books_len; i++) {
        const licet_image *in_force = licet_store_image(r->store, i);

        if (in_force != NULL && in_force->header->number < image) {
            image = in_force->header->number;
        }
    }
    if (oldest > 1 && image != UINT64_MAX && image > 0) {
        licet_store_prune(r->store, oldest, image);
    }
}
