#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet up: what it says when it cannot run, the nginx configuration it makes, and what a licensee hears while licetd is away.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
unset LICET_NOW
licetd=$(dirname "$licet")/licetd
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
listen=$(port)
"$licet" init shop --upstream http://127.0.0.1:9 >/dev/null
sed -i "s,^listen:.*,listen: 127.0.0.1:$listen,; s,^shared_memory:.*,shared_memory: $PWD/gate," shop/licet.yaml
key=$("$licet" credential new shop app-1 --json | jq -r .secret)

# a port that somebody has: said before anything is started
python3 -c 'import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(1); print("there", flush=True); time.sleep(60)' "$listen" >held &
holder=$!
while ! grep -q there held 2>/dev/null; do sleep 0.02; done
expect 'the port is taken' 2 '' \
    "licet up: listen 127.0.0.1:$listen: Address already in use; another program has it: expected a free address and port" up shop
same 'nothing was started' 'no' "$([ -e gate ] && echo yes || echo no)"
kill $holder
wait $holder 2>/dev/null
sed -i "s,^listen:.*,listen: 203.0.113.9:$listen," shop/licet.yaml
expect 'an address that is not ours' 2 '' "licet up: listen 203.0.113.9:$listen: Cannot assign requested address" up shop
sed -i "s,^listen:.*,listen: 127.0.0.1:$listen," shop/licet.yaml

# licetd alone, and nginx with what --print-nginx says
"$licetd" shop 2>licetd.err &
daemon=$!
for _ in $(seq 500); do grep -q ready licetd.err && break; sleep 0.02; done
mkdir -p shop/data/nginx
"$licet" up shop --print-nginx >nginx.conf
nginx -q -p . -c "$PWD/nginx.conf" -e "$PWD/error.log" 2>nginx.err &
nginx=$!
for _ in $(seq 500); do curl -s -o /dev/null "http://127.0.0.1:$listen/" && break; sleep 0.02; done
usage() { curl -s -D head -H "Authorization: Bearer $key" "http://127.0.0.1:$listen/.well-known/licet/usage"; }
same 'the API answers' A-1 "$(usage | jq -r .agreement)"
kill -9 $daemon
wait $daemon 2>/dev/null || true
same 'licetd is away: a problem document' '503 licetd does not answer; what passes the gate is recorded all the same' \
    "$(usage | jq -r '"\(.status) \(.detail)"')"
same 'its head' '503 application/problem+json 5' "$(tr -d '\r' <head | awk 'NR == 1 { s = $2 } tolower($1) == "content-type:" { t = $2 }
    tolower($1) == "retry-after:" { r = $2 } END { print s, t, r }')"
same 'strangers are refused as ever' 401 "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$listen/.well-known/licet/usage")"
kill -QUIT $nginx
wait $nginx 2>/dev/null
exit $rc
