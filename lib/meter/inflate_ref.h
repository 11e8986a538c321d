/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow, obvious inflater: the whole body at once. See inflate_ref.c.
 */
#ifndef LICET_METER_INFLATE_REF_H
#define LICET_METER_INFLATE_REF_H

#include "licet/inflate.h"

/* True: body is whole, and *out holds all of it. False: it is damaged, cut, has something behind its end, or is larger
 * than the ceiling of *out. */
bool licet_inflate_ref(licet_coding coding, licet_bytes body, licet_buffer *out);

#endif
