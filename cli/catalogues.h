/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogues that licet brings along: the files of catalogue/, made into a table by tools/embed.py at build time.
 */
#ifndef LICET_CATALOGUES_H
#define LICET_CATALOGUES_H

#include <stddef.h>

typedef struct licet_shipped {
    const char *name; /* x-api-v2@2022-10-10; NULL ends the table */
    const char *unit; /* the unit it is mostly about: the first of its units */
    unsigned endpoints;
    size_t len;
    const char *text;
} licet_shipped;

/* In order of their names. */
extern const licet_shipped licet_shipped_catalogues[];

/* x-api-v2@2022-10-10, or x-api-v2 for its latest; NULL: there is none of that name. */
const licet_shipped *licet_shipped_named(const char *name);
/* All their names, with commas between them. */
#define LICET_SHIPPED_NAMES_TEXT 512
const char *licet_shipped_names(char out[LICET_SHIPPED_NAMES_TEXT]);

#endif
