/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_TEXT_MAX 4096
#define KEY_ED25519 1

bool
licet_cli_path(const char *dir, const char *rest, char *out, size_t len, licet_error *err)
{
    if ((size_t)snprintf(out, len, "%s/%s", dir, rest) >= len) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s/%s: the name is too long", dir, rest);
    }
    return true;
}

/* ---- keys ----------------------------------------------------------------- */

/* A text file of one line, without its end. NOT_FOUND when it is not there. */
static bool
read_line(const char *dir, const char *rest, uint8_t **out_data, licet_bytes *out_line, licet_error *err)
{
    char path[PATH_MAX];
    FILE *file;
    size_t len;

    if (!licet_cli_path(dir, rest, path, sizeof(path), err)) {
        return false;
    }
    file = fopen(path, "re");
    if (file == NULL) {
        return LICET_FAIL(err, errno == ENOENT ? LICET_E_NOT_FOUND : LICET_E_SYSTEM, 0, "%s: %s", path,
                          strerror(errno));
    }
    fclose(file);
    if (!licet_file_read(path, KEY_TEXT_MAX, out_data, &len, err)) {
        return false;
    }
    *out_line = licet_bytes_of(*out_data, len > 0 && (*out_data)[len - 1] == '\n' ? len - 1 : len);
    return true;
}

static bool
read_private(const char *dir, licet_verifier_key *out_key, licet_error *err)
{
    licet_signer_key key;
    uint8_t *data = NULL;
    licet_bytes line;
    bool ok = read_line(dir, "data/key", &data, &line, err);

    if (ok) {
        ok = licet_signer_key_parse(line, &key, err);
        explicit_bzero(data, line.len);
    }
    if (ok) {
        *out_key = key.verifier;
    }
    explicit_bzero(&key, sizeof(key));
    free(data);
    return ok;
}

bool
licet_cli_site_key(const char *dir, licet_verifier_key *out_key, licet_error *err)
{
    uint8_t *data = NULL;
    licet_bytes line;
    licet_error local = {0};
    bool ok = read_line(dir, "data/key.pub", &data, &line, &local);

    if (ok) {
        ok = licet_verifier_key_parse(line, out_key, err);
    } else if (local.code == LICET_E_NOT_FOUND) {
        ok = read_private(dir, out_key, &local) ||
             LICET_FAIL(err, local.code, 0, "%s: neither data/key.pub nor data/key can be read: %.300s", dir,
                        local.text);
    } else {
        LICET_FAIL(err, local.code, 0, "%.400s", local.text);
    }
    free(data);
    return ok;
}

bool
licet_cli_ledger_key(const licet_verifier_key *site, const char *ledger, licet_verifier_key *out_key, licet_error *err)
{
    static const uint8_t type[] = {'\n', KEY_ED25519};
    licet_verifier_key key = *site;
    licet_hash hash;
    int len = snprintf(key.name, sizeof(key.name), "%s/%s", site->name, ledger);

    if (len < 0 || (size_t)len >= sizeof(key.name)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s/%s: longer than %d bytes, the most of a key's name", site->name,
                          ledger, LICET_KEY_NAME_MAX);
    }
    hash = licet_sha256((licet_bytes[]){{(const uint8_t *)key.name, (size_t)len},
                                        {type, sizeof(type)},
                                        {key.public_key, sizeof(key.public_key)}},
                        3);
    key.id =
        (uint32_t)hash.bytes[0] << 24 | (uint32_t)hash.bytes[1] << 16 | (uint32_t)hash.bytes[2] << 8 | hash.bytes[3];
    *out_key = key;
    return true;
}

/* ---- ledgers ---------------------------------------------------------------- */

static int
compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool
add_name(licet_cli_names *names, const char *name, licet_error *err)
{
    char *copy;

    if (names->len == names->capacity) {
        size_t capacity = 2 * names->capacity + 16;
        char **list = realloc(names->list, capacity * sizeof(*list));

        if (list == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the names of %zu ledgers", capacity);
        }
        names->list = list;
        names->capacity = capacity;
    }
    copy = strdup(name);
    if (copy == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the name of a ledger");
    }
    names->list[names->len++] = copy;
    return true;
}

bool
licet_cli_ledgers(const char *dir, licet_cli_names *out_names, licet_error *err)
{
    char path[PATH_MAX];
    DIR *folder;
    struct dirent *entry;
    bool ok = true;

    memset(out_names, 0, sizeof(*out_names));
    if (!licet_cli_path(dir, "data/ledger", path, sizeof(path), err)) {
        return false;
    }
    folder = opendir(path);
    if (folder == NULL) {
        return LICET_FAIL(err, errno == ENOENT ? LICET_E_NOT_FOUND : LICET_E_SYSTEM, 0, "%s: %s", path,
                          errno == ENOENT ? "nothing is recorded there" : strerror(errno));
    }
    while (ok && (entry = readdir(folder)) != NULL) {
        ok = entry->d_name[0] == '.' || add_name(out_names, entry->d_name, err);
    }
    closedir(folder);
    if (!ok) {
        licet_cli_names_done(out_names);
        return false;
    }
    if (out_names->len > 1) {
        qsort(out_names->list, out_names->len, sizeof(*out_names->list), compare);
    }
    return true;
}

void
licet_cli_names_done(licet_cli_names *names)
{
    for (size_t i = 0; i < names->len; i++) {
        free(names->list[i]);
    }
    free(names->list);
    memset(names, 0, sizeof(*names));
}
