/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request: what --request gives, as the gate would see it.
 */
#ifndef LICET_CLI_REQUEST_H
#define LICET_CLI_REQUEST_H

#include "licet/base.h"

typedef struct licet_cli_request {
    licet_bytes method, path, query; /* the path decoded; the query as it stands, without '?' */
    char *decoded;                   /* owned, under path */
} licet_cli_request;

/* Reads 'GET /2/tweets?ids=1', which must outlive *out; needs licet_cli_request_done where it is true. */
bool licet_cli_request_read(const char *text, licet_cli_request *out, licet_error *err);
void licet_cli_request_done(licet_cli_request *request);

#endif
