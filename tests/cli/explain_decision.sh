#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet explain of a decision that was made: in whole, with its limits before and after, by terms that are gone from the store,
# against amended terms and a changed registry; texts that were erased or tampered with; refusals of a run.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
seed="$(dirname "$licet")/tests/licet-test-seed"

export LICET_NOW=2026-11-23T05:00:00Z
"$licet" init shop --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null || exit 2
terms=$(echo shop/agreements/A-1/2*.yaml)
DOCUMENT=$(printf '5a%.0s' {1..32})
sed -i "s/approved: { by: A. Person,/& document: $DOCUMENT,/" shop/agreements/A-1/apps.yaml
"$licet" apply shop --reason first --as 'A. Roe, licensing' >/dev/null || exit 2
export LICET_NOW=2026-11-23T12:00:00Z
"$seed" shop 100 observed more || exit 2
"$licet" rebuild shop >/dev/null || exit 2

# The decision id of receipt N of the seed: its time is N seconds after six.
id_of() {
    "$licet" tail shop --all --once --json | jq -r --arg t "$(printf '2026-11-23T06:%02d:%02d.000Z' $(($1 / 60)) $(($1 % 60)))" 'select(.time == $t) | .decision' | head -1
}
ID=$(id_of 8)

expect 'a response, in whole' 0 "decision $ID
of agreement A-1 at 2026-11-23T06:00:08Z, entry 30 of its ledger

facts, as recorded
  version    2026-11-23, by x-api-v2@2022-10-10
  flow       acquired
  endpoint   search-recent
  app        app-1
  credential none: somebody in front named the app
  use case   UC-1
  product    Product 1
  purpose    display
  recipient  public

rules in force then: image 1, applied 2026-11-23T05:00:00Z (first)
  pass    declared values  those in effect have at most 64 bytes
  pass    version          2026-11-23 is in force, from 2026-11-23
  pass    endpoint         x-api-v2@2022-10-10 lists it as search-recent
  pass    use case         UC-1 (in effect) is approved from 2026-11-23
  pass    purpose          display (in effect) is allowed

what was recorded of its use case and recipient by then
  + use case UC-1 (product Product 1, purpose display, recipient public) approved from 2026-11-23
    recorded 2026-11-23T05:00:00Z with image 1, by A. Roe, licensing
    named for it: A. Person, licensing
    document sha256 $DOCUMENT

limits that bound it, by what is recorded
  CAP-MONTH: 2,000,000 post per month over the licensee (Order form 1)
    160 before, 170 after, from 2026-11-01 before 2026-12-01
    \"Two million posts a month over all apps\"

units
  request        counted 1, reserved 1
  byte           counted 1,008
  post           counted 10, reserved 1 to 100 by the page it asked for, which is not recorded, given back 90 at most
  included-post  counted 0, reserved 1, given back 1
  user           counted 3, reserved 1, topped up by 2
  media          counted 0, reserved 1, given back 1
  place          counted 0, reserved 1, given back 1
  poll           counted 0, reserved 1, given back 1

outcome
  passed: 200, complete, 1,008 bytes in 20 ms
  the platform calls the same response abcd0000000000000000000000000000

today's terms
  would decide the same" '' explain shop "$ID"

got=$("$licet" explain shop "$ID" --json)
same 'as JSON: the same' "[\"$ID\",\"A-1\",30,\"search-recent\",1,\"first\",\"store\",true]" \
    "$(jq -c '[.decision, .agreement, .entry, .facts.endpoint, .terms.image, .terms.why, .terms.from, .terms.agrees]' <<<"$got")"
same 'as JSON: limits, units, registry, outcome' \
    "[[160,170,true],[10,{\"least\":1,\"most\":100},0],[\"UC-1\",\"approved\",\"A. Person, licensing\",\"$DOCUMENT\"],[\"allow\",200,\"abcd0000000000000000000000000000\"],true]" \
    "$(jq -c '[(.limits[0] | [.before, .after, .exact]), (.units.post | [.counted, .reserved, .credited]), (.registry[0] | [.id, .action, .who, .document]), (.outcome | [.verdict, .status, .peer]), .today.same]' <<<"$got")"

# tells NAME STATUS PATTERN RECEIPT: the lines that match it
tells() {
    local id got
    id=$(id_of "$4")
    "$licet" explain shop "$id" >"$work/out" 2>"$work/err"
    got=$?
    same "$1" "$2 | $3" "$got | $(grep -E "$5" "$work/out" | sed -E 's/^ +//' | paste -sd'|')$(cat "$work/err")"
}
tells 'what is unmetered stays charged' 0 'post           counted 10, stays charged with 100, reserved 1 to 100 by the page it asked for, which is not recorded|unmetered: malformed' 0 '^  post  |unmetered'
tells 'behind a gap it is not exact' 0 'not exact: 1 gap in this window hides 50 more at most' 24 'not exact'
tells 'before the gap it is' 0 '' 8 'not exact'
tells 'an app that nobody registered' 0 'not known: the terms of that time name no such app|at that time: the app is not registered|now: the app is not registered' 2 'not known|app is'
tells 'what a terminal would obey is not printed' 0 'recipient  ?[31mred?' 2 'recipient  '
tells 'refused, in a run; the rules of then say something else' 1 'these rules say none, which is not what is recorded|none: what is refused reserves nothing|refused: 403 purpose-forbidden' 20 'these rules|^  none:|refused:'
tells 'passed by observe mode, and why' 0 'REFUSE  purpose          train-ai (in effect) is forbidden by NO-TRAIN (Terms 2.1)|"No training of foundation models"|passed, by observe mode: 200, complete, 1,049 bytes in 20 ms, clause NO-TRAIN' 49 'REFUSE|No training|these rules|passed'
before=$(find shop -type f ! -name '*-shm' -exec sha256sum {} + | sort)
"$licet" explain shop "$ID" >/dev/null
same 'it writes nothing' "$before" "$(find shop -type f ! -name '*-shm' -exec sha256sum {} + | sort)"

# The terms of then are gone from the store, and today's are others.
export LICET_NOW=2026-11-24T05:00:00Z
sed -i 's/most: 2_000_000/most: 165/' "$terms"
"$licet" apply shop --reason lower --as 'A. Roe, licensing' --approved-by 'B. Poe, legal' >/dev/null || exit 2
tells 'a cap that was lowered since: at that time' 0 'rules in force then: image 1, applied 2026-11-23T05:00:00Z (first)|at that time: limit CAP-MONTH would have had room for 5 of the 10 that it took|~ limit CAP-MONTH of version 2026-11-23: most 2000000 -> 165 post per month' 8 '^rules|at that time|~ '
rm shop/data/images/image-1
tells 'terms made anew from the recorded files' 0 'rules in force then: image 1, applied 2026-11-23T05:00:00Z (first), made anew from the recorded files|160 before, 170 after, from 2026-11-01 before 2026-12-01' 8 '^rules|before,'
same 'nothing is left behind of that' '' "$(ls -d "${TMPDIR:-/tmp}"/licet-explain-* 2>/dev/null)"
sed -i 's/Two million/Ten million/' shop/data/recorded/A-1/1/2026-11-23.yaml
tells 'recorded files that are not those' 0 'not known: image 1 was made anew from recorded files: its files are not those whose hashes the ledger holds' 8 'not known'
rm -r shop/data/recorded/A-1/1/2026-11-23.yaml
tells 'recorded files that are gone' 0 'not known: image 1 is gone and cannot be made anew: agreements/A-1:0: agreement A-1 has no version: expected a file such as 2022-10-10.yaml' 8 'not known'

sed -i 's/^\([0-9]*\tas\t.*\)A. Roe/\1X. Roe/' shop/data/recorded/A-1/1/changes
tells 'a clear text that the ledger does not commit to' 0 'a text that is kept of it is not the one that the ledger commits to' 8 'commits'
sed -i '/\tas\t/d' shop/data/recorded/A-1/1/changes
tells 'an erased one' 0 'some of its texts are erased' 8 'erased'
rm shop/data/recorded/A-1/1/changes
tells 'all of them erased' 0 'use case UC-1 approved|some of its texts are erased' 8 'UC-1 approved|erased'

expect 'an id that is none' 2 '' 'licet explain: "abc": no decision id of shop: expected the 32 hex digits of Licet-Decision, as licet tail --json shows them' explain shop abc
expect 'with a request too' 2 '' "licet explain: \"$ID\": a decision that was made is recorded whole; expected no other option than --json
see licet explain --help" explain shop "$ID" --app app-1
exit $rc
