/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an image: refused, or every accessor stays inside and agrees with its slow definition. The hash and the
 * size are made good first, so that the checks behind them are reached.
 */
#include "endpoint_ref.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ask(const licet_image *image, const licet_image_version *version)
{
    static const char *const paths[] = {"/", "/2/tweets", "/2/tweets/1", "/a//b", ""};
    uint64_t sum = 0;

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        licet_bytes path = licet_bytes_of_text(paths[i]), method = LICET_BYTES_LITERAL("GET");
        if (licet_image_endpoint_of(image, version, method, path) != licet_endpoint_ref(image, version, method, path)) {
            abort();
        }
    }
    for (uint32_t i = 0; i < version->limits.count; i++) {
        const licet_image_limit *limit = &image->limits[version->limits.first + i];
        licet_scope scope = {i, i, i, i, LICET_NONE, i};
        sum += licet_image_counter(image, limit, &scope) + licet_image_limit_name(image, limit).len;
        sum += licet_window_of(image, limit, sum);
    }
    if (sum == UINT64_MAX) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    licet_image_header *header;
    licet_image image;
    licet_bytes body;
    licet_hash hash;
    uint8_t *blob;

    if (size < sizeof(*header)) {
        return licet_image_open(licet_bytes_of(NULL, 0), &image, NULL) ? 1 : 0;
    }
    blob = malloc(size);
    if (blob == NULL) {
        return 0;
    }
    memcpy(blob, data, size);
    header = (licet_image_header *)(void *)blob;
    memcpy(header->magic, LICET_IMAGE_MAGIC, sizeof(header->magic));
    header->format = LICET_IMAGE_FORMAT;
    header->size = size;
    body = licet_bytes_of(blob + sizeof(*header), size - sizeof(*header));
    hash = licet_sha256(&body, 1);
    memcpy(header->sha256, hash.bytes, sizeof(header->sha256));
    if (licet_image_open(licet_bytes_of(blob, size), &image, NULL)) {
        for (uint32_t i = 0; i < image.header->versions_len; i++) {
            ask(&image, &image.versions[i]);
        }
    }
    free(blob);
    return 0;
}
