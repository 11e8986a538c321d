/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of tlog-tiles: checkpoint, tile/<L>/<N>[.p/<W>], tile/entries/<N>[.p/<W>].
 *
 *  (1) One spelling per resource: what is parsed and formatted again is the same text, any other is refused.
 */
#include "ledger_file.h"

#include <stdio.h>
#include <string.h>

/* Decimal without sign and leading zero, least..most, up to the first other character. */
static bool
take_number(const char **at, unsigned least, unsigned most, unsigned *out)
{
    const char *p = *at;
    unsigned value = 0;
    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (unsigned)(*p - '0');
        if (value > most)
            return false;
    }
    if (value < least)
        return false;
    *at = p;
    *out = value;
    return true;
}

static bool
take_group(const char **at, unsigned *out)
{
    const char *p = *at;
    for (unsigned i = 0; i < 3; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    *out = (unsigned)(p[0] - '0') * 100 + (unsigned)(p[1] - '0') * 10 + (unsigned)(p[2] - '0');
    *at = p + 3;
    return true;
}

/* x001/x234/067: groups of three, 'x' before all but the last, no leading group of zeros. */
static bool
take_index(const char **at, uint64_t *out)
{
    uint64_t value = 0;
    bool first = true, more;
    unsigned group;
    do {
        more = **at == 'x';
        if (more)
            ++*at;
        if (!take_group(at, &group))
            return false;
        if (first && more && group == 0)
            return false;
        if (value > (UINT64_MAX - group) / 1000)
            return false;
        value = value * 1000 + group;
        first = false;
        if (more && *(*at)++ != '/')
            return false;
    } while (more);
    *out = value;
    return true;
}

static bool
take_tile(const char *p, tile_path *tile)
{
    if (strncmp(p, "entries/", 8) == 0) {
        tile->kind = TILE_BUNDLE;
        p += 8;
    } else {
        tile->kind = TILE_OF_HASHES;
        if (!take_number(&p, 0, 63, &tile->level) || *p++ != '/')
            return false;
    }
    if (!take_index(&p, &tile->n))
        return false;
    tile->width = TILE_HASHES;
    if (*p == '\0')
        return true;
    if (strncmp(p, ".p/", 3) != 0)
        return false;
    p += 3;
    return take_number(&p, 1, 255, &tile->width) && *p == '\0';
}

bool
tile_path_parse(const char *path, tile_path *out_tile, licet_error *err)
{
    tile_path tile = {.kind = TILE_CHECKPOINT};
    if (strcmp(path, "checkpoint") != 0 && (strncmp(path, "tile/", 5) != 0 || !take_tile(path + 5, &tile)))
        return LICET_FAIL(err, LICET_E_INVALID, 0,
                          "\"%.80s\": expected checkpoint, tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]", path);
    *out_tile = tile;
    return true;
}

void
tile_path_format(const tile_path *tile, char out[TILE_PATH_TEXT])
{
    char index[40];
    size_t at = sizeof(index);
    uint64_t n = tile->n;
    if (tile->kind == TILE_CHECKPOINT) {
        snprintf(out, TILE_PATH_TEXT, "checkpoint");
        return;
    }
    index[--at] = '\0';
    for (bool last = true; last || n > 0; last = false) { /* groups from the end */
        if (!last)
            index[--at] = '/';
        for (unsigned i = 0; i < 3; i++, n /= 10)
            index[--at] = (char)('0' + n % 10);
        if (!last)
            index[--at] = 'x';
    }
    int len = tile->kind == TILE_BUNDLE ? snprintf(out, TILE_PATH_TEXT, "tile/entries/%s", index + at)
                                        : snprintf(out, TILE_PATH_TEXT, "tile/%u/%s", tile->level, index + at);
    if (tile->width < TILE_HASHES)
        snprintf(out + len, TILE_PATH_TEXT - (size_t)len, ".p/%u", tile->width);
}
