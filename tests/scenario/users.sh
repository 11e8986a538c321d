# SPDX-License-Identifier: Apache-2.0
# no gate
# Workers of another user than licetd: what 'group' of licet.yaml opens to them, and what stays closed; then a master
# that is nobody special. With the real licetd, for it is who sets the permissions. Needs root.
. "$SCENARIO/lib.sh"
stop_nginx
if [[ $(id -u) != 0 ]] || ! id www-data >/dev/null 2>&1; then
    echo 'SKIP: needs root and the user www-data'
    exit 0
fi
chmod 755 "$SCENARIO_DIR"
site=$SCENARIO_DIR/shop
"$BUILD/licet" init "$site" --upstream "http://127.0.0.1:$UPSTREAM_PORT" >/dev/null
sed -i "s,^listen:.*,listen: 127.0.0.1:$PORT,; s,^shared_memory:.*,shared_memory: $SCENARIO_DIR/shop.gate," "$site/licet.yaml"
sed -i '/^group:/d' "$site/licet.yaml"
echo 'group: www-data' >>"$site/licet.yaml"
key=$("$BUILD/licet" credential new "$site" app-1 --json | jq -r .secret)
platform
"$BUILD/licetd" "$site" 2>"$SCENARIO_DIR/licetd.err" &
licetd=$!
trap 'kill $PLATFORM_PID $licetd' EXIT
for _ in $(seq 1000); do grep -q 'ready' "$SCENARIO_DIR/licetd.err" && break; sleep 0.01; done

conf() { # USER
    cat >"$SCENARIO_DIR/nginx.conf" <<END
load_module $BUILD/ngx_http_licet_module.so;
${1:+user $1;}
worker_processes 2;
pid $SCENARIO_DIR/run/nginx.pid;
error_log $SCENARIO_DIR/run/error.log notice;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $SCENARIO_DIR/run/body; proxy_temp_path $SCENARIO_DIR/run/proxy;
    fastcgi_temp_path $SCENARIO_DIR/run/f; uwsgi_temp_path $SCENARIO_DIR/run/u; scgi_temp_path $SCENARIO_DIR/run/s;
    licet_gate $SCENARIO_DIR/shop.gate;
    server {
        listen 127.0.0.1:$PORT;
        location / { licet on; proxy_pass http://127.0.0.1:$UPSTREAM_PORT; }
        location /.well-known/licet/ { licet_api on; proxy_pass http://unix:$site/data/api.sock; }
    }
}
END
}
# serve USER RUNS_AS: starts nginx, prints the status of a request and of the API
serve() {
    rm -rf "$SCENARIO_DIR/run"
    install -d -o "$2" "$SCENARIO_DIR/run"
    conf "$1"
    # shellcheck disable=SC2086
    setpriv --reuid="$2" --regid="$(id -g "$2")" --init-groups env $NGINX_ENV "$NGINX" -p "$SCENARIO_DIR" \
        -c "$SCENARIO_DIR/nginx.conf" -e "$SCENARIO_DIR/run/error.log" 2>"$SCENARIO_DIR/run/stderr"
    for _ in $(seq 300); do [[ -s $SCENARIO_DIR/run/nginx.pid ]] && break; sleep 0.01; done
    echo "$(ask /x) $(ask /.well-known/licet/usage)"
    kill -QUIT "$(cat "$SCENARIO_DIR/run/nginx.pid")"
    for _ in $(seq 500); do [[ -e $SCENARIO_DIR/run/nginx.pid ]] || break; sleep 0.01; done
}
ask() { curl -sS -o "$SCENARIO_DIR/body" -w '%{http_code}' -H "Authorization: Bearer $key" "http://127.0.0.1:$PORT$1"; }
calm() { grep -E '\[(warn|error|alert|emerg)\]|denied' "$SCENARIO_DIR/run/error.log" "$SCENARIO_DIR/run/stderr" && exit 1; return 0; }

same 'workers of the group' "$(serve www-data root)" '200 200'
calm
same 'the whole nginx is of the group' "$(serve '' www-data)" '200 200'
calm
same 'workers of another group' "$(serve "nobody $(id -gn nobody)" root)" '503 503'
grep -q 'workers run as "nobody", whom ".*shop.gate" keeps out' "$SCENARIO_DIR/run/stderr" "$SCENARIO_DIR/run/error.log"
grep -q 'there is no gate, requests are answered by 503: .*shop.gate: open: Permission denied; trying again' "$SCENARIO_DIR/run/error.log"

# another PID namespace, as in a container: who lives is told by locks, not by process numbers
if unshare --pid --fork true 2>/dev/null; then
    rm -rf "$SCENARIO_DIR/run"
    mkdir "$SCENARIO_DIR/run"
    conf www-data
    workers() { curl -sS --unix-socket "$site/data/operator.sock" http://localhost/status | jq .workers; }
    for _ in $(seq 500); do [[ $(workers) == 0 ]] && break; sleep 0.01; done
    same 'no worker is left' "$(workers)" 0
    # shellcheck disable=SC2086
    env $NGINX_ENV unshare --pid --fork --kill-child "$NGINX" -g 'daemon off;' -p "$SCENARIO_DIR" -c "$SCENARIO_DIR/nginx.conf" \
        -e "$SCENARIO_DIR/run/error.log" 2>"$SCENARIO_DIR/run/stderr" &
    namespace=$!
    for _ in $(seq 500); do [[ -s $SCENARIO_DIR/run/nginx.pid ]] && break; sleep 0.01; done
    same 'in a PID namespace of its own' "$(ask /x) $(ask /.well-known/licet/usage)" '200 200'
    same 'two workers joined' "$(workers)" 2
    calm
    kill -9 $namespace
    wait $namespace 2>/dev/null || true
    for _ in $(seq 500); do [[ $(workers) == 0 ]] && break; sleep 0.01; done
    same 'their end is seen from here' "$(workers)" 0
else
    echo 'SKIP: no PID namespaces on this machine'
fi

# what the workers may not: keys, journal, ledgers, the operator's socket
denied() { setpriv --reuid=www-data --regid=www-data --clear-groups "$@" 2>/dev/null && { echo "www-data may: $*"; exit 1; }; return 0; }
denied cat "$site/data/key"
denied cat "$site/data/gate.key"
denied ls "$site/data"
denied ls "$site/data/journal"
denied ls "$site/data/recorded"
denied curl -sS --unix-socket "$site/data/operator.sock" http://localhost/status
denied sh -c "echo x >'$site/data/images/x'"
"$BUILD/licet" report "$site" --all >/dev/null
kill $licetd
wait $licetd
"$BUILD/licet" verify "$site" >/dev/null
