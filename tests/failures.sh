#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/failures.md tells the truth: every row is there once, each test it names exists and is run, and each story that cites a
# row in its first comment ("(17)", "(2, 3)") stands in that row.
set -u
cd "$(dirname "$0")/.."
table=tests/failures.md
bad=0
wrong() {
    echo "$table: $*" >&2
    bad=1
}

for row in $(seq 1 47) $(seq 54 56); do
    lines=$(grep -cE "^\| $row \|" $table)
    [ "$lines" -eq 1 ] || wrong "row $row: $lines lines, expected one"
    cell=$(grep -E "^\| $row \|" $table | cut -d'|' -f4)
    case $cell in
    *'`'* | *'no test: '*) ;;
    *) wrong "row $row: expected a test, or 'no test: ' and why" ;;
    esac
done

# Each test named: its file, what within it, and that something runs it.
while IFS= read -r named; do
    file=${named%%:*}
    [ -f "$file" ] || { wrong "$named: no such file"; continue; }
    [ "$file" = "$named" ] || grep -qF -- "${named#*:}" "$file" || wrong "$named: $file holds no '${named#*:}'"
    case $file in
    tests/scenario/*) grep -qF "'$(basename "$file")'" tests/scenario/meson.build || wrong "$named: tests/scenario/meson.build does not run it" ;;
    esac
done < <(grep '^|' $table | grep -oE '`(tests|lib|daemon)/[^`]*`' | tr -d '`' | sort -u)

# Stories that say which rows they tell.
stories=0
for story in $(grep -lE '^# How others fell' tests/scenario/*.vtc tests/scenario/*.sh); do
    stories=$((stories + 1))
    for row in $(sed -n '/^# How others fell/,/^[^#]/p' "$story" | grep '^#' | grep -oE '\([0-9]+(, [0-9]+)*\)' | tr -d '(,)'); do
        grep -E "^\| $row \||\($row\)" $table | grep -qF "$story" || wrong "$story cites row $row, which does not name it"
    done
done
[ "$stories" -gt 0 ] || wrong 'no story cites a row'
[ $bad -eq 0 ] && echo "# used $(grep -cE '^\| [0-9]+ \|' $table) rows, $stories stories of their own"
exit $bad
