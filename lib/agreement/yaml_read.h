/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML: one file as a tree of nodes that know their place.
 *
 *  (1) A scalar is its text; what type it has, the schema says (schema.h). NO is two letters.
 *  (2) Refused by name, with their place: aliases, anchors, tags, merge keys, keys that are not plain text, a second
 *      document. A key given twice is a mistake; the first stands.
 *  (3) Size, depth and number of nodes have ceilings; the reader does not recurse.
 */
#ifndef LICET_AGREEMENT_YAML_READ_H
#define LICET_AGREEMENT_YAML_READ_H

#include "arena.h"
#include "mistakes.h"

#define LICET_YAML_SIZE_MAX LICET_SITE_FILE_MAX
#define LICET_YAML_DEPTH_MAX 16u
#define LICET_YAML_NODES_MAX 400000u

/* Text and where it stands. line 0: absent. */
typedef struct licet_scalar {
    licet_bytes text;
    unsigned line, column; /* of the node, from 1; columns are characters */
    unsigned text_column;  /* of the first character of text where it stands in the file as it is, else 0 */
} licet_scalar;

typedef enum licet_yaml_kind {
    LICET_YAML_SCALAR,
    LICET_YAML_LIST,
    LICET_YAML_MAP,
    LICET_YAML_BAD, /* a mistake was reported here; readers say nothing more */
} licet_yaml_kind;

typedef struct licet_yaml_node {
    licet_yaml_kind kind;
    bool quoted;
    unsigned len;                                /* children */
    licet_scalar scalar;                         /* text of a SCALAR; the place of any */
    licet_scalar key;                            /* of a member of a MAP */
    struct licet_yaml_node *first, *last, *next; /* children, in their order */
} licet_yaml_node;

/* Where reading goes: what it makes, what it finds wrong. */
typedef struct licet_reader {
    const char *file; /* relative to the site */
    licet_arena *arena;
    licet_mistakes *mistakes;
    bool failed; /* memory ran out while a mistake was to be kept */
} licet_reader;

/* Adds a mistake at a place; context goes before it ("limit CAP-MONTH: "). */
void licet_reader_say(licet_reader *reader, const licet_scalar *at, const char *context, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Such a context, cut where it has no room. */
#define LICET_CONTEXT_MAX 200
void licet_context_of(char out[LICET_CONTEXT_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads text into nodes of tree, an arena that may die before reader->arena. NULL: broken, and the reader was told; or
 * memory ran out (tree->failed, reader->failed). */
const licet_yaml_node *licet_yaml_read(licet_reader *reader, licet_arena *tree, licet_bytes text);

/* A value as messages show it: shortened, with ? for what cannot be printed. */
typedef struct licet_quote {
    char text[88];
} licet_quote;
licet_quote licet_quote_of(licet_bytes text);

#endif
