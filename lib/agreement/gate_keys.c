/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gate keys: data/gate.key, two lines of text.
 *
 *  (1) Nobody but the owner may read the file; one that others may read is refused.
 *  (2) It is made once and never replaced: every decision id given and every credential's hash depends on it.
 */
#include "licet/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 4096
#define DECISION "decision "
#define CREDENTIAL "\ncredential "

static bool
parse(const char *path, licet_bytes text, licet_gate_keys *out_keys, licet_error *err)
{
    size_t decision = strlen(DECISION), credential = decision + 32 + strlen(CREDENTIAL);
    licet_gate_keys keys;

    if (text.len != credential + 64 + 1 || memcmp(text.data, DECISION, decision) != 0 ||
        memcmp(text.data + decision + 32, CREDENTIAL, strlen(CREDENTIAL)) != 0 || text.data[text.len - 1] != '\n' ||
        !licet_unhex(licet_bytes_of(text.data + decision, 32), keys.decision, sizeof(keys.decision)) ||
        !licet_unhex(licet_bytes_of(text.data + credential, 64), keys.credential, sizeof(keys.credential))) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0,
                          "%s: expected the lines 'decision' with 32 and 'credential' with 64 hex digits", path);
    }
    *out_keys = keys;
    return true;
}

static bool
make(const char *path, licet_error *err)
{
    licet_gate_keys keys;
    char text[160], decision[33], credential[65];
    int len;

    if (!licet_random(keys.decision, sizeof(keys.decision), err) ||
        !licet_random(keys.credential, sizeof(keys.credential), err)) {
        return false;
    }
    licet_hex(keys.decision, sizeof(keys.decision), decision);
    licet_hex(keys.credential, sizeof(keys.credential), credential);
    len = snprintf(text, sizeof(text), DECISION "%s" CREDENTIAL "%s\n", decision, credential);
    return licet_file_replace(path, licet_bytes_of(text, (size_t)len), 0600, err);
}

bool
licet_gate_keys_read(const char *dir, bool create, licet_gate_keys *out_keys, licet_error *err)
{
    char path[4096];
    struct stat info;
    uint8_t *data = NULL;
    size_t len = 0;
    bool good;

    if ((size_t)snprintf(path, sizeof(path), "%s/data/gate.key", dir) >= sizeof(path)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%.40s...: the path is too long", dir);
    }
    if (stat(path, &info) != 0) {
        char data_dir[4096];
        if (errno != ENOENT || !create) {
            return LICET_FAIL(err, errno == ENOENT ? LICET_E_NOT_FOUND : LICET_E_SYSTEM, 0, "%s: %s", path,
                              strerror(errno));
        }
        snprintf(data_dir, sizeof(data_dir), "%s/data", dir);
        if (!licet_dir_make(data_dir, 0750, err) || !make(path, err)) {
            return false;
        }
    } else if ((info.st_mode & 077) != 0) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "%s: mode %04o: expected 0600, a key that only its owner reads", path,
                          info.st_mode & 0777);
    }
    if (!licet_file_read(path, KEY_FILE_MAX, &data, &len, err)) {
        return false;
    }
    good = parse(path, licet_bytes_of(data, len), out_keys, err);
    explicit_bzero(data, len);
    free(data);
    return good;
}
