#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs each libFuzzer target for some seconds (default 10) from its corpus; a crash leaves its input in build-fuzz/.
set -u
cd "$(dirname "$0")/.."
seconds="${1:-10}"
[ -f build-fuzz/build.ninja ] ||
    CC=clang meson setup build-fuzz -Dfuzz=true -Dmodule=false -Db_sanitize=address,undefined -Db_lundef=false || exit 1
ninja -C build-fuzz -j "${JOBS:-2}" || exit 1
cd build-fuzz || exit 1
rc=0
count=0
for target in lib/*-fuzz; do
    [ -x "$target" ] || continue
    name=$(basename "$target" -fuzz)
    corpus="../tests/corpus/${name#*-}"
    mkdir -p "found/$name"
    count=$((count + 1))
    if "./$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=0 \
        -artifact_prefix="found/$name/" "found/$name" "$corpus" >"found/$name.log" 2>&1; then
        echo "ok $name"
    else
        echo "FAILED $name"; tail -40 "found/$name.log"; rc=1
    fi
done
[ $count -gt 0 ] || { echo "no fuzz target was built"; exit 1; }
exit $rc
