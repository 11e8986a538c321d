# SPDX-License-Identifier: Apache-2.0
# conf: operators.conf
# A page from nginx's cache is decided and counted for each caller as if it came from the platform.
. "$SCENARIO/lib.sh"
platform
n=0
cached() { # WHAT APP TARGET STATUS CACHE RECEIPT [CURL OPTIONS]
    local what=$1 app=$2 target=$3 status=$4 state=$5 receipt=$6
    shift 6
    same "$what" "$(get cached "$app" "$target" "$@")" "$status"
    same "$what, from where" "$(sed -n 's/^x-cache: *\([A-Z]*\).*/\1/ip' "$SCENARIO_DIR/head")" "$state"
    [[ -n $receipt ]] || return 0
    n=$((n + 1))
    same "$what, receipt" "$("$SCENARIO/receipt" $n '"\(.agreement) \(.ending) \(.units.post)"')" "$receipt"
}
cached 'first' full '/search?k=a&max_results=60' 200 MISS 'FULL complete 60'
cached 'another app' cap '/search?k=a&max_results=60' 200 HIT 'CAP complete 60'
cached 'again' full '/search?k=a&max_results=60' 200 HIT 'FULL complete 60'
cached 'over the cap' cap '/search?k=a&max_results=60' 429 '' 'CAP refused null'
cached 'a stranger' '' '/search?k=a&max_results=60' 401 '' ''
cached 'a forbidden purpose' full '/search?k=a' 403 '' 'FULL refused null' -H 'Licet-Purpose: train-ai'
cached 'not modified' full '/search?k=a' 304 HIT 'FULL no body due null' -H 'If-None-Match: "page"'
cached 'HEAD' full '/search?k=a' 200 HIT 'FULL no body due null' -I
cached 'a range' full '/search?k=a' 200 HIT 'FULL complete 60' -r 0-9
same 'asked once' "$(asked 'GET /search')" 1

# one goes up, the others wait for its answer
pids=
for app in full deliver observe; do
    curl -sS -o /dev/null -H 'Host: cached' -H "Authorization: Bearer secret-$app" "http://127.0.0.1:$PORT/search?k=lock&max_results=4&sleep=0.5" &
    pids+=" $!"
done
# shellcheck disable=SC2086
wait $pids
n=$((n + 3))
"$SCENARIO/receipt" $n >/dev/null
same 'lock' "$(tail -3 "$SCENARIO_DIR/receipts" | jq -r '"\(.agreement) \(.units.post)"' | sort | tr '\n' ' ')" 'DELIVER 4 FULL 4 OBSERVE 4 '
same 'lock' "$(asked 'k=lock')" 1

# stale: an update in the background is nobody's request
cached 'fresh' full '/search?k=s&brief=1' 200 MISS 'FULL complete 10'
cached 'fresh' full '/search?k=b&brief=1' 200 MISS 'FULL complete 10'
sleep 2.1
cached 'stale' full '/search?k=s' 200 STALE 'FULL complete 10' -H 'Licet-Purpose: search'
for _ in $(seq 100); do [[ $(asked 'k=s') == 2 ]] && break; sleep 0.01; done
same 'updated' "$(asked 'k=s') $(asked 'licet-')" '2 0'
cached 'the platform is broken' full '/search?k=b&broken=1' 200 STALE 'FULL complete 10'
receipts $n
