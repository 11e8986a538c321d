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
same 'a signed checkpoint is left: fold version and agreement version' 2 "$(size A-1)"
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
same 'and nothing is recorded' 2 "$(size A-1)"

sed -i 's/^mode: observe/mode: enforce/' shop/$terms
expect 'a change in words' 0 'A-1: ~ version 2026-11-23: mode observe -> enforce
recorded 1 change, generation 2' '' apply shop --reason 'we mean it'
same 'one more record' 3 "$(size A-1)"
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
same 'nothing was recorded' 4 "$(size A-1)"
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
same 'licetd has what was applied' '[true,3,true]' "$(status | jq -c '[.recording, .generation, ([.ledgers[] | .size == .signed] | all)]')"
sed -i 's/^mode: observe/mode: enforce/' shop/$terms
expect 'licetd does the work' 0 'A-1: ~ version 2026-11-23: mode observe -> enforce
recorded 1 change, generation 4' '' apply shop --reason 'by licetd'
same 'at once' 4 "$(status | jq .generation)"
same 'and signs' 5 "$(size A-1)"
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
