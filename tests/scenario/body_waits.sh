# SPDX-License-Identifier: Apache-2.0
# gate: --late 1 --lease 200
# A page that outgrows its reservation and then the lease waits, buffer by buffer, until more is lent: nothing is handed on
# that is not granted. When nobody lends the agreement's cannot_record applies after a second.
. "$SCENARIO/lib.sh"
upstream page 1500
body=$SCENARIO_DIR/body
posts() { grep -o '"id"' "$body" | wc -l; }
n=0
for way in '' '-H Host:unbuffered' '-H Host:gzip --compressed' '-H Host:cached' '-H Host:cached' \
    "--http2-prior-knowledge --unix-socket $SCENARIO_DIR/h2.sock" "-k --http2 TLS" "-k --http1.1 TLS"; do
    url=http://127.0.0.1:$PORT/items/1
    [[ $way == *TLS ]] && url=https://127.0.0.1:$TLS_PORT/items/1
    # shellcheck disable=SC2086
    out=$(curl -sS --max-time 20 -o "$body" -w '%{http_code} %{time_total}' ${way%TLS} -H 'Authorization: Bearer secret-full' "$url")
    n=$((n + 1))
    same "way '$way': status" "${out% *}" 200
    same "way '$way': posts" "$(posts)" 1500
    same "way '$way': receipt" "$("$SCENARIO/receipt" $n '"\(.ending) \(.units.post) \(.unmetered)"')" 'complete 1500 none'
done
awk "BEGIN { exit !(${out#* } > 0.02) }" || { echo "it did not wait: $out"; exit 1; }

# a client that leaves while its page waits leaves what it got
tool=$(cat "$SCENARIO_DIR/gate_tool.pid")
kill -STOP "$tool"
curl -sS --max-time 0.06 -o "$body" -H 'Authorization: Bearer secret-full' "http://127.0.0.1:$PORT/items/1" 2>/dev/null && exit 1
sleep 0.02
kill -CONT "$tool"
n=$((n + 1))
ending=$("$SCENARIO/receipt" $n '"\(.ending): \(.units.post // 0)"')
units=${ending##*: }
[[ $ending == client\ closed* || $ending == cut* ]] && ((units >= $(posts) && units <= 400)) ||
    { echo "$ending, the client got $(posts)"; exit 1; }

# nobody lends: refuse cuts, open goes on and is told as a gap, allow goes on for as many as are left of it
for who in full open allow; do
    # the lease is as full as it gets
    curl -sS -o /dev/null -H "Authorization: Bearer secret-$who" "http://127.0.0.1:$PORT/free"
    sleep 0.2
    kill -STOP "$tool"
    start=$(date +%s%N)
    rc=0
    curl -sS --max-time 10 -o "$body" -H "Authorization: Bearer secret-$who" "http://127.0.0.1:$PORT/items/1" 2>/dev/null || rc=$?
    ms=$((($(date +%s%N) - start) / 1000000))
    kill -CONT "$tool"
    got=$(posts)
    n=$((n + 2))
    receipt=$("$SCENARIO/receipt" $n '"\(.ending): \(.units.post)"')
    echo "$who: curl $rc, $got posts in $ms ms, $receipt"
    if [[ $who == open ]]; then
        ((rc == 0)) || { echo "open was cut"; exit 1; }
        same 'open: receipt' "$receipt" 'complete: 1500'
        sleep 1
        told=$(jq -rs 'map(select(.unrecorded=="OPEN")) | "\(map(.requests)|add) \(map(.units)|add >= 1250)"' "$SCENARIO_DIR/receipts.other")
        same 'open: told' "$told" '0 true'
    else
        ((rc != 0)) || { echo "$who was not cut"; exit 1; }
        ((ms >= 900)) || { echo "$who did not wait: $ms ms"; exit 1; }
        ((got <= 150 + 300)) || { echo "$who got $got"; exit 1; }
        [[ $receipt == "cut by limit: "* && ${receipt##* } -ge $got ]] || { echo "$who: $receipt, the client got $got"; exit 1; }
    fi
done
