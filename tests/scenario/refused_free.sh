# SPDX-License-Identifier: Apache-2.0
# How others fell: what was refused was taken from the quota all the same, so that a raised limit helped nobody (13); a
# raised limit acted only after a restart (53). Here a caller is refused fifty times, the limit is raised by one, and one
# more request passes: at once, and no more than that.
. "$SCENARIO/lib.sh"
upstream page 2
ask() { # APP URL TIMES: the statuses, counted
    curl -sS -o /dev/null -w '%{http_code}\n' -H "Authorization: Bearer secret-$1" "http://127.0.0.1:$PORT$2$3" | sort | uniq -c | tr -s ' \n' ' '
}
raise() { # AGREEMENT FROM TO
    sed -i "s/most: $2,/most: $3,/" "$SCENARIO_DIR/site/agreements/$1/2020-01-01.yaml"
    kill -HUP "$(cat "$SCENARIO_DIR/gate_tool.pid")"
}
same 'two of fifty-two' "$(ask rate '/items/1?n=[1-52]' '')" ' 2 200 50 429 '
raise RATE 2 3
for _ in $(seq 100); do # until the worker has the new terms; each refusal on the way is as free as those before
    got=$(curl -sS -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer secret-rate' "http://127.0.0.1:$PORT/items/1")
    [[ $got == 200 ]] && break
    sleep 0.05
done
same 'one more' "$got" 200
same 'and no more' "$(ask rate '/items/1?n=[1-10]' '')" ' 10 429 '

# the same for units: 100 posts, of which 2 are delivered; pages that do not fit take nothing
same 'first' "$(ask cap '/search?max_results=100' '')" ' 1 200 '
same 'what does not fit' "$(ask cap '/search?max_results=99&n=[1-20]' '')" ' 20 429 '
same 'what fits' "$(ask cap '/search?max_results=98' '')" ' 1 200 '
raise CAP 100 120
for _ in $(seq 100); do
    got=$(curl -sS -o /dev/null -D "$SCENARIO_DIR/head" -w '%{http_code}' -H 'Authorization: Bearer secret-cap' "http://127.0.0.1:$PORT/search?max_results=99")
    [[ $got == 200 ]] && break
    sleep 0.05
done
same 'the raised cap' "$got" 200
grep -qi '^ratelimit: "CAP";r=17;' "$SCENARIO_DIR/head" # 120, less 4 delivered, less 99 reserved
