/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogues that licet brings along: finding one by what an operator calls it.
 */
#include "catalogues.h"

#include <stdio.h>
#include <string.h>

const licet_shipped *
licet_shipped_named(const char *name)
{
    const licet_shipped *found = NULL;
    size_t len = strlen(name);

    for (const licet_shipped *s = licet_shipped_catalogues; s->name != NULL; s++) {
        if (strcmp(s->name, name) == 0 || (strncmp(s->name, name, len) == 0 && s->name[len] == '@')) {
            found = s; /* the table is in order of names, so the last of them is the latest */
        }
    }
    return found;
}

const char *
licet_shipped_names(char out[LICET_SHIPPED_NAMES_TEXT])
{
    out[0] = '\0';
    for (const licet_shipped *s = licet_shipped_catalogues; s->name != NULL; s++) {
        size_t len = strlen(out);

        snprintf(out + len, LICET_SHIPPED_NAMES_TEXT - len, "%s%s", len > 0 ? ", " : "", s->name);
    }
    return out;
}
