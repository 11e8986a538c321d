/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical text of each kind of identity. No part can hold a line feed, so that no two identities have one text.
 */
#include "licet/identity.h"

#include <stdio.h>
#include <string.h>

static bool
is_plain(licet_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] == 0x7f) {
            return false;
        }
    }
    return text.len > 0;
}

static bool
put_pair(licet_buffer *out, const char *kind, licet_bytes first, licet_bytes second, licet_error *err)
{
    if (!is_plain(first) || !is_plain(second) || first.len + second.len > LICET_IDENTITY_MAX - 16) {
        return LICET_FAIL(err, LICET_E_INVALID, 0,
                          "an identity of %zu and %zu bytes: expected neither empty, no control character, and %d "
                          "bytes in all at most",
                          first.len, second.len, LICET_IDENTITY_MAX - 16);
    }
    licet_put_format(out, "%s:", kind);
    licet_put_bytes(out, first);
    licet_put_u8(out, '\n');
    licet_put_bytes(out, second);
    return out->failed ? LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for an identity") : true;
}

bool
licet_identity_certificate(licet_buffer *out, const uint8_t sha256[LICET_SHA256_LEN])
{
    char hex[2 * LICET_SHA256_LEN + 1];

    licet_hex(sha256, LICET_SHA256_LEN, hex);
    return licet_put_format(out, "cert:%s", hex);
}

bool
licet_identity_jwt(licet_buffer *out, licet_bytes issuer, licet_bytes claim, licet_error *err)
{
    return put_pair(out, "jwt", issuer, claim, err);
}

bool
licet_identity_signature(licet_buffer *out, licet_bytes agent, licet_bytes key_id, licet_error *err)
{
    return put_pair(out, "sig", agent, key_id, err);
}

bool
licet_identity_agent(licet_buffer *out, licet_bytes url, licet_error *err)
{
    static const size_t scheme = sizeof("https://") - 1;
    size_t i = scheme;

    if (url.len <= scheme || url.len > LICET_IDENTITY_MAX / 2 || memcmp(url.data, "https://", scheme) != 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "an agent of %zu bytes: expected an https URL of %d bytes at most",
                          url.len, LICET_IDENTITY_MAX / 2);
    }
    licet_put_bytes(out, licet_bytes_of(url.data, scheme));
    for (; i < url.len && url.data[i] != '/' && url.data[i] != '?'; i++) {
        uint8_t c = url.data[i];
        if (c >= 'A' && c <= 'Z') {
            c = (uint8_t)(c + ('a' - 'A'));
        } else if (c == '\0' || strchr("abcdefghijklmnopqrstuvwxyz0123456789-.:[]", c) == NULL) {
            return LICET_FAIL(err, LICET_E_INVALID, i, "an agent's host with a byte %02x: expected a host name", c);
        }
        licet_put_u8(out, c);
    }
    if (i == scheme) {
        return LICET_FAIL(err, LICET_E_INVALID, i, "an agent without a host");
    }
    if (url.len - i == 1 && url.data[i] == '/') {
        return !out->failed;
    }
    for (; i < url.len; i++) {
        if (url.data[i] <= 0x20 || url.data[i] >= 0x7f || url.data[i] == '#') {
            return LICET_FAIL(err, LICET_E_INVALID, i, "an agent's path with a byte %02x: expected none of the kind",
                              url.data[i]);
        }
        licet_put_u8(out, url.data[i]);
    }
    return out->failed ? LICET_FAIL(err, LICET_E_LIMIT, 0, "an agent's URL is too long") : true;
}

void
licet_key_thumbprint(const uint8_t key[LICET_KEY_LEN], char out[LICET_THUMBPRINT_LEN + 1])
{
    char x[LICET_THUMBPRINT_LEN + 2], json[128], digest[LICET_THUMBPRINT_LEN + 2];
    licet_bytes piece;
    licet_hash hash;

    (void)licet_base64url(key, LICET_KEY_LEN, x);
    /* members in the order of their names, without spaces: RFC 7638 section 3, RFC 8037 section 2 */
    (void)snprintf(json, sizeof(json), "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x);
    piece = licet_bytes_of_text(json);
    hash = licet_sha256(&piece, 1);
    (void)licet_base64url(hash.bytes, sizeof(hash.bytes), digest);
    memcpy(out, digest, LICET_THUMBPRINT_LEN + 1);
}
