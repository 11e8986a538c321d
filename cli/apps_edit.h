/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edits of apps.yaml that leave everything else as the operator wrote it: comments, order, quotes, line ends.
 *
 *  (1) Text is only inserted, at one place; all that is ever replaced is the time of a credential's 'before'.
 *  (2) The caller judges the result (licet_site_load) before it trusts it.
 */
#ifndef LICET_APPS_EDIT_H
#define LICET_APPS_EDIT_H

#include "licet/base.h"

typedef struct licet_apps_file licet_apps_file;

/* Parses text, which must live as long. INVALID when it is no YAML mapping with apps. */
bool licet_apps_open(licet_bytes text, licet_apps_file **out_file, licet_error *err);
void licet_apps_close(licet_apps_file *file);

/* The i-th app's name, in the order of the file; NULL beyond. */
const char *licet_apps_name(const licet_apps_file *file, size_t i);
bool licet_apps_has(const licet_apps_file *file, const char *app);
/* True when a credential of any app has this id; app and hmac not NULL: one of this app with this hash. */
bool licet_apps_has_credential(const licet_apps_file *file, const char *app, const char *id, const char *hmac);

/* Appends to out the text with row (a flow mapping in one line) as one more credential of app; *out_line is where it
 * stands. */
bool licet_apps_add_credential(const licet_apps_file *file, const char *app, const char *row, licet_buffer *out,
                               unsigned *out_line, licet_error *err);

/* Appends to out the text with before as the end of the credential with this id; *out_line is where it stands.
 * NOT_FOUND when no app has it. */
bool licet_apps_end_credential(const licet_apps_file *file, const char *id, const char *before, licet_buffer *out,
                               unsigned *out_line, licet_error *err);

#endif
