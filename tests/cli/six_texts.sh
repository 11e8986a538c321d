#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The six texts of docs/howto/six-texts.md: the same clause has the section of the version in force at the time.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"

cp -r "$root/docs/howto/examples/six-texts" letter
mkdir letter/catalogue
cp "$root/catalogue/x-api-v2@2022-10-10.yaml" letter/catalogue
same 'the files are well' 0 "$("$licet" check letter >said; echo $?)"
same 'paragraphs on audits that differ are named in four versions' 8 "$(grep -c 'both stand, and a finding must say which it needs' said)"
at() { # time, version, rate limits, government, audits, licensor
    same "at $1" "$2 $3 $4 $5 $6" "$("$licet" agreement show letter M-2020-1 --at "$1" --json | jq -r '
        def section(key): first(.sentences[] | select(.clause == key) | .section);
        [.version, section("RATE"), section("GOV"), section("AUDIT"),
         (.sentences[0].says | if contains("Corp.") then "Corp" else "Inc" end)] | join(" ")')"
}
at 2022-10-09T23:59:59Z 2020-03-10 II.D XII.C VII Inc
at 2022-10-10 2022-10-10 II.D XII.C VII Inc
at 2023-01-18T23:59:59Z 2022-10-10 II.D XII.C VII Inc
at 2023-01-19 2023-01-19 II.D XII.C VII Inc
at 2023-03-15 2023-03-15 II.D XII.C VII Inc
at 2023-03-24 2023-03-23 II.D XII.C VII Corp
at 2023-03-28T23:59:59Z 2023-03-25 II.D XII.C VII Inc
at 2023-03-29 2023-03-29 III.D XV.C VIII Inc
at 2023-03-30 2023-03-30 III.D XV.C VIII Corp
at 2023-03-31 2023-03-31 III.D XV.C VIII Inc
at 2023-05-18 2023-04-18 III.D XV.C VIII Corp
exit $rc
