#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Formats every C file, or with --check says which are not.
set -eu
cd "$(dirname "$0")/.."
files=$(git ls-files '*.c' '*.h')
if [ "${1:-}" = --check ]; then
    # shellcheck disable=SC2086
    exec clang-format --dry-run -Werror $files
fi
# shellcheck disable=SC2086
exec clang-format -i $files
