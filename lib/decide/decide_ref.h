/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow obvious decision and page size that judge the fast ones.
 */
#ifndef LICET_DECIDE_REF_H
#define LICET_DECIDE_REF_H

#include "licet/decide.h"

/* As licet_decide; false only when memory runs out. */
bool licet_decide_ref(const licet_image *image, const licet_facts *facts, licet_verdict *out_verdict);
/* As licet_page_of; false only when memory runs out. */
bool licet_page_ref(const licet_image *image, const licet_image_count *count, licet_bytes query, uint64_t *out_units);
/* Reserve and limits of a verdict that is not refused, whose version, endpoint, use case, product, purpose and
 * recipient are known (limits_ref.c); false only when memory runs out. */
bool licet_amounts_ref(const licet_image *image, const licet_facts *facts, bool in_force, licet_verdict *v);

#endif
