/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors: the hex blocks of a page of docs/format, for unit tests. The page is
 * the only place where they stand, so page and code cannot drift.
 *
 *   ```vector NAME      bytes that the code must write and read
 *   ```refused NAME     bytes that the code must refuse
 */
#ifndef LICET_VECTORS_H
#define LICET_VECTORS_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "licet/base.h"

typedef struct vector {
    char name[64];
    bool refused;
    bool used; /* a test looked at it */
    uint8_t bytes[2048];
    size_t len;
} vector;

typedef struct vectors {
    vector list[128];
    size_t len;
} vectors;

static int
vectors_digit(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Aborts on a page it cannot read: a test without its vectors means nothing. */
static void
vectors_line(vector *v, const char *line, int *half)
{
    for (; *line != '\0'; line++) {
        int d = vectors_digit((unsigned char)*line);
        if (isspace((unsigned char)*line))
            continue;
        if (d < 0 || v->len == sizeof(v->bytes)) {
            fprintf(stderr, "vector %s: '%c' is no hex digit, or it is too long\n", v->name, *line);
            abort();
        }
        if (*half < 0) {
            *half = d;
        } else {
            v->bytes[v->len++] = (uint8_t)(*half << 4 | d);
            *half = -1;
        }
    }
}

static void
vectors_read(const char *page, vectors *out)
{
    const char *root = getenv("LICET_SOURCE_ROOT");
    char path[4096], line[4096];
    int half = -1;
    vector *open = NULL;
    snprintf(path, sizeof(path), "%s/%s", root != NULL ? root : ".", page);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        abort();
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        char kind[16], name[64];
        if (open != NULL && strncmp(line, "```", 3) == 0) {
            open = NULL;
        } else if (open != NULL) {
            vectors_line(open, line, &half);
        } else if (sscanf(line, "```%15[a-z] %63s", kind, name) == 2 &&
                   (strcmp(kind, "vector") == 0 || strcmp(kind, "refused") == 0)) {
            if (out->len == sizeof(out->list) / sizeof(out->list[0]))
                abort();
            open = &out->list[out->len++];
            memset(open, 0, sizeof(*open));
            memcpy(open->name, name, sizeof(name));
            open->refused = strcmp(kind, "refused") == 0;
            half = -1;
        }
    }
    fclose(file);
}

/* The vector of that name, marked as used; NULL when the page has none. */
static vector *
vectors_find(vectors *all, const char *name)
{
    for (size_t i = 0; i < all->len; i++)
        if (strcmp(all->list[i].name, name) == 0) {
            all->list[i].used = true;
            return &all->list[i];
        }
    fprintf(stderr, "no vector '%s' on the page\n", name);
    return NULL;
}

#endif
