#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# licet simulate: the same terms change nothing, a lower cap and an enforced clause do; that nothing is recorded by it.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
seed="$(dirname "$licet")/tests/licet-test-seed"

"$licet" init shop --upstream http://127.0.0.1:9 --catalogue x-api-v2 >/dev/null || exit 2
terms=$(echo shop/agreements/A-1/2*.yaml)
echo 'prices: { currency: USD, round: half-even cent, unit: post, at: "0.005" }' >>"$terms"
expect 'nothing recorded yet' 2 '' 'licet simulate: shop: no agreement "A-1" is recorded; licet report shop --all names them' simulate shop A-1
"$licet" apply shop --reason first >/dev/null || exit 2
expect 'no use yet' 2 '' 'licet simulate: shop: nothing is recorded of agreement A-1' simulate shop A-1
"$seed" shop 1000 observed || exit 2
"$licet" rebuild shop >/dev/null || exit 2
before=$(find shop -type f ! -name '*-shm' -exec sha256sum {} + | sort)

expect 'the same terms' 0 'A-1, 2026-11-23T06:00:00Z before 2026-11-23T07:00:00Z

                                                    terms recorded     terms in shop        difference
  responses that pass                                          429               429                  
    of them, refused if enforced                               214               214                  
  responses refused                                            429               429                  
    of them, of apps these terms do not know                   429               429                  
  refusals released, what they bring is unknown                 71                71                  
  post                                                       4,290             4,290                  
  user                                                       1,287             1,287                  

  refused for
  credential-unknown                                           500               500                  
  purpose-forbidden (NO-TRAIN), observed                       214               214                  

  charges
  USD from 2026-11-01                                        25.50             25.50                  ' '' simulate shop A-1
same 'it writes nothing' "$before" "$(find shop -type f ! -name '*-shm' -exec sha256sum {} + | sort)"
same 'enforced: what the rules of both refuse' '[215,215,215,215]' \
    "$("$licet" simulate shop A-1 --enforce --json | jq -c '[.recorded.passed, .changed.passed, (.recorded, .changed | .report.totals.requests.delivered)]')"

cp -r shop other
sed -i 's/most: 2_000_000/most: 1_000/; s/^mode: observe/mode: enforce/' "other/${terms#shop/}"
got=$("$licet" simulate shop A-1 --with other --json)
same 'a cap of 1,000: charged to the unit, and not beyond' '[429,73,142,["25.50","5.00"]]' \
    "$(jq -c '[.recorded.passed, .changed.passed, .refusals["cap-reached (CAP-MONTH)"][1], .charges["USD from 2026-11-01"]]' <<<"$got")"
same 'each response is passed or refused' true \
    "$(jq '[.recorded, .changed | .responses == .passed + .refused] | all' <<<"$got")"
same 'lists of the simulated report add up' true \
    "$(jq '.changed.report as $r | [$r.apps[].units.post.gross] | add == $r.totals.units.post.gross' <<<"$got")"
same 'the highest use is the cap' 1000 "$(jq '.changed.report.limits[0].highest.used' <<<"$got")"
same 'a period before all use' '[0,0]' \
    "$("$licet" simulate shop A-1 --from 2026-11-01 --before 2026-11-02 --json | jq -c '[.recorded.responses, .changed.responses]')"

cp -r shop broken && echo '- x' >"broken/${terms#shop/}"
expect 'mistakes in the changed terms' 1 '' 'agreements/A-1/2026-11-23.yaml:1:1: the file is no mapping: expected fields such as "agreement: ..."
1 mistake' simulate shop A-1 --with broken
expect 'no agreement' 2 '' 'licet simulate: shop: no agreement "B-2" is recorded; licet report shop --all names them' simulate shop B-2
expect 'no hour' 2 '' 'licet simulate: --from "2026-11-23T06:30:00Z": not on a full hour; the nearest are 2026-11-23T06:00:00Z and 2026-11-23T07:00:00Z
see licet simulate --help' simulate shop A-1 --from 2026-11-23T06:30:00Z
expect 'an empty span' 2 '' 'licet simulate: the end of the period is not after its begin' simulate shop A-1 --from 2026-11-24 --before 2026-11-23
expect 'one argument' 2 '' 'licet simulate: expected one site and one agreement, found 1
see licet simulate --help' simulate shop
exit $rc
