# SPDX-License-Identifier: Apache-2.0
# conf: http3.conf
# HTTP/3 is gated and counted like the rest; of a page that a client leaves never less is told than it got. Run by
# newer.sh: Debian 12's nginx has no HTTP/3.
. "$SCENARIO/lib.sh"
go=/usr/share/gocode
if [[ ! -d $go/src/github.com/lucas-clemente/quic-go ]] || ! command -v go >/dev/null; then
    echo 'SKIP: no Go or no quic-go on this machine'
    exit 0
fi
GO111MODULE=off GOPATH=$go GOCACHE=$SCENARIO_DIR/go-cache go build -o "$SCENARIO_DIR/h3" "$SCENARIO/http3.go"
platform
h3() { timeout 20 "$SCENARIO_DIR/h3" "https://127.0.0.1:$PORT$1" "$2" "${3:--1}"; }

same 'a page' "$(h3 '/search?max_results=40' secret-full)" '200 1310 decision'
same 'a page' "$("$SCENARIO/receipt" 1 '"\(.ending) \(.units.post) \(.bytes) \(.bytes_acked)"')" 'complete 40 1310 null'
same 'a large page' "$(h3 '/search?max_results=40000' secret-full)" '200 1537790 decision'
same 'a large page' "$("$SCENARIO/receipt" 2 '"\(.ending) \(.units.post) \(.bytes)"')" 'complete 40000 1537790'
same 'nobody' "$(h3 /search nobody | cut -d' ' -f1,3)" '401 no'
same 'a cap' "$(h3 '/search?max_results=100' secret-cap) $(h3 '/search?max_results=1' secret-cap | cut -d' ' -f1)" '200 3290 decision 429'
grep -q '^HTTP/3.0 200 units=post=40,user=0' "$SCENARIO_DIR/access.log"

# leaves in mid-page: what it took, and at most what lay in nginx's buffer and on the way
same 'leaves' "$(h3 '/search?max_results=40000' secret-full 300000 | cut -d' ' -f1,2)" '200 300000'
read -r ending posts bytes < <("$SCENARIO/receipt" 5 '"\(.ending) \(.units.post) \(.bytes)"' | sed 's/client closed in body/closed/')
same 'leaves' "$ending" closed
((bytes >= 300000 && bytes < 1537790)) || { echo "delivered $bytes bytes"; exit 1; }
((posts >= 300000 * 40000 / 1537790 - 300 && posts < 40000)) || { echo "delivered $posts posts"; exit 1; }
same 'no option of TCP was tried' "$(grep -c TCP_NOTSENT_LOWAT "$SCENARIO_DIR/error.log")" 0
receipts 5
