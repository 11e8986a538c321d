/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The definition of licet_image_endpoint_of, by looking at every endpoint: for tests.
 */
#ifndef LICET_AGREEMENT_ENDPOINT_REF_H
#define LICET_AGREEMENT_ENDPOINT_REF_H

#include "licet/image.h"

uint32_t licet_endpoint_ref(const licet_image *image, const licet_image_version *version, licet_bytes method,
                            licet_bytes path);

#endif
