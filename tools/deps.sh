#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing, and says which. "deps.sh run" is what make demo needs, "deps.sh check"
# also what the tests need, "deps.sh bench" what the benchmarks need. Needs root or sudo only when something is missing.
set -eu

run="gcc libc6-dev tzdata make meson ninja-build pkg-config python3 nginx nginx-dev libssl-dev libyaml-dev libjansson-dev
 libsqlite3-dev libmicrohttpd-dev libcurl4-openssl-dev libpcre2-dev zlib1g-dev libbrotli-dev libzstd-dev libcmocka-dev"
check="clang clang-format clang-tidy libclang-rt-14-dev curl jq openssl varnish nghttp2-client python3-mastodon python3-tweepy
 python3-jsonschema dpkg-dev debhelper build-essential python3-prometheus-client python3-yaml golang-go golang-golang-x-mod-dev golang-github-lucas-clemente-quic-go-dev procps groff-base sqlite3 zstd libfaketime"
bench="wrk curl procps linux-perf libnginx-mod-http-lua lua-cjson libnginx-mod-http-js"

case "${1:-run}" in
run) wanted="$run" ;;
check) wanted="$run $check" ;;
bench) wanted="$run $bench" ;;
*) echo "usage: tools/deps.sh run|check|bench" >&2; exit 2 ;;
esac
# Any Node.js of version 18 or later will do; Debian's is taken only where there is none.
if [ "${1:-run}" != run ] && ! node -e 'process.exit(+process.versions.node.split(".")[0] >= 18 ? 0 : 1)' 2>/dev/null; then
    wanted="$wanted nodejs npm"
fi

missing=""
for package in $wanted; do
    state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$state" = "install ok installed" ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "packages: nothing is missing"
    exit 0
fi

echo "packages: installing$missing"
as_root=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "packages: need root or sudo to install them" >&2; exit 1; }
    as_root=sudo
fi
# Installing nginx must not start a server on port 80 that nobody asked for.
held=""
if [ ! -x /usr/sbin/nginx ] && [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee /usr/sbin/policy-rc.d >/dev/null
    $as_root chmod 755 /usr/sbin/policy-rc.d
    held=yes
fi
let_go() { [ -z "$held" ] || $as_root rm -f /usr/sbin/policy-rc.d; }
trap let_go EXIT
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
