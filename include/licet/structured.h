/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured: HTTP field values by RFC 9651, read strictly and written canonically.
 *
 * A value becomes rows in the order of the text. Behind a row stand, for an inner list, its items, then its parameters;
 * `rows` says how many there are with the row itself, so that row + row->rows is the next one of the same depth.
 *
 *  (1) Nothing is allocated: the caller gives room for rows and for text, and its end is a failure with a name.
 *  (2) There is no recursion: the grammar is three deep.
 *  (3) What breaks the grammar anywhere fails as a whole; nothing of it is used.
 *  (4) Of equal keys the last value stands, in the place of the first.
 */
#ifndef LICET_STRUCTURED_H
#define LICET_STRUCTURED_H

#include "licet/base.h" /* every layer may use it: no layer breach */

#ifdef __cplusplus
extern "C" {
#endif

typedef enum licet_structured_kind {
    LICET_STRUCTURED_INTEGER,
    LICET_STRUCTURED_DECIMAL, /* number: thousandths */
    LICET_STRUCTURED_STRING,
    LICET_STRUCTURED_TOKEN,
    LICET_STRUCTURED_BYTES,   /* text: decoded */
    LICET_STRUCTURED_BOOLEAN, /* number: 0 or 1 */
    LICET_STRUCTURED_DATE,    /* number: seconds since 1970 */
    LICET_STRUCTURED_DISPLAY, /* text: UTF-8, decoded */
    LICET_STRUCTURED_INNER    /* inner list */
} licet_structured_kind;

typedef struct licet_structured_row {
    licet_structured_kind kind;
    uint32_t rows;       /* this one and all that belong to it */
    uint32_t items;      /* rows of the items of an inner list, right behind this one */
    uint32_t parameters; /* how many parameters, behind the items */
    int64_t number;
    licet_bytes key;  /* of a member of a dictionary and of a parameter */
    licet_bytes text; /* decoded; in the input or in the caller's room */
} licet_structured_row;

typedef enum licet_structured_form {
    LICET_STRUCTURED_ITEM,
    LICET_STRUCTURED_LIST,
    LICET_STRUCTURED_DICTIONARY
} licet_structured_form;

typedef struct licet_structured {
    licet_structured_row *rows; /* the caller's */
    uint32_t room, len;
    uint8_t *text; /* the caller's; as many bytes as the input has are always enough */
    size_t text_room, text_len;
} licet_structured;

/* Reads a whole value, appended to what value holds; several field lines are joined by ", " first. *out_first is its
 * first row; value->len is its end. On failure value is as it was, and err->offset says where. */
bool licet_structured_read(licet_structured *value, licet_structured_form form, licet_bytes input, uint32_t *out_first,
                           licet_error *err);
/* The member with that key among the rows first..end; NULL when there is none. */
const licet_structured_row *licet_structured_member(const licet_structured *value, uint32_t first, uint32_t end,
                                                    licet_bytes key);
/* The parameter of a row; NULL when it has none of that name. */
const licet_structured_row *licet_structured_parameter(const licet_structured_row *row, const char *key);

/* Canonical text (RFC 9651 section 4.1): of an item or inner list with its parameters; of a whole value. False, and
 * out->failed, when the buffer is full or a value cannot be written. */
bool licet_structured_put_row(licet_buffer *out, const licet_structured_row *row);
bool licet_structured_put(licet_buffer *out, licet_structured_form form, const licet_structured_row *rows,
                          uint32_t len);

#ifdef __cplusplus
}
#endif

#endif
