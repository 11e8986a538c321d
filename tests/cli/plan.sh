#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet plan: everything is new, nothing to do, what changed; that it writes nothing.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"

"$licet" init shop --upstream http://127.0.0.1:9000 --catalogue x-api-v2 >/dev/null
terms=shop/agreements/A-1/2026-11-23.yaml
NEW='  + agreement A-1 between Example Platform Inc. and Example Licensee Ltd
  + version 2026-11-23: in force from 2026-11-23; observe; catalogue x-api-v2@2022-10-10 with 87 endpoints, unlisted record; cannot record: allow 10000 post per outage; overrun: deliver
  + clause CAP-MONTH (section Order form 1) in version 2026-11-23
  + clause NO-TRAIN (section Terms 2.1) in version 2026-11-23
  + purpose display allowed in version 2026-11-23
  + purpose search allowed in version 2026-11-23
  + purpose train-ai forbidden by NO-TRAIN in version 2026-11-23
  + limit CAP-MONTH: 2000000 post per month over licensee in version 2026-11-23
  + use case UC-1 (product Product 1, purpose display, recipient public) approved from 2026-11-23
  + app app-1 (Product 1, prod, by default UC-1)'
before=$(find shop -type f -exec sha256sum {} + | sort)
expect 'nothing is recorded yet' 0 "A-1: not recorded yet
$NEW

10 changes. Record them: licet apply shop --reason TEXT" '' plan shop
same 'it writes nothing' "$before" "$(find shop -type f -exec sha256sum {} + | sort)"
"$licet" apply shop --reason 'first' >/dev/null || report no 'licet apply'
expect 'nothing to do' 0 'Nothing to do: what is recorded is what the files say.' '' plan shop
expect 'nothing to do, as JSON' 0 '{
  "agreements": []
}' '' plan shop --json
sed -i 's/# observe: everything/# in observe mode everything/' "$terms"
expect 'a comment is no change of the terms' 0 'A-1:
  ~ version 2026-11-23: its file has other text, its terms are the same

1 change. Record it: licet apply shop --reason TEXT' '' plan shop
sed -i 's/^# in observe mode everything/# observe: everything/; s/mode: observe/mode: enforce/' "$terms"
expect 'one change' 0 'A-1:
  ~ version 2026-11-23: mode observe -> enforce

1 change. Record it: licet apply shop --reason TEXT' '' plan shop
sed -i 's/2_000_000/1_000_000/' "$terms"
"$licet" credential new shop app-1 >/dev/null
mkdir shop/agreements/B-2
sed 's/A-1/B-2/; s/Example Licensee Ltd/Other Licensee Ltd/; s/^    credentials.*/    credentials: []/' "$terms" >shop/agreements/B-2/2026-11-23.yaml
printf 'apps:\n  b: { products: [P] }\n' >shop/agreements/B-2/apps.yaml
before=$(find shop -type f -exec sha256sum {} + | sort)
expect 'several changes of two agreements' 0 'A-1:
  ~ version 2026-11-23: mode observe -> enforce
  ~ limit CAP-MONTH of version 2026-11-23: most 2000000 -> 1000000 post per month
  + credential K-1 of app app-1 (bearer) from 2026-11-23T12:00:00.000Z

B-2: not recorded yet
  + agreement B-2 between Example Platform Inc. and Other Licensee Ltd
  + version 2026-11-23: in force from 2026-11-23; enforce; catalogue x-api-v2@2022-10-10 with 87 endpoints, unlisted record; cannot record: allow 10000 post per outage; overrun: deliver
  + clause CAP-MONTH (section Order form 1) in version 2026-11-23
  + clause NO-TRAIN (section Terms 2.1) in version 2026-11-23
  + purpose display allowed in version 2026-11-23
  + purpose search allowed in version 2026-11-23
  + purpose train-ai forbidden by NO-TRAIN in version 2026-11-23
  + limit CAP-MONTH: 1000000 post per month over licensee in version 2026-11-23
  + app b (P, prod)

12 changes. Record them: licet apply shop --reason TEXT' '' plan shop
same 'it still writes nothing' "$before" "$(find shop -type f -exec sha256sum {} + | sort)"
rm -r shop/agreements/B-2
expect 'changes as JSON' 0 '{
  "agreements": [
    {
      "agreement": "A-1",
      "new": false,
      "changes": [
        "~ version 2026-11-23: mode observe -> enforce",
        "~ limit CAP-MONTH of version 2026-11-23: most 2000000 -> 1000000 post per month",
        "+ credential K-1 of app app-1 (bearer) from 2026-11-23T12:00:00.000Z"
      ]
    }
  ]
}' '' plan shop --json
same 'explain --recorded goes by what is recorded' 'allow; in enforce mode it would be refused: 403 purpose-forbidden, clause NO-TRAIN (Terms 2.1)' \
    "$("$licet" explain shop --recorded --app app-1 --purpose train-ai --request 'GET /2/tweets/1' | sed -n '/^verdict/{n;s/^ *//p}')"
same 'explain goes by the files' 'refuse: 403 purpose-forbidden, clause NO-TRAIN (Terms 2.1)' \
    "$("$licet" explain shop --app app-1 --purpose train-ai --request 'GET /2/tweets/1' | sed -n '/^verdict/{n;s/^ *//p}')"
"$licet" apply shop --reason 'enforce' >/dev/null || report no 'licet apply'
expect 'applied: nothing to do' 0 'Nothing to do: what is recorded is what the files say.' '' plan shop
sed -i 's/per: month, over/per: fortnight, over/' "$terms"
expect 'a mistake' 1 '' 'agreements/A-1/2026-11-23.yaml:29:60: limit CAP-MONTH: per "fortnight": expected second, minute, hour, day, month, year, term, concurrent, a span such as 15m or rolling 30d
1 mistake' plan shop
expect 'no site' 2 '' "licet plan: $("$licet" check nowhere 2>&1 | sed 's/^licet check: //')" plan nowhere
expect 'two sites' 2 '' 'licet plan: expected one site, not 2
see licet plan --help' plan shop shop
expect 'an unknown option' 2 '' 'licet plan: "--quiet": no such option
see licet plan --help' plan shop --quiet
exit $rc
