/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature bases against RFC 9421 (its Ed25519 example B.2.6 written out; the vectors of LICET_TEST_DATA), and the
 * profile: what a signature must cover, how long it lives, whose it is.
 */
#include "licet/identity.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1618884500u

/* Lines "Name: value" of a head, in any order. */
typedef struct head {
    const char *text;
    size_t len;
} head;

static bool
field(void *user, licet_bytes name, licet_buffer *out)
{
    const head *h = user;
    bool found = false;

    for (const char *line = h->text, *end; line < h->text + h->len; line = end + 1) {
        size_t left = (size_t)(h->text + h->len - line);
        end = memchr(line, '\n', left);
        if (end == NULL) {
            end = line + left;
        }
        if ((size_t)(end - line) > name.len + 1 && line[name.len] == ':' &&
            strncasecmp(line, (const char *)name.data, name.len) == 0) {
            const char *from = line + name.len + 1, *to = end;
            for (; from < to && *from == ' '; from++) {
            }
            for (; to > from && (to[-1] == ' ' || to[-1] == '\r'); to--) {
            }
            licet_put_format(out, "%s%.*s", found ? ", " : "", (int)(to - from), from);
            found = true;
        }
    }
    return found;
}

static licet_signed_request
request_of(head *h)
{
    return (licet_signed_request){LICET_BYTES_LITERAL("POST"),
                                  LICET_BYTES_LITERAL("http"),
                                  LICET_BYTES_LITERAL("Example.com:80"),
                                  LICET_BYTES_LITERAL("/foo"),
                                  LICET_BYTES_LITERAL("param=Value&Pet=dog"),
                                  true,
                                  field,
                                  h};
}

/* The base for the first member of Signature-Input in the head; with a NUL. */
static bool
base_of(head *h, licet_buffer *out, licet_error *err)
{
    static licet_structured_row rows[LICET_SIGNATURE_ROWS];
    static uint8_t text[LICET_SIGNATURE_TEXT];
    licet_structured value = {rows, LICET_SIGNATURE_ROWS, 0, text, sizeof(text), 0};
    licet_signed_request request = request_of(h);
    licet_buffer input;
    uint32_t first;
    bool ok;

    licet_buffer_init(&input, 8192);
    assert_true(field(h, LICET_BYTES_LITERAL("signature-input"), &input));
    assert_true(licet_structured_read(&value, LICET_STRUCTURED_DICTIONARY, licet_buffer_view(&input), &first, NULL));
    ok = licet_signature_base(&request, &rows[first], out, err);
    licet_put_u8(out, '\0');
    licet_buffer_done(&input);
    return ok;
}

#define DATE "Date: Tue, 20 Apr 2021 02:07:55 GMT\n"
#define TYPED "Content-Type: application/json\nContent-Length: 18\n"

/* RFC 9421, B.2.6: the base, and the signature by the key of B.1.4. */
static void
test_rfc_ed25519(void **state)
{
    static const char lines[] =
        DATE TYPED "Signature-Input: sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
                   "\"content-length\");created=1618884473;keyid=\"test-key-ed25519\"\n";
    static const char base[] = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
                               "\"@method\": POST\n"
                               "\"@path\": /foo\n"
                               "\"@authority\": example.com\n"
                               "\"content-type\": application/json\n"
                               "\"content-length\": 18\n"
                               "\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
                               "\"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
    head h = {lines, sizeof(lines) - 1};
    uint8_t key[LICET_KEY_LEN], signature[64];
    char thumbprint[LICET_THUMBPRINT_LEN + 1];
    static licet_signature shown;
    licet_buffer out;
    size_t len;

    licet_buffer_init(&out, 8192);
    assert_true(base_of(&h, &out, NULL));
    assert_string_equal((const char *)out.data, base);
    assert_true(licet_unbase64url(LICET_BYTES_LITERAL("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"), key, 32, &len));
    assert_true(licet_unbase64(LICET_BYTES_LITERAL("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu"
                                                   "4A0w6vuQv5lIp5WPpBKRCw=="),
                               signature, 64, &len));
    licet_key_thumbprint(key, thumbprint);
    assert_string_equal(thumbprint, "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U");
    shown.key_id = licet_bytes_of_text(thumbprint);
    shown.bytes = licet_bytes_of(signature, 64);
    shown.base = licet_bytes_of(out.data, out.len - 1);
    assert_true(licet_signature_verify(&shown, key));
    shown.base.len--;
    assert_false(licet_signature_verify(&shown, key));
    shown.base.len++;
    signature[10] ^= 1;
    assert_false(licet_signature_verify(&shown, key));
    signature[10] ^= 1;
    shown.key_id = LICET_BYTES_LITERAL("test-key-ed25519");
    assert_false(licet_signature_verify(&shown, key));
    licet_buffer_done(&out);
}

static char *
read_data(const char *name, size_t *out_len)
{
    const char *data = getenv("LICET_TEST_DATA"), *root = getenv("LICET_SOURCE_ROOT");
    char path[4096];
    uint8_t *text = NULL;

    snprintf(path, sizeof(path), "%s%s/06-signatures/rfc9421-httpsig-go/%s",
             data != NULL   ? data
             : root != NULL ? root
                            : ".",
             data != NULL ? "" : "/../shared/data", name);
    return licet_file_read(path, 65536, &text, out_len, NULL) ? (char *)text : NULL;
}

static void
test_vectors(void **state)
{
    static const char *const names[] = {"b21", "b22", "b23"};

    for (size_t i = 0; i < 3; i++) {
        char file[64];
        size_t len, base_len;
        licet_buffer out;
        char *request, *base;
        head h;

        snprintf(file, sizeof(file), "%s_request_signed.txt", names[i]);
        request = read_data(file, &len);
        snprintf(file, sizeof(file), "%s_request_sigbase.txt", names[i]);
        base = read_data(file, &base_len);
        if (request == NULL || base == NULL) {
            free(request);
            free(base);
            skip();
        }
        h = (head){request, len};
        licet_buffer_init(&out, 8192);
        assert_true(base_of(&h, &out, NULL));
        while (base_len > 0 && base[base_len - 1] == '\n') {
            base[--base_len] = '\0';
        }
        assert_string_equal((const char *)out.data, base);
        licet_buffer_done(&out);
        free(request);
        free(base);
    }
}

static void
test_components(void **state)
{
    static const struct {
        const char *components, *base; /* NULL: refused */
    } cases[] = {
        {"\"@target-uri\"", "\"@target-uri\": http://example.com/foo?param=Value&Pet=dog"},
        {"\"@request-target\" \"@scheme\"", "\"@request-target\": /foo?param=Value&Pet=dog\n\"@scheme\": http"},
        {"\"@query\"", "\"@query\": ?param=Value&Pet=dog"},
        {"\"two\"", "\"two\": a, b"},
        {"\"dict\";key=\"b\" \"dict\";key=\"a\"", "\"dict\";key=\"b\": (x);y\n\"dict\";key=\"a\": 1"},
        {"\"@query-param\";name=\"param\"", "\"@query-param\";name=\"param\": Value"},
        {"\"@query-param\";name=\"none\"", NULL},
        {"\"@method\" \"@method\"", NULL},
        {"\"two\" \"@path\" \"two\"", NULL},
        {"\"@method\";req", NULL},
        {"\"@status\"", NULL},
        {"\"@signature-params\"", NULL},
        {"\"absent\"", NULL},
        {"\"Two\"", NULL},
        {"\"two\";sf", NULL},
        {"\"dict\";key=\"c\"", NULL},
        {"\"two\";key=\"a;\"", NULL},
        {"two", NULL},
        {"\"\"", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char lines[512], wanted[512];
        licet_error err = {0};
        licet_buffer out;
        head h = {lines, 0};
        bool ok;

        h.len =
            (size_t)snprintf(lines, sizeof(lines), "Two: a \nDict: a=1,  b=(x);y\nTwo:  b\nSignature-Input: s=(%s)\n",
                             cases[i].components);
        licet_buffer_init(&out, 8192);
        ok = base_of(&h, &out, &err);
        if (ok != (cases[i].base != NULL)) {
            fail_msg("%s: %s", cases[i].components, ok ? (const char *)out.data : err.text);
        }
        if (ok) {
            snprintf(wanted, sizeof(wanted), "%s\n\"@signature-params\": (%s)", cases[i].base, cases[i].components);
            assert_string_equal((const char *)out.data, wanted);
        }
        licet_buffer_done(&out);
    }
}

/* ---- the profile ----------------------------------------------------------------- */

typedef struct signer {
    EVP_PKEY *private;
    uint8_t key[LICET_KEY_LEN];
    char id[LICET_THUMBPRINT_LEN + 1];
} signer;

static signer
make_signer(uint8_t seed)
{
    uint8_t secret[32];
    size_t len = LICET_KEY_LEN;
    signer s;

    memset(secret, seed, sizeof(secret));
    s.private = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof(secret));
    assert_int_equal(EVP_PKEY_get_raw_public_key(s.private, s.key, &len), 1);
    licet_key_thumbprint(s.key, s.id);
    return s;
}

#define COVER "\"@method\" \"@path\" \"@authority\" \"signature-agent\";key=\"me\""
#define LIFE ";created=1618884473;expires=1618884600"
#define TAG ";tag=\"web-bot-auth\""
#define AGENT "Signature-Agent: me=\"https://Agent.test/\"\n"

/* Signs the params with s, and gives the head that shows it. */
static head
signed_head(const signer *s, const char *params, const char *agent, char *lines, size_t room)
{
    char input[1024], base64[96];
    uint8_t signature[64];
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    licet_buffer base;
    head h = {lines, 0};

    snprintf(input, sizeof(input), params, s->id);
    h.len = (size_t)snprintf(lines, room, "%sSignature-Input: x=%s\n", agent, input);
    licet_buffer_init(&base, 16384);
    memset(signature, 0, sizeof(signature));
    if (base_of(&h, &base, NULL)) {
        assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, s->private), 1);
        assert_int_equal(EVP_DigestSign(ctx, signature, &len, base.data, base.len - 1), 1);
    }
    licet_base64(signature, sizeof(signature), base64);
    h.len = (size_t)snprintf(lines, room, "%sSignature-Input: x=%s\nSignature: x=:%s:\n", agent, input, base64);
    licet_buffer_done(&base);
    EVP_MD_CTX_free(ctx);
    return h;
}

static void
test_profile(void **state)
{
    static const char good[] = "(" COVER ")" LIFE ";keyid=\"%s\"" TAG;
    static const struct {
        const char *params, *agent;
        licet_proof proof;
    } cases[] = {
        {good, AGENT, LICET_PROOF_GOOD},
        {"( " COVER " )" LIFE ";keyid=\"%s\";nonce=\"n\";alg=\"ed25519\"" TAG, AGENT, LICET_PROOF_GOOD},
        {"(\"@method\" \"@path\" \"@target-uri\" \"signature-agent\")" LIFE ";keyid=\"%s\"" TAG,
         "Signature-Agent: \"https://agent.test\"\n", LICET_PROOF_GOOD},
        {good, "Signature-Agent: me=\"https://agent.test\";type=directory, you=\"https://other.test\"\n",
         LICET_PROOF_GOOD},
        {"(\"@path\" \"@authority\" \"signature-agent\";key=\"me\")" LIFE ";keyid=\"%s\"" TAG, AGENT,
         LICET_PROOF_WRONG},
        {"(\"@method\" \"@authority\" \"signature-agent\";key=\"me\")" LIFE ";keyid=\"%s\"" TAG, AGENT,
         LICET_PROOF_WRONG},
        {"(\"@method\" \"@path\" \"signature-agent\";key=\"me\")" LIFE ";keyid=\"%s\"" TAG, AGENT, LICET_PROOF_WRONG},
        {"(\"@method\" \"@path\" \"@authority\")" LIFE ";keyid=\"%s\"" TAG, AGENT, LICET_PROOF_WRONG},
        {"(" COVER ")" LIFE ";keyid=\"%s\"", AGENT, LICET_PROOF_WRONG},
        {"(" COVER ")" LIFE ";keyid=\"%s\";tag=\"other\"", AGENT, LICET_PROOF_WRONG},
        {"(" COVER ")" LIFE ";keyid=\"%s\";tag=web-bot-auth", AGENT, LICET_PROOF_WRONG},
        {"(" COVER ");created=1618884473;keyid=\"%s\"" TAG, AGENT, LICET_PROOF_WRONG},
        {"(" COVER ");expires=1618884600;keyid=\"%s\"" TAG, AGENT, LICET_PROOF_WRONG},
        {"(" COVER ");created=1618884473;expires=1618970873;keyid=\"%s\"" TAG, AGENT, LICET_PROOF_GOOD},
        {"(" COVER ");created=1618884473;expires=1618970874;keyid=\"%s\"" TAG, AGENT, LICET_PROOF_WRONG},
        {"(" COVER ");created=1618884473;expires=1618884473;keyid=\"%s\"" TAG, AGENT, LICET_PROOF_WRONG},
        {"(" COVER ");created=1618884473;expires=1618884500;keyid=\"%s\"" TAG, AGENT, LICET_PROOF_ENDED},
        {"(" COVER ");created=1618884473;expires=1618884501;keyid=\"%s\"" TAG, AGENT, LICET_PROOF_GOOD},
        {"(" COVER ");created=1618884530;expires=1618884600;keyid=\"%s\"" TAG, AGENT, LICET_PROOF_GOOD},
        {"(" COVER ");created=1618884531;expires=1618884600;keyid=\"%s\"" TAG, AGENT, LICET_PROOF_ENDED},
        {"(" COVER ");created=-1;expires=1618884600;keyid=\"%s\"" TAG, AGENT, LICET_PROOF_WRONG},
        {"(" COVER ")" LIFE ";keyid=\"%s\";alg=\"hmac-sha256\"" TAG, AGENT, LICET_PROOF_WRONG},
        {"(" COVER ")" LIFE ";keyid=\"%s\";nonce=\"\"" TAG, AGENT, LICET_PROOF_WRONG},
        {"(" COVER ")" LIFE ";keyid=\"%s-and-more\"" TAG, AGENT, LICET_PROOF_WRONG},
        {"(" COVER ")" LIFE TAG, AGENT, LICET_PROOF_WRONG},
        {"\"x\"" LIFE ";keyid=\"%s\"" TAG, AGENT, LICET_PROOF_WRONG},
        {good, "", LICET_PROOF_WRONG},
        {good, "Signature-Agent: you=\"https://agent.test\"\n", LICET_PROOF_WRONG},
        {good, "Signature-Agent: me=\"http://agent.test\"\n", LICET_PROOF_WRONG},
        {good, "Signature-Agent: me=\"https://a@agent.test\"\n", LICET_PROOF_WRONG},
        {good, "Signature-Agent: me=agent\n", LICET_PROOF_WRONG},
        {good, "Signature-Agent: me=\"https://\"\n", LICET_PROOF_WRONG},
        {good, "Signature-Agent: \"https://agent.test\"\n", LICET_PROOF_WRONG},
    };
    signer s = make_signer(7), other = make_signer(8);
    static licet_signature shown;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char lines[4096];
        head h = signed_head(&s, cases[i].params, cases[i].agent, lines, sizeof(lines));
        licet_signed_request request = request_of(&h);
        licet_error err = {0};
        licet_proof proof = licet_signature_read(&request, NOW, &shown, &err);

        if (proof != cases[i].proof) {
            fail_msg("%s %s: proof %d, %s", cases[i].params, cases[i].agent, proof, err.text);
        }
        if (proof != LICET_PROOF_GOOD) {
            continue;
        }
        assert_true(licet_bytes_equal_text(shown.agent, "https://agent.test"));
        assert_true(licet_bytes_equal_text(shown.key_id, s.id));
        assert_true(licet_signature_verify(&shown, s.key));
        assert_false(licet_signature_verify(&shown, other.key));
        request.method = LICET_BYTES_LITERAL("GET");
        assert_int_equal(licet_signature_read(&request, NOW, &shown, &err), LICET_PROOF_GOOD);
        assert_false(licet_signature_verify(&shown, s.key));
        request = request_of(&h);
        request.path = LICET_BYTES_LITERAL("/fo");
        assert_int_equal(licet_signature_read(&request, NOW, &shown, &err), LICET_PROOF_GOOD);
        assert_false(licet_signature_verify(&shown, s.key));
        request = request_of(&h);
        request.authority = LICET_BYTES_LITERAL("example.org");
        assert_int_equal(licet_signature_read(&request, NOW, &shown, &err), LICET_PROOF_GOOD);
        assert_false(licet_signature_verify(&shown, s.key));
    }
    EVP_PKEY_free(s.private);
    EVP_PKEY_free(other.private);
}

/* Fields that contradict each other, or are too much. */
static void
test_fields(void **state)
{
    static const char params[] = "(" COVER ")" LIFE ";keyid=\"k\"" TAG;
    static licet_signature shown;
    char *many = malloc(65536), lines[8192], zeros[89];
    uint8_t zero[64] = {0};
    size_t len = 0;

    licet_base64(zero, sizeof(zero), zeros);
    const struct {
        const char *input, *more, *signature;
        licet_proof proof;
    } cases[] = {
        {"x=", "", "x", LICET_PROOF_GOOD},
        {"x=", ", y=();tag=\"other\"", "x", LICET_PROOF_GOOD},
        {"x=", ", y=();tag=\"web-bot-auth\"", "x", LICET_PROOF_WRONG},
        {"x=", "", "y", LICET_PROOF_WRONG},
        {"x=", ",", "x", LICET_PROOF_WRONG},
        {"X=", "", "x", LICET_PROOF_WRONG},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        head h = {lines, 0};
        licet_signed_request request = request_of(&h);
        h.len = (size_t)snprintf(lines, sizeof(lines), AGENT "Signature-Input: %s%s%s\nSignature: %s=:%s:\n",
                                 cases[i].input, params, cases[i].more, cases[i].signature, zeros);
        assert_int_equal(licet_signature_read(&request, NOW, &shown, NULL), cases[i].proof);
        h.len = 0;
        assert_int_equal(licet_signature_read(&request, NOW, &shown, NULL), LICET_PROOF_NONE);
    }
    len = (size_t)sprintf(many, "Signature-Input: x=()");
    for (int i = 0; i < 2000; i++) {
        len += (size_t)sprintf(many + len, ",a%d=()", i);
    }
    head h = {many, len};
    licet_signed_request request = request_of(&h);
    licet_error err = {0};
    assert_int_equal(licet_signature_read(&request, NOW, &shown, &err), LICET_PROOF_WRONG);
    assert_int_equal(err.code, LICET_E_LIMIT);
    free(many);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rfc_ed25519), cmocka_unit_test(test_vectors),
                                       cmocka_unit_test(test_components), cmocka_unit_test(test_profile),
                                       cmocka_unit_test(test_fields)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
