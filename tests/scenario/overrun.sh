# SPDX-License-Identifier: Apache-2.0
# A page that outgrows the limit is cut before the buffer that breaks it, or delivered, as the agreement says.
. "$SCENARIO/lib.sh"
upstream stream
body=$SCENARIO_DIR/body
url=http://127.0.0.1:$PORT/stream

curl -sS -H 'Host: unbuffered' -H 'Authorization: Bearer secret-cut' "$url" -o "$body" && exit 1
same posts "$(grep -o '"id"' "$body" | wc -l)" 8
same receipt "$("$SCENARIO/receipt" 1 '"\(.ending) \(.verdict) \(.units.post) \(.reserved.post) \(.status)"')" \
    'cut by limit allow 8 10 200' # reserved: a quarter ahead
same bytes "$("$SCENARIO/receipt" 1 .bytes)" "$(wc -c <"$body")"

curl -sS -H 'Host: unbuffered' -H 'Authorization: Bearer secret-deliver' "$url" -o "$body"
same posts "$(grep -o '"id"' "$body" | wc -l)" 12
same receipt "$("$SCENARIO/receipt" 2 '"\(.ending) \(.units.post)"')" 'complete 12'

curl -sS -H 'Host: unbuffered' -H 'Authorization: Bearer secret-observe' "$url" -o "$body"
same posts "$(grep -o '"id"' "$body" | wc -l)" 12
same receipt "$("$SCENARIO/receipt" 3 '"\(.ending) \(.units.post)"')" 'complete 12'

# bytes are a unit too
curl -sS -H 'Host: unbuffered' -H 'Authorization: Bearer secret-bytes' "$url" -o "$body"
same bytes "$("$SCENARIO/receipt" 4 '"\(.ending) \(.units.byte)"')" "complete $(wc -c <"$body")"
