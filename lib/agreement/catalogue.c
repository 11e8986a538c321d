/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A catalogue by itself: read, judged and compiled as in a site, for those who count without an agreement.
 *
 *  (1) The same reader, checks and compiler as for a site do all of it: around the catalogue stands an agreement of one
 *      version, always in force, without clauses, limits or apps.
 */
#include "terms.h"

#define ARENA_MAX ((size_t)1 << 30)

static bool
read_and_judge(licet_arena *arena, const char *file, licet_mistakes *mistakes, licet_terms_catalogue *catalogue,
               licet_error *err)
{
    licet_reader reader = {.file = file, .arena = arena, .mistakes = mistakes};

    if (licet_terms_read_catalogue(&reader, catalogue->file.text, catalogue)) {
        licet_terms_check_catalogue(&reader, catalogue);
    }
    if (reader.failed || arena->failed) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to read %s", file);
    }
    licet_mistakes_sort(mistakes);
    if (mistakes->len > 0) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "%s holds %zu mistake%s", file, mistakes->len,
                          mistakes->len == 1 ? "" : "s");
    }
    return true;
}

bool
licet_catalogue_compile(const char *file, licet_bytes text, licet_mistakes *mistakes, licet_buffer *out,
                        licet_error *err)
{
    const licet_scalar nameless = {.text = LICET_BYTES_LITERAL("-")}; /* an image must name what this one has not */
    const licet_compile_options options = {.cell = 1, .number = 1};   /* no limit, so no counter is asked for */
    licet_terms_catalogue catalogue = {.name = nameless,
                                       .file = {.path = file, .text = text, .sha256 = licet_sha256(&text, 1)}};
    licet_terms_version version = {.id = nameless,
                                   .in_force.before.value = UINT64_MAX,
                                   .parties = {.licensor.legal_name = nameless, .licensee.legal_name = nameless},
                                   .catalogue = &catalogue};
    licet_terms_agreement agreement = {.id = nameless, .versions = &version, .versions_len = 1};
    licet_site site = {.agreements = &agreement, .agreements_len = 1};
    bool good;

    licet_arena_init(&site.arena, ARENA_MAX);
    good = read_and_judge(&site.arena, file, mistakes, &catalogue, err) &&
           licet_site_compile(&site, 0, &options, out, err);
    licet_arena_done(&site.arena);
    return good;
}
