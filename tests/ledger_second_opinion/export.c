/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a ledger and writes what a client of it would fetch, for a verifier
 * that shares no code with us: key, seed, checkpoints, tiles, bundles, proofs.
 *
 *   export FOLDER
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "licet/ledger.h"

#define SIZES 9
static const uint64_t SIZE[SIZES] = {1, 2, 3, 255, 256, 257, 1000, 65536, 70001};

#define MUST(call)                                                                                                     \
    do {                                                                                                               \
        licet_error err_ = {0}, *err = &err_;                                                                          \
        if (!(call)) {                                                                                                 \
            fprintf(stderr, "%s: %s\n", #call, err->text);                                                             \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static void
save(const char *dir, const char *path, licet_bytes content)
{
    char name[4096], folder[4096];
    snprintf(name, sizeof(name), "%s/%s", dir, path);
    memcpy(folder, name, sizeof(folder));
    *strrchr(folder, '/') = '\0';
    MUST(licet_dir_make(folder, 0755, err));
    FILE *file = fopen(name, "wb");
    if (file == NULL || fwrite(content.data, 1, content.len, file) != content.len || fclose(file) != 0) {
        perror(name);
        exit(1);
    }
}

static void
save_resource(licet_ledger *ledger, const char *dir, const char *path)
{
    licet_buffer out;
    licet_buffer_init(&out, 1 << 25);
    MUST(licet_ledger_resource(ledger, path, &out, err));
    save(dir, path, licet_buffer_view(&out));
    licet_buffer_done(&out);
}

/* x001/x234/067 below a prefix, with .p/W unless the tile is full. */
static void
save_tile(licet_ledger *ledger, const char *dir, const char *prefix, uint64_t n, uint64_t width)
{
    char path[256];
    int at = snprintf(path, sizeof(path), "%s", prefix);
    if (n >= 1000000)
        at += snprintf(path + at, sizeof(path) - (size_t)at, "x%03llu/", (unsigned long long)(n / 1000000));
    if (n >= 1000)
        at += snprintf(path + at, sizeof(path) - (size_t)at, "x%03llu/", (unsigned long long)(n / 1000 % 1000));
    at += snprintf(path + at, sizeof(path) - (size_t)at, "%03llu", (unsigned long long)(n % 1000));
    if (width < 256)
        snprintf(path + at, sizeof(path) - (size_t)at, ".p/%llu", (unsigned long long)width);
    save_resource(ledger, dir, path);
}

static void
save_tiles(licet_ledger *ledger, const char *dir, uint64_t size)
{
    for (unsigned level = 0; size >> (8 * level) > 0; level++) {
        char prefix[32];
        uint64_t hashes = size >> (8 * level);
        snprintf(prefix, sizeof(prefix), "tile/%u/", level);
        for (uint64_t n = 0; n * 256 < hashes; n++) {
            uint64_t width = hashes - n * 256 < 256 ? hashes - n * 256 : 256;
            save_tile(ledger, dir, prefix, n, width);
            if (level == 0)
                save_tile(ledger, dir, "tile/entries/", n, width);
        }
    }
}

static void
save_checkpoint(licet_ledger *ledger, const char *dir, const licet_signer_key *key)
{
    char path[64];
    licet_checkpoint checkpoint = {.size = licet_ledger_size(ledger), .root = licet_ledger_root(ledger)};
    licet_buffer text, note;
    memcpy(checkpoint.origin, key->verifier.name, sizeof(checkpoint.origin));
    licet_buffer_init(&text, 4096);
    licet_buffer_init(&note, 4096);
    if (!licet_checkpoint_format(&checkpoint, &text))
        exit(1);
    MUST(licet_note_sign(licet_buffer_view(&text), key, &note, err));
    MUST(licet_ledger_checkpoint_write(ledger, licet_buffer_view(&note), err));
    snprintf(path, sizeof(path), "checkpoint-%llu", (unsigned long long)checkpoint.size);
    save(dir, path, licet_buffer_view(&note));
    licet_buffer_done(&text);
    licet_buffer_done(&note);
}

static void
put_proof(licet_buffer *out, const char *what, uint64_t a, uint64_t b, const licet_proof *proof)
{
    licet_put_format(out, "%s %llu %llu", what, (unsigned long long)a, (unsigned long long)b);
    for (unsigned i = 0; i < proof->len; i++) {
        char hex[65];
        licet_hex(proof->hashes[i].bytes, 32, hex);
        licet_put_format(out, " %s", hex);
    }
    licet_put_format(out, "\n");
}

static void
save_proofs(licet_ledger *ledger, const char *dir)
{
    licet_buffer out;
    licet_proof proof;
    licet_buffer_init(&out, 1 << 26);
    for (unsigned i = 0; i < SIZES; i++) {
        for (uint64_t index = 0; index < SIZE[i]; index += 1 + SIZE[i] / 40) {
            MUST(licet_ledger_inclusion(ledger, index, SIZE[i], &proof, err));
            put_proof(&out, "inclusion", index, SIZE[i], &proof);
        }
        for (unsigned k = 0; k <= i; k++) {
            MUST(licet_ledger_consistency(ledger, SIZE[k], SIZE[i], &proof, err));
            put_proof(&out, "consistency", SIZE[k], SIZE[i], &proof);
        }
    }
    save(dir, "proofs", licet_buffer_view(&out));
    licet_buffer_done(&out);
}

static void
save_key(const char *dir, const licet_signer_key *key)
{
    licet_buffer out;
    licet_buffer_init(&out, 4096);
    licet_verifier_key_format(&key->verifier, &out);
    save(dir, "verifier", licet_buffer_view(&out));
    out.len = 0;
    licet_signer_key_format(key, &out);
    save(dir, "signer", licet_buffer_view(&out));
    licet_buffer_done(&out);
}

/* Any bytes are an entry to the tree; lengths around the block sizes of SHA-256, and some long ones. */
static void
append(licet_ledger *ledger, uint64_t index)
{
    static uint8_t bytes[65535];
    uint64_t x = index * 0x9e3779b97f4a7c15ULL + 1;
    size_t len = index % 9973 == 0 ? 65535 - index % 7 : x % 130;
    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes[i] = (uint8_t)x;
    }
    MUST(licet_ledger_append(ledger, licet_bytes_of(bytes, len), err));
}

int
main(int argc, char **argv)
{
    char path[4096];
    licet_ledger *ledger = NULL;
    licet_signer_key key;
    const uint8_t seed[32] = {7, 7, 7};
    uint64_t size = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: export FOLDER\n");
        return 2;
    }
    snprintf(path, sizeof(path), "%s/ledger", argv[1]);
    MUST(licet_signer_key_make(LICET_BYTES_LITERAL("licet-0123456789abcdef/M-2022-7"), seed, &key, err));
    MUST(licet_ledger_open(path, false, &ledger, err));
    save_key(argv[1], &key);
    for (unsigned i = 0; i < SIZES; i++) {
        for (; size < SIZE[i]; size++)
            append(ledger, size);
        MUST(licet_ledger_commit(ledger, size, i % 2 == 0, err));
        save_checkpoint(ledger, argv[1], &key);
        save_tiles(ledger, argv[1], size);
    }
    save_proofs(ledger, argv[1]);
    MUST(licet_ledger_close(ledger, err));
    return 0;
}
