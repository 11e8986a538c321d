# SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share. A case is one line of output; whole stdout, stderr and exit status are compared.
# Sourced with the path of licet as $1; the script then stands in a new folder that is removed at its end.
set -u
licet=$(realpath "$1")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
mkdir run
cd run || exit 2
export LICET_NOW=2026-11-23T12:00:00Z
rc=0

# What differs from run to run is shown by its name.
mask() {
    sed -E -e 's/lct_[A-Za-z0-9_-]{43}/SECRET/g' -e 's/"[0-9a-f]{64}"/"HMAC"/g' -e 's/(site: |"site": "|licet-)[0-9a-f]{12}/\1SITEID/g'
}

report() { # passed?, name
    if [ "$1" = yes ]; then
        echo "ok      $2"
    else
        echo "FAILED  $2"
        rc=1
    fi
}

# same NAME EXPECTED GOT
same() {
    if [ "$2" = "$3" ]; then
        report yes "$1"
    else
        report no "$1"
        diff <(printf '%s\n' "$2") <(printf '%s\n' "$3") | sed 's/^/        /'
    fi
}

# expect NAME STATUS STDOUT STDERR ARGUMENTS...: STDOUT and STDERR without their last line end
expect() {
    local name="$1" status="$2" out="$3" err="$4" got
    shift 4
    "$licet" "$@" >"$work/out" 2>"$work/err"
    got=$?
    same "$name" "exit $status"$'\n'"$out"$'\n--\n'"$err" "exit $got"$'\n'"$(mask <"$work/out")"$'\n--\n'"$(mask <"$work/err")"
}
