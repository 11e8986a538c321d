#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the client packages of the end-to-end stories, exactly as package-lock.json names them.
set -eu
cd "$(dirname "$0")"
[ node_modules/.package-lock.json -nt package-lock.json ] && { echo "client packages are there"; exit 0; }
exec npm ci --no-progress
