/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing: what lies in a folder, in order of names.
 *
 *  (1) Hidden names and editors' copies (name~) are left out; a folder that is not there is empty.
 */
#ifndef LICET_AGREEMENT_LISTING_H
#define LICET_AGREEMENT_LISTING_H

#include "licet/base.h"

#define LICET_LISTING_PATH_MAX 4096

typedef struct licet_entry {
    char *name;
    bool folder;
} licet_entry;

typedef struct licet_listing {
    licet_entry *list; /* owned */
    size_t len, capacity;
} licet_listing;

/* *out needs licet_listing_done whatever comes of it. */
bool licet_listing_read(const char *folder, licet_listing *out, licet_error *err);
void licet_listing_done(licet_listing *names);

#endif
