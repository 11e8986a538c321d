# SPDX-License-Identifier: Apache-2.0
# The same page over TLS, HTTP/2 in clear and over TLS, compressed, cached and unbuffered counts the same.
. "$SCENARIO/lib.sh"
upstream page 500
key='Authorization: Bearer secret-full'
curl=(curl -sS -k -H "$key" --compressed -o)
page=$SCENARIO_DIR/page
n=0
whole() {
    n=$((n + 1))
    same "$1" "$("$SCENARIO/receipt" $n '"\(.ending) \(.units.post) \(.ids.post) \(.unmetered)"')" 'complete 500 500 none'
    same "$1: posts" "$(jq '.data|length' "$2")" 500
}
"${curl[@]}" "$page" "http://127.0.0.1:$PORT/search?max_results=100"
whole plain "$page"
for option in --http1.1 --http2; do
    "${curl[@]}" "$page.2" $option "https://127.0.0.1:$TLS_PORT/search?max_results=100"
    whole "TLS $option" "$page.2"
    cmp "$page" "$page.2"
    same "bytes $option" "$("$SCENARIO/receipt" $n .bytes)" "$(wc -c <"$page")"
done
"${curl[@]}" "$page.2" --http2-prior-knowledge --unix-socket "$SCENARIO_DIR/h2.sock" "http://h2/search?max_results=100"
whole 'HTTP/2 in clear' "$page.2"
same 'HTTP/2 bytes' "$("$SCENARIO/receipt" $n .bytes)" "$(wc -c <"$page")"

# nginx compresses for the client: counted before, bytes told as sent
"${curl[@]}" "$page.2" -D "$SCENARIO_DIR/head" -H 'Host: gzip' "http://127.0.0.1:$PORT/search?max_results=100"
whole gzip "$page.2"
grep -qi '^content-encoding: gzip' "$SCENARIO_DIR/head"
(($("$SCENARIO/receipt" $n .bytes) < $(wc -c <"$page") / 2))

for round in miss hit; do
    "${curl[@]}" "$page.2" -H 'Host: cached' "http://127.0.0.1:$PORT/search?max_results=100"
    whole "cache $round" "$page.2"
    cmp "$page" "$page.2"
done
"${curl[@]}" "$page.2" -H 'Host: unbuffered' "http://127.0.0.1:$PORT/search?max_results=100"
whole unbuffered "$page.2"

# HTTP/1.0 without keep-alive, and several on one connection
"${curl[@]}" "$page.2" --http1.0 "http://127.0.0.1:$PORT/search?max_results=100"
whole 'HTTP/1.0' "$page.2"
"${curl[@]}" "$page.2" "http://127.0.0.1:$PORT/search?max_results=100" -o "$page.3" "http://127.0.0.1:$PORT/search?max_results=99"
whole 'keep-alive 1' "$page.2"
whole 'keep-alive 2' "$page.3"

# a client that leaves a compressed, an HTTP/2 or a TLS page: never less than it got
upstream page 40000
for args in "-H Host:gzip --compressed http://127.0.0.1:$PORT" "-k --http2 https://127.0.0.1:$TLS_PORT" \
    "-k --http1.1 https://127.0.0.1:$TLS_PORT" "--http2-prior-knowledge --unix-socket $SCENARIO_DIR/h2.sock http://h2"; do
    # shellcheck disable=SC2086
    leave_after 30000 "$page.4" --limit-rate 200k -H "$key" ${args% *} "${args##* }/search"
    n=$((n + 1))
    got=$(grep -ao '{"id"' "$page.4" | wc -l) units=$("$SCENARIO/receipt" $n .units.post)
    "$SCENARIO/receipt" $n
    same "left: $args" "$("$SCENARIO/receipt" $n '"\(.ending) \(.unmetered)"')" 'client closed in body none'
    ((units >= got && units < 40000)) || { echo "$units units for $got posts: $args"; exit 1; }
done
