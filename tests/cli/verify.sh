#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet verify: passes over a whole site, and finds what was changed, cut, added or taken away, with its place.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
seed="$(dirname "$licet")/tests/licet-test-seed"

"$licet" init shop --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null || exit 2
"$licet" apply shop --reason first >/dev/null || exit 2
cp shop/data/ledger/A-1/checkpoint kept
"$seed" shop 1000 || exit 2
"$licet" rebuild shop >/dev/null || exit 2
root() { sed -n 3p "shop/data/ledger/$1/checkpoint"; }

expect 'a whole site' 0 "ledger A-1: 883 entries, root $(root A-1), signed by licet-SITEID/A-1: verified
ledger unidentified: 1 entries, root $(root unidentified), signed by licet-SITEID/unidentified: verified
journal: 1,028 entries folded anew" '' verify shop
same 'as JSON' '[true,[["A-1",true,883,883,883,883],["unidentified",true,1,1,1,1]],{"entries":1028,"whole":true,"lost_end":false},[]]' \
    "$("$licet" verify shop --json | jq -c '[.verified, [.ledgers[] | [.ledger, .verified, .entries, .signed_entries, .usage_entries, .journal_entries]], .journal, .faults]')"
same 'the root in JSON' "$(root A-1)" "$("$licet" verify shop --json | jq -r '.ledgers[0].root')"
same 'nothing was written' "$(find shop -newer kept -name '*.db' -printf x)" "$("$licet" verify shop >/dev/null; find shop -newer kept -name '*.db' -printf x)"

# --- a checkpoint kept from before
"$licet" verify shop --since kept >/dev/null 2>&1
same 'an older checkpoint is a beginning' 0 $?
"$licet" init other --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null && "$licet" apply other --reason x >/dev/null
"$licet" verify shop --since other/data/ledger/A-1/checkpoint >/dev/null 2>err
same 'a checkpoint of another key' '1 licet verify: other/data/ledger/A-1/checkpoint: no checkpoint that a ledger of shop signed' "$? $(sed 's/ signed:.*/ signed/' err)"
"$licet" verify shop --since nowhere >/dev/null 2>err
same 'no such checkpoint' 2 $?
"$licet" verify shop --since shop/licet.yaml >/dev/null 2>err
same 'a file that is no checkpoint' '2 licet verify: shop/licet.yaml: no checkpoint: expected a text with a signature' "$? $(cat err)"
"$licet" verify shop --since /dev/null >/dev/null 2>err
same 'no file at all' '2 licet verify: /dev/null: not a regular file' "$? $(cat err)"
"$licet" verify other --since kept >/dev/null 2>err
same 'a checkpoint of another site' 1 $?
cp shop/data/ledger/A-1/checkpoint later
mkdir -p old && "$licet" init old/s --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null
cp shop/data/key old/s/data/key && sed -i "s/^site: .*/$(grep '^site:' shop/licet.yaml)/" old/s/licet.yaml
"$licet" apply old/s --reason first >/dev/null
"$licet" verify old/s --since later >/dev/null 2>err
same 'a ledger that shrank' '1 licet verify: ledger A-1: later covers 883 entries, the ledger has 12' "$? $(cat err)"
"$licet" verify old/s --since kept >/dev/null 2>err
same 'a ledger with another past' '1 licet verify: ledger A-1: its first 12 entries are not those of kept' "$? $(cat err)"

# --- what an auditor has: ledger and public key alone
mkdir -p audit/data && cp -r shop/data/ledger audit/data/
"$licet" verify audit >/dev/null 2>err
same 'no key at all' '2' "$?"
public_key() { # of a private key in text form, computed by others than licet
    python3 - "$1" <<'PY'
import base64, hashlib, subprocess, sys
_, _, name, _, text = open(sys.argv[1]).read().strip().split('+', 4)
der = bytes.fromhex('302e020100300506032b657004220420') + base64.b64decode(text)[-32:]
out = subprocess.run(['openssl', 'pkey', '-inform', 'DER', '-pubout', '-outform', 'DER'], input=der, capture_output=True, check=True)
public = b'\x01' + out.stdout[-32:]
print(f"{name}+{hashlib.sha256(name.encode() + bytes([10]) + public).hexdigest()[:8]}+{base64.b64encode(public).decode()}")
PY
}
public_key shop/data/key >audit/data/key.pub
"$licet" verify audit >out 2>err
same 'ledger and public key alone' '0 2 licet verify: audit/data/signed: not there; nothing to compare
licet verify: audit/data/usage.db: not there; nothing to compare
licet verify: audit/data/journal: not there; nothing to compare' \
    "$? $(grep -c ': verified$' out) $(cat err)"
public_key other/data/key >audit/data/key.pub
"$licet" verify audit >out 2>err
same 'the public key of somebody else' 1 $?

# --- every file, changed, cut, prolonged, gone
fresh() { rm -rf hurt && cp -r shop hurt; }
status() { "$licet" verify hurt >out 2>err; echo $?; }
hurt() { # name, file, how: flips at a few places find nothing when the answer is not 1
    local missed=0 size at
    size=$(stat -c %s "shop/$2")
    for at in 0 1 $((size / 3)) $((size / 2)) $((size * 2 / 3)) $((size - 1)); do
        fresh
        python3 - "hurt/$2" "$at" <<'PY'
import sys
with open(sys.argv[1], 'r+b') as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0]
    file.seek(int(sys.argv[2]))
    file.write(bytes([byte ^ 1]))
PY
        [ "$(status)" = 1 ] && grep -q "$1" err || missed=$((missed + 1))
    done
    same "a byte changed in $2" 0 $missed
    fresh && truncate -s -1 "hurt/$2"
    same "$2 cut" 1 "$(status)"
    fresh && printf x >>"hurt/$2"
    same "$2 prolonged" 1 "$(status)"
    fresh && rm "hurt/$2"
    same "$2 gone" 1 "$(status)"
}
for part in entries bundles tile-0 tile-1 commit checkpoint; do
    hurt 'ledger/A-1/' "data/ledger/A-1/$part"
done
fresh && mv hurt/data/ledger/A-1 x && mv hurt/data/ledger/unidentified hurt/data/ledger/A-1 && mv x hurt/data/ledger/unidentified
same 'two ledgers in each other'"'"'s place' 1 "$(status)"
fresh && rm -r hurt/data/ledger/A-1
same 'a ledger gone' 1 "$(status)"
fresh && cp other/data/ledger/A-1/* hurt/data/ledger/A-1/
same 'a ledger of another site' 1 "$(status)"

# --- views of the ledger
fresh && python3 - <<'PY'
import sqlite3
db = sqlite3.connect('hurt/data/usage.db')
db.execute('UPDATE amounts SET amount = amount + 1 WHERE (context, kind) = (SELECT context, kind FROM amounts LIMIT 1)')
db.commit()
PY
same 'a figure raised in the usage tables' 1 "$(status)"
same 'and the row is named' 1 "$(grep -c '^licet verify: hurt/data/usage.db, ledger A-1: row "amounts' err)"
fresh && python3 -c "
import sqlite3
db = sqlite3.connect('hurt/data/usage.db'); db.execute('DELETE FROM contexts WHERE context = 4'); db.commit()"
same 'a row taken from the usage tables' 1 "$(status)"
fresh && python3 -c "
import sqlite3
db = sqlite3.connect('hurt/data/usage.db'); db.execute('UPDATE ledgers SET applied = 884 WHERE applied = 883'); db.commit()"
same 'usage tables ahead of the ledger' "1 licet verify: hurt/data/usage.db, ledger A-1: 884 entries are in it, the ledger has 883" "$(status) $(cat err)"
fresh && rm hurt/data/usage.db*
same 'no usage tables is no fault' 0 "$(status)"
fresh && "$licet" rebuild hurt >/dev/null 2>&1
same 'after rebuild' 0 "$(status)"
fresh && python3 - <<'PY'
with open('hurt/data/journal/0000000000000001.jnl', 'r+b') as file:
    file.seek(3000)
    byte = file.read(1)[0]
    file.seek(3000)
    file.write(bytes([byte ^ 4]))
PY
same 'a byte changed in the journal' 1 "$(status)"
fresh && cp other/data/journal/* hurt/data/journal/
same 'the journal of another site' 1 "$(status)"
fresh && cp old/s/data/ledger/A-1/* hurt/data/ledger/A-1/ && rm -r hurt/data/journal hurt/data/usage.db* hurt/data/ledger/A-1/tile-1
same 'an older, well signed ledger: the signer knows better' \
    "1 licet verify: ledger A-1: the signer's record data/signed covers 883 entries, the ledger has 12" "$(status) $(grep -v 'usage.db\|data/journal: not' err)"

fresh && truncate -s -3000 hurt/data/journal/*.jnl
same 'a journal that lost its end is told, and is no fault' '0 journal: 16 entries folded anew; it lost its end, the ledgers have more' \
    "$(status) $(grep ^journal out)"
same 'on stderr by ledger' 'licet verify: hurt/data/journal: it lost its end: ledger A-1 has 883 entries, it gives 12' "$(grep A-1 err)"
same 'and in JSON' '[true,{"entries":16,"whole":false,"lost_end":true},[]]' \
    "$("$licet" verify hurt --json 2>/dev/null | jq -c '[.verified, .journal, .faults]')"
"$licet" rebuild hurt >/dev/null 2>&1
same 'also after the recorder went on' \
    '0 journal: 16 entries folded anew; it lost its end once, what lies behind that was not compared' "$(status) $(grep ^journal out)"
fresh && rm -r hurt/data/journal hurt/data/signed
same 'without journal and signed record' '0 licet verify: hurt/data/signed: not there; nothing to compare
licet verify: hurt/data/journal: not there; nothing to compare' "$(status) $(cat err)"
same 'no journal in JSON' null "$("$licet" verify hurt --json 2>/dev/null | jq -c .journal)"

# --- what it cannot do
expect 'a URL' 2 '' "licet verify: https://example.com: a later version verifies a URL; this one verifies a site's folder
see licet verify --help" verify https://example.com
expect 'a bundle' 2 '' "licet verify: kept: a later version verifies bundles; this one verifies a site's folder
see licet verify --help" verify kept
expect 'no such site' 2 '' 'licet verify: nowhere/data/ledger: nothing is recorded there' verify nowhere
expect 'no site at all' 2 '' 'licet verify: expected one site, found 0
see licet verify --help' verify
exit $rc
