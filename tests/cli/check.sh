#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet check: each mistake by its place and its words, all mistakes of all files in one run, and what it says when all is well.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"

"$licet" init base --upstream http://127.0.0.1:9000 --catalogue x-api-v2 >/dev/null
terms=agreements/A-1/2026-11-23.yaml
apps=agreements/A-1/apps.yaml
config=licet.yaml
catalogue=catalogue/x-api-v2@2022-10-10.yaml

# mistake NAME FILE SED EXPECTED: a site that is well but for one edit
mistake() {
    local lines
    rm -rf shop
    cp -r base shop
    sed -i -e "$3" "shop/$2"
    lines=$(printf '%s\n' "$4" | wc -l)
    expect "$1" 1 '' "$4"$'\n'"$lines mistake$([ "$lines" -eq 1 ] || echo s)" check shop
}

expect 'all is well' 0 'A-1: 1 version (2026-11-23), 1 app, 1 use case, 0 credentials, 1 limit, observe
  note: what cannot be recorded is refused all the same at 45 of 48 endpoints that count: a unit without page (included-post at tweets) has no bound' '' check base
rm -rf shop
cp -r base shop
sha=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
cat >>"shop/$terms" <<END
documents:
  - { title: Policy, sha256: $sha, sections: none, says: { CAP-MONTH: 500 } }
  - { title: Restricted uses, sha256: $sha, sections: none, says: { CAP-MONTH: 50_000 } }
END
sed -i 's/most: [0-9_]*,/most: 500,/' "shop/$terms"
expect 'documents that contradict each other' 0 "A-1: 1 version (2026-11-23), 1 app, 1 use case, 0 credentials, 1 limit, observe
  note: what cannot be recorded is refused all the same at 45 of 48 endpoints that count: a unit without page (included-post at tweets) has no bound
note: agreements/A-1/2026-11-23.yaml:39:140: clause CAP-MONTH: \"Restricted uses\" says 50_000, but \"Policy\" says 500 (agreements/A-1/2026-11-23.yaml:38:131): 500 holds, by precedence: first" '' check shop
mistake 'an agreement of another name' "$terms" 's/^agreement: A-1/agreement: B-1/' \
    'agreements/A-1/2026-11-23.yaml:5:12: agreement "B-1": expected "A-1", the name of its folder'
mistake 'a time that is none' "$terms" 's/from: 2026-11-23/from: 2026-13-01/' \
    'agreements/A-1/2026-11-23.yaml:6:19: in_force: from "2026-13-01": expected a date such as 2022-10-10 or a time such as 2022-10-10T12:00:00Z'
mistake 'an end before the start' "$terms" 's/then: refuse/before: 2026-11-01/' \
    'agreements/A-1/2026-11-23.yaml:6:39: in_force: before "2026-11-01": expected a time after from "2026-11-23"'
mistake 'a renewal of a term without an end' "$terms" 's/then: refuse/then: renew 12 months/' \
    'agreements/A-1/2026-11-23.yaml:6:37: in_force: then "renew 12 months": expected with before, the end of the first term'
mistake 'a word nobody knows' "$terms" 's/then: refuse/then: ask/' \
    'agreements/A-1/2026-11-23.yaml:6:37: in_force: then "ask": expected refuse, continue or a renewal such as renew 12 months'
mistake 'a country that is no code' "$terms" '0,/country: US/s//country: USA/' \
    'agreements/A-1/2026-11-23.yaml:9:59: parties: licensor: country "USA": expected a country of two capital letters such as US (ISO 3166-1)'
mistake 'a missing field' "$terms" '/^cannot_record/d' \
    'agreements/A-1/2026-11-23.yaml:5:1: field "cannot_record" is missing'
mistake 'a field nobody knows' "$terms" 's/then: refuse/mood: refuse/' \
    'agreements/A-1/2026-11-23.yaml:6:31: in_force: field "mood" is not known here: expected one of from, before, then, terminated'
mistake 'a field twice' "$terms" '$amode: enforce' \
    'agreements/A-1/2026-11-23.yaml:37:1: "mode" is given twice: it stands already in line 36'
mistake 'a catalogue that is not there' "$terms" 's/^catalogue: .*/catalogue: reddit@2022-10-10/' \
    'agreements/A-1/2026-11-23.yaml:12:12: catalogue "reddit@2022-10-10": there is no file catalogue/reddit@2022-10-10.yaml'
mistake 'a catalogue without a date' "$terms" 's/^catalogue: .*/catalogue: reddit/' \
    'agreements/A-1/2026-11-23.yaml:12:12: catalogue "reddit": expected a name and a date such as x-api-v2@2022-10-10'
mistake 'a clause without its sentence' "$terms" 's/, says: No training of foundation models//' \
    'agreements/A-1/2026-11-23.yaml:17:14: clause NO-TRAIN: field "says" is missing'
mistake 'a purpose both allowed and forbidden' "$terms" 's/\[display, search\]/[display, train-ai]/' \
    'agreements/A-1/2026-11-23.yaml:22:16: purposes: "train-ai" is both allowed and forbidden'
mistake 'a forbidding clause that is not there' "$terms" 's/train-ai: NO-TRAIN/train-ai: NO-TRIAN/' \
    'agreements/A-1/2026-11-23.yaml:22:26: purposes: forbidden: train-ai: clause "NO-TRIAN" is not among the clauses of this version'
mistake 'a limit'\''s clause that is not there' "$terms" 's/clause: CAP-MONTH/clause: CAP-YEAR/' \
    'agreements/A-1/2026-11-23.yaml:29:15: limit CAP-YEAR: clause "CAP-YEAR" is not among the clauses of this version'
mistake 'a unit that the catalogue does not have' "$terms" 's/unit: post/unit: tweet/' \
    'agreements/A-1/2026-11-23.yaml:29:32: limit CAP-MONTH: unit "tweet": expected request, byte or a unit of catalogue x-api-v2@2022-10-10'
mistake 'a span that is none' "$terms" 's/per: month/per: "3 fortnights"/' \
    'agreements/A-1/2026-11-23.yaml:29:60: limit CAP-MONTH: per "3 fortnights": expected second, minute, hour, day, month, year, term, concurrent, a span such as 15m or rolling 30d'
mistake 'a number that is none' "$terms" 's/2_000_000/two million/' \
    'agreements/A-1/2026-11-23.yaml:29:44: limit CAP-MONTH: most "two million": expected a whole number from 0 to 1099511627775'
mistake 'a number too large' "$terms" 's/2_000_000/2_000_000_000_000/' \
    'agreements/A-1/2026-11-23.yaml:29:44: limit CAP-MONTH: most "2_000_000_000_000": expected a whole number from 0 to 1099511627775'
mistake 'an over that is none' "$terms" 's/over: licensee/over: everybody/' \
    'agreements/A-1/2026-11-23.yaml:29:73: limit CAP-MONTH: over "everybody": expected licensee, licensee and affiliates, app, credential, product, use case, recipient, country or endpoint'
mistake 'an endpoint that is not there' "$terms" 's/over: licensee }/over: licensee, endpoints: [search-recnt] }/' \
    'agreements/A-1/2026-11-23.yaml:29:95: limit CAP-MONTH: endpoint "search-recnt" is not in catalogue x-api-v2@2022-10-10'
mistake 'a limit twice' "$terms" 's/^  - { clause.*/&\n&/' \
    'agreements/A-1/2026-11-23.yaml:30:5: limit CAP-MONTH: a second limit with this clause, unit post, per month and over licensee (line 29): they would share one counter; give it a clause of its own'
mistake 'units that cannot be allowed' "$terms" 's/10_000 posts/10_000 tweets/' \
    'agreements/A-1/2026-11-23.yaml:32:25: cannot_record: allow: unit "tweets": expected request, byte or a unit of catalogue x-api-v2@2022-10-10'
mistake 'an allowance that is none' "$terms" 's/10_000 posts/some posts/' \
    'agreements/A-1/2026-11-23.yaml:32:25: cannot_record: allow "some posts": expected a number and a unit such as 10_000 posts'
mistake 'text that is no YAML' "$terms" 's/^purposes:/purposes: [/' \
    'agreements/A-1/2026-11-23.yaml:22:3: not YAML: did not find expected '\'','\'' or '\'']'\'' (while parsing a flow sequence)'
mistake 'an alias' "$terms" 's/mode: observe/mode: *m/' \
    'agreements/A-1/2026-11-23.yaml:36:7: alias "*m" is not part of licet'\''s YAML: write each value where it is meant'
mistake 'a tab' "$terms" 's/^  allowed/\tallowed/' \
    'agreements/A-1/2026-11-23.yaml:21:1: not YAML: found character that cannot start any token (while scanning for the next token)'
mistake 'an app without products' "$apps" '/products:/d' \
    'agreements/A-1/apps.yaml:5:5: app app-1: field "products" is missing'
mistake 'a default use case that is not there' "$apps" 's/default_use_case: UC-1/default_use_case: UC-9/' \
    'agreements/A-1/apps.yaml:7:23: app app-1: default_use_case "UC-9" is not in use_cases'
mistake 'a default use case of another product' "$apps" 's/    product: Product 1/    product: Product 2/' \
    'agreements/A-1/apps.yaml:7:23: app app-1: default_use_case "UC-1" is for product "Product 2", which this app does not feed
agreements/A-1/apps.yaml:13:14: use case UC-1: product "Product 2": no app feeds it'
mistake 'an environment nobody knows' "$apps" 's/environment: prod/environment: production/' \
    'agreements/A-1/apps.yaml:6:18: app app-1: environment "production": expected prod, staging or dev'
mistake 'a credential that is not hashed' "$apps" 's/credentials: \[\]/credentials: [{ id: K, kind: bearer, hmac_sha256: hunter2, from: 2022-10-10 }]/' \
    'agreements/A-1/apps.yaml:8:55: app app-1: credential K: hmac_sha256 of 7 characters: expected 64 hex digits, as licet credential new writes them'
mistake 'an approval by nobody' "$apps" 's/by: A. Person, //' \
    'agreements/A-1/apps.yaml:16:15: use case UC-1: approved: field "by" is missing'
mistake 'an app'\''s name that is no id' "$apps" 's/  app-1:/  app 1:/' \
    'agreements/A-1/apps.yaml:4:3: app "app 1": expected 1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first'
mistake 'a party nobody knows' "$config" 's/^party: licensor/party: platform/' \
    'licet.yaml:4:8: party "platform": expected licensor or licensee'
mistake 'a gate that is no number' "$config" 's/^gate: 1/gate: one/' \
    'licet.yaml:5:7: gate "one": expected a whole number from 1 to 65535'
mistake 'an upstream with a path' "$config" 's|^upstream: .*|upstream: http://127.0.0.1:9000/2|' \
    'licet.yaml:9:11: upstream "http://127.0.0.1:9000/2": expected http:// or https:// with host and port and no path, such as https://api.internal'
mistake 'a place to listen without a port' "$config" 's/^listen: .*/listen: 127.0.0.1/' \
    'licet.yaml:12:9: listen "127.0.0.1": expected an address and a port such as 127.0.0.1:8640'
mistake 'a key outside the site' "$config" 's|^key: data/key|key: ../key|' \
    'licet.yaml:18:6: key "../key": expected a path within the site such as data/key'
mistake 'a relative shared memory' "$config" 's|^shared_memory: /|shared_memory: |' \
    'licet.yaml:19:16: shared_memory "dev/shm/licet-SITEID": expected an absolute path such as /dev/shm/licet-mine'
mistake 'an identity that is no variable' "$config" 's/^# identity: \$/identity: /' \
    'licet.yaml:16:11: identity "http_x_consumer_id": expected an nginx variable such as $http_x_consumer_id'
mistake 'slots that are no power of two' "$config" '$aslots: 1000' \
    'licet.yaml:20:8: slots "1000": expected a power of two'
mistake 'a match without a method' "$catalogue" 's|match: GET /2/tweets$|match: /2/tweets|' \
    'catalogue/x-api-v2@2022-10-10.yaml:38:12: endpoint tweets: match "/2/tweets": expected a method, a space and a path such as GET /2/tweets/{id}'
mistake 'a path that cannot be followed' "$catalogue" '0,/post: "$.data"/s//post: "$.data[*]"/' \
    'catalogue/x-api-v2@2022-10-10.yaml:33:28: endpoint tweet: count: post "$.data[*]": path "$.data[*]": byte 7: a wildcard is not supported; expected .name or ['\''name'\'']'
mistake 'a path that is none' "$catalogue" '0,/post: "$.data"/s//post: "data"/' \
    'catalogue/x-api-v2@2022-10-10.yaml:33:21: endpoint tweet: count: post "data": path "data": byte 0: expected $'
mistake 'a counted unit that is not declared' "$catalogue" '/^  community: {}/d' \
    'catalogue/x-api-v2@2022-10-10.yaml:300:14: endpoint community: count: unit "community": expected one of this catalogue'\''s units
catalogue/x-api-v2@2022-10-10.yaml:305:14: endpoint communities-search: count: unit "community": expected one of this catalogue'\''s units'
mistake 'ids of a unit that is not counted' "$catalogue" '0,/ids:   { post:/s//ids:   { list:/' \
    'catalogue/x-api-v2@2022-10-10.yaml:35:14: endpoint tweet: ids: unit "list": expected a unit that this endpoint counts'
mistake 'a page without a default' "$catalogue" 's/query: max_results, default: 10, most: 500/query: max_results, most: 500/' \
    'catalogue/x-api-v2@2022-10-10.yaml:56:20: endpoint search-all: page: post: field "default" is missing'
mistake 'a default above the most' "$catalogue" 's/default: 10, most: 500/default: 600, most: 500/' \
    'catalogue/x-api-v2@2022-10-10.yaml:56:51: endpoint search-all: page: post: default "600": expected at most 500, the most'
mistake 'an endpoint'\''s id twice' "$catalogue" 's/- id: tweets$/- id: tweet/' \
    'catalogue/x-api-v2@2022-10-10.yaml:37:9: endpoint tweet: id "tweet" is taken already in line 31'
mistake 'two endpoints for one request' "$catalogue" 's|GET /2/tweets/{id}$|GET /2/tweets/{tweet}/liking_users|' \
    'catalogue/x-api-v2@2022-10-10.yaml:122:12: endpoint liking-users: match "GET /2/tweets/{id}/liking_users": endpoint tweet in line 32 matches the same requests'
mistake 'a unit that the gate counts by itself' "$catalogue" 's/^  trend: {}/  request: {}/' \
    'catalogue/x-api-v2@2022-10-10.yaml:23:3: unit "request": expected 1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first, and not request, byte or byte-acked, which the gate counts by itself
catalogue/x-api-v2@2022-10-10.yaml:311:14: endpoint trends: count: unit "trend": expected one of this catalogue'\''s units'
mistake 'deduplication over no window' "$catalogue" 's/^  trend: {}/  trend: { dedup: { by: id } }/' \
    'catalogue/x-api-v2@2022-10-10.yaml:23:19: unit trend: dedup: field "per" is missing'

# every mistake of every file in one run, in order of file and place
rm -rf shop
cp -r base shop
sed -i 's/^gate: 1/gate: 0/' shop/licet.yaml
sed -i 's/unit: post/unit: tweet/; s/per: month/per: age/' "shop/$terms"
sed -i 's/environment: prod/environment: moon/' "shop/$apps"
ALL='agreements/A-1/2026-11-23.yaml:29:32: limit CAP-MONTH: unit "tweet": expected request, byte or a unit of catalogue x-api-v2@2022-10-10
agreements/A-1/2026-11-23.yaml:29:61: limit CAP-MONTH: per "age": expected second, minute, hour, day, month, year, term, concurrent, a span such as 15m or rolling 30d
agreements/A-1/apps.yaml:6:18: app app-1: environment "moon": expected prod, staging or dev
licet.yaml:5:7: gate "0": expected a whole number from 1 to 65535'
expect 'all mistakes in one run' 1 '' "$ALL
4 mistakes" check shop
sed -i 's/^gate: 0/gate: 1/' shop/licet.yaml
cp "base/$terms" "shop/$terms"
expect 'mistakes as JSON' 1 '{
  "ok": false,
  "agreements": [],
  "notes": [],
  "mistakes": [
    {
      "file": "agreements/A-1/apps.yaml",
      "line": 6,
      "column": 18,
      "text": "app app-1: environment \"moon\": expected prod, staging or dev"
    }
  ]
}' '' check shop --json
cp "base/$apps" "shop/$apps"
sed 's/from: 2026-11-23/from: 2027-11-23/; s/mode: observe/mode: enforce/; s/^limits:/&\n  - { clause: CAP-MONTH, unit: user, most: 5, per: 15m, over: app }/' "shop/$terms" >shop/agreements/A-1/2027-11-23.yaml
sed -i 's/then: refuse/before: 2027-11-23/' "shop/$terms"
mkdir shop/agreements/B-2
sed 's/A-1/B-2/; s/from: 2026-11-23/from: 2022-10-10, before: 2023-10-10/' "base/$terms" >shop/agreements/B-2/2022-10-10.yaml
printf 'apps:\n  b: { products: [P] }\n  c: { products: [P] }\n' >shop/agreements/B-2/apps.yaml
expect 'two versions, and an agreement that has ended' 0 'A-1: 2 versions (2026-11-23, 2027-11-23), 1 app, 1 use case, 0 credentials, 1 limit, observe
  note: what cannot be recorded is refused all the same at 45 of 48 endpoints that count: a unit without page (included-post at tweets) has no bound
B-2: 1 version (2022-10-10), 2 apps, 0 use cases, 0 credentials, none in force now' '' check shop
LICET_NOW=2028-01-01 expect 'the version in force is told' 0 'A-1: 2 versions (2026-11-23, 2027-11-23), 1 app, 1 use case, 0 credentials, 2 limits, enforce
  note: what cannot be recorded is refused all the same at 45 of 48 endpoints that count: a unit without page (included-post at tweets) has no bound
B-2: 1 version (2022-10-10), 2 apps, 0 use cases, 0 credentials, none in force now' '' check shop
sed -i 's/from: 2027-11-23/from: 2027-01-01/' shop/agreements/A-1/2027-11-23.yaml
expect 'versions that overlap' 1 '' 'agreements/A-1/2027-11-23.yaml:6:19: in_force: from "2027-01-01": version 2026-11-23 is in force before "2027-11-23"; two versions may not overlap
1 mistake' check shop
rm -rf shop
cp -r base shop
rm -r "shop/$catalogue"
expect 'a catalogue file is missing' 1 '' 'agreements/A-1/2026-11-23.yaml:12:12: catalogue "x-api-v2@2022-10-10": there is no file catalogue/x-api-v2@2022-10-10.yaml
1 mistake' check shop
expect 'as JSON' 0 '{
  "ok": true,
  "agreements": [
    {
      "agreement": "A-1",
      "versions": [
        {
          "id": "2026-11-23",
          "from": "2026-11-23T00:00:00.000Z",
          "before": null,
          "in_force": true,
          "catalogue": "x-api-v2@2022-10-10",
          "mode": "observe",
          "clauses": 2,
          "limits": 1,
          "endpoints": 87
        }
      ],
      "apps": 1,
      "products": 1,
      "use_cases": 1,
      "credentials": 0
    }
  ],
  "notes": [
    "what cannot be recorded is refused all the same at 45 of 48 endpoints that count: a unit without page (included-post at tweets) has no bound"
  ],
  "mistakes": []
}' '' check base --json
# well formed, and a surprise all the same
noted() { # NAME FILE SED NOTE
    rm -rf shop
    cp -r base shop
    sed -i -e "$3" "shop/$2"
    same "$1" "0 $4" "$("$licet" check shop >out 2>err; echo $?) $(sed -n 's/^ *note: \(use case\|licet.yaml\|apps\)/\1/p' out)"
}
noted 'a use case that is always refused' "$apps" 's/purpose: display/purpose: train-ai/' \
    'use case UC-1: its purpose train-ai is forbidden by NO-TRAIN: every request of it would be refused in mode enforce'
noted 'two apps of one use case' "$apps" 's/^use_cases:/  app-2: { products: [Product 1], default_use_case: UC-1 }\nuse_cases:/' \
    'apps app-1 and app-2 are both prod and of use case UC-1: one app for a use case is what agreements mostly allow'
noted 'a key that is not there' "$config" 's,^key: data/key,key: data/other,' \
    'licet.yaml: key data/other: there is no such file here, and licetd does not start without it'
noted 'a group that nobody has' "$config" '$agroup: no-such-group' \
    'licet.yaml: group no-such-group: there is no such group here, and licetd does not start without it'
expect 'no site given' 2 '' 'licet check: expected one site, not 0
see licet check --help' check
expect 'an unknown option' 2 '' 'licet check: "--fix": no such option
see licet check --help' check base --fix
exit $rc
