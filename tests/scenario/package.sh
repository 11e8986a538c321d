# SPDX-License-Identifier: Apache-2.0
# no gate
# nginx's own build takes the module by --add-dynamic-module, and the same nginx loads what comes out.
. "$SCENARIO/lib.sh"
src=${NGINX_SRC:-/usr/share/nginx/src}
NGX_CONF_FLAGS=(--with-compat)
[[ -r $src/conf_flags ]] && . "$src/conf_flags"
cd "$src"
bash ./configure "${NGX_CONF_FLAGS[@]}" --builddir="$SCENARIO_DIR/objs" --add-dynamic-module="$SCENARIO/../../nginx" >/dev/null
make -s -f "$SCENARIO_DIR/objs/Makefile" -j2 modules
module=$SCENARIO_DIR/objs/ngx_http_licet_module.so
sed "s,^load_module.*,load_module $module;," "$SCENARIO_DIR/nginx.conf" >"$SCENARIO_DIR/package.conf"
"$NGINX" -t -p "$SCENARIO_DIR" -c "$SCENARIO_DIR/package.conf" -e stderr
same 'symbols' "$(nm -D --defined-only "$module" | awk '{print $3}' | sort | tr '\n' ' ')" 'ngx_module_names ngx_module_order ngx_modules '
