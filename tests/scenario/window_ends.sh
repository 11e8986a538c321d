# SPDX-License-Identifier: Apache-2.0
# How others fell: a key got its time to live before its first count and lived for ever (44); a window of one second and a
# time to live of zero let the next one through (47). Here a limit of two a second: no second has more, every second has
# two again, by the clock of the gate alone.
. "$SCENARIO/lib.sh"
upstream page 1
sed -i 's/per: day/per: second/' "$SCENARIO_DIR/site/agreements/RATE/2020-01-01.yaml"
kill -HUP "$(cat "$SCENARIO_DIR/gate_tool.pid")"
for _ in $(seq 100); do
    curl -sS -o /dev/null -D "$SCENARIO_DIR/head" -H 'Authorization: Bearer secret-rate' "http://127.0.0.1:$PORT/items/1"
    grep -qi '^ratelimit-policy: "RATE";q=2;w=1' "$SCENARIO_DIR/head" && break
    sleep 0.05
done
grep -qi '^ratelimit-policy: "RATE";q=2;w=1' "$SCENARIO_DIR/head"
python3 - "$PORT" >"$SCENARIO_DIR/seconds" <<'END'
import collections, http.client, sys, time
passed = collections.Counter()
limits = collections.Counter()
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
end = time.time() + 3.3
while time.time() < end:
    before = int(time.time())
    c.request("GET", "/items/1", headers={"Authorization": "Bearer secret-rate"})
    r = c.getresponse()
    r.read()
    after = int(time.time())
    if r.status == 200 and before == after:
        passed[before] += 1
    if before != after:
        limits[before] += 1  # may belong to either second
        limits[after] += 1
    assert r.status in (200, 429), r.status
seconds = range(int(end - 3.3) + 1, int(end))  # the whole ones
print(dict(passed))
assert len(seconds) >= 2
for second in seconds:
    assert passed[second] <= 2, "more than the limit in one second"
    assert passed[second] + limits[second] >= 2, "less than the limit in one second"
END
cat "$SCENARIO_DIR/seconds"
