#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs stories against the real nginx: each has a site, a gate (gate_tool) and an nginx of its own on loopback.
#
#   run.sh BUILD STORY...      BUILD: the build folder with ngx_http_licet_module.so; STORY: x.vtc (varnishtest) or x.sh
#
# A module built with AddressSanitizer runs in the same nginx: its runtime is loaded first (LD_PRELOAD), since nginx
# itself was not linked with it. That happens by itself here when the module asks for libasan; by hand:
#   LD_PRELOAD=$(gcc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 nginx -c ...
#
# In a story: ${nginx} is where nginx listens, ${upstream} where its server must listen, and ${receipt} N FILTER prints
# the N-th receipt through jq. First lines of a story may hold '# gate: OPTIONS of gate_tool', '# no gate',
# '# alerts: REGEX' (what the error log may hold), '# conf: FILE' (in place of nginx.conf) and '# workers: N'.
set -euo pipefail
SCENARIO=$(cd "$(dirname "$0")" && pwd)
export SCENARIO
BUILD=$(cd "$1" && pwd)
shift
for built in ngx_http_licet_module.so tests/scenario/gate_tool; do
    [[ -r $BUILD/$built ]] || { echo "run.sh: $BUILD/$built is not there: build it first" >&2; exit 1; }
done
# shellcheck source=lib.sh
. "$SCENARIO/lib.sh"

preload() {
    local name
    name=$(ldd "$BUILD/ngx_http_licet_module.so" | sed -n 's,^[[:space:]]*\(lib[a-z]*san[^ ]*\).*,\1,p' | head -1)
    [[ -n $name ]] && gcc -print-file-name="${name%%.so*}.so"
    return 0
}

run_story() {
    local story=$1 name failed=0 runtime
    name=$(basename "$story")
    SCENARIO_DIR=$(mktemp -d /tmp/licet-scenario.XXXXXX)
    PORT=$(free_port) TLS_PORT=$(free_port) UPSTREAM_PORT=$(free_port) UPSTREAM2_PORT=$(free_port)
    ALERTS_EXPECTED=$(sed -n 's/^# alerts: //p' "$story")
    WORKERS=$(sed -n 's/^# workers: //p' "$story")
    runtime=$(preload)
    NGINX_ENV=
    if [[ -n $runtime ]]; then
        NGINX_ENV="LD_PRELOAD=$runtime ASAN_OPTIONS=detect_leaks=0:log_path=$SCENARIO_DIR/sanitizer"
        NGINX_ENV="$NGINX_ENV UBSAN_OPTIONS=print_stacktrace=1:log_path=$SCENARIO_DIR/sanitizer"
    fi
    export SCENARIO_DIR PORT TLS_PORT UPSTREAM_PORT UPSTREAM2_PORT BUILD NGINX_ENV WORKERS
    make_site
    make_conf "$(sed -n 's/^# conf: //p' "$story")"
    # shellcheck disable=SC2046
    grep -q '^# no gate' "$story" || start_gate $(sed -n 's/^# gate: //p' "$story") || failed=1
    if ((failed == 0)) && start_nginx; then
        case $name in
        *.vtc)
            varnishtest -t 300 -l -D "nginx=127.0.0.1:$PORT" -D "upstream=127.0.0.1:$UPSTREAM_PORT" \
                -D "receipt=$SCENARIO/receipt" -D "dir=$SCENARIO_DIR" -D "scenario=$SCENARIO" "$story" \
                >"$SCENARIO_DIR/story.log" 2>&1 || failed=1
            ;;
        *) bash -euo pipefail "$story" >"$SCENARIO_DIR/story.log" 2>&1 || failed=1 ;;
        esac
        stop_nginx
        stop_gate
        judge_logs || failed=1
    else
        failed=1
    fi
    stop_gate
    if ((failed)); then
        if [[ $name == *.vtc ]]; then
            grep -E '^(----|\*\*\*\*? )' "$SCENARIO_DIR/story.log" 2>/dev/null | tail -60 || true
        else
            tail -20 "$SCENARIO_DIR/story.log" 2>/dev/null || true
        fi
        echo "FAILED $name; everything is in $SCENARIO_DIR"
        return 1
    fi
    echo "passed $name"
    grep -h "^SKIP" "$SCENARIO_DIR/story.log" || true
    rm -rf "$SCENARIO_DIR"
}

rc=0
for story in "$@"; do
    run_story "$story" || rc=1
done
exit $rc
