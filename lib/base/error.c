/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: one object with a code to branch on, a sentence to read, a place.
 *
 *  (1) The text always ends in NUL; one that is too long ends in '…'.
 *  (2) Setting an error leaves errno as it was.
 */
#include "licet/base.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Cuts the text so that an ellipsis has room, never inside a UTF-8 sequence. */
static void
mark_cut(char *text, size_t size)
{
    static const char ellipsis[] = "…";
    size_t end = size - sizeof(ellipsis);

    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80) {
        end--;
    }
    memcpy(text + end, ellipsis, sizeof(ellipsis));
}

bool
licet_error_set(licet_error *err, licet_errc code, const char *file, int line, uint64_t offset, const char *format, ...)
{
    int saved = errno;
    int len;
    va_list args;

    if (err == NULL) {
        return false;
    }
    err->code = code;
    err->file = file;
    err->line = line;
    err->offset = offset;
    va_start(args, format);
    len = vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    if (len < 0) {
        err->text[0] = '\0';
    } else if ((size_t)len >= sizeof(err->text)) {
        mark_cut(err->text, sizeof(err->text));
    }
    errno = saved;
    return false;
}
