# SPDX-License-Identifier: Apache-2.0
# Functions of run.sh: a site, its gate and an nginx in a folder of their own. Sourced, not run.
#
#   SCENARIO_DIR  the folder, made and removed by run.sh    PORT, UPSTREAM_PORT  on 127.0.0.1, free ones
#   BUILD         the build folder (module, gate_tool)      LICET_NGINX          another nginx
#                                                                LICET_STATIC         with the module linked in

NGINX=${LICET_NGINX:-nginx} # not exported: nginx takes a variable NGINX for sockets it inherits
CREDENTIAL_KEY=6c696365742d7363656e6172696f2d63726564656e7469616c2d6b65792d3031

# Below the ports that connections take by themselves: a test beside this one must not get it in between.
free_port() {
    python3 - <<'END'
import random, socket
while True:
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", random.randrange(10240, 32000)))
        except OSError:
            continue
        print(s.getsockname()[1])
        break
END
}

# The hash of a credential as apps.yaml keeps it.
credential_hash() {
    printf %s "$1" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$CREDENTIAL_KEY | sed 's/.*= //'
}

# agreement ID APP SECRET MODE CANNOT_RECORD ON_OVERRUN CATALOGUE LIMITS...
agreement() {
    local id=$1 app=$2 secret=$3 mode=$4 cannot=$5 overrun=$6 catalogue=$7 dir=$SCENARIO_DIR/site/agreements/$1
    shift 7
    mkdir -p "$dir"
    cat >"$dir/2020-01-01.yaml" <<END
agreement: $id
in_force: { from: 2020-01-01 }
parties:
  licensor: { legal_name: Example Platform, country: US }
  licensee: { legal_name: Example Licensee, country: US }
catalogue: $catalogue
clauses:
  NO-TRAIN: { section: II.A.g, says: No training of "foundation" models }
  CAP: { section: Order form 2, says: So many posts a day and no more }
  RATE: { section: II.D, says: So many requests a day and no more }
  SEARCH: { section: II.E, says: So many posts a day by search and no more }
purposes: { allowed: [display, search], forbidden: { train-ai: NO-TRAIN }, not_named: refuse, not_declared: record }
limits:
$(printf '  - { %s, per: day, over: licensee }\n' "$@")
cannot_record: $cannot
on_overrun: $overrun
mode: $mode
END
    cat >"$dir/apps.yaml" <<END
apps:
  $app:
    products: [Pages]
    default_use_case: UC-1
    credentials:
      - { id: K-$app, kind: bearer, hmac_sha256: "$(credential_hash "$secret")", from: 2020-01-01 }
      - { id: KEY-$app, kind: api-key, hmac_sha256: "$(credential_hash "key-$secret")", from: 2020-01-01 }
      - { id: OLD-$app, kind: bearer, hmac_sha256: "$(credential_hash "old-$secret")", from: 2020-01-01, before: 2021-01-01 }
use_cases:
  UC-1: { product: Pages, purpose: display, recipient: public, approved: { by: J. Roe, role: licensing, from: 2020-01-01 } }
  UC-9: { product: Pages, purpose: search, recipient: public }
END
}

make_site() {
    mkdir -p "$SCENARIO_DIR/site/catalogue" "$SCENARIO_DIR/site/data"
    cp "$SCENARIO/site/catalogue/"*.yaml "$SCENARIO_DIR/site/catalogue/"
    cat >"$SCENARIO_DIR/site/licet.yaml" <<END
party: licensor
site: scenario
gate: 1
flow: acquired
upstream: http://127.0.0.1:$UPSTREAM_PORT
listen: 127.0.0.1:$PORT
key: data/key
shared_memory: $SCENARIO_DIR/gate
END
    (
        umask 077
        printf 'decision 6c696365742d6465636973696f6e2d31\ncredential %s\n' $CREDENTIAL_KEY >"$SCENARIO_DIR/site/data/gate.key"
    )
    agreement FULL pages secret-full enforce refuse deliver pages@2020-01-01 \
        'clause: CAP, unit: post, most: 1_000_000' 'clause: RATE, unit: request, most: 100_000'
    agreement CAP capped secret-cap enforce refuse deliver pages@2020-01-01 'clause: CAP, unit: post, most: 100'
    agreement CUT cut secret-cut enforce refuse cut strict@2020-01-01 'clause: CAP, unit: post, most: 10'
    agreement DELIVER deliver secret-deliver enforce refuse deliver pages@2020-01-01 'clause: CAP, unit: post, most: 10'
    agreement OBSERVE observe secret-observe observe refuse cut pages@2020-01-01 'clause: CAP, unit: post, most: 10'
    agreement RATE rated secret-rate enforce refuse deliver pages@2020-01-01 'clause: RATE, unit: request, most: 2'
    agreement BYTES bytes secret-bytes enforce refuse cut pages@2020-01-01 'clause: CAP, unit: byte, most: 100_000'
    agreement FOUR four secret-four enforce refuse deliver pages@2020-01-01 'clause: CAP, unit: post, most: 1_000' \
        'clause: CAP, unit: user, most: 1_000' 'clause: RATE, unit: request, most: 1_000' \
        'clause: SEARCH, unit: post, most: 1_000, endpoints: [search]'
    agreement OPEN open secret-open enforce open deliver pages@2020-01-01 'clause: CAP, unit: post, most: 1_000'
    agreement ALLOW allow secret-allow enforce '{ allow: 150 posts, per: outage }' deliver pages@2020-01-01 \
        'clause: CAP, unit: post, most: 1_000'
}

# make_conf [FILE]: nginx.conf, or a story's own.
make_conf() {
    sed -e "s,@DIR@,$SCENARIO_DIR,g; s,@PORT@,$PORT,g; s,@TLS_PORT@,$TLS_PORT,g; s,@UPSTREAM@,127.0.0.1:$UPSTREAM_PORT,g" \
        -e "s,@UPSTREAM2@,127.0.0.1:$UPSTREAM2_PORT,g" -e "s,@WORKERS@,${WORKERS:-1},g" \
        -e "s,@MODULE@,$BUILD/ngx_http_licet_module.so,g" "$SCENARIO/${1:-nginx.conf}" >"$SCENARIO_DIR/nginx.conf"
    [[ -z ${LICET_STATIC:-} ]] || sed -i '/^load_module/d' "$SCENARIO_DIR/nginx.conf"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -keyout "$SCENARIO_DIR/tls.key" -out "$SCENARIO_DIR/tls.crt" 2>/dev/null
    mkdir -p "$SCENARIO_DIR/temp"
}

# start_gate OPTIONS: waits until the gate is there.
start_gate() {
    "$BUILD/tests/scenario/gate_tool" "$SCENARIO_DIR/site" "$SCENARIO_DIR/gate" "$SCENARIO_DIR/receipts" "$@" \
        >"$SCENARIO_DIR/gate_tool.out" 2>"$SCENARIO_DIR/gate_tool.err" &
    echo $! >"$SCENARIO_DIR/gate_tool.pid"
    for _ in $(seq 500); do
        grep -q ready "$SCENARIO_DIR/gate_tool.out" && return 0
        kill -0 "$(cat "$SCENARIO_DIR/gate_tool.pid")" 2>/dev/null || break
        sleep 0.01
    done
    cat "$SCENARIO_DIR/gate_tool.err" >&2
    return 1
}

stop_gate() {
    local pid
    pid=$(cat "$SCENARIO_DIR/gate_tool.pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

start_nginx() {
    # shellcheck disable=SC2086
    env ${NGINX_ENV:-} "$NGINX" -p "$SCENARIO_DIR" -c "$SCENARIO_DIR/nginx.conf" -e "$SCENARIO_DIR/error.log" \
        2>"$SCENARIO_DIR/nginx.err" || { cat "$SCENARIO_DIR/nginx.err" >&2; return 1; }
    for _ in $(seq 500); do
        [[ -s $SCENARIO_DIR/nginx.pid ]] && return 0
        sleep 0.01
    done
    return 1
}

stop_nginx() {
    local pid
    pid=$(cat "$SCENARIO_DIR/nginx.pid" 2>/dev/null) || return 0
    kill -QUIT "$pid" 2>/dev/null || return 0
    for _ in $(seq 500); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.01
    done
    kill "$pid" 2>/dev/null || true
    sleep 0.5
}

# Nothing that calls for a person may be in the log, and no sanitizer may have spoken.
judge_logs() {
    local bad=0
    if grep -E '\[(alert|emerg|crit)\]' "$SCENARIO_DIR/error.log" | grep -vE "${ALERTS_EXPECTED:-^$}"; then
        echo "the error log holds what it must not" >&2
        bad=1
    fi
    if grep -l . "$SCENARIO_DIR"/sanitizer* 2>/dev/null; then
        cat "$SCENARIO_DIR"/sanitizer* >&2
        bad=1
    fi
    if [[ -s $SCENARIO_DIR/gate_tool.err ]]; then
        cat "$SCENARIO_DIR/gate_tool.err" >&2
        bad=1
    fi
    return $bad
}

# ---- for stories in shell -------------------------------------------------

# upstream KIND [N]: starts upstream.py in place of the last one and waits until it listens; ends with the story.
upstream() {
    if [[ -n ${UPSTREAM_PID:-} ]]; then
        kill $UPSTREAM_PID 2>/dev/null || true
        wait $UPSTREAM_PID 2>/dev/null || true
    fi
    python3 "$SCENARIO/upstream.py" "$UPSTREAM_PORT" "$@" &
    UPSTREAM_PID=$!
    trap 'kill $UPSTREAM_PID' EXIT
    for _ in $(seq 500); do
        (: <>"/dev/tcp/127.0.0.1/$UPSTREAM_PORT") 2>/dev/null && return 0
        sleep 0.01
    done
    return 1
}

# platform: platform.py on both upstream ports; what it was asked is in upstream.log. Ends with the story.
platform() {
    python3 "$SCENARIO/platform.py" "$SCENARIO_DIR/upstream.log" "$UPSTREAM_PORT" "$UPSTREAM2_PORT" "$@" &
    PLATFORM_PID=$!
    trap 'kill $PLATFORM_PID' EXIT
    for _ in $(seq 500); do
        (: <>"/dev/tcp/127.0.0.1/$UPSTREAM2_PORT") 2>/dev/null && return 0
        sleep 0.01
    done
    return 1
}

# asked REGEX: how many requests with such a line the platform has seen
asked() { grep -cE "$1" "$SCENARIO_DIR/upstream.log" || true; }

# get HOST APP TARGET [CURL OPTIONS]: prints the status; head and body are in files of that name.
get() {
    local host=$1 app=$2 target=$3
    shift 3
    curl -sS --path-as-is -D "$SCENARIO_DIR/head" -o "$SCENARIO_DIR/body" -w '%{http_code}' -H "Host: $host" \
        ${app:+-H "Authorization: Bearer secret-$app"} "$@" "http://127.0.0.1:$PORT$target"
}

# leave_after BYTES FILE CURL OPTIONS: a slow client that is killed once FILE holds that many bytes of body: it leaves by
# what it got, however fast the machine is. Fails where curl ends before.
leave_after() {
    local bytes=$1 file=$2 pid
    shift 2
    rm -f "$file"
    curl -sS -N -o "$file" "$@" 2>/dev/null &
    pid=$!
    for _ in $(seq 3000); do
        [[ -f $file && $(wc -c <"$file") -ge $bytes ]] && break
        kill -0 $pid 2>/dev/null || break
        sleep 0.01
    done
    kill -KILL $pid 2>/dev/null || { echo "curl ended before it had $bytes bytes: $*"; return 1; }
    wait $pid 2>/dev/null || true
}

# left: the units that RateLimit of the last answer had for the cap
left() { sed -n 's/^ratelimit: "CAP";r=\([0-9]*\).*/\1/ip' "$SCENARIO_DIR/head"; }

# receipts N: there are N, and no more come
receipts() {
    [[ $1 == 0 ]] || "$SCENARIO/receipt" "$1" .ending >/dev/null
    sleep 0.2
    same 'receipts' "$(wc -l <"$SCENARIO_DIR/receipts")" "$1"
}

# same WHAT GOT EXPECTED
same() {
    [[ $2 == "$3" ]] && return 0
    echo "$1: got '$2', expected '$3'"
    return 1
}
