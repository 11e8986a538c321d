#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every test, stage by stage, most basic first; a stage that fails does not hide the next. Ends with one line
# 'N passed, N failed' and exits 1 if any failed. "check.sh nightly" runs the long forms of fuzzing and killing.
#
# The stages run in three lanes side by side, for most of them wait more than they compute: the programs as they are
# installed, everything again under sanitizers, and what compilers and fuzzers say. LANES=1 runs one after the other.
set -u
cd "$(dirname "$0")/.."
long="${1:-}"
jobs="${JOBS:-2}"
seconds=10
if [ "$long" = nightly ]; then
    seconds=600
    export LICET_KILLS=1000 LICET_STEPS_ALL=1 LICET_MATRIX=full LICET_BAD_KEYS=1000000 LICET_ODD_ALL=1 \
        LICET_WORLDS=2000000
fi
logs=$(mktemp -d)
missing=""
export LICET_TEST_DATA="${LICET_TEST_DATA:-$PWD/../shared/data}"

# What a stage said, all at once; and one word for the sum.
tell() { # passed or failed, line, lines of its log
    echo "$1" >>"$logs/outcomes"
    printf '%s\n' "$2${3:+
$3}"
}

stage() { # name, command...
    local name="$1" log start rc
    shift
    if [ -n "$missing" ]; then
        tell failed "$(printf 'FAILED  %-44s        (not run: %s)' "$name" "$missing")" ""
        return 1
    fi
    log="$logs/$(echo "$name" | tr -c 'A-Za-z0-9\n' '-').log"
    start=$SECONDS
    "$@" >"$log" 2>&1 </dev/null
    rc=$?
    if [ $rc -eq 0 ]; then
        tell passed "$(printf 'ok      %-44s %4d s' "$name" $((SECONDS - start)))" \
            "$(grep -E '^(# used|skipped|SKIP)' "$log" | head -5 | sed 's/^/          /')"
    else
        tell failed "$(printf 'FAILED  %-44s %4d s   (exit %d)' "$name" $((SECONDS - start)) $rc)" \
            "$({ grep -E ' error: ' "$log" | head -20; tail -60 "$log"; } | sed 's/^/    | /')"
    fi
    return $rc
}

configure() { # folder, compiler, options...
    local folder="$1" compiler="$2"
    shift 2
    [ -f "$folder/build.ninja" ] || CC="$compiler" meson setup "$folder" -Dwerror=true "$@"
}
build() {
    configure "$@" && ninja -C "$1" -j "$jobs"
}
# Workers and licetd in threads of one process, on one mapping: what the thread sanitizer can see.
build_stress() {
    configure build-tsan clang --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false &&
        ninja -C build-tsan -j "$jobs" lib/quota-stress-test lib/quota-rolling-test
}
tests_of() { # folder, suites...
    local folder="$1"
    shift
    meson test -C "$folder" --no-rebuild --num-processes "$jobs" --print-errorlogs "$@"
}

# What later stages of a lane stand on: where it fails they are not run, and say so.
ground() {
    missing=""
    stage "$@" || missing="$1 failed"
}

lane_installed() {
    ground 'build (gcc)' build build gcc --buildtype=release
    stage 'a layer breach does not compile' tests/layers.sh build
    stage 'unit and corpus tests' tests_of build --suite unit --suite corpus
    for script in tests/cli/*.sh; do
        stage "command line: $(basename "$script" .sh)" "$script" build/licet
    done
    stage 'manual pages' tests/manuals.sh build
    stage 'messages are explained' tests/messages.py
    stage 'how others fell' tests/failures.sh
    stage 'scenarios in nginx' tests_of build --suite scenario
    stage 'Debian packages' tests/packaging.sh
    stage 'scenarios in a newer nginx' tests/newer.sh build "${long:+all}"
    for story in tests/e2e/*.test.mjs; do
        stage "end to end: $(basename "$story" .test.mjs)" tests/e2e/run.sh build "$story"
    done
    stage 'demo' tests/demo.sh build
}

# Compiles rather than waits: it gives way to the others.
lane_compilers() {
    renice -n 10 -p "$BASHPID" >/dev/null
    stage 'formatting' tools/format.sh --check
    ground 'build (clang, address and undefined sanitizers)' \
        build build-fuzz clang -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
    stage 'clang-tidy' tools/tidy.sh build-fuzz
    stage "fuzzing, $seconds s a target" tools/fuzz.sh "$seconds"
}

lane_sanitized() {
    ground 'build (gcc, address and undefined sanitizers)' \
        build build-asan gcc --buildtype=debugoptimized -Db_sanitize=address,undefined
    stage 'unit and corpus tests under sanitizers' tests_of build-asan --suite unit --suite corpus
    stage 'scenarios under sanitizers' tests_of build-asan --suite scenario
    for story in tests/e2e/*.test.mjs; do
        stage "end to end under sanitizers: $(basename "$story" .test.mjs)" tests/e2e/run.sh build-asan "$story"
    done
    ground 'build of the shared memory (clang, thread sanitizer)' build_stress
    stage 'shared memory under the thread sanitizer' build-tsan/lib/quota-stress-test
    stage 'rolling windows under the thread sanitizer' build-tsan/lib/quota-rolling-test
}

stage 'end to end: packages of npm' tests/e2e/install.sh
if [ "${LANES:-3}" = 1 ]; then
    (lane_installed)
    (lane_sanitized)
    (lane_compilers)
else
    lane_installed &
    lane_sanitized &
    lane_compilers &
    wait
fi

passed=$(grep -c '^passed$' "$logs/outcomes")
failed=$(grep -c '^failed$' "$logs/outcomes")
echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
