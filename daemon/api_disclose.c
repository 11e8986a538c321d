/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /disclose of the operator's API: what is asked, as JSON, for licet_recorder_disclose.
 *
 *  (1) The caller read the files; here are their lengths and hashes only, never a name of one.
 *  (2) A member that is missing or of another type is refused by its name.
 */
#include "api.h"

#include <jansson.h>
#include <string.h>

typedef struct reading {
    const json_t *root;
    licet_error *err;
} reading;

static bool
take_text(const reading *in, const char *key, bool needed, licet_bytes *out)
{
    const json_t *value = json_object_get(in->root, key);

    *out = licet_bytes_of(json_string_value(value), json_string_length(value));
    return (json_is_string(value) && (!needed || out->len > 0)) || (value == NULL && !needed) ||
           LICET_FAIL(in->err, LICET_E_INVALID, 0, "%s: expected a text", key);
}

static bool
take_number(const reading *in, const json_t *object, const char *key, uint64_t *out)
{
    const json_t *value = json_object_get(object, key);

    *out = (uint64_t)json_integer_value(value);
    return (json_is_integer(value) && json_integer_value(value) >= 0) ||
           LICET_FAIL(in->err, LICET_E_INVALID, 0, "%s: expected a number from 0 on", key);
}

static bool
take_file(const reading *in, const json_t *file, licet_disclosure_file *out)
{
    const json_t *hash = json_object_get(file, "sha256");

    return take_number(in, file, "size", &out->size) &&
           (licet_unhex(licet_bytes_of(json_string_value(hash), json_string_length(hash)), out->sha256.bytes,
                        sizeof(out->sha256.bytes)) ||
            LICET_FAIL(in->err, LICET_E_INVALID, 0, "sha256: expected 64 hex digits"));
}

static bool
take(const reading *in, licet_disclose *out, licet_disclosure_file files[LICET_DISCLOSURE_FILES_MAX])
{
    const json_t *list = json_object_get(in->root, "files");
    licet_bytes agreement;

    out->counted = json_is_true(json_object_get(in->root, "counted"));
    out->dry_run = json_is_true(json_object_get(in->root, "dry_run"));
    out->anyway = json_is_true(json_object_get(in->root, "anyway"));
    out->again = json_is_true(json_object_get(in->root, "again"));
    if (!take_text(in, "agreement", true, &agreement) || !take_text(in, "app", true, &out->app) ||
        !take_text(in, "unit", true, &out->unit) || !take_text(in, "use_case", false, &out->use_case) ||
        !take_text(in, "purpose", false, &out->purpose) || !take_text(in, "recipient", true, &out->recipient) ||
        !take_number(in, in->root, "time", &out->time_ms) || !take_number(in, in->root, "units", &out->total) ||
        !take_number(in, in->root, "distinct", &out->distinct)) {
        return false;
    }
    out->agreement = (const char *)agreement.data;
    if (json_array_size(list) < 1 || json_array_size(list) > LICET_DISCLOSURE_FILES_MAX) {
        return LICET_FAIL(in->err, LICET_E_INVALID, 0, "files: expected a list of 1 to %d", LICET_DISCLOSURE_FILES_MAX);
    }
    out->files_len = (uint32_t)json_array_size(list);
    out->files = files;
    for (uint32_t i = 0; i < out->files_len; i++) {
        if (!take_file(in, json_array_get(list, i), &files[i])) {
            return false;
        }
    }
    return true;
}

void
api_disclose_post(licet_recorder *recorder, const http_request *request, http_answer *answer)
{
    licet_disclosure_file files[LICET_DISCLOSURE_FILES_MAX];
    licet_disclose wanted = {0};
    licet_error err = {0};
    json_t *root = json_loadb((const char *)request->body.data, request->body.len, 0, NULL);
    reading in = {root, &err};

    if (!json_is_object(root)) {
        http_fail(answer, 400, "expected a JSON object that says what was handed over; docs/format/api.md");
    } else if (!take(&in, &wanted, files)) {
        http_fail(answer, 400, err.text);
    } else if (!licet_recorder_disclose(recorder, &wanted, request->now_ms, &answer->body, &err)) {
        http_fail(answer, err.code == LICET_E_INVALID || err.code == LICET_E_LIMIT ? 422 : 503, err.text);
    }
    json_decref(root);
}
