#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet apply: records the files, alone or through licetd, once; and records nothing while a file holds a mistake.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
licetd="$(dirname "$licet")/licetd"
terms=agreements/A-1/2026-11-23.yaml

"$licet" init shop --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null || exit 2
size() { sed -n 2p "shop/data/ledger/$1/checkpoint"; }

"$licet" apply shop --reason 'first terms' >out 2>err
same 'the first time' '0 0' "$? $(wc -c <err)"
same 'its last line' 'recorded' "$(tail -1 out | cut -d' ' -f1)"
same 'a signed checkpoint is left: fold version, ten changes and agreement version' 12 "$(size A-1)"
same 'and one of the ledger of callers nobody knows' 1 "$(size unidentified)"
same 'the reason is kept in clear, for the owner alone' 'first terms 600' \
    "$(cat shop/data/recorded/A-1/1/reason) $(stat -c %a shop/data/recorded/A-1/1/reason)"
same 'and is not in the ledger' 1 "$(grep -c 'first terms' shop/data/ledger/A-1/entries >/dev/null; echo $?)"
same 'the commitment can be recomputed from text and salt' yes "$(python3 - <<'END'
import hashlib
folder = 'shop/data/recorded/A-1/1/'
salts = dict(line.split() for line in open(folder + 'salts'))
entries = open('shop/data/ledger/A-1/entries', 'rb').read()
commit = lambda name, path: hashlib.sha256(bytes.fromhex(salts[name]) + open(folder + path, 'rb').read()).digest()
print('yes' if commit('reason', 'reason') in entries and commit('apps', 'apps.yaml') in entries else 'no')
END
)"
expect 'nothing differs' 0 'nothing differs from what is recorded' '' apply shop --reason again
same 'and nothing is recorded' 12 "$(size A-1)"

sed -i 's/^mode: observe/mode: enforce/' shop/$terms
expect 'a change in words' 0 'A-1: ~ version 2026-11-23: mode observe -> enforce
recorded 1 change, generation 2' '' apply shop --reason 'we mean it'
same 'a change and a version more' 14 "$(size A-1)"
sed -i 's/^mode: enforce/mode: observe/' shop/$terms
same 'as JSON' '[3,[{"agreement":"A-1","changes":["~ version 2026-11-23: mode enforce -> observe"]}]]' \
    "$("$licet" apply shop --reason back --json | jq -c '[.generation, .agreements]')"
same 'nothing differs, as JSON' '{"generation":3,"agreements":[]}' "$("$licet" apply shop --reason again --json | jq -c .)"

# --- mistakes
cp shop/$terms kept
sed -i 's/^mode: observe/mode: sometimes/' shop/$terms
"$licet" apply shop --reason typo >out 2>err
same 'a mistake' '1 0' "$? $(wc -c <out)"
same 'with its place' "$terms:" "$(sed -E 's/^([^:]*:)[0-9]+:[0-9]+:.*/\1/;q' err)"
same 'and how many' 'licet apply: 1 mistake; nothing was recorded' "$(tail -1 err)"
same 'nothing was recorded' 16 "$(size A-1)"
same 'mistakes as JSON' '["agreements/A-1/2026-11-23.yaml"]' "$("$licet" apply shop --reason typo --json 2>/dev/null | jq -c '[.mistakes[].file]')"
cp kept shop/$terms
cp kept shop/agreements/A-1/terms.yaml
"$licet" apply shop --reason typo >out 2>err
same 'a mistake without a place' 1 "$(grep -c '^agreements/A-1/terms.yaml: ' err)"
rm shop/agreements/A-1/terms.yaml

# --- two agreements
"$licet" init pair --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null || exit 2
cp -r pair/agreements/A-1 pair/agreements/B-1
sed -i 's/^agreement: A-1/agreement: B-1/' pair/agreements/B-1/*.yaml
"$licet" apply pair --reason first >/dev/null || exit 2
sed -i 's/^mode: observe/mode: enforce/' pair/agreements/*/2026-11-23.yaml
cp -r pair twin
expect 'each change behind its agreement' 0 'A-1: ~ version 2026-11-23: mode observe -> enforce
B-1: ~ version 2026-11-23: mode observe -> enforce
recorded 2 changes, generation 2' '' apply pair --reason both
same 'and in JSON as plan has them' "$("$licet" plan twin --json | jq -c '[.agreements[] | del(.new)]')" \
    "$("$licet" apply twin --reason both --json | jq -c .agreements)"

# --- what was recorded ends; what begins before now needs two persons
apps=shop/agreements/A-1/apps.yaml
cp $apps apps.kept
"$licet" credential new shop app-1 --id K-1 >/dev/null
"$licet" apply shop --reason key >/dev/null || exit 2
sed -i '/id: K-1/d' $apps
sed -i 's/credentials: *$/credentials: []/' $apps
expect 'what was recorded is not taken away' 1 '' \
    'agreements/A-1: - credential K-1 of app app-1 (bearer) from 2026-11-23T12:00:00.000Z: it was recorded, so it ends and is not taken away: give it before: (or apply with --remove)
licet apply: 1 mistake; nothing was recorded' apply shop --reason gone
expect 'plan says so too' 0 'A-1:
  - credential K-1 of app app-1 (bearer) from 2026-11-23T12:00:00.000Z

1 change. licet apply does not record them as they are:
  agreements/A-1: - credential K-1 of app app-1 (bearer) from 2026-11-23T12:00:00.000Z: it was recorded, so it ends and is not taken away: give it before: (or apply with --remove)' '' plan shop
expect 'unless it is meant' 0 'A-1: - credential K-1 of app app-1 (bearer) from 2026-11-23T12:00:00.000Z
recorded 1 change, generation 5' '' apply shop --reason gone --remove
cp apps.kept $apps
sed -i 's/^use_cases:/use_cases:\n  UC-9: { product: "Product 1", purpose: display, approved: { by: J. Roe, role: licensing, from: 2026-11-01 } }/' $apps
back='agreements/A-1: + use case UC-9 (product Product 1, purpose display) approved from 2026-11-01: it takes effect before now: a second person must approve it (--approved-by)
licet apply: 1 mistake; nothing was recorded'
expect 'back-dated' 1 '' "$back" apply shop --reason late
expect 'back-dated by one' 1 '' "$back" apply shop --reason late --as 'A. Poe, sales'
expect 'an approver alone' 2 '' 'licet apply: approved by "B. Moe, legal": expected --as too, who applies it' \
    apply shop --reason late --approved-by 'B. Moe, legal'
expect 'by the same person' 2 '' 'licet apply: approved by "a.  poe, legal": expected another person than "A. Poe, sales"' \
    apply shop --reason late --as 'A. Poe, sales' --approved-by 'a.  poe, legal'
expect 'by two' 0 'A-1: + use case UC-9 (product Product 1, purpose display) approved from 2026-11-01
recorded 1 change, generation 6' '' apply shop --reason late --as 'A. Poe, sales' --approved-by 'B. Moe, legal'
same 'who it was is kept in clear' '0 words + use case UC-9 (product Product 1, purpose display) approved from 2026-11-01
0 who J. Roe, licensing
0 as A. Poe, sales
0 approved B. Moe, legal' "$(cut -f1,2,4 shop/data/recorded/A-1/6/changes | tr '\t' ' ')"
same 'and not in the ledger, which can tell that it is so' '["approved","as","who","words"] back-dated' "$(python3 - <<'END'
import hashlib, json
entries = open('shop/data/ledger/A-1/entries', 'rb').read()
rows = [line.rstrip('\n').split('\t') for line in open('shop/data/recorded/A-1/6/changes')]
found = sorted(r[1] for r in rows if hashlib.sha256(bytes.fromhex(r[2]) + r[3].encode()).digest() in entries)
assert b'J. Roe' not in entries and b'B. Moe' not in entries
at = entries.index(b'\x00\x04UC-9')
print(json.dumps(found, separators=(',', ':')), 'back-dated' if entries[at - 1] == 1 else 'not')
END
)"
mkdir elsewhere
mv shop/agreements/A-1 elsewhere/
cp -r pair/agreements/B-1 shop/agreements/
expect 'an agreement stays' 1 '' 'agreements/A-1: - agreement A-1: it was recorded, so it ends and is not taken away: give its last version in_force: before:
licet apply: 1 mistake; nothing was recorded' apply shop --reason away --remove
rm -r shop/agreements/B-1
mv elsewhere/A-1 shop/agreements/

# --- the command line
expect 'without a reason' 2 '' 'licet apply: --reason is missing: say why this changes
see licet apply --help' apply shop
expect 'without a site' 2 '' 'licet apply: expected one site, found 0 arguments
see licet apply --help' apply --reason x
expect 'an option nobody knows' 2 '' 'licet apply: "--force" is no option, or lacks its value
see licet apply --help' apply shop --force
"$licet" apply nowhere --reason x >out 2>err
same 'no such site' '2 0' "$? $(wc -c <out)"

# --- through licetd
"$licetd" shop 2>log &
daemon=$!
for _ in $(seq 200); do
    [ "$(curl -s --unix-socket shop/data/operator.sock http://localhost/healthz)" = ok ] && break
    sleep 0.05
done
status() { curl -s --unix-socket shop/data/operator.sock http://localhost/status; }
same 'licetd has what was applied' '[true,6,true]' "$(status | jq -c '[.recording, .generation, ([.ledgers[] | .size == .signed] | all)]')"
sed -i 's/^mode: observe/mode: enforce/' shop/$terms
expect 'licetd does the work' 0 'A-1: ~ version 2026-11-23: mode observe -> enforce
recorded 1 change, generation 7' '' apply shop --reason 'by licetd'
same 'at once' 7 "$(status | jq .generation)"
same 'and signs' 24 "$(size A-1)"
"$licetd" shop >out 2>err
same 'a second licetd' "2 another recorder works on this site: process $daemon" "$? $(sed 's/.*: another/another/' err)"
same 'wrong method, unknown resource' '405 404 400' "$(for ask in sync nowhere 'tail?after=x'; do
    curl -s -o /dev/null -w '%{http_code} ' --unix-socket shop/data/operator.sock "http://localhost/$ask"; done | sed 's/ $//')"
same 'the operator socket is the owner'"'"'s' '600 660' "$(stat -c %a shop/data/operator.sock) $(stat -c %a shop/data/api.sock)"
api() { curl -s --unix-socket shop/data/api.sock "$@"; }
same 'the licensee sees its agreement' '["A-1","2026-11-23"]' "$(api -H 'Licet-Agreement: A-1' http://localhost/.well-known/licet/agreement | jq -c '[.id, .versions[0].version]')"
same 'its checkpoint' "$(cat shop/data/ledger/A-1/checkpoint)" "$(api -H 'Licet-Agreement: A-1' http://localhost/ledger/checkpoint)"
same 'a fault is told without paths of the server' \
    '{"type":"about:blank","title":"Not Found","status":404,"detail":"the ledger has no such resource"}' \
    "$(api -H 'Licet-Agreement: A-1' http://localhost/ledger/tile/0/000)"
same 'as a problem document' application/problem+json "$(api -o /dev/null -w '%{content_type}' http://localhost/agreement)"
same 'what is not defined is not ignored' '400 parameter "from" is not defined here: expected none' \
    "$(api -H 'Licet-Agreement: A-1' 'http://localhost/usage?from=abc' | jq -r '"\(.status) \(.detail)"')"
same 'what is not defined is not ignored' '400 parameter "before" is not defined here: expected none or after' \
    "$(api -H 'Licet-Agreement: A-1' 'http://localhost/receipts?after=0&before=3' | jq -r '"\(.status) \(.detail)"')"
same 'nobody without an agreement, nothing of another' '401 404 404 404' "$(api -o /dev/null -w '%{http_code} ' http://localhost/agreement
    for ask in agreement ledger/checkpoint; do api -o /dev/null -w '%{http_code} ' -H 'Licet-Agreement: B-1' "http://localhost/$ask"; done
    api -o /dev/null -w '%{http_code}' -H 'Licet-Agreement: A-1' --path-as-is 'http://localhost/ledger/../../B-1/checkpoint')"
kill -TERM $daemon
wait $daemon
same 'licetd ends in order' '0 1' "$? $(grep -c 'ended in order' log)"
same 'and its shared memory is gone' no "$([ -e "$(sed -nE 's/^shared_memory: *(\S+).*/\1/p' shop/licet.yaml)" ] && echo yes || echo no)"
same 'verify is content' 0 "$("$licet" verify shop >/dev/null 2>&1; echo $?)"
exit $rc
