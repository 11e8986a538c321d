/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limit words: windows, dimensions and classes as the files of a site write them, for all who show or read them.
 */
#include "licet/image.h"

#include <stdio.h>

static const char *const overs[] = {"licensee", "app",       "credential", "product",
                                    "use case", "recipient", "country",    "endpoint"};
static const char *const classes[LICET_CLASSES_LEN] = {
    "public", "person", "company", "academic", "government", "acting-for-government", "surveillance", "embargoed"};

const char *
licet_over_name(uint32_t over)
{
    return over < sizeof(overs) / sizeof(overs[0]) ? overs[over] : "?";
}

const char *
licet_class_name(uint32_t kind)
{
    return kind < LICET_CLASSES_LEN ? classes[kind] : "?";
}

/* 15m; one of a unit is its word, or 1m. */
static void
put_span(uint32_t span_s, bool words, const char *before, char out[LICET_PER_TEXT])
{
    static const struct {
        uint32_t seconds;
        const char *word, *letter;
    } units[] = {{86400, "day", "d"}, {3600, "hour", "h"}, {60, "minute", "m"}, {1, "second", "s"}};

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (words && span_s == units[i].seconds) {
            snprintf(out, LICET_PER_TEXT, "%s%s", before, units[i].word);
            return;
        }
        if (span_s % units[i].seconds == 0) {
            snprintf(out, LICET_PER_TEXT, "%s%u%s", before, span_s / units[i].seconds, units[i].letter);
            return;
        }
    }
}

void
licet_limit_per(const licet_image_limit *limit, char out[LICET_PER_TEXT])
{
    static const char *const words[] = {[LICET_PER_MONTH] = "month",
                                        [LICET_PER_DAY] = "day",
                                        [LICET_PER_YEAR] = "year",
                                        [LICET_PER_CONCURRENT] = "concurrent",
                                        [LICET_PER_TERM] = "term"};

    switch (limit->per) {
    case LICET_PER_SPAN:
        put_span(limit->span_s, true, "", out);
        break;
    case LICET_PER_ROLLING:
        put_span(limit->span_s, false, "rolling ", out);
        break;
    default:
        snprintf(out, LICET_PER_TEXT, "%s", words[limit->per]);
        break;
    }
}

licet_bytes
licet_limit_place_name(const licet_image *image, const licet_image_limit *limit, uint32_t place)
{
    static const licet_text none = {0, 0};
    const licet_image_header *h = image->header;
    uint32_t row = limit->base + place;

    switch ((licet_over)limit->over) {
    case LICET_OVER_APP:
        return licet_image_text(image, row < h->apps_len ? image->apps[row].id : none);
    case LICET_OVER_CREDENTIAL:
        return licet_image_text(image, row < h->credentials_len ? image->credentials[row].id : none);
    case LICET_OVER_PRODUCT:
        return licet_image_text(image, row < h->products_len ? image->products[row] : none);
    case LICET_OVER_USE_CASE:
        return licet_image_text(image, row < h->use_cases_len ? image->use_cases[row].id : none);
    case LICET_OVER_RECIPIENT:
        return licet_image_text(image, row < h->recipients_len ? image->recipients[row].id : none);
    case LICET_OVER_COUNTRY:
        return licet_image_text(image, row < h->countries_len ? image->countries[row] : none);
    case LICET_OVER_ENDPOINT:
        return licet_image_text(image, place + 1 < limit->counters.count ? image->endpoints[row].id : none);
    case LICET_OVER_LICENSEE:
        break;
    }
    return licet_image_text(image, none);
}
