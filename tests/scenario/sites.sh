# SPDX-License-Identifier: Apache-2.0
# conf: sites.conf
# workers: 4
# Several sites in one nginx: each has its gate, its keys and its books; one that is missing is missed by nobody else.
. "$SCENARIO/lib.sh"
platform
for _ in 1 2 3 4; do same 'the first site' "$(get first full /search)" 200; done
same 'the second is not there' "$(get second full /search)" 503
same 'the first does not care' "$(get first full /search)" 200
same 'not gated' "$(get first '' /plain/search)" 200
receipts 5

# the second site: the same keys are other apps there
cp -r "$SCENARIO_DIR/site" "$SCENARIO_DIR/site2"
rm -rf "$SCENARIO_DIR/site2/data/images"
sed -i 's/^site: .*/site: other/; s/^gate: .*/gate: 2/; s,gate$,gate2,' "$SCENARIO_DIR/site2/licet.yaml"
sed -i 's/^  pages:/  leaves:/' "$SCENARIO_DIR/site2/agreements/FULL/apps.yaml"
rm -r "$SCENARIO_DIR/site2/agreements/CAP"
"$BUILD/tests/scenario/gate_tool" "$SCENARIO_DIR/site2" "$SCENARIO_DIR/gate2" "$SCENARIO_DIR/receipts2" >"$SCENARIO_DIR/second.out" 2>&1 &
second=$!
trap 'kill $PLATFORM_PID $second' EXIT
joined() { grep -c "joined gate \"$SCENARIO_DIR/gate2\"" "$SCENARIO_DIR/error.log" || true; }
for _ in $(seq 400); do (($(joined) >= 4)) && break; sleep 0.01; done
same 'each worker joined it, once for both servers' "$(joined)" 4
for _ in 1 2 3 4 5 6; do same 'the second site' "$(get second full /search)" 200; done
same 'the second site by another server' "$(get again full /search)" 200
same 'unknown there' "$(get second cap /search)" 401
same 'known here' "$(get first cap /search)" 200
for _ in $(seq 300); do [[ $(wc -l <"$SCENARIO_DIR/receipts2") == 7 ]] && break; sleep 0.01; done
same 'books of the second' "$(jq -r '"\(.app) \(.units.post)"' "$SCENARIO_DIR/receipts2" | sort | uniq -c | tr -s ' ')" ' 7 leaves 10'
same 'its API' "$(get second full /.well-known/licet/usage)" 200
same 'its API is told its own name' "$(asked 'GET /.well-known/licet/usage .*licet-app=leaves')" 1
receipts 6

# one limit over all workers: no more is let through than was agreed, whoever of the four is asked
for _ in $(seq 30); do
    curl -sS -o /dev/null -w '%{http_code}\n' -H 'Host: first' -H 'Authorization: Bearer secret-rate' "http://127.0.0.1:$PORT/free" &
done >"$SCENARIO_DIR/codes"
wait $(jobs -p | grep -v -e "^$PLATFORM_PID\$" -e "^$second\$")
same 'two of thirty' "$(grep -c 200 "$SCENARIO_DIR/codes")" 2
same 'the others' "$(sort "$SCENARIO_DIR/codes" | uniq -c | tr -s ' ' | tr '\n' ';')" ' 2 200; 28 429;'
kill $second
wait $second || true
