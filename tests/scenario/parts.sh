# SPDX-License-Identifier: Apache-2.0
# Pages from files are counted though sendfile would send them; a page made of parts is one page; a gated part does not
# slip out through a page that is not gated.
. "$SCENARIO/lib.sh"
mkdir -p "$SCENARIO_DIR/files/items"
python3 - "$SCENARIO_DIR/files" <<'END'
import json, sys
page = json.dumps({"data": [{"id": str(i), "text": "x" * 300} for i in range(5000)]})
open(sys.argv[1] + "/search", "w").write(page)
open(sys.argv[1] + "/items/1", "w").write('{"id":"1"},{"id":"2"}')
for name in ("gated", "ungated"):
    open("%s/%s.json" % (sys.argv[1], name), "w").write('{"data":[<!--# include virtual="/items/1" -->,{"id":"3"}]}')
END
get() {
    curl -sS -o "$SCENARIO_DIR/body" -w '%{http_code}' -H "Host: $1" -H 'Authorization: Bearer secret-full' "http://127.0.0.1:$PORT$2"
}
same 'from a file' "$(get files /search)" 200
cmp "$SCENARIO_DIR/body" "$SCENARIO_DIR/files/search"
same 'from a file' "$("$SCENARIO/receipt" 1 '"\(.ending) \(.units.post) \(.ids.post)"')" 'complete 5000 5000'

# the catalogue does not list /gated.json: what is counted of it is its bytes, all of them
same 'made of parts' "$(get parts /gated.json)" 200
same 'made of parts' "$(cat "$SCENARIO_DIR/body")" '{"data":[{"id":"1"},{"id":"2"},{"id":"3"}]}'
same 'made of parts' "$("$SCENARIO/receipt" 2 '"\(.ending) \(.unmetered) \(.bytes)"')" 'complete unlisted 43'
get parts /ungated.json >/dev/null
grep -q '"id":"1"' "$SCENARIO_DIR/body" && exit 1
grep -q 'licet: subrequest to a gated location from one that is not' "$SCENARIO_DIR/error.log"

upstream page 3
same 'behind auth_request' "$(get parts /search)" 200
same 'behind auth_request' "$("$SCENARIO/receipt" 3 '"\(.endpoint) \(.ending) \(.units.post)"')" 'search complete 3'
same 'one receipt each' "$(wc -l <"$SCENARIO_DIR/receipts")" 3
