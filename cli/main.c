/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet: finds the subcommand and runs it; what all subcommands share in
 * saying what went wrong.
 */
#include "cli.h"
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DECLARE(name) LICET_DECLARE_COMMAND(name)
LICET_COMMANDS(DECLARE)

#define ENTRY(name) &licet_command_##name,
static const licet_command *const commands[] = {LICET_COMMANDS(ENTRY) NULL};

int
licet_cli_fail(const licet_command *command, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "licet %s: ", command->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return LICET_EXIT_FAILED;
}

int
licet_cli_error(const licet_command *command, const licet_error *err)
{
    return licet_cli_fail(command, "%s", err->text);
}

int
licet_cli_misuse(const licet_command *command, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "licet %s: ", command->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nsee licet %s --help\n", command->name);
    return LICET_EXIT_FAILED;
}

int
licet_cli_help(const licet_command *command)
{
    fputs(command->usage, stdout);
    return LICET_EXIT_OK;
}

uint64_t
licet_cli_now(void)
{
    const char *text = getenv("LICET_NOW");
    struct timespec now;
    uint64_t ms;

    if (text != NULL && licet_time_parse(licet_bytes_of_text(text), &ms)) {
        return ms;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
print_help(FILE *out)
{
    fputs("licet knows the agreement, meters what each response delivers, and proves both.\n\n"
          "usage: licet COMMAND [ARGUMENTS]\n\n",
          out);
    for (size_t i = 0; commands[i] != NULL; i++) {
        fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    }
    fputs("\nlicet COMMAND --help tells more; so does man licet. Exit codes: 0 all is well, 1 the answer is no,\n"
          "2 the command could not do its job.\n",
          out);
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return LICET_EXIT_FAILED;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return LICET_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("licet " LICET_BUILD);
        return LICET_EXIT_OK;
    }
    for (size_t i = 0; commands[i] != NULL; i++) {
        if (strcmp(argv[1], commands[i]->name) == 0) {
            return commands[i]->run(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "licet: \"%s\" is no command of licet; see licet --help\n", argv[1]);
    return LICET_EXIT_FAILED;
}
