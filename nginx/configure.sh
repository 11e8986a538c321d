#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes what a module needs from nginx's own build and Debian does not ship: ngx_auto_config.h, ngx_auto_headers.h and
# the module's table (with its order). Runs nginx's configure with the flags of the nginx that will load the module, so
# that the signatures match. What is there already and newer than its inputs is kept.
#
#   configure.sh NGINX_SOURCE OBJECT_DIR MODULE_DIR
set -euo pipefail
src=$1 objs=$2 module=$3
table=$objs/ngx_http_licet_module_modules.c
if [[ -s $table && $table -nt $module/config && $table -nt $module/SOURCES && $table -nt $src/configure ]]; then
    exit 0
fi
if [[ ! -x $src/configure && ! -r $src/configure ]]; then
    echo "configure.sh: $src/configure is not there: install nginx-dev" >&2
    exit 1
fi
NGX_CONF_FLAGS=(--with-compat --with-threads --with-http_ssl_module --with-http_v2_module)
if [[ -r $src/conf_flags ]]; then
    # shellcheck disable=SC1091
    . "$src/conf_flags"
fi
mkdir -p "$objs"
cd "$src"
if ! bash ./configure "${NGX_CONF_FLAGS[@]}" --builddir="$objs" --add-dynamic-module="$module" >"$objs/configure.log" 2>&1; then
    tail -20 "$objs/configure.log" >&2
    exit 1
fi
