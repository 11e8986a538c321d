#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every benchmark; each prints size, runs, median and a checksum, and one RATIO line per budget.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
export LICET_BUILD="${LICET_BUILD:-$root/build}"
for part in gate latency where; do
    node "$root/bench/$part.mjs" "$@"
    echo
done
