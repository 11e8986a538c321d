/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet credential: end and list stand in credential_end.c. new: a secret is made, shown once, and its keyed hash
 * written into apps.yaml.
 *
 *  (1) The secret is 32 random bytes; nothing that can be turned back into it is kept.
 *  (2) apps.yaml is judged after the edit; if the site is not well with it, or the new credential is not found in it,
 * it gets back what it held. (3) Two runs at once do not lose each other's edit: the folder is locked meanwhile.
 */
#include "credential.h"
#include "apps_edit.h"
#include "credential_kinds.h"
#include "site.h"

#include "licet/store.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: licet credential new DIR APP [--agreement A] [--kind KIND] [--id K] [--from T] [--before T] [--json]\n"
    "       licet credential end DIR K [--agreement A] [--before T | --overlap SPAN] [--json]\n"
    "       licet credential list DIR [--agreement A] [--json]\n"
    "\n"
    "Makes a secret for APP, shows it once, and writes its keyed hash into the app's apps.yaml. Comments and layout "
    "of\n"
    "the file stay as they are. licet apply records it.\n"
    "\n"
    "end gives credential K an end, now unless another time is said; nothing is taken away. list tells of each\n"
    "credential whether it is valid now. To replace one: new, apply, hand it over, end with an overlap, apply.\n"
    "\n"
    "  --agreement A   where apps of that name exist under several agreements\n"
    "  --kind KIND     bearer (Authorization: Bearer ...) or api-key (X-Api-Key: ...); default: bearer;\n"
    "                  or of what has no secret here, whose keyed hash is written:\n"
    "                    client-certificate  --certificate FILE (PEM)\n"
    "                    jwt                 --issuer URL --subject NAME\n"
    "                    http-signature      --agent URL --jwk FILE (its Ed25519 public key)\n"
    "  --id K          its name in reports; default: the first free of K-1, K-2, ...\n"
    "  --from T        valid from this time on; default: now\n"
    "  --before T      valid before this time; default: no end\n"
    "  --overlap SPAN  of end: valid for so long yet: 90s, 15m, 12h, 7d\n"
    "  --json          print it as one JSON document\n"
    "\n"
    "Times are 2022-10-10 or 2022-10-10T12:00:00Z.\n"
    "\n"
    "exit status: 0 it is written, 1 licet check would refuse the site, 2 it could not be made\n";

#define APPS_MAX LICET_APPS_MAX
#define SECRET_TEXT 64 /* lct_ and 43 characters */

typedef struct request {
    const char *dir, *app, *agreement, *kind, *id;
    uint64_t from_ms, before_ms; /* before_ms UINT64_MAX: no end */
    licet_credential_proof proof;
    bool json;
    char own_id[32], key[LICET_KEY_TEXT];
    char secret[SECRET_TEXT], hmac[2 * LICET_SHA256_LEN + 1];
    char file[PATH_MAX]; /* apps.yaml below dir */
    char path[PATH_MAX]; /* dir and file */
    unsigned line;
} request;

/* ---- the secret ----------------------------------------------------------------- */

static bool
make_secret(request *r, licet_error *err)
{
    licet_gate_keys keys = {0};
    uint8_t random[32];
    licet_hash hash;
    char *end;
    bool ok = licet_gate_keys_read(r->dir, false, &keys, err) && licet_random(random, sizeof(random), err);

    if (ok) {
        memcpy(r->secret, "lct_", 4);
        licet_base64(random, sizeof(random), r->secret + 4);
        for (end = r->secret; *end != '\0' && *end != '='; end++) { /* RFC 4648 section 5, without padding */
            *end = *end == '+' ? '-' : *end == '/' ? '_' : *end;
        }
        *end = '\0';
        hash =
            licet_hmac_sha256(licet_bytes_of(keys.credential, sizeof(keys.credential)), licet_bytes_of_text(r->secret));
        licet_hex(hash.bytes, sizeof(hash.bytes), r->hmac);
    }
    explicit_bzero(&keys, sizeof(keys));
    explicit_bzero(random, sizeof(random));
    return ok;
}

/* Of what has no secret here: the keyed hash of what identifies it. */
static bool
make_identity(request *r, licet_error *err)
{
    licet_gate_keys keys = {0};
    licet_buffer identity;
    licet_hash hash;
    bool ok;

    licet_buffer_init(&identity, LICET_IDENTITY_MAX);
    ok = licet_credential_identity(r->kind, &r->proof, &identity, r->key, err) &&
         licet_gate_keys_read(r->dir, false, &keys, err);
    if (ok) {
        hash =
            licet_hmac_sha256(licet_bytes_of(keys.credential, sizeof(keys.credential)), licet_buffer_view(&identity));
        licet_hex(hash.bytes, sizeof(hash.bytes), r->hmac);
    }
    licet_buffer_done(&identity);
    explicit_bzero(&keys, sizeof(keys));
    return ok;
}

/* ---- the file ------------------------------------------------------------------- */

/* One agreement's apps.yaml; text is owned. */
typedef struct apps {
    uint8_t *text;
    size_t len;
    licet_apps_file *file;
} apps;

static void
apps_done(apps *a)
{
    licet_apps_close(a->file);
    free(a->text);
    *a = (apps){.text = NULL};
}

static bool
apps_read(const char *path, apps *a, licet_error *err)
{
    if (!licet_file_read(path, APPS_MAX, &a->text, &a->len, err)) {
        return false;
    }
    if (!licet_apps_open(licet_bytes_of(a->text, a->len), &a->file, err)) {
        apps_done(a);
        return false;
    }
    return true;
}

static bool
apps_path(request *r, const char *agreement, licet_error *err)
{
    return snprintf(r->file, sizeof(r->file), "agreements/%s/apps.yaml", agreement) < (int)sizeof(r->file) &&
                   snprintf(r->path, sizeof(r->path), "%s/%s", r->dir, r->file) < (int)sizeof(r->path)
               ? true
               : LICET_FAIL(err, LICET_E_LIMIT, 0, "%s/agreements/%s/apps.yaml: the name is too long", r->dir,
                            agreement);
}

/* Adds the names of a file's apps to a sentence. */
static void
name_apps(const licet_apps_file *file, const char *agreement, bool with_agreement, licet_buffer *names)
{
    const char *name;

    for (size_t i = 0; (name = licet_apps_name(file, i)) != NULL; i++) {
        licet_put_format(names, "%s%s%s%s", names->len > 0 ? ", " : "", with_agreement ? agreement : "",
                         with_agreement ? "/" : "", name);
    }
}

/* Finds the one agreement with this app: r->agreement, r->file and r->path, and *out_apps read. */
static bool
find_app(request *r, const licet_site *site, apps *out_apps, licet_error *err)
{
    size_t n = licet_site_agreements(site), found = SIZE_MAX, matches = 0;
    licet_buffer names, where;
    bool ok = true;

    licet_buffer_init(&names, 65536);
    licet_buffer_init(&where, 65536);
    if (r->agreement != NULL && licet_site_find(site, r->agreement) == SIZE_MAX) {
        for (size_t i = 0; i < n; i++) {
            licet_put_format(&names, "%s%s", i > 0 ? ", " : "", licet_site_agreement_id(site, i));
        }
        ok = LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "--agreement \"%s\": expected one of %.*s", r->agreement,
                        (int)names.len, (const char *)names.data);
    }
    for (size_t i = 0; ok && i < n; i++) {
        const char *agreement = licet_site_agreement_id(site, i);
        apps a = {.text = NULL};

        if (r->agreement != NULL && strcmp(r->agreement, agreement) != 0) {
            continue;
        }
        if (!apps_path(r, agreement, err)) {
            ok = false;
        } else if (access(r->path, F_OK) == 0 && (ok = apps_read(r->path, &a, err))) {
            name_apps(a.file, agreement, r->agreement == NULL && n > 1, &names);
            if (licet_apps_has(a.file, r->app)) {
                licet_put_format(&where, "%s%s", matches > 0 ? ", " : "", agreement);
                found = i;
                matches++;
            }
            apps_done(&a);
        }
    }
    if (ok && matches == 0) {
        ok = LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "app \"%s\": expected one of %.*s", r->app, (int)names.len,
                        names.len > 0 ? (const char *)names.data : "");
    } else if (ok && matches > 1) {
        ok = LICET_FAIL(err, LICET_E_CONFLICT, 0, "app \"%s\" exists under %.*s: name one with --agreement", r->app,
                        (int)where.len, (const char *)where.data);
    } else if (ok) {
        r->agreement = licet_site_agreement_id(site, found);
        ok = apps_path(r, r->agreement, err) && apps_read(r->path, out_apps, err);
    }
    licet_buffer_done(&names);
    licet_buffer_done(&where);
    return ok;
}

static bool
choose_id(request *r, const licet_apps_file *file, licet_error *err)
{
    if (r->id != NULL) {
        return !licet_apps_has_credential(file, NULL, r->id, NULL)
                   ? true
                   : LICET_FAIL(err, LICET_E_CONFLICT, 0,
                                "--id \"%s\": a credential has this id already; expected a new one", r->id);
    }
    r->id = r->own_id;
    for (unsigned n = 1;; n++) {
        snprintf(r->own_id, sizeof(r->own_id), "K-%u", n);
        if (!licet_apps_has_credential(file, NULL, r->own_id, NULL)) {
            return true;
        }
    }
}

static bool
edit(request *r, const licet_apps_file *file, licet_buffer *out, licet_error *err)
{
    char from[LICET_TIME_TEXT], before[LICET_TIME_TEXT] = "", row[512];

    licet_cli_time(r->from_ms, from);
    if (r->before_ms != UINT64_MAX) {
        licet_cli_time(r->before_ms, before);
    }
    snprintf(row, sizeof(row), "{ id: %s, kind: %s, hmac_sha256: \"%s\"%s%s, from: %s%s%s }", r->id, r->kind, r->hmac,
             r->key[0] != '\0' ? ", key: " : "", r->key, from, before[0] != '\0' ? ", before: " : "", before);
    return licet_apps_add_credential(file, r->app, row, out, &r->line, err);
}

/* Replaces the file, keeping owner and mode. */
bool
licet_credential_replace(const char *path, licet_bytes text, const struct stat *was, licet_error *err)
{
    char real[PATH_MAX];

    if (realpath(path, real) == NULL) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    }
    if (!licet_file_replace(real, text, was->st_mode & 07777, err)) {
        return false;
    }
    if (geteuid() == 0 && chown(real, was->st_uid, was->st_gid) != 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: its owner could not be kept: %s", real, strerror(errno));
    }
    return true;
}

/* True when the site is well with the new file and the credential is in it. */
static bool
judge(const request *r, licet_error *err)
{
    licet_mistakes mistakes = {0};
    licet_site *site = NULL;
    apps a = {.text = NULL};
    bool ok = licet_site_load(r->dir, &mistakes, &site, err);

    if (!ok && mistakes.len > 0) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "%s:%u:%u: %s", mistakes.list[0].file, mistakes.list[0].line,
                   mistakes.list[0].column, mistakes.list[0].text);
    }
    if (ok && (ok = apps_read(r->path, &a, err)) && !licet_apps_has_credential(a.file, r->app, r->id, r->hmac)) {
        ok = LICET_FAIL(err, LICET_E_STATE, 0, "%s: the new credential is not found in it", r->file);
    }
    apps_done(&a);
    licet_site_free(site);
    licet_mistakes_done(&mistakes);
    return ok;
}

static bool
write_credential(request *r, const apps *a, licet_error *err)
{
    licet_error restore = {0};
    struct stat was;
    licet_buffer text;
    bool ok;

    licet_buffer_init(&text, APPS_MAX);
    ok = edit(r, a->file, &text, err);
    if (ok && stat(r->path, &was) != 0) {
        ok = LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", r->path, strerror(errno));
    }
    if (ok && (!licet_credential_replace(r->path, licet_buffer_view(&text), &was, err) || !judge(r, err))) {
        char why[sizeof(err->text)];
        bool back = licet_credential_replace(r->path, licet_bytes_of(a->text, a->len), &was, &restore);

        memcpy(why, err->text, sizeof(why));
        ok = LICET_FAIL(err, err->code, 0, "%.400s (%s)", why,
                        back ? "apps.yaml is as it was" : "and apps.yaml could not be restored");
    }
    licet_buffer_done(&text);
    return ok;
}

/* ---- the command line ------------------------------------------------------------ */

static bool
parse_time(const char *option, const char *text, uint64_t *out_ms, licet_error *err)
{
    return licet_time_parse(licet_bytes_of_text(text), out_ms)
               ? true
               : LICET_FAIL(err, LICET_E_INVALID, 0,
                            "%s \"%s\": expected a time such as 2022-10-10 or "
                            "2022-10-10T12:00:00Z",
                            option, text);
}

static int
check_values(const request *r)
{
    licet_error err = {0};
    static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    if (!licet_credential_check(r->kind, &r->proof, &err)) {
        return licet_cli_misuse(&licet_command_credential, "%s", err.text);
    }
    if (r->id != NULL && (r->id[0] == '\0' || strlen(r->id) > LICET_NAME_MAX || strspn(r->id, inner) != strlen(r->id) ||
                          strchr("._-", r->id[0]) != NULL)) {
        return licet_cli_misuse(&licet_command_credential,
                                "--id \"%s\": expected 1 to 64 letters, digits, '.', '_' or '-', beginning with a "
                                "letter or digit",
                                r->id);
    }
    if (r->before_ms <= r->from_ms) {
        char from[LICET_TIME_TEXT], before[LICET_TIME_TEXT];

        licet_cli_time(r->from_ms, from);
        licet_cli_time(r->before_ms, before);
        return licet_cli_misuse(&licet_command_credential,
                                "--before \"%s\": expected a time after %s, from which it "
                                "is valid",
                                before, from);
    }
    return LICET_EXIT_OK;
}

static int
parse(request *r, int argc, char **argv)
{
    static const struct option options[] = {{"agreement", required_argument, NULL, 'a'},
                                            {"kind", required_argument, NULL, 'k'},
                                            {"certificate", required_argument, NULL, 'C'},
                                            {"issuer", required_argument, NULL, 'I'},
                                            {"subject", required_argument, NULL, 'S'},
                                            {"agent", required_argument, NULL, 'A'},
                                            {"jwk", required_argument, NULL, 'J'},
                                            {"id", required_argument, NULL, 'i'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"before", required_argument, NULL, 'b'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    licet_error err = {0};
    bool ok = true;
    int c;

    opterr = 0;
    while (ok && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'a':
            r->agreement = optarg;
            break;
        case 'k':
            r->kind = optarg;
            break;
        case 'C':
            r->proof.certificate = optarg;
            break;
        case 'I':
            r->proof.issuer = optarg;
            break;
        case 'S':
            r->proof.subject = optarg;
            break;
        case 'A':
            r->proof.agent = optarg;
            break;
        case 'J':
            r->proof.jwk = optarg;
            break;
        case 'i':
            r->id = optarg;
            break;
        case 'f':
            ok = parse_time("--from", optarg, &r->from_ms, &err);
            break;
        case 'b':
            ok = parse_time("--before", optarg, &r->before_ms, &err);
            break;
        case 'j':
            r->json = true;
            break;
        case 'h':
            return -1;
        default:
            return licet_cli_misuse(&licet_command_credential, "\"%s\": no such option, or its value is missing",
                                    argv[optind - 1]);
        }
    }
    if (!ok) {
        return licet_cli_misuse(&licet_command_credential, "%s", err.text);
    }
    if (optind == argc || strcmp(argv[optind], "new") != 0) {
        return licet_cli_misuse(&licet_command_credential, "\"%s\": expected new, end or list",
                                optind < argc ? argv[optind] : "");
    }
    if (optind + 3 != argc) {
        return licet_cli_misuse(&licet_command_credential, "new: expected a site and an app");
    }
    r->dir = argv[optind + 1];
    r->app = argv[optind + 2];
    return check_values(r);
}

static void
print_words(const request *r, const char *listen)
{
    char from[LICET_TIME_TEXT], before[LICET_TIME_TEXT] = "";

    licet_cli_time(r->from_ms, from);
    if (r->before_ms != UINT64_MAX) {
        licet_cli_time(r->before_ms, before);
    }
    if (!licet_credential_has_secret(r->kind)) {
        printf("Credential %s of app %s under agreement %s, valid from %s%s%s: %s.\n"
               "Written to %s:%u (a keyed hash of what identifies it).\n\n"
               "Record it: licet apply %s --reason \"credential %s\"\n"
               "Show it:   %s\n",
               r->id, r->app, r->agreement, from, before[0] != '\0' ? " before " : "", before, r->kind, r->path,
               r->line, r->dir, r->id, licet_credential_hint(r->kind));
        return;
    }
    printf("%s\n\n"
           "This secret is shown only now. It is credential %s of app %s under agreement %s, valid from %s%s%s.\n"
           "Written to %s:%u (a keyed hash of it).\n\n",
           r->secret, r->id, r->app, r->agreement, from, before[0] != '\0' ? " before " : "", before, r->path, r->line);
    printf("Record it: licet apply %s --reason \"credential %s\"\n", r->dir, r->id);
    printf("Show it:   curl -H '%s%s' http://%s/...\n",
           strcmp(r->kind, "bearer") == 0 ? "Authorization: Bearer " : "X-Api-Key: ", r->secret, listen);
}

static int
print_json(const request *r)
{
    char from[LICET_TIME_TEXT], before[LICET_TIME_TEXT];

    licet_time_format(r->from_ms, from);
    if (r->before_ms != UINT64_MAX) {
        licet_time_format(r->before_ms, before);
    }
    return licet_cli_json_print(&licet_command_credential,
                                json_pack("{s:s*, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:i}", "secret",
                                          r->secret[0] != '\0' ? r->secret : NULL, "agreement", r->agreement, "app",
                                          r->app, "id", r->id, "kind", r->kind, "from", from, "before",
                                          r->before_ms != UINT64_MAX ? json_string(before) : json_null(), "file",
                                          licet_cli_json_text(licet_bytes_of_text(r->path)), "line", (int)r->line));
}

static int
make_credential(request *r)
{
    licet_site *site = NULL;
    apps a = {.text = NULL};
    licet_error err = {0};
    int lock = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result;

    if (lock >= 0) {
        flock(lock, LOCK_EX); /* a folder that cannot be locked is still a folder that can be edited */
    }
    result = licet_cli_site_load(&licet_command_credential, r->dir, &site);
    if (result != LICET_EXIT_OK) {
        goto done;
    }
    if (!find_app(r, site, &a, &err) || !choose_id(r, a.file, &err) ||
        !(licet_credential_has_secret(r->kind) ? make_secret(r, &err) : make_identity(r, &err)) ||
        !write_credential(r, &a, &err)) {
        result = licet_cli_error(&licet_command_credential, &err);
    } else if (r->json) {
        result = print_json(r);
    } else {
        print_words(r, licet_site_config_view(site)->listen);
    }
done:
    apps_done(&a);
    licet_site_free(site);
    if (lock >= 0) {
        close(lock);
    }
    return result;
}

static int
run(int argc, char **argv)
{
    request r = {
        .dir = "", .app = "", .kind = "bearer", .from_ms = licet_cli_now() / 1000 * 1000, .before_ms = UINT64_MAX};
    int result;

    if (argc > 1 && strcmp(argv[1], "end") == 0) {
        return licet_credential_end(argc, argv);
    }
    if (argc > 1 && strcmp(argv[1], "list") == 0) {
        return licet_credential_list(argc, argv);
    }
    result = parse(&r, argc, argv);
    if (result == LICET_EXIT_OK) {
        result = make_credential(&r);
    } else if (result < 0) {
        result = licet_cli_help(&licet_command_credential);
    }
    explicit_bzero(&r, sizeof(r));
    return result;
}

const licet_command licet_command_credential = {"credential", "make, end and list the keys of apps", usage, run};
