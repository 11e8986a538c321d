#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Recipients at the command line: examples that licet check runs, and what licet explain says of a government.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"

"$licet" init shop --upstream http://127.0.0.1:9000 --catalogue x-api-v2 >/dev/null
terms=shop/agreements/A-1/2026-11-23.yaml
version() { # examples
    cat >"$terms" <<END
agreement: A-1
in_force: { from: 2022-10-10, before: 2027-01-01 }
calendar: { zone: UTC, business_days: us-federal }
parties:
  licensor: { legal_name: Example Platform Inc., country: US }
  licensee: { legal_name: Example Licensee Ltd, country: US }
catalogue: x-api-v2@2022-10-10
clauses:
  GOV-NOTICE: { section: XII.C, says: Written notice of each government end user and use case before passing on }
  SANCT: { section: XII.D, says: No embargoed country }
purposes: { allowed: [display] }
embargo: { clause: SANCT, countries: [KP] }
government: [ { needs: notice, clause: GOV-NOTICE, flow: passed-on, objection: 10 business days } ]
cannot_record: refuse
mode: enforce
examples:
$1
END
}
cat >shop/agreements/A-1/apps.yaml <<'END'
apps:
  pages: { products: [Pages], default_use_case: UC-1 }
use_cases:
  UC-1: { product: Pages, purpose: display, recipient: public, approved: { by: J. Roe, role: licensing, from: 2022-10-10 } }
recipients:
  Ministry of X:
    class: government
    country: US
    notices:
      - { use_case: UC-1, given: 2023-01-04, by: A. Poe, role: compliance,
          document: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff }
END

version '  - { use_case: UC-1, recipient: Ministry of X, flow: passed-on, at: 2023-01-19, expect: refuse, clause: GOV-NOTICE }
  - { use_case: UC-1, recipient: Ministry of X, flow: passed-on, at: 2023-01-20, expect: allow }
  - { use_case: UC-1, recipient: Ministry of X, at: 2023-01-19, expect: allow }'
"$licet" check shop >out 2>err
[ $? = 0 ] && report yes 'examples that hold' || { cat out err; report no 'examples that hold'; }

version '  - { use_case: UC-1, recipient: Ministry of X, flow: passed-on, at: 2023-01-19, expect: allow }
  - { use_case: UC-1, recipient: Ministry of X, flow: passed-on, at: 2023-01-20, expect: refuse, clause: GOV-NOTICE }
  - { use_case: UC-1, at: 2021-01-20, expect: refuse }'
for command in check plan 'apply --reason test'; do
    # shellcheck disable=SC2086
    "$licet" $command shop >out 2>err
    code=$?
    grep -qF "$terms:17:5: example 1: expected allow, but it is refuse by GOV-NOTICE (government-notice)" <(sed 's,^agreements,shop/agreements,' out err) &&
        grep -qF "18:5: example 2: expected refuse by GOV-NOTICE, but it is allow" out err &&
        grep -qF "19:5: example 3: at 2021-01-20T00:00:00.000Z: this version is not in force then" out err &&
        [ "$code" = 1 ] && report yes "examples that do not hold: $command" || {
        cat out err
        report no "examples that do not hold: $command ($code)"
    }
done

version '  - { use_case: UC-1, at: 2023-01-20, expect: allow }'
says() { # name, exit status, line, arguments
    local name=$1 status=$2 line=$3 got
    shift 3
    got=$("$licet" explain shop --app pages --request 'GET /2/tweets' "$@" 2>&1)
    [ $? = "$status" ] && grep -qxF "$line" <<<"$got" && report yes "$name" || {
        echo "$got"
        report no "$name"
    }
}
says 'a government without notice' 1 '  REFUSE  government       Ministry of X: no notice of it holds yet by GOV-NOTICE (XII.C)' \
    --recipient 'Ministry of X' --flow passed-on --at 2023-01-19
says 'a government with notice' 0 '  pass    government       Ministry of X: the notice holds from 2023-01-20 by GOV-NOTICE (XII.C)' \
    --recipient 'Ministry of X' --flow passed-on --at 2023-01-20
says 'another flow' 0 '  skip    government       it binds another flow or other classes of recipients by GOV-NOTICE (XII.C)' \
    --recipient 'Ministry of X' --flow acquired --at 2023-01-19
says 'who it is' 0 '  pass    recipient        Ministry of X is registered as government, country US' \
    --recipient 'Ministry of X' --at 2023-01-19
exit $rc
