/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet agreement: the terms in plain English.
 */
#include "agreement.h"

#include <getopt.h>
#include <string.h>

static const char usage[] =
    "usage: licet agreement show DIR A [--at T] [--json]\n"
    "\n"
    "Tells the terms of agreement A of the site DIR in plain English, each sentence beside its section: the version\n"
    "in force at T, from the files of the site, recorded or not. Nothing is written.\n"
    "\n"
    "  --at T   the time: 2022-10-10 or 2022-10-10T12:00:00Z; default now\n"
    "  --json   print the sentences as one JSON document\n"
    "\n"
    "exit status: 0 told, 1 no version is in force then, 2 the site could not be read or holds a mistake\n";

static bool
parse_at(licet_agreement_options *o, const char *text)
{
    o->has_at = licet_time_parse(licet_bytes_of_text(text), &o->at_ms);
    if (!o->has_at) {
        licet_cli_misuse(&licet_command_agreement,
                         "--at \"%s\": expected a time such as 2022-10-10 or 2022-10-10T12:00:00Z", text);
    }
    return o->has_at;
}

static int
run(int argc, char **argv)
{
    static const struct option long_options[] = {{"at", required_argument, NULL, 'a'},
                                                 {"json", no_argument, NULL, 'j'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {NULL, 0, NULL, 0}};
    licet_agreement_options o = {0};
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 'a':
            if (!parse_at(&o, optarg)) {
                return LICET_EXIT_FAILED;
            }
            break;
        case 'j':
            o.json = true;
            break;
        case 'h':
            return licet_cli_help(&licet_command_agreement);
        default:
            return licet_cli_misuse(&licet_command_agreement,
                                    "\"%s\": no option of this command, or its value is missing", argv[optind - 1]);
        }
    }
    if (optind >= argc || strcmp(argv[optind], "show") != 0) {
        return licet_cli_misuse(&licet_command_agreement, "\"%s\": expected show", optind < argc ? argv[optind] : "");
    }
    if (argc - optind != 3) {
        return licet_cli_misuse(&licet_command_agreement, "expected one site and one agreement, found %d names",
                                argc - optind - 1);
    }
    o.dir = argv[optind + 1];
    o.agreement = argv[optind + 2];
    if (!o.has_at) {
        o.at_ms = licet_cli_now();
    }
    return licet_agreement_show(&o);
}

const licet_command licet_command_agreement = {"agreement", "the terms in plain English", usage, run};
