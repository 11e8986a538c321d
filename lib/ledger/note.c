/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed note and checkpoint.
 *
 *  (1) Every line is parsed before anything is believed; one malformed line makes the whole note invalid.
 *  (2) A line by an unknown (name, id) is passed over; a line by a known one must verify, else the note is rejected.
 *  (3) At least one known key must have verified, and the text's origin must be the name of such a key.
 *  (4) One encoding: base64 is canonical, sizes have no sign or leading zero, nobody known signs twice.
 */
#include "note.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_LEN 64
#define BLOB_LEN (4 + SIGNATURE_LEN)
static const uint8_t DASH[4] = {0xe2, 0x80, 0x94, 0x20}; /* em dash and space */

/* ---- writing ----------------------------------------------------------------------- */

bool
licet_checkpoint_format(const licet_checkpoint *checkpoint, licet_buffer *out)
{
    char root[45];
    licet_base64(checkpoint->root.bytes, sizeof(checkpoint->root.bytes), root);
    return licet_put_format(out, "%s\n%llu\n%s\n", checkpoint->origin, (unsigned long long)checkpoint->size, root);
}

static bool
ed25519_sign(const licet_signer_key *key, licet_bytes text, uint8_t signature[SIGNATURE_LEN])
{
    size_t len = SIGNATURE_LEN;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key->seed, sizeof(key->seed));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = pkey != NULL && ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
              EVP_DigestSign(ctx, signature, &len, text.data, text.len) == 1 && len == SIGNATURE_LEN;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return ok;
}

static bool
ed25519_verify(const uint8_t public_key[32], licet_bytes text, const uint8_t signature[SIGNATURE_LEN])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = pkey != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
              EVP_DigestVerify(ctx, signature, SIGNATURE_LEN, text.data, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return ok;
}

bool
licet_note_sign(licet_bytes text, const licet_signer_key *key, licet_buffer *out, licet_error *err)
{
    uint8_t blob[BLOB_LEN];
    char base64[4 * ((BLOB_LEN + 2) / 3) + 1];
    size_t start = out->len;
    if (text.len == 0 || text.data[text.len - 1] != '\n')
        return LICET_FAIL(err, LICET_E_INVALID, text.len, "note: text of %zu bytes: expected it to end in LF",
                          text.len);
    if (!licet_note_text_check(text, err))
        return false;
    for (unsigned i = 0; i < 4; i++)
        blob[i] = (uint8_t)(key->verifier.id >> (24 - 8 * i));
    if (!ed25519_sign(key, text, blob + 4))
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "the note could not be signed by %s", key->verifier.name);
    licet_base64(blob, sizeof(blob), base64);
    licet_put_bytes(out, text);
    licet_put_u8(out, '\n');
    licet_put_bytes(out, licet_bytes_of(DASH, sizeof(DASH)));
    licet_put_format(out, "%s %s\n", key->verifier.name, base64);
    if (out->failed) {
        out->len = start;
        return LICET_FAIL(err, LICET_E_LIMIT, start, "the note does not fit %zu bytes", out->ceiling);
    }
    return true;
}

/* ---- reading --------------------------------------------------------------------------- */

/* Splits at the last empty line: the text keeps its final LF, the signature lines follow. */
static bool
note_split(licet_bytes note, licet_bytes *out_text, licet_bytes *out_lines, licet_error *err)
{
    if (note.len == 0 || note.data[note.len - 1] != '\n')
        return LICET_FAIL(err, LICET_E_INVALID, note.len, "note of %zu bytes: expected it to end in LF", note.len);
    for (size_t i = note.len - 1; i > 0; i--) {
        if (note.data[i] != '\n' || note.data[i - 1] != '\n')
            continue;
        *out_text = (licet_bytes){note.data, i};
        *out_lines = (licet_bytes){note.data + i + 1, note.len - i - 1};
        if (out_lines->len == 0)
            return LICET_FAIL(err, LICET_E_INVALID, i, "note: no signature follows its text");
        return true;
    }
    return LICET_FAIL(err, LICET_E_INVALID, note.len, "note: expected an empty line between text and signatures");
}

/* A signature line without its LF. A blob of another algorithm may be longer than ours: only its id is kept then. */
typedef struct signature {
    licet_bytes name;
    uint32_t id;
    size_t len; /* of the blob behind the id */
    uint8_t bytes[SIGNATURE_LEN];
} signature;

/* blob has room for 3/4 of the line. */
static bool
signature_parse(licet_bytes line, uint64_t offset, uint8_t *blob, size_t blob_cap, signature *out, licet_error *err)
{
    if (line.len < sizeof(DASH) || memcmp(line.data, DASH, sizeof(DASH)) != 0)
        return LICET_FAIL(err, LICET_E_INVALID, offset, "note: signature line at %llu: expected an em dash and a space",
                          (unsigned long long)offset);
    licet_bytes rest = {line.data + sizeof(DASH), line.len - sizeof(DASH)};
    const uint8_t *space = rest.len == 0 ? NULL : memchr(rest.data, ' ', rest.len);
    if (space == NULL)
        return LICET_FAIL(err, LICET_E_INVALID, offset, "note: signature line at %llu: expected name, space, base64",
                          (unsigned long long)offset);
    out->name = (licet_bytes){rest.data, (size_t)(space - rest.data)};
    if (!licet_key_name_check(out->name, err))
        return false;
    licet_bytes base64 = {space + 1, rest.len - out->name.len - 1};
    size_t len;
    if (!licet_unbase64(base64, blob, blob_cap, &len) || len < 5)
        return LICET_FAIL(err, LICET_E_INVALID, offset,
                          "note: signature line at %llu: expected canonical base64 of at least 5 bytes",
                          (unsigned long long)offset);
    out->id = (uint32_t)blob[0] << 24 | (uint32_t)blob[1] << 16 | (uint32_t)blob[2] << 8 | blob[3];
    out->len = len - 4;
    if (out->len == SIGNATURE_LEN)
        memcpy(out->bytes, blob + 4, SIGNATURE_LEN);
    return true;
}

static size_t
key_find(const signature *s, const licet_verifier_key *keys, size_t n)
{
    size_t i = 0;
    while (i < n && (keys[i].id != s->id || !licet_bytes_equal_text(s->name, keys[i].name)))
        i++;
    return i;
}

/* Which of the keys have signed: known[i] for keys[i]. */
typedef struct opening {
    const licet_verifier_key *keys;
    size_t n;
    licet_bytes text;
    uint8_t *blob;
    size_t blob_cap;
    bool *known;
} opening;

static bool
line_accept(opening *o, licet_bytes line, uint64_t offset, licet_error *err)
{
    signature s;
    if (!signature_parse(line, offset, o->blob, o->blob_cap, &s, err))
        return false;
    size_t i = key_find(&s, o->keys, o->n);
    if (i == o->n)
        return true;
    if (o->known[i])
        return LICET_FAIL(err, LICET_E_INVALID, offset, "note: %s signed it twice", o->keys[i].name);
    if (s.len != SIGNATURE_LEN || !ed25519_verify(o->keys[i].public_key, o->text, s.bytes))
        return LICET_FAIL(err, LICET_E_CORRUPT, offset,
                          "note: the signature of %s does not fit: text or signature was changed", o->keys[i].name);
    o->known[i] = true;
    return true;
}

static bool
lines_accept(opening *o, licet_bytes lines, uint64_t offset, licet_error *err)
{
    unsigned count = 0;
    size_t pos = 0;
    bool any = false;
    while (pos < lines.len) {
        const uint8_t *lf = memchr(lines.data + pos, '\n', lines.len - pos); /* there is one: the note ends in LF */
        licet_bytes line = {lines.data + pos, (size_t)(lf - (lines.data + pos))};
        if (++count > NOTE_SIGNATURES_MAX)
            return LICET_FAIL(err, LICET_E_LIMIT, offset + pos, "note: more than %d signatures", NOTE_SIGNATURES_MAX);
        if (!line_accept(o, line, offset + pos, err))
            return false;
        pos += line.len + 1;
    }
    for (size_t i = 0; i < o->n; i++)
        any = any || o->known[i];
    if (!any)
        return LICET_FAIL(err, LICET_E_INVALID, offset,
                          "note: none of its %u signatures is by a key that is known here", count);
    return true;
}

/* The next line of a checkpoint's text without its LF. */
static bool
take_line(licet_bytes text, size_t *pos, const char *what, licet_bytes *out_line, licet_error *err)
{
    const uint8_t *lf = *pos < text.len ? memchr(text.data + *pos, '\n', text.len - *pos) : NULL;
    if (lf == NULL)
        return LICET_FAIL(err, LICET_E_INVALID, *pos, "checkpoint: ends before its %s", what);
    *out_line = (licet_bytes){text.data + *pos, (size_t)(lf - (text.data + *pos))};
    *pos += out_line->len + 1;
    if (out_line->len == 0)
        return LICET_FAIL(err, LICET_E_INVALID, *pos - 1, "checkpoint: empty line where its %s is due", what);
    return true;
}

bool
licet_checkpoint_parse(licet_bytes text, licet_checkpoint *out_checkpoint, licet_error *err)
{
    licet_checkpoint c;
    licet_bytes origin, size, root, extension;
    size_t pos = 0, len;
    if (!take_line(text, &pos, "origin", &origin, err) || !take_line(text, &pos, "size", &size, err) ||
        !take_line(text, &pos, "root", &root, err))
        return false;
    if (origin.len > LICET_KEY_NAME_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "checkpoint: origin of %zu bytes: expected at most %d", origin.len,
                          LICET_KEY_NAME_MAX);
    if (!licet_parse_u64(size, &c.size) || c.size > INT64_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, origin.len + 1,
                          "checkpoint: size \"%.*s\": expected decimal digits below 2^63",
                          (int)(size.len < 40 ? size.len : 40), (const char *)size.data);
    if (root.len != 44 || !licet_unbase64(root, c.root.bytes, sizeof(c.root.bytes), &len) ||
        len != sizeof(c.root.bytes))
        return LICET_FAIL(err, LICET_E_INVALID, origin.len + size.len + 2,
                          "checkpoint: root \"%.*s\": expected 32 bytes in canonical base64",
                          (int)(root.len < 60 ? root.len : 60), (const char *)root.data);
    while (pos < text.len)
        if (!take_line(text, &pos, "extension", &extension, err))
            return false;
    memset(c.origin, 0, sizeof(c.origin));
    memcpy(c.origin, origin.data, origin.len);
    *out_checkpoint = c;
    return true;
}

static bool
origin_check(const opening *o, const licet_checkpoint *c, licet_error *err)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->known[i] && strcmp(o->keys[i].name, c->origin) == 0)
            return true;
    for (size_t i = 0; i < o->n; i++)
        if (o->known[i])
            return LICET_FAIL(err, LICET_E_INVALID, 0,
                              "checkpoint of \"%s\": expected that of \"%s\", whose key signed it", c->origin,
                              o->keys[i].name);
    return false;
}

/* *o needs its blob and known freed whatever comes of it. */
static bool
open_note(licet_bytes note, opening *o, licet_error *err)
{
    licet_bytes lines;

    if (note.len > NOTE_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "note of %zu bytes: expected at most %d", note.len, NOTE_MAX);
    if (!licet_note_text_check(note, err) || !note_split(note, &o->text, &lines, err))
        return false;
    o->blob_cap = note.len;
    o->blob = malloc(o->blob_cap);
    o->known = calloc(o->n + 1, sizeof(*o->known));
    if (o->blob == NULL || o->known == NULL)
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a note of %zu bytes", note.len);
    return lines_accept(o, lines, o->text.len + 1, err);
}

bool
licet_note_open(licet_bytes note, const licet_verifier_key *keys, size_t n, licet_bytes *out_text, licet_error *err)
{
    opening o = {.keys = keys, .n = n};
    bool ok = open_note(note, &o, err);

    if (ok)
        *out_text = o.text;
    free(o.blob);
    free(o.known);
    return ok;
}

bool
licet_checkpoint_open(licet_bytes note, const licet_verifier_key *keys, size_t n, licet_checkpoint *out_checkpoint,
                      licet_error *err)
{
    opening o = {.keys = keys, .n = n};
    licet_checkpoint c;
    bool ok = open_note(note, &o, err) && licet_checkpoint_parse(o.text, &c, err) && origin_check(&o, &c, err);

    if (ok)
        *out_checkpoint = c;
    free(o.blob);
    free(o.known);
    return ok;
}
