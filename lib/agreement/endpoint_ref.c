/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoint of a request, slowly: every endpoint is compared segment by segment, the one with most literal segments
 * wins, of equals the first.
 */
#include "endpoint_ref.h"

/* The n-th segment of a path, from 0; false when it has fewer. */
static bool
segment_of(licet_bytes path, uint32_t n, licet_bytes *out)
{
    size_t start = 1;

    if (path.len == 0 || path.data[0] != '/') {
        return false;
    }
    for (size_t i = 1; i <= path.len; i++) {
        if (i == path.len || path.data[i] == '/') {
            if (n == 0) {
                *out = licet_bytes_of(path.data + start, i - start);
                return true;
            }
            n--;
            start = i + 1;
        }
    }
    return false;
}

/* Literal segments of a matching endpoint, or -1. */
static int
literals(const licet_image *image, const licet_image_endpoint *endpoint, licet_bytes path)
{
    licet_bytes segment;
    int n = 0;

    for (uint32_t i = 0; i < endpoint->segments.count; i++) {
        const licet_image_segment *wanted = &image->segments[endpoint->segments.first + i];
        if (!segment_of(path, i, &segment)) {
            return -1;
        }
        if (wanted->placeholder) {
            if (segment.len == 0) {
                return -1;
            }
        } else {
            if (!licet_bytes_equal(segment, licet_image_text(image, wanted->literal))) {
                return -1;
            }
            n++;
        }
    }
    return segment_of(path, endpoint->segments.count, &segment) ? -1 : n;
}

uint32_t
licet_endpoint_ref(const licet_image *image, const licet_image_version *version, licet_bytes method, licet_bytes path)
{
    uint32_t best = LICET_NONE;
    int most = -1;

    for (uint32_t i = 0; i < version->endpoints.count; i++) {
        const licet_image_endpoint *endpoint = &image->endpoints[version->endpoints.first + i];
        int n = literals(image, endpoint, path);
        if (n > most && licet_bytes_equal(licet_image_text(image, endpoint->method), method)) {
            most = n;
            best = version->endpoints.first + i;
        }
    }
    return best;
}
