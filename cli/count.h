/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet count: what its files share.
 */
#ifndef LICET_COUNT_H
#define LICET_COUNT_H

#include "cli.h"
#include "count_ids.h"
#include "licet/meter.h"

#include <jansson.h>

LICET_DECLARE_COMMAND(count)

enum { COUNT_NAME_MAX = 32 }; /* of --unit; a catalogue's units may have LICET_NAME_MAX */

typedef struct count_unit {
    char name[LICET_NAME_MAX + 1];
    const char *ids_text; /* of --id, as written; NULL: none */
    uint64_t distinct;
    uint64_t reserved; /* by --catalogue: before this request goes up */
} count_unit;

typedef struct count_file {
    const char *name; /* as given; "-": standard input */
    licet_scan_result result;
    uint8_t first[4]; /* of its bytes, to tell compressed ones */
} count_file;

typedef struct count_job {
    count_unit units[LICET_SCAN_UNITS_MAX];
    licet_plan_unit paths[LICET_SCAN_UNITS_MAX];
    size_t units_len;
    licet_body_form form;
    bool strict, json;
    uint64_t max_ids;
    const char *suggest;
    const char *catalogue, *request;   /* both or none */
    char endpoint[LICET_NAME_MAX + 1]; /* of the request; "": not by a catalogue */
    licet_plan *plan;                  /* NULL: nothing counts, no body is looked into */
    count_ids ids;
    count_file *files;
    size_t files_len;
    bool id_failed; /* adding an id did; err says why */
    licet_error err;
} count_job;

/* Units, paths and reservation by catalogue and request; an exit code, LICET_EXIT_OK to go on. */
int count_by_catalogue(count_job *j);

/* The answer, on stdout. JSON: false when memory is short. */
bool count_print_json(const count_job *j);
void count_print_text(const count_job *j);

/* A document as one line on stdout; gives up the reference. False when memory is short. */
bool count_print_document(json_t *document);

/* licet count --suggest FILE: what could be counted in a page; returns the exit code. */
int count_suggest(const char *file, bool json);

#endif
