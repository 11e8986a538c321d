/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coding: names of content codings, in Content-Encoding and Accept-Encoding
 * (RFC 9110 sections 8.4 and 12.5.3).
 *
 *  (1) What is offered names no coding that is not counted.
 *  (2) It names none that the client did not accept, but identity.
 *  (3) It is at most LICET_CODING_OFFER_ROOM(len) bytes long: an item comes
 *      out no longer than it went in but for one space, and '*' once.
 */
#include "licet/inflate.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

typedef struct name {
    const char *text;
    licet_coding coding;
} name;

static const name names[] = {
    {"gzip", LICET_CODING_GZIP}, {"deflate", LICET_CODING_DEFLATE},   {"br", LICET_CODING_BR},
    {"zstd", LICET_CODING_ZSTD}, {"identity", LICET_CODING_IDENTITY}, {"x-gzip", LICET_CODING_GZIP},
};
#define NAMES (sizeof(names) / sizeof(names[0]))
#define ANY LICET_CODING_LEN /* '*' */
#define UNKNOWN (LICET_CODING_LEN + 1)

static_assert(sizeof("gzip;q=0.000, deflate;q=0.000, br;q=0.000, zstd;q=0.000, identity;q=0.000, ") < 128,
              "room of '*'");

static licet_bytes
trim(licet_bytes text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = licet_bytes_of(text.data + 1, text.len - 1);
    }
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

/* What stands before the next 'mark' in *rest; *rest is what stands behind it. False: nothing is left. */
static bool
next_part(licet_bytes *rest, char mark, licet_bytes *out_part)
{
    const uint8_t *end;

    if (rest->data == NULL) {
        return false;
    }
    end = rest->len == 0 ? NULL : memchr(rest->data, mark, rest->len);
    if (end == NULL) {
        *out_part = trim(*rest);
        *rest = (licet_bytes){NULL, 0};
    } else {
        *out_part = trim(licet_bytes_of(rest->data, (size_t)(end - rest->data)));
        *rest = licet_bytes_of(end + 1, rest->len - (size_t)(end - rest->data) - 1);
    }
    return true;
}

static unsigned
coding_named(licet_bytes text)
{
    if (text.len == 1 && text.data[0] == '*') {
        return ANY;
    }
    for (size_t i = 0; i < NAMES; i++) {
        if (text.len == strlen(names[i].text) && strncasecmp((const char *)text.data, names[i].text, text.len) == 0) {
            return names[i].coding;
        }
    }
    return UNKNOWN;
}

bool
licet_coding_of(licet_bytes content_encoding, licet_coding *out_coding)
{
    licet_coding found = LICET_CODING_IDENTITY;
    licet_bytes part;
    unsigned coding;

    while (next_part(&content_encoding, ',', &part)) {
        coding = part.len == 0 ? LICET_CODING_IDENTITY : coding_named(part);
        if (coding == LICET_CODING_IDENTITY) {
            continue;
        }
        if (coding >= LICET_CODING_LEN || found != LICET_CODING_IDENTITY) {
            return false;
        }
        found = (licet_coding)coding;
    }
    *out_coding = found;
    return true;
}

/* ---- offers ------------------------------------------------------------------ */

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) */
static bool
is_weight(licet_bytes q)
{
    if (q.len == 0 || q.len > 5 || (q.data[0] != '0' && q.data[0] != '1') || (q.len > 1 && q.data[1] != '.')) {
        return false;
    }
    for (size_t i = 2; i < q.len; i++) {
        if (q.data[i] < '0' || q.data[i] > (q.data[0] == '0' ? '9' : '0')) {
            return false;
        }
    }
    return true;
}

static bool
is_zero(licet_bytes q)
{
    if (q.len == 0) {
        return false; /* no weight is 1 */
    }
    for (size_t i = 0; i < q.len; i++) {
        if (q.data[i] != '0' && q.data[i] != '.') {
            return false;
        }
    }
    return true;
}

typedef struct item {
    licet_bytes name;
    licet_bytes weight; /* none: len 0 */
    unsigned coding;    /* licet_coding, ANY or UNKNOWN */
} item;

/* An item of the list; one that breaks the grammar is of a coding nobody knows. */
static item
item_of(licet_bytes text)
{
    item it = {.coding = UNKNOWN};
    licet_bytes rest = text, parameter;

    if (!next_part(&rest, ';', &it.name)) {
        return it;
    }
    if (next_part(&rest, ';', &parameter)) {
        if (rest.data != NULL || parameter.len < 3 || (parameter.data[0] | 0x20) != 'q' || parameter.data[1] != '=') {
            return it;
        }
        it.weight = licet_bytes_of(parameter.data + 2, parameter.len - 2);
        if (!is_weight(it.weight)) {
            return it;
        }
    }
    it.coding = coding_named(it.name);
    return it;
}

typedef struct offer {
    char *out;
    size_t len;
    bool acceptable; /* something in it may be sent */
} offer;

static void
add_text(offer *o, const void *text, size_t len)
{
    memcpy(o->out + o->len, text, len);
    o->len += len;
}

static void
add_item(offer *o, licet_bytes text, licet_bytes weight)
{
    if (o->len > 0) {
        add_text(o, ", ", 2);
    }
    add_text(o, text.data, text.len);
    if (weight.len > 0) {
        add_text(o, ";q=", 3);
        add_text(o, weight.data, weight.len);
    }
    o->acceptable |= !is_zero(weight);
}

static void
add_any(offer *o, unsigned named, licet_bytes weight)
{
    for (size_t i = 0; i < NAMES; i++) {
        if ((named >> names[i].coding & 1) == 0) {
            add_item(o, licet_bytes_of_text(names[i].text), weight);
            named |= 1u << names[i].coding; /* not by its other name too */
        }
    }
}

size_t
licet_coding_offer(licet_bytes accept_encoding, char *out)
{
    licet_bytes rest, text;
    offer o = {out, 0, false};
    unsigned named = 0;
    item it;

    for (rest = accept_encoding; next_part(&rest, ',', &text);) {
        named |= 1u << item_of(text).coding;
    }
    for (rest = accept_encoding; next_part(&rest, ',', &text);) {
        it = item_of(text);
        if (it.coding < LICET_CODING_LEN) {
            add_item(&o, it.name, it.weight);
        } else if (it.coding == ANY) {
            add_any(&o, named, it.weight);
            named |= (1u << LICET_CODING_LEN) - 1; /* once */
        }
    }
    if (!o.acceptable) {
        o.len = 0;
        add_item(&o, LICET_BYTES_LITERAL("identity"), (licet_bytes){NULL, 0});
    }
    return o.len;
}
