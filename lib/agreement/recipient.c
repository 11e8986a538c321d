/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recipient: what an image says of who gets the content in the end.
 *
 *  (1) A person or an agency is judged as what it is and as what it is part of: a chain of at most LICET_PART_OF_MAX
 *      steps that ends with an entity (licet_image_open saw to it).
 *  (2) Notices and approvals are given for entities.
 */
#include "licet/image.h"

#include <string.h>

uint32_t
licet_image_classes(const licet_image *image, uint32_t recipient)
{
    uint32_t classes = UINT32_C(1) << image->recipients[recipient].kind;

    while (image->recipients[recipient].part_of != recipient) {
        recipient = image->recipients[recipient].part_of;
        classes |= UINT32_C(1) << image->recipients[recipient].kind;
    }
    return classes;
}

uint32_t
licet_image_recipient_named(const licet_image *image, licet_bytes name)
{
    uint32_t low = 0, high = image->header->recipients_len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        licet_bytes id = licet_image_text(image, image->recipients[middle].id);
        size_t shared = id.len < name.len ? id.len : name.len;
        int order = shared == 0 ? 0 : memcmp(id.data, name.data, shared);

        if (order == 0 && id.len == name.len) {
            return middle;
        }
        if (order < 0 || (order == 0 && id.len < name.len)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return LICET_NONE;
}

bool
licet_image_recipient_within(const licet_image *image, uint32_t recipient, uint32_t whole)
{
    while (recipient != whole && image->recipients[recipient].part_of != recipient) {
        recipient = image->recipients[recipient].part_of;
    }
    return recipient == whole;
}

static bool
is_embargoed(const licet_image *image, licet_range countries, licet_text country)
{
    licet_bytes name = licet_image_text(image, country);

    for (uint32_t i = 0; i < countries.count; i++) {
        if (licet_bytes_equal(licet_image_text(image, image->embargoed[countries.first + i]), name)) {
            return true;
        }
    }
    return false;
}

uint32_t
licet_image_embargoed(const licet_image *image, const licet_image_version *version, uint32_t recipient)
{
    for (;;) {
        if (is_embargoed(image, version->embargoed, image->recipients[recipient].country)) {
            return recipient;
        }
        if (image->recipients[recipient].part_of == recipient) {
            return LICET_NONE;
        }
        recipient = image->recipients[recipient].part_of;
    }
}

bool
licet_image_government_binds(const licet_image *image, const licet_image_government *rule, licet_flow flow,
                             uint32_t recipient)
{
    return (rule->flow == LICET_NONE || rule->flow == (uint32_t)flow) &&
           (rule->classes & licet_image_classes(image, recipient)) != 0;
}

uint32_t
licet_image_grant_of(const licet_image *image, const licet_image_government *rule, uint32_t recipient,
                     uint32_t use_case, uint64_t time_ms)
{
    uint32_t entity = image->recipients[recipient].entity, low = rule->grants.first;
    uint32_t end = low + rule->grants.count, high = end;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (image->grants[middle].recipient < entity) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < end && image->grants[low].recipient == entity; low++) {
        const licet_image_grant *grant = &image->grants[low];
        if ((grant->use_case == LICET_NONE || grant->use_case == use_case) && grant->from_ms <= time_ms &&
            time_ms < grant->before_ms) {
            return low;
        }
    }
    return LICET_NONE;
}
