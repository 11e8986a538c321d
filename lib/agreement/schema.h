/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schema: tables that say what a mapping may hold, and the one reader that fills structs by them.
 *
 *  (1) A scalar has the type its field says. A field that no table names is a mistake; one that a later version brings
 *      is refused by name. Nothing is ignored.
 *  (2) Reading goes on after a mistake; the struct then holds zeros or defaults in its place.
 *  (3) The reader's depth is the depth of the tables, not that of the input.
 *  (4) The first member of every row struct is a licet_scalar: the key of a row of a MAP, the place of a row of a LIST.
 */
#ifndef LICET_AGREEMENT_SCHEMA_H
#define LICET_AGREEMENT_SCHEMA_H

#include "yaml_read.h"

#define LICET_TEXT_MAX 1024 /* bytes of a sentence or a name of a party */

typedef struct licet_schema licet_schema;
typedef struct licet_field licet_field;

/* What a field becomes in the struct. */
typedef struct licet_rows { /* LIST, MAP: of the schema's struct; NAMES: of licet_scalar; PAIRS: of licet_pair */
    void *rows;
    uint32_t len;
    bool flawed; /* a mistake was said of them: what is not among them may be meant to be */
} licet_rows;
typedef struct licet_number { /* NUMBER, TIME (ms), WORD */
    uint64_t value;
    licet_scalar said; /* line 0: absent, value is the fallback */
} licet_number;
typedef struct licet_pair {
    licet_scalar key, value;
} licet_pair;

typedef enum licet_field_type {
    LICET_FIELD_TEXT,   /* licet_scalar, up to LICET_TEXT_MAX bytes, fits() if given */
    LICET_FIELD_NAME,   /* licet_scalar, up to LICET_NAME_MAX bytes */
    LICET_FIELD_ID,     /* licet_scalar of letters, digits, '.', '_', '-' */
    LICET_FIELD_WORD,   /* licet_number, one of words */
    LICET_FIELD_NUMBER, /* licet_number within least..most */
    LICET_FIELD_TIME,   /* licet_number in ms */
    LICET_FIELD_NAMES,  /* licet_rows of licet_scalar */
    LICET_FIELD_PAIRS,  /* licet_rows of licet_pair, both names or, with fits(), the value by it */
    LICET_FIELD_OBJECT, /* the schema's struct */
    LICET_FIELD_LIST,   /* licet_rows of the schema's struct */
    LICET_FIELD_MAP,    /* licet_rows of the schema's struct, its key in the first member */
    LICET_FIELD_OWN,    /* whatever read() makes of it; by the schema, if there is one, of a mapping in it */
    LICET_FIELD_LATER,  /* a later version brings it */
} licet_field_type;

typedef struct licet_word {
    const char *word; /* NULL ends a list */
    uint32_t value;   /* LICET_WORD_LATER: known, and refused by name; such a word also stands for all it begins */
} licet_word;
#define LICET_WORD_LATER UINT32_MAX

struct licet_field {
    const char *name; /* NULL ends a list */
    licet_field_type type;
    bool required;
    size_t at; /* in the struct */
    const licet_schema *schema;
    const licet_word *words;
    uint64_t least, most, fallback;
    bool (*fits)(licet_bytes text);
    const char *expected; /* what fits() wants, in words */
    void (*read)(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node,
                 void *out);
};

struct licet_schema {
    const char *noun;  /* of a row, for messages: limit */
    const char *title; /* the field that names a row of a LIST, or NULL */
    size_t size;
    const licet_field *fields;
    bool (*key_fits)(licet_bytes text); /* of rows of a MAP */
    const char *key_expected;
};

/* Fills *out, which is zeroed. node is the mapping; context goes before each message. */
void licet_schema_read(licet_reader *reader, const char *context, const licet_schema *schema,
                       const licet_yaml_node *node, void *out);
/* One field with its own rules, for read() functions. False: a mistake was said. */
bool licet_schema_scalar(licet_reader *reader, const char *context, const char *name, const licet_yaml_node *node,
                         const char *expected);
/* False: it is no list, which was said. */
bool licet_schema_list(licet_reader *reader, const char *context, const char *name, const licet_yaml_node *node);
bool licet_schema_number(licet_reader *reader, const char *context, const char *name, const licet_yaml_node *node,
                         uint64_t least, uint64_t most, uint64_t *out_value);
/* A copy of text that lives as long as the reader's arena. */
licet_scalar licet_schema_keep(licet_reader *reader, const licet_scalar *scalar);
void licet_schema_later(licet_reader *reader, const licet_scalar *at, const char *context, const char *what,
                        licet_bytes value);
/* Decimal digits, with single underscores between them. */
bool licet_schema_digits(licet_bytes text, uint64_t *out_value);

bool licet_fits_name(licet_bytes text);
bool licet_fits_id(licet_bytes text);
bool licet_fits_text(licet_bytes text);
#define LICET_EXPECTED_NAME "1 to 64 bytes of printable text without a space at either end"
#define LICET_EXPECTED_ID "1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first"
#define LICET_EXPECTED_TEXT "1 to 1024 bytes of printable text"

#endif
