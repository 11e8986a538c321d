/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX rule: CET-1CEST,M3.5.0,M10.5.0/3, as POSIX.1 describes TZ and RFC 8536 section 3.3.1 widens it (hours from -167
 * to 167, names in angle brackets).
 */
#ifndef LICET_AGREEMENT_POSIX_RULE_H
#define LICET_AGREEMENT_POSIX_RULE_H

#include "licet/base.h"

typedef struct posix_day {
    char form;                 /* 'M': month, week, day; 'J': day 1..365 without 29 February; 'N': day 0..365 with it */
    uint16_t month, week, day; /* form J and N: day alone */
    int32_t time_s;            /* of the local day */
} posix_day;

typedef struct posix_rule {
    int32_t offset_s, summer_offset_s; /* east of UTC */
    bool summer;                       /* there is a summer time */
    posix_day begin, end;
} posix_rule;

bool posix_rule_parse(licet_bytes text, posix_rule *out);
/* When summer time begins and ends in a year from 1970 on, in seconds since 1970. */
int64_t posix_rule_begin(const posix_rule *rule, int year);
int64_t posix_rule_end(const posix_rule *rule, int year);

#endif
