/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials in apps.yaml: of each kind the keyed hash of what identifies it; licet credential new makes it.
 *
 *  (1) A credential is found by its hash alone, whatever its kind, so that the file holds no secret and no kind needs
 * an index of its own. (2) The public key that a signature is verified by stands beside the hash of its owner and key
 * id. It is no secret. (3) Nothing that may be a secret put here by mistake is shown in a message.
 */
#include "terms.h"

#include <string.h>

#define KEY_TEXT 43 /* base64url of 32 bytes, without padding */

static void
read_hmac(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    static const char expected[] = "64 hex digits, as licet credential new writes them";
    licet_terms_credential *credential = out;

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    if (!licet_unhex(node->scalar.text, credential->hmac, sizeof(credential->hmac))) {
        licet_reader_say(reader, &node->scalar, context, "%s of %zu characters: expected %s", field->name,
                         node->scalar.text.len, expected);
        return;
    }
    credential->hmac_at = licet_schema_keep(reader, &node->scalar);
}

static void
read_key(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    static const char expected[] = "an Ed25519 public key, 43 characters of base64url as x of its JWK";
    licet_terms_credential *credential = out;
    size_t len;

    credential->has_key = true;
    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    if (node->scalar.text.len != KEY_TEXT ||
        !licet_unbase64url(node->scalar.text, credential->key, sizeof(credential->key), &len)) {
        licet_reader_say(reader, &node->scalar, context, "%s of %zu characters: expected %s", field->name,
                         node->scalar.text.len, expected);
        return;
    }
    credential->key_at = licet_schema_keep(reader, &node->scalar);
}

static const licet_word kinds[] = {{"bearer", LICET_CREDENTIAL_BEARER},
                                   {"api-key", LICET_CREDENTIAL_API_KEY},
                                   {"client-certificate", LICET_CREDENTIAL_CLIENT_CERTIFICATE},
                                   {"jwt", LICET_CREDENTIAL_JWT},
                                   {"http-signature", LICET_CREDENTIAL_HTTP_SIGNATURE},
                                   {NULL, 0}};

#define AT(member) .at = offsetof(licet_terms_credential, member)
static const licet_field credential_fields[] = {
    {.name = "id", .type = LICET_FIELD_ID, .required = true, AT(id)},
    {.name = "kind", .type = LICET_FIELD_WORD, .required = true, AT(kind), .words = kinds},
    {.name = "hmac_sha256", .type = LICET_FIELD_OWN, .required = true, .at = 0, .read = read_hmac},
    {.name = "key", .type = LICET_FIELD_OWN, .at = 0, .read = read_key},
    {.name = "from", .type = LICET_FIELD_TIME, .required = true, AT(from)},
    {.name = "before", .type = LICET_FIELD_TIME, AT(before), .fallback = UINT64_MAX},
    {.name = "environment",
     .type = LICET_FIELD_WORD,
     AT(environment),
     .words = licet_terms_environments,
     .fallback = UINT64_MAX},
    {.name = "recipient", .type = LICET_FIELD_NAME, AT(recipient)},
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_credential_schema = {
    .noun = "credential", .title = "id", .size = sizeof(licet_terms_credential), .fields = credential_fields};

void
licet_terms_credential_check(licet_reader *reader, const char *context, const licet_terms_credential *credential)
{
    bool signs = credential->kind.value == LICET_CREDENTIAL_HTTP_SIGNATURE;

    if (credential->kind.said.line == 0 || signs == credential->has_key) {
        return;
    }
    if (signs) {
        licet_reader_say(reader, &credential->kind.said, context,
                         "credential %.*s: kind http-signature: expected a key, the public key that its requests are "
                         "verified by",
                         (int)credential->id.text.len, (const char *)credential->id.text.data);
    } else {
        licet_reader_say(reader, &credential->kind.said, context,
                         "credential %.*s: a key with kind %.*s: expected one with http-signature only",
                         (int)credential->id.text.len, (const char *)credential->id.text.data,
                         (int)credential->kind.said.text.len, (const char *)credential->kind.said.text.data);
    }
}
