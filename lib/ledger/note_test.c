/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of keys, notes and checkpoints: published vectors and everything that must be refused. */
#include "ledger_test.h"

#include "note.h"

#define DASH "\xe2\x80\x94 "
#define VERIFIER "licet.example/log-one+124d9418+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define SIGNER "PRIVATE+KEY+licet.example/log-one+124d9418+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define ROOT_7 "o+I7Msy2v5bQktFl2KpUbgmCnejwOw6JV1gdHha5K98="
#define TEXT_7 "licet.example/log-one\n7\n" ROOT_7 "\n"
#define BLOB_7 "Ek2UGKdMhXMmiX+ZDY4VcZIU15vUu0/2b251kSIEBDOAeext3vIKZGJRWLHq3yMbbiqgZs0oVEYlmgfAIUXjs1PcCAU="
#define LINE_7 DASH "licet.example/log-one " BLOB_7 "\n"
#define NOTE_7 TEXT_7 "\n" LINE_7
#define LINE_70000                                                                                                     \
    DASH "licet.example/log-one "                                                                                      \
         "Ek2UGLQApq4Jhe0rdiybfipraMOPLieBvchSCxZzx0RvJJvqmJnyBL16pCtEQTXZMxTEXHWN+sNkuXHA4gHpl0H9sgo=\n"
#define NOTE_70000 "licet.example/log-one\n70000\nGkzfy2Y3SgwNy+9JrL1JdtE+6GT7PLJB/JQ8rQTwL34=\n\n" LINE_70000
/* A witness's line over NOTE_7: of a key that is not known here. */
#define WITNESS                                                                                                        \
    DASH "witness.example/w1 "                                                                                         \
         "IDJKvgAAAABlU/EAzx+Dk0SKbBNjAxKN1IK8gcyhnSn4KvxfyEbX705ctoWXuuj8abi6nC7Ox5jTPFVcBu7iXiK85O3rHi1WRn7JDQ==\n"

static licet_verifier_key
verifier(void)
{
    licet_verifier_key key;
    MUST(licet_verifier_key_parse(LICET_BYTES_LITERAL(VERIFIER), &key, oops));
    return key;
}

static licet_signer_key
signer(void)
{
    licet_signer_key key;
    MUST(licet_signer_key_parse(LICET_BYTES_LITERAL(SIGNER), &key, oops));
    return key;
}

static void
test_key_vectors(void **state)
{
    licet_signer_key made, parsed = signer();
    licet_verifier_key public_key = verifier();
    licet_buffer out;
    uint8_t seed[32];
    char hex[65];
    for (unsigned i = 0; i < 32; i++)
        seed[i] = (uint8_t)i;
    MUST(licet_signer_key_make(LICET_BYTES_LITERAL("licet.example/log-one"), seed, &made, oops));
    licet_hex(made.verifier.public_key, 32, hex);
    assert_string_equal(hex, "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
    assert_int_equal(made.verifier.id, 0x124d9418);
    assert_memory_equal(&made, &parsed, sizeof(made));
    assert_memory_equal(&made.verifier, &public_key, sizeof(public_key));
    licet_buffer_init(&out, 1000);
    assert_true(licet_verifier_key_format(&public_key, &out));
    assert_true(licet_bytes_equal_text(licet_buffer_view(&out), VERIFIER));
    out.len = 0;
    assert_true(licet_signer_key_format(&made, &out));
    assert_true(licet_bytes_equal_text(licet_buffer_view(&out), SIGNER));
    licet_buffer_done(&out);
}

static void
test_keys_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "licet.example/log-one",
        "licet.example/log-one+124d9418",
        "licet.example/log-one+124d9419+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", /* id */
        "licet.example/log-two+124d9418+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", /* name */
        "licet.example/log-one+124D9418+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", /* upper case */
        "licet.example/log-one+24d9418+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",  /* seven digits */
        "licet.example/log-one+124d9418+BQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", /* type 5 */
        "licet.example/log-one+124d9418+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTE=", /* 32 bytes */
        "licet.example/log-one+124d9418+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4AA==",
        "licet.example/log-one+124d9418+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n",
        "+124d9418+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "licet example+124d9418+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        licet_verifier_key key;
        licet_signer_key secret;
        char text[300];
        licet_error err = {0};
        if (licet_verifier_key_parse(licet_bytes_of_text(bad[i]), &key, &err) || err.text[0] == '\0')
            fail_msg("accepted: %s", bad[i]);
        snprintf(text, sizeof(text), "PRIVATE+KEY+%s", bad[i]);
        if (licet_signer_key_parse(licet_bytes_of_text(text), &secret, &err))
            fail_msg("accepted: %s", text);
    }
    licet_signer_key secret;
    licet_error err = {0};
    assert_false(licet_signer_key_parse(LICET_BYTES_LITERAL(VERIFIER), &secret, &err));
    static const char *const names[] = {"",           "a+b",           "a b",          "a\tb",
                                        "a\xc2\xa0z", "a\xe2\x80\xa8", "\xe3\x80\x80", "a\xff"};
    uint8_t seed[32] = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (licet_signer_key_make(licet_bytes_of_text(names[i]), seed, &secret, &err))
            fail_msg("accepted name %zu", i);
    char longest[LICET_KEY_NAME_MAX + 2];
    memset(longest, 'n', sizeof(longest));
    assert_false(licet_signer_key_make(licet_bytes_of(longest, 256), seed, &secret, &err));
    MUST(licet_signer_key_make(licet_bytes_of(longest, 255), seed, &secret, oops));
    MUST(licet_signer_key_make(LICET_BYTES_LITERAL("b\xc3\xbc"
                                                   "cher/1"),
                               seed, &secret, oops));
}

static void
test_note_vectors(void **state)
{
    static const struct {
        const char *note;
        uint64_t size;
        const char *root;
    } notes[] = {{NOTE_7, 7, "a3e23b32ccb6bf96d092d165d8aa546e09829de8f03b0e8957581d1e16b92bdf"},
                 {NOTE_70000, 70000, "1a4cdfcb66374a0c0dcbef49acbd4976d13ee864fb3cb241fc943cad04f02f7e"}};
    licet_signer_key secret = signer();
    licet_verifier_key key = verifier();
    for (size_t i = 0; i < 2; i++) {
        licet_checkpoint c = {.size = notes[i].size}, opened;
        licet_buffer text, note;
        memcpy(c.origin, "licet.example/log-one", 22);
        assert_true(licet_unhex(licet_bytes_of_text(notes[i].root), c.root.bytes, 32));
        licet_buffer_init(&text, 1000);
        licet_buffer_init(&note, 1000);
        assert_true(licet_checkpoint_format(&c, &text));
        MUST(licet_note_sign(licet_buffer_view(&text), &secret, &note, oops));
        if (!licet_bytes_equal_text(licet_buffer_view(&note), notes[i].note))
            fail_msg("note of size %llu:\n%.*s", (unsigned long long)c.size, (int)note.len, (const char *)note.data);
        MUST(licet_checkpoint_open(licet_buffer_view(&note), &key, 1, &opened, oops));
        assert_true(opened.size == c.size && memcmp(opened.root.bytes, c.root.bytes, 32) == 0);
        assert_string_equal(opened.origin, c.origin);
        licet_buffer_done(&text);
        licet_buffer_done(&note);
    }
    licet_bytes whole = LICET_BYTES_LITERAL(NOTE_7);
    licet_hash hash = licet_sha256(&whole, 1);
    char hex[65];
    licet_hex(hash.bytes, 32, hex);
    assert_int_equal(whole.len, 189);
    assert_string_equal(hex, "92b9df2829f1fe81b7cc0caa1c9fc7241a96ac5ac946bc16527cc40f1e2005a3");
}

/* ---- what must be refused -------------------------------------------------------------- */

static const struct {
    const char *what, *note;
} BAD_NOTES[] = {
    {"nothing", ""},
    {"one line end", "\n"},
    {"two line ends", "\n\n"},
    {"empty line removed", TEXT_7 LINE_7},
    {"final LF removed", TEXT_7 "\n" DASH "licet.example/log-one " BLOB_7},
    {"a line x behind", NOTE_7 "x\n"},
    {"an empty line behind", NOTE_7 "\n"},
    {"CR LF", "licet.example/log-one\r\n7\r\n" ROOT_7 "\r\n\r\n" LINE_7},
    {"size changed", "licet.example/log-one\n8\n" ROOT_7 "\n\n" LINE_7},
    {"text only", TEXT_7},
    {"text and empty line", TEXT_7 "\n"},
    {"no base64", TEXT_7 "\n" DASH "licet.example/log-one Ek2UGKdMh!!!\n"},
    {"four bytes", TEXT_7 "\n" DASH "licet.example/log-one Ek2UGA==\n"},
    {"three bytes", TEXT_7 "\n" DASH "licet.example/log-one Ek2U\n"},
    {"no bytes", TEXT_7 "\n" DASH "licet.example/log-one \n"},
    {"base64 that is not canonical", TEXT_7 "\n" DASH "licet.example/log-one " BLOB_7 "=\n"},
    {"TAB in the text", "licet.example/log-one\t\n7\n" ROOT_7 "\n\n" LINE_7},
    {"control byte in the text", "licet.example/log-one\x01\n7\n" ROOT_7 "\n\n" LINE_7},
    {"invalid UTF-8", "licet.example/log-one\xff\n7\n" ROOT_7 "\n\n" LINE_7},
    {"cut UTF-8", "licet.example/log-one\xe2\x80\n7\n" ROOT_7 "\n\n" LINE_7},
    {"surrogate", "licet.example/log-one\xed\xa0\x80\n7\n" ROOT_7 "\n\n" LINE_7},
    {"overlong UTF-8", "licet.example/log-one\xc0\xaf\n7\n" ROOT_7 "\n\n" LINE_7},
    {"'+' in a name", NOTE_7 DASH "a+b AAAAAAA=\n"},
    {"U+00A0 in a name", NOTE_7 DASH "a\xc2\xa0"
                                     "b AAAAAAA=\n"},
    {"no name", NOTE_7 DASH " AAAAAAA=\n"},
    {"no dash", NOTE_7 "- x AAAAAAA=\n"},
    {"only a witness", TEXT_7 "\n" WITNESS},
    {"the same name, another id",
     TEXT_7 "\n" DASH "licet.example/log-one "
            "AAAAAKdMhXMmiX+ZDY4VcZIU15vUu0/2b251kSIEBDOAeext3vIKZGJRWLHq3yMbbiqgZs0oVEYlmgfAIUXjs1PcCAU=\n"},
    {"the same id, another name", TEXT_7 "\n" DASH "licet.example/log-two " BLOB_7 "\n"},
    {"signed twice", NOTE_7 LINE_7},
    {"of the known key, but 63 bytes",
     TEXT_7 "\n" DASH "licet.example/log-one "
            "Ek2UGKdMhXMmiX+ZDY4VcZIU15vUu0/2b251kSIEBDOAeext3vIKZGJRWLHq3yMbbiqgZs0oVEYlmgfAIUXjs1PcCA==\n"},
};

static void
test_notes_refused(void **state)
{
    licet_verifier_key key = verifier();
    for (size_t i = 0; i < sizeof(BAD_NOTES) / sizeof(BAD_NOTES[0]); i++) {
        licet_checkpoint c;
        licet_error err = {0};
        if (licet_checkpoint_open(licet_bytes_of_text(BAD_NOTES[i].note), &key, 1, &c, &err))
            fail_msg("accepted: %s", BAD_NOTES[i].what);
        if (err.code == LICET_E_NONE || err.text[0] == '\0')
            fail_msg("refused without a word: %s", BAD_NOTES[i].what);
    }
}

/* Signed well, but not a checkpoint. */
static const struct {
    const char *what, *text;
} BAD_CHECKPOINTS[] = {
    {"two lines", "licet.example/log-one\n7\n"},
    {"one line", "licet.example/log-one\n"},
    {"empty origin", "\n7\n" ROOT_7 "\n"},
    {"other origin", "licet.example/log-two\n7\n" ROOT_7 "\n"},
    {"size 007", "licet.example/log-one\n007\n" ROOT_7 "\n"},
    {"size +7", "licet.example/log-one\n+7\n" ROOT_7 "\n"},
    {"size -1", "licet.example/log-one\n-1\n" ROOT_7 "\n"},
    {"size ' 7'", "licet.example/log-one\n 7\n" ROOT_7 "\n"},
    {"size '7 '", "licet.example/log-one\n7 \n" ROOT_7 "\n"},
    {"no size", "licet.example/log-one\n\n" ROOT_7 "\n"},
    {"size 2^63", "licet.example/log-one\n9223372036854775808\n" ROOT_7 "\n"},
    {"size 2^64", "licet.example/log-one\n18446744073709551616\n" ROOT_7 "\n"},
    {"root of 31 bytes", "licet.example/log-one\n7\no+I7Msy2v5bQktFl2KpUbgmCnejwOw6JV1gdHha5Kw==\n"},
    {"root of 33 bytes", "licet.example/log-one\n7\no+I7Msy2v5bQktFl2KpUbgmCnejwOw6JV1gdHha5K98A\n"},
    {"root without padding", "licet.example/log-one\n7\no+I7Msy2v5bQktFl2KpUbgmCnejwOw6JV1gdHha5K98\n"},
    {"root with padding bits", "licet.example/log-one\n7\no+I7Msy2v5bQktFl2KpUbgmCnejwOw6JV1gdHha5K99=\n"},
    {"empty extension", "licet.example/log-one\n7\n" ROOT_7 "\n\n"},
    {"empty extension before one", "licet.example/log-one\n7\n" ROOT_7 "\n\nmore\n"},
};

static bool
sign_and_open(const char *text, licet_checkpoint *c, licet_error *err)
{
    licet_signer_key secret = signer();
    licet_buffer note;
    licet_buffer_init(&note, 100000);
    bool ok = licet_note_sign(licet_bytes_of_text(text), &secret, &note, err) &&
              licet_checkpoint_open(licet_buffer_view(&note), &secret.verifier, 1, c, err);
    licet_buffer_done(&note);
    return ok;
}

static void
test_checkpoints_refused(void **state)
{
    licet_checkpoint c;
    for (size_t i = 0; i < sizeof(BAD_CHECKPOINTS) / sizeof(BAD_CHECKPOINTS[0]); i++) {
        licet_error err = {0};
        if (sign_and_open(BAD_CHECKPOINTS[i].text, &c, &err))
            fail_msg("accepted: %s", BAD_CHECKPOINTS[i].what);
        assert_true(err.code == LICET_E_INVALID);
    }
    MUST(sign_and_open(TEXT_7 "an extension\n", &c, oops));
    MUST(sign_and_open("licet.example/log-one\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", &c, oops));
    assert_true(c.size == 0);
    MUST(sign_and_open("licet.example/log-one\n9223372036854775807\n" ROOT_7 "\n", &c, oops));
    assert_true(c.size == INT64_MAX);
}

/* An unknown line before, behind and between is passed over; a known one that fails spoils all. */
static void
test_other_signatures(void **state)
{
    licet_verifier_key keys[2] = {verifier()};
    licet_signer_key second;
    licet_checkpoint c;
    licet_error err = {0};
    licet_buffer note;
    uint8_t seed[32] = {1};
    MUST(licet_checkpoint_open(LICET_BYTES_LITERAL(TEXT_7 "\n" WITNESS LINE_7), keys, 1, &c, oops));
    MUST(licet_checkpoint_open(LICET_BYTES_LITERAL(NOTE_7 WITNESS WITNESS), keys, 1, &c, oops));
    assert_int_equal(c.size, 7);
    assert_false(licet_checkpoint_open(LICET_BYTES_LITERAL(NOTE_7), keys, 0, &c, &err));
    MUST(licet_signer_key_make(LICET_BYTES_LITERAL("other"), seed, &second, oops));
    licet_buffer_init(&note, 10000);
    MUST(licet_note_sign(LICET_BYTES_LITERAL(TEXT_7), &second, &note, oops));
    keys[1] = second.verifier;
    assert_false(licet_checkpoint_open(licet_buffer_view(&note), keys, 2, &c, &err)); /* not of that origin */
    licet_put_bytes(&note, LICET_BYTES_LITERAL(LINE_7));
    MUST(licet_checkpoint_open(licet_buffer_view(&note), keys, 2, &c, oops));
    note.data[note.len - 10] ^= 1; /* the last line is the log's own */
    assert_false(licet_checkpoint_open(licet_buffer_view(&note), keys, 2, &c, &err));
    licet_buffer_done(&note);
    licet_buffer_init(&note, 100000);
    licet_put_bytes(&note, LICET_BYTES_LITERAL(NOTE_7));
    for (unsigned i = 1; i < NOTE_SIGNATURES_MAX; i++)
        licet_put_bytes(&note, LICET_BYTES_LITERAL(WITNESS));
    MUST(licet_checkpoint_open(licet_buffer_view(&note), keys, 1, &c, oops));
    licet_put_bytes(&note, LICET_BYTES_LITERAL(WITNESS));
    assert_false(licet_checkpoint_open(licet_buffer_view(&note), keys, 1, &c, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    licet_buffer_done(&note);
}

static void
test_every_byte_of_a_note(void **state)
{
    licet_verifier_key key = verifier();
    licet_checkpoint c;
    char note[] = NOTE_7;
    for (size_t i = 0; i + 1 < sizeof(note); i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            note[i] ^= (char)(1 << bit);
            if (licet_checkpoint_open(licet_bytes_of(note, sizeof(note) - 1), &key, 1, &c, NULL))
                fail_msg("byte %zu, bit %u", i, bit);
            note[i] ^= (char)(1 << bit);
        }
    for (size_t len = 0; len + 1 < sizeof(note); len++)
        assert_false(licet_checkpoint_open(licet_bytes_of(note, len), &key, 1, &c, NULL));
}

static void
test_texts_not_signed(void **state)
{
    static const char *const bad[] = {"", "no line end", "a\tb\n", "\xff\n"};
    licet_signer_key secret = signer();
    licet_buffer note;
    licet_error err = {0};
    licet_buffer_init(&note, 1000);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(licet_note_sign(licet_bytes_of_text(bad[i]), &secret, &note, &err));
    assert_int_equal(note.len, 0);
    licet_buffer_done(&note);
    licet_buffer_init(&note, 100);
    assert_false(licet_note_sign(LICET_BYTES_LITERAL(TEXT_7), &secret, &note, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    licet_buffer_done(&note);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_vectors),          cmocka_unit_test(test_keys_refused),
        cmocka_unit_test(test_note_vectors),         cmocka_unit_test(test_notes_refused),
        cmocka_unit_test(test_checkpoints_refused),  cmocka_unit_test(test_other_signatures),
        cmocka_unit_test(test_every_byte_of_a_note), cmocka_unit_test(test_texts_not_signed),
    };
    return cmocka_run_group_tests_name("note", tests, NULL, NULL);
}
