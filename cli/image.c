/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image: compiling an agreement of a site's files for the commands that only look at it.
 *
 *  (1) Counters are numbered as the store numbers them, by identity: the same counter of two versions is one.
 */
#include "site.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_MAX ((size_t)256 << 20)

typedef struct numbered {
    uint32_t counter;
    char identity[];
} numbered;

typedef struct numbering {
    void *tree;
    uint32_t next;
} numbering;

static int
compare_numbered(const void *left, const void *right)
{
    return strcmp(((const numbered *)left)->identity, ((const numbered *)right)->identity);
}

static bool
counter_of(void *user, const char *identity, uint32_t rows, uint32_t *out_counter, licet_error *err)
{
    numbering *all = user;
    size_t len = strlen(identity) + 1;
    numbered *made = malloc(sizeof(*made) + len), **found = NULL;

    if (made != NULL) {
        memcpy(made->identity, identity, len);
        made->counter = all->next;
        found = tsearch(made, &all->tree, compare_numbered);
    }
    if (found == NULL) {
        free(made);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a counter");
    }
    if (*found == made) {
        all->next += rows;
    } else {
        free(made);
    }
    *out_counter = (*found)->counter;
    return true;
}

bool
licet_cli_image_compile(const licet_site *site, size_t agreement, licet_cli_image *out_image, licet_error *err)
{
    numbering all = {NULL, 0};
    licet_compile_options options = {.cell = 1, .number = 1, .counter_of = counter_of, .user = &all};
    bool ok;

    licet_buffer_init(&out_image->blob, IMAGE_MAX);
    ok = licet_site_compile(site, agreement, &options, &out_image->blob, err) &&
         licet_image_open(licet_buffer_view(&out_image->blob), &out_image->image, err);
    out_image->counters = all.next;
    tdestroy(all.tree, free);
    if (!ok) {
        licet_buffer_done(&out_image->blob);
    }
    return ok;
}

void
licet_cli_image_done(licet_cli_image *image)
{
    licet_buffer_done(&image->blob);
}
