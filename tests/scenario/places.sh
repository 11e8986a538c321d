# SPDX-License-Identifier: Apache-2.0
# conf: operators.conf
# The gate holds in every form of location, across redirects inside nginx, and counts each request once.
. "$SCENARIO/lib.sh"
mkdir -p "$SCENARIO_DIR/files/tried"
printf '{"data":[{"id":"7"}]}' >"$SCENARIO_DIR/files/tried/search"
platform
n=0
# counted WHAT TARGET [RECEIPT]: passes with the credential, once; refused without; the receipt says so
counted() {
    same "$1" "$(get places full "$2")" 200
    n=$((n + 1))
    same "$1" "$("$SCENARIO/receipt" $n '"\(.verdict) \(.ending) \(.unmetered) \(.units.post)"')" "${3:-allow complete unlisted null}"
    same "$1, a stranger" "$(get places '' "$2")" 401
}
free() {
    same "$1" "$(get places '' "$2")" 200
    grep -qi '^licet-decision' "$SCENARIO_DIR/head" && { echo "$1: a decision"; exit 1; }
    return 0
}
page='allow complete none 10'
counted plain /search "$page"
free 'off within on' /off/search
counted 'on within off within on' /off/on/search
counted 'on by a regex within off' /off/re/search
counted 'if' '/if/search' "$page"
counted 'if that holds' '/if/search?two=1' "$page"
counted limit_except /except/search
same 'limit_except' "$(get places full /except/search -X POST -d x)" 403
same 'internal' "$(get places full /inner/search)" 404
counted 'a named location' /named/search "$page"
free 'off in both' /named-off/search
counted 'from off into on' /outward/search "$page"
counted 'rewrite last' /rewritten/search "$page"
counted 'try_files finds' /tried/search 'allow complete unlisted null'
get places full /tried/search >/dev/null
n=$((n + 1))
same 'from the file' "$(cat "$SCENARIO_DIR/body")" '{"data":[{"id":"7"}]}'
# decided once, before try_files: the catalogue sees the path that try_files was given
counted 'try_files goes on' /tried/items/1
counted split_clients '/split/x?key=1'
counted 'post_action' /after/search
counted 'access_log off' /quiet/search
receipts $n
same 'post_action goes up after each request, as ever, and is not counted' "$(asked ' GET /done')" 2

# a mirror gets a copy of what was admitted, without our headers, and is not counted
counted mirror /mirrored/search
get places full /mirrored/search -H 'Licet-Purpose: search' >/dev/null
n=$((n + 1))
receipts $n
same 'mirrored' "$(asked ' GET /copy')" 2
same 'mirrored' "$(asked 'licet-')" 0

# what we say is there for add_header, also where we refuse
same 'add_header always' "$(get places full /headers/search)" 200
n=$((n + 1))
grep -qi '^x-app: pages' "$SCENARIO_DIR/head"
grep -qiE '^x-decision: [0-9a-f]{32}' "$SCENARIO_DIR/head"
same 'add_header always' "$(get places full /headers/search -H 'Licet-Purpose: train-ai')" 403
n=$((n + 1))
grep -qi '^x-app: pages' "$SCENARIO_DIR/head"

# merge_slashes: the catalogue sees what the location sees
counted 'merge_slashes' //search "$page"
same 'merge_slashes off' "$(get slashes full //search --unix-socket "$SCENARIO_DIR/slashes.sock")" 200
n=$((n + 1))
same 'merge_slashes off' "$("$SCENARIO/receipt" $n .unmetered)" unlisted
counted 'an escaped path' '/s%65arch' "$page"
counted 'dots' '/a/../search' "$page"

# licet_app through a map, and back to credentials
n0=$n
same map "$(get tenants '' /search -H 'X-Tenant: acme')" 200
same 'map, the app by agreement' "$(get tenants '' /search -H 'X-Tenant: other')" 200
same 'map, nobody' "$(get tenants full /search -H 'X-Tenant: stranger')" 401
same 'licet_app off' "$(get tenants full /keys/search)" 200
same 'licet_app off' "$(get tenants '' /keys/search -H 'X-Tenant: acme')" 401
same 'a name from server_name' "$(get pages.apps.example '' /search)" 200
same 'a name from server_name' "$(get nobody.apps.example '' /search)" 401
apps=
for i in 1 2 3 4; do apps+="$("$SCENARIO/receipt" $((n0 + i)) '"\(.app)/\(.credential) "')"; done
same 'named' "$apps" 'pages/null capped/null pages/K-pages pages/null '
receipts $((n0 + 4))
same 'access_log off' "$(grep -c /quiet/ "$SCENARIO_DIR/access.log")" 0
