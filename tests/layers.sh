#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A folder of lib/ that includes a header of a lower room must not compile, and one that includes an upper room's must.
set -u
cd "$(dirname "$0")/.."
rc=0
compile() { # layer, header
    echo "#include \"licet/$2\"" | ${CC:-gcc} -std=gnu17 -Iinclude -DLICET_LAYER="$1" -x c -fsyntax-only - 2>/dev/null
}
while read -r header layer; do
    if compile $((layer - 1)) "$header"; then
        echo "FAILED: layer $((layer - 1)) could include $header"; rc=1
    fi
    if ! compile "$layer" "$header"; then
        echo "FAILED: layer $layer could not include its own $header"; rc=1
    fi
    # Each public header stands alone, as C and as C++.
    for as in c c++; do
        echo "#include \"licet/$header\"" | ${CC:-gcc} -Iinclude -x $as -fsyntax-only - ||
            { echo "FAILED: $header does not stand alone as $as"; rc=1; }
    done
done <<'TABLE'
image.h 2
agreement.h 2
store.h 2
decide.h 3
meter.h 4
inflate.h 4
money.h 1
gate.h 5
lease.h 5
step.h 5
receipt.h 6
ledger.h 7
usage.h 8
report.h 10
simulate.h 10
identity.h 11
TABLE
for header in include/licet/*.h; do
    case "$(basename "$header")" in base.h) continue ;; esac
    grep -q 'layer breach' "$header" || { echo "FAILED: $header names no layer"; rc=1; }
done
[ $rc -eq 0 ] && echo "$(grep -l 'layer breach' include/licet/*.h | wc -l) headers keep their layers"
exit $rc
