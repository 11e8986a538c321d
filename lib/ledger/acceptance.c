/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acceptance: its text, where it lies, and whether it holds.
 */
#include "licet/acceptance.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_FILE_MAX 65536
#define FIRST_LINE "licet acceptance v1"

bool
licet_acceptance_format(const licet_acceptance *accepted, licet_buffer *out)
{
    char file[2 * LICET_SHA256_LEN + 1], catalogue[2 * LICET_SHA256_LEN + 1];

    licet_hex(accepted->agreement_sha256, LICET_SHA256_LEN, file);
    licet_hex(accepted->catalogue_sha256, LICET_SHA256_LEN, catalogue);
    return licet_put_format(out,
                            FIRST_LINE "\nagreement %s\nversion %s\nsha256 %s\ncatalogue %s\ncatalogue-sha256 %s\n"
                                       "party %s\ntime %s\nas %s\n",
                            accepted->agreement, accepted->version, file, accepted->catalogue, catalogue,
                            accepted->party, accepted->time, accepted->as[0] == '\0' ? "-" : accepted->as);
}

/* The value of the next line, which begins with a name and a space. */
static bool
take_line(licet_bytes *text, const char *name, licet_bytes *out, licet_error *err)
{
    const uint8_t *end = text->len == 0 ? NULL : memchr(text->data, '\n', text->len);
    size_t len = end == NULL ? 0 : (size_t)(end - text->data), skip = strlen(name) + 1;

    if (end == NULL || len < skip || memcmp(text->data, name, skip - 1) != 0 || text->data[skip - 1] != ' ') {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "no acceptance: expected a line \"%s ...\"", name);
    }
    *out = licet_bytes_of(text->data + skip, len - skip);
    *text = licet_bytes_of(text->data + len + 1, text->len - len - 1);
    return true;
}

static bool
take_text(licet_bytes *text, const char *name, char *out, size_t room, licet_error *err)
{
    licet_bytes value;

    if (!take_line(text, name, &value, err)) {
        return false;
    }
    if (value.len == 0 || value.len >= room) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "acceptance: %s of %zu bytes: expected 1 to %zu", name, value.len,
                          room - 1);
    }
    memcpy(out, value.data, value.len);
    out[value.len] = '\0';
    return true;
}

static bool
take_hash(licet_bytes *text, const char *name, uint8_t out[LICET_SHA256_LEN], licet_error *err)
{
    licet_bytes value;

    return take_line(text, name, &value, err) &&
           (licet_unhex(value, out, LICET_SHA256_LEN) ||
            LICET_FAIL(err, LICET_E_INVALID, 0, "acceptance: %s: expected 64 hex digits", name));
}

bool
licet_acceptance_parse(licet_bytes text, licet_acceptance *out_accepted, licet_error *err)
{
    licet_acceptance a = {0};
    size_t first = strlen(FIRST_LINE "\n");

    if (text.len < first || memcmp(text.data, FIRST_LINE "\n", first) != 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "no acceptance: expected the first line \"" FIRST_LINE "\"");
    }
    text = licet_bytes_of(text.data + first, text.len - first);
    if (!take_text(&text, "agreement", a.agreement, sizeof(a.agreement), err) ||
        !take_text(&text, "version", a.version, sizeof(a.version), err) ||
        !take_hash(&text, "sha256", a.agreement_sha256, err) ||
        !take_text(&text, "catalogue", a.catalogue, sizeof(a.catalogue), err) ||
        !take_hash(&text, "catalogue-sha256", a.catalogue_sha256, err) ||
        !take_text(&text, "party", a.party, sizeof(a.party), err) ||
        !take_text(&text, "time", a.time, sizeof(a.time), err) || !take_text(&text, "as", a.as, sizeof(a.as), err)) {
        return false;
    }
    if (strcmp(a.party, "licensor") != 0 && strcmp(a.party, "licensee") != 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "acceptance: party \"%s\": expected licensor or licensee", a.party);
    }
    if (text.len != 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "acceptance: %zu bytes behind its last line", text.len);
    }
    *out_accepted = a;
    return true;
}

bool
licet_acceptance_path(const char *dir, const licet_acceptance *accepted, const char *ending, char *out, size_t len,
                      licet_error *err)
{
    int n = snprintf(out, len, "%s/agreements/%s/accepted/%s.%s%s", dir, accepted->agreement, accepted->version,
                     accepted->party, ending);

    return (n > 0 && (size_t)n < len) || LICET_FAIL(err, LICET_E_LIMIT, 0, "%.60s...: the path is too long", dir);
}

static void
copy_text(char *out, size_t room, licet_bytes text)
{
    snprintf(out, room, "%.*s", (int)text.len, (const char *)text.data);
}

static bool
read_key(const char *path, licet_verifier_key *out_key, licet_error *err)
{
    uint8_t *data = NULL;
    size_t len = 0;
    bool ok = licet_file_read(path, NOTE_FILE_MAX, &data, &len, err);

    if (ok) {
        len -= len > 0 && data[len - 1] == '\n';
        ok = licet_verifier_key_parse(licet_bytes_of(data, len), out_key, err);
    }
    free(data);
    return ok;
}

bool
licet_acceptance_read(const char *dir, const licet_image *image, const licet_image_version *version, const char *party,
                      licet_acceptance *out_accepted, licet_verifier_key *out_key, licet_error *err)
{
    licet_acceptance wanted = {0};
    char path[PATH_MAX], key_path[PATH_MAX];
    uint8_t *note = NULL;
    size_t len = 0;
    licet_bytes text;
    bool ok = false;

    copy_text(wanted.agreement, sizeof(wanted.agreement), licet_image_text(image, image->header->agreement));
    copy_text(wanted.version, sizeof(wanted.version), licet_image_text(image, version->id));
    snprintf(wanted.party, sizeof(wanted.party), "%s", party);
    if (!licet_acceptance_path(dir, &wanted, ".note", path, sizeof(path), err) ||
        !licet_acceptance_path(dir, &wanted, ".key", key_path, sizeof(key_path), err) ||
        !licet_file_read(path, NOTE_FILE_MAX, &note, &len, err)) {
        goto done;
    }
    if (!read_key(key_path, out_key, err)) {
        err->code = err->code == LICET_E_NOT_FOUND ? LICET_E_INVALID : err->code; /* a note without its key */
        goto done;
    }
    if (!licet_note_open(licet_bytes_of(note, len), out_key, 1, &text, err) ||
        !licet_acceptance_parse(text, out_accepted, err)) {
        err->code = err->code == LICET_E_NOT_FOUND ? LICET_E_INVALID : err->code;
        goto done;
    }
    ok = (strcmp(out_accepted->agreement, wanted.agreement) == 0 &&
          strcmp(out_accepted->version, wanted.version) == 0 && strcmp(out_accepted->party, party) == 0) ||
         LICET_FAIL(err, LICET_E_INVALID, 0, "%.300s is of version %s of %s by the %s", path, out_accepted->version,
                    out_accepted->agreement, out_accepted->party);
done:
    free(note);
    return ok;
}

bool
licet_acceptance_is_of(const licet_acceptance *accepted, const licet_image_version *version)
{
    return memcmp(accepted->agreement_sha256, version->file_sha256, LICET_SHA256_LEN) == 0 &&
           memcmp(accepted->catalogue_sha256, version->catalogue_sha256, LICET_SHA256_LEN) == 0;
}
