#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""messages.py: docs/howto/when-something-is-wrong.md has each message of warning or above that nginx/ and daemon/ can say.

A message of the source is its format with '<...>' for each conversion; a heading of the page is the same in backquotes.
Both ways: what the source says is on the page, and what the page has is said by the source. Also there: every refusal and
every reason for being unmetered; every ending is in docs/howto/endings.md.
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
page = (root / "docs/howto/when-something-is-wrong.md").read_text()
endings = (root / "docs/howto/endings.md").read_text()
CALLS = r"\b(ngx_log_error|ngx_conf_log_error|recorder_say|recorder_damage)\s*\("
QUIET = {"NGX_LOG_INFO", "NGX_LOG_NOTICE", "NGX_LOG_DEBUG", "LICET_LOG_INFO"}
STRING = r'"((?:[^"\\]|\\.)*)"'
CONVERSION = r"%(?:\*s|V|uL|uD|ui|uz|O|T|P|%|[-+0# ]*\d*(?:\.(?:\d+|\*))?(?:ll|l|z|h)?[a-zA-Z])"


def arguments(text, at):
    """The arguments of the call whose parenthesis opens before at."""
    out, depth, start, i = [], 0, at, at
    while True:
        string = re.compile(STRING).match(text, i)
        if string:
            i = string.end()
            continue
        c = text[i]
        if c in "([{":
            depth += 1
        elif c in ")]}" and depth == 0:
            return out + [text[start:i]]
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            out.append(text[start:i])
            start = i + 1
        i += 1


def literal(argument):
    """The text of adjacent string literals; None where the argument is something else."""
    if not re.fullmatch(r"\s*(%s\s*)+" % STRING, argument):
        return None
    return "".join(re.findall(STRING, argument)).replace('\\"', '"').replace("\\\\", "\\")


def said():
    """Messages of the source: text with conversions, place."""
    for path in sorted([*root.glob("nginx/*.c"), *root.glob("daemon/*.c"), *root.glob("daemon/*/*.c")]):
        if path.name.endswith("_test.c"):
            continue
        text = path.read_text()
        place = lambda at: "%s:%d" % (path.relative_to(root), text.count("\n", 0, at) + 1)
        for call in re.finditer(CALLS, text):
            args = arguments(text, call.end())
            if len(args) < 3 or QUIET & {a.strip() for a in args}:
                continue
            formats = [f for f in map(literal, args) if f is not None]
            if formats and formats[0] != "%s":
                yield formats[0], place(call.start())
        # what a directive's handler returns stands behind the directive's name
        if path.parent.name == "nginx":
            for returned in re.finditer(r'return\s+((?:%s\s*)+);' % STRING, text):
                yield literal(returned.group(1)), place(returned.start())


def shape(message):
    return re.sub(r"\s+", " ", re.sub(CONVERSION, "\0", message.replace("%%", "%"))).strip()


faults = []
headings = {re.sub(r"<[^<>]*>", "\0", h): h for h in re.findall(r"^### `(.+)`$", page, re.M)}
messages = {}
for message, place in said():
    if message not in ("is duplicate",):
        messages.setdefault(shape(message), place)
for message, place in messages.items():
    if message not in headings:
        faults.append("%s: the page has no heading\n    ### `%s`" % (place, message.replace("\0", "<...>")))
for heading, text in headings.items():
    quiet = "setsockopt(TCP_NOTSENT_LOWAT)" in text
    if heading not in messages and not quiet:
        faults.append("nobody says: %s" % text)
words = 0
for header, name in (("decide.h", "LICET_REASONS"), ("meter.h", "LICET_UNMETERED"), ("gate.h", "LICET_ENDINGS")):
    rows = re.search(r"#define %s\(X\)(.*?\n)\n" % name, (root / "include/licet" / header).read_text(), re.S).group(1)
    for row in re.findall(r"X\(\d+, \w+, %s" % STRING, rows):
        words += 1
        where = endings if header == "gate.h" else page
        if row != "none" and not re.search(r"[`*]%s[`*]" % re.escape(row), where):
            faults.append("%s of include/licet/%s is not on the page%s" % (row, header, " of endings" if where is endings else ""))
if len(messages) < 30 or words < 40:
    faults.append("only %d messages and %d words were found: this test no longer reads the source" % (len(messages), words))
for fault in faults:
    print("FAILED: docs/howto/when-something-is-wrong.md: " + fault)
print("%d messages, %d words" % (len(messages), words))
sys.exit(1 if faults else 0)
