# SPDX-License-Identifier: Apache-2.0
# no gate
# The nginx configurations of the how-tos and of licet-nginx(7) are ones that nginx takes.
. "$SCENARIO/lib.sh"
cat >"$SCENARIO_DIR/blocks.py" <<'END'
import os, re, sys
root, out, module = sys.argv[1:]
blocks = []
for name in sorted(n for n in os.listdir(root + "/docs/howto") if n.endswith(".md")):
    text = open("%s/docs/howto/%s" % (root, name)).read()
    blocks += [(name, b) for b in re.findall(r"^```nginx\n(.*?)^```", text, re.S | re.M)]
page = open(root + "/docs/man/licet-nginx.7").read().replace("\\e", "\\")
blocks += [("licet-nginx.7", b) for b in re.findall(r"^\.Bd -literal\n(.*?)^\.Ed", page, re.S | re.M) if re.search(r"licet|location", b) and "HTTP/1.1" not in b]
blocks = [(n, b) for n, b in blocks if "configure" not in b]
for i, (name, b) in enumerate(blocks):
    b = re.sub(r"load_module.*\n", "", b)
    # names that this machine has not
    b = re.sub(r"http://(your_upstream|api\.internal)", "http://127.0.0.1:9", b)
    b = re.sub(r"server [a-z.]+\.example:443", "server 127.0.0.1:9", b)
    b = re.sub(r"/etc/nginx/keys\.json", out + "/keys.json", b)
    b = re.sub(r"/etc/nginx/[a-z-]+\.pem", out + "/tls.crt", b)
    b = re.sub(r"listen 443 ssl;", "listen 127.0.0.1:443 ssl; ssl_certificate %s/tls.crt; ssl_certificate_key %s/tls.key;" % (out, out), b)
    b = re.sub(r"/run/licet/|/var/log/nginx/|/dev/shm/", out + "/", b)
    if "ssl_verify_client" in b:
        b = "ssl_client_certificate %s/tls.crt;\n" % out + b
    if not re.search(r"^http \{", b, re.M):
        if re.search(r"^location", b, re.M):
            b = "server {\nlisten 127.0.0.1:1;\n%s}\n" % b
        b = "http {\nlicet_gate %s/gate;\n%s}\n" % (out, b)
    b = re.sub(r"^http \{", "http {\naccess_log off;", b, flags=re.M)
    with open("%s/document-%d.conf" % (out, i), "w") as f:
        f.write("# %s\nload_module %s;\npid %s/x.pid;\nevents {}\n%s" % (name, module, out, b))
print(len(blocks))
END
echo '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}' >"$SCENARIO_DIR/keys.json"
found=$(python3 "$SCENARIO_DIR/blocks.py" "$SCENARIO/../.." "$SCENARIO_DIR" "$BUILD/ngx_http_licet_module.so")
((found >= 7)) || { echo "only $found configurations were found"; exit 1; }
for conf in "$SCENARIO_DIR"/document-*.conf; do
    # shellcheck disable=SC2086
    env $NGINX_ENV "$NGINX" -t -p "$SCENARIO_DIR" -c "$conf" -e stderr >"$SCENARIO_DIR/said" 2>&1 && continue
    cat "$conf" "$SCENARIO_DIR/said"
    exit 1
done
