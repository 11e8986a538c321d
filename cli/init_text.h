/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that licet init writes, as text: complete, in observe mode, each line explained.
 */
#ifndef LICET_INIT_TEXT_H
#define LICET_INIT_TEXT_H

#include "catalogues.h"

#include "licet/base.h"

#define LICET_INIT_APP "app-1"
#define LICET_INIT_USE_CASE "UC-1"

typedef struct licet_init {
    const char *dir, *upstream, *party, *identity, *agreement; /* identity NULL: credentials */
    const licet_shipped *catalogue;                            /* NULL: a starter catalogue */
    char day[11];                                              /* 2026-11-23 */
    char site[13];                                             /* 12 hex digits at random */
    char catalogue_name[80];                                   /* x-api-v2@2022-10-10 */
} licet_init;

void licet_init_config(const licet_init *init, licet_buffer *out);
void licet_init_catalogue(const licet_init *init, licet_buffer *out);
void licet_init_agreement(const licet_init *init, licet_buffer *out);
void licet_init_apps(const licet_init *init, licet_buffer *out);

#endif
