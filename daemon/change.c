/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Change: each difference of an image from the one that the ledger knows, as a registry change.
 *
 *  (1) The differences are made anew from the two images, so that what was published before a death and not recorded is
 *      recorded after it, by nobody in particular. When the older image is gone, all of it is recorded.
 *  (2) Clear texts and salts are durable before the records that commit to them (docs/format/records.md, kind 24).
 *  (3) The version records follow the changes: with them the image is recorded. After a death in between those that
 *      the ledger has are not recorded again, and their clear texts stay as they are.
 */
#include "rooms.h"

#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX ((size_t)512 << 20)
#define BATCH_ENOUGH (RECORDER_BATCH_MAX / 2)

typedef struct recording {
    licet_recorder *r;
    recorder_book *book;
    const licet_image *image;
    const licet_site *site; /* may be NULL */
    size_t site_row;        /* SIZE_MAX: the site has no such agreement */
    const licet_recorder_request *request;
    uint64_t now_ms;
    bool first;
    size_t had; /* changes of this image that the ledger has */
    licet_buffer words, clear, entries, who;
    licet_difference_lines lines;
    licet_error *err;
} recording;

/* A line of clear text; the commitment stays zero when there is none. */
static bool
say(recording *c, uint32_t number, const char *field, licet_bytes text, licet_hash *out_commitment)
{
    uint8_t salt[RECORDER_SALT_LEN];
    char hex[2 * RECORDER_SALT_LEN + 1];

    if (text.len == 0) {
        return true;
    }
    if (!recorder_commit_to(text, salt, out_commitment, c->err)) {
        return false;
    }
    licet_hex(salt, sizeof(salt), hex);
    licet_put_format(&c->clear, "%u\t%s\t%s\t%.*s\n", number, field, hex, (int)text.len, (const char *)text.data);
    return true;
}

static licet_bytes
name_of(const char *name)
{
    return name == NULL ? licet_bytes_of(NULL, 0) : licet_bytes_of_text(name);
}

static bool
encode(recording *c, uint32_t number, const licet_difference_line *line)
{
    licet_change_record record = {.time_ms = c->now_ms,
                                  .from_ms = line->from_ms == UINT64_MAX ? 0 : line->from_ms,
                                  .image = c->image->header->number,
                                  .number = number,
                                  .subject = (uint8_t)line->subject,
                                  .action = (uint8_t)line->action,
                                  .id = licet_bytes_of(line->id, line->id_len),
                                  .document = line->document};

    if (c->first) {
        record.flags = LICET_CHANGE_FIRST;
    } else if (licet_difference_back_dated(line, c->now_ms)) {
        record.flags = LICET_CHANGE_BACK_DATED;
    }
    c->who.len = 0;
    if (line->has_step && c->site_row != SIZE_MAX) {
        licet_site_step_who(c->site, c->site_row, record.id, line->step_ms, &c->who);
    }
    return say(c, number, "words", licet_bytes_of(c->words.data + line->at, line->len), &record.words) &&
           say(c, number, "who", licet_buffer_view(&c->who), &record.who) &&
           say(c, number, "as", name_of(c->request->permit.as), &record.as) &&
           say(c, number, "approved", name_of(c->request->permit.approved_by), &record.approved) &&
           licet_change_encode(&record, &c->entries, c->err);
}

/* Entries stand in one buffer; each says by its id how long it is. */
static bool
stage(recording *c)
{
    licet_bytes rest = licet_buffer_view(&c->entries);

    for (size_t i = c->had; i < c->lines.len; i++) {
        size_t len = LICET_CHANGE_LEN + c->lines.list[i].id_len;

        if (c->r->batch.len > BATCH_ENOUGH && !recorder_commit(c->r, c->now_ms, c->err)) {
            return false;
        }
        if (!recorder_stage_entry(c->r, c->book, licet_bytes_of(rest.data, len), c->err)) {
            return false;
        }
        c->book->changes_image = c->image->header->number;
        c->book->changes_next = (uint32_t)i + 1;
        rest = licet_bytes_of(rest.data + len, rest.len - len);
    }
    return true;
}

/* The lines of changes that the ledger has. A file that is gone was erased. */
static bool
keep_clear(recording *c)
{
    char path[PATH_MAX];
    uint8_t *data = NULL;
    size_t len = 0, at = 0;
    licet_error why = {0};
    bool ok = recorder_path(c->r, path, c->err, "data/recorded/%s/%llu/changes", c->book->name,
                            (unsigned long long)c->image->header->number);

    if (!ok) {
        return false;
    }
    if (!licet_file_read(path, CHANGES_MAX, &data, &len, &why)) {
        return why.code == LICET_E_NOT_FOUND || LICET_FAIL(c->err, why.code, 0, "%.400s", why.text);
    }
    while (at < len) {
        const uint8_t *end = memchr(data + at, '\n', len - at), *tab = memchr(data + at, '\t', len - at);
        uint64_t number;

        if (end == NULL || tab == NULL ||
            !licet_parse_u64(licet_bytes_of(data + at, (size_t)(tab - data) - at), &number) || number >= c->had) {
            break;
        }
        licet_put_bytes(&c->clear, licet_bytes_of(data + at, (size_t)(end - data) + 1 - at));
        at = (size_t)(end - data) + 1;
    }
    free(data);
    return true;
}

static bool
record(recording *c)
{
    const licet_image *old = c->book->image == 0 ? NULL : licet_store_image_number(c->r->store, c->book->image);

    c->first = c->book->image == 0;
    if (!licet_image_difference(old, c->image, &c->words, &c->lines, c->err)) {
        return false;
    }
    c->had = c->book->changes_image == c->image->header->number ? c->book->changes_next : 0;
    if (c->had > 0 && !keep_clear(c)) {
        return false;
    }
    for (size_t i = c->had; i < c->lines.len; i++) {
        if (!encode(c, (uint32_t)i, &c->lines.list[i])) {
            return false;
        }
    }
    if (c->clear.failed) {
        return LICET_FAIL(c->err, LICET_E_LIMIT, 0, "the texts of %zu changes take more than there is", c->lines.len);
    }
    return recorder_keep_text(c->r, c->book, c->image->header->number, "changes", licet_buffer_view(&c->clear),
                              c->err) &&
           stage(c);
}

bool
recorder_changes(licet_recorder *r, recorder_book *book, const licet_image *image, const licet_site *site,
                 const licet_recorder_request *request, uint64_t now_ms, licet_error *err)
{
    recording c = {.r = r,
                   .book = book,
                   .image = image,
                   .site = site,
                   .site_row = site == NULL ? SIZE_MAX : licet_site_find(site, book->name),
                   .request = request,
                   .now_ms = now_ms,
                   .err = err};
    bool ok;

    licet_buffer_init(&c.words, CHANGES_MAX);
    licet_buffer_init(&c.clear, CHANGES_MAX);
    licet_buffer_init(&c.entries, CHANGES_MAX);
    licet_buffer_init(&c.who, 4096);
    ok = record(&c);
    licet_difference_lines_done(&c.lines);
    licet_buffer_done(&c.words);
    licet_buffer_done(&c.clear);
    licet_buffer_done(&c.entries);
    licet_buffer_done(&c.who);
    return ok;
}
