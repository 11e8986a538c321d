/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting rules: 'dedup' of a unit in a catalogue.
 *
 *  (1) What is deduplicated by id names its ids at every endpoint that counts it: a copy nobody can recognize would
 * make the count a guess. (2) What counts gross says nothing, or 'per: none'.
 */
#include "terms.h"

static const licet_word by[] = {{"id", 0}, {NULL, 0}};
static const licet_word pers[] = {{"none", LICET_DEDUP_NONE},
                                  {"day", LICET_DEDUP_DAY},
                                  {"month", LICET_DEDUP_MONTH},
                                  {"cycle", LICET_WORD_LATER},
                                  {NULL, 0}};
static const licet_word overs[] = {
    {"licensee", LICET_OVER_LICENSEE}, {"app", LICET_OVER_APP}, {"credential", LICET_OVER_CREDENTIAL}, {NULL, 0}};
static const licet_word zones[] = {{"UTC", 0}, {NULL, 0}};

#define AT(member) .at = offsetof(licet_terms_dedup, member)
static const licet_field fields[] = {
    {.name = "by", .type = LICET_FIELD_WORD, .required = true, AT(by), .words = by},
    {.name = "per", .type = LICET_FIELD_WORD, .required = true, AT(per), .words = pers},
    {.name = "zone", .type = LICET_FIELD_WORD, AT(zone), .words = zones},
    {.name = "over", .type = LICET_FIELD_WORD, AT(over), .words = overs, .fallback = LICET_OVER_LICENSEE},
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_dedup_schema = {.noun = "dedup", .size = sizeof(licet_terms_dedup), .fields = fields};

bool
licet_terms_deduplicates(const licet_terms_catalogue *catalogue, licet_bytes unit)
{
    uint32_t at = licet_names_find(&catalogue->unit_names, unit);

    return at != LICET_NONE &&
           LICET_TERMS_ROW(licet_terms_unit, catalogue->units, at)->dedup.per.value != LICET_DEDUP_NONE;
}

/* (1) */
void
licet_terms_check_counting(licet_reader *reader, const char *context, const licet_terms_catalogue *catalogue,
                           const licet_terms_endpoint *endpoint)
{
    for (uint32_t i = 0; i < endpoint->count.len; i++) {
        const licet_pair *pair = LICET_TERMS_ROW(licet_pair, endpoint->count, i);
        bool named = endpoint->ids.flawed;

        for (uint32_t j = 0; j < endpoint->ids.len; j++) {
            named = named || licet_bytes_equal(LICET_TERMS_ROW(licet_pair, endpoint->ids, j)->key.text, pair->key.text);
        }
        if (!named && licet_terms_deduplicates(catalogue, pair->key.text)) {
            licet_reader_say(reader, &pair->key, context,
                             "unit \"%s\" is deduplicated by id: expected ids to name where this endpoint has them",
                             licet_quote_of(pair->key.text).text);
        }
    }
}
