# SPDX-License-Identifier: Apache-2.0
# no gate
# nginx -t says what is wrong with the module's directives, and where.
. "$SCENARIO/lib.sh"
module=$BUILD/ngx_http_licet_module.so
top='' before='' after=''
[[ $(id -u) != 0 ]] || top='user root;'
try() {
    cat >"$SCENARIO_DIR/try.conf" <<END
$top$before
load_module $module;
$after
pid $SCENARIO_DIR/try.pid;
events {}
http { access_log off;
$1
}
END
    # shellcheck disable=SC2086
    env $NGINX_ENV "$NGINX" -t -p "$SCENARIO_DIR" -c "$SCENARIO_DIR/try.conf" -e stderr 2>&1 || true
}
# says TEXT EXPECTED...: all of them, in this order
says() {
    local text=$1 out rest expected
    shift
    out=$(try "$text")
    rest=$out
    for expected; do
        [[ $rest == *"$expected"* ]] || { echo "$text: expected '$expected' in: $out"; return 1; }
        rest=${rest#*"$expected"}
    done
}
silent() {
    local out
    out=$(try "$1")
    [[ $out == *'test is successful'* && $out != *licet_* && $out != *'[warn]'* ]] && return 0
    echo "$1: expected no word in: $out"
    return 1
}
good='test is successful' conf=$SCENARIO_DIR/try.conf gate=$SCENARIO_DIR/gate

# a gate is needed, wherever 'on' was said
says 'server { location / {
licet on; } }' "[emerg]" "\"licet on\" in $conf:8 needs \"licet_gate FILE\" in its server or in http"
says 'server { location / { licet_api on; } }' '"licet_api on" in '
says 'licet on;
server { location / { } }' "\"licet on\" in $conf:7 needs \"licet_gate FILE\""
says 'server { licet_gate /nowhere/gate; } server { licet on; }' "\"licet on\" in $conf:7 needs"
says 'server { location / { location /a { licet on; } } }' "\"licet on\" in $conf:7 needs"

# the gate itself
says 'licet_gate /nowhere/gate; server { location / { licet on; } }' '[warn]' \
    'licet_gate "/nowhere/gate" is not there: requests will be answered by 503 until licetd runs' "$good"
says 'licet_gate a; licet_gate b;' "\"licet_gate\" directive is duplicate in $conf:7"
says 'licet_gate "";' '"licet_gate" directive is empty: expected the file that "shared_memory" of licet.yaml names in' ":7"
says 'licet_gate;' 'invalid number of arguments in "licet_gate" directive'
says 'server { location / { licet_gate x; } }' '"licet_gate" directive is not allowed here'
says "
licet_gate $SCENARIO_DIR/site;" '[emerg]' "licet_gate \"$SCENARIO_DIR/site\" in $conf:8 is a folder: expected the file that \"shared_memory\""
says 'licet_gate /dev/null;' 'licet_gate "/dev/null" in ' ' is no regular file: expected'
says "licet_gate $conf;" '[warn]' "licet_gate \"$conf\" in $conf:7 cannot be used, requests will be answered by 503: $conf: no stamp of a licet gate" "$good"
start_gate
silent "licet_gate $gate; licet on;"
if [[ $(id -u) == 0 ]]; then
    top="user nobody $(id -gn nobody);"
    says "licet_gate $gate;" '[warn]' "licet_gate \"$gate\" in $conf:7: workers run as \"nobody\", whom \"$SCENARIO_DIR\" keeps out" \
        'expected "group" of licet.yaml to name a group of theirs' "$good"
    chmod 755 "$SCENARIO_DIR"
    chmod 660 "$gate"
    says "licet_gate $gate;" "whom \"$gate\" keeps out"
    chgrp "$(id -g nobody)" "$gate"
    chmod 700 "$SCENARIO_DIR/site"
    says "licet_gate $gate;" "whom \"$SCENARIO_DIR/site\" keeps out"
    chmod 755 "$SCENARIO_DIR/site" "$SCENARIO_DIR/site/data" "$SCENARIO_DIR/site/data/images"
    silent "licet_gate $gate; licet on;"
    top='user root;'
fi

# what is on and off
says 'licet maybe;' "invalid value \"maybe\" in \"licet\" directive, it must be \"on\" or \"off\" in $conf:7"
says 'server { location / { licet_api yes; } }' 'invalid value "yes" in "licet_api" directive, it must be "on" or "off"'
says 'licet on; licet off;' '"licet" directive is duplicate'
says 'licet_api on;' '"licet_api" directive is not allowed here'
says 'server { location / { if ($args) { licet on; } } }' '"licet" directive is not allowed here'
says 'server { location / { if ($args) { licet_api on; } } }' '"licet_api" directive is not allowed here'
says 'server { location / { limit_except GET { licet off; } } }' '"licet" directive is not allowed here'
says "licet_gate $gate; server { location / { licet on;
licet_api on; } }" '[emerg]' "\"licet on\" and \"licet_api on\" in one location, at $conf:8: expected one of them"
silent "licet_gate $gate; server { licet on; location /.well-known/licet/ { licet_api on; } }"
silent "licet_gate $gate; licet on; server { location / { licet off; location /a { licet on; } } }"

# who asks
says 'licet_app $no_such_variable; server { }' 'unknown "no_such_variable" variable'
says 'licet_app "";' '"licet_app" directive is empty: expected a variable that names the app, or "off"' ':7'
says 'licet_app $a$;' 'invalid variable name'
says 'licet_app $http_a; licet_app $http_b;' '"licet_app" directive is duplicate'
says '
licet_app http_x_consumer;' '[warn]' "licet_app \"http_x_consumer\" has no variable: whoever reaches this is taken for that app in $conf:8" "$good"
silent 'licet_app $http_a; server { location / { licet_app off; } }'
silent 'log_format x "$licet_app $licet_agreement $licet_verdict $licet_units $licet_decision";'

# the module itself
after="load_module $module;"
says "" "module \"ngx_http_licet_module\" is already loaded in $conf"
after='' top='events {} '
says '' '"load_module" directive is specified too late'
top=''
module=$SCENARIO_DIR/other.so
sed 's/8,4,8,0/8,4,4,0/g' "$BUILD/ngx_http_licet_module.so" >"$module"
says '' "module \"$module\" is not binary compatible in $conf"
module=$BUILD/ngx_http_licet_module.so
brotli=${LICET_BROTLI:-/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so}
if [[ -r $brotli && $NGINX == nginx ]]; then
    after="load_module $brotli;"
    says '' '[emerg]' 'ngx_http_brotli_filter_module was loaded after ngx_http_licet_module and would compress what licet has to count: expected'
    after='' before="load_module $brotli;"
    silent "licet_gate $gate; licet on;"
fi
