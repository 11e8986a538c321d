/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of codings: what a response says, and what may be asked for.
 */
#include "licet/inflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOT_COUNTED LICET_CODING_LEN

static const struct {
    const char *text;
    licet_coding coding;
} responses[] = {
    {"", LICET_CODING_IDENTITY},
    {"identity", LICET_CODING_IDENTITY},
    {"gzip", LICET_CODING_GZIP},
    {"x-gzip", LICET_CODING_GZIP},
    {"GZip", LICET_CODING_GZIP},
    {" gzip\t", LICET_CODING_GZIP},
    {"deflate", LICET_CODING_DEFLATE},
    {"br", LICET_CODING_BR},
    {"zstd", LICET_CODING_ZSTD},
    {"identity, br", LICET_CODING_BR},
    {",zstd,,", LICET_CODING_ZSTD},
    {"gzip, br", NOT_COUNTED},
    {"gzip,gzip", NOT_COUNTED},
    {"compress", NOT_COUNTED},
    {"*", NOT_COUNTED},
    {"gzip;q=1", NOT_COUNTED},
    {"gzi", NOT_COUNTED},
    {"gzip2", NOT_COUNTED},
    {"br gzip", NOT_COUNTED},
};

static void
test_content_encoding(void **state)
{
    for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
        licet_coding got = NOT_COUNTED;
        bool ok = licet_coding_of(licet_bytes_of_text(responses[i].text), &got);

        if (got != responses[i].coding || ok == (got == NOT_COUNTED)) {
            fail_msg("\"%s\": %d, expected %d", responses[i].text, (int)got, (int)responses[i].coding);
        }
    }
}

static const struct {
    const char *accept, *offer;
} offers[] = {
    {"", "identity"},
    {"gzip", "gzip"},
    {"gzip, deflate, br, zstd", "gzip, deflate, br, zstd"},
    {"gzip,deflate,br", "gzip, deflate, br"},
    {"identity", "identity"},
    {"x-gzip", "x-gzip"},
    {"GZIP;Q=0.5", "GZIP;q=0.5"},
    {"gzip ; q=1.000 ,\tbr;q=0.1", "gzip;q=1.000, br;q=0.1"},
    {"compress, gzip", "gzip"},
    {"compress", "identity"},
    {"exi;q=1, compress;q=0.5, dcb, dcz", "identity"},
    /* q=0 says what is not wanted; where nothing else is left, all that may come is identity */
    {"gzip;q=0", "identity"},
    {"gzip;q=0, br", "gzip;q=0, br"},
    {"gzip;q=0, br;q=0.000", "identity"},
    {"identity;q=0", "identity"},
    {"identity;q=0, gzip", "identity;q=0, gzip"},
    /* '*' is all that is counted and not named */
    {"*", "gzip, deflate, br, zstd, identity"},
    {"*;q=0.5", "gzip;q=0.5, deflate;q=0.5, br;q=0.5, zstd;q=0.5, identity;q=0.5"},
    {"gzip, *;q=0", "gzip, deflate;q=0, br;q=0, zstd;q=0, identity;q=0"},
    {"*;q=0", "identity"},
    {"*;q=0.1, br;q=1, x-gzip;q=0", "deflate;q=0.1, zstd;q=0.1, identity;q=0.1, br;q=1, x-gzip;q=0"},
    {"*, *, *", "gzip, deflate, br, zstd, identity"},
    {"identity, gzip, deflate, br, zstd, *", "identity, gzip, deflate, br, zstd"},
    /* what breaks the grammar says nothing */
    {"gzip;q=2", "identity"},
    {"gzip;q=1.1, br", "br"},
    {"gzip;q=0.1234, br", "br"},
    {"gzip;q=, br", "br"},
    {"gzip;q, br", "br"},
    {"gzip;level=9, br", "br"},
    {"gzip;q=1;q=0, br", "br"},
    {"gzip compress, br", "br"},
    {"gzip;q=0. 5, br", "br"},
    {";q=1, br", "br"},
    {",,, ,", "identity"},
    {"gzip,", "gzip"},
    {"*;q=x, br", "br"},
    {"gzip;q=0.", "identity"},
    {"gzip;q=1.", "gzip;q=1."},
};

static void
test_accept_encoding(void **state)
{
    for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
        size_t len = strlen(offers[i].accept), room = LICET_CODING_OFFER_ROOM(len);
        char *out = malloc(room); /* so that a sanitizer sees what goes beyond */
        licet_bytes got = licet_bytes_of(out, licet_coding_offer(licet_bytes_of_text(offers[i].accept), out));

        if (!licet_bytes_equal_text(got, offers[i].offer)) {
            fail_msg("\"%s\": \"%.*s\", expected \"%s\"", offers[i].accept, (int)got.len, out, offers[i].offer);
        }
        free(out);
    }
}

/* Whatever a client sends, an offer is of names that are counted, fits its room, and offering it again changes nothing.
 */
static void
test_any_accept_encoding(void **state)
{
    static const char *const parts[] = {"gzip",     "x-gzip", "deflate", "br",   "zstd",   "identity", "*",
                                        "compress", ",",      ", ",      ";q=0", ";q=0.5", ";q=1",     ";",
                                        " ",        "=",      "q",       "\t",   "0.1",    "\x80"};
    unsigned seed = 1;
    char accept[256], offer[LICET_CODING_OFFER_ROOM(sizeof(accept))], again[LICET_CODING_OFFER_ROOM(sizeof(offer))];

    for (unsigned round = 0; round < 100000; round++) {
        size_t len = 0, offer_len, again_len;

        for (unsigned n = (unsigned)rand_r(&seed) % 12; n > 0; n--) {
            const char *part = parts[(unsigned)rand_r(&seed) % (sizeof(parts) / sizeof(parts[0]))];

            memcpy(accept + len, part, strlen(part));
            len += strlen(part);
        }
        offer_len = licet_coding_offer(licet_bytes_of(accept, len), offer);
        assert_in_range(offer_len, 2, LICET_CODING_OFFER_ROOM(len));
        again_len = licet_coding_offer(licet_bytes_of(offer, offer_len), again);
        if (offer_len != again_len || memcmp(offer, again, offer_len) != 0) {
            fail_msg("\"%.*s\": \"%.*s\", then \"%.*s\"", (int)len, accept, (int)offer_len, offer, (int)again_len,
                     again);
        }
        offer[offer_len] = '\0';
        assert_null(strstr(offer, "compress"));
        assert_null(strchr(offer, '*'));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_encoding),
        cmocka_unit_test(test_accept_encoding),
        cmocka_unit_test(test_any_accept_encoding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
