/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request: method, path and query of a --request.
 */
#include "request.h"

#include <stdlib.h>
#include <string.h>

static int
hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;

    return at == NULL ? -1 : (int)((at - digits) % 16);
}

bool
licet_cli_request_read(const char *text, licet_cli_request *out, licet_error *err)
{
    static const char expected[] = "a method, a space and a path such as 'GET /2/tweets?ids=1,2'";
    const char *space = strchr(text, ' '), *from, *mark;
    size_t method = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_"), n = 0;
    char *path;

    if (space == NULL || method == 0 || space != text + method || space[1] != '/' ||
        strpbrk(space + 1, " \t\r\n") != NULL) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "--request \"%s\": expected %s", text, expected);
    }
    from = space + 1;
    mark = strchr(from, '?');
    path = malloc(strlen(from) + 1);
    if (path == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the path");
    }
    for (const char *c = from; c != mark && *c != '\0'; c++) {
        int high = *c == '%' ? hex_digit(c[1]) : -1, low = high >= 0 ? hex_digit(c[2]) : -1;

        if (high >= 0 && low >= 0) {
            path[n++] = (char)(high * 16 + low);
            c += 2;
        } else {
            path[n++] = *c;
        }
    }
    *out = (licet_cli_request){.method = licet_bytes_of(text, method),
                               .path = licet_bytes_of(path, n),
                               .query = licet_bytes_of_text(mark != NULL ? mark + 1 : ""),
                               .decoded = path};
    return true;
}

void
licet_cli_request_done(licet_cli_request *request)
{
    free(request->decoded);
}
