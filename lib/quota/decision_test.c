/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decision ids: known answers, there and back, and what is no id.
 */
#include "world.h"

/* AES-128 of FIPS 197, appendix C.1, cannot be reached (its block does not end in zeros); these were made with
 * printf '0007000000090000000000010000…' | xxd -r -p | openssl enc -aes-128-ecb -nopad -K 1111… */
typedef struct known {
    uint8_t key;
    licet_identity identity;
    const char *text;
} known;

static const known knowns[] = {
    {0x11, {7, 9, 1}, "c2a4752dd02f35152c6ef9e28658166f"},
    {0x11, {7, 9, 2}, "496254a136706df7c82293d7a53a055b"},
    {0x00, {65535, UINT32_MAX, (UINT64_C(1) << 48) - 1}, "123c1f4af313ad8c2ce648b2e71fb6e1"},
};

static void
test_known(void **state)
{
    for (size_t i = 0; i < sizeof(knowns) / sizeof(*knowns); i++) {
        uint8_t key[16];
        char text[LICET_DECISION_TEXT];
        licet_identity back;
        memset(key, knowns[i].key, sizeof(key));
        licet_decision_id(key, knowns[i].identity, text);
        assert_string_equal(text, knowns[i].text);
        assert_true(licet_decision_identity(key, licet_bytes_of_text(text), &back));
        assert_int_equal(back.gate, knowns[i].identity.gate);
        assert_int_equal(back.epoch, knowns[i].identity.epoch);
        assert_int_equal(back.sequence, knowns[i].identity.sequence);
    }
}

static void
test_no_id(void **state)
{
    static const char *const texts[] = {"", "0", "zz010203040506070809101112131415", "00010203040506070809101112131415",
                                        "0001020304050607080910111213141516"};
    uint8_t key[16] = {1}, other[16] = {2};
    licet_identity identity;
    char text[LICET_DECISION_TEXT];

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        assert_false(licet_decision_identity(key, licet_bytes_of_text(texts[i]), &identity));
    }
    licet_decision_id(key, (licet_identity){1, 2, 3}, text);
    assert_false(licet_decision_identity(other, licet_bytes_of_text(text), &identity));
}

static void
test_worker(void **state)
{
    world w;
    char kept[LICET_DECISION_TEXT], plain[LICET_DECISION_TEXT];

    world_init(&w);
    licet_worker *worker = world_join(w.gate);
    for (uint64_t sequence = 0; sequence < 1000; sequence++) {
        licet_identity identity = {7, 9, sequence};
        licet_worker_decision_id(worker, identity, kept);
        licet_decision_id(licet_gate_decision_key(w.gate), identity, plain);
        assert_string_equal(kept, plain);
    }
    licet_worker_leave(worker, WORLD_NOW);
    world_done(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_no_id),
        cmocka_unit_test(test_worker),
    };

    return cmocka_run_group_tests_name("decision", tests, NULL, NULL);
}
