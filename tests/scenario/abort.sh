# SPDX-License-Identifier: Apache-2.0
# A client that leaves in the body is charged what was handed to its kernel, to the unit: never less than it read,
# never more than the socket could take.
. "$SCENARIO/lib.sh"
upstream page 20000
page=$SCENARIO_DIR/page
curl -sS -H 'Authorization: Bearer secret-full' "http://127.0.0.1:$PORT/search" -o "$page"
same whole "$("$SCENARIO/receipt" 1 '"\(.ending) \(.units.post) \(.bytes)"')" "complete 20000 $(wc -c <"$page")"

# leave HOST BYTES: reads that many bytes of body, then closes with unread data: the kernel sends a reset.
leave() {
    python3 - "$PORT" "$1" "$2" <<'END'
import socket, sys, time
port, host, want = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
s.connect(("127.0.0.1", port))
s.sendall(b"GET /search HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer secret-full\r\n\r\n" % host.encode())
data = b""
while b"\r\n\r\n" not in data:
    data += s.recv(4096)
body = data.split(b"\r\n\r\n", 1)[1]
while len(body) < want:
    body += s.recv(min(65536, want - len(body)))
time.sleep(0.3)
s.close()
END
}

# units_at BYTES: posts whose first byte lies in the first BYTES of the page (what the receipt must say).
starts=$SCENARIO_DIR/starts
grep -aob '{"id"' "$page" | cut -d: -f1 >"$starts"
units_at() {
    awk -v bytes="$1" '$1 < bytes { n++ } END { print n + 0 }' "$starts"
}

n=1
for host in plain unbuffered; do
    for want in 100000 1000000; do
        leave $host $want
        n=$((n + 1))
        "$SCENARIO/receipt" $n
        bytes=$("$SCENARIO/receipt" $n .bytes)
        same ending "$("$SCENARIO/receipt" $n '"\(.ending) \(.status) \(.unmetered)"')" 'client closed in body 200 none'
        same units "$("$SCENARIO/receipt" $n .units.post)" "$(units_at "$bytes")"
        ((bytes >= want)) || { echo "$bytes bytes handed on, $want were read"; exit 1; }
        acked=$("$SCENARIO/receipt" $n .acked)
        ((acked >= want && acked <= bytes)) || { echo "$acked acknowledged of $bytes, $want were read"; exit 1; }
        ((bytes - want < 1000000)) || { echo "$((bytes - want)) bytes ahead of the client"; exit 1; }
    done
done

# HTTP/1.1 over TLS and HTTP/2 in clear are exact too; HTTP/2 over TLS up to 16 KiB of body over
left() {
    leave_after 100000 "$SCENARIO_DIR/left" --limit-rate 300k -H 'Authorization: Bearer secret-full' "$@"
    n=$((n + 1))
    same ending "$("$SCENARIO/receipt" $n '"\(.ending) \(.unmetered)"')" 'client closed in body none'
    bytes=$("$SCENARIO/receipt" $n .bytes)
    got=$(wc -c <"$SCENARIO_DIR/left")
    ((bytes >= got)) || { echo "$bytes bytes handed on, $got were read"; exit 1; }
}
left --http2-prior-knowledge --unix-socket "$SCENARIO_DIR/h2.sock" http://h2/search
same 'HTTP/2 units' "$("$SCENARIO/receipt" $n .units.post)" "$(units_at "$bytes")"
for host in plain unbuffered small; do
    left -k --http1.1 -D "$SCENARIO_DIR/head" -H "Host: $host" "https://127.0.0.1:$TLS_PORT/search"
    same "TLS units, $host" "$("$SCENARIO/receipt" $n .units.post)" "$(units_at "$bytes")"
    sent=$(sed -n '$s/.*sent=//p' "$SCENARIO_DIR/access.log")
    ((sent == 0)) || same "TLS bytes, $host" "$bytes" $((sent - $(wc -c <"$SCENARIO_DIR/head")))
done
left -k --http2 "https://127.0.0.1:$TLS_PORT/search"
same 'HTTP/2 over TLS units' "$("$SCENARIO/receipt" $n .units.post)" "$(units_at "$bytes")"

# before the head: the upstream has not answered yet
python3 - "$PORT" <<'END'
import socket, sys
s = socket.socket()
s.connect(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"GET /search?wait HTTP/1.1\r\nHost: plain\r\nAuthorization: Bearer secret-full\r\n\r\n")
import time; time.sleep(0.2)
s.close()
END
n=$((n + 1))
same head "$("$SCENARIO/receipt" $n '"\(.ending) \(.status) \(.bytes) \(.units)"')" 'client closed before head 499 0 {}'
