/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test site: a small correct site in a temporary folder, for the tests of this room; a case replaces one text of one
 * file by another.
 */
#ifndef LICET_AGREEMENT_TEST_SITE_H
#define LICET_AGREEMENT_TEST_SITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "licet/agreement.h"

#define CONFIG "licet.yaml"
#define CATALOGUE "catalogue/x-api-v2@2022-10-10.yaml"
#define VERSION "agreements/M-2022-7/2022-10-10.yaml"
#define APPS "agreements/M-2022-7/apps.yaml"

static const struct test_file {
    const char *path, *text;
} test_files[] = {
    {CONFIG, "party: licensor\n"
             "site: demo\n"
             "gate: 1\n"
             "flow: acquired\n"
             "upstream: https://api.internal\n"
             "listen: 127.0.0.1:8640\n"
             "key: data/key\n"
             "shared_memory: /dev/shm/licet-demo\n"},
    {CATALOGUE, "units: { post: {}, user: {} }\n"
                "unlisted: record\n"
                "endpoints:\n"
                "  - id: search-recent\n"
                "    match: GET /2/tweets/search/recent\n"
                "    count: { post: \"$.data\", user: \"$.includes.users\" }\n"
                "    ids: { post: \"$.data.id\" }\n"
                "    page: { post: { query: max_results, default: 10, most: 100 } }\n"
                "  - id: post\n"
                "    match: GET /2/tweets/{id}\n"
                "    count: { post: $.data }\n"
                "    page: { post: 1 }\n"
                "  - id: lookup\n"
                "    match: GET /2/tweets\n"
                "    count: { post: $.data }\n"
                "    page: { post: { query: ids, items: comma, most: 100 } }\n"},
    {VERSION, "agreement: M-2022-7\n"
              "in_force: { from: 2022-10-10, before: 2023-10-10, then: refuse }\n"
              "calendar: { zone: UTC, month: calendar }\n"
              "parties:\n"
              "  licensor: { legal_name: Example Platform Inc., country: NO }\n"
              "  licensee: { legal_name: Meridian Corporation, country: US }\n"
              "catalogue: x-api-v2@2022-10-10\n"
              "clauses:\n"
              "  NO-TRAIN: { section: II.A.g, says: No training of foundation models }\n"
              "  CAP-MONTH: { section: Order form 2, says: Two million posts a month over all apps }\n"
              "  RATE: { section: Order form 3, says: 450 searches in 15 minutes }\n"
              "purposes: { allowed: [display, search], forbidden: { train-ai: NO-TRAIN } }\n"
              "limits:\n"
              "  - { clause: CAP-MONTH, unit: post, most: 2_000_000, per: month, over: licensee }\n"
              "  - { clause: RATE, unit: request, most: 450, per: 15m, over: app, endpoints: [search-recent] }\n"
              "cannot_record: { allow: 10_000 posts, per: outage }\n"
              "on_overrun: deliver\n"
              "mode: enforce\n"},
    {APPS, "apps:\n"
           "  pages:\n"
           "    products: [Pages]\n"
           "    default_use_case: UC-2\n"
           "    credentials:\n"
           "      - { id: K-1, kind: bearer, from: 2022-10-10,\n"
           "          hmac_sha256: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff }\n"
           "  feed: { products: [Feed, Pages], environment: staging }\n"
           "use_cases:\n"
           "  UC-2: { product: Pages, purpose: display, recipient: public, approved: { by: J. Roe, role: licensing, "
           "from: 2022-10-10 } }\n"
           "  UC-3: { product: Feed, purpose: search }\n"},
};
#define TEST_FILES (sizeof(test_files) / sizeof(test_files[0]))

typedef struct test_site {
    char dir[64];
} test_site;

__attribute__((unused)) static void
test_write(const test_site *site, const char *path, const char *text, size_t len)
{
    char full[512], folder[512];
    FILE *file;

    snprintf(full, sizeof(full), "%s/%s", site->dir, path);
    snprintf(folder, sizeof(folder), "%s", full);
    *strrchr(folder, '/') = '\0';
    assert_true(licet_dir_make(folder, 0755, NULL));
    file = fopen(full, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* The file's text with the first 'from' in it replaced by 'to'; from NULL: to is the whole text. Owned by the caller.
 */
__attribute__((unused)) static char *
test_replaced(const char *text, const char *from, const char *to)
{
    const char *at = from == NULL ? NULL : strstr(text, from);
    size_t room = strlen(text) + strlen(to) + 1;
    char *out = malloc(room);

    assert_non_null(out);
    if (from == NULL) {
        snprintf(out, room, "%s", to);
        return out;
    }
    if (at == NULL) {
        fail_msg("the test site has no \"%s\"", from);
    }
    snprintf(out, room, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

__attribute__((unused)) static void
test_change(const test_site *site, const char *path, const char *from, const char *to)
{
    const char *base = "";
    char *text;

    for (size_t i = 0; i < TEST_FILES; i++) {
        base = strcmp(test_files[i].path, path) == 0 ? test_files[i].text : base;
    }
    text = test_replaced(base, from, to);
    test_write(site, path, text, strlen(text));
    free(text);
}

__attribute__((unused)) static void
test_site_init(test_site *site)
{
    strcpy(site->dir, "/tmp/licet-agreement-XXXXXX");
    assert_non_null(mkdtemp(site->dir));
    for (size_t i = 0; i < TEST_FILES; i++) {
        test_write(site, test_files[i].path, test_files[i].text, strlen(test_files[i].text));
    }
}

__attribute__((unused)) static int
test_remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

__attribute__((unused)) static void
test_site_done(const test_site *site)
{
    nftw(site->dir, test_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Loads it; a mistake fails the test with its text. */
__attribute__((unused)) static licet_site *
test_site_load(const test_site *site)
{
    licet_mistakes mistakes = {0};
    licet_error err = {0};
    licet_site *loaded = NULL;

    if (!licet_site_load(site->dir, &mistakes, &loaded, &err)) {
        fail_msg("%s; first: %s", err.text, mistakes.len > 0 ? mistakes.list[0].text : "-");
    }
    licet_mistakes_done(&mistakes);
    return loaded;
}

#endif
