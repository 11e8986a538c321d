/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zone: TZif files; see zone.h. A file holds one block with times of 32 bits, which is skipped, one with 64, and a
 * footer with the rule that goes on behind the last time, such as CET-1CEST,M3.5.0,M10.5.0/3.
 */
#include "zone.h"

#include "posix_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_LEN 44
#define OFFSET_MAX_S 172800

bool
licet_zone_fits(licet_bytes name)
{
    bool start = true;

    if (name.len == 0 || name.len > LICET_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (start ? !letter : !(letter || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' || c == '/')) {
            return false;
        }
        start = c == '/';
    }
    return !start;
}

typedef struct tzif_header {
    uint8_t version;
    uint32_t isut, isstd, leaps, times, types, chars;
} tzif_header;

static bool
take_header(licet_cursor *c, tzif_header *out)
{
    licet_bytes magic, reserved;

    return licet_take_bytes(c, 4, &magic) && memcmp(magic.data, "TZif", 4) == 0 && licet_take_u8(c, &out->version) &&
           licet_take_bytes(c, 15, &reserved) && licet_take_u32(c, &out->isut) && licet_take_u32(c, &out->isstd) &&
           licet_take_u32(c, &out->leaps) && licet_take_u32(c, &out->times) && licet_take_u32(c, &out->types) &&
           licet_take_u32(c, &out->chars);
}

/* Appends a row, or moves the last one's offset when nothing lies between them. */
static bool
put(licet_buffer *out, size_t first, int64_t at_s, int32_t offset_s)
{
    licet_image_transition row = {.from_ms = at_s <= 0 ? 0 : (uint64_t)at_s * 1000, .offset_s = offset_s};
    size_t rows = (out->len - first) / sizeof(row);
    licet_image_transition *last = rows == 0 ? NULL : (licet_image_transition *)(void *)(out->data + out->len) - 1;

    if (last != NULL && last->from_ms == row.from_ms) {
        last->offset_s = offset_s;
        return true;
    }
    return (last != NULL && last->offset_s == offset_s) || licet_put_bytes(out, licet_bytes_of(&row, sizeof(row)));
}

/* The types' offsets, each checked. */
static bool
offset_of(licet_bytes types, uint32_t type, int32_t *out_offset_s)
{
    licet_cursor c = {types, 0};
    licet_bytes skipped;
    uint32_t offset;

    if (!licet_take_bytes(&c, (size_t)type * 6, &skipped) || !licet_take_u32(&c, &offset)) {
        return false;
    }
    *out_offset_s = (int32_t)offset;
    return *out_offset_s >= -OFFSET_MAX_S && *out_offset_s <= OFFSET_MAX_S;
}

static bool
put_times(licet_bytes times, licet_bytes rows, licet_bytes types, licet_buffer *out, size_t first, int64_t *last_s,
          licet_error *err)
{
    licet_cursor at = {times, 0}, type = {rows, 0};
    int64_t before_s = INT64_MIN;
    uint64_t value;
    int32_t offset;
    uint8_t row;

    while (licet_take_u64(&at, &value) && licet_take_u8(&type, &row)) {
        int64_t at_s = (int64_t)value;
        if (at_s <= before_s || at_s > INT64_MAX / 1000 || !offset_of(types, row, &offset)) {
            return LICET_FAIL(err, LICET_E_CORRUPT, 0, "its transition at %lld cannot be", (long long)at_s);
        }
        if (!put(out, first, at_s, offset)) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for its transitions");
        }
        before_s = at_s;
        *last_s = at_s;
    }
    return true;
}

/* The footer's rule from the last transition on. */
static bool
put_rule(licet_bytes text, licet_buffer *out, size_t first, int64_t last_s, licet_error *err)
{
    posix_rule rule;

    if (text.len == 0) {
        return true;
    }
    if (!posix_rule_parse(text, &rule)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "its rule \"%.*s\" cannot be read", (int)text.len,
                          (const char *)text.data);
    }
    if (!rule.summer) {
        return put(out, first, last_s, rule.offset_s) || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for its rule");
    }
    for (int year = 1970; year <= LICET_ZONE_LAST_YEAR; year++) {
        int64_t begin = posix_rule_begin(&rule, year), end = posix_rule_end(&rule, year);
        bool north = begin < end;
        int64_t at[2] = {north ? begin : end, north ? end : begin};
        int32_t offset[2] = {north ? rule.summer_offset_s : rule.offset_s,
                             north ? rule.offset_s : rule.summer_offset_s};

        for (int i = 0; i < 2; i++) {
            if (at[i] > last_s && !put(out, first, at[i], offset[i])) {
                return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for its rule");
            }
        }
    }
    return true;
}

bool
licet_zone_parse(licet_bytes tzif, licet_buffer *out, licet_error *err)
{
    licet_cursor c = {tzif, 0};
    licet_bytes skipped, times, rows, types, footer = {0};
    size_t first = out->len;
    int64_t last_s = INT64_MIN;
    tzif_header h;
    int32_t offset;

    if (!take_header(&c, &h)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "it is no TZif file");
    }
    if (h.version < '2') {
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 4, "it is a TZif file of version 1: expected 2 or later");
    }
    if (!licet_take_bytes(&c,
                          (size_t)h.times * 5 + (size_t)h.types * 6 + h.chars + (size_t)h.leaps * 8 + h.isstd + h.isut,
                          &skipped) ||
        !take_header(&c, &h) || h.types == 0 || h.types > 256 || h.times > LICET_ZONE_TRANSITIONS_MAX ||
        !licet_take_bytes(&c, (size_t)h.times * 8, &times) || !licet_take_bytes(&c, h.times, &rows) ||
        !licet_take_bytes(&c, (size_t)h.types * 6, &types) || !licet_take_bytes(&c, h.chars, &skipped)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, c.pos, "it ends before the transitions it promises");
    }
    if (h.leaps != 0) {
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, c.pos, "it counts leap seconds, which licet's times do not");
    }
    if (!licet_take_bytes(&c, (size_t)h.isstd + h.isut, &skipped) || c.pos + 2 > tzif.len || tzif.data[c.pos] != '\n' ||
        tzif.data[tzif.len - 1] != '\n') {
        return LICET_FAIL(err, LICET_E_CORRUPT, c.pos, "it has no footer");
    }
    footer = licet_bytes_of(tzif.data + c.pos + 1, tzif.len - c.pos - 2);
    if (!offset_of(types, 0, &offset)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "its first offset cannot be");
    }
    if (!put(out, first, 0, offset)) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for its transitions");
    }
    return put_times(times, rows, types, out, first, &last_s, err) && put_rule(footer, out, first, last_s, err);
}

bool
licet_zone_read(const char *folder, licet_bytes name, licet_buffer *out, licet_error *err)
{
    uint8_t *data = NULL;
    size_t len, before = out->len;
    char path[512];
    licet_error why = {0};
    bool good;

    if (!licet_zone_fits(name)) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "it is no name of a zone such as Europe/Berlin");
    }
    snprintf(path, sizeof(path), "%s/%.*s", folder, (int)name.len, (const char *)name.data);
    if (!licet_file_read(path, LICET_ZONE_FILE_MAX, &data, &len, &why)) {
        return LICET_FAIL(err, why.code, 0, "the tz database of this system (%s, package tzdata) has no such zone",
                          folder);
    }
    good = licet_zone_parse(licet_bytes_of(data, len), out, &why);
    if (!good) {
        out->len = before;
        LICET_FAIL(err, why.code, why.offset, "%s: %s", path, why.text);
    }
    free(data);
    return good;
}
