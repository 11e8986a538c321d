/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying clear texts: what data/recorded says of registry changes, against the commitments in their records.
 *
 *  (1) A text that differs is a fault and is named. One that is not there was erased: that is told and is no fault.
 *  (2) Records of an image come in the order of their lines, so that each file is read once.
 */
#include "verify.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX ((size_t)512 << 20)
#define FIELDS 4

void
verify_texts_done(verify_texts *texts)
{
    free(texts->data);
    *texts = (verify_texts){0};
}

static bool
open_texts(verify *v, const char *ledger, verify_texts *texts, uint64_t image, licet_error *err)
{
    char rest[PATH_MAX];
    licet_error why = {0};

    verify_texts_done(texts);
    texts->image = image;
    snprintf(rest, sizeof(rest), "data/recorded/%.100s/%llu/changes", ledger, (unsigned long long)image);
    if (!licet_cli_path(v->dir, rest, texts->path, sizeof(texts->path), err)) {
        return false;
    }
    if (!licet_file_read(texts->path, TEXTS_MAX, &texts->data, &texts->len, &why)) {
        texts->data = NULL;
        texts->len = 0;
        return why.code == LICET_E_NOT_FOUND || LICET_FAIL(err, why.code, 0, "%.400s", why.text);
    }
    return true;
}

/* number, field, salt and text of the line at *at, which moves behind it. False: there is none. */
static bool
next_line(const verify_texts *texts, size_t *at, licet_bytes fields[FIELDS])
{
    licet_bytes rest = licet_bytes_of(texts->data + *at, texts->len - *at);
    const uint8_t *end = rest.len == 0 ? NULL : memchr(rest.data, '\n', rest.len);

    if (end == NULL) {
        return false;
    }
    rest.len = (size_t)(end - rest.data);
    *at += rest.len + 1;
    for (size_t i = 0; i < FIELDS; i++) {
        const uint8_t *tab = i + 1 < FIELDS && rest.len > 0 ? memchr(rest.data, '\t', rest.len) : NULL;
        size_t len = tab == NULL ? rest.len : (size_t)(tab - rest.data);

        fields[i] = licet_bytes_of(rest.data, len);
        rest = tab == NULL ? licet_bytes_of(NULL, 0) : licet_bytes_of(tab + 1, rest.len - len - 1);
    }
    return true;
}

static bool
holds(const licet_bytes fields[FIELDS], const licet_hash *commitment)
{
    uint8_t salt[LICET_SHA256_LEN];
    licet_hash hash;

    if (!licet_unhex(fields[2], salt, sizeof(salt))) {
        return false;
    }
    hash = licet_sha256((licet_bytes[]){{salt, sizeof(salt)}, fields[3]}, 2);
    return memcmp(hash.bytes, commitment->bytes, sizeof(hash.bytes)) == 0;
}

static bool
check_field(verify *v, const verify_texts *texts, const licet_change_record *record, const char *field,
            const licet_hash *commitment, licet_error *err)
{
    static const licet_hash none = {{0}};
    licet_bytes fields[FIELDS];
    uint64_t number = 0;
    size_t at = texts->at;

    if (memcmp(commitment, &none, sizeof(none)) == 0) {
        return true;
    }
    while (texts->data != NULL && next_line(texts, &at, fields) && licet_parse_u64(fields[0], &number) &&
           number <= record->number) {
        if (number == record->number && licet_bytes_equal_text(fields[1], field)) {
            return holds(fields, commitment) ||
                   LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: line \"%u %s\" is not what the ledger commits to",
                              texts->path, record->number, field);
        }
    }
    v->erased++;
    return true;
}

/* Lines of the changes before this one are behind it. */
static void
move_on(verify_texts *texts, uint32_t number)
{
    licet_bytes fields[FIELDS];
    uint64_t line;
    size_t at = texts->at;

    while (texts->data != NULL && next_line(texts, &at, fields) && licet_parse_u64(fields[0], &line) && line < number) {
        texts->at = at;
    }
}

bool
verify_change(verify *v, const char *ledger, verify_texts *texts, licet_bytes entry, licet_error *err)
{
    licet_change_record record;

    if (entry.len == 0 || entry.data[0] != LICET_ENTRY_CHANGE) {
        return true;
    }
    if (!licet_change_decode(entry, &record, err) ||
        ((texts->image != record.image || record.number == 0) && !open_texts(v, ledger, texts, record.image, err))) {
        return false;
    }
    move_on(texts, record.number);
    return check_field(v, texts, &record, "words", &record.words, err) &&
           check_field(v, texts, &record, "who", &record.who, err) &&
           check_field(v, texts, &record, "as", &record.as, err) &&
           check_field(v, texts, &record, "approved", &record.approved, err);
}
