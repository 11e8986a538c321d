/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet count --catalogue --request: which endpoint it is, what counts there and what would be reserved, from a
 * catalogue alone.
 *
 *  (1) Endpoint, units, paths and reservation come from an image compiled by the code that compiles a site's, asked by
 *      the calls that the gate asks it by.
 *  (2) A catalogue with a mistake counts nothing: all of them are listed.
 */
#include "catalogues.h"
#include "count.h"
#include "request.h"
#include "site.h"

#include "licet/decide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_MAX ((size_t)64 << 20)

/* ---- the catalogue ------------------------------------------------------------ */

/* The text of what --catalogue names; *out_owned is to be freed. */
static bool
read_text(count_job *j, licet_bytes *out_text, uint8_t **out_owned)
{
    size_t len = strlen(j->catalogue), n = 0, ending = strlen(".yaml");
    const licet_shipped *shipped;
    char names[LICET_SHIPPED_NAMES_TEXT];

    if (strchr(j->catalogue, '/') != NULL || (len > ending && strcmp(j->catalogue + len - ending, ".yaml") == 0)) {
        if (!licet_file_read(j->catalogue, LICET_SITE_FILE_MAX, out_owned, &n, &j->err)) {
            return false;
        }
        *out_text = licet_bytes_of(*out_owned, n);
        return true;
    }
    shipped = licet_shipped_named(j->catalogue);
    if (shipped == NULL) {
        return LICET_FAIL(&j->err, LICET_E_NOT_FOUND, 0,
                          "--catalogue \"%s\": expected one that licet brings along (%s) or the path of a .yaml file",
                          j->catalogue, licet_shipped_names(names));
    }
    j->catalogue = shipped->name;
    *out_text = licet_bytes_of(shipped->text, shipped->len);
    return true;
}

/* The document that says why not, on stdout; an exit code. */
static int
tell_json(json_t *document)
{
    bool printed = count_print_document(document);

    if (!printed || fflush(stdout) != 0) {
        return licet_cli_fail(&licet_command_count, "cannot write the result: %s",
                              printed ? strerror(errno) : "no memory");
    }
    return LICET_EXIT_NO;
}

/* Lists mistakes; an exit code. */
static int
tell_mistakes(const count_job *j, const licet_mistakes *mistakes)
{
    if (j->json) {
        return tell_json(json_pack("{s:o}", "mistakes", licet_cli_mistakes_json(mistakes)));
    }
    licet_cli_mistakes_print(mistakes);
    return LICET_EXIT_NO;
}

/* False: no image, *out_code says how the command ends. */
static bool
compile(count_job *j, licet_buffer *blob, licet_image *image, int *out_code)
{
    licet_mistakes mistakes = {0};
    licet_bytes text = {0};
    uint8_t *owned = NULL;
    bool good = read_text(j, &text, &owned) && licet_catalogue_compile(j->catalogue, text, &mistakes, blob, &j->err) &&
                licet_image_open(licet_buffer_view(blob), image, &j->err);

    if (!good) {
        *out_code = j->err.code == LICET_E_INVALID && mistakes.len > 0 ? tell_mistakes(j, &mistakes)
                                                                       : licet_cli_error(&licet_command_count, &j->err);
    }
    licet_mistakes_done(&mistakes);
    free(owned);
    return good;
}

/* ---- the endpoint --------------------------------------------------------------- */

/* What the rule for unlisted endpoints does with it; an exit code. */
static int
tell_unlisted(const count_job *j, uint32_t rule)
{
    bool refuse = rule == LICET_RULE_REFUSE;

    if (j->json) {
        return tell_json(json_pack("{s:n,s:s}", "endpoint", "unlisted", refuse ? "refuse" : "record"));
    }
    fprintf(stderr, "licet count: %s does not list %s: the gate would %s (unlisted: %s)\n", j->catalogue, j->request,
            refuse ? "refuse it" : "pass it on and book what it brings as unmetered", refuse ? "refuse" : "record");
    return LICET_EXIT_NO;
}

static void
copy_name(char out[LICET_NAME_MAX + 1], const licet_image *image, licet_text text)
{
    licet_bytes name = licet_image_text(image, text);

    snprintf(out, LICET_NAME_MAX + 1, "%.*s", (int)name.len, (const char *)name.data);
}

static bool
take_counts(count_job *j, const licet_image *image, uint32_t row, licet_bytes query)
{
    const licet_image_endpoint *endpoint = &image->endpoints[row];

    copy_name(j->endpoint, image, endpoint->id);
    for (uint32_t i = 0; i < endpoint->counts.count; i++) {
        const licet_image_count *count = &image->counts[endpoint->counts.first + i];
        count_unit *u = &j->units[j->units_len];
        licet_plan_unit *paths = &j->paths[j->units_len];

        copy_name(u->name, image, image->header->kinds[count->kind]);
        u->reserved = licet_page_of(image, count, query);
        paths->unit = u->name;
        paths->has_ids = count->ids.len > 0;
        if (!licet_path_parse(licet_image_text(image, count->path), &paths->count, &j->err) ||
            (paths->has_ids && !licet_path_parse(licet_image_text(image, count->ids), &paths->ids, &j->err))) {
            return false;
        }
        j->units_len++;
    }
    return true;
}

int
count_by_catalogue(count_job *j)
{
    licet_cli_request request = {0};
    licet_image image;
    licet_buffer blob;
    uint32_t row;
    int code = LICET_EXIT_OK;

    licet_buffer_init(&blob, IMAGE_MAX);
    if (!licet_cli_request_read(j->request, &request, &j->err)) {
        code = licet_cli_error(&licet_command_count, &j->err);
        goto done;
    }
    if (!compile(j, &blob, &image, &code)) {
        goto done;
    }
    row = licet_decide_endpoint(&image, &image.versions[0], request.method, request.path);
    if (row == LICET_NONE) {
        code = tell_unlisted(j, image.versions[0].unlisted);
    } else if (!take_counts(j, &image, row, request.query)) {
        code = licet_cli_error(&licet_command_count, &j->err);
    }
done:
    licet_cli_request_done(&request);
    licet_buffer_done(&blob);
    return code;
}
