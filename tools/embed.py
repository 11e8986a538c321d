#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Catalogues as a C table, so that the licet binary stands alone: embed.py OUTPUT.c CATALOGUE.yaml..."""
import os
import re
import sys


def literal(line):
    text = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    if not all(0x20 <= ord(c) < 0x7F for c in text):
        sys.exit(f"embed.py: expected ASCII text without tabs: {line!r}")
    return f'        "{text}"'


def main():
    output, inputs = sys.argv[1], sorted(sys.argv[2:])
    rows = []
    for path in inputs:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        name = os.path.basename(path)[: -len(".yaml")]
        unit = re.search(r"^units:\n  ([A-Za-z0-9._-]+):", text, re.M)
        if unit is None:
            sys.exit(f"embed.py: {path}: expected 'units:' with its main unit in the next line")
        endpoints = len(re.findall(r"^  - id: ", text, re.M))
        lines = "\n".join(literal(line) for line in text.splitlines(keepends=True))
        rows.append(f'    {{"{name}", "{unit[1]}", {endpoints}, {len(text)},\n{lines}}},\n')
    with open(output, "w", encoding="utf-8") as file:
        file.write('/* Made by tools/embed.py from catalogue/. */\n#include "catalogues.h"\n\n')
        file.write("const licet_shipped licet_shipped_catalogues[] = {\n" + "".join(rows) + "    {0},\n};\n")


main()
