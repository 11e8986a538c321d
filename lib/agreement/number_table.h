/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Number table: names that got a number for ever; a file of lines '<number> TAB <name> LF', append only.
 *
 *  (1) The number of a name is its line, from 0; a line once durable is never changed.
 *  (2) Names added in memory get their numbers at once and the file only by licet_numbers_append, whole and synced;
 *      licet_numbers_forget takes back what was not appended.
 *  (3) A last line without LF is what a crash left of an append that nobody was told of: it does not count.
 */
#ifndef LICET_AGREEMENT_NUMBER_TABLE_H
#define LICET_AGREEMENT_NUMBER_TABLE_H

#include "licet/base.h"

typedef struct licet_numbers {
    char **names; /* owned */
    uint32_t len, capacity;
    uint32_t durable; /* of len, those in the file */
    uint64_t file_len;
    uint32_t *slots; /* open hash: number + 1, 0 is free */
    size_t slots_len;
} licet_numbers;

void licet_numbers_init(licet_numbers *numbers);
void licet_numbers_done(licet_numbers *numbers);
/* Reads the file; one that is not there is empty. CORRUPT names path and line. */
bool licet_numbers_load(licet_numbers *numbers, const char *path, licet_error *err);
/* LICET_NONE: it has none. */
uint32_t licet_numbers_find(const licet_numbers *numbers, const char *name);
/* Its number, given now where it has none. */
bool licet_numbers_of(licet_numbers *numbers, const char *name, uint32_t *out_number, licet_error *err);
bool licet_numbers_append(licet_numbers *numbers, const char *path, licet_error *err);
void licet_numbers_forget(licet_numbers *numbers);

#endif
