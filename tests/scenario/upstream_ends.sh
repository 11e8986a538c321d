# SPDX-License-Identifier: Apache-2.0
# How the upstream ended is in the receipt: refused, gone, silent, before the head or in the body.
. "$SCENARIO/lib.sh"
url=http://127.0.0.1:$PORT/search
key='Authorization: Bearer secret-full'
say='"\(.ending) \(.status)"'

curl -sS -o /dev/null -H "$key" "$url"
same 'nobody listens' "$("$SCENARIO/receipt" 1 "$say")" 'upstream aborted 502'
same 'nothing delivered' "$("$SCENARIO/receipt" 1 .units)" '{}'

upstream half 1000
curl -sS -o "$SCENARIO_DIR/body" -H "$key" "$url" && exit 1
same 'half a page' "$("$SCENARIO/receipt" 2 "$say")" 'upstream aborted 200'
same 'half its posts' "$("$SCENARIO/receipt" 2 .units.post)" "$(grep -o '{"id"' "$SCENARIO_DIR/body" | wc -l)"
same 'half its bytes' "$("$SCENARIO/receipt" 2 .bytes)" "$(wc -c <"$SCENARIO_DIR/body")"

upstream silent 1000
curl -sS -o "$SCENARIO_DIR/body" -H "$key" "$url" && exit 1
same 'silent in the body' "$("$SCENARIO/receipt" 3 "$say")" 'upstream timed out 200'
same 'units' "$("$SCENARIO/receipt" 3 .units.post)" "$(grep -o '{"id"' "$SCENARIO_DIR/body" | wc -l)"
curl -sS -o /dev/null -H 'Host: unbuffered' -H "$key" "$url" && exit 1
same 'silent, unbuffered' "$("$SCENARIO/receipt" 4 "$say")" 'upstream timed out 200'

upstream mute
curl -sS -o /dev/null -H "$key" "$url"
same 'silent before the head' "$("$SCENARIO/receipt" 5 "$say")" 'upstream timed out 504'
