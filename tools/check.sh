#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every test, stage by stage, most basic first; a stage that fails does not hide the next. Ends with one line
# 'N passed, N failed' and exits 1 if any failed. "check.sh nightly" runs the long forms of fuzzing and killing.
set -u
cd "$(dirname "$0")/.."
long="${1:-}"
jobs="${JOBS:-2}"
logs=$(mktemp -d)
passed=0
failed=0
export LICET_TEST_DATA="${LICET_TEST_DATA:-$PWD/../shared/data}"

stage() { # name, command...
    local name="$1" log start rc
    shift
    log="$logs/$(echo "$name" | tr -c 'A-Za-z0-9\n' '-').log"
    start=$SECONDS
    "$@" >"$log" 2>&1
    rc=$?
    if [ $rc -eq 0 ]; then
        passed=$((passed + 1))
        printf 'ok      %-44s %4d s\n' "$name" $((SECONDS - start))
        grep -E '^(# used|skipped|SKIP)' "$log" | sed 's/^/          /' | head -5
    else
        failed=$((failed + 1))
        printf 'FAILED  %-44s %4d s   (exit %d)\n' "$name" $((SECONDS - start)) $rc
        tail -60 "$log" | sed 's/^/    | /'
    fi
}

configure() { # folder, compiler, options...
    local folder="$1" compiler="$2"
    shift 2
    [ -f "$folder/build.ninja" ] || CC="$compiler" meson setup "$folder" "$@"
}
build() {
    configure "$@" && ninja -C "$1" -j "$jobs"
}
unit() { meson test -C "$1" --no-rebuild --num-processes "$jobs" --print-errorlogs --suite unit --suite corpus; }

stage 'build with gcc' build build gcc --buildtype=release
stage 'a layer breach does not compile' tests/layers.sh build
stage 'unit tests (gcc)' unit build
stage 'build with clang, address and undefined' \
    build build-asan clang --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
stage 'unit tests (clang, sanitizers)' unit build-asan
stage 'formatting' tools/format.sh --check
stage 'clang-tidy' tools/tidy.sh build-asan
for script in tests/cli/*.sh; do
    stage "command line: $(basename "$script" .sh)" "$script" build/licet
done
stage 'manual pages' tests/manuals.sh build
stage 'scenarios in nginx' tests/scenario/run.sh build
stage 'end to end: packages of npm' tests/e2e/install.sh
for story in tests/e2e/*.test.mjs; do
    stage "end to end: $(basename "$story" .test.mjs)" tests/e2e/run.sh build "$story"
done
stage 'end to end under sanitizers' tests/e2e/run.sh build-asan tests/e2e/clients.test.mjs
stage 'demo' tests/demo.sh build
stage 'fuzzing' tools/fuzz.sh "${long:+300}"

echo
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
