/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outbound: the token that a gate shows to the platform, read from its file.
 *
 *  (1) The file holds one line of visible text, whose end may be missing; nothing else is a token.
 *  (2) A file that others than its owner and group can read, or anybody but its owner write, is refused: what lies open
 *      is no secret.
 *  (3) No message quotes a byte of it; what was read of a refused file is wiped.
 */
#include "licet/agreement.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
check_mode(const char *path, const struct stat *info, licet_error *err)
{
    if (!S_ISREG(info->st_mode)) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "%s: expected a file", path);
    }
    if ((info->st_mode & 0027) != 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "%s has mode %04o: expected 0600 or 0640, for it is a secret", path,
                          (unsigned)info->st_mode & 07777);
    }
    return true;
}

/* One line of visible text; *len without its end. */
static bool
check_line(const char *path, const uint8_t *text, size_t *len, licet_error *err)
{
    if (*len > 0 && text[*len - 1] == '\n') {
        --*len;
    }
    if (*len > 0 && text[*len - 1] == '\r') {
        --*len;
    }
    if (*len == 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "%s is empty: expected a token", path);
    }
    for (size_t i = 0; i < *len; i++) {
        if (text[i] < 0x21 || text[i] > 0x7e) {
            return LICET_FAIL(err, LICET_E_INVALID, i, "%s: byte %zu is no visible character: expected one token in it",
                              path, i + 1);
        }
    }
    return true;
}

bool
licet_outbound_read(const char *path, licet_outbound_token *out_token, licet_error *err)
{
    uint8_t text[LICET_OUTBOUND_TOKEN_MAX + 3]; /* a line end of two, and one byte too many */
    struct stat info;
    size_t len = 0;
    ssize_t n = 1;
    bool ok = false;
    int fd;

    fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* what is no file must not keep the caller waiting */
    if (fd < 0) {
        return LICET_FAIL(err, errno == ENOENT ? LICET_E_NOT_FOUND : LICET_E_SYSTEM, 0, "%s: %s", path,
                          strerror(errno));
    }
    if (fstat(fd, &info) != 0) {
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
        goto done;
    }
    if (!check_mode(path, &info, err)) {
        goto done;
    }
    while (n > 0 && len < sizeof(text)) {
        n = read(fd, text + len, sizeof(text) - len);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        if (n < 0) {
            LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
            goto done;
        }
        len += (size_t)n;
    }
    if (!check_line(path, text, &len, err)) {
        goto done;
    }
    if (len > LICET_OUTBOUND_TOKEN_MAX) {
        LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: longer than %d bytes, the most a token may have", path,
                   LICET_OUTBOUND_TOKEN_MAX);
        goto done;
    }
    memcpy(out_token->text, text, len);
    out_token->len = len;
    ok = true;
done:
    explicit_bzero(text, sizeof(text));
    (void)close(fd);
    return ok;
}
