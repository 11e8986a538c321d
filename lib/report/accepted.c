/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepted: who accepted which version when, from the acceptance records, or that a side has not.
 *
 *  (1) A row for each version of the period and each side; what was accepted is that very text with its catalogue.
 *  (2) The name in the note is for the internal edition, and told only where its commitment is the record's.
 */
#include "json.h"

#include "licet/acceptance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_MAX 131072

static const char *const parties[] = {[LICET_PARTY_LICENSOR] = "licensor", [LICET_PARTY_LICENSEE] = "licensee"};

typedef struct finding {
    const licet_image_version *version;
    uint8_t party;
    bool found;
    uint64_t entry;
    licet_acceptance_record record; /* its texts are not kept */
    char key[1024];
} finding;

static bool
on_acceptance(void *user, uint64_t entry, const licet_acceptance_record *record, licet_error *err)
{
    finding *f = user;

    (void)err;
    if (f->found || record->party != f->party ||
        memcmp(record->agreement_sha256.bytes, f->version->file_sha256, LICET_SHA256_LEN) != 0 ||
        memcmp(record->catalogue_sha256.bytes, f->version->catalogue_sha256, LICET_SHA256_LEN) != 0) {
        return true;
    }
    f->found = true;
    f->entry = entry;
    f->record = *record;
    snprintf(f->key, sizeof(f->key), "%.*s", (int)record->key.len, (const char *)record->key.data);
    return true;
}

/* (2) */
static json_t *
name_of(const maker *m, const finding *f)
{
    static const char between[] = "\n\n\xe2\x80\x94 ";
    const licet_report_options *o = m->g->options;
    licet_bytes id = licet_image_text(o->image, f->version->id), pieces[2], text;
    char path[4096], hash[17];
    licet_acceptance accepted;
    uint8_t *data = NULL, salt[LICET_SHA256_LEN];
    const uint8_t *end;
    size_t len = 0;
    licet_hash found;
    licet_error ignored;
    json_t *name = NULL;

    licet_hex(f->version->file_sha256, 8, hash);
    if (o->edition != LICET_EDITION_INTERNAL || o->dir == NULL ||
        snprintf(path, sizeof(path), "%s/data/recorded/%s/accepted/%.*s.%s.%s", o->dir, o->agreement, (int)id.len,
                 (const char *)id.data, parties[f->party], hash) >= (int)sizeof(path) ||
        !licet_file_read(path, NOTE_MAX, &data, &len, &ignored)) {
        return json_null();
    }
    if (len > 65 && licet_unhex(licet_bytes_of(data, 64), salt, sizeof(salt))) {
        pieces[0] = licet_bytes_of(salt, sizeof(salt));
        pieces[1] = licet_bytes_of(data + 65, len - 65);
        found = licet_sha256(pieces, 2);
        end = memmem(pieces[1].data, pieces[1].len, between, sizeof(between) - 1);
        text = licet_bytes_of(pieces[1].data, end == NULL ? 0 : (size_t)(end - pieces[1].data) + 1);
        if (memcmp(found.bytes, f->record.note.bytes, sizeof(found.bytes)) == 0 &&
            licet_acceptance_parse(text, &accepted, &ignored) && strcmp(accepted.as, "-") != 0) {
            name = json_string(accepted.as);
        }
    }
    free(data);
    return name != NULL ? name : json_null();
}

static bool
tell(maker *m, json_t *list, const licet_image_version *version, uint8_t party, licet_error *err)
{
    finding f = {.version = version, .party = party};
    json_t *object;

    if (!licet_usage_acceptances(m->usage, m->g->options->agreement, on_acceptance, &f, err)) {
        return false;
    }
    object = maker_object(m);
    maker_text(m, object, "version", licet_image_text(m->g->options->image, version->id));
    maker_put(m, object, "party", json_string(parties[party]));
    maker_time(m, object, "at", f.found ? f.record.accepted_ms : UINT64_MAX);
    maker_time(m, object, "recorded", f.found ? f.record.time_ms : UINT64_MAX);
    maker_put(m, object, "entry", f.found ? json_integer((json_int_t)f.entry) : json_null());
    maker_put(m, object, "key", f.found ? json_string(f.key) : json_null());
    maker_put(m, object, "as", f.found ? name_of(m, &f) : json_null());
    maker_add(m, list, object);
    return true;
}

json_t *
report_section_accepted(maker *m, licet_error *err)
{
    const licet_report_options *o = m->g->options;
    json_t *list = maker_array(m);

    for (uint32_t i = 0; o->image != NULL && i < o->image->header->versions_len; i++) {
        if (o->image->versions[i].from_ms >= o->before_ms || report_version_end(o->image, i) <= o->from_ms) {
            continue;
        }
        for (uint8_t party = LICET_PARTY_LICENSOR; party <= LICET_PARTY_LICENSEE; party++) {
            if (!tell(m, list, &o->image->versions[i], party, err)) {
                json_decref(list);
                return NULL;
            }
        }
    }
    return list;
}
