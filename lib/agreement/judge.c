/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judge: which changes may be recorded as they are.
 *
 *  (1) What was recorded is not taken away but ended: receipts name it. --remove takes it away all the same, and that
 * is recorded; an agreement stays in any case, for responses under way and leases name it. (2) A change that takes
 * effect before now, by more than LICET_GRACE_MS, is back-dated and needs a second person. (3) What an agreement begins
 * with is judged by nothing: nothing was decided before it.
 */
#include "mistakes.h"

#include "licet/store.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
licet_difference_back_dated(const licet_difference_line *line, uint64_t now_ms)
{
    return line->from_ms != 0 && line->from_ms < now_ms && now_ms - line->from_ms > LICET_GRACE_MS;
}

/* How a row that must not go ends; NULL: it may go. */
static const char *
end_of(const licet_difference_line *line)
{
    if (line->action != LICET_ACTION_REMOVED || line->has_step) {
        return NULL;
    }
    switch ((licet_subject)line->subject) {
    case LICET_SUBJECT_PRODUCT:
    case LICET_SUBJECT_APP:
    case LICET_SUBJECT_CREDENTIAL:
    case LICET_SUBJECT_RECIPIENT:
        return "give it before:";
    case LICET_SUBJECT_USE_CASE:
        return "give its approval before:, or its life the state withdrawn";
    case LICET_SUBJECT_VERSION:
        return "give it in_force: before:";
    case LICET_SUBJECT_PAYMENT:
        return "it stays";
    default:
        return NULL;
    }
}

/* Names are the same whatever their case and spaces; the role behind a comma does not count. */
static bool
same_name(const char *a, const char *b)
{
    for (;;) {
        a += strspn(a, " ");
        b += strspn(b, " ");
        if (*a == '\0' || *a == ',' || *b == '\0' || *b == ',') {
            return (*a == '\0' || *a == ',') && (*b == '\0' || *b == ',');
        }
        if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++)) {
            return false;
        }
    }
}

bool
licet_permit_check(const licet_permit *permit, licet_error *err)
{
    const char *const names[] = {permit->as, permit->approved_by};

    for (size_t i = 0; i < 2; i++) {
        for (const char *c = names[i]; c != NULL && *c != '\0'; c++) {
            if ((unsigned char)*c < ' ' || *c == 127) {
                return LICET_FAIL(err, LICET_E_INVALID, 0, "a name holds a control character");
            }
        }
        if (names[i] != NULL && (names[i][strspn(names[i], " ,")] == '\0' || strlen(names[i]) > LICET_WHO_MAX)) {
            return LICET_FAIL(err, LICET_E_INVALID, 0, "name \"%.40s\": expected 1 to %d bytes: 'J. Roe, licensing'",
                              names[i], LICET_WHO_MAX);
        }
    }
    if (permit->approved_by != NULL && permit->as == NULL) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "approved by \"%s\": expected --as too, who applies it",
                          permit->approved_by);
    }
    if (permit->approved_by != NULL && same_name(permit->as, permit->approved_by)) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "approved by \"%s\": expected another person than \"%s\"",
                          permit->approved_by, permit->as);
    }
    return true;
}

static bool
object(const licet_store_change *change, const licet_difference_line *line, const char *why, licet_mistakes *mistakes)
{
    licet_buffer text;
    char file[LICET_NAME_MAX + 16];
    bool ok;

    licet_buffer_init(&text, 65536);
    licet_put_format(&text, "%.*s: %s", (int)line->len, change->words + line->at, why);
    snprintf(file, sizeof(file), "agreements/%s", change->agreement);
    ok = licet_put_u8(&text, 0) && licet_mistakes_add(mistakes, file, 0, 0, (const char *)text.data);
    licet_buffer_done(&text);
    return ok;
}

static bool
judge_line(const licet_store_change *change, const licet_difference_line *line, const licet_permit *permit,
           licet_mistakes *mistakes)
{
    const char *end = end_of(line);
    char why[256];

    if (end != NULL && !permit->remove) {
        snprintf(why, sizeof(why), "it was recorded, so it ends and is not taken away: %s (or apply with --remove)",
                 end);
        return object(change, line, why, mistakes);
    }
    if (licet_difference_back_dated(line, permit->now_ms) && permit->approved_by == NULL) {
        return object(change, line, "it takes effect before now: a second person must approve it (--approved-by)",
                      mistakes);
    }
    return true;
}

bool
licet_changes_judge(const licet_store_changes *changes, const licet_permit *permit, licet_mistakes *mistakes,
                    licet_error *err)
{
    size_t before = mistakes->len;
    bool ok = true;

    for (size_t i = 0; ok && i < changes->len; i++) {
        const licet_store_change *change = &changes->list[i];

        if (change->gone) {
            ok = object(
                change, &change->lines.list[0],
                "it was recorded, so it ends and is not taken away: give its last version in_force: before:", mistakes);
        }
        for (size_t j = 0; ok && !change->gone && !change->first && j < change->lines.len; j++) {
            ok = judge_line(change, &change->lines.list[j], permit, mistakes);
        }
    }
    if (!ok) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for what stands against the changes");
    }
    return mistakes->len == before ? true
                                   : LICET_FAIL(err, LICET_E_INVALID, 0, "%zu change%s cannot be recorded as they are",
                                                mistakes->len - before, mistakes->len - before == 1 ? "" : "s");
}
