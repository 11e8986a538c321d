/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Site: what the commands that read a site's files share.
 */
#ifndef LICET_CLI_SITE_H
#define LICET_CLI_SITE_H

#include "cli.h"

#include "licet/agreement.h"
#include "licet/image.h"

#include <jansson.h>

/* A new image of one agreement, compiled from the files; for reading only: its number and those of its counters mean
 * nothing beyond it. */
typedef struct licet_cli_image {
    licet_buffer blob;
    licet_image image;
    uint32_t counters; /* above every counter of the image */
} licet_cli_image;

/*
 * Loads the site in dir. Mistakes go to stderr, one line each and how many there are; what cannot be read is said as
 * licet_cli_error does. Returns LICET_EXIT_OK with *out_site, LICET_EXIT_NO for mistakes, LICET_EXIT_FAILED.
 */
int licet_cli_site_load(const licet_command *command, const char *dir, licet_site **out_site);
/* Reads the arguments of a command of the form 'DIR [--json]'. True with *out_dir and *out_json; false when the command
 * is over, with its exit code (help, misuse) in *out_code. */
bool licet_cli_site_arguments(const licet_command *command, int argc, char **argv, const char **out_dir, bool *out_json,
                              int *out_code);
/* One line for each on stderr, then how many. */
void licet_cli_mistakes_print(const licet_mistakes *mistakes);
/* An array of {file, line, column, text}; a new reference. */
json_t *licet_cli_mistakes_json(const licet_mistakes *mistakes);

/* image.c. Equal counters of two versions are one, as in a site's store. */
bool licet_cli_image_compile(const licet_site *site, size_t agreement, licet_cli_image *out_image, licet_error *err);
void licet_cli_image_done(licet_cli_image *image);

/* Prints a document as one indented text on stdout and gives up the reference. */
int licet_cli_json_print(const licet_command *command, json_t *document);
/* Bytes as JSON text; what is not UTF-8 becomes '?'. */
json_t *licet_cli_json_text(licet_bytes text);
/* RFC 3339, without milliseconds where they are zero and without the time where that is midnight: 2022-10-10. */
void licet_cli_time(uint64_t ms, char out[LICET_TIME_TEXT]);
/* A time of the command line that must lie on a full hour, for usage is kept by hours; false: the misuse was said. name
 * without its hyphens. */
bool licet_cli_hour(const licet_command *command, const char *name, const char *text, uint64_t *out_ms);
/* 2,000,000 */
#define LICET_CLI_NUMBER_TEXT 32
const char *licet_cli_number(uint64_t number, char out[LICET_CLI_NUMBER_TEXT]);
/* 's' unless there is one. */
const char *licet_cli_plural(uint64_t number);

#endif
