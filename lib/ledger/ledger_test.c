/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of a ledger on disk: the published tiles, reading, proofs, and what
 * opening makes of files that a crash left.
 */
#include "ledger_test.h"

#include "ledger_file.h"
#include "tree_ref.h"

#include "../receipt/vectors.h"

#define GREAT 70000

static void
append_decimal(licet_ledger *ledger, uint64_t from, uint64_t before)
{
    for (uint64_t i = from; i < before; i++) {
        char text[24];
        int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)i);
        MUST(licet_ledger_append(ledger, licet_bytes_of(text, (size_t)len), oops));
    }
}

static licet_hash *
decimal_leaves(uint64_t n)
{
    licet_hash *leaves = calloc(n + 1, sizeof(*leaves));
    assert_non_null(leaves);
    for (uint64_t i = 0; i < n; i++) {
        char text[24];
        int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)i);
        leaves[i] = licet_leaf_hash(licet_bytes_of(text, (size_t)len));
    }
    return leaves;
}

/* ---- published tiles ------------------------------------------------------------------ */

static const struct {
    const char *path;
    size_t len;
    const char *sha256;
} TILES_70000[] = {
    {"tile/0/000", 8192, "b9704a8bfbee2c61185ceb38904a49f3f703c81e194b5b2ccdc254c2bdaaa62b"},
    {"tile/0/273.p/112", 3584, "4d21244557c976993a9a89bf928a46b5a876585228df279878239fd84489e5a5"},
    {"tile/1/000", 8192, "ea7b038bc73489c89c31a27ac355aaca65a4ed73f0dd7484e68deb29d30f10a2"},
    {"tile/1/001.p/17", 544, "adfaca2731630fe7944a4b98a0f98ef3e98685eafda09e6f81070218fb759ce4"},
    {"tile/2/000.p/1", 32, "f0113c8bad855b49f9a5dd661d50012cd94f19aae87a45eb8334666835e3caea"},
    {"tile/entries/000", 1170, "94693d5c6d6a0355ec07bac8214516c1ce6a5100b0588f226fd95f26571157d7"},
    {"tile/entries/273.p/112", 784, "36c3ec44895d1b8098dbe8523078d6750bf09e0f12cd64671ebfe165b7647405"},
};

static void
expect_resource(licet_ledger *ledger, const char *path, size_t len, const char *sha256)
{
    licet_buffer out;
    char hex[65];
    licet_buffer_init(&out, 1 << 24);
    MUST(licet_ledger_resource(ledger, path, &out, oops));
    licet_bytes piece = licet_buffer_view(&out);
    licet_hash hash = licet_sha256(&piece, 1);
    licet_hex(hash.bytes, 32, hex);
    if (out.len != len || strcmp(hex, sha256) != 0)
        fail_msg("%s: %zu bytes, %s", path, out.len, hex);
    licet_buffer_done(&out);
}

static void
expect_missing(licet_ledger *ledger, const char *path, licet_errc code)
{
    licet_buffer out;
    licet_error err = {0};
    licet_buffer_init(&out, 1 << 24);
    if (licet_ledger_resource(ledger, path, &out, &err) || err.code != code)
        fail_msg("%s: expected error %d, got %d: %s", path, (int)code, (int)err.code, err.text);
    licet_buffer_done(&out);
}

static void
test_published_tiles(void **state)
{
    char *dir = test_dir_new();
    licet_ledger *ledger = NULL;
    licet_buffer out;
    MUST(licet_ledger_open(dir, false, &ledger, oops));
    append_decimal(ledger, 0, 3);
    assert_int_equal(licet_ledger_size(ledger), 0); /* nothing is there before the commit */
    expect_missing(ledger, "tile/0/000.p/3", LICET_E_NOT_FOUND);
    MUST(licet_ledger_commit(ledger, 1, false, oops));
    expect_resource(ledger, "tile/0/000.p/3", 96, "638b6fbfd46eda6f696d6f335d8356fd9569c7a19cdb080f7544ff24939672c8");
    licet_buffer_init(&out, 100);
    MUST(licet_ledger_resource(ledger, "tile/entries/000.p/3", &out, oops));
    assert_int_equal(out.len, 9);
    assert_memory_equal(out.data,
                        "\0\1"
                        "0"
                        "\0\1"
                        "1"
                        "\0\1"
                        "2",
                        9);
    out.len = 0;
    append_decimal(ledger, 3, 255);
    MUST(licet_ledger_commit(ledger, 2, false, oops));
    expect_missing(ledger, "tile/1/000.p/1", LICET_E_NOT_FOUND);
    append_decimal(ledger, 255, 256);
    MUST(licet_ledger_commit(ledger, 3, true, oops));
    MUST(licet_ledger_resource(ledger, "tile/1/000.p/1", &out, oops));
    licet_hash root = licet_ledger_root(ledger);
    assert_int_equal(out.len, 32);
    assert_memory_equal(out.data, root.bytes, 32);
    licet_buffer_done(&out);
    append_decimal(ledger, 256, GREAT);
    MUST(licet_ledger_commit(ledger, 4, false, oops));
    for (size_t i = 0; i < sizeof(TILES_70000) / sizeof(TILES_70000[0]); i++)
        expect_resource(ledger, TILES_70000[i].path, TILES_70000[i].len, TILES_70000[i].sha256);
    expect_missing(ledger, "tile/0/273", LICET_E_NOT_FOUND);
    expect_missing(ledger, "tile/0/273.p/113", LICET_E_NOT_FOUND);
    expect_missing(ledger, "tile/0/274.p/1", LICET_E_NOT_FOUND);
    expect_missing(ledger, "tile/2/000.p/2", LICET_E_NOT_FOUND);
    expect_missing(ledger, "tile/3/000.p/1", LICET_E_NOT_FOUND);
    expect_missing(ledger, "tile/63/000.p/1", LICET_E_NOT_FOUND);
    expect_missing(ledger, "tile/0/x018/x446/x744/x073/x709/551", LICET_E_NOT_FOUND);
    expect_missing(ledger, "checkpoint", LICET_E_NOT_FOUND);
    expect_missing(ledger, "tile/0/0", LICET_E_INVALID);
    MUST(licet_ledger_close(ledger, oops));
    test_dir_free(dir);
}

/* Files by size: full tiles and partial width at each level. */
static void
test_tile_sets(void **state)
{
    static const struct {
        uint64_t size, hashes[5];
    } sets[] = {{1, {1}},
                {255, {255}},
                {256, {256, 1}},
                {257, {257, 1}},
                {65536, {65536, 256, 1}},
                {70000, {70000, 273, 1}},
                {4294967296, {4294967296, 16777216, 65536, 256, 1}}};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        ledger_commit commit = {.size = sets[i].size};
        for (unsigned level = 0; level < 5; level++)
            assert_true(ledger_part_len(&commit, PART_TILE_0 + level) == 32 * sets[i].hashes[level]);
    }
}

/* ---- the page ------------------------------------------------------------------------- */

static void
expect_file(const char *dir, const char *name, const vector *v)
{
    char path[4096];
    size_t len;
    ledger_path(dir, name, path);
    uint8_t *data = test_read(path, &len);
    if (v == NULL || len != v->len || memcmp(data, v->bytes, len) != 0)
        fail_msg("%s differs from the page", name);
    free(data);
}

/* The block '```checkpoint' of the page. */
static void
expect_note(licet_bytes note)
{
    const char *root = getenv("LICET_SOURCE_ROOT");
    char path[4096];
    size_t len;
    snprintf(path, sizeof(path), "%s/docs/format/ledger.md", root != NULL ? root : ".");
    uint8_t *page = NULL;
    MUST(licet_file_read(path, 1 << 20, &page, &len, oops));
    const char *block = strstr((const char *)page, "```checkpoint\n");
    if (block == NULL)
        fail_msg("no checkpoint on the page");
    block += strlen("```checkpoint\n");
    if (strncmp(block, (const char *)note.data, note.len) != 0 || strncmp(block + note.len, "```", 3) != 0)
        fail_msg("the checkpoint differs from the page:\n%.*s", (int)note.len, (const char *)note.data);
    free(page);
}

static void
test_bytes_of_the_page(void **state)
{
    char *dir = test_dir_new();
    licet_ledger *ledger = NULL;
    licet_fold_start start = {1, LICET_BYTES_LITERAL("M-2022-7"), LICET_BYTES_LITERAL("licensor"), TEST_T};
    licet_buffer entry, note;
    licet_signer_key key;
    licet_checkpoint checkpoint = {.origin = "licet.example/log-one/M-2022-7"};
    licet_ledger_facts facts;
    uint8_t seed[32];
    vectors *all = calloc(1, sizeof(*all));
    assert_non_null(all);
    for (unsigned i = 0; i < 32; i++)
        seed[i] = (uint8_t)i;
    vectors_read("docs/format/ledger.md", all);
    licet_buffer_init(&entry, 1 << 17);
    licet_buffer_init(&note, 1 << 17);
    MUST(licet_ledger_open(dir, false, &ledger, oops));
    MUST(licet_fold_start_encode(&start, &entry, oops));
    MUST(licet_ledger_append(ledger, licet_buffer_view(&entry), oops));
    entry.len = 0;
    MUST(licet_unit_encode(2, LICET_BYTES_LITERAL("post"), &entry, oops));
    MUST(licet_ledger_append(ledger, licet_buffer_view(&entry), oops));
    entry.len = 0;
    MUST(licet_unit_encode(0, LICET_BYTES_LITERAL("request"), &entry, oops));
    MUST(licet_ledger_append(ledger, licet_buffer_view(&entry), oops));
    MUST(licet_ledger_commit(ledger, 3, true, oops));
    MUST(licet_ledger_commit(ledger, 9, false, oops));
    expect_file(dir, "entries", vectors_find(all, "ledger-entries"));
    expect_file(dir, "tile-0", vectors_find(all, "ledger-tile-0"));
    expect_file(dir, "commit", vectors_find(all, "ledger-commit"));
    MUST(licet_signer_key_make(licet_bytes_of_text(checkpoint.origin), seed, &key, oops));
    checkpoint.size = licet_ledger_size(ledger);
    checkpoint.root = licet_ledger_root(ledger);
    entry.len = 0;
    assert_true(licet_checkpoint_format(&checkpoint, &entry));
    MUST(licet_note_sign(licet_buffer_view(&entry), &key, &note, oops));
    expect_note(licet_buffer_view(&note));
    MUST(licet_ledger_checkpoint_write(ledger, licet_buffer_view(&note), oops));
    MUST(licet_ledger_verify(dir, &key.verifier, NULL, NULL, &facts, oops));
    assert_int_equal(facts.signed_size, 3);
    MUST(licet_ledger_close(ledger, oops));
    for (size_t i = 0; i < all->len; i++)
        if (!all->list[i].used)
            fail_msg("vector %s of the page is not tested", all->list[i].name);
    licet_buffer_done(&entry);
    licet_buffer_done(&note);
    free(all);
    test_dir_free(dir);
}

/* ---- paths ------------------------------------------------------------------------------- */

static void
test_paths(void **state)
{
    static const struct {
        const char *text;
        uint64_t n;
    } good[] = {{"000", 0},
                {"005", 5},
                {"999", 999},
                {"x001/000", 1000},
                {"x001/x000/000", 1000000},
                {"x001/x234/067", 1234067},
                {"x003/x046/874", 3046874},
                {"x072/x057/x594/x037/x927/935", 72057594037927935}};
    static const char *const bad[] = {"tile/00/000",
                                      "tile/64/000",
                                      "tile/0/0",
                                      "tile/0/0000",
                                      "tile/0/x000/005",
                                      "tile/0/001/000",
                                      "tile/0/x001",
                                      "tile/0/x001/",
                                      "tile/0/x001/00",
                                      "tile/0/000.p/0",
                                      "tile/0/000.p/256",
                                      "tile/0/000.p/07",
                                      "tile/0/000.p",
                                      "tile/entries/000.p/",
                                      "tile/0/../0/000",
                                      "tile/0/000/",
                                      "tile/0/000.p/1/",
                                      "tile/-1/000",
                                      "tile/0/x018/x446/x744/x073/x709/x551/x616/000",
                                      "tile/",
                                      "tile/entries",
                                      "tile//000",
                                      "/checkpoint",
                                      "checkpoint/",
                                      "",
                                      "tile/0/\xc2\xb2\x30\x30"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char path[64], again[TILE_PATH_TEXT];
        tile_path tile;
        snprintf(path, sizeof(path), "tile/63/%s.p/255", good[i].text);
        MUST(tile_path_parse(path, &tile, oops));
        assert_true(tile.kind == TILE_OF_HASHES && tile.level == 63 && tile.n == good[i].n && tile.width == 255);
        tile_path_format(&tile, again);
        assert_string_equal(path, again);
        snprintf(path, sizeof(path), "tile/entries/%s", good[i].text);
        MUST(tile_path_parse(path, &tile, oops));
        assert_true(tile.kind == TILE_BUNDLE && tile.n == good[i].n && tile.width == 256);
        tile_path_format(&tile, again);
        assert_string_equal(path, again);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tile_path tile;
        licet_error err = {0};
        if (tile_path_parse(bad[i], &tile, &err) || err.code != LICET_E_INVALID)
            fail_msg("%s: expected INVALID", bad[i]);
    }
}

/* ---- reading and proofs ------------------------------------------------------------------- */

static bool
count_entry(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    uint64_t *next = user;
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)index);
    assert_true(index == (*next)++);
    assert_true(licet_bytes_equal_text(entry, text));
    return index != 600 || LICET_FAIL(err, LICET_E_STATE, 0, "enough");
}

static void
test_reading(void **state)
{
    char *dir = test_dir_new();
    licet_ledger *ledger = NULL;
    licet_buffer out;
    licet_error err = {0};
    uint64_t next = 250;
    MUST(licet_ledger_open(dir, false, &ledger, oops));
    append_decimal(ledger, 0, 700);
    MUST(licet_ledger_commit(ledger, 9, true, oops));
    append_decimal(ledger, 700, 710);
    MUST(licet_ledger_each(ledger, 250, 600, count_entry, &next, oops));
    assert_int_equal(next, 600);
    assert_false(licet_ledger_each(ledger, 600, 700, count_entry, &next, &err));
    assert_string_equal(err.text, "enough");
    assert_false(licet_ledger_each(ledger, 0, 701, count_entry, &next, &err)); /* not committed */
    licet_buffer_init(&out, 100);
    MUST(licet_ledger_entry(ledger, 699, &out, oops));
    assert_memory_equal(out.data, "699", 3);
    assert_false(licet_ledger_entry(ledger, 700, &out, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    licet_buffer_done(&out);
    assert_false(licet_ledger_commit(ledger, 8, true, &err)); /* folded never falls */
    assert_int_equal(licet_ledger_folded(ledger), 9);
    MUST(licet_ledger_close(ledger, oops));
    test_dir_free(dir);
}

static void
test_empty_and_greatest_entries(void **state)
{
    char *dir = test_dir_new();
    licet_ledger *ledger = NULL;
    licet_buffer out;
    licet_error err = {0};
    static uint8_t bytes[LICET_ENTRY_MAX + 1];
    MUST(licet_ledger_open(dir, false, &ledger, oops));
    for (unsigned i = 0; i < 300; i++)
        MUST(licet_ledger_append(ledger, licet_bytes_of(bytes, i % 3 == 0 ? LICET_ENTRY_MAX : 0), oops));
    assert_false(licet_ledger_append(ledger, licet_bytes_of(bytes, sizeof(bytes)), &err));
    MUST(licet_ledger_commit(ledger, 1, true, oops));
    MUST(licet_ledger_close(ledger, oops));
    MUST(licet_ledger_open(dir, true, &ledger, oops));
    licet_buffer_init(&out, 1 << 25);
    MUST(licet_ledger_resource(ledger, "tile/entries/000", &out, oops));
    assert_int_equal(out.len, 86 * (LICET_ENTRY_MAX + 2) + 170 * 2);
    assert_false(licet_ledger_append(ledger, licet_bytes_of(bytes, 1), &err));
    assert_int_equal(err.code, LICET_E_STATE);
    licet_buffer_done(&out);
    MUST(licet_ledger_close(ledger, oops));
    test_dir_free(dir);
}

static void
test_proofs(void **state)
{
    enum { N = 1500 };
    char *dir = test_dir_new();
    licet_ledger *ledger = NULL;
    licet_error err = {0};
    licet_hash *leaves = decimal_leaves(N);
    licet_proof proof, expected;
    MUST(licet_ledger_open(dir, false, &ledger, oops));
    append_decimal(ledger, 0, N);
    MUST(licet_ledger_commit(ledger, 1, false, oops));
    licet_hash root = licet_ledger_root(ledger), ref = licet_ref_root(leaves, N);
    assert_memory_equal(&root, &ref, 32);
    for (uint64_t size = 1; size <= N; size += 1 + size / 3) {
        ref = licet_ref_root(leaves, size);
        for (uint64_t i = 0; i < size; i += 1 + i / 2) {
            expected.len = 0;
            licet_ref_path(i, leaves, size, &expected);
            MUST(licet_ledger_inclusion(ledger, i, size, &proof, oops));
            assert_int_equal(proof.len, expected.len);
            assert_memory_equal(proof.hashes, expected.hashes, 32 * proof.len);
            assert_true(licet_inclusion_verify(i, size, &leaves[i], &proof, &ref));
        }
        expected.len = 0;
        licet_ref_subtree(0, size, leaves, N, true, &expected);
        MUST(licet_ledger_consistency(ledger, size, N, &proof, oops));
        assert_int_equal(proof.len, expected.len);
        assert_memory_equal(proof.hashes, expected.hashes, 32 * proof.len);
        assert_true(licet_consistency_verify(size, N, &proof, &ref, &root));
    }
    MUST(licet_ledger_consistency(ledger, 0, N, &proof, oops));
    assert_int_equal(proof.len, 0);
    assert_false(licet_ledger_inclusion(ledger, 5, 5, &proof, &err));
    assert_false(licet_ledger_inclusion(ledger, 5, N + 1, &proof, &err));
    assert_false(licet_ledger_consistency(ledger, 5, N + 1, &proof, &err));
    assert_false(licet_ledger_consistency(ledger, 6, 5, &proof, &err));
    free(leaves);
    MUST(licet_ledger_close(ledger, oops));
    test_dir_free(dir);
}

/* ---- opening -------------------------------------------------------------------------------- */

/* However appends are cut into commits, synced or not, and however often it is opened again: the same root and bytes.
 */
static void
test_commits_do_not_matter(void **state)
{
    enum { N = 3000 };
    uint64_t seed = 0x5eed;
    licet_hash *leaves = decimal_leaves(N);
    licet_hash expected = licet_ref_root(leaves, N);
    for (unsigned round = 0; round < 4; round++) {
        char *dir = test_dir_new();
        licet_ledger *ledger = NULL;
        uint64_t at = 0, folded = 0;
        MUST(licet_ledger_open(dir, false, &ledger, oops));
        while (at < N) {
            uint64_t step = test_random(&seed) % 400, next = at + step < N ? at + step : N;
            append_decimal(ledger, at, next);
            MUST(licet_ledger_commit(ledger, ++folded, test_random(&seed) % 3 == 0, oops));
            at = next;
            if (test_random(&seed) % 3 != 0)
                continue;
            append_decimal(ledger, at, at + 5); /* never committed */
            MUST(licet_ledger_close(ledger, oops));
            MUST(licet_ledger_open(dir, false, &ledger, oops));
            assert_int_equal(licet_ledger_size(ledger), at);
            assert_int_equal(licet_ledger_folded(ledger), folded);
        }
        licet_hash root = licet_ledger_root(ledger);
        assert_memory_equal(&root, &expected, 32);
        MUST(licet_ledger_close(ledger, oops));
        MUST(licet_ledger_open(dir, true, &ledger, oops));
        root = licet_ledger_root(ledger);
        assert_memory_equal(&root, &expected, 32);
        MUST(licet_ledger_close(ledger, oops));
        test_dir_free(dir);
    }
    free(leaves);
}

static void
change(const char *dir, const char *name, size_t at, bool cut)
{
    char path[4096];
    size_t len;
    ledger_path(dir, name, path);
    uint8_t *data = test_read(path, &len);
    assert_true(at < len);
    if (!cut)
        data[at] ^= 0x40;
    test_write(path, data, cut ? at : len);
    free(data);
}

static void
grow(const char *dir, const char *name, size_t more)
{
    char path[4096];
    static const uint8_t rubbish[100] = {1, 2, 3};
    ledger_path(dir, name, path);
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    assert_int_equal(fwrite(rubbish, 1, more, file), more);
    fclose(file);
}

/* What an interrupted commit leaves behind the record is cut; what was synced before it must be whole. */
static void
test_rest_is_cut(void **state)
{
    static const char *const names[] = {"entries", "bundles", "tile-0", "tile-1"};
    char *dir = test_dir_new(), path[4096];
    licet_ledger *ledger = NULL;
    MUST(licet_ledger_open(dir, false, &ledger, oops));
    append_decimal(ledger, 0, 600);
    MUST(licet_ledger_commit(ledger, 1, true, oops));
    MUST(licet_ledger_close(ledger, oops));
    for (size_t i = 0; i < 4; i++)
        grow(dir, names[i], 33);
    ledger_path(dir, "tile-2", path);
    test_write(path, (const uint8_t *)"rubbish", 7);
    MUST(licet_ledger_open(dir, true, &ledger, oops)); /* reading passes over it */
    assert_int_equal(licet_ledger_size(ledger), 600);
    MUST(licet_ledger_close(ledger, oops));
    MUST(licet_ledger_open(dir, false, &ledger, oops));
    assert_int_equal(licet_ledger_size(ledger), 600);
    MUST(licet_ledger_close(ledger, oops));
    ledger_commit commit = {.size = 600, .entries_len = 600 * 2 + 10 + 90 * 2 + 500 * 3};
    for (size_t i = 0; i < 4; i++) {
        struct stat st;
        ledger_path(dir, names[i], path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, ledger_part_len(&commit, (unsigned)i));
    }
    ledger_path(dir, "tile-2", path);
    assert_int_equal(access(path, F_OK), -1);
    test_dir_free(dir);
}

static void
expect_open(const char *dir, const char *name, licet_errc code)
{
    licet_ledger *ledger = NULL;
    licet_error err = {0};
    if (licet_ledger_open(dir, false, &ledger, &err) || err.code != code || strstr(err.text, name) == NULL)
        fail_msg("expected error %d naming %s, got %d: %s", (int)code, name, (int)err.code, err.text);
}

static void
test_spoiled_synced_state(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        bool cut;
        const char *named;
    } spoils[] = {
        {"commit", 300, true, "commit"},  {"entries", 2000, true, "entries"}, {"entries", 2600, false, "entries"},
        {"bundles", 10, true, "bundles"}, {"tile-0", 19000, false, "tile-0"}, {"tile-0", 19199, true, "tile-0"},
        {"tile-1", 40, false, "tile-0"},  {"tile-1", 10, true, "tile-1"},
    };
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        char *dir = test_dir_new();
        licet_ledger *ledger = NULL;
        MUST(licet_ledger_open(dir, false, &ledger, oops));
        append_decimal(ledger, 0, 600);
        MUST(licet_ledger_commit(ledger, 1, true, oops));
        MUST(licet_ledger_close(ledger, oops));
        change(dir, spoils[i].name, spoils[i].at, spoils[i].cut);
        expect_open(dir, spoils[i].named, LICET_E_CORRUPT);
        test_dir_free(dir);
    }
    char *dir = test_dir_new(), path[4096];
    licet_ledger *ledger = NULL;
    MUST(licet_ledger_open(dir, false, &ledger, oops));
    append_decimal(ledger, 0, 1);
    MUST(licet_ledger_commit(ledger, 1, false, oops));
    MUST(licet_ledger_close(ledger, oops));
    ledger_path(dir, "commit", path);
    unlink(path);
    expect_open(dir, "commit", LICET_E_CORRUPT); /* never taken for a new ledger */
    test_dir_free(dir);
}

/* Spoil any byte written since the last sync: opening falls back to the synced state, and folding again gives the same.
 */
static void
test_spoiled_latest_state(void **state)
{
    static const char *const names[] = {"commit", "entries", "bundles", "tile-0", "tile-1"};
    licet_hash *leaves = decimal_leaves(900);
    licet_hash expected = licet_ref_root(leaves, 900);
    uint64_t seed = 77;
    unsigned fell = 0;
    for (unsigned round = 0; round < 60; round++) {
        char *dir = test_dir_new(), path[4096];
        licet_ledger *ledger = NULL;
        size_t before[5], after;
        MUST(licet_ledger_open(dir, false, &ledger, oops));
        append_decimal(ledger, 0, 300);
        MUST(licet_ledger_commit(ledger, 1, true, oops));
        for (unsigned i = 0; i < 5; i++) {
            ledger_path(dir, names[i], path);
            free(test_read(path, &before[i]));
        }
        before[0] = 208;
        append_decimal(ledger, 300, 500);
        MUST(licet_ledger_commit(ledger, 2, false, oops));
        append_decimal(ledger, 500, 900);
        MUST(licet_ledger_commit(ledger, 3, false, oops));
        MUST(licet_ledger_close(ledger, oops));
        unsigned victim = round % 5;
        ledger_path(dir, names[victim], path);
        free(test_read(path, &after));
        change(dir, names[victim], before[victim] + test_random(&seed) % (after - before[victim]),
               victim != 0 && round % 2 == 0);
        MUST(licet_ledger_open(dir, round % 3 == 0, &ledger, oops));
        assert_int_equal(licet_ledger_size(ledger), 300);
        assert_int_equal(licet_ledger_folded(ledger), 1);
        fell++;
        if (round % 3 == 0) {
            MUST(licet_ledger_close(ledger, oops));
            MUST(licet_ledger_open(dir, false, &ledger, oops));
        }
        append_decimal(ledger, 300, 900);
        MUST(licet_ledger_commit(ledger, 3, round % 2 == 0, oops));
        MUST(licet_ledger_close(ledger, oops));
        MUST(licet_ledger_open(dir, false, &ledger, oops));
        licet_hash root = licet_ledger_root(ledger);
        assert_int_equal(licet_ledger_size(ledger), 900);
        assert_memory_equal(&root, &expected, 32);
        MUST(licet_ledger_close(ledger, oops));
        test_dir_free(dir);
    }
    assert_int_equal(fell, 60);
    free(leaves);
}

static void
test_torn_synced_slot(void **state)
{
    for (unsigned slot = 0; slot < 2; slot++) {
        char *dir = test_dir_new();
        licet_ledger *ledger = NULL;
        MUST(licet_ledger_open(dir, false, &ledger, oops));
        append_decimal(ledger, 0, 10);
        MUST(licet_ledger_commit(ledger, 1, true, oops)); /* slot 1 */
        append_decimal(ledger, 10, 20);
        MUST(licet_ledger_commit(ledger, 2, true, oops)); /* slot 0 */
        MUST(licet_ledger_close(ledger, oops));
        change(dir, "commit", slot * COMMIT_SLOT + 50, false);
        MUST(licet_ledger_open(dir, false, &ledger, oops));
        assert_int_equal(licet_ledger_size(ledger), slot == 0 ? 10 : 20);
        append_decimal(ledger, licet_ledger_size(ledger), 30);
        MUST(licet_ledger_commit(ledger, 3, true, oops));
        MUST(licet_ledger_close(ledger, oops));
        MUST(licet_ledger_open(dir, true, &ledger, oops));
        assert_int_equal(licet_ledger_size(ledger), 30);
        MUST(licet_ledger_close(ledger, oops));
        test_dir_free(dir);
    }
}

static void
test_no_ledger_to_read(void **state)
{
    char *dir = test_dir_new();
    licet_ledger *ledger = NULL;
    licet_error err = {0};
    assert_false(licet_ledger_open(dir, true, &ledger, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    test_dir_free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_tile_sets),
        cmocka_unit_test(test_bytes_of_the_page),
        cmocka_unit_test(test_published_tiles),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_empty_and_greatest_entries),
        cmocka_unit_test(test_proofs),
        cmocka_unit_test(test_no_ledger_to_read),
        cmocka_unit_test(test_commits_do_not_matter),
        cmocka_unit_test(test_rest_is_cut),
        cmocka_unit_test(test_spoiled_synced_state),
        cmocka_unit_test(test_spoiled_latest_state),
        cmocka_unit_test(test_torn_synced_slot),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
