# SPDX-License-Identifier: Apache-2.0
# workers: 2
# gate: --workers 16
# How others fell: counters jumped by twenty thousand on a reload (6); a log queue was dropped with the worker that held
# it (16); most records were lost after an upgrade (20). Here requests go on while nginx is reloaded six times: each has
# one receipt, and the counter stands at exactly what was asked.
. "$SCENARIO/lib.sh"
upstream page 3
url=http://127.0.0.1:$PORT/search
for n in 1 2 3 4; do
    (while [[ ! -e $SCENARIO_DIR/enough ]]; do
        curl -sS -o /dev/null -w '%{http_code}\n' -H 'Authorization: Bearer secret-full' "$url" || true
    done) >"$SCENARIO_DIR/answers.$n" 2>/dev/null &
    pids="${pids:-} $!"
done
for some in 10 20 30 40 50 60; do # a reload each time some more requests came through
    for _ in $(seq 3000); do
        (($(cat "$SCENARIO_DIR"/answers.* | grep -c '^200$') >= some)) && break
        sleep 0.01
    done
    kill -HUP "$(cat "$SCENARIO_DIR/nginx.pid")"
done
sleep 0.3
touch "$SCENARIO_DIR/enough"
wait $pids
whole=$(cat "$SCENARIO_DIR"/answers.* | grep -c '^200$')
((whole >= 60)) || { echo "only $whole requests: no load"; exit 1; }
same 'nobody was turned away' "$(cat "$SCENARIO_DIR"/answers.* | grep -vc '^200$' || true)" 0
"$SCENARIO/receipt" "$whole" .ending
same 'one receipt each' "$(jq -rs 'map(.decision) | unique | length' "$SCENARIO_DIR/receipts")" "$whole"
same 'units' "$(jq -s 'map(.units.post) | add' "$SCENARIO_DIR/receipts")" $((3 * whole))
curl -sS -o /dev/null -D "$SCENARIO_DIR/head" -H 'Authorization: Bearer secret-full' "$url"
grep -qi "^ratelimit: \"CAP\";r=$((1000000 - 3 * whole - 10));t=[0-9]*, \"RATE\";r=$((100000 - whole - 1));" "$SCENARIO_DIR/head" ||
    { echo "after $whole requests:"; cat "$SCENARIO_DIR/head"; exit 1; }
