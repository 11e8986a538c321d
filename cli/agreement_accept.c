/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet agreement accept: signs a version for the party of this site, or takes in the other party's note.
 *
 *  (1) Nothing is replaced: a version is accepted once by each party; another text is another version.
 *  (2) A note is taken in only if the key given verifies it and its hashes are those of the files here.
 */
#include "agreement.h"
#include "operator.h"
#include "recorder.h"

#include "licet/acceptance.h"
#include "licet/store.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_FILE_MAX 65536

typedef struct accepting {
    const licet_agreement_options *o;
    const licet_image *image;
    const licet_image_version *version;
    const char *party; /* of the site */
    uint32_t recorded; /* acceptances that are new in the ledger */
    licet_error err;
} accepting;

static int
failed(accepting *a)
{
    return licet_cli_error(&licet_command_agreement, &a->err);
}

/* The version that is named, or the one in force, or the newest. */
static const licet_image_version *
version_of(const licet_agreement_options *o, const licet_image *image)
{
    uint32_t row = licet_image_version_at(image, o->at_ms);

    for (uint32_t i = 0; o->version != NULL && i < image->header->versions_len; i++) {
        if (licet_bytes_equal_text(licet_image_text(image, image->versions[i].id), o->version)) {
            return &image->versions[i];
        }
    }
    if (o->version != NULL) {
        return NULL;
    }
    return &image->versions[row != LICET_NONE ? row : image->header->versions_len - 1];
}

/* False: it was said that there is one already, or why it cannot be told. */
static bool
is_new(accepting *a, const char *party, int *out_exit)
{
    licet_acceptance before;
    licet_verifier_key key;
    licet_bytes id = licet_image_text(a->image, a->version->id);

    if (!licet_acceptance_read(a->o->dir, a->image, a->version, party, &before, &key, &a->err)) {
        *out_exit = a->err.code == LICET_E_NOT_FOUND ? LICET_EXIT_OK : failed(a);
        return a->err.code == LICET_E_NOT_FOUND;
    }
    *out_exit = LICET_EXIT_NO;
    if (licet_acceptance_is_of(&before, a->version)) {
        licet_cli_fail(&licet_command_agreement, "version %.*s was accepted by the %s at %s already", (int)id.len,
                       (const char *)id.data, party, before.time);
    } else {
        licet_cli_fail(
            &licet_command_agreement,
            "version %.*s has changed since the %s accepted it at %s: give the new text a version of its own",
            (int)id.len, (const char *)id.data, party, before.time);
    }
    return false;
}

/* Note and key, into the folder of what is accepted. */
static bool
store(accepting *a, const licet_acceptance *accepted, licet_bytes note, const licet_verifier_key *key)
{
    char path[PATH_MAX], key_path[PATH_MAX], folder[PATH_MAX];
    licet_buffer line;
    bool ok;

    licet_buffer_init(&line, 1024);
    snprintf(folder, sizeof(folder), "%.2000s/agreements/%s/accepted", a->o->dir, accepted->agreement);
    ok = licet_acceptance_path(a->o->dir, accepted, ".note", path, sizeof(path), &a->err) &&
         licet_acceptance_path(a->o->dir, accepted, ".key", key_path, sizeof(key_path), &a->err) &&
         licet_dir_make(folder, 0755, &a->err) && licet_verifier_key_format(key, &line) && licet_put_u8(&line, '\n') &&
         licet_file_replace(key_path, licet_buffer_view(&line), 0644, &a->err) &&
         licet_file_replace(path, note, 0644, &a->err);
    licet_buffer_done(&line);
    return ok;
}

static bool
read_signer(accepting *a, licet_signer_key *out_key)
{
    char path[PATH_MAX];
    uint8_t *data = NULL;
    size_t len = 0;
    bool ok;

    if (a->o->key != NULL) {
        snprintf(path, sizeof(path), "%s", a->o->key);
    } else {
        snprintf(path, sizeof(path), "%s/data/key", a->o->dir);
    }
    ok = licet_file_read(path, NOTE_FILE_MAX, &data, &len, &a->err);
    if (ok) {
        const uint8_t *end = len == 0 ? NULL : memchr(data, '\n', len);
        ok = licet_signer_key_parse(licet_bytes_of(data, end == NULL ? len : (size_t)(end - data)), out_key, &a->err);
        memset(data, 0, len);
    }
    free(data);
    return ok;
}

/* ---- the ledger ------------------------------------------------------------------ */

/* Nothing of the agreement is recorded yet: the apply that does records the acceptance too. */
static bool
is_applied(const accepting *a)
{
    licet_store *store = NULL;
    licet_error ignored;
    bool applied = false;

    if (licet_store_open(a->o->dir, true, &store, &ignored)) {
        applied = licet_store_image_of(store, a->o->agreement) != NULL;
        licet_store_close(store);
    }
    return applied;
}

static bool
alone(accepting *a)
{
    licet_recorder_options options = {.dir = a->o->dir, .now_ms = licet_cli_now()};
    licet_recorder *recorder = NULL;
    licet_error later;
    bool ok;

    if (!licet_recorder_open(&options, &recorder, &a->err)) {
        return false;
    }
    ok = licet_recorder_accept(recorder, a->o->agreement, options.now_ms, &a->recorded, &a->err);
    if (!licet_recorder_close(recorder, options.now_ms, &later) && ok) {
        a->err = later;
        ok = false;
    }
    return ok;
}

/* Through licetd, or alone. */
static bool
record(accepting *a)
{
    char path[256];
    licet_buffer answer;
    json_t *json;
    const char *detail;
    long status = 0;
    bool ok;

    if (!is_applied(a)) {
        return true;
    }
    licet_buffer_init(&answer, (size_t)1 << 20);
    snprintf(path, sizeof(path), "/accept?agreement=%.*s", LICET_NAME_MAX, a->o->agreement);
    ok = licet_operator_call(a->o->dir, "POST", path, (licet_bytes){NULL, 0}, 0, &status, &answer, &a->err);
    if (ok) {
        json = json_loadb((const char *)answer.data, answer.len, 0, NULL);
        a->recorded = (uint32_t)json_integer_value(json_object_get(json, "recorded"));
        detail = json_string_value(json_object_get(json, "detail"));
        ok = status == 200 || LICET_FAIL(&a->err, LICET_E_STATE, 0, "licetd answered %ld: %s", status,
                                         detail != NULL ? detail : "no reason given");
        json_decref(json);
    } else if (a->err.code == LICET_E_NOT_FOUND) {
        ok = alone(a);
    }
    licet_buffer_done(&answer);
    return ok;
}

static int
tell(const accepting *a, const licet_acceptance *accepted, const licet_verifier_key *key)
{
    char path[PATH_MAX];
    licet_error ignored;

    if (!licet_acceptance_path(a->o->dir, accepted, ".note", path, sizeof(path), &ignored)) {
        return LICET_EXIT_FAILED;
    }
    if (a->o->json) {
        return licet_cli_json_print(&licet_command_agreement,
                                    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "agreement",
                                              accepted->agreement, "version", accepted->version, "party",
                                              accepted->party, "as", accepted->as, "time", accepted->time, "key",
                                              key->name, "note", path, "recorded", a->recorded > 0));
    }
    printf("version %s of %s accepted by the %s, key %s\nnote: %s\n%s\n", accepted->version, accepted->agreement,
           accepted->party, key->name, path,
           a->recorded > 0 ? "recorded in the ledger" : "not recorded yet: the apply that records this text does");
    return LICET_EXIT_OK;
}

static int
sign(accepting *a)
{
    licet_acceptance accepted = {0};
    licet_signer_key key;
    licet_buffer text, note;
    licet_bytes agreement = licet_image_text(a->image, a->image->header->agreement),
                id = licet_image_text(a->image, a->version->id),
                catalogue = licet_image_text(a->image, a->version->catalogue);
    int result = LICET_EXIT_OK;

    if (!is_new(a, a->party, &result)) {
        return result;
    }
    if (!read_signer(a, &key)) {
        return failed(a);
    }
    snprintf(accepted.agreement, sizeof(accepted.agreement), "%.*s", (int)agreement.len, (const char *)agreement.data);
    snprintf(accepted.version, sizeof(accepted.version), "%.*s", (int)id.len, (const char *)id.data);
    snprintf(accepted.catalogue, sizeof(accepted.catalogue), "%.*s", (int)catalogue.len, (const char *)catalogue.data);
    snprintf(accepted.party, sizeof(accepted.party), "%s", a->party);
    snprintf(accepted.as, sizeof(accepted.as), "%s", a->o->as == NULL ? "-" : a->o->as);
    licet_time_format(licet_cli_now(), accepted.time);
    memcpy(accepted.agreement_sha256, a->version->file_sha256, LICET_SHA256_LEN);
    memcpy(accepted.catalogue_sha256, a->version->catalogue_sha256, LICET_SHA256_LEN);
    licet_buffer_init(&text, NOTE_FILE_MAX);
    licet_buffer_init(&note, NOTE_FILE_MAX);
    if (!licet_acceptance_format(&accepted, &text) ||
        !licet_note_sign(licet_buffer_view(&text), &key, &note, &a->err) ||
        !store(a, &accepted, licet_buffer_view(&note), &key.verifier) || !record(a)) {
        result = failed(a);
    } else {
        result = tell(a, &accepted, &key.verifier);
    }
    memset(&key, 0, sizeof(key));
    licet_buffer_done(&text);
    licet_buffer_done(&note);
    return result;
}

/* The row of the version that a note is of; NULL: said why not. */
static bool
check_note(accepting *a, const licet_acceptance *accepted)
{
    licet_bytes agreement = licet_image_text(a->image, a->image->header->agreement);

    if (!licet_bytes_equal_text(agreement, accepted->agreement)) {
        return LICET_FAIL(&a->err, LICET_E_INVALID, 0, "%.200s is of agreement %s", a->o->note, accepted->agreement);
    }
    a->version = NULL;
    for (uint32_t i = 0; i < a->image->header->versions_len; i++) {
        if (licet_bytes_equal_text(licet_image_text(a->image, a->image->versions[i].id), accepted->version)) {
            a->version = &a->image->versions[i];
        }
    }
    if (a->version == NULL) {
        return LICET_FAIL(&a->err, LICET_E_INVALID, 0, "%.200s is of version %s, which is not here", a->o->note,
                          accepted->version);
    }
    return licet_acceptance_is_of(accepted, a->version) ||
           LICET_FAIL(&a->err, LICET_E_INVALID, 0,
                      "%.200s: version %s or its catalogue differs here from what the %s accepted", a->o->note,
                      accepted->version, accepted->party);
}

static int
import(accepting *a)
{
    licet_acceptance accepted;
    licet_verifier_key key;
    uint8_t *note = NULL;
    size_t len = 0;
    licet_bytes text;
    int result = LICET_EXIT_OK;

    if (!licet_verifier_key_parse(licet_bytes_of_text(a->o->verifier), &key, &a->err) ||
        !licet_file_read(a->o->note, NOTE_FILE_MAX, &note, &len, &a->err) ||
        !licet_note_open(licet_bytes_of(note, len), &key, 1, &text, &a->err) ||
        !licet_acceptance_parse(text, &accepted, &a->err) || !check_note(a, &accepted)) {
        result = failed(a);
    } else if (is_new(a, accepted.party, &result)) {
        result =
            store(a, &accepted, licet_bytes_of(note, len), &key) && record(a) ? tell(a, &accepted, &key) : failed(a);
    }
    free(note);
    return result;
}

int
licet_agreement_accept(const licet_agreement_options *o)
{
    accepting a = {.o = o};
    licet_cli_image compiled;
    licet_site *site = NULL;
    int result = licet_cli_site_load(&licet_command_agreement, o->dir, &site);
    size_t i;

    if (result != LICET_EXIT_OK) {
        return LICET_EXIT_FAILED;
    }
    i = licet_site_find(site, o->agreement);
    if (i == SIZE_MAX) {
        result = licet_cli_fail(&licet_command_agreement, "%s: there is no agreement \"%s\"", o->dir, o->agreement);
    } else if (!licet_cli_image_compile(site, i, &compiled, &a.err)) {
        result = failed(&a);
    } else {
        a.image = &compiled.image;
        a.party = licet_site_config_view(site)->party;
        a.version = version_of(o, a.image);
        if (a.version == NULL) {
            result = licet_cli_fail(&licet_command_agreement, "agreement %s has no version \"%s\"", o->agreement,
                                    o->version);
        } else {
            result = o->note != NULL ? import(&a) : sign(&a);
        }
        licet_cli_image_done(&compiled);
    }
    licet_site_free(site);
    return result;
}
