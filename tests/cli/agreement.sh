#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet agreement: the terms in sentences beside their sections, on a page 100 columns wide and as JSON; and accepted by one
# party, by both, by a wrong key, and not any more when a byte has changed.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"

"$licet" init base --upstream http://127.0.0.1:9000 --catalogue x-api-v2 >/dev/null
terms=agreements/A-1/2026-11-23.yaml
sha=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff

cp -r base shop
sed -i -e 's/^in_force: .*/in_force: { from: 2026-10-01, before: 2027-10-01, then: renew 12 months }/' \
    -e 's/licensor: { legal_name: Example Platform Inc., country: US }/licensor: { legal_name: Example Platform Inc., country: US, address: "1 Main Street, Springfield", role: grants the licence }/' \
    -e '/licensee: {/a\  affiliates: { test: more than half of the votes, included: [Meridian Ireland Ltd, Meridian Japan KK], disputed: [OpenMind LP] }' \
    -e 's/CAP-MONTH: { section: Order form 1, says: Two million posts a month over all apps }/CAP-MONTH: { section: Order form 1, says: Two million posts a month over all apps, class: G, severity: high, value: 2_000_000, also: [ { document: Policy, section: "4", value: 500 } ] }/' \
    "shop/$terms"
mv "shop/$terms" shop/agreements/A-1/2026-10-01.yaml
cat >>shop/agreements/A-1/2026-10-01.yaml <<END

known_from: 2026-11-01
documents:
  - { title: Developer Agreement, sha256: $sha, sections: roman, date: 2026-09-01, url: "https://example.org/agreement" }
  - { title: Policy, sha256: $sha, sections: none }
retention: { keep: 30 days, delete: 24 hours from written request, at_end: immediately, evidence: 10 business days from the request, clause: NO-TRAIN }
reports:
  - { name: declaration, covers: month, due: day 15 of next month, by: licensee, clause: CAP-MONTH }
audit:
  - { clause: CAP-MONTH, look_back: 2 years, at_most: once in 12 months, notice: reasonable, survives: 1 year, costs: five per cent or more and the licensee pays them }
  - { clause: NO-TRAIN, look_back: unlimited, at_most: unlimited }
breach: { notice: immediately, cure: 30 days from notice, waiver: written }
termination: { notice: 30 days, by: either, clause: NO-TRAIN }
END
"$licet" agreement show shop A-1 >got || report no 'it is told'
sed -i '/^SHA-256 [0-9a-f]*$/d' got
same 'every part in sentences beside their sections' "$(cat "$root/tests/cli/agreement.golden")" "$(cat got)"
same 'no line is longer than 100 columns' '' "$(awk 'length($0) > 100' got | grep -v 'SHA-256 [0-9a-f]\{64\}')"
expect 'no version in force then' 1 '' 'licet agreement: agreement A-1: no version is in force at 2020-01-01' \
    agreement show shop A-1 --at 2020-01-01
expect 'an agreement that is not there' 2 '' 'licet agreement: shop: there is no agreement "B-1"' agreement show shop B-1
expect 'a time that is none' 2 '' 'licet agreement: --at "soon": expected a time such as 2022-10-10 or 2022-10-10T12:00:00Z
see licet agreement --help' agreement show shop A-1 --at soon
expect 'no subcommand' 2 '' 'licet agreement: "shop": expected show or accept
see licet agreement --help' agreement shop A-1
same 'the same sentences as JSON' \
    "$("$licet" agreement show shop A-1 --json | jq -r '[.version, .back_dated, (.sentences | length), (.sentences[] | select(.part == "Audit") | .section)] | map(tostring) | join(" ")')" \
    "2026-10-01 true 44 Order form 1 Order form 1 Order form 1 Order form 1 Order form 1 Terms 2.1 Terms 2.1 null"

# ---- accept ----
hide() { sed -E -e 's/licet-[0-9a-f]{12}/KEY/g' -e 's/T[0-9:.]+Z/TIME/g'; }
try() { "$licet" agreement "$@" >"$work/out" 2>&1; printf 'exit %s\n' $?; hide <"$work/out"; }
"$licet" init stranger --upstream http://127.0.0.1:9000 >/dev/null
cp -r base licensee
sed -i 's/^party: licensor/party: licensee/' licensee/licet.yaml
cp stranger/data/key licensee/data/key
note=agreements/A-1/accepted/2026-11-23.licensor.note
same 'the licensor accepts' 'exit 0
version 2026-11-23 of A-1 accepted by the licensor, key KEY
note: base/agreements/A-1/accepted/2026-11-23.licensor.note
not recorded yet: the apply that records this text does' "$(try accept base A-1 --as 'J. Roe, VP Licensing')"
same 'twice' 'exit 1
licet agreement: version 2026-11-23 was accepted by the licensor at 2026-11-23TIME already' "$(try accept base A-1)"
same 'what is signed' "licet acceptance v1
agreement A-1
version 2026-11-23
sha256 $(sha256sum "base/$terms" | cut -d' ' -f1)
catalogue x-api-v2@2022-10-10
catalogue-sha256 $(sha256sum base/catalogue/x-api-v2@2022-10-10.yaml | cut -d' ' -f1)
party licensor
time 2026-11-23TIME
as J. Roe, VP Licensing" "$(sed '/^$/,$d' "base/$note" | hide)"
same 'a version that is not there' 'exit 2
licet agreement: agreement A-1 has no version "2020-01-01"' "$(try accept base A-1 --version 2020-01-01)"
same 'a note by another key' 'exit 2' "$(try accept licensee A-1 --note "base/$note" --verifier "$(sed 's/^PRIVATE+KEY+//; s/+.*//' stranger/data/key | head -1)+00000000+$(sed 's/.*+//' base/agreements/A-1/accepted/2026-11-23.licensor.key)" | head -1)"
same 'the licensee takes the note in' 'exit 0
version 2026-11-23 of A-1 accepted by the licensor, key KEY
note: licensee/agreements/A-1/accepted/2026-11-23.licensor.note
not recorded yet: the apply that records this text does' \
    "$(try accept licensee A-1 --note "base/$note" --verifier "$(cat base/agreements/A-1/accepted/2026-11-23.licensor.key)")"
same 'and accepts' 'exit 0' "$(try accept licensee A-1 | head -1)"
same 'both are told' 'Accepted
                        By the licensor at 2026-11-23TIME as J. Roe, VP Licensing, key
                        KEY.
                        By the licensee at 2026-11-23TIME, key KEY.' "$("$licet" agreement show licensee A-1 | sed -n '/^Accepted/,$p' | hide)"
cp -r licensee forged
sed -i 's/VP Licensing/CEO/' "forged/$note"
same 'a note that was changed' 'The note of the licensor does not hold' \
    "$("$licet" agreement show forged A-1 | grep -o 'The note of the licensor does not hold')"
same 'check tells it' 1 "$("$licet" check forged | grep -c 'note: version 2026-11-23: the note of the licensor does not hold')"
echo '# later' >>"licensee/$terms"
same 'a file that was changed' 2 "$("$licet" check licensee | grep -c 'has changed since the licens.* accepted it')"
same 'is not accepted again' 'exit 1' "$(try accept licensee A-1 | head -1)"
same 'nor is a note of other files taken in' 'exit 2' \
    "$(rm licensee/agreements/A-1/accepted/*; try accept licensee A-1 --note "base/$note" --verifier "$(cat base/agreements/A-1/accepted/2026-11-23.licensor.key)" | head -1)"
# ---- acceptance as a record of the ledger ----
"$licet" init kept --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null
sed -i 's/from: 2026-11-23/from: 2020-01-01/' kept/agreements/A-1/*.yaml
size() { sed -n 2p kept/data/ledger/A-1/checkpoint; }
accepted() { "$licet" report kept --agreement A-1 --from 2022-10-01 --before 2022-11-01 --format json "$@" | jq -c '.agreement.accepted_by[]|[.party,.at!=null,.as]'; }
"$licet" agreement accept kept A-1 --as 'J. Roe, VP Licensing' >/dev/null
"$licet" apply kept --reason first >/dev/null
same 'a note that came before the apply is recorded with it' '["licensor",true,"J. Roe, VP Licensing"]
["licensee",false,null]' "$(accepted)"
same 'names are for the internal edition' '["licensor",true,null]
["licensee",false,null]' "$(accepted --for counterparty)"
"$licet" init other --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null
cp kept/agreements/A-1/*.yaml other/agreements/A-1/
cp kept/catalogue/* other/catalogue/
sed -i 's/^party: .*/party: licensee/' other/licet.yaml
"$licet" agreement accept other A-1 --as 'A. Poe' >/dev/null
before=$(size)
"$licet" agreement accept kept A-1 --note other/agreements/A-1/accepted/*.licensee.note --verifier "$(cat other/agreements/A-1/accepted/*.licensee.key)" >out 2>err
same 'the other side, at once' '0 recorded in the ledger' "$? $(tail -1 out)"
same 'one record more, signed' $((before + 1)) "$(size)"
same 'both are told' '["licensor",true,"J. Roe, VP Licensing"]
["licensee",true,"A. Poe"]' "$(accepted)"
same 'in words' 'accepted by the licensor, J. Roe, VP Licensing' "$("$licet" report kept --agreement A-1 --from 2022-10-01 --before 2022-11-01 | tr -s ' \n' ' ' | grep -o 'accepted by the licensor, J. Roe, VP Licensing')"
"$licet" apply kept --reason again >/dev/null
same 'an apply records nothing twice' $((before + 1)) "$(size)"
"$licet" verify kept >out 2>err
same 'verified' '0 0 0' "$? $(wc -c <err) $(grep -c erased out)"
clear=$(echo kept/data/recorded/A-1/accepted/*.licensee.*)
cp "$clear" clear
sed -i 's/A. Poe/B. Poe/' "$clear"
"$licet" verify kept >out 2>err
same 'a note that was changed is named' '1 1' "$? $(grep -c "$clear: it is not what the ledger commits to" err)"
rm "$clear"
"$licet" verify kept >out 2>err
same 'one that was erased is said to be' '0 clear texts: 1 erased, of which the ledgers keep the commitments' "$? $(grep erased out)"
same 'and its name is told no more' '["licensee",true,null]' "$(accepted | tail -1)"
cp clear "$clear"
# ---- clear texts of registry changes ----
texts=kept/data/recorded/A-1/1/changes
cp $texts clear
sed -i '3s/.$/X/' $texts
"$licet" verify kept >out 2>err
same 'a clear text that was changed is named' '1 1' "$? $(grep -c "$texts: line \"[0-9]* [a-z]*\" is not what the ledger commits to" err)"
sed '3d' clear >$texts
"$licet" verify kept >out 2>err
same 'one that was erased is told' '0 clear texts: 1 erased, of which the ledgers keep the commitments' "$? $(grep erased out)"
rm $texts
same 'all of an image' '[true,true]' "$("$licet" verify kept --json | jq -c '[.verified,.erased>5]')"
cp clear $texts
same 'none' '[true,0]' "$("$licet" verify kept --json | jq -c '[.verified,.erased]')"
exit $rc
