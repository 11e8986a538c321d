# SPDX-License-Identifier: Apache-2.0
# conf: operators.conf
# What nginx refuses before the gate takes no units and leaves no receipt; what lets in does not lead past the gate.
. "$SCENARIO/lib.sh"
platform

# auth_request: its no is final, its yes is not
for status in 401 403; do
    same "auth_request $status" "$(get auth cap '/search?max_results=90' -H "X-Auth: $status")" $status
    grep -qi '^licet-decision' "$SCENARIO_DIR/head" && { echo 'a decision before the gate'; exit 1; }
done
same 'auth_request fails' "$(get auth cap '/search?max_results=90' -H 'X-Auth: 500')" 500
receipts 0
same 'auth_request lets in' "$(get auth cap '/search?max_results=10' -H 'X-Auth: 200')" 200
same 'nothing was taken before' "$(left)" 90
same 'auth_request knows nobody' "$(get auth '' /search -H 'X-Auth: 200')" 401
grep -q urn:licet:problem:credential-missing "$SCENARIO_DIR/body"
same 'the cap behind auth_request' "$(get auth cap '/search?max_results=91' -H 'X-Auth: 200')" 429
same 'receipts' "$("$SCENARIO/receipt" 1 '"\(.ending) \(.units.post)"') $("$SCENARIO/receipt" 2 .reason)" 'complete 10 cap-reached'
same 'not gated' "$(get auth '' /ungated/search -H 'X-Auth: 200')" 200
receipts 2

# satisfy any: the address is enough for nginx, not for the gate
same 'satisfy any, a stranger' "$(get satisfy '' /search)" 401
grep -q urn:licet:problem:credential-missing "$SCENARIO_DIR/body"
same 'satisfy any' "$(get satisfy full /search)" 200
same 'satisfy any' "$("$SCENARIO/receipt" 3 '"\(.ending) \(.units.post)"')" 'complete 10'

# limit_req and limit_conn
same 'limit_req lets in' "$(get slow cap '/search?max_results=5')" 200
before=$(left)
for _ in 1 2 3; do
    same 'limit_req' "$(get slow cap '/search?max_results=50')" 429
    grep -q '<html>' "$SCENARIO_DIR/body"
done
get slow full '/items/1?sleep=0.6' >/dev/null &
sleep 0.2
same 'limit_conn' "$(curl -sS -o /dev/null -w '%{http_code}' -H 'Host: slow' -H 'Authorization: Bearer secret-full' "http://127.0.0.1:$PORT/items/2")" 503
wait $!
receipts 5
get auth cap '/search?max_results=1' -H 'X-Auth: 200' >/dev/null
same 'limits of nginx took nothing' "$(left)" $((before - 1))
