# SPDX-License-Identifier: Apache-2.0
# conf: operators.conf
# What other filters make of a body is what is counted; files are counted however nginx reads them.
. "$SCENARIO/lib.sh"
mkdir -p "$SCENARIO_DIR/files"
python3 -c 'import json; print(json.dumps({"data": [{"id": str(i), "text": "x" * 100} for i in range(3000)]}), end="")' >"$SCENARIO_DIR/files/search"
gzip -k "$SCENARIO_DIR/files/search"
platform
n=0
filtered() { # WHAT TARGET RECEIPT [CURL OPTIONS]
    local what=$1 target=$2 receipt=$3
    shift 3
    same "$what" "$(get filters full "$target" "$@")" 200
    n=$((n + 1))
    same "$what" "$("$SCENARIO/receipt" $n '"\(.ending) \(.unmetered) \(.units.post) \(.bytes)"')" "$receipt"
    same "$what, size" "$(wc -c <"$SCENARIO_DIR/body")" "${receipt##* }"
}
page='complete none 40'
filtered plain '/search?max_results=40' "$page 1310"
filtered sub_filter '/sub/search?max_results=40' 'complete ids-differ 40 1390'
filtered charset '/charset/search?max_results=40' "$page 1310"
filtered limit_rate '/rate/search?max_results=4000' 'complete none 4000 145790'
filtered 'slice makes a page of many parts' '/slice/search?max_results=40&ranges=1' "$page 1310"
filtered 'a part added behind' '/add/search?max_results=40' 'complete malformed 40 1331'

# what a client may choose is not how it is counted
for way in plain ranges said headless; do
    target="/$way/search?max_results=40&ranges=1&encoded=1" bytes=240
    [[ $way != headless ]] || bytes=1310 # the upstream was not told what the client accepts
    filtered "$way, a range and an encoding" "${target/plain\/}" "$page $bytes" -H 'Range: bytes=0-9' -H 'Accept-Encoding: gzip'
done

# files
for way in file sendfile directio; do
    filtered "$way" "/$way/search" 'complete none 3000 382900' -H 'Range: bytes=0-9'
done
filtered proxy_store '/store/search?max_results=40' "$page 1310"
cmp "$SCENARIO_DIR/stored" "$SCENARIO_DIR/body"

filtered 'a compressed file' /static/search "complete none 3000 $(stat -c %s "$SCENARIO_DIR/files/search.gz")"

# an encoding that the operator asks for, inflated for a client that does not know it
filtered gunzip '/gunzip/search?max_results=40&encoded=1' "$page 1310"
receipts $n
