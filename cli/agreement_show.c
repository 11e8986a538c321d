/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet agreement show: sentences in two columns of a page 100 columns wide, or as JSON.
 *
 *  (1) Left the section, right the sentence; no line is longer than 100 characters, unless one word is.
 *  (2) What a file says is shown without its control characters; the reader of the files refuses them already.
 */
#include "agreement.h"
#include "licet/acceptance.h"

#include <stdio.h>
#include <string.h>

#define PAGE_COLUMNS 100u
#define LEFT_COLUMNS 24u

typedef struct page {
    const char *part; /* under way */
    json_t *list;     /* of sentences; NULL: printed */
} page;

/* Characters of UTF-8 text. */
static size_t
columns_of(const char *text, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return n;
}

/* Prints the words of a text from a column on; lines that follow begin at the same column. */
static void
print_wrapped(const char *text, size_t len)
{
    size_t used = LEFT_COLUMNS, at = 0;
    bool first = true;

    while (at < len) {
        const char *space = memchr(text + at, ' ', len - at);
        size_t word = space == NULL ? len - at : (size_t)(space - (text + at)), wide = columns_of(text + at, word);

        if (!first && used + 1 + wide > PAGE_COLUMNS) {
            printf("\n%*s", (int)LEFT_COLUMNS, "");
            used = LEFT_COLUMNS;
        } else if (!first) {
            printf(" ");
            used++;
        }
        printf("%.*s", (int)word, text + at);
        used += wide;
        first = false;
        at += word + (space != NULL);
    }
    printf("\n");
}

static bool
take(void *user, const licet_sentence *sentence)
{
    page *p = user;
    const char *text = (const char *)sentence->text.data;
    char left[1200];
    size_t wide;

    if (p->list != NULL) {
        return json_array_append_new(
                   p->list,
                   json_pack("{s:s, s:o, s:o, s:o}", "part", sentence->part, "clause",
                             sentence->clause.len == 0 ? json_null() : licet_cli_json_text(sentence->clause), "section",
                             sentence->section.len == 0 ? json_null() : licet_cli_json_text(sentence->section), "says",
                             licet_cli_json_text(sentence->text))) == 0;
    }
    if (p->part == NULL || strcmp(p->part, sentence->part) != 0) {
        printf("\n%s\n", sentence->part);
        p->part = sentence->part;
    }
    snprintf(left, sizeof(left), "  %.*s", (int)sentence->section.len, (const char *)sentence->section.data);
    wide = columns_of(left, strlen(left));
    if (wide + 2 > LEFT_COLUMNS) {
        printf("%s\n%*s", left, (int)LEFT_COLUMNS, "");
    } else {
        printf("%s%*s", left, (int)(LEFT_COLUMNS - wide), "");
    }
    if (sentence->clause.len > 0) {
        char whole[8400];
        int len = snprintf(whole, sizeof(whole), "%.*s: %.*s", (int)sentence->clause.len,
                           (const char *)sentence->clause.data, (int)sentence->text.len, text);
        print_wrapped(whole, (size_t)len < sizeof(whole) ? (size_t)len : sizeof(whole) - 1);
    } else {
        print_wrapped(text, sentence->text.len);
    }
    return true;
}

/* Who accepted it: two sentences more. */
static bool
tell_accepted(page *p, const char *dir, const licet_image *image, const licet_image_version *version)
{
    static const char *const parties[] = {"licensor", "licensee"};

    for (size_t i = 0; i < 2; i++) {
        licet_acceptance accepted;
        licet_verifier_key key;
        licet_error err = {0};
        char text[1200];
        licet_sentence sentence = {.part = "Accepted"};

        if (!licet_acceptance_read(dir, image, version, parties[i], &accepted, &key, &err)) {
            snprintf(text, sizeof(text),
                     err.code == LICET_E_NOT_FOUND ? "Not accepted by the %s.%.0s"
                                                   : "The note of the %s does not hold: %.500s.",
                     parties[i], err.text);
        } else if (!licet_acceptance_is_of(&accepted, version)) {
            snprintf(text, sizeof(text), "The files have changed since the %s accepted them at %s.", parties[i],
                     accepted.time);
        } else {
            snprintf(text, sizeof(text), "By the %s at %s%s%s, key %s.", parties[i], accepted.time,
                     strcmp(accepted.as, "-") == 0 ? "" : " as ", strcmp(accepted.as, "-") == 0 ? "" : accepted.as,
                     key.name);
        }
        sentence.text = licet_bytes_of_text(text);
        if (!take(p, &sentence)) {
            return false;
        }
    }
    return true;
}

static int
print_json(const licet_agreement_options *o, const licet_image *image, uint32_t row, json_t *list)
{
    const licet_image_version *version = &image->versions[row];
    char at[LICET_TIME_TEXT], file[2 * LICET_SHA256_LEN + 1], catalogue[2 * LICET_SHA256_LEN + 1];

    licet_time_format(o->at_ms, at);
    licet_hex(version->file_sha256, LICET_SHA256_LEN, file);
    licet_hex(version->catalogue_sha256, LICET_SHA256_LEN, catalogue);
    return licet_cli_json_print(
        &licet_command_agreement,
        json_pack("{s:s, s:s, s:o, s:s, s:o, s:s, s:b, s:o}", "agreement", o->agreement, "at", at, "version",
                  licet_cli_json_text(licet_image_text(image, version->id)), "sha256", file, "catalogue",
                  licet_cli_json_text(licet_image_text(image, version->catalogue)), "catalogue_sha256", catalogue,
                  "back_dated", version->known_from_ms > version->from_ms, "sentences", list));
}

static int
show_row(const licet_agreement_options *o, const licet_site *site, size_t i, const licet_image *image)
{
    uint32_t row = licet_image_version_at(image, o->at_ms);
    page p = {.list = o->json ? json_array() : NULL};
    char at[LICET_TIME_TEXT], file[2 * LICET_SHA256_LEN + 1];
    licet_bytes id;

    if (row == LICET_NONE) {
        json_decref(p.list);
        licet_cli_time(o->at_ms, at);
        licet_cli_fail(&licet_command_agreement, "agreement %s: no version is in force at %s", o->agreement, at);
        return LICET_EXIT_NO;
    }
    if (!o->json) {
        id = licet_image_text(image, image->versions[row].id);
        licet_hex(image->versions[row].file_sha256, LICET_SHA256_LEN, file);
        licet_cli_time(o->at_ms, at);
        printf("Agreement %s, version %.*s, as in force at %s\nSHA-256 %s\n", o->agreement, (int)id.len,
               (const char *)id.data, at, file);
    }
    if (!licet_site_sentences(site, i, image, row, take, &p) ||
        !tell_accepted(&p, o->dir, image, &image->versions[row])) {
        json_decref(p.list);
        return licet_cli_fail(&licet_command_agreement, "no memory for the sentences of %s", o->agreement);
    }
    return o->json ? print_json(o, image, row, p.list) : LICET_EXIT_OK;
}

int
licet_agreement_show(const licet_agreement_options *o)
{
    licet_cli_image compiled;
    licet_site *site = NULL;
    licet_error err = {0};
    int result = licet_cli_site_load(&licet_command_agreement, o->dir, &site);
    size_t i;

    if (result != LICET_EXIT_OK) {
        return LICET_EXIT_FAILED;
    }
    i = licet_site_find(site, o->agreement);
    if (i == SIZE_MAX) {
        result = licet_cli_fail(&licet_command_agreement, "%s: there is no agreement \"%s\"", o->dir, o->agreement);
    } else if (!licet_cli_image_compile(site, i, &compiled, &err)) {
        result = licet_cli_error(&licet_command_agreement, &err);
    } else {
        result = show_row(o, site, i, &compiled.image);
        licet_cli_image_done(&compiled);
    }
    licet_site_free(site);
    return result;
}
