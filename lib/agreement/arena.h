/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: memory that is freed in one call.
 *
 *  (1) What it gives is zeroed, aligned for any type, and never freed singly.
 *  (2) Reaching its ceiling or the end of memory sets failed and gives NULL; the caller of a whole pass looks at failed
 *      once at its end.
 */
#ifndef LICET_AGREEMENT_ARENA_H
#define LICET_AGREEMENT_ARENA_H

#include "licet/base.h"

typedef struct licet_arena {
    struct licet_arena_chunk *head;
    size_t held;    /* bytes of all chunks */
    size_t ceiling; /* most of them */
    bool failed;
} licet_arena;

void licet_arena_init(licet_arena *arena, size_t ceiling);
void licet_arena_done(licet_arena *arena);
void *licet_arena_alloc(licet_arena *arena, size_t size);
/* The same for len rows of size bytes each. */
void *licet_arena_rows(licet_arena *arena, size_t len, size_t size);
/* A copy with a NUL behind it, which is not counted in len. */
licet_bytes licet_arena_copy(licet_arena *arena, licet_bytes bytes);
const char *licet_arena_format(licet_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
