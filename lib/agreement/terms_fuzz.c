/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as each of the four kinds of file. The first byte chooses the kind. Reading twice gives the same mistakes,
 * every mistake has a place within the text, and what reads without one can be checked; a catalogue without one becomes
 * an image that opens.
 */
#include "terms.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned
lines_of(licet_bytes text)
{
    unsigned n = 1;

    for (size_t i = 0; i < text.len; i++) {
        n += text.data[i] == '\n' || text.data[i] == '\r';
        n += text.data[i] == 0x85 || text.data[i] == 0xa8 || text.data[i] == 0xa9; /* line ends beyond ASCII */
    }
    return n;
}

static void
read_catalogue(licet_bytes text, licet_mistakes *mistakes)
{
    licet_image image;
    licet_buffer blob;

    licet_buffer_init(&blob, (size_t)64 << 20);
    if (licet_catalogue_compile("fuzz", text, mistakes, &blob, NULL) != (mistakes->len == 0) ||
        (mistakes->len == 0 && !licet_image_open(licet_buffer_view(&blob), &image, NULL))) {
        abort();
    }
    licet_buffer_done(&blob);
}

static void
read_one(uint8_t kind, licet_bytes text, licet_mistakes *mistakes)
{
    licet_reader reader = {.file = "fuzz", .mistakes = mistakes};
    union {
        licet_terms_config config;
        licet_terms_version version;
        licet_terms_apps apps;
    } terms;
    licet_arena arena;

    memset(&terms, 0, sizeof(terms));
    licet_arena_init(&arena, (size_t)64 << 20);
    reader.arena = &arena;
    switch (kind % 4) {
    case 0:
        licet_terms_read_config(&reader, text, &terms.config);
        break;
    case 1:
        read_catalogue(text, mistakes);
        break;
    case 2:
        licet_terms_read_version(&reader, text, &terms.version);
        break;
    default:
        licet_terms_read_apps(&reader, text, &terms.apps);
        break;
    }
    licet_arena_done(&arena);
    licet_mistakes_sort(mistakes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    licet_mistakes first = {0}, second = {0};
    licet_bytes text;
    unsigned lines;

    if (size == 0) {
        return 0;
    }
    text = licet_bytes_of(data + 1, size - 1);
    lines = lines_of(text);
    read_one(data[0], text, &first);
    read_one(data[0], text, &second);
    if (first.len != second.len) {
        abort();
    }
    for (size_t i = 0; i < first.len; i++) {
        if (strcmp(first.list[i].text, second.list[i].text) != 0 || first.list[i].line > lines + 1) {
            abort();
        }
    }
    licet_mistakes_done(&first);
    licet_mistakes_done(&second);
    return 0;
}
