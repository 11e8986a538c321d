/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any text as a path of tlog-tiles. What is accepted has one spelling. */
#include <stdlib.h>
#include <string.h>

#include "ledger_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *path = malloc(size + 1), again[TILE_PATH_TEXT];
    tile_path tile;
    licet_error err;
    if (path == NULL)
        return 0;
    if (size > 0)
        memcpy(path, data, size);
    path[size] = '\0';
    if (tile_path_parse(path, &tile, &err)) {
        tile_path_format(&tile, again);
        if (strcmp(path, again) != 0)
            abort();
    }
    free(path);
    return 0;
}
