/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes of licet check.
 *
 *  (1) A note is true of the version in force now, by the rules of lib/decide.
 *  (2) A site is checked on other machines than its own too, so what is missing here is a note and no mistake.
 */
#include "check_notes.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTE_MAX 1024

/* Endpoints that count a unit without a page: what could pass there without a record has no bound, so it is refused
 * even where cannot_record lets others through. *out_counting: endpoints that count anything. */
static uint32_t
endpoints_without_bound(const licet_image *image, const licet_image_version *version, uint32_t *out_counting,
                        const licet_image_endpoint **out_first, const licet_image_count **out_unit)
{
    uint32_t without = 0;

    *out_counting = 0;
    for (uint32_t i = 0; i < version->endpoints.count; i++) {
        const licet_image_endpoint *endpoint = &image->endpoints[version->endpoints.first + i];
        const licet_image_count *unbounded = NULL;

        for (uint32_t k = endpoint->counts.count; k-- > 0;) {
            const licet_image_count *count = &image->counts[endpoint->counts.first + k];
            unbounded = count->page_from == LICET_PAGE_NONE ? count : unbounded;
        }
        *out_counting += endpoint->counts.count > 0 ? 1 : 0;
        if (unbounded != NULL && without++ == 0) {
            *out_first = endpoint;
            *out_unit = unbounded;
        }
    }
    return without;
}

static void
without_bound(const licet_image *image, const licet_image_version *version, licet_check_note note, void *user)
{
    char text[NOTE_MAX];
    const licet_image_endpoint *endpoint = NULL;
    const licet_image_count *unit = NULL;
    uint32_t counting, without = endpoints_without_bound(image, version, &counting, &endpoint, &unit);
    licet_bytes id, kind;

    if (version->cannot_record == LICET_CANNOT_RECORD_REFUSE || without == 0) {
        return;
    }
    id = licet_image_text(image, endpoint->id);
    kind = licet_image_text(image, image->header->kinds[unit->kind]);
    snprintf(text, sizeof(text),
             "what cannot be recorded is refused all the same at %u of %u endpoints that count: a unit without page "
             "(%.*s at %.*s) has no bound",
             without, counting, (int)kind.len, (const char *)kind.data, (int)id.len, (const char *)id.data);
    note(user, text);
}

static const licet_image_purpose *
purpose_of(const licet_image *image, const licet_image_version *version, licet_bytes name)
{
    for (uint32_t i = 0; i < version->purposes.count; i++) {
        const licet_image_purpose *purpose = &image->purposes[version->purposes.first + i];

        if (licet_bytes_equal(licet_image_text(image, purpose->name), name)) {
            return purpose;
        }
    }
    return NULL;
}

/* A use case that the gate always refuses, whatever else is right. */
static void
use_case_refused(const licet_image *image, const licet_image_version *version, const licet_image_use_case *use_case,
                 licet_check_note note, void *user)
{
    licet_bytes name = licet_image_text(image, use_case->purpose), id = licet_image_text(image, use_case->id), by;
    const licet_image_purpose *purpose = purpose_of(image, version, name);
    const char *does = version->mode == LICET_MODE_ENFORCE ? "is refused" : "would be refused in mode enforce";
    char text[NOTE_MAX];

    if (purpose != NULL && purpose->forbidden_by != LICET_NONE) {
        by = licet_image_text(image, image->clauses[purpose->forbidden_by].key);
        snprintf(text, sizeof(text), "use case %.*s: its purpose %.*s is forbidden by %.*s: every request of it %s",
                 (int)id.len, (const char *)id.data, (int)name.len, (const char *)name.data, (int)by.len,
                 (const char *)by.data, does);
        note(user, text);
    }
}

/* Two apps of one environment that are valid now and have the same use case by default: of one use case agreements
 * mostly allow one app for each of dev, staging and prod. */
static void
one_app_per_use_case(const licet_image *image, uint64_t now, licet_check_note note, void *user)
{
    char text[NOTE_MAX];
    uint32_t *first = calloc((size_t)image->header->use_cases_len * 3 + 1, sizeof(*first)); /* row + 1 */

    for (uint32_t i = 0; first != NULL && i < image->header->apps_len; i++) {
        const licet_image_app *app = &image->apps[i];
        licet_bytes environment = licet_image_text(image, app->environment), id, other, use_case;
        uint32_t *seen;

        if (app->default_use_case == LICET_NONE || now < app->from_ms || now >= app->before_ms) {
            continue;
        }
        seen = &first[(size_t)app->default_use_case * 3 + (environment.len == 3 ? 2 : environment.len == 4 ? 0 : 1)];
        if (*seen == 0) {
            *seen = i + 1;
            continue;
        }
        id = licet_image_text(image, app->id);
        other = licet_image_text(image, image->apps[*seen - 1].id);
        use_case = licet_image_text(image, image->use_cases[app->default_use_case].id);
        snprintf(text, sizeof(text),
                 "apps %.*s and %.*s are both %.*s and of use case %.*s: one app for a use case is "
                 "what agreements mostly allow",
                 (int)other.len, (const char *)other.data, (int)id.len, (const char *)id.data, (int)environment.len,
                 (const char *)environment.data, (int)use_case.len, (const char *)use_case.data);
        note(user, text);
    }
    free(first);
}

void
licet_check_agreement(const licet_image *image, uint64_t now, licet_check_note note, void *user)
{
    uint32_t row = licet_image_version_at(image, now);

    if (row == LICET_NONE) {
        return;
    }
    without_bound(image, &image->versions[row], note, user);
    for (uint32_t i = 0; i < image->header->use_cases_len; i++) {
        use_case_refused(image, &image->versions[row], &image->use_cases[i], note, user);
    }
    one_app_per_use_case(image, now, note, user);
}

void
licet_check_machine(const licet_site_config *config, licet_check_note note, void *user)
{
    char path[PATH_MAX], text[NOTE_MAX];

    snprintf(path, sizeof(path), "%s/%s", config->dir, config->key);
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        snprintf(text, sizeof(text),
                 "licet.yaml: key %.400s: there is no such file here, and licetd does not start without it",
                 config->key);
        note(user, text);
    }
    if (config->group != NULL && getgrnam(config->group) == NULL) {
        snprintf(text, sizeof(text),
                 "licet.yaml: group %.64s: there is no such group here, and licetd does not start without it",
                 config->group);
        note(user, text);
    }
}

void
licet_check_outbounds(const char *dir, const licet_image *image, licet_check_note note, void *user)
{
    for (uint32_t i = 0; i < image->header->outbounds_len; i++) {
        licet_bytes id = licet_image_text(image, image->outbounds[i].id);
        licet_bytes file = licet_image_text(image, image->outbounds[i].file);
        char path[PATH_MAX], text[NOTE_MAX];
        licet_outbound_token token;
        licet_error err = {0};
        bool absolute = file.len > 0 && file.data[0] == '/';

        snprintf(path, sizeof(path), "%s%s%.*s", absolute ? "" : dir, absolute ? "" : "/", (int)file.len,
                 (const char *)file.data);
        if (!licet_outbound_read(path, &token, &err)) {
            snprintf(text, sizeof(text), "outbound %.*s: %.400s; requests are refused without it", (int)id.len,
                     (const char *)id.data, err.text);
            note(user, text);
        }
        explicit_bzero(&token, sizeof(token));
    }
}
