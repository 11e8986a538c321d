#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet rebuild: the tables are made anew from the ledgers and are the same.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
licetd="$(dirname "$licet")/licetd"
seed="$(dirname "$licet")/tests/licet-test-seed"

"$licet" init shop --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null || exit 2
"$licet" apply shop --reason first >/dev/null || exit 2
"$seed" shop 1000 || exit 2
dump() { sqlite3 "$1" .dump 2>/dev/null | grep '^INSERT' | sort | sha256sum; }
"$licet" rebuild shop >out 2>err
same 'alone' "0 rebuilt the usage tables: N rows" "$? $(sed -E 's/[0-9,]+ rows/N rows/' out)"
rows=$("$licet" rebuild shop --json | jq .rows)
cp shop/data/usage.db kept.db
same 'again the same' "$rows" "$("$licet" rebuild shop --json | jq .rows)"
rm -f shop/data/usage.db*
same 'from nothing' "$rows" "$("$licet" rebuild shop --json | jq .rows)"
if command -v sqlite3 >/dev/null; then
    same 'row for row' "$(dump kept.db)" "$(dump shop/data/usage.db)"
fi
same 'verify finds tables and ledgers in agreement' 0 "$("$licet" verify shop >/dev/null 2>&1; echo $?)"

"$licetd" shop 2>log &
daemon=$!
for _ in $(seq 200); do
    [ "$(curl -s --unix-socket shop/data/operator.sock http://localhost/healthz)" = ok ] && break
    sleep 0.05
done
same 'through licetd' "$rows" "$("$licet" rebuild shop --json | jq .rows)"
kill -TERM $daemon
wait $daemon
same 'licetd ends in order' 0 $?
expect 'the command line' 2 '' 'licet rebuild: expected one site, not 2
see licet rebuild --help' rebuild a b
"$licet" rebuild nowhere >out 2>err
same 'no such site' '2 0' "$? $(wc -c <out)"
exit $rc
