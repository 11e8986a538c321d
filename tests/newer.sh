#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The module in an nginx newer than Debian 12's: the source package of the next Debian release, fetched and verified by
# apt from the mirror this machine uses, built once with our module, and the stories of tests/scenario run in it.
#
#   newer.sh BUILD [all]     without 'all' a few stories; with it every one, odd requests (tests/e2e/unchanged.test.mjs), and every
#                            story once more with the module linked in (--add-module)
#
# Where the source cannot be had the stage is skipped, and says why. What was built is kept in BUILD/newer.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(cd "$1" && pwd)
extent=${2:-}
suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
dir=$build/newer
mkdir -p "$dir"
skip() {
    echo "skipped: the module in a newer nginx: $1"
    exit 0
}

# What apt knows, without a change to it: one source line and lists of our own.
fetch() {
    local mirror
    command -v apt-get >/dev/null || skip 'no apt on this machine'
    [[ -r $keyring ]] || skip "no $keyring"
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk '$2 == "Debian" && $3 == "main" && $1 !~ /security/ { print $1; exit }')
    [[ -n $mirror ]] || skip 'apt knows no mirror of Debian: run apt-get update once'
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/source"
    echo "deb-src [signed-by=$keyring] $mirror $suite main" >"$dir/sources.list"
    apt=(-q -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$dir/lists"
        -o "Dir::Cache=$dir/cache" -o "APT::Sandbox::User=$(id -un)" -o Acquire::Retries=1 -o Acquire::http::Timeout=20)
    apt-get "${apt[@]}" update >"$dir/apt.log" 2>&1 || skip "the index of $suite: $(tail -1 "$dir/apt.log" | sed 's,[a-z]*://[^ ]*,…,g')"
    (cd "$dir/source" && apt-get "${apt[@]}" source --download-only --tar-only nginx/$suite) >"$dir/apt.log" 2>&1 ||
        skip "the source of nginx: $(tail -1 "$dir/apt.log" | sed 's,[a-z]*://[^ ]*,…,g')"
    rm -rf "$dir/lists" "$dir/cache"
}

tarball() { ls "$dir"/source/nginx_*.orig.tar.* 2>/dev/null | head -1; }
[[ -n $(tarball) ]] || fetch
if [[ ! -r $dir/nginx/configure ]]; then
    mkdir -p "$dir/nginx"
    tar xf "$(tarball)" -C "$dir/nginx" --strip-components=1
fi

# made KIND OPTIONS...: objects in DIR/KIND; made anew where the module changed
made() {
    local kind=$1 objs=$dir/$1
    shift
    if [[ ! -s $objs/Makefile || nginx/config -nt $objs/Makefile || nginx/SOURCES -nt $objs/Makefile || nginx/LIBRARY -nt $objs/Makefile ]]; then
        (cd "$dir/nginx" && ./configure --with-cc-opt=-O0 --with-compat --with-threads --with-http_ssl_module --with-http_v2_module \
            --with-http_v3_module --with-http_auth_request_module --with-http_sub_module --with-http_slice_module \
            --with-http_addition_module --with-http_gunzip_module --with-http_gzip_static_module --without-http_autoindex_module \
            --without-http_geo_module --without-http_browser_module --without-http_memcached_module --builddir="$objs" "$@") >"$dir/$kind.log" 2>&1 ||
            { tail -20 "$dir/$kind.log"; exit 1; }
    fi
    targets=(binary)
    [[ $kind == static ]] || targets+=(modules)
    (cd "$dir/nginx" && make -f "$objs/Makefile" -j"${JOBS:-2}" "${targets[@]}") >"$dir/$kind.log" 2>&1 ||
        { grep -E 'error|warning|undefined' "$dir/$kind.log" | head -20; exit 1; }
}

module=$PWD/nginx
made dynamic --add-dynamic-module="$module"
"$dir/dynamic/nginx" -v 2>&1 | sed 's/^/# used /'
stage=$dir/stage
mkdir -p "$stage/tests/scenario"
ln -sf "$dir/dynamic/ngx_http_licet_module.so" "$build/licet" "$build/licetd" "$stage/"
ln -sf "$build/tests/scenario/gate_tool" "$stage/tests/scenario/"
cd tests/scenario
stories=(allowed.vtc bodies.vtc redirects.vtc refusals.vtc places.sh filters.sh abort.sh)
others='^(run|lib|package)\.sh$'
[[ $extent != all ]] || mapfile -t stories < <(ls | grep -E '\.(vtc|sh)$' | grep -vE "$others")
LICET_NGINX=$dir/dynamic/nginx ./run.sh "$stage" "${stories[@]}"
if [[ $extent == all ]]; then
    cd ../..
    mkdir -p "$dir/bin"
    ln -sf "$dir/dynamic/nginx" "$dir/bin/nginx"
    PATH=$dir/bin:$PATH tests/e2e/run.sh "$stage" tests/e2e/unchanged.test.mjs
    made static --add-module="$module"
    cd tests/scenario
    mapfile -t stories < <(printf '%s\n' "${stories[@]}" | grep -v configuration)
    LICET_STATIC=1 LICET_NGINX=$dir/static/nginx ./run.sh "$stage" "${stories[@]}"
fi
