# SPDX-License-Identifier: Apache-2.0
# How others fell: a pump stopped silently and nobody saw (18); with the log level at "errors" the cost was not computed.
# Here access_log is off, error_log tells next to nothing and goes nowhere: what passes is metered and limited as before.
. "$SCENARIO/lib.sh"
upstream page 40
ask() {
    curl -sS -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer secret-cap' "http://127.0.0.1:$PORT/search?max_results=40"
}
same 'with logs' "$(ask)" 200
sed -i -e "s,access_log .*,access_log off;," -e "s,^error_log .*,error_log /dev/null crit;," "$SCENARIO_DIR/nginx.conf"
kill -HUP "$(cat "$SCENARIO_DIR/nginx.pid")"
sleep 0.5
lines=$(wc -l <"$SCENARIO_DIR/access.log")
same 'without logs' "$(ask)" 200
same 'without logs, the cap' "$(ask)" 429
same 'nothing was logged' "$(wc -l <"$SCENARIO_DIR/access.log")" "$lines"
same 'receipts' "$("$SCENARIO/receipt" 1 .units.post) $("$SCENARIO/receipt" 2 .units.post) $("$SCENARIO/receipt" 3 .reason)" '40 40 cap-reached'
