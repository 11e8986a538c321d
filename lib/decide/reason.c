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
licet_reason_detail(licet_reason reason)
{
    static const char *const sentences[LICET_REASONS_LEN] = {
        [LICET_REASON_NONE] = "The agreement allows the request.",
        [LICET_REASON_CREDENTIAL_MISSING] =
            "Send the app's credential as 'Authorization: Bearer ...' or 'X-API-Key: ...'.",
        [LICET_REASON_CREDENTIAL_UNKNOWN] = "The credential that was sent belongs to no app of any agreement.",
        [LICET_REASON_CREDENTIAL_ENDED] = "The credential is not valid yet, or no longer.",
        [LICET_REASON_NO_AGREEMENT] = "No version of the agreement is in force at this time.",
        [LICET_REASON_DECLARATION_TOO_LONG] =
            "Licet-Use-Case, Licet-Purpose and Licet-Recipient take at most 64 bytes each.",
        [LICET_REASON_USE_CASE_UNKNOWN] =
            "The use case is not registered for this agreement, or not for a product that the app feeds.",
        [LICET_REASON_USE_CASE_NOT_APPROVED] = "The use case is registered, but not approved at this time.",
        [LICET_REASON_PURPOSE_FORBIDDEN] = "The agreement forbids the purpose.",
        [LICET_REASON_PURPOSE_NOT_NAMED] =
            "The agreement does not name the purpose, and refuses what it does not name.",
        [LICET_REASON_PURPOSE_NOT_DECLARED] =
            "Declare a purpose with Licet-Purpose, or a use case with Licet-Use-Case.",
        [LICET_REASON_ENDPOINT_UNLISTED] =
            "The agreement's catalogue does not list the endpoint, and unlisted endpoints are refused.",
        [LICET_REASON_RATE_LIMIT] = "Too many requests in this window; wait for the next.",
        [LICET_REASON_CAP_REACHED] = "The agreed amount of this window is used up.",
        [LICET_REASON_QUOTA_HELD] = "Responses under way hold what is left; try again in a moment.",
        [LICET_REASON_CANNOT_RECORD] =
            "The request cannot be recorded at the moment, and may not pass without a record.",
        [LICET_REASON_UPGRADE_REFUSED] = "What is counted cannot leave by another protocol; ask without Upgrade.",
        [LICET_REASON_RECIPIENT_NOT_DECLARED] =
            "Declare who gets the content in the end with Licet-Recipient, or a use case that says so.",
        [LICET_REASON_RECIPIENT_UNKNOWN] = "The recipient is not registered for this agreement, or not at this time.",
        [LICET_REASON_RECIPIENT_NOT_ACCEPTED] = "The recipient has not accepted the terms that the agreement asks for.",
        [LICET_REASON_RECIPIENT_EMBARGOED] = "Nothing may be passed on to the recipient or its country.",
        [LICET_REASON_GOVERNMENT_NOTICE] =
            "A government recipient needs a notice, and its objection period must have passed, before it is served.",
        [LICET_REASON_GOVERNMENT_APPROVAL] = "A government recipient needs an approval before it is served.",
        [LICET_REASON_GOVERNMENT_NEVER] = "The agreement does not allow this government recipient to be served.",
        [LICET_REASON_CREDIT_USED] = "The prepaid credit is used up; it is raised by a payment.",
        [LICET_REASON_BUDGET_USED] = "The budget that the licensee set itself is used up.",
        [LICET_REASON_CONCURRENT] = "As many responses are under way at once as the agreement allows.",
        [LICET_REASON_USE_CASE_NOT_DECLARED] =
            "Declare an approved use case of the app with Licet-Use-Case; the agreement serves no other.",
        [LICET_REASON_USE_CASE_OTHER_PURPOSE] = "The use case is approved for another purpose than the declared one.",
        [LICET_REASON_CREDENTIAL_REPLAYED] = "The signature or its nonce was used before; sign each request anew.",
        [LICET_REASON_OUTBOUND_MISSING] = ("The gate cannot read the token that takes the place of the caller's; "
                                           "whoever runs the gate has to put it right."),
    };

    assert((unsigned)reason < LICET_REASONS_LEN);
    return sentences[reason];
}

const char *
licet_verdict_name(licet_verdict_kind verdict)
{
    static const char *const names[] = {"allow", "refuse", "observe", "open"};

    assert((unsigned)verdict < sizeof(names) / sizeof(names[0]));
    return names[verdict];
}
