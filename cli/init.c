/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet init: an empty folder becomes a site that licet check finds well.
 *
 *  (1) A folder that holds anything is refused. What was made is removed again when a later step fails.
 *  (2) The site is loaded and judged before the command says that it is there.
 */
#include "init_text.h"
#include "site.h"

#include "licet/ledger.h"
#include "licet/store.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: licet init DIR --upstream URL [--catalogue NAME] [--identity VAR] [--party licensor|licensee]\n"
    "                  [--agreement ID] [--json]\n"
    "\n"
    "Makes a site in DIR, which must be empty or not there yet: one agreement with placeholders in observe mode, one\n"
    "app with one use case, a catalogue and keys. Every line is explained where it stands.\n"
    "\n"
    "  --upstream URL    where allowed requests go, such as https://api.internal\n"
    "  --catalogue NAME  a catalogue that licet brings along (below); default: a starter to fill in yourself\n"
    "  --identity VAR    nginx variable that names the app, such as http_x_consumer_id; default: credentials\n"
    "  --party SIDE      licensor or licensee; default: licensor\n"
    "  --agreement ID    the contract's number; default: A-1\n"
    "  --json            print what was written as one JSON document\n"
    "\n"
    "catalogues: mastodon, reddit, stack-exchange, x-api-v2\n"
    "\n"
    "exit status: 0 the site is there, 2 it could not be made\n";

extern const licet_command licet_command_init;

#define MADE_MAX 16

/* What was made so far, in order; removed in reverse when something fails. */
typedef struct made {
    char *paths[MADE_MAX];
    size_t len;
} made;

typedef struct wrote {
    const char *path; /* relative to the site */
    const char *what;
} wrote;

static bool
path_of(char out[PATH_MAX], const licet_init *init, const char *name, licet_error *err)
{
    return snprintf(out, PATH_MAX, "%s%s%s", init->dir, name[0] != '\0' ? "/" : "", name) < PATH_MAX
               ? true
               : LICET_FAIL(err, LICET_E_LIMIT, 0, "%s/%s: the name is too long", init->dir, name);
}

/* Remembers a path that is now there. */
static bool
keep(made *m, const char *path, licet_error *err)
{
    char *copy = m->len < MADE_MAX ? strdup(path) : NULL;

    if (copy == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the name %s", path);
    }
    m->paths[m->len++] = copy;
    return true;
}

static void
made_done(made *m, bool keep_them)
{
    while (m->len > 0) {
        char *path = m->paths[--m->len];

        if (!keep_them && unlink(path) != 0) {
            rmdir(path);
        }
        free(path);
    }
}

/* The folders above the site; they stay on failure, for they may be anybody's. */
static bool
make_parents(const char *path, licet_error *err)
{
    const char *end = strrchr(path, '/');
    char parent[PATH_MAX];

    if (end == NULL || end == path) {
        return true;
    }
    memcpy(parent, path, (size_t)(end - path));
    parent[end - path] = '\0';
    return licet_dir_make(parent, 0755, err);
}

/* Makes one folder. An empty one that is there already is taken only for the site itself, and stays on failure. */
static bool
make_folder(const licet_init *init, made *m, const char *name, mode_t mode, licet_error *err)
{
    char path[PATH_MAX];

    if (!path_of(path, init, name, err) || (name[0] == '\0' && !make_parents(path, err))) {
        return false;
    }
    if (mkdir(path, mode) != 0) {
        if (errno == EEXIST && name[0] == '\0') {
            return true;
        }
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    }
    return keep(m, path, err);
}

static bool
write_file(const licet_init *init, made *m, const char *name, const licet_buffer *text, unsigned mode, licet_error *err)
{
    char path[PATH_MAX];

    if (text->failed) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %s", name);
    }
    return path_of(path, init, name, err) && licet_file_replace(path, licet_buffer_view(text), mode, err) &&
           keep(m, path, err);
}

static bool
write_key(const licet_init *init, made *m, licet_error *err)
{
    licet_signer_key key = {0};
    licet_buffer text;
    uint8_t seed[32];
    char name[32];
    bool ok;

    licet_buffer_init(&text, 1024);
    snprintf(name, sizeof(name), "licet-%s", init->site);
    ok = licet_random(seed, sizeof(seed), err) && licet_signer_key_make(licet_bytes_of_text(name), seed, &key, err) &&
         licet_signer_key_format(&key, &text) && licet_put_u8(&text, '\n') &&
         write_file(init, m, "data/key", &text, 0600, err);
    explicit_bzero(seed, sizeof(seed));
    explicit_bzero(&key, sizeof(key));
    if (text.data != NULL) {
        explicit_bzero(text.data, text.len);
    }
    licet_buffer_done(&text);
    return ok;
}

static bool
write_gate_key(const licet_init *init, made *m, licet_error *err)
{
    licet_gate_keys keys = {0};
    char path[PATH_MAX];
    bool ok = path_of(path, init, "data/gate.key", err) && keep(m, path, err) &&
              licet_gate_keys_read(init->dir, true, &keys, err);

    explicit_bzero(&keys, sizeof(keys));
    return ok;
}

static bool
write_text(const licet_init *init, made *m, const char *name, void (*put)(const licet_init *, licet_buffer *),
           licet_error *err)
{
    licet_buffer text;
    bool ok;

    licet_buffer_init(&text, (size_t)4 << 20);
    put(init, &text);
    ok = write_file(init, m, name, &text, 0644, err);
    licet_buffer_done(&text);
    return ok;
}

/* True when dir is not there or holds nothing. */
static bool
is_free(const char *dir, licet_error *err)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;
    char found[NAME_MAX + 1] = "";

    if (folder == NULL) {
        return errno == ENOENT ? true : LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", dir, strerror(errno));
    }
    while (found[0] == '\0' && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            snprintf(found, sizeof(found), "%s", entry->d_name);
        }
    }
    closedir(folder);
    return found[0] == '\0'
               ? true
               : LICET_FAIL(err, LICET_E_CONFLICT, 0,
                            "%s is not empty (it holds %s): expected an empty folder or a new name", dir, found);
}

/* What the site says of itself; a mistake here comes from a value on the command line. */
static bool
judge(const licet_init *init, licet_error *err)
{
    licet_mistakes mistakes = {0};
    licet_site *site = NULL;
    bool ok = licet_site_load(init->dir, &mistakes, &site, err);

    if (!ok && mistakes.len > 0) {
        bool option = strcmp(mistakes.list[0].file, "licet.yaml") == 0; /* its fields are named as the options are */

        LICET_FAIL(err, LICET_E_INVALID, 0, "%s%s", option ? "--" : "", mistakes.list[0].text);
    }
    licet_mistakes_done(&mistakes);
    licet_site_free(site);
    return ok;
}

static bool
make_site(licet_init *init, made *m, char agreement_file[PATH_MAX], char catalogue_file[PATH_MAX],
          char apps_file[PATH_MAX], licet_error *err)
{
    char folder[PATH_MAX];
    uint8_t random[6];

    if (!is_free(init->dir, err) || !licet_random(random, sizeof(random), err)) {
        return false;
    }
    licet_hex(random, sizeof(random), init->site);
    snprintf(folder, sizeof(folder), "agreements/%s", init->agreement);
    snprintf(agreement_file, PATH_MAX, "agreements/%s/%s.yaml", init->agreement, init->day);
    snprintf(apps_file, PATH_MAX, "agreements/%s/apps.yaml", init->agreement);
    snprintf(catalogue_file, PATH_MAX, "catalogue/%s.yaml", init->catalogue_name);
    return make_folder(init, m, "", 0755, err) && make_folder(init, m, "catalogue", 0755, err) &&
           make_folder(init, m, "agreements", 0755, err) && make_folder(init, m, folder, 0755, err) &&
           make_folder(init, m, "data", 0700, err) && write_text(init, m, "licet.yaml", licet_init_config, err) &&
           write_text(init, m, catalogue_file, licet_init_catalogue, err) &&
           write_text(init, m, agreement_file, licet_init_agreement, err) &&
           write_text(init, m, apps_file, licet_init_apps, err) && write_key(init, m, err) &&
           write_gate_key(init, m, err) && judge(init, err);
}

/* ---- the command line ------------------------------------------------------- */

static int
unknown_catalogue(const char *name)
{
    char names[LICET_SHIPPED_NAMES_TEXT];

    return licet_cli_fail(&licet_command_init, "--catalogue \"%s\": expected one that licet brings along: %s", name,
                          licet_shipped_names(names));
}

static bool
is_agreement_id(const char *id)
{
    static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = strlen(id);

    return len >= 1 && len <= LICET_NAME_MAX && strspn(id, inner) == len && strchr("._-", id[0]) == NULL &&
           strcmp(id, "unidentified") != 0;
}

static int
parse(licet_init *init, bool *out_json, int argc, char **argv)
{
    static const struct option options[] = {{"upstream", required_argument, NULL, 'u'},
                                            {"catalogue", required_argument, NULL, 'c'},
                                            {"identity", required_argument, NULL, 'i'},
                                            {"party", required_argument, NULL, 'p'},
                                            {"agreement", required_argument, NULL, 'a'},
                                            {"from-log", required_argument, NULL, 'l'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *catalogue = NULL;
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'u':
            init->upstream = optarg;
            break;
        case 'c':
            catalogue = optarg;
            break;
        case 'i':
            init->identity = optarg;
            break;
        case 'p':
            init->party = optarg;
            break;
        case 'a':
            init->agreement = optarg;
            break;
        case 'l':
            return licet_cli_misuse(&licet_command_init,
                                    "--from-log: making a site from access logs comes with a later version of licet");
        case 'j':
            *out_json = true;
            break;
        case 'h':
            return -1;
        default:
            return licet_cli_misuse(&licet_command_init, "\"%s\": no such option, or its value is missing",
                                    argv[optind - 1]);
        }
    }
    if (optind + 1 != argc) {
        return licet_cli_misuse(&licet_command_init, "expected one folder to make, not %d", argc - optind);
    }
    init->dir = argv[optind];
    if (init->upstream == NULL) {
        return licet_cli_misuse(&licet_command_init,
                                "--upstream is missing: expected where allowed requests go, such as "
                                "https://api.internal");
    }
    if (strcmp(init->party, "licensor") != 0 && strcmp(init->party, "licensee") != 0) {
        return licet_cli_misuse(&licet_command_init, "--party \"%s\": expected licensor or licensee", init->party);
    }
    if (!is_agreement_id(init->agreement)) {
        return licet_cli_misuse(&licet_command_init,
                                "--agreement \"%s\": expected 1 to 64 letters, digits, '.', '_' or '-', beginning with "
                                "a letter or digit, and not \"unidentified\"",
                                init->agreement);
    }
    init->catalogue = catalogue != NULL ? licet_shipped_named(catalogue) : NULL;
    return catalogue != NULL && init->catalogue == NULL ? unknown_catalogue(catalogue) : LICET_EXIT_OK;
}

static void
print_words(const licet_init *init, const wrote *files, size_t n)
{
    size_t width = 0;

    for (size_t i = 0; i < n; i++) {
        width = strlen(files[i].path) > width ? strlen(files[i].path) : width;
    }
    printf("Wrote the site %s:\n\n", init->dir);
    for (size_t i = 0; i < n; i++) {
        printf("  %-*s   %s\n", (int)width, files[i].path, files[i].what);
    }
    printf("\nNext: licet check %s, licet credential new %s %s, licet up %s\n", init->dir, init->dir, LICET_INIT_APP,
           init->dir);
}

static int
print_json(const licet_init *init, const wrote *files, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, json_string(files[i].path));
    }
    return licet_cli_json_print(&licet_command_init,
                                json_pack("{s:o, s:s, s:s, s:s, s:s, s:o}", "dir",
                                          licet_cli_json_text(licet_bytes_of_text(init->dir)), "site", init->site,
                                          "agreement", init->agreement, "catalogue", init->catalogue_name, "app",
                                          LICET_INIT_APP, "wrote", list));
}

static int
run(int argc, char **argv)
{
    licet_init init = {.party = "licensor", .agreement = "A-1"};
    char agreement_file[PATH_MAX], catalogue_file[PATH_MAX], apps_file[PATH_MAX], variable[256], counts[96];
    char now[LICET_TIME_TEXT];
    licet_error err = {0};
    made m = {.len = 0};
    bool json = false, ok;
    int result = parse(&init, &json, argc, argv);

    if (result != LICET_EXIT_OK) {
        return result < 0 ? licet_cli_help(&licet_command_init) : result;
    }
    if (init.identity != NULL && init.identity[0] != '$') { /* a shell eats a bare $name */
        snprintf(variable, sizeof(variable), "$%s", init.identity);
        init.identity = variable;
    }
    licet_time_format(licet_cli_now(), now);
    snprintf(init.day, sizeof(init.day), "%.10s", now);
    snprintf(init.catalogue_name, sizeof(init.catalogue_name), "%s%s",
             init.catalogue != NULL ? init.catalogue->name : "starter@", init.catalogue != NULL ? "" : init.day);
    ok = make_site(&init, &m, agreement_file, catalogue_file, apps_file, &err);
    made_done(&m, ok);
    if (!ok) {
        return licet_cli_error(&licet_command_init, &err);
    }
    snprintf(counts, sizeof(counts), "what counts in a response: %u endpoints",
             init.catalogue != NULL ? init.catalogue->endpoints : 0);
    const wrote files[] = {
        {"licet.yaml", "who we are, upstream, listen"},
        {catalogue_file, init.catalogue != NULL ? counts : "what counts in a response: a starter to fill in"},
        {agreement_file, "the terms: placeholders, observe mode, in force from today"},
        {apps_file, "one app, one use case"},
        {"data/key", "signs the ledger; keep a copy in a safe place"},
        {"data/gate.key", "keys of credentials and decision ids; keep a copy too"},
    };
    if (json) {
        return print_json(&init, files, sizeof(files) / sizeof(files[0]));
    }
    print_words(&init, files, sizeof(files) / sizeof(files[0]));
    return LICET_EXIT_OK;
}

const licet_command licet_command_init = {"init", "make a site in an empty folder", usage, run};
