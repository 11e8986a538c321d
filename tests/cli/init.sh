#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet init: what it writes, what it refuses, that nothing is left when it fails.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"

expect 'a site with a shipped catalogue' 0 'Wrote the site shop:

  licet.yaml                           who we are, upstream, listen
  catalogue/x-api-v2@2022-10-10.yaml   what counts in a response: 87 endpoints
  agreements/A-1/2026-11-23.yaml       the terms: placeholders, observe mode, in force from today
  agreements/A-1/apps.yaml             one app, one use case
  data/key                             signs the ledger; keep a copy in a safe place
  data/gate.key                        keys of credentials and decision ids; keep a copy too

Next: licet check shop, licet credential new shop app-1, licet up shop' '' \
    init shop --upstream http://127.0.0.1:9000 --catalogue x-api-v2
expect 'check passes on it' 0 'A-1: 1 version (2026-11-23), 1 app, 1 use case, 0 credentials, 1 limit, observe
  note: what cannot be recorded is refused all the same at 45 of 48 endpoints that count: a unit without page (included-post at tweets) has no bound' '' check shop
same 'keys are for their owner alone' '700 shop/data
600 shop/data/gate.key
600 shop/data/key' "$(stat -c '%a %n' shop/data shop/data/gate.key shop/data/key)"
same 'the signing key is named after the site' yes \
    "$(grep -qE "^PRIVATE\+KEY\+licet-$(sed -nE 's/^site: ([0-9a-f]{12}).*/\1/p' shop/licet.yaml)\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$" shop/data/key && echo yes)"
same 'licet.yaml' "# licet.yaml: who we are and where the gate stands. Judged by: licet check

site: SITEID              # names this site's key and ledgers; never change it
party: licensor                 # which side we are: licensor (the platform) | licensee
gate: 1                         # number of this gate, unique in the site
flow: acquired                  # acquired: before the platform's API; passed-on: before the licensee's own

# Where allowed requests go: scheme, host and port, no path.
upstream: http://127.0.0.1:9000

# Where licet up listens. Clients ask here instead of the upstream.
listen: 127.0.0.1:8640

# Who asks shows a credential (licet credential new). If something in front knows it already, name its
# nginx variable; it holds the name of an app, or agreement/app.
# identity: \$http_x_consumer_id

key: data/key                   # signs the checkpoints of the ledger
shared_memory: /dev/shm/licet-SITEID" "$(mask <shop/licet.yaml)"
same 'apps.yaml' '# apps.yaml: the licensee'"'"'s apps under agreement A-1, what they show, and what they are used for.

apps:
  app-1:                        # the app'"'"'s name in reports
    products: [Product 1]       # the products it feeds
    environment: prod           # prod | staging | dev
    default_use_case: UC-1      # of requests that name none in Licet-Use-Case
    credentials: []             # licet credential new adds them; only a keyed hash is kept

# Use cases: which product, for which purpose, who gets the content in the end, and who approved it from when.
use_cases:
  UC-1:
    product: Product 1
    purpose: display
    recipient: public
    approved: { by: A. Person, role: licensing, from: 2026-11-23 }' "$(cat shop/agreements/A-1/apps.yaml)"
same 'the terms, without their comments' 'agreement: A-1
in_force: { from: 2026-11-23, then: refuse }
parties:
  licensor: { legal_name: Example Platform Inc., country: US }
  licensee: { legal_name: Example Licensee Ltd, country: US }
catalogue: x-api-v2@2022-10-10
clauses:
  CAP-MONTH: { section: Order form 1, says: Two million posts a month over all apps }
  NO-TRAIN:  { section: Terms 2.1, says: No training of foundation models }
purposes:
  allowed: [display, search]
  forbidden: { train-ai: NO-TRAIN }
  not_named: record
  not_declared: record
limits:
  - { clause: CAP-MONTH, unit: post, most: 2_000_000, per: month, over: licensee }
cannot_record: { allow: 10_000 posts, per: outage }
on_overrun: deliver
mode: observe' "$(sed -E 's/ *#.*//; /^$/d' shop/agreements/A-1/2026-11-23.yaml)"

for file in "$root"/catalogue/*.yaml; do
    name=$(basename "$file" .yaml)
    "$licet" init "$name" --upstream https://api.internal --catalogue "$name" >/dev/null
    same "$name is the file of catalogue/" '' "$(cmp "$file" "$name/catalogue/$name.yaml" 2>&1)"
    case $name in
    x-api-v2*) bound="45 of 48 endpoints that count: a unit without page (included-post at tweets)" ;;
    reddit*) bound="10 of 107 endpoints that count: a unit without page (thing at comments)" ;;
    stack-exchange*) bound="38 of 97 endpoints that count: a unit without page (answer at questions)" ;;
    *) bound="5 of 34 endpoints that count: a unit without page (status at notifications)" ;;
    esac
    expect "$name passes check" 0 "A-1: 1 version (2026-11-23), 1 app, 1 use case, 0 credentials, 1 limit, observe
  note: what cannot be recorded is refused all the same at $bound has no bound" '' check "$name"
    same "--help names ${name%@*}" yes "$("$licet" init --help | grep -q "^catalogues:.*\b${name%@*}\b" && echo yes)"
done

mkdir empty
expect 'an empty folder, a starter, the other side' 0 'Wrote the site empty:

  licet.yaml                          who we are, upstream, listen
  catalogue/starter@2026-11-23.yaml   what counts in a response: a starter to fill in
  agreements/M-7/2026-11-23.yaml      the terms: placeholders, observe mode, in force from today
  agreements/M-7/apps.yaml            one app, one use case
  data/key                            signs the ledger; keep a copy in a safe place
  data/gate.key                       keys of credentials and decision ids; keep a copy too

Next: licet check empty, licet credential new empty app-1, licet up empty' '' \
    init empty --upstream https://api.internal:8443 --party licensee --agreement M-7 --identity http_x_consumer_id
expect 'check passes on the starter' 0 'M-7: 1 version (2026-11-23), 1 app, 1 use case, 0 credentials, 1 limit, observe' '' check empty
same 'identity and party are in licet.yaml' 'party: licensee
identity: $http_x_consumer_id' "$(sed -nE 's/ *#.*//; /^(party|identity):/p' empty/licet.yaml)"
# the example in the starter, uncommented, is a catalogue
sed -i -E 's/^endpoints: \[\]/endpoints:/; s/^#  /  /' empty/catalogue/starter@2026-11-23.yaml
expect 'the example of the starter passes check' 0 'M-7: 1 version (2026-11-23), 1 app, 1 use case, 0 credentials, 1 limit, observe' '' check empty
expect 'as JSON' 0 '{
  "dir": "json",
  "site": "SITEID",
  "agreement": "A-1",
  "catalogue": "mastodon@2023-01-01",
  "app": "app-1",
  "wrote": [
    "licet.yaml",
    "catalogue/mastodon@2023-01-01.yaml",
    "agreements/A-1/2026-11-23.yaml",
    "agreements/A-1/apps.yaml",
    "data/key",
    "data/gate.key"
  ]
}' '' init json --upstream http://127.0.0.1:9000 --catalogue mastodon --json

expect 'a folder that holds something' 2 '' \
    'licet init: full is not empty (it holds note): expected an empty folder or a new name' \
    init "$(mkdir full && touch full/note && echo full)" --upstream http://127.0.0.1:9000
expect 'a file in its place' 2 '' 'licet init: full/note: Not a directory' init full/note --upstream http://127.0.0.1:9000
expect 'a folder that cannot be made' 2 '' 'licet init: /proc/no: cannot make folder: No such file or directory' init /proc/no/such --upstream http://127.0.0.1:9000
"$licet" init above/it/shop --upstream http://127.0.0.1:9000 >/dev/null
same 'the folders above a site are made' 0 "$("$licet" check above/it/shop >/dev/null; echo $?)"
expect 'an upstream with a path' 2 '' \
    'licet init: --upstream "http://127.0.0.1:9000/2": expected http:// or https:// with host and port and no path, such as https://api.internal' \
    init failed --upstream http://127.0.0.1:9000/2
same 'nothing of it is left' '' "$(ls -d failed 2>/dev/null)"
mkdir stays
expect 'an upstream that would be other YAML' 2 '' \
    'licet init: --upstream "x: [": expected http:// or https:// with host and port and no path, such as https://api.internal' \
    init stays --upstream 'x: ['
same 'the folder that was there stays, empty' '0' "$(ls -A stays | wc -l)"
expect 'an identity that is no variable' 2 '' \
    'licet init: --identity "$http-x": expected an nginx variable such as $http_x_consumer_id' \
    init failed --upstream http://127.0.0.1:9000 --identity http-x
expect 'an unknown catalogue' 2 '' \
    'licet init: --catalogue "myspace": expected one that licet brings along: mastodon@2023-01-01, reddit@2023-07-01, stack-exchange@2023-01-01, x-api-v2@2022-10-10' \
    init failed --upstream http://127.0.0.1:9000 --catalogue myspace
expect 'from a log' 2 '' 'licet init: --from-log: making a site from access logs comes with a later version of licet
see licet init --help' init failed --upstream http://127.0.0.1:9000 --from-log access.log
expect 'no upstream' 2 '' 'licet init: --upstream is missing: expected where allowed requests go, such as https://api.internal
see licet init --help' init failed
expect 'no folder' 2 '' 'licet init: expected one folder to make, not 0
see licet init --help' init --upstream http://127.0.0.1:9000
expect 'a third party' 2 '' 'licet init: --party "auditor": expected licensor or licensee
see licet init --help' init failed --upstream http://127.0.0.1:9000 --party auditor
for id in '' unidentified .hidden a/b "$(printf 'a%.0s' {1..65})"; do
    expect "agreement \"$id\"" 2 '' "licet init: --agreement \"$id\": expected 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit, and not \"unidentified\"
see licet init --help" init failed --upstream http://127.0.0.1:9000 --agreement "$id"
done
expect 'an unknown option' 2 '' 'licet init: "--upsteam": no such option, or its value is missing
see licet init --help' init failed --upsteam http://127.0.0.1:9000
exit $rc
