# SPDX-License-Identifier: Apache-2.0
# gate: --lease 0
# Where nothing can be recorded the agreement says what happens: refuse, open, or allow so many units.
. "$SCENARIO/lib.sh"
upstream page 2
get() {
    curl -sS -D "$SCENARIO_DIR/head" -o "$SCENARIO_DIR/body" -w '%{http_code} %{time_total}' -H "Authorization: Bearer secret-$1" \
        "http://127.0.0.1:$PORT$2"
}
sum() {
    cat "$SCENARIO_DIR/receipts.other" | jq -rs "map(select(.unrecorded==\"$1\")) | \"\(map(.requests)|add) \(map(.units)|add)\""
}

out=$(get full /items/1)
same 'refuse: status' "${out% *}" 503
awk "BEGIN { exit !(${out#* } >= 0.09 && ${out#* } < 0.6) }" || { echo "waited ${out#* } s, expected 0.1"; exit 1; }
grep -q 'urn:licet:problem:cannot-record' "$SCENARIO_DIR/body"
grep -qi '^retry-after: 1' "$SCENARIO_DIR/head"

out=$(get open '/search?max_results=20')
same 'open: status' "${out% *}" 200
grep -qi '^licet-decision' "$SCENARIO_DIR/head" && exit 1
out=$(get open '/stream')
same 'open: an endpoint without a largest page' "${out% *}" 503
get open '/items/1' >/dev/null
grep -q 'verdict=open' "$SCENARIO_DIR/access.log"
sleep 1
same 'open: told' "$(sum OPEN)" '2 101'

same 'allow: first' "$(get allow '/search' | cut -d' ' -f1)" 200
same 'allow: used up' "$(get allow '/search' | cut -d' ' -f1)" 503
same 'allow: what still fits' "$(get allow '/items/1' | cut -d' ' -f1)" 200
sleep 1
same 'allow: told' "$(sum ALLOW)" '2 101'
same 'no receipts' "$(wc -l <"$SCENARIO_DIR/receipts")" 0
# What was refused without a receipt is counted for its agreement: 1 of FULL, the stream of OPEN, 1 of ALLOW.
same 'refused without a receipt' "$(jq -rs 'map(select(.refused)) | group_by(.refused) | map("\(.[0].refused) \(.[0].reason) \(map(.count)|add)") | join(", ")' \
    "$SCENARIO_DIR/receipts.other")" 'ALLOW cannot-record 1, FULL cannot-record 1, OPEN cannot-record 1'
