# SPDX-License-Identifier: Apache-2.0
# conf: operators.conf
# Whatever stands behind: several servers, a retry, kept connections, names made of variables, FastCGI, uwsgi, SCGI, gRPC.
. "$SCENARIO/lib.sh"
platform
n=0
counted() {
    n=$((n + 1))
    same "$1" "$("$SCENARIO/receipt" $n '"\(.ending) \(.status) \(.units.post)"')" "$2"
}

# a retry is one request: one receipt, one reservation
for how in broken close; do
    for k in 1 2; do
        same "retry, $how $k" "$(get retry cap "/search?max_results=5&$how=$k")" 200
        counted "retry, $how $k" 'complete 200 5'
    done
done
(($(asked '^1 ') + $(asked '^2 ') > 4))
same 'each once' "$(left)" 80
same 'both fail' "$(get retry cap '/search?max_results=5&status=500')" 500
counted 'both fail' 'upstream refused 500 null'
same 'nothing was taken' "$(get retry cap '/search?max_results=1')" 200
counted 'nothing was taken' 'complete 200 1'
same 'nothing was taken' "$(left)" 79

# kept connections carry one caller after the other
for app in full cap full; do
    same 'keepalive' "$(get auth $app '/search?max_results=2' -H 'X-Auth: 200')" 200
    counted 'keepalive' 'complete 200 2'
done
same 'whose' "$("$SCENARIO/receipt" $((n - 1)) .agreement)" CAP

same 'an address from a variable' "$(get variable full /search)" 200
counted 'an address from a variable' 'complete 200 10'
same 'an upstream from a variable' "$(get variable full /name/search)" 200
counted 'an upstream from a variable' 'complete 200 null'
same 'a resolver that does not answer' "$(get variable cap /search -H 'X: y')" 200
counted 'a resolver' 'complete 200 10'

# other protocols
python3 "$SCENARIO/gateways.py" "$SCENARIO_DIR" &
gateways=$!
trap 'kill $PLATFORM_PID $gateways' EXIT
for _ in $(seq 300); do [[ -S $SCENARIO_DIR/scgi.sock ]] && break; sleep 0.01; done
for way in '/search' '/uwsgi/search' '/scgi/search' '/grpc/search'; do
    same "$way" "$(get gateways full "$way?max_results=3" -H 'Licet-Purpose: search')" 200
    counted "$way" 'complete 200 3'
    same "$way, a stranger" "$(get gateways '' "$way")" 401
done
same 'what reached the gateways' "$(sort "$SCENARIO_DIR/gateways.log" | uniq -c | tr -s ' ' | tr '\n' ';')" ' 1 fastcgi;'" 1 scgi;"' 1 uwsgi;'
same 'FastCGI breaks off' "$(get gateways full '/search?half=1' -H 'Connection: close' || true)" 200
counted 'FastCGI breaks off' 'upstream aborted 200 1'
receipts $n
