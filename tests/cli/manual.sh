#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The examples of the manual pages of section 5 are one site, which licet check passes and licet agreement show tells.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"

python3 - "$root/docs/man" <<'END'
import pathlib, re, sys
for page in pathlib.Path(sys.argv[1]).glob("licet-*.5"):
    for file, text in re.findall(r"^\.Pa (\S+) :\n\.Bd -literal\n(.*?)^\.Ed$", page.read_text().partition(".Sh EXAMPLES")[2], re.S | re.M):
        path = pathlib.Path("site") / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
END
same 'four files' 'agreements/M-2022-7/2022-10-10.yaml agreements/M-2022-7/apps.yaml catalogue/posts@2022-10-10.yaml licet.yaml' \
    "$(cd site && find . -type f -printf '%P\n' | sort | tr '\n' ' ' | sed 's/ $//')"
same 'licet check passes them' 0 "$("$licet" check site >said 2>&1; echo $?; grep -v -e '^M-2022-7: ' -e '^  note: ' -e '^note: ' said)"
"$licet" agreement show site M-2022-7 --at 2022-11-01 >shown 2>&1
for words in 'CAP-MONTH' 'Half a cent' '30 days' 'Meridian Ireland Ltd'; do
    same "agreement show tells: $words" yes "$(grep -q "$words" shown && echo yes)"
done
# A change that makes an example untrue is found, so the examples are tried indeed.
sed -i 's/at: 2022-12-01, expect: allow/at: 2022-12-01, expect: refuse/' site/agreements/M-2022-7/2022-10-10.yaml
same 'an example that does not hold' 1 "$("$licet" check site >said 2>&1; echo $?)"
exit $rc
