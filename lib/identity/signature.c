/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's signature in the Web Bot Auth profile: which one, whose, over what, and for how long.
 *
 *  (1) Exactly one signature with tag "web-bot-auth": with two nobody could say who asked.
 *  (2) It covers method and path, authority or target URI, and the very Signature-Agent that names its owner, so that
 *      it cannot be shown for another request or under another name.
 *  (3) It lives for 24 hours at most, and nothing after 'expires'; 'created' may lie LICET_IDENTITY_SKEW_S ahead.
 *  (4) Ed25519 only, by the key registered for (agent, key id); the id is the key's own thumbprint.
 */
#include "licet/identity.h"

#include <openssl/evp.h>
#include <string.h>

#define LIFE_MAX_S 86400
#define NONCE_MAX 256

static bool
is_tagged(const licet_structured_row *row)
{
    const licet_structured_row *tag = licet_structured_parameter(row, "tag");

    return row->kind == LICET_STRUCTURED_INNER && tag != NULL && tag->kind == LICET_STRUCTURED_STRING &&
           licet_bytes_equal_text(tag->text, "web-bot-auth");
}

/* The field read as a dictionary behind what is there already. NONE: the request has no such field. */
static licet_proof
read_field(const licet_signed_request *request, const char *name, licet_structured_form form, licet_signature *s,
           size_t *used, uint32_t *out_first, licet_error *err)
{
    licet_buffer value;
    licet_proof result = LICET_PROOF_WRONG;
    licet_bytes kept;

    licet_buffer_init(&value, LICET_SIGNATURE_TEXT);
    if (!request->field(request->user, licet_bytes_of_text(name), &value)) {
        result = LICET_PROOF_NONE;
    } else if (value.failed || value.len > sizeof(s->fields) - *used) {
        LICET_FAIL(err, LICET_E_LIMIT, 0, "fields of a signature of more than %d bytes", LICET_SIGNATURE_TEXT);
    } else {
        kept = licet_bytes_of(s->fields + *used, value.len);
        if (value.len > 0) {
            memcpy(s->fields + *used, value.data, value.len);
        }
        *used += value.len;
        result = licet_structured_read(&s->value, form, kept, out_first, err) ? LICET_PROOF_GOOD : LICET_PROOF_WRONG;
    }
    licet_buffer_done(&value);
    return result;
}

static const licet_structured_row *
find_tagged(const licet_signature *s, uint32_t first, uint32_t end, licet_error *err)
{
    const licet_structured_row *found = NULL;

    for (uint32_t i = first; i < end; i += s->rows[i].rows) {
        if (is_tagged(&s->rows[i])) {
            if (found != NULL) {
                LICET_FAIL(err, LICET_E_INVALID, 0, "two signatures with tag web-bot-auth: expected one");
                return NULL;
            }
            found = &s->rows[i];
        }
    }
    if (found == NULL) {
        LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "no signature with tag web-bot-auth");
    }
    return found;
}

static const licet_structured_row *
covered(const licet_structured_row *params, const char *name)
{
    for (uint32_t i = 1; i <= params->items; i += params[i].rows) {
        if (params[i].kind == LICET_STRUCTURED_STRING && licet_bytes_equal_text(params[i].text, name)) {
            return &params[i];
        }
    }
    return NULL;
}

static bool
check_covered(const licet_structured_row *params, licet_error *err)
{
    static const char *const needed[] = {"@method", "@path", "signature-agent"};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (covered(params, needed[i]) == NULL) {
            return LICET_FAIL(err, LICET_E_INVALID, 0, "the signature does not cover %s", needed[i]);
        }
    }
    return covered(params, "@authority") != NULL || covered(params, "@target-uri") != NULL
               ? true
               : LICET_FAIL(err, LICET_E_INVALID, 0, "the signature covers neither @authority nor @target-uri");
}

static bool
string_parameter(const licet_structured_row *params, const char *name, size_t most, licet_bytes *out)
{
    const licet_structured_row *row = licet_structured_parameter(params, name);

    if (row == NULL || row->kind != LICET_STRUCTURED_STRING || row->text.len == 0 || row->text.len > most) {
        return false;
    }
    *out = row->text;
    return true;
}

static bool
time_parameter(const licet_structured_row *params, const char *name, uint64_t *out_s)
{
    const licet_structured_row *row = licet_structured_parameter(params, name);

    if (row == NULL || row->kind != LICET_STRUCTURED_INTEGER || row->number < 0) {
        return false;
    }
    *out_s = (uint64_t)row->number;
    return true;
}

static bool
read_parameters(const licet_structured_row *params, licet_signature *s, licet_error *err)
{
    licet_bytes algorithm;

    if (!string_parameter(params, "keyid", LICET_THUMBPRINT_LEN, &s->key_id)) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "keyid: expected the key's JWK thumbprint, 43 characters");
    }
    if (licet_structured_parameter(params, "nonce") != NULL &&
        !string_parameter(params, "nonce", NONCE_MAX, &s->nonce)) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "nonce: expected a string of 1 to %d bytes", NONCE_MAX);
    }
    if (licet_structured_parameter(params, "alg") != NULL &&
        (!string_parameter(params, "alg", 16, &algorithm) || !licet_bytes_equal_text(algorithm, "ed25519"))) {
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "alg: expected ed25519");
    }
    return time_parameter(params, "created", &s->created_s) && time_parameter(params, "expires", &s->expires_s)
               ? true
               : LICET_FAIL(err, LICET_E_INVALID, 0, "created and expires: expected whole seconds since 1970");
}

static licet_proof
judge_times(const licet_signature *s, uint64_t now_s, licet_error *err)
{
    if (s->expires_s <= s->created_s || s->expires_s - s->created_s > LIFE_MAX_S) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "a signature for longer than 24 hours, or for no time");
        return LICET_PROOF_WRONG;
    }
    if (s->expires_s <= now_s || s->created_s > now_s + LICET_IDENTITY_SKEW_S) {
        LICET_FAIL(err, LICET_E_STATE, 0, "the signature is valid from %llu before %llu, now it is %llu",
                   (unsigned long long)s->created_s, (unsigned long long)s->expires_s, (unsigned long long)now_s);
        return LICET_PROOF_ENDED;
    }
    return LICET_PROOF_GOOD;
}

/* The agent that the covered component names: a member of the dictionary, or the old form, a string alone. */
static bool
read_agent(const licet_signed_request *request, const licet_structured_row *params, licet_signature *s, size_t *used,
           licet_error *err)
{
    const licet_structured_row *component = covered(params, "signature-agent"), *agent;
    const licet_structured_row *key = licet_structured_parameter(component, "key");
    licet_buffer canonical;
    uint32_t first;
    bool ok;

    if (read_field(request, "signature-agent", key != NULL ? LICET_STRUCTURED_DICTIONARY : LICET_STRUCTURED_ITEM, s,
                   used, &first, err) != LICET_PROOF_GOOD) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "Signature-Agent: expected %s",
                          key != NULL ? "a dictionary of strings" : "a string");
    }
    agent = key != NULL ? licet_structured_member(&s->value, first, s->value.len, key->text) : &s->rows[first];
    if (agent == NULL || agent->kind != LICET_STRUCTURED_STRING) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "Signature-Agent: the member that the signature covers is no URL");
    }
    licet_buffer_init(&canonical, sizeof(s->agent_text));
    ok = licet_identity_agent(&canonical, agent->text, err);
    if (ok) {
        memcpy(s->agent_text, canonical.data, canonical.len);
        s->agent = licet_bytes_of(s->agent_text, canonical.len);
    }
    licet_buffer_done(&canonical);
    return ok;
}

static bool
make_base(const licet_signed_request *request, const licet_structured_row *params, licet_signature *s, licet_error *err)
{
    licet_buffer base;
    bool ok;

    licet_buffer_init(&base, sizeof(s->base_text));
    ok = licet_signature_base(request, params, &base, err);
    if (ok) {
        memcpy(s->base_text, base.data, base.len);
        s->base = licet_bytes_of(s->base_text, base.len);
    }
    licet_buffer_done(&base);
    return ok;
}

licet_proof
licet_signature_read(const licet_signed_request *request, uint64_t now_s, licet_signature *out, licet_error *err)
{
    const licet_structured_row *params, *bytes;
    uint32_t inputs, inputs_end, signatures;
    licet_proof proof;
    size_t used = 0;

    out->agent = out->key_id = out->nonce = out->bytes = out->base = (licet_bytes){NULL, 0};
    out->value = (licet_structured){out->rows, LICET_SIGNATURE_ROWS, 0, out->text, sizeof(out->text), 0};
    proof = read_field(request, "signature-input", LICET_STRUCTURED_DICTIONARY, out, &used, &inputs, err);
    if (proof != LICET_PROOF_GOOD) {
        return proof;
    }
    inputs_end = out->value.len;
    params = find_tagged(out, inputs, inputs_end, err);
    if (params == NULL) {
        return LICET_PROOF_WRONG;
    }
    if (read_field(request, "signature", LICET_STRUCTURED_DICTIONARY, out, &used, &signatures, err) !=
        LICET_PROOF_GOOD) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "Signature: expected a dictionary of byte sequences");
        return LICET_PROOF_WRONG;
    }
    bytes = licet_structured_member(&out->value, signatures, out->value.len, params->key);
    if (bytes == NULL || bytes->kind != LICET_STRUCTURED_BYTES || bytes->text.len != 64) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "Signature: expected 64 bytes under the label of Signature-Input");
        return LICET_PROOF_WRONG;
    }
    out->bytes = bytes->text;
    if (!check_covered(params, err) || !read_parameters(params, out, err) ||
        !read_agent(request, params, out, &used, err)) {
        return LICET_PROOF_WRONG;
    }
    proof = judge_times(out, now_s, err);
    return proof != LICET_PROOF_GOOD || make_base(request, params, out, err) ? proof : LICET_PROOF_WRONG;
}

bool
licet_signature_verify(const licet_signature *signature, const uint8_t key[LICET_KEY_LEN])
{
    char thumbprint[LICET_THUMBPRINT_LEN + 1];
    EVP_PKEY *public;
    EVP_MD_CTX *ctx;
    bool good;

    licet_key_thumbprint(key, thumbprint);
    if (signature->base.data == NULL ||
        !licet_bytes_equal_secret(signature->key_id, licet_bytes_of(thumbprint, LICET_THUMBPRINT_LEN))) {
        return false;
    }
    public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, LICET_KEY_LEN);
    ctx = EVP_MD_CTX_new();
    good = public != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public) == 1 &&
           EVP_DigestVerify(ctx, signature->bytes.data, signature->bytes.len, signature->base.data,
                            signature->base.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(public);
    return good;
}
