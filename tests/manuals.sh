#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every subcommand has --help, a page in docs/man without faults, and a line in licet --help; every page names its exit status.
set -u
cd "$(dirname "$0")/.."
licet="$1/licet"
rc=0
fault() { echo "FAILED: $*"; rc=1; }
commands=$("$licet" --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')
count=0
for command in $commands; do
    count=$((count + 1))
    "$licet" "$command" --help >/tmp/help.$$ 2>/tmp/help-err.$$ || fault "licet $command --help ends with $?"
    grep -q "^usage: licet $command" /tmp/help.$$ || fault "licet $command --help shows no usage"
    [ ! -s /tmp/help-err.$$ ] || fault "licet $command --help writes on stderr"
    "$licet" "$command" --no-such-option >/tmp/help.$$ 2>&1
    [ $? -eq 2 ] || fault "licet $command with an unknown option does not end with 2"
    page="docs/man/licet-$command.1"
    [ -f "$page" ] || { fault "$page is missing"; continue; }
    grep -qi 'EXIT STATUS' "$page" || fault "$page names no exit status"
    grep -q -e '--json' -e 'Fl -json' "$page" || fault "$page does not tell of --json"
done
rm -f /tmp/help.$$ /tmp/help-err.$$
for page in docs/man/*.[1-9]; do
    faults=$(groff -man -mandoc -Tutf8 -ww -z "$page" 2>&1) || fault "$page: groff fails"
    [ -z "$faults" ] || fault "$page: $faults"
done
[ "$count" -ge 13 ] || fault "only $count subcommands"
[ $rc -eq 0 ] && echo "$count subcommands, $(ls docs/man | wc -l) pages"
exit $rc
