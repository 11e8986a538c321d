# SPDX-License-Identifier: Apache-2.0
# gate: --slots 16 --ring 64
# How others fell: a queue ran hours behind and its oldest records were thrown away (17); the store was filled until the
# gateway failed (19); an upgrade dropped nine of ten records, and users asked for "never drop, slow down" (20, 21); with
# the store gone each request waited ten seconds (41). Here the recorder stands still: requests pass while there is room
# for their receipts, then they are refused, after a tenth of a second and with a reason, and nothing is thrown away.
. "$SCENARIO/lib.sh"
upstream page 2
tool=$(cat "$SCENARIO_DIR/gate_tool.pid")
ask() {
    curl -sS -o /dev/null -w '%{http_code} %{time_total}\n' -H 'Authorization: Bearer secret-full' "http://127.0.0.1:$PORT/search?n=[1-$1]"
}
same 'before' "$(ask 3 | grep -c '^200 ')" 3
"$SCENARIO/receipt" 3 .ending
kill -STOP "$tool"
ask 72 >"$SCENARIO_DIR/still"
passed=$(grep -c '^200 ' "$SCENARIO_DIR/still")
same 'room for so many' "$passed" 64
same 'the rest is refused' "$(grep -c '^503 ' "$SCENARIO_DIR/still")" 8
awk '/^503/ && ($2 < 0.09 || $2 > 1) { bad = 1 } END { exit bad }' "$SCENARIO_DIR/still" || { cat "$SCENARIO_DIR/still"; exit 1; }
kill -CONT "$tool"
"$SCENARIO/receipt" $((3 + passed)) .ending
sleep 0.3
same 'every receipt, once' "$(jq -rs 'map(select(.verdict == "allow") | .decision) | unique | length' "$SCENARIO_DIR/receipts")" $((3 + passed))
same 'after' "$(ask 3 | grep -c '^200 ')" 3
