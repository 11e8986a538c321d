/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one file per subcommand, a table of them in commands.h.
 *
 *  (1) Exit 0: all is well; 1: the answer is no; 2: the command could not do its job, said on stderr with what and
 * where. (2) Every command has --help (on stdout, exit 0) and --json (one JSON document on stdout, nothing else there).
 *  (3) Results go to stdout, everything else to stderr.
 */
#ifndef LICET_CLI_H
#define LICET_CLI_H

#include "licet/base.h"

enum { LICET_EXIT_OK = 0, LICET_EXIT_NO = 1, LICET_EXIT_FAILED = 2 };

typedef struct licet_command {
    const char *name;                  /* licet NAME … */
    const char *summary;               /* one line for licet --help */
    const char *usage;                 /* whole text of licet NAME --help */
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
} licet_command;

/* Prints 'licet NAME: …' and, for usage faults, where help is; returns LICET_EXIT_FAILED. */
int licet_cli_fail(const licet_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same from an error object. */
int licet_cli_error(const licet_command *command, const licet_error *err);
/* For a wrong command line: message and 'see licet NAME --help'; returns LICET_EXIT_FAILED. */
int licet_cli_misuse(const licet_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints usage on stdout; returns LICET_EXIT_OK. */
int licet_cli_help(const licet_command *command);
/* Milliseconds since 1970, of this machine's clock; or LICET_NOW from the environment (RFC 3339), for tests. */
uint64_t licet_cli_now(void);

#define LICET_DECLARE_COMMAND(name) extern const licet_command licet_command_##name;

#endif
