/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of signed notes: Ed25519, with a name and a short id.
 *
 *  (1) The id is a hint for finding a key, no commitment: it is always recomputed, never believed.
 *  (2) A name has 1 to 255 bytes of UTF-8 without '+', white space and control bytes.
 */
#include "note.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define TYPE_ED25519 1
#define SIGNER_PREFIX "PRIVATE+KEY+"

/* ---- text --------------------------------------------------------------------- */

/* Length of the UTF-8 sequence at text[pos] and its code point; 0 when it is none. */
static size_t
utf8_at(licet_bytes text, size_t pos, uint32_t *out_point)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text.data[pos];
    size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (len == 0 || text.len - pos < len)
        return 0;
    uint32_t point = len == 1 ? first : first & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((text.data[pos + i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (text.data[pos + i] & 0x3fu);
    }
    if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return 0;
    *out_point = point;
    return len;
}

/* Unicode's White_Space property. */
static bool
white_space(uint32_t point)
{
    return (point >= 0x09 && point <= 0x0d) || point == 0x20 || point == 0x85 || point == 0xa0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 || point == 0x202f ||
           point == 0x205f || point == 0x3000;
}

bool
licet_note_text_check(licet_bytes note, licet_error *err)
{
    for (size_t pos = 0; pos < note.len;) {
        uint32_t point;
        size_t len = utf8_at(note, pos, &point);
        if (len == 0)
            return LICET_FAIL(err, LICET_E_INVALID, pos, "note: byte 0x%02x at %zu is no valid UTF-8", note.data[pos],
                              pos);
        if (point < 0x20 && point != '\n')
            return LICET_FAIL(err, LICET_E_INVALID, pos, "note: control byte 0x%02x at %zu: expected none but LF",
                              (unsigned)point, pos);
        pos += len;
    }
    return true;
}

bool
licet_key_name_check(licet_bytes name, licet_error *err)
{
    if (name.len == 0 || name.len > LICET_KEY_NAME_MAX)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "key name of %zu bytes: expected 1 to %d", name.len,
                          LICET_KEY_NAME_MAX);
    for (size_t pos = 0; pos < name.len;) {
        uint32_t point;
        size_t len = utf8_at(name, pos, &point);
        if (len == 0)
            return LICET_FAIL(err, LICET_E_INVALID, pos, "key name: byte 0x%02x at %zu is no valid UTF-8",
                              name.data[pos], pos);
        if (point == '+' || point < 0x20 || white_space(point))
            return LICET_FAIL(err, LICET_E_INVALID, pos,
                              "key name: character U+%04X at %zu: expected no '+', white space or control",
                              (unsigned)point, pos);
        pos += len;
    }
    return true;
}

/* ---- making -------------------------------------------------------------------------- */

uint32_t
licet_key_id(licet_bytes name, const uint8_t public_key[32])
{
    const uint8_t between[2] = {'\n', TYPE_ED25519};
    licet_bytes pieces[] = {name, {between, 2}, {public_key, 32}};
    licet_hash h = licet_sha256(pieces, 3);
    return (uint32_t)h.bytes[0] << 24 | (uint32_t)h.bytes[1] << 16 | (uint32_t)h.bytes[2] << 8 | h.bytes[3];
}

static void
name_set(licet_verifier_key *key, licet_bytes name)
{
    memset(key->name, 0, sizeof(key->name));
    memcpy(key->name, name.data, name.len);
}

bool
licet_signer_key_make(licet_bytes name, const uint8_t seed[32], licet_signer_key *out_key, licet_error *err)
{
    licet_signer_key key;
    EVP_PKEY *pkey = NULL;
    size_t len = sizeof(key.verifier.public_key);
    bool ok = false;
    if (!licet_key_name_check(name, err))
        return false;
    pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    if (pkey == NULL || EVP_PKEY_get_raw_public_key(pkey, key.verifier.public_key, &len) != 1) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "the Ed25519 public key of \"%.*s\" could not be computed", (int)name.len,
                   (const char *)name.data);
        goto done;
    }
    name_set(&key.verifier, name);
    key.verifier.id = licet_key_id(name, key.verifier.public_key);
    memcpy(key.seed, seed, sizeof(key.seed));
    *out_key = key;
    ok = true;
done:
    EVP_PKEY_free(pkey);
    OPENSSL_cleanse(&key, sizeof(key));
    return ok;
}

/* ---- text forms -------------------------------------------------------------------------- */

/* name+hhhhhhhh+base64(type, 32 bytes). In the base64 there may be '+': only the first two part fields. */
static bool
fields_parse(licet_bytes text, licet_bytes *out_name, uint32_t *out_id, uint8_t out_key[33], licet_error *err)
{
    const uint8_t *plus = text.len == 0 ? NULL : memchr(text.data, '+', text.len);
    uint8_t id[4];
    size_t len;
    if (plus == NULL)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "key of %zu bytes without '+': expected name+id+base64", text.len);
    licet_bytes name = {text.data, (size_t)(plus - text.data)};
    licet_bytes rest = {plus + 1, text.len - name.len - 1};
    if (!licet_key_name_check(name, err))
        return false;
    if (rest.len < 9 || rest.data[8] != '+' || !licet_unhex((licet_bytes){rest.data, 8}, id, 4))
        return LICET_FAIL(err, LICET_E_INVALID, name.len + 1, "key: expected an id of 8 hex digits and '+'");
    for (size_t i = 0; i < 8; i++)
        if (rest.data[i] >= 'A' && rest.data[i] <= 'F')
            return LICET_FAIL(err, LICET_E_INVALID, name.len + 1 + i, "key: id with '%c': expected lower-case hex",
                              rest.data[i]);
    if (!licet_unbase64((licet_bytes){rest.data + 9, rest.len - 9}, out_key, 33, &len) || len != 33)
        return LICET_FAIL(err, LICET_E_INVALID, name.len + 10, "key: expected 33 bytes in canonical base64");
    if (out_key[0] != TYPE_ED25519)
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, name.len + 10, "key of type %u: expected 1 (Ed25519)", out_key[0]);
    *out_name = name;
    *out_id = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
    return true;
}

static bool
id_check(uint32_t given, uint32_t computed, licet_error *err)
{
    if (given != computed)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "key: id %08x: its name and key have %08x", given, computed);
    return true;
}

bool
licet_verifier_key_parse(licet_bytes text, licet_verifier_key *out_key, licet_error *err)
{
    licet_bytes name;
    uint32_t id;
    uint8_t bytes[33];
    if (!fields_parse(text, &name, &id, bytes, err) || !id_check(id, licet_key_id(name, bytes + 1), err))
        return false;
    name_set(out_key, name);
    out_key->id = id;
    memcpy(out_key->public_key, bytes + 1, sizeof(out_key->public_key));
    return true;
}

bool
licet_signer_key_parse(licet_bytes text, licet_signer_key *out_key, licet_error *err)
{
    const size_t prefix = sizeof(SIGNER_PREFIX) - 1;
    licet_signer_key key;
    licet_bytes name;
    uint32_t id;
    uint8_t bytes[33];
    bool ok = false;
    if (text.len < prefix || memcmp(text.data, SIGNER_PREFIX, prefix) != 0)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "signer key: expected it to begin with " SIGNER_PREFIX);
    text = (licet_bytes){text.data + prefix, text.len - prefix};
    if (fields_parse(text, &name, &id, bytes, err) && licet_signer_key_make(name, bytes + 1, &key, err) &&
        id_check(id, key.verifier.id, err)) {
        *out_key = key;
        ok = true;
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    OPENSSL_cleanse(&key, sizeof(key));
    return ok;
}

static bool
key_put(const licet_verifier_key *key, const uint8_t material[32], licet_buffer *out)
{
    uint8_t bytes[33] = {TYPE_ED25519};
    char base64[4 * 11 + 1];
    memcpy(bytes + 1, material, 32);
    licet_base64(bytes, sizeof(bytes), base64);
    bool ok = licet_put_format(out, "%s+%08x+%s", key->name, key->id, base64);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    OPENSSL_cleanse(base64, sizeof(base64));
    return ok;
}

bool
licet_verifier_key_format(const licet_verifier_key *key, licet_buffer *out)
{
    return key_put(key, key->public_key, out);
}

bool
licet_signer_key_format(const licet_signer_key *key, licet_buffer *out)
{
    return licet_put_bytes(out, licet_bytes_of_text(SIGNER_PREFIX)) && key_put(&key->verifier, key->seed, out);
}
