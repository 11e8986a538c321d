/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet count: what its files share.
 */
#ifndef LICET_COUNT_H
#define LICET_COUNT_H

#include "cli.h"
#include "licet/meter.h"

LICET_DECLARE_COMMAND(count)

/* licet count --suggest FILE: what could be counted in a page; returns the exit code. */
int count_suggest(const char *file, bool json);

#endif
