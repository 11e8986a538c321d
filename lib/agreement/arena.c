/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: a list of chunks, filled from the front; see arena.h.
 */
#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_LEN ((size_t)64 * 1024)
#define ALIGNMENT ((size_t)16)

struct licet_arena_chunk {
    struct licet_arena_chunk *next;
    size_t used, len;
    _Alignas(16) uint8_t data[];
};

void
licet_arena_init(licet_arena *arena, size_t ceiling)
{
    memset(arena, 0, sizeof(*arena));
    arena->ceiling = ceiling;
}

void
licet_arena_done(licet_arena *arena)
{
    struct licet_arena_chunk *chunk = arena->head;

    while (chunk != NULL) {
        struct licet_arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    memset(arena, 0, sizeof(*arena));
}

static struct licet_arena_chunk *
add_chunk(licet_arena *arena, size_t len)
{
    struct licet_arena_chunk *chunk;

    if (len > arena->ceiling || arena->held > arena->ceiling - len) {
        return NULL;
    }
    chunk = calloc(1, sizeof(*chunk) + len);
    if (chunk == NULL) {
        return NULL;
    }
    chunk->len = len;
    arena->held += len;
    return chunk;
}

void *
licet_arena_alloc(licet_arena *arena, size_t size)
{
    struct licet_arena_chunk *head = arena->head, *chunk;
    uint8_t *place;

    if (size > arena->ceiling) {
        arena->failed = true;
        return NULL;
    }
    size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (head != NULL && head->len - head->used >= size) {
        place = head->data + head->used;
        head->used += size;
        return place;
    }
    chunk = add_chunk(arena, size > CHUNK_LEN / 4 ? size : CHUNK_LEN);
    if (chunk == NULL) {
        arena->failed = true;
        return NULL;
    }
    chunk->used = size;
    if (head != NULL && size > CHUNK_LEN / 4) { /* a chunk of its own: the open one stays open */
        chunk->next = head->next;
        head->next = chunk;
    } else {
        chunk->next = head;
        arena->head = chunk;
    }
    return chunk->data;
}

void *
licet_arena_rows(licet_arena *arena, size_t len, size_t size)
{
    if (len != 0 && size > SIZE_MAX / len) {
        arena->failed = true;
        return NULL;
    }
    return licet_arena_alloc(arena, len * size);
}

licet_bytes
licet_arena_copy(licet_arena *arena, licet_bytes bytes)
{
    uint8_t *copy = licet_arena_alloc(arena, bytes.len + 1);

    if (copy == NULL) {
        return licet_bytes_of(NULL, 0);
    }
    if (bytes.len > 0) {
        memcpy(copy, bytes.data, bytes.len);
    }
    return licet_bytes_of(copy, bytes.len);
}

const char *
licet_arena_format(licet_arena *arena, const char *format, ...)
{
    va_list list, again;
    char *text;
    int len;

    va_start(list, format);
    va_copy(again, list);
    len = vsnprintf(NULL, 0, format, list);
    va_end(list);
    text = len < 0 ? NULL : licet_arena_alloc(arena, (size_t)len + 1);
    if (text != NULL) {
        vsnprintf(text, (size_t)len + 1, format, again);
    }
    va_end(again);
    return text;
}
