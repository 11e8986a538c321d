#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs end-to-end stories (all, or those named) against the build folder: tests/e2e/run.sh BUILD [STORY…]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- "$root"/tests/e2e/*.test.mjs
"$root/tests/e2e/install.sh" >/dev/null
export LICET_BUILD="$build"
export LICET_TEST_DATA="${LICET_TEST_DATA:-$root/../shared/data}"
exec node --test --test-concurrency=1 --test-reporter=spec "$@"
