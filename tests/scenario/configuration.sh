# SPDX-License-Identifier: Apache-2.0
# no gate
# nginx -t says what is wrong with the module's directives, and where.
. "$SCENARIO/lib.sh"
try() {
    cat >"$SCENARIO_DIR/try.conf" <<END
load_module $BUILD/ngx_http_licet_module.so;
pid $SCENARIO_DIR/try.pid;
events {}
http {
$1
}
END
    # shellcheck disable=SC2086
    env $NGINX_ENV "$NGINX" -t -p "$SCENARIO_DIR" -c "$SCENARIO_DIR/try.conf" -e stderr 2>&1 || true
}
says() {
    local out
    out=$(try "$1")
    [[ $out == *"$2"* ]] && return 0
    echo "$1: expected '$2' in: $out"
    return 1
}
says 'server { location / {
licet on; } }' "\"licet on\" in $SCENARIO_DIR/try.conf:6 needs \"licet_gate FILE\" in its server or in http"
says 'server { location / { licet_api on; } }' '"licet_api on" in '
says 'licet_gate /nowhere/gate; server { location / { licet on; } }' 'licet_gate "/nowhere/gate" is not there: requests will be answered by 503 until licetd runs'
says 'licet_gate /nowhere/gate; server { location / { licet on; } }' 'test is successful'
says 'licet_gate a; licet_gate b;' '"licet_gate" directive is duplicate'
says 'licet_gate "";' 'is empty'
says 'licet maybe;' 'invalid value "maybe" in "licet" directive, it must be "on" or "off"'
says 'server { location / { licet_gate x; } }' '"licet_gate" directive is not allowed here'
says 'licet_api on;' '"licet_api" directive is not allowed here'
says 'licet_app $no_such_variable; server { }' 'unknown "no_such_variable" variable'
says 'log_format x "$licet_app $licet_agreement $licet_verdict $licet_units $licet_decision";' 'test is successful'
says 'licet_gate g; licet on; server { location / { licet off; } }' 'test is successful'
