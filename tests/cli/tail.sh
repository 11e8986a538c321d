#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet tail: the lines of a ledger, refusals one by one, with licetd and without.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
licetd="$(dirname "$licet")/licetd"
seed="$(dirname "$licet")/tests/licet-test-seed"

"$licet" init shop --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null || exit 2
"$licet" apply shop --reason first >/dev/null || exit 2
"$licet" tail shop --all >out 2>err
same 'nothing yet' '0 0 0' "$? $(wc -c <out) $(wc -c <err)"
"$seed" shop 1000 observed || exit 2
"$licet" rebuild shop >/dev/null || exit 2

"$licet" tail shop --all --json >lines 2>err
same 'from the beginning' '0 0' "$? $(wc -c <err)"
same 'each line is an object with the members of the manual' '["agreement","app","bytes","clause","decision","ending","endpoint","index","product","purpose","reason","recipient","remaining","status","time","units","unmetered","use_case","verdict"]' \
    "$(jq -s -c 'map(del(.part) | keys) | unique | .[]' lines)"
same 'each decision has one line' "$(jq -r .decision lines | wc -l)" "$(jq -r 'select(.part == null) | .decision' lines | sort -u | wc -l)"
same 'ids have 32 hex digits' 0 "$(jq -r .decision lines | grep -Evc '^[0-9a-f]{32}$')"
same 'refusals are told one by one' "$(jq -s '[.[] | select(.verdict == "refuse")] | length' lines)" \
    "$(sqlite3 shop/data/usage.db "select sum(requests) from sums where verdict = 1" 2>/dev/null || jq -s '[.[] | select(.verdict == "refuse")] | length' lines)"
same 'as many lines as text' "$(wc -l <lines)" "$("$licet" tail shop --all | wc -l)"
same 'a line of text: time, app, …, eight digits' 0 "$("$licet" tail shop --all | grep -Evc '^[0-9]{2}:[0-9]{2}:[0-9]{2}  [^ ]+  [^ ]+  [^ ]+  [0-9]{3}  .*  [0-9a-f]{8}$')"
same 'what was only observed tells why, where the receipt does' '[{"reason":"cap-reached","lines":39},{"reason":"none","lines":39}]' \
    "$(jq -s -c 'map(select(.verdict == "observe")) | group_by(.reason) | map({reason: .[0].reason, lines: length})' lines)"
same 'which is no unit' '["held:post","post","user"]' "$(jq -s -c 'map(.units | keys) | add | unique' lines)"
same 'text shows what was delivered, not what stays charged' '18 0 858' "$(jq -c 'select(.units["held:post"])' lines | wc -l) $("$licet" tail shop --all | grep -c held) $("$licet" tail shop --all | grep -c '  10 posts, 3 users')"
same 'the same in text' '39 39' "$("$licet" tail shop --all | grep -c '  observe: cap-reached  ') $("$licet" tail shop --all | grep -c '  observe  ')"
same 'one agreement' "$(jq -c 'select(.agreement == "A-1")' lines | wc -l)" "$("$licet" tail shop --all --json --agreement A-1 | wc -l)"
same 'another' 0 "$("$licet" tail shop --all --agreement B-9 | wc -l)"
expect 'without licetd nothing happens' 2 '' \
    'licet tail: shop: licetd does not run there, so nothing happens; --all prints what is recorded' tail shop

"$licetd" shop 2>log &
daemon=$!
for _ in $(seq 200); do
    [ "$(curl -s --unix-socket shop/data/operator.sock http://localhost/healthz)" = ok ] && break
    sleep 0.05
done
"$licet" tail shop --all --once --json >again
same 'the same through licetd' 0 "$(cmp -s lines again; echo $?)"
same 'what licetd keeps: none since it began' '0 0' "$("$licet" tail shop --once | wc -l) $?"
same 'the licensee reads the same receipts' "$(jq -c 'select(.agreement == "A-1")' lines | sha256sum)" "$(after=
    while :; do
        curl -s -D head -H 'Licet-Agreement: A-1' --unix-socket shop/data/api.sock "http://localhost/.well-known/licet/receipts${after:+?after=$after}" >part
        next=$(sed -nE 's/^Licet-After: ([0-9]+).*/\1/Ip' head)
        [ "$next" != "$after" ] || break
        cat part
        after=$next
    done | jq -c . | sha256sum)"
timeout 2 "$licet" tail shop >out 2>err
same 'it waits for more' '124 0 0' "$? $(wc -c <out) $(wc -c <err)"
kill -TERM $daemon
wait $daemon
same 'licetd ends in order' 0 $?
expect 'the command line' 2 '' 'licet tail: "--agreement" is no option, or lacks its value
see licet tail --help' tail shop --agreement
exit $rc
