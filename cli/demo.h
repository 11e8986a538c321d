/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demo: a platform, its licensee with eight apps over five products, a
 * ninth caller without a key; all synthetic, all on loopback.
 *
 *  (1) Real parts: licet init, credential, check, up, report and verify are run as an operator would run them, the
 *      platform is an nginx, the clients speak HTTP through libcurl and count with a JSON parser that is not ours.
 *  (2) It succeeds only if every figure of the report is what the clients counted.
 */
#ifndef LICET_DEMO_H
#define LICET_DEMO_H

#include "child.h"
#include "licet/base.h"

#include <limits.h>
#include <stdatomic.h>

#define LICET_DEMO_APPS 8
#define LICET_DEMO_AGREEMENT "DEMO-2026-1"
#define LICET_DEMO_CAP 5000       /* posts a day for each app */
#define LICET_DEMO_LARGE_PAGE 500 /* posts of the page that is hung up on */

typedef enum licet_demo_habit {
    LICET_DEMO_READS,     /* reads pages, as agreed */
    LICET_DEMO_RUNS_DRY,  /* reads until its cap, then follows retry_with down to nothing */
    LICET_DEMO_FORBIDDEN, /* some requests name a purpose that the agreement forbids */
    LICET_DEMO_HANGS_UP,  /* leaves a large page in the middle */
    LICET_DEMO_STRANGER,  /* has no valid key */
} licet_demo_habit;

/* One client: what it does, and what it counted. The counts are written by its thread and read by the one that shows
 * progress. */
typedef struct licet_demo_client {
    const char *app, *product, *use_case, *purpose;
    licet_demo_habit habit;
    unsigned requests, page; /* how many requests of how many posts it means to make */
    char secret[128];
    char base[128]; /* http://127.0.0.1:port */
    unsigned pace_ms;
    atomic_ulong asked, posts, refused, delivered; /* delivered: responses allowed and received whole */
    atomic_ulong cut_posts;                        /* posts begun in what it got before it hung up */
    atomic_bool stop;                              /* set from outside: end soon */
    bool failed;
    char text[512]; /* why it failed */
} licet_demo_client;

/* The eight apps and the stranger, in the order of the report. */
void licet_demo_clients(licet_demo_client clients[LICET_DEMO_APPS + 1]);
/* Thread body: runs one client to its end. */
void *licet_demo_client_run(void *client);

/* Writes agreement and apps of the demo over what licet init made in dir. */
bool licet_demo_site_write(const char *dir, const char *day, const licet_demo_client *clients, licet_error *err);
/* Makes the platform's pages and its nginx configuration below folder: the API at api_port, the report's page at
 * page_port. */
bool licet_demo_platform_write(const char *folder, uint16_t api_port, uint16_t page_port, const char *user,
                               licet_error *err);

#endif
