/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying acceptances: the hashes are of a version recorded before, the key of the record signed the note, and the
 * note says what the record says. A note that is not there was erased: that is said and is no fault.
 */
#include "verify.h"

#include "licet/acceptance.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_MAX 131072
#define VERSIONS_MAX 65536

static bool
learn_version(verify_versions *known, licet_bytes entry, licet_error *err)
{
    licet_version_record record;
    verify_version *grown;

    if (!licet_version_decode(entry, &record, err)) {
        return false;
    }
    grown = known->len < VERSIONS_MAX ? realloc(known->list, (known->len + 1) * sizeof(*grown)) : NULL;
    if (grown == NULL) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "no memory for more than %zu version records", known->len);
    }
    known->list = grown;
    known->list[known->len++] = (verify_version){record.agreement_sha256, record.catalogue_sha256};
    return true;
}

static bool
is_known(const verify_versions *known, const licet_acceptance_record *record)
{
    for (size_t i = 0; i < known->len; i++) {
        if (memcmp(&known->list[i].agreement, &record->agreement_sha256, sizeof(licet_hash)) == 0 &&
            memcmp(&known->list[i].catalogue, &record->catalogue_sha256, sizeof(licet_hash)) == 0) {
            return true;
        }
    }
    return false;
}

/* The key as a note names it: its id follows from name and public key. */
static bool
key_of(const licet_acceptance_record *record, licet_verifier_key *out, licet_error *err)
{
    static const uint8_t type[] = {'\n', 1};
    licet_hash hash = licet_sha256(
        (licet_bytes[]){record->key, {type, sizeof(type)}, {record->public_key.bytes, LICET_SHA256_LEN}}, 3);

    *out = (licet_verifier_key){.id = (uint32_t)hash.bytes[0] << 24 | (uint32_t)hash.bytes[1] << 16 |
                                      (uint32_t)hash.bytes[2] << 8 | hash.bytes[3]};
    if (record->key.len >= sizeof(out->name)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "the name of its key has %zu bytes", record->key.len);
    }
    memcpy(out->name, record->key.data, record->key.len);
    memcpy(out->public_key, record->public_key.bytes, sizeof(out->public_key));
    return true;
}

static bool
says(const licet_acceptance *accepted, const char *ledger, const licet_acceptance_record *record)
{
    uint64_t time_ms;

    return strcmp(accepted->agreement, ledger) == 0 && licet_bytes_equal_text(record->version, accepted->version) &&
           licet_bytes_equal_text(record->catalogue, accepted->catalogue) &&
           strcmp(accepted->party, record->party == LICET_PARTY_LICENSOR ? "licensor" : "licensee") == 0 &&
           licet_time_parse(licet_bytes_of_text(accepted->time), &time_ms) && time_ms == record->accepted_ms &&
           memcmp(accepted->agreement_sha256, record->agreement_sha256.bytes, LICET_SHA256_LEN) == 0 &&
           memcmp(accepted->catalogue_sha256, record->catalogue_sha256.bytes, LICET_SHA256_LEN) == 0;
}

static bool
check_note(const char *path, const char *ledger, licet_bytes file, const licet_acceptance_record *record,
           licet_error *err)
{
    uint8_t salt[LICET_SHA256_LEN];
    licet_bytes pieces[2], text;
    licet_acceptance accepted;
    licet_verifier_key key;
    licet_error why = {0};
    licet_hash hash;

    if (file.len < 66 || !licet_unhex(licet_bytes_of(file.data, 64), salt, sizeof(salt))) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: expected a salt of 64 hex digits and a note", path);
    }
    pieces[0] = licet_bytes_of(salt, sizeof(salt));
    pieces[1] = licet_bytes_of(file.data + 65, file.len - 65);
    hash = licet_sha256(pieces, 2);
    if (memcmp(hash.bytes, record->note.bytes, sizeof(hash.bytes)) != 0) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: it is not what the ledger commits to", path);
    }
    if (!key_of(record, &key, err)) {
        return false;
    }
    if (!licet_note_open(pieces[1], &key, 1, &text, &why) || !licet_acceptance_parse(text, &accepted, &why)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: %.200s", path, why.text);
    }
    return says(&accepted, ledger, record) ||
           LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: the note says other than its record", path);
}

bool
verify_acceptance(verify *v, const char *ledger, verify_versions *known, licet_bytes entry, licet_error *err)
{
    licet_acceptance_record record;
    char rest[PATH_MAX], path[PATH_MAX], hash[17];
    licet_error why = {0};
    uint8_t *file = NULL;
    size_t len = 0;
    bool ok;

    if (entry.len > 0 && entry.data[0] == LICET_ENTRY_VERSION) {
        return learn_version(known, entry, err);
    }
    if (entry.len == 0 || entry.data[0] != LICET_ENTRY_ACCEPTANCE) {
        return true;
    }
    if (!licet_acceptance_decode(entry, &record, err)) {
        return false;
    }
    if (!is_known(known, &record)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0,
                          "an acceptance of version %.*s with hashes of no version recorded "
                          "before it",
                          (int)record.version.len, (const char *)record.version.data);
    }
    licet_hex(record.agreement_sha256.bytes, 8, hash);
    snprintf(rest, sizeof(rest), "data/recorded/%.100s/accepted/%.*s.%s.%s", ledger, (int)record.version.len,
             (const char *)record.version.data, record.party == LICET_PARTY_LICENSOR ? "licensor" : "licensee", hash);
    if (!licet_cli_path(v->dir, rest, path, sizeof(path), err)) {
        return false;
    }
    if (!licet_file_read(path, NOTE_MAX, &file, &len, &why)) {
        if (why.code != LICET_E_NOT_FOUND) {
            return LICET_FAIL(err, why.code, 0, "%.400s", why.text);
        }
        v->erased++;
        return true;
    }
    ok = check_note(path, ledger, licet_bytes_of(file, len), &record, err);
    free(file);
    return ok;
}
