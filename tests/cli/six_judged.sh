#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same two events judged in the last second of each of the six texts (and of each change of counterparty between them)
# and in the first second of the next: verdict, and the clause with the section that it has in the version in force.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"

cp -r "$root/docs/howto/examples/six-texts" letter
mkdir letter/catalogue
cp "$root/catalogue/x-api-v2@2022-10-10.yaml" letter/catalogue
# As if the paragraph against substitutes were enforced from the day on which it is in the text.
for version in letter/agreements/M-2020-1/2*.yaml; do
    sed -i 's/^mode: observe/mode: enforce/' "$version"
    if grep -q SUBST: "$version"; then
        sed -i 's/^purposes: .*/purposes: { allowed: [display], forbidden: { substitute: SUBST }, not_named: record }/' "$version"
    fi
done
same 'the files are well' 0 "$("$licet" check letter >/dev/null; echo $?)"

judged() { # time, purpose
    "$licet" explain letter --app pages --request 'GET /2/tweets/search/recent?query=x' --purpose "$2" --at "$1" --json | jq -r '
        def cited: if . == null then "-" else .key + " " + .section end;
        [.facts.version, .verdict, (.clause | cited), (.limits | map(.clause | cited) | join(" "))] | join(" | ")'
}

# last second before, first second of, purpose | version, verdict, clause, limit's clause before | the same from then on
while IFS=';' read -r before from purpose was is; do
    same "$purpose at $before" "${was## }" "$(judged "$before" "$purpose")"
    same "$purpose at $from" "${is## }" "$(judged "$from" "$purpose")"
done <<'END'
2022-10-09T23:59:59Z;2022-10-10;display;2020-03-10 | allow | - | RATE II.D;2022-10-10 | allow | - | RATE II.D
2023-01-18T23:59:59Z;2023-01-19;display;2022-10-10 | allow | - | RATE II.D;2023-01-19 | allow | - | RATE II.D
2023-03-14T23:59:59Z;2023-03-15;display;2023-01-19 | allow | - | RATE II.D;2023-03-15 | allow | - | RATE II.D
2023-03-22T23:59:59Z;2023-03-23;display;2023-03-15 | allow | - | RATE II.D;2023-03-23 | allow | - | RATE II.D
2023-03-24T23:59:59Z;2023-03-25;display;2023-03-23 | allow | - | RATE II.D;2023-03-25 | allow | - | RATE II.D
2023-03-28T23:59:59Z;2023-03-29;display;2023-03-25 | allow | - | RATE II.D;2023-03-29 | allow | - | RATE III.D
2023-03-29T23:59:59Z;2023-03-30;display;2023-03-29 | allow | - | RATE III.D;2023-03-30 | allow | - | RATE III.D
2023-03-30T23:59:59Z;2023-03-31;display;2023-03-30 | allow | - | RATE III.D;2023-03-31 | allow | - | RATE III.D
2023-04-17T23:59:59Z;2023-04-18;display;2023-03-31 | allow | - | RATE III.D;2023-04-18 | allow | - | RATE III.D
2022-10-09T23:59:59Z;2022-10-10;substitute;2020-03-10 | allow | - | RATE II.D;2022-10-10 | allow | - | RATE II.D
2023-01-18T23:59:59Z;2023-01-19;substitute;2022-10-10 | allow | - | RATE II.D;2023-01-19 | refuse | SUBST II.A | RATE II.D
2023-03-28T23:59:59Z;2023-03-29;substitute;2023-03-25 | refuse | SUBST II.A | RATE II.D;2023-03-29 | refuse | SUBST III.A | RATE III.D
2023-03-29T23:59:59Z;2023-03-30;substitute;2023-03-29 | refuse | SUBST III.A | RATE III.D;2023-03-30 | refuse | SUBST III.A | RATE III.D
2023-04-17T23:59:59Z;2023-04-18;substitute;2023-03-31 | refuse | SUBST III.A | RATE III.D;2023-04-18 | refuse | SUBST III.A | RATE III.D
END
exit $rc
