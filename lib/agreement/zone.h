/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zone: the offsets of a zone of the tz database, out of the system's TZif files (RFC 8536).
 *
 *  (1) Files are read when a site is checked and compiled, never later: an image holds all that a window needs.
 *  (2) What the file gives is taken as far as it goes; from there its POSIX rule is written out to the end of
 *      LICET_ZONE_LAST_YEAR. Behind that the last offset holds.
 *  (3) A file is not trusted: every count is held against its length.
 */
#ifndef LICET_AGREEMENT_ZONE_H
#define LICET_AGREEMENT_ZONE_H

#include "licet/base.h"
#include "licet/image.h"

#define LICET_ZONE_FOLDER "/usr/share/zoneinfo"
#define LICET_ZONE_LAST_YEAR 2100
#define LICET_ZONE_FILE_MAX ((size_t)1 << 20)
#define LICET_ZONE_TRANSITIONS_MAX 4096u

/* Europe/Berlin: letters, digits, '_', '+', '-' in parts between slashes; no part that could climb out of the folder.
 */
bool licet_zone_fits(licet_bytes name);
/* Appends licet_image_transition rows to out, the first from 0 on, no two neighbours of one offset. */
bool licet_zone_parse(licet_bytes tzif, licet_buffer *out, licet_error *err);
/* The same from the file of a zone; NOT_FOUND: this system has none. */
bool licet_zone_read(const char *folder, licet_bytes name, licet_buffer *out, licet_error *err);

#endif
