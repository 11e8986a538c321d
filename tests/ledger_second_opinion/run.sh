#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A second opinion on the ledger by Go's checksum-database libraries. Exit 77 (skipped) where Debian's golang-go or
# golang-golang-x-mod-dev is absent.
#
#   run.sh EXPORT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v go >/dev/null; then
    echo "skipped: go is not installed (Debian: golang-go)"
    exit 77
fi
if [ ! -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ]; then
    echo "skipped: golang.org/x/mod is not installed (Debian: golang-golang-x-mod-dev)"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" "$work"
GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode GOCACHE="$work/cache" GOPROXY=off \
    go build -o "$work/second" "$here/main.go"
"$work/second" "$work"
# and it must be able to say no
printf 'x' | dd of="$work/tile/entries/000" bs=1 seek=1000 conv=notrunc status=none
if "$work/second" "$work" 2>/dev/null; then
    echo "a changed entry was accepted"
    exit 1
fi
