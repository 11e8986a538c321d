#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over our own sources (tests and nginx's macros left out: nginx/ is written as nginx writes). A file each: given
# several, clang 14 carries the state of a va_list from one to the next.
set -eu
cd "$(dirname "$0")/.."
build="${1:-build-asan}"
git ls-files 'lib/*.c' 'daemon/*.c' 'cli/*.c' | grep -v -e '_test\.c$' -e '_fuzz\.c$' |
    xargs -P 2 -n 1 clang-tidy -p "$build" --quiet
