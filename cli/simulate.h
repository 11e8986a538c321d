/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet simulate: what its two files share.
 */
#ifndef LICET_CLI_SIMULATE_H
#define LICET_CLI_SIMULATE_H

#include "site.h"

#include "licet/simulate.h"

/* What one set of terms makes of the period. */
typedef struct simulated {
    const char *terms; /* in words: recorded, or the folder of the site */
    licet_simulate_facts facts;
    json_t *report; /* the report's document; owned */
} simulated;

/* The two beside each other, on stdout. */
void simulate_print(const char *agreement, const simulated *before, const simulated *after);
/* The same as a new document. */
json_t *simulate_json(const char *agreement, const simulated *before, const simulated *after);

#endif
