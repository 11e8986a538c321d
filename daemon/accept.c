/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accept: the notes in agreements/A/accepted of the versions in force here, as acceptance records.
 *
 *  (1) A note counts only where its key verifies it and its hashes are those of the version that is recorded; else it
 *      waits for the apply that records that version.
 *  (2) Salt and note lie in data/recorded/A/accepted, durable before the record that commits to them.
 *  (3) A version is recorded as accepted once by each party.
 */
#include "rooms.h"

#include "licet/acceptance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_MAX 65536
#define ACCEPTED_MAX 65536

static const char *const parties[] = {[LICET_PARTY_LICENSOR] = "licensor", [LICET_PARTY_LICENSEE] = "licensee"};

bool
recorder_learn_acceptance(recorder_book *book, licet_bytes entry, licet_error *err)
{
    licet_acceptance_record record;
    recorder_accepted *grown;

    if (!licet_acceptance_decode(entry, &record, err)) {
        return false;
    }
    grown = book->accepted_len < ACCEPTED_MAX
                ? realloc(book->accepted, (book->accepted_len + 1) * sizeof(*book->accepted))
                : NULL;
    if (grown == NULL) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "ledger %s: no memory for more than %zu acceptances", book->name,
                          book->accepted_len);
    }
    book->accepted = grown;
    book->accepted[book->accepted_len++] =
        (recorder_accepted){record.party, record.agreement_sha256, record.catalogue_sha256};
    return true;
}

static bool
is_recorded(const recorder_book *book, uint8_t party, const licet_image_version *version)
{
    for (size_t i = 0; i < book->accepted_len; i++) {
        const recorder_accepted *a = &book->accepted[i];

        if (a->party == party && memcmp(a->agreement.bytes, version->file_sha256, LICET_SHA256_LEN) == 0 &&
            memcmp(a->catalogue.bytes, version->catalogue_sha256, LICET_SHA256_LEN) == 0) {
            return true;
        }
    }
    return false;
}

/* Salt and note as one file; its commitment. */
static bool
keep(const licet_recorder *r, const recorder_book *book, const licet_acceptance *accepted, licet_bytes note,
     licet_hash *out_commitment, licet_error *err)
{
    char path[PATH_MAX], hex[2 * RECORDER_SALT_LEN + 1], hash[17];
    uint8_t salt[RECORDER_SALT_LEN];
    licet_buffer text;
    bool ok;

    licet_buffer_init(&text, (size_t)2 * NOTE_MAX);
    licet_hex(accepted->agreement_sha256, 8, hash);
    ok = recorder_commit_to(note, salt, out_commitment, err) &&
         recorder_path(r, path, err, "data/recorded/%s/accepted", book->name) && licet_dir_make(path, 0700, err) &&
         recorder_path(r, path, err, "data/recorded/%s/accepted/%s.%s.%s", book->name, accepted->version,
                       accepted->party, hash);
    licet_hex(salt, sizeof(salt), hex);
    ok = ok &&
         ((licet_put_format(&text, "%s\n", hex) && licet_put_bytes(&text, note)) ||
          LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a note")) &&
         licet_file_replace(path, licet_buffer_view(&text), 0600, err);
    licet_buffer_done(&text);
    return ok;
}

static bool
stage(licet_recorder *r, recorder_book *book, uint8_t party, const licet_acceptance *accepted,
      const licet_verifier_key *key, uint64_t now_ms, licet_error *err)
{
    licet_acceptance_record record = {.time_ms = now_ms,
                                      .party = party,
                                      .version = licet_bytes_of_text(accepted->version),
                                      .catalogue = licet_bytes_of_text(accepted->catalogue),
                                      .key = licet_bytes_of_text(key->name)};
    char path[PATH_MAX];
    uint8_t *note = NULL;
    size_t len = 0;
    licet_buffer entry;
    bool ok;

    licet_buffer_init(&entry, 4096);
    licet_time_parse(licet_bytes_of_text(accepted->time), &record.accepted_ms);
    memcpy(record.agreement_sha256.bytes, accepted->agreement_sha256, LICET_SHA256_LEN);
    memcpy(record.catalogue_sha256.bytes, accepted->catalogue_sha256, LICET_SHA256_LEN);
    memcpy(record.public_key.bytes, key->public_key, LICET_SHA256_LEN);
    ok = licet_acceptance_path(r->dir, accepted, ".note", path, sizeof(path), err) &&
         licet_file_read(path, NOTE_MAX, &note, &len, err) &&
         keep(r, book, accepted, licet_bytes_of(note, len), &record.note, err) &&
         licet_acceptance_encode(&record, &entry, err) &&
         recorder_stage_entry(r, book, licet_buffer_view(&entry), err) &&
         recorder_learn_acceptance(book, licet_buffer_view(&entry), err);
    licet_buffer_done(&entry);
    free(note);
    return ok;
}

bool
recorder_accept(licet_recorder *r, recorder_book *book, const licet_image *image, uint64_t now_ms, uint32_t *out_n,
                licet_error *err)
{
    *out_n = 0;
    for (uint32_t row = 0; row < image->header->versions_len; row++) {
        const licet_image_version *version = &image->versions[row];

        for (uint8_t party = LICET_PARTY_LICENSOR; party <= LICET_PARTY_LICENSEE; party++) {
            licet_acceptance accepted;
            licet_verifier_key key;
            licet_error why = {0};

            if (is_recorded(book, party, version)) {
                continue;
            }
            if (!licet_acceptance_read(r->dir, image, version, parties[party], &accepted, &key, &why)) {
                if (why.code != LICET_E_NOT_FOUND) {
                    recorder_say(r, LICET_LOG_WARNING, "an acceptance is not recorded: %s", why.text);
                }
                continue;
            }
            if (!licet_acceptance_is_of(&accepted, version)) {
                continue;
            }
            if (!stage(r, book, party, &accepted, &key, now_ms, err)) {
                return false;
            }
            (*out_n)++;
        }
    }
    return true;
}

bool
licet_recorder_accept(licet_recorder *r, const char *agreement, uint64_t now_ms, uint32_t *out_recorded,
                      licet_error *err)
{
    recorder_book *book;
    const licet_image *image;

    if (!licet_recorder_sync(r, now_ms, err)) {
        return false;
    }
    book = recorder_book_named(r, agreement);
    image = book != NULL && book->cell != 0 ? licet_store_image(r->store, book->cell) : NULL;
    *out_recorded = 0;
    if (image == NULL) {
        return true; /* the first apply records it */
    }
    if (!recorder_accept(r, book, image, now_ms, out_recorded, err) ||
        (r->staged_len > 0 && !recorder_commit(r, now_ms, err))) {
        recorder_stall(r, err);
        return false;
    }
    return recorder_tick(r, now_ms, false, err) && recorder_seal(r, true, err);
}
