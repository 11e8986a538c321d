#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet metrics: what licetd serves, by command and by socket; without licetd it says so.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
licetd="$(dirname "$licet")/licetd"

"$licet" init shop --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null || exit 2
expect 'licetd does not run' 2 '' 'licet metrics: shop: licetd does not run for this site; what it counts lives and ends with it' metrics shop
"$licetd" shop 2>log &
daemon=$!
for _ in $(seq 200); do
    [ "$(curl -s --unix-socket shop/data/operator.sock http://localhost/healthz)" = ok ] && break
    sleep 0.05
done
get() { curl -s --unix-socket "shop/data/$1.sock" "${@:3}" "http://localhost$2"; }
"$licet" metrics shop >text
same 'as text' 0 $?
same 'the number of blindness' 'licet_unmetered_responses_total{reason="encoding"} 0' "$(grep '{reason="encoding"}' text)"
"$licet" metrics shop --json >json
same 'as JSON, as many samples' "$(grep -vc '^#' text)" "$(jq '[.metrics[].samples | length] | add' json)"
get metrics /metrics -H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5' >open
same 'OpenMetrics ends with its mark' '# EOF' "$(tail -1 open)"
same "the list, the rules and Prometheus' parser" 0 "$("$root/tests/metrics.py" text open json >judged; echo $?)"
same 'a format that is none' "400 format is text, openmetrics or json" "$(get metrics '/metrics?format=xml' | jq -r '"\(.status) \(.detail)"')"
same 'nothing else there' "404 there is nothing here but /metrics" "$(get metrics /status | jq -r '"\(.status) \(.detail)"')"
same 'nothing is changed there' "405 wrong method" "$(get metrics /metrics -X POST | jq -r '"\(.status) \(.detail)"')"
same 'the modes of the sockets' '660 600' "$(stat -c %a shop/data/metrics.sock shop/data/operator.sock | xargs)"
kill -TERM $daemon
wait $daemon
same 'licetd ends in order, its sockets are gone' '0 no' "$? $([ -e shop/data/metrics.sock ] && echo yes || echo no)"
rm -f "$(sed -n 's/^shared_memory: *//p' shop/licet.yaml)"
expect 'the command line' 2 '' 'licet metrics: expected one site, not 2
see licet metrics --help' metrics a b
exit $rc
