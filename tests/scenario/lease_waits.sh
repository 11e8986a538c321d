# SPDX-License-Identifier: Apache-2.0
# gate: --late 1 --lease 1000
# An empty lease is waited for: the request goes on as soon as licetd has lent, long before its patience ends.
. "$SCENARIO/lib.sh"
upstream page 3
out=$(curl -sS -o /dev/null -w '%{http_code} %{time_total}' -H 'Authorization: Bearer secret-full' \
    "http://127.0.0.1:$PORT/search")
same status "${out% *}" 200
awk "BEGIN { exit !(${out#* } < 0.09) }" || { echo "waited ${out#* } s"; exit 1; }
same receipt "$("$SCENARIO/receipt" 1 '"\(.ending) \(.units.post)"')" 'complete 3'
duration=$("$SCENARIO/receipt" 1 .duration_ms)
((duration >= 4)) || { echo "it did not wait: $duration ms"; exit 1; }

# ten at once, each waits for itself and none is lost
seq 10 | xargs -P 10 -I{} curl -sS -o /dev/null -H 'Authorization: Bearer secret-deliver' "http://127.0.0.1:$PORT/items/{}"
"$SCENARIO/receipt" 11 >/dev/null

# a client that leaves while it waits leaves nothing behind
kill -STOP "$(cat "$SCENARIO_DIR/gate_tool.pid")"
curl -sS --max-time 0.03 -o /dev/null -H 'Authorization: Bearer secret-open' "http://127.0.0.1:$PORT/items/1" 2>/dev/null && exit 1
kill -CONT "$(cat "$SCENARIO_DIR/gate_tool.pid")"
sleep 0.3
same 'no receipt' "$(wc -l <"$SCENARIO_DIR/receipts")" 11
