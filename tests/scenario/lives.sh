# SPDX-License-Identifier: Apache-2.0
# workers: 2
# alerts: worker process [0-9]+ exited on signal 9
# Workers stop, die and are replaced, the gate is replaced, terms change: each response keeps its one receipt.
. "$SCENARIO/lib.sh"
upstream page 20000
url=http://127.0.0.1:$PORT/search
key='Authorization: Bearer secret-full'
workers() { pgrep -P "$(cat "$SCENARIO_DIR/nginx.pid")" -f 'worker process' | grep -v "^${1:-none}$"; }

# terms change: the next request is judged by them
curl -sS -o /dev/null -H "$key" "$url"
same before "$("$SCENARIO/receipt" 1 .ending)" complete
sed -i 's/unit: post, most: 1_000_000/unit: post, most: 5/' "$SCENARIO_DIR/site/agreements/FULL/2020-01-01.yaml"
kill -HUP "$(cat "$SCENARIO_DIR/gate_tool.pid")"
sleep 0.3
same 'new terms' "$(curl -sS -o /dev/null -w '%{http_code}' -H "$key" "$url")" 429
same 'old terms for nobody' "$("$SCENARIO/receipt" 2 .reason)" cap-reached
key='Authorization: Bearer secret-deliver'

# a slow client while the worker is killed: licetd makes the receipt
sed -i 's/most: 10,/most: 1_000_000,/' "$SCENARIO_DIR/site/agreements/DELIVER/2020-01-01.yaml"
kill -HUP "$(cat "$SCENARIO_DIR/gate_tool.pid")"
sleep 0.3
for how in KILL TERM; do
    (curl -sS --limit-rate 100k --max-time 3 -o "$SCENARIO_DIR/slow" -H "$key" "$url" || true) 2>/dev/null &
    curl=$!
    sleep 0.7
    for pid in $(workers); do
        kill -$how "$pid"
    done
    wait $curl
done
same killed "$("$SCENARIO/receipt" 3 '"\(.ending) \(.status)"')" 'worker died 200'
same stopped "$("$SCENARIO/receipt" 4 '"\(.ending) \(.status)"')" 'gate stopped 200'
(($("$SCENARIO/receipt" 4 .units.post) >= $(grep -ao '{"id"' "$SCENARIO_DIR/slow" | wc -l)))

# a new gate in place of the old one: new requests take it, the slow one finishes in the old
sleep 0.3
curl -sS --limit-rate 2M -o "$SCENARIO_DIR/slow" -H "$key" "$url" &
curl=$!
sleep 0.4
cp "$SCENARIO_DIR/gate" "$SCENARIO_DIR/gate.kept"
"$BUILD/tests/scenario/gate_tool" "$SCENARIO_DIR/site" "$SCENARIO_DIR/gate" "$SCENARIO_DIR/receipts.new" --epoch 2 \
    >"$SCENARIO_DIR/new.out" 2>&1 &
new=$!
sleep 2
curl -sS -o /dev/null -H "$key" "$url"
SCENARIO_DIR_KEPT=$SCENARIO_DIR
for _ in $(seq 300); do [[ -s $SCENARIO_DIR/receipts.new ]] && break; sleep 0.01; done
same 'in the new gate' "$(jq -r .ending "$SCENARIO_DIR_KEPT/receipts.new")" complete
wait $curl
same 'in the old gate' "$("$SCENARIO/receipt" 5 '"\(.ending) \(.units.post)"')" 'complete 20000'
sleep 1.5
grep -q 'licet: left a replaced gate, epoch 1' "$SCENARIO_DIR/error.log"

# reload: old workers finish, new ones serve
kill -HUP "$(cat "$SCENARIO_DIR/nginx.pid")"
sleep 0.5
curl -sS -o /dev/null -H "$key" "$url"
for _ in $(seq 300); do [[ $(wc -l <"$SCENARIO_DIR/receipts.new") == 2 ]] && break; sleep 0.01; done
same 'after a reload' "$(sed -n 2p "$SCENARIO_DIR/receipts.new" | jq -r '"\(.ending) \(.units.post)"')" 'complete 20000'
kill $new
