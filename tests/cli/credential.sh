#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet credential new: what it says, and that apps.yaml keeps every byte it had, whatever its layout.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"

"$licet" init shop --upstream http://127.0.0.1:9000 --catalogue x-api-v2 >/dev/null
apps=shop/agreements/A-1/apps.yaml

expect 'a first key' 0 'SECRET

This secret is shown only now. It is credential K-1 of app app-1 under agreement A-1, valid from 2026-11-23T12:00:00Z.
Written to shop/agreements/A-1/apps.yaml:9 (a keyed hash of it).

Record it: licet apply shop --reason "credential K-1"
Show it:   curl -H '\''Authorization: Bearer SECRET'\'' http://127.0.0.1:8640/...' '' credential new shop app-1
same 'the line it names' '{ id: K-1, kind: bearer, hmac_sha256: "HMAC", from: 2026-11-23T12:00:00Z }' \
    "$(sed -n '9s/^ *//p' "$apps" | mask)"
expect 'an API key with an end' 0 'SECRET

This secret is shown only now. It is credential web of app app-1 under agreement A-1, valid from 2026-12-01 before 2027-01-01.
Written to shop/agreements/A-1/apps.yaml:10 (a keyed hash of it).

Record it: licet apply shop --reason "credential web"
Show it:   curl -H '\''X-Api-Key: SECRET'\'' http://127.0.0.1:8640/...' '' \
    credential new shop app-1 --kind api-key --id web --from 2026-12-01 --before 2027-01-01
expect 'as JSON, the next free id' 0 '{
  "secret": "SECRET",
  "agreement": "A-1",
  "app": "app-1",
  "id": "K-2",
  "kind": "bearer",
  "from": "2026-11-23T12:00:00.000Z",
  "before": null,
  "file": "shop/agreements/A-1/apps.yaml",
  "line": 11
}' '' credential new shop app-1 --json
expect 'check passes on it' 0 'A-1: 1 version (2026-11-23), 1 app, 1 use case, 3 credentials, 1 limit, observe
  note: what cannot be recorded is refused all the same at 45 of 48 endpoints that count: a unit without page (included-post at tweets) has no bound' '' check shop

# the hash in the file is the HMAC-SHA-256 of the secret, under the credential key of data/gate.key
secret=$("$licet" credential new shop app-1 --id hashed --json | sed -n 's/.*"secret": "\(.*\)".*/\1/p')
key=$(sed -nE 's/^credential[ :=]+([0-9a-f]{64})$/\1/p' shop/data/gate.key)
same 'the keyed hash' "$(printf %s "$secret" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" | sed 's/.*= //')" \
    "$(sed -nE 's/.*id: hashed,.*hmac_sha256: "([0-9a-f]+)".*/\1/p' "$apps")"
same 'the secret is nowhere in the site' '' "$(grep -rl "$secret" shop)"
same 'no two secrets are alike' 20 "$(for _ in $(seq 20); do "$licet" credential new shop app-1 | head -1; done | sort -u | wc -l)"
chmod 640 "$apps"
"$licet" credential new shop app-1 >/dev/null
same 'the mode of the file stays' 640 "$(stat -c %a "$apps")"
for _ in 1 2 3 4 5 6; do "$licet" credential new shop app-1 >/dev/null & done
wait
same 'six at once: no edit is lost' 31 "$(grep -c 'id: ' "$apps")"

# layout NAME BEFORE AFTER: app 'a' gets a key; the rest stays byte for byte
use_cases='use_cases: { U: { product: P, purpose: display } }'
layout() {
    printf "$2" >"$apps"
    "$licet" credential new shop a >/dev/null 2>"$work/err"
    same "$1" "$(printf "${3//ROW/{ id: K-1, kind: bearer, hmac_sha256: \"HMAC\", from: 2026-11-23T12:00:00Z \}}"; cat "$work/err"; echo .)" "$(mask <"$apps"; echo .)"
}
other='{ id: X, kind: bearer, hmac_sha256: "'$(printf '0%.0s' {1..64})'", from: 2022-10-10 }'
shown='{ id: X, kind: bearer, hmac_sha256: "HMAC", from: 2022-10-10 }'
layout 'no credentials, in lines' 'apps:\n  a:\n    products: [P]   # one\n    # more to come\n\n  b:\n    products: [P]\n' \
    'apps:\n  a:\n    products: [P]   # one\n    credentials:\n      - ROW\n    # more to come\n\n  b:\n    products: [P]\n'
layout 'no credentials, at the end of the file' 'apps:\n  a:\n    products:\n      - P\n      - Q' \
    'apps:\n  a:\n    products:\n      - P\n      - Q\n    credentials:\n      - ROW\n'
layout 'no credentials, in braces' 'apps: { a: { products: [P] }, b: { products: [P] } }\n' \
    'apps: { a: { products: [P], credentials: [ ROW ] }, b: { products: [P] } }\n'
layout 'an empty list' 'apps:\n  a:\n    products: [P]\n    credentials: []  # none\n    environment: dev\n' \
    'apps:\n  a:\n    products: [P]\n    credentials: [\n      ROW\n    ]  # none\n    environment: dev\n'
layout 'an empty list in braces' 'apps: { a: { products: [P], credentials: [] } }\n' \
    'apps: { a: { products: [P], credentials: [ ROW ] } }\n'
layout 'an empty list over lines' 'apps:\n  a:\n    products: [P]\n    credentials: [\n    ]\n' \
    'apps:\n  a:\n    products: [P]\n    credentials: [ ROW\n    ]\n'
layout 'a list in one line' "apps:\n  a:\n    products: [P]\n    credentials: [ $other ]\n" \
    "apps:\n  a:\n    products: [P]\n    credentials: [ $shown,\n                   ROW ]\n"
layout 'a list in braces' "apps: { a: { credentials: [$other], products: [P] } }\n" \
    "apps: { a: { credentials: [$shown, ROW], products: [P] } }\n"
layout 'a list over lines, with a last comma' "apps:\n  a:\n    products: [P]\n    credentials: [\n      $other, # old\n    ]\n" \
    "apps:\n  a:\n    products: [P]\n    credentials: [\n      $shown, # old\n      ROW,\n    ]\n"
layout 'a list over lines, with a last comma and no comment' "apps:\n  a:\n    products: [P]\n    credentials: [\n      $other,\n    ]\n" \
    "apps:\n  a:\n    products: [P]\n    credentials: [\n      $shown,\n      ROW,\n    ]\n"
layout 'a list over lines, with a comment and no comma' "apps:\n  a:\n    products: [P]\n    credentials: [\n      $other # old\n    ]\n" \
    "apps:\n  a:\n    products: [P]\n    credentials: [\n      $shown # old\n      , ROW\n    ]\n"
layout 'a list of lines' "apps:\n  a:\n    credentials:\n      - $other # old\n      # end\n    products: [P]\n" \
    "apps:\n  a:\n    credentials:\n      - $shown # old\n      - ROW\n      # end\n    products: [P]\n"
layout 'a list of lines, not pushed in' "apps:\n  a:\n    credentials:\n    - id: X\n      kind: bearer\n      hmac_sha256: \"$(printf '0%.0s' {1..64})\"\n      from: 2022-10-10\n    products: [P]\n" \
    "apps:\n  a:\n    credentials:\n    - id: X\n      kind: bearer\n      hmac_sha256: \"HMAC\"\n      from: 2022-10-10\n    - ROW\n    products: [P]\n"
layout 'lines that end in CR LF' 'apps:\r\n  a:\r\n    products: [P]\r\n' \
    'apps:\r\n  a:\r\n    products: [P]\r\n    credentials:\r\n      - ROW\r\n'
layout 'characters of several bytes before it' 'apps:\n  b: { products: ["Café — 日本"] }\n  a: { products: [P] }\n' \
    'apps:\n  b: { products: ["Café — 日本"] }\n  a: { products: [P], credentials: [ ROW ] }\n'
layout 'a quoted name' 'apps:\n  "a": { products: [P] }\n' 'apps:\n  "a": { products: [P], credentials: [ ROW ] }\n'
layout 'use cases before apps' "$use_cases\napps:\n  a: { products: [P], default_use_case: U }\n" \
    "$use_cases\napps:\n  a: { products: [P], default_use_case: U, credentials: [ ROW ] }\n"

printf 'apps:\n  a: { products: [P] }\n  b: { products: [P] }\n' >"$apps"
before=$(sha256sum "$apps")
expect 'an app nobody knows' 2 '' 'licet credential: app "c": expected one of a, b' credential new shop c
expect 'an agreement nobody knows' 2 '' 'licet credential: --agreement "Z": expected one of A-1' credential new shop a --agreement Z
expect 'an id that is no id' 2 '' "licet credential: --id \"K 1\": expected 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit
see licet credential --help" credential new shop a --id 'K 1'
expect 'a certificate without its file' 2 '' 'licet credential: --kind client-certificate: expected --certificate FILE alone
see licet credential --help' credential new shop a --kind client-certificate
expect 'a JWT without a subject' 2 '' 'licet credential: --kind jwt: expected --issuer URL and --subject NAME
see licet credential --help' credential new shop a --kind jwt --issuer https://id.test
expect 'a signature without a key' 2 '' 'licet credential: --kind http-signature: expected --agent URL and --jwk FILE
see licet credential --help' credential new shop a --kind http-signature --agent https://agent.test
expect 'a bearer token with an agent' 2 '' 'licet credential: --kind bearer: expected no --certificate, --issuer, --subject, --agent or --jwk
see licet credential --help' credential new shop a --agent https://agent.test
echo '{"kty":"RSA"}' >rsa.json
expect 'a key of another kind' 2 '' 'licet credential: rsa.json: no Ed25519 public key: expected one JWK with kty OKP, crv Ed25519 and x' \
    credential new shop a --kind http-signature --agent https://agent.test --jwk rsa.json
expect 'a certificate that is none' 2 '' 'licet credential: rsa.json: expected a certificate in PEM' \
    credential new shop a --kind client-certificate --certificate rsa.json
expect 'a kind nobody knows' 2 '' 'licet credential: --kind "basic": expected bearer, api-key, client-certificate, jwt or http-signature
see licet credential --help' credential new shop a --kind basic
expect 'a time that is none' 2 '' 'licet credential: --from "tomorrow": expected a time such as 2022-10-10 or 2022-10-10T12:00:00Z
see licet credential --help' credential new shop a --from tomorrow
expect 'an end before its start' 2 '' 'licet credential: --before "2026-01-01": expected a time after 2026-11-23T12:00:00Z, from which it is valid
see licet credential --help' credential new shop a --before 2026-01-01
expect 'no app' 2 '' 'licet credential: new: expected a site and an app
see licet credential --help' credential new shop
expect 'neither new nor anything' 2 '' 'licet credential: "": expected new, end or list
see licet credential --help' credential
expect 'something else than new' 2 '' 'licet credential: "revoke": expected new, end or list
see licet credential --help' credential revoke shop a
expect 'no site' 2 '' "licet credential: $("$licet" check nowhere 2>&1 | sed 's/^licet check: //')" credential new nowhere a
same 'none of them touched the file' "$before" "$(sha256sum "$apps")"
"$licet" credential new shop a --id K-1 >/dev/null
expect 'an id of another app' 2 '' 'licet credential: --id "K-1": a credential has this id already; expected a new one' credential new shop b --id K-1
mv shop/data/gate.key shop/data/away
before=$(sha256sum "$apps")
"$licet" credential new shop a >/dev/null 2>"$work/err"
same 'without its key: exit status, and the file it names' '2 yes' "$? $(grep -q '^licet credential: .*data/gate.key' "$work/err" && echo yes)"
same 'and the file stays' "$before" "$(sha256sum "$apps")"
mv shop/data/away shop/data/gate.key

mkdir shop/agreements/B-2
sed 's/A-1/B-2/; s/^agreement: .*/agreement: B-2/' shop/agreements/A-1/2026-11-23.yaml >shop/agreements/B-2/2026-11-23.yaml
printf 'apps:\n  b: { products: [P] }\n  d: { products: [P] }\n' >shop/agreements/B-2/apps.yaml
expect 'an app of two agreements' 2 '' 'licet credential: app "b" exists under A-1, B-2: name one with --agreement' credential new shop b
expect 'no app of two agreements' 2 '' 'licet credential: app "z": expected one of A-1/a, A-1/b, B-2/b, B-2/d' credential new shop z
expect 'one of the two is named' 0 'SECRET

This secret is shown only now. It is credential K-1 of app b under agreement B-2, valid from 2026-11-23T12:00:00Z.
Written to shop/agreements/B-2/apps.yaml:2 (a keyed hash of it).

Record it: licet apply shop --reason "credential K-1"
Show it:   curl -H '\''Authorization: Bearer SECRET'\'' http://127.0.0.1:8640/...' '' credential new shop b --agreement B-2
# --- an end, and the list
"$licet" init ends --upstream http://127.0.0.1:9000 --catalogue x-api-v2 >/dev/null
apps=ends/agreements/A-1/apps.yaml
printf "$(cat <<'END'
apps:
  a:
    products: [P]
    credentials:
      - { id: K-1, kind: bearer, hmac_sha256: "%s", from: 2026-01-01 } # old
      - id: K-2
        kind: bearer
        hmac_sha256: "%s"
        from: 2026-01-01 # lines
      - { id: K-3, before: 2027-01-01, kind: bearer, hmac_sha256: "%s", from: 2026-12-01 }
END
)\n" "$(printf '0%.0s' {1..64})" "$(printf '1%.0s' {1..64})" "$(printf '2%.0s' {1..64})" >"$apps"
expect 'an end, now' 0 'Credential K-1 under agreement A-1 is valid before 2026-11-23T12:00:00Z. Written to ends/agreements/A-1/apps.yaml:5.

Record it: licet apply ends --reason "end of credential K-1"' '' credential end ends K-1
same 'in braces' '{ id: K-1, kind: bearer, hmac_sha256: "HMAC", from: 2026-01-01, before: 2026-11-23T12:00:00Z } # old' "$(sed -n '5s/^ *- //p' "$apps" | mask)"
expect 'an end with an overlap' 0 'Credential K-2 under agreement A-1 is valid before 2026-11-30T12:00:00Z. Written to ends/agreements/A-1/apps.yaml:10.

Record it: licet apply ends --reason "end of credential K-2"' '' credential end ends K-2 --overlap 7d
same 'in lines' '        before: 2026-11-30T12:00:00Z' "$(sed -n 10p "$apps")"
expect 'an end that comes closer, as JSON' 0 '{
  "agreement": "A-1",
  "id": "K-3",
  "before": "2026-12-24",
  "file": "ends/agreements/A-1/apps.yaml",
  "line": 11
}' '' credential end ends K-3 --before 2026-12-24 --json
same 'in its place' '{ id: K-3, before: 2026-12-24, kind: bearer, hmac_sha256: "HMAC", from: 2026-12-01 }' "$(sed -n '11s/^ *- //p' "$apps" | mask)"
expect 'the list' 0 'A-1  a  K-1  from 2026-01-01 before 2026-11-23T12:00:00Z  ended
A-1  a  K-2  from 2026-01-01 before 2026-11-30T12:00:00Z  valid
A-1  a  K-3  from 2026-12-01 before 2026-12-24  not yet' '' credential list ends
same 'the list as JSON' '["ended","valid","not yet"]' "$("$licet" credential list ends --json | jq -c '[.credentials[].state]')"
before=$(sha256sum "$apps")
expect 'an end before its beginning' 2 '' 'licet credential: agreements/A-1/apps.yaml:11:28: app a: credential K-3: before "2026-11-23T12:00:00Z": expected from "2026-12-01" or a later time (apps.yaml is as it was)' credential end ends K-3
expect 'the end of what nobody has' 2 '' 'licet credential: credential "K-9": no app has it; licet credential list ends shows all' credential end ends K-9
expect 'a span that is none' 2 '' 'licet credential: --overlap "7w": expected a span such as 90s, 15m, 12h, 7d
see licet credential --help' credential end ends K-2 --overlap 7w
same 'none of them touched the file' "$before" "$(sha256sum "$apps")"
"$licet" credential new ends a --id now >/dev/null
"$licet" credential end ends now >"$work/out" 2>"$work/err"
same 'a key revoked in the second that it was given' "0 A-1  a  now  from 2026-11-23T12:00:00Z before 2026-11-23T12:00:00Z  ended" \
    "$? $("$licet" credential list ends | grep -w now)"
sed -i '/id: now/d' "$apps"
sed -i 's/^mode:/credentials: { most_per_app: 2, clause: CAP }\nmode:/' ends/agreements/A-1/2026-11-23.yaml
clause=$(sed -nE 's/^  ([A-Z-]+): \{ section.*/\1/p' ends/agreements/A-1/2026-11-23.yaml | head -1)
sed -i "s/clause: CAP }/clause: $clause }/" ends/agreements/A-1/2026-11-23.yaml
"$licet" credential new ends a >/dev/null
"$licet" credential new ends a >"$work/out" 2>"$work/err"
same 'one more than the agreement allows at a time' "2 valid at one time: version 2026-11-23 allows 2 an app ($clause) (apps.yaml is as it was)" \
    "$? $(sed -E 's/.*are (valid at)/\1/' "$work/err")"

apps=shop/agreements/A-1/apps.yaml
before=$(sha256sum "$apps")
echo 'surprise: 1' >>shop/licet.yaml
before=$(sha256sum "$apps")
"$licet" credential new shop a >"$work/out" 2>"$work/err"
same 'a site with a mistake: exit status, silence, the mistake' '1 0 licet.yaml:20:1' "$? $(stat -c %s "$work/out") $(sed -nE '1s/^([^:]+:[0-9]+:[0-9]+): .*/\1/p' "$work/err")"
same 'and the file stays, too' "$before" "$(sha256sum "$apps")"
exit $rc
