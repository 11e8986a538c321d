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

# which flow
says 'licet_flow outbound;' '[emerg]' 'invalid value "outbound" in ' ':7'
says 'licet_flow "";' 'invalid value "" in '
says 'licet_flow acquired passed-on;' 'invalid number of arguments in "licet_flow" directive'
says 'licet_flow acquired; licet_flow passed-on;' '"licet_flow" directive is duplicate'
says 'server { location / { if ($args) { licet_flow acquired; } } }' '"licet_flow" directive is not allowed here'
silent 'licet_flow acquired; server { licet_flow passed-on; location / { licet_flow acquired; } }'

# what refusals are named by
says 'licet_problems "https://a.example/p roblems/";' '[emerg]' "\"licet_problems\" directive has a character that is none of a URI's in" ':7'
for wrong in "'https://a.example/\"/'" 'https://a.example/\\\\/' 'https://a.example/é/'; do
    says "licet_problems $wrong;" "has a character that is none of a URI's"
done
for wrong in '""' https://a.example/problems urn:licet; do
    says "licet_problems $wrong;" '"licet_problems" directive does not end in "/", ":" or "#": expected a URI that the name of a problem stands behind, such as https://api.example.com/.well-known/licet/problems/'
done
says 'licet_problems a: b:;' 'invalid number of arguments in "licet_problems" directive'
says 'licet_problems a: ; licet_problems b:;' '"licet_problems" directive is duplicate'
silent 'licet_problems "https://a.example/#"; server { licet_problems urn:x:; location / { licet_problems /problems/; } }'

# tokens
keys=$SCENARIO_DIR/jwks.json who='issuer=https://id.example audience=api'
key='{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"one"}'
printf '{"keys":[%s]}' "$key" >"$keys"
silent "licet_jwks $keys $who; server { licet_jwks $keys $who claim=client_id; location / { licet_jwks $keys $who; } }"
silent "licet_jwks $keys $who; licet_jwks $keys issuer=https://other.example audience=api;"
says "licet_jwks $keys $who; licet_jwks $keys issuer=https://id.example audience=web;" '[emerg]' \
    '"licet_jwks" directive has the issuer of another one here: expected one key set for each issuer in' ':7'
for wrong in '' issuer=https://id.example audience=api 'issuer=https://id.example claim=sub'; do
    says "licet_jwks $keys $wrong;" '[emerg]' '"licet_jwks" directive needs issuer= and audience=: without them a token for another service would be taken in' ':7'
done
for wrong in aud=api issuer= audience= claim= x; do
    says "licet_jwks $keys $who $wrong;" '[emerg]' "licet_jwks: parameter \"$wrong\": expected issuer=, audience= or claim= and a value in" ':7'
done
says "licet_jwks /nowhere/keys $who;" '[emerg]' 'licet_jwks "/nowhere/keys": expected a file with a JWK set' 'No such file or directory'
says 'server { location / { if ($args) { licet_jwks a; } } }' '"licet_jwks" directive is not allowed here'
while IFS='|' read -r text words; do
    printf %s "$text" >"$keys"
    says "licet_jwks $keys $who;" '[emerg]' "licet_jwks \"$keys\": $words" ':7'
done <<END
|no JSON of 65536 bytes at most: '[' or '{' expected near end of file in
not json|no JSON of 65536 bytes at most: '[' or '{' expected near 'not' in
{}|no member "keys": expected a JWK set (RFC 7517) in
[]|no member "keys": expected a JWK set (RFC 7517) in
{"keys":{}}|no member "keys": expected a JWK set (RFC 7517) in
{"keys":[]}|no key that can be used: expected RSA of 2048 bits or more, P-256 or Ed25519, for signatures in
{"keys":[1]}|no key that can be used: expected RSA of 2048 bits or more, P-256 or Ed25519, for signatures in
{"keys":[{"kid":"x"}]}|no key that can be used: expected RSA of 2048 bits or more, P-256 or Ed25519, for signatures in
{"keys":[{"kty":"oct","k":"AA"}]}|no key that can be used: expected RSA of 2048 bits or more, P-256 or Ed25519, for signatures in
{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"r"}]}|no key that can be used: expected RSA of 2048 bits or more, P-256 or Ed25519, for signatures in
{"keys":[{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}]}|no key that can be used: expected RSA of 2048 bits or more, P-256 or Ed25519, for signatures in
{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}|no key that can be used: expected RSA of 2048 bits or more, P-256 or Ed25519, for signatures in
END

# signed requests
says 'licet_signatures yes;' 'invalid value "yes" in "licet_signatures" directive, it must be "on" or "off"'
says 'licet_signatures on; licet_signatures on;' '"licet_signatures" directive is duplicate'
says 'server { location / { if ($args) { licet_signatures on; } } }' '"licet_signatures" directive is not allowed here'
silent "licet_gate $gate; licet_signatures on; server { licet_signatures off; location / { licet_signatures on; licet on; } }"
for wrong in 63k 0 4097m; do
    says "licet_signature_nonces $wrong;" '[emerg]' '"licet_signature_nonces" directive expected a size from 64k to 4096m: 100 bytes for each signature that has not ended in' ':7'
done
for wrong in many -1 4g '""'; do
    says "licet_signature_nonces $wrong;" '"licet_signature_nonces" directive invalid value'
done
says 'licet_signature_nonces 1m; licet_signature_nonces 2m;' '"licet_signature_nonces" directive is duplicate'
says 'server { licet_signature_nonces 1m; }' '"licet_signature_nonces" directive is not allowed here'
silent "licet_gate $gate; licet_signatures on; licet_signature_nonces 64k;"
[[ ! -e $gate.nonces ]] || { echo 'nginx -t made notes of used signatures'; exit 1; }

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
