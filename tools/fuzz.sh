#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs each libFuzzer target for some seconds (default 10) from its corpus; a crash leaves its input in build-fuzz/.
set -u
cd "$(dirname "$0")/.."
seconds="${1:-10}"
[ -f build-fuzz/build.ninja ] ||
    CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false || exit 1
ninja -C build-fuzz -j "${JOBS:-2}" || exit 1
cd build-fuzz || exit 1
rc=0
count=0
fuzz_one() {
    local target="$1" name corpus
    name=$(basename "$target" -fuzz)
    corpus="../tests/corpus/${name#*-}"
    mkdir -p "found/$name"
    if "./$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
        -artifact_prefix="found/$name/" "found/$name" "$corpus" >"found/$name.log" 2>&1; then
        echo "ok $name: $(grep -o 'Done [0-9]* runs' "found/$name.log")"
    else
        echo "FAILED $name"
        tail -40 "found/$name.log"
        return 1
    fi
}
running=0
for target in lib/*-fuzz; do
    [ -x "$target" ] || continue
    count=$((count + 1))
    fuzz_one "$target" &
    running=$((running + 1))
    if [ "$running" -ge "${JOBS:-2}" ]; then
        wait -n || rc=1
        running=$((running - 1))
    fi
done
while [ "$running" -gt 0 ]; do
    wait -n || rc=1
    running=$((running - 1))
done
[ $count -gt 0 ] || { echo "no fuzz target was built"; exit 1; }
exit $rc
