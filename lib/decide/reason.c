/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reason: the stable words of each reason and verdict, from the one list in licet/decide.h.
 */
#include "licet/decide.h"

#include <assert.h>

static const struct {
    const char *slug;
    unsigned status;
    const char *title;
} reasons[] = {
#define REASON_ROW(number, name, slug, status, title) [number] = {slug, status, title},
    LICET_REASONS(REASON_ROW)
#undef REASON_ROW
};

const char *
licet_reason_slug(licet_reason reason)
{
    assert((unsigned)reason < LICET_REASONS_LEN);
    return reasons[reason].slug;
}

const char *
licet_reason_title(licet_reason reason)
{
    assert((unsigned)reason < LICET_REASONS_LEN);
    return reasons[reason].title;
}

unsigned
licet_reason_status(licet_reason reason)
{
    assert((unsigned)reason < LICET_REASONS_LEN);
    return reasons[reason].status;
}

const char *
licet_verdict_name(licet_verdict_kind verdict)
{
    static const char *const names[] = {"allow", "refuse", "observe", "open"};

    assert((unsigned)verdict < sizeof(names) / sizeof(names[0]));
    return names[verdict];
}
