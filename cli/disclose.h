/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet disclose: what its files share.
 */
#ifndef LICET_CLI_DISCLOSE_H
#define LICET_CLI_DISCLOSE_H

#include "cli.h"
#include "count_ids.h"

#include "licet/meter.h"
#include "licet/receipt.h"

LICET_DECLARE_COMMAND(disclose)

typedef enum disclose_form {
    DISCLOSE_AUTO, /* by the ending of the file's name */
    DISCLOSE_LINES,
    DISCLOSE_CSV,
    DISCLOSE_JSON,
    DISCLOSE_NDJSON,
    DISCLOSE_NOTHING, /* what is in it is not looked into */
} disclose_form;

/* How the files are read, and what was found. */
typedef struct disclose_reading {
    disclose_form form;
    const char *column;           /* of CSV: a name of its first line, or a number from 1 on; NULL: the first */
    const licet_plan *plan;       /* of JSON: one unit with ids; NULL: none is known */
    const char *why_no_plan;      /* then */
    count_ids *ids;               /* all distinct ones */
    licet_disclosure_file *files; /* room for all */
    uint32_t files_len;
    uint64_t total, distinct;
} disclose_reading;

/* Reads one file to its end, once: its hash, its length and its ids. */
bool disclose_read(disclose_reading *reading, const char *name, licet_error *err);

/* A state machine over the bytes of a CSV file (RFC 4180); ids of one column. disclose_table.c */
typedef struct disclose_table {
    const char *column;
    bool lines;           /* no CSV: one id a line, as it stands */
    bool quoted, closed;  /* inside quotes; behind a closing quote */
    bool begun, in_field; /* something of the present row, of the present field was there */
    bool returned;        /* a carriage return came, which a line end may follow */
    uint8_t marked;       /* bytes of a byte order mark at the begin of the file */
    uint64_t row, at;     /* of the present field, from 0 on */
    uint64_t wanted;      /* place of the column; UINT64_MAX: not found yet */
    bool header;          /* the first row names the columns */
    size_t len;           /* of the present field, as far as it is kept */
    bool too_long;
    char field[256];
} disclose_table;
typedef bool (*disclose_on_id)(void *user, licet_bytes id, licet_error *err);
void disclose_table_init(disclose_table *table, bool lines, const char *column);
bool disclose_table_feed(disclose_table *table, licet_bytes bytes, disclose_on_id on_id, void *user, licet_error *err);
bool disclose_table_end(disclose_table *table, disclose_on_id on_id, void *user, licet_error *err);

#endif
