/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image: opening a blob that may be anything, and the small questions asked of it.
 *
 *  (1) After licet_image_open every offset, row and count an accessor follows lies within the blob, and every number
 *      that sizes an array elsewhere (kinds, counts of an endpoint, limits of a request, lengths of names) is within
 *      its ceiling.
 *  (2) It allocates nothing and costs the length of the blob.
 *  (3) Order is part of the form: versions by from; apps and use cases by id; purposes of a version by name; endpoints
 *      of a version by method, number of segments, most literal segments, file order (endpoint_order below).
 */
#include "blob.h"
#include "limit_room.h"
#include "terms.h"

#include "licet/image.h"
#include "licet/money.h"

#define WRONG(err, ...) LICET_FAIL((err), LICET_E_CORRUPT, 0, "image: " __VA_ARGS__)

static bool
is_text(const licet_image *image, licet_text text, uint32_t least, uint32_t most)
{
    return text.len >= least && licet_blob_text(text, image->header->strings_len, most);
}

static bool
is_name(const licet_image *image, licet_text text)
{
    return is_text(image, text, 1, LICET_NAME_MAX);
}

static int
order(const licet_image *image, licet_text a, licet_text b)
{
    return licet_blob_order(image->strings, a, b);
}

/* ---- open ------------------------------------------------------------------------ */

static bool
check_header(licet_bytes blob, const licet_image_header *header, licet_error *err)
{
    licet_bytes body;
    licet_hash hash;

    if (blob.len < sizeof(*header) || (uintptr_t)blob.data % 8 != 0) {
        return WRONG(err, "%zu bytes are shorter than its header, or not aligned", blob.len);
    }
    if (memcmp(header->magic, LICET_IMAGE_MAGIC, sizeof(header->magic)) != 0) {
        return WRONG(err, "it does not begin with " LICET_IMAGE_MAGIC);
    }
    if (header->format != LICET_IMAGE_FORMAT) {
        return WRONG(err, "format %u: expected %u", header->format, LICET_IMAGE_FORMAT);
    }
    if (header->size != blob.len || blob.len > UINT32_MAX) {
        return WRONG(err, "%zu bytes: its header says %llu", blob.len, (unsigned long long)header->size);
    }
    body = licet_bytes_of(blob.data + sizeof(*header), blob.len - sizeof(*header));
    hash = licet_sha256(&body, 1);
    if (memcmp(hash.bytes, header->sha256, sizeof(header->sha256)) != 0) {
        return WRONG(err, "its content does not have the SHA-256 its header says");
    }
    return true;
}

static bool
check_tables(licet_bytes blob, licet_image *image, licet_error *err)
{
    const licet_image_header *header = image->header;

#define CHECK_TABLE(name, type)                                                                                        \
    if (!licet_blob_table(header->name##_at, header->name##_len, sizeof(type), sizeof(*header), blob.len)) {           \
        return WRONG(err, "table " #name " lies outside");                                                             \
    }                                                                                                                  \
    image->name = (const type *)(const void *)(blob.data + header->name##_at);
    LICET_IMAGE_TABLES(CHECK_TABLE)
#undef CHECK_TABLE
    if (header->flow > LICET_FLOW_PASSED_ON || header->cell == 0 || header->number == 0) {
        return WRONG(err, "flow %u, cell %u or number %llu cannot be", header->flow, header->cell,
                     (unsigned long long)header->number);
    }
    if (header->kinds_len < 2 || header->kinds_len > LICET_KINDS_MAX) {
        return WRONG(err, "%u kinds: expected 2 to %u", header->kinds_len, LICET_KINDS_MAX);
    }
    for (uint32_t i = 0; i < header->kinds_len; i++) {
        if (!is_name(image, header->kinds[i])) {
            return WRONG(err, "the name of kind %u lies outside", i);
        }
    }
    if (!is_name(image, header->agreement) || !is_text(image, header->licensor, 1, LICET_TEXT_MAX) ||
        !is_text(image, header->licensee, 1, LICET_TEXT_MAX)) {
        return WRONG(err, "a name of the agreement or of a party lies outside");
    }
    return true;
}

/* Counters that a limit has, by what it is over; ENDPOINT: as many as its version has. */
static uint32_t
counters_of(const licet_image_header *header, const licet_image_limit *limit)
{
    switch ((licet_over)limit->over) {
    case LICET_OVER_LICENSEE:
        return 1;
    case LICET_OVER_APP:
        return header->apps_len;
    case LICET_OVER_CREDENTIAL:
        return header->credentials_len + 1;
    case LICET_OVER_PRODUCT:
        return header->products_len + 1;
    case LICET_OVER_USE_CASE:
        return header->use_cases_len + 1;
    case LICET_OVER_RECIPIENT:
        return header->recipients_len + 1;
    case LICET_OVER_COUNTRY:
        return header->countries_len + 1;
    case LICET_OVER_ENDPOINT:
        return limit->counters.count;
    }
    return 0;
}

static bool
check_window(const licet_image_header *header, const licet_image_limit *limit)
{
    if ((limit->zone != LICET_NONE && limit->zone >= header->zones_len) || limit->first_day < 1 ||
        limit->first_day > 31) {
        return false;
    }
    switch ((licet_per)limit->per) {
    case LICET_PER_SPAN:
        return limit->span_s > 0;
    case LICET_PER_ROLLING:
        return limit->span_s > 0 && limit->bucket_s > 0 && limit->bucket_s <= limit->span_s &&
               licet_image_buckets(limit) <= LICET_BUCKETS_MAX;
    default:
        return limit->per <= LICET_PER_TERM;
    }
}

static bool
check_limit(const licet_image *image, const licet_image_limit *limit)
{
    const licet_image_header *header = image->header;
    bool named = limit->clause == LICET_NONE ? limit->set_by == LICET_SET_BY_US && is_name(image, limit->name)
                                             : limit->clause < header->clauses_len;

    for (uint32_t i = 0; licet_blob_range(limit->purposes, header->limit_purposes_len) && i < limit->purposes.count;
         i++) {
        named = named && is_name(image, image->limit_purposes[limit->purposes.first + i]);
    }
    return named && limit->kind < header->kinds_len && limit->most <= LICET_MOST_MAX && limit->weight > 0 &&
           limit->weight <= LICET_WEIGHT_MAX && check_window(header, limit) && limit->over <= LICET_OVER_ENDPOINT &&
           (limit->flow == LICET_NONE || limit->flow <= LICET_FLOW_PASSED_ON) && limit->set_by <= LICET_SET_BY_US &&
           limit->deduplicated <= 1 && limit->payments <= 1 && limit->classes < UINT32_C(1) << LICET_CLASSES_LEN &&
           licet_blob_range(limit->endpoints, header->limit_endpoints_len) &&
           licet_blob_range(limit->purposes, header->limit_purposes_len) &&
           licet_blob_range(limit->counters, header->limit_counters_len) &&
           licet_blob_range(limit->products, header->products_len) && licet_blob_range(limit->apps, header->apps_len) &&
           (limit->counters.count > 0 || limit->over == LICET_OVER_APP) &&
           (limit->over == LICET_OVER_ENDPOINT ? limit->base <= header->endpoints_len &&
                                                     limit->counters.count - 1 <= header->endpoints_len - limit->base
                                               : limit->base == 0) &&
           limit->counters.count == counters_of(header, limit);
}

static bool
is_clause(const licet_image *image, uint32_t row)
{
    return row == LICET_NONE || row < image->header->clauses_len;
}

static bool
check_zones(const licet_image *image, licet_error *err)
{
    const licet_image_header *header = image->header;

    for (uint32_t i = 0; i < header->zones_len; i++) {
        const licet_image_zone *zone = &image->zones[i];
        if (!is_name(image, zone->name) || zone->transitions.count == 0 ||
            !licet_blob_range(zone->transitions, header->transitions_len)) {
            return WRONG(err, "zone %u cannot be", i);
        }
        for (uint32_t j = 0; j < zone->transitions.count; j++) {
            const licet_image_transition *t = &image->transitions[zone->transitions.first + j];
            if (t->offset_s < -172800 || t->offset_s > 172800 || (j > 0 && t[-1].from_ms >= t->from_ms)) {
                return WRONG(err, "transition %u of zone %u cannot be", j, i);
            }
        }
    }
    for (uint32_t i = 0; i < header->payments_len; i++) {
        if (image->payments[i].amount > LICET_MOST_MAX ||
            (i > 0 && image->payments[i - 1].from_ms > image->payments[i].from_ms)) {
            return WRONG(err, "payment %u cannot be", i);
        }
    }
    return header->payments_len <= LICET_PAYMENTS_MAX || WRONG(err, "more than %u payments", LICET_PAYMENTS_MAX);
}

/* Periods as in a limit. */
static bool
check_period(const licet_image_header *header, const licet_image_rate_card *card)
{
    licet_image_limit limit = {.per = card->per, .zone = card->zone, .first_day = card->first_day};

    return (card->per == LICET_PER_MONTH || card->per == LICET_PER_DAY || card->per == LICET_PER_YEAR) &&
           check_window(header, &limit);
}

static bool
check_rate_card(const licet_image *image, const licet_image_rate_card *card)
{
    const licet_image_header *header = image->header;

    return card->version < header->versions_len && card->round_how < LICET_ROUNDS_LEN &&
           card->round_digits <= LICET_MONEY_DIGITS && check_period(header, card) &&
           is_text(image, card->currency, 3, 3) && card->minimum <= INT64_MAX &&
           licet_blob_range(card->prices, header->prices_len) &&
           licet_blob_range(card->surcharges, header->surcharges_len) &&
           licet_blob_range(card->rebates, header->rebates_len) && is_clause(image, card->prepaid_clause);
}

static bool
check_price(const licet_image *image, const licet_image_price *price)
{
    const licet_image_header *header = image->header;

    if (!is_name(image, price->name) || !is_clause(image, price->clause) || price->kind >= header->kinds_len ||
        (price->flow != LICET_NONE && price->flow > LICET_FLOW_PASSED_ON) || price->deduplicated > 1 ||
        price->from_ms >= price->before_ms || price->tiers.count == 0 ||
        !licet_blob_range(price->tiers, header->tiers_len) ||
        !licet_blob_range(price->purposes, header->price_purposes_len)) {
        return false;
    }
    for (uint32_t i = 0; i < price->tiers.count; i++) {
        const licet_image_tier *tier = &image->tiers[price->tiers.first + i];
        if (tier->price > INT64_MAX || (i > 0 && tier[-1].to >= tier->to) ||
            (tier->to == UINT64_MAX) != (i + 1 == price->tiers.count)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < price->purposes.count; i++) {
        if (!is_name(image, image->price_purposes[price->purposes.first + i])) {
            return false;
        }
    }
    return true;
}

static bool
check_prices(const licet_image *image, licet_error *err)
{
    const licet_image_header *header = image->header;

    for (uint32_t i = 0; i < header->rate_cards_len; i++) {
        const licet_image_rate_card *card = &image->rate_cards[i];
        if (!check_rate_card(image, card) || (i > 0 && card[-1].version >= card->version)) {
            return WRONG(err, "rate card %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->prices_len; i++) {
        if (!check_price(image, &image->prices[i])) {
            return WRONG(err, "price %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->surcharges_len; i++) {
        if (!is_name(image, image->surcharges[i].name) || image->surcharges[i].percent > INT64_MAX) {
            return WRONG(err, "surcharge %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->rebates_len; i++) {
        if (image->rebates[i].from > INT64_MAX || image->rebates[i].percent > INT64_MAX) {
            return WRONG(err, "rebate %u cannot be", i);
        }
    }
    return true;
}

static bool
check_dedups(const licet_image *image, licet_error *err)
{
    const licet_image_header *header = image->header;

    for (uint32_t i = 0; i < header->dedups_len; i++) {
        const licet_image_dedup *dedup = &image->dedups[i];
        if (dedup->kind < 2 || dedup->kind >= header->kinds_len ||
            (dedup->per != LICET_PER_DAY && dedup->per != LICET_PER_MONTH) || dedup->over > LICET_OVER_CREDENTIAL ||
            (dedup->zone != LICET_NONE && dedup->zone >= header->zones_len) || dedup->first_day < 1 ||
            dedup->first_day > 31) {
            return WRONG(err, "counting rule %u cannot be", i);
        }
    }
    return true;
}

static bool
check_government(const licet_image *image, licet_error *err)
{
    const licet_image_header *header = image->header;

    for (uint32_t i = 0; i < header->government_len; i++) {
        const licet_image_government *rule = &image->government[i];
        if (rule->clause >= header->clauses_len || rule->needs > LICET_NEEDS_NEVER ||
            (rule->flow != LICET_NONE && rule->flow > LICET_FLOW_PASSED_ON) ||
            rule->classes >= UINT32_C(1) << LICET_CLASSES_LEN || !licet_blob_range(rule->grants, header->grants_len)) {
            return WRONG(err, "government rule %u cannot be", i);
        }
        for (uint32_t j = 0; j < rule->grants.count; j++) {
            const licet_image_grant *grant = &image->grants[rule->grants.first + j];
            if (grant->recipient >= header->recipients_len ||
                (grant->use_case != LICET_NONE && grant->use_case >= header->use_cases_len) ||
                (j > 0 && (grant[-1].recipient > grant->recipient ||
                           (grant[-1].recipient == grant->recipient && grant[-1].use_case > grant->use_case)))) {
                return WRONG(err, "grant %u of government rule %u cannot be", j, i);
            }
        }
    }
    for (uint32_t i = 0; i < header->embargoed_len; i++) {
        if (!is_text(image, image->embargoed[i], 2, 2)) {
            return WRONG(err, "embargoed country %u cannot be", i);
        }
    }
    return true;
}

/* The chain of what a recipient is part of is short and ends with its entity. */
static bool
ends_with_entity(const licet_image *image, uint32_t row)
{
    uint32_t at = row;

    for (uint32_t steps = 0; steps <= LICET_PART_OF_MAX; steps++) {
        uint32_t next = image->recipients[at].part_of;

        if (next >= image->header->recipients_len) {
            return false;
        }
        if (next == at) {
            return image->recipients[row].entity == at;
        }
        at = next;
    }
    return false;
}

static bool
check_recipients(const licet_image *image, licet_error *err)
{
    const licet_image_header *header = image->header;

    for (uint32_t i = 0; i < header->countries_len; i++) {
        if (!is_text(image, image->countries[i], 2, 2)) {
            return WRONG(err, "country %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->recipients_len; i++) {
        const licet_image_recipient *recipient = &image->recipients[i];
        if (!is_name(image, recipient->id) || !is_text(image, recipient->country, 0, 2) ||
            recipient->entity >= header->recipients_len || !ends_with_entity(image, i) ||
            recipient->kind >= LICET_CLASSES_LEN ||
            (recipient->country_row != LICET_NONE && recipient->country_row >= header->countries_len) ||
            (i > 0 && order(image, image->recipients[i - 1].id, recipient->id) >= 0)) {
            return WRONG(err, "recipient %u cannot be", i);
        }
    }
    return true;
}

static bool
check_terms(const licet_image *image, licet_error *err)
{
    const licet_image_header *header = image->header;

    for (uint32_t i = 0; i < header->clauses_len; i++) {
        const licet_image_clause *clause = &image->clauses[i];
        if (!is_name(image, clause->key) || !is_text(image, clause->section, 1, LICET_TEXT_MAX) ||
            !is_text(image, clause->says, 1, LICET_TEXT_MAX) || clause->mode > LICET_MODE_ENFORCE) {
            return WRONG(err, "text of clause %u lies outside", i);
        }
    }
    for (uint32_t i = 0; i < header->purposes_len; i++) {
        const licet_image_purpose *purpose = &image->purposes[i];
        if (!is_name(image, purpose->name) ||
            (purpose->forbidden_by != LICET_NONE && purpose->forbidden_by >= header->clauses_len)) {
            return WRONG(err, "purpose %u points outside", i);
        }
    }
    for (uint32_t i = 0; i < header->limits_len; i++) {
        const licet_image_limit *limit = &image->limits[i];
        if (!check_limit(image, limit)) {
            return WRONG(err, "limit %u cannot be", i);
        }
    }
    return true;
}

static bool
check_catalogue(const licet_image *image, licet_error *err)
{
    const licet_image_header *header = image->header;

    for (uint32_t i = 0; i < header->segments_len; i++) {
        if (!is_text(image, image->segments[i].literal, 0, LICET_TEXT_MAX) || image->segments[i].placeholder > 1) {
            return WRONG(err, "segment %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->counts_len; i++) {
        const licet_image_count *count = &image->counts[i];
        if (count->kind < 2 || count->kind >= header->kinds_len || !is_text(image, count->path, 1, LICET_TEXT_MAX) ||
            !is_text(image, count->ids, 0, LICET_TEXT_MAX) || count->page_from > LICET_PAGE_ITEMS ||
            !is_text(image, count->page_query, 0, LICET_NAME_MAX) || count->page_most > LICET_MOST_MAX ||
            count->page_default > count->page_most) {
            return WRONG(err, "count %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->endpoints_len; i++) {
        const licet_image_endpoint *endpoint = &image->endpoints[i];
        if (!is_name(image, endpoint->id) || !is_name(image, endpoint->method) ||
            !licet_blob_range(endpoint->segments, header->segments_len) || endpoint->segments.count == 0 ||
            endpoint->segments.count > LICET_SEGMENTS_MAX || !licet_blob_range(endpoint->counts, header->counts_len) ||
            endpoint->counts.count > LICET_COUNTS_PER_ENDPOINT_MAX) {
            return WRONG(err, "endpoint %u cannot be", i);
        }
    }
    return true;
}

static bool
check_registry(const licet_image *image, licet_error *err)
{
    const licet_image_header *header = image->header;

    for (uint32_t i = 0; i < header->products_len; i++) {
        if (!is_name(image, image->products[i])) {
            return WRONG(err, "product %u lies outside", i);
        }
    }
    for (uint32_t i = 0; i < header->app_products_len; i++) {
        if (image->app_products[i].product >= header->products_len) {
            return WRONG(err, "product of an app %u points outside", i);
        }
    }
    for (uint32_t i = 0; i < header->product_terms_len; i++) {
        const licet_image_product *product = &image->product_terms[i];
        if (product->product >= header->products_len || (i > 0 && product[-1].product >= product->product)) {
            return WRONG(err, "registered product %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->steps_len; i++) {
        if (image->steps[i].state >= LICET_USE_CASE_STATES_LEN || image->steps[i].has_document > 1) {
            return WRONG(err, "step %u in the life of a use case cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->use_cases_len; i++) {
        const licet_image_use_case *use_case = &image->use_cases[i];
        if (!is_name(image, use_case->id) || !is_name(image, use_case->purpose) ||
            !is_text(image, use_case->recipient, 0, LICET_NAME_MAX) || use_case->product >= header->products_len ||
            !licet_blob_range(use_case->approved, header->spans_len) ||
            !licet_blob_range(use_case->life, header->steps_len) ||
            (i > 0 && order(image, image->use_cases[i - 1].id, use_case->id) >= 0)) {
            return WRONG(err, "use case %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->outbounds_len; i++) {
        const licet_image_outbound *outbound = &image->outbounds[i];
        if (!is_name(image, outbound->id) || !is_name(image, outbound->header) ||
            !is_text(image, outbound->scheme, 0, LICET_NAME_MAX) || !is_text(image, outbound->file, 1, 255)) {
            return WRONG(err, "outbound %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->apps_len; i++) {
        const licet_image_app *app = &image->apps[i];
        if (!is_name(image, app->id) || !is_name(image, app->environment) ||
            !licet_blob_range(app->products, header->app_products_len) ||
            (app->default_use_case != LICET_NONE && app->default_use_case >= header->use_cases_len) ||
            (app->recipient != LICET_NONE && app->recipient >= header->recipients_len) ||
            (app->outbound != LICET_NONE && app->outbound >= header->outbounds_len) ||
            (i > 0 && order(image, image->apps[i - 1].id, app->id) >= 0)) {
            return WRONG(err, "app %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->credentials_len; i++) {
        const licet_image_credential *credential = &image->credentials[i];
        if (!is_name(image, credential->id) || credential->app >= header->apps_len ||
            credential->kind >= LICET_CREDENTIAL_KINDS_LEN || credential->environment > LICET_ENVIRONMENT_DEV ||
            (credential->recipient != LICET_NONE && credential->recipient >= header->recipients_len)) {
            return WRONG(err, "credential %u cannot be", i);
        }
    }
    return true;
}

static uint32_t
literals_of(const licet_image *image, const licet_image_endpoint *endpoint)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < endpoint->segments.count; i++) {
        n += image->segments[endpoint->segments.first + i].placeholder == 0;
    }
    return n;
}

/* Method, number of segments, then the more literal one; equal ones stand in file order. */
static int
endpoint_order(const licet_image *image, const licet_image_endpoint *a, const licet_image_endpoint *b)
{
    int by = order(image, a->method, b->method);

    if (by == 0) {
        by = (a->segments.count > b->segments.count) - (a->segments.count < b->segments.count);
    }
    if (by == 0) {
        uint32_t x = literals_of(image, a), y = literals_of(image, b);
        by = (x < y) - (x > y);
    }
    return by;
}

/* No request can be bound by more limits than a verdict has room for. */
static bool
check_limits_of_request(const licet_image *image, const licet_image_version *version)
{
    limit_room room = {.everywhere = 0};

    for (uint32_t i = 0; i < version->limits.count; i++) {
        const licet_image_limit *limit = &image->limits[version->limits.first + i];
        for (uint32_t j = 0; j < limit->endpoints.count; j++) {
            uint32_t row = image->limit_endpoints[limit->endpoints.first + j];
            if (row < version->endpoints.first || row - version->endpoints.first >= version->endpoints.count) {
                return false;
            }
            limit_room_add(&room, &room.endpoints, row - version->endpoints.first);
        }
        if (limit->endpoints.count > 0) {
            continue;
        }
        if (limit->products.count == 1) {
            limit_room_add(&room, &room.products, limit->products.first);
        } else if (limit->apps.count == 1) {
            limit_room_add(&room, &room.apps, limit->apps.first);
        } else {
            room.everywhere++;
        }
    }
    return limit_room_most(&room) <= LICET_LIMITS_PER_REQUEST_MAX;
}

static bool
check_version_recipients(const licet_image *image, const licet_image_version *version)
{
    return version->recipient_not_declared <= LICET_RULE_REFUSE &&
           version->recipient_not_registered <= LICET_RULE_REFUSE && is_clause(image, version->recipient_clause) &&
           is_clause(image, version->acceptance_clause) && is_clause(image, version->use_case_clause) &&
           version->use_case_not_declared <= LICET_RULE_REFUSE && is_clause(image, version->embargo_clause) &&
           is_clause(image, version->credentials_clause) &&
           licet_blob_range(version->embargoed, image->header->embargoed_len) &&
           licet_blob_range(version->government, image->header->government_len) &&
           licet_blob_range(version->dedups, image->header->dedups_len);
}

static bool
check_version(const licet_image *image, const licet_image_version *version, licet_error *err)
{
    const licet_image_header *header = image->header;

    if (!is_name(image, version->id) || !is_name(image, version->catalogue) || version->before_ms <= version->from_ms ||
        version->then > LICET_THEN_RENEW || version->mode > LICET_MODE_ENFORCE ||
        version->cannot_record > LICET_CANNOT_RECORD_OPEN || version->on_overrun > LICET_OVERRUN_CUT ||
        version->allow_units > LICET_MOST_MAX || version->renew_months > LICET_RENEW_MONTHS_MAX ||
        (version->then == LICET_THEN_RENEW) != (version->renew_months > 0) ||
        (version->then == LICET_THEN_RENEW && version->before_ms == UINT64_MAX) ||
        !is_text(image, version->licensor, 0, LICET_TEXT_MAX) ||
        !is_text(image, version->licensee, 0, LICET_TEXT_MAX) ||
        !licet_blob_range(version->duties, header->duties_len) || version->allow_kind >= header->kinds_len ||
        version->unlisted > LICET_RULE_REFUSE || version->rate_limit_headers > LICET_RATE_LIMIT_HEADERS_REDDIT ||
        version->purpose_not_named > LICET_RULE_REFUSE || version->purpose_not_declared > LICET_RULE_REFUSE ||
        !check_version_recipients(image, version) || !licet_blob_range(version->clauses, header->clauses_len) ||
        !licet_blob_range(version->purposes, header->purposes_len) ||
        !licet_blob_range(version->endpoints, header->endpoints_len) ||
        version->endpoints.count > LICET_ENDPOINTS_MAX || !licet_blob_range(version->limits, header->limits_len)) {
        return WRONG(err, "a version cannot be");
    }
    if (!check_limits_of_request(image, version)) {
        return WRONG(err, "more limits of one request than %u, or of endpoints outside", LICET_LIMITS_PER_REQUEST_MAX);
    }
    for (uint32_t i = 1; i < version->purposes.count; i++) {
        const licet_image_purpose *purpose = &image->purposes[version->purposes.first + i];
        if (order(image, purpose[-1].name, purpose->name) >= 0) {
            return WRONG(err, "purposes out of order");
        }
    }
    for (uint32_t i = 1; i < version->endpoints.count; i++) {
        const licet_image_endpoint *endpoint = &image->endpoints[version->endpoints.first + i];
        if (endpoint_order(image, endpoint - 1, endpoint) > 0) {
            return WRONG(err, "endpoints out of order");
        }
    }
    return true;
}

static bool
check_duties(const licet_image *image, licet_error *err)
{
    for (uint32_t i = 0; i < image->header->duties_len; i++) {
        const licet_image_duty *duty = &image->duties[i];

        if (!is_name(image, duty->name) || !is_text(image, duty->said, 1, LICET_TEXT_MAX) ||
            !is_clause(image, duty->clause) || duty->covers > LICET_COVERS_YEAR || duty->due_kind > LICET_DUE_AFTER ||
            duty->due_count < 1 || duty->due_count > LICET_DUE_COUNT_MAX || duty->due_unit > LICET_LENGTH_YEARS ||
            duty->by > LICET_DUTY_OF_LICENSOR) {
            return WRONG(err, "duty %u cannot be", i);
        }
    }
    return true;
}

/* Versions own their rows: the ranges follow each other, so that checking them all costs the blob once. */
static bool
check_versions(const licet_image *image, licet_error *err)
{
    licet_range clauses = {0}, purposes = {0}, endpoints = {0}, limits = {0};
    uint32_t listed = 0;

    if (image->header->versions_len == 0) {
        return WRONG(err, "it has no version");
    }
    for (uint32_t i = 0; i < image->header->versions_len; i++) {
        const licet_image_version *version = &image->versions[i];
        if ((i > 0 && version[-1].from_ms >= version->from_ms) || version->clauses.first != clauses.first ||
            version->purposes.first != purposes.first || version->endpoints.first != endpoints.first ||
            version->limits.first != limits.first) {
            return WRONG(err, "version %u is out of order", i);
        }
        if (!licet_blob_range(version->limits, image->header->limits_len)) {
            return WRONG(err, "limits of version %u lie outside", i);
        }
        for (uint32_t j = 0; j < version->limits.count; j++) {
            const licet_range *list = &image->limits[version->limits.first + j].endpoints;
            if (list->count != 0 && list->first != listed) {
                return WRONG(err, "endpoints of limit %u are out of order", version->limits.first + j);
            }
            listed += list->count;
        }
        if (!check_version(image, version, err)) {
            return false;
        }
        clauses.first += version->clauses.count;
        purposes.first += version->purposes.count;
        endpoints.first += version->endpoints.count;
        limits.first += version->limits.count;
    }
    return true;
}

bool
licet_image_open(licet_bytes blob, licet_image *out_image, licet_error *err)
{
    licet_image image = {.header = (const licet_image_header *)(const void *)blob.data};

    if (!check_header(blob, image.header, err) || !check_tables(blob, &image, err) || !check_terms(&image, err) ||
        !check_zones(&image, err) || !check_prices(&image, err) || !check_dedups(&image, err) ||
        !check_recipients(&image, err) || !check_government(&image, err) || !check_catalogue(&image, err) ||
        !check_registry(&image, err) || !check_duties(&image, err) || !check_versions(&image, err)) {
        return false;
    }
    *out_image = image;
    return true;
}

/* ---- questions ---------------------------------------------------------------------- */

licet_bytes
licet_image_text(const licet_image *image, licet_text text)
{
    return licet_bytes_of(image->strings + text.offset, text.len);
}

uint32_t
licet_image_version_at(const licet_image *image, uint64_t time_ms)
{
    const licet_image_version *version;
    uint32_t i = image->header->versions_len;

    while (i > 0 && image->versions[i - 1].from_ms > time_ms) { /* versions are few, and the last is asked for most */
        i--;
    }
    if (i == 0) {
        return LICET_NONE;
    }
    version = &image->versions[i - 1];
    return time_ms < version->before_ms || version->then != LICET_THEN_REFUSE ? i - 1 : LICET_NONE;
}

/* So many months later, at the same time of the same day, or of the last of a shorter month. */
static uint64_t
months_later(uint64_t time_ms, uint64_t months)
{
    uint32_t month = licet_month_of(time_ms);
    uint64_t in_month = time_ms - licet_month_start(month), then = month + months, len;

    if (then >= UINT64_C(8030) * 12) { /* beyond year 9999 */
        return UINT64_MAX;
    }
    len = licet_month_start((uint32_t)then + 1) - licet_month_start((uint32_t)then);
    if (in_month >= len) {
        in_month = len - UINT64_C(86400000) + in_month % UINT64_C(86400000);
    }
    return licet_month_start((uint32_t)then) + in_month;
}

void
licet_image_term_at(const licet_image_version *version, uint64_t time_ms, uint64_t *out_from_ms,
                    uint64_t *out_before_ms)
{
    uint64_t n = 0;

    *out_from_ms = version->from_ms;
    *out_before_ms = version->before_ms;
    if (time_ms < version->before_ms || version->then == LICET_THEN_REFUSE) {
        return;
    }
    if (version->then == LICET_THEN_CONTINUE) {
        *out_from_ms = version->before_ms;
        *out_before_ms = UINT64_MAX;
        return;
    }
    n = (licet_month_of(time_ms) - licet_month_of(version->before_ms)) / version->renew_months;
    if (n > 0 && months_later(version->before_ms, n * version->renew_months) > time_ms) {
        n--;
    }
    *out_from_ms = months_later(version->before_ms, n * version->renew_months);
    *out_before_ms = months_later(version->before_ms, (n + 1) * version->renew_months);
}

uint64_t
licet_image_approved_from_ms(const licet_image *image, const licet_image_use_case *use_case)
{
    return use_case->approved.count == 0 ? UINT64_MAX : image->spans[use_case->approved.first].from_ms;
}

bool
licet_image_approved_at(const licet_image *image, const licet_image_use_case *use_case, uint64_t time_ms)
{
    for (uint32_t i = 0; i < use_case->approved.count; i++) {
        const licet_image_span *span = &image->spans[use_case->approved.first + i];
        if (span->from_ms <= time_ms && time_ms < span->before_ms) {
            return true;
        }
    }
    return false;
}

/* ---- endpoint of a request ------------------------------------------------------------ */

/* Splits a path that begins with a slash; 0: more segments than any endpoint has. */
static uint32_t
split(licet_bytes path, licet_bytes segments[LICET_SEGMENTS_MAX])
{
    const uint8_t *start = path.data + 1, *end = path.data + path.len;
    uint32_t n = 0;

    for (const uint8_t *at = start; n < LICET_SEGMENTS_MAX; at++) {
        if (at == end || *at == '/') {
            segments[n++] = licet_bytes_of(start, (size_t)(at - start));
            if (at == end) {
                return n;
            }
            start = at + 1;
        }
    }
    return 0;
}

/* From the last segment on, because that is where endpoints of one shape differ most. */
static bool
matches(const licet_image *image, const licet_image_endpoint *endpoint, const licet_bytes *segments)
{
    const licet_image_segment *wanted = &image->segments[endpoint->segments.first];

    for (uint32_t i = endpoint->segments.count; i-- > 0;) {
        if (wanted[i].placeholder
                ? segments[i].len == 0
                : segments[i].len != wanted[i].literal.len ||
                      memcmp(segments[i].data, image->strings + wanted[i].literal.offset, segments[i].len) != 0) {
            return false;
        }
    }
    return true;
}

/* The endpoint lies before all of this method and this number of segments. */
static bool
lies_before(const licet_image *image, const licet_image_endpoint *endpoint, licet_bytes method, uint32_t segments)
{
    size_t len = endpoint->method.len < method.len ? endpoint->method.len : method.len;
    int order = len == 0 ? 0 : memcmp(image->strings + endpoint->method.offset, method.data, len);

    if (order == 0 && endpoint->method.len == method.len) {
        return endpoint->segments.count < segments;
    }
    return order < 0 || (order == 0 && endpoint->method.len < method.len);
}

uint32_t
licet_image_endpoint_of(const licet_image *image, const licet_image_version *version, licet_bytes method,
                        licet_bytes path)
{
    uint32_t low = version->endpoints.first, end = low + version->endpoints.count, high = end, len;
    licet_bytes segments[LICET_SEGMENTS_MAX];

    if (path.len == 0 || path.data[0] != '/') {
        return LICET_NONE;
    }
    len = split(path, segments);
    if (len == 0) {
        return LICET_NONE;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (lies_before(image, &image->endpoints[middle], method, len)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < end && image->endpoints[low].segments.count == len; low++) {
        if (matches(image, &image->endpoints[low], segments)) { /* of another method: those of this one are behind */
            return licet_bytes_equal(licet_image_text(image, image->endpoints[low].method), method) ? low : LICET_NONE;
        }
    }
    return LICET_NONE;
}
