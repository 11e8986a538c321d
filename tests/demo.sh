#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet demo --once ends with 0, says what it did, and leaves nothing behind; --site keeps a site that verifies again.
set -eu
build="$1"
out=$(mktemp)
dir=$(mktemp -d)
trap 'rm -rf "$out" "$dir"' EXIT

"$build/licet" demo --once --seconds 4 >"$out" 2>&1 || { cat "$out"; exit 1; }
grep -q 'every figure agrees' "$out" || { cat "$out"; echo "the demo did not say that every figure agrees"; exit 1; }
for app in console-social search-pages search-pages-2 cloud-insight flow-builder ads-local ads-global flow-model; do
    grep -q "^  $app " "$out" || { cat "$out"; echo "app $app is missing"; exit 1; }
done
if ls -d /tmp/licet-demo-* >/dev/null 2>&1; then
    # Another demo may run; ours must be gone.
    grep -o '/tmp/licet-demo-[A-Za-z0-9]*' "$out" | while read -r folder; do
        [ ! -e "$folder" ] || { echo "$folder was left behind"; exit 1; }
    done
fi

"$build/licet" demo --json --seconds 2 --site "$dir/site" >"$out"
jq -e '.agrees and (.figures | length > 20) and all(.figures[]; .agrees)' "$out" >/dev/null || { cat "$out"; exit 1; }
"$build/licet" verify "$dir/site" >"$out" || { cat "$out"; echo "the kept site does not verify"; exit 1; }
if "$build/licet" demo --once --site "$dir/site" >"$out" 2>&1; then
    echo "a folder that is in use was taken"; exit 1
fi
grep -q 'not empty' "$out" || { cat "$out"; exit 1; }
echo "demo: 3 runs"
