#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# packaging/debian builds both packages by dpkg-buildpackage; what is in them, that nginx loads the module in them, and
# that the unit of licetd is one that systemd takes and keeps apart.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d /tmp/licet-packaging.XXXXXX)
trap 'rm -rf "$work"' EXIT
fault() { echo "FAILED: $*"; exit 1; }
for tool in dpkg-buildpackage dh_nginx dh_installsysusers; do
    command -v $tool >/dev/null || { echo "skipped: Debian packages: no $tool on this machine"; exit 0; }
done

version=$(cat VERSION)
[[ $(sed -n '1s/licet (\(.*\)) .*/\1/p' packaging/debian/changelog) == "$version" ]] ||
    fault "packaging/debian/changelog is not of version $version"

mkdir "$work/licet"
tar cf - --exclude=./build* --exclude=./.git --exclude=node_modules . | tar xf - -C "$work/licet"
cp -r packaging/debian "$work/licet/"
if ! (cd "$work/licet" && DEB_BUILD_OPTIONS="noautodbgsym parallel=${JOBS:-2}" dpkg-buildpackage -b -us -uc) >"$work/log" 2>&1; then
    tail -30 "$work/log"
    fault 'dpkg-buildpackage'
fi

holds() { # PACKAGE PATH...
    local package=$1 path
    shift
    dpkg -c "$work/${package}_${version}_"*.deb >"$work/contents"
    for path; do
        grep -qE " \./$path(\.gz)?\$" "$work/contents" || fault "$package has no /$path"
    done
}
holds licet usr/bin/licet usr/sbin/licetd lib/systemd/system/licetd@.service usr/lib/sysusers.d/licet.conf \
    usr/lib/tmpfiles.d/licet.conf usr/share/man/man8/licetd.8 usr/share/doc/licet/howto/when-something-is-wrong.md
holds libnginx-mod-http-licet usr/lib/nginx/modules/ngx_http_licet_module.so usr/share/man/man7/licet-nginx.7 \
    usr/share/nginx/modules-available/mod-http-licet.conf
for page in docs/man/*; do
    holds "$([[ $page == *.7 ]] && echo libnginx-mod-http-licet || echo licet)" "usr/share/man/man${page##*.}/${page##*/}"
done
dpkg -f "$work/libnginx-mod-http-licet_${version}_"*.deb Depends | grep -q 'nginx-abi-' || fault 'the module asks for no nginx-abi'
dpkg -e "$work/libnginx-mod-http-licet_${version}_"*.deb "$work/control"
grep -q 'mod-http-licet.conf:90-mod-http-licet.conf' "$work/control/postinst" || fault 'the module is not loaded last'

for package in licet libnginx-mod-http-licet; do dpkg -x "$work/${package}_${version}_"*.deb "$work/root"; done
[[ $("$work/root/usr/bin/licet" --version) == *"$version"* ]] || fault 'licet --version'
cat >"$work/nginx.conf" <<END
load_module $work/root/usr/lib/nginx/modules/ngx_http_licet_module.so;
pid $work/pid;
events {}
http { access_log off; licet_gate $work/gate; server { listen 127.0.0.1:1; location / { licet on; } } }
END
nginx -t -c "$work/nginx.conf" -p "$work" -e stderr 2>&1 | grep -q 'test is successful' || fault 'nginx does not load the module'

if command -v systemd-analyze >/dev/null; then
    # a copy of its own program, for the machine that tests has none
    sed "s,/usr/sbin/licetd,$work/root/usr/sbin/licetd,; /^Documentation/d" "$work/root/lib/systemd/system/licetd@.service" >"$work/licetd@.service"
    systemd-analyze verify "$work/licetd@.service" 2>&1 | grep -v '^$' && fault 'systemd-analyze verify'
    systemd-analyze security --offline=true --threshold=20 "$work/licetd@.service" >"$work/exposure" 2>&1 || {
        grep -E '✗|exposure' "$work/exposure"
        fault 'the unit is exposed'
    }
    tail -1 "$work/exposure"
fi
if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers --dry-run --replace=/usr/lib/sysusers.d/licet.conf "$work/root/usr/lib/sysusers.d/licet.conf" >"$work/users" 2>&1 ||
        { cat "$work/users"; fault 'systemd-sysusers'; }
fi
echo "licet and libnginx-mod-http-licet $version"
