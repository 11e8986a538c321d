/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet agreement: the terms in plain English, and who accepted them.
 */
#include "agreement.h"

#include <getopt.h>
#include <string.h>

static const char usage[] =
    "usage: licet agreement show DIR A [--at T] [--json]\n"
    "       licet agreement accept DIR A [--version V] [--as WHO] [--key FILE] [--json]\n"
    "       licet agreement accept DIR A --note FILE --verifier KEY [--json]\n"
    "\n"
    "Tells the terms of agreement A of the site DIR in plain English, each sentence beside its section: the version\n"
    "in force at T, from the files of the site, recorded or not. Nothing is written.\n"
    "\n"
    "Accept signs, for the party of this site, the hashes of a version's file and of its catalogue, which holds the\n"
    "counting rules, and keeps the note in agreements/A/accepted; or takes in the other party's note.\n"
    "\n"
    "  --at T           the time: 2022-10-10 or 2022-10-10T12:00:00Z; default now\n"
    "  --version V      the version; default the one in force now, else the newest\n"
    "  --as WHO         name and role of who accepts: 'J. Roe, VP Licensing'; part of what is signed\n"
    "  --key FILE       private key that signs; default data/key of the site\n"
    "  --note FILE      the other party's note\n"
    "  --verifier KEY   its public key: name+hhhhhhhh+base64\n"
    "  --json           print one JSON document\n"
    "\n"
    "exit status: 0 told or accepted, 1 no version is in force then, or it was accepted already, 2 it could not be "
    "done\n";

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

/* Of one line, for a note is made of lines. */
static bool
is_printable(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return false;
        }
    }
    return text[0] != '\0';
}

static int
run(int argc, char **argv)
{
    static const struct option long_options[] = {{"at", required_argument, NULL, 'a'},
                                                 {"version", required_argument, NULL, 'v'},
                                                 {"as", required_argument, NULL, 's'},
                                                 {"key", required_argument, NULL, 'k'},
                                                 {"note", required_argument, NULL, 'n'},
                                                 {"verifier", required_argument, NULL, 'V'},
                                                 {"json", no_argument, NULL, 'j'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {NULL, 0, NULL, 0}};
    licet_agreement_options o = {0};
    bool accept;
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 'a':
            if (!parse_at(&o, optarg)) {
                return LICET_EXIT_FAILED;
            }
            break;
        case 'v':
            o.version = optarg;
            break;
        case 's':
            o.as = optarg;
            break;
        case 'k':
            o.key = optarg;
            break;
        case 'n':
            o.note = optarg;
            break;
        case 'V':
            o.verifier = optarg;
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
    accept = optind < argc && strcmp(argv[optind], "accept") == 0;
    if (!accept && (optind >= argc || strcmp(argv[optind], "show") != 0)) {
        return licet_cli_misuse(&licet_command_agreement, "\"%s\": expected show or accept",
                                optind < argc ? argv[optind] : "");
    }
    if ((o.note == NULL) != (o.verifier == NULL) || (o.note != NULL && (o.version || o.as || o.key))) {
        return licet_cli_misuse(&licet_command_agreement,
                                "--note goes with --verifier, and without --version, --as and --key");
    }
    if (!accept && (o.version || o.as || o.key || o.note)) {
        return licet_cli_misuse(&licet_command_agreement, "show takes --at and --json only");
    }
    if (o.as != NULL && (!is_printable(o.as) || strlen(o.as) > 256)) {
        return licet_cli_misuse(&licet_command_agreement, "--as: expected 1 to 256 bytes of printable text");
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
    return accept ? licet_agreement_accept(&o) : licet_agreement_show(&o);
}

const licet_command licet_command_agreement = {"agreement", "the terms in plain English, and accepting them", usage,
                                               run};
