#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet disclose: what is counted in files, what the terms say of handing them over, and what is recorded, alone and
# through licetd.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
licetd="$(dirname "$licet")/licetd"

"$licet" init shop --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null || exit 2
terms=shop/agreements/A-1/2026-11-23.yaml
version() { # mode
    cat >"$terms" <<END
agreement: A-1
in_force: { from: 2022-10-10, then: refuse }
calendar: { zone: UTC, business_days: us-federal }
parties:
  licensor: { legal_name: Example Platform Inc., country: US }
  licensee: { legal_name: Example Licensee Ltd, country: US }
catalogue: x-api-v2@2022-10-10
clauses:
  GOV-NOTICE: { section: XII.C, says: Written notice of each government end user before passing on }
  SANCT: { section: XII.D, says: No embargoed country }
  HAND-ON: { section: III.B, says: No more than 1000 ids to one recipient in 30 days }
purposes: { allowed: [display], not_declared: refuse }
embargo: { clause: SANCT, countries: [KP] }
government: [ { needs: notice, clause: GOV-NOTICE, flow: passed-on, objection: 10 business days } ]
limits:
  - { clause: HAND-ON, unit: post, most: 1000, per: rolling 30d, over: recipient, flow: passed-on }
cannot_record: refuse
mode: $1
END
}
version enforce
cat >shop/agreements/A-1/apps.yaml <<'END'
apps:
  pages: { products: [Pages], default_use_case: UC-1 }
use_cases:
  UC-1: { product: Pages, purpose: display, recipient: public, approved: { by: J. Roe, role: licensing, from: 2022-10-10 } }
recipients:
  Acme: { class: company, country: DE }
  Beta: { class: company, country: FR }
  Ministry of X:
    class: government
    country: US
    notices:
      - { use_case: UC-1, given: 2023-01-04, by: A. Poe, role: compliance,
          document: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff }
  Department of Y: { class: government, country: US }
  Pyongyang News: { class: company, country: KP }
END
"$licet" apply shop --reason first >/dev/null || { "$licet" apply shop --reason first; exit 2; }
size() { sed -n 2p "shop/data/ledger/A-1/checkpoint"; }
began=$(size)

seq 1 300 >ids.txt
{ echo 'id,text'; for i in $(seq 1 40); do printf '%s,"a ""quoted"", text"\r\n' "$i"; done; } >ids.csv
{ printf '\xef\xbb\xbf7\r\n\r\n8\r\n7'; } >marked.txt
for i in 1 2 3; do echo "{\"data\":[{\"id\":\"$i\"},{\"id\":\"9$i\"}]}"; done >pages.ndjson

# --- what is refused, and what the words of it are
expect 'a government without notice' 1 '300 post (300 distinct) in 1 file to Department of Y (government, US) under A-1, version 2026-11-23
refused; nothing was recorded' 'licet disclose: refused: government-notice by GOV-NOTICE, XII.C: Written notice of each government end user before passing on' \
    disclose shop --app pages --unit post --recipient 'Department of Y' ids.txt
expect 'an embargoed country' 1 '300 post (300 distinct) in 1 file to Pyongyang News (company, KP) under A-1, version 2026-11-23
refused; nothing was recorded' 'licet disclose: refused: recipient-embargoed by SANCT, XII.D: No embargoed country' \
    disclose shop --app pages --unit post --recipient 'Pyongyang News' ids.txt
expect 'nobody of that name' 2 '' 'licet disclose: recipient "Acne": agreement A-1 has nobody of that name registered' \
    disclose shop --app pages --unit post --recipient Acne ids.txt
expect 'a time to come' 2 '' 'licet disclose: handed over at 2026-11-23T12:00:01.000Z: expected a time that has come; it is 2026-11-23T12:00:00.000Z' \
    disclose shop --app pages --unit post --recipient Acme --at 2026-11-23T12:00:01Z ids.txt
expect 'which unit' 2 '' 'licet disclose: --unit is missing: expected one of post, included-post, user, media, place, poll, list, space, dm-event, community, trend' \
    disclose shop --app pages --recipient Acme ids.txt
expect 'JSON without paths' 2 '' 'licet disclose: pages.ndjson: it is JSON, and nothing says where its ids are: expected --request, --count with --id, or --units' \
    disclose shop --app pages --unit post --recipient Acme pages.ndjson
printf 'a"b\n' >bad.csv
expect 'no CSV' 2 '' 'licet disclose: bad.csv: row 1: a quote within a field: expected CSV (RFC 4180)' \
    disclose shop --app pages --unit post --recipient Acme bad.csv
expect 'a column that is not there' 2 '' 'licet disclose: ids.csv: its first line has no column "post"' \
    disclose shop --app pages --unit post --recipient Acme --column post ids.csv
printf '{"data":[{"id":"1"}' >cut.json
expect 'JSON that ends within a document' 2 '' 'licet disclose: cut.json: byte 19: it cannot be counted: incomplete' \
    disclose shop --app pages --unit post --recipient Acme --count '$.data' --id '$.data.id' cut.json
: >empty.txt
expect 'no ids' 2 '' 'licet disclose: the files hold no ids: nothing to record' \
    disclose shop --app pages --unit post --recipient Acme empty.txt
cp ids.txt same.txt
expect 'one file twice' 2 '' 'licet disclose: ids.txt and same.txt are the same' \
    disclose shop --app pages --unit post --recipient Acme ids.txt same.txt
expect 'more distinct ids than remembered' 2 '' 'licet disclose: ids.txt: more than 299 distinct ids; --max-ids raises the ceiling' \
    disclose shop --app pages --unit post --recipient Acme --max-ids 299 ids.txt
same 'nothing of that was recorded' "$began" "$(size)"

# --- counted
count() { "$licet" disclose shop --app pages --unit post --recipient Acme --dry-run --json "$@" 2>/dev/null | jq -c '[.outcome,.units,.distinct]'; }
same 'a column by its name' '["dry-run",40,40]' "$(count --column id ids.csv)"
same 'a column by its number: the first line is data' '["dry-run",41,41]' "$(count --column 1 ids.csv)"
same 'a column of quoted texts' '["dry-run",40,1]' "$(count --column text ids.csv)"
same 'lines: byte order mark, carriage returns, empty lines' '["dry-run",3,2]' "$(count marked.txt)"
same 'NDJSON by paths' '["dry-run",6,6]' "$(count --count '$.data' --id '$.data.id' pages.ndjson)"
same 'NDJSON by the catalogue' '["dry-run",6,6]' "$(count --request 'GET /2/tweets/search/recent?query=x' pages.ndjson)"
same 'two files: distinct over both' '["dry-run",303,300]' "$(count ids.txt marked.txt)"
same 'declared' '["dry-run",77,null]' "$(count --units 77 ids.csv)"
same 'a dry run records nothing' "$began" "$(size)"

# --- recorded
"$licet" disclose shop --app pages --unit post --recipient Acme ids.txt >out 2>err
same 'recorded' '0 300 post (300 distinct) in 1 file to Acme (company, DE) under A-1, version 2026-11-23' "$? $(sed -n 1p out)"
decision=$(sed -n 's/^recorded, decision //p' out)
same 'with a decision id' 32 "${#decision}"
same 'context, unit kind, disclosure and receipt; signed' $((began + 4)) "$(size)"
same 'the hash is in the ledger' 1 "$(python3 - <<'END'
import hashlib
print(open('shop/data/ledger/A-1/entries','rb').read().count(hashlib.sha256(open('ids.txt','rb').read()).digest()))
END
)"
expect 'again: told, not recorded' 0 "recorded before: handed over to Acme at 2026-11-23T12:00:00.000Z, decision $decision; nothing was recorded (--again does)" '' \
    disclose shop --app pages --unit post --recipient Acme ids.txt
"$licet" disclose shop --app pages --unit post --recipient Acme ids.txt ids.csv --format lines >out 2>err
same 'one of two was there' '1 1' "$? $(grep -c 'some of these files went to Acme before, one of them at 2026-11-23T12:00:00.000Z' err)"
same 'recorded again when asked to' '0' "$("$licet" disclose shop --app pages --unit post --recipient Acme --again ids.txt >/dev/null; echo $?)"
same 'to another recipient: another thing' '0 recorded' "$("$licet" disclose shop --app pages --unit post --recipient 'Ministry of X' --at 2026-11-20 --json ids.txt | jq -r '"0 "+.outcome')"
expect 'what is left of the limit is not enough' 1 '401 post (declared) in 1 file to Acme (company, DE) under A-1, version 2026-11-23
refused; nothing was recorded' 'licet disclose: refused: cap-reached by HAND-ON, III.B: No more than 1000 ids to one recipient in 30 days' \
    disclose shop --app pages --unit post --recipient Acme --units 401 ids.csv
same 'and to the last one it is' '0' "$("$licet" disclose shop --app pages --unit post --recipient Acme --units 400 ids.csv >/dev/null; echo $?)"
same 'thirty-one days before there was nothing' '0' "$("$licet" disclose shop --app pages --unit post --recipient Acme --units 1000 --at 2026-10-01 --dry-run marked.txt >/dev/null; echo $?)"
"$licet" disclose shop --app pages --unit post --recipient 'Department of Y' --anyway --at 2026-11-22T08:30:00Z pages.ndjson --request 'GET /2/tweets/search/recent?query=x' >out 2>err
same 'what has happened is recorded anyway, with why' '0 licet disclose: warning: recorded although the terms refuse it: government-notice by GOV-NOTICE, XII.C: Written notice of each government end user before passing on' "$? $(cat err)"

# --- verify, report
"$licet" verify shop >out 2>err
same 'verified' '0 0' "$? $(wc -c <err)"
"$licet" report shop --agreement A-1 --from 2026-11-01 --before 2026-12-01 --format json >report.json
same 'no request among them' '[0,0]' "$(jq -c '[.totals.requests.delivered,.totals.requests.refused]' report.json)"
same 'all units, by basis' '[1306,906,400]' "$(jq -c '.totals.units.post|[.gross,.basis.counted,.basis.declared]' report.json)"
same 'all passed on' '[0,1306]' "$(jq -c '[.flows[]|select(.id!=null)|.units.post.gross]' report.json)"
same 'the table of disclosures' '["Acme","company","DE","post",300,300,"allow",null,1]
["Acme","company","DE","post",300,300,"allow",null,1]
["Ministry of X","government","US","post",300,300,"allow",null,1]
["Acme","company","DE","post",400,null,"allow",null,1]
["Department of Y","government","US","post",6,6,"observe","GOV-NOTICE",1]' "$(jq -c '.disclosures[]|[.recipient,.class,.country,.unit,.gross,.distinct,.verdict,.clause,(.files|length)]' report.json)"
same 'the hash of the file' "$(sha256sum pages.ndjson | cut -d' ' -f1)" "$(jq -r '.disclosures[4].files[0].sha256' report.json)"
"$licet" report shop --agreement A-1 --from 2026-11-01 --before 2026-12-01 >report.txt
same 'as text' 'handed to at class country unit gross distinct terms
Acme 2026-11-23T12:00:00Z company DE post 300 300 allowed' "$(sed -n '/handed to /,/^$/p' report.txt | head -2 | sed 's/^ *//; s/  */ /g')"
"$licet" rebuild shop >/dev/null
"$licet" report shop --agreement A-1 --from 2026-11-01 --before 2026-12-01 --format json >again.json
same 'the same after a rebuild' "$(jq -S 'del(.report.as_of)' report.json)" "$(jq -S 'del(.report.as_of)' again.json)"

# --- observe mode
version observe
"$licet" apply shop --reason 'watch only' >/dev/null
"$licet" disclose shop --app pages --unit post --recipient 'Pyongyang News' ids.txt >out 2>err
same 'only observed: recorded with a warning' '0 licet disclose: warning: the terms are only observed and would refuse it: recipient-embargoed by SANCT, XII.D: No embargoed country' "$? $(cat err)"

# --- through licetd: the limit of the gate counts it at once, and a tail tells it
version enforce
"$licet" apply shop --reason 'meant' >/dev/null
unset LICET_NOW # licetd has the clock of the machine
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
"$licet" disclose shop --app pages --unit post --recipient Beta --at "$now" --units 100 ids.csv >out 2>err
same 'recorded alone' 0 "$?"
sed -i 's,^shared_memory:.*,shared_memory: '"$PWD/gate.shm"',' shop/licet.yaml
grep -q '^shared_memory' shop/licet.yaml || echo "shared_memory: $PWD/gate.shm" >>shop/licet.yaml
"$licetd" shop >licetd.log 2>&1 &
pid=$!
for i in $(seq 100); do curl -sf --unix-socket shop/data/operator.sock http://x/healthz >/dev/null && break; sleep 0.1; done
"$licet" disclose shop --app pages --unit post --recipient Beta --at "$now" --json --again --units 901 ids.csv >out 2>err
same 'licetd knows what was recorded before it' '1 refused cap-reached' "$? $(jq -r '.outcome+" "+.reason' out)"
"$licet" disclose shop --app pages --unit post --recipient Beta --at "$now" --json --units 700 marked.txt >out 2>err
same 'recorded by licetd' '0 recorded' "$? $(jq -r .outcome out)"
"$licet" disclose shop --app pages --unit post --recipient Beta --at "$now" --json --again --units 201 ids.csv >out 2>err
same 'counted at once' '1 refused' "$? $(jq -r .outcome out)"
same 'told by the tail' '["A-1","pages","Beta",{"post":700},"allow"]' \
    "$(curl -s --unix-socket shop/data/operator.sock 'http://x/tail?after=0' | tail -1 | jq -c '[.agreement,.app,.recipient,.units,.verdict]')"
expect 'what it does not know' 2 '' 'licet disclose: recipient "Acne": agreement A-1 has nobody of that name registered' \
    disclose shop --app pages --unit post --recipient Acne --units 1 marked.txt
kill "$pid"
wait "$pid"
"$licet" verify shop >out 2>err
same 'verified behind it' '0 0' "$? $(wc -c <err)"
exit "$rc"
