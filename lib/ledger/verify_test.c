/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of verification: every byte of every file of a small ledger is changed
 * in turn, every file is cut at every length and lengthened, entries change
 * places. Each must be found and named.
 */
#include "ledger_test.h"

#include "ledger_file.h"

#define SIZE 300 /* a full tile, a second level, a partial bundle */
#define SIGNED 290

static const char *const FILES[] = {"entries", "bundles", "tile-0", "tile-1", "commit", "checkpoint"};
#define FILES_LEN (sizeof(FILES) / sizeof(FILES[0]))

static licet_signer_key
test_key(void)
{
    licet_signer_key key;
    uint8_t seed[32];
    for (unsigned i = 0; i < 32; i++)
        seed[i] = (uint8_t)i;
    MUST(licet_signer_key_make(LICET_BYTES_LITERAL("licet-test/M-1"), seed, &key, oops));
    return key;
}

static void
append(licet_ledger *ledger, uint64_t from, uint64_t before)
{
    licet_buffer entry;
    licet_buffer_init(&entry, 1 << 16);
    for (uint64_t i = from; i < before; i++) {
        test_entry(i, &entry);
        MUST(licet_ledger_append(ledger, licet_buffer_view(&entry), oops));
    }
    licet_buffer_done(&entry);
}

static void
sign(licet_ledger *ledger)
{
    licet_signer_key key = test_key();
    licet_checkpoint checkpoint = {.size = licet_ledger_size(ledger), .root = licet_ledger_root(ledger)};
    licet_buffer text, note;
    memcpy(checkpoint.origin, key.verifier.name, sizeof(checkpoint.origin));
    licet_buffer_init(&text, 1000);
    licet_buffer_init(&note, 2000);
    assert_true(licet_checkpoint_format(&checkpoint, &text));
    MUST(licet_note_sign(licet_buffer_view(&text), &key, &note, oops));
    MUST(licet_ledger_checkpoint_write(ledger, licet_buffer_view(&note), oops));
    licet_buffer_done(&text);
    licet_buffer_done(&note);
}

/* Three different commit records, a checkpoint below the size. */
static char *
small_ledger(void)
{
    char *dir = test_dir_new();
    licet_ledger *ledger = NULL;
    MUST(licet_ledger_open(dir, false, &ledger, oops));
    append(ledger, 0, 250);
    MUST(licet_ledger_commit(ledger, 10, true, oops));
    append(ledger, 250, SIGNED);
    MUST(licet_ledger_commit(ledger, 11, true, oops));
    sign(ledger);
    append(ledger, SIGNED, SIZE);
    MUST(licet_ledger_commit(ledger, 12, false, oops));
    MUST(licet_ledger_close(ledger, oops));
    return dir;
}

static bool
verify(const char *dir, licet_error *err)
{
    licet_signer_key key = test_key();
    licet_ledger_facts facts;
    return licet_ledger_verify(dir, &key.verifier, NULL, NULL, &facts, err);
}

static bool
see_entry(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    uint64_t *next = user;
    licet_buffer expected;
    licet_buffer_init(&expected, 1 << 16);
    test_entry(index, &expected);
    bool ok = index == (*next)++ && licet_bytes_equal(entry, licet_buffer_view(&expected));
    licet_buffer_done(&expected);
    return ok;
}

static void
test_whole_ledger(void **state)
{
    char *dir = small_ledger();
    licet_signer_key key = test_key();
    licet_ledger_facts facts;
    licet_ledger *ledger = NULL;
    uint64_t next = 0;
    MUST(licet_ledger_verify(dir, &key.verifier, see_entry, &next, &facts, oops));
    assert_int_equal(next, SIZE);
    assert_int_equal(facts.size, SIZE);
    assert_int_equal(facts.signed_size, SIGNED);
    assert_string_equal(facts.origin, "licet-test/M-1");
    MUST(licet_ledger_open(dir, true, &ledger, oops));
    licet_hash root = licet_ledger_root(ledger);
    assert_memory_equal(facts.root.bytes, root.bytes, 32);
    MUST(licet_ledger_close(ledger, oops));
    test_dir_free(dir);
}

/* A ledger just made, and one without a checkpoint. */
static void
test_young_ledgers(void **state)
{
    char *dir = test_dir_new();
    licet_signer_key key = test_key();
    licet_ledger_facts facts;
    licet_ledger *ledger = NULL;
    licet_error err = {0};
    assert_false(verify(dir, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    MUST(licet_ledger_open(dir, false, &ledger, oops));
    MUST(licet_ledger_verify(dir, &key.verifier, NULL, NULL, &facts, oops));
    assert_int_equal(facts.size, 0);
    append(ledger, 0, 256);
    MUST(licet_ledger_verify(dir, &key.verifier, NULL, NULL, &facts, oops)); /* what waits is not there */
    assert_int_equal(facts.size, 0);
    for (uint64_t i = 0; i < 5; i++) {
        MUST(licet_ledger_commit(ledger, i, i % 2 == 0, oops));
        MUST(licet_ledger_verify(dir, &key.verifier, NULL, NULL, &facts, oops));
        assert_int_equal(facts.size, 256);
        assert_int_equal(facts.signed_size, 0);
    }
    MUST(licet_ledger_close(ledger, oops));
    test_dir_free(dir);
}

/* Verification may run beside a writer: at each moment it sees one state. */
static void
test_beside_a_writer(void **state)
{
    char *dir = test_dir_new();
    licet_ledger *ledger = NULL;
    uint64_t seed = 4242;
    MUST(licet_ledger_open(dir, false, &ledger, oops));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (uint64_t at = 0; at < 40000;) {
            uint64_t next = at + test_random(&seed) % 200;
            append(ledger, at, next);
            MUST(licet_ledger_commit(ledger, next, test_random(&seed) % 8 == 0, oops));
            if (test_random(&seed) % 16 == 0)
                sign(ledger);
            at = next;
        }
        _exit(0);
    }
    int status = 0;
    unsigned times = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        licet_error err = {0};
        if (!verify(dir, &err))
            fail_msg("beside a writer: %s", err.text);
        times++;
    }
    assert_int_equal(status, 0);
    assert_true(times > 3);
    MUST(licet_ledger_close(ledger, oops));
    MUST(verify(dir, oops));
    test_dir_free(dir);
}

static void
expect_found(const char *dir, const char *file, const char *what, size_t at)
{
    licet_error err = {0};
    if (verify(dir, &err))
        fail_msg("%s: %s at %zu was not found", file, what, at);
    if (err.code != LICET_E_CORRUPT && !(strcmp(file, "checkpoint") == 0 && err.code == LICET_E_LIMIT))
        fail_msg("%s: %s at %zu: error %d: %s", file, what, at, (int)err.code, err.text);
    if (strstr(err.text, "byte ") == NULL)
        fail_msg("%s: %s at %zu: no place in \"%s\"", file, what, at, err.text);
}

static void
test_every_byte_changed(void **state)
{
    char *dir = small_ledger(), path[4096];
    for (size_t f = 0; f < FILES_LEN; f++) {
        size_t len;
        ledger_path(dir, FILES[f], path);
        uint8_t *data = test_read(path, &len);
        assert_true(len > 0);
        for (size_t i = 0; i < len; i++) {
            static const uint8_t masks[] = {0x01, 0x80, 0xff};
            uint8_t mask = masks[i % 3];
            uint8_t changed = data[i] ^ mask;
            test_poke(path, i, &changed, 1);
            expect_found(dir, FILES[f], "changed byte", i);
            test_poke(path, i, &data[i], 1);
        }
        free(data);
    }
    MUST(verify(dir, oops));
    test_dir_free(dir);
}

static void
test_every_length(void **state)
{
    char *dir = small_ledger(), path[4096];
    for (size_t f = 0; f < FILES_LEN; f++) {
        size_t len;
        ledger_path(dir, FILES[f], path);
        uint8_t *data = test_read(path, &len), *more = calloc(1, len + 64);
        assert_non_null(more);
        memcpy(more, data, len);
        for (size_t i = len; i-- > 0;) {
            test_cut(path, i);
            expect_found(dir, FILES[f], "cut", i);
        }
        for (size_t i = 1; i <= 64; i++) {
            more[len + i - 1] = (uint8_t)i;
            test_poke(path, 0, more, len + i);
            expect_found(dir, FILES[f], "rubbish", len + i);
        }
        unlink(path);
        licet_error err = {0};
        if (strcmp(FILES[f], "checkpoint") != 0) /* a ledger need not be signed yet: its facts say so */
            assert_false(verify(dir, &err));
        test_write(path, data, len);
        free(data);
        free(more);
    }
    ledger_path(dir, "tile-2", path);
    test_write(path, (const uint8_t *)"x", 1);
    expect_found(dir, "tile-2", "file", 0);
    test_write(path, (const uint8_t *)"", 0);
    expect_found(dir, "tile-2", "empty file", 0);
    unlink(path);
    MUST(verify(dir, oops));
    test_dir_free(dir);
}

/* Byte offset of each entry. */
static void
offsets_of(const uint8_t *data, size_t len, size_t *offsets)
{
    size_t pos = 0;
    for (size_t i = 0; i <= SIZE; i++) {
        offsets[i] = pos;
        if (pos < len)
            pos += 2 + ((size_t)data[pos] << 8 | data[pos + 1]);
    }
    assert_int_equal(offsets[SIZE], len);
}

static void
test_swapped_entries(void **state)
{
    char *dir = small_ledger(), path[4096];
    size_t len, offsets[SIZE + 1];
    uint64_t seed = 9;
    ledger_path(dir, "entries", path);
    uint8_t *data = test_read(path, &len), *other = malloc(len);
    assert_non_null(other);
    offsets_of(data, len, offsets);
    for (unsigned round = 0; round < 300; round++) {
        size_t a = test_random(&seed) % (SIZE - 1), b = a + 1 + test_random(&seed) % (SIZE - a - 1);
        size_t a_len = offsets[a + 1] - offsets[a], b_len = offsets[b + 1] - offsets[b];
        uint8_t *at = other;
        memcpy(at, data, offsets[a]);
        at += offsets[a];
        memcpy(at, data + offsets[b], b_len);
        at += b_len;
        memcpy(at, data + offsets[a + 1], offsets[b] - offsets[a + 1]);
        at += offsets[b] - offsets[a + 1];
        memcpy(at, data + offsets[a], a_len);
        at += a_len;
        memcpy(at, data + offsets[b + 1], len - offsets[b + 1]);
        test_poke(path, 0, other, len);
        licet_error err = {0};
        char expected[64];
        snprintf(expected, sizeof(expected), "entry %zu ", a);
        expect_found(dir, "entries", "swap", a);
        assert_false(verify(dir, &err));
        if (strstr(err.text, expected) == NULL) /* the first of the two is the place */
            fail_msg("swap of %zu and %zu: %s", a, b, err.text);
    }
    free(data);
    free(other);
    test_dir_free(dir);
}

/* Somebody who can write may make files that agree with each other: then only the signature speaks. */
static void
test_consistent_forgery(void **state)
{
    char *dir = small_ledger(), path[4096], *forged = test_dir_new(), forged_path[4096];
    licet_ledger *ledger = NULL;
    licet_buffer entry;
    size_t len;
    licet_buffer_init(&entry, 1 << 16);
    MUST(licet_ledger_open(forged, false, &ledger, oops));
    for (uint64_t i = 0; i < SIZE; i++) {
        test_entry(i == 200 ? 201 : i, &entry);
        MUST(licet_ledger_append(ledger, licet_buffer_view(&entry), oops));
    }
    MUST(licet_ledger_commit(ledger, 12, true, oops));
    MUST(licet_ledger_close(ledger, oops));
    MUST(verify(forged, oops)); /* unsigned it stands */
    ledger_path(dir, "checkpoint", path);
    ledger_path(forged, "checkpoint", forged_path);
    uint8_t *note = test_read(path, &len);
    test_write(forged_path, note, len);
    expect_found(forged, "checkpoint", "forgery", 0);
    MUST(licet_ledger_open(dir, false, &ledger, oops)); /* and a ledger that ends before its checkpoint was cut */
    MUST(licet_ledger_close(ledger, oops));
    test_dir_clear(forged);
    MUST(licet_ledger_open(forged, false, &ledger, oops));
    append(ledger, 0, SIGNED - 1);
    MUST(licet_ledger_commit(ledger, 12, true, oops));
    MUST(licet_ledger_close(ledger, oops));
    test_write(forged_path, note, len);
    expect_found(forged, "checkpoint", "shrunk ledger", 0);
    free(note);
    licet_buffer_done(&entry);
    test_dir_free(forged);
    test_dir_free(dir);
}

/* Entries that hash well and say nothing a reader may believe. */
static void
test_entries_that_break_rules(void **state)
{
    static const struct {
        const char *what;
        uint64_t order[6];
        size_t len;
    } cases[] = {
        {"first entry", {1, 0, 2, 3}, 4},        {"second fold version", {0, 1, 0}, 3},
        {"context a second time", {0, 1, 1}, 3}, {"unit kind a second time", {0, 1, 2, 2}, 4},
        {"context before", {0, 2, 3, 5}, 4},     {"unit kind before", {0, 1, 2, 5}, 4},
        {"run with context before", {0, 7}, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *dir = test_dir_new();
        licet_ledger *ledger = NULL;
        licet_buffer entry;
        licet_buffer_init(&entry, 1 << 16);
        MUST(licet_ledger_open(dir, false, &ledger, oops));
        for (size_t k = 0; k < cases[i].len; k++) {
            test_entry(cases[i].order[k], &entry);
            MUST(licet_ledger_append(ledger, licet_buffer_view(&entry), oops));
        }
        MUST(licet_ledger_commit(ledger, 1, true, oops));
        MUST(licet_ledger_close(ledger, oops));
        expect_found(dir, "entries", cases[i].what, i);
        licet_buffer_done(&entry);
        test_dir_free(dir);
    }
}

static void
test_wrong_key(void **state)
{
    char *dir = small_ledger();
    licet_signer_key other;
    licet_ledger_facts facts;
    licet_error err = {0};
    uint8_t seed[32] = {9};
    MUST(licet_signer_key_make(LICET_BYTES_LITERAL("licet-test/M-1"), seed, &other, oops));
    assert_false(licet_ledger_verify(dir, &other.verifier, NULL, NULL, &facts, &err));
    assert_non_null(strstr(err.text, "checkpoint"));
    test_dir_free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_ledger),
        cmocka_unit_test(test_young_ledgers),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_swapped_entries),
        cmocka_unit_test(test_consistent_forgery),
        cmocka_unit_test(test_entries_that_break_rules),
        cmocka_unit_test(test_wrong_key),
        cmocka_unit_test(test_beside_a_writer),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
