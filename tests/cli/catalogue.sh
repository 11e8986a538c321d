#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The catalogues we ship against recorded pages: the endpoint that a request matches counts, by licet count --catalogue, what
# a plain JSON parser finds at the same place, ids agree, and no cut changes it: whole, a byte at a time, at random places.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
data=$(realpath -m "${LICET_TEST_DATA:-$root/../shared/data}")/01-api-json
UNITS='post|thing|comment|reply|subreddit|user|message|live-update|question|answer|answer-comment|badge|tag|tag-wiki|revision|suggested-edit'
for name in reddit stack-exchange; do # every unit that has ids may count once where an agreement says so
    "$licet" init "$name" --upstream http://127.0.0.1:9000 --catalogue "$name" >/dev/null
    sed -i -E "s/^  ($UNITS): \\{\\} */  \\1: { dedup: { by: id, per: day, zone: UTC } } /" "$name"/catalogue/*.yaml
    same "$name: an id may count once" "0 $([ $name = reddit ] && echo 8 || echo 11)" \
        "$("$licet" check "$name" >said 2>&1; echo $?) $(grep -cE '^  [a-z-]+: \{ dedup' "$name"/catalogue/*.yaml)"
done
same 'Reddit tells its limit in its own headers' 1 "$(grep -c '^rate_limit_headers: reddit ' reddit/catalogue/*.yaml)"
echo "# used: $([ -d "$data" ] && echo recorded pages || echo pages made here)"
python3 "$root/tests/cli/catalogue_pages.py" "$licet" "$root" "$data" || rc=1
exit $rc
