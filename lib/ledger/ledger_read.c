/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a ledger: entries, proofs and the resources of tlog-tiles, all from
 * the flat files.
 *
 *  (1) Only what is committed is ever shown.
 *  (2) Tile N of a level is bytes [8192 N, 8192 N + 32 W) of its file: partial tiles need no files of their own.
 */
#include "ledger_file.h"
#include "note.h"

#include <stdlib.h>
#include <string.h>

bool
ledger_node(void *user, unsigned height, uint64_t position, licet_hash *out_hash, licet_error *err)
{
    licet_ledger *ledger = user;
    licet_hash hashes[TILE_HASHES];
    unsigned level = height / TILE_HEIGHT, up = height % TILE_HEIGHT;
    if (level >= TILE_LEVELS)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "%s: no node of height %u", ledger->dir, height);
    if (!ledger_part_read(ledger, PART_TILE_0 + level, (position << up) * LICET_SHA256_LEN, (uint8_t *)hashes,
                          sizeof(licet_hash) << up, err))
        return false;
    *out_hash = licet_tree_perfect(hashes, up);
    return true;
}

static bool
bundle_end(licet_ledger *ledger, uint64_t n, uint64_t *out_end, licet_error *err)
{
    uint8_t bytes[8];
    if (n == ledger->now.size / BUNDLE_ENTRIES) { /* the last, partial one */
        *out_end = ledger->now.entries_len;
        return true;
    }
    if (!ledger_part_read(ledger, PART_BUNDLES, n * 8, bytes, sizeof(bytes), err))
        return false;
    *out_end = 0;
    for (unsigned i = 0; i < 8; i++)
        *out_end = *out_end << 8 | bytes[i];
    return true;
}

bool
ledger_bundle_range(licet_ledger *ledger, uint64_t n, uint64_t *out_start, uint64_t *out_end, licet_error *err)
{
    *out_start = 0;
    if ((n > 0 && !bundle_end(ledger, n - 1, out_start, err)) || !bundle_end(ledger, n, out_end, err))
        return false;
    if (*out_end < *out_start || *out_end > ledger->now.entries_len ||
        *out_end - *out_start > (uint64_t)BUNDLE_ENTRIES * (LICET_ENTRY_MAX + 2))
        return LICET_FAIL(err, LICET_E_CORRUPT, n * 8, "%s/bundles: byte %llu: bundle %llu from %llu to %llu of %llu",
                          ledger->dir, (unsigned long long)(n * 8), (unsigned long long)n,
                          (unsigned long long)*out_start, (unsigned long long)*out_end,
                          (unsigned long long)ledger->now.entries_len);
    return true;
}

/* A bundle in memory; at most 16 MiB. */
typedef struct bundle {
    uint8_t *bytes;
    size_t len;
} bundle;

static bool
bundle_read(licet_ledger *ledger, uint64_t n, bundle *out, licet_error *err)
{
    uint64_t start, end;
    if (!ledger_bundle_range(ledger, n, &start, &end, err))
        return false;
    out->len = (size_t)(end - start);
    out->bytes = malloc(out->len + 1);
    if (out->bytes == NULL)
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for a bundle of %zu bytes", ledger->dir, out->len);
    if (ledger_part_read(ledger, PART_ENTRIES, start, out->bytes, out->len, err))
        return true;
    free(out->bytes);
    return false;
}

static bool
take_entry(const licet_ledger *ledger, licet_cursor *c, uint64_t index, licet_bytes *out_entry, licet_error *err)
{
    if (!licet_take_text(c, out_entry))
        return LICET_FAIL(err, LICET_E_CORRUPT, c->pos, "%s/entries: entry %llu is cut", ledger->dir,
                          (unsigned long long)index);
    return true;
}

static bool
bundle_each(licet_ledger *ledger, uint64_t n, uint64_t from, uint64_t before, licet_on_entry on_entry, void *user,
            licet_error *err)
{
    bundle b;
    licet_bytes entry;
    bool ok = true;
    if (!bundle_read(ledger, n, &b, err))
        return false;
    licet_cursor c = {{b.bytes, b.len}, 0};
    for (uint64_t i = n * BUNDLE_ENTRIES; ok && i < before && i < (n + 1) * BUNDLE_ENTRIES; i++) {
        ok = take_entry(ledger, &c, i, &entry, err);
        if (ok && i >= from)
            ok = on_entry(user, i, entry, err);
    }
    free(b.bytes);
    return ok;
}

bool
licet_ledger_each(licet_ledger *ledger, uint64_t from, uint64_t before, licet_on_entry on_entry, void *user,
                  licet_error *err)
{
    if (from > before || before > ledger->now.size)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "%s: entries %llu to %llu: there are %llu", ledger->dir,
                          (unsigned long long)from, (unsigned long long)before, (unsigned long long)ledger->now.size);
    for (uint64_t at = from; at < before; at = (at / BUNDLE_ENTRIES + 1) * BUNDLE_ENTRIES)
        if (!bundle_each(ledger, at / BUNDLE_ENTRIES, from, before, on_entry, user, err))
            return false;
    return true;
}

static bool
entry_keep(void *user, uint64_t index, licet_bytes entry, licet_error *err)
{
    (void)index;
    if (!licet_put_bytes(user, entry))
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "entry of %zu bytes does not fit its buffer", entry.len);
    return true;
}

bool
licet_ledger_entry(licet_ledger *ledger, uint64_t index, licet_buffer *out, licet_error *err)
{
    if (index >= ledger->now.size)
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%s: entry %llu: there are %llu", ledger->dir,
                          (unsigned long long)index, (unsigned long long)ledger->now.size);
    return licet_ledger_each(ledger, index, index + 1, entry_keep, out, err);
}

/* ---- proofs ----------------------------------------------------------------------- */

bool
licet_ledger_inclusion(licet_ledger *ledger, uint64_t index, uint64_t size, licet_proof *out_proof, licet_error *err)
{
    if (index >= size || size > ledger->now.size)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "%s: proof of entry %llu in size %llu: there are %llu", ledger->dir,
                          (unsigned long long)index, (unsigned long long)size, (unsigned long long)ledger->now.size);
    return licet_tree_inclusion(index, size, ledger_node, ledger, out_proof, err);
}

bool
licet_ledger_consistency(licet_ledger *ledger, uint64_t old_size, uint64_t new_size, licet_proof *out_proof,
                         licet_error *err)
{
    if (old_size > new_size || new_size > ledger->now.size)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "%s: proof from size %llu to %llu: there are %llu", ledger->dir,
                          (unsigned long long)old_size, (unsigned long long)new_size,
                          (unsigned long long)ledger->now.size);
    if (old_size == 0) {
        out_proof->len = 0;
        return true;
    }
    return licet_tree_consistency(old_size, new_size, ledger_node, ledger, out_proof, err);
}

/* ---- resources ------------------------------------------------------------------------ */

static bool
put_hashes(licet_ledger *ledger, const tile_path *tile, licet_buffer *out, licet_error *err)
{
    uint8_t bytes[TILE_HASHES * LICET_SHA256_LEN];
    size_t len = (size_t)tile->width * LICET_SHA256_LEN;
    if (!ledger_part_read(ledger, PART_TILE_0 + tile->level, tile->n * sizeof(bytes), bytes, len, err))
        return false;
    if (!licet_put_bytes(out, licet_bytes_of(bytes, len)))
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "a tile of %zu bytes does not fit its buffer", len);
    return true;
}

static bool
put_bundle(licet_ledger *ledger, const tile_path *tile, licet_buffer *out, licet_error *err)
{
    bundle b;
    licet_bytes entry;
    bool ok = true;
    if (!bundle_read(ledger, tile->n, &b, err))
        return false;
    licet_cursor c = {{b.bytes, b.len}, 0};
    for (unsigned i = 0; ok && i < tile->width; i++)
        ok = take_entry(ledger, &c, tile->n * BUNDLE_ENTRIES + i, &entry, err);
    if (ok && !licet_put_bytes(out, licet_bytes_of(b.bytes, c.pos)))
        ok = LICET_FAIL(err, LICET_E_LIMIT, 0, "a bundle of %zu bytes does not fit its buffer", c.pos);
    free(b.bytes);
    return ok;
}

/* Hashes of the level (entries for bundles) that the committed size implies. */
static uint64_t
implied(const licet_ledger *ledger, const tile_path *tile)
{
    unsigned shift = tile->kind == TILE_OF_HASHES ? TILE_HEIGHT * tile->level : 0;
    return shift >= 64 ? 0 : ledger->now.size >> shift;
}

bool
licet_ledger_resource(licet_ledger *ledger, const char *path, licet_buffer *out, licet_error *err)
{
    tile_path tile;
    if (!tile_path_parse(path, &tile, err))
        return false;
    if (tile.kind == TILE_CHECKPOINT)
        return licet_ledger_checkpoint_read(ledger, out, err);
    uint64_t there = implied(ledger, &tile);
    if (tile.n > there / TILE_HASHES || tile.n * TILE_HASHES + tile.width > there)
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%s: a ledger of %llu entries has no %.80s", ledger->dir,
                          (unsigned long long)ledger->now.size, path);
    return tile.kind == TILE_OF_HASHES ? put_hashes(ledger, &tile, out, err) : put_bundle(ledger, &tile, out, err);
}

bool
licet_ledger_checkpoint_read(licet_ledger *ledger, licet_buffer *out, licet_error *err)
{
    char path[LEDGER_PATH_MAX];
    uint8_t *data = NULL;
    size_t len;
    ledger_path(ledger->dir, "checkpoint", path);
    if (!licet_file_read(path, NOTE_MAX, &data, &len, err))
        return false;
    bool ok = licet_put_bytes(out, licet_bytes_of(data, len));
    free(data);
    return ok || LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: %zu bytes do not fit its buffer", path, len);
}
