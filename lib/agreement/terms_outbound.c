/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apps.yaml, outbound: the platform's token that goes up in place of what the caller showed.
 *
 *  (1) The token stands in a file that is named here, never in YAML, in an image or in what is recorded.
 *  (2) Where one app of an agreement has such a token every app has: else a key of the licensee's own would leave the
 *      house.
 */
#include "terms.h"

#include <string.h>
#include <strings.h>

static bool
is_token_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

static bool
fits_word(licet_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_token_byte(text.data[i])) {
            return false;
        }
    }
    return text.len > 0 && text.len <= LICET_NAME_MAX && text.data[0] != '-';
}

static bool
is_word(licet_bytes text, const char *word)
{
    return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}

/* What tells where a message goes or where it ends is no place for a token. */
static bool
fits_header(licet_bytes text)
{
    static const char *const others[] = {
        "host",     "connection", "content-length",   "content-type", "transfer-encoding",
        "te",       "trailer",    "upgrade",          "expect",       "accept-encoding",
        "range",    "if-range",   "proxy-connection", "keep-alive",   "via",
        "forwarded"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (is_word(text, others[i])) {
            return false;
        }
    }
    return fits_word(text) && !(text.len >= 5 && strncasecmp((const char *)text.data, "licet", 5) == 0);
}

static bool
fits_file(licet_bytes text)
{
    return licet_fits_inner_path(text) || licet_fits_absolute_path(text);
}

#define AT(member) .at = offsetof(licet_terms_outbound, member)
static const licet_field outbound_fields[] = {
    {.name = "id", .type = LICET_FIELD_ID, .required = true, AT(id)},
    {.name = "header",
     .type = LICET_FIELD_TEXT,
     AT(header),
     .fits = fits_header,
     .expected = "the name of a header that may carry a token, such as Authorization or X-API-Key"},
    {.name = "scheme",
     .type = LICET_FIELD_TEXT,
     AT(scheme),
     .fits = fits_word,
     .expected = "a word such as Bearer, or none"},
    {.name = "file",
     .type = LICET_FIELD_TEXT,
     .required = true,
     AT(file),
     .fits = fits_file,
     .expected = "a path within the site such as secrets/x-token, or an absolute one"},
    {.name = NULL}};
#undef AT
const licet_schema licet_outbound_schema = {
    .noun = "outbound", .size = sizeof(licet_terms_outbound), .fields = outbound_fields};

const licet_terms_outbound *
licet_terms_outbound_of(const licet_terms_apps *apps, const licet_terms_app *app)
{
    return app->outbound.id.line != 0 ? &app->outbound : apps->outbound.id.line != 0 ? &apps->outbound : NULL;
}

licet_bytes
licet_terms_outbound_header(const licet_terms_outbound *outbound)
{
    return outbound->header.line != 0 ? outbound->header.text : LICET_BYTES_LITERAL("Authorization");
}

licet_bytes
licet_terms_outbound_scheme(const licet_terms_outbound *outbound)
{
    if (outbound->scheme.line == 0) {
        return is_word(licet_terms_outbound_header(outbound), "Authorization") ? LICET_BYTES_LITERAL("Bearer")
                                                                               : (licet_bytes){NULL, 0};
    }
    return is_word(outbound->scheme.text, "none") ? (licet_bytes){NULL, 0} : outbound->scheme.text;
}

void
licet_terms_check_outbound(licet_reader *reader, const licet_terms_apps *apps)
{
    const licet_terms_app *with = NULL;
    char context[LICET_CONTEXT_MAX];

    for (uint32_t i = 0; i < apps->apps.len && with == NULL; i++) {
        const licet_terms_app *app = LICET_TERMS_ROW(licet_terms_app, apps->apps, i);
        with = app->outbound.id.line != 0 ? app : NULL;
    }
    if (with == NULL) {
        return;
    }
    for (uint32_t i = 0; i < apps->apps.len; i++) {
        const licet_terms_app *app = LICET_TERMS_ROW(licet_terms_app, apps->apps, i);
        if (licet_terms_outbound_of(apps, app) == NULL) {
            licet_context_of(context, "app %s: ", licet_quote_of(app->key.text).text);
            licet_reader_say(reader, &app->key, context,
                             "it has no outbound while app %s has one: what its callers show would go to the platform; "
                             "give it one, or one to the whole file",
                             licet_quote_of(with->key.text).text);
        }
    }
}
