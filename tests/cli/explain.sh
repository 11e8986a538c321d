#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet explain: every rule with both outcomes, what is reserved, observe and enforce, words and JSON.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"

"$licet" init shop --upstream http://127.0.0.1:9000 --catalogue x-api-v2 >/dev/null
terms=shop/agreements/A-1/2026-11-23.yaml
cat >"$terms" <<'END'
agreement: A-1
in_force: { from: 2022-10-10, before: 2027-01-01 }
parties:
  licensor: { legal_name: Example Platform Inc., country: US }
  licensee: { legal_name: Example Licensee Ltd, country: US }
catalogue: x-api-v2@2022-10-10
clauses:
  CAP-MONTH: { section: Order form 2, says: Two million posts a month }
  RATE: { section: II.D, says: "450 searches in 15 minutes for each app" }
  BULK: { section: II.E, says: Not more than a gigabyte an hour }
  NO-TRAIN: { section: II.A.g, says: No training of foundation models }
purposes: { allowed: [display], forbidden: { train-ai: NO-TRAIN }, not_named: refuse, not_declared: record }
limits:
  - { clause: CAP-MONTH, unit: post, most: 2_000_000, per: month, over: licensee }
  - { clause: RATE, unit: request, most: 450, per: 15m, over: app, endpoints: [search-recent] }
  - { clause: BULK, unit: byte, most: 1_000_000_000, per: hour, over: licensee }
cannot_record: refuse
mode: enforce
END
cat >shop/agreements/A-1/apps.yaml <<'END'
apps:
  pages: { products: [Pages], default_use_case: UC-1 }
  bare: { products: [Bare] }
use_cases:
  UC-1: { product: Pages, purpose: display, recipient: public, approved: { by: J. Roe, role: licensing, from: 2022-10-10 } }
  UC-2: { product: Pages, purpose: train-ai, approved: { by: J. Roe, role: licensing, from: 2026-12-01 } }
  UC-3: { product: Bare, purpose: display }
END
SEARCH='GET /2/tweets/search/recent?query=x&max_results=50'

expect 'allowed, in whole' 0 "$SEARCH
by app pages under agreement A-1 at 2026-11-23T12:00:00Z, as the files say

facts
  version    2026-11-23, enforce, by x-api-v2@2022-10-10
  endpoint   search-recent: counts post, included-post, user, media, place, poll
  use case   UC-1 (the app's default), product Pages
  purpose    display (of the use case)
  recipient  public (of the use case)

rules
  pass    declared values  none is declared
  pass    version          2026-11-23 is in force, from 2022-10-10 before 2027-01-01
  pass    endpoint         x-api-v2@2022-10-10 lists it as search-recent
  pass    use case         UC-1 (the app's default) is approved from 2022-10-10
  pass    purpose          display (of the use case) is allowed

limits that bind
  CAP-MONTH  post 50 of 2,000,000 per month over the licensee, until 2026-12-01 (Order form 2)
  RATE       request 1 of 450 per 15m over the app, until 2026-11-23T12:15:00Z (II.D)
  BULK       byte 1 of 1,000,000,000 per hour over the licensee, until 2026-11-23T13:00:00Z (II.E)

reserved before it goes up
  request 1, byte 1, post 50, included-post 1, user 1, media 1, place 1, poll 1

verdict
  allow, as long as the limits have room" '' explain shop --app pages --request "$SEARCH"
expect 'refused, in whole' 1 "GET /2/tweets?ids=1,2,3
by app pages under agreement A-1 at 2026-11-23T12:00:00Z, as the files say

facts
  version    2026-11-23, enforce, by x-api-v2@2022-10-10
  endpoint   tweets: counts post, included-post, user, media, place, poll
  use case   UC-1 (the app's default), product Pages
  purpose    train-ai (declared)
  recipient  Ministry of X (declared)

rules
  pass    declared values  none is longer than 64 bytes
  pass    version          2026-11-23 is in force, from 2022-10-10 before 2027-01-01
  pass    endpoint         x-api-v2@2022-10-10 lists it as tweets
  pass    use case         UC-1 (the app's default) is approved from 2022-10-10
  REFUSE  purpose          train-ai (declared) is forbidden by NO-TRAIN (II.A.g)

limits that would bind
  CAP-MONTH  post 3 of 2,000,000 per month over the licensee, until 2026-12-01 (Order form 2)
  BULK       byte 1 of 1,000,000,000 per hour over the licensee, until 2026-11-23T13:00:00Z (II.E)

reserved before it goes up, were it allowed
  request 1, byte 1, post 3, included-post 1, user 1, media 1, place 1, poll 1

verdict
  refuse: 403 purpose-forbidden, clause NO-TRAIN (II.A.g)
  \"No training of foundation models\"" '' \
    explain shop --app pages --request 'GET /2/tweets?ids=1,2,3' --purpose train-ai --recipient 'Ministry of X'
expect 'as JSON' 1 '{
  "request": "GET /2/usage/tweets",
  "agreement": "A-1",
  "app": "pages",
  "at": "2026-11-23T12:00:00.000Z",
  "by": "files",
  "facts": {
    "version": "2026-11-23",
    "mode": "enforce",
    "catalogue": "x-api-v2@2022-10-10",
    "endpoint": "usage",
    "counts": [],
    "use_case": "UC-1",
    "product": "Pages",
    "purpose": "train-ai",
    "recipient": "public"
  },
  "rules": [
    {
      "rule": "declared values",
      "outcome": "pass",
      "found": "none is longer than 64 bytes",
      "clause": null
    },
    {
      "rule": "version",
      "outcome": "pass",
      "found": "2026-11-23 is in force, from 2022-10-10 before 2027-01-01",
      "clause": null
    },
    {
      "rule": "endpoint",
      "outcome": "pass",
      "found": "x-api-v2@2022-10-10 lists it as usage, where nothing counts but the request",
      "clause": null
    },
    {
      "rule": "use case",
      "outcome": "pass",
      "found": "UC-1 (the app'"'"'s default) is approved from 2022-10-10",
      "clause": null
    },
    {
      "rule": "purpose",
      "outcome": "refuse",
      "found": "train-ai (declared) is forbidden",
      "clause": {
        "key": "NO-TRAIN",
        "section": "II.A.g",
        "says": "No training of foundation models"
      }
    }
  ],
  "limits": [
    {
      "clause": {
        "key": "BULK",
        "section": "II.E",
        "says": "Not more than a gigabyte an hour"
      },
      "name": "BULK",
      "set_by": "contract",
      "observe": false,
      "unit": "byte",
      "amount": 1,
      "most": 1000000000,
      "per": "hour",
      "over": "licensee",
      "until": "2026-11-23T13:00:00.000Z"
    }
  ],
  "reserve": {
    "request": 1,
    "byte": 1
  },
  "verdict": "refuse",
  "reason": "purpose-forbidden",
  "status": 403,
  "title": "The purpose is forbidden",
  "detail": "No training of foundation models",
  "clause": {
    "key": "NO-TRAIN",
    "section": "II.A.g",
    "says": "No training of foundation models"
  }
}' '' explain shop --app pages --request 'GET /2/usage/tweets' --purpose train-ai --json

# tells NAME STATUS RULE-LINE VERDICT ARGUMENTS...: the one line of that rule and the lines of the verdict
tells() {
    local name="$1" status="$2" rule="$3" verdict="$4" got
    shift 4
    "$licet" explain shop "$@" >"$work/out" 2>"$work/err"
    got=$?
    same "$name" "$status | $rule | $verdict" "$got | $(sed -nE '/^rules$/,/^$/{s/^ +//; s/ +/ /g; p}' "$work/out" | grep -Fx -- "$rule") | $(sed -n '/^verdict$/,$p' "$work/out" | sed 1d | sed -E 's/^ +//' | paste -sd' ')$(cat "$work/err")"
}
LONG=$(printf 'a%.0s' {1..65})
tells 'a value too long' 1 'REFUSE declared values the use case has 65 bytes: expected at most 64' \
    'refuse: 403 declaration-too-long "Licet-Use-Case, Licet-Purpose and Licet-Recipient take at most 64 bytes each."' \
    --app pages --request "$SEARCH" --use-case "$LONG"
tells 'before the first version' 1 'REFUSE version none is in force at 2022-10-09T23:59:59Z; counted by the catalogue of the earliest, 2026-11-23' \
    'refuse: 402 no-agreement-in-force "No version of the agreement is in force at this time."' \
    --app pages --request "$SEARCH" --at 2022-10-09T23:59:59Z
tells 'no terms, no purpose rule' 1 'skip purpose no terms are in force that could name it' \
    'refuse: 402 no-agreement-in-force "No version of the agreement is in force at this time."' \
    --app pages --request "$SEARCH" --at 2027-01-01
tells 'unlisted, recorded' 0 'record endpoint x-api-v2@2022-10-10 does not list GET /1.1/statuses: what it brings is booked as unmetered' \
    'allow, as long as the limits have room' --app pages --request 'GET /1.1/statuses'
tells 'an encoded path is the same path' 0 'pass endpoint x-api-v2@2022-10-10 lists it as tweet' \
    'allow, as long as the limits have room' --app pages --request 'GET /2/%74weets/%31%32'
tells 'a use case nobody registered' 1 'REFUSE use case "UC-9" is not registered' \
    'refuse: 403 use-case-unknown "The use case is not registered for this agreement, or not for a product that the app feeds."' \
    --app pages --request "$SEARCH" --use-case UC-9
tells 'a use case of another product' 1 'REFUSE use case UC-3 is of product Bare, which app pages does not feed' \
    'refuse: 403 use-case-unknown "The use case is not registered for this agreement, or not for a product that the app feeds."' \
    --app pages --request "$SEARCH" --use-case UC-3
tells 'a use case approved later' 1 'REFUSE use case UC-2 (declared) is not approved before 2026-12-01' \
    'refuse: 403 use-case-not-approved "The use case is registered, but not approved at this time."' \
    --app pages --request "$SEARCH" --use-case UC-2
tells 'a use case never approved' 1 'REFUSE use case UC-3 (declared) is not approved' \
    'refuse: 403 use-case-not-approved "The use case is registered, but not approved at this time."' \
    --app bare --request "$SEARCH" --use-case UC-3
tells 'no use case' 0 'record use case none is declared and the app has no default: unattributed' \
    'allow, as long as the limits have room' --app bare --request "$SEARCH"
tells 'no purpose' 0 'record purpose none is declared, and no use case gives one' \
    'allow, as long as the limits have room' --app bare --request "$SEARCH"
tells 'a purpose not named' 1 'REFUSE purpose archive (declared) is neither allowed nor forbidden' \
    'refuse: 403 purpose-not-named "The agreement does not name the purpose, and refuses what it does not name."' \
    --app pages --request "$SEARCH" --purpose archive
tells 'the first rule that refuses gives the reason' 1 'REFUSE purpose train-ai (of the use case) is forbidden by NO-TRAIN (II.A.g)' \
    'refuse: 403 use-case-not-approved "The use case is registered, but not approved at this time."' \
    --app pages --request "$SEARCH" --use-case UC-2
sed -i 's/not_declared: record/not_declared: refuse/' "$terms"
tells 'no purpose where one is needed' 1 'REFUSE purpose none is declared, and no use case gives one' \
    'refuse: 403 purpose-not-declared "Declare a purpose with Licet-Purpose, or a use case with Licet-Use-Case."' \
    --app bare --request "$SEARCH"
sed -i 's/^unlisted: record/unlisted: refuse/' shop/catalogue/x-api-v2@2022-10-10.yaml
tells 'unlisted, refused' 1 'REFUSE endpoint x-api-v2@2022-10-10 does not list GET /1.1/statuses' \
    "refuse: 403 endpoint-unlisted \"The agreement's catalogue does not list the endpoint, and unlisted endpoints are refused.\"" \
    --app pages --request 'GET /1.1/statuses'
sed -i 's/mode: enforce/mode: observe/' "$terms"
tells 'observe: passed, and what it would have been' 0 'REFUSE purpose train-ai (declared) is forbidden by NO-TRAIN (II.A.g)' \
    'allow; in enforce mode it would be refused: 403 purpose-forbidden, clause NO-TRAIN (II.A.g) "No training of foundation models"' \
    --app pages --request "$SEARCH" --purpose train-ai

# reserves NAME WHAT REQUEST
reserves() {
    same "$1" "$2" "$("$licet" explain shop --app pages --request "$3" | sed -n '/^reserved/{n;s/^ *//p}')"
}
reserves 'a default page' 'request 1, byte 1, post 10, included-post 1, user 1, media 1, place 1, poll 1' 'GET /2/tweets/search/recent?query=x'
reserves 'the greatest of two' 'request 1, byte 1, post 80, included-post 1, user 1, media 1, place 1, poll 1' 'GET /2/tweets/search/recent?max_results=80&max_results=20'
reserves 'no number: the most' 'request 1, byte 1, post 100, included-post 1, user 1, media 1, place 1, poll 1' 'GET /2/tweets/search/recent?max_results=all'
reserves 'users of a lookup' 'request 1, byte 1, included-post 1, user 2' 'GET /2/users/by?usernames=a%2Cb'

expect 'an app nobody knows' 2 '' 'licet explain: --app "z": expected one of bare, pages' explain shop --app z --request "$SEARCH"
expect 'an agreement nobody knows' 2 '' 'licet explain: --agreement "Z": expected one of A-1' explain shop --app pages --agreement Z --request "$SEARCH"
expect 'a request that is none' 2 '' "licet explain: --request \"/2/tweets\": expected a method, a space and a path such as 'GET /2/tweets?ids=1,2'
see licet explain --help" explain shop --app pages --request /2/tweets
expect 'a time that is none' 2 '' 'licet explain: --at "noon": expected a time such as 2022-10-10 or 2022-10-10T12:00:00Z
see licet explain --help' explain shop --app pages --request "$SEARCH" --at noon
expect 'no app' 2 '' 'licet explain: --app is missing: expected the app that asks
see licet explain --help' explain shop --request "$SEARCH"
expect 'no request' 2 '' "licet explain: --request is missing: expected a request such as 'GET /2/tweets?ids=1,2'
see licet explain --help" explain shop --app pages
expect 'a decision id of another site' 2 '' 'licet explain: "0123456789abcdef0123456789abcdef": no decision id of shop: expected the 32 hex digits of Licet-Decision, as licet tail --json shows them' explain shop 0123456789abcdef0123456789abcdef
expect 'nothing recorded' 2 '' 'licet explain: shop has no agreement recorded yet' explain shop --app pages --request "$SEARCH" --recorded
mkdir shop/agreements/B-2
sed 's/A-1/B-2/' "$terms" >shop/agreements/B-2/2026-11-23.yaml
cp shop/agreements/A-1/apps.yaml shop/agreements/B-2/
expect 'an app of two agreements' 2 '' 'licet explain: --app "pages" exists under A-1, B-2: name one with --agreement' explain shop --app pages --request "$SEARCH"
same 'one of them is named' 'by app pages under agreement B-2 at 2026-11-23T12:00:00Z, as the files say' \
    "$("$licet" explain shop --app pages --agreement B-2 --request "$SEARCH" | sed -n 2p)"
echo 'surprise: 1' >>shop/licet.yaml
"$licet" explain shop --app pages --request "$SEARCH" >"$work/out" 2>"$work/err"
same 'a site with a mistake: not 1, which would say refused' '2 0 licet.yaml:20:1' "$? $(stat -c %s "$work/out") $(sed -nE '1s/^([^:]+:[0-9]+:[0-9]+): .*/\1/p' "$work/err")"
exit $rc
