#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet report: figures that follow from the seed, the sums of every list, the schema, both forms, and what it refuses.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
seed="$(dirname "$licet")/tests/licet-test-seed"

"$licet" init shop --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null || exit 2
echo 'prices: { currency: USD, round: half-even cent, minimum: "50", lines: [ { line: POSTS, unit: post, included: 1_000, at: "0.005" } ] }' >>"$(echo shop/agreements/A-1/2*.yaml)"
expect 'nothing recorded yet' 2 '' "licet report: shop/data/usage.db: there are no usage tables, or they cannot be opened" report shop --all
"$licet" apply shop --reason first >/dev/null || exit 2
expect 'an agreement without use' 0 'A-1: 0 delivered, 0 refused' '' report shop --all
"$seed" shop 1000 observed || exit 2
"$licet" rebuild shop >/dev/null || exit 2
json() { "$licet" report shop --agreement A-1 --json "$@"; }

# --- figures
expect 'all agreements' 0 'A-1: 858 delivered, 142 refused, 8,580 post, 2,574 user' '' report shop --all
same 'all agreements as JSON' '["A-1",858,8580]' \
    "$("$licet" report shop --all --json | jq -c '.agreements[] | [.agreement, .totals.requests.delivered, .totals.units.post.gross]')"
json >all.json
same 'totals' '[858,142,8580,8580,8580,{"counted":8580,"reported":0,"estimated":0,"declared":0},1286571]' \
    "$(jq -c '.totals | [.requests.delivered, .requests.refused, (.units.post | .gross, .deduplicated, .billable, .basis), .bytes]' all.json)"
same 'apps: registered, met, none' '[["app-1",true,429,4290],["stranger",false,214,2140],[null,null,215,2150]]' \
    "$(jq -c '[.apps[] | [.id, .registered, .requests.delivered, .units.post.gross]]' all.json)"
same 'purposes: registered without use, forbidden' '[["display",null,429],["search",null,0],["train-ai","NO-TRAIN",214],[null,null,215]]' \
    "$(jq -c '[.purposes[] | [.id, .forbidden_by, .requests.delivered]]' all.json)"
same 'refusals' '[["purpose-forbidden",null,403,false,106],["purpose-forbidden","NO-TRAIN",403,false,36],[null,null,null,true,19],[null,"NO-TRAIN",null,true,20],["cap-reached",null,null,true,39]]' \
    "$(jq -c '[.refusals[] | [.reason, .clause, .status, .would_be, .requests]]' all.json)"
same 'unattributed points to its row' true \
    "$(jq '(.unattributed.at | ltrimstr("/") | split("/") | [.[0], (.[1] | tonumber)]) as $p | getpath($p) as $row | $row.id == null and $row.requests == .unattributed.requests and $row.units == .unattributed.units' all.json)"
same 'unmetered: counted and what stays charged' '[18,18,180,1800]' \
    "$(jq -c '.unmetered | [.responses, (.reasons[] | select(.id == "malformed").responses), .units.post.counted, .units.post.charged]' all.json)"
same 'the limit: what was delivered and what stays charged' '["CAP-MONTH","month","licensee",2000000,10200,"2026-11-01T00:00:00Z"]' \
    "$(jq -c '.limits[] | [.clause, .per, .over, .most, .highest.used, .highest.from]' all.json)"
same 'charges: what the limit counts, without the included' '[["2026-11-01T00:00:00Z",false,"POSTS",10200,10200,"0","46","46.00","0.00","46.00"]]' \
    "$(jq -c '[.charges[] | [.from, .over, (.lines[] | .line, .gross, .billable, .tiers[0].amount, .tiers[1].amount, .amount), .minimum.added, .total]]' all.json)"
same 'evidence is the signed checkpoint' "$(sed -n 3p shop/data/ledger/A-1/checkpoint)" "$(jq -r '.evidence.root' all.json)"
same 'and holds it whole' "$(cat shop/data/ledger/A-1/checkpoint)" "$(jq -r '.evidence.checkpoint' all.json | sed '$d')"

# --- every list adds up to the totals, in every span
adds='def figures: [.requests.delivered, .requests.refused, .bytes, (.units | to_entries | sort_by(.key)[] | .value | .gross, .deduplicated, .billable, .basis.counted, .basis.reported, .basis.estimated, .basis.declared)];
. as $r | [("flows", "apps", "products", "purposes", "use_cases", "recipients", "countries", "governments", "months", "credentials") as $list |
select(([$r[$list][] | figures] | transpose | map(add)) != ($r.totals | figures) or ([$r[$list][] | select(.id == null)] | length) != 1) | $list]'
same 'lists add up' '[]' "$(jq -c "$adds" all.json)"
json --from 2026-11-23T06:00:00Z --before 2026-11-23T06:00:00Z >/dev/null 2>&1
same 'an empty span is refused' 2 $?
json --from 2026-11-01 --before 2026-11-23T06:00:00Z >none.json
same 'lists add up to nothing' '[[],0]' "$(jq -c "[($adds), .totals.requests.delivered]" none.json)"
json --from 2022-01-01 --before 2027-01-01 >years.json
same 'five years' '[[],858,60]' "$(jq -c "[($adds), .totals.requests.delivered, (.months | map(select(.id != null)) | length)]" years.json)"

# --- the schema
if python3 -c 'import jsonschema' 2>/dev/null; then
    for report in all none years; do
        same "$report.json is valid by the schema" '' "$(python3 - "$root/docs/format/report.schema.json" "$report.json" 2>&1 <<'PY'
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
for fault in jsonschema.Draft202012Validator(schema).iter_errors(json.load(open(sys.argv[2]))):
    print(list(fault.absolute_path), fault.message[:200])
PY
)"
    done
else
    echo '-       the schema: no python3-jsonschema here, its keys alone are compared'
fi
same 'keys of the schema are those of the report' "$(jq -c '.required' "$root/docs/format/report.schema.json")" "$(jq -c 'keys_unsorted' all.json)"

# --- text
"$licet" report shop --agreement A-1 >text
same 'the text keeps to 100 columns' 0 "$(LC_ALL=C.UTF-8 awk 'length > 100' text | wc -l)"
same 'no control character of a caller reaches the terminal' 0 "$(LC_ALL=C grep -c $'[\x01-\x08\x0b-\x1f\x7f]' text)"
same 'it ends with the command that checks it' '  check  licet verify shop' "$(tail -1 text)"
same 'which verifies' 0 "$("$licet" verify shop >/dev/null; echo $?)"
same 'figures of both forms' '858 requests delivered, 142 refused; 1,286,571 bytes of content' "$(sed -n 's/^ 2  how much *//p' text)"
same 'what would have been refused, with the reason where receipts tell it' '(reason not kept) (would be refused) - passed 19
(reason not kept) (would be refused) NO-TRAIN passed 20
cap-reached (would be refused) - passed 39' "$(grep 'would be' text | sed -E 's/^ +//; s/ +/ /g')"
same '--format text is the default' "$(cat text)" "$("$licet" report shop --agreement A-1 --format text)"
same '--json is --format json' "$(cat all.json)" "$(json --format json)"

# --- editions
same 'internal tells of callers nobody knows' '[0,[]]' "$(jq -c '.unidentified | [.requests, .reasons]' all.json)"
same 'counterparty tells nothing of others' '["counterparty",null,[]]' \
    "$(json --for counterparty | jq -c '[.report.edition, .unidentified.requests, .unidentified.reasons]')"
same 'auditor' auditor "$(json --for auditor | jq -r .report.edition)"

# --- the period
same 'the present month unless given' '["2026-11-01T00:00:00Z","2026-12-01T00:00:00Z"]' "$(jq -c '[.period.from, .period.before]' all.json)"
same 'only its end given: that month' '["2026-10-01T00:00:00Z","2026-11-01T00:00:00Z"]' \
    "$(json --before 2026-11-01 | jq -c '[.period.from, .period.before]')"
see='
see licet report --help'
expect 'a time not on a full hour' 2 '' \
    "licet report: --from \"2026-11-23T06:30:00Z\": not on a full hour; the nearest are 2026-11-23T06:00:00Z and 2026-11-23T07:00:00Z$see" \
    report shop --agreement A-1 --from 2026-11-23T06:30:00Z
expect 'no time' 2 '' "licet report: --before \"soon\": expected a time such as 2022-10-01 or 2022-10-01T06:00:00Z$see" \
    report shop --agreement A-1 --before soon
expect 'an end before its begin' 2 '' "licet report: from 2026-12-01 before 2026-11-01: no time lies between$see" \
    report shop --agreement A-1 --from 2026-12-01 --before 2026-11-01

# --- what it refuses
for format in html csv; do
    expect "--format $format" 2 '' "licet report: --format $format: a later version has it; this one has text and json$see" \
        report shop --agreement A-1 --format $format
done
expect 'another format' 2 '' "licet report: --format \"pdf\": expected text or json$see" report shop --agreement A-1 --format pdf
expect 'another edition' 2 '' "licet report: --for \"press\": expected internal, counterparty or auditor$see" \
    report shop --agreement A-1 --for press
expect 'no agreement' 2 '' "licet report: expected either --agreement A or --all$see" report shop
expect 'both' 2 '' "licet report: expected either --agreement A or --all$see" report shop --all --agreement A-1
expect 'an agreement nobody recorded' 2 '' \
    'licet report: shop: no agreement "B-2" is recorded; licet report shop --all names them' report shop --agreement B-2
expect 'no site' 2 '' "licet report: expected one site, found 0$see" report --all
sed -i '3{s|^A|B|;t;s|^.|A|}' shop/data/ledger/A-1/checkpoint # another letter, whichever it was
same 'a checkpoint that was changed is no evidence' 2 "$("$licet" report shop --agreement A-1 >/dev/null 2>&1; echo $?)"
exit $rc
