/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage in the shapes of GET /2/usage/tweets, for clients that know the platform's own.
 */
#ifndef LICET_DAEMON_USAGE_TWEETS_H
#define LICET_DAEMON_USAGE_TWEETS_H

#include "api.h"

/* The parameters that it knows; NULL ends. */
extern const char *const usage_tweets_parameters[];
void usage_tweets_answer(licet_recorder *recorder, const licet_image *image, const char *agreement,
                         const http_request *request, http_answer *answer);

#endif
