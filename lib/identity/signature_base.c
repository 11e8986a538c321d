/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature base of a request (RFC 9421 section 2.5): a line for each covered component, then the parameters.
 *
 *  (1) A component that is not known here, or is named twice, or is not there, fails the whole: nothing is guessed.
 *  (2) Components are written canonically, whatever spaces the sender used.
 */
#include "licet/identity.h"

#include <string.h>

static bool
same(licet_bytes a, const char *b)
{
    return licet_bytes_equal_text(a, b);
}

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static void
put_lower(licet_buffer *out, licet_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        licet_put_u8(out, lower(text.data[i]));
    }
}

static bool
ends_with(licet_bytes text, const char *end)
{
    size_t len = strlen(end);

    return text.len > len && memcmp(text.data + text.len - len, end, len) == 0;
}

/* Lower case, without the port that goes without saying. */
static void
put_authority(licet_buffer *out, const licet_signed_request *request)
{
    const char *port = same(request->scheme, "https") ? ":443" : ":80";
    licet_bytes authority = request->authority;

    if (ends_with(authority, port)) {
        authority.len -= strlen(port);
    }
    put_lower(out, authority);
}

static void
put_target(licet_buffer *out, const licet_signed_request *request)
{
    licet_put_bytes(out, request->path);
    if (request->has_query) {
        licet_put_u8(out, '?');
        licet_put_bytes(out, request->query);
    }
}

/* Form-decoded, then percent-encoded as forms are (RFC 9421 section 2.2.8). */
static void
put_form(licet_buffer *out, licet_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i] == '+' ? ' ' : text.data[i];
        if (c == '%' && text.len - i > 2 && licet_unhex(licet_bytes_of(text.data + i + 1, 2), &c, 1)) {
            i += 2;
        }
        if ((lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || (c > 0 && strchr("*-._", c) != NULL)) {
            licet_put_u8(out, c);
        } else {
            licet_put_format(out, "%%%02X", c);
        }
    }
}

/* The value of the one parameter of that name; none and several fail. */
static bool
put_query_param(licet_buffer *out, const licet_signed_request *request, licet_bytes name, licet_error *err)
{
    size_t start = out->len, found = 0;

    for (size_t at = 0; request->has_query && at <= request->query.len;) {
        const uint8_t *from = request->query.data + at;
        size_t len = 0, equal;
        size_t mark = out->len;

        while (at + len < request->query.len && from[len] != '&') {
            len++;
        }
        for (equal = 0; equal < len && from[equal] != '='; equal++) {
        }
        put_form(out, licet_bytes_of(from, equal));
        if (!out->failed && licet_bytes_equal(licet_bytes_of(out->data + mark, out->len - mark), name)) {
            out->len = mark;
            found++;
            put_form(out, licet_bytes_of(from + (equal < len ? equal + 1 : len), equal < len ? len - equal - 1 : 0));
        } else {
            out->len = mark;
        }
        at += len + 1;
    }
    if (found != 1) {
        out->len = start;
        return LICET_FAIL(err, LICET_E_INVALID, 0, "@query-param: %zu parameters of that name: expected one", found);
    }
    return true;
}

/* What begins with @ (RFC 9421 section 2.2). */
static bool
put_derived(licet_buffer *out, const licet_signed_request *request, const licet_structured_row *item, licet_error *err)
{
    const licet_structured_row *name = licet_structured_parameter(item, "name");
    licet_bytes component = item->text;

    if (same(component, "@query-param") && item->parameters == 1 && name != NULL &&
        name->kind == LICET_STRUCTURED_STRING) {
        return put_query_param(out, request, name->text, err);
    }
    if (item->parameters > 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "a component that begins with @ has parameters: expected none");
    }
    if (same(component, "@method")) {
        licet_put_bytes(out, request->method);
    } else if (same(component, "@authority")) {
        put_authority(out, request);
    } else if (same(component, "@scheme")) {
        put_lower(out, request->scheme);
    } else if (same(component, "@path")) {
        licet_put_bytes(out, request->path);
    } else if (same(component, "@query")) {
        licet_put_u8(out, '?');
        licet_put_bytes(out, request->query);
    } else if (same(component, "@request-target")) {
        put_target(out, request);
    } else if (same(component, "@target-uri")) {
        put_lower(out, request->scheme);
        licet_put_format(out, "://");
        put_authority(out, request);
        put_target(out, request);
    } else {
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "a covered component that is not known");
    }
    return true;
}

/* A member of a dictionary field (RFC 9421 section 2.1.2), written canonically. */
static bool
put_field_member(licet_buffer *out, licet_bytes value, licet_bytes key, licet_error *err)
{
    licet_structured_row rows[LICET_SIGNATURE_ROWS];
    uint8_t text[LICET_SIGNATURE_TEXT];
    licet_structured dictionary = {rows, LICET_SIGNATURE_ROWS, 0, text, sizeof(text), 0};
    const licet_structured_row *member;
    uint32_t first;

    if (!licet_structured_read(&dictionary, LICET_STRUCTURED_DICTIONARY, value, &first, err)) {
        return false;
    }
    member = licet_structured_member(&dictionary, first, dictionary.len, key);
    if (member == NULL) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "a covered member of a dictionary field that is not there");
    }
    return licet_structured_put_row(out, member);
}

static bool
put_field(licet_buffer *out, const licet_signed_request *request, const licet_structured_row *item, licet_error *err)
{
    const licet_structured_row *key = licet_structured_parameter(item, "key");
    licet_buffer value;
    bool ok;

    if (item->parameters > 1 || (item->parameters == 1 && (key == NULL || key->kind != LICET_STRUCTURED_STRING))) {
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "a covered field with a parameter other than key");
    }
    licet_buffer_init(&value, LICET_SIGNATURE_TEXT);
    ok = request->field(request->user, item->text, &value) && !value.failed;
    if (!ok) {
        LICET_FAIL(err, LICET_E_INVALID, 0, "a covered field that is not there, or too long");
    } else if (key != NULL) {
        ok = put_field_member(out, licet_buffer_view(&value), key->text, err);
    } else {
        licet_put_bytes(out, licet_buffer_view(&value));
    }
    licet_buffer_done(&value);
    return ok;
}

static bool
is_name(licet_bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        if (lower(c) != c || c <= 0x20 || c >= 0x7f || c == ':' || c == '"' || (c == '@' && i > 0)) {
            return false;
        }
    }
    return name.len > 0;
}

/* A line of base that begins with name, which has a line feed before it; no value can hold one. */
static bool
has_line(licet_bytes base, licet_bytes name)
{
    if (base.len < name.len) {
        return false;
    }
    return memcmp(base.data, name.data + 1, name.len - 1) == 0 ||
           memmem(base.data, base.len, name.data, name.len) != NULL;
}

bool
licet_signature_base(const licet_signed_request *request, const licet_structured_row *params, licet_buffer *out,
                     licet_error *err)
{
    licet_buffer name;
    bool ok = true;

    licet_buffer_init(&name, LICET_SIGNATURE_TEXT);
    for (uint32_t i = 1; ok && i <= params->items; i += params[i].rows) {
        const licet_structured_row *item = &params[i];

        if (item->kind != LICET_STRUCTURED_STRING || !is_name(item->text)) {
            ok = LICET_FAIL(err, LICET_E_INVALID, 0, "a covered component that is no lower-case name");
            break;
        }
        name.len = 0;
        licet_put_u8(&name, '\n');
        licet_structured_put_row(&name, item);
        licet_put_format(&name, ": ");
        if (name.failed || out->failed || has_line(licet_buffer_view(out), licet_buffer_view(&name))) {
            ok = LICET_FAIL(err, LICET_E_INVALID, 0, "a covered component is named twice, or too much is covered");
            break;
        }
        licet_put_bytes(out, licet_bytes_of(name.data + 1, name.len - 1));
        ok = item->text.data[0] == '@' ? put_derived(out, request, item, err) : put_field(out, request, item, err);
        licet_put_u8(out, '\n');
    }
    licet_buffer_done(&name);
    if (ok) {
        licet_put_format(out, "\"@signature-params\": ");
        licet_structured_put_row(out, params);
    }
    return !ok ? false : !out->failed ? true : LICET_FAIL(err, LICET_E_LIMIT, 0, "a signature over too much");
}
